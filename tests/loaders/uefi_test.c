/*
 * The UEFI plan: what is written where, which registers are set, and which memory must be there.
 */
#include "loaders/uefi.h"

#include <criterion/criterion.h>
#include <string.h>

#include "helpers/firmware_builder.h"
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

static uint8_t firmware[FIRMWARE_ARM64_SIZE];

static void use_firmware(void)
{
	size_t len = FIRMWARE_X86_SIZE;

	if (info.arch == GUEST_ARCH_AARCH64) {
		firmware_arm64(firmware);
		len = FIRMWARE_ARM64_SIZE;
	} else {
		firmware_x86(firmware);
	}
	settings.firmware_image = (Image){ .place = IMAGE_BYTES, .bytes = { firmware, len } };
}

static void expect_writes(const BootPlan *plan, const char *const *names, size_t count)
{
	cr_assert_geq(plan->artifacts.count, count);
	for (size_t i = 0; i < count; i++) {
		cr_assert_str_eq(plan->artifacts.items[i].name, names[i]);
		cr_assert(plan->artifacts.items[i].placed);
		cr_assert_not(plan->artifacts.items[i].measured);
	}
	cr_assert_eq(plan->write_count, count);
}

static void expect_registers(const BootPlan *plan, const Register *expected, size_t count)
{
	cr_assert_geq(plan->registers.count, count);
	for (size_t i = 0; i < count; i++) {
		const Register *found = &plan->registers.items[i];

		cr_assert_eq(found->id, expected[i].id, "%zu: %s, expected %s", i,
			register_row(found->id)->name, register_row(expected[i].id)->name);
		cr_assert_eq(found->low, expected[i].low, "%s", register_row(found->id)->name);
		cr_assert_eq(
			found->high, expected[i].high, "%s", register_row(found->id)->name);
	}
}

Test(uefi, places_an_x86_image_with_all_that_it_starts_with)
{
	static const char *const names[] = { "uefi.image", "uefi.page-tables", "uefi.gdt",
		"uefi.scratch", "uefi.config" };
	static const uint64_t addresses[] = { 0x100000, 0x700000, 0x706000, 0x707000,
		0x709000 };
	static const size_t sizes[] = { 0x600000, 0x6000, 32, 0x2000 };
	BootPlan plan;

	use_firmware();
	plan = build();
	expect_writes(&plan, names, ARRAY_COUNT(names));
	for (size_t i = 0; i < ARRAY_COUNT(addresses); i++)
		cr_assert_eq(plan.artifacts.items[i].gpa, addresses[i]);
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++)
		cr_assert_eq(plan.artifacts.items[i].bytes.len, sizes[i]);
	cr_assert_eq(plan.artifacts.items[0].bytes.data, firmware, "borrowed, not copied");
	cr_assert_null(plan.artifacts.items[3].bytes.data, "zeros");
	cr_assert_eq(decode(&plan)->image_pages, 0x600u);
	cr_assert_eq(diagnostics.count, 0u);
}

Test(uefi, starts_an_x86_image_in_its_security_phase)
{
	static const uint64_t gdt[] = { 0, 0x00a09b000000ffff, 0x00c093000000ffff, 0 };
	const uint64_t data = UINT64_C(0xc0930010ffffffff), code = UINT64_C(0xa09b0008ffffffff);
	const Register expected[] = {
		{ REGISTER_GDTR, UINT64_C(0x1f) << 48, 0x706000 },
		{ REGISTER_DS, 0, data },
		{ REGISTER_ES, 0, data },
		{ REGISTER_FS, 0, data },
		{ REGISTER_GS, 0, data },
		{ REGISTER_SS, 0, data },
		{ REGISTER_CS, 0, code },
		{ REGISTER_CR0, 0x80000023, 0 },
		{ REGISTER_CR3, 0x700000, 0 },
		{ REGISTER_CR4, 0x660, 0 },
		{ REGISTER_EFER, 0xd00, 0 },
		{ REGISTER_PAT, UINT64_C(0x0007040600070406), 0 },
		{ REGISTER_RBP, 0x6e0000, 0 },
		{ REGISTER_RIP, 0x6e0000 + 0x2dc, 0 },
		{ REGISTER_R8, 0, 0 },
		{ REGISTER_R9, 0, 0 },
		{ REGISTER_R10, 0, 0 },
		{ REGISTER_R11, 0, 0 },
		{ REGISTER_MTRR_DEF_TYPE, 0xc00, 0 },
		{ REGISTER_MTRR_FIX64K_00000, UINT64_C(0x0606060606060606), 0 },
		{ REGISTER_MTRR_FIX16K_80000, UINT64_C(0x0606060606060606), 0 },
	};
	BootPlan plan;

	use_firmware();
	plan = build();
	expect_registers(&plan, expected, ARRAY_COUNT(expected));
	cr_assert_eq(plan.registers.items[ARRAY_COUNT(expected)].id, REGISTER_MTRR_PHYS_BASE0);
	cr_assert_arr_eq(boot_plan_find(&plan, "uefi.gdt")->bytes.data, gdt, sizeof(gdt));
}

