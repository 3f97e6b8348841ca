/*
 * A guest to be booted: from a few words of the command line to everything that a host decides
 * before it talks to the worker.
 *
 *	BootRequest --> description (pvw.vm/1) --> Vm --> layout --> boot tree
 *	                                            `--> QemuMachine
 *
 * What the worker is told is a fixture, as if somebody had recorded it.
 */
#ifndef AGENT_BOOT_GUEST_H
#define AGENT_BOOT_GUEST_H

#include "agent/qemu.h"
#include "host/fixture.h"
#include "host/vm.h"

/* Where power management answers on our boards; what the worker's FADT says. */
#define BOOT_PM_BASE 0x400

typedef struct BootRequest {
	GuestArch arch;
	uint32_t vps, nodes; /* at least 1; processors and memory in even shares */
	uint64_t memory;     /* bytes, all nodes together */
	uint64_t
		device_space; /* layout version 2: bytes below 4 GiB; 0 = as the layout has it */
	uint32_t layout_version;
	uint8_t address_bits;
	MtrrPolicy mtrr;
	AcpiProfile acpi;
	LinuxHardware hardware; /* aarch64: device tree or ACPI */
} BootRequest;

typedef struct BootGuest {
	const char *description; /* JSON */
	Vm vm;
	ResolvedLayout layout;
	ProcessorTopology topology;
	QemuMachine qemu;
	Fixture fixture; /* boot tree, settings, capabilities, policies */
} BootGuest;

/**
 * boot_guest_describe - all of it
 * @out: lives in @arena
 *
 * Errors: PVW_AGENT_0016 (BAD_VALUE) memory that is not whole MiB, or nodes without any; those of
 * vm_read, vm_resolve, vm_topology, vm_boot_info and qemu_machine_find.
 */
MUST_CHECK bool boot_guest_describe(
	const BootRequest *request, Arena *arena, BootGuest *out, Error *err);

#endif
