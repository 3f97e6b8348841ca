/*
 * One connection of the server, without a socket: each rule of docs/rpc.md, "Framing".
 */
#include <criterion/criterion.h>

#include "helpers/rpc_probe.h"
#include "proto/server_core.h"
#include "support/diagnostics.h"

/* A connection with a service that answers Health and Hello at once and keeps PollEvents. */
typedef struct Rig {
	Arena *arena, *decode;
	ServerCore *core;
	uint64_t now;
	ServerCall kept[128];
	size_t kept_count;
	size_t calls;
	ServerCoreEvent last;
} Rig;

static ServerCoreOptions rig_options(void)
{
	static const MethodTable *tables[1];

	tables[0] = probe_table();
	return (ServerCoreOptions){
		.tables = { tables, 1 },
		.max_frame = FRAME_MAX_DATA,
		.max_inflight = 64,
		.max_output = 8 * 1024 * 1024,
	};
}

static Rig rig_with(ServerCoreOptions options)
{
	Rig rig = { .arena = arena_new(1 << 20), .decode = arena_new(64 << 20), .now = 1000 };
	Error err;

	rig.core = server_core_new(&options, rig.arena, &err);
	cr_assert_not_null(rig.core);
	return rig;
}

static Rig rig_new(void)
{
	return rig_with(rig_options());
}

static void rig_end(Rig *rig)
{
	server_core_end(rig->core);
	arena_free(rig->arena);
	arena_free(rig->decode);
}

static void rig_serve(Rig *rig, const ServerCall *call)
{
	const char *name = method_row(call->method)->name;

	rig->calls++;
	if (strcmp(name, "PollEvents") == 0) {
		rig->kept[rig->kept_count++] = *call;
	} else if (strcmp(name, "Hello") == 0) {
		const Pvw__V1__HelloRequest *hello = (const void *)call->message;
		Pvw__V1__HelloResponse response = PVW__V1__HELLO_RESPONSE__INIT;

		response.major = hello->major_max;
		response.worker_version = hello->client_name;
		server_core_answer(rig->core, call->id, &response.base);
	} else if (strcmp(name, "Health") == 0) {
		Pvw__V1__HealthResponse response = PVW__V1__HEALTH_RESPONSE__INIT;

		server_core_answer(rig->core, call->id, &response.base);
	} else {
		Error err;

		error_set(&err, PVW_SESSION_0001, "%s in EMPTY", name);
		server_core_refuse(rig->core, call->id, &err);
	}
}

static void rig_feed(Rig *rig, const void *data, size_t len)
{
	ServerCall call;

	server_core_feed(rig->core, (Bytes){ data, len });
	while ((rig->last = server_core_next(rig->core, rig->now, rig->decode, &call)) ==
		CORE_CALL) {
		rig_serve(rig, &call);
		arena_reset(rig->decode);
	}
}

static void rig_feed_probe(Rig *rig, Probe *p)
{
	rig_feed(rig, p->data, p->len);
	p->len = 0;
}

static ProbeAnswer rig_take(Rig *rig)
{
	const Bytes out = server_core_output(rig->core);
	const ProbeAnswer answer = probe_answer(out.data, out.len);

	server_core_sent(rig->core, answer.frame_size);
	return answer;
}

static void rig_call(Rig *rig, ProbeCall call)
{
	Probe p = { 0 };

	probe_call(&p, call);
	rig_feed_probe(rig, &p);
	probe_free(&p);
}

static void assert_answer(
	Rig *rig, uint32_t stream, int code, const char *diagnostic, const char *word)
{
	const ProbeAnswer answer = rig_take(rig);

	cr_assert_gt(answer.frame_size, 0, "no answer");
	cr_assert_eq(answer.stream, stream, "stream %u", answer.stream);
	cr_assert_eq(answer.code, code, "code %d: %s", answer.code, answer.message);
	cr_assert_str_eq(answer.diagnostic, diagnostic);
	cr_assert_not_null(strstr(answer.message, word), "%s", answer.message);
	cr_assert_not(answer.has_payload);
}

static void assert_success(Rig *rig, uint32_t stream)
{
	const ProbeAnswer answer = rig_take(rig);

	cr_assert_gt(answer.frame_size, 0, "no answer");
	cr_assert_eq(answer.stream, stream);
	cr_assert_eq(answer.code, -1, "status %d: %s", answer.code, answer.message);
	cr_assert(answer.has_payload);
}

