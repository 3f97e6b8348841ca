/*
 * Page tables of a processor's first moments: everything below 4 GiB at its own address.
 */
#ifndef LOADERS_PAGE_TABLES_H
#define LOADERS_PAGE_TABLES_H

#include "support/arena.h"
#include "support/bytes.h"

/* One PML4, one directory pointer table and four directories. */
#define PAGE_TABLES_IDENTITY_SIZE (6 * 4096) /* bytes */

/**
 * page_tables_build_identity - map 4 GiB at their own addresses, in pages of 2 MiB
 * @gpa:   where the tables will lie, multiple of PAGE_SIZE; what CR3 gets
 * @c_bit: confidential guests: number of the address bit that says "encrypted", 32 to 51, set
 *         in every present entry of every level; 0 = none
 * @out:   PAGE_TABLES_IDENTITY_SIZE bytes in @arena, to be placed at @gpa
 *
 * Directory entries are present, writable, accessed; leaves also dirty and 2 MiB large.
 *
 * Errors: PVW_LINUX_0001 (BAD_VALUE) @c_bit, _0002 (BAD_VALUE) @gpa unaligned, wrapping or not
 * addressable.
 * Source: [SDM3] 4.5, [APM2] 15.34.
 */
MUST_CHECK bool page_tables_build_identity(
	uint64_t gpa, uint8_t c_bit, Arena *arena, Bytes *out, Error *err);

#endif
