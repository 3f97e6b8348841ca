#include <criterion/criterion.h>
#include <string.h>

#include "bootinfo/boot_info.h"
#include "layout/topology.h"
#include "support/diagnostics.h"

static Arena *arena;
static Error err;
static ProcessorTopology got;

static void begin(void)
{
	arena = arena_new(1 << 22);
	err = (Error){ 0 };
	got = (ProcessorTopology){ .count = 4242 };
}

static void end(void)
{
	arena_free(arena);
}

TestSuite(topology, .init = begin, .fini = end);

static const TopologyInputs arm_inputs = {
	.arm = { .gic_distributor = 0xffff0000,
		.gic_redistributors = 0xeffee000,
		.virt_timer_ppi = 20,
		.irq_count = 992 },
};

static void count_x86(uint32_t count, TopologyInputs in)
{
	cr_assert(topology_from_count(GUEST_ARCH_X86_64, count, &in, arena, &got, &err), "%s",
		err.text);
}

static void assert_refused(bool ok, uint16_t diagnostic, const char *word)
{
	cr_assert_not(ok);
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(got.count, 4242);
}

static void refuse_count(GuestArch arch, uint32_t count, TopologyInputs in, uint16_t diagnostic,
	const char *word)
{
	assert_refused(
		topology_from_count(arch, count, &in, arena, &got, &err), diagnostic, word);
}

/* --- x86-64, counted --- */

Test(topology, sockets_begin_at_powers_of_two)
{
	static const uint32_t ids[] = { 16, 17, 18, 20, 21, 22, 24 };
	static const uint32_t nodes[] = { 0, 0, 0, 1, 1, 1, 2 };

	count_x86(7, (TopologyInputs){ .vps_per_socket = 3, .apic_id_offset = 17 });
	cr_assert_eq(got.reserved_vps_per_socket, 4);
	for (size_t i = 0; i < 7; i++) {
		cr_assert_eq(got.vps[i].apic_id, ids[i]);
		cr_assert_eq(got.vps[i].vnode, nodes[i]);
		cr_assert_eq(topology_place(&got, i).socket, 4 + nodes[i]);
		cr_assert_eq(topology_place(&got, i).core, ids[i] % 4);
	}
	cr_assert_eq(topology_max_apic_id(&got), 24);
}

Test(topology, without_a_number_all_processors_share_a_socket)
{
	count_x86(5, (TopologyInputs){ 0 });
	cr_assert_eq(got.vps_per_socket, 5);
	cr_assert_eq(got.reserved_vps_per_socket, 8);
	cr_assert_eq(got.vps[4].vnode, 0);
}

Test(topology, processors_of_a_socket_are_bounded)
{
	count_x86(2, (TopologyInputs){ .vps_per_socket = 100000 });
	cr_assert_eq(got.vps_per_socket, 32768);
	cr_assert_eq(got.reserved_vps_per_socket, 32768);
	count_x86(40000, (TopologyInputs){ 0 });
	cr_assert_eq(got.vps_per_socket, 32768);
	cr_assert_eq(got.vps[32768].vnode, 1);
}

Test(topology, smt_wants_two_processors_a_socket)
{
	count_x86(8, (TopologyInputs){ .vps_per_socket = 4, .smt = true });
	cr_assert(got.smt);
	cr_assert_eq(topology_place(&got, 5).core, 1);
	cr_assert_eq(topology_place(&got, 5).thread, 1);
	cr_assert_eq(topology_place(&got, 6).thread, 0);
	count_x86(8, (TopologyInputs){ .vps_per_socket = 1, .smt = true });
	cr_assert_not(got.smt);
	cr_assert_eq(topology_place(&got, 5).thread, 0);
	count_x86(8, (TopologyInputs){ .vps_per_socket = 4 });
	cr_assert_eq(topology_place(&got, 5).thread, 0);
}

