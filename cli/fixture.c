/*
 * `pvw fixture`: recorded boot info and what is expected of it.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/fixture_fields.h"
#include "cli/fixture_record.h"
#include "cli/output.h"
#include "host/file.h"

/* One run of an action. */
typedef struct Run {
	const Invocation *invocation;
	Arena *arena;
	json_t *report; /* what JSON output will hold; NULL for text */
} Run;

typedef ExitStatus Action(Run *run);

typedef struct ActionRow {
	const char *name;
	size_t files_min, files_max;
	Action *run;
} ActionRow;

/* The more telling of two statuses: a failure over a difference over success. */
static ExitStatus worse(ExitStatus a, ExitStatus b)
{
	if (a == STATUS_DONE || b == STATUS_DONE)
		return a == STATUS_DONE ? b : a;
	return a == STATUS_DIFFERENT ? b : a;
}

static ExitStatus write_report(Run *run, const char *schema, ExitStatus status)
{
	json_t *report = run->report;
	Error err;

	run->report = NULL;
	if (!output_wants_json(run->invocation)) {
		json_decref(report);
		return status;
	}
	if (!output_json(run->invocation, schema, report, &err))
		return report_error(run->invocation, &err);
	return status;
}

/*
 * Differences.
 */

static void print_difference(const char *prefix, const FixtureDifference *difference)
{
	printf("%s%s: ", prefix, difference->path);
	if (!difference->before)
		printf("absent -> %s\n", difference->after);
	else
		printf("%s -> %s\n", difference->before,
			difference->after ? difference->after : "absent");
}

static json_t *differences_json(const FixtureDifferenceList *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++) {
		const FixtureDifference *item = &list->items[i];

		json_array_append_new(array,
			json_pack("{s:s, s:s?, s:s?}", "field", item->path, "before",
				item->before, "after", item->after));
	}
	return array;
}

static void tell_differences(
	Run *run, const char *file, const FixtureDifferenceList *list, const char *equal)
{
	json_t *files;

	if (!output_wants_json(run->invocation)) {
		if (list->count == 0)
			printf("%s: %s\n", file, equal);
		for (size_t i = 0; i < list->count; i++) {
			if (i == 0)
				printf("%s: %zu difference%s\n", file, list->count,
					list->count == 1 ? "" : "s");
			print_difference("  ", &list->items[i]);
		}
		return;
	}
	files = json_object_get(run->report, "files");
	if (!files) {
		files = json_array();
		json_object_set_new(run->report, "files", files);
	}
	json_array_append_new(files,
		json_pack("{s:s, s:b, s:o}", "file", file, "equal", list->count == 0,
			"differences", differences_json(list)));
}

/*
 * record
 */

static bool load_recording(const Invocation *invocation, FixtureRecording *out, Error *err)
{
	*out = (FixtureRecording){
		.keep_identifiers = invocation_has(invocation, "keep-identifiers"),
		.has_time = invocation_has(invocation, "time"),
		.note = invocation_value(invocation, "note"),
	};
	return invocation_number(invocation, "time", 0, UINT64_MAX, &out->unix_time, err);
}

static bool write_fixture(const char *path, const Fixture *fixture, Arena *arena, Error *err)
{
	Bytes bytes;

	return fixture_write(fixture, arena, &bytes, err) && file_write(path, bytes, err);
}

/* The outcome is the one that was meant: a refusal is recorded only on request. */
static bool is_meant(
	const Invocation *invocation, const Fixture *fixture, const Error *refusal, Error *err)
{
	if (fixture->expect.ok != invocation_has(invocation, "refuse"))
		return true;
	if (!fixture->expect.ok) {
		*err = *refusal;
		return false;
	}
	return error_set(err, PVW_FIXTURE_0006, "a plan, expected a refusal with --refuse");
}

