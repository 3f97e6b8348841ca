/*
 * Sizes for people.
 */
#include "host/size_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "support/compiler.h"

static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };

SizeText size_text(uint64_t bytes)
{
	SizeText out;
	unsigned unit = 0, shift = 0;
	uint64_t whole, tenths;

	while (unit + 1 < ARRAY_COUNT(units) && bytes >> shift >= 1024) {
		unit++;
		shift += 10;
	}
	whole = bytes >> shift;
	/* The ten bits below the unit are enough for a tenth. */
	tenths = shift ? (((bytes >> (shift - 10)) & 1023) * 10 + 512) / 1024 : 0;
	if (tenths == 10) {
		whole++;
		tenths = 0;
	}
	if (tenths)
		snprintf(out.text, sizeof(out.text), "%" PRIu64 ".%" PRIu64 " %s", whole,
			tenths, units[unit]);
	else
		snprintf(out.text, sizeof(out.text), "%" PRIu64 " %s", whole, units[unit]);
	return out;
}
