/*
 * One bench: an input made once, and a call that is measured. The arena is empty at every call.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "support/arena.h"
#include "support/bytes.h"

typedef struct Bench {
	const char *name; /* "madt/64vp" */
	/* Makes the input once, in an arena that stays; NULL or false ends the program. */
	bool (*setup)(const void *parameter, Arena *arena, const void **input, Error *err);
	/* One call; @produced receives the bytes it made. */
	bool (*call)(const void *input, Arena *arena, size_t *produced, Error *err);
	const void *parameter;
} Bench;

/* Ends with a name of NULL. */
extern const Bench benches[];

#endif
