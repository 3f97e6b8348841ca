/*
 * What is read out of a bzImage, and what is not believed.
 */
#include "loaders/bzimage.h"

#include <criterion/criterion.h>
#include <string.h>

#include "helpers/kernel_builder.h"
#include "support/diagnostics.h"

static uint8_t file[BZIMAGE_FILE_SIZE];
static const Bytes whole = { file, sizeof(file) };

static void set_up(void)
{
	bzimage_file(file);
}

TestSuite(bzimage, .init = set_up);

static BzImage parsed(Bytes bytes)
{
	BzImage image = { 0 };
	Error err = { 0 };

	cr_assert(bzimage_parse(bytes, &image, &err), "%s", err.text);
	return image;
}

static void refused(Bytes bytes, uint16_t diagnostic, const char *word)
{
	BzImage image = { .init_size = 4711 };
	Error err = { 0 };

	cr_assert_not(bzimage_parse(bytes, &image, &err), "%s", word);
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", word, err.text);
	cr_assert_not_null(strstr(err.text, word), "%s: %s", word, err.text);
	cr_assert_eq(image.init_size, 4711u);
}

Test(bzimage, says_what_its_header_says)
{
	const BzImage image = parsed(whole);

	cr_assert(bzimage_is(whole));
	cr_assert_eq(image.payload.data, file + 0x1000, "the bytes are borrowed, not copied");
	cr_assert_eq(image.payload.len, 0x2000u);
	cr_assert(image.relocatable);
	cr_assert_eq(image.alignment, 0x200000u);
	cr_assert_eq(image.min_alignment, 0x200000u);
	cr_assert_eq(image.pref_address, 0x1000000u);
	cr_assert_eq(image.init_size, 0x400000u);
	cr_assert_eq(image.initrd_limit, 0x80000000u);
	cr_assert(image.above_4gib);
	cr_assert_eq(image.max_line, 2047u);
	cr_assert_arr_eq((const uint8_t *)&image.header, file + 0x1f1, 0x268 - 0x1f1);
}

Test(bzimage, counts_four_setup_sectors_for_none)
{
	kernel_put(file, 0x1f1, 1, 0);
	cr_assert_eq(parsed(whole).payload.data, file + 5 * 512);
	cr_assert_eq(parsed(whole).payload.len, 0x2000u);
}

Test(bzimage, takes_the_rest_of_the_file_without_a_size)
{
	kernel_put(file, 0x1f4, 4, 0);
	cr_assert_eq(parsed((Bytes){ file, 0x2801 }).payload.len, 0x1801u);
}

Test(bzimage, leaves_out_what_lies_behind_its_size)
{
	kernel_put(file, 0x1f4, 4, 0x180);
	cr_assert_eq(parsed(whole).payload.len, 0x1800u);
}

Test(bzimage, needs_no_alignment_where_it_cannot_be_moved)
{
	kernel_put(file, 0x234, 1, 0);
	kernel_put(file, 0x230, 4, 3);
	kernel_put(file, 0x235, 1, 99);
	cr_assert_not(parsed(whole).relocatable);
	cr_assert_eq(parsed(whole).alignment, 1u);
}

Test(bzimage, knows_kernels_that_stay_below_4_gib)
{
	kernel_put(file, 0x236, 2, 0x0001);
	cr_assert_not(parsed(whole).above_4gib);
	kernel_put(file, 0x22c, 4, 0xffffffff);
	cr_assert_eq(parsed(whole).initrd_limit, UINT64_C(0x100000000));
}

static const struct Bad {
	size_t at;
	unsigned width;
	uint64_t value;
	uint16_t diagnostic;
	const char *word;
} bad[] = {
	{ 0x1fe, 2, 0x55aa, PVW_BZIMAGE_0001, "0xaa55" },
	{ 0x202, 4, 0, PVW_BZIMAGE_0001, "HdrS" },
	{ 0x206, 2, 0x020b, PVW_BZIMAGE_0002, "0x020b" },
	{ 0x206, 2, 0, PVW_BZIMAGE_0002, "0x0000" },
	{ 0x211, 1, 0xfe, PVW_BZIMAGE_0003, "0xfe" },
	{ 0x236, 2, 0xfffe, PVW_BZIMAGE_0004, "0xfffe" },
	{ 0x1f1, 1, 255, PVW_BZIMAGE_0005, "0x20000" },
	{ 0x1f1, 1, 8, PVW_BZIMAGE_0005, "0x1200" },
	{ 0x1f4, 4, 0x201, PVW_BZIMAGE_0005, "0x2010" },
	{ 0x1f4, 4, 0xffffffff, PVW_BZIMAGE_0005, "0xffffffff0" },
	{ 0x1f4, 4, 0x20, PVW_BZIMAGE_0005, "where the entry is" },
	{ 0x201, 1, 0x65, PVW_BZIMAGE_0006, "0x267" },
	{ 0x24c, 4, 0x1c01, PVW_BZIMAGE_0006, "0x1c01" },
	{ 0x248, 4, 0xffffffff, PVW_BZIMAGE_0006, "0xffffffff" },
	{ 0x260, 4, 0, PVW_BZIMAGE_0006, "init_size 0x0" },
	{ 0x258, 8, UINT64_MAX - 0x3ffffe, PVW_BZIMAGE_0006, "pref_address" },
	{ 0x230, 4, 0x300000, PVW_BZIMAGE_0006, "kernel_alignment 0x300000" },
	{ 0x230, 4, 0, PVW_BZIMAGE_0006, "kernel_alignment 0x0" },
	{ 0x235, 1, 22, PVW_BZIMAGE_0006, "2^22" },
	{ 0x235, 1, 255, PVW_BZIMAGE_0006, "2^255" },
};

