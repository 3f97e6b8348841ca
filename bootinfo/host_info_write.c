/*
 * HostInfo -> host tree.
 * [OVMM] openvmm/openvmm_core/src/worker/vm_loaders/igvm.rs, build_device_tree; what only hosts of
 * aarch64 say: openhcl/host_fdt_parser/src/lib.rs, which reads it
 *
 * Ports of x86 have 64 bit values in `reg`, as their reader wants them, below a bus that says so.
 */
#include "bootinfo/host_info_write.h"

#include <inttypes.h>
#include <string.h>

#include "bootinfo/fdt_writer.h"
#include "bootinfo/gic_check.h"
#include "support/checked.h"
#include "support/diagnostics.h"

#define GIC_PHANDLE 1
#define SERIAL_SIZE 0x1000 /* PL011 */
#define PORT_COUNT 8       /* 16550 */
#define INTERRUPT_SPI 0
#define INTERRUPT_PPI 1
#define INTERRUPT_LEVEL_HIGH 4

#define HOST_NAMES(NAME)                                                                       \
	NAME(ADDRESS_CELLS, "#address-cells")                                                  \
	NAME(SIZE_CELLS, "#size-cells")                                                        \
	NAME(MODEL, "model")                                                                   \
	NAME(REG, "reg")                                                                       \
	NAME(DEVICE_TYPE, "device_type")                                                       \
	NAME(STATUS, "status")                                                                 \
	NAME(COMPATIBLE, "compatible")                                                         \
	NAME(RANGES, "ranges")                                                                 \
	NAME(NUMA_NODE, "numa-node-id")                                                        \
	NAME(IGVM_TYPE, "microsoft,igvm-type")                                                 \
	NAME(VTL, "microsoft,vtl")                                                             \
	NAME(CONNECTION_ID, "microsoft,message-connection-id")                                 \
	NAME(MMIO_ROLES, "openhcl,mmio-roles")                                                 \
	NAME(CLOCK_FREQUENCY, "clock-frequency")                                               \
	NAME(CURRENT_SPEED, "current-speed")                                                   \
	NAME(INTERRUPT_PARENT, "interrupt-parent")                                             \
	NAME(INTERRUPTS, "interrupts")                                                         \
	NAME(INTERRUPT_CELLS, "#interrupt-cells")                                              \
	NAME(REDISTRIBUTOR_REGIONS, "#redistributor-regions")                                  \
	NAME(REDISTRIBUTOR_STRIDE, "redistributor-stride")                                     \
	NAME(INTERRUPT_CONTROLLER, "interrupt-controller")                                     \
	NAME(PHANDLE, "phandle")                                                               \
	NAME(BOOTARGS, "bootargs")                                                             \
	NAME(ALLOCATION_MODE, "memory-allocation-mode")                                        \
	NAME(MEMORY_SIZE, "memory-size")                                                       \
	NAME(MMIO_SIZE, "mmio-size")                                                           \
	NAME(ALIAS_MAP, "vtl0-alias-map")                                                      \
	NAME(DEVICE_TYPES, "device-types")                                                     \
	NAME(TOTAL_PAGES, "total-pages")

enum {
#define NAME(constant, text) NAME_##constant,
	HOST_NAMES(NAME)
#undef NAME
		NAME_COUNT
};

static const char *const host_names[] = {
#define NAME(constant, text) text,
	HOST_NAMES(NAME)
#undef NAME
};
static_assert(ARRAY_COUNT(host_names) == NAME_COUNT, "one text a name");

/* Bytes that the parts of a tree take at most; what there is once fits into the first. */
#define BOUND_ONCE 3072
#define BOUND_CPU 112
#define BOUND_MEMORY 128
#define BOUND_CLAIM 28

static bool check_counts(const HostInfo *info, Error *err)
{
	const struct {
		const char *what;
		size_t count, limit;
	} rows[] = {
		{ "processors", info->cpus.count, BOOT_INFO_MAX_CPUS },
		{ "ranges of memory", info->memory.count, HOST_INFO_MAX_MEMORY },
		{ "MMIO ranges", info->mmio.count, BOOT_INFO_MAX_MMIO },
		{ "bytes of command line", strlen(info->bootargs), HOST_INFO_MAX_BOOTARGS },
		{ "bytes of entropy", info->entropy.len, HOST_INFO_MAX_ENTROPY },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (rows[i].count > rows[i].limit)
			return error_set(err, PVW_HOST_0004, "%zu %s, expected at most %zu",
				rows[i].count, rows[i].what, rows[i].limit);
	}
	return true;
}

