/*
 * The bytes of IGVM files: a fixed header, variable headers, then data.
 *
 *	0                  offset              offset + size            total
 *	[ fixed header ) … [ variable headers )[ data ................ )
 *
 * All numbers are little-endian; file offsets count from the start of the file.
 * Source: [IGVM] igvm_defs/src/lib.rs
 */
#ifndef LOADERS_IGVM_FORMAT_H
#define LOADERS_IGVM_FORMAT_H

#include "support/compiler.h"

#define IGVM_MAGIC UINT32_C(0x4d564749) /* "IGVM" */
#define IGVM_PAGE_SIZE 4096

typedef struct PACKED IgvmFixedHeader {
	uint32_t magic;           /*  0  = IGVM_MAGIC */
	uint32_t format_version;  /*  4  1 or 2 */
	uint32_t variable_offset; /*  8  of the variable headers, from the start of the file */
	uint32_t variable_size;   /* 12  bytes */
	uint32_t total_size;      /* 16  of the file, bytes */
	uint32_t checksum;        /* 20  CRC-32 of both headers, with 0 here */
} IgvmFixedHeader;
static_assert(sizeof(IgvmFixedHeader) == 24, "[IGVM] fixed header, format 1");

/* What format 2 adds behind it. */
typedef struct PACKED IgvmFixedHeader2 {
	IgvmFixedHeader first;
	uint32_t architecture; /* 24  0 x86-64, 1 aarch64 */
	uint32_t page_size;    /* 28  = 4096 */
} IgvmFixedHeader2;
static_assert(sizeof(IgvmFixedHeader2) == 32, "[IGVM] fixed header, format 2");

/* In front of each variable header's body; the next one starts at a multiple of 8. */
typedef struct PACKED IgvmHeaderHead {
	uint32_t type;   /*  0  bit 31: to be skipped by who does not know it */
	uint32_t length; /*  4  of the body, without padding */
} IgvmHeaderHead;
static_assert(sizeof(IgvmHeaderHead) == 8, "[IGVM] variable header");

#define IGVM_TYPE_SKIPPABLE UINT32_C(0x80000000)

/* Types; a section is a range of them. */
#define IGVM_SUPPORTED_PLATFORM 0x001
#define IGVM_GUEST_POLICY 0x101
#define IGVM_RELOCATABLE_REGION 0x102
#define IGVM_PAGE_TABLE_REGION 0x103
#define IGVM_CCA_POLICY 0x106
#define IGVM_PARAMETER_AREA 0x301
#define IGVM_PAGE_DATA 0x302
#define IGVM_PARAMETER_INSERT 0x303
#define IGVM_VP_CONTEXT 0x304
#define IGVM_REQUIRED_MEMORY 0x305
#define IGVM_VP_COUNT 0x307
#define IGVM_SRAT 0x308
#define IGVM_MADT 0x309
#define IGVM_MMIO_RANGES 0x30a
#define IGVM_SNP_ID_BLOCK 0x30b
#define IGVM_MEMORY_MAP 0x30c
#define IGVM_ERROR_RANGE 0x30d
#define IGVM_COMMAND_LINE 0x30e
#define IGVM_SLIT 0x30f
#define IGVM_PPTT 0x310
#define IGVM_VBS_MEASUREMENT 0x311
#define IGVM_DEVICE_TREE 0x312
#define IGVM_ENVIRONMENT 0x313

typedef struct PACKED IgvmSupportedPlatform {
	uint32_t mask;            /*  0  one bit */
	uint8_t highest_vtl;      /*  4 */
	uint8_t platform;         /*  5  IgvmPlatform */
	uint16_t version;         /*  6 */
	uint64_t shared_boundary; /*  8  GPA */
} IgvmSupportedPlatform;
static_assert(sizeof(IgvmSupportedPlatform) == 16, "[IGVM] 0x001");

typedef struct PACKED IgvmGuestPolicy {
	uint64_t policy;   /*  0 */
	uint32_t mask;     /*  8 */
	uint32_t reserved; /* 12 */
} IgvmGuestPolicy;
static_assert(sizeof(IgvmGuestPolicy) == 16, "[IGVM] 0x101");

#define IGVM_RELOCATE_IS_VTL2 1
#define IGVM_RELOCATE_PC 2
#define IGVM_RELOCATE_GDTR 4

typedef struct PACKED IgvmRelocatableRegion {
	uint32_t mask;      /*  0 */
	uint16_t vp;        /*  4  whose registers move along */
	uint8_t vtl;        /*  6 */
	uint8_t flags;      /*  7  IGVM_RELOCATE_* */
	uint64_t alignment; /*  8  of the new base, bytes */
	uint64_t base;      /* 16  GPA, before moving */
	uint64_t size;      /* 24  bytes */
	uint64_t minimum;   /* 32  lowest new base */
	uint64_t maximum;   /* 40  highest new end */
} IgvmRelocatableRegion;
static_assert(sizeof(IgvmRelocatableRegion) == 48, "[IGVM] 0x102");

