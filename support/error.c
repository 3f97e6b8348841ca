/*
 * Failure as a value: text is built in place, cut to fit, and safe to print.
 */
#include "support/error.h"

#include <stdio.h>
#include <string.h>

#include "support/diagnostics.h"

#define CUT "..."
#define CUT_LEN (sizeof(CUT) - 1)

static const char *const code_names[] = {
	[ERROR_NONE] = "NONE",
	[ERROR_TRUNCATED] = "TRUNCATED",
	[ERROR_MISSING] = "MISSING",
	[ERROR_BAD_VALUE] = "BAD_VALUE",
	[ERROR_OVERLAP] = "OVERLAP",
	[ERROR_NO_SPACE] = "NO_SPACE",
	[ERROR_LIMIT] = "LIMIT",
	[ERROR_UNSUPPORTED] = "UNSUPPORTED",
	[ERROR_STATE] = "STATE",
	[ERROR_DENIED] = "DENIED",
	[ERROR_IO] = "IO",
	[ERROR_INTERNAL] = "INTERNAL",
};
static_assert(ARRAY_COUNT(code_names) == ERROR_CODE_COUNT, "one name a code");

/* Length of the well-formed UTF-8 sequence at @s that is fit to print, 0 if there is none. */
static size_t printable_len(const unsigned char *s)
{
	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	if (s[0] >= 0xc2 && s[0] <= 0xdf) /* below U+00A0 are controls */
		return (s[1] & 0xc0) == 0x80 && (s[0] > 0xc2 || s[1] >= 0xa0) ? 2 : 0;
	if ((s[0] & 0xf0) == 0xe0) {
		if ((s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80)
			return 0;
		if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f))
			return 0;
		return 3;
	}
	if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		if ((s[1] & 0xc0) != 0x80 || (s[2] & 0xc0) != 0x80 || (s[3] & 0xc0) != 0x80)
			return 0;
		if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
			return 0;
		return 4;
	}
	return 0;
}

/*
 * Texts quote names from hostile input, and end in logs, terminals and messages that must be
 * UTF-8: what is neither printable nor well formed becomes '?'.
 */
static void make_printable(char *text)
{
	unsigned char *s = (unsigned char *)text;

	while (*s) {
		const size_t len = printable_len(s);

		if (len == 0)
			*s++ = '?';
		else
			s += len;
	}
}

/* vsnprintf into @size bytes; "..." in the end tells that it did not fit. */
static void format_cut(char *text, size_t size, const char *format, va_list args)
	PRINTF_LIKE(3, 0);

static void format_cut(char *text, size_t size, const char *format, va_list args)
{
	const int len = vsnprintf(text, size, format, args);

	if (len < 0)
		text[0] = '\0';
	else if ((size_t)len >= size)
		memcpy(text + size - 1 - CUT_LEN, CUT, CUT_LEN);
}

bool error_set_va(Error *err, uint16_t diagnostic, const char *format, va_list args)
{
	char text[ERROR_TEXT_SIZE]; /* an argument may be err->text */

	format_cut(text, sizeof(text), format, args);
	make_printable(text);

	const ErrorCode code = diagnostic_row(diagnostic)->code;

	err->code = code == ERROR_NONE ? ERROR_INTERNAL : code;
	err->diagnostic = diagnostic;
	err->has_offset = false;
	err->offset = 0;
	err->source[0] = '\0';
	memcpy(err->text, text, strlen(text) + 1);
	return false;
}

bool error_set(Error *err, uint16_t diagnostic, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_set_va(err, diagnostic, format, args);
	va_end(args);
	return false;
}

bool error_wrap(Error *err, const char *format, ...)
{
	char both[2 * ERROR_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	format_cut(both, ERROR_TEXT_SIZE - 2, format, args);
	va_end(args);

	size_t len = strlen(both);
	const size_t text_len = strnlen(err->text, ERROR_TEXT_SIZE - 1);

	memcpy(both + len, ": ", 2);
	memcpy(both + len + 2, err->text, text_len);
	len += 2 + text_len;
	both[len] = '\0';

	/* Too long: the outermost context and the cause tell most, the middle goes. */
	if (len >= ERROR_TEXT_SIZE) {
		const size_t head = ERROR_TEXT_SIZE / 2;
		const size_t tail = ERROR_TEXT_SIZE - 1 - head - CUT_LEN;

		memcpy(both + head, CUT, CUT_LEN);
		memmove(both + head + CUT_LEN, both + len - tail, tail + 1);
		len = ERROR_TEXT_SIZE - 1;
	}
	make_printable(both);
	memcpy(err->text, both, len + 1);
	return false;
}

bool error_at(Error *err, const char *source)
{
	const size_t len = strlen(source);
	char copy[ERROR_SOURCE_SIZE]; /* @source may be err->source */

	/* The end of a path says more than its beginning. */
	if (len < sizeof(copy)) {
		memcpy(copy, source, len + 1);
	} else {
		memcpy(copy, CUT, CUT_LEN);
		memcpy(copy + CUT_LEN, source + len - (sizeof(copy) - 1 - CUT_LEN),
			sizeof(copy) - CUT_LEN);
	}
	make_printable(copy);
	memcpy(err->source, copy, sizeof(copy));
	err->has_offset = false;
	err->offset = 0;
	return false;
}

bool error_at_offset(Error *err, const char *source, uint64_t offset)
{
	error_at(err, source);
	err->has_offset = true;
	err->offset = offset;
	return false;
}

const char *error_code_name(ErrorCode code)
{
	return (unsigned)code < ERROR_CODE_COUNT ? code_names[code] : "UNKNOWN";
}
