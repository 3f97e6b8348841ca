/*
 * One bench: an input made once, and a call that is measured. The arena is empty at every call.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "support/arena.h"
#include "support/bytes.h"

#define PRODUCED_MAX 8

/* What one call gives. */
typedef struct Produced {
	Bytes pieces[PRODUCED_MAX];
	size_t count;
} Produced;

static inline void produce(Produced *produced, const void *data, size_t len)
{
	produced->pieces[produced->count++] = (Bytes){ data, len };
}

typedef struct Bench {
	const char *name; /* "madt/64vp" */
	/* Makes the input once, in an arena that stays. */
	bool (*setup)(const void *parameter, Arena *arena, const void **input, Error *err);
	bool (*call)(const void *input, Arena *arena, Produced *produced, Error *err);
	const void *parameter;
	const char *fixture; /* NULL, or the file that @setup reads: PVW_FIXTURES/NAME.cbor */
} Bench;

/* Each ends with a name of NULL. */
extern const Bench arm64_benches[];
extern const Bench layout_benches[];
extern const Bench load_benches[];
extern const Bench pcat_benches[];
extern const Bench table_benches[];
extern const Bench tree_benches[];

#endif
