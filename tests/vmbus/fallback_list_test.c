#include <criterion/criterion.h>
#include <string.h>

#include "support/diagnostics.h"
#include "vmbus/fallback_list.h"

#define P PAGE_SIZE
#define VTOM (UINT64_C(1) << 46)

static const MemoryRange low = { 0xf8000000, 0x100000000 };
static const MemoryRange high = { 0x140000000, 0x15ff80000 };
static const MemoryRange relay = { 0x15ff80000, 0x160000000 };
static const MemoryRange vtl2[] = { { 0x160000000, 0x1a0000000 } };
static const MemoryRange reserved[] = { { 0xe0000000, 0xe0001000 },
	{ 0x1b0000000, 0x1b0002000 } };
static const NodeRange ram[] = { { { 0, 0xe0000000 }, 0 },
	{ { 0x100000000, 0x140000000 }, 0 } };

static const ChipsetMmioRanges mmio = {
	.low = { 0xf8000000, 0x100000000 },
	.high = { 0x140000000, 0x15ff80000 },
	.vtl2 = { vtl2, 1 },
	.reserved = { reserved, 2 },
};

static FallbackInputs inputs(void)
{
	return (FallbackInputs){
		.arch = GUEST_ARCH_X86_64,
		.mmio = &mmio,
		.relay = relay,
		.ram = { ram, 2, sizeof(ram[0]) },
	};
}

Test(fallback_list, holds_low_high_and_reserved_in_order)
{
	const FallbackInputs in = inputs();
	Arena *arena = arena_new(1 << 16);
	FallbackList list;
	Error err;

	cr_assert(fallback_list_build(&in, arena, &list, &err));

	cr_assert_not(list.unlimited);
	cr_assert_eq(list.ranges.count, 4);
	cr_assert(memory_range_equal(list.ranges.items[0], reserved[0]));
	cr_assert(memory_range_equal(list.ranges.items[1], low));
	cr_assert(memory_range_equal(list.ranges.items[2], high));
	cr_assert(memory_range_equal(list.ranges.items[3], reserved[1]));
	arena_free(arena);
}

Test(fallback_list, with_an_alias_holds_each_twice)
{
	FallbackInputs in = inputs();
	Arena *arena = arena_new(1 << 16);
	FallbackList list;
	Error err;

	in.vtom = VTOM;
	in.isolated = true;
	cr_assert(fallback_list_build(&in, arena, &list, &err));

	cr_assert_eq(list.ranges.count, 8);
	for (size_t i = 0; i < 4; i++) {
		cr_assert_eq(list.ranges.items[i + 4].start, list.ranges.items[i].start + VTOM);
		cr_assert_eq(list.ranges.items[i + 4].end, list.ranges.items[i].end + VTOM);
	}
	cr_assert(fallback_list_allows(&list, 0xfed40000, 4));
	cr_assert(fallback_list_allows(&list, VTOM + 0xfed40000, 4));
	cr_assert_not(fallback_list_allows(&list, VTOM, 4));
	cr_assert_not(fallback_list_allows(&list, 2 * VTOM + 0xfed40000, 4));
	arena_free(arena);
}

/*
 * A small world of 16 pages, plain and aliased: windows in it are taken from random bits, so are
 * RAM, VTL2's windows and the relay, overlapping as they like. A page may be forwarded exactly
 * when it is a window's and nobody else's.
 */
#define WORLD 16

/* The runs of set bits as ranges, ascending. */
static size_t runs(unsigned bits, MemoryRange *out)
{
	size_t count = 0;

	for (uint64_t page = 0; page < WORLD; page++) {
		if (!(bits >> page & 1))
			continue;
		if (count > 0 && out[count - 1].end == page * P)
			out[count - 1].end += P;
		else
			out[count++] = (MemoryRange){ page * P, page * P + P };
	}
	return count;
}

