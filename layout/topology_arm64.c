/*
 * Processors of aarch64: MPIDRs, redistributors, and what the GIC can serve.
 */
#include <inttypes.h>

#include "layout/fixed_map.h"
#include "layout/topology_internal.h"
#include "support/checked.h"
#include "support/diagnostics.h"

#define PPI_FIRST 16
#define PPI_LAST 31
#define IRQ_COUNT_MIN 64
#define IRQ_COUNT_MAX 992
#define IRQ_COUNT_STEP 32

static bool is_ppi(uint32_t intid)
{
	return PPI_FIRST <= intid && intid <= PPI_LAST;
}

static bool arm64_check_count(size_t count, bool listed, const TopologyInputs *in, Error *err)
{
	const ArmPlatform *arm = &in->arm;
	const size_t limit =
		listed ? TOPOLOGY_MAX_ARM_VPS_LISTED : TOPOLOGY_MAX_ARM_VPS_COUNTED;

	if (count > limit)
		return error_set(err, PVW_TOPOLOGY_0002, "%zu processors, expected at most %zu",
			count, limit);
	if (arm->gic_v2 && count > TOPOLOGY_MAX_GIC_V2_VPS)
		return error_set(err, PVW_TOPOLOGY_0002,
			"%zu processors with GICv2, expected at most %d", count,
			TOPOLOGY_MAX_GIC_V2_VPS);
	if (!is_ppi(arm->virt_timer_ppi))
		return error_set(err, PVW_TOPOLOGY_0006,
			"virtual timer at INTID %" PRIu32 ", expected 16 to 31",
			arm->virt_timer_ppi);
	if (arm->pmu_gsiv && !is_ppi(arm->pmu_gsiv))
		return error_set(err, PVW_TOPOLOGY_0007,
			"performance monitor at INTID %" PRIu32
			", expected 16 to 31, or 0 for none",
			arm->pmu_gsiv);
	if (arm->irq_count < IRQ_COUNT_MIN || arm->irq_count > IRQ_COUNT_MAX ||
		arm->irq_count % IRQ_COUNT_STEP)
		return error_set(err, PVW_TOPOLOGY_0008,
			"%" PRIu32 " interrupts, expected 64 to 992, a multiple of 32",
			arm->irq_count);
	return true;
}

static uint64_t mpidr_of(uint64_t affinity, size_t count)
{
	return (affinity & MPIDR_AFFINITY) | MPIDR_RES1 | (count == 1 ? MPIDR_UNIPROCESSOR : 0);
}

/* One core with as many threads as processors; not marked as such (MT clear). */
static bool arm64_number(const TopologyInputs *in, const ProcessorTopology *topology,
	VirtualProcessor *vps, Error *err)
{
	(void)in;
	(void)err;
	for (size_t i = 0; i < topology->count; i++)
		vps[i] = (VirtualProcessor){ .mpidr = mpidr_of(i, topology->count) };
	return true;
}

static void arm64_identify(CpuList cpus, VirtualProcessor *vps)
{
	for (size_t i = 0; i < cpus.count; i++) {
		const BootCpu *cpu = &cpus.items[i];

		vps[i] = (VirtualProcessor){ .vnode = cpu->vnode,
			.mpidr = mpidr_of(cpu->reg, cpus.count) };
	}
}

/* What a boot tree states beyond the base must agree with what follows from it. */
static bool check_redistributor_area(const BootGic *gic, size_t count, Error *err)
{
	if (gic->redistributor_stride && gic->redistributor_stride != GIC_REDISTRIBUTOR_STRIDE)
		return error_set(err, PVW_TOPOLOGY_0010,
			"redistributor stride 0x%" PRIx64 ", expected 0x%" PRIx64,
			gic->redistributor_stride, GIC_REDISTRIBUTOR_STRIDE);
	if (gic->redistributor_size / GIC_REDISTRIBUTOR_STRIDE < count)
		return error_set(err, PVW_TOPOLOGY_0010,
			"redistributors of 0x%" PRIx64
			" bytes for %zu processors, expected 0x%" PRIx64 " for each",
			gic->redistributor_size, count, GIC_REDISTRIBUTOR_STRIDE);
	return true;
}

static bool arm64_from_tree(const BootInfo *info, TopologyInputs *in, Error *err)
{
	const BootGic *gic = &info->gic;

	if (!gic->present)
		return error_set(
			err, PVW_TOPOLOGY_0011, "boot tree without a GIC, expected a GICv3");
	if (!check_redistributor_area(gic, info->cpus.count, err))
		return false;
	in->arm.gic_v2 = false;
	in->arm.gic_cpu_interface = 0;
	in->arm.gic_distributor = gic->distributor_base;
	in->arm.gic_redistributors = gic->redistributor_base;
	in->arm.pmu_gsiv = gic->pmu_gsiv;
	in->arm.virt_timer_ppi = gic->virt_timer_ppi;
	in->arm.irq_count = gic->irq_count;
	return true;
}

/* One frame pair a processor, one behind the other; none with GICv2. */
static bool place_redistributors(
	const ArmPlatform *arm, VirtualProcessor *vps, size_t count, Error *err)
{
	const uint64_t stride = arm->gic_v2 ? 0 : GIC_REDISTRIBUTOR_STRIDE;
	uint64_t at = arm->gic_v2 ? 0 : arm->gic_redistributors, len, end;

	if (!checked_mul_u64(count, stride, &len) || !checked_add_u64(at, len, &end))
		return error_set(err, PVW_TOPOLOGY_0010,
			"redistributors of %zu processors from 0x%" PRIx64
			", expected an end below 2^64",
			count, at);
	for (size_t i = 0; i < count; i++) {
		vps[i].gicr = at;
		at += stride;
	}
	return true;
}

static bool arm64_finish(const TopologyInputs *in, ProcessorTopology *topology,
	VirtualProcessor *vps, Error *err)
{
	uint64_t bits = 0;

	topology->arm = in->arm;
	if (!place_redistributors(&in->arm, vps, topology->count, err))
		return false;
	for (size_t i = 0; i < topology->count; i++)
		bits |= vps[i].mpidr;
	topology->smt = (bits & MPIDR_MT) != 0;
	return true;
}

static uint64_t arm64_id(const VirtualProcessor *vp)
{
	return vp->mpidr & MPIDR_AFFINITY;
}

static ProcessorPlace arm64_place(const ProcessorTopology *topology, const VirtualProcessor *vp)
{
	(void)topology;
	return (ProcessorPlace){
		.socket = vp->mpidr >> 16 & 0xff,
		.core = vp->mpidr >> 8 & 0xff,
		.thread = vp->mpidr & 0xff,
	};
}

const TopologyOps topology_ops_arm64 = {
	.check_count = arm64_check_count,
	.number = arm64_number,
	.identify = arm64_identify,
	.from_tree = arm64_from_tree,
	.finish = arm64_finish,
	.id = arm64_id,
	.place = arm64_place,
	.id_name = "MPIDR affinity",
};
