/*
 * Strict UTF-8, [RFC3629] section 4.
 */
#include "bootinfo/utf8.h"

#include <string.h>

/* Lead byte, length, and what the second byte may be; continuation bytes are 80..BF. */
static const struct {
	uint8_t first, last;
	uint8_t len;
	uint8_t second_min, second_max;
} sequences[] = {
	{ 0xc2, 0xdf, 2, 0x80, 0xbf }, { 0xe0, 0xe0, 3, 0xa0, 0xbf }, /* no overlong forms */
	{ 0xe1, 0xec, 3, 0x80, 0xbf }, { 0xed, 0xed, 3, 0x80, 0x9f }, /* no surrogates */
	{ 0xee, 0xef, 3, 0x80, 0xbf }, { 0xf0, 0xf0, 4, 0x90, 0xbf },
	{ 0xf1, 0xf3, 4, 0x80, 0xbf },
	{ 0xf4, 0xf4, 4, 0x80, 0x8f }, /* nothing above U+10FFFF */
};

/* Length of the sequence of two or more bytes at @s, 0 if it is none. */
static size_t sequence_len(const uint8_t *s, size_t left)
{
	for (size_t i = 0; i < ARRAY_COUNT(sequences); i++) {
		const size_t len = sequences[i].len;

		if (s[0] < sequences[i].first || s[0] > sequences[i].last)
			continue;
		if (len > left || s[1] < sequences[i].second_min ||
			s[1] > sequences[i].second_max)
			return 0;
		for (size_t k = 2; k < len; k++) {
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		}
		return len;
	}
	return 0;
}

bool utf8_is_valid(Bytes text)
{
	size_t at = 0;

	while (at < text.len) {
		uint64_t eight;
		size_t len;

		/* Names are ASCII: eight characters at a time. */
		if (text.len - at >= sizeof(eight)) {
			memcpy(&eight, text.data + at, sizeof(eight));
			if (!(eight & UINT64_C(0x8080808080808080))) {
				at += sizeof(eight);
				continue;
			}
		}
		if (text.data[at] < 0x80) {
			at++;
			continue;
		}
		len = sequence_len(text.data + at, text.len - at);
		if (len == 0)
			return false;
		at += len;
	}
	return true;
}
