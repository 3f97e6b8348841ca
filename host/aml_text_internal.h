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

/** asl_opcode - the row of an opcode; NULL if there is none */
const AmlOpcode *asl_opcode(uint8_t code);
const AmlOpcode *asl_extended_opcode(uint8_t code);

/** asl_predefined - "Hardware ID" for _HID; NULL for others */
const char *asl_predefined(const uint8_t segment[4]);

/*
 * Text.
 */

/** asl_put - @len characters; before the text is measured nothing is put */
void asl_put(AmlText *t, const char *text, size_t len);

/** asl_say - short text, formatted */
void asl_say(AmlText *t, const char *format, ...) PRINTF_LIKE(2, 3);

/** asl_end_line - the line's remark and a newline; asl_newline: the next one's indentation too */
void asl_end_line(AmlText *t);
void asl_newline(AmlText *t);

/** asl_say_bytes - lines of at most eight bytes, indented once more, with their offset */
void asl_say_bytes(AmlText *t, Bytes bytes);

/** asl_fail - the pass ends here, unless it has ended; @at: offset in the table */
void asl_fail(AmlText *t, size_t at, uint16_t diagnostic, const char *format, ...)
	PRINTF_LIKE(4, 5);

/*
 * Bytes.
 */

/** asl_left - bytes of the innermost block that are not taken; 0 after a failure */
static inline size_t asl_left(const AmlText *t)
{
	return t->failed ? 0 : t->end - t->at;
}

/** asl_peek - the next byte, not taken; 0 when there is none, which who takes it will find */
static inline uint8_t asl_peek(const AmlText *t)
{
	return asl_left(t) ? t->aml.data[t->at] : 0;
}

/** asl_take - the next @len bytes of @what; NULL when there are fewer */
const uint8_t *asl_take(AmlText *t, size_t len, const char *what);
uint64_t asl_take_number(AmlText *t, size_t len, const char *what);

/** asl_take_length - a PkgLength */
uint32_t asl_take_length(AmlText *t);

/** asl_begin_block - a PkgLength, and with it the end of what follows */
void asl_begin_block(AmlText *t);

/*
 * Names.
 */

/** asl_begins_name - a NameString begins with this byte */
bool asl_begins_name(uint8_t c);

AmlName asl_take_name(AmlText *t);
void asl_say_name(AmlText *t, const AmlName *name);
void asl_say_segment(AmlText *t, const uint8_t *segment);

/** asl_declare - the node of a name that is declared here */
uint32_t asl_declare(AmlText *t, const AmlName *name);

/** asl_resolve - the node that a use of a name means; 0 = none, and none is to be known */
uint32_t asl_resolve(AmlText *t, const AmlName *name);

/** asl_say_use - a name that is used, whatever it names */
AmlName asl_say_use(AmlText *t, uint32_t *node);

MUST_CHECK bool asl_names_init(AmlNames *names, size_t segments, Arena *arena, Error *err);

/** asl_names_declare - the node that a declaration means, made if need be; false: no room */
bool asl_names_declare(AmlText *t, const AmlName *name, uint32_t *out);

/** asl_names_find - the node that a use means, by the search rules of [ACPI65] 5.3; 0 = none */
uint32_t asl_names_find(const AmlText *t, const AmlName *name);

/*
 * Data.
 */

void asl_say_string(AmlText *t, const uint8_t *text, size_t len);
void asl_say_string_term(AmlText *t);

/** asl_say_integer - the number behind one of the prefixes 0A, 0B, 0C and 0E */
void asl_say_integer(AmlText *t, uint8_t code);

/** asl_say_data - a term, but a name in it is a reference */
void asl_say_data(AmlText *t);

/** asl_say_buffer, …_package - what their block holds; @counted: the count is a byte */
void asl_say_buffer(AmlText *t);
void asl_say_package(AmlText *t, bool counted);

/**
 * asl_resources - a buffer as ResourceTemplate ()
 *
 * False, with nothing said, when @bytes are no template, or one that iasl would write otherwise.
 */
bool asl_resources(AmlText *t, Bytes bytes);

/*
 * Terms.
 */

/** asl_say_term - one term; @statement: it need not give a value */
void asl_say_term(AmlText *t, bool statement);

/** asl_say_terms - all terms of the block, a line each */
void asl_say_terms(AmlText *t);

#endif
