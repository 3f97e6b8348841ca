#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "loaders/mtrr.h"
#include "support/diagnostics.h"

#define KIB UINT64_C(0x400)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define TIB UINT64_C(0x10000000000)
#define LOW                                                                                    \
	{                                                                                      \
		0xf8000000, 0x100000000                                                        \
	}

/* ---- an own reading of register sets: no code shared with the solver's oracles ---- */

/* 0 uncached, 6 write-back, -1 the two readings differ */
static int read_type(const MtrrSet *set, unsigned bits, uint64_t address)
{
	const uint64_t space = (UINT64_C(1) << bits) - 4096;
	int by_mask = 0, by_size = 0; /* bit 0: write-back, bit 1: uncached */

	for (size_t i = 0; i < set->count; i++) {
		const uint64_t base = set->pairs[i].base & ~UINT64_C(0xfff);
		const uint64_t mask = set->pairs[i].mask & space;
		const int hit = set->pairs[i].base & 0xff ? 1 : 2;
		uint64_t size = 4096;

		while (size <= space && !(mask & size))
			size *= 2;
		if (((address ^ base) & mask) == 0)
			by_mask |= hit;
		if (address >= base && address - base < size)
			by_size |= hit;
	}
	if (by_mask != by_size)
		return -1;
	return by_mask == 1 ? 6 : 0;
}

/* Every edge of ranges and pairs, and every byte between edges is like the edge before it. */
static void expect_types(const MtrrInputs *in, unsigned bits, const MtrrSet *set)
{
	static uint64_t edges[256];
	size_t count = 0;

	edges[count++] = 0;
	for (size_t i = 0; i < in->ram.count; i++)
		edges[count++] = in->ram.items[i].start;
	for (size_t i = 0; i < in->mmio.count; i++)
		edges[count++] = in->mmio.items[i].start;
	for (size_t i = 0; i < set->count; i++) {
		const uint64_t space = (UINT64_C(1) << bits) - 4096;
		const uint64_t mask = set->pairs[i].mask & space;
		const uint64_t base = set->pairs[i].base & space;

		cr_assert_eq(set->pairs[i].mask & ~space, 0x800);
		cr_assert_eq(base & ~mask, 0);
		cr_assert(mask != 0 || base == 0);
		edges[count++] = base;
		edges[count++] = base + (mask ? mask & (~mask + 1) : 0);
	}
	for (size_t i = 0; i < count; i++) {
		const int type = read_type(set, bits, edges[i]);
		int wanted = edges[i] < MIB ? 6 : type;

		if (edges[i] >> bits)
			continue;

		for (size_t k = 0; k < in->ram.count; k++) {
			if (edges[i] >= in->ram.items[k].start &&
				edges[i] < in->ram.items[k].end)
				wanted = 6;
		}
		for (size_t k = 0; k < in->mmio.count; k++) {
			if (edges[i] >= in->mmio.items[k].start &&
				edges[i] < in->mmio.items[k].end)
				wanted = 0;
		}
		cr_assert_neq(
			type, -1, "readings differ at %llx", (unsigned long long)edges[i]);
		cr_assert_eq(type, wanted, "%llx is %d", (unsigned long long)edges[i], type);
	}
}

/* ---- all 6,561 ways to mark eight pages ---- */

/* Where the eight pages lie; all around them is MMIO, so that larger blocks never help. */
#define PAGES_AT GIB

/* The fewest blocks, of the 15 aligned ones in eight pages, whose union is a set of pages. */
static unsigned fewest_blocks[256];

static void count_blocks(void)
{
	static const struct {
		unsigned count, size;
	} levels[] = { { 8, 1 }, { 4, 2 }, { 2, 4 }, { 1, 8 } };
	unsigned blocks[15], block_count = 0;

	for (size_t level = 0; level < ARRAY_COUNT(levels); level++) {
		for (unsigned i = 0; i < levels[level].count; i++)
			blocks[block_count++] = ((1U << levels[level].size) - 1)
				<< (i * levels[level].size);
	}
	memset(fewest_blocks, 0xff, sizeof(fewest_blocks));
	for (unsigned chosen = 0; chosen < 1U << 15; chosen++) {
		const unsigned count = (unsigned)__builtin_popcount(chosen);
		unsigned pages = 0;

		for (unsigned i = 0; i < 15; i++)
			pages |= chosen >> i & 1 ? blocks[i] : 0;
		if (count < fewest_blocks[pages])
			fewest_blocks[pages] = count;
	}
}

typedef struct Best {
	unsigned pairs, uncached;
} Best;

/* Every union of write-back blocks minus every union of uncached blocks, and what it costs. */
static void best_of(unsigned ram, unsigned mmio, Best *holes, Best *only)
{
	*holes = *only = (Best){ 99, 99 };
	for (unsigned wb = 0; wb < 256; wb++) {
		if ((wb & ram) != ram)
			continue;
		if (!(wb & mmio) && fewest_blocks[wb] < only->pairs)
			*only = (Best){ fewest_blocks[wb], 0 };
		for (unsigned uc = 0; uc < 256; uc++) {
			const unsigned uncached = fewest_blocks[uc];
			const unsigned pairs = fewest_blocks[wb] + uncached;

			if ((uc & ram) || (wb & ~uc & mmio))
				continue;
			if (pairs < holes->pairs ||
				(pairs == holes->pairs && uncached < holes->uncached))
				*holes = (Best){ pairs, uncached };
		}
	}
}

