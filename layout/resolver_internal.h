/*
 * From a shape to requests, and from places to views: what versions of the layout share.
 */
#ifndef LAYOUT_RESOLVER_INTERNAL_H
#define LAYOUT_RESOLVER_INTERNAL_H

#include "layout/layout_internal.h"
#include "layout/layout_kept.h"
#include "layout/resolver.h"

#define CHIPSET_HIGH_TAG "chipset-high-mmio"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)

typedef struct KeptIndex KeptIndex;

/* Who is behind a request, and where in the result its range goes. */
typedef struct Subject {
	LayoutItem item;
	uint32_t owner;
	MemoryRange *view;  /* NULL: it has more than one */
	PlacementKind kind; /* as asked, if it was pinned later */
} Subject;

static inline Subject subject_of(LayoutItem item, uint32_t owner, MemoryRange *view)
{
	return (Subject){ .item = item, .owner = owner, .view = view };
}

/* Buses of a segment, kept at the first root complex that is on it. */
typedef struct Segment {
	size_t first;               /* index of that root complex */
	uint8_t start_bus, end_bus; /* at the first one: lowest and highest of all */
	MemoryRange ecam;           /* at the first one: of all buses */
} Segment;

typedef struct Resolver {
	const LayoutShape *shape;
	Arena *arena;
	ResolvedLayout result; /* views of requests point into it and into @complexes */
	RootComplexLayout *complexes;
	Segment *segments; /* by root complex */
	AllocatorRequest *requests;
	Subject *subjects;
	size_t count;
	size_t ram_begin, ram_end; /* those for RAM */
	bool natural; /* version 2: windows as aligned as what they can hold, RAM to 2 MiB */
} Resolver;

/** shape_check - everything that can be said before anything is placed */
MUST_CHECK bool shape_check(const LayoutShape *shape, Error *err);

/** resolver_begin - room for all requests of a shape that has been checked, and @extra more */
MUST_CHECK bool resolver_begin(Resolver *resolver, size_t extra, Error *err);

/** resolver_find_segments - fills in @segments */
MUST_CHECK bool resolver_find_segments(Resolver *resolver, Error *err);

/** resolver_pin - asks for a range; an empty one is nobody's */
void resolver_pin(Resolver *resolver, PlacementKind kind, MemoryRange range, LayoutTag tag,
	Subject subject);

/** resolver_ask - asks for bytes */
void resolver_ask(Resolver *resolver, PlacementKind kind, uint64_t size, uint64_t align,
	LayoutTag tag, Subject subject);

/** chipset_low_range - the low chipset window: as large as wanted, the zone at least */
MemoryRange chipset_low_range(const LayoutShape *shape);

/* What asks for something, in the order in which it asks. */
void request_chipset(Resolver *resolver); /* version 1 */
void request_devices(Resolver *resolver); /* root complexes, virtio-mmio, IOMMUs */
void request_ram(Resolver *resolver);
void request_vtl2(Resolver *resolver);

/** resolver_count_ram - pieces of RAM, at least one */
size_t resolver_count_ram(const Resolver *resolver, const Allocation *allocation);

/** resolver_fill_ram - RAM to where the result speaks of it; @ram has room for all pieces */
void resolver_fill_ram(const Resolver *resolver, const Allocation *allocation, NodeRange *ram,
	ResolvedLayout *out);

/** resolver_fill_views - every other range to where the result speaks of it */
MUST_CHECK bool resolver_fill_views(
	Resolver *resolver, const Allocation *allocation, Error *err);

/** check_top - does everything fit below 2^address_bits? */
MUST_CHECK bool check_top(const LayoutShape *shape, uint64_t top, Error *err);

/** resolver_seal - the last checks of a layout, and it is the caller's */
MUST_CHECK bool resolver_seal(const Resolver *resolver, ResolvedLayout *out, Error *err);

/**
 * resolve_reference, resolve_current - versions 1 and 2, of a shape that has been checked
 * @kept: where everything but RAM is, or NULL
 */
MUST_CHECK bool resolve_reference(const LayoutShape *shape, const KeptIndex *kept, Arena *arena,
	ResolvedLayout *out, Error *err);
MUST_CHECK bool resolve_current(const LayoutShape *shape, const KeptIndex *kept, Arena *arena,
	ResolvedLayout *out, Error *err);

/*
 * What was kept of a layout.
 */

/** layout_check_version - was @kept made with @version? */
bool layout_check_version(const KeptLayout *kept, uint32_t version, Error *err);

/** kept_pin - pins every window that is asked for where it was, and checks those pinned anyway */
MUST_CHECK bool kept_pin(const KeptIndex *kept, Resolver *resolver, Error *err);

/** kept_chipset_high - where the window was, if it has the size that it had */
MemoryRange kept_chipset_high(const KeptIndex *kept, MemoryRange computed);

/** kept_check_ram - is RAM where it was? */
MUST_CHECK bool kept_check_ram(
	const KeptIndex *kept, NodeRangeList ram, Arena *arena, Error *err);

#endif
