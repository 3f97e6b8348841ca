/*
 * The UEFI plan: tables, configuration, registers; and whether there is memory for all that.
 * Source: [OVMM] openhcl/underhill_core/src/loader/mod.rs; vm/loader/src/uefi/mod.rs
 */
#include "loaders/uefi.h"

#include <inttypes.h>

#include "loaders/boot_machine.h"
#include "loaders/uefi_config.h"
#include "loaders/uefi_internal.h"
#include "support/checked.h"

static const UefiPlatform *const platforms[] = {
	[GUEST_ARCH_X86_64] = &uefi_platform_x86,
	[GUEST_ARCH_AARCH64] = &uefi_platform_arm64,
};
static_assert(ARRAY_COUNT(platforms) == GUEST_ARCH_COUNT, "one row an architecture");
static_assert(UEFI_ENTROPY_SIZE == ENTROPY_SIZE, "the blob takes all of it");

static bool check_bytes(
	const UefiPlatform *platform, Bytes image, IsolationType isolation, Error *err)
{
	if (isolation_is_isolated(isolation))
		return error_set(err, PVW_UEFI_0017,
			"an image of %zu bytes for a guest isolated by %s, expected one in "
			"place",
			image.len, boot_info_isolation_name(isolation));
	if (image.len != platform->image_size)
		return error_set(err, PVW_UEFI_0018, "0x%zx bytes, expected 0x%" PRIx64,
			image.len, platform->image_size);
	return true;
}

static bool check_image(
	const UefiPlatform *platform, const Image *image, IsolationType isolation, Error *err)
{
	switch (image->place) {
	case IMAGE_IN_PLACE:
		/* A description may count the pages behind the image too. */
		if (image->gpa == platform->image_gpa && image->len >= platform->image_size)
			return true;
		error_set(err, PVW_UEFI_0010,
			"0x%" PRIx64 " bytes at 0x%" PRIx64 ", expected 0x%" PRIx64
			" at 0x%" PRIx64,
			image->len, image->gpa, platform->image_size, platform->image_gpa);
		return error_at(err, "settings.firmware_image");
	case IMAGE_BYTES:
		return check_bytes(platform, image->bytes, isolation, err) ||
			error_at(err, "settings.firmware_image");
	case IMAGE_ABSENT:
	case IMAGE_PLACE_COUNT:
		break;
	}
	return true;
}

/* The firmware takes its heap from the largest ordinary piece below 4 GiB that it leaves free. */
static bool has_heap(LayoutRecordList ram, uint64_t used_end)
{
	for (size_t i = 0; i < ram.count; i++) {
		const MemoryRange range = ram.items[i].range;

		if (layout_record_is_ordinary(&ram.items[i]) && range.start < FOUR_GIB &&
			range.end > used_end)
			return true;
	}
	return false;
}

/*
 *	0 [ image … page tables, stack … configuration )[ heap … )   one range of RAM
 */
static bool check_room(uint64_t config_end, LayoutRecordList ram, Error *err)
{
	uint64_t used_end;

	if (!checked_align_up(config_end, PAGE_SIZE, &used_end) || ram.count == 0 ||
		ram.items[0].range.start != 0 || ram.items[0].range.end < used_end)
		return error_set(err, PVW_UEFI_0009,
			"the first RAM is " RANGE_FORMAT
			", expected one range from 0 to 0x%" PRIx64 " and beyond",
			RANGE_ARGS(ram.count ? ram.items[0].range : MEMORY_RANGE_EMPTY),
			config_end);
	if (!layout_record_is_ordinary(&ram.items[0]))
		return error_set(err, PVW_UEFI_0009,
			"the first RAM, " RANGE_FORMAT
			", has igvm-type %u, expected ordinary memory",
			RANGE_ARGS(ram.items[0].range), ram.items[0].igvm_type);
	if (!has_heap(ram, used_end))
		return error_set(err, PVW_UEFI_0009,
			"no ordinary memory between 0x%" PRIx64
			" and 4 GiB for the firmware's heap",
			used_end);
	return true;
}

/*
 * The tables that firmware cannot make itself, in the order of the blob. Of most there is one, and
 * the host's goes before ours; bridges are described by as many SSDTs as there are.
 */
static const struct {
	AcpiTableId id;
	const char *artifact;
	bool host_first;
	size_t at; /* offset of Bytes in UefiConfigInputs */
} own_tables[] = {
	{ ACPI_MADT, "acpi.madt", true, offsetof(UefiConfigInputs, madt) },
	{ ACPI_SRAT, "acpi.srat", true, offsetof(UefiConfigInputs, srat) },
	{ ACPI_MCFG, "acpi.mcfg", true, offsetof(UefiConfigInputs, mcfg) },
	{ ACPI_SSDT, "acpi.ssdt", false, offsetof(UefiConfigInputs, ssdt) },
	{ ACPI_CEDT, "acpi.cedt", true, offsetof(UefiConfigInputs, cedt) },
};

static Bytes *own_table(UefiConfigInputs *config, size_t i)
{
	return (Bytes *)(void *)((uint8_t *)config + own_tables[i].at);
}

