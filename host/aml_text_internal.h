/*
 * What the files of the disassembler share: the reader's place, the text, the names.
 */
#ifndef HOST_AML_TEXT_INTERNAL_H
#define HOST_AML_TEXT_INTERNAL_H

#include "host/aml_text.h"
#include "support/byte_writer.h"

#define AML_NO_METHOD 0xFF
#define AML_MAX_PATH 255  /* segments from the root */
#define AML_MAX_INDENT 24 /* levels; what is deeper stands as far to the right */

/* A name in the tree of names. */
typedef struct AmlNode {
	uint32_t parent; /* index */
	uint32_t segment;
	uint32_t next;     /* in its bucket, 0 = none */
	uint8_t arguments; /* of a method, else AML_NO_METHOD */
	uint8_t depth;     /* segments from the root */
	bool declared;
	bool external; /* not declared here: told to the compiler */
} AmlNode;

typedef struct AmlNames {
	AmlNode *nodes; /* 0 is the root */
	uint32_t *buckets;
	uint32_t count, capacity;
	uint32_t mask; /* of buckets */
} AmlNames;

/* What a pass is for. */
typedef enum AmlPass {
	AML_PASS_DECLARE, /* collect names; methods' bodies are skipped */
	AML_PASS_RESOLVE, /* find names that are declared elsewhere */
	AML_PASS_MEASURE,
	AML_PASS_WRITE
} AmlPass;

typedef struct AmlText {
	Bytes aml;      /* the table up to its length */
	size_t at, end; /* of the innermost block */
	ByteWriter out;
	AmlNames *names;
	AmlCounts counts;
	AmlPass pass;
	uint32_t scope; /* node */
	unsigned depth, indent;
	bool identifiers;   /* constants may be compressed identifiers */
	const char *remark; /* goes to the end of the line */
	bool failed;        /* sticky */
	Error *err;
} AmlText;

/* A NameString as it stands: prefixes and segments. */
typedef struct AmlName {
	bool root;
	size_t parents; /* "^" */
	Bytes segments; /* four bytes each */
} AmlName;

/* One opcode: how it is called and what follows it, a letter each; see aml_text_opcodes.c. */
typedef struct AmlOpcode {
	const char *name;
	const char *operands;
	bool value; /* stands where a value is wanted */
} AmlOpcode;

/** aml_opcode - the row of an opcode; NULL if there is none */
const AmlOpcode *aml_opcode(uint8_t code);
const AmlOpcode *aml_extended_opcode(uint8_t code);

/** aml_predefined - "Hardware ID" for _HID; NULL for others */
const char *aml_predefined(const uint8_t segment[4]);

/*
 * Text.
 */

/** aml_put - @len characters; before the text is measured nothing is put */
void aml_put(AmlText *t, const char *text, size_t len);

/** aml_say - short text, formatted */
void aml_say(AmlText *t, const char *format, ...) PRINTF_LIKE(2, 3);

/** aml_end_line - the line's remark and a newline; aml_newline: the next one's indentation too */
void aml_end_line(AmlText *t);
void aml_newline(AmlText *t);

/** aml_say_bytes - lines of at most eight bytes, indented once more, with their offset */
void aml_say_bytes(AmlText *t, Bytes bytes);

/** aml_fail - the pass ends here, unless it has ended; @at: offset in the table */
void aml_fail(AmlText *t, size_t at, uint16_t diagnostic, const char *format, ...)
	PRINTF_LIKE(4, 5);

/*
 * Bytes.
 */

/** aml_left - bytes of the innermost block that are not taken; 0 after a failure */
static inline size_t aml_left(const AmlText *t)
{
	return t->failed ? 0 : t->end - t->at;
}

/** aml_peek - the next byte, not taken; 0 when there is none, which who takes it will find */
static inline uint8_t aml_peek(const AmlText *t)
{
	return aml_left(t) ? t->aml.data[t->at] : 0;
}

/** aml_take - the next @len bytes of @what; NULL when there are fewer */
const uint8_t *aml_take(AmlText *t, size_t len, const char *what);
uint64_t aml_take_number(AmlText *t, size_t len, const char *what);

/** aml_take_length - a PkgLength */
uint32_t aml_take_length(AmlText *t);

/** aml_begin_block - a PkgLength, and with it the end of what follows */
void aml_begin_block(AmlText *t);

/*
 * Names.
 */

/** aml_begins_name - a NameString begins with this byte */
bool aml_begins_name(uint8_t c);

AmlName aml_take_name(AmlText *t);
void aml_say_name(AmlText *t, const AmlName *name);
void aml_say_segment(AmlText *t, const uint8_t *segment);

/** aml_declare - the node of a name that is declared here */
uint32_t aml_declare(AmlText *t, const AmlName *name);

/** aml_resolve - the node that a use of a name means; 0 = none, and none is to be known */
uint32_t aml_resolve(AmlText *t, const AmlName *name);

/** aml_say_use - a name that is used, whatever it names */
AmlName aml_say_use(AmlText *t, uint32_t *node);

MUST_CHECK bool aml_names_init(AmlNames *names, size_t segments, Arena *arena, Error *err);

/** aml_names_declare - the node that a declaration means, made if need be; false: no room */
bool aml_names_declare(AmlText *t, const AmlName *name, uint32_t *out);

/** aml_names_find - the node that a use means, by the search rules of [ACPI65] 5.3; 0 = none */
uint32_t aml_names_find(const AmlText *t, const AmlName *name);

/*
 * Data.
 */

void aml_say_string(AmlText *t, const uint8_t *text, size_t len);
void aml_say_string_term(AmlText *t);

/** aml_say_integer - the number behind one of the prefixes 0A, 0B, 0C and 0E */
void aml_say_integer(AmlText *t, uint8_t code);

/** aml_say_data - a term, but a name in it is a reference */
void aml_say_data(AmlText *t);

/** aml_say_buffer, …_package - what their block holds; @counted: the count is a byte */
void aml_say_buffer(AmlText *t);
void aml_say_package(AmlText *t, bool counted);

/**
 * aml_resources - a buffer as ResourceTemplate ()
 *
 * False, with nothing said, when @bytes are no template, or one that iasl would write otherwise.
 */
bool aml_resources(AmlText *t, Bytes bytes);

/*
 * Terms.
 */

/** aml_say_term - one term; @statement: it need not give a value */
void aml_say_term(AmlText *t, bool statement);

/** aml_say_terms - all terms of the block, a line each */
void aml_say_terms(AmlText *t);

#endif
