/*
 * BootInfo as stable text, for people, logs and comparison.
 */
#ifndef BOOTINFO_BOOT_INFO_PRINT_H
#define BOOTINFO_BOOT_INFO_PRINT_H

#include "bootinfo/boot_info.h"
#include "support/arena.h"
#include "support/bytes.h"

/**
 * boot_info_print - one fact a line, in a fixed order
 * @out: text without a NUL, in @arena; every line ends in a newline
 *
 * Addresses are hexadecimal, everything else decimal; what is absent is not written. Equal
 * values give equal text, and lines are added, never changed.
 *
 * Errors: PVW_MEM_0001, PVW_MEM_0002.
 */
MUST_CHECK bool boot_info_print(const BootInfo *info, Arena *arena, Bytes *out, Error *err);

#endif
