#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "bootinfo/fdt_reader.h"
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

TestSuite(fdt_reader, .init = setup, .fini = teardown);

/* Stand at the node called @name. */
static FdtReader reader_at(Bytes blob, const char *name)
{
	FdtReader reader;
	Error err;

	cr_assert(fdt_reader_open("dtb", blob, arena, &reader, &err), "%s", err.text);
	do {
		cr_assert(fdt_reader_next(&reader, &err), "%s", err.text);
		cr_assert_gt(reader.depth, 0, "no node %s", name);
	} while (!fdt_name_is(&reader, name));
	return reader;
}

static void assert_error(
	const Error *err, uint16_t diagnostic, const char *source, const char *word)
{
	cr_assert_eq(err->diagnostic, diagnostic, "%s", err->text);
	cr_assert_str_eq(err->source, source);
	cr_assert_not_null(strstr(err->text, word), "%s", err->text);
	cr_assert(err->has_offset);
}

Test(fdt_reader, gives_nodes_in_order_with_depth_and_path)
{
	TreeBuilder t = tree_begin(arena);
	FdtReader reader;
	Error err;

	tree_node(&t, "a");
	tree_node(&t, "b");
	tree_end(&t);
	tree_end(&t);
	tree_node(&t, "c");
	tree_end(&t);
	cr_assert(fdt_reader_open("dtb", tree_finish(&t), arena, &reader, &err));

	static const struct {
		const char *name;
		unsigned depth;
	} rows[] = { { "", 1 }, { "a", 2 }, { "b", 3 }, { "c", 2 }, { "c", 0 }, { "c", 0 } };

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		cr_assert(fdt_reader_next(&reader, &err));
		cr_assert_eq(reader.depth, rows[i].depth, "node %zu", i);
		cr_assert_str_eq(reader.name, rows[i].name);
		if (i == 2) {
			fdt_fail(&err, &reader, FDT_NODE_ITSELF, PVW_DT_0011, "word");
			cr_assert_str_eq(err.source, "dtb:/a/b");
		}
	}
}

Test(fdt_reader, knows_each_of_its_names)
{
	for (unsigned name = 0; name < FDT_NAME_COUNT; name++) {
		TreeBuilder t = tree_begin(arena);

		tree_u32(&t, "unknown", 1);
		tree_u32(&t, fdt_name_text((FdtName)name), 100 + name);
		const FdtReader reader = reader_at(tree_finish(&t), "");
		uint32_t value = 0;
		Error err;

		cr_assert_eq(reader.present, UINT32_C(1) << name);
		cr_assert(fdt_read_u32(&reader, (FdtName)name, &value, &err));
		cr_assert_eq(value, 100 + name);
	}
}

Test(fdt_reader, takes_the_first_of_two_properties)
{
	TreeBuilder t = tree_begin(arena);
	uint32_t value = 0;
	Error err;

	tree_u32(&t, "reg", 1);
	tree_u32(&t, "reg", 2);
	const FdtReader reader = reader_at(tree_finish(&t), "");

	cr_assert(fdt_read_u32(&reader, FDT_REG, &value, &err));
	cr_assert_eq(value, 1);
}

/* Three properties; the name of the second is moved outside of the strings block. */
static Bytes tree_with_bad_name(void)
{
	TreeBuilder t = tree_begin(arena);

	tree_u32(&t, "reg", 1);
	tree_u32(&t, "zzzz", 0x55aa55aa);
	tree_u32(&t, "status", 3);
	tree_node(&t, "next");
	tree_u32(&t, "status", 4);
	tree_end(&t);
	const Bytes blob = tree_finish(&t);
	uint8_t *copy = tree_copy(arena, blob);
	const size_t at = tree_find(blob, "\x55\xaa\x55\xaa", 4);

	memset(copy + at - 4, 0x7f, 4);
	return (Bytes){ copy, blob.len };
}

Test(fdt_reader, finds_nothing_behind_a_name_that_cannot_be_read)
{
	const FdtReader root = reader_at(tree_with_bad_name(), "");

	cr_assert(fdt_has(&root, FDT_REG));
	cr_assert_not(fdt_has(&root, FDT_STATUS));
}

Test(fdt_reader, forgets_a_bad_name_with_its_node)
{
	const FdtReader next = reader_at(tree_with_bad_name(), "next");

	cr_assert(fdt_has(&next, FDT_STATUS));
}

Test(fdt_reader, finds_names_anywhere_in_a_large_strings_block)
{
	TreeBuilder t = tree_begin(arena);
	char name[40];

	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "property-with-a-long-name-%u", i);
		tree_u32(&t, name, i);
	}
	tree_u32(&t, "reg", 7);
	tree_node(&t, "child");
	tree_u32(&t, "reg", 8);
	tree_end(&t);
	const Bytes blob = tree_finish(&t);

	const FdtReader root = reader_at(blob, ""), child = reader_at(blob, "child");

	cr_assert(fdt_has(&root, FDT_REG));
	cr_assert(fdt_has(&child, FDT_REG));
}

static FdtReader reader_on(const char *name, const void *data, size_t len)
{
	TreeBuilder t = tree_begin(arena);

	tree_node(&t, "n@1");
	tree_bytes(&t, name, data, len);
	tree_end(&t);
	return reader_at(tree_finish(&t), "n@1");
}

