#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "bootinfo/boot_info.h"
#include "layout/chipset_mmio.h"
#include "support/diagnostics.h"

#define MAX_CLAIMS 4

#define L_START 0xf8000000u
#define L_LEN 0x8000000u
#define H_START 0x240000000u
#define H_LEN 0x20000000u
#define LOW_WINDOW                                                                             \
	{                                                                                      \
		0xf8000000, 0x100000000                                                        \
	}
#define HIGH_WINDOW                                                                            \
	{                                                                                      \
		0x240000000, 0x260000000                                                       \
	}

/* One row of the table of role vectors; their numbers stand in docs/formats.md. */
typedef struct Vector {
	const char *name;
	struct {
		uint64_t start, len;
		uint32_t role;
		uint8_t vtl;
	} claims[MAX_CLAIMS];
	size_t count;
	MemoryRange ram; /* empty: none near */
	/* expected: a refusal with a telling word, or ranges */
	uint16_t diagnostic;
	const char *word;
	unsigned int uninvolved; /* bit i: claim i has no part in the error */
	MemoryRange low, high;
	MemoryRange vtl2, reserved; /* the only one of its list, or empty */
	RoleSource low_source, high_source;
} Vector;

static const Vector vectors[] = {
	{ .name = "1 low and high",
		.claims = { { L_START, L_LEN, 0, 0 }, { H_START, H_LEN, 0, 0 } },
		.count = 2,
		.low = LOW_WINDOW,
		.high = HIGH_WINDOW,
		.low_source = ROLE_SOURCE_BY_ADDRESS,
		.high_source = ROLE_SOURCE_BY_ADDRESS },
	{ .name = "2 high and low",
		.claims = { { H_START, H_LEN, 0, 0 }, { L_START, L_LEN, 0, 0 } },
		.count = 2,
		.low = LOW_WINDOW,
		.high = HIGH_WINDOW,
		.low_source = ROLE_SOURCE_BY_ADDRESS,
		.high_source = ROLE_SOURCE_BY_ADDRESS },
	{ .name = "3 only high",
		.claims = { { H_START, H_LEN, 0, 0 } },
		.count = 1,
		.high = HIGH_WINDOW,
		.high_source = ROLE_SOURCE_BY_ADDRESS },
	{ .name = "4 only low",
		.claims = { { L_START, L_LEN, 0, 0 } },
		.count = 1,
		.low = LOW_WINDOW,
		.low_source = ROLE_SOURCE_BY_ADDRESS },
	{ .name = "5 nothing" },
	{ .name = "6 placeholder at 4 GiB",
		.claims = { { L_START, L_LEN, 0, 0 }, { 0x100000000, 0, 0, 0 } },
		.count = 2,
		.low = LOW_WINDOW,
		.low_source = ROLE_SOURCE_BY_ADDRESS },
	{ .name = "7 placeholder at 0",
		.claims = { { 0, 0, 0, 0 }, { L_START, L_LEN, 0, 0 } },
		.count = 2,
		.low = LOW_WINDOW,
		.low_source = ROLE_SOURCE_BY_ADDRESS },
	{ .name = "8 touching low pieces",
		.claims = { { 0xf8000000, 0x4000000, 0, 0 }, { 0xfc000000, 0x4000000, 0, 0 } },
		.count = 2,
		.low = LOW_WINDOW,
		.low_source = ROLE_SOURCE_BY_ADDRESS },
	{ .name = "9 low in pieces",
		.claims = { { 0xe0000000, 0x8000000, 0, 0 }, { L_START, L_LEN, 0, 0 } },
		.count = 2,
		.diagnostic = PVW_ROLE_0010,
		.word = "chipset-low: in pieces" },
	{ .name = "10 extra piece reserved",
		.claims = { { 0xe0000000, 0x8000000, 4, 0 }, { L_START, L_LEN, 0, 0 } },
		.count = 2,
		.low = LOW_WINDOW,
		.reserved = { 0xe0000000, 0xe8000000 },
		.low_source = ROLE_SOURCE_BY_ADDRESS },
	{ .name = "11 touching high pieces, one declared",
		.claims = { { H_START, H_LEN, 0, 0 }, { 0x260000000, 0x10000000, 2, 0 } },
		.count = 2,
		.high = { 0x240000000, 0x270000000 },
		.high_source = ROLE_SOURCE_DECLARED },
	{ .name = "12 across 4 GiB",
		.claims = { { 0xf0000000, 0x20000000, 0, 0 } },
		.count = 1,
		.diagnostic = PVW_ROLE_0005,
		.word = "0x100000000" },
	{ .name = "13 across 4 GiB, declared low",
		.claims = { { 0xf0000000, 0x20000000, 1, 0 } },
		.count = 1,
		.diagnostic = PVW_ROLE_0006,
		.word = "chipset-low" },
	{ .name = "14 high declared low",
		.claims = { { H_START, H_LEN, 1, 0 } },
		.count = 1,
		.diagnostic = PVW_ROLE_0006,
		.word = "end at or below 0x100000000" },
	{ .name = "15 low declared high",
		.claims = { { L_START, L_LEN, 2, 0 } },
		.count = 1,
		.diagnostic = PVW_ROLE_0006,
		.word = "start at or above 0x100000000" },
	{ .name = "16 vtl0 declared vtl2-private",
		.claims = { { L_START, L_LEN, 3, 0 } },
		.count = 1,
		.diagnostic = PVW_ROLE_0003,
		.word = "for vtl 0" },
	{ .name = "17 unknown role",
		.claims = { { L_START, L_LEN, 9, 0 } },
		.count = 1,
		.diagnostic = PVW_ROLE_0004,
		.word = "role 9" },
	{ .name = "18 reserved inside low",
		.claims = { { L_START, L_LEN, 0, 0 }, { 0xff000000, 0x1000000, 4, 0 } },
		.count = 2,
		.diagnostic = PVW_ROLE_0007,
		.word = "overlap" },
	{ .name = "19 the same range twice",
		.claims = { { L_START, L_LEN, 0, 0 }, { L_START, L_LEN, 0, 0 } },
		.count = 2,
		.diagnostic = PVW_ROLE_0007,
		.word = "overlap" },
	{ .name = "20 high in RAM",
		.claims = { { L_START, L_LEN, 0, 0 }, { H_START, H_LEN, 0, 0 } },
		.count = 2,
		.ram = { 0x23ffff000, 0x240001000 },
		.diagnostic = PVW_ROLE_0008,
		.word = "RAM 0x23ffff000-0x240001000",
		.uninvolved = 1 },
	{ .name = "21 high absent and present",
		.claims = { { L_START, L_LEN, 1, 0 }, { 0, 0, 2, 0 },
			{ H_START, H_LEN, 0, 0 } },
		.count = 3,
		.diagnostic = PVW_ROLE_0009,
		.word = "declared absent",
		.uninvolved = 1 },
	/* 22, a property of the wrong length, is found while the tree is read */
	{ .name = "23 wraps",
		.claims = { { 0xfffffffffffff000, 0x2000, 0, 0 } },
		.count = 1,
		.diagnostic = PVW_ROLE_0002,
		.word = "0xfffffffffffff000" },
	{ .name = "24 vtl2's window",
		.claims = { { H_START, H_LEN, 0, 2 } },
		.count = 1,
		.vtl2 = HIGH_WINDOW },
	{ .name = "25 vtl2's window declared high",
		.claims = { { H_START, H_LEN, 2, 2 } },
		.count = 1,
		.diagnostic = PVW_ROLE_0003,
		.word = "for vtl 2" },
	{ .name = "26 both touch 4 GiB",
		.claims = { { L_START, L_LEN, 0, 0 }, { 0x100000000, 0x10000000, 0, 0 } },
		.count = 2,
		.low = LOW_WINDOW,
		.high = { 0x100000000, 0x110000000 },
		.low_source = ROLE_SOURCE_BY_ADDRESS,
		.high_source = ROLE_SOURCE_BY_ADDRESS },
	/* 27 and 28 cut the relay's aperture off the resolved window */
	{ .name = "29 high in pieces",
		.claims = { { L_START, L_LEN, 0, 0 }, { 0x100000000, 0x10000000, 0, 0 },
			{ H_START, H_LEN, 0, 0 } },
		.count = 3,
		.diagnostic = PVW_ROLE_0010,
		.word = "chipset-high: in pieces",
		.uninvolved = 1 },

	/* What goes wrong when positions stand for roles, and what is right. */
	{ .name = "b two low ranges, none becomes high",
		.claims = { { 0xe0000000, 0x1000000, 0, 0 }, { 0xf0000000, 0x10000000, 0, 0 } },
		.count = 2,
		.diagnostic = PVW_ROLE_0010,
		.word = "chipset-low" },
	{ .name = "c two high ranges, none becomes low",
		.claims = { { 0x100000000, 0x1000, 2, 0 }, { 0x100001000, 0x1000, 2, 0 } },
		.count = 2,
		.high = { 0x100000000, 0x100002000 },
		.high_source = ROLE_SOURCE_DECLARED },
	{ .name = "h more than two ranges",
		.claims = { { 0xc0000000, 0x1000000, 4, 0 }, { L_START, L_LEN, 1, 0 },
			{ H_START, H_LEN, 2, 0 }, { 0x270000000, 0x1000000, 4, 0 } },
		.count = 4,
		.ram = { 0x1000, 0xc0000000 },
		.low = LOW_WINDOW,
		.high = HIGH_WINDOW,
		.reserved = { 0xc0000000, 0xc1000000 }, /* the first of two */
		.low_source = ROLE_SOURCE_DECLARED,
		.high_source = ROLE_SOURCE_DECLARED },
	{ .name = "i vtl2 took the whole high window",
		.claims = { { L_START, L_LEN, 1, 0 }, { H_START, H_LEN, 3, 2 } },
		.count = 2,
		.low = LOW_WINDOW,
		.vtl2 = HIGH_WINDOW,
		.low_source = ROLE_SOURCE_DECLARED },
	{ .name = "i vtl2 took the end of the high window",
		.claims = { { L_START, L_LEN, 1, 0 }, { H_START, 0x10000000, 2, 0 },
			{ H_START + 0x10000000ull, 0x10000000, 3, 2 } },
		.count = 3,
		.low = LOW_WINDOW,
		.high = { 0x240000000, 0x250000000 },
		.vtl2 = { 0x250000000, 0x260000000 },
		.low_source = ROLE_SOURCE_DECLARED,
		.high_source = ROLE_SOURCE_DECLARED },
	{ .name = "j vtl2's window alone",
		.claims = { { 0xf0000000, 0x20000000, 0, 2 } },
		.count = 1,
		.vtl2 = { 0xf0000000, 0x110000000 } },

	/* The rest of the rules. */
	{ .name = "unaligned start",
		.claims = { { 0xf8000800, 0x1000, 0, 0 } },
		.count = 1,
		.diagnostic = PVW_ROLE_0002,
		.word = "0xf8000800" },
	{ .name = "unaligned length",
		.claims = { { 0xf8000000, 0x1001, 0, 0 } },
		.count = 1,
		.diagnostic = PVW_ROLE_0002,
		.word = "length 0x1001" },
	{ .name = "ends at 2^64",
		.claims = { { 0xfffffffffffff000, 0x1000, 0, 0 } },
		.count = 1,
		.diagnostic = PVW_ROLE_0002,
		.word = "2^64" },
	{ .name = "an empty range is judged by its numbers too",
		.claims = { { 0x10, 0, 0, 0 } },
		.count = 1,
		.diagnostic = PVW_ROLE_0002,
		.word = "0x10" },
	{ .name = "role 5 is one too many",
		.claims = { { L_START, L_LEN, 5, 0 } },
		.count = 1,
		.diagnostic = PVW_ROLE_0004,
		.word = "unknown" },
	{ .name = "vtl 1 has no mmio",
		.claims = { { L_START, L_LEN, 0, 1 } },
		.count = 1,
		.diagnostic = PVW_ROLE_0003,
		.word = "vtl 0 or 2" },
	{ .name = "reserved across 4 GiB",
		.claims = { { 0xf0000000, 0x20000000, 4, 0 } },
		.count = 1,
		.diagnostic = PVW_ROLE_0005,
		.word = "reserved" },
	{ .name = "reserved above 4 GiB",
		.claims = { { 0x100000000, 0x1000, 4, 0 } },
		.count = 1,
		.reserved = { 0x100000000, 0x100001000 } },
	{ .name = "declared absent",
		.claims = { { 0, 0, 2, 0 }, { L_START, L_LEN, 0, 0 }, { 0, 0, 1, 2 } },
		.count = 3,
		.low = LOW_WINDOW,
		.low_source = ROLE_SOURCE_BY_ADDRESS,
		.high_source = ROLE_SOURCE_DECLARED_ABSENT },
	{ .name = "low absent and present",
		.claims = { { L_START, L_LEN, 0, 0 }, { 0, 0, 1, 0 } },
		.count = 2,
		.diagnostic = PVW_ROLE_0009,
		.word = "chipset-low" },
	{ .name = "vtl2 inside low",
		.claims = { { L_START, L_LEN, 0, 0 }, { 0xf9000000, 0x1000, 0, 2 } },
		.count = 2,
		.diagnostic = PVW_ROLE_0007,
		.word = "0xf9000000" },
	{ .name = "one page into RAM",
		.claims = { { L_START, L_LEN, 0, 0 } },
		.count = 1,
		.ram = { 0xf7fff000, 0xf8001000 },
		.diagnostic = PVW_ROLE_0008,
		.word = "chipset-low" },
	{ .name = "RAM inside low",
		.claims = { { L_START, L_LEN, 0, 0 } },
		.count = 1,
		.ram = { 0xf9000000, 0xf9001000 },
		.diagnostic = PVW_ROLE_0008,
		.word = "node 7" },
	{ .name = "RAM touches low",
		.claims = { { L_START, L_LEN, 0, 0 } },
		.count = 1,
		.ram = { 0xf7fff000, 0xf8000000 },
		.low = LOW_WINDOW,
		.low_source = ROLE_SOURCE_BY_ADDRESS },
	{ .name = "vtl2's window in RAM",
		.claims = { { H_START, H_LEN, 0, 2 } },
		.count = 1,
		.ram = { 0x25ffff000, 0x260000000 },
		.diagnostic = PVW_ROLE_0008,
		.word = "vtl2-private" },
};

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

