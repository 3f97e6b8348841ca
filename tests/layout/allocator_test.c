#include <criterion/criterion.h>
#include <string.h>

#include "layout/allocator_internal.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)

#ifdef __SANITIZE_ADDRESS__
#define RANDOM_RUNS 1500
#else
#define RANDOM_RUNS 12000
#endif

static Arena *arena;
static Error err;
static AllocatorFailure why;
static Allocation out;

static void begin(void)
{
	arena = arena_new(1 << 26);
	err = (Error){ 0 };
	why = (AllocatorFailure){ .problem = ALLOCATOR_PROBLEM_COUNT };
	out = (Allocation){ .top = 42 };
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(allocator, .init = begin, .fini = end);

static AllocatorRequest pinned(
	PlacementKind kind, const char *name, uint64_t start, uint64_t end)
{
	return (AllocatorRequest){
		.tag = { "%", name, 0 }, .kind = kind, .range = { start, end }
	};
}

static AllocatorRequest wanted(
	PlacementKind kind, const char *name, uint64_t size, uint64_t align)
{
	return (AllocatorRequest){
		.tag = { "%", name, 0 }, .kind = kind, .size = size, .align = align
	};
}

#define RUN(list)                                                                              \
	allocator_run(                                                                         \
		(AllocatorRequestList){ (list), ARRAY_COUNT(list) }, arena, &out, &why, &err)

static void assert_at(size_t request, size_t extent, uint64_t start, uint64_t end)
{
	const MemoryRangeList target = out.targets[request];

	cr_assert_lt(extent, target.count);
	cr_assert_eq(target.items[extent].start, start, "request %zu at 0x%" PRIx64, request,
		target.items[extent].start);
	cr_assert_eq(target.items[extent].end, end);
}

static void assert_refused(uint16_t diagnostic, AllocatorProblem problem, const char *word)
{
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(why.problem, problem);
	cr_assert_eq(out.top, 42);
	cr_assert_null(out.placements);
}

Test(allocator, places_nothing_when_nothing_is_asked)
{
	cr_assert(allocator_run((AllocatorRequestList){ NULL, 0 }, arena, &out, &why, &err));

	cr_assert_eq(out.count, 0);
	cr_assert_eq(out.top, 0);
}

Test(allocator, splits_ram_around_the_low_window)
{
	const AllocatorRequest list[] = {
		pinned(PLACEMENT_FIXED, "low", 0xf8000000, FOUR_GIB),
		wanted(PLACEMENT_MMIO64, "high", 512 * MIB, 2 * MIB),
		wanted(PLACEMENT_RAM, "ram", 8 * GIB, GIB),
	};

	cr_assert(RUN(list), "%s", err.text);

	cr_assert_eq(out.targets[2].count, 2);
	assert_at(2, 0, 0, 0xc0000000);
	assert_at(2, 1, FOUR_GIB, 0x240000000);
	assert_at(1, 0, 0x240000000, 0x260000000);
	cr_assert_eq(out.top, 0x260000000);
	cr_assert_eq(out.count, 4);
	cr_assert_eq(out.placements[1].kind, PLACEMENT_FIXED);
}

Test(allocator, fills_gaps_left_by_larger_windows)
{
	const AllocatorRequest list[] = {
		wanted(PLACEMENT_RAM, "ram", FOUR_GIB + 2 * MIB, 2 * MIB),
		wanted(PLACEMENT_MMIO64, "small", 64 * 1024, 64 * 1024),
		wanted(PLACEMENT_MMIO64, "large", GIB, GIB),
	};

	cr_assert(RUN(list), "%s", err.text);

	assert_at(2, 0, 5 * GIB, 6 * GIB);
	assert_at(1, 0, FOUR_GIB + 2 * MIB, FOUR_GIB + 2 * MIB + 64 * 1024);
}

Test(allocator, never_gives_ram_what_it_has_passed)
{
	const AllocatorRequest list[] = {
		pinned(PLACEMENT_RESERVED, "hole", 5 * MIB, 6 * MIB),
		wanted(PLACEMENT_RAM, "a", 6 * MIB, 2 * MIB),
		wanted(PLACEMENT_RAM, "b", MIB, PAGE_SIZE),
	};

	cr_assert(RUN(list), "%s", err.text);

	assert_at(1, 0, 0, 4 * MIB);
	assert_at(1, 1, 6 * MIB, 8 * MIB);
	assert_at(2, 0, 8 * MIB, 9 * MIB);
}

Test(allocator, starts_behind_everything_but_reserved_ranges)
{
	const AllocatorRequest list[] = {
		pinned(PLACEMENT_RESERVED, "hole", 9 * GIB, 10 * GIB),
		pinned(PLACEMENT_FIXED, "bar", 8 * GIB, 9 * GIB),
		wanted(PLACEMENT_POST_MMIO, "first", GIB, 2 * MIB),
		wanted(PLACEMENT_POST_MMIO, "second", MIB, 4 * GIB),
	};

	cr_assert(RUN(list), "%s", err.text);

	assert_at(2, 0, 10 * GIB, 11 * GIB);
	assert_at(3, 0, 12 * GIB, 12 * GIB + MIB);
	cr_assert_eq(out.placements[1].kind, PLACEMENT_RESERVED);
}

Test(allocator, leaves_out_reserved_ranges_above_everything)
{
	const AllocatorRequest list[] = {
		wanted(PLACEMENT_RAM, "ram", GIB, GIB),
		pinned(PLACEMENT_RESERVED, "far", 9 * GIB, 10 * GIB),
	};

	cr_assert(RUN(list), "%s", err.text);

	cr_assert_eq(out.count, 1);
	cr_assert_eq(out.top, GIB);
}

Test(allocator, gives_equal_windows_from_the_top_in_order)
{
	const AllocatorRequest list[] = {
		wanted(PLACEMENT_MMIO32, "first", MIB, MIB),
		wanted(PLACEMENT_MMIO32, "second", MIB, MIB),
		wanted(PLACEMENT_MMIO32, "larger", 2 * MIB, MIB),
		wanted(PLACEMENT_MMIO32, "aligned", MIB, 4 * MIB),
	};

	cr_assert(RUN(list), "%s", err.text);

	assert_at(3, 0, FOUR_GIB - 4 * MIB, FOUR_GIB - 3 * MIB);
	assert_at(2, 0, FOUR_GIB - 2 * MIB, FOUR_GIB);
	assert_at(0, 0, FOUR_GIB - 3 * MIB, FOUR_GIB - 2 * MIB);
	assert_at(1, 0, FOUR_GIB - 5 * MIB, FOUR_GIB - 4 * MIB);
}

Test(allocator, refuses_sizes_that_are_no_pages)
{
	const AllocatorRequest none[] = { wanted(PLACEMENT_RAM, "ram7", 0, PAGE_SIZE) };
	const AllocatorRequest odd[] = { wanted(PLACEMENT_MMIO32, "ram7", 4097, PAGE_SIZE) };

	cr_assert_not(RUN(none));
	assert_refused(PVW_ALLOC_0001, ALLOCATOR_BAD_SIZE, "ram7");
	cr_assert_not(RUN(odd));
	assert_refused(PVW_ALLOC_0001, ALLOCATOR_BAD_SIZE, "0x1001");
}

Test(allocator, refuses_pinned_ranges_that_are_empty_or_unaligned)
{
	const AllocatorRequest empty[] = { pinned(PLACEMENT_FIXED, "bar", GIB, GIB) };
	const AllocatorRequest odd[] = { pinned(PLACEMENT_RESERVED, "bar", 1, 4096) };
	const AllocatorRequest turned[] = { pinned(PLACEMENT_FIXED, "bar", GIB, 0) };

	cr_assert_not(RUN(empty));
	assert_refused(PVW_ALLOC_0001, ALLOCATOR_BAD_SIZE, "bar");
	cr_assert_not(RUN(odd));
	assert_refused(PVW_ALLOC_0001, ALLOCATOR_BAD_SIZE, "0x1-0x1000");
	cr_assert_not(RUN(turned));
	assert_refused(PVW_ALLOC_0001, ALLOCATOR_BAD_SIZE, "0x40000000-0x0");
}

Test(allocator, refuses_alignments_that_are_no_power_of_two)
{
	const AllocatorRequest small[] = { wanted(PLACEMENT_RAM, "ram", GIB, 2048) };
	const AllocatorRequest odd[] = { wanted(PLACEMENT_RAM, "ram", GIB, 3 * MIB) };
	const AllocatorRequest zero[] = { wanted(PLACEMENT_RAM, "ram", GIB, 0) };

	cr_assert_not(RUN(small));
	assert_refused(PVW_ALLOC_0002, ALLOCATOR_BAD_ALIGNMENT, "0x800");
	cr_assert_not(RUN(odd));
	assert_refused(PVW_ALLOC_0002, ALLOCATOR_BAD_ALIGNMENT, "power of two");
	cr_assert_not(RUN(zero));
	assert_refused(PVW_ALLOC_0002, ALLOCATOR_BAD_ALIGNMENT, "0x0");
}

Test(allocator, names_both_pinned_ranges_that_overlap)
{
	const AllocatorRequest list[] = {
		pinned(PLACEMENT_FIXED, "bar0", GIB, 3 * GIB),
		pinned(PLACEMENT_FIXED, "bar1", 4 * GIB, 5 * GIB),
		pinned(PLACEMENT_RESERVED, "gap", 0, GIB + PAGE_SIZE),
	};

	cr_assert_not(RUN(list));

	assert_refused(PVW_ALLOC_0003, ALLOCATOR_PINNED_OVERLAP, "bar0");
	cr_assert(strstr(err.text, "gap at 0x0-0x40001000"), "%s", err.text);
	cr_assert_eq(why.request, 2);
	cr_assert_eq(why.other, 0);
}

Test(allocator, tells_what_is_free_when_nothing_fits)
{
	const AllocatorRequest list[] = {
		pinned(PLACEMENT_FIXED, "low", 0xf8000000, FOUR_GIB),
		wanted(PLACEMENT_MMIO32, "rc0", 2 * GIB, 2 * MIB),
		wanted(PLACEMENT_MMIO32, "rc1", 2 * GIB, 2 * MIB),
	};

	cr_assert_not(RUN(list));

	assert_refused(PVW_ALLOC_0004, ALLOCATOR_EXHAUSTED, "rc1");
	cr_assert_eq(why.request, 2);
	cr_assert_eq(why.phase, PLACEMENT_MMIO32);
	cr_assert_eq(why.free_bytes, 0x78000000);
	cr_assert_eq(why.largest, 0x78000000);
	cr_assert_eq(why.hole.start, 0);
	cr_assert_eq(why.hole.end, 0x78000000);
	cr_assert_eq(why.below, ALLOCATOR_NOBODY);
	cr_assert_eq(why.above, 1);
	cr_assert(strstr(err.text,
			  "0x78000000 bytes are free, at most 0x78000000 of them in one piece, "
			  "0x0-0x78000000 below rc0"),
		"%s", err.text);
}

Test(allocator, tells_what_the_largest_hole_lies_between)
{
	const AllocatorRequest list[] = {
		pinned(PLACEMENT_RESERVED, "a", 0, GIB),
		pinned(PLACEMENT_FIXED, "b", 2 * GIB + MIB, 3 * GIB),
		pinned(PLACEMENT_FIXED, "c", 3 * GIB + 3 * MIB, FOUR_GIB),
		wanted(PLACEMENT_RAM, "ram", 16 * MIB, 2 * MIB),
		wanted(PLACEMENT_MMIO32, "big", 2 * GIB, 4 * MIB),
	};

	cr_assert_not(RUN(list));

	assert_refused(PVW_ALLOC_0004, ALLOCATOR_EXHAUSTED, "big: no place for 0x80000000");
	cr_assert(strstr(err.text,
			  "0x40400000 bytes are free, at most 0x40100000 of them in one piece, "
			  "0x40000000-0x80100000 between a and b"),
		"%s", err.text);
	cr_assert_eq(why.below, 0);
	cr_assert_eq(why.above, 1);
}

/* The last extent of several stands below the hole. */
Test(allocator, tells_what_ram_ends_below_the_largest_hole)
{
	const AllocatorRequest list[] = {
		pinned(PLACEMENT_FIXED, "low", 3 * GIB, FOUR_GIB),
		wanted(PLACEMENT_RAM, "ram0", 5 * GIB, GIB),
		wanted(PLACEMENT_MMIO64, "high", MEMORY_RANGE_LIMIT - 5 * GIB, 2 * MIB),
	};

	cr_assert_not(RUN(list));

	assert_refused(PVW_ALLOC_0004, ALLOCATOR_EXHAUSTED, "high: no place");
	cr_assert(strstr(err.text, "in one piece, 0x180000000-0xfffffffffffff000 above ram0"),
		"%s", err.text);
	cr_assert_eq(why.below, 1);
	cr_assert_eq(why.above, ALLOCATOR_NOBODY);
}

Test(allocator, tells_when_ram_or_the_top_runs_out)
{
	const AllocatorRequest ram[] = {
		wanted(PLACEMENT_RAM, "ram0", MEMORY_RANGE_LIMIT, PAGE_SIZE),
		wanted(PLACEMENT_RAM, "ram1", PAGE_SIZE, PAGE_SIZE),
	};
	const AllocatorRequest post[] = {
		pinned(PLACEMENT_FIXED, "bar", FOUR_GIB, MEMORY_RANGE_LIMIT - MIB),
		wanted(PLACEMENT_POST_MMIO, "vtl2", 2 * MIB, PAGE_SIZE),
	};
	const AllocatorRequest high[] = {
		pinned(PLACEMENT_FIXED, "bar", FOUR_GIB, MEMORY_RANGE_LIMIT - MIB),
		wanted(PLACEMENT_MMIO64, "high", MIB, UINT64_C(1) << 63),
	};

	cr_assert_not(RUN(ram));
	assert_refused(PVW_ALLOC_0004, ALLOCATOR_EXHAUSTED, "ram1");
	cr_assert_eq(why.free_bytes, 0);
	cr_assert_not(RUN(post));
	assert_refused(PVW_ALLOC_0004, ALLOCATOR_EXHAUSTED, "vtl2");
	cr_assert_eq(why.free_bytes, MIB);
	cr_assert_not(RUN(high));
	assert_refused(PVW_ALLOC_0004, ALLOCATOR_EXHAUSTED, "high");
	cr_assert_eq(why.free_bytes, MIB);
	cr_assert_eq(why.largest, 0);
	cr_assert(strstr(err.text, "0x100000 bytes are free, none of them aligned"), "%s",
		err.text);
}

/* One bad request of each kind, taken away one after another. */
Test(allocator, judges_requests_in_the_order_of_the_phases)
{
	AllocatorRequest list[] = {
		wanted(PLACEMENT_POST_MMIO, "post", 1, PAGE_SIZE),
		wanted(PLACEMENT_MMIO64, "mmio64", MIB, 3),
		wanted(PLACEMENT_RAM, "ram", 0, 3),
		wanted(PLACEMENT_MMIO32, "mmio32", MIB, 0),
		pinned(PLACEMENT_FIXED, "twin", GIB, 2 * GIB),
		pinned(PLACEMENT_FIXED, "twin", GIB, 2 * GIB),
		pinned(PLACEMENT_FIXED, "fixed", 1, 2),
		pinned(PLACEMENT_RESERVED, "reserved", GIB, GIB),
	};
	static const char *const order[] = { "reserved", "fixed", "twin", "mmio32", "ram",
		"mmio64", "post" };
	static const size_t bad[] = { 7, 6, 5, 3, 2, 1, 0 };

	for (size_t i = 0; i < ARRAY_COUNT(order); i++) {
		cr_assert_not(RUN(list));
		cr_assert_eq(strncmp(err.text, order[i], strlen(order[i])), 0, "%s", err.text);
		list[bad[i]] = wanted(PLACEMENT_RAM, "good", PAGE_SIZE, PAGE_SIZE);
	}
	cr_assert(RUN(list), "%s", err.text);
}

Test(allocator, refuses_too_many_requests)
{
	AllocatorRequest *list =
		arena_array(arena, AllocatorRequest, ALLOCATOR_MAX_REQUESTS + 1, &err);
	AllocatorRequestList requests = { list, ALLOCATOR_MAX_REQUESTS + 1 };

	for (size_t i = 0; i < requests.count; i++)
		list[i] = wanted(PLACEMENT_RAM, "ram", PAGE_SIZE, PAGE_SIZE);

	cr_assert_not(allocator_run(requests, arena, &out, &why, &err));
	assert_refused(PVW_ALLOC_0005, ALLOCATOR_TOO_MANY, "4097");
	requests.count--;
	cr_assert(allocator_run(requests, arena, &out, &why, &err), "%s", err.text);
	cr_assert_eq(out.count, ALLOCATOR_MAX_REQUESTS);
}

Test(allocator, says_when_memory_runs_out)
{
	const AllocatorRequest list[] = { wanted(PLACEMENT_RAM, "ram", GIB, GIB) };
	Arena *small;

	for (size_t size = 16; size <= 512; size *= 2) {
		small = arena_new(size);
		if (!allocator_run((AllocatorRequestList){ list, 1 }, small, &out, &why, &err))
			cr_assert_eq(err.diagnostic, PVW_MEM_0001);
		arena_free(small);
	}
}

Test(layout_tag, writes_names_and_numbers)
{
	char text[LAYOUT_TAG_SIZE];

	cr_assert_str_eq(layout_tag_write((LayoutTag){ "pcie-%-low-mmio", "rc0", 9 }, text),
		"pcie-rc0-low-mmio");
	cr_assert_str_eq(layout_tag_write((LayoutTag){ "ram%", NULL, 12 }, text), "ram12");
	cr_assert_str_eq(layout_tag_write((LayoutTag){ "vtl2", NULL, 12 }, text), "vtl2");
	cr_assert_str_eq(
		layout_tag_write((LayoutTag){ "%", "a\n\xc3\xa4", 3 }, text), "a???~3");
	/* A reason, not a name: nothing would be told apart. */
	cr_assert_str_eq(layout_tag_write((LayoutTag){ "a\n", "b", 3 }, text), "a?");
}

Test(layout_tag, cuts_long_names_and_keeps_them_apart)
{
	char a[LAYOUT_TAG_SIZE], b[LAYOUT_TAG_SIZE], name[201];

	memset(name, 'x', 200);
	name[200] = '\0';

	layout_tag_write((LayoutTag){ "pcie-%-low-mmio", name, 7 }, a);
	layout_tag_write((LayoutTag){ "pcie-%-low-mmio", name, 4095 }, b);

	cr_assert_eq(strlen(a), LAYOUT_TAG_SIZE - 1);
	cr_assert_eq(strlen(b), LAYOUT_TAG_SIZE - 1);
	cr_assert_str_neq(a, b);
	cr_assert(strstr(a, "x~7-low-mmio"), "%s", a);
}

/*
 * Random requests: the array, the tree, and an allocator that looks at every page boundary where
 * a range could begin must agree.
 */

static uint64_t state;

static uint64_t draw(uint64_t below)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (state >> 33) % below;
}

