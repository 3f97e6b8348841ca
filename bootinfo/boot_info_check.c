/*
 * Rules across what a boot tree says.
 */
#include "bootinfo/boot_info_check.h"

#include <inttypes.h>

#include "bootinfo/start_sort.h"

static bool has_cpus(const BootInfo *info, Arena *arena, Error *err)
{
	(void)arena;
	if (info->cpus.count == 0) {
		error_set(err, PVW_BOOTINFO_0001, "no processor, expected at least one");
		return error_at(err, "dtb:/cpus");
	}
	return true;
}

static bool has_openhcl(const BootInfo *info, Arena *arena, Error *err)
{
	(void)arena;
	if (!info->has_openhcl) {
		error_set(err, PVW_BOOTINFO_0002, "no node openhcl, expected one");
		return error_at(err, "dtb:/openhcl");
	}
	return true;
}

static bool has_persisted(const BootInfo *info, Arena *arena, Error *err)
{
	const bool no_header = memory_range_is_empty(info->persisted_header);

	(void)arena;
	if (no_header || memory_range_is_empty(info->persisted_protobuf)) {
		error_set(err, PVW_BOOTINFO_0003, "the persisted %s is empty, expected memory",
			no_header ? "header" : "state");
		return error_at(err, "dtb:/openhcl");
	}
	return true;
}

static bool is_within(size_t count, size_t limit, const char *what, Error *err)
{
	if (count > limit) {
		error_set(err, PVW_BOOTINFO_0004, "%zu %s, expected at most %zu", count, what,
			limit);
		return error_at(err, "dtb:/");
	}
	return true;
}

static bool fits_capacities(const BootInfo *info, Arena *arena, Error *err)
{
	(void)arena;
	return is_within(info->cpus.count, BOOT_INFO_MAX_CPUS, "processors", err) &&
		is_within(info->map.count, BOOT_INFO_MAX_RANGES, "ranges of memory", err) &&
		is_within(info->mmio.count, BOOT_INFO_MAX_MMIO, "MMIO ranges", err) &&
		is_within(info->vtl2_ram.count, BOOT_INFO_MAX_VTL2_RAM, "ranges of VTL2 RAM",
			err) &&
		is_within(info->accepted.count, BOOT_INFO_MAX_RANGES, "accepted ranges", err);
}

/* The map is ascending by start: overlap means to begin before the highest end so far. */
static bool map_is_disjoint(const BootInfo *info, Arena *arena, Error *err)
{
	const MapEntry *highest = NULL;

	(void)arena;
	for (size_t i = 0; i < info->map.count; i++) {
		const MapEntry *entry = &info->map.items[i];

		if (highest && memory_range_overlaps(highest->range, entry->range)) {
			error_set(err, PVW_BOOTINFO_0005,
				"%s " RANGE_FORMAT " overlaps %s " RANGE_FORMAT,
				boot_info_memory_type_name(highest->type),
				RANGE_ARGS(highest->range),
				boot_info_memory_type_name(entry->type),
				RANGE_ARGS(entry->range));
			return error_at(err, "dtb:/openhcl");
		}
		if (!highest || entry->range.end > highest->range.end)
			highest = entry;
	}
	return true;
}

/* Else memory would be counted twice. */
static bool vtl2_ram_is_disjoint(const BootInfo *info, Arena *arena, Error *err)
{
	(void)arena;
	for (size_t i = 1; i < info->vtl2_ram.count; i++) {
		const MemoryRange a = info->vtl2_ram.items[i - 1].range;
		const MemoryRange b = info->vtl2_ram.items[i].range;

		if (memory_range_overlaps(a, b)) {
			error_set(err, PVW_BOOTINFO_0014,
				"VTL2 RAM " RANGE_FORMAT " overlaps VTL2 RAM " RANGE_FORMAT,
				RANGE_ARGS(a), RANGE_ARGS(b));
			return error_at(err, "dtb:/");
		}
	}
	return true;
}

/*
 *	VTL2 RAM      [                        )
 *	map       [ VTL0 ) [ RAM )[ config )[ RAM )
 *	                 ^ not VTL2's, or a hole: refused
 */
