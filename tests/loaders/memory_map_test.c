/*
 * What a kernel is told of memory and where its pieces lie, over random machines: address maps of
 * the resolver, cut up by what a host may call memory, from 128 MiB to 16 TiB.
 */
#include <asm/bootparam.h>
#include <criterion/criterion.h>
#include <libfdt.h>
#include <string.h>

#include "helpers/kernel_builder.h"
#include "hostile/hostile.h"
#include "layout/resolver.h"
#include "loaders/linux_arm64.h"
#include "loaders/linux_x86.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define TIB UINT64_C(0x10000000000)
#define TEXT(literal) ((Bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

#define ROUNDS 400
#define NODES 8
#define RANGES 64

static uint8_t bzimage[BZIMAGE_FILE_SIZE], elf[ELF_FILE_SIZE], arm64[0x3000];
static uint8_t initrd[0x100000];

#define ARM64_IMAGE_SIZE UINT64_C(0x2a00000)

static struct {
	Arena *arena;
	Dice dice;
	uint64_t seed;
	uint64_t node_sizes[NODES];
	RootComplexShape root_complexes[2];
	ResolvedLayout resolved;
	NodeRange ram[RANGES];
	uint16_t types[RANGES];
	size_t ram_count;
	MemoryRange mmio[RANGES];
	size_t mmio_count;
	ChipsetMmioRanges windows;
	Vtl0Layout layout;
	VirtualProcessor vps[2];
	ProcessorTopology topology;
	BootInfo info;
	PlatformSettings settings;
	BootPlan plan;
} m;

static size_t roll(size_t bound)
{
	return dice_below(&m.dice, bound);
}

static LayoutShape roll_shape(GuestArch arch)
{
	static const uint64_t totals[] = { 128 * MIB, GIB, 4 * GIB, 64 * GIB, TIB, 16 * TIB };
	static const uint64_t spaces[] = { 0, 0, 256 * MIB, GIB, 2 * GIB, 3 * GIB };
	const size_t nodes = 1 + roll(NODES);
	const uint64_t share = totals[roll(ARRAY_COUNT(totals))] / nodes;

	for (size_t i = 0; i < nodes; i++)
		m.node_sizes[i] = (share + roll(share)) / PAGE_SIZE * PAGE_SIZE;
	m.node_sizes[0] += 128 * MIB;
	m.root_complexes[0] = (RootComplexShape){ .name = "rc0",
		.end_bus = 31,
		.low.size = (roll(4) + 1) * 16 * MIB,
		.high.size = (roll(4) + 1) * GIB };
	m.root_complexes[1] = (RootComplexShape){
		.name = "rc1", .segment = 1, .end_bus = 7, .high.size = (roll(64) + 1) * GIB
	};

	LayoutShape shape = {
		.arch = arch,
		.version = LAYOUT_VERSION_CURRENT,
		.node_sizes = m.node_sizes,
		.node_count = nodes,
		.chipset_low_size = layout_defaults(arch)->chipset_low_size,
		.chipset_high_size = roll(2) ? layout_defaults(arch)->chipset_high_size : 0,
		.root_complexes = m.root_complexes,
		.root_complex_count = roll(3),
		.virtio_mmio_count = (uint32_t)roll(9),
		.has_vtl2 = roll(2),
		.vtl2_size = 64 * MIB,
		.vtl2_align = 2 * MIB,
		.address_bits = 52,
		.device_space_size = spaces[roll(ARRAY_COUNT(spaces))],
	};
	if (arch == GUEST_ARCH_AARCH64 && roll(2)) {
		shape.ram_start = GIB;
		shape.low_window_size = roll(2) * 64 * MIB;
	}
	return shape;
}

