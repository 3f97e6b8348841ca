/*
 * BootInfo -> boot tree: what a boot shim tells the paravisor.
 */
#ifndef BOOTINFO_BOOT_INFO_WRITE_H
#define BOOTINFO_BOOT_INFO_WRITE_H

#include "bootinfo/host_info.h"
#include "support/arena.h"

/* How the tree is put; what it says is the same. */
typedef enum TreeProfile {
	TREE_PROFILE_DEFAULT,   /* nothing that dtc warns of where a reader leaves the choice */
	TREE_PROFILE_REFERENCE, /* byte for byte as the reference's boot shim */
	TREE_PROFILE_COUNT
} TreeProfile;

/* One node of the sidecar kernel, x86-64. */
typedef struct BootSidecar {
	uint64_t control_page; /* GPA */
	uint64_t memory_base;  /* GPA */
	uint64_t memory_size;  /* bytes */
} BootSidecar;

/* What a boot tree has for others than the paravisor's worker. All of it may be 0. */
typedef struct BootTreeExtras {
	TreeProfile profile;
	const MemoryRangeList *reserved; /* NULL: as boot_map_reserved says */
	const BootSidecar *sidecars;
	size_t sidecar_count;
	HostSerial serial;    /* aarch64: PL011 of the kernel */
	const char *bootargs; /* aarch64; NULL: no /chosen */
	MemoryRange initrd;   /* with @bootargs; bytes, need not be whole pages */
	Bytes entropy;        /* for the kernel; empty: no such node */
	bool cca;             /* says "cca" instead of the isolation; no worker runs that */
	size_t limit;         /* bytes; 0 = BOOT_INFO_MAX_DTB */
} BootTreeExtras;

/**
 * boot_info_write - the boot tree that says @info
 * @extras: NULL = nothing of it
 * @out:    in @arena
 *
 * boot_info_parse of the result gives @info again. Roles of MMIO ranges are written where they are
 * declared (openhcl,mmio-role). What @info repeats is not looked at: config, pool and the other
 * ranges that are in the map under their types, irq_count, texts about malformed values.
 *
 * Errors: PVW_TREE_0001 (NO_SPACE), PVW_TREE_0002 and _0003 for @extras.reserved, PVW_TREE_0005
 * (BAD_VALUE) for what the tree cannot say, PVW_TREE_0006 (BAD_VALUE) for sizes of the interrupt
 * controller, PVW_TREE_0007 (BAD_VALUE) for an interrupt that is no private one, PVW_TREE_0009
 * (MISSING) without has_openhcl, PVW_BOOTINFO_0004 (LIMIT) for more than its reader takes,
 * PVW_MEM_0001.
 * Source: [OVMM] openhcl/openhcl_boot/src/dt.rs, write_dt
 */
MUST_CHECK bool boot_info_write(const BootInfo *info, const BootTreeExtras *extras,
	Arena *arena, Bytes *out, Error *err);

#endif
