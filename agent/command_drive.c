/*
 * pvw-agent drive: a whole guest prepared over RPC, and checked.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/commands.h"
#include "agent/drive.h"
#include "host/memory_map.h"

#define ARENA_LIMIT ((size_t)512 * 1024 * 1024)

static const char *const sandbox_names[] = { "require", "best-effort", "off", NULL };

static bool read_fixture(const char *path, Arena *arena, Fixture *out, Error *err)
{
	uint8_t *data = arena_array(arena, uint8_t, FIXTURE_MAX_SIZE + 1, err);
	FILE *file = data ? fopen(path, "rb") : NULL;
	size_t len;
	bool failed;

	if (!data)
		return false;
	if (!file)
		return error_set(err, PVW_CLI_0002, "%s: %s", path, strerror(errno));
	len = fread(data, 1, FIXTURE_MAX_SIZE + 1, file);
	failed = ferror(file);
	fclose(file);
	if (failed)
		return error_set(err, PVW_CLI_0002, "%s: cannot be read", path);
	return fixture_read((Bytes){ data, len }, arena, out, err) ||
		error_wrap(err, "%s", path);
}

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

/* A worker of our own over an inherited connection, or the one that --socket names. */
static bool reach_worker(const Invocation *invocation, Drive *drive, Error *err)
{
	const char *address = invocation_value(invocation, "socket");
	const char *worker = invocation_value(invocation, "worker");
	size_t sandbox;
	char own[32];

	if (!invocation_choice(invocation, "sandbox", sandbox_names, 1, &sandbox, err))
		return false;
	if (address)
		return client_open(address, &drive->client, err);

	const WorkerStart start = {
		.program = worker ? worker : "pvw",
		.isolation = drive->fixture->isolation,
		.sandbox = sandbox_names[sandbox],
		.log_filter = invocation_value(invocation, "log"),
	};
	if (!machine_make_memory(
		    drive->machine, invocation_value(invocation, "guest-memory"), err) ||
		!machine_start_worker(drive->machine, &start, err))
		return false;
	snprintf(own, sizeof(own), "fd:%d", drive->machine->worker_fd);
	if (!client_open(own, &drive->client, err))
		return false;
	drive->machine->worker_fd = -1; /* the client's now */
	return true;
}

static bool run(const Invocation *invocation, Drive *drive, Error *err)
{
	const bool is_ours = !invocation_has(invocation, "socket");

	if (!reach_worker(invocation, drive, err) || !drive_prepare(drive, err) ||
		!print_results(invocation, drive, err))
		return false;
	if (drive->machine->memory_fd >= 0) {
		if (!drive_verify(drive, err))
			return false;
		printf("\nguest memory matches the plan\n");
	}
	if (!is_ours)
		return true;
	if (!drive_shutdown(drive, err))
		return false;
	client_close(drive->client);
	drive->client = NULL;
	return machine_wait_worker(drive->machine, err);
}

ExitStatus command_drive(const Invocation *invocation)
{
	Arena *arena = arena_new(ARENA_LIMIT);
	Machine machine = MACHINE_NONE;
	Fixture fixture;
	Drive drive = { .fixture = &fixture,
		.machine = &machine,
		.arena = arena,
		.quiet = invocation_verbosity(invocation) < 0 };
	Error err = { 0 };
	bool ok;

	if (!arena)
		error_set(&err, PVW_MEM_0001, "no memory");
	ok = arena &&
		read_fixture(invocation_value(invocation, "fixture"), arena, &fixture, &err) &&
		run(invocation, &drive, &err);
	client_close(drive.client);
	machine_close(&machine);
	arena_free(arena);
	return ok ? STATUS_DONE : report_error(invocation, &err);
}
