/*
 * The opcodes of AML: [ACPI65] 20.3, and what follows each, 20.2.
 *
 *	t	a term that gives a value
 *	D	a data object: as t, but a name is not called
 *	s	a place: a name, a local, an argument, or a term that refers to one
 *	T	the same, or nothing
 *	N	a name that is declared here
 *	n	a name that is declared elsewhere
 *	b w d	a number of one, two or four bytes
 *	R	an address space of one byte
 *	X	an external object: its name, kind and number of arguments
 *	S	a name whose scope is opened again
 *	M	how Match compares
 *	[	the length of a block, which begins here
 *	{	terms until the end of the block
 *	A	access flags of fields
 *	F	fields until the end of the block
 *	P	flags of a method
 *	E L	a package, its count a byte or a term, with its elements; B a buffer
 */
#include <string.h>

#include "host/aml_text_internal.h"

#define VALUE(text, letters)                                                                   \
	{                                                                                      \
		.name = (text), .operands = (letters), .value = true                           \
	}
#define OTHER(text, letters)                                                                   \
	{                                                                                      \
		.name = (text), .operands = (letters)                                          \
	}

static const AmlOpcode opcodes[256] = {
	[0x00] = VALUE("Zero", NULL),
	[0x01] = VALUE("One", NULL),
	[0x06] = OTHER("Alias", "nN"),
	[0x08] = OTHER("Name", "ND"),
	[0x10] = OTHER("Scope", "[S{"),
	[0x11] = VALUE("Buffer", "[B"),
	[0x12] = VALUE("Package", "[E"),
	[0x13] = VALUE("Package", "[L"),
	[0x14] = OTHER("Method", "[NP{"),
	[0x15] = OTHER("External", "X"),
	[0x60] = VALUE("Local0", NULL),
	[0x61] = VALUE("Local1", NULL),
	[0x62] = VALUE("Local2", NULL),
	[0x63] = VALUE("Local3", NULL),
	[0x64] = VALUE("Local4", NULL),
	[0x65] = VALUE("Local5", NULL),
	[0x66] = VALUE("Local6", NULL),
	[0x67] = VALUE("Local7", NULL),
	[0x68] = VALUE("Arg0", NULL),
	[0x69] = VALUE("Arg1", NULL),
	[0x6A] = VALUE("Arg2", NULL),
	[0x6B] = VALUE("Arg3", NULL),
	[0x6C] = VALUE("Arg4", NULL),
	[0x6D] = VALUE("Arg5", NULL),
	[0x6E] = VALUE("Arg6", NULL),
	[0x70] = VALUE("Store", "ts"),
	[0x71] = VALUE("RefOf", "s"),
	[0x72] = VALUE("Add", "ttT"),
	[0x73] = VALUE("Concatenate", "ttT"),
	[0x74] = VALUE("Subtract", "ttT"),
	[0x75] = VALUE("Increment", "s"),
	[0x76] = VALUE("Decrement", "s"),
	[0x77] = VALUE("Multiply", "ttT"),
	[0x78] = VALUE("Divide", "ttTT"),
	[0x79] = VALUE("ShiftLeft", "ttT"),
	[0x7A] = VALUE("ShiftRight", "ttT"),
	[0x7B] = VALUE("And", "ttT"),
	[0x7C] = VALUE("NAnd", "ttT"),
	[0x7D] = VALUE("Or", "ttT"),
	[0x7E] = VALUE("NOr", "ttT"),
	[0x7F] = VALUE("XOr", "ttT"),
	[0x80] = VALUE("Not", "tT"),
	[0x81] = VALUE("FindSetLeftBit", "tT"),
	[0x82] = VALUE("FindSetRightBit", "tT"),
	[0x83] = VALUE("DerefOf", "t"),
	[0x84] = VALUE("ConcatenateResTemplate", "ttT"),
	[0x85] = VALUE("Mod", "ttT"),
	[0x86] = OTHER("Notify", "st"),
	[0x87] = VALUE("SizeOf", "s"),
	[0x88] = VALUE("Index", "ttT"),
	[0x89] = VALUE("Match", "tMtMtt"),
	[0x8A] = OTHER("CreateDWordField", "ttN"),
	[0x8B] = OTHER("CreateWordField", "ttN"),
	[0x8C] = OTHER("CreateByteField", "ttN"),
	[0x8D] = OTHER("CreateBitField", "ttN"),
	[0x8E] = VALUE("ObjectType", "s"),
	[0x8F] = OTHER("CreateQWordField", "ttN"),
	[0x90] = VALUE("LAnd", "tt"),
	[0x91] = VALUE("LOr", "tt"),
	[0x92] = VALUE("LNot", "t"),
	[0x93] = VALUE("LEqual", "tt"),
	[0x94] = VALUE("LGreater", "tt"),
	[0x95] = VALUE("LLess", "tt"),
	[0x96] = VALUE("ToBuffer", "tT"),
	[0x97] = VALUE("ToDecimalString", "tT"),
	[0x98] = VALUE("ToHexString", "tT"),
	[0x99] = VALUE("ToInteger", "tT"),
	[0x9C] = VALUE("ToString", "ttT"),
	[0x9D] = VALUE("CopyObject", "ts"),
	[0x9E] = VALUE("Mid", "tttT"),
	[0x9F] = OTHER("Continue", NULL),
	[0xA0] = OTHER("If", "[t{"),
	[0xA1] = OTHER("Else", "[{"),
	[0xA2] = OTHER("While", "[t{"),
	[0xA3] = OTHER("Noop", NULL),
	[0xA4] = OTHER("Return", "t"),
	[0xA5] = OTHER("Break", NULL),
	[0xCC] = OTHER("BreakPoint", NULL),
	[0xFF] = VALUE("Ones", NULL),
};

