/*
 * A command line: a program is a table of commands, a command a table of options.
 *
 * Help, usage errors and shell completion come from the rows. A command is a function from an
 * Invocation to an exit status; it prints its data to stdout and everything else to stderr.
 */
#ifndef HOST_COMMAND_H
#define HOST_COMMAND_H

#include <stdio.h>

#include "support/diagnostics.h"

/* Exit status of every command. */
typedef enum ExitStatus {
	STATUS_DONE = 0,
	STATUS_REFUSED = 1, /* the request was refused or a check failed */
	STATUS_USAGE = 2,
	STATUS_MALFORMED = 3,   /* input unreadable or malformed */
	STATUS_UNREACHABLE = 4, /* no worker there */
	STATUS_DEADLINE = 5,
	STATUS_DENIED = 6, /* by peer, sandbox or filter */
	STATUS_INTERNAL = 7,
	STATUS_DIFFERENT = 10 /* diff, verify */
} ExitStatus;

typedef enum OutputFormat {
	OUTPUT_TEXT,
	OUTPUT_JSON,
	OUTPUT_JSONL,
	OUTPUT_SVG, /* of commands that draw */
	OUTPUT_FORMAT_COUNT
} OutputFormat;

/* One option. Rows end with one whose name is NULL. */
typedef struct OptionRow {
	const char *name;  /* "firmware" is --firmware */
	char letter;       /* 'o' is -o, 0 = none */
	bool repeats;      /* may be given several times */
	bool required;     /* the command does not run without it */
	const char *value; /* "DIR": takes a value; NULL = a flag */
	const char *help;  /* one line, lower case */
} OptionRow;

typedef struct Invocation Invocation;

typedef struct CommandRow {
	const char *name;
	const char *operands; /* "[TABLE]" in the usage line, "" = none */
	size_t operands_min, operands_max;
	const char *summary;      /* one line, lower case */
	const char *description;  /* paragraphs for COMMAND --help */
	const char *examples;     /* lines for COMMAND --help, at least two */
	const OptionRow *options; /* its own */
	bool takes_input;         /* the INPUT options too */
	bool draws;               /* knows OUTPUT_SVG */
	ExitStatus (*run)(const Invocation *invocation);
} CommandRow;

/* One program; its tables are static. */
typedef struct Program {
	const char *name;           /* "pvw" */
	const char *summary;        /* paragraphs for --help */
	const char *examples;       /* lines for --help */
	const CommandRow *commands; /* in the order of the help; ends with a name of NULL */
	const OptionRow *input;     /* the INPUT options, for commands that take an input */
} Program;

/** invocation_value - the (last) value of an option, NULL when it was not given */
const char *invocation_value(const Invocation *invocation, const char *option);

/** invocation_has - the option or flag was given */
bool invocation_has(const Invocation *invocation, const char *option);

/** invocation_values - how often a repeating option was given; @index < that: its values */
size_t invocation_count(const Invocation *invocation, const char *option);
const char *invocation_value_at(const Invocation *invocation, const char *option, size_t index);

size_t invocation_operand_count(const Invocation *invocation);
/** invocation_operand - NULL beyond the last */
const char *invocation_operand(const Invocation *invocation, size_t index);

OutputFormat invocation_format(const Invocation *invocation);
int invocation_verbosity(const Invocation *invocation); /* -q is -1, each -v adds one */
bool invocation_colour(const Invocation *invocation);

/** invocation_number - an option as a number, 0x… or decimal, at most @max; @absent without it */
MUST_CHECK bool invocation_number(const Invocation *invocation, const char *option,
	uint64_t absent, uint64_t max, uint64_t *out, Error *err);

/** invocation_choice - index into @names (NULL-terminated) of an option's value; @absent without */
MUST_CHECK bool invocation_choice(const Invocation *invocation, const char *option,
	const char *const *names, size_t absent, size_t *out, Error *err);

/** status_of - the exit status for a failure */
ExitStatus status_of(const Error *err);

/**
 * report_error - a failure in the compiler manner on stderr: source, offset, code, sentence, hint
 *
 * Returns its exit status, so that a command ends in `return report_error(…)`.
 */
ExitStatus report_error(const Invocation *invocation, const Error *err);

/** report_finding - one finding in the same manner; @check: the check's name, or NULL */
void report_finding(
	const Invocation *invocation, FILE *out, const Diagnostic *finding, const char *check);

/** report_diagnostics - all findings, then "N errors, N warnings" if there were any */
void report_diagnostics(const Invocation *invocation, const Diagnostics *list);

/** command_main - parse @argv against the rows of @program and run the command */
int command_main(const Program *program, int argc, char **argv);

/** command_find - the row of a name, NULL if there is none */
const CommandRow *command_find(const Program *program, const char *name);

/** invocation_program - the program that was called */
const Program *invocation_program(const Invocation *invocation);

/** command_help - `PROGRAM help [COMMAND]`, for a row of the program's table */
ExitStatus command_help(const Invocation *invocation);

/** global_options - what every command of every program understands */
const OptionRow *command_global_options(void);

#endif