static const ProbeCall health = { .method = "Health", .stream = 1 };

Test(server_core, answers_a_call)
{
	Rig rig = rig_new();
	Probe payload = { 0 };

	probe_byte(&payload, 2 * 8);
	probe_byte(&payload, 7);
	probe_field(&payload, 3, "me", 2);
	rig_call(&rig,
		(ProbeCall){ .method = "Hello",
			.stream = 1,
			.payload = payload.data,
			.len = payload.len });

	const ProbeAnswer answer = rig_take(&rig);
	Pvw__V1__HelloResponse *hello =
		pvw__v1__hello_response__unpack(NULL, answer.payload_len, answer.payload);

	cr_assert_not_null(hello);
	cr_assert_eq(hello->major, 7);
	cr_assert_str_eq(hello->worker_version, "me");
	cr_assert_eq(rig.last, CORE_NEED_INPUT);
	pvw__v1__hello_response__free_unpacked(hello, NULL);
	probe_free(&payload);
	rig_end(&rig);
}

Test(server_core, an_empty_answer_is_twelve_bytes)
{
	Rig rig = rig_new();
	const uint8_t expected[] = { 0, 0, 0, 2, 0, 0, 0, 1, 2, 0, 0x12, 0x00 };

	rig_call(&rig, health);

	const Bytes out = server_core_output(rig.core);

	cr_assert_eq(out.len, sizeof(expected));
	cr_assert_arr_eq(out.data, expected, sizeof(expected));
	rig_end(&rig);
}

Test(server_core, takes_frames_byte_by_byte)
{
	Rig rig = rig_new();
	Probe p = { 0 };
	uint32_t len;

	probe_call(&p, health);
	for (size_t i = 0; i < p.len; i++) {
		cr_assert_eq(server_core_output(rig.core).len, 0);
		cr_assert_eq(server_core_input(rig.core, &len),
			i == 0           ? CORE_INPUT_NONE
				: i < 10 ? CORE_INPUT_HEADER
					 : CORE_INPUT_DATA);
		if (i >= 10)
			cr_assert_eq(len, p.len - 10);
		rig_feed(&rig, p.data + i, 1);
	}
	assert_success(&rig, 1);
	cr_assert_eq(server_core_input(rig.core, &len), CORE_INPUT_NONE);
	probe_free(&p);
	rig_end(&rig);
}

Test(server_core, splits_many_frames_anywhere)
{
	Probe p = { 0 };

	for (uint32_t i = 0; i < 20; i++)
		probe_call(&p, (ProbeCall){ .method = "Health", .stream = 2 * i + 1 });
	for (size_t piece = 1; piece < p.len; piece += piece / 3 + 1) {
		Rig rig = rig_new();

		for (size_t at = 0; at < p.len; at += piece)
			rig_feed(&rig, p.data + at, p.len - at < piece ? p.len - at : piece);
		for (uint32_t i = 0; i < 20; i++)
			assert_success(&rig, 2 * i + 1);
		rig_end(&rig);
	}
	probe_free(&p);
}

Test(server_core, refuses_streaming)
{
	Rig rig = rig_new();

	for (unsigned flags = 0; flags < 256; flags++) {
		rig_call(&rig, (ProbeCall){ .method = "Health", .stream = 9, .flags = flags });
		if (flags & 3)
			assert_answer(&rig, 9, 12, "PVW-RPC-0014", "unary");
		else
			assert_success(&rig, 9);
	}
	rig_end(&rig);
}

Test(server_core, does_not_demand_growing_ids)
{
	Rig rig = rig_new();
	const uint32_t ids[] = { 5, 3, 5, 1, 0xffffffff, 1 };

	for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
		rig_call(&rig, (ProbeCall){ .method = "Health", .stream = ids[i] });
		assert_success(&rig, ids[i]);
	}
	rig_end(&rig);
}

Test(server_core, refuses_even_ids_and_zero_on_that_id)
{
	Rig rig = rig_new();

	rig_call(&rig, (ProbeCall){ .method = "Health", .stream = 2 });
	assert_answer(&rig, 2, 3, "PVW-RPC-0015", "odd");
	rig_call(&rig, (ProbeCall){ .method = "Health", .stream = 0 });
	assert_answer(&rig, 0, 3, "PVW-RPC-0015", "odd");
	rig_call(&rig, health);
	assert_success(&rig, 1);
	rig_end(&rig);
}

