/*
 * UEFI on aarch64: addresses. All registers come with the image.
 */
#include "layout/fixed_map.h"
#include "loaders/uefi_config.h"
#include "loaders/uefi_internal.h"

static_assert(UEFI_ARM64_CONFIG_GPA + UEFI_CONFIG_MAX <= MEASURED_ARM64_CONFIG_GPA,
	"no configuration reaches the measured pages");

static bool add_nothing(const BootInputs *in, MtrrPolicy policy, BootPlanBuilder *plan,
	Arena *arena, Error *err)
{
	(void)in, (void)policy, (void)plan, (void)arena, (void)err;
	return true;
}

const UefiPlatform uefi_platform_arm64 = {
	.image_gpa = UEFI_ARM64_IMAGE_GPA,
	.image_size = UEFI_ARM64_IMAGE_SIZE,
	.config_gpa = UEFI_ARM64_CONFIG_GPA,
	.add_registers = add_nothing,
};
