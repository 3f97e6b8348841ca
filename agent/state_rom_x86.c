/*
 * The state that agent/rom/state_x86.S loads.
 */
#include "agent/state_rom.h"

#include <string.h>

#include "agent/boot_state.h"
#include "support/bytes.h"
#include "support/diagnostics.h"

#define IMAGE_SIZE ((size_t)64 * 1024)
#define STATE_OFFSET 0x1000u

#define RFLAGS_RESET UINT64_C(2) /* [SDM1] 3.4.3: bit 1 is always set */

typedef struct PACKED StateMsr {
	uint32_t number;
	uint32_t reserved; /* = 0 */
	uint64_t value;
} StateMsr;

/* All MTRRs, PAT and the default type. */
#define STATE_MSRS_MAX 32

/* Read by agent/rom/state_x86.S, which repeats the offsets. */
typedef struct PACKED StateX86 {
	char magic[8];                 /* 000  "PVWX8601" */
	uint32_t msr_count;            /* 008 */
	uint32_t pm_base;              /* 00c  0 = leave power management off */
	uint64_t gprs[16];             /* 010  as instructions number them */
	uint64_t rip;                  /* 090 */
	uint64_t rflags;               /* 098 */
	uint64_t cr0, cr3, cr4;        /* 0a0 */
	uint64_t efer;                 /* 0b8 */
	uint8_t reserved_0c0[6];       /* 0c0 */
	uint16_t gdt_limit;            /* 0c6 */
	uint64_t gdt_base;             /* 0c8 */
	uint8_t reserved_0d0[6];       /* 0d0 */
	uint16_t idt_limit;            /* 0d6 */
	uint64_t idt_base;             /* 0d8 */
	uint16_t selectors[8];         /* 0e0  es cs ss ds fs gs tr ldtr */
	uint32_t far_offset;           /* 0f0  filled by the assembler */
	uint16_t far_selector;         /* 0f4  that of cs */
	uint8_t reserved_0f6[10];      /* 0f6 */
	StateMsr msrs[STATE_MSRS_MAX]; /* 100  set in this order */
} StateX86;
static_assert(offsetof(StateX86, gprs) == 0x10, "agent/rom/state_x86.S");
static_assert(offsetof(StateX86, rip) == 0x90, "agent/rom/state_x86.S");
static_assert(offsetof(StateX86, cr0) == 0xa0, "agent/rom/state_x86.S");
static_assert(offsetof(StateX86, efer) == 0xb8, "agent/rom/state_x86.S");
static_assert(offsetof(StateX86, gdt_limit) == 0xc6, "agent/rom/state_x86.S");
static_assert(offsetof(StateX86, idt_limit) == 0xd6, "agent/rom/state_x86.S");
static_assert(offsetof(StateX86, selectors) == 0xe0, "agent/rom/state_x86.S");
static_assert(offsetof(StateX86, far_offset) == 0xf0, "agent/rom/state_x86.S");
static_assert(offsetof(StateX86, msrs) == 0x100, "agent/rom/state_x86.S");

static const char magic[8] = { 'P', 'V', 'W', 'X', '8', '6', '0', '1' };

/* Those that plans speak of; the others are 0. */
static const struct {
	RegisterId id;
	size_t number;
} gprs[] = {
	{ REGISTER_RSP, 4 },
	{ REGISTER_RBP, 5 },
	{ REGISTER_RSI, 6 },
	{ REGISTER_R8, 8 },
	{ REGISTER_R9, 9 },
	{ REGISTER_R10, 10 },
	{ REGISTER_R11, 11 },
	{ REGISTER_R12, 12 },
};

/* By place in the state; LDTR is in no plan. */
static const RegisterId segments[] = {
	REGISTER_ES,
	REGISTER_CS,
	REGISTER_SS,
	REGISTER_DS,
	REGISTER_FS,
	REGISTER_GS,
	REGISTER_TR,
};

/* What is set on all processors, in this order: the default type switches the others on. */
static const struct {
	RegisterId first;
	unsigned count;
	bool always; /* also where the plan is silent: MTRRs that it does not use are off */
} msr_rows[] = {
	{ REGISTER_MTRR_FIX64K_00000, 1, true },
	{ REGISTER_MTRR_FIX16K_80000, 1, true },
	{ REGISTER_MTRR_FIX16K_A0000, 1, true },
	{ REGISTER_MTRR_FIX4K_C0000, 8, true },
	{ REGISTER_MTRR_PHYS_BASE0, 8, true },
	{ REGISTER_MTRR_PHYS_MASK0, 8, true },
	{ REGISTER_PAT, 1, false },
	{ REGISTER_MTRR_DEF_TYPE, 1, true },
};

static void put_msrs(RegisterList registers, StateX86 *state)
{
	for (size_t i = 0; i < ARRAY_COUNT(msr_rows); i++) {
		for (unsigned n = 0; n < msr_rows[i].count; n++) {
			const RegisterId id = msr_rows[i].first + n;

			if (!msr_rows[i].always && !boot_state_find(registers, id))
				continue;
			assert(state->msr_count < STATE_MSRS_MAX);
			state->msrs[state->msr_count++] = (StateMsr){
				.number = register_row(id)->msr,
				.value = boot_state_value(registers, id),
			};
		}
	}
}

static void put_state(const StateRomInputs *in, StateX86 *state)
{
	const RegisterList registers = in->registers;
	const BootTable gdt = boot_state_table(registers, REGISTER_GDTR);
	const BootTable idt = boot_state_table(registers, REGISTER_IDTR);

	state->pm_base = in->pm_base;
	for (size_t i = 0; i < ARRAY_COUNT(gprs); i++)
		state->gprs[gprs[i].number] = boot_state_value(registers, gprs[i].id);
	state->rip = boot_state_value(registers, REGISTER_RIP);
	state->rflags = boot_state_value(registers, REGISTER_RFLAGS) | RFLAGS_RESET;
	state->cr0 = boot_state_value(registers, REGISTER_CR0);
	state->cr3 = boot_state_value(registers, REGISTER_CR3);
	state->cr4 = boot_state_value(registers, REGISTER_CR4);
	state->efer = boot_state_value(registers, REGISTER_EFER);
	state->gdt_limit = gdt.limit;
	state->gdt_base = gdt.base;
	state->idt_limit = idt.limit;
	state->idt_base = idt.base;
	for (size_t i = 0; i < ARRAY_COUNT(segments); i++)
		state->selectors[i] = boot_state_segment(registers, segments[i]).selector;
	state->far_selector = boot_state_segment(registers, REGISTER_CS).selector;
	put_msrs(registers, state);
}

bool state_rom_fill_x86(const StateRomInputs *in, uint8_t *image, size_t len, Error *err)
{
	StateX86 state;

	if (len != IMAGE_SIZE)
		return error_set(err, PVW_AGENT_0011, "a rom of %zu bytes, expected %zu", len,
			IMAGE_SIZE);
	memcpy(&state, image + STATE_OFFSET, sizeof(state));
	if (memcmp(state.magic, magic, sizeof(magic)) != 0)
		return error_set(err, PVW_AGENT_0011,
			"no \"%.8s\" at 0x%x of the rom, expected it", magic, STATE_OFFSET);
	put_state(in, &state);
	memcpy(image + STATE_OFFSET, &state, sizeof(state));
	return true;
}
