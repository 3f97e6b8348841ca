/*
 * The list of placements, ascending.
 */
#include <string.h>

#include "layout/allocator_internal.h"

/* Placements as they come, and whether they have ascended so far. */
typedef struct Listing {
	Placement *at;
	uint64_t last; /* start of the one before */
	bool ascends;
} Listing;

static void list_range(Listing *list, MemoryRange range, PlacementKind kind, uint32_t request)
{
	list->ascends &= list->last <= range.start;
	list->last = range.start;
	*list->at++ = (Placement){ range, kind, request };
}

/* One that has one range, by its place in the run's order. */
static void list_placed(const AllocatorRun *run, size_t at, Listing *list)
{
	const uint32_t index = (uint32_t)run->order[at].index;

	run->targets[index] = (MemoryRangeList){ &run->ranges[index], 1 };
	list_range(list, run->ranges[index], run->requests[index].kind, index);
}

/* What stands below 4 GiB as a rule; what was placed downwards is turned round. */
static void list_low(const AllocatorRun *run, Listing *list)
{
	const size_t *begin = run->begin;

	for (size_t i = begin[PLACEMENT_RAM]; i-- > begin[PLACEMENT_MMIO32];)
		list_placed(run, i, list);
	for (size_t i = 0; i < begin[PLACEMENT_MMIO32]; i++)
		list_placed(run, i, list);
}

static void list_high(const AllocatorRun *run, Listing *list)
{
	const size_t *begin = run->begin;

	for (size_t i = begin[PLACEMENT_RAM]; i < begin[PLACEMENT_MMIO64]; i++) {
		const uint32_t index = (uint32_t)run->order[i].index;
		const MemoryRangeList target = run->targets[index];

		for (size_t k = 0; k < target.count; k++)
			list_range(list, target.items[k], PLACEMENT_RAM, index);
	}
	for (size_t i = begin[PLACEMENT_MMIO64]; i < run->count; i++)
		list_placed(run, i, list);
}

/*
 *	@low   [ a a a )
 *	@out   [ - - -   b b b b b b )     as many free as there are in @low
 *	@out   [ b a b b a a   b b b )     and what was behind the last a stays where it is
 */
static void merge_placements(
	const Placement *low, size_t count, Placement *out, const Placement *end)
{
	const Placement *high = out + count, *low_end = low + count;

	while (low < low_end && high < end)
		*out++ = low->range.start < high->range.start ? *low++ : *high++;
	while (low < low_end)
		*out++ = *low++;
}

/*
 * Some window filled a gap: everything is sorted. Whose order the requests were in is not asked
 * any more, so its room serves the keys.
 */
static void sort_placements(
	AllocatorRun *run, const Placement *from, size_t count, Placement *to)
{
	SortKey *keys = run->order;

	for (size_t i = 0; i < count; i++)
		keys[i] = (SortKey){ from[i].range.start, i };
	sort_keys(keys, run->scratch, count);
	for (size_t i = 0; i < count; i++)
		to[i] = from[keys[i].index];
}

/* Hardly anything is left to sort: low placements ascend by themselves as a rule, so do others. */
Allocation run_finish(AllocatorRun *run)
{
	const size_t lows = run->begin[PLACEMENT_RAM];
	Placement *placements = run->placements;
	Listing low = { .at = run->listed, .ascends = true };
	Listing high = { .at = placements + lows, .ascends = true };
	size_t count;

	list_low(run, &low);
	list_high(run, &high);
	count = (size_t)(high.at - placements);
	if (low.ascends && high.ascends) {
		merge_placements(run->listed, lows, placements, high.at);
	} else {
		memcpy(placements, run->listed, lows * sizeof(*placements));
		sort_placements(run, placements, count, run->listed);
		placements = run->listed;
	}
	while (count && placements[count - 1].kind == PLACEMENT_RESERVED)
		count--;
	return (Allocation){
		.placements = placements,
		.count = count,
		.targets = run->targets,
		.top = count ? placements[count - 1].range.end : 0,
	};
}
