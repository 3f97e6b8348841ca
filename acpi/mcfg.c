/*
 * MCFG: where PCI Express configuration space lies. PCI Firmware Specification 3.3, 4.1.2
 */
#include <inttypes.h>

#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"
#include "support/diagnostics.h"

#define MCFG_REVISION 1
#define BUS_CONFIG_SIZE (UINT64_C(1) << 20) /* 32 devices of 8 functions of 4096 bytes */

size_t acpi_bound_mcfg(const AcpiInputs *in)
{
	return sizeof(AcpiHeader) + sizeof(uint64_t) + in->bridge_count * sizeof(McfgEntry);
}

bool acpi_put_mcfg(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const AcpiInputs *in = c->in;
	const size_t mark = acpi_table_begin(
		w, "MCFG", MCFG_REVISION, acpi_identity(in, ACPI_IDENTITY_TABLES));

	put_u64(w, 0);
	for (size_t i = 0; i < in->bridge_count; i++) {
		const AcpiBridge *bridge = &in->bridges[i];
		const uint64_t below = bridge->start_bus * BUS_CONFIG_SIZE;
		const McfgEntry entry = { .base = bridge->ecam.start - below,
			.segment = bridge->segment,
			.start_bus = bridge->start_bus,
			.end_bus = bridge->end_bus };

		/* The entry names the address of bus 0, whether it is there or not. */
		if (bridge->ecam.start < below)
			return error_set(err, PVW_ACPI_0017,
				"mcfg: bridge %u: configuration space of bus %u at 0x%" PRIx64
				", expected at least 0x%" PRIx64,
				bridge->index, bridge->start_bus, bridge->ecam.start, below);
		put_struct(w, entry);
	}
	acpi_table_end(w, mark);
	return true;
}
