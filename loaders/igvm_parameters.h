/*
 * What an IGVM image is told of its machine: the contents of its parameters, each by what the boot
 * information says and never by place in a list.
 * Source: [OVMM] openvmm/openvmm_core/src/worker/vm_loaders/igvm.rs
 */
#ifndef LOADERS_IGVM_PARAMETERS_H
#define LOADERS_IGVM_PARAMETERS_H

#include "bootinfo/host_info.h"
#include "loaders/boot_path.h"
#include "support/range_list.h"

typedef struct IgvmMachine {
	const BootInputs *in;
	AcpiProfile profile;
	HostMemoryList memory; /* igvm_machine_memory */
} IgvmMachine;

/**
 * igvm_machine_memory - all RAM, VTL2's too, by start; pieces of one kind and node merged
 * @protectable: what the image wants for VTL2 beside what the map says; ascending, disjoint
 * @out:         lives in @arena
 */
MUST_CHECK bool igvm_machine_memory(MapEntryList map, MemoryRangeList protectable, Arena *arena,
	HostMemoryList *out, Error *err);

/**
 * igvm_parameter_build - the bytes of one parameter
 * @type: IGVM_VP_COUNT, …
 * @out:  lives in @arena or borrows from the inputs; empty if there is nothing to say
 *
 * Warnings: PVW_IGVM_0033 a SLIT that is asked for and that nobody gave.
 * Errors: PVW_IGVM_0022 (BAD_VALUE) a NUL in the command line; those of ACPI and of the host tree.
 */
MUST_CHECK bool igvm_parameter_build(const IgvmMachine *machine, uint32_t type, Arena *arena,
	Bytes *out, Diagnostics *diagnostics, Error *err);

#endif
