#include <criterion/criterion.h>
#include <string.h>

#include "support/diagnostics.h"
#include "vmbus/channel_claim.h"

#define MIB (UINT64_C(1) << 20)

static const ChipsetMmioRanges mmio = {
	.low = { 0xf8000000, 0x100000000 }, /* 96 MiB below the fixed devices */
	.high = { 0x140000000, 0x140000000 + 100 * MIB },
};

static Guid id(uint32_t number)
{
	Guid guid = { 0 };

	memcpy(guid.bytes, &number, sizeof(number));
	guid.bytes[15] = 1;
	return guid;
}

static ChannelDemandList demands_of(
	ChannelDemand *items, const uint32_t *megabytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		items[i].interface_id = id(1000);
		items[i].instance_id = id((uint32_t)i);
		items[i].mmio_megabytes = megabytes[i];
	}
	return (ChannelDemandList){ items, count };
}

static void check_claim(
	const ChannelClaim *claim, uint32_t instance, uint64_t start, uint64_t mib)
{
	const Guid expected = id(instance);

	cr_assert_eq(memcmp(&claim->instance_id, &expected, sizeof(Guid)), 0);
	cr_assert_eq(claim->range.start, start);
	cr_assert_eq(memory_range_len(claim->range), mib * MIB);
}

Test(channel_claim, goes_high_largest_first_then_low)
{
	static const uint32_t megabytes[] = { 8, 64, 0, 32, 16, 40 };
	ChannelDemand items[ARRAY_COUNT(megabytes)];
	Arena *arena = arena_new(1 << 16);
	ChannelClaimList out;
	Error err;

	cr_assert(channel_claims_place(GUEST_ARCH_X86_64, &mmio,
		demands_of(items, megabytes, ARRAY_COUNT(megabytes)), arena, &out, &err));

	/* high: 64 at 0, 32 at 64; low: 40, 16, 8. In the order of the demands: */
	cr_assert_eq(out.count, 5);
	check_claim(&out.items[0], 0, 0xf8000000 + 56 * MIB, 8);
	check_claim(&out.items[1], 1, 0x140000000, 64);
	check_claim(&out.items[2], 3, 0x140000000 + 64 * MIB, 32);
	check_claim(&out.items[3], 4, 0xf8000000 + 40 * MIB, 16);
	check_claim(&out.items[4], 5, 0xf8000000, 40);
	cr_assert_eq(out.items[1].window, CHANNEL_WINDOW_HIGH);
	cr_assert_eq(out.items[0].window, CHANNEL_WINDOW_LOW);
	cr_assert_str_eq(channel_window_name(CHANNEL_WINDOW_HIGH), "high");
	cr_assert_str_eq(channel_window_name(CHANNEL_WINDOW_LOW), "low");
	arena_free(arena);
}

Test(channel_claim, equal_demands_keep_their_order)
{
	static const uint32_t megabytes[] = { 4, 4, 4 };
	ChannelDemand items[3];
	Arena *arena = arena_new(1 << 16);
	ChannelClaimList out;
	Error err;

	cr_assert(channel_claims_place(
		GUEST_ARCH_X86_64, &mmio, demands_of(items, megabytes, 3), arena, &out, &err));

	for (uint32_t i = 0; i < 3; i++)
		check_claim(&out.items[i], i, 0x140000000 + i * 4 * MIB, 4);
	arena_free(arena);
}

/* Random demands: whatever is placed is disjoint, inside its window and off the devices. */
Test(channel_claim, random_claims_are_disjoint_and_inside)
{
	Arena *arena = arena_new(1 << 20);
	uint64_t seed = 88172645463325252u;
	unsigned placed = 0;
	unsigned refused = 0;

	for (int round = 0; round < 400; round++) {
		uint32_t megabytes[CHANNEL_MAX_DEMANDS];
		ChannelDemand items[CHANNEL_MAX_DEMANDS];
		const size_t count = (size_t)round % 60;
		uint64_t sum = 0;
		ChannelClaimList out;
		Error err;

		for (size_t i = 0; i < count; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			megabytes[i] = (uint32_t)(seed % 12);
			sum += megabytes[i];
		}
		if (!channel_claims_place(GUEST_ARCH_X86_64, &mmio,
			    demands_of(items, megabytes, count), arena, &out, &err)) {
			/* Only the last few MiB of a window can be lost. */
			cr_assert_eq(err.diagnostic, PVW_VMBUS_0006);
			cr_assert_gt(sum, 100 + 96 - 2 * 12);
			refused++;
			continue;
		}
		placed++;
		for (size_t i = 0; i < out.count; i++) {
			const ChannelClaim *claim = &out.items[i];
			const bool high = claim->window == CHANNEL_WINDOW_HIGH;

			sum -= memory_range_len(claim->range) / MIB;
			cr_assert_eq(claim->range.start % MIB, 0);
			cr_assert(memory_range_contains(
				high ? mmio.high : mmio.low, claim->range));
			cr_assert(high || claim->range.end <= 0xfe000000);
			for (size_t k = 0; k < i; k++)
				cr_assert_not(memory_range_overlaps(
					claim->range, out.items[k].range));
		}
		cr_assert_eq(sum, 0);
		arena_reset(arena);
	}
	cr_assert_gt(placed, 50);
	cr_assert_gt(refused, 50);
	arena_free(arena);
}

