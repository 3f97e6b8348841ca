/* AML as ASL: bytes by hand, from [ACPI65] 20.2 and 6.4, and the text they must give. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "host/aml_text.h"
#include "support/diagnostics.h"

static Arena *arena;
static Error err;
static uint8_t table[AML_TEXT_MAX_TABLE + 64];

static void set_up(void)
{
	arena = arena_new((size_t)64 << 20);
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(aml_text, .init = set_up, .fini = tear_down);

static Bytes make_table(const void *aml, size_t len)
{
	const uint32_t total = (uint32_t)(36 + len);

	memset(table, 0, 36);
	memcpy(table, "SSDT", 4);
	memcpy(table + 4, &total, 4);
	table[8] = 2;
	memcpy(table + 10, "OEMID", 5);
	memcpy(table + 16, "TABLE", 5);
	table[24] = 7;
	memcpy(table + 36, aml, len);
	return (Bytes){ table, total };
}

/* The text between the outer braces, with one level of indentation taken off. */
static const char *text_of(const void *aml, size_t len)
{
	static const char head[] =
		"DefinitionBlock (\"\", \"SSDT\", 2, \"OEMID\", \"TABLE\", 0x00000007)\n{\n";
	static char text[8192];
	size_t out = 0;
	Bytes asl;

	cr_assert(aml_text(make_table(aml, len), arena, &asl, &err), "%s", err.text);
	cr_assert(asl.len < sizeof(text) && asl.len >= sizeof(head) + 1);
	cr_assert(memcmp(asl.data, head, sizeof(head) - 1) == 0);
	cr_assert(memcmp(asl.data + asl.len - 2, "}\n", 2) == 0);
	for (size_t i = sizeof(head) - 1; i < asl.len - 2; i++) {
		if (asl.data[i - 1] == '\n' && asl.data[i] != '\n') {
			cr_assert(memcmp(asl.data + i, "    ", 4) == 0);
			i += 4;
		}
		text[out++] = (char)asl.data[i];
	}
	text[out] = 0;
	return text;
}

/* Bytes of a string literal, without its NUL. */
#define AML(text) (text), sizeof(text) - 1
#define EXPECT(aml, text) cr_assert_str_eq(text_of(AML(aml)), text)

Test(aml_text, writes_constants_with_as_many_digits_as_they_have_bytes)
{
	EXPECT("\x08"
	       "AAAA\x00"
	       "\x08"
	       "BBBB\x01"
	       "\x08"
	       "CCCC\xff"
	       "\x08"
	       "D___\x0a\x07"
	       "\x08"
	       "E___\x0b\x07\x00"
	       "\x08"
	       "F___\x0c\x07\x00\x00\x00"
	       "\x08"
	       "G_H_\x0e\x01\x02\x03\x04\x05\x06\x07\x08",
		"Name (AAAA, Zero)\n"
		"Name (BBBB, One)\n"
		"Name (CCCC, Ones)\n"
		"Name (D, 0x07)\n"
		"Name (E, 0x0007)\n"
		"Name (F, 0x00000007)\n"
		"Name (G_H, 0x0807060504030201)\n");
}

Test(aml_text, escapes_what_a_string_cannot_hold)
{
	EXPECT("\x08"
	       "AAAA\x0d"
	       "a\"b\\c\n\x01\x00",
		"Name (AAAA, \"a\\\"b\\\\c\\n\\x01\")\n");
}

Test(aml_text, writes_paths_in_all_their_forms)
{
	EXPECT("\x10\x06\\_SB_"
	       "\x08\\.AAAABBBB\x00"
	       "\x08^/\x03"
	       "AAAABBBBCCCC\x00",
		"Scope (\\_SB)\n"
		"{\n"
		"}\n"
		"\n"
		"Name (\\AAAA.BBBB, Zero)\n"
		"Name (^AAAA.BBBB.CCCC, Zero)\n");
}