Test(server_core, refuses_an_id_that_is_in_flight)
{
	Rig rig = rig_new();

	rig_call(&rig, (ProbeCall){ .method = "PollEvents", .stream = 7 });
	rig_call(&rig, (ProbeCall){ .method = "Health", .stream = 7 });
	assert_answer(&rig, 7, 3, "PVW-RPC-0016", "stream 7");
	cr_assert(server_core_has_call(rig.core, rig.kept[0].id));
	server_core_answer_bytes(rig.core, rig.kept[0].id, (Bytes){ 0 });
	assert_success(&rig, 7);
	rig_call(&rig, (ProbeCall){ .method = "Health", .stream = 7 });
	assert_success(&rig, 7);
	rig_end(&rig);
}

Test(server_core, ignores_unknown_types_and_responses)
{
	Rig rig = rig_new();
	Probe p = { 0 };

	for (unsigned type = 0; type < 256; type++) {
		if (type == 1 || type == 3)
			continue;
		probe_header(&p, 3, 1, type, 0);
		probe_add(&p, "abc", 3);
	}
	rig_feed_probe(&rig, &p);
	cr_assert_eq(server_core_output(rig.core).len, 0);
	cr_assert_eq(server_core_counts(rig.core)->frames_ignored, 254);
	rig_call(&rig, health);
	assert_success(&rig, 1);
	probe_free(&p);
	rig_end(&rig);
}

Test(server_core, refuses_data_for_a_dead_stream)
{
	Rig rig = rig_new();
	Probe p = { 0 };

	probe_header(&p, 0, 5, 3, 5);
	rig_feed_probe(&rig, &p);
	assert_answer(&rig, 5, 3, "PVW-RPC-0017", "stream 5");

	/* Of a call in flight there is an answer to come: not two. */
	rig_call(&rig, (ProbeCall){ .method = "PollEvents", .stream = 5 });
	probe_header(&p, 2, 5, 3, 0);
	probe_add(&p, "xx", 2);
	rig_feed_probe(&rig, &p);
	cr_assert_eq(server_core_output(rig.core).len, 0);
	probe_free(&p);
	rig_end(&rig);
}

Test(server_core, names_unknown_services_and_methods)
{
	Rig rig = rig_new();

	rig_call(&rig,
		(ProbeCall){ .service = "diag.UnderhillDiag", .method = "Exec", .stream = 1 });
	assert_answer(&rig, 1, 12, "PVW-RPC-0012", "diag.UnderhillDiag");
	rig_call(&rig, (ProbeCall){ .method = "Exec", .stream = 3 });
	assert_answer(&rig, 3, 12, "PVW-RPC-0013", "Exec");
	rig_call(&rig, (ProbeCall){ .service = "\xff", .method = "Exec", .stream = 5 });
	assert_answer(&rig, 5, 3, "PVW-RPC-0011", "UTF-8");
	rig_end(&rig);
}

Test(server_core, refuses_undecodable_envelopes_and_goes_on)
{
	Rig rig = rig_new();
	Probe p = { 0 };

	probe_header(&p, 4, 1, 1, 0);
	probe_add(&p, "\xff\xff\xff\xff", 4);
	probe_header(&p, 0, 3, 1, 0);
	probe_call(&p, (ProbeCall){ .method = "Health", .stream = 5 });
	rig_feed_probe(&rig, &p);
	assert_answer(&rig, 1, 3, "PVW-RPC-0011", "request");
	assert_answer(&rig, 3, 12, "PVW-RPC-0012", "no service \"\"");
	assert_success(&rig, 5);
	probe_free(&p);
	rig_end(&rig);
}

Test(server_core, refuses_undecodable_payloads)
{
	Rig rig = rig_new();

	rig_call(&rig,
		(ProbeCall){
			.method = "Hello", .stream = 1, .payload = "\x1a\x01\xff", .len = 3 });

	const ProbeAnswer answer = rig_take(&rig);

	cr_assert_eq(answer.code, 3);
	cr_assert_str_eq(answer.diagnostic, "PVW-RPC-0002");
	cr_assert_str_eq(answer.source, "rpc:HelloRequest.client_name");
	rig_end(&rig);
}

