/*
 * The machine in effect. What the settings do not say is the boot tree's or the platform's.
 */
#include "loaders/linux_arm64_machine.h"

#include <inttypes.h>
#include <string.h>

#include "layout/fixed_map.h"
#include "loaders/arm64_tree_internal.h"
#include "support/checked.h"
#include "support/diagnostics.h"

#define SLIT_HEAD 44 /* bytes: header and number of nodes. [ACPI65] 5.2.17 */

static bool check_page(const char *what, uint64_t gpa, Error *err)
{
	return is_aligned(gpa, PAGE_SIZE) ||
		error_set(err, PVW_ARM64_0016,
			"%s at 0x%" PRIx64 ", expected a multiple of 0x%" PRIx64, what, gpa,
			PAGE_SIZE);
}

static bool check_pages(const ArmGicSettings *gic, Error *err)
{
	return check_page("distributor", gic->distributor, err) &&
		check_page("redistributors", gic->redistributors, err) &&
		check_page("cpu interface", gic->cpu_interface, err) &&
		check_page("its", gic->its, err) && check_page("v2m frame", gic->v2m, err);
}

static bool choose_messages(const ArmGicSettings *gic, ArmPlatform *arm, Error *err)
{
	if (gic->its && gic->v2m)
		return error_set(err, PVW_ARM64_0016,
			"an its at 0x%" PRIx64 " and a v2m frame at 0x%" PRIx64
			", expected one of them",
			gic->its, gic->v2m);
	if (gic->its && arm->gic_v2)
		return error_set(err, PVW_ARM64_0016,
			"an its at 0x%" PRIx64 " with a GICv2, expected a v2m frame", gic->its);
	if (gic->its || gic->v2m) {
		arm->msi = gic->its ? GIC_MSI_ITS : GIC_MSI_V2M;
		arm->msi_base = gic->its ? gic->its : gic->v2m;
		arm->msi_spi_base = gic->v2m_spi_base;
		arm->msi_spi_count = gic->v2m_spi_count;
	}
	return true;
}

/* Redistributors follow each other; a GICv2 has none. */
static bool place_redistributors(ProcessorTopology *topology, Arena *arena, Error *err)
{
	const ArmPlatform *arm = &topology->arm;
	VirtualProcessor *vps =
		arena_reserve_array(arena, VirtualProcessor, topology->count, err);

	if (!vps)
		return false;
	memcpy(vps, topology->vps, topology->count * sizeof(*vps));
	for (size_t i = 0; i < topology->count; i++)
		vps[i].gicr = arm->gic_v2
			? 0
			: arm->gic_redistributors + i * GIC_REDISTRIBUTOR_STRIDE;
	topology->vps = vps;
	return true;
}

static bool choose_gic(
	const ArmGicSettings *gic, Arena *arena, ProcessorTopology *topology, Error *err)
{
	ArmPlatform *arm = &topology->arm;

	if (!check_pages(gic, err))
		return false;
	if (gic->distributor) {
		arm->gic_distributor = gic->distributor;
		arm->gic_v2 = gic->cpu_interface != 0;
		arm->gic_cpu_interface = gic->cpu_interface;
		arm->gic_redistributors = gic->redistributors;
	}
	if (arm->gic_v2 && topology->count > TOPOLOGY_MAX_GIC_V2_VPS)
		return error_set(err, PVW_TOPOLOGY_0002,
			"%zu processors with GICv2, expected at most %d", topology->count,
			TOPOLOGY_MAX_GIC_V2_VPS);
	return choose_messages(gic, arm, err) && arm64_gic_check(topology, err) &&
		place_redistributors(topology, arena, err);
}

static bool choose_uarts(const PlatformSettings *settings, Arm64Machine *machine, Error *err)
{
	const ArmUartList *stated = &settings->linux_direct.arm.uarts;

	for (uint32_t i = 0; i < stated->count; i++) {
		if (!check_page("uart", stated->items[i].base, err))
			return false;
		machine->uarts[machine->uart_count++] = stated->items[i];
	}
	if (stated->count)
		return true;
	if (settings->chipset.com1)
		machine->uarts[machine->uart_count++] = (ArmUart){ PL011_0_GPA, PL011_0_INTID };
	if (settings->chipset.com2)
		machine->uarts[machine->uart_count++] = (ArmUart){ PL011_1_GPA, PL011_1_INTID };
	return true;
}