typedef struct Marking {
	MemoryRange ram[9], mmio[10];
	MtrrInputs in;
	unsigned ram_pages, mmio_pages;
} Marking;

static void mark_pages(unsigned number, Marking *m)
{
	*m = (Marking){ .in.physical_address_bits = 36 };
	m->mmio[m->in.mmio.count++] = (MemoryRange){ MIB, PAGES_AT };
	for (unsigned page = 0; page < 8; page++, number /= 3) {
		const uint64_t start = PAGES_AT + page * PAGE_SIZE;
		const MemoryRange range = { start, start + PAGE_SIZE };

		if (number % 3 == 1) {
			m->ram[m->in.ram.count++] = range;
			m->ram_pages |= 1U << page;
		} else if (number % 3 == 2) {
			m->mmio[m->in.mmio.count++] = range;
			m->mmio_pages |= 1U << page;
		}
	}
	m->mmio[m->in.mmio.count++] =
		(MemoryRange){ PAGES_AT + 8 * PAGE_SIZE, UINT64_C(1) << 36 };
	m->in.ram.items = m->ram;
	m->in.mmio.items = m->mmio;
}

/* The first 1 MiB costs one pair more. */
static void expect_need(MtrrNeed need, Best best, unsigned number)
{
	cr_assert_eq(need.pairs, best.pairs + 1, "marking %u: %zu pairs, expected %u", number,
		need.pairs, best.pairs + 1);
	cr_assert_eq(need.uncached, best.uncached, "marking %u: %zu uncached, expected %u",
		number, need.uncached, best.uncached);
}

/* Each budget takes the first cover that fits it, and the set means what it should. */
static void expect_ladder(
	Marking *m, const MtrrNeed needs[MTRR_COVER_COUNT], Arena *arena, unsigned number)
{
	for (uint8_t budget = 1; budget <= MTRR_MAX_PAIRS; budget++) {
		MtrrCover cover = 0;
		MtrrSet set;
		Error err;

		while (cover < MTRR_COVER_COUNT && needs[cover].pairs > budget)
			cover++;
		m->in.max_pairs = budget;
		if (!mtrr_solve(MTRR_POLICY_EXACT, &m->in, arena, &set, &err)) {
			cr_assert_eq(cover, MTRR_COVER_COUNT, "marking %u, budget %u: %s",
				number, budget, err.text);
			cr_assert_eq(err.diagnostic, PVW_MTRR_0003);
			continue;
		}
		cr_assert_eq(set.cover, cover, "marking %u, budget %u", number, budget);
		cr_assert_eq(set.count, needs[cover].pairs);
		expect_types(&m->in, 36, &set);
	}
}

Test(mtrr_exact, is_minimal_for_every_marking_of_eight_pages)
{
	Arena *arena = arena_new(1 << 20);

	count_blocks();
	for (unsigned number = 0; number < 6561; number++) {
		MtrrNeed needs[MTRR_COVER_COUNT];
		Best holes, only;
		Marking m;
		Error err;

		mark_pages(number, &m);
		cr_assert(mtrr_exact_needs(&m.in, arena, needs, &err), "%s", err.text);

		best_of(m.ram_pages, 0xff & ~m.ram_pages, &holes, &only);
		expect_need(needs[MTRR_COVER_STRICT_WB], only, number);
		expect_need(needs[MTRR_COVER_STRICT], holes, number);
		best_of(m.ram_pages, m.mmio_pages, &holes, &only);
		expect_need(needs[MTRR_COVER_RELAXED_WB], only, number);
		expect_need(needs[MTRR_COVER_RELAXED], holes, number);
		expect_ladder(&m, needs, arena, number);
		arena_reset(arena);
	}
	arena_free(arena);
}

/* ---- random layouts ---- */

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % below;
}

typedef struct Layout {
	MemoryRange ram[32], mmio[32];
	MtrrInputs in;
} Layout;

/* 1 to 23 ranges of pages to GiBs, RAM from 0 on, anywhere below a width of 36 to 52. */
static void draw_layout(Layout *l)
{
	const unsigned bits = 36 + (unsigned)draw(17);
	const uint64_t limit = UINT64_C(1) << bits;
	const size_t wanted = 1 + draw(draw(2) ? 23 : 5);
	const unsigned shift = 12 + (unsigned)draw(19);
	uint64_t at = 0;

	*l = (Layout){ .in.physical_address_bits = (uint8_t)bits };
	for (size_t i = 0; i < wanted && at < limit; i++) {
		const uint64_t unit = UINT64_C(1) << shift;
		const uint64_t len = (1 + draw(draw(3) ? 8 : 4096)) * unit;
		const uint64_t end = at + len < limit ? at + len : limit;
		const MemoryRange range = { at, end };

		if (i == 0 || (draw(2) && at >= MIB) || at < MIB)
			l->ram[l->in.ram.count++] = range;
		else
			l->mmio[l->in.mmio.count++] = range;
		at = end + (draw(2) ? draw(64) * unit : 0);
	}
	l->in.ram.items = l->ram;
	l->in.mmio.items = l->mmio;
	l->in.max_pairs = 8;
}

