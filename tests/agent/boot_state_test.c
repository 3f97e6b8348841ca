/*
 * What is said instead of a triple fault: state, page tables and descriptors of x86-64.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <string.h>
#include <unistd.h>

#include "agent/boot_state.h"
#include "agent/state_rom.h"
#include "loaders/linux_format.h"
#include "support/diagnostics.h"

#define SIZE UINT64_C(0x200000)
#define GDT UINT64_C(0x1000)
#define ZERO_PAGE UINT64_C(0x2000)
#define LINE UINT64_C(0x3000)
#define TABLES                                                                                 \
	UINT64_C(0x4000) /* PML4, PDPT, a directory each for the first and the last GiB */
#define ENTRY UINT64_C(0x100200)

typedef struct Guest {
	Machine machine;
	Register registers[16];
	size_t count;
} Guest;

static void put(const Machine *machine, uint64_t gpa, const void *data, size_t len)
{
	cr_assert_eq(pwrite(machine->memory_fd, data, len, (off_t)gpa), (ssize_t)len);
}

static void put_u64(const Machine *machine, uint64_t gpa, uint64_t value)
{
	put(machine, gpa, &value, sizeof(value));
}

/* [SDM3] 4.5: present, writable; large where the entry ends a walk */
static void put_tables(const Machine *machine)
{
	put_u64(machine, TABLES, (TABLES + 0x1000) | 3);
	put_u64(machine, TABLES + 0x1000, (TABLES + 0x2000) | 3);
	put_u64(machine, TABLES + 0x1018, (TABLES + 0x3000) | 3);
	put_u64(machine, TABLES + 0x2000, 0x83);
	put_u64(machine, TABLES + 0x3ff8, 0xffe00083);
}

static void say(Guest *guest, Register value)
{
	guest->registers[guest->count++] = value;
}

static Guest guest_new(void)
{
	static const RegisterId data[] = { REGISTER_DS, REGISTER_ES, REGISTER_SS };
	Guest guest = { .machine = MACHINE_NONE };
	LinuxBootParams params = { .header.cmd_line_ptr = LINE };
	Error err = { 0 };

	cr_assert(machine_make_memory(&guest.machine, NULL, &err), "%s", err.text);
	cr_assert(machine_size_memory(&guest.machine, SIZE, &err), "%s", err.text);
	put_u64(&guest.machine, GDT + 8, 0x00af9b000000ffff);
	put_u64(&guest.machine, GDT + 16, 0x00cf93000000ffff);
	put(&guest.machine, ZERO_PAGE, &params, sizeof(params));
	put_tables(&guest.machine);
	say(&guest, (Register){ .id = REGISTER_CR0, .low = 0x80000001 });
	say(&guest, (Register){ .id = REGISTER_CR3, .low = TABLES });
	say(&guest, (Register){ .id = REGISTER_CR4, .low = 0x20 });
	say(&guest, (Register){ .id = REGISTER_EFER, .low = 0x500 });
	say(&guest, (Register){ .id = REGISTER_RIP, .low = ENTRY });
	say(&guest, (Register){ .id = REGISTER_RSI, .low = ZERO_PAGE });
	say(&guest, register_table(REGISTER_GDTR, GDT, 31));
	say(&guest, register_segment(REGISTER_CS, 0, 0xffffffff, 0x08, 0xa09b));
	for (size_t i = 0; i < ARRAY_COUNT(data); i++)
		say(&guest, register_segment(data[i], 0, 0xffffffff, 0x10, 0xc093));
	return guest;
}

static bool check(const Guest *guest, Error *err)
{
	return boot_state_check(GUEST_ARCH_X86_64,
		(RegisterList){ guest->registers, guest->count }, &guest->machine, err);
}

static void refused(Guest *guest, const char *words)
{
	Error err = { 0 };

	cr_assert_not(check(guest, &err), "%s", words);
	cr_assert_eq(err.diagnostic, PVW_AGENT_0010, "%s", err.text);
	cr_assert_not_null(strstr(err.text, words), "%s", err.text);
	machine_close(&guest->machine);
}

Test(boot_state, accepts_long_mode_with_an_identity_map)
{
	Guest guest = guest_new();
	Error err = { 0 };

	cr_assert(check(&guest, &err), "%s", err.text);
	machine_close(&guest.machine);
}

Test(boot_state, follows_tables_of_small_pages)
{
	Guest guest = guest_new();
	Error err = { 0 };

	/* the first 2 MiB in pages of 4 KiB */
	put_u64(&guest.machine, TABLES + 0x2000, 0x10003);
	for (uint64_t page = 0; page < 512; page++)
		put_u64(&guest.machine, 0x10000 + page * 8, page << 12 | 3);

	cr_assert(check(&guest, &err), "%s", err.text);
	put_u64(&guest.machine, 0x10000 + (LINE >> 12) * 8, 0x8003);
	refused(&guest, "the command line: page tables lead from 0x3000 to 0x8000");
}

typedef struct BadRegister {
	RegisterId id;
	uint64_t value;
	char words[64];
} BadRegister;