static bool check_beside_ram(GicArea area, LayoutRecordList ram, Error *err)
{
	for (size_t i = 0; i < ram.count; i++) {
		const MemoryRange range = ram.items[i].range;

		if (arm64_areas_overlap(
			    area, (GicArea){ "ram", range.start, memory_range_len(range) }))
			return error_set(err, PVW_ARM64_0015,
				"%s " RANGE_FORMAT " and RAM " RANGE_FORMAT ", expected apart",
				area.name, area.base, area.base + area.len, RANGE_ARGS(range));
	}
	return true;
}

/* Nothing else of the guest lies where its devices are. */
static bool check_places(const Arm64Machine *machine, LayoutRecordList ram, Error *err)
{
	const GicAreas gic = arm64_gic_areas(&machine->topology);
	GicArea areas[ARRAY_COUNT(gic.items) + ARM_UARTS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < gic.count; i++)
		areas[count++] = gic.items[i];
	for (size_t i = 0; i < machine->uart_count; i++)
		areas[count++] = (GicArea){ "uart", machine->uarts[i].base, PL011_0_SIZE };
	for (size_t i = 0; i < count; i++) {
		if (!check_beside_ram(areas[i], ram, err))
			return false;
		for (size_t j = 0; j < i; j++) {
			if (arm64_areas_overlap(areas[i], areas[j]))
				return error_set(err, PVW_ARM64_0015,
					"%s " RANGE_FORMAT " and %s " RANGE_FORMAT
					", expected apart",
					areas[j].name, areas[j].base,
					areas[j].base + areas[j].len, areas[i].name,
					areas[i].base, areas[i].base + areas[i].len);
		}
	}
	return true;
}

/* The host's SLIT, as the list of its cells. */
static bool read_slit(Bytes slit, Arena *arena, AcpiDistances *out, Error *err)
{
	AcpiDistance *items;
	uint64_t nodes = 0;
	size_t count;

	if (slit.len >= SLIT_HEAD)
		memcpy(&nodes, slit.data + SLIT_HEAD - sizeof(nodes), sizeof(nodes));
	if (nodes == 0 || nodes > ARM64_TREE_MAX_NODES || slit.len - SLIT_HEAD < nodes * nodes)
		return error_set(err, PVW_ARM64_0017,
			"slit of %zu bytes with %" PRIu64
			" nodes, expected 1 to %d nodes and a byte for each pair behind %d",
			slit.len, nodes, ARM64_TREE_MAX_NODES, SLIT_HEAD);
	count = (size_t)(nodes * nodes);
	items = arena_reserve_array(arena, AcpiDistance, count, err);
	if (!items)
		return false;
	for (size_t i = 0; i < count; i++)
		items[i] = (AcpiDistance){ (uint32_t)(i / nodes), (uint32_t)(i % nodes),
			slit.data[SLIT_HEAD + i] };
	*out = (AcpiDistances){ (uint32_t)nodes, items, count };
	return true;
}

bool arm64_machine_resolve(const BootInputs *in, Arena *arena, Arm64Machine *out, Error *err)
{
	const ArmMachineSettings *settings = &in->settings->linux_direct.arm;
	Arm64Machine machine = {
		.topology = *in->topology,
		.timers = settings->timers,
		.psci = settings->psci,
		.has_distances = in->slit.len != 0,
		.with_hypervisor = !settings->no_hypervisor,
	};

	if (machine.timers.virt)
		machine.topology.arm.virt_timer_ppi = machine.timers.virt;
	else
		machine.timers.virt = machine.topology.arm.virt_timer_ppi;
	if (!choose_gic(&settings->gic, arena, &machine.topology, err) ||
		!choose_uarts(in->settings, &machine, err) ||
		!check_places(&machine, in->layout->complete.ram, err) ||
		(machine.has_distances && !read_slit(in->slit, arena, &machine.distances, err)))
		return false;
	*out = machine;
	return true;
}
