/*
 * Who asked for a range, and what moved it there: its phase, the floor of the phase, and the
 * neighbour that it rests on. docs/formats.md, "Layout", has the rules.
 */
#include <inttypes.h>

#include "host/layout_view.h"
#include "host/size_text.h"

/* The member of a description that asks for an item. %: the owner. */
static const char *const members[] = {
	[LAYOUT_ITEM_LOW_RAM_GAP] = "layout.ram_start",
	[LAYOUT_ITEM_CHIPSET_LOW] = "chipset.low",
	[LAYOUT_ITEM_CHIPSET_HIGH] = "chipset.high",
	[LAYOUT_ITEM_ECAM] = "the buses of PCI segment %",
	[LAYOUT_ITEM_RC_LOW] = "pcie.root_complexes[%].low",
	[LAYOUT_ITEM_RC_HIGH] = "pcie.root_complexes[%].high",
	[LAYOUT_ITEM_CXL_HDM] = "pcie.root_complexes[%].cxl_hdm",
	[LAYOUT_ITEM_CXL_CHBCR] = "pcie.root_complexes[%].cxl_hdm, its registers",
	[LAYOUT_ITEM_IOMMU] = "pcie.root_complexes[%].iommu",
	[LAYOUT_ITEM_VIRTIO_MMIO] = "chipset.virtio_mmio",
	[LAYOUT_ITEM_RAM] = "nodes[%].memory",
	[LAYOUT_ITEM_VTL2_CHIPSET] = "vtl2.chipset",
	[LAYOUT_ITEM_VTL2] = "vtl2.memory",
	[LAYOUT_ITEM_VTL2_FRAMEBUFFER] = "vtl2.framebuffer",
	[LAYOUT_ITEM_RESERVED_IOVA] = "layout.reserved_iova",
};
static_assert(ARRAY_COUNT(members) == LAYOUT_ITEM_COUNT, "a member for each item");

static const char *member_of(
	const Vm *vm, const LayoutPlacement *placement, Arena *arena, Error *err)
{
	const char *text = members[placement->item], *at = text;

	if (placement->item == LAYOUT_ITEM_RAM && vm->layout.node_count == 1)
		return "memory";
	while (*at && *at != '%')
		at++;
	return arena_printf(arena, err, "%.*s%.*" PRIu32 "%s", (int)(at - text), text,
		*at ? 1 : 0, *at ? placement->owner : 0, *at ? at + 1 : at);
}

/* The size of a request: RAM may have several pieces. */
static uint64_t asked_size(const Vm *vm, const LayoutPlacement *placement)
{
	return placement->item == LAYOUT_ITEM_RAM ? vm->layout.node_sizes[placement->owner]
						  : memory_range_len(placement->range);
}

static const char *asked_of(
	const Vm *vm, const LayoutPlacement *placement, Arena *arena, Error *err)
{
	if (placement->align == 0)
		return arena_printf(
			arena, err, "%s, pinned", size_text(asked_size(vm, placement)).text);
	return arena_printf(arena, err, "%s, aligned to %s",
		size_text(asked_size(vm, placement)).text, size_text(placement->align).text);
}

/*
 * What it rests on.
 */

static const char *tag_of(const LayoutPlacement *placement, char out[LAYOUT_TAG_SIZE])
{
	return layout_tag_write(placement->tag, out);
}

/*
 * Was @other there when @self was placed? Phases follow each other; inside of one those for
 * windows go by alignment and size, the others upwards. Of equals the first is nearer the edge.
 */
static bool was_before(
	const LayoutView *view, const LayoutPlacement *other, const LayoutPlacement *self)
{
	if (view->layout->version != LAYOUT_VERSION_REFERENCE && other->kind == PLACEMENT_RAM &&
		self->kind >= PLACEMENT_FIXED)
		return true; /* RAM comes first */
	if (other->kind != self->kind ||
		(self->kind != PLACEMENT_MMIO32 && self->kind != PLACEMENT_MMIO64))
		return other->kind <= self->kind;
	if (other->align != self->align)
		return other->align > self->align;
	return memory_range_len(other->range) >= memory_range_len(self->range);
}

