/*
 * Fields on the wire, [PB3] Encoding.
 */
#include "proto/wire.h"

#include <string.h>

static bool wrong(WireReader *reader, const char *why)
{
	reader->wrong = why;
	return false;
}

static bool read_long_varint(WireReader *reader, uint64_t *out)
{
	const uint8_t *data = reader->bytes.data;
	const size_t left = reader->bytes.len - reader->at;
	uint64_t value = 0;

	for (size_t i = 0; i < left && i < 10; i++) {
		const uint8_t byte = data[reader->at + i];

		if (i == 9 && byte > 1)
			return wrong(reader, "a varint of more than 64 bits");
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (!(byte & 0x80)) {
			reader->at += i + 1;
			*out = value;
			return true;
		}
	}
	return wrong(reader, "a varint is cut off");
}

/* Most are one byte long. */
bool wire_read_varint(WireReader *reader, uint64_t *out)
{
	const uint8_t *at = reader->bytes.data + reader->at;

	if (reader->at == reader->bytes.len || *at & 0x80)
		return read_long_varint(reader, out);
	reader->at++;
	*out = *at;
	return true;
}

/* A tag or a length: 32 bits, in no more bytes than those need. protobuf-c reads no more. */
static bool read_short_varint(WireReader *reader, uint64_t *out)
{
	const size_t at = reader->at;

	if (!wire_read_varint(reader, out))
		return false;
	if (reader->at - at > 5)
		return wrong(reader, "a tag or a length of more than 5 bytes");
	return true;
}

static bool read_fixed(WireReader *reader, size_t len, uint64_t *out)
{
	uint64_t value = 0;

	if (len > reader->bytes.len - reader->at)
		return wrong(reader, "a fixed-width number is cut off");
	memcpy(&value, reader->bytes.data + reader->at, len);
	reader->at += len;
	*out = value;
	return true;
}

static bool read_bytes(WireReader *reader, Bytes *out)
{
	uint64_t len;

	if (!read_short_varint(reader, &len))
		return false;
	if (len > reader->bytes.len - reader->at)
		return wrong(reader, "a length reaches beyond the end");
	*out = (Bytes){ .data = reader->bytes.data + reader->at, .len = (size_t)len };
	reader->at += (size_t)len;
	return true;
}

bool wire_next(WireReader *reader, WireField *out)
{
	WireField field = { .at = reader->at };
	uint64_t tag;

	if (reader->at == reader->bytes.len || reader->wrong)
		return false;
	if (!read_short_varint(reader, &tag))
		return false;
	if (tag >> 3 == 0 || tag >> 3 > WIRE_MAX_FIELD_NUMBER)
		return wrong(reader, "a field number out of range");
	field.number = (uint32_t)(tag >> 3);

	bool read = false;

	switch (tag & 7) {
	case WIRE_VARINT:
		read = wire_read_varint(reader, &field.value);
		break;
	case WIRE_64BIT:
		read = read_fixed(reader, 8, &field.value);
		break;
	case WIRE_BYTES:
		read = read_bytes(reader, &field.bytes);
		break;
	case WIRE_32BIT:
		read = read_fixed(reader, 4, &field.value);
		break;
	default:
		return wrong(reader, "a group or an unknown wire type");
	}
	if (!read)
		return false;
	field.type = (WireType)(tag & 7);
	*out = field;
	return true;
}

/* Length of the UTF-8 sequence at @at with @left bytes, or 0: [RFC3629] 4. */
static size_t utf8_sequence(const uint8_t *at, size_t left)
{
	static const struct {
		uint8_t first, last, low, high; /* lead byte; second byte */
		uint8_t len;
	} rows[] = {
		{ 0x01, 0x7f, 0x00, 0xff, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (at[0] < rows[i].first || at[0] > rows[i].last)
			continue;
		if (rows[i].len > left)
			return 0;
		if (rows[i].len > 1 && (at[1] < rows[i].low || at[1] > rows[i].high))
			return 0;
		for (size_t k = 2; k < rows[i].len; k++) {
			if ((at[k] & 0xc0) != 0x80)
				return 0;
		}
		return rows[i].len;
	}
	return 0;
}

bool wire_is_text(Bytes bytes)
{
	size_t i = 0;

	while (i < bytes.len) {
		const uint8_t byte = bytes.data[i];

		if (byte != 0 && byte < 0x80) {
			i++;
			continue;
		}

		const size_t len = utf8_sequence(bytes.data + i, bytes.len - i);

		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

size_t wire_varint_size(uint64_t value)
{
	size_t size = 1;

	while (value >>= 7)
		size++;
	return size;
}

void put_varint(ByteWriter *w, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		put_u8(w, (uint8_t)(value | 0x80));
	put_u8(w, (uint8_t)value);
}

void put_wire_bytes(ByteWriter *w, uint32_t number, Bytes bytes)
{
	put_varint(w, (uint64_t)number << 3 | WIRE_BYTES);
	put_varint(w, bytes.len);
	put_bytes(w, bytes.data, bytes.len);
}

size_t wire_bytes_size(uint32_t number, size_t len)
{
	return wire_varint_size((uint64_t)number << 3 | WIRE_BYTES) + wire_varint_size(len) +
		len;
}
