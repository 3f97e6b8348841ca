/*
 * Intercepts: claims, batches, what a device may do to the guest, and what nobody answers.
 */
#include "worker/intercept.h"

#include <criterion/criterion.h>
#include <string.h>

#include "worker/convert.h"
#include "worker/guest.h"
#include "worker/service.h"

#define PIO_READ PVW__V1__INTERCEPT_KIND__INTERCEPT_PIO_READ
#define PIO_WRITE PVW__V1__INTERCEPT_KIND__INTERCEPT_PIO_WRITE
#define MMIO_READ PVW__V1__INTERCEPT_KIND__INTERCEPT_MMIO_READ
#define MMIO_WRITE PVW__V1__INTERCEPT_KIND__INTERCEPT_MMIO_WRITE
#define GENERATION_ID PVW__V1__INTERCEPT_KIND__INTERCEPT_GENERATION_ID

#define DONE PVW__V1__INTERCEPT_RESULT__INTERCEPT_DONE
#define NOT_CLAIMED PVW__V1__INTERCEPT_RESULT__INTERCEPT_NOT_CLAIMED
#define FILTERED PVW__V1__INTERCEPT_RESULT__INTERCEPT_FILTERED
#define BAD_WIDTH PVW__V1__INTERCEPT_RESULT__INTERCEPT_BAD_WIDTH
#define DEVICE_ERROR PVW__V1__INTERCEPT_RESULT__INTERCEPT_DEVICE_ERROR

#define ROM_SIZE 0x40000
#define PRIVATE_RAM 0x10100000 /* VTL2's */

static Arena *arena;
static Error err;
static Events *events;
static Log *log_;
static Service *service;
static int memory;
static const uint8_t entropy[ENTROPY_SIZE] = { 7, 7, 7 };
static const Pvw__V1__PlanResponse *planned;

/* The worst table a worker can be started with: all of memory, VTL2's too. */
static const GuestWindow everything = { 0, GUEST_FILE_SIZE, 0 };

static void open_service(IsolationType isolation)
{
	ServiceOptions options = { .session = { .isolation = isolation,
					   .guest_fd = memory,
					   .windows = &everything,
					   .window_count = 1 },
		.events = events,
		.log = log_ };

	service_free(service);
	cr_assert(service_new(&options, &service, &err), "%s", err.text);
}

static void setup(void)
{
	const LogOptions log = { .fd = -1 };

	arena = arena_new((size_t)512 * 1024 * 1024);
	events = events_new();
	memory = guest_file();
	cr_assert(log_new(&log, &log_, &err));
	open_service(ISOLATION_NONE);
}

static void teardown(void)
{
	service_free(service);
	log_free(log_);
	events_free(events);
	arena_free(arena);
	close(memory);
}

TestSuite(intercept, .init = setup, .fini = teardown);

static const void *call(const char *method, const void *message)
{
	const ServerCallbacks callbacks = service_callbacks(service);
	const MethodTable *table = service_methods();
	const ProtobufCMessage *response = NULL;
	size_t index = 0;

	while (strcmp(table->rows[index].name, method) != 0)
		index++;

	const ServerRequest request = {
		.method = { table, index },
		.message = message,
		.arena = arena,
		.handle = { .connection = 1 },
		.deadline_ns = UINT64_MAX,
	};

	err = (Error){ 0 };
	return callbacks.call(callbacks.service, &request, &response, &err) ? response : NULL;
}

static const void *must(const char *method, const void *message)
{
	const void *response = call(method, message);

	cr_assert_not_null(response, "%s: %s (%s)", method, err.text, err.source);
	return response;
}

static void *message(const ProtobufCMessageDescriptor *type)
{
	return message_new(arena, type, &err);
}

/*
 * A guest.
 */

static void put_rom(void)
{
	Pvw__V1__PutBlobRequest *in = message(&pvw__v1__put_blob_request__descriptor);
	uint8_t *rom = arena_array(arena, uint8_t, ROM_SIZE, &err);

	for (size_t i = 0; i < ROM_SIZE; i++)
		rom[i] = (uint8_t)(i >> 8 ^ i);
	in->name = convert_text_out("bios");
	in->chunk = message(&pvw__v1__blob__descriptor);
	in->chunk->total_size = ROM_SIZE;
	in->chunk->data = convert_bytes_out((Bytes){ rom, ROM_SIZE });
	in->chunk->last = 1;
	must("PutBlob", in);
}

