/*
 * ACPI tables as lines: the engine that reads the rows.
 */
#include "host/acpi_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/acpi_text_internal.h"
#include "host/aml_text.h"

#define HEADER_SIZE 36
#define BYTES_A_LINE 16
#define SUMMARY_KINDS 8 /* of entries, named in a summary */

/* The offset that a line holds, to be looked up when all entries are known. */
typedef struct Reference {
	uint32_t line, offset;
} Reference;

/* Where an entry begins, in ascending order. */
typedef struct Start {
	uint32_t offset;
	const char *group;
} Start;

struct Decoder {
	Bytes table; /* no longer than it says */
	char name[9];
	Arena *arena;
	Diagnostics *findings;
	Error *err;
	bool failed; /* no memory */
	AcpiLine *lines;
	size_t count, capacity;
	Reference *references;
	size_t reference_count, reference_capacity;
	Start *starts;
	size_t start_count, start_capacity;
	const char *kinds[SUMMARY_KINDS]; /* of entries of the table, with how many there are */
	size_t kind_counts[SUMMARY_KINDS], kind_count;
};

/* Room for one more in a list that doubles. */
static void *grow(
	Decoder *d, void *items, size_t count, size_t *capacity, size_t size, size_t align)
{
	const size_t more = *capacity ? 2 * *capacity : 64;
	void *out;

	if (d->failed || count < *capacity)
		return items;
	out = arena_alloc_array(d->arena, more, size, align, d->err);
	if (!out) {
		d->failed = true;
		return items;
	}
	if (count)
		memcpy(out, items, count * size);
	*capacity = more;
	return out;
}

#define GROW(d, list, count, capacity)                                                         \
	((d)->list = grow((d), (d)->list, (d)->count, &(d)->capacity, sizeof(*(d)->list),      \
		 _Alignof(Start)))

uint64_t decoder_number(const Decoder *d, size_t at, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size && i < 8; i++)
		value |= (uint64_t)d->table.data[at + i] << 8 * i;
	return value;
}

size_t decoder_len(const Decoder *d)
{
	return d->table.len;
}

const char *decoder_printf(Decoder *d, const char *format, ...)
{
	char text[256];
	const uint8_t *copy;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	assert(len >= 0 && (size_t)len < sizeof(text));
	if (d->failed || !arena_copy(d->arena, text, (size_t)len + 1, &copy, d->err)) {
		d->failed = true;
		return "";
	}
	return (const char *)copy;
}

const char *decoder_group(Decoder *d, const char *parent, const char *name, size_t index)
{
	return decoder_printf(
		d, "%.100s%s%.60s[%zu]", parent, parent[0] ? "." : "", name, index);
}

void decoder_line(Decoder *d, const char *group, const char *name, size_t at, size_t size,
	const char *value, const char *note)
{
	GROW(d, lines, count, capacity);
	if (d->failed)
		return;
	d->lines[d->count++] = (AcpiLine){
		.group = group,
		.name = name,
		.value = value,
		.note = note ? note : "",
		.offset = (uint32_t)at,
		.size = (uint32_t)size,
	};
}

void decoder_find(Decoder *d, uint16_t diagnostic, size_t at, const char *format, ...)
{
	Error what;
	va_list args;

	va_start(args, format);
	error_set_va(&what, diagnostic, format, args);
	va_end(args);
	error_at_offset(&what, d->name, at);
	diagnostics_add_error(d->findings, &what);
}

/*
 * Values.
 */

static const char *hex_bytes(Decoder *d, size_t at, size_t len)
{
	char text[3 * BYTES_A_LINE + 1];

	for (size_t i = 0; i < len; i++)
		snprintf(text + 3 * i, 4, "%02x ", d->table.data[at + i]);
	text[len ? 3 * len - 1 : 0] = 0;
	return decoder_printf(d, "%s", text);
}

void decoder_bytes(Decoder *d, const char *group, const char *name, size_t at, size_t len)
{
	for (size_t i = 0; i < len && !d->failed; i += BYTES_A_LINE) {
		const size_t some = len - i < BYTES_A_LINE ? len - i : BYTES_A_LINE;

		decoder_line(d, group, name, at + i, some, hex_bytes(d, at + i, some), NULL);
	}
}

