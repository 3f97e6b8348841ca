/*
 * Rows of the tables that lead to the others, and of those that hold AML or a few fixed fields.
 */
#include <inttypes.h>

#include "host/acpi_text_internal.h"

/* [ACPI65] 5.2.6 */
const FieldRow acpi_header_fields[] = {
	{ "signature", 0, 4, FIELD_TEXT, NULL },
	{ "length", 4, 4, FIELD_DECIMAL, NULL },
	{ "revision", 8, 1, FIELD_DECIMAL, NULL },
	{ "checksum", 9, 1, FIELD_CHECKSUM, NULL },
	{ "oem_id", 10, 6, FIELD_TEXT, NULL },
	{ "oem_table_id", 16, 8, FIELD_TEXT, NULL },
	{ "oem_revision", 24, 4, FIELD_HEX, NULL },
	{ "creator_id", 28, 4, FIELD_TEXT, NULL },
	{ "creator_revision", 32, 4, FIELD_HEX, NULL },
	{ .name = NULL },
};

/* [ACPI65] 5.2.5.3 */
static const FieldRow rsdp_fields[] = {
	{ "signature", 0, 8, FIELD_TEXT, NULL },
	{ "checksum", 8, 1, FIELD_CHECKSUM, NULL },
	{ "oem_id", 9, 6, FIELD_TEXT, NULL },
	{ "revision", 15, 1, FIELD_DECIMAL, NULL },
	{ "rsdt_address", 16, 4, FIELD_HEX, NULL },
	{ "length", 20, 4, FIELD_DECIMAL, NULL },
	{ "xsdt_address", 24, 8, FIELD_HEX, NULL },
	{ "extended_checksum", 32, 1, FIELD_CHECKSUM, NULL },
	{ "reserved", 33, 3, FIELD_ZERO, NULL },
	{ .name = NULL },
};

static void say_rsdp_rest(Decoder *d, size_t at)
{
	(void)at;
	decoder_rest(d, "", 36, decoder_len(d));
}

