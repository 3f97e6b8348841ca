/*
 * The UEFI configuration blob as lines, in the shape of acpi_text's.
 *
 * Written from the firmware's side, which reads it: [MU] MsvmPkg/Include/BiosInterface.h and
 * PlatformPei/Config.c. Hostile bytes are findings, and what can be read is read.
 */
#ifndef HOST_UEFI_TEXT_H
#define HOST_UEFI_TEXT_H

#include "host/acpi_text.h"

typedef struct UefiText {
	const AcpiLine *lines;
	size_t count;
	AcpiTableList tables; /* borrows from the blob */
} UefiText;

/** uefi_text_is - begins as a blob does: a record of type 0 and 16 bytes */
bool uefi_text_is(Bytes blob);

/**
 * uefi_text - the records of a blob
 * @findings: PVW_TABLE_0001 ... _0006, their source "uefi"
 *
 * Errors: PVW_TABLE_0008 (BAD_VALUE) no blob; _0009 (LIMIT) too long; PVW_MEM_0001 (LIMIT).
 */
MUST_CHECK bool uefi_text(
	Bytes blob, Arena *arena, UefiText *out, Diagnostics *findings, Error *err);

#endif