/* The nearest that was there, below or above; NULL if there was none. */
static const LayoutPlacement *neighbour(const LayoutView *view, size_t index, bool above)
{
	const LayoutPlacementList list = view->layout->placements;
	size_t at = index;

	while (above ? ++at < list.count : at-- > 0) {
		if (was_before(view, &list.items[at], &list.items[index]))
			return &list.items[at];
	}
	return NULL;
}

/* What is between it and what it rests on: smaller ones came later. */
static const char *slack_text(uint64_t slack, Arena *arena, Error *err)
{
	return slack
		? arena_printf(arena, err, ", %s apart by its alignment", size_text(slack).text)
		: "";
}

static const char *below_neighbour(
	const LayoutView *view, size_t index, Arena *arena, Error *err)
{
	const LayoutPlacement *placement = &view->layout->placements.items[index];
	const LayoutPlacement *above = neighbour(view, index, /* above= */ true);
	const uint64_t end =
		above && above->range.start < FOUR_GIB ? above->range.start : FOUR_GIB;
	const char *slack = slack_text(end - placement->range.end, arena, err);
	char tag[LAYOUT_TAG_SIZE];

	if (!slack)
		return NULL;
	return arena_printf(arena, err,
		"highest place below 4 GiB: under %s at 0x%" PRIx64 "%s",
		end < FOUR_GIB ? tag_of(above, tag) : "the end of 32 bits", end, slack);
}

/* Version 2: nothing is below H, and why that is there. */
static const char *from_high(
	const LayoutView *view, uint64_t start, const char *phase, Arena *arena, Error *err)
{
	const ResolvedLayout *layout = view->layout;
	const char *slack = slack_text(start - layout->high_start, arena, err);
	const bool is_x86 = view->vm->layout.arch == GUEST_ARCH_X86_64;

	if (!slack)
		return NULL;
	if (!is_x86 && layout->end_of_ram <= FOUR_GIB)
		return arena_printf(arena, err,
			"%s: from 0x%" PRIx64
			" on, for firmware needs a gap between 4 GiB and the first window%s",
			phase, layout->high_start, slack);
	return arena_printf(arena, err,
		"%s: from 0x%" PRIx64 " on, %s (0x%" PRIx64 ") rounded up to %s%s%s", phase,
		layout->high_start, layout->end_of_ram > FOUR_GIB ? "the end of RAM" : "4 GiB",
		layout->end_of_ram > FOUR_GIB ? layout->end_of_ram : FOUR_GIB,
		size_text(layout->high_align).text, is_x86 ? " so that 6 MTRRs suffice" : "",
		slack);
}

/* What is directly below, and what the phase may not go below. */
static const char *on_neighbour(
	const LayoutView *view, size_t index, const char *phase, Arena *arena, Error *err)
{
	const LayoutPlacement *placement = &view->layout->placements.items[index];
	const LayoutPlacement *below = neighbour(view, index, /* above= */ false);
	const uint64_t floor = below ? below->range.end : 0;
	const char *slack = slack_text(placement->range.start - floor, arena, err);
	char tag[LAYOUT_TAG_SIZE];

	if (!slack)
		return NULL;
	if (placement->kind != PLACEMENT_RAM && floor < view->layout->high_start)
		return from_high(view, placement->range.start, phase, arena, err);
	if (!below)
		return arena_printf(arena, err, "%s: nothing is below%s", phase, slack);
	return arena_printf(arena, err, "%s: on %s, which ends at 0x%" PRIx64 "%s", phase,
		tag_of(below, tag), floor, slack);
}

static size_t piece_of(const LayoutView *view, size_t index, size_t *pieces)
{
	const LayoutPlacementList list = view->layout->placements;
	size_t piece = 0;

	*pieces = 0;
	for (size_t i = 0; i < list.count; i++) {
		if (list.items[i].item != LAYOUT_ITEM_RAM ||
			list.items[i].owner != list.items[index].owner)
			continue;
		(*pieces)++;
		piece += i <= index;
	}
	return piece;
}

