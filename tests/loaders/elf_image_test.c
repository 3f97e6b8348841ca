/*
 * What is read out of an ELF kernel, and what is not believed.
 */
#include "loaders/elf_image.h"

#include <criterion/criterion.h>
#include <string.h>

#include "helpers/kernel_builder.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)

static uint8_t file[ELF_FILE_SIZE];
static const Bytes whole = { file, sizeof(file) };

static void set_up(void)
{
	elf_file(file);
}

TestSuite(elf_image, .init = set_up);

static ElfImage parsed(void)
{
	ElfImage image = { 0 };
	Error err = { 0 };

	cr_assert(elf_image_parse(whole, MIB, FOUR_GIB, &image, &err), "%s", err.text);
	return image;
}

static void refused(Bytes bytes, uint16_t diagnostic, const char *word)
{
	ElfImage image = { .count = 4711 };
	Error err = { 0 };

	cr_assert_not(elf_image_parse(bytes, MIB, FOUR_GIB, &image, &err), "%s", word);
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", word, err.text);
	cr_assert_not_null(strstr(err.text, word), "%s: %s", word, err.text);
	cr_assert_eq(image.count, 4711u);
}

Test(elf_image, lists_what_is_to_be_loaded)
{
	const ElfImage image = parsed();

	cr_assert_eq(image.count, 2u);
	cr_assert_eq(image.segments[0].gpa, 16 * MIB);
	cr_assert_eq(image.segments[0].bytes.data, file + 0x1000, "borrowed, not copied");
	cr_assert_eq(image.segments[0].bytes.len, 0x1234u);
	cr_assert_eq(image.segments[0].room, 0x1234u);
	cr_assert_eq(image.segments[1].gpa, 32 * MIB);
	cr_assert_eq(image.segments[1].bytes.len, 0x800u);
	cr_assert_eq(image.segments[1].room, 0x5000u);
	cr_assert_eq(image.entry, 16 * MIB + 0x40);
	cr_assert(
		memory_range_equal(image.pages, (MemoryRange){ 16 * MIB, 32 * MIB + 0x5000 }));
}

Test(elf_image, sorts_segments_by_address)
{
	kernel_put(file, 0x58, 8, 48 * MIB);
	kernel_put(file, 0x18, 8, 48 * MIB);
	cr_assert_eq(parsed().segments[0].gpa, 32 * MIB);
	cr_assert_eq(parsed().segments[1].gpa, 48 * MIB);
	cr_assert_eq(parsed().pages.end, 48 * MIB + 0x2000);
}

Test(elf_image, leaves_out_segments_without_memory)
{
	kernel_put(file, 0xd0, 8, 0);
	cr_assert_eq(parsed().count, 2u, "zeros alone are loaded");
	kernel_put(file, 0xd8, 8, 0);
	kernel_put(file, 0xc8, 8, 1);
	cr_assert_eq(parsed().count, 1u);
}

static const struct Bad {
	size_t at;
	unsigned width;
	uint64_t value;
	uint16_t diagnostic;
	const char *word;
} bad[] = {
	{ 0x01, 1, 'e', PVW_ELF_0001, "do not begin" },
	{ 0x04, 1, 1, PVW_ELF_0002, "class 1" },
	{ 0x05, 1, 2, PVW_ELF_0002, "byte order 2" },
	{ 0x06, 1, 0, PVW_ELF_0002, "version 0" },
	{ 0x10, 2, 1, PVW_ELF_0002, "type 1" },
	{ 0x12, 2, 183, PVW_ELF_0002, "machine 183" },
	{ 0x36, 2, 32, PVW_ELF_0002, "program header size 32" },
	{ 0x20, 8, UINT64_MAX, PVW_ELF_0003, "0xffffffffffffffff" },
	{ 0x20, 8, ELF_FILE_SIZE - 3 * 56 + 1, PVW_ELF_0003, "3 program headers" },
	{ 0x38, 2, 65, PVW_ELF_0007, "65 program headers" },
	{ 0x38, 2, 0xffff, PVW_ELF_0007, "65535" },
	{ 0x38, 2, 0, PVW_ELF_0008, "0 program headers" },
	{ 0x48, 8, UINT64_MAX, PVW_ELF_0003, "segment 0" },
	{ 0xb8, 8, ELF_FILE_SIZE - 0x7ff, PVW_ELF_0003, "segment 2" },
	{ 0x60, 8, 0x1235, PVW_ELF_0004, "0x1235 bytes of the file" },
	{ 0x68, 8, 0x1233, PVW_ELF_0004, "for 0x1233 of memory" },
	{ 0x58, 8, MIB - 0x1000, PVW_ELF_0004, "0xff000" },
	{ 0x58, 8, 16 * MIB + 8, PVW_ELF_0004, "0x1000008" },
	{ 0x58, 8, FOUR_GIB - 0x1000, PVW_ELF_0004, "0xfffff000" },
	{ 0xd8, 8, UINT64_MAX, PVW_ELF_0004, "0xffffffffffffffff bytes" },
	{ 0xc8, 8, 16 * MIB + 0x1000, PVW_ELF_0005, "0x1000000-0x1002000" },
	{ 0x58, 8, 32 * MIB + 0x4000, PVW_ELF_0005, "0x2004000-0x2006000" },
	{ 0x18, 8, 0, PVW_ELF_0006, "entry 0x0" },
	{ 0x18, 8, 16 * MIB + 0x1234, PVW_ELF_0006, "0x1001234" },
	{ 0x18, 8, 32 * MIB + 0x800, PVW_ELF_0006, "0x2000800" },
	{ 0x18, 8, UINT64_C(0xffffffff81000040), PVW_ELF_0006, "physical" },
};

