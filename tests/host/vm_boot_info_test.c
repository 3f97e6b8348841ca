#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootinfo/boot_info_check.h"
#include "bootinfo/boot_info_parse.h"
#include "bootinfo/boot_map.h"
#include "bootinfo/host_info_parse.h"
#include "bootinfo/host_info_write.h"
#include "host/vm_boot_info.h"
#include "host/vm_machine.h"
#include "layout/chipset_mmio.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define RUNS 4000

static Arena *arena;
static Error err;

static void setup(void)
{
	arena = arena_new(VM_ARENA_LIMIT);
	err = (Error){ 0 };
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(vm_boot_info, .init = setup, .fini = teardown, .timeout = 600);

static Vm describe(const char *json)
{
	Vm vm;

	cr_assert(
		vm_read((Bytes){ (const uint8_t *)json, strlen(json) }, "vm", arena, &vm, &err),
		"%s", err.text);
	return vm;
}

static Vm describe_arch(GuestArch arch)
{
	return describe(arch == GUEST_ARCH_X86_64
			? "{\"schema\":\"pvw.vm/1\",\"arch\":\"x86_64\",\"memory\":\"2GiB\","
			  "\"processors\":{\"count\":3},"
			  "\"vtl2\":{\"memory\":\"256MiB\",\"chipset\":\"128MiB\"}}"
			: "{\"schema\":\"pvw.vm/1\",\"arch\":\"aarch64\",\"memory\":\"2GiB\","
			  "\"processors\":{\"count\":3},"
			  "\"vtl2\":{\"memory\":\"256MiB\",\"chipset\":\"128MiB\"}}");
}

/* A machine that has its addresses, and what its trees say when they are read. */
typedef struct Machine {
	ResolvedLayout layout;
	ProcessorTopology topology;
	BootInfo boot;
	HostInfo host;
} Machine;

static void pass_boot_tree(const Vm *vm, Machine *m)
{
	BootInfo said;
	Bytes tree;

	cr_assert(
		vm_boot_info(vm, &m->layout, &m->topology, arena, &said, &err), "%s", err.text);
	cr_assert(boot_info_write(&said, NULL, arena, &tree, &err), "%s", err.text);
	cr_assert(
		boot_info_parse(vm->layout.arch, tree, arena, &m->boot, &err), "%s", err.text);
	cr_assert(boot_info_validate(&m->boot, arena, NULL, &err), "%s", err.text);
}

static void pass_host_tree(const Vm *vm, Machine *m)
{
	HostInfo said;
	Bytes tree;

	cr_assert(
		vm_host_info(vm, &m->layout, &m->topology, arena, &said, &err), "%s", err.text);
	cr_assert(host_info_write(&said, arena, &tree, &err), "%s", err.text);
	cr_assert(
		host_info_parse(vm->layout.arch, tree, arena, &m->host, &err), "%s", err.text);
}

static void expect_window(MemoryRange found, RoleSource source, MemoryRange expected)
{
	cr_assert(memory_range_equal(found, expected), RANGE_FORMAT ", expected " RANGE_FORMAT,
		RANGE_ARGS(found), RANGE_ARGS(expected));
	cr_assert_eq(source,
		memory_range_is_empty(expected) ? ROLE_SOURCE_NONE : ROLE_SOURCE_DECLARED);
}

static void expect_roles(MmioClaimList claims, MapEntryList map, const ResolvedLayout *layout)
{
	ChipsetMmioRanges mmio;

	cr_assert(chipset_mmio_resolve(claims, map, arena, &mmio, &err), "%s", err.text);
	expect_window(mmio.low, mmio.low_source, layout->chipset_low);
	expect_window(mmio.high, mmio.high_source, layout->chipset_high);
	cr_assert_eq(mmio.vtl2.count, !memory_range_is_empty(layout->vtl2_chipset));
	if (mmio.vtl2.count)
		cr_assert(memory_range_equal(mmio.vtl2.items[0], layout->vtl2_chipset));
	cr_assert_eq(mmio.reserved.count, 0);
}

/* VTL0 has what the layout calls RAM, VTL2 all of its own. */
static void expect_memory(const Machine *m)
{
	uint64_t vtl2 = 0;
	size_t vtl0 = 0;

	for (size_t i = 0; i < m->boot.map.count; i++) {
		const MapEntry *entry = &m->boot.map.items[i];

		if (entry->type == MEMORY_TYPE_VTL0) {
			cr_assert(memory_range_equal(
				entry->range, m->layout.ram.items[vtl0].range));
			cr_assert_eq(entry->vnode, m->layout.ram.items[vtl0++].vnode);
		} else {
			cr_assert(memory_range_contains(m->layout.vtl2, entry->range));
			vtl2 += memory_range_len(entry->range);
		}
	}
	cr_assert_eq(vtl0, m->layout.ram.count);
	cr_assert_eq(vtl2, memory_range_len(m->layout.vtl2));
	cr_assert_eq(m->host.memory.count, m->layout.ram.count + 1);
}

/* Configuration -> layout -> trees -> parser -> roles: what went in comes out. */
static bool circle(const Vm *vm, Machine *m)
{
	MapEntryList map;

	if (!vm_resolve(vm, arena, &m->layout, &err))
		return false;
	cr_assert(vm_topology(vm, arena, &m->topology, &err), "%s", err.text);
	pass_boot_tree(vm, m);
	pass_host_tree(vm, m);
	expect_roles(m->boot.mmio, m->boot.map, &m->layout);
	cr_assert(
		boot_map_compose(m->host.memory, (Vtl2UseList){ NULL, 0 }, arena, &map, &err));
	expect_roles(m->host.mmio, map, &m->layout);
	expect_memory(m);
	cr_assert_eq(m->boot.cpus.count, m->topology.count);
	return true;
}

static uint64_t draw(uint64_t *state, uint64_t below)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (*state >> 33) % below;
}

