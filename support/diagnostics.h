/*
 * Every diagnostic there is, and a bounded list of those that did not stop the work.
 *
 * support/diagnostics.def is the one table: `pvw explain`, the manual page, the RPC status and
 * the error class are read from its rows.
 */
#ifndef SUPPORT_DIAGNOSTICS_H
#define SUPPORT_DIAGNOSTICS_H

#include "support/error.h"

typedef struct Arena Arena;

typedef enum Severity {
	SEVERITY_NOTE,
	SEVERITY_WARNING,
	SEVERITY_ERROR,
	SEVERITY_COUNT
} Severity;

/* PVW_NONE, then PVW_<AREA>_<NNNN> in the order of the table. */
typedef enum DiagnosticId {
	PVW_NONE,
#define DIAGNOSTIC(area, number, code, severity, title, hint) PVW_##area##_##number,
#include "support/diagnostics.def"
#undef DIAGNOSTIC
	DIAGNOSTIC_COUNT
} DiagnosticId;

typedef struct DiagnosticRow {
	const char *name; /* "PVW-DT-0012", stable for ever */
	ErrorCode code;
	Severity severity;
	const char *title;
	const char *hint;
} DiagnosticRow;

/** diagnostic_row - the row of an id; never NULL, the row of PVW_NONE for ids out of range */
const DiagnosticRow *diagnostic_row(uint16_t id);

/** diagnostic_find - the id named like "PVW-DT-0012", case ignored; PVW_NONE if there is none */
DiagnosticId diagnostic_find(const char *name);

/** severity_name - "note", "warning", "error" */
const char *severity_name(Severity severity);

/* One finding, in the shape of an Error; its severity may be raised or lowered by a policy. */
typedef struct Diagnostic {
	Severity severity;
	Error what;
} Diagnostic;

/* At most @capacity findings; what does not fit is counted, not kept. */
typedef struct Diagnostics {
	Diagnostic *items;
	size_t count;
	size_t capacity;
	size_t dropped;         /* findings that were counted, not kept */
	Severity dropped_worst; /* the highest severity among them */
} Diagnostics;

/** diagnostics_init - an empty list with room for @capacity findings, in @arena */
MUST_CHECK bool diagnostics_init(Diagnostics *list, size_t capacity, Arena *arena, Error *err);

/** diagnostics_add - keep or count one finding; severity from its row; @source may be NULL */
void diagnostics_add(Diagnostics *list, uint16_t diagnostic, const char *source,
	const char *format, ...) PRINTF_LIKE(4, 5);

/** diagnostics_add_error - keep or count what an Error says */
void diagnostics_add_error(Diagnostics *list, const Error *err);

/** diagnostics_worst - the highest severity, dropped ones too; SEVERITY_NOTE when empty */
Severity diagnostics_worst(const Diagnostics *list);

/**
 * diagnostics_dropped - the last thing to report about a list: how much of it is missing
 * @out: PVW_MEM_0004, with the number and the worst severity of what was dropped
 *
 * False, with @out untouched, when nothing was dropped.
 */
bool diagnostics_dropped(const Diagnostics *list, Diagnostic *out);

#endif
