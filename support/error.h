/*
 * Failure as a value.
 *
 * A fallible function returns bool, is MUST_CHECK and takes an Error last. Where the failure is
 * found: `return error_set(err, PVW_DT_0012, "…")`. Where there is context to add on the way up:
 * `return error_wrap(err, "cpu %u", i)`. Where there is none: `return false`. Text is lower case,
 * without a full stop, with the value found and the value expected. Nothing here allocates.
 */
#ifndef SUPPORT_ERROR_H
#define SUPPORT_ERROR_H

#include <stdarg.h>

#include "support/compiler.h"

#define ERROR_SOURCE_SIZE 160 /* bytes, NUL included */
#define ERROR_TEXT_SIZE 480   /* bytes, NUL included */

/* What a program does about a failure. */
typedef enum ErrorCode {
	ERROR_NONE,
	ERROR_TRUNCATED,   /* the input ends too early */
	ERROR_MISSING,     /* something required is absent */
	ERROR_BAD_VALUE,   /* a value that is not allowed */
	ERROR_OVERLAP,     /* two things want the same place */
	ERROR_NO_SPACE,    /* it does not fit where it must go */
	ERROR_LIMIT,       /* more than we are willing to take */
	ERROR_UNSUPPORTED, /* understood, but not offered */
	ERROR_STATE,       /* not now */
	ERROR_DENIED,      /* not you, or not for this guest */
	ERROR_IO,          /* the system said no */
	ERROR_INTERNAL,    /* our own bug */
	ERROR_CODE_COUNT
} ErrorCode;

typedef struct Error {
	ErrorCode code;
	uint16_t diagnostic; /* DiagnosticId, leaves the process as "PVW-DT-0012" */
	bool has_offset;
	uint64_t offset;                /* byte offset in the source, if known */
	char source[ERROR_SOURCE_SIZE]; /* "dtb:/memory@0/reg", "settings.uefi.console_mode" */
	char text[ERROR_TEXT_SIZE];     /* outermost context first */
} Error;

/**
 * error_set - record a failure where it is found
 * @err:        receives code, diagnostic and text; source and offset are cleared
 * @diagnostic: DiagnosticId, a row of diagnostics.def
 *
 * Returns false, so that `return error_set(…)` reads as one thought.
 */
bool error_set(Error *err, uint16_t diagnostic, const char *format, ...) PRINTF_LIKE(3, 4);

/** error_set_va - error_set for who was called with the arguments of @format */
bool error_set_va(Error *err, uint16_t diagnostic, const char *format, va_list args)
	PRINTF_LIKE(3, 0);

/**
 * error_wrap - put context in front of the text of a failure
 *
 * "cpu 3" around "reg missing" gives "cpu 3: reg missing". Returns false.
 */
bool error_wrap(Error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/** error_at - say where in the input the failure lies; returns false */
bool error_at(Error *err, const char *source);

/** error_at_offset - like error_at, with the byte offset in that source; returns false */
bool error_at_offset(Error *err, const char *source, uint64_t offset);

/** error_code_name - "BAD_VALUE" */
const char *error_code_name(ErrorCode code);

#endif
