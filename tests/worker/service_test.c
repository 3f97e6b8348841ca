/*
 * Methods, called as the server calls them but without one: each in each state, each refusal.
 */
#include "worker/service.h"

#include <criterion/criterion.h>
#include <string.h>

#include "worker/convert.h"
#include "worker/guest.h"

static Arena *arena;
static Error err;
static Events *events;
static Log *log_;
static Service *service;
static uint64_t connection; /* who calls */

static void open_service(ServiceOptions options)
{
	service_free(service);
	options.events = events;
	options.log = log_;
	if (!options.session.guest_fd)
		options.session.guest_fd = -1;
	cr_assert(service_new(&options, &service, &err), "%s", err.text);
}

static void setup(void)
{
	const LogOptions log = { .fd = -1 };

	arena = arena_new((size_t)256 * 1024 * 1024);
	events = events_new();
	cr_assert(log_new(&log, &log_, &err));
	connection = 1;
	open_service((ServiceOptions){ 0 });
}

static void teardown(void)
{
	service_free(service);
	log_free(log_);
	events_free(events);
	arena_free(arena);
}

TestSuite(service, .init = setup, .fini = teardown);

static size_t method_index(const char *name)
{
	const MethodTable *table = service_methods();
	size_t index = 0;

	while (strcmp(table->rows[index].name, name) != 0)
		index++;
	return index;
}

/* The response, or NULL with `err` set. */
static const void *call(const char *method, const void *message)
{
	const ServerCallbacks callbacks = service_callbacks(service);
	const ServerRequest request = {
		.method = { service_methods(), method_index(method) },
		.message = message,
		.arena = arena,
		.handle = { .connection = connection },
		.deadline_ns = UINT64_MAX,
	};
	const ProtobufCMessage *response = NULL;

	err = (Error){ 0 };
	if (!callbacks.call(callbacks.service, &request, &response, &err)) {
		cr_assert_neq(
			err.diagnostic, PVW_NONE, "%s is refused without a reason", method);
		return NULL;
	}
	cr_assert_not_null(response);
	cr_assert_eq(response->descriptor, method_output(request.method));
	return response;
}

static const void *must(const char *method, const void *message)
{
	const void *response = call(method, message);

	cr_assert_not_null(response, "%s: %s (%s)", method, err.text, err.source);
	return response;
}

static void refuse(
	const char *method, const void *message, DiagnosticId diagnostic, const char *word)
{
	cr_assert_null(call(method, message), "%s is not refused", method);
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s: %s", method,
		diagnostic_row(err.diagnostic)->name, err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
}

/* A request with nothing said. */
static void *empty(const char *method)
{
	const MethodRef ref = { service_methods(), method_index(method) };

	return message_new(arena, method_input(ref), &err);
}

/*
 * Requests that are right.
 */

static Pvw__V1__LoadBootInfoRequest *boot_info(const char *isolation)
{
	Pvw__V1__LoadBootInfoRequest *in = empty("LoadBootInfo");
	Pvw__V1__HostCaps *caps = message_new(arena, &pvw__v1__host_caps__descriptor, &err);

	caps->physical_address_bits = 46;
	caps->x2apic = 1;
	in->arch = PVW__V1__ARCH__ARCH_X86_64;
	in->dtb = convert_bytes_out(guest_tree(arena, (GuestShape){ .isolation = isolation }));
	in->host_caps = caps;
	return in;
}

static Pvw__V1__ConfigureRequest *settings(void)
{
	Pvw__V1__ConfigureRequest *in = empty("Configure");

	in->settings = message_new(arena, &pvw__v1__device_platform_settings__descriptor, &err);
	in->settings->uefi = message_new(arena, &pvw__v1__uefi_settings__descriptor, &err);
	in->settings->uefi->measure_additional_pcrs = 1;
	return in;
}

static const uint8_t entropy[ENTROPY_SIZE] = { 7, 7, 7 };

static Pvw__V1__PlanRequest *plan_request(size_t entropy_len)
{
	Pvw__V1__PlanRequest *in = empty("Plan");

	in->entropy = convert_bytes_out((Bytes){ entropy, entropy_len });
	return in;
}

static Pvw__V1__LoadRequest *load_request(const Pvw__V1__PlanResponse *plan)
{
	Pvw__V1__LoadRequest *in = empty("Load");

	in->plan_digest = plan->plan_digest;
	in->target = message_new(arena, &pvw__v1__target__descriptor, &err);
	in->target->kind_case = PVW__V1__TARGET__KIND_MEMORY_ONLY;
	in->target->memory_only = 1;
	return in;
}