/* Into up to three pieces, each by a name that hosts give; @first: begin with ordinary memory. */
static void cut_ram(NodeRange ram, bool first)
{
	static const uint16_t types[] = { IGVM_MEMORY, IGVM_MEMORY, IGVM_VTL2_PROTECTABLE,
		IGVM_PLATFORM_RESERVED, IGVM_SPECIFIC_PURPOSE, IGVM_HIDDEN, 0x4711 };

	for (size_t cuts = roll(3); !memory_range_is_empty(ram.range); cuts--) {
		const uint64_t pages = memory_range_len(ram.range) / PAGE_SIZE;
		const uint64_t least = first ? 96 * MIB / PAGE_SIZE : 1;
		uint64_t take = pages;

		if (cuts > 0 && pages > least)
			take = least + roll(pages - least);
		m.types[m.ram_count] = first ? IGVM_MEMORY : types[roll(ARRAY_COUNT(types))];
		m.ram[m.ram_count] = ram;
		m.ram[m.ram_count++].range.end = ram.range.start + take * PAGE_SIZE;
		ram.range.start += take * PAGE_SIZE;
		first = false;
		if (take == pages)
			return;
	}
}

static void take_placements(void)
{
	const LayoutPlacementList placements = m.resolved.placements;

	m.ram_count = m.mmio_count = 0;
	for (size_t i = 0; i < m.resolved.ram.count; i++)
		cut_ram(m.resolved.ram.items[i], i < 2);
	for (size_t i = 0; i < placements.count; i++) {
		const LayoutItem item = placements.items[i].item;

		if (item != LAYOUT_ITEM_RAM && item != LAYOUT_ITEM_LOW_RAM_GAP &&
			item != LAYOUT_ITEM_VTL2 && item != LAYOUT_ITEM_VTL2_FRAMEBUFFER)
			m.mmio[m.mmio_count++] = placements.items[i].range;
	}
	m.windows = (ChipsetMmioRanges){ .low = m.resolved.chipset_low,
		.high = m.resolved.chipset_high };
}

static void lay_out(void)
{
	const LayoutGaps gaps = { .mmio = { m.mmio, m.mmio_count }, .vtl2 = m.resolved.vtl2 };
	LayoutRecord *ram;
	Error err;

	cr_assert(memory_layout_from_ranges((NodeRangeList){ m.ram, m.ram_count }, &gaps,
			  m.arena, &m.layout.vtl0, &err),
		"seed %lu: %s", m.seed, err.text);
	cr_assert_eq(m.layout.vtl0.ram.count, m.ram_count);
	ram = arena_array(m.arena, LayoutRecord, m.ram_count, &err);
	memcpy(ram, m.layout.vtl0.ram.items, m.ram_count * sizeof(*ram));
	for (size_t i = 0; i < m.ram_count; i++)
		ram[i].igvm_type = m.types[i];
	m.layout.vtl0.ram.items = ram;
	m.layout.complete = m.layout.vtl0;
}

static bool roll_machine(GuestArch arch, uint64_t seed)
{
	LayoutShape shape;
	Error err;

	arena_free(m.arena);
	memset(&m, 0, sizeof(m));
	m.arena = arena_new(64 << 20);
	m.dice.state = m.seed = seed;
	shape = roll_shape(arch);
	if (!resolver_run(&shape, m.arena, &m.resolved, &err))
		return false;
	take_placements();
	lay_out();
	m.info.arch = arch;
	return true;
}

static void roll_images(const uint8_t *file, size_t len)
{
	m.settings = (PlatformSettings){
		.firmware = BOOT_LINUX,
		.chipset = { .com1 = true, .generation_id = { (uint8_t)roll(2) } },
		.linux_direct = { .command_line = TEXT("console=ttyS0"),
			.kernel = { .place = IMAGE_BYTES, .bytes = { file, len } } },
	};
	if (roll(4))
		m.settings.linux_direct.initrd = (Image){ .place = IMAGE_BYTES,
			.bytes = { initrd, 1 + roll(sizeof(initrd)) } };
}

