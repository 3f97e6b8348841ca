#include <criterion/criterion.h>
#include <string.h>

#include "support/arena.h"
#include "support/diagnostics.h"

static bool all_zero(const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

Test(arena, gives_zeroed_aligned_bytes)
{
	Arena *arena = arena_new(1 << 20);
	Error err;

	for (size_t align = 1; align <= 16; align *= 2) {
		for (size_t size = 1; size < 70; size += 7) {
			uint8_t *p = arena_alloc(arena, size, align, &err);

			cr_assert_not_null(p);
			cr_assert_eq((uintptr_t)p % align, 0);
			cr_assert(all_zero(p, size));
			memset(p, 0xff, size);
		}
	}
	arena_free(arena);
}

/* Whatever is written, reset, shrunk and asked for again: allocations are disjoint and zero. */
Test(arena, random_use_never_shows_old_bytes_or_overlaps)
{
	Arena *arena = arena_new(200000);
	uint64_t seed = 88172645463325252u;
	Error err;

	for (int round = 0; round < 60; round++) {
		struct {
			uint8_t *start;
			size_t len;
			uint8_t mark;
		} live[400];
		size_t count = 0;

		while (count < ARRAY_COUNT(live)) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;

			const size_t size = (seed >> 8) % ((seed & 7) == 0 ? 30000 : 200);
			const size_t align = (size_t)1 << ((seed >> 40) % 5);
			const bool raw = (seed >> 50) & 1;
			uint8_t *p = raw ? arena_reserve(arena, size, align, &err)
					 : arena_alloc(arena, size, align, &err);
			size_t keep = size;

			if (!p)
				break;
			cr_assert_eq((uintptr_t)p % align, 0);
			cr_assert(raw || all_zero(p, size));
			memset(p, 0xee, size);
			if ((seed >> 51) & 1) {
				keep = size / 3;
				arena_shrink(arena, p, keep);
			}
			memset(p, (int)(count & 0xff), keep);
			live[count].start = p;
			live[count].len = keep;
			live[count].mark = (uint8_t)count;
			count++;
		}
		for (size_t i = 0; i < count; i++) {
			for (size_t k = 0; k < live[i].len; k++)
				cr_assert_eq(live[i].start[k], live[i].mark);
		}
		cr_assert_leq(arena_used(arena), 200000);
		arena_reset(arena);
		cr_assert_eq(arena_used(arena), 0);
	}
	arena_free(arena);
}

