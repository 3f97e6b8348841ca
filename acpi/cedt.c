/*
 * CEDT: CXL host bridges and their memory windows. [CXL] 9.17.1
 */
#include <inttypes.h>

#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"
#include "support/checked.h"
#include "support/diagnostics.h"

#define CEDT_REVISION 2
#define CXL_REGISTERS_SIZE UINT64_C(0x10000)
#define CXL_WINDOW_ALIGN UINT64_C(0x10000000)

enum {
	CEDT_HOST_BRIDGE = 0,
	CEDT_WINDOW = 1,
	CXL_VERSION_2 = 1,
};

size_t acpi_bound_cedt(const AcpiInputs *in)
{
	return sizeof(AcpiHeader) +
		in->bridge_count * (sizeof(CedtHostBridge) + sizeof(CedtWindow));
}

static bool fail(Error *err, const AcpiBridge *bridge, const char *what, uint64_t found,
	const char *expected)
{
	return error_set(err, PVW_ACPI_0018, "cedt: bridge %u: %s 0x%" PRIx64 ", expected %s",
		bridge->index, what, found, expected);
}

static bool check(const AcpiBridge *bridge, Error *err)
{
	const MemoryRange hdm = bridge->cxl->hdm, registers = bridge->cxl->registers;

	if (memory_range_is_empty(hdm))
		return fail(err, bridge, "device memory of size", 0, "some");
	if (memory_range_len(registers) != CXL_REGISTERS_SIZE)
		return fail(err, bridge, "component registers of size",
			memory_range_len(registers), "0x10000");
	if (!is_aligned(registers.start, CXL_REGISTERS_SIZE))
		return fail(err, bridge, "component registers at", registers.start,
			"a multiple of 0x10000");
	if (!is_aligned(hdm.start, CXL_WINDOW_ALIGN))
		return fail(
			err, bridge, "device memory at", hdm.start, "a multiple of 0x10000000");
	if (!is_aligned(memory_range_len(hdm), CXL_WINDOW_ALIGN))
		return fail(err, bridge, "device memory of size", memory_range_len(hdm),
			"a multiple of 0x10000000");
	return true;
}

static void put_bridge(ByteWriter *w, const AcpiBridge *bridge)
{
	const CedtHostBridge host_bridge = { .type = CEDT_HOST_BRIDGE,
		.length = sizeof(host_bridge),
		.uid = bridge->index,
		.version = CXL_VERSION_2,
		.base = bridge->cxl->registers.start,
		.len = CXL_REGISTERS_SIZE };
	const CedtWindow window = { .type = CEDT_WINDOW,
		.length = sizeof(window),
		.base = bridge->cxl->hdm.start,
		.len = memory_range_len(bridge->cxl->hdm),
		.restrictions = bridge->cxl->restrictions,
		.target = bridge->index };

	put_struct(w, host_bridge);
	put_struct(w, window);
}

bool acpi_put_cedt(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const AcpiInputs *in = c->in;
	const size_t mark = acpi_table_begin(
		w, "CEDT", CEDT_REVISION, acpi_identity(in, ACPI_IDENTITY_CEDT));

	for (size_t i = 0; i < in->bridge_count; i++) {
		if (!in->bridges[i].cxl)
			continue;
		if (!check(&in->bridges[i], err))
			return false;
		put_bridge(w, &in->bridges[i]);
	}
	acpi_table_end(w, mark);
	return true;
}