typedef struct Shape {
	bool uefi, rom, no_load, memory_only, relay;
	const char *isolation;
} Shape;

static Pvw__V1__ConfigureRequest *settings(Shape shape)
{
	Pvw__V1__ConfigureRequest *in = message(&pvw__v1__configure_request__descriptor);
	static const uint8_t id[16] = { 0x1d, 0x1d };

	in->settings = message(&pvw__v1__device_platform_settings__descriptor);
	in->settings->firmware = shape.uefi ? PVW__V1__FIRMWARE_KIND__FIRMWARE_UEFI
					    : PVW__V1__FIRMWARE_KIND__FIRMWARE_PCAT;
	in->settings->uefi = message(&pvw__v1__uefi_settings__descriptor);
	in->settings->uefi->measure_additional_pcrs = 1;
	in->settings->chipset = message(&pvw__v1__chipset__descriptor);
	in->settings->chipset->generation_id = convert_bytes_out((Bytes){ id, sizeof(id) });
	in->settings->chipset->always_relay_host_mmio = shape.relay;
	if (shape.rom) {
		in->settings->firmware_image = message(&pvw__v1__source__descriptor);
		in->settings->firmware_image->kind_case = PVW__V1__SOURCE__KIND_BLOB;
		in->settings->firmware_image->blob = convert_text_out("bios");
	}
	return in;
}

static void load(bool memory_only)
{
	Pvw__V1__LoadRequest *in = message(&pvw__v1__load_request__descriptor);

	in->plan_digest = planned->plan_digest;
	in->target = message(&pvw__v1__target__descriptor);
	in->target->kind_case = memory_only ? PVW__V1__TARGET__KIND_MEMORY_ONLY
					    : PVW__V1__TARGET__KIND_GUEST_MEMORY;
	in->target->memory_only = in->target->guest_memory = 1;
	must("Load", in);
}

static void guest(Shape shape)
{
	Pvw__V1__LoadBootInfoRequest *in =
		message(&pvw__v1__load_boot_info_request__descriptor);
	Pvw__V1__PlanRequest *plan = message(&pvw__v1__plan_request__descriptor);

	in->host_caps = message(&pvw__v1__host_caps__descriptor);
	in->host_caps->physical_address_bits = 46;
	in->host_caps->x2apic = 1;
	in->arch = PVW__V1__ARCH__ARCH_X86_64;
	in->dtb = convert_bytes_out(
		guest_tree(arena, (GuestShape){ .isolation = shape.isolation }));
	must("LoadBootInfo", in);
	if (shape.rom)
		put_rom();
	must("Configure", settings(shape));
	if (!shape.isolation)
		plan->entropy = convert_bytes_out((Bytes){ entropy, sizeof(entropy) });
	planned = must("Plan", plan);
	if (!shape.no_load)
		load(shape.memory_only);
}

/*
 * Accesses.
 */

static Pvw__V1__HandleInterceptsRequest *batch;

static Pvw__V1__Intercept *add(
	Pvw__V1__InterceptKind kind, uint64_t address, uint32_t width, Bytes data)
{
	Pvw__V1__Intercept *item = message(&pvw__v1__intercept__descriptor);

	if (!batch) {
		batch = message(&pvw__v1__handle_intercepts_request__descriptor);
		batch->items =
			arena_array(arena, Pvw__V1__Intercept *, INTERCEPT_MAX_ITEMS, &err);
	}
	item->kind = kind;
	item->address = address;
	item->width = width;
	item->data = convert_bytes_out(data);
	batch->items[batch->n_items++] = item;
	return item;
}

static Pvw__V1__Intercept *add_out(uint64_t port, uint32_t width, uint32_t value)
{
	uint32_t *kept = arena_array(arena, uint32_t, 1, &err);

	*kept = value;
	return add(PIO_WRITE, port, width, (Bytes){ (const uint8_t *)kept, width });
}

static Pvw__V1__Intercept *add_in(uint64_t port, uint32_t width)
{
	return add(PIO_READ, port, width, (Bytes){ 0 });
}

static const Pvw__V1__HandleInterceptsResponse *send_batch(void)
{
	Pvw__V1__HandleInterceptsRequest *in = batch;
	const Pvw__V1__HandleInterceptsResponse *out = must("HandleIntercepts", in);

	batch = NULL;
	cr_assert_eq(out->n_answers, in->n_items);
	return out;
}