Test(server_core, limits_of_methods_come_before_decoding)
{
	Rig rig = rig_new();
	uint8_t *payload = calloc(1, 4097);

	rig_call(&rig,
		(ProbeCall){ .method = "Hello", .stream = 1, .payload = payload, .len = 4097 });
	assert_answer(&rig, 1, 8, "PVW-RPC-0019", "at most 4096");
	free(payload);
	rig_end(&rig);
}

Test(server_core, limits_of_lists_are_applied)
{
	Rig rig = rig_new();
	Probe items = { 0 };

	for (int i = 0; i < 65; i++)
		probe_field(&items, 1, "", 0);
	rig_call(&rig,
		(ProbeCall){ .method = "HandleIntercepts",
			.stream = 1,
			.payload = items.data,
			.len = items.len });
	assert_answer(&rig, 1, 3, "PVW-RPC-0007", "at most 64");
	probe_free(&items);
	rig_end(&rig);
}

Test(server_core, takes_the_longest_frame)
{
	Rig rig = rig_new();
	Probe p = { 0 }, envelope = { 0 };
	uint8_t *blob = calloc(1, FRAME_MAX_DATA);

	/* PutBlob{chunk{data}} that fills the frame to its last byte. */
	for (size_t spare = 64;; spare--) {
		Probe chunk = { 0 }, request = { 0 };

		envelope.len = 0;
		probe_field(&chunk, 4, blob, FRAME_MAX_DATA - spare);
		probe_field(&request, 2, chunk.data, chunk.len);
		probe_field(&envelope, 1, PROBE_SERVICE, strlen(PROBE_SERVICE));
		probe_field(&envelope, 2, "PutBlob", 7);
		probe_field(&envelope, 3, request.data, request.len);
		probe_free(&chunk);
		probe_free(&request);
		if (envelope.len == FRAME_MAX_DATA)
			break;
		cr_assert_lt(envelope.len, FRAME_MAX_DATA);
	}
	probe_header(&p, (uint32_t)envelope.len, 1, 1, 0);
	probe_add(&p, envelope.data, envelope.len);
	rig_feed_probe(&rig, &p);
	assert_answer(&rig, 1, 9, "PVW-SESSION-0001", "PutBlob");
	cr_assert_eq(rig.calls, 1);
	probe_free(&p);
	probe_free(&envelope);
	free(blob);
	rig_end(&rig);
}

Test(server_core, skips_frames_between_four_and_sixteen_mebibytes)
{
	const uint32_t sizes[] = { FRAME_MAX_DATA + 1, 0x00ffffff };

	for (size_t s = 0; s < ARRAY_COUNT(sizes); s++) {
		Rig rig = rig_new();
		Probe p = { 0 };
		uint8_t *piece = malloc(65536);
		uint32_t left = sizes[s], len;

		memset(piece, 'P', 65536);
		probe_header(&p, sizes[s], 3, 1, 0);
		rig_feed_probe(&rig, &p);
		while (left > 0) {
			const uint32_t n = left < 65536 ? left : 65536;

			cr_assert_eq(server_core_output(rig.core).len, 0);
			cr_assert_eq(server_core_input(rig.core, &len), CORE_INPUT_DATA);
			cr_assert_eq(len, sizes[s]);
			rig_feed(&rig, piece, n);
			left -= n;
		}
		assert_answer(&rig, 3, 8, "PVW-RPC-0018", "4194304");
		rig_call(&rig, health);
		assert_success(&rig, 1);
		cr_assert_eq(server_core_counts(rig.core)->frames_too_long, 1);
		free(piece);
		probe_free(&p);
		rig_end(&rig);
	}
}

Test(server_core, a_lower_frame_limit_holds)
{
	ServerCoreOptions options = rig_options();
	uint8_t payload[200] = { 0 };

	options.max_frame = 100;

	Rig rig = rig_with(options);

	rig_call(&rig,
		(ProbeCall){ .method = "Hello", .stream = 1, .payload = payload, .len = 200 });
	assert_answer(&rig, 1, 8, "PVW-RPC-0018", "at most 100");
	rig_end(&rig);
}

