/*
 * The algebra of sorted lists of ranges: walk two lists at once, subtract, overlap, flatten,
 * merge what touches.
 *
 * It works on any list whose items begin with a MemoryRange: plain ranges, ranges with a NUMA
 * node, map entries. Lists are hostile until their order has been checked; every function here
 * checks, once, in one pass. Results are new lists in the arena, or answers without memory.
 * Source: [OVMM] vm/vmcore/memory_range
 */
#ifndef SUPPORT_RANGE_LIST_H
#define SUPPORT_RANGE_LIST_H

#include "support/arena.h"
#include "support/memory_range.h"

/* Any list of items with a MemoryRange at one place in each; borrows the items. */
typedef struct RangeView {
	const void *items; /* the first item's range */
	size_t count;
	size_t stride; /* bytes from one item to the next */
} RangeView;

/* range_view - of a FooList { items, count } whose items begin with a MemoryRange */
#define range_view(list) ((RangeView){ (list).items, (list).count, sizeof(*(list).items) })

#define RANGE_VIEW_EMPTY ((RangeView){ NULL, 0, sizeof(MemoryRange) })

/* No item. */
#define RANGE_NONE SIZE_MAX

/** range_view_at - the range of item @index, which is below @view.count */
static inline MemoryRange range_view_at(RangeView view, size_t index)
{
	const char *at = (const char *)view.items + index * view.stride;

	return *(const MemoryRange *)(const void *)at;
}

/**
 * range_list_check - is a list ascending and free of overlap?
 * @what: named in the error ("ram")
 *
 * Every item, empty ones too, starts at or above the end of the last non-empty item before it.
 *
 * Errors: PVW_RANGE_0005 (OVERLAP), with both items.
 */
MUST_CHECK bool range_list_check(RangeView list, const char *what, Error *err);

/* Two lists walked side by side; made by range_walk_begin, moved by range_walk_next. */
typedef struct RangeWalk {
	RangeView left, right;
	size_t left_at, right_at; /* first items that do not end at or below @at */
	uint64_t at;              /* where the next piece starts */
} RangeWalk;

/* One piece of the address space, and what covers it. */
typedef struct RangePiece {
	MemoryRange range;
	size_t left, right; /* index of the covering item, or RANGE_NONE */
} RangePiece;

/**
 * range_walk_begin - cut [0, MEMORY_RANGE_LIMIT) at every start and end of two lists
 *
 * Empty items cut nothing; items that touch stay apart. The lists must outlive the walk.
 *
 * Errors: PVW_RANGE_0005 (OVERLAP) if one of the lists is out of order.
 */
MUST_CHECK bool range_walk_begin(RangeView left, RangeView right, RangeWalk *out, Error *err);

/** range_walk_next - the next piece, ascending, gaps included; false behind the last one */
bool range_walk_next(RangeWalk *walk, RangePiece *piece);

/** range_list_subtract - the pieces of @left that @right does not cover, not merged */
MUST_CHECK bool range_list_subtract(
	RangeView left, RangeView right, Arena *arena, MemoryRangeList *out, Error *err);

/** range_list_overlap - the pieces that both lists cover, not merged */
MUST_CHECK bool range_list_overlap(
	RangeView left, RangeView right, Arena *arena, MemoryRangeList *out, Error *err);

/**
 * range_list_flatten - the union of a list whose items may overlap, touching ones joined
 *
 * An empty item is an item like any other: alone it gives an empty range where it stands.
 *
 * Errors: PVW_RANGE_0005 (OVERLAP) if a start lies below the one before it.
 */
MUST_CHECK bool range_list_flatten(
	RangeView list, Arena *arena, MemoryRangeList *out, Error *err);

/**
 * range_list_merge_adjacent - join items that touch and have the same node
 * @list: the node may be any tag
 *
 * Errors: PVW_RANGE_0005 (OVERLAP) if a start lies below the end of the run before it.
 */
MUST_CHECK bool range_list_merge_adjacent(
	NodeRangeList list, Arena *arena, NodeRangeList *out, Error *err);

/**
 * range_list_after - the first item that ends above @address, or the count if none does
 * @list: in the order that range_list_check demands, without empty items
 *
 * Takes logarithmic time, so the order is not checked here.
 */
size_t range_list_after(RangeView list, uint64_t address);

/** range_list_find - the item that holds @address, or RANGE_NONE; for the same lists */
size_t range_list_find(RangeView list, uint64_t address);

/** range_list_len - bytes in all items of a list in order; no overlap, so it cannot wrap */
uint64_t range_list_len(RangeView list);

#endif
