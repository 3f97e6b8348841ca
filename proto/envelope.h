/*
 * ttrpc.Request and ttrpc.Response: read as views, written by hand.
 *
 * By hand because a success must carry its payload field even when it is empty (a peer that reads
 * Response as a one-of calls an empty Response an error), and a failure nothing but its status.
 */
#ifndef PROTO_ENVELOPE_H
#define PROTO_ENVELOPE_H

#include "proto/rpc_status.h"
#include "support/byte_writer.h"

typedef struct RequestEnvelope {
	Bytes service, method; /* text, no NUL */
	Bytes payload;
	int64_t timeout_nano; /* 0: none; negative: over already */
} RequestEnvelope;

typedef struct ResponseEnvelope {
	Bytes payload;  /* of a success */
	int32_t status; /* 0: success */
	Bytes message;  /* of a failure; text */
	Bytes detail;   /* of a failure: an encoded pvw.v1.Diagnostic, or nothing */
} ResponseEnvelope;

#define ENVELOPE_MAX_METADATA 64
/* What an encoded status takes at most, details included. */
#define ENVELOPE_MAX_STATUS 4096

/** request_envelope_read - views into @bytes; PVW_RPC_0011 (BAD_VALUE) says what is wrong */
MUST_CHECK bool request_envelope_read(Bytes bytes, RequestEnvelope *out, Error *err);

/** put_request_envelope - all fields that are not empty */
void put_request_envelope(ByteWriter *w, const RequestEnvelope *request);

/** response_envelope_read - views into @bytes; PVW_RPC_0027 (BAD_VALUE) */
MUST_CHECK bool response_envelope_read(Bytes bytes, ResponseEnvelope *out, Error *err);

/** envelope_success_overhead - bytes in front of a payload of @len in a response */
size_t envelope_success_overhead(size_t len);

/** put_success_head - what stands in front of a payload of @len bytes; also of none */
void put_success_head(ByteWriter *w, size_t len);

/**
 * put_failure - a response that carries a status, with one Any of pvw.v1.Diagnostic
 *
 * At most ENVELOPE_MAX_STATUS bytes. What is no UTF-8 text in @err leaves as '?'.
 */
void put_failure(ByteWriter *w, const Error *err);

#endif
