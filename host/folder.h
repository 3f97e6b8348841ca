/*
 * A folder of results: `-o DIR`.
 */
#ifndef HOST_FOLDER_H
#define HOST_FOLDER_H

#include "support/bytes.h"
#include "support/error.h"

/** folder_make - the folder is there, made if it was not; PVW_CLI_0002 (IO) */
MUST_CHECK bool folder_make(const char *path, Error *err);

/**
 * folder_write - one file of it, replaced as a whole
 * @name:  letters, digits, '.', '-' and '_', not beginning with '.': it may come from a worker
 * @bytes: NULL data with a length: zeros
 *
 * Errors: PVW_CLI_0002 (IO), PVW_CLI_0003 (BAD_VALUE) a name that is no file name.
 */
MUST_CHECK bool folder_write(const char *path, const char *name, Bytes bytes, Error *err);

#endif
