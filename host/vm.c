/*
 * VM descriptions: rows of the document, then what follows from what was said.
 */
#include "host/vm.h"

#include <string.h>

#include "host/json_rows.h"
#include "host/vm_internal.h"
#include "layout/fixed_map.h"
#include "support/diagnostics.h"

#define GIB UINT64_C(0x40000000)
#define MIB UINT64_C(0x100000)

/* Sizes that mean "not said": no document can say them. */
#define UNSAID UINT64_MAX
#define UNSAID_NODE UINT32_MAX

#define DEFAULT_X86_ADDRESS_BITS 46
#define DEFAULT_ARM64_ADDRESS_BITS 48

static const char *const arch_names[] = { "x86_64", "aarch64", NULL };
static_assert(ARRAY_COUNT(arch_names) == GUEST_ARCH_COUNT + 1, "a name for each");
static const char *const boot_names[] = { "uefi", "pcat", "linux", "none", "igvm", NULL };
static_assert(ARRAY_COUNT(boot_names) == BOOT_KIND_COUNT + 1, "a name for each");
static const char *const isolation_names[] = { "none", "vbs", "snp", "tdx", NULL };
static_assert(ARRAY_COUNT(isolation_names) == ISOLATION_COUNT + 1, "a name for each");
static const char *const x2apic_names[] = { "supported", "enabled", "unsupported", NULL };
static_assert(ARRAY_COUNT(x2apic_names) == X2APIC_SETTING_COUNT + 1, "a name for each");
static const char *const iommu_names[] = { "none", "smmu", "amd-vi", "intel-vtd", NULL };
static_assert(ARRAY_COUNT(iommu_names) == IOMMU_KIND_COUNT + 1, "a name for each");
static const char *const cache_type_names[] = { "data", "instruction", "unified", NULL };
static const char *const gic_names[] = { "v3", "v2", NULL };
static const char *const msi_names[] = { "none", "v2m", "its", NULL };
static_assert(ARRAY_COUNT(msi_names) == GIC_MSI_COUNT + 1, "a name for each");

/*
 * Members of a kind of their own.
 */

/* { "start": …, "end": … } */
typedef struct Bounds {
	uint64_t start, end;
	const char *reason;
} Bounds;

static const JsonRow bounds_rows[] = {
	{ "start", JSON_ROW_SIZE, true, .at = offsetof(Bounds, start) },
	{ "end", JSON_ROW_SIZE, true, .at = offsetof(Bounds, end) },
	{ .name = NULL },
};

static const JsonRow reserved_rows[] = {
	{ "start", JSON_ROW_SIZE, true, .at = offsetof(Bounds, start) },
	{ "end", JSON_ROW_SIZE, true, .at = offsetof(Bounds, end) },
	{ "reason", JSON_ROW_TEXT, true, .at = offsetof(Bounds, reason) },
	{ .name = NULL },
};

static bool read_bounds(JsonReader *reader, const JsonRow *rows, const json_t *json,
	Bounds *bounds, MemoryRange *out)
{
	if (!json_rows_read(reader, rows, json, bounds))
		return false;
	if (bounds->start >= bounds->end)
		return json_rows_fail(reader, json, "a start below the end");
	return memory_range_from_bounds(bounds->start, bounds->end, out, reader->err) ||
		error_at(reader->err, reader->path.text);
}

/* A size to be placed, or a range where the window is. */
static bool read_window(JsonReader *reader, const json_t *json, void *to)
{
	WindowShape window = { 0 };
	Bounds bounds;

	if (json_is_object(json)
			? !read_bounds(reader, bounds_rows, json, &bounds, &window.fixed)
			: !json_rows_size(reader, json, INT64_MAX, &window.size))
		return false;
	*(WindowShape *)to = window;
	return true;
}

static bool read_reserved_item(JsonReader *reader, const json_t *json, ReservedIova *out)
{
	const char *name = json_string_value(json);
	const ReservedIova *profile = name ? reserved_iova_profile(name) : NULL;
	Bounds bounds;

	if (profile)
		*out = *profile;
	if (profile)
		return true;
	if (!json_is_object(json))
		return json_rows_fail(reader, json,
			"arm64-msi, amd-ht, or an object of start, end and reason");
	if (!read_bounds(reader, reserved_rows, json, &bounds, &out->range))
		return false;
	out->reason = bounds.reason;
	return true;
}

