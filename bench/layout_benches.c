/*
 * Addresses and what is decided by them alone: the resolver, and MTRRs.
 */
#include "bench.h"

#include "layout/resolver.h"
#include "loaders/mtrr.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)

/* Nodes of one size, and root complexes of one kind, each on a segment of its own. */
typedef struct ShapeParameter {
	uint32_t nodes, root_complexes;
	uint64_t node_size, low_size; /* bytes */
	uint8_t end_bus;
} ShapeParameter;

static bool setup_layout(const void *parameter, Arena *arena, const void **input, Error *err)
{
	const ShapeParameter *p = parameter;
	LayoutShape *shape = arena_array(arena, LayoutShape, 1, err);
	uint64_t *sizes = arena_array(arena, uint64_t, p->nodes, err);
	RootComplexShape *complexes =
		arena_array(arena, RootComplexShape, p->root_complexes, err);

	if (!shape || !sizes || !complexes)
		return false;
	for (uint32_t i = 0; i < p->nodes; i++)
		sizes[i] = p->node_size;
	for (uint32_t i = 0; i < p->root_complexes; i++) {
		const char *name = arena_printf(arena, err, "rc%" PRIu32, i);

		if (!name)
			return false;
		complexes[i] = (RootComplexShape){
			.name = name,
			.segment = (uint16_t)i,
			.end_bus = p->end_bus,
			.low = { .size = p->low_size },
			.high = { .size = 64 * GIB },
		};
	}
	*shape = (LayoutShape){
		.arch = GUEST_ARCH_X86_64,
		.version = LAYOUT_VERSION_REFERENCE,
		.node_sizes = sizes,
		.node_count = p->nodes,
		.chipset_low_size = 128 * MIB,
		.chipset_high_size = 512 * MIB,
		.root_complexes = complexes,
		.root_complex_count = p->root_complexes,
		.address_bits = 52,
	};
	*input = shape;
	return true;
}

static bool call_layout(const void *input, Arena *arena, Produced *produced, Error *err)
{
	const LayoutShape *shape = input;
	ResolvedLayout layout;

	if (!resolver_run(shape, arena, &layout, err))
		return false;
	produce(produced, layout.ram.items, layout.ram.count * sizeof(*layout.ram.items));
	produce(produced, layout.root_complexes,
		shape->root_complex_count * sizeof(*layout.root_complexes));
	return true;
}

/*
 * How the allocator grows: requests of all kinds, no two windows alike.
 */

static bool setup_requests(const void *parameter, Arena *arena, const void **input, Error *err)
{
	static const PlacementKind kinds[] = { PLACEMENT_MMIO64, PLACEMENT_RAM,
		PLACEMENT_MMIO64, PLACEMENT_MMIO32 };
	const size_t count = *(const size_t *)parameter;
	AllocatorRequestList *list = arena_array(arena, AllocatorRequestList, 1, err);
	AllocatorRequest *requests = arena_array(arena, AllocatorRequest, count, err);
	uint64_t state = 20260821;

	if (!list || !requests)
		return false;
	for (size_t i = 0; i < count; i++) {
		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		requests[i] = (AllocatorRequest){
			.tag = { .text = "request-%", .number = (uint32_t)i },
			.kind = kinds[i % ARRAY_COUNT(kinds)],
			.size = PAGE_SIZE * (1 + (state >> 40) % 512),
			.align = PAGE_SIZE << (state >> 33) % 10,
		};
	}
	*list = (AllocatorRequestList){ requests, count };
	*input = list;
	return true;
}

static bool call_requests(const void *input, Arena *arena, Produced *produced, Error *err)
{
	const AllocatorRequestList *list = input;
	Allocation allocation;

	if (!allocator_run(*list, arena, &allocation, NULL, err))
		return false;
	produce(produced, allocation.placements,
		allocation.count * sizeof(*allocation.placements));
	return true;
}

/*
 * 100 GiB of RAM, its high window in the middle.
 */

typedef struct MtrrBench {
	MtrrPolicy policy;
	MemoryRange ram[3], mmio[2];
	MtrrInputs inputs;
} MtrrBench;

static bool setup_mtrr(const void *parameter, Arena *arena, const void **input, Error *err)
{
	MtrrBench *in = arena_array(arena, MtrrBench, 1, err);

	if (!in)
		return false;
	in->policy = *(const MtrrPolicy *)parameter;
	in->ram[0] = (MemoryRange){ 0, FOUR_GIB - 128 * MIB };
	in->ram[1] = (MemoryRange){ FOUR_GIB, 64 * GIB - 512 * MIB };
	in->ram[2] = (MemoryRange){ 64 * GIB, 100 * GIB };
	in->mmio[0] = (MemoryRange){ FOUR_GIB - 128 * MIB, FOUR_GIB };
	in->mmio[1] = (MemoryRange){ 64 * GIB - 512 * MIB, 64 * GIB };
	in->inputs = (MtrrInputs){
		.ram = { in->ram, ARRAY_COUNT(in->ram) },
		.mmio = { in->mmio, ARRAY_COUNT(in->mmio) },
		.low = in->mmio[0],
		.high = in->mmio[1],
		.physical_address_bits = 46,
	};
	*input = in;
	return true;
}

static bool call_mtrr(const void *input, Arena *arena, Produced *produced, Error *err)
{
	const MtrrBench *in = input;
	static MtrrSet set; /* stays, so that it can be shown */

	if (!mtrr_solve(in->policy, &in->inputs, arena, &set, err))
		return false;
	produce(produced, set.pairs, set.count * sizeof(*set.pairs));
	return true;
}

static const ShapeParameter plain = { 1, 0, 4 * GIB, 0, 0 };
static const ShapeParameter medium = { 8, 16, 64 * GIB, 64 * MIB, 255 };
static const ShapeParameter large = { 64, 256, 16 * GIB, 4 * MIB, 15 };
static const size_t requests_1024 = 1024;
static const size_t requests_2048 = 2048;
static const size_t requests_4096 = 4096;
static const MtrrPolicy hyperv = MTRR_POLICY_HYPERV;
static const MtrrPolicy exact = MTRR_POLICY_EXACT;

const Bench layout_benches[] = {
	{ "layout/1node_0rc", setup_layout, call_layout, &plain, NULL },
	{ "layout/8node_16rc", setup_layout, call_layout, &medium, NULL },
	{ "layout/64node_256rc", setup_layout, call_layout, &large, NULL },
	{ "layout/1024_requests", setup_requests, call_requests, &requests_1024, NULL },
	{ "layout/2048_requests", setup_requests, call_requests, &requests_2048, NULL },
	{ "layout/4096_requests", setup_requests, call_requests, &requests_4096, NULL },
	{ "mtrr/hyperv", setup_mtrr, call_mtrr, &hyperv, NULL },
	{ "mtrr/exact", setup_mtrr, call_mtrr, &exact, NULL },
	{ .name = NULL },
};
