/* ACPI tables as lines: tables by hand, from [ACPI65], and what is wrong with damaged ones. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "host/acpi_text.h"
#include "support/arena.h"

static Arena *arena;
static Diagnostics findings;
static Error err;
static uint8_t table[1024];
static AcpiText text;

static void set_up(void)
{
	arena = arena_new((size_t)32 << 20);
	cr_assert(diagnostics_init(&findings, 64, arena, &err));
	memset(table, 0, sizeof(table));
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(acpi_text, .init = set_up, .fini = tear_down);

static void put(size_t at, size_t size, uint64_t value)
{
	for (size_t i = 0; i < size; i++)
		table[at + i] = (uint8_t)(value >> 8 * i);
}

static void put_hex(size_t at, const char *hex)
{
	unsigned byte;

	for (; sscanf(hex, "%2x", &byte) == 1; at++, hex += hex[2] == ' ' ? 3 : 2)
		table[at] = (uint8_t)byte;
}

static void begin(const char *signature, uint8_t revision)
{
	memcpy(table, signature, 4);
	table[8] = revision;
	memcpy(table + 10, "OEMID", 5);
	memcpy(table + 16, "OEMTABLE", 8);
	put(24, 4, 1);
	memcpy(table + 28, "TEST", 4);
	put(32, 4, 2);
}

static void seal(size_t len)
{
	uint8_t sum = 0;

	put(4, 4, len);
	table[9] = 0;
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + table[i]);
	table[9] = (uint8_t)-sum;
}

static void decode(size_t len)
{
	cr_assert(acpi_text((Bytes){ table, len }, arena, &text, &findings, &err), "%s",
		err.text);
}

/* A table without a finding. */
static void decode_well(size_t len)
{
	seal(len);
	decode(len);
	cr_assert_eq(findings.count, 0, "%s", findings.items[0].what.text);
	cr_assert(text.checksum_ok);
	cr_assert_eq(text.length, len);
}

static const AcpiLine *line(const char *group, const char *name)
{
	for (size_t i = 0; i < text.count; i++) {
		if (strcmp(text.lines[i].group, group) == 0 &&
			strcmp(text.lines[i].name, name) == 0)
			return &text.lines[i];
	}
	cr_assert_fail("no line %s.%s", group, name);
	return NULL;
}

static void expect(const char *group, const char *name, const char *value, const char *note)
{
	const AcpiLine *found = line(group, name);

	cr_assert_str_eq(found->value, value);
	cr_assert_str_eq(found->note, note);
}

/* Exactly one finding of a kind. */
static void expect_finding(uint16_t diagnostic, const char *word, uint64_t offset)
{
	size_t count = 0;

	for (size_t i = 0; i < findings.count; i++) {
		const Error *what = &findings.items[i].what;

		if (what->diagnostic != diagnostic)
			continue;
		count++;
		cr_assert(strstr(what->text, word), "%s", what->text);
		cr_assert_eq(what->offset, offset, "0x%lx", what->offset);
		cr_assert_str_eq(what->source, text.signature);
	}
	cr_assert_eq(count, 1, "%zu findings", count);
}

Test(acpi_text, reads_the_header)
{
	begin("ABCD", 3);
	table[36] = 0x5A;
	decode_well(37);

	cr_assert_str_eq(text.signature, "ABCD");
	cr_assert_str_eq(text.title, "");
	cr_assert_eq(text.revision, 3);
	expect("", "signature", "\"ABCD\"", "");
	expect("", "length", "37", "");
	expect("", "oem_id", "\"OEMID\"", "");
	expect("", "creator_revision", "0x00000002", "");
	expect("", "bytes", "5a", "");
	cr_assert_eq(line("", "oem_table_id")->offset, 16);
	cr_assert_eq(line("", "oem_table_id")->size, 8);
}

Test(acpi_text, reads_an_rsdp_and_both_of_its_checksums)
{
	uint8_t sum = 0;

	memcpy(table, "RSD PTR \0OEMID ", 15);
	table[15] = 2;
	put(20, 4, 36);
	put(24, 8, 0x123456000);
	for (size_t i = 0; i < 20; i++)
		sum = (uint8_t)(sum + table[i]);
	table[8] = (uint8_t)-sum;
	for (size_t i = sum = 0; i < 36; i++)
		sum = (uint8_t)(sum + table[i]);
	table[32] = (uint8_t)-sum;
	decode(36);

	cr_assert_eq(findings.count, 0, "%s", findings.items[0].what.text);
	cr_assert_str_eq(text.signature, "RSD PTR ");
	cr_assert_eq(text.revision, 2);
	expect("", "xsdt_address", "0x0000000123456000", "");
	cr_assert_str_eq(line("", "checksum")->note, "right");
	cr_assert_str_eq(line("", "extended_checksum")->note, "right");
	cr_assert_str_eq(text.summary, "xsdt_address 0x0000000123456000");

	table[33] = 1;
	decode(36);
	expect_finding(PVW_TABLE_0002, "extended_checksum", 32);
	expect_finding(PVW_TABLE_0006, "reserved", 33);
}

