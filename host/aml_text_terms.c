/*
 * AML as ASL: terms, and their operands by the letters of aml_text_opcodes.c. [ACPI65] 20.2.5
 */
#include <inttypes.h>
#include <string.h>

#include "host/aml_text_internal.h"
#include "support/diagnostics.h"

#define EXTENDED 0x5B

static void say_named(AmlText *t, const char *const *names, size_t count, uint64_t value)
{
	if (value < count)
		asl_say(t, "%s", names[value]);
	else
		asl_say(t, "0x%02" PRIX64, value);
}

static void say_place(AmlText *t)
{
	uint32_t node;

	if (asl_begins_name(asl_peek(t)))
		asl_say_use(t, &node);
	else
		asl_say_term(t, /* statement= */ false);
}

/* Nothing is a place, too: text of no length. */
static void say_target(AmlText *t)
{
	if (asl_left(t) && asl_peek(t) == 0)
		t->at++;
	else
		say_place(t);
}

static bool is_segment(const AmlName *name, const char *text)
{
	return name->segments.len >= 4 &&
		memcmp(name->segments.data + name->segments.len - 4, text, 4) == 0;
}

static uint32_t say_declaration(AmlText *t)
{
	const AmlName name = asl_take_name(t);

	asl_say_name(t, &name);
	if (!t->failed && name.segments.len) {
		const uint8_t *last = name.segments.data + name.segments.len - 4;

		t->remark = asl_predefined(last);
		t->identifiers = is_segment(&name, "_HID") || is_segment(&name, "_CID");
	}
	return asl_declare(t, &name);
}

/* Scope opens what stands elsewhere, perhaps in another table. */
static uint32_t say_scope(AmlText *t)
{
	const AmlName name = asl_take_name(t);
	uint32_t node = asl_resolve(t, &name);

	asl_say_name(t, &name);
	return node ? node : asl_declare(t, &name);
}

static void say_method_flags(AmlText *t, uint32_t node)
{
	const unsigned flags = (unsigned)asl_take_number(t, 1, "method");

	asl_say(t, ", %u, %s", flags & 7, flags & 8 ? "Serialized" : "NotSerialized");
	if (flags >> 4)
		asl_say(t, ", 0x%02X", flags >> 4);
	if (t->failed)
		return;
	t->names->nodes[node].arguments = flags & 7;
	t->counts.methods++;
	if (t->pass == AML_PASS_DECLARE)
		t->at = t->end;
}

static void say_external(AmlText *t)
{
	static const char *const kinds[] = { "UnknownObj", "IntObj", "StrObj", "BuffObj",
		"PkgObj", "FieldUnitObj", "DeviceObj", "EventObj", "MethodObj", "MutexObj",
		"OpRegionObj", "PowerResObj", "ProcessorObj", "ThermalZoneObj",
		"BuffFieldObj" };
	const AmlName name = asl_take_name(t);
	const uint64_t kind = asl_take_number(t, 1, "external");
	const uint64_t arguments = asl_take_number(t, 1, "external");
	const uint32_t node = asl_declare(t, &name);

	asl_say_name(t, &name);
	asl_say(t, ", ");
	say_named(t, kinds, ARRAY_COUNT(kinds), kind);
	if (!t->failed && kind == 8)
		t->names->nodes[node].arguments = arguments & 7;
}

static void say_space(AmlText *t)
{
	static const char *const spaces[] = { "SystemMemory", "SystemIO", "PCI_Config",
		"EmbeddedControl", "SMBus", "SystemCMOS", "PciBarTarget", "IPMI",
		"GeneralPurposeIo", "GenericSerialBus", "PCC" };

	say_named(t, spaces, ARRAY_COUNT(spaces), asl_take_number(t, 1, "region"));
	t->counts.regions++;
}

static void say_comparison(AmlText *t)
{
	static const char *const operators[] = { "MTR", "MEQ", "MLE", "MLT", "MGE", "MGT" };

	say_named(t, operators, ARRAY_COUNT(operators), asl_take_number(t, 1, "comparison"));
}

