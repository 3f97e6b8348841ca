/*
 * Host tree -> HostInfo: the root's children by name and by `compatible`, processors, memory and
 * the host's wishes; devices are in host_parse_devices.c. [OVMM] openhcl/host_fdt_parser/src/lib.rs
 */
#include "bootinfo/host_info_parse.h"

#include <inttypes.h>
#include <string.h>

#include "bootinfo/host_parse_internal.h"
#include "bootinfo/start_sort.h"
#include "support/diagnostics.h"

void *host_parse_add(HostTree *tree, GrowingList *list, Error *err)
{
	void *item = growing_list_add(list, tree->arena, err);

	if (!item)
		fdt_fail_here(err, &tree->reader, FDT_NODE_ITSELF);
	return item;
}

bool host_parse_compatible(const HostTree *tree, const char **out, Error *err)
{
	if (fdt_has(&tree->reader, FDT_COMPATIBLE))
		return fdt_read_string(&tree->reader, FDT_COMPATIBLE, out, err);
	*out = "";
	return true;
}

static bool parse_cpus(HostTree *tree, Error *err)
{
	if (!fdt_read_u32(&tree->reader, FDT_ADDRESS_CELLS, &tree->cpu_cells, err))
		return false;
	if (tree->cpu_cells != 1 && tree->cpu_cells != 2)
		return fdt_fail(err, &tree->reader, FDT_ADDRESS_CELLS, PVW_HOST_0002,
			"%" PRIu32 ", expected 1 or 2", tree->cpu_cells);
	tree->cpus.count = 0;
	return true;
}

/* cpu-map, caches and idle states are no processors: they have neither `reg` nor `status`. */
static bool is_cpu(const FdtReader *reader)
{
	return fdt_name_starts(reader, "cpu@") || fdt_has(reader, FDT_REG) ||
		fdt_has(reader, FDT_STATUS);
}

/* The order of the enabled ones is that of the virtual processors. */
static bool parse_cpu(HostTree *tree, Error *err)
{
	const FdtReader *reader = &tree->reader;
	const char *status;
	uint32_t low = 0;
	BootCpu cpu, *item;

	if (!is_cpu(reader))
		return true;
	if (!fdt_read_string(reader, FDT_STATUS, &status, err))
		return false;
	if (strcmp(status, "okay") != 0)
		return true;
	if (tree->cpu_cells == 2 ? !fdt_read_u64(reader, FDT_REG, &cpu.reg, err)
				 : !fdt_read_u32(reader, FDT_REG, &low, err))
		return false;
	if (tree->cpu_cells == 1)
		cpu.reg = low;
	if (!fdt_read_u32(reader, FDT_NUMA_NODE, &cpu.vnode, err))
		return false;
	item = host_parse_add(tree, &tree->cpus, err);
	if (!item)
		return false;
	*item = cpu;
	return true;
}

/* One tuple of `reg`; an empty one is no memory. */
static bool add_memory(HostTree *tree, size_t index, HostMemory memory, Error *err)
{
	const FdtReader *reader = &tree->reader;
	HostMemory *item;

	if (!memory_range_from_base_len(fdt_u64_at(reader, FDT_REG, 2 * index),
		    fdt_u64_at(reader, FDT_REG, 2 * index + 1), &memory.range, err))
		return fdt_fail_here(err, reader, FDT_REG);
	if (memory_range_is_empty(memory.range))
		return true;
	item = host_parse_add(tree, &tree->memory, err);
	if (!item)
		return false;
	*item = memory;
	return true;
}

static bool parse_memory(HostTree *tree, Error *err)
{
	const FdtReader *reader = &tree->reader;
	HostMemory memory = { 0 };
	uint32_t igvm_type = IGVM_MEMORY;
	size_t count;

	if (!fdt_read_u32(reader, FDT_NUMA_NODE, &memory.vnode, err))
		return false;
	if (fdt_has(reader, FDT_IGVM_TYPE) &&
		!fdt_read_u32(reader, FDT_IGVM_TYPE, &igvm_type, err))
		return false;
	memory.igvm_type = (uint16_t)igvm_type;
	if (!fdt_u64_count(reader, FDT_REG, &count, err))
		return false;
	if (count % 2)
		return fdt_fail(err, reader, FDT_REG, PVW_DT_0013,
			"%zu elements of u64, expected pairs", count);
	for (size_t i = 0; i < count / 2; i++) {
		if (!add_memory(tree, i, memory, err))
			return false;
	}
	return true;
}

