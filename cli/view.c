/*
 * The same messages from this process and from a worker.
 */
#include "cli/view.h"

#include <string.h>

#include "worker/convert.h"

#define CHUNK_BYTES ((uint32_t)1024 * 1024)
#define MAX_ARTIFACT ((uint64_t)64 * 1024 * 1024) /* bytes taken from a worker */

bool view_open(const Invocation *invocation, View *view, Error *err)
{
	memset(view, 0, sizeof(*view));
	view->arena = arena_new(2 * INPUT_ARENA_LIMIT);
	if (!view->arena)
		return error_set(err, PVW_MEM_0001, "no memory");
	if (!diagnostics_init(&view->findings, INPUT_MAX_FINDINGS, view->arena, err) ||
		!input_load(invocation, view->arena, &view->input, &view->findings, err))
		return false;
	return view->input.kind != INPUT_SOCKET ||
		client_open(view->input.name, &view->client, err);
}

void view_close(View *view)
{
	client_close(view->client);
	arena_free(view->arena);
	view->client = NULL;
	view->arena = NULL;
}

/* A call whose request has nothing in it but what @request says. */
static bool call(
	View *view, const char *method, const void *request, void *response, Error *err)
{
	ProtobufCMessage *message = NULL;

	if (!client_call(view->client, method, request, 0, view->arena, &message, err))
		return false;
	memcpy(response, &message, sizeof(message));
	return true;
}

/*
 * The plan.
 */

static const char *const mtrr_names[] = { "exact", "hyperv", "best-effort", NULL };
static const char *const profile_names[] = { "default", "reference", NULL };

static bool ask_for_plan(
	const Invocation *invocation, View *view, Pvw__V1__PlanResponse **out, Error *err)
{
	Pvw__V1__PlanRequest *request =
		message_new(view->arena, &pvw__v1__plan_request__descriptor, err);
	size_t mtrr, acpi;
	uint64_t version;

	if (!request)
		return false;
	if (invocation_has(invocation, "entropy") || invocation_has(invocation, "seed"))
		return error_set(err, PVW_INPUT_0002,
			"entropy and --socket, expected one of them: a worker draws its own");
	if (!invocation_choice(invocation, "mtrr", mtrr_names, 0, &mtrr, err) ||
		!invocation_choice(invocation, "acpi-profile", profile_names, 0, &acpi, err) ||
		!invocation_number(invocation, "layout-version", 0, UINT32_MAX, &version, err))
		return false;
	if (invocation_has(invocation, "mtrr"))
		request->mtrr = convert_mtrr_policy_out((MtrrPolicy)mtrr);
	if (invocation_has(invocation, "acpi-profile"))
		request->acpi = convert_acpi_profile_out((AcpiProfile)acpi);
	request->layout_version = (uint32_t)version;
	request->explain = true;
	return call(view, "Plan", request, out, err);
}

static bool make_plan(View *view, Pvw__V1__PlanResponse **out, Error *err)
{
	Pvw__V1__PlanResponse *plan =
		message_new(view->arena, &pvw__v1__plan_response__descriptor, err);
	InputResult *result = &view->result;

	if (!plan || !input_plan(&view->input, view->arena, result, &view->findings, err) ||
		!convert_layout_out(&result->facts, &result->config, &result->prepared,
			/* with_source= */ true, view->arena, &plan->layout, err) ||
		!convert_plan_out(&result->prepared.plan, view->arena, plan, err) ||
		!convert_diagnostics_out(&view->findings, view->arena, &plan->n_diagnostics,
			&plan->diagnostics, err))
		return false;
	*out = plan;
	return true;
}

bool view_plan(
	const Invocation *invocation, View *view, Pvw__V1__PlanResponse **out, Error *err)
{
	return view->client ? ask_for_plan(invocation, view, out, err)
			    : make_plan(view, out, err);
}

/*
 * The layout.
 */

static bool ask_for_layout(View *view, Pvw__V1__Layout **out, Error *err)
{
	Pvw__V1__GetLayoutRequest *request =
		message_new(view->arena, &pvw__v1__get_layout_request__descriptor, err);
	Pvw__V1__GetLayoutResponse *response;

	if (!request)
		return false;
	request->with_provenance = true;
	if (!call(view, "GetLayout", request, &response, err))
		return false;
	if (!response->layout)
		return error_set(
			err, PVW_CLIENT_0003, "GetLayout without a layout, expected one");
	*out = response->layout;
	return true;
}

