/*
 * What a layout allows, because the reference does, although hardly anybody means it.
 */
#include "layout/resolver.h"

/* Does RAM go on above @range, on the same side of 4 GiB? */
static const NodeRange *ram_above(NodeRangeList ram, MemoryRange range)
{
	for (size_t i = 0; i < ram.count; i++) {
		const uint64_t start = ram.items[i].range.start;

		if (start >= range.end && (start < FOUR_GIB) == (range.start < FOUR_GIB))
			return &ram.items[i];
	}
	return NULL;
}

static void warn_of_window(const LayoutShape *shape, const ResolvedLayout *layout,
	const LayoutPlacement *window, Diagnostics *diagnostics)
{
	const NodeRange *above = ram_above(layout->ram, window->range);
	const char *name = shape->root_complexes[window->owner].name;
	char tag[LAYOUT_TAG_SIZE];

	layout_tag_write(window->tag, tag);
	if (above)
		diagnostics_add(diagnostics, PVW_RESOLVE_0023, name,
			"%s is fixed at " RANGE_FORMAT
			" and splits RAM, which goes on at 0x%" PRIx64
			", expected it above all RAM",
			tag, RANGE_ARGS(window->range), above->range.start);
	if (window->item == LAYOUT_ITEM_RC_HIGH && window->range.start < FOUR_GIB)
		diagnostics_add(diagnostics, PVW_RESOLVE_0024, name,
			"%s is fixed at " RANGE_FORMAT ", expected it at or above 4 GiB", tag,
			RANGE_ARGS(window->range));
}

void layout_warn(
	const LayoutShape *shape, const ResolvedLayout *layout, Diagnostics *diagnostics)
{
	for (size_t i = 0; i < layout->placements.count; i++) {
		const LayoutPlacement *placement = &layout->placements.items[i];

		if (placement->kind == PLACEMENT_FIXED &&
			(placement->item == LAYOUT_ITEM_RC_LOW ||
				placement->item == LAYOUT_ITEM_RC_HIGH))
			warn_of_window(shape, layout, placement, diagnostics);
	}
}
