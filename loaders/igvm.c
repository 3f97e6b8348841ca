/*
 * An IGVM file as a plan: contents, then where they go, then what they are told.
 * Source: [OVMM] openvmm/openvmm_core/src/worker/vm_loaders/igvm.rs
 */
#include "loaders/igvm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "loaders/boot_image.h"
#include "loaders/igvm_parameters.h"
#include "support/checked.h"

/* Above this, runs of data and zeros are copied into one. */
#define MAX_RUNS 256

/* [SDM3] 2.5, [ARM] TCR_EL1, SCTLR_EL1 */
#define CR0_PG (UINT64_C(1) << 31)
#define CR4_LA57 (UINT64_C(1) << 12)
#define SCTLR_M UINT64_C(1)
#define TCR_T0SZ UINT64_C(0x3f)
#define TCR_TG0 (UINT64_C(3) << 14)

/* One load. */
typedef struct Load {
	const BootInputs *in;
	IgvmFile file;
	IgvmContents contents;
	IgvmMove move;
	IgvmMachine machine;
	LayoutRecordList ram; /* all of it, touching entries merged */
	Arena *arena;
	BootPlanBuilder *plan;
} Load;

/*
 * Memory.
 */

static bool is_vtl2(const MapEntry *entry)
{
	return entry->type != MEMORY_TYPE_VTL0 || entry->igvm_type == IGVM_VTL2_PROTECTABLE;
}

static bool list_ram(Load *load, Error *err)
{
	const MapEntryList map = load->in->info->map;
	LayoutRecord *items = arena_array(load->arena, LayoutRecord, map.count, err);
	size_t count = 0;

	if (!items)
		return false;
	for (size_t i = 0; i < map.count; i++) {
		if (count && items[count - 1].range.end == map.items[i].range.start)
			items[count - 1].range.end = map.items[i].range.end;
		else
			items[count++] =
				(LayoutRecord){ .range = map.items[i].range, .tag = "ram" };
	}
	load->ram = (LayoutRecordList){ items, count };
	return true;
}

static bool holds(LayoutRecordList ram, MemoryRange range)
{
	size_t low = 0, high = ram.count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (ram.items[middle].range.end <= range.start)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ram.count && memory_range_contains(ram.items[low].range, range);
}

/*
 * Moving.
 */

/* Pieces of one kind that touch count as one. */
static MemoryRange next_piece(MapEntryList map, bool vtl2, size_t *at)
{
	MemoryRange piece;

	while (*at < map.count && vtl2 && !is_vtl2(&map.items[*at]))
		(*at)++;
	if (*at == map.count)
		return MEMORY_RANGE_EMPTY;
	piece = map.items[(*at)++].range;
	for (; *at < map.count && map.items[*at].range.start == piece.end &&
		(!vtl2 || is_vtl2(&map.items[*at]));
		(*at)++)
		piece.end = map.items[*at].range.end;
	return piece;
}

static bool fits(const IgvmRelocatableRegion *region, MemoryRange piece, uint64_t *base)
{
	const uint64_t least = piece.start > region->minimum ? piece.start : region->minimum;
	const uint64_t most = piece.end < region->maximum ? piece.end : region->maximum;

	return checked_align_up(least, region->alignment, base) && *base <= most &&
		region->size <= most - *base;
}

static bool set_move(const IgvmContents *contents, uint64_t base, IgvmMove *out, Error *err)
{
	if (!contents->has_tables)
		return error_set(err, PVW_IGVM_0027,
			"no page-table-region, expected one: the image moves from 0x%" PRIx64
			" to 0x%" PRIx64,
			contents->region.base, base);
	*out = (IgvmMove){
		.ranges = { igvm_region_range(contents), igvm_tables_range(contents) },
		.offset = base - contents->region.base,
	};
	return true;
}