static bool check_claims(const HostInfo *info, Error *err)
{
	for (size_t i = 0; i < info->mmio.count; i++) {
		const MmioClaim *claim = &info->mmio.items[i];
		uint64_t end;

		if (!is_aligned(claim->start | claim->len, PAGE_SIZE) ||
			!checked_add_u64(claim->start, claim->len, &end) ||
			(claim->vtl != 0 && claim->vtl != 2))
			return error_set(err, PVW_TREE_0005,
				"MMIO at 0x%" PRIx64 ", 0x%" PRIx64
				" bytes, VTL%u, expected whole pages below 2^64 of VTL0 or "
				"VTL2",
				claim->start, claim->len, (unsigned)claim->vtl);
	}
	return true;
}

static bool check_serial(const HostInfo *info, Error *err)
{
	if (info->com3.present && info->com3.base != HOST_INFO_COM3_PORT)
		return error_set(err, PVW_TREE_0005,
			"serial port 0x%" PRIx64 ", expected 0x%" PRIx64, info->com3.base,
			HOST_INFO_COM3_PORT);
	if (info->pl011.present && info->pl011.base > UINT32_MAX)
		return error_set(err, PVW_TREE_0005,
			"serial port at 0x%" PRIx64 ", expected below 4 GiB", info->pl011.base);
	return true;
}

static bool check_cpus(const HostInfo *info, Error *err)
{
	if (info->cpus.count == 0)
		return error_set(err, PVW_TREE_0009, "no processor, expected at least one");
	for (size_t i = 0; i < info->cpus.count; i++) {
		if (info->arch == GUEST_ARCH_X86_64 && info->cpus.items[i].reg > UINT32_MAX)
			return error_set(err, PVW_TREE_0005,
				"processor %zu: APIC id 0x%" PRIx64 ", expected 32 bits", i,
				info->cpus.items[i].reg);
	}
	return true;
}

static bool check_info(const HostInfo *info, Error *err)
{
	if (!info->vmbus_vtl0.present || !info->vmbus_vtl2.present)
		return error_set(err, PVW_TREE_0009, "no bus for VTL%d, expected one for each",
			info->vmbus_vtl0.present ? 2 : 0);
	return check_counts(info, err) && check_cpus(info, err) && check_claims(info, err) &&
		check_serial(info, err) && gic_check(&info->gic, info->cpus.count, err);
}

static void put_cells(FdtWriter *w, uint32_t address_cells, uint32_t size_cells)
{
	fdt_put_u32(w, NAME_ADDRESS_CELLS, address_cells);
	fdt_put_u32(w, NAME_SIZE_CELLS, size_cells);
}

static void put_cpus(FdtWriter *w, const HostInfo *info)
{
	const bool x86 = info->arch == GUEST_ARCH_X86_64;

	fdt_put_node(w, "cpus");
	put_cells(w, x86 ? 1 : 2, 0);
	for (size_t i = 0; i < info->cpus.count; i++) {
		const BootCpu *cpu = &info->cpus.items[i];

		fdt_put_node_at(w, "cpu", i + 1);
		fdt_put_string(w, NAME_DEVICE_TYPE, "cpu");
		if (x86)
			fdt_put_u32(w, NAME_REG, (uint32_t)cpu->reg);
		else
			fdt_put_u64(w, NAME_REG, cpu->reg);
		fdt_put_u32(w, NAME_NUMA_NODE, cpu->vnode);
		fdt_put_string(w, NAME_STATUS, "okay");
		fdt_put_end(w);
	}
	fdt_put_end(w);
}

static void put_memory(FdtWriter *w, const HostInfo *info)
{
	for (size_t i = info->memory.count; i-- > 0;) {
		const HostMemory *memory = &info->memory.items[i];

		fdt_put_node_at(w, "memory", memory->range.start);
		fdt_put_string(w, NAME_DEVICE_TYPE, "memory");
		fdt_put_u64s(w, NAME_REG, memory->range.start, memory_range_len(memory->range));
		fdt_put_u32(w, NAME_IGVM_TYPE, memory->igvm_type);
		fdt_put_u32(w, NAME_NUMA_NODE, memory->vnode);
		fdt_put_end(w);
	}
}

