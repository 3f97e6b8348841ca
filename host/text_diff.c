/*
 * The greedy algorithm of E. W. Myers, "An O(ND) Difference Algorithm and Its Variations"
 * (Algorithmica 1, 1986), with a bound on D.
 */
#include "host/text_diff.h"

#include <string.h>

#define CONTEXT 3 /* rows around a change */

/* What is between the rows that both lists begin and end with. */
typedef struct Middle {
	const TextRow *a, *b;
	const uint64_t *a_hash, *b_hash;
	int32_t a_count, b_count;
	bool *a_gone, *b_new; /* of the middle's rows: not in the other list */
} Middle;

static uint64_t hash_of(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	return hash;
}

static bool rows_equal(const Middle *m, int32_t x, int32_t y)
{
	return m->a_hash[x] == m->b_hash[y] && strcmp(m->a[x].text, m->b[y].text) == 0;
}

/* The furthest row of the first list on each diagonal, for every number of edits so far. */
typedef struct Trace {
	int32_t *furthest[TEXT_DIFF_MAX_EDITS + 1]; /* [d][k + d] */
	int32_t edits;                              /* < 0: more than we look for */
} Trace;

static int32_t begin_of(const Trace *trace, int32_t d, int32_t k)
{
	const int32_t *before = trace->furthest[d - 1];
	const int32_t up = k + 1 <= d - 1 ? before[k + 1 + d - 1] : -1;
	const int32_t left = k - 1 >= -(d - 1) ? before[k - 1 + d - 1] + 1 : -1;

	return up > left ? up : left;
}

/* One edit more on every diagonal; true when both lists are at their ends. */
static bool extend(const Middle *m, Trace *trace, int32_t d)
{
	for (int32_t k = -d; k <= d; k += 2) {
		int32_t x = d == 0 ? 0 : begin_of(trace, d, k);
		int32_t y = x - k;

		while (x >= 0 && y >= 0 && x < m->a_count && y < m->b_count &&
			rows_equal(m, x, y)) {
			x++;
			y++;
		}
		trace->furthest[d][k + d] = x;
		if (k == m->a_count - m->b_count && x >= m->a_count) {
			trace->edits = d;
			return true;
		}
	}
	return false;
}

static bool search(const Middle *m, Arena *arena, Trace *trace, Error *err)
{
	trace->edits = -1;
	for (int32_t d = 0; d <= TEXT_DIFF_MAX_EDITS; d++) {
		trace->furthest[d] = arena_array(arena, int32_t, 2 * (size_t)d + 1, err);
		if (!trace->furthest[d])
			return false;
		if (extend(m, trace, d))
			break;
	}
	return true;
}

/* From the end back: each edit is a row that is gone, or one that is new. */
static void mark_edits(const Middle *m, const Trace *trace)
{
	int32_t k = m->a_count - m->b_count;

	for (int32_t d = trace->edits; d > 0; d--) {
		const int32_t *before = trace->furthest[d - 1];
		const int32_t up = k + 1 <= d - 1 ? before[k + 1 + d - 1] : -1;
		const int32_t left = k - 1 >= -(d - 1) ? before[k - 1 + d - 1] + 1 : -1;

		if (up > left) {
			m->b_new[up - (k + 1)] = true;
			k++;
		} else {
			m->a_gone[left - 1] = true;
			k--;
		}
	}
}

static void mark_row_by_row(const Middle *m)
{
	for (int32_t i = 0; i < m->a_count || i < m->b_count; i++) {
		const bool both = i < m->a_count && i < m->b_count;

		if (both && rows_equal(m, i, i))
			continue;
		if (i < m->a_count)
			m->a_gone[i] = true;
		if (i < m->b_count)
			m->b_new[i] = true;
	}
}

static uint64_t *hashes_of(TextRowList list, Arena *arena, Error *err)
{
	uint64_t *out = arena_array(arena, uint64_t, list.count, err);

	for (size_t i = 0; out && i < list.count; i++)
		out[i] = hash_of(list.items[i].text);
	return out;
}

static bool collect(TextRowList a, TextRowList b, const bool *gone, const bool *fresh,
	Arena *arena, TextChangeList *out, Error *err)
{
	TextChange *items = arena_array(arena, TextChange, a.count + b.count + 1, err);
	size_t count = 0, x = 0, y = 0;

	if (!items)
		return false;
	while (x < a.count || y < b.count) {
		TextChange change = { .a = x, .b = y };

		while (x < a.count && gone[x])
			x++;
		while (y < b.count && fresh[y])
			y++;
		change.a_count = x - change.a;
		change.b_count = y - change.b;
		if (change.a_count || change.b_count)
			items[count++] = change;
		for (; x < a.count && y < b.count && !gone[x] && !fresh[y]; x++)
			y++;
	}
	arena_shrink(arena, items, count * sizeof(*items));
	*out = (TextChangeList){ items, count };
	return true;
}

