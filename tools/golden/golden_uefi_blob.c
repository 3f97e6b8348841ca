/*
 * Area uefi_blob: the blob's writer, record by record, and the values of the flags.
 */
#include <string.h>

#include "golden.h"
#include "loaders/uefi_blob.h"

#define BLOB_BOUND ((size_t)16 * 1024 * 1024)

typedef void (*PutRecord)(const json_t *op, Arena *arena, UefiBlob *blob);

static void put_bios_information(const json_t *op, Arena *arena, UefiBlob *blob)
{
	const UefiBiosInformation information = {
		.image_pages = (uint32_t)golden_u64(op, "bios_size_pages"),
		.flags = (uint32_t)golden_u64(op, "flags"),
	};

	(void)arena;
	uefi_blob_append_struct(blob, UEFI_RECORD_BIOS_INFORMATION, information);
}

static void put_memory_map(const json_t *op, Arena *arena, UefiBlob *blob)
{
	const json_t *entries = golden_member(op, "entries");
	const size_t mark = uefi_blob_open(blob, UEFI_RECORD_MEMORY_MAP);

	(void)arena;
	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *item = json_array_get(entries, i);
		const UefiMemoryEntry entry = {
			.start = golden_u64(item, "base"),
			.len = golden_u64(item, "length"),
			.flags = (uint32_t)golden_u64(item, "flags"),
		};

		put_struct(&blob->w, entry);
	}
	uefi_blob_close(blob, mark);
}

static void put_mmio_ranges(const json_t *op, Arena *arena, UefiBlob *blob)
{
	const json_t *entries = golden_member(op, "entries");
	const size_t mark = uefi_blob_open(blob, UEFI_RECORD_MMIO_RANGES);

	(void)arena;
	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *item = json_array_get(entries, i);
		const UefiMmioRange range = {
			.page = golden_u64(item, "page_start"),
			.pages = golden_u64(item, "pages"),
		};

		put_struct(&blob->w, range);
	}
	uefi_blob_close(blob, mark);
}

static void put_processor_information(const json_t *op, Arena *arena, UefiBlob *blob)
{
	const UefiProcessorInformation information = {
		.max_count = (uint32_t)golden_u64(op, "max_processor_count"),
		.count = (uint32_t)golden_u64(op, "processor_count"),
		.per_socket = (uint32_t)golden_u64(op, "processors_per_virtual_socket"),
		.per_core = (uint32_t)golden_u64(op, "threads_per_processor"),
	};

	(void)arena;
	uefi_blob_append_struct(blob, UEFI_RECORD_PROCESSOR_INFORMATION, information);
}

static void put_flags(const json_t *op, Arena *arena, UefiBlob *blob)
{
	const uint64_t flags = golden_u64(op, "value");

	(void)arena;
	uefi_blob_append_struct(blob, UEFI_RECORD_FLAGS, flags);
}

static void put_nvdimm_count(const json_t *op, Arena *arena, UefiBlob *blob)
{
	const UefiNvdimmCount nvdimm = { .count = (uint16_t)golden_u64(op, "count") };

	(void)arena;
	uefi_blob_append_struct(blob, UEFI_RECORD_NVDIMM_COUNT, nvdimm);
}

static void put_gic(const json_t *op, Arena *arena, UefiBlob *blob)
{
	const UefiGic gic = {
		.distributor = golden_u64(op, "distributor"),
		.redistributors = golden_u64(op, "redistributors"),
	};

	(void)arena;
	uefi_blob_append_struct(blob, UEFI_RECORD_GIC, gic);
}

static void put_processor_details(const json_t *op, Arena *arena, UefiBlob *blob)
{
	const UefiSmbios31Processor details = {
		.id = golden_u64(op, "processor_id"),
		.external_clock = (uint16_t)golden_u64(op, "external_clock"),
		.max_speed = (uint16_t)golden_u64(op, "max_speed"),
		.current_speed = (uint16_t)golden_u64(op, "current_speed"),
		.characteristics = (uint16_t)golden_u64(op, "processor_characteristics"),
		.family2 = (uint16_t)golden_u64(op, "processor_family2"),
		.type = (uint8_t)golden_u64(op, "processor_type"),
		.voltage = (uint8_t)golden_u64(op, "voltage"),
		.status = (uint8_t)golden_u64(op, "status"),
		.upgrade = (uint8_t)golden_u64(op, "processor_upgrade"),
	};

	(void)arena;
	uefi_blob_append_struct(blob, UEFI_RECORD_SMBIOS31_PROCESSOR, details);
}

