/*
 * The whole worker in a process of its own, with clients over socket pairs.
 */
#include "worker/worker.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "host/client.h"
#include "proto/client_core.h"
#include "proto/worker.pb-c.h"
#include "worker/convert.h"
#include "worker/guest.h"

#define PAIRS 2

static Arena *arena;
static Error err;
static char folder[] = "/tmp/pvw-worker-XXXXXX";
static pid_t worker = -1;
static Client *clients[PAIRS];
static int sockets[PAIRS]; /* our ends; the clients have copies */

static void setup(void)
{
	arena = arena_new((size_t)64 * 1024 * 1024);
	cr_assert_not_null(mkdtemp(folder));
}

static void hang_up(int client)
{
	if (!clients[client])
		return;
	client_close(clients[client]);
	clients[client] = NULL;
	close(sockets[client]);
}

static void teardown(void)
{
	char command[64];

	for (int i = 0; i < PAIRS; i++)
		hang_up(i);
	if (worker > 0) {
		kill(worker, SIGKILL);
		waitpid(worker, NULL, 0);
	}
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
	arena_free(arena);
}

TestSuite(worker, .init = setup, .fini = teardown, .timeout = 60);

static const char *file_in_folder(const char *name)
{
	return arena_printf(arena, &err, "%s/%s", folder, name);
}

/* A process that runs the worker with both pairs; the clients are connected. */
static void start(WorkerOptions options)
{
	StreamAddress listen[PAIRS] = { 0 };
	int pairs[PAIRS][2]; /* ours, the worker's */

	for (int i = 0; i < PAIRS; i++) {
		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
		listen[i] = (StreamAddress){ .kind = STREAM_FD, .fd = pairs[i][1] };
	}
	options.listen = listen;
	options.listen_count = PAIRS;
	worker = fork();
	if (worker == 0) {
		Error why = { 0 };

		for (int i = 0; i < PAIRS; i++)
			close(pairs[i][0]);
		if (worker_run(&options, &why))
			_exit(0);
		fprintf(stderr, "%s\n", why.text);
		_exit(1);
	}
	for (int i = 0; i < PAIRS; i++) {
		char address[16];

		close(pairs[i][1]);
		/* The client takes a copy. */
		snprintf(address, sizeof(address), "fd:%d", pairs[i][0]);
		cr_assert(client_open(address, &clients[i], &err), "%s", err.text);
		sockets[i] = pairs[i][0];
	}
}

static WorkerOptions quiet(void)
{
	return (WorkerOptions){ .sandbox = SANDBOX_OFF, .log_path = file_in_folder("log") };
}

