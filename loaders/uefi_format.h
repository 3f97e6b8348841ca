/*
 * The configuration blob of UEFI firmware, record by record. A record is a header, a payload and
 * zeros up to the next multiple of 8; offsets below count from the header's first byte.
 * Source: [MU] MsvmPkg/Include/BiosInterface.h; [OVMM] vm/loader/src/uefi/config.rs;
 * docs/formats.md, "UEFI configuration blob"
 */
#ifndef LOADERS_UEFI_FORMAT_H
#define LOADERS_UEFI_FORMAT_H

#include "support/compiler.h"

/* Every record starts and ends at a multiple of this. */
#define UEFI_RECORD_ALIGN 8

typedef enum UefiRecordType {
	UEFI_RECORD_STRUCTURE_COUNT = 0x00,
	UEFI_RECORD_BIOS_INFORMATION = 0x01,
	UEFI_RECORD_SRAT = 0x02, /* typed ACPI tables are for firmware that knows no 0x16 */
	UEFI_RECORD_MEMORY_MAP = 0x03,
	UEFI_RECORD_ENTROPY = 0x04,
	UEFI_RECORD_BIOS_GUID = 0x05,
	UEFI_RECORD_SYSTEM_SERIAL_NUMBER = 0x06,
	UEFI_RECORD_BASE_SERIAL_NUMBER = 0x07,
	UEFI_RECORD_CHASSIS_SERIAL_NUMBER = 0x08,
	UEFI_RECORD_CHASSIS_ASSET_TAG = 0x09,
	UEFI_RECORD_BIOS_LOCK_STRING = 0x0a,
	UEFI_RECORD_SMBIOS31_PROCESSOR = 0x0b,
	UEFI_RECORD_SOCKET_DESIGNATION = 0x0c,
	UEFI_RECORD_PROCESSOR_MANUFACTURER = 0x0d,
	UEFI_RECORD_PROCESSOR_VERSION = 0x0e,
	UEFI_RECORD_PROCESSOR_SERIAL_NUMBER = 0x0f,
	UEFI_RECORD_PROCESSOR_ASSET_TAG = 0x10,
	UEFI_RECORD_PROCESSOR_PART_NUMBER = 0x11, /* the firmware takes it for the asset tag */
	UEFI_RECORD_FLAGS = 0x12,
	UEFI_RECORD_PROCESSOR_INFORMATION = 0x13,
	UEFI_RECORD_MMIO_RANGES = 0x14,
	UEFI_RECORD_AARCH64_MPIDR = 0x15,
	UEFI_RECORD_ACPI_TABLE = 0x16,
	UEFI_RECORD_NVDIMM_COUNT = 0x17,
	UEFI_RECORD_MADT = 0x18,
	UEFI_RECORD_VPCI_INSTANCE_FILTER = 0x19,
	UEFI_RECORD_SYSTEM_MANUFACTURER = 0x1a,
	UEFI_RECORD_SYSTEM_PRODUCT_NAME = 0x1b,
	UEFI_RECORD_SYSTEM_VERSION = 0x1c,
	UEFI_RECORD_SYSTEM_SKU_NUMBER = 0x1d,
	UEFI_RECORD_SYSTEM_FAMILY = 0x1e,
	UEFI_RECORD_MEMORY_DEVICE_SERIAL_NUMBER = 0x1f,
	UEFI_RECORD_SLIT = 0x20,
	UEFI_RECORD_ASPT = 0x21, /* x86-64 only */
	UEFI_RECORD_PPTT = 0x22,
	UEFI_RECORD_GIC = 0x23,
	UEFI_RECORD_MCFG = 0x24,
	UEFI_RECORD_SSDT = 0x25,
	UEFI_RECORD_HMAT = 0x26,
	UEFI_RECORD_IORT = 0x27,
	UEFI_RECORD_PCIE_BAR_APERTURES = 0x28,
} UefiRecordType;

typedef struct PACKED UefiRecordHeader {
	uint32_t type;   /*  0  UefiRecordType; unknown ones are skipped */
	uint32_t length; /*  4  header, payload and padding; above 8, a multiple of 8 */
} UefiRecordHeader;
static_assert(sizeof(UefiRecordHeader) == 8, "[MU] UEFI_CONFIG_HEADER");

