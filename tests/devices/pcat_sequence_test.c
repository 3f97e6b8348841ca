/*
 * Sequences of accesses from a corpus, and from a generator.
 */
#include "devices/pcat_sequence.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>

#define MAX_SEQUENCE 65536

static uint8_t data[MAX_SEQUENCE];

static size_t read_file(const char *name)
{
	char path[512];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", PCAT_CORPUS, name);
	file = fopen(path, "rb");
	cr_assert_not_null(file, "%s", path);
	len = fread(data, 1, sizeof(data), file);
	fclose(file);
	return len;
}

Test(pcat_sequence, holds_for_the_corpus)
{
	DIR *folder = opendir(PCAT_CORPUS);
	size_t files = 0, writes = 0;

	cr_assert_not_null(folder);
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		writes += pcat_sequence_run(data, read_file(entry->d_name));
		files++;
	}
	closedir(folder);
	cr_assert_geq(files, 5);
	cr_assert_geq(writes, 5);
}

Test(pcat_sequence, holds_for_any_bytes)
{
	uint64_t state = 1;
	size_t writes = 0;

	for (size_t round = 0; round < 200; round++) {
		for (size_t i = 0; i < 4000; i++) {
			state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
			data[i] = (uint8_t)(state >> 56);
		}
		/* Half of them at the two ports, with small numbers: else nothing happens. */
		for (size_t at = 0; at < 4000; at += SEQUENCE_STEP) {
			if (data[at] & 0x20)
				continue;
			data[at] = 8 | (data[at] & 1);
			data[at + 1] = data[at + 1] & 1 ? 0x28 : 0x2c;
			data[at + 2] = 0;
			data[at + 3] &= 0x3f;
			memset(data + at + 4, data[at + 4] & 1 ? 0xff : 0, 3);
		}
		writes += pcat_sequence_run(data, 4000);
	}
	cr_assert_gt(writes, 100);
}
