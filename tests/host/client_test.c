/*
 * The blocking client against a peer that answers with bytes written here by hand.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/client.h"
#include "proto/worker.pb-c.h"
#include "support/diagnostics.h"

#define HEADER 10

typedef struct Rig {
	Arena *arena;
	Client *client;
	pid_t peer;
} Rig;

/* Reads one request to its end: the length is the first four bytes, big-endian. */
static void take_request(int fd, uint8_t stream[4])
{
	uint8_t header[HEADER], body[4096];
	size_t len;

	if (recv(fd, header, HEADER, MSG_WAITALL) != HEADER)
		_exit(1);
	len = (size_t)header[2] << 8 | header[3];
	if (len > sizeof(body) || recv(fd, body, len, MSG_WAITALL) != (ssize_t)len)
		_exit(1);
	memcpy(stream, header + 4, 4);
}

/* A peer that answers each request with @data as the response's bytes; NULL: not at all. */
static Rig rig_new(const char *data, size_t len)
{
	Rig rig = { .arena = arena_new(1 << 20) };
	int ends[2];
	char address[32];
	Error err = { 0 };

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	rig.peer = fork();
	if (rig.peer == 0) {
		uint8_t frame[HEADER + 256] = { 0, 0, 0, (uint8_t)len, 0, 0, 0, 0, 2, 0 };

		close(ends[0]);
		take_request(ends[1], frame + 4);
		if (data) {
			memcpy(frame + HEADER, data, len);
			if (write(ends[1], frame, HEADER + len) < 0)
				_exit(1);
		} else if (len) {
			pause();
		}
		_exit(0);
	}
	close(ends[1]);
	snprintf(address, sizeof(address), "fd:%d", ends[0]);
	cr_assert(client_open(address, &rig.client, &err), "%s", err.text);
	return rig;
}

static bool call_health(
	Rig *rig, uint32_t timeout_ms, Pvw__V1__HealthResponse **out, Error *err)
{
	Pvw__V1__HealthRequest request;

	pvw__v1__health_request__init(&request);
	return client_call(rig->client, "Health", &request.base, timeout_ms, rig->arena,
		(ProtobufCMessage **)(void *)out, err);
}

static void rig_end(Rig *rig)
{
	client_close(rig->client);
	kill(rig->peer, SIGKILL);
	waitpid(rig->peer, NULL, 0);
	arena_free(rig->arena);
}

Test(client, unpacks_an_answer)
{
	/* Response.payload (2), bytes: HealthResponse { state (1): EMPTY, ready (3): true } */
	static const char bytes[] = "\x12\x04\x08\x01\x18\x01";
	Rig rig = rig_new(bytes, sizeof(bytes) - 1);
	Pvw__V1__HealthResponse *health;
	Error err = { 0 };

	cr_assert(call_health(&rig, 0, &health, &err), "%s", err.text);

	cr_assert_eq(health->state, PVW__V1__WORKER_STATE__WORKER_STATE_EMPTY);
	cr_assert(health->ready);
	rig_end(&rig);
}

Test(client, gives_the_workers_refusal)
{
	/* Response.status (1): Status { code (1): 9, message (2): "no" } */
	static const char bytes[] = "\x0a\x06\x08\x09\x12\x02no";
	Rig rig = rig_new(bytes, sizeof(bytes) - 1);
	Pvw__V1__HealthResponse *health;
	Error err = { 0 };

	cr_assert_not(call_health(&rig, 0, &health, &err));

	cr_assert_not_null(strstr(err.text, "FAILED_PRECONDITION"), "%s", err.text);
	rig_end(&rig);
}

Test(client, refuses_an_answer_that_is_no_message)
{
	/* field 1 of HealthResponse as a length without bytes */
	static const char bytes[] = "\x12\x02\x0a\x09";
	Rig rig = rig_new(bytes, sizeof(bytes) - 1);
	Pvw__V1__HealthResponse *health;
	Error err = { 0 };

	cr_assert_not(call_health(&rig, 0, &health, &err));

	cr_assert_eq(err.diagnostic, PVW_CLIENT_0003);
	cr_assert_not_null(strstr(err.text, "Health"), "%s", err.text);
	rig_end(&rig);
}

Test(client, notices_a_peer_that_leaves)
{
	Rig rig = rig_new(NULL, 0);
	Pvw__V1__HealthResponse *health;
	Error err = { 0 };

	cr_assert_not(call_health(&rig, 0, &health, &err));

	cr_assert_eq(err.diagnostic, PVW_CLIENT_0001);
	cr_assert_not_null(strstr(err.text, "closed"), "%s", err.text);
	rig_end(&rig);
}

Test(client, stops_waiting, .timeout = 30)
{
	Rig rig = rig_new(NULL, 1);
	Pvw__V1__HealthResponse *health;
	Error err = { 0 };

	cr_assert_not(call_health(&rig, 1, &health, &err));

	cr_assert_eq(err.diagnostic, PVW_CLIENT_0002);
	cr_assert_not_null(strstr(err.text, "in time"), "%s", err.text);
	rig_end(&rig);
}

Test(client, names_the_address_where_nobody_is)
{
	Client *client;
	Error err = { 0 };

	cr_assert_not(client_open("unix:/nonexistent/pvw.sock", &client, &err));

	cr_assert_eq(err.diagnostic, PVW_CLIENT_0001);
	cr_assert_not_null(strstr(err.text, "/nonexistent/pvw.sock"), "%s", err.text);
}

Test(client, knows_the_methods)
{
	Rig rig = rig_new(NULL, 1);
	Pvw__V1__HealthRequest request;
	ProtobufCMessage *response;
	Error err = { 0 };

	pvw__v1__health_request__init(&request);
	cr_assert_not(
		client_call(rig.client, "Heal", &request.base, 0, rig.arena, &response, &err));

	cr_assert_eq(err.diagnostic, PVW_CLIENT_0004);
	cr_assert_not_null(strstr(err.text, "Heal"), "%s", err.text);
	rig_end(&rig);
}