Test(aml_text, knows_compressed_identifiers_where_they_belong)
{
	EXPECT("\x08"
	       "_HID\x0c\x41\xd0\x05\x01"
	       "\x08"
	       "_CID\x12\x0c\x02\x0c\x41\xd0\x0a\x03\x0c\x41\xd0\x0a\x08"
	       "\x08"
	       "_UID\x0c\x41\xd0\x05\x01",
		"Name (_HID, EisaId (\"PNP0501\") /* 16550 serial port */)  // hardware "
		"identifier\n"
		"Name (_CID, Package (0x02)  // compatible identifiers\n"
		"{\n"
		"    EisaId (\"PNP0A03\") /* PCI bus */,\n"
		"    EisaId (\"PNP0A08\") /* PCI Express bus */\n"
		"})\n"
		"Name (_UID, 0x0105D041)  // unique identifier\n");
}

Test(aml_text, calls_methods_with_their_arguments_even_before_they_are_declared)
{
	EXPECT("\x14\x0f"
	       "CALL\x00"
	       "\x70"
	       "SUM_\x01\x0a\x02"
	       "\x60"
	       "\x14\x0b"
	       "SUM_\x0a\xa4\x72\x68\x69\x00",
		"Method (CALL, 0, NotSerialized)\n"
		"{\n"
		"    Store (SUM (One, 0x02), Local0)\n"
		"}\n"
		"\n"
		"Method (SUM, 2, Serialized)\n"
		"{\n"
		"    Return (Add (Arg0, Arg1))\n"
		"}\n");
}

Test(aml_text, tells_the_compiler_what_is_declared_elsewhere)
{
	EXPECT("\x08"
	       "AAAA\x12\x0b\x01.XXXXYYYY",
		"External (\\XXXX.YYYY, UnknownObj)\n"
		"Name (AAAA, Package (0x01)\n"
		"{\n"
		"    XXXX.YYYY\n"
		"})\n");
}

Test(aml_text, opens_the_branch_that_compilers_keep_externals_in)
{
	EXPECT("\xa0\x17\x00\x15\\.AAAABBBB\x06\x00\x15^CCCC\x08\x01"
	       "\xa4"
	       "CCCC\x01",
		"External (\\AAAA.BBBB, DeviceObj)\n"
		"External (^CCCC, MethodObj)\n"
		"Return (CCCC (One))\n");
	/* with another term in it, it is a branch */
	EXPECT("\xa0\x0b\x00\x15\\CCCC\x06\x00\xa3",
		"If (Zero)\n"
		"{\n"
		"    External (\\CCCC, DeviceObj)\n"
		"    Noop\n"
		"}\n");
}

Test(aml_text, writes_branches_and_negated_comparisons)
{
	EXPECT("\x14\x1a"
	       "TEST\x01"
	       "\xa0\x07\x92\x93\x68\x00\xa4\x01"
	       "\xa1\x04\x75\x60\xa3"
	       "\x78\x68\x0a\x03\x00\x61"
	       "\xa5",
		"Method (TEST, 1, NotSerialized)\n"
		"{\n"
		"    If (LNotEqual (Arg0, Zero))\n"
		"    {\n"
		"        Return (One)\n"
		"    }\n"
		"    Else\n"
		"    {\n"
		"        Increment (Local0)\n"
		"        Noop\n"
		"    }\n"
		"    Divide (Arg0, 0x03, , Local1)\n"
		"    Break\n"
		"}\n");
}

Test(aml_text, writes_regions_and_fields)
{
	EXPECT("\x5b\x80"
	       "REGS\x01\x0a\x10\x0a\x10"
	       "\x5b\x81\x16"
	       "REGS\x51"
	       "AAAA\x08\x00\x48\x01"
	       "BBBB\x04\x01\x02\x00",
		"OperationRegion (REGS, SystemIO, 0x10, 0x10)\n"
		"\n"
		"Field (REGS, ByteAcc, Lock, WriteAsZeros)\n"
		"{\n"
		"    AAAA, 8,\n"
		"    , 24,\n"
		"    BBBB, 4,\n"
		"    AccessAs (WordAcc, 0x00)\n"
		"}\n");
}

Test(aml_text, writes_the_blocks_of_older_tables)
{
	EXPECT("\x5b\x83\x0b"
	       "CPU0\x01\x10\x04\x00\x00\x06"
	       "\x5b\x84\x08"
	       "PWR_\x02\x01\x00",
		"Processor (CPU0, 0x01, 0x00000410, 0x06)\n"
		"{\n"
		"}\n"
		"\n"
		"PowerResource (PWR, 0x02, 0x0001)\n"
		"{\n"
		"}\n");
}

