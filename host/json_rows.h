/*
 * Objects of a JSON document, read by tables: a row a member, a table an object.
 *
 * Strict: a member that no row names is refused, and every message has the path of the member,
 * what was found and what is expected. Members whose name begins with "//" are remarks, which
 * nobody reads. Members are read in the order of the rows, so that what is told does not depend
 * on the order in the text.
 */
#ifndef HOST_JSON_ROWS_H
#define HOST_JSON_ROWS_H

#include "host/json_text.h"
#include "support/arena.h"

typedef struct JsonReader {
	JsonPath path;
	Arena *arena; /* for texts and lists */
	Error *err;
	bool lenient; /* members that no row names are passed: of documents that may grow */
} JsonReader;

typedef enum JsonRowKind {
	JSON_ROW_BOOL, /* bool */
	JSON_ROW_U8,
	JSON_ROW_U16,
	JSON_ROW_U32,
	JSON_ROW_U64,
	JSON_ROW_SIZE,    /* uint64_t: bytes, or a text like "64MiB" */
	JSON_ROW_NAME,    /* an enum of 32 bits: the place in @names */
	JSON_ROW_TEXT,    /* const char *: not empty, without a NUL in it */
	JSON_ROW_OBJECT,  /* by @rows, whose offsets count from this row's */
	JSON_ROW_OBJECTS, /* a list by @rows, see @count_at */
	JSON_ROW_NUMBERS, /* a list of uint32_t */
	JSON_ROW_OTHER    /* by @read */
} JsonRowKind;

typedef struct JsonRow JsonRow;
struct JsonRow {
	const char *name; /* NULL ends a table */
	JsonRowKind kind;
	bool required;
	uint64_t min, max; /* of numbers; @max 0 = what the type holds. Of lists: items */
	size_t at;         /* offset of what is filled; of lists: a pointer to the first item */
	const char *const *names; /* NULL-terminated */
	const JsonRow *rows;
	size_t said_at;   /* offset of a bool that says that the member was there; 0 = none */
	size_t count_at;  /* lists: offset of the size_t that takes the number of items */
	size_t item_size; /* JSON_ROW_OBJECTS: bytes */
	const void
		*item; /* JSON_ROW_OBJECTS: what an item is before it is read; NULL = zeros */
	bool (*read)(JsonReader *reader, const json_t *json, void *to);
	const char *help;    /* one line, for templates */
	const char *example; /* JSON text; NULL: objects by their rows, else the remark alone */
};

/**
 * json_rows_read - one object into the structure at @to
 *
 * Errors: PVW_JSON_0002 (BAD_VALUE) a value, _0003 (MISSING) a required member, _0005 (BAD_VALUE)
 * a member that no row names, PVW_MEM_0001 (LIMIT).
 */
MUST_CHECK bool json_rows_read(
	JsonReader *reader, const JsonRow *rows, const json_t *json, void *to);

/** json_rows_fail - PVW_JSON_0002 where the reader is: the value found, what was expected */
bool json_rows_fail(JsonReader *reader, const json_t *found, const char *expected);

/** json_rows_size - bytes, or a text like "64MiB"; at most @max */
MUST_CHECK bool json_rows_size(
	JsonReader *reader, const json_t *json, uint64_t max, uint64_t *out);

/** json_rows_index - one step down, into a list; keep path.len of before for the way back */
void json_rows_index(JsonReader *reader, size_t index);

#endif
