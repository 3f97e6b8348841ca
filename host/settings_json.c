/*
 * The settings document: one row a member, one table an object.
 */
#include "host/settings_json.h"

#include <stdio.h>
#include <string.h>

#include "host/base64.h"
#include "host/json_text.h"

/* Everything that a document fills, at offsets that the rows name. */
typedef struct Parts {
	Pvw__V1__DevicePlatformSettings settings;
	Pvw__V1__UefiSettings uefi;
	Pvw__V1__PcatSettings pcat;
	Pvw__V1__Smbios smbios;
	Pvw__V1__Chipset chipset;
	Pvw__V1__LinuxDirect linux_direct;
	Pvw__V1__ArmMachine arm;
	Pvw__V1__ArmUart com1, com2;
	Pvw__V1__ArmTimers timers;
	Pvw__V1__ArmGic gic;
	uint64_t generation_id[2]; /* low first */
	protobuf_c_boolean firmware_is_pcat;
	int mtrr, acpi; /* one above the enum; 0 = not given */
	uint32_t layout_version;
	bool has_relay_devices;
	uint32_t relay_devices;
	ChannelDemandList channels;
} Parts;

typedef struct MemberRow MemberRow;

typedef struct Reader {
	JsonPath path;
	Arena *arena;
	Parts *parts;
	Diagnostics *diagnostics;
	Error *err;
} Reader;

typedef enum MemberKind {
	MEMBER_BOOL,   /* protobuf_c_boolean */
	MEMBER_NUMBER, /* uint32_t up to @max */
	MEMBER_WIDE,   /* uint64_t */
	MEMBER_CODE,   /* a number up to @max; an enum that counts from 1 */
	MEMBER_NAME,   /* one of @names; the same */
	MEMBER_TEXT,   /* ProtobufCBinaryData: the text's bytes */
	MEMBER_STRING, /* char * */
	MEMBER_BASE64, /* ProtobufCBinaryData */
	MEMBER_GUID,   /* Pvw__V1__Guid * */
	MEMBER_OBJECT, /* by @rows */
	MEMBER_OTHER   /* by @read */
} MemberKind;

struct MemberRow {
	const char *name; /* NULL ends a table */
	MemberKind kind;
	bool required;
	bool nullable; /* null is absence */
	bool unused;   /* read, judged and forgotten */
	uint64_t max;
	size_t at; /* in Parts */
	const char *const *names;
	const MemberRow *rows;
	bool (*read)(Reader *reader, const json_t *json);
};

#define REQUIRED .required = true
#define NULLABLE .nullable = true
#define UNUSED .unused = true
#define AT(member) .at = offsetof(Parts, member)

static bool read_object(
	Reader *reader, const MemberRow *rows, const json_t *json, bool unknown_is_error);

static bool read_boot_order(Reader *reader, const json_t *json);
static bool read_acpi_tables(Reader *reader, const json_t *json);
static bool read_channels(Reader *reader, const json_t *json);
static bool read_kernel(Reader *reader, const json_t *json);
static bool read_initrd(Reader *reader, const json_t *json);
static bool read_firmware_image(Reader *reader, const json_t *json);
static bool read_linux(Reader *reader, const json_t *json);
static bool read_arm(Reader *reader, const json_t *json);
static bool read_arm_com1(Reader *reader, const json_t *json);
static bool read_arm_com2(Reader *reader, const json_t *json);
static bool read_arm_timers(Reader *reader, const json_t *json);
static bool read_arm_gic(Reader *reader, const json_t *json);
static bool read_relay_devices(Reader *reader, const json_t *json);

static const char *const template_names[] = { "None", "MicrosoftWindows",
	"MicrosoftUEFICertificateAuthority", NULL };
static const char *const boot_device_names[] = { "Floppy", "Optical", "HardDrive", "Network",
	NULL };
static const char *const lifetime_names[] = { "Default", "ReprovisionOnFailure", "Reprovision",
	"Ephemeral", NULL };
static const char *const encryption_names[] = { "Auto", "None", "GspById", "GspKey",
	"HardwareSealing", NULL };
static const char *const sealing_names[] = { "None", "Hash", "Signer", NULL };
static const char *const firmware_names[] = { "uefi", "pcat", "linux", "none", "igvm", NULL };
static const char *const mtrr_names[] = { "exact", "hyperv", "best-effort", NULL };
static const char *const profile_names[] = { "default", "reference", NULL };
static const char *const record_names[] = { "generic", "typed", NULL };

