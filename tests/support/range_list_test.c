#include <criterion/criterion.h>
#include <string.h>

#include "support/diagnostics.h"
#include "support/range_list.h"

#define P PAGE_SIZE
#define SMALL 6 /* pages of the small world in which every list is tried */

static MemoryRange pages(uint64_t a, uint64_t b)
{
	return (MemoryRange){ a * P, b * P };
}

/*
 * Every list in order over the small world: each page belongs to nothing, to a new item or to
 * the item of the page before it; a base 3 number tells which.
 */
#define LISTS 729

typedef struct SmallList {
	NodeRange items[SMALL];
	size_t count;
} SmallList;

static SmallList small_list(unsigned number)
{
	SmallList list = { .count = 0 };
	bool open = false;

	for (uint64_t page = 0; page < SMALL; page++, number /= 3) {
		const unsigned digit = number % 3;

		if (digit == 2 && open) {
			list.items[list.count - 1].range.end += P;
		} else if (digit != 0) {
			list.items[list.count].range = pages(page, page + 1);
			list.items[list.count].vnode = (uint32_t)(page & 1);
			list.count++;
		}
		open = digit != 0;
	}
	return list;
}

static RangeView view_of(const SmallList *list)
{
	return (RangeView){ list->items, list->count, sizeof(NodeRange) };
}

/* Which item holds a page, by looking at all of them. */
static size_t holder(const SmallList *list, uint64_t page)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].range.start <= page * P &&
			page * P < list->items[i].range.end)
			return i;
	}
	return RANGE_NONE;
}

/* A result against the page-by-page truth: in order, not empty, and holding exactly @want. */
static void check_result(MemoryRangeList list, const bool want[SMALL])
{
	uint64_t before = 0;

	for (size_t i = 0; i < list.count; i++) {
		cr_assert_lt(list.items[i].start, list.items[i].end);
		cr_assert_geq(list.items[i].start, before);
		before = list.items[i].end;
	}
	for (uint64_t page = 0; page < SMALL; page++) {
		bool found = false;

		for (size_t i = 0; i < list.count; i++)
			found |= memory_range_contains_address(list.items[i], page * P);
		cr_assert_eq(found, want[page]);
	}
}

/* All pairs of lists: half a million walks against the page-by-page truth. */
Test(range_list, walk_subtract_and_overlap_agree_with_pages, .timeout = 120)
{
	Arena *arena = arena_new(1 << 16);
	Error err;

	for (unsigned l = 0; l < LISTS; l++) {
		const SmallList left = small_list(l);

		for (unsigned r = l % 3; r < LISTS; r += 3) {
			const SmallList right = small_list(r);
			bool only_left[SMALL], both[SMALL];
			RangeWalk walk;
			RangePiece piece;
			uint64_t at = 0;

			cr_assert(
				range_walk_begin(view_of(&left), view_of(&right), &walk, &err));
			while (range_walk_next(&walk, &piece)) {
				cr_assert_eq(piece.range.start, at);
				cr_assert_gt(piece.range.end, at);
				at = piece.range.end;
				for (uint64_t page = piece.range.start / P;
					page < SMALL && page * P < piece.range.end; page++) {
					cr_assert_eq(piece.left, holder(&left, page));
					cr_assert_eq(piece.right, holder(&right, page));
				}
			}
			cr_assert_eq(at, MEMORY_RANGE_LIMIT);

			for (uint64_t page = 0; page < SMALL; page++) {
				const bool in_left = holder(&left, page) != RANGE_NONE;
				const bool in_right = holder(&right, page) != RANGE_NONE;

				only_left[page] = in_left && !in_right;
				both[page] = in_left && in_right;
			}

			MemoryRangeList out;

			cr_assert(range_list_subtract(
				view_of(&left), view_of(&right), arena, &out, &err));
			check_result(out, only_left);
			cr_assert(range_list_overlap(
				view_of(&left), view_of(&right), arena, &out, &err));
			check_result(out, both);
			arena_reset(arena);
		}
	}
	arena_free(arena);
}

/* The first item with a byte behind the start of a page. */
static size_t first_behind(const SmallList *list, uint64_t page)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].range.end > page * P)
			return i;
	}
	return list->count;
}

