/*
 * Lines of a trace, and answers in its words.
 */
#include "agent/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/byte_writer.h"
#include "support/diagnostics.h"

#define MAX_DATA 4096 /* bytes of an access, as in the service */
#define ID_SIZE 16
#define WORD_SIZE 24 /* an answer's word, its blank included */

typedef struct Words {
	char *rest;
	size_t line;
} Words;

static bool fail(const Words *words, const char *what, const char *found, Error *err)
{
	return error_set(err, PVW_AGENT_0007, "line %zu: \"%.40s\", expected %s", words->line,
		found ? found : "", what);
}

/* The next word, or NULL; the text is cut into pieces. */
static char *next_word(Words *words)
{
	char *word = words->rest + strspn(words->rest, " \t\r");
	size_t len = strcspn(word, " \t\r");

	if (len == 0)
		return NULL;
	words->rest = word + len + (word[len] != 0);
	word[len] = 0;
	return word;
}

static bool read_number(const char *word, uint64_t max, uint64_t *out)
{
	char *end;

	if (!word || *word < '0' || *word > '9')
		return false;
	errno = 0;
	*out = strtoull(word, &end, 0);
	return *end == 0 && errno == 0 && *out <= max;
}

static const struct {
	const char *name;
	Pvw__V1__InterceptKind kind;
	bool is_read;
} kinds[] = {
	{ "in", PVW__V1__INTERCEPT_KIND__INTERCEPT_PIO_READ, true },
	{ "out", PVW__V1__INTERCEPT_KIND__INTERCEPT_PIO_WRITE, false },
	{ "rd", PVW__V1__INTERCEPT_KIND__INTERCEPT_MMIO_READ, true },
	{ "wr", PVW__V1__INTERCEPT_KIND__INTERCEPT_MMIO_WRITE, false },
};

/* "out.4" */
static bool read_kind(
	Words *words, char *word, Pvw__V1__Intercept *item, bool *is_read, Error *err)
{
	char *dot = strchr(word, '.');
	uint64_t width = 0;

	if (dot)
		*dot = 0;
	for (size_t i = 0; dot && i < ARRAY_COUNT(kinds); i++) {
		if (strcmp(kinds[i].name, word) != 0)
			continue;
		if (!read_number(dot + 1, 8, &width))
			return fail(words, "a width of 1, 2, 4 or 8", dot + 1, err);
		item->kind = kinds[i].kind;
		item->width = (uint32_t)width;
		*is_read = kinds[i].is_read;
		return true;
	}
	return fail(words, "in.N, out.N, rd.N, wr.N or id", word, err);
}

