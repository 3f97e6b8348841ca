/*
 * Guest memory as the agent sees it, and the worker's process.
 */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/machine.h"
#include "support/diagnostics.h"

#define SIZE UINT64_C(0x100000)

static Machine machine_new(void)
{
	Machine machine = MACHINE_NONE;
	Error err = { 0 };

	cr_assert(machine_make_memory(&machine, NULL, &err), "%s", err.text);
	cr_assert(machine_size_memory(&machine, SIZE, &err), "%s", err.text);
	return machine;
}

static void put(const Machine *machine, uint64_t gpa, const char *text)
{
	cr_assert_eq(pwrite(machine->memory_fd, text, strlen(text), (off_t)gpa),
		(ssize_t)strlen(text));
}

Test(machine, begins_with_zeros)
{
	Machine machine = machine_new();
	uint64_t size;
	Error err = { 0 };

	cr_assert(machine_memory_size(&machine, &size, &err));
	cr_assert_eq(size, SIZE);
	cr_assert(machine_compare(&machine, "all", 0, NULL, SIZE, &err), "%s", err.text);
	cr_assert(machine_check_untouched(&machine, 0, SIZE, &err), "%s", err.text);
	machine_close(&machine);
}

Test(machine, compares_bytes_and_names_the_first_that_differs)
{
	Machine machine = machine_new();
	Error err = { 0 };

	put(&machine, 0x5000, "artifact");

	cr_assert(machine_compare(&machine, "a", 0x5000, (const uint8_t *)"artifact", 8, &err));
	cr_assert_not(
		machine_compare(&machine, "a", 0x5000, (const uint8_t *)"artefact", 8, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0004);
	cr_assert_not_null(
		strstr(err.text, "byte 0x69 at 0x5003, expected 0x65"), "%s", err.text);
	machine_close(&machine);
}

Test(machine, compares_digests)
{
	Machine machine = machine_new();
	Digest digest = digest_of((Bytes){ (const uint8_t *)"artifact", 8 });
	Error err = { 0 };

	put(&machine, 0x5000, "artifact");

	cr_assert(machine_compare_digest(&machine, "a", 0x5000, 8, digest.bytes, &err));
	cr_assert_not(machine_compare_digest(&machine, "a", 0x5001, 8, digest.bytes, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0004);
	cr_assert_not_null(strstr(err.text, "0x5001"), "%s", err.text);
	machine_close(&machine);
}

Test(machine, finds_a_byte_where_nothing_was_planned)
{
	Machine machine = machine_new();
	Error err = { 0 };

	put(&machine, 0x23456, "!");

	cr_assert(machine_check_untouched(&machine, 0, 0x23456, &err), "%s", err.text);
	cr_assert(machine_check_untouched(&machine, 0x23457, SIZE, &err), "%s", err.text);
	cr_assert_not(machine_check_untouched(&machine, 0, SIZE, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0005);
	cr_assert_not_null(strstr(err.text, "0x23456"), "%s", err.text);
	machine_close(&machine);
}

Test(machine, says_where_memory_ends)
{
	Machine machine = machine_new();
	Error err = { 0 };

	cr_assert_not(machine_compare(&machine, "a", SIZE - 4, NULL, 8, &err));

	cr_assert_eq(err.diagnostic, PVW_AGENT_0001);
	cr_assert_not_null(strstr(err.text, "0x100000"), "%s", err.text);
	machine_close(&machine);
}

Test(machine, refuses_a_file_that_is_there)
{
	Machine machine = MACHINE_NONE;
	Error err = { 0 };

	cr_assert_not(machine_make_memory(&machine, "/dev/null", &err));

	cr_assert_eq(err.diagnostic, PVW_AGENT_0001);
	cr_assert_not_null(strstr(err.text, "/dev/null"), "%s", err.text);
}

Test(machine, notices_a_worker_that_does_not_end_well)
{
	Machine machine = machine_new();
	const WorkerStart start = { .program = "false", .sandbox = "off" };
	Error err = { 0 };

	cr_assert(machine_start_worker(&machine, &start, &err), "%s", err.text);

	cr_assert_not(machine_wait_worker(&machine, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0003);
	cr_assert_not_null(strstr(err.text, "status 1"), "%s", err.text);
	machine_close(&machine);
}

Test(machine, ends_a_worker_that_still_runs)
{
	Machine machine = machine_new();
	const int silence = open("/dev/null", O_WRONLY | O_CLOEXEC);
	/* "yes serve …" never ends by itself; nobody wants to read it */
	const WorkerStart start = { .program = "yes", .sandbox = "off" };
	Error err = { 0 };

	cr_assert_eq(dup2(silence, STDOUT_FILENO), STDOUT_FILENO);
	cr_assert(machine_start_worker(&machine, &start, &err), "%s", err.text);

	machine_close(&machine);
	cr_assert_eq(machine.worker, 0);
	cr_assert_eq(machine.memory_fd, -1);
}

/* Two windows, the higher one first in the file. */
static Machine machine_with_windows(void)
{
	static const MachineWindow windows[] = {
		{ 0, 0x10000, 0x20000 },
		{ 0x100000000, 0x20000, 0 },
	};
	Machine machine = machine_new();

	machine.windows = (MachineWindowList){ windows, 2 };
	return machine;
}

Test(machine, looks_through_windows)
{
	Machine machine = machine_with_windows();
	uint64_t size;
	char text[4];
	Error err = { 0 };

	put(&machine, 0x21000, "low");
	put(&machine, 0x1000, "high");

	cr_assert(machine_read(&machine, "x", 0x1000, text, 3, &err), "%s", err.text);
	cr_assert_eq(memcmp(text, "low", 3), 0);
	cr_assert(machine_compare(&machine, "x", 0x100001000, (const uint8_t *)"high", 4, &err),
		"%s", err.text);
	cr_assert(machine_memory_size(&machine, &size, &err));
	cr_assert_eq(size, 0x100020000);
	cr_assert_not(machine_read(&machine, "x", 0xfffe, text, 4, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0001);
	cr_assert_not_null(strstr(err.text, "x: no guest memory at 0x10000"), "%s", err.text);
	machine_close(&machine);
}

Test(machine, finds_bytes_behind_windows_only)
{
	Machine machine = machine_with_windows();
	Error err = { 0 };

	put(&machine, 0x50000, "nobody's");
	cr_assert(machine_check_untouched(&machine, 0, UINT64_MAX, &err), "%s", err.text);

	put(&machine, 0x1f000, "!");
	cr_assert(machine_check_untouched(&machine, 0, 0x10001f000, &err), "%s", err.text);
	cr_assert(machine_check_untouched(&machine, 0x10001f001, UINT64_MAX, &err), "%s",
		err.text);
	cr_assert_not(machine_check_untouched(&machine, 0, UINT64_MAX, &err));
	cr_assert_eq(err.diagnostic, PVW_AGENT_0005);
	cr_assert_not_null(strstr(err.text, "0x10001f000"), "%s", err.text);
	machine_close(&machine);
}
