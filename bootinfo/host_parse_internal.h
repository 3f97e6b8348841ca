/*
 * A host tree on its way to a HostInfo: shared by host_info_parse.c, host_parse_*.c.
 */
#ifndef BOOTINFO_HOST_PARSE_INTERNAL_H
#define BOOTINFO_HOST_PARSE_INTERNAL_H

#include "bootinfo/fdt_reader.h"
#include "bootinfo/growing_list.h"
#include "bootinfo/host_info.h"

#define HOST_TREE_NAME "host-dtb"

typedef struct HostTree {
	FdtReader reader;
	Arena *arena;
	HostInfo info; /* without the lists that still grow below */
	uint32_t cpu_cells;
	GrowingList cpus;
	GrowingList memory;
	GrowingList mmio;
} HostTree;

/* Each reads the present node of @tree->reader. */
MUST_CHECK bool host_parse_bus(HostTree *tree, Error *err);
MUST_CHECK bool host_parse_bus_child(HostTree *tree, Error *err);
MUST_CHECK bool host_parse_port_child(HostTree *tree, Error *err);
MUST_CHECK bool host_parse_pl011(HostTree *tree, Error *err);
MUST_CHECK bool host_parse_gic(HostTree *tree, Error *err);
MUST_CHECK bool host_parse_pmu(HostTree *tree, Error *err);

/** host_parse_compatible - first string of `compatible`, "" if there is none */
MUST_CHECK bool host_parse_compatible(const HostTree *tree, const char **out, Error *err);

/** host_parse_add - another item for the present node; NULL with @err set */
MUST_CHECK void *host_parse_add(HostTree *tree, GrowingList *list, Error *err);

/** host_info_check - rules across the nodes of a host tree; lists are sorted */
MUST_CHECK bool host_info_check(const HostInfo *info, Error *err);

#endif
