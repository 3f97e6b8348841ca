/*
 * Device trees for kernels without firmware on aarch64: the whole machine, or the stub that leads
 * to EFI and ACPI tables.
 * Source: [DT04], [OVMM] openvmm_core/src/worker/vm_loaders/linux.rs; where we differ from the
 * latter on purpose: docs/formats.md, "Linux without firmware, arm64"
 */
#ifndef LOADERS_ARM64_TREE_H
#define LOADERS_ARM64_TREE_H

#include "acpi/acpi_inputs.h"
#include "bootinfo/platform_settings.h"

#define ARM64_TREE_MAX ((size_t)2 * 1024 * 1024) /* bytes: what kernels take. [LINUXARM64] 2 */
#define ARM64_TREE_MAX_NODES 256                 /* NUMA nodes */

/* What stands in /chosen of both trees. */
typedef struct Arm64Chosen {
	Bytes command_line;                /* without NUL */
	uint64_t initrd_start, initrd_end; /* GPA; equal: there is none */
	Bytes entropy; /* what the kernel's seeds are made from; empty: no seeds */
} Arm64Chosen;

/* The machine. Nothing is owned; lists are borrowed for the call. */
typedef struct Arm64TreeInputs {
	const ProcessorTopology *topology; /* processors, GIC, performance monitor */
	ArmTimers timers;                  /* virt 0: the topology's */
	PsciConduit psci;
	NodeRangeList ram;               /* ascending; for the guest's own use */
	MemoryRange mmio_low, mmio_high; /* chipset windows, VMBus has them; may be empty */
	const AcpiBridge *bridges;       /* PCI Express */
	size_t bridge_count;
	const AcpiSmmu *smmus;
	size_t smmu_count;
	const AcpiDistances *distances; /* between nodes; NULL: 10 to itself, 20 to others */
	const ArmUart *uarts;           /* the first is the console */
	size_t uart_count;
	Arm64Chosen chosen;
} Arm64TreeInputs;

/**
 * arm64_tree_build - the machine as a device tree
 * @out: in @arena, a multiple of 4, at most ARM64_TREE_MAX; holds seeds: not for everybody
 *
 * Outputs are untouched on failure.
 *
 * Errors: PVW_ARM64_0009 (OVERLAP) areas of the GIC, _0010 (BAD_VALUE) interrupts, _0011
 * (BAD_VALUE) windows of bridges, _0012 (OVERLAP) SMMUs, _0013 (MISSING) processors, _0014 (LIMIT)
 * nodes; PVW_LINUX_0008 (BAD_VALUE) a NUL in the command line; PVW_TREE_0001 (NO_SPACE).
 */
MUST_CHECK bool arm64_tree_build(
	const Arm64TreeInputs *in, Arena *arena, Bytes *out, Error *err);

/* Where EFI's tables are. */
typedef struct Arm64EfiPlaces {
	uint64_t system_table;               /* GPA */
	uint64_t memory_map, memory_map_len; /* GPA, bytes */
	uint32_t descriptor_size, descriptor_version;
} Arm64EfiPlaces;

/**
 * arm64_stub_tree_build - the tree of a kernel that finds all else in EFI's tables
 *
 * Kernels take ACPI for the truth when the root has no children but /chosen.
 *
 * Errors: PVW_LINUX_0008 (BAD_VALUE) a NUL in the command line; PVW_TREE_0001 (NO_SPACE).
 * Source: [LINUXARM64] drivers/firmware/efi/fdtparams.c, arch/arm64/kernel/acpi.c
 */
MUST_CHECK bool arm64_stub_tree_build(const Arm64Chosen *chosen, const Arm64EfiPlaces *efi,
	Arena *arena, Bytes *out, Error *err);

#endif
