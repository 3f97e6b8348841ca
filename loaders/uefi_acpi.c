/*
 * Tables by signature: record numbers for firmware that knows no 0x16, and what not to supply.
 * Source: [MU] MsvmPkg/PlatformPei/Config.c, MsvmPkg/AcpiPlatformDxe
 */
#include "loaders/uefi_acpi.h"

#include "support/byte_reader.h"

static const struct {
	char signature[5];
	uint8_t type;
	bool x86_only; /* aarch64 firmware skips the record */
} typed_records[] = {
	{ "SRAT", UEFI_RECORD_SRAT, false },
	{ "APIC", UEFI_RECORD_MADT, false },
	{ "SLIT", UEFI_RECORD_SLIT, false },
	{ "ASPT", UEFI_RECORD_ASPT, true },
	{ "PPTT", UEFI_RECORD_PPTT, false },
	{ "MCFG", UEFI_RECORD_MCFG, false },
	{ "SSDT", UEFI_RECORD_SSDT, false },
	{ "HMAT", UEFI_RECORD_HMAT, false },
	{ "IORT", UEFI_RECORD_IORT, false },
};

/* A table from outside suppresses the built-in one and what the firmware writes into it. */
static const char completed_by_firmware[][5] = { "DSDT", "FACP", "OEM0", "SPCR", "WDAT" };

bool uefi_acpi_is(Bytes table, const char *signature)
{
	return table.len >= UEFI_ACPI_HEADER_SIZE && memcmp(table.data, signature, 4) == 0;
}

bool uefi_acpi_check(Bytes table, const char *what, Bytes *out, Error *err)
{
	ByteReader r = byte_reader_on(table);
	uint32_t length;

	if (table.len < UEFI_ACPI_HEADER_SIZE)
		return error_set(err, PVW_UEFI_0006, "%s: %zu bytes, expected a header of %d",
			what, table.len, UEFI_ACPI_HEADER_SIZE);
	get_u32(&r);
	length = get_u32(&r);
	if (length < UEFI_ACPI_HEADER_SIZE || length > table.len)
		return error_set(err, PVW_UEFI_0006,
			"%s: header length %u, expected %d to %zu, the bytes there are", what,
			length, UEFI_ACPI_HEADER_SIZE, table.len);
	*out = (Bytes){ table.data, length };
	return true;
}

void uefi_acpi_lint_host_table(Bytes table, const char *source, Diagnostics *diagnostics)
{
	for (size_t i = 0; i < ARRAY_COUNT(completed_by_firmware); i++) {
		if (uefi_acpi_is(table, completed_by_firmware[i]))
			diagnostics_add(diagnostics, PVW_UEFI_0015, source,
				"host table %s, expected none of DSDT, FACP, OEM0, SPCR, WDAT",
				completed_by_firmware[i]);
	}
}

uint32_t uefi_acpi_record_type(Bytes table, UefiAcpiRecords records, GuestArch arch)
{
	if (records == UEFI_ACPI_RECORDS_GENERIC)
		return UEFI_RECORD_ACPI_TABLE;
	for (size_t i = 0; i < ARRAY_COUNT(typed_records); i++) {
		if (typed_records[i].x86_only && arch != GUEST_ARCH_X86_64)
			continue;
		if (uefi_acpi_is(table, typed_records[i].signature))
			return typed_records[i].type;
	}
	return UEFI_RECORD_ACPI_TABLE;
}