static bool read_reserved(JsonReader *reader, const json_t *json, void *to)
{
	const size_t mark = reader->path.len, count = json_array_size(json);
	ReservedIova *items;

	if (!json_is_array(json) || count > LAYOUT_MAX_RESERVED)
		return json_rows_fail(reader, json, "a list of at most 64");
	items = arena_array(reader->arena, ReservedIova, count, reader->err);
	if (!items)
		return false;
	for (size_t i = 0; i < count; i++) {
		json_rows_index(reader, i);
		if (!read_reserved_item(reader, json_array_get(json, i), &items[i]))
			return false;
		json_path_pop(&reader->path, mark);
	}
	*(ReservedIovaList *)to = (ReservedIovaList){ items, count };
	return true;
}

/* One row of the matrix; what differs from 10 and 20 is kept. */
static bool read_distance_row(
	JsonReader *reader, const json_t *json, size_t from, AcpiDistance *kept, size_t *count)
{
	const size_t mark = reader->path.len, nodes = json_array_size(json);

	for (size_t to = 0; to < nodes; to++) {
		const json_t *cell = json_array_get(json, to);
		uint64_t distance;

		json_rows_index(reader, to);
		if (!json_text_number(cell, UINT8_MAX, &distance) ||
			(from == to ? distance != 10 : distance <= 10))
			return json_rows_fail(reader, cell,
				from == to ? "10, the distance of a node to itself"
					   : "a number from 11 to 255");
		if (distance != 10 && distance != 20)
			kept[(*count)++] = (AcpiDistance){ (uint32_t)from, (uint32_t)to,
				(uint8_t)distance };
		json_path_pop(&reader->path, mark);
	}
	return true;
}

static bool read_distances(JsonReader *reader, const json_t *json, void *to)
{
	const size_t mark = reader->path.len, nodes = json_array_size(json);
	AcpiDistances *out = to;
	AcpiDistance *kept;
	size_t count = 0;

	if (!json_is_array(json) || nodes == 0 || nodes > LAYOUT_MAX_NODES)
		return json_rows_fail(reader, json, "a row for each of 1 to 512 nodes");
	kept = arena_reserve_array(reader->arena, AcpiDistance, nodes * nodes, reader->err);
	if (!kept)
		return false;
	for (size_t i = 0; i < nodes; i++) {
		const json_t *row = json_array_get(json, i);

		json_rows_index(reader, i);
		if (json_array_size(row) != nodes)
			return json_rows_fail(
				reader, row, "a list of as many distances as there are rows");
		if (!read_distance_row(reader, row, i, kept, &count))
			return false;
		json_path_pop(&reader->path, mark);
	}
	arena_shrink(reader->arena, kept, count * sizeof(*kept));
	*out = (AcpiDistances){ (uint32_t)nodes, kept, count };
	return true;
}

/* The table's value of a type is not its place among the names. [ACPI65] 5.2.30.2 */
static bool read_cache_type(JsonReader *reader, const json_t *json, void *to)
{
	static const AcpiCacheType types[] = { ACPI_CACHE_DATA, ACPI_CACHE_INSTRUCTION,
		ACPI_CACHE_UNIFIED };

	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		if (json_is_string(json) &&
			strcmp(json_string_value(json), cache_type_names[i]) == 0) {
			*(AcpiCacheType *)to = types[i];
			return true;
		}
	}
	return json_rows_fail(reader, json, "one of data, instruction, unified");
}

/* Caches are smaller than 4 GiB. */
static bool read_cache_size(JsonReader *reader, const json_t *json, void *to)
{
	uint64_t size;

	if (!json_rows_size(reader, json, UINT32_MAX, &size))
		return false;
	*(uint32_t *)to = (uint32_t)size;
	return true;
}

/*
 * The rows.
 */

#define AT(member) .at = offsetof(Parts, member)
#define COUNT(member) .count_at = offsetof(Parts, member)
#define SAID(member) .said_at = offsetof(Parts, member)

