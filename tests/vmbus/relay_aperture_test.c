#include <criterion/criterion.h>
#include <string.h>

#include "support/diagnostics.h"
#include "vmbus/relay_aperture.h"

static const MemoryRange low = { 0xf8000000, 0x100000000 };

static ChipsetMmioRanges with_high(uint64_t start, uint64_t end)
{
	return (ChipsetMmioRanges){ .low = low,
		.high = { start, end },
		.low_source = ROLE_SOURCE_DECLARED,
		.high_source = ROLE_SOURCE_BY_ADDRESS };
}

Test(relay_aperture, comes_off_the_top_of_high)
{
	const ChipsetMmioRanges mmio = with_high(0x140000000, 0x160000000);
	ChipsetMmioRanges rest;
	MemoryRange aperture;
	Error err;

	cr_assert(relay_aperture_take(&mmio, 64, &rest, &aperture, &err));

	cr_assert_eq(aperture.start, 0x15ff80000);
	cr_assert_eq(aperture.end, 0x160000000);
	cr_assert_eq(rest.high.start, 0x140000000);
	cr_assert_eq(rest.high.end, 0x15ff80000);
	cr_assert(memory_range_equal(rest.low, low));
	cr_assert_eq(rest.high_source, ROLE_SOURCE_BY_ADDRESS);
	cr_assert_eq(mmio.high.end, 0x160000000);
}

Test(relay_aperture, is_two_pages_a_device)
{
	const ChipsetMmioRanges mmio = with_high(0x140000000, 0x160000000);

	for (uint32_t devices = 0; devices <= RELAY_MAX_DEVICES; devices++) {
		ChipsetMmioRanges rest;
		MemoryRange aperture;
		Error err;

		cr_assert(relay_aperture_take(&mmio, devices, &rest, &aperture, &err));
		cr_assert_eq(memory_range_len(aperture), devices * UINT64_C(0x2000));
		cr_assert_eq(relay_aperture_slots(aperture), devices);
		cr_assert_eq(
			memory_range_len(rest.high) + memory_range_len(aperture), 0x20000000);
		cr_assert_not(memory_range_overlaps(rest.high, aperture));
	}
}

Test(relay_aperture, of_no_devices_is_empty_even_without_high)
{
	const ChipsetMmioRanges mmio = with_high(0, 0);
	ChipsetMmioRanges rest;
	MemoryRange aperture = low;
	Error err;

	cr_assert(relay_aperture_take(&mmio, 0, &rest, &aperture, &err));

	cr_assert(memory_range_equal(aperture, MEMORY_RANGE_EMPTY));
	cr_assert(memory_range_equal(rest.high, MEMORY_RANGE_EMPTY));
}

Test(relay_aperture, may_take_all_of_high)
{
	ChipsetMmioRanges mmio = with_high(0x140000000, 0x140080000);
	MemoryRange aperture;
	Error err;

	cr_assert(relay_aperture_take(&mmio, 64, &mmio, &aperture, &err));

	cr_assert_eq(aperture.start, 0x140000000);
	cr_assert(memory_range_equal(mmio.high, MEMORY_RANGE_EMPTY));
}

Test(relay_aperture, refuses_more_than_it_can_hold)
{
	static const struct {
		uint64_t high_len;
		uint32_t devices;
		DiagnosticId diagnostic;
		const char *word;
	} cases[] = {
		{ 0x20000000, 65, PVW_VMBUS_0001, "at most 64" },
		{ 0x20000000, UINT32_MAX, PVW_VMBUS_0001, "4294967295" },
		{ 0x7f000, 64, PVW_VMBUS_0002, "0x80000" },
		{ 0x1000, 1, PVW_VMBUS_0002, "0x2000" },
		{ 0, 1, PVW_VMBUS_0002, "high" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const ChipsetMmioRanges mmio = cases[i].high_len == 0
			? with_high(0, 0)
			: with_high(0x140000000, 0x140000000 + cases[i].high_len);
		ChipsetMmioRanges rest = with_high(1, 2);
		MemoryRange aperture = low;
		Error err;

		cr_assert_not(
			relay_aperture_take(&mmio, cases[i].devices, &rest, &aperture, &err));
		cr_assert_eq(err.diagnostic, cases[i].diagnostic);
		cr_assert_not_null(strstr(err.text, cases[i].word), "%s", err.text);
		cr_assert_eq(rest.high.start, 1);
		cr_assert(memory_range_equal(aperture, low));
	}
}

Test(relay_aperture, slots_cover_it_exactly)
{
	const MemoryRange aperture = { 0x15ff80000, 0x160000000 };
	uint64_t at = aperture.start;
	MemoryRange slot;
	Error err;

	for (uint32_t i = 0; i < 64; i++) {
		cr_assert(relay_aperture_slot(aperture, i, &slot, &err));
		cr_assert_eq(slot.start, at);
		cr_assert_eq(memory_range_len(slot), 0x2000);
		at = slot.end;
	}
	cr_assert_eq(at, aperture.end);
}

Test(relay_aperture, has_no_slot_behind_its_last)
{
	const MemoryRange aperture = { 0x15ff80000, 0x160000000 };
	MemoryRange slot = low;
	Error err;

	cr_assert_not(relay_aperture_slot(aperture, 64, &slot, &err));
	cr_assert_eq(err.diagnostic, PVW_VMBUS_0003);
	cr_assert_not_null(strstr(err.text, "slot 64"));
	cr_assert_not(relay_aperture_slot(aperture, UINT32_MAX, &slot, &err));
	cr_assert_not(relay_aperture_slot(MEMORY_RANGE_EMPTY, 0, &slot, &err));
	cr_assert_eq(err.diagnostic, PVW_VMBUS_0003);
	cr_assert(memory_range_equal(slot, low));
}
