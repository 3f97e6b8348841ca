/*
 * SSDT: PCI Express and CXL host bridges. [ACPI65] 6.2.11; PCI Firmware Specification 3.3, 4.5;
 * bytes of the reference profile: [OVMM] vm/acpi/src/ssdt.rs.
 */
#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"
#include "support/diagnostics.h"

#define SSDT_REVISION 2
#define BRIDGE_INDEX_END 1000
#define BRIDGE_BOUND 640 /* more than one bridge and its reservation */
#define OSC_BOUND 192    /* more than either _OSC */

/* GUIDs in memory order: the first three groups are little-endian. */
static const uint8_t osc_pci[16] = { 0x5B, 0x4D, 0xDB, 0x33, 0xF7, 0x1F, 0x1C, 0x40, 0x96, 0x57,
	0x74, 0x41, 0xC0, 0x3D, 0xD7, 0x66 };
static const uint8_t osc_cxl[16] = { 0x0B, 0xD5, 0xF2, 0x68, 0x69, 0xC4, 0x8A, 0x4D, 0xBD, 0x3D,
	0x94, 0x1A, 0x10, 0x3F, 0xD3, 0xFC };
static const uint8_t dsm_pci[16] = { 0xD0, 0x37, 0xC9, 0xE5, 0x53, 0x35, 0x7A, 0x4D, 0x91, 0x17,
	0xEA, 0x4D, 0x19, 0xC3, 0x43, 0x4D };

/* _OSC's answer: what went wrong. [ACPI65] 6.2.11.1 */
enum {
	OSC_FAILURE = 1 << 1,
	OSC_UNKNOWN_GUID = 1 << 2,
};

enum {
	DSM_FUNCTIONS = 0,
	DSM_PRESERVE_BOOT_CONFIG = 5,
	DSM_SUPPORTED = 1 << DSM_FUNCTIONS | 1 << DSM_PRESERVE_BOOT_CONFIG,
};

size_t acpi_bound_ssdt(const AcpiInputs *in)
{
	return sizeof(AcpiHeader) + 64 + in->bridge_count * BRIDGE_BOUND;
}

static bool check_index(uint32_t index, Error *err)
{
	if (index >= BRIDGE_INDEX_END)
		return error_set(err, PVW_ACPI_0020, "ssdt: bridge %u, expected at most %d",
			index, BRIDGE_INDEX_END - 1);
	return true;
}

/* PC and two digits of base 36: never the name of a processor. */
bool ssdt_bridge_name(const AcpiInputs *in, uint32_t index, char name[4], Error *err)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	(void)in;
	if (!check_index(index, err))
		return false;
	name[0] = 'P';
	name[1] = 'C';
	name[2] = digits[index / 36];
	name[3] = digits[index % 36];
	return true;
}

/* The decimal number over the right end of "PCI0"; from 100 on such a name may be a processor's. */
bool ssdt_bridge_name_reference(const AcpiInputs *in, uint32_t index, char name[4], Error *err)
{
	if (!check_index(index, err))
		return false;
	if (index >= 100 && in->with_processors && index <= in->topology->count)
		return error_set(err, PVW_ACPI_0020,
			"ssdt: bridge %u has the name of processor %u, expected another index",
			index, index);
	memcpy(name, "PCI0", 4);
	for (size_t place = 3; place > 0; place--, index /= 10) {
		if (index || place == 3)
			name[place] = (char)('0' + index % 10);
	}
	return true;
}

static void put_integer_name(Aml *aml, const char *segment, uint64_t value)
{
	aml_name(aml, segment);
	aml_integer(aml, value);
}

/*
 * Name (_HID, EisaId ("PNP0A08")) Name (_CID, EisaId ("PNP0A03"))
 * with CXL: Name (_HID, "ACPI0016")
 *	Name (_CID, Package (2) { EisaId ("PNP0A03"), EisaId ("PNP0A08") })
 *
 * _CID PNP0A03 is what makes Linux honour _CRS.
 */
