/*
 * Processors as they describe themselves: leaves as real ones and odd ones give them.
 */
#include "worker/host_caps.h"

#include <criterion/criterion.h>
#include <string.h>

#include "support/diagnostics.h"

#define INTEL 0x756e6547u /* "Genu" */
#define AMD 0x68747541u   /* "Auth" */
#define HYGON 0x6f677948u
#define X2APIC (1u << 21)

typedef struct Leaf {
	uint32_t leaf, subleaf;
	CpuidLeaf out;
} Leaf;

typedef struct Recording {
	const char *what;
	Leaf leaves[12]; /* others are zero */
	uint32_t vps_per_socket;
	bool smt, x2apic;
	uint8_t width;
} Recording;

static CpuidLeaf play(const void *context, uint32_t leaf, uint32_t subleaf)
{
	const Recording *recording = context;

	for (size_t i = 0; i < ARRAY_COUNT(recording->leaves); i++) {
		const Leaf *row = &recording->leaves[i];

		if (row->leaf == leaf && row->subleaf == subleaf)
			return row->out;
	}
	return (CpuidLeaf){ 0 };
}

#define VENDOR(max, ebx_value)                                                                 \
	{                                                                                      \
		0, 0,                                                                          \
		{                                                                              \
			.eax = (max), .ebx = (ebx_value)                                       \
		}                                                                              \
	}
#define FEATURES(ecx_value)                                                                    \
	{                                                                                      \
		1, 0,                                                                          \
		{                                                                              \
			.ecx = (ecx_value)                                                     \
		}                                                                              \
	}
#define LEVEL(n, type, shift)                                                                  \
	{                                                                                      \
		0x0b, n,                                                                       \
		{                                                                              \
			.eax = (shift), .ecx = (type) << 8 | (n)                               \
		}                                                                              \
	}
#define EXTENDED(max)                                                                          \
	{                                                                                      \
		0x80000000, 0,                                                                 \
		{                                                                              \
			.eax = (max)                                                           \
		}                                                                              \
	}
#define SIZES(width, ecx_value)                                                                \
	{                                                                                      \
		0x80000008, 0,                                                                 \
		{                                                                              \
			.eax = 0x3000 | (width), .ecx = (ecx_value)                            \
		}                                                                              \
	}
#define CACHE(n, level, threads, cores)                                                        \
	{                                                                                      \
		4, n,                                                                          \
		{                                                                              \
			.eax = 1 | (level) << 5 | ((threads)-1) << 14 | ((cores)-1) << 26      \
		}                                                                              \
	}

static const Recording recordings[] = {
	{ "Intel, 8 cores of two threads",
		{ VENDOR(0x16, INTEL), FEATURES(X2APIC), LEVEL(0, 1, 1), LEVEL(1, 2, 4),
			EXTENDED(0x80000008), SIZES(46, 0) },
		16, true, true, 46 },
	{ "Intel, 4 cores of one thread",
		{ VENDOR(0x16, INTEL), LEVEL(0, 1, 0), LEVEL(1, 2, 2), EXTENDED(0x80000008),
			SIZES(39, 0) },
		4, false, false, 39 },
	{ "one processor: no SMT to speak of",
		{ VENDOR(0x0b, INTEL), LEVEL(0, 1, 0), LEVEL(1, 2, 0) }, 1, false, false, 36 },
	{ "levels in another order", { VENDOR(0x0b, INTEL), LEVEL(0, 2, 3), LEVEL(1, 1, 1) }, 8,
		true, false, 36 },
	{ "levels beyond the core",
		{ VENDOR(0x1f, INTEL), LEVEL(0, 1, 1), LEVEL(1, 2, 3), LEVEL(2, 5, 6) }, 8,
		true, false, 36 },
	{ "what lies behind the last level is not read",
		{ VENDOR(0x0b, INTEL), LEVEL(0, 1, 0), LEVEL(1, 2, 3), LEVEL(3, 1, 4) }, 8,
		false, false, 36 },
	{ "AMD by APIC id size, two threads",
		{ VENDOR(0x0d, AMD), FEATURES(X2APIC), EXTENDED(0x8000001e),
			SIZES(48, 4 << 12 | 11), { 0x8000001e, 0, { .ebx = 1 << 8 } } },
		16, true, true, 48 },
	{ "AMD by count, one thread",
		{ VENDOR(0x0d, AMD), EXTENDED(0x8000001e), SIZES(48, 11),
			{ 0x8000001e, 0, { .ebx = 0 } } },
		12, false, false, 48 },
	{ "AMD of old, without a leaf of cores",
		{ VENDOR(5, AMD), EXTENDED(0x80000008), SIZES(40, 3) }, 4, false, false, 40 },
	{ "Hygon follows AMD",
		{ VENDOR(0x0d, HYGON), EXTENDED(0x8000001e), SIZES(48, 3 << 12),
			{ 0x8000001e, 0, { .ebx = 1 << 8 } } },
		8, true, false, 48 },
	{ "AMD with leaf 0x0b uses it",
		{ VENDOR(0x10, AMD), LEVEL(0, 1, 1), LEVEL(1, 2, 5), EXTENDED(0x8000001e),
			SIZES(48, 3 << 12) },
		32, true, false, 48 },
	{ "leaf 4, the data cache after another level",
		{ VENDOR(4, INTEL), CACHE(0, 2, 4, 4), CACHE(1, 1, 2, 4), EXTENDED(0x80000008),
			SIZES(40, 7) },
		8, true, false, 40 },
	{ "Intel does not go by AMD's leaf",
		{ VENDOR(4, INTEL), CACHE(0, 1, 1, 2), EXTENDED(0x80000008),
			SIZES(40, 3 << 12) },
		2, false, false, 40 },
};

