/*
 * The service pvw.v1.Worker: what each method does with the session.
 */
#include "worker/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"
#include "support/version.h"
#include "worker/convert.h"
#include "worker/entropy.h"
#include "worker/service_internal.h"

/* The handlers' own features; Hello lists only what works. */
static const char *const features[] = { "events", "blobs", "uefi", "pcat", "linux-in-place" };

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

static bool findings_begin(const Call *call, Diagnostics *findings, Error *err)
{
	return diagnostics_init(findings, SESSION_MAX_FINDINGS, call->arena, err);
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
	out->state = service_wire_state(call->service);
	return true;
}

/*
 * Boot information.
 */

static bool take_load_boot_info(const Call *call, const Pvw__V1__LoadBootInfoRequest *in,
	Pvw__V1__LoadBootInfoResponse *out, Error *err)
{
	Session *session = call->service->session;
	const ServiceOptions *options = &call->service->options;
	IsolationType asked;
	Diagnostics findings;
	FactInputs inputs;

	/* Inside VTL2 this is over at once, whatever the request says. */
	if (!session_may_load_boot_info(session, err))
		return false;
	if (convert_isolation(in->isolation, &asked) && asked != options->session.isolation)
		return error_set(err, PVW_SESSION_0002,
			"isolation %d asked for, expected %d as the worker was started",
			(int)asked, (int)options->session.isolation);
	if (!findings_begin(call, &findings, err) ||
		!convert_fact_inputs(in, call->arena, &inputs, err) ||
		!session_load_boot_info(session, &inputs, &findings, err))
		return false;
	return convert_boot_summary_out(
		       session_facts(session), call->arena, &out->summary, err) &&
		convert_diagnostics_out(
			&findings, call->arena, &out->n_diagnostics, &out->diagnostics, err);
}

static bool check_chunk(const Pvw__V1__Blob *chunk, Error *err)
{
	bool ends;

	if (!chunk)
		return error_set(err, PVW_MSG_0002, "no chunk, expected one");
	if (chunk->data.len > SERVICE_MAX_CHUNK)
		return error_set(err, PVW_MSG_0002, "a chunk of %zu bytes, expected at most %u",
			chunk->data.len, SERVICE_MAX_CHUNK);
	if (chunk->sha256.len != 0 && chunk->sha256.len != DIGEST_SIZE)
		return error_set(err, PVW_MSG_0001,
			"a digest of %zu bytes, expected %d or none", chunk->sha256.len,
			DIGEST_SIZE);
	/* A sum that wraps is refused by the store, which does not add. */
	ends = chunk->offset + chunk->data.len == chunk->total_size;
	if (chunk->last == ends)
		return true;
	return error_set(err, PVW_BLOB_0002,
		"last is %s for a chunk that %s the blob, expected them to agree",
		chunk->last ? "set" : "clear", ends ? "ends" : "does not end");
}

static bool take_put_blob(const Call *call, const Pvw__V1__PutBlobRequest *in,
	Pvw__V1__PutBlobResponse *out, Error *err)
{
	Session *session = call->service->session;
	Digest *digest = arena_array(call->arena, Digest, 1, err);
	BlobChunk chunk;

	if (!digest || !check_chunk(in->chunk, err))
		return false;
	if (in->chunk->sha256.len)
		memcpy(digest->bytes, in->chunk->sha256.data, DIGEST_SIZE);
	chunk = (BlobChunk){
		.name = in->name,
		.total = in->chunk->total_size,
		.offset = in->chunk->offset,
		.data = { in->chunk->data.data, in->chunk->data.len },
		.expect = in->chunk->sha256.len ? digest : NULL,
	};
	if (!session_put_blob(session, &chunk, &out->received, err))
		return false;
	if (in->chunk->last) {
		const Blob *blob = blob_store_find(session_blobs(session), in->name);

		*digest = digest_of((Bytes){ blob->data, (size_t)blob->total });
		out->sha256 = convert_digest_out(digest);
	}
	return true;
}

/*
 * Settings.
 */

static bool complete_blobs(const Call *call, NamedBytesList *out, Error *err)
{
	const BlobStore *store = session_blobs(call->service->session);
	NamedBytes *items = arena_array(call->arena, NamedBytes, store->count, err);
	size_t count = 0;

	if (!items)
		return false;
	for (size_t i = 0; i < store->count; i++) {
		const Blob *blob = &store->blobs[i];

		if (blob->received == blob->total)
			items[count++] =
				(NamedBytes){ blob->name, { blob->data, (size_t)blob->total } };
	}
	*out = (NamedBytesList){ items, count };
	return true;
}

