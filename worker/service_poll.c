/*
 * Events by long poll: answer at once what there is, else when something happens or time is up.
 */
#include <string.h>

#include "worker/convert.h"
#include "worker/service_internal.h"

#define MAX_EVENTS 256                     /* in one answer */
#define ANSWER_LIMIT ((size_t)1024 * 1024) /* bytes of arena for a late answer */

static Pvw__V1__LogLevel level_out(int32_t level)
{
	return (Pvw__V1__LogLevel)level;
}

/* What an event holds depends on its kind. */
static bool event_out(const Event *in, Arena *arena, Pvw__V1__Event *out, Error *err)
{
	out->seq = in->seq;
	out->time_unix_ns = in->time_unix_ns;
	switch (in->kind) {
	case EVENT_KIND_STATE:
		out->kind = PVW__V1__EVENT_KIND__EVENT_STATE;
		out->state = (Pvw__V1__WorkerState)in->value;
		return true;
	case EVENT_KIND_LOG:
		out->kind = PVW__V1__EVENT_KIND__EVENT_LOG;
		out->log = message_new(arena, &pvw__v1__log_record__descriptor, err);
		if (!out->log)
			return false;
		out->log->level = level_out(in->value);
		out->log->klass = in->confidential ? PVW__V1__LOG_CLASS__LOG_CLASS_CONFIDENTIAL
						   : PVW__V1__LOG_CLASS__LOG_CLASS_ALLOWED;
		out->log->target = convert_text_out(in->target);
		out->log->text = convert_text_out(in->text);
		return true;
	case EVENT_KIND_DIAGNOSTIC:
		out->kind = PVW__V1__EVENT_KIND__EVENT_DIAGNOSTIC;
		out->diagnostic = message_new(arena, &pvw__v1__diagnostic__descriptor, err);
		if (!out->diagnostic)
			return false;
		out->diagnostic->severity =
			(Pvw__V1__Severity)(PVW__V1__SEVERITY__SEVERITY_NOTE + in->value);
		out->diagnostic->code = convert_text_out(diagnostic_row(in->diagnostic)->name);
		out->diagnostic->source = convert_text_out(in->source);
		out->diagnostic->text = convert_text_out(in->text);
		return true;
	case EVENT_KIND_BOOT:
		out->kind = PVW__V1__EVENT_KIND__EVENT_BOOT;
		out->boot = message_new(arena, &pvw__v1__boot_event__descriptor, err);
		if (!out->boot)
			return false;
		out->boot->what = (Pvw__V1__BootEventKind)in->value;
		out->boot->detail = convert_text_out(in->text);
		return true;
	case EVENT_KIND_COUNT:
		break;
	}
	return error_set(err, PVW_SERVICE_0008, "an event of kind %d", (int)in->kind);
}

static void overflow_out(const Event *next, uint64_t dropped, Pvw__V1__Event *out)
{
	out->seq = next->seq - 1;
	out->time_unix_ns = next->time_unix_ns;
	out->kind = PVW__V1__EVENT_KIND__EVENT_OVERFLOW;
	out->dropped = dropped;
}

/* Up to @max events behind @after; one that says how many were missed comes first. */
static bool gather(const Events *events, uint64_t after, uint32_t max, Arena *arena,
	Pvw__V1__PollEventsResponse *out, Error *err)
{
	const uint64_t last = events_last(events);
	const size_t there = after < last ? (size_t)(last - after) : 0;
	const size_t most = there < max ? there : max;
	uint64_t at = after, dropped;
	const Event *event;
	size_t n = 0;

	out->events = message_list(arena, &pvw__v1__event__descriptor, most + 1, err);
	if (!out->events)
		return false;
	while (n < most && (event = events_next(events, at, &dropped)) != NULL) {
		if (dropped)
			overflow_out(event, dropped, out->events[n++]);
		if (!event_out(event, arena, out->events[n++], err))
			return false;
		at = event->seq;
	}
	out->n_events = n;
	out->next_seq = at;
	return true;
}

static bool same_call(CallHandle a, CallHandle b)
{
	return a.connection == b.connection && a.call.stream == b.call.stream &&
		a.call.ticket == b.call.ticket;
}

