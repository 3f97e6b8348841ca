#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>

#include "support/arena.h"
#include "support/diagnostics.h"

Test(diagnostics, names_are_well_formed)
{
	for (uint16_t id = 1; id < DIAGNOSTIC_COUNT; id++) {
		const DiagnosticRow *row = diagnostic_row(id);
		const char *dash = strrchr(row->name, '-');

		cr_assert_eq(strncmp(row->name, "PVW-", 4), 0, "%s", row->name);
		cr_assert_gt(dash, row->name + 4, "%s", row->name);
		for (const char *s = row->name + 4; s < dash; s++)
			cr_assert(isupper((unsigned char)*s) || isdigit((unsigned char)*s),
				"%s", row->name);
		cr_assert_eq(strlen(dash + 1), 4, "%s", row->name);
		cr_assert_eq(strspn(dash + 1, "0123456789"), 4, "%s", row->name);
		cr_assert_str_neq(dash + 1, "0000");
	}
}

Test(diagnostics, names_are_unique)
{
	for (uint16_t a = 1; a < DIAGNOSTIC_COUNT; a++) {
		for (uint16_t b = 1; b < a; b++)
			cr_assert_str_neq(diagnostic_row(a)->name, diagnostic_row(b)->name);
	}
}

/* Inside an area the numbers run 1, 2, 3: a gap would be a row that was removed. */
Test(diagnostics, numbers_of_an_area_have_no_gap)
{
	for (uint16_t id = 1; id < DIAGNOSTIC_COUNT; id++) {
		const char *name = diagnostic_row(id)->name;
		const size_t area = (size_t)(strrchr(name, '-') - name) + 1;
		int before = 0;

		for (uint16_t other = 1; other < id; other++) {
			if (strncmp(diagnostic_row(other)->name, name, area) == 0)
				before++;
		}
		cr_assert_eq(atoi(name + area), before + 1, "%s", name);
	}
}

Test(diagnostics, rows_say_what_and_what_to_do)
{
	for (uint16_t id = 1; id < DIAGNOSTIC_COUNT; id++) {
		const DiagnosticRow *row = diagnostic_row(id);

		cr_assert_gt(row->code, ERROR_NONE, "%s", row->name);
		cr_assert_lt(row->code, ERROR_CODE_COUNT, "%s", row->name);
		cr_assert_lt(row->severity, SEVERITY_COUNT, "%s", row->name);
		cr_assert_str_not_empty(row->title, "%s", row->name);
		cr_assert_str_not_empty(row->hint, "%s", row->name);
		cr_assert_neq(row->title[strlen(row->title) - 1], '.', "%s", row->name);
		cr_assert_neq(row->hint[strlen(row->hint) - 1], '.', "%s", row->name);
	}
}

Test(diagnostics, every_name_is_found_in_any_case)
{
	for (uint16_t id = 1; id < DIAGNOSTIC_COUNT; id++) {
		char lower[64];
		size_t i = 0;

		for (const char *s = diagnostic_row(id)->name; *s && i < sizeof(lower) - 1; s++)
			lower[i++] = (char)tolower((unsigned char)*s);
		lower[i] = '\0';
		cr_assert_eq(diagnostic_find(diagnostic_row(id)->name), id);
		cr_assert_eq(diagnostic_find(lower), id);
	}
}

Test(diagnostics, unknown_names_and_ids_are_none)
{
	static const char *const names[] = { "", "PVW", "PVW-RANGE-9999", "PVW-RANGE-00011",
		"RANGE-0001", "PVW-NONE-0000" };

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		cr_assert_eq(diagnostic_find(names[i]), PVW_NONE, "%s", names[i]);
	cr_assert_eq(diagnostic_row(DIAGNOSTIC_COUNT), diagnostic_row(PVW_NONE));
	cr_assert_eq(diagnostic_row(UINT16_MAX), diagnostic_row(PVW_NONE));
}

Test(diagnostics, severities_have_names)
{
	cr_assert_str_eq(severity_name(SEVERITY_NOTE), "note");
	cr_assert_str_eq(severity_name(SEVERITY_WARNING), "warning");
	cr_assert_str_eq(severity_name(SEVERITY_ERROR), "error");
	cr_assert_str_eq(severity_name(SEVERITY_COUNT), "error");
}

