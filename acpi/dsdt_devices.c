/*
 * The devices of the DSDT. [ACPI65] 5.6, 6.1, 6.2; bytes of the reference profile: [OVMM]
 * vm/acpi/src/dsdt.rs.
 */
#include "acpi/dsdt_devices.h"

#include <inttypes.h>

#include "support/diagnostics.h"

#define STA_WORKING 0xF /* present, enabled, shown, functioning. [ACPI65] 6.3.7 */
#define UART_PORTS 8
#define RTC_PORT 0x70
#define RTC_PORTS 2
#define RTC_IRQ 8
#define VMBUS_IRQ 5 /* as Hyper-V's firmware says; nothing is ever raised on it */
#define GENERATION_ID_SIZE 16
#define GENERATION_CHANGED 0x80 /* of Notify */
#define PCI_CONFIG_PORT 0xCF8
#define PCI_CONFIG_PORTS 8

/* EisaId ("PNP….") */
static void put_pnp_hid(Aml *aml, uint16_t number)
{
	aml_name(aml, "_HID");
	aml_dword(aml, AML_EISA_PNP(number));
}

static void put_uid(Aml *aml, uint64_t uid)
{
	aml_name(aml, "_UID");
	aml_integer(aml, uid);
}

/*
 * Name (\_S0, Package (2) { 0, 0 })
 * Name (\_S5, Package (2) { 0, 0 })
 */
void dsdt_put_sleep_states(Aml *aml, const AcpiForm *form, const DsdtDevice *device)
{
	static const char states[] = "\x08\\_S0_\x12\x04\x02\0\0"
				     "\x08\\_S5_\x12\x04\x02\0\0";

	(void)form;
	(void)device;
	put_bytes(aml->out, states, sizeof(states) - 1);
}

/*
 * Scope (\_SB) {
 *	Method (_DSM, 4) {
 *		If (LEqual (Arg0, ToUUID ("713E539D-E06E-4AE9-A75D-21EB34112B7E"))) {
 *			If (LEqual (Arg2, 0)) { Return (Buffer () { 0x03 }) }
 *			If (LEqual (Arg2, 1)) { Return (1) } }
 *		Return (Buffer () { 0 }) } }
 *
 * "Take \_S4 at its word": what hibernates on hardware without sleep registers. [MU]
 * MsvmPkg/AcpiTables/Dsdt.asl
 */
static void put_strict_s4(Aml *aml)
{
	static const uint8_t strict_s4[16] = { 0x9D, 0x53, 0x3E, 0x71, 0x6E, 0xE0, 0xE9, 0x4A,
		0xA7, 0x5D, 0x21, 0xEB, 0x34, 0x11, 0x2B, 0x7E };
	static const uint8_t both_functions[] = { 0x03 }, no_function[] = { 0 };

	aml_scope(aml, "\\_SB");
	aml_method(aml, "_DSM", 4);
	aml_if_uuid(aml, AML_ARG0, strict_s4);
	aml_if_equal(aml, AML_ARG2, 0);
	aml_op(aml, AML_RETURN);
	aml_buffer(aml, (Bytes){ .data = both_functions, .len = 1 });
	aml_close(aml);
	aml_if_equal(aml, AML_ARG2, 1);
	aml_op(aml, AML_RETURN);
	aml_integer(aml, 1);
	aml_close(aml);
	aml_close(aml);
	aml_op(aml, AML_RETURN);
	aml_buffer(aml, (Bytes){ .data = no_function, .len = 1 });
	aml_close(aml);
	aml_close(aml);
}

/*
 * Name (\_S4, Package (2) { 1, 0 })	// SLP_TYP of PM1a
 */
void dsdt_put_hibernation(Aml *aml, GuestArch arch)
{
	put_bytes(aml->out, "\x08\\_S4_", 6);
	aml_package(aml, 2);
	aml_integer(aml, 1);
	aml_integer(aml, 0);
	aml_close(aml);
	if (arch == GUEST_ARCH_AARCH64)
		put_strict_s4(aml);
}

/* Notify (\_SB.GENC, 0x80) } */
static void notify_generation_close(Aml *aml)
{
	aml_op(aml, AML_NOTIFY);
	aml_path(aml, "\\_SB.GENC");
	aml_integer(aml, GENERATION_CHANGED);
	aml_close(aml);
}

