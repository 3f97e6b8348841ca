/*
 * /cpus, and what aarch64 says about its interrupts: /intc@*, /pmu*.
 * [OVMM] openhcl/bootloader_fdt_parser/src/lib.rs
 */
#include <inttypes.h>

#include "bootinfo/parse_internal.h"
#include "support/diagnostics.h"

/* arm,armv8-pmuv3 `interrupts`: {1 = PPI, index, flags}; the INTID of PPI 0 is 16. */
#define INTERRUPT_TYPE_PPI 1
#define FIRST_PPI 16
#define PPI_COUNT 16

bool parse_cpus(BootTree *tree, Error *err)
{
	if (!fdt_read_u32(&tree->reader, FDT_ADDRESS_CELLS, &tree->cpu_cells, err))
		return false;
	if (tree->cpu_cells > 2)
		return fdt_fail(err, &tree->reader, FDT_ADDRESS_CELLS, PVW_DT_0015,
			"%" PRIu32 ", expected 1 or 2", tree->cpu_cells);
	tree->cpus.count = 0;
	return true;
}

/* Every child is a processor, whatever its name and `status`. */
bool parse_cpu(BootTree *tree, Error *err)
{
	const FdtReader *reader = &tree->reader;
	BootCpu cpu, *slot;
	uint32_t low = 0;

	if (tree->cpu_cells == 0)
		return fdt_fail(err, reader, FDT_NODE_ITSELF, PVW_DT_0015,
			"#address-cells of its parent is 0, expected 1 or 2");
	if (tree->cpu_cells == 2 ? !fdt_read_u64(reader, FDT_REG, &cpu.reg, err)
				 : !fdt_read_u32(reader, FDT_REG, &low, err))
		return false;
	if (tree->cpu_cells == 1)
		cpu.reg = low;
	if (!fdt_read_u32(reader, FDT_NUMA_NODE, &cpu.vnode, err))
		return false;
	slot = growing_list_add(&tree->cpus, tree->arena, err);
	if (!slot)
		return fdt_fail_here(err, reader, FDT_NODE_ITSELF);
	*slot = cpu;
	return true;
}

/* `reg`: distributor base and size, redistributors base and size. */
bool parse_gic(BootTree *tree, Error *err)
{
	const FdtReader *reader = &tree->reader;
	uint64_t reg[4];
	BootGic gic = { 0 };
	bool has_stride;
	Error ignored;

	if (!fdt_read_u64s(reader, FDT_REG, ARRAY_COUNT(reg), reg, err))
		return false;
	gic.distributor_base = reg[0];
	gic.distributor_size = reg[1];
	gic.redistributor_base = reg[2];
	gic.redistributor_size = reg[3];
	/* Stated for the kernel; one that cannot be read counts as not stated. */
	if (!fdt_read_optional_u64(reader, FDT_REDISTRIBUTOR_STRIDE, &has_stride,
		    &gic.redistributor_stride, &ignored))
		gic.redistributor_stride = 0;
	tree->info.gic = gic;
	tree->has_gic = true;
	return true;
}

bool parse_pmu(BootTree *tree, Error *err)
{
	const FdtReader *reader = &tree->reader;
	size_t count;
	uint32_t type, index;

	if (!fdt_u32_count(reader, FDT_INTERRUPTS, &count, err))
		return false;
	if (count < 2)
		return fdt_fail(err, reader, FDT_INTERRUPTS, PVW_DT_0013,
			"%zu cells, expected at least 2", count);
	type = fdt_u32_at(reader, FDT_INTERRUPTS, 0);
	index = fdt_u32_at(reader, FDT_INTERRUPTS, 1);
	if (type != INTERRUPT_TYPE_PPI)
		return fdt_fail(err, reader, FDT_INTERRUPTS, PVW_DT_0021,
			"type %" PRIu32 ", expected %d (PPI)", type, INTERRUPT_TYPE_PPI);
	if (index >= PPI_COUNT)
		return fdt_fail(err, reader, FDT_INTERRUPTS, PVW_DT_0021,
			"PPI %" PRIu32 ", expected below %d", index, PPI_COUNT);
	tree->pmu_gsiv = FIRST_PPI + index;
	return true;
}
