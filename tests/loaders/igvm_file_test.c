/*
 * IGVM files: headers, and what they say of each other; all that can be wrong with them.
 */
#include "loaders/igvm_contents.h"

#include <criterion/criterion.h>
#include <string.h>

#include "helpers/igvm_builder.h"

static Arena *arena;
static IgvmBuilder builder;
static uint8_t page[4096];

static void set_up(void)
{
	arena = arena_new((size_t)32 << 20);
	igvm_begin(&builder, 1, 0);
	igvm_put_platform(&builder, 1, 2, 1);
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(igvm_file, .init = set_up, .fini = tear_down);

static bool read_bytes(Bytes bytes, IgvmContents *out, Error *err)
{
	IgvmSelection selection;
	IgvmFile file;

	return igvm_open(bytes, &file, err) &&
		igvm_select(&file, IGVM_PLATFORM_VSM, &selection, err) &&
		igvm_read(&file, &selection, arena, out, NULL, err);
}

static void expect_bytes(Bytes bytes, uint16_t diagnostic, const char *word)
{
	IgvmContents contents = { .page_count = 77 };
	Error err = { 0 };

	cr_assert_not(read_bytes(bytes, &contents, &err), "expected %s",
		diagnostic_row(diagnostic)->name);
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_not_null(strstr(err.text, "expected"), "%s", err.text);
	cr_assert_eq(contents.page_count, 77u, "output touched");
}

static void expect_refusal(uint16_t diagnostic, const char *word)
{
	expect_bytes(igvm_finish(&builder), diagnostic, word);
	tear_down();
	set_up();
}

/* The finished file with @width bytes at @at changed, and its checksum right. */
static void expect_changed(
	size_t at, unsigned width, uint64_t value, uint16_t diagnostic, const char *word)
{
	const Bytes file = igvm_finish(&builder);

	igvm_put_number(builder.file + at, width, value);
	igvm_seal(builder.file, file.len);
	expect_bytes(file, diagnostic, word);
	tear_down();
	set_up();
}

Test(igvm_file, computes_the_checksum_of_the_standard)
{
	/* "123456789" has 0xcbf43926; here it stands behind a header of zeros of no length. */
	static const uint8_t zeros_then_digits[24 + 9] = {
		[24] = '1', '2', '3', '4', '5', '6', '7', '8', '9'
	};
	uint8_t all[24 + 9];

	memcpy(all, zeros_then_digits, sizeof(all));
	igvm_put_number(all + 4, 4, 1);
	igvm_put_number(all + 8, 4, 24);
	igvm_put_number(all + 12, 4, 9);
	igvm_seal(all, sizeof(all));
	cr_assert_eq(igvm_checksum((Bytes){ all, sizeof(all) }, 24, sizeof(all), 24),
		all[20] | (uint32_t)all[21] << 8 | (uint32_t)all[22] << 16 |
			(uint32_t)all[23] << 24);
}

Test(igvm_file, refuses_what_is_no_file)
{
	expect_bytes((Bytes){ (const uint8_t *)"", 0 }, PVW_IGVM_0001, "0 bytes");
	expect_bytes((Bytes){ (const uint8_t *)"IGVM", 4 }, PVW_IGVM_0001, "4 bytes");
	expect_changed(0, 4, 0x12345678, PVW_IGVM_0002, "0x12345678");
	expect_changed(4, 4, 3, PVW_IGVM_0003, "format 3");
	igvm_begin(&builder, 2, 2);
	expect_refusal(PVW_IGVM_0003, "architecture 2");
	igvm_begin(&builder, 2, 0);
	expect_changed(28, 4, 16384, PVW_IGVM_0003, "16384");
}

Test(igvm_file, refuses_sizes_that_are_not_those_of_the_file)
{
	const Bytes file = igvm_finish(&builder);

	expect_bytes((Bytes){ file.data, file.len - 1 }, PVW_IGVM_0004, "the header says");
	tear_down();
	set_up();
	expect_changed(8, 4, 16, PVW_IGVM_0004, "variable headers");
	expect_changed(12, 4, 0xffffffff, PVW_IGVM_0004, "variable headers");
	/* No data behind the headers. */
	expect_changed(12, 4, file.len - 24, PVW_IGVM_0004, "data behind");
	(void)igvm_finish(&builder);
	builder.file[21] ^= 1;
	expect_bytes(file, PVW_IGVM_0005, "checksum");
	(void)igvm_finish(&builder);
	builder.file[30] ^= 1;
	expect_bytes(file, PVW_IGVM_0005, "checksum");
}

Test(igvm_file, refuses_headers_that_are_none)
{
	static const uint8_t body[64];

	expect_changed(24 + 4, 4, 17, PVW_IGVM_0006, "17 bytes");
	expect_changed(12, 4, 24 + 4, PVW_IGVM_0006, "4 bytes are left");
	igvm_put_header(&builder, 0x345, body, 8);
	expect_refusal(PVW_IGVM_0007, "0x345");
	igvm_put_header(&builder, 0x302, body, 23);
	expect_refusal(PVW_IGVM_0008, "page-data of 23");
	/* A known type is known with bit 31, too. */
	igvm_put_header(&builder, 0x80000302, body, 23);
	expect_refusal(PVW_IGVM_0008, "page-data of 23");
	igvm_put_page(&builder, 0, NULL);
	igvm_put_platform(&builder, 2, 2, 2);
	expect_refusal(PVW_IGVM_0009, "supported-platform");
}

Test(igvm_file, names_the_platforms_that_there_are)
{
	igvm_begin(&builder, 1, 0);
	igvm_put_platform(&builder, 1, 2, 2);
	igvm_put_platform(&builder, 2, 2, 3);
	expect_refusal(PVW_IGVM_0012, "snp, tdx");
	igvm_begin(&builder, 1, 0);
	expect_refusal(PVW_IGVM_0012, "none");
	igvm_put_platform(&builder, 1, 2, 2);
	expect_refusal(PVW_IGVM_0013, "mask 0x1");
	igvm_put_platform(&builder, 6, 2, 2);
	expect_refusal(PVW_IGVM_0013, "mask 0x6");
	igvm_put_platform(&builder, 0, 2, 2);
	expect_refusal(PVW_IGVM_0013, "mask 0x0");
}

Test(igvm_file, refuses_data_outside_of_the_file)
{
	size_t at;

	/* Below the data: headers are no data. */
	igvm_put_page(&builder, 0x1000, page);
	at = 24 + 24 + 8 + 12;
	expect_changed(at, 4, 24, PVW_IGVM_0011, "file offset 0x18");
	igvm_put_page(&builder, 0x1000, page);
	expect_changed(at, 4, 0xfffff000, PVW_IGVM_0011, "inside the data");
	igvm_put_page(&builder, 0x1000, page);
	expect_changed(at, 4, 24 + 24 + 32 + 8 + 1, PVW_IGVM_0011, "0x1000 bytes");
	igvm_put_area(&builder, 0, 0x1000, page);
	expect_changed(24 + 24 + 8 + 12, 4, 24, PVW_IGVM_0011, "parameter-area");
}

Test(igvm_file, refuses_pages_that_are_none)
{
	uint8_t body[24] = { 0 };

	igvm_put_page(&builder, 0x1001, NULL);
	expect_refusal(PVW_IGVM_0022, "0x1001");
	igvm_put_page(&builder, 0xfffffffffffff000, NULL);
	expect_refusal(PVW_IGVM_0022, "below 2^64");
	igvm_put_number(body + 8, 4, 1);
	for (unsigned type = 1; type < 5; type++) {
		igvm_put_number(body + 20, 2, type);
		igvm_put_header(&builder, 0x302, body, sizeof(body));
		expect_refusal(PVW_IGVM_0023, "type");
	}
	igvm_put_number(body + 20, 2, 0);
	igvm_put_number(body + 16, 4, 1);
	igvm_put_header(&builder, 0x302, body, sizeof(body));
	expect_refusal(PVW_IGVM_0023, "2 MiB");
	igvm_put_number(body + 16, 4, 8);
	igvm_put_header(&builder, 0x302, body, sizeof(body));
	expect_refusal(PVW_IGVM_0022, "flags");
}

Test(igvm_file, refuses_places_taken_twice)
{
	igvm_put_page(&builder, 0x3000, NULL);
	igvm_put_page(&builder, 0x1000, NULL);
	igvm_put_page(&builder, 0x3000, NULL);
	expect_refusal(PVW_IGVM_0024, "page-data");
	igvm_put_area(&builder, 5, 0x3000, NULL);
	igvm_put_insert(&builder, 0x1000, 5);
	igvm_put_page(&builder, 0x2000, NULL);
	igvm_put_page(&builder, 0x3000, NULL);
	expect_refusal(PVW_IGVM_0024, "parameter-insert");
	igvm_put_error_range(&builder, 0x1000, 0x2000);
	igvm_put_page(&builder, 0x2000, NULL);
	expect_refusal(PVW_IGVM_0024, "error-range");
}

Test(igvm_file, refuses_areas_that_are_not_there)
{
	igvm_put_area(&builder, 5, 0x1000, NULL);
	igvm_put_area(&builder, 5, 0x1000, NULL);
	expect_refusal(PVW_IGVM_0025, "area 5 twice");
	igvm_put_use(&builder, 0x307, 5, 0);
	igvm_put_area(&builder, 5, 0x1000, NULL);
	expect_refusal(PVW_IGVM_0025, "declared before");
	igvm_put_insert(&builder, 0x1000, 6);
	expect_refusal(PVW_IGVM_0025, "area 6");
	igvm_put_area(&builder, 5, 0x1000, NULL);
	igvm_put_insert(&builder, 0x1000, 5);
	igvm_put_use(&builder, 0x307, 5, 0);
	expect_refusal(PVW_IGVM_0025, "not in guest memory");
	igvm_put_area(&builder, 5, 0x1000, NULL);
	igvm_put_insert(&builder, 0x1000, 5);
	igvm_put_insert(&builder, 0x4000, 5);
	expect_refusal(PVW_IGVM_0025, "not in guest memory");
	igvm_put_area(&builder, 5, 0x1000, NULL);
	igvm_put_use(&builder, 0x307, 5, 0x1000);
	expect_refusal(PVW_IGVM_0022, "offset 0x1000");
	igvm_put_area(&builder, 5, 0x1001, NULL);
	expect_refusal(PVW_IGVM_0022, "0x1001");
	igvm_put_area(&builder, 5, UINT64_C(0x1000000), NULL);
	igvm_put_area(&builder, 6, 0x1000, NULL);
	expect_refusal(PVW_IGVM_0010, "area 6");
}

Test(igvm_file, refuses_ranges_that_are_none)
{
	igvm_put_required(&builder, 0x1000, 0, 0);
	expect_refusal(PVW_IGVM_0022, "required-memory");
	igvm_put_required(&builder, 0x800, 0x1000, 0);
	expect_refusal(PVW_IGVM_0022, "required-memory");
	igvm_put_error_range(&builder, 0x1000, 0x10);
	expect_refusal(PVW_IGVM_0022, "error-range");
}

static IgvmRegion region(void)
{
	return (IgvmRegion){ .alignment = 0x200000,
		.base = 0x8000000,
		.size = 0x400000,
		.minimum = 0x8000000,
		.maximum = 0x40000000,
		.vtl = 2 };
}

static void refuse_region(IgvmRegion value, uint16_t diagnostic, const char *word)
{
	igvm_put_region(&builder, &value);
	expect_refusal(diagnostic, word);
}

Test(igvm_file, refuses_regions_that_cannot_move)
{
	IgvmRegion value = region();

	igvm_put_region(&builder, &value);
	igvm_put_region(&builder, &value);
	expect_refusal(PVW_IGVM_0026, "second");
	refuse_region(value, PVW_IGVM_0027, "vp-context");
	value.alignment = 0x300000;
	refuse_region(value, PVW_IGVM_0026, "alignment");
	value.alignment = 0x800;
	refuse_region(value, PVW_IGVM_0026, "alignment");
	value = region();
	value.base += 0x1000;
	refuse_region(value, PVW_IGVM_0026, "multiple");
	value = region();
	value.maximum = value.minimum + 0x1000;
	refuse_region(value, PVW_IGVM_0026, "room");
	value = region();
	value.size = UINT64_MAX;
	refuse_region(value, PVW_IGVM_0022, "relocatable-region");
	value = region();
	value.vtl = 0;
	refuse_region(value, PVW_IGVM_0026, "VTL0");
}

Test(igvm_file, refuses_table_regions_that_are_none)
{
	const IgvmRegion value = region();

	igvm_put_tables(&builder, 2, 0x1000, 0x2000, 0x3000);
	expect_refusal(PVW_IGVM_0022, "in use");
	igvm_put_tables(&builder, 2, 0x1000, 0x2000, 0x1000);
	igvm_put_tables(&builder, 2, 0x1000, 0x2000, 0x1000);
	expect_refusal(PVW_IGVM_0026, "second");
	igvm_put_region(&builder, &value);
	igvm_put_tables(&builder, 2, 0x8000000, 0x2000, 0x1000);
	expect_refusal(PVW_IGVM_0024, "page tables");
	igvm_put_tables(&builder, 2, 0x8000000, 0x2000, 0x1000);
	igvm_put_area(&builder, 1, 0x1000, NULL);
	igvm_put_insert(&builder, 0x8001000, 1);
	expect_refusal(PVW_IGVM_0024, "page tables");
}

Test(igvm_file, refuses_headers_for_another_launch)
{
	uint8_t body[64] = { 1 };

	igvm_put_header(&builder, 0x30b, body, sizeof(body));
	expect_refusal(PVW_IGVM_0023, "snp-id-block");
	igvm_put_header(&builder, 0x106, body, 32);
	expect_refusal(PVW_IGVM_0023, "cca-policy");
}

Test(igvm_file, finds_all_that_is_wrong)
{
	IgvmContents contents = { 0 };
	Diagnostics findings;
	IgvmSelection selection = { 0 };
	IgvmFile file = { 0 };
	Error err = { 0 };

	igvm_put_page(&builder, 0x1001, NULL);
	igvm_put_use(&builder, 0x307, 5, 0);
	igvm_put_page(&builder, 0x2000, NULL);
	igvm_put_page(&builder, 0x2000, NULL);
	cr_assert(diagnostics_init(&findings, 16, arena, &err));
	cr_assert(igvm_open(igvm_finish(&builder), &file, &err));
	cr_assert(igvm_select(&file, IGVM_PLATFORM_VSM, &selection, &err));
	cr_assert_not(igvm_read(&file, &selection, arena, &contents, &findings, &err));
	cr_assert_eq(err.diagnostic, PVW_IGVM_0022, "the first");
	cr_assert_eq(findings.count, 3u);
	cr_assert_eq(findings.items[1].what.diagnostic, PVW_IGVM_0025);
	cr_assert_eq(findings.items[2].what.diagnostic, PVW_IGVM_0024);
	cr_assert_eq(findings.items[2].what.offset, 24u + 24 + 32 + 16 + 32);
}

/* Nothing that a byte can say makes reading crash, or fail without a word. */
Test(igvm_file, survives_every_byte_changed)
{
	static const IgvmRegister rip = { 0x20010, 1, 0 };
	static uint8_t kept[sizeof(builder.file)];
	const IgvmRegion value = region();
	Bytes file;

	igvm_put_region(&builder, &value);
	igvm_put_tables(&builder, 2, 0x8400000, 0x2000, 0x1000);
	igvm_put_area(&builder, 1, 0x1000, page);
	igvm_put_page(&builder, 0x8000000, page);
	igvm_put_use(&builder, 0x30c, 1, 0);
	igvm_put_insert(&builder, 0x8010000, 1);
	igvm_put_context(&builder, 2, 0, &rip, 1);
	igvm_put_required(&builder, 0x8000000, 0x400000, 1);
	file = igvm_finish(&builder);
	memcpy(kept, builder.file, file.len);
	for (size_t at = 0; at < 24 + builder.headers_len; at++) {
		static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };

		for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
			IgvmContents contents;
			Error err = { 0 };

			memcpy(builder.file, kept, file.len);
			builder.file[at] = values[i];
			igvm_seal(builder.file, file.len);
			arena_reset(arena);
			if (!read_bytes(file, &contents, &err))
				cr_assert(err.diagnostic != PVW_NONE && err.text[0]);
		}
	}
}
