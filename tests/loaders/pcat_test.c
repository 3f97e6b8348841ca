#include <criterion/criterion.h>
#include <string.h>

#include "loaders/pcat.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)

static uint8_t image[PCAT_IMAGE_SIZE];

/* One guest, whose parts a test may change before it plans. */
typedef struct Guest {
	LayoutRecord records[8];
	VirtualProcessor vps[2];
	BootInfo info;
	ChipsetMmioRanges mmio;
	Vtl0Layout layout;
	ProcessorTopology topology;
	PlatformSettings settings;
	BootInputs in;
	Diagnostics diagnostics;
	Arena *arena;
} Guest;

/* @ram: ascending; the windows are put between them */
static Guest *guest_with(
	const MemoryRange *ram, size_t count, MemoryRange low, MemoryRange high)
{
	static Guest g;
	LayoutRecord records[8];
	size_t at = 0;
	Error err;

	g = (Guest){ .arena = arena_new(1 << 20) };
	for (size_t i = 0; i < count; i++)
		records[at++] =
			(LayoutRecord){ .kind = LAYOUT_RAM, .range = ram[i], .tag = "ram" };
	if (!memory_range_is_empty(low))
		records[at++] =
			(LayoutRecord){ .kind = LAYOUT_MMIO, .range = low, .tag = "low" };
	if (!memory_range_is_empty(high))
		records[at++] =
			(LayoutRecord){ .kind = LAYOUT_MMIO, .range = high, .tag = "high" };
	cr_assert(memory_layout_build(
			  (LayoutRecordList){ records, at }, g.arena, &g.layout.vtl0, &err),
		"%s", err.text);
	g.layout.complete = g.layout.vtl0;
	g.mmio = (ChipsetMmioRanges){ .low = low, .high = high };
	g.vps[1].apic_id = 1;
	g.topology = (ProcessorTopology){
		.vps = g.vps, .count = 2, .vps_per_socket = 2, .reserved_vps_per_socket = 2
	};
	g.settings.firmware = BOOT_PCAT;
	for (size_t i = 0; i < PCAT_BOOT_DEVICE_COUNT; i++)
		g.settings.pcat.boot_order[i] = (PcatBootDevice)i;
	cr_assert(diagnostics_init(&g.diagnostics, 16, g.arena, &err));
	g.in = (BootInputs){ .info = &g.info,
		.mmio = &g.mmio,
		.layout = &g.layout,
		.topology = &g.topology,
		.settings = &g.settings,
		.physical_address_bits = 46 };
	return &g;
}

static Guest *typical(void)
{
	const MemoryRange ram[] = { { 0, 0xf8000000 }, { FOUR_GIB, 5 * GIB } };

	return guest_with(ram, 2, (MemoryRange){ 0xf8000000, FOUR_GIB },
		(MemoryRange){ 0xfc0000000, 0x1000000000 });
}

static BootPlan plan(Guest *g)
{
	BootPlan out;
	Error err = { 0 };

	cr_assert(
		pcat_build_plan(&g->in, g->arena, &out, &g->diagnostics, &err), "%s", err.text);
	return out;
}

