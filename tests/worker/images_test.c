/*
 * Uploaded images from the first chunk to guest memory: what arrives there, that nothing is held
 * twice, and that an image nobody can start leaves guest memory as it was.
 */
#include "worker/session.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "helpers/firmware_builder.h"
#include "helpers/kernel_builder.h"
#include "worker/guest.h"

#define MIB UINT64_C(0x100000)
#define TEXT(literal) ((Bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static Arena *arena;
static Diagnostics findings;
static Error err;
static int guest_fd;
static Session *session;
static PlatformSettings settings;
static uint8_t file[FIRMWARE_ARM64_SIZE]; /* the largest of them */

static void start(GuestShape shape)
{
	const SessionOptions options = { .guest_fd = guest_fd, .isolation_from_tree = true };
	const FactInputs facts = guest_facts(arena, shape);

	session_free(session);
	cr_assert(session_new(&options, &session, &err));
	cr_assert(session_load_boot_info(session, &facts, &findings, &err), "%s", err.text);
}

static void setup(void)
{
	arena = arena_new((size_t)64 * 1024 * 1024);
	cr_assert(diagnostics_init(&findings, 64, arena, &err));
	guest_fd = guest_file();
	settings = platform_settings_default();
	settings.firmware = BOOT_LINUX;
	settings.linux_direct.command_line = TEXT("console=ttyS0");
	start((GuestShape){ 0 });
}

static void teardown(void)
{
	session_free(session);
	close(guest_fd);
	arena_free(arena);
}

TestSuite(images, .init = setup, .fini = teardown);

/* In chunks, as a host does. */
static Image uploaded(const char *name, const uint8_t *bytes, size_t len)
{
	BlobChunk chunk = { .name = name, .total = len };
	uint64_t received;

	do {
		const size_t left = len - chunk.offset;

		chunk.data = (Bytes){ bytes + chunk.offset, left < MIB ? left : (size_t)MIB };
		cr_assert(session_put_blob(session, &chunk, &received, &err), "%s", err.text);
		chunk.offset = received;
	} while (received < len);
	return (Image){ .place = IMAGE_BYTES,
		.bytes = blob_store_find(session_blobs(session), name)->bytes };
}

static bool configure(void)
{
	const ConfigInputs in = { .settings = settings };
	SettingsClampList clamps;

	return session_configure(session, &in, false, arena, &clamps, &findings, &err);
}

static bool plan(void)
{
	const PlanInputs in = { .entropy = { 1 } };

	return session_plan(session, &in, &findings, &err);
}

static void load(void)
{
	const LoadTarget target = { .verify = true };
	LoadReport report;

	cr_assert(session_load(session, session_prepared(session)->plan.digest, &target, arena,
			  &report, &err),
		"%s", err.text);
}

static void prepare(void)
{
	cr_assert(configure(), "%s", err.text);
	cr_assert(plan(), "%s", err.text);
	load();
}

static void expect_memory(uint64_t gpa, const uint8_t *bytes, size_t len)
{
	uint8_t *found = malloc(len);

	cr_assert_eq(pread(guest_fd, found, len, (off_t)gpa), (ssize_t)len);
	cr_assert_eq(memcmp(found, bytes, len), 0, "at 0x%llx", (unsigned long long)gpa);
	free(found);
}

/* The file is one hole, still. */
static void expect_untouched(void)
{
	cr_assert_eq(lseek(guest_fd, 0, SEEK_DATA), -1);
	cr_assert_eq(errno, ENXIO);
}

/*
 * What is right.
 */

