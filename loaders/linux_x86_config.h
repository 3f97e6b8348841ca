/*
 * What a Linux kernel on x86-64 finds around itself when it starts: command line, descriptor
 * table, page tables, ACPI and SMBIOS tables, zero page, first register state. Kernel and
 * initrd are taken to be in place; nothing here asks where they came from.
 */
#ifndef LOADERS_LINUX_X86_CONFIG_H
#define LOADERS_LINUX_X86_CONFIG_H

#include "layout/memory_layout.h"
#include "loaders/registers.h"
#include "loaders/smbios.h"
#include "support/bytes.h"

typedef struct LinuxX86Inputs {
	LayoutRecordList ram; /* ascending; the first starts at 0 and reaches 1 MiB */
	Bytes command_line;   /* without NUL */
	uint64_t entry;       /* GPA of the kernel's 64-bit entry */
	/* Both 0 = none. Both below 4 GiB unless the setup header says that more is read. */
	uint64_t initrd_gpa, initrd_len; /* bytes */
	Bytes acpi_tables;               /* made for LINUX_X86_BOOT_PAGES_GPA; borrowed */
	Bytes rsdp;                      /* points into @acpi_tables; borrowed */
	const SmbiosInputs *smbios;      /* NULL = no SMBIOS */
	Bytes setup_header; /* a bzImage's bytes 0x1f1 to 0x268; empty = the kernel has none */
	bool snp;           /* add the pages of a confidential guest */
	uint8_t snp_c_bit;  /* number of the encryption bit, 32 to 51 */
} LinuxX86Inputs;

/* In the order of writing, which is what a measured launch measures. */
typedef enum LinuxPieceId {
	LINUX_PIECE_COMMAND_LINE,
	LINUX_PIECE_GDT,
	LINUX_PIECE_PAGE_TABLES,
	LINUX_PIECE_RSDP,
	LINUX_PIECE_ACPI_TABLES,
	LINUX_PIECE_SNP_SECRETS, /* filled by the platform */
	LINUX_PIECE_SNP_CPUID,   /* filled by the platform */
	LINUX_PIECE_SNP_CC_BLOB,
	LINUX_PIECE_SNP_SETUP_DATA,
	LINUX_PIECE_ZERO_PAGE,
	LINUX_PIECE_SMBIOS_ANCHOR,
	LINUX_PIECE_SMBIOS_TABLES,
	LINUX_PIECE_COUNT
} LinuxPieceId;

typedef struct LinuxPiece {
	uint64_t gpa;
	Bytes bytes; /* length 0: this guest has no such piece; NULL with a length: zeros */
} LinuxPiece;

#define LINUX_X86_REGISTERS 17
#define LINUX_X86_FIXED_MTRRS 2 /* the last of them */

typedef struct LinuxX86Config {
	LinuxPiece pieces[LINUX_PIECE_COUNT];
	Register registers[LINUX_X86_REGISTERS]; /* in emission order; boot processor */
	uint64_t vmsa_gpa;                       /* SNP: place of the VP context; else 0 */
} LinuxX86Config;

/**
 * linux_x86_build_config - everything but kernel and initrd
 * @out: in @arena, but for what is borrowed; untouched on failure
 *
 * Errors: PVW_LINUX_0001 to _0012, see diagnostics.def; PVW_SMBIOS_0001.
 * Source: [LINUXBOOT]; [OVMM] vm/loader/src/linux.rs, load_config_x86
 */
MUST_CHECK bool linux_x86_build_config(
	const LinuxX86Inputs *in, Arena *arena, LinuxX86Config *out, Error *err);

#endif