static const JsonRow layout_rows[] = {
	{ "version", JSON_ROW_U32, .min = 1, .max = LAYOUT_VERSION_CURRENT,
		AT(vm.layout.version),
		.help = "1 = the reference's addresses, 2 = ours; a guest keeps the one it was "
			"made with",
		.example = "2" },
	{ "address_bits", JSON_ROW_U8, .min = 1, .max = LAYOUT_MAX_ADDRESS_BITS,
		AT(vm.layout.address_bits),
		.help = "what the guest's processors have; default: 46 (x86_64), 48 "
			"(aarch64)" },
	{ "ram_start", JSON_ROW_SIZE, AT(vm.layout.ram_start),
		.help = "no RAM below; default: 0, or 1GiB for linux on aarch64" },
	{ "min_low_ram", JSON_ROW_SIZE, AT(vm.layout.min_low_ram),
		.help = "RAM that must be in one piece below 4 GiB; default: 128MiB for uefi "
			"and pcat of x86_64, else 64MiB (x86_64, version 2) or nothing" },
	{ "device_space", JSON_ROW_SIZE, AT(vm.layout.device_space_size),
		.help = "version 2: a power of two below 4 GiB for all 32-bit addresses; 0 = "
			"1GiB, or what chipset.low needs",
		.example = "0" },
	{ "low_window", JSON_ROW_SIZE, AT(vm.layout.low_window_size),
		.help = "version 2: RAM from 0 on although ram_start is higher, for firmware "
			"that is linked at 0",
		.example = "0" },
	{ "bar_align_max", JSON_ROW_SIZE, AT(vm.layout.bar_align_max),
		.help = "version 2: no high window is aligned more than that, a power of two; "
			"0 = 64GiB",
		.example = "0" },
	{ "reserved_iova", JSON_ROW_OTHER, AT(vm.layout.reserved_iova), .read = read_reserved,
		.help = "version 2: what the host's IOMMU uses itself: arm64-msi, "
			"amd-ht, or an object of start, end and reason",
		.example = "[]" },
	{ .name = NULL },
};

static const JsonRow node_rows[] = {
	{ "memory", JSON_ROW_SIZE, true, .at = 0,
		.help = "bytes, or a text like 2GiB; 0 = a node without memory",
		.example = "\"4GiB\"" },
	{ .name = NULL },
};

static const JsonRow processor_rows[] = {
	{ "node", JSON_ROW_U32, .at = offsetof(VirtualProcessor, vnode) },
	{ "apic_id", JSON_ROW_U32, .at = offsetof(VirtualProcessor, apic_id) },
	{ "mpidr", JSON_ROW_U64, .at = offsetof(VirtualProcessor, mpidr) },
	{ .name = NULL },
};

static const JsonRow processors_rows[] = {
	{ "count", JSON_ROW_U32, .min = 1, .max = VM_MAX_PROCESSORS, AT(vm.processors.count),
		SAID(has_count), .help = "numbered from 0", .example = "1" },
	{ "per_socket", JSON_ROW_U32, .max = TOPOLOGY_MAX_VPS_PER_SOCKET,
		AT(vm.processors.vps_per_socket), .help = "0 = all in one socket",
		.example = "0" },
	{ "smt", JSON_ROW_BOOL, AT(vm.processors.smt),
		.help = "x86_64: two processors a core" },
	{ "x2apic", JSON_ROW_NAME, AT(vm.processors.x2apic), .names = x2apic_names,
		.help = "x86_64: supported, enabled or unsupported",
		.example = "\"supported\"" },
	{ "nodes", JSON_ROW_NUMBERS, .max = VM_MAX_PROCESSORS, AT(vm.processors.vnodes),
		COUNT(vnode_count),
		.help = "of each processor, a list of numbers; default: even runs over all "
			"nodes" },
	{ "list", JSON_ROW_OBJECTS, .max = VM_MAX_PROCESSORS, AT(listed), COUNT(listed_count),
		.rows = processor_rows, .item_size = sizeof(VirtualProcessor),
		.help = "instead of count and nodes: a list of objects with node and apic_id "
			"(x86_64) or mpidr (aarch64)" },
	{ .name = NULL },
};

