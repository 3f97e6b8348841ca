/*
 * One connection of a server, as a state machine over bytes.
 *
 *	fresh   what was fed and not looked at yet, borrowed
 *	in      what was fed and is part of a frame that is not complete, or waits for room
 *	out     frames to be sent
 *
 * A frame that lies in `fresh` as a whole is served from there: nothing is copied.
 */
#include "proto/server_core.h"

#include <inttypes.h>
#include <string.h>

#include "proto/byte_queue.h"
#include "proto/envelope.h"
#include "proto/wire_lint.h"
#include "support/diagnostics.h"

/* Memory for unpacking: a multiple of the argument's size, between two bounds. */
#define UNPACK_FACTOR 40
#define UNPACK_LEAST ((size_t)64 * 1024)
#define UNPACK_MOST ((size_t)16 * 1024 * 1024)

/* What most frames fit in: no memory is asked for. */
#define SMALL_INPUT 512
#define SMALL_OUTPUT 8192

/* Fed bytes that may wait behind a frame while the output is blocked. */
#define INPUT_SLACK ((size_t)1024 * 1024)

typedef struct Slot {
	CallId id;
	uint64_t deadline_ns;
} Slot;

struct ServerCore {
	ServerCoreOptions options;
	ByteQueue in, out;
	Bytes fresh;
	uint32_t skip_left; /* bytes of data of a frame that is too long */
	FrameHeader skipped;
	Slot *slots;
	uint32_t slot_count;
	uint64_t last_ticket;
	bool stopped;
	bool broken;
	Error why;
	ServerCoreCounts counts;
};

ServerCore *server_core_new(const ServerCoreOptions *options, Arena *arena, Error *err)
{
	ServerCore *core = arena_array(arena, ServerCore, 1, err);
	uint8_t *small;

	if (!core)
		return NULL;
	core->slots = arena_array(arena, Slot, options->max_inflight, err);
	small = arena_reserve(arena, SMALL_INPUT + SMALL_OUTPUT, 1, err);
	if (!core->slots || !small)
		return NULL;
	assert(options->max_frame <= FRAME_MAX_DATA);
	core->options = *options;
	core->in = byte_queue_of(FRAME_HEADER_SIZE + (size_t)options->max_frame + INPUT_SLACK,
		small, SMALL_INPUT);
	core->out = byte_queue_of((size_t)options->max_output + options->max_frame +
			FRAME_HEADER_SIZE + ENVELOPE_MAX_STATUS,
		small + SMALL_INPUT, SMALL_OUTPUT);
	return core;
}

void server_core_end(ServerCore *core)
{
	byte_queue_end(&core->in);
	byte_queue_end(&core->out);
	core->fresh = (Bytes){ 0 };
	core->slot_count = 0;
}

static void break_off(ServerCore *core, const Error *err)
{
	if (core->broken)
		return;
	core->broken = true;
	core->why = *err;
}

/*
 * Output.
 */

/* Room for a response frame with @len bytes of data; a failure's may exceed a lowered limit. */
static bool begin_response(
	ServerCore *core, uint32_t stream, size_t len, uint8_t **data, Error *err)
{
	uint8_t *at;

	if (!byte_queue_reserve(&core->out, FRAME_HEADER_SIZE + len, &at, err))
		return error_set(err, PVW_RPC_0022,
			"an answer of %zu bytes, %zu unread before it", len, core->out.len);
	frame_header_write(
		(FrameHeader){ .len = (uint32_t)len, .stream = stream, .type = FRAME_RESPONSE },
		at);
	*data = at + FRAME_HEADER_SIZE;
	return true;
}

static void send_failure(ServerCore *core, uint32_t stream, const Error *failure)
{
	uint8_t status[ENVELOPE_MAX_STATUS];
	ByteWriter w = byte_writer_on(status, sizeof(status));
	uint8_t *data;
	Error err;

	put_failure(&w, failure);
	core->counts.refused++;
	if (!begin_response(core, stream, w.len, &data, &err)) {
		break_off(core, &err);
		return;
	}
	memcpy(data, status, w.len);
	byte_queue_grew(&core->out, FRAME_HEADER_SIZE + w.len);
}