#define MAX_NODES 6

static void draw_shape(uint64_t *state, Vm *vm, uint64_t sizes[MAX_NODES])
{
	LayoutShape *shape = &vm->layout;

	shape->version = draw(state, 2) ? LAYOUT_VERSION_REFERENCE : 2;
	shape->node_count = 1 + draw(state, MAX_NODES);
	for (size_t i = 0; i < shape->node_count; i++)
		sizes[i] = 2 * MIB * (1 + draw(state, draw(state, 2) ? 512 : 65536));
	sizes[0] += 64 * MIB;
	shape->node_sizes = sizes;
	shape->chipset_low_size = 2 * MIB * (16 + draw(state, 200));
	shape->chipset_high_size = 2 * MIB * draw(state, 2000);
	shape->vtl2_chipset_size = draw(state, 4) ? 2 * MIB * draw(state, 1000) : 0;
	shape->vtl2_size = 2 * MIB * (1 + draw(state, 512));
	shape->vtl2_align = UINT64_C(1) << (12 + draw(state, 20));
	vm->isolation = (IsolationType)(int)draw(state, ISOLATION_COUNT);
	vm->vtl2_redirection = draw(state, 2);
	vm->processors.count = 1 + (uint32_t)draw(state, 20);
}

Test(vm_boot_info, closes_the_circle_for_random_machines)
{
	const char *factor = getenv("PVW_TEST_RUNS");
	const size_t count = RUNS * (factor ? strtoul(factor, NULL, 10) : 1);
	size_t laid_out = 0;
	uint64_t state = 20260824;

	for (size_t i = 0; i < count; i++) {
		Vm vm = describe_arch((GuestArch)(int)(i % GUEST_ARCH_COUNT));
		uint64_t sizes[MAX_NODES];
		Machine m;

		draw_shape(&state, &vm, sizes);
		laid_out += circle(&vm, &m);
		arena_reset(arena);
	}
	cr_assert_gt(laid_out, count * 9 / 10, "%zu of %zu", laid_out, count);
}

/* Shapes of which the reference's own addresses are known: layouts of version 1. */
Test(vm_boot_info, gives_the_windows_of_the_reference)
{
	Vm vm = describe("{\"schema\":\"pvw.vm/1\",\"arch\":\"x86_64\",\"memory\":\"8GiB\","
			 "\"layout\":{\"version\":1,\"address_bits\":46},"
			 "\"vtl2\":{\"memory\":\"512MiB\",\"chipset\":\"1GiB\"}}");
	Machine m;

	cr_assert(circle(&vm, &m), "%s", err.text);
	cr_assert(memory_range_equal(
		m.layout.chipset_low, (MemoryRange){ UINT64_C(0xf8000000), 4 * GIB }));
	cr_assert_eq(m.boot.mmio.items[0].role, MMIO_ROLE_CHIPSET_LOW);
	cr_assert_eq(m.boot.mmio.items[1].role, MMIO_ROLE_CHIPSET_HIGH);
	cr_assert_eq(m.boot.mmio.items[2].role, MMIO_ROLE_VTL2_PRIVATE);
}

Test(vm_boot_info, says_what_redirection_and_isolation_change)
{
	Vm vm = describe_arch(GUEST_ARCH_X86_64);
	Machine m;

	cr_assert(circle(&vm, &m));
	cr_assert_eq(m.boot.vtl2_bus.connection_id, 4);
	cr_assert_eq(m.host.vmbus_vtl0.connection_id, 1);
	cr_assert_eq(m.boot.pool.count, 1);
	cr_assert_eq(m.boot.accepted.count, 0);

	vm.vtl2_redirection = true;
	vm.isolation = ISOLATION_SNP;
	cr_assert(circle(&vm, &m));
	cr_assert_eq(m.boot.vtl2_bus.connection_id, 0x800074);
	cr_assert_eq(m.host.vmbus_vtl2.connection_id, 0x800074);
	cr_assert_eq(m.boot.isolation, ISOLATION_SNP);
	cr_assert_eq(m.boot.pool.count, 0);
	cr_assert_eq(m.boot.accepted.count, 1);
	cr_assert(memory_range_equal(m.boot.accepted.items[0], m.layout.vtl2));
}

