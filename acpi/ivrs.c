/*
 * IVRS: AMD's I/O memory management units. [AMDVI] 5.2
 */
#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"
#include "support/diagnostics.h"

#define IVRS_REVISION 2

enum {
	IVRS_FEATURES_SUPPORTED = 1 << 0,
	IVRS_PA_SHIFT = 8,
	IVRS_VA_SHIFT = 15,
	IVRS_BITS_MAX = 127, /* both widths have seven bits */
	/* Type 40h is refused by the hypervisor of Windows Server 2022. */
	IVRS_HARDWARE_11 = 0x11,
	IVRS_RANGE_START = 3,
	IVRS_RANGE_END = 4,
	IVRS_SPECIAL = 0x48,
	IVRS_VARIETY_IO_APIC = 1,
	IO_APIC_ID = 0,
};

size_t acpi_bound_ivrs(const AcpiInputs *in)
{
	return sizeof(AcpiHeader) + sizeof(IvrsHead) +
		in->iommu.unit_count *
		(sizeof(IvrsHardware) + 2 * sizeof(IvrsDevice) + sizeof(IvrsSpecial));
}

/* The I/O APIC is reported by the unit of its own bus. */
static bool covers_ioapic(const AcpiIommu *iommu, const AcpiAmdViUnit *unit)
{
	const unsigned bus = iommu->ioapic_rid >> 8;

	return iommu->has_ioapic_rid && unit->segment == 0 && bus >= unit->start_bus &&
		bus <= unit->end_bus;
}

static bool check(const AcpiInputs *in, Error *err)
{
	const AcpiIommu *iommu = &in->iommu;
	size_t covering = 0;

	if (iommu->pa_bits > IVRS_BITS_MAX || iommu->va_bits > IVRS_BITS_MAX)
		return error_set(err, PVW_ACPI_0019,
			"ivrs: addresses of %u and %u bits, expected at most %d",
			iommu->pa_bits, iommu->va_bits, IVRS_BITS_MAX);
	for (size_t i = 0; i < iommu->unit_count; i++) {
		const AcpiAmdViUnit *unit = &iommu->amdvi[i];

		if (unit->start_bus > unit->end_bus)
			return error_set(err, PVW_ACPI_0019,
				"ivrs: unit %zu has buses %u to %u, expected them ascending", i,
				unit->start_bus, unit->end_bus);
		covering += covers_ioapic(iommu, unit);
	}
	if (acpi_form(in->profile)->strict && iommu->has_ioapic_rid && covering != 1)
		return error_set(err, PVW_ACPI_0022,
			"ivrs: %zu units have the bus of the i/o apic's requester id 0x%x, "
			"expected 1",
			covering, iommu->ioapic_rid);
	return true;
}

static void put_unit(ByteWriter *w, const AcpiIommu *iommu, const AcpiAmdViUnit *unit)
{
	const IvrsDevice first = { .type = IVRS_RANGE_START,
		.device_id = (uint16_t)(unit->start_bus << 8) };
	const IvrsDevice last = { .type = IVRS_RANGE_END,
		.device_id = (uint16_t)(unit->end_bus << 8 | 0xFF) };
	const IvrsSpecial ioapic = { .type = IVRS_SPECIAL,
		.handle = IO_APIC_ID,
		.device_id = iommu->ioapic_rid,
		.variety = IVRS_VARIETY_IO_APIC };
	const bool with_ioapic = covers_ioapic(iommu, unit);
	const IvrsHardware hardware = { .type = IVRS_HARDWARE_11,
		.length = (uint16_t)(sizeof(hardware) + sizeof(first) + sizeof(last) +
			(with_ioapic ? sizeof(ioapic) : 0)),
		.device_id = unit->device_id,
		.capability_offset = unit->capability_offset,
		.base = unit->base,
		.segment = unit->segment,
		.features = unit->features };

	put_struct(w, hardware);
	put_struct(w, first);
	put_struct(w, last);
	if (with_ioapic)
		put_struct(w, ioapic);
}

bool acpi_put_ivrs(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const AcpiIommu *iommu = &c->in->iommu;
	const IvrsHead head = { .info = IVRS_FEATURES_SUPPORTED |
			(uint32_t)iommu->pa_bits << IVRS_PA_SHIFT |
			(uint32_t)iommu->va_bits << IVRS_VA_SHIFT };
	size_t mark;

	if (!check(c->in, err))
		return false;
	mark = acpi_table_begin(
		w, "IVRS", IVRS_REVISION, acpi_identity(c->in, ACPI_IDENTITY_TABLES));
	put_struct(w, head);
	for (size_t i = 0; i < iommu->unit_count; i++)
		put_unit(w, iommu, &iommu->amdvi[i]);
	acpi_table_end(w, mark);
	return true;
}
