/*
 * Which accesses may be forwarded to the host.
 */
#include "vmbus/fallback_list.h"

#include "support/checked.h"
#include "support/diagnostics.h"

bool fallback_wanted(const FallbackConditions *conditions)
{
	return conditions->always_relay_host_mmio ||
		(conditions->arch == GUEST_ARCH_X86_64 && conditions->hardware_isolated &&
			conditions->hypercall_mmio_offered);
}

static bool check_unlimited(const FallbackInputs *in, Error *err)
{
	if (!in->unlimited)
		return true;
	if (in->arch != GUEST_ARCH_AARCH64)
		return error_set(err, PVW_VMBUS_0011,
			"%s forwards everything, expected aarch64 alone",
			guest_arch_name(in->arch));
	if (in->vtom != 0 || in->isolated)
		return error_set(err, PVW_VMBUS_0011,
			"an isolated guest forwards everything, expected a list");
	return true;
}

static bool check_vtom(uint64_t vtom, Error *err)
{
	if (vtom != 0 && (vtom < PAGE_SIZE || (vtom & (vtom - 1)) != 0))
		return error_set(err, PVW_VMBUS_0010,
			"alias 0x%" PRIx64 ", expected a power of two of at least a page",
			vtom);
	return true;
}

/* Low and high put where they belong among the reserved ranges. */
static bool candidates(
	const ChipsetMmioRanges *mmio, Arena *arena, MemoryRangeList *out, Error *err)
{
	const MemoryRange windows[] = { mmio->low, mmio->high };
	const MemoryRangeList reserved = mmio->reserved;
	MemoryRange *items =
		arena_array(arena, MemoryRange, reserved.count + ARRAY_COUNT(windows), err);
	size_t count = 0;
	size_t next = 0;

	if (!items)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(windows); i++) {
		if (memory_range_is_empty(windows[i]))
			continue;
		while (next < reserved.count && reserved.items[next].start < windows[i].start)
			items[count++] = reserved.items[next++];
		items[count++] = windows[i];
	}
	while (next < reserved.count)
		items[count++] = reserved.items[next++];
	*out = (MemoryRangeList){ items, count };
	return true;
}

/* @ranges without anything that the host must not see. */
static bool without_forbidden(const FallbackInputs *in, MemoryRangeList ranges, Arena *arena,
	MemoryRangeList *out, Error *err)
{
	const MemoryRangeList relay = { &in->relay, memory_range_is_empty(in->relay) ? 0 : 1 };
	const struct {
		const char *name;
		RangeView view;
	} forbidden[] = {
		{ "ram", in->ram },
		{ "vtl2 windows", range_view(in->mmio->vtl2) },
		{ "relay aperture", range_view(relay) },
	};

	for (size_t i = 0; i < ARRAY_COUNT(forbidden); i++) {
		if (!range_list_subtract(
			    range_view(ranges), forbidden[i].view, arena, &ranges, err))
			return error_wrap(err, "windows without %s", forbidden[i].name);
	}
	*out = ranges;
	return true;
}

/* Each range once more, where the shared alias shows it. */
static bool shifted(
	MemoryRangeList ranges, uint64_t vtom, Arena *arena, MemoryRangeList *out, Error *err)
{
	MemoryRange *items = arena_array(arena, MemoryRange, ranges.count, err);

	if (!items)
		return false;
	for (size_t i = 0; i < ranges.count; i++) {
		const MemoryRange range = ranges.items[i];

		if (range.end > vtom)
			return error_set(err, PVW_VMBUS_0010,
				"window " RANGE_FORMAT ", expected below the alias 0x%" PRIx64,
				RANGE_ARGS(range), vtom);
		if (!memory_range_from_base_len(
			    range.start + vtom, memory_range_len(range), &items[i], err))
			return error_set(err, PVW_VMBUS_0010,
				"window " RANGE_FORMAT " at the alias 0x%" PRIx64
				", expected to end below 2^64",
				RANGE_ARGS(range), vtom);
	}
	*out = (MemoryRangeList){ items, ranges.count };
	return true;
}

static bool join(
	MemoryRangeList a, MemoryRangeList b, Arena *arena, MemoryRangeList *out, Error *err)
{
	MemoryRange *items = arena_array(arena, MemoryRange, a.count + b.count, err);

	if (!items)
		return false;
	for (size_t i = 0; i < a.count; i++)
		items[i] = a.items[i];
	for (size_t i = 0; i < b.count; i++)
		items[a.count + i] = b.items[i];
	*out = (MemoryRangeList){ items, a.count + b.count };
	return true;
}

bool fallback_list_build(const FallbackInputs *in, Arena *arena, FallbackList *out, Error *err)
{
	MemoryRangeList ranges, alias;

	if (!check_unlimited(in, err) || !check_vtom(in->vtom, err) ||
		!candidates(in->mmio, arena, &ranges, err))
		return error_wrap(err, "fallback list");
	if (!without_forbidden(in, ranges, arena, &ranges, err))
		return error_wrap(err, "fallback list");

	/* Every window ends below the alias, every shifted one starts above: already in order. */
	if (in->vtom != 0 &&
		(!shifted(ranges, in->vtom, arena, &alias, err) ||
			!without_forbidden(in, alias, arena, &alias, err) ||
			!join(ranges, alias, arena, &ranges, err)))
		return error_wrap(err, "fallback list");
	*out = (FallbackList){ .unlimited = in->unlimited, .ranges = ranges };
	return true;
}

bool fallback_list_allows(const FallbackList *list, uint64_t address, uint64_t len)
{
	uint64_t last;

	if (len == 0 || !checked_add_u64(address, len - 1, &last))
		return false;
	if (list->unlimited)
		return true;

	const size_t index = range_list_find(range_view(list->ranges), address);

	return index != RANGE_NONE &&
		memory_range_contains_address(list->ranges.items[index], last);
}
