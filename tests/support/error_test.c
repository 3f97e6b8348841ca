#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/diagnostics.h"
#include "support/error.h"

Test(error, set_takes_the_code_from_the_row)
{
	Error err;

	const bool result = error_set(&err, PVW_RANGE_0001, "%d cells, expected %d", 3, 2);

	cr_assert_not(result);
	cr_assert_eq(err.code, ERROR_BAD_VALUE);
	cr_assert_eq(err.diagnostic, PVW_RANGE_0001);
	cr_assert_str_eq(err.text, "3 cells, expected 2");
}

Test(error, set_forgets_where_an_earlier_failure_was)
{
	Error err;

	error_set(&err, PVW_RANGE_0001, "first");
	error_at_offset(&err, "dtb:/a", 12);
	error_set(&err, PVW_RANGE_0002, "second");

	cr_assert_str_empty(err.source);
	cr_assert_not(err.has_offset);
	cr_assert_eq(err.offset, 0);
}

Test(error, set_with_an_unknown_id_is_our_own_bug)
{
	Error err;

	error_set(&err, UINT16_MAX, "who");

	cr_assert_eq(err.code, ERROR_INTERNAL);
	cr_assert_str_eq(err.text, "who");
}

Test(error, wrap_puts_context_in_front)
{
	Error err;

	error_set(&err, PVW_RANGE_0001, "reg missing");
	error_wrap(&err, "cpu %d", 3);
	const bool result = error_wrap(&err, "boot info");

	cr_assert_not(result);
	cr_assert_str_eq(err.text, "boot info: cpu 3: reg missing");
	cr_assert_eq(err.diagnostic, PVW_RANGE_0001);
	cr_assert_eq(err.code, ERROR_BAD_VALUE);
}

Test(error, may_quote_its_own_text)
{
	Error err;

	error_set(&err, PVW_RANGE_0001, "reg missing");
	error_set(&err, PVW_RANGE_0002, "not \"%s\"", err.text);
	error_wrap(&err, "%s", err.text);

	cr_assert_str_eq(err.text, "not \"reg missing\": not \"reg missing\"");
}

Test(error, wrap_keeps_where_it_lies)
{
	Error err;

	error_set(&err, PVW_RANGE_0001, "bad");
	error_at_offset(&err, "dtb:/cpus/cpu@1/reg", 0x44);
	error_wrap(&err, "cpu 1");

	cr_assert_str_eq(err.source, "dtb:/cpus/cpu@1/reg");
	cr_assert(err.has_offset);
	cr_assert_eq(err.offset, 0x44);
}

Test(error, at_without_offset_clears_the_offset)
{
	Error err;

	error_set(&err, PVW_RANGE_0001, "bad");
	error_at_offset(&err, "a", 1);
	const bool result = error_at(&err, "b");

	cr_assert_not(result);
	cr_assert_str_eq(err.source, "b");
	cr_assert_not(err.has_offset);
}

/* Every length around the size: never longer than the room, marked exactly when cut. */
Test(error, set_marks_a_text_that_was_cut)
{
	for (int len = ERROR_TEXT_SIZE - 4; len <= ERROR_TEXT_SIZE + 4; len++) {
		Error err;

		error_set(&err, PVW_RANGE_0001, "%*d", len, 7);

		const bool fits = len < ERROR_TEXT_SIZE;
		const size_t found = strnlen(err.text, ERROR_TEXT_SIZE);

		cr_assert_eq(found, fits ? (size_t)len : ERROR_TEXT_SIZE - 1);
		cr_assert_eq(strcmp(err.text + found - 3, "...") == 0, !fits);
	}
}

Test(error, wrap_of_any_length_stays_inside)
{
	for (int len = ERROR_TEXT_SIZE - 20; len <= ERROR_TEXT_SIZE + 20; len++) {
		struct {
			Error err;
			char behind;
		} room;

		room.behind = 'x';
		error_set(&room.err, PVW_RANGE_0001, "%*d", len / 2 - 2, 7);
		error_wrap(&room.err, "%*d", len - len / 2, 8);

		const bool fits = len < ERROR_TEXT_SIZE;
		const size_t found = strnlen(room.err.text, ERROR_TEXT_SIZE);

		cr_assert_eq(found, fits ? (size_t)len : ERROR_TEXT_SIZE - 1);
		cr_assert_eq(strstr(room.err.text, "...") != NULL, !fits);
		cr_assert_eq(room.err.text[found - 1], '7');
		cr_assert_eq(room.behind, 'x');
	}
}

