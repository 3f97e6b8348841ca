/*
 * Natural merge sort: inputs are mostly in order already, and hostile ones must stay cheap.
 */
#include "layout/layout_internal.h"

#include <string.h>

/* One past the ascending run that begins at @at, which is below @count. */
static size_t run_end(const SortKey *keys, size_t at, size_t count)
{
	do {
		at++;
	} while (at < count && keys[at - 1].key <= keys[at].key);
	return at;
}

/* Two neighbouring runs of @left and @right keys become one at @out. */
static void merge_runs(const SortKey *keys, size_t left, size_t right, SortKey *out)
{
	const SortKey *a = keys, *a_end = keys + left;
	const SortKey *b = a_end, *b_end = b + right;

	while (a < a_end && b < b_end)
		*out++ = b->key < a->key ? *b++ : *a++;
	while (a < a_end)
		*out++ = *a++;
	while (b < b_end)
		*out++ = *b++;
}

/* Merges runs pairwise from @keys to @out; returns how many there are then. */
static size_t merge_pass(const SortKey *keys, size_t count, SortKey *out)
{
	size_t at = 0, runs = 0;

	for (; at < count; runs++) {
		const size_t middle = run_end(keys, at, count);
		const size_t end = middle < count ? run_end(keys, middle, count) : count;

		merge_runs(keys + at, middle - at, end - middle, out + at);
		at = end;
	}
	return runs;
}

void sort_keys(SortKey *keys, SortKey *scratch, size_t count)
{
	SortKey *from = keys, *to = scratch, *swap;
	size_t runs;

	if (count < 2 || run_end(keys, 0, count) == count)
		return;
	do {
		runs = merge_pass(from, count, to);
		swap = from;
		from = to;
		to = swap;
	} while (runs > 1);
	if (from != keys)
		memcpy(keys, from, count * sizeof(*keys));
}
