/*
 * pvw completion: scripts for shells, made from the rows of the tables.
 */
#include <string.h>

#include "cli/commands.h"

typedef void (*OptionVisitor)(const CommandRow *command, const OptionRow *option);

/* Every option that a command understands, its own first. */
static void visit_options(
	const Program *program, const CommandRow *command, OptionVisitor visit)
{
	const OptionRow *groups[] = { command->options,
		command->takes_input ? program->input : NULL, command_global_options() };

	for (size_t i = 0; i < ARRAY_COUNT(groups); i++) {
		for (const OptionRow *row = groups[i]; row && row->name; row++)
			visit(command, row);
	}
}

/* Inside single quotes: end them, a quoted quote, begin them again. */
static void print_quoted(const char *text)
{
	putchar('\'');
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	}
	putchar('\'');
}

static void print_word(const CommandRow *command, const OptionRow *option)
{
	(void)command;
	printf(" --%s", option->name);
	if (option->letter)
		printf(" -%c", option->letter);
}

static void print_bash(const Program *program)
{
	printf("# bash completion for %s; source it\n_%s()\n{\n"
	       "\tlocal word=${COMP_WORDS[COMP_CWORD]} command= i\n"
	       "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "\t\tcase ${COMP_WORDS[i]} in -*) ;; *) command=${COMP_WORDS[i]}; break ;; "
	       "esac\n"
	       "\tdone\n"
	       "\tlocal words=\n\tcase $command in\n",
		program->name, program->name);
	for (const CommandRow *row = program->commands; row->name; row++) {
		printf("\t%s) words='", row->name);
		visit_options(program, row, print_word);
		puts("' ;;");
	}
	printf("\t'') words='");
	for (const CommandRow *row = program->commands; row->name; row++)
		printf(" %s", row->name);
	for (const OptionRow *row = command_global_options(); row->name; row++)
		printf(" --%s", row->name);
	printf("' ;;\n\tesac\n"
	       "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
	       "\t[ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$word\"))\n"
	       "}\ncomplete -o filenames -F _%s %s\n",
		program->name, program->name);
}

static void print_zsh_option(const CommandRow *command, const OptionRow *option)
{
	(void)command;
	printf(" \\\n\t\t\t'%s--%s[", option->repeats ? "*" : "", option->name);
	/* Brackets and colons end a description. */
	for (const char *at = option->help; *at; at++) {
		if (*at == '\'')
			fputs("'\\''", stdout);
		else if (*at == '[' || *at == ']' || *at == ':')
			printf("\\%c", *at);
		else
			putchar(*at);
	}
	printf("]%s%s%s'", option->value ? ":" : "", option->value ? "value" : "",
		option->value ? ":_files" : "");
}

static void print_zsh(const Program *program)
{
	printf("#compdef %s\n_%s()\n{\n\tlocal -a commands\n\tcommands=(\n", program->name,
		program->name);
	for (const CommandRow *row = program->commands; row->name; row++) {
		printf("\t\t%s:", row->name);
		print_quoted(row->summary);
		putchar('\n');
	}
	puts("\t)\n\tif ((CURRENT == 2)); then\n\t\t_describe command commands\n\t\treturn\n"
	     "\tfi\n\tlocal command=${words[2]}\n\tshift words\n\t((CURRENT--))\n"
	     "\tcase $command in");
	for (const CommandRow *row = program->commands; row->name; row++) {
		printf("\t%s)\n\t\t_arguments", row->name);
		visit_options(program, row, print_zsh_option);
		puts(" \\\n\t\t\t'*:operand:_files'\n\t\t;;");
	}
	printf("\tesac\n}\n_%s \"$@\"\n", program->name);
}

static void print_fish_option(const CommandRow *command, const OptionRow *option)
{
	printf("complete -c pvw -n '__fish_seen_subcommand_from %s' -l %s", command->name,
		option->name);
	if (option->letter)
		printf(" -s %c", option->letter);
	printf("%s -d ", option->value ? " -r" : "");
	/* fish escapes inside single quotes */
	putchar('\'');
	for (const char *at = option->help; *at; at++)
		printf("%s%c", *at == '\'' || *at == '\\' ? "\\" : "", *at);
	puts("'");
}

static void print_fish(const Program *program)
{
	for (const CommandRow *row = program->commands; row->name; row++) {
		printf("complete -c %s -n __fish_use_subcommand -a %s -d '%s'\n", program->name,
			row->name, row->summary);
		visit_options(program, row, print_fish_option);
	}
}

ExitStatus command_completion(const Invocation *invocation)
{
	static const struct {
		const char *name;
		void (*print)(const Program *program);
	} shells[] = { { "bash", print_bash }, { "zsh", print_zsh }, { "fish", print_fish } };
	const char *shell = invocation_operand(invocation, 0);
	Error err;

	for (size_t i = 0; i < ARRAY_COUNT(shells); i++) {
		if (strcmp(shell, shells[i].name) == 0) {
			shells[i].print(invocation_program(invocation));
			return STATUS_DONE;
		}
	}
	error_set(&err, PVW_CLI_0001, "'%.64s', expected bash, zsh or fish", shell);
	return report_error(invocation, &err);
}
