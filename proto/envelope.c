/*
 * Envelopes, field by field: proto/ttrpc.proto.
 */
#include "proto/envelope.h"

#include <string.h>

#include "proto/ttrpc.pb-c.h"
#include "proto/wire.h"
#include "proto/wire_lint.h"
#include "proto/worker.pb-c.h"
#include "support/diagnostics.h"

#define DIAGNOSTIC_TYPE_URL "type.googleapis.com/pvw.v1.Diagnostic"

enum { REQUEST_SERVICE = 1, REQUEST_METHOD, REQUEST_PAYLOAD, REQUEST_TIMEOUT };
enum { RESPONSE_STATUS = 1, RESPONSE_PAYLOAD };
enum { STATUS_CODE = 1, STATUS_MESSAGE, STATUS_DETAILS };
enum { ANY_TYPE_URL = 1, ANY_VALUE };

/* Keeps the words of a failed lint, but as one diagnostic of its own. */
static bool refuse_envelope(uint16_t diagnostic, const char *what, Error *err)
{
	const Error lint = *err;

	error_set(err, diagnostic, "%s: %s", what, lint.text);
	return error_at_offset(err, lint.source, lint.offset);
}

bool request_envelope_read(Bytes bytes, RequestEnvelope *out, Error *err)
{
	static const WireLimit limits[] = { { &ttrpc__request__descriptor, 5,
		ENVELOPE_MAX_METADATA } };
	const WireLimitList list = { limits, ARRAY_COUNT(limits) };
	RequestEnvelope request = { 0 };
	WireReader reader = wire_reader_on(bytes);
	WireField field;

	if (!wire_lint(bytes, &ttrpc__request__descriptor, list, err))
		return refuse_envelope(PVW_RPC_0011, "request", err);
	while (wire_next(&reader, &field)) {
		if (field.number == REQUEST_SERVICE)
			request.service = field.bytes;
		else if (field.number == REQUEST_METHOD)
			request.method = field.bytes;
		else if (field.number == REQUEST_PAYLOAD)
			request.payload = field.bytes;
		else if (field.number == REQUEST_TIMEOUT)
			request.timeout_nano = (int64_t)field.value;
	}
	*out = request;
	return true;
}

void put_request_envelope(ByteWriter *w, const RequestEnvelope *request)
{
	put_wire_bytes(w, REQUEST_SERVICE, request->service);
	put_wire_bytes(w, REQUEST_METHOD, request->method);
	if (request->payload.len)
		put_wire_bytes(w, REQUEST_PAYLOAD, request->payload);
	if (request->timeout_nano) {
		put_varint(w, REQUEST_TIMEOUT << 3 | WIRE_VARINT);
		put_varint(w, (uint64_t)request->timeout_nano);
	}
}

/* The value of an Any that holds our diagnostic. */
static void read_detail(Bytes any, ResponseEnvelope *response)
{
	WireReader reader = wire_reader_on(any);
	WireField field;
	Bytes url = { 0 }, value = { 0 };

	while (wire_next(&reader, &field)) {
		if (field.number == ANY_TYPE_URL)
			url = field.bytes;
		else if (field.number == ANY_VALUE)
			value = field.bytes;
	}
	if (url.len == strlen(DIAGNOSTIC_TYPE_URL) &&
		memcmp(url.data, DIAGNOSTIC_TYPE_URL, url.len) == 0)
		response->detail = value;
}

static void read_status(Bytes status, ResponseEnvelope *response)
{
	WireReader reader = wire_reader_on(status);
	WireField field;

	while (wire_next(&reader, &field)) {
		if (field.number == STATUS_CODE)
			response->status = (int32_t)(uint32_t)field.value;
		else if (field.number == STATUS_MESSAGE)
			response->message = field.bytes;
		else if (field.number == STATUS_DETAILS)
			read_detail(field.bytes, response);
	}
}

