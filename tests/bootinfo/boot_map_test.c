#include <criterion/criterion.h>
#include <string.h>

#include "bootinfo/boot_map.h"
#include "support/diagnostics.h"

static Arena *arena;
static Error err;

static void setup(void)
{
	arena = arena_new(1 << 20);
	err = (Error){ 0 };
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(boot_map, .init = setup, .fini = teardown);

static const HostMemory ram[] = {
	{ { 0x1000, 0x5000 }, IGVM_MEMORY, 0 },
	{ { 0x5000, 0x9000 }, IGVM_VTL2_PROTECTABLE, 1 },
	{ { 0xa000, 0xb000 }, IGVM_MEMORY, 2 },
};
static const HostMemoryList partition = { ram, ARRAY_COUNT(ram) };

/*
 *	RAM   [ 0x1000 node 0      0x5000 )[ node 1       0x9000 )  [ node 2 )
 *	VTL2                [ 0x4000 config        0x7000 )[ RAM  )
 */
Test(boot_map, cuts_ram_where_its_use_changes)
{
	static const Vtl2Use uses[] = {
		{ { 0x4000, 0x6000 }, MEMORY_TYPE_VTL2_CONFIG },
		{ { 0x6000, 0x7000 }, MEMORY_TYPE_VTL2_CONFIG },
		{ { 0x7000, 0x9000 }, MEMORY_TYPE_VTL2_RAM },
	};
	static const MapEntry expected[] = {
		{ { 0x1000, 0x4000 }, MEMORY_TYPE_VTL0, IGVM_MEMORY, 0 },
		{ { 0x4000, 0x5000 }, MEMORY_TYPE_VTL2_CONFIG, IGVM_MEMORY, 0 },
		{ { 0x5000, 0x7000 }, MEMORY_TYPE_VTL2_CONFIG, IGVM_VTL2_PROTECTABLE, 1 },
		{ { 0x7000, 0x9000 }, MEMORY_TYPE_VTL2_RAM, IGVM_VTL2_PROTECTABLE, 1 },
		{ { 0xa000, 0xb000 }, MEMORY_TYPE_VTL0, IGVM_MEMORY, 2 },
	};
	MapEntryList map;

	cr_assert(boot_map_compose(
		partition, (Vtl2UseList){ uses, ARRAY_COUNT(uses) }, arena, &map, &err));

	cr_assert_eq(map.count, ARRAY_COUNT(expected));
	for (size_t i = 0; i < map.count; i++) {
		cr_assert(memory_range_equal(map.items[i].range, expected[i].range), "%zu", i);
		cr_assert_eq(map.items[i].type, expected[i].type, "%zu", i);
		cr_assert_eq(map.items[i].igvm_type, expected[i].igvm_type, "%zu", i);
		cr_assert_eq(map.items[i].vnode, expected[i].vnode, "%zu", i);
	}
}

/* One use over a border of nodes is one reservation. */
Test(boot_map, reserves_uses_not_pieces)
{
	static const Vtl2Use uses[] = {
		{ { 0x4000, 0x7000 }, MEMORY_TYPE_VTL2_CONFIG },
		{ { 0x7000, 0x8000 }, MEMORY_TYPE_VTL2_GPA_POOL },
		{ { 0x8000, 0x9000 }, MEMORY_TYPE_VTL2_RAM },
	};
	MemoryRangeList reserved;
	MapEntryList map;

	cr_assert(boot_map_compose(
		partition, (Vtl2UseList){ uses, ARRAY_COUNT(uses) }, arena, &map, &err));
	cr_assert(boot_map_reserved(map, arena, &reserved, &err));

	cr_assert_eq(reserved.count, 2);
	cr_assert(memory_range_equal(reserved.items[0], (MemoryRange){ 0x4000, 0x7000 }));
	cr_assert(memory_range_equal(reserved.items[1], (MemoryRange){ 0x7000, 0x8000 }));
}

static void expect_refused(
	const Vtl2Use *uses, size_t count, uint16_t diagnostic, const char *word)
{
	MapEntryList map = { NULL, 99 };

	cr_assert_not(
		boot_map_compose(partition, (Vtl2UseList){ uses, count }, arena, &map, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(map.count, 99);
}

Test(boot_map, refuses_a_use_where_there_is_no_ram)
{
	static const Vtl2Use hole[] = { { { 0x8000, 0xb000 }, MEMORY_TYPE_VTL2_RAM } };
	static const Vtl2Use above[] = { { { 0xb000, 0xc000 }, MEMORY_TYPE_VTL2_CONFIG } };

	expect_refused(hole, 1, PVW_TREE_0008, "no RAM at 0x9000-0xa000");
	expect_refused(above, 1, PVW_TREE_0008, "VTL2 config");
}

Test(boot_map, refuses_uses_that_overlap)
{
	static const Vtl2Use uses[] = { { { 0x5000, 0x7000 }, MEMORY_TYPE_VTL2_RAM },
		{ { 0x6000, 0x8000 }, MEMORY_TYPE_VTL2_CONFIG } };

	expect_refused(uses, 2, PVW_RANGE_0005, "0x6000");
}
