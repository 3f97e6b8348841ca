/*
 * Device trees out, property by property, over libfdt's sequential writer.
 *
 * libfdt writes nodes and properties; what stands around them is laid out here, because readers
 * of boot trees are used to one order: header, reservations, names of properties, structure. The
 * block of names has a size that is chosen at the beginning, so that nothing is moved at the end.
 *
 *	[ header | reservations, zero pair | names, zeros up to strings_room | structure ]
 *
 * The writer is sticky: after the first failure every put is a no-op, so builders contain no
 * error branches and end in one fdt_writer_finish.
 * Source: [DT04] 5, [OVMM] support/fdt/src/builder.rs
 */
#ifndef BOOTINFO_FDT_WRITER_H
#define BOOTINFO_FDT_WRITER_H

#include <string.h>

#include "support/arena.h"
#include "support/bytes.h"
#include "support/memory_range.h"

#define FDT_WRITER_STRINGS 1024 /* bytes for names, as boot shims have them */

/* An entry of the reservation block; bytes. */
typedef struct FdtReservation {
	uint64_t address, size;
} FdtReservation;

typedef struct FdtReservationList {
	const FdtReservation *items;
	size_t count;
} FdtReservationList;

/* What must be known before the first node. Lists and texts are borrowed until the end. */
typedef struct FdtWriterSetup {
	const char *what;         /* names the tree in errors: "boot tree" */
	const char *const *names; /* of all properties that may be put; a put gives the index */
	size_t name_count;
	size_t strings_room;         /* bytes for those that are used */
	size_t structure_bound;      /* bytes of all nodes and properties, at most */
	size_t limit;                /* bytes of the finished tree, at most */
	FdtReservationList reserved; /* written in this order */
	uint32_t boot_cpu;           /* boot_cpuid_phys */
} FdtWriterSetup;

typedef struct FdtWriter {
	FdtWriterSetup setup;
	uint8_t *start;      /* of the tree to be */
	size_t before;       /* bytes from there to the structure */
	void *tokens;        /* libfdt's tree, whose structure begins there */
	char *strings;       /* names so far */
	uint16_t *name_at;   /* by name: where in @strings, plus 1; 0 = not used yet */
	size_t strings_len;  /* bytes */
	unsigned depth;      /* open nodes */
	int failure;         /* of libfdt, sticky; 0 = none */
	bool out_of_strings; /* sticky */
} FdtWriter;

/**
 * fdt_writer_begin - an empty tree
 *
 * Nothing else may be allocated from @arena before fdt_writer_finish.
 *
 * Errors: PVW_TREE_0001 (NO_SPACE) if not even the blocks before the structure fit,
 * PVW_TREE_0002 (BAD_VALUE) for a reservation with address and size 0, PVW_TREE_0003 (OVERLAP) for
 * two that overlap or are equal, PVW_MEM_0001.
 */
MUST_CHECK bool fdt_writer_begin(
	const FdtWriterSetup *setup, Arena *arena, FdtWriter *out, Error *err);

/**
 * fdt_writer_finish - the tree's bytes, in the arena
 *
 * Errors: PVW_TREE_0001 (NO_SPACE), PVW_TREE_0004 (INTERNAL) if calls were not made in an order
 * that gives a tree.
 */
MUST_CHECK bool fdt_writer_finish(FdtWriter *w, Arena *arena, Bytes *out, Error *err);

/** fdt_put_names - decide the places of @count names now; others come as they are used */
void fdt_put_names(FdtWriter *w, size_t first, size_t count);

/** fdt_put_node - begin a node; properties come before children */
void fdt_put_node(FdtWriter *w, const char *name);

/** fdt_put_node_at - begin "NAME@ADDRESS", the address in hexadecimal */
void fdt_put_node_at(FdtWriter *w, const char *name, uint64_t address);

/** fdt_put_node_decimal - begin "NAME@NUMBER", the number in decimal */
void fdt_put_node_decimal(FdtWriter *w, const char *name, uint64_t number);

/** fdt_put_end - end the node that was begun last and has not ended */
void fdt_put_end(FdtWriter *w);

/*
 * Nodes that differ in numbers only are put once, and then once more as they are:
 *
 *	mark = fdt_mark(w); …put a node…; len = fdt_mark(w) - mark;
 *	at = fdt_put_again(w, mark, len);
 *
 * and what differs is overwritten at @at, which is where a copy of it stands.
 */

/** fdt_mark - bytes of nodes and properties so far; 0 after a failure */
size_t fdt_mark(const FdtWriter *w);

/** fdt_put_again - a copy of the @len bytes behind @mark, whole nodes; NULL after a failure */
uint8_t *fdt_put_again(FdtWriter *w, size_t mark, size_t len);

/* Numbers in a copy, big-endian as everything in a tree. */
static inline void fdt_set_u32(uint8_t *at, uint32_t value)
{
	value = __builtin_bswap32(value);
	memcpy(at, &value, sizeof(value));
}

static inline void fdt_set_u64(uint8_t *at, uint64_t value)
{
	value = __builtin_bswap64(value);
	memcpy(at, &value, sizeof(value));
}

/* Properties of the present node; @name is an index into the names of the setup. */
void fdt_put_empty(FdtWriter *w, size_t name);
void fdt_put_u32(FdtWriter *w, size_t name, uint32_t value);
void fdt_put_u64(FdtWriter *w, size_t name, uint64_t value);
void fdt_put_u32_list(FdtWriter *w, size_t name, const uint32_t *values, size_t count);
void fdt_put_u64_list(FdtWriter *w, size_t name, const uint64_t *values, size_t count);
void fdt_put_bytes(FdtWriter *w, size_t name, Bytes value);

/* Inline, so that the lengths of literals are known. */
static inline void fdt_put_string(FdtWriter *w, size_t name, const char *value)
{
	fdt_put_bytes(w, name, (Bytes){ (const uint8_t *)value, strlen(value) + 1 });
}

/** fdt_put_windows - `ranges` of a bus that does not translate: {start, start, length} each */
void fdt_put_windows(FdtWriter *w, size_t name, MemoryRangeList windows);

/* fdt_put_u32s(&w, NAME_INTERRUPTS, 1, 7, 4) */
#define fdt_put_u32s(w, name, ...)                                                             \
	fdt_put_u32_list((w), (name), (const uint32_t[]){ __VA_ARGS__ },                       \
		ARRAY_COUNT(((const uint32_t[]){ __VA_ARGS__ })))
#define fdt_put_u64s(w, name, ...)                                                             \
	fdt_put_u64_list((w), (name), (const uint64_t[]){ __VA_ARGS__ },                       \
		ARRAY_COUNT(((const uint64_t[]){ __VA_ARGS__ })))

#endif
