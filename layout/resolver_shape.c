/*
 * What a shape may be, and what an architecture adds to it.
 */
#include <string.h>

#include "layout/fixed_map.h"
#include "layout/resolver_internal.h"
#include "support/diagnostics.h"

static const LayoutDefaults defaults[] = {
	[GUEST_ARCH_X86_64] = {
		.zone = { ZONE_X86_GPA, FIXED_END(ZONE_X86) },
		.chipset_low_size = 128 * MIB,
		.chipset_high_size = 512 * MIB,
		.device_space_size = GIB,
		.min_low_ram = 64 * MIB,
	},
	[GUEST_ARCH_AARCH64] = {
		.zone = { ZONE_ARM64_GPA, FIXED_END(ZONE_ARM64) },
		.chipset_low_size = 512 * MIB,
		.chipset_high_size = 512 * MIB,
		.device_space_size = GIB,
		.linux_ram_start = LINUX_ARM64_RAM_START,
	},
};
static_assert(ARRAY_COUNT(defaults) == GUEST_ARCH_COUNT, "a row for each architecture");

static const char *const item_names[] = {
	[LAYOUT_ITEM_LOW_RAM_GAP] = "low-ram-gap",
	[LAYOUT_ITEM_CHIPSET_LOW] = "chipset-low",
	[LAYOUT_ITEM_CHIPSET_HIGH] = "chipset-high",
	[LAYOUT_ITEM_ECAM] = "ecam",
	[LAYOUT_ITEM_RC_LOW] = "rc-low",
	[LAYOUT_ITEM_RC_HIGH] = "rc-high",
	[LAYOUT_ITEM_CXL_HDM] = "cxl-hdm",
	[LAYOUT_ITEM_CXL_CHBCR] = "cxl-chbcr",
	[LAYOUT_ITEM_IOMMU] = "iommu",
	[LAYOUT_ITEM_VIRTIO_MMIO] = "virtio-mmio",
	[LAYOUT_ITEM_RAM] = "ram",
	[LAYOUT_ITEM_VTL2_CHIPSET] = "vtl2-chipset",
	[LAYOUT_ITEM_VTL2] = "vtl2",
	[LAYOUT_ITEM_VTL2_FRAMEBUFFER] = "vtl2-framebuffer",
	[LAYOUT_ITEM_RESERVED_IOVA] = "reserved-iova",
};
static_assert(ARRAY_COUNT(item_names) == LAYOUT_ITEM_COUNT, "a name for each item");

static const char *const iommu_names[] = {
	[IOMMU_NONE] = "none",
	[IOMMU_SMMU] = "smmu",
	[IOMMU_AMD_VI] = "amd-vi",
	[IOMMU_INTEL_VTD] = "intel-vtd",
};
static_assert(ARRAY_COUNT(iommu_names) == IOMMU_KIND_COUNT, "a name for each kind");

const LayoutDefaults *layout_defaults(GuestArch arch)
{
	return &defaults[arch];
}

const char *layout_item_name(LayoutItem item)
{
	return item_names[item];
}

static const ReservedIova profiles[] = {
	/* [OVMM] vmm_core/virt_kvm/src/arch/aarch64: where KVM lets an SMMU's MSIs land */
	{ { 0x8000000, 0x8100000 }, "arm64-msi" },
	/* [LINUX] drivers/iommu/amd, HT_RANGE_START: HyperTransport */
	{ { 0xfd00000000, 0x10000000000 }, "amd-ht" },
};

const ReservedIova *reserved_iova_profile(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(profiles); i++) {
		if (strcmp(profiles[i].reason, name) == 0)
			return &profiles[i];
	}
	return NULL;
}

uint64_t layout_largest_bar(MemoryRange window)
{
	uint64_t start;

	for (uint64_t size = UINT64_C(1) << 63; size >= PAGE_SIZE; size >>= 1) {
		if (checked_align_up(window.start, size, &start) && start < window.end &&
			window.end - start >= size)
			return size;
	}
	return 0;
}

static bool check_counts(const LayoutShape *shape, Error *err)
{
	if (shape->version < LAYOUT_VERSION_REFERENCE ||
		shape->version > LAYOUT_VERSION_CURRENT)
		return error_set(err, PVW_RESOLVE_0012,
			"layout version %" PRIu32 ", expected %d to %d", shape->version,
			LAYOUT_VERSION_REFERENCE, LAYOUT_VERSION_CURRENT);
	if (shape->node_count > LAYOUT_MAX_NODES)
		return error_set(err, PVW_RESOLVE_0011, "%zu NUMA nodes, expected at most %d",
			shape->node_count, LAYOUT_MAX_NODES);
	if (shape->root_complex_count > LAYOUT_MAX_ROOT_COMPLEXES)
		return error_set(err, PVW_RESOLVE_0011,
			"%zu PCIe root complexes, expected at most %d",
			shape->root_complex_count, LAYOUT_MAX_ROOT_COMPLEXES);
	if (shape->reserved_iova.count > LAYOUT_MAX_RESERVED)
		return error_set(err, PVW_RESOLVE_0011,
			"%zu reserved ranges, expected at most %d", shape->reserved_iova.count,
			LAYOUT_MAX_RESERVED);
	return true;
}

static bool check_nodes(const LayoutShape *shape, Error *err)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < shape->node_count; i++) {
		const uint64_t size = shape->node_sizes[i];

		if (!is_aligned(size, PAGE_SIZE))
			return error_set(err, PVW_RESOLVE_0002,
				"NUMA node %zu has 0x%" PRIx64
				" bytes, expected a multiple of 0x1000",
				i, size);
		if (!checked_add_u64(sum, size, &sum))
			return error_set(err, PVW_RESOLVE_0002,
				"the sizes of NUMA nodes 0 to %zu sum to more than 64 bits", i);
	}
	if (sum == 0)
		return error_set(err, PVW_RESOLVE_0001,
			"%zu NUMA nodes have no memory at all, expected some",
			shape->node_count);
	return true;
}

