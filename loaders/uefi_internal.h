/*
 * What differs between UEFI on one architecture and on another: rows indexed by GuestArch.
 */
#ifndef LOADERS_UEFI_INTERNAL_H
#define LOADERS_UEFI_INTERNAL_H

#include "loaders/boot_path.h"

/*
 * What an image that comes as bytes starts with: everything but its configuration.
 *
 * Warnings: PVW_UEFI_0020. Errors: PVW_UEFI_0011, _0019; PVW_MEM_0001.
 */
typedef bool (*UefiStart)(
	Bytes image, Arena *arena, BootPlanBuilder *plan, Diagnostics *diagnostics, Error *err);

typedef struct UefiPlatform {
	uint64_t image_gpa, image_size; /* bytes; fixed when the firmware is built */
	uint64_t config_gpa;            /* where it looks for its configuration */
	UefiStart start;
	/* What stands in the MADT beside processors. */
	bool with_ioapic;
	uint32_t pm_base, acpi_irq;
	/* Variable MTRRs depend on the memory layout and so cannot come with the image. */
	bool with_mtrrs;
} UefiPlatform;

extern const UefiPlatform uefi_platform_x86;
extern const UefiPlatform uefi_platform_arm64;

#endif
