/*
 * An initrd into guest memory, through the one door: speed beside a memcpy is what counts.
 *
 * Once into memory that a guest has used before, of a file that cannot shrink, through a door that
 * stays open; and once into holes, where the system has to find and clear the pages as well.
 */
#include "bench.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/diagnostics.h"
#include "worker/guest_memory.h"

#define INITRD_LEN ((size_t)64 * 1024 * 1024)
#define INITRD_GPA UINT64_C(0x10000000)

typedef struct LoadInput {
	GuestMemory *memory;
	uint8_t *initrd;
} LoadInput;

/* The door of the first setup stays open for the next: both end with the program. */
static GuestMemory *open_door;

static bool open_memory(GuestMemory **out, Error *err)
{
	const GuestWindow window = { .gpa = INITRD_GPA, .len = INITRD_LEN };
	const int fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)INITRD_LEN) != 0 ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) != 0)
		return error_set(err, PVW_CLI_0002, "no memory for a guest");
	return guest_memory_new(fd, &window, 1, out, err);
}

static bool write_initrd(GuestMemory *memory, const LoadInput *in, Error *err)
{
	return guest_memory_write(memory, INITRD_GPA, in->initrd, INITRD_LEN, err);
}

static bool setup_load(const void *parameter, Arena *arena, const void **input, Error *err)
{
	LoadInput *in = arena_array(arena, LoadInput, 1, err);

	(void)parameter;
	if (!in)
		return false;
	in->initrd = arena_reserve(arena, INITRD_LEN, 16, err);
	if (!in->initrd || (!open_door && !open_memory(&open_door, err)))
		return false;
	in->memory = open_door;
	memset(in->initrd, 0x5a, INITRD_LEN);
	*input = in;
	return write_initrd(in->memory, in, err);
}

static bool call_load(const void *input, Arena *arena, Produced *produced, Error *err)
{
	const LoadInput *in = input;

	(void)arena;
	if (!write_initrd(in->memory, in, err))
		return false;
	produce(produced, in->initrd, INITRD_LEN);
	return true;
}

/* New memory each time, given back behind it. */
static bool call_first_load(const void *input, Arena *arena, Produced *produced, Error *err)
{
	const LoadInput *in = input;
	GuestMemory *memory;
	bool written;

	(void)arena;
	if (!open_memory(&memory, err))
		return false;
	written = write_initrd(memory, in, err);
	guest_memory_free(memory);
	produce(produced, in->initrd, INITRD_LEN);
	return written;
}

const Bench load_benches[] = {
	{ "load/initrd_64mib", setup_load, call_load, NULL, NULL },
	{ "load/initrd_64mib_first", setup_load, call_first_load, NULL, NULL },
	{ .name = NULL },
};
