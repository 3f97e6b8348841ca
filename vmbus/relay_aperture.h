/*
 * The relay's aperture: what VTL2 takes from the top of the guest's high window, so that the
 * devices which it relays have somewhere to be configured.
 *
 *	high  [                                     )   as resolved
 *	rest  [                         )               what the guest is told
 *	aperture                        [ 0 | 1 | 2 )   one slot a device
 *
 * The piece is absent from everything that the guest sees: memory layout, ACPI, firmware
 * configuration, MTRRs, and from the list of what may be forwarded to the host.
 * Source: [OVMM] openhcl/underhill_core/src/worker.rs, VPCI relay
 */
#ifndef VMBUS_RELAY_APERTURE_H
#define VMBUS_RELAY_APERTURE_H

#include "layout/chipset_mmio.h"

#define RELAY_SLOT_SIZE (2 * PAGE_SIZE) /* configuration space and its shadow */
#define RELAY_MAX_DEVICES 64

/**
 * relay_aperture_take - cut the aperture off the high window
 * @mmio:     the windows as resolved
 * @devices:  slots wanted, 0 to RELAY_MAX_DEVICES; 0 means that there is no relay
 * @rest:     receives the windows without the piece; may be @mmio
 * @aperture: receives the piece, or the empty range
 *
 * The high window may become empty. Outputs are untouched on failure.
 *
 * Errors: PVW_VMBUS_0001 (LIMIT) too many devices, PVW_VMBUS_0002 (NO_SPACE) the high window is
 * absent or smaller than the aperture.
 */
MUST_CHECK bool relay_aperture_take(const ChipsetMmioRanges *mmio, uint32_t devices,
	ChipsetMmioRanges *rest, MemoryRange *aperture, Error *err);

/** relay_aperture_slots - how many devices an aperture holds */
static inline uint32_t relay_aperture_slots(MemoryRange aperture)
{
	return (uint32_t)(memory_range_len(aperture) / RELAY_SLOT_SIZE);
}

/**
 * relay_aperture_slot - where one device is configured
 *
 * Errors: PVW_VMBUS_0003 (LIMIT) if the aperture has no such slot.
 */
MUST_CHECK bool relay_aperture_slot(
	MemoryRange aperture, uint32_t slot, MemoryRange *out, Error *err);

#endif
