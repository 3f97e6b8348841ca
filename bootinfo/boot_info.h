/*
 * What the boot loader told us, as plain data: the boot tree after parsing.
 *
 * Lists live in the arena of the parse. Lists of ranges are ascending by start. Nothing here has
 * been checked across fields: that is boot_info_validate (boot_info_check.h).
 * Source: [OVMM] openhcl/openhcl_boot/src/dt.rs, openhcl/bootloader_fdt_parser/src/lib.rs
 */
#ifndef BOOTINFO_BOOT_INFO_H
#define BOOTINFO_BOOT_INFO_H

#include "bootinfo/mmio_claim.h"
#include "support/guest_arch.h"
#include "support/memory_range.h"

/* Capacities: more is an error of the parse, before anything is allocated for it. */
#define BOOT_INFO_MAX_DTB (256 * 1024) /* bytes */
#define BOOT_INFO_MAX_CPUS 2048
#define BOOT_INFO_MAX_RANGES 512 /* memory map entries */
#define BOOT_INFO_MAX_MMIO 64

typedef enum IsolationType {
	ISOLATION_NONE,
	ISOLATION_VBS,
	ISOLATION_SNP,
	ISOLATION_TDX,
	ISOLATION_COUNT
} IsolationType;

static inline bool isolation_is_isolated(IsolationType isolation)
{
	return isolation != ISOLATION_NONE;
}

static inline bool isolation_is_hardware(IsolationType isolation)
{
	return isolation == ISOLATION_SNP || isolation == ISOLATION_TDX;
}

/* Values of openhcl,memory-type. */
typedef enum MemoryType {
	MEMORY_TYPE_VTL0,
	MEMORY_TYPE_VTL2_RAM,
	MEMORY_TYPE_VTL2_CONFIG,
	MEMORY_TYPE_VTL2_SIDECAR_IMAGE,
	MEMORY_TYPE_VTL2_SIDECAR_NODE,
	MEMORY_TYPE_VTL0_MMIO,
	MEMORY_TYPE_VTL2_MMIO,
	MEMORY_TYPE_VTL2_RESERVED,
	MEMORY_TYPE_VTL2_GPA_POOL,
	MEMORY_TYPE_VTL2_TDX_PAGE_TABLES,
	MEMORY_TYPE_VTL2_LOG_BUFFER,
	MEMORY_TYPE_VTL2_PERSISTED_HEADER,
	MEMORY_TYPE_VTL2_PERSISTED_PROTOBUF,
	MEMORY_TYPE_COUNT
} MemoryType;

/* Values of microsoft,igvm-type; others are carried as they are. */
typedef enum IgvmMemoryType {
	IGVM_MEMORY,
	IGVM_PLATFORM_RESERVED,
	IGVM_PERSISTENT,
	IGVM_VTL2_PROTECTABLE,
	IGVM_SPECIFIC_PURPOSE,
	IGVM_HIDDEN
} IgvmMemoryType;

/* RAM: one /openhcl/memory@ node that is not MMIO. */
typedef struct MapEntry {
	MemoryRange range;
	MemoryType type;
	uint16_t igvm_type; /* IgvmMemoryType, low 16 bits of the cell */
	uint32_t vnode;
} MapEntry;

typedef struct MapEntryList {
	const MapEntry *items;
	size_t count;
} MapEntryList;

typedef struct BootCpu {
	uint64_t reg; /* x86-64: APIC id; aarch64: MPIDR affinity */
	uint32_t vnode;
} BootCpu;

typedef struct CpuList {
	const BootCpu *items; /* index == virtual processor index */
	size_t count;
} CpuList;

/* aarch64; sizes as stated in the tree. */
typedef struct BootGic {
	bool present;
	uint64_t distributor_base, distributor_size;     /* bytes */
	uint64_t redistributor_base, redistributor_size; /* bytes */
	uint64_t redistributor_stride;                   /* bytes, 0 = not stated */
	uint32_t pmu_gsiv;                               /* INTID 16..31, 0 = none */
	uint32_t virt_timer_ppi;                         /* INTID, 20 */
	uint32_t irq_count;                              /* 992 */
} BootGic;

/* Who decides where VTL2's memory lies. */
typedef struct AllocationMode {
	bool vtl2;
	bool has_memory_size, has_mmio_size;
	uint64_t memory_size, mmio_size; /* bytes, only with @vtl2 */
} AllocationMode;

/* Reference time, units of 100 ns. A value that cannot be read loses all of them, not the tree. */
typedef struct BootTimes {
	bool has_start, has_end, has_sidecar_start, has_sidecar_end;
	uint64_t start, end, sidecar_start, sidecar_end;
	const char *malformed; /* the property that cannot be read, or NULL */
} BootTimes;

/*
 * VTL2's own VMBus, /bus/vmbus. It speaks to VTL2's kernel: no guest is refused for it, and what
 * cannot be read counts as absent.
 */
typedef struct Vtl2Bus {
	bool present;
	uint32_t connection_id; /* microsoft,message-connection-id */
	MemoryRangeList ranges; /* its windows, by start; empty ones are left out */
	const char *malformed;  /* the first property that cannot be read, or NULL */
} Vtl2Bus;

/* Everything the boot loader told us. */
typedef struct BootInfo {
	GuestArch arch;   /* a value everywhere: one binary plans both */
	uint32_t bsp_reg; /* boot_cpuid_phys of the tree's header */
	bool has_openhcl; /* the tree has an /openhcl node */
	CpuList cpus;
	NodeRangeList vtl2_ram;   /* root memory@ nodes, by start */
	MapEntryList map;         /* RAM by use and NUMA node, by start */
	MmioClaimList mmio;       /* both VTLs, by start */
	MemoryRangeList config;   /* parameter pages, by start */
	MemoryRangeList accepted; /* by start */
	NodeRangeList pool;       /* VTL2's private pool, by start */
	/* May be empty. */
	MemoryRange reserved, log_buffer, persisted_header, persisted_protobuf;
	bool has_alias_map;
	uint64_t alias_map;
	IsolationType isolation;
	AllocationMode allocation;
	BootGic gic;
	Vtl2Bus vtl2_bus;
	BootTimes times;
} BootInfo;

/** boot_info_memory_type_name - "VTL2 config" */
const char *boot_info_memory_type_name(MemoryType type);

/** boot_info_isolation_name - "none", "vbs", "snp", "tdx": as the tree writes it */
const char *boot_info_isolation_name(IsolationType isolation);

#endif
