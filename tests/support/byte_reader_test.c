#include <criterion/criterion.h>
#include <string.h>

#include "support/byte_reader.h"
#include "support/diagnostics.h"

static const uint8_t data[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 };

Test(byte_reader, reads_little_endian)
{
	ByteReader r = byte_reader_on((Bytes){ data, sizeof(data) });
	Error err;

	cr_assert_eq(get_u8(&r), 0x01);
	cr_assert_eq(get_u16(&r), 0x0302);
	cr_assert_eq(get_u32(&r), 0x07060504);
	cr_assert_eq(get_u64(&r), UINT64_C(0x0f0e0d0c0b0a0908));
	cr_assert_eq(byte_reader_left(&r), 2);

	const Bytes rest = get_bytes(&r, 2);

	cr_assert_eq(rest.data, data + 15);
	cr_assert_eq(rest.len, 2);
	cr_assert_eq(byte_reader_left(&r), 0);
	cr_assert(byte_reader_finish(&r, "test", &err));
}

Test(byte_reader, gives_zero_for_ever_after_the_end)
{
	ByteReader r = byte_reader_on((Bytes){ data, 6 });
	Error err;

	cr_assert_eq(get_u32(&r), 0x04030201);
	cr_assert_eq(get_u32(&r), 0);
	cr_assert_eq(get_u8(&r), 0);
	cr_assert_null(get_bytes(&r, 1).data);
	cr_assert_eq(byte_reader_left(&r), 0);

	cr_assert_not(byte_reader_finish(&r, "reg", &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0003);
	cr_assert_eq(err.code, ERROR_TRUNCATED);
	cr_assert_str_eq(err.text, "reg: 6 bytes, more expected after byte 4");
}

Test(byte_reader, nothing_can_be_read_nowhere)
{
	ByteReader r = byte_reader_on((Bytes){ 0 });
	Error err;

	cr_assert_null(get_bytes(&r, 0).data);
	cr_assert(byte_reader_finish(&r, "void", &err));
	cr_assert_eq(get_u8(&r), 0);
	cr_assert_not(byte_reader_finish(&r, "void", &err));
	cr_assert_not_null(strstr(err.text, "0 bytes"));
}

Test(byte_reader, any_length_is_respected)
{
	for (size_t len = 0; len <= sizeof(data); len++) {
		uint8_t copy[sizeof(data)];
		ByteReader r;
		Error err;

		memcpy(copy, data, sizeof(data));
		r = byte_reader_on((Bytes){ copy + sizeof(data) - len, len });
		get_u64(&r);
		get_u32(&r);
		get_u16(&r);
		get_u8(&r);
		get_bytes(&r, 2);
		cr_assert_eq(byte_reader_finish(&r, "test", &err), len == sizeof(data));
		cr_assert_leq(r.at, len);
	}
}

Test(byte_reader, lengths_that_wrap_are_past_the_end)
{
	ByteReader r = byte_reader_on((Bytes){ data, sizeof(data) });

	get_u8(&r);
	cr_assert_null(get_bytes(&r, SIZE_MAX).data);
	cr_assert(r.short_read);
}

Test(byte_reader, nothing_is_enough_for_nothing)
{
	ByteReader r = byte_reader_on((Bytes){ 0 });
	Error err;

	get_bytes(&r, 0);
	cr_assert(byte_reader_finish(&r, "test", &err));
}
