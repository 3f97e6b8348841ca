/*
 * Device trees for tests.
 */
#include "helpers/tree_builder.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM (512 * 1024)

static void check(int result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "tree builder: %s: %s\n", what, fdt_strerror(result));
		abort();
	}
}

static void *take(Arena *arena, size_t len)
{
	Error err;
	void *memory = arena_alloc(arena, len, 8, &err);

	if (!memory) {
		fprintf(stderr, "tree builder: %s\n", err.text);
		abort();
	}
	return memory;
}

TreeBuilder tree_begin(Arena *arena)
{
	TreeBuilder t = { .arena = arena, .fdt = take(arena, ROOM) };

	check(fdt_create(t.fdt, ROOM), "create");
	check(fdt_finish_reservemap(t.fdt), "reservations");
	check(fdt_begin_node(t.fdt, ""), "root");
	return t;
}

void tree_node(TreeBuilder *t, const char *name)
{
	check(fdt_begin_node(t->fdt, name), name);
}

void tree_end(TreeBuilder *t)
{
	check(fdt_end_node(t->fdt), "end of a node");
}

void tree_bytes(TreeBuilder *t, const char *name, const void *data, size_t len)
{
	check(fdt_property(t->fdt, name, data, (int)len), name);
}

void tree_empty(TreeBuilder *t, const char *name)
{
	tree_bytes(t, name, "", 0);
}

void tree_string(TreeBuilder *t, const char *name, const char *value)
{
	tree_bytes(t, name, value, strlen(value) + 1);
}

void tree_u32_list(TreeBuilder *t, const char *name, const uint32_t *values, size_t count)
{
	fdt32_t *cells = take(t->arena, count * sizeof(*cells));

	for (size_t i = 0; i < count; i++)
		cells[i] = cpu_to_fdt32(values[i]);
	tree_bytes(t, name, cells, count * sizeof(*cells));
}

void tree_u64_list(TreeBuilder *t, const char *name, const uint64_t *values, size_t count)
{
	fdt64_t *cells = take(t->arena, count * sizeof(*cells));

	for (size_t i = 0; i < count; i++)
		cells[i] = cpu_to_fdt64(values[i]);
	tree_bytes(t, name, cells, count * sizeof(*cells));
}

void tree_u32(TreeBuilder *t, const char *name, uint32_t value)
{
	tree_u32_list(t, name, &value, 1);
}

void tree_u64(TreeBuilder *t, const char *name, uint64_t value)
{
	tree_u64_list(t, name, &value, 1);
}

uint8_t *tree_copy(Arena *arena, Bytes blob)
{
	uint8_t *copy = take(arena, blob.len);

	memcpy(copy, blob.data, blob.len);
	return copy;
}

Bytes tree_finish_with_cpu(TreeBuilder *t, uint32_t boot_cpu)
{
	check(fdt_end_node(t->fdt), "end of the root");
	check(fdt_finish(t->fdt), "finish");
	fdt_set_boot_cpuid_phys(t->fdt, boot_cpu);

	const Bytes whole = { t->fdt, fdt_totalsize(t->fdt) };

	return (Bytes){ tree_copy(t->arena, whole), whole.len };
}

Bytes tree_finish(TreeBuilder *t)
{
	return tree_finish_with_cpu(t, 0);
}

size_t tree_find(Bytes blob, const void *what, size_t len)
{
	const uint8_t *at = memmem(blob.data, blob.len, what, len);

	if (!at) {
		fprintf(stderr, "tree builder: the bytes to damage are not in the blob\n");
		abort();
	}
	return (size_t)(at - blob.data);
}
