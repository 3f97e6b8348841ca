/*
 * The PCAT device's state: a record.
 */
#include "devices/pcat_saved.h"

#include <string.h>

#include "support/diagnostics.h"

static const char magic[8] = "PVWPCST1";

/* docs/formats.md, "PCAT device state" */
typedef struct PACKED Saved {
	char magic[8];
	uint32_t address, read_count;
	uint32_t srat_offset, srat_size;
	uint32_t port80;
	uint8_t e820_entry;
	uint8_t entropy_placed, stubs_gone; /* 0 or 1 */
	uint8_t known; /* bit 0: low half of the pointer, bit 1: high half */
	uint32_t pointer[GENERATION_ID_HALVES];
	uint8_t id[GENERATION_ID_SIZE];
	uint8_t entropy[PCAT_ENTROPY_SIZE];
} Saved;
static_assert(sizeof(Saved) == PCAT_SAVED_SIZE, "docs/formats.md");
static_assert(offsetof(Saved, pointer) == 32, "docs/formats.md");

void pcat_save(const PcatState *state, uint8_t out[PCAT_SAVED_SIZE])
{
	const GenerationId *generation = &state->generation_id;
	Saved saved = {
		.address = state->address,
		.read_count = state->read_count,
		.srat_offset = state->srat_offset,
		.srat_size = state->srat_size,
		.port80 = state->port80,
		.e820_entry = state->e820_entry,
		.entropy_placed = state->entropy_placed,
		.stubs_gone = state->stubs_gone,
	};

	memcpy(saved.magic, magic, sizeof(magic));
	for (size_t half = 0; half < GENERATION_ID_HALVES; half++) {
		saved.known |= (uint8_t)(generation->known[half] << half);
		saved.pointer[half] = generation->pointer[half];
	}
	memcpy(saved.id, generation->id, sizeof(saved.id));
	memcpy(saved.entropy, state->entropy, sizeof(saved.entropy));
	memcpy(out, &saved, sizeof(saved));
}

static bool check(const Saved *saved, Error *err)
{
	if (memcmp(saved->magic, magic, sizeof(magic)) != 0)
		return error_set(err, PVW_PCAT_0011, "no magic, expected \"%.8s\"", magic);
	if (saved->entropy_placed > 1 || saved->stubs_gone > 1)
		return error_set(err, PVW_PCAT_0011, "flags %u and %u, expected 0 or 1",
			saved->entropy_placed, saved->stubs_gone);
	for (size_t half = 0; half < GENERATION_ID_HALVES; half++) {
		if (!(saved->known & 1u << half) && saved->pointer[half])
			return error_set(err, PVW_PCAT_0011,
				"half %zu of the generation id's address is unknown and 0x%x, "
				"expected 0",
				half, saved->pointer[half]);
	}
	return saved->known >> GENERATION_ID_HALVES == 0 ||
		error_set(err, PVW_PCAT_0011, "known halves 0x%x, expected at most 0x3",
			saved->known);
}

bool pcat_restore(Bytes bytes, PcatState *out, Error *err)
{
	Saved saved;

	if (bytes.len != sizeof(saved))
		return error_set(err, PVW_PCAT_0011, "%zu bytes, expected %zu", bytes.len,
			sizeof(saved));
	memcpy(&saved, bytes.data, sizeof(saved));
	if (!check(&saved, err))
		return false;

	*out = (PcatState){
		.address = saved.address,
		.read_count = saved.read_count,
		.srat_offset = saved.srat_offset,
		.srat_size = saved.srat_size,
		.port80 = saved.port80,
		.e820_entry = saved.e820_entry,
		.entropy_placed = saved.entropy_placed,
		.stubs_gone = saved.stubs_gone,
	};
	for (size_t half = 0; half < GENERATION_ID_HALVES; half++) {
		out->generation_id.known[half] = saved.known >> half & 1;
		out->generation_id.pointer[half] = saved.pointer[half];
	}
	memcpy(out->generation_id.id, saved.id, sizeof(saved.id));
	memcpy(out->entropy, saved.entropy, sizeof(saved.entropy));
	return true;
}
