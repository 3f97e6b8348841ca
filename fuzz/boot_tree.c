/*
 * The boot tree. The first byte chooses the guest's architecture, the rest is the tree.
 */
#include "bootinfo/boot_info_check.h"
#include "bootinfo/boot_info_parse.h"
#include "fuzz/fuzz.h"
#include "layout/chipset_mmio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *arena = fuzz_arena((size_t)8 * 1024 * 1024);
	Diagnostics findings;
	ChipsetMmioRanges mmio;
	BootInfo info;
	Error err = { 0 };

	if (size == 0)
		return 0;
	if (!boot_info_parse(data[0] & 1 ? GUEST_ARCH_AARCH64 : GUEST_ARCH_X86_64,
		    (Bytes){ data + 1, size - 1 }, arena, &info, &err)) {
		fuzz_failed(&err);
		return 0;
	}
	FUZZ_ASSERT(diagnostics_init(&findings, 64, arena, &err));
	if (!boot_info_validate(&info, arena, &findings, &err)) {
		fuzz_failed(&err);
		return 0;
	}
	if (!chipset_mmio_resolve(info.mmio, info.map, arena, &mmio, &err)) {
		fuzz_failed(&err);
		return 0;
	}
	/* The promises of roles, whatever the host said. */
	FUZZ_ASSERT(mmio.low.end <= FOUR_GIB);
	FUZZ_ASSERT(memory_range_is_empty(mmio.high) || mmio.high.start >= FOUR_GIB);
	FUZZ_ASSERT(mmio.low.start <= mmio.low.end && mmio.high.start <= mmio.high.end);
	return 0;
}
