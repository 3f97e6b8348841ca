/*
 * The corpus of a fuzz target as a plain test: every file given, or in a folder given, once.
 *
 * usage: fuzz-TARGET FILE|FOLDER...
 */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz/fuzz.h"

#define MAX_FILE ((size_t)1024 * 1024)

static unsigned files;

static void replay_file(const char *path)
{
	/* Exactly as large as the input, so that a sanitizer sees each byte read behind it. */
	FILE *file = fopen(path, "rb");
	uint8_t *buffer = malloc(MAX_FILE), *exact;
	size_t size;

	FUZZ_ASSERT(file && buffer);
	size = fread(buffer, 1, MAX_FILE, file);
	FUZZ_ASSERT(feof(file));
	exact = malloc(size ? size : 1);
	FUZZ_ASSERT(exact);
	memcpy(exact, buffer, size);
	fclose(file);
	free(buffer);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	files++;
}

static void replay_folder(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;

	FUZZ_ASSERT(folder);
	while ((entry = readdir(folder))) {
		char name[4096];

		if (entry->d_name[0] == '.')
			continue;
		FUZZ_ASSERT(snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) <
			(int)sizeof(name));
		replay_file(name);
	}
	closedir(folder);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct stat status;

		FUZZ_ASSERT(stat(argv[i], &status) == 0);
		if (S_ISDIR(status.st_mode))
			replay_folder(argv[i]);
		else
			replay_file(argv[i]);
	}
	/* Bytes that are nobody's: a target must take them, too. */
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	printf("%u files\n", files);
	return files ? 0 : 1;
}
