/*
 * pvw map: the guest's memory as a picture.
 */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/view.h"
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

	if (!invocation_number(
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
		.verbose = invocation_verbosity(invocation) > 0,
		.from = from,
		.to = to,
	};
	return true;
}

static bool show_map(const Invocation *invocation, View *view, Error *err)
{
	Pvw__V1__Layout *layout;
	json_t *document;
	MapStyle style;

	if (!parse_style(invocation, &style, err) || !view_open(invocation, view, err) ||
		!view_layout(view, &layout, err))
		return false;
	if (!output_wants_json(invocation))
		return memory_map_print(stdout, layout, style, view->arena, err);
	return message_to_json(&layout->base, view->arena, &document, err) &&
		output_json(invocation, "pvw.layout/1", document, err);
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
