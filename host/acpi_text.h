/*
 * ACPI tables as lines: what each field is called, what it holds and what that means.
 *
 * Written from [ACPI65] and the documents it refers to; it shares nothing with the builders in
 * acpi/, so that it can judge them. Text, JSON and differences are made of the same lines.
 *
 * All input is hostile. What is wrong with a table is a finding with its offset, and the rest of
 * the table is decoded all the same; only bytes that are no table at all are refused. Time and
 * memory are linear in the table.
 */
#ifndef HOST_ACPI_TEXT_H
#define HOST_ACPI_TEXT_H

#include "support/bytes.h"
#include "support/diagnostics.h"

#define ACPI_TEXT_MAX_BYTES ((size_t)4 * 1024 * 1024)

/* One field. */
typedef struct AcpiLine {
	const char *group; /* "" of the table itself, "local_apic[2]" of an entry */
	const char *name;  /* "flags" */
	const char *value; /* "0x00000001", or text in quotes */
	const char *note;  /* "enabled"; "" = nothing to say */
	uint32_t offset;   /* in the table, bytes */
	uint32_t size;     /* bytes */
} AcpiLine;

typedef struct AcpiText {
	char signature[9];
	const char *title;   /* "Multiple APIC Description Table", "" of an unknown one */
	const char *summary; /* what is in it, a few words */
	uint32_t length;     /* as the table says */
	uint8_t revision;
	bool checksum_ok; /* also of a table without a checksum */
	bool is_aml;      /* the body is for aml_text; the lines are the header */
	const AcpiLine *lines;
	size_t count;
} AcpiText;

/**
 * acpi_text - the fields of one table
 * @table:    RSDP, FACS or a table with the common header; what stands behind its length is a
 *            finding
 * @findings: PVW_TABLE_0001 ... _0007, their source the signature
 *
 * Errors: PVW_TABLE_0008 (BAD_VALUE) no table; _0009 (LIMIT) too long; PVW_MEM_0001 (LIMIT).
 */
MUST_CHECK bool acpi_text(
	Bytes table, Arena *arena, AcpiText *out, Diagnostics *findings, Error *err);

/* A table among others. */
typedef struct AcpiTable {
	char signature[9];
	uint64_t gpa; /* 0 = not placed */
	Bytes bytes;
} AcpiTable;

typedef struct AcpiTableList {
	const AcpiTable *items;
	size_t count;
} AcpiTableList;

/**
 * acpi_text_split - the tables that stand behind each other, each at a multiple of 8
 * @gpa: of the first byte, 0 = not placed
 * @out: borrows from @bytes
 *
 * Zeros between them and behind the last one are padding.
 *
 * Errors, with the offset: PVW_TABLE_0008 (BAD_VALUE) no table where one should begin; _0001
 * (TRUNCATED) one that is longer than what is left; _0009 (LIMIT).
 */
MUST_CHECK bool acpi_text_split(
	Bytes bytes, uint64_t gpa, Arena *arena, AcpiTableList *out, Error *err);

#endif
