/*
 * Guest memory: its table, and access against a plain array as the model.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "helpers/rpc_probe.h"
#include "support/diagnostics.h"
#include "support/memory_range.h"
#include "worker/guest_memory.h"

#define P PAGE_SIZE

static int file_of(size_t pages)
{
	const int fd = memfd_create("guest", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, (off_t)(pages * P)), 0);
	return fd;
}

static GuestMemory *memory_of(size_t pages, const GuestWindow *windows, size_t count)
{
	GuestMemory *memory;
	Error err;

	cr_assert(guest_memory_new(file_of(pages), windows, count, &memory, &err), "%s",
		err.text);
	return memory;
}

static void assert_refused(
	size_t pages, const GuestWindow *windows, size_t count, uint16_t id, const char *word)
{
	GuestMemory *memory = NULL;
	Error err;

	cr_assert_not(guest_memory_new(file_of(pages), windows, count, &memory, &err));
	cr_assert_null(memory);
	cr_assert_eq(err.diagnostic, id, "%s", err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
}

/* Guest pages 0-3, 4-5 (elsewhere in the file, touching) and 8-9. */
static const GuestWindow three[] = {
	{ 8 * P, 2 * P, 0 },
	{ 0, 4 * P, 6 * P },
	{ 4 * P, 2 * P, 2 * P },
};

Test(guest_memory, writes_where_the_window_says)
{
	GuestMemory *memory;
	const int fd = file_of(10);
	char read_back[5] = { 0 };
	Error err;

	cr_assert(guest_memory_new(dup(fd), three, 3, &memory, &err));
	cr_assert(guest_memory_write(memory, 0x1003, "hello", 5, &err));
	cr_assert_eq(pread(fd, read_back, 5, (off_t)(7 * P + 3)), 5);
	cr_assert_eq(memcmp(read_back, "hello", 5), 0);
	memset(read_back, 0, 5);
	cr_assert(guest_memory_read(memory, 0x1003, read_back, 5, &err));
	cr_assert_eq(memcmp(read_back, "hello", 5), 0);
	guest_memory_free(memory);
	close(fd);
}

Test(guest_memory, crosses_from_window_to_window)
{
	GuestMemory *memory = memory_of(10, three, 3);
	static uint8_t out[2 * P], in[2 * P];
	Error err;

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 31 >> 3);
	cr_assert(guest_memory_write(memory, 3 * P + 100, out, sizeof(out), &err));
	cr_assert(guest_memory_read(memory, 3 * P + 100, in, sizeof(in), &err));
	cr_assert_arr_eq(in, out, sizeof(out));
	guest_memory_free(memory);
}

