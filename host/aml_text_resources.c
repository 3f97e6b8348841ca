/*
 * Resource templates: [ACPI65] 6.4, as the macros of 19.6.
 *
 * A row a descriptor. What its macro cannot say again, a reserved bit or a resource source, makes
 * the whole buffer a list of bytes: what is printed always compiles to what was there.
 */
#include <inttypes.h>
#include <string.h>

#include "host/aml_text_internal.h"

/* One descriptor behind its tag and length. */
typedef struct Descriptor {
	uint8_t tag; /* with its length for small ones */
	Bytes body;
} Descriptor;

typedef bool SayDescriptor(AmlText *t, const Descriptor *d);

static uint64_t number(const Descriptor *d, size_t at, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value |= (uint64_t)d->body.data[at + i] << 8 * i;
	return value;
}

static const char *pick(unsigned value, const char *zero, const char *one)
{
	return value & 1 ? one : zero;
}

static const char *const sharing[] = { "Exclusive", "Shared", "ExclusiveAndWake",
	"SharedAndWake" };

/* {4, 5}: the bits of a mask. */
static void say_mask(AmlText *t, unsigned mask, unsigned bits)
{
	const char *comma = "";

	asl_say(t, " {");
	for (unsigned i = 0; i < bits; i++) {
		if (!(mask >> i & 1))
			continue;
		asl_say(t, "%s%u", comma, i);
		comma = ", ";
	}
	asl_say(t, "}");
}

static bool say_irq(AmlText *t, const Descriptor *d)
{
	const unsigned mask = (unsigned)number(d, 0, 2);

	if (d->body.len == 3) {
		const unsigned flags = d->body.data[2];

		if (flags & ~0x39u)
			return false;
		asl_say(t, "IRQ (%s, %s, %s, )", pick(flags, "Level", "Edge"),
			pick(flags >> 3, "ActiveHigh", "ActiveLow"), sharing[flags >> 4 & 3]);
	} else {
		asl_say(t, "IRQNoFlags ()");
	}
	say_mask(t, mask, 16);
	return true;
}

static bool say_dma(AmlText *t, const Descriptor *d)
{
	static const char *const types[] = { "Compatibility", "TypeA", "TypeB", "TypeF" };
	static const char *const widths[] = { "Transfer8", "Transfer8_16", "Transfer16" };
	const unsigned flags = d->body.data[1];

	if (flags & 0x98 || (flags & 3) == 3)
		return false;
	asl_say(t, "DMA (%s, %s, %s, )", types[flags >> 5 & 3],
		pick(flags >> 2, "NotBusMaster", "BusMaster"), widths[flags & 3]);
	say_mask(t, d->body.data[0], 8);
	return true;
}

static bool say_io(AmlText *t, const Descriptor *d)
{
	if (d->body.data[0] & 0xFE)
		return false;
	asl_say(t,
		"IO (%s, 0x%04" PRIX64 ", 0x%04" PRIX64 ", 0x%02" PRIX64 ", 0x%02" PRIX64 ", )",
		pick(d->body.data[0], "Decode10", "Decode16"), number(d, 1, 2), number(d, 3, 2),
		number(d, 5, 1), number(d, 6, 1));
	return true;
}

static bool say_fixed_io(AmlText *t, const Descriptor *d)
{
	asl_say(t, "FixedIO (0x%04" PRIX64 ", 0x%02" PRIX64 ", )", number(d, 0, 2),
		number(d, 2, 1));
	return true;
}

static bool say_fixed_dma(AmlText *t, const Descriptor *d)
{
	static const char *const widths[] = { "Width8bit", "Width16bit", "Width32bit",
		"Width64bit", "Width128bit", "Width256bit" };

	if (d->body.data[4] >= ARRAY_COUNT(widths))
		return false;
	asl_say(t, "FixedDMA (0x%04" PRIX64 ", 0x%04" PRIX64 ", %s, )", number(d, 0, 2),
		number(d, 2, 2), widths[d->body.data[4]]);
	return true;
}

