/*
 * GUIDs as sixteen bytes and as text.
 */
#include "support/guid.h"

#include <string.h>

#include "support/diagnostics.h"

/* Which byte each pair of digits stands for; the first three groups are little-endian. */
static const uint8_t text_order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

static bool dash_before(size_t pair)
{
	return pair == 4 || pair == 6 || pair == 8 || pair == 10;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool guid_is_zero(Guid guid)
{
	static const Guid zero;

	return memcmp(&guid, &zero, sizeof(guid)) == 0;
}

/* Stops at the first character that does not belong, NUL among them. */
static bool parse_text(const char *at, Guid *out)
{
	for (size_t pair = 0; pair < ARRAY_COUNT(text_order); pair++) {
		if (dash_before(pair) && *at++ != '-')
			return false;

		const int high = digit_value(at[0]);
		const int low = high < 0 ? -1 : digit_value(at[1]);

		if (low < 0)
			return false;
		out->bytes[text_order[pair]] = (uint8_t)(high * 16 + low);
		at += 2;
	}
	return *at == '\0';
}

bool guid_parse(const char *text, Guid *out, Error *err)
{
	Guid guid;

	if (!parse_text(text, &guid))
		return error_set(err, PVW_GUID_0001,
			"\"%.64s\", expected 8-4-4-4-12 hexadecimal digits", text);
	*out = guid;
	return true;
}

void guid_format(Guid guid, char text[GUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *at = text;

	for (size_t pair = 0; pair < ARRAY_COUNT(text_order); pair++) {
		const uint8_t byte = guid.bytes[text_order[pair]];

		if (dash_before(pair))
			*at++ = '-';
		*at++ = digits[byte >> 4];
		*at++ = digits[byte & 15];
	}
	*at = '\0';
}
