/*
 * Areas resolve_layout_x86_64 and resolve_layout_aarch64: layout version 1. And layout_placements,
 * which takes the same input, in any version, and answers with the list that is kept of a layout.
 */
#include "golden_layout.h"

#include <string.h>

/* As the schema calls them, by IommuKind. */
static const char *const iommu_names[] = { "", "smmu", "amdvi", "vtd" };
static_assert(ARRAY_COUNT(iommu_names) == IOMMU_KIND_COUNT, "a name for each kind");

/* What the schema calls the absent high window, by which its readers sort. */
#define ABSENT_HIGH ((MemoryRange){ FOUR_GIB, FOUR_GIB })

static IommuKind read_iommu(const json_t *complex)
{
	const char *name;

	if (golden_is_null(complex, "iommu"))
		return IOMMU_NONE;
	name = golden_string(complex, "iommu");
	for (size_t i = 1; i < ARRAY_COUNT(iommu_names); i++) {
		if (strcmp(name, iommu_names[i]) == 0)
			return (IommuKind)i;
	}
	golden_malformed("unknown iommu %s", name);
}

static WindowShape read_window(const json_t *complex, const char *name)
{
	const json_t *window = golden_member(complex, name);

	if (golden_is_null(window, "fixed"))
		return (WindowShape){ .size = golden_u64(window, "dynamic_size") };
	return (WindowShape){ .fixed = golden_range(golden_member(window, "fixed")) };
}

static RootComplexShape read_root_complex(const json_t *complex)
{
	RootComplexShape shape = {
		.name = golden_string(complex, "name"),
		.segment = (uint16_t)golden_u64(complex, "segment"),
		.start_bus = (uint8_t)golden_u64(complex, "start_bus"),
		.end_bus = (uint8_t)golden_u64(complex, "end_bus"),
		.low = read_window(complex, "low_mmio"),
		.high = read_window(complex, "high_mmio"),
		.has_cxl = !golden_is_null(complex, "cxl_hdm_size"),
		.iommu = read_iommu(complex),
	};

	if (shape.has_cxl)
		shape.cxl_hdm_size = golden_u64(complex, "cxl_hdm_size");
	return shape;
}

static void read_lists(const json_t *input, Arena *arena, LayoutShape *shape)
{
	const json_t *nodes = golden_member(input, "node_mem_sizes");
	const json_t *complexes = golden_member(input, "pcie_root_complexes");
	uint64_t *sizes;
	RootComplexShape *items;

	shape->node_count = json_array_size(nodes);
	sizes = golden_array(arena, shape->node_count, sizeof(*sizes));
	for (size_t i = 0; i < shape->node_count; i++)
		sizes[i] = golden_as_u64(json_array_get(nodes, i));
	shape->node_sizes = sizes;
	shape->root_complex_count = json_array_size(complexes);
	items = golden_array(arena, shape->root_complex_count, sizeof(*items));
	for (size_t i = 0; i < shape->root_complex_count; i++)
		items[i] = read_root_complex(json_array_get(complexes, i));
	shape->root_complexes = items;
}

LayoutShape golden_layout_shape(const json_t *input, GuestArch arch, Arena *arena)
{
	LayoutShape shape = {
		.arch = arch,
		.version = LAYOUT_VERSION_REFERENCE,
		.ram_start = golden_u64(input, "ram_start_address"),
		.chipset_low_size = golden_u64(input, "chipset_low_mmio_size"),
		.chipset_high_size = golden_u64(input, "chipset_high_mmio_size"),
		.vtl2_chipset_size = golden_u64(input, "vtl2_chipset_mmio_size"),
		.ecam_below_4gib = golden_bool(input, "pcie_ecam_below_4gb"),
		.virtio_mmio_count = (uint32_t)golden_u64(input, "virtio_mmio_count"),
		.has_vtl2 = !golden_is_null(input, "vtl2_layout"),
		.vtl2_framebuffer_size = golden_u64(input, "vtl2_framebuffer_size"),
		.address_bits = (uint8_t)golden_u64(input, "physical_address_size"),
	};

	if (shape.has_vtl2) {
		const json_t *vtl2 = golden_member(input, "vtl2_layout");

		shape.vtl2_size = golden_u64(vtl2, "size");
		shape.vtl2_align = golden_u64(vtl2, "alignment");
	}
	read_lists(input, arena, &shape);
	return shape;
}

