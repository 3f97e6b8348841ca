/*
 * The IGVM plan: pages, parameters, registers, and images that move.
 */
#include "loaders/igvm.h"

#include <criterion/criterion.h>
#include <string.h>

#include "bootinfo/host_info_parse.h"
#include "helpers/igvm_builder.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static Arena *arena;
static Diagnostics diagnostics;
static IgvmBuilder builder;
static uint8_t page[4096];

static MapEntry map[4];
static BootCpu cpus[2] = { { 0, 0 }, { 1, 0 } };
static VirtualProcessor vps[2] = { { .apic_id = 0, .mpidr = 0x80000000, .gicr = 0xeffee000 },
	{ .apic_id = 1, .mpidr = 0x80000001, .gicr = 0xf000e000 } };
static BootInfo info;
static ChipsetMmioRanges mmio;
static Vtl0Layout layout;
static ProcessorTopology topology;
static PlatformSettings settings;
static BootInputs inputs;

/* VTL0 has 128 MiB, VTL2 64 above it, VTL0 again up to 3 GiB and from 4 to 5. */
static void set_up(void)
{
	Error err = { 0 };

	arena = arena_new((size_t)64 << 20);
	cr_assert(diagnostics_init(&diagnostics, 64, arena, &err));
	memset(page, 0x5a, sizeof(page));
	map[0] = (MapEntry){ .range = { 0, 128 * MIB } };
	map[1] = (MapEntry){ .range = { 128 * MIB, 192 * MIB }, .type = MEMORY_TYPE_VTL2_RAM };
	map[2] = (MapEntry){ .range = { 192 * MIB, 3 * GIB } };
	map[3] = (MapEntry){ .range = { 4 * GIB, 5 * GIB }, .vnode = 1 };
	info = (BootInfo){ .map = { map, 4 }, .cpus = { cpus, 2 } };
	mmio = (ChipsetMmioRanges){ .low = { 0xe0000000, 4 * GIB },
		.high = { 8 * GIB, 9 * GIB } };
	topology = (ProcessorTopology){ .vps = vps,
		.count = 2,
		.vps_per_socket = 2,
		.reserved_vps_per_socket = 2,
		.arm = { .gic_distributor = 0xffff0000,
			.gic_redistributors = 0xeffee000,
			.virt_timer_ppi = 20,
			.irq_count = 992 } };
	settings = (PlatformSettings){ .firmware = BOOT_IGVM };
	inputs = (BootInputs){ .info = &info,
		.mmio = &mmio,
		.layout = &layout,
		.topology = &topology,
		.settings = &settings,
		.physical_address_bits = 46 };
	memset(inputs.entropy, 0x77, sizeof(inputs.entropy));
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(igvm, .init = set_up, .fini = tear_down);

/* A file for VTL2 of either architecture. */
static void begin(GuestArch arch)
{
	info.arch = topology.arch = arch;
	if (arch == GUEST_ARCH_AARCH64)
		info.gic = (BootGic){ .present = true,
			.distributor_base = 0xffff0000,
			.distributor_size = 0x10000,
			.redistributor_base = 0xeffee000,
			.redistributor_size = 0x40000,
			.redistributor_stride = 0x20000,
			.pmu_gsiv = 23,
			.virt_timer_ppi = 20 };
	igvm_begin(&builder, 2, arch == GUEST_ARCH_AARCH64);
	igvm_put_platform(&builder, 1, 2, 1);
}

static bool build(BootPlan *plan, Error *err)
{
	settings.firmware_image.place = IMAGE_BYTES;
	settings.firmware_image.bytes = igvm_finish(&builder);
	cr_assert(vtl0_layout_build(&info, &mmio, 0, arena, &layout, err), "%s", err->text);
	return igvm_build_plan(&inputs, arena, plan, &diagnostics, err);
}

static BootPlan built(void)
{
	BootPlan plan = { 0 };
	Error err = { 0 };

	cr_assert(build(&plan, &err), "%s", err.text);
	return plan;
}

static void expect_refusal(uint16_t diagnostic, const char *word)
{
	BootPlan plan = { .write_count = 77 };
	Error err = { 0 };

	cr_assert_not(build(&plan, &err), "expected %s", diagnostic_row(diagnostic)->name);
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert(diagnostic == PVW_PLAN_0002 || strstr(err.text, "expected"), "%s", err.text);
	cr_assert_eq(plan.write_count, 77u, "output touched");
}

static const Artifact *found(const BootPlan *plan, const char *name)
{
	const Artifact *artifact = boot_plan_find(plan, name);

	cr_assert_not_null(artifact, "no %s", name);
	return artifact;
}

static uint64_t number(Bytes bytes, size_t at, unsigned width)
{
	uint64_t value = 0;

	cr_assert_leq(at + width, bytes.len);
	for (unsigned i = width; i-- > 0;)
		value = value << 8 | bytes.data[at + i];
	return value;
}

/*
 * Pages.
 */

Test(igvm, writes_runs_of_pages)
{
	BootPlan plan;

	begin(GUEST_ARCH_X86_64);
	for (uint64_t i = 0; i < 3; i++)
		igvm_put_page(&builder, 0x8000000 + 0x1000 * i, page);
	igvm_put_page(&builder, 0x8004000, NULL);
	igvm_put_page(&builder, 0x8003000, NULL);
	igvm_put_page(&builder, 0x8010000, page);
	plan = built();

	cr_assert_eq(plan.kind, BOOT_IGVM);
	cr_assert_eq(plan.write_count, 3u);
	cr_assert_eq(found(&plan, "igvm.pages.8000000")->bytes.len, 0x3000u);
	cr_assert_eq(found(&plan, "igvm.pages.8000000")->bytes.data[0x2fff], 0x5a);
	cr_assert_eq(found(&plan, "igvm.pages.8003000")->bytes.len, 0x2000u);
	cr_assert_null(found(&plan, "igvm.pages.8003000")->bytes.data, "zeros");
	cr_assert_eq(found(&plan, "igvm.pages.8010000")->gpa, 0x8010000u);
}

Test(igvm, copies_what_is_in_too_many_pieces)
{
	BootPlan plan;

	begin(GUEST_ARCH_X86_64);
	for (uint64_t i = 0; i < 600; i++)
		igvm_put_page(&builder, 0x8000000 + 0x1000 * i, i % 16 == 0 ? page : NULL);
	for (uint64_t i = 0; i < 300; i++)
		igvm_put_page(&builder, 0x9000000 + 0x2000 * i, NULL);
	plan = built();

	cr_assert_eq(plan.write_count, 301u);
	cr_assert_eq(found(&plan, "igvm.pages.8000000")->bytes.len, 600u * 4096);
	cr_assert_eq(found(&plan, "igvm.pages.8000000")->bytes.data[16 * 4096], 0x5a);
	cr_assert_eq(found(&plan, "igvm.pages.8000000")->bytes.data[17 * 4096], 0);
}

Test(igvm, leaves_other_platforms_and_optional_headers_alone)
{
	static const uint8_t unknown[12] = { 1 };
	uint8_t other[24] = { 0 };
	BootPlan plan;

	begin(GUEST_ARCH_X86_64);
	igvm_put_platform(&builder, 2, 2, 2);
	igvm_put_header(&builder, 0x80000345, unknown, sizeof(unknown));
	igvm_put_number(other + 8, 4, 2);
	igvm_put_number(other + 20, 2, 1); /* secrets, of SNP */
	igvm_put_header(&builder, 0x302, other, sizeof(other));
	igvm_put_page(&builder, 0x8000000, page);
	plan = built();

	cr_assert_eq(plan.write_count, 1u);
}

Test(igvm, reads_format_one_for_x86)
{
	begin(GUEST_ARCH_X86_64);
	igvm_begin(&builder, 1, 0);
	igvm_put_platform(&builder, 1, 2, 1);
	igvm_put_page(&builder, 0x8000000, page);
	cr_assert_eq(built().write_count, 1u);

	info.arch = topology.arch = GUEST_ARCH_AARCH64;
	igvm_begin(&builder, 1, 0);
	igvm_put_platform(&builder, 1, 2, 1);
	expect_refusal(PVW_IGVM_0028, "aarch64");
}

/*
 * Parameters.
 */

static Bytes parameter(uint32_t type)
{
	BootPlan plan;

	igvm_put_area(&builder, 7, 0x4000, NULL);
	igvm_put_use(&builder, type, 7, 0);
	igvm_put_insert(&builder, 0x9000000, 7);
	plan = built();
	cr_assert_eq(found(&plan, "igvm.parameters.7")->gpa, 0x9000000u);
	cr_assert_eq(found(&plan, "igvm.parameters.7")->bytes.len, 0x4000u);
	return found(&plan, "igvm.parameters.7")->bytes;
}

Test(igvm, tells_memory_by_its_use)
{
	static const uint64_t expected[][3] = { { 0, 0x8000, 0 }, { 0x8000, 0x4000, 3 },
		{ 0xc000, 0x1000, 0 }, { 0xd000, 0x1000, 3 }, { 0xe000, 0xb2000, 0 },
		{ 0x100000, 0x40000, 0 }, { 0, 0, 0 } };
	Bytes bytes;

	begin(GUEST_ARCH_X86_64);
	igvm_put_required(&builder, 0xd000000, 0x1000000, 1);
	bytes = parameter(0x30c);

	for (size_t i = 0; i < ARRAY_COUNT(expected); i++) {
		cr_assert_eq(number(bytes, 24 * i, 8), expected[i][0], "entry %zu", i);
		cr_assert_eq(number(bytes, 24 * i + 8, 8), expected[i][1], "entry %zu", i);
		cr_assert_eq(number(bytes, 24 * i + 16, 2), expected[i][2], "entry %zu", i);
	}
}

Test(igvm, tells_windows_by_their_role)
{
	Bytes bytes;

	begin(GUEST_ARCH_X86_64);
	bytes = parameter(0x30a);
	cr_assert_eq(number(bytes, 0, 8), 0xe0000u);
	cr_assert_eq(number(bytes, 8, 8), 0x20000u);
	cr_assert_eq(number(bytes, 16, 8), 0x200000u);
	cr_assert_eq(number(bytes, 24, 8), 0x40000u);

	/* Without a low window the high one stays the second. */
	mmio.low = MEMORY_RANGE_EMPTY;
	begin(GUEST_ARCH_X86_64);
	bytes = parameter(0x30a);
	cr_assert_eq(number(bytes, 8, 8), 0u);
	cr_assert_eq(number(bytes, 16, 8), 0x200000u);
}

Test(igvm, tells_numbers_text_and_tables)
{
	static const uint8_t slit[] = "SLIT, as given";

	settings.linux_direct.command_line = (Bytes){ (const uint8_t *)"a=b", 3 };
	inputs.slit = inputs.pptt = (Bytes){ slit, sizeof(slit) };
	begin(GUEST_ARCH_X86_64);
	cr_assert_eq(number(parameter(0x307), 0, 4), 2u);
	begin(GUEST_ARCH_X86_64);
	cr_assert_str_eq((const char *)parameter(0x30e).data, "a=b");
	begin(GUEST_ARCH_X86_64);
	cr_assert_arr_eq(parameter(0x30f).data, slit, sizeof(slit));
	begin(GUEST_ARCH_X86_64);
	cr_assert_arr_eq(parameter(0x310).data, slit, sizeof(slit));
	begin(GUEST_ARCH_X86_64);
	cr_assert_arr_eq(parameter(0x308).data, "SRAT", 4);
	begin(GUEST_ARCH_AARCH64);
	cr_assert_arr_eq(parameter(0x309).data, "APIC", 4);
	begin(GUEST_ARCH_X86_64);
	cr_assert_eq(number(parameter(0x313), 0, 4), 0u);
	cr_assert_eq(diagnostics.count, 0u);
}

Test(igvm, warns_of_a_slit_that_nobody_gave)
{
	begin(GUEST_ARCH_X86_64);
	cr_assert_eq(parameter(0x30f).data[0], 0);
	cr_assert_eq(diagnostics.count, 1u);
	cr_assert_eq(diagnostics.items[0].what.diagnostic, PVW_IGVM_0033);
}

Test(igvm, tells_the_host_tree)
{
	for (GuestArch arch = 0; arch < GUEST_ARCH_COUNT; arch++) {
		HostInfo host = { 0 };
		Error err = { 0 };
		Bytes bytes;

		settings.linux_direct.command_line = (Bytes){ (const uint8_t *)"quiet", 5 };
		mmio.vtl2 = (MemoryRangeList){ (MemoryRange[]){ { 9 * GIB, 10 * GIB } }, 1 };
		begin(arch);
		bytes = parameter(0x312);
		cr_assert(host_info_parse(arch, bytes, arena, &host, &err), "%s", err.text);
		cr_assert_eq(host.cpus.count, 2u);
		cr_assert_str_eq(host.bootargs, "quiet");
		cr_assert_eq(host.memory.count, 4u);
		cr_assert_eq(host.memory.items[1].igvm_type, IGVM_VTL2_PROTECTABLE);
		cr_assert_eq(host.memory.items[3].vnode, 1u);
		cr_assert_eq(host.mmio.count, 3u);
		cr_assert_eq(host.mmio.items[1].role, (uint32_t)MMIO_ROLE_CHIPSET_HIGH);
		cr_assert_eq(host.mmio.items[2].vtl, 2);
		cr_assert_eq(host.entropy.len, (size_t)ENTROPY_SIZE);
	}
}

Test(igvm, keeps_what_an_area_begins_with)
{
	BootPlan plan;
	Bytes bytes;

	begin(GUEST_ARCH_X86_64);
	igvm_put_area(&builder, 1, 0x1000, page);
	igvm_put_area(&builder, 2, 0x1000, NULL);
	igvm_put_use(&builder, 0x307, 1, 8);
	igvm_put_insert(&builder, 0x9000000, 1);
	igvm_put_error_range(&builder, 0xa000000, 0x2000);
	plan = built();

	bytes = found(&plan, "igvm.parameters.1")->bytes;
	cr_assert_eq(number(bytes, 4, 4), 0x5a5a5a5au);
	cr_assert_eq(number(bytes, 8, 4), 2u);
	cr_assert_eq(number(bytes, 12, 4), 0x5a5a5a5au);
	cr_assert_eq(plan.write_count, 2u, "an area that is never inserted is nothing");
	cr_assert_eq(found(&plan, "igvm.error-range.a000000")->bytes.len, 0x2000u);
}

Test(igvm, refuses_parameters_that_do_not_fit)
{
	static const uint8_t line[5000] = { 'x' };

	begin(GUEST_ARCH_X86_64);
	igvm_put_area(&builder, 0, 0x1000, NULL);
	igvm_put_use(&builder, 0x30c, 0, 0xff0);
	igvm_put_insert(&builder, 0x9000000, 0);
	expect_refusal(PVW_IGVM_0030, "memory-map");

	settings.linux_direct.command_line = (Bytes){ line, sizeof(line) };
	begin(GUEST_ARCH_X86_64);
	igvm_put_area(&builder, 0, 0x1000, NULL);
	igvm_put_use(&builder, 0x30e, 0, 0);
	igvm_put_insert(&builder, 0x9000000, 0);
	expect_refusal(PVW_IGVM_0022, "NUL");
}

/*
 * Registers.
 */

#define RIP 0x20010
#define CR0 0x40000
#define CR3 0x40002
#define CR4 0x40003
#define TR 0x60007
#define GDTR 0x70001

static Register value_of(const BootPlan *plan, RegisterId id)
{
	for (size_t i = 0; i < plan->registers.count; i++) {
		if (plan->registers.items[i].id == id)
			return plan->registers.items[i];
	}
	cr_assert_fail("no register %d", (int)id);
	return (Register){ 0 };
}

Test(igvm, sets_the_registers_of_its_context)
{
	static const IgvmRegister x86[] = { { RIP, 0x8000123, 0 }, { CR0, 0x80000001, 0 },
		{ GDTR, UINT64_C(0x1f) << 48, 0x8002000 } };
	static const IgvmRegister arm64[] = { { 0x20022, 0x8000123, 0 }, { 0x20000, 7, 0 } };
	BootPlan plan;

	begin(GUEST_ARCH_X86_64);
	igvm_put_context(&builder, 2, 0, x86, ARRAY_COUNT(x86));
	plan = built();
	cr_assert_eq(plan.registers.count, 3u);
	cr_assert_eq(value_of(&plan, REGISTER_RIP).low, 0x8000123u);
	cr_assert_eq(value_of(&plan, REGISTER_GDTR).high, 0x8002000u);

	begin(GUEST_ARCH_AARCH64);
	igvm_put_context(&builder, 2, 0, arm64, ARRAY_COUNT(arm64));
	plan = built();
	cr_assert_eq(value_of(&plan, REGISTER_PC).low, 0x8000123u);
	cr_assert_eq(value_of(&plan, REGISTER_X0).low, 7u);
}

Test(igvm, refuses_contexts_that_are_not_for_it)
{
	static const IgvmRegister rip = { RIP, 1, 0 }, odd = { 0x12345, 1, 0 };
	static const IgvmRegister twice[] = { { RIP, 1, 0 }, { RIP, 2, 0 } };
	static const IgvmRegister wide = { RIP, 1, 1 };
	IgvmRegister many[128] = { 0 };

	begin(GUEST_ARCH_X86_64);
	igvm_put_context(&builder, 0, 0, &rip, 1);
	expect_refusal(PVW_IGVM_0016, "VTL0");
	begin(GUEST_ARCH_AARCH64);
	igvm_put_context(&builder, 2, 0, &rip, 1);
	expect_refusal(PVW_IGVM_0014, "0x20010");
	begin(GUEST_ARCH_X86_64);
	igvm_put_context(&builder, 2, 0, &odd, 1);
	expect_refusal(PVW_IGVM_0014, "0x12345");
	begin(GUEST_ARCH_X86_64);
	igvm_put_context(&builder, 2, 0, twice, 2);
	expect_refusal(PVW_IGVM_0015, "Rip");
	begin(GUEST_ARCH_X86_64);
	igvm_put_context(&builder, 2, 0, &wide, 1);
	expect_refusal(PVW_IGVM_0015, "64 bits");
	begin(GUEST_ARCH_X86_64);
	igvm_put_context(&builder, 2, 1, &rip, 1);
	expect_refusal(PVW_IGVM_0023, "processor 1");
	begin(GUEST_ARCH_X86_64);
	igvm_put_context(&builder, 2, 0, &rip, 1);
	igvm_put_context(&builder, 2, 0, &rip, 1);
	expect_refusal(PVW_IGVM_0024, "second");
	begin(GUEST_ARCH_X86_64);
	igvm_put_context(&builder, 2, 0, many, 127);
	igvm_put_number(builder.data + 8, 4, 128);
	expect_refusal(PVW_MEASURED_0011, "128");
	begin(GUEST_ARCH_X86_64);
	igvm_put_context(&builder, 2, 0, &rip, 1);
	igvm_put_number(builder.data + 8, 4, 2);
	expect_refusal(PVW_MEASURED_0010, "registers");
	begin(GUEST_ARCH_X86_64);
	igvm_put_context(&builder, 2, 0, &rip, 1);
	builder.data[8 + 4 + 6] = 1;
	expect_refusal(PVW_MEASURED_0012, "zeros");
}

/*
 * Memory that must be there.
 */

Test(igvm, refuses_memory_that_is_not_there)
{
	begin(GUEST_ARCH_X86_64);
	igvm_put_required(&builder, 3 * GIB - 0x1000, 0x2000, 0);
	expect_refusal(PVW_IGVM_0029, "required-memory");
	begin(GUEST_ARCH_X86_64);
	igvm_put_page(&builder, 3 * GIB, page);
	expect_refusal(PVW_PLAN_0002, "igvm.pages.c0000000");
}

Test(igvm, wants_the_bytes_of_a_file)
{
	BootPlan plan = { 0 };
	Error err = { 0 };

	cr_assert_not(igvm_build_plan(&inputs, arena, &plan, &diagnostics, &err));
	cr_assert_eq(err.diagnostic, PVW_IGVM_0032);
	cr_assert_str_eq(err.source, "settings.firmware_image");

	begin(GUEST_ARCH_X86_64);
	info.isolation = ISOLATION_VBS;
	expect_refusal(PVW_LINUX_0022, "IGVM");
}

/*
 * Moving.
 */

/* Tables as the file has them: pages of the page table region, by index. */
static uint64_t tables[16][512];

#define REGION (128 * MIB)
#define REGION_SIZE (4 * MIB)
#define MOVED (512 * MIB)

typedef struct Machine {
	GuestArch arch;
	uint64_t table, leaf, small; /* flags of entries */
	uint64_t address;
} Machine;

static const Machine machines[] = {
	{ GUEST_ARCH_X86_64, 0x23, 0xe3, 0x63, 0x000ffffffffff000 },
	{ GUEST_ARCH_AARCH64, 0x3, 0x701, 0x703, 0x0000fffffffff000 },
};

static void map_2m(const Machine *machine, uint64_t gpa, size_t directory)
{
	tables[directory][gpa / (2 * MIB) % 512] = gpa | machine->leaf;
}

/* VTL2 lies elsewhere than the file has it. */
static void move_vtl2(void)
{
	map[0].range = (MemoryRange){ 0, MOVED };
	map[1].range = (MemoryRange){ MOVED, MOVED + 64 * MIB };
	map[2].range = (MemoryRange){ MOVED + 64 * MIB, 3 * GIB };
}

static void put_moving_file(const Machine *machine, uint64_t pt, uint64_t pt_size, size_t used)
{
	const IgvmRegister x86[] = { { RIP, REGION + 0x100, 0 }, { CR0, 0x80000001, 0 },
		{ CR3, pt, 0 }, { CR4, 0x20, 0 }, { GDTR, 0, REGION + 0x2000 },
		{ TR, REGION + 0x3000, 0 } };
	const IgvmRegister arm64[] = { { 0x20022, REGION + 0x100, 0 }, { 0x40002, 0x1005, 0 },
		{ 0x40005, pt, 0 }, { 0x40007, 16, 0 } };
	const bool is_arm = machine->arch == GUEST_ARCH_AARCH64;

	begin(machine->arch);
	igvm_put_region(&builder,
		&(IgvmRegion){ .alignment = 2 * MIB,
			.base = REGION,
			.size = REGION_SIZE,
			.minimum = REGION,
			.maximum = GIB,
			.vtl = 2,
			.flags = 7 });
	igvm_put_tables(&builder, 2, pt, pt_size, used * 4096);
	igvm_put_required(&builder, REGION, REGION_SIZE, 1);
	igvm_put_page(&builder, REGION, page);
	for (size_t i = 0; i < used; i++)
		igvm_put_page(&builder, pt + 4096 * i, tables[i]);
	igvm_put_context(&builder, 2, 0, is_arm ? arm64 : x86, is_arm ? 4 : 6);
}

/* An independent walk: where the plan's tables send an address; UINT64_MAX: nowhere. */
static uint64_t walk(const Machine *machine, const BootPlan *plan, uint64_t root, uint64_t va)
{
	const Artifact *artifact = found(plan, "igvm.page-tables");
	uint64_t table = root;

	for (int shift = 39; shift >= 12; shift -= 9) {
		const uint64_t at = table - artifact->gpa + (va >> shift & 511) * 8;
		const uint64_t low = (UINT64_C(1) << shift) - 1;
		uint64_t entry;
		bool leaf;

		cr_assert_lt(at, artifact->bytes.len, "a table at 0x%" PRIx64, table);
		entry = number(artifact->bytes, (size_t)at, 8);
		if (!(entry & 1))
			return UINT64_MAX;
		leaf = shift == 12 ||
			(machine->arch == GUEST_ARCH_AARCH64 ? (entry & 2) == 0
							     : (entry & 0x80) != 0);
		if (leaf)
			return (entry & machine->address & ~low) | (va & low);
		table = entry & machine->address;
	}
	return UINT64_MAX;
}

static void expect_moved(
	const Machine *machine, const BootPlan *plan, uint64_t pt, uint64_t pt_size)
{
	const uint64_t offset = MOVED - REGION;
	const bool is_arm = machine->arch == GUEST_ARCH_AARCH64;
	const uint64_t root = value_of(plan, is_arm ? REGISTER_TTBR0_EL1 : REGISTER_CR3).low;

	cr_assert_eq(root, pt + offset);
	cr_assert_eq(found(plan, "igvm.page-tables")->gpa, pt + offset);
	cr_assert_not_null(boot_plan_find(plan, "igvm.pages.20000000"));
	cr_assert_eq(value_of(plan, is_arm ? REGISTER_PC : REGISTER_RIP).low, MOVED + 0x100);
	for (uint64_t at = REGION; at < REGION + REGION_SIZE; at += 4096)
		cr_assert_eq(
			walk(machine, plan, root, at + offset), at + offset, "0x%" PRIx64, at);
	for (uint64_t at = pt; at < pt + pt_size; at += 4096)
		cr_assert_eq(walk(machine, plan, root, at + offset), at + offset,
			"tables, 0x%" PRIx64, at);
}

static void set_root(const Machine *machine, uint64_t pt)
{
	memset(tables, 0, sizeof(tables));
	tables[0][0] = (pt + 0x1000) | machine->table;
	tables[1][0] = (pt + 0x2000) | machine->table;
}

/* [region: two pieces of 2 MiB][page tables: at the start of the third, or in its middle] */
Test(igvm, moves_page_tables_on_and_off_a_large_page)
{
	static const uint64_t places[] = { REGION + REGION_SIZE,
		REGION + REGION_SIZE + 0x10000 };

	move_vtl2();
	for (size_t m = 0; m < ARRAY_COUNT(machines); m++) {
		for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
			const Machine *machine = &machines[m];
			BootPlan plan;

			set_root(machine, places[i]);
			for (uint64_t at = REGION; at < REGION + 6 * MIB; at += 2 * MIB)
				map_2m(machine, at, 2);
			put_moving_file(machine, places[i], 0x8000, 3);
			plan = built();
			expect_moved(machine, &plan, places[i], 0x8000);
			cr_assert_eq(walk(machine, &plan, places[i] + MOVED - REGION, REGION),
				UINT64_MAX, "nothing is left where it was");
		}
	}
}