static const char *const places[] = { "dtb:/a", "dtb:/b", "dtb:/c", "dtb:/d" };

/* The vector's claims in the order that @order says; each keeps its place. */
static MmioClaimList ordered(const Vector *v, const size_t *order, MmioClaim *claims)
{
	for (size_t i = 0; i < v->count; i++) {
		const size_t from = order[i];

		claims[i] = (MmioClaim){ v->claims[from].start, v->claims[from].len,
			v->claims[from].vtl, v->claims[from].role, places[from] };
	}
	return (MmioClaimList){ claims, v->count };
}

static void assert_refused(const Vector *v, const Error *err)
{
	cr_assert_eq(err->diagnostic, v->diagnostic, "%s: %s, expected %s: %s", v->name,
		diagnostic_row(err->diagnostic)->name, diagnostic_row(v->diagnostic)->name,
		err->text);
	cr_assert(strstr(err->text, v->word), "%s: \"%s\" lacks \"%s\"", v->name, err->text,
		v->word);
	for (size_t i = 0; i < v->count; i++) {
		const bool named = strstr(err->text, places[i]) != NULL;

		cr_assert_eq(named, (v->uninvolved >> i & 1) == 0,
			"%s: \"%s\" and the place %s", v->name, err->text, places[i]);
	}
}

