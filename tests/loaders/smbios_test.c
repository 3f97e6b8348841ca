/*
 * SMBIOS is judged by a reader of its own, which finds structures and strings as an operating
 * system does. [SMBIOS35] 5.2.2, 6.1
 */
#include "loaders/smbios.h"

#include <criterion/criterion.h>
#include <string.h>

#include "support/diagnostics.h"

static Arena *arena;

static void make_arena(void)
{
	arena = arena_new(1 << 20);
	cr_assert_not_null(arena);
}

static void drop_arena(void)
{
	arena_free(arena);
}

TestSuite(smbios, .init = make_arena, .fini = drop_arena);

#define TEXT(literal) ((Bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

/* One structure as it is found. */
typedef struct Found {
	uint8_t type, length;
	uint16_t handle;
	const uint8_t *bytes;
	const char *strings[16];
	size_t string_count;
	size_t size; /* with strings */
} Found;

static Found find_at(Bytes table, size_t at)
{
	Found f = { 0 };
	size_t end;

	cr_assert_leq(at + 4, table.len);
	f.bytes = table.data + at;
	f.type = f.bytes[0];
	f.length = f.bytes[1];
	f.handle = (uint16_t)(f.bytes[2] | f.bytes[3] << 8);
	end = at + f.length;
	cr_assert_leq(end + 2, table.len);
	if (table.data[end] == 0) {
		cr_assert_eq(table.data[end + 1], 0, "no string, and not two NULs");
		end += 2;
	} else {
		while (table.data[end] != 0) {
			cr_assert_lt(f.string_count, 16u);
			f.strings[f.string_count++] = (const char *)table.data + end;
			end += strlen((const char *)table.data + end) + 1;
			cr_assert_lt(end, table.len, "strings leave the table");
		}
		end++;
	}
	f.size = end - at;
	return f;
}

static void find_all(Bytes table, Found found[3])
{
	size_t at = 0;

	for (size_t i = 0; i < 3; i++) {
		found[i] = find_at(table, at);
		at += found[i].size;
	}
	cr_assert_eq(at, table.len, "bytes behind the last structure");
}

static const char *string_of(const Found *f, size_t offset)
{
	const uint8_t number = f->bytes[offset];

	if (number == 0)
		return NULL;
	cr_assert_leq(number, f->string_count);
	return f->strings[number - 1];
}

static Bytes build(const SmbiosInputs *in)
{
	Bytes table;
	Error err;

	cr_assert(smbios_build_table(in, arena, &table, &err), "%s", err.text);
	return table;
}

static const SmbiosInputs full = {
	.bios_vendor = { (const uint8_t *)"vendor", 6 },
	.bios_version = { (const uint8_t *)"1.2", 3 },
	.bios_release_date = { (const uint8_t *)"01/02/2026", 10 },
	.bios_major = 7,
	.bios_minor = 9,
	.manufacturer = { (const uint8_t *)"maker", 5 },
	.product = { (const uint8_t *)"thing", 5 },
	.version = { (const uint8_t *)"v3", 2 },
	.serial_number = { (const uint8_t *)"0042", 4 },
	.sku_number = { (const uint8_t *)"sku", 3 },
	.family = { (const uint8_t *)"maker", 5 },
	.uuid = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 } },
};

Test(smbios, has_bios_system_and_end)
{
	Found f[3];

	find_all(build(&full), f);

	cr_assert_eq(f[0].type, 0);
	cr_assert_eq(f[0].length, 26);
	cr_assert_eq(f[0].handle, 0);
	cr_assert_eq(f[1].type, 1);
	cr_assert_eq(f[1].length, 27);
	cr_assert_eq(f[1].handle, 1);
	cr_assert_eq(f[2].type, 127);
	cr_assert_eq(f[2].length, 4);
	cr_assert_eq(f[2].handle, 2);
	cr_assert_eq(f[2].string_count, 0u);
}

Test(smbios, describes_the_bios)
{
	Found f[3];

	find_all(build(&full), f);

	cr_assert_str_eq(string_of(&f[0], 4), "vendor");
	cr_assert_str_eq(string_of(&f[0], 5), "1.2");
	cr_assert_str_eq(string_of(&f[0], 8), "01/02/2026");
	cr_assert_eq(f[0].bytes[10], 0x80, "PCI is supported");
	cr_assert_eq(f[0].bytes[18], 0x01, "ACPI is supported");
	cr_assert_eq(f[0].bytes[19], 0x10, "a virtual machine");
	cr_assert_eq(f[0].bytes[20], 7);
	cr_assert_eq(f[0].bytes[21], 9);
	cr_assert_eq(f[0].bytes[22], 0xff);
	cr_assert_eq(f[0].bytes[23], 0xff);
}