/* Pieces of 4 KiB, and of 1 GiB that hold both places. */
Test(igvm, moves_small_and_keeps_large_pieces)
{
	const uint64_t pt = REGION + REGION_SIZE;

	move_vtl2();
	for (size_t m = 0; m < ARRAY_COUNT(machines); m++) {
		const Machine *machine = &machines[m];
		BootPlan plan;

		set_root(machine, pt);
		for (uint64_t at = REGION; at < pt; at += 2 * MIB)
			map_2m(machine, at, 2);
		tables[2][pt / (2 * MIB)] = (pt + 0x3000) | machine->table;
		for (uint64_t at = pt; at < pt + 0x8000; at += 4096)
			tables[3][at / 4096 % 512] = at | machine->small;
		put_moving_file(machine, pt, 0x8000, 4);
		plan = built();
		expect_moved(machine, &plan, pt, 0x8000);

		memset(tables, 0, sizeof(tables));
		tables[0][0] = (pt + 0x1000) | machine->table;
		tables[1][0] = machine->leaf;
		put_moving_file(machine, pt, 0x8000, 2);
		plan = built();
		expect_moved(machine, &plan, pt, 0x8000);
		cr_assert_eq(walk(machine, &plan, pt + MOVED - REGION, 0x1234), 0x1234u);
	}
}

