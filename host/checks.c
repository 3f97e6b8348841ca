/*
 * The tables of checks, put together, and the checks that look at more than one layer.
 */
#include "host/checks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bootinfo/boot_info_check.h"
#include "bootinfo/boot_info_parse.h"
#include "layout/layout_check.h"
#include "support/byte_reader.h"
#include "vmbus/relay_aperture.h"

#define MAX_STEPS 512 /* findings of reading and preparing */
#define ACPI_HEADER_SIZE 36
#define ACPI_LENGTH_OFFSET 4

/*
 * What the steps said belongs to the check whose diagnostic it is.
 */

typedef struct StepRow {
	const char *name;
	uint16_t diagnostics[6]; /* 0: no more */
} StepRow;

/* The first is the check's own. A diagnostic that no row has belongs to "plan". */
static const StepRow step_rows[] = {
	{ "ram-alignment", { PVW_RANGE_0001, PVW_RANGE_0002 } },
	{ "window-alignment", { PVW_ROLE_0002 } },
	{ "cpu-x2apic", { PVW_TOPOLOGY_0004, PVW_TOPOLOGY_0005 } },
	{ "mtrr-pairs",
		{ PVW_MTRR_0003, PVW_MTRR_0001, PVW_MTRR_0002, PVW_MTRR_0004, PVW_MTRR_0005 } },
	{ "uefi-window", { PVW_UEFI_0005, PVW_UEFI_0012, PVW_UEFI_0013 } },
	{ "uefi-device-page", { PVW_UEFI_0014 } },
	{ "acpi-table-length", { PVW_UEFI_0006 } },
	{ "settings-unknown", { PVW_JSON_0004, PVW_JSON_0005 } },
	{ "settings-unused", { PVW_JSON_0007 } },
	{ "settings-refused", { PVW_SETTINGS_0001 } },
	{ "relay-room", { PVW_VMBUS_0002, PVW_VMBUS_0001 } },
	{ "channel-room", { PVW_VMBUS_0006, PVW_VMBUS_0004, PVW_VMBUS_0005 } },
};

static const StepRow *step_row(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(step_rows); i++) {
		if (strcmp(step_rows[i].name, name) == 0)
			return &step_rows[i];
	}
	return NULL;
}

static bool row_has(const StepRow *row, uint16_t diagnostic)
{
	for (size_t i = 0; i < ARRAY_COUNT(row->diagnostics) && row->diagnostics[i]; i++) {
		if (row->diagnostics[i] == diagnostic)
			return true;
	}
	return false;
}

static void add_finding(Diagnostics *found, const Diagnostic *finding)
{
	diagnostics_add_error(found, &finding->what);
}

/* What the steps said that is of that check's row. */
static void take_steps(const CheckInput *in, const char *name, Diagnostics *found)
{
	const StepRow *row = step_row(name);

	for (size_t i = 0; i < in->steps.count; i++) {
		if (row && row_has(row, in->steps.items[i].what.diagnostic))
			add_finding(found, &in->steps.items[i]);
	}
}

/* Does a check of its own look for this diagnostic? */
static bool is_owned(uint16_t diagnostic)
{
	const BootInfoCheckList boot = boot_info_checks();
	const LayoutCheckList layout = layout_checks();

	for (size_t i = 0; i < boot.count; i++) {
		if (boot.items[i].diagnostic == diagnostic)
			return true;
	}
	for (size_t i = 0; i < layout.count; i++) {
		if (layout.items[i].diagnostic == diagnostic)
			return true;
	}
	for (size_t i = 0; i < ARRAY_COUNT(step_rows); i++) {
		if (row_has(&step_rows[i], diagnostic))
			return true;
	}
	return false;
}

static void check_plan(const CheckInput *in, Arena *arena, Diagnostics *found)
{
	(void)arena;
	for (size_t i = 0; i < in->steps.count; i++) {
		if (!is_owned(in->steps.items[i].what.diagnostic))
			add_finding(found, &in->steps.items[i]);
	}
}

/*
 * Settings.
 */

