/*
 * A view of bytes owned by somebody else, and a write into guest memory as a value.
 */
#ifndef SUPPORT_BYTES_H
#define SUPPORT_BYTES_H

#include "support/compiler.h"

/* Packed records are copied to and from the wire as they are. */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are little-endian");

typedef struct Bytes {
	const uint8_t *data;
	size_t len; /* bytes */
} Bytes;

/* One contiguous piece of guest memory to be written. */
typedef struct GuestWrite {
	uint64_t gpa;
	Bytes bytes;
} GuestWrite;

typedef struct GuestWriteList {
	const GuestWrite *items;
	size_t count;
} GuestWriteList;

#endif
