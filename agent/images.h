/*
 * Images that a guest gets beside what its fixture says: files, uploaded chunk by chunk.
 */
#ifndef AGENT_IMAGES_H
#define AGENT_IMAGES_H

#include "host/client.h"
#include "host/command.h"
#include "proto/worker.pb-c.h"

/* Paths; NULL: none. */
typedef struct DriveImages {
	const char *kernel, *initrd, *firmware;
	const char *append; /* to the command line of the settings */
} DriveImages;

/** images_from_options - --kernel, --initrd, --firmware-image, --append */
DriveImages images_from_options(const Invocation *invocation);

/**
 * images_upload - all files that there are, by PutBlob under the names kernel, initrd, firmware
 * @max_chunk: what the worker takes, bytes
 * @sent:      receives the bytes of all of them
 *
 * One chunk of a file is in memory at a time; the last one carries the digest of the whole.
 *
 * Errors: PVW_CLI_0002 (IO); PVW_AGENT_0006 (BAD_VALUE) the worker counts otherwise; what it
 * answers.
 */
MUST_CHECK bool images_upload(const DriveImages *images, Client *client, uint32_t max_chunk,
	uint64_t *sent, Error *err);

/** images_name - let settings name what was uploaded; a kernel makes the firmware Linux */
MUST_CHECK bool images_name(const DriveImages *images, Arena *arena,
	Pvw__V1__DevicePlatformSettings *settings, Error *err);

#endif
