/*
 * A virtual machine as its trees tell of it: what the host says to the boot shim, and what the
 * shim says to the paravisor.
 *
 *	Vm + ResolvedLayout + ProcessorTopology --vm_host_info--> HostInfo --host_info_write--> tree
 *	                                        --vm_boot_info--> BootInfo --boot_info_write--> tree
 *
 * Chipset windows and VTL2's window have their roles declared. VTL2's memory is put to use in
 * this order, which is ours; shims differ in it:
 *
 *	vtl2.start   1 page     header of the persisted state
 *	            19 pages    persisted state
 *	            40 pages    parameters: SLIT, PPTT
 *	            64 pages    kernel RAM: here the host tree was
 *	           258 pages    parameters: imported regions, measured configuration, hashes
 *	             4 pages    reserved
 *	             1 page     log of the shim
 *	             …          kernel RAM
 *	             …          private pool, unless isolated: a 16th of all, in whole 2 MiB,
 *	                        at most 16 MiB
 *
 * Source: [OVMM] openhcl/openhcl_boot/src/host_params/dt/mod.rs,
 * vm/loader/loader_defs/src/paravisor.rs
 */
#ifndef HOST_VM_BOOT_INFO_H
#define HOST_VM_BOOT_INFO_H

#include "bootinfo/boot_info_write.h"
#include "host/vm.h"

/* Connections. [OVMM] openvmm/openvmm_core/src/worker/vm_loaders/igvm.rs, build_device_tree */
#define VM_VMBUS_CONNECTION 1
#define VM_VTL2_VMBUS_CONNECTION 4
#define VM_REDIRECTED_VMBUS_CONNECTION 0x800074

/**
 * vm_host_info - what the host tells the boot shim
 * @layout, @topology: of this machine
 * @out: lists live in @arena
 *
 * Errors: PVW_TREE_0010 (MISSING) without VTL2, PVW_TREE_0005 (BAD_VALUE) with a GICv2, for which
 * the trees have no words, PVW_MEM_0001.
 */
MUST_CHECK bool vm_host_info(const Vm *vm, const ResolvedLayout *layout,
	const ProcessorTopology *topology, Arena *arena, HostInfo *out, Error *err);

/**
 * vm_boot_info - what the boot shim tells the paravisor
 *
 * Memory is allocated by the host. Isolated machines have VTL2's memory accepted.
 *
 * Errors: those of vm_host_info, PVW_TREE_0011 (NO_SPACE) for a VTL2 that has no memory left for
 * its kernel.
 */
MUST_CHECK bool vm_boot_info(const Vm *vm, const ResolvedLayout *layout,
	const ProcessorTopology *topology, Arena *arena, BootInfo *out, Error *err);

#endif
