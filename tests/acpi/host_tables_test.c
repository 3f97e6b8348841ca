#include "machine.h"

#include "helpers/aml_decode.h"

/* A machine with one PCI Express bridge, which a test may change. */
static Machine *host_new(size_t processors, AcpiBridge *bridge)
{
	Machine *m = machine_new(processors);

	*bridge = (AcpiBridge){ .end_bus = 255,
		.ecam = { 0xE0000000, 0xF0000000 },
		.low = { 0xD0000000, 0xD8000000 },
		.high = { 32 * GIB, 33 * GIB } };
	m->in.bridges = bridge;
	m->in.bridge_count = 1;
	return m;
}

Test(mcfg, reference_two_bridges)
{
	const AcpiBridge bridges[] = {
		{ .end_bus = 255, .ecam = { 0xE0000000, 0xF0000000 } },
		{ .segment = 1,
			.start_bus = 32,
			.end_bus = 63,
			.ecam = { 5 * GIB, 5 * GIB + 0x2000000 } },
	};
	Machine *m = machine_new(1);
	Bytes table;

	m->in.bridges = bridges;
	m->in.bridge_count = 2;
	table = machine_table(m, ACPI_MCFG, "MCFG");
	expect_digest(table, 76, 0xAC, "5c043d73dc4e6ffb");
	cr_expect_eq(get_le(table.data + 60, 8), 0x13E000000);
	machine_free(m);
}

Test(mcfg, refuses_configuration_space_below_its_bus)
{
	AcpiBridge bridge;
	Machine *m = host_new(1, &bridge);

	bridge.start_bus = 1;
	bridge.ecam.start = 0xFFFFF;
	expect_refusal(m, ACPI_MCFG, PVW_ACPI_0017, "0xfffff");
	machine_free(m);
}

static AmlWalk ssdt_of(Machine *m)
{
	Bytes table = machine_table(m, ACPI_SSDT, "SSDT");
	AmlWalk walk = aml_walk((Bytes){ table.data + 36, table.len - 36 });

	cr_assert_str_empty(walk.why);
	return walk;
}

Test(ssdt, leaves_empty_windows_out)
{
	AcpiBridge bridge;
	Machine *m = host_new(1, &bridge);
	AmlResource r[3];
	AmlWalk walk;

	bridge.low = (MemoryRange){ 0, 0 };
	bridge.high = (MemoryRange){ FOUR_GIB, FOUR_GIB };
	walk = ssdt_of(m);
	cr_assert_eq(aml_read_resources(aml_find(&walk, "\\PCI0._CRS")->body, r, 3), 1);
	cr_expect_eq(r[0].space, 2);
	cr_expect_eq(r[0].maximum, 255);
	cr_assert_eq(aml_read_resources(aml_find(&walk, "\\VMOD._CRS")->body, r, 3), 1);
	cr_expect_eq(r[0].maximum, 0xEFFFFFFF);
	aml_walk_free(&walk);
	machine_free(m);
}

/* Bridge n of the default profile is never named as a processor, nor as another bridge. */
Test(ssdt, default_names_are_all_different)
{
	AcpiBridge *bridges = calloc(1000, sizeof(*bridges));
	Machine *m = machine_new(1);
	AmlWalk walk;

	for (uint32_t i = 0; i < 1000; i++)
		bridges[i] = (AcpiBridge){ .index = i, .ecam = { 0xE0000000, 0xE0100000 } };
	m->in.profile = ACPI_PROFILE_DEFAULT;
	m->in.bridges = bridges;
	m->in.bridge_count = 1000;
	walk = ssdt_of(m);
	for (size_t i = 0; i < walk.count; i++) {
		if (walk.nodes[i].kind != AML_NODE_DEVICE)
			continue;
		cr_expect_eq(aml_count(&walk, walk.nodes[i].path), 1, "%s", walk.nodes[i].path);
		cr_expect(strncmp(walk.nodes[i].path, "\\_SB_.PC", 8) == 0 ||
				strcmp(walk.nodes[i].path, "\\_SB_.ECAM") == 0,
			"%s", walk.nodes[i].path);
	}
	aml_walk_free(&walk);
	machine_free(m);
	free(bridges);
}