static const JsonRow initiator_rows[] = {
	{ "segment", JSON_ROW_U16, .at = offsetof(AcpiGenericInitiator, segment) },
	{ "bus", JSON_ROW_U8, .at = offsetof(AcpiGenericInitiator, bus) },
	{ "device", JSON_ROW_U8, true, .max = 31,
		.at = offsetof(AcpiGenericInitiator, device) },
	{ "function", JSON_ROW_U8, .max = 7, .at = offsetof(AcpiGenericInitiator, function) },
	{ "node", JSON_ROW_U32, true, .at = offsetof(AcpiGenericInitiator, vnode) },
	{ .name = NULL },
};

static const JsonRow cache_rows[] = {
	{ "level", JSON_ROW_U8, true, .min = 1, .max = 3, .at = offsetof(AcpiCache, level) },
	{ "type", JSON_ROW_OTHER, true, .at = offsetof(AcpiCache, type),
		.read = read_cache_type },
	{ "size", JSON_ROW_OTHER, true, .at = offsetof(AcpiCache, size),
		.read = read_cache_size },
	{ "ways", JSON_ROW_U32, .max = UINT8_MAX, .at = offsetof(AcpiCache, associativity) },
	{ "line", JSON_ROW_U32, .max = UINT16_MAX, .at = offsetof(AcpiCache, line_size) },
	{ .name = NULL },
};

static const JsonRow chipset_rows[] = {
	{ "low", JSON_ROW_SIZE, AT(vm.layout.chipset_low_size),
		.help = "of the window that ends at 4 GiB; default: 128MiB (x86_64), 512MiB "
			"(aarch64)" },
	{ "high", JSON_ROW_SIZE, AT(vm.layout.chipset_high_size),
		.help = "of the window above RAM; default: 512MiB with vmbus, else 0" },
	{ "vmbus", JSON_ROW_BOOL, AT(vm.with_vmbus), .help = "Hyper-V's bus",
		.example = "true" },
	{ "com1", JSON_ROW_BOOL, AT(vm.with_com1),
		.help = "the first serial port: 16550 (x86_64), PL011 (aarch64)",
		.example = "true" },
	{ "com2", JSON_ROW_BOOL, AT(vm.with_com2), .help = "the second one",
		.example = "false" },
	{ "pic", JSON_ROW_BOOL, AT(vm.with_pic), .help = "x86_64: two 8259" },
	{ "pit", JSON_ROW_BOOL, AT(vm.with_pit), .help = "x86_64: an 8254" },
	{ "rtc", JSON_ROW_BOOL, AT(vm.with_rtc), .help = "x86_64: the clock at port 0x70",
		.example = "true" },
	{ "psp", JSON_ROW_BOOL, AT(vm.with_psp), .help = "x86_64: AMD's security processor" },
	{ "pm_base", JSON_ROW_U32, .max = UINT16_MAX, AT(vm.pm_base),
		.help = "x86_64: I/O port of the power management registers",
		.example = "1024" },
	{ "acpi_irq", JSON_ROW_U32, .max = UINT8_MAX, AT(vm.acpi_irq),
		.help = "x86_64: interrupt of power management", .example = "9" },
	{ "virtio_mmio", JSON_ROW_U32, .max = VM_MAX_VIRTIO_MMIO,
		AT(vm.layout.virtio_mmio_count), .help = "slots of a page each",
		.example = "0" },
	{ .name = NULL },
};

