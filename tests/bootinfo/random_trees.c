/*
 * Random boot info and host info.
 */
#include "bootinfo/random_trees.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bootinfo/boot_map.h"

#define MAX_FEW 12
#define MAX_MANY 200
#define STRIDE UINT64_C(0x20000)

static void *take(Arena *arena, size_t count, size_t size)
{
	Error err;
	void *memory = arena_alloc_array(arena, count, size, 8, &err);

	if (!memory) {
		fprintf(stderr, "random trees: %s\n", err.text);
		abort();
	}
	return memory;
}

uint64_t random_draw(uint64_t *state, uint64_t below)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (*state >> 33) % below;
}

static bool one_in(uint64_t *state, uint64_t n)
{
	return random_draw(state, n) == 0;
}

static uint64_t draw_u64(uint64_t *state)
{
	const uint64_t high = random_draw(state, UINT64_C(1) << 31);

	return high << 33 | random_draw(state, UINT64_C(1) << 31) << 2 | random_draw(state, 4);
}

static uint32_t draw_u32(uint64_t *state)
{
	return (uint32_t)(draw_u64(state) >> 20);
}

static size_t draw_count(uint64_t *state)
{
	return random_draw(state, one_in(state, 50) ? MAX_MANY : MAX_FEW);
}

/* The next range above @cursor, which moves behind it; whole pages, not empty. */
static MemoryRange draw_range(uint64_t *state, uint64_t *cursor)
{
	const unsigned gap_bits = (unsigned)random_draw(state, 28);
	const unsigned len_bits = (unsigned)random_draw(state, 30);
	const uint64_t gap = random_draw(state, UINT64_C(1) << gap_bits);
	const uint64_t pages = 1 + random_draw(state, UINT64_C(1) << len_bits);
	MemoryRange range;

	range.start = *cursor + (one_in(state, 3) ? 0 : gap << PAGE_SHIFT);
	range.end = range.start + (pages << PAGE_SHIFT);
	*cursor = range.end;
	return range;
}

static CpuList draw_cpus(uint64_t *state, GuestArch arch, Arena *arena)
{
	const size_t count = 1 + draw_count(state);
	BootCpu *items = take(arena, count, sizeof(*items));

	for (size_t i = 0; i < count; i++)
		items[i] = (BootCpu){
			.reg = arch == GUEST_ARCH_X86_64 ? draw_u32(state) : draw_u64(state),
			.vnode = one_in(state, 2) ? 0 : draw_u32(state),
		};
	return (CpuList){ items, count };
}

static MemoryRangeList draw_ranges(uint64_t *state, Arena *arena)
{
	const size_t count = draw_count(state) % BOOT_INFO_MAX_MMIO;
	MemoryRange *items = take(arena, count, sizeof(*items));
	uint64_t cursor = 0;

	for (size_t i = 0; i < count; i++)
		items[i] = draw_range(state, &cursor);
	return (MemoryRangeList){ items, count };
}

static NodeRangeList draw_node_ranges(uint64_t *state, Arena *arena)
{
	const size_t count = draw_count(state);
	NodeRange *items = take(arena, count, sizeof(*items));
	uint64_t cursor = 0;

	for (size_t i = 0; i < count; i++)
		items[i] = (NodeRange){ draw_range(state, &cursor), draw_u32(state) };
	return (NodeRangeList){ items, count };
}

/* Now and then a window that is said to be absent: nothing, with a role. */
static MmioClaim draw_claim(uint64_t *state, MemoryRange range, bool may_be_empty)
{
	const bool empty = may_be_empty && one_in(state, 10);

	return (MmioClaim){
		.start = range.start,
		.len = empty ? 0 : memory_range_len(range),
		.vtl = one_in(state, 3) ? 2 : 0,
		.role = empty               ? 1 + (uint32_t)random_draw(state, 2)
			: one_in(state, 20) ? draw_u32(state)
					    : (uint32_t)random_draw(state, MMIO_ROLE_COUNT),
	};
}

static const char *make_place(Arena *arena, uint64_t start)
{
	char *place = take(arena, 64, 1);

	snprintf(place, 64, "dtb:/openhcl/memory@%" PRIx64, start);
	return place;
}

