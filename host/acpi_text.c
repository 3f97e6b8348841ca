/*
 * ACPI tables as lines: whole tables, alone and behind each other.
 */
#include "host/acpi_text.h"

#include <stdio.h>
#include <string.h>

#include "host/acpi_text_internal.h"
#include "host/aml_text.h"

#define HEADER_SIZE 36

/*
 * A table.
 */

static const char *value_of(const Decoder *d, const char *name)
{
	for (size_t i = 0; i < d->count && !d->lines[i].group[0]; i++) {
		if (strcmp(d->lines[i].name, name) == 0)
			return d->lines[i].value;
	}
	return NULL;
}

/* "sci_int 9", then "4 local_apic, 1 io_apic". */
static const char *summarize(Decoder *d, const TableRow *row)
{
	char text[200];
	size_t out = 0;

	text[0] = 0;
	for (size_t i = 0; row && i < ARRAY_COUNT(row->telling) && row->telling[i]; i++) {
		const char *value = value_of(d, row->telling[i]);

		if (value && out < 120)
			out += (size_t)snprintf(text + out, sizeof(text) - out, "%s%.30s %.40s",
				out ? ", " : "", row->telling[i], value);
	}
	for (size_t i = 0; i < d->kind_count && out < 150; i++)
		out += (size_t)snprintf(text + out, sizeof(text) - out, "%s%zu %.30s",
			out ? ", " : "", d->kind_counts[i], d->kinds[i]);
	return decoder_printf(d, "%s", text);
}

static const char *summarize_aml(Decoder *d)
{
	AmlCounts counts;
	Error why;

	if (!aml_text_count(d->table, d->arena, &counts, &why)) {
		error_at_offset(&why, d->name, why.offset);
		diagnostics_add_error(d->findings, &why);
		return "damaged";
	}
	return decoder_printf(d, "%zu devices, %zu methods, %zu names",
		counts.devices + counts.processors, counts.methods, counts.names);
}

static void say_table(Decoder *d, const TableRow *row)
{
	const size_t len = d->table.len;

	if (!row) {
		decoder_fields(d, "", 0, len, acpi_header_fields);
		if (len > HEADER_SIZE)
			decoder_bytes(d, "", "bytes", HEADER_SIZE, len - HEADER_SIZE);
		return;
	}
	if (len < row->least)
		decoder_find(d, PVW_TABLE_0001, 4, "%zu bytes, expected at least %u", len,
			row->least);
	/* RSDP and FACS begin in their own way. */
	if (!row->fields[0].name || row->fields[0].offset != 0)
		decoder_fields(d, "", 0, len, acpi_header_fields);
	decoder_fields(d, "", 0, len, row->fields);
	if (len <= row->least)
		return;
	if (row->body)
		row->body(d, row->least);
	else if (row->form)
		decoder_entries(d, "", row->least, len, row->form, row->entries);
}

/* How long the table says it is; 20 for an RSDP of the first revision, which does not say. */
static size_t stated_length(Bytes table)
{
	uint32_t len = 0;

	if (memcmp(table.data, "RSD PTR ", 8) != 0) {
		memcpy(&len, table.data + 4, sizeof(len));
		return len;
	}
	if (table.len < 24 || table.data[15] < 2)
		return 20;
	memcpy(&len, table.data + 20, sizeof(len));
	return len;
}

static bool has_signature(Bytes table)
{
	if (table.len < 8)
		return false;
	for (size_t i = 0; i < 4; i++) {
		const uint8_t c = table.data[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != ' ' && c != '_')
			return false;
	}
	return true;
}

static bool check_bytes(Bytes table, Error *err)
{
	if (!has_signature(table))
		return error_set(err, PVW_TABLE_0008,
			"%zu bytes that begin with %02x %02x, expected a signature and a "
			"length",
			table.len, table.len > 0 ? table.data[0] : 0u,
			table.len > 1 ? table.data[1] : 0u);
	if (table.len > ACPI_TEXT_MAX_BYTES)
		return error_set(err, PVW_TABLE_0009, "%zu bytes, expected at most %zu",
			table.len, ACPI_TEXT_MAX_BYTES);
	return true;
}