/* VTL0's RAM is in the layout; the summary has what the boot tree says of VTL2's, too. */
static bool add_vtl2_memory(View *view, Pvw__V1__Layout *layout, Error *err)
{
	Pvw__V1__BootSummary *summary;
	Pvw__V1__MemoryRange **all;
	size_t count = layout->n_memory;

	if (!convert_boot_summary_out(&view->result.facts, view->arena, &summary, err))
		return false;
	all = arena_array(view->arena, Pvw__V1__MemoryRange *, count + summary->n_memory, err);
	if (!all)
		return false;
	memcpy(all, layout->memory, count * sizeof(*all));
	for (size_t i = 0; i < summary->n_memory; i++) {
		if (summary->memory[i]->role != PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL0_RAM)
			all[count++] = summary->memory[i];
	}
	layout->memory = all;
	layout->n_memory = count;
	return true;
}

bool view_layout(View *view, Pvw__V1__Layout **out, Error *err)
{
	InputResult *result = &view->result;
	Pvw__V1__Layout *layout;

	if (view->client)
		return ask_for_layout(view, out, err);
	if (!input_plan(&view->input, view->arena, result, &view->findings, err) ||
		!convert_layout_out(&result->facts, &result->config, &result->prepared,
			/* with_source= */ true, view->arena, &layout, err) ||
		!add_vtl2_memory(view, layout, err))
		return false;
	*out = layout;
	return true;
}

/*
 * Artifacts.
 */

static bool fetch_chunk(View *view, const Pvw__V1__Artifact *artifact, uint64_t offset,
	Pvw__V1__Blob **out, Error *err)
{
	Pvw__V1__GetArtifactRequest *request =
		message_new(view->arena, &pvw__v1__get_artifact_request__descriptor, err);
	Pvw__V1__GetArtifactResponse *response;

	if (!request)
		return false;
	request->name = artifact->name;
	request->offset = offset;
	request->max_bytes = CHUNK_BYTES;
	request->expect_sha256 = artifact->sha256;
	if (!call(view, "GetArtifact", request, &response, err))
		return false;
	*out = response->chunk;
	return true;
}

static bool fetch_artifact(
	View *view, const Pvw__V1__Artifact *artifact, Bytes *out, Error *err)
{
	uint64_t at = 0;
	uint8_t *data;

	if (artifact->size > MAX_ARTIFACT)
		return error_set(err, PVW_CLIENT_0003,
			"%.64s: 0x%" PRIx64 " bytes, expected at most 0x%" PRIx64,
			artifact->name, artifact->size, MAX_ARTIFACT);
	data = arena_array(view->arena, uint8_t, (size_t)artifact->size, err);
	if (!data)
		return false;
	while (at < artifact->size) {
		Pvw__V1__Blob *chunk;

		if (!fetch_chunk(view, artifact, at, &chunk, err))
			return false;
		if (!chunk || chunk->offset != at || chunk->data.len == 0 ||
			chunk->data.len > artifact->size - at)
			return error_set(err, PVW_CLIENT_0003,
				"%.64s: a chunk that is not what was asked for at 0x%" PRIx64,
				artifact->name, at);
		memcpy(data + at, chunk->data.data, chunk->data.len);
		at += chunk->data.len;
	}
	*out = (Bytes){ data, (size_t)artifact->size };
	return true;
}

bool view_artifact(
	View *view, const Pvw__V1__Artifact *artifact, Bytes *out, bool *seen, Error *err)
{
	const Artifact *ours;

	*seen = true;
	if (view->client)
		return fetch_artifact(view, artifact, out, err);
	ours = boot_plan_find(&view->result.prepared.plan, artifact->name);
	if (!ours)
		return error_set(
			err, PVW_CLIENT_0003, "%.64s: no such artifact", artifact->name);
	*out = ours->bytes;
	*seen = ours->bytes.data || !ours->measured;
	return true;
}
