/*
 * The guest's device tree, node by node in the order of writing. [DT04] 3
 */
#include "loaders/arm64_tree.h"

#include <inttypes.h>
#include <string.h>

#include "bootinfo/fdt_writer.h"
#include "loaders/arm64_tree_internal.h"
#include "support/diagnostics.h"

static const char *const names[] = {
#define TREE_NAME(constant, text) text,
	TREE_NAMES(TREE_NAME)
#undef TREE_NAME
};
static_assert(ARRAY_COUNT(names) == TREE_NAME_COUNT, "one text a name");

static bool begin(size_t bound, uint32_t boot_cpu, Arena *arena, FdtWriter *w, Error *err)
{
	const FdtWriterSetup setup = {
		.what = "device tree",
		.names = names,
		.name_count = TREE_NAME_COUNT,
		.strings_room = FDT_WRITER_STRINGS,
		.structure_bound = bound,
		.limit = ARM64_TREE_MAX,
		.boot_cpu = boot_cpu,
	};

	return fdt_writer_begin(&setup, arena, w, err);
}

static void put_cells(FdtWriter *w, uint32_t address, uint32_t size)
{
	fdt_put_u32(w, TREE_ADDRESS_CELLS, address);
	fdt_put_u32(w, TREE_SIZE_CELLS, size);
}

static void put_reg(FdtWriter *w, uint64_t base, uint64_t len)
{
	fdt_put_u64s(w, TREE_REG, base, len);
}

/* A list of texts with their NULs, as one property. */
#define PUT_TEXTS(w, name, literal)                                                            \
	fdt_put_bytes((w), (name), (Bytes){ (const uint8_t *)(literal), sizeof(literal) })

/*
 * chosen
 */

#define RNG_SEED_SIZE DIGEST_SIZE
#define KASLR_SEED_SIZE 8

/* Each seed is a digest of its own, so that none tells of another. */
static Digest derive(const char *label, Bytes entropy)
{
	DigestState state;

	digest_begin(&state);
	digest_add(&state, label, strlen(label) + 1);
	digest_add(&state, entropy.data, entropy.len);
	return digest_end(&state);
}

static void put_seeds(FdtWriter *w, Bytes entropy)
{
	const Digest rng = derive("pvw linux rng-seed", entropy);
	const Digest kaslr = derive("pvw linux kaslr-seed", entropy);

	if (!entropy.len)
		return;
	fdt_put_bytes(w, TREE_RNG_SEED, (Bytes){ rng.bytes, RNG_SEED_SIZE });
	fdt_put_bytes(w, TREE_KASLR_SEED, (Bytes){ kaslr.bytes, KASLR_SEED_SIZE });
}

/* The line and its NUL, in the arena. */
static bool copy_line(Bytes line, Arena *arena, Bytes *out, Error *err)
{
	const uint8_t *nul = line.len ? memchr(line.data, 0, line.len) : NULL;
	uint8_t *text;

	if (nul)
		return error_set(err, PVW_LINUX_0008,
			"NUL at byte %td of a command line of %zu, expected none",
			nul - line.data, line.len);
	text = arena_alloc(arena, line.len + 1, 1, err);
	if (!text)
		return false;
	if (line.len)
		memcpy(text, line.data, line.len);
	*out = (Bytes){ text, line.len + 1 };
	return true;
}

/* Opens the node; what else belongs there follows. */
static void put_chosen(FdtWriter *w, const Arm64Chosen *chosen, Bytes line)
{
	fdt_put_node(w, "chosen");
	fdt_put_bytes(w, TREE_BOOTARGS, line);
	fdt_put_u64(w, TREE_INITRD_START, chosen->initrd_start);
	fdt_put_u64(w, TREE_INITRD_END, chosen->initrd_end);
	put_seeds(w, chosen->entropy);
}

/*
 * processors and memory
 */

static void put_vnode(FdtWriter *w, const TreeNodes *nodes, uint32_t vnode)
{
	if (nodes->count > 1)
		fdt_put_u32(w, TREE_NUMA_NODE, vnode);
}

static uint64_t affinity(const VirtualProcessor *vp)
{
	return vp->mpidr & MPIDR_AFFINITY;
}

static bool has_wide_affinity(const ProcessorTopology *topology)
{
	for (size_t i = 0; i < topology->count; i++) {
		if (affinity(&topology->vps[i]) > UINT32_MAX)
			return true;
	}
	return false;
}

