/*
 * The worker's sockets and its loop: listeners, peers, connections, time. It knows frames and
 * methods, not what a call means: that is a handler's.
 *
 * One thread. A handler is a plain function: request message in, response message or Error out.
 * A call that is answered later (a long poll) keeps its CallHandle, a value: when the call is gone
 * by then, because its deadline passed or its peer left, answering does nothing.
 *
 * Source: docs/rpc.md.
 */
#ifndef WORKER_SERVER_H
#define WORKER_SERVER_H

#include "proto/method.h"
#include "proto/server_core.h"
#include "support/arena.h"
#include "worker/log.h"
#include "worker/stream.h"

typedef struct Server Server;

/* Names one call for as long as it lives, and nothing afterwards. */
typedef struct CallHandle {
	uint64_t connection; /* number of its connection, never used again */
	CallId call;
} CallHandle;

/* What a handler sees of a call. All of it is gone when the handler returns, but the values. */
typedef struct ServerRequest {
	MethodRef method;
	const void *message; /* the unpacked argument, of type method_input(method) */
	Arena *arena;        /* for the response; forgotten once that is queued */
	CallHandle handle;
	StreamPeer peer;
	uint64_t deadline_ns; /* on server_now_ns's clock; UINT64_MAX: none */
} ServerRequest;

/*
 * Serves one call.
 * @response: receives the response message, of type method_output(request->method), which may lie
 *            in request->arena; or NULL, when the call will be answered later by server_answer or
 *            server_refuse (server_wait bounds how late)
 *
 * False: the call is refused with @err, whose code and diagnostic give the status.
 */
typedef bool (*ServerHandler)(void *service, const ServerRequest *request,
	const ProtobufCMessage **response, Error *err);

typedef struct ServerCallbacks {
	void *service;
	ServerHandler call;
	/* A kept call has waited for as long as server_wait said: answer it now. May be NULL. */
	void (*waited)(void *service, CallHandle call);
	/* A kept call is gone: deadline or end of its connection. Do not answer. May be NULL. */
	void (*gone)(void *service, CallHandle call);
	/* A connection has ended; its number is never used again. May be NULL. */
	void (*closed)(void *service, uint64_t connection);
	/* After server_wake, from the loop. May be NULL. */
	void (*woken)(void *service);
	/* SIGHUP and SIGUSR1. May be NULL. */
	void (*signalled)(void *service, int signal);
	/* Draining has begun: answer kept calls. May be NULL. */
	void (*stopping)(void *service, const char *why);
} ServerCallbacks;

/* Limits; 0 means the default that docs/rpc.md states. */
typedef struct ServerLimits {
	uint32_t max_frame;            /* bytes of a frame's data; 4 MiB */
	uint32_t max_connections;      /* 16 */
	uint32_t max_user_connections; /* of one uid; 4 */
	uint32_t max_inflight;         /* calls on a connection; 64 */
	uint32_t max_inflight_all;     /* 256 */
	uint32_t max_output;           /* bytes queued for a connection; 8 MiB */
	uint32_t first_byte_ms;        /* from connecting to the first byte; 10 000 */
	uint32_t header_ms;            /* from a header's first byte to its last; 2 000 */
	uint32_t body_ms;              /* for the data of one frame at most; 30 000 */
	uint32_t body_rate;            /* bytes a second of a frame's data at least; 64 000 */
	uint32_t stall_ms;             /* unread answers above half of max_output; 10 000 */
	uint32_t drain_ms;             /* for calls in flight at a stop; 5 000 */
} ServerLimits;

#define SERVER_MAX_LISTENERS 4
#define SERVER_MAX_USERS 8

typedef struct ServerOptions {
	const StreamAddress *listen; /* at most SERVER_MAX_LISTENERS */
	size_t listen_count;
	MethodTableList tables;
	ServerCallbacks callbacks;
	ServerLimits limits;
	Log *log; /* borrowed; may be NULL */
	/* Users that may connect beside root and the worker's own. */
	uint32_t users[SERVER_MAX_USERS];
	size_t user_count;
	bool own_signals; /* SIGTERM and SIGINT drain; SIGHUP, SIGUSR1 to the service; no SIGPIPE */
} ServerOptions;

/** server_limits_in_force - @limits with every 0 replaced by its default */
ServerLimits server_limits_in_force(ServerLimits limits);

/**
 * server_new - open the listeners
 *
 * Errors: those of stream_listen; PVW_RPC_0032 (IO) without an event loop.
 */
MUST_CHECK bool server_new(const ServerOptions *options, Server **out, Error *err);

/**
 * server_run - serve until stopped
 *
 * Returns once the drain is over. False only when the loop itself fails (PVW_RPC_0032).
 */
MUST_CHECK bool server_run(Server *server, Error *err);

/** server_free - close everything, unlink our own unix sockets; NULL is fine */
void server_free(Server *server);

/** server_stop - take no new calls, give those in flight @drain_ms (0: the default), then end */
void server_stop(Server *server, uint32_t drain_ms, const char *why);

/** server_stop_reason - what server_stop was told, NULL before it */
const char *server_stop_reason(const Server *server);

/** server_answer - answer a kept call; nothing happens when it is gone */
void server_answer(Server *server, CallHandle call, const ProtobufCMessage *response);

/** server_answer_bytes - the same with an encoded message */
void server_answer_bytes(Server *server, CallHandle call, Bytes response);

/** server_refuse - end a kept call with a failure */
void server_refuse(Server *server, CallHandle call, const Error *err);

/** server_wait - call callbacks.waited for this call after @wait_ms; for handlers that keep it */
void server_wait(Server *server, CallHandle call, uint32_t wait_ms);

/** server_wake - call callbacks.woken soon, from the loop; any number of times, from anywhere */
void server_wake(Server *server);

/** server_now_ns - the clock of deadlines: monotonic */
uint64_t server_now_ns(void);

/* What happened so far, for Metrics and inspection. */
typedef struct ServerCounts {
	uint64_t accepted, refused_peers, refused_limit, closed;
	uint64_t calls, answered, refused, expired;
	uint64_t frames_ignored, frames_too_long;
	uint64_t too_slow, stalled, broken;
	uint64_t bytes_in, bytes_out;
	uint32_t connections, in_flight; /* now */
} ServerCounts;

ServerCounts server_counts(const Server *server);

#endif
