/*
 * The policy hyperv: the pairs that Hyper-V and the reference write, bit for bit.
 *
 * Bases are starts of regions, masks say "the power of two above the region's end". So a pair
 * covers more than its region, from the aligned block that holds its base on. Guests that were
 * saved with these values expect them back.
 *
 * Source: [OVMM] vm/loader/src/common.rs, compute_variable_mtrrs
 */
#include "loaders/mtrr_internal.h"

#include <inttypes.h>

#define FIRST_PAIR_END UINT64_C(0x8000000) /* 128 MiB */
/* Older Linux kernels keep 32 bits of page count: to them a larger block is an empty one. */
#define SPLIT_BIT 43
#define SPLIT (UINT64_C(1) << SPLIT_BIT)

/* Mask of the smallest power of two above @last, at least a page; the whole space at most. */
static uint64_t mask_reaching(uint64_t last, uint8_t address_bits)
{
	uint64_t block = PAGE_SIZE - 1;

	if (last >= PAGE_SIZE)
		block = UINT64_MAX >> __builtin_clzll(last);
	return (mtrr_address_mask(address_bits) & ~block) | MTRR_MASK_VALID;
}

/* Pairs keep their numbers: where one is not wanted its registers stay unused. */
static void put_pair(
	MtrrSet *set, size_t number, uint64_t base, uint64_t last, uint8_t address_bits)
{
	set->pairs[number] = (MtrrPair){
		.base = base | MTRR_WRITE_BACK,
		.mask = mask_reaching(last, address_bits),
	};
	set->count = number + 1;
}

static uint64_t end_of(MemoryRangeList ram)
{
	uint64_t end = 0;

	for (size_t i = 0; i < ram.count; i++)
		end = ram.items[i].end > end ? ram.items[i].end : end;
	return end;
}

/* RAM behind the low window, where there is no high one. */
static void put_up_to_end(MtrrSet *set, uint64_t base, uint64_t end, uint8_t address_bits)
{
	const uint64_t split = UINT64_C(1)
		<< (address_bits < SPLIT_BIT ? address_bits : SPLIT_BIT);

	put_pair(set, 2, base, (end < split ? end : split) - 1, address_bits);
	if (end > SPLIT)
		put_pair(set, 3, SPLIT, end - 1, address_bits);
}

/* RAM behind the high window: all there may be, whatever the end of RAM. */
static void put_above_high(MtrrSet *set, uint64_t base, uint8_t address_bits)
{
	const uint64_t space = UINT64_C(1) << address_bits;

	put_pair(set, 3, base, (space < SPLIT ? space : SPLIT) - 1, address_bits);
	if (space > SPLIT)
		put_pair(set, 4, SPLIT, space - 1, address_bits);
}

/* Where "the byte before the window" is asked for, the window must not start at 0. */
static bool check_windows(const MtrrInputs *in, uint64_t end, Error *err)
{
	if (end > FIRST_PAIR_END && in->low.start == 0)
		return error_set(err, PVW_MTRR_0004,
			"low window missing: ram ends at 0x%" PRIx64
			", above 128 MiB, and the low window is " RANGE_FORMAT,
			end, RANGE_ARGS(in->low));
	if (end > in->low.end && !memory_range_is_empty(in->high) && in->high.start == 0)
		return error_set(err, PVW_MTRR_0001,
			"high window " RANGE_FORMAT ", expected one above the low window",
			RANGE_ARGS(in->high));
	return true;
}

bool mtrr_solve_hyperv(const MtrrInputs *in, uint8_t address_bits, MtrrSet *out, Error *err)
{
	const uint64_t end = end_of(in->ram);
	const bool has_high = !memory_range_is_empty(in->high);
	MtrrSet set = { 0 };

	if (!check_windows(in, end, err))
		return false;

	put_pair(&set, 0, 0, FIRST_PAIR_END - 1, address_bits);
	if (end > FIRST_PAIR_END)
		put_pair(&set, 1, FIRST_PAIR_END, in->low.start - 1, address_bits);
	if (end > in->low.end && has_high)
		put_pair(&set, 2, in->low.end, in->high.start - 1, address_bits);
	else if (end > in->low.end)
		put_up_to_end(&set, in->low.end, end, address_bits);
	if (has_high && end > in->high.end)
		put_above_high(&set, in->high.end, address_bits);
	*out = set;
	return true;
}
