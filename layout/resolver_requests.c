/*
 * What each part of a guest asks for.
 *
 * Order, kinds, sizes and alignments are the contract of layout version 1: none of them may
 * change. Source: docs/formats.md, "Layout"
 */
#include "layout/resolver_internal.h"

#define ALIGN_CHIPSET (2 * MIB)
#define ALIGN_RC_LOW (2 * MIB)
#define ALIGN_RC_HIGH GIB
#define ALIGN_RAM (2 * MIB)
#define ALIGN_LARGE_RAM GIB         /* of nodes at least as large */
#define MAX_NATURAL_LOW (256 * MIB) /* there is not much space down there */
#define MAX_NATURAL_HIGH (64 * GIB)
#define CXL_HDM_ALIGN (256 * MIB)
#define CXL_CHBCR_SIZE UINT64_C(0x10000)

/* An IOMMU is aligned to its size. */
typedef struct IommuRow {
	uint64_t size;
	const char *tag;
} IommuRow;

static const IommuRow iommus[] = {
	[IOMMU_NONE] = { 0, NULL },
	[IOMMU_SMMU] = { 0x20000, "smmu-%" },
	[IOMMU_AMD_VI] = { 0x4000, "amd-iommu-%" },
	[IOMMU_INTEL_VTD] = { 0x1000, "intel-vtd-%" },
};
static_assert(ARRAY_COUNT(iommus) == IOMMU_KIND_COUNT, "a row for each kind");

void resolver_pin(Resolver *resolver, PlacementKind kind, MemoryRange range, LayoutTag tag,
	Subject subject)
{
	if (memory_range_is_empty(range))
		return;
	resolver->requests[resolver->count] =
		(AllocatorRequest){ .tag = tag, .kind = kind, .range = range };
	subject.kind = kind;
	resolver->subjects[resolver->count++] = subject;
}

void resolver_ask(Resolver *resolver, PlacementKind kind, uint64_t size, uint64_t align,
	LayoutTag tag, Subject subject)
{
	resolver->requests[resolver->count] =
		(AllocatorRequest){ .tag = tag, .kind = kind, .size = size, .align = align };
	subject.kind = kind;
	resolver->subjects[resolver->count++] = subject;
}

static LayoutTag plain_tag(const char *text)
{
	return (LayoutTag){ .text = text };
}

static LayoutTag numbered_tag(const char *text, size_t number)
{
	return (LayoutTag){ .text = text, .number = (uint32_t)number };
}

MemoryRange chipset_low_range(const LayoutShape *shape)
{
	const uint64_t zone = memory_range_len(layout_defaults(shape->arch)->zone);
	uint64_t size = align_down(shape->chipset_low_size + PAGE_SIZE - 1, PAGE_SIZE);

	size = size > zone ? size : zone;
	return (MemoryRange){ FOUR_GIB - size, FOUR_GIB };
}

void request_chipset(Resolver *resolver)
{
	const LayoutShape *shape = resolver->shape;
	ResolvedLayout *result = &resolver->result;

	resolver_pin(resolver, PLACEMENT_RESERVED, (MemoryRange){ 0, shape->ram_start },
		plain_tag("low-ram-gap"), (Subject){ .item = LAYOUT_ITEM_LOW_RAM_GAP });
	resolver_pin(resolver, PLACEMENT_FIXED, chipset_low_range(shape),
		plain_tag("chipset-low-mmio"),
		subject_of(LAYOUT_ITEM_CHIPSET_LOW, 0, &result->chipset_low));
	if (shape->chipset_high_size)
		resolver_ask(resolver, PLACEMENT_MMIO64, shape->chipset_high_size,
			ALIGN_CHIPSET, plain_tag(CHIPSET_HIGH_TAG),
			subject_of(LAYOUT_ITEM_CHIPSET_HIGH, 0, &result->chipset_high));
}

/* One block a segment, so that the base of bus 0 is the same for all its root complexes. */
static void request_ecam(Resolver *resolver)
{
	const LayoutShape *shape = resolver->shape;
	const PlacementKind kind = shape->ecam_below_4gib ? PLACEMENT_MMIO32 : PLACEMENT_MMIO64;

	for (size_t i = 0; i < shape->root_complex_count; i++) {
		Segment *segment = &resolver->segments[i];
		const uint16_t number = shape->root_complexes[i].segment;
		const uint64_t buses = (uint64_t)segment->end_bus - segment->start_bus + 1;

		if (segment->first == i)
			resolver_ask(resolver, kind, buses * ECAM_BUS_SIZE, ECAM_BUS_SIZE,
				numbered_tag("pcie-seg%-ecam", number),
				subject_of(LAYOUT_ITEM_ECAM, number, &segment->ecam));
	}
}

/* As aligned as the largest BAR that fits, within bounds; the reference has one for all. */
static uint64_t natural_align(uint64_t size, uint64_t most)
{
	const uint64_t natural = UINT64_C(1) << (63 - __builtin_clzll(size | 1));

	if (natural > most)
		return most;
	return natural > ALIGN_RC_LOW ? natural : ALIGN_RC_LOW;
}

