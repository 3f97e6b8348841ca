/*
 * The sandbox from within: each test process locks itself up and tries.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/diagnostics.h"
#include "worker/blob_store.h"
#include "worker/entropy.h"
#include "worker/sandbox.h"

static char folder[32];

static void make_folder(void)
{
	strcpy(folder, "/tmp/pvw-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

typedef enum Verdict { FINE, REFUSED, KILLED, STRANGE } Verdict;

/*
 * Runs @probe in a child that has entered the sandbox; it returns whether what it tried worked.
 * A sanitizer's own work at exit is not the worker's: the child leaves by _exit.
 */
static Verdict inside(const SandboxOptions *options, bool (*probe)(void))
{
	const pid_t pid = fork();
	int status;

	if (pid == 0) {
		SandboxReport report;
		Error err;

		if (!sandbox_enter(options, &report, &err)) {
			fprintf(stderr, "%s\n", err.text);
			_exit(2);
		}
		_exit(probe() ? 0 : 1);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED : STRANGE;
	return WEXITSTATUS(status) == 0 ? FINE : WEXITSTATUS(status) == 1 ? REFUSED : STRANGE;
}

static SandboxOptions everything(void)
{
	return (SandboxOptions){ .mode = SANDBOX_REQUIRE };
}

/* A machine without Landlock cannot run these. */
static void need_all_layers(void)
{
	if (sandbox_landlock_abi() == 0)
		cr_skip("this kernel has no Landlock");
}

Test(sandbox, modes_have_names)
{
	SandboxMode mode;

	cr_assert(sandbox_mode_parse("require", &mode) && mode == SANDBOX_REQUIRE);
	cr_assert(sandbox_mode_parse("best-effort", &mode) && mode == SANDBOX_BEST_EFFORT);
	cr_assert(sandbox_mode_parse("off", &mode) && mode == SANDBOX_OFF);
	cr_assert_not(sandbox_mode_parse("on", &mode));
	cr_assert_str_eq(sandbox_mode_name(SANDBOX_BEST_EFFORT), "best-effort");
	cr_assert_str_eq(sandbox_layer_name(SANDBOX_SECCOMP), "seccomp");
}

Test(sandbox, off_says_so)
{
	const SandboxOptions options = { .mode = SANDBOX_OFF };
	SandboxReport report;
	Error err;

	cr_assert(sandbox_enter(&options, &report, &err));
	cr_assert_not(report.complete);
	for (size_t i = 0; i < SANDBOX_LAYER_COUNT; i++)
		cr_assert_not(report.on[i]);
	cr_assert_not_null(strstr(report.missing, "insecure"));
	cr_assert_geq(socket(AF_UNIX, SOCK_STREAM, 0), 0);
}

static bool report_is_complete(void)
{
	return true;
}

Test(sandbox, require_enters_every_layer)
{
	const SandboxOptions options = everything();
	const pid_t pid = fork();
	int status;

	need_all_layers();
	if (pid == 0) {
		SandboxReport report;
		Error err;
		bool all = sandbox_enter(&options, &report, &err) && report.complete &&
			report.missing[0] == '\0' && report.landlock_abi > 0;

		for (size_t i = 0; all && i < SANDBOX_LAYER_COUNT; i++)
			all = report.on[i];
		_exit(all ? 0 : 1);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	cr_assert_eq(inside(&options, report_is_complete), FINE);
}

Test(sandbox, require_fails_where_best_effort_goes_on)
{
	SandboxOptions options = {
		.mode = SANDBOX_REQUIRE, .folders = { "/nonexistent" }, .folder_count = 1
	};
	SandboxReport report;
	Error err;

	need_all_layers();
	cr_assert_not(sandbox_enter(&options, &report, &err));
	cr_assert_eq(err.diagnostic, PVW_SANDBOX_0002);
	cr_assert_not_null(strstr(err.text, "landlock: /nonexistent"), "%s", err.text);
	cr_assert_not(report.complete);

	options.mode = SANDBOX_BEST_EFFORT;

	const pid_t pid = fork();
	int status;

	if (pid == 0) {
		const bool good = sandbox_enter(&options, &report, &err) && !report.complete &&
			!report.on[SANDBOX_LANDLOCK] && report.on[SANDBOX_SECCOMP] &&
			strstr(report.missing, "landlock (/nonexistent");

		_exit(good ? 0 : 1);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
}

/*
 * System calls.
 */

static int pair[2];
static int file;

static bool works_as_a_server(void)
{
	struct timespec now;
	struct stat info;
	uint8_t bytes[64];
	char *memory;
	Error err;

	if (send(pair[0], "x", 1, MSG_NOSIGNAL) != 1 || recv(pair[1], bytes, 1, 0) != 1)
		return false;
	if (pwrite(file, "abc", 3, 100) != 3 || pread(file, bytes, 3, 100) != 3)
		return false;
	if (!entropy_draw(bytes, sizeof(bytes), &err) ||
		clock_gettime(CLOCK_REALTIME, &now) != 0)
		return false;
	memory = malloc(8 << 20);
	if (!memory)
		return false;
	memset(memory, 1, 8 << 20);
	free(memory);
	return fcntl(file, F_GETFD) >= 0 && fstat(file, &info) == 0 &&
		write(STDERR_FILENO, "", 0) == 0;
}

Test(sandbox, leaves_what_a_server_needs)
{
	const SandboxOptions options = everything();

	need_all_layers();
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	file = memfd_create("guest", 0);
	cr_assert_eq(inside(&options, works_as_a_server), FINE);
}

static bool takes_a_blob(void)
{
	static const char *const chunks[] = { "ker", "nel" };
	BlobStore store = { 0 };
	uint64_t received = 0;
	Error err;

	for (size_t i = 0; i < 2; i++) {
		const BlobChunk chunk = { .name = "k",
			.total = 6,
			.offset = 3 * i,
			.data = { (const uint8_t *)chunks[i], 3 } };

		if (!blob_store_put(&store, &chunk, &received, &err))
			return false;
	}
	return memcmp(blob_store_find(&store, "k")->bytes.data, "kernel", 6) == 0;
}

Test(sandbox, leaves_what_blobs_need)
{
	const SandboxOptions options = everything();

	need_all_layers();
	cr_assert_eq(inside(&options, takes_a_blob), FINE);
}

static bool try_exec(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return false;
}

static bool try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool try_connect(void)
{
	return connect(file, NULL, 0) == 0;
}

static bool try_fork(void)
{
	return fork() >= 0;
}

static bool try_ptrace(void)
{
	return syscall(SYS_ptrace, 16, getppid(), 0, 0) == 0;
}

static bool try_mount(void)
{
	return syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL) == 0;
}

static bool try_unshare(void)
{
	return syscall(SYS_unshare, 0x10000000) == 0;
}

static bool try_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0) == 0;
}

