/*
 * BootInfo -> boot tree. Nodes and properties are written in the order of the reference.
 * [OVMM] openhcl/openhcl_boot/src/dt.rs, write_dt
 */
#include "bootinfo/boot_info_write.h"

#include <inttypes.h>
#include <string.h>

#include "bootinfo/boot_map.h"
#include "bootinfo/boot_write_internal.h"
#include "support/checked.h"
#include "support/diagnostics.h"

static const char *const boot_names[] = {
#define NAME(constant, text) text,
	BOOT_NAMES(NAME)
#undef NAME
};
static_assert(ARRAY_COUNT(boot_names) == NAME_COUNT, "one text a name");

/* Bytes that the parts of a tree take at most; what there is once fits into the first. */
#define BOUND_ONCE 3072
#define BOUND_CPU 144
#define BOUND_MEMORY 152
#define BOUND_SIDECAR 144
#define BOUND_WINDOW 24
#define BOUND_PADDING 4

/* The mailbox through which a TDX guest's processors are woken. */
#define WAKEUP_MAILBOX UINT64_C(0xfffff000)
#define SIDECAR_CONTROL_SIZE UINT64_C(0x1000)

static bool fail_claim(const MmioClaim *claim, Error *err)
{
	error_set(err, PVW_TREE_0005,
		"MMIO at 0x%" PRIx64 ", 0x%" PRIx64 " bytes, VTL%u, expected whole pages below "
		"2^64 of VTL0 or VTL2",
		claim->start, claim->len, (unsigned)claim->vtl);
	return claim->place ? error_at(err, claim->place) : false;
}

static bool check_claims(const BootInfo *info, Error *err)
{
	for (size_t i = 0; i < info->mmio.count; i++) {
		const MmioClaim *claim = &info->mmio.items[i];
		uint64_t end;

		if (!is_aligned(claim->start | claim->len, PAGE_SIZE) ||
			!checked_add_u64(claim->start, claim->len, &end) ||
			(claim->vtl != 0 && claim->vtl != 2))
			return fail_claim(claim, err);
	}
	return true;
}

static bool check_map(const BootInfo *info, Error *err)
{
	for (size_t i = 0; i < info->map.count; i++) {
		const MapEntry *entry = &info->map.items[i];

		if (entry->type >= MEMORY_TYPE_COUNT || entry->type == MEMORY_TYPE_VTL0_MMIO ||
			entry->type == MEMORY_TYPE_VTL2_MMIO)
			return error_set(err, PVW_TREE_0005,
				"map entry " RANGE_FORMAT " is \"%s\", expected RAM",
				RANGE_ARGS(entry->range),
				boot_info_memory_type_name(entry->type));
	}
	return true;
}

/* The reference writes the low half of an identifier; the processor would be another one. */
static bool check_cpus(const BootWrite *b, Error *err)
{
	const CpuList cpus = b->info->cpus;

	if (b->info->arch != GUEST_ARCH_X86_64 || b->extras->profile == TREE_PROFILE_REFERENCE)
		return true;
	for (size_t i = 0; i < cpus.count; i++) {
		if (cpus.items[i].reg > UINT32_MAX)
			return error_set(err, PVW_TREE_0005,
				"processor %zu: APIC id 0x%" PRIx64 ", expected 32 bits", i,
				cpus.items[i].reg);
	}
	return true;
}

static bool check_counts(const BootInfo *info, Error *err)
{
	const struct {
		const char *what;
		size_t count, limit;
	} rows[] = {
		{ "processors", info->cpus.count, BOOT_INFO_MAX_CPUS },
		{ "ranges of VTL2 RAM", info->vtl2_ram.count, BOOT_INFO_MAX_RANGES },
		{ "ranges of memory", info->map.count, BOOT_INFO_MAX_RANGES },
		{ "MMIO ranges", info->mmio.count, BOOT_INFO_MAX_MMIO },
		{ "accepted ranges", info->accepted.count, BOOT_INFO_MAX_RANGES },
		{ "windows of VTL2", info->vtl2_bus.ranges.count, BOOT_INFO_MAX_MMIO },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (rows[i].count > rows[i].limit)
			return error_set(err, PVW_BOOTINFO_0004, "%zu %s, expected at most %zu",
				rows[i].count, rows[i].what, rows[i].limit);
	}
	return true;
}