/* One access alone. */
static const Pvw__V1__InterceptAnswer *one(
	Pvw__V1__InterceptKind kind, uint64_t address, uint32_t width)
{
	static const uint8_t zeros[8];

	add(kind, address, width,
		kind == PIO_WRITE || kind == MMIO_WRITE ? (Bytes){ zeros, width }
							: (Bytes){ 0 });
	return send_batch()->answers[0];
}

static void out(uint64_t port, uint32_t width, uint32_t value)
{
	add_out(port, width, value);
	cr_assert_eq(send_batch()->answers[0]->result, DONE);
}

static uint32_t in(uint64_t port, uint32_t width)
{
	const Pvw__V1__InterceptAnswer *answer = one(PIO_READ, port, width);
	uint32_t value = 0;

	cr_assert_eq(answer->result, DONE);
	cr_assert_eq(answer->data.len, width);
	memcpy(&value, answer->data.data, width);
	return value;
}

static void reg(uint32_t address, uint32_t value)
{
	out(0x28, 4, address);
	out(0x2c, 4, value);
}

static uint8_t guest_byte(uint64_t gpa)
{
	uint8_t byte = 0;

	cr_assert_eq(pread(memory, &byte, 1, (off_t)gpa), 1);
	return byte;
}

static void refuse(DiagnosticId diagnostic, const char *word)
{
	cr_assert_null(call("HandleIntercepts", batch));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	batch = NULL;
}

/*
 * Claims.
 */

static const Pvw__V1__GetClaimsResponse *claims(void)
{
	return must("GetClaims", message(&pvw__v1__get_claims_request__descriptor));
}

Test(intercept, claims_nothing_without_a_device)
{
	cr_assert_eq(claims()->n_ports + claims()->n_mmio, 0);
	guest((Shape){ .uefi = true, .memory_only = true });
	cr_assert_eq(claims()->n_ports + claims()->n_mmio, 0);
	cr_assert_eq(one(PIO_READ, 0x28, 4)->result, NOT_CLAIMED);
	cr_assert_eq(one(MMIO_READ, 0xfffc0000, 4)->result, NOT_CLAIMED);
	cr_assert_eq(one(MMIO_WRITE, 0xfffc0000, 4)->data.len, 0);
}

Test(intercept, claims_ports_and_rom_of_a_pcat_guest_from_plan_on)
{
	const Pvw__V1__GetClaimsResponse *found;

	guest((Shape){ .no_load = true });
	found = claims();

	cr_assert_eq(found->n_ports, 17);
	cr_assert_eq(found->ports[0]->first, 0x28);
	cr_assert_eq(found->ports[0]->last, 0x2f);
	cr_assert_str_eq(found->ports[0]->device, "pcat");
	cr_assert_str_eq(found->ports[1]->device, "pcat.post");
	cr_assert_eq(found->n_mmio, 2);
	cr_assert_eq(found->mmio[0]->start, 0xf0000);
	cr_assert_eq(found->mmio[0]->size, 0x10000);
	cr_assert_eq(found->mmio[0]->role, PVW__V1__MMIO_ROLE__MMIO_ROLE_UNSPECIFIED);
	cr_assert_eq(found->mmio[1]->start, 0xfffc0000);
	cr_assert_eq(found->mmio[1]->size, 0x40000);
	cr_assert_eq(found->mmio[1]->role, PVW__V1__MMIO_ROLE__MMIO_ROLE_VTL0_CHIPSET_LOW);
	cr_assert_str_eq(found->mmio[1]->owner, "pcat.rom");
	out(0x80, 2, 0x50ac);
	cr_assert_eq(claims()->n_ports, 2);
}

Test(intercept, drops_the_device_with_its_plan)
{
	guest((Shape){ .no_load = true });
	must("Configure", settings((Shape){ 0 }));
	cr_assert_eq(claims()->n_ports, 0);
	guest((Shape){ .no_load = true });
	must("Reset", message(&pvw__v1__reset_request__descriptor));
	cr_assert_eq(claims()->n_ports, 0);
	cr_assert_eq(one(PIO_READ, 0x28, 4)->result, NOT_CLAIMED);
	guest((Shape){ .no_load = true });
	guest((Shape){ .uefi = true, .no_load = true });
	cr_assert_eq(claims()->n_ports, 0);
}

/*
 * Batches.
 */