bool igvm_choose_move(
	const IgvmContents *contents, const BootInfo *info, IgvmMove *out, Error *err)
{
	const MemoryRange region = igvm_region_range(contents);
	bool vtl2 = false, found = false;
	uint64_t base = 0, candidate;
	MemoryRange piece;

	if (!contents->has_region) {
		*out = (IgvmMove){ 0 };
		return true;
	}
	for (size_t i = 0; i < info->map.count; i++)
		vtl2 = vtl2 || is_vtl2(&info->map.items[i]);
	for (size_t at = 0;
		piece = next_piece(info->map, vtl2, &at), !memory_range_is_empty(piece);) {
		if (memory_range_contains(piece, region)) {
			*out = (IgvmMove){ 0 };
			return true;
		}
		if (!found && fits(&contents->region, piece, &candidate)) {
			base = candidate;
			found = true;
		}
	}
	if (found)
		return set_move(contents, base, out, err);
	return error_set(err, PVW_IGVM_0031,
		"0x%" PRIx64 " bytes at multiples of 0x%" PRIx64 " between 0x%" PRIx64
		" and 0x%" PRIx64 ", expected %smemory for them",
		contents->region.size, contents->region.alignment, contents->region.minimum,
		contents->region.maximum, vtl2 ? "VTL2 " : "");
}

static MemoryRange moved_range(const Load *load, MemoryRange range)
{
	const uint64_t start = igvm_move(&load->move, range.start);

	return (MemoryRange){ start, start + memory_range_len(range) };
}

/*
 * Required memory.
 */

static int by_start(const void *a, const void *b)
{
	const uint64_t left = ((const MemoryRange *)a)->start;
	const uint64_t right = ((const MemoryRange *)b)->start;

	return (left > right) - (left < right);
}

static bool check_required(Load *load, MemoryRangeList *protectable, Error *err)
{
	const IgvmContents *contents = &load->contents;
	MemoryRange *items =
		arena_array(load->arena, MemoryRange, contents->required_count, err);
	size_t count = 0, kept = 0;

	if (!items)
		return false;
	for (size_t i = 0; i < contents->required_count; i++) {
		const IgvmRange *required = &contents->required[i];
		const MemoryRange range = moved_range(load, required->range);

		if (range.end < range.start || !holds(load->ram, range)) {
			error_set(err, PVW_IGVM_0029,
				"required-memory at " RANGE_FORMAT ", expected inside RAM",
				RANGE_ARGS(range));
			return error_at_offset(err, "igvm", required->header);
		}
		if (required->protectable)
			items[count++] = range;
	}
	if (count)
		qsort(items, count, sizeof(*items), by_start);
	for (size_t i = 0; i < count; i++) {
		if (kept && items[kept - 1].end >= items[i].start) {
			if (items[i].end > items[kept - 1].end)
				items[kept - 1].end = items[i].end;
		} else {
			items[kept++] = items[i];
		}
	}
	*protectable = (MemoryRangeList){ items, kept };
	return true;
}

/*
 * Page data.
 */

static void place(Load *load, const char *name, uint64_t gpa, Bytes bytes)
{
	boot_plan_add(load->plan,
		(Artifact){
			.name = name,
			.media_type = "application/octet-stream",
			.placed = true,
			.gpa = gpa,
			.bytes = bytes,
		});
}

static bool is_withheld(const Load *load, const IgvmPage *page)
{
	return memory_range_contains_address(load->move.ranges[1], page->gpa);
}

/* Whether @b, too, is where @a's run of addresses and, with @borrow, of bytes goes on. */
static bool continues(const Load *load, const IgvmPage *a, const IgvmPage *b, bool borrow)
{
	if (is_withheld(load, b) ||
		igvm_move(&load->move, b->gpa) != igvm_move(&load->move, a->gpa) + PAGE_SIZE)
		return false;
	if (!borrow)
		return true;
	return a->file_offset ? b->file_offset == a->file_offset + (uint64_t)PAGE_SIZE
			      : b->file_offset == 0;
}

/* The first page behind the run that begins with @at. */
static size_t run_end(const Load *load, size_t at, bool borrow)
{
	const IgvmPage *pages = load->contents.pages;
	size_t end = at + 1;

	while (end < load->contents.page_count &&
		continues(load, &pages[end - 1], &pages[end], borrow))
		end++;
	return end;
}