Test(diagnostics, list_keeps_findings_in_order)
{
	Arena *arena = arena_new(1 << 20);
	Diagnostics list;
	Error err;

	cr_assert(diagnostics_init(&list, 4, arena, &err));
	cr_assert_eq(diagnostics_worst(&list), SEVERITY_NOTE);
	diagnostics_add(&list, PVW_MEM_0004, NULL, "first %d", 1);
	cr_assert_eq(diagnostics_worst(&list), SEVERITY_WARNING);
	error_set(&err, PVW_RANGE_0001, "second");
	error_at_offset(&err, "dtb:/x", 8);
	diagnostics_add_error(&list, &err);
	diagnostics_add(&list, PVW_RANGE_0002, "settings.x", "third");

	cr_assert_eq(list.count, 3);
	cr_assert_str_eq(list.items[0].what.text, "first 1");
	cr_assert_str_empty(list.items[0].what.source);
	cr_assert_eq(list.items[0].severity, SEVERITY_WARNING);
	cr_assert_str_eq(list.items[1].what.text, "second");
	cr_assert_eq(list.items[1].what.offset, 8);
	cr_assert_str_eq(list.items[2].what.source, "settings.x");
	cr_assert_eq(list.items[2].what.code, ERROR_BAD_VALUE);
	cr_assert_eq(diagnostics_worst(&list), SEVERITY_ERROR);
	arena_free(arena);
}

Test(diagnostics, full_list_counts_what_it_drops)
{
	Arena *arena = arena_new(1 << 20);
	Diagnostics list;
	Diagnostic last = { .severity = SEVERITY_NOTE };
	Error err;

	cr_assert(diagnostics_init(&list, 2, arena, &err));
	diagnostics_add(&list, PVW_MEM_0004, NULL, "one");
	diagnostics_add(&list, PVW_MEM_0004, NULL, "two");
	cr_assert_not(diagnostics_dropped(&list, &last));
	cr_assert_eq(last.what.diagnostic, PVW_NONE);

	for (int i = 0; i < 40; i++)
		diagnostics_add(&list, PVW_MEM_0004, NULL, "more");
	error_set(&err, PVW_RANGE_0001, "worst");
	diagnostics_add_error(&list, &err);

	cr_assert_eq(list.count, 2);
	cr_assert_eq(list.dropped, 41);
	cr_assert_eq(diagnostics_worst(&list), SEVERITY_ERROR);
	cr_assert(diagnostics_dropped(&list, &last));
	cr_assert_eq(last.severity, SEVERITY_ERROR);
	cr_assert_eq(last.what.diagnostic, PVW_MEM_0004);
	cr_assert_str_eq(last.what.text, "41 more findings, 2 are shown");
	arena_free(arena);
}

Test(diagnostics, cut_findings_say_so)
{
	Arena *arena = arena_new(1 << 20);
	char text[2 * ERROR_TEXT_SIZE];
	Diagnostics list;
	Error err;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cr_assert(diagnostics_init(&list, 1, arena, &err));
	diagnostics_add(&list, PVW_MEM_0004, NULL, "%s", text);

	cr_assert_eq(strlen(list.items[0].what.text), ERROR_TEXT_SIZE - 1);
	cr_assert_str_eq(list.items[0].what.text + ERROR_TEXT_SIZE - 4, "...");
	arena_free(arena);
}

Test(diagnostics, zeroed_list_only_counts)
{
	Diagnostics list = { 0 };
	Diagnostic last;

	diagnostics_add(&list, PVW_RANGE_0001, NULL, "x");

	cr_assert_eq(list.count, 0);
	cr_assert(diagnostics_dropped(&list, &last));
}

Test(diagnostics, init_needs_room_in_the_arena)
{
	Arena *arena = arena_new(100);
	Diagnostics list = { .capacity = 77 };
	Error err;

	cr_assert_not(diagnostics_init(&list, 1000, arena, &err));

	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	cr_assert_eq(list.capacity, 77);
	arena_free(arena);
}
