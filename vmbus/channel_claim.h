/*
 * What VMBus channels want inside the chipset windows, and where it can be had.
 *
 * A channel states how many MiB of MMIO it may ask for; the guest's driver picks the addresses
 * itself. A claim is the promise that they are there: a place for every channel at once.
 *
 *	high  [ A A A A | B B |        )        largest first, upwards
 *	low   [ C | D |       | zone   )        what high does not hold, below the fixed devices
 */
#ifndef VMBUS_CHANNEL_CLAIM_H
#define VMBUS_CHANNEL_CLAIM_H

#include "layout/chipset_mmio.h"
#include "support/guest_arch.h"
#include "support/guid.h"

#define CHANNEL_MAX_DEMANDS 256

typedef struct ChannelDemand {
	Guid interface_id, instance_id;
	uint32_t mmio_megabytes; /* MiB; 0 = none */
} ChannelDemand;

typedef struct ChannelDemandList {
	const ChannelDemand *items; /* any order */
	size_t count;               /* at most CHANNEL_MAX_DEMANDS */
} ChannelDemandList;

typedef enum ChannelWindow {
	CHANNEL_WINDOW_HIGH, /* tried first: low is scarce and wanted by 32-bit devices */
	CHANNEL_WINDOW_LOW,
	CHANNEL_WINDOW_COUNT
} ChannelWindow;

typedef struct ChannelClaim {
	Guid interface_id, instance_id;
	MemoryRange range; /* 1 MiB aligned, never empty */
	ChannelWindow window;
} ChannelClaim;

typedef struct ChannelClaimList {
	const ChannelClaim *items; /* in the order of the demands */
	size_t count;
} ChannelClaimList;

/** channel_window_name - "high", "low" */
const char *channel_window_name(ChannelWindow window);

/**
 * channel_claims_place - a place for every demand at once
 * @arch:    whose fixed devices keep the top of the low window
 * @mmio:    the windows as the guest gets them, without the relay's aperture
 * @out:     lives in @arena; a demand of 0 MiB claims nothing and is not in it
 *
 * Largest demand first, equal ones in their order; each behind the one before it in the high
 * window if it fits there, else in the low one. Places are multiples of 1 MiB, so powers of two
 * are naturally aligned in a window whose start is. Outputs are untouched on failure.
 *
 * Errors: PVW_VMBUS_0004 (LIMIT) too many demands, PVW_VMBUS_0005 (BAD_VALUE) one channel twice,
 * PVW_VMBUS_0006 (NO_SPACE) with both windows and what stands in the way in each.
 */
MUST_CHECK bool channel_claims_place(GuestArch arch, const ChipsetMmioRanges *mmio,
	ChannelDemandList demands, Arena *arena, ChannelClaimList *out, Error *err);

#endif
