/*
 * The measured pages as they lie in memory: for a worker inside VTL2, to whom nobody hands them.
 */
#ifndef WORKER_MEASURED_H
#define WORKER_MEASURED_H

#include "bootinfo/measured.h"
#include "worker/guest_memory.h"

/**
 * measured_read - the pages that the image's builder left
 * @fd:         guest memory at offset = guest address; borrowed, and only read
 * @parameters: first address of the parameter pages
 * @out:        lives in @arena; empty without a configuration in VTL0's memory, or with a wiped one
 *
 * Errors: PVW_MEASURED_0001 to _0007 for what VTL0's configuration says; those of
 * guest_memory_read.
 */
MUST_CHECK bool measured_read(int fd, const BootInfo *info, uint64_t parameters, Arena *arena,
	MeasuredPages *out, Error *err);

#endif
