/*
 * The list of placements, ascending.
 */
#include "layout/allocator_internal.h"

static Placement *list_placement(const AllocatorRun *run, size_t at, Placement *out)
{
	const uint32_t index = (uint32_t)run->order[at].index;

	run->targets[index] = (MemoryRangeList){ &run->ranges[index], 1 };
	*out = (Placement){ run->ranges[index], run->requests[index].kind, index };
	return out + 1;
}

/*
 * All placements; returns how many. Hardly anything is left to sort: what was placed downwards
 * is turned round, so that everything before @middle ascends, and everything from there on, if
 * no window filled a gap.
 */
static size_t list_placements(const AllocatorRun *run, Placement *out, size_t *middle)
{
	const size_t *begin = run->begin;
	Placement *at = out;

	for (size_t i = begin[PLACEMENT_RAM]; i-- > begin[PLACEMENT_MMIO32];)
		at = list_placement(run, i, at);
	for (size_t i = 0; i < begin[PLACEMENT_MMIO32]; i++)
		at = list_placement(run, i, at);
	*middle = (size_t)(at - out);
	for (size_t i = begin[PLACEMENT_RAM]; i < begin[PLACEMENT_MMIO64]; i++) {
		const uint32_t index = (uint32_t)run->order[i].index;
		const MemoryRangeList *target = &run->targets[index];

		for (size_t k = 0; k < target->count; k++)
			*at++ = (Placement){ target->items[k], PLACEMENT_RAM, index };
	}
	for (size_t i = begin[PLACEMENT_MMIO64]; i < run->count; i++)
		at = list_placement(run, i, at);
	return (size_t)(at - out);
}

static bool ascends(const Placement *from, const Placement *end)
{
	for (; end - from > 1; from++) {
		if (from[0].range.start > from[1].range.start)
			return false;
	}
	return true;
}

/* Two lists that ascend become one. */
static void merge_placements(
	const Placement *a, const Placement *b, const Placement *end, Placement *out)
{
	const Placement *middle = b;

	while (a < middle && b < end)
		*out++ = a->range.start < b->range.start ? *a++ : *b++;
	while (a < middle)
		*out++ = *a++;
	while (b < end)
		*out++ = *b++;
}

/* Whose order the requests were in is not asked any more: its room serves the keys. */
static void sort_placements(AllocatorRun *run, size_t count)
{
	SortKey *keys = run->order;

	for (size_t i = 0; i < count; i++)
		keys[i] = (SortKey){ run->listed[i].range.start, i };
	sort_keys(keys, run->scratch, count);
	for (size_t i = 0; i < count; i++)
		run->placements[i] = run->listed[keys[i].index];
}

Allocation run_finish(AllocatorRun *run)
{
	Placement *listed = run->listed;
	size_t count, middle;

	count = list_placements(run, listed, &middle);
	if (ascends(listed, listed + middle) && ascends(listed + middle, listed + count))
		merge_placements(listed, listed + middle, listed + count, run->placements);
	else
		sort_placements(run, count);
	while (count && run->placements[count - 1].kind == PLACEMENT_RESERVED)
		count--;
	return (Allocation){
		.placements = run->placements,
		.count = count,
		.targets = run->targets,
		.top = count ? run->placements[count - 1].range.end : 0,
	};
}
