/*
 * Reading by rows.
 */
#include "host/json_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/size_text.h"
#include "support/diagnostics.h"

#define REMARK "//"
#define EXPECTED_SIZE 160 /* bytes of "one of …", NUL included */

bool json_rows_fail(JsonReader *reader, const json_t *found, const char *expected)
{
	return json_text_fail(&reader->path, found, expected, reader->err);
}

void json_rows_index(JsonReader *reader, size_t index)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu]", index);
	json_path_push(&reader->path, "[", text);
}

bool json_rows_size(JsonReader *reader, const json_t *json, uint64_t max, uint64_t *out)
{
	char expected[EXPECTED_SIZE];
	uint64_t size = 0;

	if (json_text_number(json, max, out))
		return true;
	if (json_is_string(json) && size_text_parse(json_string_value(json), &size) &&
		size <= max) {
		*out = size;
		return true;
	}
	snprintf(expected, sizeof(expected),
		"a number of bytes or a text like \"64MiB\", at most 0x%" PRIx64, max);
	return json_rows_fail(reader, json, expected);
}

/*
 * Values.
 */

/* By JsonRowKind: of numbers, what the type holds. */
static const uint64_t type_max[] = {
	[JSON_ROW_U8] = UINT8_MAX,
	[JSON_ROW_U16] = UINT16_MAX,
	[JSON_ROW_U32] = UINT32_MAX,
	[JSON_ROW_U64] = UINT64_MAX,
	[JSON_ROW_SIZE] = INT64_MAX,
	[JSON_ROW_NUMBERS] = UINT32_MAX,
};

static bool read_number(
	JsonReader *reader, const json_t *json, uint64_t min, uint64_t max, uint64_t *out)
{
	char expected[EXPECTED_SIZE];

	if (json_text_number(json, max, out) && *out >= min)
		return true;
	snprintf(expected, sizeof(expected), "a number from %" PRIu64 " to %" PRIu64, min, max);
	return json_rows_fail(reader, json, expected);
}

static bool read_name(JsonReader *reader, const JsonRow *row, const json_t *json, void *to)
{
	char expected[EXPECTED_SIZE] = "one of";

	for (uint32_t i = 0; row->names[i]; i++) {
		const size_t len = strlen(expected);

		if (json_is_string(json) &&
			strcmp(json_string_value(json), row->names[i]) == 0) {
			memcpy(to, &i, sizeof(i));
			return true;
		}
		snprintf(expected + len, sizeof(expected) - len, "%s %s", i ? "," : "",
			row->names[i]);
	}
	return json_rows_fail(reader, json, expected);
}

static bool read_text(JsonReader *reader, const json_t *json, void *to)
{
	const char *text = json_string_value(json);
	const uint8_t *copy;

	if (!text || text[0] == 0 || strlen(text) != json_string_length(json))
		return json_rows_fail(reader, json, "a text that is not empty");
	if (!arena_copy(reader->arena, text, strlen(text) + 1, &copy, reader->err))
		return false;
	memcpy(to, &copy, sizeof(copy));
	return true;
}

/* The items of a list: none, or as many as allowed. */
static bool count_items(JsonReader *reader, const JsonRow *row, const json_t *json, size_t *out)
{
	char expected[EXPECTED_SIZE];

	*out = json_array_size(json);
	if (json_is_array(json) && *out <= row->max)
		return true;
	snprintf(expected, sizeof(expected), "a list of at most %" PRIu64, row->max);
	return json_rows_fail(reader, json, expected);
}

static bool read_objects(JsonReader *reader, const JsonRow *row, const json_t *json, void *base)
{
	const size_t mark = reader->path.len;
	uint8_t *items;
	size_t count;

	if (!count_items(reader, row, json, &count))
		return false;
	items = arena_alloc_array(reader->arena, count, row->item_size, 8, reader->err);
	if (!items)
		return false;
	for (size_t i = 0; i < count; i++) {
		uint8_t *item = items + i * row->item_size;

		if (row->item)
			memcpy(item, row->item, row->item_size);
		json_rows_index(reader, i);
		if (!json_rows_read(reader, row->rows, json_array_get(json, i), item))
			return false;
		json_path_pop(&reader->path, mark);
	}
	memcpy((uint8_t *)base + row->at, &items, sizeof(items));
	memcpy((uint8_t *)base + row->count_at, &count, sizeof(count));
	return true;
}

