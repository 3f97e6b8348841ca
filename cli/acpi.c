/*
 * pvw acpi: the tables of a plan, of a described machine or of files, as people read them.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/acpi_tables.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "host/aml_text.h"
#include "host/file.h"
#include "host/folder.h"

#define SCHEMA "pvw.acpi/1"
#define MAX_FINDINGS 256
#define ARENA_LIMIT (2 * INPUT_ARENA_LIMIT + ((size_t)256 * 1024 * 1024))

/* What is shown of a table. */
typedef enum Form { FORM_FIELDS, FORM_ASL, FORM_HEX } Form;

/* One run of the command. */
typedef struct Run {
	const Invocation *invocation;
	Form form;
	bool list;    /* a line a table */
	Arena *arena; /* of what is shown; the tables live in the view's */
	View view;
	Diagnostics findings;
	FoundTables tables; /* those that were asked for */
} Run;

/* A table, decoded. */
typedef struct Shown {
	const FoundTable *found;
	AcpiText text;
	Bytes asl; /* of AML that could be read */
} Shown;

/*
 * Which tables.
 */

/* People say FADT where the table says FACP. */
static const char *signature_of(const char *name)
{
	static const char *const rows[][2] = { { "FADT", "FACP" }, { "MADT", "APIC" },
		{ "RSDP", "RSD PTR " } };

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (strcasecmp(name, rows[i][0]) == 0)
			return rows[i][1];
	}
	return name;
}

static bool is_wanted(const Invocation *invocation, const char *signature)
{
	const size_t count = invocation_count(invocation, "table");

	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(signature_of(invocation_value_at(invocation, "table", i)),
			    signature) == 0)
			return true;
	}
	return count == 0;
}

static bool add_files(Run *run, FoundTables *all, Error *err)
{
	const size_t count = invocation_operand_count(run->invocation);

	for (size_t i = 0; i < count; i++) {
		const char *path = invocation_operand(run->invocation, i);
		Bytes bytes;

		if (!file_read(path, ACPI_TABLES_MAX_FILE, run->arena, &bytes, err))
			return false;
		if (!acpi_tables_add(all, path, bytes, 0, run->arena, err))
			return error_wrap(err, "%.200s", path);
	}
	return true;
}

static bool has_input(const Invocation *invocation)
{
	return invocation_has(invocation, "fixture") || invocation_has(invocation, "dtb") ||
		invocation_has(invocation, "socket");
}

static bool find_tables(Run *run, FoundTables *all, Error *err)
{
	const Invocation *invocation = run->invocation;
	const char *vm = invocation_value(invocation, "vm");
	const size_t files = invocation_operand_count(invocation);

	if ((vm != NULL) + (files > 0) + has_input(invocation) > 1)
		return error_set(err, PVW_INPUT_0002,
			"files, --vm and another input, expected one of them");
	if (files)
		return add_files(run, all, err);
	if (vm)
		return acpi_tables_of_vm(invocation, vm, run->arena, all, err);
	return view_open(invocation, &run->view, err) &&
		acpi_tables_of_plan(invocation, &run->view, all, err);
}

static bool choose_tables(Run *run, Error *err)
{
	FoundTables all = { 0 };

	if (!find_tables(run, &all, err))
		return false;
	if (all.count == 0)
		return error_set(
			err, PVW_TABLE_0010, "no ACPI tables here, expected at least one");
	run->tables.items = arena_array(run->arena, FoundTable, all.count, err);
	if (!run->tables.items)
		return false;
	for (size_t i = 0; i < all.count; i++) {
		const char *signature = all.items[i].table.signature;

		if (is_wanted(run->invocation, signature) &&
			(run->form != FORM_ASL || aml_text_is(signature)))
			run->tables.items[run->tables.count++] = all.items[i];
	}
	if (run->tables.count == 0)
		return error_set(err, PVW_TABLE_0010, "none of %zu tables %s", all.count,
			run->form == FORM_ASL ? "holds AML" : "has that name");
	return true;
}

/*
 * Text.
 */

static bool decode(Run *run, const FoundTable *found, Shown *out, Error *err)
{
	Error why;

	*out = (Shown){ .found = found };
	if (!acpi_text(found->table.bytes, run->arena, &out->text, &run->findings, err))
		return false;
	if (!out->text.is_aml || run->list)
		return true;
	if (aml_text(found->table.bytes, run->arena, &out->asl, &why))
		return true;
	/* Told already, with the summary; but who asks for ASL wants to know. */
	if (run->form == FORM_ASL) {
		*err = why;
		return error_wrap(err, "%.8s", found->table.signature);
	}
	return true;
}

