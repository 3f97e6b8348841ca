/*
 * Free space as a sorted array: a walk a request, and memmove where a range is cut in two.
 */
#include "layout/allocator_internal.h"

#include <string.h>

/* Removes @range from free range @index, which contains it. */
static void take(FreeSpace *space, size_t index, MemoryRange range)
{
	MemoryRange *at = space->items + index;
	const size_t behind = space->count - index - 1;

	/* Most windows stand at the edge of what is free. */
	if (at->start == range.start && range.end < at->end) {
		at->start = range.end;
	} else if (at->start < range.start && range.end == at->end) {
		at->end = range.start;
	} else if (at->start < range.start) {
		memmove(at + 2, at + 1, behind * sizeof(*at));
		at[1] = (MemoryRange){ range.end, at->end };
		at->end = range.start;
		space->count++;
	} else {
		memmove(at, at + 1, behind * sizeof(*at));
		space->count--;
	}
}

/* First free range that ends above the floor of the phase. */
static size_t first_index(const WindowPhase *phase, const FreeSpace *space)
{
	size_t i = 0;

	while (i < space->count && space->items[i].end <= phase->floor)
		i++;
	return i;
}

/* The free range that is first in the phase's direction to have room at @start. */
static bool find_fit(const WindowPhase *phase, const FreeSpace *space, size_t first,
	const AllocatorRequest *request, size_t *index, uint64_t *start)
{
	const MemoryRange *items = space->items;
	size_t i;

	if (phase->top_down) {
		for (i = space->count; i-- > first;) {
			if (window_fit(phase, items[i], request->size, request->align, start))
				break;
		}
		*index = i;
		return i + 1 > first;
	}
	for (i = first; i < space->count; i++) {
		if (window_fit(phase, items[i], request->size, request->align, start))
			break;
	}
	*index = i;
	return i < space->count;
}

size_t window_phase_array(const WindowPhase *phase, FreeSpace *space)
{
	const size_t first = first_index(phase, space);
	size_t placed = 0, index;
	MemoryRange *range;
	uint64_t start = 0;

	for (; placed < phase->count; placed++) {
		const size_t request = phase->order[placed].index;
		const AllocatorRequest *asked = &phase->requests[request];

		if (!find_fit(phase, space, first, asked, &index, &start))
			break;
		range = &phase->ranges[request];
		*range = (MemoryRange){ start, start + asked->size };
		take(space, index, *range);
	}
	return placed;
}