Test(channel_claim, keeps_off_the_fixed_devices_of_each_architecture)
{
	static const ChipsetMmioRanges low_only = { .low = { 0xe0000000, 0x100000000 } };
	static const struct {
		GuestArch arch;
		uint32_t most; /* MiB from 0xe0000000 to the zone */
	} cases[] = { { GUEST_ARCH_X86_64, 480 }, { GUEST_ARCH_AARCH64, 240 } };
	Arena *arena = arena_new(1 << 16);

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		for (uint32_t more = 0; more < 2; more++) {
			const uint32_t megabytes[] = { cases[i].most + more };
			ChannelDemand items[1];
			ChannelClaimList out;
			Error err;

			cr_assert_eq(
				channel_claims_place(cases[i].arch, &low_only,
					demands_of(items, megabytes, 1), arena, &out, &err),
				more == 0);
			if (more) {
				cr_assert_eq(err.diagnostic, PVW_VMBUS_0006);
				cr_assert_not_null(strstr(err.text, "no high window"));
				cr_assert_not_null(strstr(err.text, "fixed devices"));
			}
		}
	}
	arena_free(arena);
}

Test(channel_claim, says_what_stands_in_the_way)
{
	static const uint32_t megabytes[] = { 90, 80, 30 };
	ChannelDemand items[3];
	Arena *arena = arena_new(1 << 16);
	ChannelClaimList out = { NULL, 77 };
	Error err;

	cr_assert_not(channel_claims_place(
		GUEST_ARCH_X86_64, &mmio, demands_of(items, megabytes, 3), arena, &out, &err));

	cr_assert_eq(err.diagnostic, PVW_VMBUS_0006);
	cr_assert_eq(err.code, ERROR_NO_SPACE);
	cr_assert_str_eq(err.text,
		"channel 00000002-0000-0000-0000-000000000001 wants 30 MiB; "
		"high 0x140000000-0x146400000 has 10 MiB left "
		"behind channel 00000000-0000-0000-0000-000000000001; "
		"low 0xf8000000-0x100000000 has 16 MiB left "
		"behind channel 00000001-0000-0000-0000-000000000001 below the fixed devices");
	cr_assert_eq(out.count, 77);
	arena_free(arena);
}

Test(channel_claim, windows_in_odd_places_lose_their_odd_ends)
{
	static const ChipsetMmioRanges odd = {
		.low = { 0xfff00000, 0x100000000 },   /* nothing but fixed devices */
		.high = { 0x140001000, 0x1402ff000 }, /* one whole MiB inside */
	};
	static const uint32_t megabytes[] = { 1 };
	ChannelDemand items[1];
	Arena *arena = arena_new(1 << 16);
	ChannelClaimList out;
	Error err;

	cr_assert(channel_claims_place(
		GUEST_ARCH_X86_64, &odd, demands_of(items, megabytes, 1), arena, &out, &err));
	check_claim(&out.items[0], 0, 0x140100000, 1);

	const uint32_t two[] = { 2 };

	cr_assert_not(channel_claims_place(
		GUEST_ARCH_X86_64, &odd, demands_of(items, two, 1), arena, &out, &err));
	cr_assert_not_null(strstr(err.text, "low 0xfff00000-0x100000000 has 0 MiB left"));
	arena_free(arena);
}

