/*
 * The document pvw.layout/1: what was decided, for programs and for the guest's next start.
 */
#include <string.h>

#include "host/json_rows.h"
#include "host/layout_view.h"
#include "support/diagnostics.h"

static json_t *range_json(MemoryRange range)
{
	if (memory_range_is_empty(range))
		return json_null();
	return json_pack("{s:o, s:o}", "start", json_text_u64(range.start), "end",
		json_text_u64(range.end));
}

static json_t *placement_json(
	const LayoutView *view, size_t index, bool explain, Arena *arena, Error *err)
{
	const LayoutPlacement *placement = &view->layout->placements.items[index];
	LayoutReason reason;
	json_t *out;

	if (!layout_reason(view, index, arena, &reason, err))
		return NULL;
	out = json_pack("{s:s, s:s, s:s, s:i, s:o, s:o}", "kind",
		placement_kind_name(placement->kind), "tag", reason.tag, "item",
		layout_item_name(placement->item), "owner", (int)placement->owner, "start",
		json_text_u64(placement->range.start), "end",
		json_text_u64(placement->range.end));
	if (out && explain)
		json_object_update_new(out,
			json_pack("{s:s, s:s, s:s, s:o}", "member", reason.member, "asked",
				reason.asked, "placed", reason.placed, "gap",
				json_text_u64(reason.gap)));
	return out;
}

static json_t *placements_json(const LayoutView *view, bool explain, Arena *arena, Error *err)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->layout->placements.count; i++) {
		json_t *item = placement_json(view, i, explain, arena, err);

		if (!item || json_array_append_new(list, item) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *root_complexes_json(const LayoutView *view)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->vm->layout.root_complex_count; i++) {
		const RootComplexShape *shape = &view->vm->layout.root_complexes[i];
		const RootComplexLayout *at = &view->layout->root_complexes[i];

		json_array_append_new(list,
			json_pack(
				"{s:s, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
				"name", shape->name, "segment", (int)shape->segment,
				"start_bus", (int)shape->start_bus, "end_bus",
				(int)shape->end_bus, "ecam", range_json(at->ecam), "low",
				range_json(at->low), "high", range_json(at->high), "cxl_hdm",
				range_json(at->cxl_hdm), "cxl_chbcr", range_json(at->cxl_chbcr),
				"iommu", range_json(at->iommu), "low_largest_bar",
				json_text_u64(layout_largest_bar(at->low)), "high_largest_bar",
				json_text_u64(layout_largest_bar(at->high))));
	}
	return list;
}

static json_t *reserved_json(const LayoutView *view)
{
	const ReservedIovaList reserved = view->vm->layout.reserved_iova;
	json_t *list = json_array();

	for (size_t i = 0; i < reserved.count; i++)
		json_array_append_new(list,
			json_pack("{s:o, s:o, s:s}", "start",
				json_text_u64(reserved.items[i].range.start), "end",
				json_text_u64(reserved.items[i].range.end), "reason",
				reserved.items[i].reason));
	return list;
}

/* Of x86-64: how many pairs, or why there are none that are exact. */
static json_t *mtrr_json(const LayoutView *view)
{
	if (view->vm->layout.arch != GUEST_ARCH_X86_64)
		return json_null();
	if (!view->has_mtrr)
		return json_pack("{s:n, s:s}", "pairs", "error", view->mtrr_error.text);
	return json_pack("{s:i, s:i, s:s}", "pairs", (int)view->mtrr.count, "budget",
		MTRR_DEFAULT_BUDGET, "cover", mtrr_cover_name(view->mtrr.cover));
}

bool layout_view_json(
	const LayoutView *view, bool explain, Arena *arena, json_t **out, Error *err)
{
	const ResolvedLayout *layout = view->layout;
	json_t *placements = placements_json(view, explain, arena, err);
	json_t *document = placements
		? json_pack("{s:i, s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			    "s:o, s:o, s:o}",
			  "version", (int)layout->version, "arch",
			  guest_arch_name(view->vm->layout.arch), "name", view->vm->name,
			  "address_bits", (int)view->vm->layout.address_bits, "placements",
			  placements, "chipset_low", range_json(layout->chipset_low),
			  "chipset_high", range_json(layout->chipset_high), "virtio_mmio",
			  range_json(layout->virtio_mmio), "vtl2_chipset",
			  range_json(layout->vtl2_chipset), "vtl2", range_json(layout->vtl2),
			  "vtl2_framebuffer", range_json(layout->vtl2_framebuffer),
			  "root_complexes", root_complexes_json(view), "reserved",
			  reserved_json(view), "end_of_ram", json_text_u64(layout->end_of_ram),
			  "top", json_text_u64(layout->top), "mtrr", mtrr_json(view))
		: NULL;

	if (!document)
		return error_set(err, PVW_MEM_0001, "no memory for a layout's document");
	*out = document;
	return true;
}

