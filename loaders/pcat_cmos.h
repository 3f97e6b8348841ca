/*
 * The first content of a PCAT guest's CMOS.
 *
 * It stands for a machine that was set up once: drives, cache, boot order. The BIOS checks its
 * two sums and would run its setup otherwise.
 */
#ifndef LOADERS_PCAT_CMOS_H
#define LOADERS_PCAT_CMOS_H

#include "support/error.h"

#define PCAT_CMOS_SIZE 256

/**
 * pcat_cmos_build - default CMOS, clock left at 0
 * @first_block_bytes: length of the first RAM range; stated in whole MiB, 0 for less than one
 *
 * The century byte is 0x32. Outputs are untouched on failure.
 *
 * Errors: PVW_PCAT_0005 (BAD_VALUE) more than 65535 MiB.
 * Source: [OVMM] vm/devices/firmware/firmware_pcat/src/default_cmos_values.rs
 */
MUST_CHECK bool pcat_cmos_build(
	uint64_t first_block_bytes, uint8_t out[PCAT_CMOS_SIZE], Error *err);

#endif
