/*
 * pvw artifact: what artifacts hold, and how two of them differ.
 *
 * Tables, UEFI configurations and texts are compared as what they say, everything else byte by
 * byte.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/acpi_tables.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "host/aml_text.h"
#include "host/file.h"
#include "host/text_diff.h"
#include "host/uefi_text.h"

#define SCHEMA "pvw.artifact-diff/1"
#define MAX_FINDINGS 64
#define MAX_FILES 4096
#define BYTES_A_ROW 16
#define ROWS_SHOWN 32 /* of bytes that differ, unless -v */
#define ARENA_LIMIT ((size_t)1 << 30)

/* Rows of a document; grows in its arena. */
typedef struct Rows {
	Arena *arena;
	TextRow *items;
	size_t count, capacity;
	Error *err;
	bool failed;
} Rows;

typedef struct Run {
	const Invocation *invocation;
	Arena *arena; /* of one pair of files */
	Diagnostics findings;
	json_t *report; /* files that differ; NULL for text */
	bool changed;
} Run;

/*
 * Documents.
 */

static void add_row(Rows *rows, const char *text, const char *section)
{
	if (!rows->failed && rows->count == rows->capacity) {
		const size_t capacity = rows->capacity ? 2 * rows->capacity : 256;
		TextRow *items = arena_array(rows->arena, TextRow, capacity, rows->err);

		rows->failed = !items;
		if (items && rows->count)
			memcpy(items, rows->items, rows->count * sizeof(*items));
		if (items) {
			rows->items = items;
			rows->capacity = capacity;
		}
	}
	if (!rows->failed && text)
		rows->items[rows->count++] = (TextRow){ text, section };
	rows->failed = rows->failed || !text;
}

/* "mapping[2].its[0]" without its numbers: what an entry is called wherever it stands. */
static void strip_numbers(const char *group, char *out, size_t room)
{
	size_t len = 0;
	bool inside = false;

	for (; *group && len + 1 < room; group++) {
		if (*group == '[')
			inside = true;
		if (!inside)
			out[len++] = *group;
		if (*group == ']')
			inside = false;
	}
	out[len] = 0;
}

static void add_lines(Rows *rows, const char *what, const AcpiLine *lines, size_t count)
{
	for (size_t i = 0; i < count && !rows->failed; i++) {
		const AcpiLine *line = &lines[i];
		char group[160];

		strip_numbers(line->group, group, sizeof(group));
		add_row(rows,
			arena_printf(rows->arena, rows->err, "%s%s%s%s%s = %s%s%s%s", what,
				what[0] ? " " : "", group, group[0] ? "." : "", line->name,
				line->value, line->note[0] ? " (" : "", line->note,
				line->note[0] ? ")" : ""),
			arena_printf(rows->arena, rows->err, "%s %s", what, line->group));
	}
}

/* A line of source that names what the following ones belong to. */
static bool is_heading(const char *line)
{
	static const char *const words[] = { "Device (", "Method (", "Scope (", "Processor (" };

	while (*line == ' ')
		line++;
	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		if (strncmp(line, words[i], strlen(words[i])) == 0)
			return true;
	}
	return false;
}

static void add_text(Rows *rows, Bytes text, bool source)
{
	const char *section = "";

	for (size_t at = 0; at < text.len && !rows->failed;) {
		const uint8_t *start = text.data + at;
		const uint8_t *end = memchr(start, '\n', text.len - at);
		const size_t len = end ? (size_t)(end - start) : text.len - at;
		char *copy = arena_reserve(rows->arena, len + 1, 1, rows->err);

		rows->failed = !copy;
		if (!copy)
			return;
		memcpy(copy, start, len);
		copy[len] = 0;
		if (source && is_heading(copy))
			section = copy + strspn(copy, " ");
		add_row(rows, copy, section);
		at += len + 1;
	}
}

static bool add_table(Run *run, Rows *rows, const AcpiTable *table, Error *err)
{
	AcpiText text;
	Bytes asl;
	Error why;

	if (!acpi_text(table->bytes, run->arena, &text, &run->findings, err))
		return false;
	add_lines(rows, table->signature, text.lines, text.count);
	if (text.is_aml && aml_text(table->bytes, run->arena, &asl, &why))
		add_text(rows, asl, /* source= */ true);
	return !rows->failed;
}

static bool add_blob(Run *run, Rows *rows, Bytes blob, Error *err)
{
	UefiText text;

	if (!uefi_text(blob, run->arena, &text, &run->findings, err))
		return false;
	add_lines(rows, "", text.lines, text.count);
	for (size_t i = 0; i < text.tables.count; i++) {
		if (!add_table(run, rows, &text.tables.items[i], err))
			return false;
	}
	return !rows->failed;
}

static bool is_text(Bytes bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		const uint8_t c = bytes.data[i];

		if (c < 0x20 && c != '\n' && c != '\t' && c != '\r')
			return false;
	}
	return bytes.len > 0 && bytes.data[bytes.len - 1] == '\n';
}

