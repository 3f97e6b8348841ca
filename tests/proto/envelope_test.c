/*
 * Envelopes: ours written, theirs read.
 */
#include <criterion/criterion.h>

#include "helpers/rpc_probe.h"
#include "proto/envelope.h"
#include "support/diagnostics.h"

static bool is_text(Bytes bytes, const char *text)
{
	return bytes.len == strlen(text) && memcmp(bytes.data, text, bytes.len) == 0;
}

Test(envelope, request_is_read_as_views)
{
	Ttrpc__Request request = TTRPC__REQUEST__INIT;
	Ttrpc__KeyValue a = TTRPC__KEY_VALUE__INIT;
	Ttrpc__KeyValue *metadata[] = { &a, &a };
	uint8_t bytes[256];
	RequestEnvelope out;
	Error err;

	a.key = (char *)"k";
	a.value = (char *)"v";
	request.service = (char *)"pvw.v1.Worker";
	request.method = (char *)"Hello";
	request.payload = (ProtobufCBinaryData){ 3, (uint8_t *)"\x08\x01\xff" };
	request.timeout_nano = -5;
	request.n_metadata = 2;
	request.metadata = metadata;

	const size_t len = ttrpc__request__pack(&request, bytes);

	cr_assert(request_envelope_read((Bytes){ bytes, len }, &out, &err), "%s", err.text);
	cr_assert(is_text(out.service, "pvw.v1.Worker"));
	cr_assert(is_text(out.method, "Hello"));
	cr_assert_eq(out.payload.len, 3);
	cr_assert_eq(out.timeout_nano, -5);
}

Test(envelope, request_is_written_as_others_read_it)
{
	const RequestEnvelope request = {
		.service = { (const uint8_t *)"S", 1 },
		.method = { (const uint8_t *)"M", 1 },
		.payload = { (const uint8_t *)"xyz", 3 },
		.timeout_nano = -1,
	};
	uint8_t bytes[64];
	ByteWriter w = byte_writer_on(bytes, sizeof(bytes));

	put_request_envelope(&w, &request);

	Ttrpc__Request *read = ttrpc__request__unpack(NULL, w.len, bytes);

	cr_assert_not_null(read);
	cr_assert_str_eq(read->service, "S");
	cr_assert_str_eq(read->method, "M");
	cr_assert_eq(read->payload.len, 3);
	cr_assert_eq(read->timeout_nano, -1);
	ttrpc__request__free_unpacked(read, NULL);
}

Test(envelope, unknown_fields_are_skipped)
{
	Probe p = { 0 };
	RequestEnvelope out;
	Error err;

	probe_field(&p, 1, "S", 1);
	probe_field(&p, 9, "news", 4);
	probe_field(&p, 2, "M", 1);
	cr_assert(request_envelope_read((Bytes){ p.data, p.len }, &out, &err));
	cr_assert(is_text(out.method, "M"));
	probe_free(&p);
}

