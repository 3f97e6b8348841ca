/*
 * VTL0's memory: what the boot tree gives it, the windows it sees, and the cut of the shared
 * pool.
 */
#include "layout/vtl0_layout.h"

#include "layout/shared_pool.h"
#include "support/diagnostics.h"

typedef enum Vtl0Use {
	VTL0_REFUSED,
	VTL0_KEPT,
	VTL0_DROPPED,
} Vtl0Use;

/* By IgvmMemoryType; what the firmware is told of a kept one is the firmware loader's business. */
static const Vtl0Use igvm_uses[] = {
	[IGVM_MEMORY] = VTL0_KEPT,
	[IGVM_PLATFORM_RESERVED] = VTL0_KEPT,
	[IGVM_PERSISTENT] = VTL0_REFUSED, /* nobody can tell the guest about it */
	[IGVM_VTL2_PROTECTABLE] = VTL0_KEPT,
	[IGVM_SPECIFIC_PURPOSE] = VTL0_KEPT,
	[IGVM_HIDDEN] = VTL0_DROPPED,
};

static Vtl0Use igvm_use(uint16_t type)
{
	return type < ARRAY_COUNT(igvm_uses) ? igvm_uses[type] : VTL0_REFUSED;
}

/* The RAM that VTL0 is given, in the order of the map. */
static bool take_ram(MapEntryList map, LayoutRecord *records, size_t *count, Error *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < map.count; i++) {
		const MapEntry *entry = &map.items[i];

		if (entry->type != MEMORY_TYPE_VTL0)
			continue;
		if (igvm_use(entry->igvm_type) == VTL0_REFUSED)
			return error_set(err, PVW_LAYOUT_0005,
				"vtl0 memory " RANGE_FORMAT
				" has igvm-type %u, expected 0, 1, 3, 4 or 5",
				RANGE_ARGS(entry->range), entry->igvm_type);
		if (igvm_use(entry->igvm_type) == VTL0_KEPT)
			records[kept++] = (LayoutRecord){ .kind = LAYOUT_RAM,
				.range = entry->range,
				.vnode = entry->vnode,
				.igvm_type = entry->igvm_type,
				.tag = "ram" };
	}
	*count = kept;
	return true;
}

static size_t add_mmio(LayoutRecord *records, size_t count, MemoryRange range, const char *tag)
{
	if (!memory_range_is_empty(range))
		records[count++] =
			(LayoutRecord){ .kind = LAYOUT_MMIO, .range = range, .tag = tag };
	return count;
}

/* @ram and the windows to a layout. */
static bool layout_with_windows(LayoutRecordList ram, const ChipsetMmioRanges *mmio,
	Arena *arena, MemoryLayout *out, Error *err)
{
	const size_t room = ram.count + mmio->reserved.count + 2;
	LayoutRecord *records = arena_reserve_array(arena, LayoutRecord, room, err);
	size_t count = 0;

	if (!records)
		return false;
	for (; count < ram.count; count++)
		records[count] = ram.items[count];
	count = add_mmio(records, count, mmio->low, "chipset-low");
	count = add_mmio(records, count, mmio->high, "chipset-high");
	for (size_t i = 0; i < mmio->reserved.count; i++)
		count = add_mmio(records, count, mmio->reserved.items[i], "reserved");
	return memory_layout_build((LayoutRecordList){ records, count }, arena, out, err);
}

bool vtl0_layout_build(const BootInfo *info, const ChipsetMmioRanges *mmio, uint64_t pool_bytes,
	Arena *arena, Vtl0Layout *out, Error *err)
{
	LayoutRecord *records = arena_reserve_array(arena, LayoutRecord, info->map.count, err);
	LayoutRecordList ram = { records, 0 };
	Vtl0Layout layout = { 0 };

	if (!records || !take_ram(info->map, records, &ram.count, err) ||
		!layout_with_windows(ram, mmio, arena, &layout.complete, err))
		return false;
	layout.vtl0 = layout.complete;
	if (isolation_is_isolated(info->isolation) && pool_bytes) {
		if (!shared_pool_take(layout.complete.ram, pool_bytes, arena, &ram,
			    &layout.shared_pool, err) ||
			!layout_with_windows(ram, mmio, arena, &layout.vtl0, err))
			return false;
	}
	*out = layout;
	return true;
}
