/*
 * From a boot tree on: what it says, the firmware's blob, a directly booted kernel's pages, and
 * the whole way. Trees come from recorded fixtures.
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "acpi/acpi_build.h"
#include "bootinfo/boot_info_parse.h"
#include "bootinfo/boot_info_write.h"
#include "host/fixture.h"
#include "layout/fixed_map.h"
#include "loaders/linux_x86_config.h"
#include "loaders/mtrr.h"
#include "loaders/uefi_config.h"
#include "support/diagnostics.h"
#include "tools/golden/reference_settings.h"
#include "worker/prepare.h"

#define ADDRESS_BITS 46
#define VPS_PER_SOCKET 32
#define KERNEL_ENTRY UINT64_C(0x1000200)

#define TEXT(literal)                                                                          \
	{                                                                                      \
		(const uint8_t *)(literal), sizeof(literal) - 1                                \
	}

static const SmbiosInputs smbios = {
	.bios_vendor = TEXT("OpenVMM"),
	.bios_version = TEXT("OpenVMM Direct"),
	.bios_release_date = TEXT("06/19/2026"),
	.manufacturer = TEXT("OpenVMM"),
	.product = TEXT("OpenVMM Virtual Machine"),
};

static const AcpiUart uarts[] = {
	{ .name = "UAR1", .ddn = "COM1", .uid = 1, .io_base = COM1_PORT, .irq = COM1_IRQ },
	{ .name = "UAR2", .ddn = "COM2", .uid = 2, .io_base = COM2_PORT, .irq = COM2_IRQ },
};

/* A tree, and what the calls behind it are given. */
typedef struct TreeInput {
	Bytes tree;
	FactInputs fact_inputs;
	ConfigInputs config;
	PlanInputs plan;
	Facts facts;
	Vtl0Layout layout;
	Bytes madt, srat;
} TreeInput;

static bool read_file(const char *name, Arena *arena, Bytes *out, Error *err)
{
	uint8_t *data = arena_reserve(arena, FIXTURE_MAX_SIZE, 1, err);
	char path[512];
	FILE *file;

	if (!data)
		return false;
	snprintf(path, sizeof(path), "%s/%s.cbor", PVW_FIXTURES, name);
	file = fopen(path, "rb");
	if (!file)
		return error_set(err, PVW_CLI_0002, "%s: %s", path, strerror(errno));
	*out = (Bytes){ data, fread(data, 1, FIXTURE_MAX_SIZE, file) };
	fclose(file);
	return true;
}

static bool read_tree(const char *name, Arena *arena, TreeInput *in, Error *err)
{
	Fixture fixture;
	uint8_t *tree;
	Bytes bytes;

	if (!read_file(name, arena, &bytes, err) || !fixture_read(bytes, arena, &fixture, err))
		return false;
	/* Aligned, as in a message or a file of its own. */
	tree = arena_reserve(arena, fixture.boot_tree.len, 8, err);
	if (!tree)
		return false;
	memcpy(tree, fixture.boot_tree.data, fixture.boot_tree.len);
	in->tree = (Bytes){ tree, fixture.boot_tree.len };
	in->fact_inputs = (FactInputs){
		.arch = fixture.arch,
		.boot_tree = in->tree,
		.physical_address_bits = ADDRESS_BITS,
		.vps_per_socket = VPS_PER_SOCKET,
		.x2apic = true,
	};
	in->config.settings = reference_settings;
	in->plan.request = (PlanRequest){
		.has_mtrr = true,
		.mtrr = MTRR_POLICY_HYPERV,
		.has_acpi = true,
		.acpi = ACPI_PROFILE_REFERENCE,
	};
	for (size_t i = 0; i < sizeof(in->plan.entropy); i++)
		in->plan.entropy[i] = (uint8_t)i;
	return true;
}

static bool list_ram(const Vtl0Layout *layout, Arena *arena, NodeRangeList *out, Error *err)
{
	const LayoutRecordList ram = layout->vtl0.ram;
	NodeRange *items = arena_reserve_array(arena, NodeRange, ram.count, err);

	if (!items)
		return false;
	for (size_t i = 0; i < ram.count; i++)
		items[i] = (NodeRange){ ram.items[i].range, ram.items[i].vnode };
	*out = (NodeRangeList){ items, ram.count };
	return true;
}

