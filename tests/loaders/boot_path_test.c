/*
 * The table of boot paths: what is offered where, by which name, under which policies.
 */
#include "loaders/boot_path.h"

#include <criterion/criterion.h>
#include <string.h>

#include "helpers/igvm_builder.h"

static Arena *arena;
static Diagnostics diagnostics;

static void set_up(void)
{
	Error err = { 0 };

	arena = arena_new(16 << 20);
	cr_assert(diagnostics_init(&diagnostics, 16, arena, &err));
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(boot_path, .init = set_up, .fini = tear_down);

static const char *const names[] = { "uefi", "pcat", "linux", "none", "igvm" };

Test(boot_path, has_a_name_for_each_kind)
{
	cr_assert_eq(ARRAY_COUNT(names), (size_t)BOOT_KIND_COUNT);
	for (BootKind kind = 0; kind < BOOT_KIND_COUNT; kind++) {
		cr_assert_str_eq(boot_kind_name(kind), names[kind]);
		cr_assert_eq(boot_kind_find(names[kind]), kind);
	}
	cr_assert_eq(boot_kind_find("UEFI"), BOOT_KIND_COUNT);
	cr_assert_eq(boot_kind_find(""), BOOT_KIND_COUNT);
}

Test(boot_path, prefers_exact_mtrrs_but_for_pcat)
{
	const PlanRequest open = { 0 };

	for (BootKind kind = 0; kind < BOOT_KIND_COUNT; kind++) {
		PlanPolicy policy = { 0 };
		Error err = { 0 };

		cr_assert(boot_path_policy(kind, &open, &policy, &err));
		cr_assert_eq(policy.mtrr,
			kind == BOOT_PCAT ? MTRR_POLICY_HYPERV : MTRR_POLICY_EXACT);
		cr_assert_eq(policy.acpi, ACPI_PROFILE_DEFAULT);
		cr_assert_eq(policy.layout_version, (uint32_t)LAYOUT_VERSION_CURRENT);
	}
}

Test(boot_path, gives_what_was_asked_for)
{
	const PlanRequest request = { .has_mtrr = true,
		.has_acpi = true,
		.mtrr = MTRR_POLICY_EXACT,
		.acpi = ACPI_PROFILE_REFERENCE,
		.layout_version = LAYOUT_VERSION_REFERENCE };
	PlanPolicy policy = { 0 };
	Error err = { 0 };

	cr_assert(boot_path_policy(BOOT_PCAT, &request, &policy, &err));
	cr_assert_eq(policy.mtrr, MTRR_POLICY_EXACT);
	cr_assert_eq(policy.acpi, ACPI_PROFILE_REFERENCE);
	cr_assert_eq(policy.layout_version, (uint32_t)LAYOUT_VERSION_REFERENCE);
}

Test(boot_path, refuses_a_layout_version_of_the_future)
{
	const PlanRequest request = { .layout_version = LAYOUT_VERSION_CURRENT + 1 };
	PlanPolicy policy = { .layout_version = 77 };
	Error err = { 0 };

	cr_assert_not(boot_path_policy(BOOT_UEFI, &request, &policy, &err));
	cr_assert_eq(err.diagnostic, PVW_BOOT_0002);
	cr_assert_not_null(strstr(err.text, "expected at most"), "%s", err.text);
	cr_assert_eq(policy.layout_version, 77u);
}

/* A guest that every path takes, as far as its architecture goes. */
typedef struct Guest {
	MapEntry map[2];
	VirtualProcessor vp;
	BootInfo info;
	ChipsetMmioRanges mmio;
	Vtl0Layout layout;
	ProcessorTopology topology;
	PlatformSettings settings;
	BootInputs inputs;
} Guest;

/* The smallest file that is one, for either architecture. */
static Image igvm_file(GuestArch arch)
{
	static IgvmBuilder builder;

	igvm_begin(&builder, 2, arch == GUEST_ARCH_AARCH64);
	igvm_put_platform(&builder, 1, 0, 1);
	return (Image){ .place = IMAGE_BYTES, .bytes = igvm_finish(&builder) };
}

static void make_guest(BootKind kind, GuestArch arch, Guest *guest)
{
	Error err = { 0 };

	*guest = (Guest){
		.map = { { .range = { 0, 0xc0000000 } },
			{ .range = { 0x100000000, 0x140000000 } } },
		.vp = { .mpidr = 0x80000000, .gicr = 0xeffee000 },
		.mmio = { .low = { 0xe0000000, 0x100000000 },
			.high = { 0x200000000, 0x240000000 } },
		.topology = { .arch = arch,
			.count = 1,
			.vps_per_socket = 1,
			.reserved_vps_per_socket = 1,
			.arm = { .gic_distributor = 0xffff0000,
				.gic_redistributors = 0xeffee000,
				.virt_timer_ppi = 20,
				.irq_count = 992 } },
		.settings = { .firmware = kind,
			.pcat.boot_order = { PCAT_BOOT_FLOPPY, PCAT_BOOT_OPTICAL,
				PCAT_BOOT_HARD_DRIVE, PCAT_BOOT_NETWORK },
			.linux_direct.kernel = { .place = IMAGE_IN_PLACE,
				.gpa = 0x1000000,
				.len = 0x800000 } },
	};
	guest->info = (BootInfo){ .arch = arch, .map = { guest->map, 2 } };
	if (kind == BOOT_IGVM)
		guest->settings.firmware_image = igvm_file(arch);
	guest->topology.vps = &guest->vp;
	guest->inputs = (BootInputs){ .info = &guest->info,
		.mmio = &guest->mmio,
		.layout = &guest->layout,
		.topology = &guest->topology,
		.settings = &guest->settings,
		.physical_address_bits = 46 };
	cr_assert(vtl0_layout_build(&guest->info, &guest->mmio, 0, arena, &guest->layout, &err),
		"%s", err.text);
}

static const struct {
	BootKind kind;
	bool x86, arm64;
} offers[] = {
	{ BOOT_UEFI, true, true },
	{ BOOT_PCAT, true, false },
	{ BOOT_LINUX, true, true },
	{ BOOT_NONE, true, true },
	{ BOOT_IGVM, true, true },
};

static void expect_offer(BootKind kind, GuestArch arch, bool offered)
{
	BootPlan plan = { .write_count = 77 };
	Error err = { 0 };
	Guest guest;

	make_guest(kind, arch, &guest);
	if (offered) {
		cr_assert(boot_path_build(&guest.inputs, arena, &plan, &diagnostics, &err),
			"%s on %s: %s", names[kind], guest_arch_name(arch), err.text);
		cr_assert_eq(plan.kind, kind);
		cr_assert_gt(plan.policy.layout_version, 0u);
		return;
	}
	cr_assert_not(boot_path_build(&guest.inputs, arena, &plan, &diagnostics, &err));
	cr_assert_eq(err.diagnostic, PVW_BOOT_0001);
	cr_assert_eq(err.code, ERROR_UNSUPPORTED);
	cr_assert_str_eq(err.source, "settings.firmware");
	cr_assert_not_null(strstr(err.text, names[kind]), "%s", err.text);
	cr_assert_not_null(strstr(err.text, guest_arch_name(arch)), "%s", err.text);
	cr_assert_eq(plan.write_count, 77u);
}

Test(boot_path, offers_what_its_table_says)
{
	cr_assert_eq(ARRAY_COUNT(offers), (size_t)BOOT_KIND_COUNT);
	for (size_t i = 0; i < ARRAY_COUNT(offers); i++) {
		expect_offer(offers[i].kind, GUEST_ARCH_X86_64, offers[i].x86);
		expect_offer(offers[i].kind, GUEST_ARCH_AARCH64, offers[i].arm64);
	}
}

Test(boot_path, plans_nothing_for_none)
{
	BootPlan plan = { 0 };
	Error err = { 0 };
	Guest guest;

	make_guest(BOOT_NONE, GUEST_ARCH_AARCH64, &guest);
	guest.inputs.request =
		(PlanRequest){ .has_acpi = true, .acpi = ACPI_PROFILE_REFERENCE };
	cr_assert(boot_path_build(&guest.inputs, arena, &plan, &diagnostics, &err));
	cr_assert_eq(plan.artifacts.count, 0u);
	cr_assert_eq(plan.registers.count, 0u);
	cr_assert_eq(plan.policy.acpi, ACPI_PROFILE_REFERENCE);
	cr_assert_eq(plan.policy.mtrr, MTRR_POLICY_EXACT);
}

/* Paths are told what is in effect, whatever they would prefer themselves. */
Test(boot_path, decides_the_policies_of_every_path)
{
	for (size_t i = 0; i < ARRAY_COUNT(offers); i++) {
		BootPlan plan = { 0 };
		Error err = { 0 };
		Guest guest;

		if (!offers[i].x86)
			continue;
		make_guest(offers[i].kind, GUEST_ARCH_X86_64, &guest);
		guest.inputs.request = (PlanRequest){ .has_mtrr = true,
			.has_acpi = true,
			.mtrr = MTRR_POLICY_HYPERV,
			.acpi = ACPI_PROFILE_REFERENCE };
		cr_assert(boot_path_build(&guest.inputs, arena, &plan, &diagnostics, &err),
			"%s", err.text);
		cr_assert_eq(plan.policy.mtrr, MTRR_POLICY_HYPERV);
		cr_assert_eq(plan.policy.acpi, ACPI_PROFILE_REFERENCE);
		cr_assert_eq(plan.policy.layout_version, (uint32_t)LAYOUT_VERSION_CURRENT);
	}
}

Test(boot_path, refuses_before_it_builds)
{
	BootPlan plan = { 0 };
	Error err = { 0 };
	Guest guest;

	make_guest(BOOT_NONE, GUEST_ARCH_X86_64, &guest);
	guest.inputs.request.layout_version = 1000;
	cr_assert_not(boot_path_build(&guest.inputs, arena, &plan, &diagnostics, &err));
	cr_assert_eq(err.diagnostic, PVW_BOOT_0002);
}
