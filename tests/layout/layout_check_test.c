/*
 * Named checks of roles and addresses: each with an input that it takes and one that it does not.
 */
#include "layout/layout_check.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#define GIB UINT64_C(0x40000000)
#define LOW                                                                                    \
	{                                                                                      \
		.start = 0xf8000000, .len = 0x8000000, .place = "low"                          \
	}
#define HIGH                                                                                   \
	{                                                                                      \
		.start = 0x240000000, .len = 0x20000000, .place = "high"                       \
	}
#define LOW_DECLARED                                                                           \
	{                                                                                      \
		.start = 0xf8000000, .len = 0x8000000, .role = 1, .place = "low"               \
	}
#define HIGH_DECLARED                                                                          \
	{                                                                                      \
		.start = 0x240000000, .len = 0x20000000, .role = 2, .place = "high"            \
	}
#define MAX_CLAIMS 4

/* A guest as far as these checks look at it. */
typedef struct Guest {
	MmioClaim claims[MAX_CLAIMS]; /* until one without a place */
	MapEntry ram[2];              /* until an empty one */
	uint32_t cpu_node;
	IsolationType isolation;
	bool vtl2_allocates;
} Guest;

/*
 * One check: what it takes, what it finds and a word of it. The letter is that of the mistake in
 * the reference's reading of a list by its order, which the check is there to name.
 */
typedef struct Case {
	const char *name;
	const char *letters;
	uint16_t diagnostic;
	const char *word;
	size_t findings; /* in @refused */
	Guest accepted, refused;
} Case;

