/*
 * Which tables there are, and a set of them in one block. [ACPI65] 5.2
 */
#include "acpi/acpi_build.h"

#include <inttypes.h>

#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"
#include "support/checked.h"
#include "support/diagnostics.h"

#define XSDT_REVISION 1
#define TABLE_ALIGN 8
#define FACS_ALIGN 64 /* [ACPI65] 5.2.10 */

static bool always(const AcpiInputs *in)
{
	(void)in;
	return true;
}

static bool has_distances(const AcpiInputs *in)
{
	return in->distances;
}

static bool has_psp(const AcpiInputs *in)
{
	return in->with_psp;
}

static bool has_bridges(const AcpiInputs *in)
{
	return in->bridge_count > 0;
}

/* Without a bridge there is nothing to remap; the table's builder says so. */
static bool has_iort(const AcpiInputs *in)
{
	return in->bridge_count > 0 || in->iommu.kind == ACPI_IOMMU_SMMU;
}

static bool has_cxl(const AcpiInputs *in)
{
	for (size_t i = 0; i < in->bridge_count; i++) {
		if (in->bridges[i].cxl)
			return true;
	}
	return false;
}

static bool has_caches(const AcpiInputs *in)
{
	return in->with_caches;
}

static bool has_amdvi(const AcpiInputs *in)
{
	return in->iommu.kind == ACPI_IOMMU_AMDVI;
}

static bool has_vtd(const AcpiInputs *in)
{
	return in->iommu.kind == ACPI_IOMMU_VTD;
}

static bool has_facs(const AcpiInputs *in)
{
	return in->with_facs;
}

static bool has_waet(const AcpiInputs *in)
{
	return in->with_waet;
}

static bool has_console(const AcpiInputs *in)
{
	return in->console.kind != ACPI_PORT_NONE;
}

static bool has_debug_port(const AcpiInputs *in)
{
	return in->debug_port.kind != ACPI_PORT_NONE;
}

typedef struct AcpiBuilder {
	bool (*put)(const AcpiContext *c, ByteWriter *w, Error *err);
	size_t (*bound)(const AcpiInputs *in);
} AcpiBuilder;

#define BUILDER(table)                                                                         \
	{                                                                                      \
		acpi_put_##table, acpi_bound_##table                                           \
	}

/* Emitted in this order. */
static const struct AcpiTableSpec {
	const char *signature;
	bool (*wanted)(const AcpiInputs *in);
	AcpiBuilder builder[GUEST_ARCH_COUNT];
} specs[ACPI_TABLE_COUNT] = {
	[ACPI_DSDT] = { "DSDT", always, { BUILDER(dsdt), BUILDER(dsdt) } },
	[ACPI_FACS] = { "FACS", has_facs, { BUILDER(facs) } },
	[ACPI_FADT] = { "FACP", always, { BUILDER(fadt_x86), BUILDER(fadt_arm64) } },
	[ACPI_ASPT] = { "ASPT", has_psp, { BUILDER(aspt) } },
	[ACPI_MADT] = { "APIC", always, { BUILDER(madt_x86), BUILDER(madt_arm64) } },
	[ACPI_SRAT] = { "SRAT", always, { BUILDER(srat), BUILDER(srat) } },
	[ACPI_SLIT] = { "SLIT", has_distances, { BUILDER(slit), BUILDER(slit) } },
	[ACPI_MCFG] = { "MCFG", has_bridges, { BUILDER(mcfg), BUILDER(mcfg) } },
	[ACPI_IORT] = { "IORT", has_iort, { [GUEST_ARCH_AARCH64] = BUILDER(iort) } },
	[ACPI_SSDT] = { "SSDT", has_bridges, { BUILDER(ssdt), BUILDER(ssdt) } },
	[ACPI_CEDT] = { "CEDT", has_cxl, { BUILDER(cedt), BUILDER(cedt) } },
	[ACPI_PPTT] = { "PPTT", has_caches, { BUILDER(pptt), BUILDER(pptt) } },
	[ACPI_IVRS] = { "IVRS", has_amdvi, { BUILDER(ivrs) } },
	[ACPI_DMAR] = { "DMAR", has_vtd, { BUILDER(dmar) } },
	[ACPI_GTDT] = { "GTDT", always, { [GUEST_ARCH_AARCH64] = BUILDER(gtdt) } },
	[ACPI_SPCR] = { "SPCR", has_console, { BUILDER(spcr), BUILDER(spcr) } },
	[ACPI_DBG2] = { "DBG2", has_debug_port, { BUILDER(dbg2), BUILDER(dbg2) } },
	[ACPI_WAET] = { "WAET", has_waet, { BUILDER(waet) } },
};
#undef BUILDER