static ExitStatus record(Run *run)
{
	const char *path = invocation_value(run->invocation, "output");
	FixtureRecording how;
	Diagnostics findings;
	Error err, refusal;
	Fixture fixture;
	Input input;

	if (!path) {
		error_set(&err, PVW_CLI_0001, "nothing, expected --output FILE");
		error_at(&err, "--output");
		return report_error(run->invocation, &err);
	}
	if (!diagnostics_init(&findings, INPUT_MAX_FINDINGS, run->arena, &err) ||
		!load_recording(run->invocation, &how, &err) ||
		!input_load(run->invocation, run->arena, &input, &findings, &err))
		return report_error(run->invocation, &err);
	report_diagnostics(run->invocation, &findings);
	if (input.kind == INPUT_SOCKET) {
		error_set(&err, PVW_INPUT_0003, "a worker, expected --dtb or --fixture");
		return report_error(run->invocation, &err);
	}
	if (!fixture_record(&input, &how, run->arena, &fixture, &refusal, &err) ||
		!is_meant(run->invocation, &fixture, &refusal, &err) ||
		!write_fixture(path, &fixture, run->arena, &err))
		return report_error(run->invocation, &err);
	if (invocation_verbosity(run->invocation) >= 0)
		fprintf(stderr, "%s: recorded%s%s\n", path,
			fixture.expect.ok ? "" : " as refused with ",
			fixture.expect.ok ? "" : fixture.expect.diagnostic);
	return STATUS_DONE;
}

/*
 * verify, rebase
 */

typedef struct Verdict {
	Input input;
	FixtureExpect found;
	Error refusal; /* if found is one */
	FixtureDifferenceList differences;
} Verdict;

static bool judge(const char *path, Arena *arena, Verdict *out, Error *err)
{
	FixtureFieldList before, after;
	const FixtureExpect *expect = &out->input.fixture.expect;

	return input_read_fixture(path, arena, &out->input, err) &&
		fixture_observe(&out->input, &expect->allowed, arena, &out->found,
			&out->refusal, err) &&
		fixture_expect_fields(expect, arena, &before, err) &&
		fixture_expect_fields(&out->found, arena, &after, err) &&
		fixture_compare(before, after, arena, &out->differences, err);
}

/* Fields that a fixture does not have are not judged: they are optional. */
static void drop_unstated(Verdict *verdict, Arena *arena)
{
	const FixtureExpect *expect = &verdict->input.fixture.expect;
	FixtureDifference *kept;
	size_t count = 0;
	Error err;

	if (!expect->ok || !verdict->found.ok)
		return;
	kept = arena_array(arena, FixtureDifference, verdict->differences.count, &err);
	for (size_t i = 0; kept && i < verdict->differences.count; i++) {
		const FixtureDifference *item = &verdict->differences.items[i];
		const bool unstated =
			(!expect->artifacts.items &&
				strncmp(item->path, "expect.artifacts.", 17) == 0) ||
			(!expect->ranges.items &&
				strncmp(item->path, "expect.ranges.", 14) == 0);

		if (!unstated)
			kept[count++] = *item;
	}
	if (kept)
		verdict->differences = (FixtureDifferenceList){ kept, count };
}

static ExitStatus verify_file(Run *run, const char *path)
{
	Verdict verdict;
	Error err;

	if (!judge(path, run->arena, &verdict, &err))
		return report_error(run->invocation, &err);
	drop_unstated(&verdict, run->arena);
	if (!verdict.found.ok && verdict.differences.count)
		(void)report_error(run->invocation, &verdict.refusal);
	tell_differences(run, path, &verdict.differences,
		verdict.found.ok ? "verified" : "refused as expected");
	/* -v: the place, what was found and what was expected */
	if (!verdict.found.ok && !verdict.differences.count &&
		invocation_verbosity(run->invocation) > 0)
		(void)report_error(run->invocation, &verdict.refusal);
	return verdict.differences.count ? STATUS_DIFFERENT : STATUS_DONE;
}

static ExitStatus rebase_file(Run *run, const char *path)
{
	Verdict verdict;
	Fixture fixture;
	Error err;

	if (!judge(path, run->arena, &verdict, &err))
		return report_error(run->invocation, &err);
	tell_differences(run, path, &verdict.differences, "unchanged");
	if (verdict.differences.count == 0)
		return STATUS_DONE;
	fixture = verdict.input.fixture;
	fixture.expect = verdict.found;
	if (!write_fixture(path, &fixture, run->arena, &err))
		return report_error(run->invocation, &err);
	return STATUS_DONE;
}

