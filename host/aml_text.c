/*
 * AML as ASL: text, and the passes over a table.
 *
 * One engine goes four times over a table: for what it declares, for what it uses that is
 * declared elsewhere, for how long the text is, and for the text.
 */
#include "host/aml_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/aml_text_internal.h"
#include "support/diagnostics.h"

#define HEADER_SIZE 36

/*
 * Text.
 */

void asl_put(AmlText *t, const char *text, size_t len)
{
	if (t->pass >= AML_PASS_MEASURE)
		put_bytes(&t->out, text, len);
}

void asl_say(AmlText *t, const char *format, ...)
{
	char text[256];
	va_list args;
	int len;

	if (t->pass < AML_PASS_MEASURE)
		return;
	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	assert(len >= 0 && (size_t)len < sizeof(text));
	asl_put(t, text, (size_t)len);
}

void asl_end_line(AmlText *t)
{
	if (t->remark)
		asl_say(t, "  // %s", t->remark);
	t->remark = NULL;
	asl_put(t, "\n", 1);
}

void asl_newline(AmlText *t)
{
	static const char blanks[4 * AML_MAX_INDENT + 1] =
		"                                                                              "
		"                  ";
	const size_t levels = t->indent < AML_MAX_INDENT ? t->indent : AML_MAX_INDENT;

	asl_end_line(t);
	asl_put(t, blanks, 4 * levels);
}

/* "DSDT+0x2c" */
static bool fail_at(Bytes table, size_t at, Error *err)
{
	char source[5] = "aml";

	if (table.len >= 4)
		memcpy(source, table.data, 4);
	return error_at_offset(err, source, at);
}

void asl_fail(AmlText *t, size_t at, uint16_t diagnostic, const char *format, ...)
{
	va_list args;

	if (t->failed)
		return;
	t->failed = true;
	va_start(args, format);
	error_set_va(t->err, diagnostic, format, args);
	va_end(args);
	fail_at(t->aml, at, t->err);
}

void asl_say_bytes(AmlText *t, Bytes bytes)
{
	t->indent++;
	for (size_t i = 0; i < bytes.len; i++) {
		if (i % 8 == 0) {
			asl_newline(t);
			asl_say(t, "/* %04zX */  ", i);
		}
		asl_say(t, "0x%02X%s", bytes.data[i],
			i + 1 == bytes.len   ? ""
				: i % 8 == 7 ? ","
					     : ", ");
	}
	t->indent--;
}

/*
 * A table.
 */

static void say_path(AmlText *t, uint32_t node)
{
	uint32_t path[AML_MAX_PATH];
	size_t count = 0;

	for (; node; node = t->names->nodes[node].parent)
		path[count++] = t->names->nodes[node].segment;
	asl_put(t, "\\", 1);
	while (count--) {
		uint8_t segment[4];

		memcpy(segment, &path[count], sizeof(segment));
		asl_say_segment(t, segment);
		if (count)
			asl_put(t, ".", 1);
	}
}

static void say_externals(AmlText *t)
{
	for (uint32_t i = 1; i < t->names->count; i++) {
		if (!t->names->nodes[i].external)
			continue;
		t->indent = 1;
		asl_newline(t);
		asl_say(t, "External (");
		say_path(t, i);
		asl_say(t, ", UnknownObj)");
		t->indent = 0;
	}
}

static void say_header_text(AmlText *t, size_t at, size_t len)
{
	const uint8_t *text = t->aml.data + at;

	while (len && text[len - 1] == 0)
		len--;
	asl_say_string(t, text, len);
}

static void say_table(AmlText *t)
{
	uint32_t revision;

	memcpy(&revision, t->aml.data + 24, sizeof(revision));
	asl_say(t, "DefinitionBlock (\"\", ");
	say_header_text(t, 0, 4);
	asl_say(t, ", %u, ", t->aml.data[8]);
	say_header_text(t, 10, 6);
	asl_say(t, ", ");
	say_header_text(t, 16, 8);
	asl_say(t, ", 0x%08" PRIX32 ")", revision);
	asl_newline(t);
	asl_say(t, "{");
	say_externals(t);
	asl_say_terms(t);
	asl_newline(t);
	asl_say(t, "}");
	asl_newline(t);
}

static bool run_pass(AmlText *t, AmlPass pass)
{
	t->pass = pass;
	t->at = HEADER_SIZE;
	t->end = t->aml.len;
	t->scope = 0;
	t->indent = 0;
	t->depth = 0;
	t->remark = NULL;
	t->identifiers = false;
	t->failed = false;
	t->counts = (AmlCounts){ 0 };
	say_table(t);
	return !t->failed;
}

/* The first pass forgives: whatever is wrong is found again, in its place, by the second. */
static bool open_table(Bytes table, Arena *arena, AmlNames *names, AmlText *out, Error *err)
{
	uint32_t len = 0;

	if (table.len >= HEADER_SIZE)
		memcpy(&len, table.data + 4, sizeof(len));
	if (len < HEADER_SIZE || len > table.len) {
		error_set(err, PVW_AML_0001,
			"length of %" PRIu32 " bytes in a table of %zu, expected at least %d",
			len, table.len, HEADER_SIZE);
		return fail_at(table, 4, err);
	}
	if (len > AML_TEXT_MAX_TABLE)
		return error_set(err, PVW_AML_0003,
			"a table of %" PRIu32 " bytes, expected at most %zu", len,
			AML_TEXT_MAX_TABLE);
	if (!asl_names_init(names, len / 2, arena, err))
		return false;
	*out = (AmlText){ .aml = { table.data, len }, .names = names, .err = err };
	(void)run_pass(out, AML_PASS_DECLARE);
	return true;
}

bool aml_text(Bytes table, Arena *arena, Bytes *out, Error *err)
{
	AmlNames names;
	AmlText t;
	uint8_t *text;
	size_t len;

	if (!open_table(table, arena, &names, &t, err) || !run_pass(&t, AML_PASS_RESOLVE))
		return false;
	t.out = byte_writer_measure();
	if (!run_pass(&t, AML_PASS_MEASURE))
		return false;
	len = t.out.len;
	text = arena_reserve(arena, len, 1, err);
	if (!text)
		return false;
	t.out = byte_writer_on(text, len);
	return run_pass(&t, AML_PASS_WRITE) && byte_writer_finish(&t.out, "asl", out, err);
}

bool aml_text_count(Bytes table, Arena *arena, AmlCounts *out, Error *err)
{
	AmlNames names;
	AmlText t;

	if (!open_table(table, arena, &names, &t, err) || !run_pass(&t, AML_PASS_RESOLVE))
		return false;
	*out = t.counts;
	return true;
}

bool aml_text_is(const char *signature)
{
	static const char signatures[][5] = { "DSDT", "SSDT", "PSDT" };

	for (size_t i = 0; i < ARRAY_COUNT(signatures); i++) {
		if (memcmp(signature, signatures[i], 4) == 0)
			return true;
	}
	return false;
}
