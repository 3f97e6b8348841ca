/*
 * The header of a Linux kernel for aarch64: the flat Image.
 * Source: [LINUXARM64] 4
 */
#ifndef LOADERS_ARM64_IMAGE_H
#define LOADERS_ARM64_IMAGE_H

#include "support/bytes.h"
#include "support/error.h"

/* [LINUXARM64] 4, "Call the kernel image" */
typedef struct PACKED Arm64ImageHeader {
	uint32_t code[2];     /*  0  executable */
	uint64_t text_offset; /*  8  bytes from a 2 MiB boundary */
	uint64_t image_size;  /* 16  bytes in memory, .bss included; 0 = not stated */
	uint64_t flags;       /* 24  ARM64_IMAGE_ */
	uint64_t reserved[3]; /* 32 */
	uint32_t magic;       /* 56  "ARM\x64" */
	uint32_t pe_offset;   /* 60  of the EFI stub */
} Arm64ImageHeader;
static_assert(sizeof(Arm64ImageHeader) == 64, "[LINUXARM64] 4");
static_assert(offsetof(Arm64ImageHeader, magic) == 56, "[LINUXARM64] 4");

#define ARM64_IMAGE_MAGIC 0x644d5241 /* "ARM\x64" */
#define ARM64_IMAGE_BIG_ENDIAN UINT64_C(1)
#define ARM64_IMAGE_PAGES(flags)                                                               \
	((flags) >> 1 & 3) /* 0 not said, 1 4 KiB, 2 16 KiB, 3 64 KiB */
#define ARM64_IMAGE_PAGES_4K 1
#define ARM64_IMAGE_ANYWHERE UINT64_C(8)

#define ARM64_KERNEL_ALIGN UINT64_C(0x200000) /* what text_offset counts from, bytes */

/* What a kernel asks for. */
typedef struct Arm64Image {
	uint64_t
		text_offset; /* bytes from a multiple of ARM64_KERNEL_ALIGN, itself one of pages */
	uint64_t size;       /* bytes from the image's start that belong to the kernel */
} Arm64Image;

/**
 * arm64_image_parse - read and judge the header
 * @file: the whole image
 *
 * The kernel is little-endian, has pages of 4 KiB and may lie anywhere. An image_size of 0 is the
 * length of the file. Outputs are untouched on failure.
 *
 * Errors: PVW_ARM64_0001 (TRUNCATED), _0002 (BAD_VALUE) another format, _0003 to _0005
 * (UNSUPPORTED) endianness, pages, placement, _0006 (BAD_VALUE) text_offset, _0007 (BAD_VALUE)
 * the file is longer than image_size.
 */
MUST_CHECK bool arm64_image_parse(Bytes file, Arm64Image *out, Error *err);

#endif