static bool parse_chosen(HostTree *tree, Error *err)
{
	const char *bootargs;
	size_t len;

	if (!fdt_has(&tree->reader, FDT_BOOTARGS))
		return true;
	if (!fdt_read_string(&tree->reader, FDT_BOOTARGS, &bootargs, err))
		return false;
	len = strlen(bootargs);
	if (len > HOST_INFO_MAX_BOOTARGS)
		return fdt_fail(err, &tree->reader, FDT_BOOTARGS, PVW_HOST_0010,
			"%zu bytes, expected at most %d", len, HOST_INFO_MAX_BOOTARGS);
	tree->info.bootargs = bootargs;
	return true;
}

static bool parse_openhcl(HostTree *tree, Error *err)
{
	const FdtReader *reader = &tree->reader;
	AllocationMode mode = { 0 };
	const char *name;

	if (!fdt_read_string(reader, FDT_ALLOCATION_MODE, &name, err))
		return false;
	mode.vtl2 = strcmp(name, "vtl2") == 0;
	if (!mode.vtl2 && strcmp(name, "host") != 0)
		return fdt_fail(err, reader, FDT_ALLOCATION_MODE, PVW_HOST_0011,
			"\"%.60s\", expected \"host\" or \"vtl2\"", name);
	if (mode.vtl2 &&
		(!fdt_read_optional_u64(reader, FDT_MEMORY_SIZE, &mode.has_memory_size,
			 &mode.memory_size, err) ||
			!fdt_read_optional_u64(reader, FDT_MMIO_SIZE, &mode.has_mmio_size,
				&mode.mmio_size, err)))
		return false;
	tree->info.allocation = mode;
	return fdt_read_optional_u64(
		reader, FDT_ALIAS_MAP, &tree->info.has_alias_map, &tree->info.alias_map, err);
}

static bool parse_entropy(HostTree *tree, Error *err)
{
	if (!fdt_has(&tree->reader, FDT_REG))
		return fdt_fail(
			err, &tree->reader, FDT_REG, PVW_DT_0011, "absent, expected bytes");

	Bytes entropy = tree->reader.values[FDT_REG];

	if (entropy.len > HOST_INFO_MAX_ENTROPY)
		entropy.len = HOST_INFO_MAX_ENTROPY;
	tree->info.entropy = entropy;
	return true;
}

static bool parse_openhcl_child(HostTree *tree, Error *err)
{
	const FdtReader *reader = &tree->reader;
	HostInfo *info = &tree->info;
	const char *types;

	if (fdt_name_is(reader, "entropy"))
		return parse_entropy(tree, err);
	if (fdt_name_is(reader, "keep-alive") && fdt_has(reader, FDT_DEVICE_TYPES)) {
		if (!fdt_read_string(reader, FDT_DEVICE_TYPES, &types, err))
			return false;
		info->nvme_keep_alive = strcmp(types, "nvme") == 0;
	} else if (fdt_name_is(reader, "device-dma")) {
		if (!fdt_read_optional_u64(reader, FDT_TOTAL_PAGES, &info->has_pool_pages,
			    &info->pool_pages, err))
			return false;
		if (info->pool_pages == 0)
			info->has_pool_pages = false;
	}
	return true;
}

/* Children of the root: by name first, then by the first string of `compatible`. */
static const struct RootChild {
	const char *name;
	enum { BY_NAME, BY_PREFIX, BY_COMPATIBLE } by;
	bool (*read)(HostTree *tree, Error *err);       /* may be NULL */
	bool (*read_child)(HostTree *tree, Error *err); /* may be NULL */
} root_children[] = {
	{ "cpus", BY_NAME, parse_cpus, parse_cpu },
	{ "openhcl", BY_NAME, parse_openhcl, parse_openhcl_child },
	{ "chosen", BY_NAME, parse_chosen, NULL },
	{ "memory@", BY_PREFIX, parse_memory, NULL },
	{ "intc@", BY_PREFIX, host_parse_gic, NULL },
	{ "simple-bus", BY_COMPATIBLE, host_parse_bus, host_parse_bus_child },
	{ "x86-pio-bus", BY_COMPATIBLE, NULL, host_parse_port_child },
	{ "arm,sbsa-uart", BY_COMPATIBLE, host_parse_pl011, NULL },
	{ "arm,armv8-pmuv3", BY_COMPATIBLE, host_parse_pmu, NULL },
};

