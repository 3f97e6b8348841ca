/*
 * FACS: what a guest with ACPI's fixed hardware and its firmware share. [ACPI65] 5.2.10
 */
#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"

#define FACS_VERSION 2

size_t acpi_bound_facs(const AcpiInputs *in)
{
	(void)in;
	return sizeof(Facs);
}

/* Nothing wakes through it here: there is no firmware left to come back to. */
bool acpi_put_facs(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const Facs facs = { .signature = { 'F', 'A', 'C', 'S' },
		.length = sizeof(facs),
		.version = FACS_VERSION };

	(void)c;
	(void)err;
	put_struct(w, facs);
	return true;
}