/* The guest's isolation, as the service was opened for it; leads to PLANNED. */
static const Pvw__V1__PlanResponse *plan(const char *isolation)
{
	must("LoadBootInfo", boot_info(isolation));
	must("Configure", settings());
	return must("Plan", plan_request(isolation ? 0 : ENTROPY_SIZE));
}

static void reach(SessionState state)
{
	const Pvw__V1__PlanResponse *planned;

	open_service((ServiceOptions){ 0 });
	if (state >= SESSION_BOOT_INFO)
		must("LoadBootInfo", boot_info(NULL));
	if (state >= SESSION_CONFIGURED)
		must("Configure", settings());
	if (state < SESSION_PLANNED)
		return;
	planned = must("Plan", plan_request(ENTROPY_SIZE));
	if (state >= SESSION_LOADED)
		must("Load", load_request(planned));
	if (state == SESSION_STOPPING)
		session_stop(service_session(service));
	cr_assert_eq(session_state(service_session(service)), state);
}

/*
 * The table of methods.
 */

/* E B C P L F S: the states; x: may be called there. "later": of a later version. */
static const struct {
	const char *name, *states;
} matrix[] = {
	{ "Hello", "xxxxx--" },
	{ "LoadBootInfo", "xxxx---" },
	{ "PutBlob", "xxxx---" },
	{ "Configure", "-xxx---" },
	{ "Plan", "--xx---" },
	{ "Load", "---xx--" },
	{ "Reset", "xxxxxx-" },
	{ "GetLayout", "---xx--" },
	{ "ListArtifacts", "---xx--" },
	{ "GetArtifact", "---xx--" },
	{ "GetClaims", "xxxxx--" },
	{ "HandleIntercepts", "xxxxx--" },
	{ "PollEvents", "xxxxxxx" },
	{ "Save", "later" },
	{ "Restore", "later" },
	{ "Health", "xxxxxxx" },
	{ "Metrics", "xxxxxxx" },
	{ "SetLogFilter", "xxxxx--" },
	{ "Shutdown", "xxxxxxx" },
};

Test(service, has_a_row_for_every_method)
{
	const MethodTable *table = service_methods();

	cr_assert(method_table_matches(table));
	cr_assert_eq(table->count, ARRAY_COUNT(matrix));
	for (size_t i = 0; i < table->count; i++) {
		cr_assert_str_eq(table->rows[i].name, matrix[i].name);
		cr_assert_leq(table->rows[i].max_request, FRAME_MAX_DATA);
		for (size_t state = 0; matrix[i].states[0] != 'l' && state < 7; state++)
			cr_assert_eq(table->rows[i].states >> state & 1,
				matrix[i].states[state] == 'x', "%s in state %zu",
				matrix[i].name, state);
	}
}

Test(service, serves_each_method_in_its_states_and_in_no_other)
{
	const SessionState states[] = { SESSION_EMPTY, SESSION_BOOT_INFO, SESSION_CONFIGURED,
		SESSION_PLANNED, SESSION_LOADED, SESSION_STOPPING };

	for (size_t i = 0; i < ARRAY_COUNT(matrix); i++) {
		for (size_t k = 0; k < ARRAY_COUNT(states); k++) {
			const char *name = session_state_name(states[k]);

			if (strcmp(matrix[i].name, "Shutdown") == 0)
				continue; /* needs a server */
			reach(states[k]);
			if (matrix[i].states[0] == 'l') {
				refuse(matrix[i].name, empty(matrix[i].name), PVW_SERVICE_0001,
					matrix[i].name);
				continue;
			}
			if (call(matrix[i].name, empty(matrix[i].name))) {
				cr_assert_eq(matrix[i].states[states[k]], 'x', "%s in %s",
					matrix[i].name, name);
				continue;
			}
			cr_assert_eq(err.diagnostic == PVW_SESSION_0001,
				matrix[i].states[states[k]] != 'x', "%s in %s: %s",
				matrix[i].name, name, err.text);
			if (err.diagnostic == PVW_SESSION_0001)
				cr_assert(
					strstr(err.text, name) && strstr(err.text, "expected"),
					"%s", err.text);
		}
	}
}

/* A list without a limit of its own is bounded by the frame alone: none is forgotten. */
static void check_lists(const ProtobufCMessageDescriptor *type, int depth)
{
	const WireLimitList limits = service_methods()->limits;

	cr_assert_lt(depth, 8);
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		bool is_limited = false;

		for (size_t k = 0; k < limits.count; k++)
			is_limited |= limits.items[k].message == type &&
				limits.items[k].field == field->id;
		cr_assert_eq(is_limited, field->label == PROTOBUF_C_LABEL_REPEATED, "%s.%s",
			type->name, field->name);
		if (field->type == PROTOBUF_C_TYPE_MESSAGE)
			check_lists(field->descriptor, depth + 1);
	}
}