static Poll *poll_of(Service *service, CallHandle call)
{
	for (size_t i = 0; i < SERVICE_MAX_POLLS; i++) {
		if (service->polls[i].waiting && same_call(service->polls[i].call, call))
			return &service->polls[i];
	}
	return NULL;
}

/*
 * A connection waits once. Who polls again has given the first one up, as a client does whose own
 * deadline was shorter than its wait; it need not know whether we have noticed.
 */
static void replace(Service *service, uint64_t connection)
{
	for (size_t i = 0; i < SERVICE_MAX_POLLS; i++) {
		Poll *poll = &service->polls[i];

		if (!poll->waiting || poll->call.connection != connection)
			continue;
		poll->replaced = true;
		/* Not from inside a call: an answer may end the connection. */
		server_wake(service->server);
	}
}

static bool keep(const Call *call, uint64_t after, uint32_t max, uint32_t wait_ms, Error *err)
{
	Service *service = call->service;

	for (size_t i = 0; i < SERVICE_MAX_POLLS; i++) {
		Poll *poll = &service->polls[i];

		if (poll->waiting)
			continue;
		replace(service, call->request->handle.connection);
		*poll = (Poll){
			.waiting = true,
			.call = call->request->handle,
			.after = after,
			.max_events = max,
		};
		service->answers_later = true;
		server_wait(service->server, poll->call, wait_ms);
		return true;
	}
	return error_set(err, PVW_SERVICE_0009, "%d PollEvents are waiting, expected less",
		SERVICE_MAX_POLLS);
}

bool service_poll_events(const Call *call, const Pvw__V1__PollEventsRequest *in,
	Pvw__V1__PollEventsResponse *out, Error *err)
{
	const Events *events = call->service->options.events;
	const uint32_t max =
		in->max_events && in->max_events < MAX_EVENTS ? in->max_events : MAX_EVENTS;
	/* A reader of a worker that was started anew begins at its beginning. */
	const uint64_t after = in->after_seq > events_last(events) ? 0 : in->after_seq;

	if (in->wait_ms > SERVICE_MAX_POLL_MS)
		return error_set(err, PVW_MSG_0002, "wait_ms %u, expected at most %d",
			in->wait_ms, SERVICE_MAX_POLL_MS);
	if (after == events_last(events) && in->wait_ms && call->service->server)
		return keep(call, after, max, in->wait_ms, err);
	return gather(events, after, max, call->arena, out, err);
}

/* A kept call gets what there is now, which may be nothing. */
static void answer(Service *service, Poll *poll)
{
	Pvw__V1__PollEventsResponse out = PVW__V1__POLL_EVENTS_RESPONSE__INIT;
	Arena *arena = arena_new(ANSWER_LIMIT);
	Error err = { 0 };

	poll->waiting = false;
	if (arena &&
		gather(service->options.events, poll->after, poll->max_events, arena, &out,
			&err)) {
		server_answer(service->server, poll->call, &out.base);
	} else {
		if (!arena)
			error_set(&err, PVW_MEM_0001, "no memory for an answer");
		server_refuse(service->server, poll->call, &err);
	}
	arena_free(arena);
}

void service_poll_answer_all(Service *service)
{
	for (size_t i = 0; i < SERVICE_MAX_POLLS; i++) {
		if (service->polls[i].waiting)
			answer(service, &service->polls[i]);
	}
}

void service_poll_waited(void *context, CallHandle call)
{
	Service *service = context;
	Poll *poll = poll_of(service, call);

	if (poll)
		answer(service, poll);
}

void service_poll_gone(void *context, CallHandle call)
{
	Service *service = context;
	Poll *poll = poll_of(service, call);

	if (poll)
		poll->waiting = false;
}

/* There are new events, or a poll was replaced. */
void service_poll_woken(void *context)
{
	Service *service = context;
	const uint64_t last = events_last(service->options.events);

	for (size_t i = 0; i < SERVICE_MAX_POLLS; i++) {
		Poll *poll = &service->polls[i];

		if (poll->waiting && (poll->replaced || poll->after < last))
			answer(service, poll);
	}
}

/* Adding an event may happen inside a call: answers are given later, from the loop. */
static void wake(void *context)
{
	Service *service = context;

	server_wake(service->server);
}

void service_poll_attach(Service *service)
{
	events_on_add(service->options.events, service->server ? wake : NULL, service);
}
