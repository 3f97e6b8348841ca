#include "machine.h"

/* One entry of the table, by its place; NULL behind the last. Entries must tile the table. */
static const uint8_t *entry_at(Bytes table, size_t index)
{
	size_t at = 44;

	for (; at < table.len; at += table.data[at + 1], index--) {
		cr_assert_geq(table.data[at + 1], 6, "length at %zu", at);
		cr_assert_leq(at + table.data[at + 1], table.len);
		if (index == 0)
			return table.data + at;
	}
	return NULL;
}

static size_t count_type(Bytes table, uint8_t type)
{
	size_t count = 0;

	for (size_t i = 0;; i++) {
		const uint8_t *entry = entry_at(table, i);

		if (!entry)
			return count;
		count += entry[0] == type;
	}
}

static void expect_entry(Bytes table, size_t index, const char *bytes, size_t len)
{
	const uint8_t *entry = entry_at(table, index);

	cr_assert(entry, "no entry %zu", index);
	cr_expect_eq(entry[1], len);
	cr_expect_arr_eq(entry, bytes, len, "entry %zu", index);
}
#define EXPECT_ENTRY(table, index, bytes)                                                      \
	expect_entry((table), (index), (bytes), sizeof(bytes) - 1)

Test(madt, lists_interrupt_hardware_then_processors)
{
	Machine *m = machine_new(2);
	Bytes table = machine_table(m, ACPI_MADT, "APIC");

	cr_expect_eq(table.data[8], 5);
	cr_expect_eq(get_le(table.data + 36, 4), 0xFEE00000);
	cr_expect_eq(get_le(table.data + 40, 4), 1);
	EXPECT_ENTRY(table, 0, "\x01\x0C\x00\x00\x00\x00\xC0\xFE\x00\x00\x00\x00");
	EXPECT_ENTRY(table, 1, "\x02\x0A\x00\x09\x09\x00\x00\x00\x0D\x00");
	EXPECT_ENTRY(table, 2, "\x02\x0A\x00\x00\x02\x00\x00\x00\x00\x00");
	EXPECT_ENTRY(table, 3, "\x04\x06\x01\x00\x00\x01");
	EXPECT_ENTRY(table, 4, "\x00\x08\x01\x00\x01\x00\x00\x00");
	EXPECT_ENTRY(table, 5, "\x00\x08\x02\x01\x01\x00\x00\x00");
	cr_expect_null(entry_at(table, 6));
	machine_free(m);
}

Test(madt, reference_without_pic_and_pit)
{
	Machine *m = machine_new(1);

	m->in.with_pic = m->in.with_pit = false;
	expect_digest(machine_table(m, ACPI_MADT, "APIC"), 80, 0x38, "350f8f38226b91cb");
	machine_free(m);
}

Test(madt, reference_2048_processors)
{
	Machine *m = machine_new(2048);
	Bytes table = machine_table(m, ACPI_MADT, "APIC");

	expect_digest(table, 30810, 0x98, "5d7352584ced71c7");
	cr_expect_eq(count_type(table, 0), 255);
	cr_expect_eq(count_type(table, 9), 1793);
	machine_free(m);
}

Test(madt, changes_to_x2apic_behind_id_254)
{
	Machine *m = machine_new(256);
	Bytes table = machine_table(m, ACPI_MADT, "APIC");

	EXPECT_ENTRY(table, 4 + 254, "\x00\x08\xFF\xFE\x01\x00\x00\x00");
	EXPECT_ENTRY(table, 4 + 255,
		"\x09\x10\x00\x00\xFF\x00\x00\x00\x01\x00\x00\x00\x00\x01\x00\x00");
	machine_free(m);
}

Test(madt, keeps_the_order_of_processors_when_entries_alternate)
{
	static const uint32_t ids[] = { 0, 300, 1, 255, 2, 254 };
	Machine *m = machine_new(6);
	Bytes table;

	for (size_t i = 0; i < 6; i++)
		m->vps[i].apic_id = ids[i];
	table = machine_table(m, ACPI_MADT, "APIC");
	for (size_t i = 0; i < 6; i++) {
		const uint8_t *entry = entry_at(table, 4 + i);

		cr_expect_eq(entry[0], ids[i] <= 254 ? 0 : 9, "processor %zu", i);
		if (entry[0] == 0) {
			cr_expect_eq(entry[2], i + 1);
			cr_expect_eq(entry[3], ids[i]);
		} else {
			cr_expect_eq(get_le(entry + 4, 4), ids[i]);
			cr_expect_eq(get_le(entry + 12, 4), i + 1);
		}
	}
	machine_free(m);
}

/* Linux drops x2APIC entries with small ids beside xAPIC entries: all or none. */
Test(madt, uses_x2apic_for_all_when_a_late_processor_has_a_small_id)
{
	Machine *m = machine_new(300);
	Bytes table;

	m->vps[7].apic_id = 299;
	m->vps[299].apic_id = 7;
	table = machine_table(m, ACPI_MADT, "APIC");
	cr_expect_eq(count_type(table, 0), 0);
	cr_expect_eq(count_type(table, 4), 0);
	cr_expect_eq(count_type(table, 9), 300);
	EXPECT_ENTRY(table, 3, "\x0A\x0C\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00");
	cr_expect_eq(get_le(entry_at(table, 4 + 299) + 4, 4), 7);
	machine_free(m);
}

