/*
 * Parsing a command line against the tables of commands and options, and telling what is wrong.
 */
#include "host/command.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_OPTIONS 64 /* rows that one command understands, all groups together */
#define MAX_VALUES 128 /* option values on one command line */

/* getopt's values: above all characters, so that letters keep their own. */
#define FIRST_LONG 0x100

typedef struct GivenValue {
	const OptionRow *row;
	const char *value; /* NULL for a flag */
} GivenValue;

struct Invocation {
	const Program *program;
	const CommandRow *command;
	GivenValue values[MAX_VALUES];
	size_t value_count;
	const char *const *operands;
	size_t operand_count;
	OutputFormat format;
	int verbosity;
	bool colour;
};

static const OptionRow global_options[] = {
	{ .name = "format",
		.value = "FORMAT",
		.help = "text (default), json, jsonl; svg for pictures" },
	{ .name = "color", .value = "WHEN", .help = "auto (default), always or never" },
	{ .name = "quiet", .letter = 'q', .help = "errors only" },
	{ .name = "verbose",
		.letter = 'v',
		.repeats = true,
		.help = "say more; may be repeated" },
	{ .name = "help", .letter = 'h', .help = "this text" },
	{ .name = NULL },
};

static const char *const format_names[] = { "text", "json", "jsonl", "svg", NULL };
static_assert(ARRAY_COUNT(format_names) == OUTPUT_FORMAT_COUNT + 1, "a name for each");
/* Forms that are wanted and not there yet. */
static const char *const later_formats[] = { "dot", "cbor" };
static const char *const colour_names[] = { "auto", "always", "never", NULL };

/*
 * The rows a command understands, in one list.
 */

typedef struct OptionList {
	const OptionRow *rows[MAX_OPTIONS];
	size_t count;
} OptionList;

static void add_options(OptionList *list, const OptionRow *rows)
{
	for (; rows && rows->name && list->count < MAX_OPTIONS; rows++)
		list->rows[list->count++] = rows;
}

static OptionList options_of(const Program *program, const CommandRow *command)
{
	OptionList list = { .count = 0 };

	if (command) {
		add_options(&list, command->options);
		if (command->takes_input)
			add_options(&list, program->input);
	}
	add_options(&list, global_options);
	return list;
}

/* The same rows in getopt's form. */
typedef struct GetoptTables {
	struct option longs[MAX_OPTIONS + 1];
	char shorts[2 * MAX_OPTIONS + 3];
} GetoptTables;

static void make_getopt_tables(const OptionList *list, GetoptTables *out)
{
	size_t at = 0;

	*out = (GetoptTables){ 0 };
	/* '+' ends options at the first operand, ':' tells a missing value from a bad option */
	out->shorts[at++] = '+';
	out->shorts[at++] = ':';
	for (size_t i = 0; i < list->count; i++) {
		const OptionRow *row = list->rows[i];

		out->longs[i] = (struct option){ row->name,
			row->value ? required_argument : no_argument, NULL,
			FIRST_LONG + (int)i };
		if (!row->letter)
			continue;
		out->shorts[at++] = row->letter;
		if (row->value)
			out->shorts[at++] = ':';
	}
}

static const OptionRow *row_of(const OptionList *list, int choice)
{
	if (choice >= FIRST_LONG)
		return list->rows[choice - FIRST_LONG];
	for (size_t i = 0; i < list->count; i++) {
		if (list->rows[i]->letter == choice)
			return list->rows[i];
	}
	return NULL;
}

static bool usage_fail(const Invocation *invocation, const char *what, const char *word)
{
	const char *program = invocation->program->name;
	const char *command = invocation->command ? invocation->command->name : "";
	const char *blank = invocation->command ? " " : "";

	fprintf(stderr, "%s%s%s: %s '%s' (try %s%s%s --help)\n", program, blank, command, what,
		word, program, blank, command);
	return false;
}

static bool keep_value(Invocation *invocation, const OptionRow *row, const char *value)
{
	if (!row->repeats && invocation_has(invocation, row->name))
		return usage_fail(invocation, "option given twice:", row->name);
	if (invocation->value_count == MAX_VALUES)
		return usage_fail(invocation, "too many options at", row->name);
	invocation->values[invocation->value_count++] = (GivenValue){ row, value };
	return true;
}

/*
 * parse_options - options of @argv from *@at on, up to the first operand or the end
 */
