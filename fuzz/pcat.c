/*
 * The PCAT device as a sequence of accesses, ten bytes each.
 */
#include "devices/pcat_sequence.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pcat_sequence_run(data, size);
	return 0;
}