/* In quotes, with what cannot be printed as \xNN. */
static const char *quoted(Decoder *d, size_t at, size_t len)
{
	char text[4 * 64 + 3];
	size_t out = 0;

	while (len && (d->table.data[at + len - 1] == 0 || d->table.data[at + len - 1] == ' '))
		len--;
	text[out++] = '"';
	for (size_t i = 0; i < len && i < 60; i++) {
		const uint8_t c = d->table.data[at + i];

		if (c < 0x20 || c > 0x7E || c == '"' || c == '\\')
			out += (size_t)snprintf(text + out, 5, "\\x%02x", c);
		else
			text[out++] = (char)c;
	}
	text[out++] = '"';
	text[out] = 0;
	return decoder_printf(d, "%s", text);
}

/* "enabled, online_capable"; bits that mean nothing are a finding. */
static const char *bit_names(Decoder *d, const FieldRow *row, size_t at, uint64_t value)
{
	char text[200];
	size_t out = 0;
	uint64_t known = 0;

	text[0] = 0;
	for (const FieldName *name = row->names; name->text; name++) {
		known |= name->mask;
		if ((value & name->mask) == name->value &&
			out + strlen(name->text) + 3 < sizeof(text))
			out += (size_t)snprintf(text + out, sizeof(text) - out, "%s%s",
				out ? ", " : "", name->text);
	}
	if (value & ~known)
		decoder_find(d, PVW_TABLE_0006, at,
			"%s: 0x%" PRIx64 ", expected no bits beyond 0x%" PRIx64, row->name,
			value, known);
	return decoder_printf(d, "%s", text);
}

static const char *choice_name(const FieldRow *row, uint64_t value)
{
	for (const FieldName *name = row->names; name->text; name++) {
		if (name->value == value)
			return name->text;
	}
	return "unknown";
}

/* [ACPI65] 5.2.3.2 */
static void say_address(Decoder *d, const char *group, const FieldRow *row, size_t at)
{
	static const char *const spaces[] = { "memory", "io", "pci_config",
		"embedded_controller", "smbus", "cmos", "pci_bar", "ipmi", "gpio", "serial_bus",
		"pcc" };
	static const char *const accesses[] = { "any", "byte", "word", "dword", "qword" };
	const uint8_t *gas = d->table.data + at;
	const uint64_t address = decoder_number(d, at + 4, 8);
	const char *space = gas[0] == 0x7F     ? "fixed_hardware"
		: gas[0] < ARRAY_COUNT(spaces) ? spaces[gas[0]]
					       : "unknown";

	if (!address && !gas[0] && !gas[1] && !gas[2] && !gas[3]) {
		decoder_line(d, group, row->name, at, 12, "none", NULL);
		return;
	}
	decoder_line(d, group, row->name, at, 12,
		decoder_printf(d, "%s 0x%016" PRIx64, space, address),
		decoder_printf(d, "%u bits from %u, access %s", gas[1], gas[2],
			gas[3] < ARRAY_COUNT(accesses) ? accesses[gas[3]] : "unknown"));
}

static bool is_zero(const Decoder *d, size_t at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (d->table.data[at + i])
			return false;
	}
	return true;
}

static void say_reserved(Decoder *d, const char *group, const FieldRow *row, size_t at)
{
	if (is_zero(d, at, row->size))
		return;
	decoder_find(d, PVW_TABLE_0006, at, "%s: %s, expected zeros", row->name,
		hex_bytes(d, at, row->size < BYTES_A_LINE ? row->size : BYTES_A_LINE));
	decoder_bytes(d, group, row->name, at, row->size);
}

static void say_reference(Decoder *d, const char *group, const FieldRow *row, size_t at)
{
	const uint64_t offset = decoder_number(d, at, row->size);

	if (offset) {
		GROW(d, references, reference_count, reference_capacity);
		if (!d->failed)
			d->references[d->reference_count++] =
				(Reference){ (uint32_t)d->count, (uint32_t)offset };
	}
	decoder_line(d, group, row->name, at, row->size,
		decoder_printf(d, "0x%0*" PRIx64, 2 * row->size, offset),
		offset ? NULL : "none");
}

static uint8_t sum_of(const uint8_t *data, size_t len)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + data[i]);
	return sum;
}

/* The RSDP has two; the first is for what its first revision had. */
static void say_checksum(Decoder *d, const char *group, const FieldRow *row, size_t at)
{
	const size_t len = at == 8 && d->table.len > 20 ? 20 : d->table.len;
	const uint8_t sum = sum_of(d->table.data, len), value = d->table.data[at];
	const uint8_t right = (uint8_t)(value - sum);

	if (sum)
		decoder_find(d, PVW_TABLE_0002, at,
			"%s: 0x%02x, expected 0x%02x over %zu bytes", row->name, value, right,
			len);
	decoder_line(d, group, row->name, at, 1, decoder_printf(d, "0x%02x", value),
		sum ? decoder_printf(d, "wrong, 0x%02x is right", right) : "right");
}

