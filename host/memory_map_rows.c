/*
 * Ranges of a layout, sorted and folded, and how each role looks.
 */
#include <stdlib.h>
#include <string.h>

#include "host/memory_map_internal.h"

static const RoleLook unknown_look = { "unknown", '?', '-', MAP_PLAIN, SVG_RESERVED };

/* By the wire's MemoryRole. */
static const RoleLook memory_looks[] = {
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_UNSPECIFIED] = { "unspecified RAM", '?', '-',
		MAP_PLAIN, SVG_RESERVED },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL0_RAM] = { "VTL0 RAM", 'R', '0', MAP_GREEN,
		SVG_RAM },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_RAM] = { "VTL2 RAM", 'R', '2', MAP_MAGENTA,
		SVG_VTL2 },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_CONFIG] = { "VTL2 config", 'C', '2',
		MAP_MAGENTA, SVG_VTL2 },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_RESERVED] = { "VTL2 reserved", 'X', '2',
		MAP_MAGENTA, SVG_VTL2 },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_GPA_POOL] = { "VTL2 pool", 'P', '2',
		MAP_MAGENTA, SVG_VTL2 },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_SIDECAR_IMAGE] = { "VTL2 sidecar image", 'S',
		'2', MAP_MAGENTA, SVG_VTL2 },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_SIDECAR_NODE] = { "VTL2 sidecar node", 'S', '2',
		MAP_MAGENTA, SVG_VTL2 },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_PERSISTED_STATE] = { "VTL2 persisted state",
		'K', '2', MAP_MAGENTA, SVG_VTL2 },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_LOG] = { "VTL2 log", 'L', '2', MAP_MAGENTA,
		SVG_VTL2 },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_PERSISTENT] = { "persistent memory", 'N', '0',
		MAP_CYAN, SVG_SPECIAL_RAM },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_PLATFORM_RESERVED] = { "platform reserved", 'X', '0',
		MAP_CYAN, SVG_SPECIAL_RAM },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_PROTECTABLE] = { "VTL2 protectable", 'R', '0',
		MAP_CYAN, SVG_SPECIAL_RAM },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_PAGE_TABLES] = { "VTL2 page tables", 'T', '2',
		MAP_MAGENTA, SVG_VTL2 },
};

/* By the wire's MmioRole. */
static const RoleLook mmio_looks[] = {
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_UNSPECIFIED] = { "unspecified MMIO", '?', '-', MAP_PLAIN,
		SVG_RESERVED },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_VTL0_CHIPSET_LOW] = { "mmio chipset low", 'l', '0',
		MAP_YELLOW, SVG_CHIPSET },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_VTL0_CHIPSET_HIGH] = { "mmio chipset high", 'h', '0',
		MAP_YELLOW, SVG_CHIPSET },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_VTL0_VMBUS] = { "mmio vmbus", 'v', '0', MAP_YELLOW,
		SVG_CHIPSET },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_VTL2_VMBUS] = { "mmio VTL2 private", 'p', '2',
		MAP_MAGENTA, SVG_VTL2 },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_LOCAL_APIC] = { "mmio local APIC", 'a', '0', MAP_BLUE,
		SVG_DEVICE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_IO_APIC] = { "mmio I/O APIC", 'a', '0', MAP_BLUE,
		SVG_DEVICE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_GIC_DISTRIBUTOR] = { "mmio GIC distributor", 'g', '0',
		MAP_BLUE, SVG_DEVICE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_GIC_REDISTRIBUTOR] = { "mmio GIC redistrib.", 'g', '0',
		MAP_BLUE, SVG_DEVICE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_GIC_MSI] = { "mmio GIC MSI", 'g', '0', MAP_BLUE,
		SVG_DEVICE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_TPM] = { "mmio TPM", 't', '0', MAP_BLUE, SVG_DEVICE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_BATTERY] = { "mmio battery", 'b', '0', MAP_BLUE,
		SVG_DEVICE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_UEFI_DEVICE] = { "mmio UEFI device", 'u', '0', MAP_BLUE,
		SVG_DEVICE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_UART] = { "mmio UART", 's', '0', MAP_BLUE, SVG_DEVICE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_PCIE_ECAM] = { "mmio PCIe ECAM", 'e', '0', MAP_CYAN,
		SVG_PCIE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_PCIE_LOW] = { "mmio PCIe low", 'e', '0', MAP_CYAN,
		SVG_PCIE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_PCIE_HIGH] = { "mmio PCIe high", 'e', '0', MAP_CYAN,
		SVG_PCIE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_FRAMEBUFFER] = { "mmio framebuffer", 'f', '0', MAP_CYAN,
		SVG_PCIE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_HOST_RESERVED] = { "mmio reserved", 'x', '0', MAP_BLUE,
		SVG_RESERVED },
};

