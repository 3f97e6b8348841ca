/*
 * Rows of the tables about consoles, CXL, security processors and firmware.
 */
#include "host/acpi_text_internal.h"

static void say_rest(Decoder *d, size_t at)
{
	decoder_rest(d, "", at, decoder_len(d));
}

/*
 * Serial Port Console Redirection Table
 */

static const FieldName uart_types[] = {
	{ 0, 0x00, "16550" },
	{ 0, 0x01, "16450" },
	{ 0, 0x03, "pl011" },
	{ 0, 0x0D, "sbsa_32bit" },
	{ 0, 0x0E, "sbsa" },
	{ 0, 0x12, "16550_gas" },
	{ .text = NULL },
};

static const FieldName uart_interrupts[] = {
	{ 1, 1, "8259" },
	{ 2, 2, "io_apic" },
	{ 4, 4, "io_sapic" },
	{ 8, 8, "gic" },
	{ 16, 16, "plic" },
	{ .text = NULL },
};

static const FieldName baud_rates[] = {
	{ 0, 0, "as_it_is" },
	{ 0, 3, "9600" },
	{ 0, 4, "19200" },
	{ 0, 6, "57600" },
	{ 0, 7, "115200" },
	{ .text = NULL },
};

static const FieldName terminals[] = {
	{ 0, 0, "vt100" },
	{ 0, 1, "vt100_plus" },
	{ 0, 2, "vt_utf8" },
	{ 0, 3, "ansi" },
	{ .text = NULL },
};

static const FieldRow spcr_fields[] = {
	{ "interface_type", 36, 1, FIELD_CHOICE, uart_types },
	{ "reserved", 37, 3, FIELD_ZERO, NULL },
	{ "base_address", 40, 12, FIELD_ADDRESS, NULL },
	{ "interrupt_type", 52, 1, FIELD_BITS, uart_interrupts },
	{ "irq", 53, 1, FIELD_DECIMAL, NULL },
	{ "gsi", 54, 4, FIELD_DECIMAL, NULL },
	{ "baud_rate", 58, 1, FIELD_CHOICE, baud_rates },
	{ "parity", 59, 1, FIELD_DECIMAL, NULL },
	{ "stop_bits", 60, 1, FIELD_DECIMAL, NULL },
	{ "flow_control", 61, 1, FIELD_HEX, NULL },
	{ "terminal_type", 62, 1, FIELD_CHOICE, terminals },
	{ "language", 63, 1, FIELD_DECIMAL, NULL },
	{ "pci_device_id", 64, 2, FIELD_HEX, NULL },
	{ "pci_vendor_id", 66, 2, FIELD_HEX, NULL },
	{ "pci_bus", 68, 1, FIELD_DECIMAL, NULL },
	{ "pci_device", 69, 1, FIELD_DECIMAL, NULL },
	{ "pci_function", 70, 1, FIELD_DECIMAL, NULL },
	{ "pci_flags", 71, 4, FIELD_HEX, NULL },
	{ "pci_segment", 75, 1, FIELD_DECIMAL, NULL },
	{ "clock_frequency", 76, 4, FIELD_DECIMAL, NULL },
	/* revision 4 */
	{ "precise_baud_rate", 80, 4, FIELD_DECIMAL, NULL },
	{ "name_length", 84, 2, FIELD_DECIMAL, NULL },
	{ "name_offset", 86, 2, FIELD_HEX, NULL },
	{ .name = NULL },
};

/* The device's path stands behind the fields of revision 4. */
static void say_spcr_name(Decoder *d, size_t at)
{
	(void)at;
	if (decoder_len(d) > 88)
		decoder_bytes(d, "", "name", 88, decoder_len(d) - 88);
}

/*
 * Debug Port Table 2
 */

