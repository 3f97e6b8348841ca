/*
 * x86 MTRRs: what a register set means, and two policies that make one from a memory layout.
 *
 * Everything here is pure arithmetic over values. The default type is always uncached; variable
 * pairs turn RAM into write-back, and in the exact policy cut uncached holes out of it again.
 * Source: [SDM3] 12.11; [OVMM] vm/loader/src/common.rs, compute_variable_mtrrs
 */
#ifndef LOADERS_MTRR_H
#define LOADERS_MTRR_H

#include "loaders/registers.h"
#include "support/arena.h"
#include "support/memory_range.h"

/* layout/vtl0_layout.h, resolver.h, chipset_mmio.h: only mtrr_inputs_from_* need them. */
typedef struct Vtl0Layout Vtl0Layout;
typedef struct ResolvedLayout ResolvedLayout;
typedef struct ChipsetMmioRanges ChipsetMmioRanges;

#define MTRR_MAX_PAIRS 8      /* variable pairs a virtual processor has */
#define MTRR_DEFAULT_BUDGET 6 /* of which firmware looks at this many */
#define MTRR_FIXED_COUNT 11   /* fixed-range registers */
#define MTRR_MIN_ADDRESS_BITS 36
#define MTRR_MAX_ADDRESS_BITS 52

/* IA32_MTRR_DEF_TYPE: default type in bits 7:0 */
#define MTRR_DEF_TYPE_FIXED_ENABLE UINT64_C(0x400)
#define MTRR_DEF_TYPE_ENABLE UINT64_C(0x800)
/* What every boot path sets: all MTRRs on, fixed ones too, default uncached. */
#define MTRR_DEF_TYPE_INITIAL (MTRR_DEF_TYPE_ENABLE | MTRR_DEF_TYPE_FIXED_ENABLE)

/* Valid bit of a mask register. */
#define MTRR_MASK_VALID UINT64_C(0x800)

/* The first 640 KiB, write-back by fixed registers on every boot path. */
#define MTRR_LOW_RAM ((MemoryRange){ 0, 0xa0000 })
/* Where a PC BIOS lies, write-back by fixed registers under PCAT. */
#define MTRR_BIOS_SHADOW ((MemoryRange){ 0xe0000, 0x100000 })

/* Values of a type field. 2, 3 and those above 6 are reserved. */
typedef enum MtrrType {
	MTRR_UNCACHED = 0,
	MTRR_WRITE_COMBINING = 1,
	MTRR_WRITE_THROUGH = 4,
	MTRR_WRITE_PROTECTED = 5,
	MTRR_WRITE_BACK = 6,
	MTRR_UNDEFINED = 0x100 /* a mixture or a reserved type: the processor may do anything */
} MtrrType;

typedef enum MtrrPolicy {
	MTRR_POLICY_EXACT,       /* RAM is write-back, MMIO uncached, proved */
	MTRR_POLICY_HYPERV,      /* bit for bit what the reference writes */
	MTRR_POLICY_BEST_EFFORT, /* exact, but devices give way when pairs run out: see MtrrYield */
	MTRR_POLICY_COUNT
} MtrrPolicy;

/*
 * Devices that may become write-back when the pairs do not reach, in the order of giving way.
 * What the guest cannot reach gives way under the policy exact too, the others under best-effort
 * alone. RAM and the low chipset window never do.
 */
typedef enum MtrrYield {
	MTRR_YIELD_VTL2, /* the guest cannot see it */
	MTRR_YIELD_CXL,
	MTRR_YIELD_PCI_HIGH, /* configuration space and BAR windows above RAM */
	MTRR_YIELD_CHIPSET_HIGH,
	MTRR_YIELD_COUNT
} MtrrYield;

/* Ways to cover RAM, in the order in which the exact policy prefers them. */
typedef enum MtrrCover {
	MTRR_COVER_STRICT_WB,  /* write-back pairs alone, over RAM and nothing else */
	MTRR_COVER_STRICT,     /* uncached holes allowed; nothing but RAM is write-back */
	MTRR_COVER_RELAXED_WB, /* write-back pairs alone, may reach over unused space */
	MTRR_COVER_RELAXED,    /* uncached holes allowed, may reach over unused space */
	MTRR_COVER_COUNT
} MtrrCover;

typedef struct MtrrInputs {
	/* Ascending, disjoint; empty items say nothing. Exact adds the first 1 MiB itself. */
	MemoryRangeList ram;
	/* Exact, like @ram: what must be uncached; and what must be if the pairs reach. */
	MemoryRangeList mmio, yielding[MTRR_YIELD_COUNT];
	/* Hyperv: the chipset windows; empty is start == end, anywhere. */
	MemoryRange low, high;
	uint8_t physical_address_bits; /* taken as 36..52 */
	uint8_t max_pairs;             /* exact: may be used; 0 = MTRR_DEFAULT_BUDGET */
} MtrrInputs;

typedef struct MtrrPair {
	uint64_t base, mask; /* register values */
} MtrrPair;

typedef struct MtrrSet {
	MtrrPair pairs[MTRR_MAX_PAIRS]; /* by register number; an unused one is 0/0 */
	size_t count;                   /* highest number in use, plus 1 */
	MtrrCover cover;                /* exact: how it was made */
	MtrrYield yielded; /* exact: the lists below this one of MtrrInputs.yielding gave way */
} MtrrSet;

