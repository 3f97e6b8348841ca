#include <criterion/criterion.h>
#include <string.h>

#include "layout/layout_kept.h"
#include "support/checked.h"
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

/*
 * Restoring.
 */

#define COMPLEXES 2

typedef struct Guest {
	uint64_t ram;
	RootComplexShape complexes[COMPLEXES];
	LayoutShape shape;
} Guest;

static Guest *guest(uint32_t version)
{
	Guest *made = arena_array(arena, Guest, 1, &err);

	*made = (Guest){
		.ram = 8 * GIB,
		.complexes = { { .name = "a",
				       .end_bus = 15,
				       .low = { .size = 64 * MIB },
				       .high = { .size = GIB } },
			{ .name = "b",
				.segment = 1,
				.end_bus = 15,
				.low = { .size = 64 * MIB },
				.high = { .size = GIB } } },
		.shape = { .version = version,
			.address_bits = 46,
			.node_count = 1,
			.chipset_low_size = 128 * MIB,
			.chipset_high_size = 512 * MIB,
			.root_complex_count = COMPLEXES,
			.has_vtl2 = true,
			.vtl2_size = GIB,
			.vtl2_align = 2 * MIB },
	};
	made->shape.node_sizes = &made->ram;
	made->shape.root_complexes = made->complexes;
	return made;
}

static KeptLayout keep_guest(const Guest *made)
{
	ResolvedLayout layout;
	KeptLayout kept;

	cr_assert(resolver_run(&made->shape, arena, &layout, &err), "%s", err.text);
	cr_assert(layout_keep(&layout, arena, &kept, &err), "%s", err.text);
	return kept;
}

