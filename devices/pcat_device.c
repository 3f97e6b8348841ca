/*
 * The PCAT device's ports and addresses: who answers what.
 */
#include "devices/pcat_device.h"

#include <string.h>

#include "devices/pcat_internal.h"
#include "layout/fixed_map.h"

#define ADDRESS_PORT 0x28
#define DATA_PORT 0x2c
#define LAST_PORT 0x2f
#define REGISTER_WIDTH 4
#define POST_PORT 0x80
#define POST_END 0x50ac /* the last code: what only POST needs goes */

/* Operating systems look for a super I/O chip here, with single bytes. */
#define SUPER_IO_INDEX_PORT 0x2e
#define SUPER_IO_DATA_PORT 0x2f

/* The BIOS stores to its own read-only data here. */
#define ROM_WRITE_1 0xf5bea
#define ROM_WRITE_2 0xf5bfa

/* Probed during POST only; ascending. Reads give ones, writes are lost. */
static const struct {
	uint16_t first, last;
} stubs[] = {
	{ 0xeb, 0xeb },
	{ 0xee, 0xee },
	{ 0x102, 0x103 },
	{ 0x20b, 0x20b },
	{ 0x20f, 0x20f },
	{ 0x213, 0x213 },
	{ 0x217, 0x217 },
	{ 0x21b, 0x21b },
	{ 0x21f, 0x21f },
	{ 0x223, 0x223 },
	{ 0x227, 0x227 },
	{ 0x279, 0x279 },
	{ 0x6f0, 0x6f0 },
	{ 0xa79, 0xa79 },
	{ 0x46e8, 0x46e9 },
};

/* Where the ROM shows, and from which of its bytes on. */
static const struct {
	uint64_t start, end, offset;
} rom_windows[] = {
	{ PCAT_SHADOW_GPA, FIXED_END(PCAT_SHADOW), PCAT_ROM_SIZE - PCAT_SHADOW_SIZE },
	{ PCAT_ROM_GPA, FIXED_END(PCAT_ROM), 0 },
};

static_assert(2 + ARRAY_COUNT(stubs) + ARRAY_COUNT(rom_windows) == PCAT_MAX_CLAIMS, "claims");

static const char *const remarks[PCAT_REMARK_COUNT] = {
	[PCAT_REMARK_NONE] = "",
	[PCAT_REMARK_UNKNOWN_REGISTER] = "a register that the device does not have",
	[PCAT_REMARK_SRAT_SIZE] = "a buffer smaller than the SRAT",
	[PCAT_REMARK_SRAT_OFFSET] = "an offset behind the SRAT or the buffer",
	[PCAT_REMARK_SRAT_END] = "a read behind the SRAT",
	[PCAT_REMARK_SRAT_ADDRESS] = "an unlikely address for the SRAT",
	[PCAT_REMARK_E820_INDEX] = "a RAM range that is not there",
	[PCAT_REMARK_E820_READS] = "more than three reads of a RAM range",
	[PCAT_REMARK_ROM_READ] = "a read of a ROM that the device does not have",
	[PCAT_REMARK_ROM_WRITE] = "a write to ROM",
};

const char *pcat_remark_text(PcatRemark remark)
{
	return remark < PCAT_REMARK_COUNT ? remarks[remark] : "";
}

/* The low @width bytes. */
static uint64_t cut(uint64_t value, uint32_t width)
{
	return width < sizeof(value) ? value & ((UINT64_C(1) << 8 * width) - 1) : value;
}

static void refuse(PcatResult result, const PcatOperation *operation, PcatAnswer *out)
{
	out->result = result;
	out->value = cut(UINT64_MAX, operation->width);
}

static bool is_stub(const PcatState *state, uint64_t port)
{
	if (state->stubs_gone)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(stubs) && stubs[i].first <= port; i++) {
		if (port <= stubs[i].last)
			return true;
	}
	return false;
}

static void step_post(PcatState *state, const PcatOperation *operation, PcatAnswer *out)
{
	if (operation->kind == PCAT_PORT_READ) {
		out->value = cut(state->port80, operation->width);
		return;
	}
	state->port80 = (uint32_t)cut(operation->value, operation->width);
	if (state->port80 == POST_END)
		state->stubs_gone = true;
}

static void write_register(const PcatSetup *setup, PcatState *state,
	const PcatOperation *operation, PcatAnswer *out)
{
	const uint32_t value = (uint32_t)operation->value;

	if (operation->address == DATA_PORT) {
		pcat_register_write(setup, state, value, out);
		return;
	}
	state->address = value;
	state->read_count = 0;
	pcat_register_select(state, out);
}

static void read_register(const PcatSetup *setup, PcatState *state,
	const PcatOperation *operation, PcatAnswer *out)
{
	if (operation->address == ADDRESS_PORT) {
		out->value = state->address;
		return;
	}
	out->value = pcat_register_read(setup, state, out);
	state->read_count++;
}

