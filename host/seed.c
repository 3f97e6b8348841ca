/*
 * Entropy from a seed.
 */
#include "host/seed.h"

#include <string.h>

#define SEED_MAGIC "PVWSEED1"

void seed_entropy(uint64_t seed, uint8_t out[ENTROPY_SIZE])
{
	for (size_t i = 0; i < ENTROPY_SIZE / DIGEST_SIZE; i++) {
		DigestState state;
		Digest block;

		digest_begin(&state);
		digest_add(&state, SEED_MAGIC, strlen(SEED_MAGIC));
		digest_add_u64(&state, seed);
		digest_add_u64(&state, i);
		block = digest_end(&state);
		memcpy(out + i * DIGEST_SIZE, block.bytes, DIGEST_SIZE);
	}
}
