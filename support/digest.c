/*
 * SHA-256 over libmd.
 */
#include "support/digest.h"

#include <sys/types.h>

#include <sha2.h>
#include <string.h>

static_assert(sizeof(SHA2_CTX) <= sizeof(DigestState), "libmd's context fits");
static_assert(_Alignof(SHA2_CTX) <= _Alignof(DigestState), "libmd's context is aligned");
static_assert(DIGEST_SIZE == SHA256_DIGEST_LENGTH, "[FIPS180-4] 1");

static SHA2_CTX *context_of(DigestState *state)
{
	return (SHA2_CTX *)(void *)state->opaque;
}

void digest_begin(DigestState *state)
{
	SHA256Init(context_of(state));
}

void digest_add(DigestState *state, const void *data, size_t len)
{
	if (len > 0)
		SHA256Update(context_of(state), data, len);
}

void digest_add_u64(DigestState *state, uint64_t value)
{
	digest_add(state, &value, sizeof(value));
}

Digest digest_end(DigestState *state)
{
	Digest digest;

	SHA256Final(digest.bytes, context_of(state));
	return digest;
}

Digest digest_of(Bytes bytes)
{
	DigestState state;

	digest_begin(&state);
	digest_add(&state, bytes.data, bytes.len);
	return digest_end(&state);
}

bool digest_equal(Digest a, Digest b)
{
	return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

void digest_format(Digest digest, char text[DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		text[2 * i] = digits[digest.bytes[i] >> 4];
		text[2 * i + 1] = digits[digest.bytes[i] & 15];
	}
	text[DIGEST_HEX_SIZE - 1] = '\0';
}