Test(topology, apic_mode_follows_setting_and_largest_id)
{
	static const struct {
		X2ApicSetting setting;
		uint32_t count;
		ApicMode mode;
	} rows[] = {
		{ X2APIC_SUPPORTED, 255, APIC_MODE_X2APIC_SUPPORTED },
		{ X2APIC_SUPPORTED, 256, APIC_MODE_X2APIC_ENABLED },
		{ X2APIC_ENABLED, 1, APIC_MODE_X2APIC_ENABLED },
		{ X2APIC_ENABLED, 256, APIC_MODE_X2APIC_ENABLED },
		{ X2APIC_UNSUPPORTED, 255, APIC_MODE_XAPIC },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		count_x86(rows[i].count, (TopologyInputs){ .x2apic = rows[i].setting });
		cr_assert_eq(got.apic_mode, rows[i].mode, "%zu", i);
	}
	got.count = 4242;
	refuse_count(GUEST_ARCH_X86_64, 256, (TopologyInputs){ .x2apic = X2APIC_UNSUPPORTED },
		PVW_TOPOLOGY_0004, "APIC id 255");
}

Test(topology, x86_wants_a_processor)
{
	refuse_count(
		GUEST_ARCH_X86_64, 0, (TopologyInputs){ 0 }, PVW_TOPOLOGY_0001, "0 processors");
}

Test(topology, apic_ids_do_not_wrap)
{
	count_x86(2, (TopologyInputs){ .vps_per_socket = 1, .apic_id_offset = 0xfffffffe });
	cr_assert_eq(got.vps[1].apic_id, 0xffffffff);
	got.count = 4242;
	refuse_count(GUEST_ARCH_X86_64, 3,
		(TopologyInputs){ .vps_per_socket = 1, .apic_id_offset = 0xfffffffe },
		PVW_TOPOLOGY_0005, "0x100000000");
	refuse_count(GUEST_ARCH_X86_64, 9,
		(TopologyInputs){ .vps_per_socket = 8, .apic_id_offset = 0xffffffff },
		PVW_TOPOLOGY_0005, "offset 4294967295");
}

Test(topology, nodes_can_be_stated)
{
	const uint32_t nodes[] = { 3, 1, 2 };

	count_x86(3, (TopologyInputs){ .vnodes = nodes, .vnode_count = 3 });
	cr_assert_eq(got.vps[0].vnode, 3);
	cr_assert_eq(got.vps[2].vnode, 2);
	got.count = 4242;
	refuse_count(GUEST_ARCH_X86_64, 4,
		(TopologyInputs){ .vnodes = nodes, .vnode_count = 3 }, PVW_TOPOLOGY_0009,
		"3 nodes for 4 processors");
}

/* --- aarch64, counted --- */

static void count_arm(uint32_t count, TopologyInputs in)
{
	cr_assert(topology_from_count(GUEST_ARCH_AARCH64, count, &in, arena, &got, &err), "%s",
		err.text);
}

Test(topology, arm_processors_are_threads_of_one_core)
{
	count_arm(17, arm_inputs);
	cr_assert_eq(got.vps_per_socket, 17);
	cr_assert_not(got.smt);
	for (size_t i = 0; i < 17; i++) {
		cr_assert_eq(got.vps[i].mpidr, 0x80000000 | i);
		cr_assert_eq(got.vps[i].gicr, 0xeffee000 + i * 0x20000);
		cr_assert_eq(got.vps[i].vnode, 0);
		cr_assert_eq(topology_place(&got, i).thread, i);
		cr_assert_eq(topology_place(&got, i).core, 0);
	}
	cr_assert_eq(got.arm.gic_distributor, 0xffff0000);
}

Test(topology, a_single_arm_processor_says_so)
{
	count_arm(1, arm_inputs);
	cr_assert_eq(got.vps[0].mpidr, 0xc0000000);
}

Test(topology, no_arm_processor_is_an_empty_topology)
{
	count_arm(0, arm_inputs);
	cr_assert_eq(got.count, 0);
	cr_assert_eq(got.vps_per_socket, 1);
}

