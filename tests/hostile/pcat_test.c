/*
 * A hostile guest at its PCAT device: millions of accesses of all kinds, widths and places, from
 * one processor and from eight. Every one is answered, and nothing is written but the guest's RAM.
 *
 * The worker is given all of memory, VTL2's too: what keeps the device out is the worker alone.
 * PVW_SEEDS=N runs N seeds (10), PVW_OPERATIONS=N of so many accesses each (20000).
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <sys/stat.h>

#include "devices/generation_id.h"
#include "hostile/hostile.h"
#include "worker/convert.h"
#include "worker/guest.h"
#include "worker/service.h"

#define PARTS 10
#define BATCH 64
#define STRING_MAX 32 /* bytes of a repeated access */
#define VTL2_START 0x10000000
#define VTL2_END 0x11000000

typedef struct Storm {
	uint64_t seed, accesses, done, writes; /* of all seeds, but @seed */
	Dice dice;
	Arena *arena;
	Service *service;
	Events *events;
	Log *log;
	int memory;
	uint32_t processors;
	const Pvw__V1__PlanResponse *plan;
} Storm;

static Error err;

static uint64_t number_from(const char *name, uint64_t absent)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : absent;
}

/*
 * The guest.
 */

static const void *call(Storm *storm, const char *method, const void *message)
{
	const ServerCallbacks callbacks = service_callbacks(storm->service);
	const MethodTable *table = service_methods();
	const ProtobufCMessage *response = NULL;
	size_t index = 0;

	while (strcmp(table->rows[index].name, method) != 0)
		index++;

	const ServerRequest request = {
		.method = { table, index },
		.message = message,
		.arena = storm->arena,
		.handle = { .connection = 1 },
		.deadline_ns = UINT64_MAX,
	};

	cr_assert(callbacks.call(callbacks.service, &request, &response, &err),
		"seed %lu: %s: %s", storm->seed, method, err.text);
	return response;
}

static void *message(Storm *storm, const ProtobufCMessageDescriptor *type)
{
	return message_new(storm->arena, type, &err);
}

static void load(Storm *storm, const Digest *digest)
{
	Pvw__V1__LoadRequest *in = message(storm, &pvw__v1__load_request__descriptor);

	in->plan_digest = convert_digest_out(digest);
	in->target = message(storm, &pvw__v1__target__descriptor);
	in->target->kind_case = PVW__V1__TARGET__KIND_GUEST_MEMORY;
	in->target->guest_memory = 1;
	call(storm, "Load", in);
}

static Digest start(Storm *storm)
{
	Pvw__V1__LoadBootInfoRequest *info =
		message(storm, &pvw__v1__load_boot_info_request__descriptor);
	Pvw__V1__ConfigureRequest *configure =
		message(storm, &pvw__v1__configure_request__descriptor);
	const Pvw__V1__PlanResponse *plan;
	Digest digest;

	info->arch = PVW__V1__ARCH__ARCH_X86_64;
	info->host_caps = message(storm, &pvw__v1__host_caps__descriptor);
	info->host_caps->physical_address_bits = 46;
	info->dtb = convert_bytes_out(
		guest_tree(storm->arena, (GuestShape){ .cpus = storm->processors }));
	call(storm, "LoadBootInfo", info);
	configure->settings = message(storm, &pvw__v1__device_platform_settings__descriptor);
	configure->settings->firmware = PVW__V1__FIRMWARE_KIND__FIRMWARE_PCAT;
	configure->settings->uefi = message(storm, &pvw__v1__uefi_settings__descriptor);
	configure->settings->uefi->measure_additional_pcrs = 1;
	call(storm, "Configure", configure);
	plan = call(storm, "Plan", message(storm, &pvw__v1__plan_request__descriptor));
	memcpy(digest.bytes, plan->plan_digest.data, DIGEST_SIZE);
	load(storm, &digest);
	return digest;
}

/*
 * Accesses.
 */

static uint64_t some_port(Dice *dice)
{
	static const uint16_t stubs[] = { 0xeb, 0xee, 0x102, 0x103, 0x20b, 0x227, 0x279, 0x6f0,
		0xa79, 0x46e8, 0x46e9 };

	switch (dice_below(dice, 10)) {
	case 0:
		return 0x27 + dice_below(dice, 11);
	case 1:
		return 0x80;
	case 2:
		return stubs[dice_below(dice, ARRAY_COUNT(stubs))];
	case 3:
		return dice_below(dice, 0x10000);
	case 4:
	case 5:
	case 6:
		return 0x28;
	default:
		return 0x2c;
	}
}

