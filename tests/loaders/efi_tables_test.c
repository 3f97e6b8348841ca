/*
 * EFI's tables, read back by offset.
 */
#include "loaders/efi_tables.h"

#include <criterion/criterion.h>
#include <string.h>

#include "support/diagnostics.h"

static Arena *arena;
static Error err;

static void set_up(void)
{
	arena = arena_new(1 << 20);
	cr_assert_not_null(arena);
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(efi_tables, .init = set_up, .fini = tear_down);

static uint64_t number(Bytes bytes, size_t at, size_t size)
{
	uint64_t value = 0;

	cr_assert_leq(at + size, bytes.len);
	memcpy(&value, bytes.data + at, size);
	return value;
}

/* The other way round than the code under test: by polynomial division of the message. */
static uint32_t crc32_by_division(const uint8_t *data, size_t len)
{
	uint64_t rest = 0;

	for (size_t i = 0; i < 8 * (len + 4); i++) {
		const size_t byte = i / 8;
		uint64_t bit = byte < len ? data[byte] >> i % 8 & 1 : 0;

		/* the first 32 bits of the message are complemented */
		if (byte < 4)
			bit ^= 1;
		rest = rest << 1 | bit;
		if (rest >> 32)
			rest ^= UINT64_C(0x104c11db7);
	}

	uint32_t reflected = 0;
	for (int i = 0; i < 32; i++)
		reflected |= (uint32_t)(rest >> i & 1) << (31 - i);
	return ~reflected;
}

Test(efi_tables, checks_its_own_crc)
{
	cr_assert_eq(crc32_by_division((const uint8_t *)"123456789", 9), 0xcbf43926u);
}

static const uint8_t smbios[] = { 1, 2, 3, 4, 5 };

static Bytes tables_at(uint64_t gpa)
{
	const EfiTableInputs in = {
		.gpa = gpa, .rsdp_gpa = 0x40802000, .smbios = { smbios, sizeof(smbios) }
	};
	Bytes tables = { 0 };

	cr_assert(efi_build_tables(&in, arena, &tables, &err), "%s", err.text);
	return tables;
}

Test(efi_tables, has_a_system_table_with_a_right_checksum)
{
	const Bytes t = tables_at(0x40801000);
	uint8_t header[120];

	cr_assert_eq(memcmp(t.data, "IBI SYST", 8), 0);
	cr_assert_eq(number(t, 8, 4), 0x00020046u, "2.70");
	cr_assert_eq(number(t, 12, 4), sizeof(header));
	cr_assert_eq(number(t, 20, 4), 0u);
	memcpy(header, t.data, sizeof(header));
	memset(header + 16, 0, 4);
	cr_assert_eq(number(t, 16, 4), crc32_by_division(header, sizeof(header)));
	for (size_t at = 32; at < 104; at += 8)
		cr_assert_eq(number(t, at, 8), 0u, "no services, no consoles: %zu", at);
}

Test(efi_tables, points_to_the_vendors_name)
{
	static const char name[] = "OpenVMM";
	const Bytes t = tables_at(0x40801000);
	const size_t at = (size_t)(number(t, 24, 8) - 0x40801000);

	for (size_t i = 0; i < sizeof(name); i++)
		cr_assert_eq(number(t, at + 2 * i, 2), (uint64_t)name[i]);
}

/* Address behind the GUID that is given as it lies in memory, or 0. */
static uint64_t find_table(Bytes t, uint64_t gpa, const char *guid)
{
	const uint64_t count = number(t, 104, 8);
	const size_t at = (size_t)(number(t, 112, 8) - gpa);

	for (size_t i = 0; i < count; i++) {
		if (memcmp(t.data + at + 24 * i, guid, 16) == 0)
			return number(t, at + 24 * i + 16, 8);
	}
	return 0;
}

Test(efi_tables, leads_to_acpi_smbios_and_no_services)
{
	const uint64_t gpa = 0x40805000;
	const Bytes t = tables_at(gpa);
	size_t runtime, anchor, structures;
	uint8_t sum = 0;

	cr_assert_eq(number(t, 104, 8), 3u);
	/* 8868e871-e4f1-11d3-bc22-0080c73c8881 */
	cr_assert_eq(find_table(t, gpa,
			     "\x71\xe8\x68\x88\xf1\xe4\xd3\x11\xbc\x22\x00\x80\xc7\x3c\x88"
			     "\x81"),
		0x40802000u);
	/* eb66918a-7eef-402a-842e-931d21c38ae9 */
	runtime = (size_t)(find_table(t, gpa,
				   "\x8a\x91\x66\xeb\xef\x7e\x2a\x40\x84\x2e\x93\x1d\x21\xc3"
				   "\x8a\xe9") -
		gpa);
	cr_assert_eq(number(t, runtime, 2), 1u);
	cr_assert_eq(number(t, runtime + 2, 2), 8u);
	cr_assert_eq(number(t, runtime + 4, 4), 0u);
	/* f2fd1544-9794-4a2c-992e-e5bbcf20e394 */
	anchor = (size_t)(find_table(t, gpa,
				  "\x44\x15\xfd\xf2\x94\x97\x2c\x4a\x99\x2e\xe5\xbb\xcf\x20\xe3"
				  "\x94") -
		gpa);
	cr_assert_eq(memcmp(t.data + anchor, "_SM3_", 5), 0);
	for (size_t i = 0; i < 24; i++)
		sum = (uint8_t)(sum + t.data[anchor + i]);
	cr_assert_eq(sum, 0);
	cr_assert_eq(number(t, anchor + 12, 4), sizeof(smbios));
	structures = (size_t)(number(t, anchor + 16, 8) - gpa);
	cr_assert_eq(memcmp(t.data + structures, smbios, sizeof(smbios)), 0);
	cr_assert_eq(t.len, efi_tables_len(sizeof(smbios)));
}

/*
 * The memory map.
 */

static const LayoutRecord ram[] = {
	{ .kind = LAYOUT_RAM, .range = { 0x40000000, 0x60000000 } },
	{ .kind = LAYOUT_RAM,
		.range = { 0x60000000, 0x60100000 },
		.igvm_type = IGVM_PLATFORM_RESERVED },
	{ .kind = LAYOUT_RAM,
		.range = { 0x100000000, 0x180000000 },
		.igvm_type = IGVM_VTL2_PROTECTABLE },
	{ .kind = LAYOUT_RAM,
		.range = { 0x200000000, 0x240000000 },
		.igvm_type = IGVM_SPECIFIC_PURPOSE },
};

static const EfiArea areas[] = {
	{ { 0x40800000, 0x40802000 }, EFI_RUNTIME_SERVICES_DATA },
	{ { 0x40802000, 0x40805000 }, EFI_ACPI_RECLAIM },
};

static void expect_descriptor(Bytes map, size_t index, uint32_t type, uint64_t start,
	uint64_t end, uint64_t attributes)
{
	const size_t at = 40 * index;

	cr_assert_eq(number(map, at, 4), type, "%zu", index);
	cr_assert_eq(number(map, at + 4, 4), 0u);
	cr_assert_eq(number(map, at + 8, 8), start, "%zu", index);
	cr_assert_eq(number(map, at + 16, 8), 0u);
	cr_assert_eq(number(map, at + 24, 8), (end - start) / 4096, "%zu", index);
	cr_assert_eq(number(map, at + 32, 8), attributes, "%zu", index);
}

Test(efi_tables, describes_every_page_of_ram_once)
{
	Bytes map = { 0 };

	cr_assert(efi_build_memory_map((LayoutRecordList){ ram, 4 }, (EfiAreaList){ areas, 2 },
			  4096, arena, &map, &err),
		"%s", err.text);
	cr_assert_eq(map.len, 7u * 40);
	expect_descriptor(map, 0, 7, 0x40000000, 0x40800000, 8);
	expect_descriptor(map, 1, 6, 0x40800000, 0x40802000, 8);
	expect_descriptor(map, 2, 9, 0x40802000, 0x40805000, 8);
	expect_descriptor(map, 3, 7, 0x40805000, 0x60000000, 8);
	expect_descriptor(map, 4, 0, 0x60000000, 0x60100000, 8);
	expect_descriptor(map, 5, 7, 0x100000000, 0x180000000, 8);
	expect_descriptor(map, 6, 7, 0x200000000, 0x240000000, 0x40008);
}

Test(efi_tables, leaves_out_what_an_area_fills)
{
	const EfiArea whole[] = { { { 0x40000000, 0x60000000 }, EFI_RUNTIME_SERVICES_DATA } };
	Bytes map = { 0 };

	cr_assert(efi_build_memory_map((LayoutRecordList){ ram, 1 }, (EfiAreaList){ whole, 1 },
		4096, arena, &map, &err));
	cr_assert_eq(map.len, 40u);
	expect_descriptor(map, 0, 6, 0x40000000, 0x60000000, 8);
}

/* The reference's page holds 102 and is written beyond it. */
Test(efi_tables, refuses_more_descriptors_than_there_is_room_for)
{
	LayoutRecord many[104];
	Bytes map = { 0 };

	for (uint64_t i = 0; i < ARRAY_COUNT(many); i++)
		many[i] = (LayoutRecord){ .kind = LAYOUT_RAM,
			.range = { i * 0x200000, i * 0x200000 + 0x100000 } };
	cr_assert(efi_build_memory_map(
		(LayoutRecordList){ many, 102 }, (EfiAreaList){ 0 }, 4096, arena, &map, &err));
	cr_assert_not(efi_build_memory_map(
		(LayoutRecordList){ many, 103 }, (EfiAreaList){ 0 }, 4096, arena, &map, &err));
	cr_assert_eq(err.diagnostic, PVW_EFI_0001);
	cr_assert_not_null(strstr(err.text, "103 descriptors"), "%s", err.text);
	cr_assert_geq(efi_memory_map_bound(104, 2), 108u * 40);
}

Test(efi_tables, refuses_areas_that_do_not_lie_in_ram)
{
	static const EfiArea wrong[][2] = {
		{ { { 0x3ffff000, 0x40001000 }, EFI_ACPI_RECLAIM },
			{ { 0x40002000, 0x40003000 }, EFI_ACPI_RECLAIM } },
		{ { { 0x40002000, 0x40003000 }, EFI_ACPI_RECLAIM },
			{ { 0x40001000, 0x40002000 }, EFI_ACPI_RECLAIM } },
		{ { { 0x40002000, 0x40004000 }, EFI_ACPI_RECLAIM },
			{ { 0x40003000, 0x40005000 }, EFI_ACPI_RECLAIM } },
		{ { { 0x40002000, 0x40004000 }, EFI_ACPI_RECLAIM },
			{ { 0x5ffff000, 0x60001000 }, EFI_ACPI_RECLAIM } },
	};
	Bytes map = { .len = 77 };

	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		cr_assert_not(efi_build_memory_map((LayoutRecordList){ ram, 4 },
			(EfiAreaList){ wrong[i], 2 }, 4096, arena, &map, &err));
		cr_assert_eq(err.diagnostic, PVW_EFI_0002);
		cr_assert_not_null(strstr(err.text, "inside one range of RAM"), "%s", err.text);
		cr_assert_eq(map.len, 77u);
	}
}
