/*
 * The PCAT device: one access, the cheapest kind and the one that BIOSes make most.
 */
#include "bench.h"

#include "devices/pcat_device.h"
#include "loaders/pcat_config.h"
#include "support/diagnostics.h"

#define SRAT_LEN 4096
#define SRAT_DATA 0x0c

typedef struct PcatInput {
	PcatSetup setup;
	PcatOperation operation;
	PcatState *state;   /* goes on from call to call */
	PcatAnswer *answer; /* the last one */
} PcatInput;

static bool setup_step(const void *parameter, Arena *arena, const void **input, Error *err)
{
	static const uint8_t entropy[PCAT_ENTROPY_SIZE];
	static const uint8_t srat[SRAT_LEN];
	const PcatConfig config = { .srat = { srat, sizeof(srat) } };
	PcatInput *in = arena_array(arena, PcatInput, 1, err);
	Bytes artifact;

	if (!in || !pcat_config_write(&config, arena, &artifact, err) ||
		!pcat_setup_read(artifact, &in->setup, err))
		return false;
	in->state = arena_array(arena, PcatState, 1, err);
	in->answer = arena_array(arena, PcatAnswer, 1, err);
	if (!in->state || !in->answer)
		return false;
	pcat_reset(in->state, entropy);
	in->state->address = SRAT_DATA;
	in->operation = *(const PcatOperation *)parameter;
	*input = in;
	return true;
}

static bool call_step(const void *input, Arena *arena, Produced *produced, Error *err)
{
	const PcatInput *in = input;

	(void)arena;
	(void)err;
	pcat_step(&in->setup, in->state, &in->operation, in->answer);
	/* The same read every time, not one behind the table. */
	in->state->read_count = 0;
	produce(produced, &in->answer->value, sizeof(in->answer->value));
	return true;
}

static const PcatOperation data_read = { .kind = PCAT_PORT_READ, .address = 0x2c, .width = 4 };

const Bench pcat_benches[] = {
	{ "pcat/step", setup_step, call_step, &data_read, NULL },
	{ .name = NULL },
};
