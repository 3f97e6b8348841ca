/*
 * A machine that runs: QEMU as a child, its console, its end.
 */
#ifndef AGENT_QEMU_RUN_H
#define AGENT_QEMU_RUN_H

#include <stdio.h>

#include "support/error.h"

typedef struct QemuRun {
	const char *const *command; /* of qemu_command */
	uint32_t timeout_s;         /* 0 = for ever */
	FILE *console;              /* receives what the guest says, as it comes */
	FILE *copy;                 /* too; NULL = nobody */
} QemuRun;

typedef struct QemuResult {
	uint64_t console_bytes;
	uint32_t elapsed_ms;
	uint32_t
		status; /* 0: switched off by the guest; else what it wrote to the exit device */
} QemuResult;

/**
 * qemu_run - start the machine, show its console, wait for its end
 *
 * Errors: PVW_AGENT_0012 (IO) QEMU does not start, or ends by itself; _0013 (MISSING) the machine
 * ended, or its time was over, without a byte on its console; _0014 (STATE) not in time; _0015
 * (STATE) a panic, a reset, or the end of a processor that failed.
 */
MUST_CHECK bool qemu_run(const QemuRun *run, QemuResult *out, Error *err);

#endif
