/*
 * Answers of the PCAT helper device, from the memory map, the topology and the settings.
 * Source: [OVMM] vm/devices/firmware/firmware_pcat/src/{lib,bios_boot_order}.rs
 */
#include "loaders/pcat_config.h"

#include <inttypes.h>
#include <string.h>

#include "support/byte_writer.h"
#include "support/checked.h"
#include "support/diagnostics.h"

#define KIB_SHIFT 10
#define MIB_SHIFT 20
#define SLEEP_STATE_S4 8
#define E820_PRESENT 1
#define E820_MORE 4
#define E820_LENGTH_SHIFT 3
#define E820_LENGTH_MAX (UINT32_MAX >> E820_LENGTH_SHIFT) /* MiB */
#define NIBBLE 4                                          /* bits */
#define BOOT_ORDER_DEFAULT 0x76543210U

/* "pcat.config", docs/formats.md; @total counts every byte of it */
typedef struct PACKED PcatConfigHeader {
	char magic[8];
	uint32_t total;
	uint32_t first_block_kib;
	uint32_t num_lock;
	Guid bios_guid;
	uint8_t strings[PCAT_STRING_COUNT][PCAT_STRING_SIZE];
	uint32_t boot_order;
	uint32_t above_4gib_mib;
	uint32_t sleep_states;
	uint32_t pci_io_gap_start;
	uint32_t above_high_mib;
	uint32_t high_gap_base_mib;
	uint32_t high_gap_length_mib;
	uint32_t below_gap_mib;
	uint8_t cpu_record[PCAT_CPU_RECORD_SIZE];
	uint8_t reserved;
	uint32_t processor_count, e820_count, srat_len;
} PcatConfigHeader;
static_assert(sizeof(PcatConfigHeader) == 364, "docs/formats.md");
static_assert(offsetof(PcatConfigHeader, boot_order) == 196, "docs/formats.md");
static_assert(offsetof(PcatConfigHeader, cpu_record) == 228, "docs/formats.md");
static_assert(sizeof(PcatE820Entry) == 12, "docs/formats.md");

static const char magic[] = "PVWPCAT1";

/* A register's value in MiB, or the reason why it has none. */
static bool to_mib(uint64_t bytes, const char *what, uint32_t *out, Error *err)
{
	if (bytes >> MIB_SHIFT > UINT32_MAX)
		return error_set(err, PVW_PCAT_0002,
			"%s is 0x%" PRIx64 " bytes, expected less than 2^52", what, bytes);
	*out = (uint32_t)(bytes >> MIB_SHIFT);
	return true;
}

/* Which RAM ranges a register counts. */
typedef bool (*CountsRange)(MemoryRange range, MemoryRange high);

static bool ends_above_4gib(MemoryRange range, MemoryRange high)
{
	(void)high;
	return range.end >= FOUR_GIB;
}

static bool ends_below_4gib(MemoryRange range, MemoryRange high)
{
	(void)high;
	return range.end < FOUR_GIB;
}

static bool starts_behind_high(MemoryRange range, MemoryRange high)
{
	return range.start >= high.end;
}

static bool sum_mib(const PcatConfigInputs *in, CountsRange counts, const char *what,
	uint32_t *out, Error *err)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < in->ram.count; i++) {
		const MemoryRange range = in->ram.items[i];

		if (counts(range, in->high) &&
			!checked_add_u64(sum, memory_range_len(range), &sum))
			return error_set(err, PVW_PCAT_0002, "%s wraps around 2^64", what);
	}
	return to_mib(sum, what, out, err);
}

static bool check_windows(const PcatConfigInputs *in, Error *err)
{
	if (memory_range_is_empty(in->low) || memory_range_is_empty(in->high))
		return error_set(err, PVW_PCAT_0001,
			"the %s mmio window is empty, expected a low and a high one",
			memory_range_is_empty(in->low) ? "low" : "high");
	if (in->low.start >= FOUR_GIB)
		return error_set(err, PVW_PCAT_0002,
			"the low mmio window starts at 0x%" PRIx64 ", expected it below 4 GiB",
			in->low.start);
	if (memory_range_len(in->high) >> MIB_SHIFT == 0)
		return error_set(err, PVW_PCAT_0002,
			"the high mmio window is 0x%" PRIx64
			" bytes long, expected at least 1 MiB",
			memory_range_len(in->high));
	return true;
}

