/*
 * An AML reader of the tests' own. [ACPI65] 20.2, 6.4
 */
#include "helpers/aml_decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 24

typedef struct Reader {
	const uint8_t *at, *end;
	AmlWalk *walk;
	size_t room;
	unsigned depth;
	char scope[64]; /* where relative names lie */
} Reader;

static bool fail(Reader *r, const char *what)
{
	if (!r->walk->why[0])
		snprintf(r->walk->why, sizeof(r->walk->why),
			"%.60s in %s, %zu bytes before the end", what, r->scope,
			(size_t)(r->end - r->at));
	return false;
}

static bool has(const Reader *r, size_t len)
{
	return (size_t)(r->end - r->at) >= len;
}

size_t aml_read_length(Bytes at, size_t *length)
{
	const unsigned more = at.len ? at.data[0] >> 6 : 0;
	size_t value;

	if (at.len < 1 + more)
		return 0;
	if (more == 0) {
		*length = at.data[0] & 0x3F;
		return 1;
	}
	/* Bits 5:4 of the first byte are zero when more bytes follow. */
	if (at.data[0] & 0x30)
		return 0;
	value = at.data[0] & 0x0F;
	for (unsigned i = 1; i <= more; i++)
		value += (size_t)at.data[i] << (4 + 8 * (i - 1));
	*length = value;
	return 1 + more;
}

/* Enter the block at r: its inside becomes the reader of the result, r goes on behind it. */
static bool enter(Reader *r, Reader *inside)
{
	size_t length;
	const size_t width =
		aml_read_length((Bytes){ r->at, (size_t)(r->end - r->at) }, &length);

	if (width == 0 || length < width || !has(r, length))
		return fail(r, "a length that does not fit");
	*inside = *r;
	inside->depth = r->depth + 1;
	if (inside->depth > DEPTH_MAX)
		return fail(r, "too many blocks inside one another");
	inside->end = r->at + length;
	inside->at = r->at + width;
	r->at += length;
	return true;
}

static bool is_name_start(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || c == '_' || c == '\\' || c == '^' || c == 0x2E ||
		c == 0x2F;
}

static bool read_segment(Reader *r, char *path, size_t size)
{
	const size_t len = strlen(path);

	if (!has(r, 4) || len + 6 > size)
		return fail(r, "a name that is cut");
	for (unsigned i = 0; i < 4; i++) {
		const uint8_t c = r->at[i];
		const bool letter = (c >= 'A' && c <= 'Z') || c == '_';

		if (!letter && !(i > 0 && c >= '0' && c <= '9'))
			return fail(r, "a name with a wrong character");
	}
	if (len > 1)
		strcat(path, ".");
	strncat(path, (const char *)r->at, 4);
	r->at += 4;
	return true;
}

/* A NameString, as a path from the root; "^" is not needed here. */
static bool read_name(Reader *r, char path[64])
{
	unsigned segments = 1;

	strcpy(path, r->scope);
	if (has(r, 1) && *r->at == '\\') {
		strcpy(path, "\\");
		r->at++;
	}
	if (!has(r, 2))
		return fail(r, "a name that is cut");
	if (*r->at == 0x2E) {
		segments = 2;
		r->at++;
	} else if (*r->at == 0x2F) {
		segments = r->at[1];
		r->at += 2;
		if (segments < 3)
			return fail(r, "a long name of fewer than three segments");
	} else if (*r->at == 0x00) {
		r->at++;
		return true;
	}
	for (unsigned i = 0; i < segments; i++) {
		if (!read_segment(r, path, 64))
			return false;
	}
	return true;
}

static bool read_terms(Reader *r);
static bool read_term(Reader *r);

static bool add_node(Reader *r, AmlNodeKind kind, const char *path, Bytes body, uint8_t flags)
{
	AmlWalk *walk = r->walk;

	if ((walk->count & (walk->count + 1)) == 0) {
		AmlNode *more = realloc(walk->nodes, (2 * walk->count + 2) * sizeof(*more));

		if (!more)
			abort();
		walk->nodes = more;
	}
	walk->nodes[walk->count] = (AmlNode){ .kind = kind, .body = body, .flags = flags };
	strcpy(walk->nodes[walk->count].path, path);
	walk->count++;
	return true;
}

