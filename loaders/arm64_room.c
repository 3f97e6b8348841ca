/*
 * The lowest free place for each piece.
 */
#include "loaders/arm64_room.h"

#include <inttypes.h>

#include "support/checked.h"
#include "support/diagnostics.h"

bool arm64_room_begin(LayoutRecordList ram, Arena *arena, Arm64Room *out, Error *err)
{
	NodeRange *items = arena_array(arena, NodeRange, ram.count, err);
	size_t count = 0;

	if (!items)
		return false;
	for (size_t i = 0; i < ram.count; i++) {
		if (layout_record_is_ordinary(&ram.items[i]))
			items[count++] = (NodeRange){ ram.items[i].range, ram.items[i].vnode };
	}
	if (count == 0)
		return error_set(err, PVW_ARM64_0018,
			"%zu ranges of RAM, expected one that is neither reserved nor for a "
			"specific purpose",
			ram.count);
	*out = (Arm64Room){ .ram = { items, count } };
	return true;
}

void arm64_room_mark(Arm64Room *room, const char *name, MemoryRange range)
{
	if (memory_range_is_empty(range))
		return;
	assert(room->count < ARM64_ROOM_MAX);
	room->taken[room->count++] = (Arm64Taken){ name, range };
}

/* The piece that is in the way, or NULL. */
static const Arm64Taken *find_taken(const Arm64Room *room, MemoryRange range)
{
	for (size_t i = 0; i < room->count; i++) {
		if (memory_range_overlaps(room->taken[i].range, range))
			return &room->taken[i];
	}
	return NULL;
}

/* Whole pages from @at on; false if they would wrap. */
static bool range_at(const Arm64Demand *demand, uint64_t at, MemoryRange *out)
{
	uint64_t end;

	if (!checked_add_u64(at, demand->offset, &end) ||
		!checked_add_u64(end, demand->len, &end) ||
		!checked_align_up(end, PAGE_SIZE, &end))
		return false;
	*out = (MemoryRange){ at, end };
	return true;
}

/* Each step passes one taken piece, so there are few. */
static bool fit(
	const Arm64Room *room, MemoryRange ram, const Arm64Demand *demand, MemoryRange *out)
{
	uint64_t at = demand->from > ram.start ? demand->from : ram.start;
	const Arm64Taken *taken;
	MemoryRange range;

	for (;;) {
		if (!checked_align_up(at, demand->align, &at) ||
			!range_at(demand, at, &range) || range.end > ram.end)
			return false;
		taken = find_taken(room, range);
		if (!taken)
			break;
		at = taken->range.end;
	}
	*out = range;
	return true;
}

static bool fail(const Arm64Room *room, const Arm64Demand *demand, Error *err)
{
	const NodeRangeList ram = room->ram;

	return error_set(err, PVW_ARM64_0008,
		"%s needs 0x%" PRIx64 " bytes, 0x%" PRIx64 " behind a multiple of 0x%" PRIx64
		" from 0x%" PRIx64 " on, expected room in RAM: %zu ranges from 0x%" PRIx64
		" to 0x%" PRIx64 ", of which %zu pieces are taken%s%s",
		demand->name, demand->len, demand->offset, demand->align, demand->from,
		ram.count, ram.items[0].range.start, ram.items[ram.count - 1].range.end,
		room->count, room->count ? ", the last by " : "",
		room->count ? room->taken[room->count - 1].name : "");
}

bool arm64_room_take(Arm64Room *room, const Arm64Demand *demand, uint64_t *gpa, Error *err)
{
	MemoryRange range;

	for (size_t i = 0; i < room->ram.count; i++) {
		if (!fit(room, room->ram.items[i].range, demand, &range))
			continue;
		arm64_room_mark(room, demand->name, range);
		*gpa = range.start + demand->offset;
		return true;
	}
	return fail(room, demand, err);
}
