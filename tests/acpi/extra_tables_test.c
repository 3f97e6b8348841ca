#include "machine.h"

#include "helpers/aml_decode.h"

#define SET_GPA 0x19000

static AcpiSet set_of(Machine *m, uint64_t gpa)
{
	AcpiSet set;

	cr_assert(acpi_build_set(&m->in, gpa, m->arena, &set, &m->err), "%s", m->err.text);
	return set;
}

static const uint8_t *table_at(const AcpiSet *set, uint64_t gpa, AcpiTableId id)
{
	return set->tables.data + (set->at[id] - gpa);
}

static Machine *arm_machine_new(void)
{
	Machine *m = machine_new(1);

	m->topology.arch = GUEST_ARCH_AARCH64;
	return m;
}

/* Nothing of this is there unless it is asked for: the golden cases say the same of bytes. */
Test(extra_tables, are_absent_unless_asked_for)
{
	static const AcpiTableId extra[] = { ACPI_FACS, ACPI_SPCR, ACPI_DBG2, ACPI_WAET };

	for (AcpiProfile profile = 0; profile < ACPI_PROFILE_COUNT; profile++) {
		Machine *m = machine_new(1);
		AcpiSet set;

		m->in.profile = profile;
		set = set_of(m, SET_GPA);
		for (size_t i = 0; i < ARRAY_COUNT(extra); i++)
			cr_expect_eq(set.at[extra[i]], 0);
		machine_free(m);
	}
}

/* [ACPI65] 5.2.10: aligned to 64 whatever lies before it; no checksum, not in the XSDT. */
Test(facs, is_aligned_and_the_fadt_points_to_it)
{
	for (uint64_t gpa = SET_GPA; gpa < SET_GPA + 128; gpa += 8) {
		Machine *m = machine_new(3);
		AcpiSet set;
		const uint8_t *facs, *fadt;

		m->in.with_facs = true;
		set = set_of(m, gpa);
		facs = table_at(&set, gpa, ACPI_FACS);
		fadt = table_at(&set, gpa, ACPI_FADT);
		cr_expect_eq(set.at[ACPI_FACS] % 64, 0);
		cr_expect_eq(set.len[ACPI_FACS], 64);
		cr_expect_eq(memcmp(facs, "FACS", 4), 0);
		cr_expect_eq(get_le(facs + 4, 4), 64);
		cr_expect_eq(facs[32], 2);
		cr_expect_eq(get_le(fadt + 132, 8), set.at[ACPI_FACS]);
		cr_expect_eq(get_le(fadt + 36, 4), 0, "both forms of an address");
		cr_expect_eq(get_le(fadt + 140, 8), set.at[ACPI_DSDT]);
		cr_expect_eq(set.tables.len % 8, 0);
		machine_free(m);
	}
}

Test(facs, is_not_in_the_xsdt)
{
	Machine *m = machine_new(1);
	AcpiSet set;
	uint64_t xsdt;
	const uint8_t *at;

	m->in.with_facs = m->in.with_waet = true;
	set = set_of(m, SET_GPA);
	xsdt = get_le(set.rsdp.data + 24, 8);
	at = set.tables.data + (xsdt - SET_GPA);
	cr_expect_eq(get_le(at + 4, 4), 36 + 8 * 4);
	cr_expect_eq(get_le(at + 36, 8), set.at[ACPI_FADT]);
	cr_expect_eq(get_le(at + 44, 8), set.at[ACPI_MADT]);
	cr_expect_eq(get_le(at + 52, 8), set.at[ACPI_SRAT]);
	cr_expect_eq(get_le(at + 60, 8), set.at[ACPI_WAET]);
	machine_free(m);
}

/* Hardware-reduced machines have none. [ACPI65] 5.2.10 */
Test(facs, is_not_for_aarch64)
{
	Machine *m = arm_machine_new();
	AcpiSet set;

	m->in.with_facs = m->in.with_waet = true;
	set = set_of(m, SET_GPA);
	cr_expect_eq(set.at[ACPI_FACS], 0);
	cr_expect_eq(set.at[ACPI_WAET], 0);
	cr_expect_eq(get_le(table_at(&set, SET_GPA, ACPI_FADT) + 132, 8), 0);
	machine_free(m);
}

