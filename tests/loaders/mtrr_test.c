#include <criterion/criterion.h>
#include <string.h>

#include "layout/resolver.h"
#include "layout/vtl0_layout.h"
#include "loaders/mtrr.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define TIB UINT64_C(0x10000000000)

static MtrrState state_of(uint64_t def_type, uint8_t bits, size_t count, const MtrrPair *pairs)
{
	MtrrState state = { .def_type = def_type, .address_bits = bits };

	for (size_t i = 0; i < count; i++)
		state.variable.pairs[i] = pairs[i];
	state.variable.count = count;
	return state;
}

/* ---- what a register set means ---- */

Test(mtrr, makes_everything_uncached_while_disabled)
{
	const MtrrPair pairs[] = { { 6, 0xff8000800 } };
	const MtrrState state = state_of(0x406, 36, 1, pairs);

	cr_assert_eq(mtrr_type_at(&state, 0x1000), MTRR_UNCACHED);
	cr_assert_eq(mtrr_type_as_read(&state, 0x1000), MTRR_UNCACHED);
}

Test(mtrr, takes_the_byte_of_the_fixed_register_that_covers_an_address)
{
	MtrrState state = state_of(0xc06, 36, 0, NULL);
	/* [SDM3] table 12-9, counted by hand: the register and the byte of an address */
	static const struct {
		uint64_t address;
		size_t index;
		unsigned byte;
	} cells[] = {
		{ 0x00000, 0, 0 },
		{ 0x0ffff, 0, 0 },
		{ 0x7ffff, 0, 7 },
		{ 0x80000, 1, 0 },
		{ 0x83fff, 1, 0 },
		{ 0x9ffff, 1, 7 },
		{ 0xa0000, 2, 0 },
		{ 0xbc000, 2, 7 },
		{ 0xc0000, 3, 0 },
		{ 0xc7fff, 3, 7 },
		{ 0xc8000, 4, 0 },
		{ 0xdf123, 6, 7 },
		{ 0xe0000, 7, 0 },
		{ 0xf0000, 9, 0 },
		{ 0xfffff, 10, 7 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(cells); i++) {
		memset(state.fixed, 0x05, sizeof(state.fixed));
		state.fixed[cells[i].index] =
			~(UINT64_C(0xff) << (8 * cells[i].byte)) & UINT64_C(0x0505050505050505);
		state.fixed[cells[i].index] |= UINT64_C(4) << (8 * cells[i].byte);

		cr_assert_eq(mtrr_type_at(&state, cells[i].address), MTRR_WRITE_THROUGH,
			"0x%llx", (unsigned long long)cells[i].address);
	}
	cr_assert_eq(mtrr_type_at(&state, 0x100000), MTRR_WRITE_BACK);
}

Test(mtrr, looks_past_the_fixed_registers_when_they_are_off)
{
	const MtrrState state = state_of(0x806, 36, 0, NULL);

	cr_assert_eq(mtrr_type_at(&state, 0xa0000), MTRR_WRITE_BACK);
}

Test(mtrr, combines_overlapping_pairs)
{
	static const struct {
		unsigned a, b;
		MtrrType type;
	} rows[] = {
		{ 6, 6, MTRR_WRITE_BACK },
		{ 6, 0, MTRR_UNCACHED },
		{ 0, 1, MTRR_UNCACHED },
		{ 6, 4, MTRR_WRITE_THROUGH },
		{ 4, 6, MTRR_WRITE_THROUGH },
		{ 6, 1, MTRR_UNDEFINED },
		{ 4, 5, MTRR_UNDEFINED },
		{ 5, 5, MTRR_WRITE_PROTECTED },
		{ 6, 2, MTRR_UNDEFINED },
		{ 3, 3, MTRR_UNDEFINED },
		{ 7, 7, MTRR_UNDEFINED },
		{ 1, 1, MTRR_WRITE_COMBINING },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const MtrrPair pairs[] = { { rows[i].a, 0xf80000800 },
			{ rows[i].b, 0xf00000800 } };
		const MtrrState state = state_of(0x800, 36, 2, pairs);

		cr_assert_eq(mtrr_type_at(&state, MIB), rows[i].type, "row %zu", i);
		cr_assert_eq(mtrr_type_as_read(&state, MIB), rows[i].type, "row %zu", i);
	}
}

Test(mtrr, ignores_pairs_that_are_not_valid)
{
	const MtrrPair pairs[] = { { 6, 0xf80000000 } };
	const MtrrState state = state_of(0x800, 36, 1, pairs);

	cr_assert_eq(mtrr_type_at(&state, MIB), MTRR_UNCACHED);
}

/* The reference's second pair: 128 MiB as base, 4 GiB as size. */
Test(mtrr, reads_an_unaligned_base_in_two_ways)
{
	const MtrrPair pairs[] = { { 0x8000006, 0xf00000800 } };
	const MtrrState state = state_of(0x800, 36, 1, pairs);

	cr_assert_eq(mtrr_type_at(&state, 64 * MIB), MTRR_WRITE_BACK);
	cr_assert_eq(mtrr_type_as_read(&state, 64 * MIB), MTRR_UNCACHED);
	cr_assert_eq(mtrr_type_at(&state, 4 * GIB + 64 * MIB), MTRR_UNCACHED);
	cr_assert_eq(mtrr_type_as_read(&state, 4 * GIB + 64 * MIB), MTRR_WRITE_BACK);
}

Test(mtrr, reads_an_empty_mask_as_the_whole_space)
{
	const MtrrPair pairs[] = { { 6, 0x800 } };
	const MtrrState state = state_of(0x800, 36, 1, pairs);

	cr_assert_eq(mtrr_type_at(&state, 0xfffffffff), MTRR_WRITE_BACK);
	cr_assert_eq(mtrr_type_as_read(&state, 0xfffffffff), MTRR_WRITE_BACK);
}

/* ---- sets as registers ---- */

Test(mtrr, writes_pairs_in_order_and_leaves_unused_ones_out)
{
	const MtrrSet set = { .pairs = { { 6, 0x1800 }, { 0, 0 }, { 0x2006, 0x2800 } },
		.count = 3 };
	Register out[2 * MTRR_MAX_PAIRS];

	cr_assert_eq(mtrr_registers(&set, out), 4);
	cr_assert_eq(out[0].id, REGISTER_MTRR_PHYS_BASE0);
	cr_assert_eq(out[0].low, 6);
	cr_assert_eq(out[1].id, REGISTER_MTRR_PHYS_MASK0);
	cr_assert_eq(out[1].low, 0x1800);
	cr_assert_eq(out[2].id, REGISTER_MTRR_PHYS_BASE0 + 2);
	cr_assert_eq(out[2].low, 0x2006);
	cr_assert_eq(out[3].id, REGISTER_MTRR_PHYS_MASK0 + 2);
	cr_assert_eq(out[3].high, 0);
}

Test(mtrr, lists_eleven_fixed_registers_that_cover_1_mib_without_a_gap)
{
	uint32_t at = 0;

	for (size_t i = 0; i < MTRR_FIXED_COUNT; i++) {
		const MtrrFixedRegister row = mtrr_fixed_register(i);

		cr_assert_eq(row.start, at, "register %zu", i);
		at += 8 * row.step;
	}
	cr_assert_eq(at, 0x100000);
	cr_assert_eq(mtrr_fixed_register(2).id, REGISTER_MTRR_FIX16K_A0000);
	cr_assert_eq(mtrr_fixed_register(10).id, REGISTER_MTRR_FIX4K_F8000);
}

Test(mtrr, makes_low_ram_and_the_bios_write_back)
{
	const MemoryRange ranges[] = { MTRR_LOW_RAM, MTRR_BIOS_SHADOW };
	const RegisterId ids[] = {
		REGISTER_MTRR_FIX64K_00000,
		REGISTER_MTRR_FIX16K_80000,
		REGISTER_MTRR_FIX4K_C0000 + 4,
		REGISTER_MTRR_FIX4K_C0000 + 5,
		REGISTER_MTRR_FIX4K_C0000 + 6,
		REGISTER_MTRR_FIX4K_F8000,
	};
	Register out[MTRR_FIXED_COUNT];

	cr_assert_eq(mtrr_fixed_registers(ranges, 1, out), 2);
	cr_assert_eq(mtrr_fixed_registers(ranges, 2, out), ARRAY_COUNT(ids));
	for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
		cr_assert_eq(out[i].id, ids[i]);
		cr_assert_eq(out[i].low, 0x0606060606060606);
	}
}