static bool is_super_io(const PcatOperation *operation)
{
	return operation->width == 1 &&
		operation->address ==
		(operation->kind == PCAT_PORT_READ ? SUPER_IO_DATA_PORT : SUPER_IO_INDEX_PORT);
}

static void step_registers(const PcatSetup *setup, PcatState *state,
	const PcatOperation *operation, PcatAnswer *out)
{
	if (is_super_io(operation))
		out->value = UINT8_MAX;
	else if (operation->width != REGISTER_WIDTH)
		refuse(PCAT_BAD_WIDTH, operation, out);
	else if (operation->address != ADDRESS_PORT && operation->address != DATA_PORT)
		refuse(PCAT_BAD_REGISTER, operation, out);
	else if (operation->kind == PCAT_PORT_READ)
		read_register(setup, state, operation, out);
	else
		write_register(setup, state, operation, out);
}

static void step_port(const PcatSetup *setup, PcatState *state, const PcatOperation *operation,
	PcatAnswer *out)
{
	const uint64_t port = operation->address;
	const bool is_ours = port == POST_PORT || (port >= ADDRESS_PORT && port <= LAST_PORT) ||
		is_stub(state, port);

	if (!is_ours)
		refuse(PCAT_NOT_CLAIMED, operation, out);
	else if (operation->width > sizeof(uint32_t))
		refuse(PCAT_BAD_WIDTH, operation, out);
	else if (port == POST_PORT)
		step_post(state, operation, out);
	else if (port >= ADDRESS_PORT && port <= LAST_PORT)
		step_registers(setup, state, operation, out);
	else
		out->value = cut(UINT64_MAX, operation->width);
}

static void read_rom(const PcatSetup *setup, uint64_t offset, const PcatOperation *operation,
	PcatAnswer *out)
{
	if (setup->rom.len < offset + operation->width) {
		out->value = cut(UINT64_MAX, operation->width);
		out->remark = PCAT_REMARK_ROM_READ;
		return;
	}
	memcpy(&out->value, setup->rom.data + offset, operation->width);
}

static void step_memory(const PcatSetup *setup, const PcatOperation *operation, PcatAnswer *out)
{
	const uint64_t gpa = operation->address;

	for (size_t i = 0; i < ARRAY_COUNT(rom_windows); i++) {
		if (gpa < rom_windows[i].start || gpa >= rom_windows[i].end ||
			operation->width > rom_windows[i].end - gpa)
			continue;
		if (operation->kind == PCAT_MEMORY_READ)
			read_rom(setup, gpa - rom_windows[i].start + rom_windows[i].offset,
				operation, out);
		else if (gpa != ROM_WRITE_1 && gpa != ROM_WRITE_2)
			out->remark = PCAT_REMARK_ROM_WRITE;
		return;
	}
	refuse(PCAT_NOT_CLAIMED, operation, out);
}

void pcat_step(const PcatSetup *setup, PcatState *state, const PcatOperation *operation,
	PcatAnswer *out)
{
	*out = (PcatAnswer){ .result = PCAT_DONE };
	if (operation->kind == PCAT_PORT_READ || operation->kind == PCAT_PORT_WRITE)
		step_port(setup, state, operation, out);
	else
		step_memory(setup, operation, out);
}

void pcat_renew_generation_id(
	PcatState *state, const uint8_t id[GENERATION_ID_SIZE], PcatAnswer *out)
{
	*out = (PcatAnswer){
		.write = generation_id_renew(&state->generation_id, id),
		.pulse_gpe0 = true,
	};
}

void pcat_reset(PcatState *state, const uint8_t entropy[PCAT_ENTROPY_SIZE])
{
	GenerationId kept = state->generation_id;

	generation_id_reset(&kept);
	*state = (PcatState){ .generation_id = kept };
	memcpy(state->entropy, entropy, PCAT_ENTROPY_SIZE);
}

size_t pcat_claims(const PcatState *state, PcatClaim out[PCAT_MAX_CLAIMS])
{
	size_t count = 0;

	out[count++] = (PcatClaim){ true, ADDRESS_PORT, LAST_PORT, "pcat" };
	out[count++] = (PcatClaim){ true, POST_PORT, POST_PORT, "pcat.post" };
	for (size_t i = 0; i < ARRAY_COUNT(stubs) && !state->stubs_gone; i++)
		out[count++] = (PcatClaim){ true, stubs[i].first, stubs[i].last, "pcat.stub" };
	for (size_t i = 0; i < ARRAY_COUNT(rom_windows); i++)
		out[count++] = (PcatClaim){ false, rom_windows[i].start, rom_windows[i].end - 1,
			"pcat.rom" };
	return count;
}
