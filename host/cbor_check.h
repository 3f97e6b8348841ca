/*
 * What is checked of CBOR bytes before anything decodes them.
 *
 * The library allocates for claimed counts, takes duplicate and unsorted keys, wide heads and
 * trailing bytes. So nothing reaches it that was not walked here: one pass, no recursion, no
 * allocation. Source: [RFC8949] 4.2.1
 */
#ifndef HOST_CBOR_CHECK_H
#define HOST_CBOR_CHECK_H

#include "support/bytes.h"
#include "support/error.h"

#define CBOR_CHECK_MAX_DEPTH 16     /* arrays and maps inside each other */
#define CBOR_CHECK_MAX_ITEMS 100000 /* in the whole file, keys included */

/**
 * cbor_check - one item of core deterministic CBOR, and nothing behind it
 * @source: named in the error, which also has the offset of the head at fault
 *
 * Allowed are integers, byte strings, UTF-8 text, arrays, maps with integers or texts as keys,
 * false, true and null; heads of the shortest form, definite lengths, keys in strictly ascending
 * order of their encoding; no tags, no floats.
 *
 * Errors: PVW_FIXTURE_0001 (BAD_VALUE) any of this violated, _0003 (LIMIT) too deep or too many
 * items, _0004 (TRUNCATED) a length or count that the bytes left cannot hold.
 */
MUST_CHECK bool cbor_check(Bytes bytes, const char *source, Error *err);

#endif
