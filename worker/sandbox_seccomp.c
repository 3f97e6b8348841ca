/*
 * The system calls of a serving worker, by a list. What is not in it fails with EPERM; what no
 * worker ever has a reason to try ends the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/diagnostics.h"
#include "worker/sandbox_internal.h"

/* Any arguments. */
static const int allowed[] = {
	/* sockets and files that are open; Landlock and limits bound what may be opened */
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendto),
	SCMP_SYS(accept4),
	SCMP_SYS(close),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockopt),
	SCMP_SYS(getpeername),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fsync),
	SCMP_SYS(openat),
	SCMP_SYS(renameat2),
	SCMP_SYS(unlinkat),
	/* the loop and its time; the last two where the kernel's page of clocks does not serve */
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	/* memory, but for what is executable */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(mincore),
	/* the C library, signals, the end */
	SCMP_SYS(futex),
	SCMP_SYS(getrandom),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(geteuid),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* Nobody asks for these by mistake. */
static const int deadly[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(socket),
	SCMP_SYS(socketpair),
	SCMP_SYS(connect),
	SCMP_SYS(bind),
	SCMP_SYS(listen),
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(setns),
	SCMP_SYS(unshare),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(open_by_handle_at),
};

static bool failed(int reason, const char *what, Error *err)
{
	errno = -reason;
	return sandbox_fail(what, err);
}

static bool add_rules(
	scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count, Error *err)
{
	for (size_t i = 0; i < count; i++) {
		/* A call that this machine does not have needs no rule: below zero. */
		const int reason =
			calls[i] < 0 ? 0 : seccomp_rule_add(filter, action, calls[i], 0);

		if (reason != 0)
			return failed(reason, "seccomp_rule_add", err);
	}
	return true;
}

/*
 * Memory that is not executable; memory files that can be sealed, and their seals; signals to
 * ourselves, for abort; descriptors copied, counted.
 */
static bool add_conditions(scmp_filter_ctx filter, Error *err)
{
	const scmp_datum_t ourselves = (scmp_datum_t)getpid();
	const struct {
		int call;
		struct scmp_arg_cmp argument;
	} rows[] = {
		{ SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
		{ SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
		{ SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, ourselves, 0) },
		{ SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_DUPFD_CLOEXEC, 0) },
		{ SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFD, 0) },
		{ SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_ADD_SEALS, 0) },
		{ SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GET_SEALS, 0) },
		{ SCMP_SYS(memfd_create),
			SCMP_A1(SCMP_CMP_EQ, MFD_CLOEXEC | MFD_ALLOW_SEALING, 0) },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const int reason = seccomp_rule_add_array(
			filter, SCMP_ACT_ALLOW, rows[i].call, 1, &rows[i].argument);

		if (reason != 0)
			return failed(reason, "seccomp_rule_add", err);
	}
	return true;
}

static bool fill(scmp_filter_ctx filter, bool log_only, Error *err)
{
	const uint32_t kill = log_only ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS;

	/* The default action is LOG already when only logging. */
	if (!log_only && !add_rules(filter, kill, deadly, ARRAY_COUNT(deadly), err))
		return false;
	return add_rules(filter, SCMP_ACT_ALLOW, allowed, ARRAY_COUNT(allowed), err) &&
		add_conditions(filter, err);
}

bool sandbox_enter_seccomp(const SandboxOptions *options, SandboxReport *report, Error *err)
{
	const uint32_t otherwise = options->log_only ? SCMP_ACT_LOG : SCMP_ACT_ERRNO(EPERM);
	scmp_filter_ctx filter = seccomp_init(otherwise);
	bool entered = false;
	int reason;

	(void)report;
	if (!filter)
		return error_set(err, PVW_SANDBOX_0001, "no seccomp filter can be made");
	/* A binary tree: the list is long, a call is to cost little. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (fill(filter, options->log_only, err)) {
		reason = seccomp_load(filter);
		entered = reason == 0 || failed(reason, "seccomp_load", err);
	}
	seccomp_release(filter);
	return entered;
}