/* An address that leads elsewhere stays, and leads to where its memory went. */
Test(igvm, redirects_what_is_mapped_elsewhere)
{
	const uint64_t pt = REGION + REGION_SIZE, high = UINT64_C(511) << 39;

	move_vtl2();
	for (size_t m = 0; m < ARRAY_COUNT(machines); m++) {
		const Machine *machine = &machines[m];
		BootPlan plan;

		set_root(machine, pt);
		for (uint64_t at = REGION; at < REGION + 6 * MIB; at += 2 * MIB)
			map_2m(machine, at, 2);
		tables[0][511] = (pt + 0x3000) | machine->table;
		tables[3][0] = (pt + 0x4000) | machine->table;
		tables[4][0] = (REGION + 2 * MIB) | machine->leaf;
		put_moving_file(machine, pt, 0x8000, 5);
		plan = built();
		expect_moved(machine, &plan, pt, 0x8000);
		cr_assert_eq(walk(machine, &plan, pt + MOVED - REGION, high + 0x777),
			MOVED + 2 * MIB + 0x777);
	}
}

Test(igvm, moves_tables_of_three_levels)
{
	const uint64_t pt = REGION + REGION_SIZE;
	const Machine *machine = &machines[1];
	const uint64_t offset = MOVED - REGION;
	const Artifact *artifact;
	BootPlan plan;

	move_vtl2();
	memset(tables, 0, sizeof(tables));
	tables[0][0] = (pt + 0x1000) | machine->table;
	for (uint64_t at = REGION; at < REGION + 6 * MIB; at += 2 * MIB)
		map_2m(machine, at, 1);
	put_moving_file(machine, pt, 0x8000, 2);
	igvm_put_number(builder.data + builder.data_len - 16, 8, 25); /* TcrEl1.T0SZ */
	plan = built();
	artifact = found(&plan, "igvm.page-tables");
	cr_assert_eq(number(artifact->bytes, 0, 8), (pt + 0x1000 + offset) | 3);
	cr_assert_eq(number(artifact->bytes, 0x1000 + 8 * (MOVED / (2 * MIB)), 8),
		MOVED | machine->leaf);
}

