#include <criterion/criterion.h>
#include <string.h>

#include "layout/memory_layout.h"
#include "support/diagnostics.h"

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

TestSuite(memory_layout, .init = begin, .fini = end);

/* Expects a refusal that leaves @layout as it was. */
static void assert_refused(
	const LayoutRecord *records, size_t count, uint16_t diagnostic, const char *word)
{
	MemoryLayout layout = { .ram_size = 42 };

	cr_assert_not(memory_layout_build(
		(LayoutRecordList){ records, count }, arena, &layout, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(layout.ram_size, 42);
	cr_assert_null(layout.records.items);
}

static const LayoutRecord typical[] = {
	{ LAYOUT_MMIO, { 0x240000000, 0x260000000 }, 0, 0, "chipset-high" },
	{ LAYOUT_RAM, { 0x100000000, 0x200000000 }, 1, 0, "ram" },
	{ LAYOUT_VTL2, { 0x300000000, 0x310000000 }, 0, 0, NULL },
	{ LAYOUT_RAM, { 0x100000, 0xf8000000 }, 0, 0, "ram" },
	{ LAYOUT_PCI_ECAM, { 0x200000000, 0x210000000 }, 0, 0, NULL },
	{ LAYOUT_MMIO, { 0xf8000000, 0x100000000 }, 0, 0, "chipset-low" },
	{ LAYOUT_PCI_MMIO, { 0x210000000, 0x220000000 }, 0, 0, NULL },
};

static MemoryLayout typical_layout(void)
{
	MemoryLayout layout;

	cr_assert(memory_layout_build(
		(LayoutRecordList){ typical, ARRAY_COUNT(typical) }, arena, &layout, &err));
	return layout;
}

Test(memory_layout, sorts_and_sums_up)
{
	const MemoryLayout layout = typical_layout();

	cr_assert_eq(layout.records.count, ARRAY_COUNT(typical));
	for (size_t i = 1; i < layout.records.count; i++)
		cr_assert_leq(layout.records.items[i - 1].range.end,
			layout.records.items[i].range.start);
	cr_assert_eq(layout.ram.count, 2);
	cr_assert_eq(layout.ram.items[0].range.start, 0x100000);
	cr_assert_eq(layout.ram.items[1].vnode, 1);
	cr_assert_eq(layout.ram_size, 0xf7f00000 + 0x100000000);
	cr_assert_eq(layout.end_of_ram, 0x200000000);
	cr_assert_eq(layout.end_of_layout, 0x260000000);
}

Test(memory_layout, probe_finds_each_kind_but_not_vtl2)
{
	const MemoryLayout layout = typical_layout();
	const struct {
		uint64_t address;
		int kind; /* -1: nothing */
	} probes[] = {
		{ 0, -1 },
		{ 0xfffff, -1 },
		{ 0x100000, LAYOUT_RAM },
		{ 0xf7ffffff, LAYOUT_RAM },
		{ 0xf8000000, LAYOUT_MMIO },
		{ 0xffffffff, LAYOUT_MMIO },
		{ 0x100000000, LAYOUT_RAM },
		{ 0x200000000, LAYOUT_PCI_ECAM },
		{ 0x20fffffff, LAYOUT_PCI_ECAM },
		{ 0x210000000, LAYOUT_PCI_MMIO },
		{ 0x220000000, -1 },
		{ 0x25fffffff, LAYOUT_MMIO },
		{ 0x260000000, -1 },
		{ 0x300000000, -1 },
		{ 0x30fffffff, -1 },
		{ UINT64_MAX, -1 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(probes); i++) {
		const LayoutRecord *found = memory_layout_probe(&layout, probes[i].address);

		cr_assert_eq(found ? (int)found->kind : -1, probes[i].kind, "0x%lx",
			probes[i].address);
	}
}

Test(memory_layout, refuses_a_map_without_ram)
{
	const LayoutRecord mmio = { LAYOUT_MMIO, { 0x1000, 0x2000 }, 0, 0, "m" };

	assert_refused(&mmio, 1, PVW_LAYOUT_0001, "no RAM");
	assert_refused(NULL, 0, PVW_LAYOUT_0001, "no RAM");
}

Test(memory_layout, an_overlap_names_both_ranges)
{
	const LayoutRecord records[] = {
		{ LAYOUT_MMIO, { 0x3000, 0x5000 }, 0, 0, "window" },
		{ LAYOUT_RAM, { 0x1000, 0x3001 }, 0, 0, NULL },
	};

	assert_refused(
		records, 2, PVW_LAYOUT_0002, "ram 0x1000-0x3001 overlaps window 0x3000-0x5000");
}

Test(memory_layout, refuses_vtl2_below_the_end_of_ram)
{
	const LayoutRecord records[] = {
		{ LAYOUT_RAM, { 0x1000, 0x3000 }, 0, 0, NULL },
		{ LAYOUT_VTL2, { 0x4000, 0x5000 }, 0, 0, NULL },
		{ LAYOUT_RAM, { 0x6000, 0x7000 }, 0, 0, NULL },
	};

	assert_refused(records, 3, PVW_LAYOUT_0003, "end of RAM 0x7000");
}

Test(memory_layout, refuses_empty_and_reversed_records)
{
	LayoutRecord record = { LAYOUT_RAM, { 0x1000, 0x1000 }, 0, 0, NULL };

	assert_refused(&record, 1, PVW_LAYOUT_0004, "empty");
	record.range.start = 0x2000;
	assert_refused(&record, 1, PVW_LAYOUT_0004, "0x2000-0x1000");
}

Test(memory_layout, max_ram_below_4gib_looks_only_at_ends_strictly_below)
{
	LayoutRecord records[] = {
		{ LAYOUT_RAM, { 0x0, 0x1000 }, 0, 0, NULL },
		{ LAYOUT_RAM, { 0x2000, 0x3000 }, 0, 0, NULL },
		{ LAYOUT_RAM, { 0x4000, 0x100000000 }, 0, 0, NULL },
		{ LAYOUT_RAM, { 0x100000000, 0x200000000 }, 0, 0, NULL },
	};
	MemoryLayout layout;
	uint64_t last = 7;

	cr_assert(memory_layout_build((LayoutRecordList){ records, 4 }, arena, &layout, &err));
	cr_assert(memory_layout_max_ram_below_4gib(&layout, &last));
	cr_assert_eq(last, 0x3000);
	records[2].range.end = 0xfffff000;
	cr_assert(memory_layout_build((LayoutRecordList){ records, 4 }, arena, &layout, &err));
	cr_assert(memory_layout_max_ram_below_4gib(&layout, &last));
	cr_assert_eq(last, 0xfffff000);

	last = 7;
	cr_assert(memory_layout_build(
		(LayoutRecordList){ records + 3, 1 }, arena, &layout, &err));
	cr_assert_not(memory_layout_max_ram_below_4gib(&layout, &last));
	cr_assert_eq(last, 7);
}

/* A shuffled map of touching records is put in order, whatever the order was. */
Test(memory_layout, sorts_any_order)
{
	enum { COUNT = 1000 };
	static LayoutRecord records[COUNT];
	uint32_t random = 12345;
	MemoryLayout layout;

	for (size_t i = 0; i < COUNT; i++)
		records[i] = (LayoutRecord){ i % 3 ? LAYOUT_RAM : LAYOUT_MMIO,
			{ i * 0x1000, (i + 1) * 0x1000 }, (uint32_t)i, 0, NULL };
	for (int round = 0; round < 20; round++) {
		for (size_t i = COUNT; i > 1; i--) {
			random = random * 1664525 + 1013904223;
			const size_t j = (random >> 8) % i;
			const LayoutRecord swap = records[i - 1];

			records[i - 1] = records[j];
			records[j] = swap;
		}
		cr_assert(memory_layout_build(
				  (LayoutRecordList){ records, COUNT }, arena, &layout, &err),
			"%s", err.text);
		for (size_t i = 0; i < COUNT; i++) {
			cr_assert_eq(layout.records.items[i].range.start, i * 0x1000);
			cr_assert_eq(layout.records.items[i].vnode, i);
		}
		cr_assert_eq(layout.ram.count, COUNT - (COUNT + 2) / 3);
		cr_assert_eq(memory_layout_probe(&layout, 0x7fff)->vnode, 7);
		arena_reset(arena);
	}
}

/* --- from ranges --- */

Test(memory_layout, from_ranges_keeps_nodes_and_gaps)
{
	const NodeRange ram[] = { { { 0, GIB }, 3 }, { { 2 * GIB, 3 * GIB }, 4 } };
	const MemoryRange mmio[] = { { GIB, 2 * GIB } };
	const LayoutGaps gaps = { .mmio = { mmio, 1 }, .vtl2 = { 3 * GIB, 4 * GIB } };
	MemoryLayout layout;

	cr_assert(memory_layout_from_ranges(
		(NodeRangeList){ ram, 2 }, &gaps, arena, &layout, &err));
	cr_assert_eq(layout.records.count, 4);
	cr_assert_eq(layout.ram.items[1].vnode, 4);
	cr_assert_eq(memory_layout_probe(&layout, GIB)->kind, LAYOUT_MMIO);
	cr_assert_eq(layout.end_of_layout, 3 * GIB);
}

Test(memory_layout, from_ranges_wants_each_list_in_order)
{
	const NodeRange ram[] = { { { 2 * GIB, 3 * GIB }, 0 }, { { 0, GIB }, 0 } };
	const MemoryRange mmio[] = { { 5 * GIB, 6 * GIB }, { 4 * GIB, 5 * GIB } };
	const LayoutGaps none = { 0 };
	LayoutGaps gaps[] = { { .mmio = { mmio, 2 } }, { .pci_ecam = { mmio, 2 } },
		{ .pci_mmio = { mmio, 2 } } };
	MemoryLayout layout;

	cr_assert_not(memory_layout_from_ranges(
		(NodeRangeList){ ram, 2 }, &none, arena, &layout, &err));
	cr_assert_eq(err.diagnostic, PVW_RANGE_0005);
	cr_assert(strstr(err.text, "ram"));
	for (size_t i = 0; i < ARRAY_COUNT(gaps); i++) {
		err = (Error){ 0 };
		cr_assert_not(memory_layout_from_ranges(
			(NodeRangeList){ ram, 1 }, &gaps[i], arena, &layout, &err));
		cr_assert_eq(err.diagnostic, PVW_RANGE_0005);
	}
}

/* --- filled --- */

static bool fill(const uint64_t *sizes, size_t nodes, const LayoutGaps *gaps, MemoryLayout *out)
{
	return memory_layout_fill(sizes, nodes, gaps, arena, out, &err);
}

Test(memory_layout, fills_around_gaps_and_cuts_nodes)
{
	const uint64_t sizes[] = { 0x3000, 0x4000 };
	const MemoryRange mmio[] = { { 0x1000, 0x2000 }, { 0x8000, 0x9000 } };
	const MemoryRange ecam[] = { { 0x5000, 0x6000 } };
	const LayoutGaps gaps = { .mmio = { mmio, 2 }, .pci_ecam = { ecam, 1 } };
	const LayoutRecord want[] = {
		{ LAYOUT_RAM, { 0x0, 0x1000 }, 0, 0, NULL },
		{ LAYOUT_MMIO, { 0x1000, 0x2000 }, 0, 0, NULL },
		{ LAYOUT_RAM, { 0x2000, 0x4000 }, 0, 0, NULL },
		{ LAYOUT_RAM, { 0x4000, 0x5000 }, 1, 0, NULL },
		{ LAYOUT_PCI_ECAM, { 0x5000, 0x6000 }, 0, 0, NULL },
		{ LAYOUT_RAM, { 0x6000, 0x8000 }, 1, 0, NULL },
		{ LAYOUT_MMIO, { 0x8000, 0x9000 }, 0, 0, NULL },
		{ LAYOUT_RAM, { 0x9000, 0xa000 }, 1, 0, NULL },
	};
	MemoryLayout layout;

	cr_assert(fill(sizes, 2, &gaps, &layout), "%s", err.text);
	cr_assert_eq(layout.records.count, ARRAY_COUNT(want));
	for (size_t i = 0; i < ARRAY_COUNT(want); i++) {
		const LayoutRecord *got = &layout.records.items[i];

		cr_assert_eq(got->kind, want[i].kind);
		cr_assert(memory_range_equal(got->range, want[i].range), "%zu", i);
		cr_assert_eq(got->vnode, want[i].vnode);
	}
}

Test(memory_layout, a_gap_at_zero_moves_ram_up)
{
	const uint64_t size = 0x1000;
	const MemoryRange mmio[] = { { 0, 0x4000 } };
	const LayoutGaps gaps = { .pci_mmio = { mmio, 1 } };
	MemoryLayout layout;

	cr_assert(fill(&size, 1, &gaps, &layout));
	cr_assert_eq(layout.ram.count, 1);
	cr_assert_eq(layout.ram.items[0].range.start, 0x4000);
}

static void assert_fill_refused(const uint64_t *sizes, size_t nodes, const LayoutGaps *gaps,
	uint16_t diagnostic, const char *word)
{
	MemoryLayout layout = { .ram_size = 42 };

	cr_assert_not(fill(sizes, nodes, gaps, &layout));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(layout.ram_size, 42);
}

Test(memory_layout, refuses_sizes_that_cannot_be)
{
	const uint64_t zero[] = { 0x1000, 0 }, odd[] = { 0x1001 };
	const uint64_t wrap[] = { UINT64_C(1) << 63, UINT64_C(1) << 63 };
	const LayoutGaps none = { 0 };

	assert_fill_refused(zero, 2, &none, PVW_LAYOUT_0007, "node 1 has 0x0");
	assert_fill_refused(odd, 1, &none, PVW_LAYOUT_0007, "0x1001");
	assert_fill_refused(wrap, 2, &none, PVW_LAYOUT_0007, "2^64");
	assert_fill_refused(NULL, 0, &none, PVW_LAYOUT_0007, "at least one");
}

Test(memory_layout, refuses_ram_that_leaves_the_address_space)
{
	const uint64_t size = MEMORY_RANGE_LIMIT;
	const MemoryRange mmio[] = { { 0x1000, 0x2000 } };
	const LayoutGaps none = { 0 }, gaps = { .mmio = { mmio, 1 } };
	MemoryLayout layout;

	cr_assert(fill(&size, 1, &none, &layout));
	cr_assert_eq(layout.end_of_ram, MEMORY_RANGE_LIMIT);
	assert_fill_refused(&size, 1, &gaps, PVW_LAYOUT_0008, "0x1000 bytes");
}

Test(memory_layout, refuses_gaps_that_overlap_or_are_empty)
{
	const uint64_t size = 0x1000;
	const MemoryRange a[] = { { 0x1000, 0x3000 } }, b[] = { { 0x2000, 0x4000 } };
	const MemoryRange empty[] = { { 0x1000, 0x1000 } };
	const LayoutGaps apart = { .mmio = { a, 1 }, .pci_mmio = { b, 1 } };
	const LayoutGaps hollow = { .mmio = { empty, 1 } };
	const LayoutGaps vtl2 = { .vtl2 = { 0, 0x1000 } };
	const MemoryRange unsorted[] = { { 0x5000, 0x6000 }, { 0x3000, 0x4000 } };
	const LayoutGaps order = { .mmio = { unsorted, 2 } };

	assert_fill_refused(
		&size, 1, &apart, PVW_LAYOUT_0002, "mmio 0x1000-0x3000 overlaps pci-mmio");
	assert_fill_refused(&size, 1, &hollow, PVW_LAYOUT_0004, "empty");
	assert_fill_refused(&size, 1, &vtl2, PVW_LAYOUT_0002, "vtl2");
	assert_fill_refused(&size, 1, &order, PVW_RANGE_0005, "mmio");
}

/* Random sizes and gaps: all of it is placed, in node order, and nothing overlaps. */
Test(memory_layout, filled_layouts_hold_what_was_asked_for)
{
	uint32_t random = 99;

	for (int round = 0; round < 500; round++) {
		MemoryRange mmio[8];
		uint64_t sizes[8], placed[8] = { 0 }, at = 0;
		size_t nodes, count;
		MemoryLayout layout;

#define RANDOM(n) ((random = random * 1664525 + 1013904223), (random >> 16) % (n))
		nodes = 1 + RANDOM(8);
		count = RANDOM(9);
		for (size_t i = 0; i < nodes; i++)
			sizes[i] = (1 + RANDOM(50)) * PAGE_SIZE;
		for (size_t i = 0; i < count; i++) {
			mmio[i].start = at + RANDOM(20) * PAGE_SIZE;
			mmio[i].end = mmio[i].start + (1 + RANDOM(20)) * PAGE_SIZE;
			at = mmio[i].end;
		}
		const LayoutGaps gaps = { .mmio = { mmio, count } };

		cr_assert(fill(sizes, nodes, &gaps, &layout), "%s", err.text);
		for (size_t i = 0; i < layout.ram.count; i++) {
			const LayoutRecord *ram = &layout.ram.items[i];

			placed[ram->vnode] += memory_range_len(ram->range);
			cr_assert(i == 0 || layout.ram.items[i - 1].vnode <= ram->vnode);
		}
		for (size_t i = 0; i < nodes; i++)
			cr_assert_eq(placed[i], sizes[i]);
		/* No hole below the end of RAM. */
		for (uint64_t page = 0; page < layout.end_of_ram; page += PAGE_SIZE)
			cr_assert_not_null(memory_layout_probe(&layout, page));
		arena_reset(arena);
	}
}

Test(memory_layout, says_when_memory_runs_out)
{
	const uint64_t sizes[] = { 0x3000, 0x4000 };
	const MemoryRange mmio[] = { { 0x1000, 0x2000 } };
	const LayoutGaps gaps = { .mmio = { mmio, 1 } };
	bool ok = false;

	for (size_t limit = 0; limit < 8192 && !ok; limit += 16) {
		Arena *small = arena_new(limit);
		MemoryLayout layout;

		ok = memory_layout_fill(sizes, 2, &gaps, small, &layout, &err);
		if (!ok)
			cr_assert_eq(err.diagnostic, PVW_MEM_0001);
		arena_free(small);
	}
	cr_assert(ok);
}

Test(memory_layout, names_its_kinds)
{
	cr_assert_str_eq(layout_kind_name(LAYOUT_PCI_ECAM), "pci-ecam");
	cr_assert_str_eq(layout_kind_name((LayoutKind)77), "unknown");
}