static const JsonRow arm_rows[] = {
	{ "gic", JSON_ROW_NAME, AT(gic), .names = gic_names, .help = "v3 or v2",
		.example = "\"v3\"" },
	{ "distributor", JSON_ROW_U64, AT(vm.arm.gic_distributor), .help = "guest address",
		.example = "\"0xffff0000\"" },
	{ "redistributors", JSON_ROW_U64, AT(vm.arm.gic_redistributors),
		.help = "guest address, GICv3; 128 KiB a processor from there on",
		.example = "\"0xefff0000\"" },
	{ "cpu_interface", JSON_ROW_U64, AT(vm.arm.gic_cpu_interface),
		.help = "guest address, GICv2", .example = "\"0xeffee000\"" },
	{ "msi", JSON_ROW_NAME, AT(msi), .names = msi_names,
		.help = "none, v2m or its; default: none without root complexes, v2m with "
			"GICv2, else its" },
	{ "msi_base", JSON_ROW_U64, AT(vm.arm.msi_base),
		.help = "guest address; default: 0xeffe8000 (v2m), 0xeffc0000 (its)" },
	{ "msi_spi_base", JSON_ROW_U32, .min = 32, .max = 1019, AT(vm.arm.msi_spi_base),
		.help = "v2m: its first interrupt; default: it has the last ones of the GIC" },
	{ "msi_spi_count", JSON_ROW_U32, .min = 1, .max = 988, AT(vm.arm.msi_spi_count),
		.help = "v2m: how many it has", .example = "64" },
	{ "interrupts", JSON_ROW_U32, .min = 64, .max = 992, AT(vm.arm.irq_count),
		.help = "of the GIC, 64 to 992, a multiple of 32", .example = "992" },
	{ "timer", JSON_ROW_U32, .min = 16, .max = 31, AT(vm.arm.virt_timer_ppi),
		.help = "virtual timer's interrupt, 16 to 31", .example = "20" },
	{ "pmu", JSON_ROW_U32, .max = 31, AT(vm.arm.pmu_gsiv),
		.help = "performance monitor's interrupt, 16 to 31; 0 = none",
		.example = "23" },
	{ .name = NULL },
};

static const JsonRow root_complex_rows[] = {
	{ "name", JSON_ROW_TEXT, .at = offsetof(RootComplex, shape.name),
		.help = "default: rc and its place in the list", .example = "\"rc0\"" },
	{ "segment", JSON_ROW_U16, .at = offsetof(RootComplex, shape.segment),
		.help = "PCI segment", .example = "0" },
	{ "start_bus", JSON_ROW_U8, .at = offsetof(RootComplex, shape.start_bus),
		.help = "its first bus", .example = "0" },
	{ "end_bus", JSON_ROW_U8, .at = offsetof(RootComplex, shape.end_bus),
		.help = "its last bus", .example = "255" },
	{ "low", JSON_ROW_OTHER, .at = offsetof(RootComplex, shape.low), .read = read_window,
		.help = "window below 4 GiB: a size, or an object of start and end; 0 = none",
		.example = "\"64MiB\"" },
	{ "high", JSON_ROW_OTHER, .at = offsetof(RootComplex, shape.high), .read = read_window,
		.help = "window above RAM, the same", .example = "\"1GiB\"" },
	{ "cxl_hdm", JSON_ROW_SIZE, .at = offsetof(RootComplex, shape.cxl_hdm_size),
		.help = "bytes of CXL memory, multiples of 256MiB; 0 = no CXL",
		.example = "0" },
	{ "cxl_restrictions", JSON_ROW_U16,
		.at = offsetof(RootComplex, bridge.cxl_restrictions),
		.help = "of that memory, as ACPI's CEDT has them", .example = "0" },
	{ "ports", JSON_ROW_U8, .max = VM_MAX_PORTS, .at = offsetof(RootComplex, bridge.ports),
		.help = "root ports: functions 0, 1, ... of its first bus", .example = "1" },
	{ "iommu", JSON_ROW_NAME, .at = offsetof(RootComplex, shape.iommu),
		.names = iommu_names,
		.help = "none; amd-vi, intel-vtd (x86_64); smmu (aarch64)",
		.example = "\"none\"" },
	{ "node", JSON_ROW_U32, .at = offsetof(RootComplex, bridge.vnode),
		.help = "NUMA node; default: none" },
	{ "preserve_boot_config", JSON_ROW_BOOL,
		.at = offsetof(RootComplex, bridge.preserve_boot_config),
		.help = "the guest keeps the bus numbers and BARs that it finds",
		.example = "false" },
	{ .name = NULL },
};

static const RootComplex root_complex_initial = {
	.shape = { .end_bus = 255, .low = { .size = 64 * MIB }, .high = { .size = GIB } },
	.bridge = { .vnode = UNSAID_NODE, .ports = 1 },
};

