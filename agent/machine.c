/*
 * Guest memory that starts out as zeros, and the worker's process.
 */
#include "agent/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/diagnostics.h"

#define CHUNK ((size_t)64 * 1024)

/* Where the worker finds what it inherits. */
#define WORKER_SOCKET_FD 3
#define WORKER_MEMORY_FD 4

static bool io_fail(Error *err, const char *what)
{
	return error_set(err, PVW_AGENT_0001, "%s: %s", what, strerror(errno));
}

bool machine_make_memory(Machine *machine, const char *path, Error *err)
{
	const int fd = path ? open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)
			    : memfd_create("pvw-guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return io_fail(err, path ? path : "guest memory");
	machine->memory_fd = fd;
	return true;
}

bool machine_size_memory(const Machine *machine, uint64_t size, Error *err)
{
	if (size > INT64_MAX || ftruncate(machine->memory_fd, (off_t)size) != 0)
		return io_fail(err, "guest memory");
	/* A file with a name cannot be sealed, and need not be. */
	(void)fcntl(machine->memory_fd, F_ADD_SEALS, F_SEAL_SHRINK);
	return true;
}

/*
 * The worker's process.
 */

static const char *const isolation_words[ISOLATION_COUNT] = {
	[ISOLATION_NONE] = "none",
	[ISOLATION_VBS] = "vbs",
	[ISOLATION_SNP] = "snp",
	[ISOLATION_TDX] = "tdx",
};

/* In the child, between fork and exec: only what is allowed there. */
static _Noreturn void become_worker(const char *const *argv, int socket_fd, int memory_fd)
{
	/* Both may stand where the other must go: move them out of the way first. */
	const int high_socket = fcntl(socket_fd, F_DUPFD, 10);
	const int high_memory = memory_fd < 0 ? -1 : fcntl(memory_fd, F_DUPFD, 10);

	if (dup2(high_socket, WORKER_SOCKET_FD) < 0 ||
		(high_memory >= 0 && dup2(high_memory, WORKER_MEMORY_FD) < 0))
		_exit(126);
	close(high_socket);
	if (high_memory >= 0)
		close(high_memory);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* "--window GPA:SIZE:OFFSET" for each of them. */
#define WINDOW_TEXT_SIZE 64

static const char **add_windows(
	const char **arg, char texts[][WINDOW_TEXT_SIZE], MachineWindowList windows)
{
	for (size_t i = 0; i < windows.count; i++) {
		const MachineWindow *window = &windows.items[i];

		snprintf(texts[i], WINDOW_TEXT_SIZE, "0x%" PRIx64 ":0x%" PRIx64 ":0x%" PRIx64,
			window->gpa, window->len, window->offset);
		*arg++ = "--window";
		*arg++ = texts[i];
	}
	return arg;
}

bool machine_start_worker(Machine *machine, const WorkerStart *start, Error *err)
{
	const char *fixed[] = {
		start->program,
		"serve",
		"--listen",
		"fd:3",
		"--isolation",
		isolation_words[start->isolation],
		"--sandbox",
		start->sandbox,
		"--log",
		start->log_filter ? start->log_filter : "warn",
	};
	const char *argv[ARRAY_COUNT(fixed) + 2 + 2 * MACHINE_MAX_WINDOWS + 1];
	char texts[MACHINE_MAX_WINDOWS][WINDOW_TEXT_SIZE];
	const char **arg = argv + ARRAY_COUNT(fixed);
	int ends[2];
	pid_t pid;

	assert(machine->windows.count <= MACHINE_MAX_WINDOWS);
	memcpy(argv, fixed, sizeof(fixed));
	if (machine->memory_fd >= 0) {
		*arg++ = "--guest-memory";
		*arg++ = "fd:4";
		arg = add_windows(arg, texts, machine->windows);
	}
	*arg = NULL;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return error_set(err, PVW_AGENT_0002, "socketpair: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		become_worker(argv, ends[1], machine->memory_fd);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return error_set(
			err, PVW_AGENT_0002, "%s: %s", start->program, strerror(errno));
	}
	machine->worker = pid;
	machine->worker_fd = ends[0];
	return true;
}

