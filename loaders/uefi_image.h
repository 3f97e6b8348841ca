/*
 * UEFI firmware as a file: a firmware device whose volumes run where they lie.
 *
 *	volume [ header | file | file ... ]    file [ header | section | section ... ]
 *
 * The bytes are hostile: every offset is checked before it is followed.
 * Source: [PI18] volume 3, 2 and 3; [PECOFF]; [OVMM] vm/loader/src/uefi/mod.rs
 */
#ifndef LOADERS_UEFI_IMAGE_H
#define LOADERS_UEFI_IMAGE_H

#include "support/bytes.h"
#include "support/error.h"
#include "support/guest_arch.h"

/** uefi_image_is_volume - begins @bytes with a firmware volume, going by its signature? */
bool uefi_image_is_volume(Bytes bytes);

/**
 * uefi_image_find_sec - where the security phase begins
 * @image:  of any content; of the length that the firmware has
 * @volume: offset in @image of the volume with the security phase
 * @arch:   what the code is for
 * @entry:  receives the offset in @image of its first instruction
 *
 * It is the entry of the first PE32 or TE section of the volume's first file of type SEC core.
 *
 * Errors: PVW_UEFI_0019 (BAD_VALUE) no such thing, or something that leaves what it lies in;
 * _0011 (UNSUPPORTED) it is compressed, or for another processor.
 */
MUST_CHECK bool uefi_image_find_sec(
	Bytes image, uint64_t volume, GuestArch arch, uint64_t *entry, Error *err);

#endif