Test(ssdt, reference_names_count_from_the_right)
{
	static const struct {
		uint32_t index;
		const char *path;
	} names[] = { { 0, "\\PCI0" }, { 9, "\\PCI9" }, { 10, "\\PC10" }, { 99, "\\PC99" },
		{ 100, "\\P100" }, { 999, "\\P999" } };

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		AcpiBridge bridge;
		Machine *m = host_new(1, &bridge);
		AmlWalk walk;

		bridge.index = names[i].index;
		walk = ssdt_of(m);
		cr_expect(aml_find(&walk, names[i].path), "%s", names[i].path);
		aml_walk_free(&walk);
		machine_free(m);
	}
}

Test(ssdt, refuses_bridges_without_a_name_of_their_own)
{
	AcpiBridge bridge;
	Machine *m = host_new(300, &bridge);

	bridge.index = 294;
	expect_refusal(m, ACPI_SSDT, PVW_ACPI_0020, "processor 294");
	bridge.index = 301;
	machine_table(m, ACPI_SSDT, "SSDT");
	for (m->in.profile = 0; m->in.profile < ACPI_PROFILE_COUNT; m->in.profile++) {
		bridge.index = 1000;
		expect_refusal(m, ACPI_SSDT, PVW_ACPI_0020, "bridge 1000");
	}
	machine_free(m);
}

Test(ssdt, refuses_buses_in_the_wrong_order)
{
	AcpiBridge bridge;
	Machine *m = host_new(1, &bridge);

	bridge.start_bus = 5;
	bridge.end_bus = 4;
	expect_refusal(m, ACPI_SSDT, PVW_ACPI_0006, "ssdt");
	machine_free(m);
}

Test(cedt, refuses_ranges_that_cxl_cannot_have)
{
	const AcpiCxl good = { .registers = { 0x10000, 0x20000 }, .hdm = { GIB, 2 * GIB } };
	static const char *const words[] = { "device memory of size", "registers of size",
		"registers of size", "registers at", "memory at", "memory of size" };
	AcpiCxl bad[6];
	AcpiBridge bridge;
	Machine *m = host_new(1, &bridge);

	for (size_t i = 0; i < 6; i++)
		bad[i] = good;
	bad[0].hdm.end = bad[0].hdm.start;
	bad[1].registers.end = bad[1].registers.start;
	bad[2].registers.end += 0x1000;
	bad[3].registers.start += 0x1000;
	bad[3].registers.end += 0x1000;
	bad[4].hdm.start += 0x1000;
	bad[5].hdm.end += 0x1000;
	bridge.cxl = &good;
	cr_expect_eq(machine_table(m, ACPI_CEDT, "CEDT").len, 36 + 72);
	for (size_t i = 0; i < 6; i++) {
		bridge.cxl = &bad[i];
		expect_refusal(m, ACPI_CEDT, PVW_ACPI_0018, words[i]);
	}
	machine_free(m);
}

Test(dmar, wants_one_unit_for_the_io_apic)
{
	const AcpiVtdUnit units[] = { { .base = 0xFD000000 }, { .base = 0xFD001000 } };
	Machine *m = machine_new(1);

	m->in.iommu = (AcpiIommu){ .kind = ACPI_IOMMU_VTD,
		.has_ioapic_rid = true,
		.ioapic_rid = 0xA0,
		.host_address_width = 48,
		.vtd = units,
		.unit_count = 1 };
	cr_expect_eq(machine_table(m, ACPI_DMAR, "DMAR").len, 48 + 16 + 8);
	m->in.iommu.unit_count = 2;
	expect_refusal(m, ACPI_DMAR, PVW_ACPI_0019, "2 units");
	m->in.iommu.unit_count = 1;
	m->in.iommu.ioapic_rid = 0x1A0;
	expect_refusal(m, ACPI_DMAR, PVW_ACPI_0019, "0 units");
	m->in.iommu.host_address_width = 0;
	expect_refusal(m, ACPI_DMAR, PVW_ACPI_0019, "width 0");
	machine_free(m);
}