/* 4 KiB to 2^@bits, each power of two as often as any other. */
static uint64_t draw_size(unsigned bits)
{
	const uint64_t power = UINT64_C(1) << (12 + draw(bits - 11));

	return draw(3) ? power : (power + draw(power / PAGE_SIZE) * PAGE_SIZE);
}

static size_t draw_requests(AllocatorRequest *list, size_t most)
{
	const size_t count = 1 + draw(most);
	const unsigned bits = draw(2) ? 26 : 31;

	for (size_t i = 0; i < count; i++) {
		const uint64_t drawn = draw(PLACEMENT_KIND_COUNT);
		const PlacementKind kind = (PlacementKind)drawn;
		const uint64_t start =
			draw(2) ? draw(1 << 21) * PAGE_SIZE : draw(1 << 12) * (4 * MIB);

		list[i] = kind <= PLACEMENT_FIXED
			? pinned(kind, "p", start, start + draw_size(20))
			: wanted(kind, "w", draw_size(bits),
				  UINT64_C(1) << (12 + draw(bits - 11)));
	}
	return count;
}

static void assert_same(const Allocation *a, const Allocation *b)
{
	cr_assert_eq(a->count, b->count);
	cr_assert_eq(a->top, b->top);
	for (size_t i = 0; i < a->count; i++) {
		cr_assert(memory_range_equal(a->placements[i].range, b->placements[i].range));
		cr_assert_eq(a->placements[i].request, b->placements[i].request);
		cr_assert_eq(a->placements[i].kind, b->placements[i].kind);
	}
}

