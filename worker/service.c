/*
 * The service pvw.v1.Worker: hello, reset, and which call reaches which handler.
 */
#include "worker/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "support/version.h"
#include "worker/convert.h"
#include "worker/service_internal.h"

/* The handlers' own features; Hello lists only what works. */
static const char *const features[] = { "events", "blobs", "uefi", "pcat", "linux-in-place",
	"linux-blobs", "uefi-blobs", "igvm-blobs", "measured-pages", "intercepts" };

const char *const *service_features(size_t *count)
{
	*count = ARRAY_COUNT(features);
	return features;
}

static SessionState state_of(const Service *service)
{
	return session_state(service->session);
}

/* SAVING has no state of the session yet: the numbers of the wire have a gap there. */
static const Pvw__V1__WorkerState wire_states[SESSION_STATE_COUNT] = {
	[SESSION_EMPTY] = PVW__V1__WORKER_STATE__WORKER_STATE_EMPTY,
	[SESSION_BOOT_INFO] = PVW__V1__WORKER_STATE__WORKER_STATE_BOOT_INFO,
	[SESSION_CONFIGURED] = PVW__V1__WORKER_STATE__WORKER_STATE_CONFIGURED,
	[SESSION_PLANNED] = PVW__V1__WORKER_STATE__WORKER_STATE_PLANNED,
	[SESSION_LOADED] = PVW__V1__WORKER_STATE__WORKER_STATE_LOADED,
	[SESSION_FAILED] = PVW__V1__WORKER_STATE__WORKER_STATE_FAILED,
	[SESSION_STOPPING] = PVW__V1__WORKER_STATE__WORKER_STATE_STOPPING,
};

Pvw__V1__WorkerState service_wire_state(const Service *service)
{
	return wire_states[state_of(service)];
}

/*
 * Session.
 */

static bool take_hello(const Call *call, const Pvw__V1__HelloRequest *in,
	Pvw__V1__HelloResponse *out, Error *err)
{
	Pvw__V1__Limits *limits = message_new(call->arena, &pvw__v1__limits__descriptor, err);
	Guid correlation;

	if (!limits || !convert_guid(in->correlation_id, "correlation_id", &correlation, err))
		return false;
	if (in->major_min > SERVICE_MAJOR || in->major_max < SERVICE_MAJOR)
		return error_set(err, PVW_SERVICE_0002,
			"versions %u to %u, expected %d among them", in->major_min,
			in->major_max, SERVICE_MAJOR);
	limits->max_frame = FRAME_MAX_DATA;
	limits->max_chunk = SERVICE_MAX_CHUNK;
	limits->max_connections = server_limits_in_force((ServerLimits){ 0 }).max_connections;
	limits->max_inflight = server_limits_in_force((ServerLimits){ 0 }).max_inflight;
	limits->max_vps = BOOT_INFO_MAX_CPUS;
	limits->max_memory_ranges = BOOT_INFO_MAX_RANGES;
	limits->max_mmio_ranges = BOOT_INFO_MAX_MMIO;
	limits->max_dtb = BOOT_INFO_MAX_DTB;
	limits->max_windows = GUEST_MEMORY_MAX_WINDOWS;
	limits->max_channel_demands = CHANNEL_MAX_DEMANDS;
	limits->max_blob_bytes = blob_store_limit(session_blobs(call->service->session));

	out->major = SERVICE_MAJOR;
	out->minor = SERVICE_MINOR;
	out->worker_version = convert_text_out(PVW_VERSION);
	out->git_revision = convert_text_out(PVW_REVISION);
	out->n_features = ARRAY_COUNT(features);
	out->features = (char **)(uintptr_t)features;
	out->state = service_wire_state(call->service);
	out->limits = limits;
	out->generation = session_generation(call->service->session);
	return true;
}

static bool take_reset(const Call *call, const Pvw__V1__ResetRequest *in,
	Pvw__V1__ResetResponse *out, Error *err)
{
	(void)in;
	if (!session_reset(call->service->session, err))
		return false;
	intercepts_drop(call->service->intercepts);
	out->state = service_wire_state(call->service);
	return true;
}

/*
 * Dispatch.
 */

/* Handlers take their own message types; the descriptor of the method vouches for them. */
#define TAKES(handler) ((MethodHandler)(void (*)(void))(handler))

/* In the order of the .proto, as methods.c; NULL: of a later version. */
static const MethodHandler handlers[] = {
	TAKES(take_hello),
	TAKES(service_load_boot_info),
	TAKES(service_put_blob),
	TAKES(service_configure),
	TAKES(service_plan),
	TAKES(service_load),
	TAKES(take_reset),
	TAKES(service_get_layout),
	TAKES(service_list_artifacts),
	TAKES(service_get_artifact),
	TAKES(service_get_claims),
	TAKES(service_handle_intercepts),
	TAKES(service_poll_events),
	NULL, /* Save */
	NULL, /* Restore */
	TAKES(service_health),
	TAKES(service_metrics),
	TAKES(service_set_log_filter),
	TAKES(service_shutdown),
};

