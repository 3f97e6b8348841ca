/*
 * What a host may ask of an isolated guest: the table.
 * [OVMM] openhcl/underhill_core/src/worker.rs, validate_isolated_configuration
 */
#include "bootinfo/settings_policy.h"

static const char *const boot_kinds[] = { "uefi", "pcat", "linux_direct", "none", "igvm" };
static_assert(ARRAY_COUNT(boot_kinds) == BOOT_KIND_COUNT, "one name a kind");

static const char *const consoles[] = { "default", "com1", "com2", "none" };
static_assert(ARRAY_COUNT(consoles) == CONSOLE_MODE_COUNT, "one name a mode");

static const char *const protections[] = { "disabled", "default", "strict", "relaxed" };
static_assert(ARRAY_COUNT(protections) == MEMORY_PROTECTION_COUNT, "one name a mode");

static const char *const templates[] = { "none", "microsoft_windows", "microsoft_uefi_ca" };
static_assert(ARRAY_COUNT(templates) == SECURE_BOOT_TEMPLATE_COUNT, "one name a template");

static const char *const acpi_records[] = { "generic", "typed" };
static_assert(ARRAY_COUNT(acpi_records) == UEFI_ACPI_RECORDS_COUNT, "one name a way");

static const char *const hardware_kinds[] = { "acpi", "device_tree" };
static_assert(ARRAY_COUNT(hardware_kinds) == LINUX_HARDWARE_COUNT, "one name a kind");

static const char *const conduits[] = { "hvc", "smc", "none" };
static_assert(ARRAY_COUNT(conduits) == PSCI_CONDUIT_COUNT, "one name a conduit");

static const void *field_of(const SettingRow *row, const PlatformSettings *settings)
{
	return (const uint8_t *)settings + row->offset;
}

static bool is_true(const SettingRow *row, const PlatformSettings *settings)
{
	return *(const bool *)field_of(row, settings);
}

static bool is_false(const SettingRow *row, const PlatformSettings *settings)
{
	return !is_true(row, settings);
}

static bool is_not_empty(const SettingRow *row, const PlatformSettings *settings)
{
	return ((const Bytes *)field_of(row, settings))->len != 0;
}

static bool is_not_zero(const SettingRow *row, const PlatformSettings *settings)
{
	const uint8_t *field = field_of(row, settings);
	uint8_t bits = 0;

	for (size_t i = 0; i < row->size; i++)
		bits |= field[i];
	return bits != 0;
}

static bool is_uploaded(const SettingRow *row, const PlatformSettings *settings)
{
	return ((const Image *)field_of(row, settings))->place == IMAGE_BYTES;
}

static bool is_pcat(const SettingRow *row, const PlatformSettings *settings)
{
	(void)row;
	return settings->firmware == BOOT_PCAT;
}

static bool debugs_secure_boot(const SettingRow *row, const PlatformSettings *settings)
{
	return settings->uefi.secure_boot && is_true(row, settings);
}

static bool weakens_protection(const SettingRow *row, const PlatformSettings *settings)
{
	(void)row;
	return settings->uefi.memory_protection == MEMORY_PROTECTION_DISABLED ||
		settings->uefi.memory_protection == MEMORY_PROTECTION_RELAXED;
}

static void use_default_protection(PlatformSettings *settings)
{
	settings->uefi.memory_protection = MEMORY_PROTECTION_DEFAULT;
}

static bool has_tables(const SettingRow *row, const PlatformSettings *settings)
{
	(void)row;
	return settings->acpi_table_count != 0;
}

static void drop_tables(PlatformSettings *settings)
{
	settings->acpi_tables = NULL;
	settings->acpi_table_count = 0;
}

#define KIND(kind_name) .kind = SETTING_KIND_##kind_name
#define ENUM(table)                                                                            \
	.kind = SETTING_KIND_ENUM, .names = (table), .name_count = ARRAY_COUNT(table)
#define FIELD(field)                                                                           \
	.path = #field, .offset = offsetof(PlatformSettings, field),                           \
	.size = sizeof(((PlatformSettings *)NULL)->field)

/* Three kinds of rows: obeyed; refused when is_bad; replaced when is_bad. */
#define OBEY(field, kind, policy_name, help_text, empty)                                       \
	{                                                                                      \
		FIELD(field), kind, .policy = SETTING_##policy_name, .help = (help_text),      \
				    .default_text = (empty), .when_isolated = ""               \
	}
