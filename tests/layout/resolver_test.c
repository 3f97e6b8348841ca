#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "layout/resolver.h"
#include "support/checked.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define TIB UINT64_C(0x10000000000)

#define NODES(...)                                                                             \
	.node_sizes = (const uint64_t[]){ __VA_ARGS__ },                                       \
	.node_count = sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t)
#define COMPLEXES(...)                                                                         \
	.root_complexes = (const RootComplexShape[]){ __VA_ARGS__ },                           \
	.root_complex_count =                                                                  \
		sizeof((const RootComplexShape[]){ __VA_ARGS__ }) / sizeof(RootComplexShape)
#define X86                                                                                    \
	.arch = GUEST_ARCH_X86_64, .version = 1, .address_bits = 46,                           \
	.chipset_low_size = 128 * MIB, .chipset_high_size = 512 * MIB
#define ARM                                                                                    \
	.arch = GUEST_ARCH_AARCH64, .version = 1, .address_bits = 46,                          \
	.chipset_low_size = 512 * MIB, .chipset_high_size = 512 * MIB
#define X86_2                                                                                  \
	.arch = GUEST_ARCH_X86_64, .version = 2, .address_bits = 46,                           \
	.chipset_low_size = 128 * MIB, .chipset_high_size = 512 * MIB
#define ARM_2                                                                                  \
	.arch = GUEST_ARCH_AARCH64, .version = 2, .address_bits = 46,                          \
	.chipset_low_size = 512 * MIB, .chipset_high_size = 512 * MIB
#define DEFAULT_COMPLEX                                                                        \
	{                                                                                      \
		.name = "rc0", .end_bus = 255, .low = { .size = 64 * MIB }, .high = {          \
			.size = GIB                                                            \
		}                                                                              \
	}

static Arena *arena;
static Error err;
static ResolvedLayout layout;

