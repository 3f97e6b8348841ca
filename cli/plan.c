/*
 * pvw plan: everything that would be written and set, and nothing written to a guest.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/view.h"
#include "host/folder.h"
#include "host/message_json.h"
#include "host/size_text.h"
#include "layout/layout_explain.h"

#define SCHEMA "pvw.plan/1"

static void print_digest(const char *before, const ProtobufCBinaryData *digest)
{
	fputs(before, stdout);
	for (size_t i = 0; i < digest->len; i++)
		printf("%02x", digest->data[i]);
}

/* The policies in effect, by the wire's numbers. */
static const char *const mtrr_names[] = { "?", "exact", "hyperv", "best-effort" };
static const char *const profile_names[] = { "?", "default", "reference" };

static const char *name_of(const char *const *names, size_t count, unsigned value)
{
	return value < count ? names[value] : names[0];
}

static void print_artifacts(const Pvw__V1__PlanResponse *plan)
{
	printf("\n%-24s %18s %10s  sha256\n", "artifact", "gpa", "bytes");
	for (size_t i = 0; i < plan->n_artifacts; i++) {
		const Pvw__V1__Artifact *artifact = plan->artifacts[i];
		char gpa[24] = "-";

		if (artifact->placed)
			snprintf(gpa, sizeof(gpa), "0x%" PRIx64, artifact->gpa);
		printf("%-24s %18s %10" PRIu64, artifact->name, gpa, artifact->size);
		print_digest("  ", &artifact->sha256);
		puts(artifact->sensitive ? "  sensitive" : "");
	}
}

static void print_register_set(const Pvw__V1__RegisterSet *set, bool verbose)
{
	const bool all = set->scope == PVW__V1__VP_SCOPE__VP_SCOPE_ALL_VPS;

	printf("%zu registers of %s\n", set->n_registers,
		all ? "all processors" : "the first processor");
	for (size_t i = 0; verbose && i < set->n_registers; i++) {
		const Pvw__V1__Register *value = set->registers[i];

		printf("  0x%08" PRIx32 " %-24s 0x%016" PRIx64, value->id, value->name,
			value->low);
		if (value->high)
			printf(" 0x%016" PRIx64, value->high);
		putchar('\n');
	}
}

static void print_plan(const Invocation *invocation, const Pvw__V1__PlanResponse *plan)
{
	print_digest("plan ", &plan->plan_digest);
	printf("\nmtrr %s, acpi %s, layout version %" PRIu32 "\n",
		name_of(mtrr_names, ARRAY_COUNT(mtrr_names), plan->mtrr),
		name_of(profile_names, ARRAY_COUNT(profile_names), plan->acpi),
		plan->layout ? plan->layout->layout_version : 0);
	print_artifacts(plan);
	putchar('\n');
	for (size_t i = 0; i < plan->n_registers; i++)
		print_register_set(plan->registers[i], invocation_verbosity(invocation) > 0);
}

/*
 * --explain.
 */

static bool explain_plan(View *view, ExplanationList *out, Error *err)
{
	const InputResult *result = &view->result;

	if (view->client)
		return error_set(err, PVW_INPUT_0002,
			"--explain and --socket, expected one of them: map says what a worker "
			"tells");
	return layout_explain(
		&result->prepared.layout, &result->config.mmio, view->arena, out, err);
}

static void print_explanations(ExplanationList list)
{
	puts("\nwhy each range lies where it lies");
	for (size_t i = 0; i < list.count; i++) {
		const MemoryRange range = list.items[i].range;

		printf("0x%016" PRIx64 " %9s  %s\n", range.start,
			size_text(memory_range_len(range)).text, list.items[i].text);
	}
}

static bool add_explanations(json_t *document, ExplanationList list, Error *err)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list.count; i++) {
		char start[24], end[24];

		snprintf(start, sizeof(start), "0x%" PRIx64, list.items[i].range.start);
		snprintf(end, sizeof(end), "0x%" PRIx64, list.items[i].range.end);
		json_array_append_new(array,
			json_pack("{s:s, s:s, s:s}", "start", start, "end", end, "text",
				list.items[i].text));
	}
	if (json_object_set_new(document, "explanations", array) != 0)
		return error_set(err, PVW_MEM_0001, "no memory for the explanations");
	return true;
}

/*
 * -o DIR.
 */

static bool write_document(const char *folder, json_t *document, Error *err)
{
	char *text = output_document(SCHEMA, document, /* indent= */ true, err);
	bool ok;

	if (!text)
		return false;
	/* A text file ends in a newline; the NUL gives it its room. */
	const size_t len = strlen(text);

	text[len] = '\n';
	ok = folder_write(folder, "plan.json", (Bytes){ (const uint8_t *)text, len + 1 }, err);
	free(text);
	return ok;
}

static bool write_artifact(
	View *view, const char *folder, const Pvw__V1__Artifact *artifact, Error *err)
{
	char name[256];
	Bytes bytes;
	bool seen;

	if (!view_artifact(view, artifact, &bytes, &seen, err))
		return error_wrap(err, "%.64s", artifact->name);
	if (!seen)
		return true;
	snprintf(name, sizeof(name), "%.200s.bin", artifact->name);
	return folder_write(folder, name, bytes, err);
}

static bool write_folder(View *view, const char *folder, const Pvw__V1__PlanResponse *plan,
	json_t *document, Error *err)
{
	if (!folder_make(folder, err) || !write_document(folder, document, err))
		return false;
	for (size_t i = 0; i < plan->n_artifacts; i++) {
		if (!write_artifact(view, folder, plan->artifacts[i], err))
			return false;
	}
	return true;
}

static bool show_plan(const Invocation *invocation, View *view, Error *err)
{
	const char *folder = invocation_value(invocation, "output");
	const bool explain = invocation_has(invocation, "explain");
	ExplanationList explanations = { 0 };
	Pvw__V1__PlanResponse *plan;
	json_t *document;
	bool ok;

	if (!view_plan(invocation, view, &plan, err) ||
		(explain && !explain_plan(view, &explanations, err)) ||
		!message_to_json(&plan->base, view->arena, &document, err))
		return false;
	ok = !explain || add_explanations(document, explanations, err);
	if (ok && folder) {
		ok = write_folder(view, folder, plan, document, err);
	} else if (ok && output_wants_json(invocation)) {
		return output_json(invocation, SCHEMA, document, err);
	} else if (ok) {
		print_plan(invocation, plan);
		if (explain)
			print_explanations(explanations);
	}
	json_decref(document);
	return ok;
}

ExitStatus command_plan(const Invocation *invocation)
{
	View view;
	Error err;
	const bool ok =
		view_open(invocation, &view, &err) && show_plan(invocation, &view, &err);
	ExitStatus status;

	report_diagnostics(invocation, &view.findings);
	status = ok ? STATUS_DONE : report_error(invocation, &err);
	view_close(&view);
	return status;
}
