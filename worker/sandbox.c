/*
 * Layers of the sandbox as a table, entered from first to last.
 */
#include "worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/securebits.h>

#include "support/diagnostics.h"
#include "worker/sandbox_internal.h"

#define OWN_ADDRESS_SPACE ((uint64_t)512 * 1024 * 1024)
#define MAX_DESCRIPTORS 256

/* A sanitizer's shadow needs more address space than any limit allows. */
#if defined(__SANITIZE_ADDRESS__)
#define LIMIT_ADDRESS_SPACE 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIMIT_ADDRESS_SPACE 0
#endif
#endif
#ifndef LIMIT_ADDRESS_SPACE
#define LIMIT_ADDRESS_SPACE 1
#endif

static const char *const mode_names[] = {
	[SANDBOX_REQUIRE] = "require",
	[SANDBOX_BEST_EFFORT] = "best-effort",
	[SANDBOX_OFF] = "off",
};
static_assert(ARRAY_COUNT(mode_names) == SANDBOX_MODE_COUNT, "one name a mode");

bool sandbox_mode_parse(const char *text, SandboxMode *out)
{
	for (size_t i = 0; i < SANDBOX_MODE_COUNT; i++) {
		if (strcmp(mode_names[i], text) == 0) {
			*out = (SandboxMode)i;
			return true;
		}
	}
	return false;
}

const char *sandbox_mode_name(SandboxMode mode)
{
	return (unsigned)mode < SANDBOX_MODE_COUNT ? mode_names[mode] : "off";
}

bool sandbox_fail(const char *what, Error *err)
{
	return error_set(err, PVW_SANDBOX_0002, "%s: %s", what, strerror(errno));
}

static bool is_kept(int fd, const int *keep, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (keep[i] == fd)
			return true;
	}
	return false;
}

void sandbox_close_descriptors(const int *keep, size_t count)
{
	int highest = STDERR_FILENO;

	for (size_t i = 0; i < count; i++)
		highest = keep[i] > highest ? keep[i] : highest;
	for (int fd = STDERR_FILENO + 1; fd < highest; fd++) {
		if (!is_kept(fd, keep, count))
			close(fd);
	}
	(void)syscall(SYS_close_range, (unsigned)highest + 1, ~0U, 0);
}

/*
 * Privileges.
 */

static bool change_user(const SandboxOptions *options, Error *err)
{
	if (!options->change_user)
		return true;
	if (setgroups(0, NULL) != 0)
		return sandbox_fail("setgroups", err);
	if (setresgid(options->group, options->group, options->group) != 0)
		return sandbox_fail("setresgid", err);
	if (setresuid(options->user, options->user, options->user) != 0)
		return sandbox_fail("setresuid", err);
	return true;
}

/* Without the right to drop them (not root) there are none to come by either. */
static bool drop_bounding_set(Error *err)
{
	for (unsigned long cap = 0; cap <= 63; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0 || errno == EPERM)
			continue;
		if (errno == EINVAL) /* above the kernel's last */
			break;
		return sandbox_fail("drop the bounding set", err);
	}
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return true;
}

static bool lock_secure_bits(Error *err)
{
	const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
		SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
		SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
		SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

	if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) != 0 && errno != EPERM)
		return sandbox_fail("lock the secure bits", err);
	return true;
}

static bool clear_capabilities(Error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { 0 };

	if (syscall(SYS_capset, &header, none) != 0)
		return sandbox_fail("clear the capabilities", err);
	return true;
}

static bool enter_privileges(const SandboxOptions *options, SandboxReport *report, Error *err)
{
	(void)report;
	if (!drop_bounding_set(err) || !lock_secure_bits(err) || !change_user(options, err) ||
		!clear_capabilities(err))
		return false;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return sandbox_fail("turn off dumps", err);
	return chdir("/") == 0 || sandbox_fail("leave the folder", err);
}

static bool enter_no_new_privs(const SandboxOptions *options, SandboxReport *report, Error *err)
{
	(void)options;
	(void)report;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 || sandbox_fail("no_new_privs", err);
}

/*
 * Landlock. Debian 12's headers end at ABI 2; what came later is spelled out.
 */

#define FS_TRUNCATE (UINT64_C(1) << 14)  /* ABI 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#define NET_TCP UINT64_C(3)              /* ABI 4: bind, connect */
#define SCOPES UINT64_C(3)               /* ABI 6: abstract sockets, signals */

typedef struct Ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
} Ruleset;

int sandbox_landlock_abi(void)
{
	const long abi =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

/* Every right that this kernel can take away. */
static Ruleset ruleset_of(int abi)
{
	const uint64_t first = (UINT64_C(1) << 13) - 1;
	Ruleset rules = { .fs = first };

	if (abi >= 2)
		rules.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		rules.fs |= FS_TRUNCATE;
	if (abi >= 4)
		rules.net = NET_TCP;
	if (abi >= 5)
		rules.fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		rules.scoped = SCOPES;
	return rules;
}

static size_t ruleset_size(int abi)
{
	if (abi >= 6)
		return sizeof(Ruleset);
	return abi >= 4 ? offsetof(Ruleset, scoped) : offsetof(Ruleset, net);
}

static bool allow_folder(int ruleset, uint64_t rights, const char *folder, Error *err)
{
	const uint64_t wanted = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
		LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
		LANDLOCK_ACCESS_FS_MAKE_REG | FS_TRUNCATE;
	struct landlock_path_beneath_attr rule = { .allowed_access = wanted & rights };
	bool added;

	rule.parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return sandbox_fail(folder, err);
	added = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) ==
		0;
	if (!added)
		sandbox_fail(folder, err);
	close(rule.parent_fd);
	return added;
}