static void assert_only(const Vector *v, MemoryRangeList list, MemoryRange range, size_t count)
{
	if (memory_range_is_empty(range)) {
		cr_assert_eq(list.count, 0, "%s", v->name);
		return;
	}
	cr_assert_eq(list.count, count, "%s: %zu", v->name, list.count);
	cr_assert(memory_range_equal(list.items[0], range), "%s", v->name);
}

static void assert_ranges(const Vector *v, const ChipsetMmioRanges *got)
{
	size_t reserved = 0;

	for (size_t i = 0; i < v->count; i++)
		reserved += v->claims[i].role == MMIO_ROLE_RESERVED;
	cr_assert(memory_range_equal(got->low, v->low), "%s: low 0x%lx-0x%lx", v->name,
		got->low.start, got->low.end);
	cr_assert(memory_range_equal(got->high, v->high), "%s: high 0x%lx-0x%lx", v->name,
		got->high.start, got->high.end);
	assert_only(v, got->vtl2, v->vtl2, 1);
	assert_only(v, got->reserved, v->reserved, reserved);
	cr_assert_eq(got->low_source, v->low_source, "%s: low %s", v->name,
		role_source_name(got->low_source));
	cr_assert_eq(got->high_source, v->high_source, "%s: high %s", v->name,
		role_source_name(got->high_source));
}

