/*
 * The ways to a topology, and what both architectures share: sockets, nodes, unique identifiers.
 */
#include "layout/topology.h"

#include <inttypes.h>
#include <string.h>

#include "layout/layout_internal.h"
#include "layout/topology_internal.h"
#include "support/diagnostics.h"

static const TopologyOps *const ops_by_arch[] = {
	[GUEST_ARCH_X86_64] = &topology_ops_x86,
	[GUEST_ARCH_AARCH64] = &topology_ops_arm64,
};
static_assert(ARRAY_COUNT(ops_by_arch) == GUEST_ARCH_COUNT, "one row an architecture");

/* The power of two at or above @value, which is 1 to 32768. */
static uint32_t power_of_two_from(uint32_t value)
{
	uint32_t power = 1;

	while (power < value)
		power <<= 1;
	return power;
}

static ProcessorTopology topology_begin(GuestArch arch, size_t count, uint32_t vps_per_socket)
{
	const size_t wished = vps_per_socket ? vps_per_socket : count;
	ProcessorTopology topology = { .arch = arch, .count = count };

	topology.vps_per_socket = wished > TOPOLOGY_MAX_VPS_PER_SOCKET
		? TOPOLOGY_MAX_VPS_PER_SOCKET
		: (uint32_t)wished;
	if (!topology.vps_per_socket)
		topology.vps_per_socket = 1;
	topology.reserved_vps_per_socket = power_of_two_from(topology.vps_per_socket);
	return topology;
}

static bool override_vnodes(
	const TopologyInputs *in, VirtualProcessor *vps, size_t count, Error *err)
{
	if (!in->vnodes)
		return true;
	if (in->vnode_count != count)
		return error_set(err, PVW_TOPOLOGY_0009,
			"%zu nodes for %zu processors, expected as many", in->vnode_count,
			count);
	for (size_t i = 0; i < count; i++)
		vps[i].vnode = in->vnodes[i];
	return true;
}

bool topology_from_count(GuestArch arch, uint32_t count, const TopologyInputs *in, Arena *arena,
	ProcessorTopology *out, Error *err)
{
	const TopologyOps *ops = ops_by_arch[arch];
	ProcessorTopology topology = topology_begin(arch, count, in->vps_per_socket);
	VirtualProcessor *vps;

	if (!ops->check_count(count, /* listed= */ false, in, err))
		return false;
	vps = arena_reserve_array(arena, VirtualProcessor, count, err);
	if (!vps || !ops->number(in, &topology, vps, err) ||
		!override_vnodes(in, vps, count, err) || !ops->finish(in, &topology, vps, err))
		return false;
	topology.vps = vps;
	*out = topology;
	return true;
}

/* Names the two processors that share @id, which some do. */
static bool fail_duplicate(const TopologyOps *ops, const VirtualProcessor *vps, size_t count,
	uint64_t id, Error *err)
{
	size_t first = count, second = count;

	for (size_t i = 0; i < count && second == count; i++) {
		if (ops->id(&vps[i]) != id)
			continue;
		if (first == count)
			first = i;
		else
			second = i;
	}
	return error_set(err, PVW_TOPOLOGY_0003,
		"processors %zu and %zu both have %s 0x%" PRIx64 ", expected different ones",
		first, second, ops->id_name, id);
}

/* Lists are ascending almost always, and then this is one comparison a processor. @count > 0 */
static bool check_unique(const TopologyOps *ops, const VirtualProcessor *vps, size_t count,
	Arena *arena, Error *err)
{
	uint64_t id = ops->id(&vps[0]);
	SortKey *keys;
	size_t i;

	for (i = 1; i < count; i++) {
		const uint64_t next = ops->id(&vps[i]);

		if (next <= id)
			break;
		id = next;
	}
	if (i == count)
		return true;

	keys = arena_reserve_array(arena, SortKey, 2 * count, err);
	if (!keys)
		return false;
	for (i = 0; i < count; i++)
		keys[i] = (SortKey){ ops->id(&vps[i]), i };
	sort_keys(keys, keys + count, count);
	for (i = 1; i < count; i++) {
		if (keys[i - 1].key == keys[i].key)
			return fail_duplicate(ops, vps, count, keys[i].key, err);
	}
	arena_shrink(arena, keys, 0);
	return true;
}

/* @vps have their identifiers and live in @arena. */
static bool topology_from_ids(GuestArch arch, VirtualProcessor *vps, size_t count,
	const TopologyInputs *in, Arena *arena, ProcessorTopology *out, Error *err)
{
	const TopologyOps *ops = ops_by_arch[arch];
	ProcessorTopology topology = topology_begin(arch, count, in->vps_per_socket);

	if (!check_unique(ops, vps, count, arena, err) || !ops->finish(in, &topology, vps, err))
		return false;
	topology.vps = vps;
	*out = topology;
	return true;
}

static bool check_listed(
	const TopologyOps *ops, size_t count, const TopologyInputs *in, Error *err)
{
	if (!count)
		return error_set(err, PVW_TOPOLOGY_0001, "0 processors, expected at least 1");
	return ops->check_count(count, /* listed= */ true, in, err);
}

bool topology_from_list(GuestArch arch, const VirtualProcessor *vps, size_t count,
	const TopologyInputs *in, Arena *arena, ProcessorTopology *out, Error *err)
{
	VirtualProcessor *copy;

	if (!check_listed(ops_by_arch[arch], count, in, err))
		return false;
	copy = arena_reserve_array(arena, VirtualProcessor, count, err);
	if (!copy)
		return false;
	memcpy(copy, vps, count * sizeof(*copy));
	return topology_from_ids(arch, copy, count, in, arena, out, err);
}

bool topology_from_boot_info(const BootInfo *info, const TopologyInputs *in, Arena *arena,
	ProcessorTopology *out, Error *err)
{
	const TopologyOps *ops = ops_by_arch[info->arch];
	const size_t count = info->cpus.count;
	TopologyInputs inputs = *in;
	VirtualProcessor *vps;

	if (!ops->from_tree(info, &inputs, err) || !check_listed(ops, count, &inputs, err))
		return false;
	vps = arena_reserve_array(arena, VirtualProcessor, count, err);
	if (!vps)
		return false;
	ops->identify(info->cpus, vps);
	return topology_from_ids(info->arch, vps, count, &inputs, arena, out, err);
}

ProcessorPlace topology_place(const ProcessorTopology *topology, size_t vp)
{
	return ops_by_arch[topology->arch]->place(topology, &topology->vps[vp]);
}