static const Case cases[] = {
	{ "window-alignment", "", PVW_ROLE_0002, "0xf8000010", 1, { .claims = { LOW } },
		{ .claims = { { .start = 0xf8000010, .len = 0x1000, .place = "odd" } } } },
	{ "role-vtl", "", PVW_ROLE_0003, "vtl 2", 2,
		{ .claims = { LOW, { .start = 5 * GIB, .len = GIB, .vtl = 2, .place = "v" } } },
		{ .claims = { { .start = 5 * GIB,
				      .len = GIB,
				      .vtl = 2,
				      .role = 2,
				      .place = "vtl2" },
			  { .start = 6 * GIB, .len = GIB, .role = 3, .place = "vtl 2's" } } } },
	{ "role-unknown", "", PVW_ROLE_0004, "role 9", 1, { .claims = { LOW } },
		{ .claims = { { .start = 5 * GIB,
			  .len = GIB,
			  .role = 9,
			  .place = "nine" } } } },
	/* one range across 4 GiB: read as low, its end above 4 GiB */
	{ "role-straddle", "g", PVW_ROLE_0005, "0x110000000", 1,
		{ .claims = { LOW, { .start = FOUR_GIB, .len = 0x10000000, .place = "h" } } },
		{ .claims = { { .start = 0xf0000000,
			  .len = 0x20000000,
			  .place = "across" } } } },
	{ "role-address", "", PVW_ROLE_0006, "chipset-high", 1, { .claims = { LOW_DECLARED } },
		{ .claims = { { .start = 0xf8000000,
			  .len = 0x8000000,
			  .role = 2,
			  .place = "low" } } } },
	{ "window-overlap", "", PVW_ROLE_0007, "overlap", 2, { .claims = { LOW, HIGH } },
		{ .claims = { LOW, LOW, HIGH,
			  { .start = 0x250000000, .len = GIB, .vtl = 2, .place = "v" } } } },
	{ "ram-overlap", "", PVW_ROLE_0008, "RAM", 2,
		{ .claims = { LOW }, .ram = { { .range = { 0, 0xf8000000 } } } },
		{ .claims = { LOW, HIGH },
			.ram = { { .range = { 0, 0xf9000000 } },
				{ .range = { FOUR_GIB, 0x241000000 } } } } },
	{ "role-conflict", "", PVW_ROLE_0009, "declared absent", 1,
		{ .claims = { LOW, { .role = 2, .place = "no high" } } },
		{ .claims = { LOW, HIGH, { .role = 2, .place = "no high" } } } },
	/* two low ranges: the upper one becomes high; two high ones: the first becomes low */
	{ "role-fragmented", "b", PVW_ROLE_0010, "0xe0000000", 1,
		{ .claims = { { .start = 0xf0000000, .len = 0x8000000, .place = "l" }, LOW } },
		{ .claims = { { .start = 0xe0000000, .len = 0x8000000, .place = "l" },
			  LOW } } },
	{ "role-fragmented", "c", PVW_ROLE_0010, "0x300000000", 1,
		{ .claims = { HIGH, { .start = 0x260000000, .len = GIB, .place = "h" } } },
		{ .claims = { HIGH, { .start = 0x300000000, .len = GIB, .place = "h" } } } },
	/* state of an older image keeps the order of a list, not what its places mean */
	{ "role-by-address", "k", PVW_CHECK_0001, "openhcl,mmio-role", 2,
		{ .claims = { LOW_DECLARED, HIGH_DECLARED } }, { .claims = { HIGH, LOW } } },
	/* only a high range is read as low; none as a low window from 0 to 0 */
	{ "window-missing", "a", PVW_CHECK_0002, "none", 1, { .claims = { LOW, HIGH } },
		{ .claims = { HIGH } } },
	{ "window-missing", "d", PVW_CHECK_0002, "none", 1, { .claims = { LOW } },
		{ .ram = { { .range = { 0, GIB } } } } },
	/* VTL2 took the whole high window, and the shim expects two ranges to be left */
	{ "high-missing", "i", PVW_CHECK_0003, "0x20000000", 1, { .claims = { LOW, HIGH } },
		{ .claims = { LOW,
			  { .start = 0x240000000,
				  .len = 0x20000000,
				  .vtl = 2,
				  .place = "vtl2" } } } },
	{ "low-ends-at-4g", "", PVW_CHECK_0004, "0xf8000000", 1, { .claims = { LOW } },
		{ .claims = { { .start = 0xe0000000, .len = 0x18000000, .place = "l" } } } },
	/* a placeholder behind the low range, and one that sorts before it */
	{ "window-placeholder", "e", PVW_CHECK_0005, "0x100000000", 1,
		{ .claims = { LOW, { .start = FOUR_GIB, .role = 2, .place = "none" } } },
		{ .claims = { LOW, { .start = FOUR_GIB, .place = "none" } } } },
	{ "window-placeholder", "f", PVW_CHECK_0005, "0x0", 1, { .claims = { LOW } },
		{ .claims = { { .place = "none" }, LOW } } },
	/* the host's tree has two at most, or the shim does not boot */
	{ "window-count", "h", PVW_CHECK_0006, "3 MMIO", 1, { .claims = { LOW, HIGH } },
		{ .claims = { LOW, HIGH,
			  { .start = 0xe0000000, .len = 0x1000, .role = 4, .place = "r" } } } },
	/* the shim looks at the second of fewer than two */
	{ "window-pair", "j", PVW_CHECK_0009, "1 MMIO", 1,
		{ .claims = { LOW, HIGH }, .isolation = ISOLATION_VBS },
		{ .claims = { LOW }, .isolation = ISOLATION_VBS } },
	{ "window-pair", "j", PVW_CHECK_0009, "1 MMIO", 1, { .claims = { LOW } },
		{ .claims = { LOW }, .vtl2_allocates = true } },
	{ "phys-bits", "", PVW_CHECK_0007, "36 address bits", 2,
		{ .claims = { { .start = 0xfffff000, .len = 0x1000, .place = "l" } },
			.ram = { { .range = { 0, UINT64_C(1) << 36 } } } },
		{ .claims = { { .start = UINT64_C(1) << 36, .len = 0x1000, .place = "far" } },
			.ram = { { .range = { 0, (UINT64_C(1) << 36) + 0x1000 } } } } },
	{ "ram-node", "", PVW_CHECK_0008, "node 2", 1,
		{ .ram = { { .range = { 0, GIB } }, { .range = { GIB, 2 * GIB }, .vnode = 1 } },
			.cpu_node = 2 },
		{ .ram = { { .range = { 0, GIB } },
			  { .range = { GIB, 2 * GIB }, .vnode = 2 } } } },
};