Test(server_core, refuses_other_protocols_at_their_first_byte)
{
	Rig rig = rig_new();

	rig_feed(&rig, "P", 1);
	cr_assert_eq(rig.last, CORE_BROKEN);
	cr_assert_eq(server_core_broken(rig.core)->diagnostic, PVW_RPC_0025);
	cr_assert_not_null(strstr(server_core_broken(rig.core)->text, "HTTP/2"));
	rig_end(&rig);

	for (unsigned first = 1; first < 256; first++) {
		const uint8_t byte = (uint8_t)first;

		if (byte == 'P')
			continue;
		rig = rig_new();
		rig_call(&rig, health);
		rig_feed(&rig, &byte, 1);
		cr_assert_eq(rig.last, CORE_BROKEN);
		cr_assert_eq(server_core_broken(rig.core)->diagnostic, PVW_RPC_0024);
		cr_assert_not_null(strstr(server_core_broken(rig.core)->text, "0x"));
		rig_end(&rig);
	}
}

Test(server_core, a_broken_connection_takes_nothing_more)
{
	Rig rig = rig_new();

	rig_feed(&rig, "\x7f", 1);
	rig_call(&rig, health);
	cr_assert_eq(rig.last, CORE_BROKEN);
	cr_assert_eq(rig.calls, 0);
	rig_end(&rig);
}

Test(server_core, limits_calls_in_flight)
{
	Rig rig = rig_new();

	for (uint32_t i = 0; i < 64; i++)
		rig_call(&rig, (ProbeCall){ .method = "PollEvents", .stream = 2 * i + 1 });
	cr_assert_eq(server_core_in_flight(rig.core), 64);
	cr_assert_eq(server_core_output(rig.core).len, 0);
	rig_call(&rig, (ProbeCall){ .method = "Health", .stream = 201 });
	assert_answer(&rig, 201, 8, "PVW-RPC-0020", "64");
	server_core_answer_bytes(rig.core, rig.kept[10].id, (Bytes){ 0 });
	assert_success(&rig, 21);
	rig_call(&rig, (ProbeCall){ .method = "Health", .stream = 203 });
	assert_success(&rig, 203);
	rig_end(&rig);
}

Test(server_core, deadlines_count_from_arrival)
{
	Rig rig = rig_new();
	CallId gone;

	rig.now = 5000;
	rig_call(&rig, (ProbeCall){ .method = "PollEvents", .stream = 1, .timeout = 700 });
	rig_call(&rig, (ProbeCall){ .method = "PollEvents", .stream = 3 });
	cr_assert_eq(rig.kept[0].deadline_ns, 5700);
	cr_assert_eq(rig.kept[1].deadline_ns, SERVER_CORE_NO_DEADLINE);
	cr_assert_eq(server_core_deadline(rig.core), 5700);
	cr_assert_not(server_core_expire(rig.core, 5699, &gone));
	cr_assert(server_core_expire(rig.core, 5700, &gone));
	cr_assert_eq(gone.ticket, rig.kept[0].id.ticket);
	assert_answer(&rig, 1, 4, "PVW-RPC-0023", "deadline");
	cr_assert_not(server_core_expire(rig.core, UINT64_MAX - 1, &gone));
	cr_assert_eq(server_core_deadline(rig.core), SERVER_CORE_NO_DEADLINE);
	rig_end(&rig);
}

Test(server_core, an_answer_after_the_deadline_goes_nowhere)
{
	Rig rig = rig_new();
	CallId gone;

	rig_call(&rig, (ProbeCall){ .method = "PollEvents", .stream = 1, .timeout = 1 });
	cr_assert(server_core_expire(rig.core, rig.now + 1, &gone));
	assert_answer(&rig, 1, 4, "PVW-RPC-0023", "deadline");

	/* The client may use the id again; the late answer must not reach the new call. */
	rig_call(&rig, (ProbeCall){ .method = "PollEvents", .stream = 1 });
	server_core_answer_bytes(rig.core, rig.kept[0].id, (Bytes){ 0 });
	server_core_refuse(rig.core, rig.kept[0].id, &(Error){ .code = ERROR_IO });
	cr_assert_eq(server_core_output(rig.core).len, 0);
	cr_assert_eq(server_core_in_flight(rig.core), 1);
	server_core_answer_bytes(rig.core, rig.kept[1].id, (Bytes){ 0 });
	assert_success(&rig, 1);
	rig_end(&rig);
}

