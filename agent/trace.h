/*
 * A trace: what a guest's processors did, one access a line, and perhaps what they were answered.
 * The format is docs/formats.md's, "Traces".
 */
#ifndef AGENT_TRACE_H
#define AGENT_TRACE_H

#include "proto/worker.pb-c.h"
#include "support/arena.h"
#include "support/bytes.h"

#define TRACE_MAX_SIZE ((size_t)16 * 1024 * 1024)
#define TRACE_MAX_LINE ((size_t)32 * 1024)

typedef struct TraceLine {
	size_t number;        /* from 1 */
	const char *access;   /* as written, without comment, answer and outer blanks */
	const char *expected; /* the answer, words parted by single blanks; NULL: none stated */
	Pvw__V1__Intercept *item;
} TraceLine;

/**
 * trace_next - the next line that says something
 * @text:   what is left; moves on
 * @number: of the last line; moves on
 * @out:    lives in @arena
 * @found:  false: there was none any more
 *
 * Errors: PVW_AGENT_0007 (BAD_VALUE) naming the line.
 */
MUST_CHECK bool trace_next(
	Bytes *text, size_t *number, Arena *arena, TraceLine *out, bool *found, Error *err);

/** trace_answer - an answer in the words of a trace; in @arena */
MUST_CHECK const char *trace_answer(const Pvw__V1__Intercept *item,
	const Pvw__V1__InterceptAnswer *answer, Arena *arena, Error *err);

#endif