Test(mtrr, leaves_sub_ranges_uncached_that_are_not_wholly_asked_for)
{
	const MemoryRange range = { 0x1000, 0x88000 };
	Register out[MTRR_FIXED_COUNT];

	cr_assert_eq(mtrr_fixed_registers(&range, 1, out), 2);
	cr_assert_eq(out[0].low, 0x0606060606060600);
	cr_assert_eq(out[1].low, 0x0606);
}

Test(mtrr, knows_policies_and_covers_by_name)
{
	cr_assert_eq(mtrr_policy_find("exact"), MTRR_POLICY_EXACT);
	cr_assert_eq(mtrr_policy_find("hyperv"), MTRR_POLICY_HYPERV);
	cr_assert_eq(mtrr_policy_find("Exact"), MTRR_POLICY_COUNT);
	cr_assert_str_eq(mtrr_policy_name(MTRR_POLICY_HYPERV), "hyperv");
	cr_assert_str_eq(mtrr_cover_name(MTRR_COVER_RELAXED_WB), "relaxed-wb");
}

/* ---- the policy hyperv ---- */

#define LOW                                                                                    \
	{                                                                                      \
		0xf8000000, 0x100000000                                                        \
	}
#define HIGH                                                                                   \
	{                                                                                      \
		0xfc0000000, 0x1000000000                                                      \
	}
