/*
 * The server over real sockets: its loop runs in a thread, the test is the client.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helpers/rpc_probe.h"
#include "support/diagnostics.h"
#include "worker/server.h"

#define PATIENCE_MS 10000 /* for what must come */

/* A service with one method for each way to serve. */
typedef struct Service {
	Server *server;
	CallHandle kept[256];
	size_t kept_count;
	size_t calls, gone, waited, woken, stopping, signals;
	uint8_t *large;
} Service;

static void answer_poll(Service *service, CallHandle call, uint64_t next_seq)
{
	Pvw__V1__PollEventsResponse response;

	pvw__v1__poll_events_response__init(&response);
	response.next_seq = next_seq;
	server_answer(service->server, call, &response.base);
}

static void answer_all(Service *service, uint64_t next_seq)
{
	for (size_t i = 0; i < service->kept_count; i++)
		answer_poll(service, service->kept[i], next_seq);
	service->kept_count = 0;
}

static const ProtobufCMessage *new_message(
	const ServerRequest *request, const ProtobufCMessageDescriptor *type)
{
	Error err;
	ProtobufCMessage *message = arena_alloc(request->arena, type->sizeof_message, 16, &err);

	type->message_init(message);
	return message;
}

static bool keep(Service *service, const ServerRequest *request)
{
	const Pvw__V1__PollEventsRequest *poll = request->message;

	service->kept[service->kept_count++] = request->handle;
	if (poll->wait_ms)
		server_wait(service->server, request->handle, poll->wait_ms);
	return true;
}

static bool give_large(Service *service, const ServerRequest *request,
	const ProtobufCMessage **response, Error *err)
{
	const Pvw__V1__GetArtifactRequest *get = request->message;
	Pvw__V1__GetArtifactResponse *out =
		arena_array(request->arena, Pvw__V1__GetArtifactResponse, 1, err);
	Pvw__V1__Blob *blob = arena_array(request->arena, Pvw__V1__Blob, 1, err);

	pvw__v1__get_artifact_response__init(out);
	pvw__v1__blob__init(blob);
	blob->data = (ProtobufCBinaryData){ get->max_bytes, service->large };
	out->chunk = blob;
	*response = &out->base;
	return true;
}

static bool serve(void *context, const ServerRequest *request,
	const ProtobufCMessage **response, Error *err)
{
	Service *service = context;
	const char *name = method_row(request->method)->name;

	service->calls++;
	if (strcmp(name, "PollEvents") == 0)
		return keep(service, request);
	if (strcmp(name, "GetArtifact") == 0)
		return give_large(service, request, response, err);
	if (strcmp(name, "SetLogFilter") == 0)
		return error_set(err, PVW_LOG_0001, "refused on purpose");
	if (strcmp(name, "Save") == 0)
		usleep(50000);
	if (strcmp(name, "Reset") == 0)
		server_wake(service->server);
	if (strcmp(name, "Shutdown") == 0) {
		const Pvw__V1__ShutdownRequest *shutdown = request->message;

		server_stop(service->server, shutdown->drain_ms, "asked to");
	}
	*response = new_message(request, method_output(request->method));
	return true;
}

static void on_gone(void *context, CallHandle call)
{
	Service *service = context;

	service->gone++;
	for (size_t i = 0; i < service->kept_count; i++) {
		if (service->kept[i].call.ticket == call.call.ticket &&
			service->kept[i].connection == call.connection)
			service->kept[i] = service->kept[--service->kept_count];
	}
}

static void on_waited(void *context, CallHandle call)
{
	Service *service = context;

	service->waited++;
	answer_poll(service, call, 77);
}

static void on_woken(void *context)
{
	Service *service = context;

	service->woken++;
	answer_all(service, 88);
}

static void on_stopping(void *context, const char *why)
{
	Service *service = context;

	(void)why;
	service->stopping++;
}

static void on_stopping_answers(void *context, const char *why)
{
	on_stopping(context, why);
	answer_all(context, 99);
}

