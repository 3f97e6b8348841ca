/*
 * The state that agent/rom/state_arm64.S loads.
 */
#include "agent/state_rom.h"

#include <inttypes.h>
#include <string.h>

#include "agent/boot_state.h"
#include "support/bytes.h"
#include "support/checked.h"
#include "support/diagnostics.h"

#define IMAGE_SIZE ((size_t)8 * 1024)
#define STATE_OFFSET 0x1000u
#define COPY_STEP 64 /* bytes that the ROM copies at a time */

/* Read by agent/rom/state_arm64.S, which repeats the offsets. */
typedef struct PACKED StateArm64 {
	char magic[8];         /* 000  "PVWA6401" */
	uint64_t copy_source;  /* 008  in the image */
	uint64_t copy_target;  /* 010  GPA */
	uint64_t copy_len;     /* 018  a multiple of COPY_STEP; 0 = nothing */
	uint64_t pc, spsr;     /* 020 */
	uint64_t sctlr, tcr;   /* 030 */
	uint64_t ttbr0, ttbr1; /* 040 */
	uint64_t vbar, mair;   /* 050 */
	uint64_t gprs[31];     /* 060 */
} StateArm64;
static_assert(offsetof(StateArm64, copy_target) == 0x10, "agent/rom/state_arm64.S");
static_assert(offsetof(StateArm64, pc) == 0x20, "agent/rom/state_arm64.S");
static_assert(offsetof(StateArm64, sctlr) == 0x30, "agent/rom/state_arm64.S");
static_assert(offsetof(StateArm64, ttbr0) == 0x40, "agent/rom/state_arm64.S");
static_assert(offsetof(StateArm64, vbar) == 0x50, "agent/rom/state_arm64.S");
static_assert(offsetof(StateArm64, gprs) == 0x60, "agent/rom/state_arm64.S");

static const char magic[8] = { 'P', 'V', 'W', 'A', '6', '4', '0', '1' };

/* Registers that plans do not speak of are 0. */
static const struct {
	RegisterId id;
	size_t at;
} places[] = {
	{ REGISTER_PC, offsetof(StateArm64, pc) },
	{ REGISTER_CPSR, offsetof(StateArm64, spsr) },
	{ REGISTER_SCTLR_EL1, offsetof(StateArm64, sctlr) },
	{ REGISTER_TCR_EL1, offsetof(StateArm64, tcr) },
	{ REGISTER_TTBR0_EL1, offsetof(StateArm64, ttbr0) },
	{ REGISTER_TTBR1_EL1, offsetof(StateArm64, ttbr1) },
	{ REGISTER_VBAR_EL1, offsetof(StateArm64, vbar) },
	{ REGISTER_MAIR_EL1, offsetof(StateArm64, mair) },
};

static void put_state(const StateRomInputs *in, StateArm64 *state)
{
	for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
		const uint64_t value = boot_state_value(in->registers, places[i].id);

		memcpy((uint8_t *)state + places[i].at, &value, sizeof(value));
	}
	for (unsigned i = 0; i <= REGISTER_X7 - REGISTER_X0; i++)
		state->gprs[i] = boot_state_value(in->registers, REGISTER_X0 + i);
	if (!in->covered.len)
		return;
	state->copy_source = IMAGE_SIZE;
	state->copy_target = in->covered_gpa;
	state->copy_len = in->covered.len;
}

bool state_rom_fill_arm64(const StateRomInputs *in, uint8_t *image, size_t len, Error *err)
{
	StateArm64 state;

	if (len != IMAGE_SIZE)
		return error_set(err, PVW_AGENT_0011, "a rom of %zu bytes, expected %zu", len,
			IMAGE_SIZE);
	memcpy(&state, image + STATE_OFFSET, sizeof(state));
	if (memcmp(state.magic, magic, sizeof(magic)) != 0)
		return error_set(err, PVW_AGENT_0011,
			"no \"%.8s\" at 0x%x of the rom, expected it", magic, STATE_OFFSET);
	if (!is_aligned(in->covered.len, COPY_STEP))
		return error_set(err, PVW_AGENT_0011,
			"0x%zx bytes to be copied, expected a multiple of %d", in->covered.len,
			COPY_STEP);
	put_state(in, &state);
	memcpy(image + STATE_OFFSET, &state, sizeof(state));
	return true;
}
