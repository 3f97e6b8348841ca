/*
 * fdt_parse: every token of a device tree, names included.
 */
#include "bootinfo/fdt_walk.h"
#include "golden.h"
#include "support/diagnostics.h"

static json_t *new_node(Bytes name)
{
	return json_pack("{s: s%, s: [], s: []}", "name", (const char *)name.data, name.len,
		"properties", "children");
}

static bool add_property(const FdtWalk *walk, const FdtToken *token, json_t *node, Error *err)
{
	Bytes name;

	if (!fdt_walk_property_name(walk, token->name_offset, &name))
		return error_set(err, PVW_DT_0009,
			"no property name at 0x%x of the strings block", token->name_offset);
	json_array_append_new(json_object_get(node, "properties"),
		json_pack("{s: s%, s: o}", "name", (const char *)name.data, name.len, "data",
			golden_json_hex(token->data)));
	return true;
}

/* Open nodes lie on a stack; each is owned by its parent's children. */
static bool read_tree(FdtWalk *walk, json_t **root, Error *err)
{
	json_t *stack[FDT_MAX_DEPTH];
	size_t depth = 0;
	FdtToken token;

	for (;;) {
		if (!fdt_walk_next(walk, &token, err))
			return false;
		if (token.kind == FDT_TOKEN_TREE_END)
			return true;
		if (token.kind == FDT_TOKEN_NODE) {
			json_t *node = new_node(token.data);

			if (depth)
				json_array_append_new(
					json_object_get(stack[depth - 1], "children"), node);
			else
				*root = node;
			stack[depth++] = node;
		} else if (token.kind == FDT_TOKEN_NODE_END) {
			depth--;
		} else if (!add_property(walk, &token, stack[depth - 1], err)) {
			return false;
		}
	}
}

static uint64_t load_be64(const uint8_t *at)
{
	uint64_t value = 0;

	for (size_t i = 0; i < sizeof(value); i++)
		value = value << 8 | at[i];
	return value;
}

static json_t *reservations(const FdtWalk *walk)
{
	json_t *list = json_array();

	for (size_t at = 0; at < walk->reservations.len; at += 16) {
		const uint8_t *pair = walk->reservations.data + at;

		json_array_append_new(list,
			json_pack("[o, o]", golden_json_u64(load_be64(pair)),
				golden_json_u64(load_be64(pair + 8))));
	}
	return list;
}

bool golden_run_fdt_parse(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	json_t *root = NULL;
	FdtWalk walk;

	if (!fdt_walk_open("dtb", golden_hex(input, "dtb", arena), arena, &walk, err))
		return false;
	if (!read_tree(&walk, &root, err)) {
		json_decref(root);
		return false;
	}
	*output = json_pack("{s: I, s: I, s: o, s: o}", "total_size",
		(json_int_t)walk.total_size, "boot_cpuid_phys", (json_int_t)walk.boot_cpu,
		"memory_reservations", reservations(&walk), "root", root);
	return true;
}