static void put_cpus(FdtWriter *w, const Arm64TreeInputs *in, const TreeNodes *nodes)
{
	const ProcessorTopology *topology = in->topology;
	const bool wide = has_wide_affinity(topology);
	const bool enable = topology->count > 1 && in->psci != PSCI_NONE;

	fdt_put_node(w, "cpus");
	put_cells(w, wide ? 2 : 1, 0);
	for (size_t i = 0; i < topology->count; i++) {
		const uint64_t reg = affinity(&topology->vps[i]);

		fdt_put_node_at(w, "cpu", reg);
		fdt_put_string(w, TREE_COMPATIBLE, "arm,armv8");
		if (wide)
			fdt_put_u64(w, TREE_REG, reg);
		else
			fdt_put_u32(w, TREE_REG, (uint32_t)reg);
		fdt_put_string(w, TREE_DEVICE_TYPE, "cpu");
		if (enable)
			fdt_put_string(w, TREE_ENABLE_METHOD, "psci");
		fdt_put_string(w, TREE_STATUS, i == 0 ? "okay" : "disabled");
		put_vnode(w, nodes, topology->vps[i].vnode);
		fdt_put_end(w);
	}
	fdt_put_end(w);
}

static void put_psci(FdtWriter *w, PsciConduit conduit)
{
	if (conduit == PSCI_NONE)
		return;
	fdt_put_node(w, "psci");
	fdt_put_string(w, TREE_COMPATIBLE, "arm,psci-0.2");
	fdt_put_string(w, TREE_METHOD, conduit == PSCI_HVC ? "hvc" : "smc");
	fdt_put_end(w);
}

static void put_memory(FdtWriter *w, NodeRangeList ram, const TreeNodes *nodes)
{
	for (size_t i = 0; i < ram.count; i++) {
		const MemoryRange range = ram.items[i].range;

		fdt_put_node_at(w, "memory", range.start);
		fdt_put_string(w, TREE_DEVICE_TYPE, "memory");
		put_reg(w, range.start, memory_range_len(range));
		put_vnode(w, nodes, ram.items[i].vnode);
		fdt_put_end(w);
	}
}

static void put_distances(FdtWriter *w, const TreeNodes *nodes)
{
	if (nodes->count <= 1)
		return;
	fdt_put_node(w, "distance-map");
	fdt_put_string(w, TREE_COMPATIBLE, "numa-distance-map-v1");
	fdt_put_u32_list(w, TREE_DISTANCE_MATRIX, nodes->matrix, nodes->matrix_count);
	fdt_put_end(w);
}

/*
 * what is always there
 */

static void put_clock(FdtWriter *w)
{
	fdt_put_node(w, "apb-pclk");
	fdt_put_string(w, TREE_COMPATIBLE, "fixed-clock");
	fdt_put_u32(w, TREE_CLOCK_FREQUENCY, 24000000);
	fdt_put_string(w, TREE_CLOCK_OUTPUT_NAMES, "clk24mhz");
	fdt_put_u32(w, TREE_CLOCK_CELLS, 0);
	fdt_put_u32(w, TREE_PHANDLE, PHANDLE_CLOCK);
	fdt_put_end(w);
}

static void put_its(FdtWriter *w, const ArmPlatform *arm)
{
	fdt_put_node_at(w, "its", arm->msi_base);
	fdt_put_string(w, TREE_COMPATIBLE, "arm,gic-v3-its");
	fdt_put_empty(w, TREE_MSI_CONTROLLER);
	put_reg(w, arm->msi_base, GIC_ITS_SIZE);
	fdt_put_u32(w, TREE_PHANDLE, PHANDLE_ITS);
	fdt_put_end(w);
}

static void put_v2m(FdtWriter *w, const ArmPlatform *arm)
{
	fdt_put_node_at(w, "v2m", arm->msi_base);
	fdt_put_string(w, TREE_COMPATIBLE, "arm,gic-v2m-frame");
	fdt_put_empty(w, TREE_MSI_CONTROLLER);
	put_reg(w, arm->msi_base, GIC_V2M_SIZE);
	fdt_put_u32(w, TREE_MSI_BASE_SPI, arm->msi_spi_base);
	fdt_put_u32(w, TREE_MSI_NUM_SPIS, arm->msi_spi_count);
	fdt_put_u32(w, TREE_PHANDLE, PHANDLE_V2M);
	fdt_put_end(w);
}