static const JsonRow pcie_rows[] = {
	{ "ecam_below_4gib", JSON_ROW_BOOL, AT(vm.layout.ecam_below_4gib),
		.help = "configuration space below 4 GiB, as older machines have it",
		.example = "false" },
	{ "root_complexes", JSON_ROW_OBJECTS, .max = LAYOUT_MAX_ROOT_COMPLEXES,
		AT(root_complexes), COUNT(root_complex_count), .rows = root_complex_rows,
		.item_size = sizeof(RootComplex), .item = &root_complex_initial,
		.help = "default: none; this is one with all members at their defaults" },
	{ .name = NULL },
};

static const JsonRow vtl2_rows[] = {
	{ "memory", JSON_ROW_SIZE, AT(vm.layout.vtl2_size),
		.help = "of VTL2 itself; 0 = there is no VTL2", .example = "0" },
	{ "align", JSON_ROW_SIZE, AT(vm.layout.vtl2_align),
		.help = "of that memory, a power of two", .example = "\"2MiB\"" },
	{ "chipset", JSON_ROW_SIZE, AT(vm.layout.vtl2_chipset_size),
		.help = "of VTL2's own window; default: 1GiB with memory, else 0" },
	{ "framebuffer", JSON_ROW_SIZE, AT(vm.layout.vtl2_framebuffer_size),
		.help = "bytes; 0 = none", .example = "0" },
	{ "redirection", JSON_ROW_BOOL, AT(vm.vtl2_redirection),
		.help = "VTL2 offers the bus to VTL0", .example = "false" },
	{ .name = NULL },
};

const JsonRow vm_document_rows[] = {
	{ "schema", JSON_ROW_TEXT, true, AT(schema),
		.help = "what this document is; members whose names begin with // are remarks",
		.example = "\"pvw.vm/1\"" },
	{ "name", JSON_ROW_TEXT, AT(vm.name), .help = "for people", .example = "\"vm\"" },
	{ "arch", JSON_ROW_NAME, AT(arch), .names = arch_names, .help = "x86_64 or aarch64",
		.example = VM_TEMPLATE_ARCH },
	{ "boot", JSON_ROW_NAME, AT(vm.boot), .names = boot_names,
		.help = "uefi, pcat (x86_64), linux, igvm or none", .example = "\"uefi\"" },
	{ "isolation", JSON_ROW_NAME, AT(vm.isolation), .names = isolation_names,
		.help = "none, vbs, snp or tdx", .example = "\"none\"" },
	{ "memory", JSON_ROW_SIZE, AT(memory), SAID(has_memory),
		.help = "of the only NUMA node: bytes, or a text like 4GiB",
		.example = "\"4GiB\"" },
	{ "nodes", JSON_ROW_OBJECTS, .max = LAYOUT_MAX_NODES, AT(vm.layout.node_sizes),
		COUNT(vm.layout.node_count), SAID(has_nodes), .rows = node_rows,
		.item_size = sizeof(uint64_t),
		.help = "instead of memory: a list of objects with memory, one a NUMA node" },
	{ "distances", JSON_ROW_OTHER, AT(vm.distances), SAID(has_distances),
		.read = read_distances,
		.help = "between nodes, a row for each of them: [[10, 21], [21, 10]]; default: "
			"not told" },
	{ "processors", JSON_ROW_OBJECT, .rows = processors_rows,
		.help = "what runs the guest" },
	{ "initiators", JSON_ROW_OBJECTS, .max = VM_MAX_INITIATORS, AT(vm.initiators),
		COUNT(vm.initiator_count), .rows = initiator_rows,
		.item_size = sizeof(AcpiGenericInitiator),
		.help = "PCI functions that ACPI counts to a node: objects of segment, bus, "
			"device, function and node",
		.example = "[]" },
	{ "caches", JSON_ROW_OBJECTS, .max = VM_MAX_CACHES, AT(vm.caches),
		COUNT(vm.cache_count), .rows = cache_rows, .item_size = sizeof(AcpiCache),
		.help = "of each processor: objects of level, type (data, instruction, "
			"unified), size, ways (0 = full) and line",
		.example = "[]" },
	{ "layout", JSON_ROW_OBJECT, .rows = layout_rows, .help = "how addresses are given" },
	{ "chipset", JSON_ROW_OBJECT, .rows = chipset_rows, .help = "devices of the board" },
	{ "arm", JSON_ROW_OBJECT, SAID(has_arm), .rows = arm_rows,
		.help = "aarch64: interrupt controller and timer" },
	{ "pcie", JSON_ROW_OBJECT, .rows = pcie_rows, .help = "PCI Express" },
	{ "vtl2", JSON_ROW_OBJECT, .rows = vtl2_rows,
		.help = "the privileged level inside of the guest" },
	{ .name = NULL },
};

