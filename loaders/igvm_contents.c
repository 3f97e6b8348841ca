/*
 * One pass counts, one collects, then sorted lists are compared with each other.
 * Source: [IGVM] igvm/src/lib.rs
 */
#include "loaders/igvm_contents.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "loaders/igvm_context.h"
#include "support/checked.h"

/* One reading. */
typedef struct Reading {
	const IgvmFile *file;
	Arena *arena;
	Diagnostics *findings;
	IgvmContents *out;
	uint64_t area_bytes;
	bool failed;
	Error first;
} Reading;

/* What becomes of an error: the end, or a finding. */
static bool goes_on(Reading *r, Error *err)
{
	if (!r->findings)
		return false;
	diagnostics_add_error(r->findings, err);
	if (!r->failed)
		r->first = *err;
	r->failed = true;
	return true;
}

static bool fail_at(size_t header, const char *name, Error *err)
{
	error_wrap(err, "%s", name);
	return error_at_offset(err, "igvm", header);
}

MemoryRange igvm_region_range(const IgvmContents *contents)
{
	if (!contents->has_region)
		return MEMORY_RANGE_EMPTY;
	return (MemoryRange){ contents->region.base,
		contents->region.base + contents->region.size };
}

MemoryRange igvm_tables_range(const IgvmContents *contents)
{
	if (!contents->has_tables)
		return MEMORY_RANGE_EMPTY;
	return (MemoryRange){ contents->tables.gpa,
		contents->tables.gpa + contents->tables.size };
}

/*
 * Room.
 */

/* How many headers of each kind there are; more is never collected. */
static bool count_headers(Reading *r, Error *err)
{
	size_t counts[IGVM_ENVIRONMENT + 1] = { 0 };
	IgvmCursor cursor = igvm_first(r->file);
	IgvmContents *out = r->out;
	size_t uses = 0;

	while (!igvm_at_end(r->file, &cursor)) {
		IgvmHeader header;
		Error why;

		if (!igvm_next(r->file, &cursor, &header, &why)) {
			*err = why;
			if (!r->findings)
				return false;
			continue; /* told of when it is read */
		}
		if (header.skipped || !(header.mask & r->out->selection.mask))
			continue;
		counts[header.row->type]++;
		uses += header.row->parameter;
	}
	out->pages = arena_array(r->arena, IgvmPage, counts[IGVM_PAGE_DATA], err);
	out->areas = arena_array(r->arena, IgvmArea, counts[IGVM_PARAMETER_AREA], err);
	out->uses = arena_array(r->arena, IgvmUse, uses, err);
	out->contexts = arena_array(r->arena, IgvmContext, counts[IGVM_VP_CONTEXT], err);
	out->required = arena_array(r->arena, IgvmRange, counts[IGVM_REQUIRED_MEMORY], err);
	out->errors = arena_array(r->arena, IgvmRange, counts[IGVM_ERROR_RANGE], err);
	return out->pages && out->areas && out->uses && out->contexts && out->required &&
		out->errors;
}

/*
 * Headers, one by one.
 */

static bool page_range(uint64_t gpa, uint64_t bytes, MemoryRange *out, Error *err)
{
	if (!is_aligned(gpa, PAGE_SIZE) || !is_aligned(bytes, PAGE_SIZE) || bytes == 0 ||
		gpa > MEMORY_RANGE_LIMIT || bytes > MEMORY_RANGE_LIMIT - gpa)
		return error_set(err, PVW_IGVM_0022,
			"0x%" PRIx64 " bytes at 0x%" PRIx64
			", expected whole pages below 2^64, at least one",
			bytes, gpa);
	*out = (MemoryRange){ gpa, gpa + bytes };
	return true;
}

