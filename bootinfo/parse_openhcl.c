/*
 * /openhcl: what the guest is, and what its memory is used for.
 * [OVMM] openhcl/bootloader_fdt_parser/src/lib.rs, vm/loader/loader_defs/src/shim.rs
 */
#include <inttypes.h>
#include <string.h>

#include "bootinfo/boot_map.h"
#include "bootinfo/parse_internal.h"
#include "bootinfo/start_sort.h"
#include "support/diagnostics.h"

static_assert(offsetof(MapEntry, range.start) == 0, "start_sort");
static_assert(offsetof(MmioClaim, start) == 0, "start_sort");
static_assert(offsetof(NodeRange, range.start) == 0, "start_sort");

/* `cca` is written by a shim, but no worker runs such a guest: it is unknown here. */
static bool parse_isolation(BootTree *tree, Error *err)
{
	const char *name;

	if (!fdt_read_string(&tree->reader, FDT_ISOLATION_TYPE, &name, err))
		return false;
	for (unsigned i = 0; i < ISOLATION_COUNT; i++) {
		if (strcmp(name, boot_info_isolation_name((IsolationType)i)) == 0) {
			tree->info.isolation = (IsolationType)i;
			return true;
		}
	}
	return fdt_fail(err, &tree->reader, FDT_ISOLATION_TYPE, PVW_DT_0017,
		"\"%.60s\", expected \"none\", \"vbs\", \"snp\" or \"tdx\"", name);
}

/* The sizes are looked at only where VTL2 allocates. */
static bool parse_allocation(BootTree *tree, Error *err)
{
	const FdtReader *reader = &tree->reader;
	AllocationMode *mode = &tree->info.allocation;
	const char *name;

	if (!fdt_read_string(reader, FDT_ALLOCATION_MODE, &name, err))
		return false;
	if (strcmp(name, "host") == 0)
		return true;
	if (strcmp(name, "vtl2") != 0)
		return fdt_fail(err, reader, FDT_ALLOCATION_MODE, PVW_DT_0018,
			"\"%.60s\", expected \"host\" or \"vtl2\"", name);
	mode->vtl2 = true;
	return fdt_read_optional_u64(reader, FDT_MEMORY_SIZE, &mode->has_memory_size,
		       &mode->memory_size, err) &&
		fdt_read_optional_u64(
			reader, FDT_MMIO_SIZE, &mode->has_mmio_size, &mode->mmio_size, err);
}

/* Forget what an earlier /openhcl said. */
static void begin_openhcl(BootTree *tree)
{
	BootInfo *info = &tree->info;

	tree->map.count = 0;
	tree->mmio.count = 0;
	tree->accepted.count = 0;
	memset(tree->count_of, 0, sizeof(tree->count_of));
	info->allocation = (AllocationMode){ 0 };
	info->reserved = MEMORY_RANGE_EMPTY;
	info->log_buffer = MEMORY_RANGE_EMPTY;
	info->persisted_header = MEMORY_RANGE_EMPTY;
	info->persisted_protobuf = MEMORY_RANGE_EMPTY;
	info->has_openhcl = true;
	tree->openhcl_offset = tree->reader.offset;
}

bool parse_openhcl(BootTree *tree, Error *err)
{
	begin_openhcl(tree);
	return parse_isolation(tree, err) && parse_allocation(tree, err) &&
		fdt_read_optional_u64(&tree->reader, FDT_ALIAS_MAP, &tree->info.has_alias_map,
			&tree->info.alias_map, err);
}

bool parse_openhcl_child(BootTree *tree, Error *err)
{
	if (fdt_name_starts(&tree->reader, "memory@"))
		return parse_memory(tree, err);
	if (fdt_name_starts(&tree->reader, "accepted-memory@"))
		return parse_accepted(tree, err);
	return true;
}

/* The children of /openhcl are read: failures are the whole node's. */
static bool fail_openhcl(const BootTree *tree, Error *err, uint16_t diagnostic, MemoryType type,
	const char *expected)
{
	error_set(err, diagnostic, "openhcl: %zu memory nodes of type %u, expected %s",
		tree->count_of[type], (unsigned)type, expected);
	return error_at_offset(err, "dtb:/openhcl", tree->openhcl_offset);
}

static bool check_counts(const BootTree *tree, Error *err)
{
	static const MemoryType needed[] = { MEMORY_TYPE_VTL2_PERSISTED_HEADER,
		MEMORY_TYPE_VTL2_PERSISTED_PROTOBUF };

	if (tree->count_of[MEMORY_TYPE_VTL2_RESERVED] > 1)
		return fail_openhcl(
			tree, err, PVW_DT_0020, MEMORY_TYPE_VTL2_RESERVED, "at most one");
	for (size_t i = 0; i < ARRAY_COUNT(needed); i++) {
		const size_t count = tree->count_of[needed[i]];

		if (count != 1)
			return fail_openhcl(
				tree, err, count ? PVW_DT_0020 : PVW_DT_0019, needed[i], "one");
	}
	return true;
}

static bool sort_list(BootTree *tree, GrowingList *list, Error *err)
{
	return start_sort(list->items, list->count, list->item_size, tree->arena, err);
}

bool parse_finish_openhcl(BootTree *tree, Error *err)
{
	BootInfo *info = &tree->info;

	if (!sort_list(tree, &tree->map, err) || !sort_list(tree, &tree->mmio, err) ||
		!sort_list(tree, &tree->accepted, err))
		return false;
	info->map = (MapEntryList){ tree->map.items, tree->map.count };
	if (!check_counts(tree, err) || !boot_map_collect(info, tree->arena, err))
		return false;
	info->mmio = (MmioClaimList){ tree->mmio.items, tree->mmio.count };
	info->accepted = (MemoryRangeList){ tree->accepted.items, tree->accepted.count };
	return true;
}
