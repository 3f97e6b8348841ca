/*
 * One pass over an unchecked device tree blob, on top of libfdt's tokens. [DT04] 5
 */
#include "bootinfo/fdt_walk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bootinfo/fdt_token_internal.h"
#include "bootinfo/utf8.h"
#include "support/checked.h"
#include "support/diagnostics.h"

#define HEADER_SIZE 40u     /* version 17 */
#define FIRST_VERSION 17u   /* older ones have no size_dt_struct */
#define LAST_COMPATIBLE 16u /* what we can read is at most this much newer */
#define RESERVATION_SIZE 16u

/* [DT04] 5.2, in host order */
typedef struct Header {
	uint32_t magic, total_size, struct_offset, strings_offset, reservations_offset;
	uint32_t version, last_compatible, boot_cpu, strings_size, struct_size;
} Header;
static_assert(sizeof(Header) == HEADER_SIZE, "[DT04] 5.2");

void fdt_path_text(const char *tree, const char *const path[], unsigned depth,
	const char *property, char source[ERROR_SOURCE_SIZE])
{
	char text[2 * FDT_MAX_DEPTH * 64];
	size_t len = (size_t)snprintf(text, sizeof(text), "%.20s:", tree);
	Error err;

	for (unsigned i = 1; i < depth; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "/%.64s", path[i]);
	if (property || depth < 2)
		snprintf(text + len, sizeof(text) - len, "/%.64s", property ? property : "");
	/* Cuts and cleans. */
	error_at(&err, text);
	memcpy(source, err.source, sizeof(err.source));
}

/* Fail at @offset of the blob, in the innermost open node. */
static bool fail(Error *err, const FdtWalk *walk, size_t offset, uint16_t diagnostic,
	const char *format, ...) PRINTF_LIKE(5, 6);

static bool fail(Error *err, const FdtWalk *walk, size_t offset, uint16_t diagnostic,
	const char *format, ...)
{
	char source[ERROR_SOURCE_SIZE];
	va_list args;

	va_start(args, format);
	error_set_va(err, diagnostic, format, args);
	va_end(args);
	if (walk->depth)
		fdt_path_text(walk->tree, walk->path, walk->depth, NULL, source);
	else
		snprintf(source, sizeof(source), "%.20s", walk->tree);
	return error_at_offset(err, source, offset);
}

static bool read_header(const FdtWalk *walk, Header *out, Error *err)
{
	uint32_t cells[HEADER_SIZE / sizeof(uint32_t)];

	if (walk->blob.len < HEADER_SIZE)
		return fail(err, walk, 0, PVW_DT_0001, "%zu bytes, a header has %u",
			walk->blob.len, HEADER_SIZE);
	if (walk->blob.len > FDT_MAX_BYTES)
		return fail(err, walk, 0, PVW_DT_0012, "%zu bytes, expected at most %zu",
			walk->blob.len, FDT_MAX_BYTES);
	for (size_t i = 0; i < ARRAY_COUNT(cells); i++)
		cells[i] = fdt_load_be32(walk->blob.data + i * sizeof(uint32_t));
	memcpy(out, cells, sizeof(*out));

	if (out->magic != FDT_MAGIC)
		return fail(err, walk, 0, PVW_DT_0002, "magic 0x%" PRIx32 ", expected 0x%x",
			out->magic, FDT_MAGIC);
	if (out->total_size > walk->blob.len)
		return fail(err, walk, 4, PVW_DT_0001,
			"totalsize %" PRIu32 ", but there are %zu bytes", out->total_size,
			walk->blob.len);
	if (out->version < FIRST_VERSION)
		return fail(err, walk, 20, PVW_DT_0003,
			"version %" PRIu32 ", expected at least %u", out->version,
			FIRST_VERSION);
	if (out->last_compatible > LAST_COMPATIBLE)
		return fail(err, walk, 24, PVW_DT_0003,
			"compatible down to version %" PRIu32 ", expected at most %u",
			out->last_compatible, LAST_COMPATIBLE);
	return true;
}

/* All pairs up to the zero pair; libfdt would stop at the first one of size 0. */
static bool read_reservations(FdtWalk *walk, uint32_t offset, Error *err)
{
	const Bytes blob = walk->blob;

	if (offset > blob.len)
		return fail(err, walk, 16, PVW_DT_0004,
			"reservation block at 0x%" PRIx32 ", but there are %zu bytes", offset,
			blob.len);
	for (size_t at = offset; blob.len - at >= RESERVATION_SIZE; at += RESERVATION_SIZE) {
		static const uint8_t last[RESERVATION_SIZE];

		if (memcmp(blob.data + at, last, RESERVATION_SIZE) == 0) {
			walk->reservations = (Bytes){ blob.data + offset, at - offset };
			return true;
		}
	}
	return fail(err, walk, offset, PVW_DT_0005,
		"no zero entry in the %zu bytes from 0x%" PRIx32, blob.len - offset, offset);
}

static bool check_block(const FdtWalk *walk, const char *name, size_t field, uint32_t offset,
	uint32_t size, Error *err)
{
	if (offset > walk->blob.len || size > walk->blob.len - offset)
		return fail(err, walk, field, PVW_DT_0004,
			"%s block of %" PRIu32 " bytes at 0x%" PRIx32
			", but there are %zu bytes",
			name, size, offset, walk->blob.len);
	return true;
}

