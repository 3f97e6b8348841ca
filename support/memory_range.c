/*
 * Half-open ranges: construction, intersection, cutting, alignment.
 */
#include "support/memory_range.h"

#include "support/checked.h"
#include "support/diagnostics.h"

/* Every empty range is the same one. */
static MemoryRange normalised(uint64_t start, uint64_t end)
{
	return start == end ? MEMORY_RANGE_EMPTY : (MemoryRange){ start, end };
}

bool memory_range_from_base_len(uint64_t base, uint64_t len, MemoryRange *out, Error *err)
{
	uint64_t end;

	if (!is_aligned(base | len, PAGE_SIZE))
		return error_set(err, PVW_RANGE_0001,
			"base 0x%" PRIx64 ", length 0x%" PRIx64
			", expected multiples of 0x1000",
			base, len);
	if (!checked_add_u64(base, len, &end))
		return error_set(err, PVW_RANGE_0002,
			"base 0x%" PRIx64 ", length 0x%" PRIx64 ", expected a sum below 2^64",
			base, len);
	*out = normalised(base, end);
	return true;
}

bool memory_range_from_bounds(uint64_t start, uint64_t end, MemoryRange *out, Error *err)
{
	if (!is_aligned(start | end, PAGE_SIZE))
		return error_set(err, PVW_RANGE_0001,
			"0x%" PRIx64 "-0x%" PRIx64 ", expected multiples of 0x1000", start,
			end);
	if (start > end)
		return error_set(err, PVW_RANGE_0003,
			"0x%" PRIx64 "-0x%" PRIx64 ", expected start <= end", start, end);
	*out = normalised(start, end);
	return true;
}

MemoryRange memory_range_intersection(MemoryRange a, MemoryRange b)
{
	const uint64_t start = a.start > b.start ? a.start : b.start;
	const uint64_t end = a.end < b.end ? a.end : b.end;

	return start < end ? (MemoryRange){ start, end } : MEMORY_RANGE_EMPTY;
}

bool memory_range_split(
	MemoryRange range, uint64_t offset, MemoryRange *head, MemoryRange *tail, Error *err)
{
	if (!is_aligned(offset, PAGE_SIZE))
		return error_set(err, PVW_RANGE_0004,
			"offset 0x%" PRIx64 " in " RANGE_FORMAT
			", expected a multiple of 0x1000",
			offset, RANGE_ARGS(range));
	if (offset > memory_range_len(range))
		return error_set(err, PVW_RANGE_0004,
			"offset 0x%" PRIx64 " in " RANGE_FORMAT ", expected at most 0x%" PRIx64,
			offset, RANGE_ARGS(range), memory_range_len(range));
	*head = normalised(range.start, range.start + offset);
	*tail = normalised(range.start + offset, range.end);
	return true;
}

bool memory_range_aligned_subrange(
	MemoryRange range, uint64_t align, MemoryRange *out, Error *err)
{
	uint64_t start;

	if (align == 0 || (align & (align - 1)) != 0)
		return error_set(err, PVW_RANGE_0006,
			"alignment 0x%" PRIx64 ", expected a power of two", align);
	if (!checked_align_up(range.start, align, &start))
		return error_set(err, PVW_RANGE_0006,
			"start 0x%" PRIx64 " rounded up to 0x%" PRIx64 ", expected below 2^64",
			range.start, align);

	const uint64_t end = align_down(range.end, align);

	*out = start < end ? (MemoryRange){ start, end } : MEMORY_RANGE_EMPTY;
	return true;
}

bool memory_range_alignment(MemoryRange range, uint64_t base, uint64_t *out, Error *err)
{
	uint64_t start, end;

	if (!checked_add_u64(base, range.start, &start) ||
		!checked_add_u64(base, range.end, &end))
		return error_set(err, PVW_RANGE_0006,
			RANGE_FORMAT " from base 0x%" PRIx64 ", expected sums below 2^64",
			RANGE_ARGS(range), base);
	if ((start | end) == 0)
		return error_set(err, PVW_RANGE_0006,
			"nothing but address 0, expected one that is not 0");
	*out = (start | end) & -(start | end);
	return true;
}
