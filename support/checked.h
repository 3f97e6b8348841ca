/*
 * Arithmetic that reports overflow, and alignment.
 */
#ifndef SUPPORT_CHECKED_H
#define SUPPORT_CHECKED_H

#include "support/compiler.h"

MUST_CHECK static inline bool checked_add_u64(uint64_t a, uint64_t b, uint64_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

MUST_CHECK static inline bool checked_mul_u64(uint64_t a, uint64_t b, uint64_t *product)
{
	return !__builtin_mul_overflow(a, b, product);
}

MUST_CHECK static inline bool checked_add_size(size_t a, size_t b, size_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

MUST_CHECK static inline bool checked_mul_size(size_t a, size_t b, size_t *product)
{
	return !__builtin_mul_overflow(a, b, product);
}

/* @align is a power of two in all of these. */
static inline bool is_aligned(uint64_t value, uint64_t align)
{
	return (value & (align - 1)) == 0;
}

static inline uint64_t align_down(uint64_t value, uint64_t align)
{
	return value & ~(align - 1);
}

/** checked_align_up - false when the result would not fit */
MUST_CHECK static inline bool checked_align_up(uint64_t value, uint64_t align, uint64_t *out)
{
	uint64_t sum;

	if (!checked_add_u64(value, align - 1, &sum))
		return false;
	*out = align_down(sum, align);
	return true;
}

#endif
