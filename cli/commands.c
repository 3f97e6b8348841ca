/*
 * The commands of pvw, in the order of the help: a row each, with its options and examples.
 */
#include "cli/commands.h"

#include "cli/input.h"

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
	{ .name = "blobs",
		.value = "SIZE",
		.help = "what uploaded images may take together; default: 512MiB" },
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

static const OptionRow plan_options[] = {
	{ .name = "explain", .help = "say why each range lies where it lies" },
	{ .name = "output",
		.letter = 'o',
		.value = "DIR",
		.help = "write plan.json and NAME.bin for each artifact there" },
	{ .name = NULL },
};

static const OptionRow layout_options[] = {
	{ .name = "vm", .value = "FILE", .help = "the same as the operand" },
	{ .name = "explain", .help = "say why each range lies where it lies" },
	{ .name = "against",
		.value = "FILE",
		.help = "a layout of before, as JSON: exit with 1 at the first difference" },
	{ .name = "pin",
		.value = "FILE",
		.help = "restore that layout: windows and RAM where they were, or exit with "
			"1" },
	{ .name = "layout-version", .value = "N", .help = "wins over the description's" },
	{ .name = "width", .value = "BITS", .help = "of addresses, likewise" },
	{ .name = "scale", .value = "SCALE", .help = "of an SVG: log (default) or linear" },
	{ .name = "template", .help = "print a description with every member instead" },
	{ .name = "arch",
		.value = "ARCH",
		.help = "of the template: x86_64 (default), aarch64" },
	{ .name = NULL },
};

static const OptionRow map_options[] = {
	{ .name = "scale", .value = "SCALE", .help = "of an SVG: log (default) or linear" },
	{ .name = "width", .value = "N", .help = "columns; default: the terminal's, else 80" },
	{ .name = "from", .value = "ADDRESS", .help = "begin there" },
	{ .name = "to", .value = "ADDRESS", .help = "end before it" },
	{ .name = NULL },
};

static const OptionRow boot_tree_options[] = {
	{ .name = "host", .help = "the host's tree, which the boot shim reads, instead" },
	{ .name = "output",
		.letter = 'o',
		.value = "FILE",
		.required = true,
		.help = "the tree to write; \"-\" is standard output" },
	{ .name = NULL },
};

static const OptionRow acpi_options[] = {
	{ .name = "table",
		.value = "SIG",
		.repeats = true,
		.help = "only this one: APIC or MADT, FACP or FADT, DSDT, RSDP, ..." },
	{ .name = "asl", .help = "DSDT and SSDT as source for iasl" },
	{ .name = "hex", .help = "bytes" },
	{ .name = "output",
		.letter = 'o',
		.value = "DIR",
		.help = "write each as SIG.aml there" },
	{ .name = NULL },
};

static const OptionRow check_options[] = {
	{ .name = "warn",
		.letter = 'W',
		.value = "NAME",
		.repeats = true,
		.help = "turn a check on; -W no-NAME: off" },
	{ .name = "error",
		.letter = 'E',
		.value = "NAME",
		.repeats = true,
		.help = "what a check finds is an error" },
	{ .name = "exit-code-warnings", .help = "exit with 1 for warnings, too" },
	{ .name = "list", .help = "name the checks, run none" },
	{ .name = NULL },
};

static const OptionRow call_options[] = {
	{ .name = "socket",
		.value = "ADDR",
		.help = "unix:PATH, vsock:CID:PORT or fd:N; default: PVW_SOCKET" },
	{ .name = "timeout", .value = "MS", .help = "how long to wait, at most a day" },
	{ .name = "list", .help = "name the methods, call nothing" },
	{ .name = NULL },
};

static const OptionRow igvm_options[] = {
	{ .name = "platform",
		.value = "NAME",
		.help = "whose headers: vsm (default), native, snp, tdx, sev, sev-es or cca" },
	{ .name = NULL },
};

