/*
 * Every shape a machine may have, for tests that want all of them: a value of each list below.
 *
 * A shape's name joins the names of its values: "x86_64-2048vp-64node-edge-cxl".
 */
#ifndef TESTS_ACPI_SHAPES_H
#define TESTS_ACPI_SHAPES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acpi/acpi_build.h"

#define SHAPE_GIB (UINT64_C(1) << 30)
#define SHAPE_MIB (UINT64_C(1) << 20)
#define SHAPE_NODES_MAX 64
#define SHAPE_BRIDGES_MAX 16
#define SHAPE_ADDRESS_BITS 52

typedef enum ShapeBridges {
	SHAPE_BRIDGES_NONE,
	SHAPE_BRIDGES_ONE, /* x86-64: with VT-d */
	SHAPE_BRIDGES_16,  /* with an IOMMU of AMD or Arm */
	SHAPE_BRIDGES_CXL, /* one of two is CXL */
	SHAPE_BRIDGES_COUNT
} ShapeBridges;

static const char *const shape_archs[] = { "x86_64", "aarch64" };
static const size_t shape_vps[] = { 1, 2, 64, 255, 256, 2048 };
static const char *const shape_nodes[] = { "1node", "2node", "64node", "memoryless" };
static const char *const shape_windows[] = { "none", "low", "both", "edge" };
static const char *const shape_bridges[] = { "0rc", "1rc", "16rc", "cxl" };

#define SHAPE_COUNT                                                                            \
	(ARRAY_COUNT(shape_archs) * ARRAY_COUNT(shape_vps) * ARRAY_COUNT(shape_nodes) *        \
		ARRAY_COUNT(shape_windows) * ARRAY_COUNT(shape_bridges))

typedef struct Shape {
	size_t arch, vps, nodes, windows, bridges; /* indices of the lists */
} Shape;

static inline Shape shape_at(size_t index)
{
	Shape shape;

	shape.bridges = index % ARRAY_COUNT(shape_bridges);
	index /= ARRAY_COUNT(shape_bridges);
	shape.windows = index % ARRAY_COUNT(shape_windows);
	index /= ARRAY_COUNT(shape_windows);
	shape.nodes = index % ARRAY_COUNT(shape_nodes);
	index /= ARRAY_COUNT(shape_nodes);
	shape.vps = index % ARRAY_COUNT(shape_vps);
	shape.arch = index / ARRAY_COUNT(shape_vps);
	return shape;
}

static inline void shape_name(const Shape *shape, char name[64])
{
	(void)snprintf(name, 64, "%s-%zuvp-%s-%s-%s", shape_archs[shape->arch],
		shape_vps[shape->vps], shape_nodes[shape->nodes], shape_windows[shape->windows],
		shape_bridges[shape->bridges]);
}

/* A machine of a shape, with everything that its inputs point to. */
typedef struct ShapeMachine {
	AcpiInputs in;
	ProcessorTopology topology;
	VirtualProcessor *vps;
	uint32_t node_count;
	NodeRange ram[SHAPE_NODES_MAX + 1];
	AcpiDistances distances;
	AcpiBridge bridges[SHAPE_BRIDGES_MAX];
	AcpiCxl cxl;
	AcpiAmdViUnit amdvi;
	AcpiVtdUnit vtd;
	AcpiVtdScope scope;
	AcpiSmmu smmu;
	AcpiGenericInitiator initiator;
} ShapeMachine;

static inline void shape_add_processors(ShapeMachine *m, const Shape *shape)
{
	const size_t count = shape_vps[shape->vps];

	m->vps = calloc(count, sizeof(*m->vps));
	for (size_t i = 0; i < count; i++)
		m->vps[i] = (VirtualProcessor){ .vnode = (uint32_t)(i % m->node_count),
			.apic_id = (uint32_t)i,
			.mpidr = UINT64_C(1) << 31 | (i >> 8) << 8 | (i & 0xFF),
			.gicr = 0xEFFF0000 + i * 0x20000 };
	m->topology = (ProcessorTopology){ .arch = (GuestArch)shape->arch,
		.vps = m->vps,
		.count = count,
		.vps_per_socket = 32,
		.reserved_vps_per_socket = 32,
		.arm = { .gic_distributor = 0xFFFF0000,
			.msi = GIC_MSI_ITS,
			.msi_base = 0xEFFC0000,
			.pmu_gsiv = 23,
			.virt_timer_ppi = 20 } };
	m->in.topology = &m->topology;
}