/* The frame around an answer of @len bytes, up to the place where they go. */
static bool begin_success(
	ServerCore *core, uint32_t stream, size_t len, uint8_t **payload, Error *err)
{
	const size_t overhead = envelope_success_overhead(len);
	uint8_t *data;

	if (overhead + len > core->options.max_frame)
		return error_set(err, PVW_RPC_0022,
			"an answer of %zu bytes, at most %" PRIu32 " fit a frame", len,
			core->options.max_frame);
	if (!begin_response(core, stream, overhead + len, &data, err))
		return false;

	ByteWriter w = byte_writer_on(data, overhead);

	put_success_head(&w, len);
	*payload = data + overhead;
	return true;
}

static void end_success(ServerCore *core, size_t len)
{
	byte_queue_grew(&core->out, FRAME_HEADER_SIZE + envelope_success_overhead(len) + len);
	core->counts.answered++;
}

/*
 * Calls in flight.
 */

static Slot *find_slot(const ServerCore *core, CallId id)
{
	for (uint32_t i = 0; i < core->slot_count; i++) {
		if (core->slots[i].id.ticket == id.ticket)
			return &core->slots[i];
	}
	return NULL;
}

static bool stream_is_in_flight(const ServerCore *core, uint32_t stream)
{
	for (uint32_t i = 0; i < core->slot_count; i++) {
		if (core->slots[i].id.stream == stream)
			return true;
	}
	return false;
}

/* Takes a call out of those in flight; false if it is not there (any more). */
static bool take_slot(ServerCore *core, CallId id)
{
	Slot *slot = find_slot(core, id);

	if (!slot)
		return false;
	*slot = core->slots[--core->slot_count];
	return true;
}

static CallId add_slot(ServerCore *core, uint32_t stream, uint64_t deadline_ns)
{
	Slot *slot = &core->slots[core->slot_count++];

	slot->id = (CallId){ .stream = stream, .ticket = ++core->last_ticket };
	slot->deadline_ns = deadline_ns;
	return slot->id;
}

bool server_core_has_call(const ServerCore *core, CallId id)
{
	return find_slot(core, id) != NULL;
}

uint32_t server_core_in_flight(const ServerCore *core)
{
	return core->slot_count;
}

CallId server_core_call_at(const ServerCore *core, uint32_t index)
{
	assert(index < core->slot_count);
	return core->slots[index].id;
}

void server_core_answer(ServerCore *core, CallId id, const ProtobufCMessage *message)
{
	const size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *payload;
	UNINITIALIZED Error err;

	if (!take_slot(core, id))
		return;
	if (!begin_success(core, id.stream, len, &payload, &err)) {
		send_failure(core, id.stream, &err);
		return;
	}
	protobuf_c_message_pack(message, payload);
	end_success(core, len);
}

void server_core_answer_bytes(ServerCore *core, CallId id, Bytes message)
{
	uint8_t *payload;
	UNINITIALIZED Error err;

	if (!take_slot(core, id))
		return;
	if (!begin_success(core, id.stream, message.len, &payload, &err)) {
		send_failure(core, id.stream, &err);
		return;
	}
	if (message.len)
		memcpy(payload, message.data, message.len);
	end_success(core, message.len);
}

void server_core_refuse(ServerCore *core, CallId id, const Error *err)
{
	if (take_slot(core, id))
		send_failure(core, id.stream, err);
}

static void send_expired(ServerCore *core, uint32_t stream, const char *when)
{
	Error err;

	error_set(&err, PVW_RPC_0023, "deadline exceeded %s", when);
	core->counts.expired++;
	send_failure(core, stream, &err);
}

bool server_core_expire(ServerCore *core, uint64_t now_ns, CallId *out)
{
	for (uint32_t i = 0; i < core->slot_count; i++) {
		const Slot slot = core->slots[i];

		if (slot.deadline_ns > now_ns)
			continue;
		core->slots[i] = core->slots[--core->slot_count];
		send_expired(core, slot.id.stream, "before the answer was there");
		*out = slot.id;
		return true;
	}
	return false;
}

