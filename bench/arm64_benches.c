/*
 * What a kernel without firmware on aarch64 is told: a device tree of its machine, as the
 * reference's case n4 would have it. The reference has no figure for it.
 */
#include "bench.h"

#include "layout/fixed_map.h"
#include "loaders/arm64_tree.h"

#define GIB UINT64_C(0x40000000)

#define TEXT(literal)                                                                          \
	{                                                                                      \
		(const uint8_t *)(literal), sizeof(literal) - 1                                \
	}

static const ArmUart uarts[] = {
	{ PL011_0_GPA, PL011_0_INTID },
	{ PL011_1_GPA, PL011_1_INTID },
};

static const NodeRange ram[] = { { { GIB, 3 * GIB }, 0 } };

/* The inputs borrow the processors: they go together. */
typedef struct Arm64Input {
	ProcessorTopology topology;
	Arm64TreeInputs in;
} Arm64Input;

static bool setup_tree(const void *parameter, Arena *arena, const void **input, Error *err)
{
	const uint32_t *vps = parameter;
	const TopologyInputs machine = {
		.arm = { .gic_distributor = GIC_DISTRIBUTOR_GPA,
			.gic_redistributors = GIC_REDISTRIBUTORS_GPA,
			.pmu_gsiv = 23,
			.virt_timer_ppi = 20,
			.irq_count = 992 },
	};
	Arm64Input *made = arena_array(arena, Arm64Input, 1, err);

	if (!made ||
		!topology_from_count(
			GUEST_ARCH_AARCH64, *vps, &machine, arena, &made->topology, err))
		return false;
	made->in = (Arm64TreeInputs){
		.topology = &made->topology,
		.ram = { ram, ARRAY_COUNT(ram) },
		.mmio_low = { 0xe0000000, FOUR_GIB },
		.mmio_high = { 0x1000000000, 0x1020000000 },
		.uarts = uarts,
		.uart_count = ARRAY_COUNT(uarts),
		.chosen = { .command_line = TEXT("console=ttyAMA0"),
			.initrd_start = 0x48000000,
			.initrd_end = 0x49000000 },
	};
	*input = made;
	return true;
}

static bool call_tree(const void *input, Arena *arena, Produced *produced, Error *err)
{
	const Arm64Input *made = input;
	Bytes tree;

	if (!arm64_tree_build(&made->in, arena, &tree, err))
		return false;
	produce(produced, tree.data, tree.len);
	return true;
}

static const uint32_t four = 4, most = TOPOLOGY_MAX_ARM_VPS_COUNTED;

const Bench arm64_benches[] = {
	{ "linux_a64/4vp", setup_tree, call_tree, &four, NULL },
	{ "linux_a64/255vp", setup_tree, call_tree, &most, NULL },
	{ .name = NULL },
};