/* The walk of a processor, [SDM3] 4.5. */
Test(uefi, maps_what_an_x86_image_touches)
{
	static const uint64_t addresses[] = { 0x100000, 0x6e02dc, 0x709000, 0xffffffff };
	BootPlan plan;
	Bytes tables;

	use_firmware();
	plan = build();
	tables = boot_plan_find(&plan, "uefi.page-tables")->bytes;
	for (size_t i = 0; i < ARRAY_COUNT(addresses); i++) {
		const uint64_t gpa = addresses[i];
		uint64_t table = 0x700000, entry = 0;

		for (int shift = 39; shift >= 21; shift -= 9) {
			memcpy(&entry,
				tables.data + (table - 0x700000) + (gpa >> shift & 511) * 8, 8);
			cr_assert(entry & 1);
			table = entry & ~UINT64_C(0xfff);
		}
		cr_assert(entry & 0x80, "a large page");
		cr_assert_eq((entry & ~UINT64_C(0x1fffff)) + (gpa & 0x1fffff), gpa);
	}
}

Test(uefi, places_an_aarch64_image_with_all_that_it_starts_with)
{
	static const char *const names[] = { "uefi.image", "uefi.stack", "uefi.page-tables",
		"uefi.config" };
	static const uint64_t addresses[] = { 0, 0x800000, 0x820000, 0x824000 };
	static const size_t sizes[] = { 0x800000, 0x20000, 0x4000 };
	static const Register expected[] = {
		{ REGISTER_CPSR, 0x5, 0 },
		{ REGISTER_X0, 0x1000, 0 },
		{ REGISTER_PC, 0x1000, 0 },
		{ REGISTER_X0 + 1, 0x820000, 0 },
		{ REGISTER_X0 + 2, 0, 0 },
		{ REGISTER_TTBR0_EL1, 0x820000, 0 },
		{ REGISTER_MAIR_EL1, UINT64_C(0x44aa00ff44aa00ff), 0 },
		{ REGISTER_SCTLR_EL1, 0x30d01805, 0 },
		{ REGISTER_TCR_EL1, 0x903510, 0 },
	};
	BootPlan plan;

	info.arch = GUEST_ARCH_AARCH64;
	use_firmware();
	plan = build();
	expect_writes(&plan, names, ARRAY_COUNT(names));
	for (size_t i = 0; i < ARRAY_COUNT(addresses); i++)
		cr_assert_eq(plan.artifacts.items[i].gpa, addresses[i]);
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++)
		cr_assert_eq(plan.artifacts.items[i].bytes.len, sizes[i]);
	cr_assert_eq(plan.registers.count, ARRAY_COUNT(expected), "no MTRRs");
	expect_registers(&plan, expected, ARRAY_COUNT(expected));
	cr_assert_not_null(uefi_decode_find(decode(&plan), 0x23, 0), "the GIC");
	cr_assert_eq(diagnostics.count, 0u);
}

