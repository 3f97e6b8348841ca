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

const uint8_t *aml_take(AmlText *t, size_t len, const char *what)
{
	const size_t at = t->at;

	if (t->failed)
		return NULL;
	if (len > t->end - at) {
		aml_fail(t, at, PVW_AML_0001, "%s: %zu bytes, expected %zu", what, t->end - at,
			len);
		return NULL;
	}
	t->at += len;
	return t->aml.data + at;
}

uint64_t aml_take_number(AmlText *t, size_t len, const char *what)
{
	const uint8_t *at = aml_take(t, len, what);
	uint64_t value = 0;

	for (size_t i = 0; at && i < len; i++)
		value |= (uint64_t)at[i] << 8 * i;
	return value;
}

/* PkgLength: the two high bits of the first byte say how many more there are. */
uint32_t aml_take_length(AmlText *t)
{
	const uint8_t first = (uint8_t)aml_take_number(t, 1, "length");
	const size_t more = first >> 6;

	if (more == 0)
		return first & 0x3F;
	return (uint32_t)(aml_take_number(t, more, "length") << 4 | (first & 0x0F));
}

/* Everything behind it belongs to the block, and the block to what it is in. */
void aml_begin_block(AmlText *t)
{
	const size_t begin = t->at;
	const uint32_t len = aml_take_length(t);

	if (t->failed)
		return;
	if (len < t->at - begin)
		aml_fail(t, begin, PVW_AML_0004,
			"block of %" PRIu32 " bytes, expected %zu or more", len, t->at - begin);
	else if (len > t->end - begin)
		aml_fail(t, begin, PVW_AML_0004,
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

bool aml_begins_name(uint8_t c)
{
	return is_name_start(c) || c == ROOT_PREFIX || c == PARENT_PREFIX || c == DUAL_NAME ||
		c == MULTI_NAME;
}

static void check_segments(AmlText *t, const AmlName *name)
{
	for (size_t i = 0; i < name->segments.len; i++) {
		const uint8_t c = name->segments.data[i];

		if (!is_name_start(c) && (i % 4 == 0 || c < '0' || c > '9')) {
			aml_fail(t, (size_t)(name->segments.data - t->aml.data) + i,
				PVW_AML_0002,
				"byte 0x%02x in a name, expected a letter, a digit or '_'", c);
			return;
		}
	}
}

AmlName aml_take_name(AmlText *t)
{
	AmlName name = { 0 };
	size_t count = 1;

	if (aml_peek(t) == ROOT_PREFIX) {
		name.root = true;
		t->at++;
	}
	for (; !name.root && aml_peek(t) == PARENT_PREFIX; t->at++)
		name.parents++;
	if (aml_left(t) == 0) {
		aml_take(t, 4, "name");
		return name;
	}
	if (aml_peek(t) == 0) {
		count = 0;
		t->at++;
	} else if (aml_peek(t) == DUAL_NAME) {
		count = 2;
		t->at++;
	} else if (aml_peek(t) == MULTI_NAME) {
		t->at++;
		count = (size_t)aml_take_number(t, 1, "name");
	}
	if (count) {
		const uint8_t *segments = aml_take(t, 4 * count, "name");

		if (segments)
			name.segments = (Bytes){ segments, 4 * count };
		check_segments(t, &name);
	}
	return name;
}

void aml_say_segment(AmlText *t, const uint8_t *segment)
{
	size_t len = 4;

	while (len > 1 && segment[len - 1] == '_')
		len--;
	aml_say(t, "%.*s", (int)len, (const char *)segment);
}

void aml_say_name(AmlText *t, const AmlName *name)
{
	if (name->root)
		aml_put(t, "\\", 1);
	for (size_t i = 0; i < name->parents; i++)
		aml_put(t, "^", 1);
	for (size_t i = 0; i < name->segments.len; i += 4) {
		if (i)
			aml_put(t, ".", 1);
		aml_say_segment(t, name->segments.data + i);
	}
}

uint32_t aml_declare(AmlText *t, const AmlName *name)
{
	uint32_t node = 0;

	if (!t->failed && !aml_names_declare(t, name, &node))
		aml_fail(t, t->at, PVW_AML_0003, "a path of more than %d names, expected fewer",
			AML_MAX_PATH);
	return node;
}

/* What is used and declared nowhere must be told to the compiler. */
uint32_t aml_resolve(AmlText *t, const AmlName *name)
{
	const bool simple = !name->root && !name->parents && name->segments.len == 4;
	const uint32_t scope = t->scope;
	uint32_t node = aml_names_find(t, name);

	if (node || t->failed || t->pass != AML_PASS_RESOLVE || name->segments.len == 0)
		return node;
	if (simple)
		t->scope = 0;
	node = aml_declare(t, name);
	t->scope = scope;
	t->names->nodes[node].external = node != 0;
	return node;
}

AmlName aml_say_use(AmlText *t, uint32_t *node)
{
	const AmlName name = aml_take_name(t);

	aml_say_name(t, &name);
	*node = aml_resolve(t, &name);
	return name;
}