typedef struct PACKED IgvmPageTableRegion {
	uint32_t mask;      /*  0 */
	uint16_t vp;        /*  4 */
	uint8_t vtl;        /*  6 */
	uint8_t reserved;   /*  7 */
	uint64_t gpa;       /*  8 */
	uint64_t size;      /* 16  bytes */
	uint64_t used_size; /* 24  bytes; the rest is room for more tables */
} IgvmPageTableRegion;
static_assert(sizeof(IgvmPageTableRegion) == 32, "[IGVM] 0x103");

typedef struct PACKED IgvmCcaPolicy {
	uint32_t mask; /*  0 */
	uint8_t rest[28];
} IgvmCcaPolicy;
static_assert(sizeof(IgvmCcaPolicy) == 32, "[IGVM] 0x106");

typedef struct PACKED IgvmParameterArea {
	uint64_t bytes;       /*  0 */
	uint32_t index;       /*  8 */
	uint32_t file_offset; /* 12  first content; 0 = zeros */
} IgvmParameterArea;
static_assert(sizeof(IgvmParameterArea) == 16, "[IGVM] 0x301");

#define IGVM_PAGE_IS_2MB 1
#define IGVM_PAGE_UNMEASURED 2
#define IGVM_PAGE_SHARED 4

typedef enum IgvmPageType {
	IGVM_PAGE_NORMAL,
	IGVM_PAGE_SECRETS,
	IGVM_PAGE_CPUID,
	IGVM_PAGE_CPUID_XF,
	IGVM_PAGE_TYPE_COUNT
} IgvmPageType;

typedef struct PACKED IgvmPageData {
	uint64_t gpa;         /*  0 */
	uint32_t mask;        /*  8 */
	uint32_t file_offset; /* 12  0 = a page of zeros */
	uint32_t flags;       /* 16  IGVM_PAGE_IS_2MB, … */
	uint16_t data_type;   /* 20  IgvmPageType */
	uint16_t reserved;    /* 22 */
} IgvmPageData;
static_assert(sizeof(IgvmPageData) == 24, "[IGVM] 0x302");

typedef struct PACKED IgvmParameterInsert {
	uint64_t gpa;   /*  0 */
	uint32_t mask;  /*  8 */
	uint32_t index; /* 12 */
} IgvmParameterInsert;
static_assert(sizeof(IgvmParameterInsert) == 16, "[IGVM] 0x303");

typedef struct PACKED IgvmVpContext {
	uint64_t gpa;         /*  0  of hardware's page; nothing is written there for VSM */
	uint32_t mask;        /*  8 */
	uint32_t file_offset; /* 12 */
	uint16_t vp;          /* 16 */
	uint16_t reserved;    /* 18 */
} IgvmVpContext;
static_assert(sizeof(IgvmVpContext) == 20, "[IGVM] 0x304");

#define IGVM_REQUIRED_VTL2_PROTECTABLE 1

typedef struct PACKED IgvmRequiredMemory {
	uint64_t gpa;      /*  0 */
	uint32_t mask;     /*  8 */
	uint32_t bytes;    /* 12 */
	uint32_t flags;    /* 16  IGVM_REQUIRED_VTL2_PROTECTABLE */
	uint32_t reserved; /* 20 */
} IgvmRequiredMemory;
static_assert(sizeof(IgvmRequiredMemory) == 24, "[IGVM] 0x305");

typedef struct PACKED IgvmErrorRange {
	uint64_t gpa;   /*  0 */
	uint32_t mask;  /*  8 */
	uint32_t bytes; /* 12 */
} IgvmErrorRange;
static_assert(sizeof(IgvmErrorRange) == 16, "[IGVM] 0x30d");

/* Of every type from IGVM_VP_COUNT on that asks for a parameter. */
typedef struct PACKED IgvmParameterUse {
	uint32_t index;  /*  0  of the area */
	uint32_t offset; /*  4  in it, bytes */
} IgvmParameterUse;
static_assert(sizeof(IgvmParameterUse) == 8, "[IGVM] parameters");

/* What parameters hold. */
typedef struct PACKED IgvmMemoryMapEntry {
	uint64_t page, count; /*  0,  8 */
	uint16_t type;        /* 16  IgvmMemoryType */
	uint16_t flags;       /* 18 */
	uint32_t reserved;    /* 20 */
} IgvmMemoryMapEntry;
static_assert(sizeof(IgvmMemoryMapEntry) == 24, "[IGVM] 0x30c");

typedef struct PACKED IgvmMmioRange {
	uint64_t page, count;
} IgvmMmioRange;
static_assert(sizeof(IgvmMmioRange) == 16, "[IGVM] 0x30a");

#endif
