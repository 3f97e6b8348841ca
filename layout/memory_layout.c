/*
 * Records to a checked map, and what can be asked of it.
 */
#include "layout/memory_layout.h"

#include "layout/layout_internal.h"
#include "support/checked.h"
#include "support/diagnostics.h"
#include "support/range_list.h"

static const char *const kind_names[] = {
	[LAYOUT_RAM] = "ram",
	[LAYOUT_MMIO] = "mmio",
	[LAYOUT_PCI_ECAM] = "pci-ecam",
	[LAYOUT_PCI_MMIO] = "pci-mmio",
	[LAYOUT_VTL2] = "vtl2",
};
static_assert(ARRAY_COUNT(kind_names) == LAYOUT_KIND_COUNT, "one name a kind");

const char *layout_kind_name(LayoutKind kind)
{
	return (unsigned int)kind < LAYOUT_KIND_COUNT ? kind_names[kind] : "unknown";
}

static const char *record_name(const LayoutRecord *record)
{
	return record->tag ? record->tag : layout_kind_name(record->kind);
}

static bool check_not_empty(LayoutRecordList records, Error *err)
{
	for (size_t i = 0; i < records.count; i++) {
		const LayoutRecord *record = &records.items[i];

		if (record->range.start >= record->range.end)
			return error_set(err, PVW_LAYOUT_0004,
				"%s " RANGE_FORMAT " is empty, expected start < end",
				record_name(record), RANGE_ARGS(record->range));
	}
	return true;
}

/* A copy of @records, ascending by start, or NULL. */
static LayoutRecord *sorted_copy(LayoutRecordList records, Arena *arena, Error *err)
{
	const size_t count = records.count;
	LayoutRecord *sorted = arena_reserve_array(arena, LayoutRecord, count, err);
	SortKey *keys = sorted ? arena_reserve_array(arena, SortKey, 2 * count, err) : NULL;

	if (!keys)
		return NULL;
	for (size_t i = 0; i < count; i++)
		keys[i] = (SortKey){ records.items[i].range.start, i };
	sort_keys(keys, keys + count, count);
	for (size_t i = 0; i < count; i++)
		sorted[i] = records.items[keys[i].index];
	arena_shrink(arena, keys, 0);
	return sorted;
}

static bool check_apart(LayoutRecordList sorted, Error *err)
{
	for (size_t i = 1; i < sorted.count; i++) {
		const LayoutRecord *a = &sorted.items[i - 1], *b = &sorted.items[i];

		if (b->range.start < a->range.end)
			return error_set(err, PVW_LAYOUT_0002,
				"%s " RANGE_FORMAT " overlaps %s " RANGE_FORMAT
				", expected them apart",
				record_name(a), RANGE_ARGS(a->range), record_name(b),
				RANGE_ARGS(b->range));
	}
	return true;
}

/* Fills in what follows from the sorted records. */
static bool sum_up(MemoryLayout *layout, Arena *arena, Error *err)
{
	LayoutRecord *ram =
		arena_reserve_array(arena, LayoutRecord, layout->records.count, err);
	size_t count = 0;

	if (!ram)
		return false;
	for (size_t i = 0; i < layout->records.count; i++) {
		const LayoutRecord *record = &layout->records.items[i];

		if (record->kind != LAYOUT_VTL2)
			layout->end_of_layout = record->range.end;
		if (record->kind != LAYOUT_RAM)
			continue;
		ram[count++] = *record;
		layout->ram_size += memory_range_len(record->range);
		layout->end_of_ram = record->range.end;
	}
	arena_shrink(arena, ram, count * sizeof(*ram));
	layout->ram = (LayoutRecordList){ ram, count };
	return true;
}