/* What a check finds in a guest. */
static Diagnostics run_check(const char *name, const Guest *guest, Arena *arena)
{
	const LayoutCheck *check = layout_check_find(name);
	const BootCpu cpu = { .vnode = guest->cpu_node };
	ChipsetMmioRanges mmio;
	BootInfo info = { .isolation = guest->isolation,
		.allocation = { .vtl2 = guest->vtl2_allocates },
		.cpus = { &cpu, 1 },
		.map = { guest->ram, 0 },
		.mmio = { guest->claims, 0 } };
	Diagnostics found;
	Error err;

	cr_assert_not_null(check, "%s", name);
	while (info.map.count < ARRAY_COUNT(guest->ram) && guest->ram[info.map.count].range.end)
		info.map.count++;
	while (info.mmio.count < MAX_CLAIMS && guest->claims[info.mmio.count].place)
		info.mmio.count++;
	cr_assert(diagnostics_init(&found, 16, arena, &err));

	const LayoutCheckInput in = {
		.info = &info,
		.mmio = chipset_mmio_resolve(info.mmio, info.map, arena, &mmio, &err) ? &mmio
										      : NULL,
		.physical_address_bits = 36,
	};

	check->check(&in, arena, &found);
	return found;
}

ParameterizedTestParameters(
	layout_check, each_check_takes_one_guest_and_finds_fault_with_another)
{
	static size_t indices[ARRAY_COUNT(cases)];

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		indices[i] = i;
	return cr_make_param_array(size_t, indices, ARRAY_COUNT(cases));
}

ParameterizedTest(
	size_t *index, layout_check, each_check_takes_one_guest_and_finds_fault_with_another)
{
	const Case *c = &cases[*index];
	Arena *arena = arena_new(1 << 20);

	Diagnostics accepted = run_check(c->name, &c->accepted, arena);
	Diagnostics refused = run_check(c->name, &c->refused, arena);

	cr_assert_eq(accepted.count, 0, "%s: %s", c->name,
		accepted.count ? accepted.items[0].what.text : "");
	cr_assert_eq(refused.count, c->findings, "%s %s: %zu findings", c->name, c->letters,
		refused.count);
	for (size_t i = 0; i < refused.count; i++)
		cr_expect_eq(refused.items[i].what.diagnostic, c->diagnostic);
	cr_expect(strstr(refused.items[0].what.text, c->word) ||
			strstr(refused.items[refused.count - 1].what.text, c->word),
		"%s: no '%s' in '%s'", c->name, c->word, refused.items[0].what.text);
	cr_expect_eq(layout_check_find(c->name)->diagnostic, c->diagnostic);
	arena_free(arena);
}

Test(layout_check, has_a_test_for_every_check_and_every_letter)
{
	const LayoutCheckList checks = layout_checks();

	for (size_t i = 0; i < checks.count; i++) {
		bool tested = false;

		for (size_t k = 0; k < ARRAY_COUNT(cases); k++)
			tested = tested || strcmp(cases[k].name, checks.items[i].name) == 0;
		cr_expect(tested, "%s", checks.items[i].name);
	}
	for (const char *letter = "abcdefghijk"; *letter; letter++) {
		bool tested = false;

		for (size_t k = 0; k < ARRAY_COUNT(cases); k++)
			tested = tested || strchr(cases[k].letters, *letter);
		cr_expect(tested, "letter %c", *letter);
	}
}

Test(layout_check, finds_no_row_of_another_name)
{
	cr_expect_null(layout_check_find("role-"));
	cr_expect_null(layout_check_find(""));
}

Test(layout_check, says_nothing_of_windows_that_could_not_be_resolved)
{
	const Guest guest = { .claims = { { .start = 1, .len = 1, .place = "odd" } } };
	Arena *arena = arena_new(1 << 20);

	cr_expect_eq(run_check("window-missing", &guest, arena).count, 0);
	cr_expect_eq(run_check("high-missing", &guest, arena).count, 0);
	cr_expect_eq(run_check("low-ends-at-4g", &guest, arena).count, 0);
	arena_free(arena);
}

Test(layout_check, reports_an_exhausted_arena)
{
	const Guest guest = { .claims = { LOW } };
	Arena *arena = arena_new(1 << 20), *small = arena_new(64);
	BootInfo info = { .mmio = { guest.claims, 1 } };
	const LayoutCheckInput in = { .info = &info, .physical_address_bits = 46 };
	Diagnostics found;
	Error err;

	cr_assert(diagnostics_init(&found, 4, arena, &err));
	while (arena_alloc(small, 1, 1, &err))
		;
	layout_check_find("role-fragmented")->check(&in, small, &found);
	cr_assert_gt(found.count, 0);
	cr_expect_eq(found.items[0].what.diagnostic, PVW_MEM_0001);
	arena_free(small);
	arena_free(arena);
}
