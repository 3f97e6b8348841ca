/*
 * Images on their way into guest memory: kernels, initrds, firmware.
 *
 * An image is in place (whoever built the guest put it there and measured it; here it is a length
 * at an address) or bytes (borrowed, never copied, written when the plan is committed). Either way
 * it becomes an artifact of the plan, so that nothing else can be written over it.
 *
 *	gpa [ content, len bytes ........ )
 *	gpa [ room: what nobody else may touch, the image's own .bss included ...... )
 *
 * Source: [OVMM] vm/loader/src/importer.rs
 */
#ifndef LOADERS_BOOT_IMAGE_H
#define LOADERS_BOOT_IMAGE_H

#include "bootinfo/platform_settings.h"
#include "layout/memory_layout.h"
#include "loaders/boot_plan.h"

/* An image with its place. @len 0: there is no image. */
typedef struct BootImage {
	const char *name; /* of its artifact: "linux.kernel" */
	uint64_t gpa;
	uint64_t len;  /* bytes of content */
	uint64_t room; /* bytes it needs from @gpa on, content included; at least @len */
	bool in_place; /* measured: compared at commit if the bytes are known, never written */
	Bytes bytes;   /* its content unless in place; borrowed */
} BootImage;

/** boot_image_range - the pages that the image needs for itself, or the empty range */
MemoryRange boot_image_range(const BootImage *image);

/**
 * boot_image_allow_bytes - may the host bring this image as bytes?
 *
 * Errors: PVW_LINUX_0022 (DENIED) the guest is isolated: nothing would measure them.
 */
MUST_CHECK bool boot_image_allow_bytes(
	const char *name, Bytes bytes, IsolationType isolation, Error *err);

/**
 * boot_image_in_place - an image that is in guest memory already
 * @image:  with place IMAGE_IN_PLACE
 * @lowest: GPA below which no image starts
 * @ram:    of VTL0, ascending
 *
 * Errors: PVW_LINUX_0016 (BAD_VALUE) empty, not at a page, below @lowest or wrapping, _0020
 * (NO_SPACE) not inside one range of ordinary RAM.
 */
MUST_CHECK bool boot_image_in_place(const char *name, const Image *image, uint64_t lowest,
	LayoutRecordList ram, BootImage *out, Error *err);

/**
 * boot_image_at - bytes at an address that is given
 * @bytes: not empty; borrowed by @out
 * @gpa:   multiple of 8
 * @room:  bytes needed from @gpa on; raised to the length of @bytes
 *
 * Errors: PVW_LINUX_0023 (NO_SPACE) not inside one range of ordinary RAM.
 */
MUST_CHECK bool boot_image_at(const char *name, Bytes bytes, uint64_t gpa, uint64_t room,
	LayoutRecordList ram, BootImage *out, Error *err);

/* Where an image may go whose address nobody has fixed. */
typedef struct BootImageRoom {
	LayoutRecordList ram;  /* of VTL0, ascending; only ordinary records are looked at */
	uint64_t lowest;       /* GPA */
	uint64_t limit;        /* GPA of the first byte behind the last place */
	MemoryRangeList avoid; /* ascending, disjoint: other images and what they need */
} BootImageRoom;

/**
 * boot_image_high - the highest page from which the bytes fit
 * @bytes: not empty; borrowed by @out
 *
 * Errors: PVW_LINUX_0018 (NO_SPACE).
 */
MUST_CHECK bool boot_image_high(
	const char *name, Bytes bytes, const BootImageRoom *room, BootImage *out, Error *err);

/**
 * boot_image_check_apart - no page belongs to both
 *
 * Errors: PVW_LINUX_0021 (OVERLAP) naming both and their pages.
 */
MUST_CHECK bool boot_image_check_apart(const BootImage *a, const BootImage *b, Error *err);

/** boot_image_artifact - the image, which there is, as an artifact */
Artifact boot_image_artifact(const BootImage *image);

/** boot_image_add - boot_image_artifact into a plan; nothing if there is none */
void boot_image_add(BootPlanBuilder *plan, const BootImage *image);

#endif
