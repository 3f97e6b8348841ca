/*
 * The map of a boot tree. [OVMM] openhcl/openhcl_boot/src/dt.rs, write_dt
 */
#include "bootinfo/boot_map.h"

#include "support/diagnostics.h"
#include "support/range_list.h"

static_assert(offsetof(HostMemory, range) == 0, "range_view");

/* Uses that touch and have one type are one; the type stands where a node would. */
static bool merge_uses(Vtl2UseList uses, Arena *arena, NodeRangeList *out, Error *err)
{
	NodeRange *items = arena_reserve_array(arena, NodeRange, uses.count, err);

	if (!items)
		return false;
	for (size_t i = 0; i < uses.count; i++)
		items[i] = (NodeRange){ uses.items[i].range, (uint32_t)uses.items[i].type };
	return range_list_merge_adjacent((NodeRangeList){ items, uses.count }, arena, out, err);
}

/* False for VTL2's memory where there is no RAM. */
static bool add_piece(HostMemoryList ram, NodeRangeList uses, const RangePiece *piece,
	MapEntry *items, size_t *count, Error *err)
{
	const bool vtl2 = piece->right != RANGE_NONE;

	if (piece->left == RANGE_NONE) {
		if (!vtl2)
			return true;
		return error_set(err, PVW_TREE_0008,
			"%s " RANGE_FORMAT ": no RAM at " RANGE_FORMAT,
			boot_info_memory_type_name((MemoryType)uses.items[piece->right].vnode),
			RANGE_ARGS(uses.items[piece->right].range), RANGE_ARGS(piece->range));
	}
	items[(*count)++] = (MapEntry){
		.range = piece->range,
		.type = vtl2 ? (MemoryType)uses.items[piece->right].vnode : MEMORY_TYPE_VTL0,
		.igvm_type = ram.items[piece->left].igvm_type,
		.vnode = ram.items[piece->left].vnode,
	};
	return true;
}

bool boot_map_compose(
	HostMemoryList ram, Vtl2UseList uses, Arena *arena, MapEntryList *out, Error *err)
{
	NodeRangeList merged;
	RangePiece piece;
	RangeWalk walk;
	MapEntry *items;
	size_t count = 0;

	if (!merge_uses(uses, arena, &merged, err))
		return error_wrap(err, "memory of VTL2");
	/* Each start and each end of a use cuts a piece of RAM at most in two. */
	items = arena_reserve_array(arena, MapEntry, ram.count + 2 * merged.count, err);
	if (!items || !range_walk_begin(range_view(ram), range_view(merged), &walk, err))
		return false;
	while (range_walk_next(&walk, &piece)) {
		if (!add_piece(ram, merged, &piece, items, &count, err))
			return false;
	}
	*out = (MapEntryList){ items, count };
	return true;
}

bool boot_map_is_reserved(MemoryType type)
{
	return type != MEMORY_TYPE_VTL0 && type != MEMORY_TYPE_VTL2_RAM &&
		type != MEMORY_TYPE_VTL0_MMIO && type != MEMORY_TYPE_VTL2_MMIO;
}

bool boot_map_reserved(MapEntryList map, Arena *arena, MemoryRangeList *out, Error *err)
{
	MemoryRange *items = arena_reserve_array(arena, MemoryRange, map.count, err);
	const MapEntry *last = NULL;
	size_t count = 0;

	if (!items)
		return false;
	for (size_t i = 0; i < map.count; i++) {
		const MapEntry *entry = &map.items[i];

		if (!boot_map_is_reserved(entry->type))
			continue;
		if (last && last->type == entry->type && last->range.end == entry->range.start)
			items[count - 1].end = entry->range.end;
		else
			items[count++] = entry->range;
		last = entry;
	}
	*out = (MemoryRangeList){ items, count };
	return true;
}

static size_t count_of(MapEntryList map, MemoryType type)
{
	size_t count = 0;

	for (size_t i = 0; i < map.count; i++)
		count += map.items[i].type == type;
	return count;
}

/* What there is once; of the log, the first piece. */
static MemoryRange *single_of(BootInfo *info, MemoryType type)
{
	if (type == MEMORY_TYPE_VTL2_RESERVED)
		return &info->reserved;
	if (type == MEMORY_TYPE_VTL2_PERSISTED_HEADER)
		return &info->persisted_header;
	if (type == MEMORY_TYPE_VTL2_PERSISTED_PROTOBUF)
		return &info->persisted_protobuf;
	if (type == MEMORY_TYPE_VTL2_LOG_BUFFER && memory_range_is_empty(info->log_buffer))
		return &info->log_buffer;
	return NULL;
}

bool boot_map_collect(BootInfo *info, Arena *arena, Error *err)
{
	MemoryRange *config = arena_reserve_array(
		arena, MemoryRange, count_of(info->map, MEMORY_TYPE_VTL2_CONFIG), err);
	NodeRange *pool = arena_reserve_array(
		arena, NodeRange, count_of(info->map, MEMORY_TYPE_VTL2_GPA_POOL), err);
	size_t config_count = 0, pool_count = 0;

	if (!config || !pool)
		return false;
	for (size_t i = 0; i < info->map.count; i++) {
		const MapEntry *entry = &info->map.items[i];
		MemoryRange *single = single_of(info, entry->type);

		if (entry->type == MEMORY_TYPE_VTL2_CONFIG)
			config[config_count++] = entry->range;
		else if (entry->type == MEMORY_TYPE_VTL2_GPA_POOL)
			pool[pool_count++] = (NodeRange){ entry->range, entry->vnode };
		else if (single)
			*single = entry->range;
	}
	info->config = (MemoryRangeList){ config, config_count };
	info->pool = (NodeRangeList){ pool, pool_count };
	return true;
}
