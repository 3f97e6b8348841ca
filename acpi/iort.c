/*
 * IORT: how I/O reaches memory and the interrupt controller on aarch64. [IORT] 3
 */
#include <inttypes.h>

#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"
#include "support/diagnostics.h"

#define IORT_REVISION 5
#define ALL_IDS 0xFFFF     /* a mapping's "number minus one": every requester id of a segment */
#define RESERVED_MAX 1024u /* keeps a node's length far from 16 bits */
#define NODES_MAX 1000u    /* bridges and SMMUs: both carry a bridge index */

enum {
	IORT_ITS_GROUP = 0,
	IORT_ROOT_COMPLEX = 2,
	IORT_SMMU_V3 = 4,
	IORT_RMR = 6,
	SMMU_COHERENT = 1 << 0,
	SMMU_DEVICE_ID_VALID = 1 << 4,
	MAPPING_SINGLE = 1 << 0,
	MEMORY_COHERENT_PATH = 3, /* coherent path, attributes are cacheable and shareable */
	RMR_IDENTIFIER = 0x1000,  /* and the SMMU's place in the list */
};

/* Where the nodes lie that others refer to; offsets from the table's start. */
typedef struct IortOffsets {
	uint32_t its;   /* 0 = no ITS */
	uint32_t smmus; /* the first; the others follow, all of one size */
	uint32_t smmu_size;
} IortOffsets;

static size_t smmu_count(const AcpiInputs *in)
{
	return in->iommu.kind == ACPI_IOMMU_SMMU ? in->iommu.unit_count : 0;
}

size_t acpi_bound_iort(const AcpiInputs *in)
{
	size_t bound = sizeof(AcpiHeader) + sizeof(IortHead) + sizeof(IortIts) +
		in->bridge_count * (sizeof(IortRootComplex) + sizeof(IortMapping));

	for (size_t i = 0; i < smmu_count(in); i++) {
		const size_t ranges = in->iommu.smmu[i].reserved.count;

		bound += sizeof(IortSmmu) + 2 * sizeof(IortMapping) + sizeof(IortReserved) +
			(ranges < RESERVED_MAX ? ranges : RESERVED_MAX) *
				sizeof(IortReservedRange);
	}
	return bound;
}

/* Place of the SMMU that serves a bridge, or -1. */
static int find_smmu(const AcpiInputs *in, uint32_t bridge_index)
{
	for (size_t i = 0; i < smmu_count(in); i++) {
		if (in->iommu.smmu[i].bridge_index == bridge_index)
			return (int)i;
	}
	return -1;
}

static bool has_bridge(const AcpiInputs *in, uint32_t index)
{
	for (size_t i = 0; i < in->bridge_count; i++) {
		if (in->bridges[i].index == index)
			return true;
	}
	return false;
}

static bool check(const AcpiInputs *in, Error *err)
{
	if (in->bridge_count > NODES_MAX || smmu_count(in) > NODES_MAX)
		return error_set(err, PVW_ACPI_0019,
			"iort: %zu bridges and %zu smmus, expected at most %u",
			in->bridge_count, smmu_count(in), NODES_MAX);
	for (size_t i = 0; i < smmu_count(in); i++) {
		const AcpiSmmu *smmu = &in->iommu.smmu[i];

		if (!has_bridge(in, smmu->bridge_index))
			return error_set(err, PVW_ACPI_0019,
				"iort: smmu %zu serves bridge %u, which is not there", i,
				smmu->bridge_index);
		if (find_smmu(in, smmu->bridge_index) != (int)i)
			return error_set(err, PVW_ACPI_0019,
				"iort: two smmus serve bridge %u, expected at most one",
				smmu->bridge_index);
		if (smmu->reserved.count > RESERVED_MAX)
			return error_set(err, PVW_ACPI_0019,
				"iort: %zu reserved ranges, expected at most %u",
				smmu->reserved.count, RESERVED_MAX);
	}
	return true;
}

static void put_its(ByteWriter *w)
{
	const IortIts its = {
		.node = { .type = IORT_ITS_GROUP, .length = sizeof(its), .revision = 1 },
		.count = 1
	};

	put_struct(w, its);
}

