/*
 * UEFI on x86-64.
 */
#include "layout/fixed_map.h"
#include "loaders/uefi_internal.h"

const UefiPlatform uefi_platform_x86 = {
	.image_gpa = UEFI_X86_IMAGE_GPA,
	.image_size = UEFI_X86_IMAGE_SIZE,
	.config_gpa = UEFI_X86_CONFIG_GPA,
	.with_ioapic = true,
	.pm_base = PM_BASE_PORT,
	.acpi_irq = SCI_IRQ,
	.with_mtrrs = true,
};
