/*
 * What the worker gives up before it takes its first call.
 *
 * Layers, in the order in which they are entered; each narrows what the ones before left open:
 * privileges, no new ones, Landlock, limits, system calls. Everything that the worker needs from
 * the file system is open by then, but for what SandboxOptions.folders names.
 *
 * Source: docs/rpc.md, "Sandbox".
 */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H

#include "support/error.h"

typedef enum SandboxMode {
	SANDBOX_REQUIRE,     /* a layer that is missing fails the start */
	SANDBOX_BEST_EFFORT, /* as many as there are */
	SANDBOX_OFF,         /* none: the log says insecure */
	SANDBOX_MODE_COUNT
} SandboxMode;

typedef enum SandboxLayer {
	SANDBOX_PRIVILEGES, /* groups, user, capabilities, secure bits, dumps */
	SANDBOX_NO_NEW_PRIVS,
	SANDBOX_LANDLOCK, /* files, TCP, signals and abstract sockets, as far as the kernel can */
	SANDBOX_LIMITS,   /* rlimits */
	SANDBOX_SECCOMP,
	SANDBOX_LAYER_COUNT
} SandboxLayer;

#define SANDBOX_MAX_FOLDERS 8

typedef struct SandboxOptions {
	SandboxMode mode;
	/* Folders in which files may be opened, made and removed: of the socket, log, state. */
	const char *folders[SANDBOX_MAX_FOLDERS];
	size_t folder_count;
	uint64_t mapped_bytes;   /* address space wanted beyond the worker's own 512 MiB */
	uint64_t max_file_bytes; /* largest offset ever written to a file; 0: not limited */
	bool change_user;        /* started as root: become user and group below */
	uint32_t user, group;
	bool log_only; /* for development: other system calls are logged, not denied */
} SandboxOptions;

typedef struct SandboxReport {
	bool on[SANDBOX_LAYER_COUNT];
	bool complete;                 /* all of them */
	int landlock_abi;              /* of the kernel; 0: none */
	char missing[ERROR_TEXT_SIZE]; /* layers that are not on and why, or "" */
} SandboxReport;

/** sandbox_mode_parse - "require", "best-effort", "off"; false for others */
bool sandbox_mode_parse(const char *text, SandboxMode *out);

/** sandbox_mode_name - the same as text */
const char *sandbox_mode_name(SandboxMode mode);

/** sandbox_layer_name - "landlock" */
const char *sandbox_layer_name(SandboxLayer layer);

/**
 * sandbox_close_descriptors - close what was inherited, but for 0 to 2 and @keep
 *
 * For the very start, before anything is opened. @keep: @count numbers, any order.
 */
void sandbox_close_descriptors(const int *keep, size_t count);

/**
 * sandbox_enter - give up everything else; there is no way back
 * @report: what is on; filled also on failure
 *
 * Errors: PVW_SANDBOX_0001 (UNSUPPORTED) a layer that the kernel does not have, _0002 (IO) one
 * that cannot be set up; both in mode SANDBOX_REQUIRE only.
 */
MUST_CHECK bool sandbox_enter(const SandboxOptions *options, SandboxReport *report, Error *err);

/** sandbox_landlock_abi - what the kernel offers; 0: nothing */
int sandbox_landlock_abi(void);

#endif
