/*
 * AML as ASL: constants, buffers and packages. [ACPI65] 20.2.3
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/aml_text_internal.h"
#include "support/diagnostics.h"

void asl_say_string(AmlText *t, const uint8_t *text, size_t len)
{
	static const char letters[] = "abtnvfr"; /* from 7 on */

	asl_put(t, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		const uint8_t c = text[i];

		if (c >= 7 && c <= 13)
			asl_say(t, "\\%c", letters[c - 7]);
		else if (c < 0x20 || c > 0x7E)
			asl_say(t, "\\x%02X", c);
		else
			asl_say(t, c == '"' || c == '\\' ? "\\%c" : "%c", c);
	}
	asl_put(t, "\"", 1);
}

void asl_say_string_term(AmlText *t)
{
	const uint8_t *text = t->aml.data + t->at;
	const uint8_t *end = memchr(text, 0, asl_left(t));

	if (!end) {
		asl_fail(t, t->at, PVW_AML_0001, "string without an end, expected a byte of 0");
		return;
	}
	asl_say_string(t, text, (size_t)(end - text));
	t->at += (size_t)(end - text) + 1;
}

/* A compressed identifier, EISAID: three letters of five bits, four digits; big-endian. */
static bool say_identifier(AmlText *t, uint64_t value)
{
	static const struct {
		char id[8];
		const char *text;
	} known[] = { { "PNP0003", "I/O APIC" }, { "PNP0501", "16550 serial port" },
		{ "PNP0A03", "PCI bus" }, { "PNP0A08", "PCI Express bus" },
		{ "PNP0B00", "real-time clock" }, { "PNP0C02", "motherboard resources" } };
	const uint32_t id = __builtin_bswap32((uint32_t)value);
	char text[8];

	for (unsigned i = 0; i < 3; i++) {
		text[i] = (char)('@' + (id >> (26 - 5 * i) & 31));
		if (text[i] < 'A' || text[i] > 'Z')
			return false;
	}
	if (id >> 31)
		return false;
	snprintf(text + 3, sizeof(text) - 3, "%04X", id & 0xFFFF);
	asl_say(t, "EisaId (\"%s\")", text);
	for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
		if (memcmp(text, known[i].id, sizeof(text)) == 0)
			asl_say(t, " /* %s */", known[i].text);
	}
	return true;
}

/* 0A, 0B, 0C and 0E: numbers of 1, 2, 4 and 8 bytes. Their digits show which. */
void asl_say_integer(AmlText *t, uint8_t code)
{
	const size_t len = code == 0x0E ? 8 : (size_t)1 << (code - 0x0A);
	const uint64_t value = asl_take_number(t, len, "number");

	if (code == 0x0C && t->identifiers && say_identifier(t, value))
		return;
	asl_say(t, "0x%0*" PRIX64, (int)len * 2, value);
}

/* A constant in its shortest form, which is the one that a compiler writes. */
static bool peek_constant(const AmlText *t, uint64_t *value, size_t *size)
{
	const uint8_t *at = t->aml.data + t->at;
	const size_t left = asl_left(t);

	if (left >= 1 && at[0] <= 1) {
		*value = at[0];
		*size = 1;
	} else if (left >= 2 && at[0] == 0x0A && at[1] > 1) {
		*value = at[1];
		*size = 2;
	} else if (left >= 3 && at[0] == 0x0B && at[2]) {
		*value = at[1] | (uint64_t)at[2] << 8;
		*size = 3;
	} else if (left >= 5 && at[0] == 0x0C && (at[3] || at[4])) {
		*value = at[1] | (uint64_t)at[2] << 8 | (uint64_t)at[3] << 16 |
			(uint64_t)at[4] << 24;
		*size = 5;
	} else {
		return false;
	}
	return true;
}

/* By its variant and its version a UUID differs from most other sixteen bytes. */
static bool say_uuid(AmlText *t, Bytes bytes)
{
	const uint8_t *b = bytes.data;

	if (bytes.len != 16 || (b[8] & 0xC0) != 0x80 || b[7] >> 4 < 1 || b[7] >> 4 > 5)
		return false;
	asl_say(t, "ToUUID (\"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-", b[3], b[2], b[1],
		b[0], b[5], b[4], b[7], b[6], b[8], b[9]);
	asl_say(t, "%02x%02x%02x%02x%02x%02x\")", b[10], b[11], b[12], b[13], b[14], b[15]);
	return true;
}

void asl_say_buffer(AmlText *t)
{
	uint64_t size;
	size_t skip;

	if (peek_constant(t, &size, &skip) && size == asl_left(t) - skip) {
		const Bytes bytes = { t->aml.data + t->at + skip, (size_t)size };

		if (asl_resources(t, bytes) || say_uuid(t, bytes)) {
			t->at = t->end;
			return;
		}
	}
	asl_say(t, "Buffer (");
	asl_say_term(t, /* statement= */ false);
	asl_say(t, ")");
	asl_newline(t);
	asl_say(t, "{");
	asl_say_bytes(t, (Bytes){ t->aml.data + t->at, asl_left(t) });
	t->at += asl_left(t);
	asl_newline(t);
	asl_say(t, "}");
}

/* A name in data is a reference, whatever it names. */
void asl_say_data(AmlText *t)
{
	uint32_t node;

	if (asl_begins_name(asl_peek(t)))
		asl_say_use(t, &node);
	else
		asl_say_term(t, /* statement= */ false);
}

void asl_say_package(AmlText *t, bool counted)
{
	asl_say(t, "Package (");
	if (counted)
		asl_say(t, "0x%02" PRIX64, asl_take_number(t, 1, "package"));
	else
		asl_say_term(t, /* statement= */ false);
	asl_say(t, ")");
	asl_newline(t);
	asl_say(t, "{");
	t->indent++;
	while (asl_left(t)) {
		asl_newline(t);
		asl_say_data(t);
		if (asl_left(t))
			asl_say(t, ",");
	}
	t->indent--;
	asl_newline(t);
	asl_say(t, "}");
}
