/*
 * Half-open ranges of guest physical addresses, and lists of them.
 */
#ifndef SUPPORT_MEMORY_RANGE_H
#define SUPPORT_MEMORY_RANGE_H

#include <inttypes.h>

#include "support/error.h"

#define PAGE_SIZE UINT64_C(4096)
#define PAGE_SHIFT 12
#define FOUR_GIB UINT64_C(0x100000000)

/*
 * Half-open range [start, end) of guest physical addresses, bytes. Page aligned and
 * start <= end by construction; empty is start == end, normalised to {0, 0}.
 */
typedef struct MemoryRange {
	uint64_t start, end;
} MemoryRange;

#define MEMORY_RANGE_EMPTY ((MemoryRange){ 0, 0 })

/* The highest end that a range can have: the last page boundary below 2^64. */
#define MEMORY_RANGE_LIMIT (UINT64_MAX - (PAGE_SIZE - 1))

/* A range in a message: "0x1000-0x3000". */
#define RANGE_FORMAT "0x%" PRIx64 "-0x%" PRIx64
#define RANGE_ARGS(range) (range).start, (range).end

/* A range with the NUMA node of its memory. */
typedef struct NodeRange {
	MemoryRange range;
	uint32_t vnode;
} NodeRange;

typedef struct MemoryRangeList {
	const MemoryRange *items;
	size_t count;
} MemoryRangeList;

typedef struct NodeRangeList {
	const NodeRange *items;
	size_t count;
} NodeRangeList;

static inline uint64_t memory_range_len(MemoryRange range)
{
	return range.end - range.start;
}

static inline bool memory_range_is_empty(MemoryRange range)
{
	return range.start == range.end;
}

/** memory_range_overlaps - both hold a common byte; an empty range overlaps nothing */
static inline bool memory_range_overlaps(MemoryRange a, MemoryRange b)
{
	return a.start < b.end && b.start < a.end && !memory_range_is_empty(a) &&
		!memory_range_is_empty(b);
}

static inline bool memory_range_contains(MemoryRange outer, MemoryRange inner)
{
	return memory_range_is_empty(inner) ||
		(outer.start <= inner.start && inner.end <= outer.end);
}

static inline bool memory_range_contains_address(MemoryRange range, uint64_t address)
{
	return range.start <= address && address < range.end;
}

static inline bool memory_range_equal(MemoryRange a, MemoryRange b)
{
	return a.start == b.start && a.end == b.end;
}

/**
 * memory_range_from_base_len - a range from what a tree or a message states
 * @base, @len: bytes, multiples of PAGE_SIZE
 *
 * Outputs are untouched on failure.
 *
 * Errors: PVW_RANGE_0001 (BAD_VALUE) unaligned, PVW_RANGE_0002 (BAD_VALUE) @base + @len wraps.
 */
MUST_CHECK bool memory_range_from_base_len(
	uint64_t base, uint64_t len, MemoryRange *out, Error *err);

/** memory_range_from_bounds - a range from start and end; PVW_RANGE_0001 or _0003 (start > end) */
MUST_CHECK bool memory_range_from_bounds(
	uint64_t start, uint64_t end, MemoryRange *out, Error *err);

/** memory_range_intersection - the common part, {0, 0} if there is none */
MemoryRange memory_range_intersection(MemoryRange a, MemoryRange b);

/**
 * memory_range_split - cut a range in two
 * @range:  range to cut, not empty
 * @offset: distance from @range.start in bytes, multiple of PAGE_SIZE, <= its length
 * @head:   receives [start, start + offset)
 * @tail:   receives [start + offset, end)
 *
 * Either half may be empty. Outputs are untouched on failure.
 *
 * Errors: PVW_RANGE_0004 (BAD_VALUE) if @offset is unaligned or beyond the end.
 */
MUST_CHECK bool memory_range_split(
	MemoryRange range, uint64_t offset, MemoryRange *head, MemoryRange *tail, Error *err);

/**
 * memory_range_aligned_subrange - the largest part of @range whose ends are multiples of @align
 * @align: bytes, a power of two
 * @out:   {0, 0} if there is none
 *
 * Errors: PVW_RANGE_0006 (BAD_VALUE) if @align is not a power of two or the start, rounded up,
 * does not fit 64 bits.
 * Source: [OVMM] vm/vmcore/memory_range, aligned_subrange
 */
MUST_CHECK bool memory_range_aligned_subrange(
	MemoryRange range, uint64_t align, MemoryRange *out, Error *err);

/**
 * memory_range_alignment - the largest power of two that divides both ends, seen from @base
 * @base: bytes, added to both ends
 *
 * Errors: PVW_RANGE_0006 (BAD_VALUE) if both sums are 0 (everything divides) or one wraps.
 * Source: [OVMM] vm/vmcore/memory_range, alignment
 */
MUST_CHECK bool memory_range_alignment(
	MemoryRange range, uint64_t base, uint64_t *out, Error *err);

#endif