Test(acpi_text, reads_a_fixed_description_table)
{
	begin("FACP", 6);
	put(46, 2, 9);
	put(112, 4, 0x85B5);
	put_hex(116, "01 08 00 01 33 04");
	put(140, 8, 0x19000);
	put(268, 8, 0x567265707948734D);
	decode_well(276);

	expect("", "sci_int", "9", "");
	expect("", "flags", "0x000085b5",
		"wbinvd, proc_c1, pwr_button, slp_button, rtc_s4, tmr_val_ext, reset_reg_sup, "
		"use_platform_clock");
	expect("", "reset_reg", "io 0x0000000000000433", "8 bits from 0, access byte");
	expect("", "x_pm1b_evt_blk", "none", "");
	expect("", "hypervisor_identity", "\"MsHyperV\"", "");
	cr_assert_str_eq(text.summary, "sci_int 9, x_dsdt 0x0000000000019000");
}

Test(acpi_text, reads_a_firmware_control_structure_which_has_no_checksum)
{
	memcpy(table, "FACS", 4);
	put(4, 4, 64);
	table[32] = 2;
	decode(64);

	cr_assert_eq(findings.count, 0, "%s", findings.items[0].what.text);
	cr_assert(text.checksum_ok);
	expect("", "version", "2", "");
}

Test(acpi_text, reads_processors_and_interrupts)
{
	begin("APIC", 5);
	put(36, 4, 0xFEE00000);
	put(40, 4, 1);
	put_hex(44, "01 0c 00 00 00 00 c0 fe 00 00 00 00");
	put_hex(56, "02 0a 00 09 09 00 00 00 0d 00");
	put_hex(66, "04 06 01 00 00 01");
	put_hex(72, "00 08 01 00 01 00 00 00");
	put_hex(80, "00 08 02 01 01 00 00 00");
	put_hex(88, "09 10 00 00 00 01 00 00 01 00 00 00 01 01 00 00");
	decode_well(104);

	expect("", "flags", "0x00000001", "pcat_compat");
	expect("io_apic[0]", "address", "0xfec00000", "");
	expect("override[0]", "flags", "0x000d", "active_high, level");
	expect("local_apic_nmi[0]", "lint", "1", "");
	expect("local_apic[1]", "apic_id", "1", "");
	expect("x2apic[0]", "uid", "257", "");
	cr_assert_eq(line("x2apic[0]", "uid")->offset, 100);
	cr_assert_str_eq(text.summary,
		"1 io_apic, 1 override, 1 local_apic_nmi, 2 local_apic, 1 x2apic");
}

Test(acpi_text, reads_an_arm_interrupt_controller)
{
	begin("APIC", 5);
	put_hex(44, "0c 18");
	put(52, 8, 0xFFFF0000);
	table[64] = 3;
	put_hex(68, "0b 50");
	put(76, 4, 1);
	put(80, 4, 1);
	put(128, 8, 0xEFFEE000);
	put(136, 8, 0x80000000);
	decode_well(148);

	expect("gicd[0]", "version", "3", "");
	expect("gicc[0]", "gicr_base", "0x00000000effee000", "");
	expect("gicc[0]", "flags", "0x00000001", "enabled");
}

Test(acpi_text, reads_affinities)
{
	begin("SRAT", 3);
	put(36, 4, 1);
	put_hex(48, "00 10 01 fe 01 00 00 00");
	put_hex(64, "01 28 02 00 00 00 00 00");
	put(72, 8, 0x100000000);
	put(80, 8, 0x40000000);
	put(92, 4, 1);
	put_hex(104, "05 20 00 01 3f 00 00 00 00 00 01 00");
	put(128, 4, 1);
	decode_well(136);

	expect("local_apic[0]", "apic_id", "254", "");
	expect("memory[0]", "range_length", "0x0000000040000000", "");
	expect("generic_initiator[0]", "handle_type", "0x01", "pci");
}