static bool say_vendor(AmlText *t, const Descriptor *d)
{
	asl_say(t, d->tag & 0x80 ? "VendorLong ()" : "VendorShort ()");
	asl_newline(t);
	asl_say(t, "{");
	asl_say_bytes(t, d->body);
	asl_newline(t);
	asl_say(t, "}");
	return true;
}

static bool say_memory24(AmlText *t, const Descriptor *d)
{
	if (d->body.data[0] & 0xFE)
		return false;
	asl_say(t,
		"Memory24 (%s, 0x%04" PRIX64 ", 0x%04" PRIX64 ", 0x%04" PRIX64 ", 0x%04" PRIX64
		", )",
		pick(d->body.data[0], "ReadOnly", "ReadWrite"), number(d, 1, 2),
		number(d, 3, 2), number(d, 5, 2), number(d, 7, 2));
	return true;
}

static bool say_memory32(AmlText *t, const Descriptor *d)
{
	if (d->body.data[0] & 0xFE)
		return false;
	asl_say(t,
		"Memory32 (%s, 0x%08" PRIX64 ", 0x%08" PRIX64 ", 0x%08" PRIX64 ", 0x%08" PRIX64
		", )",
		pick(d->body.data[0], "ReadOnly", "ReadWrite"), number(d, 1, 4),
		number(d, 5, 4), number(d, 9, 4), number(d, 13, 4));
	return true;
}

static bool say_memory32_fixed(AmlText *t, const Descriptor *d)
{
	if (d->body.data[0] & 0xFE)
		return false;
	asl_say(t, "Memory32Fixed (%s, 0x%08" PRIX64 ", 0x%08" PRIX64 ", )",
		pick(d->body.data[0], "ReadOnly", "ReadWrite"), number(d, 1, 4),
		number(d, 5, 4));
	return true;
}

static bool say_register(AmlText *t, const Descriptor *d)
{
	static const char *const spaces[] = { "SystemMemory", "SystemIO", "PCI_Config",
		"EmbeddedControl", "SMBus" };
	const unsigned space = d->body.data[0];

	if (space < ARRAY_COUNT(spaces))
		asl_say(t, "Register (%s", spaces[space]);
	else if (space == 0x7F)
		asl_say(t, "Register (FFixedHW");
	else
		return false;
	asl_say(t, ", 0x%02" PRIX64 ", 0x%02" PRIX64 ", 0x%016" PRIX64 ", 0x%02" PRIX64 ", )",
		number(d, 1, 1), number(d, 2, 1), number(d, 4, 8), number(d, 3, 1));
	return true;
}

static bool say_interrupt(AmlText *t, const Descriptor *d)
{
	const unsigned flags = d->body.data[0], count = d->body.data[1];

	if (flags & 0xE0 || count == 0 || d->body.len != 2 + (size_t)4 * count)
		return false;
	asl_say(t, "Interrupt (%s, %s, %s, %s, ,, )",
		pick(flags, "ResourceProducer", "ResourceConsumer"),
		pick(flags >> 1, "Level", "Edge"), pick(flags >> 2, "ActiveHigh", "ActiveLow"),
		sharing[flags >> 3 & 3]);
	asl_newline(t);
	asl_say(t, "{");
	t->indent++;
	for (unsigned i = 0; i < count; i++) {
		asl_newline(t);
		asl_say(t, "0x%08" PRIX64 ",", number(d, 2 + 4 * i, 4));
	}
	t->indent--;
	asl_newline(t);
	asl_say(t, "}");
	return true;
}

/*
 * Address spaces: memory, I/O, bus numbers; words, double words, quad words.
 */

typedef struct AddressForm {
	const char *width; /* "QWord" */
	size_t size;       /* of each number */
} AddressForm;

static void say_numbers(AmlText *t, const Descriptor *d, size_t size)
{
	static const char *const names[] = { "granularity", "minimum", "maximum", "translation",
		"length" };

	t->indent++;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		asl_newline(t);
		asl_say(t, "0x%0*" PRIX64 ", // %s", (int)size * 2,
			number(d, 3 + i * size, size), names[i]);
	}
	asl_newline(t);
	t->indent--;
}

