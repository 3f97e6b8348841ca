/*
 * The registers behind the PCAT device's address and data port, a row each.
 *
 * Whatever a guest says, arithmetic here does not wrap into something that looks right: positions
 * are computed in 64 bits, indices are compared with what there is. Only the count of reads wraps,
 * as any counter of 32 bits.
 * Source: [OVMM] vm/devices/firmware/firmware_pcat/src/lib.rs; [MU] MsvmPkg/Include/BiosInterface.h
 */
#include "devices/pcat_internal.h"

#include <string.h>

#define NOTHING UINT32_MAX /* what a read gives where there is nothing */
#define WORD sizeof(uint32_t)
#define GUID_WORDS 4
#define STRING_WORDS (PCAT_SETUP_STRING_SIZE / WORD)
#define MILLISECOND UINT64_C(1000000)
#define WAIT_UNIT_NS 100 /* register 0x17 */

typedef struct Row Row;

struct Row {
	const char *name;
	uint32_t (*read)(const Row *row, const PcatSetup *setup, const PcatState *state,
		PcatAnswer *out);
	void (*write)(
		const PcatSetup *setup, PcatState *state, uint32_t value, PcatAnswer *out);
	void (*select)(const Row *row, PcatState *state, PcatAnswer *out);
	size_t at;        /* of read_number and read_words: where in PcatSetup */
	uint64_t wait_ns; /* of select_wait */
};

/* The caller knows that it is there. */
static uint32_t word_at(Bytes bytes, size_t offset)
{
	uint32_t value;

	memcpy(&value, bytes.data + offset, sizeof(value));
	return value;
}

/*
 * Reads.
 */

static uint32_t read_number(
	const Row *row, const PcatSetup *setup, const PcatState *state, PcatAnswer *out)
{
	(void)state;
	(void)out;
	return *(const uint32_t *)(const void *)((const uint8_t *)setup + row->at);
}

/* A GUID or a string, a word at a time, from the start again behind its end. */
static uint32_t read_words(
	const Row *row, const PcatSetup *setup, const PcatState *state, PcatAnswer *out)
{
	const Bytes *bytes = (const Bytes *)(const void *)((const uint8_t *)setup + row->at);

	(void)out;
	return word_at(*bytes, state->read_count % (bytes->len / WORD) * WORD);
}

static uint32_t read_apic_id(
	const Row *row, const PcatSetup *setup, const PcatState *state, PcatAnswer *out)
{
	(void)row;
	(void)out;
	return state->read_count < setup->processor_count
		? word_at(setup->apic_ids, state->read_count * WORD)
		: NOTHING;
}

/* ACPI's _STA: is there a processor of that number? */
static uint32_t read_processor_sta(
	const Row *row, const PcatSetup *setup, const PcatState *state, PcatAnswer *out)
{
	(void)row;
	(void)out;
	return state->read_count < setup->processor_count;
}

static uint32_t read_srat_size(
	const Row *row, const PcatSetup *setup, const PcatState *state, PcatAnswer *out)
{
	(void)row;
	(void)state;
	(void)out;
	return (uint32_t)setup->srat.len;
}

static uint32_t read_srat_data(
	const Row *row, const PcatSetup *setup, const PcatState *state, PcatAnswer *out)
{
	const uint64_t at = state->srat_offset + WORD * (uint64_t)state->read_count;

	(void)row;
	if (at + WORD > setup->srat.len) {
		out->remark = PCAT_REMARK_SRAT_END;
		return 0;
	}
	return word_at(setup->srat, at);
}

/* RAM behind the first range, which the BIOS knows by itself. */
static uint32_t read_e820(
	const Row *row, const PcatSetup *setup, const PcatState *state, PcatAnswer *out)
{
	const size_t entry = state->e820_entry;

	(void)row;
	if (entry >= setup->e820_count) {
		/* With a single range the first question is how the BIOS finds out. */
		if (entry != 0)
			out->remark = PCAT_REMARK_E820_INDEX;
		return 0;
	}
	if (state->read_count >= PCAT_SETUP_E820_WORDS) {
		out->remark = PCAT_REMARK_E820_READS;
		return 0;
	}
	return word_at(setup->e820, (entry * PCAT_SETUP_E820_WORDS + state->read_count) * WORD);
}

/*
 * Writes.
 */

