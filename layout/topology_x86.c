/*
 * Processors of x86-64: APIC ids, and whether they need x2APIC.
 */
#include <inttypes.h>

#include "layout/topology_internal.h"
#include "support/diagnostics.h"

static bool x86_check_count(size_t count, bool listed, const TopologyInputs *in, Error *err)
{
	(void)listed;
	(void)in;
	if (!count)
		return error_set(err, PVW_TOPOLOGY_0001, "0 processors, expected at least 1");
	return true;
}

/*
 * Sockets begin at multiples of their share of the id space, from the one that the offset lies
 * in. Three processors a socket, offset 17: 16 17 18, 20 21 22, 24.
 */
static bool x86_number(const TopologyInputs *in, const ProcessorTopology *topology,
	VirtualProcessor *vps, Error *err)
{
	const uint64_t share = topology->reserved_vps_per_socket;
	const uint32_t per_socket = topology->vps_per_socket;
	const uint64_t last = topology->count - 1;
	const uint64_t max_id =
		(in->apic_id_offset / share + last / per_socket) * share + last % per_socket;
	uint64_t base = in->apic_id_offset / share * share;
	uint32_t socket = 0, core = 0;

	if (max_id > UINT32_MAX)
		return error_set(err, PVW_TOPOLOGY_0005,
			"processor %" PRIu64 " has APIC id 0x%" PRIx64
			", expected at most 0xffffffff (offset %" PRIu32 ")",
			last, max_id, in->apic_id_offset);
	for (size_t i = 0; i < topology->count; i++) {
		vps[i] = (VirtualProcessor){ .vnode = socket,
			.apic_id = (uint32_t)(base + core) };
		if (++core < per_socket)
			continue;
		core = 0;
		socket++;
		base += share;
	}
	return true;
}

static void x86_identify(CpuList cpus, VirtualProcessor *vps)
{
	for (size_t i = 0; i < cpus.count; i++) {
		const BootCpu *cpu = &cpus.items[i];

		vps[i] = (VirtualProcessor){ .vnode = cpu->vnode,
			.apic_id = (uint32_t)cpu->reg };
	}
}

static bool x86_from_tree(const BootInfo *info, TopologyInputs *in, Error *err)
{
	(void)info;
	(void)in;
	(void)err;
	return true;
}

uint32_t topology_max_apic_id(const ProcessorTopology *topology)
{
	uint32_t max_id = 0;

	for (size_t i = 0; i < topology->count; i++) {
		if (topology->vps[i].apic_id > max_id)
			max_id = topology->vps[i].apic_id;
	}
	return max_id;
}

/*
 *	setting      ids up to 254   above
 *	supported    supported       enabled
 *	enabled      enabled         enabled
 *	unsupported  xAPIC           error
 */
static bool x86_finish(const TopologyInputs *in, ProcessorTopology *topology,
	VirtualProcessor *vps, Error *err)
{
	uint32_t max_id;

	topology->vps = vps;
	max_id = topology_max_apic_id(topology);
	topology->smt = in->smt && topology->vps_per_socket > 1;
	if (in->x2apic == X2APIC_UNSUPPORTED) {
		if (max_id > TOPOLOGY_MAX_XAPIC_ID)
			return error_set(err, PVW_TOPOLOGY_0004,
				"APIC id %" PRIu32 " without x2APIC, expected at most %d",
				max_id, TOPOLOGY_MAX_XAPIC_ID);
		topology->apic_mode = APIC_MODE_XAPIC;
	} else if (in->x2apic == X2APIC_ENABLED || max_id > TOPOLOGY_MAX_XAPIC_ID) {
		topology->apic_mode = APIC_MODE_X2APIC_ENABLED;
	} else {
		topology->apic_mode = APIC_MODE_X2APIC_SUPPORTED;
	}
	return true;
}

static uint64_t x86_id(const VirtualProcessor *vp)
{
	return vp->apic_id;
}

static ProcessorPlace x86_place(const ProcessorTopology *topology, const VirtualProcessor *vp)
{
	const uint32_t share = topology->reserved_vps_per_socket;

	return (ProcessorPlace){
		.socket = vp->apic_id / share,
		.core = vp->apic_id % share,
		.thread = topology->smt ? vp->apic_id & 1 : 0,
	};
}

const TopologyOps topology_ops_x86 = {
	.check_count = x86_check_count,
	.number = x86_number,
	.identify = x86_identify,
	.from_tree = x86_from_tree,
	.finish = x86_finish,
	.id = x86_id,
	.place = x86_place,
	.id_name = "APIC id",
};
