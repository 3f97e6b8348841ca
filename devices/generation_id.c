/*
 * The generation id and where the guest wants it.
 */
#include "devices/generation_id.h"

#include <string.h>

/* Borrows the id from the state. */
static GuestWrite write_where_known(const GenerationId *state)
{
	if (!state->known[GENERATION_ID_LOW] || !state->known[GENERATION_ID_HIGH])
		return (GuestWrite){ 0 };
	return (GuestWrite){
		.gpa = (uint64_t)state->pointer[GENERATION_ID_HIGH] << 32 |
			state->pointer[GENERATION_ID_LOW],
		.bytes = { state->id, GENERATION_ID_SIZE },
	};
}

GuestWrite generation_id_point(GenerationId *state, GenerationIdHalf half, uint32_t value)
{
	state->known[half] = true;
	state->pointer[half] = value;
	return write_where_known(state);
}

GuestWrite generation_id_renew(GenerationId *state, const uint8_t id[GENERATION_ID_SIZE])
{
	memcpy(state->id, id, GENERATION_ID_SIZE);
	return write_where_known(state);
}

void generation_id_reset(GenerationId *state)
{
	memset(state->known, 0, sizeof(state->known));
	memset(state->pointer, 0, sizeof(state->pointer));
}
