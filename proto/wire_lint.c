/*
 * One pass over an encoded message, by its descriptor and with a stack of eight levels.
 */
#include "proto/wire_lint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/wire.h"
#include "support/diagnostics.h"

#define MAX_MESSAGE_FIELDS 64
#define UNKNOWN_FIELD SIZE_MAX

/* A message that has been entered and not left yet. */
typedef struct Level {
	const ProtobufCMessageDescriptor *message;
	WireReader reader;
	size_t field;                       /* index of the field being read */
	uint64_t seen;                      /* bit n: field with index n was there */
	uint32_t items[MAX_MESSAGE_FIELDS]; /* of lists */
} Level;

typedef struct Lint {
	Bytes bytes;
	WireLimitList limits;
	size_t depth; /* levels in use */
	size_t fields;
	size_t unknown;
	Level levels[WIRE_LINT_MAX_DEPTH];
} Lint;

static Level *top(Lint *lint)
{
	return &lint->levels[lint->depth - 1];
}

/* Names the field that is being read: "rpc:HelloRequest.correlation_id.le". */
static bool refuse_at(const Lint *lint, const uint8_t *at, Error *err)
{
	char path[ERROR_SOURCE_SIZE];
	size_t len = (size_t)snprintf(
		path, sizeof(path), "rpc:%s", lint->levels[0].message->short_name);

	for (size_t i = 0; i < lint->depth && len < sizeof(path); i++) {
		const Level *level = &lint->levels[i];

		if (level->field == UNKNOWN_FIELD)
			break;
		len += (size_t)snprintf(path + len, sizeof(path) - len, ".%s",
			level->message->fields[level->field].name);
	}
	return error_at_offset(err, path, (uint64_t)(at - lint->bytes.data));
}

static const uint8_t *position(Lint *lint)
{
	const WireReader *reader = &top(lint)->reader;

	return reader->bytes.data + reader->at;
}

static bool refuse_malformed(Lint *lint, const char *why, Error *err)
{
	error_set(err, PVW_RPC_0001, "%s", why);
	return refuse_at(lint, position(lint), err);
}

static bool enter(
	Lint *lint, const ProtobufCMessageDescriptor *message, Bytes bytes, Error *err)
{
	assert(message->n_fields <= MAX_MESSAGE_FIELDS);
	if (lint->depth == WIRE_LINT_MAX_DEPTH) {
		error_set(err, PVW_RPC_0005, "%s is nested more than %d levels deep",
			message->short_name, WIRE_LINT_MAX_DEPTH);
		return refuse_at(lint, bytes.data, err);
	}
	lint->depth++;

	Level *level = top(lint);

	level->message = message;
	level->reader = wire_reader_on(bytes);
	level->field = UNKNOWN_FIELD;
	level->seen = 0;
	memset(level->items, 0, message->n_fields * sizeof(level->items[0]));
	return true;
}

static bool check_limit(Lint *lint, const WireLimit *limit, Error *err)
{
	Level *level = top(lint);

	for (size_t i = 0; i < level->message->n_fields; i++) {
		if (level->message->fields[i].id != limit->field ||
			level->items[i] <= limit->max)
			continue;
		level->field = i;
		error_set(err, PVW_RPC_0007, "%" PRIu32 " items, at most %" PRIu32 " expected",
			level->items[i], limit->max);
		return refuse_at(lint, position(lint), err);
	}
	return true;
}

/* The end of a message: its lists are known now. */
static bool leave(Lint *lint, Error *err)
{
	Level *level = top(lint);

	if (level->reader.wrong)
		return refuse_malformed(lint, level->reader.wrong, err);
	for (size_t i = 0; i < lint->limits.count; i++) {
		const WireLimit *limit = &lint->limits.items[i];

		if (limit->message == level->message && !check_limit(lint, limit, err))
			return false;
	}
	lint->depth--;
	return true;
}

static bool count_field(Lint *lint, Error *err)
{
	if (++lint->fields <= WIRE_LINT_MAX_FIELDS)
		return true;
	error_set(err, PVW_RPC_0006, "more than %d fields", WIRE_LINT_MAX_FIELDS);
	return refuse_at(lint, position(lint), err);
}

