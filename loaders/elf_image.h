/*
 * An ELF kernel (vmlinux): segments with their addresses, nothing to unpack.
 *
 * The bytes are hostile: nothing of them is believed before it is checked against their number.
 * Source: [ELF] "ELF Header", "Program Header"; [OVMM] vm/loader/src/elf.rs
 */
#ifndef LOADERS_ELF_IMAGE_H
#define LOADERS_ELF_IMAGE_H

#include "support/bytes.h"
#include "support/memory_range.h"

#define ELF_IMAGE_MAX_HEADERS 64  /* program headers */
#define ELF_IMAGE_MAX_SEGMENTS 16 /* of them, to be loaded */

/*
 * Bytes of memory of all segments: more than a kernel is mapped with unless it moves itself, and
 * as much as can be uploaded. Zeros that a few bytes of a file ask for cost as much as bytes do.
 * [LINUX] arch/x86/include/asm/page_64_types.h, KERNEL_IMAGE_SIZE
 */
#define ELF_IMAGE_MAX_MEMORY UINT64_C(0x20000000)

typedef struct ElfSegment {
	uint64_t gpa;  /* multiple of PAGE_SIZE */
	Bytes bytes;   /* from @gpa on; may be empty; borrowed */
	uint64_t room; /* bytes in memory, not 0; what lies behind @bytes is zeros */
} ElfSegment;

typedef struct ElfImage {
	ElfSegment segments[ELF_IMAGE_MAX_SEGMENTS]; /* ascending by gpa, no common page */
	size_t count;                                /* at least one */
	MemoryRange pages;                           /* from the first to the last */
	uint64_t entry;                              /* GPA, inside a segment's bytes */
} ElfImage;

/** elf_image_is - has the file the mark of an ELF file, of whatever kind? */
bool elf_image_is(Bytes file);

/**
 * elf_image_parse - the segments of a kernel for x86-64
 * @file:   of any length and content; borrowed by @out
 * @lowest: GPA below which nothing is loaded
 * @limit:  GPA of the first byte behind what can be loaded
 * @out:    untouched on failure
 *
 * Addresses are the physical ones. Segments without memory are left out.
 *
 * Errors: PVW_ELF_0001 (BAD_VALUE) not an ELF file, _0002 (UNSUPPORTED) of another kind than a
 * little-endian executable of 64 bits for x86-64, _0003 (TRUNCATED) something lies beyond the end
 * of the file, _0004 (BAD_VALUE) a segment, _0005 (OVERLAP) two of them, _0006 (BAD_VALUE) entry,
 * _0007 (LIMIT) too many, _0008 (MISSING) none, _0009 (LIMIT) ELF_IMAGE_MAX_MEMORY.
 */
MUST_CHECK bool elf_image_parse(
	Bytes file, uint64_t lowest, uint64_t limit, ElfImage *out, Error *err);

#endif