/* Addresses around every edge of RAM, registers, and anything. */
static uint32_t some_value(Dice *dice)
{
	static const uint32_t edges[] = { 0, 0x1000, 0xf0000, VTL2_START, VTL2_END,
		GUEST_FILE_SIZE, 0x80000000, 0xf8000000, 0xfffc0000, 0 /* 2^32 */ };

	switch (dice_below(dice, 8)) {
	case 0:
		return (uint32_t)dice_u64(dice);
	case 1:
		return 0x50ac;
	case 2:
	case 3:
		return edges[dice_below(dice, ARRAY_COUNT(edges))] -
			(uint32_t)dice_below(dice, 0x400) + 0x100;
	default:
		return (uint32_t)dice_below(dice, 0x40);
	}
}

static uint64_t some_address(Dice *dice)
{
	static const uint64_t edges[] = { 0xf0000, 0xf5bea, 0x100000, 0xfffc0000, 0x100000000,
		UINT64_MAX - 0x200, 0, VTL2_START };

	return edges[dice_below(dice, ARRAY_COUNT(edges))] + dice_below(dice, 0x80) -
		(dice_below(dice, 4) ? 0 : 0x40);
}

static void fill_data(Storm *storm, Pvw__V1__Intercept *item, size_t len)
{
	uint8_t *data = arena_array(storm->arena, uint8_t, len + 8, &err);

	for (size_t at = 0; at < len; at += item->width) {
		const uint64_t value = some_value(&storm->dice);

		memcpy(data + at, &value, item->width);
	}
	item->data = (ProtobufCBinaryData){ len, data };
}

static Pvw__V1__Intercept *some_access(Storm *storm)
{
	Pvw__V1__Intercept *item = message(storm, &pvw__v1__intercept__descriptor);
	Dice *dice = &storm->dice;
	const size_t kind = dice_below(dice, 64);
	size_t count;

	item->vp_index = (uint32_t)dice_below(dice, storm->processors);
	if (kind == 0) {
		item->kind = PVW__V1__INTERCEPT_KIND__INTERCEPT_GENERATION_ID;
		item->width = 1;
		fill_data(storm, item, GENERATION_ID_SIZE);
		item->width = 0;
		return item;
	}
	item->kind = kind < 8
		? PVW__V1__INTERCEPT_KIND__INTERCEPT_MMIO_READ + (kind & 1)
		: PVW__V1__INTERCEPT_KIND__INTERCEPT_PIO_READ + (dice_below(dice, 3) != 0);
	item->width = dice_below(dice, 6) ? 4 : 1u << dice_below(dice, 4);
	item->address = kind < 8 ? some_address(dice) : some_port(dice);
	count = dice_below(dice, 8) ? 1 : 1 + dice_below(dice, STRING_MAX / item->width);
	if (item->address > UINT64_MAX - STRING_MAX)
		item->address = UINT64_MAX - STRING_MAX;
	if (item->kind == PVW__V1__INTERCEPT_KIND__INTERCEPT_PIO_WRITE ||
		item->kind == PVW__V1__INTERCEPT_KIND__INTERCEPT_MMIO_WRITE)
		fill_data(storm, item, count * item->width);
	else
		item->count = (uint32_t)count;
	return item;
}

/* An access has one result, and a read as many bytes as it asked for, or none. */
static void check_answer(
	Storm *storm, const Pvw__V1__Intercept *item, const Pvw__V1__InterceptAnswer *answer)
{
	const size_t asked = item->data.len ? 0 : (size_t)item->count * item->width;
	const bool is_ours = answer->result != PVW__V1__INTERCEPT_RESULT__INTERCEPT_NOT_CLAIMED;

	storm->done += answer->result == PVW__V1__INTERCEPT_RESULT__INTERCEPT_DONE;
	cr_assert(answer->result > 0 &&
			answer->result <= PVW__V1__INTERCEPT_RESULT__INTERCEPT_FILTERED,
		"seed %lu", storm->seed);
	cr_assert_eq(answer->data.len, is_ours ? asked : 0, "seed %lu", storm->seed);
	cr_assert_leq(answer->n_set, 1, "seed %lu", storm->seed);
	cr_assert_leq(answer->defer_ns, UINT64_C(429496729500) * STRING_MAX / 4, "seed %lu",
		storm->seed);
}

