/*
 * Moving an IGVM image: addresses, and page tables that find everything where it went.
 *
 *	file    [ page tables ][ region … )
 *	           |  offset      |  offset
 *	guest         [ page tables ][ region … )
 *
 * A mapping of an address to itself moves with its memory; any other stays and leads to where its
 * memory went. The page tables' own memory moves like the region: also its mapping does.
 * Source: [IGVM] igvm/src/page_table.rs; [SDM3] 4.5; [ARM] D8.3
 */
#ifndef LOADERS_IGVM_RELOCATE_H
#define LOADERS_IGVM_RELOCATE_H

#include "support/arena.h"
#include "support/bytes.h"
#include "support/guest_arch.h"
#include "support/memory_range.h"

#define IGVM_MAX_TABLES 1024 /* pages of page tables */

/* What moves, and how far; the offset wraps when it moves down. */
typedef struct IgvmMove {
	MemoryRange ranges[2]; /* the region, its page tables; one may be empty */
	uint64_t offset;
} IgvmMove;

/** igvm_move - where @gpa is after the move: unchanged if it does not move */
uint64_t igvm_move(const IgvmMove *move, uint64_t gpa);

typedef struct IgvmTables {
	GuestArch arch;
	unsigned levels;    /* 4, or 3 on aarch64 with few address bits */
	uint64_t root;      /* GPA of the first table, before the move */
	MemoryRange region; /* of the tables, before the move */
	Bytes used;         /* their bytes, whole pages, from the region's start on */
} IgvmTables;

/**
 * igvm_tables_move - the tables as they must be after the move
 * @out: lives in @arena; for the region's start after the move
 *
 * Errors: PVW_IGVM_0017 (BAD_VALUE) the root is not among the tables, _0018 (BAD_VALUE) a table
 * outside of what is used, or in two places, _0019 (BAD_VALUE) a mapping that the offset would tear
 * apart, _0020 (OVERLAP) two mappings at one address, _0021 (NO_SPACE) no room for another table.
 */
MUST_CHECK bool igvm_tables_move(
	const IgvmTables *tables, const IgvmMove *move, Arena *arena, Bytes *out, Error *err);

#endif