/* No overlap, sizes and alignments as asked, windows kept. */
static void assert_sound(const AllocatorRequest *list, size_t count, const Allocation *a)
{
	uint64_t end_of_ram = 0;

	for (size_t i = 1; i < a->count; i++)
		cr_assert_leq(a->placements[i - 1].range.end, a->placements[i].range.start);
	for (size_t i = 0; i < count; i++) {
		const MemoryRangeList target = a->targets[i];
		uint64_t sum = 0;

		for (size_t k = 0; k < target.count; k++) {
			sum += memory_range_len(target.items[k]);
			if (list[i].kind > PLACEMENT_FIXED)
				cr_assert(is_aligned(target.items[k].start, list[i].align));
			if (k + 1 < target.count)
				cr_assert(is_aligned(target.items[k].end, list[i].align));
			if (list[i].kind == PLACEMENT_RAM) {
				cr_assert_geq(target.items[k].start, end_of_ram);
				end_of_ram = target.items[k].end;
			}
		}
		cr_assert_eq(sum,
			list[i].kind > PLACEMENT_FIXED ? list[i].size
						       : memory_range_len(list[i].range));
	}
	for (size_t i = 0; i < count; i++) {
		const MemoryRange range = a->targets[i].items[0];

		if (list[i].kind == PLACEMENT_MMIO32)
			cr_assert_leq(range.end, FOUR_GIB);
		if (list[i].kind == PLACEMENT_MMIO64)
			cr_assert(range.start >= FOUR_GIB && range.start >= end_of_ram);
	}
}

