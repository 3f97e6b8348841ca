/*
 * pvw doctor: what this machine offers a worker and its tests. Nothing is changed, and what is
 * missing is a note: most of pvw works without.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <protobuf-c/protobuf-c.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "host/size_text.h"
#include "worker/entropy.h"
#include "worker/host_caps.h"
#include "worker/sandbox.h"

#define NEEDED_DESCRIPTORS 1024

/* What one look found. */
typedef struct Finding {
	bool ok;
	char text[160];
} Finding;

static Finding found(bool ok, const char *format, ...) PRINTF_LIKE(2, 3);

static Finding found(bool ok, const char *format, ...)
{
	Finding finding = { .ok = ok };
	va_list args;

	va_start(args, format);
	(void)vsnprintf(finding.text, sizeof(finding.text), format, args);
	va_end(args);
	return finding;
}

static Finding look_at_kernel(void)
{
	struct utsname name;

	if (uname(&name) != 0)
		return found(false, "uname: %s", strerror(errno));
	return found(true, "%.40s %.60s on %.20s", name.sysname, name.release, name.machine);
}

static Finding look_at_landlock(void)
{
	const int abi = sandbox_landlock_abi();

	return abi > 0
		? found(true, "ABI %d", abi)
		: found(false, "none: --sandbox require fails, best-effort goes without");
}

static Finding look_at_seccomp(void)
{
	const uint32_t action = SECCOMP_RET_KILL_PROCESS;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		return found(true, "filters, and killing the whole process");
	return found(false, "%s: --sandbox require fails", strerror(errno));
}

static Finding look_at_vsock(void)
{
	const int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned cid = 0;
	int device;

	if (fd < 0)
		return found(
			false, "%s: unix sockets and descriptors are left", strerror(errno));
	close(fd);
	device = open("/dev/vsock", O_RDONLY | O_CLOEXEC);
	if (device < 0)
		return found(true, "sockets, but no /dev/vsock to ask for our address");
	if (ioctl(device, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid) != 0)
		cid = VMADDR_CID_ANY;
	close(device);
	return cid == VMADDR_CID_ANY ? found(true, "sockets without an address of our own")
				     : found(true, "our address is %u", cid);
}

static Finding look_at_memfd(void)
{
	const int fd = memfd_create("doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return found(false, "%s: guest memory needs a file", strerror(errno));
	close(fd);
	return found(true, "guest memory without a name, with seals");
}

static Finding look_at_entropy(void)
{
	uint8_t bytes[8];
	Error err;

	return entropy_draw(bytes, sizeof(bytes), &err)
		? found(true, "the kernel gives it without waiting")
		: found(false, "%.120s", err.text);
}

static Finding look_at_page_size(void)
{
	const long size = sysconf(_SC_PAGESIZE);

	return found(size == 4096, "%ld bytes%s", size,
		size == 4096 ? "" : ": windows must be aligned to it");
}

static Finding look_at_processor(void)
{
	HostCaps caps;
	Error err;

	if (!host_caps_read(&caps, &err))
		return found(false, "%.140s", err.text);
	return found(true, "%s, %u address bits, %s", guest_arch_name(caps.arch),
		caps.physical_address_bits, caps.x2apic ? "x2APIC" : "no x2APIC");
}

static Finding look_at_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return found(false, "getrlimit: %s", strerror(errno));
	return found(limit.rlim_cur >= NEEDED_DESCRIPTORS, "%llu now, %llu at most",
		(unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
}

static Finding look_at_address_space(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_AS, &limit) != 0)
		return found(false, "getrlimit: %s", strerror(errno));
	if (limit.rlim_cur == RLIM_INFINITY)
		return found(true, "not limited");
	return found(false, "%s: large guests may not map", size_text(limit.rlim_cur).text);
}

