/*
 * Protobuf messages as JSON, by walking their descriptors.
 */
#include "host/message_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/base64.h"
#include "host/json_text.h"
#include "support/diagnostics.h"

/* Repeated fields are a size_t at the quantifier and a pointer to the values at the offset. */

static size_t value_size(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return sizeof(uint64_t);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_ENUM:
		return sizeof(uint32_t);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	}
	return sizeof(uint64_t);
}

/*
 * Messages to JSON.
 */

/* NULL: no memory, or @err says more. */
static json_t *enum_to_json(const ProtobufCFieldDescriptor *field, uint32_t number)
{
	const ProtobufCEnumValue *value =
		protobuf_c_enum_descriptor_get_value(field->descriptor, (int)number);

	return value ? json_string(value->name) : json_integer(number);
}

static json_t *bytes_to_json(const ProtobufCBinaryData *data, Arena *arena, Error *err)
{
	const char *text = base64_encode((Bytes){ data->data, data->len }, arena, err);

	return text ? json_string(text) : NULL;
}

static json_t *number_to_json(const ProtobufCFieldDescriptor *field, const uint8_t *from)
{
	uint64_t wide = 0;
	uint32_t narrow = 0;

	if (value_size(field) == sizeof(wide)) {
		memcpy(&wide, from, sizeof(wide));
		if (field->type == PROTOBUF_C_TYPE_UINT64 ||
			field->type == PROTOBUF_C_TYPE_FIXED64)
			return json_text_u64(wide);
		return json_sprintf("%" PRId64, (int64_t)wide);
	}
	memcpy(&narrow, from, sizeof(narrow));
	if (field->type == PROTOBUF_C_TYPE_ENUM)
		return enum_to_json(field, narrow);
	if (field->type == PROTOBUF_C_TYPE_UINT32 || field->type == PROTOBUF_C_TYPE_FIXED32)
		return json_integer(narrow);
	return json_integer((int32_t)narrow);
}

static json_t *value_to_json(
	const ProtobufCFieldDescriptor *field, const uint8_t *from, Arena *arena, Error *err)
{
	ProtobufCBinaryData data;
	protobuf_c_boolean flag;
	const void *pointer;
	json_t *json = NULL;

	if (field->type == PROTOBUF_C_TYPE_BOOL) {
		memcpy(&flag, from, sizeof(flag));
		return json_boolean(flag);
	}
	if (field->type == PROTOBUF_C_TYPE_BYTES) {
		memcpy(&data, from, sizeof(data));
		return bytes_to_json(&data, arena, err);
	}
	if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE)
		return number_to_json(field, from);
	memcpy(&pointer, from, sizeof(pointer));
	if (field->type == PROTOBUF_C_TYPE_STRING)
		return json_string(pointer ? pointer : "");
	return message_to_json(pointer, arena, &json, err) ? json : NULL;
}

