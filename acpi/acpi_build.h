/*
 * ACPI tables from plain lists and numbers.
 *
 * acpi/ knows no device tree, no settings encoding and no boot path: its caller says what there
 * is. Which identity and object forms are used is a profile, data and not branches.
 * Source: spec acpi.
 */
#ifndef ACPI_ACPI_BUILD_H
#define ACPI_ACPI_BUILD_H

#include "layout/chipset_mmio.h"
#include "layout/topology.h"
#include "support/arena.h"
#include "support/bytes.h"

typedef enum AcpiProfile {
	ACPI_PROFILE_DEFAULT,   /* right by iasl, ACPICA and Linux */
	ACPI_PROFILE_REFERENCE, /* byte-equal to the reference implementation */
	ACPI_PROFILE_COUNT
} AcpiProfile;

/* Tables by id; the static table in acpi_build.c says how each is built and in which order. */
typedef enum AcpiTableId {
	ACPI_DSDT,
	ACPI_FADT,
	ACPI_MADT,
	ACPI_SRAT,
	ACPI_TABLE_COUNT
} AcpiTableId;

typedef struct AcpiUart {
	char name[5];    /* "UAR1" */
	const char *ddn; /* "COM1" */
	uint64_t uid;
	uint16_t io_base; /* x86-64 port */
	uint8_t irq;
} AcpiUart;

/* What the guest's machine has, as far as ACPI speaks of it. */
typedef struct AcpiInputs {
	AcpiProfile profile;
	const ProcessorTopology *topology;
	NodeRangeList ram;               /* ascending, for SRAT */
	MemoryRange mmio_low, mmio_high; /* chipset windows; empty ones are left out */
	bool with_ioapic, with_pic, with_pit, with_psp;
	uint32_t pm_base;  /* I/O port of the PM registers */
	uint32_t acpi_irq; /* SCI */
	/* DSDT */
	const AcpiUart *uarts;
	size_t uart_count;
	bool with_rtc;
	bool with_vmbus;
	bool with_processors; /* one device a processor, ACPI0007 */
} AcpiInputs;

/* A complete table, header and checksum included. */
MUST_CHECK bool acpi_build_table(
	AcpiTableId id, const AcpiInputs *in, Arena *arena, Bytes *out, Error *err);

/* All tables of a guest that has no firmware, in one block. */
typedef struct AcpiSet {
	Bytes tables;                  /* to be placed at the GPA given; XSDT last */
	Bytes rsdp;                    /* 36 bytes, points into @tables */
	uint64_t at[ACPI_TABLE_COUNT]; /* GPA of each table, 0 = not there */
	size_t len[ACPI_TABLE_COUNT];
} AcpiSet;

/**
 * acpi_build_set - DSDT, FADT, MADT, SRAT, XSDT in one block, and the RSDP that points to it
 * @gpa: where the block will lie, multiple of 64
 */
MUST_CHECK bool acpi_build_set(
	const AcpiInputs *in, uint64_t gpa, Arena *arena, AcpiSet *out, Error *err);

#endif
