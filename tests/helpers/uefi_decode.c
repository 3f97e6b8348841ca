/*
 * The firmware's walk over its configuration.
 */
#include "helpers/uefi_decode.h"

#include <string.h>

static uint64_t number(Bytes bytes, size_t at, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size && at + i < bytes.len; i++)
		value |= (uint64_t)bytes.data[at + i] << (8 * i);
	return value;
}

uint16_t uefi_decode_u16(Bytes payload, size_t at)
{
	return (uint16_t)number(payload, at, 2);
}

uint32_t uefi_decode_u32(Bytes payload, size_t at)
{
	return (uint32_t)number(payload, at, 4);
}

uint64_t uefi_decode_u64(Bytes payload, size_t at)
{
	return number(payload, at, 8);
}

static uint32_t fixed_length(uint32_t type)
{
	static const uint32_t table[][2] = {
		{ 0x00, 16 },
		{ 0x01, 16 },
		{ 0x04, 72 },
		{ 0x05, 24 },
		{ 0x0b, 32 },
		{ 0x12, 16 },
		{ 0x13, 24 },
		{ 0x17, 16 },
		{ 0x19, 24 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i][0] == type)
			return table[i][1];
	}
	return 0;
}

static bool is_table(uint32_t type)
{
	static const uint8_t types[] = { 0x02, 0x16, 0x18, 0x20, 0x21, 0x22, 0x24, 0x25, 0x26,
		0x27 };

	return memchr(types, (int)type, sizeof(types)) != NULL && type < 0x29;
}

/* The walk: record 0 says how many there are and how long they are together. */
static const char *walk(Bytes blob, UefiDecoded *out)
{
	const uint32_t count = uefi_decode_u32(blob, 8), size = uefi_decode_u32(blob, 12);
	size_t at = 0;

	if (blob.len < 16 || uefi_decode_u32(blob, 0) != 0 || uefi_decode_u32(blob, 4) != 16)
		return "the first record is not the count";
	if (count < 2)
		return "fewer than two records";
	if (count > UEFI_DECODE_MAX_RECORDS)
		return "more records than this decoder holds";
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t type = uefi_decode_u32(blob, at);
		const uint32_t length = uefi_decode_u32(blob, at + 4);

		if (at + 8 > blob.len || length > blob.len - at)
			return "a record leaves memory";
		if (length <= 8 || length % 8 != 0)
			return "a record's length is not allowed";
		if (fixed_length(type) && fixed_length(type) != length)
			return "a record of fixed length has another";
		out->records[out->record_count++] = (UefiDecodedRecord){
			.type = type,
			.offset = at,
			.payload = { blob.data + at + 8, length - 8 },
		};
		at += length;
		if (at > size)
			return "records are longer than the total";
	}
	return at == size ? NULL : "records are shorter than the total";
}

static const char *check_required(const UefiDecoded *decoded)
{
	static const uint8_t types[] = { 0x01, 0x03, 0x04, 0x05, 0x12, 0x13, 0x14 };

	for (size_t i = 0; i < sizeof(types); i++) {
		if (!uefi_decode_find(decoded, types[i], 0))
			return "a required record is missing";
	}
	return NULL;
}

static const char *read_memory(UefiDecoded *out)
{
	const Bytes map = uefi_decode_find(out, 0x03, 0)->payload;
	const size_t stride = out->legacy_map ? 16 : 24;

	/* One entry is read before the first look at the length. */
	for (size_t at = 0; at == 0 || at + stride <= map.len; at += stride) {
		if (out->memory_count == UEFI_DECODE_MAX_MEMORY)
			return "more memory than this decoder holds";
		out->memory[out->memory_count++] = (UefiDecodedMemory){
			.base = uefi_decode_u64(map, at),
			.length = uefi_decode_u64(map, at + 8),
			.flags = out->legacy_map ? 0 : uefi_decode_u32(map, at + 16),
		};
	}
	return NULL;
}

static const char *check_windows(UefiDecodedWindow low, UefiDecodedWindow high)
{
	if (low.pages && (low.pages > 0x100000 || low.page + low.pages > 0x100000))
		return "the low window is not below 4 GiB";
	if (high.pages && (high.page < 0x100000 || high.page + high.pages < high.page))
		return "the high window is not above 4 GiB";
	return NULL;
}

