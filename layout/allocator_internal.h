/*
 * The allocator's free space, and the two forms in which a phase of whole windows searches it.
 */
#ifndef LAYOUT_ALLOCATOR_INTERNAL_H
#define LAYOUT_ALLOCATOR_INTERNAL_H

#include "layout/allocator.h"
#include "layout/layout_internal.h"

/* Free ranges, ascending, none empty, with room for what a phase adds. */
typedef struct FreeSpace {
	MemoryRange *items;
	size_t count;
} FreeSpace;

/* Everything that a run works on. */
typedef struct AllocatorRun {
	const AllocatorRequest *requests;
	size_t count;
	size_t begin[PLACEMENT_KIND_COUNT + 1]; /* of each kind in @order */
	SortKey *order, *scratch;               /* requests by kind */
	FreeSpace space;
	MemoryRange *spare;  /* as many as @space may have */
	MemoryRange *ranges; /* by request; RAM: unused */
	MemoryRange *extents;
	MemoryRangeList *targets;
	Placement *listed, *placements; /* room for all, twice */
	uint64_t end_of_ram, top;
	Arena *arena;
	AllocatorFailure *why;
} AllocatorRun;

/* Requests of one phase that are placed in one piece. */
typedef struct WindowPhase {
	const AllocatorRequest *requests;
	const SortKey *order; /* @count of them, by alignment, then size, both descending */
	size_t count;
	MemoryRange *ranges; /* by request: receives where it is */
	uint64_t floor, ceiling;
	bool top_down; /* the highest fit, else the lowest */
	uint64_t top;  /* raised to the end of whatever is placed */
	size_t placed; /* how many are: all, or up to the first that has no place */
	size_t walks;  /* left to an array; without any it leaves the rest to the tree */
} WindowPhase;

/* Which form searches. Both place everything alike. */
typedef enum AllocatorForm {
	ALLOCATOR_FORM_BY_COUNT,
	ALLOCATOR_FORM_ARRAY, /* walks: fastest for what guests have */
	ALLOCATOR_FORM_TREE,  /* a search tree: logarithmic whatever is asked */
	ALLOCATOR_FORM_COUNT
} AllocatorForm;

/*
 * The tree searches for more requests in a phase than this, or goes on after so many walks: those
 * that want as much as the one before them cost an array none.
 */
#define ALLOCATOR_ARRAY_MAX 1024
#define ALLOCATOR_ARRAY_WALKS 160

/*
 * The place for @size bytes in @range inside of [@floor, @ceiling), highest or lowest; false if
 * there is none.
 */
static inline bool window_fit(const WindowPhase *phase, MemoryRange range, uint64_t size,
	uint64_t align, uint64_t *start)
{
	const uint64_t low = range.start > phase->floor ? range.start : phase->floor;
	const uint64_t high = range.end < phase->ceiling ? range.end : phase->ceiling;

	if (low >= high || high - low < size)
		return false;
	if (phase->top_down)
		*start = align_down(high - size, align);
	else if (!checked_align_up(low, align, start))
		return false;
	return *start >= low && *start <= high - size;
}

/** window_phase_array - place requests by walking the free ranges, as long as it may walk */
void window_phase_array(WindowPhase *phase, FreeSpace *space);

/** window_phase_tree - place those that are not placed yet by a tree; false without memory */
MUST_CHECK bool window_phase_tree(
	WindowPhase *phase, FreeSpace *space, Arena *arena, Error *err);

/** run_finish - the list of everything that a run has placed */
Allocation run_finish(AllocatorRun *run);

/* What is wrong with a request by itself; ALLOCATOR_PROBLEM_COUNT if nothing is. */
static inline AllocatorProblem request_problem(const AllocatorRequest *request)
{
	const MemoryRange range = request->range;
	const uint64_t align = request->align;

	if (request->kind <= PLACEMENT_FIXED)
		return range.start < range.end && is_aligned(range.start | range.end, PAGE_SIZE)
			? ALLOCATOR_PROBLEM_COUNT
			: ALLOCATOR_BAD_SIZE;
	if (request->size == 0 || !is_aligned(request->size, PAGE_SIZE))
		return ALLOCATOR_BAD_SIZE;
	if (align < PAGE_SIZE || !is_aligned(align, align))
		return ALLOCATOR_BAD_ALIGNMENT;
	return ALLOCATOR_PROBLEM_COUNT;
}

/*
 * Failures: each sets @err, and @run's why. Return false.
 */
bool fail_too_many(AllocatorRun *run, Error *err);
bool fail_request(AllocatorRun *run, size_t index, AllocatorProblem problem, Error *err);
bool fail_overlap(AllocatorRun *run, size_t a, size_t b, Error *err);

/* The first @placed of the run's order have a place, the next has none; @space is free. */
bool fail_exhausted(AllocatorRun *run, size_t placed, const FreeSpace *space,
	MemoryRange window, Error *err);

/** allocator_run_form - allocator_run with a form of one's choice */
MUST_CHECK bool allocator_run_form(AllocatorForm form, AllocatorRequestList requests,
	Arena *arena, Allocation *out, AllocatorFailure *why, Error *err);

#endif