static bool vtl2_ram_is_mapped(const BootInfo *info, Arena *arena, Error *err)
{
	size_t next = 0;

	(void)arena;
	for (size_t i = 0; i < info->vtl2_ram.count; i++) {
		const MemoryRange ram = info->vtl2_ram.items[i].range;
		uint64_t covered = ram.start;

		for (; next < info->map.count && covered < ram.end; next++) {
			const MapEntry *entry = &info->map.items[next];

			if (entry->range.end <= covered)
				continue;
			if (entry->range.start > covered || entry->type == MEMORY_TYPE_VTL0)
				break;
			covered = entry->range.end;
			if (covered >= ram.end)
				break; /* the next range may begin in this entry, too */
		}
		if (covered < ram.end) {
			error_set(err, PVW_BOOTINFO_0006,
				"VTL2 RAM " RANGE_FORMAT " at 0x%" PRIx64
				" is no memory of VTL2 in the map",
				RANGE_ARGS(ram), covered);
			return error_at(err, "dtb:/openhcl");
		}
	}
	return true;
}

/* The id of a processor with its index; start_sort orders by the id. */
typedef struct CpuId {
	uint64_t id;
	uint64_t index;
} CpuId;

/* What of `reg` tells processors apart: the 32 bit APIC id, the affinity fields of MPIDR. */
static const uint64_t id_masks[] = {
	[GUEST_ARCH_X86_64] = UINT64_C(0xffffffff),
	[GUEST_ARCH_AARCH64] = UINT64_C(0xff00ffffff),
};
static_assert(ARRAY_COUNT(id_masks) == GUEST_ARCH_COUNT, "one mask an architecture");

static bool cpus_are_unique(const BootInfo *info, Arena *arena, Error *err)
{
	const size_t count = info->cpus.count;
	CpuId *ids = arena_array(arena, CpuId, count, err);

	if (!ids)
		return false;
	for (size_t i = 0; i < count; i++)
		ids[i] = (CpuId){ info->cpus.items[i].reg & id_masks[info->arch], i };
	if (!start_sort(ids, count, sizeof(*ids), arena, err))
		return false;
	for (size_t i = 1; i < count; i++) {
		if (ids[i].id == ids[i - 1].id) {
			error_set(err, PVW_BOOTINFO_0007,
				"processors %" PRIu64 " and %" PRIu64
				" both have reg 0x%" PRIx64,
				ids[i - 1].index, ids[i].index, ids[i].id);
			return error_at(err, "dtb:/cpus");
		}
	}
	return true;
}

static bool gic_suits_arch(const BootInfo *info, Arena *arena, Error *err)
{
	const bool wanted = info->arch == GUEST_ARCH_AARCH64;

	(void)arena;
	if (info->gic.present != wanted) {
		error_set(err, PVW_BOOTINFO_0008, "%s interrupt controller, expected %s on %s",
			info->gic.present ? "a GIC as" : "no", wanted ? "a GIC" : "none",
			guest_arch_name(info->arch));
		return error_at(err, "dtb:/");
	}
	return true;
}

static bool bsp_is_first(const BootInfo *info, Arena *arena, Error *err)
{
	(void)arena;
	if (info->cpus.count && (uint32_t)info->cpus.items[0].reg != info->bsp_reg) {
		error_set(err, PVW_BOOTINFO_0009,
			"the tree was booted on 0x%" PRIx32
			", its first processor is 0x%" PRIx64,
			info->bsp_reg, info->cpus.items[0].reg);
		return error_at(err, "dtb:/cpus");
	}
	return true;
}

static bool has_log_buffer(const BootInfo *info, Arena *arena, Error *err)
{
	(void)arena;
	if (info->has_openhcl && memory_range_is_empty(info->log_buffer)) {
		error_set(err, PVW_BOOTINFO_0010,
			"no memory of type %d, expected the log of the boot shim",
			MEMORY_TYPE_VTL2_LOG_BUFFER);
		return error_at(err, "dtb:/openhcl");
	}
	return true;
}

static bool times_are_readable(const BootInfo *info, Arena *arena, Error *err)
{
	(void)arena;
	if (info->times.malformed) {
		error_set(err, PVW_BOOTINFO_0011, "%s is not one u64", info->times.malformed);
		return error_at(err, "dtb:/");
	}
	return true;
}