/* A GiB a node; the first begins where the architecture's RAM does. */
static inline void shape_add_ram(ShapeMachine *m, const Shape *shape)
{
	const uint64_t start = shape->arch == GUEST_ARCH_AARCH64 ? SHAPE_GIB : 0;
	const bool memoryless = strcmp(shape_nodes[shape->nodes], "memoryless") == 0;
	size_t count = 0;

	for (uint32_t node = 0; node < m->node_count; node++) {
		const uint64_t at = node ? FOUR_GIB + node * SHAPE_GIB : start;

		if (node > 0 && memoryless)
			break;
		m->ram[count++] = (NodeRange){ { at, at + SHAPE_GIB }, node };
	}
	m->in.ram = (NodeRangeList){ m->ram, count };
	if (m->node_count > 1) {
		m->distances.node_count = m->node_count;
		m->in.distances = &m->distances;
	}
}

static inline void shape_add_windows(ShapeMachine *m, const Shape *shape)
{
	static const MemoryRange low[GUEST_ARCH_COUNT] = { { 0xF8000000, FOUR_GIB },
		{ 0xE0000000, FOUR_GIB } };
	const uint64_t edge = UINT64_C(1) << SHAPE_ADDRESS_BITS;

	if (shape->windows >= 1)
		m->in.mmio_low = low[shape->arch];
	if (shape->windows == 2)
		m->in.mmio_high = (MemoryRange){ 128 * SHAPE_GIB, 129 * SHAPE_GIB };
	if (shape->windows == 3)
		m->in.mmio_high = (MemoryRange){ edge - SHAPE_GIB, edge };
}

static inline void shape_add_iommu(ShapeMachine *m, const Shape *shape)
{
	AcpiIommu *iommu = &m->in.iommu;

	*iommu = (AcpiIommu){ .has_ioapic_rid = true,
		.ioapic_rid = 0x00A0,
		.pa_bits = 48,
		.va_bits = 48,
		.host_address_width = 48,
		.amdvi = &m->amdvi,
		.vtd = &m->vtd,
		.smmu = &m->smmu,
		.unit_count = 1 };
	m->amdvi = (AcpiAmdViUnit){
		.device_id = 2, .capability_offset = 0x40, .base = 0xBFE00000, .end_bus = 255
	};
	m->scope = (AcpiVtdScope){ .devfn = 8, .is_bridge = true };
	m->vtd = (AcpiVtdUnit){ .base = 0xBFE00000, .scopes = &m->scope, .scope_count = 1 };
	m->smmu = (AcpiSmmu){ .base = 0xBFE00000, .event_gsiv = 64, .error_gsiv = 65 };
	if (shape->arch == GUEST_ARCH_AARCH64)
		iommu->kind =
			shape->bridges == SHAPE_BRIDGES_16 ? ACPI_IOMMU_SMMU : ACPI_IOMMU_NONE;
	else if (shape->bridges == SHAPE_BRIDGES_ONE)
		iommu->kind = ACPI_IOMMU_VTD;
	else if (shape->bridges == SHAPE_BRIDGES_16)
		iommu->kind = ACPI_IOMMU_AMDVI;
}