Test(fdt_reader, reads_the_first_of_a_list)
{
	const FdtReader reader = reader_on("reg", "\0\0\0\1\0\0\0\2", 8);
	uint32_t u32;
	uint64_t u64, pair[1];
	size_t count;
	Error err;

	cr_assert(fdt_read_u32(&reader, FDT_REG, &u32, &err));
	cr_assert_eq(u32, 1);
	cr_assert(fdt_read_u64(&reader, FDT_REG, &u64, &err));
	cr_assert_eq(u64, 0x100000002);
	cr_assert(fdt_read_u64s(&reader, FDT_REG, 1, pair, &err));
	cr_assert_eq(pair[0], 0x100000002);
	cr_assert(fdt_u32_count(&reader, FDT_REG, &count, &err));
	cr_assert_eq(count, 2);
	cr_assert_eq(fdt_u32_at(&reader, FDT_REG, 1), 2);
	cr_assert(fdt_u64_count(&reader, FDT_REG, &count, &err));
	cr_assert_eq(count, 1);
}

Test(fdt_reader, tells_what_is_wrong_with_numbers)
{
	const FdtReader three = reader_on("reg", "\0\0\0", 3);
	const FdtReader four = reader_on("reg", "\0\0\0\1", 4);
	const FdtReader none = reader_on("reg", "", 0);
	uint64_t u64 = 5, pair[2];
	uint32_t u32 = 5;
	size_t count;
	Error err;

	cr_assert_not(fdt_read_u32(&three, FDT_REG, &u32, &err));
	assert_error(&err, PVW_DT_0013, "dtb:/n@1/reg",
		"n@1: reg: 3 bytes, expected a multiple of 4");
	cr_assert_not(fdt_read_u64(&four, FDT_REG, &u64, &err));
	assert_error(&err, PVW_DT_0013, "dtb:/n@1/reg", "multiple of 8");
	cr_assert_not(fdt_read_u32(&none, FDT_REG, &u32, &err));
	assert_error(
		&err, PVW_DT_0013, "dtb:/n@1/reg", "0 elements of u32, expected at least 1");
	cr_assert_not(fdt_read_u64(&none, FDT_REG, &u64, &err));
	assert_error(&err, PVW_DT_0013, "dtb:/n@1/reg", "0 elements of u64");
	cr_assert_not(fdt_read_u32(&none, FDT_STATUS, &u32, &err));
	assert_error(&err, PVW_DT_0011, "dtb:/n@1/status", "absent");
	cr_assert_not(fdt_read_u64s(&none, FDT_REG, 2, pair, &err));
	assert_error(&err, PVW_DT_0013, "dtb:/n@1/reg", "expected 2");
	cr_assert_not(fdt_u32_count(&three, FDT_REG, &count, &err));
	cr_assert_not(fdt_u64_count(&four, FDT_REG, &count, &err));
	cr_assert_eq(u32, 5);
	cr_assert_eq(u64, 5);
}

Test(fdt_reader, gives_the_offset_of_the_value)
{
	const FdtReader reader = reader_on("reg", "\xde\xad\xbe", 3);
	uint32_t u32;
	Error err;

	cr_assert_not(fdt_read_u32(&reader, FDT_REG, &u32, &err));

	cr_assert_eq(err.offset, tree_find(reader.walk.blob, "\xde\xad\xbe", 3));
}

Test(fdt_reader, reads_the_first_string_of_a_list)
{
	const FdtReader reader = reader_on("status", "okay\0more", 10);
	const char *text;
	Error err;

	cr_assert(fdt_read_string(&reader, FDT_STATUS, &text, &err));
	cr_assert_str_eq(text, "okay");
}

Test(fdt_reader, tells_what_is_wrong_with_strings)
{
	const FdtReader open_end = reader_on("status", "okay", 4);
	const FdtReader foreign = reader_on("status", "\xff", 2);
	const FdtReader none = reader_on("status", "", 0);
	const char *text = "kept";
	Error err;

	cr_assert_not(fdt_read_string(&open_end, FDT_STATUS, &text, &err));
	assert_error(&err, PVW_DT_0014, "dtb:/n@1/status", "without a NUL");
	cr_assert_not(fdt_read_string(&foreign, FDT_STATUS, &text, &err));
	assert_error(&err, PVW_DT_0014, "dtb:/n@1/status", "UTF-8");
	cr_assert_not(fdt_read_string(&none, FDT_STATUS, &text, &err));
	assert_error(&err, PVW_DT_0014, "dtb:/n@1/status", "0 bytes");
	cr_assert_not(fdt_read_string(&none, FDT_REG, &text, &err));
	assert_error(&err, PVW_DT_0011, "dtb:/n@1/reg", "absent");
	cr_assert_str_eq(text, "kept");
}

Test(fdt_reader, reads_optional_numbers)
{
	const FdtReader one = reader_on("reg", "\0\0\0\0\0\0\0\7", 8);
	const FdtReader bad = reader_on("reg", "\0\0\0\0", 4);
	bool has = false;
	uint64_t value = 0;
	Error err;

	cr_assert(fdt_read_optional_u64(&one, FDT_REG, &has, &value, &err));
	cr_assert(has);
	cr_assert_eq(value, 7);
	cr_assert(fdt_read_optional_u64(&one, FDT_STATUS, &has, &value, &err));
	cr_assert_not(has);
	cr_assert_not(fdt_read_optional_u64(&bad, FDT_REG, &has, &value, &err));
	cr_assert_eq(err.diagnostic, PVW_DT_0013);
}