static void put_ids(Aml *aml, const AcpiBridge *bridge)
{
	aml_name(aml, "_HID");
	if (bridge->cxl) {
		aml_string(aml, "ACPI0016");
		aml_name(aml, "_CID");
		aml_package(aml, 2);
		aml_dword(aml, AML_EISA_PNP(0x0A03));
		aml_dword(aml, AML_EISA_PNP(0x0A08));
		aml_close(aml);
	} else {
		aml_dword(aml, AML_EISA_PNP(0x0A08));
		aml_name(aml, "_CID");
		aml_dword(aml, AML_EISA_PNP(0x0A03));
	}
	put_integer_name(aml, "_UID", bridge->index);
	put_integer_name(aml, "_SEG", bridge->segment);
	put_integer_name(aml, "_BBN", bridge->start_bus);
	put_integer_name(aml, "_CCA", 1);
	if (bridge->has_vnode)
		put_integer_name(aml, "_PXM", bridge->vnode);
}

/* Store (0, STS0) } */
static void status_good_close(Aml *aml)
{
	aml_op(aml, AML_STORE);
	aml_integer(aml, 0);
	aml_segment(aml, "STS0");
	aml_close(aml);
}

/* Or (STS0, @flags, STS0) } */
static void status_bad_close(Aml *aml, unsigned flags)
{
	aml_op(aml, AML_OR);
	aml_segment(aml, "STS0");
	aml_integer(aml, flags);
	aml_segment(aml, "STS0");
	aml_close(aml);
}

/*
 * If (LEqual (Arg0, ToUUID ("68F2D50B-C469-4D8A-BD3D-941A103FD3FC"))) {
 *	If (LEqual (Arg1, 1)) { Store (0, STS0) } Else { Or (STS0, 2, STS0) }
 * } Else { Or (STS0, 4, STS0) }
 */
static void put_osc_cxl(Aml *aml)
{
	aml_if_uuid(aml, AML_ARG0, osc_cxl);
	aml_if_equal(aml, AML_ARG1, 1);
	status_good_close(aml);
	aml_else(aml);
	status_bad_close(aml, OSC_FAILURE);
	aml_close(aml);
	aml_else(aml);
	status_bad_close(aml, OSC_UNKNOWN_GUID);
}

/*
 * Method (_OSC, 4) {
 *	CreateDWordField (Arg3, 0, STS0)
 *	If (LEqual (Arg0, ToUUID ("33DB4D5B-1FF7-401C-9657-7441C03DD766"))) { Store (0, STS0) }
 *	Else { Or (STS0, 4, STS0) }		// CXL: the test above instead
 *	Return (Arg3) }
 */
static void build_osc(Aml *aml, const AcpiForm *form, const AcpiBridge *bridge)
{
	aml_method(aml, "_OSC", 4 | form->osc_flags);
	aml_op(aml, AML_CREATE_DWORD_FIELD);
	aml_op(aml, AML_ARG3);
	aml_integer(aml, 0);
	aml_segment(aml, "STS0");
	aml_if_uuid(aml, AML_ARG0, osc_pci);
	status_good_close(aml);
	aml_else(aml);
	if (bridge->cxl) {
		put_osc_cxl(aml);
		aml_close(aml);
	} else {
		status_bad_close(aml, OSC_UNKNOWN_GUID);
	}
	aml_op(aml, AML_RETURN);
	aml_op(aml, AML_ARG3);
	aml_close(aml);
}

/* The same for every bridge of a kind, so it is encoded once and copied. */
typedef struct OscMethod {
	size_t len; /* 0: not encoded yet */
	uint8_t bytes[OSC_BOUND];
} OscMethod;

static void encode_osc(
	const AcpiForm *form, const AcpiBridge *bridge, Error *err, OscMethod *osc)
{
	ByteWriter w = byte_writer_on(osc->bytes, sizeof(osc->bytes));
	UNINITIALIZED Aml aml;
	bool good;

	aml_begin(&aml, &w, err);
	build_osc(&aml, form, bridge);
	good = aml_finish(&aml);
	assert(good && !w.overflow);
	(void)good;
	osc->len = w.len;
}

/*
 * Method (_DSM, 4) {
 *	If (LEqual (Arg0, ToUUID ("E5C937D0-3553-4D7A-9117-EA4D19C3434D"))) {
 *		If (LEqual (Arg2, 0)) { Return (Buffer () { 0x21 }) }
 *		If (LEqual (Arg2, 5)) { Return (0) } }
 *	Return (Buffer (0) { }) }
 */