uint64_t server_core_deadline(const ServerCore *core)
{
	uint64_t next = SERVER_CORE_NO_DEADLINE;

	for (uint32_t i = 0; i < core->slot_count; i++) {
		if (core->slots[i].deadline_ns < next)
			next = core->slots[i].deadline_ns;
	}
	return next;
}

/*
 * Input.
 */

void server_core_feed(ServerCore *core, Bytes bytes)
{
	assert(core->fresh.len == 0);
	core->fresh = bytes;
}

/* Moves up to @len fresh bytes behind those that wait. */
static bool keep_fresh(ServerCore *core, size_t len)
{
	const size_t n = len < core->fresh.len ? len : core->fresh.len;
	UNINITIALIZED Error err;

	if (!byte_queue_put(&core->in, (Bytes){ core->fresh.data, n }, &err)) {
		break_off(core, &err);
		return false;
	}
	if (n)
		core->fresh.data += n;
	core->fresh.len -= n;
	return true;
}

/* The next bytes of input: at least @want of them, or all there are. */
static Bytes peek(ServerCore *core, size_t want)
{
	if (core->in.len == 0)
		return core->fresh;
	if (core->in.len < want && !keep_fresh(core, want - core->in.len))
		return (Bytes){ 0 };
	return byte_queue_bytes(&core->in);
}

static void consume(ServerCore *core, size_t len)
{
	if (core->in.len > 0) {
		byte_queue_drop(&core->in, len);
		return;
	}
	core->fresh.data += len;
	core->fresh.len -= len;
}

/* A first byte that no frame of ours can have. */
static void refuse_protocol(ServerCore *core, uint8_t first)
{
	Error err;

	if (first == 'P')
		error_set(&err, PVW_RPC_0025, "first byte 'P', as of an HTTP/2 preface");
	else
		error_set(&err, PVW_RPC_0024, "first byte 0x%02x of a frame, expected 0x00",
			first);
	break_off(core, &err);
}

/* The header at the front of the input; false while there is none. */
static bool peek_header(ServerCore *core, FrameHeader *out)
{
	const Bytes bytes = peek(core, FRAME_HEADER_SIZE);

	if (bytes.len > 0 && bytes.data[0] != 0)
		refuse_protocol(core, bytes.data[0]);
	if (core->broken || bytes.len < FRAME_HEADER_SIZE)
		return false;
	*out = frame_header_read(bytes.data);
	return true;
}

/*
 * Judgement of a frame by its header alone.
 */

typedef enum Verdict { VERDICT_SERVE, VERDICT_REFUSE, VERDICT_IGNORE } Verdict;

static Verdict judge_request(const ServerCore *core, const FrameHeader *header, Error *err)
{
	if (!frame_stream_is_clients(header->stream)) {
		error_set(err, PVW_RPC_0015,
			"request on stream %" PRIu32 ", expected an odd id", header->stream);
		return VERDICT_REFUSE;
	}
	if (header->len > core->options.max_frame) {
		error_set(err, PVW_RPC_0018,
			"%" PRIu32 " bytes of data, at most %" PRIu32 " expected", header->len,
			core->options.max_frame);
		return VERDICT_REFUSE;
	}
	if (header->flags & (FRAME_REMOTE_CLOSED | FRAME_REMOTE_OPEN)) {
		error_set(err, PVW_RPC_0014,
			"request with flags 0x%02x, expected 0 for a unary call",
			header->flags);
		return VERDICT_REFUSE;
	}
	if (stream_is_in_flight(core, header->stream)) {
		error_set(err, PVW_RPC_0016, "stream %" PRIu32 " is in flight", header->stream);
		return VERDICT_REFUSE;
	}
	return VERDICT_SERVE;
}

static Verdict judge(const ServerCore *core, const FrameHeader *header, Error *err)
{
	if (header->type == FRAME_REQUEST)
		return judge_request(core, header, err);
	if (header->type != FRAME_DATA || stream_is_in_flight(core, header->stream))
		return VERDICT_IGNORE;
	error_set(err, PVW_RPC_0017, "data for stream %" PRIu32 ", which is not open",
		header->stream);
	return VERDICT_REFUSE;
}

