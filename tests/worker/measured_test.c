/*
 * Measured pages in guest memory, and in the facts of a guest.
 */
#include "worker/measured.h"

#include <criterion/criterion.h>
#include <string.h>

#include "helpers/igvm_builder.h"
#include "support/diagnostics.h"
#include "worker/guest.h"

#define VTL2_PAGE (GUEST_CONFIG + 105 * PAGE_SIZE)

static Arena *arena;
static Diagnostics findings;
static int file;
static Error err;
static uint8_t page[4096];
static MemoryRange config[2];
static MapEntry map[2];
static BootInfo info;

static const uint64_t words[] = { 0x4f48434c56544c30, 5, 0x100, 0x709, 1, 1, 0x2000, 0x100,
	0x2000000, 0, 0, 0, 2, 1 };

static void set_up(void)
{
	arena = arena_new((size_t)32 << 20);
	cr_assert(diagnostics_init(&findings, 16, arena, &err));
	file = guest_file();
	config[0] = (MemoryRange){ GUEST_CONFIG, GUEST_CONFIG + 40 * PAGE_SIZE };
	config[1] = (MemoryRange){ VTL2_PAGE - PAGE_SIZE, VTL2_PAGE + PAGE_SIZE };
	map[0] = (MapEntry){ .range = { 0, 0x10000000 } };
	map[1] =
		(MapEntry){ .range = { 0x10000000, 0x11000000 }, .type = MEMORY_TYPE_VTL2_RAM };
	info = (BootInfo){ .map = { map, 2 }, .config = { config, 2 } };
}

static void tear_down(void)
{
	close(file);
	arena_free(arena);
}

TestSuite(worker_measured, .init = set_up, .fini = tear_down);

static void put(uint64_t gpa, const void *data, size_t len)
{
	cr_assert_eq(pwrite(file, data, len, (off_t)gpa), (ssize_t)len);
}

static void put_pages(void)
{
	static const IgvmRegister rip = { 0x20010, 0x100321, 0 };

	put(0, words, sizeof(words));
	igvm_context_page(page, 0, &rip, 1);
	put(0x1000, page, sizeof(page));
	put(0x2000, "ro quiet", 9);
}

Test(worker_measured, reads_each_page)
{
	MeasuredPages pages = { 0 };

	put_pages();
	put(VTL2_PAGE, "2LTVLCHO", 8);
	cr_assert(
		measured_read(file, &info, GUEST_CONFIG, arena, &pages, &err), "%s", err.text);
	cr_assert_eq(pages.config.len, 4096u);
	cr_assert_eq(pages.vp_context.data[0], 1);
	cr_assert_str_eq((const char *)pages.command_line.data, "ro quiet");
	cr_assert_arr_eq(pages.vtl2.data, "2LTVLCHO", 8);
}

Test(worker_measured, finds_none_where_all_was_wiped)
{
	MeasuredPages pages = { 0 };

	cr_assert(
		measured_read(file, &info, GUEST_CONFIG, arena, &pages, &err), "%s", err.text);
	cr_assert_eq(pages.config.len + pages.vtl2.len, 0u);
	/* aarch64 has it at 16 MiB; here VTL0 has no memory there. */
	info.arch = GUEST_ARCH_AARCH64;
	map[0].range.end = 0x1000000;
	cr_assert(
		measured_read(file, &info, GUEST_CONFIG, arena, &pages, &err), "%s", err.text);
}

Test(worker_measured, refuses_what_it_does_not_know)
{
	MeasuredPages pages = { 0 };

	put(0, "whatever it is, it is not ours", 30);
	cr_assert_not(measured_read(file, &info, GUEST_CONFIG, arena, &pages, &err));
	cr_assert_eq(err.diagnostic, PVW_MEASURED_0002, "%s", err.text);
	put_pages();
	map[0].range.end = 0x1000000;
	cr_assert_not(measured_read(file, &info, GUEST_CONFIG, arena, &pages, &err));
	cr_assert_eq(err.diagnostic, PVW_MEASURED_0006, "%s", err.text);
}

Test(worker_measured, becomes_facts_and_a_plan)
{
	FactInputs in = guest_facts(arena, (GuestShape){ 0 });
	const PlanInputs plan_in = { 0 };
	ConfigInputs config_in = { .settings = platform_settings_default() };
	Facts facts;
	Config configured;
	Prepared prepared;

	put_pages();
	cr_assert(measured_read(file, &info, GUEST_CONFIG, arena, &in.measured, &err));
	cr_assert(prepare_facts(&in, arena, &facts, &findings, &err), "%s", err.text);
	cr_assert(facts.measured.uefi);
	cr_assert_eq(facts.vp_context.count, 1u);
	cr_assert_eq(facts.measured_line.len, 8u);
	cr_assert(prepare_config(&facts, &config_in, arena, &configured, &findings, &err));
	cr_assert(
		prepare_plan(&facts, &configured, &plan_in, arena, &prepared, &findings, &err),
		"%s", err.text);
	cr_assert_eq(prepared.plan.registers.items[0].id, REGISTER_RIP);
	cr_assert_eq(prepared.plan.registers.items[0].low, 0x100321u);
	cr_assert_not_null(boot_plan_find(&prepared.plan, "measured.vp-context"));

	in.measured.vp_context.len = 3;
	cr_assert_not(prepare_facts(&in, arena, &facts, &findings, &err));
	cr_assert_eq(err.diagnostic, PVW_MEASURED_0010);
	cr_assert_str_eq(err.source, "measured:vp-context");
}