/*
 * The rule in one line, without any free list: windows are laid one by one, each at the first
 * place that overlaps nothing laid before. Places where one may begin are the edges.
 */
typedef struct Laid {
	MemoryRange items[512];
	size_t count;
} Laid;

static bool is_free(const Laid *laid, MemoryRange range)
{
	for (size_t i = 0; i < laid->count; i++) {
		if (memory_range_overlaps(laid->items[i], range))
			return false;
	}
	return true;
}

static bool lay_window(
	Laid *laid, const AllocatorRequest *request, uint64_t floor, bool top_down)
{
	const uint64_t ceiling = top_down ? FOUR_GIB : MEMORY_RANGE_LIMIT;
	MemoryRange best = MEMORY_RANGE_EMPTY;

	for (size_t i = 0; i <= laid->count; i++) {
		const MemoryRange edge = i < laid->count ? laid->items[i]
			: top_down                       ? (MemoryRange){ FOUR_GIB, 0 }
							 : (MemoryRange){ 0, floor };
		uint64_t start = edge.end < floor ? floor : edge.end;
		MemoryRange range;

		if (top_down) {
			start = edge.start < ceiling ? edge.start : ceiling;
			if (start < request->size)
				continue;
			start = align_down(start - request->size, request->align);
		} else if (!checked_align_up(start, request->align, &start)) {
			continue;
		}
		range = (MemoryRange){ start, start + request->size };
		if (range.end > ceiling || range.end < start || !is_free(laid, range))
			continue;
		if (memory_range_is_empty(best) ||
			(top_down ? start > best.start : start < best.start))
			best = range;
	}
	laid->items[laid->count++] = best;
	return !memory_range_is_empty(best);
}