static bool check_info(const BootWrite *b, Error *err)
{
	if (!b->info->has_openhcl)
		return error_set(
			err, PVW_TREE_0009, "nothing is known of /openhcl, expected it to be");
	if (b->info->isolation >= ISOLATION_COUNT)
		return error_set(err, PVW_TREE_0005, "isolation %u, expected below %u",
			(unsigned)b->info->isolation, (unsigned)ISOLATION_COUNT);
	return check_counts(b->info, err) && check_cpus(b, err) && check_map(b->info, err) &&
		check_claims(b->info, err) && boot_write_check_gic(b->info, err);
}

static void put_times(FdtWriter *w, const BootTimes *times)
{
	if (times->has_start)
		fdt_put_u64(w, NAME_BOOT_START, times->start);
	if (times->has_end)
		fdt_put_u64(w, NAME_BOOT_END, times->end);
	if (times->has_sidecar_start)
		fdt_put_u64(w, NAME_SIDECAR_START, times->sidecar_start);
	if (times->has_sidecar_end)
		fdt_put_u64(w, NAME_SIDECAR_END, times->sidecar_end);
}

static void put_cells(FdtWriter *w, uint32_t address_cells, uint32_t size_cells)
{
	fdt_put_u32(w, NAME_ADDRESS_CELLS, address_cells);
	fdt_put_u32(w, NAME_SIZE_CELLS, size_cells);
}

/* An empty `ranges` wants the cells of the parent; the reference states one for sizes. */
static void put_mailbox(BootWrite *b)
{
	const bool reference = b->extras->profile == TREE_PROFILE_REFERENCE;
	FdtWriter *w = &b->w;

	fdt_put_node(w, "reserved-memory");
	put_cells(w, 2, reference ? 1 : 2);
	fdt_put_empty(w, NAME_RANGES);
	fdt_put_node_at(w, "wakeup_table", WAKEUP_MAILBOX);
	fdt_put_string(w, NAME_COMPATIBLE, "intel,wakeup-mailbox");
	if (reference)
		fdt_put_u32s(w, NAME_REG, 0, (uint32_t)WAKEUP_MAILBOX, (uint32_t)PAGE_SIZE);
	else
		fdt_put_u64s(w, NAME_REG, WAKEUP_MAILBOX, PAGE_SIZE);
	fdt_put_end(w);
	fdt_put_end(w);
}

/* Where a processor's numbers stand in its node; bytes from the node's start. */
typedef struct CpuNode {
	size_t mark, len;
	size_t vnode_at, reg_at;
	unsigned digits; /* of the number in its name; 0 = there is none to copy */
} CpuNode;

/* Behind the token that begins a node comes its name. */
#define CPU_DIGITS_AT (sizeof(uint32_t) + sizeof("cpu@") - 1)

static unsigned count_digits(size_t number)
{
	unsigned digits = 1;

	while (number /= 10)
		digits++;
	return digits;
}

static void put_cpu(BootWrite *b, size_t index, CpuNode *node)
{
	const BootCpu *cpu = &b->info->cpus.items[index];
	const bool x86 = b->info->arch == GUEST_ARCH_X86_64;
	FdtWriter *w = &b->w;

	node->mark = fdt_mark(w);
	fdt_put_node_decimal(w, "cpu", index + 1);
	fdt_put_string(w, NAME_DEVICE_TYPE, "cpu");
	fdt_put_u32(w, NAME_NUMA_NODE, cpu->vnode);
	node->vnode_at = fdt_mark(w) - sizeof(uint32_t) - node->mark;
	if (x86)
		fdt_put_u32(w, NAME_REG, (uint32_t)cpu->reg);
	else
		fdt_put_u64(w, NAME_REG, cpu->reg);
	node->reg_at = fdt_mark(w) - (x86 ? sizeof(uint32_t) : sizeof(uint64_t)) - node->mark;
	if (!x86) {
		fdt_put_string(w, NAME_COMPATIBLE, "arm,arm-v8");
		if (b->info->cpus.count > 1)
			fdt_put_string(w, NAME_ENABLE_METHOD, "psci");
	}
	/* All but the first of aarch64 are started by the kernel, through PSCI. */
	fdt_put_string(w, NAME_STATUS, x86 || index == 0 ? "okay" : "disabled");
	fdt_put_end(w);
	node->len = fdt_mark(w) - node->mark;
	node->digits = x86 || index ? count_digits(index + 1) : 0;
}

