/*
 * A blocking client of one worker.
 */
#include "host/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "proto/client_core.h"
#include "proto/rpc_status.h"
#include "proto/wire_lint.h"
#include "proto/worker.pb-c.h"
#include "support/diagnostics.h"

#define CLIENT_ARENA_LIMIT ((size_t)64 * 1024 * 1024)
#define READ_SIZE ((size_t)64 * 1024)
#define GRACE_MS 1000 /* for the worker's own DEADLINE_EXCEEDED to arrive */

struct Client {
	int fd;
	Arena *arena; /* of the core */
	ClientCore *core;
	uint8_t buffer[READ_SIZE];
};

bool client_open(const char *text, Client **out, Error *err)
{
	StreamAddress address;
	Client *client;
	int fd;

	if (!stream_parse_dial(text, &address, err))
		return false;
	if (!stream_dial(&address, &fd, err)) {
		Error cause = *err;

		return error_set(err, PVW_CLIENT_0001, "%s", cause.text);
	}
	client = calloc(1, sizeof(*client));
	if (client) {
		client->fd = fd;
		client->arena = arena_new(CLIENT_ARENA_LIMIT);
		client->core = client->arena ? client_core_new(client->arena, err) : NULL;
	} else {
		close(fd);
	}
	if (!client || !client->core) {
		client_close(client);
		return error_set(err, PVW_MEM_0001, "no memory for a connection");
	}
	*out = client;
	return true;
}

void client_close(Client *client)
{
	if (!client)
		return;
	if (client->core)
		client_core_end(client->core);
	arena_free(client->arena);
	close(client->fd);
	free(client);
}

const ProtobufCMethodDescriptor *client_method(const char *method)
{
	return protobuf_c_service_descriptor_get_method_by_name(
		&pvw__v1__worker__descriptor, method);
}

/*
 * Messages in an arena. The library frees with the allocator that it was given; ours forgets.
 */

typedef struct ArenaAllocator {
	Arena *arena;
	Error *err;
} ArenaAllocator;

static void *allocate(void *context, size_t size)
{
	const ArenaAllocator *allocator = context;

	return arena_alloc(allocator->arena, size, 16, allocator->err);
}

static void forget(void *context, void *pointer)
{
	(void)context;
	(void)pointer;
}

bool message_unpack(const ProtobufCMessageDescriptor *type, Bytes bytes, Arena *arena,
	ProtobufCMessage **out, Error *err)
{
	Error refusal = { 0 };
	ArenaAllocator context = { arena, &refusal };
	ProtobufCAllocator allocator = { allocate, forget, &context };
	ProtobufCMessage *message;

	if (!wire_lint(bytes, type, (WireLimitList){ 0 }, err))
		return error_wrap(err, "%s", type->short_name);
	message = protobuf_c_message_unpack(type, &allocator, bytes.len, bytes.data);
	if (!message && refusal.code != ERROR_NONE) {
		*err = refusal;
		return false;
	}
	if (!message)
		return error_set(err, PVW_CLIENT_0003, "%zu bytes are no %s", bytes.len,
			type->short_name);
	*out = message;
	return true;
}

/*
 * One call.
 */

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool broken(const char *what, Error *err)
{
	return error_set(err, PVW_CLIENT_0001, "%s: %s", what,
		errno ? strerror(errno) : "the worker closed the connection");
}

static bool wait_for(const Client *client, short events, uint64_t due_ms, Error *err)
{
	struct pollfd poll_fd = { .fd = client->fd, .events = events };

	for (;;) {
		const uint64_t now = now_ms();
		const int left = due_ms > now ? (int)(due_ms - now) : 0;
		const int ready = poll(&poll_fd, 1, left);

		if (ready > 0)
			return true;
		if (ready == 0)
			return error_set(err, PVW_CLIENT_0002, "no answer in time");
		if (errno != EINTR)
			return broken("poll", err);
	}
}

static bool send_all(Client *client, uint64_t due_ms, Error *err)
{
	Bytes output;

	while ((output = client_core_output(client->core)).len > 0) {
		ssize_t sent;

		if (!wait_for(client, POLLOUT, due_ms, err))
			return false;
		errno = 0;
		sent = send(client->fd, output.data, output.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (sent <= 0)
			return broken("send", err);
		client_core_sent(client->core, (size_t)sent);
	}
	return true;
}

static bool receive(Client *client, uint64_t due_ms, Error *err)
{
	ssize_t got;

	if (!wait_for(client, POLLIN, due_ms, err))
		return false;
	errno = 0;
	got = read(client->fd, client->buffer, sizeof(client->buffer));
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (got <= 0)
		return broken("read", err);
	client_core_feed(client->core, (Bytes){ client->buffer, (size_t)got });
	return true;
}

static bool wait_answer(
	Client *client, uint32_t stream, uint64_t due_ms, ClientAnswer *answer, Error *err)
{
	for (;;) {
		switch (client_core_next(client->core, answer)) {
		case CLIENT_ANSWER:
			if (answer->stream == stream)
				return true;
			break;
		case CLIENT_BROKEN:
			*err = *client_core_broken(client->core);
			return false;
		case CLIENT_NEED_INPUT:
			if (!receive(client, due_ms, err)) {
				client_core_forget(client->core, stream);
				return false;
			}
			break;
		}
	}
}

bool client_call(Client *client, const char *method, const ProtobufCMessage *request,
	uint32_t timeout_ms, Arena *arena, ProtobufCMessage **response, Error *err)
{
	const ProtobufCMethodDescriptor *descriptor = client_method(method);
	const uint32_t limit_ms = timeout_ms ? timeout_ms : CLIENT_DEFAULT_TIMEOUT_MS;
	const uint64_t due_ms = now_ms() + limit_ms + GRACE_MS;
	ClientAnswer answer;
	uint32_t stream;

	if (!descriptor)
		return error_set(err, PVW_CLIENT_0004, "\"%s\", expected a method of %s",
			method, pvw__v1__worker__descriptor.name);
	if (!client_core_call(client->core, pvw__v1__worker__descriptor.name, method, request,
		    (int64_t)limit_ms * 1000000, &stream, err) ||
		!send_all(client, due_ms, err) ||
		!wait_answer(client, stream, due_ms, &answer, err))
		return error_wrap(err, "%s", method);
	if (answer.status != RPC_OK) {
		client_answer_error(&answer, err);
		return false;
	}
	if (!message_unpack(descriptor->output, answer.payload, arena, response, err)) {
		const Error cause = *err;

		return error_set(err, PVW_CLIENT_0003, "%s: %s", method, cause.text);
	}
	return true;
}