/* Of the message as it would be encoded: deterministic, and free of unknown fields. */
static bool settings_digest(const Call *call, const Pvw__V1__DevicePlatformSettings *settings,
	Digest *out, Error *err)
{
	size_t size = settings ? protobuf_c_message_get_packed_size(&settings->base) : 0;
	uint8_t *packed = arena_array(call->arena, uint8_t, size, err);

	if (!packed)
		return false;
	if (size)
		protobuf_c_message_pack(&settings->base, packed);
	*out = digest_of((Bytes){ packed, size });
	return true;
}

static bool take_configure(const Call *call, const Pvw__V1__ConfigureRequest *in,
	Pvw__V1__ConfigureResponse *out, Error *err)
{
	Digest *digest = arena_array(call->arena, Digest, 1, err);
	NamedBytesList blobs;
	ConfigInputs inputs;
	SettingsClampList clamps;
	Diagnostics findings;

	if (!digest || !findings_begin(call, &findings, err) ||
		!complete_blobs(call, &blobs, err) ||
		!convert_config_inputs(in, blobs, call->arena, &inputs, err) ||
		!session_configure(call->service->session, &inputs, in->dry_run, call->arena,
			&clamps, &findings, err) ||
		!settings_digest(call, in->settings, digest, err))
		return false;
	out->settings_sha256 = convert_digest_out(digest);
	return convert_diagnostics_out(
		       &findings, call->arena, &out->n_diagnostics, &out->diagnostics, err) &&
		convert_clamps_out(&clamps, call->arena, &out->n_clamps, &out->clamps, err);
}

/*
 * Plan and load.
 */

static bool take_entropy(const Call *call, const Pvw__V1__PlanRequest *in,
	uint8_t entropy[ENTROPY_SIZE], Error *err)
{
	const Facts *facts = session_facts(call->service->session);

	if (in->entropy.len == 0)
		return entropy_draw(entropy, ENTROPY_SIZE, err);
	if (in->entropy.len != ENTROPY_SIZE)
		return error_set(err, PVW_MSG_0001, "entropy of %zu bytes, expected %d or none",
			in->entropy.len, ENTROPY_SIZE);
	if (isolation_is_isolated(facts->info.isolation))
		return error_set(err, PVW_SERVICE_0003,
			"entropy given for an isolated guest, expected none");
	memcpy(entropy, in->entropy.data, ENTROPY_SIZE);
	return true;
}

static bool take_plan(const Call *call, const Pvw__V1__PlanRequest *in,
	Pvw__V1__PlanResponse *out, Error *err)
{
	Session *session = call->service->session;
	PlanInputs inputs = { .request = convert_plan_request(in) };
	Diagnostics findings;
	bool ok;

	if (!findings_begin(call, &findings, err) ||
		!take_entropy(call, in, inputs.entropy, err))
		return false;
	ok = session_plan(session, &inputs, &findings, err);
	explicit_bzero(inputs.entropy, sizeof(inputs.entropy));
	if (!ok)
		return false;
	return convert_layout_out(session_facts(session), session_config(session),
		       session_prepared(session), in->explain, call->arena, &out->layout,
		       err) &&
		convert_plan_out(&session_prepared(session)->plan, call->arena, out, err) &&
		convert_diagnostics_out(
			&findings, call->arena, &out->n_diagnostics, &out->diagnostics, err);
}

static bool take_target(
	const Call *call, const Pvw__V1__LoadRequest *in, LoadTarget *out, Error *err)
{
	const Pvw__V1__Target *target = in->target;
	GuestWindow *windows;

	if (!target || target->kind_case == PVW__V1__TARGET__KIND__NOT_SET ||
		!(target->guest_memory || target->memory_only))
		return error_set(err, PVW_MSG_0002,
			"no target, expected guest_memory or memory_only to be true");
	windows = arena_array(call->arena, GuestWindow, target->n_windows, err);
	if (!windows)
		return false;
	for (size_t i = 0; i < target->n_windows; i++)
		windows[i] = (GuestWindow){ target->windows[i]->gpa, target->windows[i]->size,
			target->windows[i]->offset };
	*out = (LoadTarget){
		.memory_only = target->kind_case == PVW__V1__TARGET__KIND_MEMORY_ONLY,
		.verify = in->verify_after,
		.windows = windows,
		.window_count = target->n_windows,
	};
	return true;
}