static void put_apertures(const json_t *op, Arena *arena, UefiBlob *blob)
{
	const json_t *entries = golden_member(op, "entries");
	const size_t mark = uefi_blob_open(blob, UEFI_RECORD_PCIE_BAR_APERTURES);

	(void)arena;
	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *item = json_array_get(entries, i);
		const UefiPcieBarAperture aperture = {
			.segment = (uint16_t)golden_u64(item, "segment"),
			.start_bus = (uint8_t)golden_u64(item, "start_bus"),
			.end_bus = (uint8_t)golden_u64(item, "end_bus"),
			.uid = (uint32_t)golden_u64(item, "uid"),
			.low_start = golden_u64(item, "low_base"),
			.low_len = golden_u64(item, "low_length"),
			.high_start = golden_u64(item, "high_base"),
			.high_len = golden_u64(item, "high_length"),
		};

		put_struct(&blob->w, aperture);
	}
	uefi_blob_close(blob, mark);
}

static void put_hex(const json_t *op, uint32_t type, Arena *arena, UefiBlob *blob)
{
	const Bytes bytes = golden_hex(op, "bytes", arena);

	uefi_blob_append(blob, type, bytes.data, bytes.len);
}

static void put_bios_guid(const json_t *op, Arena *arena, UefiBlob *blob)
{
	put_hex(op, UEFI_RECORD_BIOS_GUID, arena, blob);
}

static void put_entropy(const json_t *op, Arena *arena, UefiBlob *blob)
{
	put_hex(op, UEFI_RECORD_ENTROPY, arena, blob);
}

static void put_vpci_filter(const json_t *op, Arena *arena, UefiBlob *blob)
{
	put_hex(op, UEFI_RECORD_VPCI_INSTANCE_FILTER, arena, blob);
}

static void put_raw(const json_t *op, Arena *arena, UefiBlob *blob)
{
	put_hex(op, (uint32_t)golden_u64(op, "type"), arena, blob);
}

static void put_string(const json_t *op, Arena *arena, UefiBlob *blob)
{
	uefi_blob_append_string(
		blob, (uint32_t)golden_u64(op, "type"), golden_hex(op, "bytes", arena));
}

static const struct {
	const char *op;
	PutRecord put;
} ops[] = {
	{ "bios_information", put_bios_information },
	{ "memory_map", put_memory_map },
	{ "bios_guid", put_bios_guid },
	{ "entropy", put_entropy },
	{ "mmio_ranges", put_mmio_ranges },
	{ "processor_information", put_processor_information },
	{ "flags", put_flags },
	{ "nvdimm_count", put_nvdimm_count },
	{ "vpci_instance_filter", put_vpci_filter },
	{ "gic", put_gic },
	{ "cstring", put_string },
	{ "raw", put_raw },
	{ "smbios31_processor_information", put_processor_details },
	{ "pcie_bar_apertures", put_apertures },
};

static void put_op(const json_t *op, Arena *arena, UefiBlob *blob)
{
	const char *name = golden_string(op, "op");

	for (size_t i = 0; i < ARRAY_COUNT(ops); i++) {
		if (strcmp(ops[i].op, name) == 0) {
			ops[i].put(op, arena, blob);
			return;
		}
	}
	golden_malformed("unknown op \"%s\"", name);
}

