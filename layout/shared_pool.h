/*
 * The shared pool: pages that VTL2 takes from the top of an isolated guest's RAM to talk to the
 * host. Source: [OVMM] openhcl/underhill_core/src/worker.rs, shared pool size and
 * build_vtl0_memory_layout
 */
#ifndef LAYOUT_SHARED_POOL_H
#define LAYOUT_SHARED_POOL_H

#include "layout/memory_layout.h"

/** shared_pool_size - bytes for so many processors, a multiple of 2 MiB; 0 without isolation */
uint64_t shared_pool_size(IsolationType isolation, uint32_t processors);

/**
 * shared_pool_take - cut the pool off the top of RAM
 * @ram:  RAM records, ascending and disjoint
 * @size: bytes, multiple of PAGE_SIZE
 * @rest: what is left, ascending, in @arena
 * @pool: what was taken, ascending, with its nodes, in @arena
 *
 * Only ordinary memory (IGVM_MEMORY) is taken; other records stay as they are.
 *
 *	ram   [ A: memory       )[ B: reserved )[ C: memory )
 *	pool            [ A'    )               [ C         )
 *	rest  [ A       )        [ B: reserved )
 *
 * Outputs are untouched on failure.
 *
 * Errors: PVW_LAYOUT_0006 (NO_SPACE) with the size asked for and what there is,
 * PVW_LAYOUT_0007 (BAD_VALUE) @size unaligned.
 */
MUST_CHECK bool shared_pool_take(LayoutRecordList ram, uint64_t size, Arena *arena,
	LayoutRecordList *rest, NodeRangeList *pool, Error *err);

#endif
