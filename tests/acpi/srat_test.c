#include "machine.h"

static const uint8_t *entry_at(Bytes table, size_t index)
{
	size_t at = 48;

	for (; at < table.len; at += table.data[at + 1], index--) {
		cr_assert_geq(table.data[at + 1], 16, "length at %zu", at);
		cr_assert_leq(at + table.data[at + 1], table.len);
		if (index == 0)
			return table.data + at;
	}
	return NULL;
}

Test(srat, lists_processors_then_memory)
{
	Machine *m = machine_new(2);
	Bytes table = machine_table(m, ACPI_SRAT, "SRAT");

	cr_expect_eq(table.len, 48 + 2 * 16 + 40);
	cr_expect_eq(get_le(table.data + 36, 4), 1);
	cr_expect_eq(entry_at(table, 1)[3], 1);
	cr_expect_eq(get_le(entry_at(table, 2) + 8, 8), 0);
	cr_expect_eq(get_le(entry_at(table, 2) + 16, 8), 0xF8000000);
	cr_expect_eq(get_le(entry_at(table, 2) + 28, 4), 1);
	cr_expect_null(entry_at(table, 3));
	machine_free(m);
}

Test(srat, reference_2048_processors_of_64_nodes)
{
	Machine *m = machine_new(2048);

	for (size_t i = 0; i < 2048; i++)
		m->vps[i].vnode = i % 64;
	for (size_t j = 0; j < 64; j++)
		m->ram[j] = (NodeRange){ { j * GIB, (j + 1) * GIB }, (uint32_t)j };
	m->in.ram.count = 64;
	expect_digest(machine_table(m, ACPI_SRAT, "SRAT"), 49720, 0x12, "356a2919d8969439");
	machine_free(m);
}

Test(srat, reference_node_without_memory)
{
	Machine *m = machine_new(2);

	m->vps[1].vnode = 1;
	m->ram[0].range.end = 2 * GIB;
	expect_digest(machine_table(m, ACPI_SRAT, "SRAT"), 120, 0x10, "128aff3357e5f413");
	machine_free(m);
}

Test(srat, changes_to_x2apic_by_id_alone)
{
	Machine *m = machine_new(4);
	Bytes table;

	m->vps[1] = (VirtualProcessor){ .apic_id = 255, .vnode = 2 };
	m->vps[2] = (VirtualProcessor){ .apic_id = 254, .vnode = 1 };
	m->vps[3] = (VirtualProcessor){ .apic_id = 3, .vnode = 0x04030201 };
	table = machine_table(m, ACPI_SRAT, "SRAT");
	cr_expect_arr_eq(
		entry_at(table, 1), "\x02\x18\x00\x00\x02\x00\x00\x00\xFF\x00\x00\x00\x01", 13);
	cr_expect_arr_eq(
		entry_at(table, 2), "\x00\x10\x01\xFE\x01\x00\x00\x00\x00\x00\x00\x00", 12);
	cr_expect_arr_eq(
		entry_at(table, 3), "\x00\x10\x01\x03\x01\x00\x00\x00\x00\x02\x03\x04", 12);
	machine_free(m);
}

Test(srat, leaves_empty_ranges_out)
{
	Machine *m = machine_new(1);

	m->ram[1] = (NodeRange){ { FOUR_GIB, FOUR_GIB }, 0 };
	m->in.ram.count = 2;
	cr_expect_eq(machine_table(m, ACPI_SRAT, "SRAT").len, 48 + 16 + 40);
	machine_free(m);
}

Test(srat, numbers_processors_of_aarch64_by_uid)
{
	Machine *m = machine_new(2);
	Bytes table;

	m->topology.arch = GUEST_ARCH_AARCH64;
	m->vps[1].vnode = 0x01020304;
	table = machine_table(m, ACPI_SRAT, "SRAT");
	cr_expect_arr_eq(entry_at(table, 1),
		"\x03\x12\x04\x03\x02\x01\x02\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00", 18);
	machine_free(m);
}

