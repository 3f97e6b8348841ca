/*
 * The encoding below protobuf messages: a reader that yields one field at a time as a view, and
 * the few puts that an envelope needs. No descriptor, no allocation.
 *
 * Source: [PB3] Encoding.
 */
#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include "support/byte_writer.h"
#include "support/bytes.h"

typedef enum WireType {
	WIRE_VARINT = 0,
	WIRE_64BIT = 1,
	WIRE_BYTES = 2,
	WIRE_32BIT = 5,
} WireType;

#define WIRE_MAX_FIELD_NUMBER 0x1fffffffu

/* One field as it stands on the wire. */
typedef struct WireField {
	uint32_t number;
	WireType type;
	uint64_t value; /* varint, 64-bit, 32-bit */
	Bytes bytes;    /* length-prefixed: a view into the input */
	size_t at;      /* offset of its tag in the input */
} WireField;

typedef struct WireReader {
	Bytes bytes;
	size_t at;
	const char *wrong; /* why the last read failed, or NULL at the end */
} WireReader;

static inline WireReader wire_reader_on(Bytes bytes)
{
	return (WireReader){ .bytes = bytes };
}

/**
 * wire_read_varint - a number of at most ten bytes
 *
 * False, with @reader->wrong set, if it is cut off, longer, or above 64 bits.
 */
MUST_CHECK bool wire_read_varint(WireReader *reader, uint64_t *out);

/**
 * wire_next - the next field
 *
 * False at the end, and, with @reader->wrong set, at something that is no field: cut off, number
 * 0 or above the highest, a group, an unknown wire type, a tag or a length of more than 5 bytes.
 */
MUST_CHECK bool wire_next(WireReader *reader, WireField *out);

/** wire_is_text - valid UTF-8 without NUL */
bool wire_is_text(Bytes bytes);

/** wire_varint_size - bytes of a number on the wire, 1 to 10 */
size_t wire_varint_size(uint64_t value);

void put_varint(ByteWriter *w, uint64_t value);

/** put_wire_bytes - tag, length and bytes of a length-prefixed field, also when it is empty */
void put_wire_bytes(ByteWriter *w, uint32_t number, Bytes bytes);

/** wire_bytes_size - what put_wire_bytes puts */
size_t wire_bytes_size(uint32_t number, size_t len);

#endif
