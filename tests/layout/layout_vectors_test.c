/*
 * Addresses that guests remember, every one of them: the reference's, written out. A change here
 * is a change of a contract, and wants a new layout version.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "layout/resolver.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)

#define NODES(...)                                                                             \
	.node_sizes = (const uint64_t[]){ __VA_ARGS__ },                                       \
	.node_count = sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t)
#define COMPLEXES(...)                                                                         \
	.root_complexes = (const RootComplexShape[]){ __VA_ARGS__ },                           \
	.root_complex_count =                                                                  \
		sizeof((const RootComplexShape[]){ __VA_ARGS__ }) / sizeof(RootComplexShape)
#define BITS_46 .version = 1, .address_bits = 46
#define LOW_X86 .arch = GUEST_ARCH_X86_64, .chipset_low_size = 128 * MIB
#define LOW_ARM .arch = GUEST_ARCH_AARCH64, .chipset_low_size = 512 * MIB
#define HIGH .chipset_high_size = 512 * MIB
#define X86 LOW_X86, HIGH, BITS_46
#define ARM LOW_ARM, HIGH, BITS_46

#define RC(rc, low_size, high_size)                                                            \
	.name = rc, .low = { .size = (low_size) }, .high = { .size = (high_size) }
#define BUSES(first, last) .start_bus = (first), .end_bus = (last)
#define DEFAULT_RC RC("rc0", 64 * MIB, GIB), BUSES(0, 255)

#define MAX_PLACED 24

typedef struct Placed {
	const char *tag;
	uint64_t start, end;
} Placed;

typedef struct Vector {
	const char *name;
	LayoutShape shape;
	Placed placed[MAX_PLACED]; /* everything, ascending */
} Vector;

#define RAM0(start, end)                                                                       \
	{                                                                                      \
		"ram0", start, end                                                             \
	}
#define LOW_WINDOW_X86                                                                         \
	{                                                                                      \
		"chipset-low-mmio", 0xf8000000, 0x100000000                                    \
	}
#define LOW_WINDOW_ARM                                                                         \
	{                                                                                      \
		"chipset-low-mmio", 0xe0000000, 0x100000000                                    \
	}
#define GAP_ARM                                                                                \
	{                                                                                      \
		"low-ram-gap", 0, 0x40000000                                                   \
	}
#define HIGH_WINDOW(start)                                                                     \
	{                                                                                      \
		"chipset-high-mmio", start, start + 0x20000000                                 \
	}

