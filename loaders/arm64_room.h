/*
 * Places in RAM for what a kernel boots from, lowest first.
 *
 * Every piece has a place that it likes best, counted from the start of RAM; where something else
 * lies there already, it moves up. All places are found before anything is built or written, and
 * each is inside one range of RAM for the guest's own use.
 */
#ifndef LOADERS_ARM64_ROOM_H
#define LOADERS_ARM64_ROOM_H

#include "layout/memory_layout.h"
#include "support/arena.h"

#define ARM64_ROOM_MAX 8 /* pieces */

/* A piece of RAM that has an owner. */
typedef struct Arm64Taken {
	const char *name; /* for messages */
	MemoryRange range;
} Arm64Taken;

typedef struct Arm64Room {
	NodeRangeList ram; /* for the guest's own use, ascending */
	Arm64Taken taken[ARM64_ROOM_MAX];
	size_t count;
} Arm64Room;

/* What wants a place. */
typedef struct Arm64Demand {
	const char *name;
	uint64_t from;   /* GPA: not below */
	uint64_t align;  /* of the place, a power of two, at least PAGE_SIZE */
	uint64_t offset; /* bytes between the place and the piece, multiple of PAGE_SIZE */
	uint64_t len;    /* bytes of the piece, not 0 */
} Arm64Demand;

/**
 * arm64_room_begin - the RAM of a guest, nothing taken
 *
 * Errors: PVW_ARM64_0018 (MISSING) nothing of it is for the guest's own use.
 */
MUST_CHECK bool arm64_room_begin(
	LayoutRecordList ram, Arena *arena, Arm64Room *out, Error *err);

/** arm64_room_mark - somebody else has put something there; at most ARM64_ROOM_MAX in all */
void arm64_room_mark(Arm64Room *room, const char *name, MemoryRange range);

/**
 * arm64_room_take - the lowest place for a piece, which is taken from then on
 * @gpa: of the piece, a page; place and piece lie in one range of RAM, apart from all others
 *
 * Errors: PVW_ARM64_0008 (NO_SPACE), with what was wanted and the RAM there is.
 */
MUST_CHECK bool arm64_room_take(
	Arm64Room *room, const Arm64Demand *demand, uint64_t *gpa, Error *err);

#endif
