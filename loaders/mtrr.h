/*
 * x86 variable MTRRs: two policies, and two oracles that say what a register set means.
 * Source: spec mtrr.
 */
#ifndef LOADERS_MTRR_H
#define LOADERS_MTRR_H

#include "support/arena.h"
#include "support/memory_range.h"

#define MTRR_MAX_PAIRS 8

typedef enum MtrrPolicy {
	MTRR_POLICY_EXACT,  /* RAM is write-back, MMIO uncached, proved */
	MTRR_POLICY_HYPERV, /* bit for bit what the reference writes */
	MTRR_POLICY_COUNT
} MtrrPolicy;

typedef struct MtrrInputs {
	MemoryRangeList ram;  /* ascending, disjoint */
	MemoryRangeList mmio; /* exact: everything that must be uncached, ascending, disjoint */
	MemoryRange low, high; /* hyperv: the chipset windows */
	uint8_t physical_address_bits;
	uint8_t max_pairs; /* exact: pairs that may be used; 0 = 6 */
} MtrrInputs;

typedef struct MtrrPair {
	uint64_t base, mask; /* register values */
} MtrrPair;

typedef struct MtrrSet {
	MtrrPair pairs[MTRR_MAX_PAIRS]; /* in emission order */
	size_t count;
} MtrrSet;

/**
 * mtrr_solve - variable MTRRs for a memory layout
 *
 * Every result of the exact policy has been checked by both oracles.
 *
 * Errors: PVW_MTRR_0001 (BAD_VALUE) address width or a range beyond it,
 * _0002 (OVERLAP) RAM and MMIO, _0003 (NO_SPACE) more pairs needed than there are, naming the
 * boundary, _0004 (MISSING) hyperv without a low window where RAM ends above 128 MiB.
 */
MUST_CHECK bool mtrr_solve(
	MtrrPolicy policy, const MtrrInputs *in, Arena *arena, MtrrSet *out, Error *err);

#endif
