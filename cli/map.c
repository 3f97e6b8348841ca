/*
 * pvw map: the guest's memory as a picture.
 */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/view.h"
#include "cli/vm_input.h"
#include "host/memory_map.h"
#include "host/message_json.h"

#define MAX_COLUMNS 400

/* What the terminal has; 80 where there is none. */
static unsigned terminal_width(void)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		return size.ws_col;
	return 0;
}

static bool parse_style(const Invocation *invocation, MapStyle *out, Error *err)
{
	uint64_t width, from, to;
	SvgScale scale;

	if (!vm_input_scale(invocation, &scale, err) ||
		!invocation_number(
			invocation, "width", terminal_width(), MAX_COLUMNS, &width, err) ||
		!invocation_number(invocation, "from", 0, UINT64_MAX, &from, err) ||
		!invocation_number(invocation, "to", 0, UINT64_MAX, &to, err))
		return false;
	if (to && from >= to) {
		error_set(err, PVW_CLI_0001,
			"0x%" PRIx64 ", expected less than --to 0x%" PRIx64, from, to);
		return error_at(err, "--from");
	}
	*out = (MapStyle){
		.width = (unsigned)width,
		.colour = invocation_colour(invocation),
		.scale = scale,
		.verbose = invocation_verbosity(invocation) > 0,
		.from = from,
		.to = to,
	};
	return true;
}

/* A described machine, which has no input and no plan. */
static bool show_vm(
	const Invocation *invocation, const char *path, MapStyle style, View *view, Error *err)
{
	json_t *document;
	uint64_t version;
	LayoutView layout;

	view->arena = arena_new(VM_ARENA_LIMIT);
	if (!view->arena)
		return error_set(err, PVW_MEM_0001, "no memory");
	if (!invocation_number(invocation, "layout-version", 0, UINT32_MAX, &version, err) ||
		!vm_input_load(path, (VmWishes){ .layout_version = (uint32_t)version },
			view->arena, &layout, err))
		return false;
	if (invocation_format(invocation) == OUTPUT_SVG)
		return layout_view_draw(stdout, &layout, style, view->arena, err);
	if (!output_wants_json(invocation))
		return layout_view_map(stdout, &layout, style, view->arena, err);
	return layout_view_json(&layout, /* explain= */ false, view->arena, &document, err) &&
		output_json(invocation, LAYOUT_SCHEMA, document, err);
}

static bool show_input(const Invocation *invocation, MapStyle style, View *view, Error *err)
{
	Pvw__V1__Layout *layout;
	json_t *document;

	if (!view_open(invocation, view, err) || !view_layout(view, &layout, err))
		return false;
	if (invocation_format(invocation) == OUTPUT_SVG)
		return memory_map_draw(
			stdout, view->input.name, layout, style, view->arena, err);
	if (!output_wants_json(invocation))
		return memory_map_print(stdout, layout, style, view->arena, err);
	return message_to_json(&layout->base, view->arena, &document, err) &&
		output_json(invocation, "pvw.map/1", document, err);
}

static bool has_input(const Invocation *invocation)
{
	return invocation_has(invocation, "fixture") || invocation_has(invocation, "dtb") ||
		invocation_has(invocation, "socket");
}

static bool show_map(const Invocation *invocation, View *view, Error *err)
{
	const char *path = invocation_value(invocation, "vm");
	MapStyle style;

	if (!parse_style(invocation, &style, err))
		return false;
	if (path && has_input(invocation))
		return error_set(
			err, PVW_INPUT_0002, "--vm and another input, expected one of them");
	return path ? show_vm(invocation, path, style, view, err)
		    : show_input(invocation, style, view, err);
}

ExitStatus command_map(const Invocation *invocation)
{
	View view = { 0 };
	Error err;
	const bool ok = show_map(invocation, &view, &err);
	ExitStatus status;

	report_diagnostics(invocation, &view.findings);
	status = ok ? STATUS_DONE : report_error(invocation, &err);
	view_close(&view);
	return status;
}