/* Rows of those policies whose value is not obeyed. */
static void check_policies(const CheckInput *in, bool refused, uint16_t diagnostic,
	Arena *arena, Diagnostics *found)
{
	const SettingRowList rows = settings_policy_rows();

	if (!in->has_info || !isolation_is_isolated(in->info.isolation))
		return;
	for (size_t i = 0; i < rows.count; i++) {
		const SettingRow *row = &rows.items[i];
		char source[ERROR_SOURCE_SIZE];
		const char *value;
		Error err;

		if (!row->is_bad || (row->policy == SETTING_REFUSE) != refused ||
			!row->is_bad(row, &in->config->settings))
			continue;
		value = settings_policy_value(row, &in->config->settings, arena, &err);
		snprintf(source, sizeof(source), "settings.%s", row->path);
		diagnostics_add(found, diagnostic, source, "%s in a guest that is isolated: %s",
			value ? value : "?", row->when_isolated);
	}
}

static void check_refused(const CheckInput *in, Arena *arena, Diagnostics *found)
{
	check_policies(in, /* refused= */ true, PVW_SETTINGS_0001, arena, found);
}

static void check_clamped(const CheckInput *in, Arena *arena, Diagnostics *found)
{
	check_policies(in, /* refused= */ false, PVW_CHECK_0010, arena, found);
}

/*
 * ACPI tables that somebody else made.
 */

static void check_table(Bytes table, const char *source, Diagnostics *found)
{
	ByteReader r = byte_reader_on(table);
	uint32_t length;

	if (table.len < ACPI_HEADER_SIZE) {
		diagnostics_add(found, PVW_UEFI_0006, source,
			"%zu bytes, expected a header of %d", table.len, ACPI_HEADER_SIZE);
		return;
	}
	get_u32(&r);
	length = get_u32(&r);
	if (length < ACPI_HEADER_SIZE || length > table.len)
		diagnostics_add(found, PVW_UEFI_0006, source,
			"length 0x%" PRIx32 ", expected %d to %zu", length, ACPI_HEADER_SIZE,
			table.len);
	else if (length != table.len)
		diagnostics_add(found, PVW_CHECK_0011, source,
			"length 0x%" PRIx32 ", expected 0x%zx as there are bytes", length,
			table.len);
}

static void check_tables(const CheckInput *in, Arena *arena, Diagnostics *found)
{
	const PlatformSettings *settings = &in->config->settings;

	(void)arena;
	if (in->facts->slit.len)
		check_table(in->facts->slit, "slit", found);
	if (in->facts->pptt.len)
		check_table(in->facts->pptt, "pptt", found);
	for (size_t i = 0; i < settings->acpi_table_count; i++) {
		char source[ERROR_SOURCE_SIZE];

		snprintf(source, sizeof(source), "settings.acpi_tables[%zu]", i);
		check_table(settings->acpi_tables[i], source, found);
	}
}

/* After the tables of boot info and layout, in this order. */
static const Check own_checks[] = {
	{ .name = "ram-alignment", .diagnostic = PVW_RANGE_0001 },
	{ .name = "cpu-x2apic", .diagnostic = PVW_TOPOLOGY_0004 },
	{ .name = "relay-room", .diagnostic = PVW_VMBUS_0002 },
	{ .name = "channel-room", .diagnostic = PVW_VMBUS_0006 },
	{ .name = "settings-unknown", .diagnostic = PVW_JSON_0004 },
	{ .name = "settings-unused", .diagnostic = PVW_JSON_0007 },
	{ .name = "settings-refused", .diagnostic = PVW_SETTINGS_0001, .run = check_refused },
	{ .name = "settings-clamped", .diagnostic = PVW_CHECK_0010, .run = check_clamped },
	{ .name = "acpi-table-length", .diagnostic = PVW_CHECK_0011, .run = check_tables },
	{ .name = "mtrr-pairs", .diagnostic = PVW_MTRR_0003 },
	{ .name = "uefi-window", .diagnostic = PVW_UEFI_0012 },
	{ .name = "uefi-device-page", .diagnostic = PVW_UEFI_0014 },
	{ .name = "plan", .diagnostic = PVW_DT_0001, .run = check_plan },
};

void checks_all(CheckList *out)
{
	const BootInfoCheckList boot = boot_info_checks();
	const LayoutCheckList layout = layout_checks();

	out->count = 0;
	for (size_t i = 0; i < boot.count && out->count < CHECKS_MAX; i++)
		out->items[out->count++] = (Check){ .name = boot.items[i].name,
			.diagnostic = boot.items[i].diagnostic,
			.boot_info = i + 1 };
	for (size_t i = 0; i < layout.count && out->count < CHECKS_MAX; i++)
		out->items[out->count++] = (Check){ .name = layout.items[i].name,
			.diagnostic = layout.items[i].diagnostic,
			.is_off = layout.items[i].is_off,
			.layout = i + 1 };
	for (size_t i = 0; i < ARRAY_COUNT(own_checks) && out->count < CHECKS_MAX; i++)
		out->items[out->count++] = own_checks[i];
}