Test(dmar, refuses_more_scopes_than_a_length_holds)
{
	const AcpiVtdUnit unit = { .scope_count = 1025 };
	Machine *m = machine_new(1);

	m->in.iommu = (AcpiIommu){
		.kind = ACPI_IOMMU_VTD, .host_address_width = 48, .vtd = &unit, .unit_count = 1
	};
	expect_refusal(m, ACPI_DMAR, PVW_ACPI_0019, "1025 scopes");
	machine_free(m);
}

Test(ivrs, reports_the_io_apic_only_where_its_bus_is)
{
	const AcpiAmdViUnit units[] = { { .start_bus = 0, .end_bus = 15 },
		{ .start_bus = 16, .end_bus = 31 } };
	Machine *m = machine_new(1);
	Bytes table;

	m->in.iommu = (AcpiIommu){ .kind = ACPI_IOMMU_AMDVI,
		.has_ioapic_rid = true,
		.ioapic_rid = 0x10A0,
		.pa_bits = 48,
		.va_bits = 48,
		.amdvi = units,
		.unit_count = 2 };
	table = machine_table(m, ACPI_IVRS, "IVRS");
	cr_assert_eq(table.len, 48 + 48 + 56);
	cr_expect_eq(get_le(table.data + 36, 4), 0x00183001);
	cr_expect_eq(get_le(table.data + 48 + 2, 2), 48);
	cr_expect_eq(get_le(table.data + 96 + 2, 2), 56);
	cr_expect_arr_eq(table.data + 96 + 48, "\x48\x00\x00\x00\x00\xA0\x10\x01", 8);
	machine_free(m);
}

/* Without its entry the guest cannot remap interrupts of the I/O APIC. */
Test(ivrs, default_profile_wants_one_unit_for_the_io_apic)
{
	const AcpiAmdViUnit units[] = { { .end_bus = 15 }, { .end_bus = 15 } };
	Machine *m = machine_new(1);

	m->in.iommu = (AcpiIommu){ .kind = ACPI_IOMMU_AMDVI,
		.has_ioapic_rid = true,
		.ioapic_rid = 0x10A0,
		.amdvi = units,
		.unit_count = 1 };
	machine_table(m, ACPI_IVRS, "IVRS");
	m->in.profile = ACPI_PROFILE_DEFAULT;
	expect_refusal(m, ACPI_IVRS, PVW_ACPI_0022, "0 units have the bus");
	m->in.iommu.ioapic_rid = 0x0FA0;
	machine_table(m, ACPI_IVRS, "IVRS");
	m->in.iommu.unit_count = 2;
	expect_refusal(m, ACPI_IVRS, PVW_ACPI_0022, "2 units have the bus");
	machine_free(m);
}

Test(ivrs, refuses_numbers_that_do_not_fit)
{
	const AcpiAmdViUnit backwards = { .start_bus = 2, .end_bus = 1 };
	Machine *m = machine_new(1);

	m->in.iommu = (AcpiIommu){ .kind = ACPI_IOMMU_AMDVI, .pa_bits = 128, .va_bits = 48 };
	expect_refusal(m, ACPI_IVRS, PVW_ACPI_0019, "128 and 48 bits");
	m->in.iommu.pa_bits = 127;
	machine_table(m, ACPI_IVRS, "IVRS");
	m->in.iommu.va_bits = 128;
	expect_refusal(m, ACPI_IVRS, PVW_ACPI_0019, "127 and 128 bits");
	m->in.iommu.va_bits = 64;
	m->in.iommu.amdvi = &backwards;
	m->in.iommu.unit_count = 1;
	expect_refusal(m, ACPI_IVRS, PVW_ACPI_0019, "buses 2 to 1");
	machine_free(m);
}

