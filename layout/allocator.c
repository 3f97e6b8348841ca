/*
 * Phases of the allocator: pinned ranges, windows, RAM, and what comes behind everything.
 */
#include "layout/allocator.h"

#include <string.h>

#include "layout/allocator_internal.h"
#include "support/diagnostics.h"

static const char *const kind_names[] = {
	[PLACEMENT_RESERVED] = "reserved",
	[PLACEMENT_FIXED] = "fixed",
	[PLACEMENT_MMIO32] = "mmio32",
	[PLACEMENT_RAM] = "ram",
	[PLACEMENT_MMIO64] = "mmio64",
	[PLACEMENT_POST_MMIO] = "post-mmio",
};
static_assert(ARRAY_COUNT(kind_names) == PLACEMENT_KIND_COUNT, "a name for each kind");

/*
 * What is asked.
 */

/*
 * Alignment, then size, both descending; equal ones keep their order. An alignment has 6 bits,
 * a size in pages 52. No key is 0 before it is turned round.
 */
static uint64_t window_key(const AllocatorRequest *request)
{
	const uint64_t align = (uint64_t)__builtin_ctzll(request->align);

	return ~(align << 52 | request->size >> PAGE_SHIFT);
}

/* Requests by kind, each in the order in which they are asked; is every one of them sound? */
static bool sort_by_kind(AllocatorRun *run)
{
	size_t at[PLACEMENT_KIND_COUNT + 1] = { 0 };
	bool sound = true;

	for (size_t i = 0; i < run->count; i++) {
		const AllocatorRequest *request = &run->requests[i];

		at[request->kind + 1]++;
		sound &= request_problem(request) == ALLOCATOR_PROBLEM_COUNT;
	}
	for (size_t kind = 0; kind < PLACEMENT_KIND_COUNT; kind++)
		at[kind + 1] += at[kind];
	memcpy(run->begin, at, sizeof(at));
	for (size_t i = 0; i < run->count; i++)
		run->order[at[run->requests[i].kind]++].index = i;
	return sound;
}

/* The first request from @begin to @end, by phase, that is not sound, is the one to be told. */
static bool check_kinds(AllocatorRun *run, size_t begin, size_t end, Error *err)
{
	for (size_t i = begin; i < end; i++) {
		const size_t index = run->order[i].index;
		const AllocatorProblem problem = request_problem(&run->requests[index]);

		if (problem != ALLOCATOR_PROBLEM_COUNT)
			return fail_request(run, index, problem, err);
	}
	return true;
}

/*
 * Phases.
 */

static bool place_pinned(AllocatorRun *run, Error *err)
{
	const size_t count = run->begin[PLACEMENT_MMIO32];
	MemoryRange *space = run->space.items;
	uint64_t at = 0;

	for (size_t i = 0; i < count; i++)
		run->order[i].key = run->requests[run->order[i].index].range.start;
	sort_keys(run->order, run->scratch, count);
	for (size_t i = 0; i < count; i++) {
		const AllocatorRequest *request = &run->requests[run->order[i].index];

		if (i > 0 && request->range.start < at)
			return fail_overlap(
				run, run->order[i - 1].index, run->order[i].index, err);
		if (at < request->range.start)
			*space++ = (MemoryRange){ at, request->range.start };
		at = request->range.end;
		run->ranges[run->order[i].index] = request->range;
		if (request->kind == PLACEMENT_FIXED)
			run->top = at;
	}
	if (at < MEMORY_RANGE_LIMIT)
		*space++ = (MemoryRange){ at, MEMORY_RANGE_LIMIT };
	run->space.count = (size_t)(space - run->space.items);
	return true;
}

/* Returns false without memory; @phase says how far it came. */
static bool search_windows(
	AllocatorRun *run, AllocatorForm form, WindowPhase *phase, Error *err)
{
	if (form == ALLOCATOR_FORM_BY_COUNT)
		phase->walks = phase->count > ALLOCATOR_ARRAY_MAX ? 0 : ALLOCATOR_ARRAY_WALKS;
	else
		phase->walks = form == ALLOCATOR_FORM_ARRAY ? SIZE_MAX : 0;
	if (phase->walks)
		window_phase_array(phase, &run->space);
	return phase->walks || phase->placed == phase->count ||
		window_phase_tree(phase, &run->space, run->arena, err);
}

