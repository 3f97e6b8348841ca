/*
 * WAET: which emulated devices need no workarounds. [WAET]
 */
#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"

#define WAET_REVISION 1

size_t acpi_bound_waet(const AcpiInputs *in)
{
	(void)in;
	return sizeof(AcpiHeader) + sizeof(WaetBody);
}

bool acpi_put_waet(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const WaetBody body = { .flags = WAET_RTC_GOOD | WAET_PM_TIMER_GOOD };
	const size_t mark = acpi_table_begin(
		w, "WAET", WAET_REVISION, acpi_identity(c->in, ACPI_IDENTITY_TABLES));

	(void)err;
	put_struct(w, body);
	acpi_table_end(w, mark);
	return true;
}
