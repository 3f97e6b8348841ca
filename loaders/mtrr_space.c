/*
 * RAM and MMIO of a guest as one row of segments, and the check that it is one.
 */
#include "loaders/mtrr_internal.h"

#include <inttypes.h>

#include "support/checked.h"

typedef enum SpanKind { SPAN_RAM, SPAN_MMIO, SPAN_UNUSED, SPAN_KIND_COUNT } SpanKind;

static const char *const span_names[] = {
	[SPAN_RAM] = "ram",
	[SPAN_MMIO] = "mmio",
	[SPAN_UNUSED] = "unused",
};
static_assert(ARRAY_COUNT(span_names) == SPAN_KIND_COUNT, "a name a kind");

/* A list being merged. */
typedef struct SpanSource {
	const MemoryRange *items;
	size_t count, at;
	SpanKind kind;
} SpanSource;

typedef struct SpaceBuilder {
	MtrrSegment *segments;
	uint32_t count;
	uint32_t ram, mmio; /* segments of that kind so far */
	SpanKind kind;      /* of the last segment */
	MemoryRange span;   /* the last one added; ends where the next may start */
	uint64_t limit;     /* 2^address_bits */
} SpaceBuilder;

static void push(SpaceBuilder *b, SpanKind kind, uint64_t start)
{
	if (b->count && b->kind == kind)
		return;
	b->segments[b->count++] = (MtrrSegment){ start, b->ram, b->mmio };
	b->kind = kind;
	b->ram += kind == SPAN_RAM;
	b->mmio += kind == SPAN_MMIO;
}

static bool check_span(const SpaceBuilder *b, SpanKind kind, MemoryRange span, Error *err)
{
	if (!is_aligned(span.start, PAGE_SIZE) || !is_aligned(span.end, PAGE_SIZE) ||
		span.start > span.end)
		return error_set(err, PVW_MTRR_0001,
			"%s " RANGE_FORMAT ", expected whole pages", span_names[kind],
			RANGE_ARGS(span));
	if (span.end > b->limit)
		return error_set(err, PVW_MTRR_0001,
			"%s " RANGE_FORMAT
			" is beyond the guest's address width, expected it to end at or below "
			"0x%" PRIx64,
			span_names[kind], RANGE_ARGS(span), b->limit);
	return true;
}

static bool add_span(SpaceBuilder *b, SpanKind kind, MemoryRange span, Error *err)
{
	if (span.start < b->span.end)
		return error_set(err, PVW_MTRR_0002,
			"%s " RANGE_FORMAT " overlaps %s " RANGE_FORMAT
			", expected disjoint ranges",
			span_names[kind], RANGE_ARGS(span), span_names[b->kind],
			RANGE_ARGS(b->span));
	if (span.start > b->span.end)
		push(b, SPAN_UNUSED, b->span.end);
	push(b, kind, span.start);
	b->span = span;
	return true;
}

/* The source whose next range starts first, NULL at the end of all. */
static SpanSource *next_source(SpanSource *sources, size_t count)
{
	SpanSource *next = NULL;

	for (size_t i = 0; i < count; i++) {
		SpanSource *source = &sources[i];

		while (source->at < source->count &&
			memory_range_is_empty(source->items[source->at]))
			source->at++;
		if (source->at == source->count)
			continue;
		if (!next || source->items[source->at].start < next->items[next->at].start)
			next = source;
	}
	return next;
}

/*
 * The first 1 MiB is RAM, whatever the map says of it: readers that do not know the fixed ranges
 * must find it so. What RAM the map has there is in it already.
 */
static bool add_low_ram(SpaceBuilder *b, SpanSource *ram, Error *err)
{
	const MemoryRange low = { 0, ONE_MIB };
	uint64_t end = 0;

	for (; ram->at < ram->count && ram->items[ram->at].start < ONE_MIB; ram->at++) {
		const MemoryRange span = ram->items[ram->at];

		if (memory_range_is_empty(span))
			continue;
		if (!check_span(b, SPAN_RAM, span, err))
			return false;
		if (span.start < end)
			return error_set(err, PVW_MTRR_0002,
				"ram " RANGE_FORMAT " starts before 0x%" PRIx64
				", expected disjoint ranges, ascending",
				RANGE_ARGS(span), end);
		end = span.end;
	}
	return add_span(b, SPAN_RAM, end > ONE_MIB ? (MemoryRange){ 0, end } : low, err);
}

static bool merge(SpaceBuilder *b, SpanSource *sources, size_t count, Error *err)
{
	SpanSource *source;

	if (!add_low_ram(b, &sources[0], err))
		return false;
	while ((source = next_source(sources, count))) {
		const MemoryRange span = source->items[source->at++];

		if (!check_span(b, source->kind, span, err) ||
			!add_span(b, source->kind, span, err))
			return false;
	}
	if (b->span.end < b->limit)
		push(b, SPAN_UNUSED, b->span.end);
	return true;
}

bool mtrr_space_build(const MtrrInputs *in, MtrrYield yielded, uint8_t address_bits,
	Arena *arena, MtrrSpace *out, Error *err)
{
	SpanSource sources[2 + MTRR_YIELD_COUNT] = {
		{ in->ram.items, in->ram.count, 0, SPAN_RAM },
		{ in->mmio.items, in->mmio.count, 0, SPAN_MMIO },
	};
	size_t count = 2, ranges = in->ram.count + in->mmio.count;
	SpaceBuilder b = { .limit = UINT64_C(1) << address_bits };

	for (MtrrYield list = yielded; list < MTRR_YIELD_COUNT; list++) {
		const MemoryRangeList more = in->yielding[list];

		sources[count++] = (SpanSource){ more.items, more.count, 0, SPAN_MMIO };
		ranges += more.count;
	}
	/* Each range and the unused space before it; the first 1 MiB; the rest; the end. */
	b.segments = arena_array(arena, MtrrSegment, 2 * ranges + 3, err);
	if (!b.segments)
		return false;
	if (!merge(&b, sources, count, err))
		return false;
	b.segments[b.count] = (MtrrSegment){ b.limit, b.ram, b.mmio };
	arena_shrink(arena, b.segments, (b.count + 1) * sizeof(*b.segments));
	*out = (MtrrSpace){ b.segments, b.count, address_bits };
	return true;
}
