/*
 * One pass over a device tree blob that nobody has checked.
 *
 * libfdt reads the tokens (fdt_next_tag); which blobs are trees is decided here, because
 * fdt_check_full decides it differently: the three blocks are bounded by the buffer, not by
 * totalsize; the last four bytes of the structure block are FDT_END; names of nodes are strict
 * UTF-8; properties come before children; there is one root. Names of properties are read only
 * when somebody asks for them (fdt_walk_property_name), so that a bad one hurts only him.
 *
 * A walk borrows the blob. All failures carry the byte offset in it, and the path of the node.
 * Source: [DT04] 5, [OVMM] support/fdt/src/parser.rs
 */
#ifndef BOOTINFO_FDT_WALK_H
#define BOOTINFO_FDT_WALK_H

#include "support/arena.h"
#include "support/bytes.h"

/* What a tree may have: more is PVW_DT_0012, before anything is built from it. */
#define FDT_MAX_BYTES ((size_t)256 * 1024)
#define FDT_MAX_NODES 4096
#define FDT_MAX_DEPTH 16 /* the root is at depth 1 */
/* A longer name of a property cannot be read: else many properties could share a huge one. */
#define FDT_MAX_NAME 1024

typedef enum FdtTokenKind {
	FDT_TOKEN_NODE,     /* a node begins; @data is its name without the NUL behind it */
	FDT_TOKEN_PROPERTY, /* @data is its value */
	FDT_TOKEN_NODE_END,
	FDT_TOKEN_TREE_END, /* nothing follows; asked again, it comes again */
} FdtTokenKind;

typedef struct FdtToken {
	FdtTokenKind kind;
	uint32_t name_offset; /* PROPERTY: in the strings block, unchecked */
	size_t offset;        /* of the token in the blob, bytes */
	Bytes data;
} FdtToken;

/* Where a pass stands; visible because it is a value. Fields are read, never written. */
typedef struct FdtWalk {
	const char *tree; /* names the blob in errors: "dtb" */
	Bytes blob;
	uint32_t total_size;  /* bytes, as stated in the header */
	uint32_t boot_cpu;    /* boot_cpuid_phys */
	Bytes strings;        /* strings block */
	Bytes reservations;   /* 16 bytes each, big-endian address and size; without the last */
	const void *fdt;      /* what libfdt walks: the blob, or a copy with a fitting header */
	size_t struct_offset; /* of the structure block in the blob, bytes */
	size_t struct_len;    /* bytes, without FDT_END */
	size_t at;            /* next token, in the structure block */
	unsigned depth;       /* open nodes */
	unsigned nodes;       /* met so far */
	bool may_have_property;
	/* Names of the open nodes and of the last closed one. */
	const char *path[FDT_MAX_DEPTH + 1];
} FdtWalk;

/**
 * fdt_walk_open - check header and blocks of a blob, stand before its root
 * @tree:  names the blob in errors; must outlive the walk
 * @blob:  borrowed; any alignment
 * @arena: takes a copy of the blob if libfdt cannot walk it where it is
 *
 * Errors: PVW_DT_0001 TRUNCATED, _0002 BAD_VALUE magic, _0003 UNSUPPORTED version, _0004
 * BAD_VALUE a block outside of the blob, _0005 reservations without end, _0006 structure
 * without end, _0012 LIMIT.
 */
MUST_CHECK bool fdt_walk_open(
	const char *tree, Bytes blob, Arena *arena, FdtWalk *out, Error *err);

/**
 * fdt_walk_next - the next token, NOPs left out
 *
 * Errors: PVW_DT_0007 BAD_VALUE a token that may not stand here, _0008 TRUNCATED, _0009
 * BAD_VALUE a node name that is not UTF-8, _0010 no root or more than one, _0012 LIMIT.
 */
MUST_CHECK bool fdt_walk_next(FdtWalk *walk, FdtToken *out, Error *err);

/**
 * fdt_walk_property_name - the name at @name_offset of the strings block
 *
 * Returns false without an Error if there is none: no NUL inside the block and
 * within FDT_MAX_NAME bytes, or not UTF-8.
 */
MUST_CHECK bool fdt_walk_property_name(const FdtWalk *walk, uint32_t name_offset, Bytes *out);

/**
 * fdt_path_text - "dtb:/cpus/cpu@1/reg": tree, path and @property (may be NULL)
 * @path: @depth names; the first is the root's, which is not written
 */
void fdt_path_text(const char *tree, const char *const path[], unsigned depth,
	const char *property, char source[ERROR_SOURCE_SIZE]);

#endif
