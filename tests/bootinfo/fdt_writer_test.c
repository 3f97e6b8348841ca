#include <criterion/criterion.h>
#include <libfdt.h>
#include <string.h>

#include "bootinfo/fdt_writer.h"
#include "support/diagnostics.h"

static const char *const names[] = { "reg", "a-name-of-some-length", "status" };

static Arena *arena;
static Error err;

static void setup(void)
{
	arena = arena_new(1 << 20);
	err = (Error){ 0 };
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(fdt_writer, .init = setup, .fini = teardown);

static FdtWriterSetup usual(void)
{
	return (FdtWriterSetup){ .what = "test",
		.names = names,
		.name_count = ARRAY_COUNT(names),
		.strings_room = 64,
		.structure_bound = 1024,
		.limit = 4096 };
}

static FdtWriter begin(const FdtWriterSetup *how)
{
	FdtWriter w;

	cr_assert(fdt_writer_begin(how, arena, &w, &err), "%s", err.text);
	return w;
}

static void expect_no_tree(FdtWriter *w, uint16_t diagnostic, const char *word)
{
	Bytes tree;

	cr_assert_not(fdt_writer_finish(w, arena, &tree, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert(strstr(err.text, word), "%s", err.text);
}

Test(fdt_writer, pads_names_and_values_with_zeros)
{
	const FdtWriterSetup how = usual();
	uint8_t *dirt = arena_reserve(arena, 8192, 8, &err);
	FdtWriter w;
	Bytes tree;
	int len;

	memset(dirt, 0xff, 8192);
	arena_shrink(arena, dirt, 0);
	w = begin(&how);
	fdt_put_node(&w, "");
	fdt_put_bytes(&w, 0, (Bytes){ (const uint8_t *)"abcde", 5 });
	fdt_put_node_at(&w, "memory", 0x12345);
	fdt_put_empty(&w, 1);
	fdt_put_end(&w);
	fdt_put_node_decimal(&w, "cpu", 10);
	fdt_put_u64s(&w, 0, 1, UINT64_MAX);
	fdt_put_end(&w);
	fdt_put_end(&w);
	cr_assert(fdt_writer_finish(&w, arena, &tree, &err), "%s", err.text);

	cr_assert_eq(fdt_check_full(tree.data, tree.len), 0);
	cr_assert_eq(fdt_totalsize(tree.data), tree.len);
	cr_assert_geq(fdt_path_offset(tree.data, "/memory@12345"), 0);
	cr_assert(fdt_getprop(
		tree.data, fdt_path_offset(tree.data, "/memory@12345"), names[1], &len));
	cr_assert_eq(len, 0);
	cr_assert_geq(fdt_path_offset(tree.data, "/cpu@10"), 0);
	cr_assert_eq(memchr(tree.data + fdt_off_dt_struct(tree.data), 0xff,
			     (size_t)fdt_path_offset(tree.data, "/cpu@10")),
		NULL);
	cr_assert_arr_eq(fdt_getprop(tree.data, 0, "reg", &len), "abcde\0\0", 8);
}

Test(fdt_writer, takes_reservations_that_libfdt_stops_at)
{
	static const FdtReservation reserved[] = { { 0x5000, 0 }, { 0x1000, 0x1000 },
		{ 0x2000, UINT64_MAX } };
	FdtWriterSetup how = usual();
	Bytes tree;

	how.reserved = (FdtReservationList){ reserved, 2 };
	FdtWriter w = begin(&how);
	fdt_put_node(&w, "");
	fdt_put_end(&w);
	cr_assert(fdt_writer_finish(&w, arena, &tree, &err));
	cr_assert_eq(fdt64_ld((const void *)(tree.data + 40)), 0x5000);
	cr_assert_eq(fdt64_ld((const void *)(tree.data + 56)), 0x1000);
	cr_assert_eq(fdt64_ld((const void *)(tree.data + 72)), 0);

	/* One that runs over the end of all addresses reaches everything above its start. */
	how.reserved.count = 3;
	cr_assert_not(fdt_writer_begin(&how, arena, &w, &err));
	cr_assert_eq(err.diagnostic, PVW_TREE_0003);
}

Test(fdt_writer, refuses_reservations_that_are_none_or_clash)
{
	static const struct {
		FdtReservation items[3];
		size_t count;
		uint16_t diagnostic;
	} rows[] = {
		{ { { 0, 0 } }, 1, PVW_TREE_0002 },
		{ { { 0x1000, 0x1000 }, { 0x1000, 0x1000 } }, 2, PVW_TREE_0003 },
		{ { { 0x1000, 0 }, { 0x1000, 0 } }, 2, PVW_TREE_0003 },
		{ { { 0x1000, 0x1000 }, { 0x1fff, 1 } }, 2, PVW_TREE_0003 },
		{ { { 0x1fff, 1 }, { 0x1000, 0x1000 } }, 2, PVW_TREE_0003 },
		{ { { 0x1000, 0x3000 }, { 0x2000, 0x100 }, { 0x2800, 0 } }, 3, PVW_TREE_0003 },
		{ { { 0x1000, 0 }, { 0x1000, 8 }, { 0x1000, 0 } }, 3, PVW_TREE_0003 },
		{ { { 0x1000, 0x1000 }, { 0x2000, 0x1000 }, { 0x1000, 0 } }, 3, 0 },
		{ { { 0x1000, 0 }, { 0x1000, 8 }, { UINT64_MAX, 1 } }, 3, 0 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		FdtWriterSetup how = usual();
		FdtWriter w;

		how.reserved = (FdtReservationList){ rows[i].items, rows[i].count };
		err.diagnostic = 0;
		cr_assert_eq(fdt_writer_begin(&how, arena, &w, &err), rows[i].diagnostic == 0,
			"row %zu", i);
		cr_assert_eq(err.diagnostic, rows[i].diagnostic, "row %zu: %s", i, err.text);
		if (rows[i].diagnostic)
			cr_assert(strstr(err.text, "reservation"));
	}
}

Test(fdt_writer, refuses_more_names_than_there_is_room_for)
{
	FdtWriterSetup how = usual();

	how.strings_room = sizeof("reg") + sizeof("status") + 1;
	FdtWriter w = begin(&how);
	fdt_put_node(&w, "");
	fdt_put_u32(&w, 0, 1);
	fdt_put_u32(&w, 2, 1);
	fdt_put_u32(&w, 1, 1);
	fdt_put_end(&w);
	expect_no_tree(&w, PVW_TREE_0001, "names");
}

Test(fdt_writer, refuses_more_than_its_bound)
{
	FdtWriterSetup how = usual();

	how.structure_bound = 40;
	FdtWriter w = begin(&how);
	fdt_put_node(&w, "");
	fdt_put_u64(&w, 0, 1);
	fdt_put_u64(&w, 0, 1);
	fdt_put_end(&w);
	expect_no_tree(&w, PVW_TREE_0001, "more than");
}

Test(fdt_writer, refuses_a_tree_that_is_not_closed)
{
	const FdtWriterSetup how = usual();
	FdtWriter w = begin(&how);

	fdt_put_node(&w, "");
	expect_no_tree(&w, PVW_TREE_0004, "no end");
}

Test(fdt_writer, refuses_an_end_without_beginning)
{
	const FdtWriterSetup how = usual();
	FdtWriter w = begin(&how);

	fdt_put_end(&w);
	fdt_put_node(&w, "");
	expect_no_tree(&w, PVW_TREE_0004, "BADSTATE");
}

Test(fdt_writer, refuses_a_property_outside_of_nodes)
{
	const FdtWriterSetup how = usual();
	FdtWriter w = begin(&how);

	fdt_put_u32(&w, 0, 1);
	expect_no_tree(&w, PVW_TREE_0004, "BADSTATE");
}

Test(fdt_writer, refuses_a_limit_below_the_blocks_before_the_structure)
{
	FdtWriterSetup how = usual();
	FdtWriter w;

	how.limit = 40 + 16 + 64 - 1;
	cr_assert_not(fdt_writer_begin(&how, arena, &w, &err));
	cr_assert_eq(err.diagnostic, PVW_TREE_0001);
	cr_assert(strstr(err.text, "119"));
}

Test(fdt_writer, repeats_nodes)
{
	const FdtWriterSetup how = usual();
	FdtWriter w = begin(&how);
	size_t mark, len;
	uint8_t *at;
	Bytes tree;
	int size;

	fdt_put_node(&w, "");
	mark = fdt_mark(&w);
	fdt_put_node_decimal(&w, "cpu", 1);
	fdt_put_u32(&w, 0, 7);
	fdt_put_end(&w);
	len = fdt_mark(&w) - mark;
	at = fdt_put_again(&w, mark, len);
	cr_assert(at);
	at[8] = '2';
	fdt_set_u32(at + len - 8, 9);
	fdt_put_end(&w);
	cr_assert(fdt_writer_finish(&w, arena, &tree, &err), "%s", err.text);

	cr_assert_eq(fdt_check_full(tree.data, tree.len), 0);
	const int first = fdt_path_offset(tree.data, "/cpu@1");
	const int second = fdt_path_offset(tree.data, "/cpu@2");
	cr_assert_eq(fdt32_ld(fdt_getprop(tree.data, first, "reg", &size)), 7);
	cr_assert_eq(fdt32_ld(fdt_getprop(tree.data, second, "reg", &size)), 9);
}

Test(fdt_writer, repeats_only_what_is_there_and_fits)
{
	FdtWriterSetup how = usual();
	FdtWriter w = begin(&how);

	fdt_put_node(&w, "");
	cr_assert_null(fdt_put_again(&w, 4, fdt_mark(&w)));
	cr_assert_eq(fdt_mark(&w), 0);
	expect_no_tree(&w, PVW_TREE_0004, "BADSTATE");

	how.structure_bound = 40;
	w = begin(&how);
	fdt_put_node(&w, "");
	fdt_put_node(&w, "a-node-with-a-name");
	fdt_put_end(&w);
	cr_assert_null(fdt_put_again(&w, 8, fdt_mark(&w) - 8));
	expect_no_tree(&w, PVW_TREE_0001, "more than");
}