Test(images, a_bzimage_and_its_initrd_reach_the_guest)
{
	uint8_t *initrd = calloc(1, 5 * MIB + 1);
	const Artifact *placed;

	bzimage_file(file);
	memset(initrd, 0x7a, 5 * MIB + 1);
	settings.linux_direct.kernel = uploaded("k", file, BZIMAGE_FILE_SIZE);
	settings.linux_direct.initrd = uploaded("i", initrd, 5 * MIB + 1);
	prepare();
	expect_memory(MIB, file + 0x1000, 0x2000);
	placed = boot_plan_find(&session_prepared(session)->plan, "linux.initrd");
	cr_assert_eq(placed->gpa, GUEST_FILE_SIZE - 6 * MIB + MIB - 0x1000);
	expect_memory(placed->gpa, initrd, 5 * MIB + 1);
	free(initrd);
}

Test(images, an_elf_kernel_reaches_the_guest)
{
	static const uint8_t zeros[0x4800];
	static uint8_t dirt[0x5000];

	/* what lay there before is cleared, as the segment says */
	memset(dirt, 0xcc, sizeof(dirt));
	cr_assert_eq(pwrite(guest_fd, dirt, sizeof(dirt), 32 * MIB), (ssize_t)sizeof(dirt));
	elf_file(file);
	settings.linux_direct.kernel = uploaded("k", file, ELF_FILE_SIZE);
	prepare();
	expect_memory(16 * MIB, file + 0x1000, 0x1234);
	expect_memory(32 * MIB, file + 0x3000, 0x800);
	expect_memory(32 * MIB + 0x800, zeros, sizeof(zeros));
}

Test(images, x86_firmware_reaches_the_guest)
{
	settings.firmware = BOOT_UEFI;
	firmware_x86(file);
	settings.firmware_image = uploaded("f", file, FIRMWARE_X86_SIZE);
	prepare();
	expect_memory(MIB, file, FIRMWARE_X86_SIZE);
}

Test(images, arm64_firmware_reaches_the_guest)
{
	start((GuestShape){ .arm = true });
	settings.firmware = BOOT_UEFI;
	firmware_arm64(file);
	settings.firmware_image = uploaded("f", file, FIRMWARE_ARM64_SIZE);
	prepare();
	expect_memory(0, file, FIRMWARE_ARM64_SIZE);
}

Test(images, are_held_once)
{
	uint8_t *initrd = calloc(1, 64 * MIB);

	bzimage_file(file);
	settings.linux_direct.kernel = uploaded("k", file, BZIMAGE_FILE_SIZE);
	settings.linux_direct.initrd = uploaded("i", initrd, 64 * MIB);
	free(initrd);
	prepare();
	cr_assert_lt(session_arena_bytes(session), 2 * MIB);
	cr_assert_eq(
		boot_plan_find(&session_prepared(session)->plan, "linux.initrd")->bytes.data,
		blob_store_find(session_blobs(session), "i")->bytes.data);
}

Test(images, go_with_a_reset)
{
	bzimage_file(file);
	settings.linux_direct.kernel = uploaded("k", file, BZIMAGE_FILE_SIZE);
	prepare();
	cr_assert(session_reset(session, &err));
	cr_assert_null(blob_store_find(session_blobs(session), "k"));
}

/*
 * What is wrong: the plan is refused, and says why.
 */

static void expect_refusal(DiagnosticId diagnostic, const char *word)
{
	cr_assert(configure(), "%s", err.text);
	cr_assert_not(plan(), "expected %s", diagnostic_row(diagnostic)->name);
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(session_state(session), SESSION_CONFIGURED);
	expect_untouched();
}

typedef struct Broken {
	size_t at;
	unsigned width;
	uint64_t value;
	size_t len; /* of the file; 0: all of it */
	DiagnosticId diagnostic;
	const char *word;
} Broken;