static MemoryType draw_type(uint64_t *state)
{
	static const MemoryType types[] = { MEMORY_TYPE_VTL0, MEMORY_TYPE_VTL0,
		MEMORY_TYPE_VTL2_RAM, MEMORY_TYPE_VTL2_CONFIG, MEMORY_TYPE_VTL2_SIDECAR_IMAGE,
		MEMORY_TYPE_VTL2_SIDECAR_NODE, MEMORY_TYPE_VTL2_GPA_POOL,
		MEMORY_TYPE_VTL2_TDX_PAGE_TABLES, MEMORY_TYPE_VTL2_LOG_BUFFER };

	return types[random_draw(state, ARRAY_COUNT(types))];
}

static MapEntry draw_entry(uint64_t *state, uint64_t *cursor, MemoryType type)
{
	return (MapEntry){ draw_range(state, cursor), type, (uint16_t)draw_u32(state),
		draw_u32(state) };
}

/* RAM and MMIO by turns, upwards; among it once what there must be once. */
static void draw_map(uint64_t *state, BootInfo *info, Arena *arena)
{
	const size_t count = draw_count(state);
	MapEntry *ram = take(arena, count + 3, sizeof(*ram));
	MmioClaim *mmio = take(arena, BOOT_INFO_MAX_MMIO, sizeof(*mmio));
	size_t ram_count = 0, mmio_count = 0;
	uint64_t cursor = 0;

	ram[ram_count++] = draw_entry(state, &cursor, MEMORY_TYPE_VTL2_PERSISTED_HEADER);
	for (size_t i = 0; i < count; i++) {
		if (one_in(state, 3) && mmio_count < BOOT_INFO_MAX_MMIO) {
			MmioClaim *claim = &mmio[mmio_count++];

			*claim = draw_claim(state, draw_range(state, &cursor), true);
			claim->place = make_place(arena, claim->start);
		} else {
			ram[ram_count++] = draw_entry(state, &cursor, draw_type(state));
		}
	}
	ram[ram_count++] = draw_entry(state, &cursor, MEMORY_TYPE_VTL2_PERSISTED_PROTOBUF);
	if (one_in(state, 2))
		ram[ram_count++] = draw_entry(state, &cursor, MEMORY_TYPE_VTL2_RESERVED);
	info->map = (MapEntryList){ ram, ram_count };
	info->mmio = (MmioClaimList){ mmio, mmio_count };
}

static BootGic draw_gic(uint64_t *state, size_t cpus)
{
	return (BootGic){
		.present = true,
		.distributor_base = draw_u64(state),
		.distributor_size = 0x10000,
		.redistributor_base = draw_u64(state),
		.redistributor_size = STRIDE * cpus,
		.redistributor_stride = STRIDE,
		.pmu_gsiv = one_in(state, 3) ? 0 : 16 + (uint32_t)random_draw(state, 16),
	};
}

static AllocationMode draw_allocation(uint64_t *state)
{
	AllocationMode mode = { .vtl2 = one_in(state, 2) };

	mode.has_memory_size = mode.vtl2 && one_in(state, 2);
	mode.has_mmio_size = mode.vtl2 && one_in(state, 2);
	if (mode.has_memory_size)
		mode.memory_size = draw_u64(state);
	if (mode.has_mmio_size)
		mode.mmio_size = draw_u64(state);
	return mode;
}

static BootTimes draw_times(uint64_t *state)
{
	BootTimes times = {
		.has_start = one_in(state, 2),
		.has_end = one_in(state, 2),
		.has_sidecar_start = one_in(state, 2),
		.has_sidecar_end = one_in(state, 2),
	};

	times.start = times.has_start ? draw_u64(state) : 0;
	times.end = times.has_end ? draw_u64(state) : 0;
	times.sidecar_start = times.has_sidecar_start ? draw_u64(state) : 0;
	times.sidecar_end = times.has_sidecar_end ? draw_u64(state) : 0;
	return times;
}

static GuestArch draw_arch(uint64_t *state)
{
	return one_in(state, 2) ? GUEST_ARCH_X86_64 : GUEST_ARCH_AARCH64;
}

