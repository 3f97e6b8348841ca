/*
 * What is read of a plan: layout and artifacts.
 */
#include <string.h>

#include "worker/convert.h"
#include "worker/service_internal.h"

bool service_get_layout(const Call *call, const Pvw__V1__GetLayoutRequest *in,
	Pvw__V1__GetLayoutResponse *out, Error *err)
{
	const Session *session = call->service->session;

	return convert_layout_out(session_facts(session), session_config(session),
		session_prepared(session), in->with_provenance, call->arena, &out->layout, err);
}

bool service_list_artifacts(const Call *call, const Pvw__V1__ListArtifactsRequest *in,
	Pvw__V1__ListArtifactsResponse *out, Error *err)
{
	(void)in;
	return convert_artifacts_out(&session_prepared(call->service->session)->plan,
		call->arena, &out->n_artifacts, &out->artifacts, err);
}

static bool check_artifact(const Call *call, const Pvw__V1__GetArtifactRequest *in,
	const BootPlan *plan, const Artifact *artifact, Error *err)
{
	const Digest *digest;

	if (!artifact)
		return error_set(err, PVW_SERVICE_0004,
			"artifact \"%.64s\", expected one that ListArtifacts names", in->name);
	digest = &plan->digests[artifact - plan->artifacts.items];
	if (service_is_filtered(call->service) && artifact->sensitive)
		return error_set(err, PVW_SERVICE_0005,
			"artifact \"%.64s\" is sensitive and the worker is filtered", in->name);
	if (in->expect_sha256.len != 0 &&
		(in->expect_sha256.len != DIGEST_SIZE ||
			memcmp(in->expect_sha256.data, digest->bytes, DIGEST_SIZE) != 0))
		return error_set(err, PVW_SERVICE_0006,
			"artifact \"%.64s\" has another digest than expected", in->name);
	if (in->offset > artifact->bytes.len)
		return error_set(err, PVW_MSG_0002, "offset %llu, expected at most %zu",
			(unsigned long long)in->offset, artifact->bytes.len);
	return true;
}

bool service_get_artifact(const Call *call, const Pvw__V1__GetArtifactRequest *in,
	Pvw__V1__GetArtifactResponse *out, Error *err)
{
	const BootPlan *plan = &session_prepared(call->service->session)->plan;
	const Artifact *artifact = boot_plan_find(plan, in->name);
	Pvw__V1__Blob *chunk = message_new(call->arena, &pvw__v1__blob__descriptor, err);
	const uint8_t *data;
	size_t index, len;

	out->artifact = message_new(call->arena, &pvw__v1__artifact__descriptor, err);
	if (!chunk || !out->artifact || !check_artifact(call, in, plan, artifact, err))
		return false;
	index = (size_t)(artifact - plan->artifacts.items);
	len = artifact->bytes.len - (size_t)in->offset;
	if (len > SERVICE_MAX_CHUNK)
		len = SERVICE_MAX_CHUNK;
	if (in->max_bytes && len > in->max_bytes)
		len = in->max_bytes;
	/* An artifact without data is zeros; the arena hands out nothing else. */
	data = artifact->bytes.data ? artifact->bytes.data + in->offset
				    : arena_alloc(call->arena, len, 1, err);
	if (!data)
		return false;

	convert_artifact_out(plan, index, out->artifact);
	chunk->total_size = artifact->bytes.len;
	chunk->sha256 = convert_digest_out(&plan->digests[index]);
	chunk->offset = in->offset;
	chunk->data = convert_bytes_out((Bytes){ data, len });
	chunk->last = in->offset + len == artifact->bytes.len;
	out->chunk = chunk;
	return true;
}