Test(channel_claim, windows_without_a_whole_mib_hold_nothing)
{
	static const ChipsetMmioRanges narrow = {
		.low = { 0xf8000000,
			0xfe000000 }, /* up to the fixed devices, none of them inside */
		.high = { 0x140001000, 0x140002000 },
	};
	static const uint32_t megabytes[] = { 97 };
	ChannelDemand items[1];
	Arena *arena = arena_new(1 << 16);
	ChannelClaimList out;
	Error err;

	cr_assert_not(channel_claims_place(GUEST_ARCH_X86_64, &narrow,
		demands_of(items, megabytes, 1), arena, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_VMBUS_0006);
	cr_assert_not_null(strstr(err.text, "high 0x140001000-0x140002000 has 0 MiB left;"));
	cr_assert_not_null(strstr(err.text, "has 96 MiB left"));
	cr_assert_null(strstr(err.text, "fixed devices"));
	arena_free(arena);
}

Test(channel_claim, without_windows_or_demands_claims_nothing)
{
	static const ChipsetMmioRanges none = { 0 };
	static const uint32_t zeros[] = { 0, 0 };
	ChannelDemand items[2];
	Arena *arena = arena_new(1 << 16);
	ChannelClaimList out = { NULL, 77 };
	Error err;

	cr_assert(channel_claims_place(
		GUEST_ARCH_X86_64, &none, demands_of(items, zeros, 2), arena, &out, &err));
	cr_assert_eq(out.count, 0);
	cr_assert(channel_claims_place(
		GUEST_ARCH_X86_64, &none, (ChannelDemandList){ NULL, 0 }, arena, &out, &err));
	cr_assert_eq(out.count, 0);
	arena_free(arena);
}

Test(channel_claim, the_largest_number_does_not_wrap)
{
	static const uint32_t megabytes[] = { UINT32_MAX };
	ChannelDemand items[1];
	Arena *arena = arena_new(1 << 16);
	ChannelClaimList out;
	Error err;

	cr_assert_not(channel_claims_place(
		GUEST_ARCH_X86_64, &mmio, demands_of(items, megabytes, 1), arena, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_VMBUS_0006);
	cr_assert_not_null(strstr(err.text, "4294967295 MiB"));
	arena_free(arena);
}

Test(channel_claim, one_channel_twice_is_refused)
{
	static uint32_t megabytes[CHANNEL_MAX_DEMANDS];
	ChannelDemand items[CHANNEL_MAX_DEMANDS];
	Arena *arena = arena_new(1 << 20);
	ChannelClaimList out;
	Error err;

	ChannelDemandList list = demands_of(items, megabytes, CHANNEL_MAX_DEMANDS);

	items[200].instance_id = items[3].instance_id;
	cr_assert_not(channel_claims_place(GUEST_ARCH_X86_64, &mmio, list, arena, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_VMBUS_0005);
	cr_assert_not_null(strstr(err.text, "demands 3 and 200"), "%s", err.text);

	/* Another interface makes it another channel. */
	items[200].interface_id = id(1001);
	cr_assert(channel_claims_place(GUEST_ARCH_X86_64, &mmio, list, arena, &out, &err));
	arena_free(arena);
}

Test(channel_claim, takes_256_demands_and_no_more)
{
	ChannelDemand items[CHANNEL_MAX_DEMANDS + 1];
	uint32_t megabytes[CHANNEL_MAX_DEMANDS + 1];
	static const ChipsetMmioRanges wide = { .high = { 0x100000000, 0x200000000 } };
	Arena *arena = arena_new(1 << 20);
	ChannelClaimList out;
	Error err;

	for (size_t i = 0; i <= CHANNEL_MAX_DEMANDS; i++)
		megabytes[i] = 1 + (uint32_t)i % 5;
	cr_assert(channel_claims_place(GUEST_ARCH_AARCH64, &wide,
		demands_of(items, megabytes, CHANNEL_MAX_DEMANDS), arena, &out, &err));
	cr_assert_eq(out.count, CHANNEL_MAX_DEMANDS);
	cr_assert_not(channel_claims_place(GUEST_ARCH_AARCH64, &wide,
		demands_of(items, megabytes, CHANNEL_MAX_DEMANDS + 1), arena, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_VMBUS_0004);
	cr_assert_not_null(strstr(err.text, "257"));
	arena_free(arena);
}

Test(channel_claim, needs_room)
{
	static const uint32_t megabytes[] = { 1 };
	ChannelDemand items[1];
	Arena *arena = arena_new(8);
	ChannelClaimList out;
	Error err;

	cr_assert_not(channel_claims_place(
		GUEST_ARCH_X86_64, &mmio, demands_of(items, megabytes, 1), arena, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	arena_free(arena);
}