/*
 * Scope (\_GPE) {
 *	Method (_E00) { Notify (\_SB.GENC, 0x80) } }
 */
static void put_generation_gpe(Aml *aml)
{
	aml_scope(aml, "\\_GPE");
	aml_method(aml, "_E00", 0);
	notify_generation_close(aml);
	aml_close(aml);
}

/*
 * Device (\_SB.GED1) {
 *	Name (_HID, "ACPI0013") Name (_UID, 1)
 *	Name (_CRS, ResourceTemplate () {
 *		Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 35 } })
 *	Method (_EVT, 1) {
 *		If (LEqual (Arg0, 35)) { Notify (\_SB.GENC, 0x80) } } }
 */
static void put_generation_event(Aml *aml, uint32_t gsiv)
{
	aml_device_at(aml, AML_ROOT_PATH2("_SB_", "GED1"));
	aml_literal(aml, AML_NAMED_TEXT("_HID", "ACPI0013"));
	put_uid(aml, 1);
	aml_resources(aml);
	resource_interrupt(aml, RESOURCE_EDGE_EXCLUSIVE, gsiv);
	aml_close(aml);
	aml_method(aml, "_EVT", 1);
	aml_if_equal(aml, AML_ARG0, gsiv);
	notify_generation_close(aml);
	aml_close(aml);
	aml_close(aml);
}

/*
 * Device (\_SB.GENC) {
 *	Name (_HID, "MSFT1002") Name (_CID, "VM_Gen_Counter")
 *	Name (_UID, 0) Name (_DDN, "VM_Gen_Counter")
 *	Name (ADDR, Package (2) { …low 32 bits…, …high 32 bits… }) }
 *
 * Linux matches the _CID. [VMGENID]; [LINUX] drivers/virt/vmgenid.c
 */
void dsdt_put_generation_counter(Aml *aml, GuestArch arch, uint64_t gpa, uint32_t gsiv)
{
	if (gpa % 8 != 0 || gpa > UINT64_MAX - GENERATION_ID_SIZE) {
		aml_fail(aml, PVW_ACPI_0024,
			"a generation id at 0x%" PRIx64
			", expected a multiple of 8 with 16 bytes behind it",
			gpa);
		return;
	}
	aml_device_at(aml, AML_ROOT_PATH2("_SB_", "GENC"));
	aml_literal(aml, AML_NAMED_TEXT("_HID", "MSFT1002"));
	aml_literal(aml, AML_NAMED_TEXT("_CID", "VM_Gen_Counter"));
	put_uid(aml, 0);
	aml_literal(aml, AML_NAMED_TEXT("_DDN", "VM_Gen_Counter"));
	aml_name(aml, "ADDR");
	aml_package(aml, 2);
	aml_integer(aml, (uint32_t)gpa);
	aml_integer(aml, gpa >> 32);
	aml_close(aml);
	aml_close(aml);
	if (arch == GUEST_ARCH_X86_64)
		put_generation_gpe(aml);
	else if (gsiv)
		put_generation_event(aml, gsiv);
}

/*
 * Device (\_SB.APIC) {
 *	Name (_HID, EisaId ("PNP0003"))
 *	Name (_CRS, ResourceTemplate () {
 *		Memory32Fixed (ReadWrite, 0xFEE00000, 0x1000)
 *		Memory32Fixed (ReadWrite, 0xFEC00000, 0x1000) }) }
 */
void dsdt_put_apic(Aml *aml, const AcpiForm *form, const DsdtDevice *device)
{
	(void)form;
	(void)device;
	aml_device_at(aml, AML_ROOT_PATH2("_SB_", "APIC"));
	put_pnp_hid(aml, 0x0003);
	aml_resources(aml);
	resource_memory32(aml, LOCAL_APIC_GPA, APIC_WINDOW_SIZE);
	resource_memory32(aml, IO_APIC_GPA, APIC_WINDOW_SIZE);
	aml_close(aml);
	aml_close(aml);
}

/*
 * Device (\_SB.UAR1) {
 *	Name (_HID, EisaId ("PNP0501")) Name (_DDN, "COM1") Name (_UID, 1)
 *	Name (_CRS, ResourceTemplate () {
 *		IO (Decode16, 0x3F8, 0x3F8, 1, 8)
 *		Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 4 } }) }
 */