static bool say_memory_range(AmlText *t, const Descriptor *d, const AddressForm *form)
{
	static const char *const caching[] = { "NonCacheable", "Cacheable", "WriteCombining",
		"Prefetchable" };
	static const char *const kinds[] = { "AddressRangeMemory", "AddressRangeReserved",
		"AddressRangeACPI", "AddressRangeNVS" };
	const unsigned flags = d->body.data[1], type = d->body.data[2];

	if (type & 0xC0 || form->size == 2)
		return false;
	asl_say(t, "%sMemory (%s, %s, %s, %s, %s, %s,", form->width,
		pick(flags, "ResourceProducer", "ResourceConsumer"),
		pick(flags >> 1, "PosDecode", "SubDecode"),
		pick(flags >> 2, "MinNotFixed", "MinFixed"),
		pick(flags >> 3, "MaxNotFixed", "MaxFixed"), caching[type >> 1 & 3],
		pick(type, "ReadOnly", "ReadWrite"));
	say_numbers(t, d, form->size);
	asl_say(t, ",, , %s, %s)", kinds[type >> 3 & 3],
		pick(type >> 5, "TypeStatic", "TypeTranslation"));
	return true;
}

static bool say_io_range(AmlText *t, const Descriptor *d, const AddressForm *form)
{
	static const char *const ranges[] = { NULL, "NonISAOnlyRanges", "ISAOnlyRanges",
		"EntireRange" };
	const unsigned flags = d->body.data[1], type = d->body.data[2];

	if (type & 0xCC || !ranges[type & 3])
		return false;
	asl_say(t, "%sIO (%s, %s, %s, %s, %s,", form->width,
		pick(flags, "ResourceProducer", "ResourceConsumer"),
		pick(flags >> 2, "MinNotFixed", "MinFixed"),
		pick(flags >> 3, "MaxNotFixed", "MaxFixed"),
		pick(flags >> 1, "PosDecode", "SubDecode"), ranges[type & 3]);
	say_numbers(t, d, form->size);
	asl_say(t, ",, , %s, %s)", pick(type >> 4, "TypeStatic", "TypeTranslation"),
		pick(type >> 5, "DenseTranslation", "SparseTranslation"));
	return true;
}

static bool say_bus_range(AmlText *t, const Descriptor *d, const AddressForm *form)
{
	const unsigned flags = d->body.data[1];

	if (d->body.data[2] || form->size != 2)
		return false;
	asl_say(t, "WordBusNumber (%s, %s, %s, %s,",
		pick(flags, "ResourceProducer", "ResourceConsumer"),
		pick(flags >> 2, "MinNotFixed", "MinFixed"),
		pick(flags >> 3, "MaxNotFixed", "MaxFixed"),
		pick(flags >> 1, "PosDecode", "SubDecode"));
	say_numbers(t, d, form->size);
	asl_say(t, ",, )");
	return true;
}

static bool say_address(AmlText *t, const Descriptor *d)
{
	static bool (*const spaces[])(AmlText *, const Descriptor *,
		const AddressForm *) = { say_memory_range, say_io_range, say_bus_range };
	static const AddressForm forms[] = { { "DWord", 4 }, { "Word", 2 }, { NULL, 0 },
		{ "QWord", 8 } };
	const AddressForm *form = &forms[d->tag - 0x87];

	/* A resource source would stand behind the numbers. */
	if (d->body.len != 3 + 5 * form->size || d->body.data[0] >= ARRAY_COUNT(spaces) ||
		d->body.data[1] & 0xF0)
		return false;
	return spaces[d->body.data[0]](t, d, form);
}

/*
 * Dependent functions are blocks in the text, but not in the bytes.
 */

static void close_function(AmlText *t)
{
	t->indent--;
	asl_newline(t);
	asl_say(t, "}");
	asl_newline(t);
}

static bool say_start(AmlText *t, const Descriptor *d)
{
	if (d->body.len == 0) {
		asl_say(t, "StartDependentFnNoPri ()");
	} else {
		const unsigned priority = d->body.data[0];

		if (priority & 0xF0 || (priority & 3) == 3 || (priority >> 2 & 3) == 3)
			return false;
		asl_say(t, "StartDependentFn (0x%02X, 0x%02X)", priority & 3,
			priority >> 2 & 3);
	}
	asl_newline(t);
	asl_say(t, "{");
	t->indent++;
	return true;
}

