/*
 * What layout version 2 promises, over random guests: 25,000 and more a promise, and some sizes
 * of RAM. PVW_TEST_RUNS=8 makes them 200,000 and more, and every size of RAM. Under sanitizers
 * there are fewer.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "layout/layout_kept.h"
#include "layout/resolver.h"
#include "loaders/mtrr.h"
#include "support/checked.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define TIB UINT64_C(0x10000000000)

#ifdef __SANITIZE_ADDRESS__
#define RUNS_DIVISOR 20
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RUNS_DIVISOR 20
#endif
#endif
#ifndef RUNS_DIVISOR
#define RUNS_DIVISOR 1
#endif

#define MAX_ITEMS 16
#define MAX_RESERVED 4

/* A guest with the lists that its shape points to. */
typedef struct Guest {
	LayoutShape shape;
	uint64_t sizes[MAX_ITEMS];
	RootComplexShape complexes[MAX_ITEMS];
	ReservedIova reserved[MAX_RESERVED];
} Guest;

static const char *const names[MAX_ITEMS] = { "rc0", "rc1", "rc2", "rc3", "rc4", "rc5", "rc6",
	"rc7", "rc8", "rc9", "rc10", "rc11", "rc12", "rc13", "rc14", "rc15" };

static Arena *arena;
static Error err;
static uint64_t state;

static void begin(void)
{
	arena = arena_new(1 << 24);
	err = (Error){ 0 };
	state = 20260821;
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(resolver_properties, .init = begin, .fini = end, .timeout = 7200);

#define FULL_FACTOR 8

static size_t factor(void)
{
	const char *text = getenv("PVW_TEST_RUNS");

	return text ? strtoul(text, NULL, 10) : 1;
}

static size_t runs(size_t count)
{
	return count * factor() / RUNS_DIVISOR;
}

static uint64_t draw(uint64_t below)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (state >> 33) % below;
}

static bool one_in(uint64_t n)
{
	return draw(n) == 0;
}

/* Between 2^@from and 2^@to, each power as often as any other, in steps of 2^@step. */
static uint64_t draw_size(unsigned from, unsigned to, unsigned step)
{
	const uint64_t power = UINT64_C(1) << (from + draw(to - from));
	const uint64_t low = draw(UINT64_C(1) << 31), high = draw(UINT64_C(1) << 31);

	if (one_in(3))
		return power;
	return power + align_down((high << 31 | low) % power, UINT64_C(1) << step);
}

static void draw_nodes(Guest *guest)
{
	const size_t count = one_in(2) ? 1 : 1 + draw(MAX_ITEMS);
	const unsigned step = one_in(4) ? 12 : 21;
	const unsigned to = one_in(2) ? 34 : 43;

	for (size_t i = 0; i < count; i++)
		guest->sizes[i] = one_in(6) ? 0 : draw_size(step, to, step);
	guest->sizes[draw(count)] = draw_size(26, to, step);
	guest->shape.node_sizes = guest->sizes;
	guest->shape.node_count = count;
}

/* Buses of a segment are apart; fixed high windows are far up, one after another. */
static void draw_complexes(Guest *guest)
{
	const size_t count = one_in(4) ? 0 : draw(MAX_ITEMS + 1), segments = 1 + draw(4);
	const IommuKind iommu = (IommuKind)(int)draw(IOMMU_KIND_COUNT);

	for (size_t i = 0; i < count; i++) {
		RootComplexShape *complex = &guest->complexes[i];

		*complex = (RootComplexShape){
			.name = names[i],
			.segment = (uint16_t)(i % segments),
			.start_bus = (uint8_t)(i / segments * 16 + draw(3)),
			.end_bus = (uint8_t)(i / segments * 16 + 3 + draw(13)),
			.low.size = one_in(8) ? 0 : draw_size(12, 27, 12),
			.high.size = one_in(8) ? 0 : draw_size(12, 40, 12),
			.has_cxl = one_in(6),
			.cxl_hdm_size = draw_size(28, 36, 28),
			.iommu = one_in(2) ? iommu : IOMMU_NONE,
		};
		if (one_in(12))
			complex->high.fixed =
				(MemoryRange){ (600 + 2 * i) * TIB, (601 + 2 * i) * TIB };
		if (one_in(24))
			complex->low.fixed = (MemoryRange){ 0xc0000000 + i * MIB,
				0xc0000000 + (i + 1) * MIB };
	}
	guest->shape.root_complexes = guest->complexes;
	guest->shape.root_complex_count = count;
}

