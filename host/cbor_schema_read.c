/*
 * CBOR bytes into a struct, row by row.
 */
#include "host/cbor_schema.h"

#include <cbor.h>
#include <inttypes.h>
#include <string.h>

#include "host/cbor_check.h"
#include "support/diagnostics.h"

typedef enum ItemType {
	ITEM_OTHER, /* null, or a negative number: no row takes one */
	ITEM_UINT,
	ITEM_BOOL,
	ITEM_BYTES,
	ITEM_TEXT,
	ITEM_ARRAY,
	ITEM_MAP,
	ITEM_TYPE_COUNT
} ItemType;

static const char *const item_type_names[] = {
	[ITEM_OTHER] = "null or a negative number",
	[ITEM_UINT] = "a number",
	[ITEM_BOOL] = "a bool",
	[ITEM_BYTES] = "bytes",
	[ITEM_TEXT] = "a text",
	[ITEM_ARRAY] = "an array",
	[ITEM_MAP] = "a map",
};
static_assert(ARRAY_COUNT(item_type_names) == ITEM_TYPE_COUNT, "one name a type");

/* One head, and its bytes if it is a string. */
typedef struct Item {
	ItemType type;
	uint64_t number; /* value, 0 or 1, or count of items or pairs */
	Bytes bytes;
	size_t at; /* offset of the head */
} Item;

typedef struct Reader {
	Bytes bytes;
	size_t at;
	const char *source;
	Arena *arena;
} Reader;

/* What a row takes. */
static const ItemType kind_types[] = {
	[CBOR_KIND_UINT] = ITEM_UINT,
	[CBOR_KIND_ENUM] = ITEM_UINT,
	[CBOR_KIND_ENUM0] = ITEM_UINT,
	[CBOR_KIND_BOOL] = ITEM_BOOL,
	[CBOR_KIND_BYTES] = ITEM_BYTES,
	[CBOR_KIND_FIXED] = ITEM_BYTES,
	[CBOR_KIND_TEXT] = ITEM_TEXT,
	[CBOR_KIND_MAGIC] = ITEM_TEXT,
	[CBOR_KIND_NUMBER] = ITEM_UINT,
	[CBOR_KIND_MAP] = ITEM_MAP,
	[CBOR_KIND_CHOICE] = ITEM_MAP,
	[CBOR_KIND_LIST] = ITEM_ARRAY,
};
static_assert(ARRAY_COUNT(kind_types) == CBOR_KIND_COUNT, "one type a kind");

/*
 * Heads, by the library's streaming decoder. It has nothing left to refuse: cbor_check went
 * before.
 */

static void take_u8(void *item, uint8_t value)
{
	*(Item *)item = (Item){ .type = ITEM_UINT, .number = value };
}

static void take_u16(void *item, uint16_t value)
{
	*(Item *)item = (Item){ .type = ITEM_UINT, .number = value };
}

static void take_u32(void *item, uint32_t value)
{
	*(Item *)item = (Item){ .type = ITEM_UINT, .number = value };
}

static void take_u64(void *item, uint64_t value)
{
	*(Item *)item = (Item){ .type = ITEM_UINT, .number = value };
}

static void take_bool(void *item, bool value)
{
	*(Item *)item = (Item){ .type = ITEM_BOOL, .number = value };
}

static void take_bytes(void *item, cbor_data data, size_t len)
{
	*(Item *)item = (Item){ .type = ITEM_BYTES, .bytes = { data, len } };
}

static void take_text(void *item, cbor_data data, size_t len)
{
	*(Item *)item = (Item){ .type = ITEM_TEXT, .bytes = { data, len } };
}

static void take_array(void *item, size_t count)
{
	*(Item *)item = (Item){ .type = ITEM_ARRAY, .number = count };
}

static void take_map(void *item, size_t count)
{
	*(Item *)item = (Item){ .type = ITEM_MAP, .number = count };
}

static Item next_item(Reader *reader)
{
	struct cbor_callbacks callbacks = cbor_empty_callbacks;
	struct cbor_decoder_result result;
	Item item = { .type = ITEM_OTHER };

	callbacks.uint8 = take_u8;
	callbacks.uint16 = take_u16;
	callbacks.uint32 = take_u32;
	callbacks.uint64 = take_u64;
	callbacks.boolean = take_bool;
	callbacks.byte_string = take_bytes;
	callbacks.string = take_text;
	callbacks.array_start = take_array;
	callbacks.map_start = take_map;
	result = cbor_stream_decode(reader->bytes.data + reader->at,
		reader->bytes.len - reader->at, &callbacks, &item);
	assert(result.status == CBOR_DECODER_FINISHED);
	item.at = reader->at;
	reader->at += result.read;
	return item;
}

