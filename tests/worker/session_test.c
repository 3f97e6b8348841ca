/*
 * The state machine: what may follow what, what a failed step leaves behind, what reaches memory.
 */
#include "worker/session.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "worker/guest.h"

static Arena *arena;
static Diagnostics findings;
static Error err;
static int guest_fd;
static Session *session;

static void open_session(SessionOptions options)
{
	session_free(session);
	options.guest_fd = guest_fd;
	cr_assert(session_new(&options, &session, &err));
}

static void setup(void)
{
	arena = arena_new((size_t)64 * 1024 * 1024);
	cr_assert(diagnostics_init(&findings, 64, arena, &err));
	err = (Error){ 0 };
	guest_fd = guest_file();
	open_session((SessionOptions){ 0 });
}

static void teardown(void)
{
	session_free(session);
	close(guest_fd);
	arena_free(arena);
}

TestSuite(session, .init = setup, .fini = teardown);

/*
 * Steps, each with arguments that are right.
 */

static bool step_boot_info(void)
{
	const FactInputs in = guest_facts(arena, (GuestShape){ 0 });

	return session_load_boot_info(session, &in, &findings, &err);
}

static bool step_configure(void)
{
	const ConfigInputs in = { .settings = platform_settings_default() };
	SettingsClampList clamps;

	return session_configure(session, &in, false, arena, &clamps, &findings, &err);
}

static bool step_plan(void)
{
	const PlanInputs in = { .entropy = { 1 } };

	return session_plan(session, &in, &findings, &err);
}

/* Anything, when there is no plan. */
static Digest plan_digest(void)
{
	const Prepared *prepared = session_prepared(session);

	return prepared ? prepared->plan.digest : (Digest){ { 0 } };
}

static bool load(LoadTarget target, LoadReport *report)
{
	return session_load(session, plan_digest(), &target, arena, report, &err);
}

static bool step_load(void)
{
	LoadReport report;

	return load((LoadTarget){ .memory_only = true }, &report);
}

static bool step_reset(void)
{
	return session_reset(session, &err);
}

static bool step_put_blob(void)
{
	static const uint8_t bytes[4] = "pvw";
	const BlobChunk chunk = { .name = "x", .total = 4, .data = { bytes, 4 } };
	uint64_t received;

	return session_put_blob(session, &chunk, &received, &err);
}

static bool (*const steps[])(void) = { step_boot_info, step_configure, step_plan, step_load };

/* A load that breaks off: the file may not grow beyond the first write's start. */
static void break_a_load(void)
{
	struct rlimit limit;
	LoadReport report;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = 0x1000;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_assert_not(load((LoadTarget){ 0 }, &report));
	limit.rlim_cur = limit.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void reach(SessionState state)
{
	open_session((SessionOptions){ 0 });
	for (unsigned i = 0; i < ARRAY_COUNT(steps) && i < (unsigned)state; i++)
		cr_assert(steps[i](), "%s", err.text);
	if (state == SESSION_FAILED)
		break_a_load();
	if (state == SESSION_STOPPING)
		session_stop(session);
	cr_assert_eq(session_state(session), state);
}

static void expect(DiagnosticId diagnostic, const char *word)
{
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
}

/*
 * What may follow what.
 */

static const struct {
	const char *name;
	bool (*take)(void);
	SessionState first, last; /* allowed in these */
	SessionState leads_to;    /* COUNT: where it was */
} rules[] = {
	{ "boot info", step_boot_info, SESSION_EMPTY, SESSION_PLANNED, SESSION_BOOT_INFO },
	{ "configure", step_configure, SESSION_BOOT_INFO, SESSION_PLANNED, SESSION_CONFIGURED },
	{ "plan", step_plan, SESSION_CONFIGURED, SESSION_PLANNED, SESSION_PLANNED },
	{ "load", step_load, SESSION_PLANNED, SESSION_LOADED, SESSION_LOADED },
	{ "reset", step_reset, SESSION_EMPTY, SESSION_FAILED, SESSION_EMPTY },
	{ "a blob", step_put_blob, SESSION_EMPTY, SESSION_PLANNED, SESSION_STATE_COUNT },
};

Test(session, allows_each_step_in_its_states_and_in_no_other)
{
	for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
		for (SessionState state = 0; state < SESSION_STATE_COUNT; state++) {
			const bool allowed = state >= rules[i].first && state <= rules[i].last;
			uint64_t generation;

			reach(state);
			generation = session_generation(session);
			cr_assert_eq(rules[i].take(), allowed, "%s in %s: %s", rules[i].name,
				session_state_name(state), err.text);
			if (allowed && rules[i].leads_to != SESSION_STATE_COUNT) {
				cr_assert_eq(session_state(session), rules[i].leads_to);
				cr_assert_gt(session_generation(session), generation);
				continue;
			}
			cr_assert_eq(session_state(session), state);
			cr_assert_eq(session_generation(session), generation);
			if (!allowed) {
				expect(PVW_SESSION_0001, session_state_name(state));
				expect(PVW_SESSION_0001, rules[i].name);
			}
		}
	}
}

