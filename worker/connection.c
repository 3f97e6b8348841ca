/*
 * One connection of the server: its socket, its core, its time.
 */
#include "worker/server_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/diagnostics.h"

/* Core, call slots and waits of one connection. */
#define CONNECTION_ARENA ((size_t)256 * 1024)
/* The decode arena keeps that much between calls. */
#define DECODE_KEPT ((size_t)256 * 1024)
#define DECODE_LIMIT ((size_t)64 * 1024 * 1024)

/* Is there a reason to close? */
typedef enum Fate { FATE_LIVE, FATE_CLOSE } Fate;

static Fate flush(Connection *c);
static void on_readable(evutil_socket_t fd, short what, void *context);
static void on_writable(evutil_socket_t fd, short what, void *context);
static void on_timer(evutil_socket_t fd, short what, void *context);

static void log_peer(const Connection *c, LogLevel level, const char *text)
{
	char number[24], who[24], pid[16];
	const bool is_vsock = c->peer.kind == STREAM_VSOCK;
	const LogField fields[] = {
		{ "connection", number },
		{ is_vsock ? "cid" : "uid", who },
		{ is_vsock ? "port" : "pid", pid },
	};

	snprintf(number, sizeof(number), "%" PRIu64, c->number);
	snprintf(who, sizeof(who), "%" PRIu32, is_vsock ? c->peer.cid : c->peer.uid);
	snprintf(pid, sizeof(pid), "%" PRId64,
		is_vsock ? (int64_t)c->peer.port : (int64_t)c->peer.pid);
	log_fields(c->server->options.log, level, LOG_CLASS_ALLOWED, "rpc", fields,
		ARRAY_COUNT(fields), "%s", text);
}

/*
 * Beginning and end.
 */

static void free_connection(Connection *c)
{
	if (c->readable)
		event_free(c->readable);
	if (c->writable)
		event_free(c->writable);
	if (c->timer)
		event_free(c->timer);
	if (c->core)
		server_core_end(c->core);
	arena_free(c->arena);
	close(c->fd);
	free(c);
}

