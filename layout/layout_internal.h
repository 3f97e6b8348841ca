/*
 * Sorting, for whoever in this folder must put ranges or identifiers in order.
 */
#ifndef LAYOUT_LAYOUT_INTERNAL_H
#define LAYOUT_LAYOUT_INTERNAL_H

#include "support/arena.h"
#include "support/checked.h"

#define reserve_array arena_reserve_array

/* The next @count items of @size bytes, a multiple of 8, of a block reserved for several lists. */
static inline void *carve(uint8_t **block, size_t count, size_t size)
{
	void *items = *block;

	*block += count * size;
	return items;
}

typedef struct SortKey {
	uint64_t key;
	size_t index; /* of the item that it stands for */
} SortKey;

/**
 * sort_keys - put keys in ascending order; equal ones keep their order
 * @keys:    @count keys
 * @scratch: room for as many
 *
 * What is already in order costs one pass, r sorted runs cost log2(r) more.
 */
void sort_keys(SortKey *keys, SortKey *scratch, size_t count);

#endif