/* The recursion in its plainest form, over the lists as they are. */
typedef struct Costs {
	unsigned inside[2], outside[2], only;
} Costs;

static uint64_t bytes_in(MemoryRangeList list, uint64_t start, uint64_t end)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < list.count; i++) {
		const uint64_t a = list.items[i].start > start ? list.items[i].start : start;
		const uint64_t b = list.items[i].end < end ? list.items[i].end : end;

		sum += a < b ? b - a : 0;
	}
	return sum;
}

static Costs plain_costs(const MtrrInputs *in, bool strict, uint64_t start, unsigned bits)
{
	const uint64_t end = start + (UINT64_C(1) << bits);
	const uint64_t ram = bytes_in(in->ram, start, end);
	const uint64_t mmio = strict ? end - start - ram : bytes_in(in->mmio, start, end);
	Costs left, right, sum;

	if (!ram)
		return (Costs){ .inside = { mmio != 0, mmio != 0 } };
	if (!mmio && bits <= 43)
		return (Costs){ .outside = { 1, 0 }, .only = 1 };
	left = plain_costs(in, strict, start, bits - 1);
	right = plain_costs(in, strict, start + (UINT64_C(1) << (bits - 1)), bits - 1);
	sum = (Costs){
		{ left.inside[0] + right.inside[0], left.inside[1] + right.inside[1] },
		{ left.outside[0] + right.outside[0], left.outside[1] + right.outside[1] },
		left.only + right.only,
	};
	if (bits <= 43 &&
		(sum.inside[0] + 1 < sum.outside[0] ||
			(sum.inside[0] + 1 == sum.outside[0] &&
				sum.inside[1] < sum.outside[1]))) {
		sum.outside[0] = sum.inside[0] + 1;
		sum.outside[1] = sum.inside[1];
	}
	return sum;
}

static void expect_plain(const Layout *l, const MtrrNeed needs[MTRR_COVER_COUNT])
{
	static MemoryRange ram[33];
	MtrrInputs in = l->in;

	/* The first 1 MiB is RAM. */
	memcpy(ram, l->ram, sizeof(l->ram));
	if (ram[0].end < MIB) {
		size_t skip = 0;

		while (skip < in.ram.count && l->ram[skip].end <= MIB)
			skip++;
		memmove(&ram[1], &l->ram[skip], (in.ram.count - skip) * sizeof(*ram));
		in.ram.count = in.ram.count - skip + 1;
		ram[0] = (MemoryRange){ 0, MIB };
		if (in.ram.count > 1 && ram[1].start < MIB)
			ram[1].start = MIB;
	}
	in.ram.items = ram;
	for (int relaxed = 0; relaxed < 2; relaxed++) {
		const Costs c = plain_costs(&in, !relaxed, 0, in.physical_address_bits);

		cr_assert_eq(needs[2 * relaxed].pairs, c.only);
		cr_assert_eq(needs[2 * relaxed].uncached, 0);
		cr_assert_eq(needs[2 * relaxed + 1].pairs, c.outside[0]);
		cr_assert_eq(needs[2 * relaxed + 1].uncached, c.outside[1]);
	}
}

/* PVW_TEST_RUNS=50 makes them 100,000. */
Test(mtrr_exact, proves_2000_random_layouts_or_refuses_them_for_want_of_pairs, .timeout = 600)
{
	Arena *arena = arena_new(1 << 20);
	unsigned solved[MTRR_COVER_COUNT] = { 0 }, refused = 0;
	const char *factor = getenv("PVW_TEST_RUNS");

	seed = UINT64_C(0x9e3779b97f4a7c15);
	for (unsigned long i = 0; i < 2000 * (factor ? strtoul(factor, NULL, 10) : 1); i++) {
		MtrrNeed needs[MTRR_COVER_COUNT];
		MtrrSet set, again;
		Layout l;
		Error err;

		draw_layout(&l);
		cr_assert(mtrr_exact_needs(&l.in, arena, needs, &err), "%s", err.text);
		expect_plain(&l, needs);
		if (mtrr_solve(MTRR_POLICY_EXACT, &l.in, arena, &set, &err)) {
			solved[set.cover]++;
			expect_types(&l.in, l.in.physical_address_bits, &set);
			cr_assert(mtrr_solve(MTRR_POLICY_EXACT, &l.in, arena, &again, &err));
			cr_assert_arr_eq(set.pairs, again.pairs, sizeof(set.pairs));
		} else {
			refused++;
			cr_assert_eq(err.diagnostic, PVW_MTRR_0003, "%s", err.text);
			cr_assert_gt(needs[MTRR_COVER_RELAXED].pairs, 8);
			cr_assert_not_null(strstr(err.text, "ends at 0x"), "%s", err.text);
		}
		arena_reset(arena);
	}
	/* Neither side may be empty, and every cover must have had its turn. */
	cr_assert_gt(refused, 200);
	for (MtrrCover cover = 0; cover < MTRR_COVER_COUNT; cover++)
		cr_assert_gt(
			solved[cover], 10, "%s: %u", mtrr_cover_name(cover), solved[cover]);
	arena_free(arena);
}

/* ---- layouts as they are met, and what they take ---- */

typedef struct KnownLayout {
	const char *name;
	uint8_t bits;
	MemoryRange ram[3], mmio[3];
	size_t relaxed, relaxed_wb, strict;
	MtrrPair pairs[4]; /* of the set with as many pairs as relaxed takes, where known */
} KnownLayout;

