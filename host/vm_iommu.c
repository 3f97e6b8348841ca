/*
 * The IOMMUs of a described machine: one unit for each root complex that has one.
 * Source: [OVMM] openvmm/openvmm_core/src/worker/dispatch/{amd_iommu,intel_vtd,smmu}_wiring.rs
 */
#include "host/vm_internal.h"

#define AMD_CAPABILITY_OFFSET 0x40
#define AMD_VIRTUAL_BITS 48
/* Where Linux looks for the I/O APIC: device 0x14 of segment 0, bus 0. */
#define IOAPIC_RID 0xa0

/* What a unit is made from. */
typedef struct UnitInputs {
	const Vm *vm;
	const ResolvedLayout *layout;
	const VmInterrupts *interrupts;
	MemoryRangeList reserved;
	const AcpiVtdScope *ports; /* VM_MAX_PORTS */
} UnitInputs;

static void put_amdvi(const UnitInputs *in, size_t complex, AcpiAmdViUnit *out)
{
	const RootComplexShape *shape = &in->vm->layout.root_complexes[complex];

	*out = (AcpiAmdViUnit){
		.device_id = (uint16_t)(shape->start_bus << 8),
		.capability_offset = AMD_CAPABILITY_OFFSET,
		.base = in->layout->root_complexes[complex].iommu.start,
		.segment = shape->segment,
		.start_bus = shape->start_bus,
		.end_bus = shape->end_bus,
	};
}

static void put_vtd(const UnitInputs *in, size_t complex, AcpiVtdUnit *out)
{
	const RootComplexShape *shape = &in->vm->layout.root_complexes[complex];

	*out = (AcpiVtdUnit){
		.base = in->layout->root_complexes[complex].iommu.start,
		.segment = shape->segment,
		.start_bus = shape->start_bus,
		.scopes = in->ports,
		.scope_count = in->vm->bridges[complex].ports,
	};
}

static void put_smmu(const UnitInputs *in, size_t complex, size_t unit, AcpiSmmu *out)
{
	const uint32_t event = in->interrupts->smmu_first - 2 * (uint32_t)unit;

	*out = (AcpiSmmu){
		.bridge_index = (uint32_t)complex,
		.segment = in->vm->layout.root_complexes[complex].segment,
		.base = in->layout->root_complexes[complex].iommu.start,
		.event_gsiv = event,
		.error_gsiv = event - 1,
		.reserved = in->reserved,
	};
}

/* What devices must not be given is mapped one to one. */
static bool list_reserved(const Vm *vm, Arena *arena, MemoryRangeList *out, Error *err)
{
	const ReservedIovaList list = vm->layout.reserved_iova;
	MemoryRange *items = arena_array(arena, MemoryRange, list.count, err);

	for (size_t i = 0; items && i < list.count; i++)
		items[i] = list.items[i].range;
	*out = (MemoryRangeList){ items, list.count };
	return items;
}

/* Root ports are functions 0, 1, ... of the root bus. */
static bool list_ports(Arena *arena, const AcpiVtdScope **out, Error *err)
{
	AcpiVtdScope *scopes = arena_array(arena, AcpiVtdScope, VM_MAX_PORTS, err);

	for (uint8_t i = 0; scopes && i < VM_MAX_PORTS; i++)
		scopes[i] = (AcpiVtdScope){ .devfn = i, .is_bridge = true };
	*out = scopes;
	return scopes;
}

/* The I/O APIC is behind the unit of segment 0, bus 0, if there is one. */
static bool has_ioapic(const Vm *vm)
{
	for (size_t i = 0; i < vm->layout.root_complex_count; i++) {
		const RootComplexShape *shape = &vm->layout.root_complexes[i];

		if (shape->iommu != IOMMU_NONE && shape->segment == 0 && shape->start_bus == 0)
			return vm->layout.arch == GUEST_ARCH_X86_64;
	}
	return false;
}

bool vm_iommu_units(const Vm *vm, const ResolvedLayout *layout, const VmInterrupts *interrupts,
	Arena *arena, AcpiIommu *out, Error *err)
{
	static const AcpiIommuKind kinds[] = {
		[IOMMU_NONE] = ACPI_IOMMU_NONE,
		[IOMMU_SMMU] = ACPI_IOMMU_SMMU,
		[IOMMU_AMD_VI] = ACPI_IOMMU_AMDVI,
		[IOMMU_INTEL_VTD] = ACPI_IOMMU_VTD,
	};
	static_assert(ARRAY_COUNT(kinds) == IOMMU_KIND_COUNT, "a row for each kind");
	const size_t room = vm->layout.root_complex_count;
	UnitInputs in = { .vm = vm, .layout = layout, .interrupts = interrupts };
	AcpiAmdViUnit *amdvi = arena_array(arena, AcpiAmdViUnit, room, err);
	AcpiVtdUnit *vtd = arena_array(arena, AcpiVtdUnit, room, err);
	AcpiSmmu *smmu = arena_array(arena, AcpiSmmu, room, err);
	size_t count = 0;

	if (!amdvi || !vtd || !smmu || !list_reserved(vm, arena, &in.reserved, err) ||
		!list_ports(arena, &in.ports, err))
		return false;
	for (size_t i = 0; i < room; i++) {
		if (vm->layout.root_complexes[i].iommu == IOMMU_NONE)
			continue;
		put_amdvi(&in, i, &amdvi[count]);
		put_vtd(&in, i, &vtd[count]);
		put_smmu(&in, i, count, &smmu[count]);
		count++;
	}
	*out = (AcpiIommu){
		.kind = kinds[layout->iommu],
		.has_ioapic_rid = has_ioapic(vm),
		.ioapic_rid = has_ioapic(vm) ? IOAPIC_RID : 0,
		.pa_bits = vm->layout.address_bits,
		.va_bits = AMD_VIRTUAL_BITS,
		.host_address_width = vm->layout.address_bits,
		.amdvi = amdvi,
		.vtd = vtd,
		.smmu = smmu,
		.unit_count = count,
	};
	return true;
}
