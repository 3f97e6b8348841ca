/*
 * Kernels for tests: small files that say what real ones say. Nothing in them can run. They are
 * written by number, so that what reads them is not checked against its own records.
 */
#ifndef HELPERS_KERNEL_BUILDER_H
#define HELPERS_KERNEL_BUILDER_H

#include "support/bytes.h"

/** kernel_put - little-endian @value of @width bytes at @at */
void kernel_put(uint8_t *file, size_t at, unsigned width, uint64_t value);

#define BZIMAGE_FILE_SIZE 0x3000 /* 0x1000 of setup, 0x2000 of kernel */

/**
 * bzimage_file - protocol 2.15, 64-bit entry, relocatable in 2 MiB, wants 16 MiB and 4 MiB there,
 * initrd below 2 GiB, also above 4 GiB; the payload counts 0, 1, 2, … from 0 up to 250
 */
void bzimage_file(uint8_t file[BZIMAGE_FILE_SIZE]);

#define ELF_FILE_SIZE 0x4000

/**
 * elf_file - two segments: text 0x1234 bytes at 16 MiB from offset 0x1000, data 0x800 bytes and
 * zeros up to 0x5000 at 32 MiB from offset 0x3000; a note between them; entry at 16 MiB + 0x40.
 * Program headers lie at 0x40, 0x78 and 0xb0. Bytes count as in a bzImage.
 */
void elf_file(uint8_t file[ELF_FILE_SIZE]);

#endif
