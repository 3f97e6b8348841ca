/*
 * Measured pages, read without believing them: they are measured, but not by us.
 * Source: [OVMM] vm/loader/loader_defs/src/paravisor.rs; [IGVM] igvm_defs/src/lib.rs
 */
#include "bootinfo/measured.h"

#include <inttypes.h>
#include <string.h>

#include "support/byte_reader.h"
#include "support/diagnostics.h"
#include "support/range_list.h"

/* As numbers; in memory the letters stand from right to left. */
#define VTL0_MAGIC UINT64_C(0x4f48434c56544c30)
#define VTL2_MAGIC UINT64_C(0x4f48434c56544c32)

#define SUPPORTS_UEFI UINT64_C(1)
#define SUPPORTS_PCAT UINT64_C(2)
#define SUPPORTS_LINUX UINT64_C(4)
#define SUPPORTS_ALL (SUPPORTS_UEFI | SUPPORTS_PCAT | SUPPORTS_LINUX)

#define REGISTER_RECORD_SIZE 32
#define VTOM_BIT_MIN 32
#define VTOM_BIT_MAX 51

static bool fail_vtl0(Error *err)
{
	return error_at(err, "measured:vtl0");
}

uint64_t measured_config_gpa(GuestArch arch)
{
	return arch == GUEST_ARCH_AARCH64 ? UINT64_C(0x1000000) : 0;
}

/*
 * VTL0.
 */

/* First page and page count, as they stand. */
typedef struct Region {
	uint64_t page, count;
} Region;

typedef struct Vtl0Record {
	uint64_t magic, supported;
	Region uefi_image, vp_context, kernel;
	uint64_t entry;
	Region initrd;
	uint64_t initrd_size;
	Region command_line;
} Vtl0Record;

static Region get_region(ByteReader *r)
{
	Region region;

	region.page = get_u64(r);
	region.count = get_u64(r);
	return region;
}

static bool read_record(Bytes page, Vtl0Record *out, Error *err)
{
	ByteReader r = byte_reader_on(page);

	if (page.len < MEASURED_VTL0_SIZE)
		return error_set(err, PVW_MEASURED_0001, "%zu bytes, expected at least %d",
			page.len, MEASURED_VTL0_SIZE);
	out->magic = get_u64(&r);
	out->supported = get_u64(&r);
	out->uefi_image = get_region(&r);
	out->vp_context = get_region(&r);
	out->kernel = get_region(&r);
	out->entry = get_u64(&r);
	out->initrd = get_region(&r);
	out->initrd_size = get_u64(&r);
	out->command_line = get_region(&r);
	if (out->magic != VTL0_MAGIC)
		return error_set(err, PVW_MEASURED_0002,
			"it begins with 0x%016" PRIx64 ", expected 0x%016" PRIx64, out->magic,
			VTL0_MAGIC);
	return true;
}

/* Without pages a region is absent, wherever it begins. */
static bool region_range(const char *what, Region region, MemoryRange *out, Error *err)
{
	const uint64_t most = MEMORY_RANGE_LIMIT >> PAGE_SHIFT;

	if (region.count == 0) {
		*out = MEMORY_RANGE_EMPTY;
		return true;
	}
	if (region.page > most || region.count > most - region.page)
		return error_set(err, PVW_MEASURED_0003,
			"%s: page 0x%" PRIx64 " and 0x%" PRIx64
			" pages, expected an end below 2^64",
			what, region.page, region.count);
	*out = (MemoryRange){ region.page << PAGE_SHIFT,
		(region.page + region.count) << PAGE_SHIFT };
	return true;
}

static bool single_page(const char *what, Region region, MemoryRange *out, Error *err)
{
	if (!region_range(what, region, out, err))
		return false;
	if (region.count > 1)
		return error_set(err, PVW_MEASURED_0003,
			"%s: 0x%" PRIx64 " pages, expected one", what, region.count);
	if (region.count == 1 && region.page == 0)
		return error_set(err, PVW_MEASURED_0003,
			"%s: page 0, expected another one than the first", what);
	return true;
}

static bool required(const char *what, MemoryRange range, Error *err)
{
	return !memory_range_is_empty(range) ||
		error_set(err, PVW_MEASURED_0004,
			"%s has no pages, expected some: it is said to be there", what);
}

static bool check_supported(uint64_t supported, GuestArch arch, Error *err)
{
	const uint64_t known = arch == GUEST_ARCH_AARCH64 ? SUPPORTS_UEFI : SUPPORTS_ALL;

	return (supported & ~known) == 0 ||
		error_set(err, PVW_MEASURED_0005,
			"images 0x%" PRIx64 ", expected none but 0x%" PRIx64 " on %s",
			supported, known, guest_arch_name(arch));
}

static bool take_uefi(const Vtl0Record *record, MeasuredVtl0 *out, Error *err)
{
	return region_range("uefi image", record->uefi_image, &out->uefi_image, err) &&
		required("uefi image", out->uefi_image, err) &&
		single_page("vp context", record->vp_context, &out->vp_context, err);
}