static bool comes_first(const AllocatorRequest *a, const AllocatorRequest *b)
{
	return a->align != b->align ? a->align > b->align : a->size > b->size;
}

/* Checks where @a put the windows of one kind, in the presence of @laid. */
static void assert_first_fit(Laid *laid, const AllocatorRequest *list, size_t count,
	const Allocation *a, PlacementKind kind, uint64_t floor)
{
	bool done[64] = { false };

	for (;;) {
		size_t next = count;

		for (size_t i = 0; i < count; i++) {
			if (list[i].kind == kind && !done[i] &&
				(next == count || comes_first(&list[i], &list[next])))
				next = i;
		}
		if (next == count)
			return;
		done[next] = true;
		cr_assert(lay_window(laid, &list[next], floor, kind == PLACEMENT_MMIO32));
		cr_assert(memory_range_equal(
			laid->items[laid->count - 1], a->targets[next].items[0]));
	}
}

static void assert_laid_alike(const AllocatorRequest *list, size_t count, const Allocation *a)
{
	Laid laid = { .count = 0 };
	uint64_t floor = FOUR_GIB;

	for (size_t i = 0; i < count; i++) {
		if (list[i].kind <= PLACEMENT_FIXED)
			laid.items[laid.count++] = list[i].range;
	}
	assert_first_fit(&laid, list, count, a, PLACEMENT_MMIO32, 0);
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; list[i].kind == PLACEMENT_RAM && k < a->targets[i].count;
			k++) {
			laid.items[laid.count++] = a->targets[i].items[k];
			if (a->targets[i].items[k].end > floor)
				floor = a->targets[i].items[k].end;
		}
	}
	assert_first_fit(&laid, list, count, a, PLACEMENT_MMIO64, floor);
}

