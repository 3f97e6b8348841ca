/*
 * Which status a failure becomes.
 */
#include <criterion/criterion.h>

#include "proto/rpc_status.h"
#include "support/diagnostics.h"

Test(rpc_status, every_code_is_a_failure)
{
	for (int code = ERROR_NONE; code < ERROR_CODE_COUNT; code++) {
		const Error err = { .code = (ErrorCode)code };

		cr_assert_neq(rpc_status_of(&err), RPC_OK, "code %d", code);
	}
}

Test(rpc_status, codes_become_what_a_client_expects)
{
	const struct {
		ErrorCode code;
		RpcStatus status;
	} rows[] = {
		{ ERROR_BAD_VALUE, RPC_INVALID_ARGUMENT },
		{ ERROR_LIMIT, RPC_RESOURCE_EXHAUSTED },
		{ ERROR_UNSUPPORTED, RPC_UNIMPLEMENTED },
		{ ERROR_STATE, RPC_FAILED_PRECONDITION },
		{ ERROR_DENIED, RPC_PERMISSION_DENIED },
		{ ERROR_INTERNAL, RPC_INTERNAL },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const Error err = { .code = rows[i].code };

		cr_assert_eq(rpc_status_of(&err), rows[i].status, "row %zu", i);
	}
}

Test(rpc_status, some_diagnostics_have_their_own)
{
	Error err;

	error_set(&err, PVW_RPC_0023, "late");
	cr_assert_eq(rpc_status_of(&err), RPC_DEADLINE_EXCEEDED);
	error_set(&err, PVW_RPC_0026, "stopping");
	cr_assert_eq(rpc_status_of(&err), RPC_UNAVAILABLE);
	error_set(&err, PVW_BLOB_0005, "no such blob");
	cr_assert_eq(rpc_status_of(&err), RPC_NOT_FOUND);
	error_set(&err, PVW_SERVICE_0004, "no such artifact");
	cr_assert_eq(rpc_status_of(&err), RPC_NOT_FOUND);
}

Test(rpc_status, names_are_grpcs)
{
	cr_assert_str_eq(rpc_status_name(0), "OK");
	cr_assert_str_eq(rpc_status_name(3), "INVALID_ARGUMENT");
	cr_assert_str_eq(rpc_status_name(8), "RESOURCE_EXHAUSTED");
	cr_assert_str_eq(rpc_status_name(16), "UNAUTHENTICATED");
	cr_assert_str_eq(rpc_status_name(17), "UNKNOWN");
	cr_assert_str_eq(rpc_status_name(-1), "UNKNOWN");
}
