/*
 * Reading a reference case and writing an answer, in the schema's forms: u64 as "0x…" text,
 * bytes as lower-case hexadecimal, ranges as [start, end).
 */
#include "golden.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void golden_malformed(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("pvw-golden: malformed case: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(2);
}

const json_t *golden_member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (!value)
		golden_malformed("no member \"%s\"", name);
	return value;
}

uint64_t golden_as_u64(const json_t *value)
{
	const char *text = json_string_value(value);
	char *end = NULL;
	uint64_t number;

	if (json_is_integer(value) && json_integer_value(value) >= 0)
		return (uint64_t)json_integer_value(value);
	if (!text || strncmp(text, "0x", 2) != 0)
		golden_malformed("not a number");
	errno = 0;
	number = strtoull(text, &end, 16);
	if (errno || *end)
		golden_malformed("not a number: \"%s\"", text);
	return number;
}

uint64_t golden_u64(const json_t *object, const char *name)
{
	return golden_as_u64(golden_member(object, name));
}

bool golden_bool(const json_t *object, const char *name)
{
	const json_t *value = golden_member(object, name);

	if (!json_is_boolean(value))
		golden_malformed("\"%s\" is not a boolean", name);
	return json_is_true(value);
}

bool golden_is_null(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return !value || json_is_null(value);
}

const char *golden_string(const json_t *object, const char *name)
{
	const char *text = json_string_value(golden_member(object, name));

	if (!text)
		golden_malformed("\"%s\" is not a string", name);
	return text;
}

void *golden_array(Arena *arena, size_t count, size_t size)
{
	Error err = { 0 };
	void *array = arena_alloc_array(arena, count, size, 16, &err);

	if (!array)
		golden_malformed("%s", err.text);
	return array;
}

static uint8_t hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (uint8_t)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (uint8_t)(c - 'a' + 10);
	golden_malformed("'%c' is not a lower-case hexadecimal digit", c);
}

Bytes golden_hex(const json_t *object, const char *name, Arena *arena)
{
	const char *text = golden_string(object, name);
	const size_t len = strlen(text) / 2;
	uint8_t *bytes;

	if (strlen(text) % 2)
		golden_malformed("\"%s\" has half a byte", name);
	bytes = golden_array(arena, len, 1);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return (Bytes){ .data = bytes, .len = len };
}

MemoryRange golden_range(const json_t *value)
{
	if (json_is_array(value) && json_array_size(value) == 2)
		return (MemoryRange){ golden_as_u64(json_array_get(value, 0)),
			golden_as_u64(json_array_get(value, 1)) };
	return (MemoryRange){ golden_u64(value, "start"), golden_u64(value, "end") };
}

NodeRangeList golden_node_ranges(const json_t *list, Arena *arena)
{
	const size_t count = json_array_size(list);
	NodeRange *items = golden_array(arena, count, sizeof(*items));

	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(list, i);

		items[i].range = golden_range(item);
		if (json_is_object(item) && !golden_is_null(item, "vnode"))
			items[i].vnode = (uint32_t)golden_u64(item, "vnode");
	}
	return (NodeRangeList){ items, count };
}

json_t *golden_json_u64(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

json_t *golden_json_hex(Bytes bytes)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * bytes.len + 1);
	json_t *value;

	if (!text)
		golden_malformed("out of memory");
	for (size_t i = 0; i < bytes.len; i++) {
		text[2 * i] = digits[bytes.data[i] >> 4];
		text[2 * i + 1] = digits[bytes.data[i] & 15];
	}
	value = json_stringn(text, 2 * bytes.len);
	free(text);
	return value;
}

json_t *golden_json_range(MemoryRange range)
{
	return json_pack("[o, o]", golden_json_u64(range.start), golden_json_u64(range.end));
}
