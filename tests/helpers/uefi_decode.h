/*
 * The UEFI configuration blob as the firmware reads it: the same walk, the same checks, the same
 * ways to halt. Written from the firmware's side, with its own numbers; shares nothing with the
 * encoder. Source: [MU] MsvmPkg/PlatformPei/Config.c
 */
#ifndef HELPERS_UEFI_DECODE_H
#define HELPERS_UEFI_DECODE_H

#include "support/bytes.h"

#define UEFI_DECODE_MAX_RECORDS 512
#define UEFI_DECODE_MAX_MEMORY 512

typedef struct UefiDecodedRecord {
	uint32_t type;
	size_t offset; /* of the header, in the blob */
	Bytes payload; /* padding included: the firmware cannot tell */
} UefiDecodedRecord;

typedef struct UefiDecodedMemory {
	uint64_t base, length;
	uint32_t flags;
} UefiDecodedMemory;

typedef struct UefiDecodedWindow {
	uint64_t page, pages;
} UefiDecodedWindow;

typedef struct UefiDecoded {
	UefiDecodedRecord records[UEFI_DECODE_MAX_RECORDS]; /* the first one too */
	size_t record_count;
	UefiDecodedMemory memory[UEFI_DECODE_MAX_MEMORY];
	size_t memory_count;
	bool legacy_map;
	UefiDecodedWindow low, high;         /* by the rule of current firmware */
	UefiDecodedWindow old_low, old_high; /* by the rule until May 2026 */
	uint32_t max_processors, processors, per_socket, threads;
	uint64_t flags;
	uint32_t image_pages;
} UefiDecoded;

/**
 * uefi_decode - read a blob
 *
 * Returns NULL, or why the firmware halts. @out is zeroed first.
 */
const char *uefi_decode(Bytes blob, UefiDecoded *out);

/** uefi_decode_find - the @nth record of a type, from 0; NULL if there are fewer */
const UefiDecodedRecord *uefi_decode_find(
	const UefiDecoded *decoded, uint32_t type, size_t nth);

/** uefi_decode_table - the @nth ACPI table with this signature, cut to its own length; or empty */
Bytes uefi_decode_table(const UefiDecoded *decoded, const char *signature, size_t nth);

/** uefi_decode_string - as SMBIOS gets it; NULL if there is no such record */
const char *uefi_decode_string(const UefiDecoded *decoded, uint32_t type, char text[65]);

/** uefi_decode_u16, …_u32, …_u64 - little-endian values in a payload */
uint16_t uefi_decode_u16(Bytes payload, size_t at);
uint32_t uefi_decode_u32(Bytes payload, size_t at);
uint64_t uefi_decode_u64(Bytes payload, size_t at);

#endif
