#include <criterion/criterion.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "bootinfo/host_info_parse.h"
#include "bootinfo/host_info_write.h"
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

TestSuite(host_info_write, .init = setup, .fini = teardown, .timeout = 600);

static void expect_same_lists(const HostInfo *a, const HostInfo *b)
{
	cr_assert_eq(a->cpus.count, b->cpus.count);
	for (size_t i = 0; i < a->cpus.count; i++) {
		cr_assert_eq(a->cpus.items[i].reg, b->cpus.items[i].reg);
		cr_assert_eq(a->cpus.items[i].vnode, b->cpus.items[i].vnode);
	}
	cr_assert_eq(a->memory.count, b->memory.count);
	for (size_t i = 0; i < a->memory.count; i++) {
		const HostMemory *x = &a->memory.items[i], *y = &b->memory.items[i];

		cr_assert(memory_range_equal(x->range, y->range));
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
	}
}

static void expect_same_serial(const HostSerial *a, const HostSerial *b)
{
	cr_assert_eq(a->present, b->present);
	cr_assert_eq(a->base, b->base);
	cr_assert_eq(a->interrupt, b->interrupt);
	cr_assert_eq(a->baud, b->baud);
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
}

static void expect_same(const HostInfo *a, const HostInfo *b)
{
	cr_assert_eq(a->bsp_reg, b->bsp_reg);
	expect_same_lists(a, b);
	cr_assert_eq(a->vmbus_vtl0.connection_id, b->vmbus_vtl0.connection_id);
	cr_assert_eq(a->vmbus_vtl2.connection_id, b->vmbus_vtl2.connection_id);
	cr_assert_str_eq(a->bootargs, b->bootargs);
	expect_same_serial(&a->com3, &b->com3);
	expect_same_serial(&a->pl011, &b->pl011);
	expect_same_gic(&a->gic, &b->gic);
	cr_assert_eq(a->allocation.vtl2, b->allocation.vtl2);
	cr_assert_eq(a->allocation.has_memory_size, b->allocation.has_memory_size);
	cr_assert_eq(a->allocation.has_mmio_size, b->allocation.has_mmio_size);
	cr_assert_eq(a->allocation.memory_size, b->allocation.memory_size);
	cr_assert_eq(a->allocation.mmio_size, b->allocation.mmio_size);
	cr_assert_eq(a->has_alias_map, b->has_alias_map);
	cr_assert_eq(a->alias_map, b->alias_map);
	cr_assert_eq(a->entropy.len, b->entropy.len);
	cr_assert(a->entropy.len == 0 ||
		memcmp(a->entropy.data, b->entropy.data, a->entropy.len) == 0);
	cr_assert_eq(a->nvme_keep_alive, b->nvme_keep_alive);
	cr_assert_eq(a->has_pool_pages, b->has_pool_pages);
	cr_assert_eq(a->pool_pages, b->pool_pages);
}

static size_t runs(void)
{
	const char *factor = getenv("PVW_TEST_RUNS");

	return RUNS * (factor ? strtoul(factor, NULL, 10) : 1);
}

Test(host_info_write, is_read_as_it_was_said)
{
	uint64_t state = 20260823;

	for (size_t i = 0, count = runs(); i < count; i++) {
		const HostInfo info = random_host_info(&state, arena);
		HostInfo read;
		Bytes tree;

		cr_assert(
			host_info_write(&info, arena, &tree, &err), "run %zu: %s", i, err.text);
		cr_assert_eq(fdt_check_full(tree.data, tree.len), 0, "run %zu", i);
		cr_assert(host_info_parse(info.arch, tree, arena, &read, &err), "run %zu: %s",
			i, err.text);
		expect_same(&info, &read);
		arena_reset(arena);
	}
}

/* The least that can be written, for the branches. */
static const BootCpu one_cpu[] = { { 0, 0 } };
static const HostInfo least = {
	.cpus = { one_cpu, 1 },
	.vmbus_vtl0 = { true, 1 },
	.vmbus_vtl2 = { true, 4 },
	.bootargs = "",
};

