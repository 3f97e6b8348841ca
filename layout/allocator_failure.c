/*
 * Why a run of the allocator ends without a layout: for programs and for people.
 */
#include <stdio.h>

#include "layout/allocator_internal.h"
#include "support/diagnostics.h"

/* A range, the tags on both of its sides, and the words between. */
#define HOLE_SIZE (2 * LAYOUT_TAG_SIZE + 112)

static void explain(AllocatorRun *run, AllocatorFailure failure)
{
	if (run->why)
		*run->why = failure;
}

static AllocatorFailure failure_of(
	const AllocatorRun *run, size_t request, AllocatorProblem problem)
{
	return (AllocatorFailure){
		.problem = problem,
		.phase = run->requests[request].kind,
		.request = (uint32_t)request,
		.below = ALLOCATOR_NOBODY,
		.above = ALLOCATOR_NOBODY,
	};
}

bool fail_too_many(AllocatorRun *run, Error *err)
{
	explain(run, (AllocatorFailure){ .problem = ALLOCATOR_TOO_MANY });
	return error_set(err, PVW_ALLOC_0005, "%zu requests, expected at most %d", run->count,
		ALLOCATOR_MAX_REQUESTS);
}

bool fail_request(AllocatorRun *run, size_t index, AllocatorProblem problem, Error *err)
{
	const AllocatorRequest *request = &run->requests[index];
	char tag[LAYOUT_TAG_SIZE];

	layout_tag_write(request->tag, tag);
	explain(run, failure_of(run, index, problem));
	if (problem == ALLOCATOR_BAD_ALIGNMENT)
		return error_set(err, PVW_ALLOC_0002,
			"%s: alignment 0x%" PRIx64
			", expected a power of two of at least 0x1000",
			tag, request->align);
	if (request->kind <= PLACEMENT_FIXED)
		return error_set(err, PVW_ALLOC_0001,
			"%s: pinned at " RANGE_FORMAT
			", expected a range of whole pages that is not empty",
			tag, RANGE_ARGS(request->range));
	return error_set(err, PVW_ALLOC_0001,
		"%s: size 0x%" PRIx64 ", expected a multiple of 0x1000 that is not 0", tag,
		request->size);
}

bool fail_overlap(AllocatorRun *run, size_t a, size_t b, Error *err)
{
	AllocatorFailure failure = failure_of(run, a, ALLOCATOR_PINNED_OVERLAP);
	char tag_a[LAYOUT_TAG_SIZE], tag_b[LAYOUT_TAG_SIZE];

	failure.other = (uint32_t)b;
	explain(run, failure);
	return error_set(err, PVW_ALLOC_0003,
		"%s at " RANGE_FORMAT " and %s at " RANGE_FORMAT
		" overlap, expected them apart",
		layout_tag_write(run->requests[a].tag, tag_a),
		RANGE_ARGS(run->requests[a].range),
		layout_tag_write(run->requests[b].tag, tag_b),
		RANGE_ARGS(run->requests[b].range));
}

/* What is free inside of @window, and the piece that could give an aligned request the most. */
static void measure_free(
	AllocatorFailure *failure, const FreeSpace *space, MemoryRange window, uint64_t align)
{
	for (size_t i = 0; i < space->count; i++) {
		const MemoryRange range = memory_range_intersection(space->items[i], window);
		uint64_t start;

		failure->free_bytes += memory_range_len(range);
		if (checked_align_up(range.start, align, &start) && start < range.end &&
			range.end - start > failure->largest) {
			failure->largest = range.end - start;
			failure->hole = range;
		}
	}
}

/* The nearest of what the first @placed requests have, on both sides of the hole. */
static void find_neighbours(const AllocatorRun *run, size_t placed, AllocatorFailure *failure)
{
	const MemoryRange hole = failure->hole;
	MemoryRange between = { 0, UINT64_MAX };

	for (size_t i = 0; i < placed; i++) {
		const uint32_t index = (uint32_t)run->order[i].index;
		const bool ram = run->requests[index].kind == PLACEMENT_RAM;
		const MemoryRange *range =
			ram ? run->targets[index].items : &run->ranges[index];
		const MemoryRange *end = range + (ram ? run->targets[index].count : 1);

		for (; range < end; range++) {
			if (range->end <= hole.start && range->end > between.start) {
				between.start = range->end;
				failure->below = index;
			} else if (range->start >= hole.end && range->start < between.end) {
				between.end = range->start;
				failure->above = index;
			}
		}
	}
}

/* ": 0x0-0x1000, between a and b", cut to fit. */
static void write_hole(const AllocatorRun *run, const AllocatorFailure *failure, char *out)
{
	char below[LAYOUT_TAG_SIZE], above[LAYOUT_TAG_SIZE];
	const bool has_below = failure->below != ALLOCATOR_NOBODY;
	const bool has_above = failure->above != ALLOCATOR_NOBODY;

	if (failure->largest == 0) {
		snprintf(out, HOLE_SIZE, "none of them aligned");
		return;
	}
	if (has_below)
		layout_tag_write(run->requests[failure->below].tag, below);
	if (has_above)
		layout_tag_write(run->requests[failure->above].tag, above);
	snprintf(out, HOLE_SIZE,
		"at most 0x%" PRIx64 " of them in one piece, " RANGE_FORMAT "%s%s%s%s",
		failure->largest, RANGE_ARGS(failure->hole),
		has_below && has_above ? " between "
			: has_below    ? " above "
			: has_above    ? " below "
				       : "",
		has_below ? below : "", has_below && has_above ? " and " : "",
		has_above ? above : "");
}

bool fail_exhausted(AllocatorRun *run, size_t placed, const FreeSpace *space,
	MemoryRange window, Error *err)
{
	const size_t index = run->order[placed].index;
	const AllocatorRequest *request = &run->requests[index];
	AllocatorFailure failure = failure_of(run, index, ALLOCATOR_EXHAUSTED);
	char tag[LAYOUT_TAG_SIZE], hole[HOLE_SIZE];

	measure_free(&failure, space, window, request->align);
	if (failure.largest)
		find_neighbours(run, placed, &failure);
	explain(run, failure);
	write_hole(run, &failure, hole);
	return error_set(err, PVW_ALLOC_0004,
		"%s: no place for 0x%" PRIx64 " bytes aligned to 0x%" PRIx64
		" (%s) in " RANGE_FORMAT ": 0x%" PRIx64 " bytes are free, %s",
		layout_tag_write(request->tag, tag), request->size, request->align,
		placement_kind_name(request->kind), RANGE_ARGS(window), failure.free_bytes,
		hole);
}
