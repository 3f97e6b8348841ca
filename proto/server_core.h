/*
 * One connection of a ttrpc server: bytes in, calls out; answers in, bytes out. No socket, no
 * clock: the time is an argument.
 *
 *	server_core_feed(core, bytes)               what was read
 *	while (server_core_next(...) == CORE_CALL)  serve it
 *		server_core_answer(core, call.id, message)
 *	server_core_output(core)                    what is to be written
 *	server_core_sent(core, n)
 *
 * Source: [TTRPC] PROTOCOL.md; docs/rpc.md, "Framing", has every rule.
 */
#ifndef PROTO_SERVER_CORE_H
#define PROTO_SERVER_CORE_H

#include "proto/frame.h"
#include "proto/method.h"
#include "support/arena.h"

typedef struct ServerCore ServerCore;

typedef struct ServerCoreOptions {
	MethodTableList tables;
	uint32_t max_frame;    /* bytes of data taken and sent, at most FRAME_MAX_DATA */
	uint32_t max_inflight; /* calls */
	uint32_t max_output;   /* bytes; reading stops above half of it */
} ServerCoreOptions;

/* Timeouts are cut to this. */
#define SERVER_CORE_MAX_TIMEOUT_NS (UINT64_C(3600) * 1000000000)
#define SERVER_CORE_NO_DEADLINE UINT64_MAX

/* One call of one connection; a ticket is never used again. */
typedef struct CallId {
	uint32_t stream;
	uint64_t ticket;
} CallId;

typedef struct ServerCall {
	CallId id;
	MethodRef method;
	const ProtobufCMessage *message; /* linted, in the arena given to server_core_next */
	uint64_t deadline_ns;            /* on the caller's clock; SERVER_CORE_NO_DEADLINE */
} ServerCall;

typedef enum ServerCoreEvent {
	CORE_CALL,       /* one call was taken: answer it, now or later */
	CORE_NEED_INPUT, /* feed more */
	CORE_BLOCKED,    /* send first: the output is more than half full */
	CORE_BROKEN,     /* close the connection: server_core_broken says why */
} ServerCoreEvent;

/* What of a frame is there. */
typedef enum ServerCoreInput {
	CORE_INPUT_NONE,   /* between frames */
	CORE_INPUT_HEADER, /* some bytes of a header */
	CORE_INPUT_DATA,   /* the header, not all data; also while skipping what is too long */
} ServerCoreInput;

typedef struct ServerCoreCounts {
	uint64_t calls, answered, refused,
		expired; /* refused: without a call or with a status */
	uint64_t frames, frames_ignored,
		frames_too_long; /* frames: taken from the input as a whole */
} ServerCoreCounts;

/** server_core_new - a connection that has seen nothing; lives in @arena; end it */
MUST_CHECK ServerCore *server_core_new(
	const ServerCoreOptions *options, Arena *arena, Error *err);

/** server_core_end - give its buffers back; calls in flight are forgotten */
void server_core_end(ServerCore *core);

/** server_core_feed - bytes that were read; borrowed until server_core_next gives no CORE_CALL */
void server_core_feed(ServerCore *core, Bytes bytes);

/**
 * server_core_next - go on until there is a call to serve, or nothing more to do
 * @now_ns: for deadlines
 * @decode: receives the message; the caller resets it once the call has been served
 * @call:   filled for CORE_CALL only
 *
 * What cannot be served is answered here: wrong ids, streams, unknown methods, arguments that do
 * not pass wire_lint, frames that are too long, calls whose time is over already.
 */
ServerCoreEvent server_core_next(
	ServerCore *core, uint64_t now_ns, Arena *decode, ServerCall *call);

/** server_core_answer - queue the response of a call; nothing if it is not in flight any more */
void server_core_answer(ServerCore *core, CallId id, const ProtobufCMessage *message);

/** server_core_answer_bytes - the same with an encoded message */
void server_core_answer_bytes(ServerCore *core, CallId id, Bytes message);

/** server_core_refuse - queue a failure: status by rpc_status_of, details from the diagnostic */
void server_core_refuse(ServerCore *core, CallId id, const Error *err);

/** server_core_has_call - the call is still in flight */
bool server_core_has_call(const ServerCore *core, CallId id);

/** server_core_in_flight - calls that were taken and not answered */
uint32_t server_core_in_flight(const ServerCore *core);

/** server_core_call_at - the call in flight with that index, below server_core_in_flight */
CallId server_core_call_at(const ServerCore *core, uint32_t index);

/**
 * server_core_expire - end one call whose deadline has passed
 *
 * Queues DEADLINE_EXCEEDED and names the call; an answer that comes later goes nowhere. False when
 * there is none (left).
 */
bool server_core_expire(ServerCore *core, uint64_t now_ns, CallId *out);

/** server_core_deadline - the next one; SERVER_CORE_NO_DEADLINE */
uint64_t server_core_deadline(const ServerCore *core);

/** server_core_output - what is to be sent, in order */
Bytes server_core_output(const ServerCore *core);
void server_core_sent(ServerCore *core, size_t len);

/** server_core_is_blocked - the output is more than half full: do not read */
bool server_core_is_blocked(const ServerCore *core);

/** server_core_input - what of a frame is there, and how many bytes its data has in all */
ServerCoreInput server_core_input(const ServerCore *core, uint32_t *frame_len);

/** server_core_stop - refuse new calls from now on: UNAVAILABLE */
void server_core_stop(ServerCore *core);

/** server_core_broken - why the connection must be closed; NULL: it need not */
const Error *server_core_broken(const ServerCore *core);

const ServerCoreCounts *server_core_counts(const ServerCore *core);

#endif
