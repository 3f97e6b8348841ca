#include "machine.h"

#include <stdio.h>

#include "helpers/aml_decode.h"

static AmlWalk walk_of(Bytes table)
{
	AmlWalk walk = aml_walk((Bytes){ table.data + 36, table.len - 36 });

	cr_assert_str_empty(walk.why);
	return walk;
}

/* Descriptors of a device's _CRS. */
static size_t resources_of(const AmlWalk *walk, const char *path, AmlResource *out, size_t room)
{
	char crs[64];
	const AmlNode *node;

	snprintf(crs, sizeof(crs), "%s._CRS", path);
	node = aml_find(walk, crs);
	cr_assert(node, "no %s", crs);
	return aml_read_resources(node->body, out, room);
}

static uint64_t integer_at(const AmlWalk *walk, const char *path)
{
	const AmlNode *node = aml_find(walk, path);
	uint64_t value = 0;

	cr_assert(node, "no %s", path);
	cr_assert(aml_read_integer(node->body, &value), "%s is no integer", path);
	return value;
}

static const char *string_at(const AmlWalk *walk, const char *path)
{
	const AmlNode *node = aml_find(walk, path);

	cr_assert(node, "no %s", path);
	return aml_read_string(node->body);
}

/* Whole tables of the reference implementation, by their digest. */
Test(dsdt, reference_paravisor_minimum)
{
	Machine *m = machine_new(1);

	expect_digest(machine_table(m, ACPI_DSDT, "DSDT"), 616, 0xEB, "e72dc96ed7cb3023");
	machine_free(m);
}

Test(dsdt, reference_no_high_range_wherever_the_empty_one_lies)
{
	static const MemoryRange empty[] = { { 0, 0 }, { FOUR_GIB, FOUR_GIB },
		{ 9 * GIB, 9 * GIB } };

	for (size_t i = 0; i < ARRAY_COUNT(empty); i++) {
		Machine *m = machine_new(1);

		m->in.uart_count = 0;
		m->in.mmio_high = empty[i];
		expect_digest(
			machine_table(m, ACPI_DSDT, "DSDT"), 430, 0x06, "f362c1844bddcacb");
		machine_free(m);
	}
}

Test(dsdt, reference_no_ranges)
{
	Machine *m = machine_new(1);

	m->in.uart_count = 0;
	m->in.mmio_low = m->in.mmio_high = MEMORY_RANGE_EMPTY;
	expect_digest(machine_table(m, ACPI_DSDT, "DSDT"), 383, 0x75, "5bdcdd210ff98838");
	machine_free(m);
}

Test(dsdt, reference_four_uarts_and_four_processors)
{
	Machine *m = machine_new(4);

	m->in.uart_count = 4;
	expect_digest(machine_table(m, ACPI_DSDT, "DSDT"), 873, 0x5E, "b5a6839c02e7875a");
	machine_free(m);
}

Test(dsdt, reference_without_vmbus)
{
	Machine *m = machine_new(1);

	m->in.with_vmbus = false;
	m->in.mmio_high = MEMORY_RANGE_EMPTY;
	expect_digest(machine_table(m, ACPI_DSDT, "DSDT"), 442, 0xB4, "822b101c67dd4395");
	machine_free(m);
}

Test(dsdt, reference_high_range_beyond_44_bits)
{
	Machine *m = machine_new(1);

	m->in.mmio_high =
		(MemoryRange){ UINT64_C(1) << 44, (UINT64_C(1) << 44) + (UINT64_C(1) << 40) };
	expect_digest(machine_table(m, ACPI_DSDT, "DSDT"), 616, 0x0D, "a8270e489d6ed9ee");
	machine_free(m);
}

Test(dsdt, reference_high_range_of_exactly_4_gib)
{
	Machine *m = machine_new(1);

	m->in.mmio_high = (MemoryRange){ FOUR_GIB, 2 * FOUR_GIB };
	expect_digest(machine_table(m, ACPI_DSDT, "DSDT"), 616, 0x2A, "d880b6ef7a54430c");
	machine_free(m);
}

