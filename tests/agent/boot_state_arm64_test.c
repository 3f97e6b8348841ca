/*
 * What is said before a kernel of aarch64 would say nothing.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <string.h>
#include <unistd.h>

#include "agent/boot_state.h"
#include "support/diagnostics.h"

#define ENTRY 0x2000u
#define TREE 0x5000u
#define SIZE UINT64_C(0x100000)

typedef struct Guest {
	Machine machine;
	Register registers[4];
} Guest;

static void put(const Machine *machine, uint64_t gpa, const void *data, size_t len)
{
	cr_assert_eq(pwrite(machine->memory_fd, data, len, (off_t)gpa), (ssize_t)len);
}

static Guest guest_new(void)
{
	static const uint8_t tree[] = { 0xd0, 0x0d, 0xfe, 0xed, 0, 0, 0x10, 0 };
	Guest guest = { MACHINE_NONE,
		{
			{ .id = REGISTER_PC, .low = ENTRY },
			{ .id = REGISTER_CPSR, .low = 0x3c5 },
			{ .id = REGISTER_SCTLR_EL1, .low = 0x30d01804 },
			{ .id = REGISTER_X0, .low = TREE },
		} };
	Error err = { 0 };

	cr_assert(machine_make_memory(&guest.machine, NULL, &err), "%s", err.text);
	cr_assert(machine_size_memory(&guest.machine, SIZE, &err), "%s", err.text);
	put(&guest.machine, ENTRY, "MZ@\xfa", 4);
	put(&guest.machine, TREE, tree, sizeof(tree));
	return guest;
}

static bool check(const Guest *guest, Error *err)
{
	return boot_state_check(GUEST_ARCH_AARCH64,
		(RegisterList){ guest->registers, ARRAY_COUNT(guest->registers) },
		&guest->machine, err);
}

Test(boot_state_arm64, accepts_what_kernels_want)
{
	Guest guest = guest_new();
	Error err = { 0 };

	cr_assert(check(&guest, &err), "%s", err.text);
	machine_close(&guest.machine);
}

typedef struct BadRegister {
	size_t index;
	uint64_t value;
	int diagnostic;
	char words[40];
} BadRegister;

ParameterizedTestParameters(boot_state_arm64, refuses_what_would_be_silence)
{
	static BadRegister rows[] = {
		{ 1, 0x3c9, PVW_AGENT_0010, "el1" },        /* EL2h */
		{ 1, 0x3c4, PVW_AGENT_0010, "el1" },        /* EL1t */
		{ 1, 0x345, PVW_AGENT_0010, "interrupts" }, /* interrupts not masked */
		{ 2, 0x30d01805, PVW_AGENT_0010, "mmu" },
		{ 2, 0x32d01804, PVW_AGENT_0010, "little-endian" },
		{ 0, ENTRY + 2, PVW_AGENT_0010, "multiple of 4" },
		{ 0, 0x8000, PVW_AGENT_0010, "zeros at the entry" },
		{ 0, 2 * SIZE, PVW_AGENT_0001, "the entry" },
		{ 3, TREE + 4, PVW_AGENT_0010, "multiple of 8" },
		{ 3, ENTRY, PVW_AGENT_0010, "begins with 0x4d5a40fa" },
		{ 3, 2 * SIZE, PVW_AGENT_0001, "the device tree" },
	};

	return cr_make_param_array(BadRegister, rows, ARRAY_COUNT(rows));
}

ParameterizedTest(BadRegister *row, boot_state_arm64, refuses_what_would_be_silence)
{
	Guest guest = guest_new();
	Error err = { 0 };

	guest.registers[row->index].low = row->value;

	cr_assert_not(check(&guest, &err));
	cr_assert_eq(err.diagnostic, row->diagnostic);
	cr_assert_not_null(strstr(err.text, row->words), "%s", err.text);
	machine_close(&guest.machine);
}

Test(boot_state_arm64, refuses_trees_larger_than_kernels_take)
{
	Guest guest = guest_new();
	Error err = { 0 };

	put(&guest.machine, TREE + 4, "\0\x20\0\1", 4);

	cr_assert_not(check(&guest, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0010);
	cr_assert_not_null(strstr(err.text, "0x200001 bytes"), "%s", err.text);
	machine_close(&guest.machine);
}

Test(boot_state_arm64, refuses_trees_that_leave_memory)
{
	Guest guest = guest_new();
	Error err = { 0 };

	put(&guest.machine, TREE + 4, "\0\x10\0\0", 4);

	cr_assert_not(check(&guest, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0001);
	cr_assert_not_null(strstr(err.text, "the device tree's end"), "%s", err.text);
	machine_close(&guest.machine);
}
