/*
 * Damaged call scripts against the real server with the real service: an answer, an error or a
 * closed connection, and nothing in guest memory but plans that were loaded by their digest.
 *
 * Everything runs in one process: the script is in the socket before the server begins, and its
 * end ends the server.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <sys/socket.h>

#include "hostile/hostile.h"
#include "proto/client_core.h"
#include "proto/ttrpc.pb-c.h"
#include "worker/convert.h"
#include "worker/guest.h"
#include "worker/service.h"

#define PARTS 10
#define MAX_FRAMES 24
#define SCRIPT_SIZE 65536
#define SEED_SECONDS 10 /* a hang */
#define MEMORY_END 0x10000000
/* Indices in the .proto. */
#define METHOD_PLAN 4
#define METHOD_LOAD 5

typedef struct Script {
	uint8_t data[SCRIPT_SIZE];
	size_t start[MAX_FRAMES + 1]; /* of each frame, and the end */
	size_t count;
} Script;

typedef struct Run {
	uint64_t seed;
	int memory, shadow; /* what the worker writes, and what it may */
	Digest planned;     /* by the last Plan */
	unsigned loads, answers, refusals;
	Service *service;
	ServerCallbacks real;
} Run;

static Arena *arena;
static Error err;
static Digest digest; /* of the plan of the valid script */
static Script valid;

/*
 * The valid script.
 */

static void *message(const ProtobufCMessageDescriptor *type)
{
	return message_new(arena, type, &err);
}

static void add_frame(ClientCore *core, const char *method, const void *request)
{
	uint32_t stream;
	Bytes bytes;

	cr_assert(client_core_call(
		core, "pvw.v1.Worker", method, request, 5000000000, &stream, &err));
	bytes = client_core_output(core);
	cr_assert(valid.count < MAX_FRAMES &&
		valid.start[valid.count] + bytes.len <= SCRIPT_SIZE / 2);
	memcpy(valid.data + valid.start[valid.count], bytes.data, bytes.len);
	valid.start[valid.count + 1] = valid.start[valid.count] + bytes.len;
	valid.count++;
	client_core_sent(core, bytes.len);
}

static void add_boot_info(ClientCore *core)
{
	Pvw__V1__LoadBootInfoRequest *in =
		message(&pvw__v1__load_boot_info_request__descriptor);

	in->arch = PVW__V1__ARCH__ARCH_X86_64;
	in->dtb = convert_bytes_out(guest_tree(arena, (GuestShape){ 0 }));
	in->host_caps = message(&pvw__v1__host_caps__descriptor);
	in->host_caps->physical_address_bits = 46;
	in->host_caps->x2apic = 1;
	in->host_caps->vp_count = 2;
	add_frame(core, "LoadBootInfo", in);
}

static void add_blob(ClientCore *core, const char *text, uint64_t offset)
{
	Pvw__V1__PutBlobRequest *in = message(&pvw__v1__put_blob_request__descriptor);

	in->name = convert_text_out("blob");
	in->chunk = message(&pvw__v1__blob__descriptor);
	in->chunk->total_size = 8;
	in->chunk->offset = offset;
	in->chunk->data = convert_bytes_out((Bytes){ (const uint8_t *)text, 4 });
	in->chunk->last = offset == 4;
	add_frame(core, "PutBlob", in);
}

static void add_settings(ClientCore *core)
{
	Pvw__V1__ConfigureRequest *in = message(&pvw__v1__configure_request__descriptor);
	Pvw__V1__DevicePlatformSettings *settings =
		message(&pvw__v1__device_platform_settings__descriptor);
	Pvw__V1__ChannelDemand **channels =
		arena_array(arena, Pvw__V1__ChannelDemand *, 1, &err);

	in->settings = settings;
	settings->uefi = message(&pvw__v1__uefi_settings__descriptor);
	settings->uefi->measure_additional_pcrs = 1;
	settings->uefi->console = PVW__V1__CONSOLE_MODE__CONSOLE_COM1;
	settings->pcat = message(&pvw__v1__pcat_settings__descriptor);
	settings->smbios = message(&pvw__v1__smbios__descriptor);
	settings->smbios->serial_number =
		convert_bytes_out((Bytes){ (const uint8_t *)"serial", 6 });
	settings->chipset = message(&pvw__v1__chipset__descriptor);
	settings->chipset->com1 = settings->chipset->vmbus_redirection = 1;
	channels[0] = message(&pvw__v1__channel_demand__descriptor);
	channels[0]->mmio_megabytes = 8;
	in->channels = channels;
	in->n_channels = 1;
	in->relay_devices = 2;
	add_frame(core, "Configure", in);
}

