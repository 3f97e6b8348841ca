/*
 * The tree of names: what is declared where, and how many arguments a method takes.
 * Source: [ACPI65] 5.3
 */
#include <string.h>

#include "host/aml_text_internal.h"

bool asl_names_init(AmlNames *names, size_t segments, Arena *arena, Error *err)
{
	/* Each segment of the input makes one node at most; and \_SB and its like are known. */
	static const char known[][5] = { "_SB_", "_GPE", "_PR_", "_SI_", "_TZ_", "_OS_", "_OSI",
		"_REV", "_GL_" };
	const size_t capacity = segments + ARRAY_COUNT(known) + 1;
	size_t buckets = 16;

	while (buckets < capacity)
		buckets *= 2;
	*names = (AmlNames){
		.nodes = arena_array(arena, AmlNode, capacity, err),
		.buckets = arena_array(arena, uint32_t, buckets, err),
		.count = 1,
		.capacity = (uint32_t)capacity,
		.mask = (uint32_t)buckets - 1,
	};
	if (!names->nodes || !names->buckets)
		return false;
	names->nodes[0] = (AmlNode){ .arguments = AML_NO_METHOD, .declared = true };
	for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
		AmlText root = { .names = names };
		const AmlName name = { .segments = { (const uint8_t *)known[i], 4 } };
		uint32_t node;

		if (asl_names_declare(&root, &name, &node) && memcmp(known[i], "_OSI", 4) == 0)
			names->nodes[node].arguments = 1;
	}
	return true;
}

static uint32_t bucket_of(const AmlNames *names, uint32_t parent, uint32_t segment)
{
	uint64_t hash = ((uint64_t)parent << 32 | segment) * UINT64_C(0x9e3779b97f4a7c15);

	hash = (hash ^ hash >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t)(hash >> 32) & names->mask;
}

static uint32_t find_child(const AmlNames *names, uint32_t parent, uint32_t segment)
{
	uint32_t at = names->buckets[bucket_of(names, parent, segment)];

	while (at && (names->nodes[at].parent != parent || names->nodes[at].segment != segment))
		at = names->nodes[at].next;
	return at;
}

static uint32_t segment_at(const AmlName *name, size_t index)
{
	uint32_t segment;

	memcpy(&segment, name->segments.data + 4 * index, sizeof(segment));
	return segment;
}

/* Where the first segment of a name is looked for. */
static uint32_t start_of(const AmlText *t, const AmlName *name)
{
	uint32_t at = name->root ? 0 : t->scope;

	for (size_t i = 0; i < name->parents && at; i++)
		at = t->names->nodes[at].parent;
	return at;
}

static uint32_t add_child(AmlNames *names, uint32_t parent, uint32_t segment)
{
	const uint32_t at = names->count, bucket = bucket_of(names, parent, segment);

	if (at == names->capacity || names->nodes[parent].depth == AML_MAX_PATH)
		return 0;
	names->count++;
	names->nodes[at] = (AmlNode){
		.parent = parent,
		.segment = segment,
		.next = names->buckets[bucket],
		.arguments = AML_NO_METHOD,
		.depth = (uint8_t)(names->nodes[parent].depth + 1),
	};
	names->buckets[bucket] = at;
	return at;
}

bool asl_names_declare(AmlText *t, const AmlName *name, uint32_t *out)
{
	uint32_t at = start_of(t, name);

	for (size_t i = 0; i < name->segments.len / 4; i++) {
		const uint32_t segment = segment_at(name, i);
		uint32_t child = find_child(t->names, at, segment);

		if (!child)
			child = add_child(t->names, at, segment);
		if (!child)
			return false;
		at = child;
	}
	t->names->nodes[at].declared = true;
	*out = at;
	return true;
}

static uint32_t walk(const AmlText *t, uint32_t at, const AmlName *name)
{
	for (size_t i = 0; i < name->segments.len / 4; i++) {
		at = find_child(t->names, at, segment_at(name, i));
		if (!at)
			return 0;
	}
	return at;
}

uint32_t asl_names_find(const AmlText *t, const AmlName *name)
{
	uint32_t at = start_of(t, name);
	const bool search = !name->root && !name->parents && name->segments.len == 4;

	for (;;) {
		const uint32_t found = walk(t, at, name);

		if (found || !search || !at)
			return found;
		at = t->names->nodes[at].parent;
	}
}
