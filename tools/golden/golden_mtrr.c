/*
 * Areas mtrr and mtrr_exact: variable MTRRs for a memory layout.
 *
 * mtrr is the reference's schema, answered by the policy hyperv. mtrr_exact takes the same
 * input, and other devices as "mmio", and has no reference: it answers by the policy exact, with
 * what tests/golden/mtrr_exact.py judges by properties.
 */
#include <stdlib.h>

#include "golden.h"
#include "loaders/mtrr.h"

static MemoryRangeList read_ranges(const json_t *list, Arena *arena)
{
	const size_t count = json_array_size(list);
	MemoryRange *items = golden_array(arena, count, sizeof(*items));

	for (size_t i = 0; i < count; i++)
		items[i] = golden_range(json_array_get(list, i));
	return (MemoryRangeList){ items, count };
}

static MtrrInputs read_inputs(const json_t *input, Arena *arena)
{
	return (MtrrInputs){
		.ram = read_ranges(golden_member(input, "ram"), arena),
		.low = golden_range(golden_member(input, "chipset_low_mmio")),
		.high = golden_range(golden_member(input, "chipset_high_mmio")),
		.physical_address_bits = (uint8_t)golden_u64(input, "physical_address_width"),
	};
}

/* The schema's names: "MtrrPhysBase0" without the prefix. */
static json_t *write_register(Register value)
{
	const bool is_mask = value.id >= REGISTER_MTRR_PHYS_MASK0;
	const int number = (int)(value.id -
		(is_mask ? REGISTER_MTRR_PHYS_MASK0 : REGISTER_MTRR_PHYS_BASE0));

	return json_pack("{s: o, s: o}", "reg",
		json_sprintf("%s%d", is_mask ? "PhysMask" : "PhysBase", number), "value",
		golden_json_u64(value.low));
}

static json_t *write_set(const MtrrSet *set)
{
	Register registers[2 * MTRR_MAX_PAIRS];
	const size_t count = mtrr_registers(set, registers);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, write_register(registers[i]));
	return list;
}

bool golden_run_mtrr(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const MtrrInputs in = read_inputs(input, arena);
	MtrrSet set;

	if (!mtrr_solve(MTRR_POLICY_HYPERV, &in, arena, &set, err))
		return false;
	*output = json_pack("{s: o}", "registers", write_set(&set));
	return true;
}

static json_t *write_needs(const MtrrNeed needs[MTRR_COVER_COUNT])
{
	json_t *object = json_object();

	for (MtrrCover cover = 0; cover < MTRR_COVER_COUNT; cover++)
		json_object_set_new(object, mtrr_cover_name(cover),
			json_pack("[I, I]", (json_int_t)needs[cover].pairs,
				(json_int_t)needs[cover].uncached));
	return object;
}

static int by_start(const void *a, const void *b)
{
	const MemoryRange *left = a, *right = b;

	return (left->start > right->start) - (left->start < right->start);
}

/* Both windows and what else the case lists. */
static MemoryRangeList read_devices(const json_t *input, const MtrrInputs *in, Arena *arena)
{
	const json_t *others = json_object_get(input, "mmio");
	const MemoryRangeList more =
		others ? read_ranges(others, arena) : (MemoryRangeList){ NULL, 0 };
	MemoryRange *items = golden_array(arena, more.count + 2, sizeof(*items));

	for (size_t i = 0; i < more.count; i++)
		items[i] = more.items[i];
	items[more.count] = in->low;
	items[more.count + 1] = in->high;
	qsort(items, more.count + 2, sizeof(*items), by_start);
	return (MemoryRangeList){ items, more.count + 2 };
}

bool golden_run_mtrr_exact(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	MtrrInputs in = read_inputs(input, arena);
	MtrrNeed needs[MTRR_COVER_COUNT];
	MtrrSet set;

	in.mmio = read_devices(input, &in, arena);
	if (!mtrr_exact_needs(&in, arena, needs, err))
		return false;
	if (!mtrr_solve(MTRR_POLICY_EXACT, &in, arena, &set, err)) {
		*output = json_pack(
			"{s: o, s: s}", "needs", write_needs(needs), "refused", err->text);
		return true;
	}
	*output = json_pack("{s: o, s: s, s: o}", "needs", write_needs(needs), "cover",
		mtrr_cover_name(set.cover), "registers", write_set(&set));
	return true;
}
