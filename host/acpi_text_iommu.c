/*
 * Rows of the tables about I/O memory management: IORT, IVRS, DMAR.
 */
#include <inttypes.h>
#include <string.h>

#include "host/acpi_text_internal.h"

/*
 * [IORT]
 */

static const FieldRow iort_fields[] = {
	{ "node_count", 36, 4, FIELD_DECIMAL, NULL },
	{ "node_offset", 40, 4, FIELD_HEX, NULL },
	{ "reserved", 44, 4, FIELD_ZERO, NULL },
	{ .name = NULL },
};

#define IORT_HEAD                                                                              \
	{ "type", 0, 1, FIELD_DECIMAL, NULL }, { "length", 1, 2, FIELD_DECIMAL, NULL },        \
		{ "revision", 3, 1, FIELD_DECIMAL, NULL },                                     \
		{ "identifier", 4, 4, FIELD_HEX, NULL },                                       \
		{ "mapping_count", 8, 4, FIELD_DECIMAL, NULL },                                \
	{                                                                                      \
		"mapping_offset", 12, 4, FIELD_DECIMAL, NULL                                   \
	}

static const FieldName mapping_flags[] = {
	{ 1, 1, "single" },
	{ .text = NULL },
};

static const FieldRow mapping_fields[] = {
	{ "input_base", 0, 4, FIELD_HEX, NULL },
	{ "id_count", 4, 4, FIELD_HEX, NULL },
	{ "output_base", 8, 4, FIELD_HEX, NULL },
	{ "output_reference", 12, 4, FIELD_REFERENCE, NULL },
	{ "flags", 16, 4, FIELD_BITS, mapping_flags },
	{ .name = NULL },
};

