/*
 * ACPI tables in the reference's profile, around processors in sockets of 32, a node a socket.
 */
#include "bench.h"

#include "acpi/acpi_build.h"
#include "layout/fixed_map.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define VPS_PER_SOCKET 32

/* Where the reference's figures have the block of a set. */
#define SET_GPA UINT64_C(0x9000)

typedef enum Contents { ONE_TABLE, WHOLE_SET } Contents;

typedef struct TableParameter {
	uint32_t vps, nodes, bridges;
	Contents contents;
	AcpiTableId table; /* of ONE_TABLE */
} TableParameter;

typedef struct TableInput {
	const TableParameter *parameter;
	AcpiInputs acpi;
	ProcessorTopology topology;
	AcpiDistances distances;
} TableInput;

static const AcpiUart uarts[] = {
	{ .name = "UAR1", .ddn = "COM1", .uid = 1, .io_base = COM1_PORT, .irq = COM1_IRQ },
	{ .name = "UAR2", .ddn = "COM2", .uid = 2, .io_base = COM2_PORT, .irq = COM2_IRQ },
};

/* One node: 5 GiB around the low window. More: 32 GiB each, one behind the other. */
static bool make_ram(uint32_t nodes, Arena *arena, NodeRangeList *out, Error *err)
{
	const size_t count = nodes > 1 ? nodes : 2;
	NodeRange *ram = arena_array(arena, NodeRange, count, err);

	if (!ram)
		return false;
	for (size_t i = 0; i < count; i++)
		ram[i] = (NodeRange){ { 32 * GIB * i, 32 * GIB * (i + 1) }, (uint32_t)i };
	if (nodes <= 1) {
		ram[0] = (NodeRange){ { 0, FOUR_GIB - 128 * MIB }, 0 };
		ram[1] = (NodeRange){ { FOUR_GIB, 5 * GIB }, 0 };
	}
	*out = (NodeRangeList){ ram, count };
	return true;
}

/* Each on a segment of its own, with all its buses and both windows. */
static bool make_bridges(uint32_t count, Arena *arena, const AcpiBridge **out, Error *err)
{
	AcpiBridge *bridges = arena_array(arena, AcpiBridge, count, err);

	if (!bridges)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const uint64_t ecam = 1024 * GIB + 256 * MIB * i;
		const uint64_t low = 2 * GIB + 64 * MIB * i;
		const uint64_t high = 2048 * GIB + 64 * GIB * i;

		bridges[i] = (AcpiBridge){
			.index = i,
			.segment = (uint16_t)i,
			.end_bus = 255,
			.ecam = { ecam, ecam + 256 * MIB },
			.low = { low, low + 64 * MIB },
			.high = { high, high + 64 * GIB },
		};
	}
	*out = bridges;
	return true;
}

static bool setup_table(const void *parameter, Arena *arena, const void **input, Error *err)
{
	static const TopologyInputs sockets = { .vps_per_socket = VPS_PER_SOCKET };
	const TableParameter *p = parameter;
	TableInput *in = arena_array(arena, TableInput, 1, err);
	AcpiInputs *acpi = in ? &in->acpi : NULL;

	if (!acpi ||
		!topology_from_count(
			GUEST_ARCH_X86_64, p->vps, &sockets, arena, &in->topology, err) ||
		!make_ram(p->nodes, arena, &acpi->ram, err) ||
		!make_bridges(p->bridges, arena, &acpi->bridges, err))
		return false;
	in->parameter = p;
	in->distances.node_count = p->nodes;
	acpi->profile = ACPI_PROFILE_REFERENCE;
	acpi->topology = &in->topology;
	acpi->mmio_low = (MemoryRange){ FOUR_GIB - 128 * MIB, FOUR_GIB };
	acpi->mmio_high = (MemoryRange){ 64 * GIB, 64 * GIB + 512 * MIB };
	acpi->with_ioapic = true;
	acpi->pm_base = PM_BASE_PORT;
	acpi->acpi_irq = SCI_IRQ;
	acpi->uarts = uarts;
	acpi->uart_count = ARRAY_COUNT(uarts);
	acpi->with_rtc = acpi->with_vmbus = true;
	acpi->bridge_count = p->bridges;
	if (p->nodes > 1)
		acpi->distances = &in->distances;
	acpi->with_processors = p->contents == WHOLE_SET;
	acpi->without_sleep_states = p->contents == ONE_TABLE;
	*input = in;
	return true;
}

static bool call_table(const void *input, Arena *arena, Produced *produced, Error *err)
{
	const TableInput *in = input;
	Bytes table;

	if (!acpi_build_table(in->parameter->table, &in->acpi, arena, &table, err))
		return false;
	produce(produced, table.data, table.len);
	return true;
}

static bool call_set(const void *input, Arena *arena, Produced *produced, Error *err)
{
	const TableInput *in = input;
	AcpiSet set;

	if (!acpi_build_set(&in->acpi, SET_GPA, arena, &set, err))
		return false;
	produce(produced, set.tables.data, set.tables.len);
	produce(produced, set.rsdp.data, set.rsdp.len);
	return true;
}

static const TableParameter dsdt = { 1, 1, 0, ONE_TABLE, ACPI_DSDT };
static const TableParameter madt1 = { 1, 1, 0, ONE_TABLE, ACPI_MADT };
static const TableParameter madt64 = { 64, 1, 0, ONE_TABLE, ACPI_MADT };
static const TableParameter madt2048 = { 2048, 1, 0, ONE_TABLE, ACPI_MADT };
static const TableParameter srat = { 2048, 64, 0, ONE_TABLE, ACPI_SRAT };
static const TableParameter slit = { 2048, 64, 0, ONE_TABLE, ACPI_SLIT };
static const TableParameter ssdt = { 1, 1, 16, ONE_TABLE, ACPI_SSDT };
static const TableParameter set1 = { 1, 1, 0, WHOLE_SET, ACPI_TABLE_COUNT };
static const TableParameter set64 = { 64, 1, 0, WHOLE_SET, ACPI_TABLE_COUNT };
static const TableParameter set2048 = { 2048, 1, 0, WHOLE_SET, ACPI_TABLE_COUNT };

const Bench table_benches[] = {
	{ "dsdt/openhcl", setup_table, call_table, &dsdt, NULL },
	{ "madt/1vp", setup_table, call_table, &madt1, NULL },
	{ "madt/64vp", setup_table, call_table, &madt64, NULL },
	{ "madt/2048vp", setup_table, call_table, &madt2048, NULL },
	{ "srat/2048vp_64node", setup_table, call_table, &srat, NULL },
	{ "slit/64node", setup_table, call_table, &slit, NULL },
	{ "ssdt/16rc", setup_table, call_table, &ssdt, NULL },
	{ "acpi/1vp", setup_table, call_set, &set1, NULL },
	{ "acpi/64vp", setup_table, call_set, &set64, NULL },
	{ "acpi/2048vp", setup_table, call_set, &set2048, NULL },
	{ .name = NULL },
};