void dsdt_put_uart(Aml *aml, const AcpiForm *form, const DsdtDevice *device)
{
	(void)form;
	aml_device(aml, device->uart.path);
	put_pnp_hid(aml, 0x0501);
	aml_name(aml, "_DDN");
	aml_string(aml, device->uart.ddn);
	put_uid(aml, device->uart.uid);
	aml_resources(aml);
	resource_io(aml, device->uart.io_base, 1, UART_PORTS);
	resource_interrupt(aml, RESOURCE_EDGE_EXCLUSIVE, device->uart.irq);
	aml_close(aml);
	aml_close(aml);
}

/*
 * Device (\_SB.UAR0) {
 *	Name (_HID, "ARMH0011") Name (_UID, 0)
 *	Name (_CRS, ResourceTemplate () {
 *		QWordMemory (…, 0, 0xEFFEC000, 0xEFFECFFF, 0, 0x1000)
 *		Interrupt (ResourceConsumer, Level, ActiveHigh, Exclusive) { 33 } }) }
 */
void dsdt_put_sbsa_uart(Aml *aml, const AcpiForm *form, const DsdtDevice *device)
{
	aml_device(aml, device->sbsa_uart.path);
	aml_literal(aml, AML_NAMED_TEXT("_HID", "ARMH0011"));
	put_uid(aml, device->sbsa_uart.uid);
	aml_resources(aml);
	resource_window(aml, form->leaf_use, device->sbsa_uart.base, device->sbsa_uart.len);
	resource_interrupt(aml, RESOURCE_LEVEL_EXCLUSIVE, device->sbsa_uart.gsiv);
	aml_close(aml);
	aml_close(aml);
}

/*
 * Device (\_SB.VMOD) {
 *	Name (_HID, "ACPI0004") Name (_UID, 0)
 *	Name (_CRS, ResourceTemplate () {		// each window only if it is not empty
 *		QWordMemory (ResourceProducer, …, 0, 0xF8000000, 0xFFFFFFFF, 0, 0x8000000)
 *		QWordMemory (ResourceProducer, …, 0, 0x100000000, 0x11FFFFFFF, 0, 0x20000000) }) }
 */
void dsdt_put_module(Aml *aml, const AcpiForm *form, const DsdtDevice *device)
{
	const MemoryRange low = device->windows.low, high = device->windows.high;

	aml_device_at(aml, AML_ROOT_PATH2("_SB_", "VMOD"));
	aml_literal(aml, AML_NAMED_TEXT("_HID", "ACPI0004"));
	put_uid(aml, 0);
	if (form->empty_templates || !memory_range_is_empty(low) ||
		!memory_range_is_empty(high)) {
		aml_resources(aml);
		resource_window_of(aml, RESOURCE_PRODUCER, low);
		resource_window_of(aml, RESOURCE_PRODUCER, high);
		aml_close(aml);
	}
	aml_close(aml);
}

static void open_vmbus(Aml *aml, const DsdtDevice *device)
{
	if (device->vmbus.in_pci)
		aml_device_at(aml, AML_ROOT_PATH3("_SB_", "PCI0", "VMBS"));
	else
		aml_device_at(aml, AML_ROOT_PATH3("_SB_", "VMOD", "VMBS"));
}

/*
 * Method (_DIS) { And (STA, 0xD, STA) }
 * Method (_PS0) { Or (STA, 0xF, STA) }
 * Method (_STA) { Return (STA) }
 */
static void put_vmbus_methods(Aml *aml)
{
	static const char methods[] = "\x14\x11_DIS\0\x7BSTA_\x0A\x0DSTA_"
				      "\x14\x11_PS0\0\x7DSTA_\x0A\x0FSTA_"
				      "\x14\x0B_STA\0\xA4STA_";

	put_bytes(aml->out, methods, sizeof(methods) - 1);
}

/*
 * Device (\_SB.VMOD.VMBS) {
 *	Name (STA, 0xF) Name (_ADR, 0) Name (_DDN, "VMBUS") Name (_HID, "VMBus") Name (_UID, 0)
 *	Method (_DIS) … Method (_PS0) … Method (_STA) …
 *	Name (_PS3, 0)
 *	Name (_CRS, ResourceTemplate () { }) }	// aarch64: Interrupt (…, Edge, …) { 18 }
 */