static json_t *list_to_json(
	const ProtobufCFieldDescriptor *field, const uint8_t *message, Arena *arena, Error *err)
{
	json_t *list = json_array();
	const uint8_t *items;
	size_t count;

	memcpy(&count, message + field->quantifier_offset, sizeof(count));
	memcpy(&items, message + field->offset, sizeof(items));
	for (size_t i = 0; list && i < count; i++) {
		json_t *value = value_to_json(field, items + i * value_size(field), arena, err);

		if (json_array_append_new(list, value) != 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

/* A message that is not there, or a member of a oneof that is not set. */
static bool is_absent(const ProtobufCFieldDescriptor *field, const uint8_t *message)
{
	const void *pointer = NULL;
	uint32_t set;

	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
		memcpy(&set, message + field->quantifier_offset, sizeof(set));
		if (set != field->id)
			return true;
	}
	if (field->type != PROTOBUF_C_TYPE_MESSAGE)
		return false;
	memcpy(&pointer, message + field->offset, sizeof(pointer));
	return pointer == NULL;
}

static json_t *field_to_json(
	const ProtobufCFieldDescriptor *field, const uint8_t *message, Arena *arena, Error *err)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return list_to_json(field, message, arena, err);
	return value_to_json(field, message + field->offset, arena, err);
}

bool message_to_json(const ProtobufCMessage *message, Arena *arena, json_t **out, Error *err)
{
	const ProtobufCMessageDescriptor *descriptor = message->descriptor;
	const uint8_t *base = (const uint8_t *)message;
	json_t *object = json_object();

	for (unsigned i = 0; object && i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

		if (field->label != PROTOBUF_C_LABEL_REPEATED && is_absent(field, base))
			continue;
		if (json_object_set_new(
			    object, field->name, field_to_json(field, base, arena, err)) != 0) {
			json_decref(object);
			object = NULL;
		}
	}
	/* Nothing else can fail. */
	if (!object)
		return error_set(err, PVW_MEM_0001, "no memory for a JSON value");
	*out = object;
	return true;
}

/*
 * JSON to messages.
 */

typedef struct Reader {
	JsonPath path;
	Arena *arena;
	Error *err;
} Reader;

static bool value_fail(Reader *reader, const json_t *json, const char *expected)
{
	return json_text_fail(&reader->path, json, expected, reader->err);
}

static bool read_signed(Reader *reader, const json_t *json, int64_t min, int64_t max, void *to)
{
	uint64_t number = 0;
	int64_t value = 0;
	bool ok;

	if (json_is_string(json) && json_string_value(json)[0] == '-') {
		json_t *rest = json_string(json_string_value(json) + 1);

		ok = json_text_number(rest, (uint64_t)INT64_MAX + 1, &number);
		value = (int64_t)(0 - number);
		json_decref(rest);
	} else if (json_is_integer(json)) {
		ok = true;
		value = json_integer_value(json);
	} else {
		ok = json_text_number(json, INT64_MAX, &number);
		value = (int64_t)number;
	}
	if (!ok || value < min || value > max)
		return value_fail(reader, json, "a number that fits the field");
	memcpy(to, &value, max == INT64_MAX ? sizeof(int64_t) : sizeof(int32_t));
	return true;
}

static bool read_unsigned(Reader *reader, const json_t *json, uint64_t max, void *to)
{
	uint64_t value;

	if (!json_text_number(json, max, &value))
		return value_fail(reader, json,
			max == UINT32_MAX ? "a number from 0 to 0xffffffff"
					  : "a number from 0 to 0xffffffffffffffff");
	/* Little-endian: the low half is the narrow number. */
	memcpy(to, &value, max == UINT32_MAX ? sizeof(uint32_t) : sizeof(uint64_t));
	return true;
}

static bool read_enum(
	Reader *reader, const ProtobufCFieldDescriptor *field, const json_t *json, void *to)
{
	const ProtobufCEnumDescriptor *descriptor = field->descriptor;
	const ProtobufCEnumValue *value = NULL;
	char expected[128];

	if (json_is_string(json))
		value = protobuf_c_enum_descriptor_get_value_by_name(
			descriptor, json_string_value(json));
	else if (json_is_integer(json) && json_integer_value(json) >= 0 &&
		json_integer_value(json) <= INT32_MAX)
		value = protobuf_c_enum_descriptor_get_value(
			descriptor, (int)json_integer_value(json));
	if (!value) {
		snprintf(expected, sizeof(expected), "a name of enum %s, like %s",
			descriptor->short_name,
			descriptor->values[descriptor->n_values > 1].name);
		return value_fail(reader, json, expected);
	}
	memcpy(to, &value->value, sizeof(value->value));
	return true;
}

static bool read_string(Reader *reader, const json_t *json, void *to)
{
	const uint8_t *text;

	if (!json_is_string(json))
		return value_fail(reader, json, "a text");
	if (!arena_copy(reader->arena, json_string_value(json), json_string_length(json) + 1,
		    &text, reader->err))
		return false;
	memcpy(to, &text, sizeof(text));
	return true;
}

static bool read_bytes(Reader *reader, const json_t *json, void *to)
{
	ProtobufCBinaryData data;
	Bytes bytes;

	if (!json_is_string(json))
		return value_fail(reader, json, "a text of base64");
	if (!base64_decode(json_string_value(json), reader->arena, &bytes, reader->err))
		return error_at(reader->err, reader->path.text);
	data.len = bytes.len;
	/* The library's struct is not const; nobody writes to a message's bytes. */
	data.data = (uint8_t *)(uintptr_t)bytes.data;
	memcpy(to, &data, sizeof(data));
	return true;
}

static bool read_message(Reader *reader, const json_t *json,
	const ProtobufCMessageDescriptor *descriptor, ProtobufCMessage **out);

static bool read_value(
	Reader *reader, const ProtobufCFieldDescriptor *field, const json_t *json, void *to)
{
	ProtobufCMessage *message;
	protobuf_c_boolean flag;

	switch (field->type) {
	case PROTOBUF_C_TYPE_BOOL:
		if (!json_is_boolean(json))
			return value_fail(reader, json, "true or false");
		flag = json_is_true(json);
		memcpy(to, &flag, sizeof(flag));
		return true;
	case PROTOBUF_C_TYPE_ENUM:
		return read_enum(reader, field, json, to);
	case PROTOBUF_C_TYPE_STRING:
		return read_string(reader, json, to);
	case PROTOBUF_C_TYPE_BYTES:
		return read_bytes(reader, json, to);
	case PROTOBUF_C_TYPE_MESSAGE:
		if (!read_message(reader, json, field->descriptor, &message))
			return false;
		memcpy(to, &message, sizeof(message));
		return true;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return read_unsigned(reader, json, UINT32_MAX, to);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		return read_unsigned(reader, json, UINT64_MAX, to);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return read_signed(reader, json, INT32_MIN, INT32_MAX, to);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return read_signed(reader, json, INT64_MIN, INT64_MAX, to);
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_DOUBLE:
		break;
	}
	return value_fail(reader, json, "nothing: the service has no fractions");
}

static bool read_list(Reader *reader, const ProtobufCFieldDescriptor *field, const json_t *json,
	uint8_t *message)
{
	const size_t count = json_array_size(json), size = value_size(field);
	const size_t mark = reader->path.len;
	uint8_t *items;

	if (!json_is_array(json))
		return value_fail(reader, json, "an array");
	items = arena_alloc_array(
		reader->arena, count, size, _Alignof(max_align_t), reader->err);
	if (!items)
		return false;
	for (size_t i = 0; i < count; i++) {
		char index[24];

		snprintf(index, sizeof(index), "[%zu]", i);
		json_path_push(&reader->path, "", index);
		if (!read_value(reader, field, json_array_get(json, i), items + i * size))
			return false;
		json_path_pop(&reader->path, mark);
	}
	memcpy(message + field->quantifier_offset, &count, sizeof(count));
	memcpy(message + field->offset, &items, sizeof(items));
	return true;
}

static bool set_oneof(Reader *reader, const ProtobufCFieldDescriptor *field, uint8_t *message)
{
	uint32_t set;

	memcpy(&set, message + field->quantifier_offset, sizeof(set));
	if (set != 0) {
		error_set(reader->err, PVW_JSON_0002,
			"a second member of a choice, expected one of them");
		return error_at(reader->err, reader->path.text);
	}
	memcpy(message + field->quantifier_offset, &field->id, sizeof(field->id));
	return true;
}

static bool read_member(Reader *reader, const ProtobufCMessageDescriptor *descriptor,
	const char *name, const json_t *json, uint8_t *message)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(descriptor, name);

	if (!field) {
		error_set(reader->err, PVW_JSON_0005, "no such member, expected one of %s",
			descriptor->short_name);
		return error_at(reader->err, reader->path.text);
	}
	if (json_is_null(json))
		return true;
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return read_list(reader, field, json, message);
	if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) && !set_oneof(reader, field, message))
		return false;
	return read_value(reader, field, json, message + field->offset);
}

static bool read_message(Reader *reader, const json_t *json,
	const ProtobufCMessageDescriptor *descriptor, ProtobufCMessage **out)
{
	const size_t mark = reader->path.len;
	ProtobufCMessage *message;

	if (!json_is_object(json))
		return value_fail(reader, json, "an object");
	message = arena_alloc(
		reader->arena, descriptor->sizeof_message, _Alignof(max_align_t), reader->err);
	if (!message)
		return false;
	descriptor->message_init(message);
	/* Iterators are not const in the library; they only look. */
	json_t *object = (json_t *)(uintptr_t)json;

	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
		json_path_push(&reader->path, mark ? "." : "", json_object_iter_key(at));
		if (!read_member(reader, descriptor, json_object_iter_key(at),
			    json_object_iter_value(at), (uint8_t *)message))
			return false;
		json_path_pop(&reader->path, mark);
	}
	*out = message;
	return true;
}

bool message_from_json(const json_t *json, const ProtobufCMessageDescriptor *descriptor,
	const char *source, Arena *arena, ProtobufCMessage **out, Error *err)
{
	Reader reader = { .arena = arena, .err = err };

	json_path_push(&reader.path, "", source);
	return read_message(&reader, json, descriptor, out);
}
