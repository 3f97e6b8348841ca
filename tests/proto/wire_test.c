/*
 * Fields on the wire.
 */
#include <criterion/criterion.h>

#include "proto/wire.h"

static Bytes text(const char *s)
{
	return (Bytes){ (const uint8_t *)s, strlen(s) };
}

#define BYTES(...)                                                                             \
	((Bytes){ (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }) })

Test(wire, reads_each_type_of_field)
{
	WireReader r = wire_reader_on(BYTES(0x08, 0x96, 0x01, 0x12, 0x02, 'h', 'i', 0x1d, 1, 0,
		0, 0, 0x21, 2, 0, 0, 0, 0, 0, 0, 0));
	WireField f;

	cr_assert(wire_next(&r, &f));
	cr_assert(f.number == 1 && f.type == WIRE_VARINT && f.value == 150 && f.at == 0);
	cr_assert(wire_next(&r, &f));
	cr_assert(f.number == 2 && f.type == WIRE_BYTES && f.bytes.len == 2 && f.at == 3);
	cr_assert(wire_next(&r, &f));
	cr_assert(f.number == 3 && f.type == WIRE_32BIT && f.value == 1);
	cr_assert(wire_next(&r, &f));
	cr_assert(f.number == 4 && f.type == WIRE_64BIT && f.value == 2);
	cr_assert_not(wire_next(&r, &f));
	cr_assert_null(r.wrong);
}

Test(wire, names_what_is_no_field)
{
	const struct {
		Bytes bytes;
		const char *word;
	} cases[] = {
		{ BYTES(0x08), "varint" },
		{ BYTES(0x08, 0x80, 0x80), "varint" },
		{ BYTES(0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02),
			"64 bits" },
		{ BYTES(0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01),
			"64 bits" },
		{ BYTES(0x12, 0x05, 'h'), "length" },
		{ BYTES(0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
			"length" },
		{ BYTES(0x1d, 1, 2, 3), "fixed" },
		{ BYTES(0x21, 1, 2, 3, 4, 5, 6, 7), "fixed" },
		{ BYTES(0x00, 0x00), "field number" },
		{ BYTES(0x80, 0x80, 0x80, 0x80, 0x10, 0x00), "field number" },
		{ BYTES(0x0b), "group" },
		{ BYTES(0x0c), "group" },
		{ BYTES(0x0e), "wire type" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		WireReader r = wire_reader_on(cases[i].bytes);
		WireField f;

		cr_assert_not(wire_next(&r, &f), "case %zu", i);
		cr_assert_not_null(r.wrong, "case %zu", i);
		cr_assert_not_null(strstr(r.wrong, cases[i].word), "case %zu: %s", i, r.wrong);
		cr_assert_not(wire_next(&r, &f), "case %zu goes on", i);
	}
}

Test(wire, takes_the_largest_varint)
{
	WireReader r = wire_reader_on(
		BYTES(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01));
	WireField f;

	cr_assert(wire_next(&r, &f));
	cr_assert_eq(f.value, UINT64_MAX);
}

Test(wire, text_is_utf8_without_nul)
{
	cr_assert(wire_is_text(text("")));
	cr_assert(wire_is_text(text("plain")));
	cr_assert(wire_is_text(text("gr\xc3\xbc\xc3\x9f"
				    "e")));
	cr_assert(wire_is_text(
		text("\xe2\x82\xac \xf0\x9f\x98\x80 \xed\x9f\xbf \xf4\x8f\xbf\xbf")));
	cr_assert_not(wire_is_text(BYTES('a', 0, 'b')));
	cr_assert_not(wire_is_text(text("\xc0\x80")), "overlong NUL");
	cr_assert_not(wire_is_text(text("\xe0\x80\x80")), "overlong");
	cr_assert_not(wire_is_text(text("\xed\xa0\x80")), "surrogate");
	cr_assert_not(wire_is_text(text("\xf4\x90\x80\x80")), "above U+10FFFF");
	cr_assert_not(wire_is_text(text("\xf8\x88\x80\x80\x80")), "five bytes");
	cr_assert_not(wire_is_text(text("\x80")), "lone continuation");
	cr_assert_not(wire_is_text(text("abc\xe2\x82")), "cut off");
}

/* Every number of one, two and three bytes, by a decoder written the other way round. */
Test(wire, utf8_agrees_with_code_points)
{
	for (uint32_t n = 0; n < 1u << 24; n++) {
		const uint8_t b[3] = { (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };
		uint32_t point;

		if ((b[0] & 0xf0) != 0xe0 || (b[1] & 0xc0) != 0x80 || (b[2] & 0xc0) != 0x80)
			continue;
		point = (uint32_t)(b[0] & 15) << 12 | (uint32_t)(b[1] & 63) << 6 | (b[2] & 63u);

		const bool valid = point >= 0x800 && (point < 0xd800 || point > 0xdfff);

		if (wire_is_text((Bytes){ b, 3 }) != valid)
			cr_assert(false, "U+%04x", point);
	}
}

Test(wire, puts_what_it_reads)
{
	uint8_t buffer[64];
	ByteWriter w = byte_writer_on(buffer, sizeof(buffer));

	put_wire_bytes(&w, 2, (Bytes){ 0 });
	put_wire_bytes(&w, 16, text("abc"));
	put_varint(&w, 1 << 3);
	put_varint(&w, UINT64_MAX);

	const uint8_t expected[] = { 0x12, 0x00, 0x82, 0x01, 0x03, 'a', 'b', 'c', 0x08, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 };

	cr_assert_eq(w.len, sizeof(expected));
	cr_assert_arr_eq(buffer, expected, sizeof(expected));
	cr_assert_eq(wire_bytes_size(2, 0), 2);
	cr_assert_eq(wire_bytes_size(16, 3), 6);
	cr_assert_eq(wire_varint_size(127), 1);
	cr_assert_eq(wire_varint_size(128), 2);
	cr_assert_eq(wire_varint_size(UINT64_MAX), 10);
}
