#include <criterion/criterion.h>
#include <libfdt.h>
#include <string.h>

#include "bootinfo/fdt_walk.h"
#include "helpers/tree_builder.h"
#include "support/diagnostics.h"

static Arena *arena;

static void setup(void)
{
	arena = arena_new(32 << 20);
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(fdt_walk, .init = setup, .fini = teardown);

/* Walk to the end: how many tokens, or 0 with the failure. */
static size_t walk_all(Bytes blob, Error *err)
{
	FdtWalk walk;
	FdtToken token;
	size_t count = 0;

	if (!fdt_walk_open("dtb", blob, arena, &walk, err))
		return 0;
	do {
		if (!fdt_walk_next(&walk, &token, err))
			return 0;
		count++;
	} while (token.kind != FDT_TOKEN_TREE_END);
	return count;
}

static void assert_fails(Bytes blob, uint16_t diagnostic, const char *word)
{
	Error err = { 0 };

	cr_assert_eq(walk_all(blob, &err), 0);
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, word), "'%s' without '%s'", err.text, word);
	cr_assert(err.has_offset);
}

/* / { a = <1>; child { b; }; }; */
static Bytes small_tree(void)
{
	TreeBuilder t = tree_begin(arena);

	tree_u32(&t, "a", 1);
	tree_node(&t, "child");
	tree_empty(&t, "b");
	tree_end(&t);
	return tree_finish(&t);
}

static uint8_t *small_copy(size_t *len)
{
	const Bytes blob = small_tree();

	*len = blob.len;
	return tree_copy(arena, blob);
}

static void put_be32(uint8_t *at, uint32_t value)
{
	fdt32_st(at, value);
}

static uint32_t get_be32(const uint8_t *at)
{
	return fdt32_ld((const fdt32_t *)(const void *)at);
}

/* A blob around a structure block made by hand; FDT_END is added. */
static Bytes blob_of(
	const uint32_t *cells, size_t count, const char *strings, size_t strings_len)
{
	const size_t structure = 56, strings_at = structure + 4 * (count + 1);
	Error err;
	uint8_t *blob = arena_alloc(arena, strings_at + strings_len, 8, &err);
	const uint32_t header[] = { FDT_MAGIC, (uint32_t)(strings_at + strings_len), 56,
		(uint32_t)strings_at, 40, 17, 16, 7, (uint32_t)strings_len,
		(uint32_t)(4 * (count + 1)) };

	for (size_t i = 0; i < 10; i++)
		put_be32(blob + 4 * i, header[i]);
	for (size_t i = 0; i < count; i++)
		put_be32(blob + structure + 4 * i, cells[i]);
	put_be32(blob + structure + 4 * count, FDT_END);
	memcpy(blob + strings_at, strings, strings_len);
	return (Bytes){ blob, strings_at + strings_len };
}

#define BLOB(...)                                                                              \
	blob_of((const uint32_t[]){ __VA_ARGS__ },                                             \
		sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4, "p", 2)

Test(fdt_walk, gives_the_tokens_in_order)
{
	static const FdtTokenKind kinds[] = { FDT_TOKEN_NODE, FDT_TOKEN_PROPERTY,
		FDT_TOKEN_NODE, FDT_TOKEN_PROPERTY, FDT_TOKEN_NODE_END, FDT_TOKEN_NODE_END,
		FDT_TOKEN_TREE_END, FDT_TOKEN_TREE_END };
	FdtToken token;
	FdtWalk walk;
	Error err;
	Bytes name;

	cr_assert(fdt_walk_open("dtb", small_tree(), arena, &walk, &err));

	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		cr_assert(fdt_walk_next(&walk, &token, &err), "%s", err.text);
		cr_assert_eq(token.kind, kinds[i], "token %zu", i);
		if (i == 1) {
			cr_assert(fdt_walk_property_name(&walk, token.name_offset, &name));
			cr_assert_str_eq((const char *)name.data, "a");
			cr_assert_eq(token.data.len, 4);
			cr_assert_eq(token.data.data[3], 1);
		}
		if (i == 2)
			cr_assert_str_eq((const char *)token.data.data, "child");
	}
}

