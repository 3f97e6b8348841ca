/*
 * linux_a64_regs, linux_a64_dt: how a kernel without firmware is entered on aarch64, and the device
 * tree that it is given.
 */
#include "golden.h"

#include <string.h>

#include "golden_acpi.h"
#include "layout/fixed_map.h"
#include "loaders/arm64_tree.h"
#include "loaders/linux_arm64.h"

bool golden_run_linux_a64_regs(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	Register registers[LINUX_ARM64_REGISTERS];
	json_t *list = json_array();
	uint64_t tree = 0;
	const bool has_tree = !golden_is_null(input, "dtb");
	size_t count;

	(void)arena;
	(void)err;
	if (has_tree)
		tree = golden_u64(input, "dtb");
	count = linux_arm64_registers(
		golden_u64(input, "entrypoint"), has_tree ? &tree : NULL, registers);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list,
			json_pack("{s: s, s: o}", "reg", register_row(registers[i].id)->name,
				"value", golden_json_u64(registers[i].low)));
	*output = json_pack("{s: o}", "registers", list);
	return true;
}

static MemoryRange window(const json_t *input, const char *name)
{
	const MemoryRange range = golden_range(golden_member(input, name));

	return range.start < range.end ? range : MEMORY_RANGE_EMPTY;
}

static Bytes command_line(const json_t *input)
{
	const char *text = golden_string(input, "cmdline");

	return (Bytes){ (const uint8_t *)text, strlen(text) };
}

bool golden_run_linux_a64_dt(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	static const ArmUart uarts[] = { { PL011_0_GPA, PL011_0_INTID },
		{ PL011_1_GPA, PL011_1_INTID } };
	ProcessorTopology topology;
	AcpiInputs acpi = { 0 };
	Bytes tree;

	if (!golden_read_machine(input, arena, &topology, &acpi, err))
		return false;
	const Arm64TreeInputs in = {
		.topology = &topology,
		.ram = acpi.ram,
		.mmio_low = window(input, "chipset_low_mmio"),
		.mmio_high = window(input, "chipset_high_mmio"),
		.bridges = acpi.bridges,
		.bridge_count = acpi.bridge_count,
		.smmus = acpi.iommu.smmu,
		.smmu_count = acpi.iommu.unit_count,
		.distances = acpi.distances,
		.uarts = uarts,
		.uart_count = golden_bool(input, "enable_serial") ? ARRAY_COUNT(uarts) : 0,
		.chosen = { .command_line = command_line(input),
			.initrd_start = golden_u64(input, "initrd_start"),
			.initrd_end = golden_u64(input, "initrd_end") },
	};
	if (!arm64_tree_build(&in, arena, &tree, err))
		return false;
	*output = json_pack("{s: o}", "dtb", golden_json_hex(tree));
	return true;
}
