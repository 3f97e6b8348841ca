/*
 * AML by begin and end: one pass into one writer, no tree, no allocation.
 *
 * Author code reads like ASL, line by line. A block is opened, filled and closed; closing knows
 * the body's length, chooses the shortest PkgLength that counts itself, and moves the body by the
 * few bytes that takes. Inner blocks close first, so nothing nested needs fixing. The first fault
 * sticks: it is recorded once, everything after it is ignored, and aml_finish tells.
 *
 * Source: [ACPI65] 20.2.
 */
#ifndef ACPI_AML_H
#define ACPI_AML_H

#include "support/byte_writer.h"

#define AML_DEPTH_MAX 16
#define AML_PACKAGE_MAX 0xFFFF         /* elements: no guest has need of more */
#define AML_SERIALIZED 8u              /* of a method's flags, beside its 0 to 7 arguments */
#define AML_BODY_MAX ((1u << 28) - 5u) /* bytes behind a PkgLength of four bytes */

/* Single-byte opcodes that take their operands behind them. [ACPI65] 20.3 */
typedef enum AmlOp {
	AML_ZERO = 0x00,
	AML_ONE = 0x01,
	AML_LOCAL0 = 0x60,
	AML_ARG0 = 0x68,
	AML_ARG1 = 0x69,
	AML_ARG2 = 0x6A,
	AML_ARG3 = 0x6B,
	AML_STORE = 0x70,              /* operand, target */
	AML_AND = 0x7B,                /* operand, operand, target */
	AML_OR = 0x7D,                 /* operand, operand, target */
	AML_NOTIFY = 0x86,             /* object, value */
	AML_CREATE_DWORD_FIELD = 0x8A, /* buffer, byte index, name */
	AML_LEQUAL = 0x93,             /* operand, operand */
	AML_RETURN = 0xA4,             /* operand */
} AmlOp;

/* A block whose PkgLength is not known yet. */
typedef struct AmlBlock {
	size_t mark;    /* where the one reserved byte lies */
	bool resources; /* a Buffer of descriptors: its size is patched too */
} AmlBlock;

typedef struct Aml {
	ByteWriter *out;
	Error *err;  /* receives the first fault */
	bool failed; /* sticky */
	unsigned depth;
	AmlBlock open[AML_DEPTH_MAX];
} Aml;

/** aml_begin - terms go to @out, the first fault to @err */
void aml_begin(Aml *aml, ByteWriter *out, Error *err);

/**
 * aml_finish - whether all that was put is good AML
 *
 * Errors: PVW_ACPI_0001 (BAD_VALUE) bad name or string, _0002 (BAD_VALUE) bad EISA id, _0003
 * (LIMIT) block too long, _0004 (LIMIT) too many elements, _0005 (INTERNAL) block not closed,
 * closed twice or nested too deep, _0006 (BAD_VALUE) resource range empty or wrapping.
 */
MUST_CHECK bool aml_finish(Aml *aml);

/** aml_fail - record a fault (a DiagnosticId) unless there is one; nothing is put after it */
void aml_fail(Aml *aml, uint16_t diagnostic, const char *format, ...) PRINTF_LIKE(3, 4);

/**
 * aml_package_length - encode a PkgLength. [ACPI65] 20.2.4
 * @body: bytes that follow it
 * @out:  receives 1 to 4 bytes
 *
 * Chosen from the length including its own bytes. Returns their number, 0 if @body is too long.
 */
size_t aml_package_length(size_t body, uint8_t out[4]);

/* Blocks: each wants one aml_close. */
void aml_device(Aml *aml, const char *path);
void aml_device_segment(Aml *aml, const char segment[4]); /* legal characters */
void aml_scope(Aml *aml, const char *path);
void aml_method(Aml *aml, const char *segment, unsigned flags); /* arguments, AML_SERIALIZED */
void aml_if(Aml *aml);                                          /* then a predicate */
void aml_else(Aml *aml);                                        /* right behind a closed If */
void aml_package(Aml *aml, size_t elements);                    /* from 256 on a VarPackage */
void aml_close(Aml *aml);

