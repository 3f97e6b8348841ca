/*
 * What changes the guest: boot info, blobs, settings, plan, load.
 */
#include <string.h>

#include "worker/convert.h"
#include "worker/entropy.h"
#include "worker/service_internal.h"

static bool findings_begin(const Call *call, Diagnostics *findings, Error *err)
{
	return diagnostics_init(findings, SESSION_MAX_FINDINGS, call->arena, err);
}

/*
 * Boot information.
 */

bool service_load_boot_info(const Call *call, const Pvw__V1__LoadBootInfoRequest *in,
	Pvw__V1__LoadBootInfoResponse *out, Error *err)
{
	Session *session = call->service->session;
	const ServiceOptions *options = &call->service->options;
	IsolationType asked;
	Diagnostics findings;
	FactInputs inputs;

	/* Inside VTL2 this is over at once, whatever the request says. */
	if (!session_may_load_boot_info(session, err))
		return false;
	if (convert_isolation(in->isolation, &asked) && asked != options->session.isolation)
		return error_set(err, PVW_SESSION_0002,
			"isolation %d asked for, expected %d as the worker was started",
			(int)asked, (int)options->session.isolation);
	if (!findings_begin(call, &findings, err) ||
		!convert_fact_inputs(in, call->arena, &inputs, err) ||
		!session_load_boot_info(session, &inputs, &findings, err))
		return false;
	intercepts_drop(call->service->intercepts);
	return convert_boot_summary_out(
		       session_facts(session), call->arena, &out->summary, err) &&
		convert_diagnostics_out(
			&findings, call->arena, &out->n_diagnostics, &out->diagnostics, err);
}

static bool check_chunk(const Pvw__V1__Blob *chunk, Error *err)
{
	bool ends;

	if (!chunk)
		return error_set(err, PVW_MSG_0002, "no chunk, expected one");
	if (chunk->data.len > SERVICE_MAX_CHUNK)
		return error_set(err, PVW_MSG_0002, "a chunk of %zu bytes, expected at most %u",
			chunk->data.len, SERVICE_MAX_CHUNK);
	if (chunk->sha256.len != 0 && chunk->sha256.len != DIGEST_SIZE)
		return error_set(err, PVW_MSG_0001,
			"a digest of %zu bytes, expected %d or none", chunk->sha256.len,
			DIGEST_SIZE);
	/* A sum that wraps is refused by the store, which does not add. */
	ends = chunk->offset + chunk->data.len == chunk->total_size;
	if (chunk->last == ends)
		return true;
	return error_set(err, PVW_BLOB_0002,
		"last is %s for a chunk that %s the blob, expected them to agree",
		chunk->last ? "set" : "clear", ends ? "ends" : "does not end");
}

bool service_put_blob(const Call *call, const Pvw__V1__PutBlobRequest *in,
	Pvw__V1__PutBlobResponse *out, Error *err)
{
	Session *session = call->service->session;
	Digest *digest = arena_array(call->arena, Digest, 1, err);
	BlobChunk chunk;

	if (!digest || !check_chunk(in->chunk, err))
		return false;
	if (in->chunk->sha256.len)
		memcpy(digest->bytes, in->chunk->sha256.data, DIGEST_SIZE);
	chunk = (BlobChunk){
		.name = in->name,
		.total = in->chunk->total_size,
		.offset = in->chunk->offset,
		.data = { in->chunk->data.data, in->chunk->data.len },
		.expect = in->chunk->sha256.len ? digest : NULL,
	};
	if (!session_put_blob(session, &chunk, &out->received, err))
		return false;
	if (in->chunk->last) {
		const Blob *blob = blob_store_find(session_blobs(session), in->name);

		out->sha256 = convert_digest_out(&blob->digest);
	}
	return true;
}

/*
 * Settings.
 */

static bool complete_blobs(const Call *call, NamedBytesList *out, Error *err)
{
	const BlobStore *store = session_blobs(call->service->session);
	NamedBytes *items = arena_array(call->arena, NamedBytes, store->count, err);
	size_t count = 0;

	if (!items)
		return false;
	for (size_t i = 0; i < store->count; i++) {
		const Blob *blob = &store->blobs[i];

		if (blob->complete)
			items[count++] = (NamedBytes){ blob->name, blob->bytes };
	}
	*out = (NamedBytesList){ items, count };
	return true;
}

/* Of the message as it would be encoded: deterministic, and free of unknown fields. */
static bool settings_digest(const Call *call, const Pvw__V1__DevicePlatformSettings *settings,
	Digest *out, Error *err)
{
	size_t size = settings ? protobuf_c_message_get_packed_size(&settings->base) : 0;
	uint8_t *packed = arena_array(call->arena, uint8_t, size, err);

	if (!packed)
		return false;
	if (size)
		protobuf_c_message_pack(&settings->base, packed);
	*out = digest_of((Bytes){ packed, size });
	return true;
}