Test(aml_text, shows_a_buffer_as_bytes_unless_it_is_a_uuid)
{
	EXPECT("\x08"
	       "AAAA\x11\x0c\x0a\x09\x01\x02\x03\x04\x05\x06\x07\x08\x09"
	       "\x08"
	       "BBBB\x11\x13\x0a\x10\x5b\x4d\xdb\x33\xf7\x1f\x1c\x40\x96\x57\x74\x41\xc0\x3d"
	       "\xd7\x66",
		"Name (AAAA, Buffer (0x09)\n"
		"{\n"
		"    /* 0000 */  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,\n"
		"    /* 0008 */  0x09\n"
		"})\n"
		"Name (BBBB, ToUUID (\"33db4d5b-1ff7-401c-9657-7441c03dd766\"))\n");
}

Test(aml_text, decodes_resource_templates)
{
	EXPECT("\x08"
	       "_CRS\x11\x32\x0a\x2f"
	       "\x22\x20\x00"
	       "\x23\x10\x00\x18"
	       "\x47\x01\xf8\x03\xf8\x03\x01\x08"
	       "\x86\x09\x00\x01\x00\x00\xe0\xfe\x00\x10\x00\x00"
	       "\x89\x06\x00\x0d\x01\x21\x00\x00\x00"
	       "\x71\x05"
	       "\x79\x00"
	       "\x00\x00\x00\x00\x00\x00\x00",
		/* Bytes behind the end tag: no template. */
		"Name (_CRS, Buffer (0x2F)  // current resource settings\n"
		"{\n"
		"    /* 0000 */  0x22, 0x20, 0x00, 0x23, 0x10, 0x00, 0x18, 0x47,\n"
		"    /* 0008 */  0x01, 0xF8, 0x03, 0xF8, 0x03, 0x01, 0x08, 0x86,\n"
		"    /* 0010 */  0x09, 0x00, 0x01, 0x00, 0x00, 0xE0, 0xFE, 0x00,\n"
		"    /* 0018 */  0x10, 0x00, 0x00, 0x89, 0x06, 0x00, 0x0D, 0x01,\n"
		"    /* 0020 */  0x21, 0x00, 0x00, 0x00, 0x71, 0x05, 0x79, 0x00,\n"
		"    /* 0028 */  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00\n"
		"})\n");
	EXPECT("\x08"
	       "_CRS\x11\x2b\x0a\x28"
	       "\x22\x20\x00"
	       "\x23\x10\x00\x18"
	       "\x47\x01\xf8\x03\xf8\x03\x01\x08"
	       "\x86\x09\x00\x01\x00\x00\xe0\xfe\x00\x10\x00\x00"
	       "\x89\x06\x00\x0d\x01\x21\x00\x00\x00"
	       "\x71\x05"
	       "\x79\x00",
		"Name (_CRS, ResourceTemplate ()  // current resource settings\n"
		"{\n"
		"    IRQNoFlags () {5}\n"
		"    IRQ (Level, ActiveLow, Shared, ) {4}\n"
		"    IO (Decode16, 0x03F8, 0x03F8, 0x01, 0x08, )\n"
		"    Memory32Fixed (ReadWrite, 0xFEE00000, 0x00001000, )\n"
		"    Interrupt (ResourceConsumer, Level, ActiveLow, Shared, ,, )\n"
		"    {\n"
		"        0x00000021,\n"
		"    }\n"
		"    VendorShort ()\n"
		"    {\n"
		"        /* 0000 */  0x05\n"
		"    }\n"
		"})\n");
}