static bool build(
	bool (*build_plan)(const BootInputs *, Arena *, BootPlan *, Diagnostics *, Error *))
{
	const BootInputs inputs = {
		.info = &m.info,
		.mmio = &m.windows,
		.layout = &m.layout,
		.topology = &m.topology,
		.settings = &m.settings,
		.physical_address_bits = 52,
	};
	Diagnostics diagnostics;
	Error err = { 0 };

	cr_assert(diagnostics_init(&diagnostics, 8, m.arena, &err));
	if (build_plan(&inputs, m.arena, &m.plan, &diagnostics, &err))
		return true;
	/* The ordinary memory at the start is enough for all of it. */
	cr_assert(err.diagnostic == PVW_MTRR_0003, "seed %lu: %s", m.seed, err.text);
	return false;
}

static bool is_ordinary(size_t i)
{
	return m.types[i] == IGVM_MEMORY || m.types[i] == IGVM_VTL2_PROTECTABLE;
}

/* The piece of RAM that holds it all, or RANGES. */
static size_t ram_with(uint64_t start, uint64_t len)
{
	for (size_t i = 0; i < m.ram_count; i++) {
		if (m.ram[i].range.start <= start && start + len <= m.ram[i].range.end)
			return i;
	}
	return RANGES;
}

static void check_in_ordinary(const char *name, uint64_t gpa, uint64_t len)
{
	const size_t i = ram_with(gpa, len);

	cr_assert(i < RANGES && is_ordinary(i), "seed %lu: %s at 0x%lx, 0x%lx bytes", m.seed,
		name, gpa, len);
}

/* Nobody else has anything of what the kernel needs for itself. */
static void check_kernel_alone(uint64_t start, uint64_t end)
{
	check_in_ordinary("linux.kernel", start, end - start);
	for (size_t i = 0; i < m.plan.write_count; i++) {
		const Artifact *a = &m.plan.artifacts.items[m.plan.writes[i]];

		cr_assert(a->gpa >= end || a->gpa + a->bytes.len <= start ||
				strncmp(a->name, "linux.kernel", 12) == 0,
			"seed %lu: %s in the kernel", m.seed, a->name);
	}
}

/*
 * x86-64: e820.
 */

static uint32_t e820_of(uint16_t igvm_type)
{
	switch (igvm_type) {
	case IGVM_MEMORY:
	case IGVM_VTL2_PROTECTABLE:
		return 1;
	case IGVM_SPECIFIC_PURPOSE:
		return 0xefffffff;
	default:
		return 2;
	}
}

static void check_e820(const struct boot_params *params)
{
	uint64_t covered = 0, there = 0, end = 0;

	for (size_t i = 0; i < params->e820_entries; i++) {
		const struct boot_e820_entry e = params->e820_table[i];
		const size_t in = ram_with(e.addr, e.size);

		cr_assert(e.size > 0 && e.addr >= end && in < RANGES, "seed %lu: entry %zu",
			m.seed, i);
		cr_assert(e.type == e820_of(m.types[in]) ||
				(e.addr + e.size <= MIB && (e.type == 2 || e.type == 3)),
			"seed %lu: entry %zu of type %u", m.seed, i, e.type);
		end = e.addr + e.size;
		covered += e.size;
	}
	for (size_t i = 0; i < m.ram_count; i++)
		there += memory_range_len(m.ram[i].range);
	cr_assert_eq(covered, there, "seed %lu", m.seed);
}

/* What a kernel would take for its own must not be what it still has to read. */
static uint32_t e820_wanted(const char *name)
{
	if (strcmp(name, "acpi.tables") == 0)
		return 3;
	if (strcmp(name, "acpi.rsdp") == 0 || strncmp(name, "smbios", 6) == 0 ||
		strcmp(name, "generation-id") == 0)
		return 2;
	return 1;
}

