/*
 * The benches. Names and inputs are those of the reference's own figures, which bench/README.md
 * lists beside ours; boot trees come from the recorded fixtures.
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acpi/acpi_build.h"
#include "bootinfo/boot_info_check.h"
#include "bootinfo/boot_info_parse.h"
#include "host/fixture.h"
#include "layout/fixed_map.h"
#include "loaders/linux_x86.h"
#include "loaders/mtrr.h"
#include "loaders/uefi_config.h"
#include "worker/prepare.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define WIDTH 46
#define VPS_PER_SOCKET 32

/* What a bench is made with. */
typedef struct Parameter {
	uint32_t vps, nodes;
	const char *fixture; /* PVW_FIXTURES/NAME.cbor */
	MtrrPolicy mtrr;
	AcpiTableId table;
} Parameter;

#define NEW(arena, type, err) arena_array(arena, type, 1, err)

static bool fail(Error *err, const char *what)
{
	return error_set(err, PVW_CLI_0002, "%s: %s", what, strerror(errno));
}

static bool read_fixture(const char *name, Arena *arena, Fixture *out, Error *err)
{
	char path[512];
	uint8_t *data = arena_array(arena, uint8_t, FIXTURE_MAX_SIZE, err);
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s.cbor", PVW_FIXTURES, name);
	file = data ? fopen(path, "rb") : NULL;
	if (!file)
		return data ? fail(err, path) : false;
	len = fread(data, 1, FIXTURE_MAX_SIZE, file);
	fclose(file);
	return fixture_read((Bytes){ data, len }, arena, out, err);
}

/*
 * Boot tree -> BootInfo.
 */

static bool setup_tree(const void *parameter, Arena *arena, const void **input, Error *err)
{
	Fixture *fixture = NEW(arena, Fixture, err);

	*input = fixture;
	return fixture &&
		read_fixture(((const Parameter *)parameter)->fixture, arena, fixture, err);
}

static bool call_parse(const void *input, Arena *arena, size_t *produced, Error *err)
{
	const Fixture *fixture = input;
	BootInfo info;

	*produced = fixture->boot_tree.len;
	return boot_info_parse(fixture->arch, fixture->boot_tree, arena, &info, err);
}

/*
 * Tables around given processors: sockets of 32, sizes of memory as in the reference's figures.
 */

typedef struct TableInput {
	AcpiInputs acpi;
	AcpiTableId table;
	ProcessorTopology topology;
	AcpiUart uarts[2];
} TableInput;

static bool make_ram(uint32_t nodes, Arena *arena, NodeRangeList *out, Error *err)
{
	const size_t count = nodes > 1 ? nodes : 2;
	NodeRange *ram = arena_array(arena, NodeRange, count, err);

	if (!ram)
		return false;
	for (size_t i = 0; i < count && nodes > 1; i++)
		ram[i] = (NodeRange){ { 4 * GIB * i, 4 * GIB * i + 2 * GIB }, (uint32_t)i };
	if (nodes <= 1) {
		ram[0] = (NodeRange){ { 0, 0xf8000000 }, 0 };
		ram[1] = (NodeRange){ { FOUR_GIB, 8 * GIB + 128 * MIB }, 0 };
	}
	*out = (NodeRangeList){ ram, count };
	return true;
}

static bool make_topology(const Parameter *p, Arena *arena, ProcessorTopology *out, Error *err)
{
	uint32_t *vnodes = arena_array(arena, uint32_t, p->vps, err);
	const TopologyInputs topology = {
		.vps_per_socket = VPS_PER_SOCKET,
		.vnodes = vnodes,
		.vnode_count = p->vps,
	};

	if (!vnodes)
		return false;
	for (uint32_t i = 0; i < p->vps; i++)
		vnodes[i] = i * p->nodes / p->vps;
	return topology_from_count(GUEST_ARCH_X86_64, p->vps, &topology, arena, out, err);
}

static bool setup_table(const void *parameter, Arena *arena, const void **input, Error *err)
{
	const Parameter *p = parameter;
	TableInput *in = NEW(arena, TableInput, err);

	if (!in || !make_topology(p, arena, &in->topology, err) ||
		!make_ram(p->nodes, arena, &in->acpi.ram, err))
		return false;
	in->table = p->table;
	in->uarts[0] = (AcpiUart){ "UAR1", "COM1", 0, COM1_PORT, COM1_IRQ };
	in->uarts[1] = (AcpiUart){ "UAR2", "COM2", 1, COM2_PORT, COM2_IRQ };
	in->acpi.profile = ACPI_PROFILE_REFERENCE;
	in->acpi.topology = &in->topology;
	in->acpi.mmio_low = (MemoryRange){ 0xf8000000, FOUR_GIB };
	in->acpi.mmio_high = (MemoryRange){ 16 * GIB, 16 * GIB + 512 * MIB };
	in->acpi.with_ioapic = true;
	in->acpi.pm_base = 0x400;
	in->acpi.acpi_irq = 9;
	in->acpi.uarts = in->uarts;
	in->acpi.uart_count = ARRAY_COUNT(in->uarts);
	in->acpi.with_rtc = in->acpi.with_vmbus = true;
	in->acpi.with_processors = p->table == ACPI_TABLE_COUNT;
	in->acpi.without_sleep_states = p->table == ACPI_DSDT;
	*input = in;
	return true;
}