static unsigned run_bits(MemoryRange range)
{
	unsigned bits = 0;

	for (uint64_t page = 0; page < WORLD; page++)
		bits |= memory_range_contains_address(range, page * P) ? 1u << page : 0;
	return bits;
}

Test(fallback_list, never_lets_ram_relay_or_vtl2_through)
{
	Arena *arena = arena_new(1 << 16);
	uint64_t seed = 88172645463325252u;

	for (int round = 0; round < 20000; round++) {
		MemoryRange windows[WORLD], ram_runs[WORLD], vtl2_runs[WORLD],
			relay_runs[WORLD];

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;

		const unsigned window_bits = seed & 0xffff;
		const unsigned ram_bits = (seed >> 16 & seed >> 48) & 0xffff;
		const unsigned vtl2_bits = (seed >> 24 & seed >> 40) & 0xffff;
		const size_t window_count = runs(window_bits, windows);
		const size_t relay_count = runs(seed >> 32 & seed >> 36 & 0xffff, relay_runs);
		const MemoryRange relay_range =
			relay_count ? relay_runs[0] : MEMORY_RANGE_EMPTY;
		const uint64_t vtom = round & 1 ? WORLD * P : 0;

		/* The first and the third window are low and high, the rest is reserved. */
		const bool third = window_count > 2;
		MemoryRange others[WORLD];
		size_t other_count = 0;

		for (size_t i = 1; i < window_count; i++) {
			if (i != 2)
				others[other_count++] = windows[i];
		}

		const ChipsetMmioRanges small = {
			.low = window_count ? windows[0] : MEMORY_RANGE_EMPTY,
			.high = third ? windows[2] : MEMORY_RANGE_EMPTY,
			.reserved = { others, other_count },
			.vtl2 = { vtl2_runs, runs(vtl2_bits, vtl2_runs) },
		};
		const FallbackInputs in = {
			.mmio = &small,
			.relay = relay_range,
			.ram = { ram_runs, runs(ram_bits, ram_runs), sizeof(MemoryRange) },
			.vtom = vtom,
		};
		const unsigned allowed =
			window_bits & ~ram_bits & ~vtl2_bits & ~run_bits(relay_range);
		FallbackList list;
		Error err;

		cr_assert(fallback_list_build(&in, arena, &list, &err), "%s", err.text);
		cr_assert(range_list_check(range_view(list.ranges), "list", &err), "%s",
			err.text);
		for (uint64_t page = 0; page < 3 * WORLD; page++) {
			const bool inside = page < WORLD || (vtom && page < 2 * WORLD);
			const bool expected = inside && (allowed >> page % WORLD & 1);

			cr_assert_eq(fallback_list_allows(&list, page * P, 1), expected);
			cr_assert_eq(fallback_list_allows(&list, page * P, P), expected);
			cr_assert_eq(
				fallback_list_allows(&list, page * P + P - 8, 8), expected);
		}
		arena_reset(arena);
	}
	arena_free(arena);
}

/* RAM above the alias hides the aliased window there, not the plain one. */
Test(fallback_list, ram_above_the_alias_is_ram)
{
	static const NodeRange above[] = { { { VTOM + 0xf8000000, VTOM + 0xf9000000 }, 0 } };
	FallbackInputs in = inputs();
	Arena *arena = arena_new(1 << 16);
	FallbackList list;
	Error err;

	in.ram = (RangeView){ above, 1, sizeof(above[0]) };
	in.vtom = VTOM;
	cr_assert(fallback_list_build(&in, arena, &list, &err));

	cr_assert(fallback_list_allows(&list, 0xf8000000, 4));
	cr_assert_not(fallback_list_allows(&list, VTOM + 0xf8000000, 4));
	cr_assert(fallback_list_allows(&list, VTOM + 0xf9000000, 4));
	arena_free(arena);
}

