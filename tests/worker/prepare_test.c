/*
 * The pipeline as a whole: what is right comes out right, equal comes out equal, and what is
 * wrong is refused by the step that it concerns.
 */
#include "worker/prepare.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "worker/guest.h"

static Arena *arena;
static Diagnostics findings;
static Error err;

static void setup(void)
{
	arena = arena_new((size_t)256 * 1024 * 1024);
	cr_assert(diagnostics_init(&findings, 64, arena, &err));
	err = (Error){ 0 };
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(prepare, .init = setup, .fini = teardown);

static Facts facts_of(GuestShape shape)
{
	const FactInputs in = guest_facts(arena, shape);
	Facts facts;

	cr_assert(prepare_facts(&in, arena, &facts, &findings, &err), "%s", err.text);
	return facts;
}

static ConfigInputs config_inputs(void)
{
	return (ConfigInputs){ .settings = platform_settings_default() };
}

static Config config_of(const Facts *facts, ConfigInputs in)
{
	Config config;

	cr_assert(prepare_config(facts, &in, arena, &config, &findings, &err), "%s", err.text);
	return config;
}

static Prepared plan_of(const Facts *facts, const Config *config, PlanInputs in)
{
	Prepared prepared;

	cr_assert(prepare_plan(facts, config, &in, arena, &prepared, &findings, &err), "%s",
		err.text);
	return prepared;
}

static void expect(DiagnosticId diagnostic, const char *word)
{
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
}

Test(prepare, plans_a_guest_from_its_tree)
{
	const Facts facts = facts_of((GuestShape){ 0 });
	const Config config = config_of(&facts, config_inputs());
	const Prepared prepared = plan_of(&facts, &config, (PlanInputs){ 0 });

	cr_assert_eq(facts.topology.count, 2);
	cr_assert_eq(facts.mmio.low.start, 0xf8000000);
	cr_assert_eq(facts.mmio.high.end, 0x1100000000);
	cr_assert_eq(prepared.layout.vtl0.ram.count, 2);
	cr_assert_gt(prepared.plan.write_count, 0);
	cr_assert_gt(prepared.plan.registers.count, 0);
}

Test(prepare, gives_equal_digests_for_equal_inputs)
{
	const Facts facts = facts_of((GuestShape){ 0 });
	const Config config = config_of(&facts, config_inputs());
	const PlanInputs in = { .entropy = { 1, 2, 3 } };
	const Prepared one = plan_of(&facts, &config, in);
	const Prepared two = plan_of(&facts, &config, in);

	cr_assert(digest_equal(one.plan.digest, two.plan.digest));
}

Test(prepare, gives_another_digest_for_other_entropy)
{
	const Facts facts = facts_of((GuestShape){ 0 });
	const Config config = config_of(&facts, config_inputs());
	const Prepared one = plan_of(&facts, &config, (PlanInputs){ .entropy = { 1 } });
	const Prepared two = plan_of(&facts, &config, (PlanInputs){ .entropy = { 2 } });

	cr_assert_not(digest_equal(one.plan.digest, two.plan.digest));
}

Test(prepare, cuts_the_relay_off_the_high_window)
{
	const Facts facts = facts_of((GuestShape){ 0 });
	ConfigInputs in = config_inputs();

	in.relay_devices = 4;
	in.settings.chipset.vmbus_redirection = true;

	const Config config = config_of(&facts, in);

	cr_assert_eq(memory_range_len(config.relay), 4 * 8192);
	cr_assert_eq(config.relay.end, 0x1100000000);
	cr_assert_eq(config.mmio.high.end, config.relay.start);
	cr_assert_eq(facts.mmio.high.end, 0x1100000000);
}

Test(prepare, numbers_as_many_processors_as_the_tree_has)
{
	const uint32_t counts[] = { 1, 64, 2048 };

	for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
		const Facts facts = facts_of((GuestShape){ .cpus = counts[i] });
		const Config config = config_of(&facts, config_inputs());

		plan_of(&facts, &config, (PlanInputs){ 0 });
		cr_assert_eq(facts.topology.count, counts[i]);
	}
}

