/*
 * A ttrpc client by hand, for tests: requests byte by byte, responses by protobuf-c's unpacker.
 * It shares no code with what it tests. Only for programs that link proto.
 */
#ifndef HELPERS_RPC_PROBE_H
#define HELPERS_RPC_PROBE_H

#include <stdlib.h>
#include <string.h>

#include "proto/method.h"
#include "proto/ttrpc.pb-c.h"
#include "proto/worker.pb-c.h"

#define PROBE_SERVICE "pvw.v1.Worker"

/* The whole service, with limits as wide as a frame. */
static inline const MethodTable *probe_table(void)
{
	enum { ALL = 4 * 1024 * 1024 };
	static const Method rows[] = {
		{ "Hello", 4096, 0 },
		{ "LoadBootInfo", ALL, 0 },
		{ "PutBlob", ALL, 0 },
		{ "Configure", ALL, 0 },
		{ "Plan", ALL, 0 },
		{ "Load", ALL, 0 },
		{ "Reset", ALL, 0 },
		{ "GetLayout", ALL, 0 },
		{ "ListArtifacts", ALL, 0 },
		{ "GetArtifact", ALL, 0 },
		{ "GetClaims", ALL, 0 },
		{ "HandleIntercepts", 16384, 0 },
		{ "PollEvents", ALL, 0 },
		{ "Save", ALL, 0 },
		{ "Restore", ALL, 0 },
		{ "Health", ALL, 0 },
		{ "Metrics", ALL, 0 },
		{ "SetLogFilter", ALL, 0 },
		{ "Shutdown", ALL, 0 },
	};
	static const WireLimit limits[] = { { &pvw__v1__handle_intercepts_request__descriptor,
		1, 64 } };
	static const MethodTable table = {
		.service = &pvw__v1__worker__descriptor,
		.rows = rows,
		.count = ARRAY_COUNT(rows),
		.limits = { limits, ARRAY_COUNT(limits) },
	};

	return &table;
}

/* Bytes being put together; grows as needed. */
typedef struct Probe {
	uint8_t *data;
	size_t len;
	size_t cap;
} Probe;

static inline void probe_add(Probe *p, const void *data, size_t len)
{
	if (p->len + len > p->cap) {
		p->cap = 2 * (p->len + len);
		p->data = realloc(p->data, p->cap);
	}
	if (len)
		memcpy(p->data + p->len, data, len);
	p->len += len;
}

static inline void probe_byte(Probe *p, unsigned value)
{
	const uint8_t byte = (uint8_t)value;

	probe_add(p, &byte, 1);
}

static inline void probe_varint(Probe *p, uint64_t value)
{
	while (value > 127) {
		probe_byte(p, (unsigned)(value % 128) + 128);
		value /= 128;
	}
	probe_byte(p, (unsigned)value);
}

/* A length-prefixed field. */
static inline void probe_field(Probe *p, unsigned number, const void *data, size_t len)
{
	probe_varint(p, number * 8 + 2);
	probe_varint(p, len);
	probe_add(p, data, len);
}

static inline void probe_free(Probe *p)
{
	free(p->data);
	*p = (Probe){ 0 };
}

static inline void probe_header(
	Probe *p, uint32_t len, uint32_t stream, unsigned type, unsigned flags)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		probe_byte(p, len >> shift & 255);
	for (int shift = 24; shift >= 0; shift -= 8)
		probe_byte(p, stream >> shift & 255);
	probe_byte(p, type);
	probe_byte(p, flags);
}

typedef struct ProbeCall {
	const char *service; /* NULL: PROBE_SERVICE */
	const char *method;
	const void *payload;
	size_t len;
	int64_t timeout;
	uint32_t stream;
	unsigned flags;
} ProbeCall;

static inline void probe_call(Probe *p, ProbeCall call)
{
	const char *service = call.service ? call.service : PROBE_SERVICE;
	Probe envelope = { 0 };

	probe_field(&envelope, 1, service, strlen(service));
	probe_field(&envelope, 2, call.method, strlen(call.method));
	if (call.len)
		probe_field(&envelope, 3, call.payload, call.len);
	if (call.timeout) {
		probe_byte(&envelope, 4 * 8);
		probe_varint(&envelope, (uint64_t)call.timeout);
	}
	probe_header(p, (uint32_t)envelope.len, call.stream, 1, call.flags);
	probe_add(p, envelope.data, envelope.len);
	probe_free(&envelope);
}

/* One response, taken apart. */
typedef struct ProbeAnswer {
	uint32_t stream;
	size_t frame_size; /* header included; 0: no whole frame there */
	int code;          /* -1: no status on the wire */
	bool has_payload;  /* the field is on the wire, if only as 12 00 */
	uint8_t payload[256];
	size_t payload_len;
	char message[512];
	char diagnostic[32]; /* "PVW-RPC-0018" of the one detail, or "" */
	char source[160];
} ProbeAnswer;

static inline void probe_take_details(const Ttrpc__Status *status, ProbeAnswer *out)
{
	Pvw__V1__Diagnostic *d;

	if (status->n_details != 1 ||
		strcmp(status->details[0]->type_url, "type.googleapis.com/pvw.v1.Diagnostic") !=
			0)
		return;
	d = pvw__v1__diagnostic__unpack(
		NULL, status->details[0]->value.len, status->details[0]->value.data);
	if (!d)
		return;
	strncpy(out->diagnostic, d->code, sizeof(out->diagnostic) - 1);
	strncpy(out->source, d->source, sizeof(out->source) - 1);
	pvw__v1__diagnostic__free_unpacked(d, NULL);
}

/* The response at the front of @data. */
static inline ProbeAnswer probe_answer(const uint8_t *data, size_t len)
{
	ProbeAnswer out = { .code = -1 };
	Ttrpc__Response *response;
	size_t size;

	if (len < 10)
		return out;
	size = (size_t)data[0] << 24 | (size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3];
	if (len < 10 + size)
		return out;
	out.stream = (uint32_t)data[4] << 24 | (uint32_t)data[5] << 16 |
		(uint32_t)data[6] << 8 | data[7];
	if (data[8] != 2 || data[9] != 0)
		return out;
	response = ttrpc__response__unpack(NULL, size, data + 10);
	if (!response)
		return out;
	out.frame_size = 10 + size;
	out.has_payload = size > 0 && data[10] == 0x12;
	out.payload_len = response->payload.len;
	if (response->payload.len && response->payload.len <= sizeof(out.payload))
		memcpy(out.payload, response->payload.data, response->payload.len);
	if (response->status) {
		out.code = response->status->code;
		strncpy(out.message, response->status->message, sizeof(out.message) - 1);
		probe_take_details(response->status, &out);
	}
	ttrpc__response__free_unpacked(response, NULL);
	return out;
}

/* A small generator of numbers, the same everywhere. */
static inline uint64_t probe_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif
