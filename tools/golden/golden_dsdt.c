/*
 * Area dsdt: operations in order, nothing implicit.
 */
#include "golden_acpi.h"

#include <string.h>

#include "acpi/acpi_build.h"

static void read_nothing(const json_t *op, Arena *arena, DsdtDevice *device)
{
	(void)op;
	(void)arena;
	(void)device;
}

static void read_uart(const json_t *op, Arena *arena, DsdtDevice *device)
{
	(void)arena;
	device->uart.path = golden_string(op, "name");
	device->uart.ddn = golden_string(op, "ddn");
	device->uart.uid = golden_u64(op, "uid");
	device->uart.io_base = (uint16_t)golden_u64(op, "io_base");
	device->uart.irq = (uint8_t)golden_u64(op, "irq");
}

static void read_sbsa_uart(const json_t *op, Arena *arena, DsdtDevice *device)
{
	(void)arena;
	device->sbsa_uart.path = golden_string(op, "name");
	device->sbsa_uart.uid = golden_u64(op, "uid");
	device->sbsa_uart.base = golden_u64(op, "base");
	device->sbsa_uart.len = golden_u64(op, "size");
	device->sbsa_uart.gsiv = (uint32_t)golden_u64(op, "gsiv");
}

static void read_module(const json_t *op, Arena *arena, DsdtDevice *device)
{
	(void)arena;
	device->windows.low = golden_range(golden_member(op, "low"));
	device->windows.high = golden_range(golden_member(op, "high"));
}

static void read_pci(const json_t *op, Arena *arena, DsdtDevice *device)
{
	const json_t *list = golden_member(op, "legacy_interrupts");
	const size_t count = json_array_size(list);
	AcpiPciInterrupt *items = golden_array(arena, count, sizeof(*items));

	read_module(op, arena, device);
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(list, i);

		items[i].device = (uint16_t)golden_u64(item, "device");
		items[i].function = golden_is_null(item, "function")
			? ACPI_ANY_FUNCTION
			: (uint16_t)golden_u64(item, "function");
		items[i].line = (uint32_t)golden_u64(item, "line");
	}
	device->windows.interrupts = items;
	device->windows.interrupt_count = count;
}

static void read_vmbus(const json_t *op, Arena *arena, DsdtDevice *device)
{
	(void)arena;
	device->vmbus.in_pci = golden_bool(op, "in_pci");
	if (!golden_is_null(op, "interrupt_intid"))
		device->vmbus.gsiv = (uint32_t)golden_u64(op, "interrupt_intid");
}

static void read_processors(const json_t *op, Arena *arena, DsdtDevice *device)
{
	(void)arena;
	device->processors = (size_t)golden_u64(op, "count");
}

static void read_virtio_mmio(const json_t *op, Arena *arena, DsdtDevice *device)
{
	(void)arena;
	device->virtio_mmio.region = golden_range(golden_member(op, "region"));
	device->virtio_mmio.gsi = (uint32_t)golden_u64(op, "irq");
}

static const struct {
	const char *op;
	DsdtDeviceKind kind;
	void (*read)(const json_t *op, Arena *arena, DsdtDevice *device);
} operations[] = {
	{ "add_s0_s5", DSDT_SLEEP_STATES, read_nothing },
	{ "add_apic", DSDT_APIC, read_nothing },
	{ "add_uart", DSDT_UART, read_uart },
	{ "add_sbsa_uart", DSDT_SBSA_UART, read_sbsa_uart },
	{ "add_mmio_module", DSDT_MODULE, read_module },
	{ "add_pci", DSDT_PCI_ROOT, read_pci },
	{ "add_vmbus", DSDT_VMBUS, read_vmbus },
	{ "add_rtc", DSDT_RTC, read_nothing },
	{ "add_processors", DSDT_PROCESSORS, read_processors },
	{ "add_virtio_mmio", DSDT_VIRTIO_MMIO, read_virtio_mmio },
};

static DsdtDevice read_operation(const json_t *op, Arena *arena)
{
	const char *name = golden_string(op, "op");

	for (size_t i = 0; i < ARRAY_COUNT(operations); i++) {
		DsdtDevice device = { .kind = operations[i].kind };

		if (strcmp(operations[i].op, name) != 0)
			continue;
		operations[i].read(op, arena, &device);
		return device;
	}
	golden_malformed("unknown operation \"%s\"", name);
}

DsdtDeviceList golden_dsdt_devices(const json_t *ops, Arena *arena)
{
	const size_t count = json_array_size(ops);
	DsdtDevice *items = golden_array(arena, count, sizeof(*items));

	for (size_t i = 0; i < count; i++)
		items[i] = read_operation(json_array_get(ops, i), arena);
	return (DsdtDeviceList){ .items = items, .count = count };
}

bool golden_run_dsdt(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const VirtualProcessor vp = { 0 };
	const ProcessorTopology topology = { .vps = &vp, .count = 1 };
	const DsdtDeviceList devices = golden_dsdt_devices(golden_member(input, "ops"), arena);
	const AcpiInputs in = { .profile = ACPI_PROFILE_REFERENCE,
		.topology = &topology,
		.without_sleep_states = true,
		.devices = &devices };
	Bytes table;

	if (!acpi_build_table(ACPI_DSDT, &in, arena, &table, err))
		return false;
	*output = json_pack("{s: o}", "bytes", golden_json_hex(table));
	return true;
}
