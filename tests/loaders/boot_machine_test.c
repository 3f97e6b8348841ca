#include "loaders/boot_machine.h"

#include <criterion/criterion.h>
#include <string.h>

#define GIB UINT64_C(0x40000000)

static LayoutRecord records[] = {
	{ .kind = LAYOUT_RAM, .range = { 0, 2 * GIB }, .vnode = 0, .tag = "ram" },
	{ .kind = LAYOUT_RAM, .range = { 2 * GIB, 3 * GIB }, .vnode = 7, .tag = "ram" },
	{ .kind = LAYOUT_MMIO, .range = { 0xf8000000, FOUR_GIB }, .tag = "chipset-low" },
};
static const ProcessorTopology topology;
static BootInfo info;
static PlatformSettings settings;
static ChipsetMmioRanges mmio;
static Vtl0Layout layout;
static BootInputs in;
static Arena *arena;
static Diagnostics findings;

static void begin(void)
{
	Error err;

	arena = arena_new(1 << 20);
	cr_assert(diagnostics_init(&findings, 8, arena, &err));
	mmio = (ChipsetMmioRanges){ .low = { 0xf8000000, FOUR_GIB },
		.high = { 63 * GIB, 64 * GIB } };
	layout.vtl0 = (MemoryLayout){ .records = { records, 3 }, .ram = { records, 2 } };
	in = (BootInputs){ .info = &info,
		.mmio = &mmio,
		.layout = &layout,
		.topology = &topology,
		.settings = &settings,
		.physical_address_bits = 46 };
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(boot_machine, .init = begin, .fini = end);

Test(boot_machine, tells_acpi_of_memory_windows_and_psp)
{
	AcpiInputs acpi;
	Error err;

	settings.chipset.psp = true;
	cr_assert(boot_machine_acpi(&in, ACPI_PROFILE_REFERENCE, arena, &acpi, &err));

	cr_assert_eq(acpi.profile, ACPI_PROFILE_REFERENCE);
	cr_assert_eq(acpi.topology, &topology);
	cr_assert(memory_range_equal(acpi.mmio_low, mmio.low));
	cr_assert(memory_range_equal(acpi.mmio_high, mmio.high));
	cr_assert(acpi.with_psp);
	cr_assert_eq(acpi.ram.count, 2);
	cr_assert_eq(acpi.ram.items[1].range.start, 2 * GIB);
	cr_assert_eq(acpi.ram.items[1].vnode, 7);
}

Test(boot_machine, leaves_the_rest_to_the_boot_path)
{
	AcpiInputs acpi;
	Error err;

	memset(&acpi, 0xa5, sizeof(acpi));
	cr_assert(boot_machine_acpi(&in, ACPI_PROFILE_DEFAULT, arena, &acpi, &err));

	cr_assert_not(acpi.with_ioapic || acpi.with_rtc || acpi.with_vmbus);
	cr_assert_eq(acpi.uart_count, 0);
	cr_assert_eq(acpi.pm_base, 0);
	cr_assert_null(acpi.identity);
}

/* The first port of each role; a port that is not there has none. */
Test(boot_machine, tells_acpi_of_consoles_and_debug_ports)
{
	static const struct {
		ChipsetSettings chipset;
		uint64_t console, debug_port; /* 0: none */
	} rows[] = {
		{ .chipset = { .com1_debugger = true } },
		{ .chipset = { .com1 = true }, .console = 0x3f8 },
		{ .chipset = { .com2 = true }, .console = 0x2f8 },
		{ .chipset = { .com1 = true, .com2 = true }, .console = 0x3f8 },
		{ .chipset = { .com1 = true, .com2 = true, .com1_debugger = true },
			.console = 0x2f8,
			.debug_port = 0x3f8 },
		{ .chipset = { .com2 = true, .com2_debugger = true }, .debug_port = 0x2f8 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		AcpiInputs acpi;
		Error err;

		settings.chipset = rows[i].chipset;
		cr_assert(boot_machine_acpi(&in, ACPI_PROFILE_DEFAULT, arena, &acpi, &err));
		cr_assert_eq(acpi.console.base, rows[i].console, "%zu", i);
		cr_assert_eq(acpi.debug_port.base, rows[i].debug_port, "%zu", i);
		cr_assert(boot_machine_acpi(&in, ACPI_PROFILE_REFERENCE, arena, &acpi, &err));
		cr_assert_eq(acpi.console.kind, ACPI_PORT_NONE);
		cr_assert_eq(acpi.debug_port.kind, ACPI_PORT_NONE);
	}
}

Test(boot_machine, tells_acpi_what_firmware_would)
{
	AcpiInputs acpi;
	Error err;

	settings.uefi.hibernation = true;
	cr_assert(boot_machine_acpi(&in, ACPI_PROFILE_DEFAULT, arena, &acpi, &err));
	cr_assert(acpi.with_facs && acpi.with_waet && acpi.with_hibernation);
	cr_assert(boot_machine_acpi(&in, ACPI_PROFILE_REFERENCE, arena, &acpi, &err));
	cr_assert_not(acpi.with_facs || acpi.with_waet || acpi.with_hibernation);
	settings.uefi.hibernation = false;
	cr_assert(boot_machine_acpi(&in, ACPI_PROFILE_DEFAULT, arena, &acpi, &err));
	cr_assert_not(acpi.with_hibernation);
}

Test(boot_machine, tells_acpi_of_pl011s_on_aarch64)
{
	static const ProcessorTopology arm = { .arch = GUEST_ARCH_AARCH64 };
	AcpiInputs acpi;
	Error err;

	in.topology = &arm;
	settings.chipset.com2 = settings.uefi.hibernation = true;
	cr_assert(boot_machine_acpi(&in, ACPI_PROFILE_DEFAULT, arena, &acpi, &err));
	cr_assert_eq(acpi.console.kind, ACPI_PORT_PL011);
	cr_assert_eq(acpi.console.base, 0xeffeb000);
	cr_assert_eq(acpi.console.interrupt, 34);
	cr_assert_not(acpi.with_facs || acpi.with_waet || acpi.with_hibernation);
}

Test(boot_machine, adds_the_pairs_of_the_policy_asked_for)
{
	static const struct {
		MtrrPolicy policy;
		uint64_t values[4]; /* the first two pairs; 0: there is one only */
	} rows[] = {
		{ MTRR_POLICY_HYPERV, { 0x6, 0x3ffff8000800, 0x8000006, 0x3fff00000800 } },
		{ MTRR_POLICY_EXACT, { 0x6, 0x3fff80000800, 0x80000006, 0x3fffc0000800 } },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const PlanPolicy policy = { .mtrr = rows[i].policy };
		BootPlanBuilder *plan;
		BootPlan out;
		Error err;

		cr_assert(boot_plan_begin(BOOT_LINUX, policy, arena, &plan, &err));
		cr_assert(boot_machine_add_mtrrs(
				  &in, rows[i].policy, arena, plan, &findings, &err),
			"%s", err.text);
		cr_assert(boot_plan_finish(plan, layout.vtl0.ram, &out, &err), "%s", err.text);
		cr_assert_eq(out.registers.count, 4);
		for (size_t k = 0; k < 4; k++)
			cr_assert_eq(out.registers.items[k].low, rows[i].values[k], "%zu", k);
	}
}

/* RAM ends, and the windows begin, where no pair can: the low window is kept, the high is not. */
Test(boot_machine, tells_which_devices_gave_way)
{
	static const LayoutRecord crooked[] = {
		{ .kind = LAYOUT_RAM, .range = { 0, 0xf8000000 } },
		{ .kind = LAYOUT_MMIO, .range = { 0xf8000000, FOUR_GIB } },
		{ .kind = LAYOUT_RAM, .range = { FOUR_GIB, 0x7f55555000 } },
		{ .kind = LAYOUT_MMIO, .range = { 0x7f55555000, 0x7f75555000 } },
	};
	BootPlanBuilder *plan;
	BootPlan out;
	Error err;

	layout.vtl0.records = (LayoutRecordList){ crooked, 4 };
	layout.vtl0.end_of_ram = 0x7f55555000;
	mmio.high = crooked[3].range;
	cr_assert(boot_plan_begin(BOOT_LINUX, (PlanPolicy){ 0 }, arena, &plan, &err));
	cr_assert_not(
		boot_machine_add_mtrrs(&in, MTRR_POLICY_EXACT, arena, plan, &findings, &err));
	cr_assert_eq(err.diagnostic, PVW_MTRR_0003);
	cr_assert_eq(findings.count, 0);

	cr_assert(boot_machine_add_mtrrs(
			  &in, MTRR_POLICY_BEST_EFFORT, arena, plan, &findings, &err),
		"%s", err.text);
	cr_assert(boot_plan_finish(plan, (LayoutRecordList){ crooked, 1 }, &out, &err), "%s",
		err.text);
	cr_assert_leq(out.registers.count, 2 * MTRR_DEFAULT_BUDGET);
	cr_assert_eq(findings.count, 1);
	cr_assert_eq(findings.items[0].what.diagnostic, PVW_MTRR_0006);
	cr_assert_not_null(strstr(findings.items[0].what.text, "chipset-high 0x7f55555000"),
		"%s", findings.items[0].what.text);
}

Test(boot_machine, says_that_mtrrs_failed)
{
	BootPlanBuilder *plan;
	Error err;

	mmio.low = MEMORY_RANGE_EMPTY;
	cr_assert(boot_plan_begin(BOOT_LINUX, (PlanPolicy){ 0 }, arena, &plan, &err));
	cr_assert_not(
		boot_machine_add_mtrrs(&in, MTRR_POLICY_HYPERV, arena, plan, &findings, &err));

	cr_assert_eq(err.diagnostic, PVW_MTRR_0004);
	cr_assert_eq(strncmp(err.text, "mtrrs: ", 7), 0);
}

Test(boot_machine, needs_room)
{
	Arena *small = arena_new(8);
	AcpiInputs acpi = { .uart_count = 77 };
	Error err;

	cr_assert_not(boot_machine_acpi(&in, ACPI_PROFILE_DEFAULT, small, &acpi, &err));

	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	cr_assert_eq(acpi.uart_count, 77);
	arena_free(small);
}
