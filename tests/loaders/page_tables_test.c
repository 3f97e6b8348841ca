/*
 * Page tables are judged by walking them as a processor does. [SDM3] 4.5, tables 4-15 to 4-19
 */
#include "loaders/page_tables.h"

#include <criterion/criterion.h>
#include <string.h>

#include "support/diagnostics.h"
#include "support/memory_range.h"

static Arena *arena;

static void make_arena(void)
{
	arena = arena_new(1 << 20);
	cr_assert_not_null(arena);
}

static void drop_arena(void)
{
	arena_free(arena);
}

TestSuite(page_tables, .init = make_arena, .fini = drop_arena);

/* A processor's view of memory in which only the tables exist. */
typedef struct Walker {
	Bytes tables;
	uint64_t cr3;
	uint64_t encrypted; /* address bit that is no address, 0 = none */
} Walker;

static bool load(const Walker *w, uint64_t table, uint64_t index, uint64_t *entry)
{
	const uint64_t at = table + 8 * index;

	if (at < w->cr3 || at + 8 > w->cr3 + w->tables.len)
		return false;
	memcpy(entry, w->tables.data + (at - w->cr3), 8);
	return true;
}

/* Four levels at most; false is a page fault or a reserved bit. */
static bool walk(const Walker *w, uint64_t address, uint64_t *physical)
{
	const uint64_t address_bits = ((UINT64_C(1) << 52) - 1) & ~w->encrypted;
	uint64_t table = w->cr3;

	for (int shift = 39; shift >= 12; shift -= 9) {
		uint64_t entry, page = (UINT64_C(1) << shift) - 1;

		if (!load(w, table, address >> shift & 511, &entry) || !(entry & 1))
			return false;
		cr_assert_eq(entry & w->encrypted, w->encrypted, "not encrypted");
		cr_assert(entry & 2, "not writable");
		cr_assert(entry & 0x20, "not accessed");
		cr_assert_eq(entry >> 52, 0, "a reserved or no-execute bit");
		if (shift <= 30 && (entry & 0x80)) {
			cr_assert(entry & 0x40, "a leaf that is not dirty");
			cr_assert_eq(entry & address_bits & page & ~UINT64_C(0xfff), 0,
				"a large page is not aligned");
			*physical = (entry & address_bits & ~page) | (address & page);
			return true;
		}
		table = entry & address_bits & ~UINT64_C(0xfff);
	}
	return false;
}

static Walker build(uint64_t gpa, uint8_t c_bit)
{
	Walker w = { .cr3 = gpa, .encrypted = c_bit ? UINT64_C(1) << c_bit : 0 };
	Error err;

	cr_assert(
		page_tables_build_identity(gpa, c_bit, arena, &w.tables, &err), "%s", err.text);
	cr_assert_eq(w.tables.len, 6 * 4096);
	return w;
}

static void check_identity(const Walker *w)
{
	uint64_t physical;

	for (uint64_t at = 0; at < FOUR_GIB; at += 0x200000) {
		cr_assert(walk(w, at, &physical), "0x%lx is not mapped", at);
		cr_assert_eq(physical, at);
		cr_assert(walk(w, at + 0x1fffff, &physical));
		cr_assert_eq(physical, at + 0x1fffff);
	}
}

Test(page_tables, map_every_address_below_4_gib_to_itself)
{
	const Walker low = build(0x4000, 0), high = build(UINT64_C(0x12345678000), 0);

	check_identity(&low);
	check_identity(&high);
}

Test(page_tables, map_nothing_from_4_gib_on)
{
	const Walker w = build(0x4000, 0);
	uint64_t physical;

	cr_assert_not(walk(&w, FOUR_GIB, &physical));
	cr_assert_not(walk(&w, UINT64_C(1) << 38, &physical));
	cr_assert_not(walk(&w, UINT64_C(1) << 39, &physical));
	cr_assert_not(walk(&w, UINT64_C(0x7fffffffffff), &physical));
	cr_assert_not(walk(&w, UINT64_C(0xffffffff80000000), &physical));
}

Test(page_tables, mark_every_level_as_encrypted)
{
	static const uint8_t bits[] = { 32, 39, 43, 47, 51 };

	for (size_t i = 0; i < ARRAY_COUNT(bits); i++) {
		const Walker w = build(0x4000, bits[i]);

		check_identity(&w);
	}
}

Test(page_tables, leave_absent_entries_zero)
{
	const Walker w = build(0x4000, 51);
	size_t present = 0;

	for (size_t i = 0; i < w.tables.len; i += 8) {
		uint64_t entry;

		memcpy(&entry, w.tables.data + i, 8);
		present += entry != 0;
	}
	cr_assert_eq(present, 1 + 4 + 2048);
}

/* An arena hands out again what others wrote into. */
Test(page_tables, leave_nothing_of_what_was_there_before)
{
	const Walker fresh = build(0x4000, 0);
	static uint8_t copy[6 * 4096];
	void *dirt;
	Error err;

	memcpy(copy, fresh.tables.data, sizeof(copy));
	arena_reset(arena);
	dirt = arena_reserve(arena, 2 * sizeof(copy), 16, &err);
	cr_assert_not_null(dirt);
	memset(dirt, 0xff, 2 * sizeof(copy));
	arena_reset(arena);

	cr_assert_eq(memcmp(build(0x4000, 0).tables.data, copy, sizeof(copy)), 0);
}

Test(page_tables, refuse_a_bit_that_cannot_mean_encryption)
{
	static const uint8_t bits[] = { 1, 12, 31, 52, 63, 64, 255 };
	const Bytes untouched = { (const uint8_t *)"x", 1 };

	for (size_t i = 0; i < ARRAY_COUNT(bits); i++) {
		Bytes out = untouched;
		Error err;

		cr_assert_not(page_tables_build_identity(0x4000, bits[i], arena, &out, &err));
		cr_assert_eq(err.diagnostic, PVW_LINUX_0001);
		cr_assert_not_null(strstr(err.text, "encryption bit"));
		cr_assert_eq(out.data, untouched.data);
	}
}

Test(page_tables, refuse_a_place_that_no_entry_can_name)
{
	static const struct {
		uint64_t gpa;
		uint8_t c_bit;
	} bad[] = {
		{ 0x4001, 0 },
		{ 0x4800, 0 },
		{ (UINT64_C(1) << 52) - 5 * 4096, 0 },
		{ UINT64_C(0xfffffffffffff000), 0 },
		{ (UINT64_C(1) << 39) - 5 * 4096, 39 },
		{ UINT64_C(1) << 40, 39 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		Bytes out = { 0 };
		Error err;

		cr_assert_not(page_tables_build_identity(
			bad[i].gpa, bad[i].c_bit, arena, &out, &err));
		cr_assert_eq(err.diagnostic, PVW_LINUX_0002);
		cr_assert_not_null(strstr(err.text, "multiple of"));
		cr_assert_null(out.data);
	}
}

Test(page_tables, take_the_last_place_there_is)
{
	const Walker plain = build((UINT64_C(1) << 52) - 6 * 4096, 0);
	const Walker encrypted = build((UINT64_C(1) << 39) - 6 * 4096, 39);

	check_identity(&plain);
	check_identity(&encrypted);
}

Test(page_tables, say_when_the_arena_is_full)
{
	Arena *small = arena_new(4096);
	Bytes out = { 0 };
	Error err;

	cr_assert_not(page_tables_build_identity(0x4000, 0, small, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	cr_assert_null(out.data);
	arena_free(small);
}
