#include <criterion/criterion.h>
#include <string.h>

#include "bootinfo/boot_info_check.h"

static const BootCpu cpus[] = { { 0, 0 }, { 1, 0 }, { 2, 1 } };
static const MapEntry map[] = {
	{ { 0, 0x10000 }, MEMORY_TYPE_VTL0, 0, 0 },
	{ { 0x10000, 0x18000 }, MEMORY_TYPE_VTL2_RAM, 3, 0 },
	{ { 0x18000, 0x19000 }, MEMORY_TYPE_VTL2_LOG_BUFFER, 3, 0 },
	{ { 0x19000, 0x20000 }, MEMORY_TYPE_VTL2_RAM, 3, 0 },
	{ { 0x20000, 0x21000 }, MEMORY_TYPE_VTL2_PERSISTED_HEADER, 3, 0 },
	{ { 0x21000, 0x22000 }, MEMORY_TYPE_VTL2_PERSISTED_PROTOBUF, 3, 0 },
	{ { 0x30000, 0x40000 }, MEMORY_TYPE_VTL2_RAM, 3, 1 },
};
static const NodeRange vtl2_ram[] = { { { 0x10000, 0x22000 }, 0 },
	{ { 0x30000, 0x40000 }, 1 } };

/* A guest with which nothing is wrong. */
static BootInfo good_info(void)
{
	return (BootInfo){
		.arch = GUEST_ARCH_X86_64,
		.has_openhcl = true,
		.cpus = { cpus, ARRAY_COUNT(cpus) },
		.map = { map, ARRAY_COUNT(map) },
		.vtl2_ram = { vtl2_ram, ARRAY_COUNT(vtl2_ram) },
		.log_buffer = { 0x18000, 0x19000 },
		.persisted_header = { 0x20000, 0x21000 },
		.persisted_protobuf = { 0x21000, 0x22000 },
	};
}