static bool read_numbers(JsonReader *reader, const JsonRow *row, const json_t *json, void *base)
{
	const size_t mark = reader->path.len;
	uint32_t *items;
	size_t count;

	if (!count_items(reader, row, json, &count))
		return false;
	items = arena_array(reader->arena, uint32_t, count, reader->err);
	if (!items)
		return false;
	for (size_t i = 0; i < count; i++) {
		uint64_t number;

		json_rows_index(reader, i);
		if (!read_number(reader, json_array_get(json, i), 0, UINT32_MAX, &number))
			return false;
		items[i] = (uint32_t)number;
		json_path_pop(&reader->path, mark);
	}
	memcpy((uint8_t *)base + row->at, &items, sizeof(items));
	memcpy((uint8_t *)base + row->count_at, &count, sizeof(count));
	return true;
}

static bool read_scalar(JsonReader *reader, const JsonRow *row, const json_t *json, void *to)
{
	static const uint8_t bytes[] = {
		[JSON_ROW_U8] = 1,
		[JSON_ROW_U16] = 2,
		[JSON_ROW_U32] = 4,
		[JSON_ROW_U64] = 8,
		[JSON_ROW_SIZE] = 8,
	};
	const uint64_t max = row->max ? row->max : type_max[row->kind];
	uint64_t number;

	if (row->kind == JSON_ROW_SIZE ? !json_rows_size(reader, json, max, &number)
				       : !read_number(reader, json, row->min, max, &number))
		return false;
	/* Little-endian: a smaller number is the low part. */
	memcpy(to, &number, bytes[row->kind]);
	return true;
}

static bool read_bool(JsonReader *reader, const json_t *json, void *to)
{
	if (!json_is_boolean(json))
		return json_rows_fail(reader, json, "true or false");
	*(bool *)to = json_is_true(json);
	return true;
}

static bool read_member(JsonReader *reader, const JsonRow *row, const json_t *json, void *base)
{
	void *to = (uint8_t *)base + row->at;

	switch (row->kind) {
	case JSON_ROW_BOOL:
		return read_bool(reader, json, to);
	case JSON_ROW_U8:
	case JSON_ROW_U16:
	case JSON_ROW_U32:
	case JSON_ROW_U64:
	case JSON_ROW_SIZE:
		return read_scalar(reader, row, json, to);
	case JSON_ROW_NAME:
		return read_name(reader, row, json, to);
	case JSON_ROW_TEXT:
		return read_text(reader, json, to);
	case JSON_ROW_OBJECT:
		return json_rows_read(reader, row->rows, json, to);
	case JSON_ROW_OBJECTS:
		return read_objects(reader, row, json, base);
	case JSON_ROW_NUMBERS:
		return read_numbers(reader, row, json, base);
	case JSON_ROW_OTHER:
		return row->read(reader, json, to);
	}
	return false;
}

/*
 * Objects.
 */

static bool refuse_unknown(JsonReader *reader, const JsonRow *rows, const json_t *json)
{
	/* Iterators are not const in the library; they only look. */
	json_t *object = (json_t *)(uintptr_t)json;

	for (void *at = json_object_iter(object); at && !reader->lenient;
		at = json_object_iter_next(object, at)) {
		const char *name = json_object_iter_key(at);
		const JsonRow *row = rows;

		while (row->name && strcmp(row->name, name) != 0)
			row++;
		if (row->name || strncmp(name, REMARK, strlen(REMARK)) == 0)
			continue;
		json_path_push(&reader->path, ".", name);
		error_set(reader->err, PVW_JSON_0005, "no such member, expected one like %s",
			rows->name);
		return error_at(reader->err, reader->path.text);
	}
	return true;
}

bool json_rows_read(JsonReader *reader, const JsonRow *rows, const json_t *json, void *to)
{
	const size_t mark = reader->path.len;

	if (!json_is_object(json))
		return json_rows_fail(reader, json, "an object");
	if (!refuse_unknown(reader, rows, json))
		return false;
	for (const JsonRow *row = rows; row->name; row++) {
		const json_t *member = json_object_get(json, row->name);

		json_path_push(&reader->path, ".", row->name);
		if (!member && row->required) {
			error_set(reader->err, PVW_JSON_0003, "missing, expected a value");
			return error_at(reader->err, reader->path.text);
		}
		if (member && !read_member(reader, row, member, to))
			return false;
		if (member && row->said_at)
			*(bool *)((uint8_t *)to + row->said_at) = true;
		json_path_pop(&reader->path, mark);
	}
	return true;
}