Test(topology, gic_v2_has_no_redistributors)
{
	TopologyInputs in = arm_inputs;

	in.arm.gic_v2 = true;
	count_arm(8, in);
	cr_assert_eq(got.vps[7].gicr, 0);
	got.count = 4242;
	refuse_count(GUEST_ARCH_AARCH64, 9, in, PVW_TOPOLOGY_0002, "GICv2");
}

Test(topology, arm_counts_up_to_255)
{
	count_arm(255, arm_inputs);
	got.count = 4242;
	refuse_count(GUEST_ARCH_AARCH64, 256, arm_inputs, PVW_TOPOLOGY_0002, "at most 255");
}

Test(topology, arm_interrupts_are_checked)
{
	static const uint32_t not_ppi[] = { 0, 15, 32 }, not_gsiv[] = { 1, 15, 32, 33 };
	static const uint32_t not_count[] = { 0, 32, 63, 65, 100, 1024 };

	for (size_t i = 0; i < ARRAY_COUNT(not_ppi); i++) {
		TopologyInputs in = arm_inputs;

		in.arm.virt_timer_ppi = not_ppi[i];
		refuse_count(GUEST_ARCH_AARCH64, 2, in, PVW_TOPOLOGY_0006, "virtual timer");
	}
	for (size_t i = 0; i < ARRAY_COUNT(not_gsiv); i++) {
		TopologyInputs in = arm_inputs;

		in.arm.pmu_gsiv = not_gsiv[i];
		refuse_count(GUEST_ARCH_AARCH64, 2, in, PVW_TOPOLOGY_0007, "performance");
	}
	for (size_t i = 0; i < ARRAY_COUNT(not_count); i++) {
		TopologyInputs in = arm_inputs;

		in.arm.irq_count = not_count[i];
		refuse_count(GUEST_ARCH_AARCH64, 2, in, PVW_TOPOLOGY_0008, "multiple of 32");
	}
}

Test(topology, arm_interrupts_at_their_bounds_are_fine)
{
	static const uint32_t ppis[] = { 16, 31 }, counts[] = { 64, 96, 992 };

	for (size_t i = 0; i < 2; i++) {
		for (size_t j = 0; j < 3; j++) {
			TopologyInputs in = arm_inputs;

			in.arm.virt_timer_ppi = ppis[i];
			in.arm.pmu_gsiv = ppis[1 - i];
			in.arm.irq_count = counts[j];
			count_arm(2, in);
			cr_assert_eq(got.arm.irq_count, counts[j]);
		}
	}
}

Test(topology, redistributors_do_not_wrap)
{
	TopologyInputs in = arm_inputs;

	in.arm.gic_redistributors = UINT64_MAX - 0x3ffff;
	count_arm(1, in);
	got.count = 4242;
	refuse_count(GUEST_ARCH_AARCH64, 2, in, PVW_TOPOLOGY_0010, "2 processors");
}

/* --- lists --- */

Test(topology, a_list_keeps_its_ids)
{
	const VirtualProcessor vps[] = { { .apic_id = 0, .vnode = 1 }, { .apic_id = 254 },
		{ .apic_id = 5, .vnode = 2 }, { .apic_id = 0x100000 } };

	cr_assert(topology_from_list(GUEST_ARCH_X86_64, vps, 4,
		&(TopologyInputs){ .vps_per_socket = 8 }, arena, &got, &err));
	cr_assert_eq(got.count, 4);
	cr_assert_eq(got.vps[2].apic_id, 5);
	cr_assert_eq(got.vps[2].vnode, 2);
	cr_assert_eq(got.apic_mode, APIC_MODE_X2APIC_ENABLED);
	cr_assert_eq(topology_place(&got, 3).socket, 0x20000);
}