static const char *const access_types[] = { "AnyAcc", "ByteAcc", "WordAcc", "DWordAcc",
	"QWordAcc", "BufferAcc" };

static void say_access(AmlText *t)
{
	static const char *const updates[] = { "Preserve", "WriteAsOnes", "WriteAsZeros" };
	const uint64_t flags = asl_take_number(t, 1, "field");

	say_named(t, access_types, ARRAY_COUNT(access_types), flags & 15);
	asl_say(t, ", %s, ", flags & 16 ? "Lock" : "NoLock");
	say_named(t, updates, ARRAY_COUNT(updates), flags >> 5 & 3);
}

/* AccessAs, with a length where the second form has one. */
static void say_access_as(AmlText *t, bool longer)
{
	static const char *const attributes[] = {
		[11] = "AttribBytes", [14] = "AttribRawBytes", [15] = "AttribRawProcessBytes"
	};
	const uint64_t type = asl_take_number(t, 1, "field"),
		       kind = asl_take_number(t, 1, "field");

	asl_say(t, "AccessAs (");
	say_named(t, access_types, ARRAY_COUNT(access_types), type & 15);
	if (!longer) {
		asl_say(t, ", 0x%02" PRIX64 ")", kind);
		return;
	}
	if (kind < ARRAY_COUNT(attributes) && attributes[kind])
		asl_say(t, ", %s (0x%02" PRIX64 "))", attributes[kind],
			asl_take_number(t, 1, "field"));
	else
		asl_fail(t, t->at - 1, PVW_AML_0002,
			"access attribute 0x%" PRIx64 ", expected 0xb, 0xe or 0xf", kind);
}

static void say_field(AmlText *t)
{
	const uint8_t first = asl_peek(t);

	if (first > 3) {
		const AmlName name = asl_take_name(t);

		if (!t->failed && (name.root || name.parents || name.segments.len != 4))
			asl_fail(t, t->at, PVW_AML_0002, "a path in fields, expected a name");
		asl_say_name(t, &name);
		asl_declare(t, &name);
		asl_say(t, ", %" PRIu32, asl_take_length(t));
		return;
	}
	t->at++;
	switch (first) {
	case 0:
		asl_say(t, ", %" PRIu32, asl_take_length(t));
		break;
	case 2:
		asl_say(t, "Connection (");
		asl_say_data(t);
		asl_say(t, ")");
		break;
	default:
		say_access_as(t, first == 3);
		break;
	}
}

static void say_fields(AmlText *t)
{
	asl_newline(t);
	asl_say(t, "{");
	t->indent++;
	while (asl_left(t)) {
		asl_newline(t);
		say_field(t);
		if (asl_left(t))
			asl_say(t, ",");
	}
	t->indent--;
	asl_newline(t);
	asl_say(t, "}");
}

/* Devices, scopes and methods have room around them. */
static bool wants_room(uint8_t first, uint8_t second)
{
	return first == 0x14 || first == 0x10 ||
		(first == EXTENDED && second >= 0x81 && second < 0x88);
}

/* Behind a NameString in @bytes, from @at on; SIZE_MAX when it does not fit. */
static size_t skip_name(Bytes bytes, size_t at)
{
	size_t count = 1;

	while (at < bytes.len && (bytes.data[at] == '\\' || bytes.data[at] == '^'))
		at++;
	if (at < bytes.len && bytes.data[at] == 0x2E) {
		count = 2;
		at++;
	} else if (at + 1 < bytes.len && bytes.data[at] == 0x2F) {
		count = bytes.data[at + 1];
		at += 2;
	}
	return at <= bytes.len && 4 * count <= bytes.len - at ? at + 4 * count : SIZE_MAX;
}

/*
 * What is external, compilers put into the branch that is never taken:
 *
 *	If (Zero) { External (...) External (...) }
 *
 * Given the terms alone they make the branch themselves. -> where the first of them begins,
 * 0 when there is another term.
 */
