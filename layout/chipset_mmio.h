/*
 * Guest MMIO by role, never by place in a list.
 *
 * Host trees, boot trees, IGVM parameters and fixtures all pass through chipset_mmio_resolve:
 * the declared role decides, without one the address (end <= 4 GiB low, start >= 4 GiB high).
 * Touching pieces of one role merge; anything else (apart, overlapping, across 4 GiB,
 * contradicting) is an error that names all pieces. Source: docs/formats.md, "MMIO roles".
 */
#ifndef LAYOUT_CHIPSET_MMIO_H
#define LAYOUT_CHIPSET_MMIO_H

#include "support/arena.h"
#include "support/memory_range.h"

/* bootinfo/mmio_claim.h, bootinfo/boot_info.h: readers of the result need not know them. */
typedef struct MmioClaimList MmioClaimList;
typedef struct MapEntryList MapEntryList;

/* How a window came to be what it is. */
typedef enum RoleSource {
	ROLE_SOURCE_NONE,            /* nothing was said: the window is empty */
	ROLE_SOURCE_DECLARED,        /* by a role property, of one of its pieces at least */
	ROLE_SOURCE_BY_ADDRESS,      /* no role given, classified at 4 GiB */
	ROLE_SOURCE_DECLARED_ABSENT, /* a role property on a zero-length range */
	ROLE_SOURCE_COUNT
} RoleSource;

/* A role without a range is MEMORY_RANGE_EMPTY. */
typedef struct ChipsetMmioRanges {
	MemoryRange low;      /* ends at or below 4 GiB */
	MemoryRange high;     /* starts at or above 4 GiB; RAM may lie above it too */
	MemoryRangeList vtl2; /* never shown to VTL0, by start */
	/* VTL0 MMIO, kept out of RAM, but no chipset window; by start */
	MemoryRangeList reserved;
	RoleSource low_source, high_source;
} ChipsetMmioRanges;

/**
 * chipset_mmio_resolve - decide each range's role
 * @claims: any order, any source; their VTL is 0 or 2
 * @map:    the partition's RAM, all uses and both VTLs, any order
 * @out:    lists live in @arena, touching ranges merged
 *
 * A zero-length claim of VTL0 with a chipset role says that the window is absent; other
 * zero-length claims say nothing. Windows may both be absent: who needs one says so. The same
 * claims in another order give the same result.
 *
 * Outputs are untouched on failure.
 *
 * Errors, each naming place and range of every claim involved:
 * PVW_ROLE_0002 (BAD_VALUE) unaligned or wrapping, _0003 (BAD_VALUE) a role that the VTL cannot
 * have, _0004 (BAD_VALUE) unknown role, _0005 (BAD_VALUE) across 4 GiB, _0006 (BAD_VALUE) on the
 * wrong side of 4 GiB for its role, _0007 (OVERLAP) with each other, _0008 (OVERLAP) with RAM,
 * _0009 (BAD_VALUE) declared absent and present, _0010 (BAD_VALUE) a window in pieces.
 */
MUST_CHECK bool chipset_mmio_resolve(MmioClaimList claims, MapEntryList map, Arena *arena,
	ChipsetMmioRanges *out, Error *err);

/** mmio_role_name - "chipset-low"; "unknown" for values that are no role */
const char *mmio_role_name(uint32_t role);

/** role_source_name - "declared", "by address", "declared absent", "none" */
const char *role_source_name(RoleSource source);

#endif