Test(topology, a_list_tells_twins_apart)
{
	VirtualProcessor vps[] = { { .apic_id = 9 }, { .apic_id = 3 }, { .apic_id = 1 },
		{ .apic_id = 7 }, { .apic_id = 3 } };

	assert_refused(topology_from_list(GUEST_ARCH_X86_64, vps, 5, &(TopologyInputs){ 0 },
			       arena, &got, &err),
		PVW_TOPOLOGY_0003, "processors 1 and 4 both have APIC id 0x3");
	vps[4].apic_id = 4;
	cr_assert(topology_from_list(
		GUEST_ARCH_X86_64, vps, 5, &(TopologyInputs){ 0 }, arena, &got, &err));
}

/* The MT bit and the bits above it are no part of an affinity. */
Test(topology, arm_twins_have_the_same_affinity)
{
	const VirtualProcessor vps[] = { { .mpidr = 0x8100000100 }, { .mpidr = 0x81010100 },
		{ .mpidr = 0x80010100 } };

	assert_refused(
		topology_from_list(GUEST_ARCH_AARCH64, vps, 3, &arm_inputs, arena, &got, &err),
		PVW_TOPOLOGY_0003, "processors 1 and 2 both have MPIDR affinity 0x10100");
}

Test(topology, an_arm_list_may_have_threads)
{
	const VirtualProcessor vps[] = { { .mpidr = 0x80000000 }, { .mpidr = 0x81020301 } };

	cr_assert(
		topology_from_list(GUEST_ARCH_AARCH64, vps, 2, &arm_inputs, arena, &got, &err));
	cr_assert(got.smt);
	cr_assert_eq(topology_place(&got, 1).socket, 2);
	cr_assert_eq(topology_place(&got, 1).core, 3);
	cr_assert_eq(topology_place(&got, 1).thread, 1);
}

Test(topology, lists_are_checked_like_counts)
{
	static VirtualProcessor vps[2049];
	TopologyInputs in = arm_inputs;

	for (size_t i = 0; i < ARRAY_COUNT(vps); i++)
		vps[i].mpidr = MPIDR_RES1 | (i & 0xff) | (i >> 8) << 8;
	assert_refused(topology_from_list(GUEST_ARCH_AARCH64, vps, 0, &in, arena, &got, &err),
		PVW_TOPOLOGY_0001, "0 processors");
	assert_refused(
		topology_from_list(GUEST_ARCH_AARCH64, vps, 2049, &in, arena, &got, &err),
		PVW_TOPOLOGY_0002, "at most 2048");
	in.arm.gic_v2 = true;
	assert_refused(topology_from_list(GUEST_ARCH_AARCH64, vps, 9, &in, arena, &got, &err),
		PVW_TOPOLOGY_0002, "GICv2");
	in = arm_inputs;
	in.arm.virt_timer_ppi = 32;
	assert_refused(topology_from_list(GUEST_ARCH_AARCH64, vps, 2, &in, arena, &got, &err),
		PVW_TOPOLOGY_0006, "INTID 32");
	in = arm_inputs;
	in.arm.pmu_gsiv = 32;
	assert_refused(topology_from_list(GUEST_ARCH_AARCH64, vps, 2, &in, arena, &got, &err),
		PVW_TOPOLOGY_0007, "INTID 32");
	in = arm_inputs;
	in.arm.irq_count = 63;
	assert_refused(topology_from_list(GUEST_ARCH_AARCH64, vps, 2, &in, arena, &got, &err),
		PVW_TOPOLOGY_0008, "63 interrupts");
	in = arm_inputs;
	in.arm.gic_redistributors = UINT64_MAX - 0xfff;
	assert_refused(topology_from_list(GUEST_ARCH_AARCH64, vps, 2, &in, arena, &got, &err),
		PVW_TOPOLOGY_0010, "2^64");
	cr_assert(topology_from_list(
		GUEST_ARCH_AARCH64, vps, 2048, &arm_inputs, arena, &got, &err));
}

