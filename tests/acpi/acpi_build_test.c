#include "machine.h"

static Bytes table_in(const AcpiSet *set, AcpiTableId id, uint64_t gpa)
{
	return (Bytes){ set->tables.data + (set->at[id] - gpa), set->len[id] };
}

static AcpiSet build_set(Machine *m, uint64_t gpa)
{
	AcpiSet set = { 0 };

	cr_assert(acpi_build_set(&m->in, gpa, m->arena, &set, &m->err), "%s", m->err.text);
	return set;
}

Test(acpi_build, set_of_the_paravisor_minimum)
{
	Machine *m = machine_new(1);
	AcpiSet set = build_set(m, 0x19000);
	const uint8_t *xsdt;

	cr_expect_eq(set.at[ACPI_DSDT], 0x19000);
	cr_expect_eq(set.at[ACPI_FADT], 0x19268);
	cr_expect_eq(set.at[ACPI_MADT], 0x19380);
	cr_expect_eq(set.len[ACPI_MADT], 90);
	cr_expect_eq(set.at[ACPI_SRAT], 0x193E0);
	cr_expect_eq(set.len[ACPI_SRAT], 104);
	cr_expect_eq(set.at[ACPI_SLIT], 0);
	cr_expect_eq(set.rsdp.len, 36);
	cr_expect_eq(get_le(set.rsdp.data + 24, 8), 0x19448);
	cr_expect_eq(set.tables.len, 0x448 + 64);

	xsdt = set.tables.data + 0x448;
	expect_table((Bytes){ xsdt, 60 }, "XSDT");
	cr_expect_eq(get_le(xsdt + 36, 8), 0x19268);
	cr_expect_eq(get_le(xsdt + 44, 8), 0x19380);
	cr_expect_eq(get_le(xsdt + 52, 8), 0x193E0);
	machine_free(m);
}

Test(acpi_build, set_has_whole_tables_and_zero_padding)
{
	static const char *const signatures[ACPI_TABLE_COUNT] = { [ACPI_DSDT] = "DSDT",
		[ACPI_FADT] = "FACP",
		[ACPI_MADT] = "APIC",
		[ACPI_SRAT] = "SRAT",
		[ACPI_SLIT] = "SLIT",
		[ACPI_ASPT] = "ASPT",
		[ACPI_PPTT] = "PPTT",
		[ACPI_GTDT] = "GTDT" };
	const AcpiDistances distances = { .node_count = 3 };
	const uint64_t gpa = 0x40803000;

	for (unsigned kind = 0; kind < 4; kind++) {
		Machine *m = machine_new(7);
		AcpiSet set;
		uint64_t end = gpa;

		m->in.profile = kind & 1 ? ACPI_PROFILE_REFERENCE : ACPI_PROFILE_DEFAULT;
		m->topology.arch = kind & 2 ? GUEST_ARCH_AARCH64 : GUEST_ARCH_X86_64;
		m->in.distances = &distances;
		m->in.with_caches = m->in.with_psp = true;
		set = build_set(m, gpa);
		for (AcpiTableId id = 0; id < ACPI_TABLE_COUNT; id++) {
			if (!set.at[id])
				continue;
			cr_assert(signatures[id], "table %d", (int)id);
			expect_table(table_in(&set, id, gpa), signatures[id]);
			cr_expect_eq(set.at[id] % 8, 0);
			for (; end < set.at[id]; end++)
				cr_expect_eq(set.tables.data[end - gpa], 0, "padding");
			end = set.at[id] + set.len[id];
		}
		cr_expect_eq(set.tables.len % 8, 0);
		cr_expect_eq(set.at[ACPI_GTDT] != 0, (kind & 2) != 0);
		cr_expect_eq(set.at[ACPI_ASPT] != 0, (kind & 2) == 0);
		machine_free(m);
	}
}

Test(acpi_build, fadt_leads_to_the_dsdt)
{
	Machine *m = machine_new(1);
	AcpiSet set = build_set(m, 0x19000);
	Bytes fadt = table_in(&set, ACPI_FADT, 0x19000);

	expect_digest(fadt, 276, 0x45, "b7a356ae3b6a8c62");
	cr_expect_eq(get_le(fadt.data + 140, 8), 0x19000);
	cr_expect_eq(get_le(fadt.data + 40, 4), 0);
	cr_expect_eq(get_le(fadt.data + 112, 4), 0x85B5);
	machine_free(m);
}

Test(acpi_build, fadt_of_aarch64_is_hardware_reduced)
{
	Machine *m = machine_new(1);
	AcpiSet set;

	m->topology.arch = GUEST_ARCH_AARCH64;
	m->in.hypervisor_identity = UINT64_C(0x567265707948734D);
	m->in.acpi_irq = 0;
	set = build_set(m, 0x40803000);
	expect_digest(table_in(&set, ACPI_FADT, 0x40803000), 276, 0x3B, "e6b141e2faafee6e");
	machine_free(m);
}

/* [ACPI65] 5.2.9: an address is there exactly when its length is, and both agree. */
Test(acpi_build, fadt_blocks_agree_with_their_lengths)
{
	static const struct {
		size_t address, length;
	} blocks[] = { { 148, 88 }, { 172, 89 }, { 196, 90 }, { 208, 91 }, { 220, 92 },
		{ 232, 93 } };
	Machine *m = machine_new(1);
	Bytes fadt;

	m->in.pm_base = 0xFFCC;
	fadt = machine_table(m, ACPI_FADT, "FACP");
	for (size_t i = 0; i < ARRAY_COUNT(blocks); i++) {
		const uint8_t *block = fadt.data + blocks[i].address;

		cr_expect_eq(get_le(block + 4, 8) != 0, fadt.data[blocks[i].length] != 0);
		cr_expect_eq(block[1], 8 * fadt.data[blocks[i].length]);
	}
	machine_free(m);
}

