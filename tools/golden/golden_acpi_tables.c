/*
 * Area acpi_tables: single tables of a machine, and all of them in one block.
 */
#include <string.h>

#include "acpi/acpi_build.h"
#include "golden_acpi.h"
#include "golden_topology.h"

#define TABLES_OFFSET 0x1000 /* from the nominal page of the RSDP to the block */

static size_t list_size(const json_t *input, const char *name)
{
	return json_array_size(golden_member(input, name));
}

static const AcpiCxl *read_cxl(const json_t *bridge, Arena *arena)
{
	const json_t *json = golden_member(bridge, "cxl");
	AcpiCxl *cxl;

	if (json_is_null(json))
		return NULL;
	cxl = golden_array(arena, 1, sizeof(*cxl));
	cxl->registers = golden_range(golden_member(json, "chbcr"));
	cxl->hdm = golden_range(golden_member(json, "hdm"));
	cxl->restrictions = (uint16_t)golden_u64(json, "window_restrictions");
	return cxl;
}

static AcpiBridge read_bridge(const json_t *json, Arena *arena)
{
	AcpiBridge bridge = { .index = (uint32_t)golden_u64(json, "index"),
		.segment = (uint16_t)golden_u64(json, "segment"),
		.start_bus = (uint8_t)golden_u64(json, "start_bus"),
		.end_bus = (uint8_t)golden_u64(json, "end_bus"),
		.ecam = golden_range(golden_member(json, "ecam")),
		.low = golden_range(golden_member(json, "low_mmio")),
		.high = golden_range(golden_member(json, "high_mmio")),
		.cxl = read_cxl(json, arena),
		.has_vnode = !golden_is_null(json, "vnode"),
		.preserve_boot_config = golden_bool(json, "preserve_boot_config") };

	if (bridge.has_vnode)
		bridge.vnode = (uint32_t)golden_u64(json, "vnode");
	return bridge;
}

static void read_bridges(const json_t *list, Arena *arena, AcpiInputs *in)
{
	AcpiBridge *bridges;

	in->bridge_count = json_array_size(list);
	bridges = golden_array(arena, in->bridge_count, sizeof(*bridges));
	for (size_t i = 0; i < in->bridge_count; i++)
		bridges[i] = read_bridge(json_array_get(list, i), arena);
	in->bridges = bridges;
}

static void read_distances(const json_t *input, Arena *arena, AcpiInputs *in)
{
	const json_t *json = golden_member(input, "slit");
	AcpiDistances *distances;
	AcpiDistance *items;

	if (json_is_null(json))
		return;
	distances = golden_array(arena, 1, sizeof(*distances));
	distances->node_count = (uint32_t)golden_u64(json, "num_nodes");
	distances->count = list_size(json, "distances");
	items = golden_array(arena, distances->count, sizeof(*items));
	for (size_t i = 0; i < distances->count; i++) {
		const json_t *item = json_array_get(golden_member(json, "distances"), i);

		items[i].from = (uint32_t)golden_as_u64(json_array_get(item, 0));
		items[i].to = (uint32_t)golden_as_u64(json_array_get(item, 1));
		items[i].distance = (uint8_t)golden_as_u64(json_array_get(item, 2));
	}
	distances->items = items;
	in->distances = distances;
}

static void read_initiators(const json_t *input, Arena *arena, AcpiInputs *in)
{
	const json_t *list = golden_member(input, "generic_initiators");
	AcpiGenericInitiator *items;

	in->initiator_count = json_array_size(list);
	items = golden_array(arena, in->initiator_count, sizeof(*items));
	for (size_t i = 0; i < in->initiator_count; i++) {
		const json_t *item = json_array_get(list, i);

		items[i].segment = (uint16_t)golden_u64(item, "segment");
		items[i].bus = (uint8_t)golden_u64(item, "bus");
		items[i].device = (uint8_t)golden_u64(item, "device");
		items[i].function = (uint8_t)golden_u64(item, "function");
		items[i].vnode = (uint32_t)golden_u64(item, "vnode");
	}
	in->initiators = items;
}

static AcpiCacheType read_cache_type(const char *text)
{
	if (strcmp(text, "data") == 0)
		return ACPI_CACHE_DATA;
	if (strcmp(text, "instruction") == 0)
		return ACPI_CACHE_INSTRUCTION;
	if (strcmp(text, "unified") == 0)
		return ACPI_CACHE_UNIFIED;
	golden_malformed("cache type \"%s\"", text);
}

static void read_caches(const json_t *input, Arena *arena, AcpiInputs *in)
{
	const json_t *list = golden_member(input, "caches");
	AcpiCache *items;

	in->with_caches = !json_is_null(list);
	in->cache_count = json_array_size(list);
	items = golden_array(arena, in->cache_count, sizeof(*items));
	for (size_t i = 0; i < in->cache_count; i++) {
		const json_t *item = json_array_get(list, i);

		items[i].level = (uint8_t)golden_u64(item, "level");
		items[i].type = read_cache_type(golden_string(item, "type"));
		items[i].size = (uint32_t)golden_u64(item, "size");
		if (!golden_is_null(item, "associativity"))
			items[i].associativity = (uint32_t)golden_u64(item, "associativity");
		items[i].line_size = (uint32_t)golden_u64(item, "line_size");
	}
	in->caches = items;
}

