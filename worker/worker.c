/*
 * The worker process: open everything, close the door, serve, and say why it ended.
 */
#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/version.h"
#include "worker/guest_map.h"
#include "worker/host_caps.h"
#include "worker/measured.h"
#include "worker/parameters.h"
#include "worker/service.h"

/* Everything that is opened; closed in the opposite order. */
typedef struct Worker {
	const WorkerOptions *options;
	Events *events;
	Log *log;
	int guest_fd;
	Service *service;
	Server *server;
	const MethodTable *tables[1];
	char *log_path; /* absolute */
	char *folders[SANDBOX_MAX_FOLDERS];
	size_t folder_count;
} Worker;

/* What the boot tree and its pages need while they are read, bytes. */
#define START_ARENA_LIMIT ((size_t)4 * 1024 * 1024)
/* A log may grow to this; guest memory, to its size; a blob, to what all may take. */
#define MAX_FILE_BYTES ((uint64_t)1024 * 1024 * 1024)

static_assert(SERVER_MAX_LISTENERS + 1 <= SANDBOX_MAX_FOLDERS, "of the sockets and the log");

/*
 * Folders in which the worker still makes, opens or removes files once it serves. It leaves the
 * folder it was started in, so their paths are made absolute.
 */

/* The folder of a file's path, kept; NULL if there is none. */
static const char *keep_folder(Worker *worker, const char *path)
{
	const char *slash = strrchr(path, '/');
	const int len = slash == path ? 1 : slash ? (int)(slash - path) : 1;
	char *folder = NULL;
	char *absolute = NULL;

	if (asprintf(&folder, "%.*s", len, slash ? path : ".") < 0)
		return NULL;
	absolute = realpath(folder, NULL);
	free(folder);
	if (absolute)
		worker->folders[worker->folder_count++] = absolute;
	return absolute;
}

static bool keep_socket_folders(Worker *worker, Error *err)
{
	for (size_t i = 0; i < worker->options->listen_count; i++) {
		const StreamAddress *address = &worker->options->listen[i];

		if (address->kind == STREAM_UNIX && !keep_folder(worker, address->path))
			return error_set(
				err, PVW_WORKER_0001, "%s: %s", address->path, strerror(errno));
	}
	return true;
}

static bool keep_log_path(Worker *worker, Error *err)
{
	const char *path = worker->options->log_path;
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *folder;

	if (!path)
		return true;
	folder = keep_folder(worker, path);
	if (!folder ||
		asprintf(&worker->log_path, "%s/%s", folder, slash ? slash + 1 : path) < 0)
		return error_set(err, PVW_WORKER_0001, "%s: %s", path, strerror(errno));
	return true;
}

static bool open_log(Worker *worker, Error *err)
{
	const WorkerOptions *options = worker->options;
	const LogOptions log = {
		.fd = worker->log_path ? -1 : STDERR_FILENO,
		.path = worker->log_path,
		.json = options->log_json,
		/* Inside VTL2 the boot tree will say; until then nothing confidential passes. */
		.filtered = options->boot_info || isolation_is_isolated(options->isolation),
		.filter = options->log_filter,
		.events = worker->events,
	};

	return log_new(&log, &worker->log, err);
}

static bool open_guest_memory(Worker *worker, Error *err)
{
	if (!worker->options->guest_memory)
		return true;
	return guest_memory_open_fd(worker->options->guest_memory, &worker->guest_fd, err);
}

static bool open_service(Worker *worker, Error *err)
{
	const WorkerOptions *options = worker->options;
	const ServiceOptions service = {
		.session = {
			.isolation = options->isolation,
			.isolation_from_tree = options->boot_info != NULL,
			.guest_fd = worker->guest_fd,
			.windows = options->windows,
			.window_count = options->window_count,
			.blob_bytes = options->blob_bytes,
			.narrow_only = options->boot_info != NULL,
		},
		.events = worker->events,
		.log = worker->log,
	};

	return service_new(&service, &worker->service, err);
}

static bool open_server(Worker *worker, Error *err)
{
	const WorkerOptions *options = worker->options;
	ServerOptions server = {
		.listen = options->listen,
		.listen_count = options->listen_count,
		.callbacks = service_callbacks(worker->service),
		.log = worker->log,
		.own_signals = true,
	};

	worker->tables[0] = service_methods();
	server.tables = (MethodTableList){ worker->tables, ARRAY_COUNT(worker->tables) };
	for (size_t i = 0; i < options->user_count && i < SERVER_MAX_USERS; i++)
		server.users[server.user_count++] = options->users[i];
	if (!server_new(&server, &worker->server, err))
		return false;
	service_attach(worker->service, worker->server);
	return true;
}

