/*
 * A struct into CBOR bytes, row by row. The rows ascend, so the keys do.
 */
#include "host/cbor_schema.h"

#include <cbor.h>
#include <string.h>

#define HEAD_MAX 9 /* bytes of the widest head */

typedef size_t EncodeHead(uint64_t argument, unsigned char *buffer, size_t size);

static void put_head(ByteWriter *w, EncodeHead *encode, uint64_t argument)
{
	unsigned char head[HEAD_MAX];

	put_bytes(w, head, encode(argument, head, sizeof(head)));
}

static void put_number(ByteWriter *w, uint64_t value)
{
	put_head(w, cbor_encode_uint, value);
}

static void put_string(ByteWriter *w, EncodeHead *encode, const void *data, size_t len)
{
	put_head(w, encode, len);
	put_bytes(w, data, len);
}

static uint64_t load_number(const uint8_t *from, size_t width)
{
	uint64_t value = 0;

	memcpy(&value, from, width);
	return value;
}

static const void *load_pointer(const uint8_t *from)
{
	const void *pointer;

	memcpy(&pointer, from, sizeof(pointer));
	return pointer;
}

static bool is_present(const CborField *field, const uint8_t *base)
{
	switch (field->presence) {
	case CBOR_REQUIRED:
		break;
	case CBOR_OPTIONAL:
		return load_pointer(base + field->at) != NULL;
	case CBOR_FLAGGED:
		return base[field->flag] != 0;
	}
	return true;
}

static void put_map(ByteWriter *w, const CborMap *map, const uint8_t *base);
static void put_list(ByteWriter *w, const CborList *list, const uint8_t *from);

static void put_field(ByteWriter *w, const CborField *field, const uint8_t *base)
{
	const uint8_t *from = base + field->at;
	unsigned char flag[1];
	const char *text;
	Bytes bytes;

	switch (field->kind) {
	case CBOR_KIND_UINT:
		put_number(w, load_number(from, field->width));
		break;
	case CBOR_KIND_ENUM:
		put_number(w, load_number(from, sizeof(int)) + 1);
		break;
	case CBOR_KIND_ENUM0:
		put_number(w, load_number(from, sizeof(int)));
		break;
	case CBOR_KIND_BOOL:
		put_bytes(w, flag, cbor_encode_bool(*from != 0, flag, sizeof(flag)));
		break;
	case CBOR_KIND_BYTES:
		memcpy(&bytes, from, sizeof(bytes));
		put_string(w, cbor_encode_bytestring_start, bytes.data, bytes.len);
		break;
	case CBOR_KIND_FIXED:
		put_string(w, cbor_encode_bytestring_start, from, (size_t)field->max);
		break;
	case CBOR_KIND_TEXT:
		text = load_pointer(from);
		put_string(w, cbor_encode_string_start, text, text ? strlen(text) : 0);
		break;
	case CBOR_KIND_MAGIC:
		put_string(w, cbor_encode_string_start, field->text, strlen(field->text));
		break;
	case CBOR_KIND_NUMBER:
		put_number(w, field->max);
		break;
	case CBOR_KIND_MAP:
		put_map(w, field->map, from);
		break;
	case CBOR_KIND_CHOICE:
		put_map(w, &field->map[from[field->map->fields[0].at] != 0], from);
		break;
	case CBOR_KIND_LIST:
		put_list(w, field->list, from);
		break;
	case CBOR_KIND_COUNT:
		break;
	}
}

static void put_map(ByteWriter *w, const CborMap *map, const uint8_t *base)
{
	uint64_t present = 0;

	for (size_t i = 0; i < map->count; i++)
		present += is_present(&map->fields[i], base);
	put_head(w, cbor_encode_map_start, present);
	for (size_t i = 0; i < map->count; i++) {
		assert(i == 0 || map->fields[i - 1].key < map->fields[i].key);
		if (!is_present(&map->fields[i], base))
			continue;
		put_number(w, map->fields[i].key);
		put_field(w, &map->fields[i], base);
	}
}

static void put_list(ByteWriter *w, const CborList *list, const uint8_t *from)
{
	const uint8_t *items = load_pointer(from);
	size_t count;

	memcpy(&count, from + sizeof(items), sizeof(count));
	put_head(w,
		list->shape == CBOR_LIST_PAIRS ? cbor_encode_map_start
					       : cbor_encode_array_start,
		count);
	for (size_t i = 0; i < count; i++) {
		if (list->shape == CBOR_LIST_TUPLES)
			put_head(w, cbor_encode_array_start, list->count);
		for (size_t j = 0; j < list->count; j++)
			put_field(w, &list->fields[j], items + i * list->size);
	}
}

void cbor_schema_write(const CborMap *map, const void *in, ByteWriter *w)
{
	put_map(w, map, in);
}