Test(server_core, a_negative_timeout_is_over_already)
{
	Rig rig = rig_new();

	rig_call(&rig, (ProbeCall){ .method = "Health", .stream = 1, .timeout = -1 });
	assert_answer(&rig, 1, 4, "PVW-RPC-0023", "deadline");
	rig_call(&rig, (ProbeCall){ .method = "Health", .stream = 3, .timeout = INT64_MIN });
	assert_answer(&rig, 3, 4, "PVW-RPC-0023", "deadline");
	cr_assert_eq(rig.calls, 0);
	rig_end(&rig);
}

Test(server_core, timeouts_are_cut_to_an_hour)
{
	Rig rig = rig_new();

	rig_call(
		&rig, (ProbeCall){ .method = "PollEvents", .stream = 1, .timeout = INT64_MAX });
	cr_assert_eq(rig.kept[0].deadline_ns, rig.now + UINT64_C(3600000000000));
	rig_end(&rig);
}

Test(server_core, stops_reading_above_half_of_the_output)
{
	ServerCoreOptions options = rig_options();
	Probe p = { 0 };
	size_t answered = 0;

	options.max_output = 600; /* an answer of Health is 12 bytes */

	Rig rig = rig_with(options);

	for (uint32_t i = 0; i < 1000; i++)
		probe_call(&p, (ProbeCall){ .method = "Health", .stream = 2 * i + 1 });
	rig_feed_probe(&rig, &p);
	cr_assert_eq(rig.last, CORE_BLOCKED);
	cr_assert(server_core_is_blocked(rig.core));
	cr_assert_eq(rig.calls, 26, "26 answers of 12 bytes are more than 300 bytes");

	while (answered < 1000) {
		assert_success(&rig, (uint32_t)(2 * answered + 1));
		answered++;
		rig_feed(&rig, NULL, 0);
		cr_assert_leq(server_core_output(rig.core).len, 312);
	}
	cr_assert_eq(rig.last, CORE_NEED_INPUT);
	cr_assert_eq(rig.calls, 1000);
	probe_free(&p);
	rig_end(&rig);
}

Test(server_core, answers_that_do_not_fit_become_failures)
{
	Rig rig = rig_new();
	uint8_t *large = calloc(1, FRAME_MAX_DATA);

	rig_call(&rig, (ProbeCall){ .method = "PollEvents", .stream = 1 });
	rig_call(&rig, (ProbeCall){ .method = "PollEvents", .stream = 3 });
	server_core_answer_bytes(
		rig.core, rig.kept[0].id, (Bytes){ large, FRAME_MAX_DATA - 4 });
	assert_answer(&rig, 1, 8, "PVW-RPC-0022", "4194304");
	server_core_answer_bytes(
		rig.core, rig.kept[1].id, (Bytes){ large, FRAME_MAX_DATA - 5 });

	const Bytes out = server_core_output(rig.core);

	cr_assert_eq(out.len, 10 + (size_t)FRAME_MAX_DATA);
	free(large);
	rig_end(&rig);
}

Test(server_core, kept_answers_cannot_grow_the_queue_without_bound)
{
	Rig rig = rig_new();
	const size_t size = 4000000;
	uint8_t *large = calloc(1, size);

	for (uint32_t i = 0; i < 10; i++)
		rig_call(&rig, (ProbeCall){ .method = "PollEvents", .stream = 2 * i + 1 });
	for (uint32_t i = 0; i < 10; i++)
		server_core_answer_bytes(rig.core, rig.kept[i].id, (Bytes){ large, size });
	cr_assert_leq(server_core_output(rig.core).len, 12u << 20);
	server_core_sent(rig.core, 3 * (10 + size + 5));
	assert_answer(&rig, 7, 8, "PVW-RPC-0022", "unread");
	free(large);
	rig_end(&rig);
}

Test(server_core, a_stopped_core_refuses_new_calls)
{
	Rig rig = rig_new();

	rig_call(&rig, (ProbeCall){ .method = "PollEvents", .stream = 1 });
	server_core_stop(rig.core);
	rig_call(&rig, (ProbeCall){ .method = "Health", .stream = 3 });
	assert_answer(&rig, 3, 14, "PVW-RPC-0026", "stopping");
	server_core_answer_bytes(rig.core, rig.kept[0].id, (Bytes){ 0 });
	assert_success(&rig, 1);
	rig_end(&rig);
}

