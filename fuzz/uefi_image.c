/*
 * A firmware volume: the way to its first instruction never leaves it.
 */
#include "loaders/uefi_image.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const Bytes bytes = { data, size };
	uint64_t entry = 0;
	Error err = { 0 };

	for (GuestArch arch = 0; arch < GUEST_ARCH_COUNT; arch++) {
		if (!uefi_image_find_sec(bytes, 0, arch, &entry, &err)) {
			fuzz_failed(&err);
			continue;
		}
		FUZZ_ASSERT(uefi_image_is_volume(bytes));
		FUZZ_ASSERT(entry < size);
	}
	return 0;
}
