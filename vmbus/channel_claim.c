/*
 * Placing channels: first fit, largest first, over two windows.
 */
#include "vmbus/channel_claim.h"

#include <stdio.h>
#include <string.h>

#include "layout/fixed_map.h"
#include "support/checked.h"
#include "support/diagnostics.h"

#define MIB (UINT64_C(1) << 20)

/* Where the fixed devices of an architecture begin; they reach up to 4 GiB. */
static const uint64_t zone_start[] = {
	[GUEST_ARCH_X86_64] = ZONE_X86_GPA,
	[GUEST_ARCH_AARCH64] = ZONE_ARM64_GPA,
};
static_assert(ARRAY_COUNT(zone_start) == GUEST_ARCH_COUNT, "one zone an architecture");

/* A window while it fills up. */
typedef struct Room {
	MemoryRange window; /* as the guest gets it */
	MemoryRange free;   /* whole MiB that are left */
	const ChannelDemand *last;
	bool zone; /* its top belongs to fixed devices */
} Room;

typedef struct Placer {
	ChannelDemandList demands;
	uint16_t order[CHANNEL_MAX_DEMANDS];
	Room rooms[CHANNEL_WINDOW_COUNT]; /* in the order in which they are tried */
} Placer;

typedef bool (*GoesBefore)(const ChannelDemand *a, const ChannelDemand *b);

const char *channel_window_name(ChannelWindow window)
{
	static const char *const names[] = {
		[CHANNEL_WINDOW_HIGH] = "high",
		[CHANNEL_WINDOW_LOW] = "low",
	};
	static_assert(ARRAY_COUNT(names) == CHANNEL_WINDOW_COUNT, "one name a window");

	return names[window];
}

static bool larger(const ChannelDemand *a, const ChannelDemand *b)
{
	return a->mmio_megabytes > b->mmio_megabytes;
}

static int compare_identity(const ChannelDemand *a, const ChannelDemand *b)
{
	const int order = memcmp(&a->instance_id, &b->instance_id, sizeof(Guid));

	return order ? order : memcmp(&a->interface_id, &b->interface_id, sizeof(Guid));
}

static bool identity_before(const ChannelDemand *a, const ChannelDemand *b)
{
	return compare_identity(a, b) < 0;
}

/* A stable merge sort of indices, runs of 1, 2, 4, ... items. */
static void sort_order(Placer *placer, GoesBefore goes_before)
{
	const ChannelDemand *items = placer->demands.items;
	const size_t count = placer->demands.count;
	uint16_t other[CHANNEL_MAX_DEMANDS];

	for (size_t i = 0; i < count; i++)
		placer->order[i] = (uint16_t)i;
	for (size_t run = 1; run < count; run *= 2) {
		for (size_t start = 0; start < count; start += 2 * run) {
			const size_t middle = start + run < count ? start + run : count;
			const size_t end = start + 2 * run < count ? start + 2 * run : count;
			size_t left = start;
			size_t right = middle;

			for (size_t at = start; at < end; at++) {
				const bool take_right = left == middle ||
					(right < end &&
						goes_before(&items[placer->order[right]],
							&items[placer->order[left]]));

				other[at] = placer->order[take_right ? right++ : left++];
			}
		}
		memcpy(placer->order, other, count * sizeof(other[0]));
	}
}

static bool check_identities(Placer *placer, Error *err)
{
	sort_order(placer, identity_before);
	for (size_t i = 1; i < placer->demands.count; i++) {
		const ChannelDemand *a = &placer->demands.items[placer->order[i - 1]];
		const ChannelDemand *b = &placer->demands.items[placer->order[i]];

		if (compare_identity(a, b) == 0) {
			char instance[GUID_TEXT_SIZE];

			guid_format(a->instance_id, instance);
			return error_set(err, PVW_VMBUS_0005,
				"channel %s: demands %d and %d, expected one", instance,
				placer->order[i - 1], placer->order[i]);
		}
	}
	return true;
}

