/*
 * Area layout_builder: the allocator alone.
 */
#include "golden.h"

#include <string.h>

#include "layout/allocator.h"

/* As the schema calls requests and what became of them, by PlacementKind. */
static const char *const op_names[] = { "reserve", "fixed", "mmio32", "ram", "mmio64",
	"post_mmio" };
static const char *const kind_names[] = { "reserved", "fixed", "mmio32", "ram", "mmio64",
	"post_mmio" };
static_assert(ARRAY_COUNT(op_names) == PLACEMENT_KIND_COUNT, "a name for each kind");
static_assert(ARRAY_COUNT(kind_names) == PLACEMENT_KIND_COUNT, "a name for each kind");

static PlacementKind read_kind(const json_t *request)
{
	const char *op = golden_string(request, "op");

	for (size_t i = 0; i < ARRAY_COUNT(op_names); i++) {
		if (strcmp(op, op_names[i]) == 0)
			return (PlacementKind)i;
	}
	golden_malformed("unknown op %s", op);
}

static AllocatorRequest read_request(const json_t *request)
{
	AllocatorRequest out = {
		.tag = { .text = "%", .name = golden_string(request, "tag") },
		.kind = read_kind(request),
	};

	if (out.kind <= PLACEMENT_FIXED) {
		out.range = golden_range(request);
	} else {
		out.size = golden_u64(request, "size");
		out.align = golden_u64(request, "alignment");
	}
	return out;
}

static json_t *write_tag(const AllocatorRequest *request)
{
	char tag[LAYOUT_TAG_SIZE];

	return json_string(layout_tag_write(request->tag, tag));
}

static json_t *write_placed(const AllocatorRequest *requests, const Allocation *allocation)
{
	json_t *list = json_array();

	for (size_t i = 0; i < allocation->count; i++) {
		const Placement *placement = &allocation->placements[i];

		json_array_append_new(list,
			json_pack("{s: o, s: s, s: o, s: o}", "tag",
				write_tag(&requests[placement->request]), "kind",
				kind_names[placement->kind], "start",
				golden_json_u64(placement->range.start), "end",
				golden_json_u64(placement->range.end)));
	}
	return list;
}

static json_t *write_ranges(MemoryRangeList ranges)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ranges.count; i++)
		json_array_append_new(list, golden_json_range(ranges.items[i]));
	return list;
}

static json_t *write_targets(AllocatorRequestList requests, const Allocation *allocation)
{
	json_t *list = json_array();

	for (size_t i = 0; i < requests.count; i++) {
		if (requests.items[i].kind <= PLACEMENT_FIXED)
			continue;
		json_array_append_new(list,
			json_pack("{s: I, s: o, s: o}", "request", (json_int_t)i, "tag",
				write_tag(&requests.items[i]), "ranges",
				write_ranges(allocation->targets[i])));
	}
	return list;
}

bool golden_run_layout_builder(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const json_t *list = golden_member(input, "requests");
	const size_t count = json_array_size(list);
	AllocatorRequest *items = golden_array(arena, count, sizeof(*items));
	const AllocatorRequestList requests = { items, count };
	Allocation allocation;

	for (size_t i = 0; i < count; i++)
		items[i] = read_request(json_array_get(list, i));
	if (!allocator_run(requests, arena, &allocation, NULL, err))
		return false;
	*output = json_pack("{s: o, s: o}", "placed", write_placed(items, &allocation),
		"targets", write_targets(requests, &allocation));
	return true;
}
