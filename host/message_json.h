/*
 * Protobuf messages as JSON and back, over their descriptors: any message, any method.
 *
 * Members are named as in the .proto and stand in the order of their field numbers. Enums are
 * names; 64-bit numbers are texts, "0x…" or, with a sign, decimal; bytes are base64. Scalars and
 * lists are always written, messages only if they are there, of a oneof the member that is set.
 *
 * When read, numbers of any width may be integers or texts, decimal or 0x…; null is absence.
 */
#ifndef HOST_MESSAGE_JSON_H
#define HOST_MESSAGE_JSON_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "support/arena.h"

/**
 * message_to_json - @out is the caller's, to be released with json_decref
 * @arena: scratch
 */
MUST_CHECK bool message_to_json(
	const ProtobufCMessage *message, Arena *arena, json_t **out, Error *err);

/**
 * message_from_json - a message of type @descriptor in @arena; borrows nothing from @json
 * @source: what the paths in errors begin with
 *
 * Errors, whose source is the member's path ("request.settings.uefi.console"): PVW_JSON_0002
 * (BAD_VALUE) a value that the member cannot have, two members of one oneof; _0005 (BAD_VALUE)
 * an unknown member.
 */
MUST_CHECK bool message_from_json(const json_t *json,
	const ProtobufCMessageDescriptor *descriptor, const char *source, Arena *arena,
	ProtobufCMessage **out, Error *err);

#endif
