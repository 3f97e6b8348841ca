/*
 * Guest MMIO by role, never by place in a list.
 *
 * Host trees, boot trees, IGVM parameters and fixtures all pass through chipset_mmio_resolve:
 * the declared role decides, without one the address (end <= 4 GiB low, start >= 4 GiB high).
 * Touching pieces of one role merge; anything else (apart, overlapping, across 4 GiB,
 * contradicting) is an error that names all pieces. Source: spec bootinfo 4.4, 4.5.
 */
#ifndef LAYOUT_CHIPSET_MMIO_H
#define LAYOUT_CHIPSET_MMIO_H

#include "bootinfo/boot_info.h"
#include "support/arena.h"

/* How a window came to be what it is. */
typedef enum RoleSource {
	ROLE_SOURCE_NONE,            /* nothing was said: the window is empty */
	ROLE_SOURCE_DECLARED,        /* by a role property */
	ROLE_SOURCE_BY_ADDRESS,      /* no role given, classified at 4 GiB */
	ROLE_SOURCE_DECLARED_ABSENT, /* a role property on a zero-length range */
	ROLE_SOURCE_COUNT
} RoleSource;

/* A role without a range is MEMORY_RANGE_EMPTY. */
typedef struct ChipsetMmioRanges {
	MemoryRange low;      /* ends at or below 4 GiB */
	MemoryRange high;     /* starts at or above 4 GiB; RAM may lie above it too */
	MemoryRangeList vtl2; /* never shown to VTL0, by start */
	MemoryRangeList
		reserved; /* VTL0 MMIO, kept out of RAM, but no chipset window; by start */
	RoleSource low_source, high_source;
} ChipsetMmioRanges;

/**
 * chipset_mmio_resolve - decide each range's role
 * @claims: any order, any source
 * @map:    the partition's RAM, all uses and both VTLs, ascending by start
 * @out:    lists live in @arena
 *
 * Outputs are untouched on failure.
 *
 * Errors: PVW_ROLE_0001 to PVW_ROLE_0010, see diagnostics.def.
 */
MUST_CHECK bool chipset_mmio_resolve(MmioClaimList claims, MapEntryList map, Arena *arena,
	ChipsetMmioRanges *out, Error *err);

#endif