static void put_pmu(FdtWriter *w, const BootGic *gic)
{
	if (gic->pmu_gsiv == 0)
		return;
	fdt_put_node(w, "pmu");
	fdt_put_string(w, NAME_COMPATIBLE, "arm,armv8-pmuv3");
	if (gic->present)
		fdt_put_u32(w, NAME_INTERRUPT_PARENT, GIC_PHANDLE);
	fdt_put_u32s(w, NAME_INTERRUPTS, INTERRUPT_PPI, gic->pmu_gsiv - GIC_FIRST_PPI,
		INTERRUPT_LEVEL_HIGH);
	fdt_put_end(w);
}

static void put_gic(FdtWriter *w, const BootGic *gic)
{
	if (!gic->present)
		return;
	fdt_put_node_at(w, "intc", gic->distributor_base);
	fdt_put_string(w, NAME_COMPATIBLE, "arm,gic-v3");
	fdt_put_u32(w, NAME_REDISTRIBUTOR_REGIONS, 1);
	fdt_put_u64(w, NAME_REDISTRIBUTOR_STRIDE, gic->redistributor_stride);
	fdt_put_u64s(w, NAME_REG, gic->distributor_base, gic->distributor_size,
		gic->redistributor_base, gic->redistributor_size);
	put_cells(w, 2, 2);
	fdt_put_u32(w, NAME_INTERRUPT_CELLS, 3);
	fdt_put_empty(w, NAME_INTERRUPT_CONTROLLER);
	fdt_put_u32(w, NAME_PHANDLE, GIC_PHANDLE);
	fdt_put_empty(w, NAME_RANGES);
	fdt_put_end(w);
}

static void put_pl011(FdtWriter *w, const HostInfo *info)
{
	const HostSerial *serial = &info->pl011;

	if (!serial->present)
		return;
	fdt_put_node_at(w, "serial", serial->base);
	fdt_put_string(w, NAME_COMPATIBLE, "arm,sbsa-uart");
	fdt_put_u32s(w, NAME_REG, 0, (uint32_t)serial->base, 0, SERIAL_SIZE);
	if (info->gic.present)
		fdt_put_u32(w, NAME_INTERRUPT_PARENT, GIC_PHANDLE);
	fdt_put_u32s(
		w, NAME_INTERRUPTS, INTERRUPT_SPI, serial->interrupt, INTERRUPT_LEVEL_HIGH);
	fdt_put_u32(w, NAME_CURRENT_SPEED, serial->baud);
	fdt_put_string(w, NAME_STATUS, "okay");
	fdt_put_end(w);
}

/* The ranges of one bus, as they are written. */
typedef struct Windows {
	MemoryRange ranges[BOOT_INFO_MAX_MMIO];
	uint32_t roles[BOOT_INFO_MAX_MMIO];
	size_t count;
	bool has_roles;
} Windows;

/* Nothing is where nothing was declared: readers might take it for the low window. */
static bool is_said(const MmioClaim *claim)
{
	return claim->len || claim->role != MMIO_ROLE_UNSPECIFIED;
}

static void list_windows(MmioClaimList claims, uint8_t vtl, Windows *out)
{
	out->count = 0;
	out->has_roles = false;
	for (size_t i = 0; i < claims.count; i++) {
		const MmioClaim *claim = &claims.items[i];

		if (claim->vtl != vtl || !is_said(claim))
			continue;
		out->ranges[out->count] =
			(MemoryRange){ claim->start, claim->start + claim->len };
		out->roles[out->count++] = claim->role;
		out->has_roles |= claim->role != MMIO_ROLE_UNSPECIFIED;
	}
}

static void put_vmbus(
	FdtWriter *w, const char *name, const HostVmbus *bus, uint8_t vtl, MmioClaimList claims)
{
	UNINITIALIZED Windows windows;

	list_windows(claims, vtl, &windows);
	if (windows.count)
		fdt_put_node_at(w, name, windows.ranges[0].start);
	else
		fdt_put_node(w, name);
	put_cells(w, 2, 2);
	fdt_put_string(w, NAME_COMPATIBLE, "microsoft,vmbus");
	fdt_put_windows(w, NAME_RANGES, (MemoryRangeList){ windows.ranges, windows.count });
	if (windows.has_roles)
		fdt_put_u32_list(w, NAME_MMIO_ROLES, windows.roles, windows.count);
	fdt_put_u32(w, NAME_VTL, vtl);
	fdt_put_u32(w, NAME_CONNECTION_ID, bus->connection_id);
	fdt_put_end(w);
}

