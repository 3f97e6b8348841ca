/*
 * The flag bits of the UEFI configuration: which setting sets which bit. Bits 13, 25 and 28 are
 * always set; 4, 9, 11, 12, 16, 19, 26, 30 and 31 never.
 * Source: [OVMM] openhcl/underhill_core/src/loader/mod.rs, write_uefi_config
 */
#include "loaders/uefi_config.h"

#include "loaders/uefi_format.h"

/* One bit may have several settings: any of them sets it. */
typedef struct FlagRow {
	UefiFlag bit;
	size_t at; /* offset of a bool in PlatformSettings */
} FlagRow;

static const FlagRow flag_rows[] = {
	{ UEFI_FLAG_SERIAL_CONTROLLERS, offsetof(PlatformSettings, chipset.com1) },
	{ UEFI_FLAG_SERIAL_CONTROLLERS, offsetof(PlatformSettings, chipset.com2) },
	{ UEFI_FLAG_PAUSE_AFTER_BOOT_FAILURE,
		offsetof(PlatformSettings, uefi.pause_after_boot_failure) },
	{ UEFI_FLAG_PXE_IP_V6, offsetof(PlatformSettings, uefi.pxe_ip_v6) },
	{ UEFI_FLAG_DEBUGGER, offsetof(PlatformSettings, uefi.firmware_debugging) },
	{ UEFI_FLAG_TPM, offsetof(PlatformSettings, chipset.tpm) },
	{ UEFI_FLAG_HIBERNATE, offsetof(PlatformSettings, uefi.hibernation) },
	{ UEFI_FLAG_VIRTUAL_BATTERY, offsetof(PlatformSettings, chipset.battery) },
	{ UEFI_FLAG_DISABLE_FRONTPAGE, offsetof(PlatformSettings, uefi.disable_frontpage) },
	{ UEFI_FLAG_DEFAULT_BOOT_ALWAYS_ATTEMPT,
		offsetof(PlatformSettings, uefi.default_boot_always_attempt) },
	{ UEFI_FLAG_VPCI_BOOT, offsetof(PlatformSettings, uefi.vpci_boot) },
	{ UEFI_FLAG_PROCESSOR_IDLE, offsetof(PlatformSettings, chipset.processor_idle) },
	{ UEFI_FLAG_MEDIA_PRESENT_BY_DEFAULT,
		offsetof(PlatformSettings, uefi.media_present_by_default) },
	{ UEFI_FLAG_WATCHDOG, offsetof(PlatformSettings, uefi.watchdog) },
	{ UEFI_FLAG_CXL_MEMORY, offsetof(PlatformSettings, uefi.cxl_memory) },
	{ UEFI_FLAG_FORCE_DMA_BOUNCE, offsetof(PlatformSettings, uefi.force_dma_bounce) },
};

static uint64_t flag(UefiFlag bit)
{
	return UINT64_C(1) << bit;
}

static MemoryProtection memory_protection(const UefiSettings *uefi, bool isolated)
{
	const bool windows = uefi->secure_boot &&
		uefi->secure_boot_template == SECURE_BOOT_TEMPLATE_MICROSOFT_WINDOWS;
	MemoryProtection mode = uefi->memory_protection;

	if (isolated &&
		(mode == MEMORY_PROTECTION_DISABLED || mode == MEMORY_PROTECTION_RELAXED))
		mode = MEMORY_PROTECTION_DEFAULT;
	if (mode != MEMORY_PROTECTION_DISABLED && !windows)
		mode = MEMORY_PROTECTION_RELAXED;
	return mode;
}

uint64_t uefi_config_flags(const PlatformSettings *settings, bool isolated)
{
	const uint64_t protection = memory_protection(&settings->uefi, isolated);
	uint64_t flags = flag(UEFI_FLAG_MEASURE_ADDITIONAL_PCRS) |
		flag(UEFI_FLAG_TPM_LOCALITY_REGS) | flag(UEFI_FLAG_MTRRS_INITIALIZED_AT_LOAD);

	for (size_t i = 0; i < ARRAY_COUNT(flag_rows); i++) {
		if (*((const char *)settings + flag_rows[i].at))
			flags |= flag(flag_rows[i].bit);
	}
	if (isolated && settings->uefi.imc)
		flags |= flag(UEFI_FLAG_IMC_WHEN_ISOLATED);
	flags |= (uint64_t)settings->uefi.console << UEFI_FLAG_CONSOLE;
	flags |= protection << UEFI_FLAG_MEMORY_PROTECTION;
	return flags;
}