static Finding look_at_user(void)
{
	if (geteuid() == 0)
		return found(true, "root: serve gives it up in its sandbox");
	return found(true, "user %u, group %u: enough for all but /dev/mshv_vtl_low",
		(unsigned)geteuid(), (unsigned)getegid());
}

static Finding look_at_vtl2_memory(void)
{
	if (access("/dev/mshv_vtl_low", R_OK | W_OK) == 0)
		return found(true, "/dev/mshv_vtl_low: this is VTL2");
	return found(false, "/dev/mshv_vtl_low: %s: not inside VTL2", strerror(errno));
}

static Finding look_at_kvm(void)
{
	if (access("/dev/kvm", R_OK | W_OK) == 0)
		return found(true, "boot tests can be quick");
	return found(false, "/dev/kvm: %s: boot tests emulate", strerror(errno));
}

static Finding look_at_socket_folder(void)
{
	if (access("/run/pvw", W_OK | X_OK) == 0)
		return found(true, "/run/pvw is ours to listen in");
	return found(false, "/run/pvw: %s: make it, or listen elsewhere", strerror(errno));
}

static Finding look_at_libraries(void)
{
	return found(
		true, "protobuf-c %s, jansson %s", protobuf_c_version(), jansson_version_str());
}

static bool is_in_path(const char *program)
{
	const char *path = getenv("PATH");
	char *copy = path ? strdup(path) : NULL, *rest = copy;
	bool there = false;

	for (char *folder = strsep(&rest, ":"); folder && !there;
		folder = rest ? strsep(&rest, ":") : NULL) {
		char file[4096];

		snprintf(file, sizeof(file), "%s/%s", folder, program);
		there = access(file, X_OK) == 0;
	}
	free(copy);
	return there;
}

static Finding look_at_judges(void)
{
	static const char *const programs[] = { "iasl", "dtc", "qemu-system-x86_64", "go" };
	Finding finding = found(true, "%s", "");

	for (size_t i = 0; i < ARRAY_COUNT(programs); i++) {
		const bool there = is_in_path(programs[i]);
		const size_t len = strlen(finding.text);

		snprintf(finding.text + len, sizeof(finding.text) - len, "%s%s%s",
			i ? ", " : "", there ? "" : "no ", programs[i]);
		finding.ok = finding.ok && there;
	}
	return finding;
}

typedef struct DoctorRow {
	const char *name; /* stable */
	Finding (*look)(void);
} DoctorRow;

/* In the order of the output. */
static const DoctorRow rows[] = {
	{ "kernel", look_at_kernel },
	{ "landlock", look_at_landlock },
	{ "seccomp", look_at_seccomp },
	{ "vsock", look_at_vsock },
	{ "memfd", look_at_memfd },
	{ "entropy", look_at_entropy },
	{ "page-size", look_at_page_size },
	{ "processor", look_at_processor },
	{ "descriptors", look_at_descriptors },
	{ "address-space", look_at_address_space },
	{ "user", look_at_user },
	{ "socket-folder", look_at_socket_folder },
	{ "vtl2-memory", look_at_vtl2_memory },
	{ "kvm", look_at_kvm },
	{ "libraries", look_at_libraries },
	{ "judges", look_at_judges },
};

ExitStatus command_doctor(const Invocation *invocation)
{
	const bool json = output_wants_json(invocation);
	json_t *list = json_array();
	Error err;

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const Finding finding = rows[i].look();

		if (json)
			json_array_append_new(list,
				json_pack("{s:s, s:b, s:s}", "name", rows[i].name, "ok",
					finding.ok, "text", finding.text));
		else
			printf("%-4s  %-14s %s\n", finding.ok ? "ok" : "note", rows[i].name,
				finding.text);
	}
	if (!json) {
		json_decref(list);
		return STATUS_DONE;
	}
	return output_json(
		       invocation, "pvw.doctor/1", json_pack("{s:o}", "findings", list), &err)
		? STATUS_DONE
		: report_error(invocation, &err);
}