static void add_plan(ClientCore *core)
{
	static const uint8_t entropy[ENTROPY_SIZE] = { 42 };
	Pvw__V1__PlanRequest *in = message(&pvw__v1__plan_request__descriptor);

	in->entropy = convert_bytes_out((Bytes){ entropy, sizeof(entropy) });
	in->explain = 1;
	add_frame(core, "Plan", in);
}

static void add_load(ClientCore *core)
{
	Pvw__V1__LoadRequest *in = message(&pvw__v1__load_request__descriptor);
	Pvw__V1__MemoryWindow **windows = arena_array(arena, Pvw__V1__MemoryWindow *, 1, &err);

	in->plan_digest = convert_digest_out(&digest);
	in->verify_after = 1;
	in->target = message(&pvw__v1__target__descriptor);
	in->target->kind_case = PVW__V1__TARGET__KIND_GUEST_MEMORY;
	in->target->guest_memory = 1;
	windows[0] = message(&pvw__v1__memory_window__descriptor);
	windows[0]->size = MEMORY_END;
	in->target->windows = windows;
	in->target->n_windows = 1;
	add_frame(core, "Load", in);
}

/* Of a guest without devices: all of it is somebody else's. */
static void add_intercepts(ClientCore *core)
{
	static const uint8_t code = 0x55;
	Pvw__V1__HandleInterceptsRequest *in =
		message(&pvw__v1__handle_intercepts_request__descriptor);
	Pvw__V1__Intercept **items = arena_array(arena, Pvw__V1__Intercept *, 2, &err);

	for (size_t i = 0; i < 2; i++) {
		items[i] = message(&pvw__v1__intercept__descriptor);
		items[i]->kind = i ? PVW__V1__INTERCEPT_KIND__INTERCEPT_PIO_WRITE
				   : PVW__V1__INTERCEPT_KIND__INTERCEPT_MMIO_READ;
		items[i]->address = i ? 0x80 : 0xfffc0000;
		items[i]->width = 1;
	}
	items[0]->count = 16;
	items[1]->data = convert_bytes_out((Bytes){ &code, 1 });
	in->items = items;
	in->n_items = 2;
	add_frame(core, "GetClaims", message(&pvw__v1__get_claims_request__descriptor));
	add_frame(core, "HandleIntercepts", in);
}

static void add_reads(ClientCore *core)
{
	Pvw__V1__GetArtifactRequest *artifact =
		message(&pvw__v1__get_artifact_request__descriptor);
	Pvw__V1__PollEventsRequest *poll = message(&pvw__v1__poll_events_request__descriptor);
	Pvw__V1__SetLogFilterRequest *filter =
		message(&pvw__v1__set_log_filter_request__descriptor);

	add_frame(core, "GetLayout", message(&pvw__v1__get_layout_request__descriptor));
	add_frame(core, "ListArtifacts", message(&pvw__v1__list_artifacts_request__descriptor));
	artifact->name = convert_text_out("uefi.config");
	artifact->max_bytes = 512;
	add_frame(core, "GetArtifact", artifact);
	poll->max_events = 10;
	add_frame(core, "PollEvents", poll);
	filter->filter = convert_text_out("warn,rpc=debug");
	add_frame(core, "SetLogFilter", filter);
	add_frame(core, "Health", message(&pvw__v1__health_request__descriptor));
	add_frame(core, "Metrics", message(&pvw__v1__metrics_request__descriptor));
}

