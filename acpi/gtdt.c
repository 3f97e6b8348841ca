/*
 * GTDT: the generic timer. [ACPI65] 5.2.25
 */
#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"

#define GTDT_REVISION 3
#define GTDT_ACTIVE_LOW (1u << 1)
#define NO_FRAME UINT64_MAX

size_t acpi_bound_gtdt(const AcpiInputs *in)
{
	(void)in;
	return sizeof(Gtdt);
}

bool acpi_put_gtdt(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const Gtdt gtdt = { .control_base = NO_FRAME,
		.virtual_el1_gsiv = c->in->topology->arm.virt_timer_ppi,
		.virtual_el1_flags = GTDT_ACTIVE_LOW,
		.read_base = NO_FRAME };
	const size_t mark = acpi_table_begin(
		w, "GTDT", GTDT_REVISION, acpi_identity(c->in, ACPI_IDENTITY_TABLES));

	(void)err;
	put_bytes(w, (const uint8_t *)&gtdt + sizeof(gtdt.header),
		sizeof(gtdt) - sizeof(gtdt.header));
	acpi_table_end(w, mark);
	return true;
}
