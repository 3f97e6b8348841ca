/*
 * A layout as a picture: rows as memory maps have them.
 */
#include <inttypes.h>

#include "host/layout_view.h"
#include "host/memory_map_internal.h"

#define MAX_FACTS 2

/* By LayoutItem. */
static const RoleLook looks[] = {
	[LAYOUT_ITEM_LOW_RAM_GAP] = { "kept without RAM", 'x', '0', MAP_PLAIN, SVG_RESERVED },
	[LAYOUT_ITEM_CHIPSET_LOW] = { "chipset low", 'l', '0', MAP_YELLOW, SVG_CHIPSET },
	[LAYOUT_ITEM_CHIPSET_HIGH] = { "chipset high", 'h', '0', MAP_YELLOW, SVG_CHIPSET },
	[LAYOUT_ITEM_ECAM] = { "PCIe configuration", 'e', '0', MAP_CYAN, SVG_PCIE },
	[LAYOUT_ITEM_RC_LOW] = { "PCIe low window", 'p', '0', MAP_CYAN, SVG_PCIE },
	[LAYOUT_ITEM_RC_HIGH] = { "PCIe high window", 'p', '0', MAP_CYAN, SVG_PCIE },
	[LAYOUT_ITEM_CXL_HDM] = { "CXL memory", 'c', '0', MAP_CYAN, SVG_SPECIAL_RAM },
	[LAYOUT_ITEM_CXL_CHBCR] = { "CXL registers", 'c', '0', MAP_BLUE, SVG_DEVICE },
	[LAYOUT_ITEM_IOMMU] = { "IOMMU", 'i', '0', MAP_BLUE, SVG_DEVICE },
	[LAYOUT_ITEM_VIRTIO_MMIO] = { "virtio-mmio", 'v', '0', MAP_BLUE, SVG_DEVICE },
	[LAYOUT_ITEM_RAM] = { "RAM", 'R', '0', MAP_GREEN, SVG_RAM },
	[LAYOUT_ITEM_VTL2_CHIPSET] = { "VTL2 chipset", 'p', '2', MAP_MAGENTA, SVG_VTL2 },
	[LAYOUT_ITEM_VTL2] = { "VTL2 RAM", 'R', '2', MAP_MAGENTA, SVG_VTL2 },
	[LAYOUT_ITEM_VTL2_FRAMEBUFFER] = { "VTL2 framebuffer", 'f', '2', MAP_MAGENTA,
		SVG_VTL2 },
	[LAYOUT_ITEM_RESERVED_IOVA] = { "IOMMU's own", 'x', '0', MAP_PLAIN, SVG_RESERVED },
};
static_assert(ARRAY_COUNT(looks) == LAYOUT_ITEM_COUNT, "a look for each item");

/* What tells two of a kind apart: the node, the root complex, else the tag. */
static const char *detail_of(
	const Vm *vm, const LayoutPlacement *placement, Arena *arena, Error *err)
{
	char tag[LAYOUT_TAG_SIZE];

	switch (placement->item) {
	case LAYOUT_ITEM_RAM:
		return arena_printf(arena, err, "node %" PRIu32, placement->owner);
	case LAYOUT_ITEM_ECAM:
		return arena_printf(arena, err, "segment %" PRIu32, placement->owner);
	case LAYOUT_ITEM_RC_LOW:
	case LAYOUT_ITEM_RC_HIGH:
	case LAYOUT_ITEM_CXL_HDM:
	case LAYOUT_ITEM_CXL_CHBCR:
	case LAYOUT_ITEM_IOMMU:
		return vm->layout.root_complexes[placement->owner].name;
	case LAYOUT_ITEM_LOW_RAM_GAP:
	case LAYOUT_ITEM_CHIPSET_LOW:
	case LAYOUT_ITEM_CHIPSET_HIGH:
	case LAYOUT_ITEM_VIRTIO_MMIO:
	case LAYOUT_ITEM_VTL2_CHIPSET:
	case LAYOUT_ITEM_VTL2:
	case LAYOUT_ITEM_VTL2_FRAMEBUFFER:
	case LAYOUT_ITEM_RESERVED_IOVA:
	case LAYOUT_ITEM_COUNT:
		break;
	}
	return arena_printf(arena, err, "%s", layout_tag_write(placement->tag, tag));
}

/* The part of a placement that is drawn. */
static bool cut(const LayoutPlacement *placement, MapStyle style, MapRow *out)
{
	const uint64_t last = placement->range.end - 1;
	const uint64_t limit = style.to ? style.to - 1 : UINT64_MAX;

	if (last < style.from || placement->range.start > limit)
		return false;
	out->start = placement->range.start > style.from ? placement->range.start : style.from;
	out->last = last < limit ? last : limit;
	return true;
}

static bool make_rows(
	const LayoutView *view, MapStyle style, Arena *arena, MapRows *out, Error *err)
{
	const LayoutPlacementList list = view->layout->placements;
	MapRow *rows = arena_array(arena, MapRow, list.count, err);
	size_t count = 0;

	for (size_t i = 0; rows && i < list.count; i++) {
		const LayoutPlacement *placement = &list.items[i];
		MapRow row = { .look = &looks[placement->item],
			.is_ram = placement->item == LAYOUT_ITEM_RAM,
			.vnode = placement->owner,
			.owner = "" };

		if (!cut(placement, style, &row))
			continue;
		if (!row.is_ram)
			row.owner = detail_of(view->vm, placement, arena, err);
		if (!row.owner)
			return false;
		rows[count++] = row;
	}
	*out = (MapRows){ rows, count };
	return rows;
}

bool layout_view_map(
	FILE *out, const LayoutView *view, MapStyle style, Arena *arena, Error *err)
{
	MapRows rows;

	if (!make_rows(view, style, arena, &rows, err))
		return false;
	memory_map_print_rows(out, style, rows);
	fprintf(out,
		"\nend of ram 0x%" PRIx64 ", top 0x%" PRIx64
		", %u address bits, layout version %" PRIu32 "\n",
		view->layout->end_of_ram, view->layout->top, view->vm->layout.address_bits,
		view->layout->version);
	return true;
}

bool layout_view_draw(
	FILE *out, const LayoutView *view, MapStyle style, Arena *arena, Error *err)
{
	const ResolvedLayout *layout = view->layout;
	const char *facts[MAX_FACTS] = {
		arena_printf(arena, err, "%s, layout version %" PRIu32 ", %u address bits",
			guest_arch_name(view->vm->layout.arch), layout->version,
			view->vm->layout.address_bits),
		arena_printf(arena, err, "RAM ends at 0x%" PRIx64 ", everything at 0x%" PRIx64,
			layout->end_of_ram, layout->top),
	};
	SvgMap map = {
		.title = view->vm->name,
		.description = arena_printf(arena, err,
			"Where everything of a virtual machine is, from low to high addresses: "
			"%zu ranges, RAM up to 0x%" PRIx64 ".",
			layout->placements.count, layout->end_of_ram),
		.facts = facts,
		.fact_count = MAX_FACTS,
		.scale = style.scale,
		.from = style.from,
	};
	MapRows rows;

	if (!facts[0] || !facts[1] || !map.description ||
		!make_rows(view, style, arena, &rows, err))
		return false;
	map.bands = memory_map_bands(rows, arena, err);
	map.band_count = rows.count;
	return map.bands && svg_map_print(out, &map, arena, err);
}
