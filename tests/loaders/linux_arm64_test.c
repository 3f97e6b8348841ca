/*
 * Whole plans: what lies where, what the kernel finds, and which inputs have none.
 */
#include "loaders/linux_arm64.h"

#include <criterion/criterion.h>
#include <libfdt.h>
#include <string.h>

#include "helpers/kernel_builder.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define TEXT(literal) ((Bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static Arena *arena;

/* Everything a plan is made from, so that a test changes what it is about. */
typedef struct Guest {
	NodeRange ram[4];
	uint16_t igvm_types[4];
	size_t ram_count;
	VirtualProcessor vps[8];
	BootInfo info;
	ChipsetMmioRanges mmio;
	Vtl0Layout layout;
	ProcessorTopology topology;
	PlatformSettings settings;
	BootInputs inputs;
	Diagnostics diagnostics;
} Guest;

static Guest guest;
static uint8_t image[0x3000];
static uint8_t initrd[20 * 0x100000];

static void set_up(void)
{
	arena = arena_new(256 << 20);
	cr_assert_not_null(arena);
	memset(image, 0x11, sizeof(image));
	kernel_put(image, 8, 8, 0);
	kernel_put(image, 16, 8, 0x2a00000);
	kernel_put(image, 24, 8, 0xa);
	kernel_put(image, 56, 4, 0x644d5241);
	guest = (Guest){
		.ram = { { { GIB, 0xe0000000 }, 0 }, { { 4 * GIB, 5 * GIB }, 1 } },
		.ram_count = 2,
		.vps = { { .mpidr = 0x80000000, .gicr = 0xeffee000 },
			{ .mpidr = 0x80000001, .vnode = 1, .gicr = 0xf000e000 } },
		.info.arch = GUEST_ARCH_AARCH64,
		.mmio = { .low = { 0xe0000000, 4 * GIB },
			.high = { 0x1000000000, 0x1020000000 } },
		.topology = { .arch = GUEST_ARCH_AARCH64,
			.count = 2,
			.vps_per_socket = 2,
			.reserved_vps_per_socket = 2,
			.arm = { .gic_distributor = 0xffff0000,
				.gic_redistributors = 0xeffee000,
				.pmu_gsiv = 23,
				.virt_timer_ppi = 20,
				.irq_count = 992 } },
		.settings = { .firmware = BOOT_LINUX,
			.chipset = { .com1 = true },
			.linux_direct = { .command_line = TEXT("console=ttyAMA0"),
				.hardware = LINUX_HARDWARE_DEVICE_TREE,
				.kernel = { .place = IMAGE_BYTES,
					.bytes = { image, sizeof(image) } },
				.initrd = { .place = IMAGE_BYTES,
					.bytes = { initrd, sizeof(initrd) } } } },
		.inputs = { .physical_address_bits = 46 },
	};
	memset(guest.inputs.entropy, 0x5a, sizeof(guest.inputs.entropy));
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(linux_arm64, .init = set_up, .fini = tear_down);

static void lay_out(void)
{
	const LayoutGaps gaps = { 0 };
	Error err;

	cr_assert(memory_layout_from_ranges((NodeRangeList){ guest.ram, guest.ram_count },
			  &gaps, arena, &guest.layout.vtl0, &err),
		"%s", err.text);

	/* what the host called it does not pass through that door */
	LayoutRecord *ram = arena_array(arena, LayoutRecord, guest.ram_count, &err);
	memcpy(ram, guest.layout.vtl0.ram.items, guest.ram_count * sizeof(*ram));
	for (size_t i = 0; i < guest.ram_count; i++)
		ram[i].igvm_type = guest.igvm_types[i];
	guest.layout.vtl0.ram.items = ram;
	guest.layout.complete = guest.layout.vtl0;
}

static bool build(BootPlan *plan, Error *err)
{
	lay_out();
	guest.topology.vps = guest.vps;
	guest.inputs.info = &guest.info;
	guest.inputs.mmio = &guest.mmio;
	guest.inputs.layout = &guest.layout;
	guest.inputs.topology = &guest.topology;
	guest.inputs.settings = &guest.settings;
	cr_assert(diagnostics_init(&guest.diagnostics, 8, arena, err));
	return linux_arm64_build_plan(&guest.inputs, arena, plan, &guest.diagnostics, err);
}

static BootPlan built(void)
{
	BootPlan plan = { 0 };
	Error err = { 0 };

	cr_assert(build(&plan, &err), "%s", err.text);
	return plan;
}

static void refused(uint16_t diagnostic, const char *word, const char *source)
{
	BootPlan plan = { .write_count = 4711 };
	Error err = { 0 };

	cr_assert_not(build(&plan, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%d: %s", err.diagnostic, err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	if (source)
		cr_assert_str_eq(err.source, source);
	cr_assert_eq(plan.write_count, 4711u);
}

static Artifact found(const BootPlan *plan, const char *name)
{
	const Artifact *artifact = boot_plan_find(plan, name);

	cr_assert_not_null(artifact, "%s", name);
	return *artifact;
}

static uint64_t register_of(const BootPlan *plan, RegisterId id)
{
	for (size_t i = 0; i < plan->registers.count; i++) {
		if (plan->registers.items[i].id == id)
			return plan->registers.items[i].low;
	}
	cr_assert_fail("%s is not set", register_row(id)->name);
	return 0;
}

static const void *tree_of(const BootPlan *plan)
{
	const Bytes tree = found(plan, "linux.device-tree").bytes;

	cr_assert_eq(fdt_check_full(tree.data, tree.len), 0);
	return tree.data;
}

static uint64_t number(Bytes bytes, size_t at, size_t size)
{
	uint64_t value = 0;

	cr_assert_leq(at + size, bytes.len);
	memcpy(&value, bytes.data + at, size);
	return value;
}

static uint64_t chosen(const BootPlan *plan, const char *name)
{
	const void *tree = tree_of(plan);
	int len = 0;
	const uint8_t *value = fdt_getprop(tree, fdt_path_offset(tree, "/chosen"), name, &len);

	cr_assert_not_null(value, "%s", name);
	if (len == 4)
		return fdt32_ld((const fdt32_t *)(const void *)value);
	cr_assert_eq(len, 8);
	return fdt64_ld((const fdt64_t *)(const void *)value);
}

/*
 * Places.
 */

/* RAM at 1 GiB, initrd of 20 MiB, text_offset 0, image_size 0x2a00000: the reference's example. */
Test(linux_arm64, places_everything_from_the_start_of_ram)
{
	const BootPlan plan = built();

	cr_assert_eq(found(&plan, "linux.initrd").gpa, 0x41000000u);
	cr_assert_eq(found(&plan, "linux.kernel").gpa, 0x42400000u);
	cr_assert_eq(found(&plan, "linux.device-tree").gpa, 0x44e00000u);
	cr_assert_eq(chosen(&plan, "linux,initrd-start"), 0x41000000u);
	cr_assert_eq(chosen(&plan, "linux,initrd-end"), 0x42400000u);
	cr_assert_eq(register_of(&plan, REGISTER_PC), 0x42400000u);
	cr_assert_eq(register_of(&plan, REGISTER_X0), 0x44e00000u);
	cr_assert_eq(plan.artifacts.count, 3u);
	cr_assert_str_eq(plan.artifacts.items[0].name, "linux.kernel");
	cr_assert_str_eq(plan.artifacts.items[1].name, "linux.device-tree");
	cr_assert_str_eq(plan.artifacts.items[2].name, "linux.initrd");
}

Test(linux_arm64, borrows_what_it_was_given)
{
	const BootPlan plan = built();

	cr_assert_eq(found(&plan, "linux.kernel").bytes.data, image);
	cr_assert_eq(found(&plan, "linux.kernel").bytes.len, sizeof(image));
	cr_assert_eq(found(&plan, "linux.initrd").bytes.data, initrd);
	cr_assert_not(found(&plan, "linux.kernel").measured);
	cr_assert(found(&plan, "linux.device-tree").sensitive, "it holds seeds");
	cr_assert_lt(arena_used(arena), sizeof(initrd), "nothing large was copied");
}

Test(linux_arm64, counts_from_where_ram_begins)
{
	guest.ram[0].range = (MemoryRange){ 0, 0xe0000000 };
	const BootPlan low = built();

	cr_assert_eq(found(&low, "linux.initrd").gpa, 0x1000000u);
	cr_assert_eq(found(&low, "linux.kernel").gpa, 0x2400000u);

	/* at no multiple of 2 MiB */
	guest.ram[0].range.start = 0x40123000;
	const BootPlan odd = built();

	cr_assert_eq(found(&odd, "linux.initrd").gpa, 0x41123000u);
	cr_assert_eq(found(&odd, "linux.kernel").gpa, 0x42600000u);
}

Test(linux_arm64, adds_the_text_offset_to_a_multiple_of_2_mib)
{
	kernel_put(image, 8, 8, 0x80000);
	const BootPlan plan = built();

	cr_assert_eq(found(&plan, "linux.kernel").gpa, 0x42480000u);
	cr_assert_eq(register_of(&plan, REGISTER_PC), 0x42480000u);
	cr_assert_eq(found(&plan, "linux.device-tree").gpa, 0x44e80000u);
}

Test(linux_arm64, takes_the_files_length_where_the_header_has_none)
{
	kernel_put(image, 16, 8, 0);
	const BootPlan plan = built();

	cr_assert_eq(found(&plan, "linux.device-tree").gpa, 0x42400000u + sizeof(image));
}

/* As the reference: an initrd of no bytes, where it would lie. */
Test(linux_arm64, names_the_place_of_no_initrd)
{
	guest.settings.linux_direct.initrd = (Image){ 0 };
	const BootPlan plan = built();

	cr_assert_null(boot_plan_find(&plan, "linux.initrd"));
	cr_assert_eq(chosen(&plan, "linux,initrd-start"), 0x41000000u);
	cr_assert_eq(chosen(&plan, "linux,initrd-end"), 0x41000000u);
	cr_assert_eq(found(&plan, "linux.kernel").gpa, 0x41000000u);
}

Test(linux_arm64, takes_an_initrd_of_no_bytes_for_none)
{
	guest.settings.linux_direct.initrd.bytes.len = 0;
	const BootPlan plan = built();

	cr_assert_null(boot_plan_find(&plan, "linux.initrd"));
}

Test(linux_arm64, takes_an_initrd_of_one_byte)
{
	guest.settings.linux_direct.initrd.bytes.len = 1;
	const BootPlan plan = built();

	cr_assert_eq(found(&plan, "linux.initrd").gpa, 0x41000000u);
	cr_assert_eq(chosen(&plan, "linux,initrd-end"), 0x41000001u);
	cr_assert_eq(found(&plan, "linux.kernel").gpa, 0x41200000u);
}

/*
 * Images in place.
 */

static Image in_place(uint64_t gpa, uint64_t len)
{
	return (Image){ .place = IMAGE_IN_PLACE, .gpa = gpa, .len = len };
}

Test(linux_arm64, starts_a_kernel_that_is_in_place)
{
	guest.settings.linux_direct.kernel = in_place(0x48000000, 0x1ab0000);
	guest.settings.linux_direct.initrd = in_place(0x42000000, 0x345678);
	const BootPlan plan = built();

	cr_assert(found(&plan, "linux.kernel").measured);
	cr_assert_null(found(&plan, "linux.kernel").bytes.data);
	cr_assert(found(&plan, "linux.initrd").measured);
	cr_assert_eq(register_of(&plan, REGISTER_PC), 0x48000000u);
	cr_assert_eq(found(&plan, "linux.device-tree").gpa, 0x49ab0000u);
	cr_assert_eq(chosen(&plan, "linux,initrd-start"), 0x42000000u);
	cr_assert_eq(chosen(&plan, "linux,initrd-end"), 0x42345678u);
}

Test(linux_arm64, enters_a_kernel_where_it_is_said)
{
	guest.settings.linux_direct.kernel = in_place(0x48000000, 0x1000000);
	guest.settings.linux_direct.kernel_entry = 0x48000040;
	const BootPlan plan = built();

	cr_assert_eq(register_of(&plan, REGISTER_PC), 0x48000040u);

	guest.settings.linux_direct.kernel_entry = 0x49000000;
	refused(PVW_LINUX_0017, "entry 0x49000000", "settings.linux_direct.kernel");
	guest.settings.linux_direct.kernel_entry = 0x47ffffff;
	refused(PVW_LINUX_0017, "entry 0x47ffffff", "settings.linux_direct.kernel");
}

Test(linux_arm64, goes_around_what_is_in_place)
{
	guest.settings.linux_direct.kernel = in_place(0x40800000, 0x1000000);
	guest.settings.linux_direct.hardware = LINUX_HARDWARE_ACPI;
	const BootPlan plan = built();

	cr_assert_eq(found(&plan, "efi.memory-map").gpa, 0x41800000u);
	cr_assert_eq(found(&plan, "efi.system-table").gpa, 0x41801000u);
	cr_assert_eq(found(&plan, "acpi.rsdp").gpa, 0x41802000u);
	cr_assert_eq(found(&plan, "acpi.tables").gpa, 0x41803000u);
	/* built for the place where they lie */
	cr_assert_geq(number(found(&plan, "acpi.rsdp").bytes, 24, 8), 0x41803000u);
	cr_assert_eq(found(&plan, "linux.initrd").gpa, 0x41804000u);
	/* behind the kernel all is taken by then */
	cr_assert_eq(found(&plan, "linux.device-tree").gpa, 0x42c04000u);
}

Test(linux_arm64, refuses_images_in_place_that_cannot_be)
{
	guest.settings.linux_direct.kernel = in_place(0x48000800, 0x1000);
	refused(PVW_LINUX_0016, "0x48000800", "settings.linux_direct.kernel");
	guest.settings.linux_direct.kernel = in_place(0x30000000, 0x1000);
	refused(PVW_LINUX_0016, "0x30000000", "settings.linux_direct.kernel");
	guest.settings.linux_direct.kernel = in_place(0xdffff000, 0x2000);
	refused(PVW_LINUX_0020, "0xdffff000", "settings.linux_direct.kernel");

	guest.settings.linux_direct.kernel = in_place(0x48000000, 0x1000000);
	guest.settings.linux_direct.initrd = in_place(0x42000001, 5);
	refused(PVW_LINUX_0016, "0x42000001", "settings.linux_direct.initrd");
	guest.settings.linux_direct.initrd = in_place(0x48fff000, 5);
	refused(PVW_LINUX_0021, "0x48fff000", "settings.linux_direct.initrd");
}

Test(linux_arm64, refuses_a_guest_without_a_kernel)
{
	guest.settings.linux_direct.kernel = (Image){ 0 };
	refused(PVW_LINUX_0014, "no kernel", "settings.linux_direct.kernel");
}

Test(linux_arm64, refuses_bytes_for_an_isolated_guest)
{
	guest.info.isolation = ISOLATION_VBS;
	refused(PVW_LINUX_0022, "linux.initrd", "settings.linux_direct.initrd");
	guest.settings.linux_direct.initrd = (Image){ 0 };
	refused(PVW_LINUX_0022, "linux.kernel", "settings.linux_direct.kernel");
	guest.settings.linux_direct.kernel = in_place(0x48000000, 0x1000000);
	built();
}

/*
 * Kernels that are none, and too little room.
 */

Test(linux_arm64, refuses_bytes_that_are_no_image)
{
	static const char source[] = "settings.linux_direct.kernel";

	guest.settings.linux_direct.kernel.bytes.len = 40;
	refused(PVW_ARM64_0001, "40 bytes", source);
	guest.settings.linux_direct.kernel.bytes.len = sizeof(image);
	kernel_put(image, 24, 8, 0xb);
	refused(PVW_ARM64_0003, "big-endian", source);
	kernel_put(image, 24, 8, 0xe);
	refused(PVW_ARM64_0004, "64 KiB", source);
	kernel_put(image, 24, 8, 0x2);
	refused(PVW_ARM64_0005, "anywhere", source);
	kernel_put(image, 24, 8, 0xa);
	kernel_put(image, 8, 8, 0x123);
	refused(PVW_ARM64_0006, "0x123", source);
	kernel_put(image, 8, 8, 0);
	kernel_put(image, 16, 8, 0x2000);
	refused(PVW_ARM64_0007, "0x2000", source);
	kernel_put(image, 56, 4, 0);
	refused(PVW_ARM64_0002, "flat Image", source);
}

Test(linux_arm64, refuses_what_does_not_fit_before_anything_is_planned)
{
	static const char kernel[] = "settings.linux_direct.kernel";

	guest.ram_count = 1;
	guest.ram[0].range.end = 0x42000000;
	refused(PVW_ARM64_0008, "linux.initrd needs 0x1400000", "settings.linux_direct.initrd");
	guest.ram[0].range.end = 0x44000000;
	refused(PVW_ARM64_0008, "linux.kernel needs 0x2a00000", kernel);
	guest.ram[0].range.end = 0x44e00000;
	refused(PVW_ARM64_0008, "linux.device-tree", NULL);
	guest.ram[0].range.end = 0x44e01000;
	built();
	guest.settings.linux_direct.hardware = LINUX_HARDWARE_ACPI;
	guest.settings.linux_direct.initrd = (Image){ 0 };
	guest.ram[0].range.end = 0x40802000;
	refused(PVW_ARM64_0008, "efi and acpi tables", NULL);

	kernel_put(image, 16, 8, UINT64_MAX);
	guest.ram[0].range.end = 0x44e01000;
	refused(PVW_ARM64_0008, "linux.kernel", kernel);
	kernel_put(image, 8, 8, UINT64_MAX - 0xfff);
	refused(PVW_ARM64_0008, "linux.kernel", kernel);
}

Test(linux_arm64, uses_another_range_where_the_first_is_too_small)
{
	guest.ram[0].range.end = 0x42000000;
	const BootPlan plan = built();

	cr_assert_eq(found(&plan, "linux.initrd").gpa, 4 * GIB);
	cr_assert_eq(found(&plan, "linux.kernel").gpa, 4 * GIB + 20 * MIB);
}

Test(linux_arm64, keeps_to_ram_for_the_guests_own_use)
{
	guest.igvm_types[0] = IGVM_PLATFORM_RESERVED;
	const BootPlan plan = built();
	const void *tree = tree_of(&plan);

	cr_assert_eq(found(&plan, "linux.initrd").gpa, 4 * GIB + 16 * MIB);
	cr_assert_lt(fdt_path_offset(tree, "/memory@40000000"), 0);
	cr_assert_geq(fdt_path_offset(tree, "/memory@100000000"), 0);

	guest.igvm_types[1] = IGVM_SPECIFIC_PURPOSE;
	refused(PVW_ARM64_0018, "2 ranges of RAM", NULL);
}

Test(linux_arm64, refuses_a_nul_in_the_command_line_either_way)
{
	guest.settings.linux_direct.command_line = TEXT("a\0b");
	refused(PVW_LINUX_0008, "NUL", NULL);
	guest.settings.linux_direct.hardware = LINUX_HARDWARE_ACPI;
	refused(PVW_LINUX_0008, "NUL", NULL);
}

Test(linux_arm64, warns_of_a_line_that_kernels_cut)
{
	static uint8_t line[2048];

	memset(line, 'x', sizeof(line));
	guest.settings.linux_direct.command_line = (Bytes){ line, sizeof(line) - 1 };
	built();
	cr_assert_eq(guest.diagnostics.count, 0u);
	guest.settings.linux_direct.command_line.len++;
	built();
	cr_assert_eq(guest.diagnostics.count, 1u);
	cr_assert_eq(guest.diagnostics.items[0].what.diagnostic, PVW_LINUX_0019);
}

Test(linux_arm64, is_for_aarch64)
{
	guest.info.arch = GUEST_ARCH_X86_64;
	refused(PVW_LINUX_0013, "x86_64", NULL);
}

/*
 * Registers.
 */

Test(linux_arm64, enters_with_the_mmu_off_and_interrupts_masked)
{
	static const struct {
		RegisterId id;
		uint64_t value;
	} expected[] = {
		{ REGISTER_PC, 0x40200000 },
		{ REGISTER_CPSR, 0x3c5 },
		{ REGISTER_SCTLR_EL1, 0x30d01804 },
		{ REGISTER_TCR_EL1, 0x580803591 },
		{ REGISTER_TTBR0_EL1, 0 },
		{ REGISTER_TTBR1_EL1, 0 },
		{ REGISTER_VBAR_EL1, 0 },
		{ REGISTER_X0, 0x44000000 },
	};
	const uint64_t tree = 0x44000000;
	Register registers[LINUX_ARM64_REGISTERS];

	cr_assert_eq(
		linux_arm64_registers(0x40200000, &tree, registers), ARRAY_COUNT(expected));
	for (size_t i = 0; i < ARRAY_COUNT(expected); i++) {
		cr_assert_eq(registers[i].id, expected[i].id);
		cr_assert_eq(registers[i].low, expected[i].value);
		cr_assert_eq(registers[i].high, 0u);
	}
	cr_assert_eq(registers[2].low & 1, 0u, "MMU off");
	cr_assert_eq(linux_arm64_registers(0x40200000, NULL, registers), 7u);
}

/*
 * The machine.
 */

static const char *text_of(const BootPlan *plan, const char *path, const char *name)
{
	const void *tree = tree_of(plan);
	const int node = fdt_path_offset(tree, path);

	cr_assert_geq(node, 0, "%s", path);
	return fdt_getprop(tree, node, name, NULL);
}

static uint32_t cell_of(const BootPlan *plan, const char *path, const char *name, size_t index)
{
	const fdt32_t *cells = (const void *)text_of(plan, path, name);

	cr_assert_not_null(cells, "%s %s", path, name);
	return fdt32_ld(cells + index);
}

Test(linux_arm64, has_uarts_only_when_asked_for)
{
	guest.settings.chipset.com1 = false;
	const BootPlan none = built();
	cr_assert_lt(fdt_path_offset(tree_of(&none), "/openvmm/uart@effec000"), 0);
	cr_assert_null(text_of(&none, "/chosen", "stdout-path"));

	guest.settings.chipset.com2 = true;
	const BootPlan second = built();
	cr_assert_str_eq(text_of(&second, "/chosen", "stdout-path"), "/openvmm/uart@effeb000");
	cr_assert_lt(fdt_path_offset(tree_of(&second), "/openvmm/uart@effec000"), 0);

	guest.settings.chipset.com1 = true;
	const BootPlan both = built();
	cr_assert_str_eq(text_of(&both, "/chosen", "stdout-path"), "/openvmm/uart@effec000");
	cr_assert_geq(fdt_path_offset(tree_of(&both), "/openvmm/uart@effeb000"), 0);
}

/* QEMU's machine "virt". */
Test(linux_arm64, describes_the_machine_that_the_settings_say)
{
	guest.settings.linux_direct.arm = (ArmMachineSettings){
		.psci = PSCI_SMC,
		.com1 = { 0x9000000, 33 },
		.timers = { .secure = 29, .physical = 30, .virt = 27, .hypervisor = 26 },
		.gic = { .distributor = 0x8000000,
			.redistributors = 0x80a0000,
			.its = 0x8080000 },
	};
	const BootPlan plan = built();

	cr_assert_str_eq(text_of(&plan, "/psci", "method"), "smc");
	cr_assert_str_eq(text_of(&plan, "/chosen", "stdout-path"), "/openvmm/uart@9000000");
	cr_assert_eq(cell_of(&plan, "/timer", "interrupts", 7), 11u);
	cr_assert_eq(cell_of(&plan, "/intc@8000000", "reg", 5), 0x80a0000u);
	cr_assert_eq(cell_of(&plan, "/intc@8000000", "reg", 7), 0x40000u);
	cr_assert_eq(cell_of(&plan, "/intc@8000000/its@8080000", "phandle", 0), 4u);
}

Test(linux_arm64, describes_a_gicv2_with_a_frame_for_messages)
{
	guest.settings.linux_direct.arm.gic = (ArmGicSettings){ .distributor = 0x8000000,
		.cpu_interface = 0x8010000,
		.v2m = 0x8020000,
		.v2m_spi_base = 80,
		.v2m_spi_count = 64 };
	const BootPlan plan = built();

	cr_assert_str_eq(text_of(&plan, "/intc@8000000", "compatible"), "arm,cortex-a15-gic");
	cr_assert_eq(cell_of(&plan, "/intc@8000000/v2m@8020000", "arm,msi-base-spi", 0), 80u);

	guest.topology.count = 8;
	for (uint64_t i = 0; i < 8; i++)
		guest.vps[i].mpidr = 0x80000000 | i;
	built();
	VirtualProcessor nine[9] = { 0 };
	for (uint64_t i = 0; i < 9; i++)
		nine[i].mpidr = 0x80000000 | i;
	lay_out();
	guest.topology.count = 9;
	guest.topology.vps = nine;
	guest.inputs.topology = &guest.topology;
	BootPlan out;
	Error err = { 0 };
	cr_assert_not(
		linux_arm64_build_plan(&guest.inputs, arena, &out, &guest.diagnostics, &err));
	cr_assert_eq(err.diagnostic, PVW_TOPOLOGY_0002, "%s", err.text);
}

Test(linux_arm64, refuses_machines_that_there_cannot_be)
{
	ArmGicSettings *gic = &guest.settings.linux_direct.arm.gic;

	gic->its = 0xeff60000;
	gic->v2m = 0xeffe8000;
	refused(PVW_ARM64_0016, "expected one of them", NULL);
	gic->v2m = 0;
	gic->distributor = 0x8000000;
	gic->cpu_interface = 0x8010000;
	refused(PVW_ARM64_0016, "with a GICv2", NULL);
	*gic = (ArmGicSettings){ .distributor = 0x8000800 };
	refused(PVW_ARM64_0016, "distributor at 0x8000800", NULL);
	*gic = (ArmGicSettings){ .its = 0xeff60010 };
	refused(PVW_ARM64_0016, "its at", NULL);
	*gic = (ArmGicSettings){ .distributor = 0x8000000, .redistributors = 0x8001000 };
	refused(PVW_ARM64_0009, "redistributors", NULL);
	*gic = (ArmGicSettings){ 0 };
	guest.settings.linux_direct.arm.com1 = (ArmUart){ 0x9000100, 33 };
	refused(PVW_ARM64_0016, "uart at 0x9000100", NULL);
	guest.settings.linux_direct.arm.com1 = (ArmUart){ 0x9000000, 0 };
	refused(PVW_ARM64_0010, "a uart has INTID 0", NULL);
	guest.settings.linux_direct.hardware = LINUX_HARDWARE_ACPI;
	refused(PVW_ARM64_0010, "a uart has INTID 0", NULL);
}

Test(linux_arm64, refuses_devices_of_the_settings_in_ram_or_over_each_other)
{
	guest.settings.linux_direct.arm.com1 = (ArmUart){ 0x50000000, 33 };
	refused(PVW_ARM64_0015, "uart 0x50000000-0x50001000 and RAM", NULL);
	guest.settings.linux_direct.arm.com1 = (ArmUart){ 0xffff1000, 33 };
	refused(PVW_ARM64_0015, "distributor", NULL);
	guest.settings.chipset.com2 = true;
	guest.settings.linux_direct.arm.com1 = (ArmUart){ 0xeffeb000, 33 };
	refused(PVW_ARM64_0015, "uart 0xeffeb000-0xeffec000 and uart", NULL);
	guest.settings.linux_direct.arm = (ArmMachineSettings){
		.gic = { .distributor = 0x50000000, .redistributors = 0x8000000 }
	};
	refused(PVW_ARM64_0015, "distributor 0x50000000", NULL);
	guest.settings.linux_direct.arm = (ArmMachineSettings){ .gic.its = 0x60000000 };
	refused(PVW_ARM64_0015, "its 0x60000000", NULL);
}

/* Boot trees have been seen that give RAM away where the platform's devices are. */
Test(linux_arm64, warns_of_the_platforms_devices_in_ram)
{
	guest.ram[0].range.end = 0xf8000000;
	guest.mmio.low.start = 0xf8000000;
	built();

	cr_assert_eq(guest.diagnostics.count, 2u);
	for (size_t i = 0; i < 2; i++)
		cr_assert_eq(guest.diagnostics.items[i].what.diagnostic, PVW_ARM64_0019);
	cr_assert_not_null(
		strstr(guest.diagnostics.items[0].what.text, "redistributors 0xeffee000"));
	cr_assert_not_null(strstr(guest.diagnostics.items[1].what.text, "uart 0xeffec000"));
}

/* [ACPI65] 5.2.17 */
static Bytes slit(uint64_t nodes, size_t len, uint8_t remote)
{
	Error err;
	uint8_t *table = arena_alloc(arena, len, 8, &err);

	memcpy(table, "SLIT", 4);
	if (len >= 44)
		memcpy(table + 36, &nodes, 8);
	for (size_t i = 44; i < len; i++)
		table[i] = (i - 44) / nodes == (i - 44) % nodes ? 10 : remote;
	return (Bytes){ table, len };
}

Test(linux_arm64, tells_the_hosts_distances_either_way)
{
	guest.inputs.slit = slit(2, 44 + 4, 42);
	const BootPlan tree = built();

	cr_assert_eq(cell_of(&tree, "/distance-map", "distance-matrix", 5), 42u);
	cr_assert_eq(cell_of(&tree, "/distance-map", "distance-matrix", 2), 10u);

	guest.settings.linux_direct.hardware = LINUX_HARDWARE_ACPI;
	const BootPlan acpi = built();
	const Bytes tables = found(&acpi, "acpi.tables").bytes;
	const uint8_t *table = memmem(tables.data, tables.len, "SLIT", 4);

	cr_assert_not_null(table);
	cr_assert_eq(memcmp(table + 44, "\x0a\x2a\x2a\x0a", 4), 0);
}

Test(linux_arm64, refuses_a_slit_that_cannot_be_read)
{
	guest.inputs.slit = slit(2, 44 + 3, 20);
	refused(PVW_ARM64_0017, "2 nodes", NULL);
	guest.inputs.slit = slit(1, 43, 20);
	refused(PVW_ARM64_0017, "43 bytes", NULL);
	guest.inputs.slit = slit(257, 44 + 257 * 257, 20);
	refused(PVW_ARM64_0017, "257 nodes", NULL);
	guest.inputs.slit = slit(UINT64_C(0x100000000), 60, 20);
	refused(PVW_ARM64_0017, "nodes", NULL);
	guest.inputs.slit = slit(1, 45, 20);
	memset((void *)(uintptr_t)(guest.inputs.slit.data + 36), 0, 8);
	refused(PVW_ARM64_0017, "0 nodes", NULL);
}

/*
 * ACPI.
 */

static BootPlan built_with_acpi(void)
{
	guest.settings.linux_direct.hardware = LINUX_HARDWARE_ACPI;
	return built();
}

/* A table by its signature, through EFI's system table, RSDP and XSDT; empty: none. */
static Bytes find_table(const BootPlan *plan, const char *signature)
{
	const Artifact tables = found(plan, "acpi.tables");
	const Bytes rsdp = found(plan, "acpi.rsdp").bytes;
	const uint64_t xsdt = number(rsdp, 24, 8) - tables.gpa;
	Bytes hit = { 0 };

	cr_assert_eq(memcmp(rsdp.data, "RSD PTR ", 8), 0);
	cr_assert_eq(memcmp(tables.bytes.data + xsdt, "XSDT", 4), 0);
	for (uint64_t at = 36; at < number(tables.bytes, xsdt + 4, 4); at += 8) {
		const uint64_t table = number(tables.bytes, xsdt + at, 8) - tables.gpa;

		if (memcmp(tables.bytes.data + table, signature, 4) == 0)
			hit = (Bytes){ tables.bytes.data + table,
				number(tables.bytes, table + 4, 4) };
	}
	return hit;
}

Test(linux_arm64, places_efi_and_acpi_tables_below_the_initrd)
{
	const BootPlan plan = built_with_acpi();
	const Bytes system = found(&plan, "efi.system-table").bytes;
	const Bytes map = found(&plan, "efi.memory-map").bytes;

	cr_assert_eq(found(&plan, "efi.memory-map").gpa, 0x40800000u);
	cr_assert_eq(found(&plan, "efi.system-table").gpa, 0x40801000u);
	cr_assert_eq(found(&plan, "acpi.rsdp").gpa, 0x40802000u);
	cr_assert_eq(found(&plan, "acpi.tables").gpa, 0x40803000u);
	cr_assert_eq(found(&plan, "linux.initrd").gpa, 0x41000000u);
	cr_assert_eq(found(&plan, "linux.kernel").gpa, 0x42400000u);
	cr_assert_eq(found(&plan, "linux.device-tree").gpa, 0x44e00000u);

	cr_assert_eq(chosen(&plan, "linux,uefi-system-table"), 0x40801000u);
	cr_assert_eq(chosen(&plan, "linux,uefi-mmap-start"), 0x40800000u);
	cr_assert_eq(chosen(&plan, "linux,uefi-mmap-size"), map.len);
	cr_assert_eq(chosen(&plan, "linux,uefi-mmap-desc-size"), 40u);
	cr_assert_eq(chosen(&plan, "linux,uefi-mmap-desc-ver"), 1u);
	cr_assert_eq(chosen(&plan, "linux,initrd-start"), 0x41000000u);
	cr_assert_eq(memcmp(system.data, "IBI SYST", 8), 0);
	cr_assert_not_null(memmem(system.data, system.len, "\x00\x20\x80\x40\0\0\0\0", 8),
		"a configuration table points to the RSDP");
	cr_assert_not_null(memmem(system.data, system.len, "OpenVMM Virtual Machine", 23));
}

Test(linux_arm64, has_a_memory_map_of_all_ram)
{
	const BootPlan plan = built_with_acpi();
	const Bytes map = found(&plan, "efi.memory-map").bytes;
	const uint64_t acpi_end =
		0x40803000 + (found(&plan, "acpi.tables").bytes.len + 0xfff) / 0x1000 * 0x1000;
	const struct {
		uint64_t type, start, end;
	} expected[] = {
		{ 7, 0x40000000, 0x40800000 },
		{ 6, 0x40800000, 0x40802000 }, /* the kernel keeps it */
		{ 9, 0x40802000, acpi_end },
		{ 7, acpi_end, 0xe0000000 },
		{ 7, 0x100000000, 0x140000000 },
	};

	cr_assert_eq(map.len, 40 * ARRAY_COUNT(expected));
	for (size_t i = 0; i < ARRAY_COUNT(expected); i++) {
		cr_assert_eq(number(map, 40 * i, 4), expected[i].type);
		cr_assert_eq(number(map, 40 * i + 8, 8), expected[i].start);
		cr_assert_eq(number(map, 40 * i + 24, 8),
			(expected[i].end - expected[i].start) / 4096);
		cr_assert_eq(number(map, 40 * i + 32, 8), 8u);
	}
}

/* More RAM ranges than a page of descriptors holds: the reference writes beyond it. */
Test(linux_arm64, gives_a_long_memory_map_more_pages)
{
	static LayoutRecord many[300];
	BootPlan plan = { 0 };
	Error err = { 0 };

	built_with_acpi();
	for (uint64_t i = 0; i < ARRAY_COUNT(many); i++)
		many[i] = (LayoutRecord){ .kind = LAYOUT_RAM,
			.range = { 4 * GIB + i * GIB, 4 * GIB + i * GIB + GIB / 2 } };
	guest.layout.vtl0.ram = (LayoutRecordList){ many, ARRAY_COUNT(many) };
	guest.layout.complete.ram = guest.layout.vtl0.ram;
	guest.mmio.high = MEMORY_RANGE_EMPTY;
	cr_assert(linux_arm64_build_plan(&guest.inputs, arena, &plan, &guest.diagnostics, &err),
		"%s", err.text);

	cr_assert_eq(found(&plan, "efi.memory-map").bytes.len, 40u * 303);
	cr_assert_eq(found(&plan, "efi.memory-map").gpa, 4 * GIB + 8 * MIB);
	cr_assert_eq(found(&plan, "efi.system-table").gpa, 4 * GIB + 8 * MIB + 0x3000);
	cr_assert_eq(chosen(&plan, "linux,uefi-mmap-size"), 40u * 303);
}

Test(linux_arm64, has_the_tables_of_an_aarch64_guest)
{
	const BootPlan plan = built_with_acpi();
	const Bytes tables = found(&plan, "acpi.tables").bytes;
	const Bytes fadt = find_table(&plan, "FACP"), gtdt = find_table(&plan, "GTDT");

	cr_assert_neq(find_table(&plan, "APIC").len, 0u);
	cr_assert_neq(find_table(&plan, "SRAT").len, 0u);
	cr_assert_eq(find_table(&plan, "SLIT").len, 0u);
	cr_assert_eq(number(fadt, 112, 4), 0x100000u, "hardware-reduced");
	cr_assert_eq(number(fadt, 129, 2), 3u, "PSCI by HVC");
	cr_assert_eq(memcmp(fadt.data + 268, "MsHyperV", 8), 0);
	cr_assert_eq(number(gtdt, 64, 4), 20u);
	cr_assert_eq(number(gtdt, 48, 4), 0u);
	cr_assert_not_null(memmem(tables.data, tables.len, "VMBS", 4));
	cr_assert_not_null(memmem(tables.data, tables.len, "UAR0", 4));
	cr_assert_null(memmem(tables.data, tables.len, "UAR1", 4));
}

Test(linux_arm64, tells_acpi_of_a_machine_that_is_no_hyper_v)
{
	guest.settings.linux_direct.arm = (ArmMachineSettings){
		.psci = PSCI_SMC,
		.com2 = { 0x9001000, 40 },
		.timers = { .secure = 29, .physical = 30, .virt = 27, .hypervisor = 26 },
		.gic = { .distributor = 0x8000000, .redistributors = 0x80a0000 },
		.no_hypervisor = true,
	};
	guest.settings.chipset.com1 = false;
	guest.settings.chipset.com2 = true;
	const BootPlan plan = built_with_acpi();
	const Bytes tables = found(&plan, "acpi.tables").bytes;
	const Bytes fadt = find_table(&plan, "FACP"), gtdt = find_table(&plan, "GTDT"),
		    madt = find_table(&plan, "APIC"), spcr = find_table(&plan, "SPCR");

	cr_assert_eq(number(fadt, 129, 2), 1u, "PSCI, not by HVC");
	cr_assert_eq(number(fadt, 268, 8), 0u, "no identity");
	cr_assert_null(memmem(tables.data, tables.len, "VMBS", 4));
	cr_assert_null(memmem(tables.data, tables.len, "VMOD", 4));
	cr_assert_not_null(memmem(tables.data, tables.len, "UAR1", 4));
	cr_assert_eq(number(gtdt, 48, 4), 29u);
	cr_assert_eq(number(gtdt, 56, 4), 30u);
	cr_assert_eq(number(gtdt, 64, 4), 27u);
	cr_assert_eq(number(gtdt, 72, 4), 26u);
	/* GICD, then a GICC a processor: its redistributor at 60 */
	cr_assert_eq(number(madt, 44, 1), 12u);
	cr_assert_eq(number(madt, 44 + 8, 8), 0x8000000u);
	cr_assert_eq(number(madt, 68 + 60, 8), 0x80a0000u);
	cr_assert_eq(number(madt, 68 + 80 + 60, 8), 0x80c0000u);
	/* the console is where the port is */
	cr_assert_eq(number(spcr, 44, 8), 0x9001000u);
	cr_assert_eq(number(spcr, 54, 4), 40u);

	guest.settings.linux_direct.arm.psci = PSCI_NONE;
	const BootPlan none = built();
	cr_assert_eq(number(find_table(&none, "FACP"), 129, 2), 0u);
}

Test(linux_arm64, says_the_same_whatever_the_address_of_its_inputs)
{
	const BootPlan one = built(), other = built();

	cr_assert(digest_equal(one.digest, other.digest));
	guest.inputs.entropy[0] ^= 1;
	const BootPlan third = built();
	cr_assert_not(digest_equal(one.digest, third.digest));
}
