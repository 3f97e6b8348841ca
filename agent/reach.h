/*
 * How the agent's commands come to a worker: one of their own, or one that runs.
 */
#ifndef AGENT_REACH_H
#define AGENT_REACH_H

#include "agent/drive.h"
#include "host/command.h"

/** reach_fixture - the recorded boot info of a file; lives in @arena */
MUST_CHECK bool reach_fixture(const char *path, Arena *arena, Fixture *out, Error *err);

/**
 * reach_worker - the one that --socket names, else one that --worker names, with empty memory
 *
 * Memory that the machine has already is taken. Takes the options worker, socket, guest-memory,
 * sandbox and log; fills client and machine.
 */
MUST_CHECK bool reach_worker(const Invocation *invocation, Drive *drive, Error *err);

/** reach_end - shut down a worker of our own and wait for it; nothing to do with another's */
MUST_CHECK bool reach_end(Drive *drive, Error *err);

#endif
