/*
 * A blocking client of one worker: one call at a time, with a deadline.
 */
#ifndef HOST_CLIENT_H
#define HOST_CLIENT_H

#include <protobuf-c/protobuf-c.h>

#include "support/arena.h"
#include "support/bytes.h"
#include "worker/stream.h"

#define CLIENT_DEFAULT_TIMEOUT_MS 30000

typedef struct Client Client;

/**
 * client_open - connect
 * @address: "unix:PATH", "vsock:CID:PORT" or "fd:N"
 *
 * Errors: PVW_CLIENT_0001 (IO) nobody there, PVW_RPC_0031 (BAD_VALUE) not an address.
 */
MUST_CHECK bool client_open(const char *address, Client **out, Error *err);

/** client_close - NULL is fine */
void client_close(Client *client);

/**
 * client_call - one call of pvw.v1.Worker, to its end
 * @method:     name as in the .proto
 * @request:    of the method's input type
 * @timeout_ms: 0 = CLIENT_DEFAULT_TIMEOUT_MS; told to the worker, and a second more is waited
 * @arena:      where the response is unpacked; it needs no freeing of its own
 * @response:   of the method's output type
 *
 * Errors: what the worker answers (its own diagnostic, source and offset); PVW_CLIENT_0001 (IO)
 * the connection broke, _0002 (IO) no answer in time, _0003 (BAD_VALUE) an answer that is no
 * message of its type, _0004 (MISSING) no such method.
 */
MUST_CHECK bool client_call(Client *client, const char *method, const ProtobufCMessage *request,
	uint32_t timeout_ms, Arena *arena, ProtobufCMessage **response, Error *err);

/** client_method - the descriptor of a method of pvw.v1.Worker; NULL if there is none */
const ProtobufCMethodDescriptor *client_method(const char *method);

/**
 * message_unpack - linted, then unpacked into @arena
 *
 * Errors: those of wire_lint; PVW_MEM_0001 (LIMIT); PVW_CLIENT_0003 (BAD_VALUE).
 */
MUST_CHECK bool message_unpack(const ProtobufCMessageDescriptor *type, Bytes bytes,
	Arena *arena, ProtobufCMessage **out, Error *err);

#endif
