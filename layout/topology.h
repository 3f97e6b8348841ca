/*
 * Processor topology: which virtual processor has which identifier, socket and node.
 *
 * A topology is made from a number of processors, from a list with identifiers of the caller's,
 * or from the list in a boot tree. Every way makes the same checks.
 * Source: [OVMM] vm/vmcore/vm_topology/src/processor.rs, processor/{x86,aarch64}.rs
 */
#ifndef LAYOUT_TOPOLOGY_H
#define LAYOUT_TOPOLOGY_H

#include "support/arena.h"
#include "support/guest_arch.h"

/* The guest's interrupt controller as its processors know it. */
typedef enum X2ApicSetting {
	X2APIC_SUPPORTED, /* on only when an id needs it */
	X2APIC_ENABLED,
	X2APIC_UNSUPPORTED,
	X2APIC_SETTING_COUNT
} X2ApicSetting;

typedef enum ApicMode {
	APIC_MODE_XAPIC,            /* x2APIC is not there */
	APIC_MODE_X2APIC_SUPPORTED, /* there, off at boot */
	APIC_MODE_X2APIC_ENABLED,
	APIC_MODE_COUNT
} ApicMode;

/* Identifiers of one processor. */
typedef struct VirtualProcessor {
	uint32_t vnode;
	uint32_t apic_id; /* x86-64 */
	uint64_t mpidr;   /* aarch64, RES1 bit 31 included */
	uint64_t gicr;    /* aarch64: redistributor frame, 0 = none (GICv2) */
} VirtualProcessor;

typedef enum GicMsi { GIC_MSI_NONE, GIC_MSI_V2M, GIC_MSI_ITS, GIC_MSI_COUNT } GicMsi;

typedef struct ArmPlatform {
	uint64_t gic_distributor; /* GPA */
	bool gic_v2;
	uint64_t gic_cpu_interface;  /* GPA, GICv2 only */
	uint64_t gic_redistributors; /* GPA, GICv3 only */
	GicMsi msi;
	uint64_t msi_base;                    /* v2m frame or ITS, GPA */
	uint32_t msi_spi_base, msi_spi_count; /* v2m */
	uint32_t pmu_gsiv;                    /* INTID 16..31, 0 = none */
	uint32_t virt_timer_ppi;              /* INTID 16..31 */
	uint32_t irq_count;                   /* 64..992, multiple of 32 */
} ArmPlatform;

typedef struct ProcessorTopology {
	GuestArch arch;
	const VirtualProcessor *vps; /* index == VP index, VP 0 is the boot processor */
	size_t count;
	uint32_t vps_per_socket;
	uint32_t reserved_vps_per_socket; /* a socket's share of APIC ids, a power of two */
	bool smt;
	ApicMode apic_mode; /* x86-64 */
	ArmPlatform arm;    /* aarch64 */
} ProcessorTopology;

/* Bounds of what a caller may wish for. */
#define TOPOLOGY_MAX_VPS_PER_SOCKET 32768
#define TOPOLOGY_MAX_ARM_VPS_COUNTED 255 /* from a count: Aff0 alone numbers them */
#define TOPOLOGY_MAX_ARM_VPS_LISTED 2048
#define TOPOLOGY_MAX_GIC_V2_VPS 8
#define TOPOLOGY_MAX_XAPIC_ID 254

/* Bits of an MPIDR. [ARM] MPIDR_EL1 */
#define MPIDR_AFFINITY UINT64_C(0xff00ffffff)
#define MPIDR_RES1 (UINT64_C(1) << 31)
#define MPIDR_UNIPROCESSOR (UINT64_C(1) << 30)
#define MPIDR_MT (UINT64_C(1) << 24) /* Aff0 numbers threads of a core */

/* What a topology depends on besides the processors themselves. */
typedef struct TopologyInputs {
	uint32_t vps_per_socket; /* 0 = all in one; cut to TOPOLOGY_MAX_VPS_PER_SOCKET */
	bool smt;                /* x86-64: a wish, void with one processor a socket */
	X2ApicSetting x2apic;    /* x86-64 */
	uint32_t apic_id_offset; /* x86-64, from a count: rounded down to a socket */
	const uint32_t *vnodes;  /* from a count: a node for each processor; NULL = by socket */
	size_t vnode_count;
	ArmPlatform arm; /* aarch64; from a boot tree only its MSI fields are used */
} TopologyInputs;

/* bootinfo/boot_info.h: readers of a topology need not know it. */
typedef struct BootInfo BootInfo;

/**
 * topology_from_count - number @count processors from 0
 * @out: the list lives in @arena
 *
 * x86-64: sockets of vps_per_socket processors, each at a power of two; node = socket.
 * aarch64: processors are threads 0 to @count - 1 of one core, all of node 0.
 * No processor at all is an error with x86-64 and an empty topology with aarch64.
 *
 * Outputs are untouched on failure.
 *
 * Errors: PVW_TOPOLOGY_0001 (MISSING) no processor, _0002 (LIMIT) too many, _0004 (UNSUPPORTED)
 * x2APIC needed, _0005 (BAD_VALUE) APIC id above 32 bits, _0006 to _0008 (BAD_VALUE) timer, PMU
 * and number of interrupts, _0009 (BAD_VALUE) vnode_count, _0010 (BAD_VALUE) redistributors
 * wrap.
 */
MUST_CHECK bool topology_from_count(GuestArch arch, uint32_t count, const TopologyInputs *in,
	Arena *arena, ProcessorTopology *out, Error *err);

/**
 * topology_from_list - processors with identifiers of the caller's
 * @vps: vnode and apic_id or mpidr are used as they are; gicr is computed
 *
 * Errors: those of topology_from_count, PVW_TOPOLOGY_0003 (BAD_VALUE) an identifier twice.
 */
MUST_CHECK bool topology_from_list(GuestArch arch, const VirtualProcessor *vps, size_t count,
	const TopologyInputs *in, Arena *arena, ProcessorTopology *out, Error *err);

/**
 * topology_from_boot_info - the processors of a boot tree, with its GIC
 *
 * x86-64: the APIC id is the low half of `reg`. aarch64: the MPIDR is its affinity with the bits
 * that a processor would set; GICv3 only.
 *
 * Errors: those of topology_from_list, PVW_TOPOLOGY_0010 (BAD_VALUE) also for redistributors
 * that leave the area stated or have another stride, _0011 (MISSING) no GIC.
 */
MUST_CHECK bool topology_from_boot_info(const BootInfo *info, const TopologyInputs *in,
	Arena *arena, ProcessorTopology *out, Error *err);

/** topology_max_apic_id - the largest APIC id; x86-64 */
uint32_t topology_max_apic_id(const ProcessorTopology *topology);

/* Where a processor sits, for SMBIOS, PPTT and people. */
typedef struct ProcessorPlace {
	uint32_t socket, core, thread;
} ProcessorPlace;

/**
 * topology_place - where processor @vp sits; @vp is below the count
 *
 * x86-64: sockets are counted from APIC id 0, cores are not halved with SMT: ids 4 and 5 are
 * cores 4 and 5, threads 0 and 1. aarch64: Aff2, Aff1, Aff0.
 */
ProcessorPlace topology_place(const ProcessorTopology *topology, size_t vp);

#endif