static void draw_reserved(Guest *guest)
{
	const size_t count = one_in(2) ? 0 : 1 + draw(MAX_RESERVED);

	guest->reserved[0] = *reserved_iova_profile(one_in(2) ? "arm64-msi" : "amd-ht");
	for (size_t i = 1; i < count; i++) {
		const uint64_t start = one_in(2) ? align_down(draw(0xc0000000), PAGE_SIZE)
						 : draw_size(32, 44, 12);

		guest->reserved[i] =
			(ReservedIova){ { start, start + draw_size(12, 36, 12) }, "random" };
		if (start < FOUR_GIB && guest->reserved[i].range.end > 0xc0000000)
			guest->reserved[i].range.end = 0xc0000000;
		if (guest->reserved[i].range.end <= start)
			guest->reserved[i] = guest->reserved[0];
	}
	guest->shape.reserved_iova = (ReservedIovaList){ guest->reserved, count };
}

static void draw_devices(Guest *guest)
{
	LayoutShape *shape = &guest->shape;

	draw_complexes(guest);
	shape->ecam_below_4gib = one_in(8);
	shape->virtio_mmio_count = one_in(2) ? 0 : (uint32_t)draw(64);
	shape->vtl2_chipset_size = one_in(2) ? 0 : draw_size(12, 32, 12);
	shape->has_vtl2 = one_in(2);
	shape->vtl2_size = draw_size(12, 34, 12);
	shape->vtl2_align = UINT64_C(1) << (12 + draw(20));
	shape->vtl2_framebuffer_size = one_in(2) ? 0 : draw_size(12, 24, 12);
}

static void draw_guest(Guest *guest)
{
	const GuestArch arch = one_in(2) ? GUEST_ARCH_X86_64 : GUEST_ARCH_AARCH64;

	guest->shape = (LayoutShape){
		.arch = arch,
		.version = LAYOUT_VERSION_CURRENT,
		.address_bits = 63,
		.chipset_low_size = layout_defaults(arch)->chipset_low_size,
		.chipset_high_size = one_in(4) ? 0 : draw_size(12, 33, 12),
		.ram_start = one_in(2) ? layout_defaults(arch)->linux_ram_start : 0,
		.device_space_size = one_in(3) ? 2 * GIB : 0,
		.bar_align_max = one_in(3) ? 2 * MIB << draw(20) : 0,
	};
	draw_nodes(guest);
	draw_reserved(guest);
	draw_devices(guest);
	if (guest->shape.ram_start && one_in(2))
		guest->shape.low_window_size = 32 * MIB << draw(2);
}

/* A refusal is one for want of room, and says so. */
static bool resolve(const LayoutShape *shape, ResolvedLayout *out)
{
	if (resolver_run(shape, arena, out, &err))
		return true;
	cr_assert(err.code == ERROR_NO_SPACE || err.diagnostic == PVW_RESOLVE_0015 ||
			err.diagnostic == PVW_RESOLVE_0016 || err.diagnostic == PVW_ALLOC_0003,
		"%s: %s", diagnostic_row(err.diagnostic)->name, err.text);
	return false;
}

static void assert_same_ram(const ResolvedLayout *a, const ResolvedLayout *b)
{
	cr_assert_eq(a->ram.count, b->ram.count);
	for (size_t i = 0; i < a->ram.count; i++) {
		cr_assert(memory_range_equal(a->ram.items[i].range, b->ram.items[i].range));
		cr_assert_eq(a->ram.items[i].vnode, b->ram.items[i].vnode);
	}
	cr_assert(memory_range_equal(a->chipset_low, b->chipset_low));
	cr_assert(memory_range_equal(a->chipset_high, b->chipset_high));
}