static const Vector vectors[] = {
	{ "x86-64, 2 GiB", { X86, NODES(2 * GIB) },
		{ RAM0(0, 0x80000000), LOW_WINDOW_X86, HIGH_WINDOW(0x100000000) } },
	{ "x86-64, 8 GiB", { X86, NODES(8 * GIB) },
		{ RAM0(0, 0xc0000000), LOW_WINDOW_X86, RAM0(0x100000000, 0x240000000),
			HIGH_WINDOW(0x240000000) } },
	{ "x86-64, 4 GiB and a root complex",
		{ X86, NODES(4 * GIB), COMPLEXES({ DEFAULT_RC }) },
		{ RAM0(0, 0xc0000000), { "pcie-rc0-low-mmio", 0xf4000000, 0xf8000000 },
			LOW_WINDOW_X86, RAM0(0x100000000, 0x140000000),
			{ "pcie-rc0-high-mmio", 0x140000000, 0x180000000 },
			HIGH_WINDOW(0x180000000),
			{ "pcie-seg0-ecam", 0x1a0000000, 0x1b0000000 } } },
	{ "x86-64, the same without it", { X86, NODES(4 * GIB) },
		{ RAM0(0, 0xc0000000), LOW_WINDOW_X86, RAM0(0x100000000, 0x140000000),
			HIGH_WINDOW(0x140000000) } },
	{ "x86-64, no VMBus, virtio and an IOMMU",
		{ LOW_X86, BITS_46, NODES(8 * GIB), .virtio_mmio_count = 3,
			COMPLEXES({ DEFAULT_RC, .iommu = IOMMU_INTEL_VTD }) },
		{ RAM0(0, 0xc0000000), { "intel-vtd-0", 0xf3ffc000, 0xf3ffd000 },
			{ "virtio-mmio", 0xf3ffd000, 0xf4000000 },
			{ "pcie-rc0-low-mmio", 0xf4000000, 0xf8000000 }, LOW_WINDOW_X86,
			RAM0(0x100000000, 0x240000000),
			{ "pcie-rc0-high-mmio", 0x240000000, 0x280000000 },
			{ "pcie-seg0-ecam", 0x280000000, 0x290000000 } } },
	{ "x86-64, four nodes, one without memory",
		{ X86, NODES(2 * GIB, 0, 3 * GIB, 512 * MIB) },
		{ RAM0(0, 0x80000000), { "ram2", 0x80000000, 0xc0000000 }, LOW_WINDOW_X86,
			{ "ram2", 0x100000000, 0x180000000 },
			{ "ram3", 0x180000000, 0x1a0000000 }, HIGH_WINDOW(0x1a0000000) } },
	{ "x86-64, VTL2",
		{ X86, NODES(4 * GIB), .vtl2_chipset_size = GIB, .has_vtl2 = true,
			.vtl2_size = 512 * MIB, .vtl2_align = 2 * MIB,
			.vtl2_framebuffer_size = 8 * MIB },
		{ RAM0(0, 0xc0000000), LOW_WINDOW_X86, RAM0(0x100000000, 0x140000000),
			HIGH_WINDOW(0x140000000),
			{ "vtl2-chipset-mmio", 0x160000000, 0x1a0000000 },
			{ "vtl2", 0x1a0000000, 0x1c0000000 },
			{ "vtl2-framebuffer", 0x1c0000000, 0x1c0800000 } } },
	{ "x86-64, a shared segment, CXL, IOMMUs",
		{ X86, NODES(6 * GIB),
			COMPLEXES({ RC("rc0", 32 * MIB, 4 * GIB), BUSES(0, 15),
					  .iommu = IOMMU_AMD_VI },
				{ RC("rc1", 32 * MIB, 2 * GIB), BUSES(16, 31),
					.iommu = IOMMU_AMD_VI },
				{ RC("rc2", 64 * MIB, GIB), BUSES(0, 63), .segment = 1,
					.has_cxl = true, .cxl_hdm_size = 2 * GIB }) },
		{ RAM0(0, 0xc0000000), { "amd-iommu-1", 0xefff8000, 0xefffc000 },
			{ "amd-iommu-0", 0xefffc000, 0xf0000000 },
			{ "pcie-rc1-low-mmio", 0xf0000000, 0xf2000000 },
			{ "pcie-rc0-low-mmio", 0xf2000000, 0xf4000000 },
			{ "pcie-rc2-low-mmio", 0xf4000000, 0xf8000000 }, LOW_WINDOW_X86,
			RAM0(0x100000000, 0x1c0000000),
			{ "pcie-rc0-high-mmio", 0x1c0000000, 0x2c0000000 },
			{ "pcie-rc1-high-mmio", 0x2c0000000, 0x340000000 },
			{ "pcie-rc2-high-mmio", 0x340000000, 0x380000000 },
			{ "pcie-rc2-cxl-hdm", 0x380000000, 0x400000000 },
			HIGH_WINDOW(0x400000000),
			{ "pcie-seg1-ecam", 0x420000000, 0x424000000 },
			{ "pcie-seg0-ecam", 0x424000000, 0x426000000 },
			{ "pcie-rc2-cxl-chbcr", 0x426000000, 0x426010000 } } },
	{ "x86-64, ECAM below 4 GiB",
		{ X86, NODES(512 * MIB), .ecam_below_4gib = true, COMPLEXES({ DEFAULT_RC }) },
		{ RAM0(0, 0x20000000), { "pcie-seg0-ecam", 0xe4000000, 0xf4000000 },
			{ "pcie-rc0-low-mmio", 0xf4000000, 0xf8000000 }, LOW_WINDOW_X86,
			{ "pcie-rc0-high-mmio", 0x100000000, 0x140000000 },
			HIGH_WINDOW(0x140000000) } },
	{ "x86-64, fixed windows",
		{ X86, NODES(16 * GIB),
			COMPLEXES({ .name = "rc0",
				.low = { .fixed = { 0xd0000000, 0xd4000000 } },
				.high = { .fixed = { 0x4000000000, 0x4400000000 } },
				BUSES(0, 255) }) },
		{ RAM0(0, 0xc0000000), { "pcie-rc0-low-mmio", 0xd0000000, 0xd4000000 },
			LOW_WINDOW_X86, RAM0(0x100000000, 0x440000000),
			HIGH_WINDOW(0x440000000),
			{ "pcie-seg0-ecam", 0x460000000, 0x470000000 },
			{ "pcie-rc0-high-mmio", 0x4000000000, 0x4400000000 } } },
	{ "x86-64, the same and VTL2 behind it",
		{ X86, NODES(16 * GIB), .has_vtl2 = true, .vtl2_size = MIB, .vtl2_align = MIB,
			COMPLEXES({ .name = "rc0",
				.low = { .fixed = { 0xd0000000, 0xd4000000 } },
				.high = { .fixed = { 0x4000000000, 0x4400000000 } },
				BUSES(0, 255) }) },
		{ RAM0(0, 0xc0000000), { "pcie-rc0-low-mmio", 0xd0000000, 0xd4000000 },
			LOW_WINDOW_X86, RAM0(0x100000000, 0x440000000),
			HIGH_WINDOW(0x440000000),
			{ "pcie-seg0-ecam", 0x460000000, 0x470000000 },
			{ "pcie-rc0-high-mmio", 0x4000000000, 0x4400000000 },
			{ "vtl2", 0x4400000000, 0x4400100000 } } },
	{ "x86-64, the least of everything",
		{ .arch = GUEST_ARCH_X86_64, BITS_46, NODES(64 * MIB) },
		{ RAM0(0, 0x4000000), { "chipset-low-mmio", 0xfe000000, 0x100000000 } } },

	{ "aarch64, Linux, 2 GiB", { ARM, NODES(2 * GIB), .ram_start = GIB },
		{ GAP_ARM, RAM0(0x40000000, 0xc0000000), LOW_WINDOW_ARM,
			HIGH_WINDOW(0x100000000) } },
	{ "aarch64, Linux, 8 GiB", { ARM, NODES(8 * GIB), .ram_start = GIB },
		{ GAP_ARM, RAM0(0x40000000, 0xc0000000), LOW_WINDOW_ARM,
			RAM0(0x100000000, 0x280000000), HIGH_WINDOW(0x280000000) } },
	{ "aarch64, UEFI, 4 GiB", { ARM, NODES(4 * GIB) },
		{ RAM0(0, 0xc0000000), LOW_WINDOW_ARM, RAM0(0x100000000, 0x140000000),
			HIGH_WINDOW(0x140000000) } },
	{ "aarch64, Linux, two segments with SMMUs",
		{ ARM, NODES(4 * GIB), .ram_start = GIB,
			COMPLEXES({ DEFAULT_RC, .iommu = IOMMU_SMMU },
				{ RC("rc1", 64 * MIB, 8 * GIB), BUSES(0, 255), .segment = 1,
					.iommu = IOMMU_SMMU }) },
		{ GAP_ARM, RAM0(0x40000000, 0xc0000000), { "smmu-1", 0xd7fc0000, 0xd7fe0000 },
			{ "smmu-0", 0xd7fe0000, 0xd8000000 },
			{ "pcie-rc1-low-mmio", 0xd8000000, 0xdc000000 },
			{ "pcie-rc0-low-mmio", 0xdc000000, 0xe0000000 }, LOW_WINDOW_ARM,
			RAM0(0x100000000, 0x180000000),
			{ "pcie-rc1-high-mmio", 0x180000000, 0x380000000 },
			{ "pcie-rc0-high-mmio", 0x380000000, 0x3c0000000 },
			HIGH_WINDOW(0x3c0000000),
			{ "pcie-seg0-ecam", 0x3e0000000, 0x3f0000000 },
			{ "pcie-seg1-ecam", 0x3f0000000, 0x400000000 } } },
	{ "aarch64, Linux, two nodes", { ARM, NODES(GIB, 1536 * MIB), .ram_start = GIB },
		{ GAP_ARM, RAM0(0x40000000, 0x80000000), { "ram1", 0x80000000, 0xe0000000 },
			LOW_WINDOW_ARM, HIGH_WINDOW(0x100000000) } },
	{ "aarch64, IGVM, VTL2",
		{ ARM, NODES(2 * GIB), .vtl2_chipset_size = GIB, .has_vtl2 = true,
			.vtl2_size = 128 * MIB, .vtl2_align = 2 * MIB },
		{ RAM0(0, 0x80000000), LOW_WINDOW_ARM, HIGH_WINDOW(0x100000000),
			{ "vtl2-chipset-mmio", 0x120000000, 0x160000000 },
			{ "vtl2", 0x160000000, 0x168000000 } } },

	/* Cliffs: what RAM and devices do to each other. */
	{ "the last size in one piece", { X86, NODES(3968 * MIB) },
		{ RAM0(0, 0xf8000000), LOW_WINDOW_X86, HIGH_WINDOW(0x100000000) } },
	{ "a MiB more", { X86, NODES(3969 * MIB) },
		{ RAM0(0, 0xc0000000), LOW_WINDOW_X86, RAM0(0x100000000, 0x138100000),
			HIGH_WINDOW(0x138200000) } },
	{ "a slot more", { X86, NODES(3968 * MIB), .virtio_mmio_count = 1 },
		{ RAM0(0, 0xc0000000), { "virtio-mmio", 0xf7fff000, 0xf8000000 },
			LOW_WINDOW_X86, RAM0(0x100000000, 0x138000000),
			HIGH_WINDOW(0x138000000) } },
	{ "the last size below a root complex",
		{ X86, NODES(3904 * MIB), COMPLEXES({ DEFAULT_RC }) },
		{ RAM0(0, 0xf4000000), { "pcie-rc0-low-mmio", 0xf4000000, 0xf8000000 },
			LOW_WINDOW_X86, { "pcie-rc0-high-mmio", 0x100000000, 0x140000000 },
			HIGH_WINDOW(0x140000000),
			{ "pcie-seg0-ecam", 0x160000000, 0x170000000 } } },
	{ "a MiB more below a root complex",
		{ X86, NODES(3905 * MIB), COMPLEXES({ DEFAULT_RC }) },
		{ RAM0(0, 0xc0000000), { "pcie-rc0-low-mmio", 0xf4000000, 0xf8000000 },
			LOW_WINDOW_X86, RAM0(0x100000000, 0x134100000),
			{ "pcie-rc0-high-mmio", 0x140000000, 0x180000000 },
			HIGH_WINDOW(0x180000000),
			{ "pcie-seg0-ecam", 0x1a0000000, 0x1b0000000 } } },
	{ "1.5 GiB stay 1.5 GiB", { X86, NODES(1536 * MIB) },
		{ RAM0(0, 0x60000000), LOW_WINDOW_X86, HIGH_WINDOW(0x100000000) } },
	{ "nodes that fit exactly", { X86, NODES(3 * GIB, 896 * MIB) },
		{ RAM0(0, 0xc0000000), { "ram1", 0xc0000000, 0xf8000000 }, LOW_WINDOW_X86,
			HIGH_WINDOW(0x100000000) } },
	{ "across HyperTransport, which nobody reserved",
		{ LOW_X86, HIGH, .version = 1, .address_bits = 40, NODES(1035776 * MIB) },
		{ RAM0(0, 0xc0000000), LOW_WINDOW_X86, RAM0(0x100000000, 0xfd20000000),
			HIGH_WINDOW(0xfd20000000) } },
	{ "a low window that moves all RAM up",
		{ X86, NODES(GIB), COMPLEXES({ RC("rc0", 3584 * MIB, GIB), BUSES(0, 255) }) },
		{ { "pcie-rc0-low-mmio", 0x18000000, 0xf8000000 }, LOW_WINDOW_X86,
			RAM0(0x100000000, 0x140000000),
			{ "pcie-rc0-high-mmio", 0x140000000, 0x180000000 },
			HIGH_WINDOW(0x180000000),
			{ "pcie-seg0-ecam", 0x1a0000000, 0x1b0000000 } } },
	{ "a start of RAM is a floor, 1 GiB", { X86, NODES(GIB), .ram_start = 0x1000 },
		{ { "low-ram-gap", 0, 0x1000 }, RAM0(0x40000000, 0x80000000), LOW_WINDOW_X86,
			HIGH_WINDOW(0x100000000) } },
	{ "a start of RAM is a floor, 512 MiB", { X86, NODES(512 * MIB), .ram_start = 0x1000 },
		{ { "low-ram-gap", 0, 0x1000 }, RAM0(0x200000, 0x20200000), LOW_WINDOW_X86,
			HIGH_WINDOW(0x100000000) } },
};

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

