/*
 * pvw-agent: the reference host.
 */
#include <stdio.h>

#include "agent/commands.h"
#include "support/version.h"

static ExitStatus command_version(const Invocation *invocation)
{
	printf("%s %s (%s)\n", invocation_program(invocation)->name, PVW_VERSION, PVW_REVISION);
	return STATUS_DONE;
}

static const OptionRow drive_options[] = {
	{ .name = "fixture",
		.value = "FILE",
		.help = "recorded boot info to prepare a guest from",
		.required = true },
	{ .name = "kernel",
		.value = "FILE",
		.help = "boot Linux from this kernel, whatever the fixture says" },
	{ .name = "initrd", .value = "FILE", .help = "Linux: the initrd" },
	{ .name = "append", .value = "TEXT", .help = "Linux: what follows the command line" },
	{ .name = "firmware-image", .value = "FILE", .help = "UEFI or PCAT: the image" },
	{ .name = "worker",
		.value = "PVW",
		.help = "the pvw to start; default: pvw of the PATH" },
	{ .name = "socket",
		.value = "ADDR",
		.help = "a worker that runs: unix:PATH, vsock:CID:PORT or fd:N" },
	{ .name = "guest-memory",
		.value = "FILE",
		.help = "make the guest's memory in this file; default: without a name" },
	{ .name = "sandbox",
		.value = "MODE",
		.help = "of the worker: require, best-effort (default) or off" },
	{ .name = "log", .value = "FILTER", .help = "of the worker; default: warn" },
	{ .name = NULL },
};

static const OptionRow replay_options[] = {
	{ .name = "fixture",
		.value = "FILE",
		.help = "recorded boot info to prepare the guest from" },
	{ .name = "worker",
		.value = "PVW",
		.help = "the pvw to start; default: pvw of the PATH" },
	{ .name = "socket",
		.value = "ADDR",
		.help = "a worker that runs: unix:PATH, vsock:CID:PORT or fd:N" },
	{ .name = "guest-memory",
		.value = "FILE",
		.help = "make the guest's memory in this file; default: without a name" },
	{ .name = "sandbox",
		.value = "MODE",
		.help = "of the worker: require, best-effort (default) or off" },
	{ .name = "log", .value = "FILTER", .help = "of the worker; default: warn" },
	{ .name = "answers", .help = "print the trace with the answers that were given" },
	{ .name = NULL },
};

static const OptionRow boot_options[] = {
	{ .name = "arch", .value = "ARCH", .help = "x86_64 (default) or aarch64" },
	{ .name = "vps", .value = "N", .help = "virtual processors (1)" },
	{ .name = "memory",
		.value = "SIZE",
		.help = "the guest's RAM, like 512MiB",
		.required = true },
	{ .name = "nodes", .value = "N", .help = "NUMA nodes that share both (1)" },
	{ .name = "kernel",
		.value = "FILE",
		.help = "bzImage, vmlinux or Image",
		.required = true },
	{ .name = "initrd", .value = "FILE", .help = "the initrd" },
	{ .name = "append", .value = "TEXT", .help = "the kernel's command line" },
	{ .name = "mtrr", .value = "POLICY", .help = "exact (default), hyperv or best-effort" },
	{ .name = "layout-version", .value = "N", .help = "who decides addresses (2)" },
	{ .name = "acpi",
		.help = "aarch64: tell of the machine by ACPI tables, not by a device tree" },
	{ .name = "device-space",
		.value = "SIZE",
		.help = "version 2: how much below 4 GiB is no RAM (1GiB)" },
	{ .name = "phys-bits",
		.value = "N",
		.help = "width of physical addresses (46; aarch64: 44)" },
	{ .name = "timeout",
		.value = "S",
		.help = "end the guest after that many seconds (120)" },
	{ .name = "keep", .value = "DIR", .help = "leave all that it was made of here" },
	{ .name = "prepare", .help = "do everything but start it; for --keep" },
	{ .name = "rom", .value = "DIR", .help = "where the ROMs are" },
	{ .name = "qemu", .value = "PROGRAM", .help = "default: qemu-system-ARCH of the PATH" },
	{ .name = "worker",
		.value = "PVW",
		.help = "the pvw to start; default: pvw of the PATH" },
	{ .name = "sandbox",
		.value = "MODE",
		.help = "of the worker: require, best-effort (default) or off" },
	{ .name = "log", .value = "FILTER", .help = "of the worker; default: warn" },
	{ .name = NULL },
};