/** aml_open - put @op and open a block behind it */
void aml_open(Aml *aml, uint8_t op);

/** aml_resources - Name (_CRS, ResourceTemplate () {: see aml_resource.h; aml_close ends both */
void aml_resources(Aml *aml);

/* A path of two segments of four legal characters from the root, as AML has it. */
#define AML_ROOT_PATH2(a, b) "\\\x2E" a b
/* The same with three segments. */
#define AML_ROOT_PATH3(a, b, c) "\\\x2F\x03" a b c

/** aml_device_at - a device whose path is a literal of AML_ROOT_PATH2 or 3 */
#define aml_device_at(aml, path) aml_device_encoded((aml), (path), sizeof(path) - 1)
void aml_device_encoded(Aml *aml, const char *path, size_t len);

/* EISA id of the vendor PNP with this number, as the DWord constant that AML has. */
#define AML_EISA_PNP(number)                                                                   \
	(0xD041u | ((uint32_t)(number)&0xFF00u) << 8 | ((uint32_t)(number)&0xFFu) << 24)

/** aml_path - a name as written in ASL: "\\_SB.PCI0", "^X", "FOO_"; short segments are padded */
void aml_path(Aml *aml, const char *path);

/** aml_string - ASCII without NUL inside. [ACPI65] 20.2.3 */
void aml_string(Aml *aml, const char *text);

/* Name (@segment, "@text") of literals of ours, as AML has it. */
#define AML_NAMED_TEXT(segment, text) "\x08" segment "\x0D" text

/** aml_literal - encoded bytes of ours that end in a string, its NUL included */
#define aml_literal(aml, bytes) put_bytes((aml)->out, (bytes), sizeof(bytes))

/** aml_eisa_id - "PNP0501" as a DWord constant. [ACPI65] 19.3.4, EISAID */
void aml_eisa_id(Aml *aml, const char *id);

/** aml_uuid - a Buffer of the 16 bytes of a GUID in its memory order */
void aml_uuid(Aml *aml, const uint8_t guid[16]);

/** aml_buffer - a Buffer of these bytes */
void aml_buffer(Aml *aml, Bytes bytes);

/* If (LEqual (@argument, ToUUID (@guid))) {, and the same with a number: blocks */
void aml_if_uuid(Aml *aml, AmlOp argument, const uint8_t guid[16]);
void aml_if_equal(Aml *aml, AmlOp argument, uint64_t value);

static inline void aml_op(Aml *aml, AmlOp op)
{
	put_u8(aml->out, (uint8_t)op);
}

/** aml_segment - a name of exactly four legal characters, a constant of ours */
static inline void aml_segment(Aml *aml, const char *segment)
{
	put_bytes(aml->out, segment, 4);
}

/** aml_name - Name (@segment, …): one data term must follow. @segment: four legal characters */
static inline void aml_name(Aml *aml, const char *segment)
{
	uint8_t *const at = byte_writer_take(aml->out, 5);

	if (at) {
		at[0] = 0x08;
		memcpy(at + 1, segment, 4);
	}
}

/** aml_dword - a DWord constant, also where a shorter form would do */
static inline void aml_dword(Aml *aml, uint32_t value)
{
	put_u8(aml->out, 0x0C);
	put_u32(aml->out, value);
}

/** aml_integer - the shortest form. [ACPI65] 20.2.3 */
static inline void aml_integer(Aml *aml, uint64_t value)
{
	if (value <= 1) {
		put_u8(aml->out, (uint8_t)value);
	} else if (value <= UINT8_MAX) {
		put_u16(aml->out, (uint16_t)(0x0A | value << 8));
	} else if (value <= UINT16_MAX) {
		put_u8(aml->out, 0x0B);
		put_u16(aml->out, (uint16_t)value);
	} else if (value <= UINT32_MAX) {
		aml_dword(aml, (uint32_t)value);
	} else {
		put_u8(aml->out, 0x0E);
		put_u64(aml->out, value);
	}
}

#endif