static bool prepare(Connection *c)
{
	Server *server = c->server;
	const ServerCoreOptions options = {
		.tables = server->options.tables,
		.max_frame = server->limits.max_frame,
		.max_inflight = server->limits.max_inflight,
		.max_output = server->limits.max_output,
	};
	Error err;

	c->arena = arena_new(CONNECTION_ARENA);
	if (!c->arena)
		return false;
	c->core = server_core_new(&options, c->arena, &err);
	c->waits = arena_array(c->arena, Wait, options.max_inflight, &err);
	c->readable = event_new(server->base, c->fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(server->base, c->fd, EV_WRITE, on_writable, c);
	c->timer = evtimer_new(server->base, on_timer, c);
	return c->core && c->waits && c->readable && c->writable && c->timer &&
		event_add(c->readable, NULL) == 0;
}

static uint64_t after_ms(uint64_t start_ns, uint32_t ms)
{
	return start_ns + ms * NS_PER_MS;
}

static void arm(Connection *c, uint64_t due_ns, uint64_t now_ns)
{
	const uint64_t wait_ns = due_ns > now_ns ? due_ns - now_ns : 0;
	/* Rounded up: a timer that fires too early fires twice. */
	const uint64_t wait_us = (wait_ns + 999) / 1000;
	const struct timeval timeout = { .tv_sec = (time_t)(wait_us / 1000000),
		.tv_usec = (suseconds_t)(wait_us % 1000000) };

	evtimer_add(c->timer, &timeout);
	c->armed_ns = due_ns;
}

bool connection_open(Server *server, int fd, const StreamPeer *peer)
{
	Connection *c = calloc(1, sizeof(*c));
	size_t place = 0;

	if (!c) {
		close(fd);
		return false;
	}
	c->server = server;
	c->fd = fd;
	c->peer = *peer;
	c->number = ++server->last_connection;
	c->connected_ns = server_now_ns();
	if (!prepare(c)) {
		free_connection(c);
		return false;
	}
	while (server->connections[place])
		place++;
	server->connections[place] = c;
	server->connection_count++;
	arm(c, after_ms(c->connected_ns, server->limits.first_byte_ms), c->connected_ns);
	log_peer(c, LOG_LEVEL_INFO, "connected");
	return true;
}

static void tell_gone(const Connection *c, CallId call)
{
	const ServerCallbacks *callbacks = &c->server->options.callbacks;

	if (callbacks->gone)
		callbacks->gone(callbacks->service, (CallHandle){ c->number, call });
}

static void add_counts(Connection *c)
{
	const ServerCoreCounts *from = server_core_counts(c->core);
	ServerCounts *to = &c->server->counts;

	to->calls += from->calls;
	to->answered += from->answered;
	to->refused += from->refused;
	to->expired += from->expired;
	to->frames_ignored += from->frames_ignored;
	to->frames_too_long += from->frames_too_long;
	to->closed++;
}

void connection_close(Connection *c, const char *why)
{
	Server *server = c->server;
	const ServerCallbacks *callbacks = &server->options.callbacks;
	const uint32_t count = server_core_in_flight(c->core);

	log_peer(c, LOG_LEVEL_INFO, why);
	add_counts(c);
	for (uint32_t i = 0; i < count; i++)
		tell_gone(c, server_core_call_at(c->core, i));
	if (callbacks->closed)
		callbacks->closed(callbacks->service, c->number);
	server_connection_closed(server, c);
	free_connection(c);
	server_check_drain(server);
}

bool connection_is_done(const Connection *c)
{
	return server_core_in_flight(c->core) == 0 && server_core_output(c->core).len == 0;
}

void connection_nudge(Connection *c)
{
	event_active(c->timer, EV_TIMEOUT, 0);
}

/*
 * Serving.
 */

static void renew_decode(Server *server)
{
	Arena *arena;

	if (arena_used(server->decode) > DECODE_KEPT) {
		arena = arena_new(DECODE_LIMIT);
		if (arena) {
			arena_free(server->decode);
			server->decode = arena;
			return;
		}
	}
	arena_reset(server->decode);
}

/* Ends calls whose time is over; @serving is not kept by anybody yet. */
static void expire(Connection *c, const CallId *serving)
{
	const uint64_t now_ns = server_now_ns();
	CallId call;

	while (server_core_expire(c->core, now_ns, &call)) {
		if (!serving || serving->ticket != call.ticket)
			tell_gone(c, call);
	}
}

static bool is_overdue(uint64_t deadline_ns)
{
	return deadline_ns != SERVER_CORE_NO_DEADLINE && server_now_ns() >= deadline_ns;
}

/* Calls of all connections, with what this one has taken since it settled. */
static uint32_t in_flight_with(const Connection *c)
{
	return c->server->in_flight - c->counted + server_core_in_flight(c->core);
}

static void dispatch(Connection *c, const ServerCall *call)
{
	Server *server = c->server;
	const ServerCallbacks *callbacks = &server->options.callbacks;
	const ServerRequest request = {
		.method = call->method,
		.message = call->message,
		.arena = server->decode,
		.handle = { c->number, call->id },
		.peer = c->peer,
		.deadline_ns = call->deadline_ns,
	};
	const ProtobufCMessage *response = NULL;
	UNINITIALIZED Error err;
	bool served;

	if (is_overdue(call->deadline_ns)) {
		expire(c, &call->id);
		return;
	}
	if (in_flight_with(c) > server->limits.max_inflight_all) {
		error_set(&err, PVW_RPC_0020, "%" PRIu32 " calls in flight on all connections",
			server->limits.max_inflight_all);
		server_core_refuse(c->core, call->id, &err);
		return;
	}
	served = callbacks->call(callbacks->service, &request, &response, &err);
	if (is_overdue(call->deadline_ns))
		expire(c, served && !response ? NULL : &call->id);
	if (!served)
		server_core_refuse(c->core, call->id, &err);
	else if (response)
		server_core_answer(c->core, call->id, response);
}

static Fate serve(Connection *c)
{
	ServerCall call;
	ServerCoreEvent event;

	for (;;) {
		const uint64_t now_ns = server_now_ns();

		while ((event = server_core_next(c->core, now_ns, c->server->decode, &call)) ==
			CORE_CALL) {
			dispatch(c, &call);
			renew_decode(c->server);
			if (call.deadline_ns != SERVER_CORE_NO_DEADLINE)
				break;
		}
		if (event == CORE_CALL)
			continue;
		/* Refused without a call: its scraps. */
		renew_decode(c->server);
		if (event == CORE_BROKEN) {
			(void)flush(c);
			c->server->counts.broken++;
			log_error(c->server->options.log, LOG_LEVEL_WARN, LOG_CLASS_ALLOWED,
				"rpc", server_core_broken(c->core));
			return FATE_CLOSE;
		}
		if (flush(c) == FATE_CLOSE)
			return FATE_CLOSE;
		if (event == CORE_NEED_INPUT || server_core_is_blocked(c->core))
			return FATE_LIVE;
	}
}

static Fate flush(Connection *c)
{
	for (;;) {
		const Bytes bytes = server_core_output(c->core);

		if (bytes.len == 0)
			return FATE_LIVE;

		const ssize_t n =
			send(c->fd, bytes.data, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			event_add(c->writable, NULL);
			return FATE_LIVE;
		}
		if (n < 0)
			return FATE_CLOSE;
		server_core_sent(c->core, (size_t)n);
		c->server->counts.bytes_out += (uint64_t)n;
		c->has_progressed = true;
	}
}

/*
 * Time.
 */

/* Notes since when the input is as it is. */
static void watch_input(Connection *c, uint64_t now_ns)
{
	const uint64_t frame = server_core_counts(c->core)->frames;
	uint32_t len;
	const ServerCoreInput input = server_core_input(c->core, &len);

	if (input == c->input && frame == c->frame && !c->is_blocked)
		return;
	c->input = input;
	c->frame = frame;
	c->input_ns = now_ns;
}

/* When the frame that is coming must be complete. */
static uint64_t input_due(const Connection *c)
{
	const ServerLimits *limits = &c->server->limits;
	uint32_t len;
	uint64_t ms;

	if (c->is_blocked)
		return NEVER;
	if (!c->has_spoken)
		return after_ms(c->connected_ns, limits->first_byte_ms);
	if (c->input == CORE_INPUT_NONE)
		return NEVER;
	if (c->input == CORE_INPUT_HEADER)
		return after_ms(c->input_ns, limits->header_ms);
	(void)server_core_input(c->core, &len);
	ms = limits->header_ms + (uint64_t)len * 1000 / limits->body_rate;
	return after_ms(c->input_ns, ms < limits->body_ms ? (uint32_t)ms : limits->body_ms);
}

static uint64_t stall_due(const Connection *c)
{
	return c->is_blocked ? after_ms(c->progress_ns, c->server->limits.stall_ms) : NEVER;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_due(const Connection *c)
{
	uint64_t due = min_u64(input_due(c), stall_due(c));

	due = min_u64(due, server_core_deadline(c->core));
	for (uint32_t i = 0; i < c->wait_count; i++)
		due = min_u64(due, c->waits[i].due_ns);
	return due;
}

/* After anything has happened: reading on or off, the timer. */
static void settle(Connection *c)
{
	const uint64_t now_ns = server_now_ns();
	const bool is_blocked = server_core_is_blocked(c->core);
	uint64_t due;

	c->server->in_flight = in_flight_with(c);
	c->counted = server_core_in_flight(c->core);
	watch_input(c, now_ns);
	if (c->has_progressed)
		c->progress_ns = now_ns;
	c->has_progressed = false;
	if (is_blocked != c->is_blocked) {
		c->is_blocked = is_blocked;
		c->input_ns = c->progress_ns = now_ns;
		if (is_blocked)
			event_del(c->readable);
		else
			event_add(c->readable, NULL);
	}
	/* A timer that is armed too early looks again when it fires. */
	due = next_due(c);
	if (due < c->armed_ns)
		arm(c, due, now_ns);
	if (c->server->stopping)
		server_check_drain(c->server);
}

/* Reminds of waits that are over; one call at a time, for it may change the list. */
static void remind(Connection *c, uint64_t now_ns)
{
	const ServerCallbacks *callbacks = &c->server->options.callbacks;

	for (uint32_t i = 0; i < c->wait_count;) {
		const Wait wait = c->waits[i];
		const bool is_gone = !server_core_has_call(c->core, wait.call);

		if (!is_gone && wait.due_ns > now_ns) {
			i++;
			continue;
		}
		c->waits[i] = c->waits[--c->wait_count];
		if (!is_gone && callbacks->waited)
			callbacks->waited(
				callbacks->service, (CallHandle){ c->number, wait.call });
	}
}

static bool is_too_slow(Connection *c, uint64_t now_ns)
{
	Error err;

	if (input_due(c) <= now_ns) {
		error_set(&err, PVW_RPC_0036, "connection %" PRIu64 ": %s", c->number,
			!c->has_spoken                          ? "nothing came"
				: c->input == CORE_INPUT_HEADER ? "half a header came"
								: "half a frame came");
		c->server->counts.too_slow++;
	} else if (stall_due(c) <= now_ns) {
		error_set(&err, PVW_RPC_0037, "connection %" PRIu64 ": %zu bytes are unread",
			c->number, server_core_output(c->core).len);
		c->server->counts.stalled++;
	} else {
		return false;
	}
	log_error(c->server->options.log, LOG_LEVEL_WARN, LOG_CLASS_ALLOWED, "rpc", &err);
	return true;
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	Connection *c = context;
	const uint64_t now_ns = server_now_ns();

	(void)fd;
	(void)what;
	c->armed_ns = NEVER;
	evtimer_del(c->timer);
	if (is_too_slow(c, now_ns)) {
		connection_close(c, "closed: too slow");
		return;
	}
	expire(c, NULL);
	remind(c, now_ns);
	if (serve(c) == FATE_CLOSE) {
		connection_close(c, "closed: the peer is gone");
		return;
	}
	settle(c);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
	Connection *c = context;

	(void)fd;
	(void)what;
	if (flush(c) == FATE_CLOSE || serve(c) == FATE_CLOSE) {
		connection_close(c, "closed: the peer is gone");
		return;
	}
	settle(c);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	Connection *c = context;
	Server *server = c->server;
	const ssize_t n = recv(fd, server->input, READ_SIZE, MSG_DONTWAIT);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		connection_close(c, n == 0 ? "closed by the peer" : "closed: the peer is gone");
		return;
	}
	c->has_spoken = true;
	server->counts.bytes_in += (uint64_t)n;
	server_core_feed(c->core, (Bytes){ server->input, (size_t)n });
	if (serve(c) == FATE_CLOSE) {
		connection_close(c, "closed");
		return;
	}
	settle(c);
}
