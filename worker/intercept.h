/*
 * The devices of a guest that runs: who answers an access, and what follows from the answer.
 *
 * There is one device, the PCAT BIOS's helper (devices/pcat_device.h), and only a guest that
 * boots PCAT has it. It is there from Plan on, so that a host can ask what it claims, and starts
 * anew with each Load. What it wants written goes through worker/guest_memory.h, into VTL0's RAM
 * alone, into the memory that the last Load wrote to; a write that has no place to go is logged
 * and dropped, and the guest is not told, as on the real thing.
 */
#ifndef WORKER_INTERCEPT_H
#define WORKER_INTERCEPT_H

#include "devices/pcat_device.h"
#include "worker/log.h"
#include "worker/session.h"

#define INTERCEPT_MAX_ITEMS 64    /* in a call */
#define INTERCEPT_MAX_BYTES 4096u /* of data in one */

typedef struct InterceptsOptions {
	Session *session; /* borrowed, as all of them */
	Events *events;
	Log *log; /* may be NULL */
} InterceptsOptions;

typedef struct Intercepts Intercepts;

MUST_CHECK bool intercepts_new(const InterceptsOptions *options, Intercepts **out, Error *err);
/** intercepts_free - and nothing of the entropy stays in memory; NULL is fine */
void intercepts_free(Intercepts *intercepts);

/** intercepts_plan - after Plan: the devices of the session's plan, at reset; PVW_PCAT_0010 */
MUST_CHECK bool intercepts_plan(Intercepts *intercepts, Error *err);

/**
 * intercepts_load - after Load: the guest starts, its devices are reset
 *
 * With the plan's entropy; with new one if a guest has got that already: none gets it twice.
 * Errors: those of entropy_draw.
 */
MUST_CHECK bool intercepts_load(Intercepts *intercepts, Error *err);

/** intercepts_drop - the plan is gone, and its devices with it */
void intercepts_drop(Intercepts *intercepts);

/** intercepts_claims - what is claimed now; 0 without a device */
size_t intercepts_claims(const Intercepts *intercepts, PcatClaim out[PCAT_MAX_CLAIMS]);

/* One intercepted access, perhaps repeated. */
typedef struct Intercept {
	PcatOperationKind kind;
	/* A port is the same for each repetition, an address moves on by @width. */
	uint64_t address;
	uint32_t width;      /* 1, 2, 4 or 8 */
	uint32_t count;      /* at least 1; count x width at most INTERCEPT_MAX_BYTES */
	const uint8_t *data; /* writes: count x width bytes */
} Intercept;

typedef enum InterceptVerdict {
	INTERCEPT_VERDICT_DONE,
	INTERCEPT_VERDICT_NOT_CLAIMED, /* somebody else's: the host may answer it */
	INTERCEPT_VERDICT_FILTERED,    /* nobody's, and not for the host to see */
	INTERCEPT_VERDICT_BAD_WIDTH,
	INTERCEPT_VERDICT_DEVICE_ERROR,
	INTERCEPT_VERDICT_COUNT
} InterceptVerdict;

typedef struct InterceptOutcome {
	InterceptVerdict verdict;
	uint64_t defer_ns; /* of all repetitions together */
	bool replay_mtrrs;
	bool pulse_gpe0;
} InterceptOutcome;

/**
 * intercepts_take - one access
 * @data: reads: receives count x width bytes, all ones unless the verdict is DONE
 */
void intercepts_take(
	Intercepts *intercepts, const Intercept *access, uint8_t *data, InterceptOutcome *out);

/** intercepts_renew_generation_id - another id from the host; NOT_CLAIMED without a device */
void intercepts_renew_generation_id(
	Intercepts *intercepts, const uint8_t id[GENERATION_ID_SIZE], InterceptOutcome *out);

/** intercepts_replayed - what to set on all processors when replay_mtrrs is; in @arena */
MUST_CHECK bool intercepts_replayed(
	const Intercepts *intercepts, Arena *arena, RegisterSet *out, Error *err);

#endif