Test(dsdt, reference_2048_processors)
{
	Machine *m = machine_new(2048);
	AmlWalk walk;
	Bytes table = machine_table(m, ACPI_DSDT, "DSDT");

	expect_digest(table, 82242, 0x52, "606c5c88cf678021");
	walk = walk_of(table);
	cr_expect_eq(integer_at(&walk, "\\P001._UID"), 1);
	cr_expect_eq(integer_at(&walk, "\\P999._UID"), 999);
	cr_expect_eq(integer_at(&walk, "\\Q000._UID"), 1000);
	cr_expect_eq(integer_at(&walk, "\\R048._UID"), 2048);
	cr_expect_null(aml_find(&walk, "\\R049"));
	aml_walk_free(&walk);
	machine_free(m);
}

Test(dsdt, default_profile_puts_every_device_under_sb)
{
	Machine *m = machine_new(64);
	AmlWalk walk;

	m->in.profile = ACPI_PROFILE_DEFAULT;
	walk = walk_of(machine_table(m, ACPI_DSDT, "DSDT"));
	for (size_t i = 0; i < walk.count; i++) {
		if (walk.nodes[i].kind != AML_NODE_DEVICE)
			continue;
		cr_expect_eq(
			strncmp(walk.nodes[i].path, "\\_SB_.", 6), 0, "%s", walk.nodes[i].path);
		cr_expect_eq(aml_count(&walk, walk.nodes[i].path), 1, "%s", walk.nodes[i].path);
	}
	cr_expect_eq(integer_at(&walk, "\\_SB_.P064._UID"), 64);
	aml_walk_free(&walk);
	machine_free(m);
}

Test(dsdt, default_profile_names_vmbus_legally)
{
	Machine *m = machine_new(1);
	AmlResource r[2];
	AmlWalk walk;

	m->in.profile = ACPI_PROFILE_DEFAULT;
	walk = walk_of(machine_table(m, ACPI_DSDT, "DSDT"));
	cr_expect_str_eq(string_at(&walk, "\\_SB_.VMOD.VMBS._HID"), "MSFT1000");
	cr_expect_str_eq(string_at(&walk, "\\_SB_.VMOD.VMBS._CID"), "VMBus");
	cr_expect_null(aml_find(&walk, "\\_SB_.VMOD.VMBS._ADR"));
	cr_expect_eq(aml_find(&walk, "\\_SB_.VMOD.VMBS._PS3")->kind, AML_NODE_METHOD);
	cr_expect_eq(resources_of(&walk, "\\_SB_.VMOD.VMBS", r, 2), 1);
	aml_walk_free(&walk);
	machine_free(m);
}

Test(dsdt, vmbus_of_aarch64_has_its_interrupt)
{
	for (AcpiProfile profile = 0; profile < ACPI_PROFILE_COUNT; profile++) {
		Machine *m = machine_new(1);
		AmlResource r[2];
		AmlWalk walk;

		m->in.profile = profile;
		m->topology.arch = GUEST_ARCH_AARCH64;
		m->in.vmbus_gsiv = 18;
		walk = walk_of(machine_table(m, ACPI_DSDT, "DSDT"));
		cr_assert_eq(resources_of(&walk, "\\_SB_.VMOD.VMBS", r, 2), 1);
		cr_expect_eq(r[0].kind, AML_RESOURCE_INTERRUPT);
		cr_expect_eq(r[0].interrupt, 18);
		cr_expect_eq(r[0].flags, 3);
		aml_walk_free(&walk);
		machine_free(m);
	}
}

