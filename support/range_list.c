/*
 * The algebra of sorted lists. Everything follows from one walk over two lists:
 *
 *	left    [ a          ][ b    ]
 *	right         [ x                  ]
 *	pieces  [ a  ][ a x  ][ b x  ][ x  ]
 */
#include "support/range_list.h"

#include "support/diagnostics.h"

/* @edge: of the item before, "start" or "end" */
static bool fail_order(const char *what, size_t index, MemoryRange range, const char *edge,
	MemoryRange before, Error *err)
{
	return error_set(err, PVW_RANGE_0005,
		"%s: item %zu, " RANGE_FORMAT ", expected at or above the %s of " RANGE_FORMAT,
		what, index, RANGE_ARGS(range), edge, RANGE_ARGS(before));
}

bool range_list_check(RangeView list, const char *what, Error *err)
{
	MemoryRange before = MEMORY_RANGE_EMPTY;

	for (size_t i = 0; i < list.count; i++) {
		const MemoryRange range = range_view_at(list, i);

		if (range.start < before.end)
			return fail_order(what, i, range, "end", before, err);
		if (!memory_range_is_empty(range))
			before = range;
	}
	return true;
}

bool range_walk_begin(RangeView left, RangeView right, RangeWalk *out, Error *err)
{
	if (!range_list_check(left, "left list", err) ||
		!range_list_check(right, "right list", err))
		return false;
	*out = (RangeWalk){ .left = left, .right = right };
	return true;
}

/*
 * Moves @index to the first item that reaches beyond @at; gives the item if it covers @at, and
 * lowers @end to where that changes.
 */
static size_t covering(RangeView list, size_t *index, uint64_t at, uint64_t *end)
{
	MemoryRange range;

	for (;; ++*index) {
		if (*index == list.count)
			return RANGE_NONE;
		range = range_view_at(list, *index);
		if (!memory_range_is_empty(range) && range.end > at)
			break;
	}

	const bool covers = range.start <= at;
	const uint64_t change = covers ? range.end : range.start;

	if (change < *end)
		*end = change;
	return covers ? *index : RANGE_NONE;
}

bool range_walk_next(RangeWalk *walk, RangePiece *piece)
{
	const uint64_t start = walk->at;
	uint64_t end = MEMORY_RANGE_LIMIT;

	if (start >= end)
		return false;
	piece->left = covering(walk->left, &walk->left_at, start, &end);
	piece->right = covering(walk->right, &walk->right_at, start, &end);
	piece->range = (MemoryRange){ start, end };
	walk->at = end;
	return true;
}

/* Which pieces of a walk are wanted. */
typedef struct Wanted {
	bool left, right;
} Wanted;

static bool collect(RangeView left, RangeView right, Wanted wanted, Arena *arena,
	MemoryRangeList *out, Error *err)
{
	RangeWalk walk;
	RangePiece piece;

	if (!range_walk_begin(left, right, &walk, err))
		return false;

	/* A wanted piece ends with its left item, or where one right item starts or ends. */
	const size_t bound = left.count + right.count;
	MemoryRange *items = arena_reserve_array(arena, MemoryRange, bound, err);
	size_t count = 0;

	if (!items)
		return false;
	while (range_walk_next(&walk, &piece)) {
		if ((piece.left != RANGE_NONE) == wanted.left &&
			(piece.right != RANGE_NONE) == wanted.right)
			items[count++] = piece.range;
	}
	arena_shrink(arena, items, count * sizeof(*items));
	*out = (MemoryRangeList){ items, count };
	return true;
}

bool range_list_subtract(
	RangeView left, RangeView right, Arena *arena, MemoryRangeList *out, Error *err)
{
	return collect(left, right, (Wanted){ .left = true, .right = false }, arena, out, err);
}

bool range_list_overlap(
	RangeView left, RangeView right, Arena *arena, MemoryRangeList *out, Error *err)
{
	return collect(left, right, (Wanted){ .left = true, .right = true }, arena, out, err);
}

bool range_list_flatten(RangeView list, Arena *arena, MemoryRangeList *out, Error *err)
{
	uint64_t before = 0;
	size_t count = 0;

	for (size_t i = 0; i < list.count; i++) {
		const MemoryRange range = range_view_at(list, i);

		if (range.start < before)
			return fail_order(
				"list", i, range, "start", range_view_at(list, i - 1), err);
		before = range.start;
	}

	MemoryRange *items = arena_reserve_array(arena, MemoryRange, list.count, err);

	if (!items)
		return false;
	for (size_t i = 0; i < list.count; i++) {
		const MemoryRange range = range_view_at(list, i);

		if (count == 0 || range.start > items[count - 1].end)
			items[count++] = range;
		else if (range.end > items[count - 1].end)
			items[count - 1].end = range.end;
	}
	arena_shrink(arena, items, count * sizeof(*items));
	*out = (MemoryRangeList){ items, count };
	return true;
}

bool range_list_merge_adjacent(NodeRangeList list, Arena *arena, NodeRangeList *out, Error *err)
{
	for (size_t i = 1; i < list.count; i++) {
		if (list.items[i].range.start < list.items[i - 1].range.end)
			return fail_order("list", i, list.items[i].range, "end",
				list.items[i - 1].range, err);
	}

	NodeRange *items = arena_reserve_array(arena, NodeRange, list.count, err);
	size_t count = 0;

	if (!items)
		return false;
	for (size_t i = 0; i < list.count; i++) {
		const NodeRange *item = &list.items[i];
		NodeRange *run = count > 0 ? &items[count - 1] : NULL;

		if (run && run->vnode == item->vnode && run->range.end == item->range.start)
			run->range.end = item->range.end;
		else
			items[count++] = *item;
	}
	arena_shrink(arena, items, count * sizeof(*items));
	*out = (NodeRangeList){ items, count };
	return true;
}

size_t range_list_after(RangeView list, uint64_t address)
{
	size_t low = 0;
	size_t high = list.count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (range_view_at(list, middle).end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t range_list_find(RangeView list, uint64_t address)
{
	const size_t index = range_list_after(list, address);

	return index < list.count && range_view_at(list, index).start <= address ? index
										 : RANGE_NONE;
}

uint64_t range_list_len(RangeView list)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < list.count; i++)
		sum += memory_range_len(range_view_at(list, i));
	return sum;
}