static void print_heading(void)
{
	printf("%-8s %18s %8s %3s  %-8s  %-12s  %s\n", "table", "gpa", "bytes", "rev",
		"checksum", "from", "what is in it");
}

static void print_row(const Shown *shown)
{
	const AcpiTable *table = &shown->found->table;
	char gpa[24] = "-";

	if (table->gpa)
		snprintf(gpa, sizeof(gpa), "0x%" PRIx64, table->gpa);
	printf("%-8s %18s %8" PRIu32 " %3u  %-8s  %-12s  %s\n", table->signature, gpa,
		shown->text.length, shown->text.revision,
		shown->text.checksum_ok ? "right" : "wrong", shown->found->source,
		shown->text.summary);
}

static void print_fields(const Shown *shown)
{
	const AcpiText *text = &shown->text;
	const char *group = "";

	printf("%s  %s%s%" PRIu32 " bytes, from %s\n", text->signature, text->title,
		text->title[0] ? ", " : "", text->length, shown->found->source);
	for (size_t i = 0; i < text->count; i++) {
		const AcpiLine *line = &text->lines[i];

		if (strcmp(group, line->group) != 0)
			printf("       %s\n", line->group);
		group = line->group;
		printf("%04" PRIx32 "   %s%-*s %s%s%s\n", line->offset, group[0] ? "  " : "",
			group[0] ? 20 : 22, line->name, line->value, line->note[0] ? "  " : "",
			line->note);
	}
	if (shown->asl.len)
		printf("\n%.*s", (int)shown->asl.len, (const char *)shown->asl.data);
}

static void print_hex(Bytes bytes)
{
	for (size_t at = 0; at < bytes.len; at += 16) {
		const size_t some = bytes.len - at < 16 ? bytes.len - at : 16;

		printf("%04zx ", at);
		for (size_t i = 0; i < 16; i++)
			if (i < some)
				printf(" %02x", bytes.data[at + i]);
			else
				fputs("   ", stdout);
		fputs("  ", stdout);
		for (size_t i = 0; i < some; i++)
			putchar(isprint(bytes.data[at + i]) ? bytes.data[at + i] : '.');
		putchar('\n');
	}
}

static void print_table(const Run *run, const Shown *shown, bool first)
{
	if (run->list) {
		print_row(shown);
		return;
	}
	if (!first)
		putchar('\n');
	if (run->form == FORM_FIELDS) {
		print_fields(shown);
		return;
	}
	if (run->tables.count > 1)
		printf("%s%s, %" PRIu32 " bytes, from %s%s\n",
			run->form == FORM_ASL ? "/* " : "", shown->text.signature,
			shown->text.length, shown->found->source,
			run->form == FORM_ASL ? " */" : "");
	if (run->form == FORM_ASL)
		fwrite(shown->asl.data, 1, shown->asl.len, stdout);
	else
		print_hex(shown->found->table.bytes);
}

/*
 * JSON.
 */

static json_t *fields_of(const AcpiText *text)
{
	json_t *fields = json_array();

	for (size_t i = 0; i < text->count; i++) {
		const AcpiLine *line = &text->lines[i];
		char path[160];

		snprintf(path, sizeof(path), "%.100s%s%.40s", line->group,
			line->group[0] ? "." : "", line->name);
		json_array_append_new(fields,
			json_pack("{s:s, s:I, s:I, s:s, s:s}", "path", path, "offset",
				(json_int_t)line->offset, "size", (json_int_t)line->size,
				"value", line->value, "note", line->note));
	}
	return fields;
}

static json_t *hex_of(Bytes bytes)
{
	char *text = malloc(2 * bytes.len + 1);
	json_t *out;

	if (!text)
		return NULL;
	text[0] = 0;
	for (size_t i = 0; i < bytes.len; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes.data[i]);
	out = json_stringn(text, 2 * bytes.len);
	free(text);
	return out;
}