Test(acpi_text, reads_distances_a_line_for_each_node)
{
	begin("SLIT", 1);
	put(36, 8, 2);
	put_hex(44, "0a 14 ff 0a");
	decode_well(48);

	expect("", "from_0", "10 20", "");
	expect("", "from_1", "255 10", "");
}

Test(acpi_text, reads_where_configuration_space_lies)
{
	begin("MCFG", 1);
	put(44, 8, 0xE0000000);
	put_hex(52, "01 00 20 3f");
	decode_well(60);

	expect("allocation[0]", "base", "0x00000000e0000000", "");
	expect("allocation[0]", "segment", "1", "");
	expect("allocation[0]", "end_bus", "63", "");
}

Test(acpi_text, resolves_what_nodes_refer_to)
{
	begin("PPTT", 3);
	put_hex(36, "01 1c 00 00 50 00 00 00");
	put_hex(64, "00 18 00 00 01 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00 24 00 00 00");
	put_hex(88, "00 14 00 00 0a 00 00 00 40 00 00 00 01 00 00 00 00 00 00 00");
	decode_well(108);

	expect("processor[0].resource[0]", "node", "0x00000024", "cache[0]");
	expect("processor[1]", "parent", "0x00000040", "processor[0]");
	expect("processor[1]", "flags", "0x0000000a", "uid_valid, leaf");

	put(96, 4, 0x41);
	seal(108);
	decode(108);
	expect_finding(PVW_TABLE_0007, "0x41", 96);
}

Test(acpi_text, reads_generic_timers)
{
	begin("GTDT", 3);
	put(36, 8, UINT64_MAX);
	put(64, 4, 20);
	put(68, 4, 2);
	put(80, 8, UINT64_MAX);
	decode_well(104);
	expect("", "virtual_el1_flags", "0x00000002", "level, active_low");

	put(88, 4, 1);
	put(92, 4, 104);
	put_hex(104, "01 1c 00 00");
	put(128, 4, 3);
	decode_well(132);
	expect("watchdog[0]", "flags", "0x00000003", "edge, active_low");
}

Test(acpi_text, reads_remapping_nodes)
{
	begin("IORT", 5);
	put(36, 4, 2);
	put(40, 4, 48);
	put_hex(48, "00 18 00 01 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00");
	put_hex(72, "02 38 00 03 00 00 00 00 01 00 00 00 24 00 00 00 01 00 00 00 00 00 00 03");
	table[104] = 64;
	put(112, 4, 0xFFFF);
	put(120, 4, 48);
	decode_well(128);

	expect("its_group[0].its[0]", "id", "0", "");
	expect("root_complex[0].mapping[0]", "output_reference", "0x00000030", "its_group[0]");

	put(84, 4, 100);
	seal(128);
	decode(128);
	expect_finding(PVW_TABLE_0007, "mapping at 0x64", 84);
}

Test(acpi_text, reads_amd_units)
{
	begin("IVRS", 2);
	put_hex(48, "11 00 38 00 10 00 40 00");
	put(56, 8, 0xFD000000);
	put_hex(88, "03 00 00 00 04 ff ff 00 48 00 00 00 00 a0 00 01");
	decode_well(104);

	expect("unit[0]", "device_id", "0x0010", "");
	expect("unit[0].range_end[1]", "device_id", "0xffff", "");
	expect("unit[0].special[2]", "kind", "0x01", "io_apic");
}

Test(acpi_text, reads_intel_units)
{
	begin("DMAR", 1);
	table[36] = 47;
	table[37] = 1;
	put_hex(48, "00 00 18 00 00 00 00 00");
	put(56, 8, 0xFD000000);
	put_hex(64, "03 08 00 00 00 00 14 00");
	decode_well(72);

	expect("", "flags", "0x01", "intr_remap");
	expect("unit[0].scope[0]", "type", "0x03", "io_apic");
	expect("unit[0].scope[0].path[0]", "device", "20", "");
}

Test(acpi_text, reads_cxl_windows)
{
	begin("CEDT", 2);
	put_hex(36, "00 00 20 00 07 00 00 00 01 00 00 00");
	put_hex(68, "01 00 28 00");
	put(84, 8, 0x10000000);
	put(100, 2, 6);
	put(104, 4, 7);
	decode_well(108);

	expect("host_bridge[0]", "cxl_version", "0x00000001", "cxl_2_0");
	expect("window[0]", "restrictions", "0x0006", "type_3, volatile");
	expect("window[0].target[0]", "uid", "7", "");
}

