/*
 * The kernel's memory map against what a guest may rely on: nothing overlaps, nothing of RAM is
 * lost or invented, and the areas below 1 MiB are not handed out.
 */
#include "loaders/linux_e820.h"

#include <asm/bootparam.h>
#include <criterion/criterion.h>
#include <string.h>

#include "bootinfo/boot_info.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)

static LayoutRecord ram(uint64_t start, uint64_t end)
{
	return (LayoutRecord){ .kind = LAYOUT_RAM, .range = { start, end }, .tag = "ram" };
}

static LayoutRecordList list(const LayoutRecord *items, size_t count)
{
	return (LayoutRecordList){ items, count };
}

/* Read as the kernel does: its own header says where what lies. */
typedef struct Map {
	struct boot_e820_entry entries[E820_MAX_ENTRIES_ZEROPAGE];
	size_t count;
} Map;

static Map build(LayoutRecordList records, LinuxLowMap low)
{
	LinuxE820Entry entries[LINUX_E820_MAX_ENTRIES];
	Map map = { 0 };
	Error err;

	cr_assert(linux_e820_build(records, &low, entries, &map.count, &err), "%s", err.text);
	cr_assert_leq(map.count, (size_t)E820_MAX_ENTRIES_ZEROPAGE);
	memcpy(map.entries, entries, map.count * sizeof(entries[0]));
	for (size_t i = 1; i < map.count; i++)
		cr_assert_leq(map.entries[i - 1].addr + map.entries[i - 1].size,
			map.entries[i].addr, "entries %zu and %zu overlap", i - 1, i);
	for (size_t i = 0; i < map.count; i++)
		cr_assert_gt(map.entries[i].size, 0u, "entry %zu is empty", i);
	return map;
}

static void check_entry(const Map *map, size_t i, uint64_t start, uint64_t end, uint32_t type)
{
	cr_assert_lt(i, map->count);
	cr_assert_eq(map->entries[i].addr, start, "entry %zu: 0x%llx", i,
		(unsigned long long)map->entries[i].addr);
	cr_assert_eq(map->entries[i].addr + map->entries[i].size, end, "entry %zu", i);
	cr_assert_eq(map->entries[i].type, type, "entry %zu", i);
}

static const LinuxLowMap plain = { 0x1a000, 0x1b000, 0x1b000 };

Test(linux_e820, has_seven_entries_for_the_first_range_at_most)
{
	const LayoutRecord records[] = { ram(0, 64 * MIB) };
	const Map map = build(list(records, 1), (LinuxLowMap){ 0x1a000, 0x1b000, 0x20000 });

	cr_assert_eq(map.count, 7u);
	check_entry(&map, 0, 0, 0x19000, 1);
	check_entry(&map, 1, 0x19000, 0x1a000, 3);
	check_entry(&map, 2, 0x1a000, 0x1b000, 2);
	check_entry(&map, 3, 0x1b000, 0x20000, 2);
	check_entry(&map, 4, 0x20000, 0xe0000, 1);
	check_entry(&map, 5, 0xe0000, 0x100000, 2);
	check_entry(&map, 6, 0x100000, 64 * MIB, 1);
}

Test(linux_e820, leaves_out_what_is_not_there)
{
	const LayoutRecord records[] = { ram(0, MIB) };
	const Map map = build(list(records, 1), (LinuxLowMap){ 0xe0000, 0xe0000, 0xe0000 });

	cr_assert_eq(map.count, 3u);
	check_entry(&map, 0, 0, 0x19000, 1);
	check_entry(&map, 1, 0x19000, 0xe0000, 3);
	check_entry(&map, 2, 0xe0000, 0x100000, 2);
}

Test(linux_e820, keeps_neighbours_apart)
{
	LayoutRecord records[] = { ram(0, 2 * MIB), ram(2 * MIB, 4 * MIB),
		ram(4 * MIB, 6 * MIB) };

	records[1].vnode = 1;
	const Map map = build(list(records, 3), plain);

	cr_assert_eq(map.count, 8u);
	check_entry(&map, 5, MIB, 2 * MIB, 1);
	check_entry(&map, 6, 2 * MIB, 4 * MIB, 1);
	check_entry(&map, 7, 4 * MIB, 6 * MIB, 1);
}

Test(linux_e820, covers_all_ram_and_nothing_else)
{
	LayoutRecord records[40];
	uint64_t covered = 0, there = 0;
	size_t at = 0;

	records[0] = ram(0, 3 * MIB);
	for (size_t i = 1; i < ARRAY_COUNT(records); i++) {
		const uint64_t start = records[i - 1].range.end + (i % 3) * 0x5000;

		records[i] = ram(start, start + (i * 7919 % 513 + 1) * 0x1000);
	}
	const Map map = build(list(records, ARRAY_COUNT(records)), plain);

	for (size_t i = 0; i < ARRAY_COUNT(records); i++)
		there += memory_range_len(records[i].range);
	for (size_t i = 0; i < map.count; i++) {
		while (records[at].range.end <= map.entries[i].addr)
			at++;
		cr_assert_geq(map.entries[i].addr, records[at].range.start);
		cr_assert_leq(map.entries[i].addr + map.entries[i].size, records[at].range.end);
		covered += map.entries[i].size;
	}
	cr_assert_eq(covered, there);
}

