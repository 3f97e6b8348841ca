/*
 * What differs between two lists of rows: the shortest edit, as hunks in the manner of diff -u.
 */
#ifndef HOST_TEXT_DIFF_H
#define HOST_TEXT_DIFF_H

#include <stdio.h>

#include "support/arena.h"

typedef struct TextRow {
	const char *text;    /* compared; no newline */
	const char *section; /* where it stands, for the head of a hunk; "" = nowhere */
} TextRow;

typedef struct TextRowList {
	const TextRow *items;
	size_t count;
} TextRowList;

/* A run of rows of the first list that became a run of the second; one may be empty. */
typedef struct TextChange {
	size_t a, a_count;
	size_t b, b_count;
} TextChange;

typedef struct TextChangeList {
	const TextChange *items; /* ascending, apart from each other */
	size_t count;
} TextChangeList;

/**
 * text_diff - how one list becomes the other
 *
 * The shortest way as long as it is shorter than TEXT_DIFF_MAX_EDITS; what differs more is
 * compared row by row, so that time stays in proportion to the rows.
 *
 * Errors: PVW_MEM_0001 (LIMIT).
 */
#define TEXT_DIFF_MAX_EDITS 512
MUST_CHECK bool text_diff(
	TextRowList a, TextRowList b, Arena *arena, TextChangeList *out, Error *err);

/** text_diff_print - hunks with three rows around them */
void text_diff_print(
	FILE *out, TextRowList a, TextRowList b, TextChangeList changes, bool colour);

#endif