/*
 * The host's part.
 */

static const MemberRow com1_rows[] = {
	{ "EnablePort", MEMBER_BOOL, AT(chipset.com1) },
	{ "DebuggerMode", MEMBER_BOOL, AT(chipset.com1_debugger) },
	{ "EnableVmbusRedirector", MEMBER_BOOL, UNUSED },
	{ .name = NULL },
};

static const MemberRow com2_rows[] = {
	{ "EnablePort", MEMBER_BOOL, AT(chipset.com2) },
	{ "DebuggerMode", MEMBER_BOOL, AT(chipset.com2_debugger) },
	{ "EnableVmbusRedirector", MEMBER_BOOL, UNUSED },
	{ .name = NULL },
};

static const MemberRow v1_rows[] = {
	{ "SecureBootEnabled", MEMBER_BOOL, AT(uefi.secure_boot) },
	{ "SecureBootTemplateId", MEMBER_NAME, AT(uefi.secure_boot_template),
		.names = template_names },
	{ "EnableBattery", MEMBER_BOOL, AT(chipset.battery) },
	{ "EnableProcessorIdle", MEMBER_BOOL, AT(chipset.processor_idle) },
	{ "EnableTpm", MEMBER_BOOL, AT(chipset.tpm) },
	{ "Com1", MEMBER_OBJECT, .rows = com1_rows },
	{ "Com2", MEMBER_OBJECT, .rows = com2_rows },
	{ "BiosGuid", MEMBER_GUID, AT(settings.bios_guid) },
	{ "ConsoleMode", MEMBER_CODE, .max = 3, AT(uefi.console) },
	{ "EnableFirmwareDebugging", MEMBER_BOOL, AT(uefi.firmware_debugging) },
	{ "EnableHibernation", MEMBER_BOOL, AT(uefi.hibernation) },
	{ "SerialNumber", MEMBER_TEXT, AT(smbios.serial_number) },
	{ "BaseBoardSerialNumber", MEMBER_TEXT, AT(smbios.base_board_serial) },
	{ "ChassisSerialNumber", MEMBER_TEXT, AT(smbios.chassis_serial) },
	{ "ChassisAssetTag", MEMBER_TEXT, AT(smbios.chassis_asset_tag) },
	{ .name = NULL },
};

static const MemberRow static_smbios_rows[] = {
	{ "SystemManufacturer", MEMBER_TEXT, REQUIRED, AT(smbios.system_manufacturer) },
	{ "SystemProductName", MEMBER_TEXT, REQUIRED, AT(smbios.system_product) },
	{ "SystemVersion", MEMBER_TEXT, REQUIRED, AT(smbios.system_version) },
	{ "SystemSKUNumber", MEMBER_TEXT, REQUIRED, AT(smbios.system_sku) },
	{ "SystemFamily", MEMBER_TEXT, REQUIRED, AT(smbios.system_family) },
	{ "BiosLockString", MEMBER_TEXT, REQUIRED, AT(smbios.bios_lock) },
	{ "MemoryDeviceSerialNumber", MEMBER_TEXT, REQUIRED, AT(smbios.memory_device_serial) },
	{ .name = NULL },
};

