/*
 * Versions of the guest's address map. A version is a contract with guests that remember their
 * addresses: every version stays, and a plan says which one its guest has.
 * Source: docs/formats.md, "Layout"
 */
#ifndef LAYOUT_LAYOUT_VERSION_H
#define LAYOUT_LAYOUT_VERSION_H

#define LAYOUT_VERSION_REFERENCE 1 /* the reference, address by address */
#define LAYOUT_VERSION_CURRENT 2   /* what a new guest gets, and what "newest" asks for */

#endif
