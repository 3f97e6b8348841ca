/*
 * What sandbox.c and sandbox_seccomp.c share.
 */
#ifndef WORKER_SANDBOX_INTERNAL_H
#define WORKER_SANDBOX_INTERNAL_H

#include "worker/sandbox.h"

/** sandbox_fail - PVW_SANDBOX_0002 with what was tried and errno; false */
bool sandbox_fail(const char *what, Error *err);

/** sandbox_enter_seccomp - the last layer: system calls by a list */
bool sandbox_enter_seccomp(const SandboxOptions *options, SandboxReport *report, Error *err);

#endif
