/*
 * What EFI would have left behind for a kernel that is started without it: system table and
 * memory map. There are no services.
 * Source: [UEFI210] 4, 7.2; [OVMM] openvmm_core/src/worker/vm_loaders/linux.rs
 */
#ifndef LOADERS_EFI_TABLES_H
#define LOADERS_EFI_TABLES_H

#include "layout/memory_layout.h"
#include "loaders/efi_format.h"
#include "support/arena.h"
#include "support/bytes.h"

/* Memory inside RAM with a use of its own. */
typedef struct EfiArea {
	MemoryRange range;
	EfiMemoryType type;
} EfiArea;

typedef struct EfiAreaList {
	const EfiArea *items;
	size_t count;
} EfiAreaList;

/** efi_memory_map_bound - bytes that a map of so many records and areas takes at most */
size_t efi_memory_map_bound(size_t ram_count, size_t area_count);

/**
 * efi_build_memory_map - descriptors of EFI_MEMORY's first version, ascending
 * @ram:      ascending, not empty; what the host calls reserved is reserved, what is for a
 *            specific purpose says so, the rest is conventional
 * @areas:    ascending, disjoint, each inside one record of @ram
 * @capacity: bytes there are for the map
 *
 * Every page of @ram is described once; all of it is write-back.
 *
 * Errors: PVW_EFI_0001 (NO_SPACE) more than @capacity, PVW_EFI_0002 (OVERLAP) areas that
 * descend, overlap or leave RAM.
 */
MUST_CHECK bool efi_build_memory_map(LayoutRecordList ram, EfiAreaList areas, size_t capacity,
	Arena *arena, Bytes *out, Error *err);

/** efi_tables_len - bytes of the system table with what it points to */
size_t efi_tables_len(size_t smbios_len);

/* What the system table leads to. */
typedef struct EfiTableInputs {
	uint64_t gpa;      /* of the system table; multiple of 16 */
	uint64_t rsdp_gpa; /* of ACPI's RSDP */
	Bytes smbios;      /* structures, at most SMBIOS_MAX_TABLE bytes; copied */
} EfiTableInputs;

/**
 * efi_build_tables - system table, configuration tables and what they point to, in one piece
 * @out: efi_tables_len bytes, the system table first
 *
 *	system table | its three tables | vendor | runtime properties | anchor | structures
 */
MUST_CHECK bool efi_build_tables(
	const EfiTableInputs *in, Arena *arena, Bytes *out, Error *err);

#endif