static void write_ignored(
	const PcatSetup *setup, PcatState *state, uint32_t value, PcatAnswer *out)
{
	(void)setup;
	(void)state;
	(void)value;
	(void)out;
}

static void write_srat_size(
	const PcatSetup *setup, PcatState *state, uint32_t value, PcatAnswer *out)
{
	state->srat_size = value;
	if (value < setup->srat.len)
		out->remark = PCAT_REMARK_SRAT_SIZE;
}

static void write_srat_offset(
	const PcatSetup *setup, PcatState *state, uint32_t value, PcatAnswer *out)
{
	state->srat_offset = value;
	if (value >= setup->srat.len || value >= state->srat_size)
		out->remark = PCAT_REMARK_SRAT_OFFSET;
}

static void write_srat(
	const PcatSetup *setup, PcatState *state, uint32_t value, PcatAnswer *out)
{
	(void)state;
	out->write = (GuestWrite){ value, setup->srat };
	if (value == 0 || value == UINT32_MAX)
		out->remark = PCAT_REMARK_SRAT_ADDRESS;
}

static void write_generation_id_low(
	const PcatSetup *setup, PcatState *state, uint32_t value, PcatAnswer *out)
{
	(void)setup;
	out->write = generation_id_point(&state->generation_id, GENERATION_ID_LOW, value);
}

static void write_generation_id_high(
	const PcatSetup *setup, PcatState *state, uint32_t value, PcatAnswer *out)
{
	(void)setup;
	out->write = generation_id_point(&state->generation_id, GENERATION_ID_HIGH, value);
}

/* The next read asks for that processor. */
static void write_processor_sta(
	const PcatSetup *setup, PcatState *state, uint32_t value, PcatAnswer *out)
{
	(void)setup;
	(void)out;
	state->read_count = value;
}

static void write_wait(
	const PcatSetup *setup, PcatState *state, uint32_t value, PcatAnswer *out)
{
	(void)setup;
	(void)state;
	out->defer_ns = (uint64_t)value * WAIT_UNIT_NS;
}

static void write_boot_finalize(
	const PcatSetup *setup, PcatState *state, uint32_t value, PcatAnswer *out)
{
	(void)setup;
	(void)state;
	(void)value;
	out->replay_mtrrs = true;
}

static void write_cpu_record(
	const PcatSetup *setup, PcatState *state, uint32_t value, PcatAnswer *out)
{
	(void)state;
	out->write = (GuestWrite){ value, setup->cpu_record };
}

static void write_entropy(
	const PcatSetup *setup, PcatState *state, uint32_t value, PcatAnswer *out)
{
	(void)setup;
	if (state->entropy_placed)
		return;
	state->entropy_placed = true;
	out->write = (GuestWrite){ value, { state->entropy, PCAT_ENTROPY_SIZE } };
}

/* Cut to 8 bits; what comes behind 255 is past every list, not its start. */
static void write_e820(
	const PcatSetup *setup, PcatState *state, uint32_t value, PcatAnswer *out)
{
	(void)setup;
	(void)out;
	state->e820_entry = (uint8_t)value;
}

/*
 * Registers that act when their address is written.
 */

static void select_wait(const Row *row, PcatState *state, PcatAnswer *out)
{
	(void)state;
	out->defer_ns = row->wait_ns;
}

static void select_boot_failure(const Row *row, PcatState *state, PcatAnswer *out)
{
	(void)row;
	out->event = PCAT_EVENT_BOOT_FAILURE;
	state->stubs_gone = true;
}

static void select_boot_attempt(const Row *row, PcatState *state, PcatAnswer *out)
{
	(void)row;
	out->event = PCAT_EVENT_BOOT_ATTEMPT;
	state->stubs_gone = true;
}

#define NUMBER(member) .read = read_number, .at = offsetof(PcatSetup, member)
#define WORDS(member) .read = read_words, .at = offsetof(PcatSetup, member)
#define WAIT(ns) .select = select_wait, .wait_ns = (ns)

