/*
 * Layout version 2: RAM first, for nothing but RAM decides where it is; then the windows.
 *
 *	RAM        [0, device space) and from 4 GiB on, around what is reserved
 *	H          the end of RAM, aligned so that MTRRs can tell both sides apart
 *	           chipset-high at H: nothing but RAM moves it
 *	windows    32 bits: inside the device space; others: above H
 *
 * Source: docs/formats.md, "Layout"
 */
#include "layout/resolver_internal.h"
#include "support/diagnostics.h"

/* Pieces that a range can be cut into by a few others. */
#define MAX_BLOCKED 3
#define MAX_PIECES (MAX_BLOCKED + 1)

/* A power of two divided by this costs few MTRRs: see docs/formats.md. */
#define SPACE_ALIGN_DIVISOR 256
#define SPACE_ALIGN_DIVISOR_3_GIB 64 /* that hole takes one more */
#define SPACE_MIN_ALIGN GIB

#define RAM_GRANULARITY (2 * MIB)

typedef struct Reserved {
	MemoryRange range;
	LayoutTag tag;
} Reserved;

/* What version 2 works on besides the requests for windows. */
typedef struct Current {
	const LayoutShape *shape;
	const KeptIndex *kept;
	Arena *arena;
	MemoryRange devices; /* the device space */
	MemoryRange gap;     /* below the start of RAM; or between the low window and it */
	MemoryRange zone;    /* of the architecture: what is reserved in it costs nothing */
	uint64_t high;       /* H */
	Reserved *reserved;  /* ascending, apart */
	size_t reserved_count;
	Resolver ram, windows;
} Current;

static LayoutTag tag_of(const char *text)
{
	return (LayoutTag){ .text = text };
}

/*
 * Checks.
 */

static uint64_t power_of_two_above(uint64_t value)
{
	return value <= 1 ? 1 : UINT64_C(1) << (64 - __builtin_clzll(value - 1));
}

/* What the architecture has, or the least that holds the low chipset window. */
static uint64_t default_device_space(const LayoutShape *shape, uint64_t chipset)
{
	const uint64_t size = layout_defaults(shape->arch)->device_space_size;

	if (chipset <= size)
		return size;
	return chipset <= 2 * GIB ? power_of_two_above(chipset) : LAYOUT_MAX_DEVICE_SPACE;
}

static bool find_device_space(Current *current, Error *err)
{
	const LayoutShape *shape = current->shape;
	const uint64_t chipset = memory_range_len(chipset_low_range(shape));
	const uint64_t wish = shape->device_space_size;
	const uint64_t size = wish ? wish : default_device_space(shape, chipset);

	if ((!is_aligned(size, size) && size != LAYOUT_MAX_DEVICE_SPACE) ||
		size < LAYOUT_MIN_DEVICE_SPACE || size > LAYOUT_MAX_DEVICE_SPACE ||
		size < chipset)
		return error_set(err, PVW_RESOLVE_0014,
			"a device space of 0x%" PRIx64 " bytes, expected a power of two from "
			"0x2000000 to 0x80000000, or 0xc0000000, that holds the low chipset "
			"window's 0x%" PRIx64,
			size, chipset);
	current->devices = (MemoryRange){ FOUR_GIB - size, FOUR_GIB };
	current->windows.result.device_space = current->devices;
	if (shape->ram_start > current->devices.start)
		return error_set(err, PVW_RESOLVE_0006,
			"RAM starts at 0x%" PRIx64 ", expected at most 0x%" PRIx64
			", where the device space starts",
			shape->ram_start, current->devices.start);
	return true;
}

