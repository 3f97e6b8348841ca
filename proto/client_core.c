/*
 * One connection of a client, as a state machine over bytes.
 */
#include "proto/client_core.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/byte_queue.h"
#include "proto/envelope.h"
#include "proto/wire.h"
#include "proto/wire_lint.h"
#include "proto/worker.pb-c.h"
#include "support/diagnostics.h"

#define MAX_OUTPUT ((size_t)16 * 1024 * 1024)
#define MAX_MESSAGE 1024 /* bytes of a failure's message that are kept */
/* Tags, lengths and a timeout around the names and the payload of a request. */
#define ENVELOPE_SLACK 64

struct ClientCore {
	ByteQueue in, out;
	size_t used; /* bytes of the frame that the last answer lies in */
	uint32_t next_stream;
	uint32_t waiting[CLIENT_CORE_MAX_INFLIGHT];
	uint32_t waiting_count;
	bool lost;
	bool broken;
	Error why;
	char message[MAX_MESSAGE];
};

ClientCore *client_core_new(Arena *arena, Error *err)
{
	ClientCore *core = arena_array(arena, ClientCore, 1, err);

	if (!core)
		return NULL;
	core->in = byte_queue_of(SIZE_MAX / 2, NULL, 0);
	core->out = byte_queue_of(MAX_OUTPUT, NULL, 0);
	core->next_stream = 1;
	return core;
}

void client_core_end(ClientCore *core)
{
	byte_queue_end(&core->in);
	byte_queue_end(&core->out);
	core->waiting_count = 0;
	core->used = 0;
}

/* The bytes of a frame up to its payload. */
static bool put_head(ClientCore *core, const RequestEnvelope *envelope, size_t payload_len,
	uint8_t **payload, size_t *frame_len, Error *err)
{
	const size_t bound = envelope->service.len + envelope->method.len + ENVELOPE_SLACK;
	uint8_t *at;

	if (payload_len > FRAME_MAX_DATA - bound)
		return error_set(err, PVW_RPC_0018,
			"a request of %zu bytes, at most %zu fit a frame", payload_len,
			FRAME_MAX_DATA - bound);
	if (!byte_queue_reserve(&core->out, FRAME_HEADER_SIZE + bound + payload_len, &at, err))
		return false;

	ByteWriter w = byte_writer_on(at + FRAME_HEADER_SIZE, bound);

	put_request_envelope(&w, envelope);
	if (payload_len) {
		put_varint(&w, 3 << 3 | WIRE_BYTES);
		put_varint(&w, payload_len);
	}
	assert(!w.overflow);
	frame_header_write((FrameHeader){ .len = (uint32_t)(w.len + payload_len),
				   .stream = core->next_stream,
				   .type = FRAME_REQUEST },
		at);
	*payload = at + FRAME_HEADER_SIZE + w.len;
	*frame_len = FRAME_HEADER_SIZE + w.len + payload_len;
	return true;
}

static bool begin_call(ClientCore *core, const char *service, const char *method,
	int64_t timeout_nano, size_t len, uint8_t **payload, size_t *frame_len, Error *err)
{
	const RequestEnvelope envelope = {
		.service = { (const uint8_t *)service, strlen(service) },
		.method = { (const uint8_t *)method, strlen(method) },
		.timeout_nano = timeout_nano,
	};

	if (core->waiting_count == CLIENT_CORE_MAX_INFLIGHT)
		return error_set(err, PVW_RPC_0020, "%d calls in flight, at most that many",
			CLIENT_CORE_MAX_INFLIGHT);
	if (envelope.service.len > 256 || envelope.method.len > 256)
		return error_set(err, PVW_RPC_0018, "a name of more than 256 bytes");
	return put_head(core, &envelope, len, payload, frame_len, err);
}

static uint32_t end_call(ClientCore *core, size_t frame_len)
{
	const uint32_t stream = core->next_stream;

	byte_queue_grew(&core->out, frame_len);
	core->waiting[core->waiting_count++] = stream;
	core->next_stream += 2; /* wraps around to 1 and stays odd */
	return stream;
}

bool client_core_call(ClientCore *core, const char *service, const char *method,
	const ProtobufCMessage *request, int64_t timeout_nano, uint32_t *stream, Error *err)
{
	const size_t len = protobuf_c_message_get_packed_size(request);
	uint8_t *payload;
	size_t frame_len;

	if (!begin_call(core, service, method, timeout_nano, len, &payload, &frame_len, err))
		return false;
	protobuf_c_message_pack(request, payload);
	*stream = end_call(core, frame_len);
	return true;
}

bool client_core_call_bytes(ClientCore *core, const char *service, const char *method,
	Bytes request, int64_t timeout_nano, uint32_t *stream, Error *err)
{
	uint8_t *payload;
	size_t frame_len;

	if (!begin_call(core, service, method, timeout_nano, request.len, &payload, &frame_len,
		    err))
		return false;
	if (request.len)
		memcpy(payload, request.data, request.len);
	*stream = end_call(core, frame_len);
	return true;
}