static void run_vector(const Vector *v, const size_t *order)
{
	const MapEntry ram = { v->ram, MEMORY_TYPE_VTL0, IGVM_MEMORY, 7 };
	const MapEntryList map = { &ram, memory_range_is_empty(v->ram) ? 0 : 1 };
	const ChipsetMmioRanges untouched = { .low = { 1, 2 } };
	ChipsetMmioRanges got = untouched;
	Arena *arena = arena_new(1 << 20);
	MmioClaim claims[MAX_CLAIMS];
	Error err = { 0 };
	bool ok = chipset_mmio_resolve(ordered(v, order, claims), map, arena, &got, &err);

	if (v->diagnostic) {
		cr_assert_not(ok, "%s: accepted", v->name);
		cr_assert_eq(memcmp(&got, &untouched, sizeof(got)), 0, "%s: touched", v->name);
		assert_refused(v, &err);
	} else {
		cr_assert(ok, "%s: %s", v->name, err.text);
		assert_ranges(v, &got);
	}
	arena_free(arena);
}

Test(chipset_mmio, every_vector_holds_in_every_order)
{
	uint32_t random = 1;

	for (size_t v = 0; v < ARRAY_COUNT(vectors); v++) {
		size_t order[MAX_CLAIMS] = { 0, 1, 2, 3 };
		const size_t count = vectors[v].count;

		run_vector(&vectors[v], order);
		for (size_t i = 0; i < count; i++)
			order[i] = count - 1 - i;
		run_vector(&vectors[v], order);
		for (size_t shuffle = 0; shuffle < 24; shuffle++) {
			for (size_t i = count; i > 1; i--) {
				const size_t j = next_random(&random) % i, swap = order[i - 1];

				order[i - 1] = order[j];
				order[j] = swap;
			}
			run_vector(&vectors[v], order);
		}
	}
}