static size_t enter_externals(const AmlText *t)
{
	const Bytes bytes = { t->aml.data + t->at, asl_left(t) };
	size_t first, end, at;

	if (bytes.len < 4 || bytes.data[0] != 0xA0)
		return 0;
	end = bytes.data[1] & 0x3F;
	first = 2 + (bytes.data[1] >> 6);
	if (first > 2)
		end = bytes.data[1] & 0x0F;
	if (first + 2 > bytes.len || bytes.data[first] != 0x00 || bytes.data[first + 1] != 0x15)
		return 0;
	for (size_t i = 2; i < first; i++)
		end |= (size_t)bytes.data[i] << (8 * (i - 2) + 4);
	if (++end > bytes.len)
		return 0;
	for (at = first + 1; at < end && bytes.data[at] == 0x15;) {
		at = skip_name(bytes, at + 1);
		if (at == SIZE_MAX || end - 2 < at)
			return 0;
		at += 2;
	}
	return at == end ? t->at + first + 1 : 0;
}

void asl_say_terms(AmlText *t)
{
	const uint32_t scope = t->scope;
	bool first = true, room = false;

	t->indent++;
	while (asl_left(t)) {
		const size_t externals = t->depth == 0 ? enter_externals(t) : 0;
		bool wants;

		t->at = externals ? externals : t->at;
		wants = wants_room(asl_peek(t), asl_left(t) > 1 ? t->aml.data[t->at + 1] : 0);

		if (!first && (room || wants))
			asl_end_line(t);
		asl_newline(t);
		asl_say_term(t, /* statement= */ true);
		first = false;
		room = wants;
		t->scope = scope;
	}
	t->indent--;
}

static void say_list(AmlText *t)
{
	asl_newline(t);
	asl_say(t, "{");
	asl_say_terms(t);
	asl_newline(t);
	asl_say(t, "}");
}

/* One operand; the node that it declares or opens goes to @node. */
static void say_operand(AmlText *t, char letter, uint32_t *node)
{
	static const char sizes[] = "bw d";
	uint32_t use;

	switch (letter) {
	case 't':
		asl_say_term(t, /* statement= */ false);
		break;
	case 'D':
		asl_say_data(t);
		break;
	case 's':
		say_place(t);
		break;
	case 'T':
		say_target(t);
		break;
	case 'N':
		*node = say_declaration(t);
		break;
	case 'S':
		*node = say_scope(t);
		break;
	case 'n':
		asl_say_use(t, &use);
		break;
	case 'P':
		say_method_flags(t, *node);
		break;
	case 'R':
		say_space(t);
		break;
	case 'X':
		say_external(t);
		break;
	case 'M':
		say_comparison(t);
		break;
	case 'A':
		say_access(t);
		break;
	default: {
		const size_t len = (size_t)(strchr(sizes, letter) - sizes) + 1;

		asl_say(t, "0x%0*" PRIX64, (int)len * 2, asl_take_number(t, len, "number"));
	}
	}
}

/* Arguments in parentheses, then what stands in braces. */
static void say_operands(AmlText *t, const char *letters)
{
	const uint32_t scope = t->scope;
	uint32_t node = t->scope;
	bool open = false;

	for (; *letters && !t->failed; letters++) {
		if (*letters == '{' || *letters == 'F') {
			asl_say(t, open ? ")" : "");
			open = false;
			t->scope = node;
			if (*letters == '{')
				say_list(t);
			else
				say_fields(t);
			continue;
		}
		if (letters[0] == 'T' && !letters[1] && asl_left(t) && asl_peek(t) == 0) {
			t->at++; /* nothing is said of no target */
			continue;
		}
		if (*letters != 'P')
			asl_say(t, open ? ", " : " (");
		open = true;
		say_operand(t, *letters, &node);
	}
	asl_say(t, open ? ")" : "");
	t->scope = scope;
}