static const CommandRow commands[] = {
	{
		.name = "boot",
		.operands = "",
		.summary = "boot a kernel in QEMU from what a worker prepared",
		.description =
			"Describes a machine that QEMU has, lays it out, writes its boot tree, "
			"lets "
			"a worker\n"
			"fill the machine's memory, and starts the machine in the planned "
			"state: "
			"without\n"
			"firmware, and with nothing of QEMU's own in memory. Shows the guest's "
			"console and\n"
			"ends with its status: 0 once it has switched itself off, or what it "
			"wrote "
			"to port\n"
			"0xf4. Before the start it is checked that the processor can be "
			"brought "
			"into the\n"
			"state. Processors are emulated; /dev/kvm is not used.",
		.examples = "  pvw-agent boot --memory 512MiB --kernel vmlinuz --initrd "
			    "initrd.gz \\\n"
			    "      --append console=ttyS0\n"
			    "  pvw-agent boot --memory 5GiB --vps 4 --nodes 2 --device-space "
			    "128MiB "
			    "--kernel vmlinux \\\n"
			    "      --initrd initrd.gz --append 'console=ttyS0 panic=-1' --keep "
			    "out\n",
		.options = boot_options,
		.run = command_boot,
	},
	{
		.name = "drive",
		.operands = "",
		.summary = "prepare a guest over RPC, from Hello to Shutdown, and check it",
		.description =
			"Starts a worker with an inherited connection and empty guest "
			"memory, or\n"
			"connects to one that runs, and drives it through the whole "
			"sequence: boot\n"
			"info, images, settings, plan, load. Prints the guest's memory map and "
			"the artifacts,\n"
			"then compares guest memory with the plan byte by byte, also "
			"where the plan\n"
			"writes nothing. With --socket the load is memory-only and "
			"nothing is compared.",
		.examples = "  pvw-agent drive --fixture fixtures/x64-uefi-4vp.cbor\n"
			    "  pvw-agent drive --fixture f.cbor --kernel vmlinuz --initrd "
			    "initrd.gz --append quiet\n"
			    "  pvw-agent drive --fixture f.cbor --socket "
			    "unix:/run/pvw/worker.sock\n",
		.options = drive_options,
		.run = command_drive,
	},
	{
		.name = "replay",
		.operands = "FILE",
		.operands_min = 1,
		.operands_max = 1,
		.summary = "do again what a guest's processors did, and compare the answers",
		.description =
			"Prepares the guest of a fixture, or takes the one that the "
			"worker of --socket has,\n"
			"and sends it the accesses of a trace, one a line:\n\n"
			"  out.4 0x28 0x16\n"
			"  in.4 0x2c x2 = 0x1 0x1\n\n"
			"Where the trace states an answer it is compared. Exit status 10: "
			"there were\n"
			"differences. docs/formats.md has the format.",
		.examples = "  pvw-agent replay bios.trace --fixture "
			    "fixtures/x64-pcat-2vp.cbor\n"
			    "  pvw-agent replay bios.trace --socket "
			    "unix:/run/pvw/worker.sock --answers\n",
		.options = replay_options,
		.run = command_replay,
	},
	{
		.name = "help",
		.operands = "[COMMAND]",
		.operands_max = 1,
		.summary = "this text, or that of a command",
		.description = "Prints what a command does and which options it takes.",
		.examples = "  pvw-agent help\n  pvw-agent help drive\n",
		.run = command_help,
	},
	{
		.name = "version",
		.operands = "",
		.summary = "which pvw-agent this is",
		.description = "Prints version and revision.",
		.examples = "  pvw-agent version\n  pvw-agent version --help\n",
		.run = command_version,
	},
	{ .name = NULL },
};

static const Program program = {
	.name = "pvw-agent",
	.summary = "The reference host: does around a worker what a virtual machine monitor "
		   "would.\n",
	.examples = "  pvw-agent drive --fixture fixtures/x64-uefi-4vp.cbor\n"
		    "  pvw-agent drive --help\n",
	.commands = commands,
};

int main(int argc, char **argv)
{
	return command_main(&program, argc, argv);
}