static const KnownLayout known[] = {
	{ "2 GiB, high at 4 GiB", 46, { { 0, 2 * GIB } }, { LOW, { 4 * GIB, 9 * GIB / 2 } }, 1,
		1, 1, { { 0 } } },
	{ "2 GiB and a PCIe window", 46, { { 0, 2 * GIB } },
		{ { 0xf4000000, 0xf8000000 }, LOW, { 4 * GIB, 9 * GIB / 2 } }, 1, 1, 1,
		{ { 0 } } },
	{ "8 GiB, high behind RAM", 46, { { 0, 3 * GIB }, { 4 * GIB, 9 * GIB } },
		{ LOW, { 9 * GIB, 19 * GIB / 2 } }, 3, 4, 3,
		{ { 0x6, 0x3ffe00000800 }, { 0xc0000000, 0x3fffc0000800 },
			{ 0x200000006, 0x3fffc0000800 } } },
	{ "8 GiB, high below 64 GiB", 46,
		{ { 0, 0xf8000000 }, { 4 * GIB, 8 * GIB + 128 * MIB } },
		{ LOW, { 127 * GIB / 2, 64 * GIB } }, 2, 7, 3,
		{ { 0x6, 0x3ffc00000800 }, { 0xf8000000, 0x3ffff8000800 } } },
	{ "100 GiB, high in the middle", 44,
		{ { 0, 0xf8000000 }, { 4 * GIB, 127 * GIB / 2 }, { 64 * GIB, 0x1948000000 } },
		{ LOW, { 127 * GIB / 2, 64 * GIB } }, 3, 15, 7,
		{ { 0x6, 0xfe000000800 }, { 0xf8000000, 0xffff8000800 },
			{ 0xfe0000000, 0xfffe0000800 } } },
	{ "8 GiB, high at 4 GiB, RAM above", 46,
		{ { 0, 0xf8000000 }, { 0x120000000, 0x228000000 } },
		{ LOW, { 4 * GIB, 0x120000000 } }, 3, 9, 5, { { 0 } } },
	{ "8 GiB, ECAM and BARs behind RAM", 46, { { 0, 3 * GIB }, { 4 * GIB, 9 * GIB } },
		{ LOW, { 9 * GIB, 37 * GIB / 4 }, { 10 * GIB, 11 * GIB } }, 3, 4, 3,
		{ { 0 } } },
	{ "256 MiB", 36, { { 0, 256 * MIB } }, { LOW }, 1, 1, 1, { { 0 } } },
	{ "3 GiB, low from 3 GiB", 40, { { 0, 3 * GIB } },
		{ { 3 * GIB, 4 * GIB }, { 4 * GIB, 5 * GIB } }, 2, 2, 2, { { 0 } } },
	{ "12 TiB and 1 GiB, BARs at 13 TiB", 46,
		{ { 0, 3 * GIB }, { 4 * GIB, 12 * TIB + 2 * GIB } },
		{ LOW, { 13 * TIB, 14 * TIB } }, 4, 15, 4, { { 0 } } },
	{ "12 TiB, high behind RAM", 46, { { 0, 3 * GIB }, { 4 * GIB, 12 * TIB + GIB } },
		{ LOW, { 12 * TIB + GIB, 12 * TIB + 3 * GIB / 2 } }, 4, 15, 4, { { 0 } } },
};

static MtrrInputs inputs_of(const KnownLayout *layout)
{
	MtrrInputs in = { .ram.items = layout->ram,
		.mmio.items = layout->mmio,
		.physical_address_bits = layout->bits };

	while (in.ram.count < 3 && layout->ram[in.ram.count].end)
		in.ram.count++;
	while (in.mmio.count < 3 && layout->mmio[in.mmio.count].end)
		in.mmio.count++;
	return in;
}

Test(mtrr_exact, takes_the_known_number_of_pairs)
{
	Arena *arena = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
		MtrrInputs in = inputs_of(&known[i]);
		MtrrNeed needs[MTRR_COVER_COUNT];
		MtrrSet set;
		Error err;

		cr_expect(mtrr_exact_needs(&in, arena, needs, &err), "%s", err.text);
		cr_expect_eq(needs[MTRR_COVER_RELAXED].pairs, known[i].relaxed, "%s: %zu",
			known[i].name, needs[MTRR_COVER_RELAXED].pairs);
		cr_expect_eq(needs[MTRR_COVER_RELAXED_WB].pairs, known[i].relaxed_wb, "%s: %zu",
			known[i].name, needs[MTRR_COVER_RELAXED_WB].pairs);
		cr_expect_eq(needs[MTRR_COVER_STRICT].pairs, known[i].strict, "%s: %zu",
			known[i].name, needs[MTRR_COVER_STRICT].pairs);
		in.max_pairs = (uint8_t)known[i].relaxed;
		cr_assert(
			mtrr_solve(MTRR_POLICY_EXACT, &in, arena, &set, &err), "%s", err.text);
		expect_types(&in, in.physical_address_bits, &set);
		for (size_t k = 0; k < set.count && known[i].pairs[0].mask; k++) {
			cr_expect_eq(
				set.pairs[k].base, known[i].pairs[k].base, "%s", known[i].name);
			cr_expect_eq(
				set.pairs[k].mask, known[i].pairs[k].mask, "%s", known[i].name);
		}
	}
	arena_free(arena);
}

