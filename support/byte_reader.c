/*
 * Where a reader ends.
 */
#include "support/byte_reader.h"

#include "support/diagnostics.h"

bool byte_reader_finish(const ByteReader *r, const char *what, Error *err)
{
	if (r->short_read)
		return error_set(err, PVW_MEM_0003,
			"%s: %zu bytes, more expected after byte %zu", what, r->bytes.len,
			r->at);
	return true;
}