/* Integer constants: bytes behind the opcode, or -1. */
static int constant_size(uint8_t op)
{
	switch (op) {
	case 0x00:
	case 0x01:
	case 0xFF:
		return 0;
	case 0x0A:
		return 1;
	case 0x0B:
		return 2;
	case 0x0C:
		return 4;
	case 0x0E:
		return 8;
	default:
		return -1;
	}
}

static bool skip_string(Reader *r)
{
	while (has(r, 1) && *r->at) {
		if (*r->at > 0x7F)
			return fail(r, "a string that is not ascii");
		r->at++;
	}
	if (!has(r, 1))
		return fail(r, "a string without its end");
	r->at++;
	return true;
}

static bool read_buffer_body(Reader *r)
{
	Reader inside;

	if (!enter(r, &inside) || !read_term(&inside))
		return false;
	return true; /* the rest are bytes */
}

static bool read_elements(Reader *inside, uint64_t count)
{
	for (; count > 0; count--) {
		if (!read_term(inside))
			return false;
	}
	return inside->at == inside->end ||
		fail(inside, "a package with more elements than it says");
}

static bool read_package_body(Reader *r)
{
	Reader inside;

	if (!enter(r, &inside))
		return false;
	if (!has(&inside, 1))
		return fail(r, "a package without its number of elements");
	return read_elements(&inside, *inside.at++);
}

/* The number of elements is a term; a constant is the only one that is known here. */
static bool read_var_package_body(Reader *r)
{
	Reader inside;
	const uint8_t *data;
	uint64_t count;

	if (!enter(r, &inside))
		return false;
	data = inside.at;
	if (!read_term(&inside) ||
		!aml_read_integer((Bytes){ data, (size_t)(inside.at - data) }, &count))
		return fail(r, "a package without its number of elements");
	return read_elements(&inside, count);
}

static bool read_terms_inside(Reader *r)
{
	Reader inside;

	return enter(r, &inside) && read_terms(&inside);
}

static bool read_if(Reader *r)
{
	Reader inside;

	return enter(r, &inside) && read_term(&inside) && read_terms(&inside);
}

static bool read_block(Reader *r, AmlNodeKind kind)
{
	Reader inside;
	char path[64];
	uint8_t flags = 0;

	if (!enter(r, &inside) || !read_name(&inside, path))
		return false;
	if (kind == AML_NODE_METHOD) {
		if (!has(&inside, 1))
			return fail(r, "a method without flags");
		flags = *inside.at++;
	}
	add_node(r, kind, path, (Bytes){ inside.at, (size_t)(inside.end - inside.at) }, flags);
	strcpy(inside.scope, path);
	return read_terms(&inside);
}

static bool read_named(Reader *r)
{
	char path[64];
	const uint8_t *data;

	if (!read_name(r, path))
		return false;
	data = r->at;
	if (!read_term(r))
		return false;
	return add_node(r, AML_NODE_NAME, path, (Bytes){ data, (size_t)(r->at - data) }, 0);
}

/* Operators by the terms that follow; 0 = not an operator. */
static unsigned operand_count(uint8_t op)
{
	switch (op) {
	case 0xA4: /* Return */
		return 1;
	case 0x70: /* Store */
	case 0x86: /* Notify */
	case 0x93: /* LEqual */
		return 2;
	case 0x7B: /* And */
	case 0x7D: /* Or */
		return 3;
	default:
		return 0;
	}
}

static bool read_operands(Reader *r, unsigned count)
{
	for (; count > 0; count--) {
		if (!read_term(r))
			return false;
	}
	return true;
}

static bool read_extended(Reader *r)
{
	if (!has(r, 1) || *r->at != 0x82)
		return fail(r, "an unknown extended opcode");
	r->at++;
	return read_block(r, AML_NODE_DEVICE);
}

