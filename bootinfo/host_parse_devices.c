/*
 * Devices of the host tree: the vmbus nodes with the MMIO of both VTLs, serial ports, the
 * interrupt controller and the PMU of aarch64. [OVMM] openhcl/host_fdt_parser/src/lib.rs
 */
#include <inttypes.h>
#include <string.h>

#include "bootinfo/host_parse_internal.h"
#include "support/checked.h"
#include "support/diagnostics.h"

#define TUPLE 3 /* elements of `ranges`: child base, parent base, length */

static bool need_u32(const HostTree *tree, FdtName name, uint32_t expected, Error *err)
{
	uint32_t found;

	if (!fdt_read_u32(&tree->reader, name, &found, err))
		return false;
	if (found != expected)
		return fdt_fail(err, &tree->reader, name, PVW_HOST_0002,
			"%" PRIu32 ", expected %" PRIu32, found, expected);
	return true;
}

static bool need_string(const HostTree *tree, FdtName name, const char *expected, Error *err)
{
	const char *found;

	if (!fdt_read_string(&tree->reader, name, &found, err))
		return false;
	if (strcmp(found, expected) != 0)
		return fdt_fail(err, &tree->reader, name, PVW_HOST_0003,
			"\"%.60s\", expected \"%s\"", found, expected);
	return true;
}

/* A bus that translates addresses would make every address below it mean something else. */
bool host_parse_bus(HostTree *tree, Error *err)
{
	const FdtReader *reader = &tree->reader;

	if (!fdt_has(reader, FDT_RANGES))
		return fdt_fail(err, reader, FDT_RANGES, PVW_DT_0011,
			"absent, expected an empty property");
	if (reader->values[FDT_RANGES].len)
		return fdt_fail(err, reader, FDT_RANGES, PVW_HOST_0009,
			"%zu bytes, expected none", reader->values[FDT_RANGES].len);
	return true;
}

/* "host-dtb:/bus/vmbus-vtl0@f8000000/ranges[1]" */
static const char *make_place(HostTree *tree, size_t index, Error *err)
{
	char source[ERROR_SOURCE_SIZE];

	fdt_path_text(HOST_TREE_NAME, tree->reader.path, tree->reader.depth,
		fdt_name_text(FDT_RANGES), source);
	return arena_printf(tree->arena, err, "%s[%zu]", source, index);
}

/* Tuple @index of `ranges`; an empty one stays, for its role. */
static bool add_claim(HostTree *tree, size_t index, uint8_t vtl, Error *err)
{
	const FdtReader *reader = &tree->reader;
	const uint64_t child = fdt_u64_at(reader, FDT_RANGES, TUPLE * index);
	const uint64_t parent = fdt_u64_at(reader, FDT_RANGES, TUPLE * index + 1);
	const uint64_t len = fdt_u64_at(reader, FDT_RANGES, TUPLE * index + 2);
	MmioClaim claim = { .start = child, .len = len, .vtl = vtl };
	MmioClaim *item;
	uint64_t end;

	if (child != parent)
		return fdt_fail(err, reader, FDT_RANGES, PVW_HOST_0009,
			"range %zu: child 0x%" PRIx64 ", parent 0x%" PRIx64 ", expected equal",
			index, child, parent);
	if (!is_aligned(child | len, PAGE_SIZE) || !checked_add_u64(child, len, &end))
		return fdt_fail(err, reader, FDT_RANGES, PVW_ROLE_0002,
			"range %zu: base 0x%" PRIx64 ", length 0x%" PRIx64
			", expected multiples of 0x1000 and a sum below 2^64",
			index, child, len);
	if (fdt_has(reader, FDT_MMIO_ROLES))
		claim.role = fdt_u32_at(reader, FDT_MMIO_ROLES, index);
	claim.place = make_place(tree, index, err);
	if (!claim.place)
		return false;
	item = host_parse_add(tree, &tree->mmio, err);
	if (!item)
		return false;
	*item = claim;
	return true;
}

/* As many roles as ranges, if there are roles at all. */
static bool check_roles(const HostTree *tree, size_t tuples, Error *err)
{
	size_t roles;

	if (!fdt_has(&tree->reader, FDT_MMIO_ROLES))
		return true;
	if (!fdt_u32_count(&tree->reader, FDT_MMIO_ROLES, &roles, err))
		return false;
	if (roles != tuples)
		return fdt_fail(err, &tree->reader, FDT_MMIO_ROLES, PVW_ROLE_0001,
			"%zu roles for %zu ranges, expected one each", roles, tuples);
	return true;
}

static bool add_claims(HostTree *tree, uint8_t vtl, Error *err)
{
	const FdtReader *reader = &tree->reader;
	size_t count = 0;

	if (fdt_has(reader, FDT_RANGES) && !fdt_u64_count(reader, FDT_RANGES, &count, err))
		return false;
	if (count % TUPLE)
		return fdt_fail(err, reader, FDT_RANGES, PVW_DT_0013,
			"%zu elements of u64, expected triples", count);
	if (!check_roles(tree, count / TUPLE, err))
		return false;
	for (size_t i = 0; i < count / TUPLE; i++) {
		if (!add_claim(tree, i, vtl, err))
			return false;
	}
	return true;
}

