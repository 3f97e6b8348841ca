/*
 * Processors, interrupts and ACPI inputs of a described machine.
 */
#include "host/vm_machine.h"

#include "host/vm_internal.h"
#include "layout/fixed_map.h"
#include "support/diagnostics.h"

#define MSHYPERV UINT64_C(0x567265707948734d) /* "MsHyperV", [OVMM] vmm_core acpi_builder */
#define SPI_LOWEST 64u /* below are those that devices have by tradition */
#define SPI_FIRST 32u
#define SPI_HIGHEST 1019u
#define VIRTIO_GSI_WITH_PIC 5u
#define VIRTIO_GSI 17u

/*
 * Interrupts.
 */

static size_t smmu_count(const Vm *vm)
{
	size_t count = 0;

	for (size_t i = 0; i < vm->layout.root_complex_count; i++)
		count += vm->layout.root_complexes[i].iommu == IOMMU_SMMU;
	return count;
}

static uint32_t highest_spi(const ArmPlatform *arm)
{
	return arm->irq_count && arm->irq_count - 1 < SPI_HIGHEST ? arm->irq_count - 1
								  : SPI_HIGHEST;
}

uint32_t vm_default_frame(const ArmPlatform *arm)
{
	const uint32_t end = highest_spi(arm) + 1;

	return end >= SPI_FIRST + arm->msi_spi_count ? end - arm->msi_spi_count : SPI_FIRST;
}

/* The highest @count from *@next down that miss the MSI frame; 0 when there are none. */
static uint32_t take_spis(const ArmPlatform *arm, uint32_t *next, uint32_t count)
{
	const uint32_t frame = arm->msi_spi_base, end = frame + arm->msi_spi_count;

	if (arm->msi_spi_count && *next >= frame && *next + 1 < end + count)
		*next = frame - 1;
	if (*next + 1 < SPI_LOWEST + count)
		return 0;
	*next -= count;
	return *next + 1;
}

static bool arm_interrupts(const Vm *vm, VmInterrupts *out, Error *err)
{
	const ArmPlatform *arm = &vm->arm;
	const uint32_t highest = highest_spi(arm);
	const uint32_t smmus = 2 * (uint32_t)smmu_count(vm);
	uint32_t next = highest, first = 0;

	if (arm->msi_spi_count && arm->msi_spi_base + arm->msi_spi_count > highest + 1)
		return error_set(err, PVW_VM_0008,
			"an MSI frame of %" PRIu32 " interrupts from %" PRIu32
			", expected an end at or below %" PRIu32,
			arm->msi_spi_count, arm->msi_spi_base, highest);
	if (vm->layout.virtio_mmio_count) {
		out->virtio = take_spis(arm, &next, 1);
		first = out->virtio;
	}
	if (smmus && (first || !vm->layout.virtio_mmio_count)) {
		first = take_spis(arm, &next, smmus);
		out->smmu_first = first + smmus - 1;
	}
	if ((vm->layout.virtio_mmio_count || smmus) && !first)
		return error_set(err, PVW_VM_0008,
			"%" PRIu32 " interrupts for virtio-mmio and %" PRIu32
			" SMMUs, expected more from %u on that are not the MSI frame's",
			arm->irq_count, smmus / 2, SPI_LOWEST);
	out->msi_first = arm->msi_spi_base;
	return true;
}

bool vm_interrupts(const Vm *vm, VmInterrupts *out, Error *err)
{
	VmInterrupts interrupts = { 0 };

	if (vm->layout.arch == GUEST_ARCH_AARCH64) {
		if (!arm_interrupts(vm, &interrupts, err))
			return false;
	} else if (vm->layout.virtio_mmio_count) {
		interrupts.virtio = vm->with_pic ? VIRTIO_GSI_WITH_PIC : VIRTIO_GSI;
	}
	*out = interrupts;
	return true;
}

/*
 * Processors.
 */

static const uint32_t *spread(const Vm *vm, Arena *arena, Error *err)
{
	const uint64_t count = vm->processors.count, nodes = vm->layout.node_count;
	uint32_t *vnodes = arena_array(arena, uint32_t, count, err);

	for (uint64_t i = 0; vnodes && i < count; i++)
		vnodes[i] = (uint32_t)(i * nodes / count);
	return vnodes;
}

