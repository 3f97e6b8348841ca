#include "machine.h"

#include "acpi/aml_resource.h"
#include "helpers/aml_decode.h"

typedef struct Bench {
	uint8_t room[4096];
	ByteWriter w;
	Aml aml;
	Error err;
} Bench;

static void bench_init(Bench *b)
{
	memset(b, 0, sizeof(*b));
	b->w = byte_writer_on(b->room, sizeof(b->room));
	aml_begin(&b->aml, &b->w, &b->err);
}

/* The data term behind Name (_CRS, …). */
static Bytes term_of(Bench *b)
{
	cr_assert(aml_finish(&b->aml), "%s", b->err.text);
	cr_assert_arr_eq(b->room, "\x08_CRS", 5);
	return (Bytes){ b->room + 5, b->w.len - 5 };
}

Test(aml_resource, empty_template_is_an_end_tag)
{
	Bench b;

	bench_init(&b);
	aml_resources(&b.aml);
	aml_close(&b.aml);
	cr_assert(aml_finish(&b.aml));
	cr_expect_eq(b.w.len, 5 + 6);
	cr_expect_arr_eq(b.room + 5, "\x11\x05\x0A\x02\x79\x00", 6);
}

Test(aml_resource, every_descriptor_reads_back)
{
	AmlResource r[8];
	Bench b;

	bench_init(&b);
	aml_resources(&b.aml);
	resource_window(&b.aml, RESOURCE_PRODUCER, FOUR_GIB, FOUR_GIB);
	resource_window32(&b.aml, RESOURCE_CONSUMER, 0xFFFFF000, 0x1000);
	resource_memory32(&b.aml, 0xFEE00000, 0x1000);
	resource_bus_numbers(&b.aml, 0, 256);
	resource_io(&b.aml, 0x3F8, 1, 8);
	resource_interrupt(&b.aml, RESOURCE_LEVEL_EXCLUSIVE, 0x01020304);
	resource_irq(&b.aml, 5);
	aml_close(&b.aml);
	cr_assert_eq(aml_read_resources(term_of(&b), r, 8), 7);

	cr_expect_eq(r[0].kind, AML_RESOURCE_QWORD);
	cr_expect_eq(r[0].flags, 0x0C);
	cr_expect_eq(r[0].type_flags, 0x03);
	cr_expect_eq(r[0].minimum, FOUR_GIB);
	cr_expect_eq(r[0].maximum, 2 * FOUR_GIB - 1);
	cr_expect_eq(r[0].length, FOUR_GIB);
	cr_expect_eq(r[0].granularity, 0);
	cr_expect_eq(r[0].translation, 0);
	cr_expect_eq(r[1].kind, AML_RESOURCE_DWORD);
	cr_expect_eq(r[1].flags, 0x0D);
	cr_expect_eq(r[1].minimum, 0xFFFFF000);
	cr_expect_eq(r[1].maximum, 0xFFFFFFFF);
	cr_expect_eq(r[1].length, 0x1000);
	cr_expect_eq(r[2].kind, AML_RESOURCE_MEMORY32_FIXED);
	cr_expect_eq(r[2].flags, 1);
	cr_expect_eq(r[2].minimum, 0xFEE00000);
	cr_expect_eq(r[3].kind, AML_RESOURCE_WORD);
	cr_expect_eq(r[3].space, 2);
	cr_expect_eq(r[3].maximum, 255);
	cr_expect_eq(r[3].length, 256);
	cr_expect_eq(r[4].kind, AML_RESOURCE_IO);
	cr_expect_eq(r[4].minimum, 0x3F8);
	cr_expect_eq(r[4].maximum, 0x3F8);
	cr_expect_eq(r[4].align, 1);
	cr_expect_eq(r[4].length, 8);
	cr_expect_eq(r[5].kind, AML_RESOURCE_INTERRUPT);
	cr_expect_eq(r[5].flags, 1);
	cr_expect_eq(r[5].interrupt, 0x01020304);
	cr_expect_eq(r[6].kind, AML_RESOURCE_IRQ);
	cr_expect_eq(r[6].flags, 1);
	cr_expect_eq(r[6].interrupt, 1 << 5);
}

