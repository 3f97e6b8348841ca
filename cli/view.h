/*
 * What a command shows: a plan and its layout as messages, whoever made them.
 *
 * A fixture or a tree is planned in this process, a socket is asked; either way the result is
 * the same messages, and what is printed comes from them.
 */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include "cli/input.h"
#include "host/client.h"

typedef struct View {
	Arena *arena; /* everything below lives there */
	Diagnostics findings;
	Input input;
	InputResult result; /* not of a socket */
	Client *client;     /* of a socket, else NULL */
} View;

/**
 * view_open - the input that the options name; a connection to it for a socket
 *
 * Close it also after a failure.
 */
MUST_CHECK bool view_open(const Invocation *invocation, View *view, Error *err);

void view_close(View *view);

/**
 * view_plan - the whole plan
 *
 * From a worker: its Plan, with the policies that the options name and entropy of its own.
 *
 * Errors: those of input_plan or client_call; PVW_INPUT_0002 (BAD_VALUE) for entropy given with
 * a socket.
 */
MUST_CHECK bool view_plan(
	const Invocation *invocation, View *view, Pvw__V1__PlanResponse **out, Error *err);

/**
 * view_layout - the guest's address space
 *
 * In this process with VTL2's own memory, of which a worker does not tell.
 */
MUST_CHECK bool view_layout(View *view, Pvw__V1__Layout **out, Error *err);

/**
 * view_artifact - the bytes of one artifact of the plan
 * @out: NULL data with a length: zeros
 * @seen: false when the plan has not seen them
 */
MUST_CHECK bool view_artifact(
	View *view, const Pvw__V1__Artifact *artifact, Bytes *out, bool *seen, Error *err);

#endif