bool vm_topology(const Vm *vm, Arena *arena, ProcessorTopology *out, Error *err)
{
	const VmProcessors *processors = &vm->processors;
	TopologyInputs in = {
		.vps_per_socket = processors->vps_per_socket,
		.smt = processors->smt,
		.x2apic = processors->x2apic,
		.vnodes = processors->vnodes,
		.vnode_count = processors->count,
		.arm = vm->arm,
	};

	if (processors->list)
		return topology_from_list(vm->layout.arch, processors->list, processors->count,
			&in, arena, out, err);
	if (!in.vnodes)
		in.vnodes = spread(vm, arena, err);
	return in.vnodes &&
		topology_from_count(vm->layout.arch, processors->count, &in, arena, out, err);
}

/*
 * Devices.
 */

static const AcpiUart x86_uarts[] = {
	{ .name = "UAR1", .ddn = "COM1", .uid = 1, .io_base = COM1_PORT, .irq = COM1_IRQ },
	{ .name = "UAR2", .ddn = "COM2", .uid = 2, .io_base = COM2_PORT, .irq = COM2_IRQ },
};

static const AcpiSbsaUart arm_uarts[] = {
	{ .name = "UAR0",
		.uid = 0,
		.base = PL011_0_GPA,
		.len = PL011_0_SIZE,
		.gsiv = PL011_0_INTID },
	{ .name = "UAR1",
		.uid = 1,
		.base = PL011_1_GPA,
		.len = PL011_1_SIZE,
		.gsiv = PL011_1_INTID },
};

/* One port or two that stand behind each other: the first, the second, or both. */
static void put_uarts(const Vm *vm, AcpiInputs *out)
{
	const size_t first = vm->with_com1 ? 0 : 1;
	const size_t count = (size_t)vm->with_com1 + vm->with_com2;

	if (count == 0)
		return;
	if (vm->layout.arch == GUEST_ARCH_X86_64) {
		out->uarts = x86_uarts + first;
		out->uart_count = count;
	} else {
		out->sbsa_uarts = arm_uarts + first;
		out->sbsa_uart_count = count;
	}
}

/* What ACPI names one by one is what the DSDT has anyway, and the virtio-mmio slots. */
#define MAX_DEVICES 10

static size_t list_uarts(const AcpiInputs *in, Arena *arena, DsdtDevice *out, Error *err)
{
	size_t count = 0;

	for (size_t i = 0; i < in->uart_count; i++) {
		const AcpiUart *uart = &in->uarts[i];

		out[count++] = (DsdtDevice){ .kind = DSDT_UART,
			.uart = { .path = arena_printf(arena, err, "\\_SB.%s", uart->name),
				.ddn = uart->ddn,
				.uid = uart->uid,
				.io_base = uart->io_base,
				.irq = uart->irq } };
	}
	for (size_t i = 0; i < in->sbsa_uart_count; i++) {
		const AcpiSbsaUart *uart = &in->sbsa_uarts[i];

		out[count++] = (DsdtDevice){ .kind = DSDT_SBSA_UART,
			.sbsa_uart = { .path = arena_printf(arena, err, "\\_SB.%s", uart->name),
				.uid = uart->uid,
				.base = uart->base,
				.len = uart->len,
				.gsiv = uart->gsiv } };
	}
	return count;
}

