/*
 * A machine around the worker: guest memory that starts out as zeros, and the worker's process.
 */
#ifndef AGENT_MACHINE_H
#define AGENT_MACHINE_H

#include <sys/types.h>

#include "bootinfo/boot_info.h"
#include "support/digest.h"

/* Guest addresses [gpa, gpa + len) lie at @offset of the memory's file. */
typedef struct MachineWindow {
	uint64_t gpa, len, offset; /* whole pages */
} MachineWindow;

#define MACHINE_MAX_WINDOWS 64

typedef struct MachineWindowList {
	const MachineWindow *items; /* ascending by gpa, apart from each other */
	size_t count;               /* at most MACHINE_MAX_WINDOWS */
} MachineWindowList;

typedef struct Machine {
	int memory_fd;             /* guest memory; -1 = none */
	int worker_fd;             /* our end of the connection; -1 = no worker started */
	pid_t worker;              /* 0 = none */
	MachineWindowList windows; /* none: offset = guest address */
} Machine;

#define MACHINE_NONE ((Machine){ -1, -1, 0, { NULL, 0 } })

typedef struct WorkerStart {
	const char *program; /* pvw */
	IsolationType isolation;
	const char *sandbox;    /* "require", "best-effort", "off" */
	const char *log_filter; /* NULL = "warn" */
} WorkerStart;

/**
 * machine_make_memory - guest memory: a new file at @path, or memory without a name
 *
 * Errors: PVW_AGENT_0001 (IO); a file that is there already is refused.
 */
MUST_CHECK bool machine_make_memory(Machine *machine, const char *path, Error *err);

/** machine_size_memory - @size bytes, holes where nothing is written; memory without a name never
 * becomes smaller again */
MUST_CHECK bool machine_size_memory(const Machine *machine, uint64_t size, Error *err);

/**
 * machine_start_worker - start `pvw serve` with one inherited connection and the guest's memory
 *
 * Errors: PVW_AGENT_0002 (IO).
 */
MUST_CHECK bool machine_start_worker(Machine *machine, const WorkerStart *start, Error *err);

/** machine_wait_worker - until the worker has ended; PVW_AGENT_0003 (IO) unless with status 0 */
MUST_CHECK bool machine_wait_worker(Machine *machine, Error *err);

/** machine_close - end a worker that still runs, close everything; also when half made */
void machine_close(Machine *machine);

/**
 * machine_read - what guest memory holds
 * @what: what messages call it
 *
 * Errors: PVW_AGENT_0001 (IO), also for addresses that no window has.
 */
MUST_CHECK bool machine_read(const Machine *machine, const char *what, uint64_t gpa,
	void *buffer, size_t len, Error *err);

/**
 * machine_compare - do @len bytes at @gpa hold @data?
 * @data: NULL = zeros
 *
 * Errors: PVW_AGENT_0004 (BAD_VALUE) naming the first difference, _0001 (IO).
 */
MUST_CHECK bool machine_compare(const Machine *machine, const char *what, uint64_t gpa,
	const uint8_t *data, uint64_t len, Error *err);

/** machine_compare_digest - the same by SHA-256, for bytes that nobody hands out */
MUST_CHECK bool machine_compare_digest(const Machine *machine, const char *what, uint64_t gpa,
	uint64_t len, const uint8_t digest[DIGEST_SIZE], Error *err);

/** machine_memory_size - the end of guest memory: the last window's, else the file's */
MUST_CHECK bool machine_memory_size(const Machine *machine, uint64_t *out, Error *err);

/**
 * machine_check_untouched - nothing but zeros in [@start, @end)
 *
 * Only what was ever written is read: holes, and what no window has, are skipped. Errors:
 * PVW_AGENT_0005 (BAD_VALUE).
 */
MUST_CHECK bool machine_check_untouched(
	const Machine *machine, uint64_t start, uint64_t end, Error *err);

#endif