Test(service, limits_every_list_in_a_request)
{
	const MethodTable *table = service_methods();

	for (size_t i = 0; i < table->count; i++)
		check_lists(table->service->methods[i].input, 0);
}

/*
 * Hello.
 */

static Pvw__V1__HelloRequest *hello(uint32_t min, uint32_t max)
{
	Pvw__V1__HelloRequest *in = empty("Hello");

	in->major_min = min;
	in->major_max = max;
	return in;
}

static bool has_feature(const Pvw__V1__HelloResponse *out, const char *name)
{
	for (size_t i = 0; i < out->n_features; i++) {
		if (strcmp(out->features[i], name) == 0)
			return true;
	}
	return false;
}

Test(service, says_hello)
{
	const Pvw__V1__HelloResponse *out = must("Hello", hello(1, 3));

	cr_assert_eq(out->major, 1);
	cr_assert_eq(out->state, PVW__V1__WORKER_STATE__WORKER_STATE_EMPTY);
	cr_assert_eq(out->limits->max_frame, 4 * 1024 * 1024);
	cr_assert_eq(out->limits->max_chunk, 1024 * 1024);
	cr_assert_eq(out->limits->max_blob_bytes, 512u * 1024 * 1024);
	cr_assert(has_feature(out, "linux-blobs"));
	cr_assert(has_feature(out, "uefi-blobs"));
	cr_assert_eq(out->limits->max_connections, 16);
	cr_assert_eq(out->limits->max_inflight, 64);
	cr_assert_eq(out->limits->max_vps, 2048);
	cr_assert_eq(out->limits->max_memory_ranges, 512);
	cr_assert_eq(out->limits->max_mmio_ranges, 64);
	cr_assert_eq(out->limits->max_dtb, 256 * 1024);
	cr_assert_eq(out->limits->max_windows, 512);
	cr_assert_eq(out->limits->max_channel_demands, 256);
}

Test(service, lists_only_features_that_work)
{
	const char *const later[] = { "save", "inspect", "inspect-openvmm" };
	const Pvw__V1__HelloResponse *out = must("Hello", hello(1, 1));

	cr_assert(has_feature(out, "events") && has_feature(out, "blobs") &&
		has_feature(out, "uefi") && has_feature(out, "intercepts"));
	for (size_t i = 0; i < ARRAY_COUNT(later); i++)
		cr_assert_not(has_feature(out, later[i]), "%s", later[i]);
}

Test(service, speaks_version_one)
{
	refuse("Hello", hello(2, 9), PVW_SERVICE_0002, "2 to 9");
	refuse("Hello", hello(0, 0), PVW_SERVICE_0002, "expected 1");
}

Test(service, takes_a_correlation_of_16_bytes)
{
	Pvw__V1__HelloRequest *in = hello(1, 1);

	in->correlation_id = message_new(arena, &pvw__v1__guid__descriptor, &err);
	in->correlation_id->le = convert_bytes_out((Bytes){ entropy, 16 });
	must("Hello", in);
	in->correlation_id->le.len = 17;
	refuse("Hello", in, PVW_MSG_0001, "17");
}

/*
 * Boot info.
 */

Test(service, agrees_with_the_host_about_isolation)
{
	Pvw__V1__LoadBootInfoRequest *in = boot_info(NULL);

	in->isolation = PVW__V1__ISOLATION__ISOLATION_SNP;
	refuse("LoadBootInfo", in, PVW_SESSION_0002, "isolation");
	in->isolation = PVW__V1__ISOLATION__ISOLATION_NONE;
	must("LoadBootInfo", in);
	refuse("LoadBootInfo", boot_info("tdx"), PVW_SESSION_0002, "boot tree");
}

Test(service, takes_no_boot_info_from_the_host_inside_vtl2)
{
	Diagnostics findings;
	FactInputs facts;
	Session *session;

	open_service((ServiceOptions){
		.session = { .isolation_from_tree = true, .narrow_only = true } });
	cr_assert(service_is_filtered(service), "until the tree says otherwise");
	session = service_session(service);
	facts = guest_facts(arena, (GuestShape){ 0 });
	cr_assert(diagnostics_init(&findings, 8, arena, &err));
	cr_assert(session_load_boot_info(session, &facts, &findings, &err));
	session_keep_boot_info(session);
	cr_assert_not(service_is_filtered(service));

	refuse("LoadBootInfo", empty("LoadBootInfo"), PVW_SESSION_0001, "BOOT_INFO");
	refuse("LoadBootInfo", boot_info("snp"), PVW_SESSION_0001, "machine");
	cr_assert_eq(diagnostic_row(err.diagnostic)->code, ERROR_STATE);
	must("Configure", settings());
	must("Plan", plan_request(0));
	must("Reset", empty("Reset"));
	cr_assert_eq(session_state(session), SESSION_BOOT_INFO);
}

