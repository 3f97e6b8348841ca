/*
 * A virtual machine as its trees tell of it.
 */
#include "host/vm_boot_info.h"

#include <inttypes.h>

#include "bootinfo/boot_map.h"
#include "bootinfo/gic_check.h"
#include "support/checked.h"
#include "support/diagnostics.h"

/* What boot trees take for granted. */
#define TREE_TIMER_PPI 20
#define TREE_IRQ_COUNT 992

#define POOL_SHARE 16 /* of VTL2's memory */
#define POOL_STEP UINT64_C(0x200000)
#define POOL_MAX UINT64_C(0x1000000)

/* From the start of VTL2's memory on; what is behind them is the kernel's, then the pool's. */
static const struct {
	MemoryType type;
	uint64_t pages;
} uses[] = {
	{ MEMORY_TYPE_VTL2_PERSISTED_HEADER, 1 },
	{ MEMORY_TYPE_VTL2_PERSISTED_PROTOBUF, 19 },
	{ MEMORY_TYPE_VTL2_CONFIG, 40 },
	{ MEMORY_TYPE_VTL2_RAM, 64 },
	{ MEMORY_TYPE_VTL2_CONFIG, 258 },
	{ MEMORY_TYPE_VTL2_RESERVED, 4 },
	{ MEMORY_TYPE_VTL2_LOG_BUFFER, 1 },
};
#define USE_COUNT (ARRAY_COUNT(uses) + 2)

static bool check(const Vm *vm, const ResolvedLayout *layout, Error *err)
{
	if (memory_range_is_empty(layout->vtl2))
		return error_set(
			err, PVW_TREE_0010, "no memory for VTL2, expected it in the layout");
	if (vm->layout.arch == GUEST_ARCH_AARCH64 && vm->arm.gic_v2)
		return error_set(err, PVW_TREE_0005, "GICv2, expected GICv3");
	return true;
}

/* Processors as trees identify them. */
static bool list_cpus(GuestArch arch, const ProcessorTopology *topology, Arena *arena,
	CpuList *out, Error *err)
{
	BootCpu *items = arena_reserve_array(arena, BootCpu, topology->count, err);

	if (!items)
		return false;
	for (size_t i = 0; i < topology->count; i++) {
		const VirtualProcessor *vp = &topology->vps[i];

		items[i] = (BootCpu){
			.reg = arch == GUEST_ARCH_X86_64 ? vp->apic_id
							 : vp->mpidr & MPIDR_AFFINITY,
			.vnode = vp->vnode,
		};
	}
	*out = (CpuList){ items, topology->count };
	return true;
}

/* RAM of both levels, by start; VTL2's lies apart from VTL0's, on either side of some of it. */
static bool list_memory(
	const ResolvedLayout *layout, Arena *arena, HostMemoryList *out, Error *err)
{
	const HostMemory vtl2 = { layout->vtl2, IGVM_VTL2_PROTECTABLE, 0 };
	HostMemory *items = arena_reserve_array(arena, HostMemory, layout->ram.count + 1, err);
	bool listed = false;
	size_t count = 0;

	if (!items)
		return false;
	for (size_t i = 0; i < layout->ram.count; i++) {
		const NodeRange *ram = &layout->ram.items[i];

		if (!listed && vtl2.range.start < ram->range.start) {
			items[count++] = vtl2;
			listed = true;
		}
		items[count++] = (HostMemory){ ram->range, IGVM_MEMORY, ram->vnode };
	}
	if (!listed)
		items[count++] = vtl2;
	*out = (HostMemoryList){ items, count };
	return true;
}

/* The windows with their roles, by start; those that are not there are not claimed. */
static bool list_claims(
	const ResolvedLayout *layout, Arena *arena, MmioClaimList *out, Error *err)
{
	const struct {
		MemoryRange range;
		uint8_t vtl;
		MmioRole role;
		const char *place;
	} rows[] = {
		{ layout->chipset_low, 0, MMIO_ROLE_CHIPSET_LOW, "layout:chipset-low" },
		{ layout->chipset_high, 0, MMIO_ROLE_CHIPSET_HIGH, "layout:chipset-high" },
		{ layout->vtl2_chipset, 2, MMIO_ROLE_VTL2_PRIVATE, "layout:vtl2-chipset" },
	};
	MmioClaim *items = arena_reserve_array(arena, MmioClaim, ARRAY_COUNT(rows), err);
	size_t count = 0;

	if (!items)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		size_t at = count;

		if (memory_range_is_empty(rows[i].range))
			continue;
		for (; at > 0 && items[at - 1].start > rows[i].range.start; at--)
			items[at] = items[at - 1];
		items[at] = (MmioClaim){ rows[i].range.start, memory_range_len(rows[i].range),
			rows[i].vtl, (uint32_t)rows[i].role, rows[i].place };
		count++;
	}
	*out = (MmioClaimList){ items, count };
	return true;
}

