/*
 * pvw-bench: what our calls cost.
 *
 * Without --count: nanoseconds a call (median of seven batches), bytes produced, arena bytes used
 * and the ratio to a memcpy of the same output, interleaved with it in the same run. With --count
 * N: calls each bench exactly N times and prints nothing, for callgrind:
 *
 *	valgrind --tool=callgrind pvw-bench --count 20 NAME    minus    --count 0, divided by 20
 */
#include "bench.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ARENA_LIMIT ((size_t)256 * 1024 * 1024)
#define BATCHES 7
#define BATCH_NS                                                                               \
	UINT64_C(20000000) /* long enough for the clock, short enough for all benches */

static _Noreturn void fail(const Bench *bench, const Error *err)
{
	fprintf(stderr, "pvw-bench: %s: %s%s%s\n", bench->name, err->source,
		err->source[0] ? ": " : "", err->text);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void call(const Bench *bench, const void *input, Arena *arena, size_t *produced)
{
	Error err = { 0 };

	arena_reset(arena);
	if (!bench->call(input, arena, produced, &err))
		fail(bench, &err);
}

static uint64_t time_calls(const Bench *bench, const void *input, Arena *arena, uint64_t count)
{
	const uint64_t begun = now_ns();
	size_t produced;

	for (uint64_t i = 0; i < count; i++)
		call(bench, input, arena, &produced);
	return now_ns() - begun;
}

/* The compiler must not see through the copy. */
static uint64_t time_copies(uint8_t *to, const uint8_t *from, size_t len, uint64_t count)
{
	const uint64_t begun = now_ns();

	for (uint64_t i = 0; i < count; i++) {
		memcpy(to, from, len);
		__asm__ volatile("" : : "r"(to) : "memory");
	}
	return now_ns() - begun;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, BATCHES, sizeof(*values), compare);
	return values[BATCHES / 2];
}

static void measure(const Bench *bench, const void *input, Arena *arena)
{
	double calls[BATCHES], copies[BATCHES];
	uint64_t count = 1, took;
	size_t produced = 0;
	uint8_t *from, *to;

	while ((took = time_calls(bench, input, arena, count)) < BATCH_NS)
		count = took < BATCH_NS / 100 ? count * 10 : count * 2;
	call(bench, input, arena, &produced);
	from = calloc(2, produced + 1);
	if (!from)
		exit(1);
	to = from + produced + 1;
	for (size_t i = 0; i < BATCHES; i++) {
		calls[i] = (double)time_calls(bench, input, arena, count) / (double)count;
		copies[i] = (double)time_copies(to, from, produced, count) / (double)count;
	}
	free(from);
	printf("%-24s %12.0f ns %9zu bytes %10zu arena %9.1f x memcpy\n", bench->name,
		median(calls), produced, arena_used(arena), median(calls) / median(copies));
}

static void run(const Bench *bench, bool counted, uint64_t count)
{
	Arena *kept = arena_new(ARENA_LIMIT), *arena = arena_new(ARENA_LIMIT);
	const void *input = NULL;
	Error err = { 0 };
	size_t produced;

	if (!kept || !arena)
		exit(1);
	if (!bench->setup(bench->parameter, kept, &input, &err))
		fail(bench, &err);
	if (counted) {
		/* The first call makes the arena's memory; it is not what is counted. */
		call(bench, input, arena, &produced);
		for (uint64_t i = 0; i < count; i++)
			call(bench, input, arena, &produced);
	} else {
		measure(bench, input, arena);
	}
	arena_free(arena);
	arena_free(kept);
}

static const char usage[] =
	"usage: pvw-bench [--count N] [NAME]\n\n"
	"Runs the benches whose name contains NAME, all without it.\n"
	"  --count N   call each exactly N times and print nothing (for callgrind)\n"
	"  --list      print the names\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'c' },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool counted = false, listed = false, found = false;
	uint64_t count = 0;
	int choice;

	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		char *end = NULL;

		if (choice == 'c') {
			counted = true;
			errno = 0;
			count = strtoull(optarg, &end, 10);
		}
		if (choice == 'l')
			listed = true;
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == '?' || (end && (*end || errno))) {
			fputs(usage, stderr);
			return 2;
		}
	}
	for (const Bench *bench = benches; bench->name; bench++) {
		if (argv[optind] && !strstr(bench->name, argv[optind]))
			continue;
		found = true;
		if (listed)
			puts(bench->name);
		else
			run(bench, counted, count);
	}
	if (!found)
		fprintf(stderr, "pvw-bench: no bench is named like '%s'\n", argv[optind]);
	return found ? 0 : 2;
}
