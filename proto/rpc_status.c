/*
 * ErrorCode -> status code, complete.
 */
#include "proto/rpc_status.h"

#include "support/diagnostics.h"

static const uint8_t by_code[] = {
	[ERROR_NONE] = RPC_INTERNAL, /* a failure that says nothing is our bug */
	[ERROR_TRUNCATED] = RPC_INVALID_ARGUMENT,
	[ERROR_MISSING] = RPC_INVALID_ARGUMENT,
	[ERROR_BAD_VALUE] = RPC_INVALID_ARGUMENT,
	[ERROR_OVERLAP] = RPC_INVALID_ARGUMENT,
	[ERROR_NO_SPACE] = RPC_RESOURCE_EXHAUSTED,
	[ERROR_LIMIT] = RPC_RESOURCE_EXHAUSTED,
	[ERROR_UNSUPPORTED] = RPC_UNIMPLEMENTED,
	[ERROR_STATE] = RPC_FAILED_PRECONDITION,
	[ERROR_DENIED] = RPC_PERMISSION_DENIED,
	[ERROR_IO] = RPC_UNAVAILABLE,
	[ERROR_INTERNAL] = RPC_INTERNAL,
};
static_assert(ARRAY_COUNT(by_code) == ERROR_CODE_COUNT, "one status a code");

/* Diagnostics whose status says more than their code. */
static const struct {
	uint16_t diagnostic;
	uint8_t status;
} by_diagnostic[] = {
	{ PVW_RPC_0023, RPC_DEADLINE_EXCEEDED },
	{ PVW_RPC_0026, RPC_UNAVAILABLE },
	/* Lookups by name: the request is well formed, the thing is not there. */
	{ PVW_BLOB_0005, RPC_NOT_FOUND },
	{ PVW_SERVICE_0004, RPC_NOT_FOUND },
};

RpcStatus rpc_status_of(const Error *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(by_diagnostic); i++) {
		if (by_diagnostic[i].diagnostic == err->diagnostic)
			return (RpcStatus)by_diagnostic[i].status;
	}
	return (RpcStatus)
		by_code[(unsigned)err->code < ERROR_CODE_COUNT ? err->code : ERROR_NONE];
}

const char *rpc_status_name(int32_t status)
{
	static const char *const names[] = {
		[RPC_OK] = "OK",
		[RPC_CANCELLED] = "CANCELLED",
		[RPC_UNKNOWN] = "UNKNOWN",
		[RPC_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
		[RPC_DEADLINE_EXCEEDED] = "DEADLINE_EXCEEDED",
		[RPC_NOT_FOUND] = "NOT_FOUND",
		[RPC_ALREADY_EXISTS] = "ALREADY_EXISTS",
		[RPC_PERMISSION_DENIED] = "PERMISSION_DENIED",
		[RPC_RESOURCE_EXHAUSTED] = "RESOURCE_EXHAUSTED",
		[RPC_FAILED_PRECONDITION] = "FAILED_PRECONDITION",
		[RPC_ABORTED] = "ABORTED",
		[RPC_OUT_OF_RANGE] = "OUT_OF_RANGE",
		[RPC_UNIMPLEMENTED] = "UNIMPLEMENTED",
		[RPC_INTERNAL] = "INTERNAL",
		[RPC_UNAVAILABLE] = "UNAVAILABLE",
		[RPC_DATA_LOSS] = "DATA_LOSS",
		[RPC_UNAUTHENTICATED] = "UNAUTHENTICATED",
	};
	static_assert(ARRAY_COUNT(names) == RPC_STATUS_COUNT, "one name a status");

	return status >= 0 && status < RPC_STATUS_COUNT ? names[status] : "UNKNOWN";
}
