/*
 * The resolver: from the shape of a virtual machine to the address of everything in it.
 *
 * Guests remember addresses: a version of the layout is a contract, and every version stays.
 * A layout is a function of the shape alone; only whether it is refused depends on the width of
 * addresses.
 *
 * Version 1 is the reference, address by address. Version 2 keeps what it says of VTL2, buses and
 * sizes, but devices move neither RAM nor chipset windows, and more RAM moves no RAM:
 *
 *	[0 ... RAM ...  )[ device space )[ RAM ...    )  empty  [ chipset-high, windows, VTL2 ... )
 *	                  3 GiB           4 GiB        end of RAM H
 *
 * The device space holds everything that needs 32 bits. H is so aligned that 6 MTRRs always
 * suffice. Windows are as aligned as the largest BAR that they can hold.
 * Source: docs/formats.md, "Layout"; [OVMM] openvmm/openvmm_core/src/worker/memory_layout.rs
 */
#ifndef LAYOUT_RESOLVER_H
#define LAYOUT_RESOLVER_H

#include "layout/allocator.h"
#include "layout/layout_version.h"
#include "support/diagnostics.h"
#include "support/guest_arch.h"

#define LAYOUT_MAX_NODES 512
#define LAYOUT_MAX_ROOT_COMPLEXES 512
#define LAYOUT_MAX_RESERVED 64
#define LAYOUT_MAX_ADDRESS_BITS 63

/* Version 2: bounds of the device space, and of the low window. */
#define LAYOUT_MIN_DEVICE_SPACE UINT64_C(0x2000000)
#define LAYOUT_MAX_DEVICE_SPACE UINT64_C(0xc0000000)
#define LAYOUT_MIN_LOW_WINDOW UINT64_C(0x2000000)

/* RAM below 4 GiB that PCAT and UEFI of x86-64 count on: min_low_ram. */
#define LAYOUT_FIRMWARE_LOW_RAM UINT64_C(0x8000000)

/* What PCI Express takes for a bus, and the lowest address of such space. */
#define ECAM_BUS_SIZE UINT64_C(0x100000)
#define ECAM_MIN_GPA UINT64_C(0x10000000)

/* All root complexes that have one have the same. */
typedef enum IommuKind {
	IOMMU_NONE,
	IOMMU_SMMU,
	IOMMU_AMD_VI,
	IOMMU_INTEL_VTD,
	IOMMU_KIND_COUNT
} IommuKind;

/* Where a device window is to be: at @fixed if that is not empty, else @size bytes anywhere. */
typedef struct WindowShape {
	uint64_t size; /* bytes */
	MemoryRange fixed;
} WindowShape;

typedef struct RootComplexShape {
	const char *name; /* "rc0"; not empty, and no other one's */
	uint16_t segment;
	uint8_t start_bus, end_bus; /* both belong to it */
	WindowShape low, high;      /* below 4 GiB; anywhere */
	bool has_cxl;
	uint64_t cxl_hdm_size; /* bytes */
	IommuKind iommu;
} RootComplexShape;

/* Addresses that devices must not be given, because the host's IOMMU uses them otherwise. */
typedef struct ReservedIova {
	MemoryRange range;
	const char *reason; /* "arm64-msi" */
} ReservedIova;

typedef struct ReservedIovaList {
	const ReservedIova *items; /* in any order; may overlap */
	size_t count;
} ReservedIovaList;

/* Everything that decides where something is. Sizes in bytes; 0 = without, unless said. */
typedef struct LayoutShape {
	GuestArch arch;
	uint32_t version;           /* LAYOUT_VERSION_… */
	const uint64_t *node_sizes; /* by NUMA node; a node may be without memory */
	size_t node_count;
	uint64_t ram_start;        /* GPA below which there is no RAM */
	uint64_t chipset_low_size; /* at least the architecture's own zone is taken */
	uint64_t chipset_high_size;
	uint64_t vtl2_chipset_size;
	const RootComplexShape *root_complexes;
	size_t root_complex_count;
	bool ecam_below_4gib;
	uint32_t virtio_mmio_count; /* slots of a page each */
	bool has_vtl2;
	uint64_t vtl2_size, vtl2_align; /* VTL2's memory, as its image asks for it */
	uint64_t vtl2_framebuffer_size;
	uint8_t address_bits; /* 1..LAYOUT_MAX_ADDRESS_BITS: what the guest's processors have */

	/*
	 * RAM that must be in one piece from its start on, below 4 GiB; all of it if there is less.
	 * Moves nothing. 0 = the architecture's with version 2, nothing with version 1. Firmware
	 * for x86-64 wants LAYOUT_FIRMWARE_LOW_RAM.
	 */
	uint64_t min_low_ram;

	/* Version 2 only. */
	uint64_t device_space_size; /* power of two up to 2 GiB, or 3 GiB; 0 = as the
				       architecture has it */
	uint64_t low_window_size;   /* RAM from 0 on although ram_start is higher: for UEFI */
	uint64_t bar_align_max; /* power of two: no high window is aligned more; 0 = 64 GiB */
	ReservedIovaList reserved_iova;
} LayoutShape;

