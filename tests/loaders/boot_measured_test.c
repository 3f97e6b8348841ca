/*
 * Measured images in plans: which are taken, and what is wiped.
 */
#include "loaders/boot_measured.h"

#include <criterion/criterion.h>
#include <string.h>

#include "support/diagnostics.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static Arena *arena;
static Diagnostics diagnostics;
static MapEntry map[2];
static VirtualProcessor vps[1];
static BootInfo info;
static ChipsetMmioRanges mmio;
static Vtl0Layout layout;
static ProcessorTopology topology;
static PlatformSettings settings;
static BootInputs inputs;
static MeasuredVtl0 measured;

static const Register context[] = { { REGISTER_RIP, 0x100123, 0 },
	{ REGISTER_MTRR_DEF_TYPE, 0xc00, 0 } };

static void set_up(void)
{
	Error err = { 0 };

	arena = arena_new((size_t)16 << 20);
	cr_assert(diagnostics_init(&diagnostics, 16, arena, &err));
	map[0] = (MapEntry){ .range = { 0, 3 * GIB } };
	map[1] = (MapEntry){ .range = { 4 * GIB, 5 * GIB } };
	info = (BootInfo){ .map = { map, 2 } };
	mmio = (ChipsetMmioRanges){ .low = { 0xe0000000, 4 * GIB },
		.high = { 8 * GIB, 9 * GIB } };
	topology = (ProcessorTopology){
		.vps = vps, .count = 1, .vps_per_socket = 1, .reserved_vps_per_socket = 1
	};
	settings = platform_settings_default();
	measured = (MeasuredVtl0){ .present = true,
		.uefi = true,
		.pcat = true,
		.linux_direct = true,
		.config = { 0, 0x1000 },
		.uefi_image = { MIB, 0x809000 },
		.vp_context = { 0x1000, 0x2000 },
		.kernel = { 256 * MIB, 264 * MIB },
		.entry = 256 * MIB + 0x100,
		.initrd = { 512 * MIB, 513 * MIB },
		.initrd_size = 0xff123,
		.command_line = { 0x2000, 0x3000 } };
	inputs = (BootInputs){ .info = &info,
		.mmio = &mmio,
		.layout = &layout,
		.topology = &topology,
		.settings = &settings,
		.physical_address_bits = 46,
		.vp_context = { context, 2 },
		.measured = &measured,
		.measured_line = { (const uint8_t *)"ro", 2 } };
	cr_assert(vtl0_layout_build(&info, &mmio, 0, arena, &layout, &err), "%s", err.text);
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(boot_measured, .init = set_up, .fini = tear_down);

static BootPlan build(BootKind kind)
{
	BootPlan plan = { 0 };
	Error err = { 0 };

	settings.firmware = kind;
	cr_assert(boot_path_build(&inputs, arena, &plan, &diagnostics, &err), "%s", err.text);
	return plan;
}

static void expect_zeros(const BootPlan *plan, const char *name, uint64_t start, uint64_t end)
{
	const Artifact *artifact = boot_plan_find(plan, name);

	cr_assert_not_null(artifact, "no %s", name);
	cr_assert_null(artifact->bytes.data, "%s", name);
	cr_assert_not(artifact->measured);
	cr_assert_eq(artifact->gpa, start, "%s at 0x%" PRIx64, name, artifact->gpa);
	cr_assert_eq(artifact->gpa + artifact->bytes.len, end, "%s", name);
}

/* Every byte of a range is written by the plan, or in place and measured. */
static void expect_covered(const BootPlan *plan, MemoryRange range)
{
	uint64_t at = range.start;

	for (size_t i = 0; i < plan->write_count; i++) {
		const Artifact *artifact = &plan->artifacts.items[plan->writes[i]];
		const uint64_t end = artifact->gpa + artifact->bytes.len;

		if (artifact->gpa <= at + 7 && end > at)
			at = end;
	}
	cr_assert_geq(at, range.end, "0x%" PRIx64 " stays", at);
}

Test(boot_measured, starts_uefi_with_its_context)
{
	const BootPlan plan = build(BOOT_UEFI);
	bool found = false;

	cr_assert(boot_plan_find(&plan, "uefi.image")->measured);
	for (size_t i = 0; i < plan.registers.count; i++)
		found = found ||
			(plan.registers.items[i].id == REGISTER_RIP &&
				plan.registers.items[i].low == 0x100123);
	cr_assert(found, "no Rip");
	expect_zeros(&plan, "measured.config", 0, 0x1000);
	expect_zeros(&plan, "measured.vp-context", 0x1000, 0x2000);
	expect_zeros(&plan, "measured.command-line", 0x2000, 0x3000);
	expect_zeros(&plan, "measured.linux-kernel", 256 * MIB, 264 * MIB);
	/* Whole pages, not only what the initrd fills. */
	expect_zeros(&plan, "measured.linux-initrd", 512 * MIB, 513 * MIB);
	cr_assert_null(boot_plan_find(&plan, "measured.uefi-image"));
}

Test(boot_measured, starts_linux_and_wipes_around_it)
{
	BootPlan plan;

	settings.linux_direct.command_line = (Bytes){ (const uint8_t *)"quiet", 5 };
	plan = build(BOOT_LINUX);
	cr_assert_eq(boot_plan_find(&plan, "linux.kernel")->gpa, 256 * MIB);
	cr_assert_eq(boot_plan_find(&plan, "linux.initrd")->bytes.len, 0xff123u);
	cr_assert_str_eq((const char *)boot_plan_find(&plan, "linux.command-line")->bytes.data,
		"ro quiet");
	expect_zeros(&plan, "measured.uefi-image", MIB, 0x809000);
	/* The plan's own pages lie where the measured ones were. */
	expect_covered(&plan, (MemoryRange){ 0, 0x3000 });
	cr_assert_null(boot_plan_find(&plan, "measured.linux-kernel"));
}

Test(boot_measured, wipes_all_images_for_none_and_pcat)
{
	const BootPlan plan = build(BOOT_NONE);

	cr_assert_eq(plan.write_count, 6u);
	expect_zeros(&plan, "measured.uefi-image", MIB, 0x809000);
	expect_zeros(&plan, "measured.linux-kernel", 256 * MIB, 264 * MIB);
}

Test(boot_measured, wipes_what_overlaps_once)
{
	BootPlan plan;

	/* The kernel in the middle of the firmware, the initrd across its end. */
	measured.kernel = (MemoryRange){ 2 * MIB, 3 * MIB };
	measured.initrd = (MemoryRange){ 0x800000, 0x900000 };
	plan = build(BOOT_NONE);
	expect_covered(&plan, (MemoryRange){ MIB, 0x900000 });
	expect_zeros(&plan, "measured.uefi-image", MIB, 0x809000);
	expect_zeros(&plan, "measured.linux-initrd", 0x809000, 0x900000);
	cr_assert_null(boot_plan_find(&plan, "measured.linux-kernel"));
}

Test(boot_measured, cuts_around_what_is_in_place)
{
	BootPlan plan;

	measured.uefi_image = (MemoryRange){ 128 * MIB, 384 * MIB };
	plan = build(BOOT_LINUX);
	expect_zeros(&plan, "measured.uefi-image", 128 * MIB, 256 * MIB);
	expect_zeros(&plan, "measured.uefi-image.2", 264 * MIB, 384 * MIB);
}

static void expect_refusal(BootKind kind, uint16_t diagnostic, const char *word)
{
	BootPlan plan = { .write_count = 77 };
	Error err = { 0 };

	settings.firmware = kind;
	cr_assert_not(boot_path_build(&inputs, arena, &plan, &diagnostics, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(plan.write_count, 77u, "output touched");
}

Test(boot_measured, starts_only_what_is_measured)
{
	measured.uefi = measured.pcat = measured.linux_direct = false;
	expect_refusal(BOOT_UEFI, PVW_MEASURED_0016, "UEFI");
	expect_refusal(BOOT_PCAT, PVW_MEASURED_0016, "PCAT");
	expect_refusal(BOOT_LINUX, PVW_MEASURED_0016, "Linux");
}

Test(boot_measured, refuses_images_elsewhere)
{
	settings.linux_direct.kernel =
		(Image){ .place = IMAGE_IN_PLACE, .gpa = 300 * MIB, .len = MIB };
	expect_refusal(BOOT_LINUX, PVW_MEASURED_0017, "another place");
	settings.firmware_image =
		(Image){ .place = IMAGE_BYTES, .bytes = { (const uint8_t *)"x", 1 } };
	expect_refusal(BOOT_UEFI, PVW_MEASURED_0017, "bytes of an image");
	settings.firmware_image =
		(Image){ .place = IMAGE_IN_PLACE, .gpa = MIB, .len = 6 * MIB };
	(void)build(BOOT_UEFI);
}