const Check *check_find(const CheckList *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	}
	return NULL;
}

/*
 * How far an input comes.
 */

/* The same failure is met by a step alone and by the whole preparation: keep the first. */
static void add_step(Diagnostics *steps, const Error *err)
{
	for (size_t i = 0; i < steps->count; i++) {
		if (steps->items[i].what.diagnostic == err->diagnostic &&
			steps->items[i].severity == SEVERITY_ERROR)
			return;
	}
	diagnostics_add_error(steps, err);
}

static void try_processors(CheckInput *in, Arena *arena)
{
	const TopologyInputs inputs = {
		.vps_per_socket = in->facts->vps_per_socket,
		.smt = in->facts->smt,
		.x2apic = in->facts->x2apic ? X2APIC_SUPPORTED : X2APIC_UNSUPPORTED,
	};
	ProcessorTopology topology;
	Error err;

	if (!topology_from_boot_info(&in->info, &inputs, arena, &topology, &err))
		add_step(&in->steps, &err);
}

static void try_windows(CheckInput *in, Arena *arena)
{
	ChipsetMmioRanges rest = in->mmio;
	ChannelClaimList claims;
	MemoryRange aperture;
	Error err;

	if (!relay_aperture_take(&in->mmio, in->config->relay_devices, &rest, &aperture, &err))
		add_step(&in->steps, &err);
	if (!channel_claims_place(
		    in->facts->arch, &rest, in->config->channels, arena, &claims, &err))
		add_step(&in->steps, &err);
}

/* The whole way, for everything that only the whole way meets. */
static void try_everything(CheckInput *in, Arena *arena)
{
	Prepared prepared;
	Facts *facts;
	Config *config;
	Error err;

	facts = arena_array(arena, Facts, 1, &err);
	config = facts ? arena_array(arena, Config, 1, &err) : NULL;
	if (!config || !prepare_facts(in->facts, arena, facts, &in->steps, &err) ||
		!prepare_config(facts, in->config, arena, config, &in->steps, &err) ||
		!prepare_plan(facts, config, in->plan, arena, &prepared, &in->steps, &err))
		add_step(&in->steps, &err);
}

bool check_input_make(const FactInputs *facts, const ConfigInputs *config,
	const PlanInputs *plan, const Diagnostics *findings, Arena *arena, CheckInput *out,
	Error *err)
{
	CheckInput in = { .facts = facts, .config = config, .plan = plan };
	Error why;

	if (!diagnostics_init(&in.steps, MAX_STEPS, arena, err))
		return false;
	for (size_t i = 0; i < findings->count; i++)
		add_finding(&in.steps, &findings->items[i]);
	in.has_info = boot_info_parse(facts->arch, facts->boot_tree, arena, &in.info, &why);
	if (in.has_info) {
		in.has_mmio =
			chipset_mmio_resolve(in.info.mmio, in.info.map, arena, &in.mmio, &why);
		try_processors(&in, arena);
		if (in.has_mmio)
			try_windows(&in, arena);
	}
	try_everything(&in, arena);
	*out = in;
	return true;
}

void check_run(const Check *check, const CheckInput *in, Arena *arena, Diagnostics *found)
{
	Error err;

	if (check->run) {
		check->run(in, arena, found);
		return;
	}
	/* A tree that cannot be parsed has one fault that hides all others. */
	if (!in->has_info || !(check->boot_info || check->layout)) {
		take_steps(in, check->name, found);
		return;
	}
	if (check->boot_info) {
		if (!boot_info_checks().items[check->boot_info - 1].check(
			    &in->info, arena, &err))
			diagnostics_add_error(found, &err);
		return;
	}

	const LayoutCheckInput layout = {
		.info = &in->info,
		.mmio = in->has_mmio ? &in->mmio : NULL,
		.physical_address_bits = in->facts->physical_address_bits,
	};

	layout_checks().items[check->layout - 1].check(&layout, arena, found);
}