static void write_script(void)
{
	Pvw__V1__HelloRequest *hello = message(&pvw__v1__hello_request__descriptor);
	ClientCore *core = client_core_new(arena, &err);

	valid = (Script){ .count = 0 };
	hello->major_min = hello->major_max = 1;
	add_frame(core, "Hello", hello);
	add_boot_info(core);
	add_blob(core, "1234", 0);
	add_blob(core, "5678", 4);
	add_settings(core);
	add_plan(core);
	add_load(core);
	add_reads(core);
	add_intercepts(core);
	add_frame(core, "Reset", message(&pvw__v1__reset_request__descriptor));
	client_core_end(core);
}

/*
 * Damage.
 */

static uint32_t frame_len(const uint8_t *frame)
{
	return (uint32_t)frame[0] << 24 | (uint32_t)frame[1] << 16 | (uint32_t)frame[2] << 8 |
		frame[3];
}

static void set_frame_len(uint8_t *frame, size_t len)
{
	for (int i = 0; i < 4; i++)
		frame[i] = (uint8_t)(len >> 8 * (3 - i));
}

/* One frame of the valid script, damaged inside: its header says the length it then has. */
static void damage_inside(Clay *out, const uint8_t *frame, size_t len, Dice *dice)
{
	static uint8_t copy[SCRIPT_SIZE];
	Clay clay = { copy + 10, len - 10, sizeof(copy) - 10 };

	memcpy(copy, frame, len);
	for (size_t n = 1 + dice_below(dice, 3); n > 0; n--)
		clay_damage(&clay, dice);
	set_frame_len(copy, clay.len);
	clay_insert(out, out->len, copy, clay.len + 10);
}

/* Most frames as they are, so that the later ones are reached. */
static void damage_frames(Clay *out, Dice *dice)
{
	for (size_t i = 0; i < valid.count; i++) {
		const uint8_t *frame = valid.data + valid.start[i];
		const size_t len = valid.start[i + 1] - valid.start[i];

		switch (dice_below(dice, 14)) {
		case 0:
			damage_inside(out, frame, len, dice);
			break;
		case 1: /* left out */
			break;
		case 2: /* twice */
			clay_insert(out, out->len, frame, len);
			clay_insert(out, out->len, frame, len);
			break;
		case 3: { /* another one in its place */
			const size_t k = dice_below(dice, valid.count);

			clay_insert(out, out->len, valid.data + valid.start[k],
				valid.start[k + 1] - valid.start[k]);
			break;
		}
		default:
			clay_insert(out, out->len, frame, len);
		}
	}
}

static void damage_bytes(Clay *out, Dice *dice)
{
	clay_insert(out, 0, valid.data, valid.start[valid.count]);
	for (size_t n = 1 + dice_below(dice, 4); n > 0; n--)
		clay_damage(out, dice);
}

static void damage_lengths(Clay *out, Dice *dice)
{
	const size_t which = dice_below(dice, valid.count);
	const size_t lens[] = { 0, 1, 9, 0xffff, 0x400000, 0x400001, 0xffffff, 0xffffffff };

	clay_insert(out, 0, valid.data, valid.start[valid.count]);
	set_frame_len(out->data + valid.start[which], lens[dice_below(dice, 8)]);
}

static void damage(Clay *out, Dice *dice)
{
	switch (dice_below(dice, 8)) {
	case 0:
		damage_bytes(out, dice);
		break;
	case 1:
		damage_lengths(out, dice);
		break;
	case 2:
		clay_insert(out, 0, valid.data, valid.start[valid.count]);
		clay_truncate(out, dice);
		break;
	default:
		damage_frames(out, dice);
		break;
	}
	if (out->len == 0)
		clay_insert(out, 0, valid.data, 10);
}

/*
 * Guest memory: what was loaded is written to a shadow too, and both are compared.
 */

static void empty_file(int fd)
{
	cr_assert(ftruncate(fd, 0) == 0 && ftruncate(fd, GUEST_FILE_SIZE) == 0);
}

static void shadow_plan(const Run *run)
{
	const Prepared *prepared = session_prepared(service_session(run->service));
	const BootPlan *plan;

	cr_assert_not_null(prepared, "seed %lu: loaded without a plan", run->seed);
	plan = &prepared->plan;
	for (size_t i = 0; i < plan->write_count; i++) {
		const Artifact *artifact = &plan->artifacts.items[plan->writes[i]];
		static const uint8_t zeros[4096];

		for (size_t at = 0; at < artifact->bytes.len; at += sizeof(zeros)) {
			const size_t left = artifact->bytes.len - at;
			const size_t n = left < sizeof(zeros) ? left : sizeof(zeros);

			cr_assert_eq(pwrite(run->shadow,
					     artifact->bytes.data ? artifact->bytes.data + at
								  : zeros,
					     n, (off_t)(artifact->gpa + at)),
				(ssize_t)n);
		}
	}
}

