/*
 * The image for aarch64, with offsets of its own: the assembler's.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "agent/state_rom.h"
#include "support/diagnostics.h"

#define STATE 0x1000
#define IMAGE_SIZE 8192

static Arena *arena;
static uint8_t image[IMAGE_SIZE];
static uint8_t covered[128];

static const Register registers[] = {
	{ .id = REGISTER_PC, .low = 0x41200000 },
	{ .id = REGISTER_CPSR, .low = 0x3c5 },
	{ .id = REGISTER_SCTLR_EL1, .low = 0x30d01804 },
	{ .id = REGISTER_TCR_EL1, .low = 0x580803591 },
	{ .id = REGISTER_TTBR0_EL1, .low = 0x1111000 },
	{ .id = REGISTER_TTBR1_EL1, .low = 0x2222000 },
	{ .id = REGISTER_VBAR_EL1, .low = 0x3333000 },
	{ .id = REGISTER_MAIR_EL1, .low = 0xff },
	{ .id = REGISTER_X0, .low = 0x42cb0000 },
	{ .id = REGISTER_X7, .low = 7 },
};

static void setup(void)
{
	arena = arena_new((size_t)1024 * 1024);
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(state_rom_arm64, .init = setup, .fini = teardown);

static StateRomInputs inputs_new(void)
{
	memset(image, 0, sizeof(image));
	memcpy(image + STATE, "PVWA6401", 8);
	for (size_t i = 0; i < sizeof(covered); i++)
		covered[i] = (uint8_t)i;
	return (StateRomInputs){ .arch = GUEST_ARCH_AARCH64,
		.registers = { registers, ARRAY_COUNT(registers) } };
}

static uint64_t word(Bytes rom, size_t at)
{
	uint64_t value;

	memcpy(&value, rom.data + STATE + at, sizeof(value));
	return value;
}

static bool fill(const StateRomInputs *inputs, size_t len, Bytes *out, Error *err)
{
	return state_rom_fill(inputs, (Bytes){ image, len }, arena, out, err);
}

Test(state_rom_arm64, puts_registers_where_the_assembler_reads_them)
{
	const StateRomInputs inputs = inputs_new();
	Error err = { 0 };
	Bytes rom;

	cr_assert(fill(&inputs, IMAGE_SIZE, &rom, &err), "%s", err.text);

	cr_assert_eq(rom.len, (size_t)IMAGE_SIZE);
	cr_assert_eq(word(rom, 0x18), 0u, "nothing to copy");
	cr_assert_eq(word(rom, 0x20), 0x41200000u);
	cr_assert_eq(word(rom, 0x28), 0x3c5u);
	cr_assert_eq(word(rom, 0x30), 0x30d01804u);
	cr_assert_eq(word(rom, 0x38), UINT64_C(0x580803591));
	cr_assert_eq(word(rom, 0x40), 0x1111000u);
	cr_assert_eq(word(rom, 0x48), 0x2222000u);
	cr_assert_eq(word(rom, 0x50), 0x3333000u);
	cr_assert_eq(word(rom, 0x58), 0xffu);
	cr_assert_eq(word(rom, 0x60), 0x42cb0000u);
	cr_assert_eq(word(rom, 0x68), 0u);
	cr_assert_eq(word(rom, 0x60 + 8 * 7), 7u);
	cr_assert_eq(word(rom, 0x60 + 8 * 30), 0u);
}

Test(state_rom_arm64, brings_what_the_board_overwrites)
{
	StateRomInputs inputs = inputs_new();
	Error err = { 0 };
	Bytes rom;

	inputs.covered = (Bytes){ covered, sizeof(covered) };
	inputs.covered_gpa = 0x40000000;
	cr_assert(fill(&inputs, IMAGE_SIZE, &rom, &err), "%s", err.text);

	cr_assert_eq(rom.len, IMAGE_SIZE + sizeof(covered));
	cr_assert_eq(word(rom, 0x08), (uint64_t)IMAGE_SIZE);
	cr_assert_eq(word(rom, 0x10), 0x40000000u);
	cr_assert_eq(word(rom, 0x18), sizeof(covered));
	cr_assert_eq(memcmp(rom.data + IMAGE_SIZE, covered, sizeof(covered)), 0);
}

Test(state_rom_arm64, refuses_an_image_of_another_size)
{
	const StateRomInputs inputs = inputs_new();
	Error err = { 0 };
	Bytes rom;

	cr_assert_not(fill(&inputs, IMAGE_SIZE - 1, &rom, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0011);
	cr_assert_not_null(strstr(err.text, "8191 bytes, expected 8192"), "%s", err.text);
}

Test(state_rom_arm64, refuses_an_image_of_somebody_else)
{
	const StateRomInputs inputs = inputs_new();
	Error err = { 0 };
	Bytes rom;

	image[STATE] = 'X';
	cr_assert_not(fill(&inputs, IMAGE_SIZE, &rom, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0011);
	cr_assert_not_null(strstr(err.text, "PVWA6401"), "%s", err.text);
}

Test(state_rom_arm64, refuses_pieces_that_it_does_not_copy)
{
	StateRomInputs inputs = inputs_new();
	Error err = { 0 };
	Bytes rom;

	inputs.covered = (Bytes){ covered, 65 };
	cr_assert_not(fill(&inputs, IMAGE_SIZE, &rom, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0011);
	cr_assert_not_null(strstr(err.text, "0x41 bytes to be copied"), "%s", err.text);
}

Test(state_rom_arm64, has_a_file)
{
	cr_assert_str_eq(state_rom_file(GUEST_ARCH_AARCH64), "state_arm64.bin");
}
