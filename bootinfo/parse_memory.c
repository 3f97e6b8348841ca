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

#define PLACE_PREFIX "dtb:/openhcl/"

/* Another item for the present node. */
static void *add_item(BootTree *tree, GrowingList *list, Error *err)
{
	void *item = growing_list_add(list, tree->arena, err);

	if (!item)
		fdt_fail_here(err, &tree->reader, FDT_NODE_ITSELF);
	return item;
}

bool parse_vtl2_ram(BootTree *tree, Error *err)
{
	NodeRange ram, *item;

	if (!parse_range(tree, &ram.range, err) ||
		!fdt_read_u32(&tree->reader, FDT_NUMA_NODE, &ram.vnode, err))
		return false;
	if (memory_range_is_empty(ram.range))
		return true;
	item = add_item(tree, &tree->vtl2_ram, err);
	if (!item)
		return false;
	*item = ram;
	return true;
}

/* The claim's name in errors, which lives as long as the claim. */
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

/* `reg` must be a range; whether its role suits it, chipset_mmio_resolve decides. */
static bool read_claim(const FdtReader *reader, MmioClaim *claim, Error *err)
{
	uint64_t reg[2], end;

	if (!fdt_read_u64s(reader, FDT_REG, ARRAY_COUNT(reg), reg, err))
		return false;
	if (!is_aligned(reg[0] | reg[1], PAGE_SIZE) || !checked_add_u64(reg[0], reg[1], &end))
		return fdt_fail(err, reader, FDT_REG, PVW_ROLE_0002,
			"base 0x%" PRIx64 ", length 0x%" PRIx64
			", expected multiples of 0x1000 and a sum below 2^64",
			reg[0], reg[1]);
	claim->start = reg[0];
	claim->len = reg[1];
	return !fdt_has(reader, FDT_MMIO_ROLE) ||
		fdt_read_u32(reader, FDT_MMIO_ROLE, &claim->role, err);
}

static bool add_mmio(BootTree *tree, uint8_t vtl, Error *err)
{
	MmioClaim claim = { .vtl = vtl, .role = MMIO_ROLE_UNSPECIFIED };
	MmioClaim *item;

	if (!read_claim(&tree->reader, &claim, err))
		return false;
	claim.place = make_place(tree, err);
	if (!claim.place)
		return false;
	item = add_item(tree, &tree->mmio, err);
	if (!item)
		return false;
	*item = claim;
	return true;
}

static bool add_ram(BootTree *tree, MemoryType type, Error *err)
{
	const FdtReader *reader = &tree->reader;
	MapEntry entry = { .type = type };
	MapEntry *item;
	uint32_t igvm_type;

	if (!parse_range(tree, &entry.range, err) ||
		!fdt_read_u32(reader, FDT_NUMA_NODE, &entry.vnode, err) ||
		!fdt_read_u32(reader, FDT_IGVM_TYPE, &igvm_type, err))
		return false;
	entry.igvm_type = (uint16_t)igvm_type;
	tree->count_of[type]++;
	if (memory_range_is_empty(entry.range))
		return true;
	item = add_item(tree, &tree->map, err);
	if (!item)
		return false;
	*item = entry;
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
	MemoryRange range, *item;

	if (!parse_range(tree, &range, err))
		return false;
	if (memory_range_is_empty(range))
		return true;
	item = add_item(tree, &tree->accepted, err);
	if (!item)
		return false;
	*item = range;
	return true;
}
