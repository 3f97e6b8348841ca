/*
 * The conversation of a host with a worker: everything from Hello to Shutdown for one fixture.
 */
#ifndef AGENT_DRIVE_H
#define AGENT_DRIVE_H

#include "agent/images.h"
#include "agent/machine.h"
#include "host/client.h"
#include "host/fixture.h"
#include "proto/worker.pb-c.h"

/* Everything that was said; answers live in @arena. */
typedef struct Drive {
	Client *client;
	const Fixture *fixture;
	DriveImages images; /* beside what the fixture says */
	Machine *machine;   /* memory_fd -1: a memory-only load, nothing is compared */
	Arena *arena;
	bool quiet; /* no progress on stderr */
	Pvw__V1__HelloResponse *hello;
	Pvw__V1__LoadBootInfoResponse *boot_info;
	Pvw__V1__ConfigureResponse *configured;
	Pvw__V1__PlanResponse *plan;
	Pvw__V1__LoadResponse *loaded;
	Pvw__V1__GetLayoutResponse *layout;
	Pvw__V1__ListArtifactsResponse *artifacts;
	Pvw__V1__HealthResponse *health;
} Drive;

/**
 * drive_prepare - Hello, LoadBootInfo, PutBlob for each image, Configure, Plan, Load, GetLayout,
 * ListArtifacts, Health
 *
 * Errors: what the worker answers; those of the client; PVW_AGENT_0006 (BAD_VALUE).
 */
MUST_CHECK bool drive_prepare(Drive *drive, Error *err);

/**
 * drive_verify - compare guest memory with the plan, byte by byte
 *
 * Every write's bytes are fetched from the worker and compared; those that it may not hand out, by
 * digest. Between the writes there must be nothing.
 *
 * Errors: PVW_AGENT_0004, _0005 (BAD_VALUE).
 */
MUST_CHECK bool drive_verify(Drive *drive, Error *err);

/** drive_shutdown - ask the worker to end */
MUST_CHECK bool drive_shutdown(Drive *drive, Error *err);

#endif
