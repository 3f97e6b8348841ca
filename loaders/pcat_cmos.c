/*
 * Default CMOS as a table of runs; what is not in it is 0.
 * Source: [OVMM] vm/devices/firmware/firmware_pcat/src/default_cmos_values.rs
 */
#include "loaders/pcat_cmos.h"

#include <inttypes.h>
#include <string.h>

#include "support/diagnostics.h"

#define MIB_SHIFT 20

/* Two bytes of the size of the first RAM range, low one first. */
#define CMOS_EXTENDED_MIB 0x17

typedef struct CmosRun {
	uint8_t at, len;
	uint8_t bytes[19];
} CmosRun;

/* Ascending. The sums and the memory size are filled in. */
static const CmosRun defaults[] = {
	{ 0x10, 7,
		{ 0x40, 0x00, 0x00, 0x20, 0x1f, 0x80, 0x02 } }, /* 0x15: 640 KiB base memory */
	{ 0x19, 2, { 0x30, 0x30 } },
	{ 0x27, 7, { 0x30, 0x30, 0x26, 0x07, 0x07, 0x07, 0x07 } },
	{ 0x3a, 4, { 0x10, 0x86, 0x00, 0x40 } },
	{ 0x4d, 19,
		{ 0x48, 0x1a, 0x19, 0x71, 0xa9, 0x18, 0x00, 0xa8, 0xf1, 0x49, 0x76, 0x14, 0x01,
			0x80, 0x93, 0x00, 0x40, 0x03, 0x00 } },
	{ 0x60, 12,
		{ 0x00, 0x08, 0x5a, 0xac, 0xfe, 0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xe4 } },
	{ 0x72, 1, { 0x03 } },
};

typedef struct CmosSum {
	uint8_t at; /* high byte, then low byte */
	struct {
		uint8_t first, last;
	} spans[2];
} CmosSum;

/* What the BIOS adds up. */
static const CmosSum sums[] = {
	{ 0x2e, { { 0x10, 0x2d }, { 1, 0 } } },
	{ 0x3e, { { 0x37, 0x3d }, { 0x40, 0x7f } } },
};

static void put_sum(uint8_t *cmos, const CmosSum *sum)
{
	uint32_t total = 0;

	for (size_t i = 0; i < ARRAY_COUNT(sum->spans); i++) {
		for (unsigned at = sum->spans[i].first; at <= sum->spans[i].last; at++)
			total += cmos[at];
	}
	cmos[sum->at] = (uint8_t)(total >> 8);
	cmos[sum->at + 1] = (uint8_t)total;
}

bool pcat_cmos_build(uint64_t first_block_bytes, uint8_t out[PCAT_CMOS_SIZE], Error *err)
{
	const uint64_t mib = first_block_bytes >> MIB_SHIFT;

	if (mib > UINT16_MAX)
		return error_set(err, PVW_PCAT_0005,
			"the first memory block is %" PRIu64
			" MiB long, expected at most 65535",
			mib);

	memset(out, 0, PCAT_CMOS_SIZE);
	for (size_t i = 0; i < ARRAY_COUNT(defaults); i++)
		memcpy(&out[defaults[i].at], defaults[i].bytes, defaults[i].len);
	out[CMOS_EXTENDED_MIB] = (uint8_t)mib;
	out[CMOS_EXTENDED_MIB + 1] = (uint8_t)(mib >> 8);
	for (size_t i = 0; i < ARRAY_COUNT(sums); i++)
		put_sum(out, &sums[i]);
	return true;
}
