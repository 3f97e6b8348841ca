/*
 * Measured pages: what they say, and everything that they must not.
 */
#include "bootinfo/measured.h"

#include <criterion/criterion.h>
#include <string.h>

#include "support/diagnostics.h"

static Arena *arena;
static uint8_t area[3 * 4096];

/* Words of the configuration, by the order in which they stand. */
enum {
	MAGIC,
	SUPPORTED,
	UEFI_PAGE,
	UEFI_COUNT,
	CONTEXT_PAGE,
	CONTEXT_COUNT,
	KERNEL_PAGE,
	KERNEL_COUNT,
	ENTRY,
	INITRD_PAGE,
	INITRD_COUNT,
	INITRD_SIZE,
	LINE_PAGE,
	LINE_COUNT,
	WORDS
};

static const uint64_t good[WORDS] = { 0x4f48434c56544c30, 7, 0x100, 0x709, 1, 1, 0x10000, 0x800,
	0x10000100, 0x20000, 0x100, 0xff123, 2, 1 };
static uint64_t words[WORDS];

static void set_up(void)
{
	arena = arena_new(1 << 20);
	memcpy(words, good, sizeof(words));
	memset(area, 0, sizeof(area));
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(measured, .init = set_up, .fini = tear_down);

static Bytes config(void)
{
	for (size_t i = 0; i < WORDS; i++) {
		for (size_t k = 0; k < 8; k++)
			area[8 * i + k] = (uint8_t)(words[i] >> 8 * k);
	}
	return (Bytes){ area, 4096 };
}

static MeasuredVtl0 parsed(GuestArch arch)
{
	MeasuredVtl0 out = { 0 };
	Error err = { 0 };

	cr_assert(measured_vtl0_parse(config(), arch, &out, &err), "%s", err.text);
	return out;
}

static void refuse(size_t word, uint64_t value, uint16_t diagnostic, const char *text)
{
	MeasuredVtl0 out = { .entry = 77 };
	Error err = { 0 };

	words[word] = value;
	cr_assert_not(measured_vtl0_parse(config(), GUEST_ARCH_X86_64, &out, &err),
		"word %zu: 0x%" PRIx64, word, value);
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, text), "%s", err.text);
	cr_assert_not_null(strstr(err.text, "expected"), "%s", err.text);
	cr_assert_str_eq(err.source, "measured:vtl0");
	cr_assert_eq(out.entry, 77u, "output touched");
	memcpy(words, good, sizeof(words));
}

Test(measured, says_which_images_are_where)
{
	const MeasuredVtl0 out = parsed(GUEST_ARCH_X86_64);

	/* In memory the letters stand backwards. */
	cr_assert_arr_eq(area, "0LTVLCHO", 8);
	cr_assert(out.present && out.uefi && out.pcat && out.linux_direct);
	cr_assert_eq(out.config.start, 0u);
	cr_assert_eq(out.uefi_image.start, 0x100000u);
	cr_assert_eq(out.uefi_image.end, 0x809000u);
	cr_assert_eq(out.vp_context.start, 0x1000u);
	cr_assert_eq(out.kernel.start, 0x10000000u);
	cr_assert_eq(out.entry, 0x10000100u);
	cr_assert_eq(out.initrd.end, 0x20100000u);
	cr_assert_eq(out.initrd_size, 0xff123u);
	cr_assert_eq(out.command_line.start, 0x2000u);
	cr_assert_eq(measured_config_gpa(GUEST_ARCH_AARCH64), 0x1000000u);
}

Test(measured, reads_aarch64)
{
	MeasuredVtl0 out;

	memset(words + SUPPORTED, 0, sizeof(words) - sizeof(words[0]));
	words[SUPPORTED] = 1;
	words[UEFI_COUNT] = 0x824;
	words[CONTEXT_PAGE] = 0x1001;
	words[CONTEXT_COUNT] = 1;
	out = parsed(GUEST_ARCH_AARCH64);
	cr_assert_eq(out.config.start, 0x1000000u);
	cr_assert_eq(out.uefi_image.end, 0x824000u);
	cr_assert_eq(out.vp_context.start, 0x1001000u);
}

Test(measured, ignores_what_is_not_supported)
{
	MeasuredVtl0 out;

	words[SUPPORTED] = 0;
	words[UEFI_PAGE] = UINT64_MAX;
	out = parsed(GUEST_ARCH_X86_64);
	cr_assert(out.present);
	cr_assert(memory_range_is_empty(out.uefi_image));
	cr_assert(memory_range_is_empty(out.kernel));
	memcpy(words, good, sizeof(words));
	/* Without pages a region is absent, wherever it begins. */
	words[INITRD_COUNT] = words[CONTEXT_COUNT] = words[LINE_COUNT] = 0;
	words[INITRD_PAGE] = UINT64_MAX;
	out = parsed(GUEST_ARCH_X86_64);
	cr_assert_eq(out.initrd_size, 0u);
	cr_assert(memory_range_is_empty(out.vp_context));
	cr_assert(memory_range_is_empty(out.command_line));
}