static const Broken broken_bzimages[] = {
	{ 0x1fe, 2, 0, 0, PVW_LINUX_0024, "neither" },
	{ 0x202, 4, 0, 0, PVW_LINUX_0024, "neither" },
	{ 0, 0, 0, 0x267, PVW_LINUX_0024, "615 bytes" },
	{ 0x206, 2, 0x020b, 0, PVW_BZIMAGE_0002, "0x020b" },
	{ 0x211, 1, 0, 0, PVW_BZIMAGE_0003, "loadflags" },
	{ 0x236, 2, 0, 0, PVW_BZIMAGE_0004, "xloadflags" },
	{ 0, 0, 0, 0x2ff0, PVW_BZIMAGE_0005, "12272 bytes" },
	{ 0, 0, 0, 0x268, PVW_BZIMAGE_0005, "616 bytes" },
	{ 0x1f4, 4, 0x201, 0, PVW_BZIMAGE_0005, "syssize" },
	{ 0x1f4, 4, 0x20, 0, PVW_BZIMAGE_0005, "where the entry is" },
	{ 0x24c, 4, 0x2000, 0, PVW_BZIMAGE_0006, "payload" },
	{ 0x260, 4, 0, 0, PVW_BZIMAGE_0006, "init_size" },
	{ 0x260, 4, 0x10000000, 0, PVW_LINUX_0023, "one range of RAM" },
	{ 0x258, 8, UINT64_C(1) << 40, 0, PVW_LINUX_0023, "0x10000000000" },
	{ 0x238, 4, 12, 0, PVW_LINUX_0025, "at most the 12" },
};

static const Broken broken_elfs[] = {
	{ 0x04, 1, 1, 0, PVW_ELF_0002, "class" },
	{ 0x05, 1, 2, 0, PVW_ELF_0002, "byte order" },
	{ 0x12, 2, 183, 0, PVW_ELF_0002, "machine" },
	{ 0, 0, 0, 63, PVW_ELF_0003, "63 bytes" },
	{ 0x20, 8, UINT64_MAX, 0, PVW_ELF_0003, "program headers" },
	{ 0x48, 8, UINT64_MAX - 0x1000, 0, PVW_ELF_0003, "segment 0" },
	{ 0x68, 8, 0x1233, 0, PVW_ELF_0004, "segment 0" },
	{ 0x58, 8, 0xff000, 0, PVW_ELF_0004, "0xff000" },
	{ 0xc8, 8, 16 * MIB, 0, PVW_ELF_0005, "no common page" },
	{ 0x18, 8, 0x1000, 0, PVW_ELF_0006, "entry" },
	{ 0x38, 2, 0, 0, PVW_ELF_0008, "none of them" },
	{ 0xc8, 8, 0x10000000, 0, PVW_LINUX_0023, "one range of RAM" },
};

static const Broken broken_firmware[] = {
	{ 0, 0, 0, FIRMWARE_X86_SIZE - 1, PVW_UEFI_0018, "0x5fffff" },
	{ 0, 0, 0, 1, PVW_UEFI_0018, "0x1 bytes" },
	{ FIRMWARE_X86_SEC + 0x28, 4, 0, 0, PVW_UEFI_0019, "no firmware volume" },
	{ FIRMWARE_X86_SEC + 0x20, 8, UINT64_MAX, 0, PVW_UEFI_0019, "volume" },
	{ FIRMWARE_X86_SEC + FIRMWARE_FILE_SEC + 18, 1, 4, 0, PVW_UEFI_0019, "SEC core" },
	{ FIRMWARE_X86_SEC + FIRMWARE_FILE_SEC + 20, 3, 0x30000, 0, PVW_UEFI_0019, "file" },
	{ FIRMWARE_X86_SEC + FIRMWARE_SECTION, 3, 0x10000, 0, PVW_UEFI_0019, "section" },
	{ FIRMWARE_X86_SEC + FIRMWARE_CODE + 0x3c, 4, UINT32_MAX, 0, PVW_UEFI_0019, "neither" },
	{ FIRMWARE_X86_SEC + FIRMWARE_CODE + 0xa8, 4, UINT32_MAX, 0, PVW_UEFI_0019, "entry" },
	{ FIRMWARE_X86_SEC + FIRMWARE_CODE + 0x84, 2, 0xaa64, 0, PVW_UEFI_0011, "aarch64" },
};