static bool decide_memory(const PcatConfigInputs *in, PcatConfig *config, Error *err)
{
	uint64_t first_kib;

	if (!check_windows(in, err))
		return false;
	if (in->ram.count == 0)
		return error_set(
			err, PVW_PCAT_0002, "there is no ram, expected one range or more");
	first_kib = memory_range_len(in->ram.items[0]) >> KIB_SHIFT;
	if (first_kib > UINT32_MAX)
		return error_set(err, PVW_PCAT_0002,
			"the first ram range is %" PRIu64 " KiB long, expected less than 4 TiB",
			first_kib);

	config->first_block_kib = (uint32_t)first_kib;
	config->pci_io_gap_start = (uint32_t)in->low.start;
	if (!sum_mib(in, ends_above_4gib, "ram above 4 GiB", &config->above_4gib_mib, err) ||
		!sum_mib(in, ends_below_4gib, "ram below 4 GiB", &config->below_gap_mib, err) ||
		!sum_mib(in, starts_behind_high, "ram above the high window",
			&config->above_high_mib, err) ||
		!to_mib(in->high.start, "the start of the high window",
			&config->high_gap_base_mib, err) ||
		!to_mib(memory_range_len(in->high), "the high window",
			&config->high_gap_length_mib, err))
		return false;
	config->high_gap_length_mib--;
	return true;
}

/* Longer ranges than the field holds are cut: less RAM is safe to believe, wrapped is not. */
static PcatE820Entry e820_entry(MemoryRange range, bool more)
{
	const uint64_t mib = memory_range_len(range) >> MIB_SHIFT;
	const uint32_t length = mib < E820_LENGTH_MAX ? (uint32_t)mib : E820_LENGTH_MAX;

	return (PcatE820Entry){
		.head = E820_PRESENT | (more ? E820_MORE : 0) | length << E820_LENGTH_SHIFT,
		.base_low = (uint32_t)range.start,
		.base_high = (uint32_t)(range.start >> 32),
	};
}

static bool list_e820(const PcatConfigInputs *in, Arena *arena, PcatConfig *config, Error *err)
{
	const size_t count = in->ram.count - 1;
	PcatE820Entry *entries = arena_array(arena, PcatE820Entry, count, err);

	if (!entries)
		return false;
	for (size_t i = 0; i < count; i++)
		entries[i] = e820_entry(in->ram.items[i + 1], i + 1 < count);
	config->e820 = entries;
	config->e820_count = count;
	return true;
}

static bool list_processors(
	const ProcessorTopology *topology, Arena *arena, PcatConfig *config, Error *err)
{
	uint32_t *ids = arena_array(arena, uint32_t, topology->count, err);

	if (!ids)
		return false;
	for (size_t i = 0; i < topology->count; i++)
		ids[i] = topology->vps[i].apic_id;
	config->apic_ids = ids;
	config->processor_count = topology->count;
	return true;
}

uint32_t pcat_boot_order(const PcatBootDevice order[PCAT_BOOT_DEVICE_COUNT],
	const bool detached[PCAT_BOOT_DEVICE_COUNT])
{
	uint32_t place[PCAT_BOOT_DEVICE_COUNT];
	uint32_t value = BOOT_ORDER_DEFAULT, next = 0, priority = 0;

	for (size_t kind = 0; kind < PCAT_BOOT_DEVICE_COUNT; kind++)
		place[kind] = detached[kind] ? 0 : next++;
	for (size_t i = 0; i < PCAT_BOOT_DEVICE_COUNT; i++) {
		uint32_t shift;

		if (detached[order[i]])
			continue;
		shift = place[order[i]] * NIBBLE;
		value = (value & ~(0xfU << shift)) | priority++ << shift;
	}
	return value;
}