static void say_number(Decoder *d, const char *group, const FieldRow *row, size_t at)
{
	const uint64_t value = decoder_number(d, at, row->size);
	const char *note = NULL;

	if (row->kind == FIELD_BITS)
		note = bit_names(d, row, at, value);
	else if (row->kind == FIELD_CHOICE)
		note = choice_name(row, value);
	decoder_line(d, group, row->name, at, row->size,
		row->kind == FIELD_DECIMAL
			? decoder_printf(d, "%" PRIu64, value)
			: decoder_printf(d, "0x%0*" PRIx64, 2 * row->size, value),
		note);
}

static void say_field(Decoder *d, const char *group, const FieldRow *row, size_t at)
{
	switch ((FieldKind)row->kind) {
	case FIELD_TEXT:
		decoder_line(
			d, group, row->name, at, row->size, quoted(d, at, row->size), NULL);
		break;
	case FIELD_BYTES:
		decoder_bytes(d, group, row->name, at, row->size);
		break;
	case FIELD_ZERO:
		say_reserved(d, group, row, at);
		break;
	case FIELD_CHECKSUM:
		say_checksum(d, group, row, at);
		break;
	case FIELD_ADDRESS:
		say_address(d, group, row, at);
		break;
	case FIELD_REFERENCE:
		say_reference(d, group, row, at);
		break;
	case FIELD_HEX:
	case FIELD_DECIMAL:
	case FIELD_BITS:
	case FIELD_CHOICE:
		say_number(d, group, row, at);
		break;
	}
}

void decoder_fields(
	Decoder *d, const char *group, size_t start, size_t len, const FieldRow *rows)
{
	for (const FieldRow *row = rows; row->name && !d->failed; row++) {
		if ((size_t)row->offset + row->size <= len)
			say_field(d, group, row, start + row->offset);
	}
}

/*
 * Entries.
 */

static const EntryRow *row_of(const EntryRow *rows, uint64_t type)
{
	for (const EntryRow *row = rows; row->name; row++) {
		if (row->type == type)
			return row;
	}
	return NULL;
}

/* How many there are of a kind so far, for its index and for the summary. */
static size_t count_kind(Decoder *d, const char *name)
{
	size_t i = 0;

	while (i < d->kind_count && d->kinds[i] != name)
		i++;
	if (i == SUMMARY_KINDS)
		i--; /* kinds beyond share a count */
	if (i == d->kind_count)
		d->kinds[d->kind_count++] = name;
	return d->kind_counts[i]++;
}

static void add_start(Decoder *d, const Entry *entry)
{
	GROW(d, starts, start_count, start_capacity);
	if (!d->failed)
		d->starts[d->start_count++] = (Start){ (uint32_t)entry->start, entry->group };
}

void decoder_rest(Decoder *d, const char *group, size_t at, size_t end)
{
	if (at >= end)
		return;
	decoder_find(d, PVW_TABLE_0004, at, "%s%s%zu bytes behind its end at 0x%zx, expected 0",
		group, group[0] ? ": " : "", end - at, at);
	decoder_bytes(d, group, "rest", at, end - at);
}

static void say_entry(Decoder *d, const Entry *entry, const EntryRow *row)
{
	const size_t head = row->most < entry->len ? row->most : entry->len;

	if (entry->len < row->least)
		decoder_find(d, PVW_TABLE_0003, entry->start,
			"%s: %zu bytes, expected at least %u", entry->group, entry->len,
			row->least);
	decoder_fields(d, entry->group, entry->start, entry->len, row->fields);
	if (row->tail && entry->len >= row->least)
		row->tail(d, entry, head);
	else
		decoder_rest(d, entry->group, entry->start + head, entry->start + entry->len);
}

static void say_unknown_entry(Decoder *d, const Entry *entry)
{
	decoder_find(d, PVW_TABLE_0005, entry->start,
		"%s: type 0x%" PRIx64 ", expected one that is known", entry->group,
		entry->type);
	decoder_bytes(d, entry->group, "bytes", entry->start, entry->len);
}

