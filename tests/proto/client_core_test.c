/*
 * The client's end, alone and against the server's end.
 */
#include <criterion/criterion.h>

#include "helpers/rpc_probe.h"
#include "proto/client_core.h"
#include "proto/rpc_status.h"
#include "proto/server_core.h"
#include "support/diagnostics.h"

typedef struct Rig {
	Arena *arena;
	ClientCore *client;
} Rig;

static Rig rig_new(void)
{
	Rig rig = { .arena = arena_new(1 << 20) };
	Error err;

	rig.client = client_core_new(rig.arena, &err);
	cr_assert_not_null(rig.client);
	return rig;
}

static void rig_end(Rig *rig)
{
	client_core_end(rig->client);
	arena_free(rig->arena);
}

static uint32_t call_health(Rig *rig)
{
	Pvw__V1__HealthRequest request = PVW__V1__HEALTH_REQUEST__INIT;
	uint32_t stream;
	Error err;

	cr_assert(client_core_call(
		rig->client, PROBE_SERVICE, "Health", &request.base, 5, &stream, &err));
	return stream;
}

static void feed(Rig *rig, const Probe *p)
{
	client_core_feed(rig->client, (Bytes){ p->data, p->len });
}

Test(client_core, writes_requests_that_others_read)
{
	Rig rig = rig_new();
	Pvw__V1__SetLogFilterRequest request = PVW__V1__SET_LOG_FILTER_REQUEST__INIT;
	uint32_t stream;
	Error err;

	request.filter = (char *)"info";
	cr_assert_eq(call_health(&rig), 1);
	client_core_sent(rig.client, client_core_output(rig.client).len);
	cr_assert(client_core_call(
		rig.client, PROBE_SERVICE, "SetLogFilter", &request.base, -7, &stream, &err));
	cr_assert_eq(stream, 3);

	const Bytes out = client_core_output(rig.client);
	Ttrpc__Request *envelope = ttrpc__request__unpack(NULL, out.len - 10, out.data + 10);

	cr_assert_not_null(envelope);
	cr_assert_str_eq(envelope->service, PROBE_SERVICE);
	cr_assert_str_eq(envelope->method, "SetLogFilter");
	cr_assert_eq(envelope->timeout_nano, -7);
	cr_assert_eq(envelope->payload.len, 6);
	cr_assert(out.data[7] == 3 && out.data[8] == 1 && out.data[9] == 0);
	ttrpc__request__free_unpacked(envelope, NULL);
	rig_end(&rig);
}

Test(client_core, gives_answers_in_any_order)
{
	Rig rig = rig_new();
	Probe p = { 0 };
	ClientAnswer answer;

	call_health(&rig);
	call_health(&rig);
	probe_header(&p, 5, 3, 2, 0);
	probe_add(&p,
		"\x12\x03"
		"abc",
		5);
	probe_header(&p, 0, 1, 2, 0);
	for (size_t i = 0; i < 14; i++) {
		client_core_feed(rig.client, (Bytes){ p.data + i, 1 });
		cr_assert_eq(client_core_next(rig.client, &answer), CLIENT_NEED_INPUT);
	}
	client_core_feed(rig.client, (Bytes){ p.data + 14, p.len - 14 });
	cr_assert_eq(client_core_next(rig.client, &answer), CLIENT_ANSWER);
	cr_assert(answer.stream == 3 && answer.status == 0 && answer.payload.len == 3);
	cr_assert_eq(memcmp(answer.payload.data, "abc", 3), 0);
	cr_assert_eq(client_core_next(rig.client, &answer), CLIENT_ANSWER);
	cr_assert(answer.stream == 1 && answer.payload.len == 0);
	cr_assert_eq(client_core_next(rig.client, &answer), CLIENT_NEED_INPUT);
	probe_free(&p);
	rig_end(&rig);
}

Test(client_core, drops_what_nobody_waits_for)
{
	Rig rig = rig_new();
	Probe p = { 0 };
	ClientAnswer answer;

	call_health(&rig);
	call_health(&rig);
	client_core_forget(rig.client, 3);
	probe_header(&p, 0, 3, 2, 0);
	probe_header(&p, 2, 99, 2, 0);
	probe_add(&p, "\x12\x00", 2);
	probe_header(&p, 1, 1, 3, 0);
	probe_add(&p, "x", 1);
	probe_header(&p, 0, 1, 2, 0);
	feed(&rig, &p);
	cr_assert_eq(client_core_next(rig.client, &answer), CLIENT_ANSWER);
	cr_assert_eq(answer.stream, 1);
	cr_assert_eq(client_core_next(rig.client, &answer), CLIENT_NEED_INPUT);
	probe_free(&p);
	rig_end(&rig);
}