Test(igvm, moves_the_registers_that_say_where)
{
	const uint64_t pt = REGION + REGION_SIZE;
	BootPlan plan;

	move_vtl2();
	set_root(&machines[0], pt);
	for (uint64_t at = REGION; at < REGION + 6 * MIB; at += 2 * MIB)
		map_2m(&machines[0], at, 2);
	put_moving_file(&machines[0], pt, 0x8000, 3);
	plan = built();
	cr_assert_eq(value_of(&plan, REGISTER_GDTR).high, MOVED + 0x2000);
	cr_assert_eq(value_of(&plan, REGISTER_TR).low, MOVED + 0x3000);
	cr_assert_eq(value_of(&plan, REGISTER_CR4).low, 0x20u);
}

Test(igvm, stays_where_vtl2_has_memory)
{
	const uint64_t pt = REGION + REGION_SIZE;
	BootPlan plan;

	set_root(&machines[0], pt);
	put_moving_file(&machines[0], pt, 0x8000, 3);
	plan = built();
	cr_assert_null(boot_plan_find(&plan, "igvm.page-tables"));
	cr_assert_eq(found(&plan, "igvm.pages.8400000")->bytes.len, 0x3000u);
	cr_assert_eq(value_of(&plan, REGISTER_CR3).low, pt);
}