static bool read_create_field(Reader *r)
{
	char path[64];

	return read_operands(r, 2) && read_name(r, path);
}

static bool read_term(Reader *r)
{
	char path[64];
	uint8_t op;
	int size;

	if (!has(r, 1))
		return fail(r, "a term that is cut");
	if (is_name_start(*r->at))
		return read_name(r, path);
	op = *r->at++;
	size = constant_size(op);
	if (size >= 0) {
		if (!has(r, (size_t)size))
			return fail(r, "a constant that is cut");
		r->at += size;
		return true;
	}
	if (op >= 0x60 && op <= 0x6E)
		return true; /* Local0 to Local7, Arg0 to Arg6 */
	if (operand_count(op))
		return read_operands(r, operand_count(op));
	switch (op) {
	case 0x08:
		return read_named(r);
	case 0x0D:
		return skip_string(r);
	case 0x10:
		return read_block(r, AML_NODE_SCOPE);
	case 0x11:
		return read_buffer_body(r);
	case 0x12:
		return read_package_body(r);
	case 0x13:
		return read_var_package_body(r);
	case 0x14:
		return read_block(r, AML_NODE_METHOD);
	case 0x5B:
		return read_extended(r);
	case 0x8A:
		return read_create_field(r);
	case 0xA0:
		return read_if(r);
	case 0xA1:
		return read_terms_inside(r);
	default:
		return fail(r, "an unknown opcode");
	}
}

static bool read_terms(Reader *r)
{
	while (r->at < r->end) {
		if (!read_term(r))
			return false;
	}
	return true;
}

AmlWalk aml_walk(Bytes aml)
{
	AmlWalk walk = { 0 };
	Reader r = { .at = aml.data, .end = aml.data + aml.len, .walk = &walk, .scope = "\\" };

	read_terms(&r);
	return walk;
}

void aml_walk_free(AmlWalk *walk)
{
	free(walk->nodes);
	*walk = (AmlWalk){ 0 };
}

const AmlNode *aml_find(const AmlWalk *walk, const char *path)
{
	for (size_t i = 0; i < walk->count; i++) {
		if (strcmp(walk->nodes[i].path, path) == 0)
			return &walk->nodes[i];
	}
	return NULL;
}

size_t aml_count(const AmlWalk *walk, const char *path)
{
	size_t count = 0;

	for (size_t i = 0; i < walk->count; i++) {
		if (walk->nodes[i].kind != AML_NODE_SCOPE &&
			strcmp(walk->nodes[i].path, path) == 0)
			count++;
	}
	return count;
}

bool aml_read_integer(Bytes term, uint64_t *value)
{
	const int size = term.len ? constant_size(term.data[0]) : -1;

	if (size < 0 || term.len != (size_t)size + 1 || term.data[0] == 0xFF)
		return false;
	*value = size == 0 ? term.data[0] : 0;
	for (int i = 0; i < size; i++)
		*value |= (uint64_t)term.data[1 + i] << (8 * i);
	return true;
}

const char *aml_read_string(Bytes term)
{
	if (term.len < 2 || term.data[0] != 0x0D || term.data[term.len - 1] != 0)
		return NULL;
	return strlen((const char *)term.data + 1) == term.len - 2 ? (const char *)term.data + 1
								   : NULL;
}

bool aml_read_eisa(Bytes term, char id[8])
{
	uint64_t value;

	if (term.len != 5 || term.data[0] != 0x0C || !aml_read_integer(term, &value))
		return false;
	value = (value & 0xFF) << 24 | (value & 0xFF00) << 8 | (value >> 8 & 0xFF00) |
		value >> 24;
	for (int i = 0; i < 3; i++)
		id[i] = (char)('@' + (value >> (26 - 5 * i) & 0x1F));
	snprintf(id + 3, 5, "%04X", (unsigned)(value & 0xFFFF));
	return true;
}