static const FieldRow its_group_fields[] = {
	IORT_HEAD,
	{ "its_count", 16, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow its_id_fields[] = {
	{ "id", 0, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow component_fields[] = {
	IORT_HEAD,
	{ "flags", 16, 4, FIELD_HEX, NULL },
	{ "memory_properties", 20, 8, FIELD_HEX, NULL },
	{ "address_limit", 28, 1, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldName memory_access_flags[] = {
	{ 1, 1, "coherent_path" },
	{ 2, 2, "device_attributes_inner_outer" },
	{ .text = NULL },
};

static const FieldRow root_complex_fields[] = {
	IORT_HEAD,
	{ "cache_coherent", 16, 4, FIELD_DECIMAL, NULL },
	{ "allocation_hints", 20, 1, FIELD_HEX, NULL },
	{ "reserved", 21, 2, FIELD_ZERO, NULL },
	{ "memory_flags", 23, 1, FIELD_BITS, memory_access_flags },
	{ "ats", 24, 4, FIELD_HEX, NULL },
	{ "segment", 28, 4, FIELD_DECIMAL, NULL },
	{ "address_limit", 32, 1, FIELD_DECIMAL, NULL },
	{ "pasid", 33, 2, FIELD_HEX, NULL },
	{ "reserved", 35, 1, FIELD_ZERO, NULL },
	{ .name = NULL },
};

static const FieldRow smmu_fields[] = {
	IORT_HEAD,
	{ "base", 16, 8, FIELD_HEX, NULL },
	{ "span", 24, 8, FIELD_HEX, NULL },
	{ "model", 32, 4, FIELD_DECIMAL, NULL },
	{ "flags", 36, 4, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const FieldName smmuv3_flags[] = {
	{ 1, 1, "cohacc" },
	{ 6, 2, "httu_1" },
	{ 6, 4, "httu_2" },
	{ 6, 6, "httu_3" },
	{ 8, 8, "proximity_valid" },
	{ 16, 16, "device_id_mapping_valid" },
	{ .text = NULL },
};

static const FieldRow smmuv3_fields[] = {
	IORT_HEAD,
	{ "base", 16, 8, FIELD_HEX, NULL },
	{ "flags", 24, 4, FIELD_BITS, smmuv3_flags },
	{ "reserved", 28, 4, FIELD_ZERO, NULL },
	{ "vatos", 32, 8, FIELD_HEX, NULL },
	{ "model", 40, 4, FIELD_DECIMAL, NULL },
	{ "event_gsiv", 44, 4, FIELD_DECIMAL, NULL },
	{ "pri_gsiv", 48, 4, FIELD_DECIMAL, NULL },
	{ "error_gsiv", 52, 4, FIELD_DECIMAL, NULL },
	{ "sync_gsiv", 56, 4, FIELD_DECIMAL, NULL },
	{ "proximity", 60, 4, FIELD_DECIMAL, NULL },
	{ "device_id_mapping", 64, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow pmcg_fields[] = {
	IORT_HEAD,
	{ "page_0", 16, 8, FIELD_HEX, NULL },
	{ "overflow_gsiv", 24, 4, FIELD_DECIMAL, NULL },
	{ "node", 28, 4, FIELD_REFERENCE, NULL },
	{ "page_1", 32, 8, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const FieldRow rmr_fields[] = {
	IORT_HEAD,
	{ "flags", 16, 4, FIELD_HEX, NULL },
	{ "range_count", 20, 4, FIELD_DECIMAL, NULL },
	{ "range_offset", 24, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow rmr_range_fields[] = {
	{ "base", 0, 8, FIELD_HEX, NULL },
	{ "range_length", 8, 8, FIELD_HEX, NULL },
	{ "reserved", 16, 4, FIELD_ZERO, NULL },
	{ .name = NULL },
};

/* A list within a node: its count and offset stand at two places of the node. */
static void say_list(Decoder *d, const Entry *node, const char *name, size_t count_at,
	size_t offset_at, size_t size, const FieldRow *fields)
{
	const uint64_t count = decoder_number(d, node->start + count_at, 4);
	const uint64_t offset = decoder_number(d, node->start + offset_at, 4);

	if (count == 0)
		return;
	if (offset < 16 || offset > node->len) {
		decoder_find(d, PVW_TABLE_0007, node->start + offset_at,
			"%s: %s at 0x%" PRIx64 ", expected 0x10 to 0x%zx", node->group, name,
			offset, node->len);
		return;
	}
	decoder_array(d, node->group, name, node->start + (size_t)offset,
		node->start + node->len, count, size, fields);
}

static void say_mappings(Decoder *d, const Entry *node, size_t at)
{
	(void)at;
	say_list(d, node, "mapping", 8, 12, 20, mapping_fields);
}

static void say_its_ids(Decoder *d, const Entry *node, size_t at)
{
	decoder_array(d, node->group, "its", node->start + at, node->start + node->len,
		decoder_number(d, node->start + 16, 4), 4, its_id_fields);
}

static void say_reserved_ranges(Decoder *d, const Entry *node, size_t at)
{
	say_mappings(d, node, at);
	say_list(d, node, "range", 20, 24, 20, rmr_range_fields);
}

static const EntryRow iort_nodes[] = {
	{ 0, "its_group", 20, 20, its_group_fields, say_its_ids },
	{ 1, "named_component", 29, 29, component_fields, say_mappings },
	{ 2, "root_complex", 32, 36, root_complex_fields, say_mappings },
	{ 3, "smmu", 60, 60, smmu_fields, say_mappings },
	{ 4, "smmuv3", 60, 68, smmuv3_fields, say_mappings },
	{ 5, "pmcg", 40, 40, pmcg_fields, say_mappings },
	{ 6, "reserved_memory", 28, 28, rmr_fields, say_reserved_ranges },
	{ .name = NULL },
};

static void say_nodes(Decoder *d, size_t at)
{
	static const EntryForm form = { 0, 1, 1, 2 };
	const uint64_t offset = decoder_number(d, 40, 4);

	if (offset < at || offset > decoder_len(d)) {
		decoder_find(d, PVW_TABLE_0007, 40,
			"node_offset: 0x%" PRIx64 ", expected 0x%zx to 0x%zx", offset, at,
			decoder_len(d));
		return;
	}
	decoder_entries(d, "", (size_t)offset, decoder_len(d), &form, iort_nodes);
}

/*
 * [AMDVI] 5.2
 */

static const FieldRow ivrs_fields[] = {
	{ "ivinfo", 36, 4, FIELD_HEX, NULL },
	{ "reserved", 40, 8, FIELD_ZERO, NULL },
	{ .name = NULL },
};

#define IVRS_HEAD                                                                              \
	{ "type", 0, 1, FIELD_HEX, NULL }, { "flags", 1, 1, FIELD_HEX, NULL },                 \
	{                                                                                      \
		"length", 2, 2, FIELD_DECIMAL, NULL                                            \
	}

static const FieldRow ivhd_fields[] = {
	IVRS_HEAD,
	{ "device_id", 4, 2, FIELD_HEX, NULL },
	{ "capability_offset", 6, 2, FIELD_HEX, NULL },
	{ "base", 8, 8, FIELD_HEX, NULL },
	{ "segment", 16, 2, FIELD_DECIMAL, NULL },
	{ "info", 18, 2, FIELD_HEX, NULL },
	{ "features", 20, 4, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const FieldRow long_ivhd_fields[] = {
	IVRS_HEAD,
	{ "device_id", 4, 2, FIELD_HEX, NULL },
	{ "capability_offset", 6, 2, FIELD_HEX, NULL },
	{ "base", 8, 8, FIELD_HEX, NULL },
	{ "segment", 16, 2, FIELD_DECIMAL, NULL },
	{ "info", 18, 2, FIELD_HEX, NULL },
	{ "attributes", 20, 4, FIELD_HEX, NULL },
	{ "features", 24, 8, FIELD_HEX, NULL },
	{ "features_2", 32, 8, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const FieldRow ivmd_fields[] = {
	IVRS_HEAD,
	{ "device_id", 4, 2, FIELD_HEX, NULL },
	{ "auxiliary", 6, 2, FIELD_HEX, NULL },
	{ "reserved", 8, 8, FIELD_ZERO, NULL },
	{ "start", 16, 8, FIELD_HEX, NULL },
	{ "range_length", 24, 8, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const FieldRow ivhd_device_fields[] = {
	{ "type", 0, 1, FIELD_HEX, NULL },
	{ "device_id", 1, 2, FIELD_HEX, NULL },
	{ "data", 3, 1, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const FieldRow ivhd_alias_fields[] = {
	{ "type", 0, 1, FIELD_HEX, NULL },
	{ "device_id", 1, 2, FIELD_HEX, NULL },
	{ "data", 3, 1, FIELD_HEX, NULL },
	{ "reserved", 4, 1, FIELD_ZERO, NULL },
	{ "source_id", 5, 2, FIELD_HEX, NULL },
	{ "reserved", 7, 1, FIELD_ZERO, NULL },
	{ .name = NULL },
};

static const FieldName special_kinds[] = {
	{ 0, 1, "io_apic" },
	{ 0, 2, "hpet" },
	{ .text = NULL },
};

static const FieldRow ivhd_special_fields[] = {
	{ "type", 0, 1, FIELD_HEX, NULL },
	{ "reserved", 1, 2, FIELD_ZERO, NULL },
	{ "data", 3, 1, FIELD_HEX, NULL },
	{ "handle", 4, 1, FIELD_DECIMAL, NULL },
	{ "source_id", 5, 2, FIELD_HEX, NULL },
	{ "kind", 7, 1, FIELD_CHOICE, special_kinds },
	{ .name = NULL },
};

/* The two high bits of a type give its length, 4, 8, 16 or 32; 0xF0 says its own. */
typedef struct IvhdDevice {
	uint8_t type;
	const char *name;
	const FieldRow *fields;
} IvhdDevice;

static const IvhdDevice ivhd_devices[] = {
	{ 0x01, "all", ivhd_device_fields },
	{ 0x02, "select", ivhd_device_fields },
	{ 0x03, "range_start", ivhd_device_fields },
	{ 0x04, "range_end", ivhd_device_fields },
	{ 0x42, "alias_select", ivhd_alias_fields },
	{ 0x43, "alias_range", ivhd_alias_fields },
	{ 0x48, "special", ivhd_special_fields },
};

static size_t ivhd_device_len(const Decoder *d, size_t at, size_t end)
{
	const uint64_t type = decoder_number(d, at, 1);

	if (type == 0xF0)
		return end - at < 22 ? SIZE_MAX : 22 + (size_t)decoder_number(d, at + 21, 1);
	return (size_t)4 << (type >> 6);
}

static void say_ivhd_device(Decoder *d, const Entry *unit, size_t index, size_t at, size_t len)
{
	const uint64_t type = decoder_number(d, at, 1);
	const char *group;

	for (size_t i = 0; i < ARRAY_COUNT(ivhd_devices); i++) {
		if (ivhd_devices[i].type != type)
			continue;
		group = decoder_group(d, unit->group, ivhd_devices[i].name, index);
		decoder_fields(d, group, at, len, ivhd_devices[i].fields);
		return;
	}
	decoder_bytes(d, decoder_group(d, unit->group, "device", index), "bytes", at, len);
}

static void say_ivhd_devices(Decoder *d, const Entry *unit, size_t at)
{
	const size_t end = unit->start + unit->len;
	size_t index = 0;

	for (at += unit->start; at < end; index++) {
		const size_t len = ivhd_device_len(d, at, end);

		if (len > end - at) {
			decoder_find(d, PVW_TABLE_0003, at,
				"%s: device of type 0x%02x in %zu bytes, expected more",
				unit->group, (unsigned)decoder_number(d, at, 1), end - at);
			decoder_bytes(d, unit->group, "rest", at, end - at);
			return;
		}
		say_ivhd_device(d, unit, index, at, len);
		at += len;
	}
}

static const EntryForm ivrs_form = { 0, 1, 2, 2 };

static const EntryRow ivrs_blocks[] = {
	{ 0x10, "unit", 24, 24, ivhd_fields, say_ivhd_devices },
	{ 0x11, "unit", 40, 40, long_ivhd_fields, say_ivhd_devices },
	{ 0x40, "unit", 40, 40, long_ivhd_fields, say_ivhd_devices },
	{ 0x20, "memory", 32, 32, ivmd_fields, NULL },
	{ 0x21, "memory", 32, 32, ivmd_fields, NULL },
	{ 0x22, "memory", 32, 32, ivmd_fields, NULL },
	{ .name = NULL },
};

/*
 * [VTD] 8
 */

static const FieldName dmar_flags[] = {
	{ 1, 1, "intr_remap" },
	{ 2, 2, "x2apic_opt_out" },
	{ 4, 4, "dma_ctrl_platform_opt_in" },
	{ .text = NULL },
};

static const FieldRow dmar_fields[] = {
	{ "host_address_width", 36, 1, FIELD_DECIMAL, NULL },
	{ "flags", 37, 1, FIELD_BITS, dmar_flags },
	{ "reserved", 38, 10, FIELD_ZERO, NULL },
	{ .name = NULL },
};

#define DMAR_HEAD                                                                              \
	{ "type", 0, 2, FIELD_DECIMAL, NULL },                                                 \
	{                                                                                      \
		"length", 2, 2, FIELD_DECIMAL, NULL                                            \
	}

static const FieldName drhd_flags[] = {
	{ 1, 1, "include_pci_all" },
	{ .text = NULL },
};

static const FieldName atsr_flags[] = {
	{ 1, 1, "all_ports" },
	{ .text = NULL },
};

static const FieldRow drhd_fields[] = {
	DMAR_HEAD,
	{ "flags", 4, 1, FIELD_BITS, drhd_flags },
	{ "size", 5, 1, FIELD_DECIMAL, NULL },
	{ "segment", 6, 2, FIELD_DECIMAL, NULL },
	{ "base", 8, 8, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const FieldRow rmrr_fields[] = {
	DMAR_HEAD,
	{ "reserved", 4, 2, FIELD_ZERO, NULL },
	{ "segment", 6, 2, FIELD_DECIMAL, NULL },
	{ "base", 8, 8, FIELD_HEX, NULL },
	{ "limit", 16, 8, FIELD_HEX, NULL },
	{ .name = NULL },
};

static const FieldRow atsr_fields[] = {
	DMAR_HEAD,
	{ "flags", 4, 1, FIELD_BITS, atsr_flags },
	{ "reserved", 5, 1, FIELD_ZERO, NULL },
	{ "segment", 6, 2, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow rhsa_fields[] = {
	DMAR_HEAD,
	{ "reserved", 4, 4, FIELD_ZERO, NULL },
	{ "base", 8, 8, FIELD_HEX, NULL },
	{ "domain", 16, 4, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldName scope_types[] = {
	{ 0, 1, "endpoint" },
	{ 0, 2, "bridge" },
	{ 0, 3, "io_apic" },
	{ 0, 4, "hpet" },
	{ 0, 5, "acpi_device" },
	{ .text = NULL },
};

static const FieldRow scope_fields[] = {
	{ "type", 0, 1, FIELD_CHOICE, scope_types },
	{ "length", 1, 1, FIELD_DECIMAL, NULL },
	{ "flags", 2, 1, FIELD_HEX, NULL },
	{ "reserved", 3, 1, FIELD_ZERO, NULL },
	{ "enumeration_id", 4, 1, FIELD_DECIMAL, NULL },
	{ "start_bus", 5, 1, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static const FieldRow path_fields[] = {
	{ "device", 0, 1, FIELD_DECIMAL, NULL },
	{ "function", 1, 1, FIELD_DECIMAL, NULL },
	{ .name = NULL },
};

static void say_path(Decoder *d, const Entry *scope, size_t at)
{
	const size_t count = (scope->len - at) / 2;

	decoder_array(d, scope->group, "path", scope->start + at, scope->start + scope->len,
		count, 2, path_fields);
	decoder_rest(d, scope->group, scope->start + at + 2 * count, scope->start + scope->len);
}

static void say_scopes(Decoder *d, const Entry *unit, size_t at)
{
	static const EntryForm form = { 0, 1, 1, 1 };
	static const EntryRow rows[] = {
		{ 1, "scope", 6, 6, scope_fields, say_path },
		{ 2, "scope", 6, 6, scope_fields, say_path },
		{ 3, "scope", 6, 6, scope_fields, say_path },
		{ 4, "scope", 6, 6, scope_fields, say_path },
		{ 5, "scope", 6, 6, scope_fields, say_path },
		{ .name = NULL },
	};

	decoder_entries(d, unit->group, unit->start + at, unit->start + unit->len, &form, rows);
}

static const EntryForm dmar_form = { 0, 2, 2, 2 };

static const EntryRow dmar_structures[] = {
	{ 0, "unit", 16, 16, drhd_fields, say_scopes },
	{ 1, "reserved_memory", 24, 24, rmrr_fields, say_scopes },
	{ 2, "root_port", 8, 8, atsr_fields, say_scopes },
	{ 3, "affinity", 20, 20, rhsa_fields, NULL },
	{ 5, "soc_device", 8, 8, atsr_fields, say_scopes },
	{ .name = NULL },
};

const TableRow acpi_iommu_tables[] = {
	{ "IORT", "I/O Remapping Table", 48, iort_fields, NULL, NULL, say_nodes, { NULL } },
	{ "IVRS", "I/O Virtualization Reporting Structure", 48, ivrs_fields, &ivrs_form,
		ivrs_blocks, NULL, { NULL } },
	{ "DMAR", "DMA Remapping", 48, dmar_fields, &dmar_form, dmar_structures, NULL,
		{ NULL } },
	{ .title = NULL },
};

const TableRow *acpi_table_row(const char *signature)
{
	static const TableRow *const all[] = { acpi_system_tables, acpi_processor_tables,
		acpi_platform_tables, acpi_iommu_tables };

	for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
		for (const TableRow *row = all[i]; row->title; row++) {
			if (strcmp(row->signature, signature) == 0)
				return row;
		}
	}
	return NULL;
}
