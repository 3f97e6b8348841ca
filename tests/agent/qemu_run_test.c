/*
 * A machine's console and its end, played by shells: descriptor 3 is the monitor's.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/qemu_run.h"
#include "support/diagnostics.h"

static char *said;
static size_t said_len;
static QemuResult result;
static Error err;

static bool play(const char *script, uint32_t timeout_s)
{
	const char *const command[] = { "/bin/sh", "-c", script, NULL };
	FILE *console = open_memstream(&said, &said_len);
	const QemuRun run = { .command = command, .timeout_s = timeout_s, .console = console };
	bool ended;

	err = (Error){ 0 };
	result = (QemuResult){ .status = 99 };
	ended = qemu_run(&run, &result, &err);
	fclose(console);
	return ended;
}

static void refused(const char *script, uint32_t timeout_s, int diagnostic, const char *words)
{
	cr_assert_not(play(script, timeout_s), "%s", script);
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert_not_null(strstr(err.text, words), "%s", err.text);
	cr_assert_eq(result.status, 99u);
	free(said);
}

#define OFF "echo '{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-shutdown\"}}' >&3; "
#define RESET "echo '{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-reset\"}}' >&3; "

Test(qemu_run, shows_the_console_until_the_guest_is_off)
{
	cr_assert(play("printf 'one '; sleep 0.1; echo two; " OFF, 20), "%s", err.text);
	cr_assert_eq(result.status, 0);
	cr_assert_eq(result.console_bytes, 8);
	cr_assert_eq(said_len, 8);
	cr_assert_eq(memcmp(said, "one two\n", 8), 0);
	free(said);
}

Test(qemu_run, asks_the_monitor_for_events_and_gives_no_input)
{
	cr_assert(play("head -n 1 <&3; cat; exit 0", 20), "%s", err.text);
	cr_assert_not_null(strstr(said, "qmp_capabilities"));
	free(said);
}

Test(qemu_run, passes_the_guests_status_on)
{
	cr_assert(play("echo hello; exit 85", 20), "%s", err.text);
	cr_assert_eq(result.status, 42);
	free(said);
	cr_assert(play("echo hello; exit 1", 20), "%s", err.text);
	cr_assert_eq(result.status, 0);
	free(said);
}

Test(qemu_run, takes_more_than_it_can_hold)
{
	cr_assert(
		play("i=0; while [ $i -lt 4000 ]; do echo 0123456789abcdef; i=$((i+1)); done; "
		     "head -c 100000 /dev/zero >&3; " OFF,
			60),
		"%s", err.text);
	cr_assert_eq(result.console_bytes, 4000u * 17);
	free(said);
}

Test(qemu_run, says_that_it_cannot_run)
{
	const char *const command[] = { "/no/such/program", NULL };
	const QemuRun run = { .command = command, .console = stderr };
	Error error = { 0 };

	cr_assert_not(qemu_run(&run, &result, &error));
	cr_assert_eq(error.diagnostic, PVW_AGENT_0012);
	cr_assert_not_null(strstr(error.text, "/no/such/program"), "%s", error.text);
	refused("exit 1", 20, PVW_AGENT_0012, "status 1");
	refused("kill -SEGV $$", 20, PVW_AGENT_0012, "signal 11");
}

Test(qemu_run, reports_a_guest_that_says_nothing)
{
	refused(OFF "exit 0", 20, PVW_AGENT_0013, "then an end");
	refused(RESET "exit 0", 20, PVW_AGENT_0013, "then a reset");
	refused("exec sleep 60", 1, PVW_AGENT_0013, "and no end");
}

Test(qemu_run, ends_a_guest_that_does_not)
{
	refused("echo hello; exec sleep 60", 1, PVW_AGENT_0014, "still runs");
}

Test(qemu_run, reports_panics_and_resets)
{
	refused("printf 'Kernel pa'; sleep 0.2; echo 'nic - not syncing'; exec sleep 60", 30,
		PVW_AGENT_0015, "panicked");
	refused("echo hello; " RESET "exit 0", 20, PVW_AGENT_0015, "reset its machine");
}
