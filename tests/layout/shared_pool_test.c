#include <criterion/criterion.h>
#include <string.h>

#include "layout/shared_pool.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)

static Arena *arena;
static Error err;

static void begin(void)
{
	arena = arena_new(1 << 20);
	err = (Error){ 0 };
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(shared_pool, .init = begin, .fini = end);

Test(shared_pool, size_is_as_tabled)
{
	static const struct {
		uint32_t processors;
		uint64_t vbs, tdx, snp; /* MiB */
	} rows[] = {
		{ 1, 6, 6, 6 },
		{ 2, 10, 10, 10 },
		{ 4, 20, 20, 20 },
		{ 8, 38, 38, 38 },
		{ 16, 76, 76, 76 },
		{ 32, 152, 152, 152 },
		{ 64, 282, 282, 282 },
		{ 128, 542, 544, 544 },
		{ 256, 542, 544, 546 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const uint32_t n = rows[i].processors;

		cr_assert_eq(shared_pool_size(ISOLATION_VBS, n), rows[i].vbs * MIB, "%u", n);
		cr_assert_eq(shared_pool_size(ISOLATION_TDX, n), rows[i].tdx * MIB, "%u", n);
		cr_assert_eq(shared_pool_size(ISOLATION_SNP, n), rows[i].snp * MIB, "%u", n);
		cr_assert_eq(shared_pool_size(ISOLATION_NONE, n), 0);
	}
}

Test(shared_pool, size_does_not_wrap)
{
	cr_assert_gt(shared_pool_size(ISOLATION_SNP, UINT32_MAX), UINT64_C(3) << 43);
}

#define RAM(s, e, node, type)                                                                  \
	{                                                                                      \
		LAYOUT_RAM, { s, e }, node, type, "ram"                                        \
	}

static const LayoutRecord ram[] = {
	RAM(0x0, 0x10000, 0, IGVM_MEMORY),
	RAM(0x10000, 0x20000, 0, IGVM_VTL2_PROTECTABLE),
	RAM(0x20000, 0x30000, 1, IGVM_MEMORY),
	RAM(0x30000, 0x40000, 1, IGVM_PLATFORM_RESERVED),
	RAM(0x50000, 0x58000, 2, IGVM_MEMORY),
};

static void take(uint64_t size, LayoutRecordList *rest, NodeRangeList *pool)
{
	cr_assert(shared_pool_take((LayoutRecordList){ ram, ARRAY_COUNT(ram) }, size, arena,
			  rest, pool, &err),
		"%s", err.text);
}

Test(shared_pool, takes_the_top_of_the_last_range)
{
	LayoutRecordList rest;
	NodeRangeList pool;

	take(0x3000, &rest, &pool);
	cr_assert_eq(pool.count, 1);
	cr_assert_eq(pool.items[0].range.start, 0x55000);
	cr_assert_eq(pool.items[0].range.end, 0x58000);
	cr_assert_eq(pool.items[0].vnode, 2);
	cr_assert_eq(rest.count, 5);
	cr_assert_eq(rest.items[4].range.end, 0x55000);
}

Test(shared_pool, a_range_taken_whole_is_gone)
{
	LayoutRecordList rest;
	NodeRangeList pool;

	take(0x8000, &rest, &pool);
	cr_assert_eq(pool.count, 1);
	cr_assert_eq(rest.count, 4);
	cr_assert_eq(rest.items[3].range.end, 0x40000);
}

Test(shared_pool, skips_what_is_not_ordinary_and_comes_out_ascending)
{
	LayoutRecordList rest;
	NodeRangeList pool;

	take(0x8000 + 0x10000 + 0x1000, &rest, &pool);
	cr_assert_eq(pool.count, 3);
	cr_assert_eq(pool.items[0].range.start, 0xf000);
	cr_assert_eq(pool.items[0].range.end, 0x10000);
	cr_assert_eq(pool.items[0].vnode, 0);
	cr_assert_eq(pool.items[1].range.start, 0x20000);
	cr_assert_eq(pool.items[1].vnode, 1);
	cr_assert_eq(pool.items[2].range.start, 0x50000);
	cr_assert_eq(rest.count, 3);
	cr_assert_eq(rest.items[0].range.end, 0xf000);
	cr_assert_eq(rest.items[1].igvm_type, IGVM_VTL2_PROTECTABLE);
	cr_assert_eq(rest.items[2].igvm_type, IGVM_PLATFORM_RESERVED);
}

Test(shared_pool, takes_all_there_is_but_no_more)
{
	LayoutRecordList rest = { ram, 77 };
	NodeRangeList pool = { NULL, 77 };

	take(0x28000, &rest, &pool);
	cr_assert_eq(rest.count, 2);
	cr_assert_eq(pool.count, 3);

	rest.count = pool.count = 77;
	cr_assert_not(shared_pool_take((LayoutRecordList){ ram, ARRAY_COUNT(ram) }, 0x29000,
		arena, &rest, &pool, &err));
	cr_assert_eq(err.diagnostic, PVW_LAYOUT_0006);
	cr_assert(strstr(err.text, "0x29000 bytes, but only 0x28000"), "%s", err.text);
	cr_assert_eq(rest.count, 77);
	cr_assert_eq(pool.count, 77);
}

Test(shared_pool, nothing_is_taken_for_nothing)
{
	LayoutRecordList rest;
	NodeRangeList pool;

	take(0, &rest, &pool);
	cr_assert_eq(pool.count, 0);
	cr_assert_eq(rest.count, ARRAY_COUNT(ram));
}

Test(shared_pool, wants_whole_pages)
{
	LayoutRecordList rest;
	NodeRangeList pool;

	cr_assert_not(shared_pool_take((LayoutRecordList){ ram, ARRAY_COUNT(ram) }, 0x1800,
		arena, &rest, &pool, &err));
	cr_assert_eq(err.diagnostic, PVW_LAYOUT_0007);
	cr_assert(strstr(err.text, "0x1800"));
}
