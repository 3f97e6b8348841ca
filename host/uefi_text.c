/*
 * The UEFI configuration blob as lines: a row a record.
 */
#include "host/uefi_text.h"

#include <inttypes.h>
#include <string.h>

#include "host/acpi_text_internal.h"

#define HEAD_SIZE 8

/* Every record: u32 type, u32 length; the length counts them and is a multiple of 8. */
static const EntryForm record_form = { 0, 4, 4, 4 };

static const FieldRow no_fields[] = {
	{ .name = NULL },
};

static const FieldRow count_fields[] = {
	{ "records", 8, 4, FIELD_DECIMAL, NULL },
	{ "bytes", 12, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldName bios_flags[] = {
	{ 1, 1, "legacy_memory_map" },
	{ .text = NULL },
};

static const FieldRow bios_fields[] = {
	{ "pages", 8, 4, FIELD_DECIMAL, NULL },
	{ "flags", 12, 4, FIELD_BITS, bios_flags },
	{ .name = NULL },
};

static const FieldRow entropy_fields[] = {
	{ "entropy", 8, 64, FIELD_BYTES, NULL },
	{ .name = NULL },
};

static const FieldRow guid_fields[] = {
	{ "guid", 8, 16, FIELD_BYTES, NULL },
	{ .name = NULL },
};

static const FieldRow smbios_fields[] = {
	{ "processor_id", 8, 8, FIELD_HEX, NULL },
	{ "external_clock", 16, 2, FIELD_DECIMAL, NULL },
	{ "max_speed", 18, 2, FIELD_DECIMAL, NULL },
	{ "current_speed", 20, 2, FIELD_DECIMAL, NULL },
	{ "characteristics", 22, 2, FIELD_HEX, NULL },
	{ "family_2", 24, 2, FIELD_HEX, NULL },
	{ "type", 26, 1, FIELD_HEX, NULL },
	{ "voltage", 27, 1, FIELD_HEX, NULL },
	{ "status", 28, 1, FIELD_HEX, NULL },
	{ "upgrade", 29, 1, FIELD_HEX, NULL },
	{ "reserved", 30, 2, FIELD_ZERO, NULL },
	{ .name = NULL },
};

/* Two words, so that every bit has a name of 32 bits. */
static const FieldName low_flags[] = {
	{ 1u << 0, 1u << 0, "serial_controllers" },
	{ 1u << 1, 1u << 1, "pause_after_boot_failure" },
	{ 1u << 2, 1u << 2, "pxe_ipv6" },
	{ 1u << 3, 1u << 3, "debugger" },
	{ 1u << 4, 1u << 4, "load_oemp_table" },
	{ 1u << 5, 1u << 5, "tpm" },
	{ 1u << 6, 1u << 6, "hibernate" },
	{ 3u << 7, 1u << 7, "console_com1" },
	{ 3u << 7, 2u << 7, "console_com2" },
	{ 3u << 7, 3u << 7, "console_none" },
	{ 1u << 9, 1u << 9, "memory_attributes_table" },
	{ 1u << 10, 1u << 10, "virtual_battery" },
	{ 1u << 11, 1u << 11, "sgx_memory" },
	{ 1u << 12, 1u << 12, "vmbfs_boot" },
	{ 1u << 13, 1u << 13, "measure_additional_pcrs" },
	{ 1u << 14, 1u << 14, "disable_frontpage" },
	{ 1u << 15, 1u << 15, "default_boot_always_attempt" },
	{ 1u << 16, 1u << 16, "low_power_s0_idle" },
	{ 1u << 17, 1u << 17, "vpci_boot" },
	{ 1u << 18, 1u << 18, "proc_idle" },
	{ 1u << 19, 1u << 19, "disable_sha384_pcr" },
	{ 1u << 20, 1u << 20, "media_present_by_default" },
	{ 3u << 21, 1u << 21, "memory_protection_default" },
	{ 3u << 21, 2u << 21, "memory_protection_strict" },
	{ 3u << 21, 3u << 21, "memory_protection_relaxed" },
	{ 1u << 23, 1u << 23, "imc_when_isolated" },
	{ 1u << 24, 1u << 24, "watchdog" },
	{ 1u << 25, 1u << 25, "tpm_locality_registers" },
	{ 1u << 26, 1u << 26, "dhcp6_link_layer_address" },
	{ 1u << 27, 1u << 27, "cxl_memory" },
	{ 1u << 28, 1u << 28, "mtrrs_initialized" },
	{ 1u << 30, 1u << 30, "vmbus_disabled" },
	{ 1u << 31, 1u << 31, "pci_resources_assigned" },
	{ .text = NULL },
};

static const FieldName high_flags[] = {
	{ 1, 1, "force_dma_bounce" },
	{ 2, 2, "ipmi" },
	{ .text = NULL },
};

static const FieldRow flag_fields[] = {
	{ "flags", 8, 4, FIELD_BITS, low_flags },
	{ "flags_high", 12, 4, FIELD_BITS, high_flags },
	{ .name = NULL },
};

static const FieldRow processor_fields[] = {
	{ "max_processors", 8, 4, FIELD_DECIMAL, NULL },
	{ "processors", 12, 4, FIELD_DECIMAL, NULL },
	{ "per_socket", 16, 4, FIELD_DECIMAL, NULL },
	{ "threads", 20, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow window_fields[] = {
	{ "page", 0, 8, FIELD_HEX, NULL },
	{ "pages", 8, 8, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow nvdimm_fields[] = {
	{ "count", 8, 2, FIELD_DECIMAL, NULL },
	{ "reserved", 10, 6, FIELD_ZERO, NULL },
	{ .name = NULL },
};

static const FieldRow gic_fields[] = {
	{ "distributor", 8, 8, FIELD_HEX, NULL },
	{ "redistributors", 16, 8, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const FieldRow mpidr_fields[] = {
	{ "mpidr", 0, 8, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const FieldName memory_flags[] = {
	{ 1, 1, "reserved" },
	{ 2, 2, "persistent" },
	{ 4, 4, "specific_purpose" },
	{ .text = NULL },
};

/* The legacy form is the first two of these. */
static const FieldRow memory_fields[] = {
	{ "base", 0, 8, FIELD_HEX, NULL },
	{ "length", 8, 8, FIELD_HEX, NULL },
	{ "flags", 16, 4, FIELD_BITS, memory_flags },
	{ "reserved", 20, 4, FIELD_ZERO, NULL },
	{ .name = NULL },
};

static const FieldRow signature_fields[] = {
	{ "signature", 8, 4, FIELD_TEXT, NULL },
	{ "length", 12, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

/* All of equal size, to the end of the record. */
static void say_items(Decoder *d, const Entry *entry, size_t at, const char *name, size_t size,
	const FieldRow *fields)
{
	const size_t from = entry->start + at, end = entry->start + entry->len;
	const size_t count = (end - from) / size;

	decoder_array(d, entry->group, name, from, end, count, size, fields);
	decoder_rest(d, entry->group, from + count * size, end);
}

/* 1 when the record of firmware information, wherever it stands, says so. */
static bool has_legacy_map(const Decoder *d)
{
	size_t at = 0;

	while (decoder_len(d) - at >= 16) {
		const uint64_t len = decoder_number(d, at + 4, 4);

		if (decoder_number(d, at, 4) == 1)
			return decoder_number(d, at + 12, 4) & 1;
		if (len < HEAD_SIZE || len > decoder_len(d) - at)
			break;
		at += (size_t)len;
	}
	return false;
}

static void say_memory(Decoder *d, const Entry *entry, size_t at)
{
	say_items(d, entry, at, "range", has_legacy_map(d) ? 16 : 24, memory_fields);
}

static void say_windows(Decoder *d, const Entry *entry, size_t at)
{
	say_items(d, entry, at, "window", 16, window_fields);
}

static void say_mpidrs(Decoder *d, const Entry *entry, size_t at)
{
	say_items(d, entry, at, "processor", 8, mpidr_fields);
}

static void say_text(Decoder *d, const Entry *entry, size_t at)
{
	const FieldRow row[] = {
		{ "text", (uint16_t)at,
			entry->len - at < 255 ? (uint8_t)(entry->len - at) : 255, FIELD_TEXT,
			NULL },
		{ .name = NULL },
	};

	decoder_fields(d, entry->group, entry->start, entry->len, row);
}

/* Tables are decoded by who wants them; here they are named. */
static void say_acpi(Decoder *d, const Entry *entry, size_t at)
{
	(void)at;
	decoder_fields(d, entry->group, entry->start, entry->len, signature_fields);
}

static void say_bytes(Decoder *d, const Entry *entry, size_t at)
{
	decoder_bytes(d, entry->group, "bytes", entry->start + at, entry->len - at);
}

#define TEXT_RECORD(type, name)                                                                \
	{                                                                                      \
		type, name, 16, 8, no_fields, say_text                                         \
	}
#define ACPI_RECORD(type, name)                                                                \
	{                                                                                      \
		type, name, 16, 8, no_fields, say_acpi                                         \
	}

/* [MU] BiosInterface.h, by type. */
static const EntryRow records[] = {
	{ 0x00, "structure_count", 16, 16, count_fields, NULL },
	{ 0x01, "bios_information", 16, 16, bios_fields, NULL },
	ACPI_RECORD(0x02, "srat"),
	{ 0x03, "memory_map", 24, 8, no_fields, say_memory },
	{ 0x04, "entropy", 72, 72, entropy_fields, NULL },
	{ 0x05, "bios_guid", 24, 24, guid_fields, NULL },
	TEXT_RECORD(0x06, "system_serial_number"),
	TEXT_RECORD(0x07, "base_serial_number"),
	TEXT_RECORD(0x08, "chassis_serial_number"),
	TEXT_RECORD(0x09, "chassis_asset_tag"),
	TEXT_RECORD(0x0A, "bios_lock_string"),
	{ 0x0B, "smbios31_processor", 32, 32, smbios_fields, NULL },
	TEXT_RECORD(0x0C, "socket_designation"),
	TEXT_RECORD(0x0D, "processor_manufacturer"),
	TEXT_RECORD(0x0E, "processor_version"),
	TEXT_RECORD(0x0F, "processor_serial_number"),
	TEXT_RECORD(0x10, "processor_asset_tag"),
	TEXT_RECORD(0x11, "processor_part_number"),
	{ 0x12, "flags", 16, 16, flag_fields, NULL },
	{ 0x13, "processors", 24, 24, processor_fields, NULL },
	{ 0x14, "mmio_ranges", 40, 8, no_fields, say_windows },
	{ 0x15, "mpidrs", 16, 8, no_fields, say_mpidrs },
	ACPI_RECORD(0x16, "acpi_table"),
	{ 0x17, "nvdimm_count", 16, 16, nvdimm_fields, NULL },
	ACPI_RECORD(0x18, "madt"),
	{ 0x19, "vpci_instance_filter", 24, 24, guid_fields, NULL },
	TEXT_RECORD(0x1A, "system_manufacturer"),
	TEXT_RECORD(0x1B, "system_product_name"),
	TEXT_RECORD(0x1C, "system_version"),
	TEXT_RECORD(0x1D, "system_sku_number"),
	TEXT_RECORD(0x1E, "system_family"),
	TEXT_RECORD(0x1F, "memory_device_serial_number"),
	ACPI_RECORD(0x20, "slit"),
	ACPI_RECORD(0x21, "aspt"),
	ACPI_RECORD(0x22, "pptt"),
	{ 0x23, "gic", 24, 24, gic_fields, NULL },
	ACPI_RECORD(0x24, "mcfg"),
	ACPI_RECORD(0x25, "ssdt"),
	ACPI_RECORD(0x26, "hmat"),
	ACPI_RECORD(0x27, "iort"),
	{ 0x28, "pcie_bar_apertures", 48, 8, no_fields, say_bytes },
	{ .name = NULL },
};

bool uefi_text_is(Bytes blob)
{
	static const uint8_t head[8] = { 0, 0, 0, 0, 16, 0, 0, 0 };

	return blob.len >= 16 && memcmp(blob.data, head, sizeof(head)) == 0;
}

static bool holds_table(uint64_t type)
{
	for (const EntryRow *row = records; row->name; row++) {
		if (row->type == type)
			return row->tail == say_acpi;
	}
	return false;
}

/* Those whose own length fits their record. */
static bool collect_tables(const Decoder *d, AcpiTableList *out)
{
	AcpiTable *items =
		arena_reserve_array(d->arena, AcpiTable, decoder_len(d) / 16 + 1, d->err);
	size_t count = 0, at = 0;

	if (!items)
		return false;
	while (decoder_len(d) - at >= 16) {
		const size_t len = (size_t)decoder_number(d, at + 4, 4);
		const size_t size = (size_t)decoder_number(d, at + 12, 4);

		if (len < HEAD_SIZE || len > decoder_len(d) - at)
			break;
		if (holds_table(decoder_number(d, at, 4)) && len >= 16 && size >= 8 &&
			size <= len - HEAD_SIZE) {
			items[count] = (AcpiTable){ .bytes = { d->table.data + at + 8, size } };
			memcpy(items[count++].signature, d->table.data + at + 8, 4);
		}
		at += len;
	}
	arena_shrink(d->arena, items, count * sizeof(*items));
	*out = (AcpiTableList){ items, count };
	return true;
}

/* The first record says how long all of them are together. */
static void cut_to_total(Decoder *d)
{
	const uint64_t total = decoder_number(d, 12, 4);

	if (total < 16 || total > d->table.len)
		decoder_find(d, PVW_TABLE_0001, 12,
			"%" PRIu64 " bytes of records, expected 16 to %zu", total,
			d->table.len);
	else
		d->table.len = (size_t)total;
}

/* And how many there are. */
static void check_count(Decoder *d)
{
	const uint64_t count = decoder_number(d, 8, 4);

	if (d->start_count != count)
		decoder_find(d, PVW_TABLE_0004, 8, "%zu records, expected %" PRIu64,
			d->start_count, count);
}

bool uefi_text(Bytes blob, Arena *arena, UefiText *out, Diagnostics *findings, Error *err)
{
	Decoder d = {
		.arena = arena, .findings = findings, .err = err, .table = blob, .name = "uefi"
	};
	AcpiTableList tables;

	if (!uefi_text_is(blob))
		return error_set(err, PVW_TABLE_0008,
			"%zu bytes, expected a record of type 0 and 16 bytes", blob.len);
	if (blob.len > ACPI_TEXT_MAX_BYTES)
		return error_set(err, PVW_TABLE_0009, "%zu bytes, expected at most %zu",
			blob.len, ACPI_TEXT_MAX_BYTES);
	cut_to_total(&d);
	decoder_entries(&d, "", 0, d.table.len, &record_form, records);
	check_count(&d);
	if (!collect_tables(&d, &tables) || d.failed)
		return false;
	*out = (UefiText){ d.lines, d.count, tables };
	return true;
}
