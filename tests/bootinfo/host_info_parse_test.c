#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "bootinfo/host_info_parse.h"
#include "helpers/tree_builder.h"
#include "support/diagnostics.h"

static Arena *arena;

static void setup(void)
{
	arena = arena_new(128 << 20);
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(host_info_parse, .init = setup, .fini = teardown);

#define LOW UINT64_C(0xf8000000), UINT64_C(0xf8000000), UINT64_C(0x8000000)
#define HIGH UINT64_C(0x240000000), UINT64_C(0x240000000), UINT64_C(0x20000000)

static void add_cpu(TreeBuilder *t, const char *name, const char *status, uint32_t reg)
{
	tree_node(t, name);
	tree_string(t, "status", status);
	tree_u32(t, "reg", reg);
	tree_u32(t, "numa-node-id", 0);
	tree_end(t);
}

static void begin_cpus(TreeBuilder *t, uint32_t cells)
{
	tree_node(t, "cpus");
	tree_u32(t, "#address-cells", cells);
}

static void add_one_cpu(TreeBuilder *t)
{
	begin_cpus(t, 1);
	add_cpu(t, "cpu@1", "okay", 0);
	tree_end(t);
}

static void begin_bus(TreeBuilder *t)
{
	tree_node(t, "bus");
	tree_string(t, "compatible", "simple-bus");
	tree_empty(t, "ranges");
}

static void begin_vmbus(TreeBuilder *t, uint32_t vtl)
{
	char name[16];

	snprintf(name, sizeof(name), "vmbus%u", vtl);
	tree_node(t, name);
	tree_u32(t, "#address-cells", 2);
	tree_u32(t, "#size-cells", 2);
	tree_string(t, "compatible", "microsoft,vmbus");
	tree_u32(t, "microsoft,vtl", vtl);
	tree_u32(t, "microsoft,message-connection-id", 1 + vtl);
}

static void add_vmbus(TreeBuilder *t, uint32_t vtl)
{
	begin_vmbus(t, vtl);
	tree_end(t);
}

/* A tree that is whole but for what follows. */
static TreeBuilder begin_whole(void)
{
	TreeBuilder t = tree_begin(arena);

	add_one_cpu(&t);
	begin_bus(&t);
	add_vmbus(&t, 0);
	add_vmbus(&t, 2);
	tree_end(&t);
	return t;
}

static HostInfo parse(Bytes blob)
{
	HostInfo info;
	Error err;

	cr_assert(host_info_parse(GUEST_ARCH_X86_64, blob, arena, &info, &err), "%s (%s)",
		err.text, err.source);
	return info;
}

static void refuse(Bytes blob, uint16_t diagnostic, const char *source, const char *word)
{
	HostInfo info, before;
	Error err = { 0 };

	memset(&info, 0x5a, sizeof(info));
	before = info;
	cr_assert_not(host_info_parse(GUEST_ARCH_X86_64, blob, arena, &info, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_str_eq(err.source, source, "%s", err.source);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(memcmp(&info, &before, sizeof(info)), 0);
}

Test(host_info_parse, refuses_no_tree)
{
	const uint8_t zeros[64] = { 0 };

	refuse((Bytes){ zeros, sizeof(zeros) }, PVW_HOST_0001, "host-dtb", "first byte is 0");
	refuse((Bytes){ NULL, 0 }, PVW_HOST_0001, "host-dtb", "no bytes");
}

Test(host_info_parse, refuses_what_is_no_device_tree)
{
	const uint8_t bytes[64] = { 0xd0, 1 };

	refuse((Bytes){ bytes, sizeof(bytes) }, PVW_DT_0002, "host-dtb", "magic");
}

Test(host_info_parse, takes_the_least_that_there_must_be)
{
	TreeBuilder t = begin_whole();

	const HostInfo info = parse(tree_finish_with_cpu(&t, 5));

	cr_assert_eq(info.bsp_reg, 5);
	cr_assert_eq(info.cpus.count, 1);
	cr_assert_eq(info.memory.count + info.mmio.count, 0);
	cr_assert_str_empty(info.bootargs);
	cr_assert_not(info.allocation.vtl2);
	cr_assert_eq(info.vmbus_vtl2.connection_id, 3);
}

Test(host_info_parse, skips_processors_that_are_not_okay)
{
	TreeBuilder t = begin_whole();

	begin_cpus(&t, 1);
	add_cpu(&t, "cpu@1", "disabled", 10);
	add_cpu(&t, "cpu@2", "okay", 11);
	add_cpu(&t, "any-name", "okay", 12);
	tree_node(&t, "cpu-map");
	tree_end(&t);
	tree_end(&t);
	const HostInfo info = parse(tree_finish(&t));

	cr_assert_eq(info.cpus.count, 2);
	cr_assert_eq(info.cpus.items[0].reg, 11);
	cr_assert_eq(info.cpus.items[1].reg, 12);
}

Test(host_info_parse, refuses_processors_that_it_cannot_read)
{
	for (uint32_t cells = 0; cells <= 3; cells += 3) {
		TreeBuilder t = tree_begin(arena);

		begin_cpus(&t, cells);
		tree_end(&t);
		refuse(tree_finish(&t), PVW_HOST_0002, "host-dtb:/cpus/#address-cells",
			"expected 1 or 2");
	}

	TreeBuilder no_cells = tree_begin(arena), no_status = tree_begin(arena),
		    no_reg = tree_begin(arena), short_reg = tree_begin(arena),
		    no_node = tree_begin(arena);

	tree_node(&no_cells, "cpus");
	tree_end(&no_cells);
	refuse(tree_finish(&no_cells), PVW_DT_0011, "host-dtb:/cpus/#address-cells", "absent");

	begin_cpus(&no_status, 1);
	tree_node(&no_status, "cpu@1");
	tree_end(&no_status);
	tree_end(&no_status);
	refuse(tree_finish(&no_status), PVW_DT_0011, "host-dtb:/cpus/cpu@1/status", "absent");

	begin_cpus(&no_reg, 1);
	tree_node(&no_reg, "cpu@1");
	tree_string(&no_reg, "status", "okay");
	tree_end(&no_reg);
	tree_end(&no_reg);
	refuse(tree_finish(&no_reg), PVW_DT_0011, "host-dtb:/cpus/cpu@1/reg", "absent");

	begin_cpus(&short_reg, 2);
	add_cpu(&short_reg, "cpu@1", "okay", 1);
	tree_end(&short_reg);
	refuse(tree_finish(&short_reg), PVW_DT_0013, "host-dtb:/cpus/cpu@1/reg", "4 bytes");

	begin_cpus(&no_node, 1);
	tree_node(&no_node, "cpu@1");
	tree_string(&no_node, "status", "okay");
	tree_u32(&no_node, "reg", 1);
	tree_end(&no_node);
	tree_end(&no_node);
	refuse(tree_finish(&no_node), PVW_DT_0011, "host-dtb:/cpus/cpu@1/numa-node-id",
		"absent");
}

Test(host_info_parse, refuses_no_processor)
{
	TreeBuilder t = tree_begin(arena);

	begin_bus(&t);
	add_vmbus(&t, 0);
	add_vmbus(&t, 2);
	tree_end(&t);
	refuse(tree_finish(&t), PVW_HOST_0012, "host-dtb:/cpus", "no enabled processor");
}

Test(host_info_parse, refuses_too_many_processors)
{
	TreeBuilder t = tree_begin(arena);

	begin_cpus(&t, 1);
	for (uint32_t i = 0; i <= BOOT_INFO_MAX_CPUS; i++)
		add_cpu(&t, "c", "okay", i);
	tree_end(&t);
	refuse(tree_finish(&t), PVW_HOST_0004, "host-dtb:/cpus/c", "more than 2048 processors");
}

static void begin_memory(TreeBuilder *t)
{
	tree_node(t, "memory@0");
	tree_u32(t, "numa-node-id", 1);
}

Test(host_info_parse, reads_each_tuple_of_a_memory_node)
{
	TreeBuilder t = begin_whole();

	begin_memory(&t);
	tree_u64s(&t, "reg", 0x100000000, 0x1000, 0x8000, 0, 0x1000, 0x2000);
	tree_u32(&t, "microsoft,igvm-type", 0x10003);
	tree_end(&t);
	const HostInfo info = parse(tree_finish(&t));

	cr_assert_eq(info.memory.count, 2, "the empty one is no memory");
	cr_assert_eq(info.memory.items[0].range.start, 0x1000);
	cr_assert_eq(info.memory.items[1].range.end, 0x100001000);
	cr_assert_eq(info.memory.items[0].vnode, 1);
	cr_assert_eq(info.memory.items[0].igvm_type, 3);
}

static Bytes memory_with(const uint64_t *reg, size_t count)
{
	TreeBuilder t = begin_whole();

	begin_memory(&t);
	tree_u64_list(&t, "reg", reg, count);
	tree_end(&t);
	return tree_finish(&t);
}

#define MEMORY(...)                                                                            \
	memory_with((const uint64_t[]){ __VA_ARGS__ },                                         \
		sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

Test(host_info_parse, refuses_memory_that_it_cannot_read)
{
	TreeBuilder no_node = begin_whole(), no_reg = begin_whole(), bad_type = begin_whole(),
		    odd = begin_whole();

	refuse(MEMORY(0, 0x1000, 0x2000), PVW_DT_0013, "host-dtb:/memory@0/reg", "pairs");
	refuse(MEMORY(0x800, 0x1000), PVW_RANGE_0001, "host-dtb:/memory@0/reg", "0x800");
	refuse(MEMORY(0x1000, 0x801), PVW_RANGE_0001, "host-dtb:/memory@0/reg", "0x801");
	refuse(MEMORY(UINT64_C(0xfffffffffffff000), 0x2000), PVW_RANGE_0002,
		"host-dtb:/memory@0/reg", "2^64");
	refuse(MEMORY(0, 0x2000, 0x1000, 0x2000), PVW_HOST_0005, "host-dtb:/",
		"memory 0x0-0x2000 overlaps memory 0x1000-0x3000");
	refuse(MEMORY(0, 0x2000, 0, 0x2000), PVW_HOST_0005, "host-dtb:/", "overlaps");

	tree_node(&no_node, "memory@0");
	tree_u64s(&no_node, "reg", 0, 0x1000);
	tree_end(&no_node);
	refuse(tree_finish(&no_node), PVW_DT_0011, "host-dtb:/memory@0/numa-node-id", "absent");
	begin_memory(&no_reg);
	tree_end(&no_reg);
	refuse(tree_finish(&no_reg), PVW_DT_0011, "host-dtb:/memory@0/reg", "absent");
	begin_memory(&bad_type);
	tree_u64s(&bad_type, "reg", 0, 0x1000);
	tree_bytes(&bad_type, "microsoft,igvm-type", "\0\1", 2);
	tree_end(&bad_type);
	refuse(tree_finish(&bad_type), PVW_DT_0013, "host-dtb:/memory@0/microsoft,igvm-type",
		"2 bytes");
	begin_memory(&odd);
	tree_u32s(&odd, "reg", 0, 0, 0);
	tree_end(&odd);
	refuse(tree_finish(&odd), PVW_DT_0013, "host-dtb:/memory@0/reg", "multiple of 8");
}

Test(host_info_parse, takes_1024_memory_ranges_and_no_more)
{
	static uint64_t reg[2 * (HOST_INFO_MAX_MEMORY + 1)];

	for (size_t i = 0; i <= HOST_INFO_MAX_MEMORY; i++) {
		reg[2 * i] = 0x1000 * (HOST_INFO_MAX_MEMORY - i);
		reg[2 * i + 1] = 0x1000;
	}
	cr_assert_eq(parse(memory_with(reg, 2 * HOST_INFO_MAX_MEMORY)).memory.count,
		HOST_INFO_MAX_MEMORY);
	refuse(memory_with(reg, ARRAY_COUNT(reg)), PVW_HOST_0004, "host-dtb:/memory@0",
		"more than 1024 ranges of memory");
}

/* A whole tree whose VTL0 node has these ranges, and roles if there are any. */
static Bytes vmbus_with(
	const uint64_t *ranges, size_t count, const uint32_t *roles, size_t role_count)
{
	TreeBuilder t = tree_begin(arena);

	add_one_cpu(&t);
	begin_memory(&t);
	tree_u64s(&t, "reg", 0, 0x10000);
	tree_end(&t);
	begin_bus(&t);
	begin_vmbus(&t, 0);
	tree_u64_list(&t, "ranges", ranges, count);
	if (roles)
		tree_u32_list(&t, "openhcl,mmio-roles", roles, role_count);
	tree_end(&t);
	add_vmbus(&t, 2);
	tree_end(&t);
	return tree_finish(&t);
}

#define VMBUS(...)                                                                             \
	vmbus_with((const uint64_t[]){ __VA_ARGS__ },                                          \
		sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t), NULL, 0)

Test(host_info_parse, gives_ranges_as_claims_in_order_of_address)
{
	static const uint64_t ranges[] = { HIGH, LOW };
	static const uint32_t roles[] = { 2, 77 };
	const HostInfo info = parse(vmbus_with(ranges, 6, roles, 2));

	cr_assert_eq(info.mmio.count, 2);
	cr_assert_eq(info.mmio.items[0].start, 0xf8000000);
	cr_assert_eq(info.mmio.items[0].role, 77, "judged by the resolver");
	cr_assert_str_eq(info.mmio.items[0].place, "host-dtb:/bus/vmbus0/ranges[1]");
	cr_assert_eq(info.mmio.items[1].role, MMIO_ROLE_CHIPSET_HIGH);
}

Test(host_info_parse, keeps_empty_ranges_for_their_roles)
{
	static const uint64_t ranges[] = { LOW, FOUR_GIB, FOUR_GIB, 0 };
	static const uint32_t roles[] = { 1, 2 };
	const HostInfo info = parse(vmbus_with(ranges, 6, roles, 2));

	cr_assert_eq(info.mmio.count, 2);
	cr_assert_eq(info.mmio.items[1].len, 0);
	cr_assert_eq(info.mmio.items[1].role, MMIO_ROLE_CHIPSET_HIGH);
}

Test(host_info_parse, takes_more_than_two_ranges)
{
	uint64_t ranges[3 * (BOOT_INFO_MAX_MMIO + 1)];

	for (size_t i = 0; i <= BOOT_INFO_MAX_MMIO; i++) {
		ranges[3 * i] = ranges[3 * i + 1] = FOUR_GIB + 0x2000 * i;
		ranges[3 * i + 2] = 0x1000;
	}
	cr_assert_eq(parse(vmbus_with(ranges, 3 * BOOT_INFO_MAX_MMIO, NULL, 0)).mmio.count,
		BOOT_INFO_MAX_MMIO);
	refuse(vmbus_with(ranges, ARRAY_COUNT(ranges), NULL, 0), PVW_HOST_0004,
		"host-dtb:/bus/vmbus0", "more than 64 MMIO ranges");
}

Test(host_info_parse, needs_one_role_a_range)
{
	static const uint64_t ranges[] = { LOW, HIGH };
	static const uint32_t roles[] = { 1, 2, 3 };

	refuse(vmbus_with(ranges, 6, roles, 1), PVW_ROLE_0001,
		"host-dtb:/bus/vmbus0/openhcl,mmio-roles", "1 roles for 2 ranges");
	refuse(vmbus_with(ranges, 6, roles, 3), PVW_ROLE_0001,
		"host-dtb:/bus/vmbus0/openhcl,mmio-roles", "3 roles for 2 ranges");
	refuse(vmbus_with(ranges, 0, roles, 1), PVW_ROLE_0001,
		"host-dtb:/bus/vmbus0/openhcl,mmio-roles", "1 roles for 0 ranges");
}

Test(host_info_parse, refuses_roles_of_wrong_length)
{
	TreeBuilder t = tree_begin(arena);

	begin_bus(&t);
	begin_vmbus(&t, 0);
	tree_bytes(&t, "openhcl,mmio-roles", "\0\0\1", 3);
	tree_end(&t);
	tree_end(&t);
	refuse(tree_finish(&t), PVW_DT_0013, "host-dtb:/bus/vmbus0/openhcl,mmio-roles",
		"3 bytes");
}

Test(host_info_parse, refuses_ranges_that_are_none)
{
	const char *source = "host-dtb:/bus/vmbus0/ranges";

	refuse(VMBUS(LOW, 1), PVW_DT_0013, source, "triples");
	refuse(VMBUS(0x10000, 0x20000, 0x1000), PVW_HOST_0009, source, "child 0x10000");
	refuse(VMBUS(0x10800, 0x10800, 0x1000), PVW_ROLE_0002, source, "0x10800");
	refuse(VMBUS(0x10000, 0x10000, 0x800), PVW_ROLE_0002, source, "0x800");
	refuse(VMBUS(UINT64_C(0xfffffffffffff000), UINT64_C(0xfffffffffffff000), 0x2000),
		PVW_ROLE_0002, source, "2^64");
}

Test(host_info_parse, refuses_overlap_and_names_both)
{
	refuse(VMBUS(LOW, 0xff000000, 0xff000000, 0x1000000), PVW_ROLE_0007,
		"host-dtb:/bus/vmbus0/ranges[1]", "ranges[0]");
	refuse(VMBUS(0xf000, 0xf000, 0x2000), PVW_ROLE_0008, "host-dtb:/bus/vmbus0/ranges[0]",
		"0xf000-0x11000 overlaps memory 0x0-0x10000");
}

Test(host_info_parse, sees_overlap_between_the_levels)
{
	TreeBuilder t = tree_begin(arena);

	add_one_cpu(&t);
	begin_bus(&t);
	begin_vmbus(&t, 0);
	tree_u64s(&t, "ranges", HIGH);
	tree_end(&t);
	begin_vmbus(&t, 2);
	tree_u64s(&t, "ranges", 0x250000000, 0x250000000, 0x20000000);
	tree_end(&t);
	tree_end(&t);
	refuse(tree_finish(&t), PVW_ROLE_0007, "host-dtb:/bus/vmbus2/ranges[0]", "vmbus0");
}

Test(host_info_parse, needs_a_vmbus_node_for_each_level)
{
	for (uint32_t vtl = 0; vtl <= 2; vtl += 2) {
		TreeBuilder t = tree_begin(arena);

		add_one_cpu(&t);
		begin_bus(&t);
		add_vmbus(&t, vtl);
		tree_end(&t);
		refuse(tree_finish(&t), PVW_HOST_0008, "host-dtb:/", vtl ? "VTL0" : "VTL2");
	}
}

/* A vmbus node with one property that is odd, or none (@value UINT32_MAX). */
static Bytes odd_vmbus(const char *name, uint32_t value)
{
	static const struct {
		const char *name;
		uint32_t value;
	} rows[] = { { "#address-cells", 2 }, { "#size-cells", 2 }, { "microsoft,vtl", 0 },
		{ "microsoft,message-connection-id", 1 } };
	TreeBuilder t = tree_begin(arena);

	begin_bus(&t);
	tree_node(&t, "v");
	tree_string(&t, "compatible", "microsoft,vmbus");
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		if (strcmp(rows[i].name, name) != 0)
			tree_u32(&t, rows[i].name, rows[i].value);
		else if (value != UINT32_MAX)
			tree_u32(&t, name, value);
	}
	tree_end(&t);
	tree_end(&t);
	return tree_finish(&t);
}

Test(host_info_parse, refuses_odd_vmbus_nodes)
{
	refuse(odd_vmbus("#address-cells", 1), PVW_HOST_0002, "host-dtb:/bus/v/#address-cells",
		"1, expected 2");
	refuse(odd_vmbus("#size-cells", 3), PVW_HOST_0002, "host-dtb:/bus/v/#size-cells",
		"3, expected 2");
	refuse(odd_vmbus("microsoft,vtl", 1), PVW_HOST_0006, "host-dtb:/bus/v/microsoft,vtl",
		"1, expected 0 or 2");
	refuse(odd_vmbus("#address-cells", UINT32_MAX), PVW_DT_0011,
		"host-dtb:/bus/v/#address-cells", "absent");
	refuse(odd_vmbus("#size-cells", UINT32_MAX), PVW_DT_0011, "host-dtb:/bus/v/#size-cells",
		"absent");
	refuse(odd_vmbus("microsoft,vtl", UINT32_MAX), PVW_DT_0011,
		"host-dtb:/bus/v/microsoft,vtl", "absent");
	refuse(odd_vmbus("microsoft,message-connection-id", UINT32_MAX), PVW_DT_0011,
		"host-dtb:/bus/v/microsoft,message-connection-id", "absent");
}

Test(host_info_parse, refuses_two_vmbus_nodes_for_one_level)
{
	TreeBuilder t = tree_begin(arena);

	begin_bus(&t);
	add_vmbus(&t, 2);
	add_vmbus(&t, 2);
	tree_end(&t);
	refuse(tree_finish(&t), PVW_HOST_0007, "host-dtb:/bus/vmbus2", "second vmbus");
}

Test(host_info_parse, refuses_buses_that_translate)
{
	TreeBuilder none = tree_begin(arena), some = tree_begin(arena);

	tree_node(&none, "bus");
	tree_string(&none, "compatible", "simple-bus");
	tree_end(&none);
	refuse(tree_finish(&none), PVW_DT_0011, "host-dtb:/bus/ranges", "absent");
	tree_node(&some, "bus");
	tree_string(&some, "compatible", "simple-bus");
	tree_u64s(&some, "ranges", 0, 0, 1);
	tree_end(&some);
	refuse(tree_finish(&some), PVW_HOST_0009, "host-dtb:/bus/ranges", "24 bytes");
}

Test(host_info_parse, looks_at_the_first_compatible_string_only)
{
	TreeBuilder t = begin_whole(), bad = tree_begin(arena);

	tree_node(&t, "other-bus");
	tree_bytes(&t, "compatible", "foo\0simple-bus", 15);
	tree_node(&t, "v");
	tree_string(&t, "compatible", "microsoft,vmbus");
	tree_end(&t);
	tree_end(&t);
	parse(tree_finish(&t));

	tree_node(&bad, "other");
	tree_bytes(&bad, "compatible", "abc", 3);
	tree_end(&bad);
	refuse(tree_finish(&bad), PVW_DT_0014, "host-dtb:/other/compatible", "without a NUL");
}

Test(host_info_parse, bounds_the_command_line)
{
	char text[HOST_INFO_MAX_BOOTARGS + 2];

	memset(text, 'a', sizeof(text));
	for (size_t len = HOST_INFO_MAX_BOOTARGS; len <= HOST_INFO_MAX_BOOTARGS + 1; len++) {
		TreeBuilder t = begin_whole();

		text[len] = '\0';
		tree_node(&t, "chosen");
		tree_string(&t, "bootargs", text);
		tree_end(&t);
		if (len == HOST_INFO_MAX_BOOTARGS)
			cr_assert_str_eq(parse(tree_finish(&t)).bootargs, text);
		else
			refuse(tree_finish(&t), PVW_HOST_0010, "host-dtb:/chosen/bootargs",
				"8193 bytes");
		text[len] = 'a';
	}
}

static void add_port(TreeBuilder *t, const char *compatible, uint64_t base)
{
	tree_node(t, "serial");
	tree_string(t, "compatible", compatible);
	tree_u64s(t, "reg", base, 8);
	tree_u32(t, "current-speed", 9600);
	tree_end(t);
}

Test(host_info_parse, finds_com3_among_the_ports)
{
	TreeBuilder t = begin_whole(), without = begin_whole();

	tree_node(&t, "pio-bus");
	tree_string(&t, "compatible", "x86-pio-bus");
	add_port(&t, "ns16550", 0x3f8);
	add_port(&t, "ns16550", 0x3e8);
	tree_node(&t, "unknown");
	tree_end(&t);
	tree_end(&t);
	const HostInfo info = parse(tree_finish(&t));

	cr_assert(info.com3.present);
	cr_assert_eq(info.com3.baud, 9600);

	tree_node(&without, "pio-bus");
	tree_string(&without, "compatible", "x86-pio-bus");
	add_port(&without, "ns16550", 0x2f8);
	add_port(&without, "other", 0x3e8);
	tree_end(&without);
	cr_assert_not(parse(tree_finish(&without)).com3.present);
}

Test(host_info_parse, refuses_ports_that_it_cannot_read)
{
	TreeBuilder no_reg = tree_begin(arena), no_speed = tree_begin(arena);

	tree_node(&no_reg, "p");
	tree_string(&no_reg, "compatible", "x86-pio-bus");
	tree_node(&no_reg, "s");
	tree_string(&no_reg, "compatible", "ns16550");
	tree_u64s(&no_reg, "reg", 0x3e8);
	tree_end(&no_reg);
	tree_end(&no_reg);
	refuse(tree_finish(&no_reg), PVW_DT_0013, "host-dtb:/p/s/reg", "expected 2");

	tree_node(&no_speed, "p");
	tree_string(&no_speed, "compatible", "x86-pio-bus");
	tree_node(&no_speed, "s");
	tree_string(&no_speed, "compatible", "ns16550");
	tree_u64s(&no_speed, "reg", 0x3e8, 8);
	tree_end(&no_speed);
	tree_end(&no_speed);
	refuse(tree_finish(&no_speed), PVW_DT_0011, "host-dtb:/p/s/current-speed", "absent");
}

static void add_pl011(TreeBuilder *t, const char *name, uint64_t base, size_t cells)
{
	static const uint32_t interrupts[] = { 0, 5, 4 };

	tree_node(t, name);
	tree_string(t, "compatible", "arm,sbsa-uart");
	tree_u64s(t, "reg", base, 0x1000);
	tree_u32_list(t, "interrupts", interrupts, cells);
	tree_u32(t, "current-speed", 115200);
	tree_end(t);
}

Test(host_info_parse, takes_the_first_pl011)
{
	TreeBuilder t = begin_whole(), cut = tree_begin(arena);

	add_pl011(&t, "serial@1", 0x1effec000, 3);
	add_pl011(&t, "serial@2", 0xeffeb000, 3);
	const HostInfo info = parse(tree_finish(&t));

	cr_assert_eq(info.pl011.base, 0x1effec000);
	cr_assert_eq(info.pl011.interrupt, 5);
	add_pl011(&cut, "serial@1", 0, 1);
	refuse(tree_finish(&cut), PVW_DT_0013, "host-dtb:/serial@1/interrupts", "1 cells");
}

typedef struct GicSpec {
	const char *compatible;
	uint32_t regions, address_cells, size_cells, interrupt_cells;
	uint64_t stride, distributor, redistributors;
	size_t reg_count;
} GicSpec;

static const GicSpec good_gic = { "arm,gic-v3", 1, 2, 2, 3, 0x20000, 0x10000, 0x20000, 4 };

static Bytes gic_tree(GicSpec gic)
{
	const uint64_t reg[] = { 0xffff0000, gic.distributor, 0xeffe0000, gic.redistributors,
		0 };
	TreeBuilder t = begin_whole();

	tree_node(&t, "intc@1");
	tree_string(&t, "compatible", gic.compatible);
	tree_u32(&t, "#redistributor-regions", gic.regions);
	tree_u32(&t, "#address-cells", gic.address_cells);
	tree_u32(&t, "#size-cells", gic.size_cells);
	tree_u32(&t, "#interrupt-cells", gic.interrupt_cells);
	if (gic.stride != UINT64_MAX)
		tree_u64(&t, "redistributor-stride", gic.stride);
	tree_u64_list(&t, "reg", reg, gic.reg_count);
	tree_end(&t);
	return tree_finish(&t);
}

Test(host_info_parse, reads_the_interrupt_controller)
{
	const BootGic gic = parse(gic_tree(good_gic)).gic;

	cr_assert(gic.present);
	cr_assert_eq(gic.distributor_base, 0xffff0000);
	cr_assert_eq(gic.redistributor_base, 0xeffe0000);
	cr_assert_eq(gic.redistributor_stride, 0x20000);
	cr_assert_eq(gic.pmu_gsiv, 0);
}

Test(host_info_parse, refuses_other_interrupt_controllers)
{
	GicSpec gic = good_gic;

	gic.compatible = "arm,gic-400";
	refuse(gic_tree(gic), PVW_HOST_0003, "host-dtb:/intc@1/compatible",
		"expected \"arm,gic-v3\"");
	gic = good_gic;
	gic.regions = 2;
	refuse(gic_tree(gic), PVW_HOST_0002, "host-dtb:/intc@1/#redistributor-regions",
		"2, expected 1");
	gic = good_gic;
	gic.address_cells = 1;
	refuse(gic_tree(gic), PVW_HOST_0002, "host-dtb:/intc@1/#address-cells",
		"1, expected 2");
	gic = good_gic;
	gic.size_cells = 1;
	refuse(gic_tree(gic), PVW_HOST_0002, "host-dtb:/intc@1/#size-cells", "1, expected 2");
	gic = good_gic;
	gic.interrupt_cells = 4;
	refuse(gic_tree(gic), PVW_HOST_0002, "host-dtb:/intc@1/#interrupt-cells",
		"4, expected 3");
	gic = good_gic;
	gic.stride = UINT64_MAX;
	refuse(gic_tree(gic), PVW_DT_0011, "host-dtb:/intc@1/redistributor-stride", "absent");
	gic = good_gic;
	gic.reg_count = 3;
	refuse(gic_tree(gic), PVW_DT_0013, "host-dtb:/intc@1/reg", "expected 4");
}

Test(host_info_parse, refuses_interrupt_controllers_of_unknown_size)
{
	GicSpec gic = good_gic;

	gic.distributor = 0x20000;
	refuse(gic_tree(gic), PVW_HOST_0013, "host-dtb:/intc", "distributor 0x20000");
	gic = good_gic;
	gic.redistributors = 0x40000;
	refuse(gic_tree(gic), PVW_HOST_0013, "host-dtb:/intc", "redistributors 0x40000");
	gic = good_gic;
	gic.stride = 0x40000;
	refuse(gic_tree(gic), PVW_HOST_0013, "host-dtb:/intc", "stride 0x40000");
}

Test(host_info_parse, reads_the_pmu)
{
	static const struct {
		uint32_t type, index;
		size_t cells;
		uint16_t diagnostic;
	} rows[] = { { 1, 15, 3, PVW_NONE }, { 0, 7, 3, PVW_DT_0021 },
		{ 1, 16, 3, PVW_DT_0021 }, { 1, 7, 2, PVW_DT_0013 } };

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const uint32_t interrupts[] = { rows[i].type, rows[i].index, 4 };
		TreeBuilder t = begin_whole();

		tree_node(&t, "pmu");
		tree_string(&t, "compatible", "arm,armv8-pmuv3");
		tree_u32_list(&t, "interrupts", interrupts, rows[i].cells);
		tree_end(&t);
		if (rows[i].diagnostic == PVW_NONE)
			cr_assert_eq(parse(tree_finish(&t)).gic.pmu_gsiv, 31);
		else
			refuse(tree_finish(&t), rows[i].diagnostic, "host-dtb:/pmu/interrupts",
				"expected");
	}
}

Test(host_info_parse, reads_what_the_host_wishes)
{
	TreeBuilder t = begin_whole();
	uint8_t seed[300];

	memset(seed, 0x77, sizeof(seed));
	tree_node(&t, "openhcl");
	tree_string(&t, "memory-allocation-mode", "vtl2");
	tree_u64(&t, "memory-size", 100);
	tree_u64(&t, "mmio-size", 200);
	tree_u64(&t, "vtl0-alias-map", 300);
	tree_node(&t, "entropy");
	tree_bytes(&t, "reg", seed, sizeof(seed));
	tree_end(&t);
	tree_node(&t, "keep-alive");
	tree_string(&t, "device-types", "other");
	tree_end(&t);
	tree_node(&t, "device-dma");
	tree_u64(&t, "total-pages", 0);
	tree_end(&t);
	tree_node(&t, "unknown");
	tree_end(&t);
	tree_end(&t);
	const HostInfo info = parse(tree_finish(&t));

	cr_assert(info.allocation.vtl2 && info.allocation.has_memory_size &&
		info.allocation.has_mmio_size && info.has_alias_map);
	cr_assert_eq(info.allocation.memory_size, 100);
	cr_assert_eq(info.allocation.mmio_size, 200);
	cr_assert_eq(info.alias_map, 300);
	cr_assert_eq(info.entropy.len, HOST_INFO_MAX_ENTROPY);
	cr_assert_not(info.nvme_keep_alive);
	cr_assert_not(info.has_pool_pages, "0 is no hint");
}

Test(host_info_parse, refuses_wishes_that_it_cannot_read)
{
	TreeBuilder no_mode = tree_begin(arena), bad_mode = tree_begin(arena),
		    entropy = tree_begin(arena), keep = tree_begin(arena),
		    pages = tree_begin(arena), size = tree_begin(arena);

	tree_node(&no_mode, "openhcl");
	tree_end(&no_mode);
	refuse(tree_finish(&no_mode), PVW_DT_0011, "host-dtb:/openhcl/memory-allocation-mode",
		"absent");
	tree_node(&bad_mode, "openhcl");
	tree_string(&bad_mode, "memory-allocation-mode", "guest");
	tree_end(&bad_mode);
	refuse(tree_finish(&bad_mode), PVW_HOST_0011,
		"host-dtb:/openhcl/memory-allocation-mode", "\"guest\", expected");
	tree_node(&size, "openhcl");
	tree_string(&size, "memory-allocation-mode", "vtl2");
	tree_u32(&size, "mmio-size", 1);
	tree_end(&size);
	refuse(tree_finish(&size), PVW_DT_0013, "host-dtb:/openhcl/mmio-size", "4 bytes");

	tree_node(&entropy, "openhcl");
	tree_string(&entropy, "memory-allocation-mode", "host");
	tree_node(&entropy, "entropy");
	tree_end(&entropy);
	tree_end(&entropy);
	refuse(tree_finish(&entropy), PVW_DT_0011, "host-dtb:/openhcl/entropy/reg", "bytes");
	tree_node(&keep, "openhcl");
	tree_string(&keep, "memory-allocation-mode", "host");
	tree_node(&keep, "keep-alive");
	tree_bytes(&keep, "device-types", "nvme", 4);
	tree_end(&keep);
	tree_end(&keep);
	refuse(tree_finish(&keep), PVW_DT_0014, "host-dtb:/openhcl/keep-alive/device-types",
		"NUL");
	tree_node(&pages, "openhcl");
	tree_string(&pages, "memory-allocation-mode", "host");
	tree_node(&pages, "device-dma");
	tree_u32(&pages, "total-pages", 1);
	tree_end(&pages);
	tree_end(&pages);
	refuse(tree_finish(&pages), PVW_DT_0013, "host-dtb:/openhcl/device-dma/total-pages",
		"multiple of 8");
}

Test(host_info_parse, asks_nothing_of_compatible_where_the_name_decides)
{
	TreeBuilder t = begin_whole();

	tree_node(&t, "chosen");
	tree_bytes(&t, "compatible", "no end", 6);
	tree_string(&t, "bootargs", "quiet");
	tree_end(&t);

	cr_assert_str_eq(parse(tree_finish(&t)).bootargs, "quiet");
}

Test(host_info_parse, refuses_a_compatible_without_end_where_it_decides)
{
	TreeBuilder t = begin_whole();

	tree_node(&t, "other");
	tree_bytes(&t, "compatible", "no end", 6);
	tree_end(&t);

	refuse(tree_finish(&t), PVW_DT_0014, "host-dtb:/other/compatible", "without a NUL");
}
