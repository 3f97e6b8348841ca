/*
 * A table's frame: header, length, checksum; and the pointer to the root.
 */
#ifndef ACPI_ACPI_TABLE_H
#define ACPI_ACPI_TABLE_H

#include "acpi/acpi_inputs.h"
#include "support/byte_writer.h"

/**
 * acpi_table_begin - put a header; what follows is the table's body
 * @signature: 4 characters
 *
 * Returns the table's mark, for acpi_table_end.
 */
size_t acpi_table_begin(
	ByteWriter *w, const char *signature, uint8_t revision, const AcpiIdentity *identity);

/** acpi_table_end - patch length and checksum of the table begun at @mark */
void acpi_table_end(ByteWriter *w, size_t mark);

/** acpi_checksum - what makes the sum of @data and itself 0 modulo 256 */
uint8_t acpi_checksum(const void *data, size_t len);

/** acpi_rsdp_put - the 36 bytes that lead to the XSDT. [ACPI65] 5.2.5.3 */
void acpi_rsdp_put(ByteWriter *w, uint64_t xsdt, const AcpiIdentity *identity);

#endif