static bool vtl2_bus_is_readable(const BootInfo *info, Arena *arena, Error *err)
{
	(void)arena;
	if (info->vtl2_bus.malformed) {
		error_set(err, PVW_BOOTINFO_0012, "%s of VTL2's bus is absent or malformed",
			info->vtl2_bus.malformed);
		return error_at(err, "dtb:/bus");
	}
	return true;
}

/* The next range from *@at on that is VTL2's and not empty; empty behind the last one. */
static MemoryRange next_vtl2_mmio(MmioClaimList mmio, size_t *at)
{
	while (*at < mmio.count) {
		const MmioClaim *claim = &mmio.items[(*at)++];

		if (claim->vtl == 2 && claim->len)
			return (MemoryRange){ claim->start, claim->start + claim->len };
	}
	return MEMORY_RANGE_EMPTY;
}

/* Said twice by the shim, once for VTL2's kernel and once for us; both lists ascend. */
static bool vtl2_bus_is_its_mmio(const BootInfo *info, Arena *arena, Error *err)
{
	const Vtl2Bus *bus = &info->vtl2_bus;
	size_t at = 0;

	(void)arena;
	if (!bus->present || bus->malformed)
		return true;
	for (size_t i = 0; i <= bus->ranges.count; i++) {
		const MemoryRange window =
			i < bus->ranges.count ? bus->ranges.items[i] : MEMORY_RANGE_EMPTY;
		const MemoryRange mmio = next_vtl2_mmio(info->mmio, &at);

		if (!memory_range_equal(window, mmio)) {
			error_set(err, PVW_BOOTINFO_0013,
				"window %zu of VTL2's bus is " RANGE_FORMAT
				", expected VTL2's MMIO, " RANGE_FORMAT,
				i, RANGE_ARGS(window), RANGE_ARGS(mmio));
			return error_at(err, "dtb:/bus");
		}
	}
	return true;
}

/* Run in this order. */
static const BootInfoCheck checks[] = {
	{ "openhcl-present", PVW_BOOTINFO_0002, has_openhcl },
	{ "cpus-present", PVW_BOOTINFO_0001, has_cpus },
	{ "capacities", PVW_BOOTINFO_0004, fits_capacities },
	{ "persisted-state", PVW_BOOTINFO_0003, has_persisted },
	{ "map-overlap", PVW_BOOTINFO_0005, map_is_disjoint },
	{ "vtl2-ram-overlap", PVW_BOOTINFO_0014, vtl2_ram_is_disjoint },
	{ "vtl2-ram-mapped", PVW_BOOTINFO_0006, vtl2_ram_is_mapped },
	{ "cpu-duplicate", PVW_BOOTINFO_0007, cpus_are_unique },
	{ "gic-by-arch", PVW_BOOTINFO_0008, gic_suits_arch },
	{ "bsp-first", PVW_BOOTINFO_0009, bsp_is_first },
	{ "log-buffer", PVW_BOOTINFO_0010, has_log_buffer },
	{ "boot-times", PVW_BOOTINFO_0011, times_are_readable },
	{ "vtl2-bus", PVW_BOOTINFO_0012, vtl2_bus_is_readable },
	{ "vtl2-bus-windows", PVW_BOOTINFO_0013, vtl2_bus_is_its_mmio },
};

BootInfoCheckList boot_info_checks(void)
{
	return (BootInfoCheckList){ checks, ARRAY_COUNT(checks) };
}

bool boot_info_validate(const BootInfo *info, Arena *arena, Diagnostics *findings, Error *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(checks); i++) {
		const bool is_error =
			diagnostic_row(checks[i].diagnostic)->severity == SEVERITY_ERROR;
		Error found;

		if ((!is_error && !findings) || checks[i].check(info, arena, &found))
			continue;
		if (is_error) {
			*err = found;
			return false;
		}
		diagnostics_add_error(findings, &found);
	}
	return true;
}

void boot_info_lint(const BootInfo *info, Arena *arena, Diagnostics *diagnostics)
{
	for (size_t i = 0; i < ARRAY_COUNT(checks); i++) {
		Error found;

		if (!checks[i].check(info, arena, &found))
			diagnostics_add_error(diagnostics, &found);
	}
}
