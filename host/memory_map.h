/*
 * A guest's physical address space as a picture in text.
 */
#ifndef HOST_MEMORY_MAP_H
#define HOST_MEMORY_MAP_H

#include <stdio.h>

#include "proto/worker.pb-c.h"
#include "support/arena.h"

typedef struct MapStyle {
	unsigned width; /* columns; 0 = 80 */
	bool colour;
	bool verbose;  /* do not fold equal neighbours */
	uint64_t from; /* draw [from, to) only; to 0 = to the end */
	uint64_t to;
} MapStyle;

/**
 * memory_map_print - one row a range, gaps shown, artifacts and claims below
 *
 * Deterministic: equal layouts give equal text. Scratch lives in @arena.
 */
MUST_CHECK bool memory_map_print(
	FILE *out, const Pvw__V1__Layout *layout, MapStyle style, Arena *arena, Error *err);

#endif
