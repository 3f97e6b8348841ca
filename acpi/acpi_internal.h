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
	ACPI_IDENTITY_SSDT,
	ACPI_IDENTITY_CEDT,
	ACPI_IDENTITY_COUNT
} AcpiIdentityKind;

/* Everything in which the profiles differ, as data. */
typedef struct AcpiForm {
	AcpiIdentity identity[ACPI_IDENTITY_COUNT];
	bool strict;          /* what guests would misread is refused: PVW_ACPI_0022 */
	const char *scope;    /* where processors are declared; NULL: the root */
	ResourceUse leaf_use; /* of a device's own registers */
	ResourceTrigger virtio_trigger; /* of the interrupt all virtio-mmio devices share */
	bool empty_templates; /* a _CRS without a descriptor is written all the same */
	void (*put_vmbus)(Aml *aml, const DsdtDevice *device);
	void (*put_pci_root)(Aml *aml, const DsdtDevice *device);
	bool (*bridge_name)(const AcpiInputs *in, uint32_t index, char name[4], Error *err);
	unsigned osc_flags;          /* beside the number of arguments */
	const char *ecam_device;     /* name of the device that reserves configuration space */
	bool ecam_device_uid;        /* it has a _UID */
	size_t aspt_count_size;      /* bytes of the number of records */
	uint16_t aspt_record_length; /* as each record states it */
	bool pptt_by_thread; /* nodes by thread and core, not as the reference counts them */
	uint8_t pptt_cache_length; /* of a cache node: with or without the id of a later revision */
} AcpiForm;

extern const AcpiForm acpi_forms[ACPI_PROFILE_COUNT];

/** acpi_form - the data of a profile */
static inline const AcpiForm *acpi_form(AcpiProfile profile)
{
	assert(profile < ACPI_PROFILE_COUNT);
	return &acpi_forms[profile];
}

/** acpi_identity - the caller's, else the profile's */
static inline const AcpiIdentity *acpi_identity(const AcpiInputs *in, AcpiIdentityKind kind)
{
	return in->identity ? in->identity : &acpi_form(in->profile)->identity[kind];
}

/* Two ways to name a PCI Express bridge: rows of the profiles. */
bool ssdt_bridge_name(const AcpiInputs *in, uint32_t index, char name[4], Error *err);
bool ssdt_bridge_name_reference(const AcpiInputs *in, uint32_t index, char name[4], Error *err);

/*
 * Where processors lie among each other, for the PPTT: one item a processor. The first four
 * fields belong to a place in sorted order, the last two to a processor.
 */
typedef struct AcpiPlace {
	uint64_t key; /* socket << 32 | core */
	uint32_t vp;
	uint32_t package_node, core_node; /* offsets of the nodes, 0 = not put yet */
	uint32_t package, core;           /* places of the first processors of both */
} AcpiPlace;

/* One table: what it is built from, and where what it points to lies. */
typedef struct AcpiContext {
	const AcpiInputs *in;
	uint64_t dsdt;     /* GPA, 0 = unknown */
	uint64_t facs;     /* GPA, 0 = none */
	AcpiPlace *places; /* scratch of the PPTT, one item a processor */
} AcpiContext;

/*
 * acpi_put_<table> - the whole table, header and checksum included
 * acpi_bound_<table> - a size that it does not exceed, bytes
 */
#define ACPI_TABLE_FUNCTIONS(table)                                                            \
	MUST_CHECK bool acpi_put_##table(const AcpiContext *c, ByteWriter *w, Error *err);     \
	size_t acpi_bound_##table(const AcpiInputs *in);

ACPI_TABLE_FUNCTIONS(dsdt)
ACPI_TABLE_FUNCTIONS(facs)
ACPI_TABLE_FUNCTIONS(fadt_x86)
ACPI_TABLE_FUNCTIONS(fadt_arm64)
ACPI_TABLE_FUNCTIONS(madt_x86)
ACPI_TABLE_FUNCTIONS(madt_arm64)
ACPI_TABLE_FUNCTIONS(srat)
ACPI_TABLE_FUNCTIONS(slit)
ACPI_TABLE_FUNCTIONS(aspt)
ACPI_TABLE_FUNCTIONS(mcfg)
ACPI_TABLE_FUNCTIONS(iort)
ACPI_TABLE_FUNCTIONS(ssdt)
ACPI_TABLE_FUNCTIONS(cedt)
ACPI_TABLE_FUNCTIONS(pptt)
ACPI_TABLE_FUNCTIONS(ivrs)
ACPI_TABLE_FUNCTIONS(dmar)
ACPI_TABLE_FUNCTIONS(gtdt)
ACPI_TABLE_FUNCTIONS(spcr)
ACPI_TABLE_FUNCTIONS(dbg2)
ACPI_TABLE_FUNCTIONS(waet)
#undef ACPI_TABLE_FUNCTIONS

#endif
