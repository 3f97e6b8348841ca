/*
 * A folder with everything that a boot was made of: to be looked at, to be started again by hand,
 * to be judged by somebody else.
 *
 *	vm.json  boot.dtb  plan.json  layout.json  NAME.bin of each artifact that is not an image
 *	ram.img  rom.bin  console.log
 *	qemu.args   program and arguments, one a line, without a console
 */
#ifndef AGENT_BOOT_KEEP_H
#define AGENT_BOOT_KEEP_H

#include "agent/boot_guest.h"
#include "agent/drive.h"

/**
 * boot_keep_write - all but memory, ROM and console
 * @drive:   that has a plan; artifacts are read from its machine's memory
 * @command: of qemu_command
 *
 * Errors: PVW_CLI_0002 (IO), PVW_CLI_0003 (BAD_VALUE) an artifact whose name is no file name,
 * PVW_AGENT_0001 (IO), PVW_MEM_0001.
 */
MUST_CHECK bool boot_keep_write(const char *folder, const BootGuest *guest, const Drive *drive,
	const char *const *command, Error *err);

#endif