/*
 * What was not said.
 */

static const Parts initial = {
	.vm = {
		.name = "vm",
		.layout = {
			.version = LAYOUT_VERSION_CURRENT,
			.ram_start = UNSAID,
			.min_low_ram = UNSAID,
			.chipset_low_size = UNSAID,
			.chipset_high_size = UNSAID,
			.vtl2_chipset_size = UNSAID,
			.vtl2_align = 2 * MIB,
		},
		.with_vmbus = true,
		.with_com1 = true,
		.with_rtc = true,
		.pm_base = PM_BASE_PORT,
		.acpi_irq = SCI_IRQ,
		.arm = {
			.gic_distributor = GIC_DISTRIBUTOR_GPA,
			.gic_redistributors = GIC_REDISTRIBUTORS_ALIGNED_GPA,
			.gic_cpu_interface = GIC_REDISTRIBUTORS_GPA,
			.msi_base = UNSAID,
			.msi_spi_count = 64,
			.pmu_gsiv = 23,
			.virt_timer_ppi = 20,
			.irq_count = 992,
		},
	},
	.memory = UNSAID,
	.msi = GIC_MSI_COUNT,
};

static uint64_t said_or(uint64_t value, uint64_t otherwise)
{
	return value == UNSAID ? otherwise : value;
}

/* Firmware for x86-64 counts on RAM where a PC has it. */
static uint64_t default_low_ram(const Parts *parts)
{
	const BootKind boot = parts->vm.boot;

	return parts->arch == GUEST_ARCH_X86_64 && (boot == BOOT_UEFI || boot == BOOT_PCAT)
		? LAYOUT_FIRMWARE_LOW_RAM
		: 0;
}

static void fill_layout(Parts *parts)
{
	LayoutShape *layout = &parts->vm.layout;
	const LayoutDefaults *defaults = layout_defaults(parts->arch);

	layout->arch = parts->arch;
	if (layout->address_bits == 0)
		layout->address_bits = parts->arch == GUEST_ARCH_X86_64
			? DEFAULT_X86_ADDRESS_BITS
			: DEFAULT_ARM64_ADDRESS_BITS;
	layout->ram_start = said_or(layout->ram_start,
		parts->vm.boot == BOOT_LINUX ? defaults->linux_ram_start : 0);
	layout->chipset_low_size =
		said_or(layout->chipset_low_size, defaults->chipset_low_size);
	layout->chipset_high_size = said_or(layout->chipset_high_size,
		parts->vm.with_vmbus ? defaults->chipset_high_size : 0);
	layout->min_low_ram = said_or(layout->min_low_ram, default_low_ram(parts));
	layout->has_vtl2 = layout->vtl2_size != 0;
	layout->vtl2_chipset_size =
		said_or(layout->vtl2_chipset_size, layout->has_vtl2 ? GIB : 0);
}

/* Without PCI Express nobody sends messages. */
static GicMsi default_msi(const Parts *parts)
{
	if (parts->msi != GIC_MSI_COUNT)
		return (GicMsi)parts->msi;
	if (parts->root_complex_count == 0)
		return GIC_MSI_NONE;
	return parts->vm.arm.gic_v2 ? GIC_MSI_V2M : GIC_MSI_ITS;
}

static void fill_msi(Parts *parts)
{
	static const uint64_t bases[GIC_MSI_COUNT] = { 0, GIC_V2M_GPA, GIC_ITS_GPA };
	ArmPlatform *arm = &parts->vm.arm;

	arm->msi = default_msi(parts);
	arm->msi_base = said_or(arm->msi_base, bases[arm->msi]);
	if (arm->msi != GIC_MSI_V2M)
		arm->msi_spi_base = arm->msi_spi_count = 0;
	else if (arm->msi_spi_base == 0)
		arm->msi_spi_base = vm_default_frame(arm);
}