Test(bzimage, refuses_headers_that_cannot_be_true)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bzimage_file(file);
		kernel_put(file, bad[i].at, bad[i].width, bad[i].value);
		refused(whole, bad[i].diagnostic, bad[i].word);
	}
}

/* The file lies at the end of its memory, so that a sanitizer sees the first byte too far. */
Test(bzimage, refuses_every_shorter_file)
{
	for (size_t len = 0; len <= sizeof(file) - 16; len++) {
		uint8_t *copy = malloc(len ? len : 1);
		BzImage image;
		Error err = { 0 };

		memcpy(copy, file, len);
		cr_assert_not(bzimage_parse((Bytes){ copy, len }, &image, &err), "%zu", len);
		cr_assert_eq(err.diagnostic, len < 0x268 ? PVW_BZIMAGE_0001 : PVW_BZIMAGE_0005,
			"%zu: %s", len, err.text);
		free(copy);
	}
	cr_assert_not(bzimage_is((Bytes){ 0 }));
}

/* [LINUXBOOT] syssize counts paragraphs of 16 bytes; memtest86+ does not fill up the last one. */
Test(bzimage, takes_a_file_that_ends_in_the_last_paragraph)
{
	for (size_t missing = 1; missing < 16; missing++) {
		BzImage image;
		Error err = { 0 };

		bzimage_file(file);
		cr_assert(bzimage_parse((Bytes){ file, sizeof(file) - missing }, &image, &err),
			"%zu: %s", missing, err.text);
		cr_assert_eq(
			image.payload.data + image.payload.len, file + sizeof(file) - missing);
	}
}

/* Whatever the header says, what comes out lies inside the file. */
Test(bzimage, never_leaves_the_file)
{
	uint64_t seed = 1;

	for (size_t round = 0; round < 100000; round++) {
		BzImage image;
		uint64_t end;
		Error err;

		bzimage_file(file);
		for (unsigned i = 0; i < 1 + round % 6; i++) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
			file[0x1f1 + (seed >> 33) % 0x77] = (uint8_t)(seed >> 56);
		}
		if (!bzimage_parse(whole, &image, &err))
			continue;
		cr_assert_geq(image.payload.data, file);
		cr_assert_gt(image.payload.len, BZIMAGE_ENTRY);
		cr_assert_leq(image.payload.data + image.payload.len, file + sizeof(file));
		if (bzimage_end(&image, 0x100000, image.alignment, &end)) {
			cr_assert_geq(end, 0x100000 + image.payload.len);
			cr_assert_geq(end, image.pref_address + image.init_size);
		}
	}
}

/* [LINUX] arch/x86/boot/compressed/head_64.S */
Test(bzimage, needs_what_it_is_loaded_to_and_what_it_unpacks_to)
{
	BzImage image = parsed(whole);
	uint64_t end = 0;

	cr_assert(bzimage_end(&image, 0x100000, 0x200000, &end));
	cr_assert_eq(end, 0x1400000u, "unpacked to where it likes to be");
	cr_assert(bzimage_end(&image, 0x1100000, 0x200000, &end));
	cr_assert_eq(end, 0x1600000u, "unpacked to the next multiple");
	image.payload.len = 0x2000000;
	cr_assert(bzimage_end(&image, 0x100000, 0x200000, &end));
	cr_assert_eq(end, 0x2100000u, "the file is longer");
	image.relocatable = false;
	image.payload.len = 0x2000;
	cr_assert(bzimage_end(&image, 0x1100000, 1, &end));
	cr_assert_eq(end, 0x1400000u, "always to the same place");

	end = 4711;
	cr_assert_not(bzimage_end(&image, UINT64_MAX - 1, 1, &end));
	image.relocatable = true;
	cr_assert_not(bzimage_end(&image, UINT64_MAX - 1, 0x200000, &end));
	image.pref_address = UINT64_MAX - 1;
	cr_assert_not(bzimage_end(&image, 0, 0x200000, &end));
	cr_assert_eq(end, 4711u);
}