static bool check_served(const Call *call, Error *err)
{
	const MethodRef method = call->request->method;

	return handlers[method.index] ||
		error_set(err, PVW_SERVICE_0001,
			"%s, expected a method that this version serves",
			method_row(method)->name);
}

/* "PLANNED, LOADED" */
static void list_states(uint32_t states, char *text, size_t size)
{
	size_t len = 0;

	for (unsigned i = 0; i < SESSION_STATE_COUNT; i++) {
		if (states & (1u << i) && len < size)
			len += (size_t)snprintf(text + len, size - len, "%s%s", len ? ", " : "",
				session_state_name((SessionState)i));
	}
}

static bool check_state(const Call *call, Error *err)
{
	const SessionState state = state_of(call->service);
	const Method *method = method_row(call->request->method);
	char states[128] = "";

	if (method->states & (1u << state))
		return true;
	list_states(method->states, states, sizeof(states));
	return error_set(err, PVW_SESSION_0001, "%s in state %s, expected %s", method->name,
		session_state_name(state), states);
}

/*
 * One connection at a time changes the state: the first that does, until it is closed. Two hosts
 * that drive one guest would each see the other's half.
 */
static bool check_driver(const Call *call, Error *err)
{
	Service *service = call->service;
	const Method *method = method_row(call->request->method);

	if (!(method->states & SERVICE_DRIVES))
		return true;
	if (service->driver == 0)
		service->driver = call->request->handle.connection;
	if (service->driver == call->request->handle.connection)
		return true;
	return error_set(err, PVW_SERVICE_0007,
		"%s while another connection drives this worker, expected it to be closed "
		"first",
		method->name);
}

void service_note_state(Service *service)
{
	const SessionState before = service->noted;
	const SessionState now = state_of(service);

	if (now == before)
		return;
	service->noted = now;
	events_add(service->options.events,
		&(Event){
			.time_unix_ns = process_unix_ns(),
			.kind = EVENT_KIND_STATE,
			.value = (int32_t)wire_states[now],
		});
	log_line(service->options.log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, "session", "%s -> %s",
		session_state_name(before), session_state_name(now));
}

static bool serve(const Call *call, const ProtobufCMessage **response, Error *err)
{
	const MethodRef method = call->request->method;
	ProtobufCMessage *out = message_new(call->arena, method_output(method), err);

	if (!out || !check_served(call, err) || !check_state(call, err) ||
		!check_driver(call, err) ||
		!handlers[method.index](call, call->request->message, out, err))
		return false;
	*response = call->service->answers_later ? NULL : out;
	return true;
}

static bool service_call(void *context, const ServerRequest *request,
	const ProtobufCMessage **response, Error *err)
{
	Service *service = context;
	const Call call = { service, request, request->arena };
	MethodCounts *counts = &service->counts[request->method.index];
	const uint64_t begun = server_now_ns();
	bool ok;

	service->answers_later = false;
	ok = serve(&call, response, err);
	counts->calls++;
	counts->failures += !ok;
	counts->total_ns += server_now_ns() - begun;
	if (!ok)
		log_error(service->options.log, LOG_LEVEL_WARN, LOG_CLASS_CONFIDENTIAL, "rpc",
			err);
	service_note_state(service);
	return ok;
}

static void connection_closed(void *context, uint64_t connection)
{
	Service *service = context;

	if (service->driver == connection)
		service->driver = 0;
}

ServerCallbacks service_callbacks(Service *service)
{
	return (ServerCallbacks){
		.service = service,
		.call = service_call,
		.waited = service_poll_waited,
		.gone = service_poll_gone,
		.closed = connection_closed,
		.woken = service_poll_woken,
		.signalled = service_signalled,
		.stopping = service_stopping,
	};
}

bool service_new(const ServiceOptions *options, Service **out, Error *err)
{
	Service *service = calloc(1, sizeof(*service));

	static_assert(ARRAY_COUNT(handlers) == SERVICE_METHODS, "one handler a method");
	if (!service)
		return error_set(err, PVW_MEM_0001, "no memory for the service");
	service->options = *options;
	service->started_ns = server_now_ns();
	service->process = process_open();
	if (!session_new(&options->session, &service->session, err) ||
		!intercepts_new(
			&(InterceptsOptions){ service->session, options->events, options->log },
			&service->intercepts, err)) {
		service_free(service);
		return false;
	}
	*out = service;
	return true;
}

void service_free(Service *service)
{
	if (!service)
		return;
	intercepts_free(service->intercepts);
	session_free(service->session);
	process_close(&service->process);
	free(service);
}

Session *service_session(Service *service)
{
	return service->session;
}

void service_guard(Service *service, bool sandboxed)
{
	service->sandboxed = sandboxed;
}

bool service_is_filtered(const Service *service)
{
	const SessionOptions *options = &service->options.session;
	const Facts *facts = session_facts(service->session);

	if (!options->isolation_from_tree)
		return isolation_is_isolated(options->isolation);
	/* Until the tree has said otherwise, the guest is taken for a confidential one. */
	return !facts || isolation_is_isolated(facts->info.isolation);
}

void service_attach(Service *service, Server *server)
{
	service->server = server;
	service_poll_attach(service);
}