Test(arena, hands_out_its_limit_and_no_more)
{
	Arena *arena = arena_new(1000);
	Error err;

	cr_assert_not_null(arena_alloc(arena, 600, 1, &err));
	cr_assert_null(arena_alloc(arena, 401, 1, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	cr_assert_eq(err.code, ERROR_LIMIT);
	cr_assert_str_eq(err.text, "401 bytes wanted, 400 of 1000 left");
	cr_assert_not_null(arena_alloc(arena, 400, 1, &err));
	cr_assert_eq(arena_used(arena), 1000);
	cr_assert_null(arena_alloc(arena, 1, 1, &err));
	cr_assert_not_null(arena_alloc(arena, 0, 1, &err));
	arena_free(arena);
}

Test(arena, counts_alignment)
{
	Arena *arena = arena_new(20);
	Error err;

	cr_assert_not_null(arena_alloc(arena, 1, 1, &err));
	cr_assert_null(arena_alloc(arena, 8, 16, &err));
	cr_assert_not_null(arena_alloc(arena, 8, 8, &err));
	cr_assert_eq(arena_used(arena), 16);
	arena_free(arena);
}

Test(arena, nothing_is_a_valid_pointer)
{
	Arena *arena = arena_new(0);
	Error err;

	cr_assert_not_null(arena_alloc(arena, 0, 16, &err));
	cr_assert_null(arena_alloc(arena, 1, 1, &err));
	arena_free(arena);
}

Test(arena, sizes_that_wrap_are_refused)
{
	Arena *arena = arena_new(SIZE_MAX);
	Error err;

	cr_assert_null(arena_alloc(arena, SIZE_MAX, 16, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	cr_assert_null(arena_alloc(arena, SIZE_MAX - 8, 1, &err));
	cr_assert_null(arena_alloc_array(arena, SIZE_MAX / 2, 3, 8, &err));
	cr_assert_not_null(strstr(err.text, "items"));
	cr_assert_null(arena_alloc_array(arena, (size_t)1 << 32, (size_t)1 << 32, 8, &err));
	err = (Error){ 0 };
	cr_assert_null(arena_reserve_array(arena, uint64_t, SIZE_MAX / 2, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	cr_assert_not_null(strstr(err.text, "items of 8 bytes"));
	arena_free(arena);
}

Test(arena, array_is_typed_and_zeroed)
{
	Arena *arena = arena_new(4096);
	Error err;

	uint64_t *items = arena_array(arena, uint64_t, 100, &err);

	cr_assert_not_null(items);
	cr_assert(all_zero(items, 800));
	cr_assert_eq(arena_used(arena), 800);
	arena_free(arena);
}

Test(arena, reset_reuses_the_memory)
{
	Arena *arena = arena_new(1 << 20);
	Error err;

	uint8_t *first = arena_alloc(arena, 100, 16, &err);

	memset(first, 0xff, 100);
	arena_reset(arena);
	uint8_t *again = arena_alloc(arena, 100, 16, &err);

	cr_assert_eq(first, again);
	cr_assert(all_zero(again, 100));
	arena_free(arena);
}

Test(arena, shrink_gives_back_the_tail)
{
	Arena *arena = arena_new(1000);
	Error err;

	uint8_t *p = arena_alloc(arena, 1000, 1, &err);

	memset(p, 0xff, 1000);
	arena_shrink(arena, p, 10);
	cr_assert_eq(arena_used(arena), 10);
	cr_assert_eq(p[9], 0xff);

	uint8_t *q = arena_alloc(arena, 990, 1, &err);

	cr_assert_not_null(q);
	cr_assert(all_zero(q, 990));
	cr_assert_null(arena_alloc(arena, 1, 1, &err));
	arena_free(arena);
}

Test(arena, shrink_of_anything_but_the_last_does_nothing)
{
	Arena *arena = arena_new(1000);
	Error err;

	uint8_t *p = arena_alloc(arena, 100, 1, &err);
	uint8_t *q = arena_alloc(arena, 100, 1, &err);

	arena_shrink(arena, p, 10);
	cr_assert_eq(arena_used(arena), 200);
	arena_shrink(arena, q, 200);
	cr_assert_eq(arena_used(arena), 200);
	arena_shrink(arena, NULL, 0);
	arena_shrink(arena, q, 50);
	arena_shrink(arena, q, 20);
	cr_assert_eq(arena_used(arena), 120);
	arena_reset(arena);
	arena_shrink(arena, q, 0);
	cr_assert_eq(arena_used(arena), 0);
	arena_free(arena);
}

/* Reserving a bound and keeping a little must not use the limit up with what is not kept. */
Test(arena, reserve_and_shrink_reach_the_limit)
{
	Arena *arena = arena_new(1 << 20);
	Error err;

	while (arena_used(arena) + 256 * 1024 <= 1 << 20) {
		void *p = arena_reserve(arena, 256 * 1024, 1, &err);

		cr_assert_not_null(p);
		arena_shrink(arena, p, 4096);
	}
	cr_assert_gt(arena_used(arena), 700 * 1024);
	arena_free(arena);
}

Test(arena, failure_leaves_the_arena_as_it_was)
{
	Arena *arena = arena_new(1000);
	Error err;

	uint8_t *p = arena_alloc(arena, 100, 1, &err);

	cr_assert_null(arena_alloc(arena, 1000, 1, &err));
	cr_assert_eq(arena_used(arena), 100);
	arena_shrink(arena, p, 50);
	cr_assert_eq(arena_used(arena), 50);
	arena_free(arena);
}

Test(arena, copy_lives_on_its_own)
{
	Arena *arena = arena_new(100);
	char text[] = "hello";
	const uint8_t *copy;
	Error err;

	cr_assert(arena_copy(arena, text, sizeof(text), &copy, &err));
	text[0] = 'j';
	cr_assert_str_eq((const char *)copy, "hello");
	cr_assert(arena_copy(arena, NULL, 0, &copy, &err));
	cr_assert_not_null(copy);
	cr_assert_not(arena_copy(arena, text, 200, &copy, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	arena_free(arena);
}

Test(arena, printf_of_any_length)
{
	Arena *arena = arena_new(4096);
	Error err;

	for (int len = 1; len < 300; len++) {
		const char *text = arena_printf(arena, &err, "%*d", len, 7);

		cr_assert_not_null(text);
		cr_assert_eq(strlen(text), (size_t)len);
		cr_assert_eq(text[len - 1], '7');
		arena_reset(arena);
	}
	cr_assert_str_eq(arena_printf(arena, &err, "cpu@%x", 0xabu), "cpu@ab");
	cr_assert_null(arena_printf(arena, &err, "%5000d", 1));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	arena_free(arena);
}

Test(arena, free_of_nothing_is_fine)
{
	arena_free(NULL);
	arena_free(arena_new(0));
}
