/*
 * A bounded bump allocator: everything that one prepared state consists of, freed at once.
 *
 * Memory comes in chunks that at least double what is held; an allocation is a comparison and an
 * addition. The limit is on what is handed out; what is held stays below six times the limit,
 * of which only what was written is ever resident.
 */
#ifndef SUPPORT_ARENA_H
#define SUPPORT_ARENA_H

#include "support/error.h"

typedef struct Arena Arena;

/** arena_new - an empty arena that never hands out more than @limit bytes; NULL without memory */
Arena *arena_new(size_t limit);

/** arena_free - give everything back; NULL is fine */
void arena_free(Arena *arena);

/** arena_wipe - arena_free, and nothing of what was in it stays in memory; for secrets */
void arena_wipe(Arena *arena);

/** arena_reset - forget all allocations, keep the memory for the next use */
void arena_reset(Arena *arena);

/** arena_used - bytes handed out, alignment included */
size_t arena_used(const Arena *arena);

/**
 * arena_alloc - zeroed bytes that live as long as the arena
 * @size:  bytes; 0 gives a valid pointer to nothing
 * @align: power of two, at most 16
 *
 * Errors: PVW_MEM_0001 (LIMIT) when the arena's limit or the machine's memory is exhausted; NULL.
 */
MUST_CHECK void *arena_alloc(Arena *arena, size_t size, size_t align, Error *err);

/**
 * arena_reserve - like arena_alloc, but the bytes are not zeroed
 *
 * For who writes every byte that it keeps: copies, and writers that give back the rest with
 * arena_shrink. What the bytes hold before they are written says nothing.
 */
MUST_CHECK void *arena_reserve(Arena *arena, size_t size, size_t align, Error *err);

/** arena_alloc_array - @count items of @size bytes, overflow checked */
MUST_CHECK void *arena_alloc_array(
	Arena *arena, size_t count, size_t size, size_t align, Error *err);

/* arena_array - typed array of @count zeroed items, or NULL with @err set */
#define arena_array(arena, type, count, err)                                                   \
	((type *)arena_alloc_array((arena), (count), sizeof(type), _Alignof(type), (err)))

/** arena_reserve_items - @count items of @size bytes, overflow checked, not zeroed */
MUST_CHECK void *arena_reserve_items(
	Arena *arena, size_t count, size_t size, size_t align, Error *err);

/* arena_reserve_array - like arena_array, for who writes every item: nothing is zeroed */
#define arena_reserve_array(arena, type, count, err)                                           \
	((type *)arena_reserve_items((arena), (count), sizeof(type), _Alignof(type), (err)))

/**
 * arena_shrink - give back the tail of the most recent allocation
 * @start: what arena_alloc returned last
 * @len:   bytes to keep
 *
 * Does nothing when @start is not the most recent allocation. Lets a builder reserve a bound,
 * write, and keep what it used. What is handed out again is zeroed again.
 */
void arena_shrink(Arena *arena, void *start, size_t len);

/** arena_copy - a copy of @bytes in the arena */
MUST_CHECK bool arena_copy(
	Arena *arena, const void *data, size_t len, const uint8_t **out, Error *err);

/** arena_printf - a formatted string in the arena, or NULL with @err set */
MUST_CHECK const char *arena_printf(Arena *arena, Error *err, const char *format, ...)
	PRINTF_LIKE(3, 4);

#endif