static bool build_tables(const BootInputs *in, const UefiPlatform *platform,
	AcpiProfile profile, Arena *arena, UefiConfigInputs *config, Error *err)
{
	const bool isolated = isolation_is_isolated(in->info->isolation);
	AcpiInputs acpi;

	if (!boot_machine_acpi(in, profile, arena, &acpi, err))
		return false;
	acpi.with_ioapic = platform->with_ioapic;
	acpi.pm_base = platform->pm_base;
	acpi.acpi_irq = platform->acpi_irq;
	for (size_t i = 0; i < ARRAY_COUNT(own_tables); i++) {
		const AcpiTableId id = own_tables[i].id;

		if (!acpi_table_wanted(id, &acpi) ||
			(own_tables[i].host_first &&
				uefi_config_has_host_table(
					in->settings, isolated, acpi_table_signature(id))))
			continue;
		if (!acpi_build_table(id, &acpi, arena, own_table(config, i), err))
			return error_wrap(err, "%s", own_tables[i].artifact);
	}
	return true;
}

static void add_table(BootPlanBuilder *plan, const char *name, Bytes table)
{
	if (table.len)
		boot_plan_add(plan,
			(Artifact){
				.name = name,
				.media_type = "application/octet-stream",
				.bytes = table,
			});
}

static void add_artifacts(BootPlanBuilder *plan, const BootInputs *in,
	const UefiPlatform *platform, UefiConfigInputs *config, Bytes blob)
{
	if (in->settings->firmware_image.place == IMAGE_IN_PLACE)
		boot_plan_add(plan,
			(Artifact){
				.name = "uefi.image",
				.media_type = "application/octet-stream",
				.placed = true,
				.gpa = platform->image_gpa,
				.bytes = { NULL, (size_t)platform->image_size },
				.measured = true,
			});
	boot_plan_add(plan,
		(Artifact){
			.name = "uefi.config",
			.media_type = "application/octet-stream",
			.placed = true,
			.gpa = platform->config_gpa,
			.bytes = blob,
			.sensitive = true,
		});
	for (size_t i = 0; i < ARRAY_COUNT(own_tables); i++)
		add_table(plan, own_tables[i].artifact, *own_table(config, i));
}

static bool is_repeated(RegisterList list, size_t index)
{
	for (size_t i = index + 1; i < list.count; i++) {
		if (list.items[i].id == list.items[index].id)
			return true;
	}
	return false;
}

/* Later values win; variable MTRRs are decided here, not by who built the image. */
static void add_context(BootPlanBuilder *plan, RegisterList context)
{
	for (size_t i = 0; i < context.count; i++) {
		if (!is_repeated(context, i) && !register_is_variable_mtrr(context.items[i].id))
			boot_plan_register(plan, context.items[i]);
	}
}

/*
 * The configuration says that MTRRs are set at load, so the firmware sets none. If the context
 * leaves them off, all memory is uncached and the pairs of the plan do nothing.
 */
static void lint_context(RegisterList context, Diagnostics *diagnostics)
{
	uint64_t type = 0;

	if (context.count == 0)
		return;
	for (size_t i = 0; i < context.count; i++) {
		if (context.items[i].id == REGISTER_MTRR_DEF_TYPE)
			type = context.items[i].low;
	}
	if (!(type & MTRR_DEF_TYPE_ENABLE))
		diagnostics_add(diagnostics, PVW_UEFI_0016, "vp context",
			"MtrrDefType 0x%" PRIx64 ", expected bit 11, which turns MTRRs on",
			type);
}

static UefiConfigInputs config_inputs(const BootInputs *in, const UefiPlatform *platform)
{
	return (UefiConfigInputs){
		.arch = in->info->arch,
		.isolated = isolation_is_isolated(in->info->isolation),
		.settings = in->settings,
		.entropy = in->entropy,
		.ram = in->layout->vtl0.ram,
		.low = in->mmio->low,
		.high = in->mmio->high,
		.physical_address_bits = in->physical_address_bits,
		.topology = in->topology,
		.slit = in->slit,
		.pptt = in->pptt,
		.bridges = in->bridges,
		.bridge_count = in->bridge_count,
		.image_size = platform->image_size,
	};
}

/* Where the first processor starts: as the image's context says, or as an image of bytes wants. */
static bool add_start(const BootInputs *in, const UefiPlatform *platform, Arena *arena,
	BootPlanBuilder *plan, Diagnostics *diagnostics, Error *err)
{
	const Image *image = &in->settings->firmware_image;

	if (image->place == IMAGE_BYTES)
		return platform->start(image->bytes, arena, plan, diagnostics, err) ||
			error_at(err, "settings.firmware_image");
	add_context(plan, in->vp_context);
	if (platform->with_mtrrs)
		lint_context(in->vp_context, diagnostics);
	return true;
}

bool uefi_build_plan(
	const BootInputs *in, Arena *arena, BootPlan *out, Diagnostics *diagnostics, Error *err)
{
	const UefiPlatform *platform = platforms[in->info->arch];
	UefiConfigInputs config = config_inputs(in, platform);
	BootPlanBuilder *plan;
	PlanPolicy policy;
	Bytes blob;

	if (!boot_path_policy(BOOT_UEFI, &in->request, &policy, err) ||
		!check_image(
			platform, &in->settings->firmware_image, in->info->isolation, err) ||
		!build_tables(in, platform, policy.acpi, arena, &config, err))
		return false;
	if (!uefi_config_build(&config, arena, &blob, diagnostics, err))
		return error_wrap(err, "uefi configuration");
	if (!check_room(platform->config_gpa + blob.len, config.ram, err) ||
		!boot_plan_begin(BOOT_UEFI, policy, arena, &plan, err) ||
		!add_start(in, platform, arena, plan, diagnostics, err))
		return false;
	add_artifacts(plan, in, platform, &config, blob);
	if (platform->with_mtrrs &&
		!boot_machine_add_mtrrs(in, policy.mtrr, arena, plan, diagnostics, err))
		return false;
	return boot_plan_finish(plan, config.ram, out, err);
}
