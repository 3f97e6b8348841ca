/*
 * Looking after the worker: health, metrics, log filter, shutdown, signals.
 */
#include <signal.h>
#include <string.h>

#include "worker/convert.h"
#include "worker/service_internal.h"

bool service_health(const Call *call, const Pvw__V1__HealthRequest *in,
	Pvw__V1__HealthResponse *out, Error *err)
{
	Service *service = call->service;
	const uint64_t now_ns = server_now_ns();
	const SessionState state = session_state(service->session);

	(void)in;
	(void)err;
	out->state = service_wire_state(service);
	process_sample(&service->process, now_ns);
	out->uptime_ns = now_ns - service->started_ns;
	out->ready = state != SESSION_FAILED && state != SESSION_STOPPING;
	if (state == SESSION_FAILED)
		out->why_not = convert_text_out("a load broke off: Reset leads out");
	if (state == SESSION_STOPPING)
		out->why_not = convert_text_out("stopping");
	out->rss_bytes = service->process.rss_bytes;
	out->open_fds = service->process.open_fds;
	out->sandboxed = service->sandboxed;
	out->confidential_filter = service_is_filtered(service);
	return true;
}

/*
 * Metrics.
 */

typedef struct MetricValue {
	const char *name, *unit;
	bool is_gauge;
	uint64_t value;
} MetricValue;

typedef struct MetricList {
	MetricValue items[32 + 3 * SERVICE_METHODS];
	size_t count;
	const char *prefix;
} MetricList;

static void add_metric(
	MetricList *list, const char *name, const char *unit, bool is_gauge, uint64_t value)
{
	if (strncmp(name, list->prefix, strlen(list->prefix)) == 0 &&
		list->count < ARRAY_COUNT(list->items))
		list->items[list->count++] = (MetricValue){ name, unit, is_gauge, value };
}

static void add_worker_metrics(Service *service, MetricList *list)
{
	process_sample(&service->process, server_now_ns());
	add_metric(list, "process.rss", "bytes", true, service->process.rss_bytes);
	add_metric(list, "process.fds", "1", true, service->process.open_fds);
	add_metric(list, "session.arena", "bytes", true, session_arena_bytes(service->session));
	add_metric(
		list, "session.generation", "1", false, session_generation(service->session));
	add_metric(list, "events.last", "1", false, events_last(service->options.events));
	add_metric(list, "log.dropped", "lines", false, log_dropped(service->options.log));
}

static void add_server_metrics(const Service *service, MetricList *list)
{
	const ServerCounts counts = server_counts(service->server);

	add_metric(list, "rpc.connections", "1", true, counts.connections);
	add_metric(list, "rpc.in_flight", "1", true, counts.in_flight);
	add_metric(list, "rpc.accepted", "1", false, counts.accepted);
	add_metric(list, "rpc.refused_peers", "1", false, counts.refused_peers);
	add_metric(list, "rpc.refused_limit", "1", false, counts.refused_limit);
	add_metric(list, "rpc.closed", "1", false, counts.closed);
	add_metric(list, "rpc.calls", "1", false, counts.calls);
	add_metric(list, "rpc.answered", "1", false, counts.answered);
	add_metric(list, "rpc.refused", "1", false, counts.refused);
	add_metric(list, "rpc.expired", "1", false, counts.expired);
	add_metric(list, "rpc.frames_ignored", "1", false, counts.frames_ignored);
	add_metric(list, "rpc.frames_too_long", "1", false, counts.frames_too_long);
	add_metric(list, "rpc.too_slow", "1", false, counts.too_slow);
	add_metric(list, "rpc.stalled", "1", false, counts.stalled);
	add_metric(list, "rpc.broken", "1", false, counts.broken);
	add_metric(list, "rpc.bytes_in", "bytes", false, counts.bytes_in);
	add_metric(list, "rpc.bytes_out", "bytes", false, counts.bytes_out);
}

/* rpc.method.Plan.calls, .failures, .time: only of methods that were called */
static bool add_method_metrics(const Call *call, MetricList *list, Error *err)
{
	const MethodTable *table = service_methods();

	for (size_t i = 0; i < table->count; i++) {
		const MethodCounts *counts = &call->service->counts[i];
		const char *name = table->rows[i].name;
		const char *calls, *failures, *time;

		if (!counts->calls)
			continue;
		calls = arena_printf(call->arena, err, "rpc.method.%s.calls", name);
		failures = arena_printf(call->arena, err, "rpc.method.%s.failures", name);
		time = arena_printf(call->arena, err, "rpc.method.%s.time", name);
		if (!calls || !failures || !time)
			return false;
		add_metric(list, calls, "1", false, counts->calls);
		add_metric(list, failures, "1", false, counts->failures);
		add_metric(list, time, "ns", false, counts->total_ns);
	}
	return true;
}

bool service_metrics(const Call *call, const Pvw__V1__MetricsRequest *in,
	Pvw__V1__MetricsResponse *out, Error *err)
{
	MetricList list = { .prefix = in->prefix };

	add_worker_metrics(call->service, &list);
	if (call->service->server)
		add_server_metrics(call->service, &list);
	if (!add_method_metrics(call, &list, err))
		return false;
	out->metrics = message_list(call->arena, &pvw__v1__metric__descriptor, list.count, err);
	if (!out->metrics)
		return false;
	out->n_metrics = list.count;
	for (size_t i = 0; i < list.count; i++) {
		const MetricValue *value = &list.items[i];
		Pvw__V1__Metric *metric = out->metrics[i];

		metric->name = convert_text_out(value->name);
		metric->unit = convert_text_out(value->unit);
		if (value->is_gauge) {
			metric->value_case = PVW__V1__METRIC__VALUE_GAUGE;
			metric->gauge = (int64_t)value->value;
		} else {
			metric->value_case = PVW__V1__METRIC__VALUE_COUNTER;
			metric->counter = value->value;
		}
	}
	return true;
}

bool service_set_log_filter(const Call *call, const Pvw__V1__SetLogFilterRequest *in,
	Pvw__V1__SetLogFilterResponse *out, Error *err)
{
	Log *log = call->service->options.log;
	const char *previous;

	if (!log)
		return error_set(
			err, PVW_SERVICE_0001, "a log filter, expected a worker that logs");
	previous = arena_printf(call->arena, err, "%s", log_filter(log));
	if (!previous || !log_set_filter(log, in->filter, err))
		return false;
	out->previous = convert_text_out(previous);
	return true;
}

/*
 * The end.
 */

bool service_shutdown(const Call *call, const Pvw__V1__ShutdownRequest *in,
	Pvw__V1__ShutdownResponse *out, Error *err)
{
	(void)out;
	(void)err;
	server_stop(call->service->server, in->drain_ms,
		in->why[0] ? in->why : "Shutdown was called");
	return true;
}

void service_stopping(void *context, const char *why)
{
	Service *service = context;

	(void)why;
	session_stop(service->session);
	service_note_state(service);
	service_poll_answer_all(service);
}

void service_signalled(void *context, int signal)
{
	Service *service = context;
	Error err = { 0 };

	if (signal == SIGHUP && !log_reopen(service->options.log, &err))
		log_error(service->options.log, LOG_LEVEL_WARN, LOG_CLASS_ALLOWED, "log", &err);
	process_sample(&service->process, server_now_ns());
	if (signal == SIGUSR1)
		log_line(service->options.log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, "session",
			"state %s, generation %llu, arena %zu bytes, rss %llu bytes",
			session_state_name(session_state(service->session)),
			(unsigned long long)session_generation(service->session),
			session_arena_bytes(service->session),
			(unsigned long long)service->process.rss_bytes);
}
