/*
 * A child with two ends: its standard output is the guest's console, a socket tells how it ended.
 */
#include "agent/qemu_run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/diagnostics.h"

#define MONITOR_FD 3 /* where QEMU finds its end of the socket */
#define ARGUMENTS_MAX 64

/* A kernel that panics early spins for ever: this is how long it may go on telling why. */
#define PANIC_GRACE_MS 2000
static const char panic_words[] = "Kernel panic";

/* What QEMU says of the end. [QMP] event SHUTDOWN */
typedef enum Ending { ENDING_UNKNOWN, ENDING_OFF, ENDING_RESET, ENDING_COUNT } Ending;

static const struct {
	const char *reason;
	Ending ending;
} endings[] = {
	{ "\"guest-shutdown\"", ENDING_OFF },
	{ "\"guest-reset\"", ENDING_RESET },
};

/* Text that comes in pieces: what is looked for may begin in one and end in the next. */
typedef struct Stream {
	int fd;
	char text[4096];
	size_t len; /* kept of before */
} Stream;

typedef struct Running {
	const QemuRun *run;
	pid_t pid;
	Stream console, monitor;
	Ending ending;
	bool panicked;
	uint64_t console_bytes;
	uint64_t begin_ms, end_ms; /* end: when it is killed, 0 = never */
} Running;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/*
 * The child.
 */

static _Noreturn void become_qemu(const char *const *argv, int console_fd, int monitor_fd)
{
	const int nothing = open("/dev/null", O_RDONLY);
	const int high = fcntl(monitor_fd, F_DUPFD, 10);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (nothing < 0 || high < 0 || dup2(nothing, STDIN_FILENO) < 0 ||
		dup2(console_fd, STDOUT_FILENO) < 0 || dup2(high, MONITOR_FD) < 0)
		_exit(126);
	close(high);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static bool start(Running *running, Error *err)
{
	static const char *const ends[] = {
		"-chardev",
		"stdio,id=console,signal=off",
		"-serial",
		"chardev:console",
		"-chardev",
		"socket,id=monitor,fd=3",
		"-mon",
		"chardev=monitor,mode=control",
	};
	static const char hello[] = "{\"execute\": \"qmp_capabilities\"}\n";
	const char *argv[ARGUMENTS_MAX];
	int console[2], monitor[2];
	size_t count = 0;

	while (running->run->command[count] && count < ARGUMENTS_MAX - ARRAY_COUNT(ends) - 1) {
		argv[count] = running->run->command[count];
		count++;
	}
	for (size_t i = 0; i < ARRAY_COUNT(ends); i++)
		argv[count++] = ends[i];
	argv[count] = NULL;

	if (pipe2(console, O_CLOEXEC) != 0)
		return error_set(err, PVW_AGENT_0012, "pipe: %s", strerror(errno));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, monitor) != 0) {
		close(console[0]);
		close(console[1]);
		return error_set(err, PVW_AGENT_0012, "socketpair: %s", strerror(errno));
	}
	running->pid = fork();
	if (running->pid == 0)
		become_qemu(argv, console[1], monitor[1]);
	close(console[1]);
	close(monitor[1]);
	running->console.fd = console[0];
	running->monitor.fd = monitor[0];
	if (running->pid < 0)
		return error_set(err, PVW_AGENT_0012, "%s: %s", argv[0], strerror(errno));
	/* Without this it tells of no events. If it has ended already, its status will say so. */
	(void)!send(monitor[0], hello, sizeof(hello) - 1, MSG_NOSIGNAL);
	return true;
}

/*
 * What it says.
 */

/* The next piece behind what was kept; false at the end. */
static bool read_more(Stream *stream, const char **fresh, size_t *fresh_len)
{
	ssize_t got;

	do
		got = read(stream->fd, stream->text + stream->len,
			sizeof(stream->text) - 1 - stream->len);
	while (got < 0 && errno == EINTR);
	if (got <= 0) {
		close(stream->fd);
		stream->fd = -1;
		return false;
	}
	*fresh = stream->text + stream->len;
	*fresh_len = (size_t)got;
	stream->len += (size_t)got;
	return true;
}

/* Forget all but the last @keep bytes. */
static void keep_last(Stream *stream, size_t keep)
{
	if (stream->len <= keep)
		return;
	memmove(stream->text, stream->text + stream->len - keep, keep);
	stream->len = keep;
}