static void read_amdvi(const json_t *json, Arena *arena, AcpiIommu *iommu)
{
	const json_t *list = golden_member(json, "iommus");
	AcpiAmdViUnit *units;

	iommu->kind = ACPI_IOMMU_AMDVI;
	iommu->pa_bits = (uint8_t)golden_u64(json, "pa_size");
	iommu->va_bits = (uint8_t)golden_u64(json, "va_size");
	iommu->unit_count = json_array_size(list);
	units = golden_array(arena, iommu->unit_count, sizeof(*units));
	for (size_t i = 0; i < iommu->unit_count; i++) {
		const json_t *item = json_array_get(list, i);

		units[i].device_id = (uint16_t)golden_u64(item, "device_id");
		units[i].capability_offset = (uint16_t)golden_u64(item, "capability_offset");
		units[i].base = golden_u64(item, "mmio_base");
		units[i].segment = (uint16_t)golden_u64(item, "pci_segment");
		units[i].start_bus = (uint8_t)golden_u64(item, "start_bus");
		units[i].end_bus = (uint8_t)golden_u64(item, "end_bus");
		units[i].features = golden_u64(item, "ivhd_features");
	}
	iommu->amdvi = units;
}

static AcpiVtdUnit read_vtd_unit(const json_t *json, Arena *arena)
{
	const json_t *list = golden_member(json, "device_scopes");
	AcpiVtdScope *scopes = golden_array(arena, json_array_size(list), sizeof(*scopes));

	for (size_t i = 0; i < json_array_size(list); i++) {
		scopes[i].devfn = (uint8_t)golden_u64(json_array_get(list, i), "devfn");
		scopes[i].is_bridge = golden_bool(json_array_get(list, i), "is_bridge");
	}
	return (AcpiVtdUnit){ .base = golden_u64(json, "mmio_base"),
		.segment = (uint16_t)golden_u64(json, "pci_segment"),
		.start_bus = (uint8_t)golden_u64(json, "start_bus"),
		.scopes = scopes,
		.scope_count = json_array_size(list) };
}

static void read_vtd(const json_t *json, Arena *arena, AcpiIommu *iommu)
{
	const json_t *list = golden_member(json, "units");
	AcpiVtdUnit *units;

	iommu->kind = ACPI_IOMMU_VTD;
	iommu->host_address_width = (uint8_t)golden_u64(json, "host_address_width");
	iommu->unit_count = json_array_size(list);
	units = golden_array(arena, iommu->unit_count, sizeof(*units));
	for (size_t i = 0; i < iommu->unit_count; i++)
		units[i] = read_vtd_unit(json_array_get(list, i), arena);
	iommu->vtd = units;
}

static void read_iommu(const json_t *json, Arena *arena, AcpiIommu *iommu)
{
	if (json_is_null(json))
		return;
	iommu->has_ioapic_rid = !golden_is_null(json, "ioapic_rid");
	if (iommu->has_ioapic_rid)
		iommu->ioapic_rid = (uint16_t)golden_u64(json, "ioapic_rid");
	if (strcmp(golden_string(json, "kind"), "amdvi") == 0)
		read_amdvi(json, arena, iommu);
	else
		read_vtd(json, arena, iommu);
}

static void read_config_x86(const json_t *config, Arena *arena, AcpiInputs *in)
{
	in->with_ioapic = golden_bool(config, "with_ioapic");
	in->with_pic = golden_bool(config, "with_pic");
	in->with_pit = golden_bool(config, "with_pit");
	in->with_psp = golden_bool(config, "with_psp");
	in->pm_base = (uint32_t)golden_u64(config, "pm_base");
	in->acpi_irq = (uint32_t)golden_u64(config, "acpi_irq");
	read_iommu(golden_member(config, "iommu"), arena, &in->iommu);
}

static AcpiSmmu read_smmu(const json_t *json, Arena *arena)
{
	const json_t *list = golden_member(json, "reserved_iova_ranges");
	MemoryRange *ranges = golden_array(arena, json_array_size(list), sizeof(*ranges));

	for (size_t i = 0; i < json_array_size(list); i++)
		ranges[i] = golden_range(json_array_get(list, i));
	return (AcpiSmmu){ .bridge_index = (uint32_t)golden_u64(json, "rc_index"),
		.segment = (uint16_t)golden_u64(json, "segment"),
		.base = golden_u64(json, "base"),
		.event_gsiv = (uint32_t)golden_u64(json, "event_gsiv"),
		.error_gsiv = (uint32_t)golden_u64(json, "gerr_gsiv"),
		.reserved = { ranges, json_array_size(list) } };
}