/**
 * mtrr_solve - variable MTRRs for a memory layout
 * @out: untouched on failure
 *
 * exact: the fewest pairs of the first MtrrCover that needs no more than @in->max_pairs; ties
 * go to fewer uncached pairs, then to smaller blocks. No block is larger than 8 TiB: older Linux
 * kernels cannot represent one. Every result has passed mtrr_verify.
 *
 * Errors: PVW_MTRR_0001 (BAD_VALUE) a range beyond the address width or unaligned, or a budget
 * above MTRR_MAX_PAIRS, _0002 (OVERLAP) RAM and MMIO, also MMIO in the first 1 MiB, or a list
 * that does not ascend, _0003 (NO_SPACE) more pairs needed than there are, naming the boundary,
 * _0004 (MISSING) hyperv without a low window where RAM ends above 128 MiB,
 * _0005 (INTERNAL) an oracle disagrees with the solver.
 */
MUST_CHECK bool mtrr_solve(
	MtrrPolicy policy, const MtrrInputs *in, Arena *arena, MtrrSet *out, Error *err);

typedef struct MtrrNeed {
	size_t pairs;    /* all of them */
	size_t uncached; /* the uncached ones among them */
} MtrrNeed;

/**
 * mtrr_exact_needs - how many pairs each MtrrCover takes, whatever the budget
 *
 * Nothing gives way. Errors: PVW_MTRR_0001, _0002.
 */
MUST_CHECK bool mtrr_exact_needs(
	const MtrrInputs *in, Arena *arena, MtrrNeed out[MTRR_COVER_COUNT], Error *err);

/**
 * mtrr_inputs_from_layout - what mtrr_solve wants to know of a guest
 * @layout: the guest's; its RAM, and as MMIO every other record but VTL2's
 * @mmio:   the windows; VTL2's ranges yield together with the layout's
 *
 * Serves all boot paths. Lists live in @arena. The budget is left at its default.
 */
MUST_CHECK bool mtrr_inputs_from_layout(const Vtl0Layout *layout, const ChipsetMmioRanges *mmio,
	uint8_t physical_address_bits, Arena *arena, MtrrInputs *out, Error *err);

/** mtrr_inputs_from_resolved - the same of a layout that a host resolved */
MUST_CHECK bool mtrr_inputs_from_resolved(const ResolvedLayout *layout,
	uint8_t physical_address_bits, Arena *arena, MtrrInputs *out, Error *err);

/* One processor's MTRRs. */
typedef struct MtrrState {
	uint64_t def_type;                /* IA32_MTRR_DEF_TYPE */
	uint64_t fixed[MTRR_FIXED_COUNT]; /* in the order of mtrr_fixed_register */
	MtrrSet variable;
	uint8_t address_bits; /* 12..52; mask bits from here on are not looked at */
} MtrrState;

/**
 * mtrr_type_at - the type of an address as the processor finds it
 * @address: below 2^address_bits
 *
 * A pair matches where (address & mask) == (base & mask): base bits under a zero mask bit count
 * for nothing. Source: [SDM3] 12.11.3, 12.11.4.1
 */
MtrrType mtrr_type_at(const MtrrState *state, uint64_t address);

/**
 * mtrr_type_as_read - the type of an address as operating systems and firmware read it
 *
 * They take a pair as [base, base + size) with the base as it stands. A good set makes both
 * readings agree. Source: [LINUX] arch/x86/kernel/cpu/mtrr, [MU] LegacyMtrrLib
 */
MtrrType mtrr_type_as_read(const MtrrState *state, uint64_t address);

/**
 * mtrr_verify - prove that a set does what the exact policy promises
 * @ram:  ascending; must be write-back, and so must the first 1 MiB
 * @mmio: ascending; must be uncached
 * @address_bits: 36..52
 *
 * Also: each base aligned to its size, nothing beyond the address width, both oracles of one
 * mind at every edge.
 *
 * Errors: PVW_MTRR_0005 (INTERNAL) naming the pair or the address.
 */
MUST_CHECK bool mtrr_verify(const MtrrSet *set, MemoryRangeList ram, MemoryRangeList mmio,
	uint8_t address_bits, Error *err);

/* What one fixed-range register covers: eight sub-ranges, byte k of the register is the k-th. */
typedef struct MtrrFixedRegister {
	RegisterId id;
	uint32_t start, step; /* GPA of the first sub-range; length of one, bytes */
} MtrrFixedRegister;

/** mtrr_fixed_register - the @index-th of MTRR_FIXED_COUNT, ascending by address */
MtrrFixedRegister mtrr_fixed_register(size_t index);

/**
 * mtrr_registers - PhysBase0, PhysMask0, PhysBase1, … of the pairs in use
 *
 * Unused pairs are left out, also between used ones: hyperv has sets of pairs 0 and 2. Returns
 * how many registers were written to @out.
 */
size_t mtrr_registers(const MtrrSet *set, Register out[2 * MTRR_MAX_PAIRS]);

/**
 * mtrr_fixed_registers - fixed-range registers that make some of the first 1 MiB write-back
 * @ranges: @count ranges; a sub-range that is not wholly in one of them stays uncached
 *
 * Registers that would be 0, their reset value, are left out. Returns how many there are.
 */
size_t mtrr_fixed_registers(
	const MemoryRange *ranges, size_t count, Register out[MTRR_FIXED_COUNT]);

/** mtrr_policy_name - "exact", "hyperv" or "best-effort" */
const char *mtrr_policy_name(MtrrPolicy policy);

/** mtrr_policy_find - by that name; MTRR_POLICY_COUNT if there is none */
MtrrPolicy mtrr_policy_find(const char *name);

/** mtrr_yield_name - "vtl2", "cxl", "pci-high", "chipset-high" */
const char *mtrr_yield_name(MtrrYield yield);

/** mtrr_cover_name - "strict-wb", "strict", "relaxed-wb", "relaxed" */
const char *mtrr_cover_name(MtrrCover cover);

#endif