void dsdt_put_vmbus_reference(Aml *aml, const DsdtDevice *device)
{
	open_vmbus(aml, device);
	aml_name(aml, "STA_");
	aml_integer(aml, STA_WORKING);
	aml_name(aml, "_ADR");
	aml_integer(aml, 0);
	aml_literal(aml, AML_NAMED_TEXT("_DDN", "VMBUS"));
	aml_literal(aml, AML_NAMED_TEXT("_HID", "VMBus"));
	put_uid(aml, 0);
	put_vmbus_methods(aml);
	aml_name(aml, "_PS3");
	aml_integer(aml, 0);
	aml_resources(aml);
	if (device->vmbus.gsiv)
		resource_interrupt(aml, RESOURCE_EDGE_EXCLUSIVE, device->vmbus.gsiv);
	aml_close(aml);
	aml_close(aml);
}

/*
 * Device (\_SB.VMOD.VMBS) {
 *	Name (STA, 0xF) Name (_DDN, "VMBUS")
 *	Name (_HID, "MSFT1000") Name (_CID, "VMBus") Name (_UID, 0)
 *	Method (_DIS) … Method (_PS0) … Method (_STA) …
 *	Method (_PS3) { }
 *	Name (_CRS, ResourceTemplate () { IRQ (Edge, ActiveHigh, Exclusive) { 5 } }) }
 * aarch64: Name (_CCA, 1), and Interrupt (ResourceConsumer, Edge, …) { 18 } in _CRS
 *
 * The Linux driver matches the _CID, and gives up when there is no _CRS at all.
 */
void dsdt_put_vmbus(Aml *aml, const DsdtDevice *device)
{
	open_vmbus(aml, device);
	aml_name(aml, "STA_");
	aml_integer(aml, STA_WORKING);
	aml_literal(aml, AML_NAMED_TEXT("_DDN", "VMBUS"));
	aml_literal(aml, AML_NAMED_TEXT("_HID", "MSFT1000"));
	aml_literal(aml, AML_NAMED_TEXT("_CID", "VMBus"));
	put_uid(aml, 0);
	if (device->vmbus.gsiv) {
		aml_name(aml, "_CCA");
		aml_integer(aml, 1);
	}
	put_vmbus_methods(aml);
	aml_method(aml, "_PS3", 0);
	aml_close(aml);
	aml_resources(aml);
	if (device->vmbus.gsiv)
		resource_interrupt(aml, RESOURCE_EDGE_EXCLUSIVE, device->vmbus.gsiv);
	else
		resource_irq(aml, VMBUS_IRQ);
	aml_close(aml);
	aml_close(aml);
}

/*
 * Device (\_SB.RTC0) {
 *	Name (_HID, EisaId ("PNP0B00")) Name (_UID, 0)
 *	Name (_CRS, ResourceTemplate () {
 *		IO (Decode16, 0x70, 0x70, 0, 2)
 *		Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 8 } }) }
 */
void dsdt_put_rtc(Aml *aml, const AcpiForm *form, const DsdtDevice *device)
{
	(void)form;
	(void)device;
	aml_device_at(aml, AML_ROOT_PATH2("_SB_", "RTC0"));
	put_pnp_hid(aml, 0x0B00);
	put_uid(aml, 0);
	aml_resources(aml);
	resource_io(aml, RTC_PORT, 0, RTC_PORTS);
	resource_interrupt(aml, RESOURCE_EDGE_EXCLUSIVE, RTC_IRQ);
	aml_close(aml);
	aml_close(aml);
}

/*
 * Device (\_SB.VI00) {
 *	Name (_HID, "LNRO0005") Name (_UID, 0)
 *	Name (_CRS, ResourceTemplate () {
 *		QWordMemory (…, 0, 0xF7FFE000, 0xF7FFEFFF, 0, 0x1000)
 *		Interrupt (ResourceConsumer, Level, ActiveHigh, …) { 17 } }) }
 */