TestSuite(layout_vectors, .init = begin, .fini = end);

static void assert_placed(const Vector *vector, LayoutPlacementList list)
{
	char tag[LAYOUT_TAG_SIZE];

	for (size_t i = 0; i < list.count; i++) {
		const Placed *expected = &vector->placed[i];

		cr_assert(expected->tag, "%s: %zu placements", vector->name, list.count);
		layout_tag_write(list.items[i].tag, tag);
		cr_assert(strcmp(tag, expected->tag) == 0 &&
				list.items[i].range.start == expected->start &&
				list.items[i].range.end == expected->end,
			"%s: %s at " RANGE_FORMAT ", expected %s at " RANGE_FORMAT,
			vector->name, tag, RANGE_ARGS(list.items[i].range), expected->tag,
			expected->start, expected->end);
	}
	cr_assert_null(vector->placed[list.count].tag, "%s: %s is missing", vector->name,
		vector->placed[list.count].tag);
}

Test(layout_vectors, version_1_never_gives_other_addresses)
{
	ResolvedLayout layout;

	for (size_t i = 0; i < ARRAY_COUNT(vectors); i++) {
		cr_assert(resolver_run(&vectors[i].shape, arena, &layout, &err), "%s: %s",
			vectors[i].name, err.text);
		assert_placed(&vectors[i], layout.placements);
	}
}

