/*
 * A layout that was kept, for the guest that knows it: every window pinned where it was, and RAM
 * placed anew around them.
 */
#include <string.h>

#include "layout/layout_kept.h"
#include "layout/resolver_internal.h"

/* What was kept, to be found by tag. */
struct KeptIndex {
	const KeptLayout *layout;
	SortKey *keys; /* hashes of tags, ascending */
};

static uint64_t hash_of(const char *tag)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (; *tag; tag++)
		hash = (hash ^ (uint8_t)*tag) * UINT64_C(0x100000001b3);
	return hash;
}

static bool build_index(const KeptLayout *layout, Arena *arena, KeptIndex *out, Error *err)
{
	SortKey *keys = reserve_array(arena, SortKey, 2 * layout->count, err);

	if (!keys)
		return false;
	for (size_t i = 0; i < layout->count; i++)
		keys[i] = (SortKey){ hash_of(layout->items[i].tag), i };
	sort_keys(keys, keys + layout->count, layout->count);
	*out = (KeptIndex){ layout, keys };
	return true;
}

/* The first placement of that tag, or NULL. */
static const KeptPlacement *find_kept(const KeptIndex *kept, const char *tag)
{
	const uint64_t hash = hash_of(tag);
	size_t low = 0, high = kept->layout->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (kept->keys[middle].key < hash)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < kept->layout->count && kept->keys[low].key == hash; low++) {
		const KeptPlacement *found = &kept->layout->items[kept->keys[low].index];

		if (strcmp(found->tag, tag) == 0)
			return found;
	}
	return NULL;
}

/* What is pinned anyway must be where it was: it differs, not what it then is in the way of. */
static bool pin_request(const KeptIndex *kept, AllocatorRequest *request, Error *err)
{
	const bool pinned = request->kind == PLACEMENT_FIXED;
	const uint64_t size = pinned ? memory_range_len(request->range) : request->size;
	const KeptPlacement *was;
	char tag[LAYOUT_TAG_SIZE];

	was = find_kept(kept, layout_tag_write(request->tag, tag));
	if (!was)
		return error_set(err, PVW_RESOLVE_0019,
			"%s of 0x%" PRIx64 " bytes was not there before", tag, size);
	if (memory_range_len(was->range) != size)
		return error_set(err, PVW_RESOLVE_0019,
			"%s was at " RANGE_FORMAT " and would have 0x%" PRIx64
			" bytes, expected 0x%" PRIx64,
			tag, RANGE_ARGS(was->range), size, memory_range_len(was->range));
	if (pinned && !memory_range_equal(was->range, request->range))
		return error_set(err, PVW_RESOLVE_0019,
			"%s was at " RANGE_FORMAT " and would be at " RANGE_FORMAT, tag,
			RANGE_ARGS(was->range), RANGE_ARGS(request->range));
	request->kind = PLACEMENT_FIXED;
	request->range = was->range;
	return true;
}

bool kept_pin(const KeptIndex *kept, Resolver *resolver, Error *err)
{
	for (size_t i = 0; i < resolver->count; i++) {
		AllocatorRequest *request = &resolver->requests[i];

		if (request->kind == PLACEMENT_RESERVED || request->kind == PLACEMENT_RAM)
			continue;
		if (!pin_request(kept, request, err))
			return false;
	}
	return true;
}

MemoryRange kept_chipset_high(const KeptIndex *kept, MemoryRange computed)
{
	const KeptPlacement *was = kept ? find_kept(kept, CHIPSET_HIGH_TAG) : NULL;

	return was && memory_range_len(was->range) == memory_range_len(computed) ? was->range
										 : computed;
}

bool kept_check_ram(const KeptIndex *kept, NodeRangeList ram, Arena *arena, Error *err)
{
	KeptLayout was = { 0 }, now = { 0 };
	KeptPlacement *items, *at;

	items = arena_array(arena, KeptPlacement, kept->layout->count + ram.count, err);
	if (!items)
		return false;
	at = items;
	was.items = at;
	for (size_t i = 0; i < kept->layout->count; i++) {
		if (kept->layout->items[i].kind == PLACEMENT_RAM)
			*at++ = kept->layout->items[i];
	}
	was.count = (size_t)(at - items);
	now = (KeptLayout){ .items = at, .count = ram.count };
	for (size_t i = 0; i < ram.count; i++, at++) {
		*at = (KeptPlacement){ .range = ram.items[i].range, .kind = PLACEMENT_RAM };
		layout_tag_write(
			(LayoutTag){ .text = "ram%", .number = ram.items[i].vnode }, at->tag);
	}
	return layout_compare(&was, &now, err);
}

/* Every version keeps windows on their side of 4 GiB and of RAM; a file may say anything. */
static bool check_sides(const ResolvedLayout *layout, Error *err)
{
	const uint64_t floor = layout->end_of_ram > FOUR_GIB ? layout->end_of_ram : FOUR_GIB;
	char tag[LAYOUT_TAG_SIZE];

	for (size_t i = 0; i < layout->placements.count; i++) {
		const LayoutPlacement *at = &layout->placements.items[i];
		const bool high = at->kind == PLACEMENT_MMIO64 ||
			at->kind == PLACEMENT_POST_MMIO || at->item == LAYOUT_ITEM_CHIPSET_HIGH;

		if (high && at->range.start < floor)
			return error_set(err, PVW_RESOLVE_0019,
				"%s was at " RANGE_FORMAT ", expected from 0x%" PRIx64 " on",
				layout_tag_write(at->tag, tag), RANGE_ARGS(at->range), floor);
		if (at->kind == PLACEMENT_MMIO32 && at->range.end > FOUR_GIB)
			return error_set(err, PVW_RESOLVE_0019,
				"%s was at " RANGE_FORMAT ", expected below 4 GiB",
				layout_tag_write(at->tag, tag), RANGE_ARGS(at->range));
	}
	return true;
}

bool layout_restore(const KeptLayout *kept, const LayoutShape *shape, Arena *arena,
	ResolvedLayout *out, Error *err)
{
	ResolvedLayout layout;
	KeptLayout now;
	KeptIndex index;

	if (kept->count > LAYOUT_MAX_KEPT)
		return error_set(err, PVW_RESOLVE_0011,
			"%zu placements were kept, expected at most %d", kept->count,
			LAYOUT_MAX_KEPT);
	if (!layout_check_version(kept, shape->version, err) || !shape_check(shape, err) ||
		!build_index(kept, arena, &index, err))
		return false;
	if (shape->version == LAYOUT_VERSION_REFERENCE
			? !resolve_reference(shape, &index, arena, &layout, err)
			: !resolve_current(shape, &index, arena, &layout, err))
		return false;
	if (!check_sides(&layout, err) || !layout_keep(&layout, arena, &now, err) ||
		!layout_compare(kept, &now, err))
		return false;
	*out = layout;
	return true;
}
