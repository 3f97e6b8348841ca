/*
 * The address-space allocator: tagged requests in, one place for each out.
 *
 * It knows nothing of architectures, firmware, buses or virtual trust levels; who asks for what
 * is the resolver's business. Phases follow each other and see what earlier ones left free:
 *
 *	phase      window                         direction   order of requests
 *	RESERVED   anywhere, pinned               -           any
 *	FIXED      anywhere, pinned               -           any
 *	MMIO32     [0, 4 GiB)                     top-down    alignment, size descending, as asked
 *	RAM        [end of RAM, limit)            bottom-up   as asked; may be split
 *	MMIO64     [max(end of RAM, 4 GiB), limit)bottom-up   alignment, size descending, as asked
 *	POST_MMIO  [layout top, limit)            bottom-up   as asked
 *
 * The limit is MEMORY_RANGE_LIMIT. Equal requests give equal places: nothing else is looked at.
 * Source: docs/formats.md, "Layout"; [OVMM] vm/vmcore/vm_topology/src/layout.rs
 */
#ifndef LAYOUT_ALLOCATOR_H
#define LAYOUT_ALLOCATOR_H

#include "layout/layout_tag.h"
#include "support/arena.h"
#include "support/memory_range.h"

#define ALLOCATOR_MAX_REQUESTS 4096

/* In the order of the phases. */
typedef enum PlacementKind {
	PLACEMENT_RESERVED, /* taken, but does not raise the top that POST_MMIO starts from */
	PLACEMENT_FIXED,
	PLACEMENT_MMIO32,
	PLACEMENT_RAM,
	PLACEMENT_MMIO64,
	PLACEMENT_POST_MMIO,
	PLACEMENT_KIND_COUNT
} PlacementKind;

typedef struct AllocatorRequest {
	LayoutTag tag; /* for messages */
	PlacementKind kind;
	MemoryRange range; /* RESERVED, FIXED: where it is */
	uint64_t size;     /* the others: bytes, multiple of PAGE_SIZE, not 0 */
	uint64_t align;    /* the others: power of two, at least PAGE_SIZE */
} AllocatorRequest;

typedef struct AllocatorRequestList {
	const AllocatorRequest *items;
	size_t count; /* at most ALLOCATOR_MAX_REQUESTS */
} AllocatorRequestList;

typedef struct Placement {
	MemoryRange range;
	PlacementKind kind;
	uint32_t request; /* index of who asked */
} Placement;

typedef struct Allocation {
	const Placement
		*placements; /* ascending; reserved ones above all others are left out */
	size_t count;
	const MemoryRangeList *targets; /* by request, ascending; only RAM has more than one */
	uint64_t top;                   /* end of the last placement, 0 without any */
} Allocation;

/* What went wrong, for programs; the Error says the same for people. */
typedef enum AllocatorProblem {
	ALLOCATOR_TOO_MANY,
	ALLOCATOR_BAD_SIZE,
	ALLOCATOR_BAD_ALIGNMENT,
	ALLOCATOR_PINNED_OVERLAP,
	ALLOCATOR_EXHAUSTED,
	ALLOCATOR_PROBLEM_COUNT
} AllocatorProblem;

#define ALLOCATOR_NOBODY UINT32_MAX

typedef struct AllocatorFailure {
	AllocatorProblem problem;
	PlacementKind phase;     /* of @request */
	uint32_t request, other; /* indices; @other of an overlap */

	/* EXHAUSTED: what is left inside the window of the phase. */
	uint32_t below, above; /* who bounds @hole, or ALLOCATOR_NOBODY */
	uint64_t free_bytes;
	uint64_t largest; /* the most that an aligned request could get */
	MemoryRange hole; /* where it could get that; empty if nowhere */
} AllocatorFailure;

/**
 * allocator_run - place everything
 * @out: lists live in @arena
 * @why: may be NULL
 *
 * RAM takes from each free range a multiple of its alignment, and exactly what remains from the
 * last one; space that it leaves behind is not offered to RAM again. Everything else is placed
 * in one piece, from the edge of the window on: small requests fill gaps that larger ones left.
 *
 * Sizes and alignments are checked first, phase by phase, in order of requests; pinned ranges
 * are checked for overlap behind the size of the last pinned one. O(n log n).
 *
 * Outputs are untouched on failure; @why is written on failure only.
 *
 * Errors: PVW_ALLOC_0001 (BAD_VALUE) size, or a pinned range that is empty or unaligned, _0002
 * (BAD_VALUE) alignment, _0003 (OVERLAP) two pinned ranges, _0004 (NO_SPACE) no place, with what
 * is free, where the most of it is and between what, _0005 (LIMIT) more than
 * ALLOCATOR_MAX_REQUESTS, PVW_MEM_0001 (LIMIT). All but the last two name the request.
 */
MUST_CHECK bool allocator_run(AllocatorRequestList requests, Arena *arena, Allocation *out,
	AllocatorFailure *why, Error *err);

/** placement_kind_name - "reserved", "fixed", "mmio32", "ram", "mmio64", "post-mmio" */
const char *placement_kind_name(PlacementKind kind);

#endif
