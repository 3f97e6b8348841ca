/*
 * A list of unknown length, up to a limit, built in an arena in one pass.
 */
#ifndef BOOTINFO_GROWING_LIST_H
#define BOOTINFO_GROWING_LIST_H

#include "support/arena.h"

typedef struct GrowingList {
	void *items; /* NULL until there is one */
	size_t count;
	size_t room;
	size_t item_size;    /* bytes */
	size_t limit;        /* items */
	uint16_t diagnostic; /* when there would be more */
	const char *what;    /* named in that error */
} GrowingList;

#define GROWING_LIST(type, most, diagnostic_id, plural)                                        \
	((GrowingList){ .item_size = sizeof(type),                                             \
		.limit = (most),                                                               \
		.diagnostic = (diagnostic_id),                                                 \
		.what = (plural) })

/**
 * growing_list_add - one item more, at the end, to be filled; NULL with @err set
 *
 * Pointers to earlier items are void afterwards.
 *
 * Errors: @list.diagnostic beyond the limit, PVW_MEM_0001.
 */
MUST_CHECK void *growing_list_add(GrowingList *list, Arena *arena, Error *err);

#endif