/*
 * Blobs.
 */

static Pvw__V1__PutBlobRequest *chunk(const char *text, uint64_t total, uint64_t offset)
{
	Pvw__V1__PutBlobRequest *in = empty("PutBlob");

	in->name = convert_text_out("kernel");
	in->chunk = message_new(arena, &pvw__v1__blob__descriptor, &err);
	in->chunk->total_size = total;
	in->chunk->offset = offset;
	in->chunk->data = convert_bytes_out((Bytes){ (const uint8_t *)text, strlen(text) });
	in->chunk->last = offset + strlen(text) == total;
	return in;
}

Test(service, takes_a_blob_in_chunks)
{
	const Digest digest = digest_of((Bytes){ (const uint8_t *)"vmlinux", 7 });
	const Pvw__V1__PutBlobResponse *out = must("PutBlob", chunk("vml", 7, 0));

	cr_assert_eq(out->received, 3);
	cr_assert_eq(out->sha256.len, 0);
	out = must("PutBlob", chunk("inux", 7, 3));
	cr_assert_eq(out->received, 7);
	cr_assert_arr_eq(out->sha256.data, digest.bytes, DIGEST_SIZE);
}

Test(service, refuses_chunks_that_are_not_right)
{
	Pvw__V1__PutBlobRequest *in = chunk("vml", 7, 0);

	refuse("PutBlob", empty("PutBlob"), PVW_MSG_0002, "no chunk");
	in->chunk->last = 1;
	refuse("PutBlob", in, PVW_BLOB_0002, "does not end");
	in = chunk("vmlinux", 7, 0);
	in->chunk->last = 0;
	refuse("PutBlob", in, PVW_BLOB_0002, "ends");
	in->chunk->last = 1;
	in->chunk->sha256 = convert_bytes_out((Bytes){ entropy, 31 });
	refuse("PutBlob", in, PVW_MSG_0001, "31");
	in->chunk->sha256.len = 32;
	refuse("PutBlob", in, PVW_BLOB_0004, "digest");
	in->chunk->data.len = SERVICE_MAX_CHUNK + 1;
	refuse("PutBlob", in, PVW_MSG_0002, "1048577");
	refuse("PutBlob", chunk("x", 7, UINT64_MAX), PVW_BLOB_0002, "\"kernel\"");
}

Test(service, finds_only_complete_blobs_in_settings)
{
	Pvw__V1__ConfigureRequest *in = settings();

	must("LoadBootInfo", boot_info(NULL));
	in->settings->firmware_image = message_new(arena, &pvw__v1__source__descriptor, &err);
	in->settings->firmware_image->kind_case = PVW__V1__SOURCE__KIND_BLOB;
	in->settings->firmware_image->blob = convert_text_out("kernel");
	must("PutBlob", chunk("vml", 7, 0));
	refuse("Configure", in, PVW_BLOB_0005, "kernel");
	must("PutBlob", chunk("inux", 7, 3));
	must("Configure", in);
}

/*
 * Settings.
 */

Test(service, tells_what_isolation_changed)
{
	Pvw__V1__ConfigureRequest *in = settings();
	const Pvw__V1__ConfigureResponse *out;

	open_service((ServiceOptions){ .session = { .isolation = ISOLATION_SNP } });
	must("LoadBootInfo", boot_info("snp"));
	in->settings->uefi->memory_protection =
		PVW__V1__MEMORY_PROTECTION__MEMORY_PROTECTION_RELAXED;
	out = must("Configure", in);
	cr_assert_eq(out->n_clamps, 1);
	cr_assert_str_eq(out->clamps[0]->field, "uefi.memory_protection");
	cr_assert_str_eq(out->clamps[0]->asked, "relaxed");
	cr_assert_str_eq(out->clamps[0]->used, "default");
	cr_assert_eq(out->settings_sha256.len, DIGEST_SIZE);
	in->settings->uefi->hibernation = 1;
	refuse("Configure", in, PVW_SETTINGS_0001, "hibernation");
	cr_assert_str_eq(err.source, "settings.uefi.hibernation");
}

