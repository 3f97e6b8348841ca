/*
 * Device trees for tests, a line a property, over libfdt's sequential writer.
 *
 *	TreeBuilder t = tree_begin(arena);
 *	tree_node(&t, "cpus");
 *	tree_u32(&t, "#address-cells", 1);
 *	tree_end(&t);
 *	Bytes blob = tree_finish(&t);
 *
 * The root is opened by tree_begin and closed by tree_finish. A mistake aborts the test.
 */
#ifndef HELPERS_TREE_BUILDER_H
#define HELPERS_TREE_BUILDER_H

#include "support/arena.h"
#include "support/bytes.h"

typedef struct TreeBuilder {
	Arena *arena;
	void *fdt;
} TreeBuilder;

TreeBuilder tree_begin(Arena *arena);

void tree_node(TreeBuilder *t, const char *name);
void tree_end(TreeBuilder *t);

void tree_u32(TreeBuilder *t, const char *name, uint32_t value);
void tree_u64(TreeBuilder *t, const char *name, uint64_t value);
void tree_string(TreeBuilder *t, const char *name, const char *value);
void tree_bytes(TreeBuilder *t, const char *name, const void *data, size_t len);
void tree_empty(TreeBuilder *t, const char *name);

void tree_u32_list(TreeBuilder *t, const char *name, const uint32_t *values, size_t count);
void tree_u64_list(TreeBuilder *t, const char *name, const uint64_t *values, size_t count);

/* tree_u32s(&t, "interrupts", 1, 7, 4) */
#define tree_u32s(t, name, ...)                                                                \
	tree_u32_list((t), (name), (const uint32_t[]){ __VA_ARGS__ },                          \
		sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))
#define tree_u64s(t, name, ...)                                                                \
	tree_u64_list((t), (name), (const uint64_t[]){ __VA_ARGS__ },                          \
		sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

/** tree_finish - the blob, just as long as it is, in the arena */
Bytes tree_finish(TreeBuilder *t);
Bytes tree_finish_with_cpu(TreeBuilder *t, uint32_t boot_cpu);

/** tree_find - offset of the first occurrence of @len bytes in the blob; aborts without one */
size_t tree_find(Bytes blob, const void *what, size_t len);

/** tree_copy - a copy that may be damaged, in an allocation of its own */
uint8_t *tree_copy(Arena *arena, Bytes blob);

#endif
