/*
 * The state in the ROM of x86-64, at the places where its assembler reads it.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "agent/state_rom.h"
#include "support/diagnostics.h"

#define SIZE ((size_t)65536)
#define STATE 0x1000

static Arena *arena;
static uint8_t image[SIZE];

static void setup(void)
{
	arena = arena_new((size_t)1 << 20);
	memset(image, 0xcc, sizeof(image));
	memset(image + STATE, 0, 0x400);
	memcpy(image + STATE, "PVWX8601", 8);
	memcpy(image + STATE + 0xf0, "\x61\x01\xff\xff", 4);
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(state_rom, .init = setup, .fini = teardown);

static const uint8_t *filled(const Register *registers, size_t count, uint32_t pm_base)
{
	const StateRomInputs in = {
		.arch = GUEST_ARCH_X86_64, .registers = { registers, count }, .pm_base = pm_base
	};
	Bytes out;
	Error err = { 0 };

	cr_assert(
		state_rom_fill(&in, (Bytes){ image, SIZE }, arena, &out, &err), "%s", err.text);
	cr_assert_eq(out.len, SIZE);
	return out.data;
}

static uint64_t number(const uint8_t *rom, size_t at, size_t len)
{
	uint64_t value = 0;

	memcpy(&value, rom + STATE + at, len);
	return value;
}

/* Value of an MSR in the list, and its place in it. */
static uint64_t msr(const uint8_t *rom, uint32_t wanted, size_t *place)
{
	const size_t count = (size_t)number(rom, 8, 4);

	for (size_t i = 0; i < count; i++) {
		if (number(rom, 0x100 + 16 * i, 8) == wanted) {
			*place = i;
			return number(rom, 0x108 + 16 * i, 8);
		}
	}
	cr_assert_fail("no msr 0x%x", wanted);
	return 0;
}

Test(state_rom, holds_the_registers)
{
	const Register registers[] = {
		{ .id = REGISTER_RIP, .low = 0x100200 },
		{ .id = REGISTER_RSI, .low = 0x2000 },
		{ .id = REGISTER_RSP, .low = 0x7000 },
		{ .id = REGISTER_RBP, .low = 0x7100 },
		{ .id = REGISTER_R8, .low = 8 },
		{ .id = REGISTER_R12, .low = 12 },
		{ .id = REGISTER_CR0, .low = 0x80000001 },
		{ .id = REGISTER_CR3, .low = 0x4000 },
		{ .id = REGISTER_CR4, .low = 0x20 },
		{ .id = REGISTER_EFER, .low = 0xd01 },
		register_table(REGISTER_GDTR, 0x1000, 31),
		register_table(REGISTER_IDTR, 0x5000, 0xfff),
		register_segment(REGISTER_CS, 0, 0xffffffff, 0x08, 0xa09b),
		register_segment(REGISTER_SS, 0, 0xffffffff, 0x10, 0xc093),
		register_segment(REGISTER_TR, 0, 0x67, 0x18, 0x8b),
	};
	const uint8_t *rom = filled(registers, ARRAY_COUNT(registers), 0x400);

	cr_assert_eq(number(rom, 0x0c, 4), 0x400);
	cr_assert_eq(number(rom, 0x10 + 8 * 6, 8), 0x2000, "rsi");
	cr_assert_eq(number(rom, 0x10 + 8 * 4, 8), 0x7000, "rsp");
	cr_assert_eq(number(rom, 0x10 + 8 * 5, 8), 0x7100, "rbp");
	cr_assert_eq(number(rom, 0x10 + 8 * 8, 8), 8);
	cr_assert_eq(number(rom, 0x10 + 8 * 12, 8), 12);
	cr_assert_eq(number(rom, 0x10, 8), 0, "rax");
	cr_assert_eq(number(rom, 0x90, 8), 0x100200);
	cr_assert_eq(number(rom, 0x98, 8), 2, "rflags");
	cr_assert_eq(number(rom, 0xa0, 8), 0x80000001);
	cr_assert_eq(number(rom, 0xa8, 8), 0x4000);
	cr_assert_eq(number(rom, 0xb0, 8), 0x20);
	cr_assert_eq(number(rom, 0xb8, 8), 0xd01);
	cr_assert_eq(number(rom, 0xc6, 2), 31);
	cr_assert_eq(number(rom, 0xc8, 8), 0x1000);
	cr_assert_eq(number(rom, 0xd6, 2), 0xfff);
	cr_assert_eq(number(rom, 0xd8, 8), 0x5000);
	cr_assert_eq(number(rom, 0xe2, 2), 0x08, "cs");
	cr_assert_eq(number(rom, 0xe4, 2), 0x10, "ss");
	cr_assert_eq(number(rom, 0xec, 2), 0x18, "tr");
	cr_assert_eq(number(rom, 0xf0, 4), 0xffff0161, "the assembler's");
	cr_assert_eq(number(rom, 0xf4, 2), 0x08);
	cr_assert_eq(memcmp(rom, image, STATE), 0, "code stays");
}

Test(state_rom, sets_every_mtrr_and_switches_them_on_last)
{
	const Register registers[] = {
		{ .id = REGISTER_MTRR_DEF_TYPE, .low = 0xc00 },
		{ .id = REGISTER_MTRR_PHYS_BASE0, .low = 6 },
		{ .id = REGISTER_MTRR_PHYS_MASK0, .low = 0x3ffff0000800 },
		{ .id = REGISTER_MTRR_FIX4K_F8000, .low = 5 },
		{ .id = REGISTER_PAT, .low = 0x0007040600070406 },
	};
	const uint8_t *rom = filled(registers, ARRAY_COUNT(registers), 0);
	size_t place, count = (size_t)number(rom, 8, 4);

	cr_assert_eq(count, 11u + 16 + 1 + 1);
	cr_assert_eq(msr(rom, 0x200, &place), 6);
	cr_assert_eq(msr(rom, 0x201, &place), 0x3ffff0000800);
	cr_assert_eq(msr(rom, 0x20e, &place), 0);
	cr_assert_eq(msr(rom, 0x20f, &place), 0);
	cr_assert_eq(msr(rom, 0x26f, &place), 5);
	cr_assert_eq(msr(rom, 0x277, &place), 0x0007040600070406);
	cr_assert_eq(msr(rom, 0x2ff, &place), 0xc00);
	cr_assert_eq(place, count - 1);
}

Test(state_rom, leaves_pat_alone_where_the_plan_is_silent)
{
	const uint8_t *rom = filled(NULL, 0, 0);

	cr_assert_eq(number(rom, 8, 4), 11u + 16 + 1);
	for (size_t i = 0; i < 28; i++)
		cr_assert_neq(number(rom, 0x100 + 16 * i, 4), 0x277);
}

Test(state_rom, refuses_images_of_others)
{
	const StateRomInputs in = { .arch = GUEST_ARCH_X86_64 };
	Bytes out = { 0 };
	Error err = { 0 };

	cr_assert_not(state_rom_fill(&in, (Bytes){ image, SIZE - 1 }, arena, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0011);
	cr_assert_not_null(strstr(err.text, "65535 bytes"), "%s", err.text);

	image[STATE] = 'Q';
	cr_assert_not(state_rom_fill(&in, (Bytes){ image, SIZE }, arena, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0011);
	cr_assert_not_null(strstr(err.text, "PVWX8601"), "%s", err.text);
	cr_assert_null(out.data);
}
