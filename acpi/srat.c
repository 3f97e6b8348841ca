/*
 * SRAT: which processor, memory and initiator belongs to which node. [ACPI65] 5.2.16
 */
#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"
#include "support/diagnostics.h"

#define SRAT_REVISION 3

size_t acpi_bound_srat(const AcpiInputs *in)
{
	return sizeof(AcpiHeader) + sizeof(SratHead) +
		in->topology->count * sizeof(SratLocalX2Apic) +
		in->ram.count * sizeof(SratMemory) +
		in->initiator_count * sizeof(SratGenericInitiator);
}

static void put_apics(ByteWriter *w, const VirtualProcessor *vps, size_t count)
{
	SratLocalApic *const out = (SratLocalApic *)byte_writer_take(w, count * sizeof(*out));

	if (!out)
		return;
	for (size_t i = 0; i < count; i++)
		out[i] = (SratLocalApic){ .type = SRAT_LOCAL_APIC,
			.length = sizeof(*out),
			.domain_low = (uint8_t)vps[i].vnode,
			.apic_id = (uint8_t)vps[i].apic_id,
			.flags = ACPI_ENTRY_ENABLED,
			.domain_high = { (uint8_t)(vps[i].vnode >> 8),
				(uint8_t)(vps[i].vnode >> 16),
				(uint8_t)(vps[i].vnode >> 24) } };
}

static void put_x2apics(ByteWriter *w, const VirtualProcessor *vps, size_t count)
{
	SratLocalX2Apic *const out =
		(SratLocalX2Apic *)byte_writer_take(w, count * sizeof(*out));

	if (!out)
		return;
	for (size_t i = 0; i < count; i++)
		out[i] = (SratLocalX2Apic){ .type = SRAT_LOCAL_X2APIC,
			.length = sizeof(*out),
			.domain = vps[i].vnode,
			.x2apic_id = vps[i].apic_id,
			.flags = ACPI_ENTRY_ENABLED };
}

/* Unlike the MADT, only the id decides; a run of equal entries at a time. */
static void put_processors_x86(ByteWriter *w, const ProcessorTopology *topology)
{
	const VirtualProcessor *vps = topology->vps;
	size_t at = 0;

	while (at < topology->count) {
		size_t end = at;

		while (end < topology->count && vps[end].apic_id <= XAPIC_ID_MAX)
			end++;
		put_apics(w, vps + at, end - at);
		for (at = end; end < topology->count && vps[end].apic_id > XAPIC_ID_MAX;)
			end++;
		put_x2apics(w, vps + at, end - at);
		at = end;
	}
}

static void put_processors_arm64(ByteWriter *w, const ProcessorTopology *topology)
{
	for (size_t vp = 0; vp < topology->count; vp++) {
		const SratGicc gicc = { .type = SRAT_GICC,
			.length = sizeof(gicc),
			.domain = topology->vps[vp].vnode,
			.uid = acpi_processor_uid(vp),
			.flags = ACPI_ENTRY_ENABLED };

		put_struct(w, gicc);
	}
}

static void put_memory(ByteWriter *w, NodeRangeList ram)
{
	for (size_t i = 0; i < ram.count; i++) {
		const SratMemory memory = { .type = SRAT_MEMORY,
			.length = sizeof(memory),
			.domain = ram.items[i].vnode,
			.base = ram.items[i].range.start,
			.len = memory_range_len(ram.items[i].range),
			.flags = ACPI_ENTRY_ENABLED };

		/* An entry without length makes Linux refuse the whole table. */
		if (!memory_range_is_empty(ram.items[i].range))
			put_struct(w, memory);
	}
}

static void put_initiators(ByteWriter *w, const AcpiGenericInitiator *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const SratGenericInitiator initiator = { .type = SRAT_GENERIC_INITIATOR,
			.length = sizeof(initiator),
			.handle_type = SRAT_HANDLE_PCI,
			.domain = items[i].vnode,
			.segment = items[i].segment,
			.bus = items[i].bus,
			.devfn = (uint8_t)(items[i].device << 3 | items[i].function),
			.flags = ACPI_ENTRY_ENABLED };

		put_struct(w, initiator);
	}
}

bool acpi_put_srat(const AcpiContext *c, ByteWriter *w, Error *err)
{
	static void (*const put_processors[GUEST_ARCH_COUNT])(ByteWriter *,
		const ProcessorTopology *) = { put_processors_x86, put_processors_arm64 };
	const AcpiInputs *in = c->in;
	const SratHead head = { .reserved_1 = 1 };
	size_t mark;

	for (size_t i = 0; i < in->initiator_count; i++) {
		const AcpiGenericInitiator *one = &in->initiators[i];

		if (one->device > 31 || one->function > 7)
			return error_set(err, PVW_ACPI_0013,
				"srat: pci device %u function %u, expected at most 31 and 7",
				one->device, one->function);
	}
	mark = acpi_table_begin(
		w, "SRAT", SRAT_REVISION, acpi_identity(in, ACPI_IDENTITY_TABLES));
	put_struct(w, head);
	put_processors[in->topology->arch](w, in->topology);
	put_memory(w, in->ram);
	put_initiators(w, in->initiators, in->initiator_count);
	acpi_table_end(w, mark);
	return true;
}