static const FieldRow dbg2_fields[] = {
	{ "info_offset", 36, 4, FIELD_HEX, NULL },
	{ "info_count", 40, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldName port_types[] = {
	{ 0, 0x8000, "serial" },
	{ 0, 0x8001, "1394" },
	{ 0, 0x8002, "usb" },
	{ 0, 0x8003, "net" },
	{ .text = NULL },
};

static const FieldRow debug_device_fields[] = {
	{ "revision", 0, 1, FIELD_DECIMAL, NULL },
	{ "length", 1, 2, FIELD_DECIMAL, NULL },
	{ "register_count", 3, 1, FIELD_DECIMAL, NULL },
	{ "name_length", 4, 2, FIELD_DECIMAL, NULL },
	{ "name_offset", 6, 2, FIELD_DECIMAL, NULL },
	{ "oem_length", 8, 2, FIELD_DECIMAL, NULL },
	{ "oem_offset", 10, 2, FIELD_DECIMAL, NULL },
	{ "port_type", 12, 2, FIELD_CHOICE, port_types },
	{ "port_subtype", 14, 2, FIELD_HEX, NULL },
	{ "reserved", 16, 2, FIELD_ZERO, NULL },
	{ "base_offset", 18, 2, FIELD_DECIMAL, NULL },
	{ "size_offset", 20, 2, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow debug_register_fields[] = {
	{ "address", 0, 12, FIELD_ADDRESS, NULL },
	{ .name = NULL },
};

static const FieldRow debug_size_fields[] = {
	{ "bytes", 0, 4, FIELD_HEX, NULL },
	{ .name = NULL },
};

static bool is_inside(Decoder *d, const Entry *entry, size_t at, size_t offset, size_t len)
{
	if (offset >= 22 && offset <= entry->len && len <= entry->len - offset)
		return true;
	decoder_find(d, PVW_TABLE_0007, entry->start + at,
		"%s: %zu bytes at %zu, expected them within 22 and %zu", entry->group, len,
		offset, entry->len);
	return false;
}

static void say_debug_device(Decoder *d, const Entry *entry, size_t at)
{
	const size_t start = entry->start, count = (size_t)decoder_number(d, start + 3, 1);
	const size_t base = (size_t)decoder_number(d, start + 18, 2);
	const size_t size = (size_t)decoder_number(d, start + 20, 2);
	const size_t name_len = (size_t)decoder_number(d, start + 4, 2);
	const size_t name = (size_t)decoder_number(d, start + 6, 2);

	(void)at;
	if (count && is_inside(d, entry, 18, base, 12 * count))
		decoder_array(d, entry->group, "register", start + base, start + entry->len,
			count, 12, debug_register_fields);
	if (count && is_inside(d, entry, 20, size, 4 * count))
		decoder_array(d, entry->group, "size", start + size, start + entry->len, count,
			4, debug_size_fields);
	if (is_inside(d, entry, 6, name, name_len))
		decoder_bytes(d, entry->group, "name", start + name, name_len);
}

static void say_debug_devices(Decoder *d, size_t at)
{
	/* Entries have a revision where others have a type; there is one. */
	static const EntryForm form = { 0, 1, 1, 2 };
	static const EntryRow rows[] = {
		{ 0, "device", 22, 22, debug_device_fields, say_debug_device },
		{ .name = NULL },
	};
	const uint64_t offset = decoder_number(d, 36, 4);

	if (offset < at || offset > decoder_len(d)) {
		decoder_find(d, PVW_TABLE_0007, 36,
			"info_offset: 0x%x, expected 0x%zx to 0x%zx", (unsigned)offset, at,
			decoder_len(d));
		return;
	}
	decoder_entries(d, "", (size_t)offset, decoder_len(d), &form, rows);
}

/*
 * [CXL] 9.17.1
 */

static const EntryForm cedt_form = { 0, 1, 2, 2 };

#define CEDT_HEAD                                                                              \
	{ "type", 0, 1, FIELD_DECIMAL, NULL }, { "reserved", 1, 1, FIELD_ZERO, NULL },         \
	{                                                                                      \
		"length", 2, 2, FIELD_DECIMAL, NULL                                            \
	}

static const FieldName cxl_versions[] = {
	{ 0, 0, "cxl_1_1" },
	{ 0, 1, "cxl_2_0" },
	{ .text = NULL },
};

static const FieldRow chbs_fields[] = {
	CEDT_HEAD,
	{ "uid", 4, 4, FIELD_DECIMAL, NULL },
	{ "cxl_version", 8, 4, FIELD_CHOICE, cxl_versions },
	{ "reserved", 12, 4, FIELD_ZERO, NULL },
	{ "base", 16, 8, FIELD_HEX, NULL },
	{ "range_length", 24, 8, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const FieldName window_restrictions[] = {
	{ 1, 1, "type_2" },
	{ 2, 2, "type_3" },
	{ 4, 4, "volatile" },
	{ 8, 8, "persistent" },
	{ 16, 16, "fixed" },
	{ 32, 32, "back_invalidate" },
	{ .text = NULL },
};

static const FieldRow cfmws_fields[] = {
	CEDT_HEAD,
	{ "reserved", 4, 4, FIELD_ZERO, NULL },
	{ "base", 8, 8, FIELD_HEX, NULL },
	{ "size", 16, 8, FIELD_HEX, NULL },
	{ "interleave_ways", 24, 1, FIELD_DECIMAL, NULL },
	{ "interleave_arithmetic", 25, 1, FIELD_DECIMAL, NULL },
	{ "reserved", 26, 2, FIELD_ZERO, NULL },
	{ "granularity", 28, 4, FIELD_DECIMAL, NULL },
	{ "restrictions", 32, 2, FIELD_BITS, window_restrictions },
	{ "qtg_id", 34, 2, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow target_fields[] = {
	{ "uid", 0, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

/* 1, 2, 4, 8 and 16 ways are their logarithm; 3, 6 and 12 are 8, 9 and 10. */
static void say_targets(Decoder *d, const Entry *entry, size_t at)
{
	const uint64_t code = decoder_number(d, entry->start + 24, 1);
	const uint64_t ways = code < 5    ? (uint64_t)1 << code
		: code >= 8 && code <= 10 ? (uint64_t)3 << (code - 8)
					  : (entry->len - at) / 4;
	const size_t from = entry->start + at, end = entry->start + entry->len;

	decoder_array(d, entry->group, "target", from, end, ways, 4, target_fields);
	if (ways < (end - from) / 4)
		decoder_rest(d, entry->group, from + 4 * (size_t)ways, end);
}

static const EntryRow cedt_entries[] = {
	{ 0, "host_bridge", 32, 32, chbs_fields, NULL },
	{ 1, "window", 36, 36, cfmws_fields, say_targets },
	{ .name = NULL },
};

static const FieldRow no_fields[] = {
	{ .name = NULL },
};

/*
 * AMD Secure Processor Table; of its lengths each counts its own four bytes.
 */

static const FieldRow aspt_fields[] = {
	{ "register_structures", 36, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const EntryForm aspt_form = { 0, 2, 2, 2 };

#define ASPT_HEAD                                                                              \
	{ "type", 0, 2, FIELD_DECIMAL, NULL },                                                 \
	{                                                                                      \
		"length", 2, 2, FIELD_DECIMAL, NULL                                            \
	}

static const FieldRow aspt_global_fields[] = {
	ASPT_HEAD,
	{ "reserved", 4, 4, FIELD_ZERO, NULL },
	{ "feature", 8, 8, FIELD_HEX, NULL },
	{ "interrupt_enable", 16, 8, FIELD_HEX, NULL },
	{ "interrupt_status", 24, 8, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const FieldRow aspt_sev_fields[] = {
	ASPT_HEAD,
	{ "mailbox_interrupt", 4, 1, FIELD_DECIMAL, NULL },
	{ "reserved", 5, 3, FIELD_ZERO, NULL },
	{ "command_response", 8, 8, FIELD_HEX, NULL },
	{ "command_buffer_low", 16, 8, FIELD_HEX, NULL },
	{ "command_buffer_high", 24, 8, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const FieldRow aspt_acpi_fields[] = {
	ASPT_HEAD,
	{ "reserved", 4, 4, FIELD_ZERO, NULL },
	{ "command_response", 8, 8, FIELD_HEX, NULL },
	{ "reserved", 16, 16, FIELD_ZERO, NULL },
	{ .name = NULL },
};

static const EntryRow aspt_entries[] = {
	{ 0, "global_registers", 32, 32, aspt_global_fields, NULL },
	{ 1, "sev_mailbox", 32, 32, aspt_sev_fields, NULL },
	{ 2, "acpi_mailbox", 32, 32, aspt_acpi_fields, NULL },
	{ .name = NULL },
};

/*
 * Tables of firmware that a host may hand over.
 */

/* IA-PC HPET Specification 1.0a, 3.2.4 */
static const FieldRow hpet_fields[] = {
	{ "block_id", 36, 4, FIELD_HEX, NULL },
	{ "base_address", 40, 12, FIELD_ADDRESS, NULL },
	{ "number", 52, 1, FIELD_DECIMAL, NULL },
	{ "minimum_tick", 53, 2, FIELD_DECIMAL, NULL },
	{ "page_protection", 55, 1, FIELD_HEX, NULL },
	{ .name = NULL },
};

/* TCG ACPI Specification 1.4, 7 */
static const FieldRow tpm2_fields[] = {
	{ "platform_class", 36, 2, FIELD_DECIMAL, NULL },
	{ "reserved", 38, 2, FIELD_ZERO, NULL },
	{ "control_area", 40, 8, FIELD_HEX, NULL },
	{ "start_method", 48, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static void say_tpm2_rest(Decoder *d, size_t at)
{
	decoder_bytes(d, "", "parameters", at, decoder_len(d) - at);
}

/* [ACPI65] 5.2.22 */
static const FieldRow bgrt_fields[] = {
	{ "version", 36, 2, FIELD_DECIMAL, NULL },
	{ "status", 38, 1, FIELD_HEX, NULL },
	{ "image_type", 39, 1, FIELD_DECIMAL, NULL },
	{ "image_address", 40, 8, FIELD_HEX, NULL },
	{ "x", 48, 4, FIELD_DECIMAL, NULL },
	{ "y", 52, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

const TableRow acpi_platform_tables[] = {
	{ "SPCR", "Serial Port Console Redirection Table", 80, spcr_fields, NULL, NULL,
		say_spcr_name, { "base_address", NULL } },
	{ "DBG2", "Debug Port Table 2", 44, dbg2_fields, NULL, NULL, say_debug_devices,
		{ NULL } },
	{ "CEDT", "CXL Early Discovery Table", 36, no_fields, &cedt_form, cedt_entries, NULL,
		{ NULL } },
	{ "ASPT", "AMD Secure Processor Table", 40, aspt_fields, &aspt_form, aspt_entries, NULL,
		{ NULL } },
	{ "HPET", "High Precision Event Timer", 56, hpet_fields, NULL, NULL, say_rest,
		{ NULL } },
	{ "TPM2", "Trusted Platform Module 2", 52, tpm2_fields, NULL, NULL, say_tpm2_rest,
		{ "control_area", NULL } },
	{ "BGRT", "Boot Graphics Resource Table", 56, bgrt_fields, NULL, NULL, say_rest,
		{ NULL } },
	{ .title = NULL },
};
