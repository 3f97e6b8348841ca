/*
 * Golden area memory_range: the algebra of ranges and sorted lists.
 */
#include <string.h>

#include "golden.h"
#include "support/range_list.h"

static NodeRangeList tagged_list(const json_t *input, const char *name, Arena *arena)
{
	const json_t *list = golden_member(input, name);
	const size_t count = json_array_size(list);
	NodeRange *items = golden_array(arena, count, sizeof(*items));

	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(list, i);

		items[i].range.start = golden_u64(item, "start");
		items[i].range.end = golden_u64(item, "end");
		items[i].vnode = (uint32_t)golden_u64(item, "tag");
	}
	return (NodeRangeList){ items, count };
}

static json_t *json_ranges(MemoryRangeList list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list.count; i++)
		json_array_append_new(array, golden_json_range(list.items[i]));
	return json_pack("{s:o}", "ranges", array);
}

static json_t *json_tag(NodeRangeList list, size_t index)
{
	return index == RANGE_NONE ? json_null() : json_integer(list.items[index].vnode);
}

static bool run_walk(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const NodeRangeList left = tagged_list(input, "left", arena);
	const NodeRangeList right = tagged_list(input, "right", arena);
	RangeWalk walk;
	RangePiece piece;

	if (!range_walk_begin(range_view(left), range_view(right), &walk, err))
		return false;

	json_t *segments = json_array();

	while (range_walk_next(&walk, &piece))
		json_array_append_new(segments,
			json_pack("{s:o, s:o, s:o, s:o}", "start",
				golden_json_u64(piece.range.start), "end",
				golden_json_u64(piece.range.end), "left",
				json_tag(left, piece.left), "right",
				json_tag(right, piece.right)));
	*output = json_pack("{s:o}", "segments", segments);
	return true;
}

static bool run_subtract(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const NodeRangeList left = tagged_list(input, "left", arena);
	const NodeRangeList right = tagged_list(input, "right", arena);
	MemoryRangeList out;

	if (!range_list_subtract(range_view(left), range_view(right), arena, &out, err))
		return false;
	*output = json_ranges(out);
	return true;
}

static bool run_overlapping(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const NodeRangeList left = tagged_list(input, "left", arena);
	const NodeRangeList right = tagged_list(input, "right", arena);
	MemoryRangeList out;

	if (!range_list_overlap(range_view(left), range_view(right), arena, &out, err))
		return false;
	*output = json_ranges(out);
	return true;
}

static bool run_flatten(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const NodeRangeList list = tagged_list(input, "left", arena);
	MemoryRangeList out;

	if (!range_list_flatten(range_view(list), arena, &out, err))
		return false;
	*output = json_ranges(out);
	return true;
}

static bool run_merge(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const NodeRangeList list = tagged_list(input, "left", arena);
	NodeRangeList out;

	if (!range_list_merge_adjacent(list, arena, &out, err))
		return false;

	json_t *array = json_array();

	for (size_t i = 0; i < out.count; i++)
		json_array_append_new(array,
			json_pack("{s:o, s:o, s:o}", "start",
				golden_json_u64(out.items[i].range.start), "end",
				golden_json_u64(out.items[i].range.end), "tag",
				json_tag(out, i)));
	*output = json_pack("{s:o}", "ranges", array);
	return true;
}

/* The reference keeps where an empty range stands; ours are all {0, 0}. */
static json_t *json_range_in_place(MemoryRange range, uint64_t start)
{
	if (memory_range_is_empty(range))
		range = (MemoryRange){ start, start };
	return golden_json_range(range);
}

static bool run_try_new(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const uint64_t start = golden_u64(input, "start");
	const uint64_t end = golden_u64(input, "end");
	MemoryRange range;

	if (!memory_range_from_bounds(start, end, &range, err))
		return false;
	if (memory_range_is_empty(range))
		range = (MemoryRange){ start, start };

	const char *text = arena_printf(arena, err, RANGE_FORMAT, RANGE_ARGS(range));

	if (!text)
		return false;
	*output = json_pack(
		"{s:o, s:s}", "range", json_range_in_place(range, start), "display", text);
	return true;
}

static bool run_aligned_subrange(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const MemoryRange range = golden_range(golden_member(input, "range"));
	const uint64_t align = golden_u64(input, "alignment");
	MemoryRange out;

	(void)arena;
	if (!memory_range_aligned_subrange(range, align, &out, err))
		return false;

	/* Where an empty result stands: the start rounded up, unless that is behind the end. */
	const uint64_t start = (range.start + align - 1) & ~(align - 1);
	const uint64_t end = range.end & ~(align - 1);

	*output =
		json_pack("{s:o}", "range", json_range_in_place(out, start > end ? 0 : start));
	return true;
}

static bool run_alignment(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const MemoryRange range = golden_range(golden_member(input, "range"));
	const uint64_t two_mib = UINT64_C(2) << 20;
	const uint64_t len = memory_range_len(range);
	uint64_t alignment;

	(void)arena;
	if (!memory_range_alignment(range, golden_u64(input, "base"), &alignment, err))
		return false;
	*output = json_pack("{s:o, s:o, s:o}", "alignment", golden_json_u64(alignment),
		"pages_4k", golden_json_u64(len / PAGE_SIZE), "pages_2m",
		golden_json_u64(len / two_mib + (len % two_mib != 0)));
	return true;
}

static const struct {
	const char *op;
	GoldenRun run;
} ops[] = {
	{ "walk_ranges", run_walk },
	{ "subtract_ranges", run_subtract },
	{ "overlapping_ranges", run_overlapping },
	{ "flatten_ranges", run_flatten },
	{ "merge_adjacent_ranges", run_merge },
	{ "try_new", run_try_new },
	{ "aligned_subrange", run_aligned_subrange },
	{ "alignment", run_alignment },
};

bool golden_run_memory_range(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const char *op = golden_string(input, "op");

	for (size_t i = 0; i < ARRAY_COUNT(ops); i++) {
		if (strcmp(ops[i].op, op) == 0)
			return ops[i].run(input, arena, output, err);
	}
	golden_malformed("memory_range: unknown op \"%s\"", op);
}