BootInfo random_boot_info(uint64_t *state, Arena *arena)
{
	BootInfo info = {
		.arch = draw_arch(state),
		.bsp_reg = draw_u32(state),
		.has_openhcl = true,
		.vtl2_ram = draw_node_ranges(state, arena),
		.accepted = draw_ranges(state, arena),
		.has_alias_map = one_in(state, 2),
		.isolation = (IsolationType)(int)random_draw(state, ISOLATION_COUNT),
		.allocation = draw_allocation(state),
		.times = draw_times(state),
	};
	Error err;

	info.cpus = draw_cpus(state, info.arch, arena);
	if (info.has_alias_map)
		info.alias_map = draw_u64(state);
	if (info.arch == GUEST_ARCH_AARCH64 && !one_in(state, 4)) {
		info.gic = draw_gic(state, info.cpus.count);
		info.gic.virt_timer_ppi = 20;
		info.gic.irq_count = 992;
	}
	if (!one_in(state, 8))
		info.vtl2_bus =
			(Vtl2Bus){ true, draw_u32(state), draw_ranges(state, arena), NULL };
	draw_map(state, &info, arena);
	if (!boot_map_collect(&info, arena, &err))
		abort();
	return info;
}

/* RAM and MMIO by turns, upwards. */
static void draw_host_map(uint64_t *state, HostInfo *info, Arena *arena)
{
	const size_t count = draw_count(state);
	HostMemory *ram = take(arena, count, sizeof(*ram));
	MmioClaim *mmio = take(arena, BOOT_INFO_MAX_MMIO, sizeof(*mmio));
	size_t ram_count = 0, mmio_count = 0;
	uint64_t cursor = 0;

	for (size_t i = 0; i < count; i++) {
		const MemoryRange range = draw_range(state, &cursor);

		if (one_in(state, 3) && mmio_count < BOOT_INFO_MAX_MMIO)
			mmio[mmio_count++] = draw_claim(state, range, true);
		else
			ram[ram_count++] = (HostMemory){ range, (uint16_t)draw_u32(state),
				draw_u32(state) };
	}
	info->memory = (HostMemoryList){ ram, ram_count };
	info->mmio = (MmioClaimList){ mmio, mmio_count };
}

static Bytes draw_entropy(uint64_t *state, Arena *arena)
{
	const size_t len = (size_t)random_draw(state, HOST_INFO_MAX_ENTROPY + 1);
	uint8_t *data = take(arena, len, 1);

	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)random_draw(state, 256);
	return (Bytes){ data, one_in(state, 2) ? len : 0 };
}

static const char *draw_bootargs(uint64_t *state, Arena *arena)
{
	const size_t len =
		(size_t)random_draw(state, one_in(state, 20) ? HOST_INFO_MAX_BOOTARGS + 1 : 60);
	char *text = take(arena, len + 1, 1);

	for (size_t i = 0; i < len; i++)
		text[i] = (char)(' ' + random_draw(state, 95));
	return text;
}

static void draw_host_devices(uint64_t *state, HostInfo *info)
{
	if (info->arch == GUEST_ARCH_X86_64) {
		if (one_in(state, 2))
			info->com3 =
				(HostSerial){ true, HOST_INFO_COM3_PORT, 0, draw_u32(state) };
		return;
	}
	if (!one_in(state, 4))
		info->gic = draw_gic(state, info->cpus.count);
	else if (one_in(state, 2))
		info->gic.pmu_gsiv = 16 + (uint32_t)random_draw(state, 16);
	if (one_in(state, 2))
		info->pl011 =
			(HostSerial){ true, draw_u32(state), draw_u32(state), draw_u32(state) };
}

HostInfo random_host_info(uint64_t *state, Arena *arena)
{
	HostInfo info = {
		.arch = draw_arch(state),
		.bsp_reg = draw_u32(state),
		.vmbus_vtl0 = { true, draw_u32(state) },
		.vmbus_vtl2 = { true, draw_u32(state) },
		.bootargs = draw_bootargs(state, arena),
		.allocation = draw_allocation(state),
		.has_alias_map = one_in(state, 2),
		.entropy = draw_entropy(state, arena),
		.nvme_keep_alive = one_in(state, 2),
		.has_pool_pages = one_in(state, 2),
	};

	info.cpus = draw_cpus(state, info.arch, arena);
	if (info.has_alias_map)
		info.alias_map = draw_u64(state);
	if (info.has_pool_pages)
		info.pool_pages = 1 + draw_u32(state);
	draw_host_devices(state, &info);
	draw_host_map(state, &info, arena);
	return info;
}
