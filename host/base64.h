/*
 * Base64, the standard alphabet with padding. [RFC4648] 4
 */
#ifndef HOST_BASE64_H
#define HOST_BASE64_H

#include "support/arena.h"
#include "support/bytes.h"

/** base64_encode - NUL-terminated text in @arena, NULL with @err set */
MUST_CHECK const char *base64_encode(Bytes bytes, Arena *arena, Error *err);

/**
 * base64_decode - the one text of each value: padded, no blanks, no stray bits
 *
 * Errors: PVW_JSON_0002 (BAD_VALUE), with the place.
 */
MUST_CHECK bool base64_decode(const char *text, Arena *arena, Bytes *out, Error *err);

#endif
