/*
 * Boot tree -> BootInfo: the root and its children; what is inside them is in parse_*.c.
 * [OVMM] openhcl/bootloader_fdt_parser/src/lib.rs
 */
#include "bootinfo/boot_info_parse.h"

#include <inttypes.h>

#include "bootinfo/parse_internal.h"
#include "bootinfo/start_sort.h"
#include "support/diagnostics.h"

/* Fixed by the reader: the boot tree does not state them. */
#define VIRT_TIMER_PPI 20
#define GIC_IRQ_COUNT 992

/* Children of the root by name; those with '@' and pmu by the beginning of it. */
static const struct RootChild {
	const char *name;
	bool is_prefix;
	bool (*read)(BootTree *tree, Error *err);       /* may be NULL */
	bool (*read_child)(BootTree *tree, Error *err); /* may be NULL */
	bool (*finish)(BootTree *tree, Error *err);     /* may be NULL */
} root_children[] = {
	{ "cpus", false, parse_cpus, parse_cpu, NULL },
	{ "openhcl", false, parse_openhcl, parse_openhcl_child, parse_finish_openhcl },
	{ "memory@", true, parse_vtl2_ram, NULL, NULL },
	{ "bus", false, NULL, parse_bus_child, NULL },
	{ "intc@", true, parse_gic, NULL, NULL },
	{ "pmu", true, parse_pmu, NULL, NULL },
};

static const struct RootChild *find_root_child(const FdtReader *reader)
{
	for (size_t i = 0; i < ARRAY_COUNT(root_children); i++) {
		const struct RootChild *child = &root_children[i];

		if (child->is_prefix ? fdt_name_starts(reader, child->name)
				     : fdt_name_is(reader, child->name))
			return child;
	}
	return NULL;
}

bool parse_range(BootTree *tree, MemoryRange *out, Error *err)
{
	uint64_t reg[2];

	if (!fdt_read_u64s(&tree->reader, FDT_REG, ARRAY_COUNT(reg), reg, err))
		return false;
	if (!memory_range_from_base_len(reg[0], reg[1], out, err))
		return fdt_fail_here(err, &tree->reader, FDT_REG);
	return true;
}

/* Times are for statistics: a bad one loses all four, not the tree. */
bool parse_root(BootTree *tree, Error *err)
{
	const FdtReader *reader = &tree->reader;
	BootTimes times = { 0 };
	const struct {
		FdtName name;
		bool *has;
		uint64_t *value;
	} rows[] = {
		{ FDT_REFTIME_BOOT_START, &times.has_start, &times.start },
		{ FDT_REFTIME_BOOT_END, &times.has_end, &times.end },
		{ FDT_REFTIME_SIDECAR_START, &times.has_sidecar_start, &times.sidecar_start },
		{ FDT_REFTIME_SIDECAR_END, &times.has_sidecar_end, &times.sidecar_end },
	};

	(void)err;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		UNINITIALIZED Error ignored;

		if (!fdt_read_optional_u64(
			    reader, rows[i].name, rows[i].has, rows[i].value, &ignored)) {
			tree->info.times =
				(BootTimes){ .malformed = fdt_name_text(rows[i].name) };
			return true;
		}
	}
	tree->info.times = times;
	return true;
}

/* The tree is told apart by depth: the root, its children, theirs; deeper ones are ignored. */
static bool read_nodes(BootTree *tree, Error *err)
{
	const struct RootChild *inside = NULL;

	for (;;) {
		if (!fdt_reader_next(&tree->reader, err))
			return false;
		if (tree->reader.depth <= 2 && inside && inside->finish &&
			!inside->finish(tree, err))
			return false;
		switch (tree->reader.depth) {
		case 0:
			return true;
		case 1:
			if (!parse_root(tree, err))
				return false;
			break;
		case 2:
			inside = find_root_child(&tree->reader);
			if (inside && inside->read && !inside->read(tree, err))
				return false;
			break;
		case 3:
			if (inside && inside->read_child && !inside->read_child(tree, err))
				return false;
			break;
		default:
			break;
		}
	}
}

static void finish_gic(BootTree *tree)
{
	BootGic *gic = &tree->info.gic;

	if (!tree->has_gic)
		return;
	gic->present = true;
	gic->pmu_gsiv = tree->pmu_gsiv;
	gic->virt_timer_ppi = VIRT_TIMER_PPI;
	gic->irq_count = GIC_IRQ_COUNT;
}

bool boot_info_parse(GuestArch arch, Bytes blob, Arena *arena, BootInfo *out, Error *err)
{
	BootTree tree = {
		.arena = arena,
		.info.arch = arch,
		.cpus = GROWING_LIST(BootCpu, BOOT_INFO_MAX_CPUS, PVW_DT_0022, "processors"),
		.vtl2_ram = GROWING_LIST(
			NodeRange, BOOT_INFO_MAX_RANGES, PVW_DT_0022, "ranges of VTL2 RAM"),
		.map = GROWING_LIST(
			MapEntry, BOOT_INFO_MAX_RANGES, PVW_DT_0022, "ranges of memory"),
		.mmio = GROWING_LIST(MmioClaim, BOOT_INFO_MAX_MMIO, PVW_DT_0022, "MMIO ranges"),
		.accepted = GROWING_LIST(
			MemoryRange, BOOT_INFO_MAX_RANGES, PVW_DT_0022, "accepted ranges"),
	};
	GrowingList *ram = &tree.vtl2_ram;

	if (!fdt_reader_open("dtb", blob, arena, &tree.reader, err) || !read_nodes(&tree, err))
		return false;
	if (!start_sort(ram->items, ram->count, ram->item_size, arena, err))
		return false;
	finish_gic(&tree);
	tree.info.bsp_reg = tree.reader.walk.boot_cpu;
	tree.info.cpus = (CpuList){ tree.cpus.items, tree.cpus.count };
	tree.info.vtl2_ram = (NodeRangeList){ ram->items, ram->count };
	*out = tree.info;
	return true;
}
