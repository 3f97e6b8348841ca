/*
 * Sizes as people write and read them.
 */
#ifndef HOST_SIZE_TEXT_H
#define HOST_SIZE_TEXT_H

#include <stdint.h>

#include "support/compiler.h"

#define SIZE_TEXT_SIZE 24 /* bytes, NUL included */

typedef struct SizeText {
	char text[SIZE_TEXT_SIZE];
} SizeText;

/** size_text - "960 MiB", "2.9 GiB": the largest unit below the size, rounded to a tenth */
SizeText size_text(uint64_t bytes);

/**
 * size_text_parse - bytes of "64MiB" or "2 GiB": a decimal number and a unit from B to EiB
 *
 * False for anything else, and for more than 64 bits; @out is untouched then.
 */
MUST_CHECK bool size_text_parse(const char *text, uint64_t *out);

#endif
