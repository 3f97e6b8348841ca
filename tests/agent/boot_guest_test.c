/*
 * From a few words to a guest that one of QEMU's boards for x86-64 can be.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "agent/boot_guest.h"
#include "bootinfo/boot_info_parse.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)

static Arena *arena;

static void setup(void)
{
	arena = arena_new((size_t)64 << 20);
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(boot_guest, .init = setup, .fini = teardown);

static BootRequest request_of(uint64_t memory, uint32_t vps, uint32_t nodes)
{
	return (BootRequest){ .arch = GUEST_ARCH_X86_64,
		.vps = vps,
		.nodes = nodes,
		.memory = memory,
		.layout_version = 2,
		.address_bits = 46 };
}

static BootGuest described(BootRequest request)
{
	BootGuest guest;
	Error err = { 0 };

	cr_assert(boot_guest_describe(&request, arena, &guest, &err), "%s", err.text);
	return guest;
}

static void refused(BootRequest request, int diagnostic, const char *words)
{
	BootGuest guest;
	Error err = { 0 };

	cr_assert_not(boot_guest_describe(&request, arena, &guest, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert_not_null(strstr(err.text, words), "%s", err.text);
}

static const char *const *command_of(const QemuMachine *machine)
{
	const QemuFiles files = { .memory = "ram.img", .rom = "rom.bin" };
	const char *const *command;
	Error err = { 0 };

	cr_assert(qemu_command(machine, &files, arena, &command, &err), "%s", err.text);
	return command;
}

static void has_words(const char *const *command, const char *option, const char *value)
{
	for (size_t i = 0; command[i]; i++) {
		if (strcmp(command[i], option) == 0 && strcmp(command[i + 1], value) == 0)
			return;
	}
	cr_assert_fail("no %s %s", option, value);
}

Test(boot_guest, has_all_memory_in_one_piece_if_it_can)
{
	const BootGuest guest = described(request_of(256 * MIB, 1, 1));
	const char *const *command = command_of(&guest.qemu);

	cr_assert_eq(guest.qemu.memory_size, 256 * MIB);
	cr_assert_eq(guest.qemu.window_count, 1);
	cr_assert_eq(guest.qemu.windows[0].len, 256 * MIB);
	has_words(command, "-machine", "q35,memory-backend=ram,max-ram-below-4g=0x10000000");
	has_words(command, "-accel", "tcg,thread=multi");
	has_words(command, "-m", "268435456B");
	has_words(command, "-smp", "1");
	has_words(command, "-bios", "rom.bin");
	cr_assert_str_eq(command[0], "qemu-system-x86_64");
}

Test(boot_guest, takes_the_old_board_for_what_the_new_one_cannot_have)
{
	BootRequest request = request_of(5 * GIB, 2, 1);
	BootGuest guest;

	request.device_space = 128 * MIB;
	guest = described(request);
	cr_assert_str_eq(guest.qemu.board, "pc-i440fx-1.7");
	cr_assert_eq(guest.qemu.split, 0xf8000000);
	cr_assert_eq(guest.qemu.window_count, 2);
	cr_assert_eq(guest.qemu.windows[1].gpa, 4 * GIB);
	cr_assert_eq(guest.qemu.windows[1].offset, 0xf8000000);
	cr_assert_eq(guest.qemu.windows[1].len, 5 * GIB - 0xf8000000);
	cr_assert_eq(guest.qemu.memory_size, 5 * GIB);

	request.device_space = 2 * GIB;
	guest = described(request);
	cr_assert_str_eq(guest.qemu.board, "q35");
	cr_assert_eq(guest.qemu.split, 2 * GIB);
}

Test(boot_guest, joins_the_memory_of_nodes_that_touch)
{
	const BootGuest guest = described(request_of(1000 * MIB, 4, 3));

	cr_assert_eq(guest.layout.ram.count, 3);
	cr_assert_eq(guest.layout.ram.items[0].range.end, 332 * MIB);
	cr_assert_eq(guest.layout.ram.items[2].range.end, 1000 * MIB);
	cr_assert_eq(guest.qemu.window_count, 1);
	cr_assert_eq(guest.topology.vps[3].vnode, 2);
}

Test(boot_guest, tells_the_worker_of_the_machine)
{
	BootRequest request = request_of(512 * MIB, 3, 1);
	BootGuest guest;
	BootInfo info;
	Error err = { 0 };

	request.mtrr = MTRR_POLICY_HYPERV;
	guest = described(request);

	cr_assert_eq(guest.fixture.host_caps.physical_address_bits, 46);
	cr_assert_eq(guest.fixture.host_caps.vps.count, 3);
	cr_assert_eq(guest.fixture.host_caps.vps.items[2].id, 2);
	cr_assert_eq(guest.fixture.options.mtrr, MTRR_POLICY_HYPERV);
	cr_assert_eq(guest.fixture.options.layout_version, 2);
	cr_assert(
		boot_info_parse(GUEST_ARCH_X86_64, guest.fixture.boot_tree, arena, &info, &err),
		"%s", err.text);
	cr_assert_eq(info.cpus.count, 3);
	cr_assert_not_null(strstr(guest.description, "\"pit\": true"));
}

Test(boot_guest, refuses_memory_that_is_none)
{
	refused(request_of(0, 1, 1), PVW_AGENT_0016, "0x0 bytes");
	refused(request_of(256 * MIB + 4096, 1, 1), PVW_AGENT_0016, "whole MiB");
	refused(request_of(4 * MIB, 4, 3), PVW_AGENT_0016, "3 nodes");
}

Test(boot_guest, says_what_the_layout_says)
{
	BootRequest request = request_of(256 * MIB, 1, 1);

	request.device_space = 3 * MIB;
	refused(request, PVW_RESOLVE_0014, "");
	request = request_of(UINT64_C(1) << 40, 1, 1);
	request.address_bits = 36;
	refused(request, PVW_RESOLVE_0008, "36");
}

Test(boot_guest, refuses_processors_that_qemu_numbers_otherwise)
{
	BootGuest guest = described(request_of(256 * MIB, 2, 1));
	const VirtualProcessor vps[] = { { .apic_id = 0 }, { .apic_id = 2 } };
	QemuMachine machine = { 0 };
	Error err = { 0 };

	guest.topology.vps = vps;
	cr_assert_not(qemu_machine_find(&guest.layout, &guest.topology, 46, &machine, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0009);
	cr_assert_not_null(strstr(err.text, "apic id 2"), "%s", err.text);
	cr_assert_null(machine.board);
}

Test(boot_guest, refuses_memory_that_no_board_has)
{
	BootGuest guest = described(request_of(256 * MIB, 1, 1));
	NodeRange ram[] = { { { 0, 0xff000000 }, 0 }, { { 4 * GIB, 5 * GIB }, 0 } };
	QemuMachine machine;
	Error err = { 0 };

	guest.layout.ram = (NodeRangeList){ ram, 2 };
	cr_assert_not(qemu_machine_find(&guest.layout, &guest.topology, 46, &machine, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0009);
	cr_assert_not_null(strstr(err.text, "0xff000000"), "%s", err.text);

	guest.layout.ram = (NodeRangeList){ ram + 1, 1 };
	cr_assert_not(qemu_machine_find(&guest.layout, &guest.topology, 46, &machine, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0009);
}