static bool take_page(Reading *r, const IgvmHeader *header, Error *err)
{
	const IgvmPageData body = igvm_body(IgvmPageData, header);
	MemoryRange range = { 0 };
	Bytes data = { 0 };

	if (!page_range(body.gpa, PAGE_SIZE, &range, err))
		return false;
	if (body.flags & IGVM_PAGE_IS_2MB)
		return error_set(err, PVW_IGVM_0023,
			"a page of 2 MiB at 0x%" PRIx64 ", expected pages of 4096 bytes",
			body.gpa);
	if (body.flags & ~(uint32_t)(IGVM_PAGE_UNMEASURED | IGVM_PAGE_SHARED))
		return error_set(err, PVW_IGVM_0022,
			"flags 0x%" PRIx32 ", expected none but 1, 2 and 4", body.flags);
	if (body.data_type != IGVM_PAGE_NORMAL)
		return error_set(err, PVW_IGVM_0023,
			"page data of type %u at 0x%" PRIx64 ", expected 0 for platform %s",
			body.data_type, body.gpa,
			igvm_platform_name(r->out->selection.platform));
	if (body.file_offset &&
		!igvm_data(r->file, body.file_offset, IGVM_PAGE_SIZE, &data, err))
		return false;
	r->out->pages[r->out->page_count++] =
		(IgvmPage){ body.gpa, body.file_offset, body.flags, header->offset };
	return true;
}

/* Areas are few and mostly declared in order: insertion. Hostile ones are sorted later. */
static bool take_area(Reading *r, const IgvmHeader *header, Error *err)
{
	const IgvmParameterArea body = igvm_body(IgvmParameterArea, header);
	IgvmArea area = { .index = body.index, .bytes = body.bytes, .header = header->offset };
	MemoryRange range = { 0 };

	if (!page_range(0, body.bytes, &range, err))
		return false;
	if (body.bytes > IGVM_MAX_AREA_BYTES - r->area_bytes)
		return error_set(err, PVW_IGVM_0010,
			"area %" PRIu32 " of 0x%" PRIx64 " bytes, expected at most 0x%" PRIx64
			" in all areas",
			body.index, body.bytes, IGVM_MAX_AREA_BYTES);
	if (body.file_offset &&
		!igvm_data(r->file, body.file_offset, body.bytes, &area.initial, err))
		return false;
	r->area_bytes += body.bytes;
	r->out->areas[r->out->area_count++] = area;
	return true;
}

static bool take_context(Reading *r, const IgvmHeader *header, Error *err)
{
	const IgvmVpContext body = igvm_body(IgvmVpContext, header);
	IgvmContents *out = r->out;
	IgvmContext context = { .vp = body.vp, .header = header->offset };
	MeasuredRegisterList list = { 0 };
	Bytes data = { 0 };

	if (body.vp != 0)
		return error_set(err, PVW_IGVM_0023,
			"processor %u, expected 0: the others start when they are told",
			body.vp);
	if (out->context_count)
		return error_set(err, PVW_IGVM_0024,
			"a second one of processor %u, expected one", body.vp);
	if (!igvm_data_from(r->file, body.file_offset, &data, err) ||
		!measured_context_parse(data, r->arena, &list, err) ||
		!igvm_context_registers(list, r->file->arch, out->selection.highest_vtl,
			r->arena, &context.registers, err))
		return false;
	out->contexts[out->context_count++] = context;
	return true;
}

static bool take_required(Reading *r, const IgvmHeader *header, Error *err)
{
	const IgvmRequiredMemory body = igvm_body(IgvmRequiredMemory, header);
	IgvmRange item = { .header = header->offset,
		.protectable = body.flags & IGVM_REQUIRED_VTL2_PROTECTABLE };

	if (!page_range(body.gpa, body.bytes, &item.range, err))
		return false;
	r->out->required[r->out->required_count++] = item;
	return true;
}

static bool take_error_range(Reading *r, const IgvmHeader *header, Error *err)
{
	const IgvmErrorRange body = igvm_body(IgvmErrorRange, header);
	IgvmRange item = { .header = header->offset };

	if (!page_range(body.gpa, body.bytes, &item.range, err))
		return false;
	r->out->errors[r->out->error_count++] = item;
	return true;
}

