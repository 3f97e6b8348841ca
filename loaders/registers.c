/*
 * The table of registers: names and numbers of the hypervisor's interface.
 * Source: [TLFS] 7.9.4, HvX64Register and HvArm64Register names; [SDM4] 2.1 for MSRs
 */
#include "loaders/registers.h"

/* Hypervisor numbers follow each other, so do the MSRs of pairs, by twos. */
#define GENERAL(text, number)                                                                  \
	{                                                                                      \
		text, number, 0, GUEST_ARCH_X86_64, REGISTER_SCOPE_BSP                         \
	}
#define ARM(text, number)                                                                      \
	{                                                                                      \
		text, number, 0, GUEST_ARCH_AARCH64, REGISTER_SCOPE_BSP                        \
	}
#define SHARED(text, number, msr)                                                              \
	{                                                                                      \
		text, number, msr, GUEST_ARCH_X86_64, REGISTER_SCOPE_ALL_VPS                   \
	}
#define PHYS_BASE(n)                                                                           \
	[REGISTER_MTRR_PHYS_BASE0 + (n)] =                                                     \
		SHARED("MtrrPhysBase" #n, 0x80010 + (n), 0x200 + 2 * (n))
#define PHYS_MASK(n)                                                                           \
	[REGISTER_MTRR_PHYS_MASK0 + (n)] =                                                     \
		SHARED("MtrrPhysMask" #n, 0x80040 + (n), 0x201 + 2 * (n))
#define FIX4K(n, at)                                                                           \
	[REGISTER_MTRR_FIX4K_C0000 + (n)] = SHARED("MtrrFix4k" at, 0x80073 + (n), 0x268 + (n))
#define X(n) [REGISTER_X0 + (n)] = ARM("X" #n, 0x20000 + (n))

static const RegisterRow rows[] = {
	[REGISTER_RIP] = GENERAL("Rip", 0x20010),
	[REGISTER_RFLAGS] = GENERAL("Rflags", 0x20011),
	[REGISTER_RSP] = GENERAL("Rsp", 0x20004),
	[REGISTER_RBP] = GENERAL("Rbp", 0x20005),
	[REGISTER_RSI] = GENERAL("Rsi", 0x20006),
	[REGISTER_R8] = GENERAL("R8", 0x20008),
	[REGISTER_R9] = GENERAL("R9", 0x20009),
	[REGISTER_R10] = GENERAL("R10", 0x2000a),
	[REGISTER_R11] = GENERAL("R11", 0x2000b),
	[REGISTER_R12] = GENERAL("R12", 0x2000c),
	[REGISTER_CR0] = GENERAL("Cr0", 0x40000),
	[REGISTER_CR3] = GENERAL("Cr3", 0x40002),
	[REGISTER_CR4] = GENERAL("Cr4", 0x40003),
	[REGISTER_ES] = GENERAL("Es", 0x60000),
	[REGISTER_CS] = GENERAL("Cs", 0x60001),
	[REGISTER_SS] = GENERAL("Ss", 0x60002),
	[REGISTER_DS] = GENERAL("Ds", 0x60003),
	[REGISTER_FS] = GENERAL("Fs", 0x60004),
	[REGISTER_GS] = GENERAL("Gs", 0x60005),
	[REGISTER_TR] = GENERAL("Tr", 0x60007),
	[REGISTER_IDTR] = GENERAL("Idtr", 0x70000),
	[REGISTER_GDTR] = GENERAL("Gdtr", 0x70001),
	[REGISTER_EFER] = { "Efer", 0x80001, 0xc0000080, GUEST_ARCH_X86_64,
		REGISTER_SCOPE_BSP },
	[REGISTER_PAT] = SHARED("Pat", 0x80004, 0x277),
	[REGISTER_MTRR_DEF_TYPE] = SHARED("MtrrDefType", 0x8000e, 0x2ff),
	PHYS_BASE(0),
	PHYS_BASE(1),
	PHYS_BASE(2),
	PHYS_BASE(3),
	PHYS_BASE(4),
	PHYS_BASE(5),
	PHYS_BASE(6),
	PHYS_BASE(7),
	PHYS_MASK(0),
	PHYS_MASK(1),
	PHYS_MASK(2),
	PHYS_MASK(3),
	PHYS_MASK(4),
	PHYS_MASK(5),
	PHYS_MASK(6),
	PHYS_MASK(7),
	[REGISTER_MTRR_FIX64K_00000] = SHARED("MtrrFix64k00000", 0x80070, 0x250),
	[REGISTER_MTRR_FIX16K_80000] = SHARED("MtrrFix16k80000", 0x80071, 0x258),
	[REGISTER_MTRR_FIX16K_A0000] = SHARED("MtrrFix16kA0000", 0x80072, 0x259),
	FIX4K(0, "C0000"),
	FIX4K(1, "C8000"),
	FIX4K(2, "D0000"),
	FIX4K(3, "D8000"),
	FIX4K(4, "E0000"),
	FIX4K(5, "E8000"),
	FIX4K(6, "F0000"),
	FIX4K(7, "F8000"),
	X(0),
	X(1),
	X(2),
	X(3),
	X(4),
	X(5),
	X(6),
	X(7),
	[REGISTER_PC] = ARM("Pc", 0x20022),
	[REGISTER_CPSR] = ARM("Cpsr", 0x20023),
	[REGISTER_SCTLR_EL1] = ARM("SctlrEl1", 0x40002),
	[REGISTER_TTBR0_EL1] = ARM("Ttbr0El1", 0x40005),
	[REGISTER_TTBR1_EL1] = ARM("Ttbr1El1", 0x40006),
	[REGISTER_TCR_EL1] = ARM("TcrEl1", 0x40007),
	[REGISTER_MAIR_EL1] = ARM("MairEl1", 0x4000b),
	[REGISTER_VBAR_EL1] = ARM("VbarEl1", 0x4000c),
};
static_assert(ARRAY_COUNT(rows) == REGISTER_COUNT, "one row a register");

const RegisterRow *register_row(RegisterId id)
{
	assert(id < REGISTER_COUNT);
	return &rows[id];
}

RegisterId register_from_hypervisor(uint32_t name, GuestArch arch)
{
	for (RegisterId id = 0; id < REGISTER_COUNT; id++) {
		if (rows[id].hypervisor == name && rows[id].arch == arch)
			return id;
	}
	return REGISTER_COUNT;
}

bool register_is_variable_mtrr(RegisterId id)
{
	return id >= REGISTER_MTRR_PHYS_BASE0 && id <= REGISTER_MTRR_PHYS_MASK7;
}

/*
 *	low   base
 *	high  limit in bits 0-31, selector in 32-47, attributes in 48-63
 */
Register register_segment(
	RegisterId id, uint64_t base, uint32_t limit, uint16_t selector, uint16_t attributes)
{
	return (Register){
		.id = id,
		.low = base,
		.high = limit | (uint64_t)selector << 32 | (uint64_t)attributes << 48,
	};
}

/*
 *	low   zeros in bits 0-47, limit in 48-63
 *	high  base
 */
Register register_table(RegisterId id, uint64_t base, uint16_t limit)
{
	return (Register){ .id = id, .low = (uint64_t)limit << 48, .high = base };
}