/* The views say the same as the list, where a segment is shared. */
Test(layout_vectors, version_1_shares_the_block_of_a_segment)
{
	const Vector *shared = &vectors[7];
	ResolvedLayout layout;

	cr_assert(resolver_run(&shared->shape, arena, &layout, &err), "%s", err.text);
	cr_assert_eq(layout.root_complexes[0].ecam.start, 0x424000000);
	cr_assert_eq(layout.root_complexes[0].ecam.end, 0x425000000);
	cr_assert_eq(layout.root_complexes[1].ecam.start, 0x425000000);
	cr_assert_eq(layout.root_complexes[1].ecam.end, 0x426000000);
	cr_assert(memory_range_is_empty(layout.root_complexes[2].iommu));
	cr_assert_eq(layout.top, 0x426010000);
}

/*
 * Refusals that have been told before, with the words that matter.
 */

typedef struct Refusal {
	const char *name;
	LayoutShape shape;
	uint16_t diagnostic;
	const char *word;
} Refusal;

static const Refusal refusals[] = {
	{ "32 bits", { LOW_X86, HIGH, .version = 1, .address_bits = 32, NODES(4 * GIB) },
		PVW_RESOLVE_0008, "0x160000000" },
	{ "two low windows of 2 GiB",
		{ X86, NODES(GIB),
			COMPLEXES({ RC("rc0", 2 * GIB, GIB) },
				{ RC("rc1", 2 * GIB, GIB), .segment = 1 }) },
		PVW_ALLOC_0004,
		"pcie-rc1-low-mmio: no place for 0x80000000 bytes aligned to 0x200000 (mmio32) "
		"in "
		"0x0-0x100000000: 0x78000000 bytes are free" },
	{ "ECAM at 0",
		{ X86, NODES(GIB), .ecam_below_4gib = true,
			COMPLEXES({ RC("rc0", 3712 * MIB, GIB), BUSES(0, 255) }) },
		PVW_RESOLVE_0009, "rc0 has its ECAM at 0x0, expected 0x10000000" },
	{ "a fixed window below the start of RAM",
		{ ARM, NODES(GIB), .ram_start = GIB,
			COMPLEXES({ .name = "rc0",
				.low = { .fixed = { 0x10000000, 0x20000000 } },
				.high = { .size = GIB } }) },
		PVW_ALLOC_0003, "low-ram-gap at 0x0-0x40000000 and pcie-rc0-low-mmio" },
	{ "RAM from 8 GiB", { ARM, NODES(GIB), .ram_start = 8 * GIB }, PVW_ALLOC_0003,
		"low-ram-gap at 0x0-0x200000000 and chipset-low-mmio" },
	{ "a window of an odd size",
		{ X86, NODES(GIB), COMPLEXES({ RC("rc0", MIB + 1, GIB) }) }, PVW_ALLOC_0001,
		"pcie-rc0-low-mmio: size 0x100001" },
	{ "a window of no size", { X86, NODES(GIB), COMPLEXES({ RC("rc0", 0, GIB) }) },
		PVW_RESOLVE_0021, "rc0 has no low window" },
	{ "a node of an odd size", { X86, NODES(4097) }, PVW_RESOLVE_0002,
		"NUMA node 0 has 0x1001 bytes" },
	{ "no nodes", { X86, .node_count = 0 }, PVW_RESOLVE_0001, "0 NUMA nodes" },
	{ "no memory", { X86, NODES(0, 0) }, PVW_RESOLVE_0001, "2 NUMA nodes" },
	{ "sizes that overflow", { X86, NODES(GIB, 0xfffffffffffff000) }, PVW_RESOLVE_0002,
		"0 to 1" },
	{ "a fixed low window across 4 GiB",
		{ X86, NODES(GIB),
			COMPLEXES({ .name = "rc7",
				.low = { .fixed = { 0xf0000000, 0x100001000 } },
				.high = { .size = GIB } }) },
		PVW_RESOLVE_0003, "rc7 has its low window at 0xf0000000-0x100001000" },
	{ "buses turned round",
		{ X86, NODES(GIB), COMPLEXES({ RC("rc7", MIB, GIB), BUSES(5, 4) }) },
		PVW_RESOLVE_0004, "rc7 starts at bus 5 and ends at bus 4" },
	{ "two kinds of IOMMU",
		{ X86, NODES(GIB),
			COMPLEXES({ RC("rc0", MIB, GIB), .iommu = IOMMU_AMD_VI },
				{ RC("rc1", MIB, GIB), .iommu = IOMMU_SMMU, .segment = 1 }) },
		PVW_RESOLVE_0005, "rc1 has an IOMMU of kind smmu, expected amd-vi" },
	{ "RAM from inside of a page", { X86, NODES(GIB), .ram_start = 1 }, PVW_RESOLVE_0006,
		"0x1" },
	{ "no address bits", { LOW_X86, HIGH, .version = 1, NODES(GIB) }, PVW_RESOLVE_0007,
		"0 bits" },
	{ "all address bits", { LOW_X86, HIGH, .version = 1, .address_bits = 64, NODES(GIB) },
		PVW_RESOLVE_0007, "64 bits" },
	{ "an odd high chipset window",
		{ LOW_X86, BITS_46, .chipset_high_size = 5, NODES(GIB) }, PVW_ALLOC_0001,
		"chipset-high-mmio: size 0x5" },
	{ "an odd VTL2", { X86, NODES(GIB), .has_vtl2 = true, .vtl2_align = MIB },
		PVW_ALLOC_0001, "vtl2: size 0x0" },
	{ "an odd alignment of VTL2",
		{ X86, NODES(GIB), .has_vtl2 = true, .vtl2_size = MIB, .vtl2_align = 3 * MIB },
		PVW_ALLOC_0002, "vtl2: alignment 0x300000" },
	{ "an odd frame buffer", { X86, NODES(GIB), .vtl2_framebuffer_size = 1 },
		PVW_ALLOC_0001, "vtl2-framebuffer: size 0x1" },
	{ "an odd window of VTL2", { X86, NODES(GIB), .vtl2_chipset_size = 1 }, PVW_ALLOC_0001,
		"vtl2-chipset-mmio: size 0x1" },
	{ "odd CXL memory",
		{ X86, NODES(GIB),
			COMPLEXES(
				{ RC("rc3", MIB, GIB), .has_cxl = true, .cxl_hdm_size = 7 }) },
		PVW_ALLOC_0001, "pcie-rc3-cxl-hdm: size 0x7" },
	{ "too many slots", { X86, NODES(GIB), .virtio_mmio_count = UINT32_MAX },
		PVW_ALLOC_0004, "virtio-mmio: no place for 0xffffffff000 bytes" },
	{ "more RAM than addresses", { X86, NODES(0xfffffffffffff000) }, PVW_ALLOC_0004,
		"ram0: no place" },
	{ "more window than addresses",
		{ LOW_X86, BITS_46, .chipset_high_size = 0xfffffffffffff000, NODES(GIB) },
		PVW_ALLOC_0004, "chipset-high-mmio: no place" },
	{ "more VTL2 than addresses",
		{ X86, NODES(GIB), .has_vtl2 = true, .vtl2_size = 0xfffffffffffff000,
			.vtl2_align = MIB },
		PVW_ALLOC_0004, "vtl2: no place" },
};

