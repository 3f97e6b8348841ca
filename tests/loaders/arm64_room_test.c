/*
 * Lowest places, in RAM and apart.
 */
#include "loaders/arm64_room.h"

#include <criterion/criterion.h>
#include <string.h>

#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)

static Arena *arena;
static Error err;

static void set_up(void)
{
	arena = arena_new(1 << 20);
	cr_assert_not_null(arena);
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(arm64_room, .init = set_up, .fini = tear_down);

static Arm64Room room_of(const LayoutRecord *records, size_t count)
{
	Arm64Room room = { 0 };

	cr_assert(arm64_room_begin((LayoutRecordList){ records, count }, arena, &room, &err),
		"%s", err.text);
	return room;
}

static uint64_t taken(Arm64Room *room, Arm64Demand demand)
{
	uint64_t gpa = 1;

	demand.name = "piece";
	cr_assert(arm64_room_take(room, &demand, &gpa, &err), "%s", err.text);
	return gpa;
}

static void refused(Arm64Room *room, Arm64Demand demand, const char *word)
{
	uint64_t gpa = 1;

	demand.name = "piece";
	cr_assert_not(arm64_room_take(room, &demand, &gpa, &err));
	cr_assert_eq(err.diagnostic, PVW_ARM64_0008);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_not_null(strstr(err.text, "piece"), "%s", err.text);
	cr_assert_eq(gpa, 1u, "untouched on failure");
}

static const LayoutRecord two[] = {
	{ .kind = LAYOUT_RAM, .range = { 0x40001000, 0x48000000 } },
	{ .kind = LAYOUT_RAM, .range = { 0x100000000, 0x110000000 }, .vnode = 1 },
};

Test(arm64_room, gives_the_first_aligned_place)
{
	Arm64Room room = room_of(two, 2);

	cr_assert_eq(taken(&room, (Arm64Demand){ .align = PAGE_SIZE, .len = 1 }), 0x40001000u);
	cr_assert_eq(taken(&room, (Arm64Demand){ .align = 2 * MIB, .len = MIB }), 0x40200000u);
	cr_assert_eq(
		taken(&room, (Arm64Demand){ .from = 0x44000000, .align = 2 * MIB, .len = MIB }),
		0x44000000u);
}

Test(arm64_room, moves_up_behind_what_is_there)
{
	Arm64Room room = room_of(two, 2);

	arm64_room_mark(&room, "kernel", (MemoryRange){ 0x41000000, 0x41801000 });
	arm64_room_mark(&room, "nothing", MEMORY_RANGE_EMPTY);
	cr_assert_eq(
		taken(&room, (Arm64Demand){ .from = 0x41000000, .align = PAGE_SIZE, .len = 5 }),
		0x41801000u);
	/* what was given is taken */
	cr_assert_eq(
		taken(&room, (Arm64Demand){ .from = 0x41000000, .align = PAGE_SIZE, .len = 5 }),
		0x41802000u);
	/* too long for what is below the mark */
	cr_assert_eq(
		taken(&room,
			(Arm64Demand){ .from = 0x40f00000, .align = 2 * MIB, .len = 2 * MIB }),
		0x41a00000u);
	cr_assert_eq(room.count, 4u);
}

Test(arm64_room, goes_on_in_the_next_range)
{
	Arm64Room room = room_of(two, 2);

	cr_assert_eq(taken(&room,
			     (Arm64Demand){
				     .from = 0x47000000, .align = PAGE_SIZE, .len = 17 * MIB }),
		0x100000000u);
	cr_assert_eq(taken(&room,
			     (Arm64Demand){
				     .from = 0x47000000, .align = PAGE_SIZE, .len = 16 * MIB }),
		0x47000000u);
}

Test(arm64_room, counts_the_offset_from_the_place)
{
	Arm64Room room = room_of(two, 2);

	cr_assert_eq(
		taken(&room, (Arm64Demand){ .align = 2 * MIB, .offset = 0x80000, .len = MIB }),
		0x40280000u);
	/* the bytes before the piece belong to it */
	cr_assert_eq(taken(&room, (Arm64Demand){ .align = MIB, .len = 1 }), 0x40100000u);
	cr_assert_eq(taken(&room, (Arm64Demand){ .align = MIB, .len = 1 }), 0x40400000u);
}

Test(arm64_room, uses_only_ram_for_the_guests_own_use)
{
	const LayoutRecord mixed[] = {
		{ .kind = LAYOUT_RAM,
			.range = { 0, 0x10000000 },
			.igvm_type = IGVM_PLATFORM_RESERVED },
		{ .kind = LAYOUT_RAM,
			.range = { 0x10000000, 0x20000000 },
			.igvm_type = IGVM_SPECIFIC_PURPOSE },
		{ .kind = LAYOUT_RAM,
			.range = { 0x20000000, 0x30000000 },
			.igvm_type = IGVM_VTL2_PROTECTABLE },
	};
	Arm64Room room = room_of(mixed, 3);

	cr_assert_eq(room.ram.count, 1u);
	cr_assert_eq(taken(&room, (Arm64Demand){ .align = PAGE_SIZE, .len = 1 }), 0x20000000u);

	cr_assert_not(arm64_room_begin((LayoutRecordList){ mixed, 2 }, arena, &room, &err));
	cr_assert_eq(err.diagnostic, PVW_ARM64_0018);
	cr_assert_not_null(strstr(err.text, "2 ranges"), "%s", err.text);
}

Test(arm64_room, names_both_sides_when_nothing_fits)
{
	Arm64Room room = room_of(two, 2);

	arm64_room_mark(&room, "linux.initrd", (MemoryRange){ 0x41000000, 0x48000000 });
	refused(&room, (Arm64Demand){ .from = 0x41000000, .align = 2 * MIB, .len = 257 * MIB },
		"linux.initrd");
	refused(&room, (Arm64Demand){ .from = 0x41000000, .align = 2 * MIB, .len = 257 * MIB },
		"0x110000000");
}

Test(arm64_room, does_not_wrap)
{
	Arm64Room room = room_of(two, 2);

	refused(&room, (Arm64Demand){ .align = PAGE_SIZE, .len = UINT64_MAX }, "expected room");
	refused(&room,
		(Arm64Demand){ .align = PAGE_SIZE, .offset = UINT64_MAX - 0xfff, .len = MIB },
		"expected room");
	refused(&room, (Arm64Demand){ .from = UINT64_MAX - 1, .align = 2 * MIB, .len = 1 },
		"expected room");
}
