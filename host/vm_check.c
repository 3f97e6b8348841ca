/*
 * What a VM description cannot say, whatever its members say one by one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/vm_internal.h"
#include "layout/fixed_map.h"
#include "support/checked.h"
#include "support/diagnostics.h"

/* The failure lies at "source.place". */
static bool fail_at(Error *err, const char *source, const char *place)
{
	char path[ERROR_SOURCE_SIZE];

	snprintf(path, sizeof(path), "%s.%s", source, place);
	return error_at(err, path);
}

/* The same at "source.list[index].member". */
static bool fail_in(
	Error *err, const char *source, const char *list, size_t index, const char *member)
{
	char place[64];

	snprintf(place, sizeof(place), "%s[%zu]%s%s", list, index, *member ? "." : "", member);
	return fail_at(err, source, place);
}

/*
 * Members that exclude each other.
 */

static bool check_memory(const Parts *parts, const char *source, Error *err)
{
	if (parts->has_memory && parts->has_nodes)
		error_set(err, PVW_VM_0002, "memory and nodes, expected one of them");
	else if (!parts->has_memory && parts->vm.layout.node_count == 0)
		error_set(err, PVW_VM_0002, "no memory, expected memory or nodes");
	else if (parts->has_distances &&
		parts->vm.distances.node_count !=
			(parts->has_nodes ? parts->vm.layout.node_count : 1))
		error_set(err, PVW_VM_0002,
			"distances of %" PRIu32 " nodes, expected a row for each of %zu",
			parts->vm.distances.node_count,
			parts->has_nodes ? parts->vm.layout.node_count : 1);
	else
		return true;
	return fail_at(err, source, parts->has_distances ? "distances" : "memory");
}

static bool check_processors(const Parts *parts, const char *source, Error *err)
{
	const uint32_t count = parts->vm.processors.count;

	if (parts->listed_count && (parts->has_count || parts->vnode_count))
		error_set(err, PVW_VM_0002,
			"a list beside count or nodes, expected the list alone: it says both");
	else if (parts->vnode_count && parts->vnode_count != (count ? count : 1))
		error_set(err, PVW_VM_0002,
			"nodes of %zu processors, expected one for each of %" PRIu32,
			parts->vnode_count, count ? count : 1);
	else
		return true;
	return fail_at(err, source, "processors");
}

/*
 * What only one architecture has.
 */

static const struct {
	const char *place;
	GuestArch arch; /* that has it */
	size_t at;      /* of a bool in Parts */
} arch_rows[] = {
	{ "arm", GUEST_ARCH_AARCH64, offsetof(Parts, has_arm) },
	{ "processors.smt", GUEST_ARCH_X86_64, offsetof(Parts, vm.processors.smt) },
	{ "chipset.pic", GUEST_ARCH_X86_64, offsetof(Parts, vm.with_pic) },
	{ "chipset.pit", GUEST_ARCH_X86_64, offsetof(Parts, vm.with_pit) },
	{ "chipset.psp", GUEST_ARCH_X86_64, offsetof(Parts, vm.with_psp) },
};

static const struct {
	const char *name;
	bool with[GUEST_ARCH_COUNT];
} iommu_rows[] = {
	[IOMMU_NONE] = { "none", { true, true } },
	[IOMMU_SMMU] = { "smmu", { [GUEST_ARCH_AARCH64] = true } },
	[IOMMU_AMD_VI] = { "amd-vi", { [GUEST_ARCH_X86_64] = true } },
	[IOMMU_INTEL_VTD] = { "intel-vtd", { [GUEST_ARCH_X86_64] = true } },
};
static_assert(ARRAY_COUNT(iommu_rows) == IOMMU_KIND_COUNT, "a row for each kind");

