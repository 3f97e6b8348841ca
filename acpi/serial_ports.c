/*
 * Serial ports with a role: SPCR names the console, DBG2 the port of a debugger. [SPCR], [DBG2]
 */
#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"
#include "support/diagnostics.h"

#include <inttypes.h>

#define SPCR_REVISION 2
#define DBG2_REVISION 0
#define PORT_PATH_MAX 255
#define NO_PATH "." /* what stands for a device that the DSDT does not have */

/* What the tables say of a kind of port. */
typedef struct PortKind {
	GuestArch arch;
	const char *name;
	uint8_t subtype;
	uint8_t space, bit_width, access_size;
	uint8_t interrupts; /* kinds of interrupt controllers that have its interrupt */
	uint32_t size;      /* ports or bytes */
	uint64_t base_max;
	uint32_t interrupt_max;
} PortKind;

static const PortKind kinds[] = {
	[ACPI_PORT_16550] = { .arch = GUEST_ARCH_X86_64,
		.name = "a 16550",
		.subtype = DBG2_SERIAL_16550,
		.space = ACPI_SPACE_IO,
		.bit_width = 8,
		.access_size = ACPI_ACCESS_BYTE,
		.interrupts = SPCR_INTERRUPT_IO_APIC,
		.size = 8,
		.base_max = 0x10000 - 8,
		.interrupt_max = UINT8_MAX },
	[ACPI_PORT_PL011] = { .arch = GUEST_ARCH_AARCH64,
		.name = "a pl011",
		.subtype = DBG2_SERIAL_PL011,
		.space = ACPI_SPACE_MEMORY,
		.bit_width = 32,
		.access_size = ACPI_ACCESS_DWORD,
		.interrupts = SPCR_INTERRUPT_GIC,
		.size = 0x1000,
		.base_max = UINT64_MAX - 0xFFF,
		.interrupt_max = UINT32_MAX },
};
static_assert(ARRAY_COUNT(kinds) == ACPI_PORT_KIND_COUNT, "a row for every kind of port");

static size_t path_size(const char *path)
{
	return strlen(path ? path : NO_PATH) + 1;
}

size_t acpi_bound_spcr(const AcpiInputs *in)
{
	(void)in;
	return sizeof(AcpiHeader) + sizeof(SpcrBody);
}

size_t acpi_bound_dbg2(const AcpiInputs *in)
{
	const size_t path = path_size(in->debug_port.path);

	return sizeof(AcpiHeader) + sizeof(Dbg2Head) + sizeof(Dbg2Device) +
		(path <= PORT_PATH_MAX ? path : 0);
}

/* The row of a port that the machine can have; NULL: it cannot. */
static const PortKind *check_port(
	const AcpiInputs *in, const AcpiPort *port, const char *table, Error *err)
{
	const PortKind *kind;

	if (port->kind <= ACPI_PORT_NONE || port->kind >= ACPI_PORT_KIND_COUNT) {
		(void)error_set(err, PVW_ACPI_0023, "%s: no port given", table);
		return NULL;
	}
	kind = &kinds[port->kind];
	if (kind->arch != in->topology->arch) {
		(void)error_set(err, PVW_ACPI_0023, "%s: %s in a guest of %s, expected %s",
			table, kind->name, guest_arch_name(in->topology->arch),
			guest_arch_name(kind->arch));
		return NULL;
	}
	if (port->base > kind->base_max || port->interrupt > kind->interrupt_max) {
		(void)error_set(err, PVW_ACPI_0023,
			"%s: %s at 0x%" PRIx64 " with interrupt %u, expected at most 0x%" PRIx64
			" and %u",
			table, kind->name, port->base, port->interrupt, kind->base_max,
			kind->interrupt_max);
		return NULL;
	}
	if (port->path && strlen(port->path) >= PORT_PATH_MAX) {
		(void)error_set(err, PVW_ACPI_0023,
			"%s: a path of %zu bytes, expected less than %d", table,
			strlen(port->path), PORT_PATH_MAX);
		return NULL;
	}
	return kind;
}

static AcpiAddress registers_of(const PortKind *kind, const AcpiPort *port)
{
	return (AcpiAddress){ .space = kind->space,
		.bit_width = kind->bit_width,
		.access_size = kind->access_size,
		.address = port->base };
}

bool acpi_put_spcr(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const AcpiPort *port = &c->in->console;
	const PortKind *kind = check_port(c->in, port, "spcr", err);
	SpcrBody body;
	size_t mark;

	if (!kind)
		return false;
	body = (SpcrBody){ .interface_type = kind->subtype,
		.base = registers_of(kind, port),
		.interrupt_type = kind->interrupts,
		.gsi = port->interrupt,
		.baud_rate = SPCR_BAUD_115200,
		.stop_bits = SPCR_STOP_BITS_1,
		.terminal_type = SPCR_TERMINAL_ANSI,
		.pci_device = SPCR_NOT_PCI,
		.pci_vendor = SPCR_NOT_PCI };
	if (c->in->with_pic && port->kind == ACPI_PORT_16550) {
		body.interrupt_type |= SPCR_INTERRUPT_8259;
		body.irq = (uint8_t)port->interrupt;
	}
	mark = acpi_table_begin(
		w, "SPCR", SPCR_REVISION, acpi_identity(c->in, ACPI_IDENTITY_TABLES));
	put_struct(w, body);
	acpi_table_end(w, mark);
	return true;
}

bool acpi_put_dbg2(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const AcpiPort *port = &c->in->debug_port;
	const PortKind *kind = check_port(c->in, port, "dbg2", err);
	const Dbg2Head head = { .devices_offset = sizeof(AcpiHeader) + sizeof(head),
		.device_count = 1 };
	const size_t path = path_size(port->path);
	Dbg2Device device;
	size_t mark;

	if (!kind)
		return false;
	device = (Dbg2Device){ .length = (uint16_t)(sizeof(device) + path),
		.register_count = 1,
		.path_length = (uint16_t)path,
		.path_offset = sizeof(device),
		.port_type = DBG2_PORT_SERIAL,
		.port_subtype = kind->subtype,
		.base_offset = offsetof(Dbg2Device, base),
		.size_offset = offsetof(Dbg2Device, size),
		.base = registers_of(kind, port),
		.size = kind->size };
	mark = acpi_table_begin(
		w, "DBG2", DBG2_REVISION, acpi_identity(c->in, ACPI_IDENTITY_TABLES));
	put_struct(w, head);
	put_struct(w, device);
	put_bytes(w, port->path ? port->path : NO_PATH, path);
	acpi_table_end(w, mark);
	return true;
}
