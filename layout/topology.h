/*
 * Processor topology: which virtual processor has which identifier, socket and node.
 * Source: spec bootinfo 3.1.
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
	uint32_t
		reserved_vps_per_socket; /* power of two: a socket's share of the APIC id space */
	bool smt;
	ApicMode apic_mode; /* x86-64 */
	ArmPlatform arm;    /* aarch64 */
} ProcessorTopology;

/* Where a processor sits, for SMBIOS, PPTT and people. */
typedef struct ProcessorPlace {
	uint32_t socket, core, thread;
} ProcessorPlace;

ProcessorPlace topology_place(const ProcessorTopology *topology, size_t vp);

#endif
