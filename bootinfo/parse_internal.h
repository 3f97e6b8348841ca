/*
 * A boot tree on its way to a BootInfo: shared by the parse_*.c, one per node of the root.
 */
#ifndef BOOTINFO_PARSE_INTERNAL_H
#define BOOTINFO_PARSE_INTERNAL_H

#include "bootinfo/boot_info.h"
#include "bootinfo/fdt_reader.h"
#include "bootinfo/growing_list.h"

typedef struct BootTree {
	FdtReader reader;
	Arena *arena;
	BootInfo info; /* without the lists that still grow below */

	uint32_t cpu_cells; /* of the present /cpus */
	GrowingList cpus;
	GrowingList vtl2_ram;

	/* of the present /openhcl */
	GrowingList map;
	GrowingList mmio;
	GrowingList accepted;
	size_t count_of[MEMORY_TYPE_COUNT];
	size_t openhcl_offset; /* in the blob */

	bool has_gic;
	uint32_t pmu_gsiv; /* 0 = no pmu node */
} BootTree;

/*
 * Each reads the present node of @tree->reader, except _finish_, which is called behind the last
 * child. A second node of a kind that there is once replaces the first.
 */
MUST_CHECK bool parse_root(BootTree *tree, Error *err);
MUST_CHECK bool parse_cpus(BootTree *tree, Error *err);
MUST_CHECK bool parse_cpu(BootTree *tree, Error *err);
MUST_CHECK bool parse_vtl2_ram(BootTree *tree, Error *err);
MUST_CHECK bool parse_gic(BootTree *tree, Error *err);
MUST_CHECK bool parse_pmu(BootTree *tree, Error *err);
MUST_CHECK bool parse_bus_child(BootTree *tree, Error *err);
MUST_CHECK bool parse_openhcl(BootTree *tree, Error *err);
MUST_CHECK bool parse_openhcl_child(BootTree *tree, Error *err);
MUST_CHECK bool parse_memory(BootTree *tree, Error *err);
MUST_CHECK bool parse_accepted(BootTree *tree, Error *err);
MUST_CHECK bool parse_finish_openhcl(BootTree *tree, Error *err);

/** parse_range - `reg` as exactly one pair of base and length */
MUST_CHECK bool parse_range(BootTree *tree, MemoryRange *out, Error *err);

#endif