static bool describe_machine(
	const Facts *facts, const Vtl0Layout *layout, Arena *arena, AcpiInputs *out, Error *err)
{
	*out = (AcpiInputs){
		.profile = ACPI_PROFILE_REFERENCE,
		.topology = &facts->topology,
		.mmio_low = facts->mmio.low,
		.mmio_high = facts->mmio.high,
		.with_ioapic = true,
		.pm_base = PM_BASE_PORT,
		.acpi_irq = SCI_IRQ,
		.uarts = uarts,
		.uart_count = ARRAY_COUNT(uarts),
		.with_rtc = true,
		.with_vmbus = true,
	};
	return list_ram(layout, arena, &out->ram, err);
}

static bool build_blob(const TreeInput *in, const Facts *facts, const Vtl0Layout *layout,
	Bytes madt, Bytes srat, Arena *arena, Produced *produced, Error *err)
{
	const UefiConfigInputs config = {
		.arch = facts->info.arch,
		.settings = &in->config.settings,
		.entropy = in->plan.entropy,
		.ram = layout->vtl0.ram,
		.low = facts->mmio.low,
		.high = facts->mmio.high,
		.topology = &facts->topology,
		.madt = madt,
		.srat = srat,
		.image_size = UEFI_X86_IMAGE_SIZE,
	};
	Diagnostics findings;
	Bytes blob;

	if (!diagnostics_init(&findings, 8, arena, err) ||
		!uefi_config_build(&config, arena, &blob, &findings, err))
		return false;
	produce(produced, blob.data, blob.len);
	return true;
}

/* Boot tree -> layout of VTL0; every check that a worker makes. */
static bool decide(
	const FactInputs *in, Arena *arena, Facts *facts, Vtl0Layout *layout, Error *err)
{
	Diagnostics findings;

	return diagnostics_init(&findings, 8, arena, err) &&
		prepare_facts(in, arena, facts, &findings, err) &&
		vtl0_layout_build(&facts->info, &facts->mmio, 0, arena, layout, err);
}

static bool setup(const void *parameter, Arena *arena, const void **input, Error *err)
{
	TreeInput *in = arena_array(arena, TreeInput, 1, err);
	AcpiInputs acpi;

	if (!in || !read_tree(parameter, arena, in, err) ||
		!decide(&in->fact_inputs, arena, &in->facts, &in->layout, err) ||
		!describe_machine(&in->facts, &in->layout, arena, &acpi, err))
		return false;
	*input = in;
	return acpi_build_table(ACPI_MADT, &acpi, arena, &in->madt, err) &&
		acpi_build_table(ACPI_SRAT, &acpi, arena, &in->srat, err);
}

/* Boot tree -> BootInfo. */
static bool call_parse(const void *input, Arena *arena, Produced *produced, Error *err)
{
	const TreeInput *in = input;
	BootInfo info;

	if (!boot_info_parse(in->fact_inputs.arch, in->tree, arena, &info, err))
		return false;
	produce(produced, info.cpus.items, info.cpus.count * sizeof(*info.cpus.items));
	return true;
}

/* BootInfo -> boot tree. */
static bool call_write(const void *input, Arena *arena, Produced *produced, Error *err)
{
	const TreeInput *in = input;
	Bytes tree;

	if (!boot_info_write(&in->facts.info, NULL, arena, &tree, err))
		return false;
	produce(produced, tree.data, tree.len);
	return true;
}

/* The blob around a MADT and an SRAT that are there. */
static bool call_blob(const void *input, Arena *arena, Produced *produced, Error *err)
{
	const TreeInput *in = input;

	return build_blob(
		in, &in->facts, &in->layout, in->madt, in->srat, arena, produced, err);
}

