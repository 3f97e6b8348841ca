/*
 * Whole files, with a bound.
 */
#ifndef HOST_FILE_H
#define HOST_FILE_H

#include "support/arena.h"
#include "support/bytes.h"

/**
 * file_read - all bytes of a file, a pipe or a device; "-" is standard input
 * @max: bytes
 * @out: lives in @arena
 *
 * Errors: PVW_CLI_0002 (IO) cannot be read, PVW_INPUT_0005 (LIMIT) more than @max bytes.
 */
MUST_CHECK bool file_read(const char *path, size_t max, Arena *arena, Bytes *out, Error *err);

/**
 * file_write - replace a file, all or nothing; "-" is standard output
 *
 * The bytes go to a new file beside it, which then takes its name. Errors: PVW_CLI_0002 (IO).
 */
MUST_CHECK bool file_write(const char *path, Bytes bytes, Error *err);

#endif