/* [ARM] D8.3: a table, then blocks of 1 GiB; the first is memory, the others are devices. */
Test(uefi, maps_4_gib_for_an_aarch64_image)
{
	uint64_t top[512], blocks[512];
	BootPlan plan;
	Bytes tables;

	info.arch = GUEST_ARCH_AARCH64;
	use_firmware();
	plan = build();
	tables = boot_plan_find(&plan, "uefi.page-tables")->bytes;
	memcpy(top, tables.data, sizeof(top));
	memcpy(blocks, tables.data + 0x1000, sizeof(blocks));
	cr_assert_eq(top[0], 0x821003u);
	for (size_t i = 0; i < 512; i++) {
		cr_assert(i == 0 || top[i] == 0);
		if (i >= 4) {
			cr_assert_eq(blocks[i], 0u);
			continue;
		}
		cr_assert_eq(blocks[i] & 3, 1u, "a block");
		cr_assert_eq(blocks[i] & UINT64_C(0xffffc0000000), i << 30);
		cr_assert(blocks[i] & 1 << 10, "accessed, or the first access faults");
		cr_assert_eq(blocks[i] >> 2 & 7, i == 0 ? 0u : 1u, "write-back, then devices");
		cr_assert_eq(blocks[i] >> 6 & 3, 0u, "writable by EL1 alone");
		cr_assert_eq(blocks[i] >> 53 & 3, i == 0 ? 0u : 3u, "code is in memory");
	}
}

Test(uefi, warns_of_an_aarch64_image_that_may_be_none)
{
	info.arch = GUEST_ARCH_AARCH64;
	use_firmware();
	firmware[0x1028] = 'x';
	build();
	cr_assert_eq(diagnostics.count, 1u);
	cr_assert_eq(diagnostics.items[0].what.diagnostic, PVW_UEFI_0020);
	cr_assert_not_null(strstr(diagnostics.items[0].what.text, "0x1000"));
}

Test(uefi, takes_no_start_from_a_context_beside_an_image_of_bytes)
{
	const Register context[] = { reg(REGISTER_RIP, 1) };
	BootPlan plan;

	inputs.vp_context = (RegisterList){ context, 1 };
	use_firmware();
	plan = build();
	for (size_t i = 0; i < plan.registers.count; i++) {
		if (plan.registers.items[i].id == REGISTER_RIP)
			cr_assert_eq(plan.registers.items[i].low, 0x6e02dcu);
	}
}

Test(uefi, refuses_images_of_another_size)
{
	use_firmware();
	settings.firmware_image.bytes.len--;
	expect_refusal(PVW_UEFI_0018, "0x5fffff bytes, expected 0x600000");
	settings.firmware_image.bytes.len = 0;
	expect_refusal(PVW_UEFI_0018, "0x0 bytes");
	info.arch = GUEST_ARCH_AARCH64;
	settings.firmware_image.bytes.len = FIRMWARE_X86_SIZE;
	expect_refusal(PVW_UEFI_0018, "expected 0x800000");
}

Test(uefi, refuses_an_x86_image_without_entry)
{
	use_firmware();
	memset(firmware + FIRMWARE_X86_SEC, 0, FIRMWARE_VOLUME_SIZE);
	expect_refusal(PVW_UEFI_0019, "no firmware volume at 0x5e0000");
}

Test(uefi, gives_isolated_guests_no_image_that_nobody_measured)
{
	use_firmware();
	info.isolation = ISOLATION_VBS;
	expect_refusal(PVW_UEFI_0017, "isolated by vbs");
}

Test(uefi, needs_memory_for_an_image_of_bytes)
{
	use_firmware();
	map[0].range.end = 0x709000;
	expect_refusal(PVW_UEFI_0009, "0x0-0x709000");
	info.arch = GUEST_ARCH_AARCH64;
	use_firmware();
	map[0].range.end = 0x824000;
	expect_refusal(PVW_UEFI_0009, "0x0-0x824000");
}

Test(uefi, refuses_a_gicv2)
{
	info.arch = GUEST_ARCH_AARCH64;
	use_firmware();
	topology.arm.gic_v2 = true;
	expect_refusal(PVW_UEFI_0008, "GICv2");
}

/*
 * PCI Express.
 */

