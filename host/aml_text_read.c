/*
 * AML as ASL: bytes and names. [ACPI65] 20.2.2, 20.2.4
 */
#include <inttypes.h>
#include <string.h>

#include "host/aml_text_internal.h"
#include "support/diagnostics.h"

#define ROOT_PREFIX 0x5C
#define PARENT_PREFIX 0x5E
#define DUAL_NAME 0x2E
#define MULTI_NAME 0x2F

const uint8_t *asl_take(AmlText *t, size_t len, const char *what)
{
	const size_t at = t->at;

	if (t->failed)
		return NULL;
	if (len > t->end - at) {
		asl_fail(t, at, PVW_AML_0001, "%s: %zu bytes, expected %zu", what, t->end - at,
			len);
		return NULL;
	}
	t->at += len;
	return t->aml.data + at;
}

uint64_t asl_take_number(AmlText *t, size_t len, const char *what)
{
	const uint8_t *at = asl_take(t, len, what);
	uint64_t value = 0;

	for (size_t i = 0; at && i < len; i++)
		value |= (uint64_t)at[i] << 8 * i;
	return value;
}

/* PkgLength: the two high bits of the first byte say how many more there are. */
uint32_t asl_take_length(AmlText *t)
{
	const uint8_t first = (uint8_t)asl_take_number(t, 1, "length");
	const size_t more = first >> 6;

	if (more == 0)
		return first & 0x3F;
	return (uint32_t)(asl_take_number(t, more, "length") << 4 | (first & 0x0F));
}

/* Everything behind it belongs to the block, and the block to what it is in. */
void asl_begin_block(AmlText *t)
{
	const size_t begin = t->at;
	const uint32_t len = asl_take_length(t);

	if (t->failed)
		return;
	if (len < t->at - begin)
		asl_fail(t, begin, PVW_AML_0004,
			"block of %" PRIu32 " bytes, expected %zu or more", len, t->at - begin);
	else if (len > t->end - begin)
		asl_fail(t, begin, PVW_AML_0004,
			"block of 0x%" PRIx32 " bytes, expected at most 0x%zx", len,
			t->end - begin);
	else
		t->end = begin + len;
}

/*
 * Names.
 */

static bool is_name_start(uint8_t c)
{
	return c == '_' || (c >= 'A' && c <= 'Z');
}

bool asl_begins_name(uint8_t c)
{
	return is_name_start(c) || c == ROOT_PREFIX || c == PARENT_PREFIX || c == DUAL_NAME ||
		c == MULTI_NAME;
}

static void check_segments(AmlText *t, const AmlName *name)
{
	for (size_t i = 0; i < name->segments.len; i++) {
		const uint8_t c = name->segments.data[i];

		if (!is_name_start(c) && (i % 4 == 0 || c < '0' || c > '9')) {
			asl_fail(t, (size_t)(name->segments.data - t->aml.data) + i,
				PVW_AML_0002,
				"byte 0x%02x in a name, expected a letter, a digit or '_'", c);
			return;
		}
	}
}

AmlName asl_take_name(AmlText *t)
{
	AmlName name = { 0 };
	size_t count = 1;

	if (asl_peek(t) == ROOT_PREFIX) {
		name.root = true;
		t->at++;
	}
	for (; !name.root && asl_peek(t) == PARENT_PREFIX; t->at++)
		name.parents++;
	if (asl_left(t) == 0) {
		asl_take(t, 4, "name");
		return name;
	}
	if (asl_peek(t) == 0) {
		count = 0;
		t->at++;
	} else if (asl_peek(t) == DUAL_NAME) {
		count = 2;
		t->at++;
	} else if (asl_peek(t) == MULTI_NAME) {
		t->at++;
		count = (size_t)asl_take_number(t, 1, "name");
	}
	if (count) {
		const uint8_t *segments = asl_take(t, 4 * count, "name");

		if (segments)
			name.segments = (Bytes){ segments, 4 * count };
		check_segments(t, &name);
	}
	return name;
}

void asl_say_segment(AmlText *t, const uint8_t *segment)
{
	size_t len = 4;

	while (len > 1 && segment[len - 1] == '_')
		len--;
	asl_say(t, "%.*s", (int)len, (const char *)segment);
}

void asl_say_name(AmlText *t, const AmlName *name)
{
	if (name->root)
		asl_put(t, "\\", 1);
	for (size_t i = 0; i < name->parents; i++)
		asl_put(t, "^", 1);
	for (size_t i = 0; i < name->segments.len; i += 4) {
		if (i)
			asl_put(t, ".", 1);
		asl_say_segment(t, name->segments.data + i);
	}
}

uint32_t asl_declare(AmlText *t, const AmlName *name)
{
	uint32_t node = 0;

	if (!t->failed && !asl_names_declare(t, name, &node))
		asl_fail(t, t->at, PVW_AML_0003, "a path of more than %d names, expected fewer",
			AML_MAX_PATH);
	return node;
}

/* What is used and declared nowhere must be told to the compiler. */
uint32_t asl_resolve(AmlText *t, const AmlName *name)
{
	const bool simple = !name->root && !name->parents && name->segments.len == 4;
	const uint32_t scope = t->scope;
	uint32_t node = asl_names_find(t, name);

	if (node || t->failed || t->pass != AML_PASS_RESOLVE || name->segments.len == 0)
		return node;
	if (simple)
		t->scope = 0;
	node = asl_declare(t, name);
	t->scope = scope;
	t->names->nodes[node].external = node != 0;
	return node;
}

AmlName asl_say_use(AmlText *t, uint32_t *node)
{
	const AmlName name = asl_take_name(t);

	asl_say_name(t, &name);
	*node = asl_resolve(t, &name);
	return name;
}
