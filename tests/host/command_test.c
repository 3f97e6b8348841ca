/*
 * Command lines against the tables: what is taken, what is refused and how it is said.
 */
#include "host/command.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/memory_range.h"

#define MAX_WORDS 160

static const char *const colours[] = { "red", "green", NULL };

/* Prints what was given, so that a test can look at one text. */
static ExitStatus run_show(const Invocation *invocation)
{
	const OutputFormat format = invocation_format(invocation);
	uint64_t number;
	size_t choice;
	Error err;

	if (!invocation_number(invocation, "number", 7, 100, &number, &err) ||
		!invocation_choice(invocation, "pick", colours, 1, &choice, &err))
		return report_error(invocation, &err);
	printf("number %llu, pick %zu, flag %d, names %zu", (unsigned long long)number, choice,
		invocation_has(invocation, "flag"), invocation_count(invocation, "name"));
	for (size_t i = 0; i < invocation_count(invocation, "name"); i++)
		printf(" %s", invocation_value_at(invocation, "name", i));
	printf(", operands");
	for (size_t i = 0; i < invocation_operand_count(invocation); i++)
		printf(" %s", invocation_operand(invocation, i));
	printf(", format %d, verbosity %d, colour %d\n", (int)format,
		invocation_verbosity(invocation), invocation_colour(invocation));
	cr_expect_null(invocation_operand(invocation, invocation_operand_count(invocation)));
	cr_expect_null(invocation_value_at(invocation, "name", 1000));
	return STATUS_DONE;
}

static ExitStatus run_fail(const Invocation *invocation)
{
	Error err;

	error_set(&err, PVW_ROLE_0007, "two \"things\"");
	error_at_offset(&err, "dtb:/here", 0x18);
	return report_error(invocation, &err);
}

static ExitStatus run_flood(const Invocation *invocation)
{
	(void)invocation;
	for (int i = 0; i < 100000; i++)
		fputs("0123456789", stdout);
	return STATUS_DONE;
}

static ExitStatus run_find(const Invocation *invocation)
{
	Diagnostic items[3];
	Diagnostics list = { .items = items, .capacity = 3 };

	diagnostics_add(&list, PVW_CHECK_0001, "a", "first");
	diagnostics_add(&list, PVW_CHECK_0002, NULL, "second");
	diagnostics_add(&list, PVW_ROLE_0001, "c", "third");
	diagnostics_add(&list, PVW_ROLE_0001, "d", "fourth");
	report_diagnostics(invocation, &list);
	report_finding(invocation, stdout, &items[0], "a-check");
	return STATUS_DONE;
}

static const OptionRow show_options[] = {
	{ .name = "number", .letter = 'n', .value = "N", .help = "a number" },
	{ .name = "pick", .value = "COLOUR", .help = "a word" },
	{ .name = "flag", .letter = 'f', .help = "a flag" },
	{ .name = "name", .value = "NAME", .repeats = true, .help = "names" },
	{ .name = NULL },
};

static const OptionRow need_options[] = {
	{ .name = "must", .value = "X", .required = true, .help = "needed" },
	{ .name = NULL },
};

static const OptionRow input[] = {
	{ .name = "fixture", .value = "FILE", .help = "what to work on" },
	{ .name = NULL },
};

static const CommandRow commands[] = {
	{ .name = "show",
		.operands = "[A [B]]",
		.operands_max = 2,
		.summary = "show it",
		.description = "Shows what was given.",
		.examples = "  toy show\n  toy show a\n",
		.options = show_options,
		.takes_input = true,
		.run = run_show },
	{ .name = "need",
		.operands = "THING",
		.operands_min = 1,
		.operands_max = 1,
		.summary = "need it",
		.description = "Needs an option and an operand.",
		.examples = "  toy need\n  toy need x\n",
		.options = need_options,
		.run = run_show },
	{ .name = "fail", .operands = "", .summary = "", .examples = "", .run = run_fail },
	{ .name = "flood", .operands = "", .summary = "", .examples = "", .run = run_flood },
	{ .name = "find", .operands = "", .summary = "", .examples = "", .run = run_find },
	{ .name = "help",
		.operands = "[COMMAND]",
		.operands_max = 1,
		.summary = "help",
		.description = "",
		.examples = "",
		.run = command_help },
	{ .name = NULL },
};

