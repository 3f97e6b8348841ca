/*
 * Shape, requests, places, views.
 */
#include "layout/resolver.h"

#include "layout/resolver_internal.h"
#include "support/diagnostics.h"

/* A root complex has an ECAM block at most, two windows, two of CXL and an IOMMU. */
#define REQUESTS_PER_ROOT_COMPLEX 6
/* Gap, chipset low and high, virtio-mmio, three of VTL2. */
#define REQUESTS_OF_ALL 7

static_assert(LAYOUT_MAX_NODES + REQUESTS_PER_ROOT_COMPLEX * LAYOUT_MAX_ROOT_COMPLEXES +
			REQUESTS_OF_ALL <=
		ALLOCATOR_MAX_REQUESTS,
	"what a shape may have, the allocator takes");

bool resolver_begin(Resolver *resolver, size_t extra, Error *err)
{
	const LayoutShape *shape = resolver->shape;
	const size_t complexes = shape->root_complex_count;
	const size_t room = shape->node_count + REQUESTS_PER_ROOT_COMPLEX * complexes +
		REQUESTS_OF_ALL + extra;
	uint8_t *block = arena_reserve(resolver->arena,
		complexes * (sizeof(RootComplexLayout) + sizeof(Segment)) +
			room * (sizeof(AllocatorRequest) + sizeof(Subject)),
		8, err);

	if (!block)
		return false;
	resolver->complexes = carve(&block, complexes, sizeof(RootComplexLayout));
	resolver->segments = carve(&block, complexes, sizeof(Segment));
	resolver->requests = carve(&block, room, sizeof(AllocatorRequest));
	resolver->subjects = carve(&block, room, sizeof(Subject));
	return true;
}

/* Root complex @index is on the segment that @first was the first on. */
static void join_segment(Resolver *resolver, size_t index, size_t first)
{
	const RootComplexShape *complex = &resolver->shape->root_complexes[index];
	Segment *segment = &resolver->segments[first];

	if (index == first)
		*segment = (Segment){ first, complex->start_bus, complex->end_bus,
			MEMORY_RANGE_EMPTY };
	resolver->segments[index].first = first;
	if (complex->start_bus < segment->start_bus)
		segment->start_bus = complex->start_bus;
	if (complex->end_bus > segment->end_bus)
		segment->end_bus = complex->end_bus;
}

/* As guests have it as a rule: a segment a root complex, in order. */
static bool has_own_segments(const LayoutShape *shape)
{
	for (size_t i = 1; i < shape->root_complex_count; i++) {
		if (shape->root_complexes[i - 1].segment >= shape->root_complexes[i].segment)
			return false;
	}
	return true;
}

bool resolver_find_segments(Resolver *resolver, Error *err)
{
	const RootComplexShape *complexes = resolver->shape->root_complexes;
	const size_t count = resolver->shape->root_complex_count;
	SortKey *keys;
	size_t first = 0;

	if (has_own_segments(resolver->shape)) {
		for (size_t i = 0; i < count; i++)
			join_segment(resolver, i, i);
		return true;
	}
	keys = reserve_array(resolver->arena, SortKey, 2 * count, err);
	if (!keys)
		return false;
	for (size_t i = 0; i < count; i++)
		keys[i] = (SortKey){ complexes[i].segment, i };
	sort_keys(keys, keys + count, count);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || keys[i].key != keys[i - 1].key)
			first = keys[i].index;
		join_segment(resolver, keys[i].index, first);
	}
	return true;
}

size_t resolver_count_ram(const Resolver *resolver, const Allocation *allocation)
{
	size_t count = 0;

	for (size_t i = resolver->ram_begin; i < resolver->ram_end; i++)
		count += allocation->targets[i].count;
	return count;
}

void resolver_fill_ram(const Resolver *resolver, const Allocation *allocation, NodeRange *ram,
	ResolvedLayout *out)
{
	const MemoryRangeList *targets = allocation->targets;
	NodeRange *at = ram;

	for (size_t i = resolver->ram_begin; i < resolver->ram_end; i++) {
		for (size_t k = 0; k < targets[i].count; k++)
			*at++ = (NodeRange){ targets[i].items[k], resolver->subjects[i].owner };
	}
	out->ram = (NodeRangeList){ ram, (size_t)(at - ram) };
	out->end_of_ram = at[-1].range.end;
}

/* A segment's block is shared by its root complexes, a MiB a bus. */
static bool share_ecam(Resolver *resolver, Error *err)
{
	for (size_t i = 0; i < resolver->shape->root_complex_count; i++) {
		const RootComplexShape *complex = &resolver->shape->root_complexes[i];
		const Segment *segment = &resolver->segments[resolver->segments[i].first];
		MemoryRange *ecam = &resolver->complexes[i].ecam;

		ecam->start = segment->ecam.start +
			(uint64_t)(complex->start_bus - segment->start_bus) * ECAM_BUS_SIZE;
		ecam->end = segment->ecam.start +
			(uint64_t)(complex->end_bus - segment->start_bus + 1) * ECAM_BUS_SIZE;
		if (ecam->start < ECAM_MIN_GPA)
			return error_set(err, PVW_RESOLVE_0009,
				"PCIe root complex %.64s has its ECAM at 0x%" PRIx64
				", expected 0x10000000 or above",
				complex->name, ecam->start);
		if (complex->iommu != IOMMU_NONE)
			resolver->result.iommu = complex->iommu;
	}
	return true;
}

bool resolver_fill_views(Resolver *resolver, const Allocation *allocation, Error *err)
{
	for (size_t i = 0; i < resolver->count; i++) {
		if (resolver->subjects[i].view)
			*resolver->subjects[i].view = allocation->targets[i].items[0];
	}
	resolver->result.root_complexes = resolver->complexes;
	return share_ecam(resolver, err);
}

