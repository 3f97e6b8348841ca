/*
 * Area fdt_build: any tree through the writer of ours. Names of properties are registered before
 * the first node, in the order of their first use.
 */
#include "golden.h"

#include <string.h>

#include "bootinfo/fdt_writer.h"

typedef struct Names {
	const char **items;
	size_t count;
} Names;

static size_t find_name(const Names *names, const char *name)
{
	size_t at = 0;

	while (at < names->count && strcmp(names->items[at], name) != 0)
		at++;
	return at;
}

static size_t count_properties(const json_t *node)
{
	const json_t *children = golden_member(node, "children");
	size_t count = json_array_size(golden_member(node, "properties"));

	for (size_t i = 0; i < json_array_size(children); i++)
		count += count_properties(json_array_get(children, i));
	return count;
}

/* @names has room for one name a property. */
static void list_names(const json_t *node, Names *names)
{
	const json_t *properties = golden_member(node, "properties");
	const json_t *children = golden_member(node, "children");

	for (size_t i = 0; i < json_array_size(properties); i++) {
		const char *name = golden_string(json_array_get(properties, i), "name");

		if (find_name(names, name) == names->count)
			names->items[names->count++] = name;
	}
	for (size_t i = 0; i < json_array_size(children); i++)
		list_names(json_array_get(children, i), names);
}

static void put_node(FdtWriter *w, const json_t *node, const Names *names, Arena *arena)
{
	const json_t *properties = golden_member(node, "properties");
	const json_t *children = golden_member(node, "children");

	fdt_put_node(w, golden_string(node, "name"));
	for (size_t i = 0; i < json_array_size(properties); i++) {
		const json_t *property = json_array_get(properties, i);

		fdt_put_bytes(w, find_name(names, golden_string(property, "name")),
			golden_hex(property, "data", arena));
	}
	for (size_t i = 0; i < json_array_size(children); i++)
		put_node(w, json_array_get(children, i), names, arena);
	fdt_put_end(w);
}

static FdtReservationList read_reservations(const json_t *list, Arena *arena)
{
	const size_t count = json_array_size(list);
	FdtReservation *items = golden_array(arena, count, sizeof(*items));

	for (size_t i = 0; i < count; i++) {
		const json_t *entry = json_array_get(list, i);

		items[i] = (FdtReservation){ golden_as_u64(json_array_get(entry, 0)),
			golden_as_u64(json_array_get(entry, 1)) };
	}
	return (FdtReservationList){ items, count };
}

bool golden_run_fdt_build(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const json_t *root = golden_member(input, "tree");
	const size_t properties = count_properties(root);
	Names names = { golden_array(arena, properties, sizeof(char *)), 0 };
	FdtWriterSetup setup;
	FdtWriter w;
	Bytes tree;

	list_names(root, &names);
	setup = (FdtWriterSetup){
		.what = "tree",
		.names = names.items,
		.name_count = names.count,
		.strings_room = (size_t)golden_u64(input, "string_table_cap"),
		.structure_bound = (size_t)golden_u64(input, "buffer_size"),
		.limit = (size_t)golden_u64(input, "buffer_size"),
		.reserved =
			read_reservations(golden_member(input, "memory_reservations"), arena),
		.boot_cpu = (uint32_t)golden_u64(input, "boot_cpuid_phys"),
	};
	if (!fdt_writer_begin(&setup, arena, &w, err))
		return false;
	fdt_put_names(&w, 0, names.count);
	put_node(&w, root, &names, arena);
	if (!fdt_writer_finish(&w, arena, &tree, err))
		return false;
	*output = json_pack("{s: o}", "dtb", golden_json_hex(tree));
	return true;
}