Test(waet, says_rtc_and_timer_are_good)
{
	Machine *m = machine_new(1);
	Bytes table = machine_table(m, ACPI_WAET, "WAET");

	cr_expect_eq(table.len, 40);
	cr_expect_eq(table.data[8], 1);
	cr_expect_eq(get_le(table.data + 36, 4), 3);
	machine_free(m);
}

/* Offsets from [SPCR], not from the records. */
Test(spcr, names_a_16550)
{
	for (int pic = 0; pic < 2; pic++) {
		Machine *m = machine_new(1);
		Bytes table;

		m->in.with_pic = pic;
		m->in.console =
			(AcpiPort){ .kind = ACPI_PORT_16550, .base = 0x2F8, .interrupt = 3 };
		table = machine_table(m, ACPI_SPCR, "SPCR");
		cr_expect_eq(table.len, 80);
		cr_expect_eq(table.data[8], 2);
		cr_expect_eq(table.data[36], 0);
		cr_expect_arr_eq(table.data + 40, "\1\10\0\1\xF8\2\0\0\0\0\0\0", 12);
		cr_expect_eq(table.data[52], pic ? 3 : 2);
		cr_expect_eq(table.data[53], pic ? 3 : 0);
		cr_expect_eq(get_le(table.data + 54, 4), 3);
		cr_expect_eq(table.data[58], 7);
		cr_expect_eq(table.data[60], 1);
		cr_expect_eq(get_le(table.data + 64, 4), 0xFFFFFFFF);
		cr_expect_eq(get_le(table.data + 68, 8), 0);
		machine_free(m);
	}
}

Test(spcr, names_a_pl011)
{
	Machine *m = arm_machine_new();
	Bytes table;

	m->in.console =
		(AcpiPort){ .kind = ACPI_PORT_PL011, .base = 0xEFFEC000, .interrupt = 33 };
	table = machine_table(m, ACPI_SPCR, "SPCR");
	cr_expect_eq(table.data[36], 3);
	cr_expect_arr_eq(table.data + 40, "\0\40\0\3\0\xC0\xFE\xEF\0\0\0\0", 12);
	cr_expect_eq(table.data[52], 8);
	cr_expect_eq(table.data[53], 0);
	cr_expect_eq(get_le(table.data + 54, 4), 33);
	machine_free(m);
}

Test(dbg2, names_a_port_and_its_device)
{
	static const char *const paths[] = { NULL, "\\_SB.UAR2" };

	for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
		const char *path = paths[i] ? paths[i] : ".";
		Machine *m = machine_new(1);
		const uint8_t *device;
		Bytes table;

		m->in.debug_port = (AcpiPort){
			.kind = ACPI_PORT_16550, .base = 0x2F8, .interrupt = 3, .path = paths[i]
		};
		table = machine_table(m, ACPI_DBG2, "DBG2");
		cr_expect_eq(table.data[8], 0);
		cr_expect_eq(get_le(table.data + 36, 4), 44);
		cr_expect_eq(get_le(table.data + 40, 4), 1);
		device = table.data + 44;
		cr_expect_eq(44 + get_le(device + 1, 2), table.len);
		cr_expect_eq(device[3], 1);
		cr_expect_eq(get_le(device + 4, 2), strlen(path) + 1);
		cr_expect_str_eq((const char *)device + get_le(device + 6, 2), path);
		cr_expect_eq(get_le(device + 8, 4), 0);
		cr_expect_eq(get_le(device + 12, 4), 0x8000);
		cr_expect_eq(device[get_le(device + 18, 2)], 1, "i/o space");
		cr_expect_eq(get_le(device + get_le(device + 18, 2) + 4, 8), 0x2F8);
		cr_expect_eq(get_le(device + get_le(device + 20, 2), 4), 8);
		machine_free(m);
	}
}

Test(dbg2, names_a_pl011)
{
	Machine *m = arm_machine_new();
	const uint8_t *device;

	m->in.debug_port =
		(AcpiPort){ .kind = ACPI_PORT_PL011, .base = 0xEFFEB000, .interrupt = 34 };
	device = machine_table(m, ACPI_DBG2, "DBG2").data + 44;
	cr_expect_eq(get_le(device + 14, 2), 3);
	cr_expect_eq(get_le(device + 22 + 4, 8), 0xEFFEB000);
	cr_expect_eq(get_le(device + 34, 4), 0x1000);
	machine_free(m);
}