static const Program toy = { .name = "toy",
	.summary = "A program for tests.\n",
	.examples = "  toy show\n",
	.commands = commands,
	.input = input };

static char *read_all(FILE *file)
{
	static char text[65536];
	size_t len;

	fflush(stdout);
	fflush(stderr);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = 0;
	return text;
}

/* Words are parted by single blanks. */
static int run(const char *line)
{
	static char copy[4096];
	char *argv[MAX_WORDS + 1], *rest = copy;
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	while (rest && argc < MAX_WORDS)
		argv[argc++] = strsep(&rest, " ");
	argv[argc] = NULL;
	return command_main(&toy, argc, argv);
}

static void expect_output(const char *line, const char *expected)
{
	cr_redirect_stdout();
	cr_expect_eq(run(line), STATUS_DONE, "%s", line);
	cr_expect_str_eq(read_all(cr_get_redirected_stdout()), expected);
}

static void expect_usage(const char *line, const char *word)
{
	char *text;

	cr_redirect_stderr();
	cr_expect_eq(run(line), STATUS_USAGE, "%s", line);
	text = read_all(cr_get_redirected_stderr());
	cr_expect(strstr(text, word), "%s: no '%s' in '%s'", line, word, text);
}

Test(command, gives_defaults_without_options)
{
	expect_output("toy show",
		"number 7, pick 1, flag 0, names 0, operands, format 0, verbosity 0, colour "
		"0\n");
}

Test(command, takes_options_and_operands_in_any_order)
{
	expect_output("toy show a -n 0x10 --name x b --flag --name=y --pick red -vv",
		"number 16, pick 0, flag 1, names 2 x y, operands a b, format 0, verbosity 2, "
		"colour 0\n");
}

Test(command, takes_operands_behind_two_dashes)
{
	expect_output("toy show -f -- a",
		"number 7, pick 1, flag 1, names 0, operands a, format 0, verbosity 0, colour "
		"0\n");
}

Test(command, takes_global_options_before_and_behind_the_command)
{
	expect_output("toy --format json show --color always -q",
		"number 7, pick 1, flag 0, names 0, operands, format 1, verbosity -1, colour "
		"1\n");
}

Test(command, takes_the_largest_number_there_may_be)
{
	expect_output("toy show -n 100",
		"number 100, pick 1, flag 0, names 0, operands, format 0, verbosity 0, colour "
		"0\n");
}

Test(command, refuses_an_unknown_option)
{
	expect_usage("toy show --nope", "unknown option '--nope'");
}

Test(command, refuses_an_unknown_letter)
{
	expect_usage("toy show -x", "unknown option");
}

Test(command, refuses_an_option_of_the_command_before_it)
{
	expect_usage("toy --flag show", "unknown option '--flag'");
}

Test(command, refuses_an_option_without_its_value)
{
	expect_usage("toy show --number", "no value for option '--number'");
}

Test(command, refuses_an_option_given_twice)
{
	expect_usage("toy show -n 1 --number 2", "given twice: 'number'");
}

Test(command, refuses_a_value_for_a_flag)
{
	expect_usage("toy show --flag=yes", "unknown option");
}

Test(command, refuses_more_values_than_it_keeps)
{
	char line[4096] = "toy show";

	for (int i = 0; i < 129; i++)
		strcat(line, " --name=a");
	expect_usage(line, "too many options at 'name'");
}

Test(command, refuses_an_unknown_command)
{
	expect_usage("toy nope", "unknown command 'nope'");
}

Test(command, refuses_no_command_and_says_which_there_are)
{
	expect_usage("toy", "usage: toy");
}

