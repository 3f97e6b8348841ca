/*
 * The host's platform settings document, as JSON.
 *
 *	{ "V1": {...}, "V2": { "Static": {...}, "Dynamic": {...} }, "Pvw": {...} }
 *
 * V1 and V2 have the member names and defaults of the host's own document; the object Pvw says
 * what it has no name for. docs/formats.md, "Settings document", lists all members.
 * Source: [OVMM] vm/devices/get/get_protocol/src/dps_json.rs
 */
#ifndef HOST_SETTINGS_JSON_H
#define HOST_SETTINGS_JSON_H

#include "loaders/boot_path.h"
#include "proto/worker.pb-c.h"
#include "vmbus/channel_claim.h"

typedef struct SettingsDocument {
	Pvw__V1__DevicePlatformSettings *settings;
	PlanRequest plan; /* what the document leaves open is not set */
	ChannelDemandList channels;
	bool has_relay_devices;
	uint32_t relay_devices;
} SettingsDocument;

/**
 * settings_json_read - a document's text to the message that Configure takes, and what Plan takes
 * @source:      what paths in errors and findings begin with: "settings"
 * @out:         lives in @arena
 * @diagnostics: PVW_JSON_0004 for every member outside of Pvw that is not known, PVW_JSON_0007 for
 *               every one that is set and has no effect here
 *
 * V1 and V2 may be left out as a whole; what stands inside is required as the host's document
 * requires it. Outputs are untouched on failure.
 *
 * Errors, whose source is the member's path ("settings.V2.Static.ConsoleMode"): PVW_JSON_0001
 * (BAD_VALUE) not JSON; _0002 (BAD_VALUE) a value that the member cannot have; _0003 (MISSING);
 * _0005 (BAD_VALUE) an unknown member of Pvw; _0006 (LIMIT).
 */
MUST_CHECK bool settings_json_read(Bytes text, const char *source, Arena *arena,
	SettingsDocument *out, Diagnostics *diagnostics, Error *err);

#endif
