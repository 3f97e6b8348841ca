/*
 * From artifacts, descriptions and files to tables.
 */
#include "cli/acpi_tables.h"

#include <string.h>

#include "acpi/acpi_build.h"
#include "host/file.h"
#include "host/uefi_text.h"
#include "host/vm_machine.h"
#include "layout/fixed_map.h"

static bool has_table(const FoundTables *tables, const AcpiTable *table)
{
	for (size_t i = 0; i < tables->count; i++) {
		const Bytes bytes = tables->items[i].table.bytes;

		if (bytes.len == table->bytes.len &&
			memcmp(bytes.data, table->bytes.data, bytes.len) == 0)
			return true;
	}
	return false;
}

static bool add_one(FoundTables *tables, const char *source, const AcpiTable *table,
	Arena *arena, Error *err)
{
	if (has_table(tables, table))
		return true;
	if (tables->count == tables->capacity) {
		const size_t capacity = tables->capacity ? 2 * tables->capacity : 16;
		FoundTable *items = arena_array(arena, FoundTable, capacity, err);

		if (!items)
			return false;
		if (tables->count)
			memcpy(items, tables->items, tables->count * sizeof(*items));
		tables->items = items;
		tables->capacity = capacity;
	}
	tables->items[tables->count++] = (FoundTable){ *table, source };
	return true;
}

bool acpi_tables_add(FoundTables *tables, const char *source, Bytes bytes, uint64_t gpa,
	Arena *arena, Error *err)
{
	AcpiTableList list;

	if (uefi_text_is(bytes)) {
		Diagnostics ignored;
		UefiText text;

		if (!diagnostics_init(&ignored, 1, arena, err) ||
			!uefi_text(bytes, arena, &text, &ignored, err))
			return false;
		list = text.tables;
	} else if (!acpi_text_split(bytes, gpa, arena, &list, err)) {
		return false;
	}
	for (size_t i = 0; i < list.count; i++) {
		if (!add_one(tables, source, &list.items[i], arena, err))
			return false;
	}
	return true;
}

static bool holds_tables(const char *artifact)
{
	return strncmp(artifact, "acpi.", 5) == 0 || strcmp(artifact, "uefi.config") == 0;
}

static bool add_artifact(
	View *view, const Pvw__V1__Artifact *artifact, FoundTables *out, Error *err)
{
	Bytes bytes;
	bool seen;

	if (!holds_tables(artifact->name))
		return true;
	if (!view_artifact(view, artifact, &bytes, &seen, err)) {
		/* The blob has the guest's entropy in it; its tables are artifacts, too. */
		if (artifact->sensitive && err->code == ERROR_DENIED)
			return true;
		return error_wrap(err, "%.64s", artifact->name);
	}
	return !seen || !bytes.data ||
		acpi_tables_add(out, artifact->name, bytes,
			artifact->placed ? artifact->gpa : 0, view->arena, err);
}

bool acpi_tables_of_plan(const Invocation *invocation, View *view, FoundTables *out, Error *err)
{
	Pvw__V1__PlanResponse *plan;

	if (!view_plan(invocation, view, &plan, err))
		return false;
	for (size_t i = 0; i < plan->n_artifacts; i++) {
		if (!add_artifact(view, plan->artifacts[i], out, err))
			return false;
	}
	return true;
}

/* Where Linux without firmware finds its tables. */
static uint64_t gpa_of_tables(const AcpiInputs *inputs)
{
	if (inputs->topology->arch == GUEST_ARCH_X86_64 || inputs->ram.count == 0)
		return LINUX_X86_BOOT_PAGES_GPA;
	return inputs->ram.items[0].range.start + LINUX_ARM64_ACPI_GPA;
}

static bool build_vm_tables(
	const Vm *vm, size_t profile, Arena *arena, AcpiSet *out, uint64_t *gpa, Error *err)
{
	ProcessorTopology *topology = arena_array(arena, ProcessorTopology, 1, err);
	ResolvedLayout *layout = arena_array(arena, ResolvedLayout, 1, err);
	AcpiInputs inputs;

	if (!topology || !layout || !vm_resolve(vm, arena, layout, err) ||
		!vm_topology(vm, arena, topology, err) ||
		!vm_acpi_inputs(vm, layout, topology, arena, &inputs, err))
		return false;
	inputs.profile = (AcpiProfile)profile;
	*gpa = gpa_of_tables(&inputs);
	return acpi_build_set(&inputs, *gpa, arena, out, err);
}

bool acpi_tables_of_vm(const Invocation *invocation, const char *path, Arena *arena,
	FoundTables *out, Error *err)
{
	static const char *const profiles[] = { "default", "reference", NULL };
	size_t profile;
	uint64_t gpa;
	AcpiSet set;
	Bytes json;
	Vm vm;

	if (!invocation_choice(invocation, "acpi-profile", profiles, 0, &profile, err) ||
		!file_read(path, VM_MAX_DOCUMENT, arena, &json, err) ||
		!vm_read(json, path, arena, &vm, err) ||
		!build_vm_tables(&vm, profile, arena, &set, &gpa, err))
		return false;
	return acpi_tables_add(out, "vm", set.rsdp, 0, arena, err) &&
		acpi_tables_add(out, "vm", set.tables, gpa, arena, err);
}