static const MemberRow static_rows[] = {
	{ "LegacyMemoryMap", MEMBER_BOOL, REQUIRED, AT(uefi.legacy_memory_map) },
	{ "PauseAfterBootFailure", MEMBER_BOOL, REQUIRED, AT(uefi.pause_after_boot_failure) },
	{ "PxeIpV6", MEMBER_BOOL, REQUIRED, AT(uefi.pxe_ip_v6) },
	{ "MeasureAdditionalPcrs", MEMBER_BOOL, REQUIRED, AT(uefi.measure_additional_pcrs) },
	{ "DisableFrontpage", MEMBER_BOOL, REQUIRED, AT(uefi.disable_frontpage) },
	{ "DisableSha384Pcr", MEMBER_BOOL, REQUIRED, AT(uefi.disable_sha384_pcr) },
	{ "MediaPresentEnabledByDefault", MEMBER_BOOL, REQUIRED,
		AT(uefi.media_present_by_default) },
	{ "MemoryProtectionMode", MEMBER_CODE, REQUIRED, .max = 3, AT(uefi.memory_protection) },
	{ "DefaultBootAlwaysAttempt", MEMBER_BOOL, AT(uefi.default_boot_always_attempt) },
	{ "VpciBootEnabled", MEMBER_BOOL, REQUIRED, AT(uefi.vpci_boot) },
	{ "VpciInstanceFilter", MEMBER_GUID, NULLABLE, AT(uefi.vpci_instance_filter) },
	{ "NumLockEnabled", MEMBER_BOOL, REQUIRED, AT(pcat.num_lock) },
	{ "PcatBootDeviceOrder", MEMBER_OTHER, NULLABLE, .read = read_boot_order },
	{ "Smbios", MEMBER_OBJECT, REQUIRED, .rows = static_smbios_rows },
	{ "Vtl2Settings", MEMBER_BASE64, NULLABLE, AT(settings.vtl2_settings) },
	{ "VmbusRedirectionEnabled", MEMBER_BOOL, REQUIRED, AT(chipset.vmbus_redirection) },
	{ "NoPersistentSecrets", MEMBER_BOOL, REQUIRED, AT(uefi.no_persistent_secrets) },
	{ "WatchdogEnabled", MEMBER_BOOL, REQUIRED, AT(uefi.watchdog) },
	{ "FirmwareModeIsPcat", MEMBER_BOOL, AT(firmware_is_pcat) },
	{ "AlwaysRelayHostMmio", MEMBER_BOOL, AT(chipset.always_relay_host_mmio) },
	{ "ImcEnabled", MEMBER_BOOL, AT(uefi.imc) },
	{ "CxlMemoryEnabled", MEMBER_BOOL, AT(uefi.cxl_memory) },
	{ "GuestStateLifetime", MEMBER_NAME, UNUSED, .names = lifetime_names },
	{ "GuestStateEncryptionPolicy", MEMBER_NAME, UNUSED, .names = encryption_names },
	{ "EfiDiagnosticsLogLevel", MEMBER_NUMBER, .max = UINT32_MAX,
		AT(uefi.diagnostics_log_level) },
	{ "ManagementVtlFeatures", MEMBER_WIDE, UNUSED },
	{ "ForceDmaBounceEnabled", MEMBER_BOOL, AT(uefi.force_dma_bounce) },
	{ "HardwareSealingPolicyId", MEMBER_NAME, UNUSED, .names = sealing_names },
	{ .name = NULL },
};

static const MemberRow dynamic_smbios_rows[] = {
	{ "ProcessorManufacturer", MEMBER_BASE64, REQUIRED, AT(smbios.processor_manufacturer) },
	{ "ProcessorVersion", MEMBER_BASE64, REQUIRED, AT(smbios.processor_version) },
	{ "ProcessorID", MEMBER_WIDE, REQUIRED, AT(smbios.processor_id) },
	{ "ExternalClock", MEMBER_NUMBER, REQUIRED, .max = UINT16_MAX,
		AT(smbios.external_clock) },
	{ "MaxSpeed", MEMBER_NUMBER, REQUIRED, .max = UINT16_MAX, AT(smbios.max_speed) },
	{ "CurrentSpeed", MEMBER_NUMBER, REQUIRED, .max = UINT16_MAX,
		AT(smbios.current_speed) },
	{ "ProcessorCharacteristics", MEMBER_NUMBER, REQUIRED, .max = UINT16_MAX,
		AT(smbios.processor_characteristics) },
	{ "ProcessorFamily2", MEMBER_NUMBER, REQUIRED, .max = UINT16_MAX,
		AT(smbios.processor_family2) },
	{ "ProcessorType", MEMBER_NUMBER, REQUIRED, .max = UINT8_MAX,
		AT(smbios.processor_type) },
	{ "Voltage", MEMBER_NUMBER, REQUIRED, .max = UINT8_MAX, AT(smbios.voltage) },
	{ "Status", MEMBER_NUMBER, REQUIRED, .max = UINT8_MAX, AT(smbios.status) },
	{ "ProcessorUpgrade", MEMBER_NUMBER, REQUIRED, .max = UINT8_MAX,
		AT(smbios.processor_upgrade) },
	{ .name = NULL },
};

static const MemberRow dynamic_rows[] = {
	{ "NvdimmCount", MEMBER_NUMBER, REQUIRED, .max = UINT16_MAX, AT(chipset.nvdimm_count) },
	{ "EnablePsp", MEMBER_BOOL, REQUIRED, AT(chipset.psp) },
	{ "GenerationIdLow", MEMBER_WIDE, REQUIRED, AT(generation_id[0]) },
	{ "GenerationIdHigh", MEMBER_WIDE, REQUIRED, AT(generation_id[1]) },
	{ "Smbios", MEMBER_OBJECT, REQUIRED, .rows = dynamic_smbios_rows },
	{ "IsServicingScenario", MEMBER_BOOL, REQUIRED, AT(settings.servicing) },
	{ "AcpiTables", MEMBER_OTHER, .read = read_acpi_tables },
	{ .name = NULL },
};