#define NO_HIGH                                                                                \
	{                                                                                      \
		0x100000000, 0x100000000                                                       \
	}

typedef struct HypervRow {
	const char *name;
	uint64_t end;
	MemoryRange low, high;
	uint8_t bits;
	MtrrPair pairs[5];
} HypervRow;

/* Registers that [OVMM] vm/loader/src/common.rs gives. */
static const HypervRow hyperv_rows[] = {
	{ "64 MiB", 64 * MIB, LOW, HIGH, 46, { { 0x6, 0x3ffff8000800 } } },
	{ "128 MiB", 128 * MIB, LOW, HIGH, 46, { { 0x6, 0x3ffff8000800 } } },
	{ "128 MiB and a page", 128 * MIB + 4096, LOW, HIGH, 46,
		{ { 0x6, 0x3ffff8000800 }, { 0x8000006, 0x3fff00000800 } } },
	{ "3.9 GiB", 0xf8000000, LOW, HIGH, 46,
		{ { 0x6, 0x3ffff8000800 }, { 0x8000006, 0x3fff00000800 } } },
	{ "2 GiB, width 36", 2 * GIB, LOW, HIGH, 36,
		{ { 0x6, 0xff8000800 }, { 0x8000006, 0xf00000800 } } },
	{ "8 GiB, high at 9 GiB", 9 * GIB, LOW, { 9 * GIB, 9 * GIB + 512 * MIB }, 46,
		{ { 0x6, 0x3ffff8000800 }, { 0x8000006, 0x3fff00000800 },
			{ 0x100000006, 0x3ffc00000800 } } },
	{ "8 GiB, no high", 8 * GIB + 128 * MIB, LOW, NO_HIGH, 46,
		{ { 0x6, 0x3ffff8000800 }, { 0x8000006, 0x3fff00000800 },
			{ 0x100000006, 0x3ffc00000800 } } },
	{ "8 GiB, high below ram", 9 * GIB, LOW, { 4 * GIB, 0x120000000 }, 46,
		{ { 0x6, 0x3ffff8000800 }, { 0x8000006, 0x3fff00000800 },
			{ 0x100000006, 0x3fff00000800 }, { 0x120000006, 0x380000000800 },
			{ 0x80000000006, 0x800 } } },
	{ "the same, width 40", 9 * GIB, LOW, { 4 * GIB, 0x120000000 }, 40,
		{ { 0x6, 0xfff8000800 }, { 0x8000006, 0xff00000800 },
			{ 0x100000006, 0xff00000800 }, { 0x120000006, 0x800 } } },
	{ "100 GiB, width 42", 0x1948000000, LOW, HIGH, 42,
		{ { 0x6, 0x3fff8000800 }, { 0x8000006, 0x3ff00000800 },
			{ 0x100000006, 0x3f000000800 }, { 0x1000000006, 0x800 } } },
	{ "100 GiB, width 46", 0x1948000000, LOW, HIGH, 46,
		{ { 0x6, 0x3ffff8000800 }, { 0x8000006, 0x3fff00000800 },
			{ 0x100000006, 0x3ff000000800 }, { 0x1000000006, 0x380000000800 },
			{ 0x80000000006, 0x800 } } },
	{ "12 TiB, no high", 12 * TIB + 128 * MIB, LOW, NO_HIGH, 46,
		{ { 0x6, 0x3ffff8000800 }, { 0x8000006, 0x3fff00000800 },
			{ 0x100000006, 0x380000000800 }, { 0x80000000006, 0x300000000800 } } },
	{ "8 TiB exactly, no high", 8 * TIB, LOW, NO_HIGH, 46,
		{ { 0x6, 0x3ffff8000800 }, { 0x8000006, 0x3fff00000800 },
			{ 0x100000006, 0x380000000800 } } },
	{ "100 GiB, width 43", 0x1948000000, LOW, HIGH, 43,
		{ { 0x6, 0x7fff8000800 }, { 0x8000006, 0x7ff00000800 },
			{ 0x100000006, 0x7f000000800 }, { 0x1000000006, 0x800 } } },
	{ "width 20 is 36", 64 * MIB, LOW, HIGH, 20, { { 0x6, 0xff8000800 } } },
	{ "width 255 is 52", 64 * MIB, LOW, HIGH, 255, { { 0x6, 0xffffff8000800 } } },
	{ "no low window, little ram", 64 * MIB, { 0, 0 }, { 0, 0 }, 46,
		{ { 0x6, 0x3ffff8000800 }, { 0, 0 }, { 0x6, 0x3ffffc000800 } } },
};