static bool call_table(const void *input, Arena *arena, size_t *produced, Error *err)
{
	const TableInput *in = input;
	Bytes table;

	if (!acpi_build_table(in->table, &in->acpi, arena, &table, err))
		return false;
	*produced = table.len;
	return true;
}

static bool call_set(const void *input, Arena *arena, size_t *produced, Error *err)
{
	const TableInput *in = input;
	AcpiSet set;

	if (!acpi_build_set(&in->acpi, LINUX_X86_BOOT_PAGES_GPA, arena, &set, err))
		return false;
	*produced = set.tables.len + set.rsdp.len;
	return true;
}

/*
 * UEFI configuration around given tables.
 */

typedef struct UefiInput {
	UefiConfigInputs config;
	PlatformSettings settings;
	TableInput *tables;
	LayoutRecord *ram;
	uint8_t entropy[ENTROPY_SIZE];
} UefiInput;

static bool setup_uefi(const void *parameter, Arena *arena, const void **input, Error *err)
{
	UefiInput *in = NEW(arena, UefiInput, err);
	const void *tables;
	size_t count;

	if (!in || !setup_table(parameter, arena, &tables, err))
		return false;
	in->tables = (TableInput *)(uintptr_t)tables;
	count = in->tables->acpi.ram.count;
	in->ram = arena_array(arena, LayoutRecord, count, err);
	if (!in->ram)
		return false;
	for (size_t i = 0; i < count; i++)
		in->ram[i] = (LayoutRecord){ .kind = LAYOUT_RAM,
			.range = in->tables->acpi.ram.items[i].range };
	in->settings = platform_settings_default();
	in->config = (UefiConfigInputs){
		.arch = GUEST_ARCH_X86_64,
		.settings = &in->settings,
		.entropy = in->entropy,
		.ram = { in->ram, count },
		.low = in->tables->acpi.mmio_low,
		.high = in->tables->acpi.mmio_high,
		.topology = &in->tables->topology,
		.image_size = UEFI_X86_IMAGE_SIZE,
	};
	*input = in;
	return acpi_build_table(ACPI_MADT, &in->tables->acpi, arena, &in->config.madt, err) &&
		acpi_build_table(ACPI_SRAT, &in->tables->acpi, arena, &in->config.srat, err);
}

static bool call_uefi(const void *input, Arena *arena, size_t *produced, Error *err)
{
	const UefiInput *in = input;
	Diagnostics findings;
	Bytes blob;

	if (!diagnostics_init(&findings, 1, arena, err) ||
		!uefi_config_build(&in->config, arena, &blob, &findings, err))
		return false;
	*produced = blob.len;
	return true;
}

/*
 * MTRRs of 100 GiB, its high window in the middle.
 */

typedef struct MtrrInput {
	MtrrPolicy policy;
	MemoryRange ram[3], mmio[2];
	MtrrInputs inputs;
} MtrrInput;

static bool setup_mtrr(const void *parameter, Arena *arena, const void **input, Error *err)
{
	MtrrInput *in = NEW(arena, MtrrInput, err);

	if (!in)
		return false;
	in->policy = ((const Parameter *)parameter)->mtrr;
	in->ram[0] = (MemoryRange){ 0, 0xf8000000 };
	in->ram[1] = (MemoryRange){ FOUR_GIB, 64 * GIB - 512 * MIB };
	in->ram[2] = (MemoryRange){ 64 * GIB, 100 * GIB };
	in->mmio[0] = (MemoryRange){ 0xf8000000, FOUR_GIB };
	in->mmio[1] = (MemoryRange){ 64 * GIB - 512 * MIB, 64 * GIB };
	in->inputs = (MtrrInputs){
		.ram = { in->ram, ARRAY_COUNT(in->ram) },
		.mmio = { in->mmio, ARRAY_COUNT(in->mmio) },
		.low = in->mmio[0],
		.high = in->mmio[1],
		.physical_address_bits = WIDTH,
	};
	*input = in;
	return true;
}

