/*
 * Boards by architecture, and the command line.
 */
#include "agent/qemu.h"

#include <inttypes.h>

#include "support/diagnostics.h"

#define ARGUMENTS_MAX 48

typedef struct QemuBoard {
	const char *name;
	uint64_t lone_max;  /* end of RAM without any at 4 GiB */
	uint64_t split_max; /* end of the lower RAM with some at 4 GiB; 0: the board has none */
} QemuBoard;

typedef struct QemuArch {
	const char *program;
	uint64_t ram_gpa;        /* where the file's first byte is seen */
	uint64_t covered_len;    /* bytes from there on that the board overwrites */
	bool one_piece;          /* RAM goes on through 4 GiB */
	const QemuBoard *boards; /* by preference */
	size_t board_count;
	/* Does QEMU number these processors as the topology does? */
	bool (*check_processors)(const ProcessorTopology *topology, Error *err);
	const char *(*machine_option)(const QemuMachine *machine, Arena *arena, Error *err);
	const char *(*processor_option)(const QemuMachine *machine, Arena *arena, Error *err);
	const char *const *devices; /* arguments, NULL at the end */
} QemuArch;

/*
 * x86-64.
 */

/*
 * q35 has at most 2 GiB in the lower piece as soon as there is a higher one, and rounds; this old
 * i440fx has what it is told.
 */
static const QemuBoard x86_boards[] = {
	{ "q35", 0xaffff000, 0x80000000 },
	{ "pc-i440fx-1.7", 0xfe000000, 0xfe000000 },
};

static bool check_x86_processors(const ProcessorTopology *topology, Error *err)
{
	for (size_t i = 0; i < topology->count; i++) {
		if (topology->vps[i].apic_id != i)
			return error_set(err, PVW_AGENT_0009,
				"processor %zu has apic id %u, expected %zu: qemu counts them",
				i, topology->vps[i].apic_id, i);
	}
	return true;
}

static const char *x86_machine_option(const QemuMachine *machine, Arena *arena, Error *err)
{
	return arena_printf(arena, err, "%s,memory-backend=ram,max-ram-below-4g=0x%" PRIx64,
		machine->board, machine->split);
}

/* What this model has and TCG has not is left out, so that QEMU has nothing to warn of. */
static const char *x86_processor_option(const QemuMachine *machine, Arena *arena, Error *err)
{
	return arena_printf(arena, err,
		"Skylake-Client-v1,phys-bits=%u,-pcid,-x2apic,-tsc-deadline,-hle,-invpcid,-rtm,"
		"-rdseed,-3dnowprefetch,-xsavec,-xsaves",
		machine->address_bits);
}

/* What the guest writes here ends the machine, and is the status. */
static const char *const x86_devices[] = {
	"-device",
	"isa-debug-exit,iobase=0xf4,iosize=4",
	NULL,
};

/*
 * aarch64. Without a kernel of its own to start, the board still writes its device tree to the
 * start of RAM, whenever it is reset.
 */

#define VIRT_RAM_GPA UINT64_C(0x40000000)
#define VIRT_RAM_END UINT64_C(0x4000000000)
#define VIRT_TREE_LEN UINT64_C(0x100000)
#define VIRT_CLUSTER 16 /* processors that differ in the lowest affinity only */

static const QemuBoard arm64_boards[] = {
	{ "virt,gic-version=3", VIRT_RAM_END, 0 },
};

static bool check_arm64_processors(const ProcessorTopology *topology, Error *err)
{
	for (size_t i = 0; i < topology->count; i++) {
		const uint64_t affinity = topology->vps[i].mpidr & MPIDR_AFFINITY;
		const uint64_t expected = i / VIRT_CLUSTER << 8 | i % VIRT_CLUSTER;

		if (affinity != expected)
			return error_set(err, PVW_AGENT_0009,
				"processor %zu has affinity 0x%" PRIx64 ", expected 0x%" PRIx64
				": qemu counts them",
				i, affinity, expected);
	}
	return true;
}

static const char *arm64_machine_option(const QemuMachine *machine, Arena *arena, Error *err)
{
	return arena_printf(arena, err, "%s,memory-backend=ram", machine->board);
}

static const char *arm64_processor_option(const QemuMachine *machine, Arena *arena, Error *err)
{
	(void)machine;
	return arena_printf(arena, err, "cortex-a72");
}

static const char *const arm64_devices[] = { NULL };

static const QemuArch archs[GUEST_ARCH_COUNT] = {
	[GUEST_ARCH_X86_64] = {
		.program = "qemu-system-x86_64",
		.boards = x86_boards,
		.board_count = ARRAY_COUNT(x86_boards),
		.check_processors = check_x86_processors,
		.machine_option = x86_machine_option,
		.processor_option = x86_processor_option,
		.devices = x86_devices,
	},
	[GUEST_ARCH_AARCH64] = {
		.program = "qemu-system-aarch64",
		.ram_gpa = VIRT_RAM_GPA,
		.covered_len = VIRT_TREE_LEN,
		.one_piece = true,
		.boards = arm64_boards,
		.board_count = ARRAY_COUNT(arm64_boards),
		.check_processors = check_arm64_processors,
		.machine_option = arm64_machine_option,
		.processor_option = arm64_processor_option,
		.devices = arm64_devices,
	},
};

