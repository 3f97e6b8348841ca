/*
 * Areas boot_dt_write_x86_64 and boot_dt_write_aarch64: the boot shim's tree, byte for byte.
 */
#include "golden.h"

#include <string.h>

#include "bootinfo/boot_info_write.h"
#include "bootinfo/boot_map.h"

/* What the shim takes where the host said nothing. */
static const BootGic default_gic = {
	.distributor_base = UINT64_C(0xffff0000),
	.distributor_size = UINT64_C(0x10000),
	.redistributor_base = UINT64_C(0xeffee000),
	.redistributor_stride = UINT64_C(0x20000),
};
#define DEFAULT_PMU_GSIV 23
#define VIRT_TIMER_PPI 20

typedef struct Case {
	const json_t *input;
	Arena *arena;
	BootInfo info;
	BootTreeExtras extras;
	MemoryRangeList reserved;
} Case;

static MemoryRangeList read_ranges(const json_t *list, Arena *arena)
{
	const size_t count = json_array_size(list);
	MemoryRange *items = golden_array(arena, count, sizeof(*items));

	for (size_t i = 0; i < count; i++)
		items[i] = golden_range(json_array_get(list, i));
	return (MemoryRangeList){ items, count };
}

static CpuList read_cpus(const json_t *list, Arena *arena)
{
	const size_t count = json_array_size(list);
	BootCpu *items = golden_array(arena, count, sizeof(*items));

	for (size_t i = 0; i < count; i++) {
		const json_t *cpu = json_array_get(list, i);

		items[i] =
			(BootCpu){ golden_u64(cpu, "reg"), (uint32_t)golden_u64(cpu, "vnode") };
	}
	return (CpuList){ items, count };
}

static bool read_map(Case *c, Error *err)
{
	const json_t *ram_list = golden_member(c->input, "partition_ram");
	const json_t *use_list = golden_member(c->input, "vtl2_ranges");
	const size_t ram_count = json_array_size(ram_list);
	const size_t use_count = json_array_size(use_list);
	HostMemory *ram = golden_array(c->arena, ram_count, sizeof(*ram));
	Vtl2Use *uses = golden_array(c->arena, use_count, sizeof(*uses));

	for (size_t i = 0; i < ram_count; i++) {
		const json_t *item = json_array_get(ram_list, i);

		ram[i] = (HostMemory){ golden_range(item),
			(uint16_t)golden_u64(item, "igvm_type"),
			(uint32_t)golden_u64(item, "vnode") };
	}
	for (size_t i = 0; i < use_count; i++) {
		const json_t *item = json_array_get(use_list, i);

		const uint64_t type = golden_u64(item, "type");

		uses[i] = (Vtl2Use){ golden_range(item), (MemoryType)type };
	}
	return boot_map_compose((HostMemoryList){ ram, ram_count },
		(Vtl2UseList){ uses, use_count }, c->arena, &c->info.map, err);
}

static size_t add_claims(MemoryRangeList windows, uint8_t vtl, MmioClaim *items)
{
	for (size_t i = 0; i < windows.count; i++)
		items[i] = (MmioClaim){ .start = windows.items[i].start,
			.len = memory_range_len(windows.items[i]),
			.vtl = vtl };
	return windows.count;
}

static void read_mmio(Case *c)
{
	const json_t *bus0 = golden_member(c->input, "vmbus_vtl0");
	const json_t *bus2 = golden_member(c->input, "vmbus_vtl2");
	const MemoryRangeList vtl0 = read_ranges(golden_member(bus0, "mmio"), c->arena);
	const MemoryRangeList vtl2 = read_ranges(golden_member(bus2, "mmio"), c->arena);
	MmioClaim *items = golden_array(c->arena, vtl0.count + vtl2.count, sizeof(*items));
	size_t count = add_claims(vtl0, 0, items);

	count += add_claims(vtl2, 2, items + count);
	c->info.mmio = (MmioClaimList){ items, count };
	c->info.vtl2_bus = (Vtl2Bus){ .present = true,
		.connection_id = (uint32_t)golden_u64(bus2, "connection_id"),
		.ranges = vtl2 };
}

static void read_isolation(Case *c)
{
	const char *name = golden_string(c->input, "isolation");

	c->extras.cca = strcmp(name, "cca") == 0;
	if (c->extras.cca)
		return;
	for (unsigned i = 0; i < ISOLATION_COUNT; i++) {
		if (strcmp(name, boot_info_isolation_name((IsolationType)i)) == 0) {
			c->info.isolation = (IsolationType)i;
			return;
		}
	}
	golden_malformed("unknown isolation %s", name);
}

static void read_allocation(Case *c)
{
	const json_t *mode = golden_member(c->input, "memory_allocation_mode");
	AllocationMode *out = &c->info.allocation;

	out->vtl2 = strcmp(golden_string(mode, "mode"), "vtl2") == 0;
	out->has_memory_size = !golden_is_null(mode, "memory_size");
	out->has_mmio_size = !golden_is_null(mode, "mmio_size");
	if (out->has_memory_size)
		out->memory_size = golden_u64(mode, "memory_size");
	if (out->has_mmio_size)
		out->mmio_size = golden_u64(mode, "mmio_size");
}