static void send_batch(Storm *storm)
{
	Pvw__V1__HandleInterceptsRequest *in =
		message(storm, &pvw__v1__handle_intercepts_request__descriptor);
	const Pvw__V1__HandleInterceptsResponse *out;

	in->items = arena_array(storm->arena, Pvw__V1__Intercept *, BATCH, &err);
	in->n_items = 1 + dice_below(&storm->dice, BATCH);
	for (size_t i = 0; i < in->n_items; i++)
		in->items[i] = some_access(storm);
	out = call(storm, "HandleIntercepts", in);
	cr_assert_eq(out->n_answers, in->n_items);
	for (size_t i = 0; i < in->n_items; i++)
		check_answer(storm, in->items[i], out->answers[i]);
	storm->accesses += in->n_items;
}

/*
 * Memory.
 */

/* What was written lies in RAM of the guest, and something was. */
static bool check_memory(const Storm *storm)
{
	struct stat file;
	off_t at = 0;
	bool written = false;

	cr_assert(fstat(storm->memory, &file) == 0 && file.st_size == GUEST_FILE_SIZE,
		"seed %lu: the file has grown", storm->seed);
	while ((at = lseek(storm->memory, at, SEEK_DATA)) >= 0) {
		const off_t end = lseek(storm->memory, at, SEEK_HOLE);

		cr_assert(end <= VTL2_START || at >= VTL2_END,
			"seed %lu: 0x%lx to 0x%lx are not all the guest's", storm->seed, at,
			end);
		written = true;
		at = end;
	}
	return written;
}

static void run_seed(Storm *storm, uint64_t operations)
{
	const LogOptions log = { .fd = -1, .filter = "off" };
	const GuestWindow everything = { 0, GUEST_FILE_SIZE, 0 };
	ServiceOptions options = { .session = { .windows = &everything, .window_count = 1 } };
	Digest digest;

	storm->dice = (Dice){ storm->seed };
	storm->processors = storm->seed % 2 ? 8 : 1;
	storm->memory = guest_file();
	storm->events = events_new();
	cr_assert(log_new(&log, &storm->log, &err));
	options.session.guest_fd = storm->memory;
	options.events = storm->events;
	options.log = storm->log;
	cr_assert(service_new(&options, &storm->service, &err));
	arena_reset(storm->arena);
	digest = start(storm);
	for (const uint64_t end = storm->accesses + operations; storm->accesses < end;) {
		arena_reset(storm->arena);
		if (dice_below(&storm->dice, 200) == 0)
			load(storm, &digest);
		send_batch(storm);
	}
	storm->writes += check_memory(storm);
	service_free(storm->service);
	log_free(storm->log);
	events_free(storm->events);
	close(storm->memory);
}

ParameterizedTestParameters(pcat, writes_nothing_but_ram_of_its_guest)
{
	static int parts[PARTS];

	for (int i = 0; i < PARTS; i++)
		parts[i] = i;
	return cr_make_param_array(int, parts, PARTS);
}

ParameterizedTest(int *part, pcat, writes_nothing_but_ram_of_its_guest, .timeout = 3000)
{
	const uint64_t only = hostile_only_seed();
	const uint64_t seeds = number_from("PVW_SEEDS", 10);
	const uint64_t operations = number_from("PVW_OPERATIONS", 20000);
	Storm storm = { .arena = arena_new((size_t)64 * 1024 * 1024) };

	for (storm.seed = (uint64_t)*part; storm.seed < seeds; storm.seed += PARTS) {
		if (only == UINT64_MAX || only == storm.seed)
			run_seed(&storm, operations);
	}
	cr_log_info("%lu accesses, %lu of them done", storm.accesses, storm.done);
	/* Who is never answered, or never writes, has tested nothing. */
	if (only == UINT64_MAX && seeds >= PARTS && operations >= 5000)
		cr_assert(storm.writes > 0 && storm.done > storm.accesses / 4 &&
			storm.done < storm.accesses);
	arena_free(storm.arena);
}
