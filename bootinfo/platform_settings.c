/*
 * What an empty settings document means. [OVMM] vm/devices/get/get_protocol/src/dps_json.rs
 */
#include "bootinfo/platform_settings.h"

PlatformSettings platform_settings_default(void)
{
	return (PlatformSettings){
		.firmware = BOOT_UEFI,
		.uefi.memory_protection = MEMORY_PROTECTION_DEFAULT,
		.pcat.boot_order = { PCAT_BOOT_FLOPPY, PCAT_BOOT_OPTICAL, PCAT_BOOT_HARD_DRIVE,
			PCAT_BOOT_NETWORK },
	};
}