/* What something is, apart from how it was placed. */
typedef enum LayoutItem {
	LAYOUT_ITEM_LOW_RAM_GAP,
	LAYOUT_ITEM_CHIPSET_LOW,
	LAYOUT_ITEM_CHIPSET_HIGH,
	LAYOUT_ITEM_ECAM,   /* owner: segment */
	LAYOUT_ITEM_RC_LOW, /* owner: root complex, by index; so are the next ones' */
	LAYOUT_ITEM_RC_HIGH,
	LAYOUT_ITEM_CXL_HDM,
	LAYOUT_ITEM_CXL_CHBCR,
	LAYOUT_ITEM_IOMMU,
	LAYOUT_ITEM_VIRTIO_MMIO,
	LAYOUT_ITEM_RAM, /* owner: NUMA node */
	LAYOUT_ITEM_VTL2_CHIPSET,
	LAYOUT_ITEM_VTL2,
	LAYOUT_ITEM_VTL2_FRAMEBUFFER,
	LAYOUT_ITEM_RESERVED_IOVA,
	LAYOUT_ITEM_COUNT
} LayoutItem;

/* One range of the result. Tag, kind, start and end are what is kept of a layout. */
typedef struct LayoutPlacement {
	MemoryRange range; /* never empty */
	LayoutTag tag;
	PlacementKind kind;
	LayoutItem item;
	uint32_t owner; /* 0 if the item has none */
	uint64_t align; /* that was asked for, bytes; 0 = pinned */
} LayoutPlacement;

typedef struct LayoutPlacementList {
	const LayoutPlacement *items;
	size_t count;
} LayoutPlacementList;

/* What one root complex got; empty where it has none. */
typedef struct RootComplexLayout {
	MemoryRange ecam; /* of its own buses */
	MemoryRange low, high, cxl_chbcr, cxl_hdm;
	MemoryRange iommu;
} RootComplexLayout;

/* Everything placed, once as a list and once by role. Absent ranges are empty. */
typedef struct ResolvedLayout {
	uint32_t version;
	LayoutPlacementList placements; /* ascending, disjoint: every range is in it once */
	NodeRangeList ram;              /* ascending */
	MemoryRange chipset_low, chipset_high;
	MemoryRange vtl2_chipset, vtl2, vtl2_framebuffer;
	MemoryRange virtio_mmio;
	const RootComplexLayout *root_complexes; /* as many as in the shape, in its order */
	IommuKind iommu;
	uint64_t end_of_ram;
	uint64_t top; /* end of the last placement */

	/* Version 2: what decided, besides the shape's requests. */
	MemoryRange device_space; /* all of 32 bits but RAM */
	uint64_t high_start;      /* H: no high window is below */
	uint64_t high_align;      /* H is a multiple; 0 if the layout was restored */
} ResolvedLayout;

/**
 * resolver_run - where everything is
 * @out: lists live in @arena; names of root complexes are borrowed from @shape
 *
 * Outputs are untouched on failure.
 *
 * Errors: PVW_RESOLVE_0001 (MISSING) no RAM, _0002 (BAD_VALUE) a node's size or the sum, _0003
 * (BAD_VALUE) a fixed low window that ends above 4 GiB, _0004 (BAD_VALUE) buses of a root
 * complex, _0005 (BAD_VALUE) two kinds of IOMMU, _0006 (BAD_VALUE) ram_start, _0007 (BAD_VALUE)
 * address_bits, _0008 (NO_SPACE) top above 2^address_bits, _0009 (NO_SPACE) ECAM too low, _0010
 * (BAD_VALUE) size of the low chipset window, _0011 (LIMIT) too many nodes or root complexes,
 * _0012 (UNSUPPORTED) layout version, _0013 (UNSUPPORTED) what version 1 does not know, _0014
 * (BAD_VALUE) size of the device space, _0015 (BAD_VALUE) a fixed window where version 2 has
 * none, _0016 (BAD_VALUE) the low window, _0017 (BAD_VALUE) a reserved range, _0018 (BAD_VALUE)
 * bar_align_max, _0020 (BAD_VALUE) names of root complexes, _0021 (BAD_VALUE) an absent window
 * with version 1, _0022 (NO_SPACE) min_low_ram, and those of allocator_run with the tags of
 * docs/formats.md.
 */
MUST_CHECK bool resolver_run(
	const LayoutShape *shape, Arena *arena, ResolvedLayout *out, Error *err);

/**
 * layout_warn - what a layout allows although hardly anybody means it
 * @layout: what resolver_run made of @shape
 *
 * Warnings: PVW_RESOLVE_0023 a fixed window that splits RAM, _0024 a high window below 4 GiB.
 * Version 2 refuses both.
 */
void layout_warn(
	const LayoutShape *shape, const ResolvedLayout *layout, Diagnostics *diagnostics);

/* What an architecture's guests have unless they ask for something else. */
typedef struct LayoutDefaults {
	MemoryRange zone; /* always part of the low chipset window, which ends with it */
	uint64_t chipset_low_size;
	uint64_t chipset_high_size; /* with VMBus */
	uint64_t linux_ram_start;   /* ram_start of a kernel without firmware */
	uint64_t device_space_size; /* version 2 */
	uint64_t min_low_ram;       /* version 2 */
} LayoutDefaults;

/** layout_defaults - of an architecture */
const LayoutDefaults *layout_defaults(GuestArch arch);

/** layout_largest_bar - bytes of the largest naturally aligned power of two in a window, or 0 */
uint64_t layout_largest_bar(MemoryRange window);

/** reserved_iova_profile - "arm64-msi" or "amd-ht"; NULL for others */
const ReservedIova *reserved_iova_profile(const char *name);

/** layout_item_name - "low-ram-gap", "chipset-low", "ecam", … */
const char *layout_item_name(LayoutItem item);

#endif