/*
 * From a request's data to a call.
 */

typedef struct Unpacker {
	Arena *arena;
	size_t left;
} Unpacker;

static void *unpacker_alloc(void *data, size_t size)
{
	Unpacker *unpacker = data;
	UNINITIALIZED Error err;

	if (size > unpacker->left)
		return NULL;
	unpacker->left -= size;
	return arena_reserve(unpacker->arena, size, 16, &err);
}

static void unpacker_free(void *data, void *pointer)
{
	(void)data;
	(void)pointer;
}

static size_t unpack_limit(size_t len)
{
	if (len > UNPACK_MOST / UNPACK_FACTOR)
		return UNPACK_MOST;
	return len * UNPACK_FACTOR > UNPACK_LEAST ? len * UNPACK_FACTOR : UNPACK_LEAST;
}

static bool unpack(
	MethodRef method, Bytes payload, Arena *arena, const ProtobufCMessage **out, Error *err)
{
	const size_t limit = unpack_limit(payload.len);
	Unpacker unpacker = { .arena = arena, .left = limit };
	ProtobufCAllocator allocator = { unpacker_alloc, unpacker_free, &unpacker };

	if (!wire_lint(payload, method_input(method), method.table->limits, err))
		return false;
	*out = protobuf_c_message_unpack(
		method_input(method), &allocator, payload.len, payload.data);
	if (!*out)
		return error_set(err, PVW_RPC_0021, "%zu bytes need more than %zu to unpack",
			payload.len, limit);
	return true;
}

static uint64_t deadline_of(int64_t timeout_nano, uint64_t now_ns)
{
	const uint64_t timeout = (uint64_t)timeout_nano;

	if (timeout_nano == 0)
		return SERVER_CORE_NO_DEADLINE;
	return now_ns +
		(timeout < SERVER_CORE_MAX_TIMEOUT_NS ? timeout : SERVER_CORE_MAX_TIMEOUT_NS);
}

/* Everything that can be wrong with a request before somebody serves it. */
static bool read_call(ServerCore *core, Bytes data, Arena *decode, ServerCall *call,
	RequestEnvelope *envelope, Error *err)
{
	if (!request_envelope_read(data, envelope, err))
		return false;
	if (!method_find(core->options.tables, envelope->service, envelope->method,
		    &call->method, err))
		return false;
	if (envelope->payload.len > method_row(call->method)->max_request)
		return error_set(err, PVW_RPC_0019,
			"%s: %zu bytes of argument, at most %" PRIu32 " expected",
			method_row(call->method)->name, envelope->payload.len,
			method_row(call->method)->max_request);
	if (core->stopped)
		return error_set(err, PVW_RPC_0026, "%s: the worker is stopping",
			method_row(call->method)->name);
	if (core->slot_count == core->options.max_inflight)
		return error_set(err, PVW_RPC_0020,
			"%" PRIu32 " calls in flight, at most that many", core->slot_count);
	return unpack(call->method, envelope->payload, decode, &call->message, err);
}

/* One request frame; true if it became a call. */
static bool take_request(ServerCore *core, uint32_t stream, Bytes data, uint64_t now_ns,
	Arena *decode, ServerCall *call)
{
	RequestEnvelope envelope;
	UNINITIALIZED Error err;

	if (!read_call(core, data, decode, call, &envelope, &err)) {
		send_failure(core, stream, &err);
		return false;
	}
	if (envelope.timeout_nano < 0) {
		send_expired(core, stream, "before the call arrived");
		return false;
	}
	call->deadline_ns = deadline_of(envelope.timeout_nano, now_ns);
	call->id = add_slot(core, stream, call->deadline_ns);
	core->counts.calls++;
	return true;
}

static void end_refused(ServerCore *core, Verdict verdict, uint32_t stream, const Error *err)
{
	if (verdict == VERDICT_IGNORE)
		core->counts.frames_ignored++;
	else
		send_failure(core, stream, err);
}