/*
 * Reading what was kept.
 */

typedef struct KeptItem {
	uint32_t kind;
	const char *tag;
	uint64_t start, end;
} KeptItem;

typedef struct KeptParts {
	const char *schema;
	uint32_t version;
	KeptItem *items;
	size_t count;
} KeptParts;

/* By PlacementKind. */
static const char *const kind_names[] = { "reserved", "fixed", "mmio32", "ram", "mmio64",
	"post-mmio", NULL };
static_assert(ARRAY_COUNT(kind_names) == PLACEMENT_KIND_COUNT + 1, "a name for each");

static const JsonRow item_rows[] = {
	{ "kind", JSON_ROW_NAME, true, .at = offsetof(KeptItem, kind), .names = kind_names },
	{ "tag", JSON_ROW_TEXT, true, .at = offsetof(KeptItem, tag) },
	{ "start", JSON_ROW_U64, true, .at = offsetof(KeptItem, start) },
	{ "end", JSON_ROW_U64, true, .at = offsetof(KeptItem, end) },
	{ .name = NULL },
};

static const JsonRow kept_rows[] = {
	{ "schema", JSON_ROW_TEXT, true, .at = offsetof(KeptParts, schema) },
	{ "version", JSON_ROW_U32, true, .at = offsetof(KeptParts, version) },
	{ "placements", JSON_ROW_OBJECTS, true, .max = LAYOUT_MAX_KEPT,
		.at = offsetof(KeptParts, items), .rows = item_rows,
		.count_at = offsetof(KeptParts, count), .item_size = sizeof(KeptItem) },
	{ .name = NULL },
};

static bool take_item(
	const KeptItem *item, uint64_t floor, size_t index, Error *err, KeptPlacement *out)
{
	Error why;

	if (strlen(item->tag) >= LAYOUT_TAG_SIZE)
		return error_set(err, PVW_VM_0009,
			"placement %zu has a tag of %zu bytes, expected fewer than %d", index,
			strlen(item->tag), LAYOUT_TAG_SIZE);
	if (item->start < floor || item->start == item->end ||
		!memory_range_from_bounds(item->start, item->end, &out->range, &why))
		return error_set(err, PVW_VM_0009,
			"placement %zu is 0x%" PRIx64 "-0x%" PRIx64
			", expected whole pages from 0x%" PRIx64 " on",
			index, item->start, item->end, floor);
	out->kind = (PlacementKind)item->kind;
	memcpy(out->tag, item->tag, strlen(item->tag) + 1);
	return true;
}

static bool take_parts(const KeptParts *parts, Arena *arena, KeptLayout *out, Error *err)
{
	KeptPlacement *items = arena_array(arena, KeptPlacement, parts->count, err);
	uint64_t floor = 0;

	if (!items)
		return false;
	if (strcmp(parts->schema, LAYOUT_SCHEMA) != 0)
		return error_set(err, PVW_VM_0009,
			"a document of schema \"%.64s\", expected \"%s\"", parts->schema,
			LAYOUT_SCHEMA);
	for (size_t i = 0; i < parts->count; i++) {
		if (!take_item(&parts->items[i], floor, i, err, &items[i]))
			return false;
		floor = items[i].range.end;
	}
	*out = (KeptLayout){ parts->version, items, parts->count };
	return true;
}

bool layout_kept_read(Bytes json, const char *source, Arena *arena, KeptLayout *out, Error *err)
{
	KeptParts parts = { 0 };
	JsonReader reader = { .arena = arena, .err = err, .lenient = true };
	json_t *document;
	bool ok;

	if (!json_text_parse(json, source, &document, err))
		return false;
	json_path_push(&reader.path, "", source);
	ok = json_rows_read(&reader, kept_rows, document, &parts);
	json_decref(document);
	if (!ok)
		return false;
	return take_parts(&parts, arena, out, err) || error_at(err, source);
}