static Room room_of(MemoryRange window, uint64_t zone)
{
	const bool has_zone = !memory_range_is_empty(window) && zone < window.end;
	const uint64_t end = align_down(has_zone ? zone : window.end, MIB);
	uint64_t start;

	if (!checked_align_up(window.start, MIB, &start) || start > end)
		return (Room){ .window = window, .zone = has_zone };
	return (Room){ .window = window, .free = { start, end }, .zone = has_zone };
}

/* "high 0x…-0x… has 3 MiB left behind channel …" */
static void describe_room(const Room *room, const char *name, char *text, size_t size)
{
	char last[GUID_TEXT_SIZE] = "";

	if (memory_range_is_empty(room->window)) {
		(void)snprintf(text, size, "no %s window", name);
		return;
	}
	if (room->last)
		guid_format(room->last->instance_id, last);
	(void)snprintf(text, size, "%s " RANGE_FORMAT " has %" PRIu64 " MiB left%s%s%s", name,
		RANGE_ARGS(room->window), memory_range_len(room->free) / MIB,
		room->last ? " behind channel " : "", last,
		room->zone ? " below the fixed devices" : "");
}

static bool fail_room(const Placer *placer, const ChannelDemand *demand, Error *err)
{
	char instance[GUID_TEXT_SIZE];
	char high[160], low[160];

	guid_format(demand->instance_id, instance);
	describe_room(&placer->rooms[CHANNEL_WINDOW_HIGH],
		channel_window_name(CHANNEL_WINDOW_HIGH), high, sizeof(high));
	describe_room(&placer->rooms[CHANNEL_WINDOW_LOW],
		channel_window_name(CHANNEL_WINDOW_LOW), low, sizeof(low));
	return error_set(err, PVW_VMBUS_0006, "channel %s wants %" PRIu32 " MiB; %s; %s",
		instance, demand->mmio_megabytes, high, low);
}

static bool place_one(
	Placer *placer, const ChannelDemand *demand, ChannelClaim *out, Error *err)
{
	const uint64_t size = demand->mmio_megabytes * MIB;

	for (ChannelWindow window = 0; window < CHANNEL_WINDOW_COUNT; window++) {
		Room *room = &placer->rooms[window];

		if (size > memory_range_len(room->free))
			continue;
		*out = (ChannelClaim){
			.interface_id = demand->interface_id,
			.instance_id = demand->instance_id,
			.range = { room->free.start, room->free.start + size },
			.window = window,
		};
		room->free.start += size;
		room->last = demand;
		return true;
	}
	return fail_room(placer, demand, err);
}

bool channel_claims_place(GuestArch arch, const ChipsetMmioRanges *mmio,
	ChannelDemandList demands, Arena *arena, ChannelClaimList *out, Error *err)
{
	Placer placer = { .demands = demands };

	if (demands.count > CHANNEL_MAX_DEMANDS)
		return error_set(err, PVW_VMBUS_0004,
			"%zu channel demands, expected at most %d", demands.count,
			CHANNEL_MAX_DEMANDS);
	if (!check_identities(&placer, err))
		return false;

	ChannelClaim *claims = arena_array(arena, ChannelClaim, demands.count, err);
	size_t count = 0;

	if (!claims)
		return false;
	placer.rooms[CHANNEL_WINDOW_HIGH] = room_of(mmio->high, UINT64_MAX);
	placer.rooms[CHANNEL_WINDOW_LOW] = room_of(mmio->low, zone_start[arch]);
	sort_order(&placer, larger);
	for (size_t i = 0; i < demands.count; i++) {
		const uint16_t index = placer.order[i];

		if (demands.items[index].mmio_megabytes > 0 &&
			!place_one(&placer, &demands.items[index], &claims[index], err))
			return false;
	}

	/* Back in the order of the demands, without those that claim nothing. */
	for (size_t i = 0; i < demands.count; i++) {
		if (!memory_range_is_empty(claims[i].range))
			claims[count++] = claims[i];
	}
	*out = (ChannelClaimList){ claims, count };
	return true;
}