Test(iort, refuses_smmus_that_serve_no_bridge_or_the_same)
{
	AcpiSmmu smmus[2] = { { .bridge_index = 7 } };
	AcpiBridge bridge;
	Machine *m = host_new(1, &bridge);

	m->topology.arch = GUEST_ARCH_AARCH64;
	m->in.iommu = (AcpiIommu){ .kind = ACPI_IOMMU_SMMU, .smmu = smmus, .unit_count = 1 };
	expect_refusal(m, ACPI_IORT, PVW_ACPI_0019, "bridge 7");
	m->in.bridge_count = 0;
	cr_expect(acpi_table_wanted(ACPI_IORT, &m->in));
	expect_refusal(m, ACPI_IORT, PVW_ACPI_0019, "bridge 7");
	m->in.bridge_count = 1;
	bridge.index = 7;
	cr_expect_eq(machine_table(m, ACPI_IORT, "IORT").len, 48 + 68 + 56);
	smmus[1] = smmus[0];
	m->in.iommu.unit_count = 2;
	expect_refusal(m, ACPI_IORT, PVW_ACPI_0019, "two smmus");
	m->in.iommu.unit_count = 1;
	smmus[0].reserved.count = 1025;
	expect_refusal(m, ACPI_IORT, PVW_ACPI_0019, "1025 reserved");
	m->in.bridge_count = 1001;
	expect_refusal(m, ACPI_IORT, PVW_ACPI_0019, "1001 bridges");
	machine_free(m);
}

Test(gtdt, reference_table)
{
	Machine *m = machine_new(1);

	m->topology.arch = GUEST_ARCH_AARCH64;
	expect_digest(machine_table(m, ACPI_GTDT, "GTDT"), 104, 0xF0, "18f88a1cf4c869e9");
	machine_free(m);
}

Test(aspt, has_the_form_of_its_profile)
{
	Machine *m = machine_new(1);
	Bytes table;

	table = machine_table(m, ACPI_ASPT, "ASPT");
	cr_expect_eq(table.len, 140);
	cr_expect_eq(get_le(table.data + 46, 2), 28);

	m->in.profile = ACPI_PROFILE_DEFAULT;
	table = machine_table(m, ACPI_ASPT, "ASPT");
	cr_expect_eq(table.len, 136);
	cr_expect_eq(get_le(table.data + 36, 4), 3);
	/* Records tile the table when a length counts all of a record. */
	for (size_t i = 0, at = 40; i < 3; i++, at += 32) {
		cr_expect_eq(get_le(table.data + at, 2), i);
		cr_expect_eq(get_le(table.data + at + 2, 2), 32);
	}
	machine_free(m);
}

/* Nodes of the table by what they are; every reference points back to a node that was there. */
typedef struct Hierarchy {
	size_t packages, cores, threads, caches;
	uint64_t uids; /* bit n: uid n was seen */
} Hierarchy;

static Hierarchy hierarchy_of(Bytes table)
{
	uint8_t *starts = calloc(table.len, 1);
	uint32_t *parents = calloc(table.len, sizeof(*parents));
	Hierarchy h = { 0 };

	for (size_t at = 36; at < table.len; at += table.data[at + 1]) {
		const uint8_t *node = table.data + at;
		const uint32_t parent = (uint32_t)get_le(node + 8, 4);

		cr_assert_geq(node[1], 20);
		cr_assert_leq(at + node[1], table.len);
		cr_assert(
			parent == 0 || (parent < at && starts[parent]), "reference at %zu", at);
		starts[at] = 1;
		if (node[0] == 1) {
			h.caches++;
			continue;
		}
		cr_assert_eq(node[1], 20 + 4 * get_le(node + 16, 4));
		for (size_t r = 20; r < node[1]; r += 4)
			cr_assert(starts[get_le(node + r, 4)]);
		parents[at] = parent;
		if (node[4] & 2)
			h.uids |= UINT64_C(1) << get_le(node + 12, 4);
		if (parent == 0)
			h.packages++;
		else if (parents[parent] == 0)
			h.cores++;
		else
			h.threads++;
	}
	free(parents);
	free(starts);
	return h;
}