static bool read_id(
	Words *words, const char *hex, Arena *arena, Pvw__V1__Intercept *item, Error *err)
{
	uint8_t *id = arena_array(arena, uint8_t, ID_SIZE, err);

	if (!id)
		return false;
	if (!hex || strlen(hex) != 2 * ID_SIZE ||
		strspn(hex, "0123456789abcdefABCDEF") != 2 * ID_SIZE)
		return fail(words, "32 hexadecimal digits", hex, err);
	for (size_t i = 0; i < ID_SIZE; i++) {
		const char byte[3] = { hex[2 * i], hex[2 * i + 1], 0 };

		id[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	item->kind = PVW__V1__INTERCEPT_KIND__INTERCEPT_GENERATION_ID;
	item->data = (ProtobufCBinaryData){ ID_SIZE, id };
	return true;
}

static bool put_value(Words *words, const char *word, uint32_t width, ByteWriter *w, Error *err)
{
	const uint64_t max = width < 8 ? (UINT64_C(1) << 8 * width) - 1 : UINT64_MAX;
	uint64_t value;

	if (!read_number(word, max, &value))
		return fail(words, "a value of that width", word, err);
	put_bytes(w, &value, width);
	return !w->overflow || fail(words, "at most 4096 bytes", word, err);
}

/* "@1", "x16", or a value to be written. */
static bool read_rest(
	Words *words, bool is_read, Arena *arena, Pvw__V1__Intercept *item, Error *err)
{
	uint8_t *data = arena_reserve(arena, MAX_DATA, 1, err);
	ByteWriter w = byte_writer_on(data, MAX_DATA);
	uint64_t number;
	char *word;

	if (!data)
		return false;
	while ((word = next_word(words)) != NULL) {
		if (*word == '@') {
			if (!read_number(word + 1, UINT32_MAX, &number))
				return fail(words, "the number of a processor", word, err);
			item->vp_index = (uint32_t)number;
		} else if (*word == 'x') {
			if (!read_number(word + 1, MAX_DATA, &number) || !is_read)
				return fail(words, "a read's count of at most 4096", word, err);
			item->count = (uint32_t)number;
		} else if (is_read) {
			return fail(words, "xCOUNT or @PROCESSOR", word, err);
		} else if (!put_value(words, word, item->width, &w, err)) {
			return false;
		}
	}
	arena_shrink(arena, data, w.len);
	item->data = (ProtobufCBinaryData){ w.len, data };
	return is_read || w.len || fail(words, "a value to be written", word, err);
}

static bool read_access(Words *words, Arena *arena, Pvw__V1__Intercept *item, Error *err)
{
	char *kind = next_word(words);
	bool is_read = false;
	uint64_t address = 0;
	char *word;

	pvw__v1__intercept__init(item);
	if (!kind)
		return fail(words, "an access before \"=\"", "", err);
	if (strcmp(kind, "id") == 0) {
		if (!read_id(words, next_word(words), arena, item, err))
			return false;
		word = next_word(words);
		return !word || fail(words, "the end of the line", word, err);
	}
	if (!read_kind(words, kind, item, &is_read, err))
		return false;
	word = next_word(words);
	if (!read_number(word, UINT64_MAX, &address))
		return fail(words, "a port or an address", word, err);
	item->address = address;
	return read_rest(words, is_read, arena, item, err);
}

/* Numbers may be written in many ways: all of them become one. */
static bool read_expected(Words *words, Arena *arena, const char **out, Error *err)
{
	const size_t room = 3 * strlen(words->rest) + WORD_SIZE;
	char *text = arena_array(arena, char, room, err), *word;
	size_t len = 0;

	if (!text)
		return false;
	while ((word = next_word(words)) != NULL) {
		uint64_t number;

		if (read_number(word, UINT64_MAX, &number))
			len += (size_t)snprintf(
				text + len, room - len, "%s0x%" PRIx64, len ? " " : "", number);
		else
			len += (size_t)snprintf(
				text + len, room - len, "%s%s", len ? " " : "", word);
		assert(len < room);
	}
	*out = text;
	return len || fail(words, "an answer behind \"=\"", "", err);
}

static void trim(char *text)
{
	size_t len = strlen(text);

	while (len && strchr(" \t\r", text[len - 1]))
		text[--len] = 0;
}

static bool read_line(
	const char *start, size_t len, size_t number, Arena *arena, TraceLine *out, Error *err)
{
	char *text = arena_array(arena, char, len + 1, err);
	char *copy = text ? arena_array(arena, char, len + 1, err) : NULL;
	Words words = { text, number }, answer;
	char *equals, *comment;

	out->item = copy ? arena_array(arena, Pvw__V1__Intercept, 1, err) : NULL;
	if (!out->item)
		return false;
	memcpy(text, start, len);
	comment = strchr(text, '#');
	if (comment)
		*comment = 0;
	out->number = number;
	out->expected = NULL;
	equals = strchr(text, '=');
	if (equals) {
		*equals = 0;
		answer = (Words){ equals + 1, number };
		if (!read_expected(&answer, arena, &out->expected, err))
			return false;
	}
	memcpy(copy, text, strlen(text) + 1);
	out->access = copy + strspn(copy, " \t\r");
	trim(copy);
	if (*out->access == 0 && !equals) {
		out->item = NULL;
		return true;
	}
	return read_access(&words, arena, out->item, err);
}

bool trace_next(
	Bytes *text, size_t *number, Arena *arena, TraceLine *out, bool *found, Error *err)
{
	*found = false;
	while (text->len) {
		const uint8_t *end = memchr(text->data, '\n', text->len);
		const size_t len = end ? (size_t)(end - text->data) : text->len;
		const char *line = (const char *)text->data;

		++*number;
		if (len > TRACE_MAX_LINE || memchr(line, 0, len))
			return error_set(err, PVW_AGENT_0007,
				"line %zu: %zu bytes, expected text of at most %zu", *number,
				len, TRACE_MAX_LINE);
		text->data += len + (end != NULL);
		text->len -= len + (end != NULL);
		if (!read_line(line, len, *number, arena, out, err))
			return false;
		if (out->item) {
			*found = true;
			return true;
		}
	}
	return true;
}

/*
 * Answers.
 */

static const char *refusal(Pvw__V1__InterceptResult result)
{
	static const char *const words[] = {
		[PVW__V1__INTERCEPT_RESULT__INTERCEPT_NOT_CLAIMED] = "unclaimed",
		[PVW__V1__INTERCEPT_RESULT__INTERCEPT_BAD_WIDTH] = "bad-width",
		[PVW__V1__INTERCEPT_RESULT__INTERCEPT_DEVICE_ERROR] = "error",
		[PVW__V1__INTERCEPT_RESULT__INTERCEPT_FILTERED] = "filtered",
	};

	return (size_t)result < ARRAY_COUNT(words) && words[result] ? words[result] : "nothing";
}

static size_t put_values(const Pvw__V1__Intercept *item, const Pvw__V1__InterceptAnswer *answer,
	char *text, size_t room)
{
	const size_t width = item->width && item->width <= 8 ? item->width : 1;
	size_t len = 0;

	for (size_t at = 0; at + width <= answer->data.len; at += width) {
		uint64_t value = 0;

		memcpy(&value, answer->data.data + at, width);
		len += (size_t)snprintf(
			text + len, room - len, "%s0x%" PRIx64, len ? " " : "", value);
	}
	return len;
}

const char *trace_answer(const Pvw__V1__Intercept *item, const Pvw__V1__InterceptAnswer *answer,
	Arena *arena, Error *err)
{
	const size_t room = (answer->data.len + 8) * WORD_SIZE;
	char *text = arena_array(arena, char, room, err);
	size_t len;

	if (!text)
		return NULL;
	if (answer->result != PVW__V1__INTERCEPT_RESULT__INTERCEPT_DONE)
		return refusal(answer->result);
	len = put_values(item, answer, text, room);
	if (answer->defer_ns)
		len += (size_t)snprintf(text + len, room - len, "%sdefer 0x%" PRIx64,
			len ? " " : "", answer->defer_ns);
	if (answer->n_set)
		len += (size_t)snprintf(text + len, room - len, "%sset 0x%zx", len ? " " : "",
			answer->set[0]->n_registers);
	if (answer->pulse_gpe0)
		len += (size_t)snprintf(text + len, room - len, "%spulse", len ? " " : "");
	return len ? text : "done";
}