static void put_virtio_slot(
	Aml *aml, const AcpiForm *form, const DsdtDevice *device, unsigned slot)
{
	char path[] = "\\_SB.VI00";

	path[7] = (char)('0' + slot / 10);
	path[8] = (char)('0' + slot % 10);
	aml_device(aml, path);
	aml_literal(aml, AML_NAMED_TEXT("_HID", "LNRO0005"));
	put_uid(aml, slot);
	aml_resources(aml);
	resource_window(aml, form->leaf_use,
		device->virtio_mmio.region.start + slot * PAGE_SIZE, PAGE_SIZE);
	resource_interrupt(aml, form->virtio_trigger, device->virtio_mmio.gsi);
	aml_close(aml);
	aml_close(aml);
}

void dsdt_put_virtio_mmio(Aml *aml, const AcpiForm *form, const DsdtDevice *device)
{
	const uint64_t slots = memory_range_len(device->virtio_mmio.region) / PAGE_SIZE;

	if (slots > DSDT_VIRTIO_MAX) {
		aml_fail(aml, PVW_ACPI_0008,
			"%" PRIu64 " virtio-mmio devices, expected at most %d", slots,
			DSDT_VIRTIO_MAX);
		return;
	}
	for (unsigned slot = 0; slot < slots; slot++)
		put_virtio_slot(aml, form, device, slot);
}

/* The name behind @name: P001 … P999, Q000 …; the last place counts fastest. */
static void next_processor_name(char name[4])
{
	for (size_t place = 3; place > 0; place--) {
		if (name[place] < '9') {
			name[place]++;
			return;
		}
		name[place] = '0';
	}
	name[0]++;
}

/*
 * Device (P001) {
 *	Name (_HID, "ACPI0007") Name (_UID, 1)
 *	Method (_STA) { Return (0xF) } }
 */
static void put_processor(Aml *aml, const char name[4], size_t vp)
{
	/* What is the same in all of them; a guest may have thousands. */
	static const char ids[] = AML_NAMED_TEXT("_HID", "ACPI0007") "\0\x08_UID";
	static const char status[] = "\x14\x09_STA\0\xA4\x0A\x0F";

	aml_device_segment(aml, name);
	put_bytes(aml->out, ids, sizeof(ids) - 1);
	aml_integer(aml, acpi_processor_uid(vp));
	put_bytes(aml->out, status, sizeof(status) - 1);
	aml_close(aml);
}

void dsdt_put_processors(Aml *aml, const AcpiForm *form, const DsdtDevice *device)
{
	char name[4] = { 'P', '0', '0', '0' };

	if (device->processors > DSDT_PROCESSORS_MAX) {
		aml_fail(aml, PVW_ACPI_0007,
			"%zu processors, expected at most %d: there are no more names",
			device->processors, DSDT_PROCESSORS_MAX);
		return;
	}
	if (form->scope)
		aml_scope(aml, form->scope);
	for (size_t vp = 0; vp < device->processors; vp++) {
		next_processor_name(name);
		put_processor(aml, name, vp);
	}
	if (form->scope)
		aml_close(aml);
}

/* Name (_PRT, Package (n) { Package (4) { device << 16 | function, INTA, 0, GSI }, … }) */
static void put_interrupt(Aml *aml, const AcpiPciInterrupt *interrupt,
	void (*put_number)(Aml *aml, uint32_t number))
{
	aml_package(aml, 4);
	put_number(aml, (uint32_t)interrupt->device << 16 | interrupt->function);
	aml_integer(aml, 0);
	aml_integer(aml, 0);
	put_number(aml, interrupt->line);
	aml_close(aml);
}

static void put_short_number(Aml *aml, uint32_t number)
{
	aml_integer(aml, number);
}

static void put_dword_number(Aml *aml, uint32_t number)
{
	aml_dword(aml, number);
}

/* As the reference has it: every entry, numbers as DWord constants whatever their value. */
static void put_routing_reference(Aml *aml, const DsdtDevice *device)
{
	aml_name(aml, "_PRT");
	aml_package(aml, device->windows.interrupt_count);
	for (size_t i = 0; i < device->windows.interrupt_count && !aml->failed; i++)
		put_interrupt(aml, &device->windows.interrupts[i], put_dword_number);
	aml_close(aml);
}

#define PCI_DEVICES 32
#define PCI_FUNCTIONS 8

