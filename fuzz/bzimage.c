/*
 * A bzImage: whatever is believed of its header lies inside the file and inside 64 bits.
 */
#include "loaders/bzimage.h"

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BzImage image;
	Error err = { 0 };

	if (!bzimage_parse((Bytes){ data, size }, &image, &err)) {
		fuzz_failed(&err);
		return 0;
	}
	FUZZ_ASSERT(image.payload.data >= data && image.payload.len <= size);
	FUZZ_ASSERT((size_t)(image.payload.data - data) <= size - image.payload.len);
	return 0;
}