Test(mtrr, hyperv_gives_what_the_reference_gives)
{
	for (size_t i = 0; i < ARRAY_COUNT(hyperv_rows); i++) {
		const HypervRow *row = &hyperv_rows[i];
		const MemoryRange ram = { 0, row->end };
		const MtrrInputs in = {
			.ram = { &ram, 1 },
			.low = row->low,
			.high = row->high,
			.physical_address_bits = row->bits,
		};
		MtrrSet set;
		Error err;

		cr_assert(
			mtrr_solve(MTRR_POLICY_HYPERV, &in, NULL, &set, &err), "%s", row->name);

		for (size_t k = 0; k < 5; k++) {
			cr_assert_eq(set.pairs[k].base, row->pairs[k].base,
				"%s: base %zu is %llx", row->name, k,
				(unsigned long long)set.pairs[k].base);
			cr_assert_eq(set.pairs[k].mask, row->pairs[k].mask,
				"%s: mask %zu is %llx", row->name, k,
				(unsigned long long)set.pairs[k].mask);
		}
	}
}

Test(mtrr, hyperv_looks_at_the_highest_ram_wherever_it_is_listed)
{
	const MemoryRange ram[] = { { 4 * GIB, 9 * GIB }, { 0, 3 * GIB } };
	const MtrrInputs in = {
		.ram = { ram, 2 }, .low = LOW, .high = NO_HIGH, .physical_address_bits = 46
	};
	MtrrSet set;
	Error err;

	cr_assert(mtrr_solve(MTRR_POLICY_HYPERV, &in, NULL, &set, &err));
	cr_assert_eq(set.count, 3);
}