Test(range_list, flatten_and_find_agree_with_pages)
{
	Arena *arena = arena_new(1 << 16);
	Error err;

	for (unsigned l = 0; l < LISTS; l++) {
		const SmallList list = small_list(l);
		bool want[SMALL];
		uint64_t len = 0;
		MemoryRangeList out;

		for (uint64_t page = 0; page < SMALL; page++) {
			want[page] = holder(&list, page) != RANGE_NONE;
			len += want[page] ? P : 0;
			cr_assert_eq(
				range_list_find(view_of(&list), page * P), holder(&list, page));
			cr_assert_eq(range_list_find(view_of(&list), page * P + P - 1),
				holder(&list, page));
			cr_assert_eq(range_list_after(view_of(&list), page * P),
				first_behind(&list, page));
		}
		cr_assert_eq(range_list_find(view_of(&list), UINT64_MAX), RANGE_NONE);
		cr_assert_eq(range_list_len(view_of(&list)), len);
		cr_assert(range_list_flatten(view_of(&list), arena, &out, &err));
		check_result(out, want);
		for (size_t i = 1; i < out.count; i++)
			cr_assert_gt(out.items[i].start, out.items[i - 1].end);
		arena_reset(arena);
	}
	arena_free(arena);
}

Test(range_list, merge_adjacent_keeps_nodes_apart)
{
	static const NodeRange items[] = { { { 0, P }, 1 }, { { P, 2 * P }, 1 },
		{ { 2 * P, 3 * P }, 2 }, { { 4 * P, 5 * P }, 2 }, { { 5 * P, 5 * P }, 2 },
		{ { 5 * P, 6 * P }, 2 } };
	Arena *arena = arena_new(4096);
	NodeRangeList out;
	Error err;

	cr_assert(range_list_merge_adjacent((NodeRangeList){ items, 6 }, arena, &out, &err));

	cr_assert_eq(out.count, 3);
	cr_assert(memory_range_equal(out.items[0].range, pages(0, 2)));
	cr_assert_eq(out.items[0].vnode, 1);
	cr_assert(memory_range_equal(out.items[1].range, pages(2, 3)));
	cr_assert_eq(out.items[1].vnode, 2);
	cr_assert(memory_range_equal(out.items[2].range, pages(4, 6)));
	arena_free(arena);
}

Test(range_list, flatten_joins_what_overlaps_and_touches)
{
	static const MemoryRange items[] = { { 0, 4 * P }, { P, 2 * P }, { 3 * P, 5 * P },
		{ 5 * P, 6 * P }, { 8 * P, 9 * P } };
	Arena *arena = arena_new(4096);
	MemoryRangeList out;
	Error err;

	cr_assert(range_list_flatten(
		range_view(((MemoryRangeList){ items, 5 })), arena, &out, &err));

	cr_assert_eq(out.count, 2);
	cr_assert(memory_range_equal(out.items[0], pages(0, 6)));
	cr_assert(memory_range_equal(out.items[1], pages(8, 9)));
	arena_free(arena);
}

Test(range_list, results_hold_no_more_than_they_need)
{
	Arena *arena = arena_new(4096);
	const MemoryRange left = pages(0, 9);
	const MemoryRange right = pages(3, 4);
	MemoryRangeList out;
	Error err;

	cr_assert(range_list_subtract(range_view(((MemoryRangeList){ &left, 1 })),
		range_view(((MemoryRangeList){ &right, 1 })), arena, &out, &err));

	cr_assert_eq(out.count, 2);
	cr_assert_eq(arena_used(arena), 2 * sizeof(MemoryRange));
	arena_free(arena);
}

Test(range_list, nothing_walks_in_one_piece)
{
	RangeWalk walk;
	RangePiece piece;
	Error err;

	cr_assert(range_walk_begin(RANGE_VIEW_EMPTY, RANGE_VIEW_EMPTY, &walk, &err));
	cr_assert(range_walk_next(&walk, &piece));
	cr_assert_eq(piece.range.start, 0);
	cr_assert_eq(piece.range.end, MEMORY_RANGE_LIMIT);
	cr_assert_eq(piece.left, RANGE_NONE);
	cr_assert_not(range_walk_next(&walk, &piece));
	cr_assert_eq(range_list_find(RANGE_VIEW_EMPTY, 0), RANGE_NONE);
	cr_assert_eq(range_list_len(RANGE_VIEW_EMPTY), 0);
}