Test(serial_ports, refuse_what_the_machine_does_not_have)
{
	static char long_path[256];
	static const struct {
		AcpiPort port;
		const char *word;
	} rows[] = {
		{ { .kind = ACPI_PORT_NONE }, "no port" },
		{ { .kind = ACPI_PORT_KIND_COUNT }, "no port" },
		{ { .kind = ACPI_PORT_PL011, .base = 0xEFFEC000 }, "expected aarch64" },
		{ { .kind = ACPI_PORT_16550, .base = 0xFFF9 }, "0xfff9" },
		{ { .kind = ACPI_PORT_16550, .base = 0x3F8, .interrupt = 256 }, "256" },
		{ { .kind = ACPI_PORT_16550, .base = 0x3F8, .path = long_path }, "255 bytes" },
	};

	memset(long_path, 'A', 255);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		Machine *m = machine_new(1);

		m->in.console = m->in.debug_port = rows[i].port;
		expect_refusal(m, ACPI_SPCR, PVW_ACPI_0023, rows[i].word);
		expect_refusal(m, ACPI_DBG2, PVW_ACPI_0023, rows[i].word);
		machine_free(m);
	}
}

Test(serial_ports, refuse_registers_beyond_the_end_of_memory)
{
	Machine *m = arm_machine_new();

	m->in.console = (AcpiPort){ .kind = ACPI_PORT_PL011, .base = UINT64_MAX - 0xFFE };
	expect_refusal(m, ACPI_SPCR, PVW_ACPI_0023, "0xfffffffffffff001");
	m->in.console = (AcpiPort){ .kind = ACPI_PORT_16550, .base = 0x3F8 };
	expect_refusal(m, ACPI_SPCR, PVW_ACPI_0023, "expected x86_64");
	machine_free(m);
}

static AmlWalk dsdt_of(Machine *m)
{
	Bytes table = machine_table(m, ACPI_DSDT, "DSDT");
	AmlWalk walk = aml_walk((Bytes){ table.data + 36, table.len - 36 });

	cr_assert_str_empty(walk.why);
	return walk;
}

Test(hibernation, adds_s4)
{
	for (GuestArch arch = 0; arch < GUEST_ARCH_COUNT; arch++) {
		Machine *m = machine_new(1);
		const AmlNode *node;
		AmlWalk walk;

		m->topology.arch = arch;
		walk = dsdt_of(m);
		cr_expect_null(aml_find(&walk, "\\_S4_"));
		cr_expect_null(aml_find(&walk, "\\_SB_._DSM"));
		aml_walk_free(&walk);

		m->in.with_hibernation = true;
		walk = dsdt_of(m);
		node = aml_find(&walk, "\\_S4_");
		cr_assert(node);
		cr_assert_eq(node->body.len, 5);
		cr_expect_arr_eq(node->body.data, "\x12\x04\x02\x01\x00", 5);
		cr_expect_eq(
			aml_find(&walk, "\\_SB_._DSM") != NULL, arch == GUEST_ARCH_AARCH64);
		aml_walk_free(&walk);
		machine_free(m);
	}
}