/* A block ends where its length says, and the one around it goes on there. */
static void say_block(AmlText *t, const AmlOpcode *row)
{
	const size_t outer = t->end, begin = t->at;

	asl_begin_block(t);
	if (!t->failed) {
		const size_t end = t->end;

		if (row->operands[1] == 'B') {
			asl_say_buffer(t);
		} else if (row->operands[1] == 'E' || row->operands[1] == 'L') {
			asl_say_package(t, row->operands[1] == 'E');
		} else {
			asl_say(t, "%s", row->name);
			say_operands(t, row->operands + 1);
		}
		if (t->failed && t->pass == AML_PASS_DECLARE) {
			/* What is wrong in here is said by a later pass. */
			t->failed = false;
			t->at = end;
		}
		if (!t->failed && t->at != end)
			asl_fail(t, t->at, PVW_AML_0004,
				"%zu bytes of a block are left, expected 0: it begins at 0x%zx",
				end - t->at, begin);
	}
	t->end = outer;
}

/*
 * Terms.
 */

static void say_call(AmlText *t)
{
	uint32_t node;
	unsigned count;

	asl_say_use(t, &node);
	if (t->failed || !node || t->names->nodes[node].arguments == AML_NO_METHOD)
		return;
	count = t->names->nodes[node].arguments;
	asl_say(t, " (");
	for (unsigned i = 0; i < count && !t->failed; i++) {
		asl_say(t, i ? ", " : "");
		asl_say_term(t, /* statement= */ false);
	}
	asl_say(t, ")");
}

/* LNot in front of a comparison has a name of its own. */
static bool say_negated(AmlText *t)
{
	static const char *const names[] = { "LNotEqual", "LLessEqual", "LGreaterEqual" };
	const uint8_t next = asl_peek(t);

	if (next < 0x93 || next > 0x95)
		return false;
	t->at++;
	asl_say(t, "%s", names[next - 0x93]);
	say_operands(t, "tt");
	return true;
}

static void count_term(AmlText *t, uint8_t code, bool is_extended)
{
	if (!is_extended && code == 0x08)
		t->counts.names++;
	else if (is_extended && code == 0x82)
		t->counts.devices++;
	else if (is_extended && code == 0x83)
		t->counts.processors++;
}

static void say_opcode(AmlText *t, bool statement)
{
	const size_t at = t->at;
	uint8_t code = (uint8_t)asl_take_number(t, 1, "term");
	const bool is_extended = code == EXTENDED;
	const AmlOpcode *row;

	if (is_extended)
		code = (uint8_t)asl_take_number(t, 1, "term");
	row = is_extended ? asl_extended_opcode(code) : asl_opcode(code);
	if (t->failed)
		return;
	if (!row || !(statement || row->value)) {
		asl_fail(t, at, PVW_AML_0002, "opcode 0x%s%02x, expected %s",
			is_extended ? "5b" : "", code, statement ? "a term" : "a value");
		return;
	}
	count_term(t, code, is_extended);
	if (row->operands && row->operands[0] == '[') {
		say_block(t, row);
	} else if (is_extended || code != 0x92 || !say_negated(t)) {
		asl_say(t, "%s", row->name);
		if (row->operands)
			say_operands(t, row->operands);
	}
}

void asl_say_term(AmlText *t, bool statement)
{
	const uint8_t code = asl_peek(t);

	if (t->depth == AML_TEXT_MAX_DEPTH) {
		asl_fail(t, t->at, PVW_AML_0003, "terms %d deep, expected fewer",
			AML_TEXT_MAX_DEPTH);
		return;
	}
	t->depth++;
	if (asl_left(t) && asl_begins_name(code)) {
		say_call(t);
	} else if (code == 0x0D) {
		t->at++;
		asl_say_string_term(t);
	} else if ((code >= 0x0A && code <= 0x0C) || code == 0x0E) {
		t->at++;
		asl_say_integer(t, code);
	} else {
		say_opcode(t, statement);
	}
	if (statement)
		t->identifiers = false;
	t->depth--;
}