/* One field set to one value, in the names of the reference. */
static const struct {
	const char *field;
	UefiFlag bit;
	uint64_t value;
} fields[] = {
	{ "serial_controllers_enabled", UEFI_FLAG_SERIAL_CONTROLLERS, 1 },
	{ "pause_after_boot_failure", UEFI_FLAG_PAUSE_AFTER_BOOT_FAILURE, 1 },
	{ "pxe_ip_v6", UEFI_FLAG_PXE_IP_V6, 1 },
	{ "debugger_enabled", UEFI_FLAG_DEBUGGER, 1 },
	{ "load_oemp_table", UEFI_FLAG_LOAD_OEMP_TABLE, 1 },
	{ "tpm_enabled", UEFI_FLAG_TPM, 1 },
	{ "hibernate_enabled", UEFI_FLAG_HIBERNATE, 1 },
	{ "memory_attributes_table_enabled", UEFI_FLAG_MEMORY_ATTRIBUTES_TABLE, 1 },
	{ "virtual_battery_enabled", UEFI_FLAG_VIRTUAL_BATTERY, 1 },
	{ "sgx_memory_enabled", UEFI_FLAG_SGX_MEMORY, 1 },
	{ "is_vmbfs_boot", UEFI_FLAG_VMBFS_BOOT, 1 },
	{ "measure_additional_pcrs", UEFI_FLAG_MEASURE_ADDITIONAL_PCRS, 1 },
	{ "disable_frontpage", UEFI_FLAG_DISABLE_FRONTPAGE, 1 },
	{ "default_boot_always_attempt", UEFI_FLAG_DEFAULT_BOOT_ALWAYS_ATTEMPT, 1 },
	{ "low_power_s0_idle_enabled", UEFI_FLAG_LOW_POWER_S0_IDLE, 1 },
	{ "vpci_boot_enabled", UEFI_FLAG_VPCI_BOOT, 1 },
	{ "proc_idle_enabled", UEFI_FLAG_PROCESSOR_IDLE, 1 },
	{ "disable_sha384_pcr", UEFI_FLAG_DISABLE_SHA384_PCR, 1 },
	{ "media_present_enabled_by_default", UEFI_FLAG_MEDIA_PRESENT_BY_DEFAULT, 1 },
	{ "enable_imc_when_isolated", UEFI_FLAG_IMC_WHEN_ISOLATED, 1 },
	{ "watchdog_enabled", UEFI_FLAG_WATCHDOG, 1 },
	{ "tpm_locality_regs_enabled", UEFI_FLAG_TPM_LOCALITY_REGS, 1 },
	{ "dhcp6_link_layer_address", UEFI_FLAG_DHCP6_LINK_LAYER_ADDRESS, 1 },
	{ "cxl_memory_enabled", UEFI_FLAG_CXL_MEMORY, 1 },
	{ "mtrrs_initialized_at_load", UEFI_FLAG_MTRRS_INITIALIZED_AT_LOAD, 1 },
	{ "vmbus_disabled", UEFI_FLAG_VMBUS_DISABLED, 1 },
	{ "pci_resources_pre_assigned", UEFI_FLAG_PCI_RESOURCES_PRE_ASSIGNED, 1 },
	{ "force_dma_bounce_enabled", UEFI_FLAG_FORCE_DMA_BOUNCE, 1 },
	{ "console=default", UEFI_FLAG_CONSOLE, 0 },
	{ "console=com1", UEFI_FLAG_CONSOLE, 1 },
	{ "console=com2", UEFI_FLAG_CONSOLE, 2 },
	{ "console=none", UEFI_FLAG_CONSOLE, 3 },
	{ "memory_protection=disabled", UEFI_FLAG_MEMORY_PROTECTION, 0 },
	{ "memory_protection=default", UEFI_FLAG_MEMORY_PROTECTION, 1 },
	{ "memory_protection=strict", UEFI_FLAG_MEMORY_PROTECTION, 2 },
	{ "memory_protection=relaxed", UEFI_FLAG_MEMORY_PROTECTION, 3 },
};

static json_t *write_fields(void)
{
	json_t *object = json_object();

	for (size_t i = 0; i < ARRAY_COUNT(fields); i++)
		json_object_set_new(object, fields[i].field,
			golden_json_u64(fields[i].value << fields[i].bit));
	return object;
}

bool golden_run_uefi_blob(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	uint8_t *base = golden_array(arena, BLOB_BOUND, 1);
	UefiBlob blob = uefi_blob_begin(byte_writer_on(base, BLOB_BOUND));
	const json_t *list = json_object_get(input, "ops");
	Bytes bytes;

	/* The one case without ops asks for the values of the flags. */
	if (!list) {
		*output = write_fields();
		return true;
	}
	for (size_t i = 0; i < json_array_size(list); i++)
		put_op(json_array_get(list, i), arena, &blob);
	if (!uefi_blob_finish(&blob, &bytes, err))
		return false;
	*output = json_pack("{s: o}", "bytes", golden_json_hex(bytes));
	return true;
}
