/*
 * What the rows of tables are made of, and the engine that reads them.
 */
#ifndef HOST_ACPI_TEXT_INTERNAL_H
#define HOST_ACPI_TEXT_INTERNAL_H

#include "host/acpi_text.h"
#include "support/arena.h"

typedef enum FieldKind {
	FIELD_HEX,
	FIELD_DECIMAL,
	FIELD_TEXT,      /* characters, padded with zeros or blanks */
	FIELD_BYTES,     /* any number of them */
	FIELD_ZERO,      /* reserved: shown only when it is not zero */
	FIELD_BITS,      /* names: {mask, value, text}; bits in no mask are reserved */
	FIELD_CHOICE,    /* names: {0, value, text} */
	FIELD_CHECKSUM,  /* of the whole table */
	FIELD_ADDRESS,   /* a Generic Address Structure, 12 bytes */
	FIELD_REFERENCE, /* the offset of an entry, from the start of the table; 0 = none */
} FieldKind;

/* Lists of names end with one whose text is NULL. */
typedef struct FieldName {
	uint32_t mask;
	uint32_t value;
	const char *text;
} FieldName;

/* Rows end with one whose name is NULL; their offsets ascend. */
typedef struct FieldRow {
	const char *name;
	uint16_t offset; /* from the start of the table or of the entry */
	uint8_t size;    /* bytes */
	uint8_t kind;    /* FieldKind */
	const FieldName *names;
} FieldRow;

#define SUMMARY_KINDS 8 /* of entries, named in a summary */

/* The offset that a line holds, to be looked up when all entries are known. */
typedef struct Reference {
	uint32_t line, offset;
} Reference;

/* Where an entry begins, in ascending order. */
typedef struct Start {
	uint32_t offset;
	const char *group;
} Start;

typedef struct Decoder {
	Bytes table; /* no longer than it says */
	char name[9];
	Arena *arena;
	Diagnostics *findings;
	Error *err;
	bool failed; /* no memory */
	AcpiLine *lines;
	size_t count, capacity;
	Reference *references;
	size_t reference_count, reference_capacity;
	Start *starts;
	size_t start_count, start_capacity;
	const char *kinds[SUMMARY_KINDS]; /* of entries of the table, with how many there are */
	size_t kind_counts[SUMMARY_KINDS], kind_count;
} Decoder;

/* An entry of a table, or of another entry. */
typedef struct Entry {
	const char *group;
	size_t start; /* in the table */
	size_t len;
	uint64_t type;
} Entry;

/** EntryTail - what stands behind the fields of a row, from @at within the entry */
typedef void EntryTail(Decoder *d, const Entry *entry, size_t at);

/* A type of entries. Rows end with one whose name is NULL. */
typedef struct EntryRow {
	uint16_t type;
	const char *name;
	uint16_t least; /* bytes, of the oldest revision */
	uint16_t most;  /* of the newest one, which the rows know; the tail begins behind it */
	const FieldRow *fields;
	EntryTail *tail; /* NULL: there is nothing behind the fields */
} EntryRow;

/* Where an entry has its type and its length. */
typedef struct EntryForm {
	uint8_t type_at, type_size;
	uint8_t length_at, length_size;
} EntryForm;

typedef struct TableRow {
	char signature[9];
	const char *title;
	uint16_t least; /* bytes; tables may be longer */
	const FieldRow *fields;
	/* Entries from @least on; or a body of its own. */
	const EntryForm *form;
	const EntryRow *entries;
	void (*body)(Decoder *d, size_t at);
	/* Fields that the summary tells, with their values; ends with NULL. */
	const char *telling[3];
} TableRow;

/** acpi_table_row - the row of a signature; NULL if it is not known */
const TableRow *acpi_table_row(const char *signature);

/* Rows of the tables, by file. */
extern const FieldRow acpi_header_fields[];
extern const TableRow acpi_system_tables[], acpi_processor_tables[], acpi_platform_tables[],
	acpi_iommu_tables[];

/** decoder_sum - of bytes, modulo 256 */
uint8_t decoder_sum(const uint8_t *data, size_t len);

/** decoder_is_zero - all of these bytes are */
bool decoder_is_zero(const Decoder *d, size_t at, size_t len);

/** decoder_number - little-endian; the caller knows that it is inside the table */
uint64_t decoder_number(const Decoder *d, size_t at, size_t size);

/** decoder_len - bytes of the table */
size_t decoder_len(const Decoder *d);

/** decoder_group - "mapping[2]", behind @parent and a dot if it has a name */
const char *decoder_group(Decoder *d, const char *parent, const char *name, size_t index);

/** decoder_line - one line; @note may be NULL */
void decoder_line(Decoder *d, const char *group, const char *name, size_t at, size_t size,
	const char *value, const char *note);

/** decoder_printf - text for a line; "" without memory */
const char *decoder_printf(Decoder *d, const char *format, ...) PRINTF_LIKE(2, 3);

/** decoder_fields - the fields that lie inside of @len bytes from @start */
void decoder_fields(
	Decoder *d, const char *group, size_t start, size_t len, const FieldRow *rows);

/** decoder_bytes - lines of sixteen bytes, called @name; nothing for no bytes */
void decoder_bytes(Decoder *d, const char *group, const char *name, size_t at, size_t len);

/** decoder_entries - typed entries in [@at, @end), under @parent ("" = the table) */
void decoder_entries(Decoder *d, const char *parent, size_t at, size_t end,
	const EntryForm *form, const EntryRow *rows);

/** decoder_array - @count entries of equal size from @at; too many are cut, with a finding */
void decoder_array(Decoder *d, const char *parent, const char *name, size_t at, size_t end,
	uint64_t count, size_t size, const FieldRow *fields);

/** decoder_refer - the next line holds the offset of an entry */
void decoder_refer(Decoder *d, uint32_t offset);

/** decoder_resolve - the notes of FIELD_REFERENCE lines, when all entries are known */
void decoder_resolve(Decoder *d);

/** decoder_rest - bytes in [@at, @end) that belong to nothing, with a finding */
void decoder_rest(Decoder *d, const char *group, size_t at, size_t end);

/** decoder_find - what is wrong at an offset of the table */
void decoder_find(Decoder *d, uint16_t diagnostic, size_t at, const char *format, ...)
	PRINTF_LIKE(4, 5);

#endif