Test(acpi_text, reads_security_processor_registers)
{
	begin("ASPT", 1);
	put(36, 4, 1);
	put_hex(40, "02 00 20 00");
	put(48, 8, 0xFEB00020);
	decode_well(72);
	expect("acpi_mailbox[0]", "command_response", "0x00000000feb00020", "");

	/* With a count of eight bytes the first structure has no length. */
	put_hex(40, "00 00 00 00 02 00 20 00");
	seal(76);
	decode(76);
	expect_finding(PVW_TABLE_0003, "length 0", 40);
}

Test(acpi_text, reads_consoles_and_debug_ports)
{
	begin("SPCR", 2);
	table[36] = 3;
	put_hex(40, "00 20 00 03 00 c0 fe ef");
	table[52] = 8;
	table[58] = 7;
	decode_well(80);
	expect("", "interface_type", "0x03", "pl011");
	expect("", "baud_rate", "0x07", "115200");

	memset(table, 0, sizeof(table));
	begin("DBG2", 0);
	put(36, 4, 44);
	put(40, 4, 1);
	put_hex(44, "00 28 00 01 02 00 26 00 00 00 00 00 00 80 03 00 00 00 16 00 22 00");
	put_hex(66, "00 20 00 03 00 c0 fe ef 00 00 00 00 00 10 00 00 2e 00");
	decode_well(84);
	expect("device[0]", "port_type", "0x8000", "serial");
	expect("device[0].register[0]", "address", "memory 0x00000000effec000",
		"32 bits from 0, access dword");
	expect("device[0].size[0]", "bytes", "0x00001000", "");
	expect("device[0]", "name", "2e 00", "");
}

Test(acpi_text, reads_what_windows_may_rely_on)
{
	begin("WAET", 1);
	put(36, 4, 3);
	decode_well(40);
	expect("", "flags", "0x00000003", "rtc_good, pm_timer_good");
}

Test(acpi_text, reads_memory_attributes)
{
	begin("HMAT", 2);
	put_hex(40, "00 00 00 00 28 00 00 00 01 00");
	put(56, 4, 3);
	decode_well(80);
	expect("proximity[0]", "memory_domain", "3", "");
}

Test(acpi_text, lists_the_tables_that_there_are)
{
	begin("XSDT", 1);
	put(36, 8, 0x19000);
	put(44, 8, 0x1A000);
	decode_well(52);
	expect("table[1]", "address", "0x000000000001a000", "");
	cr_assert_str_eq(text.summary, "2 table");
}

Test(acpi_text, leaves_aml_to_the_disassembler)
{
	begin("DSDT", 2);
	put_hex(36, "5b 82 05 44 45 56 30 08 41 41 41 41 00");
	decode_well(49);
	cr_assert(text.is_aml);
	cr_assert_str_eq(text.summary, "1 devices, 0 methods, 1 names");

	put_hex(36, "03");
	seal(49);
	decode(49);
	expect_finding(PVW_AML_0002, "opcode 0x03", 36);
	cr_assert_str_eq(text.summary, "damaged");
}

/*
 * What is wrong.
 */

Test(acpi_text, finds_a_wrong_checksum_and_says_the_right_one)
{
	begin("ABCD", 1);
	seal(40);
	table[9]++;
	decode(40);

	cr_assert_not(text.checksum_ok);
	expect_finding(PVW_TABLE_0002, "expected 0x", 9);
}

Test(acpi_text, finds_a_length_that_is_not_that_of_the_bytes)
{
	begin("WAET", 1);
	seal(40);
	table[41] = 1;
	decode(44);
	expect_finding(PVW_TABLE_0004, "4 bytes behind the length", 40);

	put(4, 4, 50);
	decode(40);
	expect_finding(PVW_TABLE_0001, "length 50 of 40 bytes", 4);
}

Test(acpi_text, finds_a_table_that_is_shorter_than_its_fields)
{
	begin("SRAT", 3);
	seal(44);
	decode(44);
	expect_finding(PVW_TABLE_0001, "44 bytes, expected at least 48", 4);
}

Test(acpi_text, finds_entries_of_impossible_lengths)
{
	begin("APIC", 5);
	put_hex(44, "00 00 01 00 01 00 00 00");
	seal(52);
	decode(52);
	expect_finding(PVW_TABLE_0003, "length 0", 44);
	expect("", "rest", "00 00 01 00 01 00 00 00", "");

	findings.count = 0;
	put_hex(44, "00 09");
	seal(52);
	decode(52);
	expect_finding(PVW_TABLE_0003, "length 9", 44);

	findings.count = 0;
	put_hex(44, "00 04 01 00 00 04 02 01");
	seal(48);
	decode(48);
	expect_finding(PVW_TABLE_0003, "4 bytes, expected at least 8", 44);
}

