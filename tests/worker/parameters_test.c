/*
 * Parameter pages: what the host wrote there is bounded, then checked.
 */
#include "worker/parameters.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/diagnostics.h"
#include "support/memory_range.h"

#define PAGES_GPA 0x4000
#define PPTT_GPA (PAGES_GPA + 20 * PAGE_SIZE)
#define FILE_SIZE (PAGES_GPA + 40 * PAGE_SIZE)

static Arena *arena;
static int file;
static GuestMemory *memory;
static Error err;

static void open_memory(uint64_t end)
{
	const GuestWindow window = { PAGES_GPA, end - PAGES_GPA, PAGES_GPA };

	cr_assert(guest_memory_new(dup(file), &window, 1, &memory, &err), "%s", err.text);
}

static void setup(void)
{
	arena = arena_new((size_t)1024 * 1024);
	file = memfd_create("parameters", MFD_CLOEXEC);
	cr_assert_eq(ftruncate(file, FILE_SIZE), 0);
	open_memory(FILE_SIZE);
}

static void teardown(void)
{
	guest_memory_free(memory);
	close(file);
	arena_free(arena);
}

TestSuite(parameters, .init = setup, .fini = teardown);

/* A table with a right checksum; @len is what its header says. */
static void put_table(uint64_t gpa, const char *signature, uint32_t len, uint8_t extra)
{
	static uint8_t table[20 * 4096];
	uint8_t sum = 0;

	memset(table, 0x5a, sizeof(table));
	memcpy(table, signature, 4);
	memcpy(table + 4, &len, 4);
	table[9] = 0;
	for (uint32_t i = 0; i < len && i < sizeof(table); i++)
		sum = (uint8_t)(sum + table[i]);
	table[9] = (uint8_t)(extra - sum);
	cr_assert_eq(pwrite(file, table, sizeof(table), (off_t)gpa), (ssize_t)sizeof(table));
}

static void refuse(DiagnosticId diagnostic, const char *word)
{
	Parameters out = { .slit = { NULL, 7 } };

	cr_assert_not(parameters_read(memory, PAGES_GPA, arena, &out, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(out.slit.len, 7, "untouched on failure");
}

Test(parameters, are_absent_in_empty_pages)
{
	Parameters out;

	cr_assert(parameters_read(memory, PAGES_GPA, arena, &out, &err), "%s", err.text);
	cr_assert_eq(out.slit.len + out.pptt.len, 0);
}

Test(parameters, are_two_tables)
{
	Parameters out;

	put_table(PAGES_GPA, "SLIT", 48, 0);
	put_table(PPTT_GPA, "PPTT", 500, 0);
	cr_assert(parameters_read(memory, PAGES_GPA, arena, &out, &err), "%s", err.text);
	cr_assert_eq(out.slit.len, 48);
	cr_assert_eq(out.pptt.len, 500);
	cr_assert_arr_eq(out.slit.data, "SLIT", 4);
	cr_assert_arr_eq(out.pptt.data, "PPTT", 4);
}

Test(parameters, may_be_one_of_them)
{
	Parameters out;

	put_table(PPTT_GPA, "PPTT", 36, 0);
	cr_assert(parameters_read(memory, PAGES_GPA, arena, &out, &err), "%s", err.text);
	cr_assert_eq(out.slit.len, 0);
	cr_assert_eq(out.pptt.len, 36);
}

Test(parameters, fill_their_twenty_pages_at_most)
{
	Parameters out;

	put_table(PAGES_GPA, "SLIT", 20 * 4096, 0);
	cr_assert(parameters_read(memory, PAGES_GPA, arena, &out, &err), "%s", err.text);
	cr_assert_eq(out.slit.len, 20 * 4096);
	put_table(PAGES_GPA, "SLIT", 20 * 4096 + 1, 0);
	refuse(PVW_PARAM_0001, "81921 bytes");
	put_table(PAGES_GPA, "SLIT", UINT32_MAX, 0);
	refuse(PVW_PARAM_0001, "4294967295 bytes");
}

Test(parameters, have_a_whole_header)
{
	for (uint32_t len = 1; len < 36; len += 17) {
		put_table(PPTT_GPA, "PPTT", len, 0);
		refuse(PVW_PARAM_0001, "PPTT");
	}
}

Test(parameters, have_the_signature_of_their_place)
{
	put_table(PAGES_GPA, "PPTT", 48, 0);
	refuse(PVW_PARAM_0002, "SLIT");
	put_table(PAGES_GPA, "\xff\xfe\xfd\xfc", 48, 0);
	refuse(PVW_PARAM_0002, "ff fe fd fc");
}

Test(parameters, add_up_to_zero)
{
	put_table(PAGES_GPA, "SLIT", 48, 1);
	refuse(PVW_PARAM_0003, "0x01");
}

Test(parameters, lie_in_memory_that_is_there)
{
	Parameters out;

	guest_memory_free(memory);
	memory = NULL;
	open_memory(FILE_SIZE - PAGE_SIZE);
	cr_assert(parameters_read(memory, PAGES_GPA, arena, &out, &err), "%s", err.text);
	put_table(PPTT_GPA, "PPTT", 20 * 4096, 0);
	refuse(PVW_GUEST_0007, "PPTT");
	cr_assert_not(parameters_read(memory, 0x1000, arena, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_GUEST_0007);
}