static bool call_mtrr(const void *input, Arena *arena, size_t *produced, Error *err)
{
	const MtrrInput *in = input;
	MtrrSet set;

	if (!mtrr_solve(in->policy, &in->inputs, arena, &set, err))
		return false;
	*produced = set.count * sizeof(MtrrPair);
	return true;
}

/*
 * Whole ways. `prepare` is what the reference's figure is: boot tree to MADT, SRAT, UEFI blob,
 * DSDT and MTRRs. `plan` is what a worker does: the same, and every artifact checked and digested.
 */

typedef struct PrepareInput {
	Fixture fixture;
	FactInputs facts;
	ConfigInputs config;
	PlanInputs plan;
} PrepareInput;

static bool setup_prepare(const void *parameter, Arena *arena, const void **input, Error *err)
{
	const Parameter *p = parameter;
	PrepareInput *in = NEW(arena, PrepareInput, err);

	if (!in || !read_fixture(p->fixture, arena, &in->fixture, err))
		return false;
	in->facts = (FactInputs){
		.arch = in->fixture.arch,
		.boot_tree = in->fixture.boot_tree,
		.physical_address_bits = WIDTH,
		.vps_per_socket = VPS_PER_SOCKET,
		.x2apic = true,
	};
	in->config.settings = platform_settings_default();
	in->plan.request = (PlanRequest){
		.has_mtrr = true,
		.mtrr = MTRR_POLICY_HYPERV,
		.has_acpi = true,
		.acpi = ACPI_PROFILE_REFERENCE,
	};
	*input = in;
	return true;
}

static bool build_tables(const Facts *facts, const Vtl0Layout *layout, Arena *arena,
	const UefiConfigInputs *uefi, size_t *produced, Error *err)
{
	static const AcpiUart uarts[] = {
		{ "UAR1", "COM1", 0, COM1_PORT, COM1_IRQ },
		{ "UAR2", "COM2", 1, COM2_PORT, COM2_IRQ },
	};
	UefiConfigInputs config = *uefi;
	NodeRange *ram = arena_array(arena, NodeRange, layout->vtl0.ram.count, err);
	AcpiInputs acpi = {
		.profile = ACPI_PROFILE_REFERENCE,
		.topology = &facts->topology,
		.mmio_low = facts->mmio.low,
		.mmio_high = facts->mmio.high,
		.with_ioapic = true,
		.pm_base = 0x400,
		.acpi_irq = 9,
		.uarts = uarts,
		.uart_count = ARRAY_COUNT(uarts),
		.with_rtc = true,
		.with_vmbus = true,
	};
	Diagnostics findings;
	Bytes dsdt, blob;

	if (!ram || !diagnostics_init(&findings, 8, arena, err))
		return false;
	for (size_t i = 0; i < layout->vtl0.ram.count; i++)
		ram[i] = (NodeRange){ layout->vtl0.ram.items[i].range,
			layout->vtl0.ram.items[i].vnode };
	acpi.ram = (NodeRangeList){ ram, layout->vtl0.ram.count };
	if (!acpi_build_table(ACPI_MADT, &acpi, arena, &config.madt, err) ||
		!acpi_build_table(ACPI_SRAT, &acpi, arena, &config.srat, err) ||
		!uefi_config_build(&config, arena, &blob, &findings, err) ||
		!acpi_build_table(ACPI_DSDT, &acpi, arena, &dsdt, err))
		return false;
	*produced = config.madt.len + config.srat.len + blob.len + dsdt.len;
	return true;
}

static bool call_prepare(const void *input, Arena *arena, size_t *produced, Error *err)
{
	const PrepareInput *in = input;
	Diagnostics findings;
	Vtl0Layout layout;
	MtrrInputs mtrr;
	MtrrSet set;
	Facts facts;

	if (!diagnostics_init(&findings, 8, arena, err) ||
		!prepare_facts(&in->facts, arena, &facts, &findings, err) ||
		!vtl0_layout_build(&facts.info, &facts.mmio, 0, arena, &layout, err))
		return false;

	const UefiConfigInputs uefi = {
		.arch = GUEST_ARCH_X86_64,
		.settings = &in->config.settings,
		.entropy = in->plan.entropy,
		.ram = layout.vtl0.ram,
		.low = facts.mmio.low,
		.high = facts.mmio.high,
		.topology = &facts.topology,
		.image_size = UEFI_X86_IMAGE_SIZE,
	};
	return build_tables(&facts, &layout, arena, &uefi, produced, err) &&
		mtrr_inputs_from_layout(&layout, &facts.mmio, WIDTH, arena, &mtrr, err) &&
		mtrr_solve(MTRR_POLICY_HYPERV, &mtrr, arena, &set, err);
}