static void refuse(
	MtrrPolicy policy, const MtrrInputs *in, uint16_t diagnostic, const char *word)
{
	const MtrrSet untouched = { .count = 77 };
	Arena *arena = arena_new(1 << 20);
	MtrrSet set = untouched;
	Error err = { 0 };

	cr_assert_not(mtrr_solve(policy, in, arena, &set, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(set.count, 77);
	arena_free(arena);
}

Test(mtrr, hyperv_refuses_a_low_window_that_starts_at_0)
{
	const MemoryRange ram = { 0, GIB };
	MtrrInputs in = { .ram = { &ram, 1 }, .physical_address_bits = 46 };

	refuse(MTRR_POLICY_HYPERV, &in, PVW_MTRR_0004, "low window missing");
	in.high = (MemoryRange)HIGH;
	refuse(MTRR_POLICY_HYPERV, &in, PVW_MTRR_0004, "0x40000000");
	in.low = (MemoryRange){ 0, FOUR_GIB };
	refuse(MTRR_POLICY_HYPERV, &in, PVW_MTRR_0004, "0x0-0x100000000");
}

Test(mtrr, hyperv_refuses_a_high_window_that_starts_at_0)
{
	const MemoryRange ram = { 0, 8 * GIB };
	const MtrrInputs in = {
		.ram = { &ram, 1 }, .low = LOW, .high = { 0, GIB }, .physical_address_bits = 46
	};

	refuse(MTRR_POLICY_HYPERV, &in, PVW_MTRR_0001, "high window");
}

/* ---- the proof ---- */

static void disprove(MtrrSet set, const char *word)
{
	static const MemoryRange ram[] = { { 0, 2 * GIB } }, mmio[] = { LOW };
	Error err = { 0 };

	cr_assert_not(mtrr_verify(
		&set, (MemoryRangeList){ ram, 1 }, (MemoryRangeList){ mmio, 1 }, 36, &err));
	cr_assert_eq(err.diagnostic, PVW_MTRR_0005);
	cr_assert_eq(err.code, ERROR_INTERNAL);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
}

Test(mtrr, verify_accepts_a_right_set)
{
	const MemoryRange ram = { 0, 2 * GIB }, mmio = LOW;
	const MtrrSet set = { .pairs = { { 6, 0xf80000800 } }, .count = 1 };
	Error err;

	cr_assert(mtrr_verify(
		&set, (MemoryRangeList){ &ram, 1 }, (MemoryRangeList){ &mmio, 1 }, 36, &err));
}

Test(mtrr, verify_finds_what_is_wrong_with_a_set)
{
	disprove((MtrrSet){ .count = 9 }, "at most 8");
	disprove((MtrrSet){ .count = 0 }, "0x0 is of type 0");
	disprove((MtrrSet){ { { 6, 0xfc0000800 } }, 1, 0, false }, "0x40000000 is of type 0");
	disprove((MtrrSet){ { { 6, 0xf00000800 } }, 1, 0, false }, "0xf8000000 is of type 6");
	disprove((MtrrSet){ { { 1, 0xf80000800 } }, 1, 0, false }, "aligned block");
	disprove((MtrrSet){ { { 6, 0xf80000000 } }, 1, 0, false }, "pair 0");
	disprove((MtrrSet){ { { 6, 0x1f80000800 } }, 1, 0, false }, "below 0x1000000000");
	disprove((MtrrSet){ { { 6, 0xf90000800 } }, 1, 0, false }, "aligned block");
	disprove((MtrrSet){ { { 0x1000000006, 0xf80000800 } }, 1, 0, false }, "aligned block");
}

/* What the reference writes for a plain 2 GiB guest is not what it should mean. */
Test(mtrr, verify_disproves_the_set_of_hyperv)
{
	const MemoryRange ram = { 0, 2 * GIB }, mmio = LOW;
	const MtrrInputs in = {
		.ram = { &ram, 1 }, .low = LOW, .high = NO_HIGH, .physical_address_bits = 36
	};
	MtrrSet set;
	Error err;

	cr_assert(mtrr_solve(MTRR_POLICY_HYPERV, &in, NULL, &set, &err));
	cr_assert_not(mtrr_verify(&set, in.ram, (MemoryRangeList){ &mmio, 1 }, 36, &err));
	cr_assert_not_null(strstr(err.text, "pair 1"), "%s", err.text);
}

/* ---- inputs from a layout ---- */

Test(mtrr, takes_ram_devices_and_hidden_ranges_from_a_layout)
{
	const LayoutRecord records[] = {
		{ .kind = LAYOUT_RAM, .range = { 0, 2 * GIB } },
		{ .kind = LAYOUT_MMIO, .range = LOW },
		{ .kind = LAYOUT_RAM, .range = { 4 * GIB, 5 * GIB } },
		{ .kind = LAYOUT_PCI_ECAM, .range = { 5 * GIB, 6 * GIB } },
		{ .kind = LAYOUT_PCI_MMIO, .range = { 6 * GIB, 7 * GIB } },
		{ .kind = LAYOUT_VTL2, .range = { 10 * GIB, 11 * GIB } },
	};
	const MemoryRange vtl2[] = { { 8 * GIB, 9 * GIB }, { 9 * GIB, 10 * GIB },
		{ 10 * GIB, 10 * GIB + 4096 } };
	const Vtl0Layout layout = { .vtl0.records = { records, ARRAY_COUNT(records) },
		.vtl0.end_of_ram = 5 * GIB };
	const ChipsetMmioRanges mmio = { .low = LOW, .high = HIGH, .vtl2 = { vtl2, 3 } };
	Arena *arena = arena_new(1 << 16);
	MtrrInputs in;
	Error err;

	cr_assert(mtrr_inputs_from_layout(&layout, &mmio, 46, arena, &in, &err));

	cr_assert_eq(in.ram.count, 2);
	cr_assert_eq(in.ram.items[1].start, 4 * GIB);
	cr_assert_eq(in.mmio.count, 1);
	cr_assert_eq(in.yielding[MTRR_YIELD_CXL].count, 0);
	cr_assert_eq(in.yielding[MTRR_YIELD_PCI_HIGH].count, 2);
	cr_assert_eq(in.yielding[MTRR_YIELD_PCI_HIGH].items[1].end, 7 * GIB);
	cr_assert_eq(in.yielding[MTRR_YIELD_CHIPSET_HIGH].count, 0);
	cr_assert_eq(in.yielding[MTRR_YIELD_VTL2].count, 1);
	cr_assert_eq(in.yielding[MTRR_YIELD_VTL2].items[0].start, 8 * GIB);
	cr_assert_eq(in.yielding[MTRR_YIELD_VTL2].items[0].end, 11 * GIB);
	cr_assert_eq(in.low.start, 0xf8000000);
	cr_assert_eq(in.high.end, 0x1000000000);
	cr_assert_eq(in.physical_address_bits, 46);
	arena_free(arena);
}

/* By item: what a guest cannot do without stays uncached, the rest in the order of yielding. */
Test(mtrr, takes_everything_from_a_resolved_layout)
{
	static const LayoutPlacement placements[] = {
		{ .item = LAYOUT_ITEM_RAM, .range = { 0, 2 * GIB } },
		{ .item = LAYOUT_ITEM_RESERVED_IOVA, .range = { 2 * GIB, 2 * GIB + 4096 } },
		{ .item = LAYOUT_ITEM_ECAM, .range = { 3 * GIB, 3 * GIB + 0x100000 } },
		{ .item = LAYOUT_ITEM_IOMMU, .range = { 0xf0000000, 0xf0001000 } },
		{ .item = LAYOUT_ITEM_CHIPSET_LOW, .range = LOW },
		{ .item = LAYOUT_ITEM_RAM, .range = { 4 * GIB, 5 * GIB } },
		{ .item = LAYOUT_ITEM_CHIPSET_HIGH, .range = { 5 * GIB, 6 * GIB } },
		{ .item = LAYOUT_ITEM_ECAM, .range = { 6 * GIB, 7 * GIB } },
		{ .item = LAYOUT_ITEM_RC_HIGH, .range = { 7 * GIB, 8 * GIB } },
		{ .item = LAYOUT_ITEM_CXL_HDM, .range = { 8 * GIB, 9 * GIB } },
		{ .item = LAYOUT_ITEM_VTL2_CHIPSET, .range = { 9 * GIB, 10 * GIB } },
		{ .item = LAYOUT_ITEM_VTL2, .range = { 10 * GIB, 11 * GIB } },
	};
	const ResolvedLayout layout = {
		.placements = { placements, ARRAY_COUNT(placements) },
		.chipset_low = LOW,
		.chipset_high = { 5 * GIB, 6 * GIB },
		.end_of_ram = 5 * GIB,
	};
	Arena *arena = arena_new(1 << 16);
	MtrrInputs in;
	Error err;

	cr_assert(mtrr_inputs_from_resolved(&layout, 46, arena, &in, &err));

	cr_assert_eq(in.ram.count, 2);
	cr_assert_eq(in.mmio.count, 3);
	cr_assert_eq(in.mmio.items[0].start, 3 * GIB);
	cr_assert_eq(in.yielding[MTRR_YIELD_CHIPSET_HIGH].items[0].start, 5 * GIB);
	cr_assert_eq(in.yielding[MTRR_YIELD_PCI_HIGH].count, 2);
	cr_assert_eq(in.yielding[MTRR_YIELD_CXL].count, 1);
	cr_assert_eq(in.yielding[MTRR_YIELD_VTL2].count, 1);
	cr_assert_eq(in.yielding[MTRR_YIELD_VTL2].items[0].end, 11 * GIB);
	cr_assert_eq(in.high.end, 6 * GIB);
	arena_free(arena);
}

Test(mtrr, inputs_report_a_full_arena)
{
	const LayoutRecord record = { .kind = LAYOUT_RAM, .range = { 0, 2 * GIB } };
	const Vtl0Layout layout = { .vtl0.records = { &record, 1 } };
	const ChipsetMmioRanges mmio = { .low = LOW };
	Arena *arena = arena_new(1);
	MtrrInputs in;
	Error err = { 0 };

	cr_assert_not(mtrr_inputs_from_layout(&layout, &mmio, 46, arena, &in, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	arena_free(arena);
}