static bool is_named(const FdtReader *reader, const struct RootChild *row)
{
	return (row->by == BY_NAME && fdt_name_is(reader, row->name)) ||
		(row->by == BY_PREFIX && fdt_name_starts(reader, row->name));
}

/* @out: NULL if nobody reads it. `compatible` is looked at only where the name does not decide. */
static bool find_root_child(const HostTree *tree, const struct RootChild **out, Error *err)
{
	const char *compatible;

	*out = NULL;
	for (size_t i = 0; i < ARRAY_COUNT(root_children) && !*out; i++) {
		if (is_named(&tree->reader, &root_children[i]))
			*out = &root_children[i];
	}
	if (*out)
		return true;
	if (!host_parse_compatible(tree, &compatible, err))
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(root_children) && !*out; i++) {
		const struct RootChild *row = &root_children[i];

		if (row->by == BY_COMPATIBLE && strcmp(compatible, row->name) == 0)
			*out = row;
	}
	return true;
}

static bool read_nodes(HostTree *tree, Error *err)
{
	const struct RootChild *inside = NULL;

	for (;;) {
		if (!fdt_reader_next(&tree->reader, err))
			return false;
		if (tree->reader.depth == 0)
			return true;
		if (tree->reader.depth == 2) {
			if (!find_root_child(tree, &inside, err))
				return false;
			if (inside && inside->read && !inside->read(tree, err))
				return false;
		} else if (tree->reader.depth == 3 && inside && inside->read_child) {
			if (!inside->read_child(tree, err))
				return false;
		}
	}
}

static_assert(offsetof(HostMemory, range.start) == 0, "start_sort");
static_assert(offsetof(MmioClaim, start) == 0, "start_sort");

static bool finish(HostTree *tree, Error *err)
{
	GrowingList *memory = &tree->memory, *mmio = &tree->mmio;
	HostInfo *info = &tree->info;

	if (!start_sort(memory->items, memory->count, memory->item_size, tree->arena, err) ||
		!start_sort(mmio->items, mmio->count, mmio->item_size, tree->arena, err))
		return false;
	info->bsp_reg = tree->reader.walk.boot_cpu;
	info->cpus = (CpuList){ tree->cpus.items, tree->cpus.count };
	info->memory = (HostMemoryList){ memory->items, memory->count };
	info->mmio = (MmioClaimList){ mmio->items, mmio->count };
	return host_info_check(info, err);
}

bool host_info_parse(GuestArch arch, Bytes blob, Arena *arena, HostInfo *out, Error *err)
{
	HostTree tree = {
		.arena = arena,
		.info = { .arch = arch, .bootargs = "" },
		.cpus = GROWING_LIST(BootCpu, BOOT_INFO_MAX_CPUS, PVW_HOST_0004, "processors"),
		.memory = GROWING_LIST(
			HostMemory, HOST_INFO_MAX_MEMORY, PVW_HOST_0004, "ranges of memory"),
		.mmio = GROWING_LIST(
			MmioClaim, BOOT_INFO_MAX_MMIO, PVW_HOST_0004, "MMIO ranges"),
	};

	if (blob.len == 0 || blob.data[0] == 0) {
		error_set(err, PVW_HOST_0001, "%s, expected a tree that starts with 0xd0",
			blob.len ? "the first byte is 0" : "no bytes");
		return error_at_offset(err, HOST_TREE_NAME, 0);
	}
	if (!fdt_reader_open(HOST_TREE_NAME, blob, arena, &tree.reader, err) ||
		!read_nodes(&tree, err) || !finish(&tree, err))
		return false;
	*out = tree.info;
	return true;
}
