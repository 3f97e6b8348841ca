/*
 * pvw version: which pvw this is.
 */
#include "support/version.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "loaders/boot_plan.h"
#include "worker/service.h"

static ExitStatus print_json(const Invocation *invocation)
{
	json_t *document = json_pack("{s:s, s:s, s:{s:i, s:i}, s:i}", "version", PVW_VERSION,
		"revision", PVW_REVISION, "service", "major", SERVICE_MAJOR, "minor",
		SERVICE_MINOR, "layout_version", LAYOUT_VERSION_NEWEST);
	Error err;

	return output_json(invocation, "pvw.version/1", document, &err)
		? STATUS_DONE
		: report_error(invocation, &err);
}

ExitStatus command_version(const Invocation *invocation)
{
	if (output_wants_json(invocation))
		return print_json(invocation);
	printf("%s %s (%s)\nservice pvw.v1 %d.%d, layout version %d\n",
		invocation_program(invocation)->name, PVW_VERSION, PVW_REVISION, SERVICE_MAJOR,
		SERVICE_MINOR, LAYOUT_VERSION_NEWEST);
	return STATUS_DONE;
}