Test(intercept, serves_a_batch_in_order)
{
	const Pvw__V1__HandleInterceptsResponse *found;

	guest((Shape){ 0 });
	add_out(0x28, 4, 0x09);
	add_in(0x2c, 4);
	add_in(0x2c, 4)->vp_index = 1;
	add_in(0x2c, 4);
	add_in(0x28, 4);
	add_in(0x2c, 2);
	add_in(0x2a, 4);
	add_in(0x60, 1);
	found = send_batch();

	cr_assert_eq(found->answers[0]->data.len, 0);
	cr_assert_eq(found->answers[1]->data.data[0], 0);
	cr_assert_eq(found->answers[2]->data.data[0], 1);
	cr_assert_eq(found->answers[3]->data.data[3], 0xff);
	cr_assert_eq(found->answers[4]->data.data[0], 9);
	cr_assert_eq(found->answers[5]->result, BAD_WIDTH);
	cr_assert_eq(found->answers[5]->data.len, 2);
	cr_assert_eq(found->answers[5]->data.data[1], 0xff);
	cr_assert_eq(found->answers[6]->result, DEVICE_ERROR);
	cr_assert_eq(found->answers[6]->data.len, 4);
	cr_assert_eq(found->answers[7]->result, NOT_CLAIMED);
	cr_assert_eq(found->answers[7]->data.len, 0);
}

/* Two processors wait at once: each has its answer, and neither loses it. */
Test(intercept, defers_each_processors_wait_by_itself)
{
	const Pvw__V1__HandleInterceptsResponse *found;

	guest((Shape){ 0 });
	add_out(0x28, 4, 0x19);
	add_out(0x28, 4, 0x18)->vp_index = 1;
	add_in(0x80, 1);
	found = send_batch();

	cr_assert_eq(found->answers[0]->defer_ns, 10000000);
	cr_assert_eq(found->answers[1]->defer_ns, 1000000);
	cr_assert_eq(found->answers[2]->defer_ns, 0);
}

Test(intercept, repeats_string_accesses)
{
	static const uint32_t waits[] = { 1, 2, 3 };
	const Pvw__V1__HandleInterceptsResponse *found;

	guest((Shape){ 0 });
	add_out(0x28, 4, 0x16);
	add_in(0x2c, 4)->count = 4;
	add_out(0x28, 4, 0x17);
	add(PIO_WRITE, 0x2c, 4, (Bytes){ (const uint8_t *)waits, sizeof(waits) })->count = 3;
	add_in(0x80, 1)->count = 4096;
	found = send_batch();

	cr_assert_eq(found->answers[1]->data.len, 16);
	cr_assert_eq(memcmp(found->answers[1]->data.data,
			     (uint8_t[]){ 1, 0, 0, 0, 1, 0, 0, 0, 0 }, 9),
		0);
	cr_assert_eq(found->answers[3]->defer_ns, 600);
	cr_assert_eq(found->answers[4]->data.len, 4096);
}

Test(intercept, refuses_what_no_processor_does_and_does_nothing_of_it)
{
	guest((Shape){ 0 });
	out(0x80, 1, 0x11);

	add_out(0x80, 1, 0x22);
	add(0, 0x80, 1, (Bytes){ 0 });
	refuse(PVW_INTERCEPT_0001, "items[1]: no kind");
	add_in(0x80, 3);
	refuse(PVW_INTERCEPT_0001, "width 3");
	add_in(0x80, 0);
	refuse(PVW_INTERCEPT_0001, "width 0");
	add_in(0x10000, 1);
	refuse(PVW_INTERCEPT_0001, "port 0x10000");
	add(PIO_READ, 0x80, 1, (Bytes){ entropy, 1 });
	refuse(PVW_INTERCEPT_0001, "read with 1");
	add(PIO_WRITE, 0x80, 4, (Bytes){ entropy, 6 });
	refuse(PVW_INTERCEPT_0001, "multiple");
	add(PIO_WRITE, 0x80, 4, (Bytes){ entropy, 0 });
	refuse(PVW_INTERCEPT_0001, "write of 0");
	add(PIO_WRITE, 0x80, 4, (Bytes){ entropy, 8 })->count = 3;
	refuse(PVW_INTERCEPT_0001, "count of 3");
	add(MMIO_READ, UINT64_MAX, 2, (Bytes){ 0 });
	refuse(PVW_INTERCEPT_0001, "address space");
	add_in(0x80, 4)->count = 1025;
	refuse(PVW_INTERCEPT_0003, "1025 times 4");
	add_in(0x80, 8)->count = UINT32_MAX;
	refuse(PVW_INTERCEPT_0003, "at most 4096");
	add_in(0x80, 1)->vp_index = 2;
	refuse(PVW_INTERCEPT_0002, "processor 2, expected one below 2");
	add(GENERATION_ID, 0, 0, (Bytes){ entropy, 15 });
	refuse(PVW_INTERCEPT_0001, "15 bytes");

	cr_assert_eq(in(0x80, 1), 0x11);
}