static bool check_vtl2_behind_ram(const MemoryLayout *layout, Error *err)
{
	for (size_t i = 0; i < layout->records.count; i++) {
		const LayoutRecord *record = &layout->records.items[i];

		if (record->kind == LAYOUT_VTL2 && record->range.start < layout->end_of_ram)
			return error_set(err, PVW_LAYOUT_0003,
				"%s " RANGE_FORMAT
				", expected a start at or above the end of RAM 0x%" PRIx64,
				record_name(record), RANGE_ARGS(record->range),
				layout->end_of_ram);
	}
	return true;
}

bool memory_layout_build(LayoutRecordList records, Arena *arena, MemoryLayout *out, Error *err)
{
	MemoryLayout layout = { 0 };

	if (!check_not_empty(records, err))
		return false;
	layout.records.items = sorted_copy(records, arena, err);
	layout.records.count = records.count;
	if (!layout.records.items || !check_apart(layout.records, err) ||
		!sum_up(&layout, arena, err))
		return false;
	if (!layout.ram.count)
		return error_set(err, PVW_LAYOUT_0001, "no RAM among %zu ranges, expected some",
			records.count);
	if (!check_vtl2_behind_ram(&layout, err))
		return false;
	*out = layout;
	return true;
}

/* Puts the ranges of one kind behind @count records; returns how many there are now. */
static size_t add_ranges(
	LayoutRecord *records, size_t count, LayoutKind kind, MemoryRangeList list)
{
	for (size_t i = 0; i < list.count; i++)
		records[count++] = (LayoutRecord){ .kind = kind, .range = list.items[i] };
	return count;
}

static size_t gaps_count(const LayoutGaps *gaps)
{
	return gaps->mmio.count + gaps->pci_ecam.count + gaps->pci_mmio.count + 1;
}

/* Behind @count records; there is room for gaps_count of them. */
static size_t add_gaps(LayoutRecord *records, size_t count, const LayoutGaps *gaps)
{
	count = add_ranges(records, count, LAYOUT_MMIO, gaps->mmio);
	count = add_ranges(records, count, LAYOUT_PCI_ECAM, gaps->pci_ecam);
	count = add_ranges(records, count, LAYOUT_PCI_MMIO, gaps->pci_mmio);
	if (!memory_range_is_empty(gaps->vtl2))
		records[count++] = (LayoutRecord){ .kind = LAYOUT_VTL2, .range = gaps->vtl2 };
	return count;
}

static bool check_gaps(const LayoutGaps *gaps, Error *err)
{
	return range_list_check(range_view(gaps->mmio), "mmio", err) &&
		range_list_check(range_view(gaps->pci_ecam), "pci-ecam", err) &&
		range_list_check(range_view(gaps->pci_mmio), "pci-mmio", err);
}

bool memory_layout_from_ranges(
	NodeRangeList ram, const LayoutGaps *gaps, Arena *arena, MemoryLayout *out, Error *err)
{
	const size_t room = ram.count + gaps_count(gaps);
	LayoutRecord *records;
	size_t count = 0;

	if (!range_list_check(range_view(ram), "ram", err) || !check_gaps(gaps, err))
		return false;
	records = arena_reserve_array(arena, LayoutRecord, room, err);
	if (!records)
		return false;
	for (; count < ram.count; count++)
		records[count] = (LayoutRecord){ .kind = LAYOUT_RAM,
			.range = ram.items[count].range,
			.vnode = ram.items[count].vnode };
	count = add_gaps(records, count, gaps);
	return memory_layout_build((LayoutRecordList){ records, count }, arena, out, err);
}

static bool check_sizes(const uint64_t *sizes, size_t nodes, Error *err)
{
	uint64_t total = 0;

	if (!nodes)
		return error_set(
			err, PVW_LAYOUT_0007, "no node has memory, expected at least one");
	for (size_t i = 0; i < nodes; i++) {
		if (!sizes[i] || !is_aligned(sizes[i], PAGE_SIZE))
			return error_set(err, PVW_LAYOUT_0007,
				"node %zu has 0x%" PRIx64
				" bytes, expected a multiple of 4096 that is not 0",
				i, sizes[i]);
		if (!checked_add_u64(total, sizes[i], &total))
			return error_set(err, PVW_LAYOUT_0007,
				"memory of nodes 0 to %zu adds up to 2^64 bytes or more, "
				"expected less",
				i);
	}
	return true;
}

