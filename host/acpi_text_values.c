/*
 * The values of fields, by their kind.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/acpi_text_internal.h"

#define BYTES_A_LINE 16

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

bool decoder_is_zero(const Decoder *d, size_t at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (d->table.data[at + i])
			return false;
	}
	return true;
}

static void say_reserved(Decoder *d, const char *group, const FieldRow *row, size_t at)
{
	if (decoder_is_zero(d, at, row->size))
		return;
	decoder_find(d, PVW_TABLE_0006, at, "%s: %s, expected zeros", row->name,
		hex_bytes(d, at, row->size < BYTES_A_LINE ? row->size : BYTES_A_LINE));
	decoder_bytes(d, group, row->name, at, row->size);
}

static void say_reference(Decoder *d, const char *group, const FieldRow *row, size_t at)
{
	const uint64_t offset = decoder_number(d, at, row->size);

	if (offset)
		decoder_refer(d, (uint32_t)offset);
	decoder_line(d, group, row->name, at, row->size,
		decoder_printf(d, "0x%0*" PRIx64, 2 * row->size, offset),
		offset ? NULL : "none");
}

uint8_t decoder_sum(const uint8_t *data, size_t len)
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
	const uint8_t sum = decoder_sum(d->table.data, len), value = d->table.data[at];
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