Test(madt, default_profile_refuses_overrides_that_lead_nowhere)
{
	Machine *m = machine_new(1);

	m->in.with_ioapic = false;
	machine_table(m, ACPI_MADT, "APIC");
	m->in.profile = ACPI_PROFILE_DEFAULT;
	expect_refusal(m, ACPI_MADT, PVW_ACPI_0022, "a pit without i/o apic");
	m->in.with_ioapic = true;
	m->in.acpi_irq = 2;
	expect_refusal(m, ACPI_MADT, PVW_ACPI_0022, "sci 2");
	m->in.with_pit = false;
	machine_table(m, ACPI_MADT, "APIC");
	machine_free(m);
}

Test(madt, takes_sci_255_and_refuses_256)
{
	Machine *m = machine_new(1);
	Bytes table;

	m->in.acpi_irq = 255;
	table = machine_table(m, ACPI_MADT, "APIC");
	EXPECT_ENTRY(table, 1, "\x02\x0A\x00\xFF\xFF\x00\x00\x00\x0D\x00");
	m->in.acpi_irq = 256;
	expect_refusal(m, ACPI_MADT, PVW_ACPI_0009, "256");
	machine_free(m);
}

static Machine *arm_machine(size_t count)
{
	Machine *m = machine_new(count);

	m->topology.arch = GUEST_ARCH_AARCH64;
	return m;
}

Test(madt, describes_gicv3)
{
	Machine *m = arm_machine(3);
	Bytes table;
	const uint8_t *gicc;

	m->vps[2].mpidr = UINT64_C(0xFFFFFFFFC1020304);
	table = machine_table(m, ACPI_MADT, "APIC");
	cr_expect_eq(table.len, 44 + 24 + 3 * 80);
	cr_expect_eq(get_le(table.data + 36, 8), 0);
	cr_expect_eq(entry_at(table, 0)[0], 12);
	cr_expect_eq(get_le(entry_at(table, 0) + 8, 8), 0xFFFF0000);
	cr_expect_eq(entry_at(table, 0)[20], 3);
	gicc = entry_at(table, 3);
	cr_expect_eq(gicc[0], 11);
	cr_expect_eq(get_le(gicc + 4, 4), 0);
	cr_expect_eq(get_le(gicc + 8, 4), 3);
	cr_expect_eq(get_le(gicc + 12, 4), 1);
	cr_expect_eq(get_le(gicc + 20, 4), 23);
	cr_expect_eq(get_le(gicc + 32, 8), 0);
	cr_expect_eq(get_le(gicc + 60, 8), 0xEFFEE000 + 0x40000);
	cr_expect_eq(get_le(gicc + 68, 8), UINT64_C(0xFF00020304));
	machine_free(m);
}

Test(madt, describes_gicv2)
{
	Machine *m = arm_machine(1);
	Bytes table;

	m->topology.arm.gic_v2 = true;
	m->topology.arm.gic_cpu_interface = 0xEFFF0000;
	table = machine_table(m, ACPI_MADT, "APIC");
	cr_expect_eq(entry_at(table, 0)[20], 2);
	cr_expect_eq(get_le(entry_at(table, 1) + 32, 8), 0xEFFF0000);
	cr_expect_eq(get_le(entry_at(table, 1) + 60, 8), 0);
	machine_free(m);
}

Test(madt, ends_with_the_message_controller)
{
	Machine *m = arm_machine(1);
	Bytes table;

	m->topology.arm.msi = GIC_MSI_V2M;
	m->topology.arm.msi_base = 0xEFFE8000;
	m->topology.arm.msi_spi_base = 512;
	m->topology.arm.msi_spi_count = 508;
	table = machine_table(m, ACPI_MADT, "APIC");
	EXPECT_ENTRY(table, 2,
		"\x0D\x18\x00\x00\x00\x00\x00\x00\x00\x80\xFE\xEF\x00\x00\x00\x00"
		"\x01\x00\x00\x00\xFC\x01\x00\x02");

	m->topology.arm.msi = GIC_MSI_ITS;
	m->topology.arm.msi_base = 0xEFFC0000;
	table = machine_table(m, ACPI_MADT, "APIC");
	EXPECT_ENTRY(table, 2,
		"\x0F\x14\x00\x00\x00\x00\x00\x00\x00\x00\xFC\xEF\x00\x00\x00\x00\x00\x00\x00"
		"\x00");
	machine_free(m);
}

Test(madt, refuses_message_interrupts_beyond_1019)
{
	Machine *m = arm_machine(1);

	m->topology.arm.msi = GIC_MSI_V2M;
	m->topology.arm.msi_spi_base = 512;
	m->topology.arm.msi_spi_count = 509;
	expect_refusal(m, ACPI_MADT, PVW_ACPI_0012, "509 spis");
	m->topology.arm.msi_spi_base = 0x10200;
	m->topology.arm.msi_spi_count = 1;
	expect_refusal(m, ACPI_MADT, PVW_ACPI_0012, "from 66048");
	machine_free(m);
}