/* With an ITS: requests of devices, and the SMMU's own, which is a single id. */
static void put_smmu(ByteWriter *w, const AcpiSmmu *smmu, uint32_t its)
{
	const IortMapping requests = { .id_count = ALL_IDS,
		.output_base = (uint32_t)smmu->segment << 16,
		.reference = its };
	const IortMapping own = { .reference = its, .flags = MAPPING_SINGLE };
	const size_t mappings = its ? 2 : 0;
	const IortSmmu node = {
		.node = { .type = IORT_SMMU_V3,
			.length = (uint16_t)(sizeof(node) + mappings * sizeof(own)),
			.revision = 5,
			.identifier = smmu->bridge_index,
			.mapping_count = (uint32_t)mappings,
			.mapping_offset = its ? sizeof(node) : 0 },
		.base = smmu->base,
		.flags = its ? SMMU_COHERENT | SMMU_DEVICE_ID_VALID : SMMU_COHERENT,
		.event_gsiv = smmu->event_gsiv,
		.error_gsiv = smmu->error_gsiv,
		.device_id_mapping = its ? 1 : 0
	};

	put_struct(w, node);
	if (its) {
		put_struct(w, requests);
		put_struct(w, own);
	}
}

/* To the SMMU of this bridge, else straight to the ITS, else nowhere. */
static void put_root_complex(
	ByteWriter *w, const AcpiInputs *in, const AcpiBridge *bridge, const IortOffsets *at)
{
	const int smmu = find_smmu(in, bridge->index);
	const IortMapping mapping = { .id_count = ALL_IDS,
		.output_base = smmu >= 0 ? 0 : (uint32_t)bridge->segment << 16,
		.reference = smmu >= 0 ? at->smmus + (uint32_t)smmu * at->smmu_size : at->its };
	const bool mapped = mapping.reference != 0;
	const IortRootComplex node = {
		.node = { .type = IORT_ROOT_COMPLEX,
			.length = (uint16_t)(sizeof(node) + (mapped ? sizeof(mapping) : 0)),
			.revision = 3,
			.identifier = bridge->index,
			.mapping_count = mapped ? 1 : 0,
			.mapping_offset = mapped ? sizeof(node) : 0 },
		.coherent = 1,
		.memory_flags = MEMORY_COHERENT_PATH,
		.segment = bridge->segment,
		.address_bits = 64
	};

	put_struct(w, node);
	if (mapped)
		put_struct(w, mapping);
}

static void put_reserved(
	ByteWriter *w, const AcpiSmmu *smmu, size_t place, const IortOffsets *at)
{
	const IortReserved node = {
		.node = { .type = IORT_RMR,
			.length = (uint16_t)(sizeof(node) +
				smmu->reserved.count * sizeof(IortReservedRange)),
			.revision = 3,
			.identifier = RMR_IDENTIFIER + (uint32_t)place,
			.mapping_count = 1,
			.mapping_offset = offsetof(IortReserved, mapping) },
		.descriptor_count = (uint32_t)smmu->reserved.count,
		.descriptor_offset = sizeof(node),
		.mapping = { .id_count = ALL_IDS,
			.reference = at->smmus + (uint32_t)place * at->smmu_size }
	};

	put_struct(w, node);
	for (size_t i = 0; i < smmu->reserved.count; i++) {
		const IortReservedRange range = { .base = smmu->reserved.items[i].start,
			.len = memory_range_len(smmu->reserved.items[i]) };

		put_struct(w, range);
	}
}

static uint32_t count_nodes(const AcpiInputs *in, bool its)
{
	size_t count = (its ? 1 : 0) + in->bridge_count + smmu_count(in);

	for (size_t i = 0; i < smmu_count(in); i++)
		count += in->iommu.smmu[i].reserved.count > 0;
	return (uint32_t)count;
}

bool acpi_put_iort(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const AcpiInputs *in = c->in;
	const bool its = in->topology->arm.msi == GIC_MSI_ITS;
	const IortHead head = { .node_count = count_nodes(in, its),
		.node_offset = sizeof(AcpiHeader) + sizeof(head) };
	const IortOffsets at = { .its = its ? head.node_offset : 0,
		.smmus = head.node_offset + (its ? (uint32_t)sizeof(IortIts) : 0),
		.smmu_size =
			(uint32_t)(sizeof(IortSmmu) + (its ? 2 * sizeof(IortMapping) : 0)) };
	size_t mark;

	if (!check(in, err))
		return false;
	mark = acpi_table_begin(
		w, "IORT", IORT_REVISION, acpi_identity(in, ACPI_IDENTITY_TABLES));
	put_struct(w, head);
	if (its)
		put_its(w);
	for (size_t i = 0; i < smmu_count(in); i++)
		put_smmu(w, &in->iommu.smmu[i], at.its);
	for (size_t i = 0; i < in->bridge_count; i++)
		put_root_complex(w, in, &in->bridges[i], &at);
	for (size_t i = 0; i < smmu_count(in); i++) {
		if (in->iommu.smmu[i].reserved.count > 0)
			put_reserved(w, &in->iommu.smmu[i], i, &at);
	}
	acpi_table_end(w, mark);
	return true;
}
