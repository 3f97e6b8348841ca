/*
 * Reading an IGVM file without believing it.
 * Source: [IGVM] igvm_defs/src/lib.rs, igvm/src/lib.rs
 */
#include "loaders/igvm_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "support/checked.h"
#include "support/diagnostics.h"

#define HEADER_ALIGN 8

static const char *const platform_names[] = {
	[IGVM_PLATFORM_NATIVE] = "native",
	[IGVM_PLATFORM_VSM] = "vsm",
	[IGVM_PLATFORM_SNP] = "snp",
	[IGVM_PLATFORM_TDX] = "tdx",
	[IGVM_PLATFORM_SEV] = "sev",
	[IGVM_PLATFORM_SEV_ES] = "sev-es",
	[IGVM_PLATFORM_CCA] = "cca",
};
static_assert(ARRAY_COUNT(platform_names) == IGVM_PLATFORM_COUNT, "one name a platform");

const char *igvm_platform_name(uint32_t platform)
{
	return platform < IGVM_PLATFORM_COUNT ? platform_names[platform] : "unknown";
}

#define MASKED(number, text, section, record)                                                  \
	{                                                                                      \
		number, text, section, sizeof(record), false, offsetof(record, mask), false    \
	}
#define PARAMETER(number, text)                                                                \
	{                                                                                      \
		number, text, 2, sizeof(IgvmParameterUse), false, -1, true                     \
	}

/* Ascending by type. */
static const IgvmTypeRow rows[] = {
	{ IGVM_SUPPORTED_PLATFORM, "supported-platform", 0, sizeof(IgvmSupportedPlatform),
		false, -1, false },
	MASKED(IGVM_GUEST_POLICY, "guest-policy", 1, IgvmGuestPolicy),
	MASKED(IGVM_RELOCATABLE_REGION, "relocatable-region", 1, IgvmRelocatableRegion),
	MASKED(IGVM_PAGE_TABLE_REGION, "page-table-region", 1, IgvmPageTableRegion),
	MASKED(IGVM_CCA_POLICY, "cca-policy", 1, IgvmCcaPolicy),
	{ IGVM_PARAMETER_AREA, "parameter-area", 2, sizeof(IgvmParameterArea), false, -1,
		false },
	MASKED(IGVM_PAGE_DATA, "page-data", 2, IgvmPageData),
	MASKED(IGVM_PARAMETER_INSERT, "parameter-insert", 2, IgvmParameterInsert),
	MASKED(IGVM_VP_CONTEXT, "vp-context", 2, IgvmVpContext),
	MASKED(IGVM_REQUIRED_MEMORY, "required-memory", 2, IgvmRequiredMemory),
	PARAMETER(IGVM_VP_COUNT, "vp-count"),
	PARAMETER(IGVM_SRAT, "srat"),
	PARAMETER(IGVM_MADT, "madt"),
	PARAMETER(IGVM_MMIO_RANGES, "mmio-ranges"),
	/* Both begin with their mask; what follows is for who launches. */
	{ IGVM_SNP_ID_BLOCK, "snp-id-block", 2, sizeof(uint32_t), true, 0, false },
	PARAMETER(IGVM_MEMORY_MAP, "memory-map"),
	MASKED(IGVM_ERROR_RANGE, "error-range", 2, IgvmErrorRange),
	PARAMETER(IGVM_COMMAND_LINE, "command-line"),
	PARAMETER(IGVM_SLIT, "slit"),
	PARAMETER(IGVM_PPTT, "pptt"),
	{ IGVM_VBS_MEASUREMENT, "vbs-measurement", 2, sizeof(uint32_t), true, 0, false },
	PARAMETER(IGVM_DEVICE_TREE, "device-tree"),
	PARAMETER(IGVM_ENVIRONMENT, "environment"),
};

const IgvmTypeRow *igvm_type_row(uint32_t type)
{
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (rows[i].type == type)
			return &rows[i];
	}
	return NULL;
}

/*
 * The fixed header.
 */

/* [ISO3309] reflected, polynomial 0xedb88320: four bits a step. */
static uint32_t crc_add(uint32_t crc, const uint8_t *data, size_t len)
{
	static const uint32_t steps[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344,
		0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		crc = crc >> 4 ^ steps[crc & 15];
		crc = crc >> 4 ^ steps[crc & 15];
	}
	return crc;
}

uint32_t igvm_checksum(Bytes bytes, size_t headers, size_t headers_end, size_t fixed_size)
{
	static const uint8_t zeros[sizeof(uint32_t)];
	const size_t at = offsetof(IgvmFixedHeader, checksum);
	uint32_t crc = UINT32_MAX;

	crc = crc_add(crc, bytes.data, at);
	crc = crc_add(crc, zeros, sizeof(zeros));
	crc = crc_add(crc, bytes.data + at + sizeof(zeros), fixed_size - at - sizeof(zeros));
	crc = crc_add(crc, bytes.data + headers, headers_end - headers);
	return ~crc;
}

