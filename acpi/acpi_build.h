/*
 * ACPI tables from plain lists and numbers.
 *
 * acpi/ knows no device tree, no settings encoding and no boot path: its caller says what there
 * is (acpi_inputs.h). Which identity and object forms are used is a profile, data and not
 * branches. Source: [ACPI65] 5.2; bytes of the reference profile: [OVMM] vm/acpi,
 * vmm_core/src/acpi_builder.rs.
 */
#ifndef ACPI_ACPI_BUILD_H
#define ACPI_ACPI_BUILD_H

#include "acpi/acpi_inputs.h"
#include "support/arena.h"
#include "support/bytes.h"

/* Tables by id, in the order of a set; a table in acpi_build.c says how each is built. */
typedef enum AcpiTableId {
	ACPI_DSDT,
	ACPI_FACS, /* x86-64, when asked for; not in the XSDT and without a checksum */
	ACPI_FADT,
	ACPI_ASPT, /* x86-64 with a PSP */
	ACPI_MADT,
	ACPI_SRAT,
	ACPI_SLIT, /* with distances */
	ACPI_MCFG, /* with PCI Express bridges, as SSDT */
	ACPI_IORT, /* aarch64 with bridges */
	ACPI_SSDT,
	ACPI_CEDT, /* with a CXL bridge */
	ACPI_PPTT, /* with caches */
	ACPI_IVRS, /* x86-64 with an AMD IOMMU */
	ACPI_DMAR, /* x86-64 with VT-d */
	ACPI_GTDT, /* aarch64 */
	ACPI_SPCR, /* with a console */
	ACPI_DBG2, /* with a debug port */
	ACPI_WAET, /* x86-64, when asked for */
	ACPI_TABLE_COUNT
} AcpiTableId;

/* More processors than any guest has: what keeps sizes far from overflow. */
#define ACPI_PROCESSORS_MAX ((size_t)1 << 20)
/* The same for every other list: bridges, units, UARTs, devices, initiators, ranges of RAM. */
#define ACPI_LIST_MAX ((size_t)1 << 16)

/** acpi_table_signature - the four characters that a table begins with, and NUL */
const char *acpi_table_signature(AcpiTableId id);

/** acpi_table_wanted - whether a set for @in holds the table */
bool acpi_table_wanted(AcpiTableId id, const AcpiInputs *in);

/**
 * acpi_build_table - a complete table, header and checksum included
 * @id:  ACPI_FADT gets no addresses of DSDT and FACS here; use a set
 * @out: lives in @arena
 *
 * Outputs are untouched on failure.
 *
 * Errors: PVW_ACPI_0001 to PVW_ACPI_0024, see diagnostics.def; PVW_MEM_0001.
 */
MUST_CHECK bool acpi_build_table(
	AcpiTableId id, const AcpiInputs *in, Arena *arena, Bytes *out, Error *err);

/* All tables of a guest that has no firmware, in one block. */
typedef struct AcpiSet {
	Bytes tables;                  /* to be placed at the GPA given; XSDT last */
	Bytes rsdp;                    /* 36 bytes, points into @tables */
	uint64_t at[ACPI_TABLE_COUNT]; /* GPA of each table, 0 = not there */
	size_t len[ACPI_TABLE_COUNT];  /* bytes, without padding */
} AcpiSet;

/**
 * acpi_build_set - every wanted table and the XSDT in one block, and the RSDP that points to it
 * @gpa: where the block will lie, multiple of 8
 * @out: lives in @arena
 *
 * Each table starts at a multiple of 8, the FACS of 64; the block's length is a multiple of 8.
 * The XSDT lists all but DSDT and FACS, which the FADT points to.
 *
 * Errors: those of acpi_build_table; PVW_ACPI_0011 (BAD_VALUE) if @gpa is unaligned or the block
 * would wrap.
 */
MUST_CHECK bool acpi_build_set(
	const AcpiInputs *in, uint64_t gpa, Arena *arena, AcpiSet *out, Error *err);

#endif
