/*
 * pvw check: everything that is wrong with an input, and what deserves a look, in one run.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/view.h"
#include "host/checks.h"

#define SCHEMA "pvw.check/1"

/* What -W and -E make of a check. */
typedef struct Wish {
	bool on;
	bool is_error;
} Wish;

typedef struct Run {
	const Invocation *invocation;
	CheckList checks;
	Wish wishes[CHECKS_MAX]; /* of checks.items[i] */
	size_t counts[SEVERITY_COUNT];
	json_t *findings; /* NULL: text */
} Run;

static Wish *find_wish(Run *run, const char *name, Error *err)
{
	const Check *check = check_find(&run->checks, name);

	if (check)
		return &run->wishes[check - run->checks.items];
	error_set(err, PVW_CLI_0006, "'%.64s', expected one of pvw check --list", name);
	return NULL;
}

/* The later of two that contradict each other wins; -E wins over -W. */
static bool take_wishes(Run *run, Error *err)
{
	const Invocation *invocation = run->invocation;

	for (size_t i = 0; i < run->checks.count; i++)
		run->wishes[i] = (Wish){ .on = !run->checks.items[i].is_off };
	for (size_t i = 0; i < invocation_count(invocation, "warn"); i++) {
		const char *name = invocation_value_at(invocation, "warn", i);
		const bool off = strncmp(name, "no-", 3) == 0;
		Wish *wish = find_wish(run, off ? name + 3 : name, err);

		if (!wish)
			return false;
		wish->on = !off;
	}
	for (size_t i = 0; i < invocation_count(invocation, "error"); i++) {
		Wish *wish = find_wish(run, invocation_value_at(invocation, "error", i), err);

		if (!wish)
			return false;
		*wish = (Wish){ .on = true, .is_error = true };
	}
	return true;
}

static ExitStatus list_checks(Run *run)
{
	const bool json = output_wants_json(run->invocation);
	json_t *list = json_array();
	Error err;

	for (size_t i = 0; i < run->checks.count; i++) {
		const Check *check = &run->checks.items[i];
		const DiagnosticRow *row = diagnostic_row(check->diagnostic);
		const bool is_plan = strcmp(check->name, "plan") == 0;
		const char *title =
			is_plan ? "whatever else keeps it from being planned" : row->title;

		if (json)
			json_array_append_new(list,
				json_pack("{s:s, s:s?, s:s, s:b, s:s}", "check", check->name,
					"diagnostic", is_plan ? NULL : row->name, "severity",
					severity_name(row->severity), "on", !check->is_off,
					"title", title));
		else
			printf("%-18s %-7s %s%s\n", check->name, severity_name(row->severity),
				title, check->is_off ? " (off)" : "");
	}
	if (!json) {
		json_decref(list);
		return STATUS_DONE;
	}
	return output_json(run->invocation, "pvw.checks/1", json_pack("{s:o}", "checks", list),
		       &err)
		? STATUS_DONE
		: report_error(run->invocation, &err);
}

static void add_to_json(Run *run, const char *check, const Diagnostic *finding)
{
	const DiagnosticRow *row = diagnostic_row(finding->what.diagnostic);
	json_t *item = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "check", check, "severity",
		severity_name(finding->severity), "code", row->name, "text", finding->what.text,
		"source", finding->what.source, "hint", row->hint);
	char offset[24];

	if (finding->what.has_offset) {
		snprintf(offset, sizeof(offset), "0x%" PRIx64, finding->what.offset);
		json_object_set_new(item, "offset", json_string(offset));
	}
	json_array_append_new(run->findings, item);
}

static void show_finding(Run *run, const char *check, Diagnostic *finding, bool is_error)
{
	if (is_error)
		finding->severity = SEVERITY_ERROR;
	run->counts[finding->severity]++;
	if (run->findings)
		add_to_json(run, check, finding);
	else if (finding->severity != SEVERITY_NOTE ||
		invocation_verbosity(run->invocation) >= 0)
		report_finding(run->invocation, stdout, finding, check);
}

static bool run_checks(Run *run, const CheckInput *in, Arena *arena, Error *err)
{
	for (size_t i = 0; i < run->checks.count; i++) {
		const Check *check = &run->checks.items[i];
		Diagnostics found;
		Diagnostic rest;

		if (!run->wishes[i].on)
			continue;
		if (!diagnostics_init(&found, CHECK_MAX_FINDINGS, arena, err))
			return false;
		check_run(check, in, arena, &found);
		for (size_t k = 0; k < found.count; k++)
			show_finding(
				run, check->name, &found.items[k], run->wishes[i].is_error);
		if (diagnostics_dropped(&found, &rest))
			show_finding(run, check->name, &rest, run->wishes[i].is_error);
	}
	return true;
}

static bool print_counts(Run *run, Error *err)
{
	const size_t errors = run->counts[SEVERITY_ERROR],
		     warnings = run->counts[SEVERITY_WARNING],
		     notes = run->counts[SEVERITY_NOTE];
	json_t *document;

	if (!run->findings) {
		printf("%zu error%s, %zu warning%s, %zu note%s\n", errors,
			errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s", notes,
			notes == 1 ? "" : "s");
		return true;
	}
	document = json_pack("{s:O, s:I, s:I, s:I}", "findings", run->findings, "errors",
		(json_int_t)errors, "warnings", (json_int_t)warnings, "notes",
		(json_int_t)notes);
	return output_json(run->invocation, SCHEMA, document, err);
}

static bool check_view(Run *run, View *view, Error *err)
{
	CheckInput in;

	if (!view_open(run->invocation, view, err))
		return false;
	if (view->client)
		return error_set(err, PVW_INPUT_0003,
			"a worker has judged its input; expected --fixture or --dtb");
	return check_input_make(&view->input.facts, &view->input.config, &view->input.plan,
		       &view->findings, view->arena, &in, err) &&
		run_checks(run, &in, view->arena, err) && print_counts(run, err);
}

static ExitStatus verdict(const Run *run)
{
	const bool strict = invocation_has(run->invocation, "exit-code-warnings");

	return run->counts[SEVERITY_ERROR] || (strict && run->counts[SEVERITY_WARNING])
		? STATUS_REFUSED
		: STATUS_DONE;
}

ExitStatus command_check(const Invocation *invocation)
{
	Run run = { .invocation = invocation };
	View view = { 0 };
	ExitStatus status;
	Error err;

	checks_all(&run.checks);
	if (invocation_has(invocation, "list"))
		return list_checks(&run);
	run.findings = output_wants_json(invocation) ? json_array() : NULL;
	if (take_wishes(&run, &err) && check_view(&run, &view, &err))
		status = verdict(&run);
	else
		status = report_error(invocation, &err);
	json_decref(run.findings);
	view_close(&view);
	return status;
}