static bool check_arch(const Parts *parts, const char *source, Error *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(arch_rows); i++) {
		if (!((const uint8_t *)parts)[arch_rows[i].at] ||
			arch_rows[i].arch == parts->arch)
			continue;
		error_set(err, PVW_VM_0003, "%s is not for %s, expected %s", arch_rows[i].place,
			guest_arch_name(parts->arch), guest_arch_name(arch_rows[i].arch));
		return fail_at(err, source, arch_rows[i].place);
	}
	if (parts->vm.boot == BOOT_PCAT && parts->arch != GUEST_ARCH_X86_64) {
		error_set(err, PVW_VM_0003, "pcat is not for aarch64, expected uefi or linux");
		return fail_at(err, source, "boot");
	}
	for (size_t i = 0; i < parts->root_complex_count; i++) {
		const IommuKind kind = parts->root_complexes[i].shape.iommu;

		if (iommu_rows[kind].with[parts->arch])
			continue;
		error_set(err, PVW_VM_0003, "an IOMMU of kind %s is not for %s",
			iommu_rows[kind].name, guest_arch_name(parts->arch));
		return fail_in(err, source, "pcie.root_complexes", i, "iommu");
	}
	return true;
}

bool vm_check_said(const Parts *parts, const char *source, Error *err)
{
	if (strcmp(parts->schema, VM_SCHEMA) != 0) {
		error_set(err, PVW_VM_0001, "a document of schema \"%.64s\", expected \"%s\"",
			parts->schema, VM_SCHEMA);
		return fail_at(err, source, "schema");
	}
	return check_memory(parts, source, err) && check_processors(parts, source, err) &&
		check_arch(parts, source, err);
}

/*
 * Nodes that are named.
 */

static bool is_node(const Vm *vm, uint32_t node, Error *err)
{
	if (node < vm->layout.node_count)
		return true;
	return error_set(err, PVW_VM_0004, "NUMA node %" PRIu32 ", expected one below %zu",
		node, vm->layout.node_count);
}

static bool check_nodes(const Vm *vm, const char *source, Error *err)
{
	const VmProcessors *processors = &vm->processors;

	for (size_t i = 0; i < processors->count; i++) {
		if (processors->vnodes && !is_node(vm, processors->vnodes[i], err))
			return fail_in(err, source, "processors.nodes", i, "");
		if (processors->list && !is_node(vm, processors->list[i].vnode, err))
			return fail_in(err, source, "processors.list", i, "node");
	}
	for (size_t i = 0; i < vm->initiator_count; i++) {
		if (!is_node(vm, vm->initiators[i].vnode, err))
			return fail_in(err, source, "initiators", i, "node");
	}
	for (size_t i = 0; i < vm->layout.root_complex_count; i++) {
		if (!is_node(vm, vm->bridges[i].vnode, err))
			return fail_in(err, source, "pcie.root_complexes", i, "node");
	}
	return true;
}

/*
 * Root complexes.
 */

/* Of one segment, with a bus that both have; a complex whose buses are reversed has none. */
static bool share_a_bus(const RootComplexShape *a, const RootComplexShape *b)
{
	return a->segment == b->segment && a->start_bus <= b->end_bus &&
		b->start_bus <= a->end_bus;
}

/* Quadratic over LAYOUT_MAX_ROOT_COMPLEXES at most. */
static bool check_root_complexes(const Vm *vm, const char *source, Error *err)
{
	const RootComplexShape *complexes = vm->layout.root_complexes;

	for (size_t i = 0; i < vm->layout.root_complex_count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcmp(complexes[i].name, complexes[k].name) == 0) {
				error_set(err, PVW_VM_0005,
					"the name %.64s is root complex %zu's, expected "
					"another",
					complexes[i].name, k);
				return fail_in(err, source, "pcie.root_complexes", i, "name");
			}
			if (share_a_bus(&complexes[i], &complexes[k])) {
				error_set(err, PVW_VM_0005,
					"buses %u to %u of segment %u, of which %.64s has "
					"%u to %u, expected none in common",
					complexes[i].start_bus, complexes[i].end_bus,
					complexes[i].segment, complexes[k].name,
					complexes[k].start_bus, complexes[k].end_bus);
				return fail_in(
					err, source, "pcie.root_complexes", i, "start_bus");
			}
		}
	}
	return true;
}

