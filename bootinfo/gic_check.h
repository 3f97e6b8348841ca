/*
 * What a tree of aarch64 may say of interrupts: its readers look at bases only, and take sizes
 * for granted.
 */
#ifndef BOOTINFO_GIC_CHECK_H
#define BOOTINFO_GIC_CHECK_H

#include "bootinfo/boot_info.h"
#include "support/error.h"

#define GIC_DISTRIBUTOR_SIZE UINT64_C(0x10000)     /* bytes */
#define GIC_REDISTRIBUTOR_STRIDE UINT64_C(0x20000) /* bytes of one processor */

/* Private peripheral interrupts, by INTID. */
#define GIC_FIRST_PPI 16
#define GIC_PPI_COUNT 16

/** gic_check_ppi - PVW_TREE_0007 (BAD_VALUE) for an interrupt that is no private one */
MUST_CHECK bool gic_check_ppi(uint32_t interrupt, const char *what, Error *err);

/**
 * gic_check - may a tree say this?
 * @cpu_count: processors, each of which has a redistributor
 *
 * A PMU without interrupt (0) is fine; without GIC, it is all that is looked at.
 *
 * Errors: PVW_TREE_0006 (BAD_VALUE) sizes, PVW_TREE_0007 (BAD_VALUE) the PMU's interrupt is no
 * private one.
 */
MUST_CHECK bool gic_check(const BootGic *gic, size_t cpu_count, Error *err);

#endif
