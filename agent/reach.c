/*
 * Worker and fixture of the agent's commands.
 */
#include "agent/reach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const sandbox_names[] = { "require", "best-effort", "off", NULL };

bool reach_fixture(const char *path, Arena *arena, Fixture *out, Error *err)
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

bool reach_worker(const Invocation *invocation, Drive *drive, Error *err)
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
	if (drive->machine->memory_fd < 0 &&
		!machine_make_memory(
			drive->machine, invocation_value(invocation, "guest-memory"), err))
		return false;
	if (!machine_start_worker(drive->machine, &start, err))
		return false;
	snprintf(own, sizeof(own), "fd:%d", drive->machine->worker_fd);
	if (!client_open(own, &drive->client, err))
		return false;
	drive->machine->worker_fd = -1; /* the client's now */
	return true;
}

bool reach_end(Drive *drive, Error *err)
{
	if (!drive->machine->worker)
		return true;
	if (!drive_shutdown(drive, err))
		return false;
	client_close(drive->client);
	drive->client = NULL;
	return machine_wait_worker(drive->machine, err);
}