Test(allocator, places_alike_with_array_and_tree)
{
	AllocatorRequest list[40];
	size_t placed = 0, refused = 0;

	state = 1;
	for (size_t run = 0; run < RANDOM_RUNS; run++) {
		const AllocatorRequestList requests = { list,
			draw_requests(list, run % 2 ? 40 : 8) };
		AllocatorFailure why_array = { 0 }, why_tree = { 0 };
		Allocation array, tree;
		Error err_array, err_tree;
		bool ok;

		arena_reset(arena);
		ok = allocator_run_form(
			ALLOCATOR_FORM_ARRAY, requests, arena, &array, &why_array, &err_array);
		cr_assert_eq(allocator_run_form(ALLOCATOR_FORM_TREE, requests, arena, &tree,
				     &why_tree, &err_tree),
			ok);
		if (!ok) {
			refused++;
			cr_assert_eq(memcmp(&why_array, &why_tree, sizeof(why_tree)), 0);
			cr_assert_str_eq(err_array.text, err_tree.text);
			continue;
		}
		placed++;
		assert_same(&array, &tree);
		assert_sound(list, requests.count, &array);
		assert_laid_alike(list, requests.count, &array);
	}
	cr_assert_gt(placed, RANDOM_RUNS / 8);
	cr_assert_gt(refused, RANDOM_RUNS / 50, "%zu", refused);
}