bool host_parse_bus_child(HostTree *tree, Error *err)
{
	const char *compatible;
	HostVmbus *vmbus;
	uint32_t vtl;

	if (!host_parse_compatible(tree, &compatible, err))
		return false;
	if (strcmp(compatible, "microsoft,vmbus") != 0)
		return true;
	if (!need_u32(tree, FDT_ADDRESS_CELLS, 2, err) ||
		!need_u32(tree, FDT_SIZE_CELLS, 2, err) ||
		!fdt_read_u32(&tree->reader, FDT_VTL, &vtl, err))
		return false;
	if (vtl != 0 && vtl != 2)
		return fdt_fail(err, &tree->reader, FDT_VTL, PVW_HOST_0006,
			"%" PRIu32 ", expected 0 or 2", vtl);
	vmbus = vtl == 0 ? &tree->info.vmbus_vtl0 : &tree->info.vmbus_vtl2;
	if (vmbus->present)
		return fdt_fail(err, &tree->reader, FDT_NODE_ITSELF, PVW_HOST_0007,
			"a second vmbus node for VTL%" PRIu32 ", expected one", vtl);
	if (!fdt_read_u32(&tree->reader, FDT_CONNECTION_ID, &vmbus->connection_id, err))
		return false;
	vmbus->present = true;
	return add_claims(tree, (uint8_t)vtl, err);
}

/* Of the ports of x86, only COM3 is for VTL2; `reg` has 64 bit values whatever the bus says. */
bool host_parse_port_child(HostTree *tree, Error *err)
{
	HostSerial com3 = { .present = true };
	const char *compatible;
	uint64_t reg[2];

	if (!host_parse_compatible(tree, &compatible, err))
		return false;
	if (strcmp(compatible, "ns16550") != 0)
		return true;
	if (!fdt_read_u64s(&tree->reader, FDT_REG, ARRAY_COUNT(reg), reg, err) ||
		!fdt_read_u32(&tree->reader, FDT_CURRENT_SPEED, &com3.baud, err))
		return false;
	com3.base = reg[0];
	if (com3.base == HOST_INFO_COM3_PORT)
		tree->info.com3 = com3;
	return true;
}

/* The first PL011 counts. `reg` and `interrupts` as cells: {base, length}, {kind, number, …} */
bool host_parse_pl011(HostTree *tree, Error *err)
{
	const FdtReader *reader = &tree->reader;
	HostSerial serial = { .present = true };
	size_t cells;

	if (tree->info.pl011.present)
		return true;
	if (!fdt_read_u64(reader, FDT_REG, &serial.base, err) ||
		!fdt_u32_count(reader, FDT_INTERRUPTS, &cells, err))
		return false;
	if (cells < 2)
		return fdt_fail(err, reader, FDT_INTERRUPTS, PVW_DT_0013,
			"%zu cells, expected at least 2", cells);
	serial.interrupt = fdt_u32_at(reader, FDT_INTERRUPTS, 1);
	if (!fdt_read_u32(reader, FDT_CURRENT_SPEED, &serial.baud, err))
		return false;
	tree->info.pl011 = serial;
	return true;
}

bool host_parse_gic(HostTree *tree, Error *err)
{
	const FdtReader *reader = &tree->reader;
	BootGic gic = { .present = true, .pmu_gsiv = tree->info.gic.pmu_gsiv };
	uint64_t reg[4];

	if (!need_string(tree, FDT_COMPATIBLE, "arm,gic-v3", err) ||
		!need_u32(tree, FDT_REDISTRIBUTOR_REGIONS, 1, err) ||
		!need_u32(tree, FDT_ADDRESS_CELLS, 2, err) ||
		!need_u32(tree, FDT_SIZE_CELLS, 2, err) ||
		!need_u32(tree, FDT_INTERRUPT_CELLS, 3, err) ||
		!fdt_read_u64(
			reader, FDT_REDISTRIBUTOR_STRIDE, &gic.redistributor_stride, err) ||
		!fdt_read_u64s(reader, FDT_REG, ARRAY_COUNT(reg), reg, err))
		return false;
	gic.distributor_base = reg[0];
	gic.distributor_size = reg[1];
	gic.redistributor_base = reg[2];
	gic.redistributor_size = reg[3];
	tree->info.gic = gic;
	return true;
}

/* `interrupts`: {1 = private peripheral, index, flags}; the INTID of index 0 is 16. */
bool host_parse_pmu(HostTree *tree, Error *err)
{
	const FdtReader *reader = &tree->reader;
	uint32_t type, index;
	size_t cells;

	if (!fdt_u32_count(reader, FDT_INTERRUPTS, &cells, err))
		return false;
	if (cells < 3)
		return fdt_fail(err, reader, FDT_INTERRUPTS, PVW_DT_0013,
			"%zu cells, expected at least 3", cells);
	type = fdt_u32_at(reader, FDT_INTERRUPTS, 0);
	index = fdt_u32_at(reader, FDT_INTERRUPTS, 1);
	if (type != 1 || index >= 16)
		return fdt_fail(err, reader, FDT_INTERRUPTS, PVW_DT_0021,
			"type %" PRIu32 ", index %" PRIu32
			", expected type 1 (PPI), index below 16",
			type, index);
	tree->info.gic.pmu_gsiv = 16 + index;
	return true;
}
