/*
 * SMBIOS 3.1 for a guest without firmware: who made the machine, in three structures.
 */
#ifndef LOADERS_SMBIOS_H
#define LOADERS_SMBIOS_H

#include "support/arena.h"
#include "support/bytes.h"
#include "support/guid.h"

#define SMBIOS_MAX_TABLE 0x10000 /* bytes: what a guest of any age can take */

/* Strings end at their first NUL; an empty one is absent. */
typedef struct SmbiosInputs {
	Bytes bios_vendor, bios_version, bios_release_date;
	uint8_t bios_major, bios_minor;
	Bytes manufacturer, product, version, serial_number, sku_number, family;
	Guid uuid;
} SmbiosInputs;

/* [SMBIOS35] 5.2.2, the 64-bit entry point */
typedef struct PACKED SmbiosAnchor {
	char signature[5];      /*  0  "_SM3_" */
	uint8_t checksum;       /*  5  makes the sum of all bytes 0 */
	uint8_t length;         /*  6  = 24 */
	uint8_t major, minor;   /*  7  3.1 */
	uint8_t docrev;         /*  9 */
	uint8_t revision;       /* 10  of this record, 1 */
	uint8_t reserved;       /* 11 */
	uint32_t table_len;     /* 12  bytes */
	uint64_t table_address; /* 16  GPA */
} SmbiosAnchor;
static_assert(sizeof(SmbiosAnchor) == 24, "[SMBIOS35] 5.2.2");
static_assert(offsetof(SmbiosAnchor, table_len) == 12, "[SMBIOS35] 5.2.2");

/**
 * smbios_build_table - BIOS information, system information, end of table
 * @out: in @arena
 *
 * Each structure's strings are numbered from 1 in the order of its fields.
 *
 * Errors: PVW_SMBIOS_0001 (LIMIT) more than SMBIOS_MAX_TABLE bytes.
 * Source: [SMBIOS35] 7.1, 7.2, 7.46.
 */
MUST_CHECK bool smbios_build_table(
	const SmbiosInputs *in, Arena *arena, Bytes *out, Error *err);

/**
 * smbios_anchor - the entry point that a guest looks for in the BIOS area
 * @table_address: GPA of the structures
 * @table_len:     their bytes, at most SMBIOS_MAX_TABLE
 */
SmbiosAnchor smbios_anchor(uint64_t table_address, size_t table_len);

#endif