Test(fdt_walk, takes_a_blob_at_any_address)
{
	const Bytes blob = small_tree();
	uint8_t room[2048];
	Error err;

	for (size_t shift = 0; shift < 4; shift++) {
		memcpy(room + shift, blob.data, blob.len);
		cr_assert_eq(
			walk_all((Bytes){ room + shift, blob.len }, &err), 7, "%s", err.text);
	}
}

Test(fdt_walk, bounds_blocks_by_the_buffer_not_by_totalsize)
{
	size_t len;
	uint8_t *blob = small_copy(&len);
	Error err;

	put_be32(blob + 4, 0);

	cr_assert_eq(walk_all((Bytes){ blob, len }, &err), 7, "%s", err.text);
}

Test(fdt_walk, takes_newer_versions_that_are_compatible)
{
	size_t len;
	uint8_t *blob = small_copy(&len);
	Error err;

	put_be32(blob + 20, 18);
	put_be32(blob + 24, 15);

	cr_assert_eq(walk_all((Bytes){ blob, len }, &err), 7, "%s", err.text);
}

Test(fdt_walk, keeps_what_the_header_says)
{
	FdtWalk walk;
	Error err;
	TreeBuilder t = tree_begin(arena);
	const Bytes blob = tree_finish_with_cpu(&t, 0x1234);

	cr_assert(fdt_walk_open("dtb", blob, arena, &walk, &err));

	cr_assert_eq(walk.boot_cpu, 0x1234);
	cr_assert_eq(walk.total_size, blob.len);
	cr_assert_eq(walk.reservations.len, 0);
}

Test(fdt_walk, counts_reservations_up_to_the_zero_pair)
{
	uint8_t room[256] = { 0 };
	const Bytes small = small_tree();
	FdtWalk walk;
	Error err;

	/* An entry of size 0 is not the end. */
	memcpy(room, small.data, small.len);
	put_be32(room + 16, 200);
	room[200 + 7] = 0x10;
	room[216 + 15] = 0x20;

	cr_assert(fdt_walk_open("dtb", (Bytes){ room, sizeof(room) }, arena, &walk, &err));

	cr_assert_eq(walk.reservations.len, 32);
}

Test(fdt_walk, refuses_short_and_foreign_blobs)
{
	size_t len;
	uint8_t *blob = small_copy(&len);

	assert_fails((Bytes){ NULL, 0 }, PVW_DT_0001, "0 bytes");
	assert_fails((Bytes){ blob, 39 }, PVW_DT_0001, "39 bytes");
	assert_fails((Bytes){ blob, len - 1 }, PVW_DT_0001, "totalsize");
	blob[0] = 0;
	assert_fails((Bytes){ blob, len }, PVW_DT_0002, "magic 0xdfeed");
}

Test(fdt_walk, refuses_other_versions)
{
	size_t len;
	uint8_t *blob = small_copy(&len);

	put_be32(blob + 20, 16);
	assert_fails((Bytes){ blob, len }, PVW_DT_0003, "version 16");
	put_be32(blob + 20, 17);
	put_be32(blob + 24, 17);
	assert_fails((Bytes){ blob, len }, PVW_DT_0003, "down to version 17");
}