/* Any order of many ids is accepted, and any one id twice is found. */
Test(topology, finds_the_one_twin_among_many)
{
	enum { COUNT = 2048 };
	static VirtualProcessor vps[COUNT];
	uint32_t random = 5;

	for (size_t i = 0; i < COUNT; i++)
		vps[i].apic_id = (uint32_t)((i * 1103515245u + 7) % 4294967291u);
	cr_assert(topology_from_list(
		GUEST_ARCH_X86_64, vps, COUNT, &(TopologyInputs){ 0 }, arena, &got, &err));
	got.count = 4242;
	for (int round = 0; round < 50; round++) {
		random = random * 1664525 + 1013904223;
		const size_t a = (random >> 8) % COUNT,
			     b = (a + 1 + (random >> 20) % 2000) % COUNT;
		const uint32_t kept = vps[a].apic_id;

		vps[a].apic_id = vps[b].apic_id;
		assert_refused(topology_from_list(GUEST_ARCH_X86_64, vps, COUNT,
				       &(TopologyInputs){ 0 }, arena, &got, &err),
			PVW_TOPOLOGY_0003, "both have");
		vps[a].apic_id = kept;
		arena_reset(arena);
	}
}

/* --- boot trees --- */

static const BootCpu cpus[] = { { 0x100000000, 0 }, { 2, 1 }, { 0x4003, 1 } };

static BootInfo arm_info(void)
{
	return (BootInfo){
		.arch = GUEST_ARCH_AARCH64,
		.cpus = { cpus, 3 },
		.gic = { .present = true,
			.distributor_base = 0xffff0000,
			.distributor_size = 0x10000,
			.redistributor_base = 0xeffee000,
			.redistributor_size = 3 * 0x20000,
			.redistributor_stride = 0x20000,
			.pmu_gsiv = 23,
			.virt_timer_ppi = 20,
			.irq_count = 992 },
	};
}

static bool from_tree(const BootInfo *info, TopologyInputs in)
{
	return topology_from_boot_info(info, &in, arena, &got, &err);
}

Test(topology, an_x86_tree_gives_ids_and_nodes)
{
	const BootInfo info = { .arch = GUEST_ARCH_X86_64, .cpus = { cpus, 3 } };

	cr_assert(from_tree(&info, (TopologyInputs){ .vps_per_socket = 2, .smt = true }));
	cr_assert_eq(got.count, 3);
	cr_assert_eq(got.vps[0].apic_id, 0); /* the low half */
	cr_assert_eq(got.vps[2].apic_id, 0x4003);
	cr_assert_eq(got.vps[2].vnode, 1);
	cr_assert(got.smt);
	cr_assert_eq(got.apic_mode, APIC_MODE_X2APIC_ENABLED);
}

Test(topology, an_x86_tree_without_processors_or_with_twins_is_refused)
{
	const BootCpu twins[] = { { 1, 0 }, { 0x100000001, 1 } };
	const BootInfo none = { .arch = GUEST_ARCH_X86_64 };
	const BootInfo two = { .arch = GUEST_ARCH_X86_64, .cpus = { twins, 2 } };

	assert_refused(
		from_tree(&none, (TopologyInputs){ 0 }), PVW_TOPOLOGY_0001, "0 processors");
	assert_refused(from_tree(&two, (TopologyInputs){ 0 }), PVW_TOPOLOGY_0003, "0x1");
}

Test(topology, an_arm_tree_gives_affinities_and_its_gic)
{
	const BootInfo info = arm_info();

	cr_assert(from_tree(&info,
			  (TopologyInputs){ .arm = { .msi = GIC_MSI_ITS,
						    .msi_base = 0xeffc0000,
						    .gic_v2 = true,
						    .irq_count = 1 } }),
		"%s", err.text);
	cr_assert_eq(got.vps[0].mpidr, 0x180000000);
	cr_assert_eq(got.vps[2].mpidr, 0x80004003);
	cr_assert_eq(got.vps[2].gicr, 0xeffee000 + 2 * 0x20000);
	cr_assert_eq(got.vps[2].vnode, 1);
	cr_assert_eq(got.vps_per_socket, 3);
	cr_assert_not(got.arm.gic_v2);
	cr_assert_eq(got.arm.pmu_gsiv, 23);
	cr_assert_eq(got.arm.irq_count, 992);
	cr_assert_eq(got.arm.msi, GIC_MSI_ITS);
	cr_assert_eq(got.arm.msi_base, 0xeffc0000);
}

