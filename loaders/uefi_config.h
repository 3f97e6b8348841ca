/*
 * What UEFI firmware is told of its machine: the configuration blob's contents and their order.
 * Source: docs/formats.md, "UEFI configuration blob"; [OVMM] openhcl/underhill_core/src/loader/
 * mod.rs, write_uefi_config
 */
#ifndef LOADERS_UEFI_CONFIG_H
#define LOADERS_UEFI_CONFIG_H

#include "acpi/acpi_inputs.h"
#include "bootinfo/platform_settings.h"
#include "layout/memory_layout.h"
#include "layout/topology.h"
#include "support/byte_writer.h"
#include "support/diagnostics.h"

/* More than any guest needs, and what keeps the blob clear of measured pages. */
#define UEFI_CONFIG_MAX ((size_t)4 * 1024 * 1024)

#define UEFI_ENTROPY_SIZE 64 /* bytes */

typedef struct UefiConfigInputs {
	GuestArch arch;
	bool isolated; /* host ACPI tables are not passed on, protection is stricter */
	const PlatformSettings *settings;
	const uint8_t *entropy;        /* UEFI_ENTROPY_SIZE bytes */
	LayoutRecordList ram;          /* ascending; all of VTL0's, kinds by igvm_type */
	MemoryRange low, high;         /* chipset windows, empty where there is none */
	uint8_t physical_address_bits; /* looked at on aarch64 only */
	const ProcessorTopology *topology;
	Bytes madt, srat;          /* complete tables; unused where the host gave its own */
	Bytes mcfg, ssdt, cedt;    /* the same of the bridges; empty: none */
	const AcpiBridge *bridges; /* PCI Express: the firmware finds them with an MCFG alone */
	size_t bridge_count;
	Bytes slit, pptt;    /* from IGVM parameters; empty: none */
	uint64_t image_size; /* bytes */
} UefiConfigInputs;

/**
 * uefi_config_has_host_table - does the host give this table, and is it passed on?
 * @signature: 4 characters
 *
 * A table shorter than its header has no signature.
 */
bool uefi_config_has_host_table(
	const PlatformSettings *settings, bool isolated, const char *signature);

/**
 * uefi_config_flags - the 64 flag bits
 *
 * Memory protection is at least MEMORY_PROTECTION_DEFAULT for an isolated guest; without secure
 * boot by the Windows template every mode but DISABLED becomes RELAXED.
 */
uint64_t uefi_config_flags(const PlatformSettings *settings, bool isolated);

/**
 * uefi_config_build - the blob
 * @out: in @arena; untouched on failure
 *
 * Records in this order: entropy, host ACPI tables, MADT, SRAT, MCFG, SSDT, CEDT, memory map, MMIO
 * ranges, processors, SLIT, PPTT, BIOS information and GUID, serial numbers, NVDIMM count, VPCI
 * filter, identity, processor details, flags, GIC (aarch64), PCIe apertures. Strings that are not
 * given have no record.
 *
 * Warnings: PVW_UEFI_0012 to _0015.
 * Errors: PVW_UEFI_0002 (LIMIT) above UEFI_CONFIG_MAX, _0003 (MISSING) and _0004 (UNSUPPORTED)
 * memory, _0005 (BAD_VALUE) a window, also of a bridge, _0006 (BAD_VALUE) a table, _0007
 * (BAD_VALUE) processors, _0008 (UNSUPPORTED) GICv2; PVW_MEM_0001.
 */
MUST_CHECK bool uefi_config_build(const UefiConfigInputs *in, Arena *arena, Bytes *out,
	Diagnostics *diagnostics, Error *err);

#endif