static bool holds(const Stream *stream, const char *words)
{
	return memmem(stream->text, stream->len, words, strlen(words)) != NULL;
}

static void read_console(Running *running)
{
	const char *fresh;
	size_t len;

	if (!read_more(&running->console, &fresh, &len))
		return;
	running->console_bytes += len;
	fwrite(fresh, 1, len, running->run->console);
	fflush(running->run->console);
	if (running->run->copy)
		fwrite(fresh, 1, len, running->run->copy);
	if (!running->panicked && holds(&running->console, panic_words)) {
		running->panicked = true;
		running->end_ms = now_ms() + PANIC_GRACE_MS;
	}
	keep_last(&running->console, sizeof(panic_words));
}

static void read_monitor(Running *running)
{
	const char *fresh;
	size_t len;

	if (!read_more(&running->monitor, &fresh, &len))
		return;
	for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
		if (holds(&running->monitor, endings[i].reason))
			running->ending = endings[i].ending;
	}
	keep_last(&running->monitor, 32);
}

/* False when the time is over. */
static bool read_any(Running *running)
{
	struct pollfd fds[] = {
		{ .fd = running->console.fd, .events = POLLIN },
		{ .fd = running->monitor.fd, .events = POLLIN },
	};
	int wait = -1;

	if (running->end_ms) {
		const uint64_t now = now_ms();

		if (now >= running->end_ms)
			return false;
		wait = running->end_ms - now > 60000 ? 60000 : (int)(running->end_ms - now);
	}
	if (poll(fds, ARRAY_COUNT(fds), wait) <= 0)
		return true;
	if (fds[0].revents)
		read_console(running);
	if (fds[1].revents)
		read_monitor(running);
	return true;
}

/*
 * How it ended.
 */

static bool judge(const Running *running, bool killed, int status, QemuResult *out, Error *err)
{
	const char *program = running->run->command[0];
	const uint64_t elapsed = now_ms() - running->begin_ms;
	const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	if (code == 127 || (!killed && code < 0) || (code == 1 && !running->console_bytes))
		return error_set(err, PVW_AGENT_0012, "%s: %s %d, expected it to run the guest",
			program, code < 0 ? "signal" : "status",
			code < 0 ? WTERMSIG(status) : code);
	if (!running->console_bytes)
		return error_set(err, PVW_AGENT_0013,
			"nothing on the console within %" PRIu64
			" ms, %s; expected the guest to say something",
			elapsed,
			killed                                    ? "and no end"
				: running->ending == ENDING_RESET ? "then a reset"
								  : "then an end");
	if (running->panicked)
		return error_set(err, PVW_AGENT_0015,
			"the guest's kernel panicked, expected it to switch itself off");
	if (killed)
		return error_set(err, PVW_AGENT_0014,
			"the guest still runs after %" PRIu64
			" ms, expected it to switch itself off",
			elapsed);
	if (code == 0 && running->ending == ENDING_RESET)
		return error_set(err, PVW_AGENT_0015,
			"the guest reset its machine, expected it to switch itself off");
	*out = (QemuResult){ .console_bytes = running->console_bytes,
		.elapsed_ms = (uint32_t)elapsed,
		/* The exit device: twice the value, and 1. */
		.status = (uint32_t)code / 2 };
	return true;
}

bool qemu_run(const QemuRun *run, QemuResult *out, Error *err)
{
	Running running = {
		.run = run, .console.fd = -1, .monitor.fd = -1, .begin_ms = now_ms()
	};
	bool killed = false, started;
	int status = 0;

	if (run->timeout_s)
		running.end_ms = running.begin_ms + run->timeout_s * UINT64_C(1000);
	started = start(&running, err);
	while (started && running.console.fd >= 0 && !killed) {
		if (!read_any(&running)) {
			kill(running.pid, SIGKILL);
			killed = true;
		}
	}
	while (running.pid > 0 && waitpid(running.pid, &status, 0) < 0 && errno == EINTR)
		;
	/* What it said at last. */
	while (running.monitor.fd >= 0)
		read_monitor(&running);
	if (running.console.fd >= 0)
		close(running.console.fd);
	return started && judge(&running, killed, status, out, err);
}