static bool check_format(const IgvmFixedHeader2 *fixed, IgvmFile *file, Error *err)
{
	if (fixed->first.format_version != 1 && fixed->first.format_version != 2) {
		error_set(err, PVW_IGVM_0003, "format %" PRIu32 ", expected 1 or 2",
			fixed->first.format_version);
		return error_at_offset(err, "igvm", offsetof(IgvmFixedHeader, format_version));
	}
	file->format = fixed->first.format_version;
	if (file->format == 1)
		return true;
	if (fixed->architecture > 1) {
		error_set(err, PVW_IGVM_0003, "architecture %" PRIu32 ", expected 0 or 1",
			fixed->architecture);
		return error_at_offset(err, "igvm", offsetof(IgvmFixedHeader2, architecture));
	}
	if (fixed->page_size != IGVM_PAGE_SIZE) {
		error_set(err, PVW_IGVM_0003, "pages of %" PRIu32 " bytes, expected %d",
			fixed->page_size, IGVM_PAGE_SIZE);
		return error_at_offset(err, "igvm", offsetof(IgvmFixedHeader2, page_size));
	}
	file->arch = fixed->architecture ? GUEST_ARCH_AARCH64 : GUEST_ARCH_X86_64;
	return true;
}

static bool check_sizes(
	const IgvmFixedHeader *fixed, size_t fixed_size, Bytes bytes, Error *err)
{
	const uint64_t end = (uint64_t)fixed->variable_offset + fixed->variable_size;

	if (fixed->total_size != bytes.len) {
		error_set(err, PVW_IGVM_0004,
			"the header says %" PRIu32 " bytes, expected the %zu of the file",
			fixed->total_size, bytes.len);
		return error_at_offset(err, "igvm", offsetof(IgvmFixedHeader, total_size));
	}
	/* Data there must be: a file whose headers end it is none. */
	if (fixed->variable_offset < fixed_size || end >= bytes.len) {
		error_set(err, PVW_IGVM_0004,
			"variable headers at 0x%" PRIx32 "-0x%" PRIx64
			", expected inside 0x%zx-0x%zx and data behind them",
			fixed->variable_offset, end, fixed_size, bytes.len);
		return error_at_offset(err, "igvm", offsetof(IgvmFixedHeader, variable_offset));
	}
	return true;
}

bool igvm_open(Bytes bytes, IgvmFile *out, Error *err)
{
	IgvmFile file = { .bytes = bytes, .arch = GUEST_ARCH_X86_64 };
	IgvmFixedHeader2 fixed = { 0 };
	size_t fixed_size = sizeof(IgvmFixedHeader);
	uint32_t sum;

	if (bytes.len >= sizeof(uint32_t))
		memcpy(&fixed.first.magic, bytes.data, sizeof(uint32_t));
	if (bytes.len >= sizeof(uint32_t) && fixed.first.magic != IGVM_MAGIC)
		return error_set(err, PVW_IGVM_0002,
			"it begins with 0x%08" PRIx32 ", expected 0x%08" PRIx32,
			fixed.first.magic, IGVM_MAGIC);
	if (bytes.len < sizeof(fixed))
		return error_set(err, PVW_IGVM_0001, "%zu bytes, expected at least %zu",
			bytes.len, sizeof(fixed));
	memcpy(&fixed, bytes.data, sizeof(fixed));
	if (!check_format(&fixed, &file, err))
		return false;
	if (file.format == 2)
		fixed_size = sizeof(IgvmFixedHeader2);
	if (!check_sizes(&fixed.first, fixed_size, bytes, err))
		return false;
	file.headers = fixed.first.variable_offset;
	file.headers_end = file.headers + fixed.first.variable_size;
	file.checksum = fixed.first.checksum;
	sum = igvm_checksum(bytes, file.headers, file.headers_end, fixed_size);
	if (sum != file.checksum) {
		error_set(err, PVW_IGVM_0005,
			"checksum 0x%08" PRIx32 ", expected 0x%08" PRIx32 " for these headers",
			file.checksum, sum);
		return error_at_offset(err, "igvm", offsetof(IgvmFixedHeader, checksum));
	}
	*out = file;
	return true;
}

/*
 * Variable headers.
 */

static bool header_fail(size_t offset, Error *err)
{
	return error_at_offset(err, "igvm", offset);
}

static bool read_head(
	const IgvmFile *file, size_t at, IgvmHeaderHead *head, size_t *next, Error *err)
{
	const size_t left = file->headers_end - at;
	size_t padded;

	if (left < sizeof(*head)) {
		error_set(err, PVW_IGVM_0006,
			"%zu bytes are left for a header, expected at least %zu", left,
			sizeof(*head));
		return header_fail(at, err);
	}
	memcpy(head, file->bytes.data + at, sizeof(*head));
	if (head->length > left - sizeof(*head)) {
		error_set(err, PVW_IGVM_0006,
			"header 0x%" PRIx32 " has %" PRIu32 " bytes, expected at most %zu",
			head->type, head->length, left - sizeof(*head));
		return header_fail(at, err);
	}
	/* The last one may go without its padding. */
	padded = sizeof(*head) +
		((size_t)head->length + HEADER_ALIGN - 1) / HEADER_ALIGN * HEADER_ALIGN;
	*next = padded < left ? at + padded : file->headers_end;
	return true;
}

