/*
 * Sizes for people.
 */
#ifndef HOST_SIZE_TEXT_H
#define HOST_SIZE_TEXT_H

#include <stdint.h>

#define SIZE_TEXT_SIZE 24 /* bytes, NUL included */

typedef struct SizeText {
	char text[SIZE_TEXT_SIZE];
} SizeText;

/** size_text - "960 MiB", "2.9 GiB": the largest unit below the size, rounded to a tenth */
SizeText size_text(uint64_t bytes);

#endif