static void begin(void)
{
	arena = arena_new(1 << 24);
	err = (Error){ 0 };
	layout = (ResolvedLayout){ .top = 42 };
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(resolver, .init = begin, .fini = end);

static void resolve(LayoutShape shape)
{
	cr_assert(resolver_run(&shape, arena, &layout, &err), "%s", err.text);
}

static void refuse(LayoutShape shape, uint16_t diagnostic, const char *word)
{
	cr_assert_not(resolver_run(&shape, arena, &layout, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(layout.top, 42);
	cr_assert_null(layout.placements.items);
}

static void assert_range(MemoryRange range, uint64_t start, uint64_t end)
{
	cr_assert(range.start == start && range.end == end,
		"found " RANGE_FORMAT ", expected " RANGE_FORMAT, RANGE_ARGS(range), start,
		end);
}

typedef struct Ram {
	uint32_t vnode;
	uint64_t start, end;
} Ram;

static void assert_ram_list(const Ram *expected, size_t count)
{
	cr_assert_eq(layout.ram.count, count);
	for (size_t i = 0; i < count; i++) {
		assert_range(layout.ram.items[i].range, expected[i].start, expected[i].end);
		cr_assert_eq(layout.ram.items[i].vnode, expected[i].vnode);
	}
}

#define ASSERT_RAM(...)                                                                        \
	assert_ram_list((const Ram[]){ __VA_ARGS__ },                                          \
		sizeof((const Ram[]){ __VA_ARGS__ }) / sizeof(Ram))

#define COMPLEX(i) (layout.root_complexes[i])

/*
 * The list of placements.
 */

Test(resolver, lists_every_range_once_with_its_tag)
{
	static const char *const tags[] = { "ram0", "pcie-rc0-low-mmio", "chipset-low-mmio",
		"ram0", "pcie-rc0-high-mmio", "chipset-high-mmio", "pcie-seg7-ecam", "vtl2" };
	char text[LAYOUT_TAG_SIZE];

	resolve((LayoutShape){ X86, NODES(4 * GIB), .has_vtl2 = true, .vtl2_size = MIB,
		.vtl2_align = MIB,
		COMPLEXES({ .name = "rc0",
			.segment = 7,
			.end_bus = 255,
			.low = { .size = 64 * MIB },
			.high = { .size = GIB } }) });

	cr_assert_eq(layout.placements.count, ARRAY_COUNT(tags));
	for (size_t i = 0; i < ARRAY_COUNT(tags); i++)
		cr_assert_str_eq(
			layout_tag_write(layout.placements.items[i].tag, text), tags[i]);
	cr_assert_eq(layout.placements.items[6].item, LAYOUT_ITEM_ECAM);
	cr_assert_eq(layout.placements.items[6].owner, 7);
	cr_assert_eq(layout.placements.items[7].kind, PLACEMENT_POST_MMIO);
	cr_assert_eq(layout.version, 1);
}

Test(resolver, names_items)
{
	cr_assert_str_eq(layout_item_name(LAYOUT_ITEM_LOW_RAM_GAP), "low-ram-gap");
	cr_assert_str_eq(layout_item_name(LAYOUT_ITEM_VTL2_FRAMEBUFFER), "vtl2-framebuffer");
}

Test(resolver, groups_segments_in_order_of_appearance)
{
	resolve((LayoutShape){ X86, NODES(GIB),
		COMPLEXES({ .name = "a",
				  .segment = 9,
				  .start_bus = 4,
				  .end_bus = 7,
				  .low = { .size = MIB },
				  .high = { .size = MIB } },
			{ .name = "b",
				.segment = 2,
				.end_bus = 3,
				.low = { .size = MIB },
				.high = { .size = MIB } },
			{ .name = "c",
				.segment = 9,
				.start_bus = 2,
				.end_bus = 3,
				.low = { .size = MIB },
				.high = { .size = MIB } }) });

	cr_assert_lt(COMPLEX(2).ecam.start, COMPLEX(0).ecam.start);
	cr_assert_eq(COMPLEX(0).ecam.start - 4 * MIB, COMPLEX(2).ecam.start - 2 * MIB);
	cr_assert_lt(COMPLEX(0).ecam.start, COMPLEX(1).ecam.start);
}

Test(resolver, accepts_root_complexes_that_share_buses)
{
	const RootComplexShape first = DEFAULT_COMPLEX;
	RootComplexShape second = first;

	second.name = "rc1";
	resolve((LayoutShape){ X86, NODES(GIB), COMPLEXES(first, second) });

	cr_assert(memory_range_equal(COMPLEX(0).ecam, COMPLEX(1).ecam));
}

/*
 * Refusals.
 */

Test(resolver, refuses_guests_without_memory)
{
	refuse((LayoutShape){ X86, .node_count = 0 }, PVW_RESOLVE_0001, "0 NUMA nodes");
	refuse((LayoutShape){ X86, NODES(0, 0) }, PVW_RESOLVE_0001, "2 NUMA nodes");
}

Test(resolver, refuses_memory_of_odd_sizes)
{
	refuse((LayoutShape){ X86, NODES(4097) }, PVW_RESOLVE_0002, "0x1001");
	refuse((LayoutShape){ X86, NODES(GIB, 0xfffffffffffff000) }, PVW_RESOLVE_0002,
		"64 bits");
}

Test(resolver, refuses_fixed_low_windows_above_4_gib)
{
	refuse((LayoutShape){ X86, NODES(GIB),
		       COMPLEXES({ .name = "rc7",
			       .low = { .fixed = { 0xf0000000, 0x100001000 } },
			       .high = { .size = GIB } }) },
		PVW_RESOLVE_0003, "rc7");
}

Test(resolver, refuses_reversed_buses)
{
	refuse((LayoutShape){ X86, NODES(GIB),
		       COMPLEXES({ .name = "rc7",
			       .start_bus = 5,
			       .end_bus = 4,
			       .low = { .size = MIB },
			       .high = { .size = GIB } }) },
		PVW_RESOLVE_0004, "rc7 starts at bus 5");
}

Test(resolver, refuses_iommus_of_two_kinds)
{
	refuse((LayoutShape){ X86, NODES(GIB),
		       COMPLEXES({ .name = "rc0",
					 .low = { .size = MIB },
					 .high = { .size = GIB },
					 .iommu = IOMMU_AMD_VI },
			       { .name = "rc1",
				       .segment = 1,
				       .low = { .size = MIB },
				       .high = { .size = GIB },
				       .iommu = IOMMU_SMMU }) },
		PVW_RESOLVE_0005, "rc1 has an IOMMU of kind smmu, expected amd-vi");
}

Test(resolver, refuses_starts_of_ram_that_cannot_be)
{
	refuse((LayoutShape){ X86, NODES(GIB), .ram_start = 1 }, PVW_RESOLVE_0006, "0x1");
	refuse((LayoutShape){ ARM, NODES(GIB), .ram_start = 8 * GIB }, PVW_ALLOC_0003,
		"low-ram-gap at 0x0-0x200000000 and chipset-low-mmio");
	refuse((LayoutShape){ ARM, NODES(GIB), .ram_start = GIB,
		       COMPLEXES({ .name = "rc0",
			       .low = { .fixed = { 0x10000000, 0x20000000 } },
			       .high = { .size = GIB } }) },
		PVW_ALLOC_0003, "pcie-rc0-low-mmio");
}

Test(resolver, refuses_root_complexes_without_names_of_their_own)
{
	RootComplexShape a = DEFAULT_COMPLEX, b = a, c = a;

	b.name = "rc1";
	refuse((LayoutShape){ X86, NODES(GIB), COMPLEXES(a, b, c) }, PVW_RESOLVE_0020,
		"PCIe root complexes 0 and 2 are both called rc0");
	c.name = "";
	refuse((LayoutShape){ X86, NODES(GIB), COMPLEXES(a, b, c) }, PVW_RESOLVE_0020,
		"PCIe root complex 2 has no name");
	c.name = NULL;
	refuse((LayoutShape){ X86, NODES(GIB), COMPLEXES(a, b, c) }, PVW_RESOLVE_0020,
		"PCIe root complex 2 has no name");
}

/* All names fall into few slots. */
Test(resolver, finds_the_one_name_that_is_there_twice_among_many)
{
	static RootComplexShape complexes[LAYOUT_MAX_ROOT_COMPLEXES];
	static char names[LAYOUT_MAX_ROOT_COMPLEXES][8];
	LayoutShape shape = { X86, NODES(GIB), .root_complexes = complexes,
		.root_complex_count = LAYOUT_MAX_ROOT_COMPLEXES };

	for (size_t i = 0; i < ARRAY_COUNT(complexes); i++) {
		snprintf(names[i], sizeof(names[i]), "%zu", i);
		complexes[i] = (RootComplexShape)DEFAULT_COMPLEX;
		complexes[i].name = names[i];
	}
	complexes[511].name = "300";
	refuse(shape, PVW_RESOLVE_0020, "PCIe root complexes 300 and 511 are both called 300");
}

Test(resolver, refuses_absent_windows_in_version_1)
{
	RootComplexShape complex = DEFAULT_COMPLEX;

	complex.name = "rc7";
	complex.low.size = 0;
	refuse((LayoutShape){ X86, NODES(GIB), COMPLEXES(complex) }, PVW_RESOLVE_0021,
		"PCIe root complex rc7 has no low window");
	complex.low.size = MIB;
	complex.high.size = 0;
	refuse((LayoutShape){ X86, NODES(GIB), COMPLEXES(complex) }, PVW_RESOLVE_0021,
		"PCIe root complex rc7 has no high window");
	complex.high.fixed = (MemoryRange){ 8 * GIB, 9 * GIB };
	resolve((LayoutShape){ X86, NODES(GIB), COMPLEXES(complex) });
}

Test(resolver, refuses_too_little_low_ram_and_says_what_takes_it)
{
	RootComplexShape complex = DEFAULT_COMPLEX;
	LayoutShape shape = { X86, NODES(GIB), .min_low_ram = LAYOUT_FIRMWARE_LOW_RAM,
		.root_complexes = &complex, .root_complex_count = 1 };

	complex.low.size = 3584 * MIB;
	refuse(shape, PVW_RESOLVE_0022,
		"0x0 bytes of RAM lie below 4 GiB in one piece, expected 0x8000000: "
		"pcie-rc0-low-mmio at 0x18000000-0xf8000000 leaves no more");
	complex.low = (WindowShape){ .fixed = { 127 * MIB, 128 * MIB } };
	shape.node_sizes = (const uint64_t[]){ 512 * MIB };
	refuse(shape, PVW_RESOLVE_0022, "0x7e00000 bytes of RAM");
	complex.low = (WindowShape){ .fixed = { 128 * MIB, 129 * MIB } };
	resolve(shape);
	/* Where there is less RAM, all of it. */
	shape.node_sizes = (const uint64_t[]){ 64 * MIB };
	resolve(shape);
}

Test(resolver, counts_low_ram_across_nodes)
{
	LayoutShape shape = { X86, NODES(64 * MIB, 32 * MIB, 32 * MIB, GIB),
		.min_low_ram = LAYOUT_FIRMWARE_LOW_RAM };

	resolve(shape);
	shape.ram_start = 4 * MIB;
	resolve(shape);
}

Test(resolver, version_2_has_64_mib_of_low_ram_unless_told)
{
	const ReservedIova reserved[] = { { { 32 * MIB, 34 * MIB }, "hole" } };
	LayoutShape shape = { X86_2, NODES(GIB), .reserved_iova = { reserved, 1 } };

	refuse(shape, PVW_RESOLVE_0022,
		"0x2000000 bytes of RAM lie below 4 GiB in one piece, expected 0x4000000: "
		"reserved-iova-hole at 0x2000000-0x2200000 leaves no more");
	shape.min_low_ram = 32 * MIB;
	resolve(shape);
	shape.min_low_ram = 0;
	shape.arch = GUEST_ARCH_AARCH64;
	shape.chipset_low_size = 512 * MIB;
	resolve(shape);
}

/*
 * What is allowed although hardly anybody means it.
 */

static Diagnostics warn(LayoutShape shape)
{
	Diagnostics list;

	cr_assert(diagnostics_init(&list, 8, arena, &err));
	resolve(shape);
	layout_warn(&shape, &layout, &list);
	return list;
}

Test(resolver, warns_of_fixed_windows_that_split_ram)
{
	Diagnostics list = warn((LayoutShape){ X86, NODES(8 * GIB),
		COMPLEXES({ .name = "rc0",
			.low = { .fixed = { GIB, GIB + MIB } },
			.high = { .fixed = { 0x180000000, 0x200000000 } } }) });

	cr_assert_eq(list.count, 2);
	cr_assert_eq(list.items[0].what.diagnostic, PVW_RESOLVE_0023);
	cr_assert_eq(list.items[0].severity, SEVERITY_WARNING);
	cr_assert_str_eq(list.items[0].what.source, "rc0");
	cr_assert(strstr(list.items[0].what.text,
			  "pcie-rc0-low-mmio is fixed at 0x40000000-0x40100000 and splits RAM, "
			  "which goes on at 0x80000000"),
		"%s", list.items[0].what.text);
	cr_assert(strstr(list.items[1].what.text, "pcie-rc0-high-mmio"), "%s",
		list.items[1].what.text);
}

Test(resolver, warns_of_high_windows_below_4_gib)
{
	Diagnostics list = warn((LayoutShape){ X86, NODES(GIB),
		COMPLEXES({ .name = "rc0",
			.low = { .size = MIB },
			.high = { .fixed = { 0xd0000000, 0xe0000000 } } }) });

	cr_assert_eq(list.count, 1);
	cr_assert_eq(list.items[0].what.diagnostic, PVW_RESOLVE_0024);
	cr_assert(strstr(list.items[0].what.text, "0xd0000000-0xe0000000"), "%s",
		list.items[0].what.text);
}

Test(resolver, has_nothing_to_say_of_windows_out_of_the_way)
{
	const Diagnostics list = warn((LayoutShape){ X86, NODES(16 * GIB),
		COMPLEXES({ .name = "rc0",
			.low = { .fixed = { 0xd0000000, 0xd4000000 } },
			.high = { .fixed = { 0x4000000000, 0x4400000000 } } }) });

	cr_assert_eq(list.count, 0);
}

Test(resolver, refuses_address_widths_that_no_processor_has)
{
	LayoutShape shape = { X86, NODES(GIB) };

	shape.address_bits = 0;
	refuse(shape, PVW_RESOLVE_0007, "0 bits");
	shape.address_bits = 64;
	refuse(shape, PVW_RESOLVE_0007, "64 bits");
	shape.address_bits = 63;
	resolve(shape);
}

Test(resolver, refuses_layouts_wider_than_addresses)
{
	LayoutShape shape = { X86, NODES(4 * GIB) };

	shape.address_bits = 32;
	refuse(shape, PVW_RESOLVE_0008, "0x160000000");
	shape.address_bits = 33;
	resolve(shape);
}

Test(resolver, refuses_ecam_below_256_mib)
{
	refuse((LayoutShape){ X86, NODES(GIB), .ecam_below_4gib = true,
		       COMPLEXES({ .name = "rc0",
			       .end_bus = 255,
			       .low = { .size = 3712 * MIB },
			       .high = { .size = GIB } }) },
		PVW_RESOLVE_0009, "rc0 has its ECAM at 0x0,");
	refuse((LayoutShape){ X86, NODES(GIB), .ecam_below_4gib = true,
		       COMPLEXES({ .name = "rc0",
			       .end_bus = 127,
			       .low = { .size = 3712 * MIB },
			       .high = { .size = GIB } }) },
		PVW_RESOLVE_0009, "0x8000000");
}

Test(resolver, refuses_low_windows_of_more_than_4_gib)
{
	LayoutShape shape = { X86, NODES(GIB) };

	shape.chipset_low_size = FOUR_GIB + 1;
	refuse(shape, PVW_RESOLVE_0010, "0x100000001");
}

Test(resolver, refuses_too_much_of_everything)
{
	static uint64_t sizes[LAYOUT_MAX_NODES + 1];
	static RootComplexShape complexes[LAYOUT_MAX_ROOT_COMPLEXES + 1];
	LayoutShape shape = { X86, .node_sizes = sizes, .node_count = LAYOUT_MAX_NODES + 1,
		.root_complexes = complexes };

	sizes[0] = GIB;
	refuse(shape, PVW_RESOLVE_0011, "513 NUMA nodes");
	shape.node_count = LAYOUT_MAX_NODES;
	shape.root_complex_count = LAYOUT_MAX_ROOT_COMPLEXES + 1;
	refuse(shape, PVW_RESOLVE_0011, "513 PCIe root complexes");
}

Test(resolver, takes_as_much_of_everything_as_it_says)
{
	static uint64_t sizes[LAYOUT_MAX_NODES];
	static RootComplexShape complexes[LAYOUT_MAX_ROOT_COMPLEXES];
	static char names[LAYOUT_MAX_ROOT_COMPLEXES][8];

	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++)
		sizes[i] = 2 * MIB;
	for (size_t i = 0; i < ARRAY_COUNT(complexes); i++) {
		snprintf(names[i], sizeof(names[i]), "rc%zu", i);
		complexes[i] = (RootComplexShape){ .name = names[i],
			.segment = (uint16_t)i,
			.low = { .size = 2 * MIB },
			.high = { .size = MIB },
			.has_cxl = true,
			.cxl_hdm_size = MIB,
			.iommu = IOMMU_SMMU };
	}
	resolve((LayoutShape){ ARM, .node_sizes = sizes, .node_count = ARRAY_COUNT(sizes),
		.root_complexes = complexes, .root_complex_count = ARRAY_COUNT(complexes),
		.virtio_mmio_count = 8, .vtl2_chipset_size = MIB,
		.vtl2_framebuffer_size = MIB });

	cr_assert_eq(layout.ram.count, LAYOUT_MAX_NODES);
}

Test(resolver, refuses_versions_that_it_does_not_know)
{
	LayoutShape shape = { X86, NODES(GIB) };

	shape.version = 0;
	refuse(shape, PVW_RESOLVE_0012, "version 0");
	shape.version = 3;
	refuse(shape, PVW_RESOLVE_0012, "version 3");
}

Test(resolver, names_the_window_that_does_not_fit)
{
	const RootComplexShape two_gib = {
		.name = "rc0", .low = { .size = 2 * GIB }, .high = { .size = GIB }
	};
	RootComplexShape other = two_gib, odd = two_gib;

	other.name = "rc1";
	odd.low.size = MIB + 1;
	refuse((LayoutShape){ X86, NODES(GIB), COMPLEXES(two_gib, other) }, PVW_ALLOC_0004,
		"pcie-rc1-low-mmio: no place for 0x80000000 bytes aligned to 0x200000 (mmio32) "
		"in 0x0-0x100000000: 0x78000000 bytes are free, at most 0x78000000 of them in "
		"one "
		"piece, 0x0-0x78000000 below pcie-rc0-low-mmio");
	refuse((LayoutShape){ X86, NODES(GIB), COMPLEXES(odd) }, PVW_ALLOC_0001,
		"pcie-rc0-low-mmio");
	for (uint32_t version = 1; version <= 2; version++)
		refuse((LayoutShape){ .arch = GUEST_ARCH_X86_64,
			       .version = version,
			       .address_bits = 46,
			       NODES(GIB),
			       .chipset_high_size = 12345 },
			PVW_ALLOC_0001, "chipset-high-mmio: size 0x3039, expected");
}

Test(resolver, says_when_memory_runs_out)
{
	const LayoutShape shape = { X86, NODES(GIB), COMPLEXES(DEFAULT_COMPLEX) };
	bool done = false;

	for (size_t size = 64; !done && size < 1 << 16; size += 64) {
		Arena *small = arena_new(size);

		done = resolver_run(&shape, small, &layout, &err);
		if (!done)
			cr_assert_eq(err.diagnostic, PVW_MEM_0001, "%s", err.text);
		arena_free(small);
	}
	cr_assert(done);
}

/*
 * Version 2.
 */

Test(resolver, version_2_keeps_devices_out_of_the_way)
{
	resolve((LayoutShape){ X86_2, NODES(4 * GIB), COMPLEXES(DEFAULT_COMPLEX),
		.has_vtl2 = true, .vtl2_size = 512 * MIB, .vtl2_align = 2 * MIB });

	ASSERT_RAM({ 0, 0, 0xc0000000 }, { 0, 0x100000000, 0x140000000 });
	assert_range(layout.chipset_low, 0xf8000000, 0x100000000);
	assert_range(layout.chipset_high, 0x140000000, 0x160000000);
	assert_range(COMPLEX(0).low, 0xf4000000, 0xf8000000);
	assert_range(COMPLEX(0).high, 0x180000000, 0x1c0000000);
	assert_range(COMPLEX(0).ecam, 0x160000000, 0x170000000);
	assert_range(layout.vtl2, 0x1c0000000, 0x1e0000000);
	cr_assert_eq(layout.version, 2);
}

Test(resolver, version_2_aligns_what_lies_above_ram)
{
	resolve((LayoutShape){ X86_2, NODES(519426 * MIB) });

	cr_assert_eq(layout.end_of_ram, 0x7f10200000);
	assert_range(layout.chipset_high, 0x7f80000000, 0x7fa0000000);
}

Test(resolver, version_2_splits_ram_at_2_mib_around_reserved_ranges)
{
	const ReservedIova reserved[] = { *reserved_iova_profile("arm64-msi") };

	resolve((LayoutShape){
		ARM_2, NODES(4 * GIB), .reserved_iova = { reserved, ARRAY_COUNT(reserved) } });

	ASSERT_RAM({ 0, 0, 0x8000000 }, { 0, 0x8200000, 0xc0000000 },
		{ 0, 0x100000000, 0x140200000 });
	cr_assert_eq(layout.placements.items[1].item, LAYOUT_ITEM_RESERVED_IOVA);
	assert_range(layout.placements.items[1].range, 0x8000000, 0x8100000);
}

Test(resolver, version_2_goes_around_hypertransport)
{
	const ReservedIova reserved[] = { *reserved_iova_profile("amd-ht") };
	const ReservedIovaList list = { reserved, ARRAY_COUNT(reserved) };

	resolve((LayoutShape){ X86_2, NODES(TIB), .reserved_iova = list });
	ASSERT_RAM({ 0, 0, 0xc0000000 }, { 0, 0x100000000, 0xfd00000000 },
		{ 0, 0x10000000000, 0x10340000000 });

	resolve((LayoutShape){ X86_2, NODES(1011 * GIB), .reserved_iova = list });
	cr_assert_eq(layout.end_of_ram, 0xfd00000000);
	assert_range(layout.chipset_high, 0x10000000000, 0x10020000000);
	cr_assert_null(reserved_iova_profile("sparc"));
}

Test(resolver, version_2_has_a_low_window_for_firmware)
{
	resolve((LayoutShape){
		ARM_2, NODES(4 * GIB), .ram_start = GIB, .low_window_size = 32 * MIB });
	ASSERT_RAM({ 0, 0, 0x2000000 }, { 0, 0x40000000, 0xc0000000 },
		{ 0, 0x100000000, 0x17e000000 });
	assert_range(layout.placements.items[1].range, 0x2000000, 0x40000000);

	resolve((LayoutShape){
		ARM_2, NODES(2 * GIB), .ram_start = GIB, .low_window_size = 64 * MIB });
	ASSERT_RAM({ 0, 0, 0x4000000 }, { 0, 0x40000000, 0xbc000000 });

	resolve((LayoutShape){
		ARM_2, NODES(48 * MIB), .ram_start = GIB, .low_window_size = 64 * MIB });
	ASSERT_RAM({ 0, 0, 0x3000000 });
}

Test(resolver, version_2_never_starts_the_high_window_of_arm64_at_4_gib)
{
	resolve((LayoutShape){ ARM_2, NODES(2 * GIB) });
	assert_range(layout.chipset_high, 0x140000000, 0x160000000);

	resolve((LayoutShape){ X86_2, NODES(2 * GIB) });
	assert_range(layout.chipset_high, 0x100000000, 0x120000000);
}

Test(resolver, version_2_grows_the_device_space_for_the_chipset_only)
{
	LayoutShape shape = { X86_2, NODES(4 * GIB) };

	shape.chipset_low_size = 1536 * MIB;
	resolve(shape);
	ASSERT_RAM({ 0, 0, 0x80000000 }, { 0, 0x100000000, 0x180000000 });
	layout = (ResolvedLayout){ .top = 42 };
	shape.device_space_size = GIB;
	refuse(shape, PVW_RESOLVE_0014, "0x60000000");
	shape.chipset_low_size = 128 * MIB;
	shape.device_space_size = 5 * GIB / 2;
	refuse(shape, PVW_RESOLVE_0014, "0xa0000000");
	shape.device_space_size = FOUR_GIB;
	refuse(shape, PVW_RESOLVE_0014, "0x100000000");
}

Test(resolver, version_2_does_without_windows_that_nobody_wants)
{
	resolve((LayoutShape){ X86_2, NODES(GIB), COMPLEXES({ .name = "rc0", .end_bus = 3 }) });

	cr_assert(memory_range_is_empty(COMPLEX(0).low));
	cr_assert(memory_range_is_empty(COMPLEX(0).high));
	cr_assert_eq(memory_range_len(COMPLEX(0).ecam), 4 * MIB);
}

Test(resolver, version_2_joins_reserved_ranges_and_names_them)
{
	const ReservedIova reserved[] = { { { 6 * GIB, 7 * GIB }, "b" },
		{ { 5 * GIB, 6 * GIB }, "a" }, { { 5 * GIB, 6 * GIB - MIB }, "c" } };
	char text[LAYOUT_TAG_SIZE];

	resolve((LayoutShape){
		X86_2, NODES(8 * GIB), .reserved_iova = { reserved, ARRAY_COUNT(reserved) } });

	cr_assert_eq(layout.placements.items[3].item, LAYOUT_ITEM_RESERVED_IOVA);
	assert_range(layout.placements.items[3].range, 5 * GIB, 7 * GIB);
	cr_assert_str_eq(
		layout_tag_write(layout.placements.items[3].tag, text), "reserved-iova-a");
}

Test(resolver, version_2_names_the_space_that_is_full)
{
	refuse((LayoutShape){ X86_2, NODES(GIB),
		       COMPLEXES({ .name = "rc9", .low = { .size = GIB } }) },
		PVW_ALLOC_0004,
		"the device space of 0x40000000 bytes is full: pcie-rc9-low-mmio: no place");
}

Test(resolver, version_2_refuses_windows_in_the_space_of_ram)
{
	refuse((LayoutShape){ X86_2, NODES(GIB),
		       COMPLEXES({ .name = "rc9", .low = { .fixed = { GIB, 2 * GIB } } }) },
		PVW_RESOLVE_0015, "rc9 has its low window at 0x40000000-0x80000000");
	refuse((LayoutShape){ X86_2, NODES(8 * GIB),
		       COMPLEXES(
			       { .name = "rc9", .high = { .fixed = { 8 * GIB, 16 * GIB } } }) },
		PVW_RESOLVE_0015, "rc9 has its high window");
}

Test(resolver, version_2_refuses_reserved_ranges_where_nothing_can_move)
{
	const ReservedIova chipset[] = { { { 0xfa000000, 0xfa001000 }, "msi" } };
	const ReservedIova zone[] = { { { 0xfee00000, 0xfef00000 }, "msi" } };
	const ReservedIova empty[] = { { { 0x1000, 0x1000 }, "none" } };

	refuse((LayoutShape){ X86_2, NODES(GIB), .reserved_iova = { chipset, 1 } },
		PVW_ALLOC_0003, "reserved-iova-msi");
	refuse((LayoutShape){ X86_2, NODES(GIB), .reserved_iova = { empty, 1 } },
		PVW_RESOLVE_0017, "none");
	refuse((LayoutShape){ X86_2, NODES(GIB),
		       .reserved_iova = { empty, LAYOUT_MAX_RESERVED + 1 } },
		PVW_RESOLVE_0011, "65 reserved");
	resolve((LayoutShape){ X86_2, NODES(GIB), .reserved_iova = { zone, 1 } });
}

Test(resolver, version_2_refuses_low_windows_that_do_not_fit)
{
	const ReservedIova reserved[] = { { { 0x1000000, 0x1001000 }, "low" } };
	LayoutShape shape = { ARM_2, NODES(GIB), .ram_start = GIB, .low_window_size = GIB };

	refuse(shape, PVW_RESOLVE_0016, "0x40000000");
	shape.low_window_size = 16 * MIB;
	refuse(shape, PVW_RESOLVE_0016, "0x1000000 bytes");
	shape.low_window_size = 33 * MIB;
	refuse(shape, PVW_RESOLVE_0016, "0x2100000");
	shape.low_window_size = 32 * MIB;
	shape.reserved_iova = (ReservedIovaList){ reserved, 1 };
	refuse(shape, PVW_RESOLVE_0016, "0x1000000-0x1001000");
	shape.low_window_size = 0;
	shape.ram_start = 0xe0000000;
	refuse(shape, PVW_RESOLVE_0006, "device space");
}

Test(resolver, version_2_refuses_alignments_that_are_none)
{
	LayoutShape shape = { X86_2, NODES(GIB), .bar_align_max = 3 * GIB };

	refuse(shape, PVW_RESOLVE_0018, "0xc0000000");
	shape.bar_align_max = MIB;
	refuse(shape, PVW_RESOLVE_0018, "0x100000");
}

Test(resolver, version_2_refuses_high_windows_beyond_all_addresses)
{
	LayoutShape shape = { X86_2, NODES(GIB) };

	shape.chipset_high_size = 0xfffffffffffff000;
	refuse(shape, PVW_RESOLVE_0008, "0xfffffffffffff000");
}

Test(resolver, version_2_has_a_device_space_of_3_gib_for_huge_chipset_windows)
{
	LayoutShape shape = { X86_2, NODES(4 * GIB) };

	shape.chipset_low_size = 3 * GIB;
	resolve(shape);
	ASSERT_RAM({ 0, 0, 0x40000000 }, { 0, 0x100000000, 0x1c0000000 });
	assert_range(layout.chipset_low, 0x40000000, 0x100000000);
	layout = (ResolvedLayout){ .top = 42 };
	shape.chipset_low_size = 3 * GIB + 1;
	refuse(shape, PVW_RESOLVE_0014, "0xc0001000");
}

Test(resolver, version_2_aligns_more_behind_a_device_space_of_3_gib)
{
	LayoutShape shape = { X86_2, NODES(600 * GIB) };

	shape.device_space_size = 3 * GIB;
	resolve(shape);
	cr_assert_eq(layout.end_of_ram, 603 * GIB);
	cr_assert_eq(layout.chipset_high.start, 608 * GIB);
}

Test(resolver, version_1_knows_nothing_of_what_version_2_adds)
{
	const ReservedIova reserved[] = { *reserved_iova_profile("amd-ht") };

	refuse((LayoutShape){ X86, NODES(GIB), .device_space_size = GIB }, PVW_RESOLVE_0013,
		"device space");
	refuse((LayoutShape){ X86, NODES(GIB), .ram_start = GIB, .low_window_size = 32 * MIB },
		PVW_RESOLVE_0013, "low window");
	refuse((LayoutShape){ X86, NODES(GIB), .bar_align_max = GIB }, PVW_RESOLVE_0013,
		"alignments");
	refuse((LayoutShape){ X86, NODES(GIB), .reserved_iova = { reserved, 1 } },
		PVW_RESOLVE_0013, "reserved");
}

Test(resolver, tells_the_largest_bar_of_a_window)
{
	cr_assert_eq(layout_largest_bar((MemoryRange){ GIB, 2 * GIB }), GIB);
	cr_assert_eq(layout_largest_bar((MemoryRange){ GIB, 4 * GIB }), 2 * GIB);
	cr_assert_eq(layout_largest_bar((MemoryRange){ GIB / 2, 3 * GIB / 2 }), GIB / 2);
	cr_assert_eq(layout_largest_bar((MemoryRange){ PAGE_SIZE, 2 * PAGE_SIZE }), PAGE_SIZE);
	cr_assert_eq(layout_largest_bar(MEMORY_RANGE_EMPTY), 0);
}