static bool skip_unknown(Lint *lint, const WireField *field, Error *err)
{
	if (++lint->unknown <= WIRE_LINT_MAX_UNKNOWN)
		return true;
	error_set(err, PVW_RPC_0008,
		"field %" PRIu32 " of %s is unknown, and so are %d before it", field->number,
		top(lint)->message->short_name, WIRE_LINT_MAX_UNKNOWN);
	return refuse_at(lint, position(lint), err);
}

/* Index of the field with that number; dense numbering makes the first guess right. */
static size_t find_field(const ProtobufCMessageDescriptor *message, uint32_t number)
{
	if (number <= message->n_fields && message->fields[number - 1].id == number)
		return number - 1;

	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field(message, number);

	return field ? (size_t)(field - message->fields) : UNKNOWN_FIELD;
}

static WireType scalar_wire_type(ProtobufCType type)
{
	static const uint8_t types[] = {
		[PROTOBUF_C_TYPE_INT32] = WIRE_VARINT,
		[PROTOBUF_C_TYPE_SINT32] = WIRE_VARINT,
		[PROTOBUF_C_TYPE_SFIXED32] = WIRE_32BIT,
		[PROTOBUF_C_TYPE_INT64] = WIRE_VARINT,
		[PROTOBUF_C_TYPE_SINT64] = WIRE_VARINT,
		[PROTOBUF_C_TYPE_SFIXED64] = WIRE_64BIT,
		[PROTOBUF_C_TYPE_UINT32] = WIRE_VARINT,
		[PROTOBUF_C_TYPE_FIXED32] = WIRE_32BIT,
		[PROTOBUF_C_TYPE_UINT64] = WIRE_VARINT,
		[PROTOBUF_C_TYPE_FIXED64] = WIRE_64BIT,
		[PROTOBUF_C_TYPE_FLOAT] = WIRE_32BIT,
		[PROTOBUF_C_TYPE_DOUBLE] = WIRE_64BIT,
		[PROTOBUF_C_TYPE_BOOL] = WIRE_VARINT,
		[PROTOBUF_C_TYPE_ENUM] = WIRE_VARINT,
		[PROTOBUF_C_TYPE_STRING] = WIRE_BYTES,
		[PROTOBUF_C_TYPE_BYTES] = WIRE_BYTES,
		[PROTOBUF_C_TYPE_MESSAGE] = WIRE_BYTES,
	};

	return (WireType)types[type];
}

static bool refuse_number(Lint *lint, uint64_t value, const char *what, Error *err)
{
	error_set(err, PVW_RPC_0009, "%" PRIu64 " does not fit %s", value, what);
	return refuse_at(lint, position(lint), err);
}

/* A varint into the type of its field; what the library would cut is refused. */
static bool check_number(
	Lint *lint, const ProtobufCFieldDescriptor *field, uint64_t value, Error *err)
{
	const bool is_int32 = (uint64_t)(int64_t)(int32_t)(uint32_t)value == value;

	if (field->type == PROTOBUF_C_TYPE_UINT32 || field->type == PROTOBUF_C_TYPE_SINT32)
		return value <= UINT32_MAX || refuse_number(lint, value, "32 bits", err);
	if (field->type == PROTOBUF_C_TYPE_INT32)
		return is_int32 || refuse_number(lint, value, "int32", err);
	if (field->type == PROTOBUF_C_TYPE_BOOL)
		return value <= 1 || refuse_number(lint, value, "a bool", err);
	if (field->type != PROTOBUF_C_TYPE_ENUM)
		return true;
	if (is_int32 &&
		protobuf_c_enum_descriptor_get_value(field->descriptor, (int)(uint32_t)value))
		return true;
	error_set(err, PVW_RPC_0003, "%" PRId64 " is no value of %s", (int64_t)value,
		((const ProtobufCEnumDescriptor *)field->descriptor)->short_name);
	return refuse_at(lint, position(lint), err);
}