ParameterizedTestParameters(boot_state, refuses_registers_that_would_fault)
{
	static BadRegister rows[] = {
		{ REGISTER_CR0, 0x80000000, "Cr0 0x80000000" },
		{ REGISTER_CR0, 0x00000001, "paging" },
		{ REGISTER_CR4, 0, "physical address extension" },
		{ REGISTER_EFER, 0x401, "long mode" },
		{ REGISTER_RIP, 0x200000, "the entry: no page for 0x200000" },
		{ REGISTER_RSI, 0x80000000, "the zero page: no page for 0x80000000" },
		{ REGISTER_CR3, 0x10000, "the rom: no page for 0xffff0000" },
	};

	return cr_make_param_array(BadRegister, rows, ARRAY_COUNT(rows));
}

ParameterizedTest(BadRegister *row, boot_state, refuses_registers_that_would_fault)
{
	Guest guest = guest_new();

	say(&guest, (Register){ .id = row->id, .low = row->value });
	refused(&guest, row->words);
}

Test(boot_state, refuses_a_rom_that_is_mapped_elsewhere)
{
	Guest guest = guest_new();

	put_u64(&guest.machine, TABLES + 0x3ff8, 0x83);
	refused(&guest, "the rom: page tables lead from 0xffff0000 to 0x1f0000");
}

Test(boot_state, refuses_a_command_line_that_is_not_mapped)
{
	Guest guest = guest_new();
	LinuxBootParams params = { .header.cmd_line_ptr = LINE, .ext_cmd_line_ptr = 1 };

	put(&guest.machine, ZERO_PAGE, &params, sizeof(params));
	refused(&guest, "the command line: no page for 0x100003000");
}

Test(boot_state, refuses_segments_that_descriptors_do_not_give)
{
	Guest guest = guest_new();

	say(&guest, register_segment(REGISTER_DS, 0, 0xffffffff, 0x10, 0xc092));
	refused(&guest, "Ds: descriptor 0x10 has base 0x0 and attributes 0xc093");

	guest = guest_new();
	say(&guest, register_segment(REGISTER_SS, 0x1000, 0xffffffff, 0x10, 0xc093));
	refused(&guest, "expected 0x1000 and 0xc093");

	guest = guest_new();
	say(&guest, register_segment(REGISTER_ES, 0, 0xffffffff, 0x20, 0xc093));
	refused(&guest, "Es has selector 0x20");

	guest = guest_new();
	say(&guest, register_segment(REGISTER_ES, 0, 0xffffffff, 0x14, 0xc093));
	refused(&guest, "Es has selector 0x14");

	guest = guest_new();
	put_u64(&guest.machine, GDT + 8, 0x00cf9b000000ffff);
	say(&guest, register_segment(REGISTER_CS, 0, 0xffffffff, 0x08, 0xc09b));
	refused(&guest, "Cs has attributes 0xc09b, expected 64-bit code");
}

Test(boot_state, needs_memory_where_tables_are)
{
	Guest guest = guest_new();
	Error err = { 0 };

	say(&guest, (Register){ .id = REGISTER_CR3, .low = SIZE });

	cr_assert_not(check(&guest, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0001);
	cr_assert_not_null(strstr(err.text, "page tables"), "%s", err.text);
	machine_close(&guest.machine);
}

Test(boot_state, takes_the_registers_of_all_sets)
{
	Pvw__V1__Register values[] = { PVW__V1__REGISTER__INIT, PVW__V1__REGISTER__INIT };
	Pvw__V1__Register *first[] = { &values[0] }, *second[] = { &values[1] };
	Pvw__V1__RegisterSet sets[] = { PVW__V1__REGISTER_SET__INIT,
		PVW__V1__REGISTER_SET__INIT };
	Pvw__V1__RegisterSet *list[] = { &sets[0], &sets[1] };
	Pvw__V1__PlanResponse plan = PVW__V1__PLAN_RESPONSE__INIT;
	Arena *arena = arena_new(1 << 16);
	RegisterList out;
	Error err = { 0 };

	values[0].id = register_row(REGISTER_PAT)->hypervisor;
	values[0].low = 7;
	values[1].id = register_row(REGISTER_RIP)->hypervisor;
	values[1].low = ENTRY;
	sets[0].registers = first;
	sets[1].registers = second;
	sets[0].n_registers = sets[1].n_registers = 1;
	plan.registers = list;
	plan.n_registers = 2;

	cr_assert(boot_state_take(&plan, GUEST_ARCH_X86_64, arena, &out, &err), "%s", err.text);
	cr_assert_eq(out.count, 2);
	cr_assert_eq(boot_state_value(out, REGISTER_PAT), 7);
	cr_assert_eq(boot_state_value(out, REGISTER_RIP), ENTRY);
	cr_assert_null(boot_state_find(out, REGISTER_RSI));

	values[1].id = 0x12345;
	cr_assert_not(boot_state_take(&plan, GUEST_ARCH_X86_64, arena, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0006);
	cr_assert_not_null(strstr(err.text, "0x12345"), "%s", err.text);
	arena_free(arena);
}