static void request_window(Resolver *resolver, const WindowShape *window, PlacementKind kind,
	LayoutTag tag, Subject subject)
{
	const uint64_t wish = resolver->shape->bar_align_max;
	const bool low = kind == PLACEMENT_MMIO32;
	uint64_t align = low ? ALIGN_RC_LOW : ALIGN_RC_HIGH;

	if (!memory_range_is_empty(window->fixed)) {
		resolver_pin(resolver, PLACEMENT_FIXED, window->fixed, tag, subject);
		return;
	}
	if (resolver->natural && window->size == 0)
		return;
	if (resolver->natural)
		align = natural_align(window->size,
			low            ? MAX_NATURAL_LOW
				: wish ? wish
				       : MAX_NATURAL_HIGH);
	resolver_ask(resolver, kind, window->size, align, tag, subject);
}

static void request_root_complex(Resolver *resolver, size_t index)
{
	const RootComplexShape *shape = &resolver->shape->root_complexes[index];
	RootComplexLayout *result = &resolver->complexes[index];
	const uint32_t owner = (uint32_t)index;
	LayoutTag tag = { .name = shape->name, .number = owner };

	*result = (RootComplexLayout){ 0 };
	tag.text = "pcie-%-low-mmio";
	request_window(resolver, &shape->low, PLACEMENT_MMIO32, tag,
		subject_of(LAYOUT_ITEM_RC_LOW, owner, &result->low));
	tag.text = "pcie-%-high-mmio";
	request_window(resolver, &shape->high, PLACEMENT_MMIO64, tag,
		subject_of(LAYOUT_ITEM_RC_HIGH, owner, &result->high));
	if (!shape->has_cxl)
		return;
	tag.text = "pcie-%-cxl-hdm";
	resolver_ask(resolver, PLACEMENT_MMIO64, shape->cxl_hdm_size, CXL_HDM_ALIGN, tag,
		subject_of(LAYOUT_ITEM_CXL_HDM, owner, &result->cxl_hdm));
	tag.text = "pcie-%-cxl-chbcr";
	resolver_ask(resolver, PLACEMENT_MMIO64, CXL_CHBCR_SIZE, CXL_CHBCR_SIZE, tag,
		subject_of(LAYOUT_ITEM_CXL_CHBCR, owner, &result->cxl_chbcr));
}

static void request_small_devices(Resolver *resolver)
{
	const LayoutShape *shape = resolver->shape;
	size_t number = 0;

	if (shape->virtio_mmio_count)
		resolver_ask(resolver, PLACEMENT_MMIO32, shape->virtio_mmio_count * PAGE_SIZE,
			PAGE_SIZE, plain_tag("virtio-mmio"),
			subject_of(LAYOUT_ITEM_VIRTIO_MMIO, 0, &resolver->result.virtio_mmio));
	for (size_t i = 0; i < shape->root_complex_count; i++) {
		const IommuRow *row = &iommus[shape->root_complexes[i].iommu];

		if (row->size)
			resolver_ask(resolver, PLACEMENT_MMIO32, row->size, row->size,
				numbered_tag(row->tag, number++),
				subject_of(LAYOUT_ITEM_IOMMU, (uint32_t)i,
					&resolver->complexes[i].iommu));
	}
}

void request_devices(Resolver *resolver)
{
	request_ecam(resolver);
	for (size_t i = 0; i < resolver->shape->root_complex_count; i++)
		request_root_complex(resolver, i);
	request_small_devices(resolver);
}

void request_ram(Resolver *resolver)
{
	const LayoutShape *shape = resolver->shape;

	resolver->ram_begin = resolver->count;
	for (size_t i = 0; i < shape->node_count; i++) {
		const uint64_t size = shape->node_sizes[i];

		if (size)
			resolver_ask(resolver, PLACEMENT_RAM, size,
				size >= ALIGN_LARGE_RAM && !resolver->natural ? ALIGN_LARGE_RAM
									      : ALIGN_RAM,
				numbered_tag("ram%", i),
				(Subject){ .item = LAYOUT_ITEM_RAM, .owner = (uint32_t)i });
	}
	resolver->ram_end = resolver->count;
}

/* Behind everything that the guest sees, so that it moves nothing of that. */
void request_vtl2(Resolver *resolver)
{
	const LayoutShape *shape = resolver->shape;
	ResolvedLayout *result = &resolver->result;

	if (shape->vtl2_chipset_size)
		resolver_ask(resolver, PLACEMENT_POST_MMIO, shape->vtl2_chipset_size,
			ALIGN_CHIPSET, plain_tag("vtl2-chipset-mmio"),
			subject_of(LAYOUT_ITEM_VTL2_CHIPSET, 0, &result->vtl2_chipset));
	if (shape->has_vtl2)
		resolver_ask(resolver, PLACEMENT_POST_MMIO, shape->vtl2_size, shape->vtl2_align,
			plain_tag("vtl2"), subject_of(LAYOUT_ITEM_VTL2, 0, &result->vtl2));
	if (shape->vtl2_framebuffer_size)
		resolver_ask(resolver, PLACEMENT_POST_MMIO, shape->vtl2_framebuffer_size,
			PAGE_SIZE, plain_tag("vtl2-framebuffer"),
			subject_of(LAYOUT_ITEM_VTL2_FRAMEBUFFER, 0, &result->vtl2_framebuffer));
}
