/*
 * Policies by name, the meaning of a register set, and register sets as registers.
 * Source: [SDM3] 12.11
 */
#include "loaders/mtrr.h"

#include <inttypes.h>
#include <string.h>

#include "loaders/mtrr_internal.h"

static const struct {
	const char *name;
	bool exact;
	MtrrYield may_yield; /* exact: so many lists of devices may give way */
} policies[] = {
	[MTRR_POLICY_EXACT] = { "exact", true, MTRR_YIELD_VTL2 + 1 },
	[MTRR_POLICY_HYPERV] = { "hyperv", false, 0 },
	[MTRR_POLICY_BEST_EFFORT] = { "best-effort", true, MTRR_YIELD_COUNT },
};
static_assert(ARRAY_COUNT(policies) == MTRR_POLICY_COUNT, "a row a policy");

static const char *const yield_names[] = {
	[MTRR_YIELD_VTL2] = "vtl2",
	[MTRR_YIELD_CXL] = "cxl",
	[MTRR_YIELD_PCI_HIGH] = "pci-high",
	[MTRR_YIELD_CHIPSET_HIGH] = "chipset-high",
};
static_assert(ARRAY_COUNT(yield_names) == MTRR_YIELD_COUNT, "a name a list");

static const char *const cover_names[] = {
	[MTRR_COVER_STRICT_WB] = "strict-wb",
	[MTRR_COVER_STRICT] = "strict",
	[MTRR_COVER_RELAXED_WB] = "relaxed-wb",
	[MTRR_COVER_RELAXED] = "relaxed",
};
static_assert(ARRAY_COUNT(cover_names) == MTRR_COVER_COUNT, "a name a cover");

#define FIXED_SUB_RANGES 8 /* in one register, a byte each */

/* [SDM3] 12.11.2.2: the first 1 MiB, in registers of eight sub-ranges. */
static const struct {
	uint32_t begin, end, step;
	RegisterId first;
} fixed_ranges[] = {
	{ 0x00000, 0x80000, 0x10000, REGISTER_MTRR_FIX64K_00000 },
	{ 0x80000, 0xc0000, 0x4000, REGISTER_MTRR_FIX16K_80000 },
	{ 0xc0000, 0x100000, 0x1000, REGISTER_MTRR_FIX4K_C0000 },
};
static_assert(REGISTER_MTRR_FIX16K_A0000 == REGISTER_MTRR_FIX16K_80000 + 1, "consecutive");
static_assert(REGISTER_MTRR_FIX4K_F8000 == REGISTER_MTRR_FIX4K_C0000 + 7, "consecutive");

static uint32_t fixed_registers_of(size_t row)
{
	return (fixed_ranges[row].end - fixed_ranges[row].begin) /
		(fixed_ranges[row].step * FIXED_SUB_RANGES);
}

MtrrFixedRegister mtrr_fixed_register(size_t index)
{
	size_t row = 0;

	assert(index < MTRR_FIXED_COUNT);
	while (index >= fixed_registers_of(row))
		index -= fixed_registers_of(row++);
	return (MtrrFixedRegister){
		.id = fixed_ranges[row].first + (RegisterId)index,
		.start = fixed_ranges[row].begin +
			(uint32_t)index * fixed_ranges[row].step * FIXED_SUB_RANGES,
		.step = fixed_ranges[row].step,
	};
}

/* The byte of the fixed register that covers an address below 1 MiB. */
static uint8_t fixed_type(const MtrrState *state, uint32_t address)
{
	uint32_t index = 0;
	size_t row = 0;
	uint32_t sub_range;

	while (address >= fixed_ranges[row].end)
		index += fixed_registers_of(row++);
	sub_range = (address - fixed_ranges[row].begin) / fixed_ranges[row].step;
	index += sub_range / FIXED_SUB_RANGES;
	return (uint8_t)(state->fixed[index] >> (sub_range % FIXED_SUB_RANGES * 8));
}

/* A type field's value; reserved ones raise a fault on real hardware. */
static MtrrType type_of(uint64_t field)
{
	field &= 0xff;
	if (field == 2 || field == 3 || field > MTRR_WRITE_BACK)
		return MTRR_UNDEFINED;
	return (MtrrType)field;
}

/* [SDM3] 12.11.4.1: what two overlapping pairs make of an address. */
static MtrrType combine(MtrrType a, MtrrType b)
{
	if (a == b)
		return a;
	if (a == MTRR_UNCACHED || b == MTRR_UNCACHED)
		return MTRR_UNCACHED;
	if ((a == MTRR_WRITE_THROUGH && b == MTRR_WRITE_BACK) ||
		(a == MTRR_WRITE_BACK && b == MTRR_WRITE_THROUGH))
		return MTRR_WRITE_THROUGH;
	return MTRR_UNDEFINED;
}

