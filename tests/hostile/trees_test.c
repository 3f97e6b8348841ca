/*
 * Damaged boot trees through the whole pipeline: an error, or a plan that harms nobody.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "hostile/hostile.h"
#include "worker/guest.h"

#define PARTS 10 /* processes that share the seeds */

static const GuestShape shapes[] = {
	{ .cpus = 2 },
	{ .cpus = 1, .no_config = true },
	{ .cpus = 64 },
	{ .cpus = 4, .isolation = "snp" },
	{ .cpus = 3, .isolation = "vbs" },
	{ .cpus = 4, .arm = true },
	{ .cpus = 1, .arm = true },
};

typedef struct Run {
	uint64_t seed;
	Dice dice;
	Arena *arena;
	Diagnostics findings;
	Facts facts;
	Config config;
} Run;

/* Damage to cells, which a tree is full of, or to anything. */
static Bytes damaged_tree(Run *run, Bytes tree)
{
	Clay clay = { malloc(tree.len + 1024), tree.len, tree.len + 1024 };
	const size_t pieces = dice_below(&run->dice, 4);

	memcpy(clay.data, tree.data, tree.len);
	for (size_t i = 0; i < pieces; i++) {
		switch (dice_below(&run->dice, 4)) {
		case 0:
			clay_damage(&clay, &run->dice);
			break;
		case 1:
			clay_put_edge(&clay, &run->dice, 4);
			break;
		default:
			clay_flip_bit(&clay, &run->dice);
			break;
		}
	}
	if (dice_below(&run->dice, 50) == 0)
		clay_truncate(&clay, &run->dice);
	return (Bytes){ clay.data, clay.len };
}

static ConfigInputs some_config(Run *run)
{
	static const BootKind kinds[] = { BOOT_UEFI, BOOT_UEFI, BOOT_PCAT, BOOT_NONE };
	static ChannelDemand channels[] = { { .mmio_megabytes = 8 },
		{ .instance_id = { { 1 } }, .mmio_megabytes = 64 } };
	ConfigInputs in = { .settings = platform_settings_default() };

	in.settings.firmware = kinds[dice_below(&run->dice, ARRAY_COUNT(kinds))];
	in.settings.uefi.measure_additional_pcrs = true;
	in.settings.chipset.vmbus_redirection = true;
	in.settings.chipset.com1 = dice_below(&run->dice, 2);
	in.relay_devices = (uint32_t)dice_below(&run->dice, 5);
	in.channels = (ChannelDemandList){ channels, dice_below(&run->dice, 3) };
	return in;
}

static bool in_one_range(const LayoutRecordList *ram, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < ram->count; i++) {
		if (start >= ram->items[i].range.start && end <= ram->items[i].range.end)
			return true;
	}
	return false;
}

static void check_plan(const Run *run, const Prepared *prepared)
{
	const BootPlan *plan = &prepared->plan;
	uint64_t last = 0;

	for (size_t i = 0; i < plan->write_count; i++) {
		const Artifact *artifact = &plan->artifacts.items[plan->writes[i]];
		const uint64_t end = artifact->gpa + artifact->bytes.len;

		cr_assert_gt(end, artifact->gpa, "seed %lu: wraps", run->seed);
		cr_assert_geq(artifact->gpa, last, "seed %lu: overlaps", run->seed);
		cr_assert(in_one_range(&prepared->layout.vtl0.ram, artifact->gpa, end),
			"seed %lu: %s is not in RAM", run->seed, artifact->name);
		last = end;
		for (size_t k = 0; k < run->facts.info.map.count; k++) {
			const MapEntry *entry = &run->facts.info.map.items[k];

			cr_assert(entry->type == MEMORY_TYPE_VTL0 ||
					end <= entry->range.start ||
					artifact->gpa >= entry->range.end,
				"seed %lu: %s lies in VTL2", run->seed, artifact->name);
		}
	}
}

/* The damaged tree's plan, or an error that says why there is none. */
static bool prepare_once(
	Run *run, const FactInputs *facts, const ConfigInputs *config, Prepared *out)
{
	const PlanInputs plan = { .entropy = { 1 } };
	Error err = { 0 };
	const bool ok = prepare_facts(facts, run->arena, &run->facts, &run->findings, &err) &&
		prepare_config(
			&run->facts, config, run->arena, &run->config, &run->findings, &err) &&
		prepare_plan(&run->facts, &run->config, &plan, run->arena, out, &run->findings,
			&err);

	cr_assert(ok || (err.diagnostic != PVW_NONE && err.text[0]),
		"seed %lu: refused without a reason", run->seed);
	return ok;
}

static bool run_seed(uint64_t seed)
{
	Run run = { .seed = seed, .dice = { seed } };
	const GuestShape shape = shapes[seed % ARRAY_COUNT(shapes)];
	Prepared first, second;
	FactInputs facts;
	ConfigInputs config;
	Error err;
	bool ok;

	run.arena = arena_new(PREPARE_ARENA_LIMIT);
	cr_assert(diagnostics_init(&run.findings, 64, run.arena, &err));
	facts = guest_facts(run.arena, shape);
	facts.boot_tree = damaged_tree(&run, facts.boot_tree);
	config = some_config(&run);
	ok = prepare_once(&run, &facts, &config, &first);
	if (ok) {
		check_plan(&run, &first);
		cr_assert(prepare_once(&run, &facts, &config, &second), "seed %lu", seed);
		cr_assert(digest_equal(first.plan.digest, second.plan.digest),
			"seed %lu: two plans from one input", seed);
	}
	free((void *)(uintptr_t)facts.boot_tree.data);
	arena_free(run.arena);
	return ok;
}

ParameterizedTestParameters(trees, give_an_error_or_a_plan_that_harms_nobody)
{
	static int parts[PARTS];

	for (int i = 0; i < PARTS; i++)
		parts[i] = i;
	return cr_make_param_array(int, parts, PARTS);
}

ParameterizedTest(int *part, trees, give_an_error_or_a_plan_that_harms_nobody, .timeout = 600)
{
	const uint64_t only = hostile_only_seed();
	const uint64_t seeds = hostile_seeds();
	uint64_t planned = 0;

	for (uint64_t seed = (uint64_t)*part; seed < seeds; seed += PARTS) {
		if (only == UINT64_MAX || only == seed)
			planned += run_seed(seed);
	}
	/* Damage that nothing survives, or that harms nothing, would test nothing. */
	if (only == UINT64_MAX)
		cr_assert(planned >= seeds / 100 && planned <= seeds / 11, "%lu of %lu planned",
			planned, seeds / PARTS);
}