/* The XSDT lists all others. */
static bool is_listed_by_fadt(AcpiTableId id)
{
	return id == ACPI_DSDT || id == ACPI_FACS;
}

static const AcpiBuilder *builder_of(AcpiTableId id, const AcpiInputs *in)
{
	return &specs[id].builder[in->topology->arch];
}

const char *acpi_table_signature(AcpiTableId id)
{
	assert(id < ACPI_TABLE_COUNT);
	return specs[id].signature;
}

bool acpi_table_wanted(AcpiTableId id, const AcpiInputs *in)
{
	assert(id < ACPI_TABLE_COUNT);
	return builder_of(id, in)->put && specs[id].wanted(in);
}

static bool check(const AcpiInputs *in, Error *err)
{
	if (in->topology->count == 0 || in->topology->count > ACPI_PROCESSORS_MAX)
		return error_set(err, PVW_ACPI_0015, "%zu processors, expected 1 to %zu",
			in->topology->count, ACPI_PROCESSORS_MAX);
	if (in->bridge_count > ACPI_LIST_MAX || in->iommu.unit_count > ACPI_LIST_MAX ||
		in->uart_count > ACPI_LIST_MAX || in->sbsa_uart_count > ACPI_LIST_MAX ||
		(in->devices && in->devices->count > ACPI_LIST_MAX) ||
		in->initiator_count > ACPI_LIST_MAX || in->ram.count > ACPI_LIST_MAX)
		return error_set(err, PVW_ACPI_0015,
			"a list of more than the expected %zu bridges, units, devices or "
			"ranges",
			ACPI_LIST_MAX);
	return true;
}

/* What the PPTT's builder sorts in; nothing when there is no PPTT. */
static bool alloc_places(const AcpiInputs *in, Arena *arena, AcpiContext *context, Error *err)
{
	if (!in->with_caches)
		return true;
	context->places = arena_array(arena, AcpiPlace, in->topology->count, err);
	return context->places;
}

bool acpi_build_table(
	AcpiTableId id, const AcpiInputs *in, Arena *arena, Bytes *out, Error *err)
{
	AcpiContext context = { .in = in };
	const AcpiBuilder *builder;
	ByteWriter w;

	assert(id < ACPI_TABLE_COUNT);
	builder = builder_of(id, in);
	if (!builder->put)
		return error_set(err, PVW_ACPI_0016, "%s: not a table of %s",
			specs[id].signature, guest_arch_name(in->topology->arch));
	if (!check(in, err))
		return false;
	if (id == ACPI_PPTT && !alloc_places(in, arena, &context, err))
		return error_wrap(err, "pptt");
	if (!byte_writer_in_arena(arena, builder->bound(in), &w, err))
		return error_wrap(err, "%s", specs[id].signature);
	if (!builder->put(&context, &w, err)) {
		arena_shrink(arena, w.base, 0);
		return false;
	}
	return byte_writer_finish(&w, specs[id].signature, out, err);
}

