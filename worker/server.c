/*
 * Listeners, limits, signals, draining.
 */
#include "worker/server.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/diagnostics.h"
#include "worker/server_internal.h"

#define DECODE_LIMIT ((size_t)64 * 1024 * 1024)
#define ACCEPTS_AT_ONCE 16
#define ACCEPT_RETRY_MS 500

static const int handled_signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };

uint64_t server_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static uint32_t or_default(uint32_t value, uint32_t standard)
{
	return value ? value : standard;
}

ServerLimits server_limits_in_force(ServerLimits limits)
{
	const uint32_t max_frame = or_default(limits.max_frame, FRAME_MAX_DATA);

	return (ServerLimits){
		.max_frame = max_frame < FRAME_MAX_DATA ? max_frame : FRAME_MAX_DATA,
		.max_connections = or_default(limits.max_connections, 16),
		.max_user_connections = or_default(limits.max_user_connections, 4),
		.max_inflight = or_default(limits.max_inflight, 64),
		.max_inflight_all = or_default(limits.max_inflight_all, 256),
		.max_output = or_default(limits.max_output, 8 * 1024 * 1024),
		.first_byte_ms = or_default(limits.first_byte_ms, 10000),
		.header_ms = or_default(limits.header_ms, 2000),
		.body_ms = or_default(limits.body_ms, 30000),
		.body_rate = or_default(limits.body_rate, 64000),
		.stall_ms = or_default(limits.stall_ms, 10000),
		.drain_ms = or_default(limits.drain_ms, 5000),
	};
}

/*
 * Accepting.
 */

static uint32_t connections_of(const Server *server, const StreamPeer *peer)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < server->limits.max_connections; i++) {
		const Connection *c = server->connections[i];

		if (c && c->peer.kind == peer->kind &&
			(peer->kind == STREAM_VSOCK || c->peer.uid == peer->uid))
			count++;
	}
	return count;
}

static bool check_limits(const Server *server, const StreamPeer *peer, Error *err)
{
	if (server->connection_count >= server->limits.max_connections)
		return error_set(err, PVW_RPC_0030,
			"%" PRIu32 " connections, at most that many", server->connection_count);
	if (connections_of(server, peer) >= server->limits.max_user_connections)
		return error_set(err, PVW_RPC_0030,
			"%" PRIu32 " connections of user %" PRIu32 ", at most that many",
			server->limits.max_user_connections, peer->uid);
	return true;
}

/* Takes a connected descriptor in, or closes it. */
static bool admit(Server *server, int fd, Error *err)
{
	const ServerOptions *options = &server->options;
	StreamPeer peer;

	server->counts.accepted++;
	if (!stream_peer(fd, &peer, err) ||
		!stream_peer_may_connect(&peer, options->users, options->user_count, err)) {
		server->counts.refused_peers++;
		close(fd);
		return false;
	}
	if (!check_limits(server, &peer, err)) {
		server->counts.refused_limit++;
		close(fd);
		return false;
	}
	return connection_open(server, fd, &peer) ||
		error_set(err, PVW_MEM_0001, "no memory for a connection");
}

static void set_accepting(Server *server, bool on)
{
	for (size_t i = 0; i < server->listener_count; i++) {
		if (!server->acceptors[i])
			continue;
		if (on)
			event_add(server->acceptors[i], NULL);
		else
			event_del(server->acceptors[i]);
	}
}

static void add_timer_ms(struct event *timer, uint32_t ms)
{
	const struct timeval timeout = { .tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	evtimer_add(timer, &timeout);
}

static void on_retry_accept(evutil_socket_t fd, short what, void *context)
{
	Server *server = context;

	(void)fd;
	(void)what;
	if (!server->stopping)
		set_accepting(server, true);
}

/* Out of descriptors: the queue stays full, so looking again at once would spin. */
static void pause_accepting(Server *server)
{
	Error err;

	error_set(&err, PVW_RPC_0032, "accept: %s", strerror(errno));
	log_error(server->options.log, LOG_LEVEL_ERROR, LOG_CLASS_ALLOWED, "rpc", &err);
	set_accepting(server, false);
	add_timer_ms(server->retry_accept, ACCEPT_RETRY_MS);
}

static void on_acceptable(evutil_socket_t listener, short what, void *context)
{
	Server *server = context;
	Error err;

	(void)what;
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
				pause_accepting(server);
			return;
		}
		if (!admit(server, fd, &err))
			log_error(server->options.log, LOG_LEVEL_WARN, LOG_CLASS_ALLOWED, "rpc",
				&err);
	}
}

/*
 * Stopping.
 */

