/*
 * JSON documents: parsing with bounds, and the numbers that JSON has no room for.
 */
#ifndef HOST_JSON_TEXT_H
#define HOST_JSON_TEXT_H

#include <jansson.h>

#include "support/bytes.h"
#include "support/error.h"

#define JSON_TEXT_MAX ((size_t)8 * 1024 * 1024) /* bytes */

/* Where in a document a reader is: "settings:V2.Static.Smbios", "request.channels[3]". */
typedef struct JsonPath {
	char text[ERROR_SOURCE_SIZE];
	size_t len; /* may be beyond the text: the path is longer than can be told */
} JsonPath;

/** json_path_push - one step down; keep @len of before for the way back */
void json_path_push(JsonPath *path, const char *separator, const char *name);

/** json_path_pop - back to what the path was when its @len was that */
void json_path_pop(JsonPath *path, size_t len);

/**
 * json_text_parse - one object or array
 * @source: named in errors
 *
 * Integers from 2^63 on, for which the library has no room, become texts.
 *
 * @out:    the caller's, to be released with json_decref
 *
 * Errors: PVW_JSON_0001 (BAD_VALUE) not JSON, a member twice or bytes behind it, with the offset;
 * _0006 (LIMIT) too long.
 */
MUST_CHECK bool json_text_parse(Bytes text, const char *source, json_t **out, Error *err);

/**
 * json_text_number - an unsigned number: an integer, or a text, decimal or 0x…
 *
 * False if it is none, or more than @max.
 */
bool json_text_number(const json_t *value, uint64_t max, uint64_t *out);

/** json_text_u64 - "0x…"; NULL without memory */
json_t *json_text_u64(uint64_t value);

/** json_text_fail - PVW_JSON_0002 at @path: the value found, and what was expected; false */
bool json_text_fail(
	const JsonPath *path, const json_t *found, const char *expected, Error *err);

#endif
