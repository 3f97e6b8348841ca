/*
 * What an IGVM file holds for one platform, sorted and checked across headers.
 */
#ifndef LOADERS_IGVM_CONTENTS_H
#define LOADERS_IGVM_CONTENTS_H

#include "loaders/igvm_file.h"
#include "loaders/registers.h"
#include "support/diagnostics.h"
#include "support/memory_range.h"

#define IGVM_MAX_AREA_BYTES ((uint64_t)16 * 1024 * 1024) /* of all parameter areas together */

typedef struct IgvmPage {
	uint64_t gpa;
	uint32_t file_offset; /* 0 = zeros */
	uint32_t flags;
	size_t header; /* offset in the file */
} IgvmPage;

typedef struct IgvmArea {
	uint32_t index;
	uint64_t bytes;
	Bytes initial; /* empty: zeros */
	size_t header; /* that declares it */
	bool inserted;
	uint64_t gpa;       /* where, before any move */
	size_t inserted_at; /* header */
} IgvmArea;

typedef struct IgvmUse {
	const IgvmTypeRow *row;
	IgvmArea *area;
	uint32_t offset; /* in the area */
	size_t header;
} IgvmUse;

typedef struct IgvmContext {
	uint16_t vp;
	RegisterList registers;
	size_t header;
} IgvmContext;

typedef struct IgvmRange {
	MemoryRange range;
	bool protectable; /* of required memory: for VTL2 */
	size_t header;
} IgvmRange;

/* Lists live in the arena of the reading. */
typedef struct IgvmContents {
	IgvmSelection selection;
	bool has_region, has_tables;
	IgvmRelocatableRegion region;
	IgvmPageTableRegion tables;
	IgvmPage *pages; /* ascending by gpa, disjoint */
	size_t page_count;
	IgvmArea *areas; /* ascending by index */
	size_t area_count;
	IgvmUse *uses; /* in the file's order */
	size_t use_count;
	IgvmContext *contexts;
	size_t context_count;
	IgvmRange *required, *errors; /* in the file's order */
	size_t required_count, error_count;
} IgvmContents;

/**
 * igvm_read - everything for @selection
 * @findings: NULL: stop at the first error; else each one is added, and reading goes on
 *
 * With @findings it fails, at the end, with the first of them.
 *
 * Errors: those of igvm_next and igvm_data; PVW_IGVM_0022 (BAD_VALUE) an address, length or flag
 * that cannot be; _0023 (UNSUPPORTED) a kind of page data, or a header for another launch; _0024
 * (OVERLAP) two headers put something in one place; _0025 (BAD_VALUE) a parameter area declared
 * twice, not at all, or used when it is gone; _0026 (BAD_VALUE) more than one region or one that
 * cannot be moved; _0027 (MISSING) no VP context for what moves; _0010 (LIMIT); those of VP
 * contexts.
 */
MUST_CHECK bool igvm_read(const IgvmFile *file, const IgvmSelection *selection, Arena *arena,
	IgvmContents *out, Diagnostics *findings, Error *err);

/** igvm_region_range, igvm_tables_range - before any move; empty if there is none */
MemoryRange igvm_region_range(const IgvmContents *contents);
MemoryRange igvm_tables_range(const IgvmContents *contents);

#endif