/* One flag a device and function, the last for all functions. */
typedef bool PciFunctionFlags[PCI_DEVICES][PCI_FUNCTIONS + 1];

/* The flag of an interrupt's device and function; NULL and a fault if PCI has no such one. */
static bool *flag_of(Aml *aml, const AcpiPciInterrupt *interrupt, PciFunctionFlags flags)
{
	const bool any = interrupt->function == ACPI_ANY_FUNCTION;

	if (interrupt->device >= PCI_DEVICES ||
		(!any && interrupt->function >= PCI_FUNCTIONS)) {
		aml_fail(aml, PVW_ACPI_0013,
			"an interrupt of pci device %u function %u, expected at most 31 and 7",
			interrupt->device, interrupt->function);
		return NULL;
	}
	return &flags[interrupt->device][any ? PCI_FUNCTIONS : interrupt->function];
}

/*
 * In the caller's order. A guest uses the first entry of a device and pin, so what is there for
 * the second time is left out.
 */
static void put_routing(Aml *aml, const DsdtDevice *device)
{
	const AcpiPciInterrupt *interrupts = device->windows.interrupts;
	PciFunctionFlags first = { 0 }, seen = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < device->windows.interrupt_count; i++) {
		bool *flag = flag_of(aml, &interrupts[i], first);

		if (!flag)
			return;
		count += !*flag;
		*flag = true;
	}
	aml_name(aml, "_PRT");
	aml_package(aml, count);
	for (size_t i = 0; i < device->windows.interrupt_count; i++) {
		bool *flag = flag_of(aml, &interrupts[i], seen);

		if (!*flag)
			put_interrupt(aml, &interrupts[i], put_short_number);
		*flag = true;
	}
	aml_close(aml);
}

/*
 * Name (_CRS, ResourceTemplate () {
 *	WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0, 0, 1)
 *	IO (Decode16, 0xCF8, 0xCF8, 1, 8)
 *	QWordMemory (ResourceProducer, …low…)		// each only if it is not empty
 *	QWordMemory (ResourceProducer, …high…) })
 */
static void put_pci_resources(Aml *aml, const DsdtDevice *device)
{
	aml_resources(aml);
	resource_bus_numbers(aml, 0, 1);
	resource_io(aml, PCI_CONFIG_PORT, 1, PCI_CONFIG_PORTS);
	resource_window_of(aml, RESOURCE_PRODUCER, device->windows.low);
	resource_window_of(aml, RESOURCE_PRODUCER, device->windows.high);
	aml_close(aml);
}

/*
 * Device (\_SB.PCI0) {
 *	Name (_HID, EisaId ("PNP0A03"))
 *	Method (_OSC, 4) { Return (Buffer (8) { 0x10, 0, 0, 0, 0, 0, 0, 0 }) }
 *	Name (_PRT, …) Name (_CRS, …) }
 */
void dsdt_put_pci_root_reference(Aml *aml, const DsdtDevice *device)
{
	static const uint8_t osc_answer[8] = { 0x10 };

	aml_device_at(aml, AML_ROOT_PATH2("_SB_", "PCI0"));
	put_pnp_hid(aml, 0x0A03);
	aml_method(aml, "_OSC", 4);
	aml_op(aml, AML_RETURN);
	aml_buffer(aml, (Bytes){ .data = osc_answer, .len = sizeof(osc_answer) });
	aml_close(aml);
	put_routing_reference(aml, device);
	put_pci_resources(aml, device);
	aml_close(aml);
}

/*
 * Device (\_SB.PCI0) {
 *	Name (_HID, EisaId ("PNP0A03")) Name (_UID, 0) Name (_BBN, 0)
 *	Name (_PRT, …) Name (_CRS, …) }
 *
 * No _OSC: a legacy root has nothing to grant, and Linux refuses an answer of two words.
 */
void dsdt_put_pci_root(Aml *aml, const DsdtDevice *device)
{
	aml_device_at(aml, AML_ROOT_PATH2("_SB_", "PCI0"));
	put_pnp_hid(aml, 0x0A03);
	put_uid(aml, 0);
	aml_name(aml, "_BBN");
	aml_integer(aml, 0);
	put_routing(aml, device);
	put_pci_resources(aml, device);
	aml_close(aml);
}