/* Each file with an arena that was reset: many files need no more memory than one. */
static ExitStatus for_each_file(
	Run *run, ExitStatus (*one)(Run *run, const char *path), const char *schema)
{
	const size_t count = invocation_operand_count(run->invocation);
	ExitStatus status = STATUS_DONE;

	for (size_t i = 1; i < count; i++) {
		status = worse(status, one(run, invocation_operand(run->invocation, i)));
		arena_reset(run->arena);
	}
	return write_report(run, schema, status);
}

static ExitStatus verify(Run *run)
{
	return for_each_file(run, verify_file, "pvw.fixture-verify/1");
}

static ExitStatus rebase(Run *run)
{
	return for_each_file(run, rebase_file, "pvw.fixture-rebase/1");
}

/*
 * show, diff
 */

static bool read_fields(const char *path, Arena *arena, FixtureFieldList *out, Error *err)
{
	Input input;

	return input_read_fixture(path, arena, &input, err) &&
		fixture_fields(&input.fixture, arena, out, err);
}

static ExitStatus show_file(Run *run, const char *path)
{
	FixtureFieldList fields;
	json_t *members;
	Error err;

	if (!read_fields(path, run->arena, &fields, &err))
		return report_error(run->invocation, &err);
	if (!output_wants_json(run->invocation)) {
		for (size_t i = 0; i < fields.count; i++)
			printf("%s: %s\n", fields.items[i].path, fields.items[i].value);
		return STATUS_DONE;
	}
	members = json_object();
	for (size_t i = 0; i < fields.count; i++)
		json_object_set_new(
			members, fields.items[i].path, json_string(fields.items[i].value));
	json_object_set_new(run->report, "fields", members);
	return STATUS_DONE;
}

static ExitStatus show(Run *run)
{
	return for_each_file(run, show_file, "pvw.fixture/1");
}

static ExitStatus diff(Run *run)
{
	const char *before_path = invocation_operand(run->invocation, 1);
	const char *after_path = invocation_operand(run->invocation, 2);
	FixtureDifferenceList differences;
	FixtureFieldList before, after;
	Error err;

	if (!read_fields(before_path, run->arena, &before, &err) ||
		!read_fields(after_path, run->arena, &after, &err) ||
		!fixture_compare(before, after, run->arena, &differences, &err))
		return report_error(run->invocation, &err);
	tell_differences(run, after_path, &differences, "no difference");
	return write_report(
		run, "pvw.fixture-diff/1", differences.count ? STATUS_DIFFERENT : STATUS_DONE);
}

static const ActionRow actions[] = {
	{ "record", 0, 0, record },
	{ "verify", 1, SIZE_MAX, verify },
	{ "rebase", 1, SIZE_MAX, rebase },
	{ "show", 1, 1, show },
	{ "diff", 2, 2, diff },
};

static const ActionRow *find_action(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(actions); i++) {
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	}
	return NULL;
}

ExitStatus command_fixture(const Invocation *invocation)
{
	const char *name = invocation_operand(invocation, 0);
	const ActionRow *action = find_action(name);
	const size_t files = invocation_operand_count(invocation) - 1;
	Run run = { .invocation = invocation };
	ExitStatus status;

	if (!action || files < action->files_min || files > action->files_max) {
		fprintf(stderr, "pvw fixture: %s '%s' (try pvw fixture --help)\n",
			action ? "wrong number of files for" : "unknown action", name);
		return STATUS_USAGE;
	}
	run.arena = arena_new(INPUT_ARENA_LIMIT);
	run.report = json_object();
	if (!run.arena || !run.report) {
		fputs("pvw fixture: out of memory\n", stderr);
		status = STATUS_INTERNAL;
	} else {
		status = action->run(&run);
	}
	json_decref(run.report);
	arena_free(run.arena);
	return status;
}