static void expect_refused(const HostInfo *info, uint16_t diagnostic, const char *word)
{
	Bytes tree = { NULL, 1234 };

	cr_assert_not(host_info_write(info, arena, &tree, &err));
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

/* Readers that go by place would take nothing at 0 for the low window. */
Test(host_info_write, leaves_out_ranges_that_are_not_there)
{
	static const MmioClaim claims[] = {
		{ 0, 0, 0, MMIO_ROLE_UNSPECIFIED, NULL },
		{ 0xf8000000, 0x8000000, 0, MMIO_ROLE_CHIPSET_LOW, NULL },
		{ UINT64_C(0x100000000), 0, 0, MMIO_ROLE_CHIPSET_HIGH, NULL },
		{ UINT64_C(0x200000000), 0x1000, 2, MMIO_ROLE_UNSPECIFIED, NULL },
	};
	HostInfo info = least;
	Bytes tree;
	int len;

	info.mmio = (MmioClaimList){ claims, ARRAY_COUNT(claims) };
	cr_assert(host_info_write(&info, arena, &tree, &err), "%s", err.text);

	const uint8_t *ranges = property(tree, "/bus/vmbus-vtl0@f8000000", "ranges", &len);
	cr_assert_eq(len, 48);
	cr_assert_eq(fdt64_ld((const void *)ranges), 0xf8000000);
	const uint8_t *roles =
		property(tree, "/bus/vmbus-vtl0@f8000000", "openhcl,mmio-roles", &len);
	cr_assert_eq(len, 8);
	cr_assert_eq(fdt32_ld((const void *)(roles + 4)), MMIO_ROLE_CHIPSET_HIGH);
	cr_assert_null(property(tree, "/bus/vmbus-vtl2@200000000", "openhcl,mmio-roles", &len));
}

/* A port has 64 bit values, and a bus above it that says so. */
Test(host_info_write, says_the_cells_of_ports)
{
	HostInfo info = least;
	Bytes tree;
	int len;

	info.com3 = (HostSerial){ true, 0x3e8, 0, 115200 };
	cr_assert(host_info_write(&info, arena, &tree, &err), "%s", err.text);

	cr_assert_eq(fdt_address_cells(tree.data, fdt_path_offset(tree.data, "/pio-bus")), 2);
	cr_assert_eq(fdt_size_cells(tree.data, fdt_path_offset(tree.data, "/pio-bus")), 2);
	const uint8_t *reg = property(tree, "/pio-bus/serial@3e8", "reg", &len);
	cr_assert_eq(len, 16);
	cr_assert_eq(fdt64_ld((const void *)reg), 0x3e8);
}

Test(host_info_write, refuses_what_no_shim_could_start_from)
{
	HostInfo info = least;

	info.cpus.count = 0;
	expect_refused(&info, PVW_TREE_0009, "no processor");
	info = least;
	info.vmbus_vtl0.present = false;
	expect_refused(&info, PVW_TREE_0009, "VTL0");
	info = least;
	info.vmbus_vtl2.present = false;
	expect_refused(&info, PVW_TREE_0009, "VTL2");
}

Test(host_info_write, refuses_what_its_reader_does_not_take)
{
	HostInfo info = least;

	info.cpus.count = BOOT_INFO_MAX_CPUS + 1;
	expect_refused(&info, PVW_HOST_0004, "processors");
	info = least;
	info.memory.count = HOST_INFO_MAX_MEMORY + 1;
	expect_refused(&info, PVW_HOST_0004, "memory");
	info = least;
	info.mmio.count = BOOT_INFO_MAX_MMIO + 1;
	expect_refused(&info, PVW_HOST_0004, "MMIO");
	info = least;
	info.entropy.len = HOST_INFO_MAX_ENTROPY + 1;
	expect_refused(&info, PVW_HOST_0004, "entropy");
	info = least;
	char *line = arena_alloc(arena, HOST_INFO_MAX_BOOTARGS + 2, 1, &err);
	memset(line, 'x', HOST_INFO_MAX_BOOTARGS + 1);
	info.bootargs = line;
	expect_refused(&info, PVW_HOST_0004, "command line");
}

Test(host_info_write, refuses_what_the_tree_has_no_words_for)
{
	static const BootCpu far[] = { { UINT64_C(1) << 32, 0 } };
	static const MmioClaim bad[] = { { 0x1000, 0x1000, 1, 0, NULL },
		{ 0x1000, 0x800, 0, 0, NULL }, { UINT64_MAX - 0xfff, 0x1000, 2, 0, NULL } };
	HostInfo info = least;

	info.cpus.items = far;
	expect_refused(&info, PVW_TREE_0005, "0x100000000");
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		info = least;
		info.mmio = (MmioClaimList){ &bad[i], 1 };
		expect_refused(&info, PVW_TREE_0005, "MMIO");
	}
	info = least;
	info.com3 = (HostSerial){ true, 0x3f8, 0, 9600 };
	expect_refused(&info, PVW_TREE_0005, "0x3f8");
	info = least;
	info.pl011 = (HostSerial){ true, UINT64_C(1) << 32, 1, 9600 };
	expect_refused(&info, PVW_TREE_0005, "below 4 GiB");
	info = least;
	info.gic.pmu_gsiv = 40;
	expect_refused(&info, PVW_TREE_0007, "pmu");
	info.gic = (BootGic){ .present = true };
	expect_refused(&info, PVW_TREE_0006, "distributor");
}