/* The tables of a set, in order. */
typedef struct AcpiPieces {
	AcpiTableId ids[ACPI_TABLE_COUNT];
	size_t count;
	size_t bound; /* of all, with their padding, the XSDT and the RSDP */
} AcpiPieces;

static void list_pieces(const AcpiInputs *in, AcpiPieces *out)
{
	out->count = 0;
	out->bound = sizeof(AcpiHeader) + ACPI_TABLE_COUNT * sizeof(uint64_t) + TABLE_ALIGN +
		FACS_ALIGN + sizeof(AcpiRsdp);
	for (AcpiTableId id = 0; id < ACPI_TABLE_COUNT; id++) {
		if (!acpi_table_wanted(id, in))
			continue;
		out->ids[out->count++] = id;
		out->bound += builder_of(id, in)->bound(in) + TABLE_ALIGN;
	}
}

static bool put_pieces(AcpiContext *context, const AcpiPieces *pieces, uint64_t gpa,
	ByteWriter *w, AcpiSet *set, Error *err)
{
	for (size_t i = 0; i < pieces->count; i++) {
		const AcpiTableId id = pieces->ids[i];
		size_t mark;

		if (id == ACPI_FACS)
			put_zeros(w, -(gpa + w->len) & (FACS_ALIGN - 1));
		mark = w->len;
		if (!builder_of(id, context->in)->put(context, w, err))
			return false;
		set->at[id] = gpa + mark;
		set->len[id] = w->len - mark;
		context->dsdt = set->at[ACPI_DSDT];
		context->facs = set->at[ACPI_FACS];
		put_padding(w, TABLE_ALIGN);
	}
	return true;
}

/* [ACPI65] 5.2.8; returns the table's mark. */
static size_t put_xsdt(
	const AcpiInputs *in, const AcpiPieces *pieces, const AcpiSet *set, ByteWriter *w)
{
	const size_t mark = acpi_table_begin(
		w, "XSDT", XSDT_REVISION, acpi_identity(in, ACPI_IDENTITY_TABLES));

	for (size_t i = 0; i < pieces->count; i++) {
		if (!is_listed_by_fadt(pieces->ids[i]))
			put_u64(w, set->at[pieces->ids[i]]);
	}
	acpi_table_end(w, mark);
	put_padding(w, TABLE_ALIGN);
	return mark;
}

bool acpi_build_set(const AcpiInputs *in, uint64_t gpa, Arena *arena, AcpiSet *out, Error *err)
{
	AcpiContext context = { .in = in };
	AcpiSet set = { 0 };
	UNINITIALIZED AcpiPieces pieces;
	uint64_t end;
	ByteWriter w;
	size_t xsdt;
	Bytes all;

	if (!check(in, err))
		return false;
	list_pieces(in, &pieces);
	if (gpa == 0 || !is_aligned(gpa, TABLE_ALIGN) ||
		!checked_add_u64(gpa, pieces.bound, &end))
		return error_set(err, PVW_ACPI_0011,
			"%zu bytes of acpi tables at 0x%" PRIx64
			", expected an address that is not 0, a multiple of %d and below the "
			"end",
			pieces.bound, gpa, TABLE_ALIGN);
	if (!alloc_places(in, arena, &context, err) ||
		!byte_writer_in_arena(arena, pieces.bound, &w, err))
		return error_wrap(err, "acpi tables");
	if (!put_pieces(&context, &pieces, gpa, &w, &set, err)) {
		arena_shrink(arena, w.base, 0);
		return false;
	}
	xsdt = put_xsdt(in, &pieces, &set, &w);
	set.tables.len = w.len;
	acpi_rsdp_put(&w, gpa + xsdt, acpi_identity(in, ACPI_IDENTITY_TABLES));
	if (!byte_writer_finish(&w, "acpi tables", &all, err))
		return false;
	set.tables.data = all.data;
	set.rsdp = (Bytes){ .data = all.data + set.tables.len, .len = sizeof(AcpiRsdp) };
	*out = set;
	return true;
}
