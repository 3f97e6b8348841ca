/*
 * QEMU's board for aarch64: RAM from 1 GiB on in one piece, whatever of it the guest is told of.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "agent/boot_guest.h"
#include "proto/worker.pb-c.h"
#include "support/diagnostics.h"

#define GIB UINT64_C(0x40000000)
#define MIB UINT64_C(0x100000)

static Arena *arena;

static void setup(void)
{
	arena = arena_new((size_t)64 * 1024 * 1024);
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(qemu_arm64, .init = setup, .fini = teardown);

static BootRequest request_of(uint32_t vps, uint64_t memory)
{
	return (BootRequest){ .arch = GUEST_ARCH_AARCH64,
		.vps = vps,
		.nodes = 1,
		.memory = memory,
		.layout_version = 2,
		.address_bits = 44,
		.hardware = LINUX_HARDWARE_DEVICE_TREE };
}

static BootGuest described(const BootRequest *request)
{
	BootGuest guest = { 0 };
	Error err = { 0 };

	cr_assert(boot_guest_describe(request, arena, &guest, &err), "%s", err.text);
	return guest;
}

Test(qemu_arm64, has_ram_from_1_gib_on)
{
	const BootRequest request = request_of(2, 512 * MIB);
	const BootGuest guest = described(&request);

	cr_assert_eq(guest.qemu.memory_size, 512 * MIB);
	cr_assert_eq(guest.qemu.window_count, 1u);
	cr_assert_eq(guest.qemu.windows[0].gpa, GIB);
	cr_assert_eq(guest.qemu.windows[0].len, 512 * MIB);
	cr_assert_eq(guest.qemu.windows[0].offset, 0u);
	cr_assert_eq(guest.qemu.covered.start, GIB);
	cr_assert_eq(guest.qemu.covered.end, GIB + MIB);
}

/* The device space is a hole in what the guest is told, not in the board's RAM. */
Test(qemu_arm64, goes_on_behind_the_device_space)
{
	const BootRequest request = request_of(1, 4 * GIB);
	const BootGuest guest = described(&request);
	const MachineWindow *last = &guest.qemu.windows[guest.qemu.window_count - 1];

	cr_assert_eq(guest.qemu.window_count, 2u);
	cr_assert_eq(last->gpa, 4 * GIB);
	cr_assert_eq(last->offset, 3 * GIB);
	cr_assert_eq(guest.qemu.memory_size, last->offset + last->len);
	cr_assert_eq(guest.qemu.windows[0].len + last->len, 4 * GIB);
}

Test(qemu_arm64, pins_board_and_processor)
{
	const BootRequest request = request_of(2, 512 * MIB);
	const BootGuest guest = described(&request);
	const QemuFiles files = { .memory = "m", .rom = "r" };
	const char *const *command;
	Error err = { 0 };
	size_t found = 0;

	cr_assert(qemu_command(&guest.qemu, &files, arena, &command, &err), "%s", err.text);

	cr_assert_str_eq(command[0], "qemu-system-aarch64");
	for (size_t i = 0; command[i]; i++) {
		found += strcmp(command[i], "virt,gic-version=3,memory-backend=ram") == 0;
		found += strcmp(command[i], "cortex-a72") == 0;
		found += strcmp(command[i], "tcg,thread=multi") == 0;
		cr_assert_str_neq(command[i], "-kernel");
		cr_assert_str_neq(command[i], "-dtb");
	}
	cr_assert_eq(found, 3u);
}

/* Our topology counts affinities on, QEMU begins another cluster after 16. */
Test(qemu_arm64, refuses_affinities_that_it_does_not_have)
{
	const BootRequest request = request_of(17, 512 * MIB);
	BootGuest guest;
	Error err = { 0 };

	cr_assert_not(boot_guest_describe(&request, arena, &guest, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0009);
	cr_assert_not_null(strstr(err.text, "processor 16 has affinity 0x10, expected 0x100"),
		"%s", err.text);
}

/* Settings, as the worker gets them, tell of the board's devices. */
Test(qemu_arm64, tells_of_devices_where_the_board_has_them)
{
	BootRequest request = request_of(1, 512 * MIB);

	request.hardware = LINUX_HARDWARE_ACPI;

	const BootGuest guest = described(&request);
	Pvw__V1__DevicePlatformSettings *settings = pvw__v1__device_platform_settings__unpack(
		NULL, guest.fixture.settings.len, guest.fixture.settings.data);

	cr_assert_not_null(settings);
	cr_assert(settings->chipset->com1);
	cr_assert_eq(
		settings->linux_direct->hardware, PVW__V1__LINUX_HARDWARE__LINUX_HARDWARE_ACPI);

	const Pvw__V1__ArmMachine *arm = settings->linux_direct->arm;

	cr_assert_eq(arm->gic->distributor, 0x08000000u);
	cr_assert_eq(arm->gic->redistributors, 0x080a0000u);
	cr_assert_eq(arm->com1->address, 0x09000000u);
	cr_assert_eq(arm->com1->intid, 33u);
	cr_assert_eq(arm->timers->virt, 27u);
	cr_assert_eq(arm->psci, PVW__V1__PSCI_CONDUIT__PSCI_HVC);
	cr_assert(arm->no_hypervisor);
	pvw__v1__device_platform_settings__free_unpacked(settings, NULL);
}
