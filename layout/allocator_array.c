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

/*
 * Free ranges that a phase walks, in its direction: those from @first on, but for the last
 * @above of the list. Ranges only shrink, so one that had no room for a request has none for
 * the next one either that wants as much.
 */
typedef struct Walk {
	size_t first, above;
	size_t at;    /* where the walk goes on; top-down: one past it */
	uint64_t key; /* what the last request wanted */
} Walk;

static Walk walk_begin(const WindowPhase *phase, const FreeSpace *space)
{
	Walk walk = { .key = UINT64_MAX };

	while (walk.first < space->count && space->items[walk.first].end <= phase->floor)
		walk.first++;
	while (walk.above < space->count &&
		space->items[space->count - walk.above - 1].start >= phase->ceiling)
		walk.above++;
	return walk;
}

/* The highest free range with room, at @start; @walk->at is one past it. */
static bool walk_down(Walk *walk, const WindowPhase *phase, const FreeSpace *space,
	const AllocatorRequest *request, uint64_t *start)
{
	for (; walk->at > walk->first; walk->at--) {
		if (window_fit(phase, space->items[walk->at - 1], request->size, request->align,
			    start))
			return true;
	}
	return false;
}

/* The lowest free range with room, at @start. */
static bool walk_up(Walk *walk, const WindowPhase *phase, const FreeSpace *space,
	const AllocatorRequest *request, uint64_t *start)
{
	for (; walk->at < space->count; walk->at++) {
		if (window_fit(phase, space->items[walk->at], request->size, request->align,
			    start))
			return true;
	}
	return false;
}

void window_phase_array(WindowPhase *phase, FreeSpace *space)
{
	Walk walk = walk_begin(phase, space);
	uint64_t start = 0;

	for (; phase->placed < phase->count; phase->placed++) {
		const SortKey next = phase->order[phase->placed];
		const AllocatorRequest *asked = &phase->requests[next.index];
		MemoryRange *range = &phase->ranges[next.index];

		if (next.key != walk.key) {
			walk.key = next.key;
			walk.at = phase->top_down ? space->count - walk.above : walk.first;
			if (--phase->walks == 0)
				return;
		}
		if (phase->top_down ? !walk_down(&walk, phase, space, asked, &start)
				    : !walk_up(&walk, phase, space, asked, &start))
			return;
		*range = (MemoryRange){ start, start + asked->size };
		phase->top = range->end > phase->top ? range->end : phase->top;
		take(space, walk.at - phase->top_down, *range);
	}
}
