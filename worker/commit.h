/*
 * The effect of a plan: its artifacts into guest memory.
 */
#ifndef WORKER_COMMIT_H
#define WORKER_COMMIT_H

#include "loaders/boot_plan.h"
#include "worker/guest_memory.h"

typedef struct CommitOptions {
	bool verify_after; /* read everything back and compare */
} CommitOptions;

typedef struct CommitReport {
	uint32_t writes;
	uint64_t bytes; /* in all of them */
	bool touched;   /* the guest's memory may have changed; set also when commit fails */
} CommitReport;

/**
 * boot_plan_commit - write a plan
 * @report: filled as far as it went, also on failure
 *
 * Every address is checked before the first byte is written, and measured artifacts, which are in
 * place already, are compared before it. Order is ascending by address.
 *
 * Errors: PVW_GUEST_0007 (NO_SPACE), _0010 (BAD_VALUE) a measured piece differs: nothing written.
 * PVW_GUEST_0008 (IO), _0009 (IO) verification: report->touched.
 */
MUST_CHECK bool boot_plan_commit(const BootPlan *plan, GuestMemory *guest,
	CommitOptions options, CommitReport *report, Error *err);

/**
 * boot_plan_image_digest - SHA-256 of the bytes of all writes, in order of address
 */
Digest boot_plan_image_digest(const BootPlan *plan);

#endif