static bool check_owner(const Reading *r, uint16_t vp, uint8_t vtl, Error *err)
{
	if (vp == 0 && vtl == r->out->selection.highest_vtl)
		return true;
	return error_set(err, PVW_IGVM_0026,
		"of processor %u, VTL%u, expected processor 0, VTL%u", vp, vtl,
		r->out->selection.highest_vtl);
}

static bool take_region(Reading *r, const IgvmHeader *header, Error *err)
{
	const IgvmRelocatableRegion body = igvm_body(IgvmRelocatableRegion, header);
	MemoryRange range = { 0 };

	if (r->out->has_region)
		return error_set(err, PVW_IGVM_0026, "a second one, expected one a platform");
	if (!page_range(body.base, body.size, &range, err))
		return false;
	if (body.alignment < PAGE_SIZE || (body.alignment & (body.alignment - 1)) != 0 ||
		!is_aligned(body.base, body.alignment))
		return error_set(err, PVW_IGVM_0026,
			"base 0x%" PRIx64 " and alignment 0x%" PRIx64
			", expected a power of two from 4096 on and a multiple of it",
			body.base, body.alignment);
	if (body.minimum > body.maximum || body.size > body.maximum - body.minimum)
		return error_set(err, PVW_IGVM_0026,
			"0x%" PRIx64 " bytes between 0x%" PRIx64 " and 0x%" PRIx64
			", expected room for them",
			body.size, body.minimum, body.maximum);
	if (!check_owner(r, body.vp, body.vtl, err))
		return false;
	r->out->region = body;
	r->out->has_region = true;
	return true;
}

static bool take_tables(Reading *r, const IgvmHeader *header, Error *err)
{
	const IgvmPageTableRegion body = igvm_body(IgvmPageTableRegion, header);
	MemoryRange range = { 0 };

	if (r->out->has_tables)
		return error_set(err, PVW_IGVM_0026, "a second one, expected one a platform");
	if (!page_range(body.gpa, body.size, &range, err))
		return false;
	if (!is_aligned(body.used_size, PAGE_SIZE) || body.used_size > body.size)
		return error_set(err, PVW_IGVM_0022,
			"0x%" PRIx64 " bytes in use, expected whole pages, at most 0x%" PRIx64,
			body.used_size, body.size);
	if (!check_owner(r, body.vp, body.vtl, err))
		return false;
	r->out->tables = body;
	r->out->has_tables = true;
	return true;
}

/* Of a launch that this one is not. */
static bool refuse_launch(Reading *r, const IgvmHeader *header, Error *err)
{
	(void)header;
	return error_set(err, PVW_IGVM_0023,
		"for a launch that checks it, expected none for platform %s here",
		igvm_platform_name(r->out->selection.platform));
}

/* Types without a row say nothing to us, or are read when areas are known. */
static const struct {
	uint32_t type;
	bool (*take)(Reading *r, const IgvmHeader *header, Error *err);
} takers[] = {
	{ IGVM_RELOCATABLE_REGION, take_region },
	{ IGVM_PAGE_TABLE_REGION, take_tables },
	{ IGVM_CCA_POLICY, refuse_launch },
	{ IGVM_PARAMETER_AREA, take_area },
	{ IGVM_PAGE_DATA, take_page },
	{ IGVM_VP_CONTEXT, take_context },
	{ IGVM_REQUIRED_MEMORY, take_required },
	{ IGVM_SNP_ID_BLOCK, refuse_launch },
	{ IGVM_ERROR_RANGE, take_error_range },
};

static bool take_header(Reading *r, const IgvmHeader *header, Error *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(takers); i++) {
		if (takers[i].type == header->row->type)
			return takers[i].take(r, header, err) ||
				fail_at(header->offset, header->row->name, err);
	}
	return true;
}

typedef bool (*TakeHeader)(Reading *r, const IgvmHeader *header, Error *err);