Test(service, checks_settings_in_a_dry_run_and_keeps_nothing)
{
	Pvw__V1__ConfigureRequest *in = settings();

	must("LoadBootInfo", boot_info(NULL));
	in->dry_run = 1;
	must("Configure", in);
	cr_assert_eq(session_state(service_session(service)), SESSION_BOOT_INFO);
}

/*
 * Plan.
 */

static Digest digest_in(ProtobufCBinaryData data)
{
	Digest digest;

	cr_assert_eq(data.len, DIGEST_SIZE);
	memcpy(digest.bytes, data.data, DIGEST_SIZE);
	return digest;
}

Test(service, plans_the_same_from_the_same_entropy_and_draws_its_own)
{
	const Digest first = digest_in(plan(NULL)->plan_digest);
	const Pvw__V1__PlanResponse *again = must("Plan", plan_request(ENTROPY_SIZE));
	Digest drawn;

	cr_assert(digest_equal(first, digest_in(again->plan_digest)));
	again = must("Plan", plan_request(0));
	drawn = digest_in(again->plan_digest);
	cr_assert_not(digest_equal(first, drawn));
	again = must("Plan", plan_request(0));
	cr_assert_not(digest_equal(drawn, digest_in(again->plan_digest)));
}

Test(service, takes_entropy_of_64_bytes_or_none)
{
	reach(SESSION_CONFIGURED);
	refuse("Plan", plan_request(63), PVW_MSG_0001, "63 bytes");
	refuse("Plan", plan_request(1), PVW_MSG_0001, "expected 64");
}

Test(service, takes_no_entropy_for_an_isolated_guest)
{
	open_service((ServiceOptions){ .session = { .isolation = ISOLATION_SNP } });
	must("LoadBootInfo", boot_info("snp"));
	must("Configure", settings());
	refuse("Plan", plan_request(ENTROPY_SIZE), PVW_SERVICE_0003, "isolated");
	cr_assert_eq(diagnostic_row(err.diagnostic)->code, ERROR_DENIED);
	cr_assert_eq(session_state(service_session(service)), SESSION_CONFIGURED);
	must("Plan", plan_request(0));
}

Test(service, tells_the_layout_with_or_without_its_reasons)
{
	Pvw__V1__GetLayoutRequest *in = empty("GetLayout");
	const Pvw__V1__GetLayoutResponse *out;

	plan(NULL);
	out = must("GetLayout", in);
	cr_assert_str_eq(out->layout->placements[0]->source, "");
	in->with_provenance = 1;
	out = must("GetLayout", in);
	cr_assert_str_eq(out->layout->placements[0]->source, "plan");
}

/*
 * Load.
 */

Test(service, loads_what_was_planned_and_where_it_is_told)
{
	const Pvw__V1__PlanResponse *planned = plan(NULL);
	Pvw__V1__LoadRequest *in = load_request(planned);
	Pvw__V1__Target *target = in->target;
	const Pvw__V1__LoadResponse *out;

	in->target = NULL;
	refuse("Load", in, PVW_MSG_0002, "no target");
	in->target = target;
	target->memory_only = 0;
	refuse("Load", in, PVW_MSG_0002, "no target");
	target->kind_case = PVW__V1__TARGET__KIND_GUEST_MEMORY;
	target->guest_memory = 1;
	refuse("Load", in, PVW_SESSION_0004, "memory");
	target->kind_case = PVW__V1__TARGET__KIND_MEMORY_ONLY;
	in->plan_digest.len = 31;
	refuse("Load", in, PVW_MSG_0001, "31 bytes");
	in->plan_digest = convert_bytes_out((Bytes){ entropy, DIGEST_SIZE });
	refuse("Load", in, PVW_SESSION_0003, "expected");
	in->plan_digest = planned->plan_digest;
	out = must("Load", in);
	cr_assert_eq(out->writes, 0);
	cr_assert_eq(out->image_sha256.len, DIGEST_SIZE);
}

Test(service, loads_into_the_windows_of_the_request)
{
	const int file = guest_file();
	Pvw__V1__MemoryWindow window = PVW__V1__MEMORY_WINDOW__INIT;
	Pvw__V1__MemoryWindow *windows[] = { &window };
	const Pvw__V1__PlanResponse *planned;
	const Pvw__V1__LoadResponse *out;
	Pvw__V1__LoadRequest *in;

	open_service((ServiceOptions){ .session = { .guest_fd = file } });
	planned = plan(NULL);
	in = load_request(planned);
	in->target->kind_case = PVW__V1__TARGET__KIND_GUEST_MEMORY;
	in->target->guest_memory = 1;
	in->target->windows = windows;
	in->target->n_windows = 1;
	in->verify_after = 1;
	window.size = 0x1000;
	refuse("Load", in, PVW_GUEST_0007, "0x");
	window.size = 0x10000000;
	out = must("Load", in);
	cr_assert_eq(out->writes, planned->n_writes);
	close(file);
}

