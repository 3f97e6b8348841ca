/*
 * The map of a boot tree: a partition's RAM, cut where VTL2 uses it.
 */
#ifndef BOOTINFO_BOOT_MAP_H
#define BOOTINFO_BOOT_MAP_H

#include "bootinfo/host_info.h"
#include "support/arena.h"

/* One piece of VTL2's memory and what it is for: neither VTL0's nor MMIO. */
typedef struct Vtl2Use {
	MemoryRange range;
	MemoryType type;
} Vtl2Use;

typedef struct Vtl2UseList {
	const Vtl2Use *items;
	size_t count;
} Vtl2UseList;

/**
 * boot_map_compose - who uses which piece of RAM
 * @ram:  of the partition, by start
 * @uses: of VTL2, by start; those that touch and have one type count as one
 * @out:  by start: VTL0's where VTL2 has nothing, with node and type of the RAM below
 *
 * Errors: PVW_RANGE_0005 (OVERLAP) for a list out of order, PVW_TREE_0008 (BAD_VALUE) for a use
 * outside of RAM, PVW_MEM_0001.
 * Source: [OVMM] openhcl/openhcl_boot/src/dt.rs, write_dt
 */
MUST_CHECK bool boot_map_compose(
	HostMemoryList ram, Vtl2UseList uses, Arena *arena, MapEntryList *out, Error *err);

/** boot_map_is_reserved - VTL2's, and not for its kernel to hand out */
bool boot_map_is_reserved(MemoryType type);

/**
 * boot_map_reserved - the ranges that the boot tree reserves
 * @out: by start; those that touch and have one type are one
 *
 * Errors: PVW_MEM_0001.
 */
MUST_CHECK bool boot_map_reserved(
	MapEntryList map, Arena *arena, MemoryRangeList *out, Error *err);

/**
 * boot_map_collect - fill what @info repeats of its map: config, pool, reserved, log, persisted
 *
 * Ranges of which there is one must be empty before. Errors: PVW_MEM_0001.
 */
MUST_CHECK bool boot_map_collect(BootInfo *info, Arena *arena, Error *err);

#endif