Test(srat, ends_with_generic_initiators)
{
	static const AcpiGenericInitiator initiator = { .bus = 1, .vnode = 63 };
	Machine *m = machine_new(1);
	const uint8_t *entry;

	m->in.initiators = &initiator;
	m->in.initiator_count = 1;
	entry = entry_at(machine_table(m, ACPI_SRAT, "SRAT"), 2);
	cr_assert(entry);
	cr_expect_arr_eq(entry, "\x05\x20\x00\x01\x3F\x00\x00\x00\x00\x00\x01\x00", 12);
	cr_expect_eq(get_le(entry + 24, 4), 1);
	machine_free(m);
}

Test(srat, refuses_an_initiator_that_is_no_function)
{
	static const AcpiGenericInitiator bad[] = { { .device = 32 }, { .function = 8 } };

	for (size_t i = 0; i < 2; i++) {
		Machine *m = machine_new(1);

		m->in.initiators = &bad[i];
		m->in.initiator_count = 1;
		expect_refusal(m, ACPI_SRAT, PVW_ACPI_0013, "pci device");
		machine_free(m);
	}
}

Test(slit, reference_64_nodes)
{
	const AcpiDistances distances = { .node_count = 64 };
	Machine *m = machine_new(1);

	m->in.distances = &distances;
	expect_digest(machine_table(m, ACPI_SLIT, "SLIT"), 4140, 0x5B, "551a7c65c49adc04");
	machine_free(m);
}

Test(slit, reference_one_way_distance)
{
	const AcpiDistance one = { 0, 1, 11 };
	const AcpiDistances distances = { 4, &one, 1 };
	Machine *m = machine_new(1);
	Bytes table;

	m->in.distances = &distances;
	table = machine_table(m, ACPI_SLIT, "SLIT");
	expect_digest(table, 60, 0x08, "f0c5a2544b49c321");
	cr_expect_eq(table.data[44 + 1], 11);
	cr_expect_eq(table.data[44 + 4], 20);
	machine_free(m);
}

Test(slit, refuses_nodes_that_are_not_there)
{
	static const AcpiDistance from = { 4, 0, 11 }, to = { 0, 4, 11 };
	const AcpiDistances bad[] = { { 0, NULL, 0 }, { 4, &from, 1 }, { 4, &to, 1 },
		{ 1025, NULL, 0 } };
	static const char *const words[] = { "0 nodes", "node 4 to", "to node 4",
		"1025 nodes" };

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		Machine *m = machine_new(1);

		m->in.distances = &bad[i];
		expect_refusal(m, ACPI_SLIT, PVW_ACPI_0014, words[i]);
		machine_free(m);
	}
}

Test(slit, refuses_to_guess_distances)
{
	Machine *m = machine_new(1);

	expect_refusal(m, ACPI_SLIT, PVW_ACPI_0014, "no distances");
	machine_free(m);
}

/* Linux ignores a SLIT with such a cell; the reference writes it. */
Test(slit, default_profile_refuses_distances_that_guests_do)
{
	static const AcpiDistance bad[] = { { 1, 1, 11 }, { 0, 1, 10 }, { 1, 0, 0 } };

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		const AcpiDistances distances = { 2, &bad[i], 1 };
		Machine *m = machine_new(1);

		m->in.distances = &distances;
		machine_table(m, ACPI_SLIT, "SLIT");
		m->in.profile = ACPI_PROFILE_DEFAULT;
		expect_refusal(m, ACPI_SLIT, PVW_ACPI_0022, "expected 10 to itself");
		machine_free(m);
	}
}

Test(slit, default_profile_takes_every_distance_there_is)
{
	static const AcpiDistance good[] = { { 0, 1, 11 }, { 1, 0, 255 }, { 1, 1, 10 } };
	const AcpiDistances distances = { 2, good, ARRAY_COUNT(good) };
	Machine *m = machine_new(1);

	m->in.profile = ACPI_PROFILE_DEFAULT;
	m->in.distances = &distances;
	machine_table(m, ACPI_SLIT, "SLIT");
	machine_free(m);
}
