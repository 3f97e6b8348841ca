/*
 * Device trees node by node: each with all its properties, typed on request.
 *
 * A node's properties come before its children, so one pass can hand out nodes in the order of
 * the tree, each complete. Properties are found by a fixed set of names; of two with the same
 * name the first counts. Names are read in order until one cannot be read: what stands behind it
 * is absent, as it is for whoever searches a node from its start.
 *
 *	while (fdt_reader_next(&reader, err) && reader.depth) …
 *
 * Getters fail with the tree, the path of the node, the property, the byte offset of its value,
 * what was found and what was expected.
 * Source: [DT04] 2.2, [OVMM] support/fdt/src/parser.rs
 */
#ifndef BOOTINFO_FDT_READER_H
#define BOOTINFO_FDT_READER_H

#include <string.h>

#include "bootinfo/fdt_walk.h"

/* FDT_NAME(constant, text): the properties that our trees know, frequent ones first. */
#define FDT_NAMES(FDT_NAME)                                                                    \
	FDT_NAME(REG, "reg")                                                                   \
	FDT_NAME(NUMA_NODE, "numa-node-id")                                                    \
	FDT_NAME(MEMORY_TYPE, "openhcl,memory-type")                                           \
	FDT_NAME(IGVM_TYPE, "microsoft,igvm-type")                                             \
	FDT_NAME(STATUS, "status")                                                             \
	FDT_NAME(ADDRESS_CELLS, "#address-cells")                                              \
	FDT_NAME(SIZE_CELLS, "#size-cells")                                                    \
	FDT_NAME(COMPATIBLE, "compatible")                                                     \
	FDT_NAME(RANGES, "ranges")                                                             \
	FDT_NAME(MMIO_ROLE, "openhcl,mmio-role")                                               \
	FDT_NAME(VTL, "microsoft,vtl")                                                         \
	FDT_NAME(CONNECTION_ID, "microsoft,message-connection-id")                             \
	FDT_NAME(ISOLATION_TYPE, "isolation-type")                                             \
	FDT_NAME(ALLOCATION_MODE, "memory-allocation-mode")                                    \
	FDT_NAME(MEMORY_SIZE, "memory-size")                                                   \
	FDT_NAME(MMIO_SIZE, "mmio-size")                                                       \
	FDT_NAME(ALIAS_MAP, "vtl0-alias-map")                                                  \
	FDT_NAME(REFTIME_BOOT_START, "reftime_boot_start")                                     \
	FDT_NAME(REFTIME_BOOT_END, "reftime_boot_end")                                         \
	FDT_NAME(REFTIME_SIDECAR_START, "reftime_sidecar_start")                               \
	FDT_NAME(REFTIME_SIDECAR_END, "reftime_sidecar_end")                                   \
	FDT_NAME(INTERRUPTS, "interrupts")                                                     \
	FDT_NAME(REDISTRIBUTOR_STRIDE, "redistributor-stride")                                 \
	FDT_NAME(MMIO_ROLES, "openhcl,mmio-roles")                                             \
	FDT_NAME(CURRENT_SPEED, "current-speed")                                               \
	FDT_NAME(BOOTARGS, "bootargs")                                                         \
	FDT_NAME(INTERRUPT_CELLS, "#interrupt-cells")                                          \
	FDT_NAME(REDISTRIBUTOR_REGIONS, "#redistributor-regions")                              \
	FDT_NAME(DEVICE_TYPES, "device-types")                                                 \
	FDT_NAME(TOTAL_PAGES, "total-pages")

typedef enum FdtName {
#define FDT_NAME(constant, text) FDT_##constant,
	FDT_NAMES(FDT_NAME)
#undef FDT_NAME
		FDT_NAME_COUNT,
	FDT_NODE_ITSELF = FDT_NAME_COUNT, /* in failures: no property, the node */
} FdtName;
static_assert(FDT_NAME_COUNT <= 32, "FdtReader.present has a bit for each");

/* Names are few, properties many: what stands at these offsets is looked up once. */
#define FDT_NAME_SLOTS 1024

