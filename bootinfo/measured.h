/*
 * Measured pages: what whoever built the image says of it, in guest memory and under the launch
 * measurement. Read once, then wiped.
 *
 *	VTL0   configuration   which images are there, and where      (GPA 0; aarch64 16 MiB)
 *	       VP context      the first processor's registers, of UEFI
 *	       command line    of Linux
 *	VTL2   configuration   where encrypted memory begins          (page 105 of the parameters)
 *
 * Source: [OVMM] vm/loader/loader_defs/src/paravisor.rs,
 * openhcl/underhill_core/src/loader/vtl0_config.rs
 */
#ifndef BOOTINFO_MEASURED_H
#define BOOTINFO_MEASURED_H

#include "bootinfo/boot_info.h"
#include "support/arena.h"
#include "support/bytes.h"

#define MEASURED_VTL0_SIZE 112 /* bytes of the record */
#define MEASURED_VTL2_SIZE 24
#define MEASURED_VTL2_PAGE 105 /* of the parameter pages */
#define MEASURED_MAX_REGISTERS 127
#define MEASURED_MAX_PAGES 16 /* that an area handed over as one piece may have */

/* The bytes as they lie in memory; empty: not there. */
typedef struct MeasuredPages {
	Bytes config;       /* of VTL0 */
	Bytes vp_context;   /* one page */
	Bytes command_line; /* one page */
	Bytes vtl2;
} MeasuredPages;

/* An image that the builder put into VTL0's memory; all ranges may be empty. */
typedef struct MeasuredVtl0 {
	bool present; /* there is a configuration at all */
	bool uefi, pcat, linux_direct;
	MemoryRange config;       /* the page itself */
	MemoryRange uefi_image;   /* of UEFI: never empty */
	MemoryRange vp_context;   /* one page, or empty: registers stay at reset */
	MemoryRange kernel;       /* of Linux: never empty */
	uint64_t entry;           /* GPA */
	MemoryRange initrd;       /* whole pages */
	uint64_t initrd_size;     /* bytes, at most the pages */
	MemoryRange command_line; /* one page, or empty */
} MeasuredVtl0;

typedef struct MeasuredVtl2 {
	bool present;
	uint8_t vtom_bit; /* number of the address bit that means "shared"; 0 = none */
} MeasuredVtl2;

/* A register as the page has it, by the hypervisor's name. */
typedef struct MeasuredRegister {
	uint8_t vtl;
	uint32_t name;
	uint64_t low, high;
} MeasuredRegister;

typedef struct MeasuredRegisterList {
	const MeasuredRegister *items;
	size_t count;
} MeasuredRegisterList;

/** measured_config_gpa - where VTL0's configuration lies */
uint64_t measured_config_gpa(GuestArch arch);

/**
 * measured_vtl0_parse - VTL0's configuration
 * @page: MEASURED_VTL0_SIZE bytes or more
 *
 * Outputs are untouched on failure; the source of errors is "measured:vtl0".
 *
 * Errors: PVW_MEASURED_0001 (TRUNCATED), _0002 (BAD_VALUE) no configuration, _0003 (BAD_VALUE) a
 * region that wraps, begins at 0 where it must not, or has another length, _0004 (MISSING) an
 * image that is said to be there and has no region, _0005 (UNSUPPORTED) bits not known, or an
 * image that this architecture does not have.
 */
MUST_CHECK bool measured_vtl0_parse(Bytes page, GuestArch arch, MeasuredVtl0 *out, Error *err);

/**
 * measured_vtl0_check - whether all that it names lies in VTL0's RAM, and pages apart
 *
 * The region of UEFI may end behind its image: [OVMM] counts the megabyte below it, too.
 *
 * Errors: PVW_MEASURED_0006 (NO_SPACE) not in VTL0's RAM, _0007 (OVERLAP).
 */
MUST_CHECK bool measured_vtl0_check(
	const MeasuredVtl0 *measured, MapEntryList map, Arena *arena, Error *err);

/**
 * measured_split - the pages in one piece of memory that begins with VTL0's configuration
 * @area: bytes from measured_config_gpa on; the pages that it names are inside
 *
 * Errors: those of measured_vtl0_parse; PVW_MEASURED_0008 (MISSING) a page outside of @area;
 * _0009 (LIMIT) more than MEASURED_MAX_PAGES.
 */
MUST_CHECK bool measured_split(Bytes area, GuestArch arch, MeasuredPages *out, Error *err);

/**
 * measured_context_parse - the registers of a VP context
 * @bytes: of a page, or of a file
 * @out:   lives in @arena
 *
 * Errors: PVW_MEASURED_0010 (TRUNCATED) shorter than its count says, _0011 (LIMIT) more than
 * MEASURED_MAX_REGISTERS, _0012 (BAD_VALUE) bytes that must be zero.
 */
MUST_CHECK bool measured_context_parse(
	Bytes bytes, Arena *arena, MeasuredRegisterList *out, Error *err);

/**
 * measured_command_line_parse - the line, without its NUL; borrows from @page
 *
 * Errors: PVW_MEASURED_0013 (BAD_VALUE) no NUL.
 */
MUST_CHECK bool measured_command_line_parse(Bytes page, Bytes *out, Error *err);

/**
 * measured_vtl2_parse - VTL2's configuration
 * @page: MEASURED_VTL2_SIZE bytes or more
 *
 * Errors: PVW_MEASURED_0001, _0002 as above; _0014 (BAD_VALUE) an address bit that is none or
 * does not go with @isolation; _0015 (UNSUPPORTED) a product policy.
 */
MUST_CHECK bool measured_vtl2_parse(
	Bytes page, IsolationType isolation, MeasuredVtl2 *out, Error *err);

#endif