/* Exit status of the worker, which is to end by itself. */
static int end_of_worker(void)
{
	int status = -1;

	cr_assert_eq(waitpid(worker, &status, 0), worker);
	worker = -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void *request(const char *method)
{
	return message_new(arena, client_method(method)->input, &err);
}

/* The response, or NULL with `err` set. */
static void *call(int client, const char *method, const void *in)
{
	ProtobufCMessage *out = NULL;

	err = (Error){ 0 };
	return client_call(clients[client], method, in, 20000, arena, &out, &err) ? out : NULL;
}

static void *must(int client, const char *method, const void *in)
{
	void *out = call(client, method, in);

	cr_assert_not_null(out, "%s: %s", method, err.text);
	return out;
}

static void refuse(int client, const char *method, const void *in, DiagnosticId diagnostic)
{
	cr_assert_null(call(client, method, in), "%s is not refused", method);
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
}

static Pvw__V1__LoadBootInfoRequest *boot_info(void)
{
	Pvw__V1__LoadBootInfoRequest *in = request("LoadBootInfo");

	in->arch = PVW__V1__ARCH__ARCH_X86_64;
	in->dtb = convert_bytes_out(guest_tree(arena, (GuestShape){ 0 }));
	in->host_caps = message_new(arena, &pvw__v1__host_caps__descriptor, &err);
	in->host_caps->physical_address_bits = 46;
	return in;
}

static Pvw__V1__LoadRequest *load_request(const Pvw__V1__PlanResponse *plan)
{
	Pvw__V1__LoadRequest *in = request("Load");

	in->plan_digest = plan->plan_digest;
	in->verify_after = 1;
	in->target = message_new(arena, &pvw__v1__target__descriptor, &err);
	in->target->kind_case = PVW__V1__TARGET__KIND_GUEST_MEMORY;
	in->target->guest_memory = 1;
	return in;
}

static const Pvw__V1__PlanResponse *plan(int client)
{
	Pvw__V1__ConfigureRequest *configure = request("Configure");

	configure->settings =
		message_new(arena, &pvw__v1__device_platform_settings__descriptor, &err);
	configure->settings->uefi =
		message_new(arena, &pvw__v1__uefi_settings__descriptor, &err);
	configure->settings->uefi->measure_additional_pcrs = 1;
	must(client, "Configure", configure);
	return must(client, "Plan", request("Plan"));
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/*
 * From the first call to the last.
 */

Test(worker, prepares_a_guest_and_ends_when_told)
{
	WorkerOptions options = quiet();
	const int file = guest_file();
	const Pvw__V1__PlanResponse *planned;
	const Pvw__V1__LoadResponse *loaded;
	Pvw__V1__ShutdownRequest *shutdown = request("Shutdown");

	options.guest_memory = arena_printf(arena, &err, "fd:%d", file);
	start(options);
	must(0, "LoadBootInfo", boot_info());
	planned = plan(0);
	loaded = must(0, "Load", load_request(planned));
	cr_assert_eq(loaded->writes, planned->n_writes);
	for (size_t i = 0; i < planned->n_writes; i++) {
		const Pvw__V1__PlannedWrite *write = planned->writes[i];
		uint8_t *there = arena_array(arena, uint8_t, write->size, &err);
		Digest digest;

		cr_assert_eq(pread(file, there, write->size, (off_t)write->gpa),
			(ssize_t)write->size);
		digest = digest_of((Bytes){ there, write->size });
		cr_assert_arr_eq(digest.bytes, write->sha256.data, DIGEST_SIZE);
	}
	shutdown->why = convert_text_out("the test is over");
	must(0, "Shutdown", shutdown);
	cr_assert_eq(end_of_worker(), 0);
	close(file);
}

Test(worker, ends_on_a_signal)
{
	start(quiet());
	must(0, "Health", request("Health"));
	kill(worker, SIGTERM);
	cr_assert_eq(end_of_worker(), 0);
}

Test(worker, ends_when_its_inherited_connections_do)
{
	start(quiet());
	for (int i = 0; i < PAIRS; i++) {
		must(i, "Health", request("Health"));
		hang_up(i);
	}
	cr_assert_eq(end_of_worker(), 0);
}

Test(worker, gives_the_seat_of_the_driver_to_the_next_one)
{
	const Pvw__V1__HelloRequest *hello;
	Pvw__V1__HelloRequest one = PVW__V1__HELLO_REQUEST__INIT;

	hello = &one;
	one.major_min = one.major_max = 1;
	start(quiet());
	must(0, "LoadBootInfo", boot_info());
	refuse(1, "LoadBootInfo", boot_info(), PVW_SERVICE_0007);
	refuse(1, "Reset", request("Reset"), PVW_SERVICE_0007);
	must(1, "Hello", hello);
	hang_up(0);
	for (int i = 0; i < 100 && !call(1, "Reset", request("Reset")); i++) {
		cr_assert_eq(err.diagnostic, PVW_SERVICE_0007, "%s", err.text);
		usleep(10000);
	}
	must(1, "LoadBootInfo", boot_info());
}

Test(worker, answers_what_a_later_version_serves)
{
	const char *const later[] = { "Save", "Restore" };

	start(quiet());
	for (size_t i = 0; i < ARRAY_COUNT(later); i++)
		refuse(0, later[i], request(later[i]), PVW_SERVICE_0001);
}

/*
 * Long polls.
 */

typedef struct Waiter {
	int client;
	pthread_t thread;
	Arena *arena;
	Pvw__V1__PollEventsRequest in;
	Pvw__V1__PollEventsResponse *out;
	Error err;
	uint64_t took_ms;
} Waiter;

static void *wait_for_events(void *context)
{
	Waiter *waiter = context;
	const uint64_t begun = now_ms();
	ProtobufCMessage *out = NULL;

	if (client_call(clients[waiter->client], "PollEvents", &waiter->in.base, 30000,
		    waiter->arena, &out, &waiter->err))
		waiter->out = (Pvw__V1__PollEventsResponse *)out;
	waiter->took_ms = now_ms() - begun;
	return NULL;
}

static void begin_wait(Waiter *waiter, int client, uint32_t wait_ms)
{
	const Pvw__V1__PollEventsResponse *now =
		must(client, "PollEvents", request("PollEvents"));

	*waiter = (Waiter){ .client = client, .arena = arena_new((size_t)4 * 1024 * 1024) };
	pvw__v1__poll_events_request__init(&waiter->in);
	waiter->in.after_seq = now->next_seq;
	waiter->in.wait_ms = wait_ms;
	cr_assert_eq(pthread_create(&waiter->thread, NULL, wait_for_events, waiter), 0);
	usleep(100000);
}

static void end_wait(Waiter *waiter)
{
	pthread_join(waiter->thread, NULL);
	cr_assert_not_null(waiter->out, "%s", waiter->err.text);
}

Test(worker, wakes_a_poll_when_the_state_changes)
{
	Waiter waiter;
	bool found = false;

	start(quiet());
	begin_wait(&waiter, 1, 20000);
	must(0, "LoadBootInfo", boot_info());
	end_wait(&waiter);
	cr_assert_lt(waiter.took_ms, 10000);
	for (size_t i = 0; i < waiter.out->n_events; i++)
		found |= waiter.out->events[i]->state ==
			PVW__V1__WORKER_STATE__WORKER_STATE_BOOT_INFO;
	cr_assert(found);
	arena_free(waiter.arena);
}

Test(worker, answers_a_poll_with_nothing_when_its_time_is_up)
{
	Waiter waiter;

	start(quiet());
	begin_wait(&waiter, 1, 300);
	end_wait(&waiter);
	cr_assert_eq(waiter.out->n_events, 0);
	cr_assert_eq(waiter.out->next_seq, waiter.in.after_seq);
	cr_assert_geq(waiter.took_ms, 290);
	arena_free(waiter.arena);
}

Test(worker, serves_other_calls_while_a_poll_waits)
{
	Waiter waiter;

	start(quiet());
	begin_wait(&waiter, 1, 2000);
	for (int i = 0; i < 100; i++)
		must(0, "Health", request("Health"));
	end_wait(&waiter);
	cr_assert_geq(waiter.took_ms, 1900, "Health is no event");
	arena_free(waiter.arena);
}

Test(worker, answers_polls_before_it_ends)
{
	Waiter waiter;
	bool found = false;

	start(quiet());
	begin_wait(&waiter, 1, 20000);
	must(0, "Shutdown", request("Shutdown"));
	end_wait(&waiter);
	for (size_t i = 0; i < waiter.out->n_events; i++)
		found |= waiter.out->events[i]->state ==
			PVW__V1__WORKER_STATE__WORKER_STATE_STOPPING;
	cr_assert(found, "it says that it stops");
	cr_assert_eq(end_of_worker(), 0);
	arena_free(waiter.arena);
}

/* Two calls at once: by hand, as the client makes one at a time. */
Test(worker, lets_a_second_poll_of_a_connection_replace_the_first)
{
	Pvw__V1__PollEventsRequest poll = PVW__V1__POLL_EVENTS_REQUEST__INIT;
	ClientCore *core = client_core_new(arena, &err);
	const char *const service = pvw__v1__worker__descriptor.name;
	uint32_t streams[2], answered[2];
	ClientAnswer answer;
	int answers = 0;

	start(quiet());
	poll.wait_ms = 300;
	poll.after_seq =
		((Pvw__V1__PollEventsResponse *)must(0, "PollEvents", request("PollEvents")))
			->next_seq;
	for (size_t i = 0; i < 2; i++)
		cr_assert(client_core_call(
			core, service, "PollEvents", &poll.base, 0, &streams[i], &err));

	const Bytes output = client_core_output(core);

	cr_assert_eq(write(sockets[1], output.data, output.len), (ssize_t)output.len);
	while (answers < 2) {
		uint8_t buffer[4096];
		const ssize_t n = read(sockets[1], buffer, sizeof(buffer));

		cr_assert_gt(n, 0);
		client_core_feed(core, (Bytes){ buffer, (size_t)n });
		while (client_core_next(core, &answer) == CLIENT_ANSWER) {
			cr_assert_eq(answer.status, 0);
			cr_assert_lt(answers, 2);
			answered[answers++] = answer.stream;
		}
	}
	/* The first at once, the second when its time was up. */
	cr_assert_arr_eq(answered, streams, sizeof(streams));
	client_core_end(core);
}

/*
 * Sandbox and files.
 */

static bool file_has(const char *path, const char *word)
{
	static char text[65536];
	const int fd = open(path, O_RDONLY);
	const ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (len < 0)
		return false;
	text[len] = '\0';
	return strstr(text, word) != NULL;
}

Test(worker, does_all_its_work_behind_the_sandbox)
{
	WorkerOptions options = quiet();
	const int file = guest_file();
	const Pvw__V1__HealthResponse *health;

	options.sandbox = SANDBOX_BEST_EFFORT;
	options.guest_memory = arena_printf(arena, &err, "fd:%d", file);
	start(options);
	must(0, "LoadBootInfo", boot_info());
	must(0, "Load", load_request(plan(0)));
	must(0, "Metrics", request("Metrics"));
	must(0, "PollEvents", request("PollEvents"));
	health = must(0, "Health", request("Health"));
	cr_assert_gt(health->rss_bytes, 0);
	cr_assert_gt(health->open_fds, 2);
	cr_assert(health->ready);
	if (!health->sandboxed)
		cr_assert(file_has(options.log_path, "WARN sandbox: without "));
	must(0, "Shutdown", request("Shutdown"));
	cr_assert_eq(end_of_worker(), 0);
	close(file);
}

/* The path is relative, the sandbox has left the folder, and the file was moved away. */
Test(worker, opens_its_log_again_behind_the_sandbox)
{
	WorkerOptions options = quiet();

	cr_assert_eq(chdir(folder), 0);
	options.sandbox = SANDBOX_BEST_EFFORT;
	options.log_path = "own.log";
	start(options);
	must(0, "Health", request("Health"));
	cr_assert(file_has("own.log", "INFO worker: pvw"));
	cr_assert_eq(rename("own.log", "old.log"), 0);
	kill(worker, SIGHUP);
	for (int i = 0; i < 500 && access("own.log", F_OK) != 0; i++)
		usleep(10000);
	must(0, "LoadBootInfo", boot_info());
	cr_assert(file_has("own.log", "EMPTY -> BOOT_INFO"));
	cr_assert_not(file_has("old.log", "EMPTY -> BOOT_INFO"));
}

Test(worker, says_insecure_when_the_sandbox_is_off)
{
	WorkerOptions options = quiet();

	start(options);
	must(0, "Health", request("Health"));
	cr_assert(file_has(options.log_path, "insecure"));
}

/*
 * Inside VTL2.
 */

static const char *write_file(const char *name, Bytes bytes)
{
	const char *path = file_in_folder(name);
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert_eq(write(fd, bytes.data, bytes.len), (ssize_t)bytes.len);
	close(fd);
	return path;
}

static WorkerOptions inside(GuestShape shape, int file)
{
	WorkerOptions options = quiet();

	options.boot_info = write_file("tree", guest_tree(arena, shape));
	options.guest_memory = arena_printf(arena, &err, "/proc/self/fd/%d", file);
	return options;
}

static void put_slit(int file, uint64_t gpa, uint8_t extra)
{
	uint8_t slit[45] = { 'S', 'L', 'I', 'T', sizeof(slit), [36] = 1, [44] = 10 };
	uint8_t sum = 0;

	for (size_t i = 0; i < sizeof(slit); i++)
		sum = (uint8_t)(sum + slit[i]);
	slit[9] = (uint8_t)(extra - sum);
	cr_assert_eq(pwrite(file, slit, sizeof(slit), (off_t)gpa), (ssize_t)sizeof(slit));
}

Test(worker, begins_with_the_boot_info_inside_vtl2)
{
	Pvw__V1__HelloRequest hello = PVW__V1__HELLO_REQUEST__INIT;
	const Pvw__V1__HelloResponse *greeting;
	const Pvw__V1__PlanResponse *planned;
	const Pvw__V1__ResetResponse *reset;
	Pvw__V1__LoadRequest *load;
	Pvw__V1__MemoryWindow vtl2 = PVW__V1__MEMORY_WINDOW__INIT, *windows[] = { &vtl2 };
	const int file = guest_file();

	put_slit(file, GUEST_CONFIG, 0);
	start(inside((GuestShape){ 0 }, file));
	hello.major_max = 1;
	greeting = must(0, "Hello", &hello);
	cr_assert_eq(greeting->state, PVW__V1__WORKER_STATE__WORKER_STATE_BOOT_INFO);
	refuse(0, "LoadBootInfo", boot_info(), PVW_SESSION_0001);
	planned = plan(0);
	load = load_request(planned);
	vtl2.gpa = vtl2.offset = 0x10000000;
	vtl2.size = 0x1000;
	load->target->windows = windows;
	load->target->n_windows = 1;
	refuse(0, "Load", load, PVW_GUEST_0006);
	load->target->n_windows = 0;
	must(0, "Load", load);
	reset = must(0, "Reset", request("Reset"));
	cr_assert_eq(reset->state, PVW__V1__WORKER_STATE__WORKER_STATE_BOOT_INFO);
	close(file);
}

Test(worker, is_filtered_when_the_boot_tree_says_isolated)
{
	const Pvw__V1__HealthResponse *health;
	const int file = guest_file();
	WorkerOptions options = inside((GuestShape){ .isolation = "snp" }, file);

	start(options);
	health = must(0, "Health", request("Health"));
	cr_assert(health->confidential_filter);
	refuse(0, "Plan", request("Plan"), PVW_SESSION_0001);
	cr_assert(file_has(options.log_path, "PVW-SESSION-0001"));
	cr_assert_not(file_has(options.log_path, "Plan in state"));
	close(file);
}

Test(worker, is_not_filtered_when_the_boot_tree_says_so)
{
	const Pvw__V1__HealthResponse *health;
	const int file = guest_file();
	WorkerOptions options = inside((GuestShape){ 0 }, file);

	start(options);
	health = must(0, "Health", request("Health"));
	cr_assert_not(health->confidential_filter);
	refuse(0, "Plan", request("Plan"), PVW_SESSION_0001);
	cr_assert(file_has(options.log_path, "Plan in state"));
	close(file);
}

/*
 * Starts that fail, in this process.
 */

static void refuse_start(WorkerOptions options, DiagnosticId diagnostic, const char *word)
{
	err = (Error){ 0 };
	cr_assert_not(worker_run(&options, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
}

Test(worker, does_not_start_without_its_boot_tree)
{
	const int file = guest_file();
	WorkerOptions options = inside((GuestShape){ 0 }, file);
	uint8_t *large = arena_array(arena, uint8_t, BOOT_INFO_MAX_DTB + 1, &err);

	options.boot_info = file_in_folder("no-such-file");
	refuse_start(options, PVW_WORKER_0001, "no-such-file");
	options.boot_info = folder;
	refuse_start(options, PVW_WORKER_0001, folder);
	options.boot_info = write_file("large", (Bytes){ large, BOOT_INFO_MAX_DTB + 1 });
	refuse_start(options, PVW_WORKER_0002, "262144");
	options.boot_info = write_file("zeros", (Bytes){ large, 100 });
	cr_assert_not(worker_run(&options, &err));
	cr_assert_not_null(strstr(err.text, "zeros"), "%s", err.text);
	close(file);
}

Test(worker, does_not_start_with_damaged_parameter_pages)
{
	const int file = guest_file();
	WorkerOptions options = inside((GuestShape){ 0 }, file);

	put_slit(file, GUEST_CONFIG, 1);
	refuse_start(options, PVW_PARAM_0003, "parameter pages");
	put_slit(file, 0x2000000, 1);
	options.has_parameters = true;
	options.parameters = (MemoryRange){ 0x2000000, 0x2028000 };
	refuse_start(options, PVW_PARAM_0003, "parameter pages");
	close(file);
}

Test(worker, does_not_start_without_what_it_was_told_to_use)
{
	const StreamAddress nowhere = { .kind = STREAM_UNIX, .path = "/proc/no/such/socket" };
	WorkerOptions options = quiet();

	options.guest_memory = file_in_folder("no-memory");
	refuse_start(options, PVW_GUEST_0001, "no-memory");
	options.guest_memory = NULL;
	options.log_path = file_in_folder("no/such/folder/log");
	refuse_start(options, PVW_WORKER_0001, "no/such/folder");
	options.log_path = file_in_folder("log");
	options.log_filter = "loud";
	refuse_start(options, PVW_LOG_0001, "loud");
	options.log_filter = NULL;
	options.listen = &nowhere;
	options.listen_count = 1;
	cr_assert_not(worker_run(&options, &err));
}
