/*
 * Files of a folder of results, each all or nothing.
 */
#include "host/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/diagnostics.h"

#define MAX_PATH 4096
#define MAX_NAME 200

bool folder_make(const char *path, Error *err)
{
	struct stat status;

	if (mkdir(path, 0777) != 0 && errno != EEXIST)
		return error_set(err, PVW_CLI_0002, "%s: %s", path, strerror(errno));
	if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
		return error_set(err, PVW_CLI_0002, "%s: not a folder", path);
	return true;
}

static bool is_file_name(const char *name)
{
	const size_t len = strspn(
		name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");

	return len > 0 && len <= MAX_NAME && name[len] == 0 && name[0] != '.';
}

static bool write_all(int fd, Bytes bytes)
{
	size_t at = 0;

	if (!bytes.data)
		return ftruncate(fd, (off_t)bytes.len) == 0;
	while (at < bytes.len) {
		const ssize_t len = write(fd, bytes.data + at, bytes.len - at);

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			return false;
		at += (size_t)len;
	}
	return true;
}

/* mkstemp makes files for their owner alone; results are like any other file. */
static void open_mode(int fd)
{
	const mode_t mask = umask(0);

	umask(mask);
	(void)fchmod(fd, 0666 & ~mask);
}

bool folder_write(const char *path, const char *name, Bytes bytes, Error *err)
{
	char target[MAX_PATH], temporary[MAX_PATH + 16];
	int len, fd, reason;
	bool ok;

	if (!is_file_name(name))
		return error_set(
			err, PVW_CLI_0003, "'%.64s', expected a plain file name", name);
	len = snprintf(target, sizeof(target), "%s/%s", path, name);
	if (len < 0 || (size_t)len >= sizeof(target))
		return error_set(err, PVW_CLI_0002, "%.64s: a path that is too long", path);
	snprintf(temporary, sizeof(temporary), "%s.XXXXXX", target);
	fd = mkstemp(temporary);
	if (fd < 0)
		return error_set(err, PVW_CLI_0002, "%.400s: %s", target, strerror(errno));
	ok = write_all(fd, bytes);
	reason = errno;
	open_mode(fd);
	if (close(fd) != 0 && ok) {
		ok = false;
		reason = errno;
	}
	if (ok && rename(temporary, target) != 0) {
		ok = false;
		reason = errno;
	}
	if (ok)
		return true;
	unlink(temporary);
	return error_set(err, PVW_CLI_0002, "%.400s: %s", target, strerror(reason));
}