/* UEFI_RECORD_STRUCTURE_COUNT, the first record, header included */
typedef struct PACKED UefiStructureCount {
	UefiRecordHeader header; /*  0 */
	uint32_t count;          /*  8  records, this one too */
	uint32_t size;           /* 12  bytes of all records, this one too */
} UefiStructureCount;
static_assert(sizeof(UefiStructureCount) == 16, "[MU] UEFI_CONFIG_STRUCTURE_COUNT");

#define UEFI_BIOS_LEGACY_MEMORY_MAP UINT32_C(1) /* entries of the map have 16 bytes */

/* UEFI_RECORD_BIOS_INFORMATION */
typedef struct PACKED UefiBiosInformation {
	uint32_t image_pages; /*  8  4 KiB each */
	uint32_t flags;       /* 12  UEFI_BIOS_ */
} UefiBiosInformation;
static_assert(sizeof(UefiBiosInformation) == 8, "[MU] UEFI_CONFIG_BIOS_INFORMATION");

/* The firmware looks for them in this order and takes the first. */
#define UEFI_MEMORY_PLATFORM_RESERVED UINT32_C(1)
#define UEFI_MEMORY_PERSISTENT UINT32_C(2)
#define UEFI_MEMORY_SPECIFIC_PURPOSE UINT32_C(4)

/* UEFI_RECORD_MEMORY_MAP, one of many */
typedef struct PACKED UefiMemoryEntry {
	uint64_t start;    /*  GPA */
	uint64_t len;      /*  bytes */
	uint32_t flags;    /*  UEFI_MEMORY_ */
	uint32_t reserved; /*  = 0 */
} UefiMemoryEntry;
static_assert(sizeof(UefiMemoryEntry) == 24, "[MU] VM_MEMORY_RANGE_V5");

/* The same with UEFI_BIOS_LEGACY_MEMORY_MAP */
typedef struct PACKED UefiLegacyMemoryEntry {
	uint64_t start; /*  GPA */
	uint64_t len;   /*  bytes */
} UefiLegacyMemoryEntry;
static_assert(sizeof(UefiLegacyMemoryEntry) == 16, "[MU] VM_MEMORY_RANGE");

/* UEFI_RECORD_SMBIOS31_PROCESSOR */
typedef struct PACKED UefiSmbios31Processor {
	uint64_t id;              /*  8 */
	uint16_t external_clock;  /* 16  MHz */
	uint16_t max_speed;       /* 18  MHz */
	uint16_t current_speed;   /* 20  MHz */
	uint16_t characteristics; /* 22 */
	uint16_t family2;         /* 24 */
	uint8_t type;             /* 26 */
	uint8_t voltage;          /* 27 */
	uint8_t status;           /* 28 */
	uint8_t upgrade;          /* 29 */
	uint16_t reserved;        /* 30  = 0 */
} UefiSmbios31Processor;
static_assert(sizeof(UefiSmbios31Processor) == 24, "[MU] UEFI_CONFIG_SMBIOS_3_1");

/* UEFI_RECORD_PROCESSOR_INFORMATION; the last three must not be 0 */
typedef struct PACKED UefiProcessorInformation {
	uint32_t max_count;  /*  8  not read */
	uint32_t count;      /* 12 */
	uint32_t per_socket; /* 16 */
	uint32_t per_core;   /* 20  threads */
} UefiProcessorInformation;
static_assert(sizeof(UefiProcessorInformation) == 16, "[MU] UEFI_CONFIG_PROCESSOR_INFORMATION");

typedef struct PACKED UefiMmioRange {
	uint64_t page;  /* number of the first one */
	uint64_t pages; /* 0 = empty */
} UefiMmioRange;

/* Where an empty high window is said to be, so that every firmware takes it for the high one. */
#define UEFI_MMIO_EMPTY_HIGH_PAGE UINT64_C(0x100000)