/* By address; without a name: there is none. */
static const Row rows[] = {
	[0x00] = { "FIRST_MEMORY_BLOCK_SIZE", NUMBER(first_block_kib) },
	[0x01] = { "NUM_LOCK_ENABLED", NUMBER(num_lock) },
	[0x02] = { "BIOS_GUID", WORDS(bios_guid) },
	[0x03] = { "BIOS_SYSTEM_SERIAL_NUMBER", WORDS(strings[0]) },
	[0x04] = { "BIOS_BASE_SERIAL_NUMBER", WORDS(strings[1]) },
	[0x05] = { "BIOS_CHASSIS_SERIAL_NUMBER", WORDS(strings[2]) },
	[0x06] = { "BIOS_CHASSIS_ASSET_TAG", WORDS(strings[3]) },
	[0x07] = { "BOOT_DEVICE_ORDER", NUMBER(boot_order) },
	[0x08] = { "BIOS_PROCESSOR_COUNT", NUMBER(processor_count), .write = write_ignored },
	[0x09] = { "PROCESSOR_LOCAL_APIC_ID", .read = read_apic_id },
	[0x0a] = { "SRAT_SIZE", .read = read_srat_size, .write = write_srat_size },
	[0x0b] = { "SRAT_OFFSET", .write = write_srat_offset },
	[0x0c] = { "SRAT_DATA", .read = read_srat_data, .write = write_srat },
	[0x0d] = { "MEMORY_AMOUNT_ABOVE_4GB", NUMBER(above_4gib_mib) },
	[0x0e] = { "GENERATION_ID_PTR_LOW", .write = write_generation_id_low },
	[0x0f] = { "GENERATION_ID_PTR_HIGH", .write = write_generation_id_high },
	[0x10] = { "SLEEP_STATES", NUMBER(sleep_states) },
	[0x12] = { "PCI_IO_GAP_START", NUMBER(pci_io_gap_start) },
	[0x16] = { "PROCESSOR_STA_ENABLE", .read = read_processor_sta,
		.write = write_processor_sta },
	[0x17] = { "WAIT_NANO100", .write = write_wait },
	[0x18] = { "WAIT1_MILLISECOND", WAIT(MILLISECOND) },
	[0x19] = { "WAIT10_MILLISECONDS", WAIT(10 * MILLISECOND) },
	[0x1a] = { "BOOT_FINALIZE", .write = write_boot_finalize },
	[0x1b] = { "WAIT2_MILLISECOND", WAIT(2 * MILLISECOND) },
	[0x1c] = { "BIOS_LOCK_STRING", WORDS(strings[4]) },
	[0x1d] = { "PROCESSOR_DMTF_TABLE", .write = write_cpu_record },
	[0x1e] = { "ENTROPY_TABLE", .write = write_entropy },
	[0x1f] = { "MEMORY_ABOVE_HIGH_MMIO", NUMBER(above_high_mib) },
	[0x20] = { "HIGH_MMIO_GAP_BASE_IN_MB", NUMBER(high_gap_base_mib) },
	[0x21] = { "HIGH_MMIO_GAP_LENGTH_IN_MB", NUMBER(high_gap_length_mib) },
	[0x22] = { "E820_ENTRY", .read = read_e820, .write = write_e820 },
	[0x23] = { "INITIAL_MEGABYTES_BELOW_GAP", NUMBER(below_gap_mib) },
	[0x3a] = { "REPORT_BOOT_FAILURE", .select = select_boot_failure },
	[0x3b] = { "REPORT_BOOT_ATTEMPT", .select = select_boot_attempt },
};

static_assert(GUID_WORDS * WORD == sizeof(Guid), "a GUID is whole words");
static_assert(STRING_WORDS * WORD == PCAT_SETUP_STRING_SIZE, "a string is whole words");

static const Row *find_row(uint32_t address)
{
	return address < ARRAY_COUNT(rows) && rows[address].name ? &rows[address] : NULL;
}

const char *pcat_register_name(uint32_t address)
{
	const Row *row = find_row(address);

	return row ? row->name : NULL;
}

void pcat_register_select(PcatState *state, PcatAnswer *out)
{
	const Row *row = find_row(state->address);

	if (row && row->select)
		row->select(row, state, out);
}

uint32_t pcat_register_read(const PcatSetup *setup, const PcatState *state, PcatAnswer *out)
{
	const Row *row = find_row(state->address);

	if (row && row->read)
		return row->read(row, setup, state, out);
	out->remark = PCAT_REMARK_UNKNOWN_REGISTER;
	return NOTHING;
}

void pcat_register_write(
	const PcatSetup *setup, PcatState *state, uint32_t value, PcatAnswer *out)
{
	const Row *row = find_row(state->address);

	if (row && row->write)
		row->write(setup, state, value, out);
	else
		out->remark = PCAT_REMARK_UNKNOWN_REGISTER;
}