Test(session, drops_what_was_built_on_a_repeated_step)
{
	reach(SESSION_PLANNED);
	cr_assert(step_configure());
	cr_assert_null(session_prepared(session));
	cr_assert_null(session_plan_inputs(session));
	cr_assert_not_null(session_config(session));
	cr_assert(step_plan() && step_boot_info());
	cr_assert_null(session_config(session));
	cr_assert_not_null(session_facts(session));
	cr_assert(step_reset());
	cr_assert_null(session_facts(session));
	cr_assert_eq(session_arena_bytes(session), 0);
}

Test(session, copies_what_a_request_said)
{
	FactInputs in = guest_facts(arena, (GuestShape){ 0 });
	uint8_t *tree = tree_copy(arena, in.boot_tree);
	const Digest digest = digest_of(in.boot_tree);

	in.boot_tree.data = tree;
	cr_assert(session_load_boot_info(session, &in, &findings, &err));
	memset(tree, 0xff, in.boot_tree.len);
	cr_assert(digest_equal(digest, digest_of(session_facts(session)->inputs.boot_tree)));
}

Test(session, copies_every_view_of_the_settings)
{
	char text[] = "a serial number";
	ConfigInputs in = { .settings = platform_settings_default() };
	uint8_t table[40] = "OEM1";
	Bytes tables[1] = { { table, sizeof(table) } };
	ChannelDemand demand = { .mmio_megabytes = 8 };
	SettingsClampList clamps;
	const Config *config;

	reach(SESSION_BOOT_INFO);
	table[4] = sizeof(table);
	in.settings.smbios.serial_number = (Bytes){ (uint8_t *)text, strlen(text) };
	in.settings.linux_direct.command_line = in.settings.smbios.serial_number;
	in.settings.vtl2_settings = in.settings.smbios.serial_number;
	in.settings.acpi_tables = tables;
	in.settings.acpi_table_count = 1;
	in.channels = (ChannelDemandList){ &demand, 1 };
	cr_assert(session_configure(session, &in, false, arena, &clamps, &findings, &err), "%s",
		err.text);
	memset(text, 'x', strlen(text));
	memset(table, 0, sizeof(table));
	tables[0].len = demand.mmio_megabytes = 0;

	config = session_config(session);
	cr_assert_arr_eq(config->settings.smbios.serial_number.data, "a serial number", 15);
	cr_assert_arr_eq(
		config->settings.linux_direct.command_line.data, "a serial number", 15);
	cr_assert_arr_eq(config->settings.vtl2_settings.data, "a serial number", 15);
	cr_assert_eq(config->settings.acpi_tables[0].len, sizeof(table));
	cr_assert_arr_eq(config->settings.acpi_tables[0].data, "OEM1", 4);
	cr_assert_eq(config->inputs.channels.items[0].mmio_megabytes, 8);
}

