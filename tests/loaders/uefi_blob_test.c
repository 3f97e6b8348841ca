/*
 * The blob's framing: lengths, padding, counts, and what firmware would halt at.
 */
#include "loaders/uefi_blob.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "helpers/uefi_decode.h"
#include "support/diagnostics.h"

#define ROOM 4096

#define TEXT(literal) ((Bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static uint8_t room[ROOM];

static UefiBlob begin(void)
{
	memset(room, 0xaa, sizeof(room));
	return uefi_blob_begin(byte_writer_on(room, sizeof(room)));
}

static Bytes finish(UefiBlob *blob)
{
	Bytes bytes = { 0 };
	Error err = { 0 };

	cr_assert(uefi_blob_finish(blob, &bytes, &err), "%s", err.text);
	return bytes;
}

/* 1 processor, 256 MiB, low window 128 MiB below 4 GiB, high window 512 MiB above it. */
static const char example_text[] =
	"00000000100000000b0000005801000001000000100000000006000000000000"
	"0300000020000000000000000000000000000010000000000000000000000000"
	"050000001800000033221100554477668899aabbccddeeff0400000048000000"
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	"202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
	"140000002800000000800f000000000000800000000000000000100000000000"
	"0000020000000000130000001800000001000000010000000100000001000000"
	"1200000010000000414020900000000016000000400000004150494334000000"
	"055748564c49544548564c4954455442000000004d534856000000000000e0fe"
	"000000000008000001000000000000000600000010000000534e2d3030303100"
	"1a00000018000000436f6e746f736f20564d000000000000";

static uint8_t example[sizeof(example_text) / 2];

static void read_example(void)
{
	for (size_t i = 0; i < sizeof(example); i++)
		cr_assert_eq(sscanf(example_text + 2 * i, "%2hhx", &example[i]), 1);
}

TestSuite(uefi_blob, .init = read_example);

static UefiBlob write_example(void)
{
	const UefiBiosInformation bios = { .image_pages = 0x600 };
	const UefiMemoryEntry memory = { .start = 0, .len = 0x10000000 };
	const UefiMmioRanges mmio = { { 0xf8000, 0x8000 }, { 0x100000, 0x20000 } };
	const UefiProcessorInformation processors = { 1, 1, 1, 1 };
	const uint64_t flags = 0x90204041;
	UefiBlob blob = begin();

	uefi_blob_append_struct(&blob, UEFI_RECORD_BIOS_INFORMATION, bios);
	uefi_blob_append_struct(&blob, UEFI_RECORD_MEMORY_MAP, memory);
	uefi_blob_append(&blob, UEFI_RECORD_BIOS_GUID, example + 0x48, 16);
	uefi_blob_append(&blob, UEFI_RECORD_ENTROPY, example + 0x60, 64);
	uefi_blob_append_struct(&blob, UEFI_RECORD_MMIO_RANGES, mmio);
	uefi_blob_append_struct(&blob, UEFI_RECORD_PROCESSOR_INFORMATION, processors);
	uefi_blob_append_struct(&blob, UEFI_RECORD_FLAGS, flags);
	uefi_blob_append(&blob, UEFI_RECORD_ACPI_TABLE, example + 0xf8, 52);
	uefi_blob_append_string(&blob, UEFI_RECORD_SYSTEM_SERIAL_NUMBER, TEXT("SN-0001"));
	uefi_blob_append_string(&blob, UEFI_RECORD_SYSTEM_MANUFACTURER, TEXT("Contoso VM"));
	return blob;
}

Test(uefi_blob, writes_the_worked_example)
{
	UefiBlob blob = write_example();
	const Bytes bytes = finish(&blob);

	cr_assert_eq(bytes.len, sizeof(example));
	cr_assert_arr_eq(bytes.data, example, sizeof(example));
}

Test(uefi_blob, is_read_by_the_firmware)
{
	static UefiDecoded decoded;
	UefiBlob blob = write_example();
	const Bytes bytes = finish(&blob);
	const char *halt = uefi_decode(bytes, &decoded);
	char text[65];

	cr_assert_null(halt, "%s", halt);
	cr_assert_eq(decoded.record_count, 11u);
	cr_assert_eq(decoded.memory_count, 1u);
	cr_assert_eq(decoded.memory[0].length, UINT64_C(0x10000000));
	cr_assert_eq(decoded.low.page, UINT64_C(0xf8000));
	cr_assert_eq(decoded.high.pages, UINT64_C(0x20000));
	cr_assert_str_eq(uefi_decode_string(&decoded, 0x06, text), "SN-0001");
	cr_assert_str_eq(uefi_decode_string(&decoded, 0x1a, text), "Contoso VM");
	cr_assert_eq(uefi_decode_table(&decoded, "APIC", 0).len, 52u);
}