/* By the wire's RoleSource. */
static const char *const source_texts[] = { "", "not given", "role declared", "role by address",
	"declared absent" };

const char *memory_map_source(Pvw__V1__RoleSource source)
{
	return (unsigned)source < ARRAY_COUNT(source_texts) ? source_texts[source] : "";
}

static const RoleLook *look_of(const RoleLook *looks, size_t count, unsigned role)
{
	return role < count && looks[role].name ? &looks[role] : &unknown_look;
}

/* What is drawn; the last address belongs to it. */
typedef struct Extent {
	uint64_t from, last;
} Extent;

static Extent extent_of(MapStyle style)
{
	return (Extent){ style.from, style.to ? style.to - 1 : UINT64_MAX };
}

static void add_row(MapRow *rows, size_t *count, const Extent *extent, uint64_t start,
	uint64_t size, MapRow row)
{
	uint64_t last = start + (size - 1);

	if (size == 0)
		return;
	if (last < start)
		last = UINT64_MAX;
	if (last < extent->from || start > extent->last)
		return;
	row.start = start < extent->from ? extent->from : start;
	row.last = last > extent->last ? extent->last : last;
	row.index = *count;
	rows[(*count)++] = row;
}

static size_t gather_rows(const Extent *extent, const Pvw__V1__Layout *layout, MapRow *rows)
{
	size_t count = 0;

	for (size_t i = 0; i < layout->n_memory; i++) {
		const Pvw__V1__MemoryRange *ram = layout->memory[i];

		add_row(rows, &count, extent, ram->start, ram->size,
			(MapRow){ .look = look_of(memory_looks, ARRAY_COUNT(memory_looks),
					  (unsigned)ram->role),
				.is_ram = true,
				.vnode = ram->vnode,
				.owner = "" });
	}
	for (size_t i = 0; i < layout->n_mmio; i++) {
		const Pvw__V1__MmioRange *mmio = layout->mmio[i];

		add_row(rows, &count, extent, mmio->start, mmio->size,
			(MapRow){ .look = look_of(mmio_looks, ARRAY_COUNT(mmio_looks),
					  (unsigned)mmio->role),
				.owner = mmio->owner ? mmio->owner : "" });
	}
	return count;
}

static int compare_rows(const void *left, const void *right)
{
	const MapRow *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->last != b->last)
		return a->last < b->last ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* Neighbours that touch and differ in nothing become one. */
static size_t fold_rows(MapRow *rows, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		MapRow *before = kept ? &rows[kept - 1] : NULL;

		if (before && before->last != UINT64_MAX && before->last + 1 == rows[i].start &&
			before->look == rows[i].look && before->vnode == rows[i].vnode &&
			strcmp(before->owner, rows[i].owner) == 0) {
			before->last = rows[i].last;
			before->folded++;
		} else {
			rows[kept++] = rows[i];
		}
	}
	return kept;
}

bool memory_map_rows(
	const Pvw__V1__Layout *layout, MapStyle style, Arena *arena, MapRows *out, Error *err)
{
	const Extent extent = extent_of(style);
	MapRow *rows = arena_array(arena, MapRow, layout->n_memory + layout->n_mmio, err);
	size_t count;

	if (!rows)
		return false;
	count = gather_rows(&extent, layout, rows);
	if (count)
		qsort(rows, count, sizeof(*rows), compare_rows);
	if (!style.verbose)
		count = fold_rows(rows, count);
	*out = (MapRows){ rows, count };
	return true;
}

static int compare_placements(const void *left, const void *right)
{
	const Pvw__V1__Placement *a = *(const Pvw__V1__Placement *const *)left;
	const Pvw__V1__Placement *b = *(const Pvw__V1__Placement *const *)right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return strcmp(a->name, b->name);
}

static bool is_drawn(const Pvw__V1__Placement *placement, const Extent *extent)
{
	const uint64_t last = placement->start + (placement->size ? placement->size - 1 : 0);

	return last >= extent->from && placement->start <= extent->last;
}

bool memory_map_placements(const Pvw__V1__Layout *layout, MapStyle style, Arena *arena,
	const Pvw__V1__Placement ***out, size_t *count, Error *err)
{
	const Extent extent = extent_of(style);
	const Pvw__V1__Placement **list =
		arena_array(arena, const Pvw__V1__Placement *, layout->n_placements, err);

	if (!list)
		return false;
	*count = 0;
	for (size_t i = 0; i < layout->n_placements; i++) {
		if (is_drawn(layout->placements[i], &extent))
			list[(*count)++] = layout->placements[i];
	}
	if (*count)
		qsort(list, *count, sizeof(*list), compare_placements);
	*out = list;
	return true;
}