/*
 * Fills RAM around gaps that are ascending and apart. A chunk ends where a gap begins or where
 * the node's memory ends, so there are at most as many as nodes and gaps together.
 */
static bool fill_around(const uint64_t *sizes, size_t nodes, LayoutRecordList gaps,
	LayoutRecord *ram, size_t *chunks, Error *err)
{
	uint64_t at = 0;
	size_t gap = 0, count = 0;

	for (size_t node = 0; node < nodes; node++) {
		uint64_t left = sizes[node];

		while (left) {
			const uint64_t end = gap < gaps.count ? gaps.items[gap].range.start
							      : MEMORY_RANGE_LIMIT;
			const uint64_t room = end > at ? end - at : 0;
			const uint64_t take = left < room ? left : room;

			if (take)
				ram[count++] = (LayoutRecord){ .kind = LAYOUT_RAM,
					.range = { at, at + take },
					.vnode = (uint32_t)node };
			left -= take;
			at += take;
			if (!left)
				break;
			if (gap == gaps.count)
				return error_set(err, PVW_LAYOUT_0008,
					"node %zu: 0x%" PRIx64 " bytes do not fit below 2^64",
					node, left);
			at = gaps.items[gap++].range.end;
		}
	}
	*chunks = count;
	return true;
}

bool memory_layout_fill(const uint64_t *sizes, size_t nodes, const LayoutGaps *gaps,
	Arena *arena, MemoryLayout *out, Error *err)
{
	/* RAM flows around gaps; VTL2's memory is judged with the rest, not flowed around. */
	LayoutGaps around = *gaps;
	LayoutRecord *placed, *records;
	LayoutRecordList sorted;
	size_t room, count = 0;

	if (!check_sizes(sizes, nodes, err) || !check_gaps(gaps, err))
		return false;
	around.vtl2 = MEMORY_RANGE_EMPTY;
	placed = arena_reserve_array(arena, LayoutRecord, gaps_count(gaps), err);
	if (!placed)
		return false;
	sorted.count = add_gaps(placed, 0, &around);
	sorted.items = placed;
	if (!check_not_empty(sorted, err))
		return false;
	sorted.items = sorted_copy(sorted, arena, err);
	if (!sorted.items || !check_apart(sorted, err))
		return false;

	if (!checked_add_size(nodes, sorted.count, &room) ||
		!checked_add_size(room, gaps_count(gaps), &room))
		return error_set(err, PVW_LAYOUT_0007, "%zu nodes are too many", nodes);
	records = arena_reserve_array(arena, LayoutRecord, room, err);
	if (!records || !fill_around(sizes, nodes, sorted, records, &count, err))
		return false;
	count = add_gaps(records, count, gaps);
	return memory_layout_build((LayoutRecordList){ records, count }, arena, out, err);
}

const LayoutRecord *memory_layout_probe(const MemoryLayout *layout, uint64_t address)
{
	const LayoutRecordList records = layout->records;
	const RangeView view = { &records.items->range, records.count, sizeof(*records.items) };
	const size_t index = range_list_find(view, address);

	if (index == RANGE_NONE || records.items[index].kind == LAYOUT_VTL2)
		return NULL;
	return &records.items[index];
}

bool memory_layout_max_ram_below_4gib(const MemoryLayout *layout, uint64_t *end)
{
	for (size_t i = layout->ram.count; i-- > 0;) {
		if (layout->ram.items[i].range.end >= FOUR_GIB)
			continue;
		*end = layout->ram.items[i].range.end;
		return true;
	}
	return false;
}