/* False when the bytes can only be shown as bytes; then there may be an error in rows. */
static bool decode(Run *run, Bytes bytes, Rows *rows)
{
	AcpiTableList list;

	if (uefi_text_is(bytes))
		return add_blob(run, rows, bytes, rows->err);
	if (is_text(bytes)) {
		add_text(rows, bytes, /* source= */ false);
		return !rows->failed;
	}
	if (!acpi_text_split(bytes, 0, run->arena, &list, rows->err) || list.count == 0)
		return false;
	for (size_t i = 0; i < list.count; i++) {
		if (!add_table(run, rows, &list.items[i], rows->err))
			return false;
	}
	return true;
}

/*
 * Differences of two files.
 */

static void print_names(const char *a, const char *b)
{
	printf("--- %s\n+++ %s\n", a, b);
}

static json_t *rows_json(TextRowList list, size_t start, size_t count)
{
	json_t *out = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(out, json_string(list.items[start + i].text));
	return out;
}

static json_t *changes_json(TextRowList a, TextRowList b, TextChangeList changes)
{
	json_t *out = json_array();

	for (size_t i = 0; i < changes.count; i++) {
		const TextChange *change = &changes.items[i];
		const char *section = change->a_count ? a.items[change->a].section
						      : b.items[change->b].section;

		json_array_append_new(out,
			json_pack("{s:s, s:o, s:o}", "section", section, "removed",
				rows_json(a, change->a, change->a_count), "added",
				rows_json(b, change->b, change->b_count)));
	}
	return out;
}

static void report(Run *run, const char *a, const char *b, const char *how, json_t *changes)
{
	json_array_append_new(run->report,
		json_pack("{s:s, s:s, s:s, s:o*}", "a", a, "b", b, "compared_as", how,
			"changes", changes));
}

static bool diff_rows(
	Run *run, const char *a, const char *b, Rows *a_rows, Rows *b_rows, Error *err)
{
	const TextRowList before = { a_rows->items, a_rows->count };
	const TextRowList after = { b_rows->items, b_rows->count };
	TextChangeList changes;

	if (!text_diff(before, after, run->arena, &changes, err))
		return false;
	if (run->report) {
		report(run, a, b, "text", changes_json(before, after, changes));
		return true;
	}
	print_names(a, b);
	text_diff_print(stdout, before, after, changes, invocation_colour(run->invocation));
	return true;
}

static void print_bytes(char mark, Bytes bytes, size_t at)
{
	const size_t end = bytes.len - at < BYTES_A_ROW ? bytes.len : at + BYTES_A_ROW;

	printf("%c%08zx ", mark, at);
	for (size_t i = at; i < at + BYTES_A_ROW; i++)
		if (i < end)
			printf(" %02x", bytes.data[i]);
		else
			fputs("   ", stdout);
	fputs("  ", stdout);
	for (size_t i = at; i < end; i++)
		putchar(isprint(bytes.data[i]) ? bytes.data[i] : '.');
	putchar('\n');
}

static bool row_differs(Bytes a, Bytes b, size_t at)
{
	const size_t a_len = at < a.len ? a.len - at : 0, b_len = at < b.len ? b.len - at : 0;
	const size_t a_some = a_len < BYTES_A_ROW ? a_len : BYTES_A_ROW;
	const size_t b_some = b_len < BYTES_A_ROW ? b_len : BYTES_A_ROW;

	return a_some != b_some || memcmp(a.data + at, b.data + at, a_some) != 0;
}

static void diff_bytes(Run *run, const char *a_name, const char *b_name, Bytes a, Bytes b)
{
	const size_t len = a.len > b.len ? a.len : b.len;
	const bool all = invocation_verbosity(run->invocation) > 0;
	size_t rows = 0;

	if (run->report) {
		report(run, a_name, b_name, "bytes", NULL);
		return;
	}
	print_names(a_name, b_name);
	for (size_t at = 0; at < len; at += BYTES_A_ROW) {
		if (!row_differs(a, b, at))
			continue;
		if (rows++ >= ROWS_SHOWN && !all)
			continue;
		if (at < a.len)
			print_bytes('-', a, at);
		if (at < b.len)
			print_bytes('+', b, at);
	}
	if (rows > ROWS_SHOWN && !all)
		printf("and %zu more rows of %d bytes; -v shows all\n", rows - ROWS_SHOWN,
			BYTES_A_ROW);
	if (a.len != b.len)
		printf("%zu bytes, then %zu\n", a.len, b.len);
}

static bool same_rows(const Rows *a, const Rows *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->items[i].text, b->items[i].text) != 0)
			return false;
	}
	return true;
}

