/* Differences: they are short, and they make the second list out of the first. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/text_diff.h"

#define MAX_ROWS 4000

static Arena *arena;
static Error err;

static void set_up(void)
{
	arena = arena_new((size_t)256 << 20);
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(text_diff, .init = set_up, .fini = tear_down);

/* A row a letter. */
static TextRowList rows_of(const char *letters)
{
	const size_t count = strlen(letters);
	TextRow *rows = arena_array(arena, TextRow, count, &err);

	for (size_t i = 0; i < count; i++)
		rows[i] = (TextRow){ arena_printf(arena, &err, "%c", letters[i]), "here" };
	return (TextRowList){ rows, count };
}

/* Carries the changes out, and counts them. */
static size_t check(TextRowList a, TextRowList b, TextChangeList changes)
{
	size_t x = 0, y = 0, edits = 0;

	for (size_t i = 0; i <= changes.count; i++) {
		const TextChange end = { a.count, 0, b.count, 0 };
		const TextChange change = i < changes.count ? changes.items[i] : end;

		for (; x < change.a; x++, y++)
			cr_assert_str_eq(a.items[x].text, b.items[y].text);
		cr_assert_eq(x, change.a);
		cr_assert_eq(y, change.b);
		x += change.a_count;
		y += change.b_count;
		edits += change.a_count + change.b_count;
	}
	cr_assert_eq(x, a.count);
	cr_assert_eq(y, b.count);
	return edits;
}

static size_t edits_between(const char *before, const char *after)
{
	const TextRowList a = rows_of(before), b = rows_of(after);
	TextChangeList changes;

	cr_assert(text_diff(a, b, arena, &changes, &err));
	return check(a, b, changes);
}

Test(text_diff, finds_nothing_between_equals)
{
	cr_assert_eq(edits_between("abc", "abc"), 0);
	cr_assert_eq(edits_between("", ""), 0);
}

Test(text_diff, finds_the_shortest_way)
{
	cr_assert_eq(edits_between("abcabba", "cbabac"), 5);
	cr_assert_eq(edits_between("", "abc"), 3);
	cr_assert_eq(edits_between("abc", ""), 3);
	cr_assert_eq(edits_between("abc", "xyz"), 6);
	cr_assert_eq(edits_between("abcdefg", "abxdefg"), 2);
	cr_assert_eq(edits_between("aaaa", "aaaaa"), 1);
}

/* The length of the shortest way, by the table that the textbook fills. */
static size_t distance(const char *a, const char *b)
{
	const size_t n = strlen(a), m = strlen(b);
	static size_t table[64][64];

	for (size_t i = 0; i <= n; i++)
		for (size_t j = 0; j <= m; j++) {
			if (i == 0 || j == 0)
				table[i][j] = i + j;
			else if (a[i - 1] == b[j - 1])
				table[i][j] = table[i - 1][j - 1];
			else if (table[i - 1][j] < table[i][j - 1])
				table[i][j] = table[i - 1][j] + 1;
			else
				table[i][j] = table[i][j - 1] + 1;
		}
	return table[n][m];
}

Test(text_diff, agrees_with_the_textbook)
{
	srand(1);
	for (size_t round = 0; round < 2000; round++) {
		char a[41], b[41];
		const int letters = 1 + rand() % 5;
		size_t n = (size_t)(rand() % 40), m = (size_t)(rand() % 40);

		for (size_t i = 0; i < n; i++)
			a[i] = (char)('a' + rand() % letters);
		for (size_t i = 0; i < m; i++)
			b[i] = (char)('a' + rand() % letters);
		a[n] = b[m] = 0;
		cr_assert_eq(edits_between(a, b), distance(a, b), "%s %s", a, b);
		arena_reset(arena);
	}
}

Test(text_diff, compares_row_by_row_what_differs_too_much)
{
	static TextRow rows[2][MAX_ROWS];
	const TextRowList a = { rows[0], MAX_ROWS }, b = { rows[1], MAX_ROWS - 1 };
	TextChangeList changes;
	size_t edits;

	for (size_t i = 0; i < MAX_ROWS; i++) {
		rows[0][i] = (TextRow){ arena_printf(arena, &err, "a%zu", i), "" };
		rows[1][i] = (TextRow){
			i % 4 ? arena_printf(arena, &err, "b%zu", i) : rows[0][i].text, ""
		};
	}
	cr_assert(text_diff(a, b, arena, &changes, &err));
	edits = check(a, b, changes);
	cr_assert_eq(edits, 3 * MAX_ROWS / 2 - 1, "%zu", edits);
}

Test(text_diff, says_when_there_is_no_memory)
{
	const TextRowList a = rows_of("abcdef"), b = rows_of("ghijkl");
	Arena *small = arena_new(64);
	TextChangeList changes = { NULL, 7 };

	cr_assert_not(text_diff(a, b, small, &changes, &err));
	cr_assert_eq(changes.count, 7);
	arena_free(small);
}

static const char *printed(const char *before, const char *after, bool colour)
{
	static char text[4096];
	const TextRowList a = rows_of(before), b = rows_of(after);
	TextChangeList changes;
	FILE *out = fmemopen(text, sizeof(text), "w");

	cr_assert(text_diff(a, b, arena, &changes, &err));
	text_diff_print(out, a, b, changes, colour);
	fclose(out);
	return text;
}

Test(text_diff, prints_hunks_with_their_surroundings)
{
	cr_assert_str_eq(printed("abcdefghij", "abcdeXghij", false),
		"@@ -3,7 +3,7 @@ here\n c\n d\n e\n-f\n+X\n g\n h\n i\n");
	cr_assert_str_eq(printed("", "a", false), "@@ -0,0 +1,1 @@ here\n+a\n");
	cr_assert_str_eq(printed("a", "", false), "@@ -1,1 +0,0 @@ here\n-a\n");
}

Test(text_diff, joins_hunks_that_touch)
{
	cr_assert_str_eq(printed("aXbcdefgYh", "abcdefgh", false),
		"@@ -1,10 +1,8 @@ here\n a\n-X\n b\n c\n d\n e\n f\n g\n-Y\n h\n");
	cr_assert_str_eq(printed("Xabcdefg123Y", "abcdefg123", false),
		"@@ -1,4 +1,3 @@ here\n-X\n a\n b\n c\n"
		"@@ -9,4 +8,3 @@ here\n 1\n 2\n 3\n-Y\n");
}

Test(text_diff, colours_when_asked)
{
	cr_assert_str_eq(printed("a", "b", true),
		"\033[36m@@ -1,1 +1,1 @@ here\033[0m\n\033[31m-a\033[0m\n\033[32m+b\033[0m\n");
}
