/*
 * Kernels of every kind, and where they go.
 */
#include "loaders/linux_x86_kernel.h"

#include <criterion/criterion.h>
#include <string.h>

#include "helpers/kernel_builder.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)
#define TEXT(literal) ((Bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static uint8_t file[ELF_FILE_SIZE];
static LinuxSettings settings;
static LayoutRecord records[3];
static LayoutRecordList ram = { records, 1 };
static IsolationType isolation;
static Arena *arena;

static void use(const void *bytes, size_t len)
{
	settings.kernel = (Image){ .place = IMAGE_BYTES, .bytes = { bytes, len } };
}

static void set_up(void)
{
	arena = arena_new(1 << 20);
	records[0] = (LayoutRecord){ .kind = LAYOUT_RAM, .range = { 0, 64 * MIB } };
	bzimage_file(file);
	use(file, BZIMAGE_FILE_SIZE);
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(linux_x86_kernel, .init = set_up, .fini = tear_down);

static LinuxX86Kernel found(void)
{
	LinuxX86Kernel kernel = { 0 };
	Error err = { 0 };

	cr_assert(linux_x86_find_kernel(&settings, isolation, ram, arena, &kernel, &err), "%s",
		err.text);
	return kernel;
}

static void refused(uint16_t diagnostic, const char *word)
{
	LinuxX86Kernel kernel = { .entry = 4711 };
	Error err = { 0 };

	cr_assert_not(linux_x86_find_kernel(&settings, isolation, ram, arena, &kernel, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(kernel.entry, 4711u);
}

static uint64_t number(Bytes header, size_t zero_page_offset, size_t width)
{
	uint64_t value = 0;

	cr_assert_eq(header.len, 0x77u);
	memcpy(&value, header.data + zero_page_offset - 0x1f1, width);
	return value;
}

Test(linux_x86_kernel, puts_a_bzimage_to_1_mib)
{
	const LinuxX86Kernel kernel = found();

	cr_assert_eq(kernel.image.gpa, MIB);
	cr_assert_eq(kernel.image.room, 19 * MIB, "up to pref_address and init_size");
	cr_assert_eq(kernel.entry, MIB + 0x200);
	cr_assert_eq(kernel.artifact_count, 1u);
	cr_assert_str_eq(kernel.artifacts[0].name, "linux.kernel");
	cr_assert_eq(kernel.artifacts[0].gpa, MIB);
	cr_assert_eq(kernel.artifacts[0].bytes.data, file + 0x1000);
	cr_assert_eq(kernel.artifacts[0].bytes.len, 0x2000u);
	cr_assert_not(kernel.artifacts[0].measured);
	cr_assert_arr_eq(kernel.setup_header.data, file + 0x1f1, 0x77);
	cr_assert_eq(kernel.initrd_limit, 0x80000000u);
	cr_assert(kernel.above_4gib);
	cr_assert_eq(kernel.max_line, 2047u);
}

Test(linux_x86_kernel, needs_memory_for_what_a_bzimage_unpacks)
{
	records[0].range.end = 20 * MIB;
	cr_assert_eq(found().image.gpa, MIB);
	records[0].range.end = 20 * MIB - 0x1000;
	refused(PVW_LINUX_0023, "there or elsewhere");
	refused(PVW_LINUX_0023, "up to 0x1400000");
	kernel_put(file, 0x234, 1, 0);
	refused(PVW_LINUX_0023, "for that, and");
}

Test(linux_x86_kernel, moves_a_kernel_that_can_be_moved)
{
	LinuxX86Kernel kernel;

	records[0].range.end = 16 * MIB;
	records[1] = (LayoutRecord){ .kind = LAYOUT_RAM,
		.range = { 17 * MIB, 40 * MIB },
		.igvm_type = IGVM_PLATFORM_RESERVED };
	records[2] = (LayoutRecord){ .kind = LAYOUT_RAM, .range = { 41 * MIB, 64 * MIB } };
	ram.count = 3;
	kernel = found();

	cr_assert_eq(kernel.image.gpa, 42 * MIB, "a multiple of 2 MiB");
	cr_assert_eq(kernel.image.room, 4 * MIB);
	cr_assert_eq(kernel.entry, 42 * MIB + 0x200);
	cr_assert_eq(number(kernel.setup_header, 0x214, 4), 42 * MIB, "code32_start");
	cr_assert_eq(number(kernel.setup_header, 0x230, 4), 0x200000u);
	cr_assert_eq(number(kernel.setup_header, 0x258, 8), 0x1000000u, "else as it was");
}

Test(linux_x86_kernel, lowers_the_alignment_when_nothing_else_helps)
{
	LinuxX86Kernel kernel;

	kernel_put(file, 0x230, 4, 0x1000000);
	records[0].range.end = 16 * MIB;
	records[1] = (LayoutRecord){ .kind = LAYOUT_RAM, .range = { 34 * MIB, 44 * MIB } };
	ram.count = 2;
	kernel = found();

	cr_assert_eq(kernel.image.gpa, 34 * MIB);
	cr_assert_eq(number(kernel.setup_header, 0x230, 4), 0x200000u);
}

Test(linux_x86_kernel, puts_no_kernel_where_nothing_is_mapped)
{
	records[0].range.end = 16 * MIB;
	records[1] =
		(LayoutRecord){ .kind = LAYOUT_RAM, .range = { 0x100000000, 0x200000000 } };
	ram.count = 2;
	refused(PVW_LINUX_0023, "below 4 GiB");
}

Test(linux_x86_kernel, splits_an_elf_kernel_into_its_segments)
{
	static const struct {
		const char *name;
		uint64_t gpa;
		size_t len;
	} expected[] = {
		{ "linux.kernel", 16 * MIB, 0x1000 },
		{ "linux.kernel.end", 16 * MIB + 0x1000, 0x234 },
		{ "linux.kernel.1.end", 32 * MIB, 0x1000 },
		{ "linux.kernel.1.zeros", 32 * MIB + 0x1000, 0x4000 },
	};
	LinuxX86Kernel kernel;

	elf_file(file);
	use(file, ELF_FILE_SIZE);
	kernel = found();

	cr_assert_eq(kernel.artifact_count, ARRAY_COUNT(expected));
	for (size_t i = 0; i < ARRAY_COUNT(expected); i++) {
		cr_assert_str_eq(kernel.artifacts[i].name, expected[i].name);
		cr_assert_eq(kernel.artifacts[i].gpa, expected[i].gpa);
		cr_assert_eq(kernel.artifacts[i].bytes.len, expected[i].len);
	}
	cr_assert_arr_eq(kernel.artifacts[0].bytes.data, file + 0x1000, 0x1000);
	cr_assert_arr_eq(kernel.artifacts[1].bytes.data, file + 0x2000, 0x234);
	cr_assert_arr_eq(kernel.artifacts[2].bytes.data, file + 0x3000, 0x800);
	for (size_t i = 0x800; i < 0x1000; i++)
		cr_assert_eq(kernel.artifacts[2].bytes.data[i], 0);
	cr_assert_null(kernel.artifacts[3].bytes.data);

	cr_assert_eq(kernel.entry, 16 * MIB + 0x40);
	cr_assert_eq(kernel.image.gpa, 16 * MIB);
	cr_assert_eq(kernel.image.room, 16 * MIB + 0x5000);
	cr_assert_eq(kernel.setup_header.len, 0u);
	cr_assert_eq(kernel.max_line, 0u);
	cr_assert_not(kernel.above_4gib);
}

Test(linux_x86_kernel, wants_memory_under_a_whole_elf_kernel)
{
	elf_file(file);
	use(file, ELF_FILE_SIZE);
	records[0].range.end = 32 * MIB + 0x5000;
	found();
	records[0].range.end = 32 * MIB + 0x4000;
	refused(PVW_LINUX_0023, "0x1000000-0x2005000");
}

Test(linux_x86_kernel, says_what_a_file_is_that_is_no_kernel)
{
	static const struct {
		const char *start;
		size_t at, len;
		uint16_t diagnostic;
		const char *word;
	} rows[] = {
		{ "\x1f\x8b", 0, 2, PVW_LINUX_0015, "gzip" },
		{ "\xfd"
		  "7zXZ",
			0, 5, PVW_LINUX_0015, "xz" },
		{ "\x28\xb5\x2f\xfd", 0, 4, PVW_LINUX_0015, "zstd" },
		{ "\x02\x21\x4c\x18", 0, 4, PVW_LINUX_0015, "lz4" },
		{ "MZ\0\0zimg", 0, 8, PVW_LINUX_0015, "zboot" },
		{ "ARM\x64", 56, 4, PVW_LINUX_0015, "aarch64" },
		{ "hello", 0, 5, PVW_LINUX_0024, "neither" },
		{ "\x7f"
		  "ELF",
			0, 4, PVW_ELF_0002, "class 0" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		memset(file, 0, sizeof(file));
		memcpy(file + rows[i].at, rows[i].start, rows[i].len);
		use(file, sizeof(file));
		refused(rows[i].diagnostic, rows[i].word);
	}
	use(file, 0);
	refused(PVW_LINUX_0024, "0 bytes");
	use(NULL, 0);
	refused(PVW_LINUX_0024, "0 bytes");
}

Test(linux_x86_kernel, takes_no_bytes_for_an_isolated_guest)
{
	isolation = ISOLATION_VBS;
	refused(PVW_LINUX_0022, "isolated by vbs");
	settings.kernel = (Image){ .place = IMAGE_IN_PLACE, .gpa = MIB, .len = 0x1000 };
	found();
}

Test(linux_x86_kernel, takes_no_entry_beside_the_images_own)
{
	settings.kernel_entry = MIB + 0x200;
	refused(PVW_LINUX_0017, "0x100200");
}

Test(linux_x86_kernel, refuses_a_guest_without_one)
{
	settings.kernel = (Image){ 0 };
	refused(PVW_LINUX_0014, "no kernel");
}

Test(linux_x86_kernel, leaves_a_kernel_in_place_where_it_is)
{
	LinuxX86Kernel kernel;

	settings.kernel = (Image){ .place = IMAGE_IN_PLACE, .gpa = 2 * MIB, .len = 0x1001 };
	settings.kernel_entry = 2 * MIB + 0x1000;
	kernel = found();
	cr_assert_eq(kernel.artifact_count, 1u);
	cr_assert(artifact_is_unseen(&kernel.artifacts[0]));
	cr_assert_eq(kernel.entry, 2 * MIB + 0x1000);
	cr_assert_eq(kernel.setup_header.len, 0u);

	settings.kernel_entry = 2 * MIB + 0x1001;
	refused(PVW_LINUX_0017, "0x200000-0x201001");
}
