/*
 * UEFI on x86-64: addresses, and the variable MTRRs, which depend on the memory layout and so
 * cannot come with the image.
 */
#include "layout/fixed_map.h"
#include "loaders/uefi_config.h"
#include "loaders/uefi_internal.h"

static bool add_mtrrs(const BootInputs *in, MtrrPolicy policy, BootPlanBuilder *plan,
	Arena *arena, Error *err)
{
	Register registers[2 * MTRR_MAX_PAIRS];
	MtrrInputs inputs;
	MtrrSet set;
	size_t count;

	if (!mtrr_inputs_from_layout(
		    in->layout, in->mmio, in->physical_address_bits, arena, &inputs, err) ||
		!mtrr_solve(policy, &inputs, arena, &set, err))
		return error_wrap(err, "mtrrs");
	count = mtrr_registers(&set, registers);
	for (size_t i = 0; i < count; i++)
		boot_plan_register(plan, registers[i]);
	return true;
}

const UefiPlatform uefi_platform_x86 = {
	.image_gpa = UEFI_X86_IMAGE_GPA,
	.image_size = UEFI_X86_IMAGE_SIZE,
	.config_gpa = UEFI_X86_CONFIG_GPA,
	.with_ioapic = true,
	.pm_base = PM_BASE_PORT,
	.acpi_irq = SCI_IRQ,
	.add_registers = add_mtrrs,
};
