/*
 * What is kept of a layout, and whether another one is the same: a guest that is restored must
 * find everything where it was.
 */
#ifndef LAYOUT_LAYOUT_KEPT_H
#define LAYOUT_LAYOUT_KEPT_H

#include "layout/resolver.h"

/* One placement without what it points to. */
typedef struct KeptPlacement {
	MemoryRange range;
	PlacementKind kind;
	char tag[LAYOUT_TAG_SIZE];
} KeptPlacement;

typedef struct KeptLayout {
	uint32_t version;
	const KeptPlacement *items; /* ascending */
	size_t count;
} KeptLayout;

/** layout_keep - what is to be kept; the list lives in @arena */
MUST_CHECK bool layout_keep(
	const ResolvedLayout *layout, Arena *arena, KeptLayout *out, Error *err);

/**
 * layout_compare - is @now what @kept was?
 *
 * Errors: PVW_RESOLVE_0019 (STATE) naming the first difference from below, with both ranges, or
 * the versions.
 */
MUST_CHECK bool layout_compare(const KeptLayout *kept, const KeptLayout *now, Error *err);

#endif