/* A curated row of the reference's layouts: the cover each takes with the default budget. */
typedef struct LadderRow {
	const char *name;
	uint64_t ram_end; /* behind the last of: low, high */
	MemoryRange high;
	uint8_t bits;
	int cover; /* -1: refused */
} LadderRow;

#define HIGH                                                                                   \
	{                                                                                      \
		0xfc0000000, 0x1000000000                                                      \
	}

static const LadderRow ladder[] = {
	{ "4 KiB", 0x1000, HIGH, 36, MTRR_COVER_STRICT_WB },
	{ "127 MiB", 127 * MIB, HIGH, 46, MTRR_COVER_STRICT },
	{ "128 MiB", 128 * MIB, HIGH, 46, MTRR_COVER_STRICT_WB },
	{ "128 MiB and a page", 128 * MIB + 4096, HIGH, 52, MTRR_COVER_STRICT_WB },
	{ "1 GiB", GIB, HIGH, 40, MTRR_COVER_STRICT_WB },
	{ "3968 MiB", 0xf8000000, HIGH, 48, MTRR_COVER_STRICT_WB },
	{ "62 GiB", 0xf80000000 + 128 * MIB, HIGH, 36, MTRR_COVER_STRICT },
	{ "100 GiB, width 36", 0x1948000000, HIGH, 36, -2 },
	{ "100 GiB", 0x1948000000, HIGH, 46, MTRR_COVER_RELAXED },
	{ "33 TiB", 33 * TIB + 640 * MIB, HIGH, 46, -1 },
	{ "33 TiB, width 52", 33 * TIB + 640 * MIB, HIGH, 52, -1 },
};

/* RAM around both windows, up to @end. */
static MtrrInputs around_windows(const LadderRow *row, MemoryRange ram[3], MemoryRange mmio[2])
{
	const MemoryRange low = LOW;
	const uint64_t starts[] = { 0, low.end, row->high.end };
	const uint64_t ends[] = { low.start, row->high.start, UINT64_MAX };
	MtrrInputs in = { .physical_address_bits = row->bits };

	mmio[0] = low;
	mmio[1] = row->high;
	for (size_t i = 0; i < 3 && starts[i] < row->ram_end; i++)
		ram[in.ram.count++] = (MemoryRange){ starts[i],
			row->ram_end < ends[i] ? row->ram_end : ends[i] };
	in.ram.items = ram;
	in.mmio = (MemoryRangeList){ mmio, 2 };
	return in;
}

Test(mtrr_exact, takes_the_plainest_cover_within_the_default_budget)
{
	Arena *arena = arena_new(1 << 20);

	for (size_t i = 0; i < ARRAY_COUNT(ladder); i++) {
		const LadderRow *row = &ladder[i];
		MemoryRange ram[3], mmio[2];
		const MtrrInputs in = around_windows(row, ram, mmio);
		MtrrSet set;
		Error err;

		if (mtrr_solve(MTRR_POLICY_EXACT, &in, arena, &set, &err)) {
			cr_expect_eq((int)set.cover, row->cover, "%s: %s", row->name,
				mtrr_cover_name(set.cover));
			cr_expect_leq(set.count, 6);
			expect_types(&in, row->bits, &set);
		} else {
			cr_expect_eq(err.diagnostic,
				row->cover == -1 ? PVW_MTRR_0003 : PVW_MTRR_0001, "%s: %s",
				row->name, err.text);
		}
	}
	arena_free(arena);
}

Test(mtrr_exact, never_uses_a_block_above_8_tib)
{
	const MemoryRange ram = { 0, 24 * TIB };
	const MtrrInputs in = { .ram = { &ram, 1 }, .physical_address_bits = 48 };
	Arena *arena = arena_new(1 << 20);
	MtrrSet set;
	Error err;

	cr_assert(mtrr_solve(MTRR_POLICY_EXACT, &in, arena, &set, &err), "%s", err.text);

	cr_assert_eq(set.count, 3);
	for (size_t i = 0; i < 3; i++) {
		cr_assert_eq(set.pairs[i].base, i * 8 * TIB + 6);
		cr_assert_eq(set.pairs[i].mask, 0xf80000000800);
	}
	arena_free(arena);
}

Test(mtrr_exact, counts_a_space_that_is_ram_to_its_very_end)
{
	const MemoryRange ram = { 0, UINT64_C(1) << 52 };
	const MtrrInputs in = { .ram = { &ram, 1 }, .physical_address_bits = 52 };
	Arena *arena = arena_new(1 << 20);
	MtrrNeed needs[MTRR_COVER_COUNT];
	Error err;

	cr_assert(mtrr_exact_needs(&in, arena, needs, &err), "%s", err.text);

	for (MtrrCover cover = 0; cover < MTRR_COVER_COUNT; cover++)
		cr_assert_eq(needs[cover].pairs, 512);
	arena_free(arena);
}

/* ---- what the guest cannot see ---- */

