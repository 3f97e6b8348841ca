/*
 * ROMs that bring a machine into the state of a plan and jump to its guest: assembled from
 * agent/rom/, with the state written into a copy of the image.
 *
 * Nothing of it lies in guest memory.
 */
#ifndef AGENT_STATE_ROM_H
#define AGENT_STATE_ROM_H

#include "loaders/registers.h"
#include "support/bytes.h"

/* x86-64: where the ROM runs. */
#define STATE_ROM_X86_GPA UINT64_C(0xffff0000)

#define STATE_ROM_MAX_SIZE ((size_t)1024 * 1024) /* bytes */

typedef struct StateRomInputs {
	GuestArch arch;
	RegisterList registers;
	uint32_t pm_base; /* x86-64: port of power management; 0 = leave it off */
	Bytes covered; /* guest memory that the board overwrites, see qemu.h: put back first */
	uint64_t covered_gpa;
} StateRomInputs;

/** state_rom_file - "state_x86.bin" */
const char *state_rom_file(GuestArch arch);

/**
 * state_rom_fill - an image with the state in it
 * @image: as assembled
 * @out:   lives in @arena; what is put back stands behind the image
 *
 * Errors: PVW_AGENT_0011 (BAD_VALUE) not an image of this program's, or pieces of another size
 * than it copies.
 */
MUST_CHECK bool state_rom_fill(
	const StateRomInputs *in, Bytes image, Arena *arena, Bytes *out, Error *err);

/* One for each architecture; @image is the copy to be filled. */
MUST_CHECK bool state_rom_fill_x86(
	const StateRomInputs *in, uint8_t *image, size_t len, Error *err);
MUST_CHECK bool state_rom_fill_arm64(
	const StateRomInputs *in, uint8_t *image, size_t len, Error *err);

#endif