static void assert_refused(const Probe *p, const char *word)
{
	RequestEnvelope out;
	Error err;

	cr_assert_not(request_envelope_read((Bytes){ p->data, p->len }, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0011);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert(strncmp(err.source, "rpc:Request", 11) == 0, "%s", err.source);
}

Test(envelope, undecodable_requests_are_refused)
{
	Probe p = { 0 };

	probe_field(&p, 1, "S\xff", 2);
	assert_refused(&p, "UTF-8");
	p.len = 0;
	probe_field(&p, 1, "a", 1);
	probe_field(&p, 1, "b", 1);
	assert_refused(&p, "more than once");
	p.len = 0;
	probe_add(&p, "\x0a\x7f", 2);
	assert_refused(&p, "length");
	p.len = 0;
	for (int i = 0; i <= ENVELOPE_MAX_METADATA; i++)
		probe_field(&p, 5, "", 0);
	assert_refused(&p, "at most 64");
	probe_free(&p);
}

Test(envelope, an_empty_success_still_has_its_payload_field)
{
	uint8_t bytes[16];
	ByteWriter w = byte_writer_on(bytes, sizeof(bytes));

	put_success_head(&w, 0);
	cr_assert_eq(w.len, 2);
	cr_assert(bytes[0] == 0x12 && bytes[1] == 0x00);
	cr_assert_eq(envelope_success_overhead(0), 2);
	cr_assert_eq(envelope_success_overhead(127), 2);
	cr_assert_eq(envelope_success_overhead(128), 3);
	cr_assert_eq(envelope_success_overhead(4 * 1024 * 1024), 5);
}

Test(envelope, a_failure_has_status_and_one_diagnostic_and_no_payload)
{
	uint8_t bytes[ENVELOPE_MAX_STATUS];
	ByteWriter w = byte_writer_on(bytes, sizeof(bytes));
	Error err;

	error_set(&err, PVW_RPC_0018, "5000000 bytes");
	error_at_offset(&err, "rpc:x", 7);
	put_failure(&w, &err);

	Ttrpc__Response *r = ttrpc__response__unpack(NULL, w.len, bytes);

	cr_assert_not_null(r);
	cr_assert_not_null(r->status);
	cr_assert_eq(r->status->code, 8);
	cr_assert_str_eq(r->status->message, "5000000 bytes");
	cr_assert_eq(bytes[0], 0x0a, "status alone");
	cr_assert_eq(r->payload.len, 0);
	cr_assert_eq(r->status->n_details, 1);

	Pvw__V1__Diagnostic *d = pvw__v1__diagnostic__unpack(
		NULL, r->status->details[0]->value.len, r->status->details[0]->value.data);

	cr_assert_not_null(d);
	cr_assert_str_eq(d->code, "PVW-RPC-0018");
	cr_assert_str_eq(d->text, "5000000 bytes");
	cr_assert_str_eq(d->source, "rpc:x");
	cr_assert(d->has_offset && d->offset == 7);
	cr_assert_eq(d->severity, PVW__V1__SEVERITY__SEVERITY_ERROR);
	cr_assert_gt(strlen(d->hint), 0);
	pvw__v1__diagnostic__free_unpacked(d, NULL);
	ttrpc__response__free_unpacked(r, NULL);
}

Test(envelope, every_diagnostic_fits_a_status)
{
	for (uint16_t id = PVW_NONE; id < DIAGNOSTIC_COUNT; id++) {
		uint8_t bytes[ENVELOPE_MAX_STATUS];
		ByteWriter w = byte_writer_on(bytes, sizeof(bytes));
		Error err;

		error_set(&err, id, "%0*d", ERROR_TEXT_SIZE, 0);
		memset(err.source, 's', sizeof(err.source) - 1);
		put_failure(&w, &err);
		cr_assert_not(w.overflow, "%s", diagnostic_row(id)->name);
	}
}

Test(envelope, text_that_is_no_utf8_leaves_as_question_marks)
{
	uint8_t bytes[ENVELOPE_MAX_STATUS];
	ByteWriter w = byte_writer_on(bytes, sizeof(bytes));
	Error err;
	ResponseEnvelope out;

	error_set(&err, PVW_RPC_0012, "no service \"\xff\xfe\"");
	put_failure(&w, &err);
	cr_assert(response_envelope_read((Bytes){ bytes, w.len }, &out, &err), "%s", err.text);
	cr_assert(is_text(out.message, "no service \"??\""));
}

Test(envelope, responses_of_others_are_read)
{
	Ttrpc__Response response = TTRPC__RESPONSE__INIT;
	Ttrpc__Status ok = TTRPC__STATUS__INIT;
	uint8_t bytes[64];
	ResponseEnvelope out;
	Error err;

	/* As ttrpc-rust does it: a status that says OK beside the payload. */
	response.status = &ok;
	response.payload = (ProtobufCBinaryData){ 2, (uint8_t *)"hi" };

	size_t len = ttrpc__response__pack(&response, bytes);

	cr_assert(response_envelope_read((Bytes){ bytes, len }, &out, &err));
	cr_assert(out.status == RPC_OK && is_text(out.payload, "hi"));

	/* As Go does it for an empty answer: nothing at all. */
	cr_assert(response_envelope_read((Bytes){ 0 }, &out, &err));
	cr_assert(out.status == RPC_OK && out.payload.len == 0);

	ok.code = -3;
	ok.message = (char *)"odd";
	len = ttrpc__response__pack(&response, bytes);
	cr_assert(response_envelope_read((Bytes){ bytes, len }, &out, &err));
	cr_assert(out.status == -3 && is_text(out.message, "odd"));
	cr_assert_not(
		response_envelope_read((Bytes){ (const uint8_t *)"\x12", 1 }, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0027);
	cr_assert_not_null(strstr(err.text, "response"));
}
