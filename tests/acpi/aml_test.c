#include "machine.h"

#include "acpi/aml.h"
#include "helpers/aml_decode.h"

#define ROOM 80000

typedef struct Bench {
	uint8_t room[ROOM];
	ByteWriter w;
	Aml aml;
	Error err;
} Bench;

static Bench *bench_new(void)
{
	Bench *b = calloc(1, sizeof(*b));

	b->w = byte_writer_on(b->room, sizeof(b->room));
	aml_begin(&b->aml, &b->w, &b->err);
	return b;
}

static void expect_bytes(Bench *b, const void *bytes, size_t len)
{
	cr_assert(aml_finish(&b->aml), "%s", b->err.text);
	cr_assert_not(b->w.overflow);
	cr_expect_arr_eq(b->room, bytes, len);
	cr_expect_eq(b->w.len, len, "%zu bytes, expected %zu", b->w.len, len);
	free(b);
}
#define EXPECT_BYTES(b, text) expect_bytes((b), (text), sizeof(text) - 1)

static void expect_fault(Bench *b, uint16_t diagnostic, const char *word)
{
	cr_expect_not(aml_finish(&b->aml));
	cr_expect_eq(b->err.diagnostic, diagnostic, "%s", b->err.text);
	cr_expect(strstr(b->err.text, word), "no \"%s\" in: %s", word, b->err.text);
	free(b);
}

Test(aml, package_length_counts_its_own_bytes_from_0_to_70000)
{
	for (size_t body = 0; body <= 70000; body++) {
		uint8_t bytes[4];
		const size_t width = aml_package_length(body, bytes);
		size_t length = 0;

		cr_assert_eq(aml_read_length((Bytes){ bytes, width }, &length), width);
		cr_assert_eq(length, body + width, "body %zu", body);
		/* No shorter form holds it: each holds 6, 12, 20 bits of its total. */
		cr_assert_eq(width,
			body + 1 < 64             ? 1
				: body + 2 < 4096 ? 2
						  : 3,
			"body %zu", body);
	}
}

/* Where three bytes become four, and four become too few. */
Test(aml, package_length_counts_its_own_bytes_around_20_and_28_bits)
{
	for (size_t body = (1 << 20) - 5000; body <= (1 << 20) + 5000; body++) {
		uint8_t bytes[4];
		const size_t width = aml_package_length(body, bytes);
		size_t length = 0;

		cr_assert_eq(aml_read_length((Bytes){ bytes, width }, &length), width);
		cr_assert_eq(length, body + width, "body %zu", body);
		cr_assert_eq(width, body + 3 < 1 << 20 ? 3 : 4, "body %zu", body);
	}
	for (size_t body = (1 << 28) - 5000; body <= (1 << 28) + 5000; body++) {
		uint8_t bytes[4];
		const size_t width = aml_package_length(body, bytes);
		size_t length = 0;

		cr_assert_eq(width, body + 4 < 1 << 28 ? 4 : 0, "body %zu", body);
		if (width)
			cr_assert_eq(aml_read_length((Bytes){ bytes, width }, &length), width);
		cr_assert_eq(length, width ? body + width : 0, "body %zu", body);
	}
}

Test(aml, package_length_is_minimal_at_every_boundary)
{
	static const struct {
		size_t body, width;
		uint8_t bytes[4];
	} pins[] = {
		{ 62, 1, { 0x3F } },
		{ 63, 2, { 0x41, 0x04 } },
		{ 4093, 2, { 0x4F, 0xFF } },
		{ 4094, 3, { 0x81, 0x00, 0x01 } },
		{ 4095, 3, { 0x82, 0x00, 0x01 } },
		{ (1 << 20) - 4, 3, { 0x8F, 0xFF, 0xFF } },
		{ (1 << 20) - 3, 4, { 0xC1, 0x00, 0x00, 0x01 } },
		{ (1 << 28) - 5, 4, { 0xCF, 0xFF, 0xFF, 0xFF } },
		{ (1 << 28) - 4, 0, { 0 } },
		{ SIZE_MAX, 0, { 0 } },
	};

	for (size_t i = 0; i < ARRAY_COUNT(pins); i++) {
		uint8_t bytes[4] = { 0 };

		cr_expect_eq(aml_package_length(pins[i].body, bytes), pins[i].width, "body %zu",
			pins[i].body);
		cr_expect_arr_eq(bytes, pins[i].bytes, 4, "body %zu", pins[i].body);
	}
}