static bool put_device_list(const ResolvedLayout *layout, uint32_t virtio, Arena *arena,
	AcpiInputs *out, Error *err)
{
	DsdtDeviceList *list = arena_array(arena, DsdtDeviceList, 1, err);
	DsdtDevice *items = arena_array(arena, DsdtDevice, MAX_DEVICES, err);
	size_t count = 0;

	if (!list || !items)
		return false;
	if (out->with_ioapic)
		items[count++] = (DsdtDevice){ .kind = DSDT_APIC };
	count += list_uarts(out, arena, items + count, err);
	for (size_t i = 0; i < count; i++) {
		if ((items[i].kind == DSDT_UART && !items[i].uart.path) ||
			(items[i].kind == DSDT_SBSA_UART && !items[i].sbsa_uart.path))
			return false;
	}
	items[count++] = (DsdtDevice){ .kind = DSDT_VIRTIO_MMIO,
		.virtio_mmio = { .region = layout->virtio_mmio, .gsi = virtio } };
	items[count++] = (DsdtDevice){ .kind = DSDT_MODULE,
		.windows = { .low = out->mmio_low, .high = out->mmio_high } };
	if (out->with_vmbus)
		items[count++] = (DsdtDevice){ .kind = DSDT_VMBUS,
			.vmbus = { .gsiv = out->vmbus_gsiv } };
	if (out->with_rtc)
		items[count++] = (DsdtDevice){ .kind = DSDT_RTC };
	*list = (DsdtDeviceList){ items, count };
	out->devices = list;
	return true;
}

/*
 * Bridges.
 */

static bool put_bridges(
	const Vm *vm, const ResolvedLayout *layout, Arena *arena, AcpiInputs *out, Error *err)
{
	const size_t count = vm->layout.root_complex_count;
	AcpiBridge *bridges = arena_array(arena, AcpiBridge, count, err);
	AcpiCxl *cxl = arena_array(arena, AcpiCxl, count, err);

	if (!bridges || !cxl)
		return false;
	for (size_t i = 0; i < count; i++) {
		const RootComplexShape *shape = &vm->layout.root_complexes[i];
		const RootComplexLayout *at = &layout->root_complexes[i];

		cxl[i] = (AcpiCxl){ at->cxl_chbcr, at->cxl_hdm,
			vm->bridges[i].cxl_restrictions };
		bridges[i] = (AcpiBridge){ .index = (uint32_t)i,
			.segment = shape->segment,
			.start_bus = shape->start_bus,
			.end_bus = shape->end_bus,
			.ecam = at->ecam,
			.low = at->low,
			.high = at->high,
			.cxl = shape->has_cxl ? &cxl[i] : NULL,
			.has_vnode = vm->bridges[i].has_vnode,
			.vnode = vm->bridges[i].vnode,
			.preserve_boot_config = vm->bridges[i].preserve_boot_config };
	}
	out->bridges = bridges;
	out->bridge_count = count;
	return true;
}

bool vm_acpi_inputs(const Vm *vm, const ResolvedLayout *layout,
	const ProcessorTopology *topology, Arena *arena, AcpiInputs *out, Error *err)
{
	const bool x86 = vm->layout.arch == GUEST_ARCH_X86_64;
	VmInterrupts interrupts;
	AcpiInputs in = {
		.profile = ACPI_PROFILE_DEFAULT,
		.topology = topology,
		.ram = layout->ram,
		.mmio_low = layout->chipset_low,
		.mmio_high = layout->chipset_high,
		.with_ioapic = x86,
		.with_pic = x86 && vm->with_pic,
		.with_pit = x86 && vm->with_pit,
		.with_psp = x86 && vm->with_psp,
		.with_rtc = x86 && vm->with_rtc,
		.pm_base = vm->pm_base,
		.acpi_irq = vm->acpi_irq,
		.hypervisor_identity = !x86 && vm->with_vmbus ? MSHYPERV : 0,
		.with_vmbus = vm->with_vmbus,
		.vmbus_gsiv = x86 ? 0 : VMBUS_ARM64_INTID,
		.with_processors = true,
		.distances = vm->distances.node_count ? &vm->distances : NULL,
		.initiators = vm->initiators,
		.initiator_count = vm->initiator_count,
		.with_caches = vm->cache_count > 0,
		.caches = vm->caches,
		.cache_count = vm->cache_count,
	};

	if (!vm_interrupts(vm, &interrupts, err))
		return false;
	put_uarts(vm, &in);
	if (!put_bridges(vm, layout, arena, &in, err) ||
		!vm_iommu_units(vm, layout, &interrupts, arena, &in.iommu, err) ||
		(vm->layout.virtio_mmio_count &&
			!put_device_list(layout, interrupts.virtio, arena, &in, err)))
		return false;
	*out = in;
	return true;
}