static bool run_bytes(
	const Load *load, size_t from, size_t to, bool borrow, Bytes *out, Error *err)
{
	const IgvmPage *pages = load->contents.pages;
	Bytes bytes = { .len = (to - from) * PAGE_SIZE };
	uint8_t *copy;

	if (borrow) {
		if (pages[from].file_offset)
			bytes.data = load->file.bytes.data + pages[from].file_offset;
		*out = bytes;
		return true;
	}
	copy = arena_alloc(load->arena, bytes.len, 8, err);
	if (!copy)
		return false;
	for (size_t i = from; i < to; i++) {
		if (pages[i].file_offset)
			memcpy(copy + (i - from) * PAGE_SIZE,
				load->file.bytes.data + pages[i].file_offset, PAGE_SIZE);
	}
	bytes.data = copy;
	*out = bytes;
	return true;
}

static size_t count_runs(const Load *load)
{
	size_t count = 0;

	for (size_t at = 0; at < load->contents.page_count; at = run_end(load, at, true))
		count++;
	return count;
}

static bool add_pages(Load *load, Error *err)
{
	const IgvmPage *pages = load->contents.pages;
	const bool borrow = count_runs(load) <= MAX_RUNS;

	for (size_t at = 0, end; at < load->contents.page_count; at = end) {
		const uint64_t gpa = igvm_move(&load->move, pages[at].gpa);
		const char *name;
		Bytes bytes;

		end = at + 1;
		if (is_withheld(load, &pages[at]))
			continue;
		end = run_end(load, at, borrow);
		name = arena_printf(load->arena, err, "igvm.pages.%" PRIx64, gpa);
		if (!name || !run_bytes(load, at, end, borrow, &bytes, err))
			return false;
		place(load, name, gpa, bytes);
	}
	return true;
}

/*
 * Page tables.
 */

static const Register *find_register(const Load *load, RegisterId id)
{
	const RegisterList list = load->contents.contexts[0].registers;

	for (size_t i = 0; i < list.count; i++) {
		if (list.items[i].id == id)
			return &list.items[i];
	}
	return NULL;
}

static uint64_t register_low(const Load *load, RegisterId id)
{
	const Register *value = find_register(load, id);

	return value ? value->low : 0;
}

static bool describe_x86(const Load *load, IgvmTables *out, Error *err)
{
	if (!(register_low(load, REGISTER_CR0) & CR0_PG))
		return true;
	if (register_low(load, REGISTER_CR4) & CR4_LA57)
		return error_set(err, PVW_IGVM_0034, "five levels, expected four");
	out->root = register_low(load, REGISTER_CR3) & UINT64_C(0x000ffffffffff000);
	out->levels = 4;
	return true;
}

static bool describe_arm64(const Load *load, IgvmTables *out, Error *err)
{
	const uint64_t tcr = register_low(load, REGISTER_TCR_EL1);
	const uint64_t size = tcr & TCR_T0SZ;

	if (!(register_low(load, REGISTER_SCTLR_EL1) & SCTLR_M))
		return true;
	if ((tcr & TCR_TG0) || size < 16 || size > 33)
		return error_set(err, PVW_IGVM_0034,
			"TcrEl1 0x%" PRIx64
			", expected granules of 4096 bytes and T0SZ 16 to 33",
			tcr);
	out->root = register_low(load, REGISTER_TTBR0_EL1) & UINT64_C(0x0000fffffffff000);
	out->levels = size < 25 ? 4 : 3;
	return true;
}

static bool collect_tables(const Load *load, Bytes *out, Error *err)
{
	const IgvmPageTableRegion *region = &load->contents.tables;
	uint8_t *bytes;

	if (region->used_size > IGVM_MAX_TABLES * PAGE_SIZE)
		return error_set(err, PVW_IGVM_0010,
			"0x%" PRIx64 " bytes of page tables, expected at most 0x%" PRIx64,
			region->used_size, IGVM_MAX_TABLES * PAGE_SIZE);
	bytes = arena_alloc(load->arena, (size_t)region->used_size, 8, err);
	if (!bytes)
		return false;
	for (size_t i = 0; i < load->contents.page_count; i++) {
		const IgvmPage *page = &load->contents.pages[i];

		if (!is_withheld(load, page) || !page->file_offset)
			continue;
		if (page->gpa - region->gpa >= region->used_size) {
			error_set(err, PVW_IGVM_0022,
				"page-data at 0x%" PRIx64 ", expected inside the 0x%" PRIx64
				" bytes of page tables in use from 0x%" PRIx64,
				page->gpa, region->used_size, region->gpa);
			return error_at_offset(err, "igvm", page->header);
		}
		memcpy(bytes + (page->gpa - region->gpa),
			load->file.bytes.data + page->file_offset, PAGE_SIZE);
	}
	*out = (Bytes){ bytes, (size_t)region->used_size };
	return true;
}

