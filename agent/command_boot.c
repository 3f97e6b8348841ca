/*
 * pvw-agent boot: a guest from its description to the moment when it switches itself off.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/boot_guest.h"
#include "agent/boot_keep.h"
#include "agent/boot_state.h"
#include "agent/commands.h"
#include "agent/qemu_run.h"
#include "agent/reach.h"
#include "agent/state_rom.h"
#include "host/file.h"
#include "host/folder.h"
#include "host/size_text.h"
#include "layout/layout_version.h"

#define ARENA_LIMIT ((size_t)512 * 1024 * 1024)
#define VPS_MAX 255 /* what our boards take */
#define NODES_MAX 64
#define TIMEOUT_S 120
#define TIMEOUT_MAX_S 86400

static const char *const arch_names[] = { "x86_64", "aarch64", NULL };
/* What the processors of our boards have. */
static const uint32_t address_bits[GUEST_ARCH_COUNT] = { 46, 44 };

static const char *const mtrr_names[] = { "exact", "hyperv", "best-effort", NULL };

/* Everything of one boot. */
typedef struct Boot {
	const Invocation *invocation;
	Arena *arena;
	BootRequest request;
	BootGuest guest;
	Machine machine;
	Drive drive;
	RegisterList registers;
	const char *folder, *memory_path, *rom_path; /* of the machine's files */
	bool own_folder;                             /* ours, to be removed */
	uint32_t timeout_s;
	const char *const *command;
	QemuResult result;
} Boot;

/*
 * What is asked for.
 */

static bool take_size(
	const Invocation *invocation, const char *option, uint64_t *out, Error *err)
{
	const char *text = invocation_value(invocation, option);

	*out = 0;
	if (!text || size_text_parse(text, out))
		return true;
	return error_set(
		err, PVW_CLI_0001, "--%s '%.64s', expected a size like 512MiB", option, text);
}

static bool take_count(const Invocation *invocation, const char *option, uint64_t absent,
	uint64_t max, uint32_t *out, Error *err)
{
	uint64_t number;

	if (!invocation_number(invocation, option, absent, max, &number, err))
		return false;
	if (number == 0)
		return error_set(
			err, PVW_CLI_0001, "--%s 0, expected 1 to %" PRIu64, option, max);
	*out = (uint32_t)number;
	return true;
}

static bool take_request(Boot *boot, Error *err)
{
	const Invocation *invocation = boot->invocation;
	BootRequest *request = &boot->request;
	size_t arch, mtrr;
	uint32_t bits = 0;

	if (!invocation_choice(invocation, "arch", arch_names, 0, &arch, err) ||
		!invocation_choice(invocation, "mtrr", mtrr_names, 0, &mtrr, err) ||
		!take_count(invocation, "vps", 1, VPS_MAX, &request->vps, err) ||
		!take_count(invocation, "nodes", 1, NODES_MAX, &request->nodes, err) ||
		!take_count(invocation, "layout-version", LAYOUT_VERSION_CURRENT,
			LAYOUT_VERSION_CURRENT, &request->layout_version, err) ||
		!take_count(invocation, "phys-bits", address_bits[arch], 52, &bits, err) ||
		!take_count(invocation, "timeout", TIMEOUT_S, TIMEOUT_MAX_S, &boot->timeout_s,
			err) ||
		!take_size(invocation, "memory", &request->memory, err) ||
		!take_size(invocation, "device-space", &request->device_space, err))
		return false;
	request->arch = (GuestArch)arch;
	request->mtrr = (MtrrPolicy)mtrr;
	request->hardware = invocation_has(invocation, "acpi") ? LINUX_HARDWARE_ACPI
							       : LINUX_HARDWARE_DEVICE_TREE;
	request->address_bits = (uint8_t)bits;
	return true;
}

/*
 * Where its files are.
 */

static bool make_folder(Boot *boot, Error *err)
{
	const char *keep = invocation_value(boot->invocation, "keep");
	const char *base = getenv("TMPDIR");
	char *made;

	if (keep) {
		boot->folder = keep;
		if (!folder_make(keep, err))
			return false;
	} else {
		boot->folder = arena_printf(
			boot->arena, err, "%s/pvw-boot.XXXXXX", base && *base ? base : "/tmp");
		if (!boot->folder)
			return false;
		made = mkdtemp((char *)(uintptr_t)boot->folder);
		if (!made)
			return error_set(
				err, PVW_CLI_0002, "%s: %s", boot->folder, strerror(errno));
		boot->own_folder = true;
	}
	boot->memory_path = arena_printf(boot->arena, err, "%s/ram.img", boot->folder);
	if (!boot->memory_path)
		return false;
	boot->rom_path = arena_printf(boot->arena, err, "%s/rom.bin", boot->folder);
	return boot->rom_path != NULL;
}

static void remove_folder(const Boot *boot)
{
	if (!boot->own_folder)
		return;
	if (boot->memory_path)
		unlink(boot->memory_path);
	if (boot->rom_path)
		unlink(boot->rom_path);
	rmdir(boot->folder);
}

/* Beside the program where it was built, else where it is installed. */
static const char *find_roms(Boot *boot, Error *err)
{
	static const char *const places[] = { "agent/rom", "../share/pvw/rom" };
	const char *given = invocation_value(boot->invocation, "rom");
	char self[PATH_MAX];
	const ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *place = NULL;

	if (given || len < 0)
		return given ? given : ".";
	self[len] = 0;
	*strrchr(self, '/') = 0;
	for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
		place = arena_printf(boot->arena, err, "%s/%s", self, places[i]);
		if (!place || access(place, X_OK) == 0)
			break;
	}
	return place;
}

/*
 * The guest's memory and state.
 */

