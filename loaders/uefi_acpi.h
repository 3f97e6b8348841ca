/*
 * ACPI tables on their way into the UEFI configuration: what is passed on, under which number.
 */
#ifndef LOADERS_UEFI_ACPI_H
#define LOADERS_UEFI_ACPI_H

#include "bootinfo/platform_settings.h"
#include "loaders/uefi_blob.h"
#include "support/diagnostics.h"
#include "support/guest_arch.h"

#define UEFI_ACPI_HEADER_SIZE 36 /* bytes, [ACPI65] 5.2.6 */

/** uefi_acpi_is - does @table have the 4-character @signature? */
bool uefi_acpi_is(Bytes table, const char *signature);

/**
 * uefi_acpi_check - is this a table that firmware takes?
 * @table: may be followed by more bytes than its header says
 * @what:  named in the error
 * @out:   as long as the table's header says; borrows from @table
 *
 * Errors: PVW_UEFI_0006 (BAD_VALUE).
 */
MUST_CHECK bool uefi_acpi_check(Bytes table, const char *what, Bytes *out, Error *err);

/** uefi_acpi_lint_host_table - PVW_UEFI_0015 at @source where firmware itself completes a table */
void uefi_acpi_lint_host_table(Bytes table, const char *source, Diagnostics *diagnostics);

/** uefi_acpi_record_type - the record that carries the table; those without one use 0x16 */
uint32_t uefi_acpi_record_type(Bytes table, UefiAcpiRecords records, GuestArch arch);

#endif
