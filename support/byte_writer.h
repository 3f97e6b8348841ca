/*
 * Bytes out: a bounded, sticky writer.
 *
 * After the first overflow every put is a no-op, so builders contain no error branches and end in
 * one byte_writer_finish. Without a buffer it only measures. Integers are little-endian.
 * The puts are inline: they are the inner loop of every table.
 */
#ifndef SUPPORT_BYTE_WRITER_H
#define SUPPORT_BYTE_WRITER_H

#include <string.h>

#include "support/arena.h"
#include "support/bytes.h"

typedef struct ByteWriter {
	uint8_t *base; /* NULL: only measure */
	size_t cap;    /* bytes there are at @base; SIZE_MAX when measuring */
	size_t len;    /* bytes put so far */
	bool overflow; /* sticky */
	Arena *arena;  /* of a writer made by byte_writer_in_arena, else NULL */
} ByteWriter;

/** byte_writer_on - write into @cap bytes at @base */
static inline ByteWriter byte_writer_on(void *base, size_t cap)
{
	return (ByteWriter){ .base = base, .cap = cap };
}

/** byte_writer_measure - count, write nothing */
static inline ByteWriter byte_writer_measure(void)
{
	return (ByteWriter){ .base = NULL, .cap = SIZE_MAX };
}

/**
 * byte_writer_in_arena - write into the arena, at most @bound bytes
 *
 * Nothing else may be allocated from the arena before byte_writer_finish, which gives back what
 * was not used.
 */
MUST_CHECK bool byte_writer_in_arena(Arena *arena, size_t bound, ByteWriter *out, Error *err);

/**
 * byte_writer_finish - the bytes written, or the reason why there are none
 * @what: named in the error ("madt")
 *
 * Errors: PVW_MEM_0002 (NO_SPACE) if more was put than there was room for.
 */
MUST_CHECK bool byte_writer_finish(ByteWriter *w, const char *what, Bytes *out, Error *err);

/* Room for @len bytes, or NULL when measuring or after an overflow; the length moves on. */
static inline uint8_t *byte_writer_take(ByteWriter *w, size_t len)
{
	uint8_t *at;

	if (w->overflow || len > w->cap - w->len) {
		w->overflow = true;
		return NULL;
	}
	at = w->base ? w->base + w->len : NULL;
	w->len += len;
	return at;
}

static inline void put_bytes(ByteWriter *w, const void *data, size_t len)
{
	uint8_t *at = byte_writer_take(w, len);

	if (at && len)
		memcpy(at, data, len);
}

static inline void put_zeros(ByteWriter *w, size_t len)
{
	uint8_t *at = byte_writer_take(w, len);

	if (at && len)
		memset(at, 0, len);
}

static inline void put_u8(ByteWriter *w, uint8_t value)
{
	put_bytes(w, &value, sizeof(value));
}

static inline void put_u16(ByteWriter *w, uint16_t value)
{
	put_bytes(w, &value, sizeof(value));
}

static inline void put_u32(ByteWriter *w, uint32_t value)
{
	put_bytes(w, &value, sizeof(value));
}

static inline void put_u64(ByteWriter *w, uint64_t value)
{
	put_bytes(w, &value, sizeof(value));
}

/* put_struct - a packed record, as it stands */
#define put_struct(w, record) put_bytes((w), &(record), sizeof(record))

/** put_padding - zeros up to the next multiple of @align (power of two) from the writer's start */
static inline void put_padding(ByteWriter *w, size_t align)
{
	put_zeros(w, (align - (w->len & (align - 1))) & (align - 1));
}

/** patch_bytes - overwrite what was put at @mark (an earlier w->len); no-op when measuring */
static inline void patch_bytes(ByteWriter *w, size_t mark, const void *data, size_t len)
{
	if (w->base && !w->overflow && mark <= w->len && len <= w->len - mark)
		memcpy(w->base + mark, data, len);
}

static inline void patch_u32(ByteWriter *w, size_t mark, uint32_t value)
{
	patch_bytes(w, mark, &value, sizeof(value));
}

#endif
