/*
 * What both pictures of a memory map are drawn from.
 */
#ifndef HOST_MEMORY_MAP_INTERNAL_H
#define HOST_MEMORY_MAP_INTERNAL_H

#include "host/memory_map.h"
#include "host/svg_map.h"

#define MAP_GREEN "\033[32m"
#define MAP_YELLOW "\033[33m"
#define MAP_BLUE "\033[34m"
#define MAP_MAGENTA "\033[35m"
#define MAP_CYAN "\033[36m"
#define MAP_PLAIN "\033[0m" /* ends a colour */

/* How a role is drawn. The letter is there so that the colour is never the only sign. */
typedef struct RoleLook {
	const char *name;
	char letter;
	char vtl; /* whose it is: '0', '2' or '-' */
	const char *colour;
	SvgRole role;
} RoleLook;

/* One row of the picture before it is drawn. The end is inclusive: a range may reach 2^64. */
typedef struct MapRow {
	uint64_t start, last;
	const RoleLook *look;
	bool is_ram;
	uint32_t vnode;
	const char *owner; /* "" = nobody named */
	size_t folded;     /* neighbours that became part of it */
	size_t index;      /* of the input, to sort stably */
} MapRow;

typedef struct MapRows {
	MapRow *items; /* ascending; they may overlap, for a worker may say anything */
	size_t count;
} MapRows;

/** memory_map_rows - ranges of a layout inside of what is to be drawn, folded if asked for */
MUST_CHECK bool memory_map_rows(
	const Pvw__V1__Layout *layout, MapStyle style, Arena *arena, MapRows *out, Error *err);

/** memory_map_print_rows - the picture in text, without what stands below it */
void memory_map_print_rows(FILE *out, MapStyle style, MapRows rows);

/** memory_map_bands - the same rows for SVG; NULL with @err set */
MUST_CHECK const SvgBand *memory_map_bands(MapRows rows, Arena *arena, Error *err);

/** memory_map_placements - what is placed inside of it, ascending; returns how many, in @out */
MUST_CHECK bool memory_map_placements(const Pvw__V1__Layout *layout, MapStyle style,
	Arena *arena, const Pvw__V1__Placement ***out, size_t *count, Error *err);

/** memory_map_source - why a window is where it is, "" for what is no source */
const char *memory_map_source(Pvw__V1__RoleSource source);

#endif
