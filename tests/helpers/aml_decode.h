/*
 * An AML reader of the tests' own, written from [ACPI65] 20.2 and 6.4. It shares no constant
 * with the encoder, and accepts nothing that it does not understand: every block must end
 * exactly where its length says.
 */
#ifndef HELPERS_AML_DECODE_H
#define HELPERS_AML_DECODE_H

#include "support/bytes.h"

typedef enum AmlNodeKind {
	AML_NODE_NAME,
	AML_NODE_SCOPE,
	AML_NODE_DEVICE,
	AML_NODE_METHOD,
} AmlNodeKind;

/* One object of the name space, in the order of the bytes. */
typedef struct AmlNode {
	AmlNodeKind kind;
	char path[64]; /* from the root, segments of four: "\\_SB_.VMOD._CRS" */
	Bytes body;    /* name: its data term; else what is inside the block */
	uint8_t flags; /* of a method */
} AmlNode;

typedef struct AmlWalk {
	AmlNode *nodes; /* malloc: aml_walk_free */
	size_t count;
	char why[192]; /* empty: all of it was understood */
} AmlWalk;

/** aml_walk - read a term list (a table behind its header) */
AmlWalk aml_walk(Bytes aml);

void aml_walk_free(AmlWalk *walk);

/** aml_find - the object of that path, NULL if there is none */
const AmlNode *aml_find(const AmlWalk *walk, const char *path);

/** aml_count - how often a path occurs, scopes aside */
size_t aml_count(const AmlWalk *walk, const char *path);

/** aml_read_length - bytes of a PkgLength and the length it says, itself included; 0 = none */
size_t aml_read_length(Bytes at, size_t *length);

/** aml_read_integer - a constant that fills the term; false if it is something else */
bool aml_read_integer(Bytes term, uint64_t *value);

/** aml_read_string - the text of a string that fills the term; NULL if it is something else */
const char *aml_read_string(Bytes term);

/** aml_read_eisa - the text of a compressed id */
bool aml_read_eisa(Bytes term, char id[8]);

/** aml_read_buffer - the bytes of a buffer that fills the term */
bool aml_read_buffer(Bytes term, Bytes *bytes);

typedef enum AmlResourceKind {
	AML_RESOURCE_IRQ,
	AML_RESOURCE_IO,
	AML_RESOURCE_MEMORY32_FIXED,
	AML_RESOURCE_WORD,
	AML_RESOURCE_DWORD,
	AML_RESOURCE_QWORD,
	AML_RESOURCE_INTERRUPT,
} AmlResourceKind;

typedef struct AmlResource {
	AmlResourceKind kind;
	uint64_t minimum, maximum, length, granularity, translation;
	uint8_t space;      /* address spaces: 0 memory, 1 I/O, 2 bus numbers */
	uint8_t flags;      /* general flags, or those of an interrupt */
	uint8_t type_flags; /* address spaces */
	uint8_t align;      /* I/O */
	uint32_t interrupt; /* number, or mask of an IRQ */
} AmlResource;

/**
 * aml_read_resources - the descriptors of a template that fills the term
 * @out: room for @room
 *
 * Returns their number without the end tag, SIZE_MAX if it is no template.
 */
size_t aml_read_resources(Bytes term, AmlResource *out, size_t room);

#endif