static void try_all(GuestShape shape, void (*make)(uint8_t *file), size_t size, Image *image,
	const Broken *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		make(file);
		kernel_put(file, rows[i].at, rows[i].width, rows[i].value);
		start(shape);
		*image = uploaded("image", file, rows[i].len ? rows[i].len : size);
		expect_refusal(rows[i].diagnostic, rows[i].word);
	}
}

Test(images, a_broken_bzimage_leaves_the_guest_alone)
{
	try_all((GuestShape){ 0 }, bzimage_file, BZIMAGE_FILE_SIZE,
		&settings.linux_direct.kernel, broken_bzimages, ARRAY_COUNT(broken_bzimages));
}

Test(images, a_broken_elf_kernel_leaves_the_guest_alone)
{
	try_all((GuestShape){ 0 }, elf_file, ELF_FILE_SIZE, &settings.linux_direct.kernel,
		broken_elfs, ARRAY_COUNT(broken_elfs));
}

/* An Image that goes anywhere, in pages of 4 KiB. */
static void arm64_file(uint8_t *image)
{
	memset(image, 0x5a, 0x3000);
	kernel_put(image, 8, 8, 0);
	kernel_put(image, 16, 8, 4 * MIB);
	kernel_put(image, 24, 8, 0xa);
	kernel_put(image, 56, 4, 0x644d5241);
}

static const Broken broken_arm64_images[] = {
	{ 0, 0, 0, 63, PVW_ARM64_0001, "63 bytes" },
	{ 56, 4, 0, 0, PVW_ARM64_0002, "magic 0x00000000" },
	{ 24, 8, 0xb, 0, PVW_ARM64_0003, "big-endian" },
	{ 24, 8, 0xc, 0, PVW_ARM64_0004, "16 KiB" },
	{ 24, 8, 0xe, 0, PVW_ARM64_0004, "64 KiB" },
	{ 24, 8, 0x2, 0, PVW_ARM64_0005, "anywhere" },
	{ 8, 8, 0x80800, 0, PVW_ARM64_0006, "text_offset 0x80800" },
	{ 16, 8, 0x2fff, 0, PVW_ARM64_0007, "0x2fff" },
	{ 16, 8, 0x10000000, 0, PVW_ARM64_0008, "needs 0x10000000 bytes" },
	{ 16, 8, UINT64_MAX, 0, PVW_ARM64_0008, "needs 0xffffffffffffffff bytes" },
	{ 8, 8, UINT64_MAX - 0xfff, 0, PVW_ARM64_0008, "0xfffffffffffff000" },
};

static void use_arm64(void)
{
	start((GuestShape){ .arm = true });
	settings.linux_direct.hardware = LINUX_HARDWARE_DEVICE_TREE;
	arm64_file(file);
	settings.linux_direct.kernel = uploaded("k", file, 0x3000);
}

Test(images, an_arm64_image_reaches_the_guest)
{
	use_arm64();
	prepare();
	expect_memory(16 * MIB, file, 0x3000);
}

Test(images, a_broken_arm64_image_leaves_the_guest_alone)
{
	static const LinuxHardware all[] = { LINUX_HARDWARE_ACPI, LINUX_HARDWARE_DEVICE_TREE };

	for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
		settings.linux_direct.hardware = all[i];
		try_all((GuestShape){ .arm = true }, arm64_file, 0x3000,
			&settings.linux_direct.kernel, broken_arm64_images,
			ARRAY_COUNT(broken_arm64_images));
	}
}

Test(images, what_a_kernel_for_arm64_cannot_be_told_leaves_the_guest_alone)
{
	use_arm64();
	settings.linux_direct.initrd =
		(Image){ .place = IMAGE_IN_PLACE, .gpa = 0x1234567, .len = 0x1000 };
	expect_refusal(PVW_LINUX_0016, "0x1234567");
	settings.linux_direct.initrd.gpa = 0x10000000; /* VTL2's */
	expect_refusal(PVW_LINUX_0020, "0x10000000-0x10001000");
	settings.linux_direct.initrd = (Image){ 0 };
	settings.linux_direct.command_line = TEXT("a\0b");
	expect_refusal(PVW_LINUX_0008, "NUL at byte 1");
}