static bool place_windows(AllocatorRun *run, AllocatorForm form, PlacementKind kind, Error *err)
{
	const size_t begin = run->begin[kind], count = run->begin[kind + 1] - begin;
	SortKey *order = run->order + begin;
	WindowPhase phase = {
		.requests = run->requests,
		.order = order,
		.count = count,
		.ranges = run->ranges,
		.floor = kind == PLACEMENT_MMIO32    ? 0
			: run->end_of_ram > FOUR_GIB ? run->end_of_ram
						     : FOUR_GIB,
		.ceiling = kind == PLACEMENT_MMIO32 ? FOUR_GIB : MEMORY_RANGE_LIMIT,
		.top_down = kind == PLACEMENT_MMIO32,
		.top = run->top,
	};

	for (size_t i = 0; i < count; i++)
		order[i].key = window_key(&run->requests[order[i].index]);
	sort_keys(order, run->scratch, count);
	if (!search_windows(run, form, &phase, err))
		return false;
	if (phase.placed < count)
		return fail_exhausted(run, begin + phase.placed, &run->space,
			(MemoryRange){ phase.floor, phase.ceiling }, err);
	run->top = phase.top;
	return true;
}

/* RAM on its way up: what it passes is free, but not for RAM. */
typedef struct RamCursor {
	const FreeSpace *space;
	size_t at;           /* range that is being taken from */
	MemoryRange left;    /* what is left of it */
	MemoryRange *free;   /* next free range of the phases behind RAM */
	MemoryRange *extent; /* next one */
} RamCursor;

static void next_range(RamCursor *cursor)
{
	if (!memory_range_is_empty(cursor->left))
		*cursor->free++ = cursor->left;
	cursor->at++;
	if (cursor->at < cursor->space->count)
		cursor->left = cursor->space->items[cursor->at];
}

/* Takes what @left can give to a request that wants @size bytes more. */
static uint64_t take_extent(RamCursor *cursor, uint64_t size, uint64_t align)
{
	uint64_t start, take;

	if (!checked_align_up(cursor->left.start, align, &start) || start >= cursor->left.end)
		return 0;
	take = cursor->left.end - start;
	take = take >= size ? size : align_down(take, align);
	if (take == 0)
		return 0;
	if (cursor->left.start < start)
		*cursor->free++ = (MemoryRange){ cursor->left.start, start };
	*cursor->extent++ = (MemoryRange){ start, start + take };
	cursor->left.start = start + take;
	return take;
}

static bool place_ram_request(RamCursor *cursor, const AllocatorRequest *request)
{
	uint64_t size = request->size;

	for (; cursor->at < cursor->space->count; next_range(cursor)) {
		size -= take_extent(cursor, size, request->align);
		if (size == 0)
			return true;
	}
	return false;
}

static bool place_ram(AllocatorRun *run, Error *err)
{
	const FreeSpace before = run->space;
	RamCursor cursor = { .space = &before, .free = run->spare, .extent = run->extents };

	if (before.count)
		cursor.left = before.items[0];
	for (size_t i = run->begin[PLACEMENT_RAM]; i < run->begin[PLACEMENT_RAM + 1]; i++) {
		const size_t index = run->order[i].index;
		MemoryRange *first = cursor.extent;

		if (!place_ram_request(&cursor, &run->requests[index]))
			return fail_exhausted(run, i, &before,
				(MemoryRange){ run->end_of_ram, MEMORY_RANGE_LIMIT }, err);
		run->end_of_ram = cursor.extent[-1].end;
		run->targets[index] =
			(MemoryRangeList){ first, (size_t)(cursor.extent - first) };
	}
	while (cursor.at < before.count)
		next_range(&cursor);
	run->space = (FreeSpace){ run->spare, (size_t)(cursor.free - run->spare) };
	run->spare = before.items;
	run->top = run->end_of_ram > run->top ? run->end_of_ram : run->top;
	return true;
}

