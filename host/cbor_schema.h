/*
 * A CBOR file as a table: one row a member, read and written by the same rows.
 *
 * A map has integer keys; its rows stand in ascending order of their keys, which is the order on
 * the wire. Values go to and come from a struct at the offsets that the rows say. Bytes are
 * checked head by head (cbor_check.h) before the library's streaming decoder sees them; no tree
 * is built, and nothing is allocated for a claimed count that the bytes cannot hold.
 */
#ifndef HOST_CBOR_SCHEMA_H
#define HOST_CBOR_SCHEMA_H

#include "support/arena.h"
#include "support/byte_writer.h"

typedef enum CborKind {
	CBOR_KIND_UINT,   /* uint8_t, uint32_t or uint64_t; @min to @max */
	CBOR_KIND_ENUM,   /* a C enum that counts from 0; on the wire from 1 to @max */
	CBOR_KIND_ENUM0,  /* the same, on the wire from 0 to @max */
	CBOR_KIND_BOOL,   /* bool; as a number between @min and @max */
	CBOR_KIND_BYTES,  /* Bytes of @min to @max; borrowed */
	CBOR_KIND_FIXED,  /* exactly @max bytes, copied into an array */
	CBOR_KIND_TEXT,   /* const char * of @min to @max bytes, no NUL inside; copied */
	CBOR_KIND_MAGIC,  /* always the text @text; stored nowhere */
	CBOR_KIND_NUMBER, /* always the number @max; stored nowhere */
	CBOR_KIND_MAP,    /* a struct, by the rows of @map */
	CBOR_KIND_CHOICE, /* the same; @map[0] if the bool in its first member is false, else [1] */
	CBOR_KIND_LIST, /* { const T *items; size_t count; } of @min to @max items, by @list */
	CBOR_KIND_COUNT
} CborKind;

typedef enum CborPresence {
	CBOR_REQUIRED,
	CBOR_OPTIONAL, /* absent is a NULL pointer in the value itself */
	CBOR_FLAGGED   /* a bool at @flag says whether it is there */
} CborPresence;

typedef struct CborMap CborMap;
typedef struct CborList CborList;

typedef struct CborField {
	uint64_t key;
	const char *name; /* for people */
	CborKind kind;
	CborPresence presence;
	uint64_t min, max;
	size_t at;    /* offset in the struct */
	size_t width; /* UINT: bytes of the number */
	size_t flag;  /* FLAGGED: offset in the struct */
	const char *text;
	const CborMap *map;
	const CborList *list;
} CborField;

struct CborMap {
	const CborField *fields;
	size_t count;
};

typedef enum CborListShape {
	CBOR_LIST_TUPLES, /* [ [field, ...], ... ] */
	CBOR_LIST_PLAIN,  /* [ field, ... ], one field an element */
	CBOR_LIST_PAIRS   /* { first field: second field, ... } */
} CborListShape;

struct CborList {
	CborListShape shape;
	const CborField *fields; /* of an element, in order; keys mean nothing */
	size_t count;
	size_t size, align; /* of an element's struct */
};

/**
 * cbor_schema_read - decode a whole file
 * @source: named in errors, with the offset of the item at fault
 * @out:    a zeroed struct of @map; borrows from @bytes, lists and texts live in @arena
 *
 * What @out holds after a failure means nothing.
 *
 * Errors: those of cbor_check; PVW_FIXTURE_0002 (BAD_VALUE) an unknown or missing key, a wrong
 * type, a value or length out of bounds; _0005 (UNSUPPORTED) another magic or version.
 */
MUST_CHECK bool cbor_schema_read(Bytes bytes, const CborMap *map, const char *source,
	Arena *arena, void *out, Error *err);

/** cbor_schema_write - the one encoding of @in; bounds are not judged */
void cbor_schema_write(const CborMap *map, const void *in, ByteWriter *w);

#endif
