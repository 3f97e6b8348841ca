/*
 * Sizes as people write and read them.
 */
#include "host/size_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "support/checked.h"

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

bool size_text_parse(const char *text, uint64_t *out)
{
	uint64_t number = 0, size;
	const char *at = text;

	for (; *at >= '0' && *at <= '9'; at++) {
		if (!checked_mul_u64(number, 10, &number) ||
			!checked_add_u64(number, (uint64_t)(*at - '0'), &number))
			return false;
	}
	if (at == text)
		return false;
	at += *at == ' ';
	for (unsigned unit = 0; unit < ARRAY_COUNT(units); unit++) {
		if (strcmp(at, units[unit]) != 0)
			continue;
		if (!checked_mul_u64(number, UINT64_C(1) << (10 * unit), &size))
			return false;
		*out = size;
		return true;
	}
	return false;
}