static void assert_refused(const BootInfo *info, uint16_t diagnostic, const char *word)
{
	Arena *arena = arena_new(1 << 20);
	Error err = { 0 };

	cr_assert_not(boot_info_validate(info, arena, NULL, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(strncmp(err.source, "dtb:/", 4), 0, "%s", err.source);
	arena_free(arena);
}

/* The findings of lint, which are one: this one. */
static void assert_warned(const BootInfo *info, uint16_t diagnostic, const char *word)
{
	Arena *arena = arena_new(1 << 20);
	Diagnostics found;
	Error err;

	cr_assert(boot_info_validate(info, arena, NULL, &err), "%s", err.text);
	cr_assert(diagnostics_init(&found, 8, arena, &err));
	boot_info_lint(info, arena, &found);

	cr_assert_eq(found.count, 1);
	cr_assert_eq(found.items[0].what.diagnostic, diagnostic);
	cr_assert_eq(found.items[0].severity, SEVERITY_WARNING);
	cr_assert_not_null(strstr(found.items[0].what.text, word));
	arena_free(arena);
}

Test(boot_info_check, finds_nothing_in_a_good_guest)
{
	Arena *arena = arena_new(1 << 20);
	const BootInfo info = good_info();
	Diagnostics found;
	Error err;

	cr_assert(boot_info_validate(&info, arena, NULL, &err), "%s", err.text);
	cr_assert(diagnostics_init(&found, 8, arena, &err));
	boot_info_lint(&info, arena, &found);
	cr_assert_eq(found.count, 0);
	arena_free(arena);
}

Test(boot_info_check, refuses_a_guest_without_processors)
{
	BootInfo info = good_info();

	info.cpus.count = 0;
	assert_refused(&info, PVW_BOOTINFO_0001, "no processor");
}

Test(boot_info_check, refuses_a_tree_without_openhcl)
{
	BootInfo info = good_info();

	info.has_openhcl = false;
	assert_refused(&info, PVW_BOOTINFO_0002, "openhcl");
}

Test(boot_info_check, refuses_empty_persisted_ranges)
{
	BootInfo info = good_info();

	info.persisted_header = MEMORY_RANGE_EMPTY;
	assert_refused(&info, PVW_BOOTINFO_0003, "persisted header");
	info = good_info();
	info.persisted_protobuf = MEMORY_RANGE_EMPTY;
	assert_refused(&info, PVW_BOOTINFO_0003, "persisted state");
}

Test(boot_info_check, refuses_more_than_the_capacities)
{
	BootInfo info = good_info();

	info.cpus.count = BOOT_INFO_MAX_CPUS + 1;
	assert_refused(&info, PVW_BOOTINFO_0004, "2049 processors, expected at most 2048");
	info = good_info();
	info.map.count = BOOT_INFO_MAX_RANGES + 1;
	assert_refused(&info, PVW_BOOTINFO_0004, "513 ranges of memory");
	info = good_info();
	info.mmio.count = BOOT_INFO_MAX_MMIO + 1;
	assert_refused(&info, PVW_BOOTINFO_0004, "65 MMIO");
	info = good_info();
	info.vtl2_ram.count = BOOT_INFO_MAX_VTL2_RAM + 1;
	assert_refused(&info, PVW_BOOTINFO_0004, "65 ranges of VTL2 RAM");
	info = good_info();
	info.accepted.count = BOOT_INFO_MAX_RANGES + 1;
	assert_refused(&info, PVW_BOOTINFO_0004, "accepted");
}

Test(boot_info_check, refuses_overlap_in_the_map)
{
	MapEntry entries[ARRAY_COUNT(map)];
	BootInfo info = good_info();

	memcpy(entries, map, sizeof(map));
	entries[0].range.end = 0x11000;
	info.map.items = entries;
	assert_refused(
		&info, PVW_BOOTINFO_0005, "VTL0 0x0-0x11000 overlaps VTL2 RAM 0x10000-0x18000");
}

Test(boot_info_check, sees_overlap_behind_a_shorter_neighbour)
{
	static const MapEntry entries[] = {
		{ { 0, 0x100000 }, MEMORY_TYPE_VTL0, 0, 0 },
		{ { 0x1000, 0x2000 }, MEMORY_TYPE_VTL0, 0, 0 },
	};
	static const MapEntry later[] = {
		{ { 0, 0x1000 }, MEMORY_TYPE_VTL0, 0, 0 },
		{ { 0x1000, 0x100000 }, MEMORY_TYPE_VTL0, 0, 0 },
		{ { 0x100000, 0x101000 }, MEMORY_TYPE_VTL0, 0, 0 },
		{ { 0x100000, 0x101000 }, MEMORY_TYPE_VTL0, 0, 0 },
	};
	BootInfo info = good_info();

	info.vtl2_ram.count = 0;
	info.map = (MapEntryList){ entries, 2 };
	assert_refused(&info, PVW_BOOTINFO_0005, "0x0-0x100000 overlaps");
	info.map = (MapEntryList){ later, 4 };
	assert_refused(&info, PVW_BOOTINFO_0005, "0x100000-0x101000 overlaps");
}

Test(boot_info_check, refuses_vtl2_ram_that_the_map_does_not_give)
{
	static const struct {
		MemoryRange ram;
		const char *word;
	} rows[] = {
		{ { 0x10000, 0x23000 }, "at 0x22000" }, /* a hole behind */
		{ { 0xf000, 0x12000 }, "at 0xf000" },   /* VTL0's */
		{ { 0x2f000, 0x40000 }, "at 0x2f000" }, /* a hole before */
		{ { 0x50000, 0x51000 }, "at 0x50000" }, /* behind everything */
		{ { 0x21000, 0x31000 }, "at 0x22000" }, /* a hole inside */
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const NodeRange ram = { rows[i].ram, 0 };
		BootInfo info = good_info();

		info.vtl2_ram = (NodeRangeList){ &ram, 1 };
		assert_refused(&info, PVW_BOOTINFO_0006, rows[i].word);
	}
}

Test(boot_info_check, takes_vtl2_ram_that_shares_an_entry)
{
	static const NodeRange ram[] = { { { 0x30000, 0x34000 }, 0 },
		{ { 0x34000, 0x40000 }, 0 } };
	Arena *arena = arena_new(1 << 20);
	BootInfo info = good_info();
	Error err;

	info.vtl2_ram = (NodeRangeList){ ram, 2 };

	cr_assert(boot_info_validate(&info, arena, NULL, &err), "%s", err.text);
	arena_free(arena);
}

Test(boot_info_check, refuses_two_processors_with_one_id)
{
	static const BootCpu same[] = { { 5, 0 }, { 1, 0 }, { 5, 0 } };
	static const BootCpu high[] = { { UINT64_C(0x100000001), 0 }, { 1, 0 } };
	BootInfo info = good_info();

	info.cpus = (CpuList){ same, 3 };
	assert_refused(&info, PVW_BOOTINFO_0007, "processors 0 and 2 both have reg 0x5");
	info.cpus = (CpuList){ high, 2 };
	assert_refused(&info, PVW_BOOTINFO_0007, "both have reg 0x1");
}

Test(boot_info_check, tells_processors_apart_by_affinity)
{
	static const BootCpu high[] = { { UINT64_C(0x100000000), 0 }, { 0, 0 } };
	static const BootCpu flags[] = { { UINT64_C(0x80000000), 0 }, { 0, 0 } };
	Arena *arena = arena_new(1 << 20);
	BootInfo info = good_info();
	Error err;

	info.arch = GUEST_ARCH_AARCH64;
	info.gic.present = true;
	info.cpus = (CpuList){ high, 2 };
	cr_assert(boot_info_validate(&info, arena, NULL, &err), "%s", err.text);
	info.cpus = (CpuList){ flags, 2 };
	assert_refused(&info, PVW_BOOTINFO_0007, "both");
	arena_free(arena);
}

Test(boot_info_check, refuses_the_interrupt_controller_of_another_architecture)
{
	BootInfo info = good_info();

	info.gic.present = true;
	assert_refused(&info, PVW_BOOTINFO_0008, "expected none on x86_64");
	info = good_info();
	info.arch = GUEST_ARCH_AARCH64;
	assert_refused(&info, PVW_BOOTINFO_0008, "expected a GIC on aarch64");
}

Test(boot_info_check, warns_when_another_processor_booted)
{
	BootInfo info = good_info();

	info.bsp_reg = 2;
	assert_warned(&info, PVW_BOOTINFO_0009, "booted on 0x2");
}

Test(boot_info_check, warns_without_a_log)
{
	BootInfo info = good_info();

	info.log_buffer = MEMORY_RANGE_EMPTY;
	assert_warned(&info, PVW_BOOTINFO_0010, "type 10");
}

Test(boot_info_check, warns_of_bad_times)
{
	BootInfo info = good_info();

	info.times.malformed = "reftime_boot_end";
	assert_warned(&info, PVW_BOOTINFO_0011, "reftime_boot_end");
}

Test(boot_info_check, lint_lists_all_and_validate_the_first)
{
	Arena *arena = arena_new(1 << 20);
	const BootInfo info = { .bsp_reg = 0 };
	Diagnostics found;
	Error err;

	cr_assert_not(boot_info_validate(&info, arena, NULL, &err));
	cr_assert_eq(err.diagnostic, PVW_BOOTINFO_0002);
	cr_assert(diagnostics_init(&found, 8, arena, &err));
	boot_info_lint(&info, arena, &found);

	cr_assert_eq(found.count, 3, "openhcl, processors, persisted state");
	cr_assert_eq(diagnostics_worst(&found), SEVERITY_ERROR);
	arena_free(arena);
}

Test(boot_info_check, tells_when_memory_is_short)
{
	Arena *arena = arena_new(8);
	const BootInfo info = good_info();
	Error err;

	cr_assert_not(boot_info_validate(&info, arena, NULL, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	arena_free(arena);
}

Test(boot_info_check, names_of_checks_are_unique_and_their_diagnostics_have_rows)
{
	const BootInfoCheckList checks = boot_info_checks();

	for (size_t i = 0; i < checks.count; i++) {
		cr_assert_eq(strncmp(diagnostic_row(checks.items[i].diagnostic)->name,
				     "PVW-BOOTINFO-", 13),
			0);
		for (size_t k = 0; k < i; k++)
			cr_assert_str_neq(checks.items[i].name, checks.items[k].name);
	}
}

Test(boot_info_check, names_types_and_isolation)
{
	cr_assert_str_eq(boot_info_memory_type_name(MEMORY_TYPE_VTL2_CONFIG), "VTL2 config");
	cr_assert_str_eq(boot_info_memory_type_name(MEMORY_TYPE_COUNT), "unknown");
	cr_assert_str_eq(boot_info_isolation_name(ISOLATION_TDX), "tdx");
	cr_assert_str_eq(boot_info_isolation_name(ISOLATION_COUNT), "unknown");
}

Test(boot_info_check, refuses_vtl2_ram_that_is_said_twice)
{
	static const NodeRange twice[] = { { { 0x10000, 0x20000 }, 0 },
		{ { 0x1f000, 0x22000 }, 0 } };
	BootInfo info = good_info();

	info.vtl2_ram = (NodeRangeList){ twice, ARRAY_COUNT(twice) };

	assert_refused(&info, PVW_BOOTINFO_0014, "0x1f000-0x22000");
}

static const MmioClaim bus_mmio[] = {
	{ 0xf8000000, 0x8000000, 0, MMIO_ROLE_UNSPECIFIED, "dtb:/a" },
	{ 0x260000000, 0, 2, MMIO_ROLE_UNSPECIFIED, "dtb:/b" },
	{ 0x260000000, 0x40000000, 2, MMIO_ROLE_UNSPECIFIED, "dtb:/c" },
};
static const MemoryRange bus_windows[] = { { 0x260000000, 0x2a0000000 } };

/* A good guest whose VTL2 has a bus with its one window. */
static BootInfo info_with_bus(void)
{
	BootInfo info = good_info();

	info.mmio = (MmioClaimList){ bus_mmio, ARRAY_COUNT(bus_mmio) };
	info.vtl2_bus = (Vtl2Bus){ .present = true, .ranges = { bus_windows, 1 } };
	return info;
}

static size_t count_findings(const BootInfo *info)
{
	Arena *arena = arena_new(1 << 20);
	Diagnostics found;
	Error err;
	size_t count;

	cr_assert(diagnostics_init(&found, 8, arena, &err));
	boot_info_lint(info, arena, &found);
	count = found.count;
	arena_free(arena);
	return count;
}

Test(boot_info_check, compares_the_windows_of_vtl2_bus_with_vtl2_mmio)
{
	BootInfo info = info_with_bus();

	cr_assert_eq(count_findings(&info), 0);
}

Test(boot_info_check, has_nothing_to_compare_without_a_bus)
{
	BootInfo info = info_with_bus();

	info.vtl2_bus = (Vtl2Bus){ 0 };

	cr_assert_eq(count_findings(&info), 0);
}

Test(boot_info_check, warns_of_a_bus_window_that_is_no_mmio)
{
	static const MemoryRange other[] = { { 0x260000000, 0x290000000 } };
	BootInfo info = info_with_bus();

	info.vtl2_bus.ranges.items = other;

	assert_warned(&info, PVW_BOOTINFO_0013, "0x260000000-0x290000000");
}

Test(boot_info_check, warns_of_mmio_that_is_no_bus_window)
{
	BootInfo info = info_with_bus();

	info.vtl2_bus.ranges.count = 0;

	assert_warned(&info, PVW_BOOTINFO_0013, "0x260000000-0x2a0000000");
}

Test(boot_info_check, warns_of_a_bus_window_too_many)
{
	BootInfo info = info_with_bus();

	info.mmio.count = 1;

	assert_warned(&info, PVW_BOOTINFO_0013, "expected VTL2's MMIO, 0x0-0x0");
}

Test(boot_info_check, warns_once_of_a_bus_that_cannot_be_read)
{
	BootInfo info = info_with_bus();

	info.vtl2_bus.ranges.count = 0;
	info.vtl2_bus.malformed = "ranges";

	assert_warned(&info, PVW_BOOTINFO_0012, "ranges");
}
