/*
 * The service pvw.v1.Worker: one function a method, over one session.
 *
 * A handler gets a linted request and fills an answer that is already initialised; what it
 * allocates lives in the arena of the call. It knows neither sockets nor frames.
 */
#ifndef WORKER_SERVICE_H
#define WORKER_SERVICE_H

#include "proto/worker.pb-c.h"
#include "worker/events.h"
#include "worker/server.h"
#include "worker/session.h"

#define SERVICE_MAJOR 1
#define SERVICE_MINOR 0
#define SERVICE_MAX_CHUNK ((uint32_t)1024 * 1024) /* bytes in Blob.data */
#define SERVICE_MAX_POLL_MS 30000

typedef struct ServiceOptions {
	SessionOptions session;
	Events *events; /* borrowed */
	Log *log;       /* borrowed; may be NULL */
} ServiceOptions;

typedef struct Service Service;

MUST_CHECK bool service_new(const ServiceOptions *options, Service **out, Error *err);
void service_free(Service *service);

/** service_session - the one guest being prepared; for what happens before the first call */
Session *service_session(Service *service);

/** service_attach - the server that serves it: for long polls, counts and Shutdown */
void service_attach(Service *service, Server *server);

/** service_guard - what was closed before the first call: every layer of the sandbox, or not */
void service_guard(Service *service, bool sandboxed);

/** service_is_filtered - the guest is isolated: nothing sensitive leaves the worker */
bool service_is_filtered(const Service *service);

/** service_callbacks - what the server is to call */
ServerCallbacks service_callbacks(Service *service);

/** service_features - what Hello lists; static */
const char *const *service_features(size_t *count);

/** service_methods - limits and states of every method; source of docs/rpc.md's table */
const MethodTable *service_methods(void);

#endif
