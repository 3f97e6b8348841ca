/*
 * What the files of the service share.
 */
#ifndef WORKER_SERVICE_INTERNAL_H
#define WORKER_SERVICE_INTERNAL_H

#include "worker/intercept.h"
#include "worker/process.h"
#include "worker/service.h"

#define SERVICE_METHODS 19
#define SERVICE_MAX_POLLS 16 /* one a connection */

typedef struct MethodCounts {
	uint64_t calls, failures, total_ns;
} MethodCounts;

/* A PollEvents that waits. */
typedef struct Poll {
	bool waiting;
	bool replaced; /* by a later one of its connection: answered soon, with what there is */
	CallHandle call;
	uint64_t after;
	uint32_t max_events;
} Poll;

struct Service {
	ServiceOptions options;
	Session *session;
	Intercepts *intercepts; /* devices of the session's plan */
	Server *server;
	uint64_t started_ns;
	Process process;
	bool sandboxed;
	SessionState noted; /* the state that was last told */
	uint64_t driver;    /* the connection that changes the state; 0 = none */
	bool answers_later; /* set by a handler that keeps its call */
	MethodCounts counts[SERVICE_METHODS];
	Poll polls[SERVICE_MAX_POLLS];
};

/* One call, as its handler sees it. */
typedef struct Call {
	Service *service;
	const ServerRequest *request;
	Arena *arena;
} Call;

typedef bool (*MethodHandler)(
	const Call *call, const ProtobufCMessage *in, ProtobufCMessage *out, Error *err);

Pvw__V1__WorkerState service_wire_state(const Service *service);

/* In Method.states beside the states: the method is the driver's, as it changes the guest. */
#define SERVICE_DRIVES (1u << 31)

/** service_note_state - tell of the state if it is another than the one that was last told */
void service_note_state(Service *service);

/* service_guest.c: what changes the guest */
bool service_load_boot_info(const Call *call, const Pvw__V1__LoadBootInfoRequest *in,
	Pvw__V1__LoadBootInfoResponse *out, Error *err);
bool service_put_blob(const Call *call, const Pvw__V1__PutBlobRequest *in,
	Pvw__V1__PutBlobResponse *out, Error *err);
bool service_configure(const Call *call, const Pvw__V1__ConfigureRequest *in,
	Pvw__V1__ConfigureResponse *out, Error *err);
bool service_plan(const Call *call, const Pvw__V1__PlanRequest *in, Pvw__V1__PlanResponse *out,
	Error *err);
bool service_load(const Call *call, const Pvw__V1__LoadRequest *in, Pvw__V1__LoadResponse *out,
	Error *err);

/* service_read.c: what is read of a plan */
bool service_get_layout(const Call *call, const Pvw__V1__GetLayoutRequest *in,
	Pvw__V1__GetLayoutResponse *out, Error *err);
bool service_list_artifacts(const Call *call, const Pvw__V1__ListArtifactsRequest *in,
	Pvw__V1__ListArtifactsResponse *out, Error *err);
bool service_get_artifact(const Call *call, const Pvw__V1__GetArtifactRequest *in,
	Pvw__V1__GetArtifactResponse *out, Error *err);

/* service_intercept.c: what a running guest does */
bool service_get_claims(const Call *call, const Pvw__V1__GetClaimsRequest *in,
	Pvw__V1__GetClaimsResponse *out, Error *err);
bool service_handle_intercepts(const Call *call, const Pvw__V1__HandleInterceptsRequest *in,
	Pvw__V1__HandleInterceptsResponse *out, Error *err);

/* service_watch.c: looking after the worker */
bool service_health(const Call *call, const Pvw__V1__HealthRequest *in,
	Pvw__V1__HealthResponse *out, Error *err);
bool service_metrics(const Call *call, const Pvw__V1__MetricsRequest *in,
	Pvw__V1__MetricsResponse *out, Error *err);
bool service_set_log_filter(const Call *call, const Pvw__V1__SetLogFilterRequest *in,
	Pvw__V1__SetLogFilterResponse *out, Error *err);
bool service_shutdown(const Call *call, const Pvw__V1__ShutdownRequest *in,
	Pvw__V1__ShutdownResponse *out, Error *err);
void service_signalled(void *context, int signal);
void service_stopping(void *context, const char *why);

/* service_poll.c: events by long poll */
bool service_poll_events(const Call *call, const Pvw__V1__PollEventsRequest *in,
	Pvw__V1__PollEventsResponse *out, Error *err);
void service_poll_attach(Service *service);
void service_poll_waited(void *context, CallHandle call);
void service_poll_gone(void *context, CallHandle call);
void service_poll_woken(void *context);
void service_poll_answer_all(Service *service);

#endif
