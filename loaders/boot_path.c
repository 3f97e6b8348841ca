/*
 * The table of boot paths, and what all of them have in common: the policies in effect.
 */
#include "loaders/boot_path.h"

#include <string.h>

#include "loaders/boot_measured.h"
#include "loaders/igvm.h"
#include "loaders/linux_arm64.h"
#include "loaders/linux_x86.h"
#include "loaders/pcat.h"
#include "loaders/uefi.h"
#include "support/diagnostics.h"

typedef bool (*BuildPlan)(const BootInputs *in, Arena *arena, BootPlan *out,
	Diagnostics *diagnostics, Error *err);

typedef struct BootPath {
	const char *name;
	MtrrPolicy mtrr; /* preferred */
	BuildPlan build[GUEST_ARCH_COUNT];
} BootPath;

/* Nothing is written and no register is set: the guest starts as the host left it. */
static bool none_build_plan(
	const BootInputs *in, Arena *arena, BootPlan *out, Diagnostics *diagnostics, Error *err)
{
	BootPlanBuilder *plan;
	PlanPolicy policy;

	(void)diagnostics;
	return boot_path_policy(BOOT_NONE, &in->request, &policy, err) &&
		boot_plan_begin(BOOT_NONE, policy, arena, &plan, err) &&
		boot_plan_finish(plan, in->layout->vtl0.ram, out, err);
}

static const BootPath paths[] = {
	[BOOT_UEFI] = { "uefi", MTRR_POLICY_EXACT,
		{ [GUEST_ARCH_X86_64] = uefi_build_plan,
			[GUEST_ARCH_AARCH64] = uefi_build_plan } },
	[BOOT_PCAT] = { "pcat", MTRR_POLICY_HYPERV, { [GUEST_ARCH_X86_64] = pcat_build_plan } },
	[BOOT_LINUX] = { "linux", MTRR_POLICY_EXACT,
		{ [GUEST_ARCH_X86_64] = linux_x86_build_plan,
			[GUEST_ARCH_AARCH64] = linux_arm64_build_plan } },
	[BOOT_NONE] = { "none", MTRR_POLICY_EXACT,
		{ [GUEST_ARCH_X86_64] = none_build_plan,
			[GUEST_ARCH_AARCH64] = none_build_plan } },
	[BOOT_IGVM] = { "igvm", MTRR_POLICY_EXACT,
		{ [GUEST_ARCH_X86_64] = igvm_build_plan,
			[GUEST_ARCH_AARCH64] = igvm_build_plan } },
};
static_assert(ARRAY_COUNT(paths) == BOOT_KIND_COUNT, "one row a boot kind");

const char *boot_kind_name(BootKind kind)
{
	assert(kind < BOOT_KIND_COUNT);
	return paths[kind].name;
}

BootKind boot_kind_find(const char *name)
{
	for (BootKind kind = 0; kind < BOOT_KIND_COUNT; kind++) {
		if (strcmp(paths[kind].name, name) == 0)
			return kind;
	}
	return BOOT_KIND_COUNT;
}

bool boot_path_policy(BootKind kind, const PlanRequest *request, PlanPolicy *out, Error *err)
{
	assert(kind < BOOT_KIND_COUNT);
	if (request->layout_version > LAYOUT_VERSION_CURRENT)
		return error_set(err, PVW_BOOT_0002, "layout version %u, expected at most %d",
			request->layout_version, LAYOUT_VERSION_CURRENT);
	*out = (PlanPolicy){
		.mtrr = request->has_mtrr ? request->mtrr : paths[kind].mtrr,
		.acpi = request->has_acpi ? request->acpi : ACPI_PROFILE_DEFAULT,
		.layout_version = request->layout_version ? request->layout_version
							  : LAYOUT_VERSION_CURRENT,
	};
	return true;
}

/* An IGVM file brings everything that it needs: nothing of it is measured before. */
static bool build_measured(const BootInputs *in, BuildPlan build, Arena *arena, BootPlan *out,
	Diagnostics *diagnostics, Error *err)
{
	BootInputs measured = *in;
	PlatformSettings settings;
	BootPlan plan;

	if (!in->measured || in->settings->firmware == BOOT_IGVM)
		return build(in, arena, out, diagnostics, err);
	if (!boot_measured_settings(in, arena, &settings, err))
		return false;
	measured.settings = &settings;
	return build(&measured, arena, &plan, diagnostics, err) &&
		boot_measured_wipe(&measured, &plan, arena, out, err);
}

bool boot_path_build(
	const BootInputs *in, Arena *arena, BootPlan *out, Diagnostics *diagnostics, Error *err)
{
	const BootKind kind = in->settings->firmware;
	BootInputs decided = *in;
	PlanPolicy policy;

	assert(kind < BOOT_KIND_COUNT);
	if (!paths[kind].build[in->info->arch]) {
		error_set(err, PVW_BOOT_0001, "boot kind %s on %s is not offered",
			paths[kind].name, guest_arch_name(in->info->arch));
		return error_at(err, "settings.firmware");
	}
	if (!boot_path_policy(kind, &in->request, &policy, err))
		return false;
	decided.request = (PlanRequest){
		.has_mtrr = true,
		.has_acpi = true,
		.mtrr = policy.mtrr,
		.acpi = policy.acpi,
		.layout_version = policy.layout_version,
	};
	return build_measured(
		&decided, paths[kind].build[in->info->arch], arena, out, diagnostics, err);
}
