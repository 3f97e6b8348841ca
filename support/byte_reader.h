/*
 * Bytes in: a bounded, sticky reader over untrusted bytes.
 *
 * After the first read past the end every get gives zero; one check at the end tells. Integers
 * are little-endian. Counts read from here are compared with a limit before they are multiplied.
 */
#ifndef SUPPORT_BYTE_READER_H
#define SUPPORT_BYTE_READER_H

#include <string.h>

#include "support/bytes.h"
#include "support/error.h"

typedef struct ByteReader {
	Bytes bytes;
	size_t at;
	bool short_read; /* sticky */
} ByteReader;

static inline ByteReader byte_reader_on(Bytes bytes)
{
	return (ByteReader){ .bytes = bytes };
}

static inline size_t byte_reader_left(const ByteReader *r)
{
	return r->short_read ? 0 : r->bytes.len - r->at;
}

/** get_bytes - a view of the next @len bytes; data is NULL when there are fewer, or none at all */
static inline Bytes get_bytes(ByteReader *r, size_t len)
{
	Bytes out = { 0 };

	if (len > byte_reader_left(r)) {
		r->short_read = true;
		return out;
	}
	if (r->bytes.data) /* of no bytes at all there may be no address either */
		out = (Bytes){ .data = r->bytes.data + r->at, .len = len };
	r->at += len;
	return out;
}

#define BYTE_READER_GET(type, name)                                                            \
	static inline type name(ByteReader *r)                                                 \
	{                                                                                      \
		type value = 0;                                                                \
		Bytes b = get_bytes(r, sizeof(value));                                         \
                                                                                               \
		if (b.data)                                                                    \
			memcpy(&value, b.data, sizeof(value));                                 \
		return value;                                                                  \
	}

BYTE_READER_GET(uint8_t, get_u8)
BYTE_READER_GET(uint16_t, get_u16)
BYTE_READER_GET(uint32_t, get_u32)
BYTE_READER_GET(uint64_t, get_u64)
#undef BYTE_READER_GET

/** byte_reader_finish - PVW_MEM_0003 (TRUNCATED) if anything was read past the end of @what */
MUST_CHECK bool byte_reader_finish(const ByteReader *r, const char *what, Error *err);

#endif
