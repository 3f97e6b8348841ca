/*
 * The effect of a plan: its artifacts into guest memory.
 */
#ifndef WORKER_COMMIT_H
#define WORKER_COMMIT_H

#include "loaders/boot_plan.h"
#include "worker/guest_memory.h"

typedef struct CommitOptions {
	const GuestWindow *windows; /* narrow the worker's table to these; none: all of it */
	size_t window_count;
	bool verify; /* read everything back and compare */
} CommitOptions;

/**
 * boot_plan_commit - write a plan
 * @touched: set as soon as the guest's memory may have changed; the one output that counts when
 *           this fails
 *
 * Every address is checked before the first byte is written, and measured artifacts, which are in
 * place already, are compared before it. Order is ascending by address.
 *
 * Errors: those of guest_memory_narrow; PVW_GUEST_0007 (NO_SPACE) an address without memory, _0010
 * (BAD_VALUE) a measured piece differs: nothing was touched. PVW_GUEST_0008 (IO); _0009 (IO)
 * verification found a difference.
 */
MUST_CHECK bool boot_plan_commit(const BootPlan *plan, GuestMemory *guest,
	const CommitOptions *options, bool *touched, Error *err);

/**
 * boot_plan_image_digest - SHA-256 of the bytes of all writes, in order of address
 *
 * Images in place that the plan has not seen are left out.
 */
Digest boot_plan_image_digest(const BootPlan *plan);

#endif