/* [VMGENID]: low half, high half */
Test(generation_counter, says_where_the_id_lies)
{
	static const struct {
		uint64_t gpa;
		uint8_t package[13];
		size_t len;
	} rows[] = {
		{ 0xE1000, { 0x12, 0x08, 2, 0x0C, 0x00, 0x10, 0x0E, 0x00, 0x00 }, 9 },
		{ UINT64_C(0x123456789A8),
			{ 0x12, 0x0A, 2, 0x0C, 0xA8, 0x89, 0x67, 0x45, 0x0B, 0x23, 0x01 }, 11 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		Machine *m = machine_new(1);
		const AmlNode *node;
		AmlWalk walk;

		m->in.generation_id_gpa = rows[i].gpa;
		walk = dsdt_of(m);
		node = aml_find(&walk, "\\_SB_.GENC.ADDR");
		cr_assert(node);
		cr_assert_eq(node->body.len, rows[i].len);
		cr_expect_arr_eq(node->body.data, rows[i].package, rows[i].len);
		node = aml_find(&walk, "\\_SB_.GENC._DDN");
		cr_assert(node);
		cr_expect_str_eq(aml_read_string(node->body), "VM_Gen_Counter");
		node = aml_find(&walk, "\\_SB_.GENC._CID");
		cr_assert(node);
		cr_expect_str_eq(aml_read_string(node->body), "VM_Gen_Counter");
		aml_walk_free(&walk);
		machine_free(m);
	}
}

Test(generation_counter, is_told_of_by_gpe_0_on_x86)
{
	Machine *m = machine_new(1);
	const AmlNode *node;
	AmlWalk walk;

	m->in.generation_id_gpa = 0xE1000;
	walk = dsdt_of(m);
	node = aml_find(&walk, "\\_GPE._E00");
	cr_assert(node);
	cr_expect_arr_eq(node->body.data, "\x86\\\x2E_SB_GENC\x0A\x80", 13);
	cr_expect_null(aml_find(&walk, "\\_SB_.GED1"));
	aml_walk_free(&walk);
	machine_free(m);
}

Test(generation_counter, is_told_of_by_an_interrupt_on_aarch64)
{
	Machine *m = arm_machine_new();
	AmlResource resource;
	const AmlNode *node;
	AmlWalk walk;

	m->in.generation_id_gpa = 0x40001000;
	walk = dsdt_of(m);
	cr_expect(aml_find(&walk, "\\_SB_.GENC"));
	cr_expect_null(aml_find(&walk, "\\_SB_.GED1"));
	aml_walk_free(&walk);

	m->in.generation_gsiv = 35;
	walk = dsdt_of(m);
	node = aml_find(&walk, "\\_SB_.GED1._CRS");
	cr_assert(node);
	cr_assert_eq(aml_read_resources(node->body, &resource, 1), 1);
	cr_expect_eq(resource.interrupt, 35);
	cr_expect(aml_find(&walk, "\\_SB_.GED1._EVT"));
	cr_expect_null(aml_find(&walk, "\\_GPE._E00"));
	aml_walk_free(&walk);
	machine_free(m);
}

Test(generation_counter, refuses_places_that_cannot_be)
{
	static const uint64_t places[] = { 0xE1004, UINT64_MAX - 7 };

	for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
		Machine *m = machine_new(1);

		m->in.generation_id_gpa = places[i];
		expect_refusal(m, ACPI_DSDT, PVW_ACPI_0024, "multiple of 8");
		machine_free(m);
	}
}

/* Also beside a list of devices, which stands for the machine's own only. */
Test(generation_counter, stands_beside_a_list)
{
	const DsdtDeviceList list = { NULL, 0 };
	Machine *m = machine_new(1);
	AmlWalk walk;

	m->in.devices = &list;
	m->in.generation_id_gpa = 0xE1000;
	walk = dsdt_of(m);
	cr_expect(aml_find(&walk, "\\_SB_.GENC"));
	cr_expect_null(aml_find(&walk, "\\_SB_.VMOD"));
	aml_walk_free(&walk);
	machine_free(m);
}

Test(dsdt, states_sbsa_uarts_of_aarch64)
{
	static const AcpiSbsaUart uarts[] = {
		{ .name = "UAR0", .base = 0xEFFEC000, .len = 0x1000, .gsiv = 33 },
		{ .name = "UAR1", .uid = 1, .base = 0xEFFEB000, .len = 0x1000, .gsiv = 34 },
	};
	Machine *m = arm_machine_new();
	AmlResource resources[2];
	const AmlNode *node;
	AmlWalk walk;

	m->in.uart_count = 0;
	m->in.sbsa_uarts = uarts;
	m->in.sbsa_uart_count = ARRAY_COUNT(uarts);
	walk = dsdt_of(m);
	node = aml_find(&walk, "\\_SB_.UAR1._CRS");
	cr_assert(node);
	cr_assert_eq(aml_read_resources(node->body, resources, 2), 2);
	cr_expect_eq(resources[0].minimum, 0xEFFEB000);
	cr_expect_eq(resources[1].interrupt, 34);
	cr_expect(aml_find(&walk, "\\_SB_.UAR0"));
	aml_walk_free(&walk);
	machine_free(m);
}