/* A list of numbers in one length-prefixed field. */
static bool check_packed(
	Lint *lint, const ProtobufCFieldDescriptor *field, Bytes bytes, Error *err)
{
	const WireType type = scalar_wire_type(field->type);
	const size_t width = type == WIRE_64BIT ? 8 : 4;
	WireReader reader = wire_reader_on(bytes);
	Level *level = top(lint);

	if (type != WIRE_VARINT) {
		if (bytes.len % width != 0)
			return refuse_malformed(lint, "a packed list is cut off", err);
		level->items[level->field] += (uint32_t)(bytes.len / width);
		lint->fields += bytes.len / width;
		return lint->fields <= WIRE_LINT_MAX_FIELDS || count_field(lint, err);
	}
	while (reader.at < bytes.len) {
		uint64_t value;

		if (!wire_read_varint(&reader, &value))
			return refuse_malformed(lint, reader.wrong, err);
		if (!count_field(lint, err) || !check_number(lint, field, value, err))
			return false;
		level->items[level->field]++;
	}
	return true;
}

/* A field that may be there once, alone or as the one arm of its oneof. */
static bool check_single(Lint *lint, const ProtobufCFieldDescriptor *field, Error *err)
{
	Level *level = top(lint);
	uint64_t others = level->seen & UINT64_C(1) << level->field;

	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		for (size_t i = 0; i < level->message->n_fields; i++) {
			const ProtobufCFieldDescriptor *arm = &level->message->fields[i];

			if (arm->flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
				arm->quantifier_offset == field->quantifier_offset)
				others |= level->seen & UINT64_C(1) << i;
		}
	}
	if (others == 0) {
		level->seen |= UINT64_C(1) << level->field;
		return true;
	}
	error_set(err, PVW_RPC_0004, "%s is given more than once", field->name);
	return refuse_at(lint, position(lint), err);
}

static bool check_value(
	Lint *lint, const ProtobufCFieldDescriptor *field, const WireField *wire, Error *err)
{
	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return enter(lint, field->descriptor, wire->bytes, err);
	if (field->type == PROTOBUF_C_TYPE_STRING && !wire_is_text(wire->bytes)) {
		error_set(err, PVW_RPC_0002, "%zu bytes that are not UTF-8 text without NUL",
			wire->bytes.len);
		return refuse_at(lint, wire->bytes.data, err);
	}
	return wire->type != WIRE_VARINT || check_number(lint, field, wire->value, err);
}

static bool check_field(Lint *lint, const WireField *wire, Error *err)
{
	Level *level = top(lint);

	level->field = find_field(level->message, wire->number);
	if (!count_field(lint, err))
		return false;
	if (level->field == UNKNOWN_FIELD)
		return skip_unknown(lint, wire, err);

	const ProtobufCFieldDescriptor *field = &level->message->fields[level->field];
	const WireType expected = scalar_wire_type(field->type);
	const bool is_list = field->label == PROTOBUF_C_LABEL_REPEATED;

	if (is_list && wire->type == WIRE_BYTES && expected != WIRE_BYTES)
		return check_packed(lint, field, wire->bytes, err);
	if (wire->type != expected) {
		error_set(err, PVW_RPC_0010, "wire type %d, expected %d", (int)wire->type,
			(int)expected);
		return refuse_at(lint, position(lint), err);
	}
	if (is_list)
		level->items[level->field]++;
	else if (!check_single(lint, field, err))
		return false;
	return check_value(lint, field, wire, err);
}

bool wire_lint(Bytes bytes, const ProtobufCMessageDescriptor *message, WireLimitList limits,
	Error *err)
{
	static const uint8_t nothing[1];
	UNINITIALIZED Lint lint;

	if (!bytes.data)
		bytes.data = nothing;
	lint.bytes = bytes;
	lint.limits = limits;
	lint.depth = 0;
	lint.fields = 0;
	lint.unknown = 0;
	if (!enter(&lint, message, bytes, err))
		return false;
	while (lint.depth > 0) {
		WireField field;

		if (wire_next(&top(&lint)->reader, &field)) {
			if (!check_field(&lint, &field, err))
				return false;
		} else if (!leave(&lint, err)) {
			return false;
		}
	}
	return true;
}
