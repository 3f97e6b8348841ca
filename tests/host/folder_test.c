/*
 * Folders of results: names that a worker gives are not trusted, files are all or nothing.
 */
#include "host/folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/diagnostics.h"

/* A new folder for one test; the name is its own. */
static const char *new_folder(void)
{
	static char path[64];

	strcpy(path, P_tmpdir "/pvw-folder-XXXXXX");
	cr_assert_not_null(mkdtemp(path));
	return path;
}

static void remove_folder(const char *path, const char *name)
{
	char file[300];

	snprintf(file, sizeof(file), "%s/%s", path, name);
	unlink(file);
	cr_expect_eq(rmdir(path), 0, "something else is in %s", path);
}

Test(folder, writes_and_replaces_a_file)
{
	const char *path = new_folder();
	char file[128], text[16] = "";
	struct stat status;
	FILE *in;
	Error err;

	cr_assert(folder_make(path, &err));
	cr_assert(folder_write(path, "a.bin", (Bytes){ (const uint8_t *)"longer", 6 }, &err));
	cr_assert(folder_write(path, "a.bin", (Bytes){ (const uint8_t *)"new", 3 }, &err));

	snprintf(file, sizeof(file), "%s/a.bin", path);
	in = fopen(file, "rb");
	cr_assert_not_null(in);
	cr_expect_eq(fread(text, 1, sizeof(text), in), 3);
	fclose(in);
	cr_expect_str_eq(text, "new");
	cr_assert_eq(stat(file, &status), 0);
	cr_expect_eq(status.st_mode & 0700, 0600);
	remove_folder(path, "a.bin");
}

Test(folder, writes_zeros_as_a_hole)
{
	const char *path = new_folder();
	struct stat status;
	char file[128];
	Error err;

	cr_assert(folder_write(path, "zeros.bin", (Bytes){ NULL, 1 << 24 }, &err));

	snprintf(file, sizeof(file), "%s/zeros.bin", path);
	cr_assert_eq(stat(file, &status), 0);
	cr_expect_eq(status.st_size, 1 << 24);
	remove_folder(path, "zeros.bin");
}

Test(folder, refuses_names_that_lead_elsewhere)
{
	static const char *const names[] = { "", ".", "..", ".hidden", "../a", "a/b", "/a",
		"a b", "a\nb", "\xc3\xa4" };
	const char *path = new_folder();
	char longest[300];
	Error err;

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		cr_expect_not(
			folder_write(path, names[i], (Bytes){ (const uint8_t *)"x", 1 }, &err),
			"'%s'", names[i]);
		cr_expect_eq(err.diagnostic, PVW_CLI_0003);
		cr_expect_not_null(strstr(err.text, "plain file name"));
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	cr_expect_not(folder_write(path, longest, (Bytes){ NULL, 1 }, &err));
	cr_expect_eq(err.diagnostic, PVW_CLI_0003);
	remove_folder(path, "none");
}

Test(folder, reports_what_the_system_says)
{
	char deep[4200];
	Error err;

	cr_expect_not(folder_make("/proc/no/such", &err));
	cr_expect_eq(err.diagnostic, PVW_CLI_0002);
	cr_expect_not(folder_make("/dev/null", &err));
	cr_expect_eq(err.diagnostic, PVW_CLI_0002);
	cr_expect_not_null(strstr(err.text, "not a folder"));
	cr_expect_not(folder_write("/no/such", "a", (Bytes){ NULL, 1 }, &err));
	cr_expect_eq(err.diagnostic, PVW_CLI_0002);
	memset(deep, 'a', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = 0;
	cr_expect_not(folder_write(deep, "a", (Bytes){ NULL, 1 }, &err));
	cr_expect_eq(err.diagnostic, PVW_CLI_0002);
	cr_expect_not_null(strstr(err.text, "too long"));
}

/* The new file has taken no name when the rename fails: nothing is left behind. */
Test(folder, leaves_nothing_behind_when_it_fails)
{
	const char *path = new_folder();
	char inner[128];
	Error err;

	snprintf(inner, sizeof(inner), "%s/a.bin", path);
	cr_assert_eq(mkdir(inner, 0700), 0);
	cr_expect_not(folder_write(path, "a.bin", (Bytes){ (const uint8_t *)"x", 1 }, &err));
	cr_expect_eq(err.diagnostic, PVW_CLI_0002);
	cr_expect_eq(rmdir(inner), 0);
	remove_folder(path, "none");
}