Test(acpi_text, finds_entries_of_unknown_types)
{
	begin("APIC", 5);
	put_hex(44, "7f 04 aa bb");
	seal(48);
	decode(48);
	expect_finding(PVW_TABLE_0005, "type 0x7f", 44);
	expect("entry[0]", "bytes", "7f 04 aa bb", "");
}

Test(acpi_text, finds_bytes_behind_the_last_entry)
{
	begin("APIC", 5);
	table[44] = 7;
	seal(45);
	decode(45);
	expect_finding(PVW_TABLE_0004, "1 bytes behind its end", 44);
}

Test(acpi_text, finds_reserved_bits)
{
	begin("WAET", 1);
	put(36, 4, 5);
	seal(40);
	decode(40);
	expect_finding(PVW_TABLE_0006, "flags: 0x5", 36);
}

Test(acpi_text, finds_counts_that_do_not_fit)
{
	begin("SLIT", 1);
	put(36, 8, UINT64_C(0x8000000000000001));
	seal(48);
	decode(48);
	expect_finding(PVW_TABLE_0003, "localities", 36);

	memset(table, 0, sizeof(table));
	findings.count = 0;
	begin("PPTT", 3);
	put_hex(36, "00 18 00 00 01 00 00 00 00 00 00 00 00 00 00 00 ff ff ff ff 24 00 00 00");
	seal(60);
	decode(60);
	expect_finding(PVW_TABLE_0003, "4294967295 times resource", 56);
}

static void expect_refusal(Bytes bytes, uint16_t diagnostic, const char *word)
{
	text.count = 77;
	cr_assert_not(acpi_text(bytes, arena, &text, &findings, &err));
	cr_assert_eq(err.diagnostic, diagnostic);
	cr_assert(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(text.count, 77);
}

Test(acpi_text, refuses_what_is_no_table)
{
	static uint8_t large[ACPI_TEXT_MAX_BYTES + 1] = "ABCD";

	expect_refusal((Bytes){ table, 0 }, PVW_TABLE_0008, "0 bytes");
	expect_refusal((Bytes){ table, 64 }, PVW_TABLE_0008, "begin with 00 00");
	expect_refusal((Bytes){ large, sizeof(large) }, PVW_TABLE_0009, "expected at most");
}

Test(acpi_text, decodes_every_cut_of_a_table_with_a_finding)
{
	begin("APIC", 5);
	put_hex(44, "01 0c 00 00 00 00 c0 fe 00 00 00 00");
	put_hex(56, "02 0a 00 09 09 00 00 00 0d 00");
	seal(66);
	for (size_t len = 8; len < 66; len++) {
		findings.count = 0;
		decode(len);
		cr_assert(findings.count > 0, "%zu", len);
		cr_assert_eq(findings.items[0].what.diagnostic, PVW_TABLE_0001);
	}
}

/*
 * Tables behind each other.
 */

Test(acpi_text, parts_tables_that_stand_behind_each_other)
{
	AcpiTableList list;

	begin("AAAA", 1);
	seal(37);
	memcpy(table + 64, table, 37);
	memcpy(table + 64, "BBBB", 4);

	cr_assert(acpi_text_split((Bytes){ table, 112 }, 0x19000, arena, &list, &err), "%s",
		err.text);
	cr_assert_eq(list.count, 2);
	cr_assert_str_eq(list.items[1].signature, "BBBB");
	cr_assert_eq(list.items[1].gpa, 0x19040);
	cr_assert_eq(list.items[1].bytes.len, 37);
}

Test(acpi_text, refuses_what_stands_between_tables)
{
	static uint8_t large[ACPI_TEXT_MAX_BYTES + 1];
	AcpiTableList list;

	begin("AAAA", 1);
	seal(37);
	table[41] = 5;
	cr_assert_not(acpi_text_split((Bytes){ table, 96 }, 0, arena, &list, &err));
	cr_assert_eq(err.diagnostic, PVW_TABLE_0008);
	cr_assert_eq(err.offset, 40);

	put(4, 4, 97);
	cr_assert_not(acpi_text_split((Bytes){ table, 96 }, 0, arena, &list, &err));
	cr_assert_eq(err.diagnostic, PVW_TABLE_0001);
	cr_assert(strstr(err.text, "length 97"));

	cr_assert_not(acpi_text_split((Bytes){ large, sizeof(large) }, 0, arena, &list, &err));
	cr_assert_eq(err.diagnostic, PVW_TABLE_0009);
}
