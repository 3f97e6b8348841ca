/*
 * Status codes on the wire, and which one a failure becomes.
 */
#ifndef PROTO_RPC_STATUS_H
#define PROTO_RPC_STATUS_H

#include "support/error.h"

/* The numbers are gRPC's. */
typedef enum RpcStatus {
	RPC_OK = 0,
	RPC_CANCELLED = 1,
	RPC_UNKNOWN = 2,
	RPC_INVALID_ARGUMENT = 3,
	RPC_DEADLINE_EXCEEDED = 4,
	RPC_NOT_FOUND = 5,
	RPC_ALREADY_EXISTS = 6,
	RPC_PERMISSION_DENIED = 7,
	RPC_RESOURCE_EXHAUSTED = 8,
	RPC_FAILED_PRECONDITION = 9,
	RPC_ABORTED = 10,
	RPC_OUT_OF_RANGE = 11,
	RPC_UNIMPLEMENTED = 12,
	RPC_INTERNAL = 13,
	RPC_UNAVAILABLE = 14,
	RPC_DATA_LOSS = 15,
	RPC_UNAUTHENTICATED = 16,
	RPC_STATUS_COUNT
} RpcStatus;

/** rpc_status_name - "INVALID_ARGUMENT"; "UNKNOWN" for numbers that are none */
const char *rpc_status_name(int32_t status);

/** rpc_status_of - of a failed call: its diagnostic's own if it has one, else its code's */
RpcStatus rpc_status_of(const Error *err);

#endif
