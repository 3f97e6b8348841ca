/*
 * EFI's system table and memory map. Source: [UEFI210] 4, 7.2
 */
#include "loaders/efi_tables.h"

#include <inttypes.h>

#include "loaders/smbios.h"
#include "support/byte_writer.h"
#include "support/diagnostics.h"

/* Each area cuts a record into two more pieces. */
size_t efi_memory_map_bound(size_t ram_count, size_t area_count)
{
	return (ram_count + 2 * area_count) * sizeof(EfiMemoryDescriptor);
}

static EfiMemoryDescriptor describe(const LayoutRecord *record)
{
	EfiMemoryDescriptor descriptor = { .type = EFI_CONVENTIONAL,
		.attributes = EFI_MEMORY_WB };

	if (record->igvm_type == IGVM_SPECIFIC_PURPOSE)
		descriptor.attributes |= EFI_MEMORY_SP;
	else if (!layout_record_is_ordinary(record))
		descriptor.type = EFI_RESERVED;
	return descriptor;
}

static void put_piece(
	ByteWriter *w, EfiMemoryDescriptor descriptor, uint64_t start, uint64_t end)
{
	if (start == end)
		return;
	descriptor.start = start;
	descriptor.pages = (end - start) / PAGE_SIZE;
	put_struct(w, descriptor);
}

/* The areas of one record; @next moves behind them. */
static void put_record(
	ByteWriter *w, const LayoutRecord *record, EfiAreaList areas, size_t *next)
{
	const EfiMemoryDescriptor rest = describe(record);
	uint64_t at = record->range.start;

	while (*next < areas.count) {
		const EfiArea *area = &areas.items[*next];
		const EfiMemoryDescriptor descriptor = { .type = area->type,
			.attributes = EFI_MEMORY_WB };

		if (area->range.start < at || area->range.end > record->range.end)
			break;
		put_piece(w, rest, at, area->range.start);
		put_piece(w, descriptor, area->range.start, area->range.end);
		at = area->range.end;
		(*next)++;
	}
	put_piece(w, rest, at, record->range.end);
}

bool efi_build_memory_map(LayoutRecordList ram, EfiAreaList areas, size_t capacity,
	Arena *arena, Bytes *out, Error *err)
{
	size_t next = 0;
	ByteWriter w;
	Bytes map;

	if (!byte_writer_in_arena(arena, efi_memory_map_bound(ram.count, areas.count), &w, err))
		return false;
	for (size_t i = 0; i < ram.count; i++)
		put_record(&w, &ram.items[i], areas, &next);
	if (!byte_writer_finish(&w, "efi memory map", &map, err))
		return false;
	if (next < areas.count)
		return error_set(err, PVW_EFI_0002,
			"area " RANGE_FORMAT
			" of type %d, expected it inside one range of RAM, behind the area "
			"before it",
			RANGE_ARGS(areas.items[next].range), (int)areas.items[next].type);
	if (map.len > capacity)
		return error_set(err, PVW_EFI_0001,
			"%zu descriptors, expected at most the %zu that fit %zu bytes",
			map.len / sizeof(EfiMemoryDescriptor),
			capacity / sizeof(EfiMemoryDescriptor), capacity);
	*out = map;
	return true;
}

/*
 * tables
 */

/* {8868e871-e4f1-11d3-bc22-0080c73c8881} and so on, as they lie in memory */
static const Guid guid_acpi = { { 0x71, 0xe8, 0x68, 0x88, 0xf1, 0xe4, 0xd3, 0x11, 0xbc, 0x22,
	0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 } };
/* {eb66918a-7eef-402a-842e-931d21c38ae9} */
static const Guid guid_runtime = { { 0x8a, 0x91, 0x66, 0xeb, 0xef, 0x7e, 0x2a, 0x40, 0x84, 0x2e,
	0x93, 0x1d, 0x21, 0xc3, 0x8a, 0xe9 } };
/* {f2fd1544-9794-4a2c-992e-e5bbcf20e394} */
static const Guid guid_smbios3 = { { 0x44, 0x15, 0xfd, 0xf2, 0x94, 0x97, 0x2c, 0x4a, 0x99, 0x2e,
	0xe5, 0xbb, 0xcf, 0x20, 0xe3, 0x94 } };

static const uint16_t vendor[] = { 'O', 'p', 'e', 'n', 'V', 'M', 'M', 0 };

#define TABLE_COUNT 3

/* Where things lie, from the system table on; each at a multiple of what it wants. */
enum {
	AT_TABLES = sizeof(EfiSystemTable),
	AT_VENDOR = AT_TABLES + TABLE_COUNT * sizeof(EfiConfigurationTable),
	AT_RUNTIME = AT_VENDOR + sizeof(vendor),
	AT_ANCHOR = (AT_RUNTIME + sizeof(EfiRuntimeProperties) + 15) / 16 * 16,
	AT_STRUCTURES = (AT_ANCHOR + sizeof(SmbiosAnchor) + 15) / 16 * 16,
};
static_assert(AT_TABLES % 8 == 0 && AT_RUNTIME % 4 == 0, "naturally aligned");

size_t efi_tables_len(size_t smbios_len)
{
	return AT_STRUCTURES + smbios_len;
}

/* CRC-32 of IEEE 802.3, as EFI wants it. [UEFI210] 4.2 */
static uint32_t crc32_of(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static EfiSystemTable system_table(uint64_t gpa)
{
	EfiSystemTable table = {
		.signature = EFI_SYSTEM_TABLE_SIGNATURE,
		.revision = EFI_REVISION_2_70,
		.header_size = sizeof(table),
		.firmware_vendor = gpa + AT_VENDOR,
		.table_count = TABLE_COUNT,
		.tables = gpa + AT_TABLES,
	};

	table.crc32 = crc32_of(&table, sizeof(table));
	return table;
}

bool efi_build_tables(const EfiTableInputs *in, Arena *arena, Bytes *out, Error *err)
{
	const EfiSystemTable system = system_table(in->gpa);
	const EfiConfigurationTable tables[TABLE_COUNT] = {
		{ guid_acpi, in->rsdp_gpa },
		{ guid_runtime, in->gpa + AT_RUNTIME },
		{ guid_smbios3, in->gpa + AT_ANCHOR },
	};
	const EfiRuntimeProperties runtime = { .version = 1, .length = sizeof(runtime) };
	const SmbiosAnchor anchor = smbios_anchor(in->gpa + AT_STRUCTURES, in->smbios.len);
	ByteWriter w;

	if (!byte_writer_in_arena(arena, efi_tables_len(in->smbios.len), &w, err))
		return false;
	put_struct(&w, system);
	put_struct(&w, tables);
	put_struct(&w, vendor);
	put_struct(&w, runtime);
	put_padding(&w, 16);
	put_struct(&w, anchor);
	put_padding(&w, 16);
	put_bytes(&w, in->smbios.data, in->smbios.len);
	return byte_writer_finish(&w, "efi tables", out, err);
}