void server_check_drain(Server *server)
{
	if (!server->stopping)
		return;
	for (uint32_t i = 0; i < server->limits.max_connections; i++) {
		if (server->connections[i] && !connection_is_done(server->connections[i]))
			return;
	}
	event_base_loopexit(server->base, NULL);
}

static void on_drained(evutil_socket_t fd, short what, void *context)
{
	Server *server = context;

	(void)fd;
	(void)what;
	log_line(server->options.log, LOG_LEVEL_WARN, LOG_CLASS_ALLOWED, "rpc",
		"%" PRIu32 " calls were still in flight at the end of the drain",
		server->in_flight);
	event_base_loopexit(server->base, NULL);
}

void server_stop(Server *server, uint32_t drain_ms, const char *why)
{
	const ServerCallbacks *callbacks = &server->options.callbacks;

	if (server->stopping)
		return;
	server->stopping = true;
	snprintf(server->why, sizeof(server->why), "%s", why);
	log_line(server->options.log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, "rpc", "stopping: %s",
		server->why);
	set_accepting(server, false);
	add_timer_ms(server->drain, or_default(drain_ms, server->limits.drain_ms));
	for (uint32_t i = 0; i < server->limits.max_connections; i++) {
		if (server->connections[i])
			server_core_stop(server->connections[i]->core);
	}
	if (callbacks->stopping)
		callbacks->stopping(callbacks->service, server->why);
	/* From the loop, so that who called us can answer first. */
	event_active(server->wake, EV_TIMEOUT, 0);
}

const char *server_stop_reason(const Server *server)
{
	return server->stopping ? server->why : NULL;
}

void server_connection_closed(Server *server, Connection *connection)
{
	bool listens = false;

	for (uint32_t i = 0; i < server->limits.max_connections; i++) {
		if (server->connections[i] == connection)
			server->connections[i] = NULL;
	}
	server->connection_count--;
	server->in_flight -= connection->counted;
	for (size_t i = 0; i < server->listener_count; i++)
		listens = listens || server->acceptors[i];
	if (!listens && server->connection_count == 0)
		server_stop(server, 0, "the inherited connection has ended");
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
	Server *server = context;
	const ServerCallbacks *callbacks = &server->options.callbacks;

	(void)what;
	if (number == SIGTERM || number == SIGINT)
		server_stop(server, 0, number == SIGTERM ? "SIGTERM" : "SIGINT");
	else if (callbacks->signalled)
		callbacks->signalled(callbacks->service, number);
}

static void on_wake(evutil_socket_t fd, short what, void *context)
{
	Server *server = context;
	const ServerCallbacks *callbacks = &server->options.callbacks;

	(void)fd;
	(void)what;
	if (server->woken && callbacks->woken) {
		server->woken = false;
		callbacks->woken(callbacks->service);
	}
	server_check_drain(server);
}

void server_wake(Server *server)
{
	server->woken = true;
	event_active(server->wake, EV_TIMEOUT, 0);
}

/*
 * Kept calls.
 */

/* The connection of a call that is still in flight, or NULL. */
static Connection *find_call(const Server *server, CallHandle call)
{
	for (uint32_t i = 0; i < server->limits.max_connections; i++) {
		Connection *c = server->connections[i];

		if (c && c->number == call.connection)
			return server_core_has_call(c->core, call.call) ? c : NULL;
	}
	return NULL;
}

void server_answer(Server *server, CallHandle call, const ProtobufCMessage *response)
{
	Connection *c = find_call(server, call);

	if (!c)
		return;
	server_core_answer(c->core, call.call, response);
	connection_nudge(c);
}

void server_answer_bytes(Server *server, CallHandle call, Bytes response)
{
	Connection *c = find_call(server, call);

	if (!c)
		return;
	server_core_answer_bytes(c->core, call.call, response);
	connection_nudge(c);
}

void server_refuse(Server *server, CallHandle call, const Error *err)
{
	Connection *c = find_call(server, call);

	if (!c)
		return;
	server_core_refuse(c->core, call.call, err);
	connection_nudge(c);
}

void server_wait(Server *server, CallHandle call, uint32_t wait_ms)
{
	Connection *c = find_call(server, call);
	Wait *wait = NULL;

	if (!c)
		return;
	for (uint32_t i = 0; i < c->wait_count; i++) {
		if (c->waits[i].call.ticket == call.call.ticket ||
			!server_core_has_call(c->core, c->waits[i].call))
			wait = &c->waits[i];
	}
	if (!wait)
		wait = &c->waits[c->wait_count++];
	*wait = (Wait){ .call = call.call, .due_ns = server_now_ns() + wait_ms * NS_PER_MS };
	connection_nudge(c);
}