static void on_signalled(void *context, int number)
{
	Service *service = context;

	(void)number;
	service->signals++;
}

/*
 * The rig.
 */

typedef struct Rig {
	char folder[32];
	StreamAddress address;
	Service service;
	Server *server;
	pthread_t thread;
	bool started;
	ServerCounts counts; /* at the end */
} Rig;

static void *run(void *context)
{
	Error err;

	cr_assert(server_run(context, &err), "%s", err.text);
	return NULL;
}

static ServerOptions rig_options(Rig *rig)
{
	static const MethodTable *tables[1];

	tables[0] = probe_table();
	strcpy(rig->folder, "/tmp/pvw-XXXXXX");
	cr_assert_not_null(mkdtemp(rig->folder));
	rig->address = (StreamAddress){ .kind = STREAM_UNIX };
	snprintf(rig->address.path, sizeof(rig->address.path), "%s/s", rig->folder);
	rig->service.large = calloc(1, FRAME_MAX_DATA);
	return (ServerOptions){
		.listen = &rig->address,
		.listen_count = 1,
		.tables = { tables, 1 },
		.callbacks = { .service = &rig->service,
			.call = serve,
			.waited = on_waited,
			.gone = on_gone,
			.woken = on_woken,
			.stopping = on_stopping,
			.signalled = on_signalled },
	};
}

static void rig_open(Rig *rig, const ServerOptions *options)
{
	Error err;

	cr_assert(server_new(options, &rig->server, &err), "%s", err.text);
	rig->service.server = rig->server;
}

static void rig_start(Rig *rig, const ServerOptions *options)
{
	rig_open(rig, options);
	cr_assert_eq(pthread_create(&rig->thread, NULL, run, rig->server), 0);
	rig->started = true;
}

static void rig_start_plain(Rig *rig)
{
	const ServerOptions options = rig_options(rig);

	rig_start(rig, &options);
}

static int dial(const Rig *rig)
{
	int fd;
	Error err;

	cr_assert(stream_dial(&rig->address, &fd, &err), "%s", err.text);
	return fd;
}

static void send_all(int fd, const void *data, size_t len)
{
	for (const uint8_t *at = data; len > 0;) {
		const ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		cr_assert_gt(n, 0, "send: %s", strerror(errno));
		at += n;
		len -= (size_t)n;
	}
}

static void call_on(int fd, ProbeCall call)
{
	Probe p = { 0 };

	probe_call(&p, call);
	send_all(fd, p.data, p.len);
	probe_free(&p);
}

/* True if something can be read, or the end. */
static bool can_read(int fd, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, wait_ms) > 0;
}

static void read_exactly(int fd, uint8_t *to, size_t len)
{
	while (len > 0) {
		cr_assert(can_read(fd, PATIENCE_MS), "nothing came");

		const ssize_t n = recv(fd, to, len, 0);

		cr_assert_gt(n, 0, "the connection ended");
		to += n;
		len -= (size_t)n;
	}
}

static ProbeAnswer answer_on(int fd)
{
	uint8_t header[10];

	read_exactly(fd, header, sizeof(header));

	const size_t len =
		(size_t)header[0] << 24 | header[1] << 16 | header[2] << 8 | header[3];
	uint8_t *frame = malloc(10 + len);

	memcpy(frame, header, 10);
	read_exactly(fd, frame + 10, len);

	const ProbeAnswer answer = probe_answer(frame, 10 + len);

	free(frame);
	cr_assert_gt(answer.frame_size, 0, "a malformed answer");
	return answer;
}

static void assert_success(int fd, uint32_t stream)
{
	const ProbeAnswer answer = answer_on(fd);

	cr_assert_eq(answer.stream, stream);
	cr_assert_eq(answer.code, -1, "%d: %s", answer.code, answer.message);
	cr_assert(answer.has_payload);
}

static void assert_failure(int fd, uint32_t stream, int code, const char *diagnostic)
{
	const ProbeAnswer answer = answer_on(fd);

	cr_assert_eq(answer.stream, stream);
	cr_assert_eq(answer.code, code, "%d: %s", answer.code, answer.message);
	cr_assert_str_eq(answer.diagnostic, diagnostic);
}