static bool find_gap(Current *current, Error *err)
{
	const LayoutShape *shape = current->shape;
	const uint64_t low = shape->low_window_size;

	current->gap = (MemoryRange){ low, shape->ram_start };
	if (low == 0)
		return true;
	if (!is_aligned(low, RAM_GRANULARITY) || low < LAYOUT_MIN_LOW_WINDOW ||
		low >= shape->ram_start)
		return error_set(err, PVW_RESOLVE_0016,
			"a low window of 0x%" PRIx64 " bytes, expected a multiple of 0x200000 "
			"from 0x2000000 on, below the start of RAM at 0x%" PRIx64,
			low, shape->ram_start);
	for (size_t i = 0; i < current->reserved_count; i++) {
		if (current->reserved[i].range.start < low)
			return error_set(err, PVW_RESOLVE_0016,
				"a low window of 0x%" PRIx64 " bytes, expected it below "
				"the reserved range " RANGE_FORMAT,
				low, RANGE_ARGS(current->reserved[i].range));
	}
	return true;
}

static bool check_options(const LayoutShape *shape, Error *err)
{
	const uint64_t most = shape->bar_align_max;

	if (most && (most < 2 * MIB || !is_aligned(most, most)))
		return error_set(err, PVW_RESOLVE_0018,
			"alignments of at most 0x%" PRIx64
			", expected a power of two from 0x200000 on",
			most);
	for (size_t i = 0; i < shape->reserved_iova.count; i++) {
		const ReservedIova *iova = &shape->reserved_iova.items[i];

		if (iova->range.start >= iova->range.end ||
			!is_aligned(iova->range.start | iova->range.end, PAGE_SIZE))
			return error_set(err, PVW_RESOLVE_0017,
				"reserved range %zu (%.64s) is " RANGE_FORMAT
				", expected whole pages, at least one",
				i, iova->reason, RANGE_ARGS(iova->range));
	}
	return true;
}

static bool check_window(const WindowShape *window, MemoryRange where, const char *what,
	const char *name, Error *err)
{
	if (memory_range_contains(where, window->fixed))
		return true;
	return error_set(err, PVW_RESOLVE_0015,
		"PCIe root complex %.64s has its %s window at " RANGE_FORMAT
		", expected inside of " RANGE_FORMAT,
		name, what, RANGE_ARGS(window->fixed), RANGE_ARGS(where));
}

static bool check_windows(const Current *current, Error *err)
{
	const LayoutShape *shape = current->shape;
	const MemoryRange high = { current->high, MEMORY_RANGE_LIMIT };

	for (size_t i = 0; i < shape->root_complex_count; i++) {
		const RootComplexShape *complex = &shape->root_complexes[i];

		if (!check_window(&complex->low, current->devices, "low", complex->name, err) ||
			!check_window(&complex->high, high, "high", complex->name, err))
			return false;
	}
	return true;
}

/*
 * Reserved ranges.
 */

/* In order, those that touch joined under the name of the first. */
static bool merge_reserved(Current *current, Error *err)
{
	const ReservedIovaList list = current->shape->reserved_iova;
	SortKey *keys = reserve_array(current->arena, SortKey, 2 * list.count, err);
	Reserved *last = NULL;

	current->reserved = reserve_array(current->arena, Reserved, list.count, err);
	if (!keys || !current->reserved)
		return false;
	for (size_t i = 0; i < list.count; i++)
		keys[i] = (SortKey){ list.items[i].range.start, i };
	sort_keys(keys, keys + list.count, list.count);
	for (size_t i = 0; i < list.count; i++) {
		const ReservedIova *iova = &list.items[keys[i].index];

		if (last && iova->range.start <= last->range.end) {
			if (iova->range.end > last->range.end)
				last->range.end = iova->range.end;
			continue;
		}
		last = &current->reserved[current->reserved_count];
		*last = (Reserved){ iova->range,
			{ "reserved-iova-%", iova->reason,
				(uint32_t)current->reserved_count } };
		current->reserved_count++;
	}
	return true;
}

/* The parts of @range outside of @blocked, which ascends; empty ones block nothing. */
static size_t cut(MemoryRange range, const MemoryRange blocked[MAX_BLOCKED],
	MemoryRange pieces[MAX_PIECES])
{
	size_t count = 0;

	for (size_t i = 0; i < MAX_BLOCKED; i++) {
		if (!memory_range_overlaps(range, blocked[i]))
			continue;
		if (range.start < blocked[i].start)
			pieces[count++] = (MemoryRange){ range.start, blocked[i].start };
		range.start = blocked[i].end < range.end ? blocked[i].end : range.end;
	}
	if (!memory_range_is_empty(range))
		pieces[count++] = range;
	return count;
}

