/*
 * The guest's whole physical address space as typed records: who owns which address.
 *
 *	boot info --vtl0_layout_build--------.   layout/vtl0_layout.h
 *	ranges    --memory_layout_from_ranges--> records --memory_layout_build--> MemoryLayout
 *	sizes     --memory_layout_fill-------'
 *
 * Source: [OVMM] vm/vmcore/vm_topology/src/memory.rs
 */
#ifndef LAYOUT_MEMORY_LAYOUT_H
#define LAYOUT_MEMORY_LAYOUT_H

#include "bootinfo/boot_info.h"
#include "layout/chipset_mmio.h"

typedef enum LayoutKind {
	LAYOUT_RAM,
	LAYOUT_MMIO, /* chipset windows and reserved MMIO */
	LAYOUT_PCI_ECAM,
	LAYOUT_PCI_MMIO,
	LAYOUT_VTL2, /* VTL2's own memory, at or above the end of RAM; probes do not see it */
	LAYOUT_KIND_COUNT
} LayoutKind;

typedef struct LayoutRecord {
	LayoutKind kind;
	MemoryRange range;  /* never empty */
	uint32_t vnode;     /* RAM only, else 0 */
	uint16_t igvm_type; /* RAM only: IgvmMemoryType */
	const char *tag;    /* "ram", "chipset-low", "chipset-high", "reserved", … */
} LayoutRecord;

/** layout_record_is_ordinary - RAM that the guest may use for whatever it likes */
static inline bool layout_record_is_ordinary(const LayoutRecord *record)
{
	return record->kind == LAYOUT_RAM &&
		(record->igvm_type == IGVM_MEMORY ||
			record->igvm_type == IGVM_VTL2_PROTECTABLE);
}

typedef struct LayoutRecordList {
	const LayoutRecord *items;
	size_t count;
} LayoutRecordList;

/* Validated: records disjoint and ascending by start, at least one of RAM. */
typedef struct MemoryLayout {
	LayoutRecordList records; /* everything, ascending */
	LayoutRecordList ram;     /* the RAM among them, ascending */
	uint64_t ram_size;        /* bytes */
	uint64_t end_of_ram;
	uint64_t end_of_layout; /* RAM, MMIO and PCI; without VTL2 */
} MemoryLayout;

/* What is not RAM, each list ascending and without empty ranges. */
typedef struct LayoutGaps {
	MemoryRangeList mmio, pci_ecam, pci_mmio;
	MemoryRange vtl2; /* VTL2's own memory, or empty */
} LayoutGaps;

/** layout_kind_name - "ram", "mmio", "pci-ecam", "pci-mmio", "vtl2" */
const char *layout_kind_name(LayoutKind kind);

/**
 * memory_layout_build - check that a set of records is a layout, and sort it
 * @records: any order, none empty
 * @out:     lists live in @arena; tags are borrowed
 *
 * Outputs are untouched on failure.
 *
 * Errors: PVW_LAYOUT_0001 (MISSING) no RAM, _0002 (OVERLAP) naming the two records,
 * _0003 (BAD_VALUE) VTL2's range starts below the end of RAM, _0004 (BAD_VALUE) empty record.
 */
MUST_CHECK bool memory_layout_build(
	LayoutRecordList records, Arena *arena, MemoryLayout *out, Error *err);

/**
 * memory_layout_from_ranges - a layout from RAM and gaps that are already placed
 * @ram: ascending, none empty, with its NUMA nodes
 *
 * Errors: PVW_RANGE_0005 (OVERLAP) a list out of order, and those of memory_layout_build.
 */
MUST_CHECK bool memory_layout_from_ranges(
	NodeRangeList ram, const LayoutGaps *gaps, Arena *arena, MemoryLayout *out, Error *err);

/**
 * memory_layout_fill - a layout from memory sizes: RAM fills what the gaps leave, from 0 upwards
 * @sizes: bytes of each NUMA node, multiples of PAGE_SIZE, none 0; @nodes of them, node 0 first
 *
 * Nodes follow each other without a hole of their own; a node is cut wherever a gap begins.
 *
 * Errors: PVW_LAYOUT_0007 (BAD_VALUE) a size or their sum, _0008 (NO_SPACE) the address space
 * ends first, and those of memory_layout_from_ranges.
 */
MUST_CHECK bool memory_layout_fill(const uint64_t *sizes, size_t nodes, const LayoutGaps *gaps,
	Arena *arena, MemoryLayout *out, Error *err);

/** memory_layout_probe - the record at an address, NULL if there is none; not VTL2's */
const LayoutRecord *memory_layout_probe(const MemoryLayout *layout, uint64_t address);

/**
 * memory_layout_max_ram_below_4gib - end of the last RAM record that ends strictly below 4 GiB
 *
 * Returns false if there is none. A record that ends at 4 GiB or crosses it is not looked at.
 */
bool memory_layout_max_ram_below_4gib(const MemoryLayout *layout, uint64_t *end);

#endif
