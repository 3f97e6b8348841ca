/*
 * Sorting of records by the guest address they begin with.
 */
#ifndef BOOTINFO_START_SORT_H
#define BOOTINFO_START_SORT_H

#include "support/arena.h"

/**
 * start_sort - order records by start; those with equal starts keep their order
 * @items: @count records of @size bytes; each begins with its start, a uint64_t
 * @arena: takes a second copy, unless the records are in order already
 *
 * O(n log n), O(n) when in order.
 *
 * Errors: PVW_MEM_0001 (LIMIT); @items are untouched then.
 */
MUST_CHECK bool start_sort(void *items, size_t count, size_t size, Arena *arena, Error *err);

#endif
