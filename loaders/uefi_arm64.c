/*
 * UEFI on aarch64. All registers come with the image.
 */
#include "layout/fixed_map.h"
#include "loaders/uefi_config.h"
#include "loaders/uefi_internal.h"

static_assert(UEFI_ARM64_CONFIG_GPA + UEFI_CONFIG_MAX <= MEASURED_ARM64_CONFIG_GPA,
	"no configuration reaches the measured pages");

const UefiPlatform uefi_platform_arm64 = {
	.image_gpa = UEFI_ARM64_IMAGE_GPA,
	.image_size = UEFI_ARM64_IMAGE_SIZE,
	.config_gpa = UEFI_ARM64_CONFIG_GPA,
};
