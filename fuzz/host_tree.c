/*
 * The host's tree, as a boot shim gets it. The first byte chooses the guest's architecture.
 */
#include "bootinfo/host_info_parse.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *arena = fuzz_arena((size_t)8 * 1024 * 1024);
	HostInfo info;
	Error err = { 0 };

	if (size == 0)
		return 0;
	if (!host_info_parse(data[0] & 1 ? GUEST_ARCH_AARCH64 : GUEST_ARCH_X86_64,
		    (Bytes){ data + 1, size - 1 }, arena, &info, &err)) {
		fuzz_failed(&err);
		return 0;
	}
	for (size_t i = 1; i < info.memory.count; i++)
		FUZZ_ASSERT(
			info.memory.items[i - 1].range.end <= info.memory.items[i].range.start);
	FUZZ_ASSERT(info.cpus.count > 0);
	return 0;
}
