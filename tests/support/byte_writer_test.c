#include <criterion/criterion.h>
#include <string.h>

#include "support/byte_writer.h"
#include "support/diagnostics.h"

typedef struct PACKED Record {
	uint8_t a;
	uint32_t b;
} Record;

/* One of each put. */
static void put_everything(ByteWriter *w)
{
	static const Record record = { .a = 0x10, .b = 0x14131211 };

	put_u8(w, 0x01);
	put_u16(w, 0x0302);
	put_u32(w, 0x07060504);
	put_u64(w, UINT64_C(0x0f0e0d0c0b0a0908));
	put_struct(w, record);
	put_zeros(w, 3);
	put_padding(w, 16);
	put_bytes(w, "xyz", 3);
	put_bytes(w, NULL, 0);
	put_padding(w, 1);
}

static const uint8_t everything[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09,
	0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 'x', 'y', 'z' };

Test(byte_writer, writes_little_endian)
{
	uint8_t room[64];
	ByteWriter w = byte_writer_on(room, sizeof(room));
	Bytes out;
	Error err;

	memset(room, 0xff, sizeof(room));
	put_everything(&w);

	cr_assert(byte_writer_finish(&w, "test", &out, &err));
	cr_assert_eq(out.data, room);
	cr_assert_eq(out.len, sizeof(everything));
	cr_assert_eq(memcmp(room, everything, sizeof(everything)), 0);
	cr_assert_eq(room[sizeof(everything)], 0xff);
}

Test(byte_writer, measures_what_it_would_write)
{
	ByteWriter w = byte_writer_measure();
	Bytes out;
	Error err;

	put_everything(&w);
	patch_u32(&w, 0, 7);

	cr_assert(byte_writer_finish(&w, "test", &out, &err));
	cr_assert_null(out.data);
	cr_assert_eq(out.len, sizeof(everything));
}

/* With every room from nothing to enough: never a byte beyond it, and an error until it fits. */
Test(byte_writer, any_room_is_respected)
{
	for (size_t cap = 0; cap <= sizeof(everything); cap++) {
		uint8_t room[64];
		ByteWriter w = byte_writer_on(room, cap);
		Bytes out = { room, 99 };
		Error err;

		memset(room, 0xff, sizeof(room));
		put_everything(&w);

		const bool fits = cap == sizeof(everything);

		cr_assert_eq(byte_writer_finish(&w, "madt", &out, &err), fits);
		for (size_t i = cap; i < sizeof(room); i++)
			cr_assert_eq(room[i], 0xff);
		if (!fits) {
			cr_assert_eq(out.len, 99);
			cr_assert_eq(err.diagnostic, PVW_MEM_0002);
			cr_assert_eq(err.code, ERROR_NO_SPACE);
			cr_assert_not_null(strstr(err.text, "madt"));
		}
	}
}

Test(byte_writer, stays_full_after_an_overflow)
{
	uint8_t room[4] = { 0 };
	ByteWriter w = byte_writer_on(room, sizeof(room));

	put_u16(&w, 0x1111);
	put_u32(&w, 0x22222222);
	put_u8(&w, 0x33);
	patch_u32(&w, 0, 0x44444444);

	cr_assert(w.overflow);
	cr_assert_eq(w.len, 2);
	cr_assert_eq(room[1], 0x11);
	cr_assert_eq(room[2], 0);
}

Test(byte_writer, measuring_overflows_at_the_end_of_numbers)
{
	ByteWriter w = byte_writer_measure();

	put_zeros(&w, SIZE_MAX - 1);
	put_u8(&w, 1);
	cr_assert_not(w.overflow);
	put_u8(&w, 1);
	cr_assert(w.overflow);
}

Test(byte_writer, patches_only_what_was_put)
{
	uint8_t room[8] = { 0 };
	ByteWriter w = byte_writer_on(room, sizeof(room));

	put_u32(&w, 0);
	patch_u32(&w, 0, 0x04030201);
	patch_u32(&w, 1, UINT32_MAX);
	patch_bytes(&w, SIZE_MAX, "x", 1);
	patch_bytes(&w, 4, "x", 1);

	cr_assert_eq(memcmp(room, "\1\2\3\4\0\0\0\0", 8), 0);
}

Test(byte_writer, in_an_arena_gives_back_what_it_did_not_use)
{
	Arena *arena = arena_new(4096);
	ByteWriter w;
	Bytes out;
	Error err;

	cr_assert(byte_writer_in_arena(arena, 4000, &w, &err));
	put_everything(&w);
	cr_assert(byte_writer_finish(&w, "test", &out, &err));

	cr_assert_eq(out.len, sizeof(everything));
	cr_assert_eq(memcmp(out.data, everything, out.len), 0);
	cr_assert_eq(arena_used(arena), sizeof(everything));
	arena_free(arena);
}

Test(byte_writer, in_an_arena_keeps_nothing_of_an_overflow)
{
	Arena *arena = arena_new(4096);
	ByteWriter w;
	Bytes out;
	Error err;

	cr_assert(byte_writer_in_arena(arena, 10, &w, &err));
	put_everything(&w);

	cr_assert_not(byte_writer_finish(&w, "test", &out, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0002);
	cr_assert_eq(arena_used(arena), 0);
	arena_free(arena);
}

Test(byte_writer, in_an_arena_needs_its_bound)
{
	Arena *arena = arena_new(100);
	ByteWriter w = { .len = 7 };
	Error err;

	cr_assert_not(byte_writer_in_arena(arena, 101, &w, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	cr_assert_eq(w.len, 7);
	arena_free(arena);
}
