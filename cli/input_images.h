/*
 * Images of an INPUT: kernels, initrds and firmware, in guest memory or in files.
 */
#ifndef CLI_INPUT_IMAGES_H
#define CLI_INPUT_IMAGES_H

#include "cli/input.h"

/**
 * input_take_images - what --kernel, --initrd, --firmware-image, --command-line, --append and
 * --blob say, into the settings of @input and its blobs
 *
 * A kernel makes the firmware Linux unless --firmware says otherwise. A file becomes the blob that
 * is named like its option; it is read here, once.
 *
 * Errors: PVW_INPUT_0004 (BAD_VALUE), _0005 (LIMIT), _0006 (LIMIT) more than INPUT_MAX_BLOBS or a
 * name given twice; PVW_CLI_0002 (IO).
 */
MUST_CHECK bool input_take_images(
	const Invocation *invocation, Arena *arena, Input *input, Error *err);

#endif
