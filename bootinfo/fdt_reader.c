/*
 * Device trees node by node. [DT04] 2.2
 */
#include "bootinfo/fdt_reader.h"

#include <inttypes.h>
#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>

#include "bootinfo/utf8.h"
#include "support/diagnostics.h"

static const char *const names[] = {
#define FDT_NAME(constant, text) [FDT_##constant] = text,
	FDT_NAMES(FDT_NAME)
#undef FDT_NAME
};
static_assert(ARRAY_COUNT(names) == FDT_NAME_COUNT, "one text a name");

/* What the name of a property may be beside an FdtName. */
enum { NAME_OTHER = FDT_NAME_COUNT, NAME_BROKEN };

const char *fdt_name_text(FdtName name)
{
	return name < FDT_NAME_COUNT ? names[name] : "";
}

static uint32_t read_name(const FdtWalk *walk, uint32_t offset)
{
	Bytes text;

	if (!fdt_walk_property_name(walk, offset, &text))
		return NAME_BROKEN;
	for (uint32_t i = 0; i < FDT_NAME_COUNT; i++) {
		if (strcmp((const char *)text.data, names[i]) == 0)
			return i;
	}
	return NAME_OTHER;
}

static uint32_t look_up_name(FdtReader *reader, uint32_t offset)
{
	FdtNameSlot *slot = &reader->slots[(offset ^ offset >> 6) % FDT_NAME_SLOTS];

	if (slot->key != offset + 1 || slot->key == 0) {
		slot->name = read_name(&reader->walk, offset);
		slot->key = offset + 1;
	}
	return slot->name;
}

bool fdt_reader_open(const char *tree, Bytes blob, Arena *arena, FdtReader *out, Error *err)
{
	FdtWalk walk;

	if (!fdt_walk_open(tree, blob, arena, &walk, err))
		return false;
	memset(out, 0, sizeof(*out));
	out->walk = walk;
	return true;
}

/* The properties of the present node, up to its first child or its end. */
static bool read_properties(FdtReader *reader, Error *err)
{
	bool broken = false;

	reader->present = 0;
	for (;;) {
		uint32_t name;

		if (!fdt_walk_next(&reader->walk, &reader->ahead, err))
			return false;
		if (reader->ahead.kind != FDT_TOKEN_PROPERTY)
			break;
		if (broken)
			continue;
		name = look_up_name(reader, reader->ahead.name_offset);
		if (name == NAME_BROKEN) {
			broken = true;
		} else if (name < FDT_NAME_COUNT && !(reader->present >> name & 1)) {
			reader->present |= UINT32_C(1) << name;
			reader->values[name] = reader->ahead.data;
		}
	}
	reader->has_ahead = true;
	return true;
}

bool fdt_reader_next(FdtReader *reader, Error *err)
{
	/* A node's own end leaves its path alone; a child's beginning is deeper. */
	while (!reader->has_ahead || reader->ahead.kind == FDT_TOKEN_NODE_END) {
		if (!fdt_walk_next(&reader->walk, &reader->ahead, err))
			return false;
		reader->has_ahead = true;
	}
	if (reader->ahead.kind == FDT_TOKEN_TREE_END) {
		reader->depth = 0;
		reader->present = 0;
		return true;
	}
	reader->name = (const char *)reader->ahead.data.data;
	reader->offset = reader->ahead.offset;
	reader->depth = reader->walk.depth;
	return read_properties(reader, err);
}

bool fdt_fail_here(Error *err, const FdtReader *reader, FdtName name)
{
	char source[ERROR_SOURCE_SIZE];
	const char *property = name < FDT_NAME_COUNT ? names[name] : NULL;
	size_t offset = reader->offset;

	if (name < FDT_NAME_COUNT && fdt_has(reader, name))
		offset = (size_t)(reader->values[name].data - reader->walk.blob.data);
	fdt_walk_source(&reader->walk, reader->depth, property, source);
	if (property)
		error_wrap(err, "%s", property);
	error_wrap(err, "%.60s", reader->depth > 1 ? reader->name : "/");
	return error_at_offset(err, source, offset);
}

