/*
 * Boot tree -> BootInfo.
 */
#ifndef BOOTINFO_BOOT_INFO_PARSE_H
#define BOOTINFO_BOOT_INFO_PARSE_H

#include "bootinfo/boot_info.h"
#include "support/arena.h"
#include "support/bytes.h"

/**
 * boot_info_parse - what a boot tree says
 * @arch:  the guest's; carried, not judged here
 * @tree:  the blob; nothing of the result borrows from it
 * @arena: everything of the result lives here
 *
 * One pass. Takes every tree that the reference's reader takes, also one without /cpus or
 * /openhcl or with overlapping ranges: boot_info_validate (boot_info_check.h) refuses those.
 * Unknown nodes and properties are ignored. Outputs are untouched on failure.
 *
 * Errors: PVW_DT_*; PVW_RANGE_0001 and _0002 for RAM that is unaligned or wraps, PVW_ROLE_0002
 * for MMIO; PVW_MEM_0001. All with path ("dtb:/openhcl/memory@0/reg") and byte offset.
 * Source: [OVMM] openhcl/bootloader_fdt_parser/src/lib.rs
 */
MUST_CHECK bool boot_info_parse(
	GuestArch arch, Bytes tree, Arena *arena, BootInfo *out, Error *err);

#endif
