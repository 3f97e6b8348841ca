/*
 * Memory nodes: VTL2's RAM below the root, everybody's memory below /openhcl.
 * [OVMM] openhcl/bootloader_fdt_parser/src/lib.rs
 *
 * A node of length zero is read and judged like others, but there is no memory to list. MMIO is
 * listed: a role on an empty range says that the window is absent.
 */
#include <inttypes.h>
#include <string.h>

#include "bootinfo/parse_internal.h"
#include "support/checked.h"
#include "support/diagnostics.h"

/* No node that is accepted below is smaller: tokens, name, properties with their heads. */
#define VTL2_RAM_NODE_BYTES 64 /* reg, numa-node-id */
#define MMIO_NODE_BYTES 64     /* reg, openhcl,memory-type */
#define MAP_NODE_BYTES 96      /* reg, numa-node-id, microsoft,igvm-type, openhcl,memory-type */
#define ACCEPTED_NODE_BYTES 56 /* reg */

#define PLACE_PREFIX "dtb:/openhcl/"

/* Room for as many items as the tree can hold, when the first one comes. */
#define NEED_LIST(tree, list, type, node_bytes, limit, err)                                    \
	((tree)->list ||                                                                       \
		((tree)->list##_room = parse_list_room((tree), (node_bytes), (limit)),         \
			((tree)->list = arena_array(                                           \
				 (tree)->arena, type, (tree)->list##_room, (err))) != NULL))

bool parse_vtl2_ram(BootTree *tree, Error *err)
{
	NodeRange ram;

	if (!parse_range(tree, &ram.range, err) ||
		!fdt_read_u32(&tree->reader, FDT_NUMA_NODE, &ram.vnode, err))
		return false;
	if (!NEED_LIST(
		    tree, vtl2_ram, NodeRange, VTL2_RAM_NODE_BYTES, BOOT_INFO_MAX_RANGES, err))
		return false;
	if (tree->vtl2_ram_count == tree->vtl2_ram_room)
		return parse_full(tree, "ranges of VTL2 RAM", tree->vtl2_ram_room, err);
	tree->vtl2_ram[tree->vtl2_ram_count++] = ram;
	return true;
}

/* The claim's name in errors, as long as the claim. */
static const char *make_place(BootTree *tree, Error *err)
{
	const size_t name_len = strlen(tree->reader.name);
	const size_t prefix_len = sizeof(PLACE_PREFIX) - 1;
	char *place = arena_alloc(tree->arena, prefix_len + name_len + 1, 1, err);

	if (!place)
		return NULL;
	memcpy(place, PLACE_PREFIX, prefix_len);
	memcpy(place + prefix_len, tree->reader.name, name_len);
	return place;
}

/* Its range must be one; whether its role suits it, chipset_mmio_resolve decides. */
static bool add_mmio(BootTree *tree, uint8_t vtl, Error *err)
{
	const FdtReader *reader = &tree->reader;
	MmioClaim claim = { .vtl = vtl, .role = MMIO_ROLE_UNSPECIFIED };
	uint64_t reg[2], end;

	if (!fdt_read_u64s(reader, FDT_REG, ARRAY_COUNT(reg), reg, err))
		return false;
	claim.start = reg[0];
	claim.len = reg[1];
	if (!is_aligned(claim.start | claim.len, PAGE_SIZE) ||
		!checked_add_u64(claim.start, claim.len, &end))
		return fdt_fail(err, reader, FDT_REG, PVW_ROLE_0002,
			"base 0x%" PRIx64 ", length 0x%" PRIx64
			", expected multiples of 0x1000 and a sum below 2^64",
			claim.start, claim.len);
	if (fdt_has(reader, FDT_MMIO_ROLE) &&
		!fdt_read_u32(reader, FDT_MMIO_ROLE, &claim.role, err))
		return false;
	if (!NEED_LIST(tree, mmio, MmioClaim, MMIO_NODE_BYTES, BOOT_INFO_MAX_MMIO, err))
		return false;
	if (tree->mmio_count == tree->mmio_room)
		return parse_full(tree, "MMIO ranges", tree->mmio_room, err);
	claim.place = make_place(tree, err);
	if (!claim.place)
		return false;
	tree->mmio[tree->mmio_count++] = claim;
	return true;
}

static bool add_ram(BootTree *tree, MemoryType type, Error *err)
{
	const FdtReader *reader = &tree->reader;
	MapEntry entry = { .type = type };
	uint32_t igvm_type;

	if (!parse_range(tree, &entry.range, err) ||
		!fdt_read_u32(reader, FDT_NUMA_NODE, &entry.vnode, err) ||
		!fdt_read_u32(reader, FDT_IGVM_TYPE, &igvm_type, err))
		return false;
	entry.igvm_type = (uint16_t)igvm_type;
	tree->count_of[type]++;
	if (memory_range_is_empty(entry.range))
		return true;
	if (!NEED_LIST(tree, map, MapEntry, MAP_NODE_BYTES, BOOT_INFO_MAX_RANGES, err))
		return false;
	if (tree->map_count == tree->map_room)
		return parse_full(tree, "ranges of memory", tree->map_room, err);
	tree->map[tree->map_count++] = entry;
	return true;
}

bool parse_memory(BootTree *tree, Error *err)
{
	uint32_t type;

	if (!fdt_read_u32(&tree->reader, FDT_MEMORY_TYPE, &type, err))
		return false;
	if (type >= MEMORY_TYPE_COUNT)
		return fdt_fail(err, &tree->reader, FDT_MEMORY_TYPE, PVW_DT_0016,
			"%" PRIu32 ", expected at most %d", type, MEMORY_TYPE_COUNT - 1);
	if (type == MEMORY_TYPE_VTL0_MMIO)
		return add_mmio(tree, 0, err);
	if (type == MEMORY_TYPE_VTL2_MMIO)
		return add_mmio(tree, 2, err);
	return add_ram(tree, (MemoryType)type, err);
}

bool parse_accepted(BootTree *tree, Error *err)
{
	MemoryRange range;

	if (!parse_range(tree, &range, err))
		return false;
	if (memory_range_is_empty(range))
		return true;
	if (!NEED_LIST(tree, accepted, MemoryRange, ACCEPTED_NODE_BYTES, BOOT_INFO_MAX_RANGES,
		    err))
		return false;
	if (tree->accepted_count == tree->accepted_room)
		return parse_full(tree, "accepted ranges", tree->accepted_room, err);
	tree->accepted[tree->accepted_count++] = range;
	return true;
}
