/*
 * What is checked of an encoded message before the library may unpack it.
 *
 * protobuf-c has no bound on nesting, keeps every unknown field, takes any bytes as text and any
 * number as an enum, and needs up to 68 bytes of memory for a byte of input. So nothing reaches it
 * that was not walked here: in place, without recursion, in one pass.
 *
 * Source: docs/rpc.md, "What is refused".
 */
#ifndef PROTO_WIRE_LINT_H
#define PROTO_WIRE_LINT_H

#include <protobuf-c/protobuf-c.h>

#include "support/bytes.h"
#include "support/error.h"

#define WIRE_LINT_MAX_DEPTH 8      /* messages inside each other, the outermost included */
#define WIRE_LINT_MAX_FIELDS 65536 /* in one call, elements of packed lists included */
#define WIRE_LINT_MAX_UNKNOWN 16   /* skipped: from a newer peer; more are refused */

/* A list that may not be longer than @max. */
typedef struct WireLimit {
	const ProtobufCMessageDescriptor *message;
	uint32_t field; /* number */
	uint32_t max;   /* items */
} WireLimit;

typedef struct WireLimitList {
	const WireLimit *items;
	size_t count;
} WireLimitList;

/**
 * wire_lint - judge the encoding of one message
 * @bytes:   the encoded message
 * @message: its type; no more than 64 fields in it and in the messages within
 * @limits:  bounds on lists, any order
 *
 * What passes is unpacked by protobuf-c without loss, given memory. The error's source names the
 * field ("rpc:HelloRequest.client_name"), its offset lies in @bytes.
 *
 * Errors, all BAD_VALUE: PVW_RPC_0001 malformed, _0002 text that is not UTF-8 or holds NUL, _0003
 * unknown enum value, _0004 a singular field or a oneof given twice, _0005 nested too deeply, _0006
 * too many fields, _0007 a list too long, _0008 too many unknown fields, _0009 a number that does
 * not fit, _0010 not the field's wire type.
 */
MUST_CHECK bool wire_lint(Bytes bytes, const ProtobufCMessageDescriptor *message,
	WireLimitList limits, Error *err);

#endif