Test(fallback_list, judges_first_and_last_byte)
{
	static const ChipsetMmioRanges touching = {
		.low = { 0xf0000000, 0x100000000 },
		.high = { 0x100000000, 0x110000000 },
	};
	const FallbackInputs in = { .mmio = &touching, .ram = RANGE_VIEW_EMPTY };
	static const struct {
		uint64_t address, len;
		bool allowed;
	} cases[] = {
		{ 0xf0000000, 8, true },
		{ 0xeffffffc, 4, false },
		{ 0xeffffffc, 8, false },
		{ 0xfffffff8, 8, true },
		{ 0xfffffffc, 8, false }, /* across two windows that touch */
		{ 0x100000000, 0x10000000, true },
		{ 0x100000000, 0x10000001, false },
		{ 0x10ffffff8, 8, true },
		{ 0x110000000, 1, false },
		{ 0xf0000000, 0, false },
		{ UINT64_MAX, 1, false },
		{ UINT64_MAX, 2, false },
		{ 0xf0000000, UINT64_MAX, false },
		{ 0xf0000001, UINT64_MAX, false },
	};
	Arena *arena = arena_new(1 << 16);
	FallbackList list;
	Error err;

	cr_assert(fallback_list_build(&in, arena, &list, &err));
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		cr_assert_eq(fallback_list_allows(&list, cases[i].address, cases[i].len),
			cases[i].allowed, "case %zu", i);
	arena_free(arena);
}

Test(fallback_list, of_nothing_forwards_nothing)
{
	static const ChipsetMmioRanges none = { 0 };
	const FallbackInputs in = {
		.arch = GUEST_ARCH_AARCH64, .mmio = &none, .ram = RANGE_VIEW_EMPTY, .vtom = VTOM
	};
	Arena *arena = arena_new(1 << 16);
	FallbackList list = { .unlimited = true };
	Error err;

	cr_assert(fallback_list_build(&in, arena, &list, &err));

	cr_assert_not(list.unlimited);
	cr_assert_eq(list.ranges.count, 0);
	cr_assert_not(fallback_list_allows(&list, 0xf8000000, 4));
	arena_free(arena);
}

Test(fallback_list, is_the_same_for_aarch64_unless_configured)
{
	FallbackInputs in = inputs();
	Arena *arena = arena_new(1 << 16);
	FallbackList list;
	Error err;

	in.arch = GUEST_ARCH_AARCH64;
	cr_assert(fallback_list_build(&in, arena, &list, &err));
	cr_assert_not(fallback_list_allows(&list, 0x1000, 4));

	in.unlimited = true;
	cr_assert(fallback_list_build(&in, arena, &list, &err));
	cr_assert(fallback_list_allows(&list, 0x1000, 4));
	cr_assert_not(fallback_list_allows(&list, UINT64_MAX, 2));
	cr_assert_not(fallback_list_allows(&list, 0, 0));
	arena_free(arena);
}

Test(fallback_list, refuses_to_be_unlimited_where_it_protects)
{
	static const struct {
		GuestArch arch;
		bool isolated;
		uint64_t vtom;
		const char *word;
	} cases[] = {
		{ GUEST_ARCH_X86_64, false, 0, "x86_64" },
		{ GUEST_ARCH_AARCH64, true, 0, "isolated" },
		{ GUEST_ARCH_AARCH64, false, VTOM, "isolated" },
	};
	Arena *arena = arena_new(1 << 16);

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		FallbackInputs in = inputs();
		FallbackList list = { .ranges = { NULL, 77 } };
		Error err;

		in.arch = cases[i].arch;
		in.isolated = cases[i].isolated;
		in.vtom = cases[i].vtom;
		in.unlimited = true;
		cr_assert_not(fallback_list_build(&in, arena, &list, &err));
		cr_assert_eq(err.diagnostic, PVW_VMBUS_0011);
		cr_assert_eq(err.code, ERROR_DENIED);
		cr_assert_not_null(strstr(err.text, cases[i].word), "%s", err.text);
		cr_assert_eq(list.ranges.count, 77);
	}
	arena_free(arena);
}