static void assert_next_seq(int fd, uint32_t stream, uint64_t next_seq)
{
	const ProbeAnswer answer = answer_on(fd);
	Pvw__V1__PollEventsResponse *response =
		pvw__v1__poll_events_response__unpack(NULL, answer.payload_len, answer.payload);

	cr_assert_eq(answer.stream, stream);
	cr_assert_eq(answer.code, -1, "%s", answer.message);
	cr_assert_not_null(response);
	cr_assert_eq(response->next_seq, next_seq);
	pvw__v1__poll_events_response__free_unpacked(response, NULL);
}

static bool is_closed(int fd, int wait_ms)
{
	uint8_t byte;

	return can_read(fd, wait_ms) && recv(fd, &byte, 1, 0) <= 0;
}

/* A PollEvents with wait_ms below 128. */
static void poll_on(int fd, uint32_t stream, uint8_t wait_ms, int64_t timeout)
{
	const uint8_t payload[] = { 3 * 8, wait_ms };

	call_on(fd,
		(ProbeCall){ .method = "PollEvents",
			.stream = stream,
			.payload = payload,
			.len = wait_ms ? 2 : 0,
			.timeout = timeout });
}

static void shut_down(int fd)
{
	call_on(fd, (ProbeCall){ .method = "Shutdown", .stream = 0x7fffffff });
	assert_success(fd, 0x7fffffff);
}

static void rig_join(Rig *rig)
{
	if (rig->started)
		cr_assert_eq(pthread_join(rig->thread, NULL), 0);
	rig->started = false;
	rig->counts = server_counts(rig->server);
	server_free(rig->server);
	free(rig->service.large);
	cr_assert_eq(rmdir(rig->folder), 0, "the socket is gone");
}

static void rig_end(Rig *rig)
{
	const int fd = dial(rig);

	shut_down(fd);
	rig_join(rig);
	close(fd);
}

static int64_t now_ms(void)
{
	return (int64_t)(server_now_ns() / 1000000);
}

static const ProbeCall health = { .method = "Health", .stream = 1 };

/*
 * Calls.
 */

Test(server, answers_over_a_unix_socket)
{
	Rig rig = { 0 };
	int fd;

	rig_start_plain(&rig);
	fd = dial(&rig);
	call_on(fd, health);
	assert_success(fd, 1);
	call_on(fd, (ProbeCall){ .method = "SetLogFilter", .stream = 3 });
	assert_failure(fd, 3, 3, "PVW-LOG-0001");
	call_on(fd, (ProbeCall){ .method = "Nothing", .stream = 5 });
	assert_failure(fd, 5, 12, "PVW-RPC-0013");
	close(fd);
	rig_end(&rig);
	cr_assert_eq(rig.counts.calls, 3);
	cr_assert_eq(rig.counts.answered, 2);
	cr_assert_eq(rig.counts.refused, 2);
	cr_assert_eq(rig.counts.accepted, 2);
	cr_assert_eq(rig.counts.connections, 1);
}

Test(server, takes_requests_byte_by_byte)
{
	Rig rig = { 0 };
	Probe p = { 0 };
	int fd;

	rig_start_plain(&rig);
	fd = dial(&rig);
	probe_call(&p, health);
	for (size_t i = 0; i < p.len; i++) {
		send_all(fd, p.data + i, 1);
		usleep(1000);
	}
	assert_success(fd, 1);
	probe_free(&p);
	close(fd);
	rig_end(&rig);
}

Test(server, serves_sixty_four_calls_in_one_write)
{
	Rig rig = { 0 };
	Probe p = { 0 };
	int fd;

	rig_start_plain(&rig);
	fd = dial(&rig);
	for (uint32_t i = 0; i < 64; i++)
		probe_call(&p, (ProbeCall){ .method = "Health", .stream = 2 * i + 1 });
	send_all(fd, p.data, p.len);
	for (uint32_t i = 0; i < 64; i++)
		assert_success(fd, 2 * i + 1);
	probe_free(&p);
	close(fd);
	rig_end(&rig);
}