static const MemberRow v2_rows[] = {
	{ "Static", MEMBER_OBJECT, REQUIRED, .rows = static_rows },
	{ "Dynamic", MEMBER_OBJECT, REQUIRED, .rows = dynamic_rows },
	{ .name = NULL },
};

static bool read_pvw(Reader *reader, const json_t *json);

/*
 * Ours.
 */

static const char *const hardware_names[] = { "acpi", "device-tree", NULL };
static const char *const psci_names[] = { "hvc", "smc", "none", NULL };

static const MemberRow arm_com1_rows[] = {
	{ "Address", MEMBER_WIDE, REQUIRED, AT(com1.address) },
	{ "Interrupt", MEMBER_NUMBER, REQUIRED, .max = UINT32_MAX, AT(com1.intid) },
	{ .name = NULL },
};

static const MemberRow arm_com2_rows[] = {
	{ "Address", MEMBER_WIDE, REQUIRED, AT(com2.address) },
	{ "Interrupt", MEMBER_NUMBER, REQUIRED, .max = UINT32_MAX, AT(com2.intid) },
	{ .name = NULL },
};

static const MemberRow arm_timer_rows[] = {
	{ "Secure", MEMBER_NUMBER, .max = UINT32_MAX, AT(timers.secure) },
	{ "Physical", MEMBER_NUMBER, .max = UINT32_MAX, AT(timers.physical) },
	{ "Virtual", MEMBER_NUMBER, .max = UINT32_MAX, AT(timers.virt) },
	{ "Hypervisor", MEMBER_NUMBER, .max = UINT32_MAX, AT(timers.hypervisor) },
	{ .name = NULL },
};

static const MemberRow arm_gic_rows[] = {
	{ "Distributor", MEMBER_WIDE, AT(gic.distributor) },
	{ "Redistributors", MEMBER_WIDE, AT(gic.redistributors) },
	{ "CpuInterface", MEMBER_WIDE, AT(gic.cpu_interface) },
	{ "Its", MEMBER_WIDE, AT(gic.its) },
	{ "V2m", MEMBER_WIDE, AT(gic.v2m) },
	{ "V2mSpiBase", MEMBER_NUMBER, .max = UINT32_MAX, AT(gic.v2m_spi_base) },
	{ "V2mSpiCount", MEMBER_NUMBER, .max = UINT32_MAX, AT(gic.v2m_spi_count) },
	{ .name = NULL },
};

static const MemberRow arm_rows[] = {
	{ "Psci", MEMBER_NAME, AT(arm.psci), .names = psci_names },
	{ "Com1", MEMBER_OTHER, .read = read_arm_com1 },
	{ "Com2", MEMBER_OTHER, .read = read_arm_com2 },
	{ "Timers", MEMBER_OTHER, .read = read_arm_timers },
	{ "Gic", MEMBER_OTHER, .read = read_arm_gic },
	{ "NoHypervisor", MEMBER_BOOL, AT(arm.no_hypervisor) },
	{ .name = NULL },
};

static const MemberRow linux_rows[] = {
	{ "Kernel", MEMBER_OTHER, .read = read_kernel },
	{ "Initrd", MEMBER_OTHER, .read = read_initrd },
	{ "CommandLine", MEMBER_STRING, AT(linux_direct.command_line) },
	{ "Hardware", MEMBER_NAME, AT(linux_direct.hardware), .names = hardware_names },
	{ "Pic", MEMBER_BOOL, AT(chipset.pic) },
	{ "Pit", MEMBER_BOOL, AT(chipset.pit) },
	{ "Arm", MEMBER_OTHER, .read = read_arm },
	{ .name = NULL },
};

static const MemberRow pvw_rows[] = {
	{ "Firmware", MEMBER_NAME, AT(settings.firmware), .names = firmware_names },
	{ "FirmwareImage", MEMBER_OTHER, .read = read_firmware_image },
	{ "Linux", MEMBER_OTHER, .read = read_linux },
	{ "Mtrr", MEMBER_NAME, AT(mtrr), .names = mtrr_names },
	{ "AcpiProfile", MEMBER_NAME, AT(acpi), .names = profile_names },
	{ "AcpiRecords", MEMBER_NAME, AT(uefi.acpi_records), .names = record_names },
	{ "LayoutVersion", MEMBER_NUMBER, .max = UINT32_MAX, AT(layout_version) },
	{ "Channels", MEMBER_OTHER, .read = read_channels },
	{ "RelayDevices", MEMBER_OTHER, .read = read_relay_devices },
	{ .name = NULL },
};