Test(topology, an_arm_tree_drops_what_is_no_affinity)
{
	const BootCpu one[] = { { 0xffffffffffffffff, 0 } };
	BootInfo info = arm_info();

	info.cpus = (CpuList){ one, 1 };
	cr_assert(from_tree(&info, (TopologyInputs){ 0 }));
	cr_assert_eq(got.vps[0].mpidr, 0xffc0ffffff);
}

Test(topology, an_arm_tree_is_checked)
{
	const BootCpu twins[] = { { 1, 0 }, { 1, 1 } };
	BootInfo info = arm_info();

	info.gic.present = false;
	assert_refused(
		from_tree(&info, (TopologyInputs){ 0 }), PVW_TOPOLOGY_0011, "without a GIC");
	info = arm_info();
	info.gic.redistributor_size = 3 * 0x20000 - 1;
	assert_refused(
		from_tree(&info, (TopologyInputs){ 0 }), PVW_TOPOLOGY_0010, "3 processors");
	info = arm_info();
	info.gic.redistributor_stride = 0x40000;
	assert_refused(
		from_tree(&info, (TopologyInputs){ 0 }), PVW_TOPOLOGY_0010, "stride 0x40000");
	info = arm_info();
	info.gic.virt_timer_ppi = 3;
	assert_refused(from_tree(&info, (TopologyInputs){ 0 }), PVW_TOPOLOGY_0006, "INTID 3");
	info = arm_info();
	info.gic.pmu_gsiv = 3;
	assert_refused(from_tree(&info, (TopologyInputs){ 0 }), PVW_TOPOLOGY_0007, "INTID 3");
	info = arm_info();
	info.gic.irq_count = 3;
	assert_refused(
		from_tree(&info, (TopologyInputs){ 0 }), PVW_TOPOLOGY_0008, "3 interrupts");
	info = arm_info();
	info.cpus.count = 0;
	assert_refused(
		from_tree(&info, (TopologyInputs){ 0 }), PVW_TOPOLOGY_0001, "0 processors");
	info = arm_info();
	info.cpus = (CpuList){ twins, 2 };
	assert_refused(
		from_tree(&info, (TopologyInputs){ 0 }), PVW_TOPOLOGY_0003, "affinity 0x1");
	info = arm_info();
	info.gic.redistributor_base = UINT64_MAX - 0xffff;
	assert_refused(from_tree(&info, (TopologyInputs){ 0 }), PVW_TOPOLOGY_0010, "2^64");
}

Test(topology, an_unstated_stride_is_the_usual_one)
{
	BootInfo info = arm_info();

	info.gic.redistributor_stride = 0;
	info.gic.redistributor_size = 0x10000000;
	cr_assert(from_tree(&info, (TopologyInputs){ 0 }), "%s", err.text);
	cr_assert_eq(got.vps[1].gicr, 0xeffee000 + 0x20000);
}

Test(topology, says_when_memory_runs_out)
{
	const VirtualProcessor vps[] = { { .apic_id = 2 }, { .apic_id = 1 } };
	bool ok = false;

	for (size_t limit = 0; limit < 1024 && !ok; limit += 8) {
		Arena *small = arena_new(limit);

		ok = topology_from_list(
			GUEST_ARCH_X86_64, vps, 2, &(TopologyInputs){ 0 }, small, &got, &err);
		if (!ok)
			cr_assert_eq(err.diagnostic, PVW_MEM_0001);
		arena_free(small);
	}
	cr_assert(ok);
}
