/*
 * /bus: VTL2's VMBus. [OVMM] openhcl/openhcl_boot/src/dt.rs, which writes it
 *
 * Written for VTL2's kernel, and never read by the reference's worker: a tree that is taken
 * without this node is taken with any.
 */
#include <string.h>

#include "bootinfo/parse_internal.h"
#include "bootinfo/start_sort.h"

#define TUPLE 3 /* elements of `ranges`: child base, parent base, length */

static_assert(offsetof(MemoryRange, start) == 0, "start_sort");

static bool is_vtl2_vmbus(const FdtReader *reader)
{
	const char *compatible;
	uint32_t vtl;
	UNINITIALIZED Error ignored;

	return fdt_read_string(reader, FDT_COMPATIBLE, &compatible, &ignored) &&
		strcmp(compatible, "microsoft,vmbus") == 0 &&
		fdt_read_u32(reader, FDT_VTL, &vtl, &ignored) && vtl == 2;
}

/* Tuple @index as a range; false if it translates addresses or is none. */
static bool read_window(const FdtReader *reader, size_t index, MemoryRange *out)
{
	const uint64_t child = fdt_u64_at(reader, FDT_RANGES, TUPLE * index);
	const uint64_t parent = fdt_u64_at(reader, FDT_RANGES, TUPLE * index + 1);
	const uint64_t len = fdt_u64_at(reader, FDT_RANGES, TUPLE * index + 2);
	UNINITIALIZED Error ignored;

	return child == parent && memory_range_from_base_len(child, len, out, &ignored);
}

/* @windows has room for @tuples. False if one of them cannot be read. */
static bool read_windows(
	const FdtReader *reader, size_t tuples, MemoryRange *windows, size_t *count)
{
	*count = 0;
	for (size_t i = 0; i < tuples; i++) {
		if (!read_window(reader, i, &windows[*count]))
			return false;
		*count += !memory_range_is_empty(windows[*count]);
	}
	return true;
}

/* `ranges` may be absent, as it may be without a tuple. */
static bool parse_windows(BootTree *tree, Vtl2Bus *bus, Error *err)
{
	const FdtReader *reader = &tree->reader;
	MemoryRange *windows;
	size_t elements = 0, count;
	UNINITIALIZED Error ignored;

	if (!fdt_has(reader, FDT_RANGES))
		return true;
	if (!fdt_u64_count(reader, FDT_RANGES, &elements, &ignored) || elements % TUPLE ||
		elements / TUPLE > BOOT_INFO_MAX_MMIO) {
		bus->malformed = fdt_name_text(FDT_RANGES);
		return true;
	}
	windows = arena_array(tree->arena, MemoryRange, elements / TUPLE, err);
	if (!windows)
		return fdt_fail_here(err, reader, FDT_RANGES);
	if (!read_windows(reader, elements / TUPLE, windows, &count)) {
		bus->malformed = fdt_name_text(FDT_RANGES);
		return true;
	}
	bus->ranges = (MemoryRangeList){ windows, count };
	return start_sort(windows, count, sizeof(*windows), tree->arena, err);
}

bool parse_bus_child(BootTree *tree, Error *err)
{
	Vtl2Bus bus = { .present = true };
	UNINITIALIZED Error ignored;

	if (!is_vtl2_vmbus(&tree->reader))
		return true;
	if (!parse_windows(tree, &bus, err))
		return false;
	if (!fdt_read_u32(&tree->reader, FDT_CONNECTION_ID, &bus.connection_id, &ignored))
		bus.malformed = fdt_name_text(FDT_CONNECTION_ID);
	tree->info.vtl2_bus = bus;
	return true;
}