Test(images, broken_firmware_leaves_the_guest_alone)
{
	settings.firmware = BOOT_UEFI;
	try_all((GuestShape){ 0 }, firmware_x86, FIRMWARE_X86_SIZE, &settings.firmware_image,
		broken_firmware, ARRAY_COUNT(broken_firmware));
}

static void use_kernel(void)
{
	bzimage_file(file);
	settings.linux_direct.kernel = uploaded("k", file, BZIMAGE_FILE_SIZE);
}

Test(images, a_command_line_that_cannot_be_leaves_the_guest_alone)
{
	static uint8_t line[4096];

	use_kernel();
	memset(line, 'x', sizeof(line));
	kernel_put(file, 0x238, 4, 0xffffffff);
	settings.linux_direct.kernel = uploaded("long", file, BZIMAGE_FILE_SIZE);
	settings.linux_direct.command_line = (Bytes){ line, sizeof(line) };
	expect_refusal(PVW_LINUX_0007, "4096 bytes");
	settings.linux_direct.command_line = TEXT("a\0b");
	expect_refusal(PVW_LINUX_0008, "NUL at byte 1");
}

Test(images, images_over_each_other_leave_the_guest_alone)
{
	use_kernel();
	/* where the kernel unpacks itself */
	settings.linux_direct.initrd =
		(Image){ .place = IMAGE_IN_PLACE, .gpa = 19 * MIB, .len = 0x1000 };
	expect_refusal(PVW_LINUX_0021, "linux.initrd at 0x1300000-0x1301000");
	settings.linux_direct.initrd.gpa = 0x10000000;
	expect_refusal(PVW_LINUX_0020, "0x10000000-0x10001000");
	settings.linux_direct.initrd.gpa = 0x12345678;
	expect_refusal(PVW_LINUX_0016, "0x12345678");
}

Test(images, an_initrd_without_room_leaves_the_guest_alone)
{
	static const uint8_t initrd[5 * 0x100000];

	/* the kernel needs everything up to 20 MiB, and takes no initrd above 24 MiB */
	bzimage_file(file);
	kernel_put(file, 0x22c, 4, 24 * MIB - 1);
	settings.linux_direct.kernel = uploaded("k", file, BZIMAGE_FILE_SIZE);
	settings.linux_direct.initrd = uploaded("i", initrd, sizeof(initrd));
	expect_refusal(PVW_LINUX_0018, "below 0x1800000");
}

Test(images, a_guest_in_too_many_pieces_is_left_alone)
{
	start((GuestShape){ .pieces = 130 });
	use_kernel();
	expect_refusal(PVW_LINUX_0005, "at most 128");
}

Test(images, isolated_guests_are_left_alone)
{
	start((GuestShape){ .isolation = "vbs" });
	use_kernel();
	cr_assert_not(configure());
	cr_assert_eq(err.diagnostic, PVW_SETTINGS_0001, "%s", err.text);
	cr_assert_eq(session_state(session), SESSION_BOOT_INFO);
	expect_untouched();
}

Test(images, arm64_firmware_of_another_size_leaves_the_guest_alone)
{
	start((GuestShape){ .arm = true });
	settings.firmware = BOOT_UEFI;
	firmware_arm64(file);
	settings.firmware_image = uploaded("f", file, FIRMWARE_ARM64_SIZE - 1);
	expect_refusal(PVW_UEFI_0018, "expected 0x800000");
}

Test(images, other_architectures_kernels_leave_the_guest_alone)
{
	memset(file, 0, 0x1000);
	memcpy(file + 56, "ARM\x64", 4);
	settings.linux_direct.kernel = uploaded("k", file, 0x1000);
	expect_refusal(PVW_LINUX_0015, "aarch64");
}