/* As the host states it: what trees do not state is left 0. */
static BootGic describe_gic(const Vm *vm, const ProcessorTopology *topology)
{
	if (vm->layout.arch != GUEST_ARCH_AARCH64)
		return (BootGic){ .present = false };
	return (BootGic){
		.present = true,
		.distributor_base = vm->arm.gic_distributor,
		.distributor_size = GIC_DISTRIBUTOR_SIZE,
		.redistributor_base = vm->arm.gic_redistributors,
		.redistributor_size = GIC_REDISTRIBUTOR_STRIDE * topology->count,
		.redistributor_stride = GIC_REDISTRIBUTOR_STRIDE,
		.pmu_gsiv = vm->arm.pmu_gsiv,
	};
}

static uint32_t vtl2_connection(const Vm *vm)
{
	return vm->vtl2_redirection ? VM_REDIRECTED_VMBUS_CONNECTION : VM_VTL2_VMBUS_CONNECTION;
}

bool vm_host_info(const Vm *vm, const ResolvedLayout *layout, const ProcessorTopology *topology,
	Arena *arena, HostInfo *out, Error *err)
{
	HostInfo info = {
		.arch = vm->layout.arch,
		.vmbus_vtl0 = { true, VM_VMBUS_CONNECTION },
		.vmbus_vtl2 = { true, vtl2_connection(vm) },
		.bootargs = "",
		.gic = describe_gic(vm, topology),
	};

	if (!check(vm, layout, err) ||
		!list_cpus(info.arch, topology, arena, &info.cpus, err) ||
		!list_memory(layout, arena, &info.memory, err) ||
		!list_claims(layout, arena, &info.mmio, err))
		return false;
	if (info.cpus.count)
		info.bsp_reg = (uint32_t)info.cpus.items[0].reg;
	*out = info;
	return true;
}

/* A piece for the pool, at the end; empty where memory must be accepted before it is shared. */
static MemoryRange find_pool(MemoryRange vtl2, IsolationType isolation)
{
	uint64_t len = align_down(memory_range_len(vtl2) / POOL_SHARE, POOL_STEP);

	if (isolation_is_isolated(isolation) || len == 0)
		return MEMORY_RANGE_EMPTY;
	if (len > POOL_MAX)
		len = POOL_MAX;
	return (MemoryRange){ vtl2.end - len, vtl2.end };
}

/* @items has room for USE_COUNT. */
static bool put_to_use(
	MemoryRange vtl2, IsolationType isolation, Vtl2Use *items, Vtl2UseList *out, Error *err)
{
	const MemoryRange pool = find_pool(vtl2, isolation);
	const uint64_t end = memory_range_is_empty(pool) ? vtl2.end : pool.start;
	uint64_t at = vtl2.start;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_COUNT(uses); i++) {
		const uint64_t len = uses[i].pages * PAGE_SIZE;

		if (end - at <= len)
			return error_set(err, PVW_TREE_0011,
				"VTL2 has 0x%" PRIx64 " bytes at " RANGE_FORMAT
				", expected more",
				memory_range_len(vtl2), RANGE_ARGS(vtl2));
		items[count++] = (Vtl2Use){ { at, at + len }, uses[i].type };
		at += len;
	}
	items[count++] = (Vtl2Use){ { at, end }, MEMORY_TYPE_VTL2_RAM };
	if (!memory_range_is_empty(pool))
		items[count++] = (Vtl2Use){ pool, MEMORY_TYPE_VTL2_GPA_POOL };
	*out = (Vtl2UseList){ items, count };
	return true;
}

static bool build_map(
	const HostInfo *host, MemoryRange vtl2, Arena *arena, BootInfo *info, Error *err)
{
	Vtl2Use items[USE_COUNT];
	Vtl2UseList list;

	return put_to_use(vtl2, info->isolation, items, &list, err) &&
		boot_map_compose(host->memory, list, arena, &info->map, err) &&
		boot_map_collect(info, arena, err);
}

bool vm_boot_info(const Vm *vm, const ResolvedLayout *layout, const ProcessorTopology *topology,
	Arena *arena, BootInfo *out, Error *err)
{
	MemoryRange *ranges = arena_array(arena, MemoryRange, 2, err);
	NodeRange *ram = arena_array(arena, NodeRange, 1, err);
	HostInfo host;

	if (!ranges || !ram || !vm_host_info(vm, layout, topology, arena, &host, err))
		return false;
	*ram = (NodeRange){ layout->vtl2, 0 };
	ranges[0] = layout->vtl2_chipset;
	ranges[1] = layout->vtl2;

	const bool isolated = isolation_is_isolated(vm->isolation);
	BootInfo info = {
		.arch = host.arch,
		.bsp_reg = host.bsp_reg,
		.has_openhcl = true,
		.cpus = host.cpus,
		.vtl2_ram = { ram, 1 },
		.mmio = host.mmio,
		.accepted = { ranges + 1, isolated },
		.isolation = vm->isolation,
		.gic = host.gic,
		.vtl2_bus = { .present = true,
			.connection_id = host.vmbus_vtl2.connection_id,
			.ranges = { ranges, !memory_range_is_empty(ranges[0]) } },
	};

	if (info.gic.present) {
		info.gic.virt_timer_ppi = TREE_TIMER_PPI;
		info.gic.irq_count = TREE_IRQ_COUNT;
	}
	if (!build_map(&host, layout->vtl2, arena, &info, err))
		return false;
	*out = info;
	return true;
}
