/*
 * What is decided before the guest's device tree is written: that the machine makes sense, and how
 * far its nodes are apart.
 */
#include <stdlib.h>
#include <string.h>

#include "loaders/arm64_tree_internal.h"
#include "support/diagnostics.h"

GicAreas arm64_gic_areas(const ProcessorTopology *topology)
{
	const ArmPlatform *arm = &topology->arm;
	GicAreas areas = { .count = 2 };

	if (arm->gic_v2) {
		areas.items[0] = (GicArea){ "distributor", arm->gic_distributor, PAGE_SIZE };
		areas.items[1] = (GicArea){ "cpu interface", arm->gic_cpu_interface,
			GIC_V2_CPU_INTERFACE_SIZE };
	} else {
		areas.items[0] =
			(GicArea){ "distributor", arm->gic_distributor, GIC_DISTRIBUTOR_SIZE };
		areas.items[1] = (GicArea){ "redistributors", arm->gic_redistributors,
			topology->count * GIC_REDISTRIBUTOR_STRIDE };
	}
	if (arm->msi != GIC_MSI_NONE)
		areas.items[areas.count++] = arm->msi == GIC_MSI_ITS
			? (GicArea){ "its", arm->msi_base, GIC_ITS_SIZE }
			: (GicArea){ "v2m frame", arm->msi_base, GIC_V2M_SIZE };
	return areas;
}

bool arm64_areas_overlap(GicArea a, GicArea b)
{
	return a.base <= b.base + (b.len - 1) && b.base <= a.base + (a.len - 1);
}

bool arm64_gic_check(const ProcessorTopology *topology, Error *err)
{
	const GicAreas areas = arm64_gic_areas(topology);

	for (size_t i = 0; i < areas.count; i++) {
		const GicArea *a = &areas.items[i];

		if (a->len - 1 > UINT64_MAX - a->base)
			return error_set(err, PVW_ARM64_0009,
				"%s of 0x%" PRIx64 " bytes at 0x%" PRIx64
				", expected an end below 2^64",
				a->name, a->len, a->base);
		for (size_t j = 0; j < i; j++) {
			const GicArea *b = &areas.items[j];

			if (arm64_areas_overlap(*a, *b))
				return error_set(err, PVW_ARM64_0009,
					"%s " RANGE_FORMAT " and %s " RANGE_FORMAT
					", expected apart",
					b->name, b->base, b->base + b->len, a->name, a->base,
					a->base + a->len);
		}
	}
	return true;
}

/* @intid 0 is a device without interrupt, which is for the caller to allow */
static bool check_intid(
	const char *what, uint32_t intid, uint32_t first, uint32_t last, Error *err)
{
	return (first <= intid && intid <= last) ||
		error_set(err, PVW_ARM64_0010,
			"%s has INTID %" PRIu32 ", expected %" PRIu32 " to %" PRIu32, what,
			intid, first, last);
}

ArmTimers arm64_timers(const Arm64TreeInputs *in)
{
	ArmTimers timers = in->timers;

	if (!timers.virt)
		timers.virt = in->topology->arm.virt_timer_ppi;
	return timers;
}

static bool check_private(const Arm64TreeInputs *in, Error *err)
{
	const ArmTimers timers = arm64_timers(in);
	const struct {
		const char *what;
		uint32_t intid;
		bool required;
	} rows[] = {
		{ "the virtual timer", timers.virt, true },
		{ "the secure timer", timers.secure, false },
		{ "the physical timer", timers.physical, false },
		{ "the hypervisor's timer", timers.hypervisor, false },
		{ "the performance monitor", in->topology->arm.pmu_gsiv, false },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if ((rows[i].intid || rows[i].required) &&
			!check_intid(rows[i].what, rows[i].intid, PPI_FIRST, PPI_LAST, err))
			return false;
	}
	return true;
}

static bool check_messages(const ArmPlatform *arm, Error *err)
{
	if (arm->msi != GIC_MSI_V2M)
		return true;
	if (arm->msi_spi_base < SPI_FIRST || arm->msi_spi_base > SPI_LAST ||
		arm->msi_spi_count > SPI_LAST + 1 - arm->msi_spi_base)
		return error_set(err, PVW_ARM64_0010,
			"the v2m frame has %" PRIu32 " INTIDs from %" PRIu32
			" on, expected them within %d to %d",
			arm->msi_spi_count, arm->msi_spi_base, SPI_FIRST, SPI_LAST);
	return true;
}

static bool check_uarts(const Arm64TreeInputs *in, Error *err)
{
	for (size_t i = 0; i < in->uart_count; i++) {
		if (!check_intid("a uart", in->uarts[i].intid, SPI_FIRST, SPI_LAST, err))
			return false;
	}
	return true;
}

/* Ascending by bridge; who serves what is compared with its neighbour. */
static int compare_u32(const void *left, const void *right)
{
	uint32_t a, b;

	memcpy(&a, left, sizeof(a));
	memcpy(&b, right, sizeof(b));
	return (a > b) - (a < b);
}

