/*
 * Failures and findings for people, in the manner of compilers.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/command.h"

/* What kind of exit an error class is. Malformed input and refused requests share classes. */
static const ExitStatus code_status[ERROR_CODE_COUNT] = {
	[ERROR_NONE] = STATUS_INTERNAL,
	[ERROR_TRUNCATED] = STATUS_MALFORMED,
	[ERROR_MISSING] = STATUS_REFUSED,
	[ERROR_BAD_VALUE] = STATUS_REFUSED,
	[ERROR_OVERLAP] = STATUS_REFUSED,
	[ERROR_NO_SPACE] = STATUS_REFUSED,
	[ERROR_LIMIT] = STATUS_REFUSED,
	[ERROR_UNSUPPORTED] = STATUS_REFUSED,
	[ERROR_STATE] = STATUS_REFUSED,
	[ERROR_DENIED] = STATUS_DENIED,
	[ERROR_IO] = STATUS_MALFORMED,
	[ERROR_INTERNAL] = STATUS_INTERNAL,
};

/* What says more than its class. */
static const struct {
	uint16_t diagnostic;
	ExitStatus status;
} own_status[] = {
	{ PVW_CLI_0001, STATUS_USAGE },
	{ PVW_CLI_0005, STATUS_USAGE },
	{ PVW_CLI_0006, STATUS_USAGE },
	{ PVW_CLIENT_0001, STATUS_UNREACHABLE },
	{ PVW_CLIENT_0002, STATUS_DEADLINE },
	{ PVW_CLIENT_0004, STATUS_USAGE },
	{ PVW_INPUT_0001, STATUS_USAGE },
	{ PVW_INPUT_0002, STATUS_USAGE },
	{ PVW_INPUT_0004, STATUS_USAGE },
	{ PVW_AGENT_0007, STATUS_MALFORMED },
	{ PVW_AGENT_0008, STATUS_USAGE },
	{ PVW_RPC_0023, STATUS_DEADLINE },
	{ PVW_RPC_0026, STATUS_UNREACHABLE },
	{ PVW_RPC_0028, STATUS_UNREACHABLE },
};

/* Areas whose diagnostics say that the input itself cannot be read. */
static const char *const input_areas[] = { "PVW-DT-", "PVW-HOST-", "PVW-FIXTURE-", "PVW-JSON-",
	"PVW-VM-" };

ExitStatus status_of(const Error *err)
{
	const char *name = diagnostic_row(err->diagnostic)->name;

	for (size_t i = 0; i < ARRAY_COUNT(own_status); i++) {
		if (own_status[i].diagnostic == err->diagnostic)
			return own_status[i].status;
	}
	for (size_t i = 0; i < ARRAY_COUNT(input_areas); i++) {
		if (strncmp(name, input_areas[i], strlen(input_areas[i])) == 0)
			return STATUS_MALFORMED;
	}
	return code_status[err->code];
}

static const char *colour_of(Severity severity)
{
	switch (severity) {
	case SEVERITY_ERROR:
		return "\033[1;31m";
	case SEVERITY_WARNING:
		return "\033[1;35m";
	case SEVERITY_NOTE:
	case SEVERITY_COUNT:
		break;
	}
	return "\033[1;36m";
}

static void print_finding(const Invocation *invocation, FILE *out, Severity severity,
	const Error *what, const char *check)
{
	const DiagnosticRow *row = diagnostic_row(what->diagnostic);
	const bool colour = invocation_colour(invocation);

	fprintf(out, "%s",
		what->source[0] ? what->source : invocation_program(invocation)->name);
	if (what->has_offset)
		fprintf(out, "+0x%" PRIx64, what->offset);
	fprintf(out, ": %s%s%s %s: %s", colour ? colour_of(severity) : "",
		severity_name(severity), colour ? "\033[0m" : "", row->name, what->text);
	if (check)
		fprintf(out, " [%s]", check);
	fputc('\n', out);
	if (row->hint && row->hint[0] && invocation_verbosity(invocation) >= 0)
		fprintf(out, "   hint: %s (pvw explain %s)\n", row->hint, row->name);
}

ExitStatus report_error(const Invocation *invocation, const Error *err)
{
	print_finding(invocation, stderr, SEVERITY_ERROR, err, /* check= */ NULL);
	return status_of(err);
}

void report_finding(
	const Invocation *invocation, FILE *out, const Diagnostic *finding, const char *check)
{
	print_finding(invocation, out, finding->severity, &finding->what, check);
}

void report_diagnostics(const Invocation *invocation, const Diagnostics *list)
{
	size_t counts[SEVERITY_COUNT] = { 0 };

	for (size_t i = 0; i < list->count; i++) {
		const Diagnostic *finding = &list->items[i];

		counts[finding->severity]++;
		if (finding->severity == SEVERITY_ERROR ||
			invocation_verbosity(invocation) >= 0)
			report_finding(invocation, stderr, finding, /* check= */ NULL);
	}
	if ((list->count || list->dropped) &&
		(counts[SEVERITY_ERROR] || invocation_verbosity(invocation) >= 0))
		fprintf(stderr, "%zu error%s, %zu warning%s%s\n", counts[SEVERITY_ERROR],
			counts[SEVERITY_ERROR] == 1 ? "" : "s", counts[SEVERITY_WARNING],
			counts[SEVERITY_WARNING] == 1 ? "" : "s",
			list->dropped ? ", more were dropped" : "");
}