static bool check_header(IgvmCursor *cursor, const IgvmHeader *header, Error *err)
{
	const IgvmTypeRow *row = header->row;

	if (!row) {
		if (header->skipped)
			return true;
		error_set(err, PVW_IGVM_0007,
			"header type 0x%" PRIx32 ", expected one that is known, or bit 31",
			header->type);
		return header_fail(header->offset, err);
	}
	if (header->body.len != row->body && !(row->longer && header->body.len > row->body)) {
		error_set(err, PVW_IGVM_0008, "%s of %zu bytes, expected %" PRIu32, row->name,
			header->body.len, row->body);
		return header_fail(header->offset, err);
	}
	if (row->section < cursor->section) {
		error_set(err, PVW_IGVM_0009,
			"%s stands behind headers of a later section, expected platforms, "
			"initialization, directives",
			row->name);
		return header_fail(header->offset, err);
	}
	cursor->section = row->section;
	return true;
}

bool igvm_next(const IgvmFile *file, IgvmCursor *cursor, IgvmHeader *out, Error *err)
{
	IgvmHeader header = { .offset = cursor->at, .mask = UINT32_MAX };
	IgvmHeaderHead head;
	size_t next = 0;

	if (!read_head(file, cursor->at, &head, &next, err)) {
		cursor->at = file->headers_end;
		return false;
	}
	cursor->at = next;
	if (++cursor->count > IGVM_MAX_HEADERS) {
		error_set(err, PVW_IGVM_0010, "more than %zu headers, expected fewer",
			IGVM_MAX_HEADERS);
		cursor->at = file->headers_end;
		return header_fail(header.offset, err);
	}
	header.type = head.type & ~IGVM_TYPE_SKIPPABLE;
	header.row = igvm_type_row(header.type);
	header.skipped = !header.row && (head.type & IGVM_TYPE_SKIPPABLE);
	header.body = (Bytes){ file->bytes.data + header.offset + sizeof(head), head.length };
	if (!check_header(cursor, &header, err))
		return false;
	if (header.row && header.row->mask_at >= 0)
		memcpy(&header.mask, header.body.data + header.row->mask_at,
			sizeof(header.mask));
	*out = header;
	return true;
}

/*
 * Data.
 */

bool igvm_data_from(const IgvmFile *file, uint32_t offset, Bytes *out, Error *err)
{
	if (offset < file->headers_end || offset >= file->bytes.len)
		return error_set(err, PVW_IGVM_0011,
			"file offset 0x%" PRIx32 ", expected inside the data at 0x%zx-0x%zx",
			offset, file->headers_end, file->bytes.len);
	*out = (Bytes){ file->bytes.data + offset, file->bytes.len - offset };
	return true;
}

bool igvm_data(const IgvmFile *file, uint32_t offset, uint64_t len, Bytes *out, Error *err)
{
	Bytes rest = { 0 };

	if (!igvm_data_from(file, offset, &rest, err))
		return false;
	if (len > rest.len)
		return error_set(err, PVW_IGVM_0011,
			"0x%" PRIx64 " bytes at file offset 0x%" PRIx32
			", expected inside the data at 0x%zx-0x%zx",
			len, offset, file->headers_end, file->bytes.len);
	*out = (Bytes){ rest.data, (size_t)len };
	return true;
}

/*
 * Platforms.
 */

static bool check_mask(const IgvmHeader *header, uint32_t mask, uint32_t seen, Error *err)
{
	if (mask != 0 && (mask & (mask - 1)) == 0 && !(seen & mask))
		return true;
	error_set(err, PVW_IGVM_0013,
		"supported-platform has mask 0x%" PRIx32 ", expected one bit that no other has",
		mask);
	return header_fail(header->offset, err);
}

static void append_name(char *text, size_t size, uint32_t platform)
{
	const size_t len = strlen(text);

	if (len + 24 < size)
		snprintf(text + len, size - len, "%s%s", len ? ", " : "",
			igvm_platform_name(platform));
}

bool igvm_select(const IgvmFile *file, IgvmPlatform platform, IgvmSelection *out, Error *err)
{
	IgvmCursor cursor = igvm_first(file);
	IgvmSelection found = { 0 };
	char offered[160] = "";
	uint32_t seen = 0;

	while (!igvm_at_end(file, &cursor)) {
		IgvmSupportedPlatform body;
		IgvmHeader header;

		if (!igvm_next(file, &cursor, &header, err))
			return false;
		if (header.skipped || header.row->type != IGVM_SUPPORTED_PLATFORM)
			continue;
		body = igvm_body(IgvmSupportedPlatform, &header);
		if (!check_mask(&header, body.mask, seen, err))
			return false;
		seen |= body.mask;
		append_name(offered, sizeof(offered), body.platform);
		if (body.platform == platform && !found.mask)
			found = (IgvmSelection){ body.mask, body.highest_vtl, platform };
	}
	if (!found.mask)
		return error_set(err, PVW_IGVM_0012,
			"platform %s is not there, expected one of: %s",
			igvm_platform_name(platform), offered[0] ? offered : "none");
	*out = found;
	return true;
}
