/*
 * The map, the pool and VTL2's windows side by side, with their reasons.
 */
#include "layout/layout_explain.h"

#include <inttypes.h>

#include "layout/layout_internal.h"
#include "support/range_list.h"

static const char *const igvm_names[] = {
	[IGVM_MEMORY] = "memory",
	[IGVM_PLATFORM_RESERVED] = "platform-reserved",
	[IGVM_PERSISTENT] = "persistent",
	[IGVM_VTL2_PROTECTABLE] = "vtl2-protectable",
	[IGVM_SPECIFIC_PURPOSE] = "specific-purpose",
	[IGVM_HIDDEN] = "hidden",
};

const char *igvm_memory_type_name(uint16_t type)
{
	return type < ARRAY_COUNT(igvm_names) ? igvm_names[type] : "unknown";
}

static const char *window_reason(RoleSource source, const char *by_address)
{
	return source == ROLE_SOURCE_BY_ADDRESS ? by_address : "role declared";
}

static const char *mmio_text(
	const LayoutRecord *record, const ChipsetMmioRanges *mmio, Arena *arena, Error *err)
{
	const char *reason = "role declared, no chipset window";

	if (memory_range_equal(record->range, mmio->low))
		reason = window_reason(
			mmio->low_source, "role by address: it ends at or below 4 GiB");
	else if (memory_range_equal(record->range, mmio->high))
		reason = window_reason(
			mmio->high_source, "role by address: it starts at or above 4 GiB");
	return arena_printf(
		arena, err, "mmio, %s, %s", record->tag ? record->tag : "untagged", reason);
}

static const char *record_text(
	const LayoutRecord *record, const ChipsetMmioRanges *mmio, Arena *arena, Error *err)
{
	if (record->kind == LAYOUT_RAM)
		return arena_printf(arena, err,
			"ram, node %" PRIu32 ", igvm-type %u (%s), given by the boot tree",
			record->vnode, record->igvm_type,
			igvm_memory_type_name(record->igvm_type));
	if (record->kind == LAYOUT_MMIO)
		return mmio_text(record, mmio, arena, err);
	return arena_printf(arena, err, "%s%s%s", layout_kind_name(record->kind),
		record->tag ? ", " : "", record->tag ? record->tag : "");
}

/* Everything that is somebody's, in no order. */
static bool explain_owned(const Vtl0Layout *layout, const ChipsetMmioRanges *mmio, Arena *arena,
	Explanation *items, size_t count, Error *err)
{
	const LayoutRecordList records = layout->vtl0.records;
	size_t at = 0;

	for (size_t i = 0; i < records.count; i++) {
		items[at].range = records.items[i].range;
		items[at++].text = record_text(&records.items[i], mmio, arena, err);
	}
	for (size_t i = 0; i < layout->shared_pool.count; i++) {
		items[at].range = layout->shared_pool.items[i].range;
		items[at++].text = arena_printf(arena, err,
			"shared pool, node %" PRIu32 ", taken by vtl2 from the top of ram",
			layout->shared_pool.items[i].vnode);
	}
	for (size_t i = 0; i < mmio->vtl2.count; i++) {
		items[at].range = mmio->vtl2.items[i];
		items[at++].text = "mmio, vtl2-private, not shown to vtl0";
	}
	for (size_t i = 0; i < count; i++) {
		if (!items[i].text)
			return false;
	}
	return true;
}

static void explain_hole(Explanation *items, size_t *count, uint64_t start, uint64_t end)
{
	if (start < end)
		items[(*count)++] = (Explanation){ { start, end }, "nothing that vtl0 has" };
}

bool layout_explain(const Vtl0Layout *layout, const ChipsetMmioRanges *mmio, Arena *arena,
	ExplanationList *out, Error *err)
{
	const size_t owned =
		layout->vtl0.records.count + layout->shared_pool.count + mmio->vtl2.count;
	Explanation *items = arena_reserve_array(arena, Explanation, owned, err);
	SortKey *keys = items ? arena_reserve_array(arena, SortKey, 2 * owned, err) : NULL;
	Explanation *all =
		keys ? arena_reserve_array(arena, Explanation, 2 * owned + 1, err) : NULL;
	uint64_t at = 0;
	size_t count = 0;

	if (!all || !explain_owned(layout, mmio, arena, items, owned, err))
		return false;
	for (size_t i = 0; i < owned; i++)
		keys[i] = (SortKey){ items[i].range.start, i };
	sort_keys(keys, keys + owned, owned);
	for (size_t i = 0; i < owned; i++) {
		const Explanation *item = &items[keys[i].index];

		explain_hole(all, &count, at, item->range.start);
		all[count++] = *item;
		at = item->range.end;
	}
	explain_hole(all, &count, at, MEMORY_RANGE_LIMIT);
	*out = (ExplanationList){ all, count };
	return true;
}

const Explanation *layout_explain_find(ExplanationList list, uint64_t address)
{
	const size_t index = range_list_find(range_view(list), address);

	return index == RANGE_NONE ? NULL : &list.items[index];
}
