/*
 * Whole files.
 */
#include "host/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/diagnostics.h"

static bool system_fail(Error *err, const char *path, const char *what)
{
	const int reason = errno;

	error_set(err, PVW_CLI_0002, "cannot %s: %s", what, strerror(reason));
	return error_at(err, path);
}

/* Up to @max + 1 bytes, so that one too many is seen. */
static bool read_all(int fd, uint8_t *room, size_t max, size_t *len)
{
	*len = 0;
	while (*len <= max) {
		const ssize_t count = read(fd, room + *len, max + 1 - *len);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return false;
		if (count == 0)
			break;
		*len += (size_t)count;
	}
	return true;
}

/*
 * A file says how long it is, but for those of the kernel that say 0: these, and what else there
 * is, may be as long as they are allowed to.
 */
static size_t expected_size(int fd, size_t max)
{
	struct stat status;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0 ||
		(uint64_t)status.st_size >= max)
		return max;
	return (size_t)status.st_size;
}

static bool read_descriptor(
	int fd, const char *path, size_t max, Arena *arena, Bytes *out, Error *err)
{
	const size_t expected = expected_size(fd, max);
	uint8_t *room = arena_reserve(arena, expected + 1, 1, err);
	size_t len;

	if (!room)
		return false;
	if (!read_all(fd, room, expected, &len))
		return system_fail(err, path, "read");
	if (len > expected && expected < max) {
		error_set(err, PVW_CLI_0002, "grows while it is read, expected %zu bytes",
			expected);
		return error_at(err, path);
	}
	if (len > max) {
		error_set(err, PVW_INPUT_0005, "more than %zu bytes, expected no more", max);
		return error_at(err, path);
	}
	arena_shrink(arena, room, len);
	*out = (Bytes){ room, len };
	return true;
}

bool file_read(const char *path, size_t max, Arena *arena, Bytes *out, Error *err)
{
	const bool is_stdin = strcmp(path, "-") == 0;
	const int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return system_fail(err, path, "open");
	ok = read_descriptor(fd, path, max, arena, out, err);
	if (!is_stdin)
		(void)close(fd);
	return ok;
}

static bool write_all(int fd, Bytes bytes)
{
	for (size_t at = 0; at < bytes.len;) {
		const ssize_t count = write(fd, bytes.data + at, bytes.len - at);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return false;
		at += (size_t)count;
	}
	return true;
}

/* A file that is there keeps its mode; a new one gets what the umask leaves of 0666. */
static mode_t mode_of(const char *path)
{
	const mode_t mask = umask(0);
	struct stat known;

	(void)umask(mask);
	return stat(path, &known) == 0 ? known.st_mode & 07777 : 0666 & ~mask;
}

bool file_write(const char *path, Bytes bytes, Error *err)
{
	char beside[4096];
	bool ok;
	int fd;

	if (strcmp(path, "-") == 0)
		return write_all(STDOUT_FILENO, bytes) || system_fail(err, path, "write");
	if (snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >= (int)sizeof(beside)) {
		errno = ENAMETOOLONG;
		return system_fail(err, path, "write");
	}
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return system_fail(err, path, "write");
	ok = fchmod(fd, mode_of(path)) == 0 && write_all(fd, bytes);
	ok = close(fd) == 0 && ok && rename(beside, path) == 0;
	if (ok)
		return true;
	system_fail(err, path, "write");
	(void)unlink(beside);
	return false;
}
