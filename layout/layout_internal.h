/*
 * Arrays and sorting, for whoever in this folder must put ranges or identifiers in order.
 */
#ifndef LAYOUT_LAYOUT_INTERNAL_H
#define LAYOUT_LAYOUT_INTERNAL_H

#include "support/arena.h"
#include "support/checked.h"

static inline void *reserve_items(
	Arena *arena, size_t count, size_t size, size_t align, Error *err)
{
	size_t len;

	/* What does not fit a size does not fit an arena either. */
	if (!checked_mul_size(count, size, &len))
		len = SIZE_MAX;
	return arena_reserve(arena, len, align, err);
}

/* reserve_array - like arena_array, for who writes every item: nothing is zeroed */
#define reserve_array(arena, type, count, err)                                                 \
	((type *)reserve_items((arena), (count), sizeof(type), _Alignof(type), (err)))

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
