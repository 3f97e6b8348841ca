/*
 * The worker process: what is opened at start, in which order, and when it ends.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "bootinfo/boot_info.h"
#include "worker/guest_memory.h"
#include "worker/sandbox.h"
#include "worker/server.h"

typedef struct WorkerOptions {
	const StreamAddress *listen; /* at most SERVER_MAX_LISTENERS */
	size_t listen_count;
	const uint32_t *users; /* that may connect beside root and our own */
	size_t user_count;
	IsolationType isolation;  /* ignored inside VTL2: the boot tree says it */
	const char *guest_memory; /* "fd:N" or a path; NULL = memory-only loads */
	const GuestWindow *windows;
	size_t window_count;
	uint64_t blob_bytes; /* what uploaded images may take together; 0 = the default */
	/* Inside VTL2: the boot tree is read from here and the host cannot give another. */
	const char *boot_info; /* a path; NULL = not inside VTL2 */
	bool has_parameters;
	MemoryRange parameters; /* instead of the boot tree's first config range */
	SandboxMode sandbox;
	bool log_json;
	const char *log_path;   /* NULL = standard error */
	const char *log_filter; /* NULL = "info" */
} WorkerOptions;

/**
 * worker_run - serve until told to stop
 * @options: strings and lists are borrowed
 *
 * Returns true after a Shutdown or a signal. Errors: what kept it from starting.
 */
MUST_CHECK bool worker_run(const WorkerOptions *options, Error *err);

#endif
