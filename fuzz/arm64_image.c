/*
 * An arm64 Image.
 */
#include "loaders/arm64_image.h"

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arm64Image image;
	Error err = { 0 };

	if (!arm64_image_parse((Bytes){ data, size }, &image, &err))
		fuzz_failed(&err);
	return 0;
}
