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

const ArmUart arm64_platform_uarts[ARM64_UARTS_MAX] = {
	{ PL011_0_GPA, PL011_0_INTID },
	{ PL011_1_GPA, PL011_1_INTID },
};

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

/* There if the chipset has it; where the platform has it unless that is said. */
static bool choose_uart(
	uint8_t number, bool wanted, ArmUart stated, Arm64Machine *machine, Error *err)
{
	if (!wanted)
		return true;
	if (!check_page("uart", stated.address, err))
		return false;
	machine->uart_numbers[machine->uart_count] = number;
	machine->uarts[machine->uart_count++] =
		stated.address ? stated : arm64_platform_uarts[number];
	return true;
}

static bool choose_uarts(const PlatformSettings *settings, Arm64Machine *machine, Error *err)
{
	const ArmMachineSettings *arm = &settings->linux_direct.arm;

	return choose_uart(0, settings->chipset.com1, arm->com1, machine, err) &&
		choose_uart(1, settings->chipset.com2, arm->com2, machine, err);
}

/* A device, and whether the settings have put it where it is. */
typedef struct PlacedDevice {
	GicArea area;
	bool stated;
} PlacedDevice;

/*
 * What the settings say can be refused. What the boot tree says has been so since the guest was
 * made, and may still work: the kernel takes the device's side.
 */
static bool check_beside_ram(
	PlacedDevice device, LayoutRecordList ram, Diagnostics *diagnostics, Error *err)
{
	const GicArea area = device.area;

	for (size_t i = 0; i < ram.count; i++) {
		const MemoryRange range = ram.items[i].range;

		if (!arm64_areas_overlap(
			    area, (GicArea){ "ram", range.start, memory_range_len(range) }))
			continue;
		if (device.stated)
			return error_set(err, PVW_ARM64_0015,
				"%s " RANGE_FORMAT " and RAM " RANGE_FORMAT ", expected apart",
				area.name, area.base, area.base + area.len, RANGE_ARGS(range));
		diagnostics_add(diagnostics, PVW_ARM64_0019, "layout",
			"%s " RANGE_FORMAT " and RAM " RANGE_FORMAT ", expected apart",
			area.name, area.base, area.base + area.len, RANGE_ARGS(range));
	}
	return true;
}

static bool check_apart(GicArea a, GicArea b, Error *err)
{
	if (!arm64_areas_overlap(a, b))
		return true;
	return error_set(err, PVW_ARM64_0015,
		"%s " RANGE_FORMAT " and %s " RANGE_FORMAT ", expected apart", a.name, a.base,
		a.base + a.len, b.name, b.base, b.base + b.len);
}

/* GIC first, then UARTs. */
static size_t list_devices(
	const Arm64Machine *machine, const ArmMachineSettings *settings, PlacedDevice *out)
{
	const GicAreas gic = arm64_gic_areas(&machine->topology);
	const ArmGicSettings *stated = &settings->gic;
	size_t count = 0;

	for (size_t i = 0; i < gic.count; i++)
		out[count++] =
			(PlacedDevice){ gic.items[i], i < 2 ? stated->distributor != 0 : true };
	for (size_t i = 0; i < machine->uart_count; i++) {
		const uint64_t at = machine->uarts[i].address;

		out[count++] = (PlacedDevice){ { "uart", at, PL011_0_SIZE },
			at == settings->com1.address || at == settings->com2.address };
	}
	return count;
}

/* Nothing else of the guest lies where its devices are. */
static bool check_places(
	const Arm64Machine *machine, const BootInputs *in, Diagnostics *diagnostics, Error *err)
{
	PlacedDevice devices[3 + ARM64_UARTS_MAX];
	const size_t count = list_devices(machine, &in->settings->linux_direct.arm, devices);

	for (size_t i = 0; i < count; i++) {
		if (!check_beside_ram(devices[i], in->layout->complete.ram, diagnostics, err))
			return false;
		for (size_t j = 0; j < i; j++) {
			if (!check_apart(devices[j].area, devices[i].area, err))
				return false;
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

bool arm64_machine_resolve(const BootInputs *in, Arena *arena, Arm64Machine *out,
	Diagnostics *diagnostics, Error *err)
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
		!check_places(&machine, in, diagnostics, err) ||
		(machine.has_distances && !read_slit(in->slit, arena, &machine.distances, err)))
		return false;
	*out = machine;
	return true;
}
