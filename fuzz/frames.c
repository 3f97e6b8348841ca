/*
 * What a peer sends to the server: the first byte says how it is cut into pieces, the rest are
 * frames. However it is cut, the same calls come out, the same bytes go back.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "proto/server_core.h"
#include "worker/service.h"

#define MOST_INPUT 4096
#define MOST_OUTPUT (256 * 1024)

/* What one way of cutting gave. */
typedef struct Outcome {
	uint64_t calls;
	uint8_t output[MOST_OUTPUT];
	size_t len;
	bool broken;
} Outcome;

static void drain(ServerCore *core, Outcome *out)
{
	const Bytes bytes = server_core_output(core);

	FUZZ_ASSERT(out->len + bytes.len <= MOST_OUTPUT);
	if (bytes.len)
		memcpy(out->output + out->len, bytes.data, bytes.len);
	out->len += bytes.len;
	server_core_sent(core, bytes.len);
}

/* All events until more input is wanted; every call is answered with an empty message. */
static bool serve(ServerCore *core, Arena *decode, Outcome *out)
{
	for (;;) {
		ServerCall call;

		switch (server_core_next(core, 0, decode, &call)) {
		case CORE_CALL:
			FUZZ_ASSERT(call.message && call.id.stream % 2 == 1);
			out->calls++;
			server_core_answer_bytes(core, call.id, (Bytes){ NULL, 0 });
			arena_reset(decode);
			break;
		case CORE_NEED_INPUT:
			drain(core, out);
			return true;
		case CORE_BLOCKED:
			drain(core, out);
			break;
		case CORE_BROKEN:
			FUZZ_ASSERT(server_core_broken(core));
			fuzz_failed(server_core_broken(core));
			drain(core, out);
			out->broken = true;
			return false;
		}
	}
}

static void run(Bytes input, size_t step, Arena *arena, Arena *decode, Outcome *out)
{
	const MethodTable *const tables[] = { service_methods() };
	const ServerCoreOptions options = {
		.tables = { tables, 1 },
		.max_frame = 65536,
		.max_inflight = 16,
		.max_output = 128 * 1024,
	};
	Error err = { 0 };
	ServerCore *core = server_core_new(&options, arena, &err);

	FUZZ_ASSERT(core);
	out->calls = out->len = 0;
	out->broken = false;
	for (size_t at = 0; at < input.len; at += step) {
		const size_t len = input.len - at < step ? input.len - at : step;

		server_core_feed(core, (Bytes){ input.data + at, len });
		if (!serve(core, decode, out))
			break;
	}
	server_core_end(core);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static Arena *decode;
	static Outcome whole, cut;
	Arena *arena = fuzz_arena((size_t)1024 * 1024);

	if (!decode)
		decode = arena_new((size_t)8 * 1024 * 1024);
	FUZZ_ASSERT(decode);
	if (size < 2 || size > MOST_INPUT)
		return 0;
	run((Bytes){ data + 1, size - 1 }, size, arena, decode, &whole);
	run((Bytes){ data + 1, size - 1 }, 1 + data[0] % 64, arena, decode, &cut);
	FUZZ_ASSERT(whole.calls == cut.calls && whole.broken == cut.broken);
	FUZZ_ASSERT(whole.len == cut.len && memcmp(whole.output, cut.output, cut.len) == 0);
	return 0;
}