/* @range, widened to whole steps. */
static MemoryRange widen(MemoryRange range, uint64_t step)
{
	uint64_t end;

	if (!checked_align_up(range.end, step, &end))
		end = MEMORY_RANGE_LIMIT;
	return (MemoryRange){ align_down(range.start, step), end };
}

/* Keeps what is reserved from a pass, in whole steps, where nothing else does. */
static void pin_reserved(const Current *current, Resolver *resolver, uint64_t step,
	const MemoryRange blocked[MAX_BLOCKED])
{
	MemoryRange pieces[MAX_PIECES];
	uint64_t at = 0;

	for (size_t i = 0; i < current->reserved_count; i++) {
		MemoryRange range = widen(current->reserved[i].range, step);
		size_t count;

		/* Two may share a step. */
		range.start = range.start > at ? range.start : at;
		if (range.start >= range.end)
			continue;
		at = range.end;
		count = cut(range, blocked, pieces);
		for (size_t k = 0; k < count; k++)
			resolver_pin(resolver, PLACEMENT_RESERVED, pieces[k],
				current->reserved[i].tag,
				(Subject){ .item = LAYOUT_ITEM_RESERVED_IOVA });
	}
}

/*
 * Places.
 */

/*
 * All holes are made of whole steps: no piece of RAM is there only because what remained of a
 * node happened to fit, so that more RAM moves none.
 */
static bool place_ram(Current *current, Error *err)
{
	const MemoryRange gap = widen(current->gap, RAM_GRANULARITY);
	const MemoryRange blocked[MAX_BLOCKED] = { gap, current->devices };
	ResolvedLayout *result = &current->windows.result;
	Resolver *ram = &current->ram;
	Allocation allocation;
	NodeRange *pieces;

	resolver_pin(ram, PLACEMENT_RESERVED, gap, tag_of("low-ram-gap"),
		(Subject){ .item = LAYOUT_ITEM_LOW_RAM_GAP });
	resolver_pin(ram, PLACEMENT_RESERVED, current->devices, tag_of("device-space"),
		(Subject){ .item = LAYOUT_ITEM_CHIPSET_LOW });
	pin_reserved(current, ram, RAM_GRANULARITY, blocked);
	request_ram(ram);
	if (!allocator_run((AllocatorRequestList){ ram->requests, ram->count }, current->arena,
		    &allocation, NULL, err))
		return false;
	pieces = reserve_array(
		current->arena, NodeRange, resolver_count_ram(ram, &allocation), err);
	if (!pieces)
		return false;
	resolver_fill_ram(ram, &allocation, pieces, result);
	return (!current->kept ||
		       kept_check_ram(current->kept, result->ram, current->arena, err)) &&
		check_top(current->shape, result->end_of_ram, err);
}

/*
 * The end of RAM, rounded up to a 256th of the next power of two. With aarch64 never 4 GiB
 * itself: firmware ends its list of regions at an empty one, and what lies between 4 GiB and the
 * high window would be that. [MU] MsvmPkg/PlatformPei/AArch64/Mmu.c
 */
static void find_high(Current *current)
{
	const bool is_3_gib = memory_range_len(current->devices) == LAYOUT_MAX_DEVICE_SPACE;
	ResolvedLayout *result = &current->windows.result;
	uint64_t end = result->end_of_ram, align;

	end = end > FOUR_GIB ? end : FOUR_GIB;
	current->high = result->high_start = end;
	if (current->kept)
		return; /* it says where windows are, behind RAM */
	if (current->shape->arch == GUEST_ARCH_AARCH64 && end == FOUR_GIB)
		end += PAGE_SIZE;
	align = power_of_two_above(end) /
		(is_3_gib ? SPACE_ALIGN_DIVISOR_3_GIB : SPACE_ALIGN_DIVISOR);
	align = align > SPACE_MIN_ALIGN ? align : SPACE_MIN_ALIGN;
	current->high = result->high_start = align_down(end + align - 1, align);
	result->high_align = align;
}