/*
 * Values.
 */

static bool value_fail(Reader *reader, const json_t *json, const char *expected)
{
	return json_text_fail(&reader->path, json, expected, reader->err);
}

static bool read_number(Reader *reader, const json_t *json, uint64_t max, uint64_t *out)
{
	char expected[64];

	if (json_text_number(json, max, out))
		return true;
	snprintf(expected, sizeof(expected), "a number from 0 to 0x%llx",
		(unsigned long long)max);
	return value_fail(reader, json, expected);
}

static bool read_name(
	Reader *reader, const json_t *json, const char *const *names, size_t *index)
{
	char expected[128] = "one of";

	for (size_t i = 0; names[i]; i++) {
		if (json_is_string(json) && strcmp(json_string_value(json), names[i]) == 0) {
			*index = i;
			return true;
		}
		snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected),
			"%s %s", i ? "," : "", names[i]);
	}
	return value_fail(reader, json, expected);
}

static bool read_string(Reader *reader, const json_t *json, const uint8_t **out)
{
	if (!json_is_string(json))
		return value_fail(reader, json, "a text");
	return arena_copy(reader->arena, json_string_value(json), json_string_length(json) + 1,
		out, reader->err);
}

static bool read_base64(Reader *reader, const json_t *json, ProtobufCBinaryData *out)
{
	Bytes bytes;

	if (!json_is_string(json))
		return value_fail(reader, json, "a text of base64");
	if (!base64_decode(json_string_value(json), reader->arena, &bytes, reader->err))
		return error_at(reader->err, reader->path.text);
	*out = (ProtobufCBinaryData){ bytes.len, (uint8_t *)(uintptr_t)bytes.data };
	return true;
}

static bool parse_guid(Reader *reader, const json_t *json, Guid *out)
{
	Error why;

	if (!json_is_string(json) || !guid_parse(json_string_value(json), out, &why))
		return value_fail(reader, json, "a GUID");
	return true;
}

static bool read_guid(Reader *reader, const json_t *json, Pvw__V1__Guid **out)
{
	Pvw__V1__Guid *message = arena_array(reader->arena, Pvw__V1__Guid, 1, reader->err);
	const uint8_t *bytes;
	Guid guid;

	if (!message || !parse_guid(reader, json, &guid) ||
		!arena_copy(reader->arena, guid.bytes, sizeof(guid.bytes), &bytes, reader->err))
		return false;
	pvw__v1__guid__init(message);
	message->le = (ProtobufCBinaryData){ sizeof(guid.bytes), (uint8_t *)(uintptr_t)bytes };
	*out = message;
	return true;
}

static bool read_bool(Reader *reader, const json_t *json, protobuf_c_boolean *out)
{
	if (!json_is_boolean(json))
		return value_fail(reader, json, "true or false");
	*out = json_is_true(json);
	return true;
}

/* What a row without effect would have stored: is it worth a word? */
static bool is_default(const json_t *json, const MemberRow *row)
{
	if (row->kind == MEMBER_NAME)
		return strcmp(json_string_value(json), row->names[0]) == 0;
	return json_is_false(json) || (json_is_integer(json) && json_integer_value(json) == 0);
}

/* @to may be NULL only for rows without effect. */
static bool read_scalar(Reader *reader, const MemberRow *row, const json_t *json, void *to)
{
	const uint8_t *text;
	uint64_t number;
	size_t index;
	int code;

	switch (row->kind) {
	case MEMBER_BOOL:
		return read_bool(reader, json, to);
	case MEMBER_NUMBER:
	case MEMBER_CODE:
		if (!read_number(reader, json, row->max, &number))
			return false;
		/* Little-endian: enums and numbers of 32 bits are the low half. */
		number += row->kind == MEMBER_CODE;
		memcpy(to, &number, sizeof(uint32_t));
		return true;
	case MEMBER_WIDE:
		return read_number(reader, json, UINT64_MAX, to);
	case MEMBER_NAME:
		if (!read_name(reader, json, row->names, &index))
			return false;
		code = (int)index + 1;
		memcpy(to, &code, sizeof(code));
		return true;
	case MEMBER_TEXT:
		if (!read_string(reader, json, &text))
			return false;
		*(ProtobufCBinaryData *)to = (ProtobufCBinaryData){ json_string_length(json),
			(uint8_t *)(uintptr_t)text };
		return true;
	case MEMBER_STRING:
		if (!read_string(reader, json, &text))
			return false;
		*(char **)to = (char *)(uintptr_t)text;
		return true;
	case MEMBER_BASE64:
		return read_base64(reader, json, to);
	case MEMBER_GUID:
		return read_guid(reader, json, to);
	case MEMBER_OBJECT:
	case MEMBER_OTHER:
		break;
	}
	return false;
}