bool service_configure(const Call *call, const Pvw__V1__ConfigureRequest *in,
	Pvw__V1__ConfigureResponse *out, Error *err)
{
	Digest *digest = arena_array(call->arena, Digest, 1, err);
	NamedBytesList blobs;
	ConfigInputs inputs;
	SettingsClampList clamps;
	Diagnostics findings;

	if (!digest || !findings_begin(call, &findings, err) ||
		!complete_blobs(call, &blobs, err) ||
		!convert_config_inputs(in, blobs, call->arena, &inputs, err) ||
		!session_configure(call->service->session, &inputs, in->dry_run, call->arena,
			&clamps, &findings, err) ||
		!settings_digest(call, in->settings, digest, err))
		return false;
	if (!in->dry_run)
		intercepts_drop(call->service->intercepts);
	out->settings_sha256 = convert_digest_out(digest);
	return convert_diagnostics_out(
		       &findings, call->arena, &out->n_diagnostics, &out->diagnostics, err) &&
		convert_clamps_out(&clamps, call->arena, &out->n_clamps, &out->clamps, err);
}

/*
 * Plan and load.
 */

static bool take_entropy(const Call *call, const Pvw__V1__PlanRequest *in,
	uint8_t entropy[ENTROPY_SIZE], Error *err)
{
	const Facts *facts = session_facts(call->service->session);

	if (in->entropy.len == 0)
		return entropy_draw(entropy, ENTROPY_SIZE, err);
	if (in->entropy.len != ENTROPY_SIZE)
		return error_set(err, PVW_MSG_0001, "entropy of %zu bytes, expected %d or none",
			in->entropy.len, ENTROPY_SIZE);
	if (isolation_is_isolated(facts->info.isolation))
		return error_set(err, PVW_SERVICE_0003,
			"entropy given for an isolated guest, expected none");
	memcpy(entropy, in->entropy.data, ENTROPY_SIZE);
	return true;
}

bool service_plan(const Call *call, const Pvw__V1__PlanRequest *in, Pvw__V1__PlanResponse *out,
	Error *err)
{
	Session *session = call->service->session;
	PlanInputs inputs = { .request = convert_plan_request(in) };
	Diagnostics findings;
	bool ok;

	if (!findings_begin(call, &findings, err) ||
		!take_entropy(call, in, inputs.entropy, err))
		return false;
	ok = session_plan(session, &inputs, &findings, err);
	explicit_bzero(inputs.entropy, sizeof(inputs.entropy));
	if (!ok || !intercepts_plan(call->service->intercepts, err))
		return false;
	return convert_layout_out(session_facts(session), session_config(session),
		       session_prepared(session), in->explain, call->arena, &out->layout,
		       err) &&
		convert_plan_out(&session_prepared(session)->plan, call->arena, out, err) &&
		convert_diagnostics_out(
			&findings, call->arena, &out->n_diagnostics, &out->diagnostics, err);
}

static bool take_target(
	const Call *call, const Pvw__V1__LoadRequest *in, LoadTarget *out, Error *err)
{
	const Pvw__V1__Target *target = in->target;
	GuestWindow *windows;

	if (!target || target->kind_case == PVW__V1__TARGET__KIND__NOT_SET ||
		!(target->guest_memory || target->memory_only))
		return error_set(err, PVW_MSG_0002,
			"no target, expected guest_memory or memory_only to be true");
	windows = arena_array(call->arena, GuestWindow, target->n_windows, err);
	if (!windows)
		return false;
	for (size_t i = 0; i < target->n_windows; i++)
		windows[i] = (GuestWindow){ target->windows[i]->gpa, target->windows[i]->size,
			target->windows[i]->offset };
	*out = (LoadTarget){
		.memory_only = target->kind_case == PVW__V1__TARGET__KIND_MEMORY_ONLY,
		.verify = in->verify_after,
		.windows = windows,
		.window_count = target->n_windows,
	};
	return true;
}

bool service_load(const Call *call, const Pvw__V1__LoadRequest *in, Pvw__V1__LoadResponse *out,
	Error *err)
{
	Digest *image = arena_array(call->arena, Digest, 1, err);
	const uint64_t begun = server_now_ns();
	LoadReport report;
	LoadTarget target;
	Digest digest;

	if (!image || !take_target(call, in, &target, err))
		return false;
	if (in->plan_digest.len != DIGEST_SIZE)
		return error_set(err, PVW_MSG_0001, "a plan digest of %zu bytes, expected %d",
			in->plan_digest.len, DIGEST_SIZE);
	memcpy(digest.bytes, in->plan_digest.data, DIGEST_SIZE);
	if (!session_load(call->service->session, digest, &target, call->arena, &report, err) ||
		!intercepts_load(call->service->intercepts, err))
		return false;
	*image = report.image;
	out->writes = report.writes;
	out->bytes = report.bytes;
	out->image_sha256 = convert_digest_out(image);
	out->elapsed_ns = server_now_ns() - begun;
	return true;
}
