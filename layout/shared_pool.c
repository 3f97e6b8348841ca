/*
 * Size and place of the shared pool.
 */
#include "layout/shared_pool.h"

#include <inttypes.h>

#include "layout/layout_internal.h"
#include "support/checked.h"
#include "support/diagnostics.h"

#define POOL_ALIGN UINT64_C(0x200000)

/*
 * DMA buffers: eight devices, each with small and large requests for as many processors as it
 * has queues for. Attestation: one buffer.
 */
#define POOL_DEVICES UINT64_C(8)
#define POOL_SMALL_PAGES UINT64_C(21)
#define POOL_SMALL_QUEUES 32
#define POOL_LARGE_PAGES UINT64_C(130)
#define POOL_LARGE_QUEUES 128
#define POOL_ATTESTATION_PAGES UINT64_C(16)

/* Pages that each processor shares with the hypervisor. */
static const uint64_t processor_pages[] = {
	[ISOLATION_NONE] = 0,
	[ISOLATION_VBS] = 0,
	[ISOLATION_SNP] = 3, /* SIPP, SIFP, GHCB */
	[ISOLATION_TDX] = 2, /* SIPP, SIFP */
};
static_assert(ARRAY_COUNT(processor_pages) == ISOLATION_COUNT, "one row an isolation type");

static uint32_t at_most(uint32_t value, uint32_t limit)
{
	return value < limit ? value : limit;
}

uint64_t shared_pool_size(IsolationType isolation, uint32_t processors)
{
	uint64_t pages = POOL_ATTESTATION_PAGES;

	if (!isolation_is_isolated(isolation))
		return 0;
	pages += POOL_DEVICES * POOL_SMALL_PAGES * at_most(processors, POOL_SMALL_QUEUES);
	pages += POOL_DEVICES * POOL_LARGE_PAGES * at_most(processors, POOL_LARGE_QUEUES);
	pages += processor_pages[isolation] * processors;
	return align_down(pages * PAGE_SIZE + POOL_ALIGN - 1, POOL_ALIGN);
}

/* The lowest record that the pool reaches into, and how much of it is taken. */
typedef struct PoolCut {
	size_t index;  /* records.count when nothing is taken */
	uint64_t take; /* bytes from the top of it */
	size_t pieces; /* records that are taken in whole or part */
} PoolCut;

static bool pool_may_take(const LayoutRecord *record)
{
	return record->kind == LAYOUT_RAM && record->igvm_type == IGVM_MEMORY;
}

static bool find_cut(LayoutRecordList ram, uint64_t size, PoolCut *out, Error *err)
{
	PoolCut cut = { .index = ram.count };
	uint64_t need = size;

	for (size_t i = ram.count; need && i-- > 0;) {
		const uint64_t len = memory_range_len(ram.items[i].range);

		if (!pool_may_take(&ram.items[i]))
			continue;
		cut.index = i;
		cut.take = len < need ? len : need;
		cut.pieces++;
		need -= cut.take;
	}
	if (need)
		return error_set(err, PVW_LAYOUT_0006,
			"shared pool of 0x%" PRIx64 " bytes, but only 0x%" PRIx64
			" bytes of ordinary memory",
			size, size - need);
	*out = cut;
	return true;
}

bool shared_pool_take(LayoutRecordList ram, uint64_t size, Arena *arena, LayoutRecordList *rest,
	NodeRangeList *pool, Error *err)
{
	size_t left = 0, taken = 0;
	LayoutRecord *records;
	NodeRange *pieces;
	PoolCut cut = { 0 };

	if (!is_aligned(size, PAGE_SIZE))
		return error_set(err, PVW_LAYOUT_0007,
			"shared pool of 0x%" PRIx64 " bytes, expected a multiple of 4096",
			size);
	if (!find_cut(ram, size, &cut, err))
		return false;
	records = arena_reserve_array(arena, LayoutRecord, ram.count, err);
	pieces = records ? arena_reserve_array(arena, NodeRange, cut.pieces, err) : NULL;
	if (!pieces)
		return false;

	for (size_t i = 0; i < ram.count; i++) {
		LayoutRecord record = ram.items[i];
		MemoryRange piece = record.range;

		if (i >= cut.index && pool_may_take(&record)) {
			if (i == cut.index)
				piece.start = piece.end - cut.take;
			record.range.end = piece.start;
			pieces[taken++] = (NodeRange){ piece, record.vnode };
		}
		if (!memory_range_is_empty(record.range))
			records[left++] = record;
	}
	*rest = (LayoutRecordList){ records, left };
	*pool = (NodeRangeList){ pieces, taken };
	return true;
}
