/*
 * GTDT: the generic timer. [ACPI65] 5.2.25
 */
#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"

#define GTDT_REVISION 3
#define GTDT_ACTIVE_LOW (1u << 1)
#define NO_FRAME UINT64_MAX

/* What a timer without interrupt has for flags, nobody reads. */
static uint32_t flags_of(uint32_t gsiv)
{
	return gsiv ? GTDT_ACTIVE_LOW : 0;
}

size_t acpi_bound_gtdt(const AcpiInputs *in)
{
	(void)in;
	return sizeof(Gtdt);
}

bool acpi_put_gtdt(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const AcpiInputs *in = c->in;
	const Gtdt gtdt = { .control_base = NO_FRAME,
		.secure_el1_gsiv = in->secure_timer,
		.secure_el1_flags = flags_of(in->secure_timer),
		.el1_gsiv = in->physical_timer,
		.el1_flags = flags_of(in->physical_timer),
		.virtual_el1_gsiv = in->topology->arm.virt_timer_ppi,
		.virtual_el1_flags = GTDT_ACTIVE_LOW,
		.el2_gsiv = in->hypervisor_timer,
		.el2_flags = flags_of(in->hypervisor_timer),
		.read_base = NO_FRAME };
	const size_t mark = acpi_table_begin(
		w, "GTDT", GTDT_REVISION, acpi_identity(in, ACPI_IDENTITY_TABLES));

	(void)err;
	put_bytes(w, (const uint8_t *)&gtdt + sizeof(gtdt.header),
		sizeof(gtdt) - sizeof(gtdt.header));
	acpi_table_end(w, mark);
	return true;
}
