/*
 * Messages as JSON and back.
 */
#include "host/message_json.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "host/json_text.h"
#include "proto/worker.pb-c.h"
#include "support/diagnostics.h"

static Arena *arena;
static Error err;

static void setup(void)
{
	arena = arena_new((size_t)1024 * 1024);
	err = (Error){ 0 };
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(message_json, .init = setup, .fini = teardown);
TestSuite(json_text, .init = setup, .fini = teardown);

static bool parse(const ProtobufCMessageDescriptor *type, const char *text, void *out)
{
	ProtobufCMessage *message = NULL;
	json_t *json;
	bool ok;

	cr_assert(json_text_parse(
			  (Bytes){ (const uint8_t *)text, strlen(text) }, "test", &json, &err),
		"%s", err.text);
	ok = message_from_json(json, type, "request", arena, &message, &err);
	json_decref(json);
	memcpy(out, &message, sizeof(message));
	return ok;
}

static const char *print(const ProtobufCMessage *message)
{
	const char *text;
	json_t *json;
	char *dump;

	cr_assert(message_to_json(message, arena, &json, &err), "%s", err.text);
	dump = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	text = arena_printf(arena, &err, "%s", dump);
	free(dump);
	return text;
}

Test(message_json, writes_members_in_the_order_of_their_numbers)
{
	Pvw__V1__LoadRequest *request;

	cr_assert(parse(&pvw__v1__load_request__descriptor,
			  "{\"verify_after\": true, \"target\": {\"windows\": [{\"offset\": "
			  "\"0x1000\", \"gpa\": 4096, \"size\": \"8192\"}], \"memory_only\": "
			  "true}, \"plan_digest\": \"AQI=\"}",
			  &request),
		"%s", err.text);

	cr_assert_str_eq(print(&request->base),
		"{\"plan_digest\":\"AQI=\",\"target\":{\"memory_only\":true,\"windows\":"
		"[{\"gpa\":\"0x1000\",\"size\":\"0x2000\",\"offset\":\"0x1000\"}]},"
		"\"verify_after\":true}");
}

Test(message_json, writes_defaults_and_omits_messages_that_are_absent)
{
	Pvw__V1__PlanRequest plan;
	Pvw__V1__LoadRequest load;

	pvw__v1__plan_request__init(&plan);
	pvw__v1__load_request__init(&load);

	cr_assert_str_eq(print(&plan.base),
		"{\"entropy\":\"\",\"explain\":false,\"mtrr\":\"MTRR_POLICY_UNSPECIFIED\","
		"\"acpi\":\"ACPI_PROFILE_UNSPECIFIED\",\"layout_version\":0}");
	cr_assert_str_eq(print(&load.base), "{\"plan_digest\":\"\",\"verify_after\":false}");
}

Test(message_json, reads_enums_by_name_and_by_number)
{
	Pvw__V1__PlanRequest *plan;

	cr_assert(parse(&pvw__v1__plan_request__descriptor,
		"{\"mtrr\": \"MTRR_POLICY_HYPERV\", \"acpi\": 2, \"layout_version\": \"0x1\"}",
		&plan));

	cr_assert_eq(plan->mtrr, PVW__V1__MTRR_POLICY__MTRR_POLICY_HYPERV);
	cr_assert_eq(plan->acpi, PVW__V1__ACPI_PROFILE__ACPI_PROFILE_REFERENCE);
	cr_assert_eq(plan->layout_version, 1);
}

Test(message_json, keeps_signed_numbers_and_oneofs)
{
	static const char text[] = "{\"name\":\"n\",\"unit\":\"\",\"gauge\":\"-5\"}";
	Pvw__V1__Metric *metric;

	cr_assert(parse(&pvw__v1__metric__descriptor, text, &metric), "%s", err.text);

	cr_assert_eq(metric->value_case, PVW__V1__METRIC__VALUE_GAUGE);
	cr_assert_eq(metric->gauge, -5);
	cr_assert_str_eq(print(&metric->base), text);
	cr_assert(parse(
		&pvw__v1__metric__descriptor, "{\"gauge\": -9223372036854775807}", &metric));
	cr_assert_eq(metric->gauge, -INT64_MAX);
	cr_assert(parse(&pvw__v1__metric__descriptor,
		"{\"counter\": 18446744073709551615, \"gauge\": null}", &metric));
	cr_assert_eq(metric->counter, UINT64_MAX);
}

Test(message_json, reads_what_it_writes_of_nested_lists)
{
	static const char text[] =
		"{\"registers\":[{\"scope\":\"VP_SCOPE_BSP\",\"registers\":[{\"id\":131072,"
		"\"name\":\"rip\",\"low\":\"0xffffffffffffffff\",\"high\":\"0x0\"}]}]}";
	Pvw__V1__PlanResponse *plan;
	const char *again;

	cr_assert(parse(&pvw__v1__plan_response__descriptor, text, &plan), "%s", err.text);

	cr_assert_eq(plan->registers[0]->registers[0]->low, UINT64_MAX);
	again = print(&plan->base);
	cr_assert_not_null(strstr(again, "\"id\":131072,\"name\":\"rip\""));
	cr_assert_not_null(strstr(again, "\"layout\"") ? NULL : again);
}

typedef struct Refusal {
	const char *text;
	uint16_t diagnostic;
	const char *source, *word;
} Refusal;

static const Refusal refusals[] = {
	{ "{\"colour\": 1}", PVW_JSON_0005, "request.colour", "ConfigureRequest" },
	{ "{\"settings\": {\"uefi\": {\"consol\": 1}}}", PVW_JSON_0005,
		"request.settings.uefi.consol", "UefiSettings" },
	{ "{\"settings\": 1}", PVW_JSON_0002, "request.settings", "an object" },
	{ "{\"dry_run\": 1}", PVW_JSON_0002, "request.dry_run", "true or false" },
	{ "{\"relay_devices\": 4294967296}", PVW_JSON_0002, "request.relay_devices",
		"0xffffffff" },
	{ "{\"relay_devices\": \" 1\"}", PVW_JSON_0002, "request.relay_devices", "number" },
	{ "{\"relay_devices\": \"1x\"}", PVW_JSON_0002, "request.relay_devices", "number" },
	{ "{\"relay_devices\": \"0x\"}", PVW_JSON_0002, "request.relay_devices", "number" },
	{ "{\"relay_devices\": -1}", PVW_JSON_0002, "request.relay_devices", "number" },
	{ "{\"channels\": {}}", PVW_JSON_0002, "request.channels", "an array" },
	{ "{\"channels\": [{}, {\"mmio_megabytes\": true}]}", PVW_JSON_0002,
		"request.channels[1].mmio_megabytes", "true" },
	{ "{\"settings\": {\"firmware\": \"UEFI\"}}", PVW_JSON_0002,
		"request.settings.firmware", "FIRMWARE_UEFI" },
	{ "{\"settings\": {\"firmware\": 77}}", PVW_JSON_0002, "request.settings.firmware",
		"FirmwareKind" },
	{ "{\"settings\": {\"vtl2_settings\": \"A\"}}", PVW_JSON_0002,
		"request.settings.vtl2_settings", "base64" },
	{ "{\"settings\": {\"vtl2_settings\": \"AB==\"}}", PVW_JSON_0002,
		"request.settings.vtl2_settings", "base64" },
	{ "{\"settings\": {\"vtl2_settings\": \"A===\"}}", PVW_JSON_0002,
		"request.settings.vtl2_settings", "base64" },
	{ "{\"settings\": {\"linux_direct\": {\"command_line\": 1}}}", PVW_JSON_0002,
		"request.settings.linux_direct.command_line", "a text" },
	{ "{\"settings\": {\"linux_direct\": {\"kernel\": {\"blob\": \"b\", \"in_place\": "
	  "{}}}}}",
		PVW_JSON_0002, "request.settings.linux_direct.kernel.in_place", "one of them" },
};

Test(message_json, refuses_what_does_not_fit_and_names_the_path)
{
	for (size_t i = 0; i < ARRAY_COUNT(refusals); i++) {
		const Refusal *r = &refusals[i];
		void *message;

		err = (Error){ 0 };
		cr_assert_not(parse(&pvw__v1__configure_request__descriptor, r->text, &message),
			"%s", r->text);
		cr_assert_eq(err.diagnostic, r->diagnostic, "%s: %s", r->text, err.text);
		cr_assert_str_eq(err.source, r->source, "%s", r->text);
		cr_assert_not_null(strstr(err.text, r->word), "%s: %s", r->text, err.text);
	}
}

Test(message_json, cuts_paths_that_are_too_long_to_tell)
{
	char name[400], text[450];
	void *message;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	snprintf(text, sizeof(text), "{\"%s\": 1}", name);

	cr_assert_not(parse(&pvw__v1__plan_request__descriptor, text, &message));
	cr_assert_eq(strlen(err.source), ERROR_SOURCE_SIZE - 1);
	cr_assert_eq(memcmp(err.source, "request.nnn", 11), 0);
}

Test(json_text, keeps_numbers_that_the_library_has_no_room_for)
{
	static const char text[] =
		"{\"a\": 18446744073709551615, \"b\": \"99999999999999999999\","
		"\"c\": [9223372036854775808], \"d\\\"1\": 1}";
	json_t *json;
	uint64_t number;

	cr_assert(json_text_parse((Bytes){ (const uint8_t *)text, sizeof(text) - 1 }, "test",
			  &json, &err),
		"%s", err.text);
	cr_assert(json_text_number(json_object_get(json, "a"), UINT64_MAX, &number));
	cr_assert_eq(number, UINT64_MAX);
	cr_assert_not(json_text_number(json_object_get(json, "b"), UINT64_MAX, &number));
	cr_assert(json_text_number(
		json_array_get(json_object_get(json, "c"), 0), UINT64_MAX, &number));
	cr_assert_eq(number, (uint64_t)INT64_MAX + 1);
	json_decref(json);
}

Test(json_text, refuses_what_is_no_json)
{
	static const char *const texts[] = { "", "{", "\"\\", "{\"a\"",
		"1234567890123456789012x", "{\"a\":1e999999999999999999999}", "\xff", "[1,]",
		"nul" };

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		json_t *json = NULL;

		err = (Error){ 0 };
		cr_assert_not(
			json_text_parse((Bytes){ (const uint8_t *)texts[i], strlen(texts[i]) },
				"test", &json, &err),
			"%s", texts[i]);
		cr_assert_eq(err.diagnostic, PVW_JSON_0001, "%s", texts[i]);
		cr_assert_str_eq(err.source, "test");
	}
}
