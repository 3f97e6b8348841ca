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
	size_t count;               /* at most LAYOUT_MAX_KEPT */
} KeptLayout;

/* More than any shape leads to: requests, and as many cuts of RAM and of what is reserved. */
#define LAYOUT_MAX_KEPT (3 * ALLOCATOR_MAX_REQUESTS)

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

/**
 * layout_restore - the layout that was kept, as the resolver tells layouts
 * @kept:  may be from a file: of its items nothing but the NUL in each tag is trusted
 * @shape: of the same guest; how it would be laid out today does not matter
 *
 * Every window is pinned where it was, RAM is placed around them. So a guest finds everything
 * where it was even if the order of its root complexes, or what places windows, has changed.
 *
 * Outputs are untouched on failure.
 *
 * Errors: PVW_RESOLVE_0019 (STATE) naming the first difference: a version, a window that has
 * come, gone, or has another size, RAM that would move; _0011 (LIMIT) more than
 * LAYOUT_MAX_KEPT, PVW_ALLOC_0003 (OVERLAP) what was kept contradicts itself, and those of
 * resolver_run.
 */
MUST_CHECK bool layout_restore(const KeptLayout *kept, const LayoutShape *shape, Arena *arena,
	ResolvedLayout *out, Error *err);

#endif