/* As put_cpu, where a node with a number as long has been put already. */
static void put_cpu_again(BootWrite *b, size_t index, const CpuNode *node)
{
	const BootCpu *cpu = &b->info->cpus.items[index];
	uint8_t *at = fdt_put_again(&b->w, node->mark, node->len);
	size_t number = index + 1;

	if (!at)
		return;
	for (unsigned i = node->digits; i-- > 0; number /= 10)
		at[CPU_DIGITS_AT + i] = (uint8_t)('0' + number % 10);
	fdt_set_u32(at + node->vnode_at, cpu->vnode);
	if (b->info->arch == GUEST_ARCH_X86_64)
		fdt_set_u32(at + node->reg_at, (uint32_t)cpu->reg);
	else
		fdt_set_u64(at + node->reg_at, cpu->reg);
}

static void put_cpus(BootWrite *b)
{
	CpuNode node = { .digits = 0 };
	FdtWriter *w = &b->w;

	fdt_put_node(w, "cpus");
	put_cells(w, b->info->arch == GUEST_ARCH_X86_64 ? 1 : 2, 0);
	for (size_t i = 0; i < b->info->cpus.count; i++) {
		if (node.digits == count_digits(i + 1))
			put_cpu_again(b, i, &node);
		else
			put_cpu(b, i, &node);
	}
	fdt_put_end(w);
}

static void put_vtl2_ram(BootWrite *b)
{
	FdtWriter *w = &b->w;

	for (size_t i = 0; i < b->info->vtl2_ram.count; i++) {
		const NodeRange *ram = &b->info->vtl2_ram.items[i];

		fdt_put_node_at(w, "memory", ram->range.start);
		fdt_put_string(w, NAME_DEVICE_TYPE, "memory");
		fdt_put_u64s(w, NAME_REG, ram->range.start, memory_range_len(ram->range));
		fdt_put_u32(w, NAME_NUMA_NODE, ram->vnode);
		fdt_put_end(w);
	}
}

static void put_vmbus_interrupt(BootWrite *b)
{
	if (!b->info->gic.present)
		return;
	fdt_put_u32(&b->w, NAME_INTERRUPT_PARENT, GIC_PHANDLE);
	fdt_put_u32s(&b->w, NAME_INTERRUPTS, 1, 2, 1);
}

/* VTL2's bus; its kernel finds it by `compatible`, so that it may have an address in its name. */
static void put_vmbus(BootWrite *b)
{
	const Vtl2Bus *bus = &b->info->vtl2_bus;
	FdtWriter *w = &b->w;

	if (!bus->present)
		return;
	if (b->extras->profile == TREE_PROFILE_DEFAULT && bus->ranges.count)
		fdt_put_node_at(w, "vmbus", bus->ranges.items[0].start);
	else
		fdt_put_node(w, "vmbus");
	put_cells(w, 2, 2);
	fdt_put_empty(w, NAME_DMA_COHERENT);
	fdt_put_string(w, NAME_COMPATIBLE, "microsoft,vmbus");
	fdt_put_u32(w, NAME_VTL, 2);
	fdt_put_u32(w, NAME_CONNECTION_ID, bus->connection_id);
	fdt_put_windows(w, NAME_RANGES, bus->ranges);
	put_vmbus_interrupt(b);
	fdt_put_end(w);
}

