/*
 * Plans: what is accepted, in which order it comes out, and the digest, whose expected values were
 * computed from docs/formats.md by another program.
 */
#include "loaders/boot_plan.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/diagnostics.h"

#define TEXT(literal) ((Bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static Arena *arena;

static void set_up(void)
{
	arena = arena_new(1 << 20);
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(boot_plan, .init = set_up, .fini = tear_down);

/*	RAM	[ 0x0 … 0x10000 )[ 0x10000 … 0x20000 )      [ 0x100000 … 0x200000 )	*/
static const LayoutRecord ram_records[] = {
	{ .kind = LAYOUT_RAM, .range = { 0, 0x10000 } },
	{ .kind = LAYOUT_RAM, .range = { 0x10000, 0x20000 }, .vnode = 1 },
	{ .kind = LAYOUT_RAM, .range = { 0x100000, 0x200000 } },
};
static const LayoutRecordList ram = { ram_records, ARRAY_COUNT(ram_records) };

static BootPlanBuilder *begin(void)
{
	const PlanPolicy policy = { MTRR_POLICY_EXACT, ACPI_PROFILE_REFERENCE, 1 };
	BootPlanBuilder *plan = NULL;
	Error err = { 0 };

	cr_assert(boot_plan_begin(BOOT_UEFI, policy, arena, &plan, &err), "%s", err.text);
	return plan;
}

static BootPlan finish(BootPlanBuilder *builder)
{
	BootPlan plan = { 0 };
	Error err = { 0 };

	cr_assert(boot_plan_finish(builder, ram, &plan, &err), "%s", err.text);
	return plan;
}

static void expect_refusal(BootPlanBuilder *builder, uint16_t diagnostic, const char *word)
{
	BootPlan plan = { .write_count = 77 };
	Error err = { 0 };

	cr_assert_not(boot_plan_finish(builder, ram, &plan, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(plan.write_count, 77u, "output touched");
}

static void expect_digest(Digest digest, const char *expected)
{
	char text[DIGEST_HEX_SIZE];

	digest_format(digest, text);
	cr_assert_str_eq(text, expected);
}

Test(boot_plan, keeps_artifacts_in_order_and_writes_by_address)
{
	BootPlanBuilder *builder = begin();
	const Artifact *found;
	BootPlan plan;

	boot_plan_place(builder, "c", 0x100000, TEXT("ccc"));
	boot_plan_add(builder, (Artifact){ .name = "note", .bytes = TEXT("for people") });
	boot_plan_place(builder, "a", 0x1000, TEXT("a"));
	boot_plan_place(builder, "b", 0x1008, TEXT("bb"));
	plan = finish(builder);

	cr_assert_eq(plan.kind, BOOT_UEFI);
	cr_assert_eq(plan.artifacts.count, 4u);
	cr_assert_str_eq(plan.artifacts.items[0].name, "c");
	cr_assert_str_eq(plan.artifacts.items[1].name, "note");
	cr_assert_eq(plan.write_count, 3u);
	cr_assert_eq(plan.writes[0], 2u);
	cr_assert_eq(plan.writes[1], 3u);
	cr_assert_eq(plan.writes[2], 0u);
	found = boot_plan_find(&plan, "b");
	cr_assert_eq(found, &plan.artifacts.items[3]);
	cr_assert_str_eq(found->media_type, "application/octet-stream");
	cr_assert_null(boot_plan_find(&plan, "d"));
}

static Register reg(RegisterId id, uint64_t low)
{
	return (Register){ .id = id, .low = low };
}

/* docs/formats.md, "Plan digest" */
static BootPlan worked_example(void)
{
	BootPlanBuilder *builder = begin();

	boot_plan_place(builder, "text", 0x2000, TEXT("pvw\n"));
	boot_plan_place(builder, "zeros", 0x1000, (Bytes){ NULL, 16 });
	boot_plan_add(builder, (Artifact){ .name = "note", .bytes = TEXT("for people") });
	boot_plan_register(builder, reg(REGISTER_RIP, 0x1000));
	boot_plan_register(builder, reg(REGISTER_PAT, 0x0007040600070406));
	boot_plan_register(builder, reg(REGISTER_MTRR_DEF_TYPE, 0xc00));
	return finish(builder);
}

Test(boot_plan, has_the_digest_of_the_worked_example)
{
	const BootPlan plan = worked_example();

	expect_digest(plan.digests[1],
		"374708fff7719dd5979ec875d56cd2286f6d3cf7ec317a3b25632aab28ec37bb");
	expect_digest(plan.digests[0],
		"14d6620cd85381fa44ea8d5a474ab0252b28def88917ca3f628d952da2928b2b");
	expect_digest(plan.digest,
		"8fd2eec71911b78ec35b69e77f4b2d1127a665a6725401e1667a4298b404fb88");
}

Test(boot_plan, groups_registers_by_scope)
{
	const BootPlan plan = worked_example();
	const RegisterSet *sets = plan.register_sets.items;

	cr_assert_eq(plan.registers.count, 3u);
	cr_assert_eq(plan.registers.items[0].id, REGISTER_RIP, "emission order is kept");
	cr_assert_eq(plan.register_sets.count, 2u);
	cr_assert_eq(sets[0].scope, REGISTER_SCOPE_ALL_VPS);
	cr_assert_eq(sets[0].registers.count, 2u);
	cr_assert_eq(sets[0].registers.items[0].id, REGISTER_PAT);
	cr_assert_eq(sets[0].registers.items[1].id, REGISTER_MTRR_DEF_TYPE);
	cr_assert_eq(sets[1].scope, REGISTER_SCOPE_BSP);
	cr_assert_eq(sets[1].registers.count, 1u);
	cr_assert_eq(sets[1].registers.items[0].low, 0x1000u);
}

Test(boot_plan, leaves_out_empty_register_sets)
{
	BootPlanBuilder *builder = begin();
	BootPlan plan;

	boot_plan_register(builder, reg(REGISTER_X0, 5));
	plan = finish(builder);
	cr_assert_eq(plan.register_sets.count, 1u);
	cr_assert_eq(plan.register_sets.items[0].scope, REGISTER_SCOPE_BSP);
	cr_assert_eq(plan.register_sets.items[0].registers.items[0].id, REGISTER_X0);
}

static BootPlan empty_plan(PlanPolicy policy)
{
	BootPlanBuilder *builder = NULL;
	Error err = { 0 };

	cr_assert(boot_plan_begin(BOOT_NONE, policy, arena, &builder, &err));
	return finish(builder);
}

Test(boot_plan, may_be_empty)
{
	const BootPlan plan =
		empty_plan((PlanPolicy){ MTRR_POLICY_EXACT, ACPI_PROFILE_DEFAULT, 1 });

	cr_assert_eq(plan.kind, BOOT_NONE);
	cr_assert_eq(plan.artifacts.count, 0u);
	cr_assert_eq(plan.write_count, 0u);
	cr_assert_eq(plan.register_sets.count, 0u);
	expect_digest(plan.digest,
		"7a7380214664979cc06b7592b359ea8776bff8a6881c85e05458c9ca19ae1a66");
}

Test(boot_plan, has_another_digest_for_every_policy)
{
	const PlanPolicy policies[] = {
		{ MTRR_POLICY_EXACT, ACPI_PROFILE_DEFAULT, 1 },
		{ MTRR_POLICY_HYPERV, ACPI_PROFILE_DEFAULT, 1 },
		{ MTRR_POLICY_EXACT, ACPI_PROFILE_REFERENCE, 1 },
		{ MTRR_POLICY_EXACT, ACPI_PROFILE_DEFAULT, 2 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(policies); i++) {
		for (size_t j = 0; j < i; j++)
			cr_assert_not(digest_equal(empty_plan(policies[i]).digest,
				empty_plan(policies[j]).digest));
	}
}

/* Bytes, address, name of a register: each of them changes the digest; names do not. */
Test(boot_plan, has_another_digest_for_another_effect)
{
	static const struct {
		const char *name;
		uint64_t gpa;
		const char *text;
		RegisterId id;
		uint64_t low, high;
	} cases[] = {
		{ "a", 0x1000, "x", REGISTER_RIP, 1, 0 },
		{ "a", 0x1008, "x", REGISTER_RIP, 1, 0 },
		{ "a", 0x1000, "y", REGISTER_RIP, 1, 0 },
		{ "a", 0x1000, "x", REGISTER_RSP, 1, 0 },
		{ "a", 0x1000, "x", REGISTER_RIP, 2, 0 },
		{ "a", 0x1000, "x", REGISTER_RIP, 1, 1 },
		{ "b", 0x1000, "x", REGISTER_RIP, 1, 0 },
	};
	Digest digests[ARRAY_COUNT(cases)];

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		BootPlanBuilder *builder = begin();

		boot_plan_place(builder, cases[i].name, cases[i].gpa,
			(Bytes){ (const uint8_t *)cases[i].text, 1 });
		boot_plan_register(
			builder, (Register){ cases[i].id, cases[i].low, cases[i].high });
		digests[i] = finish(builder).digest;
		for (size_t j = 0; j < i && i + 1 < ARRAY_COUNT(cases); j++)
			cr_assert_not(
				digest_equal(digests[i], digests[j]), "%zu and %zu", i, j);
	}
	cr_assert(digest_equal(digests[ARRAY_COUNT(cases) - 1], digests[0]));
}

Test(boot_plan, digests_zeros_of_any_length)
{
	BootPlanBuilder *builder = begin();
	BootPlan plan;

	boot_plan_place(builder, "stack", 0x1000, (Bytes){ NULL, 3 * 4096 + 5 });
	plan = finish(builder);
	expect_digest(plan.digests[0],
		"4febbc07b09aac535d48f27faf323100973b539eb4301fff64184ad8b2403f11");
}

Test(boot_plan, has_no_digest_of_measured_bytes_that_it_has_not_seen)
{
	const PlanPolicy policy = { MTRR_POLICY_HYPERV, ACPI_PROFILE_DEFAULT, 1 };
	const Artifact kernel = { .name = "kernel",
		.placed = true,
		.gpa = 0x100000,
		.bytes = { NULL, 0x5000 },
		.measured = true };
	BootPlanBuilder *builder = NULL;
	Error err = { 0 };
	BootPlan plan;

	cr_assert(boot_plan_begin(BOOT_LINUX, policy, arena, &builder, &err));
	boot_plan_add(builder, kernel);
	plan = finish(builder);
	cr_assert(digest_equal(plan.digests[0], (Digest){ 0 }));
	expect_digest(plan.digest,
		"c5a445edcf717ddf99151389ef779e802c745b419efd782825b8069a14e459b0");
}

Test(boot_plan, lets_writes_touch)
{
	BootPlanBuilder *builder = begin();

	boot_plan_place(builder, "b", 0x1008, TEXT("12345678"));
	boot_plan_place(builder, "a", 0x1000, TEXT("12345678"));
	cr_assert_eq(finish(builder).write_count, 2u);
}

Test(boot_plan, refuses_writes_that_overlap)
{
	BootPlanBuilder *builder = begin();

	boot_plan_place(builder, "second", 0x1008, TEXT("12345678"));
	boot_plan_place(builder, "first", 0x1000, TEXT("123456789"));
	expect_refusal(builder, PVW_PLAN_0001, "second at 0x1008 begins inside of first");
}

Test(boot_plan, refuses_writes_at_one_address)
{
	BootPlanBuilder *builder = begin();

	boot_plan_place(builder, "first", 0x1000, TEXT("1"));
	boot_plan_place(builder, "second", 0x1000, TEXT("1"));
	expect_refusal(builder, PVW_PLAN_0001, "0x1000");
}

Test(boot_plan, refuses_writes_outside_of_ram)
{
	BootPlanBuilder *hole = begin(), *behind = begin();

	boot_plan_place(hole, "hole", 0x20000, TEXT("1"));
	expect_refusal(hole, PVW_PLAN_0002, "hole: 0x20000-0x20001 is not in");
	boot_plan_place(behind, "behind", 0x200000, TEXT("1"));
	expect_refusal(behind, PVW_PLAN_0002, "behind");
}

Test(boot_plan, refuses_writes_that_leave_their_record)
{
	BootPlanBuilder *gap = begin(), *node = begin();

	boot_plan_place(gap, "gap", 0x1fff8, TEXT("123456789"));
	expect_refusal(gap, PVW_PLAN_0002, "leaves RAM at 0x10000-0x20000");
	boot_plan_place(node, "node", 0xfff8, TEXT("123456789"));
	expect_refusal(node, PVW_PLAN_0002, "leaves RAM at 0x0-0x10000");
}

Test(boot_plan, takes_a_write_up_to_the_end_of_its_record)
{
	BootPlanBuilder *builder = begin();

	boot_plan_place(builder, "last", 0x1ffff8, TEXT("12345678"));
	boot_plan_place(builder, "first", 0, TEXT("1"));
	cr_assert_eq(finish(builder).write_count, 2u);
}

Test(boot_plan, refuses_unaligned_addresses)
{
	BootPlanBuilder *builder = begin();

	boot_plan_place(builder, "odd", 0x1004, TEXT("1"));
	expect_refusal(builder, PVW_PLAN_0003, "0x1004, expected a multiple of 8");
}

Test(boot_plan, refuses_writes_that_wrap)
{
	BootPlanBuilder *builder = begin();

	boot_plan_place(builder, "top", UINT64_MAX - 7, (Bytes){ NULL, 16 });
	expect_refusal(builder, PVW_PLAN_0003, "wrap");
}

Test(boot_plan, refuses_writes_of_nothing)
{
	BootPlanBuilder *builder = begin();

	boot_plan_place(builder, "nothing", 0x1000, (Bytes){ 0 });
	expect_refusal(builder, PVW_PLAN_0003, "nothing to write");
}

static const char *number_name(size_t i)
{
	Error err = { 0 };

	return arena_printf(arena, &err, "artifact %zu", i);
}

Test(boot_plan, takes_no_more_artifacts_than_it_says)
{
	BootPlanBuilder *full = begin(), *over = begin();

	for (size_t i = 0; i < BOOT_PLAN_MAX_ARTIFACTS; i++)
		boot_plan_place(full, number_name(i), 8 * i, TEXT("1"));
	cr_assert_eq(finish(full).write_count, (size_t)BOOT_PLAN_MAX_ARTIFACTS);

	for (size_t i = 0; i <= BOOT_PLAN_MAX_ARTIFACTS + 3; i++)
		boot_plan_place(over, number_name(i), 8 * i, TEXT("1"));
	boot_plan_register(over, reg(REGISTER_RIP, 0));
	expect_refusal(
		over, PVW_PLAN_0004, "artifact 1024 is artifact 1025, expected at most 1024");
}

Test(boot_plan, refuses_a_second_value_for_a_register)
{
	BootPlanBuilder *builder = begin();

	boot_plan_register(builder, reg(REGISTER_CR3, 0));
	boot_plan_register(builder, reg(REGISTER_CR3, 0));
	boot_plan_place(builder, "a", 0x1000, TEXT("1"));
	expect_refusal(builder, PVW_PLAN_0005, "Cr3");
}

Test(boot_plan, refuses_a_name_given_twice)
{
	BootPlanBuilder *builder = begin();

	boot_plan_place(builder, "uefi.config", 0x1000, TEXT("1"));
	boot_plan_add(builder, (Artifact){ .name = "uefi.config", .bytes = TEXT("1") });
	expect_refusal(builder, PVW_PLAN_0006, "uefi.config");
}

Test(boot_plan, reports_the_end_of_memory)
{
	const PlanPolicy policy = { MTRR_POLICY_EXACT, ACPI_PROFILE_DEFAULT, 1 };
	size_t refused = 0;

	for (size_t limit = 0; limit < 16384; limit += 64) {
		Arena *small = arena_new(limit);
		BootPlanBuilder *builder = NULL;
		BootPlan plan = { 0 };
		Error err = { 0 };
		bool done = boot_plan_begin(BOOT_UEFI, policy, small, &builder, &err);

		if (done) {
			boot_plan_place(builder, "a", 0x1000, TEXT("1"));
			boot_plan_register(builder, reg(REGISTER_RIP, 1));
			done = boot_plan_finish(builder, ram, &plan, &err);
		}
		if (!done) {
			cr_assert_eq(err.diagnostic, PVW_MEM_0001, "%s", err.text);
			refused++;
		}
		arena_free(small);
	}
	cr_assert_gt(refused, 0u);
	cr_assert_lt(refused, 16384u / 64);
}
