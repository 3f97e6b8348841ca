/*
 * Rows of the tables about processors, interrupts, memory and timers.
 */
#include "host/acpi_text_internal.h"

/* A type and a length of one byte each: MADT, SRAT, PPTT. */
static const EntryForm short_form = { 0, 1, 1, 1 };

static const FieldName enabled_flags[] = {
	{ 1, 1, "enabled" },
	{ .text = NULL },
};

/*
 * [ACPI65] 5.2.12
 */

static const FieldName madt_flags[] = {
	{ 1, 1, "pcat_compat" },
	{ .text = NULL },
};

static const FieldRow madt_fields[] = {
	{ "local_apic_address", 36, 4, FIELD_HEX, NULL },
	{ "flags", 40, 4, FIELD_BITS, madt_flags },
	{ .name = NULL },
};

static const FieldName apic_flags[] = {
	{ 1, 1, "enabled" },
	{ 2, 2, "online_capable" },
	{ .text = NULL },
};

static const FieldName interrupt_flags[] = {
	{ 3, 0, "bus_polarity" },
	{ 3, 1, "active_high" },
	{ 3, 3, "active_low" },
	{ 12, 0, "bus_trigger" },
	{ 12, 4, "edge" },
	{ 12, 12, "level" },
	{ .text = NULL },
};

static const FieldName gicc_flags[] = {
	{ 1, 1, "enabled" },
	{ 2, 2, "performance_edge" },
	{ 4, 4, "maintenance_edge" },
	{ 8, 8, "online_capable" },
	{ .text = NULL },
};

static const FieldName spi_flags[] = {
	{ 1, 1, "spi_select" },
	{ .text = NULL },
};

#define TYPE_AND_LENGTH                                                                        \
	{ "type", 0, 1, FIELD_DECIMAL, NULL },                                                 \
	{                                                                                      \
		"length", 1, 1, FIELD_DECIMAL, NULL                                            \
	}

static const FieldRow local_apic_fields[] = {
	TYPE_AND_LENGTH,
	{ "uid", 2, 1, FIELD_DECIMAL, NULL },
	{ "apic_id", 3, 1, FIELD_DECIMAL, NULL },
	{ "flags", 4, 4, FIELD_BITS, apic_flags },
	{ .name = NULL },
};

