/*
 * MADT, aarch64: the generic interrupt controller. [ACPI65] 5.2.12.14 to 5.2.12.18
 */
#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"
#include "support/diagnostics.h"

#define MADT_REVISION 5
#define SPI_END 1020 /* first interrupt number behind the shared ones. [GICV3] 2.2 */

size_t acpi_bound_madt_arm64(const AcpiInputs *in)
{
	return sizeof(AcpiHeader) + sizeof(MadtHead) + sizeof(MadtGicd) +
		in->topology->count * sizeof(MadtGicc) + sizeof(MadtGicMsiFrame);
}

static void put_processors(ByteWriter *w, const ProcessorTopology *topology)
{
	const ArmPlatform *arm = &topology->arm;

	for (size_t vp = 0; vp < topology->count; vp++) {
		const MadtGicc gicc = { .type = MADT_GICC,
			.length = sizeof(gicc),
			.uid = acpi_processor_uid(vp),
			.flags = ACPI_ENTRY_ENABLED,
			.pmu_gsiv = arm->pmu_gsiv,
			.base_address = arm->gic_v2 ? arm->gic_cpu_interface : 0,
			.gicr_base_address = arm->gic_v2 ? 0 : topology->vps[vp].gicr,
			/* Other bits are reserved. */
			.mpidr = topology->vps[vp].mpidr & MPIDR_AFFINITY };

		put_struct(w, gicc);
	}
}

static void put_msi(ByteWriter *w, const ArmPlatform *arm)
{
	const MadtGicMsiFrame frame = { .type = MADT_GIC_MSI_FRAME,
		.length = sizeof(frame),
		.address = arm->msi_base,
		.flags = 1, /* count and base here, not in the frame's register */
		.spi_count = (uint16_t)arm->msi_spi_count,
		.spi_base = (uint16_t)arm->msi_spi_base };
	const MadtGicIts its = {
		.type = MADT_GIC_ITS, .length = sizeof(its), .address = arm->msi_base
	};

	if (arm->msi == GIC_MSI_V2M)
		put_struct(w, frame);
	if (arm->msi == GIC_MSI_ITS)
		put_struct(w, its);
}

bool acpi_put_madt_arm64(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const ArmPlatform *arm = &c->in->topology->arm;
	const MadtHead head = { 0 };
	const MadtGicd gicd = { .type = MADT_GICD,
		.length = sizeof(gicd),
		.address = arm->gic_distributor,
		.version = arm->gic_v2 ? 2 : 3 };
	size_t mark;

	if (arm->msi == GIC_MSI_V2M &&
		(arm->msi_spi_base >= SPI_END ||
			arm->msi_spi_count > SPI_END - arm->msi_spi_base))
		return error_set(err, PVW_ACPI_0012,
			"madt: %u spis from %u for messages, expected to end at %d",
			arm->msi_spi_count, arm->msi_spi_base, SPI_END);

	mark = acpi_table_begin(
		w, "APIC", MADT_REVISION, acpi_identity(c->in, ACPI_IDENTITY_TABLES));
	put_struct(w, head);
	put_struct(w, gicd);
	put_processors(w, c->in->topology);
	put_msi(w, arm);
	acpi_table_end(w, mark);
	return true;
}