static json_t *write_ram(const ResolvedLayout *layout)
{
	json_t *list = json_array();

	for (size_t i = 0; i < layout->ram.count; i++) {
		const NodeRange *ram = &layout->ram.items[i];

		json_array_append_new(list,
			json_pack("{s: o, s: o, s: I}", "start",
				golden_json_u64(ram->range.start), "end",
				golden_json_u64(ram->range.end), "vnode",
				(json_int_t)ram->vnode));
	}
	return list;
}

static MemoryRange high_or_absent(const ResolvedLayout *layout)
{
	return memory_range_is_empty(layout->chipset_high) ? ABSENT_HIGH : layout->chipset_high;
}

static json_t *write_mmio(const ResolvedLayout *layout)
{
	json_t *list = json_array();

	json_array_append_new(list, golden_json_range(layout->chipset_low));
	json_array_append_new(list, golden_json_range(high_or_absent(layout)));
	if (!memory_range_is_empty(layout->vtl2_chipset))
		json_array_append_new(list, golden_json_range(layout->vtl2_chipset));
	return list;
}

static json_t *write_optional(MemoryRange range)
{
	return memory_range_is_empty(range) ? json_null() : golden_json_range(range);
}

static json_t *write_pcie(const ResolvedLayout *layout, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const RootComplexLayout *complex = &layout->root_complexes[i];

		json_array_append_new(list,
			json_pack("{s: o, s: o, s: o, s: o, s: o}", "ecam",
				golden_json_range(complex->ecam), "low_mmio",
				golden_json_range(complex->low), "high_mmio",
				golden_json_range(complex->high), "chbcr",
				golden_json_range(complex->cxl_chbcr), "hdm",
				golden_json_range(complex->cxl_hdm)));
	}
	return list;
}

static json_t *write_iommu(const ResolvedLayout *layout, size_t count)
{
	json_t *list;

	if (layout->iommu == IOMMU_NONE)
		return json_null();
	list = json_array();
	for (size_t i = 0; i < count; i++) {
		if (!memory_range_is_empty(layout->root_complexes[i].iommu))
			json_array_append_new(
				list, golden_json_range(layout->root_complexes[i].iommu));
	}
	return json_pack("{s: s, s: o}", "kind", iommu_names[layout->iommu], "ranges", list);
}

/* What the reference's memory layout knows of. */
static uint64_t end_of_layout(const ResolvedLayout *layout)
{
	uint64_t end = 0;

	for (size_t i = 0; i < layout->placements.count; i++) {
		const LayoutPlacement *placement = &layout->placements.items[i];

		switch (placement->item) {
		case LAYOUT_ITEM_RAM:
		case LAYOUT_ITEM_CHIPSET_LOW:
		case LAYOUT_ITEM_CHIPSET_HIGH:
		case LAYOUT_ITEM_VTL2_CHIPSET:
		case LAYOUT_ITEM_ECAM:
		case LAYOUT_ITEM_RC_LOW:
		case LAYOUT_ITEM_RC_HIGH:
			end = placement->range.end;
			break;
		case LAYOUT_ITEM_LOW_RAM_GAP:
		case LAYOUT_ITEM_CXL_HDM:
		case LAYOUT_ITEM_CXL_CHBCR:
		case LAYOUT_ITEM_IOMMU:
		case LAYOUT_ITEM_VIRTIO_MMIO:
		case LAYOUT_ITEM_VTL2:
		case LAYOUT_ITEM_VTL2_FRAMEBUFFER:
		case LAYOUT_ITEM_RESERVED_IOVA:
		case LAYOUT_ITEM_COUNT:
			break;
		}
	}
	return end;
}

