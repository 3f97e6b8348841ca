/*
 * VTL0's memory, from what the boot tree says and the windows as the guest gets them.
 * Source: [OVMM] openhcl/underhill_core/src/worker.rs, build_vtl0_memory_layout
 */
#ifndef LAYOUT_VTL0_LAYOUT_H
#define LAYOUT_VTL0_LAYOUT_H

#include "layout/memory_layout.h"

/* VTL0's view, and the one before VTL2 took its shared pool. */
typedef struct Vtl0Layout {
	MemoryLayout vtl0;         /* what the guest and its firmware see */
	MemoryLayout complete;     /* before the shared pool was taken */
	NodeRangeList shared_pool; /* ascending; empty when not isolated */
} Vtl0Layout;

/**
 * vtl0_layout_build - VTL0's memory from boot info and resolved windows
 * @info:       parsed boot tree
 * @mmio:       windows as the guest gets them, relay aperture already cut
 * @pool_bytes: shared pool to take from the top of RAM, multiple of PAGE_SIZE, 0 = none;
 *              nothing is taken from a guest that is not isolated (shared_pool_size)
 *
 * Entries of type VTL0 become RAM. HIDDEN ones are dropped, PERSISTENT ones refused. Windows
 * that are absent leave no record; VTL2's ranges are not part of VTL0's map.
 *
 * Outputs are untouched on failure.
 *
 * Errors: PVW_LAYOUT_0005 (UNSUPPORTED) IGVM type, _0006 (NO_SPACE) pool, _0007 (BAD_VALUE)
 * @pool_bytes, and those of memory_layout_build.
 */
MUST_CHECK bool vtl0_layout_build(const BootInfo *info, const ChipsetMmioRanges *mmio,
	uint64_t pool_bytes, Arena *arena, Vtl0Layout *out, Error *err);

#endif