/*
 * Steps that fail.
 */

Test(session, keeps_everything_when_a_step_fails)
{
	const FactInputs no_tree = { .arch = GUEST_ARCH_X86_64 };
	ConfigInputs bad_config = { .settings = platform_settings_default(),
		.relay_devices = 65 };
	const PlanInputs bad_plan = { .request = { .layout_version = 99 } };
	SettingsClampList clamps = { 0 };
	uint64_t generation;
	const Digest *digest;
	Digest before;

	reach(SESSION_PLANNED);
	bad_config.settings.chipset.vmbus_redirection = true;
	generation = session_generation(session);
	digest = &session_prepared(session)->plan.digest;
	before = *digest;
	cr_assert_not(session_load_boot_info(session, &no_tree, &findings, &err));
	cr_assert_not(session_configure(
		session, &bad_config, false, arena, &clamps, &findings, &err));
	cr_assert_not(session_plan(session, &bad_plan, &findings, &err));
	expect(PVW_BOOT_0002, "99");

	cr_assert_eq(session_state(session), SESSION_PLANNED);
	cr_assert_eq(session_generation(session), generation);
	cr_assert(digest_equal(before, session_prepared(session)->plan.digest));
	cr_assert(step_load());
}

Test(session, changes_nothing_in_a_dry_run)
{
	ConfigInputs in = { .settings = platform_settings_default() };
	SettingsClampList clamps;
	uint64_t generation;

	reach(SESSION_PLANNED);
	generation = session_generation(session);
	cr_assert(session_configure(session, &in, true, arena, &clamps, &findings, &err));
	in.relay_devices = 65;
	cr_assert_not(session_configure(session, &in, true, arena, &clamps, &findings, &err));
	cr_assert_eq(session_state(session), SESSION_PLANNED);
	cr_assert_eq(session_generation(session), generation);
	cr_assert_not_null(session_prepared(session));
}

Test(session, refuses_a_tree_of_another_isolation)
{
	const FactInputs in = guest_facts(arena, (GuestShape){ .isolation = "snp" });

	cr_assert_not(session_load_boot_info(session, &in, &findings, &err));
	expect(PVW_SESSION_0002, "isolation");
	cr_assert_eq(session_state(session), SESSION_EMPTY);
	open_session((SessionOptions){ .isolation = ISOLATION_SNP });
	cr_assert(session_load_boot_info(session, &in, &findings, &err), "%s", err.text);
	open_session((SessionOptions){ .isolation_from_tree = true });
	cr_assert(session_load_boot_info(session, &in, &findings, &err), "%s", err.text);
}

/*
 * Inside VTL2.
 */

Test(session, keeps_the_boot_info_of_the_machine)
{
	open_session((SessionOptions){ .isolation_from_tree = true, .narrow_only = true });
	cr_assert(step_boot_info());
	session_keep_boot_info(session);
	cr_assert_not(step_boot_info());
	expect(PVW_SESSION_0001, "BOOT_INFO");
	cr_assert(step_configure() && step_plan() && step_put_blob());
	cr_assert_not(session_may_load_boot_info(session, &err));
	expect(PVW_SESSION_0001, "PLANNED");

	cr_assert(step_reset());
	cr_assert_eq(session_state(session), SESSION_BOOT_INFO);
	cr_assert_not_null(session_facts(session));
	cr_assert_null(session_config(session));
	cr_assert_eq(session_blobs(session)->count, 0);
	cr_assert(step_configure());
}

/*
 * Guest memory.
 */

static bool file_is_untouched(void)
{
	struct stat file;

	return fstat(guest_fd, &file) == 0 && file.st_blocks == 0;
}