Test(command, refuses_too_many_operands)
{
	expect_usage("toy show a b c", "unexpected argument 'c'");
}

Test(command, refuses_too_few_operands)
{
	expect_usage("toy need --must x", "too few arguments, expected 'THING'");
}

Test(command, refuses_a_missing_option)
{
	expect_usage("toy need thing", "missing option 'must'");
}

Test(command, refuses_a_number_that_is_none)
{
	expect_usage("toy show -n 12a", "--number: error PVW-CLI-0001: '12a'");
}

Test(command, refuses_a_sign_before_a_number)
{
	expect_usage("toy show --number=-1", "expected a number from 0 to 0x64");
}

Test(command, refuses_a_number_above_its_limit)
{
	expect_usage("toy show -n 101", "expected a number from 0 to 0x64");
}

Test(command, refuses_a_number_above_64_bits)
{
	expect_usage("toy show -n 0x10000000000000000", "PVW-CLI-0001");
}

Test(command, refuses_a_word_that_is_no_choice)
{
	expect_usage("toy show --pick blue", "'blue', expected one of red, green");
}

Test(command, refuses_an_unknown_format)
{
	expect_usage("toy show --format xml", "'xml', expected one of text, json, jsonl");
}

Test(command, refuses_an_unknown_colour)
{
	expect_usage("toy show --color sometimes", "expected one of auto, always, never");
}

Test(command, says_which_formats_come_later)
{
	static const char *const lines[] = { "toy show --format dot",
		"toy show --format cbor" };

	cr_redirect_stderr();
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
		cr_expect_eq(run(lines[i]), STATUS_REFUSED, "%s", lines[i]);
	cr_expect_not_null(
		strstr(read_all(cr_get_redirected_stderr()), "PVW-CLI-0004: dot is not made"));
}

Test(command, refuses_pictures_of_what_draws_none)
{
	cr_redirect_stderr();
	cr_expect_eq(run("toy show --format svg"), STATUS_REFUSED);
	cr_expect_not_null(strstr(
		read_all(cr_get_redirected_stderr()), "PVW-CLI-0004: show draws nothing"));
}

Test(command, prints_the_help_of_the_program)
{
	char *text;

	cr_redirect_stdout();
	cr_expect_eq(run("toy --help"), STATUS_DONE);
	text = read_all(cr_get_redirected_stdout());
	cr_expect_not_null(strstr(text, "  show         show it\n"));
	cr_expect_not_null(strstr(text, "Examples:\n  toy show\n"));
}

Test(command, prints_the_help_of_a_command)
{
	char *text;

	cr_redirect_stdout();
	cr_expect_eq(run("toy show a b c d --help"), STATUS_DONE);
	text = read_all(cr_get_redirected_stdout());
	cr_expect_not_null(strstr(text, "usage: toy show INPUT [A [B]] [OPTION]...\n"));
	cr_expect_not_null(strstr(text, "  -n, --number N "));
	cr_expect_not_null(strstr(text, "--name NAME ..."));
	cr_expect_not_null(strstr(text, "INPUT:\n"));
	cr_expect_not_null(strstr(text, "--fixture FILE"));
}

Test(command, has_help_as_a_command)
{
	char *text;

	cr_redirect_stdout();
	cr_redirect_stderr();
	cr_expect_eq(run("toy help"), STATUS_DONE);
	cr_expect_eq(run("toy help need"), STATUS_DONE);
	cr_expect_eq(run("toy help nope"), STATUS_USAGE);
	text = read_all(cr_get_redirected_stdout());
	cr_expect_not_null(strstr(text, "Commands:\n"));
	cr_expect_not_null(strstr(text, "usage: toy need THING [OPTION]...\n"));
	cr_expect_not_null(strstr(
		read_all(cr_get_redirected_stderr()), "toy help: unknown command 'nope'"));
}

Test(command, fails_when_the_output_reaches_nobody)
{
	cr_redirect_stderr();
	cr_assert_not_null(freopen("/dev/full", "w", stdout));
	cr_expect_eq(run("toy flood"), STATUS_MALFORMED);
	cr_expect_not_null(
		strstr(read_all(cr_get_redirected_stderr()), "cannot write the output"));
}