static bool for_each(Reading *r, TakeHeader take, bool again, Error *err)
{
	IgvmCursor cursor = igvm_first(r->file);

	while (!igvm_at_end(r->file, &cursor)) {
		IgvmHeader header;

		if (!igvm_next(r->file, &cursor, &header, err)) {
			if (!again && !goes_on(r, err))
				return false;
			continue;
		}
		if (header.skipped || !(header.mask & r->out->selection.mask))
			continue;
		if (!take(r, &header, err) && !goes_on(r, err))
			return false;
	}
	return true;
}

/*
 * Areas: declared once, used, inserted, gone.
 */

static int by_index(const void *a, const void *b)
{
	const IgvmArea *left = a, *right = b;

	if (left->index != right->index)
		return left->index < right->index ? -1 : 1;
	return (left->header > right->header) - (left->header < right->header);
}

static bool sort_areas(Reading *r, Error *err)
{
	IgvmContents *out = r->out;

	if (out->area_count)
		qsort(out->areas, out->area_count, sizeof(*out->areas), by_index);
	for (size_t i = 1; i < out->area_count; i++) {
		if (out->areas[i].index != out->areas[i - 1].index)
			continue;
		error_set(err, PVW_IGVM_0025, "area %" PRIu32 " twice, expected once",
			out->areas[i].index);
		if (!fail_at(out->areas[i].header, "parameter-area", err) && !goes_on(r, err))
			return false;
	}
	return true;
}

