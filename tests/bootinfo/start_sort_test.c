#include <criterion/criterion.h>

#include "bootinfo/start_sort.h"

typedef struct Record {
	uint64_t start;
	uint32_t order;
	uint32_t spare;
} Record;

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

Test(start_sort, leaves_what_is_in_order_and_takes_no_memory)
{
	Arena *arena = arena_new(64);
	Record records[] = { { 1, 0, 0 }, { 1, 1, 0 }, { 5, 2, 0 } };
	Error err;

	cr_assert(start_sort(records, 3, sizeof(Record), arena, &err));
	cr_assert_eq(arena_used(arena), 0);
	cr_assert(start_sort(NULL, 0, sizeof(Record), arena, &err));

	for (uint32_t i = 0; i < 3; i++)
		cr_assert_eq(records[i].order, i);
	arena_free(arena);
}

Test(start_sort, is_stable_for_every_length)
{
	Arena *arena = arena_new(1 << 20);
	uint32_t seed = 1;
	Error err;

	for (size_t count = 1; count <= 100; count++) {
		Record records[100];

		for (uint32_t i = 0; i < count; i++)
			records[i] = (Record){ next_random(&seed) % 7, i, ~i };
		cr_assert(start_sort(records, count, sizeof(Record), arena, &err));

		for (size_t i = 0; i < count; i++) {
			cr_assert_eq(records[i].spare, ~records[i].order);
			if (i == 0)
				continue;
			cr_assert(records[i - 1].start < records[i].start ||
				(records[i - 1].start == records[i].start &&
					records[i - 1].order < records[i].order));
		}
	}
	arena_free(arena);
}

Test(start_sort, leaves_the_records_when_memory_is_short)
{
	Arena *arena = arena_new(8);
	Record records[] = { { 2, 0, 0 }, { 1, 1, 0 } };
	Error err;

	cr_assert_not(start_sort(records, 2, sizeof(Record), arena, &err));

	cr_assert_eq(records[0].start, 2);
	cr_assert_eq(err.code, ERROR_LIMIT);
	arena_free(arena);
}