static bool take_load(const Call *call, const Pvw__V1__LoadRequest *in,
	Pvw__V1__LoadResponse *out, Error *err)
{
	Digest *image = arena_array(call->arena, Digest, 1, err);
	const uint64_t begun = server_now_ns();
	LoadReport report;
	LoadTarget target;
	Digest digest;

	if (!image || !take_target(call, in, &target, err))
		return false;
	if (in->plan_digest.len != DIGEST_SIZE)
		return error_set(err, PVW_MSG_0001, "a plan digest of %zu bytes, expected %d",
			in->plan_digest.len, DIGEST_SIZE);
	memcpy(digest.bytes, in->plan_digest.data, DIGEST_SIZE);
	if (!session_load(call->service->session, digest, &target, call->arena, &report, err))
		return false;
	*image = report.image;
	out->writes = report.writes;
	out->bytes = report.bytes;
	out->image_sha256 = convert_digest_out(image);
	out->elapsed_ns = server_now_ns() - begun;
	return true;
}

static bool take_get_layout(const Call *call, const Pvw__V1__GetLayoutRequest *in,
	Pvw__V1__GetLayoutResponse *out, Error *err)
{
	const Session *session = call->service->session;

	return convert_layout_out(session_facts(session), session_config(session),
		session_prepared(session), in->with_provenance, call->arena, &out->layout, err);
}

static bool take_list_artifacts(const Call *call, const Pvw__V1__ListArtifactsRequest *in,
	Pvw__V1__ListArtifactsResponse *out, Error *err)
{
	(void)in;
	return convert_artifacts_out(&session_prepared(call->service->session)->plan,
		call->arena, &out->n_artifacts, &out->artifacts, err);
}

static bool check_artifact(const Call *call, const Pvw__V1__GetArtifactRequest *in,
	const BootPlan *plan, const Artifact *artifact, Error *err)
{
	const Digest *digest;

	if (!artifact)
		return error_set(err, PVW_SERVICE_0004,
			"artifact \"%.64s\", expected one that ListArtifacts names", in->name);
	digest = &plan->digests[artifact - plan->artifacts.items];
	if (service_is_filtered(call->service) && artifact->sensitive)
		return error_set(err, PVW_SERVICE_0005,
			"artifact \"%.64s\" is sensitive and the worker is filtered", in->name);
	if (in->expect_sha256.len != 0 &&
		(in->expect_sha256.len != DIGEST_SIZE ||
			memcmp(in->expect_sha256.data, digest->bytes, DIGEST_SIZE) != 0))
		return error_set(err, PVW_SERVICE_0006,
			"artifact \"%.64s\" has another digest than expected", in->name);
	if (in->offset > artifact->bytes.len)
		return error_set(err, PVW_MSG_0002, "offset %llu, expected at most %zu",
			(unsigned long long)in->offset, artifact->bytes.len);
	return true;
}

static bool take_get_artifact(const Call *call, const Pvw__V1__GetArtifactRequest *in,
	Pvw__V1__GetArtifactResponse *out, Error *err)
{
	const BootPlan *plan = &session_prepared(call->service->session)->plan;
	const Artifact *artifact = boot_plan_find(plan, in->name);
	Pvw__V1__Blob *chunk = message_new(call->arena, &pvw__v1__blob__descriptor, err);
	const uint8_t *data;
	size_t index, len;

	out->artifact = message_new(call->arena, &pvw__v1__artifact__descriptor, err);
	if (!chunk || !out->artifact || !check_artifact(call, in, plan, artifact, err))
		return false;
	index = (size_t)(artifact - plan->artifacts.items);
	len = artifact->bytes.len - (size_t)in->offset;
	if (len > SERVICE_MAX_CHUNK)
		len = SERVICE_MAX_CHUNK;
	if (in->max_bytes && len > in->max_bytes)
		len = in->max_bytes;
	/* An artifact without data is zeros; the arena hands out nothing else. */
	data = artifact->bytes.data ? artifact->bytes.data + in->offset
				    : arena_alloc(call->arena, len, 1, err);
	if (!data)
		return false;

	convert_artifact_out(plan, index, out->artifact);
	chunk->total_size = artifact->bytes.len;
	chunk->sha256 = convert_digest_out(&plan->digests[index]);
	chunk->offset = in->offset;
	chunk->data = convert_bytes_out((Bytes){ data, len });
	chunk->last = in->offset + len == artifact->bytes.len;
	out->chunk = chunk;
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
	TAKES(take_load_boot_info),
	TAKES(take_put_blob),
	TAKES(take_configure),
	TAKES(take_plan),
	TAKES(take_load),
	TAKES(take_reset),
	TAKES(take_get_layout),
	TAKES(take_list_artifacts),
	TAKES(take_get_artifact),
	NULL, /* GetClaims */
	NULL, /* HandleIntercepts */
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
	if (!session_new(&options->session, &service->session, err)) {
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