bool text_diff(TextRowList a, TextRowList b, Arena *arena, TextChangeList *out, Error *err)
{
	const uint64_t *a_hash = hashes_of(a, arena, err);
	const uint64_t *b_hash = a_hash ? hashes_of(b, arena, err) : NULL;
	bool *gone = b_hash ? arena_array(arena, bool, a.count, err) : NULL;
	bool *fresh = gone ? arena_array(arena, bool, b.count, err) : NULL;
	const Middle all = { .a = a.items, .b = b.items, .a_hash = a_hash, .b_hash = b_hash };
	size_t head = 0, a_end = a.count, b_end = b.count;
	Trace trace;
	Middle m;

	if (!fresh)
		return false;
	assert(a.count < INT32_MAX / 2 &&
		b.count < INT32_MAX / 2); /* they would not fit memory */
	while (head < a_end && head < b_end && rows_equal(&all, (int32_t)head, (int32_t)head))
		head++;
	while (a_end > head && b_end > head &&
		rows_equal(&all, (int32_t)a_end - 1, (int32_t)b_end - 1)) {
		a_end--;
		b_end--;
	}
	m = (Middle){ a.items + head, b.items + head, a_hash + head, b_hash + head,
		(int32_t)(a_end - head), (int32_t)(b_end - head), gone + head, fresh + head };
	if (!search(&m, arena, &trace, err))
		return false;
	if (trace.edits >= 0)
		mark_edits(&m, &trace);
	else
		mark_row_by_row(&m);
	return collect(a, b, gone, fresh, arena, out, err);
}

/*
 * Hunks.
 */

typedef struct Style {
	const char *head, *gone, *fresh, *end;
} Style;

/* Changes from @first on that share a hunk: what is between them is shown for both. */
static size_t last_of_hunk(TextChangeList changes, size_t first)
{
	size_t last = first;

	while (last + 1 < changes.count &&
		changes.items[last + 1].a -
				(changes.items[last].a + changes.items[last].a_count) <=
			(size_t)2 * CONTEXT)
		last++;
	return last;
}

static void print_rows(FILE *out, char mark, const TextRow *rows, size_t count, const char *on,
	const char *off)
{
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%c%s%s\n", on, mark, rows[i].text, off);
}

static void print_hunk(FILE *out, TextRowList a, TextRowList b, const TextChange *changes,
	size_t count, const Style *style)
{
	const TextChange *last = &changes[count - 1];
	const size_t before = changes->a < CONTEXT ? changes->a : CONTEXT;
	const size_t left = a.count - (last->a + last->a_count);
	const size_t behind = left < CONTEXT ? left : CONTEXT;
	const size_t a_start = changes->a - before, b_start = changes->b - before;
	const size_t a_end = last->a + last->a_count + behind;
	const size_t b_end = last->b + last->b_count + behind;
	const char *section = changes->a_count ? a.items[changes->a].section
		: changes->b_count             ? b.items[changes->b].section
					       : "";
	size_t at = a_start;

	fprintf(out, "%s@@ -%zu,%zu +%zu,%zu @@%s%s%s\n", style->head,
		a_end > a_start ? a_start + 1 : a_start, a_end - a_start,
		b_end > b_start ? b_start + 1 : b_start, b_end - b_start, section[0] ? " " : "",
		section, style->end);
	for (size_t i = 0; i < count; i++) {
		const TextChange *change = &changes[i];

		print_rows(out, ' ', a.items + at, change->a - at, "", "");
		print_rows(out, '-', a.items + change->a, change->a_count, style->gone,
			style->end);
		print_rows(out, '+', b.items + change->b, change->b_count, style->fresh,
			style->end);
		at = change->a + change->a_count;
	}
	print_rows(out, ' ', a.items + at, a_end - at, "", "");
}

void text_diff_print(
	FILE *out, TextRowList a, TextRowList b, TextChangeList changes, bool colour)
{
	static const Style plain = { "", "", "", "" };
	static const Style coloured = { "\033[36m", "\033[31m", "\033[32m", "\033[0m" };

	for (size_t i = 0; i < changes.count;) {
		const size_t last = last_of_hunk(changes, i);

		print_hunk(out, a, b, &changes.items[i], last - i + 1,
			colour ? &coloured : &plain);
		i = last + 1;
	}
}
