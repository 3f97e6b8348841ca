/*
 * What every fuzz target is: one function over untrusted bytes.
 *
 * With -Dfuzz=true (clang) libFuzzer drives it; in every other build fuzz/replay.c runs it over
 * the files of its corpus, as a test. A target checks promises by FUZZ_ASSERT.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "support/arena.h"
#include "support/bytes.h"
#include "support/diagnostics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise ends the process, in every build. */
#define FUZZ_ASSERT(condition)                                                                 \
	do {                                                                                   \
		if (!(condition)) {                                                            \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);        \
			abort();                                                               \
		}                                                                              \
	} while (0)

/* fuzz_arena - an empty arena of @limit bytes; the same one in every call of a target */
static inline Arena *fuzz_arena(size_t limit)
{
	static Arena *arena;

	if (!arena) {
		arena = arena_new(limit);
		FUZZ_ASSERT(arena);
	}
	arena_reset(arena);
	return arena;
}

/* fuzz_failed - a refusal says which diagnostic it is, in a sentence; nobody may fail mutely */
static inline void fuzz_failed(const Error *err)
{
	FUZZ_ASSERT(err->diagnostic != PVW_NONE);
	FUZZ_ASSERT(err->text[0] != '\0');
}

#endif