Test(layout_vectors, refuses_in_words_that_name_what_is_wrong)
{
	for (size_t i = 0; i < ARRAY_COUNT(refusals); i++) {
		const Refusal *refusal = &refusals[i];
		ResolvedLayout layout, before;

		memset(&layout, 0x5a, sizeof(layout));
		before = layout;
		cr_assert_not(resolver_run(&refusal->shape, arena, &layout, &err), "%s",
			refusal->name);
		cr_assert_eq(err.diagnostic, refusal->diagnostic, "%s: %s: %s", refusal->name,
			diagnostic_row(err.diagnostic)->name, err.text);
		cr_assert(strstr(err.text, refusal->word), "%s: %s", refusal->name, err.text);
		cr_assert_eq(memcmp(&layout, &before, sizeof(layout)), 0, "%s", refusal->name);
	}
}

/*
 * What version 2 offers, as the plain allocator would have it: these requests, these addresses.
 */

#define MAX_REQUESTS 6

typedef struct Plain {
	const char *name;
	AllocatorRequest requests[MAX_REQUESTS];
	Placed placed[MAX_PLACED];
} Plain;

#define PINNED(kind_of, tag_of, first, last)                                                   \
	{                                                                                      \
		.tag = { .text = tag_of }, .kind = PLACEMENT_##kind_of, .range = {             \
			first,                                                                 \
			last                                                                   \
		}                                                                              \
	}
