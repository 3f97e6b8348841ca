/*
 * pvw call: any method of the service, JSON both ways.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "host/client.h"
#include "host/file.h"
#include "host/json_text.h"
#include "host/message_json.h"
#include "proto/worker.pb-c.h"

#define ARENA_LIMIT ((size_t)64 * 1024 * 1024)
#define MAX_TIMEOUT_MS (24 * 60 * 60 * 1000)

static ExitStatus list_methods(const Invocation *invocation)
{
	const ProtobufCServiceDescriptor *service = &pvw__v1__worker__descriptor;
	json_t *list = json_array();
	Error err;

	for (unsigned i = 0; i < service->n_methods; i++) {
		const ProtobufCMethodDescriptor *method = &service->methods[i];

		if (output_wants_json(invocation))
			json_array_append_new(list,
				json_pack("{s:s, s:s, s:s}", "name", method->name, "request",
					method->input->name, "response", method->output->name));
		else
			printf("%-18s %s -> %s\n", method->name, method->input->short_name,
				method->output->short_name);
	}
	if (!output_wants_json(invocation)) {
		json_decref(list);
		return STATUS_DONE;
	}
	return output_json(
		       invocation, "pvw.methods/1", json_pack("{s:o}", "methods", list), &err)
		? STATUS_DONE
		: report_error(invocation, &err);
}

static bool request_text(const Invocation *invocation, Arena *arena, Bytes *out, Error *err)
{
	const char *text = invocation_operand(invocation, 1);

	if (text && strcmp(text, "-") == 0)
		return file_read("-", JSON_TEXT_MAX, arena, out, err);
	if (!text)
		text = "{}";
	*out = (Bytes){ (const uint8_t *)text, strlen(text) };
	return true;
}

static bool make_request(const Invocation *invocation, const ProtobufCMethodDescriptor *method,
	Arena *arena, ProtobufCMessage **out, Error *err)
{
	json_t *json;
	Bytes text;
	bool ok;

	if (!request_text(invocation, arena, &text, err) ||
		!json_text_parse(text, "request", &json, err))
		return false;
	ok = message_from_json(json, method->input, "request", arena, out, err);
	json_decref(json);
	return ok;
}

static bool find_method(
	const Invocation *invocation, const ProtobufCMethodDescriptor **out, Error *err)
{
	const char *name = invocation_operand(invocation, 0);

	if (!name)
		return error_set(
			err, PVW_CLI_0001, "no method, expected one of pvw call --list");
	*out = client_method(name);
	if (!*out)
		return error_set(err, PVW_CLIENT_0004,
			"'%.64s', expected a method of pvw.v1.Worker", name);
	return true;
}

static bool call_method(const Invocation *invocation, Arena *arena, Client **client, Error *err)
{
	const char *address = invocation_value(invocation, "socket");
	const ProtobufCMethodDescriptor *method;
	ProtobufCMessage *request, *response;
	json_t *document;
	uint64_t timeout;

	if (!address)
		address = getenv("PVW_SOCKET");
	if (!find_method(invocation, &method, err) ||
		!invocation_number(invocation, "timeout", 0, MAX_TIMEOUT_MS, &timeout, err) ||
		!make_request(invocation, method, arena, &request, err))
		return false;
	if (!address || !*address)
		return error_set(
			err, PVW_INPUT_0001, "no worker, expected --socket or PVW_SOCKET");
	return client_open(address, client, err) &&
		client_call(*client, method->name, request, (uint32_t)timeout, arena, &response,
			err) &&
		message_to_json(response, arena, &document, err) &&
		output_json(invocation, method->output->name, document, err);
}

ExitStatus command_call(const Invocation *invocation)
{
	Arena *arena;
	Client *client = NULL;
	Error err;
	bool ok;

	if (invocation_has(invocation, "list"))
		return list_methods(invocation);
	arena = arena_new(ARENA_LIMIT);
	if (!arena)
		error_set(&err, PVW_MEM_0001, "no memory");
	ok = arena && call_method(invocation, arena, &client, &err);
	client_close(client);
	arena_free(arena);
	return ok ? STATUS_DONE : report_error(invocation, &err);
}
