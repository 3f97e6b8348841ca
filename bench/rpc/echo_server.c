/*
 * pvw-bench-rpc: the worker's server with one method, Echo, and room for 64 connections of one
 * user. The worker itself stops at 4 of them; everything else is the same code.
 */
#include <stdio.h>

#include "proto/worker.pb-c.h"
#include "worker/server.h"

#define CONNECTIONS 64

static const ProtobufCMethodDescriptor methods[] = {
	{ "Echo", &pvw__v1__guid__descriptor, &pvw__v1__guid__descriptor },
};

static const ProtobufCServiceDescriptor service = {
	.magic = PROTOBUF_C__SERVICE_DESCRIPTOR_MAGIC,
	.name = "bench.v1.Echo",
	.short_name = "Echo",
	.c_name = "BenchV1Echo",
	.package = "bench.v1",
	.n_methods = ARRAY_COUNT(methods),
	.methods = methods,
};

static const Method rows[] = { { "Echo", 4096, ~0u } };

static const MethodTable table = { &service, rows, ARRAY_COUNT(rows), { NULL, 0 } };

static bool echo(void *context, const ServerRequest *request, const ProtobufCMessage **response,
	Error *err)
{
	(void)context;
	(void)err;
	*response = request->message;
	return true;
}

static int fail(const Error *err)
{
	fprintf(stderr, "pvw-bench-rpc: %s: %s\n", err->source, err->text);
	return 1;
}

int main(int argc, char **argv)
{
	const MethodTable *const tables[] = { &table };
	StreamAddress address;
	Server *server;
	Error err;

	if (argc != 2) {
		fputs("usage: pvw-bench-rpc unix:PATH\n", stderr);
		return 2;
	}
	if (!stream_parse_listen(argv[1], &address, &err))
		return fail(&err);

	const ServerOptions options = {
		.listen = &address,
		.listen_count = 1,
		.tables = { tables, ARRAY_COUNT(tables) },
		.callbacks = { .call = echo },
		.limits = { .max_connections = CONNECTIONS,
			.max_user_connections = CONNECTIONS },
		.own_signals = true,
	};
	if (!server_new(&options, &server, &err))
		return fail(&err);

	const bool done = server_run(server, &err);

	server_free(server);
	return done ? 0 : fail(&err);
}
