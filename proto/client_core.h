/*
 * One connection of a ttrpc client: calls in, bytes out; bytes in, answers out. No socket.
 *
 *	client_core_call(core, "pvw.v1.Worker", "Health", &request.base, 0, &stream, &err)
 *	client_core_output, client_core_sent
 *	client_core_feed(core, bytes)
 *	while (client_core_next(core, &answer) == CLIENT_ANSWER) …
 */
#ifndef PROTO_CLIENT_CORE_H
#define PROTO_CLIENT_CORE_H

#include <protobuf-c/protobuf-c.h>

#include "proto/frame.h"
#include "support/arena.h"
#include "support/error.h"

#define CLIENT_CORE_MAX_INFLIGHT 64

typedef struct ClientCore ClientCore;

typedef struct ClientAnswer {
	uint32_t stream;
	int32_t status; /* RPC_OK: success */
	Bytes payload;  /* of a success; borrowed until the next client_core_next or _feed */
	const char *message; /* of a failure; the same life */
	Bytes diagnostic;    /* of a failure: an encoded pvw.v1.Diagnostic, or nothing */
} ClientAnswer;

typedef enum ClientCoreEvent {
	CLIENT_ANSWER,
	CLIENT_NEED_INPUT,
	CLIENT_BROKEN, /* close the connection: client_core_broken says why */
} ClientCoreEvent;

/** client_core_new - a connection without calls; lives in @arena; end it */
MUST_CHECK ClientCore *client_core_new(Arena *arena, Error *err);
void client_core_end(ClientCore *core);

/**
 * client_core_call - queue a request
 * @timeout_nano: 0 = none; relative
 * @stream:       receives its id, by which the answer is known
 *
 * Errors: PVW_RPC_0020 (LIMIT) CLIENT_CORE_MAX_INFLIGHT calls wait already, PVW_RPC_0018 (LIMIT)
 * the request does not fit a frame, PVW_MEM_0001.
 */
MUST_CHECK bool client_core_call(ClientCore *core, const char *service, const char *method,
	const ProtobufCMessage *request, int64_t timeout_nano, uint32_t *stream, Error *err);

/** client_core_call_bytes - the same with an encoded message */
MUST_CHECK bool client_core_call_bytes(ClientCore *core, const char *service,
	const char *method, Bytes request, int64_t timeout_nano, uint32_t *stream, Error *err);

Bytes client_core_output(const ClientCore *core);
void client_core_sent(ClientCore *core, size_t len);

/** client_core_feed - bytes that were read; copied */
void client_core_feed(ClientCore *core, Bytes bytes);

/**
 * client_core_next - the next answer
 *
 * Answers to calls that nobody waits for, and frames that are no responses, are dropped. A response
 * that cannot be decoded (PVW_RPC_0027) breaks the connection.
 */
ClientCoreEvent client_core_next(ClientCore *core, ClientAnswer *answer);

/** client_core_forget - do not wait for this one any more; its answer will be dropped */
void client_core_forget(ClientCore *core, uint32_t stream);

/**
 * client_core_lost - the connection has ended
 *
 * What was fed before still counts; then client_core_next gives CLIENT_BROKEN: PVW_RPC_0028 (IO)
 * says how many calls were waiting.
 */
void client_core_lost(ClientCore *core);

/** client_core_broken - why the connection must be closed; NULL: it need not */
const Error *client_core_broken(const ClientCore *core);

/**
 * client_answer_error - a failure as an Error: diagnostic, source and offset as the peer gave them
 *
 * Without a diagnostic of ours the Error is PVW_RPC_0027 with status name and message.
 */
bool client_answer_error(const ClientAnswer *answer, Error *err);

#endif
