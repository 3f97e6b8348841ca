/*
 * What a request for guest addresses is called, as a value: the text is made when somebody reads
 * it, so that naming a thousand requests costs nothing.
 */
#ifndef LAYOUT_LAYOUT_TAG_H
#define LAYOUT_LAYOUT_TAG_H

#include "support/compiler.h"

#define LAYOUT_TAG_SIZE 64 /* bytes of a tag's text, NUL included */

/* "pcie-%-low-mmio" of "rc0", "ram%" of 3. Strings are borrowed. */
typedef struct LayoutTag {
	const char *text; /* the first % stands for @name, or for @number without a name */
	const char *name;
	uint32_t number; /* with a name: tells names apart that are too long to be written */
} LayoutTag;

/**
 * layout_tag_write - the text of a tag, printable ASCII
 *
 * Bytes of a name that are not printable ASCII become "?". A name that loses something by that,
 * or because it is too long, ends in "~number". Returns @out.
 */
const char *layout_tag_write(LayoutTag tag, char out[LAYOUT_TAG_SIZE]);

#endif
