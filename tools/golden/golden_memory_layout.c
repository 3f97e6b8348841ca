/*
 * Area memory_layout: a map from sizes or from ranges, and what it answers.
 */
#include "golden.h"

#include <string.h>

#include "layout/memory_layout.h"

static MemoryRangeList read_ranges(const json_t *input, const char *name, Arena *arena)
{
	const json_t *list = golden_member(input, name);
	const size_t count = json_array_size(list);
	MemoryRange *items = golden_array(arena, count, sizeof(*items));

	for (size_t i = 0; i < count; i++)
		items[i] = golden_range(json_array_get(list, i));
	return (MemoryRangeList){ items, count };
}

static bool layout_from_sizes(
	const json_t *input, Arena *arena, MemoryLayout *layout, Error *err)
{
	const json_t *list = golden_member(input, "numa_mem_sizes");
	const size_t nodes = json_array_size(list);
	uint64_t *sizes = golden_array(arena, nodes, sizeof(*sizes));
	LayoutGaps gaps = {
		.mmio = read_ranges(input, "mmio_gaps", arena),
		.pci_ecam = read_ranges(input, "pci_ecam_gaps", arena),
		.pci_mmio = read_ranges(input, "pci_mmio_gaps", arena),
	};

	for (size_t i = 0; i < nodes; i++)
		sizes[i] = golden_as_u64(json_array_get(list, i));
	if (!golden_is_null(input, "vtl2_range"))
		gaps.vtl2 = golden_range(golden_member(input, "vtl2_range"));
	return memory_layout_fill(sizes, nodes, &gaps, arena, layout, err);
}

static bool layout_from_lists(
	const json_t *input, Arena *arena, MemoryLayout *layout, Error *err)
{
	const LayoutGaps gaps = { .mmio = read_ranges(input, "mmio_gaps", arena) };
	const NodeRangeList ram = golden_node_ranges(golden_member(input, "ram"), arena);

	return memory_layout_from_ranges(ram, &gaps, arena, layout, err);
}

static json_t *write_ram(const MemoryLayout *layout)
{
	json_t *list = json_array();

	for (size_t i = 0; i < layout->ram.count; i++) {
		const LayoutRecord *record = &layout->ram.items[i];

		json_array_append_new(list,
			json_pack("{s: o, s: o, s: I}", "start",
				golden_json_u64(record->range.start), "end",
				golden_json_u64(record->range.end), "vnode",
				(json_int_t)record->vnode));
	}
	return list;
}

static json_t *write_kind(const MemoryLayout *layout, LayoutKind kind)
{
	json_t *list = json_array();

	for (size_t i = 0; i < layout->records.count; i++) {
		const LayoutRecord *record = &layout->records.items[i];

		if (record->kind == kind)
			json_array_append_new(list, golden_json_range(record->range));
	}
	return list;
}

/* As the schema calls what a probe finds. */
static const char *const probe_names[] = {
	[LAYOUT_RAM] = "ram",
	[LAYOUT_MMIO] = "mmio",
	[LAYOUT_PCI_ECAM] = "pci_ecam",
	[LAYOUT_PCI_MMIO] = "pci_mmio",
};

static json_t *write_probe(const MemoryLayout *layout, uint64_t address)
{
	const LayoutRecord *record = memory_layout_probe(layout, address);

	return json_pack("{s: o, s: s}", "address", golden_json_u64(address), "type",
		record ? probe_names[record->kind] : "none");
}

/* Without a list in the case: the addresses that the schema fixes. */
static json_t *write_probes(const json_t *input, const MemoryLayout *layout)
{
	static const uint64_t fixed[] = { 0, UINT64_C(0x40000000), UINT64_C(0xc0000000) };
	json_t *list = json_array();

	if (golden_is_null(input, "probes")) {
		for (size_t i = 0; i < ARRAY_COUNT(fixed); i++)
			json_array_append_new(list, write_probe(layout, fixed[i]));
		return list;
	}
	for (size_t i = 0; i < json_array_size(golden_member(input, "probes")); i++) {
		const json_t *address = json_array_get(golden_member(input, "probes"), i);

		json_array_append_new(list, write_probe(layout, golden_as_u64(address)));
	}
	return list;
}

static json_t *write_vtl2(const MemoryLayout *layout)
{
	for (size_t i = 0; i < layout->records.count; i++) {
		if (layout->records.items[i].kind == LAYOUT_VTL2)
			return golden_json_range(layout->records.items[i].range);
	}
	return json_null();
}

bool golden_run_memory_layout(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const bool sizes = strcmp(golden_string(input, "constructor"), "new_with_numa") == 0;
	MemoryLayout layout;
	uint64_t max_ram;
	bool below;

	if (sizes ? !layout_from_sizes(input, arena, &layout, err)
		  : !layout_from_lists(input, arena, &layout, err))
		return false;
	below = memory_layout_max_ram_below_4gib(&layout, &max_ram);
	*output = json_pack("{s: o, s: o, s: o, s: o, s: o, s: o, s: o, s: o}", "ram",
		write_ram(&layout), "mmio", write_kind(&layout, LAYOUT_MMIO), "vtl2_range",
		write_vtl2(&layout), "ram_size", golden_json_u64(layout.ram_size), "end_of_ram",
		golden_json_u64(layout.end_of_ram), "max_ram_below_4gb",
		below ? golden_json_u64(max_ram) : json_null(), "end_of_layout",
		golden_json_u64(layout.end_of_layout), "probe", write_probes(input, &layout));
	return true;
}