static void fill_arm(Parts *parts)
{
	ArmPlatform *arm = &parts->vm.arm;

	if (parts->arch != GUEST_ARCH_AARCH64) {
		*arm = (ArmPlatform){ 0 };
		return;
	}
	arm->gic_v2 = parts->gic == 1;
	if (arm->gic_v2)
		arm->gic_redistributors = 0;
	else
		arm->gic_cpu_interface = 0;
	fill_msi(parts);
}

static bool fill_nodes(Parts *parts, Arena *arena, Error *err)
{
	uint64_t *sizes;

	if (parts->vm.layout.node_count)
		return true;
	sizes = arena_array(arena, uint64_t, 1, err);
	if (!sizes)
		return false;
	sizes[0] = parts->memory;
	parts->vm.layout.node_sizes = sizes;
	parts->vm.layout.node_count = 1;
	return true;
}

/* The list of the document becomes two: what decides addresses, and the rest. */
static bool fill_root_complexes(Parts *parts, Arena *arena, Error *err)
{
	const size_t count = parts->root_complex_count;
	RootComplexShape *shapes = arena_array(arena, RootComplexShape, count, err);
	VmBridge *bridges = arena_array(arena, VmBridge, count, err);

	if (!shapes || !bridges)
		return false;
	for (size_t i = 0; i < count; i++) {
		shapes[i] = parts->root_complexes[i].shape;
		bridges[i] = parts->root_complexes[i].bridge;
		shapes[i].has_cxl = shapes[i].cxl_hdm_size != 0;
		bridges[i].has_vnode = bridges[i].vnode != UNSAID_NODE;
		if (!bridges[i].has_vnode)
			bridges[i].vnode = 0;
		if (!shapes[i].name)
			shapes[i].name = arena_printf(arena, err, "rc%zu", i);
		if (!shapes[i].name)
			return false;
	}
	parts->vm.layout.root_complexes = shapes;
	parts->vm.layout.root_complex_count = count;
	parts->vm.bridges = bridges;
	return true;
}

/* An MPIDR as a processor has it; a count comes from the list that is there. */
static void fill_processors(Parts *parts)
{
	VmProcessors *processors = &parts->vm.processors;

	if (parts->listed_count) {
		processors->count = (uint32_t)parts->listed_count;
		processors->list = parts->listed;
	}
	for (size_t i = 0; i < parts->listed_count && parts->arch == GUEST_ARCH_AARCH64; i++)
		parts->listed[i].mpidr |= MPIDR_RES1;
	if (parts->vnode_count == 0)
		processors->vnodes = NULL;
	if (processors->count == 0)
		processors->count = 1;
}

static bool fill(Parts *parts, Arena *arena, Error *err)
{
	fill_layout(parts);
	fill_arm(parts);
	fill_processors(parts);
	return fill_nodes(parts, arena, err) && fill_root_complexes(parts, arena, err);
}

bool vm_read(Bytes json, const char *source, Arena *arena, Vm *out, Error *err)
{
	Parts *parts = arena_array(arena, Parts, 1, err);
	JsonReader reader = { .arena = arena, .err = err };
	json_t *document;
	bool ok;

	if (!parts)
		return false;
	if (json.len > VM_MAX_DOCUMENT) {
		error_set(err, PVW_VM_0006, "%zu bytes, expected at most %zu", json.len,
			VM_MAX_DOCUMENT);
		return error_at(err, source);
	}
	if (!json_text_parse(json, source, &document, err))
		return false;
	*parts = initial;
	json_path_push(&reader.path, "", source);
	ok = json_rows_read(&reader, vm_document_rows, document, parts);
	json_decref(document);
	if (!ok || !vm_check_said(parts, source, err) || !fill(parts, arena, err) ||
		!vm_check(&parts->vm, source, err))
		return false;
	*out = parts->vm;
	return true;
}

bool vm_resolve(const Vm *vm, Arena *arena, ResolvedLayout *out, Error *err)
{
	return resolver_run(&vm->layout, arena, out, err);
}