static void refuse(Guest *g, uint16_t diagnostic, const char *word)
{
	BootPlan out = { .write_count = 77 };
	Error err = { 0 };

	cr_assert_not(pcat_build_plan(&g->in, g->arena, &out, &g->diagnostics, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(out.write_count, 77);
	arena_free(g->arena);
}

/* ---- first state ---- */

Test(pcat, starts_in_real_mode_below_1_mib)
{
	static const struct {
		const char *name;
		uint64_t low, high;
	} rows[] = {
		{ "MtrrDefType", 0xc00, 0 },
		{ "MtrrFix64k00000", 0x0606060606060606, 0 },
		{ "MtrrFix16k80000", 0x0606060606060606, 0 },
		{ "MtrrFix4kE0000", 0x0606060606060606, 0 },
		{ "MtrrFix4kE8000", 0x0606060606060606, 0 },
		{ "MtrrFix4kF0000", 0x0606060606060606, 0 },
		{ "MtrrFix4kF8000", 0x0606060606060606, 0 },
		{ "Cs", 0xf0000, 0x009bf0000000ffff },
	};
	Register out[PCAT_START_REGISTERS];

	pcat_start_registers(out);
	for (size_t i = 0; i < PCAT_START_REGISTERS; i++) {
		cr_expect_str_eq(register_row(out[i].id)->name, rows[i].name);
		cr_expect_eq(out[i].low, rows[i].low, "%s", rows[i].name);
		cr_expect_eq(out[i].high, rows[i].high, "%s", rows[i].name);
	}
}

/* ---- the image ---- */

Test(pcat, puts_the_image_at_the_end_of_low_ram_and_its_end_below_1_mib)
{
	const Bytes bytes = { image, sizeof(image) };
	PcatImage placed;
	Error err;

	cr_assert(pcat_image_place(bytes, true, 0xf8000000, &placed, &err));
	cr_assert_eq(placed.gpa, 0xf7fc0000);
	cr_assert_eq(placed.image.len, 0x40000);
	cr_assert_eq(placed.top.data, image + 0x20000);
	cr_assert_eq(placed.top.len, 0x20000);
	cr_assert(pcat_image_place(bytes, true, FOUR_GIB, &placed, &err));
	cr_assert_eq(placed.gpa, 0xfffc0000);
	cr_assert(pcat_image_place(bytes, true, 0x140000, &placed, &err));
	cr_assert_eq(placed.gpa, 0x100000);
	cr_assert(pcat_image_place(bytes, true, 0xe0000, &placed, &err));
	cr_assert_eq(placed.gpa, 0xa0000);
}

static void refuse_image(size_t len, bool has_max, uint64_t max, uint16_t diagnostic)
{
	PcatImage placed = { .gpa = 77 };
	Error err = { 0 };

	cr_assert_not(pcat_image_place((Bytes){ image, len }, has_max, max, &placed, &err));
	cr_assert_eq(
		err.diagnostic, diagnostic, "0x%llx: %s", (unsigned long long)max, err.text);
	cr_assert_eq(placed.gpa, 77);
}

Test(pcat, refuses_images_and_places_that_do_not_fit)
{
	refuse_image(0x20000, true, 0xf8000000, PVW_PCAT_0003);
	refuse_image(0x20000, false, 0, PVW_PCAT_0003); /* the size is looked at first */
	refuse_image(0, true, 0xf8000000, PVW_PCAT_0003);
	refuse_image(0x40000, false, 0xf8000000, PVW_PCAT_0004);
	refuse_image(0x40000, true, 0, PVW_PCAT_0004);
	refuse_image(0x40000, true, 0xf8000800, PVW_PCAT_0004);
	refuse_image(0x40000, true, 0x3f000, PVW_PCAT_0004);
	refuse_image(0x40000, true, FOUR_GIB + PAGE_SIZE, PVW_PCAT_0004);
	refuse_image(0x40000, true, 0xe1000, PVW_PCAT_0004);
	refuse_image(0x40000, true, 0x13f000, PVW_PCAT_0004);
}

/* ---- the plan ---- */

Test(pcat, plans_answers_and_registers_and_writes_nothing_without_an_image)
{
	Guest *g = typical();
	const BootPlan out = plan(g);
	const Artifact *config = boot_plan_find(&out, "pcat.config");
	const Artifact *cmos = boot_plan_find(&out, "pcat.cmos");

	cr_assert_eq(out.kind, BOOT_PCAT);
	cr_assert_eq(out.write_count, 0);
	cr_assert_not_null(config);
	cr_assert_not(config->placed);
	cr_assert_arr_eq(config->bytes.data, "PVWPCAT1", 8);
	cr_assert_not_null(cmos);
	cr_assert_eq(cmos->bytes.len, 256);
	cr_assert_eq(cmos->bytes.data[0x18], 0x0f); /* 3968 MiB */
	/* The SRAT ends the configuration. */
	cr_assert_eq(config->bytes.data[352], 2);
	cr_assert_arr_eq(&config->bytes.data[364 + 2 * 4 + 12], "SRAT", 4);
	cr_assert_eq(g->diagnostics.count, 0);
	arena_free(g->arena);
}

Test(pcat, prefers_the_mtrrs_of_hyperv)
{
	static const uint64_t values[] = { 0x6, 0x3ffff8000800, 0x8000006, 0x3fff00000800,
		0x100000006, 0x3ff000000800 };
	Guest *g = typical();
	const BootPlan out = plan(g);

	cr_assert_eq(out.policy.mtrr, MTRR_POLICY_HYPERV);
	cr_assert_eq(out.registers.count, PCAT_START_REGISTERS + ARRAY_COUNT(values));
	cr_assert_eq(out.registers.items[PCAT_START_REGISTERS - 1].id, REGISTER_CS);
	for (size_t i = 0; i < ARRAY_COUNT(values); i++)
		cr_assert_eq(out.registers.items[PCAT_START_REGISTERS + i].low, values[i]);
	arena_free(g->arena);
}

Test(pcat, takes_exact_mtrrs_when_asked)
{
	Guest *g = typical();

	g->in.request.has_mtrr = true;
	g->in.request.mtrr = MTRR_POLICY_EXACT;

	const BootPlan out = plan(g);
	const Register *first = &out.registers.items[PCAT_START_REGISTERS];

	cr_assert_eq(out.policy.mtrr, MTRR_POLICY_EXACT);
	/* 2 GiB and 1 GiB and … up to the low window, then 4 to 5 GiB */
	cr_assert_eq(out.registers.count, PCAT_START_REGISTERS + 12);
	cr_assert_eq(first[0].low, 0x6);
	cr_assert_eq(first[1].low, 0x3fff80000800);
	cr_assert_eq(first[8].low, 0xf0000006);
	cr_assert_eq(first[10].low, 0x100000006);
	cr_assert_eq(first[11].low, 0x3fffc0000800);
	arena_free(g->arena);
}

Test(pcat, places_an_image_that_the_settings_bring)
{
	Guest *g = typical();

	g->settings.firmware_image =
		(Image){ .place = IMAGE_BYTES, .bytes = { image, sizeof(image) } };

	const BootPlan out = plan(g);

	cr_assert_eq(out.write_count, 2);
	cr_assert_eq(boot_plan_find(&out, "pcat.image")->gpa, 0xf7fc0000);
	cr_assert_eq(boot_plan_find(&out, "pcat.image")->bytes.data, image);
	cr_assert_eq(boot_plan_find(&out, "pcat.top-pages")->gpa, 0xe0000);
	arena_free(g->arena);
}

Test(pcat, leaves_an_image_alone_that_is_in_place)
{
	Guest *g = typical();

	g->settings.firmware_image =
		(Image){ .place = IMAGE_IN_PLACE, .gpa = 0xfffc0000, .len = 0x40000 };
	cr_assert_eq(plan(g).write_count, 0);
	arena_free(g->arena);
}

Test(pcat, gives_the_same_plan_twice)
{
	Guest *g = typical();
	const BootPlan first = plan(g), second = plan(g);

	cr_assert(digest_equal(first.digest, second.digest));
	arena_free(g->arena);
}

Test(pcat, warns_of_what_mib_cannot_say)
{
	const MemoryRange ram[] = { { 0, 0x80001000 }, { FOUR_GIB, 5 * GIB } };
	Guest *g = guest_with(ram, 2, (MemoryRange){ 0xf8000000, FOUR_GIB },
		(MemoryRange){ 0xfc0001000, 0x1000000000 });

	plan(g);
	cr_assert_eq(g->diagnostics.count, 2);
	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(g->diagnostics.items[i].what.diagnostic, PVW_PCAT_0008);
		cr_assert_eq(g->diagnostics.items[i].severity, SEVERITY_WARNING);
	}
	cr_assert_not_null(strstr(g->diagnostics.items[0].what.text, "0x80001000"));
	cr_assert_not_null(strstr(g->diagnostics.items[1].what.text, "0xfc0001000"));
	arena_free(g->arena);
}

/* ---- refusals ---- */

Test(pcat, refuses_another_architecture)
{
	Guest *g = typical();

	g->info.arch = GUEST_ARCH_AARCH64;
	refuse(g, PVW_PCAT_0007, "aarch64");
}

Test(pcat, refuses_a_guest_without_a_high_window)
{
	const MemoryRange ram[] = { { 0, GIB } };
	Guest *g = guest_with(
		ram, 1, (MemoryRange){ 0xf8000000, FOUR_GIB }, (MemoryRange){ 0, 0 });

	refuse(g, PVW_PCAT_0001, "high mmio window");
}

Test(pcat, refuses_a_first_range_that_does_not_start_at_0)
{
	const MemoryRange ram[] = { { MIB, GIB } };
	Guest *g = guest_with(ram, 1, (MemoryRange){ 0xf8000000, FOUR_GIB },
		(MemoryRange){ 0xfc0000000, 0x1000000000 });

	refuse(g, PVW_PCAT_0002, "first ram range is 0x100000");
}

Test(pcat, refuses_a_first_range_that_reaches_4_gib)
{
	const MemoryRange ram[] = { { 0, 0x40000000 }, { 0x80000000, FOUR_GIB } };
	Guest *g = guest_with(ram, 2, (MemoryRange){ 0x40000000, 0x80000000 },
		(MemoryRange){ 0xfc0000000, 0x1000000000 });

	plan(g); /* a later one may */
	arena_free(g->arena);
	g = guest_with(&(MemoryRange){ 0x1000, FOUR_GIB }, 1, (MemoryRange){ 0, 0x1000 },
		(MemoryRange){ 0xfc0000000, 0x1000000000 });
	refuse(g, PVW_PCAT_0002, "expected one from 0 to below 4 GiB");
}

Test(pcat, refuses_what_its_parts_refuse)
{
	const MemoryRange tiny[] = { { 0, 0x20000 } };
	Guest *g = typical();

	g->settings.firmware_image = (Image){ .place = IMAGE_BYTES, .bytes = { image, 5 } };
	refuse(g, PVW_PCAT_0003, "pcat image: ");
	g = guest_with(tiny, 1, (MemoryRange){ 0xf8000000, FOUR_GIB },
		(MemoryRange){ 0xfc0000000, 0x1000000000 });
	g->settings.firmware_image =
		(Image){ .place = IMAGE_BYTES, .bytes = { image, sizeof(image) } };
	refuse(g, PVW_PCAT_0004, "ends at 0x20000");
	g = typical();
	g->settings.pcat.boot_order[0] = PCAT_BOOT_NETWORK;
	refuse(g, PVW_PCAT_0006, "pcat bios: ");
	g = typical();
	g->in.request.has_mtrr = true;
	g->in.request.mtrr = MTRR_POLICY_EXACT;
	g->in.physical_address_bits = 36;
	g->mmio.vtl2 = (MemoryRangeList){ &(MemoryRange){ 0, 0x1000 }, 1 };
	refuse(g, PVW_MTRR_0002, "mtrrs: ");
	g = typical();
	g->in.request.layout_version = UINT32_MAX;
	refuse(g, PVW_BOOT_0002, "layout version");
}

/* The second range; the first one is always ordinary. */
static void set_second_type(Guest *g, uint16_t igvm_type)
{
	LayoutRecord *ram = (LayoutRecord *)g->layout.vtl0.ram.items;

	ram[1].igvm_type = igvm_type;
}

Test(pcat, refuses_memory_that_it_would_hand_out_although_it_is_reserved)
{
	static const uint16_t refused[] = { IGVM_PLATFORM_RESERVED, IGVM_SPECIFIC_PURPOSE, 6 };
	Guest *g = typical();

	set_second_type(g, IGVM_VTL2_PROTECTABLE);
	plan(g);
	arena_free(g->arena);
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
		g = typical();
		set_second_type(g, refused[i]);
		refuse(g, PVW_PCAT_0009, "0x100000000-0x140000000 has igvm-type");
	}
}

/* An image whose end would lie where there is no RAM. */
Test(pcat, refuses_an_image_outside_of_ram)
{
	const MemoryRange ram[] = { { 0, 0xa0000 }, { 0x100000, GIB } };
	Guest *g = guest_with(ram, 2, (MemoryRange){ 0xf8000000, FOUR_GIB },
		(MemoryRange){ 0xfc0000000, 0x1000000000 });

	g->settings.firmware_image =
		(Image){ .place = IMAGE_BYTES, .bytes = { image, sizeof(image) } };
	refuse(g, PVW_PLAN_0002, "pcat.top-pages");
}

Test(pcat, reports_a_full_arena_at_every_step)
{
	Guest *g = typical();
	unsigned failures = 0;

	for (size_t limit = 64; limit < 65536; limit += 64) {
		Arena *arena = arena_new(limit);
		BootPlan out;
		Error err = { 0 };

		if (!pcat_build_plan(&g->in, arena, &out, &g->diagnostics, &err)) {
			cr_assert_eq(err.diagnostic, PVW_MEM_0001, "%s", err.text);
			failures++;
		}
		arena_free(arena);
	}
	cr_assert_gt(failures, 10);
	cr_assert_lt(failures, 1000);
	arena_free(g->arena);
}