Test(measured, refuses_what_is_no_configuration)
{
	MeasuredVtl0 out;
	Error err = { 0 };

	refuse(MAGIC, 0x304c54564c43484f, PVW_MEASURED_0002, "0x304c54564c43484f");
	refuse(MAGIC, 0x4f48434c56544c32, PVW_MEASURED_0002, "0x4f48434c56544c32");
	refuse(SUPPORTED, 8, PVW_MEASURED_0005, "0x8");
	cr_assert_not(measured_vtl0_parse((Bytes){ area, 111 }, GUEST_ARCH_X86_64, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_MEASURED_0001);
	cr_assert_not(measured_vtl0_parse(config(), GUEST_ARCH_AARCH64, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_MEASURED_0005);
}

Test(measured, refuses_regions_that_cannot_be)
{
	refuse(UEFI_COUNT, UINT64_MAX, PVW_MEASURED_0003, "uefi image");
	refuse(UEFI_PAGE, UINT64_MAX, PVW_MEASURED_0003, "below 2^64");
	refuse(UEFI_COUNT, 0, PVW_MEASURED_0004, "uefi image");
	refuse(CONTEXT_PAGE, 0, PVW_MEASURED_0003, "vp context: page 0");
	refuse(CONTEXT_COUNT, 2, PVW_MEASURED_0003, "vp context");
	refuse(KERNEL_COUNT, 0, PVW_MEASURED_0004, "kernel");
	refuse(KERNEL_PAGE, UINT64_MAX >> 12, PVW_MEASURED_0003, "kernel");
	refuse(ENTRY, 0x1000, PVW_MEASURED_0003, "entry 0x1000");
	refuse(INITRD_SIZE, 0, PVW_MEASURED_0003, "initrd");
	refuse(INITRD_SIZE, 0x100001, PVW_MEASURED_0003, "initrd");
	refuse(LINE_COUNT, 2, PVW_MEASURED_0003, "command line");
	refuse(LINE_PAGE, 0, PVW_MEASURED_0003, "command line");
}

Test(measured, lies_in_vtl0s_memory)
{
	MapEntry map[] = { { .range = { 0, 0x20000000 } },
		{ .range = { 0x20000000, 0x30000000 } },
		{ .range = { 0x30000000, 0x31000000 }, .type = MEMORY_TYPE_VTL2_RAM } };
	const MapEntryList list = { map, ARRAY_COUNT(map) };
	MeasuredVtl0 out;
	Error err = { 0 };

	words[KERNEL_PAGE] = 0x1ff00; /* across two entries */
	words[ENTRY] = 0x1ff00000;
	words[INITRD_PAGE] = 0x28000;
	out = parsed(GUEST_ARCH_X86_64);
	cr_assert(measured_vtl0_check(&out, list, arena, &err), "%s", err.text);

	words[INITRD_PAGE] = 0x30000;
	out = parsed(GUEST_ARCH_X86_64);
	cr_assert_not(measured_vtl0_check(&out, list, arena, &err));
	cr_assert_eq(err.diagnostic, PVW_MEASURED_0006);
	cr_assert_not_null(strstr(err.text, "initrd"));

	words[INITRD_PAGE] = 0x1ff80;
	out = parsed(GUEST_ARCH_X86_64);
	cr_assert_not(measured_vtl0_check(&out, list, arena, &err));
	cr_assert_eq(err.diagnostic, PVW_MEASURED_0007);
	cr_assert_not_null(strstr(err.text, "kernel at"));
	words[INITRD_PAGE] = 0x28000;
	words[LINE_PAGE] = words[CONTEXT_PAGE];
	out = parsed(GUEST_ARCH_X86_64);
	cr_assert_not(measured_vtl0_check(&out, list, arena, &err));
	cr_assert_eq(err.diagnostic, PVW_MEASURED_0007);
}

Test(measured, comes_as_one_piece)
{
	MeasuredPages pages = { 0 };
	Error err = { 0 };

	(void)config();
	cr_assert(
		measured_split((Bytes){ area, sizeof(area) }, GUEST_ARCH_X86_64, &pages, &err));
	cr_assert_eq(pages.config.len, 4096u);
	cr_assert_eq(pages.vp_context.data, area + 0x1000);
	cr_assert_eq(pages.command_line.data, area + 0x2000);
	cr_assert_not(
		measured_split((Bytes){ area, 2 * 4096 }, GUEST_ARCH_X86_64, &pages, &err));
	cr_assert_eq(err.diagnostic, PVW_MEASURED_0008);
	cr_assert_not_null(strstr(err.text, "command line"));
	words[CONTEXT_PAGE] = UINT64_MAX >> 13;
	(void)config();
	cr_assert_not(
		measured_split((Bytes){ area, sizeof(area) }, GUEST_ARCH_X86_64, &pages, &err));
	cr_assert_eq(err.diagnostic, PVW_MEASURED_0008);
	cr_assert_not(
		measured_split((Bytes){ area, 17 * 4096 }, GUEST_ARCH_X86_64, &pages, &err));
	cr_assert_eq(err.diagnostic, PVW_MEASURED_0009);
}

Test(measured, reads_registers)
{
	uint8_t page[4 + 64] = { 2, 0, 0, 0, 2, 0x10, 0, 2, 0 };
	MeasuredRegisterList list = { 0 };
	Error err = { 0 };

	page[4 + 16] = 0x34;
	page[4 + 31] = 0x80;
	cr_assert(measured_context_parse((Bytes){ page, sizeof(page) }, arena, &list, &err),
		"%s", err.text);
	cr_assert_eq(list.count, 2u);
	cr_assert_eq(list.items[0].vtl, 2);
	cr_assert_eq(list.items[0].name, 0x20010u);
	cr_assert_eq(list.items[0].low, 0x34u);
	cr_assert_eq(list.items[0].high, UINT64_C(0x8000000000000000));

	cr_assert_not(measured_context_parse((Bytes){ page, 67 }, arena, &list, &err));
	cr_assert_eq(err.diagnostic, PVW_MEASURED_0010);
	cr_assert_not(measured_context_parse((Bytes){ page, 3 }, arena, &list, &err));
	cr_assert_eq(err.diagnostic, PVW_MEASURED_0010);
	page[4 + 15] = 1;
	cr_assert_not(
		measured_context_parse((Bytes){ page, sizeof(page) }, arena, &list, &err));
	cr_assert_eq(err.diagnostic, PVW_MEASURED_0012);
	page[0] = 128;
	cr_assert_not(
		measured_context_parse((Bytes){ page, sizeof(page) }, arena, &list, &err));
	cr_assert_eq(err.diagnostic, PVW_MEASURED_0011);
}

Test(measured, reads_a_line_up_to_its_nul)
{
	static const uint8_t text[] = "console=ttyS0";
	Bytes line = { 0 };
	Error err = { 0 };

	cr_assert(measured_command_line_parse((Bytes){ text, sizeof(text) }, &line, &err));
	cr_assert_eq(line.len, sizeof(text) - 1);
	cr_assert_not(
		measured_command_line_parse((Bytes){ text, sizeof(text) - 1 }, &line, &err));
	cr_assert_eq(err.diagnostic, PVW_MEASURED_0013);
	cr_assert_not(measured_command_line_parse((Bytes){ 0 }, &line, &err));
}

static void refuse_vtl2(
	Bytes bytes, IsolationType isolation, uint16_t diagnostic, const char *word)
{
	MeasuredVtl2 out;
	Error err = { 0 };

	cr_assert_not(measured_vtl2_parse(bytes, isolation, &out, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_str_eq(err.source, "measured:vtl2");
}

Test(measured, reads_vtl2s_configuration)
{
	uint8_t page[24] = "2LTVLCHO";
	const Bytes bytes = { page, sizeof(page) };
	MeasuredVtl2 out = { 0 };
	Error err = { 0 };

	page[8] = 0;
	cr_assert(measured_vtl2_parse(bytes, ISOLATION_NONE, &out, &err), "%s", err.text);
	cr_assert(out.present);
	refuse_vtl2(bytes, ISOLATION_SNP, PVW_MEASURED_0014, "32 to 51");
	page[8] = 46;
	cr_assert(measured_vtl2_parse(bytes, ISOLATION_SNP, &out, &err), "%s", err.text);
	cr_assert_eq(out.vtom_bit, 46);
	refuse_vtl2(bytes, ISOLATION_VBS, PVW_MEASURED_0014, "vtom bit 46");
	page[8] = 63;
	refuse_vtl2(bytes, ISOLATION_TDX, PVW_MEASURED_0014, "63");
	page[8] = 0;
	page[16] = 1;
	refuse_vtl2(bytes, ISOLATION_NONE, PVW_MEASURED_0015, "policy of 1");
	page[0] = 'x';
	refuse_vtl2(bytes, ISOLATION_NONE, PVW_MEASURED_0002, "expected");
	refuse_vtl2((Bytes){ page, 23 }, ISOLATION_NONE, PVW_MEASURED_0001, "23 bytes");
}
