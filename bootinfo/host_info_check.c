/*
 * Rules across the nodes of a host tree. [OVMM] openhcl/host_fdt_parser/src/lib.rs,
 * openhcl/openhcl_boot/src/host_params/dt/mod.rs
 */
#include <inttypes.h>

#include "bootinfo/host_parse_internal.h"
#include "support/diagnostics.h"

#define GIC_DISTRIBUTOR_SIZE UINT64_C(0x10000)
#define GIC_REDISTRIBUTOR_STRIDE UINT64_C(0x20000) /* of one processor */

static MemoryRange claim_range(const MmioClaim *claim)
{
	return (MemoryRange){ claim->start, claim->start + claim->len };
}

static bool has_cpus(const HostInfo *info, Error *err)
{
	if (info->cpus.count == 0) {
		error_set(err, PVW_HOST_0012, "no enabled processor, expected at least one");
		return error_at(err, HOST_TREE_NAME ":/cpus");
	}
	return true;
}

static bool has_vmbus(const HostInfo *info, Error *err)
{
	if (!info->vmbus_vtl0.present || !info->vmbus_vtl2.present) {
		error_set(err, PVW_HOST_0008, "no vmbus node for VTL%d, expected one",
			info->vmbus_vtl0.present ? 2 : 0);
		return error_at(err, HOST_TREE_NAME ":/");
	}
	return true;
}

static bool memory_is_disjoint(const HostInfo *info, Error *err)
{
	for (size_t i = 1; i < info->memory.count; i++) {
		const MemoryRange a = info->memory.items[i - 1].range;
		const MemoryRange b = info->memory.items[i].range;

		if (memory_range_overlaps(a, b)) {
			error_set(err, PVW_HOST_0005,
				"memory " RANGE_FORMAT " overlaps memory " RANGE_FORMAT,
				RANGE_ARGS(a), RANGE_ARGS(b));
			return error_at(err, HOST_TREE_NAME ":/");
		}
	}
	return true;
}

static bool mmio_is_disjoint(const HostInfo *info, Error *err)
{
	const MmioClaim *highest = NULL;

	for (size_t i = 0; i < info->mmio.count; i++) {
		const MmioClaim *claim = &info->mmio.items[i];

		if (highest &&
			memory_range_overlaps(claim_range(highest), claim_range(claim))) {
			error_set(err, PVW_ROLE_0007,
				RANGE_FORMAT " overlaps " RANGE_FORMAT " (%s)",
				RANGE_ARGS(claim_range(claim)),
				RANGE_ARGS(claim_range(highest)), highest->place);
			return error_at(err, claim->place);
		}
		if (!highest || claim_range(claim).end > claim_range(highest).end)
			highest = claim;
	}
	return true;
}

/* Both lists ascend without overlap, so that one step through both meets every pair. */
static bool mmio_is_clear_of_memory(const HostInfo *info, Error *err)
{
	size_t next = 0;

	for (size_t i = 0; i < info->mmio.count; i++) {
		const MmioClaim *claim = &info->mmio.items[i];
		const MemoryRange range = claim_range(claim);

		while (next < info->memory.count &&
			info->memory.items[next].range.end <= range.start)
			next++;
		if (next < info->memory.count &&
			memory_range_overlaps(info->memory.items[next].range, range)) {
			error_set(err, PVW_ROLE_0008,
				RANGE_FORMAT " overlaps memory " RANGE_FORMAT,
				RANGE_ARGS(range), RANGE_ARGS(info->memory.items[next].range));
			return error_at(err, claim->place);
		}
	}
	return true;
}

/* The shim builds its own node from the bases: other sizes would be lost on the way. */
static bool gic_has_known_sizes(const HostInfo *info, Error *err)
{
	const BootGic *gic = &info->gic;
	const uint64_t redistributors = GIC_REDISTRIBUTOR_STRIDE * info->cpus.count;

	if (gic->present &&
		(gic->distributor_size != GIC_DISTRIBUTOR_SIZE ||
			gic->redistributor_size != redistributors ||
			gic->redistributor_stride != GIC_REDISTRIBUTOR_STRIDE)) {
		error_set(err, PVW_HOST_0013,
			"distributor 0x%" PRIx64 ", redistributors 0x%" PRIx64
			", stride 0x%" PRIx64 " bytes, expected 0x%" PRIx64 ", 0x%" PRIx64
			", 0x%" PRIx64,
			gic->distributor_size, gic->redistributor_size,
			gic->redistributor_stride, GIC_DISTRIBUTOR_SIZE, redistributors,
			GIC_REDISTRIBUTOR_STRIDE);
		return error_at(err, HOST_TREE_NAME ":/intc");
	}
	return true;
}

bool host_info_check(const HostInfo *info, Error *err)
{
	return has_cpus(info, err) && memory_is_disjoint(info, err) && has_vmbus(info, err) &&
		mmio_is_disjoint(info, err) && mmio_is_clear_of_memory(info, err) &&
		gic_has_known_sizes(info, err);
}
