/*
 * Device trees node by node. [DT04] 2.2
 */
#include "bootinfo/fdt_reader.h"

#include <inttypes.h>
#include <stdarg.h>

#include "bootinfo/fdt_token_internal.h"
#include "bootinfo/utf8.h"
#include "support/diagnostics.h"

static const struct {
	const char *text;
	size_t size; /* with NUL */
} names[] = {
#define FDT_NAME(constant, text) [FDT_##constant] = { text, sizeof(text) },
	FDT_NAMES(FDT_NAME)
#undef FDT_NAME
};
static_assert(ARRAY_COUNT(names) == FDT_NAME_COUNT, "one text a name");

/* What the name of a property may be beside an FdtName. */
enum { NAME_OTHER = FDT_NAME_COUNT, NAME_BROKEN };
static_assert(NAME_BROKEN < UINT8_MAX, "FdtReader.slots has a byte for each");

const char *fdt_name_text(FdtName name)
{
	return name < FDT_NAME_COUNT ? names[name].text : "";
}

/* Which name stands at @offset? The known ones are compared with their NUL, as they are UTF-8. */
static uint32_t read_name(const FdtWalk *walk, uint32_t offset)
{
	const uint8_t *at = walk->strings.data + offset;
	Bytes text;

	if (offset >= walk->strings.len)
		return NAME_BROKEN;
	for (uint32_t i = 0; i < FDT_NAME_COUNT; i++) {
		if (at[0] == (uint8_t)names[i].text[0] &&
			walk->strings.len - offset >= names[i].size &&
			memcmp(at, names[i].text, names[i].size) == 0)
			return i;
	}
	return fdt_walk_property_name(walk, offset, &text) ? NAME_OTHER : NAME_BROKEN;
}

static inline uint32_t look_up_name(FdtReader *reader, uint32_t offset)
{
	if (offset >= FDT_NAME_SLOTS)
		return read_name(&reader->walk, offset);
	if (reader->slots[offset] == 0)
		reader->slots[offset] = (uint8_t)(read_name(&reader->walk, offset) + 1);
	return reader->slots[offset] - 1u;
}

bool fdt_reader_open(const char *tree, Bytes blob, Arena *arena, FdtReader *out, Error *err)
{
	FdtWalk walk;
	FdtToken root;

	if (!fdt_walk_open(tree, blob, arena, &walk, err) || !fdt_walk_next(&walk, &root, err))
		return false;
	memset(out->slots, 0, sizeof(out->slots));
	out->present = 0;
	out->depth = 0;
	out->walk = walk;
	out->ahead = root;
	return true;
}

/* Reads the properties of the present node, and on to where the next one begins. */
static bool read_node(FdtReader *reader, Error *err)
{
	uint32_t present = 0;
	bool broken = false;
	FdtToken token;

	for (;;) {
		uint32_t name;

		if (!fdt_next_token(&reader->walk, &token, err))
			return false;
		if (token.kind == FDT_TOKEN_NODE_END)
			continue;
		if (token.kind != FDT_TOKEN_PROPERTY)
			break;
		name = broken ? NAME_OTHER : look_up_name(reader, token.name_offset);
		if (name == NAME_BROKEN) {
			broken = true;
		} else if (name < FDT_NAME_COUNT && !(present >> name & 1)) {
			present |= UINT32_C(1) << name;
			reader->values[name] = token.data;
		}
	}
	reader->present = present;
	reader->ahead = token;
	return true;
}

bool fdt_reader_next(FdtReader *reader, Error *err)
{
	if (reader->ahead.kind == FDT_TOKEN_TREE_END) {
		reader->depth = 0;
		reader->present = 0;
		return true;
	}
	reader->name = (const char *)reader->ahead.data.data;
	reader->offset = reader->ahead.offset;
	reader->depth = reader->walk.depth;
	reader->path[reader->depth - 1] = reader->name;
	return read_node(reader, err);
}