static bool read_member(Reader *reader, const MemberRow *row, const json_t *json)
{
	uint64_t forgotten[2] = { 0 };

	if (json_is_null(json) && row->nullable)
		return true;
	if (row->kind == MEMBER_OBJECT)
		return read_object(reader, row->rows, json, /* unknown_is_error= */ false);
	if (row->kind == MEMBER_OTHER)
		return row->read(reader, json);
	if (!row->unused)
		return read_scalar(reader, row, json, (uint8_t *)reader->parts + row->at);
	if (!read_scalar(reader, row, json, forgotten))
		return false;
	if (!is_default(json, row))
		diagnostics_add(reader->diagnostics, PVW_JSON_0007, reader->path.text,
			"has no effect, expected the default or nothing");
	return true;
}

static bool find_unknown(
	Reader *reader, const MemberRow *rows, const json_t *json, bool unknown_is_error)
{
	const size_t mark = reader->path.len;
	/* Iterators are not const in the library; they only look. */
	json_t *object = (json_t *)(uintptr_t)json;

	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
		const MemberRow *row = rows;

		while (row->name && strcmp(row->name, json_object_iter_key(at)) != 0)
			row++;
		if (row->name)
			continue;
		json_path_push(&reader->path, ".", json_object_iter_key(at));
		if (unknown_is_error) {
			error_set(reader->err, PVW_JSON_0005,
				"no such member, expected one like %s", rows->name);
			return error_at(reader->err, reader->path.text);
		}
		diagnostics_add(reader->diagnostics, PVW_JSON_0004, reader->path.text,
			"no such member, expected one like %s", rows->name);
		json_path_pop(&reader->path, mark);
	}
	return true;
}

/* Members are read in the order of the rows, so that what is told does not depend on the text. */
static bool read_object(
	Reader *reader, const MemberRow *rows, const json_t *json, bool unknown_is_error)
{
	const size_t mark = reader->path.len;

	if (!json_is_object(json))
		return value_fail(reader, json, "an object");
	if (!find_unknown(reader, rows, json, unknown_is_error))
		return false;
	for (const MemberRow *row = rows; row->name; row++) {
		const json_t *member = json_object_get(json, row->name);

		json_path_push(&reader->path, ".", row->name);
		if (!member && row->required) {
			error_set(reader->err, PVW_JSON_0003, "missing, expected a value");
			return error_at(reader->err, reader->path.text);
		}
		if (member && !read_member(reader, row, member))
			return false;
		json_path_pop(&reader->path, mark);
	}
	return true;
}

/*
 * Members of a kind of their own.
 */

static bool read_boot_order(Reader *reader, const json_t *json)
{
	Pvw__V1__PcatSettings *pcat = &reader->parts->pcat;
	Pvw__V1__PcatBootDevice *order = arena_array(
		reader->arena, Pvw__V1__PcatBootDevice, PCAT_BOOT_DEVICE_COUNT, reader->err);

	if (!order)
		return false;
	if (json_array_size(json) != PCAT_BOOT_DEVICE_COUNT)
		return value_fail(reader, json, "an array of 4 devices");
	for (size_t i = 0; i < PCAT_BOOT_DEVICE_COUNT; i++) {
		size_t device = 0;

		if (!read_name(reader, json_array_get(json, i), boot_device_names, &device))
			return false;
		order[i] = PVW__V1__PCAT_BOOT_DEVICE__PCAT_BOOT_FLOPPY + (unsigned)device;
	}
	pcat->boot_order = order;
	pcat->n_boot_order = PCAT_BOOT_DEVICE_COUNT;
	return true;
}