/* Why a piece of RAM that is not the last one ends where it does. */
static const char *end_text(const LayoutView *view, size_t index, Arena *arena, Error *err)
{
	const LayoutPlacementList list = view->layout->placements;
	const LayoutPlacement *placement = &list.items[index];
	const MemoryRange space = view->layout->device_space;
	char tag[LAYOUT_TAG_SIZE];

	if (placement->range.end == space.start)
		return arena_printf(arena, err, "; up to the device space of %s below 4 GiB",
			size_text(memory_range_len(space)).text);
	return arena_printf(arena, err, "; as many times %s as fit below %s",
		size_text(placement->align).text, tag_of(&list.items[index + 1], tag));
}

static const char *ram_text(const LayoutView *view, size_t index, Arena *arena, Error *err)
{
	size_t pieces;
	const size_t piece = piece_of(view, index, &pieces);
	const char *where = on_neighbour(view, index, "RAM upwards", arena, err);
	const char *end = piece < pieces ? end_text(view, index, arena, err) : "";

	if (!where || !end || pieces == 1)
		return end ? where : NULL;
	return arena_printf(arena, err, "piece %zu of %zu, %s%s", piece, pieces, where, end);
}

static const char *pinned_text(const LayoutView *view, size_t index, Arena *arena, Error *err)
{
	const LayoutPlacement *placement = &view->layout->placements.items[index];

	if (placement->item == LAYOUT_ITEM_CHIPSET_LOW)
		return arena_printf(arena, err,
			"always ends at 4 GiB, and holds the architecture's own devices from "
			"0x%" PRIx64 " on",
			layout_defaults(view->vm->layout.arch)->zone.start);
	if (placement->item == LAYOUT_ITEM_CHIPSET_HIGH)
		return on_neighbour(
			view, index, "first window, lowest place above RAM", arena, err);
	if (placement->item == LAYOUT_ITEM_LOW_RAM_GAP)
		return "kept free below the start of RAM";
	if (placement->item == LAYOUT_ITEM_RESERVED_IOVA)
		return "the host's IOMMU uses it itself: no RAM, no window";
	return "where the description says";
}

static const char *placed_of(const LayoutView *view, size_t index, Arena *arena, Error *err)
{
	const LayoutPlacement *placement = &view->layout->placements.items[index];

	if (view->restored && placement->kind > PLACEMENT_RESERVED &&
		placement->item != LAYOUT_ITEM_CHIPSET_LOW && placement->kind != PLACEMENT_RAM)
		return "where it was in the layout that is restored";
	switch (placement->kind) {
	case PLACEMENT_RESERVED:
	case PLACEMENT_FIXED:
		return pinned_text(view, index, arena, err);
	case PLACEMENT_MMIO32:
		return below_neighbour(view, index, arena, err);
	case PLACEMENT_RAM:
		return ram_text(view, index, arena, err);
	case PLACEMENT_MMIO64:
		return on_neighbour(
			view, index, "lowest place above RAM and 4 GiB", arena, err);
	case PLACEMENT_POST_MMIO:
		return on_neighbour(view, index, "above all that the guest sees", arena, err);
	case PLACEMENT_KIND_COUNT:
		break;
	}
	return "";
}

bool layout_reason(
	const LayoutView *view, size_t index, Arena *arena, LayoutReason *out, Error *err)
{
	const LayoutPlacementList list = view->layout->placements;
	const LayoutPlacement *placement = &list.items[index];
	LayoutReason reason = {
		.member = member_of(view->vm, placement, arena, err),
		.asked = asked_of(view->vm, placement, arena, err),
		.placed = placed_of(view, index, arena, err),
		.gap = index + 1 < list.count
			? list.items[index + 1].range.start - placement->range.end
			: 0,
	};

	if (!reason.member || !reason.asked || !reason.placed)
		return false;
	layout_tag_write(placement->tag, reason.tag);
	*out = reason;
	return true;
}

size_t layout_view_find(const LayoutView *view, uint64_t address)
{
	const LayoutPlacementList list = view->layout->placements;

	for (size_t i = 0; i < list.count; i++) {
		if (memory_range_contains_address(list.items[i].range, address))
			return i;
	}
	return SIZE_MAX;
}