bool fdt_fail_here(Error *err, const FdtReader *reader, FdtName name)
{
	char source[ERROR_SOURCE_SIZE];
	const char *property = name < FDT_NAME_COUNT ? names[name].text : NULL;
	size_t offset = reader->offset;

	if (name < FDT_NAME_COUNT && fdt_has(reader, name))
		offset = (size_t)(reader->values[name].data - reader->walk.blob.data);
	fdt_path_text(reader->walk.tree, reader->path, reader->depth, property, source);
	if (property)
		error_wrap(err, "%s", property);
	error_wrap(err, "%.60s", reader->depth > 1 ? reader->name : "/");
	return error_at_offset(err, source, offset);
}

bool fdt_fail(Error *err, const FdtReader *reader, FdtName name, uint16_t diagnostic,
	const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_set_va(err, diagnostic, format, args);
	va_end(args);
	return fdt_fail_here(err, reader, name);
}

/* Why a list of elements of @size bytes is not what was wanted: absent, odd, wrong count. */
static FDT_COLD bool fail_list(const FdtReader *reader, FdtName name, size_t size,
	const char *wanted, size_t count, Error *err)
{
	if (!fdt_has(reader, name))
		return fdt_fail(
			err, reader, name, PVW_DT_0011, "absent, expected u%zu", 8 * size);

	const size_t len = reader->values[name].len;

	if (len % size)
		return fdt_fail(err, reader, name, PVW_DT_0013,
			"%zu bytes, expected a multiple of %zu", len, size);
	return fdt_fail(err, reader, name, PVW_DT_0013, "%zu elements of u%zu, expected %s%zu",
		len / size, 8 * size, wanted, count);
}

static inline bool has_list_of(const FdtReader *reader, FdtName name, size_t size)
{
	return fdt_has(reader, name) && reader->values[name].len % size == 0;
}

bool fdt_u32_count(const FdtReader *reader, FdtName name, size_t *count, Error *err)
{
	if (!has_list_of(reader, name, sizeof(uint32_t)))
		return fail_list(reader, name, sizeof(uint32_t), "at least ", 0, err);
	*count = reader->values[name].len / sizeof(uint32_t);
	return true;
}

bool fdt_u64_count(const FdtReader *reader, FdtName name, size_t *count, Error *err)
{
	if (!has_list_of(reader, name, sizeof(uint64_t)))
		return fail_list(reader, name, sizeof(uint64_t), "at least ", 0, err);
	*count = reader->values[name].len / sizeof(uint64_t);
	return true;
}

uint32_t fdt_u32_at(const FdtReader *reader, FdtName name, size_t index)
{
	return fdt_load_be32(reader->values[name].data + index * sizeof(uint32_t));
}

uint64_t fdt_u64_at(const FdtReader *reader, FdtName name, size_t index)
{
	const uint8_t *at = reader->values[name].data + index * sizeof(uint64_t);

	return fdt64_ld((const fdt64_t *)(const void *)at);
}

bool fdt_read_u32(const FdtReader *reader, FdtName name, uint32_t *out, Error *err)
{
	if (!has_list_of(reader, name, sizeof(*out)) || reader->values[name].len == 0)
		return fail_list(reader, name, sizeof(*out), "at least ", 1, err);
	*out = fdt_u32_at(reader, name, 0);
	return true;
}

bool fdt_read_u64(const FdtReader *reader, FdtName name, uint64_t *out, Error *err)
{
	if (!has_list_of(reader, name, sizeof(*out)) || reader->values[name].len == 0)
		return fail_list(reader, name, sizeof(*out), "at least ", 1, err);
	*out = fdt_u64_at(reader, name, 0);
	return true;
}

bool fdt_read_u64s(
	const FdtReader *reader, FdtName name, size_t count, uint64_t *out, Error *err)
{
	if (!fdt_has(reader, name) || reader->values[name].len != count * sizeof(*out))
		return fail_list(reader, name, sizeof(*out), "", count, err);
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
