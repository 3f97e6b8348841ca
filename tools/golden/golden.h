/*
 * pvw-golden: the door for outside judges.
 *
 * Reads one reference case from standard input, looks at `area` and `input` only, and prints
 * {"output": …} in the case's schema. One file and one row an area.
 */
#ifndef GOLDEN_GOLDEN_H
#define GOLDEN_GOLDEN_H

#include <jansson.h>

#include "support/arena.h"
#include "support/bytes.h"
#include "support/memory_range.h"

/**
 * GoldenRun - run one case
 * @input:  the case's `input`
 * @output: receives a new reference
 *
 * A refusal by the code under test is false with @err set; main prints {"error": text}. A case
 * that this door cannot read is golden_malformed's business, not a refusal.
 */
typedef bool (*GoldenRun)(const json_t *input, Arena *arena, json_t **output, Error *err);

/* Readers. A missing or ill-typed member ends the program with status 2. */
const json_t *golden_member(const json_t *object, const char *name);
uint64_t golden_u64(const json_t *object, const char *name); /* "0x…" or a number */
uint64_t golden_as_u64(const json_t *value);
bool golden_bool(const json_t *object, const char *name);
bool golden_is_null(const json_t *object, const char *name); /* absent or null */
const char *golden_string(const json_t *object, const char *name);
Bytes golden_hex(const json_t *object, const char *name, Arena *arena);
MemoryRange golden_range(const json_t *value); /* [start, end], or {start, end}; as stated */
/* a list of {start, end, vnode} or [start, end] */
NodeRangeList golden_node_ranges(const json_t *list, Arena *arena);
void *golden_array(Arena *arena, size_t count, size_t size); /* never NULL */
_Noreturn void golden_malformed(const char *format, ...) PRINTF_LIKE(1, 2);

/* Writers. */
json_t *golden_json_u64(uint64_t value);      /* "0x…" */
json_t *golden_json_hex(Bytes bytes);         /* lower case */
json_t *golden_json_range(MemoryRange range); /* ["0x…", "0x…"] */

/* One function an area, in golden_<area>.c; the rows are areas.def. */
#define GOLDEN_AREA(area)                                                                      \
	bool golden_run_##area(const json_t *input, Arena *arena, json_t **output, Error *err);
#include "areas.def"
#undef GOLDEN_AREA

#endif