Bytes client_core_output(const ClientCore *core)
{
	return byte_queue_bytes(&core->out);
}

void client_core_sent(ClientCore *core, size_t len)
{
	byte_queue_drop(&core->out, len);
}

static void break_off(ClientCore *core, const Error *err)
{
	if (core->broken)
		return;
	core->broken = true;
	core->why = *err;
}

/* Forgets the frame that the last answer was borrowed from. */
static void release_frame(ClientCore *core)
{
	byte_queue_drop(&core->in, core->used);
	core->used = 0;
}

void client_core_feed(ClientCore *core, Bytes bytes)
{
	Error err;

	release_frame(core);
	if (!byte_queue_put(&core->in, bytes, &err))
		break_off(core, &err);
}

void client_core_forget(ClientCore *core, uint32_t stream)
{
	for (uint32_t i = 0; i < core->waiting_count; i++) {
		if (core->waiting[i] == stream) {
			core->waiting[i] = core->waiting[--core->waiting_count];
			return;
		}
	}
}

static bool is_awaited(const ClientCore *core, uint32_t stream)
{
	for (uint32_t i = 0; i < core->waiting_count; i++) {
		if (core->waiting[i] == stream)
			return true;
	}
	return false;
}

/* The next whole frame; false while there is none. */
static bool peek_frame(ClientCore *core, FrameHeader *header, Bytes *data)
{
	const Bytes bytes = byte_queue_bytes(&core->in);
	Error err;

	if (bytes.len < FRAME_HEADER_SIZE)
		return false;
	*header = frame_header_read(bytes.data);
	if (header->len > FRAME_MAX_DATA) {
		error_set(&err, PVW_RPC_0027,
			"a frame of %" PRIu32 " bytes, at most %" PRIu32 " expected",
			header->len, FRAME_MAX_DATA);
		break_off(core, &err);
		return false;
	}
	if (bytes.len - FRAME_HEADER_SIZE < header->len)
		return false;
	*data = (Bytes){ bytes.data + FRAME_HEADER_SIZE, header->len };
	return true;
}

static bool read_answer(
	ClientCore *core, const FrameHeader *header, Bytes data, ClientAnswer *answer)
{
	ResponseEnvelope envelope;
	Error err;

	if (!response_envelope_read(data, &envelope, &err)) {
		break_off(core, &err);
		return false;
	}
	snprintf(core->message, sizeof(core->message), "%.*s", (int)envelope.message.len,
		envelope.message.len ? (const char *)envelope.message.data : "");
	*answer = (ClientAnswer){
		.stream = header->stream,
		.status = envelope.status,
		.payload = envelope.payload,
		.message = core->message,
		.diagnostic = envelope.detail,
	};
	return true;
}

void client_core_lost(ClientCore *core)
{
	core->lost = true;
}

static void break_lost(ClientCore *core)
{
	Error err;

	error_set(&err, PVW_RPC_0028, "%" PRIu32 " calls were waiting for an answer",
		core->waiting_count);
	break_off(core, &err);
}

ClientCoreEvent client_core_next(ClientCore *core, ClientAnswer *answer)
{
	FrameHeader header;
	Bytes data;

	release_frame(core);
	while (!core->broken && peek_frame(core, &header, &data)) {
		core->used = FRAME_HEADER_SIZE + data.len;
		if (header.type == FRAME_RESPONSE && is_awaited(core, header.stream)) {
			client_core_forget(core, header.stream);
			if (read_answer(core, &header, data, answer))
				return CLIENT_ANSWER;
			break;
		}
		release_frame(core);
	}
	if (core->lost)
		break_lost(core);
	return core->broken ? CLIENT_BROKEN : CLIENT_NEED_INPUT;
}

const Error *client_core_broken(const ClientCore *core)
{
	return core->broken ? &core->why : NULL;
}

/* Fills @err from a diagnostic of ours; false if there is none that we know. */
static bool take_diagnostic(Bytes bytes, Error *err)
{
	const WireLimitList no_limits = { 0 };
	Pvw__V1__Diagnostic *message;
	Error ignored;

	if (bytes.len == 0 || bytes.len > ENVELOPE_MAX_STATUS ||
		!wire_lint(bytes, &pvw__v1__diagnostic__descriptor, no_limits, &ignored))
		return false;
	message = pvw__v1__diagnostic__unpack(NULL, bytes.len, bytes.data);
	if (!message)
		return false;

	const DiagnosticId id = diagnostic_find(message->code);

	if (id != PVW_NONE) {
		error_set(err, (uint16_t)id, "%s", message->text);
		if (message->has_offset)
			error_at_offset(err, message->source, message->offset);
		else
			error_at(err, message->source);
	}
	pvw__v1__diagnostic__free_unpacked(message, NULL);
	return id != PVW_NONE;
}

bool client_answer_error(const ClientAnswer *answer, Error *err)
{
	if (take_diagnostic(answer->diagnostic, err))
		return false;
	return error_set(
		err, PVW_RPC_0027, "%s: %s", rpc_status_name(answer->status), answer->message);
}