/* UEFI_RECORD_MMIO_RANGES, exactly these two */
typedef struct PACKED UefiMmioRanges {
	UefiMmioRange low;  /*  8 */
	UefiMmioRange high; /* 24 */
} UefiMmioRanges;
static_assert(sizeof(UefiMmioRanges) == 32, "[MU] UEFI_CONFIG_MMIO_RANGES");

/* UEFI_RECORD_NVDIMM_COUNT */
typedef struct PACKED UefiNvdimmCount {
	uint16_t count;       /*  8 */
	uint16_t reserved[3]; /* 10  = 0 */
} UefiNvdimmCount;
static_assert(sizeof(UefiNvdimmCount) == 8, "[MU] UEFI_CONFIG_NVDIMM_COUNT");

/* UEFI_RECORD_GIC; without it the firmware takes addresses of its own */
typedef struct PACKED UefiGic {
	uint64_t distributor;    /*  8  GPA */
	uint64_t redistributors; /* 16  GPA */
} UefiGic;
static_assert(sizeof(UefiGic) == 16, "[MU] UEFI_CONFIG_GIC");

/* UEFI_RECORD_PCIE_BAR_APERTURES, one of many */
typedef struct PACKED UefiPcieBarAperture {
	uint16_t segment;    /*  0 */
	uint8_t start_bus;   /*  2 */
	uint8_t end_bus;     /*  3  inclusive */
	uint32_t uid;        /*  4  the bridge's _UID */
	uint64_t low_start;  /*  8  GPA */
	uint64_t low_len;    /* 16  bytes */
	uint64_t high_start; /* 24  GPA */
	uint64_t high_len;   /* 32  bytes */
} UefiPcieBarAperture;
static_assert(sizeof(UefiPcieBarAperture) == 40, "[MU] PCIE_BAR_APERTURE");

/* Bits of UEFI_RECORD_FLAGS, one u64 */
typedef enum UefiFlag {
	UEFI_FLAG_SERIAL_CONTROLLERS = 0,
	UEFI_FLAG_PAUSE_AFTER_BOOT_FAILURE = 1,
	UEFI_FLAG_PXE_IP_V6 = 2,
	UEFI_FLAG_DEBUGGER = 3,
	UEFI_FLAG_LOAD_OEMP_TABLE = 4,
	UEFI_FLAG_TPM = 5,
	UEFI_FLAG_HIBERNATE = 6,
	UEFI_FLAG_CONSOLE = 7, /* two bits, ConsoleMode */
	UEFI_FLAG_MEMORY_ATTRIBUTES_TABLE = 9,
	UEFI_FLAG_VIRTUAL_BATTERY = 10,
	UEFI_FLAG_SGX_MEMORY = 11,
	UEFI_FLAG_VMBFS_BOOT = 12,
	UEFI_FLAG_MEASURE_ADDITIONAL_PCRS = 13,
	UEFI_FLAG_DISABLE_FRONTPAGE = 14,
	UEFI_FLAG_DEFAULT_BOOT_ALWAYS_ATTEMPT = 15,
	UEFI_FLAG_LOW_POWER_S0_IDLE = 16,
	UEFI_FLAG_VPCI_BOOT = 17,
	UEFI_FLAG_PROCESSOR_IDLE = 18,
	UEFI_FLAG_DISABLE_SHA384_PCR = 19,
	UEFI_FLAG_MEDIA_PRESENT_BY_DEFAULT = 20,
	UEFI_FLAG_MEMORY_PROTECTION = 21, /* two bits, MemoryProtection */
	UEFI_FLAG_IMC_WHEN_ISOLATED = 23,
	UEFI_FLAG_WATCHDOG = 24,
	UEFI_FLAG_TPM_LOCALITY_REGS = 25,
	UEFI_FLAG_DHCP6_LINK_LAYER_ADDRESS = 26,
	UEFI_FLAG_CXL_MEMORY = 27,
	UEFI_FLAG_MTRRS_INITIALIZED_AT_LOAD = 28,
	UEFI_FLAG_VMBUS_DISABLED = 30,
	UEFI_FLAG_PCI_RESOURCES_PRE_ASSIGNED = 31,
	UEFI_FLAG_FORCE_DMA_BOUNCE = 32,
} UefiFlag;

#endif