Test(vm_boot_info, puts_vtl2s_memory_to_every_use_that_it_must_have)
{
	const Vm vm = describe_arch(GUEST_ARCH_X86_64);
	uint64_t start;
	Machine m;

	cr_assert(circle(&vm, &m));
	start = m.layout.vtl2.start;
	cr_assert_eq(m.boot.persisted_header.start, start);
	cr_assert_eq(memory_range_len(m.boot.persisted_protobuf), 19 * PAGE_SIZE);
	cr_assert_eq(m.boot.config.count, 2);
	cr_assert_eq(
		m.boot.config.items[1].start - m.boot.config.items[0].start, 104 * PAGE_SIZE);
	cr_assert_eq(memory_range_len(m.boot.reserved), 4 * PAGE_SIZE);
	cr_assert_eq(memory_range_len(m.boot.log_buffer), PAGE_SIZE);
	cr_assert_eq(m.boot.pool.items[0].range.end, m.layout.vtl2.end);
}

Test(vm_boot_info, numbers_processors_as_the_topology_does)
{
	const Vm x86 = describe_arch(GUEST_ARCH_X86_64);
	const Vm arm = describe_arch(GUEST_ARCH_AARCH64);
	Machine m;

	cr_assert(circle(&x86, &m));
	cr_assert_eq(m.boot.cpus.items[2].reg, m.topology.vps[2].apic_id);
	cr_assert_not(m.boot.gic.present);

	cr_assert(circle(&arm, &m));
	cr_assert_eq(m.boot.cpus.items[2].reg, 2);
	cr_assert_eq(m.boot.gic.distributor_base, arm.arm.gic_distributor);
	cr_assert_eq(m.host.gic.redistributor_size, 3 * UINT64_C(0x20000));
	cr_assert_eq(m.host.gic.pmu_gsiv, arm.arm.pmu_gsiv);
}

static void expect_refused(const Vm *vm, uint16_t diagnostic, const char *word)
{
	ResolvedLayout layout;
	ProcessorTopology topology;
	BootInfo boot;

	cr_assert(vm_resolve(vm, arena, &layout, &err), "%s", err.text);
	cr_assert(vm_topology(vm, arena, &topology, &err), "%s", err.text);
	cr_assert_not(vm_boot_info(vm, &layout, &topology, arena, &boot, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert(strstr(err.text, word), "%s", err.text);
}

Test(vm_boot_info, refuses_machines_that_have_no_such_trees)
{
	Vm vm = describe_arch(GUEST_ARCH_X86_64);

	vm.layout.has_vtl2 = false;
	vm.layout.vtl2_size = vm.layout.vtl2_chipset_size = 0;
	expect_refused(&vm, PVW_TREE_0010, "VTL2");
	vm = describe_arch(GUEST_ARCH_X86_64);
	vm.layout.vtl2_size = 387 * PAGE_SIZE;
	expect_refused(&vm, PVW_TREE_0011, "expected more");
	vm.layout.vtl2_size = 388 * PAGE_SIZE;
	cr_assert(circle(&vm, &(Machine){ 0 }));
	vm = describe_arch(GUEST_ARCH_AARCH64);
	vm.arm.gic_v2 = true;
	expect_refused(&vm, PVW_TREE_0005, "GICv2");
}

/* The reader takes a tree of 256 KiB at most; aarch64 describes a processor with more bytes. */
Test(vm_boot_info, says_what_makes_a_tree_too_large)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	Machine m;
	Bytes tree = { NULL, 42 };
	Vm vm;

	fputs("{\"schema\":\"pvw.vm/"
	      "1\",\"arch\":\"aarch64\",\"memory\":\"2GiB\",\"vtl2\":{\"memory\":"
	      "\"256MiB\"},\"processors\":{\"list\":[",
		out);
	for (unsigned i = 0; i < VM_MAX_PROCESSORS; i++)
		fprintf(out, "%s{\"mpidr\":%u}", i ? "," : "", i % 16 | i / 16 << 8);
	fputs("]}}", out);
	fclose(out);
	vm = describe(text);
	free(text);
	cr_assert(vm_resolve(&vm, arena, &m.layout, &err), "%s", err.text);
	cr_assert(vm_topology(&vm, arena, &m.topology, &err), "%s", err.text);
	cr_assert(vm_boot_info(&vm, &m.layout, &m.topology, arena, &m.boot, &err));

	cr_expect_not(boot_info_write(&m.boot, NULL, arena, &tree, &err));
	cr_expect_eq(err.diagnostic, PVW_TREE_0001);
	cr_expect_not_null(strstr(err.text, "2048 processors"), "%s", err.text);
	cr_expect_not_null(strstr(err.text, "262144"), "%s", err.text);
	cr_expect_eq(tree.len, 42);
	pass_host_tree(&vm, &m);
}
