/*
 * Writes random trees for an outside judge: tree-emit COUNT FOLDER gives COUNT boot trees and as
 * many host trees, boot-N.dtb and host-N.dtb. The same every time.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bootinfo/boot_info_write.h"
#include "bootinfo/host_info_write.h"
#include "bootinfo/random_trees.h"

#define ARENA_LIMIT ((size_t)64 * 1024 * 1024)
#define ENTROPY_STEP 16 /* bytes: as much as `reg` of a node like others has */

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "tree-emit: %s\n", what);
	exit(1);
}

static void write_file(const char *folder, const char *kind, unsigned long number, Bytes tree)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s-%lu.dtb", folder, kind, number);
	file = fopen(path, "wb");
	if (!file || fwrite(tree.data, 1, tree.len, file) != tree.len || fclose(file))
		fail(path);
}

/* What only some trees have. */
static BootTreeExtras draw_extras(uint64_t *state, GuestArch arch)
{
	static const uint8_t entropy[4 * ENTROPY_STEP];
	static const BootSidecar sidecars[] = { { UINT64_C(0xffffffff00005000), 0x6000,
							0x2000 },
		{ UINT64_C(0xffffffff12345000), UINT64_C(0x123457000), 0x1000 } };
	BootTreeExtras extras = { 0 };

	if (random_draw(state, 2))
		return extras;
	extras.sidecars = sidecars;
	extras.sidecar_count = random_draw(state, 3);
	extras.entropy = (Bytes){ entropy, ENTROPY_STEP * random_draw(state, 5) };
	if (arch == GUEST_ARCH_AARCH64) {
		extras.bootargs = "console=ttyAMA0";
		extras.initrd = (MemoryRange){ 0x1000000, 0x1234567 };
		extras.serial = (HostSerial){ true, UINT64_C(0xeffec000), 1, 115200 };
	}
	return extras;
}

static void emit_boot(uint64_t *state, Arena *arena, const char *folder, unsigned long number)
{
	const BootInfo info = random_boot_info(state, arena);
	const BootTreeExtras extras = draw_extras(state, info.arch);
	Bytes tree;
	Error err;

	if (!boot_info_write(&info, &extras, arena, &tree, &err))
		fail(err.text);
	write_file(folder, "boot", number, tree);
}

static void emit_host(uint64_t *state, Arena *arena, const char *folder, unsigned long number)
{
	HostInfo info = random_host_info(state, arena);
	Bytes tree;
	Error err;

	info.entropy.len -= info.entropy.len % ENTROPY_STEP;
	if (!host_info_write(&info, arena, &tree, &err))
		fail(err.text);
	write_file(folder, "host", number, tree);
}

int main(int argc, char **argv)
{
	Arena *arena = arena_new(ARENA_LIMIT);
	uint64_t state = 20260825;

	if (argc != 3 || !arena)
		fail("usage: tree-emit COUNT FOLDER");
	for (unsigned long i = 0, count = strtoul(argv[1], NULL, 10); i < count; i++) {
		emit_boot(&state, arena, argv[2], i);
		emit_host(&state, arena, argv[2], i);
		arena_reset(arena);
	}
	arena_free(arena);
	return 0;
}