static bool say_end(AmlText *t, const Descriptor *d)
{
	(void)d;
	asl_say(t, "EndDependentFn ()");
	return true;
}

typedef struct DescriptorRow {
	uint8_t tag; /* small ones with their length */
	uint8_t len; /* least, of what is behind tag and length */
	bool exact;  /* that, and not more */
	SayDescriptor *say;
} DescriptorRow;

#define TAG_START_LONG 0x31
#define TAG_START 0x30
#define TAG_END_FUNCTION 0x38
#define TAG_END 0x79

static const DescriptorRow rows[] = {
	{ 0x22, 2, true, say_irq },
	{ 0x23, 3, true, say_irq },
	{ 0x2A, 2, true, say_dma },
	{ TAG_START, 0, true, say_start },
	{ TAG_START_LONG, 1, true, say_start },
	{ TAG_END_FUNCTION, 0, true, say_end },
	{ 0x47, 7, true, say_io },
	{ 0x4B, 3, true, say_fixed_io },
	{ 0x55, 5, true, say_fixed_dma },
	{ 0x71, 1, true, say_vendor },
	{ 0x72, 2, true, say_vendor },
	{ 0x73, 3, true, say_vendor },
	{ 0x74, 4, true, say_vendor },
	{ 0x75, 5, true, say_vendor },
	{ 0x76, 6, true, say_vendor },
	{ 0x77, 7, true, say_vendor },
	{ 0x81, 9, true, say_memory24 },
	{ 0x82, 12, true, say_register },
	{ 0x84, 1, false, say_vendor },
	{ 0x85, 17, true, say_memory32 },
	{ 0x86, 9, true, say_memory32_fixed },
	{ 0x87, 23, true, say_address },
	{ 0x88, 13, true, say_address },
	{ 0x89, 6, false, say_interrupt },
	{ 0x8A, 43, true, say_address },
};

static const DescriptorRow *row_of(const Descriptor *d)
{
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (rows[i].tag == d->tag && d->body.len >= rows[i].len &&
			(!rows[i].exact || d->body.len == rows[i].len))
			return &rows[i];
	}
	return NULL;
}

/* The next descriptor; false when it does not fit. */
static bool take_descriptor(Bytes bytes, size_t *at, Descriptor *out)
{
	const size_t left = bytes.len - *at;
	const uint8_t *data = bytes.data + *at;
	size_t head = 1, len;

	if (left == 0)
		return false;
	if (data[0] & 0x80) {
		if (left < 3)
			return false;
		head = 3;
		len = (size_t)(data[1] | data[2] << 8);
	} else {
		len = data[0] & 7;
	}
	if (len > left - head)
		return false;
	*out = (Descriptor){ data[0], { data + head, len } };
	*at += head + len;
	return true;
}

static bool say_descriptors(AmlText *t, Bytes bytes)
{
	size_t at = 0;
	bool inside = false;
	Descriptor d;

	while (take_descriptor(bytes, &at, &d)) {
		const DescriptorRow *row = row_of(&d);
		const bool starts = d.tag == TAG_START || d.tag == TAG_START_LONG;

		if (d.tag == TAG_END)
			return at == bytes.len && d.body.data[0] == 0 && !inside;
		if (!row || (d.tag == TAG_END_FUNCTION && !inside))
			return false;
		if (inside && (starts || d.tag == TAG_END_FUNCTION))
			close_function(t);
		else
			asl_newline(t);
		inside = starts || (inside && d.tag != TAG_END_FUNCTION);
		if (!row->say(t, &d))
			return false;
	}
	return false;
}

bool asl_resources(AmlText *t, Bytes bytes)
{
	const ByteWriter out = t->out;
	const unsigned indent = t->indent;
	const char *remark = t->remark;

	asl_say(t, "ResourceTemplate ()");
	asl_newline(t);
	asl_say(t, "{");
	t->indent++;
	if (!say_descriptors(t, bytes)) {
		/* What was said is taken back. */
		t->out = out;
		t->indent = indent;
		t->remark = remark;
		return false;
	}
	t->indent = indent;
	asl_newline(t);
	asl_say(t, "}");
	return true;
}
