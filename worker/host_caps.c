/*
 * What the processor says about itself and its siblings.
 */
#include "worker/host_caps.h"

#include "support/diagnostics.h"

#define LEAF_FEATURES 1u
#define LEAF_CACHES 4u
#define LEAF_TOPOLOGY 0x0bu
#define LEAF_EXTENDED_MAX 0x80000000u
#define LEAF_ADDRESS_SIZES 0x80000008u
#define LEAF_AMD_TOPOLOGY 0x8000001eu

#define X2APIC_BIT 21    /* leaf 1, ECX */
#define DEFAULT_WIDTH 36 /* without a leaf that says it */

/* Values of leaf 0x0B, ECX 15:8. */
#define LEVEL_NONE 0u
#define LEVEL_THREAD 1u
#define LEVEL_CORE 2u
#define MAX_LEVELS 8u
#define MAX_CACHES 32u

typedef struct Cpuid {
	CpuidSource source;
	const void *context;
	uint32_t max, extended_max;
	bool is_amd; /* AMD or one that follows it */
} Cpuid;

/* Processors in a socket and threads in a core; 0 = not found. */
typedef struct Counts {
	uint32_t per_socket, per_core;
} Counts;

static CpuidLeaf leaf(const Cpuid *cpu, uint32_t number, uint32_t subleaf)
{
	return cpu->source(cpu->context, number, subleaf);
}

static Cpuid open_cpuid(CpuidSource source, const void *context)
{
	Cpuid cpu = { .source = source, .context = context };
	const CpuidLeaf vendor = leaf(&cpu, 0, 0);

	cpu.max = vendor.eax;
	cpu.extended_max = leaf(&cpu, LEAF_EXTENDED_MAX, 0).eax;
	/* "Auth…cAMD", "Hygo…uine": EBX tells them apart from all others. */
	cpu.is_amd = vendor.ebx == 0x68747541 || vendor.ebx == 0x6f677948;
	return cpu;
}

static Counts from_topology_leaf(const Cpuid *cpu)
{
	Counts counts = { 0, 0 };

	if (cpu->max < LEAF_TOPOLOGY)
		return counts;
	for (uint32_t i = 0; i < MAX_LEVELS; i++) {
		const CpuidLeaf level = leaf(cpu, LEAF_TOPOLOGY, i);
		const uint32_t type = (level.ecx >> 8) & 0xff;
		const uint32_t count = 1u << (level.eax & 0x1f);

		if (type == LEVEL_NONE)
			break;
		if (type == LEVEL_THREAD)
			counts.per_core = count;
		if (type == LEVEL_CORE)
			counts.per_socket = count;
	}
	return counts;
}

static Counts from_amd_leaves(const Cpuid *cpu)
{
	Counts counts = { 0, 0 };
	uint32_t sizes;

	if (!cpu->is_amd || cpu->extended_max < LEAF_ADDRESS_SIZES)
		return counts;
	sizes = leaf(cpu, LEAF_ADDRESS_SIZES, 0).ecx;
	counts.per_socket =
		(sizes >> 12) & 0xf ? 1u << ((sizes >> 12) & 0xf) : (sizes & 0xff) + 1;
	counts.per_core = 1;
	/* EBX 15:8 is threads minus one. [APM3] E.4.17 */
	if (cpu->extended_max >= LEAF_AMD_TOPOLOGY)
		counts.per_core = ((leaf(cpu, LEAF_AMD_TOPOLOGY, 0).ebx >> 8) & 0xff) + 1;
	return counts;
}

static Counts from_cache_leaf(const Cpuid *cpu)
{
	Counts counts = { 0, 0 };

	if (cpu->max < LEAF_CACHES)
		return counts;
	for (uint32_t i = 0; i < MAX_CACHES; i++) {
		const uint32_t eax = leaf(cpu, LEAF_CACHES, i).eax;

		if (eax == 0)
			break;
		if (((eax >> 5) & 7) != 1)
			continue;
		counts.per_core = ((eax >> 14) & 0xfff) + 1;
		counts.per_socket = ((eax >> 26) + 1) * counts.per_core;
		break;
	}
	return counts;
}

static bool read_width(const Cpuid *cpu, uint8_t *out, Error *err)
{
	const uint32_t width = cpu->extended_max >= LEAF_ADDRESS_SIZES
		? leaf(cpu, LEAF_ADDRESS_SIZES, 0).eax & 0xff
		: DEFAULT_WIDTH;

	if (width < ADDRESS_WIDTH_MIN || width > ADDRESS_WIDTH_MAX)
		return error_set(err, PVW_CAPS_0004, "%u address bits, expected %d to %d",
			width, ADDRESS_WIDTH_MIN, ADDRESS_WIDTH_MAX);
	*out = (uint8_t)width;
	return true;
}

bool host_caps_from_cpuid(CpuidSource source, const void *context, HostCaps *out, Error *err)
{
	const Cpuid cpu = open_cpuid(source, context);
	Counts counts = from_topology_leaf(&cpu);
	HostCaps caps = { .arch = GUEST_ARCH_X86_64 };

	if (!counts.per_socket)
		counts = from_amd_leaves(&cpu);
	if (!counts.per_socket)
		counts = from_cache_leaf(&cpu);
	if (!counts.per_socket)
		return error_set(err, PVW_CAPS_0001,
			"leaves 0x0b, 0x80000008 and 4 state nothing, expected one to");
	if (counts.per_core > 2)
		return error_set(err, PVW_CAPS_0002, "%u threads in a core, expected at most 2",
			counts.per_core);

	if (!read_width(&cpu, &caps.physical_address_bits, err))
		return false;
	caps.vps_per_socket = counts.per_socket;
	caps.smt = counts.per_core == 2 && counts.per_socket > 1;
	caps.x2apic = (leaf(&cpu, LEAF_FEATURES, 0).ecx >> X2APIC_BIT) & 1;
	*out = caps;
	return true;
}

bool host_caps_from_features(uint64_t features, HostCaps *out, Error *err)
{
	/* By PARange, bits 3:0. */
	static const uint8_t widths[] = { 32, 36, 40, 42, 44, 48, 52 };
	const unsigned range = features & 0xf;

	if (range >= ARRAY_COUNT(widths))
		return error_set(err, PVW_CAPS_0003, "PARange %u, expected at most %zu", range,
			ARRAY_COUNT(widths) - 1);
	*out = (HostCaps){
		.arch = GUEST_ARCH_AARCH64,
		.physical_address_bits = widths[range],
	};
	return true;
}

/*
 * The processor under us. What it is, is a property of the build that runs on it; every guest
 * architecture is planned by every build.
 */
#if defined(__x86_64__)

#include <cpuid.h>

static CpuidLeaf this_processor(const void *context, uint32_t number, uint32_t subleaf)
{
	CpuidLeaf out;

	(void)context;
	__cpuid_count(number, subleaf, out.eax, out.ebx, out.ecx, out.edx);
	return out;
}

bool host_caps_read(HostCaps *out, Error *err)
{
	return host_caps_from_cpuid(this_processor, NULL, out, err);
}

#elif defined(__aarch64__)

/* Linux answers the read for user space. */
bool host_caps_read(HostCaps *out, Error *err)
{
	uint64_t features;

	__asm__("mrs %0, ID_AA64MMFR0_EL1" : "=r"(features));
	return host_caps_from_features(features, out, err);
}

#else

bool host_caps_read(HostCaps *out, Error *err)
{
	(void)out;
	return error_set(err, PVW_CAPS_0003, "this machine is neither x86-64 nor aarch64");
}

#endif
