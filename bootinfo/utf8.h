/*
 * Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef BOOTINFO_UTF8_H
#define BOOTINFO_UTF8_H

#include "support/bytes.h"

/** utf8_is_valid - @text is well formed [RFC3629]; NUL bytes are characters like others */
bool utf8_is_valid(Bytes text);

#endif
