#include <criterion/criterion.h>
#include <string.h>

#include "layout/layout_kept.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)

static Arena *arena;
static Error err;

static void begin(void)
{
	arena = arena_new(1 << 22);
	err = (Error){ 0 };
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(layout_kept, .init = begin, .fini = end);

static KeptLayout keep(uint64_t ram, uint64_t vtl2, uint32_t version)
{
	const LayoutShape shape = {
		.version = version,
		.address_bits = 46,
		.node_sizes = &ram,
		.node_count = 1,
		.chipset_low_size = 128 * MIB,
		.chipset_high_size = 512 * MIB,
		.has_vtl2 = vtl2 > 0,
		.vtl2_size = vtl2,
		.vtl2_align = 2 * MIB,
	};
	ResolvedLayout layout;
	KeptLayout kept;

	cr_assert(resolver_run(&shape, arena, &layout, &err), "%s", err.text);
	cr_assert(layout_keep(&layout, arena, &kept, &err), "%s", err.text);
	return kept;
}

static void assert_differs(KeptLayout kept, KeptLayout now, const char *text)
{
	cr_assert_not(layout_compare(&kept, &now, &err));
	cr_assert_eq(err.diagnostic, PVW_RESOLVE_0019);
	cr_assert_str_eq(err.text, text);
}

Test(layout_kept, keeps_kind_tag_start_and_end)
{
	const KeptLayout kept = keep(8 * GIB, 0, 1);

	cr_assert_eq(kept.version, 1);
	cr_assert_eq(kept.count, 4);
	cr_assert_str_eq(kept.items[1].tag, "chipset-low-mmio");
	cr_assert_eq(kept.items[1].kind, PLACEMENT_FIXED);
	cr_assert_eq(kept.items[1].range.start, 0xf8000000);
	cr_assert_eq(kept.items[1].range.end, FOUR_GIB);
}

Test(layout_kept, finds_a_layout_equal_to_itself)
{
	const KeptLayout kept = keep(8 * GIB, GIB, 2), now = keep(8 * GIB, GIB, 2);

	cr_assert(layout_compare(&kept, &now, &err), "%s", err.text);
}

Test(layout_kept, names_what_has_moved_from_where_to_where)
{
	assert_differs(keep(8 * GIB, 0, 1), keep(9 * GIB, 0, 1),
		"ram0 was at 0x100000000-0x240000000 (ram) and would be at "
		"0x100000000-0x280000000 (ram)");
}

Test(layout_kept, names_what_has_come_and_what_has_gone)
{
	assert_differs(keep(8 * GIB, GIB, 1), keep(8 * GIB, 0, 1),
		"vtl2 was at 0x260000000-0x2a0000000 and is not there any more");
	assert_differs(keep(8 * GIB, 0, 1), keep(8 * GIB, GIB, 1),
		"vtl2 at 0x260000000-0x2a0000000 was not there before");
	assert_differs(keep(8 * GIB, 0, 1), keep(2 * GIB, 0, 1),
		"ram0 was at 0x0-0xc0000000 (ram) and would be at 0x0-0x80000000 (ram)");
}

Test(layout_kept, tells_versions_apart)
{
	assert_differs(keep(8 * GIB, 0, 1), keep(8 * GIB, 0, 2),
		"the layout has version 2, expected 1 as the guest was made with");
}

Test(layout_kept, says_when_memory_runs_out)
{
	const LayoutPlacement placement = { { 0, GIB }, { "ram%", NULL, 0 }, PLACEMENT_RAM,
		LAYOUT_ITEM_RAM, 0, 0 };
	const ResolvedLayout layout = { .placements = { &placement, 1 } };
	Arena *small = arena_new(16);
	KeptLayout kept = { .version = 42 };

	cr_assert_not(layout_keep(&layout, small, &kept, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	cr_assert_eq(kept.version, 42);
	arena_free(small);
}
