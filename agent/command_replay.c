/*
 * pvw-agent replay: what a guest did once, done again, and the answers compared.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/commands.h"
#include "agent/reach.h"
#include "agent/trace.h"
#include "host/file.h"

#define ARENA_LIMIT ((size_t)512 * 1024 * 1024)
#define BATCH_ARENA_LIMIT ((size_t)64 * 1024 * 1024)
#define BATCH_ITEMS 64
#define BATCH_BYTES ((size_t)128 * 1024) /* of lines */
#define DIFFERENCES_SHOWN 20

typedef struct Replay {
	const Invocation *invocation;
	const char *path;
	Drive *drive;
	Arena *arena; /* of one batch */
	bool answers; /* print the trace with the answers given */
	TraceLine lines[BATCH_ITEMS];
	size_t count;
	uint64_t accesses, compared, differences;
} Replay;

static bool judge(Replay *replay, const TraceLine *line, const Pvw__V1__InterceptAnswer *answer,
	Error *err)
{
	const char *text = trace_answer(line->item, answer, replay->arena, err);

	if (!text)
		return false;
	replay->accesses++;
	if (replay->answers)
		printf("%s = %s\n", line->access, text);
	if (!line->expected)
		return true;
	replay->compared++;
	if (strcmp(line->expected, text) == 0)
		return true;
	if (replay->differences++ < DIFFERENCES_SHOWN)
		fprintf(stderr, "%s:%zu: %s: answered %s, expected %s\n", replay->path,
			line->number, line->access, text, line->expected);
	return true;
}

static bool send_batch(Replay *replay, Error *err)
{
	Pvw__V1__Intercept *items[BATCH_ITEMS];
	Pvw__V1__HandleInterceptsRequest request;
	ProtobufCMessage *response;
	const Pvw__V1__HandleInterceptsResponse *out;

	pvw__v1__handle_intercepts_request__init(&request);
	for (size_t i = 0; i < replay->count; i++)
		items[i] = replay->lines[i].item;
	request.items = items;
	request.n_items = replay->count;
	if (!client_call(replay->drive->client, "HandleIntercepts", &request.base, 0,
		    replay->arena, &response, err))
		return error_wrap(err, "lines %zu to %zu", replay->lines[0].number,
			replay->lines[replay->count - 1].number);
	out = (const Pvw__V1__HandleInterceptsResponse *)response;
	if (out->n_answers != replay->count)
		return error_set(err, PVW_AGENT_0006,
			"HandleIntercepts: %zu answers, expected %zu", out->n_answers,
			replay->count);
	for (size_t i = 0; i < replay->count; i++) {
		if (!judge(replay, &replay->lines[i], out->answers[i], err))
			return false;
	}
	replay->count = 0;
	arena_reset(replay->arena);
	return true;
}

static bool replay_all(Replay *replay, Bytes text, Error *err)
{
	size_t number = 0, begun = text.len;
	bool found;

	for (;;) {
		if (!trace_next(&text, &number, replay->arena, &replay->lines[replay->count],
			    &found, err))
			return error_at(err, replay->path);
		replay->count += found;
		if (!found)
			return replay->count == 0 || send_batch(replay, err);
		if (replay->count < BATCH_ITEMS && begun - text.len < BATCH_BYTES)
			continue;
		if (!send_batch(replay, err))
			return false;
		begun = text.len;
	}
}

/* A guest prepared for it, or the one that the worker has. */
static bool prepare(Replay *replay, Fixture *fixture, Error *err)
{
	const char *path = invocation_value(replay->invocation, "fixture");

	if (!path && !invocation_has(replay->invocation, "socket"))
		return error_set(err, PVW_AGENT_0008,
			"neither --fixture nor --socket, expected a guest or a worker that has "
			"one");
	if (path && !reach_fixture(path, replay->drive->arena, fixture, err))
		return false;
	return reach_worker(replay->invocation, replay->drive, err) &&
		(!path || drive_prepare(replay->drive, err));
}

static bool run(Replay *replay, Fixture *fixture, Error *err)
{
	Bytes text;

	return file_read(replay->path, TRACE_MAX_SIZE, replay->drive->arena, &text, err) &&
		prepare(replay, fixture, err) && replay_all(replay, text, err) &&
		reach_end(replay->drive, err);
}

static ExitStatus conclude(const Replay *replay)
{
	fprintf(stderr,
		"%" PRIu64 " accesses, %" PRIu64 " answers compared, %" PRIu64 " differences\n",
		replay->accesses, replay->compared, replay->differences);
	return replay->differences ? STATUS_DIFFERENT : STATUS_DONE;
}

ExitStatus command_replay(const Invocation *invocation)
{
	Arena *arena = arena_new(ARENA_LIMIT);
	Machine machine = MACHINE_NONE;
	Fixture fixture;
	Drive drive = {
		.fixture = &fixture, .machine = &machine, .arena = arena, .quiet = true
	};
	Replay replay = {
		.invocation = invocation,
		.path = invocation_operand(invocation, 0),
		.drive = &drive,
		.arena = arena_new(BATCH_ARENA_LIMIT),
		.answers = invocation_has(invocation, "answers"),
	};
	Error err = { 0 };
	bool ok;

	if (!arena || !replay.arena)
		error_set(&err, PVW_MEM_0001, "no memory");
	ok = arena && replay.arena && run(&replay, &fixture, &err);
	client_close(drive.client);
	machine_close(&machine);
	arena_free(replay.arena);
	arena_free(arena);
	return ok ? conclude(&replay) : report_error(invocation, &err);
}
