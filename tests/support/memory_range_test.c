#include <criterion/criterion.h>
#include <string.h>

#include "support/diagnostics.h"
#include "support/memory_range.h"

#define P PAGE_SIZE
#define SMALL 7 /* pages of the small world in which everything is tried */

/* The range of pages [a, b), as construction would give it. */
static MemoryRange pages(uint64_t a, uint64_t b)
{
	return a == b ? MEMORY_RANGE_EMPTY : (MemoryRange){ a * P, b * P };
}

/* Which pages of the small world a range holds, a bit each. */
static unsigned bits(MemoryRange range)
{
	unsigned set = 0;

	for (unsigned page = 0; page < SMALL; page++) {
		if (range.start <= page * P && page * P < range.end)
			set |= 1u << page;
	}
	return set;
}

#define FOR_EACH_RANGE(r)                                                                      \
	for (uint64_t r##_a = 0; r##_a <= SMALL; r##_a++)                                      \
		for (uint64_t r##_b = r##_a; r##_b <= SMALL; r##_b++)                          \
			for (MemoryRange r = pages(r##_a, r##_b), *r##_once = &r; r##_once;    \
				r##_once = NULL)

Test(memory_range, relations_agree_with_sets_of_pages)
{
	FOR_EACH_RANGE(a)
	{
		FOR_EACH_RANGE(b)
		{
			const unsigned in_a = bits(a);
			const unsigned in_b = bits(b);

			cr_assert_eq(memory_range_overlaps(a, b), (in_a & in_b) != 0);
			cr_assert_eq(memory_range_contains(a, b), (in_a & in_b) == in_b);
			cr_assert_eq(memory_range_equal(a, b), in_a == in_b);
			cr_assert_eq(bits(memory_range_intersection(a, b)), in_a & in_b);
			if ((in_a & in_b) == 0)
				cr_assert(memory_range_equal(
					memory_range_intersection(a, b), MEMORY_RANGE_EMPTY));
		}
		cr_assert_eq(memory_range_is_empty(a), bits(a) == 0);
		cr_assert_eq(memory_range_len(a), (uint64_t)__builtin_popcount(bits(a)) * P);
		for (uint64_t page = 0; page < SMALL; page++) {
			const bool inside = bits(a) >> page & 1;

			cr_assert_eq(memory_range_contains_address(a, page * P), inside);
			cr_assert_eq(
				memory_range_contains_address(a, page * P + P - 1), inside);
		}
	}
}

Test(memory_range, empty_inside_another_overlaps_nothing)
{
	const MemoryRange in_place = { 4 * P, 4 * P };

	cr_assert_not(memory_range_overlaps(in_place, pages(2, 6)));
	cr_assert_not(memory_range_overlaps(pages(2, 6), in_place));
	cr_assert(memory_range_contains(pages(0, 1), in_place));
}

Test(memory_range, split_parts_every_range_everywhere)
{
	FOR_EACH_RANGE(range)
	{
		for (uint64_t offset = 0; offset <= SMALL * P; offset += P) {
			MemoryRange head = pages(1, 2);
			MemoryRange tail = pages(3, 4);
			Error err;

			if (offset > memory_range_len(range)) {
				cr_assert_not(
					memory_range_split(range, offset, &head, &tail, &err));
				cr_assert_eq(err.diagnostic, PVW_RANGE_0004);
				cr_assert_not_null(strstr(err.text, "at most"));
				cr_assert(memory_range_equal(head, pages(1, 2)));
				cr_assert(memory_range_equal(tail, pages(3, 4)));
				continue;
			}
			cr_assert(memory_range_split(range, offset, &head, &tail, &err));
			cr_assert_eq(memory_range_len(head), offset);
			cr_assert_eq(bits(head) | bits(tail), bits(range));
			cr_assert_eq(bits(head) & bits(tail), 0);
			cr_assert_leq(bits(head), bits(tail) ? bits(tail) : bits(head));
		}
	}
}

Test(memory_range, split_at_zero_leaves_head_empty)
{
	MemoryRange head, tail;
	Error err;

	cr_assert(memory_range_split(pages(2, 5), 0, &head, &tail, &err));
	cr_assert(memory_range_equal(head, MEMORY_RANGE_EMPTY));
	cr_assert(memory_range_equal(tail, pages(2, 5)));
	cr_assert(memory_range_split(pages(2, 5), 3 * P, &head, &tail, &err));
	cr_assert(memory_range_equal(head, pages(2, 5)));
	cr_assert(memory_range_equal(tail, MEMORY_RANGE_EMPTY));
}

Test(memory_range, split_off_a_page_boundary_is_refused)
{
	MemoryRange head, tail;
	Error err;

	cr_assert_not(memory_range_split(pages(2, 5), P + 1, &head, &tail, &err));
	cr_assert_eq(err.diagnostic, PVW_RANGE_0004);
	cr_assert_not_null(strstr(err.text, "multiple"));
}

Test(memory_range, from_base_len_checks_alignment_and_wrap)
{
	static const struct {
		uint64_t base, len;
		DiagnosticId expected;
	} cases[] = {
		{ 0, 0, PVW_NONE },
		{ P, P, PVW_NONE },
		{ 5 * P, 0, PVW_NONE },
		{ MEMORY_RANGE_LIMIT - P, P, PVW_NONE },
		{ MEMORY_RANGE_LIMIT, 0, PVW_NONE },
		{ 0, MEMORY_RANGE_LIMIT, PVW_NONE },
		{ 1, P, PVW_RANGE_0001 },
		{ P, 1, PVW_RANGE_0001 },
		{ P + 2048, 2048, PVW_RANGE_0001 },
		{ MEMORY_RANGE_LIMIT, P, PVW_RANGE_0002 },
		{ P, MEMORY_RANGE_LIMIT, PVW_RANGE_0002 },
		{ MEMORY_RANGE_LIMIT, MEMORY_RANGE_LIMIT, PVW_RANGE_0002 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		MemoryRange out = pages(1, 2);
		Error err = { 0 };

		const bool result =
			memory_range_from_base_len(cases[i].base, cases[i].len, &out, &err);

		cr_assert_eq(result, cases[i].expected == PVW_NONE);
		cr_assert_eq(err.diagnostic, cases[i].expected, "%s", err.text);
		if (!result) {
			cr_assert_not_null(strstr(err.text, "expected"));
			cr_assert(memory_range_equal(out, pages(1, 2)));
		} else if (cases[i].len == 0) {
			cr_assert(memory_range_equal(out, MEMORY_RANGE_EMPTY));
		} else {
			cr_assert_eq(out.start, cases[i].base);
			cr_assert_eq(memory_range_len(out), cases[i].len);
		}
	}
}

Test(memory_range, from_bounds_checks_alignment_and_order)
{
	static const struct {
		uint64_t start, end;
		DiagnosticId expected;
	} cases[] = {
		{ 0, 0, PVW_NONE },
		{ 0, P, PVW_NONE },
		{ 3 * P, 3 * P, PVW_NONE },
		{ 0, MEMORY_RANGE_LIMIT, PVW_NONE },
		{ 1, P, PVW_RANGE_0001 },
		{ 0, UINT64_MAX, PVW_RANGE_0001 },
		{ 2 * P, P, PVW_RANGE_0003 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		MemoryRange out = pages(1, 2);
		Error err = { 0 };

		const bool result =
			memory_range_from_bounds(cases[i].start, cases[i].end, &out, &err);

		cr_assert_eq(result, cases[i].expected == PVW_NONE);
		cr_assert_eq(err.diagnostic, cases[i].expected, "%s", err.text);
		if (!result)
			cr_assert(memory_range_equal(out, pages(1, 2)));
		else if (cases[i].start == cases[i].end)
			cr_assert(memory_range_equal(out, MEMORY_RANGE_EMPTY));
		else
			cr_assert_eq(out.end, cases[i].end);
	}
}

Test(memory_range, prints_both_ends)
{
	Error err;

	error_set(&err, PVW_RANGE_0001, RANGE_FORMAT, RANGE_ARGS(pages(1, 3)));
	cr_assert_str_eq(err.text, "0x1000-0x3000");
}

Test(memory_range, aligned_subrange_is_the_largest_one_inside)
{
	for (uint64_t align = P; align <= 8 * P; align *= 2) {
		FOR_EACH_RANGE(range)
		{
			MemoryRange out, best = MEMORY_RANGE_EMPTY;
			Error err;

			FOR_EACH_RANGE(candidate)
			{
				if (candidate.start % align == 0 &&
					candidate.end % align == 0 &&
					memory_range_contains(range, candidate) &&
					memory_range_len(candidate) > memory_range_len(best))
					best = candidate;
			}
			cr_assert(memory_range_aligned_subrange(range, align, &out, &err));
			cr_assert(memory_range_equal(out, best));
		}
	}
}

Test(memory_range, aligned_subrange_refuses_what_it_cannot_align_to)
{
	static const uint64_t aligns[] = { 0, 3, 3 * P, UINT64_MAX };
	MemoryRange out = pages(1, 2);
	Error err;

	for (size_t i = 0; i < ARRAY_COUNT(aligns); i++) {
		cr_assert_not(
			memory_range_aligned_subrange(pages(1, 9), aligns[i], &out, &err));
		cr_assert_eq(err.diagnostic, PVW_RANGE_0006);
		cr_assert_not_null(strstr(err.text, "power of two"));
	}
	cr_assert_not(memory_range_aligned_subrange(
		(MemoryRange){ MEMORY_RANGE_LIMIT - P, MEMORY_RANGE_LIMIT }, 2 << 20, &out,
		&err));
	cr_assert_eq(err.diagnostic, PVW_RANGE_0006);
	cr_assert_not_null(strstr(err.text, "rounded up"));
	cr_assert(memory_range_equal(out, pages(1, 2)));
}

Test(memory_range, alignment_is_that_of_both_ends)
{
	uint64_t out = 7;
	Error err;

	cr_assert(memory_range_alignment(pages(0, 1), 0, &out, &err));
	cr_assert_eq(out, P);
	cr_assert(memory_range_alignment(pages(512, 1536), 0, &out, &err));
	cr_assert_eq(out, 512 * P);
	cr_assert(memory_range_alignment(pages(512, 1536), 256 * P, &out, &err));
	cr_assert_eq(out, 256 * P);
	cr_assert(memory_range_alignment(MEMORY_RANGE_EMPTY, 8, &out, &err));
	cr_assert_eq(out, 8);
}

Test(memory_range, alignment_of_nothing_or_beyond_the_end_is_refused)
{
	uint64_t out = 7;
	Error err;

	cr_assert_not(memory_range_alignment(MEMORY_RANGE_EMPTY, 0, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_RANGE_0006);
	cr_assert_not_null(strstr(err.text, "address 0"));
	cr_assert_not(memory_range_alignment(pages(0, 1), MEMORY_RANGE_LIMIT, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_RANGE_0006);
	cr_assert_not_null(strstr(err.text, "2^64"));
	cr_assert_eq(out, 7);
}
