/*
 * A list of unknown length: what is outgrown stays in the arena, as much again at most.
 */
#include "bootinfo/growing_list.h"

#include <string.h>

#define FIRST_ROOM 16

static bool grow(GrowingList *list, Arena *arena, Error *err)
{
	/* The limit keeps the product far from overflow. */
	size_t room = list->room ? 2 * list->room : FIRST_ROOM;
	void *items;

	if (list->count == list->limit)
		return error_set(
			err, list->diagnostic, "more than %zu %s", list->limit, list->what);
	if (room > list->limit)
		room = list->limit;
	items = arena_reserve(arena, room * list->item_size, 16, err);
	if (!items)
		return false;
	if (list->count)
		memcpy(items, list->items, list->count * list->item_size);
	list->items = items;
	list->room = room;
	return true;
}

void *growing_list_add(GrowingList *list, Arena *arena, Error *err)
{
	if (list->count == list->room && !grow(list, arena, err))
		return NULL;
	return (uint8_t *)list->items + list->count++ * list->item_size;
}
