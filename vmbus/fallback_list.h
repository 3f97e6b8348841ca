/*
 * What may be forwarded to the host: guest accesses to addresses that no device of ours claims.
 *
 * In a confidential guest this list is a security boundary: an address that looks like RAM must
 * never reach the host, whatever the host says in its settings. So the list holds MMIO alone,
 * decided from resolved roles, with everything taken out that is not the host's business.
 * Source: [OVMM] openhcl/underhill_core/src/worker.rs, fallback MMIO device
 */
#ifndef VMBUS_FALLBACK_LIST_H
#define VMBUS_FALLBACK_LIST_H

#include "layout/chipset_mmio.h"
#include "support/guest_arch.h"
#include "support/range_list.h"

/* Whether there is such a device at all. */
typedef struct FallbackConditions {
	GuestArch arch;
	bool hardware_isolated;
	bool always_relay_host_mmio; /* the host's setting */
	bool hypercall_mmio_offered; /* CPUID 0x40000004, bit 21 */
} FallbackConditions;

/** fallback_wanted - the host asks for it, or an isolated x86-64 guest is offered it */
bool fallback_wanted(const FallbackConditions *conditions);

typedef struct FallbackInputs {
	GuestArch arch;
	bool isolated;                 /* in whatever way */
	const ChipsetMmioRanges *mmio; /* low, high and reserved may be forwarded, vtl2 never */
	MemoryRange relay;             /* the relay's aperture, or empty */
	RangeView ram;                 /* of all levels and uses, ascending */
	uint64_t vtom;  /* address of the shared alias, a power of two; 0 = none */
	bool unlimited; /* aarch64: explicitly configured to forward everything */
} FallbackInputs;

/* The decision, as data. */
typedef struct FallbackList {
	bool unlimited;
	MemoryRangeList ranges; /* ascending, disjoint; touching ones stay apart */
} FallbackList;

/**
 * fallback_list_build - the ranges whose accesses may be forwarded
 * @out: lives in @arena
 *
 * Low, high and reserved windows, and with an alias each of them once more shifted by it; never
 * the relay's aperture, VTL2's windows, or RAM. Nothing left is an answer, not an error: then
 * nothing is forwarded. Outputs are untouched on failure.
 *
 * Errors: PVW_VMBUS_0010 (BAD_VALUE) @vtom is not a power of two of pages, or a window reaches
 * beyond it or, shifted, beyond 2^64; PVW_VMBUS_0011 (DENIED) @unlimited on x86-64, with an alias
 * or for an isolated guest; PVW_RANGE_0005 (OVERLAP) a list is not ascending.
 */
MUST_CHECK bool fallback_list_build(
	const FallbackInputs *in, Arena *arena, FallbackList *out, Error *err);

/**
 * fallback_list_allows - may an access be forwarded?
 * @address, @len: bytes; an access of no length or around the end of the address space may not
 *
 * The first and the last byte must lie in one range: an access across two windows is refused.
 * Takes logarithmic time.
 */
bool fallback_list_allows(const FallbackList *list, uint64_t address, uint64_t len);

#endif
