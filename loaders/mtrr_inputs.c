/*
 * What the MTRR policies want to know, gathered from a guest's memory layout.
 */
#include "loaders/mtrr.h"

#include <stdlib.h>

#include "layout/vtl0_layout.h"

static int by_start(const void *a, const void *b)
{
	const MemoryRange *left = a, *right = b;

	return (left->start > right->start) - (left->start < right->start);
}

/* Sorted, and ranges that touch or overlap made one. */
static size_t join(MemoryRange *items, size_t count)
{
	size_t kept = 0;

	qsort(items, count, sizeof(*items), by_start);
	for (size_t i = 1; i < count; i++) {
		if (items[i].start > items[kept].end)
			items[++kept] = items[i];
		else if (items[i].end > items[kept].end)
			items[kept].end = items[i].end;
	}
	return kept + 1;
}

/* Records of the kinds whose bit is set in @kinds, ascending as they are, and @more. */
static bool take_records(LayoutRecordList records, unsigned kinds, MemoryRangeList more,
	Arena *arena, MemoryRangeList *out, Error *err)
{
	MemoryRange *items = arena_array(arena, MemoryRange, records.count + more.count, err);
	size_t count = 0;

	if (!items)
		return false;
	for (size_t i = 0; i < records.count; i++) {
		if (kinds & 1U << records.items[i].kind)
			items[count++] = records.items[i].range;
	}
	for (size_t i = 0; i < more.count; i++)
		items[count++] = more.items[i];
	if (more.count)
		count = join(items, count);
	arena_shrink(arena, items, count * sizeof(*items));
	*out = (MemoryRangeList){ items, count };
	return true;
}

bool mtrr_inputs_from_layout(const Vtl0Layout *layout, const ChipsetMmioRanges *mmio,
	uint8_t physical_address_bits, Arena *arena, MtrrInputs *out, Error *err)
{
	const LayoutRecordList records = layout->vtl0.records;
	const unsigned device_kinds =
		1U << LAYOUT_MMIO | 1U << LAYOUT_PCI_ECAM | 1U << LAYOUT_PCI_MMIO;
	const MemoryRangeList none = { NULL, 0 };
	MtrrInputs in = {
		.low = mmio->low,
		.high = mmio->high,
		.physical_address_bits = physical_address_bits,
	};

	if (!take_records(records, 1U << LAYOUT_RAM, none, arena, &in.ram, err) ||
		!take_records(records, device_kinds, none, arena, &in.mmio, err) ||
		!take_records(records, 1U << LAYOUT_VTL2, mmio->vtl2, arena, &in.hidden, err))
		return false;
	*out = in;
	return true;
}
