/*
 * AML as ASL: a table's definition block as text that iasl compiles to the same bytes again.
 *
 * Written from [ACPI65] 20.2 (the AML grammar), 6.4 (resource descriptors) and 19.6 (ASL); it
 * shares nothing with the writer in acpi/, so that it can judge it. Operators are in their ASL 1
 * form, Add (Arg0, One, Local0), in which every term is a name with arguments.
 *
 * What iasl cannot say again is a constant in a longer form than its value needs: it shows in the
 * number of its digits. All input is hostile: nesting is bounded, time is linear.
 */
#ifndef HOST_AML_TEXT_H
#define HOST_AML_TEXT_H

#include "support/arena.h"
#include "support/bytes.h"

#define AML_TEXT_MAX_TABLE ((size_t)1024 * 1024) /* bytes */
#define AML_TEXT_MAX_DEPTH 128                   /* terms inside of terms */

/**
 * aml_text - a DSDT, an SSDT or another table of AML as ASL
 * @table: header and term list; what stands behind its length is not looked at
 * @out:   lives in @arena; lines end in a newline, there is no NUL
 *
 * Errors, with the offset in the table: PVW_AML_0001 (TRUNCATED) the table or a term ends too
 * early; _0002 (BAD_VALUE) bytes that are no term; _0003 (LIMIT) nested too deep, or a table too
 * long; _0004 (BAD_VALUE) a block that is longer than what it is in. PVW_MEM_0001 (LIMIT).
 */
MUST_CHECK bool aml_text(Bytes table, Arena *arena, Bytes *out, Error *err);

/* What a term list declares, whatever scope it is in. */
typedef struct AmlCounts {
	size_t devices, methods, names, processors, regions;
} AmlCounts;

/** aml_text_count - the declarations of a table, methods' bodies aside; errors as aml_text */
MUST_CHECK bool aml_text_count(Bytes table, Arena *arena, AmlCounts *out, Error *err);

/** aml_text_is - the table of this signature holds AML: DSDT, SSDT, PSDT */
bool aml_text_is(const char *signature);

#endif