/* The table as it says it is, as far as there are bytes. */
static void cut_to_length(Decoder *d, Bytes table, size_t len)
{
	const Decoder all = { .table = table };

	d->table = table;
	if (len > table.len)
		decoder_find(d, PVW_TABLE_0001, 4, "length %zu of %zu bytes, expected as many",
			len, table.len);
	else if (len < 8)
		decoder_find(d, PVW_TABLE_0001, 4, "length %zu, expected at least 8", len);
	else
		d->table.len = len;
	if (len >= 8 && len < table.len && !decoder_is_zero(&all, len, table.len - len))
		decoder_find(d, PVW_TABLE_0004, len, "%zu bytes behind the length, expected 0",
			table.len - len);
}

static bool is_summed(const char *signature)
{
	return strcmp(signature, "FACS") != 0;
}

bool acpi_text(Bytes table, Arena *arena, AcpiText *out, Diagnostics *findings, Error *err)
{
	Decoder d = { .arena = arena, .findings = findings, .err = err };
	AcpiText text = { .title = "" };
	const TableRow *row;
	size_t len;

	if (!check_bytes(table, err))
		return false;
	len = stated_length(table);
	memcpy(d.name, table.data, memcmp(table.data, "RSD PTR ", 8) == 0 ? 8 : 4);
	cut_to_length(&d, table, len);
	row = acpi_table_row(d.name);
	say_table(&d, row);
	decoder_resolve(&d);
	memcpy(text.signature, d.name, sizeof(text.signature));
	text.is_aml = row && row->fields == acpi_header_fields;
	text.title = row ? row->title : "";
	text.summary = text.is_aml ? summarize_aml(&d) : summarize(&d, row);
	text.length = (uint32_t)len;
	text.revision = d.table.len > 15 ? d.table.data[strlen(d.name) == 8 ? 15 : 8] : 0;
	text.checksum_ok = !is_summed(d.name) || decoder_sum(d.table.data, d.table.len) == 0;
	text.lines = d.lines;
	text.count = d.count;
	if (d.failed)
		return false;
	*out = text;
	return true;
}

/*
 * Tables behind each other.
 */

static bool add_table(Bytes rest, size_t at, uint64_t gpa, AcpiTable *out, Error *err)
{
	size_t len;

	if (!check_bytes(rest, err))
		return error_at_offset(err, "tables", at);
	len = stated_length(rest);
	if (len < 8 || len > rest.len) {
		error_set(err, PVW_TABLE_0001, "%.4s: length %zu, expected 8 to %zu",
			(const char *)rest.data, len, rest.len);
		return error_at_offset(err, "tables", at);
	}
	*out = (AcpiTable){ .gpa = gpa ? gpa + at : 0, .bytes = { rest.data, len } };
	memcpy(out->signature, rest.data, memcmp(rest.data, "RSD PTR ", 8) == 0 ? 8 : 4);
	return true;
}

bool acpi_text_split(Bytes bytes, uint64_t gpa, Arena *arena, AcpiTableList *out, Error *err)
{
	const Decoder all = { .table = bytes };
	const size_t most = bytes.len / 8 + 1; /* each has eight bytes at least */
	AcpiTable *items;
	size_t count = 0, at = 0;

	if (bytes.len > ACPI_TEXT_MAX_BYTES)
		return error_set(err, PVW_TABLE_0009, "%zu bytes, expected at most %zu",
			bytes.len, ACPI_TEXT_MAX_BYTES);
	items = arena_reserve_array(arena, AcpiTable, most, err);
	if (!items)
		return false;
	while (at < bytes.len) {
		const size_t left = bytes.len - at;

		if (bytes.data[at] == 0 && decoder_is_zero(&all, at, left < 8 ? left : 8)) {
			at += 8;
			continue;
		}
		if (!add_table((Bytes){ bytes.data + at, bytes.len - at }, at, gpa,
			    &items[count], err))
			return false;
		at += (items[count++].bytes.len + 7) & ~(size_t)7;
	}
	arena_shrink(arena, items, count * sizeof(*items));
	*out = (AcpiTableList){ items, count };
	return true;
}