static bool diff_pair(Run *run, const char *a_path, const char *b_path, Error *err)
{
	Error ignored;
	Rows a_rows = { .arena = run->arena, .err = &ignored };
	Rows b_rows = { .arena = run->arena, .err = &ignored };
	Bytes a, b;

	if (!file_read(a_path, ACPI_TABLES_MAX_FILE, run->arena, &a, err) ||
		!file_read(b_path, ACPI_TABLES_MAX_FILE, run->arena, &b, err))
		return false;
	if (a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0))
		return true;
	run->changed = true;
	/* Bytes that say the same in other words differ all the same. */
	if (decode(run, a, &a_rows) && decode(run, b, &b_rows) && !same_rows(&a_rows, &b_rows))
		return diff_rows(run, a_path, b_path, &a_rows, &b_rows, err);
	diff_bytes(run, a_path, b_path, a, b);
	return true;
}

/* Each pair has the memory to itself. */
static bool diff_files(Run *run, const char *a, const char *b, Error *err)
{
	bool ok;

	run->arena = arena_new(ARENA_LIMIT);
	if (!run->arena)
		return error_set(err, PVW_MEM_0001, "no memory");
	ok = diagnostics_init(&run->findings, MAX_FINDINGS, run->arena, err) &&
		diff_pair(run, a, b, err);
	fflush(stdout);
	report_diagnostics(run->invocation, &run->findings);
	arena_free(run->arena);
	return ok;
}

/*
 * Differences of two folders.
 */

static bool is_folder(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static bool list_folder(const char *path, struct dirent ***out, size_t *count, Error *err)
{
	const int found = scandir(path, out, visible, alphasort);

	if (found < 0)
		return error_set(err, PVW_CLI_0002, "%s: %s", path, strerror(errno));
	*count = (size_t)found;
	return true;
}

static void free_list(struct dirent **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i]);
	free(list);
}

static void tell_only(Run *run, const char *folder, const char *name)
{
	run->changed = true;
	if (run->report)
		json_array_append_new(
			run->report, json_pack("{s:s, s:s}", "only_in", folder, "name", name));
	else
		printf("only in %s: %s\n", folder, name);
}

static bool diff_named(Run *run, const char *a, const char *b, const char *name, Error *err)
{
	char a_path[4096], b_path[4096];

	if ((size_t)snprintf(a_path, sizeof(a_path), "%s/%s", a, name) >= sizeof(a_path) ||
		(size_t)snprintf(b_path, sizeof(b_path), "%s/%s", b, name) >= sizeof(b_path))
		return error_set(err, PVW_CLI_0002, "%.64s: a path that is too long", a);
	if (is_folder(a_path) && is_folder(b_path))
		return true;
	return diff_files(run, a_path, b_path, err);
}

static bool diff_lists(Run *run, const char *a, const char *b, struct dirent **a_list,
	size_t a_count, struct dirent **b_list, size_t b_count, Error *err)
{
	size_t x = 0, y = 0;

	while (x < a_count || y < b_count) {
		const int order = x == a_count ? 1
			: y == b_count         ? -1
					       : strcoll(a_list[x]->d_name, b_list[y]->d_name);

		if (order < 0)
			tell_only(run, a, a_list[x++]->d_name);
		else if (order > 0)
			tell_only(run, b, b_list[y++]->d_name);
		else if (!diff_named(run, a, b, (y++, a_list[x++])->d_name, err))
			return false;
	}
	return true;
}

static bool diff_folders(Run *run, const char *a, const char *b, Error *err)
{
	struct dirent **a_list = NULL, **b_list = NULL;
	size_t a_count = 0, b_count = 0;
	const bool ok = list_folder(a, &a_list, &a_count, err) &&
		list_folder(b, &b_list, &b_count, err) &&
		diff_lists(run, a, b, a_list, a_count, b_list, b_count, err);

	free_list(a_list, a_count);
	free_list(b_list, b_count);
	return ok;
}

static bool diff(Run *run, const char *a, const char *b, Error *err)
{
	if (is_folder(a) != is_folder(b))
		return error_set(
			err, PVW_CLI_0001, "a file and a folder, expected two of a kind");
	return is_folder(a) ? diff_folders(run, a, b, err) : diff_files(run, a, b, err);
}

static bool finish_report(Run *run, bool ok, Error *err)
{
	json_t *files = run->report;

	run->report = NULL;
	if (!files)
		return ok;
	if (!ok) {
		json_decref(files);
		return false;
	}
	return output_json(run->invocation, SCHEMA,
		json_pack("{s:b, s:o}", "different", run->changed, "files", files), err);
}

ExitStatus command_artifact(const Invocation *invocation)
{
	Run run = { .invocation = invocation };
	Error err;
	bool ok = false;

	if (strcmp(invocation_operand(invocation, 0), "diff") != 0) {
		error_set(&err, PVW_CLI_0001, "'%.64s', expected diff",
			invocation_operand(invocation, 0));
	} else {
		run.report = output_wants_json(invocation) ? json_array() : NULL;
		ok = diff(&run, invocation_operand(invocation, 1),
			invocation_operand(invocation, 2), &err);
		ok = finish_report(&run, ok, &err);
	}
	if (ok)
		return run.changed ? STATUS_DIFFERENT : STATUS_DONE;
	fflush(stdout);
	return report_error(invocation, &err);
}