/*
 * Artifacts.
 */

static Pvw__V1__GetArtifactRequest *artifact_request(const char *name)
{
	Pvw__V1__GetArtifactRequest *in = empty("GetArtifact");

	in->name = convert_text_out(name);
	return in;
}

Test(service, hands_out_artifacts_whole_and_in_pieces)
{
	const Pvw__V1__ListArtifactsResponse *list;

	plan(NULL);
	list = must("ListArtifacts", empty("ListArtifacts"));
	cr_assert_gt(list->n_artifacts, 0);
	for (size_t i = 0; i < list->n_artifacts; i++) {
		const Pvw__V1__Artifact *artifact = list->artifacts[i];
		Pvw__V1__GetArtifactRequest *in = artifact_request(artifact->name);
		DigestState state;
		bool last = false;

		digest_begin(&state);
		in->expect_sha256 = artifact->sha256;
		in->max_bytes = 1000;
		for (in->offset = 0; !last; in->offset += 1000) {
			const Pvw__V1__GetArtifactResponse *out = must("GetArtifact", in);

			cr_assert_eq(out->chunk->total_size, artifact->size);
			cr_assert_eq(out->chunk->offset, in->offset);
			cr_assert_leq(out->chunk->data.len, 1000);
			digest_add(&state, out->chunk->data.data, out->chunk->data.len);
			last = out->chunk->last;
		}
		cr_assert(digest_equal(digest_end(&state), digest_in(artifact->sha256)), "%s",
			artifact->name);
	}
}

Test(service, refuses_artifacts_that_are_not_the_ones_meant)
{
	Pvw__V1__GetArtifactRequest *in;
	const Pvw__V1__ListArtifactsResponse *list;

	plan(NULL);
	list = must("ListArtifacts", empty("ListArtifacts"));
	refuse("GetArtifact", artifact_request("no.such"), PVW_SERVICE_0004, "no.such");
	in = artifact_request(list->artifacts[0]->name);
	in->expect_sha256 = convert_bytes_out((Bytes){ entropy, DIGEST_SIZE });
	refuse("GetArtifact", in, PVW_SERVICE_0006, "digest");
	in->expect_sha256.len = 5;
	refuse("GetArtifact", in, PVW_SERVICE_0006, "digest");
	in->expect_sha256.len = 0;
	in->offset = list->artifacts[0]->size + 1;
	refuse("GetArtifact", in, PVW_MSG_0002, "offset");
	in->offset--;
	cr_assert_eq(((const Pvw__V1__GetArtifactResponse *)must("GetArtifact", in))
			     ->chunk->data.len,
		0);
}

Test(service, keeps_sensitive_artifacts_of_an_isolated_guest)
{
	const Pvw__V1__ListArtifactsResponse *list;
	size_t denied = 0;

	open_service((ServiceOptions){ .session = { .isolation = ISOLATION_SNP } });
	plan("snp");
	cr_assert(service_is_filtered(service));
	list = must("ListArtifacts", empty("ListArtifacts"));
	for (size_t i = 0; i < list->n_artifacts; i++) {
		Pvw__V1__GetArtifactRequest *in = artifact_request(list->artifacts[i]->name);

		if (!list->artifacts[i]->sensitive) {
			must("GetArtifact", in);
			continue;
		}
		refuse("GetArtifact", in, PVW_SERVICE_0005, "sensitive");
		cr_assert_eq(diagnostic_row(err.diagnostic)->code, ERROR_DENIED);
		denied++;
	}
	cr_assert_gt(denied, 0);
}

/*
 * One driver.
 */

Test(service, is_driven_by_one_connection_at_a_time)
{
	const ServerCallbacks callbacks = service_callbacks(service);

	must("LoadBootInfo", boot_info(NULL));
	connection = 2;
	refuse("LoadBootInfo", boot_info(NULL), PVW_SERVICE_0007, "another connection");
	refuse("Reset", empty("Reset"), PVW_SERVICE_0007, "Reset");
	must("Health", empty("Health"));
	must("Hello", hello(1, 1));
	callbacks.closed(callbacks.service, 3);
	refuse("Reset", empty("Reset"), PVW_SERVICE_0007, "closed");
	callbacks.closed(callbacks.service, 1);
	must("Reset", empty("Reset"));
	connection = 1;
	refuse("Reset", empty("Reset"), PVW_SERVICE_0007, "closed");
}