Test(dsdt, windows_are_inclusive_and_low_comes_first)
{
	Machine *m = machine_new(1);
	AmlResource r[3];
	AmlWalk walk;

	walk = walk_of(machine_table(m, ACPI_DSDT, "DSDT"));
	cr_assert_eq(resources_of(&walk, "\\_SB_.VMOD", r, 3), 2);
	for (size_t i = 0; i < 2; i++) {
		cr_expect_eq(r[i].kind, AML_RESOURCE_QWORD);
		cr_expect_eq(r[i].length, r[i].maximum - r[i].minimum + 1);
		cr_expect_eq(r[i].flags, 0x0C, "producer, both fixed");
	}
	cr_expect_eq(r[0].minimum, 0xF8000000);
	cr_expect_eq(r[0].maximum, 0xFFFFFFFF);
	cr_expect_eq(r[1].minimum, FOUR_GIB);
	cr_expect_eq(r[1].maximum, 0x11FFFFFFF);
	aml_walk_free(&walk);
	machine_free(m);
}

Test(dsdt, window_of_one_page_below_4_gib)
{
	Machine *m = machine_new(1);
	AmlResource r[3];
	AmlWalk walk;

	m->in.mmio_low = (MemoryRange){ 0xFFFFF000, FOUR_GIB };
	walk = walk_of(machine_table(m, ACPI_DSDT, "DSDT"));
	cr_assert_eq(resources_of(&walk, "\\_SB_.VMOD", r, 3), 2);
	cr_expect_eq(r[0].minimum, 0xFFFFF000);
	cr_expect_eq(r[0].maximum, 0xFFFFFFFF);
	cr_expect_eq(r[0].length, 0x1000);
	aml_walk_free(&walk);
	machine_free(m);
}

Test(dsdt, default_profile_has_no_empty_template)
{
	Machine *m = machine_new(1);
	AmlWalk walk;

	m->in.profile = ACPI_PROFILE_DEFAULT;
	m->in.mmio_low = m->in.mmio_high = MEMORY_RANGE_EMPTY;
	walk = walk_of(machine_table(m, ACPI_DSDT, "DSDT"));
	cr_expect(aml_find(&walk, "\\_SB_.VMOD"));
	cr_expect_null(aml_find(&walk, "\\_SB_.VMOD._CRS"));
	aml_walk_free(&walk);
	machine_free(m);
}

Test(dsdt, module_is_left_out_without_windows_and_vmbus)
{
	Machine *m = machine_new(1);
	AmlWalk walk;

	m->in.with_vmbus = false;
	m->in.mmio_low = m->in.mmio_high = MEMORY_RANGE_EMPTY;
	walk = walk_of(machine_table(m, ACPI_DSDT, "DSDT"));
	cr_expect_null(aml_find(&walk, "\\_SB_.VMOD"));
	cr_expect_null(aml_find(&walk, "\\_SB_.VMOD.VMBS"));
	aml_walk_free(&walk);
	machine_free(m);
}

Test(dsdt, second_uart_stands_alone)
{
	Machine *m = machine_new(1);
	AmlResource r[3];
	AmlWalk walk;

	m->in.uarts = &m->uarts[1];
	m->in.uart_count = 1;
	walk = walk_of(machine_table(m, ACPI_DSDT, "DSDT"));
	cr_expect_null(aml_find(&walk, "\\_SB_.UAR1"));
	cr_expect_eq(integer_at(&walk, "\\_SB_.UAR2._UID"), 2);
	cr_expect_str_eq(string_at(&walk, "\\_SB_.UAR2._DDN"), "COM2");
	cr_assert_eq(resources_of(&walk, "\\_SB_.UAR2", r, 3), 2);
	cr_expect_eq(r[0].minimum, 0x2F8);
	cr_expect_eq(r[1].interrupt, 3);
	aml_walk_free(&walk);
	machine_free(m);
}

Test(dsdt, identity_is_a_parameter)
{
	static const AcpiIdentity identity = { "OEMOEM", "TABLEIDS", 3, "MAKE", 4 };
	Machine *m = machine_new(1);
	Bytes table;

	m->in.identity = &identity;
	table = machine_table(m, ACPI_DSDT, "DSDT");
	cr_expect_arr_eq(table.data + 10, "OEMOEMTABLEIDS", 14);
	cr_expect_eq(get_le(table.data + 24, 4), 3);
	cr_expect_arr_eq(table.data + 28, "MAKE", 4);
	machine_free(m);
}

