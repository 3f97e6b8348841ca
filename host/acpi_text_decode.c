/*
 * The engine that reads the rows of tables: lines, entries, references.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/acpi_text_internal.h"

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

void decoder_refer(Decoder *d, uint32_t offset)
{
	GROW(d, references, reference_count, reference_capacity);
	if (!d->failed)
		d->references[d->reference_count++] = (Reference){ (uint32_t)d->count, offset };
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

/* What lines refer to, among the entries in ascending order. */
void decoder_resolve(Decoder *d)
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