/*
 * Devices of aarch64.
 */

typedef struct Device {
	const char *place; /* the member that moves it, or its name */
	MemoryRange range;
} Device;

#define MAX_DEVICES 6

static Device device_at(const char *place, uint64_t base, uint64_t size)
{
	/* A base so high that the end wraps is outside of any window. */
	return (Device){ place, { base, base + size > base ? base + size : UINT64_MAX } };
}

static size_t list_devices(const Vm *vm, Device *out)
{
	const ArmPlatform *arm = &vm->arm;
	size_t count = 0;

	out[count++] = device_at("arm.distributor", arm->gic_distributor, GIC_DISTRIBUTOR_SIZE);
	if (arm->gic_v2)
		out[count++] = device_at(
			"arm.cpu_interface", arm->gic_cpu_interface, GIC_V2_CPU_INTERFACE_SIZE);
	else
		out[count++] = device_at("arm.redistributors", arm->gic_redistributors,
			vm->processors.count * GIC_REDISTRIBUTOR_STRIDE);
	if (arm->msi != GIC_MSI_NONE)
		out[count++] = device_at("arm.msi_base", arm->msi_base,
			arm->msi == GIC_MSI_ITS ? GIC_ITS_SIZE : GIC_V2M_SIZE);
	if (vm->with_com1)
		out[count++] = device_at("chipset.com1", PL011_0_GPA, PL011_0_SIZE);
	if (vm->with_com2)
		out[count++] = device_at("chipset.com2", PL011_1_GPA, PL011_1_SIZE);
	out[count++] = device_at(
		"firmware's helper device", UEFI_DEVICE_ARM64_GPA, UEFI_DEVICE_ARM64_SIZE);
	return count;
}

/* Each in whole pages of the low chipset window, and none where another is. */
static bool check_devices(const Vm *vm, const char *source, Error *err)
{
	const uint64_t zone = memory_range_len(layout_defaults(vm->layout.arch)->zone);
	const uint64_t said = vm->layout.chipset_low_size;
	const uint64_t low = said > FOUR_GIB ? FOUR_GIB : said > zone ? said : zone;
	const MemoryRange window = { FOUR_GIB - low, FOUR_GIB };
	Device devices[MAX_DEVICES];
	const size_t count = list_devices(vm, devices);

	for (size_t i = 0; i < count; i++) {
		if (!is_aligned(devices[i].range.start, PAGE_SIZE) ||
			!memory_range_contains(window, devices[i].range)) {
			error_set(err, PVW_VM_0007,
				"%s at " RANGE_FORMAT
				", expected pages of the low chipset window " RANGE_FORMAT,
				devices[i].place, RANGE_ARGS(devices[i].range),
				RANGE_ARGS(window));
			return fail_at(err, source, devices[i].place);
		}
		for (size_t k = 0; k < i; k++) {
			if (!memory_range_overlaps(devices[i].range, devices[k].range))
				continue;
			error_set(err, PVW_VM_0007,
				"%s at " RANGE_FORMAT
				", expected it apart from %s at " RANGE_FORMAT,
				devices[i].place, RANGE_ARGS(devices[i].range),
				devices[k].place, RANGE_ARGS(devices[k].range));
			/* The helper device is where it is: the other one is to move. */
			return fail_at(err, source,
				i + 1 < count ? devices[i].place : devices[k].place);
		}
	}
	return true;
}

bool vm_check(const Vm *vm, const char *source, Error *err)
{
	VmInterrupts interrupts;

	if (!check_nodes(vm, source, err) || !check_root_complexes(vm, source, err))
		return false;
	if (vm->layout.arch != GUEST_ARCH_AARCH64)
		return true;
	return check_devices(vm, source, err) &&
		(vm_interrupts(vm, &interrupts, err) || fail_at(err, source, "arm.interrupts"));
}
