/*
 * A boot tree on its way to a BootInfo: shared by the parse_*.c, one per node of the root.
 */
#ifndef BOOTINFO_PARSE_INTERNAL_H
#define BOOTINFO_PARSE_INTERNAL_H

#include "bootinfo/boot_info.h"
#include "bootinfo/fdt_reader.h"

typedef struct BootTree {
	FdtReader reader;
	Arena *arena;
	BootInfo info; /* without the lists that still grow below */

	uint32_t cpu_cells; /* of the present /cpus */
	BootCpu *cpus;
	size_t cpu_count, cpu_room;

	NodeRange *vtl2_ram;
	size_t vtl2_ram_count, vtl2_ram_room;

	/* of the present /openhcl */
	MapEntry *map;
	size_t map_count, map_room;
	MmioClaim *mmio;
	size_t mmio_count, mmio_room;
	MemoryRange *accepted;
	size_t accepted_count, accepted_room;
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
MUST_CHECK bool parse_openhcl(BootTree *tree, Error *err);
MUST_CHECK bool parse_openhcl_child(BootTree *tree, Error *err);
MUST_CHECK bool parse_memory(BootTree *tree, Error *err);
MUST_CHECK bool parse_accepted(BootTree *tree, Error *err);
MUST_CHECK bool parse_finish_openhcl(BootTree *tree, Error *err);

/** parse_range - `reg` as exactly one pair of base and length */
MUST_CHECK bool parse_range(BootTree *tree, MemoryRange *out, Error *err);

/** parse_list_room - how many nodes of at least @node_bytes the rest of the tree can hold */
size_t parse_list_room(const BootTree *tree, size_t node_bytes, size_t limit);

/** parse_full - PVW_DT_0022: no room for another item of a list */
bool parse_full(const BootTree *tree, const char *what, size_t room, Error *err);

#endif