/* The present node. Fields are read, never written. */
typedef struct FdtReader {
	FdtWalk walk;
	FdtToken ahead; /* the node behind the present one, or the end of the tree */
	const char *path[FDT_MAX_DEPTH]; /* names of the present node and its parents */
	const char *name;                /* of the node; NUL terminated */
	unsigned depth;                  /* 1 is the root, 0 behind the last node */
	size_t offset;                   /* of the node in the blob, bytes */
	uint32_t present;                /* bit n: FdtName n has a value */
	Bytes values[FDT_NAME_COUNT];
	uint8_t slots[FDT_NAME_SLOTS]; /* by offset in the strings block; 0 = not looked up */
} FdtReader;

/** fdt_reader_open - like fdt_walk_open; stands before the root */
MUST_CHECK bool fdt_reader_open(
	const char *tree, Bytes blob, Arena *arena, FdtReader *out, Error *err);

/**
 * fdt_reader_next - go to the next node; depth 0 tells that there is none
 *
 * Nodes come in the order of the tree, parents before children. Errors as fdt_walk_next.
 */
MUST_CHECK bool fdt_reader_next(FdtReader *reader, Error *err);

/** fdt_name_text - "numa-node-id" */
const char *fdt_name_text(FdtName name);

static inline bool fdt_has(const FdtReader *reader, FdtName name)
{
	return (reader->present >> name & 1) != 0;
}

/** fdt_name_is - the node has just this name */
static inline bool fdt_name_is(const FdtReader *reader, const char *name)
{
	return strcmp(reader->name, name) == 0;
}

/** fdt_name_starts - the node's name starts with @prefix */
static inline bool fdt_name_starts(const FdtReader *reader, const char *prefix)
{
	return strncmp(reader->name, prefix, strlen(prefix)) == 0;
}

/**
 * fdt_fail - record a failure of the present node
 * @name: the property that is wrong, or FDT_NODE_ITSELF
 *
 * The text is preceded by the names of node and property; source and byte offset are filled
 * in. Returns false.
 */
bool fdt_fail(Error *err, const FdtReader *reader, FdtName name, uint16_t diagnostic,
	const char *format, ...) PRINTF_LIKE(5, 6);

/** fdt_fail_here - put the place of @name in the present node on a failure found elsewhere */
bool fdt_fail_here(Error *err, const FdtReader *reader, FdtName name);

/*
 * Lists. The whole length must be a multiple of the element's: PVW_DT_0013 (BAD_VALUE).
 * A property that is absent: PVW_DT_0011 (MISSING).
 */
MUST_CHECK bool fdt_u32_count(const FdtReader *reader, FdtName name, size_t *count, Error *err);
MUST_CHECK bool fdt_u64_count(const FdtReader *reader, FdtName name, size_t *count, Error *err);

/* Element @index of a property whose count is known to be greater. */
uint32_t fdt_u32_at(const FdtReader *reader, FdtName name, size_t index);
uint64_t fdt_u64_at(const FdtReader *reader, FdtName name, size_t index);

/* The first element; a list without one is PVW_DT_0013. */
MUST_CHECK bool fdt_read_u32(const FdtReader *reader, FdtName name, uint32_t *out, Error *err);
MUST_CHECK bool fdt_read_u64(const FdtReader *reader, FdtName name, uint64_t *out, Error *err);

/** fdt_read_u64s - exactly @count elements: PVW_DT_0013 otherwise */
MUST_CHECK bool fdt_read_u64s(
	const FdtReader *reader, FdtName name, size_t count, uint64_t *out, Error *err);

/**
 * fdt_read_string - the first string of a list, NUL terminated, borrowed from the blob
 *
 * Errors: PVW_DT_0014 (BAD_VALUE) without NUL or not UTF-8.
 */
MUST_CHECK bool fdt_read_string(
	const FdtReader *reader, FdtName name, const char **out, Error *err);

/** fdt_read_optional_u64 - like fdt_read_u64, but absence is @has = false */
MUST_CHECK bool fdt_read_optional_u64(
	const FdtReader *reader, FdtName name, bool *has, uint64_t *out, Error *err);

#endif