Test(mtrr_exact, makes_hidden_ranges_uncached_while_pairs_last)
{
	const MemoryRange ram = { 0, 2 * GIB }, mmio = LOW;
	const MemoryRange hidden = { 2 * GIB, 2 * GIB + 3 * PAGE_SIZE };
	MtrrInputs in = { .ram = { &ram, 1 },
		.mmio = { &mmio, 1 },
		.yielding[MTRR_YIELD_VTL2] = { &hidden, 1 },
		.physical_address_bits = 36 };
	Arena *arena = arena_new(1 << 20);
	MtrrSet set;
	Error err;

	cr_assert(mtrr_solve(MTRR_POLICY_EXACT, &in, arena, &set, &err), "%s", err.text);

	cr_assert_eq(set.yielded, 0);
	cr_assert_eq(read_type(&set, 36, hidden.start), 0);
	arena_free(arena);
}

Test(mtrr_exact, gives_hidden_ranges_up_before_it_fails)
{
	const MemoryRange ram[] = { { 0, 2 * GIB }, { 2 * GIB + 16 * MIB, 3 * GIB } };
	const MemoryRange mmio = LOW;
	const MemoryRange hidden = { 2 * GIB + 5 * PAGE_SIZE, 2 * GIB + 7 * PAGE_SIZE };
	MtrrInputs in = { .ram = { ram, 2 },
		.mmio = { &mmio, 1 },
		.yielding[MTRR_YIELD_VTL2] = { &hidden, 1 },
		.physical_address_bits = 36,
		.max_pairs = 2 };
	Arena *arena = arena_new(1 << 20);
	MtrrSet set;
	Error err;

	cr_assert(mtrr_solve(MTRR_POLICY_EXACT, &in, arena, &set, &err), "%s", err.text);

	cr_assert_eq(set.yielded, MTRR_YIELD_VTL2 + 1);
	cr_assert_eq(set.count, 2);
	expect_types(&in, 36, &set);
	arena_free(arena);
}

/* ---- refusals ---- */