/* Every byte that is in @one is in @other. */
static bool is_in(int one, int other)
{
	static uint8_t here[65536], there[65536];
	off_t at = 0;

	while ((at = lseek(one, at, SEEK_DATA)) >= 0) {
		const off_t end = lseek(one, at, SEEK_HOLE);

		while (at < end) {
			const size_t want = (size_t)(end - at) < sizeof(here)
				? (size_t)(end - at)
				: sizeof(here);
			const ssize_t n = pread(one, here, want, at);

			if (n <= 0 || pread(other, there, (size_t)n, at) != n ||
				memcmp(here, there, (size_t)n) != 0)
				return false;
			at += n;
		}
	}
	return true;
}

/*
 * The server, with an observer before the service.
 */

static bool observe(void *context, const ServerRequest *request,
	const ProtobufCMessage **response, Error *why)
{
	Run *run = context;
	const bool ok = run->real.call(run->real.service, request, response, why);

	if (ok && *response && request->method.index == METHOD_LOAD &&
		((const Pvw__V1__LoadRequest *)request->message)->target->kind_case ==
			PVW__V1__TARGET__KIND_GUEST_MEMORY) {
		shadow_plan(run);
		run->loads++;
	}
	if (ok && request->method.index == METHOD_PLAN)
		memcpy(run->planned.bytes,
			((const Pvw__V1__PlanResponse *)*response)->plan_digest.data,
			DIGEST_SIZE);
	cr_assert_neq(session_state(service_session(run->service)), SESSION_FAILED,
		"seed %lu: a load broke off", run->seed);
	cr_assert(ok || (why->diagnostic != PVW_NONE && why->text[0]),
		"seed %lu: refused without a reason", run->seed);
	return ok;
}

static void on_waited(void *context, CallHandle call)
{
	Run *run = context;

	run->real.waited(run->real.service, call);
}

static void on_gone(void *context, CallHandle call)
{
	Run *run = context;

	run->real.gone(run->real.service, call);
}

static void on_closed(void *context, uint64_t connection)
{
	Run *run = context;

	run->real.closed(run->real.service, connection);
}

static void on_woken(void *context)
{
	Run *run = context;

	run->real.woken(run->real.service);
}

static void on_stopping(void *context, const char *why)
{
	Run *run = context;

	run->real.stopping(run->real.service, why);
}

static void serve_until_the_end(Run *run, int fd)
{
	static const GuestWindow window = { 0, MEMORY_END, 0 };
	const StreamAddress listen = { .kind = STREAM_FD, .fd = fd };
	const MethodTable *tables[] = { service_methods() };
	ServiceOptions service = {
		.session = { .guest_fd = run->memory, .windows = &window, .window_count = 1 }
	};
	const LogOptions log = { .fd = -1 };
	ServerOptions options = { .listen = &listen, .listen_count = 1 };
	Server *server;

	service.events = events_new();
	cr_assert(log_new(&log, &service.log, &err));
	cr_assert(service_new(&service, &run->service, &err));
	run->real = service_callbacks(run->service);
	options.tables = (MethodTableList){ tables, 1 };
	options.callbacks = (ServerCallbacks){ run, observe, on_waited, on_gone, on_closed,
		on_woken, NULL, on_stopping };
	options.limits.stall_ms = 500;
	options.limits.body_ms = 500;
	options.limits.drain_ms = 200;
	cr_assert(server_new(&options, &server, &err), "%s", err.text);
	service_attach(run->service, server);
	cr_assert(server_run(server, &err));
	events_on_add(service.events, NULL, NULL);
	server_free(server);
	service_free(run->service);
	log_free(service.log);
	events_free(service.events);
}