/* A device around one string, of every length around the boundaries. */
Test(aml, closing_a_block_moves_its_body_and_nothing_else)
{
	static const size_t lengths[] = { 0, 50, 51, 52, 53, 54, 4080, 4081, 4082, 4083, 4084,
		4085, 4086, 4087, 4088, 65520, 65536, 70000 };
	char *text = malloc(70001);

	for (size_t i = 0; i < ARRAY_COUNT(lengths); i++) {
		Bench *b = bench_new();
		AmlWalk walk;
		const AmlNode *name;

		for (size_t at = 0; at < lengths[i]; at++)
			text[at] = (char)('A' + at % 26);
		text[lengths[i]] = 0;
		aml_device(&b->aml, "\\OUT");
		aml_scope(&b->aml, "IN");
		aml_name(&b->aml, "TEXT");
		aml_string(&b->aml, text);
		aml_close(&b->aml);
		aml_close(&b->aml);
		cr_assert(aml_finish(&b->aml), "%s", b->err.text);

		walk = aml_walk((Bytes){ b->room, b->w.len });
		cr_assert_str_empty(walk.why);
		name = aml_find(&walk, "\\OUT_.IN__.TEXT");
		cr_assert(name, "length %zu", lengths[i]);
		cr_assert_str_eq(aml_read_string(name->body), text);
		aml_walk_free(&walk);
		free(b);
	}
	free(text);
}

Test(aml, writes_names_as_the_specification_has_them)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
	} names[] = {
		{ "FOO", "FOO_", 4 },
		{ "_HID", "_HID", 4 },
		{ "\\", "\\", 1 },
		{ "\\A", "\\A___", 5 },
		{ "^^ABC", "^^ABC_", 6 },
		{ "A.B",
			"\x2E"
			"A___B___",
			9 },
		{ "\\_SB.PCI0.X1", "\\\x2F\x03_SB_PCI0X1__", 15 },
		{ "A.", "A___", 4 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		Bench *b = bench_new();

		aml_path(&b->aml, names[i].name);
		expect_bytes(b, names[i].bytes, names[i].len);
	}
}

Test(aml, refuses_what_is_not_a_name)
{
	static const char *const names[] = { "", "^", "1ABC", "abc", "A..B", ".A", "ABCDE",
		"A.BCDEF", "\\^A", "A^", "A B", "A.1", "\\\\A", "A\x80" };

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		Bench *b = bench_new();

		aml_path(&b->aml, names[i]);
		expect_fault(b, PVW_ACPI_0001, "is not a name");
	}
}

Test(aml, refuses_a_name_of_more_than_255_segments)
{
	char *path = malloc(2 * 257);
	Bench *b = bench_new();

	for (size_t i = 0; i < 256; i++)
		memcpy(path + 2 * i, "A.", 3);
	path[2 * 255] = 0; /* 255 of them, and a trailing dot */
	aml_path(&b->aml, path);
	cr_expect(aml_finish(&b->aml), "%s", b->err.text);
	cr_expect_eq(b->w.len, 2 + 255 * 4);
	cr_expect_eq(b->room[1], 255);
	free(b);

	b = bench_new();
	memcpy(path + 2 * 255, "A", 2);
	aml_path(&b->aml, path);
	expect_fault(b, PVW_ACPI_0001, "is not a name");
	free(path);
}

Test(aml, writes_integers_in_their_shortest_form)
{
	static const uint64_t values[] = { 0, 1, 2, 0xFF, 0x100, 0xFFFF, 0x10000, 0xFFFFFFFF,
		0x100000000, UINT64_MAX };
	static const size_t lengths[] = { 1, 1, 2, 2, 3, 3, 5, 5, 9, 9 };

	for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
		Bench *b = bench_new();
		uint64_t back = 0;

		aml_integer(&b->aml, values[i]);
		cr_expect_eq(b->w.len, lengths[i]);
		cr_expect(aml_read_integer((Bytes){ b->room, b->w.len }, &back));
		cr_expect_eq(back, values[i]);
		free(b);
	}
}

Test(aml, compresses_eisa_ids)
{
	static const char *const ids[] = { "PNP0501", "PNP0A08", "ABCFFFF", "ZZZ0001" };

	for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
		Bench *b = bench_new();
		char back[8];

		aml_eisa_id(&b->aml, ids[i]);
		cr_assert(aml_read_eisa((Bytes){ b->room, b->w.len }, back));
		cr_expect_str_eq(back, ids[i]);
		free(b);
	}
}

Test(aml, knows_pnp_ids_at_compile_time)
{
	Bench *b = bench_new();

	aml_dword(&b->aml, AML_EISA_PNP(0x0A08));
	EXPECT_BYTES(b, "\x0C\x41\xD0\x0A\x08");
}

Test(aml, refuses_what_is_not_an_eisa_id)
{
	static const char *const ids[] = { "", "PNP050", "PNP05010", "pnp0501", "PN00501",
		"PNP05G1" };

	for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
		Bench *b = bench_new();

		aml_eisa_id(&b->aml, ids[i]);
		expect_fault(b, PVW_ACPI_0002, "three letters");
	}
}

Test(aml, takes_lower_case_digits_in_eisa_ids)
{
	Bench *b = bench_new();

	aml_eisa_id(&b->aml, "PNP0a08");
	EXPECT_BYTES(b, "\x0C\x41\xD0\x0A\x08");
}

