/*
 * The DSDT: which devices, in which order. [ACPI65] 5.2.11.1
 */
#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"
#include "acpi/dsdt_devices.h"
#include "support/diagnostics.h"

#define DSDT_REVISION 2 /* integers are 64 bits wide */

/* What puts a device of each kind, and how many bytes that takes at most. */
typedef struct DsdtKind {
	void (*put)(Aml *aml, const AcpiForm *form, const DsdtDevice *device);
	size_t (*bound)(const DsdtDevice *device);
} DsdtKind;

static void put_vmbus(Aml *aml, const AcpiForm *form, const DsdtDevice *device)
{
	form->put_vmbus(aml, device);
}

static void put_pci_root(Aml *aml, const AcpiForm *form, const DsdtDevice *device)
{
	form->put_pci_root(aml, device);
}

/* More than any single device without lists in it. */
#define DEVICE_BOUND 320

static size_t fixed_bound(const DsdtDevice *device)
{
	(void)device;
	return DEVICE_BOUND;
}

/* A path of n characters has at most (n + 1) / 2 segments of four. */
static size_t path_bound(const char *path)
{
	return 2 * strlen(path) + 8;
}

static size_t uart_bound(const DsdtDevice *device)
{
	return DEVICE_BOUND + path_bound(device->uart.path) + strlen(device->uart.ddn);
}

