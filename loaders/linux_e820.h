/*
 * The memory map in the zero page: the guest's RAM with the holes that the boot pages make.
 */
#ifndef LOADERS_LINUX_E820_H
#define LOADERS_LINUX_E820_H

#include "layout/memory_layout.h"
#include "loaders/linux_format.h"

/* Ends of the areas behind LINUX_X86_BOOT_PAGES_GPA: multiples of PAGE_SIZE, ascending. */
typedef struct LinuxLowMap {
	uint64_t acpi_end;       /* ACPI tables */
	uint64_t smbios_end;     /* SMBIOS structures; = @acpi_end without them */
	uint64_t boot_pages_end; /* pages of a confidential guest; = @smbios_end without them */
} LinuxLowMap;

/**
 * linux_e820_build - what the kernel is told of memory
 * @ram:     ascending; the first record starts at 0 and reaches 1 MiB
 * @low:     what lies below 1 MiB
 * @entries: receives ascending entries that touch or leave holes, never overlap
 * @count:   how many
 *
 * The first record becomes RAM, ACPI, reserved, reserved (boot pages), RAM, reserved from
 * LINUX_X86_RSDP_GPA to 1 MiB, RAM; every other record one entry, neighbours are not merged.
 * Empty pieces are left out. Memory that the host calls reserved, or for a specific purpose, is
 * not handed out as RAM.
 *
 * Errors: PVW_LINUX_0003 (BAD_VALUE) first record, _0004 (NO_SPACE) the low areas reach into
 * what lies at LINUX_X86_RSDP_GPA, _0005 (LIMIT) more than LINUX_E820_MAX_ENTRIES entries,
 * _0006 (OVERLAP) records that descend or overlap.
 * Source: [LINUXBOOT] e820_table.
 */
MUST_CHECK bool linux_e820_build(LayoutRecordList ram, const LinuxLowMap *low,
	LinuxE820Entry entries[LINUX_E820_MAX_ENTRIES], size_t *count, Error *err);

#endif