Test(uefi_blob, pads_every_record_to_a_multiple_of_eight)
{
	static const struct {
		size_t payload;
		uint32_t record;
	} cases[] = { { 1, 16 }, { 7, 16 }, { 8, 16 }, { 9, 24 }, { 40, 48 }, { 43, 56 },
		{ 93, 104 } };
	static const uint8_t ones[93] = { [0 ... 92] = 0xff };

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		UefiBlob blob = begin();
		Bytes bytes;

		uefi_blob_append(&blob, 0x77, ones, cases[i].payload);
		bytes = finish(&blob);
		cr_assert_eq(uefi_decode_u32(bytes, 16 + 4), cases[i].record, "payload %zu",
			cases[i].payload);
		cr_assert_eq(bytes.len, 16u + cases[i].record);
		for (size_t at = 16 + 8 + cases[i].payload; at < bytes.len; at++)
			cr_assert_eq(bytes.data[at], 0, "padding at %zu", at);
	}
}

Test(uefi_blob, states_count_and_exact_size)
{
	UefiBlob blob = begin();
	Bytes bytes;

	uefi_blob_append(&blob, 0x12, "12345678", 8);
	uefi_blob_append(&blob, 0x12, "1", 1);
	bytes = finish(&blob);
	cr_assert_eq(uefi_decode_u32(bytes, 8), 3u);
	cr_assert_eq(uefi_decode_u32(bytes, 12), 48u);
	cr_assert_eq(bytes.len, 48u, "not rounded to a page");
}

Test(uefi_blob, without_records_is_the_count_alone)
{
	static const uint8_t expected[16] = { 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 16 };
	UefiBlob blob = begin();
	const Bytes bytes = finish(&blob);

	cr_assert_eq(bytes.len, sizeof(expected));
	cr_assert_arr_eq(bytes.data, expected, sizeof(expected));
}

Test(uefi_blob, takes_any_type_as_often_as_asked)
{
	UefiBlob blob = begin();
	Bytes bytes;

	uefi_blob_append(&blob, 0, "x", 1);
	uefi_blob_append(&blob, 0xfffffff0, "y", 1);
	uefi_blob_append(&blob, 0xfffffff0, "z", 1);
	bytes = finish(&blob);
	cr_assert_eq(uefi_decode_u32(bytes, 8), 4u);
	cr_assert_eq(uefi_decode_u32(bytes, 16), 0u);
	cr_assert_eq(uefi_decode_u32(bytes, 32), 0xfffffff0u);
	cr_assert_eq(bytes.data[56], 'z');
}

Test(uefi_blob, fills_an_open_record_piece_by_piece)
{
	UefiBlob blob = begin();
	size_t mark = uefi_blob_open(&blob, 0x03);
	Bytes bytes;

	put_u64(&blob.w, 1);
	put_u32(&blob.w, 2);
	uefi_blob_close(&blob, mark);
	bytes = finish(&blob);
	cr_assert_eq(uefi_decode_u32(bytes, 8), 2u);
	cr_assert_eq(uefi_decode_u32(bytes, 16), 3u);
	cr_assert_eq(uefi_decode_u32(bytes, 20), 24u);
	cr_assert_eq(uefi_decode_u32(bytes, 32), 2u);
	cr_assert_eq(bytes.len, 40u);
}

static void expect_refusal(UefiBlob *blob, const char *word)
{
	Bytes bytes = TEXT("untouched");
	Error err = { 0 };

	cr_assert_not(uefi_blob_finish(blob, &bytes, &err));
	cr_assert_eq(err.diagnostic, PVW_UEFI_0001);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(bytes.len, strlen("untouched"));
}

Test(uefi_blob, refuses_a_record_without_payload)
{
	UefiBlob blob = begin();

	uefi_blob_append(&blob, 0x16, NULL, 0);
	uefi_blob_append(&blob, 0x12, "12345678", 8);
	expect_refusal(&blob, "record 0x16: payload of 0 bytes");
}

