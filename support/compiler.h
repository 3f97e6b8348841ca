/*
 * Compiler attributes and the few macros that every folder speaks.
 */
#ifndef SUPPORT_COMPILER_H
#define SUPPORT_COMPILER_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The result says whether the call worked; dropping it is a compile error. */
#define MUST_CHECK __attribute__((warn_unused_result))
/* A record whose bytes are fixed by a specification. */
#define PACKED __attribute__((packed))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
/*
 * A variable of a hot function that is large and written before it is read, part by part: release
 * builds clear all others (-ftrivial-auto-var-init).
 */
#if defined(__has_attribute) && __has_attribute(uninitialized)
#define UNINITIALIZED __attribute__((uninitialized))
#else
#define UNINITIALIZED
#endif
#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
