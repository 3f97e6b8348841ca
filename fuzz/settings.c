/*
 * The settings document, and the way of what it says through conversion and isolation's policy.
 */
#include "bootinfo/settings_policy.h"
#include "fuzz/fuzz.h"
#include "host/settings_json.h"
#include "worker/convert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *arena = fuzz_arena((size_t)64 * 1024 * 1024);
	Diagnostics findings;
	SettingsDocument document;
	Error err = { 0 };

	FUZZ_ASSERT(diagnostics_init(&findings, 64, arena, &err));
	if (!settings_json_read(
		    (Bytes){ data, size }, "settings", arena, &document, &findings, &err)) {
		fuzz_failed(&err);
		return 0;
	}
	FUZZ_ASSERT(document.settings);
	return 0;
}
