/*
 * Base64. [RFC4648] 4
 */
#include "host/base64.h"

#include <string.h>

#include "support/diagnostics.h"

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const char *base64_encode(Bytes bytes, Arena *arena, Error *err)
{
	const size_t groups = bytes.len / 3 + (bytes.len % 3 != 0);
	char *text = arena_alloc(arena, groups * 4 + 1, 1, err);

	if (!text)
		return NULL;
	for (size_t i = 0; i < groups; i++) {
		const uint8_t *from = bytes.data + 3 * i;
		const size_t have = bytes.len - 3 * i < 3 ? bytes.len - 3 * i : 3;
		const uint32_t group = (uint32_t)from[0] << 16 |
			(uint32_t)(have > 1 ? from[1] : 0) << 8 | (have > 2 ? from[2] : 0);

		for (size_t j = 0; j < 4; j++)
			text[4 * i + j] =
				j <= have ? alphabet[group >> (18 - 6 * j) & 63] : '=';
	}
	return text;
}

/* 0 to 63, or 64 for what is no digit. */
static uint32_t digit_of(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (uint32_t)(at - alphabet) : 64;
}

static bool decode_group(const char *text, size_t have, uint8_t *out)
{
	uint32_t group = 0;

	for (size_t i = 0; i <= have; i++) {
		const uint32_t digit = digit_of(text[i]);

		if (digit == 64)
			return false;
		group |= digit << (18 - 6 * i);
	}
	for (size_t i = 0; i < have; i++)
		out[i] = (uint8_t)(group >> (16 - 8 * i));
	/* Bits behind the last byte would be another text for the same value. */
	return (group & ((1u << (24 - 8 * have)) - 1)) == 0;
}

bool base64_decode(const char *text, Arena *arena, Bytes *out, Error *err)
{
	const size_t len = strlen(text);
	size_t pads = 0;
	uint8_t *bytes;

	while (pads < 2 && pads < len && text[len - 1 - pads] == '=')
		pads++;
	if (len % 4 != 0)
		return error_set(err, PVW_JSON_0002,
			"%zu characters of base64, expected a multiple of 4", len);
	bytes = arena_alloc(arena, len / 4 * 3, 1, err);
	if (!bytes)
		return false;
	for (size_t at = 0; at < len; at += 4) {
		const size_t have = at + 4 == len ? 3 - pads : 3;

		if (!decode_group(text + at, have, bytes + at / 4 * 3))
			return error_set(err, PVW_JSON_0002,
				"'%.4s' at character %zu, expected base64", text + at, at);
	}
	*out = (Bytes){ bytes, len / 4 * 3 - pads };
	return true;
}