/* P1: whatever devices a guest has, RAM and chipset windows are where they are without any. */
Test(resolver_properties, devices_move_neither_ram_nor_chipset_windows)
{
	size_t compared = 0;

	for (size_t run = 0; run < runs(60000); run++) {
		ResolvedLayout with, without;
		LayoutShape bare;
		Guest guest;

		arena_reset(arena);
		draw_guest(&guest);
		bare = guest.shape;
		bare.root_complex_count = 0;
		bare.virtio_mmio_count = 0;
		bare.vtl2_chipset_size = bare.vtl2_framebuffer_size = 0;
		bare.has_vtl2 = bare.ecam_below_4gib = false;
		if (!resolve(&guest.shape, &with))
			continue;
		cr_assert(resolve(&bare, &without), "%s", err.text);
		assert_same_ram(&with, &without);
		compared++;
	}
	cr_assert_gt(compared, runs(60000) / 2, "%zu", compared);
}

/* What RAM below the device space could use at most, and where it ends. */
static uint64_t low_ram(const ResolvedLayout *layout, uint64_t ceiling)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < layout->ram.count; i++) {
		if (layout->ram.items[i].range.end <= ceiling)
			sum += memory_range_len(layout->ram.items[i].range);
	}
	return sum;
}

static uint64_t kept_below(const ResolvedLayout *layout, uint64_t ceiling, size_t *holes)
{
	uint64_t sum = 0;

	*holes = 0;
	for (size_t i = 0; i < layout->placements.count; i++) {
		const LayoutPlacement *placement = &layout->placements.items[i];

		const MemoryRange range = memory_range_intersection(
			placement->range, (MemoryRange){ 0, ceiling });

		if (placement->kind == PLACEMENT_RESERVED && !memory_range_is_empty(range)) {
			sum += memory_range_len(range);
			(*holes)++;
		}
	}
	return sum;
}

/* P2 */
Test(resolver_properties, more_ram_moves_no_ram_and_leaves_nothing_unused)
{
	for (size_t run = 0; run < runs(50000); run++) {
		ResolvedLayout small, large;
		size_t last, holes;
		uint64_t space, kept;
		Guest guest;

		arena_reset(arena);
		draw_guest(&guest);
		last = guest.shape.node_count - 1;
		if (guest.sizes[last] == 0)
			continue;
		if (!resolve(&guest.shape, &small))
			continue;
		guest.sizes[last] += draw_size(12, 36, 12);
		guest.shape.root_complex_count = 0;
		if (!resolve(&guest.shape, &large))
			continue;
		cr_assert_geq(large.ram.count, small.ram.count);
		for (size_t i = 0; i < small.ram.count; i++)
			cr_assert_eq(
				large.ram.items[i].range.start, small.ram.items[i].range.start);
		if (large.end_of_ram <= FOUR_GIB)
			continue;
		space = FOUR_GIB - (guest.shape.device_space_size ?: GIB);
		kept = kept_below(&large, space, &holes);
		/* 2 MiB at each edge of a hole, and behind each node. */
		cr_assert_geq(low_ram(&large, space) + kept +
				(2 * holes + guest.shape.node_count) * 2 * MIB,
			space);
	}
}

/* With @all everything from the first high window on is a device. */
static size_t needed_pairs(const ResolvedLayout *layout, bool all)
{
	MemoryRange ram[64], mmio[256];
	MtrrNeed needs[MTRR_COVER_COUNT];
	MtrrInputs in = { .physical_address_bits = 52 };
	size_t rams = 0, mmios = 0;

	for (size_t i = 0; i < layout->placements.count; i++) {
		const LayoutPlacement *placement = &layout->placements.items[i];

		if (placement->kind == PLACEMENT_RAM)
			ram[rams++] = placement->range;
		else if (placement->kind != PLACEMENT_RESERVED)
			mmio[mmios++] = placement->range;
		if (all && mmios && mmio[mmios - 1].start >= FOUR_GIB) {
			mmio[mmios - 1].end = UINT64_C(1) << 52;
			break;
		}
	}
	in.ram = (MemoryRangeList){ ram, rams };
	in.mmio = (MemoryRangeList){ mmio, mmios };
	cr_assert(mtrr_exact_needs(&in, arena, needs, &err), "%s", err.text);
	return needs[MTRR_COVER_RELAXED].pairs;
}

