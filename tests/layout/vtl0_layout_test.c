#include <criterion/criterion.h>
#include <string.h>

#include "layout/vtl0_layout.h"
#include "support/diagnostics.h"

#define GIB UINT64_C(0x40000000)

static Arena *arena;
static Error err;

static void begin(void)
{
	arena = arena_new(1 << 20);
	err = (Error){ 0 };
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(vtl0_layout, .init = begin, .fini = end);

static const MapEntry map[] = {
	{ { 0x0, 0x10000 }, MEMORY_TYPE_VTL0, IGVM_MEMORY, 0 },
	{ { 0x10000, 0x20000 }, MEMORY_TYPE_VTL0, IGVM_PLATFORM_RESERVED, 0 },
	{ { 0x20000, 0x30000 }, MEMORY_TYPE_VTL0, IGVM_HIDDEN, 0 },
	{ { 0x30000, 0x40000 }, MEMORY_TYPE_VTL2_RAM, IGVM_MEMORY, 0 },
	{ { 0x40000, 0x50000 }, MEMORY_TYPE_VTL0, IGVM_VTL2_PROTECTABLE, 1 },
	{ { 0x50000, 0x60000 }, MEMORY_TYPE_VTL0, IGVM_SPECIFIC_PURPOSE, 1 },
	{ { 4 * GIB, 5 * GIB }, MEMORY_TYPE_VTL0, IGVM_MEMORY, 2 },
};

static const MemoryRange reserved[] = { { 0xc0000000, 0xc1000000 },
	{ 0x240000000, 0x240001000 } };

static const ChipsetMmioRanges windows = {
	.low = { 0xf8000000, 0x100000000 },
	.high = { 0x1c0000000, 0x1e0000000 },
	.reserved = { reserved, 2 },
};

static BootInfo boot_info(IsolationType isolation)
{
	return (BootInfo){ .map = { map, ARRAY_COUNT(map) }, .isolation = isolation };
}

Test(vtl0_layout, keeps_what_is_vtl0s_and_drops_what_is_hidden)
{
	static const uint64_t starts[] = { 0x0, 0x10000, 0x40000, 0x50000, 4 * GIB };
	const BootInfo info = boot_info(ISOLATION_NONE);
	Vtl0Layout layout;

	cr_assert(vtl0_layout_build(&info, &windows, 0, arena, &layout, &err), "%s", err.text);
	cr_assert_eq(layout.vtl0.ram.count, ARRAY_COUNT(starts));
	for (size_t i = 0; i < ARRAY_COUNT(starts); i++)
		cr_assert_eq(layout.vtl0.ram.items[i].range.start, starts[i]);
	cr_assert_eq(layout.vtl0.ram.items[3].igvm_type, IGVM_SPECIFIC_PURPOSE);
	cr_assert_eq(layout.vtl0.ram.items[3].vnode, 1);
	cr_assert_str_eq(layout.vtl0.ram.items[3].tag, "ram");
	cr_assert_null(memory_layout_probe(&layout.vtl0, 0x20000));
	cr_assert_null(memory_layout_probe(&layout.vtl0, 0x30000));
}

Test(vtl0_layout, windows_and_reserved_ranges_are_mmio)
{
	static const struct {
		uint64_t address;
		const char *tag;
	} probes[] = { { 0xf8000000, "chipset-low" }, { 0x1dfffffff, "chipset-high" },
		{ 0xc0000000, "reserved" }, { 0x240000fff, "reserved" } };
	const BootInfo info = boot_info(ISOLATION_NONE);
	Vtl0Layout layout;

	cr_assert(vtl0_layout_build(&info, &windows, 0, arena, &layout, &err));
	for (size_t i = 0; i < ARRAY_COUNT(probes); i++) {
		const LayoutRecord *found =
			memory_layout_probe(&layout.vtl0, probes[i].address);

		cr_assert_not_null(found);
		cr_assert_eq(found->kind, LAYOUT_MMIO);
		cr_assert_str_eq(found->tag, probes[i].tag);
	}
	cr_assert_eq(layout.vtl0.end_of_layout, 0x240001000);
}

Test(vtl0_layout, absent_windows_and_vtl2s_leave_no_record)
{
	const MemoryRange vtl2[] = { { 0xe0000000, 0xe1000000 } };
	const ChipsetMmioRanges none = { .vtl2 = { vtl2, 1 } };
	const BootInfo info = boot_info(ISOLATION_NONE);
	Vtl0Layout layout;

	cr_assert(vtl0_layout_build(&info, &none, 0, arena, &layout, &err));
	cr_assert_eq(layout.vtl0.records.count, layout.vtl0.ram.count);
	cr_assert_null(memory_layout_probe(&layout.vtl0, 0xe0000000));
}

Test(vtl0_layout, the_pool_is_in_the_complete_view_only)
{
	const BootInfo info = boot_info(ISOLATION_SNP);
	Vtl0Layout layout;

	cr_assert(vtl0_layout_build(&info, &windows, GIB + 0x1000, arena, &layout, &err));
	cr_assert_eq(layout.shared_pool.count, 2);
	cr_assert_eq(layout.shared_pool.items[0].range.start, 0xf000);
	cr_assert_eq(layout.shared_pool.items[1].range.start, 4 * GIB);
	cr_assert_eq(layout.shared_pool.items[1].vnode, 2);
	cr_assert_eq(layout.complete.end_of_ram, 5 * GIB);
	cr_assert_eq(layout.vtl0.end_of_ram, 0x60000);
	cr_assert_eq(layout.complete.ram_size - layout.vtl0.ram_size, GIB + 0x1000);
	cr_assert_eq(memory_layout_probe(&layout.vtl0, 0xf8000000)->kind, LAYOUT_MMIO);
	cr_assert_null(memory_layout_probe(&layout.vtl0, 4 * GIB));
	cr_assert_not_null(memory_layout_probe(&layout.complete, 4 * GIB));
}

Test(vtl0_layout, a_guest_that_is_not_isolated_has_no_pool)
{
	const BootInfo info = boot_info(ISOLATION_NONE);
	Vtl0Layout layout;

	cr_assert(vtl0_layout_build(&info, &windows, 0x200000, arena, &layout, &err));
	cr_assert_eq(layout.shared_pool.count, 0);
	cr_assert_eq(layout.vtl0.ram_size, layout.complete.ram_size);
}

static void assert_refused(
	const BootInfo *info, uint64_t pool, uint16_t diagnostic, const char *word)
{
	Vtl0Layout layout = { .shared_pool = { NULL, 42 } };

	cr_assert_not(vtl0_layout_build(info, &windows, pool, arena, &layout, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(layout.shared_pool.count, 42);
}

Test(vtl0_layout, refuses_persistent_and_unknown_memory)
{
	static const uint16_t types[] = { IGVM_PERSISTENT, IGVM_HIDDEN + 1, 0xffff };

	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		const MapEntry entries[] = { map[0],
			{ { 0x20000, 0x30000 }, MEMORY_TYPE_VTL0, types[i], 0 } };
		const BootInfo info = { .map = { entries, 2 } };

		assert_refused(&info, 0, PVW_LAYOUT_0005, "0x20000-0x30000");
	}
}

Test(vtl0_layout, the_type_of_memory_that_is_not_vtl0s_does_not_matter)
{
	const MapEntry entries[] = { map[0],
		{ { 0x20000, 0x30000 }, MEMORY_TYPE_VTL2_RAM, IGVM_PERSISTENT, 0 } };
	const BootInfo info = { .map = { entries, 2 } };
	Vtl0Layout layout;

	cr_assert(vtl0_layout_build(&info, &windows, 0, arena, &layout, &err));
	cr_assert_eq(layout.vtl0.ram.count, 1);
}

Test(vtl0_layout, refuses_a_pool_that_does_not_fit)
{
	const BootInfo info = boot_info(ISOLATION_VBS);

	assert_refused(
		&info, 2 * GIB, PVW_LAYOUT_0006, "0x80000000 bytes, but only 0x40010000");
	assert_refused(&info, 0x800, PVW_LAYOUT_0007, "0x800");
}

Test(vtl0_layout, refuses_a_guest_without_ram)
{
	const BootInfo vtl2_only = { .map = { map + 3, 1 } };
	const BootInfo all_pool = { .map = { map, 1 }, .isolation = ISOLATION_VBS };

	assert_refused(&vtl2_only, 0, PVW_LAYOUT_0001, "no RAM");
	assert_refused(&all_pool, 0x10000, PVW_LAYOUT_0001, "no RAM");
}

Test(vtl0_layout, refuses_ram_that_overlaps)
{
	const MapEntry entries[] = { { { 0, 0x2000 }, MEMORY_TYPE_VTL0, 0, 0 },
		{ { 0x1000, 0x3000 }, MEMORY_TYPE_VTL0, 0, 0 } };
	const BootInfo info = { .map = { entries, 2 } };

	assert_refused(&info, 0, PVW_LAYOUT_0002, "0x1000-0x3000");
}