static bool read_fail(const Reader *reader, size_t at, Error *err)
{
	return error_at_offset(err, reader->source, at);
}

/*
 * Values.
 */

static bool check_bounds(const Reader *reader, const CborField *field, const Item *item,
	uint64_t value, const char *unit, Error *err)
{
	if (field->min <= value && value <= field->max)
		return true;
	error_set(err, PVW_FIXTURE_0002, "%s: %" PRIu64 "%s, expected %" PRIu64 " to %" PRIu64,
		field->name, value, unit, field->min, field->max);
	return read_fail(reader, item->at, err);
}

static void store_number(uint8_t *to, size_t width, uint64_t value)
{
	/* Little-endian: the low bytes are the narrower number. */
	memcpy(to, &value, width);
}

static bool read_text(
	Reader *reader, const CborField *field, const Item *item, uint8_t *to, Error *err)
{
	const char *text;

	if (!check_bounds(reader, field, item, item->bytes.len, " bytes", err))
		return false;
	if (item->bytes.len && memchr(item->bytes.data, 0, item->bytes.len)) {
		error_set(err, PVW_FIXTURE_0002, "%s: a NUL in the text, expected none",
			field->name);
		return read_fail(reader, item->at, err);
	}
	text = arena_printf(reader->arena, err, "%.*s", (int)item->bytes.len,
		(const char *)item->bytes.data);
	if (!text)
		return false;
	memcpy(to, &text, sizeof(text));
	return true;
}

/* The first member of a fixture and its version: another file, not a damaged one. */
static bool read_constant(
	const Reader *reader, const CborField *field, const Item *item, Error *err)
{
	if (field->kind == CBOR_KIND_NUMBER) {
		if (item->number == field->max)
			return true;
		error_set(err, PVW_FIXTURE_0005, "%s: %" PRIu64 ", expected %" PRIu64,
			field->name, item->number, field->max);
		return read_fail(reader, item->at, err);
	}
	if (item->bytes.len == strlen(field->text) &&
		memcmp(item->bytes.data, field->text, item->bytes.len) == 0)
		return true;
	error_set(err, PVW_FIXTURE_0005, "%s: another text, expected \"%s\"", field->name,
		field->text);
	return read_fail(reader, item->at, err);
}

static bool read_map(
	Reader *reader, const CborMap *map, const Item *head, uint8_t *base, Error *err);
static bool read_list(
	Reader *reader, const CborField *field, const Item *head, uint8_t *to, Error *err);

/* The choice is the first member's value: look ahead, and read the map from its start. */
static bool read_choice(
	Reader *reader, const CborField *field, const Item *head, uint8_t *to, Error *err)
{
	Reader ahead = *reader;
	Item value = { .type = ITEM_OTHER };

	if (head->number) {
		(void)next_item(&ahead);
		value = next_item(&ahead);
	}
	return read_map(
		reader, &field->map[value.type == ITEM_BOOL && value.number], head, to, err);
}

static bool read_value(
	Reader *reader, const CborField *field, const Item *item, uint8_t *to, Error *err)
{
	switch (field->kind) {
	case CBOR_KIND_UINT:
		if (!check_bounds(reader, field, item, item->number, "", err))
			return false;
		store_number(to, field->width, item->number);
		return true;
	case CBOR_KIND_ENUM:
	case CBOR_KIND_ENUM0:
		if (!check_bounds(reader, field, item, item->number, "", err))
			return false;
		store_number(to, sizeof(int),
			item->number - (field->kind == CBOR_KIND_ENUM ? 1 : 0));
		return true;
	case CBOR_KIND_BOOL:
		if (!check_bounds(reader, field, item, item->number, "", err))
			return false;
		*to = item->number != 0;
		return true;
	case CBOR_KIND_BYTES:
		if (!check_bounds(reader, field, item, item->bytes.len, " bytes", err))
			return false;
		memcpy(to, &item->bytes, sizeof(item->bytes));
		return true;
	case CBOR_KIND_FIXED:
		if (!check_bounds(reader, field, item, item->bytes.len, " bytes", err))
			return false;
		memcpy(to, item->bytes.data, item->bytes.len);
		return true;
	case CBOR_KIND_TEXT:
		return read_text(reader, field, item, to, err);
	case CBOR_KIND_MAGIC:
	case CBOR_KIND_NUMBER:
		return read_constant(reader, field, item, err);
	case CBOR_KIND_MAP:
		return read_map(reader, field->map, item, to, err) ||
			error_wrap(err, "%s", field->name);
	case CBOR_KIND_CHOICE:
		return read_choice(reader, field, item, to, err) ||
			error_wrap(err, "%s", field->name);
	case CBOR_KIND_LIST:
		return read_list(reader, field, item, to, err) ||
			error_wrap(err, "%s", field->name);
	case CBOR_KIND_COUNT:
		break;
	}
	return false;
}

