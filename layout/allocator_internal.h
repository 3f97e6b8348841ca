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
} WindowPhase;

/* Which form searches. Both place everything alike. */
typedef enum AllocatorForm {
	ALLOCATOR_FORM_BY_COUNT,
	ALLOCATOR_FORM_ARRAY, /* a walk a request: fastest for what guests have */
	ALLOCATOR_FORM_TREE,  /* a search tree: logarithmic whatever is asked */
	ALLOCATOR_FORM_COUNT
} AllocatorForm;

/* More requests in one phase than this, and the tree searches. */
#define ALLOCATOR_ARRAY_MAX 1024

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

/**
 * window_phase_array - place requests by walking the free ranges
 *
 * Returns how many were placed: all, or up to the first that has no place.
 */
size_t window_phase_array(const WindowPhase *phase, FreeSpace *space);

/** window_phase_tree - the same by a tree; false without memory */
MUST_CHECK bool window_phase_tree(
	const WindowPhase *phase, FreeSpace *space, Arena *arena, size_t *placed, Error *err);

/** run_finish - the list of everything that a run has placed */
MUST_CHECK bool run_finish(AllocatorRun *run, Allocation *out, Error *err);

/** allocator_run_form - allocator_run with a form of one's choice */
MUST_CHECK bool allocator_run_form(AllocatorForm form, AllocatorRequestList requests,
	Arena *arena, Allocation *out, AllocatorFailure *why, Error *err);

#endif