/* Every answer is a response frame with a status or a payload. */
static void check_answers(Run *run, int fd)
{
	static uint8_t data[16 * 1024 * 1024];
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(data) && (n = recv(fd, data + len, sizeof(data) - len, 0)) > 0)
		len += (size_t)n;
	for (size_t at = 0; at < len;) {
		Ttrpc__Response *response;
		size_t body;

		if (len - at < 10 || len - at - 10 < frame_len(data + at))
			break; /* closed while it was sent */
		body = frame_len(data + at);
		cr_assert_leq(body, FRAME_MAX_DATA, "seed %lu", run->seed);
		cr_assert_eq(data[at + 8], 2, "seed %lu: no response", run->seed);
		cr_assert_eq(data[at + 9], 0, "seed %lu", run->seed);
		response = ttrpc__response__unpack(NULL, body, data + at + 10);
		cr_assert_not_null(response, "seed %lu", run->seed);
		run->answers += response->status == NULL;
		run->refusals += response->status != NULL;
		ttrpc__response__free_unpacked(response, NULL);
		at += 10 + body;
	}
}

static void run_script(Run *run, const uint8_t *data, size_t len)
{
	const int room = 4 * 1024 * 1024;
	int pair[2];

	empty_file(run->memory);
	empty_file(run->shadow);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	for (int i = 0; i < 2; i++)
		(void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	cr_assert_eq(send(pair[0], data, len, MSG_DONTWAIT), (ssize_t)len);
	shutdown(pair[0], SHUT_WR);
	alarm(SEED_SECONDS);
	serve_until_the_end(run, pair[1]);
	alarm(0);
	check_answers(run, pair[0]);
	close(pair[0]);
	cr_assert(is_in(run->memory, run->shadow) && is_in(run->shadow, run->memory),
		"seed %lu: guest memory holds what no load wrote", run->seed);
}

static void on_alarm(int signal)
{
	(void)signal;
	abort();
}

/* Nothing damaged: every call is answered. */
static void run_valid(Run *run)
{
	write_script();
	run_script(run, valid.data, valid.start[valid.count]);
}

static void run_seed(Run *run)
{
	Dice dice = { run->seed };
	uint8_t *data = malloc(SCRIPT_SIZE);
	Clay clay = { data, 0, SCRIPT_SIZE };

	damage(&clay, &dice);
	run_script(run, data, clay.len);
	free(data);
}

ParameterizedTestParameters(rpc_streams, leave_nothing_behind_that_was_not_planned)
{
	static int parts[PARTS];

	for (int i = 0; i < PARTS; i++)
		parts[i] = i;
	return cr_make_param_array(int, parts, PARTS);
}

ParameterizedTest(
	int *part, rpc_streams, leave_nothing_behind_that_was_not_planned, .timeout = 600)
{
	const uint64_t only = hostile_only_seed(), seeds = hostile_seeds();
	Run run = { .memory = guest_file(), .shadow = guest_file() };

	signal(SIGALRM, on_alarm);
	signal(SIGPIPE, SIG_IGN);
	arena = arena_new((size_t)64 * 1024 * 1024);
	/* The first run finds the digest, the second one loads by it. */
	run_valid(&run);
	digest = run.planned;
	run = (Run){ .memory = run.memory, .shadow = run.shadow };
	run_valid(&run);
	cr_assert_eq(run.loads, 1);
	cr_assert_eq(run.refusals, 0, "%u answers, %u refusals", run.answers, run.refusals);
	cr_assert_eq(run.answers, valid.count);

	run.loads = run.answers = run.refusals = 0;
	for (run.seed = (uint64_t)*part; run.seed < seeds; run.seed += PARTS) {
		if (only == UINT64_MAX || only == run.seed)
			run_seed(&run);
	}
	cr_log_info("%u loads, %u answers, %u refusals", run.loads, run.answers, run.refusals);
	/* Damage that nothing survives, or that harms nothing, would test nothing. */
	if (only == UINT64_MAX)
		cr_assert(run.loads >= seeds / 100 && run.refusals >= seeds / 10 &&
				run.answers >= seeds / 4,
			"%u loads, %u answers, %u refusals", run.loads, run.answers,
			run.refusals);
	close(run.memory);
	close(run.shadow);
	arena_free(arena);
}
