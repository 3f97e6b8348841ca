/*
 * ASPT: where the secure processor's registers are.
 *
 * The reference counts records in eight bytes and leaves a record's head out of its length; the
 * layout that guests read counts in four and includes it. Which one is data of the profile.
 */
#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"

#define ASPT_REVISION 1
#define PSP_GPA UINT64_C(0xFEB00000)

static const AsptRecord records[] = {
	/* features, interrupt enable, interrupt status */
	{ .type = 0, .address = { PSP_GPA, PSP_GPA + 0x04, PSP_GPA + 0x08 } },
	/* command and response, buffer low and high */
	{ .type = 1,
		.flags = 1,
		.address = { PSP_GPA + 0x10, PSP_GPA + 0x14, PSP_GPA + 0x18 } },
	/* command and response of ACPI */
	{ .type = 2, .address = { PSP_GPA + 0x20 } },
};

size_t acpi_bound_aspt(const AcpiInputs *in)
{
	(void)in;
	return sizeof(AcpiHeader) + sizeof(uint64_t) + sizeof(records);
}

bool acpi_put_aspt(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const AcpiForm *form = acpi_form(c->in->profile);
	const uint64_t count = ARRAY_COUNT(records);
	const size_t mark = acpi_table_begin(
		w, "ASPT", ASPT_REVISION, acpi_identity(c->in, ACPI_IDENTITY_TABLES));

	(void)err;
	put_bytes(w, &count, form->aspt_count_size);
	for (size_t i = 0; i < ARRAY_COUNT(records); i++) {
		AsptRecord record = records[i];

		record.length = form->aspt_record_length;
		put_struct(w, record);
	}
	acpi_table_end(w, mark);
	return true;
}