static void check_e820_of_artifacts(const struct boot_params *params)
{
	for (size_t i = 0; i < m.plan.write_count; i++) {
		const Artifact *a = &m.plan.artifacts.items[m.plan.writes[i]];
		uint32_t type = 0;

		for (size_t j = 0; j < params->e820_entries; j++) {
			const struct boot_e820_entry e = params->e820_table[j];

			if (e.addr <= a->gpa && a->gpa + a->bytes.len <= e.addr + e.size)
				type = e.type;
		}
		cr_assert_eq(type, e820_wanted(a->name), "seed %lu: %s in type %u", m.seed,
			a->name, type);
		check_in_ordinary(a->name, a->gpa, a->bytes.len);
	}
}

/* As bzimage_file has it: 4 MiB at 16 MiB, or at the next multiple of 2 MiB above. */
static void check_bzimage_room(void)
{
	const uint64_t load = boot_plan_find(&m.plan, "linux.kernel")->gpa;
	const uint64_t run = (load + 2 * MIB - 1) / (2 * MIB) * (2 * MIB);

	check_kernel_alone(load, (run > 16 * MIB ? run : 16 * MIB) + 4 * MIB);
}

Test(memory_map, tells_x86_64_of_all_ram_and_of_nothing_else)
{
	size_t built = 0;

	bzimage_file(bzimage);
	elf_file(elf);
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		const TopologyInputs sockets = { .vps_per_socket = 2 };
		const bool is_elf = seed % 4 == 0;
		struct boot_params params;
		Error err;

		if (!roll_machine(GUEST_ARCH_X86_64, seed))
			continue;
		cr_assert(topology_from_count(
			GUEST_ARCH_X86_64, 4, &sockets, m.arena, &m.topology, &err));
		roll_images(is_elf ? elf : bzimage, is_elf ? sizeof(elf) : sizeof(bzimage));
		if (!build(linux_x86_build_plan))
			continue;
		built++;
		memcpy(&params, boot_plan_find(&m.plan, "linux.zero-page")->bytes.data,
			sizeof(params));
		check_e820(&params);
		check_e820_of_artifacts(&params);
		if (!is_elf)
			check_bzimage_room();
	}
	cr_assert_gt(built, ROUNDS / 2);
	arena_free(m.arena);
}

/*
 * aarch64: EFI's map and the tree.
 */

static uint64_t number(Bytes bytes, size_t at)
{
	uint64_t value;

	memcpy(&value, bytes.data + at, sizeof(value));
	return value;
}

static uint32_t efi_wanted(const char *name)
{
	return strncmp(name, "efi.", 4) == 0 ? 6 : strncmp(name, "acpi.", 5) == 0 ? 9 : 7;
}

static void check_efi_of_artifacts(Bytes map)
{
	for (size_t i = 0; i < m.plan.write_count; i++) {
		const Artifact *a = &m.plan.artifacts.items[m.plan.writes[i]];
		uint32_t type = 0;

		for (size_t at = 0; at < map.len; at += 40) {
			const uint64_t start = number(map, at + 8);

			if (start <= a->gpa &&
				a->gpa + a->bytes.len <= start + number(map, at + 24) * 4096)
				type = (uint32_t)number(map, at);
		}
		cr_assert_eq(type, efi_wanted(a->name), "seed %lu: %s in type %u", m.seed,
			a->name, type);
	}
}

static void check_efi(Bytes map)
{
	uint64_t covered = 0, there = 0, end = 0;

	for (size_t at = 0; at < map.len; at += 40) {
		const uint32_t type = (uint32_t)number(map, at);
		const uint64_t start = number(map, at + 8), len = number(map, at + 24) * 4096;
		const size_t in = ram_with(start, len);

		cr_assert(len > 0 && start >= end && in < RANGES, "seed %lu: 0x%lx", m.seed,
			start);
		/* free for everybody: ordinary, or marked as for a purpose */
		if (type == 7)
			cr_assert(number(map, at + 32) & 0x40000
					? m.types[in] == IGVM_SPECIFIC_PURPOSE
					: is_ordinary(in));
		else
			cr_assert(type == 0 ? !is_ordinary(in) : is_ordinary(in));
		end = start + len;
		covered += len;
	}
	for (size_t i = 0; i < m.ram_count; i++)
		there += memory_range_len(m.ram[i].range);
	cr_assert_eq(covered, there, "seed %lu", m.seed);
}