static void put_gic(FdtWriter *w, const Arm64TreeInputs *in)
{
	const ArmPlatform *arm = &in->topology->arm;
	const GicAreas areas = arm64_gic_areas(in->topology);

	fdt_put_node_at(w, "intc", arm->gic_distributor);
	fdt_put_string(w, TREE_COMPATIBLE, arm->gic_v2 ? "arm,cortex-a15-gic" : "arm,gic-v3");
	fdt_put_u64s(w, TREE_REG, areas.items[0].base, areas.items[0].len, areas.items[1].base,
		areas.items[1].len);
	put_cells(w, 2, 2);
	fdt_put_u32(w, TREE_INTERRUPT_CELLS, 3);
	fdt_put_empty(w, TREE_INTERRUPT_CONTROLLER);
	fdt_put_u32(w, TREE_PHANDLE, PHANDLE_GIC);
	fdt_put_empty(w, TREE_RANGES);
	if (arm->msi == GIC_MSI_ITS)
		put_its(w, arm);
	if (arm->msi == GIC_MSI_V2M)
		put_v2m(w, arm);
	fdt_put_end(w);
}

static void put_smmus(FdtWriter *w, const Arm64TreeInputs *in)
{
	for (size_t i = 0; i < in->smmu_count; i++) {
		const AcpiSmmu *smmu = &in->smmus[i];

		fdt_put_node_at(w, "smmu", smmu->base);
		fdt_put_string(w, TREE_COMPATIBLE, "arm,smmu-v3");
		put_reg(w, smmu->base, SMMU_SIZE);
		fdt_put_u32s(w, TREE_INTERRUPTS, GIC_SPI, smmu->event_gsiv - SPI_FIRST,
			LEVEL_HIGH, GIC_SPI, smmu->error_gsiv - SPI_FIRST, LEVEL_HIGH);
		PUT_TEXTS(w, TREE_INTERRUPT_NAMES, "eventq\0gerror");
		fdt_put_u32(w, TREE_IOMMU_CELLS, 1);
		fdt_put_u32(w, TREE_PHANDLE, PHANDLE_SMMU + (uint32_t)i);
		fdt_put_empty(w, TREE_DMA_COHERENT);
		fdt_put_end(w);
	}
}

/* In the binding's order; names make it work when only some are there. */
static void put_timer(FdtWriter *w, const Arm64TreeInputs *in)
{
	const ArmTimers timers = arm64_timers(in);
	const struct {
		const char *name;
		uint32_t intid;
	} rows[] = {
		{ "sec-phys", timers.secure },
		{ "phys", timers.physical },
		{ "virt", timers.virt },
		{ "hyp-phys", timers.hypervisor },
	};
	uint32_t interrupts[3 * ARRAY_COUNT(rows)];
	uint8_t texts[16 * ARRAY_COUNT(rows)];
	size_t count = 0, len = 0;

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const size_t size = strlen(rows[i].name) + 1;

		if (!rows[i].intid)
			continue;
		interrupts[count++] = GIC_PPI;
		interrupts[count++] = rows[i].intid - PPI_FIRST;
		interrupts[count++] = LEVEL_LOW;
		memcpy(texts + len, rows[i].name, size);
		len += size;
	}
	fdt_put_node(w, "timer");
	fdt_put_string(w, TREE_COMPATIBLE, "arm,armv8-timer");
	fdt_put_u32(w, TREE_INTERRUPT_PARENT, PHANDLE_GIC);
	fdt_put_bytes(w, TREE_INTERRUPT_NAMES, (Bytes){ texts, len });
	fdt_put_u32_list(w, TREE_INTERRUPTS, interrupts, count);
	fdt_put_empty(w, TREE_ALWAYS_ON);
	fdt_put_end(w);
}

static void put_pmu(FdtWriter *w, uint32_t intid)
{
	if (!intid)
		return;
	fdt_put_node(w, "pmu");
	fdt_put_string(w, TREE_COMPATIBLE, "arm,armv8-pmuv3");
	fdt_put_u32s(w, TREE_INTERRUPTS, GIC_PPI, intid - PPI_FIRST, LEVEL_HIGH);
	fdt_put_end(w);
}

/*
 * PCI Express
 */

static uint32_t high_cell(uint64_t value)
{
	return (uint32_t)(value >> 32);
}

static uint32_t low_cell(uint64_t value)
{
	return (uint32_t)value;
}