static bool read_acpi_tables(Reader *reader, const json_t *json)
{
	Pvw__V1__DevicePlatformSettings *settings = &reader->parts->settings;
	const size_t count = json_array_size(json);
	ProtobufCBinaryData *tables =
		arena_array(reader->arena, ProtobufCBinaryData, count, reader->err);

	if (!tables)
		return false;
	if (!json_is_array(json))
		return value_fail(reader, json, "an array");
	for (size_t i = 0; i < count; i++) {
		if (!read_base64(reader, json_array_get(json, i), &tables[i]))
			return false;
	}
	settings->acpi_tables = tables;
	settings->n_acpi_tables = count;
	return true;
}

/* { "Start": number, "Size": number }: in guest memory; { "Blob": name }: uploaded. */
static bool read_image(Reader *reader, const json_t *json, Pvw__V1__Source **out)
{
	Pvw__V1__Source *source = arena_array(reader->arena, Pvw__V1__Source, 1, reader->err);
	Pvw__V1__AddrRange *range =
		arena_array(reader->arena, Pvw__V1__AddrRange, 1, reader->err);
	const json_t *start = json_object_get(json, "Start");
	const json_t *size = json_object_get(json, "Size");
	const json_t *blob = json_object_get(json, "Blob");
	const uint8_t *name;

	if (!source || !range)
		return false;
	pvw__v1__source__init(source);
	pvw__v1__addr_range__init(range);
	if (blob && json_object_size(json) == 1) {
		if (!read_string(reader, blob, &name))
			return false;
		source->kind_case = PVW__V1__SOURCE__KIND_BLOB;
		source->blob = (char *)(uintptr_t)name;
	} else if (start && size && json_object_size(json) == 2) {
		if (!read_number(reader, start, UINT64_MAX, &range->start) ||
			!read_number(reader, size, UINT64_MAX, &range->size))
			return false;
		source->kind_case = PVW__V1__SOURCE__KIND_IN_PLACE;
		source->in_place = range;
	} else {
		return value_fail(reader, json, "Start and Size, or Blob");
	}
	*out = source;
	return true;
}

static bool read_kernel(Reader *reader, const json_t *json)
{
	return read_image(reader, json, &reader->parts->linux_direct.kernel);
}

static bool read_initrd(Reader *reader, const json_t *json)
{
	return read_image(reader, json, &reader->parts->linux_direct.initrd);
}

static bool read_firmware_image(Reader *reader, const json_t *json)
{
	return read_image(reader, json, &reader->parts->settings.firmware_image);
}

static bool read_arm_com1(Reader *reader, const json_t *json)
{
	reader->parts->arm.com1 = &reader->parts->com1;
	return read_object(reader, arm_com1_rows, json, /* unknown_is_error= */ true);
}

static bool read_arm_com2(Reader *reader, const json_t *json)
{
	reader->parts->arm.com2 = &reader->parts->com2;
	return read_object(reader, arm_com2_rows, json, /* unknown_is_error= */ true);
}

static bool read_arm_timers(Reader *reader, const json_t *json)
{
	reader->parts->arm.timers = &reader->parts->timers;
	return read_object(reader, arm_timer_rows, json, /* unknown_is_error= */ true);
}

static bool read_arm_gic(Reader *reader, const json_t *json)
{
	reader->parts->arm.gic = &reader->parts->gic;
	return read_object(reader, arm_gic_rows, json, /* unknown_is_error= */ true);
}

static bool read_arm(Reader *reader, const json_t *json)
{
	reader->parts->linux_direct.arm = &reader->parts->arm;
	return read_object(reader, arm_rows, json, /* unknown_is_error= */ true);
}

static bool read_linux(Reader *reader, const json_t *json)
{
	reader->parts->settings.linux_direct = &reader->parts->linux_direct;
	return read_object(reader, linux_rows, json, /* unknown_is_error= */ true);
}

static bool read_relay_devices(Reader *reader, const json_t *json)
{
	uint64_t number;

	if (!read_number(reader, json, UINT32_MAX, &number))
		return false;
	reader->parts->has_relay_devices = true;
	reader->parts->relay_devices = (uint32_t)number;
	return true;
}

static bool read_pvw(Reader *reader, const json_t *json)
{
	return read_object(reader, pvw_rows, json, /* unknown_is_error= */ true);
}

static bool read_channel(Reader *reader, const json_t *json, ChannelDemand *out)
{
	uint64_t megabytes;

	if (json_object_size(json) != 3 || !json_object_get(json, "InterfaceId") ||
		!json_object_get(json, "InstanceId") || !json_object_get(json, "MmioMegabytes"))
		return value_fail(reader, json, "InterfaceId, InstanceId and MmioMegabytes");
	if (!parse_guid(reader, json_object_get(json, "InterfaceId"), &out->interface_id) ||
		!parse_guid(reader, json_object_get(json, "InstanceId"), &out->instance_id) ||
		!read_number(
			reader, json_object_get(json, "MmioMegabytes"), UINT32_MAX, &megabytes))
		return false;
	out->mmio_megabytes = (uint32_t)megabytes;
	return true;
}