Test(guest_memory, writes_nothing_if_a_byte_is_not_backed)
{
	GuestMemory *memory = memory_of(10, three, 3);
	static uint8_t bytes[4 * P];
	uint8_t first = 9;
	Error err;

	memset(bytes, 0xee, sizeof(bytes));
	cr_assert_not(guest_memory_write(memory, 5 * P, bytes, P + 1, &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0007);
	cr_assert_not_null(strstr(err.text, "0x6000"), "%s", err.text);
	cr_assert(guest_memory_read(memory, 5 * P, &first, 1, &err));
	cr_assert_eq(first, 0);
	cr_assert_not(guest_memory_zero(memory, 9 * P, 2 * P, &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0007);
	cr_assert_not_null(strstr(err.text, "0xa000"), "%s", err.text);
	cr_assert_not(guest_memory_read(memory, 7 * P, bytes, 1, &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0007);
	cr_assert_not(guest_memory_check(memory, UINT64_MAX - 3, 8, &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0007);
	cr_assert_not_null(strstr(err.text, "wrap"), "%s", err.text);
	guest_memory_free(memory);
}

Test(guest_memory, nothing_is_always_backed)
{
	GuestMemory *memory = memory_of(10, three, 3);
	Error err;

	cr_assert(guest_memory_check(memory, 7 * P, 0, &err));
	cr_assert(guest_memory_write(memory, 7 * P, NULL, 0, &err));
	guest_memory_free(memory);
}

Test(guest_memory, refuses_bad_windows)
{
	const GuestWindow empty = { 0, 0, 0 };
	const GuestWindow crooked[] = { { 1, P, 0 }, { 0, P + 1, 0 }, { 0, P, 1 } };
	const GuestWindow wraps[] = { { UINT64_MAX - P + 1, 2 * P, 0 },
		{ 0, 2 * P, UINT64_MAX - P + 1 }, { 0, 2 * P, INT64_MAX - P + 1 } };

	assert_refused(4, &empty, 1, PVW_GUEST_0002, "size");
	for (size_t i = 0; i < 3; i++) {
		assert_refused(4, &crooked[i], 1, PVW_GUEST_0002, "multiples");
		assert_refused(4, &wraps[i], 1, PVW_GUEST_0002, "wraps");
	}
}

Test(guest_memory, refuses_overlapping_windows)
{
	const GuestWindow guest[] = { { 0, 2 * P, 0 }, { P, 2 * P, 4 * P } };
	const GuestWindow file[] = { { 0, 2 * P, 0 }, { 8 * P, 2 * P, P } };

	assert_refused(8, guest, 2, PVW_GUEST_0003, "guest addresses");
	assert_refused(8, file, 2, PVW_GUEST_0003, "file");
}

Test(guest_memory, refuses_windows_beyond_the_file)
{
	const GuestWindow window = { 0, 4 * P, P };

	assert_refused(4, &window, 1, PVW_GUEST_0004, "0x4000 bytes");
}

Test(guest_memory, refuses_too_many_windows)
{
	GuestWindow windows[GUEST_MEMORY_MAX_WINDOWS + 1];

	for (size_t i = 0; i < ARRAY_COUNT(windows); i++)
		windows[i] = (GuestWindow){ 2 * i * P, P, i * P };
	assert_refused(
		ARRAY_COUNT(windows), windows, ARRAY_COUNT(windows), PVW_GUEST_0005, "513");

	GuestMemory *memory = memory_of(512, windows, 512);
	size_t count;

	guest_memory_windows(memory, &count);
	cr_assert_eq(count, 512);
	guest_memory_free(memory);
}

Test(guest_memory, gives_its_table_in_order)
{
	GuestMemory *memory = memory_of(10, three, 3);
	size_t count;
	const GuestWindow *windows = guest_memory_windows(memory, &count);

	cr_assert_eq(count, 3);
	cr_assert(windows[0].gpa == 0 && windows[1].gpa == 4 * P && windows[2].gpa == 8 * P);
	guest_memory_free(memory);
}

Test(guest_memory, windows_of_a_request_only_narrow)
{
	GuestMemory *memory = memory_of(10, three, 3), *narrow = NULL;
	const GuestWindow inside = { P, 2 * P, 7 * P };
	const GuestWindow moved = { P, 2 * P, 6 * P };
	const GuestWindow wider = { 3 * P, 2 * P, 9 * P };
	const GuestWindow nowhere = { 7 * P, P, 0 };
	uint8_t byte;
	Error err;

	cr_assert(guest_memory_narrow(memory, &inside, 1, &narrow, &err), "%s", err.text);
	cr_assert(guest_memory_write(narrow, P, "x", 1, &err));
	cr_assert_not(guest_memory_write(narrow, 3 * P, "x", 1, &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0007);
	guest_memory_free(narrow);
	cr_assert(guest_memory_read(memory, P, &byte, 1, &err), "the descriptor stays open");
	cr_assert_eq(byte, 'x');

	cr_assert_not(guest_memory_narrow(memory, &moved, 1, &narrow, &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0006);
	cr_assert_eq(err.code, ERROR_DENIED);
	cr_assert_not_null(strstr(err.text, "inside"), "%s", err.text);
	cr_assert_not(guest_memory_narrow(memory, &nowhere, 1, &narrow, &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0006);
	cr_assert_not(guest_memory_narrow(memory, &wider, 1, &narrow, &err));
	cr_assert(err.diagnostic == PVW_GUEST_0006 || err.diagnostic == PVW_GUEST_0004);
	guest_memory_free(memory);
}

Test(guest_memory, compares_with_bytes_and_with_zeros)
{
	const GuestWindow window = { 0, 64 * P, 0 };
	GuestMemory *memory = memory_of(64, &window, 1);
	uint8_t *bytes = calloc(1, 40 * P);
	uint64_t where = 0;
	bool equal = false;
	Error err;

	cr_assert(guest_memory_compare(memory, 0, NULL, 64 * P, &equal, &where, &err));
	cr_assert(equal);
	bytes[33 * P + 5] = 7;
	cr_assert(guest_memory_compare(memory, P, bytes, 40 * P, &equal, &where, &err));
	cr_assert_not(equal);
	cr_assert_eq(where, 34 * P + 5);
	cr_assert(guest_memory_write(memory, P, bytes, 40 * P, &err));
	cr_assert(guest_memory_compare(memory, P, bytes, 40 * P, &equal, &where, &err));
	cr_assert(equal);
	cr_assert(guest_memory_zero(memory, 34 * P + 1, 2 * P, &err));
	cr_assert(guest_memory_compare(memory, 0, NULL, 64 * P, &equal, &where, &err));
	cr_assert(equal);
	free(bytes);
	guest_memory_free(memory);
}

Test(guest_memory, a_file_that_shrinks_is_an_error)
{
	const int fd = file_of(4);
	const GuestWindow window = { 0, 4 * P, 0 };
	GuestMemory *memory;
	uint8_t bytes[2 * P];
	Error err;

	cr_assert(guest_memory_new(dup(fd), &window, 1, &memory, &err));
	cr_assert_eq(ftruncate(fd, P), 0);
	cr_assert_not(guest_memory_read(memory, 0, bytes, sizeof(bytes), &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0008);
	cr_assert_not_null(strstr(err.text, "0x1000"), "%s", err.text);
	guest_memory_free(memory);
	close(fd);
}

/*
 * Large writes into a file that cannot shrink.
 */

#define LARGE ((size_t)3 << 20)

static int sealed_file(size_t len)
{
	const int fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	cr_assert_eq(ftruncate(fd, (off_t)len), 0);
	cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	return fd;
}

static size_t mapped_bytes(void)
{
	char line[512];
	size_t sum = 0;
	FILE *maps = fopen("/proc/self/maps", "r");

	cr_assert_not_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		unsigned long start, end;

		if (strstr(line, "memfd:guest") && sscanf(line, "%lx-%lx", &start, &end) == 2)
			sum += end - start;
	}
	fclose(maps);
	return sum;
}

static void write_pattern(GuestMemory *memory, uint64_t gpa, size_t len, uint8_t seed)
{
	uint8_t *bytes = malloc(len);
	bool equal = false;
	uint64_t where;
	Error err;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i % 251 + seed);
	cr_assert(guest_memory_write(memory, gpa, bytes, len, &err), "%s", err.text);
	cr_assert(guest_memory_compare(memory, gpa, bytes, len, &equal, &where, &err));
	cr_assert(equal);
	free(bytes);
}

Test(guest_memory, copies_to_where_it_wrote_before)
{
	const GuestWindow window = { 0x100000, 2 * LARGE, 0 };
	const int fd = sealed_file(2 * LARGE);
	GuestMemory *memory;
	uint8_t edge[2];
	Error err;

	cr_assert(guest_memory_new(fd, &window, 1, &memory, &err));
	write_pattern(memory, 0x100800, LARGE, 1);
	cr_assert_eq(mapped_bytes(), 0u, "holes are filled by the system");
	write_pattern(memory, 0x100800, LARGE, 2);
	cr_assert_eq(mapped_bytes(), LARGE + P, "pages at both ends in part");
	write_pattern(memory, 0x100800, LARGE, 3);
	write_pattern(memory, 0x100900, 17, 4);

	/* nothing beside it */
	cr_assert_eq(pread(fd, edge, 1, 0x7ff), 1);
	cr_assert_eq(pread(fd, edge + 1, 1, 0x800 + LARGE), 1);
	cr_assert_eq(edge[0] | edge[1], 0);

	/* elsewhere, and partly in a hole: the mapping goes, the bytes arrive */
	write_pattern(memory, 0x100800 + LARGE - P, LARGE / 2, 5);
	cr_assert_eq(mapped_bytes(), 0u);
	guest_memory_free(memory);
	cr_assert_eq(mapped_bytes(), 0u);
}

Test(guest_memory, copies_across_windows)
{
	const GuestWindow windows[] = { { 0, LARGE, LARGE }, { LARGE, LARGE, 0 } };
	GuestMemory *memory;
	Error err;

	cr_assert(guest_memory_new(sealed_file(2 * LARGE), windows, 2, &memory, &err));
	for (uint8_t round = 1; round < 4; round++)
		write_pattern(memory, 0x1000, 2 * LARGE - 0x2000, round);
	guest_memory_free(memory);
}

Test(guest_memory, copies_nothing_into_a_file_that_can_shrink)
{
	const GuestWindow window = { 0, LARGE, 0 };
	GuestMemory *memory;
	Error err;

	cr_assert(guest_memory_new(file_of(LARGE / P), &window, 1, &memory, &err));
	write_pattern(memory, 0, LARGE, 1);
	write_pattern(memory, 0, LARGE, 2);
	cr_assert_eq(mapped_bytes(), 0u);
	guest_memory_free(memory);
}

Test(guest_memory, is_an_error_where_a_sealed_file_cannot_be_written)
{
	const GuestWindow window = { 0, LARGE, 0 };
	const int fd = sealed_file(LARGE);
	GuestMemory *memory;
	uint8_t *bytes = calloc(1, LARGE);
	Error err;

	cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	cr_assert(guest_memory_new(fd, &window, 1, &memory, &err));
	cr_assert_not(guest_memory_write(memory, 0, bytes, LARGE, &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0008);
	guest_memory_free(memory);
	free(bytes);
}

Test(guest_memory, a_file_that_cannot_be_written_is_an_error)
{
	const int fd = file_of(4);
	const GuestWindow window = { 0, 4 * P, 0 };
	GuestMemory *memory;
	char path[64];
	Error err;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	cr_assert(guest_memory_new(open(path, O_RDONLY), &window, 1, &memory, &err));
	cr_assert_not(guest_memory_write(memory, P, "x", 1, &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0008);
	cr_assert_not_null(strstr(err.text, "write at guest address 0x1000"), "%s", err.text);
	guest_memory_free(memory);
	close(fd);
}

Test(guest_memory, opens_paths_and_descriptors)
{
	const int fd = file_of(1);
	const char *const bad[] = { "fd:", "fd:x", "fd:-1", "fd:99999999999", "fd:3x", "fd:999",
		"/nonexistent/file", "" };
	char text[64];
	int opened = -1;
	Error err;

	snprintf(text, sizeof(text), "fd:%d", fd);
	cr_assert(guest_memory_open_fd(text, &opened, &err), "%s", err.text);
	cr_assert_eq(opened, fd);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	snprintf(text, sizeof(text), "/proc/self/fd/%d", fd);
	cr_assert(guest_memory_open_fd(text, &opened, &err), "%s", err.text);
	close(opened);
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		cr_assert_not(guest_memory_open_fd(bad[i], &opened, &err), "%s", bad[i]);
		cr_assert_eq(err.diagnostic, PVW_GUEST_0001);
	}
	snprintf(text, sizeof(text), "fd:%d", open("/dev/null", O_RDONLY));
	cr_assert_not(guest_memory_open_fd(text, &opened, &err));
	cr_assert_not_null(strstr(err.text, "reading and writing"), "%s", err.text);
}

Test(guest_memory, refuses_a_descriptor_that_is_closed)
{
	const GuestWindow window = { 0, P, 0 };
	GuestMemory *memory;
	Error err;

	cr_assert_not(guest_memory_new(987, &window, 1, &memory, &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0001);
	cr_assert_not_null(strstr(err.text, "987"));
}

/* Random windows over a small file, random accesses, and an array that says what must be there. */
Test(guest_memory, agrees_with_a_plain_array)
{
	enum { PAGES = 32 };
	uint64_t random = 99;
	Error err;

	for (int world = 0; world < 30; world++) {
		GuestWindow windows[PAGES];
		size_t count = 0;
		bool backed[PAGES] = { false };
		uint8_t *model = calloc(PAGES, P);
		uint64_t offset = 0;

		for (uint64_t page = 0; page < PAGES;) {
			const uint64_t len = 1 + probe_random(&random) % 4;

			if (page + len > PAGES)
				break;
			if (probe_random(&random) % 3) {
				windows[count++] =
					(GuestWindow){ page * P, len * P, offset * P };
				offset += len;
				for (uint64_t i = 0; i < len; i++)
					backed[page + i] = true;
			}
			page += len;
		}

		GuestMemory *memory = memory_of(PAGES, windows, count);

		for (int step = 0; step < 200; step++) {
			static uint8_t bytes[6 * P];
			const uint64_t gpa = probe_random(&random) % (PAGES * P);
			const size_t len = probe_random(&random) % (6 * P);
			bool all = gpa + len <= PAGES * P;

			for (uint64_t at = gpa; all && at < gpa + len; at++)
				all = backed[at / P];
			memset(bytes, (int)probe_random(&random), len);
			cr_assert_eq(guest_memory_write(memory, gpa, bytes, len, &err), all);
			if (all)
				memcpy(model + gpa, bytes, len);
			if (guest_memory_read(memory, gpa, bytes, len, &err))
				cr_assert_eq(memcmp(bytes, model + gpa, len), 0);
			else
				cr_assert_not(all);
		}
		guest_memory_free(memory);
		free(model);
	}
}