typedef bool (*PairCovers)(const MtrrPair *pair, uint64_t address_mask, uint64_t address);

/* As the processor does: by the bits that the mask selects. */
static bool covers_by_mask(const MtrrPair *pair, uint64_t address_mask, uint64_t address)
{
	const uint64_t mask = pair->mask & address_mask;

	return (address & mask) == (pair->base & mask);
}

/* As software does: so many bytes from the base on. The lowest mask bit is the size. */
static bool covers_by_size(const MtrrPair *pair, uint64_t address_mask, uint64_t address)
{
	const uint64_t mask = pair->mask & address_mask;
	const uint64_t base = pair->base & address_mask;
	const uint64_t size = mask ? mask & (0 - mask) : address_mask + PAGE_SIZE;

	return address >= base && address - base < size;
}

static MtrrType type_by(const MtrrState *state, uint64_t address, PairCovers covers)
{
	const uint64_t address_mask = mtrr_address_mask(state->address_bits);
	MtrrType type = MTRR_UNDEFINED;
	bool found = false;

	if (!(state->def_type & MTRR_DEF_TYPE_ENABLE))
		return MTRR_UNCACHED;
	if (address < ONE_MIB && (state->def_type & MTRR_DEF_TYPE_FIXED_ENABLE))
		return type_of(fixed_type(state, (uint32_t)address));
	for (size_t i = 0; i < state->variable.count; i++) {
		const MtrrPair *pair = &state->variable.pairs[i];

		if (!(pair->mask & MTRR_MASK_VALID) || !covers(pair, address_mask, address))
			continue;
		type = found ? combine(type, type_of(pair->base)) : type_of(pair->base);
		found = true;
	}
	return found ? type : type_of(state->def_type);
}

MtrrType mtrr_type_at(const MtrrState *state, uint64_t address)
{
	return type_by(state, address, covers_by_mask);
}

MtrrType mtrr_type_as_read(const MtrrState *state, uint64_t address)
{
	return type_by(state, address, covers_by_size);
}

/* The block that a pair covers; contiguous masks only. */
static MemoryRange pair_block(const MtrrPair *pair, uint64_t address_mask)
{
	const uint64_t mask = pair->mask & address_mask;
	const uint64_t base = pair->base & mask;

	return (MemoryRange){ base,
		base + (mask ? mask & (0 - mask) : address_mask + PAGE_SIZE) };
}

/* Valid, contiguous mask, base aligned to its size, a type the solver uses, no stray bits. */
static bool verify_pair(const MtrrSet *set, size_t i, uint64_t address_mask, Error *err)
{
	const MtrrPair *pair = &set->pairs[i];
	const uint64_t mask = pair->mask & address_mask;
	const uint64_t base = pair->base & address_mask;
	const uint64_t type = pair->base & 0xfff;
	/* Filling up the zeros below the lowest one leaves a gap only in a mask that has one. */
	const bool contiguous = ((mask | (mask - 1)) & address_mask) == address_mask;

	if (pair->mask != (mask | MTRR_MASK_VALID) || pair->base != (base | type) ||
		!contiguous || (base & ~mask) != 0 ||
		(type != MTRR_UNCACHED && type != MTRR_WRITE_BACK))
		return error_set(err, PVW_MTRR_0005,
			"pair %zu is 0x%" PRIx64 "/0x%" PRIx64
			", expected an aligned block below 0x%" PRIx64,
			i, pair->base, pair->mask, address_mask + PAGE_SIZE);
	return true;
}

static bool verify_address(
	const MtrrState *state, uint64_t address, MtrrType expected, Error *err)
{
	const MtrrType hardware = mtrr_type_at(state, address);
	const MtrrType software = mtrr_type_as_read(state, address);

	if (hardware != expected || software != expected)
		return error_set(err, PVW_MTRR_0005,
			"0x%" PRIx64 " is of type %d, read as type %d, expected %d", address,
			(int)hardware, (int)software, (int)expected);
	return true;
}

/* A type can change only at a pair's edge: one look at the start and one at each edge inside. */
static bool verify_ranges(
	const MtrrState *state, MemoryRangeList ranges, MtrrType expected, Error *err)
{
	const uint64_t address_mask = mtrr_address_mask(state->address_bits);

	for (size_t i = 0; i < ranges.count; i++) {
		const MemoryRange range = ranges.items[i];

		if (memory_range_is_empty(range))
			continue;
		if (!verify_address(state, range.start, expected, err))
			return false;
		for (size_t k = 0; k < state->variable.count; k++) {
			const MemoryRange block =
				pair_block(&state->variable.pairs[k], address_mask);

			if (block.start > range.start && block.start < range.end &&
				!verify_address(state, block.start, expected, err))
				return false;
			if (block.end > range.start && block.end < range.end &&
				!verify_address(state, block.end, expected, err))
				return false;
		}
	}
	return true;
}