/* {space, PCI address, guest address, length}: one to one. [DT04] 2.3.8, IEEE 1275 PCI 2.2 */
static size_t add_window(uint32_t *cells, uint32_t space, MemoryRange window)
{
	const uint64_t len = memory_range_len(window);

	if (memory_range_is_empty(window))
		return 0;
	cells[0] = space;
	cells[1] = cells[3] = high_cell(window.start);
	cells[2] = cells[4] = low_cell(window.start);
	cells[5] = high_cell(len);
	cells[6] = low_cell(len);
	return 7;
}

static void put_iommu_map(FdtWriter *w, const Arm64TreeInputs *in, const AcpiBridge *bridge)
{
	for (size_t i = 0; i < in->smmu_count; i++) {
		if (in->smmus[i].bridge_index == bridge->index)
			fdt_put_u32s(
				w, TREE_IOMMU_MAP, 0, PHANDLE_SMMU + (uint32_t)i, 0, 0x10000);
	}
}

static void put_bridge(FdtWriter *w, const Arm64TreeInputs *in, const AcpiBridge *bridge)
{
	const GicMsi msi = in->topology->arm.msi;
	uint32_t windows[14];
	size_t count = add_window(windows, PCI_SPACE_MEMORY32, bridge->low);

	count += add_window(windows + count, PCI_SPACE_MEMORY64, bridge->high);
	fdt_put_node_at(w, "pcie", bridge->ecam.start);
	fdt_put_string(w, TREE_COMPATIBLE, "pci-host-ecam-generic");
	fdt_put_string(w, TREE_DEVICE_TYPE, "pci");
	fdt_put_u32(w, TREE_PCI_DOMAIN, bridge->segment);
	put_reg(w, bridge->ecam.start, memory_range_len(bridge->ecam));
	fdt_put_u32s(w, TREE_BUS_RANGE, bridge->start_bus, bridge->end_bus);
	put_cells(w, 3, 2);
	fdt_put_u32(w, TREE_INTERRUPT_PARENT, PHANDLE_GIC);
	fdt_put_u32_list(w, TREE_RANGES, windows, count);
	if (msi != GIC_MSI_NONE)
		fdt_put_u32(w, TREE_MSI_PARENT, msi == GIC_MSI_ITS ? PHANDLE_ITS : PHANDLE_V2M);
	put_iommu_map(w, in, bridge);
	if (bridge->preserve_boot_config)
		fdt_put_u32(w, TREE_PROBE_ONLY, 1);
	fdt_put_end(w);
}

/*
 * the bus of the chipset
 */

static void put_uart(FdtWriter *w, const ArmUart *uart)
{
	fdt_put_node_at(w, "uart", uart->address);
	PUT_TEXTS(w, TREE_COMPATIBLE, "arm,sbsa-uart\0arm,primecell");
	fdt_put_string(w, TREE_CLOCK_NAMES, "apb_pclk");
	fdt_put_u32(w, TREE_CLOCKS, PHANDLE_CLOCK);
	fdt_put_u32(w, TREE_INTERRUPT_PARENT, PHANDLE_GIC);
	put_reg(w, uart->address, PL011_0_SIZE);
	fdt_put_u32(w, TREE_CURRENT_SPEED, 115200);
	fdt_put_u32(w, TREE_PERIPHID, PL011_PERIPHERAL_ID);
	fdt_put_u32s(w, TREE_INTERRUPTS, GIC_SPI, uart->intid - SPI_FIRST, LEVEL_HIGH);
	fdt_put_string(w, TREE_STATUS, "okay");
	fdt_put_end(w);
}

static void put_vmbus(FdtWriter *w, const Arm64TreeInputs *in)
{
	MemoryRange windows[2];
	size_t count = 0;

	if (!memory_range_is_empty(in->mmio_low))
		windows[count++] = in->mmio_low;
	if (!memory_range_is_empty(in->mmio_high))
		windows[count++] = in->mmio_high;
	fdt_put_node(w, "vmbus");
	put_cells(w, 2, 2);
	fdt_put_empty(w, TREE_DMA_COHERENT);
	fdt_put_windows(w, TREE_RANGES, (MemoryRangeList){ windows, count });
	fdt_put_string(w, TREE_COMPATIBLE, "microsoft,vmbus");
	fdt_put_u32(w, TREE_INTERRUPT_PARENT, PHANDLE_GIC);
	fdt_put_u32s(w, TREE_INTERRUPTS, GIC_PPI, VMBUS_ARM64_INTID - PPI_FIRST, EDGE_RISING);
	fdt_put_end(w);
}