static bool check_smmus(const Arm64TreeInputs *in, Error *err)
{
	for (size_t i = 0; i < in->smmu_count; i++) {
		const AcpiSmmu *smmu = &in->smmus[i];

		if (!check_intid("an smmu's event queue", smmu->event_gsiv, SPI_FIRST, SPI_LAST,
			    err) ||
			!check_intid(
				"an smmu's errors", smmu->error_gsiv, SPI_FIRST, SPI_LAST, err))
			return false;
		for (size_t j = 0; j < i; j++) {
			if (in->smmus[j].bridge_index == smmu->bridge_index)
				return error_set(err, PVW_ARM64_0012,
					"smmus at 0x%" PRIx64 " and 0x%" PRIx64
					" serve bridge %" PRIu32 ", expected one",
					in->smmus[j].base, smmu->base, smmu->bridge_index);
		}
	}
	return true;
}

static bool check_bridges(const Arm64TreeInputs *in, Error *err)
{
	for (size_t i = 0; i < in->bridge_count; i++) {
		const AcpiBridge *bridge = &in->bridges[i];

		if (bridge->low.end > FOUR_GIB)
			return error_set(err, PVW_ARM64_0011,
				"bridge %" PRIu32 ": low window " RANGE_FORMAT
				", expected an end at or below 4 GiB",
				bridge->index, RANGE_ARGS(bridge->low));
		if (bridge->start_bus > bridge->end_bus)
			return error_set(err, PVW_ARM64_0011,
				"bridge %" PRIu32 ": buses %u to %u, expected them to ascend",
				bridge->index, bridge->start_bus, bridge->end_bus);
	}
	return true;
}

/* Quadratic in what is at most a few: more of them than this fit no tree. */
#define UNITS_MAX ((size_t)4096)

static bool check_counts(const Arm64TreeInputs *in, Error *err)
{
	if (in->topology->count == 0)
		return error_set(err, PVW_ARM64_0013, "no processor, expected at least one");
	if (in->bridge_count > UNITS_MAX || in->smmu_count > UNITS_MAX)
		return error_set(err, PVW_TREE_0001,
			"device tree: %zu bridges and %zu smmus, expected at most %zu of each",
			in->bridge_count, in->smmu_count, UNITS_MAX);
	return true;
}

bool arm64_tree_check(const Arm64TreeInputs *in, Error *err)
{
	return check_counts(in, err) && arm64_gic_check(in->topology, err) &&
		check_private(in, err) && check_messages(&in->topology->arm, err) &&
		check_uarts(in, err) && check_smmus(in, err) && check_bridges(in, err);
}

/*
 * nodes
 */

/* Every node once, ascending. */
static bool list_nodes(
	const Arm64TreeInputs *in, Arena *arena, uint32_t **out, size_t *out_count, Error *err)
{
	const size_t all = in->ram.count + in->topology->count;
	uint32_t *nodes = arena_array(arena, uint32_t, all, err);
	size_t count = 0;

	if (!nodes)
		return false;
	for (size_t i = 0; i < in->ram.count; i++)
		nodes[count++] = in->ram.items[i].vnode;
	for (size_t i = 0; i < in->topology->count; i++)
		nodes[count++] = in->topology->vps[i].vnode;
	qsort(nodes, all, sizeof(*nodes), compare_u32);
	count = 1;
	for (size_t i = 1; i < all; i++) {
		if (nodes[i] != nodes[count - 1])
			nodes[count++] = nodes[i];
	}
	*out = nodes;
	*out_count = count;
	return true;
}

static const uint32_t *find_node(const uint32_t *nodes, size_t count, uint32_t node)
{
	return bsearch(&node, nodes, count, sizeof(*nodes), compare_u32);
}

#define DISTANCE_SELF 10
#define DISTANCE_OTHER 20

static void fill_matrix(const uint32_t *nodes, size_t count, uint32_t *cells)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++) {
			*cells++ = nodes[i];
			*cells++ = nodes[j];
			*cells++ = i == j ? DISTANCE_SELF : DISTANCE_OTHER;
		}
	}
}

/* Distances of nodes that this guest does not have say nothing. */
static void apply_distances(
	const AcpiDistances *distances, const uint32_t *nodes, size_t count, uint32_t *cells)
{
	for (size_t i = 0; i < distances->count; i++) {
		const AcpiDistance *item = &distances->items[i];
		const uint32_t *from = find_node(nodes, count, item->from);
		const uint32_t *to = find_node(nodes, count, item->to);

		if (from && to)
			cells[3 * ((size_t)(from - nodes) * count + (size_t)(to - nodes)) + 2] =
				item->distance;
	}
}

bool arm64_tree_nodes(const Arm64TreeInputs *in, Arena *arena, TreeNodes *out, Error *err)
{
	uint32_t *nodes, *cells;
	size_t count;

	if (!list_nodes(in, arena, &nodes, &count, err))
		return false;
	if (count > ARM64_TREE_MAX_NODES)
		return error_set(err, PVW_ARM64_0014, "%zu nodes, expected at most %d", count,
			ARM64_TREE_MAX_NODES);
	if (count == 1) {
		*out = (TreeNodes){ .count = 1 };
		return true;
	}
	cells = arena_array(arena, uint32_t, 3 * count * count, err);
	if (!cells)
		return false;
	fill_matrix(nodes, count, cells);
	if (in->distances)
		apply_distances(in->distances, nodes, count, cells);
	*out = (TreeNodes){
		.count = count, .matrix = cells, .matrix_count = 3 * count * count
	};
	return true;
}
