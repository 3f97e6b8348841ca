/*
 * The example trees of fixtures/src, with what must be read from them.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "bootinfo/boot_info_check.h"
#include "bootinfo/boot_info_parse.h"
#include "bootinfo/host_info_parse.h"
#include "tests/bootinfo/example_trees.h"

#define TREE(name) ((Bytes){ name, sizeof(name) })

static Arena *arena;

static void setup(void)
{
	arena = arena_new(1 << 20);
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(example_trees, .init = setup, .fini = teardown);

static HostInfo host(GuestArch arch, Bytes tree)
{
	HostInfo info;
	Error err;

	cr_assert(host_info_parse(arch, tree, arena, &info, &err), "%s (%s)", err.text,
		err.source);
	return info;
}

static void assert_memory(const HostInfo *info, size_t i, uint64_t start, uint64_t end,
	unsigned igvm_type, unsigned vnode)
{
	const HostMemory *memory = &info->memory.items[i];

	cr_assert_lt(i, info->memory.count);
	cr_assert_eq(memory->range.start, start);
	cr_assert_eq(memory->range.end, end);
	cr_assert_eq(memory->igvm_type, igvm_type);
	cr_assert_eq(memory->vnode, vnode);
}

static void assert_claim(
	MmioClaimList list, size_t i, uint64_t start, uint64_t len, unsigned vtl, MmioRole role)
{
	cr_assert_lt(i, list.count);
	cr_assert_eq(list.items[i].start, start);
	cr_assert_eq(list.items[i].len, len);
	cr_assert_eq(list.items[i].vtl, vtl);
	cr_assert_eq(list.items[i].role, role);
}

Test(example_trees, host_x64_numa_roles)
{
	const HostInfo info = host(GUEST_ARCH_X86_64, TREE(x64_numa_roles_host_dtb));
	uint64_t bytes = 0;

	cr_assert_eq(info.cpus.count, 4);
	cr_assert_eq(info.cpus.items[3].reg, 3);
	cr_assert_eq(info.cpus.items[3].vnode, 1);
	cr_assert_eq(info.memory.count, 6);
	assert_memory(&info, 0, 0, 0x8000000, 0, 0);
	assert_memory(&info, 1, 0x8000000, 0x18000000, 3, 0);
	assert_memory(&info, 2, 0x18000000, 0xC0000000, 0, 0);
	assert_memory(&info, 3, 0x100000000, 0x140000000, 0, 0);
	assert_memory(&info, 4, 0x140000000, 0x230000000, 0, 1);
	assert_memory(&info, 5, 0x230000000, 0x240000000, 3, 1);
	for (size_t i = 0; i < info.memory.count; i++)
		bytes += memory_range_len(info.memory.items[i].range);
	cr_assert_eq(bytes, UINT64_C(8) << 30);

	cr_assert_eq(info.mmio.count, 3);
	assert_claim(info.mmio, 0, 0xf8000000, 0x8000000, 0, MMIO_ROLE_CHIPSET_LOW);
	assert_claim(info.mmio, 1, 0x240000000, 0x20000000, 0, MMIO_ROLE_CHIPSET_HIGH);
	assert_claim(info.mmio, 2, 0x260000000, 0x40000000, 2, MMIO_ROLE_VTL2_PRIVATE);
	cr_assert_str_eq(
		info.mmio.items[1].place, "host-dtb:/bus/vmbus-vtl0@f8000000/ranges[1]");
	cr_assert_eq(info.vmbus_vtl0.connection_id, 1);
	cr_assert_eq(info.vmbus_vtl2.connection_id, 0x800074);

	cr_assert(info.com3.present);
	cr_assert_eq(info.com3.base, 0x3e8);
	cr_assert_eq(info.com3.baud, 115200);
	cr_assert_not(info.pl011.present || info.gic.present);
	cr_assert_str_eq(info.bootargs, "OPENHCL_SIGNAL_VTL0_STARTED=1");
	cr_assert_not(info.allocation.vtl2);
	cr_assert_eq(info.entropy.len, 16);
	cr_assert_eq(info.entropy.data[0], 0x9c);
	cr_assert(info.nvme_keep_alive);
	cr_assert(info.has_pool_pages);
	cr_assert_eq(info.pool_pages, 4096);
}

Test(example_trees, boot_x64_numa_roles)
{
	BootInfo info;
	Error err;
	size_t vtl0 = 0;

	cr_assert(boot_info_parse(
			  GUEST_ARCH_X86_64, TREE(x64_numa_roles_boot_dtb), arena, &info, &err),
		"%s", err.text);
	cr_assert(boot_info_validate(&info, arena, NULL, &err), "%s", err.text);

	cr_assert_eq(info.cpus.count, 4);
	cr_assert_eq(info.isolation, ISOLATION_NONE);
	for (size_t i = 0; i < info.map.count; i++) {
		const MapEntry *entry = &info.map.items[i];

		if (entry->type != MEMORY_TYPE_VTL0)
			continue;
		vtl0++;
		if (vtl0 == 4)
			cr_assert_eq(entry->range.end, 0x230000000, "end of VTL0's RAM");
	}
	cr_assert_eq(vtl0, 4);
	cr_assert_eq(info.config.count, 2);
	cr_assert_eq(info.pool.count, 1);
	cr_assert_eq(info.pool.items[0].range.start, 0x17000000);
	cr_assert_eq(info.pool.items[0].range.end, 0x18000000);
	assert_claim(info.mmio, 0, 0xf8000000, 0x8000000, 0, MMIO_ROLE_CHIPSET_LOW);
	assert_claim(info.mmio, 1, 0x240000000, 0x20000000, 0, MMIO_ROLE_CHIPSET_HIGH);
	assert_claim(info.mmio, 2, 0x260000000, 0x40000000, 2, MMIO_ROLE_VTL2_PRIVATE);
	cr_assert_eq(info.accepted.count, 3);
	cr_assert_eq(info.alias_map, UINT64_C(1) << 45);
	cr_assert_eq(info.times.start, 0x1f4a0);
	cr_assert_eq(info.log_buffer.start, 0x836e000);
	cr_assert_eq(info.vtl2_bus.connection_id, 0x800074);
	cr_assert_eq(info.vtl2_bus.ranges.count, 1);
	cr_assert_eq(info.vtl2_bus.ranges.items[0].start, 0x260000000);
}

Test(example_trees, nothing_is_to_be_said_against_boot_x64_numa_roles)
{
	Diagnostics found;
	BootInfo info;
	Error err;

	cr_assert(boot_info_parse(
		GUEST_ARCH_X86_64, TREE(x64_numa_roles_boot_dtb), arena, &info, &err));
	cr_assert(diagnostics_init(&found, 8, arena, &err));
	boot_info_lint(&info, arena, &found);

	cr_assert_eq(found.count, 0);
}

Test(example_trees, host_a64_by_address)
{
	const HostInfo info = host(GUEST_ARCH_AARCH64, TREE(a64_address_host_dtb));

	cr_assert_eq(info.cpus.count, 2);
	cr_assert_eq(info.cpus.items[1].reg, 1);
	cr_assert_eq(info.memory.count, 2);
	assert_memory(&info, 0, 0, 0xc0000000, 0, 0);
	assert_memory(&info, 1, 0x100000000, 0x140000000, 0, 0);
	cr_assert(info.gic.present);
	cr_assert_eq(info.gic.distributor_base, 0xffff0000);
	cr_assert_eq(info.gic.distributor_size, 0x10000);
	cr_assert_eq(info.gic.redistributor_base, 0xeff00000);
	cr_assert_eq(info.gic.redistributor_size, 0x40000);
	cr_assert_eq(info.gic.redistributor_stride, 0x20000);
	cr_assert_eq(info.gic.pmu_gsiv, 23);
	cr_assert(info.pl011.present);
	cr_assert_eq(info.pl011.base, 0xeffec000);
	cr_assert_eq(info.pl011.interrupt, 1);
	cr_assert_eq(info.pl011.baud, 115200);
	assert_claim(info.mmio, 0, 0xe0000000, 0x20000000, 0, MMIO_ROLE_UNSPECIFIED);
	assert_claim(info.mmio, 1, 0x140000000, 0x20000000, 0, MMIO_ROLE_UNSPECIFIED);
	cr_assert_eq(info.mmio.count, 2);
	cr_assert(info.allocation.vtl2);
	cr_assert_eq(info.allocation.memory_size, 0x10000000);
	cr_assert_eq(info.allocation.mmio_size, 0x8000000);
	cr_assert_eq(info.alias_map, UINT64_C(1) << 43);
	cr_assert_str_empty(info.bootargs);
	cr_assert_not(info.nvme_keep_alive || info.has_pool_pages);
}

Test(example_trees, host_x64_low_only)
{
	const HostInfo info = host(GUEST_ARCH_X86_64, TREE(x64_low_only_host_dtb));

	cr_assert_eq(info.cpus.count, 2);
	cr_assert_eq(info.memory.count, 3);
	assert_memory(&info, 0, 0, 0x8000000, 0, 0);
	assert_memory(&info, 1, 0x8000000, 0x10000000, 3, 0);
	assert_memory(&info, 2, 0x10000000, 0x80000000, 0, 0);
	cr_assert_eq(info.mmio.count, 2);
	assert_claim(info.mmio, 0, 0xf8000000, 0x8000000, 0, MMIO_ROLE_CHIPSET_LOW);
	assert_claim(info.mmio, 1, 0x100000000, 0x8000000, 2, MMIO_ROLE_VTL2_PRIVATE);
	cr_assert_str_eq(info.bootargs, "console=ttynull");
}

Test(example_trees, a_host_tree_is_no_boot_tree)
{
	BootInfo info;
	Error err = { 0 };

	/* Its memory nodes look like VTL2's; without /openhcl's properties it is no boot tree. */
	cr_assert_not(boot_info_parse(
		GUEST_ARCH_X86_64, TREE(x64_low_only_host_dtb), arena, &info, &err));
	cr_assert_str_eq(err.source, "dtb:/openhcl/isolation-type");
}
