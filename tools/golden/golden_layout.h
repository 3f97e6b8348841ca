/*
 * What more than one area reads of a machine's shape.
 */
#ifndef GOLDEN_GOLDEN_LAYOUT_H
#define GOLDEN_GOLDEN_LAYOUT_H

#include "golden.h"
#include "layout/resolver.h"

/** golden_layout_shape - the input of areas resolve_layout_*; lists live in @arena */
LayoutShape golden_layout_shape(const json_t *input, GuestArch arch, Arena *arena);

#endif