Test(aml_resource, long_templates_get_wide_lengths)
{
	static const size_t counts[] = { 1, 5, 6, 88, 89, 90 };

	for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
		AmlResource *r = calloc(128, sizeof(*r));
		Bench *b = malloc(sizeof(*b));

		bench_init(b);
		aml_resources(&b->aml);
		for (size_t n = 0; n < counts[i] && n < 85; n++)
			resource_window(&b->aml, RESOURCE_PRODUCER, n << 12, 0x1000);
		for (size_t n = 85; n < counts[i]; n++)
			resource_io(&b->aml, (uint16_t)n, 1, 1);
		aml_close(&b->aml);
		cr_expect_eq(aml_read_resources(term_of(b), r, 128), counts[i]);
		free(b);
		free(r);
	}
}

Test(aml_resource, window_may_end_at_the_end_of_the_address_space)
{
	AmlResource r[2];
	Bench b;

	bench_init(&b);
	aml_resources(&b.aml);
	resource_window(&b.aml, RESOURCE_PRODUCER, UINT64_MAX, 1);
	resource_window(&b.aml, RESOURCE_PRODUCER, 1, UINT64_MAX);
	aml_close(&b.aml);
	cr_assert_eq(aml_read_resources(term_of(&b), r, 2), 2);
	cr_expect_eq(r[0].maximum, UINT64_MAX);
	cr_expect_eq(r[1].maximum, UINT64_MAX);
}

Test(aml_resource, window_of_an_empty_range_is_left_out)
{
	static const MemoryRange empty[] = { { 0, 0 }, { FOUR_GIB, FOUR_GIB },
		{ 9 * GIB, 9 * GIB } };
	AmlResource r[2];
	Bench b;

	bench_init(&b);
	aml_resources(&b.aml);
	for (size_t i = 0; i < ARRAY_COUNT(empty); i++)
		resource_window_of(&b.aml, RESOURCE_PRODUCER, empty[i]);
	aml_close(&b.aml);
	cr_expect_eq(aml_read_resources(term_of(&b), r, 2), 0);
}

static void window(Aml *aml, uint64_t base, uint64_t len)
{
	resource_window(aml, RESOURCE_PRODUCER, base, len);
}

static void window32(Aml *aml, uint64_t base, uint64_t len)
{
	resource_window32(aml, RESOURCE_PRODUCER, (uint32_t)base, (uint32_t)len);
}

static void memory32(Aml *aml, uint64_t base, uint64_t len)
{
	resource_memory32(aml, (uint32_t)base, (uint32_t)len);
}

static void buses(Aml *aml, uint64_t base, uint64_t len)
{
	resource_bus_numbers(aml, (uint32_t)base, (uint32_t)len);
}

static void ports(Aml *aml, uint64_t base, uint64_t len)
{
	resource_io(aml, (uint16_t)base, 1, (uint8_t)len);
}

Test(aml_resource, refuses_empty_and_wrapping_ranges)
{
	static const struct {
		void (*put)(Aml *aml, uint64_t base, uint64_t len);
		uint64_t base, len;
	} bad[] = {
		{ window, 0, 0 },
		{ window, FOUR_GIB, 0 },
		{ window, UINT64_MAX, 2 },
		{ window, 2, UINT64_MAX },
		{ window32, 0x1000, 0 },
		{ window32, 0xFFFFF000, 0x1001 },
		{ memory32, 0x1000, 0 },
		{ memory32, 0xFFFFFFFF, 2 },
		{ buses, 0, 0 },
		{ buses, 5, 0 },
		{ buses, 0xFFFF, 2 },
		{ buses, 0, 0x10000 },
		{ ports, 0x3F8, 0 },
		{ ports, 0xFFFF, 2 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		Bench b;
		size_t before;

		bench_init(&b);
		aml_resources(&b.aml);
		before = b.w.len;
		bad[i].put(&b.aml, bad[i].base, bad[i].len);
		cr_expect_eq(b.w.len, before, "row %zu", i);
		cr_expect_not(aml_finish(&b.aml), "row %zu", i);
		cr_expect_eq(b.err.diagnostic, PVW_ACPI_0006, "row %zu: %s", i, b.err.text);
		cr_expect(strstr(b.err.text, "length"), "%s", b.err.text);
	}
}