static bool read_channels(Reader *reader, const json_t *json)
{
	const size_t count = json_array_size(json);
	ChannelDemand *channels = arena_array(reader->arena, ChannelDemand, count, reader->err);

	if (!channels)
		return false;
	if (!json_is_array(json) || count > CHANNEL_MAX_DEMANDS)
		return value_fail(reader, json, "an array of at most 256 channels");
	for (size_t i = 0; i < count; i++) {
		if (!read_channel(reader, json_array_get(json, i), &channels[i]))
			return false;
	}
	reader->parts->channels = (ChannelDemandList){ channels, count };
	return true;
}

/*
 * The document.
 */

static const MemberRow document_rows[] = {
	{ "V1", MEMBER_OBJECT, .rows = v1_rows },
	{ "V2", MEMBER_OBJECT, .rows = v2_rows },
	{ "Pvw", MEMBER_OTHER, .read = read_pvw },
	{ .name = NULL },
};

static void init_parts(Parts *parts)
{
	pvw__v1__device_platform_settings__init(&parts->settings);
	pvw__v1__uefi_settings__init(&parts->uefi);
	pvw__v1__pcat_settings__init(&parts->pcat);
	pvw__v1__smbios__init(&parts->smbios);
	pvw__v1__chipset__init(&parts->chipset);
	pvw__v1__linux_direct__init(&parts->linux_direct);
	pvw__v1__arm_machine__init(&parts->arm);
	pvw__v1__arm_uart__init(&parts->com1);
	pvw__v1__arm_uart__init(&parts->com2);
	pvw__v1__arm_timers__init(&parts->timers);
	pvw__v1__arm_gic__init(&parts->gic);
	parts->settings.uefi = &parts->uefi;
	parts->settings.pcat = &parts->pcat;
	parts->settings.smbios = &parts->smbios;
	parts->settings.chipset = &parts->chipset;
}

/* What one member says about another. */
static void join_parts(Parts *parts)
{
	if (parts->firmware_is_pcat &&
		parts->settings.firmware == PVW__V1__FIRMWARE_KIND__FIRMWARE_UNSPECIFIED)
		parts->settings.firmware = PVW__V1__FIRMWARE_KIND__FIRMWARE_PCAT;
	/* All zero asks for a random one, as no identifier does. */
	if (parts->generation_id[0] || parts->generation_id[1])
		parts->chipset.generation_id =
			(ProtobufCBinaryData){ sizeof(parts->generation_id),
				(uint8_t *)parts->generation_id };
	/* The document's other levels mean the default. */
	if (parts->uefi.diagnostics_log_level > 2)
		parts->uefi.diagnostics_log_level = 0;
}

static PlanRequest plan_request(const Parts *parts)
{
	return (PlanRequest){
		.has_mtrr = parts->mtrr != 0,
		.has_acpi = parts->acpi != 0,
		.mtrr = parts->mtrr ? (MtrrPolicy)(parts->mtrr - 1) : MTRR_POLICY_EXACT,
		.acpi = parts->acpi ? (AcpiProfile)(parts->acpi - 1) : ACPI_PROFILE_DEFAULT,
		.layout_version = parts->layout_version,
	};
}

bool settings_json_read(Bytes text, const char *source, Arena *arena, SettingsDocument *out,
	Diagnostics *diagnostics, Error *err)
{
	Parts *parts = arena_array(arena, Parts, 1, err);
	Reader reader = {
		.arena = arena, .parts = parts, .diagnostics = diagnostics, .err = err
	};
	json_t *json;
	bool ok;

	if (!parts || !json_text_parse(text, source, &json, err))
		return false;
	init_parts(parts);
	json_path_push(&reader.path, "", source);
	ok = read_object(&reader, document_rows, json, /* unknown_is_error= */ false);
	json_decref(json);
	if (!ok)
		return false;
	join_parts(parts);
	*out = (SettingsDocument){
		.settings = &parts->settings,
		.plan = plan_request(parts),
		.channels = parts->channels,
		.has_relay_devices = parts->has_relay_devices,
		.relay_devices = parts->relay_devices,
	};
	return true;
}