static const Vector *vector_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(vectors); i++) {
		if (strcmp(vectors[i].name, name) == 0)
			return &vectors[i];
	}
	cr_assert_fail("no vector %s", name);
	return NULL;
}

static void resolve_vector(const char *name, Error *err)
{
	const size_t order[MAX_CLAIMS] = { 0, 1, 2, 3 };
	Arena *arena = arena_new(1 << 20);
	MmioClaim claims[MAX_CLAIMS];
	ChipsetMmioRanges got;

	cr_assert_not(chipset_mmio_resolve(ordered(vector_named(name), order, claims),
		(MapEntryList){ NULL, 0 }, arena, &got, err));
	arena_free(arena);
}

Test(chipset_mmio, a_window_in_pieces_names_each_place_and_range)
{
	Error err = { 0 };

	resolve_vector("29 high in pieces", &err);
	cr_assert_str_eq(err.text,
		"chipset-high: in pieces that do not touch, expected one range: "
		"dtb:/b 0x100000000-0x110000000, dtb:/c 0x240000000-0x260000000");
}

Test(chipset_mmio, an_overlap_names_both)
{
	Error err = { 0 };

	resolve_vector("18 reserved inside low", &err);
	cr_assert_str_eq(err.text,
		"mmio ranges overlap, expected them apart: dtb:/a 0xf8000000-0x100000000, "
		"dtb:/b 0xff000000-0x100000000");
}

