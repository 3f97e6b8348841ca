/*
 * Random bytes from the system: the one place where they enter.
 */
#ifndef WORKER_ENTROPY_H
#define WORKER_ENTROPY_H

#include "support/error.h"

/**
 * entropy_draw - @len bytes from the kernel's generator
 *
 * Waits until the generator is seeded. Errors: PVW_SANDBOX_0003 (IO); @out is wiped then.
 */
MUST_CHECK bool entropy_draw(void *out, size_t len, Error *err);

#endif