/* End of the last RAM that ends strictly below 4 GiB. */
static json_t *write_max_ram(const ResolvedLayout *layout)
{
	for (size_t i = layout->ram.count; i-- > 0;) {
		if (layout->ram.items[i].range.end < FOUR_GIB)
			return golden_json_u64(layout->ram.items[i].range.end);
	}
	return json_null();
}

static json_t *write_framebuffer(const ResolvedLayout *layout)
{
	return memory_range_is_empty(layout->vtl2_framebuffer)
		? json_null()
		: golden_json_u64(layout->vtl2_framebuffer.start);
}

static bool run(GuestArch arch, const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const LayoutShape shape = golden_layout_shape(input, arch, arena);
	ResolvedLayout layout;

	if (!resolver_run(&shape, arena, &layout, err))
		return false;
	*output = json_pack("{s: o, s: o, s: o, s: o, s: o, s: o, s: o}", "ram",
		write_ram(&layout), "mmio", write_mmio(&layout), "vtl2_range",
		write_optional(layout.vtl2), "end_of_ram", golden_json_u64(layout.end_of_ram),
		"end_of_layout", golden_json_u64(end_of_layout(&layout)), "max_ram_below_4gb",
		write_max_ram(&layout), "chipset_low", golden_json_range(layout.chipset_low));
	json_object_set_new(
		*output, "chipset_high", golden_json_range(high_or_absent(&layout)));
	json_object_set_new(*output, "chipset_vtl2", golden_json_range(layout.vtl2_chipset));
	json_object_set_new(
		*output, "virtio_mmio_region", golden_json_range(layout.virtio_mmio));
	json_object_set_new(*output, "vtl2_framebuffer_gpa_base", write_framebuffer(&layout));
	json_object_set_new(*output, "iommu", write_iommu(&layout, shape.root_complex_count));
	json_object_set_new(*output, "pcie", write_pcie(&layout, shape.root_complex_count));
	return true;
}

bool golden_run_resolve_layout_x86_64(
	const json_t *input, Arena *arena, json_t **output, Error *err)
{
	return run(GUEST_ARCH_X86_64, input, arena, output, err);
}

bool golden_run_resolve_layout_aarch64(
	const json_t *input, Arena *arena, json_t **output, Error *err)
{
	return run(GUEST_ARCH_AARCH64, input, arena, output, err);
}

/* An input that the reference does not have. */
static uint64_t read_wish(const json_t *input, const char *name)
{
	return golden_is_null(input, name) ? 0 : golden_u64(input, name);
}

static json_t *write_placements(LayoutPlacementList list)
{
	json_t *array = json_array();
	char tag[LAYOUT_TAG_SIZE];

	for (size_t i = 0; i < list.count; i++) {
		const LayoutPlacement *placement = &list.items[i];

		json_array_append_new(array,
			json_pack("{s: s, s: s, s: o, s: o}", "kind",
				placement_kind_name(placement->kind), "tag",
				layout_tag_write(placement->tag, tag), "start",
				golden_json_u64(placement->range.start), "end",
				golden_json_u64(placement->range.end)));
	}
	return array;
}

bool golden_run_layout_placements(
	const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const GuestArch arch = strcmp(golden_string(input, "guest_arch"), "aarch64") == 0
		? GUEST_ARCH_AARCH64
		: GUEST_ARCH_X86_64;
	LayoutShape shape = golden_layout_shape(input, arch, arena);
	ResolvedLayout layout;

	shape.version = (uint32_t)golden_u64(input, "layout_version");
	shape.device_space_size = read_wish(input, "device_space_size");
	shape.bar_align_max = read_wish(input, "bar_align_max");
	if (!resolver_run(&shape, arena, &layout, err))
		return false;
	*output = json_pack("{s: I, s: o, s: o}", "layout_version", (json_int_t)layout.version,
		"top", golden_json_u64(layout.top), "placements",
		write_placements(layout.placements));
	return true;
}