static void put_chipset(FdtWriter *w, const Arm64TreeInputs *in)
{
	fdt_put_node(w, CHIPSET_NODE);
	fdt_put_string(w, TREE_COMPATIBLE, "simple-bus");
	put_cells(w, 2, 2);
	fdt_put_empty(w, TREE_RANGES);
	fdt_put_u32(w, TREE_INTERRUPT_PARENT, PHANDLE_GIC);
	for (size_t i = 0; i < in->uart_count; i++)
		put_uart(w, &in->uarts[i]);
	put_vmbus(w, in);
	fdt_put_end(w);
}

/*
 * whole trees
 */

static void put_machine(
	FdtWriter *w, const Arm64TreeInputs *in, const TreeNodes *nodes, const TreeTexts *texts)
{
	fdt_put_node(w, "");
	put_cells(w, 2, 2);
	fdt_put_u32(w, TREE_INTERRUPT_PARENT, PHANDLE_GIC);
	fdt_put_string(w, TREE_MODEL, "microsoft,openvmm");
	fdt_put_string(w, TREE_COMPATIBLE, "microsoft,openvmm");
	put_cpus(w, in, nodes);
	put_psci(w, in->psci);
	put_memory(w, in->ram, nodes);
	put_distances(w, nodes);
	put_clock(w);
	put_gic(w, in);
	put_smmus(w, in);
	put_timer(w, in);
	put_pmu(w, in->topology->arm.pmu_gsiv);
	for (size_t i = 0; i < in->bridge_count; i++)
		put_bridge(w, in, &in->bridges[i]);
	put_chipset(w, in);
	put_chosen(w, &in->chosen, texts->line);
	if (texts->console)
		fdt_put_string(w, TREE_STDOUT_PATH, texts->console);
	fdt_put_end(w);
	fdt_put_end(w);
}

/* At most what the nodes take; what does not fit ARM64_TREE_MAX then is refused. */
static size_t bound_machine(const Arm64TreeInputs *in, const TreeNodes *nodes)
{
	return 8192 + in->chosen.command_line.len + nodes->matrix_count * sizeof(uint32_t) +
		256 * (in->topology->count + in->ram.count + in->uart_count) +
		512 * (in->bridge_count + in->smmu_count);
}

static bool make_texts(const Arm64TreeInputs *in, Arena *arena, TreeTexts *out, Error *err)
{
	TreeTexts texts = { .console = NULL };

	if (in->uart_count) {
		texts.console = arena_printf(
			arena, err, "/" CHIPSET_NODE "/uart@%" PRIx64, in->uarts[0].address);
		if (!texts.console)
			return false;
	}
	if (!copy_line(in->chosen.command_line, arena, &texts.line, err))
		return false;
	*out = texts;
	return true;
}

bool arm64_tree_build(const Arm64TreeInputs *in, Arena *arena, Bytes *out, Error *err)
{
	TreeNodes nodes;
	TreeTexts texts;
	FdtWriter w;

	if (!arm64_tree_check(in, err) || !arm64_tree_nodes(in, arena, &nodes, err) ||
		!make_texts(in, arena, &texts, err) ||
		!begin(bound_machine(in, &nodes), (uint32_t)affinity(&in->topology->vps[0]),
			arena, &w, err))
		return false;
	put_machine(&w, in, &nodes, &texts);
	return fdt_writer_finish(&w, arena, out, err);
}

bool arm64_stub_tree_build(const Arm64Chosen *chosen, const Arm64EfiPlaces *efi, Arena *arena,
	Bytes *out, Error *err)
{
	FdtWriter w;
	Bytes line;

	if (!copy_line(chosen->command_line, arena, &line, err) ||
		!begin(1024 + line.len, 0, arena, &w, err))
		return false;
	fdt_put_node(&w, "");
	put_cells(&w, 2, 2);
	put_chosen(&w, chosen, line);
	fdt_put_u64(&w, TREE_EFI_SYSTEM_TABLE, efi->system_table);
	fdt_put_u64(&w, TREE_EFI_MAP_START, efi->memory_map);
	fdt_put_u32(&w, TREE_EFI_MAP_SIZE, (uint32_t)efi->memory_map_len);
	fdt_put_u32(&w, TREE_EFI_DESC_SIZE, efi->descriptor_size);
	fdt_put_u32(&w, TREE_EFI_DESC_VER, efi->descriptor_version);
	/* Kernels of Ubuntu take the tables for malformed without it. */
	fdt_put_u32(&w, TREE_EFI_SECURE_BOOT, 0);
	fdt_put_end(&w);
	fdt_put_end(&w);
	return fdt_writer_finish(&w, arena, out, err);
}
