/*
 * A guest's physical address space as a picture, in text and in SVG.
 */
#ifndef HOST_MEMORY_MAP_H
#define HOST_MEMORY_MAP_H

#include <stdio.h>

#include "host/svg_map.h"
#include "proto/worker.pb-c.h"
#include "support/arena.h"

typedef struct MapStyle {
	unsigned width; /* text: columns; 0 = 80 */
	bool colour;    /* text */
	SvgScale scale; /* SVG */
	bool verbose;   /* do not fold equal neighbours */
	uint64_t from;  /* draw [from, to) only; to 0 = to the end */
	uint64_t to;
} MapStyle;

/**
 * memory_map_print - one row a range, gaps shown, artifacts and claims below
 *
 * Deterministic: equal layouts give equal text. Scratch lives in @arena.
 */
MUST_CHECK bool memory_map_print(
	FILE *out, const Pvw__V1__Layout *layout, MapStyle style, Arena *arena, Error *err);

/** memory_map_draw - the same as SVG; @title: whose memory it is */
MUST_CHECK bool memory_map_draw(FILE *out, const char *title, const Pvw__V1__Layout *layout,
	MapStyle style, Arena *arena, Error *err);

#endif