/*
 * Inside VTL2: boot tree, parameter pages and processor instead of a host's request.
 */

static bool read_boot_tree(const char *path, Arena *arena, Bytes *out, Error *err)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *data = arena_array(arena, uint8_t, BOOT_INFO_MAX_DTB + 1, err);
	size_t len = 0;
	ssize_t got = 0;

	if (fd < 0)
		return error_set(err, PVW_WORKER_0001, "%s: %s", path, strerror(errno));
	while (data && len <= BOOT_INFO_MAX_DTB &&
		(got = read(fd, data + len, BOOT_INFO_MAX_DTB + 1 - len)) > 0)
		len += (size_t)got;
	close(fd);
	if (!data)
		return false;
	if (got < 0)
		return error_set(err, PVW_WORKER_0001, "%s: %s", path, strerror(errno));
	if (len > BOOT_INFO_MAX_DTB)
		return error_set(err, PVW_WORKER_0002, "%s: more than %d bytes, expected less",
			path, BOOT_INFO_MAX_DTB);
	*out = (Bytes){ data, len };
	return true;
}

/* The pages lie in VTL2's memory, at offset = guest address, and are only read. */
static bool read_parameters(
	Worker *worker, uint64_t gpa, uint64_t len, Arena *arena, Parameters *out, Error *err)
{
	const GuestWindow window = { gpa, len, gpa };
	GuestMemory *memory = NULL;
	const int fd = fcntl(worker->guest_fd, F_DUPFD_CLOEXEC, 0);
	bool ok;

	if (fd < 0)
		return error_set(err, PVW_WORKER_0001, "guest memory: %s", strerror(errno));
	ok = guest_memory_new(fd, &window, 1, &memory, err) &&
		parameters_read(memory, gpa, arena, out, err);
	guest_memory_free(memory);
	return ok;
}

/* Where the tree says that they are, unless the command line does. */
static bool find_parameters(const Worker *worker, const BootInfo *info, MemoryRange *out)
{
	if (worker->options->has_parameters) {
		*out = worker->options->parameters;
		return true;
	}
	if (info->config.count == 0)
		return false;
	*out = info->config.items[0];
	return true;
}

/*
 * The tree says where the pages are, and the pages belong to the facts: so the tree is taken
 * twice, the second time with them.
 */
static bool take_boot_info(Worker *worker, Arena *arena, Error *err)
{
	Session *session = service_session(worker->service);
	Parameters parameters = { 0 };
	MemoryRange pages;
	Diagnostics findings;
	FactInputs facts = { 0 };
	HostCaps caps;

	if (!diagnostics_init(&findings, SESSION_MAX_FINDINGS, arena, err) ||
		!read_boot_tree(worker->options->boot_info, arena, &facts.boot_tree, err) ||
		!host_caps_read(&caps, err))
		return false;
	facts.arch = caps.arch;
	facts.physical_address_bits = caps.physical_address_bits;
	facts.vps_per_socket = caps.vps_per_socket;
	facts.smt = caps.smt;
	facts.x2apic = caps.x2apic;
	if (!session_load_boot_info(session, &facts, &findings, err))
		return error_wrap(err, "%s", worker->options->boot_info);

	if (worker->guest_fd >= 0 &&
		find_parameters(worker, &session_facts(session)->info, &pages)) {
		if (!read_parameters(worker, pages.start, memory_range_len(pages), arena,
			    &parameters, err))
			return error_wrap(err, "parameter pages");
		if (!measured_read(worker->guest_fd, &session_facts(session)->info, pages.start,
			    arena, &facts.measured, err))
			return error_wrap(err, "measured pages");
		facts.slit = parameters.slit;
		facts.pptt = parameters.pptt;
		if (!session_load_boot_info(session, &facts, &findings, err))
			return error_wrap(err, "%s", worker->options->boot_info);
	}
	session_keep_boot_info(session);
	return true;
}