static bool try_peek(void)
{
	return syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0) >= 0;
}

Test(sandbox, some_calls_are_deadly)
{
	bool (*const probes[])(void) = { try_exec, try_socket, try_connect, try_fork,
		try_ptrace, try_mount, try_unshare, try_bpf, try_peek };
	const SandboxOptions options = everything();

	need_all_layers();
	for (size_t i = 0; i < ARRAY_COUNT(probes); i++)
		cr_assert_eq(inside(&options, probes[i]), KILLED, "probe %zu", i);
}

static bool is_refused(long result)
{
	return result == -1 && errno == EPERM;
}

static bool others_are_refused(void)
{
	return is_refused(syscall(SYS_getppid)) && is_refused(syscall(SYS_uname, NULL)) &&
		is_refused(syscall(SYS_kill, getpid(), 0)) &&
		is_refused(syscall(SYS_setuid, 0)) && is_refused(syscall(SYS_personality, 0)) &&
		is_refused(syscall(SYS_prctl, 0, 0, 0, 0, 0)) &&
		is_refused(syscall(SYS_ioctl, 0, 0, 0)) && is_refused(fcntl(0, F_DUPFD, 50)) &&
		is_refused(fcntl(0, F_SETFL, 0)) &&
		is_refused(syscall(SYS_symlinkat, "a", -100, "b")) &&
		is_refused(syscall(SYS_tgkill, 1, 1, 0)) &&
		is_refused(syscall(SYS_memfd_create, "x", 0));
}