static bool file_holds_the_plan(void)
{
	const BootPlan *plan = &session_prepared(session)->plan;

	for (size_t i = 0; i < plan->write_count; i++) {
		const Artifact *artifact = &plan->artifacts.items[plan->writes[i]];
		uint8_t *there = arena_array(arena, uint8_t, artifact->bytes.len, &err);

		cr_assert_not_null(there);
		if (pread(guest_fd, there, artifact->bytes.len, (off_t)artifact->gpa) !=
			(ssize_t)artifact->bytes.len)
			return false;
		if (!digest_equal(digest_of((Bytes){ there, artifact->bytes.len }),
			    plan->digests[plan->writes[i]]))
			return false;
	}
	return true;
}

Test(session, loads_the_plan_that_was_seen)
{
	LoadReport report;

	reach(SESSION_PLANNED);
	cr_assert(load((LoadTarget){ .verify = true }, &report), "%s", err.text);
	cr_assert_eq(session_state(session), SESSION_LOADED);
	cr_assert_eq(report.writes, session_prepared(session)->plan.write_count);
	cr_assert_gt(report.bytes, 0);
	cr_assert(file_holds_the_plan());
	cr_assert(load((LoadTarget){ .verify = true }, &report), "again");
}

Test(session, loads_no_other_plan)
{
	Digest digest;
	LoadReport report;

	reach(SESSION_PLANNED);
	for (unsigned i = 0; i < 8 * sizeof(digest.bytes); i += 37) {
		digest = plan_digest();
		digest.bytes[i / 8] ^= (uint8_t)(1u << i % 8);
		cr_assert_not(session_load(
			session, digest, &(LoadTarget){ 0 }, arena, &report, &err));
		expect(PVW_SESSION_0003, "expected");
	}
	cr_assert_eq(session_state(session), SESSION_PLANNED);
	cr_assert(file_is_untouched());
}

Test(session, writes_nowhere_for_memory_only)
{
	LoadReport report, written;

	reach(SESSION_PLANNED);
	cr_assert(load((LoadTarget){ .memory_only = true }, &report));
	cr_assert_eq(report.writes, 0);
	cr_assert_eq(report.bytes, 0);
	cr_assert(file_is_untouched());
	cr_assert(load((LoadTarget){ 0 }, &written));
	cr_assert(digest_equal(report.image, written.image));
}

Test(session, needs_guest_memory_to_write_to)
{
	const int kept = guest_fd;
	LoadReport report;

	guest_fd = -1;
	reach(SESSION_PLANNED);
	cr_assert_not(load((LoadTarget){ 0 }, &report));
	expect(PVW_SESSION_0004, "--guest-memory");
	cr_assert_eq(session_state(session), SESSION_PLANNED);
	guest_fd = kept;
}

Test(session, is_failed_by_a_load_that_breaks_off)
{
	reach(SESSION_FAILED);
	expect(PVW_GUEST_0008, "0x");
	cr_assert(step_reset());
	cr_assert_eq(session_state(session), SESSION_EMPTY);
	cr_assert(step_boot_info() && step_configure() && step_plan());

	LoadReport report;

	cr_assert(load((LoadTarget){ .verify = true }, &report), "%s", err.text);
}

Test(session, is_failed_by_a_second_load_that_breaks_off)
{
	LoadReport report;

	reach(SESSION_PLANNED);
	cr_assert(load((LoadTarget){ 0 }, &report));
	break_a_load();
	cr_assert_eq(session_state(session), SESSION_FAILED);
}

Test(session, stays_planned_when_memory_is_too_short_for_the_plan)
{
	LoadReport report;

	reach(SESSION_PLANNED);
	cr_assert_eq(ftruncate(guest_fd, 0x1000), 0);
	cr_assert_not(load((LoadTarget){ 0 }, &report));
	expect(PVW_GUEST_0004, "");
	cr_assert_eq(session_state(session), SESSION_PLANNED);
	cr_assert(file_is_untouched());
}