Test(uefi_blob, refuses_an_open_record_without_payload)
{
	UefiBlob blob = begin();

	uefi_blob_close(&blob, uefi_blob_open(&blob, 0x03));
	expect_refusal(&blob, "record 0x3");
}

Test(uefi_blob, refuses_a_payload_whose_length_does_not_fit)
{
	UefiBlob blob = uefi_blob_begin(byte_writer_measure());

	uefi_blob_append(&blob, 0x16, NULL, UINT32_MAX - 15);
	expect_refusal(&blob, "payload of 4294967280 bytes");
}

Test(uefi_blob, takes_the_longest_payload_there_is)
{
	UefiBlob blob = uefi_blob_begin(byte_writer_measure());

	uefi_blob_append(&blob, 0x16, NULL, UINT32_MAX - 31);
	cr_assert_not(blob.failed);
	cr_assert_eq(blob.w.len, (size_t)16 + UINT32_MAX - 23);
}

Test(uefi_blob, refuses_a_sum_that_does_not_fit)
{
	UefiBlob blob = uefi_blob_begin(byte_writer_measure());

	uefi_blob_append(&blob, 0x16, NULL, UINT32_MAX / 2);
	uefi_blob_append(&blob, 0x16, NULL, UINT32_MAX / 2);
	expect_refusal(&blob, "together");
}

Test(uefi_blob, says_when_the_room_ends)
{
	uint8_t small[40];
	UefiBlob blob = uefi_blob_begin(byte_writer_on(small, sizeof(small)));
	Bytes bytes = { 0 };
	Error err = { 0 };

	uefi_blob_append(&blob, 0x12, "12345678", 8);
	uefi_blob_append(&blob, 0x12, "12345678", 8);
	cr_assert_not(uefi_blob_finish(&blob, &bytes, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0002);
	cr_assert_not_null(strstr(err.text, "40 bytes"), "%s", err.text);
}

Test(uefi_blob, gives_the_arena_back_what_it_refuses)
{
	Arena *arena = arena_new(1 << 16);
	Error err = { 0 };
	UefiBlob blob;
	ByteWriter w;
	Bytes bytes;

	cr_assert(byte_writer_in_arena(arena, 1024, &w, &err));
	blob = uefi_blob_begin(w);
	uefi_blob_append(&blob, 0x16, NULL, 0);
	cr_assert_not(uefi_blob_finish(&blob, &bytes, &err));
	cr_assert_eq(arena_used(arena), 0u);
	arena_free(arena);
}

/* Payload of the one string record, or 0 if there is none. */
static size_t string_payload(Bytes text, char *first_after)
{
	UefiBlob blob = begin();
	Bytes bytes;

	uefi_blob_append_string(&blob, 0x06, text);
	bytes = finish(&blob);
	if (uefi_decode_u32(bytes, 8) == 1)
		return 0;
	if (first_after)
		*first_after = (char)bytes.data[24 + text.len];
	return uefi_decode_u32(bytes, 20) - 8;
}

Test(uefi_blob, ends_strings_with_one_nul)
{
	char after = 'x';

	cr_assert_eq(string_payload(TEXT("1234567"), &after), 8u);
	cr_assert_eq(after, '\0');
	cr_assert_eq(string_payload(TEXT("12345678"), &after), 16u, "the NUL needs a byte");
	cr_assert_eq(after, '\0');
	cr_assert_eq(string_payload(TEXT("1234567\0"), NULL), 8u, "there is one already");
	cr_assert_eq(string_payload(TEXT("12345678\0\0\0"), NULL), 16u, "kept as they are");
}

Test(uefi_blob, has_no_record_for_a_string_that_is_or_begins_empty)
{
	cr_assert_eq(string_payload((Bytes){ NULL, 0 }, NULL), 0u);
	cr_assert_eq(string_payload(TEXT("\0"), NULL), 0u);
	cr_assert_eq(string_payload(TEXT("\0behind"), NULL), 0u);
}

Test(uefi_blob, keeps_a_nul_in_the_middle_of_a_string)
{
	UefiBlob blob = begin();
	Bytes bytes;

	uefi_blob_append_string(&blob, 0x06, TEXT("a\0b"));
	bytes = finish(&blob);
	cr_assert_arr_eq(bytes.data + 24, "a\0b\0\0\0\0", 8);
}