Test(server, moves_large_frames_both_ways)
{
	Rig rig = { 0 };
	Probe chunk = { 0 }, request = { 0 };
	uint8_t *data = calloc(1, 4000000);
	const uint8_t want[] = { 3 * 8, 0x80, 0x92, 0xf4, 0x01 }; /* max_bytes 4 000 000 */
	int fd;

	rig_start_plain(&rig);
	fd = dial(&rig);
	probe_field(&chunk, 4, data, 4000000);
	probe_field(&request, 2, chunk.data, chunk.len);
	call_on(fd,
		(ProbeCall){ .method = "PutBlob",
			.stream = 1,
			.payload = request.data,
			.len = request.len });
	assert_success(fd, 1);
	call_on(fd,
		(ProbeCall){ .method = "GetArtifact", .stream = 3, .payload = want, .len = 5 });

	const ProbeAnswer answer = answer_on(fd);

	cr_assert_eq(answer.code, -1);
	cr_assert_gt(answer.payload_len, 4000000);
	probe_free(&chunk);
	probe_free(&request);
	free(data);
	close(fd);
	rig_end(&rig);
}

Test(server, skips_a_frame_that_is_too_long)
{
	Rig rig = { 0 };
	Probe p = { 0 };
	uint8_t *data = calloc(1, 5 << 20);
	int fd;

	rig_start_plain(&rig);
	fd = dial(&rig);
	probe_header(&p, 5 << 20, 9, 1, 0);
	send_all(fd, p.data, p.len);
	send_all(fd, data, 5 << 20);
	assert_failure(fd, 9, 8, "PVW-RPC-0018");
	call_on(fd, health);
	assert_success(fd, 1);
	probe_free(&p);
	free(data);
	close(fd);
	rig_end(&rig);
	cr_assert_eq(rig.counts.frames_too_long, 1);
}

