/*
 * A bzImage: a kernel for x86 that unpacks itself, with a header that says what it needs.
 *
 *	file   [ boot sector, setup code ...... )[ payload: 64-bit entry at 0x200 ........ )
 *	       0          0x1f1 header           (setup_sects + 1) * 512
 *
 * The bytes are hostile: nothing of them is believed before it is checked against their number.
 * Source: [LINUXBOOT] "The Real-Mode Kernel Header", "64-bit Boot Protocol"
 */
#ifndef LOADERS_BZIMAGE_H
#define LOADERS_BZIMAGE_H

#include "loaders/linux_format.h"
#include "support/bytes.h"
#include "support/error.h"

#define BZIMAGE_ENTRY 0x200u /* of the 64-bit entry, in the payload */

typedef struct BzImage {
	LinuxSetupHeader header; /* as the image has it */
	Bytes payload;           /* what is put into guest memory; borrowed */
	/* Where the kernel may be put. */
	bool relocatable;
	uint64_t alignment, min_alignment; /* bytes, powers of two; unless relocatable 1 */
	uint64_t pref_address;             /* GPA it unpacks itself to, at least */
	uint64_t init_size;                /* bytes that it uses from there on */
	/* What it takes. */
	uint64_t initrd_limit; /* GPA of the first byte behind the highest initrd */
	bool above_4gib;       /* initrd, command line and zero page may lie there */
	uint32_t max_line;     /* bytes of a command line, without NUL */
} BzImage;

/** bzimage_is - has the file the marks of a bzImage? */
bool bzimage_is(Bytes file);

/**
 * bzimage_parse - what a file says of itself
 * @file: of any length and content; borrowed by @out
 * @out:  untouched on failure
 *
 * Errors: PVW_BZIMAGE_0001 (BAD_VALUE) not a bzImage, _0002 (UNSUPPORTED) protocol before 2.12,
 * _0003 (UNSUPPORTED) not for high memory, _0004 (UNSUPPORTED) no 64-bit entry, _0005
 * (TRUNCATED), _0006 (BAD_VALUE) fields that contradict each other.
 */
MUST_CHECK bool bzimage_parse(Bytes file, BzImage *out, Error *err);

/**
 * bzimage_end - the first address behind everything that the kernel uses before it reads its map
 * @load: GPA of the payload
 * @alignment: @image.alignment or @image.min_alignment
 *
 * Returns false if there is no such address below 2^64.
 */
bool bzimage_end(const BzImage *image, uint64_t load, uint64_t alignment, uint64_t *end);

#endif
