/*
 * Host tree -> HostInfo.
 */
#ifndef BOOTINFO_HOST_INFO_PARSE_H
#define BOOTINFO_HOST_INFO_PARSE_H

#include "bootinfo/host_info.h"
#include "support/arena.h"

/**
 * host_info_parse - what a host tree says, judged as the boot shim needs it
 * @arch:  the guest's; carried, nodes of both are read on either
 * @tree:  the blob; the result borrows its entropy and command line
 * @arena: everything else of the result lives here
 *
 * Stricter than the reference where that fails later or silently: a bus with a translation, a
 * tree without processors, ranges that wrap, a missing vmbus node. Kinder in one point: a vmbus
 * node may have up to BOOT_INFO_MAX_MMIO ranges, in any order; their roles decide.
 * Unknown nodes and properties are ignored. Outputs are untouched on failure.
 *
 * Errors: PVW_HOST_*, PVW_DT_*, PVW_RANGE_0001 and _0002 for RAM; for MMIO PVW_ROLE_0001 (not
 * one role a range), _0002 (unaligned, wraps), _0007 (overlaps MMIO), _0008 (overlaps RAM).
 * Paths begin with "host-dtb:".
 * Source: [OVMM] openhcl/host_fdt_parser/src/lib.rs
 */
MUST_CHECK bool host_info_parse(
	GuestArch arch, Bytes tree, Arena *arena, HostInfo *out, Error *err);

#endif
