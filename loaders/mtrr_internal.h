/*
 * The MTRR policies behind mtrr_solve, and what they share.
 */
#ifndef LOADERS_MTRR_INTERNAL_H
#define LOADERS_MTRR_INTERNAL_H

#include "loaders/mtrr.h"
#include "support/diagnostics.h"

#define ONE_MIB UINT64_C(0x100000)

/* Both take the address width as clamped already. @may_yield: how many lists may give way. */
MUST_CHECK bool mtrr_solve_exact(const MtrrInputs *in, MtrrYield may_yield,
	uint8_t address_bits, Arena *arena, MtrrSet *out, Error *err);
MUST_CHECK bool mtrr_solve_hyperv(
	const MtrrInputs *in, uint8_t address_bits, MtrrSet *out, Error *err);

/* The width that registers are made for; source: [OVMM] vm/loader/src/common.rs, mtrr_mask */
static inline uint8_t mtrr_address_bits(uint8_t stated)
{
	if (stated < MTRR_MIN_ADDRESS_BITS)
		return MTRR_MIN_ADDRESS_BITS;
	return stated > MTRR_MAX_ADDRESS_BITS ? MTRR_MAX_ADDRESS_BITS : stated;
}

/* Page number bits below the address width. */
static inline uint64_t mtrr_address_mask(uint8_t address_bits)
{
	return ((UINT64_C(1) << address_bits) - 1) & ~(PAGE_SIZE - 1);
}

/*
 * The address space as the solver sees it: segments that follow each other without a gap, from
 * 0 to 2^address_bits, no two neighbours of one kind. A segment counts the RAM and MMIO
 * segments before it; so what is in a run of segments is a difference of counts.
 */
typedef struct MtrrSegment {
	uint64_t start;
	uint32_t ram, mmio;
} MtrrSegment;

typedef struct MtrrSpace {
	const MtrrSegment *segments; /* @count, and one behind them that starts at the end */
	uint32_t count;
	uint8_t address_bits;
} MtrrSpace;

/* What is in segments [first, last]. */
static inline uint32_t mtrr_space_ram(const MtrrSpace *space, uint32_t first, uint32_t last)
{
	return space->segments[last + 1].ram - space->segments[first].ram;
}

static inline uint32_t mtrr_space_mmio(const MtrrSpace *space, uint32_t first, uint32_t last)
{
	return space->segments[last + 1].mmio - space->segments[first].mmio;
}

/* mtrr_space_build - from RAM and MMIO, without the lists that yielded; PVW_MTRR_0001, _0002 */
MUST_CHECK bool mtrr_space_build(const MtrrInputs *in, MtrrYield yielded, uint8_t address_bits,
	Arena *arena, MtrrSpace *out, Error *err);

/* A solved space under one rule of what may be write-back. */
typedef struct MtrrTree MtrrTree;

/* mtrr_tree_solve - fewest pairs, with and without uncached ones; @strict: nothing but RAM */
MUST_CHECK bool mtrr_tree_solve(
	const MtrrSpace *space, bool strict, Arena *arena, MtrrTree **out, Error *err);

/* mtrr_tree_need - how many pairs; @holes: uncached ones allowed */
MtrrNeed mtrr_tree_need(const MtrrTree *tree, bool holes);

/* mtrr_tree_emit - the pairs, ascending, a write-back one before its holes; as many as fit */
void mtrr_tree_emit(const MtrrTree *tree, bool holes, MtrrSet *out);

#endif