bool aml_read_buffer(Bytes term, Bytes *bytes)
{
	size_t length, width;
	uint64_t size = 0;
	int constant;

	if (term.len < 3 || term.data[0] != 0x11)
		return false;
	width = aml_read_length((Bytes){ term.data + 1, term.len - 1 }, &length);
	if (width == 0 || length != term.len - 1)
		return false;
	constant = constant_size(term.data[1 + width]);
	if (constant < 0 || term.len < 2 + width + (size_t)constant ||
		!aml_read_integer(
			(Bytes){ term.data + 1 + width, 1 + (size_t)constant }, &size))
		return false;
	*bytes = (Bytes){ term.data + 2 + width + constant,
		term.len - 2 - width - (size_t)constant };
	return bytes->len == size;
}

static uint64_t get(const uint8_t *at, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

/* [ACPI65] 6.4.3.5: five fields of one width behind six bytes */
static bool read_address_space(
	const uint8_t *at, size_t len, AmlResourceKind kind, AmlResource *out)
{
	const size_t width = kind == AML_RESOURCE_QWORD ? 8
		: kind == AML_RESOURCE_DWORD            ? 4
							: 2;

	if (len != 6 + 5 * width)
		return false;
	*out = (AmlResource){ .kind = kind,
		.space = at[3],
		.flags = at[4],
		.type_flags = at[5],
		.granularity = get(at + 6, width),
		.minimum = get(at + 6 + width, width),
		.maximum = get(at + 6 + 2 * width, width),
		.translation = get(at + 6 + 3 * width, width),
		.length = get(at + 6 + 4 * width, width) };
	return true;
}

static bool read_large(const uint8_t *at, size_t len, AmlResource *out)
{
	switch (at[0]) {
	case 0x86:
		*out = (AmlResource){ .kind = AML_RESOURCE_MEMORY32_FIXED,
			.flags = at[3],
			.minimum = get(at + 4, 4),
			.length = get(at + 8, 4) };
		return len == 12;
	case 0x87:
		return read_address_space(at, len, AML_RESOURCE_DWORD, out);
	case 0x88:
		return read_address_space(at, len, AML_RESOURCE_WORD, out);
	case 0x89:
		*out = (AmlResource){ .kind = AML_RESOURCE_INTERRUPT,
			.flags = at[3],
			.interrupt = (uint32_t)get(at + 5, 4) };
		return len == 9 && at[4] == 1;
	case 0x8A:
		return read_address_space(at, len, AML_RESOURCE_QWORD, out);
	default:
		return false;
	}
}

static bool read_small(const uint8_t *at, size_t len, AmlResource *out)
{
	if (at[0] == 0x23 && len == 4) {
		*out = (AmlResource){ .kind = AML_RESOURCE_IRQ,
			.flags = at[3],
			.interrupt = (uint32_t)get(at + 1, 2) };
		return true;
	}
	if (at[0] != 0x47 || len != 8)
		return false;
	*out = (AmlResource){ .kind = AML_RESOURCE_IO,
		.flags = at[1],
		.minimum = get(at + 2, 2),
		.maximum = get(at + 4, 2),
		.align = at[6],
		.length = at[7] };
	return true;
}

size_t aml_read_resources(Bytes term, AmlResource *out, size_t room)
{
	size_t count = 0, at = 0;
	Bytes bytes;

	if (!aml_read_buffer(term, &bytes))
		return SIZE_MAX;
	while (at < bytes.len) {
		const uint8_t *item = bytes.data + at;
		const size_t left = bytes.len - at;
		const bool large = item[0] & 0x80;
		size_t len;

		if (!large && item[0] >> 3 == 0x0F) /* end tag: a sum of 0 is not checked */
			return left == 2 && item[1] == 0 ? count : SIZE_MAX;
		if (left < 3)
			return SIZE_MAX;
		len = large ? 3 + (size_t)get(item + 1, 2) : 1 + (size_t)(item[0] & 7);
		if (len > left || len < 4 || count == room)
			return SIZE_MAX;
		if (large ? !read_large(item, len, &out[count])
			  : !read_small(item, len, &out[count]))
			return SIZE_MAX;
		at += len;
		count++;
	}
	return SIZE_MAX; /* no end tag */
}
