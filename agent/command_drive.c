/*
 * pvw-agent drive: a whole guest prepared over RPC, and checked.
 */
#include <inttypes.h>
#include <stdio.h>

#include "agent/commands.h"
#include "agent/reach.h"
#include "host/memory_map.h"

#define ARENA_LIMIT ((size_t)512 * 1024 * 1024)

static void print_artifacts(const Pvw__V1__ListArtifactsResponse *list)
{
	printf("\n%-24s %18s %12s  sha256\n", "artifact", "gpa", "bytes");
	for (size_t i = 0; i < list->n_artifacts; i++) {
		const Pvw__V1__Artifact *artifact = list->artifacts[i];
		char gpa[24] = "-";

		if (artifact->placed)
			snprintf(gpa, sizeof(gpa), "0x%" PRIx64, artifact->gpa);
		printf("%-24s %18s %12" PRIu64 "  ", artifact->name, gpa, artifact->size);
		for (size_t b = 0; b < artifact->sha256.len; b++)
			printf("%02x", artifact->sha256.data[b]);
		printf("%s\n", artifact->sensitive ? "  sensitive" : "");
	}
}

static bool print_results(const Invocation *invocation, const Drive *drive, Error *err)
{
	const MapStyle style = {
		.colour = invocation_colour(invocation),
		.verbose = invocation_verbosity(invocation) > 0,
	};

	if (!drive->layout->layout ||
		!memory_map_print(stdout, drive->layout->layout, style, drive->arena, err))
		return false;
	print_artifacts(drive->artifacts);
	return true;
}

static bool run(const Invocation *invocation, Drive *drive, Error *err)
{
	if (!reach_worker(invocation, drive, err) || !drive_prepare(drive, err) ||
		!print_results(invocation, drive, err))
		return false;
	if (drive->machine->memory_fd >= 0) {
		if (!drive_verify(drive, err))
			return false;
		printf("\nguest memory matches the plan\n");
	}
	return reach_end(drive, err);
}

ExitStatus command_drive(const Invocation *invocation)
{
	Arena *arena = arena_new(ARENA_LIMIT);
	Machine machine = MACHINE_NONE;
	Fixture fixture;
	Drive drive = { .fixture = &fixture,
		.images = images_from_options(invocation),
		.machine = &machine,
		.arena = arena,
		.quiet = invocation_verbosity(invocation) < 0 };
	Error err = { 0 };
	bool ok;

	if (!arena)
		error_set(&err, PVW_MEM_0001, "no memory");
	ok = arena &&
		reach_fixture(invocation_value(invocation, "fixture"), arena, &fixture, &err) &&
		run(invocation, &drive, &err);
	client_close(drive.client);
	machine_close(&machine);
	arena_free(arena);
	return ok ? STATUS_DONE : report_error(invocation, &err);
}