static bool add_tables(Load *load, Error *err)
{
	IgvmTables tables = { .arch = load->file.arch, .region = load->move.ranges[1] };
	Bytes bytes;
	bool known;

	if (memory_range_is_empty(tables.region))
		return true;
	known = tables.arch == GUEST_ARCH_AARCH64 ? describe_arm64(load, &tables, err)
						  : describe_x86(load, &tables, err);
	if (!known || !collect_tables(load, &tables.used, err))
		return error_wrap(err, "page tables");
	bytes = tables.used;
	/* Without paging they are data like any other. */
	if (tables.levels && !igvm_tables_move(&tables, &load->move, load->arena, &bytes, err))
		return error_wrap(err, "page tables");
	if (bytes.len)
		place(load, "igvm.page-tables", igvm_move(&load->move, tables.region.start),
			bytes);
	return true;
}

/*
 * Parameters, error ranges.
 */

/* Bytes of the areas, by their order. */
typedef struct AreaBytes {
	uint8_t *data;
} AreaBytes;

static bool make_areas(const Load *load, AreaBytes *areas, Error *err)
{
	for (size_t i = 0; i < load->contents.area_count; i++) {
		const IgvmArea *area = &load->contents.areas[i];

		if (!area->inserted)
			continue;
		areas[i].data = arena_alloc(load->arena, (size_t)area->bytes, 8, err);
		if (!areas[i].data)
			return false;
		if (area->initial.len)
			memcpy(areas[i].data, area->initial.data, area->initial.len);
	}
	return true;
}

static bool fill_area(const Load *load, const IgvmUse *use, AreaBytes *areas,
	Diagnostics *diagnostics, Error *err)
{
	const IgvmArea *area = use->area;
	uint8_t *data = areas[area - load->contents.areas].data;
	Bytes bytes = { 0 };

	if (!data)
		return true;
	if (!igvm_parameter_build(
		    &load->machine, use->row->type, load->arena, &bytes, diagnostics, err))
		return error_wrap(err, "%s", use->row->name);
	if (bytes.len > area->bytes - use->offset) {
		error_set(err, PVW_IGVM_0030,
			"%s of %zu bytes, expected at most %" PRIu64 " at offset 0x%" PRIx32
			" of area %" PRIu32,
			use->row->name, bytes.len, area->bytes - use->offset, use->offset,
			area->index);
		return error_at_offset(err, "igvm", use->header);
	}
	if (bytes.len)
		memcpy(data + use->offset, bytes.data, bytes.len);
	return true;
}

static bool add_parameters(Load *load, Diagnostics *diagnostics, Error *err)
{
	const IgvmContents *contents = &load->contents;
	AreaBytes *areas = arena_array(load->arena, AreaBytes, contents->area_count, err);

	if (!areas || !make_areas(load, areas, err))
		return false;
	for (size_t i = 0; i < contents->use_count; i++) {
		if (!fill_area(load, &contents->uses[i], areas, diagnostics, err))
			return false;
	}
	for (size_t i = 0; i < contents->area_count; i++) {
		const IgvmArea *area = &contents->areas[i];
		const char *name;

		if (!area->inserted)
			continue;
		name = arena_printf(load->arena, err, "igvm.parameters.%" PRIu32, area->index);
		if (!name)
			return false;
		/* The host's tree holds entropy. */
		boot_plan_add(load->plan,
			(Artifact){
				.name = name,
				.media_type = "application/octet-stream",
				.placed = true,
				.gpa = igvm_move(&load->move, area->gpa),
				.bytes = { areas[i].data, (size_t)area->bytes },
				.sensitive = true,
			});
	}
	return true;
}

