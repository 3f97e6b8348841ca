/*
 * What a tree of aarch64 may say of interrupts. [OVMM] openhcl/openhcl_boot/src/dt.rs
 */
#include "bootinfo/gic_check.h"

#include <inttypes.h>

#include "support/diagnostics.h"

bool gic_check_ppi(uint32_t interrupt, const char *what, Error *err)
{
	if (interrupt < GIC_FIRST_PPI || interrupt >= GIC_FIRST_PPI + GIC_PPI_COUNT)
		return error_set(err, PVW_TREE_0007,
			"%s: interrupt %" PRIu32 ", expected %d to %d", what, interrupt,
			GIC_FIRST_PPI, GIC_FIRST_PPI + GIC_PPI_COUNT - 1);
	return true;
}

bool gic_check(const BootGic *gic, size_t cpu_count, Error *err)
{
	const uint64_t redistributors = GIC_REDISTRIBUTOR_STRIDE * cpu_count;

	if (gic->pmu_gsiv && !gic_check_ppi(gic->pmu_gsiv, "pmu", err))
		return false;
	if (!gic->present)
		return true;
	if (gic->distributor_size != GIC_DISTRIBUTOR_SIZE ||
		gic->redistributor_size != redistributors ||
		gic->redistributor_stride != GIC_REDISTRIBUTOR_STRIDE)
		return error_set(err, PVW_TREE_0006,
			"distributor 0x%" PRIx64 ", redistributors 0x%" PRIx64
			", stride 0x%" PRIx64 " bytes, expected 0x%" PRIx64 ", 0x%" PRIx64
			", 0x%" PRIx64,
			gic->distributor_size, gic->redistributor_size,
			gic->redistributor_stride, GIC_DISTRIBUTOR_SIZE, redistributors,
			GIC_REDISTRIBUTOR_STRIDE);
	return true;
}