static bool call_plan(const void *input, Arena *arena, size_t *produced, Error *err)
{
	const PrepareInput *in = input;
	Diagnostics findings;
	Prepared prepared;
	Config config;
	Facts facts;

	if (!diagnostics_init(&findings, 8, arena, err) ||
		!prepare_facts(&in->facts, arena, &facts, &findings, err) ||
		!prepare_config(&facts, &in->config, arena, &config, &findings, err) ||
		!prepare_plan(&facts, &config, &in->plan, arena, &prepared, &findings, err))
		return false;
	*produced = 0;
	for (size_t i = 0; i < prepared.plan.artifacts.count; i++)
		*produced += prepared.plan.artifacts.items[i].bytes.len;
	return true;
}

static bool setup_linux(const void *parameter, Arena *arena, const void **input, Error *err)
{
	PrepareInput *in;

	if (!setup_prepare(parameter, arena, input, err))
		return false;
	in = (PrepareInput *)(uintptr_t)*input;
	in->config.settings.firmware = BOOT_LINUX;
	in->config.settings.linux_direct.command_line =
		(Bytes){ (const uint8_t *)"console=ttyS0", strlen("console=ttyS0") };
	in->config.settings.linux_direct.kernel = (Image){
		.place = IMAGE_IN_PLACE, .gpa = LINUX_X86_KERNEL_GPA, .len = 16 * MIB
	};
	in->plan.request.acpi = ACPI_PROFILE_DEFAULT;
	return true;
}

static const Parameter vp1 = { .vps = 1, .nodes = 1, .table = ACPI_MADT };
static const Parameter vp8 = { .vps = 8, .nodes = 1, .table = ACPI_MADT };
static const Parameter vp64 = { .vps = 64, .nodes = 1, .table = ACPI_MADT };
static const Parameter vp2048 = { .vps = 2048, .nodes = 1, .table = ACPI_MADT };
static const Parameter srat = { .vps = 2048, .nodes = 64, .table = ACPI_SRAT };
static const Parameter dsdt = { .vps = 1, .nodes = 1, .table = ACPI_DSDT };
static const Parameter set1 = { .vps = 1, .nodes = 1, .table = ACPI_TABLE_COUNT };
static const Parameter set64 = { .vps = 64, .nodes = 1, .table = ACPI_TABLE_COUNT };
static const Parameter set2048 = { .vps = 2048, .nodes = 1, .table = ACPI_TABLE_COUNT };
static const Parameter tree4 = { .fixture = "x64-uefi-4vp" };
static const Parameter tree8 = { .fixture = "x64-bench-8vp" };
static const Parameter tree64 = { .fixture = "x64-bench-64vp" };
static const Parameter tree2048 = { .fixture = "x64-bench-2048vp" };
static const Parameter hyperv = { .mtrr = MTRR_POLICY_HYPERV };
static const Parameter exact = { .mtrr = MTRR_POLICY_EXACT };

const Bench benches[] = {
	{ "boot_dt_parse/8cpu", setup_tree, call_parse, &tree8 },
	{ "boot_dt_parse/64cpu", setup_tree, call_parse, &tree64 },
	{ "boot_dt_parse/2048cpu", setup_tree, call_parse, &tree2048 },
	{ "mtrr/hyperv", setup_mtrr, call_mtrr, &hyperv },
	{ "mtrr/exact", setup_mtrr, call_mtrr, &exact },
	{ "dsdt/openhcl", setup_table, call_table, &dsdt },
	{ "madt/1vp", setup_table, call_table, &vp1 },
	{ "madt/64vp", setup_table, call_table, &vp64 },
	{ "madt/2048vp", setup_table, call_table, &vp2048 },
	{ "srat/2048vp_64node", setup_table, call_table, &srat },
	{ "acpi/1vp", setup_table, call_set, &set1 },
	{ "acpi/64vp", setup_table, call_set, &set64 },
	{ "acpi/2048vp", setup_table, call_set, &set2048 },
	{ "uefi_blob/8vp", setup_uefi, call_uefi, &vp8 },
	{ "uefi_blob/2048vp", setup_uefi, call_uefi, &vp2048 },
	{ "linux_x86/4vp", setup_linux, call_plan, &tree4 },
	{ "prepare/8vp", setup_prepare, call_prepare, &tree8 },
	{ "prepare/64vp", setup_prepare, call_prepare, &tree64 },
	{ "prepare/2048vp", setup_prepare, call_prepare, &tree2048 },
	{ "plan/8vp", setup_prepare, call_plan, &tree8 },
	{ "plan/64vp", setup_prepare, call_plan, &tree64 },
	{ "plan/2048vp", setup_prepare, call_plan, &tree2048 },
	{ .name = NULL },
};