/* 64 MiB to 16 TiB; every other size has long runs of ones, which are the hard ones. */
static uint64_t draw_ram(void)
{
	uint64_t size = draw_size(26, 44, 21);

	if (one_in(2))
		size |= (UINT64_C(1) << (22 + draw(20))) - 1;
	size = align_down(size, 2 * MIB);
	return size > 16 * TIB ? 16 * TIB : size;
}

/* P3 */
Test(resolver_properties, six_mtrrs_suffice_for_any_ram_and_any_devices)
{
	size_t most = 0, solved = 0;

	for (size_t run = 0; run < runs(25000); run++) {
		ResolvedLayout layout;
		size_t pairs;
		Guest guest;

		arena_reset(arena);
		draw_guest(&guest);
		guest.shape.arch = GUEST_ARCH_X86_64;
		guest.shape.chipset_low_size = 128 * MIB;
		guest.shape.ram_start = guest.shape.low_window_size = 0;
		guest.shape.node_count = 1;
		guest.shape.reserved_iova.count = 0;
		guest.sizes[0] = draw_ram();
		if (!resolve(&guest.shape, &layout))
			continue;
		pairs = needed_pairs(&layout, run % 2);
		cr_assert_leq(pairs, 6, "0x%" PRIx64 " bytes need %zu", guest.sizes[0], pairs);
		most = pairs > most ? pairs : most;
		solved++;
	}
	cr_assert_gt(solved, runs(25000) / 2);
	cr_assert_geq(most, 5);
}

/*
 * P3, size by size: 64 MiB to 16 TiB in steps of 2 MiB, with each device space there is. What
 * lies above RAM is one device up to the end of addresses, so that no windows can be worse.
 */
#define SIZES_FROM (64 * MIB)
#define SIZES_TO (16 * TIB)
#define SIZES_STEP (2 * MIB)
#define SIZES_STRIDE (509 * RUNS_DIVISOR) /* of steps, unless all are wanted */

static void assert_every_size(uint64_t space)
{
	const uint64_t step = SIZES_STEP * (factor() < FULL_FACTOR ? SIZES_STRIDE : 1);
	uint64_t size;
	const LayoutShape shape = {
		.arch = GUEST_ARCH_X86_64,
		.version = LAYOUT_VERSION_CURRENT,
		.address_bits = 52,
		.node_sizes = &size,
		.node_count = 1,
		.chipset_low_size = space < 128 * MIB ? space : 128 * MIB,
		.chipset_high_size = 512 * MIB,
		.device_space_size = space,
	};
	size_t pairs, most = 0;
	ResolvedLayout layout;

	for (size = SIZES_FROM; size <= SIZES_TO; size += step) {
		arena_reset(arena);
		cr_assert(resolver_run(&shape, arena, &layout, &err), "%s", err.text);
		pairs = needed_pairs(&layout, /* all= */ true);
		cr_assert_leq(pairs, 6, "0x%" PRIx64 " bytes need %zu", size, pairs);
		most = pairs > most ? pairs : most;
	}
	cr_assert_geq(most, 5);
}

Test(resolver_properties, six_mtrrs_suffice_for_every_size_and_small_device_spaces)
{
	for (uint64_t space = LAYOUT_MIN_DEVICE_SPACE; space <= 512 * MIB; space *= 2)
		assert_every_size(space);
}

Test(resolver_properties, six_mtrrs_suffice_for_every_size_and_large_device_spaces)
{
	for (uint64_t space = GIB; space <= LAYOUT_MAX_DEVICE_SPACE; space += GIB)
		assert_every_size(space);
}

/* Some reserved placement holds all of @range that lies below the top, outside of @except. */
static void assert_reported(const ResolvedLayout *layout, MemoryRange range, MemoryRange except)
{
	uint64_t at = range.start;
	const uint64_t until = range.end < layout->top ? range.end : layout->top;

	for (size_t i = 0; i < layout->placements.count && at < until; i++) {
		const LayoutPlacement *placement = &layout->placements.items[i];

		if (memory_range_contains_address(except, at))
			at = except.end;
		if (placement->kind == PLACEMENT_RESERVED &&
			memory_range_contains_address(placement->range, at))
			at = placement->range.end;
	}
	cr_assert(at >= until, "0x%" PRIx64 " of " RANGE_FORMAT, at, RANGE_ARGS(range));
}

