/*
 * A plan into guest memory: all or, where it can be known before, nothing.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/diagnostics.h"
#include "support/memory_range.h"
#include "worker/commit.h"

#define P PAGE_SIZE

static uint8_t tables[100], code[2 * P];

/* Placed out of order, as builders do; the plan's index is by address. */
static Artifact artifacts[] = {
	{ .name = "code", .placed = true, .gpa = 4 * P, .bytes = { code, sizeof(code) } },
	{ .name = "report", .placed = false, .bytes = { tables, 10 } },
	{ .name = "tables", .placed = true, .gpa = P + 8, .bytes = { tables, sizeof(tables) } },
	{ .name = "hole", .placed = true, .gpa = 2 * P, .bytes = { NULL, P } },
};
static const size_t order[] = { 2, 3, 0 };

static BootPlan plan_of(void)
{
	memset(tables, 0x11, sizeof(tables));
	memset(code, 0x22, sizeof(code));
	return (BootPlan){ .artifacts = { artifacts, ARRAY_COUNT(artifacts) },
		.writes = order,
		.write_count = ARRAY_COUNT(order) };
}

static GuestMemory *guest_of(size_t pages)
{
	const int fd = memfd_create("guest", MFD_CLOEXEC);
	const GuestWindow window = { 0, pages * P, 0 };
	GuestMemory *guest;
	uint8_t filler[P];
	Error err;

	cr_assert_eq(ftruncate(fd, (off_t)(pages * P)), 0);
	memset(filler, 0xff, sizeof(filler));
	cr_assert(guest_memory_new(fd, &window, 1, &guest, &err));
	for (size_t i = 0; i < pages; i++)
		cr_assert(guest_memory_write(guest, i * P, filler, P, &err));
	return guest;
}

static uint8_t byte_at(const GuestMemory *guest, uint64_t gpa)
{
	uint8_t byte = 0;
	Error err;

	cr_assert(guest_memory_read(guest, gpa, &byte, 1, &err));
	return byte;
}

Test(commit, writes_what_is_placed_and_nothing_else)
{
	const BootPlan plan = plan_of();
	GuestMemory *guest = guest_of(8);
	const CommitOptions options = { .verify = true };
	bool touched = false;
	Error err;

	cr_assert(boot_plan_commit(&plan, guest, &options, &touched, &err), "%s", err.text);
	cr_assert(touched);
	for (uint64_t gpa = 0; gpa < 8 * P; gpa++) {
		const uint8_t expected = gpa >= P + 8 && gpa < P + 108 ? 0x11
			: gpa >= 2 * P && gpa < 3 * P                  ? 0
			: gpa >= 4 * P && gpa < 6 * P                  ? 0x22
								       : 0xff;

		if (byte_at(guest, gpa) != expected)
			cr_assert(false, "0x%llx", (unsigned long long)gpa);
	}
	guest_memory_free(guest);
}

Test(commit, writes_nothing_when_one_address_is_not_backed)
{
	const BootPlan plan = plan_of();
	GuestMemory *guest = guest_of(5); /* code ends at page 6 */
	const CommitOptions options = { 0 };
	bool touched = false;
	Error err;

	cr_assert_not(boot_plan_commit(&plan, guest, &options, &touched, &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0007);
	cr_assert_not_null(strstr(err.text, "code"), "%s", err.text);
	cr_assert_not_null(strstr(err.text, "0x5000"), "%s", err.text);
	cr_assert_not(touched);
	for (uint64_t gpa = 0; gpa < 5 * P; gpa += 8)
		cr_assert_eq(byte_at(guest, gpa), 0xff);
	guest_memory_free(guest);
}

Test(commit, measured_pieces_are_compared_first_and_not_written)
{
	GuestMemory *guest = guest_of(8);
	BootPlan plan = plan_of();
	const CommitOptions options = { .verify = true };
	bool touched = false;
	Error err;

	artifacts[0].measured = true;
	cr_assert_not(boot_plan_commit(&plan, guest, &options, &touched, &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0010);
	cr_assert_not_null(strstr(err.text, "code"), "%s", err.text);
	cr_assert_not_null(strstr(err.text, "0x4000"), "%s", err.text);
	cr_assert_not(touched);
	cr_assert_eq(byte_at(guest, P + 8), 0xff);

	cr_assert(guest_memory_write(guest, 4 * P, code, sizeof(code), &err));
	cr_assert(boot_plan_commit(&plan, guest, &options, &touched, &err), "%s", err.text);
	cr_assert(touched);
	cr_assert_eq(byte_at(guest, P + 8), 0x11);
	guest_memory_free(guest);
}

Test(commit, stays_inside_the_windows_of_the_request)
{
	const BootPlan plan = plan_of();
	GuestMemory *guest = guest_of(8);
	const GuestWindow enough = { P, 5 * P, P };
	const GuestWindow small = { P, 2 * P, P };
	const GuestWindow moved = { P, 5 * P, 2 * P };
	CommitOptions options = { .windows = &small, .window_count = 1 };
	bool touched = false;
	Error err;

	cr_assert_not(boot_plan_commit(&plan, guest, &options, &touched, &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0007);
	options.windows = &moved;
	cr_assert_not(boot_plan_commit(&plan, guest, &options, &touched, &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0006);
	cr_assert_not(touched);
	options.windows = &enough;
	cr_assert(boot_plan_commit(&plan, guest, &options, &touched, &err), "%s", err.text);
	cr_assert_eq(byte_at(guest, 4 * P), 0x22);
	guest_memory_free(guest);
}

Test(commit, says_that_memory_was_touched_when_a_write_fails)
{
	const BootPlan plan = plan_of();
	const int fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const GuestWindow window = { 0, 8 * P, 0 };
	const CommitOptions options = { 0 };
	bool touched = false;
	GuestMemory *guest;
	Error err;

	cr_assert_eq(ftruncate(fd, 8 * P), 0);
	cr_assert(guest_memory_new(fd, &window, 1, &guest, &err));
	cr_assert_eq(fcntl(fd, 1024 + 9 /* F_ADD_SEALS */, 8 /* F_SEAL_WRITE */), 0);
	cr_assert_not(boot_plan_commit(&plan, guest, &options, &touched, &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0008);
	cr_assert_not_null(strstr(err.text, "tables"), "%s", err.text);
	cr_assert(touched);
	guest_memory_free(guest);
}

Test(commit, verification_finds_what_does_not_stick)
{
	BootPlan plan = plan_of();
	GuestMemory *guest;
	const int fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	const GuestWindow window = { 0, 8 * P, 0 };
	CommitOptions options = { .verify = false };
	bool touched = false;
	Error err;

	/* A device that takes every write and holds nothing but zeros. */
	artifacts[0].measured = false;
	cr_assert(guest_memory_new(fd, &window, 1, &guest, &err), "%s", err.text);
	cr_assert(boot_plan_commit(&plan, guest, &options, &touched, &err), "%s", err.text);
	options.verify = true;
	cr_assert_not(boot_plan_commit(&plan, guest, &options, &touched, &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0009);
	cr_assert_not_null(strstr(err.text, "0x1008"), "%s", err.text);
	cr_assert(touched);
	guest_memory_free(guest);
}

Test(commit, the_image_digest_is_of_all_writes_in_order)
{
	const BootPlan plan = plan_of();
	static uint8_t image[sizeof(tables) + P + sizeof(code)];

	memset(image, 0x11, sizeof(tables));
	memset(image + sizeof(tables) + P, 0x22, sizeof(code));
	cr_assert(digest_equal(
		boot_plan_image_digest(&plan), digest_of((Bytes){ image, sizeof(image) })));
}