static const AcpiCache caches[] = {
	{ 1, ACPI_CACHE_DATA, 32768, 8, 64 },
	{ 1, ACPI_CACHE_INSTRUCTION, 32768, 8, 64 },
	{ 2, ACPI_CACHE_UNIFIED, 1048576, 16, 64 },
	{ 3, ACPI_CACHE_UNIFIED, 33554432, 0, 64 },
};

static Machine *cached_new(size_t count, bool smt)
{
	Machine *m = machine_new(count);

	m->topology.vps_per_socket = m->topology.reserved_vps_per_socket = 4;
	m->topology.smt = smt;
	m->in.profile = ACPI_PROFILE_DEFAULT;
	m->in.with_caches = true;
	m->in.caches = caches;
	m->in.cache_count = ARRAY_COUNT(caches);
	return m;
}

Test(pptt, siblings_share_a_core_by_default)
{
	Machine *m = cached_new(8, true);
	const Hierarchy h = hierarchy_of(machine_table(m, ACPI_PPTT, "PPTT"));

	cr_expect_eq(h.packages, 2);
	cr_expect_eq(h.cores, 4);
	cr_expect_eq(h.threads, 8);
	cr_expect_eq(h.caches, 2 + 4 * 3);
	cr_expect_eq(h.uids, 0x1FE);
	machine_free(m);
}

Test(pptt, without_threads_every_processor_is_a_core)
{
	Machine *m = cached_new(8, false);
	const Hierarchy h = hierarchy_of(machine_table(m, ACPI_PPTT, "PPTT"));

	cr_expect_eq(h.packages, 2);
	cr_expect_eq(h.cores, 8);
	cr_expect_eq(h.threads, 0);
	cr_expect_eq(h.uids, 0x1FE);
	machine_free(m);
}

Test(pptt, every_processor_of_aarch64_has_a_node_by_default)
{
	Machine *m = cached_new(8, false);
	Hierarchy h;

	m->topology.arch = GUEST_ARCH_AARCH64;
	h = hierarchy_of(machine_table(m, ACPI_PPTT, "PPTT"));
	cr_expect_eq(h.packages, 1);
	cr_expect_eq(h.cores, 8);
	cr_expect_eq(h.uids, 0x1FE);

	/* The reference knows the first one only. */
	m->in.profile = ACPI_PROFILE_REFERENCE;
	h = hierarchy_of(machine_table(m, ACPI_PPTT, "PPTT"));
	cr_expect_eq(h.cores, 1);
	machine_free(m);
}

/* Sockets that come and go still have one package each. */
Test(pptt, finds_packages_in_any_order_of_processors)
{
	Machine *m = cached_new(32, false);
	Hierarchy h;

	for (size_t i = 0; i < 32; i++)
		m->vps[i].apic_id = (uint32_t)(31 - i) * 4 % 32 + (uint32_t)(i / 8);
	h = hierarchy_of(machine_table(m, ACPI_PPTT, "PPTT"));
	cr_expect_eq(h.packages, 8);
	cr_expect_eq(h.cores, 32);
	machine_free(m);
}

Test(pptt, refuses_caches_that_do_not_fit_their_fields)
{
	static const AcpiCache bad[] = { { 1, ACPI_CACHE_DATA, 1, 256, 64 },
		{ 1, ACPI_CACHE_DATA, 1, 8, 65536 } };
	static const char *const words[] = { "256 ways", "65536 bytes" };

	for (size_t i = 0; i < 2; i++) {
		Machine *m = cached_new(1, false);

		m->in.caches = &bad[i];
		m->in.cache_count = 1;
		expect_refusal(m, ACPI_PPTT, PVW_ACPI_0021, words[i]);
		machine_free(m);
	}
}

Test(pptt, is_quick_with_scattered_processors)
{
	const size_t count = 100000;
	Machine *m = cached_new(count, false);
	uint32_t id = 1;

	for (size_t i = 0; i < count; i++) {
		id = id * 1664525 + 1013904223;
		m->vps[i].apic_id = id;
	}
	cr_expect_gt(machine_table(m, ACPI_PPTT, "PPTT").len, count * 20);
	machine_free(m);
}