ServerCounts server_counts(const Server *server)
{
	ServerCounts counts = server->counts;

	counts.connections = server->connection_count;
	for (uint32_t i = 0; i < server->limits.max_connections; i++) {
		const ServerCoreCounts *core;

		if (!server->connections[i])
			continue;
		core = server_core_counts(server->connections[i]->core);
		counts.in_flight += server_core_in_flight(server->connections[i]->core);
		counts.calls += core->calls;
		counts.answered += core->answered;
		counts.refused += core->refused;
		counts.expired += core->expired;
		counts.frames_ignored += core->frames_ignored;
		counts.frames_too_long += core->frames_too_long;
	}
	return counts;
}

/*
 * Beginning and end.
 */

static bool fail_loop(Error *err)
{
	return error_set(err, PVW_RPC_0032, "no event loop: %s", strerror(errno));
}

static bool open_loop(Server *server, Error *err)
{
	struct event_config *config = event_config_new();

	if (!config)
		return fail_loop(err);
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	server->base = event_base_new_with_config(config);
	event_config_free(config);
	if (!server->base)
		return fail_loop(err);
	server->wake = evtimer_new(server->base, on_wake, server);
	server->drain = evtimer_new(server->base, on_drained, server);
	server->retry_accept = evtimer_new(server->base, on_retry_accept, server);
	if (!server->wake || !server->drain || !server->retry_accept)
		return fail_loop(err);
	return true;
}

static bool open_signals(Server *server, Error *err)
{
	if (!server->options.own_signals)
		return true;
	static_assert(ARRAY_COUNT(handled_signals) == ARRAY_COUNT(server->signals), "one each");
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_COUNT(handled_signals); i++) {
		server->signals[i] =
			evsignal_new(server->base, handled_signals[i], on_signal, server);
		if (!server->signals[i] || event_add(server->signals[i], NULL) != 0)
			return fail_loop(err);
	}
	return true;
}

static bool open_memory(Server *server, Error *err)
{
	server->connections =
		calloc(server->limits.max_connections, sizeof(*server->connections));
	server->decode = arena_new(DECODE_LIMIT);
	server->input = malloc(READ_SIZE);
	if (!server->connections || !server->decode || !server->input)
		return error_set(err, PVW_MEM_0001, "no memory for a server");
	return true;
}

/* One address: a listener, or a connection that was inherited. */
static bool open_listener(Server *server, const StreamAddress *address, Error *err)
{
	StreamListener *listener = &server->listeners[server->listener_count];
	struct event *acceptor = NULL;

	if (!stream_listen(address, listener, err))
		return false;
	server->listener_count++;
	if (listener->is_connected) {
		const int fd = listener->fd;

		listener->fd = -1;
		return admit(server, fd, err);
	}
	acceptor = event_new(
		server->base, listener->fd, EV_READ | EV_PERSIST, on_acceptable, server);
	server->acceptors[server->listener_count - 1] = acceptor;
	return (acceptor && event_add(acceptor, NULL) == 0) || fail_loop(err);
}

bool server_new(const ServerOptions *options, Server **out, Error *err)
{
	Server *server = calloc(1, sizeof(*server));

	if (!server)
		return error_set(err, PVW_MEM_0001, "no memory for a server");
	assert(options->listen_count <= SERVER_MAX_LISTENERS);
	server->options = *options;
	server->limits = server_limits_in_force(options->limits);
	if (!open_memory(server, err) || !open_loop(server, err) || !open_signals(server, err))
		goto fail;
	for (size_t i = 0; i < options->listen_count; i++) {
		if (!open_listener(server, &options->listen[i], err))
			goto fail;
	}
	*out = server;
	return true;
fail:
	server_free(server);
	return false;
}

bool server_run(Server *server, Error *err)
{
	if (event_base_dispatch(server->base) < 0)
		return fail_loop(err);
	return true;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void server_free(Server *server)
{
	if (!server)
		return;
	server->stopping = true; /* the last connection to close need not stop anything */
	for (uint32_t i = 0; server->connections && i < server->limits.max_connections; i++) {
		if (server->connections[i])
			connection_close(server->connections[i], "closed: the worker ends");
	}
	for (size_t i = 0; i < server->listener_count; i++) {
		free_event(server->acceptors[i]);
		stream_close_listener(&server->listeners[i]);
	}
	for (size_t i = 0; i < ARRAY_COUNT(server->signals); i++)
		free_event(server->signals[i]);
	free_event(server->wake);
	free_event(server->drain);
	free_event(server->retry_accept);
	if (server->base)
		event_base_free(server->base);
	arena_free(server->decode);
	free(server->input);
	free(server->connections);
	free(server);
}