/*
 * Memory.
 */

/* End of the last RAM that begins below 4 GiB, and the end of all. */
static void find_ends(NodeRangeList ram, uint64_t *low, uint64_t *high)
{
	*low = *high = 0;
	for (size_t i = 0; i < ram.count; i++) {
		if (ram.items[i].range.start < FOUR_GIB)
			*low = ram.items[i].range.end;
		*high = ram.items[i].range.end;
	}
}

static const QemuBoard *find_board(const QemuArch *arch, uint64_t low, bool split)
{
	for (size_t i = 0; i < arch->board_count; i++) {
		const QemuBoard *board = &arch->boards[i];

		if (low <= (split ? board->split_max : board->lone_max))
			return board;
	}
	return NULL;
}

/* RAM that touches, in guest and file, is one window. */
static bool add_window(QemuMachine *machine, MachineWindow window, Error *err)
{
	MachineWindow *last = machine->windows + machine->window_count - 1;

	if (machine->window_count && last->gpa + last->len == window.gpa &&
		last->offset + last->len == window.offset) {
		last->len += window.len;
		return true;
	}
	if (machine->window_count == MACHINE_MAX_WINDOWS)
		return error_set(err, PVW_AGENT_0009,
			"more than %d pieces of RAM, expected fewer", MACHINE_MAX_WINDOWS);
	machine->windows[machine->window_count++] = window;
	return true;
}

static bool add_windows(QemuMachine *machine, uint64_t ram_gpa, NodeRangeList ram, Error *err)
{
	for (size_t i = 0; i < ram.count; i++) {
		const MemoryRange range = ram.items[i].range;
		const uint64_t offset = range.start < ram_gpa + machine->split
			? range.start - ram_gpa
			: machine->split + (range.start - FOUR_GIB);

		if (!add_window(machine,
			    (MachineWindow){ range.start, memory_range_len(range), offset },
			    err))
			return false;
	}
	return true;
}

bool qemu_machine_find(const ResolvedLayout *layout, const ProcessorTopology *topology,
	uint8_t address_bits, QemuMachine *out, Error *err)
{
	const QemuArch *arch = &archs[topology->arch];
	QemuMachine machine = { .arch = topology->arch,
		.vps = (uint32_t)topology->count,
		.address_bits = address_bits };
	const QemuBoard *board;
	uint64_t low, high;
	bool split;

	find_ends(layout->ram, &low, &high);
	if (arch->one_piece)
		low = high;
	split = high > FOUR_GIB && !arch->one_piece;
	if (!layout->ram.count || layout->ram.items[0].range.start < arch->ram_gpa ||
		low <= arch->ram_gpa)
		return error_set(err, PVW_AGENT_0009,
			"RAM ends at 0x%" PRIx64 " below 4 GiB, expected it above 0x%" PRIx64,
			low, arch->ram_gpa);
	board = find_board(arch, low, split);
	if (!board)
		return error_set(err, PVW_AGENT_0009,
			"RAM ends at 0x%" PRIx64 " and at 0x%" PRIx64
			", expected what a board of qemu can have",
			low, high);
	machine.board = board->name;
	machine.split = low - arch->ram_gpa;
	machine.memory_size = machine.split + (split ? high - FOUR_GIB : 0);
	if (arch->covered_len)
		machine.covered =
			(MemoryRange){ arch->ram_gpa, arch->ram_gpa + arch->covered_len };
	if (!arch->check_processors(topology, err) ||
		!add_windows(&machine, arch->ram_gpa, layout->ram, err))
		return false;
	*out = machine;
	return true;
}

/*
 * The command line.
 */

bool qemu_command(const QemuMachine *machine, const QemuFiles *files, Arena *arena,
	const char *const **out, Error *err)
{
	const QemuArch *arch = &archs[machine->arch];
	const char **argv = arena_array(arena, const char *, ARGUMENTS_MAX, err);
	const char *board = arch->machine_option(machine, arena, err);
	const char *processor = board ? arch->processor_option(machine, arena, err) : NULL;
	const char *vps = processor ? arena_printf(arena, err, "%u", machine->vps) : NULL;
	const char *size =
		vps ? arena_printf(arena, err, "%" PRIu64 "B", machine->memory_size) : NULL;
	const char *backend = size
		? arena_printf(arena, err,
			  "memory-backend-file,id=ram,size=%s,mem-path=%s,share=on", size,
			  files->memory)
		: NULL;
	size_t count = 0;

	if (!argv || !backend)
		return false;

	const char *const fixed[] = {
		files->program ? files->program : arch->program,
		"-no-user-config",
		"-nodefaults",
		"-display",
		"none",
		"-no-reboot",
		"-monitor",
		"none",
		"-accel",
		"tcg,thread=multi",
		"-machine",
		board,
		"-cpu",
		processor,
		"-smp",
		vps,
		"-m",
		size,
		"-object",
		backend,
		"-bios",
		files->rom,
	};

	for (size_t i = 0; i < ARRAY_COUNT(fixed); i++)
		argv[count++] = fixed[i];
	for (const char *const *device = arch->devices; *device; device++)
		argv[count++] = *device;
	assert(count < ARGUMENTS_MAX);
	*out = argv;
	return true;
}
