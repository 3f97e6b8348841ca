/*
 * The template is made from the rows that read the document: it cannot miss a member.
 */
#include "host/vm_template.h"

#include <string.h>

#include "host/vm_internal.h"

typedef struct Template {
	FILE *out;
	GuestArch arch;
	unsigned depth;
} Template;

static void print_rows(Template *template, const JsonRow *rows);

static void indent(const Template *template)
{
	for (unsigned i = 0; i < template->depth; i++)
		fputs("  ", template->out);
}

static void print_object(Template *template, const JsonRow *rows)
{
	fputs("{\n", template->out);
	template->depth++;
	print_rows(template, rows);
	template->depth--;
	fputc('\n', template->out);
	indent(template);
	fputc('}', template->out);
}

/* Has the template a value for it, or the remark alone? */
static bool has_value(const Template *template, const JsonRow *row)
{
	if (strcmp(row->name, "arm") == 0)
		return template->arch == GUEST_ARCH_AARCH64;
	return row->example || row->kind == JSON_ROW_OBJECT ||
		(row->kind == JSON_ROW_OBJECTS && strcmp(row->name, "root_complexes") == 0);
}

static void print_value(Template *template, const JsonRow *row)
{
	if (row->example == NULL && row->kind == JSON_ROW_OBJECTS)
		fputc('[', template->out);
	if (row->example == NULL)
		print_object(template, row->rows);
	else if (row->example[0])
		fputs(row->example, template->out);
	else
		fprintf(template->out, "\"%s\"", guest_arch_name(template->arch));
	if (row->example == NULL && row->kind == JSON_ROW_OBJECTS)
		fputc(']', template->out);
}

static void print_rows(Template *template, const JsonRow *rows)
{
	for (const JsonRow *row = rows; row->name; row++) {
		if (row > rows)
			fputs(",\n", template->out);
		indent(template);
		fprintf(template->out, "\"// %s\": \"%s\"", row->name, row->help);
		if (!has_value(template, row))
			continue;
		fputs(",\n", template->out);
		indent(template);
		fprintf(template->out, "\"%s\": ", row->name);
		print_value(template, row);
	}
}

void vm_template_print(FILE *out, GuestArch arch)
{
	Template template = { .out = out, .arch = arch };

	print_object(&template, vm_document_rows);
	fputc('\n', out);
}
