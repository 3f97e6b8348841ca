#include <criterion/criterion.h>
#include <string.h>

#include "layout/layout_explain.h"
#include "support/diagnostics.h"

static const MapEntry map[] = {
	{ { 0x1000, 0x80000000 }, MEMORY_TYPE_VTL0, IGVM_MEMORY, 0 },
	{ { 0x100000000, 0x110000000 }, MEMORY_TYPE_VTL0, IGVM_SPECIFIC_PURPOSE, 1 },
	{ { 0x110000000, 0x120000000 }, MEMORY_TYPE_VTL0, IGVM_MEMORY, 1 },
};
static const MemoryRange vtl2[] = { { 0xe0000000, 0xe1000000 } };
static const MemoryRange reserved[] = { { 0xe1000000, 0xe2000000 } };

static const ChipsetMmioRanges mmio = {
	.low = { 0xf8000000, 0x100000000 },
	.high = { 0x200000000, 0x220000000 },
	.vtl2 = { vtl2, 1 },
	.reserved = { reserved, 1 },
	.low_source = ROLE_SOURCE_BY_ADDRESS,
	.high_source = ROLE_SOURCE_DECLARED,
};

static const Explanation want[] = {
	{ { 0x0, 0x1000 }, "nothing that vtl0 has" },
	{ { 0x1000, 0x80000000 }, "ram, node 0, igvm-type 0 (memory), given by the boot tree" },
	{ { 0x80000000, 0xe0000000 }, "nothing that vtl0 has" },
	{ { 0xe0000000, 0xe1000000 }, "mmio, vtl2-private, not shown to vtl0" },
	{ { 0xe1000000, 0xe2000000 }, "mmio, reserved, role declared, no chipset window" },
	{ { 0xe2000000, 0xf8000000 }, "nothing that vtl0 has" },
	{ { 0xf8000000, 0x100000000 },
		"mmio, chipset-low, role by address: it ends at or below 4 GiB" },
	{ { 0x100000000, 0x110000000 },
		"ram, node 1, igvm-type 4 (specific-purpose), given by the boot tree" },
	{ { 0x110000000, 0x11fe00000 },
		"ram, node 1, igvm-type 0 (memory), given by the boot tree" },
	{ { 0x11fe00000, 0x120000000 },
		"shared pool, node 1, taken by vtl2 from the top of ram" },
	{ { 0x120000000, 0x200000000 }, "nothing that vtl0 has" },
	{ { 0x200000000, 0x220000000 }, "mmio, chipset-high, role declared" },
	{ { 0x220000000, MEMORY_RANGE_LIMIT }, "nothing that vtl0 has" },
};

static ExplanationList explain(const ChipsetMmioRanges *windows, Arena *arena)
{
	const BootInfo info = { .map = { map, ARRAY_COUNT(map) }, .isolation = ISOLATION_VBS };
	ExplanationList list;
	Vtl0Layout layout;
	Error err = { 0 };

	cr_assert(vtl0_layout_build(&info, windows, 0x200000, arena, &layout, &err), "%s",
		err.text);
	cr_assert(layout_explain(&layout, windows, arena, &list, &err), "%s", err.text);
	return list;
}

Test(layout_explain, speaks_of_every_address_once)
{
	Arena *arena = arena_new(1 << 20);
	const ExplanationList list = explain(&mmio, arena);

	cr_assert_eq(list.count, ARRAY_COUNT(want));
	for (size_t i = 0; i < ARRAY_COUNT(want); i++) {
		cr_assert(memory_range_equal(list.items[i].range, want[i].range), "%zu", i);
		cr_assert_str_eq(list.items[i].text, want[i].text);
	}
	arena_free(arena);
}

Test(layout_explain, finds_the_line_of_an_address)
{
	Arena *arena = arena_new(1 << 20);
	const ExplanationList list = explain(&mmio, arena);

	cr_assert_eq(layout_explain_find(list, 0), &list.items[0]);
	cr_assert_eq(layout_explain_find(list, 0xfec00000), &list.items[6]);
	cr_assert_eq(layout_explain_find(list, 0x11fdfffff), &list.items[8]);
	cr_assert_eq(layout_explain_find(list, 0x11fe00000), &list.items[9]);
	cr_assert_null(layout_explain_find(list, UINT64_MAX));
	arena_free(arena);
}

Test(layout_explain, says_by_address_of_the_high_window_too)
{
	ChipsetMmioRanges windows = mmio;
	Arena *arena = arena_new(1 << 20);

	windows.low_source = ROLE_SOURCE_DECLARED;
	windows.high_source = ROLE_SOURCE_BY_ADDRESS;
	const ExplanationList list = explain(&windows, arena);

	cr_assert_str_eq(list.items[6].text, "mmio, chipset-low, role declared");
	cr_assert(strstr(list.items[11].text, "starts at or above 4 GiB"));
	arena_free(arena);
}

Test(layout_explain, explains_records_of_other_kinds)
{
	const LayoutRecord records[] = {
		{ LAYOUT_RAM, { 0, 0x1000 }, 0, 9, "ram" },
		{ LAYOUT_PCI_ECAM, { 0x1000, 0x2000 }, 0, 0, "rc0" },
		{ LAYOUT_VTL2, { 0x2000, 0x3000 }, 0, 0, NULL },
		{ LAYOUT_MMIO, { 0x3000, 0x4000 }, 0, 0, NULL },
	};
	const ChipsetMmioRanges none = { 0 };
	Arena *arena = arena_new(1 << 20);
	ExplanationList list;
	Vtl0Layout layout = { 0 };
	Error err = { 0 };

	cr_assert(memory_layout_build(
		(LayoutRecordList){ records, 4 }, arena, &layout.vtl0, &err));
	cr_assert(layout_explain(&layout, &none, arena, &list, &err));
	cr_assert(strstr(list.items[0].text, "igvm-type 9 (unknown)"));
	cr_assert_str_eq(list.items[1].text, "pci-ecam, rc0");
	cr_assert_str_eq(list.items[2].text, "vtl2");
	cr_assert(strstr(list.items[3].text, "untagged"));
	arena_free(arena);
}

Test(layout_explain, says_when_memory_runs_out)
{
	const BootInfo info = { .map = { map, ARRAY_COUNT(map) } };
	Arena *arena = arena_new(1 << 20);
	ExplanationList list;
	Vtl0Layout layout;
	Error err = { 0 };
	bool ok = false;

	cr_assert(vtl0_layout_build(&info, &mmio, 0, arena, &layout, &err));
	for (size_t limit = 0; limit < 8192 && !ok; limit += 16) {
		Arena *small = arena_new(limit);

		ok = layout_explain(&layout, &mmio, small, &list, &err);
		if (!ok)
			cr_assert_eq(err.diagnostic, PVW_MEM_0001);
		arena_free(small);
	}
	cr_assert(ok);
	arena_free(arena);
}
