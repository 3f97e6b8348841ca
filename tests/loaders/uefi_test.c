/*
 * The UEFI plan: what is written where, which registers are set, and which memory must be there.
 */
#include "loaders/uefi.h"

#include <criterion/criterion.h>
#include <string.h>

#include "helpers/uefi_decode.h"

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)

static Arena *arena;
static Diagnostics diagnostics;
static UefiDecoded decoded; /* large, hence not on the stack */

static MapEntry map[4];
static VirtualProcessor vps[2] = { { .apic_id = 0, .mpidr = 0x80000000, .gicr = 0xeffee000 },
	{ .apic_id = 1, .mpidr = 0x80000001, .gicr = 0xf000e000 } };
static BootInfo info;
static ChipsetMmioRanges mmio;
static Vtl0Layout layout;
static ProcessorTopology topology;
static PlatformSettings settings;
static BootInputs inputs;

static void set_up(void)
{
	Error err = { 0 };

	arena = arena_new(16 << 20);
	cr_assert(diagnostics_init(&diagnostics, 16, arena, &err));
	map[0] = (MapEntry){ .range = { 0, 0xe0000000 } };
	map[1] = (MapEntry){ .range = { 4 * GIB, 5 * GIB } };
	info = (BootInfo){ .map = { map, 2 } };
	mmio = (ChipsetMmioRanges){ .low = { 0xe0000000, 4 * GIB },
		.high = { 8 * GIB, 9 * GIB } };
	topology = (ProcessorTopology){ .vps = vps,
		.count = 2,
		.vps_per_socket = 2,
		.reserved_vps_per_socket = 2,
		.arm = { .gic_distributor = 0xffff0000,
			.gic_redistributors = 0xeffee000,
			.virt_timer_ppi = 20,
			.irq_count = 992 } };
	settings = (PlatformSettings){ .uefi.memory_protection = MEMORY_PROTECTION_DEFAULT };
	inputs = (BootInputs){ .info = &info,
		.mmio = &mmio,
		.layout = &layout,
		.topology = &topology,
		.settings = &settings,
		.physical_address_bits = 46 };
	memset(inputs.entropy, 0x5a, sizeof(inputs.entropy));
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(uefi, .init = set_up, .fini = tear_down);

static void lay_out(void)
{
	Error err = { 0 };

	topology.arch = info.arch;
	cr_assert(vtl0_layout_build(&info, &mmio, 0, arena, &layout, &err), "%s", err.text);
}

static BootPlan build(void)
{
	BootPlan plan = { 0 };
	Error err = { 0 };

	lay_out();
	cr_assert(uefi_build_plan(&inputs, arena, &plan, &diagnostics, &err), "%s", err.text);
	return plan;
}

static void expect_refusal(uint16_t diagnostic, const char *word)
{
	BootPlan plan = { .write_count = 77 };
	Error err = { 0 };

	lay_out();
	cr_assert_not(uefi_build_plan(&inputs, arena, &plan, &diagnostics, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(plan.write_count, 77u, "output touched");
}

static const UefiDecoded *decode(const BootPlan *plan)
{
	const char *halt = uefi_decode(boot_plan_find(plan, "uefi.config")->bytes, &decoded);

	cr_assert_null(halt, "%s", halt);
	return &decoded;
}

Test(uefi, writes_the_configuration_and_nothing_else)
{
	const BootPlan plan = build();
	const Artifact *config = boot_plan_find(&plan, "uefi.config");

	cr_assert_eq(plan.kind, BOOT_UEFI);
	cr_assert_eq(plan.write_count, 1u);
	cr_assert_eq(&plan.artifacts.items[plan.writes[0]], config);
	cr_assert_eq(config->gpa, 0x709000u);
	cr_assert(config->sensitive, "it holds entropy");
	cr_assert_not(config->measured);
	decode(&plan);
	cr_assert_eq(decoded.processors, 2u);
	cr_assert_eq(decoded.low.page, 0xe0000u);
	cr_assert_eq(decoded.high.page, 0x200000u);
	cr_assert_eq(decoded.memory_count, 2u);
	cr_assert_eq(decoded.image_pages, 0x600u);
	cr_assert_eq(uefi_decode_find(&decoded, 0x04, 0)->payload.data[63], 0x5a);
}

Test(uefi, shows_its_tables_to_people)
{
	static const char *const names[] = { "acpi.madt", "acpi.srat" };
	static const char *const signatures[] = { "APIC", "SRAT" };
	const BootPlan plan = build();

	decode(&plan);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		const Artifact *artifact = boot_plan_find(&plan, names[i]);
		const Bytes inside = uefi_decode_table(&decoded, signatures[i], 0);

		cr_assert_not_null(artifact);
		cr_assert_not(artifact->placed);
		cr_assert_eq(artifact->bytes.len, inside.len);
		cr_assert_arr_eq(artifact->bytes.data, inside.data, inside.len);
	}
}

Test(uefi, shows_no_table_that_the_host_gave)
{
	uint8_t madt[36] = "APIC\x24";
	const Bytes tables[] = { { madt, sizeof(madt) } };
	BootPlan plan;

	settings.acpi_tables = tables;
	settings.acpi_table_count = 1;
	plan = build();
	cr_assert_null(boot_plan_find(&plan, "acpi.madt"));
	cr_assert_not_null(boot_plan_find(&plan, "acpi.srat"));
	cr_assert_eq(uefi_decode_table(decode(&plan), "APIC", 0).len, 36u);
}

/* Which processors the guest finds is not for an untrusted host to say. */
Test(uefi, makes_its_own_tables_for_the_isolated)
{
	uint8_t madt[36] = "APIC\x24";
	const Bytes tables[] = { { madt, sizeof(madt) } };
	BootPlan plan;

	info.isolation = ISOLATION_VBS;
	settings.acpi_tables = tables;
	settings.acpi_table_count = 1;
	plan = build();
	cr_assert_not_null(boot_plan_find(&plan, "acpi.madt"));
	cr_assert_gt(uefi_decode_table(decode(&plan), "APIC", 0).len, 36u);
	cr_assert_eq(decoded.flags >> 21 & 3, 3u);
}

static void expect_mtrrs(const BootPlan *plan, MtrrPolicy policy, size_t from)
{
	Register registers[2 * MTRR_MAX_PAIRS];
	MtrrInputs in;
	MtrrSet set;
	Error err = { 0 };
	size_t count;

	cr_assert(mtrr_inputs_from_layout(&layout, &mmio, 46, arena, &in, &err));
	cr_assert(mtrr_solve(policy, &in, arena, &set, &err));
	count = mtrr_registers(&set, registers);
	cr_assert_gt(count, 0u);
	cr_assert_eq(plan->registers.count, from + count);
	for (size_t i = 0; i < count; i++) {
		cr_assert_eq(plan->registers.items[from + i].id, registers[i].id);
		cr_assert_eq(plan->registers.items[from + i].low, registers[i].low);
	}
}

Test(uefi, sets_exact_mtrrs_on_all_processors)
{
	const BootPlan plan = build();

	cr_assert_eq(plan.policy.mtrr, MTRR_POLICY_EXACT);
	cr_assert_eq(plan.policy.acpi, ACPI_PROFILE_DEFAULT);
	cr_assert_eq(plan.policy.layout_version, (uint32_t)LAYOUT_VERSION_CURRENT);
	expect_mtrrs(&plan, MTRR_POLICY_EXACT, 0);
	cr_assert_eq(plan.register_sets.count, 1u);
	cr_assert_eq(plan.register_sets.items[0].scope, REGISTER_SCOPE_ALL_VPS);
}

Test(uefi, follows_the_policies_asked_for)
{
	const BootPlan plain = build();
	BootPlan plan;
	Bytes madt;

	inputs.request = (PlanRequest){ .has_mtrr = true,
		.has_acpi = true,
		.mtrr = MTRR_POLICY_HYPERV,
		.acpi = ACPI_PROFILE_REFERENCE,
		.layout_version = 1 };
	plan = build();
	cr_assert_eq(plan.policy.mtrr, MTRR_POLICY_HYPERV);
	cr_assert_eq(plan.policy.acpi, ACPI_PROFILE_REFERENCE);
	expect_mtrrs(&plan, MTRR_POLICY_HYPERV, 0);
	madt = boot_plan_find(&plan, "acpi.madt")->bytes;
	cr_assert_arr_eq(madt.data + 10, "HVLITE", 6, "the reference's identity");
	cr_assert_not(digest_equal(plan.digest, plain.digest));
}

static Register reg(RegisterId id, uint64_t low)
{
	return (Register){ .id = id, .low = low };
}

Test(uefi, starts_where_the_image_says_with_its_own_mtrrs)
{
	const Register context[] = {
		reg(REGISTER_RIP, 1),
		reg(REGISTER_MTRR_DEF_TYPE, 0xc00),
		reg(REGISTER_MTRR_PHYS_BASE0 + 6, 6),
		reg(REGISTER_RIP, 0x6e1000),
		reg(REGISTER_MTRR_PHYS_MASK0 + 6, 0x800),
	};
	BootPlan plan;

	inputs.vp_context = (RegisterList){ context, ARRAY_COUNT(context) };
	plan = build();
	cr_assert_eq(plan.registers.items[0].id, REGISTER_MTRR_DEF_TYPE);
	cr_assert_eq(plan.registers.items[1].id, REGISTER_RIP);
	cr_assert_eq(plan.registers.items[1].low, 0x6e1000u, "the later value wins");
	expect_mtrrs(&plan, MTRR_POLICY_EXACT, 2);
}

Test(uefi, says_nothing_of_mtrrs_that_are_on_or_not_known)
{
	const Register context[] = { reg(REGISTER_MTRR_DEF_TYPE, 0xc00) };

	build();
	cr_assert_eq(diagnostics.count, 0u);
	inputs.vp_context = (RegisterList){ context, ARRAY_COUNT(context) };
	build();
	cr_assert_eq(diagnostics.count, 0u);
}

Test(uefi, warns_of_a_context_that_leaves_mtrrs_off)
{
	const Register context[] = { reg(REGISTER_MTRR_DEF_TYPE, 0xc00),
		reg(REGISTER_RIP, 0x6e1000), reg(REGISTER_MTRR_DEF_TYPE, 0x406) };

	inputs.vp_context = (RegisterList){ context, ARRAY_COUNT(context) };
	build();
	cr_assert_eq(diagnostics.count, 1u);
	cr_assert_eq(diagnostics.items[0].what.diagnostic, PVW_UEFI_0016);
	cr_assert_not_null(strstr(diagnostics.items[0].what.text, "MtrrDefType 0x406"));
}

Test(uefi, says_nothing_of_mtrrs_on_aarch64)
{
	const Register context[] = { reg(REGISTER_PC, 0x1000) };

	info.arch = GUEST_ARCH_AARCH64;
	inputs.vp_context = (RegisterList){ context, 1 };
	build();
	cr_assert_eq(diagnostics.count, 0u);
}

Test(uefi, refuses_windows_that_no_mtrrs_describe)
{
	inputs.request = (PlanRequest){ .has_mtrr = true, .mtrr = MTRR_POLICY_HYPERV };
	mmio.low = MEMORY_RANGE_EMPTY;
	expect_refusal(PVW_MTRR_0004, "mtrrs: ");
}

Test(uefi, configures_aarch64_firmware)
{
	const Register context[] = { reg(REGISTER_PC, 0x1000) };
	const UefiDecodedRecord *gic;
	BootPlan plan;

	info.arch = GUEST_ARCH_AARCH64;
	inputs.vp_context = (RegisterList){ context, 1 };
	plan = build();
	cr_assert_eq(boot_plan_find(&plan, "uefi.config")->gpa, 0x824000u);
	cr_assert_eq(plan.registers.count, 1u, "no MTRRs");
	cr_assert_eq(plan.registers.items[0].id, REGISTER_PC);
	decode(&plan);
	cr_assert_eq(decoded.image_pages, 0x800u);
	gic = uefi_decode_find(&decoded, 0x23, 0);
	cr_assert_not_null(gic);
	cr_assert_eq(uefi_decode_u64(gic->payload, 0), 0xffff0000u);
}

/*
 * The image.
 */

Test(uefi, counts_an_image_in_place_among_its_writes)
{
	const Artifact *image;
	BootPlan plan;

	/* A description of 0x709 pages reaches behind the image, and over the configuration. */
	settings.firmware_image =
		(Image){ .place = IMAGE_IN_PLACE, .gpa = 0x100000, .len = 0x709000 };
	plan = build();
	image = boot_plan_find(&plan, "uefi.image");
	cr_assert_not_null(image);
	cr_assert_eq(image->gpa, 0x100000u);
	cr_assert_eq(image->bytes.len, 0x600000u);
	cr_assert(image->measured);
	cr_assert_eq(plan.write_count, 2u);
	cr_assert_eq(&plan.artifacts.items[plan.writes[0]], image);
}

Test(uefi, refuses_an_image_elsewhere_or_too_short)
{
	settings.firmware_image =
		(Image){ .place = IMAGE_IN_PLACE, .gpa = 0x200000, .len = 0x600000 };
	expect_refusal(
		PVW_UEFI_0010, "0x600000 bytes at 0x200000, expected 0x600000 at 0x100000");
	settings.firmware_image =
		(Image){ .place = IMAGE_IN_PLACE, .gpa = 0x100000, .len = 0x5ff000 };
	expect_refusal(PVW_UEFI_0010, "0x5ff000 bytes");
	info.arch = GUEST_ARCH_AARCH64;
	settings.firmware_image =
		(Image){ .place = IMAGE_IN_PLACE, .gpa = 0x100000, .len = GIB };
	expect_refusal(PVW_UEFI_0010, "expected 0x800000 at 0x0");
}

Test(uefi, refuses_an_image_as_bytes)
{
	settings.firmware_image =
		(Image){ .place = IMAGE_BYTES, .bytes = { (const uint8_t *)"MZ", 2 } };
	expect_refusal(PVW_UEFI_0011, "image of 2 bytes");
}

/*
 * Memory.
 */

Test(uefi, needs_memory_at_0)
{
	map[0].range.start = 4096;
	expect_refusal(PVW_UEFI_0009, "first RAM is 0x1000-");
}

Test(uefi, needs_memory_to_the_end_of_its_configuration)
{
	map[0].range.end = 0x709000;
	expect_refusal(PVW_UEFI_0009, "expected one range from 0 to 0x709");
	map[1].range = (MemoryRange){ 0x709000, 0x80000000 };
	expect_refusal(PVW_UEFI_0009, "first RAM is 0x0-0x709000");
}

Test(uefi, needs_memory_for_a_heap_below_4_gib)
{
	map[0].range.end = 0x70a000;
	expect_refusal(PVW_UEFI_0009, "heap");
	map[1] = (MapEntry){ .range = { 0x800000, 0x80000000 },
		.igvm_type = IGVM_PLATFORM_RESERVED };
	expect_refusal(PVW_UEFI_0009, "heap");
	map[1].igvm_type = IGVM_VTL2_PROTECTABLE;
	build();
}

Test(uefi, needs_ordinary_memory)
{
	map[0].igvm_type = IGVM_PLATFORM_RESERVED;
	expect_refusal(PVW_UEFI_0009, "igvm-type 1");
}

Test(uefi, needs_memory_at_0_on_aarch64_too)
{
	info.arch = GUEST_ARCH_AARCH64;
	map[0].range.start = GIB;
	expect_refusal(PVW_UEFI_0009, "first RAM is 0x40000000-");
}

Test(uefi, says_where_a_refusal_of_the_configuration_comes_from)
{
	topology.reserved_vps_per_socket = 0;
	expect_refusal(PVW_UEFI_0007, "uefi configuration: sockets of 0");
}

Test(uefi, refuses_a_layout_version_that_nobody_knows)
{
	inputs.request.layout_version = 99;
	expect_refusal(PVW_BOOT_0002, "layout version 99");
}

Test(uefi, plans_the_same_twice)
{
	const BootPlan once = build(), again = build();

	cr_assert(digest_equal(once.digest, again.digest));
	inputs.entropy[0] ^= 1;
	cr_assert_not(digest_equal(once.digest, build().digest));
}

Test(uefi, reports_the_end_of_memory)
{
	size_t refused = 0;

	lay_out();
	for (size_t limit = 0; limit < 65536; limit += 256) {
		Arena *small = arena_new(limit);
		BootPlan plan = { 0 };
		Error err = { 0 };

		if (!uefi_build_plan(&inputs, small, &plan, &diagnostics, &err)) {
			cr_assert_eq(err.diagnostic, PVW_MEM_0001, "%s", err.text);
			refused++;
		}
		arena_free(small);
	}
	cr_assert_gt(refused, 0u);
	cr_assert_lt(refused, 65536u / 256);
}