Test(aml, writes_packages_and_buffers)
{
	static const uint8_t guid[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
		16 };
	Bench *b = bench_new();

	aml_package(&b->aml, 0);
	aml_close(&b->aml);
	aml_package(&b->aml, 2);
	aml_integer(&b->aml, 1);
	aml_string(&b->aml, "x");
	aml_close(&b->aml);
	aml_buffer(&b->aml, (Bytes){ 0 });
	aml_uuid(&b->aml, guid);
	EXPECT_BYTES(b,
		"\x12\x02\x00"
		"\x12\x06\x02\x01\x0Dx\x00"
		"\x11\x02\x00"
		"\x11\x13\x0A\x10\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F"
		"\x10");
}

Test(aml, writes_methods_with_branches)
{
	Bench *b = bench_new();

	aml_method(&b->aml, "TEST", 2 | AML_SERIALIZED);
	aml_if(&b->aml);
	aml_op(&b->aml, AML_LEQUAL);
	aml_op(&b->aml, AML_ARG0);
	aml_op(&b->aml, AML_ONE);
	aml_close(&b->aml);
	aml_else(&b->aml);
	aml_op(&b->aml, AML_RETURN);
	aml_op(&b->aml, AML_ARG1);
	aml_close(&b->aml);
	aml_close(&b->aml);
	EXPECT_BYTES(b,
		"\x14\x0F"
		"TEST"
		"\x0A"
		"\xA0\x04\x93\x68\x01"
		"\xA1\x03\xA4\x69");
}

static void put_zero_package(Bench *b, size_t elements)
{
	aml_name(&b->aml, "PACK");
	aml_package(&b->aml, elements);
	for (size_t i = 0; i < elements; i++)
		aml_op(&b->aml, AML_ZERO);
	aml_close(&b->aml);
}

/* One byte of number up to 255 elements, a term of its own from there on. [ACPI65] 20.2.5.4 */
Test(aml, packages_of_more_than_255_elements_count_them_in_a_term)
{
	static const struct {
		size_t elements, head_len;
		uint8_t head[7];
	} rows[] = {
		{ 255, 4, { 0x12, 0x42, 0x10, 0xFF } },
		{ 256, 6, { 0x13, 0x45, 0x10, 0x0B, 0x00, 0x01 } },
		{ 4090, 6, { 0x13, 0x4F, 0xFF, 0x0B, 0xFA, 0x0F } },
		{ 4091, 7, { 0x13, 0x81, 0x00, 0x01, 0x0B, 0xFB, 0x0F } },
		{ 65535, 7, { 0x13, 0x85, 0x00, 0x10, 0x0B, 0xFF, 0xFF } },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		Bench *b = bench_new();
		AmlWalk walk;

		put_zero_package(b, rows[i].elements);
		cr_assert(aml_finish(&b->aml), "%s", b->err.text);
		cr_expect_arr_eq(b->room + 5, rows[i].head, rows[i].head_len, "%zu elements",
			rows[i].elements);
		cr_expect_eq(b->w.len, 5 + rows[i].head_len + rows[i].elements);
		walk = aml_walk((Bytes){ b->room, b->w.len });
		cr_expect_str_empty(walk.why);
		aml_walk_free(&walk);
		free(b);
	}
}

Test(aml, refuses_a_package_of_more_than_65535_elements)
{
	Bench *b = bench_new();

	aml_package(&b->aml, 65536);
	expect_fault(b, PVW_ACPI_0004, "65536 elements");
}

Test(aml, refuses_text_that_is_not_ascii)
{
	Bench *b = bench_new();

	aml_string(&b->aml, "caf\xC3\xA9");
	expect_fault(b, PVW_ACPI_0001, "ascii");
}

Test(aml, notices_blocks_that_stay_open)
{
	Bench *b = bench_new();

	aml_device(&b->aml, "DEV");
	expect_fault(b, PVW_ACPI_0005, "still open");
}

Test(aml, notices_a_close_too_many)
{
	Bench *b = bench_new();

	aml_device(&b->aml, "DEV");
	aml_close(&b->aml);
	aml_close(&b->aml);
	expect_fault(b, PVW_ACPI_0005, "not open");
}

Test(aml, bounds_the_nesting)
{
	Bench *b = bench_new();

	for (unsigned i = 0; i <= AML_DEPTH_MAX; i++)
		aml_scope(&b->aml, "DEEP");
	expect_fault(b, PVW_ACPI_0005, "inside one another");
}

Test(aml, refuses_a_block_of_more_than_28_bits)
{
	Error err = { 0 };
	ByteWriter w = byte_writer_measure();
	Aml aml;

	aml_begin(&aml, &w, &err);
	aml_open(&aml, 0x11);
	put_zeros(&w, (size_t)AML_BODY_MAX + 1);
	aml_close(&aml);
	cr_expect_not(aml_finish(&aml));
	cr_expect_eq(err.diagnostic, PVW_ACPI_0003);
	cr_expect(strstr(err.text, "268435452"), "%s", err.text);
}

Test(aml, keeps_the_first_fault)
{
	Bench *b = bench_new();

	aml_path(&b->aml, "first");
	aml_eisa_id(&b->aml, "second");
	cr_expect_not(aml_finish(&b->aml));
	cr_expect_eq(b->err.diagnostic, PVW_ACPI_0001);
	cr_expect(strstr(b->err.text, "first"));
	free(b);
}