/* Two windows that only their order tells apart. */
static bool has_twins(const AllocatorRequest *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (list[i].kind > PLACEMENT_FIXED && list[i].kind == list[k].kind &&
				list[i].size == list[k].size && list[i].align == list[k].align)
				return true;
		}
	}
	return false;
}

static bool is_ordered(const AllocatorRequest *request)
{
	return request->kind == PLACEMENT_RAM || request->kind == PLACEMENT_POST_MMIO;
}

/* The same requests, those turned round whose order means nothing. */
static void turn_round(const AllocatorRequest *list, size_t count, AllocatorRequest *turned)
{
	size_t back = count;

	for (size_t i = 0; i < count; i++) {
		turned[i] = list[i];
		if (is_ordered(&list[i]))
			continue;
		do {
			back--;
		} while (is_ordered(&list[back]));
		turned[i] = list[back];
	}
}

static void assert_same_by_number(const AllocatorRequest *list, const Allocation *a,
	const AllocatorRequest *other, const Allocation *b)
{
	cr_assert_eq(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		cr_assert(memory_range_equal(a->placements[i].range, b->placements[i].range));
		cr_assert_eq(list[a->placements[i].request].tag.number,
			other[b->placements[i].request].tag.number);
	}
}

static void assert_same_ram(
	const AllocatorRequest *list, size_t count, const Allocation *a, const Allocation *b)
{
	for (size_t i = 0; i < count; i++) {
		const MemoryRangeList ram = a->targets[i], again = b->targets[i];

		if (list[i].kind != PLACEMENT_RAM)
			continue;
		cr_assert_eq(ram.count, again.count);
		for (size_t k = 0; k < ram.count; k++)
			cr_assert(memory_range_equal(ram.items[k], again.items[k]));
	}
}

Test(allocator, ignores_the_order_of_pinned_ranges_and_of_different_windows)
{
	AllocatorRequest list[24], turned[24];
	size_t compared = 0;

	state = 3;
	for (size_t run = 0; run < RANDOM_RUNS; run++) {
		const size_t count = draw_requests(list, 23);
		Allocation a, b;

		arena_reset(arena);
		for (size_t i = 0; i < count; i++)
			list[i].tag.number = (uint32_t)i;
		if (has_twins(list, count) ||
			!allocator_run(
				(AllocatorRequestList){ list, count }, arena, &a, NULL, &err))
			continue;
		turn_round(list, count, turned);
		cr_assert(allocator_run(
			(AllocatorRequestList){ turned, count }, arena, &b, NULL, &err));
		assert_same_by_number(list, &a, turned, &b);
		/* Neither does something reserved above everything matter. */
		turned[count] = pinned(PLACEMENT_RESERVED, "top", MEMORY_RANGE_LIMIT - MIB,
			MEMORY_RANGE_LIMIT);
		cr_assert(allocator_run(
			(AllocatorRequestList){ turned, count + 1 }, arena, &b, NULL, &err));
		assert_same_by_number(list, &a, turned, &b);
		compared++;
	}
	cr_assert_gt(compared, RANDOM_RUNS / 8);
}

