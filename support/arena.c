/*
 * A bounded bump allocator over a list of chunks.
 *
 *	chunk   [ handed out | free, written before | free, never written ]
 *	        start        at                     dirty                  end
 *
 * Chunks come zeroed. What lies below `dirty` may have been written, and is zeroed when it is
 * handed out again; so a reset costs nothing and fresh memory is never touched twice.
 */
#include "support/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/checked.h"
#include "support/diagnostics.h"

#define MAX_ALIGN 16
#define MAX_LIMIT (SIZE_MAX / 8) /* sums of two of them stay far from wrapping */
#define FIRST_CHUNK ((size_t)16 * 1024)

/* Under AddressSanitizer every allocation ends in bytes that may not be touched. */
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#endif
#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
#define RED_ZONE 16
#else
#define ASAN_POISON_MEMORY_REGION(start, len) ((void)(start), (void)(len))
#define ASAN_UNPOISON_MEMORY_REGION(start, len) ((void)(start), (void)(len))
#define RED_ZONE 0
#endif

typedef struct Chunk {
	struct Chunk *next;
	uint8_t *dirty; /* below: may have been written */
	uint8_t *end;
	_Alignas(MAX_ALIGN) uint8_t start[]; /* and a red zone behind @end */
} Chunk;

static size_t chunk_size(const Chunk *chunk)
{
	return (size_t)(chunk->end - chunk->start) + RED_ZONE;
}

struct Arena {
	uint8_t *at;    /* next free byte of the current chunk */
	uint8_t *end;   /* as far as the chunk and the limit go */
	uint8_t *dirty; /* of the current chunk */
	size_t used;    /* bytes handed out, alignment included */
	uint8_t *last;  /* the most recent allocation, or NULL */
	size_t limit;
	Chunk *current;
	Chunk *first;
	size_t held; /* bytes in all chunks */
};

Arena *arena_new(size_t limit)
{
	Arena *arena = calloc(1, sizeof(*arena));

	if (arena)
		arena->limit = limit < MAX_LIMIT ? limit : MAX_LIMIT;
	return arena;
}

void arena_free(Arena *arena)
{
	if (!arena)
		return;
	for (Chunk *chunk = arena->first; chunk;) {
		Chunk *next = chunk->next;

		ASAN_UNPOISON_MEMORY_REGION(chunk->start, chunk_size(chunk));
		free(chunk);
		chunk = next;
	}
	free(arena);
}

void arena_wipe(Arena *arena)
{
	if (!arena)
		return;
	for (Chunk *chunk = arena->first; chunk; chunk = chunk->next) {
		ASAN_UNPOISON_MEMORY_REGION(chunk->start, chunk_size(chunk));
		explicit_bzero(chunk->start, chunk_size(chunk));
	}
	arena_free(arena);
}

size_t arena_used(const Arena *arena)
{
	return arena->used;
}

/* One comparison tells whether something fits: @end is the nearer of chunk and limit. */
static void set_end(Arena *arena)
{
	const size_t left = arena->limit - arena->used;
	const uint8_t *end = arena->current->end;
	const size_t room = arena->at < end ? (size_t)(end - arena->at) : 0;

	arena->end = arena->at + (room < left ? room : left);
}

static void make_current(Arena *arena, Chunk *chunk)
{
	if (arena->current)
		arena->current->dirty = arena->dirty;
	arena->current = chunk;
	arena->at = chunk->start;
	arena->dirty = chunk->dirty;
	arena->last = NULL;
	set_end(arena);
}

void arena_reset(Arena *arena)
{
	arena->used = 0;
	if (!arena->first)
		return;
	for (Chunk *chunk = arena->first; RED_ZONE && chunk; chunk = chunk->next)
		ASAN_POISON_MEMORY_REGION(chunk->start, chunk_size(chunk));
	make_current(arena, arena->first);
}

/*
 * A chunk doubles what is held, so that there are few; but one of twice the limit never runs
 * out before the limit does, so none is larger.
 */
static bool add_chunk(Arena *arena, size_t need)
{
	const size_t most = 2 * arena->limit;
	size_t size = arena->held < most ? arena->held : most;

	if (size < FIRST_CHUNK)
		size = FIRST_CHUNK;
	if (size < need)
		size = need;

	Chunk *chunk = calloc(1, sizeof(*chunk) + size + RED_ZONE);

	if (!chunk)
		return false;
	chunk->dirty = chunk->start;
	chunk->end = chunk->start + size;
	ASAN_POISON_MEMORY_REGION(chunk->start, chunk_size(chunk));
	if (arena->current) {
		/* Kept chunks behind the current one are too small now, not for ever. */
		chunk->next = arena->current->next;
		arena->current->next = chunk;
	} else {
		arena->first = chunk;
	}
	arena->held += size;
	make_current(arena, chunk);
	return true;
}