/* A list of devices stands instead of what the inputs state one by one. */
static Bytes list_table(Machine *m, const DsdtDevice *items, size_t count)
{
	DsdtDeviceList *list = calloc(1, sizeof(*list));
	Bytes table;

	*list = (DsdtDeviceList){ items, count };
	m->in.devices = list;
	m->in.with_processors = false;
	m->in.without_sleep_states = true;
	table = machine_table(m, ACPI_DSDT, "DSDT");
	m->in.devices = NULL;
	free(list);
	return table;
}

Test(dsdt, empty_list_gives_a_bare_header)
{
	Machine *m = machine_new(1);

	cr_expect_eq(list_table(m, NULL, 0).len, 36);
	machine_free(m);
}

Test(dsdt, pci_root_leaves_empty_windows_out)
{
	for (AcpiProfile profile = 0; profile < ACPI_PROFILE_COUNT; profile++) {
		const AcpiPciInterrupt interrupt = { 7, ACPI_ANY_FUNCTION, 11 };
		const DsdtDevice root = { .kind = DSDT_PCI_ROOT,
			.windows = { .high = { FOUR_GIB, 2 * FOUR_GIB },
				.interrupts = &interrupt,
				.interrupt_count = 1 } };
		Machine *m = machine_new(1);
		AmlResource r[4];
		AmlWalk walk;

		m->in.profile = profile;
		walk = walk_of(list_table(m, &root, 1));
		cr_assert_eq(resources_of(&walk, "\\_SB_.PCI0", r, 4), 3);
		cr_expect_eq(r[0].kind, AML_RESOURCE_WORD);
		cr_expect_eq(r[1].minimum, 0xCF8);
		cr_expect_eq(r[2].minimum, FOUR_GIB);
		cr_expect_eq(aml_find(&walk, "\\_SB_.PCI0._PRT")->body.data[0], 0x12);
		aml_walk_free(&walk);
		machine_free(m);
	}
}

Test(dsdt, virtio_devices_share_one_interrupt_openly_by_default)
{
	const DsdtDevice virtio = { .kind = DSDT_VIRTIO_MMIO,
		.virtio_mmio = { .region = { 0xF7F00000, 0xF7F64000 }, .gsi = 17 } };
	Machine *m = machine_new(1);
	AmlResource r[2];
	AmlWalk walk;

	m->in.profile = ACPI_PROFILE_DEFAULT;
	walk = walk_of(list_table(m, &virtio, 1));
	cr_assert_eq(resources_of(&walk, "\\_SB_.VI99", r, 2), 2);
	cr_expect_eq(r[0].minimum, 0xF7F63000);
	cr_expect_eq(r[0].flags, 0x0D, "the device's own registers");
	cr_expect_eq(r[1].flags, 0x09, "level and shared");
	cr_expect_eq(integer_at(&walk, "\\_SB_.VI99._UID"), 99);
	aml_walk_free(&walk);
	machine_free(m);
}

Test(dsdt, sbsa_uart_has_window_and_interrupt)
{
	const DsdtDevice uart = { .kind = DSDT_SBSA_UART,
		.sbsa_uart = {
			.path = "\\_SB.UAR0", .base = 0xEFFEC000, .len = 0x1000, .gsiv = 33 } };
	Machine *m = machine_new(1);
	AmlResource r[2];
	AmlWalk walk = walk_of(list_table(m, &uart, 1));

	cr_expect_str_eq(string_at(&walk, "\\_SB_.UAR0._HID"), "ARMH0011");
	cr_assert_eq(resources_of(&walk, "\\_SB_.UAR0", r, 2), 2);
	cr_expect_eq(r[0].maximum, 0xEFFECFFF);
	cr_expect_eq(r[1].interrupt, 33);
	aml_walk_free(&walk);
	machine_free(m);
}

static void expect_list_refusal(const DsdtDevice *device, uint16_t diagnostic, const char *word)
{
	const DsdtDeviceList list = { device, 1 };
	Machine *m = machine_new(1);

	m->in.devices = &list;
	expect_refusal(m, ACPI_DSDT, diagnostic, word);
	machine_free(m);
}

