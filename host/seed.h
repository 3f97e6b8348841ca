/*
 * Entropy that can be said again: 64 bytes from a number.
 */
#ifndef HOST_SEED_H
#define HOST_SEED_H

#include "loaders/boot_path.h"

/**
 * seed_entropy - SHA-256 in counter mode: block i is the digest of "PVWSEED1", @seed and i
 *
 * Both numbers are u64, little-endian; i is 0 and 1. Never for a guest that must not be guessed.
 * Source: docs/formats.md, "Entropy from a seed"
 */
void seed_entropy(uint64_t seed, uint8_t out[ENTROPY_SIZE]);

#endif