Test(server, closes_on_other_protocols)
{
	Rig rig = { 0 };
	int fd;

	rig_start_plain(&rig);
	fd = dial(&rig);
	send_all(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
	cr_assert(is_closed(fd, PATIENCE_MS));
	close(fd);
	fd = dial(&rig);
	call_on(fd, health);
	send_all(fd, "\xfd", 1);
	assert_success(fd, 1);
	cr_assert(is_closed(fd, PATIENCE_MS));
	close(fd);
	rig_end(&rig);
	cr_assert_eq(rig.counts.broken, 2);
}

/*
 * Calls that are kept.
 */

Test(server, a_kept_call_is_answered_when_its_wait_is_over)
{
	Rig rig = { 0 };
	int64_t begun;
	int fd;

	rig_start_plain(&rig);
	fd = dial(&rig);
	begun = now_ms();
	poll_on(fd, 1, 60, 0);
	call_on(fd, (ProbeCall){ .method = "Health", .stream = 3 });
	assert_success(fd, 3);
	assert_next_seq(fd, 1, 77);
	cr_assert_geq(now_ms() - begun, 55);
	close(fd);
	rig_end(&rig);
	cr_assert_eq(rig.service.waited, 1);
	cr_assert_eq(rig.service.gone, 0);
}

Test(server, waking_answers_kept_calls_of_every_connection)
{
	Rig rig = { 0 };
	int a, b, c;

	rig_start_plain(&rig);
	a = dial(&rig);
	b = dial(&rig);
	c = dial(&rig);
	poll_on(a, 1, 0, 0);
	poll_on(b, 5, 0, 0);
	usleep(50000);
	cr_assert_not(can_read(a, 0));
	call_on(c, (ProbeCall){ .method = "Reset", .stream = 1 });
	assert_success(c, 1);
	assert_next_seq(a, 1, 88);
	assert_next_seq(b, 5, 88);
	close(a);
	close(b);
	close(c);
	rig_end(&rig);
	cr_assert_geq(rig.service.woken, 1);
}

Test(server, deadlines_end_kept_calls_once)
{
	Rig rig = { 0 };
	int fd;

	rig_start_plain(&rig);
	fd = dial(&rig);
	poll_on(fd, 1, 0, 50 * 1000000);
	assert_failure(fd, 1, 4, "PVW-RPC-0023");
	call_on(fd, (ProbeCall){ .method = "Reset", .stream = 3 });
	assert_success(fd, 3);
	cr_assert_not(can_read(fd, 50), "no second answer");
	close(fd);
	rig_end(&rig);
	cr_assert_eq(rig.service.gone, 1);
	cr_assert_eq(rig.counts.expired, 1);
}

Test(server, deadlines_that_pass_while_serving_count_too)
{
	Rig rig = { 0 };
	int fd;

	rig_start_plain(&rig);
	fd = dial(&rig);
	call_on(fd, (ProbeCall){ .method = "Save", .stream = 1, .timeout = 1000000 });
	assert_failure(fd, 1, 4, "PVW-RPC-0023");
	call_on(fd, (ProbeCall){ .method = "Save", .stream = 3, .timeout = -1 });
	assert_failure(fd, 3, 4, "PVW-RPC-0023");
	call_on(fd, (ProbeCall){ .method = "Health", .stream = 5, .timeout = INT64_MAX });
	assert_success(fd, 5);
	close(fd);
	rig_end(&rig);
	cr_assert_eq(rig.service.calls, 3, "Save once, Health, Shutdown");
	cr_assert_eq(rig.service.gone, 0);
}

Test(server, a_connection_that_ends_takes_its_calls_with_it)
{
	Rig rig = { 0 };
	int fd;

	rig_start_plain(&rig);
	fd = dial(&rig);
	poll_on(fd, 1, 100, 0);
	poll_on(fd, 3, 0, 0);
	usleep(20000);
	close(fd);
	usleep(150000);
	rig_end(&rig);
	cr_assert_eq(rig.service.gone, 2);
	cr_assert_eq(rig.service.waited, 0);
}

Test(server, limits_calls_in_flight_of_all_connections)
{
	Rig rig = { 0 };
	ServerOptions options = rig_options(&rig);
	int a, b;

	options.limits.max_inflight_all = 3;
	rig_start(&rig, &options);
	a = dial(&rig);
	b = dial(&rig);
	poll_on(a, 1, 0, 0);
	poll_on(a, 3, 0, 0);
	poll_on(a, 5, 0, 0);
	usleep(50000);
	call_on(b, health);
	assert_failure(b, 1, 8, "PVW-RPC-0020");
	close(a);
	usleep(50000);
	call_on(b, health);
	assert_success(b, 1);
	close(b);
	rig_end(&rig);
}

/*
 * Peers that are slow, many, or do not read.
 */

Test(server, closes_who_says_nothing)
{
	Rig rig = { 0 };
	ServerOptions options = rig_options(&rig);
	int silent, busy;

	options.limits.first_byte_ms = 100;
	rig_start(&rig, &options);
	silent = dial(&rig);
	busy = dial(&rig);
	call_on(busy, health);
	assert_success(busy, 1);
	cr_assert(is_closed(silent, PATIENCE_MS));
	usleep(150000);
	call_on(busy, health);
	assert_success(busy, 1);
	close(silent);
	close(busy);
	rig_end(&rig);
	cr_assert_eq(rig.counts.too_slow, 1);
}

Test(server, closes_who_stops_inside_a_header)
{
	Rig rig = { 0 };
	ServerOptions options = rig_options(&rig);
	int fd;

	options.limits.header_ms = 100;
	rig_start(&rig, &options);
	fd = dial(&rig);
	call_on(fd, health);
	assert_success(fd, 1);
	usleep(200000);
	cr_assert_not(can_read(fd, 0), "idle between frames is fine");
	send_all(fd, "\0\0\0", 3);
	cr_assert(is_closed(fd, PATIENCE_MS));
	close(fd);
	rig_end(&rig);
	cr_assert_eq(rig.counts.too_slow, 1);
}

Test(server, closes_who_sends_a_body_too_slowly)
{
	Rig rig = { 0 };
	ServerOptions options = rig_options(&rig);
	const int64_t begun = now_ms();
	Probe p = { 0 };
	int fd;

	options.limits.header_ms = 50;
	options.limits.body_rate = 100000;
	rig_start(&rig, &options);
	fd = dial(&rig);
	probe_header(&p, 20000, 1, 1, 0); /* 50 ms and 200 ms */
	send_all(fd, p.data, p.len);
	for (int i = 0; i < 200; i++) {
		if (send(fd, "", 1, MSG_NOSIGNAL) != 1)
			break;
		usleep(5000);
	}
	cr_assert(is_closed(fd, PATIENCE_MS));
	cr_assert_geq(now_ms() - begun, 240);
	probe_free(&p);
	close(fd);
	rig_end(&rig);
	cr_assert_eq(rig.counts.too_slow, 1);
}

Test(server, a_steady_stream_of_split_frames_is_not_slow)
{
	Rig rig = { 0 };
	ServerOptions options = rig_options(&rig);
	Probe p = { 0 };
	int fd;

	options.limits.header_ms = 60;
	options.limits.first_byte_ms = 60;
	rig_start(&rig, &options);
	fd = dial(&rig);
	for (uint32_t i = 0; i < 20; i++)
		probe_call(&p, (ProbeCall){ .method = "Health", .stream = 2 * i + 1 });

	/* Every piece ends inside of a header. */
	const size_t frame = p.len / 20;

	send_all(fd, p.data, 5);
	for (uint32_t i = 0; i < 19; i++) {
		usleep(20000);
		send_all(fd, p.data + 5 + i * frame, frame);
		assert_success(fd, 2 * i + 1);
	}
	probe_free(&p);
	close(fd);
	rig_end(&rig);
	cr_assert_eq(rig.counts.too_slow, 0);
}

Test(server, closes_connections_beyond_the_limit)
{
	Rig rig = { 0 };
	ServerOptions options = rig_options(&rig);
	int fds[3];

	options.limits.max_connections = 2;
	rig_start(&rig, &options);
	for (int i = 0; i < 3; i++)
		fds[i] = dial(&rig);
	cr_assert(is_closed(fds[2], PATIENCE_MS));
	call_on(fds[0], health);
	assert_success(fds[0], 1);
	close(fds[0]);
	usleep(50000);
	close(fds[2]);
	fds[2] = dial(&rig);
	call_on(fds[2], health);
	assert_success(fds[2], 1);
	close(fds[1]);
	close(fds[2]);
	usleep(50000);
	rig_end(&rig);
	cr_assert_eq(rig.counts.refused_limit, 1);
}

Test(server, one_user_gets_four_connections)
{
	Rig rig = { 0 };
	int fds[5];

	rig_start_plain(&rig);
	for (int i = 0; i < 5; i++)
		fds[i] = dial(&rig);
	cr_assert(is_closed(fds[4], PATIENCE_MS));
	cr_assert_not(can_read(fds[3], 50));
	for (int i = 0; i < 5; i++)
		close(fds[i]);
	usleep(50000);
	rig_end(&rig);
	cr_assert_eq(rig.counts.refused_limit, 1);
}

/* Asks for @count answers of 100 000 bytes; the frames alone are small. */
static void ask_for_much(int fd, uint32_t count)
{
	const uint8_t want[] = { 3 * 8, 0xa0, 0x8d, 0x06 };
	Probe p = { 0 };

	for (uint32_t i = 0; i < count; i++)
		probe_call(&p,
			(ProbeCall){ .method = "GetArtifact",
				.stream = 2 * i + 1,
				.payload = want,
				.len = sizeof(want) });
	send_all(fd, p.data, p.len);
	probe_free(&p);
}

Test(server, stops_reading_who_does_not_read_and_goes_on_later)
{
	Rig rig = { 0 };
	ServerOptions options = rig_options(&rig);
	int fd, other;

	options.limits.max_output = 1 << 20;
	rig_start(&rig, &options);
	fd = dial(&rig);
	ask_for_much(fd, 200); /* 20 MB, of which a socket holds little */
	usleep(100000);
	other = dial(&rig);
	call_on(other, health);
	assert_success(other, 1);
	for (uint32_t i = 0; i < 200; i++) {
		const ProbeAnswer answer = answer_on(fd);

		cr_assert_eq(answer.stream, 2 * i + 1);
		cr_assert_eq(answer.code, -1, "%s", answer.message);
	}
	close(fd);
	close(other);
	rig_end(&rig);
	cr_assert_eq(rig.counts.stalled, 0);
}

Test(server, drops_who_never_reads)
{
	Rig rig = { 0 };
	ServerOptions options = rig_options(&rig);
	int fd;

	options.limits.max_output = 1 << 20;
	options.limits.stall_ms = 100;
	rig_start(&rig, &options);
	fd = dial(&rig);
	ask_for_much(fd, 200);
	usleep(400000);
	rig_end(&rig);
	cr_assert_eq(rig.counts.stalled, 1);
	cr_assert_lt(rig.counts.answered, 200, "reading had stopped");
	close(fd);
}

/*
 * The end.
 */

Test(server, shutdown_is_answered_and_ends_the_loop)
{
	Rig rig = { 0 };
	int fd, idle;

	rig_start_plain(&rig);
	fd = dial(&rig);
	idle = dial(&rig);
	shut_down(fd);
	cr_assert_eq(pthread_join(rig.thread, NULL), 0);
	rig.started = false;
	cr_assert_str_eq(server_stop_reason(rig.server), "asked to");
	rig_join(&rig);
	cr_assert(is_closed(idle, PATIENCE_MS));
	cr_assert_eq(rig.service.stopping, 1);
	close(fd);
	close(idle);
}

Test(server, draining_waits_for_calls_and_refuses_new_ones)
{
	Rig rig = { 0 };
	int fd, other;

	rig_start_plain(&rig);
	fd = dial(&rig);
	other = dial(&rig);
	poll_on(other, 1, 120, 0);
	usleep(20000);
	shut_down(fd);
	call_on(fd, health);
	assert_failure(fd, 1, 14, "PVW-RPC-0026");
	assert_next_seq(other, 1, 77);
	rig_join(&rig);
	cr_assert_eq(rig.service.gone, 0);
	close(fd);
	close(other);
}

Test(server, a_service_may_answer_kept_calls_when_it_stops)
{
	Rig rig = { 0 };
	ServerOptions options = rig_options(&rig);
	int fd, other;

	options.callbacks.stopping = on_stopping_answers;
	rig_start(&rig, &options);
	fd = dial(&rig);
	other = dial(&rig);
	poll_on(other, 1, 0, 0);
	usleep(20000);
	shut_down(fd);
	assert_next_seq(other, 1, 99);
	rig_join(&rig);
	close(fd);
	close(other);
}

Test(server, draining_ends_when_its_time_is_over)
{
	Rig rig = { 0 };
	ServerOptions options = rig_options(&rig);
	int64_t begun;
	int fd, other;

	options.limits.drain_ms = 100;
	rig_start(&rig, &options);
	fd = dial(&rig);
	other = dial(&rig);
	poll_on(other, 1, 0, 0);
	usleep(20000);
	begun = now_ms();
	shut_down(fd);
	rig_join(&rig);
	cr_assert_geq(now_ms() - begun, 95);
	cr_assert_eq(rig.service.gone, 1);
	close(fd);
	close(other);
}

Test(server, signals_drain_and_reach_the_service)
{
	Rig rig = { 0 };
	ServerOptions options = rig_options(&rig);
	int status, fd;
	pid_t pid;

	options.own_signals = true;
	options.callbacks.stopping = on_stopping_answers;
	pid = fork();
	if (pid == 0) {
		Error err;
		bool good;

		rig_open(&rig, &options);
		good = server_run(rig.server, &err) && rig.service.signals == 2 &&
			strcmp(server_stop_reason(rig.server), "SIGTERM") == 0;
		server_free(rig.server);
		_exit(good ? 0 : 1);
	}
	for (int i = 0; i < 500 && access(rig.address.path, F_OK) != 0; i++)
		usleep(10000);
	usleep(20000);
	fd = dial(&rig);
	poll_on(fd, 1, 0, 0);
	usleep(50000);
	kill(pid, SIGHUP);
	usleep(50000);
	kill(pid, SIGUSR1);
	usleep(50000);
	kill(pid, SIGTERM);
	assert_next_seq(fd, 1, 99);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status 0x%x", status);
	cr_assert_eq(rmdir(rig.folder), 0);
	free(rig.service.large);
	close(fd);
}

/*
 * Inherited descriptors.
 */

Test(server, serves_an_inherited_connection_and_ends_with_it)
{
	Rig rig = { 0 };
	ServerOptions options = rig_options(&rig);
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	rig.address = (StreamAddress){ .kind = STREAM_FD, .fd = pair[0] };
	rig_start(&rig, &options);
	call_on(pair[1], health);
	assert_success(pair[1], 1);
	close(pair[1]);
	cr_assert_eq(pthread_join(rig.thread, NULL), 0);
	rig.started = false;
	cr_assert_not_null(strstr(server_stop_reason(rig.server), "inherited"));
	rig_join(&rig);
}

Test(server, serves_several_listeners)
{
	Rig rig = { 0 };
	ServerOptions options = rig_options(&rig);
	StreamAddress both[2] = { rig.address, rig.address };
	int a, b;
	Error err;

	strcat(both[1].path, "2");
	options.listen = both;
	options.listen_count = 2;
	rig_start(&rig, &options);
	cr_assert(stream_dial(&both[0], &a, &err));
	cr_assert(stream_dial(&both[1], &b, &err));
	call_on(a, health);
	call_on(b, health);
	assert_success(a, 1);
	assert_success(b, 1);
	close(a);
	close(b);
	rig_end(&rig);
}

Test(server, a_listener_that_fails_leaves_nothing_behind)
{
	Rig rig = { 0 };
	ServerOptions options = rig_options(&rig);
	StreamAddress both[2] = { rig.address, { .kind = STREAM_FD, .fd = 999 } };
	Server *server;
	Error err;

	options.listen = both;
	options.listen_count = 2;
	cr_assert_not(server_new(&options, &server, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0032);
	cr_assert_not_null(strstr(err.text, "fd:999"));
	cr_assert_eq(rmdir(rig.folder), 0, "the first socket is gone");
	free(rig.service.large);
}

Test(server, survives_noise)
{
	Rig rig = { 0 };
	ServerOptions options = rig_options(&rig);

	options.limits.header_ms = 50;
	options.limits.body_ms = 50;
	rig_start(&rig, &options);
	for (uint64_t seed = 1; seed <= 300; seed++) {
		uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15);
		Probe p = { 0 };
		const int fd = dial(&rig);

		for (uint32_t i = 0; i < 8; i++)
			probe_call(&p,
				(ProbeCall){ .method = i % 2 ? "Health" : "PollEvents",
					.stream = 2 * i + 1,
					.timeout = i % 3 ? 0 : 1000 });
		for (int i = 0; i < 6; i++)
			p.data[probe_random(&random) % p.len] = (uint8_t)probe_random(&random);
		(void)send(fd, p.data, p.len - probe_random(&random) % 20, MSG_NOSIGNAL);
		if (seed % 3 == 0)
			(void)can_read(fd, 1);
		close(fd);
		probe_free(&p);
	}
	usleep(200000);
	rig_end(&rig);
	cr_assert_eq(rig.service.kept_count, 0, "every kept call was said to be gone");
}
