/*
 * Which Images are kernels that can be started here. Headers are written by number.
 */
#include "loaders/arm64_image.h"

#include <criterion/criterion.h>
#include <string.h>

#include "helpers/kernel_builder.h"
#include "support/diagnostics.h"

#define FILE_SIZE 0x3000

static uint8_t file[FILE_SIZE];

/* As Linux 6.1 has it: text_offset 0, pages of 4 KiB, anywhere. */
static void set_up(void)
{
	memset(file, 0, sizeof(file));
	kernel_put(file, 0, 4, 0xfa405a4d);
	kernel_put(file, 16, 8, 0x1ab0000);
	kernel_put(file, 24, 8, 0xa);
	memcpy(file + 56, "ARM\x64", 4);
}

TestSuite(arm64_image, .init = set_up);

static bool parse(size_t len, Arm64Image *out, Error *err)
{
	return arm64_image_parse((Bytes){ file, len }, out, err);
}

static Arm64Image parsed(void)
{
	Arm64Image out = { 0 };
	Error err = { 0 };

	cr_assert(parse(FILE_SIZE, &out, &err), "%s", err.text);
	return out;
}

static void refused(size_t len, uint16_t diagnostic, ErrorCode code, const char *word)
{
	Arm64Image out = { .size = 77 };
	Error err = { 0 };

	cr_assert_not(parse(len, &out, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert_eq(err.code, code);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(out.size, 77u, "untouched on failure");
}

Test(arm64_image, reads_where_a_kernel_wants_to_lie)
{
	const Arm64Image plain = parsed();

	cr_assert_eq(plain.text_offset, 0u);
	cr_assert_eq(plain.size, 0x1ab0000u);

	kernel_put(file, 8, 8, 0x80000);
	cr_assert_eq(parsed().text_offset, 0x80000u);
}

Test(arm64_image, takes_the_length_of_the_file_where_no_size_is_stated)
{
	kernel_put(file, 16, 8, 0);
	cr_assert_eq(parsed().size, (uint64_t)FILE_SIZE);
}

Test(arm64_image, takes_a_file_as_long_as_its_size_and_no_longer)
{
	kernel_put(file, 16, 8, FILE_SIZE);
	cr_assert_eq(parsed().size, (uint64_t)FILE_SIZE);
	kernel_put(file, 16, 8, FILE_SIZE - 1);
	refused(FILE_SIZE, PVW_ARM64_0007, ERROR_BAD_VALUE, "0x2fff");
}

Test(arm64_image, refuses_less_than_a_header)
{
	refused(63, PVW_ARM64_0001, ERROR_TRUNCATED, "63 bytes");
	refused(0, PVW_ARM64_0001, ERROR_TRUNCATED, "expected a header of 64");
}

Test(arm64_image, refuses_another_magic_and_says_what_it_is)
{
	static const struct {
		size_t at;
		const char *bytes;
		size_t len;
		const char *what;
	} others[] = {
		{ 0, "\x1f\x8b\x08\x00", 4, "gzip" },
		{ 0,
			"\x7f"
			"ELF",
			4, "ELF" },
		{ 0, "MZ\0\0zimg", 8, "compressed EFI image" },
		{ 0, "\x28\xb5\x2f\xfd", 4, "zstd" },
		{ 0,
			"\xfd"
			"7zXZ",
			5, "xz" },
		{ 0x202, "HdrS", 4, "bzImage" },
		{ 0, "nothing", 7, "nothing known" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
		memset(file, 0, sizeof(file));
		memcpy(file + others[i].at, others[i].bytes, others[i].len);
		refused(FILE_SIZE, PVW_ARM64_0002, ERROR_BAD_VALUE, others[i].what);
	}
}

Test(arm64_image, refuses_big_endian_kernels)
{
	kernel_put(file, 24, 8, 0xb);
	refused(FILE_SIZE, PVW_ARM64_0003, ERROR_UNSUPPORTED, "big-endian");
}

Test(arm64_image, refuses_pages_that_are_not_4_kib)
{
	static const struct {
		uint64_t flags;
		const char *word;
	} pages[] = { { 0x8, "unknown size" }, { 0xc, "16 KiB" }, { 0xe, "64 KiB" } };

	for (size_t i = 0; i < ARRAY_COUNT(pages); i++) {
		kernel_put(file, 24, 8, pages[i].flags);
		refused(FILE_SIZE, PVW_ARM64_0004, ERROR_UNSUPPORTED, pages[i].word);
	}
}

Test(arm64_image, refuses_kernels_for_the_start_of_memory)
{
	kernel_put(file, 24, 8, 0x2);
	refused(FILE_SIZE, PVW_ARM64_0005, ERROR_UNSUPPORTED, "anywhere");
}

Test(arm64_image, refuses_a_text_offset_that_is_no_page)
{
	kernel_put(file, 8, 8, 0x80800);
	refused(FILE_SIZE, PVW_ARM64_0006, ERROR_BAD_VALUE, "0x80800");
}