Test(server_core, unpacking_is_bounded)
{
	Rig rig = rig_new();
	Probe vps = { 0 }, payload = { 0 };

	/* Two bytes each on the wire, 48 bytes and a scan entry each in memory. */
	for (int i = 0; i < 60000; i++)
		probe_field(&vps, 6, "", 0);
	probe_field(&payload, 8, vps.data, vps.len);
	rig_call(&rig,
		(ProbeCall){ .method = "LoadBootInfo",
			.stream = 1,
			.payload = payload.data,
			.len = payload.len });
	assert_answer(&rig, 1, 8, "PVW-RPC-0021", "unpack");
	cr_assert_leq(arena_used(rig.decode), 16u << 20);
	probe_free(&vps);
	probe_free(&payload);
	rig_end(&rig);
}

Test(server_core, counts_what_it_did)
{
	Rig rig = rig_new();

	rig_call(&rig, health);
	rig_call(&rig, (ProbeCall){ .method = "Nothing", .stream = 3 });
	rig_call(&rig, (ProbeCall){ .method = "Plan", .stream = 5 });

	const ServerCoreCounts *counts = server_core_counts(rig.core);

	cr_assert_eq(counts->calls, 2);
	cr_assert_eq(counts->answered, 1);
	cr_assert_eq(counts->refused, 2);
	cr_assert_eq(counts->frames, 3);
	rig_end(&rig);
}

/* A stream of calls that means something, for the mutations to break. */
static void seed_stream(Probe *p, uint64_t *random)
{
	static const char *const methods[] = { "Hello", "Health", "PollEvents", "Plan",
		"HandleIntercepts", "SetLogFilter", "LoadBootInfo", "Configure" };

	for (uint32_t i = 0; i < 12; i++) {
		uint8_t payload[40];
		const size_t len = i % 2 ? 0 : probe_random(random) % sizeof(payload);

		for (size_t k = 0; k < len; k++)
			payload[k] = (uint8_t)(probe_random(random) % 64);
		probe_call(p,
			(ProbeCall){
				.method = methods[probe_random(random) % ARRAY_COUNT(methods)],
				.stream = 2 * i + 1,
				.payload = payload,
				.len = len,
				.timeout = probe_random(random) % 4 ? 0 : 1000 });
	}
}

static void mutate(Probe *p, uint64_t *random)
{
	const uint64_t count = 1 + probe_random(random) % 12;

	for (uint64_t i = 0; i < count; i++) {
		const size_t at = probe_random(random) % p->len;

		switch (probe_random(random) % 4) {
		case 0:
			p->data[at] = (uint8_t)probe_random(random);
			break;
		case 1:
			p->data[at] ^= (uint8_t)(1 << probe_random(random) % 8);
			break;
		case 2:
			memmove(p->data + at, p->data + at + 1, p->len - at - 1);
			p->len--;
			break;
		default:
			p->len = p->len > 40 ? p->len - probe_random(random) % 20 : p->len;
			break;
		}
	}
}

/* Every answer is a well-formed response; nothing hangs, nothing crashes, memory stays bounded. */
static void drain(Rig *rig)
{
	for (;;) {
		const Bytes out = server_core_output(rig->core);
		const ProbeAnswer answer = probe_answer(out.data, out.len);

		if (out.len == 0)
			return;
		cr_assert_gt(answer.frame_size, 0, "a malformed answer");
		cr_assert(answer.code != 0 && (answer.code > 0) != answer.has_payload,
			"exactly one of status and payload");
		server_core_sent(rig->core, answer.frame_size);
	}
}

Test(server_core, survives_mutated_streams)
{
	size_t broken = 0, served = 0;

	for (uint64_t seed = 1; seed <= 2000; seed++) {
		uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15);
		Rig rig = rig_new();
		Probe p = { 0 };

		seed_stream(&p, &random);
		mutate(&p, &random);
		for (size_t at = 0; at < p.len && rig.last != CORE_BROKEN;) {
			const size_t left = p.len - at;
			const size_t n = 1 + probe_random(&random) % (left < 97 ? left : 97);
			CallId gone;

			rig_feed(&rig, p.data + at, n);
			rig.now += 100;
			while (server_core_expire(rig.core, rig.now, &gone))
				continue;
			drain(&rig);
			at += n;
		}
		broken += rig.last == CORE_BROKEN;
		served += rig.calls;
		cr_assert_leq(server_core_in_flight(rig.core), 64);
		probe_free(&p);
		rig_end(&rig);
	}
	cr_assert_gt(broken, 100);
	cr_assert_gt(served, 1000);
}