static void read_sidecars(Case *c)
{
	const json_t *sidecar = golden_member(c->input, "sidecar");
	const json_t *nodes = golden_member(sidecar, "nodes");
	const size_t count = json_array_size(nodes);
	BootSidecar *items = golden_array(c->arena, count, sizeof(*items));

	for (size_t i = 0; i < count; i++) {
		const json_t *node = json_array_get(nodes, i);

		items[i] = (BootSidecar){ golden_as_u64(json_array_get(node, 0)),
			golden_as_u64(json_array_get(node, 1)),
			golden_as_u64(json_array_get(node, 2)) };
	}
	c->extras.sidecars = items;
	c->extras.sidecar_count = count;
	c->info.times.has_sidecar_start = c->info.times.has_sidecar_end = true;
	c->info.times.sidecar_start = golden_u64(sidecar, "start_reftime");
	c->info.times.sidecar_end = golden_u64(sidecar, "end_reftime");
}

static void read_times(Case *c)
{
	const json_t *times = json_object_get(c->input, "boot_times");

	if (json_is_array(times)) {
		c->info.times.has_start = c->info.times.has_end = true;
		c->info.times.start = golden_as_u64(json_array_get(times, 0));
		c->info.times.end = golden_as_u64(json_array_get(times, 1));
	}
	if (!golden_is_null(c->input, "sidecar"))
		read_sidecars(c);
}

static void read_gic(Case *c)
{
	const json_t *list = json_object_get(c->input, "gic");
	BootGic *gic = &c->info.gic;

	*gic = default_gic;
	gic->redistributor_size = gic->redistributor_stride * c->info.cpus.count;
	if (json_is_array(list))
		*gic = (BootGic){
			.distributor_base = golden_as_u64(json_array_get(list, 0)),
			.distributor_size = golden_as_u64(json_array_get(list, 1)),
			.redistributor_base = golden_as_u64(json_array_get(list, 2)),
			.redistributor_size = golden_as_u64(json_array_get(list, 3)),
			.redistributor_stride = golden_as_u64(json_array_get(list, 4)),
		};
	gic->present = true;
	gic->virt_timer_ppi = VIRT_TIMER_PPI;
	gic->pmu_gsiv = golden_is_null(c->input, "pmu_gsiv")
		? DEFAULT_PMU_GSIV
		: (uint32_t)golden_u64(c->input, "pmu_gsiv");
}

static void read_aarch64(Case *c)
{
	const json_t *serial = json_object_get(c->input, "com3");

	read_gic(c);
	c->extras.bootargs = golden_string(c->input, "cmdline");
	c->extras.initrd = golden_range(golden_member(c->input, "initrd"));
	if (json_is_object(serial))
		c->extras.serial = (HostSerial){ .present = true,
			.base = golden_u64(serial, "base"),
			.interrupt = (uint32_t)golden_u64(serial, "intid"),
			.baud = (uint32_t)golden_u64(serial, "current_speed") };
}

static bool read_case(Case *c, Error *err)
{
	const json_t *input = c->input;

	c->info.has_openhcl = true;
	c->info.bsp_reg = (uint32_t)golden_u64(input, "bsp_reg");
	c->info.cpus = read_cpus(golden_member(input, "cpus"), c->arena);
	c->info.vtl2_ram = golden_node_ranges(golden_member(input, "vtl2_ram"), c->arena);
	c->info.accepted = read_ranges(golden_member(input, "accepted_ranges"), c->arena);
	c->info.has_alias_map = !golden_is_null(input, "vtl0_alias_map");
	if (c->info.has_alias_map)
		c->info.alias_map = golden_u64(input, "vtl0_alias_map");
	c->reserved = read_ranges(golden_member(input, "memreserve"), c->arena);
	c->extras.reserved = &c->reserved;
	c->extras.limit = (size_t)golden_u64(input, "buffer_size");
	if (!golden_is_null(input, "entropy"))
		c->extras.entropy = golden_hex(input, "entropy", c->arena);
	read_isolation(c);
	read_allocation(c);
	read_mmio(c);
	read_times(c);
	if (c->info.arch == GUEST_ARCH_AARCH64)
		read_aarch64(c);
	return read_map(c, err);
}

static bool run(GuestArch arch, const json_t *input, Arena *arena, json_t **output, Error *err)
{
	Case c = {
		.input = input,
		.arena = arena,
		.info.arch = arch,
		.extras.profile = TREE_PROFILE_REFERENCE,
	};
	Bytes tree;

	if (!read_case(&c, err) || !boot_info_write(&c.info, &c.extras, arena, &tree, err))
		return false;
	*output = json_pack("{s: o}", "dtb", golden_json_hex(tree));
	return true;
}

bool golden_run_boot_dt_write_x86_64(
	const json_t *input, Arena *arena, json_t **output, Error *err)
{
	return run(GUEST_ARCH_X86_64, input, arena, output, err);
}

bool golden_run_boot_dt_write_aarch64(
	const json_t *input, Arena *arena, json_t **output, Error *err)
{
	return run(GUEST_ARCH_AARCH64, input, arena, output, err);
}
