/*
 * QEMU as the machine of a layout: which of its boards has RAM where the layout has it, how the
 * memory's file is mapped, and the command line.
 *
 *	guest   [ RAM ...... )            [ RAM at 4 GiB ...... )	x86-64, from 0 on
 *	         |                         |
 *	file    [ 0 ...split )[ split ................... size )
 *
 *	guest   [ RAM ..... | device space | RAM at 4 GiB ...... )	aarch64, from 1 GiB on
 *	         |
 *	file    [ 0 ................................. split, size )
 *
 * Everything is pinned, and nothing but software emulates the processors: /dev/kvm is neither
 * used nor looked for. QEMU brings neither firmware nor tables: its ROM is ours (state_rom.h), the
 * rest is in memory.
 */
#ifndef AGENT_QEMU_H
#define AGENT_QEMU_H

#include "agent/machine.h"
#include "layout/resolver.h"
#include "layout/topology.h"

typedef struct QemuMachine {
	GuestArch arch;
	const char *board;    /* of -machine */
	uint64_t split;       /* bytes of the file that lie in the lower piece of RAM */
	uint64_t memory_size; /* bytes of the file */
	uint32_t vps;
	uint8_t address_bits;
	MemoryRange covered; /* RAM that the board overwrites at every reset; empty = none */
	MachineWindow windows[MACHINE_MAX_WINDOWS]; /* the guest's RAM in the file */
	size_t window_count;
} QemuMachine;

/* What of a machine is in files. */
typedef struct QemuFiles {
	const char *program; /* NULL: the architecture's, of the PATH */
	const char *memory, *rom;
} QemuFiles;

/**
 * qemu_machine_find - the machine of a layout
 * @address_bits: of the guest's processors
 *
 * Memory that the board has and the layout does not is in no window: the guest is not told of it.
 *
 * Errors: PVW_AGENT_0009 (UNSUPPORTED) RAM where no board has it, identifiers of processors that
 * QEMU does not give.
 */
MUST_CHECK bool qemu_machine_find(const ResolvedLayout *layout,
	const ProcessorTopology *topology, uint8_t address_bits, QemuMachine *out, Error *err);

/**
 * qemu_command - program and arguments, NULL at the end, without console and monitor
 * @out: lives in @arena; borrows from @machine and @files
 *
 * Errors: PVW_MEM_0001.
 */
MUST_CHECK bool qemu_command(const QemuMachine *machine, const QemuFiles *files, Arena *arena,
	const char *const **out, Error *err);

#endif
