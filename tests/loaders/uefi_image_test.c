/*
 * The way from a volume to the first instruction, and where it may not lead.
 */
#include "loaders/uefi_image.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "helpers/firmware_builder.h"
#include "helpers/kernel_builder.h"
#include "support/diagnostics.h"

static uint8_t image[FIRMWARE_X86_SIZE];
static uint8_t *const volume = image + FIRMWARE_X86_SEC;
static const Bytes whole = { image, sizeof(image) };

static void set_up(void)
{
	firmware_x86(image);
}

TestSuite(uefi_image, .init = set_up);

static uint64_t found(void)
{
	uint64_t entry = 0;
	Error err = { 0 };

	cr_assert(uefi_image_find_sec(whole, FIRMWARE_X86_SEC, GUEST_ARCH_X86_64, &entry, &err),
		"%s", err.text);
	return entry;
}

static void refused(uint16_t diagnostic, const char *word)
{
	uint64_t entry = 4711;
	Error err = { 0 };

	cr_assert_not(
		uefi_image_find_sec(whole, FIRMWARE_X86_SEC, GUEST_ARCH_X86_64, &entry, &err),
		"%s", word);
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", word, err.text);
	cr_assert_not_null(strstr(err.text, word), "%s: %s", word, err.text);
	cr_assert_eq(entry, 4711u);
}

Test(uefi_image, finds_the_entry_of_a_pe_image)
{
	cr_assert_eq(found(), FIRMWARE_X86_SEC + FIRMWARE_ENTRY);
}

Test(uefi_image, finds_the_entry_of_a_te_image)
{
	firmware_make_te(volume);
	cr_assert_eq(found(), FIRMWARE_X86_SEC + FIRMWARE_ENTRY);
}

Test(uefi_image, looks_behind_an_extended_header)
{
	/* 0x14 bytes of header, 0x10 of its own, then the files at the next multiple of 8 */
	memmove(volume + 0x70, volume + FIRMWARE_FILE_PAD, 0x800);
	memset(volume + 0x48, 0, 0x28);
	kernel_put(volume, 0x34, 2, 0x48);
	kernel_put(volume, 0x48 + 16, 4, 0x24);
	cr_assert_eq(found(), FIRMWARE_X86_SEC + FIRMWARE_ENTRY + 0x28);
}

Test(uefi_image, knows_large_files_and_sections)
{
	/* the file gets 8 bytes of size, the section 4 */
	uint8_t pe[0x400];

	memcpy(pe, volume + FIRMWARE_CODE, sizeof(pe));
	kernel_put(volume, FIRMWARE_FILE_SEC + 19, 1, 1);
	kernel_put(volume, FIRMWARE_FILE_SEC + 20, 3, 0);
	kernel_put(volume, FIRMWARE_FILE_SEC + 24, 8, 32 + 8 + sizeof(pe));
	kernel_put(volume, FIRMWARE_FILE_SEC + 32, 3, 0xffffff);
	kernel_put(volume, FIRMWARE_FILE_SEC + 35, 1, 0x10);
	kernel_put(volume, FIRMWARE_FILE_SEC + 36, 4, 8 + sizeof(pe));
	memcpy(volume + FIRMWARE_FILE_SEC + 40, pe, sizeof(pe));
	cr_assert_eq(found(), FIRMWARE_X86_SEC + FIRMWARE_FILE_SEC + 40 + 0x240);

	kernel_put(volume, FIRMWARE_FILE_SEC + 36, 4, 0xffffffff);
	refused(PVW_UEFI_0019, "0xffffffff bytes");
	kernel_put(volume, FIRMWARE_FILE_SEC + 24, 8, UINT64_MAX);
	refused(PVW_UEFI_0019, "0xffffffffffffffff bytes");
}