Test(client_core, breaks_on_what_is_no_response)
{
	Rig rig = rig_new();
	Probe p = { 0 };
	ClientAnswer answer;

	call_health(&rig);
	probe_header(&p, 1, 1, 2, 0);
	probe_add(&p, "\xff", 1);
	feed(&rig, &p);
	cr_assert_eq(client_core_next(rig.client, &answer), CLIENT_BROKEN);
	cr_assert_eq(client_core_broken(rig.client)->diagnostic, PVW_RPC_0027);
	rig_end(&rig);

	rig = rig_new();
	client_core_feed(rig.client, (Bytes){ (const uint8_t *)"HTTP/1.1 400", 12 });
	cr_assert_eq(client_core_next(rig.client, &answer), CLIENT_BROKEN);
	cr_assert_not_null(strstr(client_core_broken(rig.client)->text, "4194304"));
	probe_free(&p);
	rig_end(&rig);
}

Test(client_core, limits_what_is_in_flight_and_in_a_frame)
{
	Rig rig = rig_new();
	uint32_t stream;
	Error err;

	for (int i = 0; i < CLIENT_CORE_MAX_INFLIGHT; i++)
		call_health(&rig);
	cr_assert_not(client_core_call_bytes(
		rig.client, PROBE_SERVICE, "Health", (Bytes){ 0 }, 0, &stream, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0020);
	cr_assert_not_null(strstr(err.text, "64"));
	client_core_forget(rig.client, 1);

	uint8_t *large = calloc(1, FRAME_MAX_DATA);

	cr_assert_not(client_core_call_bytes(rig.client, PROBE_SERVICE, "PutBlob",
		(Bytes){ large, FRAME_MAX_DATA }, 0, &stream, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0018);
	cr_assert_not_null(strstr(err.text, "4194304"));
	free(large);
	rig_end(&rig);
}

Test(client_core, speaks_with_the_server_core)
{
	const MethodTable *tables[] = { probe_table() };
	const ServerCoreOptions options = { .tables = { tables, 1 },
		.max_frame = FRAME_MAX_DATA,
		.max_inflight = 64,
		.max_output = 1 << 20 };
	Rig rig = rig_new();
	Arena *decode = arena_new(1 << 20);
	Pvw__V1__SetLogFilterRequest request = PVW__V1__SET_LOG_FILTER_REQUEST__INIT;
	Pvw__V1__SetLogFilterResponse response = PVW__V1__SET_LOG_FILTER_RESPONSE__INIT;
	uint32_t good, bad;
	ServerCall call;
	ClientAnswer answer;
	Error err, said;
	ServerCore *server = server_core_new(&options, rig.arena, &err);

	request.filter = (char *)"warn";
	cr_assert(client_core_call(
		rig.client, PROBE_SERVICE, "SetLogFilter", &request.base, 0, &good, &err));
	cr_assert(client_core_call(
		rig.client, PROBE_SERVICE, "Missing", &request.base, 0, &bad, &err));
	server_core_feed(server, client_core_output(rig.client));
	cr_assert_eq(server_core_next(server, 0, decode, &call), CORE_CALL);
	response.previous =
		((const Pvw__V1__SetLogFilterRequest *)(const void *)call.message)->filter;
	server_core_answer(server, call.id, &response.base);
	cr_assert_eq(server_core_next(server, 0, decode, &call), CORE_NEED_INPUT);

	client_core_feed(rig.client, server_core_output(server));
	cr_assert_eq(client_core_next(rig.client, &answer), CLIENT_ANSWER);
	cr_assert(answer.stream == bad || answer.stream == good);
	for (int i = 0; i < 2; i++) {
		if (answer.stream == good) {
			cr_assert_eq(answer.status, RPC_OK);
			cr_assert_eq(answer.payload.len, 6);
		} else {
			cr_assert_eq(answer.status, RPC_UNIMPLEMENTED);
			cr_assert_not(client_answer_error(&answer, &said));
			cr_assert_eq(said.diagnostic, PVW_RPC_0013);
			cr_assert_not_null(strstr(said.text, "Missing"));
		}
		if (i == 0)
			cr_assert_eq(client_core_next(rig.client, &answer), CLIENT_ANSWER);
	}
	server_core_end(server);
	arena_free(decode);
	rig_end(&rig);
}

Test(client_core, failures_of_strangers_become_errors_too)
{
	const ClientAnswer answer = { .status = 14, .message = "go away" };
	Error err;

	cr_assert_not(client_answer_error(&answer, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0027);
	cr_assert_str_eq(err.text, "UNAVAILABLE: go away");
}

Test(client_core, a_lost_connection_gives_what_came_before_its_end)
{
	Rig rig = rig_new();
	Probe p = { 0 };
	ClientAnswer answer;

	call_health(&rig);
	call_health(&rig);
	probe_header(&p, 0, 1, 2, 0);
	probe_header(&p, 9, 3, 2, 0);
	feed(&rig, &p);
	client_core_lost(rig.client);
	cr_assert_eq(client_core_next(rig.client, &answer), CLIENT_ANSWER);
	cr_assert_eq(answer.stream, 1);
	cr_assert_eq(client_core_next(rig.client, &answer), CLIENT_BROKEN);
	cr_assert_eq(client_core_broken(rig.client)->diagnostic, PVW_RPC_0028);
	cr_assert_not_null(strstr(client_core_broken(rig.client)->text, "1 calls"));
	probe_free(&p);
	rig_end(&rig);
}