Test(service, is_not_driven_by_who_asks_for_what_cannot_be)
{
	refuse("Plan", plan_request(0), PVW_SESSION_0001, "EMPTY");
	refuse("Save", empty("Save"), PVW_SERVICE_0001, "Save");
	connection = 2;
	must("LoadBootInfo", boot_info(NULL));
}

/*
 * Looking after it.
 */

static int states_told(int32_t *states, int most)
{
	const Event *event;
	uint64_t dropped, at = 0;
	int count = 0;

	while ((event = events_next(events, at, &dropped)) != NULL) {
		at = event->seq;
		if (event->kind == EVENT_KIND_STATE && count < most)
			states[count++] = event->value;
	}
	return count;
}

Test(service, tells_every_state_once)
{
	const ServerCallbacks callbacks = service_callbacks(service);
	const int32_t expected[] = { PVW__V1__WORKER_STATE__WORKER_STATE_BOOT_INFO,
		PVW__V1__WORKER_STATE__WORKER_STATE_CONFIGURED,
		PVW__V1__WORKER_STATE__WORKER_STATE_PLANNED,
		PVW__V1__WORKER_STATE__WORKER_STATE_LOADED,
		PVW__V1__WORKER_STATE__WORKER_STATE_EMPTY,
		PVW__V1__WORKER_STATE__WORKER_STATE_STOPPING };
	int32_t told[16];

	must("Load", load_request(plan(NULL)));
	must("Health", empty("Health"));
	must("Reset", empty("Reset"));
	callbacks.stopping(callbacks.service, "a test");
	must("Health", empty("Health"));
	cr_assert_eq(states_told(told, 16), ARRAY_COUNT(expected));
	cr_assert_arr_eq(told, expected, sizeof(expected));
}

Test(service, answers_with_the_events_there_are)
{
	Pvw__V1__PollEventsRequest *in = empty("PollEvents");
	const Pvw__V1__PollEventsResponse *out;

	out = must("PollEvents", in);
	cr_assert_eq(out->n_events, 0);
	cr_assert_eq(out->next_seq, 0);
	plan(NULL);
	in->max_events = 2;
	out = must("PollEvents", in);
	cr_assert_eq(out->n_events, 2);
	cr_assert_eq(out->events[0]->seq, 1);
	cr_assert_eq(out->next_seq, 2);
	in->after_seq = 2;
	out = must("PollEvents", in);
	cr_assert_eq(out->events[0]->seq, 3);
	cr_assert_eq(out->events[0]->state, PVW__V1__WORKER_STATE__WORKER_STATE_PLANNED);
	in->after_seq = 1000;
	out = must("PollEvents", in);
	cr_assert_eq(out->events[0]->seq, 1, "a reader of the worker before this one");
	in->wait_ms = SERVICE_MAX_POLL_MS + 1;
	refuse("PollEvents", in, PVW_MSG_0002, "30001");
}

Test(service, tells_a_slow_reader_what_it_missed)
{
	Pvw__V1__PollEventsRequest *in = empty("PollEvents");
	const Pvw__V1__PollEventsResponse *out;

	for (int i = 0; i < EVENTS_KEPT + 10; i++)
		events_add(events, &(Event){ .kind = EVENT_KIND_LOG, .text = "x" });
	in->after_seq = 3;
	in->max_events = 5;
	out = must("PollEvents", in);
	cr_assert_eq(out->events[0]->kind, PVW__V1__EVENT_KIND__EVENT_OVERFLOW);
	cr_assert_eq(out->events[0]->dropped, 7);
	cr_assert_eq(out->events[1]->seq, 11);
	cr_assert_eq(out->events[1]->kind, PVW__V1__EVENT_KIND__EVENT_LOG);
	cr_assert_str_eq(out->events[1]->log->text, "x");
}