Test(host_caps, are_what_the_processor_says)
{
	for (size_t i = 0; i < ARRAY_COUNT(recordings); i++) {
		const Recording *recording = &recordings[i];
		HostCaps caps;
		Error err;

		cr_assert(host_caps_from_cpuid(play, recording, &caps, &err), "%s: %s",
			recording->what, err.text);
		cr_expect_eq(caps.vps_per_socket, recording->vps_per_socket, "%s: %u",
			recording->what, caps.vps_per_socket);
		cr_expect_eq(caps.smt, recording->smt, "%s", recording->what);
		cr_expect_eq(caps.x2apic, recording->x2apic, "%s", recording->what);
		cr_expect_eq(caps.physical_address_bits, recording->width, "%s: %u",
			recording->what, caps.physical_address_bits);
		cr_expect_eq(caps.arch, GUEST_ARCH_X86_64);
	}
}

static void refuse(const Recording *recording, DiagnosticId diagnostic, const char *word)
{
	HostCaps caps = { .vps_per_socket = 77 };
	Error err = { 0 };

	cr_assert_not(host_caps_from_cpuid(play, recording, &caps, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(caps.vps_per_socket, 77);
}

Test(host_caps, need_a_leaf_that_counts)
{
	static const Recording silent = { .leaves = { VENDOR(0x0b, INTEL) } };
	static const Recording no_level_1 = { .leaves = {
						      VENDOR(4, INTEL), CACHE(0, 2, 1, 1) } };
	static const Recording threads_only = { .leaves = {
							VENDOR(0x0b, INTEL), LEVEL(0, 1, 1) } };

	refuse(&silent, PVW_CAPS_0001, "0x0b");
	refuse(&no_level_1, PVW_CAPS_0001, "leaves");
	refuse(&threads_only, PVW_CAPS_0001, "leaves");
}

Test(host_caps, know_at_most_two_threads_in_a_core)
{
	static const Recording four = { .leaves = { VENDOR(0x0b, INTEL), LEVEL(0, 1, 2),
						LEVEL(1, 2, 4) } };

	refuse(&four, PVW_CAPS_0002, "4 threads");
}

Test(host_caps, have_an_address_width_that_processors_have)
{
	static const Recording widths[] = {
		{ .leaves = { VENDOR(0x0b, INTEL), LEVEL(0, 1, 0), LEVEL(1, 2, 2),
			  EXTENDED(0x80000008), SIZES(0, 0) } },
		{ .leaves = { VENDOR(0x0b, INTEL), LEVEL(0, 1, 0), LEVEL(1, 2, 2),
			  EXTENDED(0x80000008), SIZES(64, 0) } },
		{ .leaves = { VENDOR(0x0b, INTEL), LEVEL(0, 1, 0), LEVEL(1, 2, 2),
			  EXTENDED(0x80000008), SIZES(255, 0) } },
	};

	refuse(&widths[0], PVW_CAPS_0004, "0 address bits");
	refuse(&widths[1], PVW_CAPS_0004, "64 address bits");
	refuse(&widths[2], PVW_CAPS_0004, "255 address bits");
}

/* A processor that answers every leaf alike must not make us read for ever. */
static CpuidLeaf always(const void *context, uint32_t leaf, uint32_t subleaf)
{
	const uint32_t *value = context;

	(void)leaf;
	(void)subleaf;
	return (CpuidLeaf){ *value, *value, *value, *value };
}

Test(host_caps, end_with_any_answers)
{
	for (unsigned bit = 0; bit < 32; bit++) {
		const uint32_t values[] = { 1u << bit, ~(1u << bit), UINT32_MAX >> bit };

		for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
			HostCaps caps;
			Error err;

			if (host_caps_from_cpuid(always, &values[i], &caps, &err))
				cr_assert(caps.physical_address_bits >= 36 &&
					caps.physical_address_bits <= 52);
		}
	}
}

Test(host_caps, are_what_an_aarch64_processor_says)
{
	static const uint8_t widths[] = { 32, 36, 40, 42, 44, 48, 52 };
	HostCaps caps;
	Error err = { 0 };

	for (uint64_t range = 0; range < 16; range++) {
		const uint64_t features = UINT64_C(0xffff0fff12345670) | range;

		if (range < ARRAY_COUNT(widths)) {
			cr_assert(host_caps_from_features(features, &caps, &err));
			cr_assert_eq(caps.arch, GUEST_ARCH_AARCH64);
			cr_assert_eq(caps.physical_address_bits, widths[range]);
			cr_assert_not(caps.smt || caps.x2apic || caps.vps_per_socket);
			continue;
		}
		cr_assert_not(host_caps_from_features(features, &caps, &err));
		cr_assert_eq(err.diagnostic, PVW_CAPS_0003);
		cr_assert_not_null(strstr(err.text, "PARange"));
	}
}

Test(host_caps, can_be_read_here)
{
	HostCaps caps;
	Error err = { 0 };

	if (!host_caps_read(&caps, &err)) {
		cr_assert_neq(err.diagnostic, PVW_NONE);
		cr_skip_test("%s", err.text);
	}
	cr_assert_geq(caps.physical_address_bits, 32);
}