static IgvmArea *find_area(const IgvmContents *contents, uint32_t index)
{
	size_t low = 0, high = contents->area_count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (contents->areas[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < contents->area_count && contents->areas[low].index == index)
		return &contents->areas[low];
	return NULL;
}

/* The area, if it is there at this header. */
static bool live_area(
	Reading *r, const IgvmHeader *header, uint32_t index, IgvmArea **out, Error *err)
{
	IgvmArea *area = find_area(r->out, index);

	if (!area || area->header > header->offset)
		return error_set(err, PVW_IGVM_0025,
			"area %" PRIu32 ", expected one that was declared before", index);
	if (area->inserted)
		return error_set(err, PVW_IGVM_0025,
			"area %" PRIu32 ", expected one that is not in guest memory yet: this "
			"one is, by the header at 0x%zx",
			index, area->inserted_at);
	*out = area;
	return true;
}

static bool insert_area(Reading *r, const IgvmHeader *header, Error *err)
{
	const IgvmParameterInsert body = igvm_body(IgvmParameterInsert, header);
	MemoryRange range = { 0 };
	IgvmArea *area = NULL;

	if (!live_area(r, header, body.index, &area, err) ||
		!page_range(body.gpa, area->bytes, &range, err))
		return false;
	if (memory_range_overlaps(range, igvm_tables_range(r->out)))
		return error_set(err, PVW_IGVM_0024,
			"area %" PRIu32 " at " RANGE_FORMAT
			", expected apart from the page tables at " RANGE_FORMAT,
			body.index, RANGE_ARGS(range), RANGE_ARGS(igvm_tables_range(r->out)));
	area->inserted = true;
	area->inserted_at = header->offset;
	area->gpa = body.gpa;
	return true;
}

static bool use_area(Reading *r, const IgvmHeader *header, Error *err)
{
	const IgvmParameterUse body = igvm_body(IgvmParameterUse, header);
	IgvmUse use = { .row = header->row, .offset = body.offset, .header = header->offset };

	if (!live_area(r, header, body.index, &use.area, err))
		return false;
	if (use.offset >= use.area->bytes)
		return error_set(err, PVW_IGVM_0022,
			"offset 0x%" PRIx32 ", expected inside the 0x%" PRIx64
			" bytes of area %" PRIu32,
			use.offset, use.area->bytes, body.index);
	r->out->uses[r->out->use_count++] = use;
	return true;
}

static bool take_parameter(Reading *r, const IgvmHeader *header, Error *err)
{
	if (header->row->type == IGVM_PARAMETER_INSERT)
		return insert_area(r, header, err) ||
			fail_at(header->offset, header->row->name, err);
	return !header->row->parameter || use_area(r, header, err) ||
		fail_at(header->offset, header->row->name, err);
}

/*
 * Everything against everything.
 */

/* A place that something is put into. */
typedef struct Place {
	MemoryRange range;
	const char *name;
	size_t header;
} Place;

static int by_start(const void *a, const void *b)
{
	const Place *left = a, *right = b;

	if (left->range.start != right->range.start)
		return left->range.start < right->range.start ? -1 : 1;
	return (left->header > right->header) - (left->header < right->header);
}

static int by_gpa(const void *a, const void *b)
{
	const uint64_t left = ((const IgvmPage *)a)->gpa, right = ((const IgvmPage *)b)->gpa;

	return (left > right) - (left < right);
}

static size_t list_places(const IgvmContents *contents, Place *places)
{
	size_t count = 0;

	for (size_t i = 0; i < contents->page_count; i++) {
		const IgvmPage *page = &contents->pages[i];

		places[count++] = (Place){ { page->gpa, page->gpa + PAGE_SIZE }, "page-data",
			page->header };
	}
	for (size_t i = 0; i < contents->area_count; i++) {
		const IgvmArea *area = &contents->areas[i];

		if (area->inserted)
			places[count++] = (Place){ { area->gpa, area->gpa + area->bytes },
				"parameter-insert", area->inserted_at };
	}
	for (size_t i = 0; i < contents->error_count; i++)
		places[count++] = (Place){ contents->errors[i].range, "error-range",
			contents->errors[i].header };
	return count;
}

static bool check_apart(Reading *r, Error *err)
{
	IgvmContents *out = r->out;
	Place *places = arena_reserve_array(
		r->arena, Place, out->page_count + out->area_count + out->error_count, err);
	size_t count, last = 0;

	if (!places)
		return false;
	count = list_places(out, places);
	if (count)
		qsort(places, count, sizeof(*places), by_start);
	for (size_t i = 1; i < count; i++) {
		if (memory_range_overlaps(places[last].range, places[i].range)) {
			error_set(err, PVW_IGVM_0024,
				RANGE_FORMAT ", expected apart from the %s at " RANGE_FORMAT
					     ", header 0x%zx",
				RANGE_ARGS(places[i].range), places[last].name,
				RANGE_ARGS(places[last].range), places[last].header);
			fail_at(places[i].header, places[i].name, err);
			if (!goes_on(r, err))
				return false;
		}
		if (places[i].range.end > places[last].range.end)
			last = i;
	}
	return true;
}

static bool check_regions(Reading *r, Error *err)
{
	const IgvmContents *out = r->out;
	const MemoryRange region = igvm_region_range(out), tables = igvm_tables_range(out);

	if (memory_range_overlaps(region, tables)) {
		error_set(err, PVW_IGVM_0024,
			"relocatable region at " RANGE_FORMAT
			", expected apart from the page tables at " RANGE_FORMAT,
			RANGE_ARGS(region), RANGE_ARGS(tables));
		if (!goes_on(r, err))
			return false;
	}
	if ((out->has_region || out->has_tables) && out->context_count == 0) {
		error_set(err, PVW_IGVM_0027,
			"no vp-context of processor 0, expected one: its registers move along");
		if (!goes_on(r, err))
			return false;
	}
	return true;
}

bool igvm_read(const IgvmFile *file, const IgvmSelection *selection, Arena *arena,
	IgvmContents *out, Diagnostics *findings, Error *err)
{
	IgvmContents contents = { .selection = *selection };
	Reading r = { .file = file, .arena = arena, .findings = findings, .out = &contents };

	if (!count_headers(&r, err) || !for_each(&r, take_header, /* again= */ false, err) ||
		!sort_areas(&r, err) || !for_each(&r, take_parameter, /* again= */ true, err) ||
		!check_apart(&r, err) || !check_regions(&r, err))
		return false;
	if (r.failed) {
		*err = r.first;
		return false;
	}
	if (contents.page_count)
		qsort(contents.pages, contents.page_count, sizeof(*contents.pages), by_gpa);
	*out = contents;
	return true;
}