static void put_bus(FdtWriter *w, const HostInfo *info)
{
	fdt_put_node(w, "bus");
	fdt_put_string(w, NAME_COMPATIBLE, "simple-bus");
	put_cells(w, 2, 2);
	fdt_put_empty(w, NAME_RANGES);
	put_vmbus(w, "vmbus-vtl0", &info->vmbus_vtl0, 0, info->mmio);
	put_vmbus(w, "vmbus-vtl2", &info->vmbus_vtl2, 2, info->mmio);
	fdt_put_end(w);
}

static void put_com3(FdtWriter *w, const HostSerial *com3)
{
	if (!com3->present)
		return;
	fdt_put_node(w, "pio-bus");
	fdt_put_string(w, NAME_COMPATIBLE, "x86-pio-bus");
	put_cells(w, 2, 2);
	fdt_put_empty(w, NAME_RANGES);
	fdt_put_node_at(w, "serial", com3->base);
	fdt_put_string(w, NAME_COMPATIBLE, "ns16550");
	fdt_put_u32(w, NAME_CLOCK_FREQUENCY, 0);
	fdt_put_u32(w, NAME_CURRENT_SPEED, com3->baud);
	fdt_put_u64s(w, NAME_REG, com3->base, PORT_COUNT);
	fdt_put_end(w);
	fdt_put_end(w);
}

static void put_openhcl_children(FdtWriter *w, const HostInfo *info)
{
	if (info->entropy.len) {
		fdt_put_node(w, "entropy");
		fdt_put_bytes(w, NAME_REG, info->entropy);
		fdt_put_end(w);
	}
	if (info->nvme_keep_alive) {
		fdt_put_node(w, "keep-alive");
		fdt_put_string(w, NAME_DEVICE_TYPES, "nvme");
		fdt_put_end(w);
	}
	if (info->has_pool_pages) {
		fdt_put_node(w, "device-dma");
		fdt_put_u64(w, NAME_TOTAL_PAGES, info->pool_pages);
		fdt_put_end(w);
	}
}

static void put_openhcl(FdtWriter *w, const HostInfo *info)
{
	const AllocationMode *mode = &info->allocation;

	fdt_put_node(w, "openhcl");
	if (info->entropy.len)
		put_cells(w, 2, 2);
	fdt_put_string(w, NAME_ALLOCATION_MODE, mode->vtl2 ? "vtl2" : "host");
	if (mode->vtl2 && mode->has_memory_size)
		fdt_put_u64(w, NAME_MEMORY_SIZE, mode->memory_size);
	if (mode->vtl2 && mode->has_mmio_size)
		fdt_put_u64(w, NAME_MMIO_SIZE, mode->mmio_size);
	if (info->has_alias_map)
		fdt_put_u64(w, NAME_ALIAS_MAP, info->alias_map);
	put_openhcl_children(w, info);
	fdt_put_end(w);
}

static void put_root(FdtWriter *w, const HostInfo *info)
{
	fdt_put_node(w, "");
	put_cells(w, 2, 2);
	fdt_put_string(w, NAME_MODEL, "microsoft,hyperv");
	put_cpus(w, info);
	put_memory(w, info);
	put_gic(w, &info->gic);
	put_pmu(w, &info->gic);
	put_pl011(w, info);
	put_bus(w, info);
	put_com3(w, &info->com3);
	fdt_put_node(w, "chosen");
	fdt_put_string(w, NAME_BOOTARGS, info->bootargs);
	fdt_put_end(w);
	put_openhcl(w, info);
	fdt_put_end(w);
}

bool host_info_write(const HostInfo *info, Arena *arena, Bytes *out, Error *err)
{
	FdtWriterSetup setup = {
		.what = "host tree",
		.names = host_names,
		.name_count = NAME_COUNT,
		.strings_room = FDT_WRITER_STRINGS,
		.limit = BOOT_INFO_MAX_DTB,
		.boot_cpu = info->bsp_reg,
	};
	FdtWriter w;

	if (!check_info(info, err))
		return error_wrap(err, "host tree");
	setup.structure_bound = BOUND_ONCE + info->cpus.count * BOUND_CPU +
		info->memory.count * BOUND_MEMORY + info->mmio.count * BOUND_CLAIM +
		strlen(info->bootargs) + info->entropy.len;
	if (!fdt_writer_begin(&setup, arena, &w, err))
		return false;
	put_root(&w, info);
	return fdt_writer_finish(&w, arena, out, err);
}