Test(elf_image, refuses_files_that_cannot_be_loaded)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		elf_file(file);
		kernel_put(file, bad[i].at, bad[i].width, bad[i].value);
		refused(whole, bad[i].diagnostic, bad[i].word);
	}
}

Test(elf_image, refuses_files_with_nothing_to_load)
{
	kernel_put(file, 0x40, 4, 2);
	kernel_put(file, 0xb0, 4, 2);
	refused(whole, PVW_ELF_0008, "none of them");
}

/* A small file could keep the worker busy with gigabytes of zeros. */
Test(elf_image, refuses_memory_that_no_kernel_takes)
{
	kernel_put(file, 0xd8, 8, 512 * MIB - 0x1234);
	cr_assert_eq(parsed().count, 2u);
	kernel_put(file, 0xd8, 8, 512 * MIB - 0x1233);
	refused(whole, PVW_ELF_0009, "2 segments take 0x20000001 bytes");
}

Test(elf_image, refuses_more_segments_than_it_holds)
{
	kernel_put(file, 0x38, 2, 17);
	for (unsigned i = 0; i < 17; i++) {
		memcpy(file + 0x40 + 56 * i, file + 0x40, 56);
		kernel_put(file, 0x58 + 56 * i, 8, 16 * MIB + 0x2000 * i);
	}
	refused(whole, PVW_ELF_0007, "more than 16");
	kernel_put(file, 0x38, 2, 16);
	cr_assert_eq(parsed().count, 16u);
}

/* The file lies at the end of its memory, so that a sanitizer sees the first byte too far. */
Test(elf_image, refuses_every_shorter_file)
{
	for (size_t len = 0; len < 0x3800; len++) {
		uint8_t *copy = malloc(len ? len : 1);
		ElfImage image;
		Error err = { 0 };

		memcpy(copy, file, len);
		cr_assert_not(
			elf_image_parse((Bytes){ copy, len }, MIB, FOUR_GIB, &image, &err));
		cr_assert_eq(err.diagnostic, len < 4 ? PVW_ELF_0001 : PVW_ELF_0003, "%zu: %s",
			len, err.text);
		free(copy);
	}
	refused((Bytes){ (const uint8_t *)"\x7f"
					  "ELF\1\1\1\0\0\0\0\0\0\0\0\0",
			16 },
		PVW_ELF_0002, "class 1");
}

Test(elf_image, never_leaves_the_file)
{
	uint64_t seed = 1;

	for (size_t round = 0; round < 100000; round++) {
		ElfImage image;
		Error err;

		elf_file(file);
		for (unsigned i = 0; i < 1 + round % 6; i++) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
			file[4 + (seed >> 33) % 0xe4] = (uint8_t)(seed >> 56);
		}
		if (!elf_image_parse(whole, MIB, FOUR_GIB, &image, &err))
			continue;
		for (size_t i = 0; i < image.count; i++) {
			const ElfSegment *segment = &image.segments[i];

			cr_assert_geq(segment->bytes.data, file);
			cr_assert_leq(
				segment->bytes.data + segment->bytes.len, file + sizeof(file));
			cr_assert_leq(segment->bytes.len, segment->room);
			cr_assert_leq(segment->gpa + segment->room, FOUR_GIB);
		}
	}
}