/*
 * What a device does to its guest.
 */

Test(intercept, writes_into_the_guests_ram)
{
	guest((Shape){ 0 });
	reg(0x0c, 0x90000);
	cr_assert_eq(guest_byte(0x90000), 'S');
	reg(0x1d, 0x91000);
	cr_assert_eq(guest_byte(0x91000), 4);
	reg(0x1e, 0x92000);
	cr_assert_eq(guest_byte(0x92002), 7);
	reg(0x0f, 0);
	reg(0x0e, 0x93000);
	cr_assert_eq(guest_byte(0x93001), 0x1d);
	/* Up to the last byte of a range. */
	reg(0x1e, 0x94000);
	cr_assert_eq(guest_byte(0x94000), 0);
	reg(0x1d, 0x10000000 - 123);
	cr_assert_eq(guest_byte(0x10000000 - 123), 4);
}

Test(intercept, never_writes_outside_of_the_guests_ram)
{
	const uint32_t gpas[] = { PRIVATE_RAM, 0x10000000 - 122, 0x10000000, 0x11000000 - 1,
		GUEST_FILE_SIZE - 122, GUEST_FILE_SIZE, 0xf8000000, UINT32_MAX };

	guest((Shape){ 0 });
	out(0x28, 4, 0x1d);
	for (size_t i = 0; i < ARRAY_COUNT(gpas); i++)
		out(0x2c, 4, gpas[i]);
	out(0x28, 4, 0x0c);
	for (size_t i = 0; i < ARRAY_COUNT(gpas); i++)
		out(0x2c, 4, gpas[i]);
	/* Nothing but holes: not even the images, as there are none. */
	cr_assert_lt(lseek(memory, 0, SEEK_DATA), 0);
	reg(0x1d, 0x11000000);
	cr_assert_eq(guest_byte(0x11000000), 4);
}

Test(intercept, goes_on_without_memory_to_write_to)
{
	guest((Shape){ .memory_only = true });
	reg(0x0c, 0x90000);
	reg(0x1d, 0x90000);
	cr_assert_lt(lseek(memory, 0, SEEK_DATA), 0);
	cr_assert_eq(in(0x28, 4), 0x1d);
}

Test(intercept, gives_the_first_mtrrs_and_pat_again)
{
	const Pvw__V1__InterceptAnswer *answer;
	const Pvw__V1__RegisterSet *set;

	guest((Shape){ 0 });
	out(0x28, 4, 0x1a);
	answer = one(PIO_WRITE, 0x2c, 4);

	cr_assert_eq(answer->n_set, 1);
	set = answer->set[0];
	cr_assert_eq(set->scope, PVW__V1__VP_SCOPE__VP_SCOPE_ALL_VPS);
	cr_assert_str_eq(set->registers[0]->name, "Pat");
	cr_assert_eq(set->registers[0]->low, 0x0007040600070406);
	/* The rest is the plan's. */
	for (size_t i = 0; i < planned->n_registers; i++) {
		const Pvw__V1__RegisterSet *plan = planned->registers[i];

		if (plan->scope != PVW__V1__VP_SCOPE__VP_SCOPE_ALL_VPS)
			continue;
		cr_assert_eq(plan->n_registers + 1, set->n_registers);
		for (size_t k = 0; k < plan->n_registers; k++) {
			cr_assert_eq(plan->registers[k]->id, set->registers[k + 1]->id);
			cr_assert_eq(plan->registers[k]->low, set->registers[k + 1]->low);
		}
	}
	cr_assert_geq(set->n_registers, 10);
}

Test(intercept, renews_the_generation_id_and_pulses_gpe_0)
{
	static const uint8_t id[16] = { 0x99 };
	const Pvw__V1__HandleInterceptsResponse *found;

	guest((Shape){ 0 });
	reg(0x0e, 0x93000);
	reg(0x0f, 0);
	add(GENERATION_ID, 0, 0, (Bytes){ id, sizeof(id) });
	add_in(0x80, 1);
	found = send_batch();

	cr_assert_eq(found->answers[0]->result, DONE);
	cr_assert(found->answers[0]->pulse_gpe0);
	cr_assert_not(found->answers[1]->pulse_gpe0);
	cr_assert_eq(guest_byte(0x93000), 0x99);
	/* A guest that starts again says anew where it wants it, and finds the new one. */
	load(false);
	reg(0x0e, 0x94000);
	cr_assert_eq(guest_byte(0x94000), 0);
	reg(0x0f, 0);
	cr_assert_eq(guest_byte(0x94000), 0x99);
}

