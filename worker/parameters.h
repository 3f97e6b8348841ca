/*
 * The parameter pages that the boot shim left in VTL2's memory: tables that came with the image.
 *
 *	page  0  SLIT, at most 20 pages
 *	page 20  PPTT, at most 20 pages
 *
 * Source: [OVMM] vm/loader/loader_defs/src/paravisor.rs
 */
#ifndef WORKER_PARAMETERS_H
#define WORKER_PARAMETERS_H

#include "support/arena.h"
#include "support/bytes.h"
#include "worker/guest_memory.h"

typedef struct Parameters {
	Bytes slit, pptt; /* empty = absent */
} Parameters;

/**
 * parameters_read - the tables in the parameter pages at @gpa
 * @memory: backs the first 40 pages from @gpa
 *
 * Errors: PVW_PARAM_0001 (BAD_VALUE) a table longer than its pages or shorter than a header,
 * _0002 (BAD_VALUE) another signature, _0003 (BAD_VALUE) a wrong checksum; those of
 * guest_memory_read.
 */
MUST_CHECK bool parameters_read(
	const GuestMemory *memory, uint64_t gpa, Arena *arena, Parameters *out, Error *err);

#endif