bool machine_wait_worker(Machine *machine, Error *err)
{
	int status;

	if (machine->worker == 0)
		return true;
	while (waitpid(machine->worker, &status, 0) < 0) {
		if (errno != EINTR)
			return error_set(err, PVW_AGENT_0003, "waitpid: %s", strerror(errno));
	}
	machine->worker = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (WIFSIGNALED(status))
		return error_set(err, PVW_AGENT_0003,
			"the worker was ended by signal %d, expected status 0",
			WTERMSIG(status));
	return error_set(err, PVW_AGENT_0003, "the worker ended with status %d, expected 0",
		WEXITSTATUS(status));
}

void machine_close(Machine *machine)
{
	if (machine->worker_fd >= 0)
		close(machine->worker_fd);
	if (machine->worker > 0) {
		kill(machine->worker, SIGKILL);
		waitpid(machine->worker, NULL, 0);
	}
	if (machine->memory_fd >= 0)
		close(machine->memory_fd);
	*machine = MACHINE_NONE;
}

/*
 * Looking at guest memory.
 */

/* All that there is, at once, where no windows are. */
static const MachineWindow identity = { 0, UINT64_MAX, 0 };

static MachineWindowList windows_of(const Machine *machine)
{
	return machine->windows.count ? machine->windows : (MachineWindowList){ &identity, 1 };
}

static const MachineWindow *find_window(const Machine *machine, uint64_t gpa)
{
	const MachineWindowList windows = windows_of(machine);

	for (size_t i = 0; i < windows.count; i++) {
		const MachineWindow *window = &windows.items[i];

		if (gpa >= window->gpa && gpa - window->gpa < window->len)
			return window;
	}
	return NULL;
}

