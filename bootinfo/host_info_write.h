/*
 * HostInfo -> host tree: what a host tells the boot shim of VTL2.
 */
#ifndef BOOTINFO_HOST_INFO_WRITE_H
#define BOOTINFO_HOST_INFO_WRITE_H

#include "bootinfo/host_info.h"
#include "support/arena.h"

/**
 * host_info_write - the host tree that says @info
 * @out: in @arena; at most FDT_MAX_BYTES
 *
 * host_info_parse of the result gives @info again. Roles of MMIO ranges are written for a bus if
 * one of its ranges has one (openhcl,mmio-roles). A range of length zero is written only for the
 * role that it says is absent. Memory comes in descending order: readers have to sort.
 *
 * Errors: PVW_TREE_0001 (NO_SPACE), PVW_TREE_0005 (BAD_VALUE) for what the tree cannot say,
 * PVW_TREE_0006 (BAD_VALUE) for sizes of the interrupt controller, PVW_TREE_0007 (BAD_VALUE) for
 * an interrupt that is no private one, PVW_TREE_0009 (MISSING) without processor or one of the
 * buses, PVW_HOST_0004 (LIMIT) for more than its reader takes, PVW_MEM_0001.
 * Source: [OVMM] openvmm/openvmm_core/src/worker/vm_loaders/igvm.rs, build_device_tree
 */
MUST_CHECK bool host_info_write(const HostInfo *info, Arena *arena, Bytes *out, Error *err);

#endif
