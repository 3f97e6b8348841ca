#include <criterion/criterion.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "bootinfo/boot_info_parse.h"
#include "bootinfo/boot_info_write.h"
#include "bootinfo/random_trees.h"
#include "support/diagnostics.h"

#define RUNS 20000

static Arena *arena;
static Error err;

static void setup(void)
{
	arena = arena_new(256 << 20);
	err = (Error){ 0 };
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(boot_info_write, .init = setup, .fini = teardown, .timeout = 600);

/* Each field by itself, so that the message says which. */
static void expect_same_lists(const BootInfo *a, const BootInfo *b)
{
	cr_assert_eq(a->cpus.count, b->cpus.count);
	for (size_t i = 0; i < a->cpus.count; i++) {
		cr_assert_eq(a->cpus.items[i].reg, b->cpus.items[i].reg);
		cr_assert_eq(a->cpus.items[i].vnode, b->cpus.items[i].vnode);
	}
	cr_assert_eq(a->map.count, b->map.count);
	for (size_t i = 0; i < a->map.count; i++) {
		const MapEntry *x = &a->map.items[i], *y = &b->map.items[i];

		cr_assert(memory_range_equal(x->range, y->range));
		cr_assert_eq(x->type, y->type);
		cr_assert_eq(x->igvm_type, y->igvm_type);
		cr_assert_eq(x->vnode, y->vnode);
	}
	cr_assert_eq(a->mmio.count, b->mmio.count);
	for (size_t i = 0; i < a->mmio.count; i++) {
		const MmioClaim *x = &a->mmio.items[i], *y = &b->mmio.items[i];

		cr_assert_eq(x->start, y->start);
		cr_assert_eq(x->len, y->len);
		cr_assert_eq(x->vtl, y->vtl);
		cr_assert_eq(x->role, y->role);
		cr_assert_str_eq(x->place, y->place);
	}
}

static void expect_same_ranges(MemoryRangeList a, MemoryRangeList b)
{
	cr_assert_eq(a.count, b.count);
	for (size_t i = 0; i < a.count; i++)
		cr_assert(memory_range_equal(a.items[i], b.items[i]));
}

static void expect_same_node_ranges(NodeRangeList a, NodeRangeList b)
{
	cr_assert_eq(a.count, b.count);
	for (size_t i = 0; i < a.count; i++) {
		cr_assert(memory_range_equal(a.items[i].range, b.items[i].range));
		cr_assert_eq(a.items[i].vnode, b.items[i].vnode);
	}
}

static void expect_same_gic(const BootGic *a, const BootGic *b)
{
	cr_assert_eq(a->present, b->present);
	cr_assert_eq(a->distributor_base, b->distributor_base);
	cr_assert_eq(a->distributor_size, b->distributor_size);
	cr_assert_eq(a->redistributor_base, b->redistributor_base);
	cr_assert_eq(a->redistributor_size, b->redistributor_size);
	cr_assert_eq(a->redistributor_stride, b->redistributor_stride);
	cr_assert_eq(a->pmu_gsiv, b->pmu_gsiv);
	cr_assert_eq(a->virt_timer_ppi, b->virt_timer_ppi);
	cr_assert_eq(a->irq_count, b->irq_count);
}

static void expect_same_times(const BootTimes *a, const BootTimes *b)
{
	cr_assert_eq(a->has_start, b->has_start);
	cr_assert_eq(a->has_end, b->has_end);
	cr_assert_eq(a->has_sidecar_start, b->has_sidecar_start);
	cr_assert_eq(a->has_sidecar_end, b->has_sidecar_end);
	cr_assert_eq(a->start, b->start);
	cr_assert_eq(a->end, b->end);
	cr_assert_eq(a->sidecar_start, b->sidecar_start);
	cr_assert_eq(a->sidecar_end, b->sidecar_end);
	cr_assert_null(b->malformed);
}

static void expect_same(const BootInfo *a, const BootInfo *b)
{
	cr_assert_eq(a->arch, b->arch);
	cr_assert_eq(a->bsp_reg, b->bsp_reg);
	cr_assert_eq(a->has_openhcl, b->has_openhcl);
	expect_same_lists(a, b);
	expect_same_node_ranges(a->vtl2_ram, b->vtl2_ram);
	expect_same_node_ranges(a->pool, b->pool);
	expect_same_ranges(a->config, b->config);
	expect_same_ranges(a->accepted, b->accepted);
	cr_assert(memory_range_equal(a->reserved, b->reserved));
	cr_assert(memory_range_equal(a->log_buffer, b->log_buffer));
	cr_assert(memory_range_equal(a->persisted_header, b->persisted_header));
	cr_assert(memory_range_equal(a->persisted_protobuf, b->persisted_protobuf));
	cr_assert_eq(a->has_alias_map, b->has_alias_map);
	cr_assert_eq(a->alias_map, b->alias_map);
	cr_assert_eq(a->isolation, b->isolation);
	cr_assert_eq(a->allocation.vtl2, b->allocation.vtl2);
	cr_assert_eq(a->allocation.has_memory_size, b->allocation.has_memory_size);
	cr_assert_eq(a->allocation.has_mmio_size, b->allocation.has_mmio_size);
	cr_assert_eq(a->allocation.memory_size, b->allocation.memory_size);
	cr_assert_eq(a->allocation.mmio_size, b->allocation.mmio_size);
	expect_same_gic(&a->gic, &b->gic);
	expect_same_times(&a->times, &b->times);
	cr_assert_eq(a->vtl2_bus.present, b->vtl2_bus.present);
	cr_assert_eq(a->vtl2_bus.connection_id, b->vtl2_bus.connection_id);
	cr_assert_null(b->vtl2_bus.malformed);
	expect_same_ranges(a->vtl2_bus.ranges, b->vtl2_bus.ranges);
}

static size_t runs(void)
{
	const char *factor = getenv("PVW_TEST_RUNS");

	return RUNS * (factor ? strtoul(factor, NULL, 10) : 1);
}

/* Both profiles, over all that a tree can say; libfdt's own check is the second opinion. */
Test(boot_info_write, is_read_as_it_was_said)
{
	uint64_t state = 20260822;

	for (size_t i = 0, count = runs(); i < count; i++) {
		const BootTreeExtras extras = { .profile = (TreeProfile)(i % 2) };
		const BootInfo info = random_boot_info(&state, arena);
		BootInfo read;
		Bytes tree;

		cr_assert(boot_info_write(&info, &extras, arena, &tree, &err), "run %zu: %s", i,
			err.text);
		cr_assert_eq(fdt_check_full(tree.data, tree.len), 0, "run %zu", i);
		cr_assert(boot_info_parse(info.arch, tree, arena, &read, &err), "run %zu: %s",
			i, err.text);
		expect_same(&info, &read);
		arena_reset(arena);
	}
}

Test(boot_info_write, gives_equal_bytes_for_equal_info)
{
	uint64_t state = 7, again = 7;
	const BootInfo info = random_boot_info(&state, arena);
	const BootInfo same = random_boot_info(&again, arena);
	Bytes a, b;

	cr_assert(boot_info_write(&info, NULL, arena, &a, &err));
	cr_assert(boot_info_write(&same, NULL, arena, &b, &err));

	cr_assert_eq(a.len, b.len);
	cr_assert_arr_eq(a.data, b.data, a.len);
}

/* The least that can be written, for the branches. */
static const BootCpu one_cpu[] = { { 0, 0 } };
static const BootInfo least = { .has_openhcl = true, .cpus = { one_cpu, 1 } };

static void expect_refused(const BootInfo *info, const BootTreeExtras *extras,
	uint16_t diagnostic, const char *word)
{
	Bytes tree = { NULL, 1234 };

	cr_assert_not(boot_info_write(info, extras, arena, &tree, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(tree.len, 1234);
}

static const void *property(Bytes tree, const char *path, const char *name, int *len)
{
	const int node = fdt_path_offset(tree.data, path);

	cr_assert_geq(node, 0, "%s: %s", path, fdt_strerror(node));
	return fdt_getprop(tree.data, node, name, len);
}

Test(boot_info_write, reserves_what_is_not_for_the_kernel)
{
	static const MapEntry map[] = {
		{ { 0x0000, 0x1000 }, MEMORY_TYPE_VTL0, 0, 0 },
		{ { 0x1000, 0x2000 }, MEMORY_TYPE_VTL2_CONFIG, 3, 0 },
		{ { 0x2000, 0x3000 }, MEMORY_TYPE_VTL2_CONFIG, 3, 1 },
		{ { 0x3000, 0x4000 }, MEMORY_TYPE_VTL2_GPA_POOL, 3, 1 },
		{ { 0x4000, 0x5000 }, MEMORY_TYPE_VTL2_RAM, 3, 1 },
	};
	BootInfo info = least;
	uint64_t address, size;
	Bytes tree;

	info.map = (MapEntryList){ map, ARRAY_COUNT(map) };
	cr_assert(boot_info_write(&info, NULL, arena, &tree, &err), "%s", err.text);

	cr_assert_eq(fdt_num_mem_rsv(tree.data), 2);
	cr_assert_eq(fdt_get_mem_rsv(tree.data, 0, &address, &size), 0);
	cr_assert(address == 0x1000 && size == 0x2000);
	cr_assert_eq(fdt_get_mem_rsv(tree.data, 1, &address, &size), 0);
	cr_assert(address == 0x3000 && size == 0x1000);
}

Test(boot_info_write, states_a_role_only_where_it_is_declared)
{
	static const MmioClaim claims[] = {
		{ 0xf8000000, 0x1000, 0, MMIO_ROLE_CHIPSET_LOW, NULL },
		{ 0x100000000, 0x1000, 0, MMIO_ROLE_UNSPECIFIED, NULL },
	};
	BootInfo info = least;
	Bytes tree;
	int len;

	info.mmio = (MmioClaimList){ claims, ARRAY_COUNT(claims) };
	cr_assert(boot_info_write(&info, NULL, arena, &tree, &err), "%s", err.text);

	const void *role =
		property(tree, "/openhcl/memory@f8000000", "openhcl,mmio-role", &len);

	cr_assert(role && len == 4 && fdt32_ld(role) == 1);
	cr_assert_null(property(tree, "/openhcl/memory@100000000", "openhcl,mmio-role", &len));
}

Test(boot_info_write, carries_what_is_for_others)
{
	static const uint8_t entropy[] = { 1, 2, 3 };
	static const BootSidecar sidecars[] = { { 0x5000, 0x6000, 0x2000 } };
	const BootTreeExtras extras = {
		.sidecars = sidecars,
		.sidecar_count = 1,
		.serial = { true, UINT64_C(0x1effec000), 5, 115200 },
		.bootargs = "quiet",
		.initrd = { 0x1001, 0x2002 },
		.entropy = { entropy, sizeof(entropy) },
		.cca = true,
	};
	BootInfo info = least;
	Bytes tree;
	int len;

	info.arch = GUEST_ARCH_AARCH64;
	cr_assert(boot_info_write(&info, &extras, arena, &tree, &err), "%s", err.text);

	const uint8_t *reg = property(tree, "/serial@1effec000", "reg", &len);
	cr_assert(len == 16 && fdt32_ld((const void *)reg) == 1);
	reg = property(tree, "/bus/sidecar@5000", "reg", &len);
	cr_assert(len == 32 && fdt64_ld((const void *)(reg + 24)) == 0x2000);
	cr_assert_str_eq(property(tree, "/chosen", "bootargs", &len), "quiet");
	cr_assert_eq(fdt64_ld(property(tree, "/chosen", "linux,initrd-end", &len)), 0x2002);
	cr_assert_str_eq(property(tree, "/openhcl", "isolation-type", &len), "cca");
	cr_assert_arr_eq(property(tree, "/openhcl/entropy", "reg", &len), entropy, 3);
}

Test(boot_info_write, keeps_to_its_limit)
{
	BootTreeExtras extras = { 0 };
	Bytes tree;

	cr_assert(boot_info_write(&least, NULL, arena, &tree, &err));
	extras.limit = tree.len;
	cr_assert(boot_info_write(&least, &extras, arena, &tree, &err), "%s", err.text);
	for (extras.limit = tree.len - 1; extras.limit > 0; extras.limit--)
		expect_refused(&least, &extras, PVW_TREE_0001, "more than");
}

Test(boot_info_write, writes_the_largest_guest_of_x86)
{
	BootCpu *cpus = arena_array(arena, BootCpu, BOOT_INFO_MAX_CPUS + 1, &err);
	BootInfo info = least;
	Bytes tree;

	info.cpus = (CpuList){ cpus, BOOT_INFO_MAX_CPUS };
	cr_assert(boot_info_write(&info, NULL, arena, &tree, &err), "%s", err.text);

	info.cpus.count++;
	expect_refused(&info, NULL, PVW_BOOTINFO_0004, "2049 processors");
}

Test(boot_info_write, refuses_what_is_no_boot_info)
{
	BootInfo info = least;

	info.has_openhcl = false;
	expect_refused(&info, NULL, PVW_TREE_0009, "openhcl");
	info = least;
	info.isolation = ISOLATION_COUNT;
	expect_refused(&info, NULL, PVW_TREE_0005, "isolation");
}

Test(boot_info_write, refuses_an_apic_id_above_32_bits)
{
	static const BootCpu cpu[] = { { UINT64_C(0x100000001), 0 } };
	const BootTreeExtras reference = { .profile = TREE_PROFILE_REFERENCE };
	BootInfo info = least;
	Bytes tree;
	int len;

	info.cpus = (CpuList){ cpu, 1 };
	expect_refused(&info, NULL, PVW_TREE_0005, "0x100000001");

	/* The reference writes another processor's. */
	cr_assert(boot_info_write(&info, &reference, arena, &tree, &err));
	cr_assert_eq(fdt32_ld(property(tree, "/cpus/cpu@1", "reg", &len)), 1);
}

Test(boot_info_write, refuses_claims_that_are_no_ranges)
{
	static const MmioClaim claims[] = {
		{ 0x1001, 0x1000, 0, 0, NULL },
		{ 0x1000, 0x1001, 0, 0, "here" },
		{ UINT64_MAX - 0xfff, 0x2000, 0, 0, NULL },
		{ 0x1000, 0x1000, 1, 0, NULL },
	};

	for (size_t i = 0; i < ARRAY_COUNT(claims); i++) {
		BootInfo info = least;

		info.mmio = (MmioClaimList){ &claims[i], 1 };
		expect_refused(&info, NULL, PVW_TREE_0005, "MMIO");
	}
}

Test(boot_info_write, refuses_mmio_among_the_ram)
{
	static const MapEntry map[] = { { { 0x1000, 0x2000 }, MEMORY_TYPE_VTL0_MMIO, 0, 0 } };
	BootInfo info = least;

	info.map = (MapEntryList){ map, 1 };
	expect_refused(&info, NULL, PVW_TREE_0005, "VTL0 MMIO");
}

Test(boot_info_write, refuses_reservations_that_clash)
{
	static const MemoryRange ranges[] = { { 0x1000, 0x3000 }, { 0x2000, 0x4000 } };
	const MemoryRangeList list = { ranges, 2 };
	const BootTreeExtras extras = { .reserved = &list };

	expect_refused(&least, &extras, PVW_TREE_0003, "0x2000");
}

Test(boot_info_write, refuses_interrupts_that_readers_would_take_for_others)
{
	BootInfo info = least;

	info.arch = GUEST_ARCH_AARCH64;
	info.gic = (BootGic){ .present = true,
		.distributor_size = 0x10000,
		.redistributor_size = 0x20000,
		.redistributor_stride = 0x20000,
		.pmu_gsiv = 23,
		.virt_timer_ppi = 20 };

	BootInfo bad = info;

	bad.gic.distributor_size = 0x20000;
	expect_refused(&bad, NULL, PVW_TREE_0006, "distributor 0x20000");
	bad = info;
	bad.gic.redistributor_size = 0x40000;
	expect_refused(&bad, NULL, PVW_TREE_0006, "redistributors 0x40000");
	bad = info;
	bad.gic.redistributor_stride = 0;
	expect_refused(&bad, NULL, PVW_TREE_0006, "stride 0x0");
	bad = info;
	bad.gic.pmu_gsiv = 32;
	expect_refused(&bad, NULL, PVW_TREE_0007, "pmu: interrupt 32");
	bad = info;
	bad.gic.virt_timer_ppi = 15;
	expect_refused(&bad, NULL, PVW_TREE_0007, "virtual timer: interrupt 15");
}
