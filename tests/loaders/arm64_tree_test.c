/*
 * The guest's device tree as libfdt reads it, node by node.
 */
#include "loaders/arm64_tree.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <libfdt.h>
#include <string.h>

#include "support/diagnostics.h"

#define GIB UINT64_C(0x40000000)
#define TEXT(literal) ((Bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })
/* a property's value with its NULs */
#define TEXTS(literal) (literal), sizeof(literal)

static Arena *arena;
static Error err;

/* Everything a tree is made from, so that a test changes what it is about. */
static struct {
	VirtualProcessor vps[16];
	ProcessorTopology topology;
	NodeRange ram[4];
	ArmUart uarts[2];
	AcpiBridge bridges[2];
	AcpiSmmu smmus[2];
	Arm64TreeInputs in;
} guest;

static void set_up(void)
{
	arena = arena_new(16 << 20);
	cr_assert_not_null(arena);
	for (size_t i = 0; i < ARRAY_COUNT(guest.vps); i++)
		guest.vps[i] = (VirtualProcessor){ .mpidr = 0x80000000 | i };
	guest.topology = (ProcessorTopology){ .arch = GUEST_ARCH_AARCH64,
		.vps = guest.vps,
		.count = 4,
		.arm = { .gic_distributor = 0xffff0000,
			.gic_redistributors = 0xeffee000,
			.pmu_gsiv = 23,
			.virt_timer_ppi = 20,
			.irq_count = 992 } };
	guest.ram[0] = (NodeRange){ { GIB, 0xe0000000 }, 0 };
	guest.ram[1] = (NodeRange){ { 4 * GIB, 5 * GIB }, 0 };
	guest.uarts[0] = (ArmUart){ 0xeffec000, 33 };
	guest.uarts[1] = (ArmUart){ 0xeffeb000, 34 };
	guest.bridges[0] = (AcpiBridge){ .index = 0,
		.end_bus = 255,
		.ecam = { 0x4000000000, 0x4010000000 },
		.low = { 0xe0000000, 0xe0400000 },
		.high = { 0x8000000000, 0x8040000000 } };
	guest.bridges[1] = (AcpiBridge){ .index = 7,
		.segment = 2,
		.start_bus = 16,
		.end_bus = 31,
		.ecam = { 0x4011000000, 0x4012000000 },
		.low = { 0xe0400000, 0xe0800000 },
		.preserve_boot_config = true };
	guest.smmus[0] = (AcpiSmmu){
		.bridge_index = 7, .base = 0xeff00000, .event_gsiv = 64, .error_gsiv = 65
	};
	guest.smmus[1] = (AcpiSmmu){
		.bridge_index = 0, .base = 0xeff20000, .event_gsiv = 66, .error_gsiv = 67
	};
	guest.in = (Arm64TreeInputs){ .topology = &guest.topology,
		.ram = { guest.ram, 2 },
		.mmio_low = { 0xe0000000, 4 * GIB },
		.mmio_high = { 0x1000000000, 0x1020000000 },
		.bridges = guest.bridges,
		.smmus = guest.smmus,
		.uarts = guest.uarts,
		.uart_count = 2,
		.chosen = { .command_line = TEXT("console=ttyAMA0"),
			.initrd_start = 0x41000000,
			.initrd_end = 0x42345678 } };
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(arm64_tree, .init = set_up, .fini = tear_down);

static const void *tree;

static void build(void)
{
	Bytes out = { 0 };

	cr_assert(arm64_tree_build(&guest.in, arena, &out, &err), "%s", err.text);
	tree = out.data;
	cr_assert_eq(fdt_check_full(tree, out.len), 0);
	cr_assert_eq(fdt_totalsize(tree), out.len);
}

static void refused(uint16_t diagnostic, const char *word)
{
	Bytes out = { .len = 77 };

	cr_assert_not(arm64_tree_build(&guest.in, arena, &out, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(out.len, 77u, "untouched on failure");
}

static bool has_node(const char *path)
{
	return fdt_path_offset(tree, path) >= 0;
}

static const void *value_of(const char *path, const char *name, int *len)
{
	const int node = fdt_path_offset(tree, path);

	cr_assert_geq(node, 0, "%s", path);
	return fdt_getprop(tree, node, name, len);
}

static bool has(const char *path, const char *name)
{
	int len;

	return value_of(path, name, &len) != NULL;
}

static void expect_bytes(const char *path, const char *name, const void *bytes, size_t size)
{
	int len = 0;
	const void *value = value_of(path, name, &len);

	cr_assert_not_null(value, "%s %s", path, name);
	cr_assert_eq((size_t)len, size, "%s %s: %d bytes", path, name, len);
	cr_assert_eq(memcmp(value, bytes, size), 0, "%s %s", path, name);
}

static void expect_text(const char *path, const char *name, const char *text)
{
	expect_bytes(path, name, text, strlen(text) + 1);
}

static void expect_empty(const char *path, const char *name)
{
	expect_bytes(path, name, "", 0);
}

static void expect_cells(
	const char *path, const char *name, const uint32_t *cells, size_t count)
{
	int len = 0;
	const uint8_t *value = value_of(path, name, &len);

	cr_assert_not_null(value, "%s %s", path, name);
	cr_assert_eq((size_t)len, 4 * count, "%s %s: %d bytes", path, name, len);
	for (size_t i = 0; i < count; i++)
		cr_assert_eq(fdt32_ld((const fdt32_t *)(const void *)(value + 4 * i)), cells[i],
			"%s %s[%zu]", path, name, i);
}

#define CELLS(path, name, ...)                                                                 \
	expect_cells((path), (name), (const uint32_t[]){ __VA_ARGS__ },                        \
		ARRAY_COUNT(((const uint32_t[]){ __VA_ARGS__ })))

Test(arm64_tree, says_what_it_is)
{
	build();

	CELLS("/", "#address-cells", 2);
	CELLS("/", "#size-cells", 2);
	CELLS("/", "interrupt-parent", 1);
	expect_text("/", "model", "microsoft,openvmm");
	expect_text("/", "compatible", "microsoft,openvmm");
	cr_assert_eq(fdt_num_mem_rsv(tree), 0);
	cr_assert_eq(fdt_boot_cpuid_phys(tree), 0u);
}

Test(arm64_tree, lists_processors_by_their_affinity)
{
	guest.vps[1].mpidr = 0x80000010;
	guest.vps[2].mpidr = 0x80000101;
	build();

	CELLS("/cpus", "#address-cells", 1);
	CELLS("/cpus", "#size-cells", 0);
	cr_assert_not(has("/cpus", "compatible"));
	CELLS("/cpus/cpu@0", "reg", 0);
	CELLS("/cpus/cpu@10", "reg", 0x10);
	CELLS("/cpus/cpu@101", "reg", 0x101);
	expect_text("/cpus/cpu@10", "compatible", "arm,armv8");
	expect_text("/cpus/cpu@10", "device_type", "cpu");
	expect_text("/cpus/cpu@0", "enable-method", "psci");
	expect_text("/cpus/cpu@0", "status", "okay");
	expect_text("/cpus/cpu@101", "status", "disabled");
	cr_assert_not(has("/cpus/cpu@0", "numa-node-id"));
}

Test(arm64_tree, needs_no_enable_method_for_one_processor)
{
	guest.topology.count = 1;
	build();

	cr_assert_not(has("/cpus/cpu@0", "enable-method"));
	cr_assert(has_node("/psci"));
}

Test(arm64_tree, has_wide_affinities_in_two_cells)
{
	guest.vps[3].mpidr = UINT64_C(0x0180000003);
	build();

	CELLS("/cpus", "#address-cells", 2);
	CELLS("/cpus/cpu@0", "reg", 0, 0);
	CELLS("/cpus/cpu@100000003", "reg", 1, 3);
}

Test(arm64_tree, takes_the_first_processor_for_the_boot_processor)
{
	guest.vps[0].mpidr = 0x80000300;
	build();

	cr_assert_eq(fdt_boot_cpuid_phys(tree), 0x300u);
}

Test(arm64_tree, calls_the_power_interface_as_it_is_called)
{
	build();
	expect_text("/psci", "compatible", "arm,psci-0.2");
	expect_text("/psci", "method", "hvc");

	guest.in.psci = PSCI_SMC;
	build();
	expect_text("/psci", "method", "smc");

	guest.in.psci = PSCI_NONE;
	build();
	cr_assert_not(has_node("/psci"));
	cr_assert_not(has("/cpus/cpu@1", "enable-method"));
}

Test(arm64_tree, lists_memory_range_by_range)
{
	build();

	expect_text("/memory@40000000", "device_type", "memory");
	CELLS("/memory@40000000", "reg", 0, 0x40000000, 0, 0xa0000000);
	CELLS("/memory@100000000", "reg", 1, 0, 0, 0x40000000);
	cr_assert_not(has_node("/distance-map"));
}

Test(arm64_tree, tells_nodes_and_their_distances)
{
	guest.ram[1].vnode = 4;
	guest.vps[2].vnode = 4;
	guest.vps[3].vnode = 1;
	build();

	CELLS("/memory@40000000", "numa-node-id", 0);
	CELLS("/memory@100000000", "numa-node-id", 4);
	CELLS("/cpus/cpu@2", "numa-node-id", 4);
	CELLS("/cpus/cpu@3", "numa-node-id", 1);
	expect_text("/distance-map", "compatible", "numa-distance-map-v1");
	CELLS("/distance-map", "distance-matrix", 0, 0, 10, 0, 1, 20, 0, 4, 20, 1, 0, 20, 1, 1,
		10, 1, 4, 20, 4, 0, 20, 4, 1, 20, 4, 4, 10);
}

Test(arm64_tree, tells_distances_that_are_stated)
{
	static const AcpiDistance items[] = { { 0, 1, 30 }, { 1, 0, 31 }, { 0, 2, 99 },
		{ 0, 1, 32 } };
	static const AcpiDistances distances = { 3, items, ARRAY_COUNT(items) };

	guest.ram[1].vnode = 1;
	guest.in.distances = &distances;
	build();

	CELLS("/distance-map", "distance-matrix", 0, 0, 10, 0, 1, 32, 1, 0, 31, 1, 1, 10);
}

Test(arm64_tree, takes_no_more_nodes_than_it_can_tell)
{
	NodeRange many[ARM64_TREE_MAX_NODES + 1];

	for (uint32_t i = 0; i < ARRAY_COUNT(many); i++)
		many[i] = (NodeRange){ { i * GIB, i * GIB + 0x1000 }, i };
	guest.in.ram = (NodeRangeList){ many, ARM64_TREE_MAX_NODES };
	build();
	guest.in.ram.count++;
	refused(PVW_ARM64_0014, "257 nodes");
}

Test(arm64_tree, has_the_clock_of_the_uarts)
{
	build();

	expect_text("/apb-pclk", "compatible", "fixed-clock");
	CELLS("/apb-pclk", "clock-frequency", 24000000);
	expect_text("/apb-pclk", "clock-output-names", "clk24mhz");
	CELLS("/apb-pclk", "#clock-cells", 0);
	CELLS("/apb-pclk", "phandle", 2);
}

Test(arm64_tree, describes_a_gicv3)
{
	build();

	expect_text("/intc@ffff0000", "compatible", "arm,gic-v3");
	CELLS("/intc@ffff0000", "reg", 0, 0xffff0000, 0, 0x10000, 0, 0xeffee000, 0, 0x80000);
	CELLS("/intc@ffff0000", "#address-cells", 2);
	CELLS("/intc@ffff0000", "#size-cells", 2);
	CELLS("/intc@ffff0000", "#interrupt-cells", 3);
	CELLS("/intc@ffff0000", "phandle", 1);
	expect_empty("/intc@ffff0000", "interrupt-controller");
	expect_empty("/intc@ffff0000", "ranges");
	cr_assert_lt(fdt_first_subnode(tree, fdt_path_offset(tree, "/intc@ffff0000")), 0);
}

Test(arm64_tree, describes_a_gicv2)
{
	guest.topology.arm.gic_v2 = true;
	guest.topology.arm.gic_distributor = 0x8000000;
	guest.topology.arm.gic_cpu_interface = 0x8010000;
	build();

	expect_text("/intc@8000000", "compatible", "arm,cortex-a15-gic");
	CELLS("/intc@8000000", "reg", 0, 0x8000000, 0, 0x1000, 0, 0x8010000, 0, 0x2000);
}

Test(arm64_tree, describes_what_takes_messages)
{
	const char *its = "/intc@ffff0000/its@eff60000", *v2m = "/intc@ffff0000/v2m@effe8000";

	guest.topology.arm.msi = GIC_MSI_ITS;
	guest.topology.arm.msi_base = 0xeff60000;
	build();
	expect_text(its, "compatible", "arm,gic-v3-its");
	expect_empty(its, "msi-controller");
	CELLS(its, "reg", 0, 0xeff60000, 0, 0x20000);
	CELLS(its, "phandle", 4);
	cr_assert_not(has(its, "#msi-cells"));

	guest.topology.arm.msi = GIC_MSI_V2M;
	guest.topology.arm.msi_base = 0xeffe8000;
	guest.topology.arm.msi_spi_base = 512;
	guest.topology.arm.msi_spi_count = 64;
	build();
	expect_text(v2m, "compatible", "arm,gic-v2m-frame");
	expect_empty(v2m, "msi-controller");
	CELLS(v2m, "reg", 0, 0xeffe8000, 0, 0x1000);
	CELLS(v2m, "arm,msi-base-spi", 512);
	CELLS(v2m, "arm,msi-num-spis", 64);
	CELLS(v2m, "phandle", 3);
}

Test(arm64_tree, describes_smmus_in_order)
{
	guest.in.smmu_count = 2;
	build();

	expect_text("/smmu@eff00000", "compatible", "arm,smmu-v3");
	CELLS("/smmu@eff00000", "reg", 0, 0xeff00000, 0, 0x20000);
	CELLS("/smmu@eff00000", "interrupts", 0, 32, 4, 0, 33, 4);
	expect_bytes("/smmu@eff00000", "interrupt-names", TEXTS("eventq\0gerror"));
	CELLS("/smmu@eff00000", "#iommu-cells", 1);
	CELLS("/smmu@eff00000", "phandle", 5);
	expect_empty("/smmu@eff00000", "dma-coherent");
	CELLS("/smmu@eff20000", "phandle", 6);
}

Test(arm64_tree, tells_the_virtual_timer_alone)
{
	build();

	expect_text("/timer", "compatible", "arm,armv8-timer");
	CELLS("/timer", "interrupt-parent", 1);
	expect_text("/timer", "interrupt-names", "virt");
	CELLS("/timer", "interrupts", 1, 4, 8);
	expect_empty("/timer", "always-on");
}

Test(arm64_tree, tells_all_timers_in_the_bindings_order)
{
	guest.in.timers =
		(ArmTimers){ .hypervisor = 26, .virt = 27, .secure = 29, .physical = 30 };
	build();

	expect_bytes("/timer", "interrupt-names", TEXTS("sec-phys\0phys\0virt\0hyp-phys"));
	CELLS("/timer", "interrupts", 1, 13, 8, 1, 14, 8, 1, 11, 8, 1, 10, 8);
}

Test(arm64_tree, has_a_performance_monitor_if_there_is_one)
{
	build();
	expect_text("/pmu", "compatible", "arm,armv8-pmuv3");
	CELLS("/pmu", "interrupts", 1, 7, 4);

	guest.topology.arm.pmu_gsiv = 0;
	build();
	cr_assert_not(has_node("/pmu"));
}

Test(arm64_tree, describes_bridges_with_their_windows)
{
	guest.topology.arm.msi = GIC_MSI_ITS;
	guest.topology.arm.msi_base = 0xeff60000;
	guest.in.bridge_count = 2;
	guest.in.smmu_count = 1;
	build();

	expect_text("/pcie@4000000000", "compatible", "pci-host-ecam-generic");
	expect_text("/pcie@4000000000", "device_type", "pci");
	CELLS("/pcie@4000000000", "linux,pci-domain", 0);
	CELLS("/pcie@4000000000", "reg", 0x40, 0, 0, 0x10000000);
	CELLS("/pcie@4000000000", "bus-range", 0, 255);
	CELLS("/pcie@4000000000", "#address-cells", 3);
	CELLS("/pcie@4000000000", "#size-cells", 2);
	CELLS("/pcie@4000000000", "interrupt-parent", 1);
	CELLS("/pcie@4000000000", "ranges", 0x2000000, 0, 0xe0000000, 0, 0xe0000000, 0,
		0x400000, 0x3000000, 0x80, 0, 0x80, 0, 0, 0x40000000);
	CELLS("/pcie@4000000000", "msi-parent", 4);
	cr_assert_not(has("/pcie@4000000000", "iommu-map"));
	cr_assert_not(has("/pcie@4000000000", "linux,pci-probe-only"));

	CELLS("/pcie@4011000000", "linux,pci-domain", 2);
	CELLS("/pcie@4011000000", "reg", 0x40, 0x11000000, 0, 0x1000000);
	CELLS("/pcie@4011000000", "bus-range", 16, 31);
	CELLS("/pcie@4011000000", "ranges", 0x2000000, 0, 0xe0400000, 0, 0xe0400000, 0,
		0x400000);
	CELLS("/pcie@4011000000", "iommu-map", 0, 5, 0, 0x10000);
	CELLS("/pcie@4011000000", "linux,pci-probe-only", 1);
}

Test(arm64_tree, points_to_the_frame_for_messages_or_to_nothing)
{
	guest.in.bridge_count = 1;
	build();
	cr_assert_not(has("/pcie@4000000000", "msi-parent"));

	guest.topology.arm.msi = GIC_MSI_V2M;
	guest.topology.arm.msi_base = 0xeffe8000;
	guest.topology.arm.msi_spi_base = 512;
	guest.topology.arm.msi_spi_count = 64;
	build();
	CELLS("/pcie@4000000000", "msi-parent", 3);
}

Test(arm64_tree, has_the_chipset_on_a_bus)
{
	build();

	expect_text("/openvmm", "compatible", "simple-bus");
	CELLS("/openvmm", "#address-cells", 2);
	CELLS("/openvmm", "#size-cells", 2);
	expect_empty("/openvmm", "ranges");
	CELLS("/openvmm", "interrupt-parent", 1);
	expect_bytes(
		"/openvmm/uart@effec000", "compatible", TEXTS("arm,sbsa-uart\0arm,primecell"));
	expect_text("/openvmm/uart@effec000", "clock-names", "apb_pclk");
	CELLS("/openvmm/uart@effec000", "clocks", 2);
	CELLS("/openvmm/uart@effec000", "interrupt-parent", 1);
	CELLS("/openvmm/uart@effec000", "reg", 0, 0xeffec000, 0, 0x1000);
	CELLS("/openvmm/uart@effec000", "current-speed", 115200);
	CELLS("/openvmm/uart@effec000", "arm,primecell-periphid", 0x41011);
	CELLS("/openvmm/uart@effec000", "interrupts", 0, 1, 4);
	expect_text("/openvmm/uart@effec000", "status", "okay");
	CELLS("/openvmm/uart@effeb000", "interrupts", 0, 2, 4);
}

Test(arm64_tree, gives_vmbus_its_windows_and_nothing_else)
{
	build();
	CELLS("/openvmm/vmbus", "#address-cells", 2);
	CELLS("/openvmm/vmbus", "#size-cells", 2);
	expect_empty("/openvmm/vmbus", "dma-coherent");
	CELLS("/openvmm/vmbus", "ranges", 0, 0xe0000000, 0, 0xe0000000, 0, 0x20000000, 0x10, 0,
		0x10, 0, 0, 0x20000000);
	expect_text("/openvmm/vmbus", "compatible", "microsoft,vmbus");
	CELLS("/openvmm/vmbus", "interrupt-parent", 1);
	CELLS("/openvmm/vmbus", "interrupts", 1, 2, 1);

	guest.in.mmio_low = MEMORY_RANGE_EMPTY;
	build();
	CELLS("/openvmm/vmbus", "ranges", 0x10, 0, 0x10, 0, 0, 0x20000000);

	guest.in.mmio_high = MEMORY_RANGE_EMPTY;
	build();
	expect_empty("/openvmm/vmbus", "ranges");
}

Test(arm64_tree, chooses_console_line_and_initrd)
{
	build();

	expect_text("/chosen", "bootargs", "console=ttyAMA0");
	CELLS("/chosen", "linux,initrd-start", 0, 0x41000000);
	CELLS("/chosen", "linux,initrd-end", 0, 0x42345678);
	expect_text("/chosen", "stdout-path", "/openvmm/uart@effec000");
	cr_assert_geq(fdt_path_offset(tree, "/openvmm/uart@effec000"), 0);
	cr_assert_not(has("/chosen", "rng-seed"));
	cr_assert_not(has("/chosen", "kaslr-seed"));
}

Test(arm64_tree, goes_without_line_and_console)
{
	guest.in.chosen.command_line = (Bytes){ 0 };
	guest.in.uart_count = 0;
	build();

	expect_text("/chosen", "bootargs", "");
	cr_assert_not(has("/chosen", "stdout-path"));
	cr_assert_not(has_node("/openvmm/uart@effec000"));
	cr_assert(has_node("/openvmm/vmbus"));
}

Test(arm64_tree, makes_seeds_that_depend_on_all_entropy_and_tell_nothing_of_it)
{
	uint8_t entropy[64], rng[32], kaslr[8];
	int len = 0;

	memset(entropy, 0x5a, sizeof(entropy));
	guest.in.chosen.entropy = (Bytes){ entropy, sizeof(entropy) };
	build();
	memcpy(rng, value_of("/chosen", "rng-seed", &len), 32);
	cr_assert_eq(len, 32);
	memcpy(kaslr, value_of("/chosen", "kaslr-seed", &len), 8);
	cr_assert_eq(len, 8);
	cr_assert_neq(memcmp(rng, entropy, 32), 0);
	cr_assert_null(memmem(rng, 32, kaslr, 8));

	build();
	expect_bytes("/chosen", "rng-seed", rng, 32);
	expect_bytes("/chosen", "kaslr-seed", kaslr, 8);

	entropy[63] ^= 1;
	build();
	cr_assert_neq(memcmp(value_of("/chosen", "rng-seed", &len), rng, 32), 0);
	cr_assert_neq(memcmp(value_of("/chosen", "kaslr-seed", &len), kaslr, 8), 0);
}

/*
 * What no tree may say.
 */

Test(arm64_tree, refuses_a_guest_without_processors)
{
	guest.topology.count = 0;
	refused(PVW_ARM64_0013, "no processor");
}

Test(arm64_tree, refuses_areas_of_the_gic_that_overlap)
{
	guest.topology.arm.gic_redistributors = 0xfff80000;
	refused(PVW_ARM64_0009, "redistributors 0xfff80000");

	/* up to the byte */
	guest.topology.arm.gic_redistributors = 0xffff0000 - 4 * 0x20000;
	build();
	guest.topology.arm.gic_redistributors += 0x1000;
	refused(PVW_ARM64_0009, "distributor 0xffff0000-0x100000000");

	guest.topology.arm.gic_v2 = true;
	guest.topology.arm.gic_cpu_interface = 0xfffef000;
	refused(PVW_ARM64_0009, "cpu interface");
}

Test(arm64_tree, refuses_message_frames_over_the_gic)
{
	guest.topology.arm.msi = GIC_MSI_ITS;
	guest.topology.arm.msi_base = 0xeffe0000;
	refused(PVW_ARM64_0009, "its 0xeffe0000");
	guest.topology.arm.msi = GIC_MSI_V2M;
	guest.topology.arm.msi_base = 0xeffee000;
	refused(PVW_ARM64_0009, "v2m frame");
}

Test(arm64_tree, refuses_a_gic_that_wraps)
{
	guest.topology.arm.gic_distributor = UINT64_MAX - 0xfff;
	refused(PVW_ARM64_0009, "below 2^64");
}

Test(arm64_tree, refuses_interrupts_that_processors_do_not_have)
{
	static const uint32_t wrong[] = { 15, 32, 1000 };

	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		guest.topology.arm.virt_timer_ppi = wrong[i];
		refused(PVW_ARM64_0010, "virtual timer");
		guest.topology.arm.virt_timer_ppi = 20;
		guest.topology.arm.pmu_gsiv = wrong[i];
		refused(PVW_ARM64_0010, "performance monitor");
		guest.topology.arm.pmu_gsiv = 23;
		guest.in.timers.secure = wrong[i];
		refused(PVW_ARM64_0010, "secure timer");
		guest.in.timers.secure = 0;
		guest.in.timers.physical = wrong[i];
		refused(PVW_ARM64_0010, "physical timer");
		guest.in.timers.physical = 0;
		guest.in.timers.hypervisor = wrong[i];
		refused(PVW_ARM64_0010, "hypervisor's timer");
		guest.in.timers.hypervisor = 0;
	}
	guest.topology.arm.virt_timer_ppi = 0;
	refused(PVW_ARM64_0010, "INTID 0");
}

Test(arm64_tree, refuses_interrupts_that_devices_do_not_have)
{
	static const uint32_t wrong[] = { 0, 31, 1020 };

	guest.in.smmu_count = 1;
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		guest.smmus[0].event_gsiv = wrong[i];
		refused(PVW_ARM64_0010, "event queue");
		guest.smmus[0].event_gsiv = 64;
		guest.smmus[0].error_gsiv = wrong[i];
		refused(PVW_ARM64_0010, "smmu's errors");
		guest.smmus[0].error_gsiv = 65;
		guest.uarts[1].intid = wrong[i];
		refused(PVW_ARM64_0010, "a uart has INTID");
		guest.uarts[1].intid = 34;
	}
}

Test(arm64_tree, refuses_messages_beyond_the_interrupts_there_are)
{
	guest.topology.arm.msi = GIC_MSI_V2M;
	guest.topology.arm.msi_base = 0xeffe8000;
	guest.topology.arm.msi_spi_base = 956;
	guest.topology.arm.msi_spi_count = 64;
	build();
	guest.topology.arm.msi_spi_count = 65;
	refused(PVW_ARM64_0010, "65 INTIDs from 956");
	guest.topology.arm.msi_spi_count = UINT32_MAX;
	refused(PVW_ARM64_0010, "v2m");
	guest.topology.arm.msi_spi_base = 31;
	guest.topology.arm.msi_spi_count = 1;
	refused(PVW_ARM64_0010, "v2m");
	guest.topology.arm.msi_spi_base = 1020;
	refused(PVW_ARM64_0010, "v2m");
}

Test(arm64_tree, refuses_two_smmus_for_one_bridge)
{
	guest.in.smmu_count = 2;
	guest.smmus[1].bridge_index = 7;
	refused(PVW_ARM64_0012, "serve bridge 7");
}

Test(arm64_tree, refuses_a_low_window_that_is_not_low)
{
	guest.in.bridge_count = 2;
	guest.bridges[1].low.end = 4 * GIB;
	build();
	guest.bridges[1].low.end += 0x1000;
	refused(PVW_ARM64_0011, "bridge 7: low window");
}

Test(arm64_tree, refuses_buses_that_descend)
{
	guest.in.bridge_count = 2;
	guest.bridges[1].start_bus = 32;
	refused(PVW_ARM64_0011, "buses 32 to 31");
}

Test(arm64_tree, refuses_a_nul_in_the_command_line)
{
	guest.in.chosen.command_line = TEXT("quiet\0splash");
	refused(PVW_LINUX_0008, "NUL at byte 5");
}

Test(arm64_tree, refuses_more_than_a_kernel_takes)
{
	uint8_t *line = arena_alloc(arena, ARM64_TREE_MAX, 1, &err);

	memset(line, 'x', ARM64_TREE_MAX);
	guest.in.chosen.command_line = (Bytes){ line, ARM64_TREE_MAX };
	refused(PVW_TREE_0001, "device tree");
	guest.in.chosen.command_line = TEXT("");
	guest.in.bridge_count = 4097;
	refused(PVW_TREE_0001, "4097 bridges");
}

Test(arm64_tree, takes_as_many_processors_as_a_guest_can_have)
{
	static VirtualProcessor many[2048];

	for (uint64_t i = 0; i < ARRAY_COUNT(many); i++)
		many[i].mpidr = 0x80000000 | (i >> 4) << 8 | (i & 15);
	guest.topology.vps = many;
	guest.topology.count = ARRAY_COUNT(many);
	guest.topology.arm.gic_redistributors = 0x8000000000;
	build();

	expect_text("/cpus/cpu@7f0f", "status", "disabled");
	CELLS("/cpus/cpu@7f0f", "reg", 0x7f0f);
}

/*
 * The stub.
 */

Test(arm64_tree, leads_to_efi_and_says_nothing_else)
{
	const Arm64EfiPlaces efi = { .system_table = 0x40801000,
		.memory_map = 0x40800000,
		.memory_map_len = 200,
		.descriptor_size = 40,
		.descriptor_version = 1 };
	Bytes out = { 0 };

	cr_assert(arm64_stub_tree_build(&guest.in.chosen, &efi, arena, &out, &err));
	tree = out.data;
	cr_assert_eq(fdt_check_full(tree, out.len), 0);
	CELLS("/", "#address-cells", 2);
	CELLS("/", "#size-cells", 2);
	expect_text("/chosen", "bootargs", "console=ttyAMA0");
	CELLS("/chosen", "linux,initrd-start", 0, 0x41000000);
	CELLS("/chosen", "linux,initrd-end", 0, 0x42345678);
	CELLS("/chosen", "linux,uefi-system-table", 0, 0x40801000);
	CELLS("/chosen", "linux,uefi-mmap-start", 0, 0x40800000);
	CELLS("/chosen", "linux,uefi-mmap-size", 200);
	CELLS("/chosen", "linux,uefi-mmap-desc-size", 40);
	CELLS("/chosen", "linux,uefi-mmap-desc-ver", 1);
	CELLS("/chosen", "linux,uefi-secure-boot", 0);

	/* Kernels use ACPI only if the root has no other child. */
	const int chosen = fdt_first_subnode(tree, 0);
	cr_assert_str_eq(fdt_get_name(tree, chosen, NULL), "chosen");
	cr_assert_lt(fdt_next_subnode(tree, chosen), 0);
	cr_assert_lt(fdt_first_subnode(tree, chosen), 0);
}

Test(arm64_tree, refuses_a_stub_with_a_nul_in_the_command_line)
{
	const Arm64EfiPlaces efi = { 0 };
	Bytes out = { .len = 77 };

	guest.in.chosen.command_line = TEXT("a\0b");
	cr_assert_not(arm64_stub_tree_build(&guest.in.chosen, &efi, arena, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_LINUX_0008);
	cr_assert_eq(out.len, 77u);
}
