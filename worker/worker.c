/*
 * The worker process: open everything, close the door, serve, and say why it ended.
 */
#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/version.h"
#include "worker/host_caps.h"
#include "worker/machine.h"
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
	SandboxReport sandbox;
} Worker;

/* What the boot tree and its pages need while they are read, bytes. */
#define START_ARENA_LIMIT ((size_t)4 * 1024 * 1024)

static bool open_log(Worker *worker, Error *err)
{
	const WorkerOptions *options = worker->options;
	const LogOptions log = {
		.fd = options->log_path ? -1 : STDERR_FILENO,
		.path = options->log_path,
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

static bool open_all(Worker *worker, Error *err)
{
	worker->events = events_new();
	if (!worker->events)
		return error_set(err, PVW_MEM_0001, "no memory for events");
	machine_watch();
	return open_log(worker, err) && open_guest_memory(worker, err) &&
		open_service(worker, err) && open_server(worker, err) &&
		take_boot_info_if_inside(worker, err);
}

static void close_all(Worker *worker)
{
	server_free(worker->server);
	events_on_add(worker->events, NULL, NULL);
	service_free(worker->service);
	if (worker->guest_fd >= 0)
		close(worker->guest_fd);
	log_free(worker->log);
	events_free(worker->events);
}

static bool serve(Worker *worker, Error *err)
{
	bool ok;

	if (!sandbox_enter(worker->options->sandbox, &worker->sandbox, err))
		return false;
	service_guard(worker->service, worker->sandbox.complete);
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
