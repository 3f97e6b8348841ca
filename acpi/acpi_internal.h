/*
 * What the one-table files share: the profile's data, and a function a table.
 */
#ifndef ACPI_ACPI_INTERNAL_H
#define ACPI_ACPI_INTERNAL_H

#include "acpi/acpi_inputs.h"
#include "acpi/aml_resource.h"

/* x86-64 interrupt hardware, at the addresses every system expects. */
#define LOCAL_APIC_GPA 0xFEE00000u
#define IO_APIC_GPA 0xFEC00000u
#define APIC_WINDOW_SIZE 0x1000u

/* APIC id 0xFF is broadcast: what is above this needs an x2APIC entry. [SDM3] 11.6.1 */
#define XAPIC_ID_MAX 0xFEu
/* A local APIC entry has one byte for the processor's _UID. [ACPI65] 5.2.12.2 */
#define XAPIC_UID_MAX 0xFFu

/* A processor's _UID, in every table: its index, from 1. */
static inline uint32_t acpi_processor_uid(size_t vp)
{
	return (uint32_t)(vp + 1);
}

typedef enum AcpiIdentityKind {
	ACPI_IDENTITY_TABLES,
	ACPI_IDENTITY_DSDT,
	ACPI_IDENTITY_COUNT
} AcpiIdentityKind;

/* Everything in which the profiles differ, as data. */
typedef struct AcpiForm {
	AcpiIdentity identity[ACPI_IDENTITY_COUNT];
	const char *scope;              /* where processors are declared; NULL: the root */
	ResourceUse leaf_use;           /* of a device's own registers */
	ResourceTrigger virtio_trigger; /* of the interrupt all virtio-mmio devices share */
	bool empty_templates; /* a _CRS without a descriptor is written all the same */
	void (*put_vmbus)(Aml *aml, const DsdtDevice *device);
	void (*put_pci_root)(Aml *aml, const DsdtDevice *device);
} AcpiForm;

/** acpi_form - the data of a profile */
const AcpiForm *acpi_form(AcpiProfile profile);

/** acpi_identity - the caller's, else the profile's */
static inline const AcpiIdentity *acpi_identity(const AcpiInputs *in, AcpiIdentityKind kind)
{
	return in->identity ? in->identity : &acpi_form(in->profile)->identity[kind];
}

/* One table: what it is built from, and where what it points to lies. */
typedef struct AcpiContext {
	const AcpiInputs *in;
	uint64_t dsdt; /* GPA, 0 = unknown */
} AcpiContext;

/*
 * acpi_put_<table> - the whole table, header and checksum included
 * acpi_bound_<table> - a size that it does not exceed, bytes
 */
#define ACPI_TABLE_FUNCTIONS(table)                                                            \
	MUST_CHECK bool acpi_put_##table(const AcpiContext *c, ByteWriter *w, Error *err);     \
	size_t acpi_bound_##table(const AcpiInputs *in);

ACPI_TABLE_FUNCTIONS(dsdt)
ACPI_TABLE_FUNCTIONS(fadt_x86)
ACPI_TABLE_FUNCTIONS(fadt_arm64)
ACPI_TABLE_FUNCTIONS(madt_x86)
ACPI_TABLE_FUNCTIONS(madt_arm64)
ACPI_TABLE_FUNCTIONS(srat)
ACPI_TABLE_FUNCTIONS(slit)
#undef ACPI_TABLE_FUNCTIONS

#endif
