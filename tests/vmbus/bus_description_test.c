#include <criterion/criterion.h>
#include <string.h>

#include "support/diagnostics.h"
#include "vmbus/bus_description.h"
#include "vmbus/relay_aperture.h"

static const MemoryRange vtl2_windows[] = { { 0x260000000, 0x2a0000000 } };
static const ChipsetMmioRanges mmio = {
	.low = { 0xf8000000, 0x100000000 },
	.high = { 0x140000000, 0x160000000 },
	.vtl2 = { vtl2_windows, 1 },
};

Test(bus_description, tells_each_level_its_own)
{
	Arena *arena = arena_new(4096);
	ChipsetMmioRanges rest;
	MemoryRange aperture;
	BusDescription bus;
	Error err;

	cr_assert(relay_aperture_take(&mmio, 8, &rest, &aperture, &err));
	cr_assert(bus_description_build(&rest, true, aperture, arena, &bus, &err));

	cr_assert(bus.redirected);
	cr_assert_eq(bus.vtl0.connection_id, 1);
	cr_assert_eq(bus.vtl0.windows.count, 2);
	cr_assert(memory_range_equal(bus.vtl0.windows.items[0], mmio.low));
	cr_assert_eq(bus.vtl0.windows.items[1].start, 0x140000000);
	cr_assert_eq(bus.vtl0.windows.items[1].end, 0x160000000 - 8 * 0x2000);
	cr_assert_eq(bus.vtl2.connection_id, 0x800074);
	cr_assert_eq(bus.vtl2.windows.count, 1);
	cr_assert(memory_range_equal(bus.vtl2.windows.items[0], vtl2_windows[0]));
	cr_assert(memory_range_equal(bus.relay, aperture));
	cr_assert_eq(bus.relay_slots, 8);
	arena_free(arena);
}

Test(bus_description, without_redirection_keeps_the_plain_connection)
{
	Arena *arena = arena_new(4096);
	BusDescription bus;
	Error err;

	cr_assert(bus_description_build(&mmio, false, MEMORY_RANGE_EMPTY, arena, &bus, &err));

	cr_assert_not(bus.redirected);
	cr_assert_eq(bus.vtl2.connection_id, 4);
	cr_assert_eq(bus.relay_slots, 0);
	cr_assert_eq(bus_vtl2_connection(false), 4);
	cr_assert_eq(bus_vtl2_connection(true), 0x800074);
	arena_free(arena);
}

Test(bus_description, leaves_out_absent_windows)
{
	Arena *arena = arena_new(4096);
	ChipsetMmioRanges none = { 0 };
	BusDescription bus;
	Error err;

	cr_assert(bus_description_build(&none, false, MEMORY_RANGE_EMPTY, arena, &bus, &err));
	cr_assert_eq(bus.vtl0.windows.count, 0);
	cr_assert_eq(bus.vtl2.windows.count, 0);
	none.high = mmio.high;
	cr_assert(bus_description_build(&none, false, MEMORY_RANGE_EMPTY, arena, &bus, &err));
	cr_assert_eq(bus.vtl0.windows.count, 1);
	cr_assert(memory_range_equal(bus.vtl0.windows.items[0], mmio.high));
	arena_free(arena);
}

Test(bus_description, refuses_a_relay_with_nothing_to_relay)
{
	Arena *arena = arena_new(4096);
	BusDescription bus = { .relay_slots = 77 };
	Error err;

	cr_assert_not(bus_description_build(
		&mmio, false, (MemoryRange){ 0x160000000, 0x160002000 }, arena, &bus, &err));

	cr_assert_eq(err.diagnostic, PVW_VMBUS_0007);
	cr_assert_eq(err.code, ERROR_STATE);
	cr_assert_not_null(strstr(err.text, "redirection"));
	cr_assert_eq(bus.relay_slots, 77);
	arena_free(arena);
}

Test(bus_description, refuses_windows_that_still_hold_the_aperture)
{
	Arena *arena = arena_new(4096);
	BusDescription bus;
	Error err;

	cr_assert_not(bus_description_build(
		&mmio, true, (MemoryRange){ 0x15ffff000, 0x160001000 }, arena, &bus, &err));

	cr_assert_eq(err.diagnostic, PVW_VMBUS_0008);
	cr_assert_not_null(strstr(err.text, "0x15ffff000"));
	arena_free(arena);
}

Test(bus_description, needs_room)
{
	Arena *arena = arena_new(8);
	BusDescription bus;
	Error err;

	cr_assert_not(
		bus_description_build(&mmio, false, MEMORY_RANGE_EMPTY, arena, &bus, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	arena_free(arena);
}

Test(bus_description, reads_the_connections_of_trees)
{
	static const struct {
		uint8_t vtl;
		uint32_t connection_id;
		bool valid, redirected;
	} cases[] = {
		{ 0, 1, true, false },
		{ 2, 4, true, false },
		{ 2, 0x800074, true, true },
		{ 0, 4, false, false },
		{ 0, 0x800074, false, false },
		{ 2, 1, false, false },
		{ 2, 0, false, false },
		{ 1, 1, false, false },
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		bool redirected = !cases[i].redirected;
		Error err;

		const bool result = bus_connection_read(
			cases[i].vtl, cases[i].connection_id, &redirected, &err);

		cr_assert_eq(result, cases[i].valid);
		if (result) {
			cr_assert_eq(redirected, cases[i].redirected);
		} else {
			cr_assert_eq(err.diagnostic, PVW_VMBUS_0009);
			cr_assert_not_null(strstr(err.text, "expected"));
			cr_assert_eq(redirected, !cases[i].redirected);
		}
	}
}
