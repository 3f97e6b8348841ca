/*
 * Where a writer begins in an arena, and where it ends.
 */
#include "support/byte_writer.h"

#include "support/diagnostics.h"

bool byte_writer_in_arena(Arena *arena, size_t bound, ByteWriter *out, Error *err)
{
	uint8_t *base = arena_reserve(arena, bound, 16, err);

	if (!base)
		return false;
	*out = (ByteWriter){ .base = base, .cap = bound, .arena = arena };
	return true;
}

bool byte_writer_finish(ByteWriter *w, const char *what, Bytes *out, Error *err)
{
	if (w->overflow) {
		const size_t cap = w->cap;

		/* Nothing is kept of what did not fit. */
		if (w->arena)
			arena_shrink(w->arena, w->base, 0);
		return error_set(err, PVW_MEM_0002,
			"%s: more than the %zu bytes set aside for it", what, cap);
	}
	if (w->arena)
		arena_shrink(w->arena, w->base, w->len);
	*out = (Bytes){ .data = w->base, .len = w->len };
	return true;
}