/* The tree tells of ordinary memory alone, each piece with its node. */
static void check_tree(Bytes tree)
{
	uint64_t covered = 0, there = 0;
	int node;

	cr_assert_eq(fdt_check_full(tree.data, tree.len), 0);
	fdt_for_each_subnode(node, tree.data, 0)
	{
		const char *type = fdt_getprop(tree.data, node, "device_type", NULL);
		const fdt64_t *reg;
		int len = 0;

		if (!type || strcmp(type, "memory") != 0)
			continue;
		reg = fdt_getprop(tree.data, node, "reg", &len);
		for (int i = 0; i < len / 16; i++) {
			const uint64_t gpa = fdt64_ld(reg + 2 * i);
			const uint64_t size = fdt64_ld(reg + 2 * i + 1);

			check_in_ordinary("memory", gpa, size);
			covered += size;
		}
	}
	for (size_t i = 0; i < m.ram_count; i++)
		there += is_ordinary(i) ? memory_range_len(m.ram[i].range) : 0;
	cr_assert_eq(covered, there, "seed %lu", m.seed);
}

static void roll_arm64(void)
{
	m.vps[0] = (VirtualProcessor){ .mpidr = 0x80000000, .gicr = 0xeffee000 };
	m.vps[1] = (VirtualProcessor){ .mpidr = 0x80000001, .gicr = 0xf000e000 };
	m.topology = (ProcessorTopology){ .arch = GUEST_ARCH_AARCH64,
		.count = 2,
		.vps = m.vps,
		.vps_per_socket = 2,
		.reserved_vps_per_socket = 2,
		.arm = { .gic_distributor = 0xffff0000,
			.gic_redistributors = 0xeffee000,
			.pmu_gsiv = 23,
			.virt_timer_ppi = 20,
			.irq_count = 992 } };
	roll_images(arm64, sizeof(arm64));
	m.settings.linux_direct.hardware =
		roll(2) ? LINUX_HARDWARE_ACPI : LINUX_HARDWARE_DEVICE_TREE;
}

Test(memory_map, tells_aarch64_of_all_ram_and_of_nothing_else)
{
	size_t built = 0;

	kernel_put(arm64, 16, 8, ARM64_IMAGE_SIZE);
	kernel_put(arm64, 24, 8, 0xa);
	kernel_put(arm64, 56, 4, 0x644d5241);
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		const Artifact *kernel, *tree;

		if (!roll_machine(GUEST_ARCH_AARCH64, seed))
			continue;
		roll_arm64();
		if (!build(linux_arm64_build_plan))
			continue;
		built++;
		kernel = boot_plan_find(&m.plan, "linux.kernel");
		tree = boot_plan_find(&m.plan, "linux.device-tree");
		check_kernel_alone(kernel->gpa, kernel->gpa + ARM64_IMAGE_SIZE);
		for (size_t i = 0; i < m.plan.write_count; i++) {
			const Artifact *a = &m.plan.artifacts.items[m.plan.writes[i]];

			check_in_ordinary(a->name, a->gpa, a->bytes.len);
		}
		if (m.settings.linux_direct.hardware == LINUX_HARDWARE_ACPI) {
			const Bytes map = boot_plan_find(&m.plan, "efi.memory-map")->bytes;

			check_efi(map);
			check_efi_of_artifacts(map);
		} else {
			check_tree(tree->bytes);
		}
	}
	cr_assert_gt(built, ROUNDS / 2);
	arena_free(m.arena);
}