static bool restrict_self(
	int ruleset, uint64_t rights, const SandboxOptions *options, Error *err)
{
	for (size_t i = 0; i < options->folder_count; i++) {
		if (!allow_folder(ruleset, rights, options->folders[i], err))
			return false;
	}
	return syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ||
		sandbox_fail("landlock_restrict_self", err);
}

static bool enter_landlock(const SandboxOptions *options, SandboxReport *report, Error *err)
{
	const int abi = sandbox_landlock_abi();
	const Ruleset rules = ruleset_of(abi);
	long ruleset;
	bool entered;

	report->landlock_abi = abi;
	if (abi == 0)
		return error_set(err, PVW_SANDBOX_0001, "this kernel has no Landlock");
	ruleset = syscall(SYS_landlock_create_ruleset, &rules, ruleset_size(abi), 0);
	if (ruleset < 0)
		return sandbox_fail("landlock_create_ruleset", err);
	entered = restrict_self((int)ruleset, rules.fs, options, err);
	close((int)ruleset);
	return entered;
}

/*
 * Limits.
 */

static bool limit(int resource, const char *name, uint64_t value, Error *err)
{
	struct rlimit old;
	struct rlimit new = { .rlim_cur = value, .rlim_max = value };

	if (getrlimit((__rlimit_resource_t)resource, &old) != 0)
		return sandbox_fail(name, err);
	/* What was lower already stays lower. */
	if (old.rlim_max < new.rlim_max)
		new.rlim_cur = new.rlim_max = old.rlim_max;
	return setrlimit((__rlimit_resource_t)resource, &new) == 0 || sandbox_fail(name, err);
}

static bool enter_limits(const SandboxOptions *options, SandboxReport *report, Error *err)
{
	const uint64_t space = OWN_ADDRESS_SPACE + options->mapped_bytes;

	(void)report;
	if (LIMIT_ADDRESS_SPACE &&
		(!limit(RLIMIT_AS, "RLIMIT_AS", space, err) ||
			!limit(RLIMIT_DATA, "RLIMIT_DATA", space, err)))
		return false;
	/* A write beyond the limit is to be an error, not the end. */
	signal(SIGXFSZ, SIG_IGN);
	if (options->max_file_bytes &&
		!limit(RLIMIT_FSIZE, "RLIMIT_FSIZE", options->max_file_bytes, err))
		return false;
	return limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", MAX_DESCRIPTORS, err) &&
		limit(RLIMIT_NPROC, "RLIMIT_NPROC", 0, err) &&
		limit(RLIMIT_CORE, "RLIMIT_CORE", 0, err) &&
		limit(RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK", 0, err);
}

/*
 * All of them.
 */

static const struct {
	const char *name;
	bool (*enter)(const SandboxOptions *options, SandboxReport *report, Error *err);
} layers[] = {
	[SANDBOX_PRIVILEGES] = { "privileges", enter_privileges },
	[SANDBOX_NO_NEW_PRIVS] = { "no-new-privs", enter_no_new_privs },
	[SANDBOX_LANDLOCK] = { "landlock", enter_landlock },
	[SANDBOX_LIMITS] = { "limits", enter_limits },
	[SANDBOX_SECCOMP] = { "seccomp", sandbox_enter_seccomp },
};
static_assert(ARRAY_COUNT(layers) == SANDBOX_LAYER_COUNT, "one row a layer");

const char *sandbox_layer_name(SandboxLayer layer)
{
	return (unsigned)layer < SANDBOX_LAYER_COUNT ? layers[layer].name : "unknown";
}

/* One more layer that is missing, behind those that are named already. */
static void note_missing(SandboxReport *report, const char *name, const char *why)
{
	const size_t len = strlen(report->missing);

	snprintf(report->missing + len, sizeof(report->missing) - len, "%s%s (%s)",
		len ? ", " : "", name, why);
}

bool sandbox_enter(const SandboxOptions *options, SandboxReport *report, Error *err)
{
	*report = (SandboxReport){ .landlock_abi = sandbox_landlock_abi() };
	if (options->mode == SANDBOX_OFF) {
		note_missing(report, "all layers", "insecure: --sandbox=off");
		return true;
	}
	for (size_t i = 0; i < SANDBOX_LAYER_COUNT; i++) {
		Error why = { 0 };

		report->on[i] = layers[i].enter(options, report, &why);
		if (report->on[i])
			continue;
		note_missing(report, layers[i].name, why.text);
		if (options->mode == SANDBOX_REQUIRE) {
			*err = why;
			return error_wrap(err, "sandbox: %s", layers[i].name);
		}
	}
	report->complete = report->missing[0] == '\0';
	return true;
}