Test(smbios, describes_the_system_and_numbers_equal_strings_apart)
{
	Found f[3];

	find_all(build(&full), f);

	cr_assert_str_eq(string_of(&f[1], 4), "maker");
	cr_assert_str_eq(string_of(&f[1], 5), "thing");
	cr_assert_str_eq(string_of(&f[1], 6), "v3");
	cr_assert_str_eq(string_of(&f[1], 7), "0042");
	cr_assert_eq(memcmp(f[1].bytes + 8, full.uuid.bytes, 16), 0);
	cr_assert_eq(f[1].bytes[24], 6, "woken by the power switch");
	cr_assert_str_eq(string_of(&f[1], 25), "sku");
	cr_assert_str_eq(string_of(&f[1], 26), "maker");
	cr_assert_eq(f[1].bytes[26], 6);
	cr_assert_eq(f[1].string_count, 6u);
}

Test(smbios, leaves_out_empty_strings)
{
	SmbiosInputs in = full;
	Found f[3];

	in.bios_vendor = (Bytes){ 0 };
	in.product = (Bytes){ 0 };
	find_all(build(&in), f);

	cr_assert_null(string_of(&f[0], 4));
	cr_assert_eq(f[0].bytes[5], 1);
	cr_assert_null(string_of(&f[1], 5));
	cr_assert_eq(f[1].bytes[6], 2);
	cr_assert_eq(f[1].string_count, 5u);
}

Test(smbios, ends_a_structure_without_strings_in_two_nuls)
{
	const SmbiosInputs none = { 0 };
	Found f[3];

	find_all(build(&none), f);

	cr_assert_eq(f[0].size, 26u + 2);
	cr_assert_eq(f[1].size, 27u + 2);
	cr_assert_eq(f[2].size, 4u + 2);
}

Test(smbios, cuts_a_string_at_its_first_nul)
{
	SmbiosInputs in = full;
	Found f[3];

	in.manufacturer = TEXT("mak\0er");
	in.product = TEXT("\0hidden");
	find_all(build(&in), f);

	cr_assert_str_eq(string_of(&f[1], 4), "mak");
	cr_assert_null(string_of(&f[1], 5));
}

Test(smbios, gives_direct_boot_127_bytes)
{
	const SmbiosInputs in = {
		.bios_vendor = TEXT("OpenVMM"),
		.bios_version = TEXT("OpenVMM Direct"),
		.bios_release_date = TEXT("06/19/2026"),
		.manufacturer = TEXT("OpenVMM"),
		.product = TEXT("OpenVMM Virtual Machine"),
	};

	cr_assert_eq(build(&in).len, 127u);
}

Test(smbios, anchors_its_table)
{
	const SmbiosAnchor anchor = smbios_anchor(UINT64_C(0x123456789a), 0x7f);
	const uint8_t *bytes = (const uint8_t *)&anchor;
	uint32_t len;
	uint64_t address;
	uint8_t sum = 0;

	for (size_t i = 0; i < 24; i++)
		sum = (uint8_t)(sum + bytes[i]);
	memcpy(&len, bytes + 12, 4);
	memcpy(&address, bytes + 16, 8);

	cr_assert_eq(memcmp(bytes, "_SM3_", 5), 0);
	cr_assert_eq(sum, 0);
	cr_assert_eq(bytes[6], 24);
	cr_assert_eq(bytes[7], 3);
	cr_assert_eq(bytes[8], 1);
	cr_assert_eq(bytes[10], 1);
	cr_assert_eq(len, 0x7fu);
	cr_assert_eq(address, UINT64_C(0x123456789a));
}

Test(smbios, anchors_sum_up_to_zero_for_any_table)
{
	for (size_t len = 0; len <= SMBIOS_MAX_TABLE; len += 97) {
		const SmbiosAnchor anchor = smbios_anchor(len * 0x12345671, len);
		const uint8_t *bytes = (const uint8_t *)&anchor;
		uint8_t sum = 0;

		for (size_t i = 0; i < sizeof(anchor); i++)
			sum = (uint8_t)(sum + bytes[i]);
		cr_assert_eq(sum, 0);
	}
}

/* Fixed parts, two terminators, and the one string with its NUL. */
#define FIXED_BYTES (26 + 2 + 27 + 1 + 4 + 2)

Test(smbios, takes_strings_up_to_its_limit_and_none_beyond)
{
	static uint8_t text[SMBIOS_MAX_TABLE];
	SmbiosInputs in = { .manufacturer = { text, SMBIOS_MAX_TABLE - FIXED_BYTES - 1 } };
	Bytes table = { 0 };
	Error err;

	memset(text, 'a', sizeof(text));
	cr_assert_eq(build(&in).len, SMBIOS_MAX_TABLE);

	in.manufacturer.len++;
	cr_assert_not(smbios_build_table(&in, arena, &table, &err));
	cr_assert_eq(err.diagnostic, PVW_SMBIOS_0001);
	cr_assert_not_null(strstr(err.text, "65537 bytes"));
	cr_assert_null(table.data);
}

Test(smbios, says_when_the_arena_is_full)
{
	Arena *small = arena_new(16);
	Bytes table = { 0 };
	Error err;

	cr_assert_not(smbios_build_table(&full, small, &table, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	cr_assert_null(table.data);
	arena_free(small);
}