static bool read_blocks(FdtWalk *walk, const Header *header, Error *err)
{
	if (!read_reservations(walk, header->reservations_offset, err))
		return false;
	if (header->struct_offset % FDT_TOKEN_SIZE)
		return fail(err, walk, 8, PVW_DT_0004,
			"structure block at 0x%" PRIx32 ", expected a multiple of 4",
			header->struct_offset);
	if (!check_block(
		    walk, "structure", 8, header->struct_offset, header->struct_size, err) ||
		!check_block(
			walk, "strings", 12, header->strings_offset, header->strings_size, err))
		return false;

	const size_t end = (size_t)header->struct_offset + header->struct_size;

	if (header->struct_size < FDT_TOKEN_SIZE ||
		fdt_load_be32(walk->blob.data + end - FDT_TOKEN_SIZE) != FDT_END)
		return fail(err, walk, end, PVW_DT_0006,
			"%" PRIu32 " bytes, expected the end token as the last four",
			header->struct_size);
	walk->struct_offset = header->struct_offset;
	walk->struct_len = header->struct_size - FDT_TOKEN_SIZE;
	walk->strings =
		(Bytes){ walk->blob.data + header->strings_offset, header->strings_size };
	return true;
}

/*
 * libfdt bounds every access by totalsize and wants aligned tokens. Where the blob does not suit
 * it, it walks a copy whose totalsize is the buffer's; of the other fields fdt_next_tag reads
 * only those that were checked.
 */
static bool choose_walked_blob(FdtWalk *walk, Arena *arena, Error *err)
{
	const Bytes blob = walk->blob;
	const bool aligned = (uintptr_t)blob.data % FDT_TOKEN_SIZE == 0;
	uint8_t *copy;

	if (aligned &&
		walk->struct_offset + walk->struct_len + FDT_TOKEN_SIZE <= walk->total_size) {
		walk->fdt = blob.data;
		return true;
	}
	copy = arena_reserve(arena, blob.len, 8, err);
	if (!copy)
		return false;
	memcpy(copy, blob.data, blob.len);
	fdt_set_totalsize(copy, (uint32_t)blob.len);
	walk->fdt = copy;
	return true;
}

bool fdt_walk_open(const char *tree, Bytes blob, Arena *arena, FdtWalk *out, Error *err)
{
	FdtWalk walk = { .tree = tree, .blob = blob };
	Header header = { 0 };

	if (!read_header(&walk, &header, err) || !read_blocks(&walk, &header, err))
		return false;
	walk.total_size = header.total_size;
	walk.boot_cpu = header.boot_cpu;
	if (!choose_walked_blob(&walk, arena, err))
		return false;
	*out = walk;
	return true;
}

bool fdt_fail_token(Error *err, const FdtWalk *walk, const char *expected)
{
	const size_t at = walk->struct_offset + walk->at;
	const size_t left = walk->struct_len - walk->at;
	const uint32_t token = left < FDT_TOKEN_SIZE ? 0 : fdt_load_be32(walk->blob.data + at);

	if (left < FDT_TOKEN_SIZE)
		return fail(err, walk, at, PVW_DT_0008, "%zu bytes left, a token has %u", left,
			FDT_TOKEN_SIZE);
	if (!expected && token == FDT_BEGIN_NODE)
		return fail(err, walk, at, PVW_DT_0008,
			"the name of a node does not end within %zu bytes",
			left - FDT_TOKEN_SIZE);
	if (!expected && token == FDT_PROP)
		return fail(err, walk, at, PVW_DT_0008,
			"a property does not end within %zu bytes", left - FDT_TOKEN_SIZE);
	return fail(err, walk, at, PVW_DT_0007, "token 0x%" PRIx32 ", expected %s", token,
		expected ? expected : "1, 2, 3 or 4");
}

bool fdt_fail_node(Error *err, const FdtWalk *walk, const char *name, bool is_utf8)
{
	const size_t at = walk->struct_offset + walk->at;

	if (walk->depth == 0 && walk->nodes > 0)
		return fail(err, walk, at, PVW_DT_0010, "a second root, expected one");
	if (!is_utf8)
		return fail(err, walk, at, PVW_DT_0009,
			"the name of a node, \"%.60s\", expected UTF-8", name);
	if (walk->depth == FDT_MAX_DEPTH)
		return fail(err, walk, at, PVW_DT_0012,
			"a node at depth %u, expected at most %d", walk->depth + 1,
			FDT_MAX_DEPTH);
	return fail(err, walk, at, PVW_DT_0012, "more than %d nodes", FDT_MAX_NODES);
}

bool fdt_check_end(const FdtWalk *walk, Error *err)
{
	const size_t at = walk->struct_offset + walk->at;

	if (walk->depth > 0)
		return fail(err, walk, at, PVW_DT_0007,
			"the end of the tree, expected the end of the node");
	if (walk->nodes == 0)
		return fail(err, walk, at, PVW_DT_0010, "no root node, expected one");
	return true;
}

bool fdt_walk_next(FdtWalk *walk, FdtToken *out, Error *err)
{
	return fdt_next_token(walk, out, err);
}

bool fdt_walk_property_name(const FdtWalk *walk, uint32_t name_offset, Bytes *out)
{
	const uint8_t *name;
	const uint8_t *end;
	size_t left;

	if (name_offset >= walk->strings.len)
		return false;
	name = walk->strings.data + name_offset;
	left = walk->strings.len - name_offset;
	if (left > FDT_MAX_NAME + 1)
		left = FDT_MAX_NAME + 1;
	end = memchr(name, '\0', left);
	if (!end || !utf8_is_valid((Bytes){ name, (size_t)(end - name) }))
		return false;
	*out = (Bytes){ name, (size_t)(end - name) };
	return true;
}
