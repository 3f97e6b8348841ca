/*
 * A virtual machine that has its addresses: its processors, and what ACPI speaks of.
 *
 *	Vm + ResolvedLayout --vm_topology--> ProcessorTopology
 *	                    --vm_acpi_inputs--> AcpiInputs --acpi_build_set--> tables
 */
#ifndef HOST_VM_MACHINE_H
#define HOST_VM_MACHINE_H

#include "host/vm.h"

/*
 * Shared interrupts of the machine's own devices: one pass downwards from the highest that the
 * GIC has, because guests number those of their virtual PCI devices upwards. The order is part
 * of what guests remember: first the MSI frame, then virtio-mmio, then SMMUs. A frame that the
 * description places elsewhere is passed.
 * Source: [OVMM] openvmm/openvmm_core/src/worker/spi_layout.rs
 */
typedef struct VmInterrupts {
	uint32_t msi_first; /* aarch64 with a v2m frame, else 0 */
	uint32_t virtio;    /* of all virtio-mmio slots: GSI or INTID, 0 without slots */
	uint32_t
		smmu_first; /* event queue of the first SMMU; errors one below, the next SMMU two */
} VmInterrupts;

/**
 * vm_interrupts - who has which shared interrupt
 *
 * Errors: PVW_VM_0008 (NO_SPACE) more than the GIC has.
 */
MUST_CHECK bool vm_interrupts(const Vm *vm, VmInterrupts *out, Error *err);

/**
 * vm_topology - number the processors
 * @out: the list lives in @arena
 *
 * Without a word about nodes, processors are in even runs over all of them.
 *
 * Errors: those of topology_from_count and topology_from_list.
 */
MUST_CHECK bool vm_topology(const Vm *vm, Arena *arena, ProcessorTopology *out, Error *err);

/**
 * vm_acpi_inputs - what the tables of the machine say, in the default profile
 * @layout:   of this machine
 * @topology: of this machine
 * @out: lists live in @arena; borrows from all three
 *
 * Errors: those of vm_interrupts, PVW_MEM_0001 (LIMIT).
 */
MUST_CHECK bool vm_acpi_inputs(const Vm *vm, const ResolvedLayout *layout,
	const ProcessorTopology *topology, Arena *arena, AcpiInputs *out, Error *err);

#endif