static bool parse_options(
	Invocation *invocation, const OptionList *list, int argc, char **argv, int *at)
{
	GetoptTables tables;
	int choice;

	make_getopt_tables(list, &tables);
	opterr = 0;
	optind = *at;
	while ((choice = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1) {
		const OptionRow *row = row_of(list, choice);

		if (choice == ':')
			return usage_fail(invocation, "no value for option", argv[optind - 1]);
		if (!row)
			return usage_fail(invocation, "unknown option", argv[optind - 1]);
		if (!keep_value(invocation, row, row->value ? optarg : NULL))
			return false;
	}
	*at = optind;
	return true;
}

/* Options and operands in any order; operands gather at the front of @argv. */
static bool parse_command(Invocation *invocation, int argc, char **argv)
{
	const OptionList list = options_of(invocation->program, invocation->command);
	int at = 0, operands = 0;

	/* getopt starts at index 1 of what it is given: argv[0] is the command's name. */
	at = 1;
	while (at < argc) {
		if (!parse_options(invocation, &list, argc, argv, &at))
			return false;
		if (at < argc)
			argv[operands++] = argv[at++];
	}
	invocation->operands = (const char *const *)argv;
	invocation->operand_count = (size_t)operands;
	return true;
}

/*
 * What was given.
 */

const char *invocation_value_at(const Invocation *invocation, const char *option, size_t index)
{
	for (size_t i = 0; i < invocation->value_count; i++) {
		if (strcmp(invocation->values[i].row->name, option) == 0 && index-- == 0)
			return invocation->values[i].value;
	}
	return NULL;
}

size_t invocation_count(const Invocation *invocation, const char *option)
{
	size_t count = 0;

	for (size_t i = 0; i < invocation->value_count; i++)
		count += strcmp(invocation->values[i].row->name, option) == 0;
	return count;
}

const char *invocation_value(const Invocation *invocation, const char *option)
{
	return invocation_value_at(invocation, option, 0);
}

bool invocation_has(const Invocation *invocation, const char *option)
{
	return invocation_count(invocation, option) != 0;
}

size_t invocation_operand_count(const Invocation *invocation)
{
	return invocation->operand_count;
}

const char *invocation_operand(const Invocation *invocation, size_t index)
{
	return index < invocation->operand_count ? invocation->operands[index] : NULL;
}

OutputFormat invocation_format(const Invocation *invocation)
{
	return invocation->format;
}

int invocation_verbosity(const Invocation *invocation)
{
	return invocation->verbosity;
}

bool invocation_colour(const Invocation *invocation)
{
	return invocation->colour;
}

static bool option_fail(const char *option, Error *err)
{
	char source[ERROR_SOURCE_SIZE];

	snprintf(source, sizeof(source), "--%s", option);
	return error_at(err, source);
}

bool invocation_number(const Invocation *invocation, const char *option, uint64_t absent,
	uint64_t max, uint64_t *out, Error *err)
{
	const char *text = invocation_value(invocation, option);
	char *end = NULL;
	uint64_t number;

	if (!text) {
		*out = absent;
		return true;
	}
	errno = 0;
	number = strtoull(text, &end, 0);
	if (!isdigit((unsigned char)text[0]) || *end || errno || number > max) {
		error_set(err, PVW_CLI_0001, "'%.64s', expected a number from 0 to 0x%" PRIx64,
			text, max);
		return option_fail(option, err);
	}
	*out = number;
	return true;
}

bool invocation_choice(const Invocation *invocation, const char *option,
	const char *const *names, size_t absent, size_t *out, Error *err)
{
	const char *text = invocation_value(invocation, option);
	char known[256] = "";

	if (!text) {
		*out = absent;
		return true;
	}
	for (size_t i = 0; names[i]; i++) {
		if (strcmp(names[i], text) == 0) {
			*out = i;
			return true;
		}
		snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s",
			i ? ", " : "", names[i]);
	}
	error_set(err, PVW_CLI_0001, "'%.64s', expected one of %s", text, known);
	return option_fail(option, err);
}

/*
 * Help.
 */

static void print_option_rows(FILE *out, const char *title, const OptionRow *rows)
{
	if (!rows || !rows->name)
		return;
	fprintf(out, "\n%s:\n", title);
	for (; rows->name; rows++) {
		char left[64], letter[8] = "    ";

		if (rows->letter)
			snprintf(letter, sizeof(letter), "-%c, ", rows->letter);
		snprintf(left, sizeof(left), "%s--%s%s%s%s", letter, rows->name,
			rows->value ? " " : "", rows->value ? rows->value : "",
			rows->repeats ? " ..." : "");
		fprintf(out, "  %-34s %s\n", left, rows->help);
	}
}

static void print_command_help(FILE *out, const Program *program, const CommandRow *command)
{
	fprintf(out, "usage: %s %s%s%s%s%s\n\n%s\n", program->name, command->name,
		command->takes_input ? " INPUT" : "", command->operands[0] ? " " : "",
		command->operands,
		command->options && command->options->name ? " [OPTION]..." : "",
		command->description);
	print_option_rows(out, "Options", command->options);
	if (command->takes_input)
		print_option_rows(out, "INPUT", program->input);
	print_option_rows(out, "Everywhere", global_options);
	fprintf(out, "\nExamples:\n%s", command->examples);
}