Test(intercept, has_no_generation_id_without_a_device)
{
	add(GENERATION_ID, 0, 0, (Bytes){ entropy, 16 });
	cr_assert_eq(send_batch()->answers[0]->result, NOT_CLAIMED);
}

Test(intercept, starts_anew_with_each_load)
{
	guest((Shape){ 0 });
	reg(0x1e, 0x92000);
	reg(0x22, 5);
	out(0x80, 2, 0x50ac);
	load(false);

	cr_assert_eq(in(0x28, 4), 0);
	cr_assert_eq(in(0x80, 2), 0);
	cr_assert_eq(claims()->n_ports, 17);
	reg(0x1e, 0x95000);
	/* Other entropy than the first start's: 64 equal bytes would be a wonder. */
	cr_assert(guest_byte(0x95000) != 7 || guest_byte(0x95001) != 7 ||
		guest_byte(0x95002) != 7 || guest_byte(0x95003) != 0);
}

Test(intercept, tells_boot_events)
{
	const uint32_t addresses[] = { 0x3b, 0x3a };
	const int kinds[] = { PVW__V1__BOOT_EVENT_KIND__BOOT_EVENT_ATTEMPT,
		PVW__V1__BOOT_EVENT_KIND__BOOT_EVENT_FAILURE };

	guest((Shape){ 0 });
	for (size_t i = 0; i < 2; i++) {
		const uint64_t before = events_last(events);
		const Event *event;
		uint64_t dropped;

		out(0x28, 4, addresses[i]);
		event = events_next(events, before, &dropped);
		while (event && event->kind != EVENT_KIND_BOOT)
			event = events_next(events, event->seq, &dropped);
		cr_assert_not_null(event);
		cr_assert_eq(event->value, kinds[i]);
		cr_assert_not_null(strstr(event->text, "BIOS"));
	}
}

Test(intercept, shows_the_rom_of_the_settings)
{
	const Pvw__V1__InterceptAnswer *answer;

	guest((Shape){ .rom = true });
	add(MMIO_READ, 0xfffc0100, 4, (Bytes){ 0 })->count = 2;
	answer = send_batch()->answers[0];
	cr_assert_eq(answer->result, DONE);
	cr_assert_eq(memcmp(answer->data.data, (uint8_t[]){ 1, 0, 3, 2, 5, 4, 7, 6 }, 8), 0);
	answer = one(MMIO_READ, 0xf0000, 1);
	cr_assert_eq(answer->data.data[0], 0);
	cr_assert_eq(one(MMIO_WRITE, 0xf5bea, 1)->result, DONE);
	cr_assert_eq(one(MMIO_READ, 0xfffbffff, 2)->result, NOT_CLAIMED);
}

/*
 * What nobody claims.
 */

Test(intercept, keeps_from_the_host_what_is_not_its_business)
{
	guest((Shape){ .relay = true });
	cr_assert_eq(one(MMIO_READ, 0xf8000000, 4)->result, NOT_CLAIMED);
	cr_assert_eq(one(MMIO_READ, 0x1000000000, 8)->result, NOT_CLAIMED);
	cr_assert_eq(one(MMIO_READ, 0x1000, 4)->result, FILTERED, "RAM");
	cr_assert_eq(one(MMIO_READ, PRIVATE_RAM, 4)->data.data[3], 0xff);
	cr_assert_eq(one(MMIO_WRITE, 0xf7fffffe, 4)->result, FILTERED, "into the window");
	cr_assert_eq(one(PIO_READ, 0x60, 1)->result, NOT_CLAIMED);
}

Test(intercept, keeps_everything_of_an_isolated_guest_from_the_host)
{
	open_service(ISOLATION_SNP);
	guest((Shape){ .uefi = true, .isolation = "snp", .memory_only = true });
	cr_assert_eq(one(MMIO_READ, 0xf8000000, 4)->result, FILTERED);
	cr_assert_eq(one(PIO_READ, 0x60, 1)->result, FILTERED);
	cr_assert_eq(one(PIO_READ, 0x60, 1)->data.data[0], 0xff);
	cr_assert_eq(one(PIO_WRITE, 0x28, 4)->result, FILTERED);
}