Test(chipset_mmio, a_contradiction_names_the_absence_and_the_range)
{
	Error err = { 0 };

	resolve_vector("21 high absent and present", &err);
	cr_assert_str_eq(err.text,
		"chipset-high declared absent by dtb:/b (0x0, length 0): "
		"but present, expected no range: dtb:/c 0x240000000-0x260000000");
}

Test(chipset_mmio, an_error_about_one_claim_has_its_place_as_source)
{
	Error err = { 0 };

	resolve_vector("17 unknown role", &err);
	cr_assert_str_eq(err.source, "dtb:/a");
	cr_assert_eq(err.code, ERROR_BAD_VALUE);
}

/* More pieces than the text of an error holds: as many as fit, and the number of the others. */
Test(chipset_mmio, many_pieces_are_counted)
{
	enum { COUNT = 64 };
	MmioClaim claims[COUNT];
	Arena *arena = arena_new(1 << 20);
	ChipsetMmioRanges got;
	Error err = { 0 };

	for (size_t i = 0; i < COUNT; i++)
		claims[i] = (MmioClaim){ 0x100000000 + i * 0x2000, 0x1000, 0, 0,
			"dtb:/openhcl/memory@something" };
	cr_assert_not(chipset_mmio_resolve((MmioClaimList){ claims, COUNT },
		(MapEntryList){ NULL, 0 }, arena, &got, &err));
	cr_assert_eq(err.diagnostic, PVW_ROLE_0010);
	cr_assert(strstr(err.text, "0x100000000-0x100001000"));
	cr_assert(strstr(err.text, " more"), "%s", err.text);
	cr_assert_lt(strlen(err.text), (size_t)ERROR_TEXT_SIZE - 1);
	arena_free(arena);
}

Test(chipset_mmio, a_claim_without_a_place_is_refused_without_a_crash)
{
	const MmioClaim claim = { 0x1, 0x1000, 0, 0, NULL };
	Arena *arena = arena_new(1 << 20);
	ChipsetMmioRanges got;
	Error err = { 0 };

	cr_assert_not(chipset_mmio_resolve(
		(MmioClaimList){ &claim, 1 }, (MapEntryList){ NULL, 0 }, arena, &got, &err));
	cr_assert(strstr(err.text, "unnamed"));
	arena_free(arena);
}

Test(chipset_mmio, says_when_memory_runs_out)
{
	const MmioClaim claim = { L_START, L_LEN, 0, 0, "dtb:/a" };
	ChipsetMmioRanges got;
	bool ok = false;

	for (size_t limit = 0; limit < 1024 && !ok; limit += 8) {
		Arena *arena = arena_new(limit);
		Error err = { 0 };

		ok = chipset_mmio_resolve((MmioClaimList){ &claim, 1 },
			(MapEntryList){ NULL, 0 }, arena, &got, &err);
		if (!ok)
			cr_assert_eq(err.diagnostic, PVW_MEM_0001);
		arena_free(arena);
	}
	cr_assert(ok);
}

