/*
 * pvw version: which pvw this is.
 */
#include "support/version.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "loaders/boot_plan.h"
#include "worker/service.h"

static ExitStatus print_json(
	const Invocation *invocation, const char *const *features, size_t count)
{
	json_t *names = json_array(), *document;
	Error err;

	for (size_t i = 0; i < count; i++)
		json_array_append_new(names, json_string(features[i]));
	document = json_pack("{s:s, s:s, s:{s:i, s:i}, s:i, s:o}", "version", PVW_VERSION,
		"revision", PVW_REVISION, "service", "major", SERVICE_MAJOR, "minor",
		SERVICE_MINOR, "layout_version", LAYOUT_VERSION_CURRENT, "features", names);
	return output_json(invocation, "pvw.version/1", document, &err)
		? STATUS_DONE
		: report_error(invocation, &err);
}

ExitStatus command_version(const Invocation *invocation)
{
	size_t count;
	const char *const *features = service_features(&count);

	if (output_wants_json(invocation))
		return print_json(invocation, features, count);
	printf("%s %s (%s)\nservice pvw.v1 %d.%d, layout version %d\nfeatures:",
		invocation_program(invocation)->name, PVW_VERSION, PVW_REVISION, SERVICE_MAJOR,
		SERVICE_MINOR, LAYOUT_VERSION_CURRENT);
	for (size_t i = 0; i < count; i++)
		printf(" %s", features[i]);
	putchar('\n');
	return STATUS_DONE;
}