Test(fdt_walk, refuses_blocks_outside_of_the_blob)
{
	static const struct {
		size_t field;
		uint32_t value;
		uint16_t diagnostic;
		const char *word;
	} rows[] = {
		{ 8, 0xfffffffc, PVW_DT_0004, "structure block" },
		{ 8, 0x39, PVW_DT_0004, "multiple of 4" },
		{ 36, 0xffffffff, PVW_DT_0004, "structure block" },
		{ 36, 0, PVW_DT_0006, "0 bytes" },
		{ 36, 8, PVW_DT_0006, "8 bytes" },
		{ 12, 0xffffffff, PVW_DT_0004, "strings block" },
		{ 32, 0xffffffff, PVW_DT_0004, "strings block" },
		{ 16, 0xffffffff, PVW_DT_0004, "reservation block" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		size_t len;
		uint8_t *blob = small_copy(&len);

		put_be32(blob + rows[i].field, rows[i].value);
		assert_fails((Bytes){ blob, len }, rows[i].diagnostic, rows[i].word);
	}
}

Test(fdt_walk, refuses_reservations_without_end)
{
	size_t len;
	uint8_t *blob = small_copy(&len);

	put_be32(blob + 16, (uint32_t)len);
	assert_fails((Bytes){ blob, len }, PVW_DT_0005, "no zero entry");
	put_be32(blob + 16, (uint32_t)len - 15);
	assert_fails((Bytes){ blob, len }, PVW_DT_0005, "15 bytes");
}

Test(fdt_walk, takes_nops_everywhere_and_roots_with_a_name)
{
	Error err;

	cr_assert_eq(walk_all(BLOB(4, 1, 0x61626300, 4, 3, 0, 0, 4, 1, 0, 4, 2, 2, 4), &err), 6,
		"%s", err.text);
}

Test(fdt_walk, refuses_tokens_that_may_not_stand_there)
{
	assert_fails(BLOB(2), PVW_DT_0007, "token 0x2");
	assert_fails(BLOB(3, 0, 0), PVW_DT_0007, "token 0x3");
	assert_fails(BLOB(1, 0, 5), PVW_DT_0007, "token 0x5");
	assert_fails(BLOB(1, 0, 1, 0, 2, 3, 0, 0, 2), PVW_DT_0007, "behind a child");
	assert_fails(BLOB(1, 0, 9, 2), PVW_DT_0007, "token 0x9");
	assert_fails(BLOB(1, 0, 1, 0, 2), PVW_DT_0007, "expected the end of the node");
	assert_fails(BLOB(1, 0, 2, 2), PVW_DT_0007, "one root");
}

Test(fdt_walk, refuses_no_root_and_two)
{
	assert_fails(blob_of(NULL, 0, "", 0), PVW_DT_0010, "no root");
	assert_fails(BLOB(4, 4), PVW_DT_0010, "no root");
	assert_fails(BLOB(1, 0, 2, 1, 0, 2), PVW_DT_0010, "second root");
}

Test(fdt_walk, refuses_what_is_cut_off)
{
	assert_fails(BLOB(1, 0x61616161), PVW_DT_0008, "name of a node");
	assert_fails(BLOB(1, 0, 3), PVW_DT_0008, "property");
	assert_fails(BLOB(1, 0, 3, 5, 0, 0), PVW_DT_0008, "property");
	assert_fails(BLOB(1, 0, 3, 0xffffffff, 0, 0, 2), PVW_DT_0008, "property");
	assert_fails(BLOB(1, 0, 3, 0xfffffff5, 0, 0, 2), PVW_DT_0008, "property");
	assert_fails(BLOB(1, 0, 3, 0x7ffffff0, 0, 0, 2), PVW_DT_0008, "property");
}

Test(fdt_walk, refuses_a_structure_block_that_ends_inside_a_token)
{
	size_t len;
	uint8_t *blob = small_copy(&len);
	const size_t structure = get_be32(blob + 8);

	/* The block ends two bytes behind the root's name, and its END is there. */
	put_be32(blob + structure + 10, FDT_END);
	put_be32(blob + 36, 14);

	assert_fails((Bytes){ blob, len }, PVW_DT_0008, "2 bytes left");
}

Test(fdt_walk, refuses_node_names_that_are_not_utf8)
{
	assert_fails(BLOB(1, 0xff000000, 2), PVW_DT_0009, "expected UTF-8");
	assert_fails(BLOB(1, 0xc0800000, 2), PVW_DT_0009, "expected UTF-8");
	assert_fails(BLOB(1, 0xeda08000, 2), PVW_DT_0009, "expected UTF-8");
}

Test(fdt_walk, ignores_what_pads_a_name)
{
	Error err;

	cr_assert_eq(
		walk_all(BLOB(1, 0x00ffffff, 1, 0x6100ff80, 2, 2), &err), 5, "%s", err.text);
}

Test(fdt_walk, has_limits)
{
	Error err;
	uint32_t *cells = arena_array(arena, uint32_t, 3 * FDT_MAX_NODES + 8, &err);
	size_t count = 0;
	uint8_t *large = arena_alloc(arena, FDT_MAX_BYTES + 1, 8, &err);

	assert_fails((Bytes){ large, FDT_MAX_BYTES + 1 }, PVW_DT_0012, "262145 bytes");

	for (size_t depth = FDT_MAX_DEPTH; depth <= FDT_MAX_DEPTH + 1; depth++) {
		count = 0;
		for (size_t i = 0; i < depth; i++) {
			cells[count++] = 1;
			cells[count++] = 0;
		}
		for (size_t i = 0; i < depth; i++)
			cells[count++] = 2;
		if (depth == FDT_MAX_DEPTH)
			cr_assert_eq(
				walk_all(blob_of(cells, count, "", 0), &err), 2 * depth + 1);
		else
			assert_fails(blob_of(cells, count, "", 0), PVW_DT_0012, "depth 17");
	}

	for (size_t nodes = FDT_MAX_NODES; nodes <= FDT_MAX_NODES + 1; nodes++) {
		count = 0;
		cells[count++] = 1;
		cells[count++] = 0;
		for (size_t i = 1; i < nodes; i++) {
			cells[count++] = 1;
			cells[count++] = 0;
			cells[count++] = 2;
		}
		cells[count++] = 2;
		if (nodes == FDT_MAX_NODES)
			cr_assert_eq(
				walk_all(blob_of(cells, count, "", 0), &err), 2 * nodes + 1);
		else
			assert_fails(blob_of(cells, count, "", 0), PVW_DT_0012, "4096 nodes");
	}
}

Test(fdt_walk, reads_names_of_properties_only_when_asked)
{
	const Bytes blob = blob_of((const uint32_t[]){ 1, 0, 3, 0, 2, 2 }, 6, "ab", 2);
	FdtWalk walk;
	Error err;
	Bytes name;

	cr_assert_eq(walk_all(blob, &err), 4, "%s", err.text);
	cr_assert(fdt_walk_open("dtb", blob, arena, &walk, &err));

	cr_assert_not(fdt_walk_property_name(&walk, 0, &name), "no NUL in the block");
	cr_assert_not(fdt_walk_property_name(&walk, 2, &name), "behind the block");
	cr_assert_not(fdt_walk_property_name(&walk, UINT32_MAX, &name), "far behind");
}

Test(fdt_walk, bounds_the_length_of_property_names)
{
	char strings[FDT_MAX_NAME + 2];
	FdtWalk walk;
	Error err;
	Bytes name;

	memset(strings, 'x', sizeof(strings));
	strings[FDT_MAX_NAME + 1] = '\0';
	cr_assert(fdt_walk_open("dtb",
		blob_of((const uint32_t[]){ 1, 0, 2 }, 3, strings, sizeof(strings)), arena,
		&walk, &err));

	cr_assert_not(fdt_walk_property_name(&walk, 0, &name));
	cr_assert(fdt_walk_property_name(&walk, 1, &name));
	cr_assert_eq(name.len, FDT_MAX_NAME);
}

Test(fdt_walk, says_where_a_failure_lies)
{
	size_t len;
	uint8_t *blob = small_copy(&len);
	const size_t at = get_be32(blob + 8) + 8 + 16 + 12;
	FdtWalk walk;
	FdtToken token;
	Error err = { 0 };

	/* The token of property b in /child. */
	cr_assert_eq(get_be32(blob + at), FDT_PROP);
	put_be32(blob + at, 77);
	cr_assert(fdt_walk_open("tree", (Bytes){ blob, len }, arena, &walk, &err));
	while (fdt_walk_next(&walk, &token, &err))
		;

	cr_assert_str_eq(err.source, "tree:/child");
	cr_assert_eq(err.offset, at);
}

Test(fdt_walk, path_keeps_the_end_of_what_is_too_long)
{
	char source[ERROR_SOURCE_SIZE];
	char name[100];
	const char *path[FDT_MAX_DEPTH];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < FDT_MAX_DEPTH; i++)
		path[i] = name;

	fdt_path_text("dtb", path, FDT_MAX_DEPTH, "reg", source);

	cr_assert_lt(strlen(source), sizeof(source));
	cr_assert_str_eq(source + strlen(source) - 5, "n/reg");
}