Test(allocator, gives_the_same_ram_when_all_windows_are_pinned_where_they_were)
{
	AllocatorRequest list[24];
	size_t compared = 0;

	state = 5;
	for (size_t run = 0; run < RANDOM_RUNS; run++) {
		const size_t count = draw_requests(list, 23);
		Allocation a, b;

		arena_reset(arena);
		if (!allocator_run(
			    (AllocatorRequestList){ list, count }, arena, &a, NULL, &err))
			continue;
		for (size_t i = 0; i < count; i++) {
			if (list[i].kind != PLACEMENT_RAM && list[i].kind > PLACEMENT_FIXED)
				list[i] = pinned(PLACEMENT_FIXED, "was",
					a.targets[i].items[0].start, a.targets[i].items[0].end);
		}
		cr_assert(allocator_run(
			(AllocatorRequestList){ list, count }, arena, &b, NULL, &err));
		assert_same_ram(list, count, &a, &b);
		cr_assert_eq(a.top, b.top);
		compared++;
	}
	cr_assert_gt(compared, RANDOM_RUNS / 8);
}

/* Enough for the tree to be chosen, and for its depth to matter. */
Test(allocator, places_thousands_alike_with_array_and_tree)
{
	AllocatorRequest *list = arena_array(arena, AllocatorRequest, 4096, &err);
	const AllocatorRequestList requests = { list, 4096 };
	Allocation array, tree, chosen;

	state = 7;
	for (size_t i = 0; i < requests.count; i++)
		list[i] = wanted(i % 2 ? PLACEMENT_MMIO32 : PLACEMENT_MMIO64, "w",
			PAGE_SIZE * (1 + draw(64)), UINT64_C(1) << (12 + draw(9)));

	cr_assert(
		allocator_run_form(ALLOCATOR_FORM_ARRAY, requests, arena, &array, NULL, &err));
	cr_assert(allocator_run_form(ALLOCATOR_FORM_TREE, requests, arena, &tree, NULL, &err));
	cr_assert(allocator_run(requests, arena, &chosen, NULL, &err));
	assert_same(&array, &tree);
	assert_same(&array, &chosen);
	assert_sound(list, requests.count, &array);
}

/* The array walks for some, the tree goes on in what it has left; then one has no place. */
Test(allocator, hands_over_to_the_tree_in_the_middle_of_a_phase)
{
	const size_t counts[] = { ALLOCATOR_ARRAY_WALKS - 1, ALLOCATOR_ARRAY_WALKS,
		ALLOCATOR_ARRAY_WALKS + 1, ALLOCATOR_ARRAY_MAX, ALLOCATOR_ARRAY_MAX + 1 };
	AllocatorRequest *list =
		arena_array(arena, AllocatorRequest, ALLOCATOR_ARRAY_MAX + 2, &err);
	AllocatorFailure why_array;
	Error err_array;

	for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
		AllocatorRequestList requests = { list, counts[i] };
		Allocation array, chosen;

		for (size_t k = 0; k <= counts[i]; k++)
			list[k] = wanted(i % 2 ? PLACEMENT_MMIO32 : PLACEMENT_MMIO64, "w",
				PAGE_SIZE * (1 + k), UINT64_C(1) << (12 + k % 9));
		cr_assert(allocator_run_form(
			ALLOCATOR_FORM_ARRAY, requests, arena, &array, NULL, &err));
		cr_assert(allocator_run(requests, arena, &chosen, NULL, &err));
		assert_same(&array, &chosen);

		list[counts[i]].size = MEMORY_RANGE_LIMIT - GIB;
		list[counts[i]].align = PAGE_SIZE;
		requests.count++;
		cr_assert_not(allocator_run_form(
			ALLOCATOR_FORM_ARRAY, requests, arena, &array, &why_array, &err_array));
		cr_assert_not(allocator_run(requests, arena, &chosen, &why, &err));
		cr_assert_str_eq(err.text, err_array.text);
		cr_assert_eq(why.request, counts[i]);
	}
}