static ItemType type_of(const CborField *field)
{
	if (field->kind == CBOR_KIND_LIST && field->list->shape == CBOR_LIST_PAIRS)
		return ITEM_MAP;
	return kind_types[field->kind];
}

static bool read_field(Reader *reader, const CborField *field, uint8_t *base, Error *err)
{
	const Item item = next_item(reader);

	if (item.type != type_of(field)) {
		error_set(err, PVW_FIXTURE_0002, "%s: %s, expected %s", field->name,
			item_type_names[item.type], item_type_names[type_of(field)]);
		return read_fail(reader, item.at, err);
	}
	if (!read_value(reader, field, &item, base + field->at, err))
		return false;
	if (field->presence == CBOR_FLAGGED)
		base[field->flag] = true;
	return true;
}

/* Rows and keys both ascend: what a key has passed by is missing. */
static bool find_row(const CborMap *map, size_t *row, const Item *key, Error *err)
{
	const bool numbered = key && key->type == ITEM_UINT;

	for (; *row < map->count; (*row)++) {
		const CborField *field = &map->fields[*row];

		if (numbered && key->number <= field->key)
			break;
		if (field->presence == CBOR_REQUIRED)
			return error_set(err, PVW_FIXTURE_0002,
				"key %" PRIu64 " (%s) is missing", field->key, field->name);
	}
	if (!key || (numbered && *row < map->count && map->fields[*row].key == key->number))
		return true;
	/* A required row between here and there is reported first: it says more. */
	if (!numbered)
		return error_set(err, PVW_FIXTURE_0002, "%s as a key, expected a number",
			item_type_names[key->type]);
	return error_set(err, PVW_FIXTURE_0002, "unknown key %" PRIu64, key->number);
}

static bool read_map(
	Reader *reader, const CborMap *map, const Item *head, uint8_t *base, Error *err)
{
	size_t row = 0;

	for (uint64_t i = 0; i < head->number; i++) {
		const Item key = next_item(reader);

		if (!find_row(map, &row, &key, err))
			return read_fail(reader, key.at, err);
		if (!read_field(reader, &map->fields[row++], base, err))
			return false;
	}
	return find_row(map, &row, NULL, err) || read_fail(reader, head->at, err);
}

static bool read_element(Reader *reader, const CborList *list, uint8_t *base, Error *err)
{
	if (list->shape == CBOR_LIST_TUPLES) {
		const Item head = next_item(reader);

		if (head.type != ITEM_ARRAY || head.number != list->count) {
			error_set(err, PVW_FIXTURE_0002, "%s, expected an array of %zu",
				item_type_names[head.type], list->count);
			return read_fail(reader, head.at, err);
		}
	}
	for (size_t i = 0; i < list->count; i++) {
		if (!read_field(reader, &list->fields[i], base, err))
			return false;
	}
	return true;
}

static bool read_list(
	Reader *reader, const CborField *field, const Item *head, uint8_t *to, Error *err)
{
	const CborList *list = field->list;
	const size_t count = (size_t)head->number;
	uint8_t *items;

	if (field->min > head->number || head->number > field->max) {
		error_set(err, PVW_FIXTURE_0002,
			"%" PRIu64 " items, expected %" PRIu64 " to %" PRIu64, head->number,
			field->min, field->max);
		return read_fail(reader, head->at, err);
	}
	items = arena_alloc_array(reader->arena, count, list->size, list->align, err);
	if (!items)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!read_element(reader, list, items + i * list->size, err))
			return error_wrap(err, "item %zu", i);
	}
	memcpy(to, &(const void *){ items }, sizeof(const void *));
	memcpy(to + sizeof(const void *), &count, sizeof(count));
	return true;
}

bool cbor_schema_read(Bytes bytes, const CborMap *map, const char *source, Arena *arena,
	void *out, Error *err)
{
	Reader reader = { .bytes = bytes, .source = source, .arena = arena };
	Item head;

	if (!cbor_check(bytes, source, err))
		return false;
	head = next_item(&reader);
	if (head.type != ITEM_MAP) {
		error_set(err, PVW_FIXTURE_0005, "%s, expected a map",
			item_type_names[head.type]);
		return read_fail(&reader, head.at, err);
	}
	return read_map(&reader, map, &head, out, err);
}
