/*
 * The policy exact: RAM write-back, MMIO uncached, with the fewest pairs, and proved.
 *
 * Of the four ways to cover RAM the first one that fits is taken, the plainest first: what is
 * left uncached beside RAM can never be misread, and sets without uncached holes keep Linux
 * from rewriting them. RAM is never left uncached for want of pairs: Linux would discard it.
 */
#include "loaders/mtrr_internal.h"

#include <inttypes.h>

static MtrrNeed need_of(MtrrTree *const trees[2], MtrrCover cover)
{
	const bool strict = cover == MTRR_COVER_STRICT_WB || cover == MTRR_COVER_STRICT;
	const bool holes = cover == MTRR_COVER_STRICT || cover == MTRR_COVER_RELAXED;

	return mtrr_tree_need(trees[strict ? 0 : 1], holes);
}

/* What prevents a better cover: an edge between RAM and MMIO, and how freely it can be drawn. */
typedef struct Boundary {
	uint64_t from, to; /* the cut may lie anywhere in here, unused space if from < to */
	uint64_t align;    /* largest power of two that has a multiple in [from, to] */
	bool ram_first;
} Boundary;

/* The largest power of two with a multiple in [from, to]; from > 0. */
static uint64_t best_align(uint64_t from, uint64_t to)
{
	return UINT64_C(1) << (63 - __builtin_clzll((from - 1) ^ to));
}

static Boundary worst_boundary(const MtrrSpace *space)
{
	Boundary worst = { .align = UINT64_MAX, .ram_first = true };
	uint32_t before = 0; /* the last segment that is RAM or MMIO */

	for (uint32_t i = 1; i < space->count; i++) {
		const bool ram = mtrr_space_ram(space, i, i) != 0;
		const bool mmio = mtrr_space_mmio(space, i, i) != 0;
		const bool ram_before = mtrr_space_ram(space, before, before) != 0;
		Boundary b = { .from = space->segments[before + 1].start,
			.to = space->segments[i].start,
			.ram_first = ram_before };

		if (!ram && !mmio)
			continue;
		before = i;
		b.align = best_align(b.from, b.to);
		if (ram != ram_before && b.align < worst.align)
			worst = b;
	}
	if (worst.align == UINT64_MAX) /* RAM alone, and a lot of it */
		worst.from = worst.to = space->segments[before + 1].start;
	return worst;
}

static bool too_many_pairs(const MtrrSpace *space, size_t need, size_t have, Error *err)
{
	const Boundary b = worst_boundary(space);

	if (b.align == UINT64_MAX)
		return error_set(err, PVW_MTRR_0003,
			"needs %zu mtrr pairs, have %zu: ram ends at 0x%" PRIx64
			", too much for blocks of 8 TiB",
			need, have, b.from);
	return error_set(err, PVW_MTRR_0003,
		"needs %zu mtrr pairs, have %zu: %s ends at 0x%" PRIx64
		" and %s starts at 0x%" PRIx64 ", aligned to 0x%" PRIx64
		" at best, the least of all boundaries",
		need, have, b.ram_first ? "ram" : "mmio", b.from, b.ram_first ? "mmio" : "ram",
		b.to, b.align);
}

/* One space, the ladder of covers. */
static bool solve_space(
	const MtrrSpace *space, size_t budget, Arena *arena, MtrrSet *out, Error *err)
{
	MtrrTree *trees[2] = { NULL, NULL };
	MtrrCover cover = 0;
	MtrrSet set;

	for (; cover < MTRR_COVER_COUNT; cover++) {
		const bool strict = cover < MTRR_COVER_RELAXED_WB;

		if (!trees[!strict] &&
			!mtrr_tree_solve(space, strict, arena, &trees[!strict], err))
			return false;
		if (need_of(trees, cover).pairs <= budget)
			break;
	}
	if (cover == MTRR_COVER_COUNT)
		return too_many_pairs(
			space, need_of(trees, MTRR_COVER_RELAXED).pairs, budget, err);

	mtrr_tree_emit(trees[cover >= MTRR_COVER_RELAXED_WB],
		cover == MTRR_COVER_STRICT || cover == MTRR_COVER_RELAXED, &set);
	set.cover = cover;
	if (set.count != need_of(trees, cover).pairs)
		return error_set(err, PVW_MTRR_0005, "%zu pairs emitted, %zu were counted",
			set.count, need_of(trees, cover).pairs);
	*out = set;
	return true;
}

static bool solve_without(const MtrrInputs *in, MtrrYield yielded, uint8_t address_bits,
	Arena *arena, MtrrSet *out, Error *err)
{
	const size_t budget = in->max_pairs ? in->max_pairs : MTRR_DEFAULT_BUDGET;
	MtrrSpace space;
	MtrrSet set;

	if (!mtrr_space_build(in, yielded, address_bits, arena, &space, err) ||
		!solve_space(&space, budget, arena, &set, err) ||
		!mtrr_verify(&set, in->ram, in->mmio, address_bits, err))
		return false;
	for (MtrrYield list = yielded; list < MTRR_YIELD_COUNT; list++) {
		const MemoryRangeList mmio = in->yielding[list];

		if (mmio.count && !mtrr_verify(&set, in->ram, mmio, address_bits, err))
			return false;
	}
	set.yielded = yielded;
	*out = set;
	return true;
}

bool mtrr_solve_exact(const MtrrInputs *in, MtrrYield may_yield, uint8_t address_bits,
	Arena *arena, MtrrSet *out, Error *err)
{
	if (in->max_pairs > MTRR_MAX_PAIRS)
		return error_set(err, PVW_MTRR_0001,
			"%u mtrr pairs may be used, expected at most %d",
			(unsigned)in->max_pairs, MTRR_MAX_PAIRS);
	if (solve_without(in, 0, address_bits, arena, out, err))
		return true;
	for (MtrrYield list = 0; list < may_yield && err->diagnostic == PVW_MTRR_0003; list++) {
		if (in->yielding[list].count &&
			solve_without(in, list + 1, address_bits, arena, out, err))
			return true;
	}
	return false;
}

bool mtrr_exact_needs(
	const MtrrInputs *in, Arena *arena, MtrrNeed out[MTRR_COVER_COUNT], Error *err)
{
	const uint8_t address_bits = mtrr_address_bits(in->physical_address_bits);
	MtrrTree *trees[2];
	MtrrSpace space;

	if (!mtrr_space_build(in, 0, address_bits, arena, &space, err) ||
		!mtrr_tree_solve(&space, true, arena, &trees[0], err) ||
		!mtrr_tree_solve(&space, false, arena, &trees[1], err))
		return false;
	for (MtrrCover cover = 0; cover < MTRR_COVER_COUNT; cover++)
		out[cover] = need_of(trees, cover);
	return true;
}
