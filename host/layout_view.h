/*
 * The layout of a described machine for people and programs: table, reasons, picture, document.
 */
#ifndef HOST_LAYOUT_VIEW_H
#define HOST_LAYOUT_VIEW_H

#include <jansson.h>
#include <stdio.h>

#include "host/memory_map.h"
#include "host/vm.h"
#include "layout/layout_kept.h"
#include "loaders/mtrr.h"

#define LAYOUT_SCHEMA "pvw.layout/1"
/* Bytes of a document: what the largest layout makes, explained and indented, is smaller. */
#define LAYOUT_VIEW_MAX_DOCUMENT ((size_t)8 * 1024 * 1024)

/* A machine and where it all is. */
typedef struct LayoutView {
	const Vm *vm;
	const ResolvedLayout *layout;
	bool restored; /* windows are where they were, not where they would be placed */
	/* x86-64: the exact policy's variable MTRRs; @mtrr_error says why there are none. */
	bool has_mtrr;
	MtrrSet mtrr;
	Error mtrr_error;
} LayoutView;

/**
 * layout_view_make - resolve @vm, and cover it with MTRRs
 * @vm:   borrowed
 * @kept: NULL, or a layout to be restored
 *
 * Errors: those of vm_resolve, or of layout_restore.
 */
MUST_CHECK bool layout_view_make(
	const Vm *vm, const KeptLayout *kept, Arena *arena, LayoutView *out, Error *err);

/* Why a placement is where it is. Texts live in the arena they were made in. */
typedef struct LayoutReason {
	char tag[LAYOUT_TAG_SIZE];
	const char *member; /* of the description: "pcie.root_complexes[0].low" */
	const char *asked;  /* "64 MiB, aligned to 2 MiB" or "pinned" */
	const char *placed; /* its phase and floor, and the neighbour that it rests on */
	uint64_t gap;       /* bytes to the next placement; 0 at the top and where they touch */
} LayoutReason;

/** layout_reason - of placement @index */
MUST_CHECK bool layout_reason(
	const LayoutView *view, size_t index, Arena *arena, LayoutReason *out, Error *err);

/** layout_view_find - the placement that owns @address, or SIZE_MAX */
size_t layout_view_find(const LayoutView *view, uint64_t address);

/** layout_view_print - the table: start, end, size, kind, tag, gap; @explain: reasons below each */
MUST_CHECK bool layout_view_print(
	FILE *out, const LayoutView *view, bool explain, Arena *arena, Error *err);

/** layout_view_map - the picture in text */
MUST_CHECK bool layout_view_map(
	FILE *out, const LayoutView *view, MapStyle style, Arena *arena, Error *err);

/** layout_view_draw - the picture in SVG */
MUST_CHECK bool layout_view_draw(
	FILE *out, const LayoutView *view, MapStyle style, Arena *arena, Error *err);

/** layout_view_json - the document without its schema; to be released by the caller */
MUST_CHECK bool layout_view_json(
	const LayoutView *view, bool explain, Arena *arena, json_t **out, Error *err);

/**
 * layout_kept_read - a document of LAYOUT_SCHEMA, as far as it is kept of a layout
 *
 * Errors: PVW_JSON_*; PVW_VM_0009 (BAD_VALUE) another schema, or ranges that do not ascend.
 */
MUST_CHECK bool layout_kept_read(
	Bytes json, const char *source, Arena *arena, KeptLayout *out, Error *err);

#endif
