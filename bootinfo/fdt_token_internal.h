/*
 * The inner loop of every pass: one token of the structure block, read by libfdt and judged here.
 * Inline, because a tree has ten thousands of them; failures are functions of fdt_walk.c.
 */
#ifndef BOOTINFO_FDT_TOKEN_INTERNAL_H
#define BOOTINFO_FDT_TOKEN_INTERNAL_H

#include <libfdt.h>

#include "bootinfo/fdt_walk.h"
#include "bootinfo/utf8.h"

#define FDT_TOKEN_SIZE 4u
#define FDT_PROPERTY_HEAD 12u /* token, length, offset of the name */

/* Not in the way of what succeeds. */
#define FDT_COLD __attribute__((cold, noinline))

/* The token at walk->at is cut off or none (@expected NULL), or may not stand here. */
FDT_COLD bool fdt_fail_token(Error *err, const FdtWalk *walk, const char *expected);

/* The node at walk->at may not begin. */
FDT_COLD bool fdt_fail_node(Error *err, const FdtWalk *walk, const char *name, bool is_utf8);

/* The structure block is used up: was there one root, and is it closed? */
MUST_CHECK bool fdt_check_end(const FdtWalk *walk, Error *err);

static inline uint32_t fdt_load_be32(const uint8_t *at)
{
	return fdt32_ld((const fdt32_t *)(const void *)at);
}

/* Is the name at @name, @words of four bytes long with NUL and padding, UTF-8? Most are ASCII. */
static inline bool fdt_name_is_utf8(const uint8_t *name, size_t words, size_t len)
{
	uint32_t all = 0;

	for (size_t i = 0; i < words; i++) {
		uint32_t four;

		memcpy(&four, name + 4 * i, sizeof(four));
		all |= four;
	}
	return !(all & 0x80808080u) || utf8_is_valid((Bytes){ name, len });
}

static inline bool fdt_open_node(FdtWalk *walk, size_t next, FdtToken *out, Error *err)
{
	const size_t at = walk->struct_offset + walk->at;
	const uint8_t *name = walk->blob.data + at + FDT_TOKEN_SIZE;
	const size_t words = (next - walk->at) / FDT_TOKEN_SIZE - 1;
	/* The NUL is in the last word; the padding behind it may be anything. */
	size_t len = (words - 1) * FDT_TOKEN_SIZE;

	while (name[len])
		len++;

	const bool is_utf8 = fdt_name_is_utf8(name, words, len);

	if (!is_utf8 || (walk->depth == 0 && walk->nodes > 0) || walk->depth == FDT_MAX_DEPTH ||
		walk->nodes == FDT_MAX_NODES)
		return fdt_fail_node(err, walk, (const char *)name, is_utf8);
	walk->path[walk->depth++] = (const char *)name;
	walk->nodes++;
	walk->may_have_property = true;
	walk->at = next;
	*out = (FdtToken){ .kind = FDT_TOKEN_NODE, .offset = at, .data = { name, len } };
	return true;
}

static inline bool fdt_close_node(FdtWalk *walk, size_t next, FdtToken *out, Error *err)
{
	if (walk->depth == 0)
		return fdt_fail_token(err, walk, "one root node");
	*out = (FdtToken){ .kind = FDT_TOKEN_NODE_END,
		.offset = walk->struct_offset + walk->at };
	walk->depth--;
	walk->may_have_property = false; /* its parent has a child now */
	walk->at = next;
	return true;
}

/* libfdt 1.6 adds the length of a property to an int and lets it wrap: look at it by hand. */
static inline bool fdt_take_property(FdtWalk *walk, size_t next, FdtToken *out, Error *err)
{
	const size_t left = walk->struct_len - walk->at;
	const size_t at = walk->struct_offset + walk->at;
	const uint8_t *head = walk->blob.data + at;
	uint32_t len;

	if (!walk->may_have_property)
		return fdt_fail_token(err, walk,
			walk->depth ? "no property behind a child" : "one root node");
	if (left < FDT_PROPERTY_HEAD)
		return fdt_fail_token(err, walk, /* expected= */ NULL);
	len = fdt_load_be32(head + FDT_TOKEN_SIZE);
	if (len > left - FDT_PROPERTY_HEAD)
		return fdt_fail_token(err, walk, /* expected= */ NULL);
	walk->at = next;
	*out = (FdtToken){ .kind = FDT_TOKEN_PROPERTY,
		.name_offset = fdt_load_be32(head + 2 * FDT_TOKEN_SIZE),
		.offset = at,
		.data = { head + FDT_PROPERTY_HEAD, len } };
	return true;
}

/* fdt_walk_next, for passes that cannot afford a call a token */
MUST_CHECK static inline bool fdt_next_token(FdtWalk *walk, FdtToken *out, Error *err)
{
	while (walk->at != walk->struct_len) {
		int end;
		const uint32_t tag = fdt_next_tag(walk->fdt, (int)walk->at, &end);
		const size_t next = (size_t)end;

		/* A negative one is above every length, too. */
		if (next > walk->struct_len)
			return fdt_fail_token(err, walk, /* expected= */ NULL);
		if (tag == FDT_PROP)
			return fdt_take_property(walk, next, out, err);
		if (tag == FDT_BEGIN_NODE)
			return fdt_open_node(walk, next, out, err);
		if (tag == FDT_END_NODE)
			return fdt_close_node(walk, next, out, err);
		if (tag != FDT_NOP)
			return fdt_fail_token(err, walk, "no end before the end of the block");
		walk->at = next;
	}
	if (!fdt_check_end(walk, err))
		return false;
	*out = (FdtToken){ .kind = FDT_TOKEN_TREE_END,
		.offset = walk->struct_offset + walk->at };
	return true;
}

#endif
