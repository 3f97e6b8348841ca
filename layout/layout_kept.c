/*
 * Keeping layouts and comparing them.
 */
#include "layout/layout_kept.h"

#include <string.h>

#include "layout/resolver_internal.h"
#include "support/diagnostics.h"

bool layout_keep(const ResolvedLayout *layout, Arena *arena, KeptLayout *out, Error *err)
{
	const LayoutPlacementList list = layout->placements;
	KeptPlacement *items = arena_array(arena, KeptPlacement, list.count, err);

	if (!items)
		return false;
	for (size_t i = 0; i < list.count; i++) {
		items[i].range = list.items[i].range;
		items[i].kind = list.items[i].kind;
		layout_tag_write(list.items[i].tag, items[i].tag);
	}
	*out = (KeptLayout){ layout->version, items, list.count };
	return true;
}

static bool is_same(const KeptPlacement *a, const KeptPlacement *b)
{
	return a->kind == b->kind && memory_range_equal(a->range, b->range) &&
		strcmp(a->tag, b->tag) == 0;
}

/* The placement of that tag that comes after as many others of it as @like does; or NULL. */
static const KeptPlacement *find_like(
	const KeptLayout *layout, const KeptLayout *of, const KeptPlacement *like)
{
	size_t before = 0;

	for (const KeptPlacement *at = of->items; at < like; at++)
		before += strcmp(at->tag, like->tag) == 0;
	for (size_t i = 0; i < layout->count; i++) {
		if (strcmp(layout->items[i].tag, like->tag) == 0 && before-- == 0)
			return &layout->items[i];
	}
	return NULL;
}

/* @was and @now are the first that differ; the one that ends a list is NULL. */
static bool fail_difference(const KeptLayout *kept, const KeptLayout *layout,
	const KeptPlacement *was, const KeptPlacement *now, Error *err)
{
	/* What starts lower is what the other layout has elsewhere, or not at all. */
	if (was && (!now || was->range.start <= now->range.start))
		now = find_like(layout, kept, was);
	else
		was = find_like(kept, layout, now);
	if (!now)
		return error_set(err, PVW_RESOLVE_0019,
			"%s was at " RANGE_FORMAT " and is not there any more", was->tag,
			RANGE_ARGS(was->range));
	if (!was)
		return error_set(err, PVW_RESOLVE_0019,
			"%s at " RANGE_FORMAT " was not there before", now->tag,
			RANGE_ARGS(now->range));
	return error_set(err, PVW_RESOLVE_0019,
		"%s was at " RANGE_FORMAT " (%s) and would be at " RANGE_FORMAT " (%s)",
		was->tag, RANGE_ARGS(was->range), placement_kind_name(was->kind),
		RANGE_ARGS(now->range), placement_kind_name(now->kind));
}

bool layout_check_version(const KeptLayout *kept, uint32_t version, Error *err)
{
	if (kept->version != version)
		return error_set(err, PVW_RESOLVE_0019,
			"the layout has version %" PRIu32 ", expected %" PRIu32
			" as the guest was made with",
			version, kept->version);
	return true;
}

bool layout_compare(const KeptLayout *kept, const KeptLayout *now, Error *err)
{
	if (!layout_check_version(kept, now->version, err))
		return false;
	for (size_t i = 0; i < kept->count || i < now->count; i++) {
		const KeptPlacement *a = i < kept->count ? &kept->items[i] : NULL;
		const KeptPlacement *b = i < now->count ? &now->items[i] : NULL;

		if (!a || !b || !is_same(a, b))
			return fail_difference(kept, now, a, b, err);
	}
	return true;
}