static void list_placements(
	Resolver *resolver, const Allocation *allocation, LayoutPlacement *items)
{
	for (size_t i = 0; i < allocation->count; i++) {
		const Placement *placement = &allocation->placements[i];
		const AllocatorRequest *request = &resolver->requests[placement->request];
		const Subject *subject = &resolver->subjects[placement->request];

		items[i] = (LayoutPlacement){
			.range = placement->range,
			.tag = request->tag,
			.kind = subject->kind,
			.item = subject->item,
			.owner = subject->owner,
			.align = request->align,
		};
	}
	resolver->result.placements = (LayoutPlacementList){ items, allocation->count };
	resolver->result.top = allocation->top;
}

/* The lists of the result. */
static bool fill_lists(Resolver *resolver, const Allocation *allocation, Error *err)
{
	const size_t ram = resolver_count_ram(resolver, allocation);
	uint8_t *block = arena_reserve(resolver->arena,
		ram * sizeof(NodeRange) + allocation->count * sizeof(LayoutPlacement), 8, err);

	if (!block)
		return false;
	resolver_fill_ram(
		resolver, allocation, carve(&block, ram, sizeof(NodeRange)), &resolver->result);
	list_placements(resolver, allocation,
		carve(&block, allocation->count, sizeof(LayoutPlacement)));
	return true;
}

bool check_top(const LayoutShape *shape, uint64_t top, Error *err)
{
	if (top > UINT64_C(1) << shape->address_bits)
		return error_set(err, PVW_RESOLVE_0008,
			"the layout ends at 0x%" PRIx64 ", expected at most 0x%" PRIx64
			": addresses have %u bits",
			top, UINT64_C(1) << shape->address_bits, shape->address_bits);
	return true;
}

/* RAM from its start on without a hole, below 4 GiB. */
static MemoryRange low_ram(NodeRangeList ram)
{
	MemoryRange low = ram.items[0].range;

	for (size_t i = 1; i < ram.count && ram.items[i].range.start == low.end; i++)
		low.end = ram.items[i].range.end;
	return memory_range_intersection(low, (MemoryRange){ 0, FOUR_GIB });
}

static uint64_t ram_size(NodeRangeList ram)
{
	uint64_t size = 0;

	for (size_t i = 0; i < ram.count; i++)
		size += memory_range_len(ram.items[i].range);
	return size;
}

/* The first placement from @address on that is not RAM; there is one, up to 4 GiB. */
static const LayoutPlacement *what_stops_ram(LayoutPlacementList list, uint64_t address)
{
	const LayoutPlacement *at = list.items;

	while (at->kind == PLACEMENT_RAM || at->range.start < address)
		at++;
	return at;
}

static bool fail_low_ram(const ResolvedLayout *layout, MemoryRange low, uint64_t start,
	uint64_t wanted, Error *err)
{
	const LayoutPlacement *stop = what_stops_ram(
		layout->placements, memory_range_is_empty(low) ? start : low.end);
	char tag[LAYOUT_TAG_SIZE];

	return error_set(err, PVW_RESOLVE_0022,
		"0x%" PRIx64 " bytes of RAM lie below 4 GiB in one piece, expected 0x%" PRIx64
		": %s at " RANGE_FORMAT " leaves no more",
		memory_range_len(low), wanted, layout_tag_write(stop->tag, tag),
		RANGE_ARGS(stop->range));
}

static bool check_low_ram(const LayoutShape *shape, const ResolvedLayout *layout, Error *err)
{
	const bool asked = shape->min_low_ram || shape->version == LAYOUT_VERSION_REFERENCE;
	const uint64_t wanted =
		asked ? shape->min_low_ram : layout_defaults(shape->arch)->min_low_ram;
	MemoryRange low;

	if (wanted == 0)
		return true;
	low = low_ram(layout->ram);
	return memory_range_len(low) >= wanted ||
		memory_range_len(low) == ram_size(layout->ram) ||
		fail_low_ram(layout, low, shape->ram_start, wanted, err);
}

bool resolver_seal(const Resolver *resolver, ResolvedLayout *out, Error *err)
{
	if (!check_low_ram(resolver->shape, &resolver->result, err))
		return false;
	*out = resolver->result;
	return true;
}

bool resolve_reference(const LayoutShape *shape, const KeptIndex *kept, Arena *arena,
	ResolvedLayout *out, Error *err)
{
	Resolver resolver = {
		.shape = shape, .arena = arena, .result.version = shape->version
	};
	Allocation allocation;

	if (!resolver_begin(&resolver, 0, err) || !resolver_find_segments(&resolver, err))
		return false;
	request_chipset(&resolver);
	request_devices(&resolver);
	request_ram(&resolver);
	request_vtl2(&resolver);
	return (!kept || kept_pin(kept, &resolver, err)) &&
		allocator_run((AllocatorRequestList){ resolver.requests, resolver.count },
			arena, &allocation, NULL, err) &&
		fill_lists(&resolver, &allocation, err) &&
		(!kept || kept_check_ram(kept, resolver.result.ram, arena, err)) &&
		resolver_fill_views(&resolver, &allocation, err) &&
		check_top(shape, allocation.top, err) && resolver_seal(&resolver, out, err);
}

bool resolver_run(const LayoutShape *shape, Arena *arena, ResolvedLayout *out, Error *err)
{
	if (!shape_check(shape, err))
		return false;
	return shape->version == LAYOUT_VERSION_REFERENCE
		? resolve_reference(shape, NULL, arena, out, err)
		: resolve_current(shape, NULL, arena, out, err);
}