/* Unused space too: whatever its type, both readings agree on it. */
static bool verify_agreement(const MtrrState *state, Error *err)
{
	const uint64_t address_mask = mtrr_address_mask(state->address_bits);

	for (size_t i = 0; i < state->variable.count; i++) {
		const MemoryRange block = pair_block(&state->variable.pairs[i], address_mask);
		const uint64_t edges[] = { block.start, block.end };

		for (size_t k = 0; k < ARRAY_COUNT(edges); k++) {
			const MtrrType hardware = mtrr_type_at(state, edges[k]);

			if (edges[k] <= address_mask &&
				!verify_address(state, edges[k], hardware, err))
				return false;
		}
	}
	return true;
}

bool mtrr_verify(const MtrrSet *set, MemoryRangeList ram, MemoryRangeList mmio,
	uint8_t address_bits, Error *err)
{
	static const MemoryRange first_mib = { 0, ONE_MIB };
	/* Fixed ranges off: readers that look at the pairs only must find RAM below 1 MiB too. */
	const MtrrState state = {
		.def_type = MTRR_DEF_TYPE_ENABLE,
		.variable = *set,
		.address_bits = address_bits,
	};

	if (set->count > MTRR_MAX_PAIRS)
		return error_set(err, PVW_MTRR_0005, "%zu pairs, expected at most %d",
			set->count, MTRR_MAX_PAIRS);
	for (size_t i = 0; i < set->count; i++) {
		if (!verify_pair(set, i, mtrr_address_mask(address_bits), err))
			return false;
	}
	return verify_ranges(
		       &state, (MemoryRangeList){ &first_mib, 1 }, MTRR_WRITE_BACK, err) &&
		verify_ranges(&state, ram, MTRR_WRITE_BACK, err) &&
		verify_ranges(&state, mmio, MTRR_UNCACHED, err) &&
		verify_agreement(&state, err);
}

bool mtrr_solve(MtrrPolicy policy, const MtrrInputs *in, Arena *arena, MtrrSet *out, Error *err)
{
	const uint8_t address_bits = mtrr_address_bits(in->physical_address_bits);

	return policies[policy].exact ? mtrr_solve_exact(in, policies[policy].may_yield,
						address_bits, arena, out, err)
				      : mtrr_solve_hyperv(in, address_bits, out, err);
}

size_t mtrr_registers(const MtrrSet *set, Register out[2 * MTRR_MAX_PAIRS])
{
	size_t written = 0;

	for (size_t i = 0; i < set->count; i++) {
		if (!(set->pairs[i].mask & MTRR_MASK_VALID))
			continue;
		out[written++] = (Register){
			.id = REGISTER_MTRR_PHYS_BASE0 + (RegisterId)i,
			.low = set->pairs[i].base,
		};
		out[written++] = (Register){
			.id = REGISTER_MTRR_PHYS_MASK0 + (RegisterId)i,
			.low = set->pairs[i].mask,
		};
	}
	return written;
}

static bool inside_one_of(MemoryRange inner, const MemoryRange *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (memory_range_contains(ranges[i], inner))
			return true;
	}
	return false;
}

size_t mtrr_fixed_registers(
	const MemoryRange *ranges, size_t count, Register out[MTRR_FIXED_COUNT])
{
	size_t written = 0;

	for (size_t i = 0; i < MTRR_FIXED_COUNT; i++) {
		const MtrrFixedRegister row = mtrr_fixed_register(i);
		uint64_t value = 0;

		for (uint32_t k = 0; k < FIXED_SUB_RANGES; k++) {
			const uint64_t start = row.start + k * row.step;
			const MemoryRange sub_range = { start, start + row.step };

			if (inside_one_of(sub_range, ranges, count))
				value |= (uint64_t)MTRR_WRITE_BACK << (k * 8);
		}
		if (value)
			out[written++] = (Register){ .id = row.id, .low = value };
	}
	return written;
}

const char *mtrr_policy_name(MtrrPolicy policy)
{
	return policies[policy].name;
}

MtrrPolicy mtrr_policy_find(const char *name)
{
	for (MtrrPolicy policy = 0; policy < MTRR_POLICY_COUNT; policy++) {
		if (strcmp(policies[policy].name, name) == 0)
			return policy;
	}
	return MTRR_POLICY_COUNT;
}

const char *mtrr_yield_name(MtrrYield yield)
{
	assert(yield < MTRR_YIELD_COUNT);
	return yield_names[yield];
}

const char *mtrr_cover_name(MtrrCover cover)
{
	return cover_names[cover];
}