/* Behind 0x5B. */
static const AmlOpcode extended[256] = {
	[0x01] = OTHER("Mutex", "Nb"),
	[0x02] = OTHER("Event", "N"),
	[0x12] = VALUE("CondRefOf", "sT"),
	[0x13] = OTHER("CreateField", "tttN"),
	[0x1F] = VALUE("LoadTable", "tttttt"),
	[0x20] = VALUE("Load", "sT"),
	[0x21] = OTHER("Stall", "t"),
	[0x22] = OTHER("Sleep", "t"),
	[0x23] = VALUE("Acquire", "sw"),
	[0x24] = OTHER("Signal", "s"),
	[0x25] = VALUE("Wait", "st"),
	[0x26] = OTHER("Reset", "s"),
	[0x27] = OTHER("Release", "s"),
	[0x28] = VALUE("FromBCD", "tT"),
	[0x29] = VALUE("ToBCD", "tT"),
	[0x2A] = OTHER("Unload", "s"),
	[0x30] = VALUE("Revision", NULL),
	[0x31] = VALUE("Debug", NULL),
	[0x32] = OTHER("Fatal", "bdt"),
	[0x33] = VALUE("Timer", NULL),
	[0x80] = OTHER("OperationRegion", "NRtt"),
	[0x81] = OTHER("Field", "[nAF"),
	[0x82] = OTHER("Device", "[N{"),
	[0x83] = OTHER("Processor", "[Nbdb{"),
	[0x84] = OTHER("PowerResource", "[Nbw{"),
	[0x85] = OTHER("ThermalZone", "[N{"),
	[0x86] = OTHER("IndexField", "[nnAF"),
	[0x87] = OTHER("BankField", "[nntAF"),
	[0x88] = OTHER("DataTableRegion", "Nttt"),
};

const AmlOpcode *asl_opcode(uint8_t code)
{
	return opcodes[code].name ? &opcodes[code] : NULL;
}

const AmlOpcode *asl_extended_opcode(uint8_t code)
{
	return extended[code].name ? &extended[code] : NULL;
}

const char *asl_predefined(const uint8_t segment[4])
{
	/* [ACPI65] 5.6.8, those that tables of virtual machines have. */
	static const struct {
		char name[5];
		const char *text;
	} rows[] = {
		{ "_ADR", "address" },
		{ "_BBN", "base bus number" },
		{ "_CCA", "cache coherency attribute" },
		{ "_CID", "compatible identifiers" },
		{ "_CLS", "class code" },
		{ "_CRS", "current resource settings" },
		{ "_DDN", "DOS device name" },
		{ "_DEP", "dependencies" },
		{ "_DIS", "disable device" },
		{ "_DSD", "device specific data" },
		{ "_DSM", "device specific method" },
		{ "_EJ0", "eject device" },
		{ "_GPE", "general purpose events" },
		{ "_HID", "hardware identifier" },
		{ "_INI", "initialize" },
		{ "_LNK", "link" },
		{ "_MAT", "multiple APIC table entry" },
		{ "_OSC", "operating system capabilities" },
		{ "_PIC", "interrupt model" },
		{ "_PR0", "power resources for D0" },
		{ "_PRS", "possible resource settings" },
		{ "_PRT", "PCI routing table" },
		{ "_PS0", "power state 0" },
		{ "_PS3", "power state 3" },
		{ "_PXM", "proximity domain" },
		{ "_S0_", "S0 system state" },
		{ "_S3_", "S3 system state" },
		{ "_S4_", "S4 system state" },
		{ "_S5_", "S5 system state" },
		{ "_SEG", "PCI segment" },
		{ "_SRS", "set resource settings" },
		{ "_STA", "status" },
		{ "_STR", "description" },
		{ "_SUN", "slot user number" },
		{ "_UID", "unique identifier" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (memcmp(segment, rows[i].name, 4) == 0)
			return rows[i].text;
	}
	return NULL;
}
