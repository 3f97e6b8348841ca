/*
 * What a Linux kernel on x86-64 is handed, as records: the zero page (boot_params) with its
 * setup header and memory map, and the pages of confidential guests. Where they lie:
 * layout/fixed_map.h.
 * Source: [LINUXBOOT], [LINUXUAPI] asm/bootparam.h.
 */
#ifndef LOADERS_LINUX_FORMAT_H
#define LOADERS_LINUX_FORMAT_H

#include "support/compiler.h"

/* What the kernel takes of a command line, NUL included; the rest is cut: COMMAND_LINE_SIZE. */
#define LINUX_KERNEL_COMMAND_LINE_MAX 2048

#define LINUX_BOOT_FLAG 0xaa55
#define LINUX_HEADER_MAGIC 0x53726448 /* "HdrS" */
#define LINUX_XLOAD_ABOVE_4GIB 0x02   /* xloadflags: the high halves of addresses are read */
#define LINUX_LOADER_UNDEFINED 0xff   /* type_of_loader of those without a number */

/* [LINUXBOOT] the real-mode kernel header, offsets within the zero page */
typedef struct PACKED LinuxSetupHeader {
	uint8_t setup_sects;            /* 1f1 */
	uint16_t root_flags;            /* 1f2 */
	uint32_t syssize;               /* 1f4  16-byte paragraphs */
	uint16_t ram_size;              /* 1f8 */
	uint16_t vid_mode;              /* 1fa */
	uint16_t root_dev;              /* 1fc */
	uint16_t boot_flag;             /* 1fe  LINUX_BOOT_FLAG */
	uint16_t jump;                  /* 200 */
	uint32_t header;                /* 202  LINUX_HEADER_MAGIC */
	uint16_t version;               /* 206 */
	uint32_t realmode_swtch;        /* 208 */
	uint16_t start_sys_seg;         /* 20c */
	uint16_t kernel_version;        /* 20e */
	uint8_t type_of_loader;         /* 210 */
	uint8_t loadflags;              /* 211 */
	uint16_t setup_move_size;       /* 212 */
	uint32_t code32_start;          /* 214 */
	uint32_t ramdisk_image;         /* 218  GPA, low half */
	uint32_t ramdisk_size;          /* 21c  bytes, low half */
	uint32_t bootsect_kludge;       /* 220 */
	uint16_t heap_end_ptr;          /* 224 */
	uint8_t ext_loader_ver;         /* 226 */
	uint8_t ext_loader_type;        /* 227 */
	uint32_t cmd_line_ptr;          /* 228  GPA */
	uint32_t initrd_addr_max;       /* 22c */
	uint32_t kernel_alignment;      /* 230 */
	uint8_t relocatable_kernel;     /* 234 */
	uint8_t min_alignment;          /* 235 */
	uint16_t xloadflags;            /* 236 */
	uint32_t cmdline_size;          /* 238  bytes without NUL */
	uint32_t hardware_subarch;      /* 23c */
	uint64_t hardware_subarch_data; /* 240 */
	uint32_t payload_offset;        /* 248 */
	uint32_t payload_length;        /* 24c */
	uint64_t setup_data;            /* 250  GPA of the first LinuxSetupData, 0 = none */
	uint64_t pref_address;          /* 258 */
	uint32_t init_size;             /* 260 */
	uint32_t handover_offset;       /* 264 */
} LinuxSetupHeader;
static_assert(sizeof(LinuxSetupHeader) == 0x77, "[LINUXBOOT] 0x1f1 to 0x268");

/* [LINUX] arch/x86/include/asm/e820/types.h, enum e820_type */
#define LINUX_E820_RAM 1u
#define LINUX_E820_RESERVED 2u
#define LINUX_E820_ACPI 3u
#define LINUX_E820_SOFT_RESERVED 0xefffffffu /* for one purpose, not for everybody */

#define LINUX_E820_MAX_ENTRIES 128

/* [LINUXUAPI] struct boot_e820_entry */
typedef struct PACKED LinuxE820Entry {
	uint64_t address; /*  0  GPA */
	uint64_t size;    /*  8  bytes */
	uint32_t type;    /* 16  LINUX_E820_RAM, … */
} LinuxE820Entry;
static_assert(sizeof(LinuxE820Entry) == 20, "[LINUXUAPI] boot_e820_entry");

/* [LINUXUAPI] struct boot_params, "the zero page"; what is not named stays 0 */
typedef struct PACKED LinuxBootParams {
	uint8_t unused_000[0xc0];                    /* 000 */
	uint32_t ext_ramdisk_image;                  /* 0c0  high half of ramdisk_image */
	uint32_t ext_ramdisk_size;                   /* 0c4  high half of ramdisk_size */
	uint32_t ext_cmd_line_ptr;                   /* 0c8  high half of cmd_line_ptr */
	uint8_t unused_0cc[0x11c];                   /* 0cc */
	uint8_t e820_entries;                        /* 1e8 */
	uint8_t unused_1e9[8];                       /* 1e9 */
	LinuxSetupHeader header;                     /* 1f1 */
	uint8_t unused_268[0x68];                    /* 268 */
	LinuxE820Entry e820[LINUX_E820_MAX_ENTRIES]; /* 2d0 */
	uint8_t unused_cd0[0x330];                   /* cd0 */
} LinuxBootParams;
static_assert(sizeof(LinuxBootParams) == 4096, "[LINUXBOOT] the zero page");
static_assert(
	offsetof(LinuxBootParams, ext_ramdisk_image) == 0xc0, "[LINUXBOOT] the zero page");
static_assert(offsetof(LinuxBootParams, e820_entries) == 0x1e8, "[LINUXBOOT] the zero page");
static_assert(offsetof(LinuxBootParams, header) == 0x1f1, "[LINUXBOOT] the zero page");
static_assert(offsetof(LinuxBootParams, e820) == 0x2d0, "[LINUXBOOT] the zero page");

#define LINUX_CC_BLOB_MAGIC 0x45444d41 /* "AMDE" */
#define LINUX_SETUP_CC_BLOB 7
#define LINUX_CC_PAGES 5 /* secrets, CPUID, blob, setup data, and the VMSA's place */

/* [LINUX] arch/x86/include/asm/sev.h, struct cc_blob_sev_info */
typedef struct PACKED LinuxCcBlob {
	uint32_t magic;           /*  0  LINUX_CC_BLOB_MAGIC */
	uint16_t version;         /*  4  = 0 */
	uint16_t reserved;        /*  6 */
	uint64_t secrets_address; /*  8  GPA */
	uint32_t secrets_len;     /* 16  bytes */
	uint32_t reserved_20;     /* 20 */
	uint64_t cpuid_address;   /* 24  GPA */
	uint32_t cpuid_len;       /* 32  bytes */
	uint32_t reserved_36;     /* 36 */
} LinuxCcBlob;
static_assert(sizeof(LinuxCcBlob) == 40, "[LINUX] cc_blob_sev_info");

/* [LINUXBOOT] struct setup_data, followed by [LINUX] struct cc_setup_data's address */
typedef struct PACKED LinuxCcSetupData {
	uint64_t next;            /*  0  = 0, the last */
	uint32_t type;            /*  8  LINUX_SETUP_CC_BLOB */
	uint32_t len;             /* 12  bytes that follow */
	uint32_t cc_blob_address; /* 16  GPA */
	uint8_t reserved[12];     /* 20 */
} LinuxCcSetupData;
static_assert(sizeof(LinuxCcSetupData) == 32, "[LINUX] cc_setup_data");

#endif
