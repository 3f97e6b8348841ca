/*
 * One statement that a range is guest MMIO, whoever made it: host tree, boot tree, IGVM
 * parameter or fixture. All of them end in chipset_mmio_resolve (layout/chipset_mmio.h).
 */
#ifndef BOOTINFO_MMIO_CLAIM_H
#define BOOTINFO_MMIO_CLAIM_H

#include "support/compiler.h"

/* Values of openhcl,mmio-role and openhcl,mmio-roles. */
typedef enum MmioRole {
	MMIO_ROLE_UNSPECIFIED,  /* decided by address */
	MMIO_ROLE_CHIPSET_LOW,  /* ends at or below 4 GiB */
	MMIO_ROLE_CHIPSET_HIGH, /* starts at or above 4 GiB */
	MMIO_ROLE_VTL2_PRIVATE, /* never shown to VTL0 */
	MMIO_ROLE_RESERVED,     /* VTL0 MMIO space, but no chipset window */
	MMIO_ROLE_COUNT
} MmioRole;

/* As stated, not yet judged: it may be unaligned, wrap, or be empty anywhere. */
typedef struct MmioClaim {
	uint64_t start;    /* guest physical address, bytes */
	uint64_t len;      /* bytes */
	uint8_t vtl;       /* 0 or 2 */
	uint32_t role;     /* as declared; a MmioRole only once it was checked */
	const char *place; /* "dtb:/openhcl/memory@f8000000": names the claim in errors */
} MmioClaim;

typedef struct MmioClaimList {
	const MmioClaim *items;
	size_t count;
} MmioClaimList;

#endif