static void progress(const Boot *boot, const char *step, const char *outcome)
{
	if (invocation_verbosity(boot->invocation) >= 0)
		fprintf(stderr, "%-14s %s\n", step, outcome);
}

static bool make_machine(Boot *boot, Error *err)
{
	const QemuMachine *qemu = &boot->guest.qemu;
	char text[128];

	/* The last one's, in a folder that is kept. */
	unlink(boot->memory_path);
	if (!machine_make_memory(&boot->machine, boot->memory_path, err) ||
		!machine_size_memory(&boot->machine, qemu->memory_size, err))
		return false;
	boot->machine.windows = (MachineWindowList){ qemu->windows, qemu->window_count };
	snprintf(text, sizeof(text),
		"%s, %u processors, %s of memory, RAM below 4 GiB to 0x%" PRIx64, qemu->board,
		qemu->vps, size_text(qemu->memory_size).text, qemu->split);
	progress(boot, "Machine", text);
	return true;
}

/* The worker fills guest memory, and says how its processors begin. */
static bool fill_machine(Boot *boot, Error *err)
{
	Drive *drive = &boot->drive;

	drive->fixture = &boot->guest.fixture;
	drive->machine = &boot->machine;
	return reach_worker(boot->invocation, drive, err) && drive_prepare(drive, err) &&
		drive_verify(drive, err) && reach_end(drive, err) &&
		boot_state_take(
			drive->plan, boot->request.arch, boot->arena, &boot->registers, err);
}

/* What the board will overwrite, before it does. */
static bool read_covered(const Boot *boot, Bytes *out, Error *err)
{
	const MemoryRange covered = boot->guest.qemu.covered;
	const size_t len = (size_t)memory_range_len(covered);
	uint8_t *bytes = arena_alloc(boot->arena, len, 1, err);

	if (!bytes ||
		!machine_read(
			&boot->machine, "the start of RAM", covered.start, bytes, len, err))
		return false;
	*out = (Bytes){ bytes, len };
	return true;
}

static bool make_rom(Boot *boot, Error *err)
{
	StateRomInputs inputs = {
		.arch = boot->request.arch,
		.registers = boot->registers,
		.pm_base = BOOT_PM_BASE,
		.covered_gpa = boot->guest.qemu.covered.start,
	};
	const char *name = state_rom_file(boot->request.arch);
	const char *roms = find_roms(boot, err);
	const char *path =
		roms && name ? arena_printf(boot->arena, err, "%s/%s", roms, name) : NULL;
	Bytes image, filled;

	return path && read_covered(boot, &inputs.covered, err) &&
		file_read(path, STATE_ROM_MAX_SIZE, boot->arena, &image, err) &&
		state_rom_fill(&inputs, image, boot->arena, &filled, err) &&
		folder_write(boot->folder, "rom.bin", filled, err);
}

/* The command line, and, for those who asked, a copy of all that it stands for. */
static bool make_command(Boot *boot, Error *err)
{
	const QemuFiles files = {
		.program = invocation_value(boot->invocation, "qemu"),
		.memory = boot->memory_path,
		.rom = boot->rom_path,
	};

	return qemu_command(&boot->guest.qemu, &files, boot->arena, &boot->command, err) &&
		(boot->own_folder ||
			boot_keep_write(
				boot->folder, &boot->guest, &boot->drive, boot->command, err));
}

static bool prepare(Boot *boot, Error *err)
{
	return take_request(boot, err) &&
		boot_guest_describe(&boot->request, boot->arena, &boot->guest, err) &&
		make_folder(boot, err) && make_machine(boot, err) && fill_machine(boot, err) &&
		boot_state_check(boot->request.arch, boot->registers, &boot->machine, err) &&
		make_rom(boot, err) && make_command(boot, err);
}

/*
 * The guest.
 */

static bool run(Boot *boot, Error *err)
{
	QemuRun run = {
		.command = boot->command,
		.timeout_s = boot->timeout_s,
		.console = stdout,
	};
	char text[64];
	bool ended;

	if (!boot->own_folder) {
		const char *log =
			arena_printf(boot->arena, err, "%s/console.log", boot->folder);

		run.copy = log ? fopen(log, "w") : NULL;
		if (!run.copy)
			return log &&
				error_set(err, PVW_CLI_0002, "%s: %s", log, strerror(errno));
	}
	progress(boot, "Start", boot->command[0]);
	ended = qemu_run(&run, &boot->result, err);
	if (run.copy)
		fclose(run.copy);
	if (!ended)
		return false;
	snprintf(text, sizeof(text), "status %u after %u.%u s", boot->result.status,
		boot->result.elapsed_ms / 1000, boot->result.elapsed_ms % 1000 / 100);
	progress(boot, "End", text);
	return true;
}

ExitStatus command_boot(const Invocation *invocation)
{
	Boot boot = { .invocation = invocation,
		.arena = arena_new(ARENA_LIMIT),
		.machine = MACHINE_NONE,
		.drive = { .images = images_from_options(invocation),
			.quiet = invocation_verbosity(invocation) < 0 } };
	Error err = { 0 };
	bool ok;

	boot.drive.arena = boot.arena;
	if (!boot.arena)
		error_set(&err, PVW_MEM_0001, "no memory");
	ok = boot.arena && prepare(&boot, &err) &&
		(invocation_has(invocation, "prepare") || run(&boot, &err));
	client_close(boot.drive.client);
	machine_close(&boot.machine);
	if (boot.arena)
		remove_folder(&boot);
	arena_free(boot.arena);
	/* The guest's own word is the status. */
	return ok ? (ExitStatus)(boot.result.status & 0x7f) : report_error(invocation, &err);
}
