/*
 * pvw-golden: one reference case in, our output out. Exit status 0 answered (a refusal is an
 * answer), 2 the case cannot be read, 3 an area that is not known here.
 */
#include "golden.h"

#include <stdio.h>
#include <string.h>

/* Far more than any case needs; a bug must not take the machine with it. */
#define GOLDEN_ARENA_LIMIT ((size_t)256 * 1024 * 1024)

static const struct {
	const char *area;
	GoldenRun run;
} areas[] = {
#define GOLDEN_AREA(area) { #area, golden_run_##area },
#include "areas.def"
#undef GOLDEN_AREA
	{ NULL, NULL }
};

static GoldenRun find_area(const char *name)
{
	for (size_t i = 0; areas[i].area; i++) {
		if (strcmp(areas[i].area, name) == 0)
			return areas[i].run;
	}
	return NULL;
}

int main(void)
{
	json_error_t json_error;
	json_t *document =
		json_loadf(stdin, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &json_error);
	Arena *arena = arena_new(GOLDEN_ARENA_LIMIT);
	json_t *output = NULL;
	Error err = { 0 };
	GoldenRun run;

	if (!document)
		golden_malformed("line %d: %s", json_error.line, json_error.text);
	if (!arena)
		golden_malformed("out of memory");
	run = find_area(golden_string(document, "area"));
	if (!run) {
		fprintf(stderr, "pvw-golden: unknown area \"%s\"\n",
			golden_string(document, "area"));
		json_decref(document);
		arena_free(arena);
		return 3;
	}
	if (!run(golden_member(document, "input"), arena, &output, &err))
		output = json_pack("{s: s}", "error", err.text);

	document = (json_decref(document), json_pack("{s: o}", "output", output));
	json_dumpf(document, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(document);
	arena_free(arena);
	return 0;
}