static void begin_skip(ServerCore *core, const FrameHeader *header)
{
	consume(core, FRAME_HEADER_SIZE);
	core->skipped = *header;
	core->skip_left = header->len;
	core->counts.frames_too_long++;
}

/* Drops data of a frame that is too long; it is refused once the last byte is gone. */
static bool skip_data(ServerCore *core)
{
	const Bytes bytes = peek(core, 1);
	const size_t n = bytes.len < core->skip_left ? bytes.len : core->skip_left;
	Error err;

	if (n == 0)
		return false;
	consume(core, n);
	core->skip_left -= (uint32_t)n;
	if (core->skip_left > 0)
		return true;
	core->counts.frames++;
	end_refused(core, judge(core, &core->skipped, &err), core->skipped.stream, &err);
	return true;
}

typedef enum Progress { PROGRESS_CALL, PROGRESS_MORE, PROGRESS_NONE } Progress;

/* Takes one frame, or a piece of one that is skipped. */
static Progress advance(ServerCore *core, uint64_t now_ns, Arena *decode, ServerCall *call)
{
	FrameHeader header;
	bool is_call = false;
	UNINITIALIZED Error err;

	if (core->skip_left > 0)
		return skip_data(core) ? PROGRESS_MORE : PROGRESS_NONE;
	if (!peek_header(core, &header))
		return PROGRESS_NONE;
	if (header.len > core->options.max_frame) {
		begin_skip(core, &header);
		return PROGRESS_MORE;
	}

	const size_t size = FRAME_HEADER_SIZE + (size_t)header.len;
	const Bytes frame = peek(core, size);

	if (core->broken || frame.len < size)
		return PROGRESS_NONE;

	const Verdict verdict = judge(core, &header, &err);

	if (verdict == VERDICT_SERVE)
		is_call = take_request(core, header.stream,
			(Bytes){ frame.data + FRAME_HEADER_SIZE, header.len }, now_ns, decode,
			call);
	else
		end_refused(core, verdict, header.stream, &err);
	core->counts.frames++;
	consume(core, size);
	return is_call ? PROGRESS_CALL : PROGRESS_MORE;
}

ServerCoreEvent server_core_next(
	ServerCore *core, uint64_t now_ns, Arena *decode, ServerCall *call)
{
	while (!core->broken && !server_core_is_blocked(core)) {
		const Progress progress = advance(core, now_ns, decode, call);

		if (progress == PROGRESS_CALL)
			return CORE_CALL;
		if (progress == PROGRESS_NONE)
			break;
	}
	if (!core->broken)
		(void)keep_fresh(core, core->fresh.len);
	core->fresh = (Bytes){ 0 };
	if (core->broken)
		return CORE_BROKEN;
	return server_core_is_blocked(core) ? CORE_BLOCKED : CORE_NEED_INPUT;
}

Bytes server_core_output(const ServerCore *core)
{
	return byte_queue_bytes(&core->out);
}

void server_core_sent(ServerCore *core, size_t len)
{
	byte_queue_drop(&core->out, len);
}

bool server_core_is_blocked(const ServerCore *core)
{
	return core->out.len > core->options.max_output / 2;
}

ServerCoreInput server_core_input(const ServerCore *core, uint32_t *frame_len)
{
	const Bytes bytes = byte_queue_bytes(&core->in);

	*frame_len = 0;
	if (core->skip_left > 0) {
		*frame_len = core->skipped.len;
		return CORE_INPUT_DATA;
	}
	if (bytes.len == 0)
		return CORE_INPUT_NONE;
	if (bytes.len < FRAME_HEADER_SIZE)
		return CORE_INPUT_HEADER;
	*frame_len = frame_header_read(bytes.data).len;
	return CORE_INPUT_DATA;
}

void server_core_stop(ServerCore *core)
{
	core->stopped = true;
}

const Error *server_core_broken(const ServerCore *core)
{
	return core->broken ? &core->why : NULL;
}

const ServerCoreCounts *server_core_counts(const ServerCore *core)
{
	return &core->counts;
}