Test(igvm, refuses_moves_that_cannot_be)
{
	const uint64_t pt = REGION + REGION_SIZE;
	const Machine *machine = &machines[0];

	move_vtl2();
	set_root(machine, pt);
	/* No multiple of 2 MiB leaves room. */
	map[1].range = (MemoryRange){ MOVED + MIB, MOVED + 5 * MIB };
	put_moving_file(machine, pt, 0x8000, 3);
	expect_refusal(PVW_IGVM_0031, "VTL2");
}

Test(igvm, refuses_tables_that_are_none)
{
	const uint64_t pt = REGION + REGION_SIZE;
	const Machine *machine = &machines[0];

	move_vtl2();
	/* Two entries lead to one table. */
	set_root(machine, pt);
	tables[1][1] = tables[1][0];
	put_moving_file(machine, pt, 0x8000, 3);
	expect_refusal(PVW_IGVM_0018, "once");
	/* A table in the free part. */
	set_root(machine, pt);
	tables[1][1] = (pt + 0x7000) | machine->table;
	put_moving_file(machine, pt, 0x8000, 3);
	expect_refusal(PVW_IGVM_0018, "in use");
	/* More room than any image needs. */
	memset(tables, 0, sizeof(tables));
	tables[0][0] = (pt + 0x1000) | machine->table;
	tables[1][0] = machine->leaf;
	put_moving_file(machine, pt, 8 * MIB, 2);
	expect_refusal(PVW_IGVM_0010, "tables"); /* 1024 pages are the most */
}