static const char *read_windows(UefiDecoded *out)
{
	const Bytes list = uefi_decode_find(out, 0x14, 0)->payload;
	const UefiDecodedWindow a = { uefi_decode_u64(list, 0), uefi_decode_u64(list, 8) };
	const UefiDecodedWindow b = { uefi_decode_u64(list, 16), uefi_decode_u64(list, 24) };
	const bool swapped = a.pages && a.page >= 0x100000;
	const bool old_swapped = b.page < a.page;
	const char *halt;

	if (list.len != 32)
		return "not two MMIO ranges";
	out->low = swapped ? b : a;
	out->high = swapped ? a : b;
	out->old_low = old_swapped ? b : a;
	out->old_high = old_swapped ? a : b;
	halt = check_windows(out->low, out->high);
	if (halt)
		return halt;
	if (out->old_high.page < 0x100000)
		return "older firmware: the high window is below 4 GiB";
	return check_windows(out->old_low, out->old_high);
}

static const char *read_processors(UefiDecoded *out)
{
	const Bytes bytes = uefi_decode_find(out, 0x13, 0)->payload;

	out->max_processors = uefi_decode_u32(bytes, 0);
	out->processors = uefi_decode_u32(bytes, 4);
	out->per_socket = uefi_decode_u32(bytes, 8);
	out->threads = uefi_decode_u32(bytes, 12);
	if (!out->processors || !out->per_socket || !out->threads)
		return "a count of processors is 0";
	if ((uint16_t)out->per_socket == 0)
		return "SMBIOS divides by zero";
	return NULL;
}

static const char *check_tables(const UefiDecoded *decoded)
{
	for (size_t i = 0; i < decoded->record_count; i++) {
		const Bytes table = decoded->records[i].payload;

		if (is_table(decoded->records[i].type) &&
			(table.len < 36 || uefi_decode_u32(table, 4) > table.len))
			return "an ACPI table is longer than its record";
	}
	return NULL;
}

const char *uefi_decode(Bytes blob, UefiDecoded *out)
{
	const char *halt;

	memset(out, 0, sizeof(*out));
	halt = walk(blob, out);
	if (!halt)
		halt = check_required(out);
	if (halt)
		return halt;
	out->image_pages = uefi_decode_u32(uefi_decode_find(out, 0x01, 0)->payload, 0);
	out->legacy_map = uefi_decode_u32(uefi_decode_find(out, 0x01, 0)->payload, 4) & 1;
	out->flags = uefi_decode_u64(uefi_decode_find(out, 0x12, 0)->payload, 0);
	halt = read_memory(out);
	if (!halt)
		halt = read_windows(out);
	if (!halt)
		halt = read_processors(out);
	return halt ? halt : check_tables(out);
}

const UefiDecodedRecord *uefi_decode_find(const UefiDecoded *decoded, uint32_t type, size_t nth)
{
	for (size_t i = 0; i < decoded->record_count; i++) {
		if (decoded->records[i].type == type && nth-- == 0)
			return &decoded->records[i];
	}
	return NULL;
}

Bytes uefi_decode_table(const UefiDecoded *decoded, const char *signature, size_t nth)
{
	for (size_t i = 0; i < decoded->record_count; i++) {
		const Bytes table = decoded->records[i].payload;

		if (is_table(decoded->records[i].type) &&
			memcmp(table.data, signature, 4) == 0 && nth-- == 0)
			return (Bytes){ table.data, uefi_decode_u32(table, 4) };
	}
	return (Bytes){ 0 };
}

const char *uefi_decode_string(const UefiDecoded *decoded, uint32_t type, char text[65])
{
	const UefiDecodedRecord *record = uefi_decode_find(decoded, type, 0);
	const size_t max = type >= 0x0c && type <= 0x11 ? 64 : 32;
	size_t len;

	if (!record)
		return NULL;
	len = strnlen((const char *)record->payload.data, record->payload.len);
	if (len == record->payload.len)
		len--;
	if (len > max)
		len = max;
	memcpy(text, record->payload.data, len);
	text[len] = '\0';
	return text;
}