static bool add_error_ranges(Load *load, Error *err)
{
	for (size_t i = 0; i < load->contents.error_count; i++) {
		const MemoryRange range = moved_range(load, load->contents.errors[i].range);
		const char *name = arena_printf(
			load->arena, err, "igvm.error-range.%" PRIx64, range.start);

		if (!name)
			return false;
		place(load, name, range.start,
			(Bytes){ NULL, (size_t)memory_range_len(range) });
	}
	return true;
}

/*
 * Registers.
 */

/* Which half of a register is an address, and what makes it move. */
static const struct {
	RegisterId id;
	uint8_t flag; /* 0: always */
	bool high;
} addresses[] = {
	{ REGISTER_RIP, IGVM_RELOCATE_PC, false },
	{ REGISTER_PC, IGVM_RELOCATE_PC, false },
	{ REGISTER_GDTR, IGVM_RELOCATE_GDTR, true },
	{ REGISTER_TR, IGVM_RELOCATE_GDTR, false },
	{ REGISTER_CR3, 0, false },
	{ REGISTER_TTBR0_EL1, 0, false },
};

static Register moved_register(const Load *load, Register value)
{
	const uint8_t flags = load->contents.region.flags;

	for (size_t i = 0; i < ARRAY_COUNT(addresses); i++) {
		uint64_t *half = addresses[i].high ? &value.high : &value.low;

		if (addresses[i].id == value.id &&
			(addresses[i].flag == 0 || (flags & addresses[i].flag)))
			*half = igvm_move(&load->move, *half);
	}
	return value;
}

static void add_registers(Load *load)
{
	if (load->contents.context_count == 0)
		return;
	for (size_t i = 0; i < load->contents.contexts[0].registers.count; i++)
		boot_plan_register(load->plan,
			moved_register(load, load->contents.contexts[0].registers.items[i]));
}

/*
 * All of it.
 */

static bool open_file(Load *load, Error *err)
{
	const Image *image = &load->in->settings->firmware_image;
	const GuestArch arch = load->in->info->arch;
	IgvmSelection selection;

	if (image->place != IMAGE_BYTES) {
		error_set(err, PVW_IGVM_0032, "no bytes of a file, expected some");
		return error_at(err, "settings.firmware_image");
	}
	if (!boot_image_allow_bytes(
		    "the IGVM file", image->bytes, load->in->info->isolation, err) ||
		!igvm_open(image->bytes, &load->file, err))
		return false;
	if (load->file.arch != arch)
		return error_set(err, PVW_IGVM_0028, "a file for %s, expected one for %s",
			guest_arch_name(load->file.arch), guest_arch_name(arch));
	return igvm_select(&load->file, IGVM_PLATFORM_VSM, &selection, err) &&
		igvm_read(&load->file, &selection, load->arena, &load->contents, NULL, err);
}

static bool arrange(Load *load, AcpiProfile profile, Error *err)
{
	MemoryRangeList protectable = { 0 };

	load->machine.in = load->in;
	load->machine.profile = profile;
	return list_ram(load, err) &&
		igvm_choose_move(&load->contents, load->in->info, &load->move, err) &&
		check_required(load, &protectable, err) &&
		igvm_machine_memory(load->in->info->map, protectable, load->arena,
			&load->machine.memory, err);
}

bool igvm_build_plan(
	const BootInputs *in, Arena *arena, BootPlan *out, Diagnostics *diagnostics, Error *err)
{
	Load load = { .in = in, .arena = arena };
	PlanPolicy policy = { 0 };

	if (!boot_path_policy(BOOT_IGVM, &in->request, &policy, err) ||
		!open_file(&load, err) || !arrange(&load, policy.acpi, err) ||
		!boot_plan_begin(BOOT_IGVM, policy, arena, &load.plan, err) ||
		!add_pages(&load, err) || !add_tables(&load, err) ||
		!add_parameters(&load, diagnostics, err) || !add_error_ranges(&load, err))
		return false;
	add_registers(&load);
	return boot_plan_finish(load.plan, load.ram, out, err);
}
