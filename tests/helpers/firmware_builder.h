/*
 * UEFI firmware for tests: volumes with the files and sections that a loader looks for, written by
 * number. Nothing in them can run.
 */
#ifndef HELPERS_FIRMWARE_BUILDER_H
#define HELPERS_FIRMWARE_BUILDER_H

#include "support/bytes.h"

#define FIRMWARE_X86_SIZE 0x600000
#define FIRMWARE_X86_SEC 0x5e0000 /* offset of the volume with the security phase */
#define FIRMWARE_ARM64_SIZE 0x800000

/* Offsets in the volume, for tests that break it. */
#define FIRMWARE_FILE_PAD 0x48   /* a file that is not looked for, 0x23 bytes */
#define FIRMWARE_FILE_SEC 0x70   /* of type SEC core */
#define FIRMWARE_SECTION_UI 0x88 /* its first section, 0x0e bytes */
#define FIRMWARE_SECTION 0x98    /* its second, 0x404 bytes: a header and a PE image */
#define FIRMWARE_CODE 0x9c
#define FIRMWARE_VOLUME_SIZE 0x20000

/* of the entry, in the volume */
#define FIRMWARE_ENTRY (FIRMWARE_CODE + 0x240)

/** firmware_x86 - the whole image: a pattern, and the volume */
void firmware_x86(uint8_t image[FIRMWARE_X86_SIZE]);

/** firmware_make_te - in the volume: the PE image becomes a TE image with the same entry */
void firmware_make_te(uint8_t *volume);

/** firmware_arm64 - the whole image: a pattern, and a volume's signature at 0x1000 */
void firmware_arm64(uint8_t image[FIRMWARE_ARM64_SIZE]);

#endif
