/*
 * Cutting the relay's aperture off the high window.
 */
#include "vmbus/relay_aperture.h"

#include "support/diagnostics.h"

bool relay_aperture_take(const ChipsetMmioRanges *mmio, uint32_t devices,
	ChipsetMmioRanges *rest, MemoryRange *aperture, Error *err)
{
	const MemoryRange high = mmio->high;
	const uint64_t size = devices * RELAY_SLOT_SIZE;
	MemoryRange left = high;
	MemoryRange piece = MEMORY_RANGE_EMPTY;

	if (devices > RELAY_MAX_DEVICES)
		return error_set(err, PVW_VMBUS_0001,
			"%" PRIu32 " relay devices, expected at most %d", devices,
			RELAY_MAX_DEVICES);
	if (memory_range_len(high) < size)
		return error_set(err, PVW_VMBUS_0002,
			"%" PRIu32 " relay devices need 0x%" PRIx64
			" bytes, the high window " RANGE_FORMAT " has 0x%" PRIx64,
			devices, size, RANGE_ARGS(high), memory_range_len(high));
	if (size > 0 &&
		!memory_range_split(high, memory_range_len(high) - size, &left, &piece, err))
		return error_wrap(err, "high window");
	*rest = *mmio;
	rest->high = left;
	*aperture = piece;
	return true;
}

bool relay_aperture_slot(MemoryRange aperture, uint32_t slot, MemoryRange *out, Error *err)
{
	const uint32_t slots = relay_aperture_slots(aperture);

	if (slot >= slots)
		return error_set(err, PVW_VMBUS_0003,
			"relay slot %" PRIu32 ", the aperture " RANGE_FORMAT " has %" PRIu32,
			slot, RANGE_ARGS(aperture), slots);
	out->start = aperture.start + slot * RELAY_SLOT_SIZE;
	out->end = out->start + RELAY_SLOT_SIZE;
	return true;
}