static json_t *table_json(const Run *run, const Shown *shown)
{
	const AcpiTable *table = &shown->found->table;
	char gpa[24];
	json_t *out;

	snprintf(gpa, sizeof(gpa), "0x%" PRIx64, table->gpa);
	out = json_pack("{s:s, s:s, s:I, s:i, s:b, s:s, s:s}", "signature", table->signature,
		"title", shown->text.title, "length", (json_int_t)shown->text.length,
		"revision", shown->text.revision, "checksum_ok", shown->text.checksum_ok,
		"source", shown->found->source, "summary", shown->text.summary);
	if (table->gpa)
		json_object_set_new(out, "gpa", json_string(gpa));
	if (run->list)
		return out;
	if (run->form == FORM_HEX)
		json_object_set_new(out, "bytes", hex_of(table->bytes));
	if (run->form == FORM_FIELDS)
		json_object_set_new(out, "fields", fields_of(&shown->text));
	if (run->form != FORM_HEX && shown->asl.len)
		json_object_set_new(out, "asl",
			json_stringn((const char *)shown->asl.data, shown->asl.len));
	return out;
}

static bool show_tables(Run *run, Error *err)
{
	const bool as_json = output_wants_json(run->invocation);
	json_t *list = as_json ? json_array() : NULL;

	if (run->list && !as_json)
		print_heading();
	for (size_t i = 0; i < run->tables.count; i++) {
		Shown shown;

		if (!decode(run, &run->tables.items[i], &shown, err)) {
			json_decref(list);
			return false;
		}
		if (as_json)
			json_array_append_new(list, table_json(run, &shown));
		else
			print_table(run, &shown, i == 0);
	}
	return !as_json ||
		output_json(run->invocation, SCHEMA, json_pack("{s:o}", "tables", list), err);
}

/*
 * -o DIR.
 */

/* "SSDT.aml", "SSDT2.aml": the number tells tables of one name apart. */
static bool write_table(const Run *run, size_t index, const char *folder, Error *err)
{
	const AcpiTable *table = &run->tables.items[index].table;
	char name[32];
	size_t number = 1;

	for (size_t i = 0; i < index; i++)
		number += strcmp(run->tables.items[i].table.signature, table->signature) == 0;
	if (strcmp(table->signature, "RSD PTR ") == 0)
		snprintf(name, sizeof(name), "RSDP.aml");
	else if (number == 1)
		snprintf(name, sizeof(name), "%.4s.aml", table->signature);
	else
		snprintf(name, sizeof(name), "%.4s%zu.aml", table->signature, number);
	for (char *c = name; *c; c++)
		*c = *c == ' ' ? '_' : *c;
	return folder_write(folder, name, table->bytes, err);
}

static bool write_tables(const Run *run, const char *folder, Error *err)
{
	if (!folder_make(folder, err))
		return false;
	for (size_t i = 0; i < run->tables.count; i++) {
		if (!write_table(run, i, folder, err))
			return false;
	}
	return true;
}

static bool open_run(Run *run, Error *err)
{
	const Invocation *invocation = run->invocation;
	const bool asl = invocation_has(invocation, "asl"),
		   hex = invocation_has(invocation, "hex");

	run->form = asl ? FORM_ASL : hex ? FORM_HEX : FORM_FIELDS;
	run->list = run->form == FORM_FIELDS && !invocation_has(invocation, "table") &&
		invocation_operand_count(invocation) == 0;
	if (asl && hex)
		return error_set(err, PVW_CLI_0001, "--asl and --hex, expected one of them");
	run->arena = arena_new(ARENA_LIMIT);
	if (!run->arena)
		return error_set(err, PVW_MEM_0001, "no memory");
	return diagnostics_init(&run->findings, MAX_FINDINGS, run->arena, err);
}

ExitStatus command_acpi(const Invocation *invocation)
{
	const char *folder = invocation_value(invocation, "output");
	Run run = { .invocation = invocation };
	Error err;
	const bool ok = open_run(&run, &err) && choose_tables(&run, &err) &&
		(folder ? write_tables(&run, folder, &err) : show_tables(&run, &err));
	ExitStatus status = STATUS_DONE;

	fflush(stdout);
	report_diagnostics(invocation, &run.view.findings);
	report_diagnostics(invocation, &run.findings);
	if (!ok)
		status = report_error(invocation, &err);
	else if (run.findings.count && diagnostics_worst(&run.findings) == SEVERITY_ERROR)
		status = STATUS_REFUSED;
	view_close(&run.view);
	arena_free(run.arena);
	return status;
}
