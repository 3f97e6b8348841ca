/*
 * An initrd into guest memory, through the one door: speed beside a memcpy is what counts.
 */
#include "bench.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/diagnostics.h"
#include "worker/guest_memory.h"

#define INITRD_LEN ((size_t)64 * 1024 * 1024)
#define INITRD_GPA UINT64_C(0x10000000)

typedef struct LoadInput {
	int fd; /* of the guest's memory; ends with the program */
	uint8_t *initrd;
} LoadInput;

/* Opening costs next to nothing beside what is written, and leaves nothing behind. */
static bool write_initrd(const LoadInput *in, Error *err)
{
	const GuestWindow window = { .gpa = INITRD_GPA, .len = INITRD_LEN };
	GuestMemory *memory;
	bool written;

	if (!guest_memory_new(dup(in->fd), &window, 1, &memory, err))
		return false;
	written = guest_memory_write(memory, INITRD_GPA, in->initrd, INITRD_LEN, err);
	guest_memory_free(memory);
	return written;
}

/* Every page of the guest has been written before: a first write costs the kernel a page. */
static bool setup_load(const void *parameter, Arena *arena, const void **input, Error *err)
{
	LoadInput *in = arena_array(arena, LoadInput, 1, err);

	(void)parameter;
	if (!in)
		return false;
	in->fd = memfd_create("guest", MFD_CLOEXEC);
	if (in->fd < 0 || ftruncate(in->fd, (off_t)INITRD_LEN) != 0)
		return error_set(err, PVW_CLI_0002, "no memory for a guest");
	in->initrd = arena_reserve(arena, INITRD_LEN, 16, err);
	if (!in->initrd)
		return false;
	memset(in->initrd, 0x5a, INITRD_LEN);
	*input = in;
	return write_initrd(in, err);
}

static bool call_load(const void *input, Arena *arena, Produced *produced, Error *err)
{
	const LoadInput *in = input;

	(void)arena;
	if (!write_initrd(in, err))
		return false;
	produce(produced, in->initrd, INITRD_LEN);
	return true;
}

const Bench load_benches[] = {
	{ "load/initrd_64mib", setup_load, call_load, NULL, NULL },
	{ .name = NULL },
};