/* Makes a chunk current that has room for @size bytes. */
static bool next_chunk(Arena *arena, size_t size)
{
	Chunk *chunk = arena->current ? arena->current->next : NULL;

	for (; chunk; chunk = chunk->next) {
		if (size <= (size_t)(chunk->end - chunk->start)) {
			make_current(arena, chunk);
			return true;
		}
	}
	return add_chunk(arena, size);
}

/* The current chunk, or the limit, ends too early: another chunk, or an error. */
static __attribute__((noinline)) bool make_room(
	Arena *arena, size_t size, size_t pad, Error *err)
{
	const size_t left = arena->limit - arena->used;

	if (size > left || pad > left - size)
		return error_set(err, PVW_MEM_0001, "%zu bytes wanted, %zu of %zu left", size,
			left, arena->limit);
	if (!next_chunk(arena, size))
		return error_set(
			err, PVW_MEM_0001, "%zu bytes wanted, the system has none left", size);
	return true;
}

/* The next @size bytes, as they are; what is dirty stays as it was. */
static inline uint8_t *take(Arena *arena, size_t size, size_t align, Error *err)
{
	size_t pad = -(uintptr_t)arena->at & (align - 1);
	const size_t room = (size_t)(arena->end - arena->at);

	assert(align - 1 < MAX_ALIGN && (align & (align - 1)) == 0);
	if (pad > room || size > room - pad || !arena->at) {
		if (!make_room(arena, size, pad, err))
			return NULL;
		pad = 0;
	}

	uint8_t *start = arena->at + pad;

	arena->at = start + size;
	arena->used += pad + size;
	arena->last = start;
	if (RED_ZONE && size > 0) {
		ASAN_UNPOISON_MEMORY_REGION(start, size);
		arena->at += RED_ZONE;
		set_end(arena);
	}
	return start;
}

static inline void mark_dirty(Arena *arena)
{
	if (arena->dirty < arena->at)
		arena->dirty = arena->at;
}

void *arena_reserve(Arena *arena, size_t size, size_t align, Error *err)
{
	uint8_t *start = take(arena, size, align, err);

	if (start)
		mark_dirty(arena);
	return start;
}

void *arena_alloc(Arena *arena, size_t size, size_t align, Error *err)
{
	uint8_t *start = take(arena, size, align, err);

	if (!start)
		return NULL;
	if (start < arena->dirty) {
		const size_t written = (size_t)(arena->dirty - start);

		memset(start, 0, size < written ? size : written);
	}
	mark_dirty(arena);
	return start;
}

static bool array_len(const Arena *arena, size_t count, size_t size, size_t *bytes, Error *err)
{
	if (checked_mul_size(count, size, bytes))
		return true;
	return error_set(err, PVW_MEM_0001,
		"%zu items of %zu bytes wanted, %zu bytes are the limit", count, size,
		arena->limit);
}

void *arena_alloc_array(Arena *arena, size_t count, size_t size, size_t align, Error *err)
{
	size_t bytes;

	if (!array_len(arena, count, size, &bytes, err))
		return NULL;
	return arena_alloc(arena, bytes, align, err);
}

void *arena_reserve_items(Arena *arena, size_t count, size_t size, size_t align, Error *err)
{
	size_t bytes;

	if (!array_len(arena, count, size, &bytes, err))
		return NULL;
	return arena_reserve(arena, bytes, align, err);
}

void arena_shrink(Arena *arena, void *start, size_t len)
{
	if (!start || start != arena->last || arena->at == arena->last)
		return;

	const size_t size = (size_t)(arena->at - arena->last) - RED_ZONE;

	if (len >= size)
		return;
	ASAN_POISON_MEMORY_REGION(arena->last + len, size - len);
	arena->at = arena->last + len;
	arena->used -= size - len;
	if (RED_ZONE && len > 0)
		arena->at += RED_ZONE;
	if (RED_ZONE)
		set_end(arena);
}

bool arena_copy(Arena *arena, const void *data, size_t len, const uint8_t **out, Error *err)
{
	uint8_t *copy = arena_reserve(arena, len, 1, err);

	if (!copy)
		return false;
	if (len > 0)
		memcpy(copy, data, len);
	*out = copy;
	return true;
}

const char *arena_printf(Arena *arena, Error *err, const char *format, ...)
{
	char text[128];
	va_list args, again;

	va_start(args, format);
	va_copy(again, args);

	const int len = vsnprintf(text, sizeof(text), format, args);
	const size_t size = len < 0 ? 1 : (size_t)len + 1;
	char *out = arena_reserve(arena, size, 1, err);

	if (out && len < 0)
		out[0] = '\0';
	else if (out && size <= sizeof(text))
		memcpy(out, text, size);
	else if (out)
		(void)vsnprintf(out, size, format, again);
	va_end(again);
	va_end(args);
	return out;
}