/* Each starts above everything before it, so that the walk never turns back. */
static bool place_post(AllocatorRun *run, Error *err)
{
	WindowPhase phase = { .ceiling = MEMORY_RANGE_LIMIT };
	size_t at = 0;

	for (size_t i = run->begin[PLACEMENT_POST_MMIO]; i < run->count; i++) {
		const size_t index = run->order[i].index;
		const AllocatorRequest *request = &run->requests[index];
		const size_t from = at;
		uint64_t start = 0;

		phase.floor = run->top;
		while (at < run->space.count &&
			!window_fit(&phase, run->space.items[at], request->size, request->align,
				&start))
			at++;
		if (at == run->space.count) {
			const FreeSpace rest = { run->space.items + from,
				run->space.count - from };

			return fail_exhausted(run, i, &rest,
				(MemoryRange){ phase.floor, phase.ceiling }, err);
		}
		run->top = start + request->size;
		run->ranges[index] = (MemoryRange){ start, run->top };
	}
	return true;
}

/*
 * Free ranges: one more than pinned ones, each window adds one. RAM has an extent for each of
 * them at most, and one more for each request; each extent cuts a free range in two.
 */
static bool reserve_lists(AllocatorRun *run, Error *err)
{
	const size_t n = run->count, spaces = 3 * n + 2, placements = 2 * n + 1;
	const size_t bytes = placements * (2 * sizeof(SortKey) + 2 * sizeof(Placement)) +
		(2 * spaces + 2 * n + 1) * sizeof(MemoryRange) + n * sizeof(MemoryRangeList);
	uint8_t *block = arena_reserve(run->arena, bytes, 8, err);

	if (!block)
		return false;
	run->order = carve(&block, placements, sizeof(SortKey));
	run->scratch = carve(&block, placements, sizeof(SortKey));
	run->space.items = carve(&block, spaces, sizeof(MemoryRange));
	run->spare = carve(&block, spaces, sizeof(MemoryRange));
	run->extents = carve(&block, n + 1, sizeof(MemoryRange));
	run->ranges = carve(&block, n, sizeof(MemoryRange));
	run->targets = carve(&block, n, sizeof(MemoryRangeList));
	run->listed = carve(&block, placements, sizeof(Placement));
	run->placements = carve(&block, placements, sizeof(Placement));
	return true;
}

static bool asks_for(const AllocatorRun *run, PlacementKind kind)
{
	return run->begin[kind] < run->begin[kind + 1];
}

static bool place_all(AllocatorRun *run, AllocatorForm form, Error *err)
{
	const bool sound = sort_by_kind(run);
	const size_t pinned = run->begin[PLACEMENT_MMIO32];

	return (sound || check_kinds(run, 0, pinned, err)) && place_pinned(run, err) &&
		(sound || check_kinds(run, pinned, run->count, err)) &&
		(!asks_for(run, PLACEMENT_MMIO32) ||
			place_windows(run, form, PLACEMENT_MMIO32, err)) &&
		place_ram(run, err) &&
		(!asks_for(run, PLACEMENT_MMIO64) ||
			place_windows(run, form, PLACEMENT_MMIO64, err)) &&
		place_post(run, err);
}

bool allocator_run_form(AllocatorForm form, AllocatorRequestList requests, Arena *arena,
	Allocation *out, AllocatorFailure *why, Error *err)
{
	AllocatorRun run = {
		.requests = requests.items,
		.count = requests.count,
		.arena = arena,
		.why = why,
	};

	if (requests.count > ALLOCATOR_MAX_REQUESTS)
		return fail_too_many(&run, err);
	if (!reserve_lists(&run, err) || !place_all(&run, form, err))
		return false;
	*out = run_finish(&run);
	return true;
}

bool allocator_run(AllocatorRequestList requests, Arena *arena, Allocation *out,
	AllocatorFailure *why, Error *err)
{
	return allocator_run_form(ALLOCATOR_FORM_BY_COUNT, requests, arena, out, why, err);
}

const char *placement_kind_name(PlacementKind kind)
{
	return kind_names[kind];
}
