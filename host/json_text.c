/*
 * JSON documents over jansson.
 */
#include "host/json_text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/diagnostics.h"

#define DIGITS_MAX 18 /* that always fit the library's integers */

void json_path_push(JsonPath *path, const char *separator, const char *name)
{
	if (path->len < sizeof(path->text))
		snprintf(path->text + path->len, sizeof(path->text) - path->len, "%s%s",
			separator, name);
	path->len += strlen(separator) + strlen(name);
}

void json_path_pop(JsonPath *path, size_t len)
{
	path->len = len;
	if (len < sizeof(path->text))
		path->text[len] = 0;
}

/* The end of a string that begins at @at, or of the text. */
static size_t skip_string(Bytes text, size_t at)
{
	for (at++; at < text.len && text.data[at] != '"'; at++) {
		if (text.data[at] == '\\')
			at++;
	}
	return at < text.len ? at + 1 : text.len;
}

static bool is_digit(Bytes text, size_t at)
{
	return at < text.len && isdigit(text.data[at]);
}

/* A number of more digits than the library takes: unsigned, no fraction, no exponent. */
static size_t long_number(Bytes text, size_t at)
{
	size_t end = at;

	while (is_digit(text, end))
		end++;
	if (end - at <= DIGITS_MAX || (at > 0 && memchr("-+.eE", text.data[at - 1], 5)) ||
		(end < text.len && memchr(".eE", text.data[end], 3)))
		return 0;
	return end - at;
}

/* @text with long numbers in quotes; @room is twice its length. */
static size_t quote_long_numbers(Bytes text, char *room)
{
	size_t at = 0, len = 0;

	while (at < text.len) {
		const bool is_string = text.data[at] == '"';
		size_t count = is_string ? skip_string(text, at) - at : 1;
		size_t quoted = 0;

		if (is_digit(text, at)) {
			quoted = long_number(text, at);
			while (is_digit(text, at + count))
				count++;
		}
		if (quoted)
			room[len++] = '"';
		memcpy(room + len, text.data + at, count);
		len += count;
		if (quoted)
			room[len++] = '"';
		at += count;
	}
	return len;
}

bool json_text_parse(Bytes text, const char *source, json_t **out, Error *err)
{
	json_error_t found = { .position = 0 };
	json_t *json = NULL;
	char *room;

	if (text.len > JSON_TEXT_MAX) {
		error_set(err, PVW_JSON_0006, "%zu bytes, expected at most %zu", text.len,
			JSON_TEXT_MAX);
		return error_at(err, source);
	}
	room = malloc(2 * text.len + 1);
	if (!room)
		return error_set(
			err, PVW_MEM_0001, "no memory for %zu bytes of JSON", text.len);
	json = json_loadb(room, quote_long_numbers(text, room), JSON_REJECT_DUPLICATES, &found);
	free(room);
	if (!json) {
		error_set(err, PVW_JSON_0001, "line %d, column %d: %s, expected JSON",
			found.line, found.column, found.text);
		return error_at_offset(
			err, source, found.position > 0 ? (uint64_t)found.position : 0);
	}
	*out = json;
	return true;
}

static bool text_number(const char *text, uint64_t *out)
{
	const bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	char *end = NULL;

	/* strtoull would take blanks, signs and octal. */
	if (!isxdigit((unsigned char)text[hex ? 2 : 0]) || (!hex && !isdigit(text[0])))
		return false;
	errno = 0;
	*out = strtoull(hex ? text + 2 : text, &end, hex ? 16 : 10);
	return errno == 0 && *end == 0;
}

bool json_text_number(const json_t *value, uint64_t max, uint64_t *out)
{
	uint64_t number = 0;

	if (json_is_string(value)) {
		if (!text_number(json_string_value(value), &number))
			return false;
	} else if (json_is_integer(value) && json_integer_value(value) >= 0) {
		number = (uint64_t)json_integer_value(value);
	} else {
		return false;
	}
	if (number > max)
		return false;
	*out = number;
	return true;
}

json_t *json_text_u64(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

static const char *kind_of(const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object",
		[JSON_ARRAY] = "an array",
		[JSON_STRING] = "a text",
		[JSON_INTEGER] = "an integer",
		[JSON_REAL] = "a fraction",
		[JSON_TRUE] = "true",
		[JSON_FALSE] = "false",
		[JSON_NULL] = "null",
	};

	return value ? names[json_typeof(value)] : "nothing";
}

bool json_text_fail(const JsonPath *path, const json_t *found, const char *expected, Error *err)
{
	char *text = json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT);

	error_set(err, PVW_JSON_0002, "%s %.64s, expected %s", kind_of(found), text ? text : "",
		expected);
	free(text);
	return error_at(err, path->text);
}