Test(aml_text, decodes_address_spaces)
{
	EXPECT("\x08"
	       "_CRS\x11\x33\x0a\x30"
	       "\x8a\x2b\x00\x00\x0c\x03"
	       "\x00\x00\x00\x00\x00\x00\x00\x00"
	       "\x00\x00\x00\x00\x01\x00\x00\x00"
	       "\xff\xff\xff\x1f\x01\x00\x00\x00"
	       "\x00\x00\x00\x00\x00\x00\x00\x00"
	       "\x00\x00\x00\x20\x00\x00\x00\x00"
	       "\x79\x00",
		"Name (_CRS, ResourceTemplate ()  // current resource settings\n"
		"{\n"
		"    QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Cacheable, "
		"ReadWrite,\n"
		"        0x0000000000000000, // granularity\n"
		"        0x0000000100000000, // minimum\n"
		"        0x000000011FFFFFFF, // maximum\n"
		"        0x0000000000000000, // translation\n"
		"        0x0000000020000000, // length\n"
		"        ,, , AddressRangeMemory, TypeStatic)\n"
		"})\n");
	EXPECT("\x08"
	       "AAAA\x11\x23\x0a\x20"
	       "\x88\x0d\x00\x02\x0c\x00\x00\x00\x00\x00\xff\x00\x00\x00\x00\x01"
	       "\x88\x0d\x00\x01\x0d\x03\x00\x00\xf8\x0c\xff\x0c\x00\x00"
	       /* a reserved bit follows instead of the length: bytes */
	       "\x79\x00",
		"Name (AAAA, Buffer (0x20)\n"
		"{\n"
		"    /* 0000 */  0x88, 0x0D, 0x00, 0x02, 0x0C, 0x00, 0x00, 0x00,\n"
		"    /* 0008 */  0x00, 0x00, 0xFF, 0x00, 0x00, 0x00, 0x00, 0x01,\n"
		"    /* 0010 */  0x88, 0x0D, 0x00, 0x01, 0x0D, 0x03, 0x00, 0x00,\n"
		"    /* 0018 */  0xF8, 0x0C, 0xFF, 0x0C, 0x00, 0x00, 0x79, 0x00\n"
		"})\n");
}

Test(aml_text, decodes_ports)
{
	EXPECT("\x08"
	       "AAAA\x11\x19\x0a\x16"
	       "\x88\x0d\x00\x01\x0c\x02\x00\x00\x00\x00\xf7\x0c\x00\x00\xf8\x0c"
	       "\x4b\x70\x00\x02"
	       "\x79\x00",
		"Name (AAAA, ResourceTemplate ()\n"
		"{\n"
		"    WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, ISAOnlyRanges,\n"
		"        0x0000, // granularity\n"
		"        0x0000, // minimum\n"
		"        0x0CF7, // maximum\n"
		"        0x0000, // translation\n"
		"        0x0CF8, // length\n"
		"        ,, , TypeStatic, DenseTranslation)\n"
		"    FixedIO (0x0070, 0x02, )\n"
		"})\n");
}

Test(aml_text, nests_dependent_functions)
{
	EXPECT("\x08"
	       "_PRS\x11\x0f\x0a\x0c\x31\x05\x22\x20\x00\x30\x22\x40\x00\x38\x79\x00",
		"Name (_PRS, ResourceTemplate ()  // possible resource settings\n"
		"{\n"
		"    StartDependentFn (0x01, 0x01)\n"
		"    {\n"
		"        IRQNoFlags () {5}\n"
		"    }\n"
		"    StartDependentFnNoPri ()\n"
		"    {\n"
		"        IRQNoFlags () {6}\n"
		"    }\n"
		"    EndDependentFn ()\n"
		"})\n");
}

Test(aml_text, counts_what_is_declared)
{
	static const char aml[] = "\x08"
				  "AAAA\x00"
				  "\x5b\x82\x0b"
				  "DEV_\x08"
				  "_UID\x01"
				  "\x14\x06"
				  "M000\x00";
	AmlCounts counts;

	cr_assert(aml_text_count(make_table(aml, sizeof(aml) - 1), arena, &counts, &err));

	cr_assert_eq(counts.names, 2);
	cr_assert_eq(counts.devices, 1);
	cr_assert_eq(counts.methods, 1);
}

Test(aml_text, knows_which_tables_hold_aml)
{
	cr_assert(aml_text_is("DSDT"));
	cr_assert(aml_text_is("SSDT"));
	cr_assert_not(aml_text_is("APIC"));
}

/*
 * What is refused.
 */