Test(linux_e820, hands_out_only_what_the_host_gave_for_use)
{
	static const struct {
		uint16_t igvm_type;
		uint32_t e820_type;
	} rows[] = { { IGVM_MEMORY, 1 }, { IGVM_PLATFORM_RESERVED, 2 }, { IGVM_PERSISTENT, 2 },
		{ IGVM_VTL2_PROTECTABLE, 1 }, { IGVM_SPECIFIC_PURPOSE, 0xefffffff },
		{ IGVM_HIDDEN, 2 }, { 6, 2 }, { 0xffff, 2 } };

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		LayoutRecord records[] = { ram(0, 2 * MIB), ram(2 * MIB, 4 * MIB) };

		records[1].igvm_type = rows[i].igvm_type;
		const Map map = build(list(records, 2), plain);

		check_entry(&map, map.count - 1, 2 * MIB, 4 * MIB, rows[i].e820_type);
	}
}

static void check_refused(
	LayoutRecordList records, LinuxLowMap low, uint16_t diagnostic, const char *word)
{
	LinuxE820Entry entries[LINUX_E820_MAX_ENTRIES], untouched[LINUX_E820_MAX_ENTRIES];
	size_t count = 4711;
	Error err = { 0 };

	memset(entries, 0x5a, sizeof(entries));
	memset(untouched, 0x5a, sizeof(untouched));
	cr_assert_not(linux_e820_build(records, &low, entries, &count, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(count, 4711u);
	cr_assert_eq(memcmp(entries, untouched, sizeof(entries)), 0);
}

Test(linux_e820, refuses_a_guest_without_a_first_mib)
{
	LayoutRecord late[] = { ram(0x1000, 64 * MIB) };
	LayoutRecord small[] = { ram(0, MIB - 0x1000), ram(MIB, 64 * MIB) };
	LayoutRecord reserved[] = { ram(0, 64 * MIB) };

	reserved[0].igvm_type = IGVM_PLATFORM_RESERVED;
	check_refused(list(NULL, 0), plain, PVW_LINUX_0003, "no RAM");
	check_refused(list(late, 1), plain, PVW_LINUX_0003, "start at 0");
	check_refused(list(small, 2), plain, PVW_LINUX_0003, "0xff000");
	check_refused(list(reserved, 1), plain, PVW_LINUX_0003, "type 1");
}

Test(linux_e820, refuses_tables_in_the_bios_area)
{
	const LayoutRecord records[] = { ram(0, 64 * MIB) };

	check_refused(list(records, 1), (LinuxLowMap){ 0xe1000, 0xe1000, 0xe1000 },
		PVW_LINUX_0004, "0xe1000");
	check_refused(list(records, 1), (LinuxLowMap){ 0x1a000, 0xe0000, 0xe1000 },
		PVW_LINUX_0004, "0xe0000");
}

Test(linux_e820, fills_the_zero_page_and_not_more)
{
	static LayoutRecord records[130];

	records[0] = ram(0, 2 * MIB);
	for (size_t i = 1; i < ARRAY_COUNT(records); i++)
		records[i] = ram(i * 4 * MIB, i * 4 * MIB + MIB);

	/* six for the first range: no pages of a confidential guest */
	cr_assert_eq(build(list(records, 123), plain).count, 128u);
	check_refused(list(records, 124), plain, PVW_LINUX_0005, "129 entries");
	cr_assert_eq(
		build(list(records, 122), (LinuxLowMap){ 0x1a000, 0x1b000, 0x20000 }).count,
		128u);
	check_refused(list(records, 123), (LinuxLowMap){ 0x1a000, 0x1b000, 0x20000 },
		PVW_LINUX_0005, "129");
}

Test(linux_e820, refuses_ram_out_of_order)
{
	const LayoutRecord descending[] = { ram(0, 2 * MIB), ram(8 * MIB, 9 * MIB),
		ram(4 * MIB, 5 * MIB) };
	const LayoutRecord overlapping[] = { ram(0, 2 * MIB), ram(MIB, 3 * MIB) };
	const LayoutRecord backwards[] = { ram(0, 2 * MIB), ram(5 * MIB, 4 * MIB) };

	check_refused(list(descending, 3), plain, PVW_LINUX_0006, "0x400000");
	check_refused(list(overlapping, 2), plain, PVW_LINUX_0006, "ascending");
	check_refused(list(backwards, 2), plain, PVW_LINUX_0006, "0x500000");
}
