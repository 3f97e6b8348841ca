/*
 * What a host tells the boot shim: the host tree after parsing, as plain data.
 *
 * Lists live in the arena of the parse.
 * Source: [OVMM] openhcl/host_fdt_parser/src/lib.rs
 */
#ifndef BOOTINFO_HOST_INFO_H
#define BOOTINFO_HOST_INFO_H

#include "bootinfo/boot_info.h"
#include "support/bytes.h"

#define HOST_INFO_MAX_MEMORY 1024           /* ranges */
#define HOST_INFO_MAX_BOOTARGS 0x2000       /* bytes without NUL */
#define HOST_INFO_MAX_ENTROPY 256           /* bytes; what is above is cut */
#define HOST_INFO_COM3_PORT UINT64_C(0x3e8) /* the serial port that VTL2 may use */

/* RAM: one tuple of a memory@ node. */
typedef struct HostMemory {
	MemoryRange range;
	uint16_t igvm_type; /* IgvmMemoryType, low 16 bits of the cell */
	uint32_t vnode;
} HostMemory;

typedef struct HostMemoryList {
	const HostMemory *items;
	size_t count;
} HostMemoryList;

/* One microsoft,vmbus node; its ranges are among HostInfo.mmio. */
typedef struct HostVmbus {
	bool present;
	uint32_t connection_id; /* microsoft,message-connection-id */
} HostVmbus;

/* x86-64: ns16550 behind port 0x3e8; aarch64: PL011. */
typedef struct HostSerial {
	bool present;
	uint64_t base;      /* port, or guest physical address */
	uint32_t interrupt; /* aarch64: second cell of `interrupts`; else 0 */
	uint32_t baud;      /* current-speed */
} HostSerial;

/* Everything the host told. */
typedef struct HostInfo {
	GuestArch arch;        /* as the caller said */
	uint32_t bsp_reg;      /* boot_cpuid_phys of the tree's header */
	CpuList cpus;          /* the enabled ones; index == virtual processor index */
	HostMemoryList memory; /* by start */
	MmioClaimList mmio;    /* of both vmbus nodes, by start; roles as declared */
	HostVmbus vmbus_vtl0, vmbus_vtl2;
	const char *bootargs; /* borrows from the tree; "" if there are none */
	HostSerial com3, pl011;
	BootGic gic; /* not present if the tree has no intc@ node; pmu_gsiv also without it */
	AllocationMode allocation;
	bool has_alias_map;
	uint64_t alias_map;
	Bytes entropy; /* borrows from the tree; empty if there is none */
	bool nvme_keep_alive;
	bool has_pool_pages;
	uint64_t pool_pages; /* 4096 bytes each; never 0 when there is a hint */
} HostInfo;

#endif