static void expect_refusal(Bytes bytes, uint16_t diagnostic, const char *word, uint64_t offset)
{
	Bytes asl = { NULL, 1 };

	cr_assert_not(aml_text(bytes, arena, &asl, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(err.offset, offset, "0x%lx", err.offset);
	cr_assert_eq(asl.len, 1);
}

Test(aml_text, refuses_a_table_that_is_cut)
{
	Bytes bytes = make_table(AML("\x08"
				     "AAAA\x00"));

	bytes.len--;
	expect_refusal(bytes, PVW_AML_0001, "length of 42", 4);
	bytes.len = 10;
	expect_refusal(bytes, PVW_AML_0001, "length", 4);
}

Test(aml_text, refuses_terms_that_are_cut)
{
	expect_refusal(make_table(AML("\x08"
				      "AAA")),
		PVW_AML_0001, "name", 37);
	expect_refusal(make_table(AML("\x08"
				      "AAAA\x0c\x01")),
		PVW_AML_0001, "number", 42);
	expect_refusal(make_table(AML("\x08"
				      "AAAA\x0dxyz")),
		PVW_AML_0001, "string without an end", 42);
}

Test(aml_text, refuses_what_is_no_term)
{
	expect_refusal(make_table(AML("\x03")), PVW_AML_0002, "opcode 0x03", 36);
	expect_refusal(make_table(AML("\x5b\xee")), PVW_AML_0002, "opcode 0x5bee", 36);
	expect_refusal(make_table(AML("\x08"
				      "AA-A\x00")),
		PVW_AML_0002, "byte 0x2d in a name", 39);
	/* a device is no value */
	expect_refusal(make_table(AML("\xa4\x5b\x82\x05"
				      "DEV_")),
		PVW_AML_0002, "expected a value", 37);
}

Test(aml_text, refuses_blocks_of_wrong_lengths)
{
	expect_refusal(make_table(AML("\x10\x07\\_SB_")), PVW_AML_0004, "expected at most", 37);
	expect_refusal(
		make_table(AML("\x10\x00\\_SB_")), PVW_AML_0004, "expected 1 or more", 37);
	/* a buffer's length cuts its own size */
	expect_refusal(make_table(AML("\x08"
				      "AAAA\x11\x01\x0a\x02")),
		PVW_AML_0001, "term", 43);
}

Test(aml_text, refuses_nesting_without_a_bound)
{
	static uint8_t aml[1000];

	memset(aml, 0x92, sizeof(aml)); /* LNot of LNot of ... */
	expect_refusal(make_table(aml, sizeof(aml)), PVW_AML_0003, "128 deep",
		36 + AML_TEXT_MAX_DEPTH);
}

Test(aml_text, refuses_paths_without_a_bound)
{
	static uint8_t aml[2 + 4 * 255 + 16];
	size_t at = 0;

	/* Scope (^...255 names) { Name (one more) } */
	aml[at++] = 0x10;
	aml[at++] = 0x40;
	at++;
	aml[at++] = 0x2F;
	aml[at++] = 255;
	for (size_t i = 0; i < 255; i++, at += 4)
		memcpy(aml + at, "AAAA", 4);
	memcpy(aml + at,
		"\x08"
		"BBBB\x00",
		6);
	at += 6;
	aml[1] = (uint8_t)(0x40 | ((at - 1) & 15));
	aml[2] = (uint8_t)((at - 1) >> 4);
	expect_refusal(make_table(aml, at), PVW_AML_0003, "more than 255 names", 36 + at - 1);
}

Test(aml_text, refuses_a_table_beyond_the_limit)
{
	static uint8_t aml[AML_TEXT_MAX_TABLE];

	memset(aml, 0xa3, sizeof(aml));
	expect_refusal(make_table(aml, sizeof(aml)), PVW_AML_0003, "expected at most", 0);
}

Test(aml_text, refuses_every_cut_of_a_table)
{
	static const char aml[] = "\x5b\x82\x2a"
				  "DEV_"
				  "\x08"
				  "_CRS\x11\x12\x0a\x0f"
				  "\x86\x09\x00\x01\x00\x00\xe0\xfe\x00\x10\x00\x00\x79\x00\x00"
				  "\x14\x0c"
				  "TEST\x01\xa0\x04\x68\xa4\x01\xa3";
	Bytes asl;

	cr_assert(
		aml_text(make_table(aml, sizeof(aml) - 1), arena, &asl, &err), "%s", err.text);
	for (size_t len = 1; len < sizeof(aml) - 1; len++)
		cr_assert_not(aml_text(make_table(aml, len), arena, &asl, &err), "%zu", len);
}
