/*
 * DMAR: Intel's remapping units. [VTD] 8
 */
#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"
#include "support/diagnostics.h"

#define DMAR_REVISION 1
#define SCOPES_MAX 1024u /* keeps a unit's length far from 16 bits */

enum {
	DMAR_INTERRUPT_REMAPPING = 1 << 0,
	SCOPE_ENDPOINT = 1,
	SCOPE_BRIDGE = 2,
	SCOPE_IO_APIC = 3,
};

size_t acpi_bound_dmar(const AcpiInputs *in)
{
	size_t bound = sizeof(AcpiHeader) + sizeof(DmarHead);

	for (size_t i = 0; i < in->iommu.unit_count; i++) {
		const size_t scopes = in->iommu.vtd[i].scope_count;

		bound += sizeof(DmarUnit) +
			(1 + (scopes < SCOPES_MAX ? scopes : SCOPES_MAX)) * sizeof(DmarScope);
	}
	return bound;
}

/* The unit that reports the I/O APIC starts at its bus. */
static bool covers_ioapic(const AcpiIommu *iommu, const AcpiVtdUnit *unit)
{
	return iommu->has_ioapic_rid && unit->segment == 0 &&
		unit->start_bus == iommu->ioapic_rid >> 8;
}

static bool check(const AcpiIommu *iommu, Error *err)
{
	size_t covering = 0;

	if (iommu->host_address_width == 0)
		return error_set(
			err, PVW_ACPI_0019, "dmar: host address width 0, expected at least 1");
	for (size_t i = 0; i < iommu->unit_count; i++) {
		if (iommu->vtd[i].scope_count > SCOPES_MAX)
			return error_set(err, PVW_ACPI_0019,
				"dmar: %zu scopes, expected at most %u",
				iommu->vtd[i].scope_count, SCOPES_MAX);
		covering += covers_ioapic(iommu, &iommu->vtd[i]);
	}
	if (iommu->has_ioapic_rid && covering != 1)
		return error_set(err, PVW_ACPI_0019,
			"dmar: %zu units start at the bus of the i/o apic's requester id 0x%x, "
			"expected 1",
			covering, iommu->ioapic_rid);
	return true;
}

static void put_scope(ByteWriter *w, uint8_t type, uint8_t start_bus, uint8_t devfn)
{
	const DmarScope scope = { .type = type,
		.length = sizeof(scope),
		.start_bus = start_bus,
		.device = devfn >> 3,
		.function = devfn & 7 };

	put_struct(w, scope);
}

static void put_unit(ByteWriter *w, const AcpiIommu *iommu, const AcpiVtdUnit *unit)
{
	const bool with_ioapic = covers_ioapic(iommu, unit);
	const size_t scopes = unit->scope_count + (with_ioapic ? 1 : 0);
	const DmarUnit head = { .length = (uint16_t)(sizeof(head) + scopes * sizeof(DmarScope)),
		.segment = unit->segment,
		.base = unit->base };

	put_struct(w, head);
	for (size_t i = 0; i < unit->scope_count; i++)
		put_scope(w, unit->scopes[i].is_bridge ? SCOPE_BRIDGE : SCOPE_ENDPOINT,
			unit->start_bus, unit->scopes[i].devfn);
	if (with_ioapic)
		put_scope(w, SCOPE_IO_APIC, unit->start_bus, (uint8_t)iommu->ioapic_rid);
}

bool acpi_put_dmar(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const AcpiIommu *iommu = &c->in->iommu;
	const DmarHead head = { .host_address_width = (uint8_t)(iommu->host_address_width - 1),
		.flags = DMAR_INTERRUPT_REMAPPING };
	size_t mark;

	if (!check(iommu, err))
		return false;
	mark = acpi_table_begin(
		w, "DMAR", DMAR_REVISION, acpi_identity(c->in, ACPI_IDENTITY_TABLES));
	put_struct(w, head);
	for (size_t i = 0; i < iommu->unit_count; i++)
		put_unit(w, iommu, &iommu->vtd[i]);
	acpi_table_end(w, mark);
	return true;
}
