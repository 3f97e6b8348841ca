/*
 * Fixtures: what is read has one encoding, and it is the one that was read.
 */
#include "host/fixture.h"

#include <string.h>

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *arena = fuzz_arena((size_t)64 * 1024 * 1024);
	const Bytes bytes = { data, size };
	Fixture fixture;
	Bytes again;
	Error err = { 0 };

	if (!fixture_read(bytes, arena, &fixture, &err)) {
		fuzz_failed(&err);
		return 0;
	}
	FUZZ_ASSERT(fixture_write(&fixture, arena, &again, &err));
	FUZZ_ASSERT(again.len == size && memcmp(again.data, data, size) == 0);
	return 0;
}