/* P4 */
Test(resolver_properties, nothing_lies_in_reserved_ranges_and_they_are_reported)
{
	for (size_t run = 0; run < runs(40000); run++) {
		ResolvedLayout layout;
		Guest guest;

		arena_reset(arena);
		draw_guest(&guest);
		if (one_in(3) && guest.shape.reserved_iova.count > 1)
			guest.reserved[1] =
				(ReservedIova){ { 0xfee00000, 0xfef00000 }, "x86-msi" };
		if (!resolve(&guest.shape, &layout))
			continue;
		for (size_t i = 0; i < guest.shape.reserved_iova.count; i++) {
			const MemoryRange reserved = guest.reserved[i].range;

			for (size_t k = 0; k < layout.placements.count; k++) {
				const LayoutPlacement *placement = &layout.placements.items[k];

				cr_assert(placement->kind == PLACEMENT_RESERVED ||
					placement->item == LAYOUT_ITEM_CHIPSET_LOW ||
					!memory_range_overlaps(placement->range, reserved));
			}
			assert_reported(
				&layout, reserved, layout_defaults(guest.shape.arch)->zone);
		}
	}
}

/* P5 */
Test(resolver_properties, the_low_window_is_at_0_and_the_rest_above_the_start)
{
	size_t seen = 0;

	for (size_t run = 0; run < runs(25000); run++) {
		ResolvedLayout layout;
		uint64_t low, start;
		Guest guest;

		arena_reset(arena);
		draw_guest(&guest);
		guest.shape.ram_start = GIB;
		low = guest.shape.low_window_size = 32 * MIB << draw(3);
		if (!resolve(&guest.shape, &layout))
			continue;
		cr_assert_eq(layout.ram.items[0].range.start, 0);
		for (size_t i = 0; i < layout.ram.count; i++) {
			start = layout.ram.items[i].range.start;
			cr_assert(start >= GIB || layout.ram.items[i].range.end <= low);
		}
		if (guest.sizes[0] >= low)
			cr_assert_eq(layout.ram.items[0].range.end, low);
		if (guest.sizes[0] > low)
			cr_assert_geq(layout.ram.items[1].range.start, GIB);
		seen++;
	}
	cr_assert_gt(seen, runs(25000) / 8, "%zu", seen);
}

static uint64_t power_below(uint64_t value)
{
	return UINT64_C(1) << (63 - __builtin_clzll(value));
}

/* P6 */
Test(resolver_properties, windows_hold_the_bars_that_they_could_hold)
{
	for (size_t run = 0; run < runs(30000); run++) {
		ResolvedLayout layout;
		uint64_t most;
		Guest guest;

		arena_reset(arena);
		draw_guest(&guest);
		if (!resolve(&guest.shape, &layout))
			continue;
		most = guest.shape.bar_align_max ?: 64 * GIB;
		cr_assert(is_aligned(layout.chipset_high.start, 128 * MIB));
		for (size_t i = 0; i < guest.shape.root_complex_count; i++) {
			const RootComplexShape *asked = &guest.complexes[i];
			const RootComplexLayout *got = &layout.root_complexes[i];
			const MemoryRange fixed = asked->high.fixed;

			if (asked->high.size && memory_range_is_empty(fixed)) {
				const uint64_t bar = power_below(asked->high.size);

				cr_assert_geq(
					layout_largest_bar(got->high), bar < most ? bar : most);
			}
			if (asked->low.size && memory_range_is_empty(asked->low.fixed)) {
				const uint64_t bar = power_below(asked->low.size);

				cr_assert_geq(layout_largest_bar(got->low), bar);
			}
		}
	}
}

/*
 * P8: invariants of every version.
 */

static void assert_listed_once(const ResolvedLayout *layout, MemoryRange range)
{
	size_t found = 0;

	if (memory_range_is_empty(range))
		return;
	for (size_t i = 0; i < layout->placements.count; i++)
		found += memory_range_equal(layout->placements.items[i].range, range);
	cr_assert_eq(found, 1, RANGE_FORMAT, RANGE_ARGS(range));
}

static uint64_t sum_of(const Guest *guest)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < guest->shape.node_count; i++)
		sum += guest->sizes[i];
	return sum;
}