static void put_sidecars(BootWrite *b)
{
	static const char reg_names[] = "ctrl\0shmem";
	FdtWriter *w = &b->w;

	for (size_t i = 0; i < b->extras->sidecar_count; i++) {
		const BootSidecar *sidecar = &b->extras->sidecars[i];

		fdt_put_node_at(w, "sidecar", sidecar->control_page);
		fdt_put_string(w, NAME_COMPATIBLE, "microsoft,openhcl-sidecar");
		fdt_put_u64s(w, NAME_REG, sidecar->control_page, SIDECAR_CONTROL_SIZE,
			sidecar->memory_base, sidecar->memory_size);
		fdt_put_bytes(w, NAME_REG_NAMES,
			(Bytes){ (const uint8_t *)reg_names, sizeof(reg_names) });
		fdt_put_end(w);
	}
}

static void put_bus(BootWrite *b)
{
	fdt_put_node(&b->w, "bus");
	fdt_put_string(&b->w, NAME_COMPATIBLE, "simple-bus");
	put_cells(&b->w, 2, 2);
	fdt_put_empty(&b->w, NAME_RANGES);
	put_vmbus(b);
	put_sidecars(b);
	fdt_put_end(&b->w);
}

/* A type of its own, so that Linux takes it for no memory of its own. */
static void put_memory_head(FdtWriter *w, uint64_t start, uint64_t len)
{
	fdt_put_node_at(w, "memory", start);
	fdt_put_string(w, NAME_DEVICE_TYPE, "memory-openhcl");
	fdt_put_u64s(w, NAME_REG, start, len);
}

static void put_map(BootWrite *b)
{
	FdtWriter *w = &b->w;

	for (size_t i = 0; i < b->info->map.count; i++) {
		const MapEntry *entry = &b->info->map.items[i];

		put_memory_head(w, entry->range.start, memory_range_len(entry->range));
		fdt_put_u32(w, NAME_NUMA_NODE, entry->vnode);
		fdt_put_u32(w, NAME_IGVM_TYPE, entry->igvm_type);
		fdt_put_u32(w, NAME_MEMORY_TYPE, (uint32_t)entry->type);
		fdt_put_end(w);
	}
}

static void put_mmio(BootWrite *b, uint8_t vtl)
{
	FdtWriter *w = &b->w;

	for (size_t i = 0; i < b->info->mmio.count; i++) {
		const MmioClaim *claim = &b->info->mmio.items[i];

		if (claim->vtl != vtl)
			continue;
		put_memory_head(w, claim->start, claim->len);
		fdt_put_u32(w, NAME_MEMORY_TYPE,
			vtl == 0 ? MEMORY_TYPE_VTL0_MMIO : MEMORY_TYPE_VTL2_MMIO);
		if (claim->role != MMIO_ROLE_UNSPECIFIED)
			fdt_put_u32(w, NAME_MMIO_ROLE, claim->role);
		fdt_put_end(w);
	}
}

static void put_accepted(BootWrite *b)
{
	FdtWriter *w = &b->w;

	for (size_t i = 0; i < b->info->accepted.count; i++) {
		const MemoryRange range = b->info->accepted.items[i];

		fdt_put_node_at(w, "accepted-memory", range.start);
		fdt_put_u64s(w, NAME_REG, range.start, memory_range_len(range));
		fdt_put_end(w);
	}
}

static void put_allocation(FdtWriter *w, const AllocationMode *mode)
{
	fdt_put_string(w, NAME_ALLOCATION_MODE, mode->vtl2 ? "vtl2" : "host");
	if (!mode->vtl2)
		return;
	fdt_put_names(w, NAME_MEMORY_SIZE, 2);
	if (mode->has_memory_size)
		fdt_put_u64(w, NAME_MEMORY_SIZE, mode->memory_size);
	if (mode->has_mmio_size)
		fdt_put_u64(w, NAME_MMIO_SIZE, mode->mmio_size);
}