static bool take_linux(const Vtl0Record *record, MeasuredVtl0 *out, Error *err)
{
	if (!region_range("kernel", record->kernel, &out->kernel, err) ||
		!required("kernel", out->kernel, err) ||
		!region_range("initrd", record->initrd, &out->initrd, err) ||
		!single_page("command line", record->command_line, &out->command_line, err))
		return false;
	out->entry = record->entry;
	out->initrd_size = record->initrd_size;
	if (!memory_range_contains_address(out->kernel, out->entry))
		return error_set(err, PVW_MEASURED_0003,
			"kernel: entry 0x%" PRIx64 ", expected inside " RANGE_FORMAT,
			out->entry, RANGE_ARGS(out->kernel));
	if (memory_range_is_empty(out->initrd))
		out->initrd_size = 0;
	else if (out->initrd_size == 0 || out->initrd_size > memory_range_len(out->initrd))
		return error_set(err, PVW_MEASURED_0003,
			"initrd: 0x%" PRIx64 " bytes, expected 1 to 0x%" PRIx64
			" as its pages are",
			out->initrd_size, memory_range_len(out->initrd));
	return true;
}

bool measured_vtl0_parse(Bytes page, GuestArch arch, MeasuredVtl0 *out, Error *err)
{
	const uint64_t gpa = measured_config_gpa(arch);
	MeasuredVtl0 measured = { .present = true, .config = { gpa, gpa + PAGE_SIZE } };
	Vtl0Record record = { 0 };

	if (!read_record(page, &record, err) || !check_supported(record.supported, arch, err))
		return fail_vtl0(err);
	measured.uefi = record.supported & SUPPORTS_UEFI;
	measured.pcat = record.supported & SUPPORTS_PCAT;
	measured.linux_direct = record.supported & SUPPORTS_LINUX;
	if ((measured.uefi && !take_uefi(&record, &measured, err)) ||
		(measured.linux_direct && !take_linux(&record, &measured, err)))
		return fail_vtl0(err);
	*out = measured;
	return true;
}

/* A named range of the configuration. */
typedef struct Piece {
	const char *name;
	MemoryRange range;
} Piece;

#define PIECES 6

static void list_pieces(const MeasuredVtl0 *measured, Piece out[PIECES])
{
	out[0] = (Piece){ "configuration", measured->config };
	out[1] = (Piece){ "vp context", measured->vp_context };
	out[2] = (Piece){ "command line", measured->command_line };
	out[3] = (Piece){ "kernel", measured->kernel };
	out[4] = (Piece){ "initrd", measured->initrd };
	out[5] = (Piece){ "uefi image", measured->uefi_image };
}

static bool list_vtl0(MapEntryList map, Arena *arena, MemoryRangeList *out, Error *err)
{
	MemoryRange *items = arena_reserve_array(arena, MemoryRange, map.count, err);
	size_t count = 0;

	if (!items)
		return false;
	for (size_t i = 0; i < map.count; i++) {
		const MemoryRange range = map.items[i].range;

		if (map.items[i].type != MEMORY_TYPE_VTL0)
			continue;
		if (count && items[count - 1].end == range.start)
			items[count - 1].end = range.end;
		else
			items[count++] = range;
	}
	*out = (MemoryRangeList){ items, count };
	return true;
}

static bool is_inside(MemoryRangeList list, MemoryRange range)
{
	for (size_t i = 0; i < list.count; i++) {
		if (memory_range_contains(list.items[i], range))
			return true;
	}
	return memory_range_is_empty(range);
}

bool measured_vtl0_check(
	const MeasuredVtl0 *measured, MapEntryList map, Arena *arena, Error *err)
{
	Piece pieces[PIECES];
	MemoryRangeList ram = { 0 };

	if (!list_vtl0(map, arena, &ram, err))
		return false;
	list_pieces(measured, pieces);
	for (size_t i = 0; i < PIECES; i++) {
		if (!is_inside(ram, pieces[i].range)) {
			error_set(err, PVW_MEASURED_0006,
				"%s at " RANGE_FORMAT ", expected inside VTL0's RAM",
				pieces[i].name, RANGE_ARGS(pieces[i].range));
			return fail_vtl0(err);
		}
		/* The images are alternatives; two of them may share memory. */
		for (size_t j = 0; j < i && i < 5; j++) {
			if (!memory_range_overlaps(pieces[i].range, pieces[j].range))
				continue;
			error_set(err, PVW_MEASURED_0007,
				"%s at " RANGE_FORMAT " and %s at " RANGE_FORMAT
				", expected apart",
				pieces[j].name, RANGE_ARGS(pieces[j].range), pieces[i].name,
				RANGE_ARGS(pieces[i].range));
			return fail_vtl0(err);
		}
	}
	return true;
}