/* Disjoint, ascending, sizes as asked, windows where their kind belongs. */
static void assert_invariants(const Guest *guest, const ResolvedLayout *layout)
{
	const LayoutShape *shape = &guest->shape;
	const MemoryRange zone = layout_defaults(shape->arch)->zone;
	uint64_t ram = 0, before_post = 0;

	for (size_t i = 0; i < layout->placements.count; i++) {
		const LayoutPlacement *placement = &layout->placements.items[i];
		const MemoryRange range = placement->range;

		cr_assert(!memory_range_is_empty(range));
		if (i > 0)
			cr_assert_leq(layout->placements.items[i - 1].range.end, range.start);
		if (placement->kind == PLACEMENT_MMIO32)
			cr_assert_leq(range.end, FOUR_GIB);
		if (placement->kind == PLACEMENT_MMIO64)
			cr_assert(range.start >= FOUR_GIB && range.start >= layout->end_of_ram);
		if (placement->kind == PLACEMENT_POST_MMIO)
			cr_assert_geq(range.start, before_post);
		else if (placement->kind != PLACEMENT_RESERVED)
			before_post = range.end;
		if (placement->kind == PLACEMENT_RAM)
			ram += memory_range_len(range);
	}
	cr_assert_eq(ram, sum_of(guest));
	cr_assert(memory_range_contains(layout->chipset_low, zone));
	cr_assert_eq(layout->chipset_low.end, FOUR_GIB);
	cr_assert_eq(memory_range_len(layout->chipset_high), shape->chipset_high_size);
	cr_assert_eq(
		memory_range_len(layout->virtio_mmio), shape->virtio_mmio_count * PAGE_SIZE);
	cr_assert_eq(memory_range_len(layout->vtl2), shape->has_vtl2 ? shape->vtl2_size : 0);
	if (shape->has_vtl2)
		cr_assert(is_aligned(layout->vtl2.start, shape->vtl2_align));
	cr_assert_eq(
		layout->top, layout->placements.items[layout->placements.count - 1].range.end);
}

/* Every view is in the list, and segments have one base of bus 0. */
static void assert_views(const Guest *guest, const ResolvedLayout *layout)
{
	uint64_t base[4] = { 0 };

	for (size_t i = 0; i < layout->ram.count; i++)
		assert_listed_once(layout, layout->ram.items[i].range);
	assert_listed_once(layout, layout->chipset_low);
	assert_listed_once(layout, layout->chipset_high);
	assert_listed_once(layout, layout->vtl2_chipset);
	assert_listed_once(layout, layout->vtl2);
	assert_listed_once(layout, layout->vtl2_framebuffer);
	assert_listed_once(layout, layout->virtio_mmio);
	for (size_t i = 0; i < guest->shape.root_complex_count; i++) {
		const RootComplexShape *asked = &guest->complexes[i];
		const RootComplexLayout *got = &layout->root_complexes[i];
		const uint64_t bus_0 = got->ecam.start - asked->start_bus * MIB;

		assert_listed_once(layout, got->low);
		assert_listed_once(layout, got->high);
		assert_listed_once(layout, got->cxl_hdm);
		assert_listed_once(layout, got->cxl_chbcr);
		assert_listed_once(layout, got->iommu);
		cr_assert_eq(memory_range_len(got->ecam),
			(asked->end_bus - asked->start_bus + 1) * MIB);
		cr_assert_geq(got->ecam.start, ECAM_MIN_GPA);
		cr_assert(base[asked->segment] == 0 || base[asked->segment] == bus_0);
		base[asked->segment] = bus_0;
	}
}

static void assert_same(const ResolvedLayout *a, const ResolvedLayout *b, bool with_vtl2)
{
	size_t k = 0;

	for (size_t i = 0; i < a->placements.count; i++) {
		const LayoutPlacement *placement = &a->placements.items[i];

		if (!with_vtl2 &&
			(placement->kind == PLACEMENT_POST_MMIO ||
				placement->kind == PLACEMENT_RESERVED))
			continue;
		while (!with_vtl2 && k < b->placements.count &&
			b->placements.items[k].kind == PLACEMENT_RESERVED)
			k++;
		cr_assert_lt(k, b->placements.count);
		cr_assert(memory_range_equal(placement->range, b->placements.items[k].range));
		cr_assert_eq(placement->item, b->placements.items[k].item);
		cr_assert_eq(placement->owner, b->placements.items[k].owner);
		k++;
	}
}