static bool decide_boot_order(const PcatConfigInputs *in, PcatConfig *config, Error *err)
{
	const PcatBootDevice *order = in->settings->pcat.boot_order;
	unsigned seen = 0;

	for (size_t i = 0; i < PCAT_BOOT_DEVICE_COUNT; i++) {
		if (order[i] >= PCAT_BOOT_DEVICE_COUNT || seen & 1U << order[i])
			return error_set(err, PVW_PCAT_0006,
				"boot device %zu is of kind %d, expected each of the kinds 0 "
				"to %d once",
				i, (int)order[i], PCAT_BOOT_DEVICE_COUNT - 1);
		seen |= 1U << order[i];
	}
	config->boot_order = pcat_boot_order(order, in->detached);
	return true;
}

static void pad_string(Bytes text, uint8_t out[PCAT_STRING_SIZE])
{
	const size_t len = text.len < PCAT_STRING_SIZE ? text.len : PCAT_STRING_SIZE;

	memset(out, ' ', PCAT_STRING_SIZE);
	if (len)
		memcpy(out, text.data, len);
}

static void decide_identity(const PlatformSettings *settings, PcatConfig *config)
{
	const SmbiosSettings *smbios = &settings->smbios;

	config->num_lock = settings->pcat.num_lock;
	config->bios_guid = settings->bios_guid;
	config->sleep_states = settings->uefi.hibernation ? SLEEP_STATE_S4 : 0;
	pad_string(smbios->serial_number, config->strings[PCAT_STRING_SYSTEM_SERIAL]);
	pad_string(smbios->base_board_serial, config->strings[PCAT_STRING_BASE_BOARD_SERIAL]);
	pad_string(smbios->chassis_serial, config->strings[PCAT_STRING_CHASSIS_SERIAL]);
	pad_string(smbios->chassis_asset_tag, config->strings[PCAT_STRING_CHASSIS_ASSET_TAG]);
	pad_string(smbios->bios_lock, config->strings[PCAT_STRING_BIOS_LOCK]);
	pcat_cpu_record(smbios, config->cpu_record);
}

bool pcat_config_build(const PcatConfigInputs *in, Arena *arena, PcatConfig *out, Error *err)
{
	PcatConfig config = { .srat = in->srat };

	if (!decide_memory(in, &config, err) || !decide_boot_order(in, &config, err) ||
		!list_e820(in, arena, &config, err) ||
		!list_processors(in->topology, arena, &config, err))
		return false;
	decide_identity(in->settings, &config);
	*out = config;
	return true;
}

bool pcat_config_write(const PcatConfig *config, Arena *arena, Bytes *out, Error *err)
{
	const size_t ids_len = config->processor_count * sizeof(*config->apic_ids);
	const size_t e820_len = config->e820_count * sizeof(*config->e820);
	const size_t total = sizeof(PcatConfigHeader) + ids_len + e820_len + config->srat.len;
	PcatConfigHeader header = {
		.total = (uint32_t)total,
		.first_block_kib = config->first_block_kib,
		.num_lock = config->num_lock,
		.bios_guid = config->bios_guid,
		.boot_order = config->boot_order,
		.above_4gib_mib = config->above_4gib_mib,
		.sleep_states = config->sleep_states,
		.pci_io_gap_start = config->pci_io_gap_start,
		.above_high_mib = config->above_high_mib,
		.high_gap_base_mib = config->high_gap_base_mib,
		.high_gap_length_mib = config->high_gap_length_mib,
		.below_gap_mib = config->below_gap_mib,
		.processor_count = (uint32_t)config->processor_count,
		.e820_count = (uint32_t)config->e820_count,
		.srat_len = (uint32_t)config->srat.len,
	};
	ByteWriter w;

	memcpy(header.magic, magic, sizeof(header.magic));
	memcpy(header.strings, config->strings, sizeof(header.strings));
	memcpy(header.cpu_record, config->cpu_record, sizeof(header.cpu_record));
	if (!byte_writer_in_arena(arena, total, &w, err))
		return false;
	put_struct(&w, header);
	put_bytes(&w, config->apic_ids, ids_len);
	put_bytes(&w, config->e820, e820_len);
	put_bytes(&w, config->srat.data, config->srat.len);
	return byte_writer_finish(&w, "pcat.config", out, err);
}
