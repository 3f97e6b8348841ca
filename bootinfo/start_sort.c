/*
 * A stable merge sort, bottom up: runs of 1, 2, 4 … records.
 */
#include "bootinfo/start_sort.h"

#include <string.h>

static uint64_t start_of(const uint8_t *record)
{
	uint64_t start;

	memcpy(&start, record, sizeof(start));
	return start;
}

static bool is_sorted(const uint8_t *items, size_t count, size_t size)
{
	for (size_t i = 1; i < count; i++) {
		if (start_of(items + i * size) < start_of(items + (i - 1) * size))
			return false;
	}
	return true;
}

/* [left, middle) and [middle, end) of @from, both sorted, into [left, end) of @to. */
static void merge(
	const uint8_t *from, uint8_t *to, size_t left, size_t middle, size_t end, size_t size)
{
	size_t a = left, b = middle;

	for (size_t i = left; i < end; i++) {
		const bool take_left = a < middle &&
			(b == end || start_of(from + a * size) <= start_of(from + b * size));

		memcpy(to + i * size, from + (take_left ? a++ : b++) * size, size);
	}
}

static size_t at_most(size_t value, size_t limit)
{
	return value < limit ? value : limit;
}

bool start_sort(void *items, size_t count, size_t size, Arena *arena, Error *err)
{
	uint8_t *from = items, *to;

	if (is_sorted(items, count, size))
		return true;
	to = arena_reserve_items(arena, count, size, 16, err);
	if (!to)
		return false;
	for (size_t run = 1; run < count; run *= 2) {
		uint8_t *const merged = to;

		for (size_t left = 0; left < count; left += 2 * run)
			merge(from, to, left, at_most(left + run, count),
				at_most(left + 2 * run, count), size);
		to = from;
		from = merged;
	}
	if (from != items)
		memcpy(items, from, count * size);
	return true;
}
