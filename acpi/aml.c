/*
 * AML by begin and end. [ACPI65] 20.2
 */
#include "acpi/aml.h"

#include <stdarg.h>

#include "support/diagnostics.h"

enum {
	OP_BYTE = 0x0A,
	OP_WORD = 0x0B,
	OP_DWORD = 0x0C,
	OP_STRING = 0x0D,
	OP_SCOPE = 0x10,
	OP_BUFFER = 0x11,
	OP_PACKAGE = 0x12,
	OP_VAR_PACKAGE = 0x13,
	OP_METHOD = 0x14,
	OP_DUAL_NAME = 0x2E,
	OP_MULTI_NAME = 0x2F,
	OP_EXTENDED = 0x5B,
	OP_DEVICE = 0x82, /* behind OP_EXTENDED */
	OP_IF = 0xA0,
	OP_ELSE = 0xA1,
	END_TAG = 0x79,
};

#define SEGMENT_SIZE 4
#define SEGMENTS_MAX 255    /* SegCount is one byte */
#define SIZE_FIELD 2        /* bytes kept for the size of a resource buffer: 0A nn */
#define SHORT_LENGTH_MAX 63 /* most that a PkgLength of one byte can say */
#define METHOD_ARGUMENTS_MAX 7

void aml_begin(Aml *aml, ByteWriter *out, Error *err)
{
	aml->out = out;
	aml->err = err;
	aml->failed = false;
	aml->depth = 0;
}

void aml_fail(Aml *aml, uint16_t diagnostic, const char *format, ...)
{
	va_list args;

	if (aml->failed)
		return;
	va_start(args, format);
	error_set_va(aml->err, diagnostic, format, args);
	va_end(args);
	aml->failed = true;
	aml->out->overflow = true;
}

bool aml_finish(Aml *aml)
{
	if (aml->depth != 0)
		aml_fail(aml, PVW_ACPI_0005, "%u aml blocks are still open, expected 0",
			aml->depth);
	return !aml->failed;
}

size_t aml_package_length(size_t body, uint8_t out[4])
{
	/* Most that a length of this many bytes can say. */
	static const size_t most[] = { 0x3F, 0xFFF, 0xFFFFF, 0xFFFFFFF };

	if (body < most[0]) {
		out[0] = (uint8_t)(body + 1);
		return 1;
	}
	for (size_t width = 2; width <= ARRAY_COUNT(most); width++) {
		if (body > most[width - 1] - width)
			continue;
		/* [ACPI65] 20.2.4: two bits of count, four low bits, then whole bytes */
		out[0] = (uint8_t)((width - 1) << 6 | ((body + width) & 0xF));
		for (size_t i = 1; i < width; i++)
			out[i] = (uint8_t)((body + width) >> (8 * i - 4));
		return width;
	}
	return 0;
}

/* The one reserved byte lies @behind bytes before the end of what was put. */
static inline void push(Aml *aml, size_t behind, bool resources)
{
	if (aml->depth < AML_DEPTH_MAX)
		aml->open[aml->depth++] =
			(AmlBlock){ .mark = aml->out->len - behind, .resources = resources };
	else
		aml_fail(aml, PVW_ACPI_0005, "more than %d aml blocks inside one another",
			AML_DEPTH_MAX);
}

void aml_open(Aml *aml, uint8_t op)
{
	uint8_t *const at = byte_writer_take(aml->out, 2);

	if (at)
		at[0] = op;
	push(aml, 1, false);
}

void aml_resources(Aml *aml)
{
	/* Name, _CRS, Buffer, its length, and room for its size: aml_close knows both. */
	static const uint8_t start[] = { 0x08, '_', 'C', 'R', 'S', OP_BUFFER, 0, 0, 0 };

	put_bytes(aml->out, start, sizeof(start));
	push(aml, 1 + SIZE_FIELD, true);
}

static inline void open_device(Aml *aml)
{
	static const uint8_t start[] = { OP_EXTENDED, OP_DEVICE, 0 };

	put_bytes(aml->out, start, sizeof(start));
	push(aml, 1, false);
}

/*
 * Give a block its PkgLength and, behind it, @head.
 *
 *	before  op [ 1 byte ][ kept bytes ][ content          ]
 *	after   op [ PkgLength  ][ head       ][ content          ]
 */