Test(fallback_list, refuses_an_alias_that_does_not_fit)
{
	static const MemoryRange beyond[] = { { UINT64_C(1) << 63, (UINT64_C(1) << 63) + P } };
	static const ChipsetMmioRanges far = { .reserved = { beyond, 1 } };
	static const ChipsetMmioRanges half = { .high = { (UINT64_C(1) << 63) - P,
							UINT64_C(1) << 63 } };
	static const struct {
		const ChipsetMmioRanges *mmio;
		uint64_t vtom;
		const char *word;
	} cases[] = {
		{ &mmio, 3 * P, "power of two" },
		{ &mmio, 2048, "power of two" },
		{ &mmio, 1, "power of two" },
		{ &mmio, UINT64_C(1) << 32, "below the alias" },
		{ &far, UINT64_C(1) << 63, "below the alias" },
	};
	Arena *arena = arena_new(1 << 16);
	FallbackList list = { .ranges = { NULL, 77 } };
	Error err;

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		FallbackInputs in = inputs();

		in.mmio = cases[i].mmio;
		in.ram = RANGE_VIEW_EMPTY;
		in.vtom = cases[i].vtom;
		cr_assert_not(fallback_list_build(&in, arena, &list, &err));
		cr_assert_eq(err.diagnostic, PVW_VMBUS_0010);
		cr_assert_not_null(strstr(err.text, cases[i].word), "%s", err.text);
		cr_assert_eq(list.ranges.count, 77);
	}

	/* The last window that an alias at 2^63 could show ends where addresses do. */
	const FallbackInputs last = {
		.mmio = &half, .ram = RANGE_VIEW_EMPTY, .vtom = UINT64_C(1) << 63
	};

	cr_assert_not(fallback_list_build(&last, arena, &list, &err));
	cr_assert_eq(err.diagnostic, PVW_VMBUS_0010);
	cr_assert_not_null(strstr(err.text, "2^64"));
	arena_free(arena);
}

Test(fallback_list, refuses_lists_out_of_order)
{
	static const NodeRange bad[] = { { { 4 * P, 8 * P }, 0 }, { { 0, P }, 0 } };
	FallbackInputs in = inputs();
	Arena *arena = arena_new(1 << 16);
	FallbackList list;
	Error err;

	in.ram = (RangeView){ bad, 2, sizeof(bad[0]) };
	cr_assert_not(fallback_list_build(&in, arena, &list, &err));
	cr_assert_eq(err.diagnostic, PVW_RANGE_0005);
	cr_assert_not_null(strstr(err.text, "ram"));
	arena_free(arena);
}

/* In every room too small, an error and never a half-made list. */
Test(fallback_list, needs_room)
{
	FallbackInputs in = inputs();
	FallbackList list = { .ranges = { NULL, 77 } };
	size_t limit = 0;
	Error err;

	in.vtom = VTOM;
	for (;; limit += 16) {
		Arena *arena = arena_new(limit);
		const bool fits = fallback_list_build(&in, arena, &list, &err);

		arena_free(arena);
		if (fits)
			break;
		cr_assert_eq(err.diagnostic, PVW_MEM_0001);
		cr_assert_eq(list.ranges.count, 77);
		cr_assert_lt(limit, 4096);
	}
	cr_assert_gt(limit, 0);
}

Test(fallback_list, is_wanted_when_asked_for_or_offered)
{
	for (unsigned bits = 0; bits < 16; bits++) {
		const FallbackConditions conditions = {
			.arch = bits & 1 ? GUEST_ARCH_AARCH64 : GUEST_ARCH_X86_64,
			.hardware_isolated = bits & 2,
			.always_relay_host_mmio = bits & 4,
			.hypercall_mmio_offered = bits & 8,
		};
		const bool expected = (bits & 4) || (bits & 11) == 10;

		cr_assert_eq(fallback_wanted(&conditions), expected, "%u", bits);
	}
}