/* Many pieces of RAM and of MMIO side by side; then one page too many, anywhere. */
Test(chipset_mmio, finds_the_one_overlap_with_ram)
{
	enum { COUNT = 200 };
	static MapEntry map[COUNT];
	static MmioClaim claims[COUNT];
	Arena *arena = arena_new(1 << 20);
	ChipsetMmioRanges got;
	Error err = { 0 };

	for (size_t i = 0; i < COUNT; i++) {
		map[i] = (MapEntry){ { 0x10000 + i * 0x4000, 0x12000 + i * 0x4000 },
			MEMORY_TYPE_VTL2_RAM, 0, 0 };
		claims[i] = (MmioClaim){ 0x12000 + i * 0x4000, 0x2000, 0, MMIO_ROLE_RESERVED,
			"dtb:/r" };
	}
	cr_assert(chipset_mmio_resolve((MmioClaimList){ claims, COUNT },
		(MapEntryList){ map, COUNT }, arena, &got, &err));
	cr_assert_eq(got.reserved.count, COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		map[i].range.end += 0x1000;
		cr_assert_not(chipset_mmio_resolve((MmioClaimList){ claims, COUNT },
			(MapEntryList){ map, COUNT }, arena, &got, &err));
		cr_assert_eq(err.diagnostic, PVW_ROLE_0008);
		map[i].range.end -= 0x1000;
		arena_reset(arena);
	}
	arena_free(arena);
}

/* --- against a plain reading of the rules, pair by pair --- */

/* Pages around 4 GiB, so that everything that can go wrong does. */
static MmioClaim random_claim(uint32_t *random)
{
	MmioClaim claim = {
		.start = FOUR_GIB - 12 * PAGE_SIZE + next_random(random) % 24 * PAGE_SIZE,
		.len = next_random(random) % 5 * PAGE_SIZE,
		.vtl = next_random(random) % 5 ? 0 : 2,
		.role = next_random(random) % 3 ? next_random(random) % 3 : 4,
		.place = "x",
	};

	if (next_random(random) % 60 == 0)
		claim.role = next_random(random) % 7;
	if (next_random(random) % 60 == 0)
		claim.start += 1;
	if (claim.vtl == 2 && next_random(random) % 8)
		claim.role = 0;
	return claim;
}

static uint64_t claim_end(MmioClaim c)
{
	return c.start + c.len;
}

/* The role that step 3 gives, or the diagnostic that it ends with. */
static uint32_t plain_role(MmioClaim c, uint16_t *diagnostic)
{
	*diagnostic = PVW_NONE;
	if (c.vtl == 2) {
		if (c.role == 1 || c.role == 2 || c.role > 3)
			*diagnostic = PVW_ROLE_0003;
		return 3;
	}
	if (c.role == 3)
		*diagnostic = PVW_ROLE_0003;
	if (c.role > 4)
		*diagnostic = PVW_ROLE_0004;
	if (c.role != 0)
		return c.role;
	if (c.start < FOUR_GIB && claim_end(c) > FOUR_GIB)
		*diagnostic = PVW_ROLE_0005;
	return claim_end(c) <= FOUR_GIB ? 1 : 2;
}

/* Windows of a role that remain when what touches is one, by their number. */
static size_t plain_pieces(const MmioClaim *claims, size_t count, uint32_t role)
{
	size_t pieces = 0;
	uint16_t ignored;

	for (size_t i = 0; i < count; i++) {
		bool continues = false;

		if (!claims[i].len || plain_role(claims[i], &ignored) != role)
			continue;
		for (size_t j = 0; j < count; j++)
			continues |= claims[j].len && plain_role(claims[j], &ignored) == role &&
				claim_end(claims[j]) == claims[i].start;
		pieces += !continues;
	}
	return pieces;
}