static void seal(Aml *aml, size_t mark, size_t kept, const uint8_t *head, size_t head_len)
{
	const size_t from = mark + 1 + kept;
	const size_t content = aml->out->len - from;
	uint8_t length[4];
	const size_t width = aml_package_length(head_len + content, length);
	const size_t to = mark + width + head_len;

	if (width == 0) {
		aml_fail(aml, PVW_ACPI_0003, "an aml block of %zu bytes, expected at most %u",
			content, AML_BODY_MAX);
		return;
	}
	if (to != from && byte_writer_take(aml->out, to - from))
		memmove(aml->out->base + to, aml->out->base + from, content);
	patch_bytes(aml->out, mark, length, width);
	if (head_len)
		patch_bytes(aml->out, mark + width, head, head_len);
}

static void seal_resources(Aml *aml, size_t mark)
{
	const size_t len = aml->out->len - mark - 1 - SIZE_FIELD;
	const size_t head_len = len <= UINT8_MAX ? 2 : len <= UINT16_MAX ? 3 : 5;
	uint8_t head[5];

	head[0] = head_len == 2 ? OP_BYTE : head_len == 3 ? OP_WORD : OP_DWORD;
	for (size_t i = 1; i < head_len; i++)
		head[i] = (uint8_t)(len >> (8 * (i - 1)));
	seal(aml, mark, SIZE_FIELD, head, head_len);
}

static void seal_block(Aml *aml, const AmlBlock *block)
{
	if (aml->out->overflow)
		return;
	if (block->resources)
		seal_resources(aml, block->mark);
	else
		seal(aml, block->mark, 0, NULL, 0);
}

/* The usual case comes first: lengths fit into what was kept for them, and nothing moves. */
void aml_close(Aml *aml)
{
	ByteWriter *const out = aml->out;
	const AmlBlock *block;
	size_t total;
	uint8_t *at;

	if (aml->depth == 0) {
		aml_fail(aml, PVW_ACPI_0005, "an aml block is closed that is not open");
		return;
	}
	block = &aml->open[--aml->depth];
	/* [ACPI65] 6.4.2.9: end tag; checksum 0 is not checked */
	if (block->resources)
		put_u16(out, END_TAG);
	total = out->len - block->mark;
	if (!out->base || out->overflow || total > SHORT_LENGTH_MAX) {
		seal_block(aml, block);
		return;
	}
	at = out->base + block->mark;
	at[0] = (uint8_t)total;
	if (block->resources) {
		at[1] = OP_BYTE;
		at[2] = (uint8_t)(total - 1 - SIZE_FIELD);
	}
}

void aml_device(Aml *aml, const char *path)
{
	open_device(aml);
	aml_path(aml, path);
}

void aml_device_segment(Aml *aml, const char segment[4])
{
	open_device(aml);
	aml_segment(aml, segment);
}

void aml_device_encoded(Aml *aml, const char *path, size_t len)
{
	open_device(aml);
	put_bytes(aml->out, path, len);
}

void aml_scope(Aml *aml, const char *path)
{
	aml_open(aml, OP_SCOPE);
	aml_path(aml, path);
}

void aml_method(Aml *aml, const char *segment, unsigned flags)
{
	assert(flags <= (AML_SERIALIZED | METHOD_ARGUMENTS_MAX));
	aml_open(aml, OP_METHOD);
	aml_segment(aml, segment);
	put_u8(aml->out, (uint8_t)flags);
}

void aml_if(Aml *aml)
{
	aml_open(aml, OP_IF);
}

void aml_else(Aml *aml)
{
	aml_open(aml, OP_ELSE);
}

void aml_package(Aml *aml, size_t elements)
{
	if (elements > AML_PACKAGE_MAX) {
		aml_fail(aml, PVW_ACPI_0004, "a package of %zu elements, expected at most %d",
			elements, AML_PACKAGE_MAX);
		return;
	}
	if (elements <= UINT8_MAX) {
		aml_open(aml, OP_PACKAGE);
		put_u8(aml->out, (uint8_t)elements);
	} else {
		/* [ACPI65] 20.2.5.4: the number of elements is a term here */
		aml_open(aml, OP_VAR_PACKAGE);
		aml_integer(aml, elements);
	}
}

static inline bool starts_name(char c)
{
	return (unsigned char)(c - 'A') <= 'Z' - 'A' || c == '_';
}

static inline bool continues_name(char c)
{
	return starts_name(c) || (unsigned char)(c - '0') <= 9;
}

/* The segment at @at, padded; what is behind it and its dot, or NULL if it is no name. */
static const char *read_segment(const char *at, uint8_t segment[SEGMENT_SIZE])
{
	size_t len = 0;

	if (!starts_name(*at))
		return NULL;
	memset(segment, '_', SEGMENT_SIZE);
	for (; len < SEGMENT_SIZE && continues_name(*at); at++)
		segment[len++] = (uint8_t)*at;
	if (*at == '.')
		return at + 1;
	return *at ? NULL : at;
}

