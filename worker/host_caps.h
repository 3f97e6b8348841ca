/*
 * What the processor says about itself and its siblings: for a worker inside VTL2, where nobody
 * else tells. Source: [SDM2] CPUID; [APM3] E; [ARM] ID_AA64MMFR0_EL1
 */
#ifndef WORKER_HOST_CAPS_H
#define WORKER_HOST_CAPS_H

#include "support/error.h"
#include "support/guest_arch.h"

/* Physical address bits that a processor may report. */
#define ADDRESS_WIDTH_MIN 36
#define ADDRESS_WIDTH_MAX 52

typedef struct HostCaps {
	GuestArch arch;
	uint8_t physical_address_bits;
	uint32_t vps_per_socket; /* x86-64: 0 = not stated, one socket */
	bool smt;
	bool x2apic;
} HostCaps;

/* One leaf as the processor gives it. */
typedef struct CpuidLeaf {
	uint32_t eax, ebx, ecx, edx;
} CpuidLeaf;

/* Where leaves come from: the processor, or a recording. */
typedef CpuidLeaf (*CpuidSource)(const void *context, uint32_t leaf, uint32_t subleaf);

/**
 * host_caps_from_cpuid - topology by leaf 0x0B, else AMD's 0x80000008, else leaf 4
 *
 * Errors: PVW_CAPS_0001 (MISSING) no leaf says how many processors a socket has, _0002
 * (BAD_VALUE) more than two threads in a core, _0004 (BAD_VALUE) an impossible address width.
 */
MUST_CHECK bool host_caps_from_cpuid(
	CpuidSource source, const void *context, HostCaps *out, Error *err);

/** host_caps_from_features - aarch64: by ID_AA64MMFR0_EL1; PVW_CAPS_0003 (UNSUPPORTED) */
MUST_CHECK bool host_caps_from_features(uint64_t features, HostCaps *out, Error *err);

/** host_caps_read - of the processor that runs this; PVW_CAPS_0003 (UNSUPPORTED) elsewhere */
MUST_CHECK bool host_caps_read(HostCaps *out, Error *err);

#endif