bool response_envelope_read(Bytes bytes, ResponseEnvelope *out, Error *err)
{
	const WireLimitList no_limits = { 0 };
	ResponseEnvelope response = { 0 };
	WireReader reader = wire_reader_on(bytes);
	WireField field;

	if (!wire_lint(bytes, &ttrpc__response__descriptor, no_limits, err))
		return refuse_envelope(PVW_RPC_0027, "response", err);
	while (wire_next(&reader, &field)) {
		if (field.number == RESPONSE_STATUS)
			read_status(field.bytes, &response);
		else if (field.number == RESPONSE_PAYLOAD)
			response.payload = field.bytes;
	}
	*out = response;
	return true;
}

size_t envelope_success_overhead(size_t len)
{
	return wire_bytes_size(RESPONSE_PAYLOAD, len) - len;
}

void put_success_head(ByteWriter *w, size_t len)
{
	put_varint(w, RESPONSE_PAYLOAD << 3 | WIRE_BYTES);
	put_varint(w, len);
}

/* Text that may hold anything, or end inside of a character, made fit for a proto3 string. */
static void make_text(const char *from, char *to, size_t size)
{
	size_t len = strnlen(from, size - 1);

	memcpy(to, from, len);
	to[len] = '\0';
	if (wire_is_text((Bytes){ (const uint8_t *)to, len }))
		return;
	for (size_t i = 0; i < len; i++) {
		if ((uint8_t)to[i] >= 0x80)
			to[i] = '?';
	}
}

static Bytes bytes_of(const char *text)
{
	return (Bytes){ (const uint8_t *)text, strlen(text) };
}

/* Packs the diagnostic of @err; its strings are bounded by Error and by the table. */
static size_t pack_diagnostic(
	const Error *err, char *text, uint8_t out[ENVELOPE_MAX_STATUS], size_t room)
{
	const DiagnosticRow *row = diagnostic_row(err->diagnostic);
	Pvw__V1__Diagnostic message;
	char name[32], source[ERROR_SOURCE_SIZE], hint[512];

	pvw__v1__diagnostic__init(&message);
	make_text(row->name, name, sizeof(name));
	make_text(row->hint, hint, sizeof(hint));
	make_text(err->source, source, sizeof(source));
	message.severity = PVW__V1__SEVERITY__SEVERITY_ERROR;
	message.code = name;
	message.text = text;
	message.source = source;
	message.has_offset = err->has_offset;
	message.offset = err->has_offset ? err->offset : 0;
	message.hint = hint;

	const size_t size = pvw__v1__diagnostic__get_packed_size(&message);

	assert(size <= room);
	return size <= room ? pvw__v1__diagnostic__pack(&message, out) : 0;
}

void put_failure(ByteWriter *w, const Error *err)
{
	uint8_t detail[ENVELOPE_MAX_STATUS], any[ENVELOPE_MAX_STATUS],
		status[ENVELOPE_MAX_STATUS];
	char text[ERROR_TEXT_SIZE];
	const RpcStatus code = rpc_status_of(err);
	ByteWriter any_writer = byte_writer_on(any, sizeof(any));
	ByteWriter status_writer = byte_writer_on(status, sizeof(status));

	make_text(err->text, text, sizeof(text));

	const size_t detail_len = pack_diagnostic(err, text, detail, sizeof(detail));

	put_wire_bytes(&any_writer, ANY_TYPE_URL, bytes_of(DIAGNOSTIC_TYPE_URL));
	put_wire_bytes(&any_writer, ANY_VALUE, (Bytes){ detail, detail_len });
	put_varint(&status_writer, STATUS_CODE << 3 | WIRE_VARINT);
	put_varint(&status_writer, code);
	put_wire_bytes(&status_writer, STATUS_MESSAGE, bytes_of(text));
	put_wire_bytes(&status_writer, STATUS_DETAILS, (Bytes){ any, any_writer.len });
	put_wire_bytes(w, RESPONSE_STATUS, (Bytes){ status, status_writer.len });
}