static bool take_boot_info_if_inside(Worker *worker, Error *err)
{
	Arena *arena;
	bool ok;

	if (!worker->options->boot_info)
		return true;
	arena = arena_new(START_ARENA_LIMIT);
	if (!arena)
		return error_set(err, PVW_MEM_0001, "no memory to read the boot tree");
	ok = take_boot_info(worker, arena, err);
	arena_free(arena);
	return ok;
}

/*
 * Start and end.
 */

/* What was handed to us on purpose stays open, nothing else. */
static void close_inherited(const WorkerOptions *options)
{
	int keep[SERVER_MAX_LISTENERS + 1];
	size_t count = 0;

	if (options->sandbox == SANDBOX_OFF)
		return;
	for (size_t i = 0; i < options->listen_count; i++) {
		if (options->listen[i].kind == STREAM_FD)
			keep[count++] = options->listen[i].fd;
	}
	/* What is no number is refused when it is opened. */
	if (options->guest_memory && strncmp(options->guest_memory, "fd:", 3) == 0)
		keep[count++] = atoi(options->guest_memory + 3);
	sandbox_close_descriptors(keep, count);
}

static bool open_all(Worker *worker, Error *err)
{
	umask(077);
	close_inherited(worker->options);
	worker->events = events_new();
	if (!worker->events)
		return error_set(err, PVW_MEM_0001, "no memory for events");
	return keep_log_path(worker, err) && open_log(worker, err) &&
		open_guest_memory(worker, err) && open_service(worker, err) &&
		open_server(worker, err) && keep_socket_folders(worker, err) &&
		take_boot_info_if_inside(worker, err);
}

static void close_all(Worker *worker)
{
	if (worker->events)
		events_on_add(worker->events, NULL, NULL);
	server_free(worker->server);
	service_free(worker->service);
	if (worker->guest_fd >= 0)
		close(worker->guest_fd);
	log_free(worker->log);
	events_free(worker->events);
	for (size_t i = 0; i < worker->folder_count; i++)
		free(worker->folders[i]);
	free(worker->log_path);
}

static uint64_t blob_bytes(const Worker *worker)
{
	return blob_store_limit(session_blobs(service_session(worker->service)));
}

/*
 * A device has no size, and writing to it no limit. A file that is empty yet will be as large as
 * the guest, whose size is not known: 0 is no limit. A blob is a file too.
 */
static uint64_t max_file_bytes(const Worker *worker)
{
	const uint64_t blobs = blob_bytes(worker);
	const uint64_t least = blobs > MAX_FILE_BYTES ? blobs : MAX_FILE_BYTES;
	struct stat guest;

	if (worker->guest_fd < 0 || fstat(worker->guest_fd, &guest) != 0 ||
		!S_ISREG(guest.st_mode))
		return least;
	if (guest.st_size == 0)
		return 0;
	return (uint64_t)guest.st_size > least ? (uint64_t)guest.st_size : least;
}

static bool enter_sandbox(Worker *worker, Error *err)
{
	SandboxOptions options = {
		.mode = worker->options->sandbox,
		.folder_count = worker->folder_count,
		.mapped_bytes = blob_bytes(worker) + 2 * GUEST_MAP_MAX,
		.max_file_bytes = max_file_bytes(worker),
	};
	SandboxReport report;

	for (size_t i = 0; i < worker->folder_count; i++)
		options.folders[i] = worker->folders[i];
	if (!sandbox_enter(&options, &report, err))
		return false;
	service_guard(worker->service, report.complete);
	if (!report.complete)
		log_line(worker->log, LOG_LEVEL_WARN, LOG_CLASS_ALLOWED, "sandbox",
			"without %s", report.missing);
	return true;
}

static bool serve(Worker *worker, Error *err)
{
	bool ok;

	if (!enter_sandbox(worker, err))
		return false;
	log_set_filtered(worker->log, service_is_filtered(worker->service));
	log_line(worker->log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, "worker",
		"pvw %s (%s) pid %d, sandbox %s", PVW_VERSION, PVW_REVISION, (int)getpid(),
		sandbox_mode_name(worker->options->sandbox));
	ok = server_run(worker->server, err);
	log_line(worker->log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, "worker", "ends: %s",
		ok ? server_stop_reason(worker->server) : "the event loop failed");
	return ok;
}

bool worker_run(const WorkerOptions *options, Error *err)
{
	Worker worker = { .options = options, .guest_fd = -1 };
	const bool ok = open_all(&worker, err) && serve(&worker, err);

	close_all(&worker);
	return ok;
}
