/*
 * An ELF kernel: segments ascend, share no page, and borrow bytes of the file.
 */
#include "fuzz/fuzz.h"
#include "loaders/elf_image.h"

#define LOWEST UINT64_C(0x100000)
#define LIMIT UINT64_C(0x100000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ElfImage image;
	Error err = { 0 };

	if (!elf_image_parse((Bytes){ data, size }, LOWEST, LIMIT, &image, &err)) {
		fuzz_failed(&err);
		return 0;
	}
	FUZZ_ASSERT(image.count > 0 && image.count <= ELF_IMAGE_MAX_SEGMENTS);
	FUZZ_ASSERT(image.pages.start >= LOWEST && image.pages.end <= LIMIT);
	FUZZ_ASSERT(image.entry >= LOWEST && image.entry < LIMIT);
	for (size_t i = 0; i < image.count; i++) {
		const ElfSegment *segment = &image.segments[i];

		FUZZ_ASSERT(segment->bytes.len <= segment->room);
		FUZZ_ASSERT(segment->room <= LIMIT - segment->gpa);
		FUZZ_ASSERT(segment->bytes.len == 0 ||
			(segment->bytes.data >= data &&
				segment->bytes.data + segment->bytes.len <= data + size));
		FUZZ_ASSERT(i == 0 ||
			image.segments[i - 1].gpa + image.segments[i - 1].room <= segment->gpa);
	}
	return 0;
}