static const struct Bad {
	size_t at;
	unsigned width;
	uint64_t value;
	uint16_t diagnostic;
	const char *word;
} bad[] = {
	{ 0x28, 4, 0, PVW_UEFI_0019, "no firmware volume at 0x5e0000" },
	{ 0x30, 2, 0x37, PVW_UEFI_0019, "header of 0x37" },
	{ 0x20, 8, 0x47, PVW_UEFI_0019, "0x47 bytes" },
	{ 0x20, 8, 0x20001, PVW_UEFI_0019, "0x20001 bytes" },
	{ 0x20, 8, UINT64_MAX, PVW_UEFI_0019, "0xffffffffffffffff bytes" },
	{ 0x20, 8, 0x90, PVW_UEFI_0019, "file at 0x5e0070" },
	{ 0x30, 2, 0xffff, PVW_UEFI_0019, "no file of type SEC core" },
	{ 0x34, 2, 0xffff, PVW_UEFI_0019, "no file of type SEC core" },
	{ FIRMWARE_FILE_SEC + 18, 1, 0x04, PVW_UEFI_0019, "no file of type SEC core" },
	{ FIRMWARE_FILE_PAD + 20, 3, 0, PVW_UEFI_0019, "file at 0x5e0048: 0x0 bytes" },
	{ FIRMWARE_FILE_PAD + 20, 3, 23, PVW_UEFI_0019, "0x17 bytes" },
	{ FIRMWARE_FILE_PAD + 20, 3, 0x1ffb9, PVW_UEFI_0019, "inside its volume" },
	{ FIRMWARE_FILE_PAD + 20, 3, 0x1ffb0, PVW_UEFI_0019, "no file of type SEC core" },
	{ FIRMWARE_FILE_SEC + 20, 3, 24, PVW_UEFI_0019, "no PE32 or TE section" },
	{ FIRMWARE_FILE_SEC + 20, 3, 24 + 0x10 + 0x403, PVW_UEFI_0019, "inside its file" },
	{ FIRMWARE_SECTION_UI, 3, 0, PVW_UEFI_0019, "section at 0x5e0088: 0x0 bytes" },
	{ FIRMWARE_SECTION_UI, 3, 3, PVW_UEFI_0019, "0x3 bytes" },
	{ FIRMWARE_SECTION_UI + 3, 1, 0x01, PVW_UEFI_0011, "type 0x01" },
	{ FIRMWARE_SECTION_UI + 3, 1, 0x02, PVW_UEFI_0011, "type 0x02" },
	{ FIRMWARE_SECTION + 3, 1, 0x19, PVW_UEFI_0019, "no PE32 or TE section" },
	{ FIRMWARE_CODE, 2, 0, PVW_UEFI_0019, "neither a PE nor a TE" },
	{ FIRMWARE_CODE + 0x3c, 4, 0xffffffff, PVW_UEFI_0019, "neither" },
	{ FIRMWARE_CODE + 0x3c, 4, 0x3d5, PVW_UEFI_0019, "neither" },
	{ FIRMWARE_CODE + 0x80, 4, 0, PVW_UEFI_0019, "neither" },
	{ FIRMWARE_CODE + 0x84, 2, 0xaa64, PVW_UEFI_0011, "aarch64" },
	{ FIRMWARE_CODE + 0x84, 2, 0x014c, PVW_UEFI_0011, "i386" },
	{ FIRMWARE_CODE + 0xa8, 4, 0x400, PVW_UEFI_0019, "entry at 0x400" },
	{ FIRMWARE_CODE + 0xa8, 4, 0xffffffff, PVW_UEFI_0019, "entry at 0xffffffff" },
};

Test(uefi_image, refuses_volumes_that_lead_nowhere)
{
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		memset(volume, 0xff, FIRMWARE_VOLUME_SIZE);
		firmware_x86(image);
		kernel_put(volume, bad[i].at, bad[i].width, bad[i].value);
		refused(bad[i].diagnostic, bad[i].word);
	}
}

Test(uefi_image, refuses_te_images_that_were_stripped_too_far)
{
	firmware_make_te(volume);
	kernel_put(volume, FIRMWARE_CODE + 6, 2, 0xffff);
	refused(PVW_UEFI_0019, "neither");
	kernel_put(volume, FIRMWARE_CODE + 6, 2, 0x1d8);
	kernel_put(volume, FIRMWARE_CODE + 8, 4, 0x400 + 0x1d8 - 40);
	refused(PVW_UEFI_0019, "entry at 0x400");
	kernel_put(volume, FIRMWARE_SECTION, 3, 4 + 20);
	refused(PVW_UEFI_0019, "neither");
}

/* The image lies at the end of its memory, so that a sanitizer sees the first byte too far. */
Test(uefi_image, refuses_every_shorter_image)
{
	for (size_t len = 0; len < 0x4a0; len++) {
		uint8_t *copy = malloc(len ? len : 1);
		uint64_t entry;
		Error err = { 0 };

		memcpy(copy, volume, len);
		cr_assert_not(uefi_image_find_sec(
			(Bytes){ copy, len }, 0, GUEST_ARCH_X86_64, &entry, &err));
		cr_assert_eq(err.diagnostic, PVW_UEFI_0019, "%zu: %s", len, err.text);
		if (len >= 0x48) {
			kernel_put(copy, 0x20, 8, len);
			if (uefi_image_find_sec(
				    (Bytes){ copy, len }, 0, GUEST_ARCH_X86_64, &entry, &err))
				cr_assert_lt(entry, len);
		}
		free(copy);
	}
	cr_assert_not(uefi_image_is_volume((Bytes){ 0 }));
	cr_assert(uefi_image_is_volume((Bytes){ volume, 0x38 }));
}

Test(uefi_image, never_leaves_the_image)
{
	static uint8_t small[0x1000], keep[0x1000];
	uint64_t seed = 1;

	memcpy(keep, volume, sizeof(keep));
	kernel_put(keep, 0x20, 8, sizeof(keep));
	for (size_t round = 0; round < 200000; round++) {
		uint64_t entry = 0;
		Error err;

		memcpy(small, keep, 0x400);
		for (unsigned i = 0; i < 1 + round % 6; i++) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
			small[(seed >> 33) % 0x150] = (uint8_t)(seed >> 56);
		}
		if (uefi_image_find_sec((Bytes){ small, sizeof(small) }, 0, GUEST_ARCH_X86_64,
			    &entry, &err))
			cr_assert_lt(entry, sizeof(small));
	}
}
