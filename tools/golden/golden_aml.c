/*
 * Area aml: single encodings.
 */
#include "acpi/aml.h"
#include "acpi/aml_resource.h"
#include "golden.h"
#include "support/diagnostics.h"

#define ENCODING_BOUND ((size_t)1 << 20)

static Bytes ramp(const json_t *input, uint8_t mask, Arena *arena)
{
	const size_t len = (size_t)golden_u64(input, "len");
	uint8_t *bytes = golden_array(arena, len, 1);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)i & mask;
	return (Bytes){ .data = bytes, .len = len };
}

static void put_package_len(const json_t *input, Arena *arena, Aml *aml)
{
	uint8_t bytes[4];
	const size_t body = (size_t)golden_u64(input, "len");
	const size_t len = aml_package_length(body, bytes);

	(void)arena;
	if (len == 0)
		aml_fail(aml, PVW_ACPI_0003, "a body of %zu bytes, expected at most %u", body,
			AML_BODY_MAX);
	put_bytes(aml->out, bytes, len);
}

static void put_integer(const json_t *input, Arena *arena, Aml *aml)
{
	(void)arena;
	aml_integer(aml, golden_u64(input, "value"));
}

static void put_name(const json_t *input, Arena *arena, Aml *aml)
{
	(void)arena;
	aml_path(aml, golden_string(input, "name"));
}

static void put_eisa_id(const json_t *input, Arena *arena, Aml *aml)
{
	(void)arena;
	aml_eisa_id(aml, golden_string(input, "id"));
}

static void put_buffer(const json_t *input, Arena *arena, Aml *aml)
{
	aml_buffer(aml, ramp(input, 0xFF, arena));
}

/* Elements are the opcodes of 0 and 1, in turns. */
static void put_package(const json_t *input, Arena *arena, Aml *aml)
{
	const Bytes elements = ramp(input, 1, arena);

	aml_package(aml, elements.len);
	put_bytes(aml->out, elements.data, elements.len);
	aml_close(aml);
}

static void put_qword_memory(const json_t *input, Arena *arena, Aml *aml)
{
	(void)arena;
	resource_window(aml, RESOURCE_PRODUCER, golden_u64(input, "address"),
		golden_u64(input, "length"));
}

static void put_bus_number(const json_t *input, Arena *arena, Aml *aml)
{
	(void)arena;
	resource_bus_numbers(aml, (uint32_t)golden_u64(input, "address"),
		(uint32_t)golden_u64(input, "length"));
}

static const struct {
	const char *op;
	void (*put)(const json_t *input, Arena *arena, Aml *aml);
} encodings[] = {
	{ "encode_package_len", put_package_len },
	{ "encode_integer", put_integer },
	{ "encode_name", put_name },
	{ "eisa_id", put_eisa_id },
	{ "buffer", put_buffer },
	{ "package", put_package },
	{ "qword_memory", put_qword_memory },
	{ "bus_number", put_bus_number },
};

bool golden_run_aml(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const char *op = golden_string(input, "op");
	ByteWriter w = byte_writer_on(golden_array(arena, ENCODING_BOUND, 1), ENCODING_BOUND);
	Bytes bytes;
	Aml aml;

	for (size_t i = 0; i < ARRAY_COUNT(encodings); i++) {
		if (strcmp(encodings[i].op, op) != 0)
			continue;
		aml_begin(&aml, &w, err);
		encodings[i].put(input, arena, &aml);
		if (!aml_finish(&aml) || !byte_writer_finish(&w, "encoding", &bytes, err))
			return false;
		*output = json_pack("{s: o}", "bytes", golden_json_hex(bytes));
		return true;
	}
	golden_malformed("unknown operation \"%s\"", op);
}