Test(dsdt, refuses_more_than_100_virtio_devices)
{
	const DsdtDevice virtio = { .kind = DSDT_VIRTIO_MMIO,
		.virtio_mmio = { .region = { 0xF7F00000, 0xF7F65000 } } };

	expect_list_refusal(&virtio, PVW_ACPI_0008, "101 virtio-mmio");
}

Test(dsdt, takes_10999_processors_and_refuses_11000)
{
	Machine *m = machine_new(1);
	DsdtDevice processors = { .kind = DSDT_PROCESSORS, .processors = 10999 };
	AmlWalk walk = walk_of(list_table(m, &processors, 1));

	cr_expect_eq(integer_at(&walk, "\\Z999._UID"), 10999);
	aml_walk_free(&walk);
	machine_free(m);

	processors.processors = 11000;
	expect_list_refusal(&processors, PVW_ACPI_0007, "11000 processors");
}

/* Elements of a _PRT: what its NumElements says, checked by the walk. */
static size_t routes_of(const AmlWalk *walk)
{
	const AmlNode *prt = aml_find(walk, "\\_SB_.PCI0._PRT");
	size_t length, width;
	uint64_t count = 0;

	cr_assert(prt);
	width = aml_read_length((Bytes){ prt->body.data + 1, prt->body.len - 1 }, &length);
	if (prt->body.data[0] == 0x12)
		return prt->body.data[1 + width];
	cr_assert_eq(prt->body.data[0], 0x13);
	cr_assert(aml_read_integer((Bytes){ prt->body.data + 1 + width, 3 }, &count));
	return (size_t)count;
}

/* Every device's eight functions and its "any": 288. */
Test(dsdt, routes_more_than_255_interrupts)
{
	AcpiPciInterrupt lines[288];
	DsdtDevice root = { .kind = DSDT_PCI_ROOT,
		.windows = { .interrupts = lines, .interrupt_count = 288 } };

	for (uint16_t i = 0; i < 288; i++)
		lines[i] = (AcpiPciInterrupt){ .device = i / 9,
			.function = i % 9 == 8 ? ACPI_ANY_FUNCTION : i % 9,
			.line = 16u + i % 8 };
	for (AcpiProfile profile = 0; profile < ACPI_PROFILE_COUNT; profile++) {
		static const size_t counts[] = { 0, 1, 255, 256, 288 };

		for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
			Machine *m = machine_new(1);
			AmlWalk walk;

			m->in.profile = profile;
			root.windows.interrupt_count = counts[i];
			walk = walk_of(list_table(m, &root, 1));
			cr_expect_eq(routes_of(&walk), counts[i]);
			aml_walk_free(&walk);
			machine_free(m);
		}
	}
}

Test(dsdt, default_profile_routes_each_function_once)
{
	static const AcpiPciInterrupt lines[] = { { 7, ACPI_ANY_FUNCTION, 14 },
		{ 7, ACPI_ANY_FUNCTION, 15 }, { 7, 1, 15 }, { 8, ACPI_ANY_FUNCTION, 15 } };
	const DsdtDevice root = { .kind = DSDT_PCI_ROOT,
		.windows = { .interrupts = lines, .interrupt_count = 4 } };
	static const size_t expected[] = {
		[ACPI_PROFILE_DEFAULT] = 3, [ACPI_PROFILE_REFERENCE] = 4
	};

	for (AcpiProfile profile = 0; profile < ACPI_PROFILE_COUNT; profile++) {
		Machine *m = machine_new(1);
		AmlWalk walk;

		m->in.profile = profile;
		walk = walk_of(list_table(m, &root, 1));
		cr_expect_eq(routes_of(&walk), expected[profile]);
		aml_walk_free(&walk);
		machine_free(m);
	}
}