bool fdt_fail(Error *err, const FdtReader *reader, FdtName name, uint16_t diagnostic,
	const char *format, ...)
{
	char text[ERROR_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	error_set(err, diagnostic, "%s", text);
	return fdt_fail_here(err, reader, name);
}

static bool count_elements(
	const FdtReader *reader, FdtName name, size_t size, size_t *count, Error *err)
{
	if (!fdt_has(reader, name))
		return fdt_fail(err, reader, name, PVW_DT_0011,
			"absent, expected a list of u%zu", 8 * size);

	const size_t len = reader->values[name].len;

	if (len % size)
		return fdt_fail(err, reader, name, PVW_DT_0013,
			"%zu bytes, expected a multiple of %zu", len, size);
	*count = len / size;
	return true;
}

bool fdt_u32_count(const FdtReader *reader, FdtName name, size_t *count, Error *err)
{
	return count_elements(reader, name, sizeof(uint32_t), count, err);
}

bool fdt_u64_count(const FdtReader *reader, FdtName name, size_t *count, Error *err)
{
	return count_elements(reader, name, sizeof(uint64_t), count, err);
}

uint32_t fdt_u32_at(const FdtReader *reader, FdtName name, size_t index)
{
	const uint8_t *at = reader->values[name].data + index * sizeof(uint32_t);

	return fdt32_ld((const fdt32_t *)(const void *)at);
}

uint64_t fdt_u64_at(const FdtReader *reader, FdtName name, size_t index)
{
	const uint8_t *at = reader->values[name].data + index * sizeof(uint64_t);

	return fdt64_ld((const fdt64_t *)(const void *)at);
}

static bool need_elements(const FdtReader *reader, FdtName name, size_t size, size_t wanted,
	bool more, Error *err)
{
	size_t count;

	if (!count_elements(reader, name, size, &count, err))
		return false;
	if (more ? count < wanted : count != wanted)
		return fdt_fail(err, reader, name, PVW_DT_0013,
			"%zu elements of %zu bytes, expected %s%zu", count, size,
			more ? "at least " : "", wanted);
	return true;
}

bool fdt_read_u32(const FdtReader *reader, FdtName name, uint32_t *out, Error *err)
{
	if (!need_elements(reader, name, sizeof(*out), 1, /* more= */ true, err))
		return false;
	*out = fdt_u32_at(reader, name, 0);
	return true;
}

bool fdt_read_u64(const FdtReader *reader, FdtName name, uint64_t *out, Error *err)
{
	if (!need_elements(reader, name, sizeof(*out), 1, /* more= */ true, err))
		return false;
	*out = fdt_u64_at(reader, name, 0);
	return true;
}

bool fdt_read_u64s(
	const FdtReader *reader, FdtName name, size_t count, uint64_t *out, Error *err)
{
	if (!need_elements(reader, name, sizeof(*out), count, /* more= */ false, err))
		return false;
	for (size_t i = 0; i < count; i++)
		out[i] = fdt_u64_at(reader, name, i);
	return true;
}

bool fdt_read_string(const FdtReader *reader, FdtName name, const char **out, Error *err)
{
	if (!fdt_has(reader, name))
		return fdt_fail(err, reader, name, PVW_DT_0011, "absent, expected a string");

	const Bytes value = reader->values[name];
	const uint8_t *end = value.len ? memchr(value.data, '\0', value.len) : NULL;

	if (!end)
		return fdt_fail(err, reader, name, PVW_DT_0014,
			"%zu bytes without a NUL, expected a string", value.len);
	if (!utf8_is_valid((Bytes){ value.data, (size_t)(end - value.data) }))
		return fdt_fail(err, reader, name, PVW_DT_0014, "\"%.60s\", expected UTF-8",
			(const char *)value.data);
	*out = (const char *)value.data;
	return true;
}

bool fdt_read_optional_u64(
	const FdtReader *reader, FdtName name, bool *has, uint64_t *out, Error *err)
{
	*has = false;
	if (!fdt_has(reader, name))
		return true;
	if (!fdt_read_u64(reader, name, out, err))
		return false;
	*has = true;
	return true;
}