static void refuse(const MtrrInputs *in, uint16_t diagnostic, const char *word)
{
	Arena *arena = arena_new(1 << 20);
	MtrrNeed needs[MTRR_COVER_COUNT];
	MtrrSet set = { .count = 77 };
	Error err = { 0 };

	cr_assert_not(mtrr_solve(MTRR_POLICY_EXACT, in, arena, &set, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(set.count, 77);
	if (diagnostic == PVW_MTRR_0002) {
		cr_assert_not(mtrr_exact_needs(in, arena, needs, &err));
		cr_assert_eq(err.diagnostic, diagnostic);
	}
	arena_free(arena);
}

static MtrrInputs inputs(const MemoryRange *ram, size_t ram_count, const MemoryRange *mmio)
{
	return (MtrrInputs){ .ram = { ram, ram_count },
		.mmio = { mmio, mmio ? 1 : 0 },
		.physical_address_bits = 36 };
}

Test(mtrr_exact, refuses_ranges_that_are_no_pages)
{
	const MemoryRange odd = { 0, 0x8000200 }, odd_start = { 0x80000800, 0x90000000 };
	const MemoryRange ram = { 0, GIB }, backwards = { 3 * GIB, 2 * GIB };
	MtrrInputs in = inputs(&odd, 1, NULL);

	refuse(&in, PVW_MTRR_0001, "whole pages");
	in = inputs(&ram, 1, &odd_start);
	refuse(&in, PVW_MTRR_0001, "mmio 0x80000800");
	in = inputs(&ram, 1, &backwards);
	refuse(&in, PVW_MTRR_0001, "whole pages");
}

Test(mtrr_exact, refuses_ranges_beyond_the_address_width)
{
	const MemoryRange ram = { 0, GIB }, much = { 0, 65 * GIB },
			  far = { 63 * GIB, 65 * GIB };
	MtrrInputs in = inputs(&much, 1, NULL);

	refuse(&in, PVW_MTRR_0001, "address width");
	in = inputs(&ram, 1, &far);
	refuse(&in, PVW_MTRR_0001, "0x1000000000");
	in.yielding[MTRR_YIELD_CHIPSET_HIGH] = in.mmio;
	in.mmio.count = 0;
	refuse(&in, PVW_MTRR_0001, "address width");
}

Test(mtrr_exact, refuses_a_budget_that_no_processor_has)
{
	const MemoryRange ram = { 0, GIB };
	MtrrInputs in = inputs(&ram, 1, NULL);

	in.max_pairs = 9;
	refuse(&in, PVW_MTRR_0001, "9 mtrr pairs");
}

Test(mtrr_exact, refuses_ram_and_mmio_in_one_place)
{
	const MemoryRange ram = { 0, 4 * GIB }, mmio = LOW, vga = { 0xa0000, 0xc0000 };
	const MemoryRange twice[] = { { 0, 2 * GIB }, { GIB, 3 * GIB } };
	const MemoryRange low_twice[] = { { 0, 0x20000 }, { 0x10000, 2 * GIB } };
	MtrrInputs in = inputs(&ram, 1, &mmio);

	refuse(&in, PVW_MTRR_0002, "mmio 0xf8000000-0x100000000 overlaps ram 0x0-0x100000000");
	in = inputs(&twice[0], 1, &vga);
	refuse(&in, PVW_MTRR_0002, "mmio 0xa0000");
	in = inputs(twice, 2, NULL);
	refuse(&in, PVW_MTRR_0002, "ram 0x40000000");
	in = inputs(low_twice, 2, NULL);
	refuse(&in, PVW_MTRR_0002, "ascending");
}

/* Empty ranges are {0, 0}, wherever they stand in a list. */
Test(mtrr_exact, takes_no_notice_of_empty_ranges)
{
	const MemoryRange ram[] = { { 0, 0 }, { 0, 0x9f000 }, { 0, 0 }, { 0x100000, 3 * GIB },
		{ 0, 0 } };
	const MemoryRange mmio[] = { { 0, 0 }, LOW, { 0, 0 } };
	MtrrInputs in = { .ram = { ram, ARRAY_COUNT(ram) },
		.mmio = { mmio, ARRAY_COUNT(mmio) },
		.physical_address_bits = 46 };
	const MemoryRange plain_ram[] = { { 0, 0x9f000 }, { 0x100000, 3 * GIB } };
	Arena *arena = arena_new(1 << 20);
	MtrrSet set, plain;
	Error err;

	cr_assert(mtrr_solve(MTRR_POLICY_EXACT, &in, arena, &set, &err), "%s", err.text);
	in.ram = (MemoryRangeList){ plain_ram, 2 };
	in.mmio = (MemoryRangeList){ &mmio[1], 1 };
	cr_assert(mtrr_solve(MTRR_POLICY_EXACT, &in, arena, &plain, &err), "%s", err.text);

	cr_assert_arr_eq(set.pairs, plain.pairs, sizeof(set.pairs));
	arena_free(arena);
}

/* ---- anything at all ---- */

/* Edges at which arithmetic goes wrong, or anything else. */
static uint64_t draw_edge(void)
{
	static const uint64_t edges[] = { 0, 1, 0xfff, 0x1000, 0x9f000, 0xa0000, MIB - 1, MIB,
		MIB + 0x1000, GIB, FOUR_GIB - 0x1000, FOUR_GIB, FOUR_GIB + 0x1000,
		UINT64_C(1) << 36, UINT64_C(1) << 43, UINT64_C(1) << 52, UINT64_C(1) << 63,
		UINT64_MAX - 0xfff, UINT64_MAX };
	const uint64_t any = draw(UINT64_MAX) * 2048;

	switch (draw(4)) {
	case 0:
		return any;
	case 1:
		return any >> draw(52) & ~UINT64_C(0xfff);
	default:
		return edges[draw(ARRAY_COUNT(edges))];
	}
}

static size_t draw_ranges(MemoryRange *items, size_t most)
{
	const bool ascending = draw(4) != 0;
	const size_t count = draw(most + 1);
	uint64_t at = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t a = draw_edge(), b = draw_edge();

		if (ascending && a > b) {
			const uint64_t swap = a;

			a = b;
			b = swap;
		}
		if (ascending && a < at)
			a = b = 0;
		items[i] = (MemoryRange){ a, b };
		at = b > at ? b : at;
	}
	return count;
}

Test(mtrr_exact, answers_or_refuses_anything_at_all)
{
	static const uint16_t refusals[] = { PVW_MTRR_0001, PVW_MTRR_0002, PVW_MTRR_0003,
		PVW_MTRR_0004 };
	Arena *arena = arena_new(1 << 20);
	unsigned solved = 0;

	seed = UINT64_C(0x243f6a8885a308d3);
	for (unsigned i = 0; i < 100000; i++) {
		MemoryRange ram[6], mmio[6], hidden[3];
		MtrrInputs in = { .physical_address_bits = (uint8_t)draw(256),
			.max_pairs = (uint8_t)draw(10),
			.low = { draw_edge(), draw_edge() },
			.high = { draw_edge(), draw_edge() } };
		const unsigned bits = in.physical_address_bits < 36 ? 36
			: in.physical_address_bits > 52             ? 52
								    : in.physical_address_bits;
		const MtrrPolicy policy = draw(8) == 0 ? MTRR_POLICY_HYPERV : MTRR_POLICY_EXACT;
		MtrrSet set = { .count = 77 };
		bool expected = false;
		Error err = { 0 };

		in.ram = (MemoryRangeList){ ram, draw_ranges(ram, 6) };
		in.mmio = (MemoryRangeList){ mmio, draw_ranges(mmio, 6) };
		in.yielding[MTRR_YIELD_VTL2] =
			(MemoryRangeList){ hidden, draw_ranges(hidden, 3) };
		arena_reset(arena);
		if (mtrr_solve(policy, &in, arena, &set, &err)) {
			cr_assert_leq(set.count, MTRR_MAX_PAIRS);
			if (policy == MTRR_POLICY_EXACT)
				expect_types(&in, bits, &set);
			solved += policy == MTRR_POLICY_EXACT;
			continue;
		}
		for (size_t k = 0; k < ARRAY_COUNT(refusals); k++)
			expected = expected || err.diagnostic == refusals[k];
		cr_assert(expected, "%s", err.text);
		cr_assert_eq(set.count, 77);
	}
	cr_assert_gt(solved, 500, "%u", solved);
	arena_free(arena);
}

/* The lists yield from the first to the last, no more of them than the pairs demand. */
Test(mtrr_exact, yields_in_order_and_no_further_than_it_must)
{
	const MemoryRange ram[] = { { 0, 3 * GIB }, { 4 * GIB, 0x7f10200000 } };
	const MemoryRange low = LOW, high = { 0x7f10200000, 0x7f30200000 },
			  cxl = { 0x8000000000, 0x8010000000 };
	MtrrInputs in = { .ram = { ram, 2 }, .mmio = { &low, 1 }, .physical_address_bits = 46 };
	Arena *arena = arena_new(1 << 20);
	MtrrSet set = { .count = 77 };
	Error err;

	in.yielding[MTRR_YIELD_CXL] = (MemoryRangeList){ &cxl, 1 };
	in.yielding[MTRR_YIELD_CHIPSET_HIGH] = (MemoryRangeList){ &high, 1 };
	cr_assert_not(mtrr_solve(MTRR_POLICY_EXACT, &in, arena, &set, &err));
	cr_assert_eq(err.diagnostic, PVW_MTRR_0003);
	cr_assert_eq(set.count, 77);
	cr_assert(mtrr_solve(MTRR_POLICY_BEST_EFFORT, &in, arena, &set, &err), "%s", err.text);
	cr_assert_eq(set.yielded, MTRR_YIELD_CHIPSET_HIGH + 1);
	cr_assert_leq(set.count, MTRR_DEFAULT_BUDGET);
	cr_assert_eq(read_type(&set, 46, low.start), 0);

	/* The other way round: the list that yields first is the one in the way. */
	in.yielding[MTRR_YIELD_CXL] = (MemoryRangeList){ &high, 1 };
	in.yielding[MTRR_YIELD_CHIPSET_HIGH] = (MemoryRangeList){ &cxl, 1 };
	cr_assert(mtrr_solve(MTRR_POLICY_BEST_EFFORT, &in, arena, &set, &err), "%s", err.text);
	cr_assert_eq(set.yielded, MTRR_YIELD_CXL + 1);
	cr_assert_eq(read_type(&set, 46, cxl.start), 0);

	/* With pairs enough nobody yields. */
	in.yielding[MTRR_YIELD_CXL].count = 0;
	cr_assert(mtrr_solve(MTRR_POLICY_BEST_EFFORT, &in, arena, &set, &err), "%s", err.text);
	cr_assert_leq(set.yielded, MTRR_YIELD_CXL);
	arena_free(arena);
}

/* 519426 MiB with the high window right behind RAM: the worst of many sampled sizes. */
Test(mtrr_exact, names_the_boundary_that_wants_too_many_pairs)
{
	const MemoryRange ram[] = { { 0, 3 * GIB }, { 4 * GIB, 0x7f10200000 } };
	const MemoryRange mmio[] = { LOW, { 0x7f10200000, 0x7f30200000 } };
	const MtrrInputs in = {
		.ram = { ram, 2 }, .mmio = { mmio, 2 }, .physical_address_bits = 46
	};
	MtrrNeed needs[MTRR_COVER_COUNT];
	Arena *arena = arena_new(1 << 20);
	Error err;

	cr_assert(mtrr_exact_needs(&in, arena, needs, &err));
	cr_assert_eq(needs[MTRR_COVER_RELAXED].pairs, 10);
	refuse(&in, PVW_MTRR_0003, "needs 10 mtrr pairs, have 6");
	refuse(&in, PVW_MTRR_0003, "ram ends at 0x7f10200000 and mmio starts at 0x7f10200000");
	refuse(&in, PVW_MTRR_0003, "aligned to 0x200000");
	arena_free(arena);
}

/* Unused space lets a boundary move: the one without that freedom is to blame. */
Test(mtrr_exact, does_not_blame_a_boundary_that_can_move)
{
	const MemoryRange ram[] = { { 0, 3 * GIB - PAGE_SIZE }, { 4 * GIB, 0x7f10200000 } };
	const MemoryRange mmio[] = { LOW, { 0x7f10200000, 0x7f30200000 } };
	const MtrrInputs in = {
		.ram = { ram, 2 }, .mmio = { mmio, 2 }, .physical_address_bits = 46
	};

	refuse(&in, PVW_MTRR_0003, "ram ends at 0x7f10200000");
}

Test(mtrr_exact, says_so_when_there_is_simply_too_much_ram)
{
	const MemoryRange ram = { 0, 100 * TIB };
	const MtrrInputs in = { .ram = { &ram, 1 }, .physical_address_bits = 52 };

	refuse(&in, PVW_MTRR_0003, "ram ends at 0x640000000000, too much for blocks of 8 TiB");
}

Test(mtrr_exact, reports_a_full_arena_at_every_step)
{
	const MemoryRange ram = { 0, 3 * GIB }, mmio = LOW;
	const MtrrInputs in = inputs(&ram, 1, &mmio);
	unsigned failures = 0;

	for (size_t limit = 8; limit < 4096; limit += 8) {
		Arena *arena = arena_new(limit);
		MtrrNeed needs[MTRR_COVER_COUNT];
		MtrrSet set;
		Error err = { 0 };

		if (!mtrr_solve(MTRR_POLICY_EXACT, &in, arena, &set, &err)) {
			cr_assert_eq(err.diagnostic, PVW_MEM_0001);
			failures++;
		}
		arena_reset(arena);
		if (!mtrr_exact_needs(&in, arena, needs, &err))
			cr_assert_eq(err.diagnostic, PVW_MEM_0001);
		arena_free(arena);
	}
	cr_assert_gt(failures, 3);
	cr_assert_lt(failures, 500);
}