Test(sandbox, other_calls_are_refused)
{
	const SandboxOptions options = everything();

	need_all_layers();
	cr_assert_eq(inside(&options, others_are_refused), FINE);
}

static bool executable_memory_is_refused(void)
{
	void *plain =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return plain != MAP_FAILED && mprotect(plain, 4096, PROT_READ) == 0 &&
		mprotect(plain, 4096, PROT_READ | PROT_EXEC) == -1 && errno == EPERM &&
		mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		MAP_FAILED;
}

Test(sandbox, memory_never_becomes_executable)
{
	const SandboxOptions options = everything();

	need_all_layers();
	cr_assert_eq(inside(&options, executable_memory_is_refused), FINE);
}

static bool abort_is_an_abort(void)
{
	abort();
}

Test(sandbox, abort_still_ends_the_process_by_its_own_signal)
{
	const SandboxOptions options = everything();
	const pid_t pid = fork();
	int status;

	need_all_layers();
	if (pid == 0) {
		SandboxReport report;
		Error err;

		signal(SIGABRT, SIG_DFL);
		if (sandbox_enter(&options, &report, &err))
			abort_is_an_abort();
		_exit(3);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "status 0x%x", status);
}

static bool getppid_works(void)
{
	return syscall(SYS_getppid) > 0;
}

Test(sandbox, for_development_calls_are_only_logged)
{
	SandboxOptions options = everything();

	need_all_layers();
	options.log_only = true;
	cr_assert_eq(inside(&options, getppid_works), FINE);
}

/*
 * Files.
 */

static bool only_the_folder_is_open(void)
{
	char inner[64];
	int fd;

	snprintf(inner, sizeof(inner), "%s/state", folder);
	if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES)
		return false;
	if (open("/tmp/pvw-elsewhere", O_CREAT | O_WRONLY, 0600) >= 0 || errno != EACCES)
		return false;
	fd = open(inner, O_CREAT | O_RDWR, 0600);
	if (fd < 0 || write(fd, "x", 1) != 1 || ftruncate(fd, 0) != 0)
		return false;
	return unlinkat(AT_FDCWD, inner, 0) == 0;
}

Test(sandbox, files_are_out_of_reach_but_for_its_folders, .init = make_folder,
	.fini = remove_folder)
{
	SandboxOptions options = everything();

	need_all_layers();
	options.folders[0] = folder;
	options.folder_count = 1;
	cr_assert_eq(inside(&options, only_the_folder_is_open), FINE);
}