/* The first and the last guest address of the plan's writes, page aligned. */
static GuestWindow window_of_plan(void)
{
	const BootPlan *plan = &session_prepared(session)->plan;
	const Artifact *first = &plan->artifacts.items[plan->writes[0]];
	const Artifact *last = &plan->artifacts.items[plan->writes[plan->write_count - 1]];
	const uint64_t start = first->gpa & ~UINT64_C(0xfff);
	const uint64_t end = (last->gpa + last->bytes.len + 0xfff) & ~UINT64_C(0xfff);

	return (GuestWindow){ start, end - start, start };
}

Test(session, lets_a_request_narrow_the_table_and_nothing_else)
{
	const GuestWindow all[] = { { 0, 0x10000000, 0 } };
	const struct {
		SessionOptions options;
		const char *what;
	} kinds[] = {
		{ { .windows = all, .window_count = 1 }, "table at start" },
		{ { .narrow_only = true, .isolation_from_tree = true }, "inside VTL2" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		GuestWindow window, moved, wide, elsewhere = { 0x10000000, 0x1000, 0x10000000 };
		const GuestWindow *bad[] = { &moved, &wide, &elsewhere };
		LoadReport report;

		open_session(kinds[i].options);
		cr_assert(step_boot_info() && step_configure() && step_plan());
		window = moved = wide = window_of_plan();
		moved.offset += 0x1000;
		wide.len = 0x10000000;
		for (size_t k = 0; k < ARRAY_COUNT(bad); k++) {
			cr_assert_not(load(
				(LoadTarget){ .windows = bad[k], .window_count = 1 }, &report));
			expect(PVW_GUEST_0006, "");
			cr_assert_eq(
				session_state(session), SESSION_PLANNED, "%s", kinds[i].what);
		}
		cr_assert(load((LoadTarget){ .windows = &window,
				       .window_count = 1,
				       .verify = true },
				  &report),
			"%s: %s", kinds[i].what, err.text);
	}
}

Test(session, takes_the_request_s_table_when_none_was_given_at_start)
{
	GuestWindow moved, small;
	LoadReport report;

	reach(SESSION_PLANNED);
	moved = small = window_of_plan();
	moved.offset = 0;
	small.len = 0x1000;
	small.gpa = small.offset = 0x1000000;
	cr_assert_not(load((LoadTarget){ .windows = &small, .window_count = 1 }, &report));
	expect(PVW_GUEST_0007, "");
	cr_assert(file_is_untouched());
	cr_assert(load((LoadTarget){ .windows = &moved, .window_count = 1, .verify = true },
			  &report),
		"%s", err.text);
	cr_assert_not(file_holds_the_plan());
}

/*
 * Blobs.
 */

Test(session, keeps_blobs_that_settings_may_name)
{
	static const uint8_t more[] = { 1, 2 };
	BlobChunk chunk = { .name = "y", .total = 4, .data = { more, 2 } };
	uint64_t received;

	reach(SESSION_BOOT_INFO);
	cr_assert(step_put_blob() && step_put_blob(), "replaced while nothing names it");
	cr_assert(session_put_blob(session, &chunk, &received, &err));
	cr_assert(step_configure());
	cr_assert_not(step_put_blob());
	expect(PVW_BLOB_0006, "CONFIGURED");
	chunk.offset = 2;
	cr_assert(session_put_blob(session, &chunk, &received, &err), "may be completed");
	cr_assert(step_boot_info());
	cr_assert(step_put_blob(), "the settings are gone");
	cr_assert(step_reset());
	cr_assert_eq(session_blobs(session)->count, 0);
}

Test(session, names_its_states)
{
	cr_assert_str_eq(session_state_name(SESSION_EMPTY), "EMPTY");
	cr_assert_str_eq(session_state_name(SESSION_STOPPING), "STOPPING");
	cr_assert_str_eq(session_state_name(SESSION_STATE_COUNT), "?");
}