static const AcpiBridge bridges[] = {
	{ .index = 0,
		.segment = 0,
		.start_bus = 0,
		.end_bus = 15,
		.ecam = { 0xe8000000, 0xe9000000 },
		.low = { 0xea000000, 0xeb000000 },
		.high = { 0x200000000, 0x240000000 } },
	{ .index = 1,
		.segment = 2,
		.start_bus = 16,
		.end_bus = 31,
		.ecam = { 0xe9000000, 0xea000000 },
		.high = { 0x240000000, 0x280000000 } },
};

Test(uefi, tells_of_bridges_and_where_to_find_them)
{
	const UefiDecodedRecord *record;
	BootPlan plan;
	Bytes mcfg;

	inputs.bridges = bridges;
	inputs.bridge_count = 2;
	plan = build();
	decode(&plan);
	record = uefi_decode_find(&decoded, 0x28, 0);
	cr_assert_not_null(record);
	cr_assert_eq(record->payload.len, 80u);
	cr_assert_eq(uefi_decode_u16(record->payload, 40), 2u, "segment");
	cr_assert_eq(record->payload.data[42], 16);
	cr_assert_eq(record->payload.data[43], 31);
	cr_assert_eq(uefi_decode_u32(record->payload, 44), 1u, "_UID");
	cr_assert_eq(uefi_decode_u64(record->payload, 8), 0xea000000u);
	cr_assert_eq(uefi_decode_u64(record->payload, 16), 0x1000000u);
	cr_assert_eq(uefi_decode_u64(record->payload, 48), 0u, "no low window");
	cr_assert_eq(uefi_decode_u64(record->payload, 56), 0u);
	cr_assert_eq(uefi_decode_u64(record->payload, 64), UINT64_C(0x240000000));
	cr_assert_eq(uefi_decode_u64(record->payload, 72), 0x40000000u);

	mcfg = uefi_decode_table(&decoded, "MCFG", 0);
	cr_assert_eq(mcfg.len, 44u + 2 * 16);
	cr_assert_eq(uefi_decode_u64(mcfg, 60), 0xe8000000u, "where bus 0 would be");
	cr_assert_eq(uefi_decode_u16(mcfg, 68), 2u);
	cr_assert_eq(mcfg.data[70], 16);
	cr_assert_gt(uefi_decode_table(&decoded, "SSDT", 0).len, 36u);
	cr_assert_not_null(boot_plan_find(&plan, "acpi.mcfg"));
	cr_assert_not_null(boot_plan_find(&plan, "acpi.ssdt"));
	cr_assert_null(boot_plan_find(&plan, "acpi.cedt"));
}

Test(uefi, tells_of_no_bridges_where_there_are_none)
{
	const BootPlan plan = build();

	decode(&plan);
	cr_assert_null(uefi_decode_find(&decoded, 0x28, 0));
	cr_assert_eq(uefi_decode_table(&decoded, "MCFG", 0).len, 0u);
	cr_assert_null(boot_plan_find(&plan, "acpi.mcfg"));
}

Test(uefi, leaves_the_mcfg_to_a_host_that_gives_one)
{
	static const uint8_t table[44] = { 'M', 'C', 'F', 'G', 44 };
	static const Bytes tables[] = { { table, sizeof(table) } };
	BootPlan plan;

	inputs.bridges = bridges;
	inputs.bridge_count = 2;
	settings.acpi_tables = tables;
	settings.acpi_table_count = 1;
	plan = build();
	decode(&plan);
	cr_assert_eq(uefi_decode_table(&decoded, "MCFG", 0).len, 44u);
	cr_assert_eq(uefi_decode_table(&decoded, "MCFG", 1).len, 0u);
	cr_assert_not_null(uefi_decode_find(&decoded, 0x28, 0));
}

Test(uefi, refuses_bridges_that_firmware_stops_at)
{
	AcpiBridge bad[2];

	memcpy(bad, bridges, sizeof(bad));
	inputs.bridges = bad;
	inputs.bridge_count = 2;
	bad[0].low.end = FOUR_GIB + 0x1000;
	expect_refusal(PVW_UEFI_0005, "bridge 0: low window");
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
