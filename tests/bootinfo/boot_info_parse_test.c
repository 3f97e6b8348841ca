#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "bootinfo/boot_info_parse.h"
#include "helpers/tree_builder.h"
#include "support/diagnostics.h"

static Arena *arena;

static void setup(void)
{
	arena = arena_new(64 << 20);
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(boot_info_parse, .init = setup, .fini = teardown);

static void add_cpu(TreeBuilder *t, const char *name, uint32_t reg)
{
	tree_node(t, name);
	tree_u32(t, "reg", reg);
	tree_u32(t, "numa-node-id", 0);
	tree_end(t);
}

static void add_cpus(TreeBuilder *t)
{
	tree_node(t, "cpus");
	tree_u32(t, "#address-cells", 1);
	add_cpu(t, "cpu@1", 0);
	tree_end(t);
}

static void add_ram(TreeBuilder *t, uint64_t start, uint64_t len, uint32_t type)
{
	char name[32];

	snprintf(name, sizeof(name), "memory@%llx", (unsigned long long)start);
	tree_node(t, name);
	tree_u64s(t, "reg", start, len);
	tree_u32(t, "numa-node-id", type);
	tree_u32(t, "microsoft,igvm-type", 3);
	tree_u32(t, "openhcl,memory-type", type);
	tree_end(t);
}

static void add_mmio(TreeBuilder *t, uint64_t start, uint64_t len, uint32_t type)
{
	char name[32];

	snprintf(name, sizeof(name), "memory@%llx", (unsigned long long)start);
	tree_node(t, name);
	tree_u64s(t, "reg", start, len);
	tree_u32(t, "openhcl,memory-type", type);
	tree_end(t);
}

/* /openhcl, left open, with what it must have. */
static void begin_openhcl(TreeBuilder *t)
{
	tree_node(t, "openhcl");
	tree_string(t, "isolation-type", "none");
	tree_string(t, "memory-allocation-mode", "host");
	add_ram(t, 0x20000, 0x1000, MEMORY_TYPE_VTL2_PERSISTED_HEADER);
	add_ram(t, 0x21000, 0x1000, MEMORY_TYPE_VTL2_PERSISTED_PROTOBUF);
}

static BootInfo parse(Bytes blob)
{
	BootInfo info;
	Error err;

	cr_assert(boot_info_parse(GUEST_ARCH_X86_64, blob, arena, &info, &err), "%s (%s)",
		err.text, err.source);
	return info;
}

static Error refuse(Bytes blob, uint16_t diagnostic, const char *source, const char *word)
{
	BootInfo info, before;
	Error err = { 0 };

	memset(&info, 0x5a, sizeof(info));
	before = info;
	cr_assert_not(boot_info_parse(GUEST_ARCH_X86_64, blob, arena, &info, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_str_eq(err.source, source);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert(err.has_offset);
	cr_assert_eq(memcmp(&info, &before, sizeof(info)), 0);
	return err;
}

Test(boot_info_parse, takes_a_tree_that_says_nothing)
{
	TreeBuilder t = tree_begin(arena);

	const BootInfo info = parse(tree_finish_with_cpu(&t, 3));

	cr_assert_eq(info.bsp_reg, 3);
	cr_assert_not(info.has_openhcl);
	cr_assert_eq(info.cpus.count + info.map.count + info.mmio.count + info.config.count, 0);
	cr_assert_eq(info.isolation, ISOLATION_NONE);
	cr_assert_not(info.allocation.vtl2 || info.gic.present || info.times.has_start);
}

Test(boot_info_parse, carries_the_architecture)
{
	TreeBuilder t = tree_begin(arena);
	BootInfo info;
	Error err;

	cr_assert(boot_info_parse(GUEST_ARCH_AARCH64, tree_finish(&t), arena, &info, &err));

	cr_assert_eq(info.arch, GUEST_ARCH_AARCH64);
}

Test(boot_info_parse, counts_every_child_of_cpus)
{
	TreeBuilder t = tree_begin(arena);

	tree_node(&t, "cpus");
	tree_u32(&t, "#address-cells", 2);
	tree_node(&t, "anything");
	tree_u64(&t, "reg", 0x123456789a);
	tree_u32(&t, "numa-node-id", 4);
	tree_string(&t, "status", "disabled");
	tree_end(&t);
	tree_end(&t);
	const BootInfo info = parse(tree_finish(&t));

	cr_assert_eq(info.cpus.count, 1);
	cr_assert_eq(info.cpus.items[0].reg, 0x123456789a);
	cr_assert_eq(info.cpus.items[0].vnode, 4);
}

Test(boot_info_parse, lets_the_second_of_a_kind_replace_the_first)
{
	TreeBuilder t = tree_begin(arena);

	add_cpus(&t);
	tree_node(&t, "cpus");
	tree_u32(&t, "#address-cells", 1);
	add_cpu(&t, "cpu@1", 8);
	add_cpu(&t, "cpu@2", 9);
	tree_end(&t);
	begin_openhcl(&t);
	add_ram(&t, 0, 0x1000, MEMORY_TYPE_VTL0);
	add_ram(&t, 0x5000, 0x1000, MEMORY_TYPE_VTL2_RESERVED);
	add_ram(&t, 0x6000, 0x1000, MEMORY_TYPE_VTL2_LOG_BUFFER);
	tree_end(&t);
	begin_openhcl(&t);
	tree_end(&t);
	const BootInfo info = parse(tree_finish(&t));

	cr_assert_eq(info.cpus.count, 2);
	cr_assert_eq(info.cpus.items[0].reg, 8);
	cr_assert_eq(info.map.count, 2);
	cr_assert(memory_range_is_empty(info.reserved));
	cr_assert(memory_range_is_empty(info.log_buffer));
}

Test(boot_info_parse, takes_no_address_cells_without_processors_only)
{
	TreeBuilder none = tree_begin(arena), one = tree_begin(arena);

	tree_node(&none, "cpus");
	tree_u32(&none, "#address-cells", 0);
	tree_end(&none);
	cr_assert_eq(parse(tree_finish(&none)).cpus.count, 0);

	tree_node(&one, "cpus");
	tree_u32(&one, "#address-cells", 0);
	add_cpu(&one, "cpu@1", 0);
	tree_end(&one);
	refuse(tree_finish(&one), PVW_DT_0015, "dtb:/cpus/cpu@1", "#address-cells");
}

Test(boot_info_parse, refuses_cpus_that_it_cannot_read)
{
	static const struct {
		const char *missing;
		uint32_t cells;
		const char *source, *word;
		uint16_t diagnostic;
	} rows[] = {
		{ "#address-cells", 1, "dtb:/cpus/#address-cells", "absent", PVW_DT_0011 },
		{ "none", 3, "dtb:/cpus/#address-cells", "3, expected 1 or 2", PVW_DT_0015 },
		{ "reg", 1, "dtb:/cpus/cpu@7/reg", "absent", PVW_DT_0011 },
		{ "none", 2, "dtb:/cpus/cpu@7/reg", "multiple of 8", PVW_DT_0013 },
		{ "numa-node-id", 1, "dtb:/cpus/cpu@7/numa-node-id", "absent", PVW_DT_0011 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		TreeBuilder t = tree_begin(arena);

		tree_node(&t, "cpus");
		if (strcmp(rows[i].missing, "#address-cells") != 0)
			tree_u32(&t, "#address-cells", rows[i].cells);
		tree_node(&t, "cpu@7");
		if (strcmp(rows[i].missing, "reg") != 0)
			tree_u32(&t, "reg", 0);
		if (strcmp(rows[i].missing, "numa-node-id") != 0)
			tree_u32(&t, "numa-node-id", 0);
		tree_end(&t);
		tree_end(&t);
		refuse(tree_finish(&t), rows[i].diagnostic, rows[i].source, rows[i].word);
	}
}

Test(boot_info_parse, takes_2048_processors_and_no_more)
{
	for (unsigned count = 2048; count <= 2049; count++) {
		TreeBuilder t = tree_begin(arena);

		tree_node(&t, "cpus");
		tree_u32(&t, "#address-cells", 1);
		for (unsigned i = 0; i < count; i++)
			add_cpu(&t, "c", i);
		tree_end(&t);
		if (count == 2048) {
			const BootInfo info = parse(tree_finish(&t));

			cr_assert_eq(info.cpus.count, 2048);
			cr_assert_eq(info.cpus.items[2047].reg, 2047);
		} else {
			refuse(tree_finish(&t), PVW_DT_0022, "dtb:/cpus/c",
				"more than 2048 processors");
		}
	}
}

Test(boot_info_parse, sorts_vtl2_ram_and_leaves_out_empty_ranges)
{
	static const uint64_t starts[] = { 0x40000000, 0x10000000, 0x20000000 };
	TreeBuilder t = tree_begin(arena);

	for (uint32_t i = 0; i < 3; i++) {
		tree_node(&t, "memory@");
		tree_u64s(&t, "reg", starts[i], i == 2 ? 0 : 0x1000);
		tree_u32(&t, "numa-node-id", i);
		tree_end(&t);
	}
	const BootInfo info = parse(tree_finish(&t));

	cr_assert_eq(info.vtl2_ram.count, 2);
	cr_assert_eq(info.vtl2_ram.items[0].range.start, 0x10000000);
	cr_assert_eq(info.vtl2_ram.items[0].vnode, 1);
	cr_assert_eq(info.vtl2_ram.items[1].range.end, 0x40001000);
}

Test(boot_info_parse, refuses_vtl2_ram_that_is_no_range)
{
	static const struct {
		uint64_t reg[3];
		size_t count;
		uint16_t diagnostic;
		const char *word;
	} rows[] = {
		{ { 0, 0x1000, 0 }, 1, PVW_DT_0013, "expected 2" },
		{ { 0, 0x1000, 0 }, 3, PVW_DT_0013, "3 elements of u64, expected 2" },
		{ { 0x10000, 0x10001 }, 2, PVW_RANGE_0001, "0x10001" },
		{ { 0xfff, 0x1000 }, 2, PVW_RANGE_0001, "0xfff" },
		{ { UINT64_C(0xfffffffffffff000), 0x2000 }, 2, PVW_RANGE_0002, "2^64" },
		{ { UINT64_C(0xfffffffffffff000), 0x1000 }, 2, PVW_RANGE_0002, "2^64" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		TreeBuilder t = tree_begin(arena);

		tree_node(&t, "memory@10000");
		tree_u64_list(&t, "reg", rows[i].reg, rows[i].count);
		tree_u32(&t, "numa-node-id", 0);
		tree_end(&t);
		refuse(tree_finish(&t), rows[i].diagnostic, "dtb:/memory@10000/reg",
			rows[i].word);
	}
}

Test(boot_info_parse, refuses_vtl2_ram_without_node_or_reg)
{
	TreeBuilder no_node = tree_begin(arena), no_reg = tree_begin(arena);

	tree_node(&no_node, "memory@0");
	tree_u64s(&no_node, "reg", 0, 0x1000);
	tree_end(&no_node);
	refuse(tree_finish(&no_node), PVW_DT_0011, "dtb:/memory@0/numa-node-id", "absent");

	tree_node(&no_reg, "memory@0");
	tree_end(&no_reg);
	refuse(tree_finish(&no_reg), PVW_DT_0011, "dtb:/memory@0/reg", "absent");
}

Test(boot_info_parse, needs_the_at_sign_of_memory_nodes)
{
	TreeBuilder t = tree_begin(arena);

	tree_node(&t, "memory");
	tree_end(&t);
	tree_node(&t, "intc");
	tree_end(&t);
	begin_openhcl(&t);
	tree_node(&t, "memory");
	tree_end(&t);
	tree_node(&t, "accepted-memory");
	tree_end(&t);
	tree_end(&t);

	cr_assert_eq(parse(tree_finish(&t)).map.count, 2);
}

Test(boot_info_parse, reads_what_openhcl_says)
{
	TreeBuilder t = tree_begin(arena);

	tree_node(&t, "openhcl");
	tree_string(&t, "isolation-type", "snp");
	tree_string(&t, "memory-allocation-mode", "vtl2");
	tree_u64(&t, "memory-size", 0x1234567);
	tree_u64(&t, "vtl0-alias-map", UINT64_C(1) << 45);
	add_ram(&t, 0x20000, 0x1000, MEMORY_TYPE_VTL2_PERSISTED_HEADER);
	add_ram(&t, 0x21000, 0x1000, MEMORY_TYPE_VTL2_PERSISTED_PROTOBUF);
	tree_end(&t);
	const BootInfo info = parse(tree_finish(&t));

	cr_assert(info.has_openhcl);
	cr_assert_eq(info.isolation, ISOLATION_SNP);
	cr_assert(info.allocation.vtl2 && info.allocation.has_memory_size);
	cr_assert_not(info.allocation.has_mmio_size);
	cr_assert_eq(info.allocation.memory_size, 0x1234567);
	cr_assert(info.has_alias_map);
	cr_assert_eq(info.alias_map, UINT64_C(1) << 45);
}

Test(boot_info_parse, knows_each_isolation)
{
	static const char *const names[] = { "none", "vbs", "snp", "tdx" };

	for (unsigned i = 0; i < ISOLATION_COUNT; i++) {
		TreeBuilder t = tree_begin(arena);

		tree_node(&t, "openhcl");
		tree_string(&t, "isolation-type", names[i]);
		tree_string(&t, "memory-allocation-mode", "host");
		add_ram(&t, 0x20000, 0x1000, MEMORY_TYPE_VTL2_PERSISTED_HEADER);
		add_ram(&t, 0x21000, 0x1000, MEMORY_TYPE_VTL2_PERSISTED_PROTOBUF);
		tree_end(&t);
		cr_assert_eq(parse(tree_finish(&t)).isolation, (IsolationType)i);
	}
}

Test(boot_info_parse, looks_at_sizes_only_where_vtl2_allocates)
{
	TreeBuilder t = tree_begin(arena);

	tree_node(&t, "openhcl");
	tree_string(&t, "isolation-type", "none");
	tree_string(&t, "memory-allocation-mode", "host");
	tree_u32(&t, "memory-size", 1);
	add_ram(&t, 0x20000, 0x1000, MEMORY_TYPE_VTL2_PERSISTED_HEADER);
	add_ram(&t, 0x21000, 0x1000, MEMORY_TYPE_VTL2_PERSISTED_PROTOBUF);
	tree_end(&t);

	cr_assert_not(parse(tree_finish(&t)).allocation.has_memory_size);
}

/* /openhcl with three properties; NULL leaves one out. */
static Bytes openhcl_with(const char *isolation, const char *mode, const char *odd_u64)
{
	TreeBuilder t = tree_begin(arena);

	tree_node(&t, "openhcl");
	if (isolation)
		tree_string(&t, "isolation-type", isolation);
	if (mode)
		tree_string(&t, "memory-allocation-mode", mode);
	if (odd_u64)
		tree_u32(&t, odd_u64, 1);
	tree_end(&t);
	return tree_finish(&t);
}

Test(boot_info_parse, refuses_openhcl_that_it_cannot_read)
{
	refuse(openhcl_with(NULL, "host", NULL), PVW_DT_0011, "dtb:/openhcl/isolation-type",
		"absent");
	refuse(openhcl_with("cca", "host", NULL), PVW_DT_0017, "dtb:/openhcl/isolation-type",
		"\"cca\"");
	refuse(openhcl_with("none", NULL, NULL), PVW_DT_0011,
		"dtb:/openhcl/memory-allocation-mode", "absent");
	refuse(openhcl_with("none", "x", NULL), PVW_DT_0018,
		"dtb:/openhcl/memory-allocation-mode", "\"x\", expected \"host\"");
	refuse(openhcl_with("none", "vtl2", "memory-size"), PVW_DT_0013,
		"dtb:/openhcl/memory-size", "4 bytes");
	refuse(openhcl_with("none", "vtl2", "mmio-size"), PVW_DT_0013, "dtb:/openhcl/mmio-size",
		"4 bytes");
	refuse(openhcl_with("none", "host", "vtl0-alias-map"), PVW_DT_0013,
		"dtb:/openhcl/vtl0-alias-map", "4 bytes");
}

Test(boot_info_parse, sorts_memory_by_use)
{
	TreeBuilder t = tree_begin(arena);

	begin_openhcl(&t);
	add_ram(&t, 0x50000, 0x1000, MEMORY_TYPE_VTL2_GPA_POOL);
	add_ram(&t, 0x40000, 0x1000, MEMORY_TYPE_VTL2_GPA_POOL);
	add_ram(&t, 0x31000, 0x1000, MEMORY_TYPE_VTL2_CONFIG);
	add_ram(&t, 0x30000, 0x1000, MEMORY_TYPE_VTL2_CONFIG);
	add_ram(&t, 0x60000, 0x4000, MEMORY_TYPE_VTL2_RESERVED);
	add_ram(&t, 0x70000, 0x1000, MEMORY_TYPE_VTL2_LOG_BUFFER);
	add_ram(&t, 0, 0x10000, MEMORY_TYPE_VTL0);
	add_ram(&t, 0x80000, 0, MEMORY_TYPE_VTL0);
	tree_end(&t);
	const BootInfo info = parse(tree_finish(&t));

	cr_assert_eq(info.map.count, 9);
	for (size_t i = 1; i < info.map.count; i++)
		cr_assert_lt(info.map.items[i - 1].range.start, info.map.items[i].range.start);
	cr_assert_eq(info.map.items[0].igvm_type, 3);
	cr_assert_eq(info.config.count, 2);
	cr_assert_eq(info.config.items[0].start, 0x30000);
	cr_assert_eq(info.pool.count, 2);
	cr_assert_eq(info.pool.items[0].range.start, 0x40000);
	cr_assert_eq(info.pool.items[0].vnode, MEMORY_TYPE_VTL2_GPA_POOL);
	cr_assert_eq(info.reserved.end, 0x64000);
	cr_assert_eq(info.log_buffer.start, 0x70000);
	cr_assert_eq(info.persisted_header.start, 0x20000);
	cr_assert_eq(info.persisted_protobuf.start, 0x21000);
}

Test(boot_info_parse, takes_the_low_half_of_igvm_types)
{
	TreeBuilder t = tree_begin(arena);

	begin_openhcl(&t);
	tree_node(&t, "memory@0");
	tree_u64s(&t, "reg", 0, 0x1000);
	tree_u32(&t, "numa-node-id", 0);
	tree_u32(&t, "microsoft,igvm-type", 0x12345);
	tree_u32(&t, "openhcl,memory-type", 0);
	tree_end(&t);
	tree_end(&t);

	cr_assert_eq(parse(tree_finish(&t)).map.items[0].igvm_type, 0x2345);
}

Test(boot_info_parse, gives_mmio_as_claims_with_role_and_place)
{
	TreeBuilder t = tree_begin(arena);

	begin_openhcl(&t);
	tree_node(&t, "memory@240000000");
	tree_u64s(&t, "reg", 0x240000000, 0x20000000);
	tree_u32(&t, "openhcl,memory-type", MEMORY_TYPE_VTL0_MMIO);
	tree_u32(&t, "openhcl,mmio-role", 9);
	tree_end(&t);
	add_mmio(&t, 0xf8000000, 0x8000000, MEMORY_TYPE_VTL0_MMIO);
	add_mmio(&t, 0x100000000, 0, MEMORY_TYPE_VTL0_MMIO);
	add_mmio(&t, 0x260000000, 0x1000, MEMORY_TYPE_VTL2_MMIO);
	tree_end(&t);
	const BootInfo info = parse(tree_finish(&t));
	const MmioClaim *claims = info.mmio.items;

	cr_assert_eq(info.mmio.count, 4);
	cr_assert_eq(claims[0].start, 0xf8000000);
	cr_assert_eq(claims[0].len, 0x8000000);
	cr_assert_eq(claims[0].vtl, 0);
	cr_assert_eq(claims[0].role, MMIO_ROLE_UNSPECIFIED);
	cr_assert_str_eq(claims[0].place, "dtb:/openhcl/memory@f8000000");
	cr_assert_eq(claims[1].start, 0x100000000);
	cr_assert_eq(claims[1].len, 0);
	cr_assert_eq(claims[2].role, 9, "judged by the resolver, not here");
	cr_assert_eq(claims[3].vtl, 2);
}

Test(boot_info_parse, refuses_mmio_that_is_no_range)
{
	static const struct {
		uint64_t base, len;
	} rows[] = { { 0xf8000800, 0x1000 }, { 0xf8000000, 0x800 },
		{ UINT64_C(0xfffffffffffff000), 0x2000 } };

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		TreeBuilder t = tree_begin(arena);

		begin_openhcl(&t);
		tree_node(&t, "memory@1");
		tree_u64s(&t, "reg", rows[i].base, rows[i].len);
		tree_u32(&t, "openhcl,memory-type", MEMORY_TYPE_VTL0_MMIO);
		tree_end(&t);
		tree_end(&t);
		refuse(tree_finish(&t), PVW_ROLE_0002, "dtb:/openhcl/memory@1/reg",
			"multiples of 0x1000");
	}
}

Test(boot_info_parse, refuses_mmio_roles_of_wrong_length)
{
	TreeBuilder t = tree_begin(arena);

	begin_openhcl(&t);
	tree_node(&t, "memory@1");
	tree_u64s(&t, "reg", 0, 0x1000);
	tree_u32(&t, "openhcl,memory-type", MEMORY_TYPE_VTL0_MMIO);
	tree_bytes(&t, "openhcl,mmio-role", "\0\1", 2);
	tree_end(&t);
	tree_end(&t);
	refuse(tree_finish(&t), PVW_DT_0013, "dtb:/openhcl/memory@1/openhcl,mmio-role",
		"2 bytes");
}

/* A memory node of /openhcl without one property. */
static Bytes memory_without(const char *missing, uint32_t type)
{
	TreeBuilder t = tree_begin(arena);

	begin_openhcl(&t);
	tree_node(&t, "memory@0");
	if (strcmp(missing, "reg") != 0)
		tree_u64s(&t, "reg", 0, 0x1000);
	if (strcmp(missing, "numa-node-id") != 0)
		tree_u32(&t, "numa-node-id", 0);
	if (strcmp(missing, "microsoft,igvm-type") != 0)
		tree_u32(&t, "microsoft,igvm-type", 0);
	if (strcmp(missing, "openhcl,memory-type") != 0)
		tree_u32(&t, "openhcl,memory-type", type);
	tree_end(&t);
	tree_end(&t);
	return tree_finish(&t);
}

Test(boot_info_parse, refuses_memory_that_it_cannot_read)
{
	static const char *const names[] = { "reg", "numa-node-id", "microsoft,igvm-type",
		"openhcl,memory-type" };

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		char source[80];

		snprintf(source, sizeof(source), "dtb:/openhcl/memory@0/%s", names[i]);
		refuse(memory_without(names[i], 0), PVW_DT_0011, source, "absent");
	}
	refuse(memory_without("reg", MEMORY_TYPE_VTL0_MMIO), PVW_DT_0011,
		"dtb:/openhcl/memory@0/reg", "absent");
	refuse(memory_without("none", 13), PVW_DT_0016,
		"dtb:/openhcl/memory@0/openhcl,memory-type", "13, expected at most 12");
	refuse(memory_without("none", 99), PVW_DT_0016,
		"dtb:/openhcl/memory@0/openhcl,memory-type", "99");
}

Test(boot_info_parse, says_at_which_byte)
{
	const Bytes blob = memory_without("none", 0x63646566);
	const Error err = refuse(
		blob, PVW_DT_0016, "dtb:/openhcl/memory@0/openhcl,memory-type", "memory@0: ");

	cr_assert_eq(err.offset, tree_find(blob, "\x63\x64\x65\x66", 4));
}

/* /openhcl with a number of nodes of three types that there is once. */
static Bytes with_singles(unsigned headers, unsigned protobufs, unsigned reserved)
{
	TreeBuilder t = tree_begin(arena);

	tree_node(&t, "openhcl");
	tree_string(&t, "isolation-type", "none");
	tree_string(&t, "memory-allocation-mode", "host");
	for (unsigned i = 0; i < headers; i++)
		add_ram(&t, 0x10000 + 0x1000 * i, 0x1000, MEMORY_TYPE_VTL2_PERSISTED_HEADER);
	for (unsigned i = 0; i < protobufs; i++)
		add_ram(&t, 0x20000 + 0x1000 * i, 0x1000, MEMORY_TYPE_VTL2_PERSISTED_PROTOBUF);
	for (unsigned i = 0; i < reserved; i++)
		add_ram(&t, 0x30000 + 0x1000 * i, 0x1000, MEMORY_TYPE_VTL2_RESERVED);
	tree_end(&t);
	return tree_finish(&t);
}

Test(boot_info_parse, counts_what_there_is_once)
{
	parse(with_singles(1, 1, 0));
	parse(with_singles(1, 1, 1));
	refuse(with_singles(0, 1, 0), PVW_DT_0019, "dtb:/openhcl", "0 memory nodes of type 11");
	refuse(with_singles(2, 1, 0), PVW_DT_0020, "dtb:/openhcl", "2 memory nodes of type 11");
	refuse(with_singles(1, 0, 0), PVW_DT_0019, "dtb:/openhcl", "0 memory nodes of type 12");
	refuse(with_singles(1, 2, 0), PVW_DT_0020, "dtb:/openhcl", "2 memory nodes of type 12");
	refuse(with_singles(1, 1, 2), PVW_DT_0020, "dtb:/openhcl", "2 memory nodes of type 7");
}

Test(boot_info_parse, takes_an_empty_persisted_header_as_there)
{
	TreeBuilder t = tree_begin(arena);

	tree_node(&t, "openhcl");
	tree_string(&t, "isolation-type", "none");
	tree_string(&t, "memory-allocation-mode", "host");
	add_ram(&t, 0x10000, 0, MEMORY_TYPE_VTL2_PERSISTED_HEADER);
	add_ram(&t, 0x20000, 0x1000, MEMORY_TYPE_VTL2_PERSISTED_PROTOBUF);
	tree_end(&t);

	cr_assert(memory_range_is_empty(parse(tree_finish(&t)).persisted_header));
}

Test(boot_info_parse, takes_overlapping_ranges)
{
	TreeBuilder t = tree_begin(arena);

	begin_openhcl(&t);
	add_ram(&t, 0, 0x8000, MEMORY_TYPE_VTL0);
	add_ram(&t, 0x4000, 0x8000, MEMORY_TYPE_VTL0);
	add_mmio(&t, 0x1000, 0x1000, MEMORY_TYPE_VTL0_MMIO);
	tree_end(&t);

	cr_assert_eq(parse(tree_finish(&t)).map.count, 4);
}

Test(boot_info_parse, takes_as_many_ranges_as_it_says)
{
	for (unsigned extra = 0; extra < 2; extra++) {
		TreeBuilder ram = tree_begin(arena), mmio = tree_begin(arena);
		const uint64_t far = UINT64_C(1) << 40;

		begin_openhcl(&ram);
		for (unsigned i = 0; i < BOOT_INFO_MAX_RANGES - 2 + extra; i++)
			add_ram(&ram, far + 0x1000 * i, 0x1000, MEMORY_TYPE_VTL0);
		tree_end(&ram);
		begin_openhcl(&mmio);
		for (unsigned i = 0; i < BOOT_INFO_MAX_MMIO + extra; i++)
			add_mmio(&mmio, far + 0x1000 * i, 0x1000, MEMORY_TYPE_VTL2_MMIO);
		tree_end(&mmio);
		if (extra == 0) {
			cr_assert_eq(parse(tree_finish(&ram)).map.count, BOOT_INFO_MAX_RANGES);
			cr_assert_eq(parse(tree_finish(&mmio)).mmio.count, BOOT_INFO_MAX_MMIO);
		} else {
			refuse(tree_finish(&ram), PVW_DT_0022,
				"dtb:/openhcl/memory@100001fe000",
				"more than 512 ranges of memory");
			refuse(tree_finish(&mmio), PVW_DT_0022,
				"dtb:/openhcl/memory@10000040000", "more than 64 MMIO ranges");
		}
	}
}

static void add_accepted(TreeBuilder *t, const char *name, uint64_t start, uint64_t len)
{
	tree_node(t, name);
	tree_u64s(t, "reg", start, len);
	tree_end(t);
}

Test(boot_info_parse, sorts_accepted_ranges)
{
	TreeBuilder t = tree_begin(arena);

	begin_openhcl(&t);
	add_accepted(&t, "accepted-memory@8000", 0x8000, 0x1000);
	add_accepted(&t, "accepted-memory@0", 0, 0x2000);
	tree_end(&t);
	const BootInfo info = parse(tree_finish(&t));

	cr_assert_eq(info.accepted.count, 2);
	cr_assert_eq(info.accepted.items[0].end, 0x2000);
	cr_assert_eq(info.accepted.items[1].start, 0x8000);
}

Test(boot_info_parse, refuses_accepted_ranges_that_are_none)
{
	TreeBuilder t = tree_begin(arena);

	begin_openhcl(&t);
	add_accepted(&t, "accepted-memory@8", 8, 0x1000);
	tree_end(&t);
	refuse(tree_finish(&t), PVW_RANGE_0001, "dtb:/openhcl/accepted-memory@8/reg", "0x8");
}

static void add_gic(TreeBuilder *t, size_t count)
{
	static const uint64_t reg[] = { 0xffff0000, 0x10000, 0xeffe0000, 0x20000, 0 };

	tree_node(t, "intc@4294901760");
	tree_u64_list(t, "reg", reg, count);
	tree_u64(t, "redistributor-stride", 0x20000);
	tree_end(t);
}

static void add_pmu(TreeBuilder *t, uint32_t type, uint32_t index)
{
	tree_node(t, "pmu");
	tree_u32s(t, "interrupts", type, index, 4);
	tree_end(t);
}

Test(boot_info_parse, reads_the_interrupt_controller)
{
	TreeBuilder t = tree_begin(arena);

	add_pmu(&t, 1, 7);
	add_gic(&t, 4);
	const BootGic gic = parse(tree_finish(&t)).gic;

	cr_assert(gic.present);
	cr_assert_eq(gic.distributor_base, 0xffff0000);
	cr_assert_eq(gic.distributor_size, 0x10000);
	cr_assert_eq(gic.redistributor_base, 0xeffe0000);
	cr_assert_eq(gic.redistributor_size, 0x20000);
	cr_assert_eq(gic.redistributor_stride, 0x20000);
	cr_assert_eq(gic.pmu_gsiv, 23);
	cr_assert_eq(gic.virt_timer_ppi, 20);
	cr_assert_eq(gic.irq_count, 992);
}

Test(boot_info_parse, has_no_gic_record_for_a_pmu_alone)
{
	TreeBuilder t = tree_begin(arena);

	add_pmu(&t, 1, 7);
	const BootGic gic = parse(tree_finish(&t)).gic;

	cr_assert_not(gic.present);
	cr_assert_eq(gic.pmu_gsiv, 0);
}

Test(boot_info_parse, refuses_interrupts_that_it_cannot_read)
{
	TreeBuilder spi = tree_begin(arena), high = tree_begin(arena), two = tree_begin(arena),
		    five = tree_begin(arena), short_pmu = tree_begin(arena),
		    no_pmu = tree_begin(arena);

	add_pmu(&spi, 0, 7);
	refuse(tree_finish(&spi), PVW_DT_0021, "dtb:/pmu/interrupts", "type 0");
	add_pmu(&high, 1, 16);
	refuse(tree_finish(&high), PVW_DT_0021, "dtb:/pmu/interrupts", "PPI 16");
	add_gic(&two, 2);
	refuse(tree_finish(&two), PVW_DT_0013, "dtb:/intc@4294901760/reg", "expected 4");
	add_gic(&five, 5);
	refuse(tree_finish(&five), PVW_DT_0013, "dtb:/intc@4294901760/reg", "expected 4");
	tree_node(&short_pmu, "pmu");
	tree_u32(&short_pmu, "interrupts", 1);
	tree_end(&short_pmu);
	refuse(tree_finish(&short_pmu), PVW_DT_0013, "dtb:/pmu/interrupts", "1 cells");
	tree_node(&no_pmu, "pmu-of-mine");
	tree_end(&no_pmu);
	refuse(tree_finish(&no_pmu), PVW_DT_0011, "dtb:/pmu-of-mine/interrupts", "absent");
}

Test(boot_info_parse, reads_boot_times)
{
	TreeBuilder t = tree_begin(arena);

	tree_u64(&t, "reftime_boot_start", 1000);
	tree_u64(&t, "reftime_sidecar_end", 4000);
	const BootTimes times = parse(tree_finish(&t)).times;

	cr_assert(times.has_start && times.has_sidecar_end);
	cr_assert_not(times.has_end || times.has_sidecar_start);
	cr_assert_eq(times.start, 1000);
	cr_assert_eq(times.sidecar_end, 4000);
	cr_assert_null(times.malformed);
}

Test(boot_info_parse, loses_bad_times_and_keeps_the_tree)
{
	TreeBuilder t = tree_begin(arena);

	tree_u64(&t, "reftime_boot_start", 1000);
	tree_u32(&t, "reftime_boot_end", 1);
	add_cpus(&t);
	const BootInfo info = parse(tree_finish(&t));

	cr_assert_str_eq(info.times.malformed, "reftime_boot_end");
	cr_assert_not(info.times.has_start);
	cr_assert_eq(info.cpus.count, 1);
}

Test(boot_info_parse, ignores_nodes_that_it_does_not_know)
{
	TreeBuilder t = tree_begin(arena);

	tree_node(&t, "bus");
	tree_node(&t, "openhcl");
	tree_node(&t, "memory@0");
	tree_end(&t);
	tree_end(&t);
	tree_end(&t);
	begin_openhcl(&t);
	tree_node(&t, "entropy");
	tree_node(&t, "memory@0");
	tree_end(&t);
	tree_end(&t);
	tree_end(&t);

	cr_assert_eq(parse(tree_finish(&t)).map.count, 2);
}

Test(boot_info_parse, borrows_nothing_from_the_tree)
{
	TreeBuilder t = tree_begin(arena);

	add_cpus(&t);
	begin_openhcl(&t);
	add_mmio(&t, 0xf8000000, 0x8000000, MEMORY_TYPE_VTL0_MMIO);
	tree_end(&t);
	const Bytes blob = tree_finish(&t);
	uint8_t *copy = tree_copy(arena, blob);
	const BootInfo info = parse((Bytes){ copy, blob.len });

	memset(copy, 0xee, blob.len);

	cr_assert_eq(info.cpus.items[0].reg, 0);
	cr_assert_str_eq(info.mmio.items[0].place, "dtb:/openhcl/memory@f8000000");
}

Test(boot_info_parse, tells_when_memory_is_short)
{
	TreeBuilder t = tree_begin(arena);
	BootInfo info;
	Error err;

	add_cpus(&t);
	begin_openhcl(&t);
	add_mmio(&t, 0xf8000000, 0x8000000, MEMORY_TYPE_VTL0_MMIO);
	add_accepted(&t, "accepted-memory@0", 0x1000, 0x1000);
	add_accepted(&t, "accepted-memory@1", 0, 0x1000);
	tree_end(&t);
	const Bytes blob = tree_finish(&t);

	parse(blob);
	for (size_t limit = 0; limit < 4096; limit += 32) {
		Arena *small = arena_new(limit);

		if (!boot_info_parse(GUEST_ARCH_X86_64, blob, small, &info, &err))
			cr_assert_eq(err.diagnostic, PVW_MEM_0001);
		arena_free(small);
	}
}

/* /bus/vmbus as the shim writes it, left open behind `microsoft,vtl`. */
static void begin_bus(TreeBuilder *t, uint32_t vtl)
{
	tree_node(t, "bus");
	tree_string(t, "compatible", "simple-bus");
	tree_empty(t, "ranges");
	tree_node(t, "vmbus");
	tree_string(t, "compatible", "microsoft,vmbus");
	tree_u32(t, "microsoft,vtl", vtl);
}

static Bytes finish_bus(TreeBuilder *t)
{
	tree_end(t);
	tree_end(t);
	return tree_finish(t);
}

/* The bus of VTL2 with these @ranges. */
static Vtl2Bus parse_bus_ranges(const uint64_t *ranges, size_t count)
{
	TreeBuilder t = tree_begin(arena);

	begin_bus(&t, 2);
	tree_u32(&t, "microsoft,message-connection-id", 4);
	tree_u64_list(&t, "ranges", ranges, count);
	return parse(finish_bus(&t)).vtl2_bus;
}

Test(boot_info_parse, lists_the_windows_of_vtl2_bus_by_start)
{
	static const uint64_t ranges[] = { 0x9000, 0x9000, 0x1000, 0x7000, 0x7000, 0, 0x3000,
		0x3000, 0x2000 };

	const Vtl2Bus bus = parse_bus_ranges(ranges, ARRAY_COUNT(ranges));

	cr_assert(bus.present);
	cr_assert_eq(bus.connection_id, 4);
	cr_assert_null(bus.malformed);
	cr_assert_eq(bus.ranges.count, 2, "the empty one is left out");
	cr_assert_eq(bus.ranges.items[0].start, 0x3000);
	cr_assert_eq(bus.ranges.items[0].end, 0x5000);
	cr_assert_eq(bus.ranges.items[1].start, 0x9000);
}

Test(boot_info_parse, has_no_bus_but_vtl2s)
{
	TreeBuilder t = tree_begin(arena);

	begin_bus(&t, 0);
	tree_u32(&t, "microsoft,message-connection-id", 1);

	cr_assert_not(parse(finish_bus(&t)).vtl2_bus.present);
}

Test(boot_info_parse, takes_a_bus_whose_ranges_cannot_be_read)
{
	static const uint64_t bad[][4] = {
		{ 0x1000, 0x2000, 0x1000 },                         /* translated */
		{ 0x1001, 0x1001, 0x1000 },                         /* unaligned */
		{ 0xfffffffffffff000, 0xfffffffffffff000, 0x2000 }, /* wraps */
		{ 0x1000, 0x1000, 0x1000, 0x1000 },                 /* no triple */
	};

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		const Vtl2Bus bus = parse_bus_ranges(bad[i], i == 3 ? 4 : 3);

		cr_assert(bus.present, "%zu", i);
		cr_assert_eq(bus.connection_id, 4, "%zu", i);
		cr_assert_eq(bus.ranges.count, 0, "%zu", i);
		cr_assert_str_eq(bus.malformed, "ranges", "%zu", i);
	}
}

Test(boot_info_parse, takes_a_bus_with_more_windows_than_it_lists)
{
	static uint64_t many[3 * (BOOT_INFO_MAX_MMIO + 1)];

	const Vtl2Bus bus = parse_bus_ranges(many, ARRAY_COUNT(many));

	cr_assert_eq(bus.ranges.count, 0);
	cr_assert_str_eq(bus.malformed, "ranges");
}

Test(boot_info_parse, takes_a_bus_without_connection_id)
{
	TreeBuilder t = tree_begin(arena);

	begin_bus(&t, 2);
	const Vtl2Bus bus = parse(finish_bus(&t)).vtl2_bus;

	cr_assert(bus.present);
	cr_assert_str_eq(bus.malformed, "microsoft,message-connection-id");
}

/* /openhcl whose persisted memory has @len bytes each. */
static void add_openhcl(TreeBuilder *t, uint64_t len)
{
	tree_node(t, "openhcl");
	tree_string(t, "isolation-type", "none");
	tree_string(t, "memory-allocation-mode", "host");
	add_ram(t, 0x20000, len, MEMORY_TYPE_VTL2_PERSISTED_HEADER);
	add_ram(t, 0x21000, len, MEMORY_TYPE_VTL2_PERSISTED_PROTOBUF);
	tree_end(t);
}

Test(boot_info_parse, keeps_nothing_of_an_openhcl_that_is_replaced)
{
	TreeBuilder t = tree_begin(arena);

	add_openhcl(&t, 0x1000);
	add_openhcl(&t, 0);
	const BootInfo info = parse(tree_finish(&t));

	cr_assert(memory_range_is_empty(info.persisted_header));
	cr_assert(memory_range_is_empty(info.persisted_protobuf));
}
