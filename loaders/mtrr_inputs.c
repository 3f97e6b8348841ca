/*
 * What the MTRR policies want to know, gathered from a guest's memory layout.
 */
#include "loaders/mtrr.h"

#include <stdlib.h>

#include "layout/resolver.h"
#include "layout/vtl0_layout.h"

/* The lists of MtrrInputs, one row of ranges behind the other. */
enum {
	LIST_RAM,
	LIST_MMIO,
	LIST_YIELDING,
	LIST_COUNT = LIST_YIELDING + MTRR_YIELD_COUNT,
	LIST_NONE = LIST_COUNT /* nobody cares what type it has */
};

/* A range and the list it belongs to. */
typedef struct Listed {
	MemoryRange range;
	unsigned list;
} Listed;

static int by_list_and_start(const void *a, const void *b)
{
	const Listed *left = a, *right = b;

	if (left->list != right->list)
		return left->list < right->list ? -1 : 1;
	return (left->range.start > right->range.start) -
		(left->range.start < right->range.start);
}

/* VTL2's ranges come from two tellers that may say the same; the others are disjoint already. */
static bool joins(MemoryRange *last, const Listed *item)
{
	if (item->list != LIST_YIELDING + MTRR_YIELD_VTL2 || item->range.start > last->end)
		return false;
	if (item->range.end > last->end)
		last->end = item->range.end;
	return true;
}

/* Sorts @items and cuts them into the lists of @out. */
static bool make_lists(Listed *items, size_t count, Arena *arena, MtrrInputs *out, Error *err)
{
	MemoryRange *ranges = arena_array(arena, MemoryRange, count, err);
	MemoryRangeList lists[LIST_COUNT] = { 0 };

	if (!ranges)
		return false;
	qsort(items, count, sizeof(*items), by_list_and_start);
	for (size_t i = 0; i < count && items[i].list != LIST_NONE; i++) {
		MemoryRangeList *list = &lists[items[i].list];

		if (list->count && joins(ranges - 1, &items[i]))
			continue;
		if (!list->count)
			list->items = ranges;
		*ranges++ = items[i].range;
		list->count++;
	}
	out->ram = lists[LIST_RAM];
	out->mmio = lists[LIST_MMIO];
	for (unsigned i = 0; i < MTRR_YIELD_COUNT; i++)
		out->yielding[i] = lists[LIST_YIELDING + i];
	return true;
}

/* PCI's below the end of RAM cost nothing to keep that RAM would not cost. */
static unsigned list_of_pci(MemoryRange range, uint64_t end_of_ram)
{
	return range.start >= end_of_ram ? LIST_YIELDING + MTRR_YIELD_PCI_HIGH : LIST_MMIO;
}

static unsigned list_of_record(
	const LayoutRecord *record, MemoryRange high, uint64_t end_of_ram)
{
	switch (record->kind) {
	case LAYOUT_RAM:
		return LIST_RAM;
	case LAYOUT_MMIO:
		return record->range.start == high.start && !memory_range_is_empty(high)
			? LIST_YIELDING + MTRR_YIELD_CHIPSET_HIGH
			: LIST_MMIO;
	case LAYOUT_PCI_ECAM:
	case LAYOUT_PCI_MMIO:
		return list_of_pci(record->range, end_of_ram);
	case LAYOUT_VTL2:
		return LIST_YIELDING + MTRR_YIELD_VTL2;
	case LAYOUT_KIND_COUNT:
		break;
	}
	return LIST_NONE;
}

bool mtrr_inputs_from_layout(const Vtl0Layout *layout, const ChipsetMmioRanges *mmio,
	uint8_t physical_address_bits, Arena *arena, MtrrInputs *out, Error *err)
{
	const LayoutRecordList records = layout->vtl0.records;
	const size_t count = records.count + mmio->vtl2.count;
	Listed *items = arena_array(arena, Listed, count, err);
	MtrrInputs in = {
		.low = mmio->low,
		.high = mmio->high,
		.physical_address_bits = physical_address_bits,
	};

	if (!items)
		return false;
	for (size_t i = 0; i < records.count; i++)
		items[i] = (Listed){ records.items[i].range,
			list_of_record(
				&records.items[i], mmio->high, layout->vtl0.end_of_ram) };
	for (size_t i = 0; i < mmio->vtl2.count; i++)
		items[records.count + i] =
			(Listed){ mmio->vtl2.items[i], LIST_YIELDING + MTRR_YIELD_VTL2 };
	if (!make_lists(items, count, arena, &in, err))
		return false;
	*out = in;
	return true;
}

static unsigned list_of_placement(const LayoutPlacement *placement, uint64_t end_of_ram)
{
	switch (placement->item) {
	case LAYOUT_ITEM_RAM:
		return LIST_RAM;
	case LAYOUT_ITEM_CHIPSET_LOW:
	case LAYOUT_ITEM_RC_LOW:
	case LAYOUT_ITEM_IOMMU:
	case LAYOUT_ITEM_VIRTIO_MMIO:
		return LIST_MMIO;
	case LAYOUT_ITEM_CHIPSET_HIGH:
		return LIST_YIELDING + MTRR_YIELD_CHIPSET_HIGH;
	case LAYOUT_ITEM_ECAM:
	case LAYOUT_ITEM_RC_HIGH:
		return list_of_pci(placement->range, end_of_ram);
	case LAYOUT_ITEM_CXL_HDM:
	case LAYOUT_ITEM_CXL_CHBCR:
		return LIST_YIELDING + MTRR_YIELD_CXL;
	case LAYOUT_ITEM_VTL2_CHIPSET:
	case LAYOUT_ITEM_VTL2:
	case LAYOUT_ITEM_VTL2_FRAMEBUFFER:
		return LIST_YIELDING + MTRR_YIELD_VTL2;
	case LAYOUT_ITEM_LOW_RAM_GAP:
	case LAYOUT_ITEM_RESERVED_IOVA:
	case LAYOUT_ITEM_COUNT:
		break;
	}
	return LIST_NONE;
}

bool mtrr_inputs_from_resolved(const ResolvedLayout *layout, uint8_t physical_address_bits,
	Arena *arena, MtrrInputs *out, Error *err)
{
	const LayoutPlacementList placements = layout->placements;
	Listed *items = arena_array(arena, Listed, placements.count, err);
	MtrrInputs in = {
		.low = layout->chipset_low,
		.high = layout->chipset_high,
		.physical_address_bits = physical_address_bits,
	};

	if (!items)
		return false;
	for (size_t i = 0; i < placements.count; i++)
		items[i] = (Listed){ placements.items[i].range,
			list_of_placement(&placements.items[i], layout->end_of_ram) };
	if (!make_lists(items, placements.count, arena, &in, err))
		return false;
	*out = in;
	return true;
}
