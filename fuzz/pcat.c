/*
 * The PCAT device as a sequence of accesses, ten bytes each.
 */
#include "fuzz/fuzz.h"
#include "devices/pcat_sequence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pcat_sequence_run(data, size);
	return 0;
}