/* Boot tree -> roles -> layout -> MADT, SRAT, blob, DSDT, MTRRs. */
static bool call_prepare(const void *input, Arena *arena, Produced *produced, Error *err)
{
	const TreeInput *in = input;
	Bytes madt, srat, dsdt;
	Vtl0Layout layout;
	MtrrInputs mtrr;
	AcpiInputs acpi;
	MtrrSet set;
	Facts facts;

	if (!decide(&in->fact_inputs, arena, &facts, &layout, err) ||
		!describe_machine(&facts, &layout, arena, &acpi, err) ||
		!acpi_build_table(ACPI_MADT, &acpi, arena, &madt, err) ||
		!acpi_build_table(ACPI_SRAT, &acpi, arena, &srat, err))
		return false;
	produce(produced, madt.data, madt.len);
	produce(produced, srat.data, srat.len);
	acpi.without_sleep_states = true;
	if (!build_blob(in, &facts, &layout, madt, srat, arena, produced, err) ||
		!acpi_build_table(ACPI_DSDT, &acpi, arena, &dsdt, err))
		return false;
	produce(produced, dsdt.data, dsdt.len);
	return mtrr_inputs_from_layout(&layout, &facts.mmio, ADDRESS_BITS, arena, &mtrr, err) &&
		mtrr_solve(MTRR_POLICY_HYPERV, &mtrr, arena, &set, err);
}

/* What a worker does: the same, and every artifact placed, checked and digested. */
static bool call_plan(const void *input, Arena *arena, Produced *produced, Error *err)
{
	const TreeInput *in = input;
	Diagnostics findings;
	Prepared prepared;
	Config config;
	Facts facts;

	if (!diagnostics_init(&findings, 8, arena, err) ||
		!prepare_facts(&in->fact_inputs, arena, &facts, &findings, err) ||
		!prepare_config(&facts, &in->config, arena, &config, &findings, err) ||
		!prepare_plan(&facts, &config, &in->plan, arena, &prepared, &findings, err))
		return false;
	for (size_t i = 0; i < prepared.plan.artifacts.count && i < PRODUCED_MAX; i++) {
		const Bytes bytes = prepared.plan.artifacts.items[i].bytes;

		if (bytes.data)
			produce(produced, bytes.data, bytes.len);
	}
	return true;
}

/* Tables, and everything else that a directly booted kernel finds around itself. */
static bool call_linux(const void *input, Arena *arena, Produced *produced, Error *err)
{
	const TreeInput *in = input;
	LinuxX86Config config;
	AcpiInputs acpi;
	AcpiSet set;

	if (!describe_machine(&in->facts, &in->layout, arena, &acpi, err))
		return false;
	acpi.with_processors = true;
	if (!acpi_build_set(&acpi, LINUX_X86_BOOT_PAGES_GPA, arena, &set, err))
		return false;

	const LinuxX86Inputs inputs = {
		.ram = in->layout.vtl0.ram,
		.command_line = TEXT("console=ttyS0"),
		.entry = KERNEL_ENTRY,
		.acpi_tables = set.tables,
		.rsdp = set.rsdp,
		.smbios = &smbios,
	};
	if (!linux_x86_build_config(&inputs, arena, &config, err))
		return false;
	for (size_t i = 0; i < LINUX_PIECE_COUNT; i++) {
		const Bytes bytes = config.pieces[i].bytes;

		if (bytes.data && produced->count < PRODUCED_MAX)
			produce(produced, bytes.data, bytes.len);
	}
	return true;
}

#define TREE4 "x64-uefi-4vp"
#define TREE8 "x64-bench-8vp"
#define TREE64 "x64-bench-64vp"
#define TREE2048 "x64-bench-2048vp"

#define ROW(name, call, tree)                                                                  \
	{                                                                                      \
		name, setup, call, tree, tree                                                  \
	}

const Bench tree_benches[] = {
	ROW("boot_dt_parse/8cpu", call_parse, TREE8),
	ROW("boot_dt_parse/64cpu", call_parse, TREE64),
	ROW("boot_dt_parse/2048cpu", call_parse, TREE2048),
	ROW("boot_dt_write/8cpu", call_write, TREE8),
	ROW("boot_dt_write/64cpu", call_write, TREE64),
	ROW("uefi_blob/8vp", call_blob, TREE8),
	ROW("uefi_blob/2048vp", call_blob, TREE2048),
	ROW("linux_x86/4vp", call_linux, TREE4),
	ROW("prepare/8vp", call_prepare, TREE8),
	ROW("prepare/64vp", call_prepare, TREE64),
	ROW("prepare/2048vp", call_prepare, TREE2048),
	ROW("plan/8vp", call_plan, TREE8),
	ROW("plan/64vp", call_plan, TREE64),
	ROW("plan/2048vp", call_plan, TREE2048),
	{ .name = NULL },
};