Test(error, wrap_keeps_both_ends_when_it_must_cut)
{
	Error err;
	char middle[300];

	memset(middle, 'm', sizeof(middle) - 1);
	middle[sizeof(middle) - 1] = '\0';
	error_set(&err, PVW_RANGE_0001, "%s the cause", middle);
	error_wrap(&err, "the outermost context %s", middle);

	cr_assert_eq(strlen(err.text), ERROR_TEXT_SIZE - 1);
	cr_assert_eq(strncmp(err.text, "the outermost context", 21), 0);
	cr_assert_str_eq(err.text + strlen(err.text) - 9, "the cause");
	cr_assert_not_null(strstr(err.text, "..."));
}

Test(error, wrap_survives_any_depth)
{
	Error err;

	error_set(&err, PVW_RANGE_0001, "cause");
	for (int i = 0; i < 1000; i++) {
		error_wrap(&err, "level %d of a deep nest", i);
		cr_assert_lt(strnlen(err.text, ERROR_TEXT_SIZE), ERROR_TEXT_SIZE);
	}
	cr_assert_str_eq(err.text + strlen(err.text) - 7, ": cause");
	cr_assert_eq(strncmp(err.text, "level 999", 9), 0);
}

Test(error, at_keeps_the_end_of_a_long_path)
{
	Error err;
	char path[400];

	memset(path, 'p', sizeof(path));
	snprintf(path + 390, 10, "/the-reg");
	error_set(&err, PVW_RANGE_0001, "bad");
	error_at(&err, path);

	cr_assert_eq(strlen(err.source), ERROR_SOURCE_SIZE - 1);
	cr_assert_eq(strncmp(err.source, "...pp", 5), 0);
	cr_assert_str_eq(err.source + strlen(err.source) - 8, "/the-reg");
}

Test(error, makes_hostile_text_printable)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "plain", "plain" },
		{ "a\x1b[31m\r\nb\x7f", "a?[31m??b?" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
			"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\xc2\x85 control", "?? control" },
		{ "\xc0\x80 overlong", "?? overlong" },
		{ "\xe0\x80\x80 overlong", "??? overlong" },
		{ "\xed\xa0\x80 surrogate", "??? surrogate" },
		{ "\xf4\x90\x80\x80 too high", "???? too high" },
		{ "\xf0\x80\x80\x80 overlong", "???? overlong" },
		{ "short \xe2\x82", "short ??" },
		{ "lone \x80\xff", "lone ??" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		Error err;

		error_set(&err, PVW_RANGE_0001, "%s", cases[i].in);
		cr_assert_str_eq(err.text, cases[i].out);
		error_at(&err, cases[i].in);
		cr_assert_str_eq(err.source, cases[i].out);
		error_set(&err, PVW_RANGE_0001, "x");
		error_wrap(&err, "%s", cases[i].in);
		cr_assert_eq(strncmp(err.text, cases[i].out, strlen(cases[i].out)), 0);
	}
}

Test(error, cut_inside_a_character_leaves_no_half_of_it)
{
	Error err;
	char text[ERROR_TEXT_SIZE + 8];

	for (size_t shift = 0; shift < 3; shift++) {
		memset(text, 'a', shift);
		for (size_t at = shift; at + 4 < sizeof(text); at += 3)
			memcpy(text + at, "\xe2\x82\xac", 4);
		error_set(&err, PVW_RANGE_0001, "%s", text);

		/* Count bytes that continue a character and those that want to be continued. */
		int open = 0;

		for (const char *s = err.text; *s; s++) {
			const unsigned char c = (unsigned char)*s;

			if (c >= 0xe0) {
				cr_assert_eq(open, 0);
				open = 2;
			} else if (c >= 0x80) {
				cr_assert_gt(open, 0);
				open--;
			} else {
				cr_assert_eq(open, 0);
			}
		}
		cr_assert_eq(open, 0);
	}
}

Test(error, codes_have_distinct_names)
{
	for (ErrorCode a = ERROR_NONE; a < ERROR_CODE_COUNT; a++) {
		cr_assert_not_null(error_code_name(a));
		for (ErrorCode b = ERROR_NONE; b < a; b++)
			cr_assert_str_neq(error_code_name(a), error_code_name(b));
	}
	cr_assert_str_eq(error_code_name(ERROR_BAD_VALUE), "BAD_VALUE");
	cr_assert_str_eq(error_code_name(ERROR_CODE_COUNT), "UNKNOWN");
}