#define REFUSE(field, kind, bad, expected, help_text, empty)                                   \
	{                                                                                      \
		FIELD(field), kind, .policy = SETTING_REFUSE, .help = (help_text),             \
				    .default_text = (empty), .when_isolated = (expected),      \
				    .is_bad = (bad)                                            \
	}
#define REPLACE(field, kind, policy_name, bad, by, why, help_text, empty)                      \
	{                                                                                      \
		FIELD(field), kind, .policy = SETTING_##policy_name, .help = (help_text),      \
				    .default_text = (empty), .when_isolated = (why),           \
				    .is_bad = (bad), .replace = (by)                           \
	}

/* What an isolated guest's machine has is the boot tree's and Hyper-V's to say. */
#define ARM_NUMBER(field, help_text)                                                           \
	REFUSE(linux_direct.arm.field, KIND(UINT), is_not_zero,                                \
		"0: the machine is the boot tree's", help_text, "0")

/* In the order of the settings message, whose leaves they are; paths are its, too. */
static const SettingRow rows[] = {
	REFUSE(firmware, ENUM(boot_kinds), is_pcat, "not pcat: its state is not measured",
		"what the guest boots", "uefi"),
	OBEY(bios_guid, KIND(GUID), HARMLESS, "UUID of the machine", "zero"),
	OBEY(uefi.secure_boot, KIND(BOOL), ATTESTED, "verify what the firmware starts",
		"false"),
	OBEY(uefi.secure_boot_template, ENUM(templates), ATTESTED,
		"whose keys secure boot begins with", "none"),
	OBEY(uefi.console, ENUM(consoles), HARMLESS, "where the firmware shows its text",
		"default"),
	REFUSE(uefi.firmware_debugging, KIND(BOOL), debugs_secure_boot,
		"not together with secure_boot: a debugger undoes it",
		"let a debugger into the firmware", "false"),
	REFUSE(uefi.hibernation, KIND(BOOL), is_true,
		"false: the image would leave the guest's memory", "offer hibernation",
		"false"),
	REFUSE(uefi.legacy_memory_map, KIND(BOOL), is_true,
		"false: it was never reviewed for isolation", "the memory map of old firmware",
		"false"),
	OBEY(uefi.pause_after_boot_failure, KIND(BOOL), HARMLESS,
		"wait for a key when nothing boots", "false"),
	OBEY(uefi.pxe_ip_v6, KIND(BOOL), HARMLESS, "boot over IPv6, too", "false"),
	REFUSE(uefi.measure_additional_pcrs, KIND(BOOL), is_false,
		"true: without them the boot cannot be attested", "measure into all PCRs",
		"false"),
	OBEY(uefi.disable_frontpage, KIND(BOOL), HARMLESS, "go without the firmware's menu",
		"false"),
	REFUSE(uefi.disable_sha384_pcr, KIND(BOOL), is_true, "false: attestation relies on it",
		"no SHA-384 bank of PCRs", "false"),
	OBEY(uefi.media_present_by_default, KIND(BOOL), HARMLESS,
		"assume media in removable drives", "false"),
	REPLACE(uefi.memory_protection, ENUM(protections), CLAMP, weakens_protection,
		use_default_protection,
		"default or strict: weaker protections help an attacker",
		"protections of memory while the firmware runs", "default"),
	REFUSE(uefi.default_boot_always_attempt, KIND(BOOL), is_true,
		"false: the host must not choose what boots",
		"fall back to the default boot entry", "false"),
	OBEY(uefi.vpci_boot, KIND(BOOL), HARMLESS, "boot from virtual PCI devices", "false"),
	OBEY(uefi.vpci_instance_filter, KIND(GUID), HARMLESS,
		"boot from this virtual PCI device only", "none"),
	OBEY(uefi.watchdog, KIND(BOOL), HARMLESS, "a watchdog while the firmware runs",
		"false"),
	OBEY(uefi.cxl_memory, KIND(BOOL), HARMLESS, "tell of CXL memory", "false"),
	OBEY(uefi.imc, KIND(BOOL), HARMLESS, "apply the initial machine configuration",
		"false"),
	OBEY(uefi.no_persistent_secrets, KIND(BOOL), ATTESTED,
		"no attestation, nothing kept over reboots", "false"),
	OBEY(uefi.diagnostics_log_level, KIND(UINT), HARMLESS,
		"how much the firmware logs: 0 default, 1 info, 2 full", "0"),
	OBEY(uefi.force_dma_bounce, KIND(BOOL), HARMLESS, "bounce buffers for all DMA",
		"false"),
	OBEY(uefi.acpi_records, ENUM(acpi_records), HARMLESS,
		"how ACPI tables reach the firmware", "generic"),
	OBEY(pcat.boot_order, KIND(BOOT_ORDER), HARMLESS, "order of boot devices",
		"floppy optical hard_drive network"),
	OBEY(pcat.num_lock, KIND(BOOL), HARMLESS, "num lock is on", "false"),
	OBEY(smbios.serial_number, KIND(BYTES), HARMLESS,
		"SMBIOS: serial number of the machine", "empty"),
	OBEY(smbios.base_board_serial, KIND(BYTES), HARMLESS,
		"SMBIOS: serial number of the base board", "empty"),
	OBEY(smbios.chassis_serial, KIND(BYTES), HARMLESS,
		"SMBIOS: serial number of the chassis", "empty"),
	OBEY(smbios.chassis_asset_tag, KIND(BYTES), HARMLESS,
		"SMBIOS: asset tag of the chassis", "empty"),
	OBEY(smbios.system_manufacturer, KIND(BYTES), HARMLESS, "SMBIOS: who made the machine",
		"empty"),
	OBEY(smbios.system_product, KIND(BYTES), HARMLESS, "SMBIOS: its product name", "empty"),
	OBEY(smbios.system_version, KIND(BYTES), HARMLESS, "SMBIOS: its version", "empty"),
	OBEY(smbios.system_sku, KIND(BYTES), HARMLESS, "SMBIOS: its stock keeping unit",
		"empty"),
	OBEY(smbios.system_family, KIND(BYTES), HARMLESS, "SMBIOS: its family", "empty"),
	OBEY(smbios.bios_lock, KIND(BYTES), HARMLESS, "SMBIOS: lock string of the BIOS",
		"empty"),
	OBEY(smbios.memory_device_serial, KIND(BYTES), HARMLESS,
		"SMBIOS: serial number of the memory", "empty"),
	OBEY(smbios.processor_manufacturer, KIND(BYTES), HARMLESS,
		"SMBIOS: who made the processor", "empty"),
	OBEY(smbios.processor_version, KIND(BYTES), HARMLESS, "SMBIOS: its version", "empty"),
	OBEY(smbios.processor_id, KIND(UINT), HARMLESS, "SMBIOS: CPUID signature and features",
		"0"),
	OBEY(smbios.external_clock, KIND(UINT), HARMLESS, "SMBIOS: external clock, MHz", "0"),
	OBEY(smbios.max_speed, KIND(UINT), HARMLESS, "SMBIOS: highest speed, MHz", "0"),
	OBEY(smbios.current_speed, KIND(UINT), HARMLESS, "SMBIOS: speed at boot, MHz", "0"),
	OBEY(smbios.processor_characteristics, KIND(UINT), HARMLESS, "SMBIOS: characteristics",
		"0"),
	OBEY(smbios.processor_family2, KIND(UINT), HARMLESS, "SMBIOS: processor family", "0"),
	OBEY(smbios.processor_type, KIND(UINT), HARMLESS, "SMBIOS: processor type", "0"),
	OBEY(smbios.voltage, KIND(UINT), HARMLESS, "SMBIOS: voltage", "0"),
	OBEY(smbios.status, KIND(UINT), HARMLESS, "SMBIOS: status", "0"),
	OBEY(smbios.processor_upgrade, KIND(UINT), HARMLESS, "SMBIOS: socket", "0"),
	OBEY(chipset.com1, KIND(BOOL), HARMLESS, "first serial port", "false"),
	OBEY(chipset.com2, KIND(BOOL), HARMLESS, "second serial port", "false"),
	OBEY(chipset.com1_debugger, KIND(BOOL), HARMLESS, "first serial port is for a debugger",
		"false"),
	OBEY(chipset.com2_debugger, KIND(BOOL), HARMLESS,
		"second serial port is for a debugger", "false"),
	OBEY(chipset.tpm, KIND(BOOL), ATTESTED, "a TPM", "false"),
	OBEY(chipset.battery, KIND(BOOL), HARMLESS, "a battery", "false"),
	REFUSE(chipset.processor_idle, KIND(BOOL), is_true,
		"false: the host would learn of the guest's load", "idle states of processors",
		"false"),
	OBEY(chipset.nvdimm_count, KIND(UINT), HARMLESS, "number of NVDIMMs", "0"),
	REFUSE(chipset.psp, KIND(BOOL), is_true, "false: the device is the host's",
		"a security processor", "false"),
	OBEY(chipset.pic, KIND(BOOL), HARMLESS,
		"x86-64: two 8259 for a kernel without firmware", "false"),
	OBEY(chipset.pit, KIND(BOOL), HARMLESS, "x86-64: an 8254 for a kernel without firmware",
		"false"),
	OBEY(chipset.generation_id, KIND(OPAQUE), HARMLESS,
		"tells the guest that it was copied", "none"),
	OBEY(chipset.vmbus_redirection, KIND(BOOL), HARMLESS,
		"the paravisor serves the guest's bus", "false"),
	OBEY(chipset.always_relay_host_mmio, KIND(BOOL), HARMLESS,
		"accesses that no device claims go to the host, inside the MMIO "
		"windows",
		"false"),
	REFUSE(linux_direct.command_line, KIND(BYTES), is_not_empty,
		"empty: the measured one is used", "command line of the kernel", "empty"),
	REFUSE(linux_direct.kernel, KIND(IMAGE), is_uploaded,
		"absent or in place: an uploaded image is not measured", "where the kernel is",
		"absent"),
	REFUSE(linux_direct.initrd, KIND(IMAGE), is_uploaded,
		"absent or in place: an uploaded image is not measured", "where the initrd is",
		"absent"),
	OBEY(linux_direct.hardware, ENUM(hardware_kinds), HARMLESS,
		"how the kernel is told of its machine", "acpi"),
	REFUSE(linux_direct.arm.psci, ENUM(conduits), is_not_zero,
		"hvc: the paravisor answers that", "aarch64: how processors are started",
		"hvc"),
	ARM_NUMBER(com1.address, "aarch64: address of the first serial port"),
	ARM_NUMBER(com1.intid, "aarch64: its interrupt"),
	ARM_NUMBER(com2.address, "aarch64: address of the second serial port"),
	ARM_NUMBER(com2.intid, "aarch64: its interrupt"),
	ARM_NUMBER(timers.secure, "aarch64: interrupt of the secure timer"),
	ARM_NUMBER(timers.physical, "aarch64: interrupt of the physical timer"),
	ARM_NUMBER(timers.virt, "aarch64: interrupt of the virtual timer"),
	ARM_NUMBER(timers.hypervisor, "aarch64: interrupt of the hypervisor's timer"),
	ARM_NUMBER(gic.distributor, "aarch64: address of the interrupt distributor"),
	ARM_NUMBER(gic.redistributors, "aarch64: address of a GICv3's redistributors"),
	ARM_NUMBER(gic.cpu_interface, "aarch64: address of a GICv2's CPU interface"),
	ARM_NUMBER(gic.its, "aarch64: address of an ITS"),
	ARM_NUMBER(gic.v2m, "aarch64: address of a GICv2m frame"),
	ARM_NUMBER(gic.v2m_spi_base, "aarch64: first interrupt of the frame"),
	ARM_NUMBER(gic.v2m_spi_count, "aarch64: number of its interrupts"),
	REFUSE(linux_direct.arm.no_hypervisor, KIND(BOOL), is_true,
		"false: its hypervisor is there",
		"aarch64: no sign of Hyper-V in ACPI's tables", "false"),
	REPLACE(acpi_tables, KIND(TABLES), IGNORE, has_tables, drop_tables,
		"none: tables are code for the guest's kernel; ours are used",
		"ACPI tables of the host for UEFI", "none"),
	REFUSE(servicing, KIND(BOOL), is_true, "false: saved state crosses the host",
		"the guest is being serviced", "false"),
	OBEY(vtl2_settings, KIND(BYTES), HARMLESS, "devices of the paravisor", "empty"),
	REFUSE(firmware_image, KIND(IMAGE), is_uploaded,
		"absent or in place: an uploaded image is not measured",
		"where the firmware is", "absent"),
};

SettingRowList settings_policy_rows(void)
{
	return (SettingRowList){ rows, ARRAY_COUNT(rows) };
}