static size_t sbsa_uart_bound(const DsdtDevice *device)
{
	return DEVICE_BOUND + path_bound(device->sbsa_uart.path);
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t pci_root_bound(const DsdtDevice *device)
{
	return DEVICE_BOUND + 16 * min_size(device->windows.interrupt_count, AML_PACKAGE_MAX);
}

static size_t virtio_mmio_bound(const DsdtDevice *device)
{
	const uint64_t slots = memory_range_len(device->virtio_mmio.region) / PAGE_SIZE;

	return 128 * (slots < DSDT_VIRTIO_MAX ? (size_t)slots : DSDT_VIRTIO_MAX);
}

static size_t processors_bound(const DsdtDevice *device)
{
	return 16 + 44 * min_size(device->processors, DSDT_PROCESSORS_MAX);
}

static const DsdtKind kinds[DSDT_DEVICE_COUNT] = {
	[DSDT_SLEEP_STATES] = { dsdt_put_sleep_states, fixed_bound },
	[DSDT_APIC] = { dsdt_put_apic, fixed_bound },
	[DSDT_UART] = { dsdt_put_uart, uart_bound },
	[DSDT_SBSA_UART] = { dsdt_put_sbsa_uart, sbsa_uart_bound },
	[DSDT_MODULE] = { dsdt_put_module, fixed_bound },
	[DSDT_PCI_ROOT] = { put_pci_root, pci_root_bound },
	[DSDT_VMBUS] = { put_vmbus, fixed_bound },
	[DSDT_RTC] = { dsdt_put_rtc, fixed_bound },
	[DSDT_VIRTIO_MMIO] = { dsdt_put_virtio_mmio, virtio_mmio_bound },
	[DSDT_PROCESSORS] = { dsdt_put_processors, processors_bound },
};
static_assert(ARRAY_COUNT(kinds) == 10, "a row for every kind of device");

/* What the inputs state one by one; a list of devices stands instead of it. */
static bool is_stated(const AcpiInputs *in, bool with)
{
	return with && !in->devices;
}

static bool has_sleep_states(const AcpiInputs *in)
{
	return !in->without_sleep_states;
}

static bool has_hibernation(const AcpiInputs *in)
{
	return in->with_hibernation;
}

static bool has_apic(const AcpiInputs *in)
{
	return is_stated(in, in->with_ioapic);
}

static bool has_uarts(const AcpiInputs *in)
{
	return is_stated(in, in->uart_count > 0);
}

/* VMBus hangs on the module device, also when there is no window to show. */
static bool has_module(const AcpiInputs *in)
{
	return is_stated(in,
		in->with_vmbus || !memory_range_is_empty(in->mmio_low) ||
			!memory_range_is_empty(in->mmio_high));
}

static bool has_vmbus(const AcpiInputs *in)
{
	return is_stated(in, in->with_vmbus);
}

static bool has_sbsa_uarts(const AcpiInputs *in)
{
	return is_stated(in, in->sbsa_uart_count > 0);
}

static bool has_rtc(const AcpiInputs *in)
{
	return is_stated(in, in->with_rtc);
}

static bool has_list(const AcpiInputs *in)
{
	return in->devices;
}

static bool has_generation_counter(const AcpiInputs *in)
{
	return in->generation_id_gpa;
}

static bool has_processors(const AcpiInputs *in)
{
	return in->with_processors;
}

static void put_device(Aml *aml, const AcpiForm *form, const DsdtDevice *device)
{
	assert(device->kind < DSDT_DEVICE_COUNT);
	kinds[device->kind].put(aml, form, device);
}

static void put_sleep_states(Aml *aml, const AcpiForm *form, const AcpiInputs *in)
{
	(void)in;
	put_device(aml, form, &(DsdtDevice){ .kind = DSDT_SLEEP_STATES });
}

static void put_hibernation(Aml *aml, const AcpiForm *form, const AcpiInputs *in)
{
	(void)form;
	dsdt_put_hibernation(aml, in->topology->arch);
}

static void put_apic(Aml *aml, const AcpiForm *form, const AcpiInputs *in)
{
	(void)in;
	put_device(aml, form, &(DsdtDevice){ .kind = DSDT_APIC });
}

/* "\_SB." and a name that ends within its five bytes. */
typedef struct UartPath {
	char text[sizeof("\\_SB.") + 5];
} UartPath;

static UartPath uart_path(const char name[5])
{
	UartPath path = { "\\_SB." };

	memcpy(path.text + strlen(path.text), name, 5);
	return path;
}

static void put_uarts(Aml *aml, const AcpiForm *form, const AcpiInputs *in)
{
	for (size_t i = 0; i < in->uart_count; i++) {
		const AcpiUart *uart = &in->uarts[i];
		const UartPath path = uart_path(uart->name);
		const DsdtDevice device = { .kind = DSDT_UART,
			.uart = { .path = path.text,
				.ddn = uart->ddn,
				.uid = uart->uid,
				.io_base = uart->io_base,
				.irq = uart->irq } };

		put_device(aml, form, &device);
	}
}

static void put_sbsa_uarts(Aml *aml, const AcpiForm *form, const AcpiInputs *in)
{
	for (size_t i = 0; i < in->sbsa_uart_count; i++) {
		const AcpiSbsaUart *uart = &in->sbsa_uarts[i];
		const UartPath path = uart_path(uart->name);
		const DsdtDevice device = { .kind = DSDT_SBSA_UART,
			.sbsa_uart = { .path = path.text,
				.uid = uart->uid,
				.base = uart->base,
				.len = uart->len,
				.gsiv = uart->gsiv } };

		put_device(aml, form, &device);
	}
}

static void put_module(Aml *aml, const AcpiForm *form, const AcpiInputs *in)
{
	put_device(aml, form,
		&(DsdtDevice){ .kind = DSDT_MODULE,
			.windows = { .low = in->mmio_low, .high = in->mmio_high } });
}

static void put_module_vmbus(Aml *aml, const AcpiForm *form, const AcpiInputs *in)
{
	put_device(aml, form,
		&(DsdtDevice){ .kind = DSDT_VMBUS, .vmbus = { .gsiv = in->vmbus_gsiv } });
}

static void put_rtc(Aml *aml, const AcpiForm *form, const AcpiInputs *in)
{
	(void)in;
	put_device(aml, form, &(DsdtDevice){ .kind = DSDT_RTC });
}

static void put_generation_counter(Aml *aml, const AcpiForm *form, const AcpiInputs *in)
{
	(void)form;
	dsdt_put_generation_counter(
		aml, in->topology->arch, in->generation_id_gpa, in->generation_gsiv);
}

static void put_list(Aml *aml, const AcpiForm *form, const AcpiInputs *in)
{
	for (size_t i = 0; i < in->devices->count; i++)
		put_device(aml, form, &in->devices->items[i]);
}

static void put_processors(Aml *aml, const AcpiForm *form, const AcpiInputs *in)
{
	put_device(aml, form,
		&(DsdtDevice){ .kind = DSDT_PROCESSORS, .processors = in->topology->count });
}

/* Emitted in this order. */
static const struct {
	bool (*wanted)(const AcpiInputs *in);
	void (*put)(Aml *aml, const AcpiForm *form, const AcpiInputs *in);
} rows[] = {
	{ has_sleep_states, put_sleep_states },
	{ has_hibernation, put_hibernation },
	{ has_apic, put_apic },
	{ has_uarts, put_uarts },
	{ has_module, put_module },
	{ has_vmbus, put_module_vmbus },
	{ has_sbsa_uarts, put_sbsa_uarts },
	{ has_rtc, put_rtc },
	{ has_list, put_list },
	{ has_generation_counter, put_generation_counter },
	{ has_processors, put_processors },
};

/* The kind of device that must stand before it, as a bit; 0: none. */
static unsigned parent_of(const DsdtDevice *device)
{
	if (device->kind != DSDT_VMBUS)
		return 0;
	return device->vmbus.in_pci ? 1u << DSDT_PCI_ROOT : 1u << DSDT_MODULE;
}

/*
 * A second object of a name, or one below a parent that is not there, is lost when the guest
 * loads the table. UARTs are not counted: their names are the caller's.
 */
static bool check_list(const AcpiInputs *in, Error *err)
{
	const unsigned uarts = 1u << DSDT_UART | 1u << DSDT_SBSA_UART;
	unsigned seen = (has_sleep_states(in) ? 1u << DSDT_SLEEP_STATES : 0) |
		(has_processors(in) ? 1u << DSDT_PROCESSORS : 0);

	for (size_t i = 0; i < in->devices->count; i++) {
		const DsdtDevice *device = &in->devices->items[i];
		const unsigned parent = parent_of(device);

		if (seen & ~uarts & 1u << device->kind)
			return error_set(err, PVW_ACPI_0022,
				"dsdt: device %zu is the second of kind %d, expected one", i,
				(int)device->kind);
		if ((seen & parent) != parent)
			return error_set(err, PVW_ACPI_0022,
				"dsdt: device %zu is a vmbus, expected %s before it", i,
				device->vmbus.in_pci ? "PCI0" : "VMOD");
		seen |= 1u << device->kind;
	}
	return true;
}

size_t acpi_bound_dsdt(const AcpiInputs *in)
{
	size_t bound = sizeof(AcpiHeader) + ARRAY_COUNT(rows) * DEVICE_BOUND;

	for (size_t i = 0; i < in->uart_count; i++)
		bound += DEVICE_BOUND + strlen(in->uarts[i].ddn);
	bound += in->sbsa_uart_count * DEVICE_BOUND;
	for (size_t i = 0; in->devices && i < in->devices->count; i++) {
		assert(in->devices->items[i].kind < DSDT_DEVICE_COUNT);
		bound += kinds[in->devices->items[i].kind].bound(&in->devices->items[i]);
	}
	if (in->with_processors)
		bound += processors_bound(&(DsdtDevice){ .processors = in->topology->count });
	return bound;
}

bool acpi_put_dsdt(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const AcpiForm *form = acpi_form(c->in->profile);
	size_t mark;
	UNINITIALIZED Aml aml;

	if (form->strict && c->in->devices && !check_list(c->in, err))
		return false;
	mark = acpi_table_begin(
		w, "DSDT", DSDT_REVISION, acpi_identity(c->in, ACPI_IDENTITY_DSDT));
	aml_begin(&aml, w, err);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (rows[i].wanted(c->in))
			rows[i].put(&aml, form, c->in);
	}
	if (!aml_finish(&aml))
		return error_wrap(err, "dsdt");
	acpi_table_end(w, mark);
	return true;
}