static bool check_addresses(const LayoutShape *shape, Error *err)
{
	if (shape->address_bits == 0 || shape->address_bits > LAYOUT_MAX_ADDRESS_BITS)
		return error_set(err, PVW_RESOLVE_0007,
			"addresses of %u bits, expected 1 to %d", shape->address_bits,
			LAYOUT_MAX_ADDRESS_BITS);
	if (!is_aligned(shape->ram_start, PAGE_SIZE))
		return error_set(err, PVW_RESOLVE_0006,
			"RAM starts at 0x%" PRIx64 ", expected a multiple of 0x1000",
			shape->ram_start);
	if (shape->chipset_low_size > FOUR_GIB)
		return error_set(err, PVW_RESOLVE_0010,
			"a low chipset window of 0x%" PRIx64
			" bytes, expected at most 0x100000000",
			shape->chipset_low_size);
	return true;
}

/* Slots for indices of names: twice as many as names, so that searches are short. */
#define NAME_SLOTS (2 * LAYOUT_MAX_ROOT_COMPLEXES)
static_assert((NAME_SLOTS & (NAME_SLOTS - 1)) == 0, "slots are cheap to compute");

static size_t slot_of(const char *name)
{
	uint32_t hash = 2166136261; /* FNV-1a */

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619;
	return (hash ^ hash >> 16) % NAME_SLOTS;
}

/* Tags are made of names, and what is kept of a layout is found by its tag. */
static bool check_names(const LayoutShape *shape, Error *err)
{
	const RootComplexShape *complexes = shape->root_complexes;
	uint16_t slots[NAME_SLOTS] = { 0 }; /* index + 1 */

	for (size_t i = 0; i < shape->root_complex_count; i++) {
		const char *name = complexes[i].name;
		size_t slot;

		if (!name || !name[0])
			return error_set(err, PVW_RESOLVE_0020,
				"PCIe root complex %zu has no name, expected one", i);
		for (slot = slot_of(name); slots[slot]; slot = (slot + 1) % NAME_SLOTS) {
			if (strcmp(complexes[slots[slot] - 1].name, name) == 0)
				return error_set(err, PVW_RESOLVE_0020,
					"PCIe root complexes %d and %zu are both called %.64s, "
					"expected different names",
					slots[slot] - 1, i, name);
		}
		slots[slot] = (uint16_t)(i + 1);
	}
	return true;
}

static bool is_absent(const WindowShape *window)
{
	return window->size == 0 && memory_range_is_empty(window->fixed);
}

static bool check_root_complexes(const LayoutShape *shape, Error *err)
{
	IommuKind kind = IOMMU_NONE;

	for (size_t i = 0; i < shape->root_complex_count; i++) {
		const RootComplexShape *complex = &shape->root_complexes[i];

		if (complex->start_bus > complex->end_bus)
			return error_set(err, PVW_RESOLVE_0004,
				"PCIe root complex %.64s starts at bus %u and ends at bus %u, "
				"expected it to end at %u or above",
				complex->name, complex->start_bus, complex->end_bus,
				complex->start_bus);
		if (complex->low.fixed.end > FOUR_GIB)
			return error_set(err, PVW_RESOLVE_0003,
				"PCIe root complex %.64s has its low window at " RANGE_FORMAT
				", expected an end at or below 4 GiB",
				complex->name, RANGE_ARGS(complex->low.fixed));
		if (complex->iommu == IOMMU_NONE)
			continue;
		if (kind != IOMMU_NONE && kind != complex->iommu)
			return error_set(err, PVW_RESOLVE_0005,
				"PCIe root complex %.64s has an IOMMU of kind %s, "
				"expected %s as others have",
				complex->name, iommu_names[complex->iommu], iommu_names[kind]);
		kind = complex->iommu;
	}
	return true;
}

static bool check_present(const LayoutShape *shape, Error *err)
{
	for (size_t i = 0; i < shape->root_complex_count; i++) {
		const RootComplexShape *complex = &shape->root_complexes[i];

		if (is_absent(&complex->low) || is_absent(&complex->high))
			return error_set(err, PVW_RESOLVE_0021,
				"PCIe root complex %.64s has no %s window, expected one: with "
				"layout version 1 none can be absent",
				complex->name, is_absent(&complex->low) ? "low" : "high");
	}
	return true;
}

/* The address space of version 1 is not ours to add to, or to take from. */
static bool check_reference(const LayoutShape *shape, Error *err)
{
	const char *what = NULL;

	if (shape->device_space_size)
		what = "a size of the device space";
	else if (shape->low_window_size)
		what = "a low window";
	else if (shape->bar_align_max)
		what = "a bound of alignments";
	else if (shape->reserved_iova.count)
		what = "reserved ranges";
	if (what)
		return error_set(err, PVW_RESOLVE_0013,
			"layout version 1 knows nothing of %s, expected version 2", what);
	return check_present(shape, err);
}

bool shape_check(const LayoutShape *shape, Error *err)
{
	return check_counts(shape, err) && check_nodes(shape, err) &&
		check_addresses(shape, err) &&
		(shape->root_complex_count == 0 ||
			(check_names(shape, err) && check_root_complexes(shape, err))) &&
		(shape->version != LAYOUT_VERSION_REFERENCE || check_reference(shape, err));
}
