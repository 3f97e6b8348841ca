/*
 * Rules across what a boot tree says: what boot_info_parse takes and no guest can be run from.
 *
 * One table of named checks. Loading stops at the first one that fails; `pvw check` runs all.
 */
#ifndef BOOTINFO_BOOT_INFO_CHECK_H
#define BOOTINFO_BOOT_INFO_CHECK_H

#include "bootinfo/boot_info.h"
#include "support/arena.h"
#include "support/diagnostics.h"

/* What else a guest may have, beside the limits of boot_info.h. */
#define BOOT_INFO_MAX_VTL2_RAM 64

typedef struct BootInfoCheck {
	const char *name;    /* "cpus-present", stable */
	uint16_t diagnostic; /* what it fails with; severity and hint are in its row */
	bool (*check)(const BootInfo *info, Arena *arena, Error *err);
} BootInfoCheck;

typedef struct BootInfoCheckList {
	const BootInfoCheck *items;
	size_t count;
} BootInfoCheckList;

/** boot_info_checks - the table; static */
BootInfoCheckList boot_info_checks(void);

/**
 * boot_info_validate - every check once, up to the first of severity ERROR that fails
 * @arena:    scratch
 * @findings: receives what fails with a lower severity; NULL = nobody asks
 *
 * Errors: PVW_BOOTINFO_*, PVW_MEM_0001.
 * Source: [OVMM] openhcl/bootloader_fdt_parser/src/lib.rs, which leaves these to its users
 */
MUST_CHECK bool boot_info_validate(
	const BootInfo *info, Arena *arena, Diagnostics *findings, Error *err);

/** boot_info_lint - every check that fails, warnings among them */
void boot_info_lint(const BootInfo *info, Arena *arena, Diagnostics *diagnostics);

#endif