Test(dsdt, default_profile_refuses_interrupts_of_what_pci_does_not_have)
{
	static const AcpiPciInterrupt lines[] = { { 32, 0, 14 }, { 0, 8, 14 } };

	for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
		const DsdtDevice root = { .kind = DSDT_PCI_ROOT,
			.windows = { .interrupts = &lines[i], .interrupt_count = 1 } };
		const DsdtDeviceList list = { &root, 1 };
		Machine *m = machine_new(1);

		m->in.profile = ACPI_PROFILE_DEFAULT;
		m->in.devices = &list;
		expect_refusal(m, ACPI_DSDT, PVW_ACPI_0013, i ? "function 8" : "device 32");
		machine_free(m);
	}
}

Test(dsdt, reference_refuses_more_than_65535_interrupts)
{
	AcpiPciInterrupt *lines = calloc(65536, sizeof(*lines));
	const DsdtDevice root = { .kind = DSDT_PCI_ROOT,
		.windows = { .interrupts = lines, .interrupt_count = 65536 } };

	expect_list_refusal(&root, PVW_ACPI_0004, "65536 elements");
	free(lines);
}

Test(dsdt, refuses_a_uart_with_a_bad_name)
{
	Machine *m = machine_new(1);

	strcpy(m->uarts[0].name, "uar1");
	expect_refusal(m, ACPI_DSDT, PVW_ACPI_0001, "uar1");
	machine_free(m);
}

Test(dsdt, refuses_an_sbsa_uart_without_registers)
{
	const DsdtDevice uart = { .kind = DSDT_SBSA_UART,
		.sbsa_uart = { .path = "\\_SB.UAR0", .base = 0xEFFEC000 } };

	expect_list_refusal(&uart, PVW_ACPI_0006, "length 0x0");
}

/* A list of these kinds, with what must not be zero; the table is refused with @word. */
static void expect_list_refused(
	const DsdtDevice *items, size_t count, bool sleep_states, const char *word)
{
	const DsdtDeviceList list = { items, count };
	Machine *m = machine_new(1);

	m->in.devices = &list;
	m->in.without_sleep_states = !sleep_states;
	m->in.with_processors = false;
	machine_table(m, ACPI_DSDT, "DSDT");
	m->in.profile = ACPI_PROFILE_DEFAULT;
	expect_refusal(m, ACPI_DSDT, PVW_ACPI_0022, word);
	machine_free(m);
}

Test(dsdt, default_profile_refuses_a_second_device_of_a_name)
{
	const DsdtDevice two[] = { { .kind = DSDT_RTC }, { .kind = DSDT_RTC } };
	const DsdtDevice sleep[] = { { .kind = DSDT_SLEEP_STATES } };

	expect_list_refused(two, ARRAY_COUNT(two), false, "device 1 is the second");
	expect_list_refused(sleep, ARRAY_COUNT(sleep), true, "device 0 is the second");
}

Test(dsdt, default_profile_refuses_a_vmbus_without_its_parent)
{
	const DsdtDevice late[] = { { .kind = DSDT_VMBUS }, { .kind = DSDT_MODULE } };
	const DsdtDevice other[] = { { .kind = DSDT_MODULE },
		{ .kind = DSDT_VMBUS, .vmbus = { .in_pci = true } } };

	expect_list_refused(late, ARRAY_COUNT(late), false, "expected VMOD before it");
	expect_list_refused(other, ARRAY_COUNT(other), false, "expected PCI0 before it");
}

Test(dsdt, default_profile_takes_a_list_in_order)
{
	const DsdtDevice items[] = { { .kind = DSDT_MODULE }, { .kind = DSDT_VMBUS },
		{ .kind = DSDT_RTC },
		{ .kind = DSDT_UART, .uart = { .path = "\\_SB.UAR1", .ddn = "COM1" } },
		{ .kind = DSDT_UART, .uart = { .path = "\\_SB.UAR2", .ddn = "COM2" } } };
	const DsdtDeviceList list = { items, ARRAY_COUNT(items) };
	Machine *m = machine_new(1);

	m->in.profile = ACPI_PROFILE_DEFAULT;
	m->in.devices = &list;
	machine_table(m, ACPI_DSDT, "DSDT");
	machine_free(m);
}