Test(command, reports_an_error_in_the_compilers_manner)
{
	char *text;

	cr_redirect_stderr();
	cr_expect_eq(run("toy fail"), STATUS_REFUSED);
	text = read_all(cr_get_redirected_stderr());
	cr_expect(
		strncmp(text, "dtb:/here+0x18: error PVW-ROLE-0007: two \"things\"\n   hint: ",
			strlen("dtb:/here+0x18: error PVW-ROLE-0007: two \"things\"\n   "
			       "hint: ")) == 0,
		"%s", text);
}

Test(command, leaves_hints_out_when_quiet_and_colours_when_asked)
{
	char *text;

	cr_redirect_stderr();
	cr_expect_eq(run("toy fail -q --color always"), STATUS_REFUSED);
	text = read_all(cr_get_redirected_stderr());
	cr_expect_null(strstr(text, "hint"));
	cr_expect_not_null(strstr(text, "\033[1;31merror\033[0m"));
}

Test(command, reports_findings_and_counts_them)
{
	char *text;

	cr_redirect_stdout();
	cr_redirect_stderr();
	cr_expect_eq(run("toy find"), STATUS_DONE);
	cr_expect_not_null(strstr(read_all(cr_get_redirected_stdout()), "first [a-check]\n"));
	text = read_all(cr_get_redirected_stderr());
	cr_expect_not_null(strstr(text, "a: note PVW-CHECK-0001: first\n"));
	cr_expect_not_null(strstr(text, "toy: warning PVW-CHECK-0002: second\n"));
	cr_expect_not_null(strstr(text, "1 error, 1 warning, more were dropped\n"));
}

Test(command, tells_errors_only_when_quiet)
{
	char *text;

	cr_redirect_stderr();
	cr_redirect_stdout();
	cr_expect_eq(run("toy find -q"), STATUS_DONE);
	text = read_all(cr_get_redirected_stderr());
	cr_expect_null(strstr(text, "first"));
	cr_expect_null(strstr(text, "second"));
	cr_expect_not_null(strstr(text, "error PVW-"));
}

/* One row a status; the numbers are API. */
Test(command, gives_each_kind_of_failure_its_status)
{
	static const struct {
		uint16_t diagnostic;
		int status;
	} rows[] = {
		{ PVW_CLI_0001, 2 },      /* a value of an option */
		{ PVW_CLI_0002, 3 },      /* a file */
		{ PVW_DT_0001, 3 },       /* not a tree */
		{ PVW_FIXTURE_0002, 3 },  /* not a fixture */
		{ PVW_JSON_0001, 3 },     /* not JSON */
		{ PVW_ROLE_0008, 1 },     /* overlap */
		{ PVW_UEFI_0009, 1 },     /* no space */
		{ PVW_BOOT_0001, 1 },     /* unsupported */
		{ PVW_MEM_0001, 1 },      /* limit */
		{ PVW_SESSION_0001, 1 },  /* state */
		{ PVW_SETTINGS_0001, 6 }, /* denied */
		{ PVW_INPUT_0001, 2 },    /* no input */
		{ PVW_INPUT_0002, 2 },    /* too many of them */
		{ PVW_CLIENT_0004, 2 },   /* a misspelt method */
		{ PVW_RPC_0023, 5 },      /* the worker says that it is too late */
		{ PVW_CLIENT_0001, 4 },   /* nobody there */
		{ PVW_CLIENT_0002, 5 },   /* too late */
		{ PVW_MTRR_0005, 7 },     /* our own bug */
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		ExitStatus status;
		Error err;

		error_set(&err, rows[i].diagnostic, "x");
		status = status_of(&err);
		cr_expect_eq((int)status, rows[i].status, "%s: %d, expected %d",
			diagnostic_row(rows[i].diagnostic)->name, (int)status, rows[i].status);
	}
}