Test(range_list, reaches_the_end_of_the_address_space)
{
	const MemoryRange all = { 0, MEMORY_RANGE_LIMIT };
	const RangeView view = range_view(((MemoryRangeList){ &all, 1 }));
	RangeWalk walk;
	RangePiece piece;
	Error err;

	cr_assert(range_walk_begin(view, view, &walk, &err));
	cr_assert(range_walk_next(&walk, &piece));
	cr_assert_eq(piece.left, 0);
	cr_assert_eq(piece.right, 0);
	cr_assert_not(range_walk_next(&walk, &piece));
}

/* Lists out of order, and whether the union would still take them. */
static const struct {
	MemoryRange items[3];
	bool flattens;
} disorder[] = {
	{ { { 4 * P, 5 * P }, { 0, P }, { 6 * P, 7 * P } }, false },
	{ { { 0, 2 * P }, { P, 3 * P }, { 6 * P, 7 * P } }, true },
	{ { { 0, 2 * P }, { 2 * P, 4 * P }, { 3 * P, 3 * P } }, true },
	{ { { 2 * P, 4 * P }, { 0, 0 }, { 6 * P, 7 * P } }, false },
};

Test(range_list, refuses_lists_out_of_order)
{
	static const MemoryRange fine = { 0, P };
	const RangeView good = range_view(((MemoryRangeList){ &fine, 1 }));
	Arena *arena = arena_new(4096);

	for (size_t i = 0; i < ARRAY_COUNT(disorder); i++) {
		const RangeView bad = range_view(((MemoryRangeList){ disorder[i].items, 3 }));
		MemoryRangeList out = { NULL, 77 };
		RangeWalk walk;
		Error err = { 0 };

		cr_assert_not(range_list_check(bad, "ram", &err));
		cr_assert_eq(err.diagnostic, PVW_RANGE_0005);
		cr_assert_eq(strncmp(err.text, "ram: item ", 10), 0);
		cr_assert_not(range_walk_begin(bad, good, &walk, &err));
		cr_assert_not_null(strstr(err.text, "left"));
		cr_assert_not(range_walk_begin(good, bad, &walk, &err));
		cr_assert_not_null(strstr(err.text, "right"));
		cr_assert_not(range_list_subtract(bad, good, arena, &out, &err));
		cr_assert_not(range_list_overlap(good, bad, arena, &out, &err));
		cr_assert_eq(out.count, 77);

		err = (Error){ 0 };
		cr_assert_eq(range_list_flatten(bad, arena, &out, &err), disorder[i].flattens);
		cr_assert_eq(err.diagnostic, disorder[i].flattens ? PVW_NONE : PVW_RANGE_0005);
		/* Overlap is fine here: what counts is where the item before starts. */
		if (!disorder[i].flattens)
			cr_assert_not_null(strstr(err.text, "at or above the start of"));
	}
	arena_free(arena);
}

Test(range_list, merge_adjacent_refuses_overlap)
{
	static const NodeRange items[] = { { { 0, 2 * P }, 1 }, { { P, 3 * P }, 1 } };
	Arena *arena = arena_new(4096);
	NodeRangeList out = { NULL, 77 };
	Error err;

	cr_assert_not(
		range_list_merge_adjacent((NodeRangeList){ items, 2 }, arena, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_RANGE_0005);
	cr_assert_not_null(strstr(err.text, "item 1"));
	cr_assert_eq(out.count, 77);
	arena_free(arena);
}

Test(range_list, empty_items_cut_nothing)
{
	static const MemoryRange items[] = { { 0, 2 * P }, { 4 * P, 4 * P }, { 3 * P, 4 * P } };
	RangeWalk walk;
	RangePiece piece;
	size_t pieces = 0;
	Error err;

	cr_assert(range_walk_begin(
		range_view(((MemoryRangeList){ items, 3 })), RANGE_VIEW_EMPTY, &walk, &err));
	while (range_walk_next(&walk, &piece)) {
		cr_assert_neq(piece.left, 1);
		pieces++;
	}
	cr_assert_eq(pieces, 4);
}

Test(range_list, needs_room_for_its_result)
{
	static const NodeRange items[] = { { { 0, P }, 0 }, { { 2 * P, 3 * P }, 0 } };
	const NodeRangeList list = { items, 2 };
	Arena *arena = arena_new(16);
	MemoryRangeList out;
	NodeRangeList merged;
	Error err;

	cr_assert_not(
		range_list_overlap(range_view(list), range_view(list), arena, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	cr_assert_not(range_list_flatten(range_view(list), arena, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	cr_assert_not(range_list_merge_adjacent(list, arena, &merged, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	arena_free(arena);
}