static void put_dsm(Aml *aml)
{
	static const uint8_t functions[] = { DSM_SUPPORTED };

	aml_method(aml, "_DSM", 4);
	aml_if_uuid(aml, AML_ARG0, dsm_pci);
	aml_if_equal(aml, AML_ARG2, DSM_FUNCTIONS);
	aml_op(aml, AML_RETURN);
	aml_buffer(aml, (Bytes){ .data = functions, .len = sizeof(functions) });
	aml_close(aml);
	aml_if_equal(aml, AML_ARG2, DSM_PRESERVE_BOOT_CONFIG);
	aml_op(aml, AML_RETURN);
	aml_integer(aml, 0);
	aml_close(aml);
	aml_close(aml);
	aml_op(aml, AML_RETURN);
	aml_buffer(aml, (Bytes){ 0 });
	aml_close(aml);
}

/*
 * Device (PCI0) { …ids… Method (_OSC, 4) … Method (_DSM, 4) …
 *	Name (_CRS, ResourceTemplate () {
 *		WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 255, 0, 256)
 *		QWordMemory (ResourceProducer, …low…)		// each only if it is not empty
 *		QWordMemory (ResourceProducer, …high…) }) }
 */
static void put_bridge(Aml *aml, const AcpiForm *form, const char name[4],
	const AcpiBridge *bridge, OscMethod osc[2])
{
	OscMethod *const method = &osc[bridge->cxl != NULL];

	aml_device_segment(aml, name);
	put_ids(aml, bridge);
	if (method->len == 0)
		encode_osc(form, bridge, aml->err, method);
	put_bytes(aml->out, method->bytes, method->len);
	if (bridge->preserve_boot_config)
		put_dsm(aml);
	aml_resources(aml);
	resource_bus_numbers(aml, bridge->start_bus,
		bridge->end_bus >= bridge->start_bus
			? (uint32_t)(bridge->end_bus - bridge->start_bus) + 1
			: 0);
	resource_window_of(aml, RESOURCE_PRODUCER, bridge->low);
	resource_window_of(aml, RESOURCE_PRODUCER, bridge->high);
	aml_close(aml);
	aml_close(aml);
}

/*
 * Device (VMOD) { Name (_HID, EisaId ("PNP0C02"))
 *	Name (_CRS, ResourceTemplate () { QWordMemory (ResourceProducer, …ECAM of each bridge…) }) }
 *
 * A reservation is what makes Linux trust the configuration space.
 */
static void put_ecam(Aml *aml, const AcpiForm *form, const AcpiInputs *in)
{
	aml_device_segment(aml, form->ecam_device);
	aml_name(aml, "_HID");
	aml_dword(aml, AML_EISA_PNP(0x0C02));
	if (form->ecam_device_uid)
		put_integer_name(aml, "_UID", 0);
	aml_resources(aml);
	for (size_t i = 0; i < in->bridge_count; i++) {
		const MemoryRange ecam = in->bridges[i].ecam;

		resource_window(aml, form->leaf_use, ecam.start, memory_range_len(ecam));
	}
	aml_close(aml);
	aml_close(aml);
}

bool acpi_put_ssdt(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const AcpiInputs *in = c->in;
	const AcpiForm *form = acpi_form(in->profile);
	const size_t mark = acpi_table_begin(
		w, "SSDT", SSDT_REVISION, acpi_identity(in, ACPI_IDENTITY_SSDT));
	UNINITIALIZED OscMethod osc[2];
	UNINITIALIZED Aml aml;

	osc[0].len = osc[1].len = 0;
	aml_begin(&aml, w, err);
	if (in->bridge_count && form->scope)
		aml_scope(&aml, form->scope);
	for (size_t i = 0; i < in->bridge_count; i++) {
		char name[4];

		if (!form->bridge_name(in, in->bridges[i].index, name, err))
			return false;
		put_bridge(&aml, form, name, &in->bridges[i], osc);
	}
	if (in->bridge_count)
		put_ecam(&aml, form, in);
	if (in->bridge_count && form->scope)
		aml_close(&aml);
	if (!aml_finish(&aml))
		return error_wrap(err, "ssdt");
	acpi_table_end(w, mark);
	return true;
}