static inline void shape_add_bridges(ShapeMachine *m, const Shape *shape)
{
	static const size_t counts[] = { 0, 1, SHAPE_BRIDGES_MAX, 2 };
	const size_t count = counts[shape->bridges];

	for (size_t i = 0; i < count; i++) {
		const uint64_t ecam = 1024 * SHAPE_GIB + i * 256 * SHAPE_MIB;
		const uint64_t low = 0xC0000000 + i * 16 * SHAPE_MIB;
		const uint64_t high = 2048 * SHAPE_GIB + i * 64 * SHAPE_GIB;

		m->bridges[i] = (AcpiBridge){ .index = (uint32_t)(i * 6),
			.segment = (uint16_t)i,
			.end_bus = 255,
			.ecam = { ecam, ecam + 256 * SHAPE_MIB },
			.has_vnode = i % 2 == 1,
			.vnode = (uint32_t)(i % m->node_count),
			.preserve_boot_config = i % 3 == 2 };
		/* Some have no window, or only one. */
		if (i % 5 != 4)
			m->bridges[i].low = (MemoryRange){ low, low + 16 * SHAPE_MIB };
		if (i % 4 != 3)
			m->bridges[i].high = (MemoryRange){ high, high + 64 * SHAPE_GIB };
	}
	if (shape->bridges == SHAPE_BRIDGES_CXL) {
		m->cxl = (AcpiCxl){ .registers = { 512 * SHAPE_GIB, 512 * SHAPE_GIB + 0x10000 },
			.hdm = { 513 * SHAPE_GIB, 514 * SHAPE_GIB },
			.restrictions = 6 };
		m->bridges[1].cxl = &m->cxl;
		m->initiator = (AcpiGenericInitiator){ .segment = 1, .bus = 1 };
		m->in.initiators = &m->initiator;
		m->in.initiator_count = 1;
	}
	m->in.bridges = m->bridges;
	m->in.bridge_count = count;
	shape_add_iommu(m, shape);
}

/* What every machine of an architecture has. */
static inline void shape_add_devices(AcpiInputs *in, GuestArch arch)
{
	static const AcpiUart uarts[] = { { "UAR1", "COM1", 1, 0x3F8, 4 },
		{ "UAR2", "COM2", 2, 0x2F8, 3 } };
	static const AcpiSbsaUart sbsa_uarts[] = { { "UAR0", 0, 0xEFFEC000, 0x1000, 33 },
		{ "UAR1", 1, 0xEFFEB000, 0x1000, 34 } };
	static const AcpiCache caches[] = {
		{ 1, ACPI_CACHE_DATA, 32768, 8, 64 },
		{ 1, ACPI_CACHE_INSTRUCTION, 32768, 8, 64 },
		{ 2, ACPI_CACHE_UNIFIED, 1048576, 16, 64 },
		{ 3, ACPI_CACHE_UNIFIED, 33554432, 16, 64 },
	};
	const bool x86 = arch == GUEST_ARCH_X86_64;

	in->with_ioapic = in->with_rtc = in->with_facs = in->with_waet = x86;
	in->pm_base = 0x400;
	in->acpi_irq = 9;
	in->uarts = uarts;
	in->uart_count = x86 ? ARRAY_COUNT(uarts) : 0;
	in->sbsa_uarts = sbsa_uarts;
	in->sbsa_uart_count = x86 ? 0 : ARRAY_COUNT(sbsa_uarts);
	in->with_vmbus = in->with_processors = in->with_hibernation = true;
	in->vmbus_gsiv = x86 ? 0 : 18;
	in->hypervisor_identity = x86 ? 0 : UINT64_C(0x567265707948734D);
	in->console = in->debug_port = x86
		? (AcpiPort){ ACPI_PORT_16550, 0x3F8, 4, "\\_SB.UAR1" }
		: (AcpiPort){ ACPI_PORT_PL011, 0xEFFEC000, 33, "\\_SB.UAR0" };
	in->generation_id_gpa = x86 ? 0xDF000 : 0x5F000000;
	in->generation_gsiv = 35;
	in->with_caches = true;
	in->caches = caches;
	in->cache_count = ARRAY_COUNT(caches);
}

static inline ShapeMachine *shape_machine_new(const Shape *shape, AcpiProfile profile)
{
	static const uint32_t node_counts[] = { 1, 2, SHAPE_NODES_MAX, 2 };
	ShapeMachine *m = calloc(1, sizeof(*m));

	m->in.profile = profile;
	m->node_count = node_counts[shape->nodes];
	shape_add_processors(m, shape);
	shape_add_ram(m, shape);
	shape_add_windows(m, shape);
	shape_add_bridges(m, shape);
	shape_add_devices(&m->in, (GuestArch)shape->arch);
	return m;
}

static inline void shape_machine_free(ShapeMachine *m)
{
	free(m->vps);
	free(m);
}

#endif
