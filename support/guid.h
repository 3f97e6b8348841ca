/*
 * GUIDs: sixteen bytes in memory order (first three groups little-endian), and their text.
 */
#ifndef SUPPORT_GUID_H
#define SUPPORT_GUID_H

#include "support/error.h"

#define GUID_TEXT_SIZE 37 /* "00000000-0000-0000-0000-000000000000" and NUL */

typedef struct Guid {
	uint8_t bytes[16];
} Guid;

/** guid_is_zero - all bytes 0 */
bool guid_is_zero(Guid guid);

/** guid_parse - from text, case ignored; PVW_GUID_0001 (BAD_VALUE) names what was found */
MUST_CHECK bool guid_parse(const char *text, Guid *out, Error *err);

/** guid_format - lower-case text */
void guid_format(Guid guid, char text[GUID_TEXT_SIZE]);

#endif