static const FieldRow table_pointer_fields[] = {
	{ "address", 0, 8, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const FieldRow old_table_pointer_fields[] = {
	{ "address", 0, 4, FIELD_HEX, NULL },
	{ .name = NULL },
};

static void say_pointers(Decoder *d, size_t at, size_t size, const FieldRow *fields)
{
	const size_t end = decoder_len(d), count = (end - at) / size;

	decoder_array(d, "", "table", at, end, count, size, fields);
	decoder_rest(d, "", at + count * size, end);
}

static void say_xsdt(Decoder *d, size_t at)
{
	say_pointers(d, at, 8, table_pointer_fields);
}

static void say_rsdt(Decoder *d, size_t at)
{
	say_pointers(d, at, 4, old_table_pointer_fields);
}

static const FieldRow no_fields[] = {
	{ .name = NULL },
};

/*
 * [ACPI65] 5.2.9
 */

static const FieldName fadt_profiles[] = {
	{ 0, 0, "unspecified" },
	{ 0, 1, "desktop" },
	{ 0, 2, "mobile" },
	{ 0, 3, "workstation" },
	{ 0, 4, "enterprise_server" },
	{ 0, 5, "soho_server" },
	{ 0, 6, "appliance_pc" },
	{ 0, 7, "performance_server" },
	{ 0, 8, "tablet" },
	{ .text = NULL },
};

static const FieldName fadt_flags[] = {
	{ 1u << 0, 1u << 0, "wbinvd" },
	{ 1u << 1, 1u << 1, "wbinvd_flush" },
	{ 1u << 2, 1u << 2, "proc_c1" },
	{ 1u << 3, 1u << 3, "p_lvl2_up" },
	{ 1u << 4, 1u << 4, "pwr_button" },
	{ 1u << 5, 1u << 5, "slp_button" },
	{ 1u << 6, 1u << 6, "fix_rtc" },
	{ 1u << 7, 1u << 7, "rtc_s4" },
	{ 1u << 8, 1u << 8, "tmr_val_ext" },
	{ 1u << 9, 1u << 9, "dck_cap" },
	{ 1u << 10, 1u << 10, "reset_reg_sup" },
	{ 1u << 11, 1u << 11, "sealed_case" },
	{ 1u << 12, 1u << 12, "headless" },
	{ 1u << 13, 1u << 13, "cpu_sw_slp" },
	{ 1u << 14, 1u << 14, "pci_exp_wak" },
	{ 1u << 15, 1u << 15, "use_platform_clock" },
	{ 1u << 16, 1u << 16, "s4_rtc_sts_valid" },
	{ 1u << 17, 1u << 17, "remote_power_on_capable" },
	{ 1u << 18, 1u << 18, "force_apic_cluster_model" },
	{ 1u << 19, 1u << 19, "force_apic_physical_destination_mode" },
	{ 1u << 20, 1u << 20, "hw_reduced_acpi" },
	{ 1u << 21, 1u << 21, "low_power_s0_idle_capable" },
	{ 3u << 22, 1u << 22, "caches_not_persistent" },
	{ 3u << 22, 2u << 22, "caches_persistent" },
	{ .text = NULL },
};

static const FieldName fadt_x86_flags[] = {
	{ 1, 1, "legacy_devices" },
	{ 2, 2, "8042" },
	{ 4, 4, "vga_not_present" },
	{ 8, 8, "msi_not_supported" },
	{ 16, 16, "no_pcie_aspm" },
	{ 32, 32, "cmos_rtc_not_present" },
	{ .text = NULL },
};

static const FieldName fadt_arm_flags[] = {
	{ 1, 1, "psci_compliant" },
	{ 2, 2, "psci_use_hvc" },
	{ .text = NULL },
};

static const FieldRow fadt_fields[] = {
	{ "firmware_ctrl", 36, 4, FIELD_HEX, NULL },
	{ "dsdt", 40, 4, FIELD_HEX, NULL },
	{ "int_model", 44, 1, FIELD_HEX, NULL },
	{ "preferred_pm_profile", 45, 1, FIELD_CHOICE, fadt_profiles },
	{ "sci_int", 46, 2, FIELD_DECIMAL, NULL },
	{ "smi_cmd", 48, 4, FIELD_HEX, NULL },
	{ "acpi_enable", 52, 1, FIELD_HEX, NULL },
	{ "acpi_disable", 53, 1, FIELD_HEX, NULL },
	{ "s4bios_req", 54, 1, FIELD_HEX, NULL },
	{ "pstate_cnt", 55, 1, FIELD_HEX, NULL },
	{ "pm1a_evt_blk", 56, 4, FIELD_HEX, NULL },
	{ "pm1b_evt_blk", 60, 4, FIELD_HEX, NULL },
	{ "pm1a_cnt_blk", 64, 4, FIELD_HEX, NULL },
	{ "pm1b_cnt_blk", 68, 4, FIELD_HEX, NULL },
	{ "pm2_cnt_blk", 72, 4, FIELD_HEX, NULL },
	{ "pm_tmr_blk", 76, 4, FIELD_HEX, NULL },
	{ "gpe0_blk", 80, 4, FIELD_HEX, NULL },
	{ "gpe1_blk", 84, 4, FIELD_HEX, NULL },
	{ "pm1_evt_len", 88, 1, FIELD_DECIMAL, NULL },
	{ "pm1_cnt_len", 89, 1, FIELD_DECIMAL, NULL },
	{ "pm2_cnt_len", 90, 1, FIELD_DECIMAL, NULL },
	{ "pm_tmr_len", 91, 1, FIELD_DECIMAL, NULL },
	{ "gpe0_blk_len", 92, 1, FIELD_DECIMAL, NULL },
	{ "gpe1_blk_len", 93, 1, FIELD_DECIMAL, NULL },
	{ "gpe1_base", 94, 1, FIELD_DECIMAL, NULL },
	{ "cst_cnt", 95, 1, FIELD_HEX, NULL },
	{ "p_lvl2_lat", 96, 2, FIELD_DECIMAL, NULL },
	{ "p_lvl3_lat", 98, 2, FIELD_DECIMAL, NULL },
	{ "flush_size", 100, 2, FIELD_DECIMAL, NULL },
	{ "flush_stride", 102, 2, FIELD_DECIMAL, NULL },
	{ "duty_offset", 104, 1, FIELD_DECIMAL, NULL },
	{ "duty_width", 105, 1, FIELD_DECIMAL, NULL },
	{ "day_alrm", 106, 1, FIELD_HEX, NULL },
	{ "mon_alrm", 107, 1, FIELD_HEX, NULL },
	{ "century", 108, 1, FIELD_HEX, NULL },
	{ "iapc_boot_arch", 109, 2, FIELD_BITS, fadt_x86_flags },
	{ "reserved", 111, 1, FIELD_ZERO, NULL },
	{ "flags", 112, 4, FIELD_BITS, fadt_flags },
	{ "reset_reg", 116, 12, FIELD_ADDRESS, NULL },
	{ "reset_value", 128, 1, FIELD_HEX, NULL },
	{ "arm_boot_arch", 129, 2, FIELD_BITS, fadt_arm_flags },
	{ "minor_version", 131, 1, FIELD_DECIMAL, NULL },
	{ "x_firmware_ctrl", 132, 8, FIELD_HEX, NULL },
	{ "x_dsdt", 140, 8, FIELD_HEX, NULL },
	{ "x_pm1a_evt_blk", 148, 12, FIELD_ADDRESS, NULL },
	{ "x_pm1b_evt_blk", 160, 12, FIELD_ADDRESS, NULL },
	{ "x_pm1a_cnt_blk", 172, 12, FIELD_ADDRESS, NULL },
	{ "x_pm1b_cnt_blk", 184, 12, FIELD_ADDRESS, NULL },
	{ "x_pm2_cnt_blk", 196, 12, FIELD_ADDRESS, NULL },
	{ "x_pm_tmr_blk", 208, 12, FIELD_ADDRESS, NULL },
	{ "x_gpe0_blk", 220, 12, FIELD_ADDRESS, NULL },
	{ "x_gpe1_blk", 232, 12, FIELD_ADDRESS, NULL },
	{ "sleep_control_reg", 244, 12, FIELD_ADDRESS, NULL },
	{ "sleep_status_reg", 256, 12, FIELD_ADDRESS, NULL },
	{ "hypervisor_identity", 268, 8, FIELD_TEXT, NULL },
	{ .name = NULL },
};

static void say_fadt_rest(Decoder *d, size_t at)
{
	(void)at;
	decoder_rest(d, "", 276, decoder_len(d));
}

/* [ACPI65] 5.2.10 */
static const FieldName facs_flags[] = {
	{ 1, 1, "s4bios" },
	{ 2, 2, "64bit_wake" },
	{ .text = NULL },
};

static const FieldName facs_ospm_flags[] = {
	{ 1, 1, "64bit_wake" },
	{ .text = NULL },
};

static const FieldRow facs_fields[] = {
	{ "signature", 0, 4, FIELD_TEXT, NULL },
	{ "length", 4, 4, FIELD_DECIMAL, NULL },
	{ "hardware_signature", 8, 4, FIELD_HEX, NULL },
	{ "waking_vector", 12, 4, FIELD_HEX, NULL },
	{ "global_lock", 16, 4, FIELD_HEX, NULL },
	{ "flags", 20, 4, FIELD_BITS, facs_flags },
	{ "x_waking_vector", 24, 8, FIELD_HEX, NULL },
	{ "version", 32, 1, FIELD_DECIMAL, NULL },
	{ "reserved", 33, 3, FIELD_ZERO, NULL },
	{ "ospm_flags", 36, 4, FIELD_BITS, facs_ospm_flags },
	{ "reserved", 40, 24, FIELD_ZERO, NULL },
	{ .name = NULL },
};

static void say_rest(Decoder *d, size_t at)
{
	decoder_rest(d, "", at, decoder_len(d));
}

/* [ACPI65] 5.2.17 */
static const FieldRow slit_fields[] = {
	{ "localities", 36, 8, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

/* A line a row of the matrix; wide rows are several lines of thirty-two. */
static void say_distances(Decoder *d, uint64_t from, size_t at, size_t count)
{
	for (size_t i = 0; i < count; i += 32) {
		char text[32 * 4 + 1];
		size_t out = 0, some = count - i < 32 ? count - i : 32;

		for (size_t j = 0; j < some; j++) {
			const unsigned value = (unsigned)decoder_number(d, at + i + j, 1);

			if (j)
				text[out++] = ' ';
			if (value >= 100)
				text[out++] = (char)('0' + value / 100);
			if (value >= 10)
				text[out++] = (char)('0' + value / 10 % 10);
			text[out++] = (char)('0' + value % 10);
		}
		text[out] = 0;
		decoder_line(d, "", decoder_printf(d, "from_%" PRIu64, from), at + i, some,
			decoder_printf(d, "%s", text), NULL);
	}
}

static void say_slit(Decoder *d, size_t at)
{
	const size_t room = decoder_len(d) - at;
	const uint64_t count = decoder_number(d, 36, 8);

	if (count > room || count * count > room) {
		decoder_find(d, PVW_TABLE_0003, 36,
			"%" PRIu64 " localities in %zu bytes, expected their square", count,
			room);
		decoder_bytes(d, "", "rest", at, room);
		return;
	}
	for (uint64_t i = 0; i < count; i++)
		say_distances(d, i, at + (size_t)(i * count), (size_t)count);
	decoder_rest(d, "", at + (size_t)(count * count), decoder_len(d));
}

/* PCI Firmware Specification 3.3, 4.1.2 */
static const FieldRow mcfg_fields[] = {
	{ "reserved", 36, 8, FIELD_ZERO, NULL },
	{ .name = NULL },
};

static const FieldRow mcfg_allocation_fields[] = {
	{ "base", 0, 8, FIELD_HEX, NULL },
	{ "segment", 8, 2, FIELD_DECIMAL, NULL },
	{ "start_bus", 10, 1, FIELD_DECIMAL, NULL },
	{ "end_bus", 11, 1, FIELD_DECIMAL, NULL },
	{ "reserved", 12, 4, FIELD_ZERO, NULL },
	{ .name = NULL },
};

static void say_mcfg(Decoder *d, size_t at)
{
	const size_t end = decoder_len(d), count = (end - at) / 16;

	decoder_array(d, "", "allocation", at, end, count, 16, mcfg_allocation_fields);
	decoder_rest(d, "", at + 16 * count, end);
}

/* Windows ACPI Emulated Devices Table */
static const FieldName waet_flags[] = {
	{ 1, 1, "rtc_good" },
	{ 2, 2, "pm_timer_good" },
	{ .text = NULL },
};

static const FieldRow waet_fields[] = {
	{ "flags", 36, 4, FIELD_BITS, waet_flags },
	{ .name = NULL },
};

const TableRow acpi_system_tables[] = {
	{ "RSD PTR ", "Root System Description Pointer", 20, rsdp_fields, NULL, NULL,
		say_rsdp_rest, { "xsdt_address", NULL } },
	{ "XSDT", "Extended System Description Table", 36, no_fields, NULL, NULL, say_xsdt,
		{ NULL } },
	{ "RSDT", "Root System Description Table", 36, no_fields, NULL, NULL, say_rsdt,
		{ NULL } },
	{ "FACP", "Fixed ACPI Description Table", 116, fadt_fields, NULL, NULL, say_fadt_rest,
		{ "sci_int", "x_dsdt", NULL } },
	{ "FACS", "Firmware ACPI Control Structure", 64, facs_fields, NULL, NULL, say_rest,
		{ NULL } },
	{ "DSDT", "Differentiated System Description Table", 36, acpi_header_fields, NULL, NULL,
		NULL, { NULL } },
	{ "SSDT", "Secondary System Description Table", 36, acpi_header_fields, NULL, NULL,
		NULL, { NULL } },
	{ "PSDT", "Persistent System Description Table", 36, acpi_header_fields, NULL, NULL,
		NULL, { NULL } },
	{ "SLIT", "System Locality Information Table", 44, slit_fields, NULL, NULL, say_slit,
		{ "localities", NULL } },
	{ "MCFG", "PCI Express memory mapped configuration", 44, mcfg_fields, NULL, NULL,
		say_mcfg, { NULL } },
	{ "WAET", "Windows ACPI Emulated Devices Table", 40, waet_fields, NULL, NULL, say_rest,
		{ "flags", NULL } },
	{ .title = NULL },
};