Test(acpi_build, fadt_refuses_ports_beyond_the_end)
{
	Machine *m = machine_new(1);

	m->in.pm_base = 0xFFCD;
	expect_refusal(m, ACPI_FADT, PVW_ACPI_0010, "0xffcd");
	m->in.pm_base = UINT32_MAX;
	expect_refusal(m, ACPI_FADT, PVW_ACPI_0010, "0xffffffff");
	machine_free(m);
}

Test(acpi_build, fadt_refuses_an_sci_of_two_bytes)
{
	Machine *m = machine_new(1);

	m->in.acpi_irq = 256;
	expect_refusal(m, ACPI_FADT, PVW_ACPI_0009, "sci 256");
	machine_free(m);
}

Test(acpi_build, refuses_no_processors_and_too_many)
{
	Machine *m = machine_new(1);

	m->topology.count = 0;
	expect_refusal(m, ACPI_MADT, PVW_ACPI_0015, "0 processors");
	m->topology.count = ACPI_PROCESSORS_MAX + 1;
	expect_refusal(m, ACPI_MADT, PVW_ACPI_0015, "1048577 processors");
	machine_free(m);
}

Test(acpi_build, refuses_lists_of_any_length)
{
	Machine *m = machine_new(1);

	m->in.bridge_count = SIZE_MAX;
	expect_refusal(m, ACPI_MADT, PVW_ACPI_0015, "list of more");
	machine_free(m);
}

Test(acpi_build, refuses_tables_of_the_other_architecture)
{
	Machine *m = machine_new(1);

	expect_refusal(m, ACPI_GTDT, PVW_ACPI_0016, "GTDT: not a table of x86_64");
	cr_expect_not(acpi_table_wanted(ACPI_GTDT, &m->in));
	m->topology.arch = GUEST_ARCH_AARCH64;
	expect_refusal(m, ACPI_DMAR, PVW_ACPI_0016, "aarch64");
	machine_free(m);
}

Test(acpi_build, set_refuses_addresses_that_do_not_fit)
{
	static const uint64_t bad[] = { 0, 0x19004, UINT64_MAX - 7, UINT64_MAX - 0x7FF };

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		Machine *m = machine_new(1);
		AcpiSet set = { .tables = { .len = 77 } };

		cr_assert_not(acpi_build_set(&m->in, bad[i], m->arena, &set, &m->err));
		cr_expect_eq(m->err.diagnostic, PVW_ACPI_0011, "%s", m->err.text);
		cr_expect(strstr(m->err.text, "address"));
		cr_expect_eq(set.tables.len, 77);
		machine_free(m);
	}
}

Test(acpi_build, set_gives_nothing_when_one_table_is_refused)
{
	Machine *m = machine_new(1);
	AcpiSet set = { .tables = { .len = 77 } };

	m->in.acpi_irq = 300;
	cr_assert_not(acpi_build_set(&m->in, 0x19000, m->arena, &set, &m->err));
	cr_expect_eq(m->err.diagnostic, PVW_ACPI_0009);
	cr_expect_eq(set.tables.len, 77);
	machine_free(m);
}

Test(acpi_build, set_of_2048_processors_fits_below_the_rsdp)
{
	Machine *m = machine_new(2048);
	AcpiSet set = build_set(m, 0x19000);

	cr_expect_lt(0x19000 + set.tables.len, 0xE0000);
	machine_free(m);
}

/* Every arena that is too small gives an error and never a cut table. */
Test(acpi_build, too_little_memory_is_an_error)
{
	Machine *m = machine_new(3);
	const AcpiSet whole = build_set(m, 0x19000);

	for (size_t limit = 0; limit < 16384; limit++) {
		Arena *arena = arena_new(limit);
		AcpiSet set = { 0 };
		Error err;

		if (acpi_build_set(&m->in, 0x19000, arena, &set, &err)) {
			cr_expect_eq(set.tables.len, whole.tables.len);
			cr_expect_arr_eq(set.tables.data, whole.tables.data, whole.tables.len);
		} else {
			cr_expect_eq(err.diagnostic, PVW_MEM_0001, "%s", err.text);
			cr_expect(strstr(err.text, "acpi tables"), "%s", err.text);
		}
		arena_free(arena);
	}
	machine_free(m);
}

Test(acpi_build, equal_inputs_give_equal_bytes)
{
	Machine *a = machine_new(300), *b = machine_new(300);
	AcpiSet first = build_set(a, 0x19000), second;

	/* Dirty memory must not show. */
	memset(arena_alloc(b->arena, 1 << 20, 16, &b->err), 0xAA, 1 << 20);
	arena_reset(b->arena);
	second = build_set(b, 0x19000);
	cr_assert_eq(first.tables.len, second.tables.len);
	cr_expect_arr_eq(first.tables.data, second.tables.data, first.tables.len);
	cr_expect_arr_eq(first.rsdp.data, second.rsdp.data, first.rsdp.len);
	machine_free(a);
	machine_free(b);
}
