/*
 * SMBIOS structures and their anchor. Source: [SMBIOS35] 5.2.2, 6.1, 7.1, 7.2, 7.46.
 */
#include "loaders/smbios.h"

#include <string.h>

#include "support/byte_writer.h"
#include "support/diagnostics.h"

#define SMBIOS_STRINGS_MAX 6 /* strings of one structure */

#define BIOS_CHARACTERISTICS_PCI UINT64_C(0x80)
#define BIOS_EXTENSION1_ACPI 0x01
#define BIOS_EXTENSION2_VIRTUAL_MACHINE 0x10
#define SYSTEM_WAKE_UP_POWER_SWITCH 6

/* [SMBIOS35] 6.1.2 */
typedef struct PACKED SmbiosHeader {
	uint8_t type;
	uint8_t length; /* bytes without strings */
	uint16_t handle;
} SmbiosHeader;

/* [SMBIOS35] 7.1, type 0; fields named "number" are numbers of strings */
typedef struct PACKED SmbiosBios {
	SmbiosHeader header;        /*  0 */
	uint8_t vendor;             /*  4  number */
	uint8_t version;            /*  5  number */
	uint16_t segment;           /*  6 */
	uint8_t release_date;       /*  8  number */
	uint8_t rom_size;           /*  9 */
	uint64_t characteristics;   /* 10 */
	uint8_t extension[2];       /* 18 */
	uint8_t major, minor;       /* 20 */
	uint8_t ec_major, ec_minor; /* 22  0xff: none */
	uint16_t extended_rom_size; /* 24 */
} SmbiosBios;
static_assert(sizeof(SmbiosBios) == 0x1a, "[SMBIOS35] 7.1");

/* [SMBIOS35] 7.2, type 1 */
typedef struct PACKED SmbiosSystem {
	SmbiosHeader header;   /*  0 */
	uint8_t manufacturer;  /*  4  number */
	uint8_t product;       /*  5  number */
	uint8_t version;       /*  6  number */
	uint8_t serial_number; /*  7  number */
	Guid uuid;             /*  8 */
	uint8_t wake_up;       /* 24 */
	uint8_t sku_number;    /* 25  number */
	uint8_t family;        /* 26  number */
} SmbiosSystem;
static_assert(sizeof(SmbiosSystem) == 0x1b, "[SMBIOS35] 7.2");

/* The strings behind a structure, in the order of their numbers. */
typedef struct StringSet {
	Bytes items[SMBIOS_STRINGS_MAX];
	size_t count;
} StringSet;

static Bytes cut_at_nul(Bytes text)
{
	const uint8_t *nul = text.len ? memchr(text.data, 0, text.len) : NULL;

	return (Bytes){ .data = text.data, .len = nul ? (size_t)(nul - text.data) : text.len };
}

/* The string's number, 0 when it is empty. */
static uint8_t add_string(StringSet *set, Bytes text)
{
	const Bytes cut = cut_at_nul(text);

	if (!cut.len)
		return 0;
	assert(set->count < SMBIOS_STRINGS_MAX);
	set->items[set->count++] = cut;
	return (uint8_t)set->count;
}

/* Each with its NUL, then one more; two when there is none. */
static void put_strings(ByteWriter *w, const StringSet *set)
{
	for (size_t i = 0; i < set->count; i++) {
		put_bytes(w, set->items[i].data, set->items[i].len);
		put_u8(w, 0);
	}
	put_zeros(w, set->count ? 1 : 2);
}

static void put_bios(ByteWriter *w, const SmbiosInputs *in)
{
	StringSet strings = { 0 };
	SmbiosBios bios = {
		.header = { .type = 0, .length = sizeof(bios), .handle = 0 },
		.characteristics = BIOS_CHARACTERISTICS_PCI,
		.extension = { BIOS_EXTENSION1_ACPI, BIOS_EXTENSION2_VIRTUAL_MACHINE },
		.major = in->bios_major,
		.minor = in->bios_minor,
		.ec_major = 0xff,
		.ec_minor = 0xff,
	};

	bios.vendor = add_string(&strings, in->bios_vendor);
	bios.version = add_string(&strings, in->bios_version);
	bios.release_date = add_string(&strings, in->bios_release_date);
	put_struct(w, bios);
	put_strings(w, &strings);
}

static void put_system(ByteWriter *w, const SmbiosInputs *in)
{
	StringSet strings = { 0 };
	SmbiosSystem system = {
		.header = { .type = 1, .length = sizeof(system), .handle = 1 },
		.uuid = in->uuid,
		.wake_up = SYSTEM_WAKE_UP_POWER_SWITCH,
	};

	system.manufacturer = add_string(&strings, in->manufacturer);
	system.product = add_string(&strings, in->product);
	system.version = add_string(&strings, in->version);
	system.serial_number = add_string(&strings, in->serial_number);
	system.sku_number = add_string(&strings, in->sku_number);
	system.family = add_string(&strings, in->family);
	put_struct(w, system);
	put_strings(w, &strings);
}

static void put_end(ByteWriter *w)
{
	const StringSet none = { 0 };
	const SmbiosHeader end = { .type = 127, .length = sizeof(end), .handle = 2 };

	put_struct(w, end);
	put_strings(w, &none);
}

static void put_table(ByteWriter *w, const SmbiosInputs *in)
{
	put_bios(w, in);
	put_system(w, in);
	put_end(w);
}

bool smbios_build_table(const SmbiosInputs *in, Arena *arena, Bytes *out, Error *err)
{
	ByteWriter w = byte_writer_measure();

	put_table(&w, in);
	if (w.overflow || w.len > SMBIOS_MAX_TABLE)
		return error_set(err, PVW_SMBIOS_0001,
			"the structures take %zu bytes, expected at most %d", w.len,
			SMBIOS_MAX_TABLE);
	if (!byte_writer_in_arena(arena, w.len, &w, err))
		return false;
	put_table(&w, in);
	return byte_writer_finish(&w, "smbios", out, err);
}

SmbiosAnchor smbios_anchor(uint64_t table_address, size_t table_len)
{
	SmbiosAnchor anchor = {
		.signature = { '_', 'S', 'M', '3', '_' },
		.length = sizeof(anchor),
		.major = 3,
		.minor = 1,
		.revision = 1,
		.table_len = (uint32_t)table_len,
		.table_address = table_address,
	};
	const uint8_t *bytes = (const uint8_t *)&anchor;
	uint8_t sum = 0;

	assert(table_len <= SMBIOS_MAX_TABLE);
	for (size_t i = 0; i < sizeof(anchor); i++)
		sum = (uint8_t)(sum + bytes[i]);
	anchor.checksum = (uint8_t)-sum;
	return anchor;
}