/* One dot behind the last segment is let pass. */
static size_t count_segments(const char *path)
{
	size_t count = 0;
	const char *at = path;

	for (; *at; at++)
		count += *at == '.';
	return count + (at > path && at[-1] != '.');
}

/* What stands before the segments says their number. [ACPI65] 20.2.2 */
static size_t put_count(uint8_t at[2], size_t count)
{
	at[0] = count == 2 ? OP_DUAL_NAME : OP_MULTI_NAME;
	at[1] = (uint8_t)count;
	return count == 2 ? 1 : count > 2 ? 2 : 0;
}

static bool put_path(Aml *aml, const char *path)
{
	const char *at = path;
	uint8_t head[2], *to;
	size_t count, prefix, head_len;

	if (*at == '\\') {
		at++;
	} else {
		while (*at == '^')
			at++;
	}
	prefix = (size_t)(at - path);
	count = count_segments(at);
	/* The root alone is its prefix and nothing else. */
	if (count > SEGMENTS_MAX || (count == 0 && path[0] != '\\'))
		return false;
	head_len = put_count(head, count);
	to = byte_writer_take(aml->out, prefix + head_len + count * SEGMENT_SIZE);
	if (to) {
		memcpy(to, path, prefix);
		memcpy(to + prefix, head, head_len);
		to += prefix + head_len;
	}
	for (; count > 0 && at; count--) {
		uint8_t segment[SEGMENT_SIZE];

		at = read_segment(at, segment);
		if (at && to) {
			memcpy(to, segment, SEGMENT_SIZE);
			to += SEGMENT_SIZE;
		}
	}
	return at && *at == 0;
}

void aml_path(Aml *aml, const char *path)
{
	if (!put_path(aml, path))
		aml_fail(aml, PVW_ACPI_0001,
			"\"%.80s\" is not a name: segments of 1 to 4 of A-Z, _ and, not first, "
			"0-9",
			path);
}

void aml_string(Aml *aml, const char *text)
{
	const size_t len = strlen(text);
	uint8_t *const at = byte_writer_take(aml->out, len + 2);
	unsigned seen = 0;

	for (size_t i = 0; i < len; i++)
		seen |= (unsigned char)text[i];
	if (seen > 0x7F) {
		aml_fail(aml, PVW_ACPI_0001, "bytes above 0x7f in a string, expected ascii");
		return;
	}
	if (at) {
		at[0] = OP_STRING;
		memcpy(at + 1, text, len + 1);
	}
}

/* Value of a hexadecimal digit, or -1. */
static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Three letters of five bits, four digits of four, most significant first; false if not so. */
static bool compress_eisa_id(const char *id, uint32_t *out)
{
	uint32_t value = 0;

	if (strnlen(id, 8) != 7)
		return false;
	for (size_t i = 0; i < 3; i++) {
		if (id[i] < 'A' || id[i] > 'Z')
			return false;
		value = value << 5 | (uint32_t)(id[i] - 'A' + 1);
	}
	for (size_t i = 3; i < 7; i++) {
		const int digit = hex_value(id[i]);

		if (digit < 0)
			return false;
		value = value << 4 | (uint32_t)digit;
	}
	*out = value;
	return true;
}

void aml_eisa_id(Aml *aml, const char *id)
{
	uint32_t value;

	if (!compress_eisa_id(id, &value)) {
		aml_fail(aml, PVW_ACPI_0002,
			"\"%s\" is not an eisa id: three letters and four hexadecimal digits",
			id);
		return;
	}
	aml_dword(aml, __builtin_bswap32(value));
}

void aml_buffer(Aml *aml, Bytes bytes)
{
	aml_open(aml, OP_BUFFER);
	aml_integer(aml, bytes.len);
	put_bytes(aml->out, bytes.data, bytes.len);
	aml_close(aml);
}

void aml_uuid(Aml *aml, const uint8_t guid[16])
{
	aml_buffer(aml, (Bytes){ .data = guid, .len = 16 });
}

void aml_if_uuid(Aml *aml, AmlOp argument, const uint8_t guid[16])
{
	aml_if(aml);
	aml_op(aml, AML_LEQUAL);
	aml_op(aml, argument);
	aml_uuid(aml, guid);
}

void aml_if_equal(Aml *aml, AmlOp argument, uint64_t value)
{
	aml_if(aml);
	aml_op(aml, AML_LEQUAL);
	aml_op(aml, argument);
	aml_integer(aml, value);
}