static void print_help(FILE *out, const Program *program)
{
	fprintf(out, "usage: %s [OPTION]... COMMAND [ARGUMENT]...\n\n%s\nCommands:\n",
		program->name, program->summary);
	for (const CommandRow *row = program->commands; row->name; row++)
		fprintf(out, "  %-12s %s\n", row->name, row->summary);
	print_option_rows(out, "Options", global_options);
	fprintf(out, "\nExamples:\n%s", program->examples);
}

ExitStatus command_help(const Invocation *invocation)
{
	const char *name = invocation_operand(invocation, 0);
	const CommandRow *command = name ? command_find(invocation->program, name) : NULL;

	if (name && !command) {
		usage_fail(invocation, "unknown command", name);
		return STATUS_USAGE;
	}
	if (command)
		print_command_help(stdout, invocation->program, command);
	else
		print_help(stdout, invocation->program);
	return STATUS_DONE;
}

const CommandRow *command_find(const Program *program, const char *name)
{
	for (const CommandRow *row = program->commands; row->name; row++) {
		if (strcmp(row->name, name) == 0)
			return row;
	}
	return NULL;
}

const Program *invocation_program(const Invocation *invocation)
{
	return invocation->program;
}

const OptionRow *command_global_options(void)
{
	return global_options;
}

/*
 * Running.
 */

static bool check_format(const Invocation *invocation, Error *err)
{
	const char *text = invocation_value(invocation, "format");

	for (size_t i = 0; text && i < ARRAY_COUNT(later_formats); i++) {
		if (strcmp(text, later_formats[i]) != 0)
			continue;
		error_set(err, PVW_CLI_0004,
			"%s is not made by this version, expected text, "
			"json or jsonl",
			text);
		return option_fail("format", err);
	}
	if (text && strcmp(text, "svg") == 0 && !invocation->command->draws) {
		error_set(err, PVW_CLI_0004, "%s draws nothing, expected text, json or jsonl",
			invocation->command->name);
		return option_fail("format", err);
	}
	return true;
}

static bool take_global_options(Invocation *invocation, Error *err)
{
	size_t format, colour;

	if (!check_format(invocation, err) ||
		!invocation_choice(
			invocation, "format", format_names, OUTPUT_TEXT, &format, err) ||
		!invocation_choice(invocation, "color", colour_names, 0, &colour, err))
		return false;
	invocation->format = (OutputFormat)format;
	invocation->verbosity = invocation_has(invocation, "quiet")
		? -1
		: (int)invocation_count(invocation, "verbose");
	/* https://no-color.org: present and not empty */
	invocation->colour = colour == 1 ||
		(colour == 0 && isatty(STDOUT_FILENO) &&
			!(getenv("NO_COLOR") && *getenv("NO_COLOR")));
	return true;
}

static bool check_given(const Invocation *invocation)
{
	const CommandRow *command = invocation->command;

	for (const OptionRow *row = command->options; row && row->name; row++) {
		if (row->required && !invocation_has(invocation, row->name))
			return usage_fail(invocation, "missing option", row->name);
	}

	if (invocation->operand_count > command->operands_max)
		return usage_fail(invocation, "unexpected argument",
			invocation->operands[command->operands_max]);
	if (invocation->operand_count < command->operands_min)
		return usage_fail(invocation, "too few arguments, expected", command->operands);
	return true;
}

static int run(Invocation *invocation, int argc, char **argv)
{
	ExitStatus status;
	Error err;

	if (!parse_command(invocation, argc, argv))
		return STATUS_USAGE;
	if (invocation_has(invocation, "help")) {
		print_command_help(stdout, invocation->program, invocation->command);
		return STATUS_DONE;
	}
	if (!check_given(invocation))
		return STATUS_USAGE;
	if (!take_global_options(invocation, &err)) {
		status = report_error(invocation, &err);
		return (int)status;
	}
	status = invocation->command->run(invocation);
	/* Data that did not reach its reader is a failure too. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "%s: cannot write the output: %s\n", invocation->program->name,
			strerror(errno));
		return status == STATUS_DONE ? STATUS_MALFORMED : (int)status;
	}
	return (int)status;
}

int command_main(const Program *program, int argc, char **argv)
{
	Invocation *invocation = calloc(1, sizeof(*invocation));
	const OptionList globals = options_of(program, NULL);
	int at = 1, status = STATUS_USAGE;

	if (!invocation) {
		fprintf(stderr, "%s: out of memory\n", program->name);
		return STATUS_INTERNAL;
	}
	invocation->program = program;
	if (!parse_options(invocation, &globals, argc, argv, &at))
		goto out;
	if (invocation_has(invocation, "help")) {
		print_help(stdout, program);
		status = STATUS_DONE;
		goto out;
	}
	if (at == argc) {
		print_help(stderr, program);
		goto out;
	}
	invocation->command = command_find(program, argv[at]);
	if (!invocation->command) {
		usage_fail(invocation, "unknown command", argv[at]);
		goto out;
	}
	status = run(invocation, argc - at, argv + at);
out:
	free(invocation);
	return status;
}
