/*
 * Lookup of methods.
 */
#include <criterion/criterion.h>

#include "helpers/rpc_probe.h"
#include "support/diagnostics.h"

static bool find(const char *service, const char *method, MethodRef *out, Error *err)
{
	const MethodTable *tables[] = { probe_table() };
	const MethodTableList list = { tables, 1 };

	return method_find(list, (Bytes){ (const uint8_t *)service, strlen(service) },
		(Bytes){ (const uint8_t *)method, strlen(method) }, out, err);
}

Test(method, every_method_of_the_contract_is_found)
{
	const ProtobufCServiceDescriptor *service = &pvw__v1__worker__descriptor;

	cr_assert_eq(service->n_methods, 19);
	for (unsigned i = 0; i < service->n_methods; i++) {
		MethodRef ref;
		Error err;

		cr_assert(find("pvw.v1.Worker", service->methods[i].name, &ref, &err));
		cr_assert_eq(ref.index, i);
		cr_assert_eq(method_input(ref), service->methods[i].input);
		cr_assert_eq(method_output(ref), service->methods[i].output);
		cr_assert_str_eq(method_row(ref)->name, service->methods[i].name);
	}
}

Test(method, unknown_names_are_said_back)
{
	MethodRef ref;
	Error err;

	cr_assert_not(find("pvw.v1.Nobody", "Hello", &ref, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0012);
	cr_assert_not_null(strstr(err.text, "pvw.v1.Nobody"));
	cr_assert_not(find("pvw.v1.Worker", "hello", &ref, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0013);
	cr_assert_not_null(strstr(err.text, "hello"));
	cr_assert_not(find("/pvw.v1.Worker", "Hello", &ref, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0012);
	cr_assert_not(find("", "", &ref, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0012);
}

Test(method, long_names_are_cut_in_errors)
{
	char name[4000];
	MethodRef ref;
	Error err;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	cr_assert_not(find(name, "Hello", &ref, &err));
	cr_assert_lt(strlen(err.text), 200);
}

Test(method, a_table_matches_its_descriptor)
{
	MethodTable wrong = *probe_table();

	cr_assert(method_table_matches(probe_table()));
	wrong.count--;
	cr_assert_not(method_table_matches(&wrong));
	wrong.count++;
	wrong.rows++;
	wrong.count = 18;
	cr_assert_not(method_table_matches(&wrong));
}