static void read_config_arm64(
	const json_t *config, Arena *arena, ProcessorTopology *topology, AcpiInputs *in)
{
	const json_t *list = golden_member(config, "smmu");
	AcpiSmmu *units = golden_array(arena, json_array_size(list), sizeof(*units));

	in->hypervisor_identity = golden_u64(config, "hypervisor_vendor_identity");
	topology->arm.virt_timer_ppi = (uint32_t)golden_u64(config, "virt_timer_ppi");
	for (size_t i = 0; i < json_array_size(list); i++)
		units[i] = read_smmu(json_array_get(list, i), arena);
	in->iommu.kind = json_array_size(list) ? ACPI_IOMMU_SMMU : ACPI_IOMMU_NONE;
	in->iommu.smmu = units;
	in->iommu.unit_count = json_array_size(list);
}

static const DsdtDeviceList *read_devices(const json_t *input, Arena *arena)
{
	DsdtDeviceList *devices = golden_array(arena, 1, sizeof(*devices));

	*devices = golden_dsdt_devices(golden_member(input, "dsdt_ops"), arena);
	return devices;
}

bool golden_read_machine(const json_t *input, Arena *arena, ProcessorTopology *topology,
	AcpiInputs *in, Error *err)
{
	const json_t *config = golden_member(input, "arch_config");

	if (!golden_read_topology(golden_member(input, "topology"), arena, topology, err))
		return false;
	in->profile = ACPI_PROFILE_REFERENCE;
	in->topology = topology;
	in->ram = golden_node_ranges(golden_member(input, "ram"), arena);
	in->devices = read_devices(input, arena);
	in->with_processors = true;
	read_bridges(golden_member(input, "host_bridges"), arena, in);
	read_distances(input, arena, in);
	read_initiators(input, arena, in);
	read_caches(input, arena, in);
	if (topology->arch == GUEST_ARCH_X86_64)
		read_config_x86(config, arena, in);
	else
		read_config_arm64(config, arena, topology, in);
	return true;
}

/* A table, null if the machine has none, {"error": …} if it is refused. */
static json_t *run_table(AcpiTableId id, const AcpiInputs *in, Arena *arena)
{
	Error err;
	Bytes table;

	if (!acpi_table_wanted(id, in))
		return json_null();
	if (!acpi_build_table(id, in, arena, &table, &err))
		return json_pack("{s: s}", "error", err.text);
	return golden_json_hex(table);
}

bool golden_run_acpi_tables(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	static const struct {
		const char *name;
		AcpiTableId id;
	} tables[] = {
		{ "madt", ACPI_MADT },
		{ "srat", ACPI_SRAT },
		{ "slit", ACPI_SLIT },
		{ "mcfg", ACPI_MCFG },
		{ "iort", ACPI_IORT },
		{ "ivrs", ACPI_IVRS },
		{ "dmar", ACPI_DMAR },
		{ "pptt", ACPI_PPTT },
		{ "gtdt", ACPI_GTDT },
	};
	ProcessorTopology topology;
	AcpiInputs in = { 0 };
	AcpiSet set;

	if (!golden_read_machine(input, arena, &topology, &in, err))
		return false;
	*output = json_object();
	for (size_t i = 0; i < ARRAY_COUNT(tables); i++)
		json_object_set_new(
			*output, tables[i].name, run_table(tables[i].id, &in, arena));
	if (!acpi_build_set(
		    &in, golden_u64(input, "gpa") + TABLES_OFFSET, arena, &set, &(Error){ 0 }))
		return true;
	json_object_set_new(*output, "rsdp", golden_json_hex(set.rsdp));
	json_object_set_new(*output, "tables", golden_json_hex(set.tables));
	return true;
}

/* Area pcie_ssdt_cedt: the two tables that host bridges need, without the rest of a machine. */
bool golden_run_pcie_ssdt_cedt(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const VirtualProcessor vp = { 0 };
	const ProcessorTopology topology = { .vps = &vp, .count = 1 };
	AcpiInputs in = { .profile = ACPI_PROFILE_REFERENCE, .topology = &topology };
	Bytes ssdt, cedt;

	read_bridges(golden_member(input, "host_bridges"), arena, &in);
	if (!acpi_build_table(ACPI_SSDT, &in, arena, &ssdt, err))
		return false;
	if (!acpi_table_wanted(ACPI_CEDT, &in)) {
		*output = json_pack("{s: o, s: n}", "ssdt", golden_json_hex(ssdt), "cedt");
		return true;
	}
	if (!acpi_build_table(ACPI_CEDT, &in, arena, &cedt, err))
		return false;
	*output = json_pack(
		"{s: o, s: o}", "ssdt", golden_json_hex(ssdt), "cedt", golden_json_hex(cedt));
	return true;
}