void decoder_entries(Decoder *d, const char *parent, size_t at, size_t end,
	const EntryForm *form, const EntryRow *rows)
{
	const size_t head = (size_t)form->length_at + form->length_size;
	size_t index = 0;

	for (; at < end && !d->failed; index++) {
		Entry entry = { .start = at };
		const EntryRow *row;
		const char *name;

		if (end - at < head) {
			decoder_rest(d, parent, at, end);
			return;
		}
		entry.type = decoder_number(d, at + form->type_at, form->type_size);
		entry.len = (size_t)decoder_number(d, at + form->length_at, form->length_size);
		row = row_of(rows, entry.type);
		name = row ? row->name : "entry";
		entry.group =
			decoder_group(d, parent, name, parent[0] ? index : count_kind(d, name));
		if (entry.len < head || entry.len > end - at) {
			decoder_find(d, PVW_TABLE_0003, at,
				"%s: length %zu at 0x%zx, expected %zu to %zu", entry.group,
				entry.len, at + form->length_at, head, end - at);
			decoder_bytes(d, parent, "rest", at, end - at);
			return;
		}
		add_start(d, &entry);
		if (row)
			say_entry(d, &entry, row);
		else
			say_unknown_entry(d, &entry);
		at += entry.len;
	}
}

void decoder_array(Decoder *d, const char *parent, const char *name, size_t at, size_t end,
	uint64_t count, size_t size, const FieldRow *fields)
{
	const size_t room = at < end ? (end - at) / size : 0;

	if (count > room) {
		decoder_find(d, PVW_TABLE_0003, at,
			"%s%s%" PRIu64 " times %s of %zu bytes, expected at most %zu", parent,
			parent[0] ? ": " : "", count, name, size, room);
		count = room;
	}
	for (size_t i = 0; i < count && !d->failed; i++, at += size) {
		if (!parent[0])
			(void)count_kind(d, name);
		decoder_fields(d, decoder_group(d, parent, name, i), at, size, fields);
	}
}

/*
 * A table.
 */

/* What lines refer to, among the entries in ascending order. */
static void resolve_references(Decoder *d)
{
	for (size_t i = 0; i < d->reference_count; i++) {
		const Reference reference = d->references[i];
		AcpiLine *line = &d->lines[reference.line];
		size_t low = 0, high = d->start_count;

		while (low < high) {
			const size_t middle = low + (high - low) / 2;

			if (d->starts[middle].offset < reference.offset)
				low = middle + 1;
			else
				high = middle;
		}
		if (low < d->start_count && d->starts[low].offset == reference.offset) {
			line->note = d->starts[low].group;
			continue;
		}
		line->note = "refers to nothing";
		decoder_find(d, PVW_TABLE_0007, line->offset,
			"%s.%s: 0x%" PRIx32 ", expected where an entry begins", line->group,
			line->name, reference.offset);
	}
}

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
		decoder_fields(d, "", 0, len, header_fields);
		if (len > HEADER_SIZE)
			decoder_bytes(d, "", "bytes", HEADER_SIZE, len - HEADER_SIZE);
		return;
	}
	if (len < row->least)
		decoder_find(d, PVW_TABLE_0001, 4, "%zu bytes, expected at least %u", len,
			row->least);
	/* RSDP and FACS begin in their own way. */
	if (!row->fields[0].name || row->fields[0].offset != 0)
		decoder_fields(d, "", 0, len, header_fields);
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
	d->table = table;
	if (len > table.len)
		decoder_find(d, PVW_TABLE_0001, 4, "length %zu of %zu bytes, expected as many",
			len, table.len);
	else if (len < 8)
		decoder_find(d, PVW_TABLE_0001, 4, "length %zu, expected at least 8", len);
	else
		d->table.len = len;
	if (len >= 8 && len < table.len &&
		!is_zero(&(Decoder){ .table = table }, len, table.len - len))
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
	row = table_row(d.name);
	say_table(&d, row);
	resolve_references(&d);
	memcpy(text.signature, d.name, sizeof(text.signature));
	text.is_aml = row && row->fields == header_fields;
	text.title = row ? row->title : "";
	text.summary = text.is_aml ? summarize_aml(&d) : summarize(&d, row);
	text.length = (uint32_t)len;
	text.revision = d.table.len > 15 ? d.table.data[strlen(d.name) == 8 ? 15 : 8] : 0;
	text.checksum_ok = !is_summed(d.name) || sum_of(d.table.data, d.table.len) == 0;
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
		if (bytes.data[at] == 0 && is_zero(&all, at, bytes.len - at))
			break;
		if (!add_table((Bytes){ bytes.data + at, bytes.len - at }, at, gpa,
			    &items[count], err))
			return false;
		at += (items[count++].bytes.len + 7) & ~(size_t)7;
	}
	arena_shrink(arena, items, count * sizeof(*items));
	*out = (AcpiTableList){ items, count };
	return true;
}