/* The width of addresses accepts or refuses; VTL2 moves nothing; equal input, equal output. */
static void assert_independent(Guest *guest, const ResolvedLayout *layout)
{
	LayoutShape shape = guest->shape;
	ResolvedLayout again;

	shape.address_bits = (uint8_t)(64 - __builtin_clzll(layout->top - 1));
	cr_assert(resolve(&shape, &again), "%s", err.text);
	assert_same(layout, &again, true);
	shape.address_bits--;
	cr_assert_not(resolver_run(&shape, arena, &again, &err));
	cr_assert_eq(err.diagnostic, PVW_RESOLVE_0008, "%s", err.text);
	shape.address_bits = 63;
	shape.has_vtl2 = false;
	shape.vtl2_chipset_size = shape.vtl2_framebuffer_size = 0;
	cr_assert(resolve(&shape, &again), "%s", err.text);
	assert_same(layout, &again, false);
}

/* The reference has no absent windows, and none of what version 2 adds. */
static void make_reference(Guest *guest)
{
	LayoutShape *shape = &guest->shape;

	shape->version = LAYOUT_VERSION_REFERENCE;
	shape->device_space_size = shape->low_window_size = shape->bar_align_max = 0;
	shape->reserved_iova.count = 0;
	for (size_t i = 0; i < shape->root_complex_count; i++) {
		guest->complexes[i].low.size |= 4 * MIB;
		guest->complexes[i].high.size |= GIB;
	}
}

Test(resolver_properties, both_versions_keep_the_invariants)
{
	size_t kept[3] = { 0 };

	for (size_t run = 0; run < runs(36000); run++) {
		ResolvedLayout layout;
		Guest guest;

		arena_reset(arena);
		draw_guest(&guest);
		if (one_in(2))
			make_reference(&guest);
		if (!resolve(&guest.shape, &layout))
			continue;
		assert_invariants(&guest, &layout);
		assert_views(&guest, &layout);
		assert_independent(&guest, &layout);
		kept[guest.shape.version]++;
	}
	cr_assert_gt(kept[1], runs(36000) / 8);
	cr_assert_gt(kept[2], runs(36000) / 8);
}

/* The same guest, its root complexes turned round; nothing that is kept speaks of order. */
static void turn_complexes(Guest *guest)
{
	const size_t count = guest->shape.root_complex_count;

	for (size_t i = 0; i < count / 2; i++) {
		const RootComplexShape other = guest->complexes[i];

		guest->complexes[i] = guest->complexes[count - 1 - i];
		guest->complexes[count - 1 - i] = other;
	}
}

Test(resolver_properties, both_versions_restore_what_was_kept)
{
	size_t kept_of[3] = { 0 }, moved = 0;

	for (size_t run = 0; run < runs(25000); run++) {
		ResolvedLayout layout, restored, again;
		KeptLayout kept, now;
		Guest guest;

		arena_reset(arena);
		draw_guest(&guest);
		if (one_in(2))
			make_reference(&guest);
		if (!resolve(&guest.shape, &layout))
			continue;
		turn_complexes(&guest);
		cr_assert(layout_keep(&layout, arena, &kept, &err), "%s", err.text);
		cr_assert(layout_restore(&kept, &guest.shape, arena, &restored, &err), "%s",
			err.text);
		cr_assert(layout_keep(&restored, arena, &now, &err), "%s", err.text);
		cr_assert(layout_compare(&kept, &now, &err), "%s", err.text);
		assert_invariants(&guest, &restored);
		assert_views(&guest, &restored);
		assert_same_ram(&layout, &restored);
		kept_of[guest.shape.version]++;
		if (resolve(&guest.shape, &again) && layout_keep(&again, arena, &now, &err))
			moved += !layout_compare(&kept, &now, &err);
	}
	cr_assert_gt(kept_of[1], runs(25000) / 8);
	cr_assert_gt(kept_of[2], runs(25000) / 8);
	cr_assert_gt(moved, runs(25000) / 100, "%zu", moved);
}
