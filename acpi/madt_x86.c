/*
 * MADT, x86-64: local and I/O APICs. [ACPI65] 5.2.12
 */
#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"
#include "support/diagnostics.h"

#define MADT_REVISION 5
#define PIT_GSI 2  /* where the 8254's interrupt 0 arrives at the I/O APIC */
#define LINT_NMI 1 /* local interrupt pin that carries the NMI */

size_t acpi_bound_madt_x86(const AcpiInputs *in)
{
	return sizeof(AcpiHeader) + sizeof(MadtHead) + sizeof(MadtIoApic) +
		2 * sizeof(MadtInterruptOverride) + sizeof(MadtLocalX2ApicNmi) +
		in->topology->count * sizeof(MadtLocalX2Apic);
}

static void put_interrupt_hardware(ByteWriter *w, const AcpiInputs *in)
{
	const MadtIoApic io_apic = {
		.type = MADT_IO_APIC, .length = sizeof(io_apic), .address = IO_APIC_GPA
	};
	const MadtInterruptOverride sci = { .type = MADT_INTERRUPT_OVERRIDE,
		.length = sizeof(sci),
		.source = (uint8_t)in->acpi_irq,
		.gsi = in->acpi_irq,
		.flags = MADT_ACTIVE_HIGH | MADT_LEVEL_TRIGGERED };
	const MadtInterruptOverride pit = {
		.type = MADT_INTERRUPT_OVERRIDE, .length = sizeof(pit), .gsi = PIT_GSI
	};

	if (in->with_ioapic)
		put_struct(w, io_apic);
	put_struct(w, sci);
	if (in->with_pit)
		put_struct(w, pit);
}

/* The first processor takes NMIs at LINT1. */
static void put_nmi(ByteWriter *w, bool x2apic)
{
	const MadtLocalApicNmi nmi = { .type = MADT_LOCAL_APIC_NMI,
		.length = sizeof(nmi),
		.uid = (uint8_t)acpi_processor_uid(0),
		.lint = LINT_NMI };
	const MadtLocalX2ApicNmi x2nmi = { .type = MADT_LOCAL_X2APIC_NMI,
		.length = sizeof(x2nmi),
		.uid = acpi_processor_uid(0),
		.lint = LINT_NMI };

	if (x2apic)
		put_struct(w, x2nmi);
	else
		put_struct(w, nmi);
}

static void put_xapics(ByteWriter *w, const ProcessorTopology *topology, size_t from, size_t to)
{
	MadtLocalApic *const out =
		(MadtLocalApic *)byte_writer_take(w, (to - from) * sizeof(*out));

	if (!out)
		return;
	for (size_t vp = from; vp < to; vp++)
		out[vp - from] = (MadtLocalApic){ .type = MADT_LOCAL_APIC,
			.length = sizeof(*out),
			.uid = (uint8_t)acpi_processor_uid(vp),
			.id = (uint8_t)topology->vps[vp].apic_id,
			.flags = ACPI_ENTRY_ENABLED };
}

/* Returns the lowest id among them, UINT32_MAX if there is none. */
static uint32_t put_x2apics(
	ByteWriter *w, const ProcessorTopology *topology, size_t from, size_t to)
{
	MadtLocalX2Apic *const out =
		(MadtLocalX2Apic *)byte_writer_take(w, (to - from) * sizeof(*out));
	uint32_t lowest = UINT32_MAX;

	if (!out)
		return lowest;
	for (size_t vp = from; vp < to; vp++) {
		const uint32_t id = topology->vps[vp].apic_id;

		out[vp - from] = (MadtLocalX2Apic){ .type = MADT_LOCAL_X2APIC,
			.length = sizeof(*out),
			.id = id,
			.flags = ACPI_ENTRY_ENABLED,
			.uid = acpi_processor_uid(vp) };
		lowest = id < lowest ? id : lowest;
	}
	return lowest;
}

/*
 * In the order of the processors, a run of equal entries at a time; from a _UID of 256 on there
 * are only x2APIC entries. False if one of these has an id of an xAPIC.
 */
static bool put_processors(ByteWriter *w, const ProcessorTopology *topology)
{
	const VirtualProcessor *vps = topology->vps;
	const size_t count = topology->count;
	const size_t mixed = count < XAPIC_UID_MAX ? count : XAPIC_UID_MAX;
	uint32_t lowest = UINT32_MAX;
	size_t at = 0;

	while (at < count) {
		size_t end = at;

		while (end < mixed && vps[end].apic_id <= XAPIC_ID_MAX)
			end++;
		put_xapics(w, topology, at, end);
		for (at = end; end < mixed && vps[end].apic_id > XAPIC_ID_MAX;)
			end++;
		if (end == mixed)
			end = count;
		lowest = put_x2apics(w, topology, at, end);
		at = end;
	}
	return lowest > XAPIC_ID_MAX;
}

/*
 * Linux drops x2APIC entries with an id below 0xFF when there are xAPIC entries too, and so loses
 * processors whose _UID does not fit into an xAPIC entry although their id does. Then everyone
 * gets an x2APIC entry. [LINUX] arch/x86/kernel/acpi/boot.c
 */
static void put_processors_and_nmi(ByteWriter *w, const ProcessorTopology *topology)
{
	const size_t mark = w->len;

	put_nmi(w, /* x2apic= */ false);
	if (put_processors(w, topology))
		return;
	w->len = mark;
	put_nmi(w, /* x2apic= */ true);
	put_x2apics(w, topology, 0, topology->count);
}

/* What an override leads to must be there, and not taken by another. */
static bool check(const AcpiInputs *in, Error *err)
{
	const bool strict = acpi_form(in->profile)->strict;

	if (in->acpi_irq > UINT8_MAX)
		return error_set(
			err, PVW_ACPI_0009, "madt: sci %u, expected at most 255", in->acpi_irq);
	if (strict && in->with_pit && !in->with_ioapic)
		return error_set(err, PVW_ACPI_0022,
			"madt: a pit without i/o apic, expected one for its interrupt");
	if (strict && in->with_pit && in->acpi_irq == PIT_GSI)
		return error_set(err, PVW_ACPI_0022,
			"madt: sci %u is where the pit's interrupt arrives, expected another",
			in->acpi_irq);
	return true;
}

bool acpi_put_madt_x86(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const AcpiInputs *in = c->in;
	const MadtHead head = { .local_apic_address = LOCAL_APIC_GPA,
		.flags = in->with_pic ? MADT_PCAT_COMPAT : 0 };
	size_t mark;

	if (!check(in, err))
		return false;
	mark = acpi_table_begin(
		w, "APIC", MADT_REVISION, acpi_identity(in, ACPI_IDENTITY_TABLES));
	put_struct(w, head);
	put_interrupt_hardware(w, in);
	put_processors_and_nmi(w, in->topology);
	acpi_table_end(w, mark);
	return true;
}