Test(igvm, refuses_a_piece_that_would_be_torn)
{
	const uint64_t pt = REGION + REGION_SIZE;
	const Machine *machine = &machines[0];

	/* From 128 MiB to 2 GiB + 16 MiB: no multiple of 1 GiB. */
	map[0].range = (MemoryRange){ 0, 2064 * MIB };
	map[1].range = (MemoryRange){ 2064 * MIB, 2128 * MIB };
	map[2].range = (MemoryRange){ 2128 * MIB, 3 * GIB };
	memset(tables, 0, sizeof(tables));
	tables[0][0] = (pt + 0x1000) | machine->table;
	tables[1][0] = machine->leaf;
	put_moving_file(machine, pt, 0x8000, 2);
	igvm_put_number(builder.headers + 24 + 8 + 40, 8, 3 * GIB);
	expect_refusal(PVW_IGVM_0019, "multiple");
}

Test(igvm, refuses_mappings_in_the_way)
{
	const uint64_t pt = REGION + REGION_SIZE;
	const Machine *machine = &machines[0];

	move_vtl2();
	set_root(machine, pt);
	map_2m(machine, REGION, 2);
	tables[2][MOVED / (2 * MIB)] = 64 * MIB | machine->leaf;
	put_moving_file(machine, pt, 0x8000, 3);
	expect_refusal(PVW_IGVM_0020, "mapped already");
}

