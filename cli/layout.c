/*
 * pvw layout: where everything of a described machine is, and why.
 */
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/vm_input.h"
#include "host/vm_template.h"

#define MAX_FINDINGS 64 /* that are shown; the rest is counted */

static ExitStatus print_template(const Invocation *invocation)
{
	static const char *const names[] = { "x86_64", "aarch64", NULL };
	static_assert(ARRAY_COUNT(names) == GUEST_ARCH_COUNT + 1, "a name for each");
	size_t arch;
	Error err;

	if (!invocation_choice(invocation, "arch", names, GUEST_ARCH_X86_64, &arch, &err))
		return report_error(invocation, &err);
	vm_template_print(stdout, (GuestArch)arch);
	return STATUS_DONE;
}

static bool print_layout(
	const Invocation *invocation, const LayoutView *view, Arena *arena, Error *err)
{
	const bool explain = invocation_has(invocation, "explain");
	MapStyle style = { 0 };
	json_t *document;

	if (!vm_input_scale(invocation, &style.scale, err))
		return false;
	if (invocation_format(invocation) == OUTPUT_SVG)
		return layout_view_draw(stdout, view, style, arena, err);
	if (!output_wants_json(invocation))
		return layout_view_print(stdout, view, explain, arena, err);
	return layout_view_json(view, explain, arena, &document, err) &&
		output_json(invocation, LAYOUT_SCHEMA, document, err);
}

/* The first difference is the failure. */
static bool compare(const LayoutView *view, const char *path, Arena *arena, Error *err)
{
	KeptLayout kept, now;

	if (!vm_input_kept(path, arena, &kept, err) ||
		!layout_keep(view->layout, arena, &now, err))
		return false;
	return layout_compare(&kept, &now, err) || error_at(err, path);
}

/* What nobody may have meant, behind the layout. */
static bool warn(const Invocation *invocation, const LayoutView *view, Arena *arena, Error *err)
{
	Diagnostics findings;

	if (!diagnostics_init(&findings, MAX_FINDINGS, arena, err))
		return false;
	layout_warn(&view->vm->layout, view->layout, &findings);
	report_diagnostics(invocation, &findings);
	return true;
}

static bool read_wishes(const Invocation *invocation, VmWishes *out, Error *err)
{
	uint64_t version, bits;

	if (!invocation_number(invocation, "layout-version", 0, UINT32_MAX, &version, err) ||
		!invocation_number(invocation, "width", 0, LAYOUT_MAX_ADDRESS_BITS, &bits, err))
		return false;
	*out = (VmWishes){
		.layout_version = (uint32_t)version,
		.address_bits = (uint8_t)bits,
		.pin = invocation_value(invocation, "pin"),
	};
	return true;
}

static bool run(const Invocation *invocation, const char *path, Arena *arena, Error *err)
{
	const char *against = invocation_value(invocation, "against");
	LayoutView view;
	VmWishes wishes;

	if (!read_wishes(invocation, &wishes, err))
		return false;
	if (against && wishes.pin)
		return error_set(
			err, PVW_INPUT_0002, "--against and --pin, expected one of them");
	return vm_input_load(path, wishes, arena, &view, err) &&
		(!against || compare(&view, against, arena, err)) &&
		print_layout(invocation, &view, arena, err) &&
		warn(invocation, &view, arena, err);
}

/* The one document that was named, as an operand or with --vm. */
static const char *path_of(const Invocation *invocation, Error *err)
{
	const char *operand = invocation_operand(invocation, 0);
	const char *option = invocation_value(invocation, "vm");

	if (!operand == !option) {
		error_set(err, PVW_INPUT_0002,
			"%s description of a machine, expected one: pvw layout VM.json",
			operand ? "a second" : "no");
		return NULL;
	}
	return operand ? operand : option;
}

ExitStatus command_layout(const Invocation *invocation)
{
	ExitStatus status = STATUS_DONE;
	const char *path;
	Arena *arena;
	Error err;

	if (invocation_has(invocation, "template"))
		return print_template(invocation);
	path = path_of(invocation, &err);
	if (!path)
		return report_error(invocation, &err);
	arena = arena_new(VM_ARENA_LIMIT);
	if (!arena) {
		error_set(&err, PVW_MEM_0001, "no memory");
		return report_error(invocation, &err);
	}
	if (!run(invocation, path, arena, &err))
		status = report_error(invocation, &err);
	arena_free(arena);
	return status;
}
