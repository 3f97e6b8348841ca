/* The UEFI configuration as lines: records by hand, as the firmware reads them. */
#include <criterion/criterion.h>
#include <string.h>

#include "host/uefi_text.h"
#include "support/arena.h"

static Arena *arena;
static Diagnostics findings;
static Error err;
static uint8_t blob[1024];
static size_t len;
static UefiText text;

static void put(size_t at, size_t size, uint64_t value)
{
	for (size_t i = 0; i < size; i++)
		blob[at + i] = (uint8_t)(value >> 8 * i);
}

/* -> where the payload begins */
static size_t add(uint32_t type, size_t size)
{
	const size_t at = len;

	put(at, 4, type);
	put(at + 4, 4, 8 + size);
	len += 8 + size;
	put(8, 4, blob[8] + 1u);
	put(12, 4, len);
	return at + 8;
}

static void set_up(void)
{
	arena = arena_new((size_t)16 << 20);
	cr_assert(diagnostics_init(&findings, 64, arena, &err));
	memset(blob, 0, sizeof(blob));
	len = 0;
	add(0, 8);
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(uefi_text, .init = set_up, .fini = tear_down);

static void decode(void)
{
	cr_assert(
		uefi_text((Bytes){ blob, len }, arena, &text, &findings, &err), "%s", err.text);
}

static void expect(const char *group, const char *name, const char *value, const char *note)
{
	for (size_t i = 0; i < text.count; i++) {
		const AcpiLine *line = &text.lines[i];

		if (strcmp(line->group, group) != 0 || strcmp(line->name, name) != 0)
			continue;
		cr_assert_str_eq(line->value, value);
		cr_assert_str_eq(line->note, note);
		return;
	}
	cr_assert_fail("no line %s.%s", group, name);
}

static void expect_finding(uint16_t diagnostic, const char *word, uint64_t offset)
{
	cr_assert_eq(findings.count, 1);
	cr_assert_eq(findings.items[0].what.diagnostic, diagnostic);
	cr_assert(strstr(findings.items[0].what.text, word), "%s", findings.items[0].what.text);
	cr_assert_eq(findings.items[0].what.offset, offset);
	cr_assert_str_eq(findings.items[0].what.source, "uefi");
}

Test(uefi_text, reads_records)
{
	size_t at = add(0x13, 16);

	put(at + 4, 4, 4);
	at = add(0x14, 32);
	put(at, 8, 0xF8000);
	put(at + 8, 8, 0x8000);
	at = add(0x12, 8);
	put(at, 8, 0x100000081);
	at = add(0x1A, 16);
	memcpy(blob + at, "Somebody", 8);
	at = add(0x03, 48);
	put(at + 24, 8, 0x100000000);
	put(at + 40, 4, 1);
	decode();

	cr_assert_eq(findings.count, 0);
	expect("structure_count[0]", "records", "6", "");
	expect("processors[0]", "processors", "4", "");
	expect("mmio_ranges[0].window[0]", "pages", "32768", "");
	expect("flags[0]", "flags", "0x00000081", "serial_controllers, console_com1");
	expect("flags[0]", "flags_high", "0x00000001", "force_dma_bounce");
	expect("system_manufacturer[0]", "text", "\"Somebody\"", "");
	expect("memory_map[0].range[1]", "base", "0x0000000100000000", "");
	expect("memory_map[0].range[1]", "flags", "0x00000001", "reserved");
}

Test(uefi_text, reads_the_legacy_map_by_its_own_stride)
{
	size_t at = add(0x03, 32);

	put(at + 16, 8, 0x5000);
	at = add(0x01, 8);
	put(at + 4, 4, 1);
	decode();

	expect("memory_map[0].range[1]", "base", "0x0000000000005000", "");
	expect("bios_information[0]", "flags", "0x00000001", "legacy_memory_map");
}

Test(uefi_text, finds_the_tables_in_it)
{
	const size_t at = add(0x16, 40);

	memcpy(blob + at, "ABCD", 4);
	put(at + 4, 4, 37);
	decode();

	cr_assert_eq(text.tables.count, 1);
	cr_assert_str_eq(text.tables.items[0].signature, "ABCD");
	cr_assert_eq(text.tables.items[0].bytes.len, 37);
	expect("acpi_table[0]", "signature", "\"ABCD\"", "");

	put(at + 4, 4, 41);
	decode();
	cr_assert_eq(text.tables.count, 0);
}

Test(uefi_text, finds_totals_that_are_wrong)
{
	add(0x12, 8);
	put(8, 4, 7);
	decode();
	expect_finding(PVW_TABLE_0004, "2 records, expected 7", 8);

	findings.count = 0;
	put(8, 4, 2);
	put(12, 4, 64);
	decode();
	expect_finding(PVW_TABLE_0001, "64 bytes of records", 12);
}

Test(uefi_text, finds_records_of_wrong_lengths)
{
	const size_t at = add(0x12, 8);

	put(at - 4, 4, 24);
	decode();
	cr_assert_eq(findings.items[0].what.diagnostic, PVW_TABLE_0003);
	cr_assert_eq(findings.items[0].what.offset, 16);
}

Test(uefi_text, names_records_that_it_does_not_know)
{
	add(0x77, 8);
	decode();
	expect_finding(PVW_TABLE_0005, "type 0x77", 16);
}

Test(uefi_text, refuses_what_is_no_blob)
{
	static uint8_t large[ACPI_TEXT_MAX_BYTES + 1] = { [4] = 16 };

	text.count = 7;
	cr_assert_not(uefi_text((Bytes){ blob, 15 }, arena, &text, &findings, &err));
	cr_assert_eq(err.diagnostic, PVW_TABLE_0008);
	cr_assert_not(
		uefi_text((Bytes){ large, sizeof(large) }, arena, &text, &findings, &err));
	cr_assert_eq(err.diagnostic, PVW_TABLE_0009);
	cr_assert_eq(text.count, 7);
}
