/*
 * One guest being prepared: a state machine over the three steps of prepare.h.
 *
 *	EMPTY --boot info--> BOOT_INFO --configure--> CONFIGURED --plan--> PLANNED --load--> LOADED
 *
 * Every step may be repeated in the state it leads to or in a later one up to PLANNED: what was
 * built on it is dropped. Load may be repeated in LOADED. A step that fails changes nothing, only
 * a load that fails after its first write leaves FAILED. Reset goes back to the start from
 * anywhere: EMPTY, or BOOT_INFO for a worker that took its boot tree from the machine.
 *
 * Each state owns one arena; what a request said is copied into it. Source: docs/rpc.md.
 */
#ifndef WORKER_SESSION_H
#define WORKER_SESSION_H

#include "worker/blob_store.h"
#include "worker/commit.h"
#include "worker/prepare.h"

typedef enum SessionState {
	SESSION_EMPTY,
	SESSION_BOOT_INFO,
	SESSION_CONFIGURED,
	SESSION_PLANNED,
	SESSION_LOADED,
	SESSION_FAILED,
	SESSION_STOPPING,
	SESSION_STATE_COUNT
} SessionState;

/** session_state_name - "EMPTY" */
const char *session_state_name(SessionState state);

#define SESSION_MAX_FINDINGS 64

typedef struct SessionOptions {
	IsolationType isolation;  /* fixed at start; a tree that disagrees is refused */
	bool isolation_from_tree; /* in VTL2: the tree says it */
	int guest_fd;             /* borrowed; -1 = memory-only loads */
	const GuestWindow
		*windows; /* the table given at start, borrowed; none = see LoadTarget */
	size_t window_count;
	uint64_t blob_bytes; /* what uploaded images may take together; 0 = the default */
	bool narrow_only; /* no table at start: VTL0's RAM, and requests can only narrow it */
} SessionOptions;

typedef struct Session Session;

MUST_CHECK bool session_new(const SessionOptions *options, Session **out, Error *err);
void session_free(Session *session);

SessionState session_state(const Session *session);
/** session_generation - counts every change of state, never reused */
uint64_t session_generation(const Session *session);

/* The results of the steps; NULL before them. They stay valid until the step is repeated. */
const Facts *session_facts(const Session *session);
const Config *session_config(const Session *session);
const PlanInputs *session_plan_inputs(const Session *session);
const Prepared *session_prepared(const Session *session);
/** session_guest_memory - what the last Load wrote to; NULL before it, or if it wrote nowhere */
GuestMemory *session_guest_memory(Session *session);
/** session_arena_bytes - handed out by the arenas of all states */
size_t session_arena_bytes(const Session *session);

/**
 * session_load_boot_info - EMPTY..PLANNED -> BOOT_INFO
 * @findings: receives warnings; capacity decided by the caller
 *
 * Errors: PVW_SESSION_0001 (STATE), _0002 (DENIED) the tree's isolation is not the worker's, and
 * those of prepare_facts.
 */
MUST_CHECK bool session_load_boot_info(
	Session *session, const FactInputs *in, Diagnostics *findings, Error *err);

/** session_may_load_boot_info - PVW_SESSION_0001 (STATE): the state, or boot info that is kept */
MUST_CHECK bool session_may_load_boot_info(const Session *session, Error *err);

/**
 * session_keep_boot_info - make the present boot info what Reset goes back to, and refuse others
 *
 * For a worker inside VTL2, which reads its boot tree at start.
 */
void session_keep_boot_info(Session *session);

/**
 * session_configure - BOOT_INFO..PLANNED -> CONFIGURED
 * @clamps:  what isolation changed; lives until the next configure, or in @scratch for a dry run
 * @dry_run: check, keep nothing, change no state; @scratch holds the answer
 */
MUST_CHECK bool session_configure(Session *session, const ConfigInputs *in, bool dry_run,
	Arena *scratch, SettingsClampList *clamps, Diagnostics *findings, Error *err);

/** session_plan - CONFIGURED, PLANNED -> PLANNED */
MUST_CHECK bool session_plan(
	Session *session, const PlanInputs *in, Diagnostics *findings, Error *err);

typedef struct LoadTarget {
	bool memory_only; /* write nowhere */
	bool verify;      /* read back what was written */
	/* Narrows the table given at start; without one it is the table, unless only narrowing is
	 * allowed. None: the table given at start, else VTL0's RAM at offset = guest address. */
	const GuestWindow *windows;
	size_t window_count;
} LoadTarget;

typedef struct LoadReport {
	uint32_t writes; /* 0 for memory-only loads, as bytes */
	uint64_t bytes;
	Digest image; /* of the bytes of all writes, in order of address */
} LoadReport;

/**
 * session_load - PLANNED, LOADED -> LOADED: write the plan whose digest is @digest
 *
 * Errors: PVW_SESSION_0003 (BAD_VALUE) another digest, _0004 (STATE) no guest memory; those of
 * boot_plan_commit, after which the state is FAILED if anything may have been written.
 * @scratch holds nothing that outlives the call.
 */
MUST_CHECK bool session_load(Session *session, Digest digest, const LoadTarget *target,
	Arena *scratch, LoadReport *out, Error *err);

/** session_reset - any state but STOPPING -> EMPTY or BOOT_INFO; blobs go too */
MUST_CHECK bool session_reset(Session *session, Error *err);

/** session_stop - no more steps; for a drain */
void session_stop(Session *session);

/** session_put_blob - EMPTY..PLANNED; as blob_store_put, and PVW_BLOB_0006 (STATE) replacing one
 * that settings may name */
MUST_CHECK bool session_put_blob(
	Session *session, const BlobChunk *chunk, uint64_t *received, Error *err);

const BlobStore *session_blobs(const Session *session);

#endif