static void assert_not_restored(
	KeptLayout kept, const Guest *made, uint16_t diagnostic, const char *text)
{
	ResolvedLayout layout = { .top = 42 };

	cr_assert_not(layout_restore(&kept, &made->shape, arena, &layout, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert(strstr(err.text, text), "%s", err.text);
	cr_assert_eq(layout.top, 42);
}

Test(layout_kept, restores_every_placement_with_its_kind)
{
	for (uint32_t version = 1; version <= LAYOUT_VERSION_CURRENT; version++) {
		Guest *made = guest(version);
		const KeptLayout kept = keep_guest(made);
		ResolvedLayout layout;
		KeptLayout now;

		cr_assert(layout_restore(&kept, &made->shape, arena, &layout, &err), "%s",
			err.text);
		cr_assert(layout_keep(&layout, arena, &now, &err));
		cr_assert(layout_compare(&kept, &now, &err), "%s", err.text);
		cr_assert_eq(layout.version, version);
	}
}

/* The first of two alike gets the better place: order moves them, if nothing is kept. */
Test(layout_kept, restores_windows_by_name_whatever_their_order)
{
	for (uint32_t version = 1; version <= LAYOUT_VERSION_CURRENT; version++) {
		Guest *made = guest(version);
		const KeptLayout kept = keep_guest(made);
		const RootComplexShape first = made->complexes[0];
		ResolvedLayout before, layout;

		cr_assert(resolver_run(&made->shape, arena, &before, &err));
		made->complexes[0] = made->complexes[1];
		made->complexes[1] = first;
		cr_assert(layout_restore(&kept, &made->shape, arena, &layout, &err), "%s",
			err.text);
		cr_assert(memory_range_equal(
			layout.root_complexes[1].low, before.root_complexes[0].low));
		cr_assert(memory_range_equal(
			layout.root_complexes[0].high, before.root_complexes[1].high));
		cr_assert(memory_range_equal(
			layout.root_complexes[0].ecam, before.root_complexes[1].ecam));

		cr_assert(resolver_run(&made->shape, arena, &layout, &err));
		cr_assert_not(memory_range_equal(
			layout.root_complexes[1].low, before.root_complexes[0].low));
	}
}

Test(layout_kept, restores_what_would_be_aligned_otherwise_today)
{
	Guest *made = guest(2);
	KeptLayout kept;
	ResolvedLayout layout;

	made->complexes[0].high.size = 3 * GIB;
	kept = keep_guest(made);
	made->shape.bar_align_max = 2 * MIB;
	cr_assert(layout_restore(&kept, &made->shape, arena, &layout, &err), "%s", err.text);
	cr_assert(is_aligned(layout.root_complexes[0].high.start, 2 * GIB));
	cr_assert(resolver_run(&made->shape, arena, &layout, &err));
	cr_assert_not(is_aligned(layout.root_complexes[0].high.start, 2 * GIB));
}

Test(layout_kept, restores_nothing_else_than_what_was_kept)
{
	for (uint32_t version = 1; version <= LAYOUT_VERSION_CURRENT; version++) {
		Guest *made = guest(version);
		const KeptLayout kept = keep_guest(made);

		made->ram = 9 * GIB;
		/* With version 1 RAM goes around what is pinned behind it. */
		assert_not_restored(kept, made, PVW_RESOLVE_0019,
			version == 1 ? "ram0 at 0x340000000-0x380000000 was not there before"
				     : "ram0 was at 0x100000000-0x240000000 (ram) and would be "
				       "at 0x100000000-0x280000000 (ram)");
		made->ram = 8 * GIB;
		made->shape.vtl2_size = 2 * GIB;
		assert_not_restored(kept, made, PVW_RESOLVE_0019, "vtl2 was at 0x");
		assert_not_restored(kept, made, PVW_RESOLVE_0019,
			"would have 0x80000000 bytes, expected 0x40000000");
		made->shape.has_vtl2 = false;
		assert_not_restored(kept, made, PVW_RESOLVE_0019, "is not there any more");
		made->shape.has_vtl2 = true;
		made->shape.vtl2_size = GIB;
		made->shape.virtio_mmio_count = 1;
		assert_not_restored(kept, made, PVW_RESOLVE_0019,
			"virtio-mmio of 0x1000 bytes was not there before");
		made->shape.virtio_mmio_count = 0;
		made->shape.chipset_low_size = 256 * MIB;
		assert_not_restored(kept, made, PVW_RESOLVE_0019,
			"chipset-low-mmio was at 0xf8000000-0x100000000 and would have "
			"0x10000000 bytes, expected 0x8000000");
		made->shape.chipset_low_size = 128 * MIB;
		made->shape.chipset_high_size = GIB;
		assert_not_restored(kept, made, PVW_RESOLVE_0019,
			"would have 0x40000000 bytes, expected 0x20000000");
		made->shape.chipset_high_size = 512 * MIB;
		made->complexes[0].high.fixed = (MemoryRange){ UINT64_C(0x10000000000),
			UINT64_C(0x10000000000) + made->complexes[0].high.size };
		assert_not_restored(
			kept, made, PVW_RESOLVE_0019, "and would be at 0x10000000000-0x");
		made->complexes[0].high.fixed = MEMORY_RANGE_EMPTY;
		made->shape.version = 3 - version;
		assert_not_restored(kept, made, PVW_RESOLVE_0019, "expected");
	}
}

Test(layout_kept, restores_nothing_from_what_contradicts_itself)
{
	Guest *made = guest(2);
	const KeptLayout kept = keep_guest(made);
	KeptPlacement *items = arena_array(arena, KeptPlacement, kept.count, &err);
	const KeptLayout changed = { kept.version, items, kept.count };
	const KeptLayout many = { kept.version, items, LAYOUT_MAX_KEPT + 1 };
	size_t at = 0;

	memcpy(items, kept.items, kept.count * sizeof(*items));
	while (strcmp(items[at].tag, "pcie-a-high-mmio") != 0)
		at++;
	items[at].range = (MemoryRange){ 0, GIB };
	assert_not_restored(changed, made, PVW_ALLOC_0003, "ram-space");
	items[at].range = (MemoryRange){ GIB, 0 };
	assert_not_restored(changed, made, PVW_RESOLVE_0019, "pcie-a-high-mmio");
	items[at].range = (MemoryRange){ 0x4000000001, 0x4040000001 };
	assert_not_restored(changed, made, PVW_ALLOC_0001, "pcie-a-high-mmio");
	assert_not_restored(many, made, PVW_RESOLVE_0011, "12289 placements");
	made->complexes[1].name = "a";
	assert_not_restored(kept, made, PVW_RESOLVE_0020, "both called a");
}

/* What was kept, with the window of that tag at @start instead. */
static KeptLayout move(KeptLayout kept, const char *tag, uint64_t start)
{
	KeptPlacement *items = arena_array(arena, KeptPlacement, kept.count, &err);
	size_t at = 0;

	memcpy(items, kept.items, kept.count * sizeof(*items));
	while (strcmp(items[at].tag, tag) != 0)
		at++;
	items[at].range = (MemoryRange){ start, start + memory_range_len(items[at].range) };
	return (KeptLayout){ kept.version, items, kept.count };
}

Test(layout_kept, restores_no_window_on_the_other_side_of_4_gib_or_of_ram)
{
	for (uint32_t version = 1; version <= LAYOUT_VERSION_CURRENT; version++) {
		Guest *made = guest(version);
		const KeptLayout kept = keep_guest(made);

		assert_not_restored(move(kept, "chipset-high-mmio", 3 * GIB), made,
			PVW_RESOLVE_0019,
			"chipset-high-mmio was at 0xc0000000-0xe0000000, expected from 0x");
		assert_not_restored(move(kept, "pcie-seg1-ecam", 3 * GIB), made,
			PVW_RESOLVE_0019,
			"pcie-seg1-ecam was at 0xc0000000-0xc1000000, expected from 0x");
		assert_not_restored(move(kept, "pcie-a-low-mmio", 1024 * GIB), made,
			PVW_RESOLVE_0019, "expected below 4 GiB");
	}
}

Test(layout_kept, says_when_memory_for_restoring_runs_out)
{
	Guest *made = guest(2);
	const KeptLayout kept = keep_guest(made);
	ResolvedLayout layout;
	bool done = false;

	for (size_t size = 64; !done && size < 1 << 17; size += 64) {
		Arena *small = arena_new(size);

		done = layout_restore(&kept, &made->shape, small, &layout, &err);
		if (!done)
			cr_assert_eq(err.diagnostic, PVW_MEM_0001, "%s", err.text);
		arena_free(small);
	}
	cr_assert(done);
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
