/*
 * Images by architecture.
 */
#include "agent/state_rom.h"

#include <string.h>

static const struct {
	const char *file;
	bool (*fill)(const StateRomInputs *in, uint8_t *image, size_t len, Error *err);
} roms[GUEST_ARCH_COUNT] = {
	[GUEST_ARCH_X86_64] = { "state_x86.bin", state_rom_fill_x86 },
	[GUEST_ARCH_AARCH64] = { "state_arm64.bin", state_rom_fill_arm64 },
};

const char *state_rom_file(GuestArch arch)
{
	return roms[arch].file;
}

bool state_rom_fill(const StateRomInputs *in, Bytes image, Arena *arena, Bytes *out, Error *err)
{
	uint8_t *copy;

	copy = arena_alloc(arena, image.len + in->covered.len, 1, err);
	if (!copy)
		return false;
	memcpy(copy, image.data, image.len);
	if (in->covered.len)
		memcpy(copy + image.len, in->covered.data, in->covered.len);
	if (!roms[in->arch].fill(in, copy, image.len, err))
		return false;
	*out = (Bytes){ copy, image.len + in->covered.len };
	return true;
}