/* Memory grows with the processors, not with their square. */
Test(prepare, takes_memory_in_proportion_to_the_processors)
{
	const uint32_t counts[] = { 64, 512, 2048 };
	size_t used[ARRAY_COUNT(counts)];

	for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
		const FactInputs in = guest_facts(arena, (GuestShape){ .cpus = counts[i] });
		Arena *own = arena_new(PREPARE_ARENA_LIMIT);
		const ConfigInputs config_in = config_inputs();
		const PlanInputs plan_in = { 0 };
		Prepared prepared;
		Config config;
		Facts facts;

		cr_assert(prepare_facts(&in, own, &facts, &findings, &err) &&
			prepare_config(&facts, &config_in, own, &config, &findings, &err) &&
			prepare_plan(
				&facts, &config, &plan_in, own, &prepared, &findings, &err));
		used[i] = arena_used(own);
		arena_free(own);
	}
	cr_log_info("arena: %zu, %zu, %zu bytes", used[0], used[1], used[2]);
	cr_assert_lt(used[1], 8 * used[0]);
	cr_assert_lt(used[2], 4 * used[1] + 4096);
}

Test(prepare, wraps_what_the_parser_says)
{
	FactInputs in = guest_facts(arena, (GuestShape){ 0 });
	Facts facts = { 0 };

	in.boot_tree.len = 20;
	cr_assert_not(prepare_facts(&in, arena, &facts, &findings, &err));
	cr_assert_eq(strncmp(err.text, "boot info: ", 11), 0, "%s", err.text);
	cr_assert_null(facts.topology.vps);
}

Test(prepare, refuses_another_number_of_processors_than_the_host_said)
{
	FactInputs in = guest_facts(arena, (GuestShape){ 0 });
	Facts facts;

	in.stated_vp_count = 3;
	cr_assert_not(prepare_facts(&in, arena, &facts, &findings, &err));
	expect(PVW_MSG_0006, "3 processors, expected 2");
	cr_assert_str_eq(err.source, "host_caps.vp_count");
}

Test(prepare, refuses_a_processor_that_is_not_the_tree_s)
{
	static const StatedVp wrong[] = { { 1, 0, 7 }, { 1, 3, 1 }, { 2, 0, 2 } };
	static const StatedVp right[] = { { 1, 0, 1 }, { 0, 0, 0 } };
	FactInputs in = guest_facts(arena, (GuestShape){ 0 });
	Facts facts;

	in.stated_vps = right;
	in.stated_vps_count = 2;
	cr_assert(prepare_facts(&in, arena, &facts, &findings, &err), "%s", err.text);
	cr_assert_null(facts.inputs.stated_vps);
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		in.stated_vps = &wrong[i];
		in.stated_vps_count = 1;
		cr_assert_not(prepare_facts(&in, arena, &facts, &findings, &err), "%zu", i);
		expect(PVW_MSG_0006, "expected");
		cr_assert_str_eq(err.source, "host_caps.vps");
	}
}

Test(prepare, asks_the_policy_what_an_isolated_guest_may_have)
{
	const Facts facts = facts_of((GuestShape){ .isolation = "snp" });
	ConfigInputs in = config_inputs();
	Config config;

	in.settings.uefi.hibernation = true;
	in.settings.uefi.measure_additional_pcrs = true;
	cr_assert_not(prepare_config(&facts, &in, arena, &config, &findings, &err));
	expect(PVW_SETTINGS_0001, "hibernation");
	in.settings.uefi.hibernation = false;
	in.settings.uefi.memory_protection = MEMORY_PROTECTION_RELAXED;
	config = config_of(&facts, in);
	cr_assert_eq(config.clamps.count, 1);
	cr_assert_eq(config.settings.uefi.memory_protection, MEMORY_PROTECTION_DEFAULT);
	cr_assert_eq(config.inputs.settings.uefi.memory_protection, MEMORY_PROTECTION_RELAXED);
}

Test(prepare, says_which_step_of_the_configuration_failed)
{
	const Facts facts = facts_of((GuestShape){ 0 });
	ConfigInputs in = config_inputs();
	Config config;

	in.relay_devices = 65;
	in.settings.chipset.vmbus_redirection = true;
	cr_assert_not(prepare_config(&facts, &in, arena, &config, &findings, &err));
	expect(PVW_VMBUS_0001, "relay aperture: ");
}

Test(prepare, says_which_path_could_not_plan)
{
	const Facts facts = facts_of((GuestShape){ 0 });
	ConfigInputs in = config_inputs();
	const PlanInputs plan_in = { 0 };
	Prepared prepared;

	in.settings.firmware = BOOT_IGVM;

	const Config config = config_of(&facts, in);

	cr_assert_not(
		prepare_plan(&facts, &config, &plan_in, arena, &prepared, &findings, &err));
	expect(PVW_IGVM_0032, "igvm: ");
}