Test(service, tells_events_of_every_kind)
{
	const Pvw__V1__PollEventsResponse *out;

	events_add(events,
		&(Event){ .kind = EVENT_KIND_DIAGNOSTIC,
			.value = SEVERITY_WARNING,
			.diagnostic = PVW_UEFI_0012,
			.source = "dtb:/",
			.text = "w" });
	events_add(events,
		&(Event){ .kind = EVENT_KIND_BOOT,
			.value = PVW__V1__BOOT_EVENT_KIND__BOOT_EVENT_SUCCESS,
			.text = "ok" });
	events_add(events,
		&(Event){ .kind = EVENT_KIND_LOG,
			.value = LOG_LEVEL_WARN,
			.confidential = true,
			.target = "dt",
			.text = "t" });
	events_add(events, &(Event){ .kind = EVENT_KIND_COUNT });
	refuse("PollEvents", empty("PollEvents"), PVW_SERVICE_0008, "kind 4");

	Pvw__V1__PollEventsRequest *in = empty("PollEvents");

	in->max_events = 3;
	out = must("PollEvents", in);
	cr_assert_str_eq(out->events[0]->diagnostic->code, "PVW-UEFI-0012");
	cr_assert_eq(out->events[0]->diagnostic->severity, PVW__V1__SEVERITY__SEVERITY_WARNING);
	cr_assert_eq(out->events[1]->boot->what, PVW__V1__BOOT_EVENT_KIND__BOOT_EVENT_SUCCESS);
	cr_assert_eq(out->events[2]->log->level, PVW__V1__LOG_LEVEL__LOG_WARN);
	cr_assert_eq(out->events[2]->log->klass, PVW__V1__LOG_CLASS__LOG_CLASS_CONFIDENTIAL);
	cr_assert_str_eq(out->events[2]->log->target, "dt");
}

Test(service, is_healthy_until_a_load_breaks_off_or_it_stops)
{
	const Pvw__V1__HealthResponse *out = must("Health", empty("Health"));

	cr_assert(out->ready);
	cr_assert_not(out->sandboxed || out->confidential_filter);
	cr_assert_gt(out->uptime_ns, 0);
	cr_assert_gt(out->open_fds, 2);
	service_guard(service, true);
	session_stop(service_session(service));
	out = must("Health", empty("Health"));
	cr_assert_not(out->ready);
	cr_assert(out->sandboxed);
	cr_assert_str_eq(out->why_not, "stopping");
	cr_assert_eq(out->state, PVW__V1__WORKER_STATE__WORKER_STATE_STOPPING);
	open_service((ServiceOptions){ .session = { .isolation = ISOLATION_TDX } });
	out = must("Health", empty("Health"));
	cr_assert(out->confidential_filter);
}

static const Pvw__V1__Metric *metric(const Pvw__V1__MetricsResponse *out, const char *name)
{
	for (size_t i = 0; i < out->n_metrics; i++) {
		if (strcmp(out->metrics[i]->name, name) == 0)
			return out->metrics[i];
	}
	return NULL;
}

Test(service, counts_calls_failures_and_memory)
{
	Pvw__V1__MetricsRequest *in = empty("Metrics");
	const Pvw__V1__MetricsResponse *out;

	plan(NULL);
	refuse("Load", empty("Load"), PVW_MSG_0002, "target");
	out = must("Metrics", in);
	cr_assert_eq(metric(out, "rpc.method.Plan.calls")->counter, 1);
	cr_assert_eq(metric(out, "rpc.method.Plan.failures")->counter, 0);
	cr_assert_eq(metric(out, "rpc.method.Load.failures")->counter, 1);
	cr_assert_gt(metric(out, "rpc.method.Plan.time")->counter, 0);
	cr_assert_null(metric(out, "rpc.method.Reset.calls"), "never called");
	cr_assert_gt(metric(out, "session.arena")->gauge, 0);
	cr_assert_eq(metric(out, "session.generation")->counter, 3);
	cr_assert_eq(metric(out, "session.arena")->value_case, PVW__V1__METRIC__VALUE_GAUGE);
	in->prefix = convert_text_out("session.");
	out = must("Metrics", in);
	cr_assert_eq(out->n_metrics, 2);
	in->prefix = convert_text_out("none");
	out = must("Metrics", in);
	cr_assert_eq(out->n_metrics, 0);
}

Test(service, changes_the_log_filter)
{
	Pvw__V1__SetLogFilterRequest *in = empty("SetLogFilter");
	const Pvw__V1__SetLogFilterResponse *out;

	in->filter = convert_text_out("debug,rpc=trace");
	out = must("SetLogFilter", in);
	cr_assert_str_eq(out->previous, "info");
	out = must("SetLogFilter", in);
	cr_assert_str_eq(out->previous, "debug,rpc=trace");
	in->filter = convert_text_out("loud");
	refuse("SetLogFilter", in, PVW_LOG_0001, "loud");
	cr_assert_str_eq(log_filter(log_), "debug,rpc=trace");
	log_free(log_);
	log_ = NULL;
	open_service((ServiceOptions){ 0 });
	refuse("SetLogFilter", in, PVW_SERVICE_0001, "logs");
}