static bool page_of(
	Bytes area, uint64_t base, const char *what, MemoryRange range, Bytes *out, Error *err)
{
	uint64_t at;

	if (memory_range_is_empty(range))
		return true;
	at = range.start - base;
	if (range.start < base || at >= area.len || area.len - at < PAGE_SIZE)
		return error_set(err, PVW_MEASURED_0008,
			"%s at 0x%" PRIx64 ", expected inside the %zu bytes from 0x%" PRIx64
			" that were handed over",
			what, range.start, area.len, base);
	*out = (Bytes){ area.data + at, PAGE_SIZE };
	return true;
}

bool measured_split(Bytes area, GuestArch arch, MeasuredPages *out, Error *err)
{
	const uint64_t base = measured_config_gpa(arch);
	MeasuredPages pages = { .config = area };
	MeasuredVtl0 measured = { 0 };

	if (area.len > MEASURED_MAX_PAGES * PAGE_SIZE) {
		error_set(err, PVW_MEASURED_0009, "%zu bytes, expected at most %d pages",
			area.len, MEASURED_MAX_PAGES);
		return fail_vtl0(err);
	}
	if (!measured_vtl0_parse(area, arch, &measured, err))
		return false;
	if (!page_of(area, base, "vp context", measured.vp_context, &pages.vp_context, err) ||
		!page_of(area, base, "command line", measured.command_line, &pages.command_line,
			err))
		return fail_vtl0(err);
	pages.config.len = area.len < PAGE_SIZE ? area.len : PAGE_SIZE;
	pages.vtl2 = out->vtl2;
	*out = pages;
	return true;
}

/*
 * VP context.
 */

static bool is_zero(Bytes bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.data[i])
			return false;
	}
	return true;
}

bool measured_context_parse(Bytes bytes, Arena *arena, MeasuredRegisterList *out, Error *err)
{
	ByteReader r = byte_reader_on(bytes);
	const uint32_t count = get_u32(&r);
	MeasuredRegister *items;

	if (r.short_read)
		return error_set(
			err, PVW_MEASURED_0010, "%zu bytes, expected a count of 4", bytes.len);
	if (count > MEASURED_MAX_REGISTERS)
		return error_set(err, PVW_MEASURED_0011,
			"%" PRIu32 " registers, expected at most %d", count,
			MEASURED_MAX_REGISTERS);
	if (byte_reader_left(&r) < count * (size_t)REGISTER_RECORD_SIZE)
		return error_set(err, PVW_MEASURED_0010,
			"%zu bytes, expected %zu for %" PRIu32 " registers", bytes.len,
			4 + count * (size_t)REGISTER_RECORD_SIZE, count);
	items = arena_array(arena, MeasuredRegister, count, err);
	if (!items)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		items[i].vtl = get_u8(&r);
		items[i].name = get_u32(&r);
		if (!is_zero(get_bytes(&r, 11)))
			return error_set(err, PVW_MEASURED_0012,
				"register %" PRIu32 " (0x%" PRIx32
				"): bytes 5 to 15, expected zeros",
				i, items[i].name);
		items[i].low = get_u64(&r);
		items[i].high = get_u64(&r);
	}
	*out = (MeasuredRegisterList){ items, count };
	return true;
}

bool measured_command_line_parse(Bytes page, Bytes *out, Error *err)
{
	const uint8_t *nul = page.len ? memchr(page.data, 0, page.len) : NULL;

	if (!nul) {
		error_set(err, PVW_MEASURED_0013,
			"command line of %zu bytes, expected a NUL in it", page.len);
		return fail_vtl0(err);
	}
	*out = (Bytes){ page.data, (size_t)(nul - page.data) };
	return true;
}

/*
 * VTL2.
 */

bool measured_vtl2_parse(Bytes page, IsolationType isolation, MeasuredVtl2 *out, Error *err)
{
	ByteReader r = byte_reader_on(page);
	const uint64_t magic = get_u64(&r);
	const uint8_t bit = get_u8(&r);
	uint32_t policy;

	(void)get_bytes(&r, 7);
	policy = get_u32(&r);
	(void)get_u32(&r);
	if (r.short_read)
		error_set(err, PVW_MEASURED_0001, "%zu bytes, expected at least %d", page.len,
			MEASURED_VTL2_SIZE);
	else if (magic != VTL2_MAGIC)
		error_set(err, PVW_MEASURED_0002,
			"it begins with 0x%016" PRIx64 ", expected 0x%016" PRIx64, magic,
			VTL2_MAGIC);
	else if (isolation_is_hardware(isolation) != (bit != 0) ||
		(bit != 0 && (bit < VTOM_BIT_MIN || bit > VTOM_BIT_MAX)))
		error_set(err, PVW_MEASURED_0014, "vtom bit %u, expected %s with isolation %s",
			bit, isolation_is_hardware(isolation) ? "32 to 51" : "0",
			boot_info_isolation_name(isolation));
	else if (policy != 0)
		error_set(err, PVW_MEASURED_0015,
			"a product policy of %" PRIu32 " bytes, expected none", policy);
	else {
		*out = (MeasuredVtl2){ .present = true, .vtom_bit = bit };
		return true;
	}
	return error_at(err, "measured:vtl2");
}