/* The lowest place for the high chipset window from H on, around what is reserved. */
static bool pin_chipset_high(Current *current, Error *err)
{
	const uint64_t size = current->shape->chipset_high_size;
	MemoryRange range = { current->high, current->high };

	if (size == 0)
		return true;
	if (!is_aligned(size, PAGE_SIZE))
		return error_set(err, PVW_ALLOC_0001,
			CHIPSET_HIGH_TAG ": size 0x%" PRIx64 ", expected a multiple of 0x1000",
			size);
	for (size_t i = 0; i <= current->reserved_count; i++) {
		if (!checked_add_u64(range.start, size, &range.end) ||
			range.end > MEMORY_RANGE_LIMIT)
			return error_set(err, PVW_RESOLVE_0008,
				"a high chipset window of 0x%" PRIx64 " bytes from 0x%" PRIx64
				" on ends above all addresses",
				size, range.start);
		if (i < current->reserved_count &&
			memory_range_overlaps(range, current->reserved[i].range) &&
			!checked_align_up(
				current->reserved[i].range.end, SPACE_MIN_ALIGN, &range.start))
			range.start = MEMORY_RANGE_LIMIT;
	}
	range = kept_chipset_high(current->kept, range);
	resolver_pin(&current->windows, PLACEMENT_FIXED, range, tag_of(CHIPSET_HIGH_TAG),
		subject_of(LAYOUT_ITEM_CHIPSET_HIGH, 0, &current->windows.result.chipset_high));
	return true;
}

static bool place_windows(Current *current, Allocation *allocation, Error *err)
{
	Resolver *windows = &current->windows;
	const MemoryRange low = { 0, current->devices.start };
	const MemoryRange empty = { FOUR_GIB, current->high };
	const MemoryRange blocked[MAX_BLOCKED] = { low, current->zone, empty };
	AllocatorFailure why = { .problem = ALLOCATOR_PROBLEM_COUNT };

	resolver_pin(windows, PLACEMENT_RESERVED, low, tag_of("ram-space"),
		(Subject){ .item = LAYOUT_ITEM_RAM });
	resolver_pin(windows, PLACEMENT_RESERVED, empty, tag_of("ram-space"),
		(Subject){ .item = LAYOUT_ITEM_RAM });
	resolver_pin(windows, PLACEMENT_FIXED, chipset_low_range(current->shape),
		tag_of("chipset-low-mmio"),
		subject_of(LAYOUT_ITEM_CHIPSET_LOW, 0, &windows->result.chipset_low));
	if (!pin_chipset_high(current, err))
		return false;
	pin_reserved(current, windows, PAGE_SIZE, blocked);
	request_devices(windows);
	request_vtl2(windows);
	if (current->kept && !kept_pin(current->kept, windows, err))
		return false;
	if (allocator_run((AllocatorRequestList){ windows->requests, windows->count },
		    current->arena, allocation, &why, err))
		return resolver_fill_views(windows, allocation, err);
	if (why.problem == ALLOCATOR_EXHAUSTED &&
		windows->requests[why.request].kind == PLACEMENT_MMIO32)
		return error_wrap(err, "the device space of 0x%" PRIx64 " bytes is full",
			memory_range_len(current->devices));
	return false;
}

/*
 * The list of everything.
 */

static LayoutPlacement placement_of(const Resolver *resolver, size_t request, MemoryRange range)
{
	return (LayoutPlacement){
		.range = range,
		.tag = resolver->requests[request].tag,
		.kind = resolver->subjects[request].kind,
		.item = resolver->subjects[request].item,
		.owner = resolver->subjects[request].owner,
		.align = resolver->requests[request].align,
	};
}

