/*
 * Initial register state as data: an ordered list of {id, value}.
 * Ids are rows of a table of the hypervisor's register names, docs/formats.md "Registers".
 */
#ifndef LOADERS_REGISTERS_H
#define LOADERS_REGISTERS_H

#include "support/arena.h"
#include "support/guest_arch.h"

/* Index into the table of registers; the table gives hypervisor name, text, MSR and scope. */
typedef enum RegisterId {
	REGISTER_RIP,
	REGISTER_RFLAGS,
	REGISTER_RSP,
	REGISTER_RBP,
	REGISTER_RSI,
	REGISTER_R8,
	REGISTER_R9,
	REGISTER_R10,
	REGISTER_R11,
	REGISTER_R12,
	REGISTER_CR0,
	REGISTER_CR3,
	REGISTER_CR4,
	REGISTER_ES,
	REGISTER_CS,
	REGISTER_SS,
	REGISTER_DS,
	REGISTER_FS,
	REGISTER_GS,
	REGISTER_TR,
	REGISTER_IDTR,
	REGISTER_GDTR,
	REGISTER_EFER,
	REGISTER_PAT,
	REGISTER_MTRR_DEF_TYPE,
	REGISTER_MTRR_PHYS_BASE0,
	REGISTER_MTRR_PHYS_BASE7 = REGISTER_MTRR_PHYS_BASE0 + 7,
	REGISTER_MTRR_PHYS_MASK0,
	REGISTER_MTRR_PHYS_MASK7 = REGISTER_MTRR_PHYS_MASK0 + 7,
	REGISTER_MTRR_FIX64K_00000,
	REGISTER_MTRR_FIX16K_80000,
	REGISTER_MTRR_FIX16K_A0000,
	REGISTER_MTRR_FIX4K_C0000,
	REGISTER_MTRR_FIX4K_F8000 = REGISTER_MTRR_FIX4K_C0000 + 7,
	REGISTER_X0,
	REGISTER_X7 = REGISTER_X0 + 7,
	REGISTER_PC,
	REGISTER_CPSR,
	REGISTER_SCTLR_EL1,
	REGISTER_TTBR0_EL1,
	REGISTER_TTBR1_EL1,
	REGISTER_TCR_EL1,
	REGISTER_MAIR_EL1,
	REGISTER_VBAR_EL1,
	REGISTER_COUNT
} RegisterId;

/* ALL_VPS registers (PAT, MTRRs) are set on every processor, the others on the first only. */
typedef enum RegisterScope { REGISTER_SCOPE_ALL_VPS = 1, REGISTER_SCOPE_BSP = 2 } RegisterScope;

typedef struct RegisterRow {
	const char *name;    /* "MtrrPhysBase0" */
	uint32_t hypervisor; /* register name on the hypervisor's interface */
	uint32_t msr;        /* x86-64 MSR number, 0 = none */
	GuestArch arch;
	RegisterScope scope;
} RegisterRow;

/** register_row - never NULL for an id below REGISTER_COUNT */
const RegisterRow *register_row(RegisterId id);

/** register_from_hypervisor - REGISTER_COUNT if the name is not one of ours */
RegisterId register_from_hypervisor(uint32_t name, GuestArch arch);

/** register_is_variable_mtrr - one of MtrrPhysBase0..7 and MtrrPhysMask0..7 */
bool register_is_variable_mtrr(RegisterId id);

/* 16 value bytes as two little-endian halves; plain registers have high 0. */
typedef struct Register {
	RegisterId id;
	uint64_t low, high;
} Register;

typedef struct RegisterList {
	const Register *items;
	size_t count;
} RegisterList;

/* The registers of a plan that go to the same processors. */
typedef struct RegisterSet {
	RegisterScope scope;
	RegisterList registers; /* emission order */
} RegisterSet;

typedef struct RegisterSetList {
	const RegisterSet *items;
	size_t count;
} RegisterSetList;

/** register_segment - {u64 base, u32 limit, u16 selector, u16 attributes} */
Register register_segment(
	RegisterId id, uint64_t base, uint32_t limit, uint16_t selector, uint16_t attributes);

/** register_table - {u16[3] 0, u16 limit, u64 base}: GDTR, IDTR */
Register register_table(RegisterId id, uint64_t base, uint16_t limit);

#endif
