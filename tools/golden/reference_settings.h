/*
 * The settings that the reference's whole guests were recorded with: cases of area e2e, and the
 * benches that are compared with them.
 */
#ifndef GOLDEN_REFERENCE_SETTINGS_H
#define GOLDEN_REFERENCE_SETTINGS_H

#include "bootinfo/platform_settings.h"

#define REFERENCE_TEXT(literal)                                                                \
	{                                                                                      \
		(const uint8_t *)(literal), sizeof(literal) - 1                                \
	}

static const PlatformSettings reference_settings = {
	.bios_guid = { "0123456789abcdef" },
	.uefi = { .cxl_memory = true, .memory_protection = MEMORY_PROTECTION_DISABLED },
	.chipset = { .com1 = true, .com2 = true },
	.smbios = {
		.serial_number = REFERENCE_TEXT("1234-5678"),
		.base_board_serial = REFERENCE_TEXT("BASE"),
		.chassis_serial = REFERENCE_TEXT("CHASSIS\0"),
		.chassis_asset_tag = REFERENCE_TEXT("7783-7084-3265-9085"),
		.system_manufacturer = REFERENCE_TEXT("Microsoft Corporation"),
		.system_product = REFERENCE_TEXT("Virtual Machine"),
		.system_version = REFERENCE_TEXT("Hyper-V UEFI Release v4.1"),
		.system_sku = REFERENCE_TEXT("None"),
		.system_family = REFERENCE_TEXT("Virtual Machine"),
		.memory_device_serial = REFERENCE_TEXT("M0001"),
		.processor_manufacturer = REFERENCE_TEXT("GenuineIntel"),
		.processor_version = REFERENCE_TEXT("Intel(R) Xeon(R)"),
		.processor_id = UINT64_C(0xfbff1f8b000406f1),
		.external_clock = 100,
		.max_speed = 4000,
		.current_speed = 2600,
		.processor_characteristics = 0xfc,
		.processor_family2 = 0xb3,
		.processor_type = 3,
		.voltage = 0x8c,
		.status = 0x41,
		.processor_upgrade = 51,
	},
};

#endif
