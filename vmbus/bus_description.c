/*
 * Windows and connections of both buses.
 */
#include "vmbus/bus_description.h"

#include "support/diagnostics.h"
#include "vmbus/relay_aperture.h"

/* The guest's windows, low first; absent ones are left out. */
static bool vtl0_windows(
	const ChipsetMmioRanges *mmio, Arena *arena, MemoryRangeList *out, Error *err)
{
	const MemoryRange windows[] = { mmio->low, mmio->high };
	MemoryRange *items = arena_array(arena, MemoryRange, ARRAY_COUNT(windows), err);
	size_t count = 0;

	if (!items)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(windows); i++) {
		if (!memory_range_is_empty(windows[i]))
			items[count++] = windows[i];
	}
	*out = (MemoryRangeList){ items, count };
	return true;
}

static bool check_relay(MemoryRangeList windows, bool redirected, MemoryRange relay, Error *err)
{
	if (memory_range_is_empty(relay))
		return true;
	if (!redirected)
		return error_set(err, PVW_VMBUS_0007,
			"relay aperture " RANGE_FORMAT ", expected VMBus redirection with it",
			RANGE_ARGS(relay));
	for (size_t i = 0; i < windows.count; i++) {
		if (memory_range_overlaps(windows.items[i], relay))
			return error_set(err, PVW_VMBUS_0008,
				"window " RANGE_FORMAT
				", expected it apart from the relay aperture " RANGE_FORMAT,
				RANGE_ARGS(windows.items[i]), RANGE_ARGS(relay));
	}
	return true;
}

bool bus_description_build(const ChipsetMmioRanges *mmio, bool redirected, MemoryRange relay,
	Arena *arena, BusDescription *out, Error *err)
{
	MemoryRangeList windows;

	if (!vtl0_windows(mmio, arena, &windows, err) ||
		!check_relay(windows, redirected, relay, err))
		return error_wrap(err, "vmbus");
	*out = (BusDescription){
		.redirected = redirected,
		.vtl0 = { BUS_VTL0_CONNECTION, windows },
		.vtl2 = { bus_vtl2_connection(redirected), mmio->vtl2 },
		.relay = relay,
		.relay_slots = relay_aperture_slots(relay),
	};
	return true;
}

bool bus_connection_read(uint8_t vtl, uint32_t connection_id, bool *redirected, Error *err)
{
	static const struct {
		uint8_t vtl;
		uint32_t connection_id;
		bool redirected;
	} connections[] = {
		{ 0, BUS_VTL0_CONNECTION, false },
		{ 2, BUS_VTL2_CONNECTION, false },
		{ 2, BUS_VTL2_REDIRECTED_CONNECTION, true },
	};

	for (size_t i = 0; i < ARRAY_COUNT(connections); i++) {
		if (connections[i].vtl == vtl &&
			connections[i].connection_id == connection_id) {
			*redirected = connections[i].redirected;
			return true;
		}
	}
	return error_set(err, PVW_VMBUS_0009,
		"connection 0x%" PRIx32 " of VTL%u, expected 1 of VTL0, 4 or 0x800074 of VTL2",
		connection_id, (unsigned)vtl);
}