Test(igvm, refuses_tables_without_room)
{
	const uint64_t pt = REGION + REGION_SIZE;
	const Machine *machine = &machines[0];

	/* Beyond 1 GiB another directory is needed. */
	map[0].range = (MemoryRange){ 0, 2 * GIB };
	map[1].range = (MemoryRange){ 2 * GIB, 2112 * MIB };
	map[2].range = (MemoryRange){ 2112 * MIB, 3 * GIB };
	set_root(machine, pt);
	map_2m(machine, REGION, 2);
	put_moving_file(machine, pt, 0x3000, 3);
	igvm_put_number(builder.headers + 24 + 8 + 40, 8, 3 * GIB);
	expect_refusal(PVW_IGVM_0021, "needed");
}

Test(igvm, refuses_paging_that_it_cannot_move)
{
	const uint64_t pt = REGION + REGION_SIZE;

	move_vtl2();
	set_root(&machines[0], pt);
	put_moving_file(&machines[0], pt, 0x8000, 3);
	/* Cr4 is the fourth register of the last data. */
	igvm_put_number(builder.data + builder.data_len - 3 * 32 + 16, 8, 0x1020);
	expect_refusal(PVW_IGVM_0034, "five levels");
	set_root(&machines[1], pt);
	put_moving_file(&machines[1], pt, 0x8000, 3);
	igvm_put_number(builder.data + builder.data_len - 16, 8, 0x4010);
	expect_refusal(PVW_IGVM_0034, "granules");
	/* The root is elsewhere. */
	set_root(&machines[0], pt);
	put_moving_file(&machines[0], pt, 0x8000, 3);
	igvm_put_number(builder.data + builder.data_len - 4 * 32 + 16, 8, pt - 0x1000);
	expect_refusal(PVW_IGVM_0017, "first table");
}