/* RAM, what is kept from it, and windows; in no order. Returns how many. */
static size_t collect(const Current *current, const Allocation *windows, LayoutPlacement *out)
{
	const MemoryRange blocked[MAX_BLOCKED] = { current->gap, current->zone };
	const NodeRangeList ram = current->windows.result.ram;
	MemoryRange pieces[MAX_PIECES];
	LayoutPlacement *at = out;

	for (size_t i = 0; i < ram.count; i++)
		*at++ = (LayoutPlacement){ ram.items[i].range,
			{ .text = "ram%", .number = ram.items[i].vnode }, PLACEMENT_RAM,
			LAYOUT_ITEM_RAM, ram.items[i].vnode, RAM_GRANULARITY };
	for (size_t i = 0; i < windows->count; i++) {
		const Placement *placement = &windows->placements[i];

		if (placement->kind != PLACEMENT_RESERVED)
			*at++ = placement_of(
				&current->windows, placement->request, placement->range);
	}
	if (!memory_range_is_empty(current->gap))
		*at++ = (LayoutPlacement){ current->gap, tag_of("low-ram-gap"),
			PLACEMENT_RESERVED, LAYOUT_ITEM_LOW_RAM_GAP, 0, 0 };
	for (size_t i = 0; i < current->reserved_count; i++) {
		const size_t count = cut(current->reserved[i].range, blocked, pieces);

		for (size_t k = 0; k < count; k++)
			*at++ = (LayoutPlacement){ pieces[k], current->reserved[i].tag,
				PLACEMENT_RESERVED, LAYOUT_ITEM_RESERVED_IOVA, 0, 0 };
	}
	return (size_t)(at - out);
}

static bool list_everything(Current *current, const Allocation *windows, Error *err)
{
	ResolvedLayout *result = &current->windows.result;
	const size_t room =
		result->ram.count + windows->count + 1 + current->reserved_count * MAX_PIECES;
	LayoutPlacement *all = reserve_array(current->arena, LayoutPlacement, room, err);
	LayoutPlacement *items = reserve_array(current->arena, LayoutPlacement, room, err);
	SortKey *keys = reserve_array(current->arena, SortKey, 2 * room, err);
	size_t count;

	if (!all || !items || !keys)
		return false;
	count = collect(current, windows, all);
	for (size_t i = 0; i < count; i++)
		keys[i] = (SortKey){ all[i].range.start, i };
	sort_keys(keys, keys + room, count);
	for (size_t i = 0; i < count; i++)
		items[i] = all[keys[i].index];
	while (items[count - 1].kind == PLACEMENT_RESERVED)
		count--;
	result->placements = (LayoutPlacementList){ items, count };
	result->top = items[count - 1].range.end;
	return check_top(current->shape, result->top, err);
}

/* Pinned by each pass besides the requests that every version has. */
static size_t extra_requests(const Current *current)
{
	return 2 + current->reserved_count * MAX_PIECES;
}

bool resolve_current(const LayoutShape *shape, const KeptIndex *kept, Arena *arena,
	ResolvedLayout *out, Error *err)
{
	Current current = {
		.shape = shape,
		.kept = kept,
		.arena = arena,
		.zone = layout_defaults(shape->arch)->zone,
		.ram = { .shape = shape, .arena = arena, .natural = true },
		.windows = { .shape = shape,
			.arena = arena,
			.natural = true,
			.result.version = shape->version },
	};
	Allocation windows;

	if (!check_options(shape, err) || !merge_reserved(&current, err) ||
		!find_device_space(&current, err) || !find_gap(&current, err) ||
		!resolver_begin(&current.ram, extra_requests(&current), err) ||
		!resolver_begin(&current.windows, extra_requests(&current), err) ||
		!resolver_find_segments(&current.windows, err))
		return false;
	if (!place_ram(&current, err))
		return false;
	find_high(&current);
	return check_windows(&current, err) && place_windows(&current, &windows, err) &&
		list_everything(&current, &windows, err) &&
		resolver_seal(&current.windows, out, err);
}