static bool read_part(
	const Machine *machine, uint64_t offset, uint8_t *buffer, size_t len, Error *err)
{
	for (size_t done = 0; done < len;) {
		const ssize_t got = pread(
			machine->memory_fd, buffer + done, len - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return io_fail(err, "guest memory");
		if (got == 0)
			return error_set(err, PVW_AGENT_0001,
				"guest memory ends at 0x%" PRIx64 ", expected 0x%" PRIx64
				" bytes more",
				offset + done, (uint64_t)(len - done));
		done += (size_t)got;
	}
	return true;
}

static bool read_at(
	const Machine *machine, uint64_t gpa, uint8_t *buffer, size_t len, Error *err)
{
	while (len) {
		const MachineWindow *window = find_window(machine, gpa);
		size_t part = len;

		if (!window)
			return error_set(err, PVW_AGENT_0001,
				"no guest memory at 0x%" PRIx64 ", expected 0x%" PRIx64
				" bytes",
				gpa, (uint64_t)len);
		if (window->len - (gpa - window->gpa) < part)
			part = (size_t)(window->len - (gpa - window->gpa));
		if (!read_part(
			    machine, window->offset + (gpa - window->gpa), buffer, part, err))
			return false;
		gpa += part;
		buffer += part;
		len -= part;
	}
	return true;
}

bool machine_read(const Machine *machine, const char *what, uint64_t gpa, void *buffer,
	size_t len, Error *err)
{
	return read_at(machine, gpa, buffer, len, err) || error_wrap(err, "%s", what);
}

/* Index of the first byte that differs, or @len. @expected NULL: zeros. */
static size_t first_difference(const uint8_t *found, const uint8_t *expected, size_t len)
{
	size_t i = 0;

	while (i < len && found[i] == (expected ? expected[i] : 0))
		i++;
	return i;
}

bool machine_compare(const Machine *machine, const char *what, uint64_t gpa,
	const uint8_t *data, uint64_t len, Error *err)
{
	uint8_t buffer[4096];

	for (uint64_t at = 0; at < len; at += sizeof(buffer)) {
		const size_t part =
			len - at < sizeof(buffer) ? (size_t)(len - at) : sizeof(buffer);
		size_t differs;

		if (!read_at(machine, gpa + at, buffer, part, err))
			return error_wrap(err, "%s", what);
		differs = first_difference(buffer, data ? data + at : NULL, part);
		if (differs < part)
			return error_set(err, PVW_AGENT_0004,
				"%s: byte 0x%02x at 0x%" PRIx64 ", expected 0x%02x", what,
				buffer[differs], gpa + at + differs,
				data ? data[at + differs] : 0u);
	}
	return true;
}

bool machine_compare_digest(const Machine *machine, const char *what, uint64_t gpa,
	uint64_t len, const uint8_t digest[DIGEST_SIZE], Error *err)
{
	uint8_t buffer[4096];
	DigestState state;
	Digest found;

	digest_begin(&state);
	for (uint64_t at = 0; at < len; at += sizeof(buffer)) {
		const size_t part =
			len - at < sizeof(buffer) ? (size_t)(len - at) : sizeof(buffer);

		if (!read_at(machine, gpa + at, buffer, part, err))
			return error_wrap(err, "%s", what);
		digest_add(&state, buffer, part);
	}
	found = digest_end(&state);
	if (memcmp(found.bytes, digest, DIGEST_SIZE) == 0)
		return true;
	return error_set(err, PVW_AGENT_0004,
		"%s: 0x%" PRIx64 " bytes at 0x%" PRIx64 " have another digest than planned",
		what, len, gpa);
}

bool machine_memory_size(const Machine *machine, uint64_t *out, Error *err)
{
	const MachineWindowList windows = machine->windows;
	const off_t end = lseek(machine->memory_fd, 0, SEEK_END);

	if (end < 0)
		return io_fail(err, "guest memory");
	*out = windows.count
		? windows.items[windows.count - 1].gpa + windows.items[windows.count - 1].len
		: (uint64_t)end;
	return true;
}

/* [@start, @end) of guest addresses, all in @window, which the file may have holes for. */
static bool check_zeros(const Machine *machine, const MachineWindow *window, uint64_t start,
	uint64_t end, uint8_t *buffer, Error *err)
{
	for (uint64_t at = start; at < end; at += CHUNK) {
		const size_t part = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		size_t differs;

		if (!read_part(machine, window->offset + (at - window->gpa), buffer, part, err))
			return false;
		differs = first_difference(buffer, NULL, part);
		if (differs < part)
			return error_set(err, PVW_AGENT_0005,
				"byte 0x%02x at 0x%" PRIx64
				", where the plan writes nothing, expected 0",
				buffer[differs], at + differs);
	}
	return true;
}

static bool check_window(const Machine *machine, const MachineWindow *window, uint64_t start,
	uint64_t end, uint8_t *buffer, Error *err)
{
	const uint64_t limit = window->offset + (end - window->gpa);
	uint64_t at = window->offset + (start - window->gpa);

	while (at < limit) {
		const off_t data = lseek(machine->memory_fd, (off_t)at, SEEK_DATA);
		const off_t hole = data < 0 ? -1 : lseek(machine->memory_fd, data, SEEK_HOLE);

		/* ENXIO: nothing but a hole from here on */
		if (data < 0 || (uint64_t)data >= limit)
			return data >= 0 || errno == ENXIO || io_fail(err, "guest memory");
		at = hole < 0 || (uint64_t)hole > limit ? limit : (uint64_t)hole;
		if (!check_zeros(machine, window, (uint64_t)data - window->offset + window->gpa,
			    at - window->offset + window->gpa, buffer, err))
			return false;
	}
	return true;
}

bool machine_check_untouched(const Machine *machine, uint64_t start, uint64_t end, Error *err)
{
	const MachineWindowList windows = windows_of(machine);
	uint8_t *buffer = malloc(CHUNK);
	bool ok = buffer != NULL;

	if (!buffer)
		return error_set(err, PVW_AGENT_0001, "no memory to look at the guest's");
	for (size_t i = 0; ok && i < windows.count; i++) {
		const MachineWindow *window = &windows.items[i];
		const uint64_t from = start > window->gpa ? start : window->gpa;
		const uint64_t to = end - window->gpa < window->len || end < window->gpa
			? end
			: window->gpa + window->len;

		if (from < to)
			ok = check_window(machine, window, from, to, buffer, err);
	}
	free(buffer);
	return ok;
}
