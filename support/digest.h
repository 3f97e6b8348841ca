/*
 * SHA-256, the identity of artifacts, plans and fixtures.
 */
#ifndef SUPPORT_DIGEST_H
#define SUPPORT_DIGEST_H

#include "support/bytes.h"

#define DIGEST_SIZE 32
#define DIGEST_HEX_SIZE 65 /* hexadecimal text and NUL */

typedef struct Digest {
	uint8_t bytes[DIGEST_SIZE];
} Digest;

/* Running state; a value, but large: pass it by pointer. */
typedef struct DigestState {
	_Alignas(8) uint8_t opaque[208]; /* libmd's context; digest.c asserts that it fits */
} DigestState;

void digest_begin(DigestState *state);
void digest_add(DigestState *state, const void *data, size_t len);
void digest_add_u64(DigestState *state, uint64_t value); /* 8 bytes, little-endian */
Digest digest_end(DigestState *state);

/** digest_of - of @bytes, in one call */
Digest digest_of(Bytes bytes);

bool digest_equal(Digest a, Digest b);

/** digest_format - 64 lower-case hexadecimal digits */
void digest_format(Digest digest, char text[DIGEST_HEX_SIZE]);

#endif
