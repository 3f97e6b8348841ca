/*
 * The bus as each privilege level is told of it: windows, connection, relay.
 *
 * VTL0 talks to its bus over message connection 1. VTL2 talks to the host's over connection 4,
 * or, when the host redirects the guest's devices to VTL2, over 0x800074.
 * Source: [OVMM] vm/devices/vmbus, openhcl/openhcl_boot/src/host_params
 */
#ifndef VMBUS_BUS_DESCRIPTION_H
#define VMBUS_BUS_DESCRIPTION_H

#include "layout/chipset_mmio.h"

#define BUS_VTL0_CONNECTION 1
#define BUS_VTL2_CONNECTION 4
#define BUS_VTL2_REDIRECTED_CONNECTION 0x800074

/* What one privilege level is told. */
typedef struct BusSide {
	uint32_t connection_id;
	MemoryRangeList windows; /* ascending, none empty */
} BusSide;

typedef struct BusDescription {
	bool redirected; /* the host's devices for the guest come to VTL2 */
	BusSide vtl0, vtl2;
	MemoryRange relay;    /* the relay's aperture, or empty */
	uint32_t relay_slots; /* devices that it holds */
} BusDescription;

/**
 * bus_description_build - what both levels are told
 * @mmio:       the windows as the guest gets them, without @relay
 * @redirected: the host redirects the guest's devices to VTL2
 * @relay:      of relay_aperture_take, or empty
 * @out:        VTL0's list of windows lives in @arena, VTL2's is borrowed from @mmio
 *
 * Outputs are untouched on failure.
 *
 * Errors: PVW_VMBUS_0007 (STATE) a relay without redirection: there is nothing to relay;
 * PVW_VMBUS_0008 (OVERLAP) a window still holds a part of the relay's aperture.
 */
MUST_CHECK bool bus_description_build(const ChipsetMmioRanges *mmio, bool redirected,
	MemoryRange relay, Arena *arena, BusDescription *out, Error *err);

/** bus_vtl2_connection - what a host tree states for VTL2's bus */
static inline uint32_t bus_vtl2_connection(bool redirected)
{
	return redirected ? BUS_VTL2_REDIRECTED_CONNECTION : BUS_VTL2_CONNECTION;
}

/**
 * bus_connection_read - what a tree's message connection says
 * @vtl:        whose bus it is, 0 or 2
 * @redirected: receives whether the guest's devices come to VTL2; for VTL0 always false
 *
 * Errors: PVW_VMBUS_0009 (BAD_VALUE) if that level has no such connection.
 */
MUST_CHECK bool bus_connection_read(
	uint8_t vtl, uint32_t connection_id, bool *redirected, Error *err);

#endif