/* What the rules say, step by step: a bit for each diagnostic of the first step that fails. */
static uint32_t plain_verdict(const MmioClaim *claims, size_t count)
{
	uint32_t bits = 0;
	uint16_t diagnostic;
#define BIT(d) (UINT32_C(1) << ((d)-PVW_ROLE_0001))

	for (size_t i = 0; i < count; i++)
		bits |= claims[i].start % PAGE_SIZE ? BIT(PVW_ROLE_0002) : 0;
	for (size_t i = 0; i < count && !bits; i++) {
		for (size_t j = 0; j < count; j++) {
			plain_role(claims[j], &diagnostic);
			bits |= claims[j].len && diagnostic ? BIT(diagnostic) : 0;
		}
	}
	if (bits)
		return bits;
	for (size_t i = 0; i < count; i++) {
		const uint32_t role = plain_role(claims[i], &diagnostic);
		const bool below =
			claims[i].start<FOUR_GIB, above = claim_end(claims[i])> FOUR_GIB;

		if (claims[i].len && ((role == 1 && above) || (role == 2 && below)))
			bits |= BIT(PVW_ROLE_0006);
		if (claims[i].len && role == 4 && below && above)
			bits |= BIT(PVW_ROLE_0005);
	}
	for (size_t i = 0; i < count && !bits; i++) {
		for (size_t j = 0; j < count; j++) {
			if (i != j && claims[i].len && claims[j].len &&
				claims[i].start < claim_end(claims[j]) &&
				claims[j].start < claim_end(claims[i]))
				return BIT(PVW_ROLE_0007);
		}
	}
	for (size_t i = 0; i < count && !bits; i++) {
		const uint32_t role = claims[i].role;

		if (!claims[i].len && !claims[i].vtl && (role == 1 || role == 2) &&
			plain_pieces(claims, count, role))
			return BIT(PVW_ROLE_0009);
	}
	if (!bits && (plain_pieces(claims, count, 1) > 1 || plain_pieces(claims, count, 2) > 1))
		return BIT(PVW_ROLE_0010);
	return bits;
}

Test(chipset_mmio, agrees_with_a_plain_reading_of_the_rules)
{
	Arena *arena = arena_new(1 << 20);
	uint32_t random = 7, seen = 0;
	size_t accepted = 0;

	for (int round = 0; round < 200000; round++) {
		MmioClaim claims[5];
		const size_t count = next_random(&random) % 6;
		ChipsetMmioRanges got;
		Error err = { 0 };

		for (size_t i = 0; i < count; i++)
			claims[i] = random_claim(&random);
		const uint32_t verdict = plain_verdict(claims, count);
		const bool ok = chipset_mmio_resolve((MmioClaimList){ claims, count },
			(MapEntryList){ NULL, 0 }, arena, &got, &err);

		cr_assert_eq(ok, verdict == 0, "round %d: %s", round, err.text);
		accepted += ok;
		if (!ok) {
			cr_assert(
				verdict & BIT(err.diagnostic), "round %d: %s", round, err.text);
			seen |= BIT(err.diagnostic);
		} else {
			cr_assert_eq(got.vtl2.count, plain_pieces(claims, count, 3));
			cr_assert_eq(got.reserved.count, plain_pieces(claims, count, 4));
			cr_assert_eq(!memory_range_is_empty(got.low),
				plain_pieces(claims, count, 1) == 1);
			cr_assert_eq(!memory_range_is_empty(got.high),
				plain_pieces(claims, count, 2) == 1);
		}
		arena_reset(arena);
	}
	/* All of them happened but the wrong count and the overlap with RAM. */
	cr_assert_eq(seen, 0x3ff & ~BIT(PVW_ROLE_0001) & ~BIT(PVW_ROLE_0008), "0x%x", seen);
	cr_assert_gt(accepted, (size_t)1000);
	arena_free(arena);
}

Test(chipset_mmio, names_roles_and_sources)
{
	cr_assert_str_eq(mmio_role_name(MMIO_ROLE_CHIPSET_LOW), "chipset-low");
	cr_assert_str_eq(mmio_role_name(99), "unknown");
	cr_assert_str_eq(role_source_name(ROLE_SOURCE_DECLARED_ABSENT), "declared absent");
	cr_assert_str_eq(role_source_name((RoleSource)99), "unknown");
}