static const FieldRow io_apic_fields[] = {
	TYPE_AND_LENGTH,
	{ "id", 2, 1, FIELD_DECIMAL, NULL },
	{ "reserved", 3, 1, FIELD_ZERO, NULL },
	{ "address", 4, 4, FIELD_HEX, NULL },
	{ "gsi_base", 8, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow override_fields[] = {
	TYPE_AND_LENGTH,
	{ "bus", 2, 1, FIELD_DECIMAL, NULL },
	{ "source", 3, 1, FIELD_DECIMAL, NULL },
	{ "gsi", 4, 4, FIELD_DECIMAL, NULL },
	{ "flags", 8, 2, FIELD_BITS, interrupt_flags },
	{ .name = NULL },
};

static const FieldRow nmi_source_fields[] = {
	TYPE_AND_LENGTH,
	{ "flags", 2, 2, FIELD_BITS, interrupt_flags },
	{ "gsi", 4, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow local_apic_nmi_fields[] = {
	TYPE_AND_LENGTH,
	{ "uid", 2, 1, FIELD_DECIMAL, NULL },
	{ "flags", 3, 2, FIELD_BITS, interrupt_flags },
	{ "lint", 5, 1, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow apic_address_fields[] = {
	TYPE_AND_LENGTH,
	{ "reserved", 2, 2, FIELD_ZERO, NULL },
	{ "address", 4, 8, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const FieldRow x2apic_fields[] = {
	TYPE_AND_LENGTH,
	{ "reserved", 2, 2, FIELD_ZERO, NULL },
	{ "x2apic_id", 4, 4, FIELD_DECIMAL, NULL },
	{ "flags", 8, 4, FIELD_BITS, apic_flags },
	{ "uid", 12, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow x2apic_nmi_fields[] = {
	TYPE_AND_LENGTH,
	{ "flags", 2, 2, FIELD_BITS, interrupt_flags },
	{ "uid", 4, 4, FIELD_HEX, NULL },
	{ "lint", 8, 1, FIELD_DECIMAL, NULL },
	{ "reserved", 9, 3, FIELD_ZERO, NULL },
	{ .name = NULL },
};

static const FieldRow gicc_fields[] = {
	TYPE_AND_LENGTH,
	{ "reserved", 2, 2, FIELD_ZERO, NULL },
	{ "interface_number", 4, 4, FIELD_DECIMAL, NULL },
	{ "uid", 8, 4, FIELD_DECIMAL, NULL },
	{ "flags", 12, 4, FIELD_BITS, gicc_flags },
	{ "parking_version", 16, 4, FIELD_DECIMAL, NULL },
	{ "performance_gsiv", 20, 4, FIELD_DECIMAL, NULL },
	{ "parked_address", 24, 8, FIELD_HEX, NULL },
	{ "base", 32, 8, FIELD_HEX, NULL },
	{ "gicv", 40, 8, FIELD_HEX, NULL },
	{ "gich", 48, 8, FIELD_HEX, NULL },
	{ "maintenance_gsiv", 56, 4, FIELD_DECIMAL, NULL },
	{ "gicr_base", 60, 8, FIELD_HEX, NULL },
	{ "mpidr", 68, 8, FIELD_HEX, NULL },
	{ "efficiency_class", 76, 1, FIELD_DECIMAL, NULL },
	{ "reserved", 77, 1, FIELD_ZERO, NULL },
	{ "spe_interrupt", 78, 2, FIELD_DECIMAL, NULL },
	{ "trbe_interrupt", 80, 2, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow gicd_fields[] = {
	TYPE_AND_LENGTH,
	{ "reserved", 2, 2, FIELD_ZERO, NULL },
	{ "id", 4, 4, FIELD_DECIMAL, NULL },
	{ "base", 8, 8, FIELD_HEX, NULL },
	{ "vector_base", 16, 4, FIELD_ZERO, NULL },
	{ "version", 20, 1, FIELD_DECIMAL, NULL },
	{ "reserved", 21, 3, FIELD_ZERO, NULL },
	{ .name = NULL },
};

static const FieldRow msi_frame_fields[] = {
	TYPE_AND_LENGTH,
	{ "reserved", 2, 2, FIELD_ZERO, NULL },
	{ "id", 4, 4, FIELD_DECIMAL, NULL },
	{ "base", 8, 8, FIELD_HEX, NULL },
	{ "flags", 16, 4, FIELD_BITS, spi_flags },
	{ "spi_count", 20, 2, FIELD_DECIMAL, NULL },
	{ "spi_base", 22, 2, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow gicr_fields[] = {
	TYPE_AND_LENGTH,
	{ "reserved", 2, 2, FIELD_ZERO, NULL },
	{ "base", 4, 8, FIELD_HEX, NULL },
	{ "range_length", 12, 4, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const FieldRow its_fields[] = {
	TYPE_AND_LENGTH,
	{ "reserved", 2, 2, FIELD_ZERO, NULL },
	{ "id", 4, 4, FIELD_DECIMAL, NULL },
	{ "base", 8, 8, FIELD_HEX, NULL },
	{ "reserved", 16, 4, FIELD_ZERO, NULL },
	{ .name = NULL },
};

static const FieldRow wakeup_fields[] = {
	TYPE_AND_LENGTH,
	{ "mailbox_version", 2, 2, FIELD_DECIMAL, NULL },
	{ "reserved", 4, 4, FIELD_ZERO, NULL },
	{ "mailbox_address", 8, 8, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const EntryRow madt_entries[] = {
	{ 0x00, "local_apic", 8, 8, local_apic_fields, NULL },
	{ 0x01, "io_apic", 12, 12, io_apic_fields, NULL },
	{ 0x02, "override", 10, 10, override_fields, NULL },
	{ 0x03, "nmi_source", 8, 8, nmi_source_fields, NULL },
	{ 0x04, "local_apic_nmi", 6, 6, local_apic_nmi_fields, NULL },
	{ 0x05, "apic_address", 12, 12, apic_address_fields, NULL },
	{ 0x09, "x2apic", 16, 16, x2apic_fields, NULL },
	{ 0x0A, "x2apic_nmi", 12, 12, x2apic_nmi_fields, NULL },
	{ 0x0B, "gicc", 76, 82, gicc_fields, NULL },
	{ 0x0C, "gicd", 24, 24, gicd_fields, NULL },
	{ 0x0D, "msi_frame", 24, 24, msi_frame_fields, NULL },
	{ 0x0E, "gicr", 16, 16, gicr_fields, NULL },
	{ 0x0F, "its", 20, 20, its_fields, NULL },
	{ 0x10, "wakeup", 16, 16, wakeup_fields, NULL },
	{ .name = NULL },
};

/*
 * [ACPI65] 5.2.16
 */

static const FieldRow srat_fields[] = {
	{ "reserved_one", 36, 4, FIELD_DECIMAL, NULL },
	{ "reserved", 40, 8, FIELD_ZERO, NULL },
	{ .name = NULL },
};

static const FieldName memory_flags[] = {
	{ 1, 1, "enabled" },
	{ 2, 2, "hot_pluggable" },
	{ 4, 4, "non_volatile" },
	{ .text = NULL },
};

static const FieldName initiator_flags[] = {
	{ 1, 1, "enabled" },
	{ 2, 2, "architectural_transactions" },
	{ .text = NULL },
};

static const FieldName handle_types[] = {
	{ 0, 0, "acpi" },
	{ 0, 1, "pci" },
	{ .text = NULL },
};

static const FieldRow srat_apic_fields[] = {
	TYPE_AND_LENGTH,
	{ "domain_low", 2, 1, FIELD_DECIMAL, NULL },
	{ "apic_id", 3, 1, FIELD_DECIMAL, NULL },
	{ "flags", 4, 4, FIELD_BITS, enabled_flags },
	{ "sapic_eid", 8, 1, FIELD_DECIMAL, NULL },
	{ "domain_high", 9, 3, FIELD_DECIMAL, NULL },
	{ "clock_domain", 12, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow srat_memory_fields[] = {
	TYPE_AND_LENGTH,
	{ "domain", 2, 4, FIELD_DECIMAL, NULL },
	{ "reserved", 6, 2, FIELD_ZERO, NULL },
	{ "base", 8, 8, FIELD_HEX, NULL },
	{ "range_length", 16, 8, FIELD_HEX, NULL },
	{ "reserved", 24, 4, FIELD_ZERO, NULL },
	{ "flags", 28, 4, FIELD_BITS, memory_flags },
	{ "reserved", 32, 8, FIELD_ZERO, NULL },
	{ .name = NULL },
};

static const FieldRow srat_x2apic_fields[] = {
	TYPE_AND_LENGTH,
	{ "reserved", 2, 2, FIELD_ZERO, NULL },
	{ "domain", 4, 4, FIELD_DECIMAL, NULL },
	{ "x2apic_id", 8, 4, FIELD_DECIMAL, NULL },
	{ "flags", 12, 4, FIELD_BITS, enabled_flags },
	{ "clock_domain", 16, 4, FIELD_DECIMAL, NULL },
	{ "reserved", 20, 4, FIELD_ZERO, NULL },
	{ .name = NULL },
};

static const FieldRow srat_gicc_fields[] = {
	TYPE_AND_LENGTH,
	{ "domain", 2, 4, FIELD_DECIMAL, NULL },
	{ "uid", 6, 4, FIELD_DECIMAL, NULL },
	{ "flags", 10, 4, FIELD_BITS, enabled_flags },
	{ "clock_domain", 14, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow srat_its_fields[] = {
	TYPE_AND_LENGTH,
	{ "domain", 2, 4, FIELD_DECIMAL, NULL },
	{ "reserved", 6, 2, FIELD_ZERO, NULL },
	{ "its_id", 8, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow srat_initiator_fields[] = {
	TYPE_AND_LENGTH,
	{ "reserved", 2, 1, FIELD_ZERO, NULL },
	{ "handle_type", 3, 1, FIELD_CHOICE, handle_types },
	{ "domain", 4, 4, FIELD_DECIMAL, NULL },
	{ "handle", 8, 16, FIELD_BYTES, NULL },
	{ "flags", 24, 4, FIELD_BITS, initiator_flags },
	{ "reserved", 28, 4, FIELD_ZERO, NULL },
	{ .name = NULL },
};

static const EntryRow srat_entries[] = {
	{ 0, "local_apic", 16, 16, srat_apic_fields, NULL },
	{ 1, "memory", 40, 40, srat_memory_fields, NULL },
	{ 2, "x2apic", 24, 24, srat_x2apic_fields, NULL },
	{ 3, "gicc", 18, 18, srat_gicc_fields, NULL },
	{ 4, "its", 12, 12, srat_its_fields, NULL },
	{ 5, "generic_initiator", 32, 32, srat_initiator_fields, NULL },
	{ 6, "generic_port", 32, 32, srat_initiator_fields, NULL },
	{ .name = NULL },
};

/*
 * [ACPI65] 5.2.30
 */

static const FieldName pptt_processor_flags[] = {
	{ 1, 1, "physical_package" },
	{ 2, 2, "uid_valid" },
	{ 4, 4, "thread" },
	{ 8, 8, "leaf" },
	{ 16, 16, "identical" },
	{ .text = NULL },
};

static const FieldName cache_flags[] = {
	{ 1, 1, "size_valid" },
	{ 2, 2, "sets_valid" },
	{ 4, 4, "associativity_valid" },
	{ 8, 8, "allocation_valid" },
	{ 16, 16, "type_valid" },
	{ 32, 32, "write_policy_valid" },
	{ 64, 64, "line_size_valid" },
	{ 128, 128, "id_valid" },
	{ .text = NULL },
};

static const FieldName cache_attributes[] = {
	{ 3, 1, "write_allocate" },
	{ 3, 2, "read_write_allocate" },
	{ 3, 3, "read_write_allocate" },
	{ 12, 0, "data" },
	{ 12, 4, "instruction" },
	{ 8, 8, "unified" },
	{ 16, 16, "write_through" },
	{ .text = NULL },
};

static const FieldRow pptt_processor_fields[] = {
	TYPE_AND_LENGTH,
	{ "reserved", 2, 2, FIELD_ZERO, NULL },
	{ "flags", 4, 4, FIELD_BITS, pptt_processor_flags },
	{ "parent", 8, 4, FIELD_REFERENCE, NULL },
	{ "uid", 12, 4, FIELD_DECIMAL, NULL },
	{ "resource_count", 16, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow pptt_cache_fields[] = {
	TYPE_AND_LENGTH,
	{ "reserved", 2, 2, FIELD_ZERO, NULL },
	{ "flags", 4, 4, FIELD_BITS, cache_flags },
	{ "next_level", 8, 4, FIELD_REFERENCE, NULL },
	{ "size", 12, 4, FIELD_HEX, NULL },
	{ "sets", 16, 4, FIELD_DECIMAL, NULL },
	{ "associativity", 20, 1, FIELD_DECIMAL, NULL },
	{ "attributes", 21, 1, FIELD_BITS, cache_attributes },
	{ "line_size", 22, 2, FIELD_DECIMAL, NULL },
	{ "id", 24, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow resource_fields[] = {
	{ "node", 0, 4, FIELD_REFERENCE, NULL },
	{ .name = NULL },
};

static void say_resources(Decoder *d, const Entry *entry, size_t at)
{
	const uint64_t count = decoder_number(d, entry->start + 16, 4);
	const size_t from = entry->start + at, end = entry->start + entry->len;

	decoder_array(d, entry->group, "resource", from, end, count, 4, resource_fields);
	if (count < (end - from) / 4)
		decoder_rest(d, entry->group, from + 4 * (size_t)count, end);
}

static const FieldRow no_fields[] = {
	{ .name = NULL },
};

static const EntryRow pptt_entries[] = {
	{ 0, "processor", 20, 20, pptt_processor_fields, say_resources },
	{ 1, "cache", 24, 28, pptt_cache_fields, NULL },
	{ .name = NULL },
};

/*
 * [ACPI65] 5.2.25
 */

static const FieldName timer_flags[] = {
	{ 1, 0, "level" },
	{ 1, 1, "edge" },
	{ 2, 0, "active_high" },
	{ 2, 2, "active_low" },
	{ 4, 4, "always_on" },
	{ .text = NULL },
};

static const FieldRow gtdt_fields[] = {
	{ "counter_control_base", 36, 8, FIELD_HEX, NULL },
	{ "reserved", 44, 4, FIELD_ZERO, NULL },
	{ "secure_el1_gsiv", 48, 4, FIELD_DECIMAL, NULL },
	{ "secure_el1_flags", 52, 4, FIELD_BITS, timer_flags },
	{ "nonsecure_el1_gsiv", 56, 4, FIELD_DECIMAL, NULL },
	{ "nonsecure_el1_flags", 60, 4, FIELD_BITS, timer_flags },
	{ "virtual_el1_gsiv", 64, 4, FIELD_DECIMAL, NULL },
	{ "virtual_el1_flags", 68, 4, FIELD_BITS, timer_flags },
	{ "el2_gsiv", 72, 4, FIELD_DECIMAL, NULL },
	{ "el2_flags", 76, 4, FIELD_BITS, timer_flags },
	{ "counter_read_base", 80, 8, FIELD_HEX, NULL },
	{ "platform_timer_count", 88, 4, FIELD_DECIMAL, NULL },
	{ "platform_timer_offset", 92, 4, FIELD_HEX, NULL },
	{ "virtual_el2_gsiv", 96, 4, FIELD_DECIMAL, NULL },
	{ "virtual_el2_flags", 100, 4, FIELD_BITS, timer_flags },
	{ .name = NULL },
};

static const FieldRow timer_block_fields[] = {
	{ "type", 0, 1, FIELD_DECIMAL, NULL },
	{ "length", 1, 2, FIELD_DECIMAL, NULL },
	{ "reserved", 3, 1, FIELD_ZERO, NULL },
	{ "base", 4, 8, FIELD_HEX, NULL },
	{ "timer_count", 12, 4, FIELD_DECIMAL, NULL },
	{ "timer_offset", 16, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow timer_fields[] = {
	{ "frame", 0, 1, FIELD_DECIMAL, NULL },
	{ "reserved", 1, 3, FIELD_ZERO, NULL },
	{ "base", 4, 8, FIELD_HEX, NULL },
	{ "el0_base", 12, 8, FIELD_HEX, NULL },
	{ "gsiv", 20, 4, FIELD_DECIMAL, NULL },
	{ "flags", 24, 4, FIELD_BITS, timer_flags },
	{ "virtual_gsiv", 28, 4, FIELD_DECIMAL, NULL },
	{ "virtual_flags", 32, 4, FIELD_BITS, timer_flags },
	{ "common_flags", 36, 4, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const FieldRow watchdog_fields[] = {
	{ "type", 0, 1, FIELD_DECIMAL, NULL },
	{ "length", 1, 2, FIELD_DECIMAL, NULL },
	{ "reserved", 3, 1, FIELD_ZERO, NULL },
	{ "refresh_base", 4, 8, FIELD_HEX, NULL },
	{ "control_base", 12, 8, FIELD_HEX, NULL },
	{ "gsiv", 20, 4, FIELD_DECIMAL, NULL },
	{ "flags", 24, 4, FIELD_BITS, timer_flags },
	{ .name = NULL },
};

static void say_timers(Decoder *d, const Entry *entry, size_t at)
{
	const uint64_t count = decoder_number(d, entry->start + 12, 4);

	decoder_array(d, entry->group, "timer", entry->start + at, entry->start + entry->len,
		count, 40, timer_fields);
}

static const EntryRow gtdt_entries[] = {
	{ 0, "timer_block", 20, 20, timer_block_fields, say_timers },
	{ 1, "watchdog", 28, 28, watchdog_fields, NULL },
	{ .name = NULL },
};

/* Platform timers stand where an offset says; without one there are none. */
static void say_platform_timers(Decoder *d, size_t at)
{
	static const EntryForm form = { 0, 1, 1, 2 };
	const uint64_t count = decoder_number(d, 88, 4);
	const uint64_t offset = decoder_number(d, 92, 4);

	(void)at;
	if (count == 0) {
		if (decoder_len(d) > 104)
			decoder_rest(d, "", 104, decoder_len(d));
		return;
	}
	if (offset < 96 || offset > decoder_len(d)) {
		decoder_find(d, PVW_TABLE_0007, 92,
			"platform_timer_offset: 0x%x, expected 0x60 to 0x%zx", (unsigned)offset,
			decoder_len(d));
		return;
	}
	decoder_entries(d, "", (size_t)offset, decoder_len(d), &form, gtdt_entries);
}

/*
 * [ACPI65] 5.2.28
 */

static const FieldRow hmat_fields[] = {
	{ "reserved", 36, 4, FIELD_ZERO, NULL },
	{ .name = NULL },
};

#define HMAT_HEAD                                                                              \
	{ "type", 0, 2, FIELD_DECIMAL, NULL }, { "reserved", 2, 2, FIELD_ZERO, NULL },         \
	{                                                                                      \
		"length", 4, 4, FIELD_DECIMAL, NULL                                            \
	}

static const FieldName proximity_flags[] = {
	{ 1, 1, "initiator_valid" },
	{ .text = NULL },
};

static const FieldRow hmat_proximity_fields[] = {
	HMAT_HEAD,
	{ "flags", 8, 2, FIELD_BITS, proximity_flags },
	{ "reserved", 10, 2, FIELD_ZERO, NULL },
	{ "initiator_domain", 12, 4, FIELD_DECIMAL, NULL },
	{ "memory_domain", 16, 4, FIELD_DECIMAL, NULL },
	{ "reserved", 20, 20, FIELD_ZERO, NULL },
	{ .name = NULL },
};

static const FieldRow hmat_latency_fields[] = {
	HMAT_HEAD,
	{ "flags", 8, 1, FIELD_HEX, NULL },
	{ "data_type", 9, 1, FIELD_DECIMAL, NULL },
	{ "min_transfer", 10, 1, FIELD_DECIMAL, NULL },
	{ "reserved", 11, 1, FIELD_ZERO, NULL },
	{ "initiator_count", 12, 4, FIELD_DECIMAL, NULL },
	{ "target_count", 16, 4, FIELD_DECIMAL, NULL },
	{ "reserved", 20, 4, FIELD_ZERO, NULL },
	{ "base_unit", 24, 8, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow hmat_cache_fields[] = {
	HMAT_HEAD,
	{ "memory_domain", 8, 4, FIELD_DECIMAL, NULL },
	{ "reserved", 12, 4, FIELD_ZERO, NULL },
	{ "size", 16, 8, FIELD_HEX, NULL },
	{ "attributes", 24, 4, FIELD_HEX, NULL },
	{ "address_mode", 28, 2, FIELD_DECIMAL, NULL },
	{ "handle_count", 30, 2, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

/* Lists and matrices, as bytes. */
static void say_lists(Decoder *d, const Entry *entry, size_t at)
{
	decoder_bytes(d, entry->group, "lists", entry->start + at, entry->len - at);
}

static const EntryForm hmat_form = { 0, 2, 4, 4 };

static const EntryRow hmat_entries[] = {
	{ 0, "proximity", 40, 40, hmat_proximity_fields, NULL },
	{ 1, "latency", 32, 32, hmat_latency_fields, say_lists },
	{ 2, "cache", 32, 32, hmat_cache_fields, say_lists },
	{ .name = NULL },
};

const TableRow acpi_processor_tables[] = {
	{ "APIC", "Multiple APIC Description Table", 44, madt_fields, &short_form, madt_entries,
		NULL, { NULL } },
	{ "SRAT", "System Resource Affinity Table", 48, srat_fields, &short_form, srat_entries,
		NULL, { NULL } },
	{ "PPTT", "Processor Properties Topology Table", 36, no_fields, &short_form,
		pptt_entries, NULL, { NULL } },
	{ "GTDT", "Generic Timer Description Table", 96, gtdt_fields, NULL, NULL,
		say_platform_timers, { "virtual_el1_gsiv", NULL } },
	{ "HMAT", "Heterogeneous Memory Attribute Table", 40, hmat_fields, &hmat_form,
		hmat_entries, NULL, { NULL } },
	{ .title = NULL },
};