static void put_openhcl(BootWrite *b)
{
	const BootInfo *info = b->info;
	FdtWriter *w = &b->w;

	fdt_put_node(w, "openhcl");
	if (b->extras->profile == TREE_PROFILE_DEFAULT)
		put_cells(w, 2, 2);
	fdt_put_string(w, NAME_ISOLATION_TYPE,
		b->extras->cca ? "cca" : boot_info_isolation_name(info->isolation));
	put_allocation(w, &info->allocation);
	if (info->has_alias_map)
		fdt_put_u64(w, NAME_ALIAS_MAP, info->alias_map);
	put_map(b);
	put_mmio(b, 0);
	put_mmio(b, 2);
	put_accepted(b);
	if (b->extras->entropy.len) {
		fdt_put_node(w, "entropy");
		fdt_put_bytes(w, NAME_REG, b->extras->entropy);
		fdt_put_end(w);
	}
	fdt_put_end(w);
}

static void put_root(BootWrite *b)
{
	const bool x86 = b->info->arch == GUEST_ARCH_X86_64;
	FdtWriter *w = &b->w;

	fdt_put_names(w, 0, COMMON_NAME_COUNT);
	fdt_put_node(w, "");
	put_cells(w, 2, 2);
	fdt_put_string(w, NAME_COMPATIBLE, "microsoft,openvmm");
	put_times(w, &b->info->times);
	fdt_put_node(w, "hypervisor");
	fdt_put_string(w, NAME_COMPATIBLE, "microsoft,hyperv");
	fdt_put_end(w);
	if (x86 && b->info->isolation == ISOLATION_TDX)
		put_mailbox(b);
	put_cpus(b);
	if (!x86)
		boot_write_psci(b);
	put_vtl2_ram(b);
	boot_write_interrupts(b);
	boot_write_serial(b);
	put_bus(b);
	boot_write_chosen(b);
	put_openhcl(b);
	fdt_put_end(w);
}

/* All lists came out of memory or a tree: their sum cannot wrap. */
static size_t bound_structure(const BootInfo *info, const BootTreeExtras *extras)
{
	const size_t bootargs = extras->bootargs ? strlen(extras->bootargs) : 0;

	return BOUND_ONCE + info->cpus.count * BOUND_CPU +
		(info->vtl2_ram.count + info->map.count + info->mmio.count +
			info->accepted.count) *
		BOUND_MEMORY +
		info->vtl2_bus.ranges.count * BOUND_WINDOW +
		extras->sidecar_count * BOUND_SIDECAR + bootargs + extras->entropy.len +
		(size_t)2 * BOUND_PADDING;
}

/* Entries of the reservation block. */
static bool list_reserved(const BootInfo *info, const BootTreeExtras *extras, Arena *arena,
	FdtReservationList *out, Error *err)
{
	FdtReservation *items;
	MemoryRangeList ranges;

	if (extras->reserved)
		ranges = *extras->reserved;
	else if (!boot_map_reserved(info->map, arena, &ranges, err))
		return false;
	items = arena_reserve_array(arena, FdtReservation, ranges.count, err);
	if (!items)
		return false;
	for (size_t i = 0; i < ranges.count; i++)
		items[i] = (FdtReservation){ ranges.items[i].start,
			memory_range_len(ranges.items[i]) };
	*out = (FdtReservationList){ items, ranges.count };
	return true;
}

bool boot_info_write(const BootInfo *info, const BootTreeExtras *extras, Arena *arena,
	Bytes *out, Error *err)
{
	static const BootTreeExtras nothing = { 0 };
	BootWrite b = { .info = info, .extras = extras ? extras : &nothing };
	FdtWriterSetup setup = {
		.what = "boot tree",
		.names = boot_names,
		.name_count = NAME_COUNT,
		.strings_room = FDT_WRITER_STRINGS,
		.structure_bound = bound_structure(info, b.extras),
		.limit = b.extras->limit ? b.extras->limit : BOOT_INFO_MAX_DTB,
		.boot_cpu = info->bsp_reg,
	};

	if (!check_info(&b, err))
		return error_wrap(err, "boot tree");
	if (!list_reserved(info, b.extras, arena, &setup.reserved, err) ||
		!fdt_writer_begin(&setup, arena, &b.w, err))
		return false;
	put_root(&b);
	return fdt_writer_finish(&b.w, arena, out, err) ||
		error_wrap(err, "%zu processors, %zu ranges of memory", info->cpus.count,
			info->map.count);
}
