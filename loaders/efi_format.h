/*
 * Records of EFI as a kernel finds them, 64-bit.
 */
#ifndef LOADERS_EFI_FORMAT_H
#define LOADERS_EFI_FORMAT_H

#include "support/compiler.h"
#include "support/guid.h"

#define EFI_SYSTEM_TABLE_SIGNATURE UINT64_C(0x5453595320494249) /* "IBI SYST" */
#define EFI_REVISION_2_70 (2u << 16 | 70)

/* [UEFI210] 4.2, 4.3 */
typedef struct PACKED EfiSystemTable {
	uint64_t signature;             /*   0 */
	uint32_t revision;              /*   8 */
	uint32_t header_size;           /*  12  = 120 */
	uint32_t crc32;                 /*  16  over @header_size bytes, itself 0 */
	uint32_t reserved;              /*  20 */
	uint64_t firmware_vendor;       /*  24  GPA of a text of UTF-16 with its NUL */
	uint32_t firmware_revision;     /*  32 */
	uint32_t padding;               /*  36 */
	uint64_t console_in_handle;     /*  40 */
	uint64_t console_in;            /*  48 */
	uint64_t console_out_handle;    /*  56 */
	uint64_t console_out;           /*  64 */
	uint64_t standard_error_handle; /*  72 */
	uint64_t standard_error;        /*  80 */
	uint64_t runtime_services;      /*  88  0: none */
	uint64_t boot_services;         /*  96  0: they have ended */
	uint64_t table_count;           /* 104 */
	uint64_t tables;                /* 112  GPA of the configuration tables */
} EfiSystemTable;
static_assert(sizeof(EfiSystemTable) == 120, "[UEFI210] 4.3");
static_assert(offsetof(EfiSystemTable, console_in_handle) == 40, "[UEFI210] 4.3");

/* [UEFI210] 4.6 */
typedef struct PACKED EfiConfigurationTable {
	Guid vendor;    /*  0 */
	uint64_t table; /* 16  GPA */
} EfiConfigurationTable;
static_assert(sizeof(EfiConfigurationTable) == 24, "[UEFI210] 4.6");

/* [UEFI210] 4.6.2, EFI_RT_PROPERTIES_TABLE */
typedef struct PACKED EfiRuntimeProperties {
	uint16_t version;   /* 0  = 1 */
	uint16_t length;    /* 2  = 8 */
	uint32_t supported; /* 4  a bit for each service */
} EfiRuntimeProperties;
static_assert(sizeof(EfiRuntimeProperties) == 8, "[UEFI210] 4.6.2");

/* [UEFI210] 7.2.1 */
typedef enum EfiMemoryType {
	EFI_RESERVED = 0,
	EFI_RUNTIME_SERVICES_DATA = 6,
	EFI_CONVENTIONAL = 7,
	EFI_ACPI_RECLAIM = 9,
} EfiMemoryType;

#define EFI_MEMORY_WB UINT64_C(0x8)
#define EFI_MEMORY_SP UINT64_C(0x40000) /* for a specific purpose */

#define EFI_DESCRIPTOR_VERSION 1

/* [UEFI210] 7.2.3 */
typedef struct PACKED EfiMemoryDescriptor {
	uint32_t type;          /*  0  EfiMemoryType */
	uint32_t padding;       /*  4 */
	uint64_t start;         /*  8  GPA */
	uint64_t virtual_start; /* 16 */
	uint64_t pages;         /* 24 */
	uint64_t attributes;    /* 32 */
} EfiMemoryDescriptor;
static_assert(sizeof(EfiMemoryDescriptor) == 40, "[UEFI210] 7.2.3");

#endif