static const OptionRow fixture_options[] = {
	{ .name = "output",
		.letter = 'o',
		.value = "FILE",
		.help = "record: the fixture to write" },
	{ .name = "refuse", .help = "record: the input must be refused; record how" },
	{ .name = "keep-identifiers", .help = "record: keep GUIDs and serial numbers" },
	{ .name = "note", .value = "TEXT", .help = "record: a word for people" },
	{ .name = "time", .value = "SECONDS", .help = "record: a date, Unix time" },
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
		.name = "plan",
		.operands = "",
		.summary = "everything that would be written and set, without a guest",
		.description = "Prints artifacts with address, size and digest, registers and "
			       "the plan's own digest;\n"
			       "-v prints the registers, too. The same input gives the same "
			       "bytes and digests.\n"
			       "With --socket a worker that is configured plans, with entropy "
			       "of its own.",
		.examples = "  pvw plan --fixture fixtures/x64-uefi-4vp.cbor --explain\n"
			    "  pvw plan --dtb boot.dtb --firmware uefi --seed 1 -o out\n",
		.options = plan_options,
		.takes_input = true,
		.run = command_plan,
	},
	{
		.name = "layout",
		.operands = "[VM.json]",
		.operands_max = 1,
		.summary = "where everything of a described machine is",
		.description =
			"Gives addresses to all that a VM description has: RAM, chipset and "
			"PCIe "
			"windows, VTL2.\n"
			"The same description has the same addresses on every host. JSON is "
			"what "
			"to keep of it:\n"
			"--against compares with what was kept, --pin puts everything where it "
			"was. --explain\n"
			"says who asked for a range and what moved it there. docs/formats.md "
			"describes VM.json\n"
			"and the layout.",
		.examples = "  pvw layout --template >vm.json\n"
			    "  pvw layout vm.json --explain\n"
			    "  pvw layout vm.json --format svg >vm.svg\n"
			    "  pvw layout vm.json --against kept.json\n"
			    "  pvw layout vm.json --pin kept.json\n",
		.options = layout_options,
		.draws = true,
		.run = command_layout,
	},
	{
		.name = "map",
		.operands = "",
		.summary = "the guest's memory as a picture",
		.description =
			"One row a range, from low to high, with what it is for, its "
			"size and its NUMA node;\n"
			"the bar grows with the logarithm of the size, a double line "
			"parts VTL0 from VTL2.\n"
			"Equal neighbours are one row; -v parts them. Below: the chipset "
			"windows and why\n"
			"they are what they are, and everything that is placed.",
		.examples = "  pvw map --fixture fixtures/x64-uefi-4vp.cbor\n"
			    "  pvw map --dtb boot.dtb --from 0xf0000000 --to 0x100000000\n"
			    "  pvw map --vm vm.json --format svg --scale linear >vm.svg\n",
		.options = map_options,
		.takes_input = true,
		.draws = true,
		.run = command_map,
	},
	{
		.name = "mtrr",
		.operands = "[ADDRESS]",
		.operands_max = 1,
		.summary = "memory types of the guest's addresses, by each MTRR policy",
		.description =
			"Every range with what it is for and the type that it gets from our "
			"policy exact and from\n"
			"the reference's; \"!\" marks RAM that is not write-back and devices "
			"that are not uncached.\n"
			"Two types in one column: what the processor matches, what software "
			"reads. Below: the\n"
			"variable pairs. Where exact would need more pairs than firmware looks "
			"at, best-effort\n"
			"stands in its place. With ADDRESS: that one alone.",
		.examples = "  pvw mtrr --fixture fixtures/x64-uefi-4vp.cbor\n"
			    "  pvw mtrr --vm vm.json 0xf8000000\n",
		.takes_input = true,
		.run = command_mtrr,
	},
	{
		.name = "boot-tree",
		.operands = "VM.json",
		.operands_min = 1,
		.operands_max = 1,
		.summary = "a described machine's boot tree, as its boot shim would write it",
		.description =
			"Lays the machine out and writes the device tree that a paravisor in "
			"its VTL2 starts from:\n"
			"processors, everybody's memory, and MMIO ranges with their roles. The "
			"other commands\n"
			"take it as --dtb. docs/formats.md describes VM.json; it needs a VTL2.",
		.examples = "  pvw boot-tree vm.json -o boot.dtb\n"
			    "  pvw boot-tree vm.json --host -o - | dtc -I dtb -O dts\n",
		.options = boot_tree_options,
		.run = command_boot_tree,
	},
	{
		.name = "acpi",
		.operands = "[FILE]...",
		.operands_max = 4096,
		.summary = "ACPI tables: which there are, and what they say",
		.description =
			"Lists the tables of a plan or of a described machine with what is in "
			"them; --table\n"
			"shows one, field by field, and AML as ASL. FILEs are tables, several "
			"behind each\n"
			"other, or a UEFI configuration. What is wrong with a table is told "
			"with its offset.\n"
			"--asl is what iasl compiles to the same bytes again.",
		.examples = "  pvw acpi --fixture fixtures/x64-linux-2vp.cbor\n"
			    "  pvw acpi --dtb boot.dtb --firmware linux --table DSDT --asl\n"
			    "  pvw acpi --vm vm.json --table MADT --format json\n"
			    "  pvw acpi /sys/firmware/acpi/tables/APIC\n",
		.options = acpi_options,
		.takes_input = true,
		.run = command_acpi,
	},
	{
		.name = "artifact",
		.operands = "diff A B",
		.operands_min = 3,
		.operands_max = 3,
		.summary = "how two artifacts differ, or two plans",
		.description =
			"Compares two files, or two folders of pvw plan -o or pvw acpi -o, by "
			"what they say:\n"
			"ACPI tables field by field, AML as ASL, UEFI configurations record by "
			"record, texts\n"
			"line by line, and everything else byte by byte; -v shows all of its "
			"bytes.\n\n"
			"Exit status 10: something differs.",
		.examples = "  pvw artifact diff before/acpi.madt.bin after/acpi.madt.bin\n"
			    "  pvw artifact diff plan-of-monday plan-of-tuesday\n",
		.run = command_artifact,
	},
	{
		.name = "check",
		.operands = "",
		.summary = "all that is wrong with an input, in one run",
		.description = "Runs every named check on what can be made of the input, and "
			       "plans it as far as it\n"
			       "goes. Loading would stop at the first error; here all are "
			       "listed, with the name of\n"
			       "their check in brackets. Exit status 1: there are errors.",
		.examples = "  pvw check --dtb boot.dtb\n"
			    "  pvw check --dtb boot.dtb -W no-role-by-address -E "
			    "window-missing\n",
		.options = check_options,
		.takes_input = true,
		.run = command_check,
	},
	{
		.name = "explain",
		.operands = "PVW-AREA-NNNN|0xADDRESS|SETTING|settings",
		.operands_min = 1,
		.operands_max = 1,
		.summary = "what a diagnostic, an address or a setting means",
		.description = "A diagnostic: what it says and what to do. An address of an "
			       "INPUT's guest or of\n"
			       "a described machine: what lies there and why. A setting: what "
			       "it does, its default, what "
			       "isolation makes of it, and\n"
			       "with an INPUT what was asked for and what is used. "
			       "\"settings\" lists them.",
		.examples = "  pvw explain PVW-ROLE-0010\n"
			    "  pvw explain 0x100000 --fixture fixtures/x64-uefi-4vp.cbor\n"
			    "  pvw explain 0xf8000000 --vm vm.json\n"
			    "  pvw explain uefi.secure_boot\n",
		.takes_input = true,
		.run = command_explain,
	},
	{
		.name = "fixture",
		.operands = "record|verify|rebase|show|diff [FILE]...",
		.operands_min = 1,
		.operands_max = 4096,
		.summary = "recorded boot info: make it, and check what comes out of it",
		.description =
			"record  plans INPUT and writes it to --output with all that came "
			"out; identifiers in a\n"
			"        settings document are replaced by digests\n"
			"verify  plans fixtures and compares with what they expect\n"
			"rebase  replaces what fixtures expect, and shows every change\n"
			"show    prints a fixture's fields\n"
			"diff    compares two fixtures, field by field\n\n"
			"Exit status 10: something differs. docs/formats.md describes the "
			"files.",
		.examples =
			"  pvw fixture record --dtb boot.dtb --seed 1 -o fixtures/boot.cbor\n"
			"  pvw fixture verify fixtures/*.cbor\n",
		.options = fixture_options,
		.takes_input = true,
		.run = command_fixture,
	},
	{
		.name = "igvm",
		.operands = "show|check FILE",
		.operands_min = 2,
		.operands_max = 2,
		.summary = "what an IGVM file holds, and what is wrong with it",
		.description = "Shows platforms, regions, runs of pages, parameter areas and "
			       "the registers of the first\n"
			       "processor; check tells only of what is wrong, all of it. The "
			       "exit status is 1 for a file\n"
			       "that would not be loaded.",
		.examples = "  pvw igvm show openhcl.bin\n"
			    "  pvw igvm check --platform vsm --format json openhcl.bin\n",
		.options = igvm_options,
		.run = command_igvm,
	},
	{
		.name = "call",
		.operands = "METHOD [JSON|-]",
		.operands_max = 2,
		.summary = "any method of a worker, JSON both ways",
		.description = "Members are named as in worker.proto; enums are names, 64-bit "
			       "numbers may be texts,\n"
			       "bytes are base64; what is left out is absent. \"-\" reads the "
			       "request from standard\n"
			       "input. Session, health, metrics, events, log filter and "
			       "shutdown have no commands\n"
			       "of their own.",
		.examples = "  pvw call --socket unix:/run/pvw/worker.sock Health\n"
			    "  pvw call PollEvents '{\"wait_ms\": 30000}'\n"
			    "  pvw call --list\n",
		.options = call_options,
		.run = command_call,
	},
	{
		.name = "doctor",
		.operands = "",
		.summary = "what this machine offers",
		.description = "Looks at sandbox, sockets, limits, permissions and the "
			       "programs that tests use. What is\n"
			       "missing is a note that says what goes without it; the exit "
			       "status is 0.",
		.examples = "  pvw doctor\n  pvw doctor --format json\n",
		.run = command_doctor,
	},
	{
		.name = "completion",
		.operands = "bash|zsh|fish",
		.operands_min = 1,
		.operands_max = 1,
		.summary = "a completion script for a shell",
		.description = "Prints the script; commands and options come from pvw's own "
			       "tables.",
		.examples = "  pvw completion bash >/etc/bash_completion.d/pvw\n"
			    "  pvw completion fish >~/.config/fish/completions/pvw.fish\n",
		.run = command_completion,
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
	.examples = "  pvw plan --fixture fixtures/x64-uefi-4vp.cbor --explain\n"
		    "  pvw map --fixture fixtures/x64-uefi-4vp.cbor\n"
		    "  pvw serve --listen unix:/run/pvw/worker.sock --guest-memory "
		    "/dev/shm/guest\n",
	.commands = commands,
	.input = input_options,
};

const Program *cli_program(void)
{
	return &program;
}