static bool nothing_is_open(void)
{
	return open("/", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES &&
		open("/proc/self/status", O_RDONLY) < 0;
}

Test(sandbox, without_folders_nothing_can_be_opened)
{
	const SandboxOptions options = everything();

	need_all_layers();
	cr_assert_eq(inside(&options, nothing_is_open), FINE);
}

/*
 * Privileges and limits.
 */

static int status_fd;

/* Every capability set of ours, read from a file that was opened before. */
static bool has_no_privileges(void)
{
	char text[4096];
	const ssize_t n = pread(status_fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return false;
	text[n] = '\0';
	return strstr(text, "CapPrm:\t0000000000000000") &&
		strstr(text, "CapEff:\t0000000000000000") &&
		strstr(text, "CapAmb:\t0000000000000000") && strstr(text, "NoNewPrivs:\t1") &&
		(geteuid() != 0 || strstr(text, "CapBnd:\t0000000000000000"));
}

Test(sandbox, gives_up_its_privileges)
{
	const SandboxOptions options = everything();
	const pid_t pid = fork();
	int status;

	need_all_layers();
	if (pid == 0) {
		SandboxReport report;
		Error err;

		status_fd = open("/proc/self/status", O_RDONLY);
		_exit(sandbox_enter(&options, &report, &err) && has_no_privileges() ? 0 : 1);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
}

Test(sandbox, becomes_another_user_when_told_to)
{
	SandboxOptions options = everything();
	const pid_t pid = geteuid() == 0 ? fork() : -1;
	int status;

	need_all_layers();
	if (pid < 0)
		cr_skip("changing the user needs root");
	options.change_user = true;
	options.user = options.group = 65534;
	if (pid == 0) {
		SandboxReport report;
		char text[4096] = "";
		Error err;

		status_fd = open("/proc/self/status", O_RDONLY);
		if (!sandbox_enter(&options, &report, &err))
			_exit(2);
		(void)!pread(status_fd, text, sizeof(text) - 1, 0);
		_exit(geteuid() == 65534 && strstr(text, "Uid:\t65534\t65534\t65534\t65534") &&
					strstr(text, "Gid:\t65534\t65534\t65534\t65534") &&
					strstr(text, "Groups:\t \n")
				? 0
				: 1);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0, "0x%x", status);
}

static bool descriptors_run_out(void)
{
	for (int i = 0; i < 300; i++) {
		if (openat(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY) < 0)
			return errno == EMFILE;
	}
	return false;
}

Test(sandbox, limits_descriptors, .init = make_folder, .fini = remove_folder)
{
	SandboxOptions options = everything();

	need_all_layers();
	options.folders[0] = folder;
	options.folder_count = 1;
	cr_assert_eq(inside(&options, descriptors_run_out), FINE);
}

static bool files_end(void)
{
	return pwrite(file, "x", 1, 8191) == 1 && pwrite(file, "x", 1, 8192) == -1 &&
		errno == EFBIG;
}

Test(sandbox, limits_files_when_told_to)
{
	SandboxOptions options = everything();

	need_all_layers();
	file = memfd_create("guest", 0);
	options.max_file_bytes = 8192;
	cr_assert_eq(inside(&options, files_end), FINE);
}

/* gcc says it by a macro, clang by a feature. */
#if defined(__has_feature)
#define HAS_CLANG_ASAN __has_feature(address_sanitizer)
#else
#define HAS_CLANG_ASAN 0
#endif

/* A compiler may take for granted that memory which nobody uses is there. */
static bool memory_is_there(void)
{
	void *volatile large = malloc((size_t)600 << 20);
	const bool there = large != NULL;

	free(large);
	return there;
}

static bool memory_ends(void)
{
	return !memory_is_there();
}

Test(sandbox, limits_address_space)
{
	SandboxOptions options = everything();

	need_all_layers();
#if defined(__SANITIZE_ADDRESS__) || HAS_CLANG_ASAN
	cr_skip("a sanitizer needs more address space than any limit allows");
#endif
	cr_assert_eq(inside(&options, memory_ends), FINE);
	options.mapped_bytes = (uint64_t)512 << 20;
	cr_assert_eq(inside(&options, memory_is_there), FINE);
}

Test(sandbox, closes_inherited_descriptors)
{
	const int kept = dup(0), closed = dup(0), high = fcntl(0, F_DUPFD, 200);
	const int keep[] = { high, kept };
	const pid_t pid = fork();
	int status;

	if (pid == 0) {
		sandbox_close_descriptors(keep, 2);
		_exit(fcntl(kept, F_GETFD) >= 0 && fcntl(high, F_GETFD) >= 0 &&
					fcntl(2, F_GETFD) >= 0 && fcntl(closed, F_GETFD) < 0 &&
					fcntl(high + 1, F_GETFD) < 0
				? 0
				: 1);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
}

Test(sandbox, entropy_differs)
{
	uint8_t a[64] = { 0 }, b[64] = { 0 };
	Error err;

	cr_assert(entropy_draw(a, sizeof(a), &err));
	cr_assert(entropy_draw(b, sizeof(b), &err));
	cr_assert_neq(memcmp(a, b, sizeof(a)), 0);
	cr_assert(entropy_draw(a, 0, &err));
}