#define WANTED(kind_of, tag_of, bytes, alignment)                                              \
	{                                                                                      \
		.tag = { .text = tag_of }, .kind = PLACEMENT_##kind_of, .size = (bytes),       \
		.align = (alignment)                                                           \
	}
#define WANT_HIGH WANTED(MMIO64, "high", 512 * MIB, 2 * MIB)
#define LOW_OF_X86 PINNED(FIXED, "low", 0xf8000000, 0x100000000)
#define LOW_OF_ARM PINNED(FIXED, "low", 0xe0000000, 0x100000000)
#define MSI PINNED(RESERVED, "msi", 0x8000000, 0x8100000)
#define HYPERTRANSPORT PINNED(RESERVED, "ht", 0xfd00000000, 0x10000000000)

static const Plain plains[] = {
	{ "a low window of 32 MiB, 4 GiB",
		{ PINNED(RESERVED, "gap", 0x2000000, 0x40000000), LOW_OF_ARM, WANT_HIGH,
			WANTED(RAM, "ram0-low", 32 * MIB, 2 * MIB),
			WANTED(RAM, "ram0", 4064 * MIB, GIB) },
		{ { "ram0-low", 0, 0x2000000 }, { "gap", 0x2000000, 0x40000000 },
			{ "ram0", 0x40000000, 0xc0000000 }, { "low", 0xe0000000, 0x100000000 },
			{ "ram0", 0x100000000, 0x17e000000 },
			{ "high", 0x17e000000, 0x19e000000 } } },
	{ "a low window of 64 MiB, 2 GiB",
		{ PINNED(RESERVED, "gap", 0x4000000, 0x40000000), LOW_OF_ARM, WANT_HIGH,
			WANTED(RAM, "ram0-low", 64 * MIB, 2 * MIB),
			WANTED(RAM, "ram0", 1984 * MIB, GIB) },
		{ { "ram0-low", 0, 0x4000000 }, { "gap", 0x4000000, 0x40000000 },
			{ "ram0", 0x40000000, 0xbc000000 }, { "low", 0xe0000000, 0x100000000 },
			{ "high", 0x100000000, 0x120000000 } } },
	{ "a low window of 64 MiB, 512 MiB",
		{ PINNED(RESERVED, "gap", 0x4000000, 0x40000000), LOW_OF_ARM, WANT_HIGH,
			WANTED(RAM, "ram0-low", 64 * MIB, 2 * MIB),
			WANTED(RAM, "ram0", 448 * MIB, 2 * MIB) },
		{ { "ram0-low", 0, 0x4000000 }, { "gap", 0x4000000, 0x40000000 },
			{ "ram0", 0x40000000, 0x5c000000 }, { "low", 0xe0000000, 0x100000000 },
			{ "high", 0x100000000, 0x120000000 } } },
	{ "a low window of 64 MiB, 48 MiB",
		{ PINNED(RESERVED, "gap", 0x4000000, 0x40000000), LOW_OF_ARM, WANT_HIGH,
			WANTED(RAM, "ram0-low", 48 * MIB, 2 * MIB) },
		{ { "ram0-low", 0, 0x3000000 }, { "gap", 0x4000000, 0x40000000 },
			{ "low", 0xe0000000, 0x100000000 },
			{ "high", 0x100000000, 0x120000000 } } },
	{ "MSIs reserved, RAM in steps of 1 GiB",
		{ MSI, LOW_OF_ARM, WANT_HIGH, WANTED(RAM, "ram0", 4 * GIB, GIB) },
		{ { "msi", 0x8000000, 0x8100000 }, { "ram0", 0x40000000, 0xc0000000 },
			{ "low", 0xe0000000, 0x100000000 },
			{ "ram0", 0x100000000, 0x180000000 },
			{ "high", 0x180000000, 0x1a0000000 } } },
	{ "MSIs reserved, RAM in steps of 2 MiB",
		{ MSI, LOW_OF_ARM, WANT_HIGH, WANTED(RAM, "ram0", 4 * GIB, 2 * MIB) },
		{ { "ram0", 0, 0x8000000 }, { "msi", 0x8000000, 0x8100000 },
			{ "ram0", 0x8200000, 0xe0000000 }, { "low", 0xe0000000, 0x100000000 },
			{ "ram0", 0x100000000, 0x120200000 },
			{ "high", 0x120200000, 0x140200000 } } },
	{ "HyperTransport reserved, 1 TiB",
		{ HYPERTRANSPORT, LOW_OF_X86, WANT_HIGH, WANTED(RAM, "ram0", 1024 * GIB, GIB) },
		{ { "ram0", 0, 0xc0000000 }, { "low", 0xf8000000, 0x100000000 },
			{ "ram0", 0x100000000, 0xfd00000000 },
			{ "ht", 0xfd00000000, 0x10000000000 },
			{ "ram0", 0x10000000000, 0x10340000000 },
			{ "high", 0x10340000000, 0x10360000000 } } },
	{ "HyperTransport reserved, 1011 GiB",
		{ HYPERTRANSPORT, LOW_OF_X86, WANT_HIGH, WANTED(RAM, "ram0", 1011 * GIB, GIB) },
		{ { "ram0", 0, 0xc0000000 }, { "low", 0xf8000000, 0x100000000 },
			{ "ram0", 0x100000000, 0xfd00000000 },
			{ "ht", 0xfd00000000, 0x10000000000 },
			{ "high", 0x10000000000, 0x10020000000 } } },
};

Test(layout_vectors, the_allocator_places_what_version_2_offers)
{
	for (size_t i = 0; i < ARRAY_COUNT(plains); i++) {
		const Plain *plain = &plains[i];
		AllocatorRequestList list = { plain->requests, 0 };
		Allocation allocation;

		while (list.count < MAX_REQUESTS && plain->requests[list.count].tag.text)
			list.count++;
		cr_assert(
			allocator_run(list, arena, &allocation, NULL, &err), "%s", plain->name);
		for (size_t k = 0; k < allocation.count; k++) {
			const Placement *placement = &allocation.placements[k];
			const char *tag = plain->requests[placement->request].tag.text;

			cr_assert_str_eq(tag, plain->placed[k].tag, "%s", plain->name);
			cr_assert(placement->range.start == plain->placed[k].start &&
					placement->range.end == plain->placed[k].end,
				"%s: %s at " RANGE_FORMAT, plain->name, tag,
				RANGE_ARGS(placement->range));
		}
		cr_assert_null(plain->placed[allocation.count].tag, "%s", plain->name);
	}
}
