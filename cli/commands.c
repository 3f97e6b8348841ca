/*
 * The commands of pvw, in the order of the help: a row each, with its options and examples.
 */
#include "cli/commands.h"

/* What a command works on: one of the first three, and what goes with it. */
static const OptionRow input_options[] = {
	{ .name = NULL },
};

static const OptionRow serve_options[] = {
	{ .name = "listen",
		.value = "ADDR",
		.repeats = true,
		.required = true,
		.help = "unix:PATH, vsock:PORT or fd:N" },
	{ .name = "isolation", .value = "KIND", .help = "none (default), vbs, snp or tdx" },
	{ .name = "guest-memory",
		.value = "MEMORY",
		.help = "fd:N or a path; without: loads are memory-only" },
	{ .name = "window",
		.value = "GPA:SIZE:OFFSET",
		.repeats = true,
		.help = "guest addresses that lie at OFFSET of the memory" },
	{ .name = "allow-uid",
		.value = "UID",
		.repeats = true,
		.help = "may connect beside root and our own user" },
	{ .name = "vtl2", .help = "inside VTL2: the boot tree comes from the machine" },
	{ .name = "boot-info", .value = "FILE", .help = "the boot tree, with --vtl2" },
	{ .name = "parameters",
		.value = "GPA:SIZE",
		.help = "parameter pages, with --vtl2; default: the tree's first" },
	{ .name = "sandbox", .value = "MODE", .help = "require (default), best-effort or off" },
	{ .name = "log", .value = "FILTER", .help = "\"info,uefi=debug\"; default: PVW_LOG" },
	{ .name = "log-format", .value = "FORMAT", .help = "text (default) or json" },
	{ .name = "log-file", .value = "FILE", .help = "default: standard error" },
	{ .name = NULL },
};

static const CommandRow commands[] = {
	{
		.name = "serve",
		.operands = "",
		.summary = "be the worker: answer calls until told to stop",
		.description =
			"Listens, enters its sandbox and serves pvw.v1.Worker over ttrpc. A "
			"host agent gives\n"
			"boot info and settings, asks for the plan and has it loaded into "
			"guest memory.\n"
			"SIGTERM drains. docs/rpc.md is the manual of the service.",
		.examples = "  pvw serve --listen unix:/run/pvw/worker.sock --guest-memory "
			    "/dev/shm/guest\n"
			    "  pvw serve --vtl2 --boot-info /sys/firmware/fdt --guest-memory "
			    "/dev/mshv_vtl_low --listen vsock:4000\n",
		.options = serve_options,
		.run = command_serve,
	},
	{
		.name = "version",
		.operands = "",
		.summary = "which pvw this is",
		.description = "Prints version, revision and the service it speaks.",
		.examples = "  pvw version\n  pvw version --format json\n",
		.run = command_version,
	},
	{
		.name = "help",
		.operands = "[COMMAND]",
		.operands_max = 1,
		.summary = "this text, or that of a command",
		.description = "Prints what a command does and which options it takes.",
		.examples = "  pvw help\n  pvw help plan\n",
		.run = command_help,
	},
	{ .name = NULL },
};

static const Program program = {
	.name = "pvw",
	.summary =
		"A paravisor worker: prepares and serves a guest from inside its own virtual "
		"machine.\n",
	.examples = "  pvw serve --listen unix:/run/pvw/worker.sock --guest-memory "
		    "/dev/shm/guest\n"
		    "  pvw help serve\n",
	.commands = commands,
	.input = input_options,
};

const Program *cli_program(void)
{
	return &program;
}
