/*
 * The processor record of the PCAT BIOS: an SMBIOS 2.4 structure of type 4 and its strings.
 * Source: [SMBIOS35] 7.5; [OVMM] vm/devices/firmware/firmware_pcat/src/root_cpu_data.rs
 */
#include "loaders/pcat_config.h"

#include <string.h>

/* [SMBIOS35] 7.5 processor information, up to version 2.4 */
typedef struct PACKED ProcessorRecord {
	uint8_t type;            /*  0  = 4 */
	uint8_t length;          /*  1  = 35 */
	uint16_t handle;         /*  2 */
	uint8_t socket;          /*  4  string 1 */
	uint8_t processor_type;  /*  5  = 3, central processor */
	uint8_t family;          /*  6 */
	uint8_t manufacturer;    /*  7  string 2 */
	uint64_t id;             /*  8 */
	uint8_t version;         /* 16  string 3 */
	uint8_t voltage;         /* 17 */
	uint16_t external_clock; /* 18  MHz */
	uint16_t max_speed;      /* 20  MHz */
	uint16_t current_speed;  /* 22  MHz */
	uint8_t status;          /* 24 */
	uint8_t upgrade;         /* 25  = 6, none */
	uint16_t caches[3];      /* 26  = 0xffff, not given */
	uint8_t serial;          /* 32  string 1 */
	uint8_t asset_tag;       /* 33  string 1 */
	uint8_t part_number;     /* 34  string 1 */
} ProcessorRecord;
static_assert(sizeof(ProcessorRecord) == 35, "[SMBIOS35] 7.5");
static_assert(offsetof(ProcessorRecord, external_clock) == 18, "[SMBIOS35] 7.5");

#define STRING_AREA (PCAT_CPU_RECORD_SIZE - sizeof(ProcessorRecord))
static_assert(STRING_AREA == 88, "5 + 17 + 65 + 1");

/* String 1; also what an empty string becomes. */
static const char none[] = "None";

/* What two strings may take, their NULs included; behind them the area ends in two NULs. */
#define STRINGS_ROOM (STRING_AREA - sizeof(none) - 1)
#define MANUFACTURER_CUT 16
#define VERSION_CUT 64

/* Without its NUL, if it has one. */
static Bytes text_or_none(Bytes text)
{
	if (!text.len)
		return (Bytes){ (const uint8_t *)none, sizeof(none) - 1 };
	if (text.data[text.len - 1] == 0)
		text.len--;
	return text;
}

static size_t cut(size_t len, size_t most)
{
	return len < most ? len : most;
}

/* @area: prefilled; the NUL is put behind the text */
static size_t put_text(uint8_t *area, size_t at, Bytes text)
{
	memcpy(&area[at], text.data, text.len);
	area[at + text.len] = 0;
	return at + text.len + 1;
}

static void put_strings(uint8_t area[STRING_AREA], Bytes manufacturer, Bytes version)
{
	size_t at = sizeof(none);

	if (manufacturer.len + 1 + version.len + 1 > STRINGS_ROOM) {
		manufacturer.len = cut(manufacturer.len, MANUFACTURER_CUT);
		version.len = cut(version.len, VERSION_CUT);
	}
	memset(area, ' ', STRING_AREA - 2);
	area[STRING_AREA - 2] = 0;
	area[STRING_AREA - 1] = 0;
	memcpy(area, none, sizeof(none));
	at = put_text(area, at, manufacturer);
	put_text(area, at, version);
}

/* Nothing known of the processor: "unknown", legacy 5 V. */
static bool is_described(const SmbiosSettings *smbios)
{
	return smbios->processor_family2 || smbios->voltage || smbios->external_clock ||
		smbios->max_speed || smbios->current_speed;
}

void pcat_cpu_record(const SmbiosSettings *smbios, uint8_t out[PCAT_CPU_RECORD_SIZE])
{
	const bool described = is_described(smbios);
	const ProcessorRecord record = {
		.type = 4,
		.length = sizeof(record),
		.socket = 1,
		.processor_type = 3,
		.family = described ? (uint8_t)smbios->processor_family2 : 2,
		.manufacturer = 2,
		.version = 3,
		.voltage = described ? smbios->voltage : 1,
		.external_clock = smbios->external_clock,
		.max_speed = smbios->max_speed,
		.current_speed = smbios->current_speed,
		.status = 0x41, /* populated, enabled */
		.upgrade = 6,
		.caches = { 0xffff, 0xffff, 0xffff },
		.serial = 1,
		.asset_tag = 1,
		.part_number = 1,
	};

	memcpy(out, &record, sizeof(record));
	put_strings(out + sizeof(record), text_or_none(smbios->processor_manufacturer),
		text_or_none(smbios->processor_version));
}
